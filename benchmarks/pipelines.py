"""Which pipelines of the installed diffusers can be searched?

    python benchmarks/pipelines.py FOLDER
        # FOLDER holds `tests/` of the repository of diffusers; appends rows
    python benchmarks/pipelines.py FOLDER --only wan flux --again
        # those whose file has such a name, also if they have a row

The tests of diffusers build each pipeline with tiny random networks and a call that fits it. Text
models that they would fetch are replaced by random ones of the same class, and tokenizers by one
of single letters. Each pipeline is opened as `--model` opens it: by the table of `load_pipeline`,
or with the arguments of its test recorded, or else in the loop. It counts as searchable if a
schedule of 3 calls runs, gives the same samples twice, another schedule gives others, and a search
of two trials with the paired distance ends with a schedule. Where strength leaves out steps, 10
calls take the place of 3. A gradient must come back through the network of a recorded one. Rows:
benchmarks/rows/pipelines.csv.
"""
import argparse, importlib, importlib.machinery, inspect, logging, os, signal, sys, tempfile
import types, warnings
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import MagicMock
import torch
from common import Rows

os.environ |= dict(HF_HUB_OFFLINE='1', TRANSFORMERS_OFFLINE='1')
SECONDS = 90      # of CPU for a pipeline, at most; then it can be tried again alone
# what tests of diffusers import and a pipeline does not need
NOT_NEEDED = (
    'accelerate', 'compel', 'cv2', 'imageio', 'k_diffusion', 'librosa', 'onnxruntime',
    'parameterized', 'peft', 'pytest', 'requests_mock', 'soundfile', 'torchsde',
)

PLAIN_TEXT = types.SimpleNamespace(fix_text=str)     # in place of ftfy

class Marks:
    "What marks tests in place of pytest: whatever is marked stays as it is."
    def __getattr__(self, name):
        if name.startswith('__'): raise AttributeError(name)
        return self
    def __call__(self, *args, **options):
        is_marked = len(args) == 1 and callable(args[0]) and not options
        return args[0] if is_marked else self

class Stub(types.ModuleType):
    "A module that has whatever it is asked for."
    __path__ = []
    def __getattr__(self, name):
        return getattr(Marks(), name) if self.__name__ == 'pytest' else MagicMock(name=name)

class StubFinder:
    "Finds a stub for what is not needed."
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] not in NOT_NEEDED: return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec): return Stub(spec.name)
    def exec_module(self, module): pass

@contextmanager
def stubs():
    "Only while tests are imported: afterwards a package that is not there is not there."
    finder = StubFinder()
    sys.meta_path.append(finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.split('.')[0] in NOT_NEEDED]:
            del sys.modules[name]


# text models in place of those that would be fetched

SPECIAL = ('<pad>', '<s>', '</s>', '<unk>', '<|im_start|>', '<|im_end|>', '<|image_pad|>',
           '<|vision_start|>', '<|vision_end|>', '<|video_pad|>')
CHAT = (
    "{% for m in messages %}{{ m['role'] }}: {% if m['content'] is string %}{{ m['content'] }}"
    "{% else %}{% for c in m['content'] %}{{ c.get('text','') }}{% endfor %}{% endif %}\n"
    "{% endfor %}"
)

def letters(name):
    "A tokenizer of single letters; CLIP's also begins with a token of its own."
    import tokenizers, transformers
    words = [*SPECIAL, *map(chr, range(32, 122))]
    vocabulary = {word: number for number,word in enumerate(words)}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token='<unk>'))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split('', 'isolated')
    made.decoder = tokenizers.decoders.Fuse()
    made.add_special_tokens(list(SPECIAL))
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single='<s> $A </s>' if 'clip' in name.lower() else '$A </s>',
        pair='$A $B </s>',
        special_tokens=[('<s>', 1), ('</s>', 2)],
    )
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        pad_token='<pad>',
        bos_token='<s>',
        eos_token='</s>',
        unk_token='<unk>',
        model_max_length=77,
        additional_special_tokens=list(SPECIAL[4:]),
    )
    fast.chat_template = CHAT
    return fast

def config_named(name):
    "The configuration of a tiny text model."
    import transformers
    small = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=37)
    t5 = dict(vocab_size=1103, d_model=32, d_ff=37, d_kv=8, num_layers=2, num_heads=4)
    decoder = small | dict(hidden_size=16, num_key_value_heads=4, head_dim=4, vocab_size=200)
    seen = small | dict(image_size=28, patch_size=14)
    kinds = dict(
        gemma3=lambda: transformers.Gemma3Config(text_config=decoder, vision_config=seen),
        umt5=lambda: transformers.UMT5Config(**t5),
        t5=lambda: transformers.T5Config(**t5),
        bert=lambda: transformers.BertConfig(vocab_size=1124, **small),
        llama=lambda: transformers.LlamaConfig(vocab_size=200, **small | dict(hidden_size=16)),
        siglip=lambda: transformers.SiglipVisionConfig(image_size=30, patch_size=2, **small),
    )
    found = next((kind for kind in kinds if kind in name.lower()), None)
    if found is None: raise OSError(f"nothing stands in for {name}")
    return kinds[found]()

def processor_named(name):
    "A processor of pictures and letters."
    import transformers
    from transformers.models.qwen2_vl.video_processing_qwen2_vl import Qwen2VLVideoProcessor
    tokenizer = letters(name)
    for what,token in (('image', '<|image_pad|>'), ('video', '<|video_pad|>')):
        setattr(tokenizer, f'{what}_token', token)
        setattr(tokenizer, f'{what}_token_id', SPECIAL.index(token))
    pictures = transformers.Qwen2VLImageProcessor(min_pixels=56*56, max_pixels=4*56*56)
    return transformers.Qwen2_5_VLProcessor(
        pictures, tokenizer, Qwen2VLVideoProcessor(), chat_template=CHAT
    )

def stand_in():
    "From here on, what would be fetched is made."
    import transformers
    from transformers.processing_utils import ProcessorMixin
    from transformers.tokenization_utils_base import PreTrainedTokenizerBase
    def model(cls, name):
        torch.manual_seed(0)
        return cls(config_named(name)).eval()
    makers = {
        transformers.PreTrainedModel: model,
        transformers.AutoConfig: lambda cls, name: config_named(name),
        PreTrainedTokenizerBase: lambda cls, name: letters(name),
        transformers.AutoTokenizer: lambda cls, name: letters(name),
        ProcessorMixin: lambda cls, name: processor_named(name),
        transformers.AutoProcessor: lambda cls, name: processor_named(name),
    }
    for cls, make in makers.items():
        cls.from_pretrained = classmethod(_made_or_read(cls.from_pretrained.__func__, make))

def _made_or_read(own, make):
    def from_pretrained(cls, name, *args, **options):
        if Path(str(name)).exists(): return own(cls, name, *args, **options)
        return make(cls, str(name))
    return from_pretrained


# pipelines of the tests

def test_files(folder, only):
    "The files that build pipelines."
    files = sorted(Path(folder, 'tests', 'pipelines').rglob('test_*.py'))
    def is_asked(file): return any(word in str(file.relative_to(folder)) for word in only)
    asked = [file for file in files if not only or is_asked(file)]
    return [file for file in asked if 'def get_dummy_components' in file.read_text()]

def test_classes(folder, file):
    "{name of a pipeline: the class that builds it} of a file."
    name = '.'.join(file.relative_to(folder).with_suffix('').parts)
    with stubs():
        module = importlib.import_module(name)
    found = {}
    for cls in vars(module).values():
        if not (inspect.isclass(cls) and cls.__module__ == name): continue
        pipeline = getattr(cls, 'pipeline_class', None)
        if hasattr(cls, 'get_dummy_inputs') and inspect.isclass(pipeline):
            found.setdefault(pipeline.__name__, cls)
    return found

def build(cls):
    "A tiny pipeline, and the arguments of its call that are not the search's."
    from usf_nbdev.hosts.in_the_loop import LEFT_TO_SEARCH, SET_BY_SEARCH
    test = cls()
    # some call ftfy without looking whether it is there
    vars(sys.modules[cls.pipeline_class.__module__]).setdefault('ftfy', PLAIN_TEXT)
    torch.manual_seed(0)
    pipe = cls.pipeline_class(**test.get_dummy_components())
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval()
    pipe.set_progress_bar_config(disable=True)
    takes_device = 'device' in inspect.signature(test.get_dummy_inputs).parameters
    given = test.get_dummy_inputs('cpu') if takes_device else test.get_dummy_inputs()
    ours = (*LEFT_TO_SEARCH, *SET_BY_SEARCH)
    return pipe, {key: value for key,value in given.items() if key not in ours}


# is it searchable?

def opened(pipe, arguments):
    "The model, and how it was opened."
    from usf_nbdev.hosts.in_the_loop import PipelineInLoop
    from usf_nbdev.hosts.pipelines import PIPELINES, load_pipeline
    from usf_nbdev.hosts.recorded import recorded_or_in_loop
    if type(pipe).__name__ not in PIPELINES:
        model = recorded_or_in_loop(PipelineInLoop(pipe, arguments))
        return model, model.about['way']
    prompts = arguments.get('prompt')
    return load_pipeline(pipe, labels=arguments.get('class_labels'), prompts=prompts), 'table'

def two_trials(model, nfe):
    "A search of two trials by the paired distance; its best schedule."
    from usf_nbdev import search
    from usf_nbdev.judging import teacher
    from usf_nbdev.judging.evaluate import safe_grid
    from usf_nbdev.sampling import solvers
    # few runs, as this is a test: one sample of the teacher at a time, one grid of known solvers
    teacher._CHUNK = 1
    solvers.KNOWN_GRIDS, solvers.LATER_ENDS = (safe_grid(model.noise),), ()
    few = dict(
        n=1, probe_n=0, control_n=0, final_n=1, confirm_n=1, confirm_seeds=1, generation=2,
        polish=0,
    )
    steps = teacher.Teacher('DPM-Solver++(2M)', safe_grid(model.noise), max(6, nfe+2), 0.)
    metric = teacher.PairedMetric(teacher.Choice('paired', 'a test', steps, ''))
    with tempfile.TemporaryDirectory() as folder:
        found = search(
            model, metric, nfe=nfe, budget=2, journal=Path(folder)/'run.db', progress=False,
            optimiser='random', batch_size=1, finalists=1, known=('DDIM',), **few,
        )
    return found.best

def refuse_unsearchable(model):
    "What must hold of a model that can be searched."
    from usf_nbdev.judging.evaluate import many_steps
    from usf_nbdev.sampling.sample import sample, start_noise
    recorded = getattr(model, 'recorded', None)
    nfe = 10 if recorded and recorded.made < recorded.asked else 3
    states = start_noise(model, 1, seed=3)
    drawn, again = (sample(model, many_steps(model.noise, nfe), states) for _ in range(2))
    other = sample(model, many_steps(model.noise, nfe+1), states)
    if not drawn.isfinite().all(): raise ValueError("samples must be finite")
    if not torch.equal(drawn, again): raise ValueError("samples must be the same twice")
    if torch.equal(drawn, other): raise ValueError("another schedule must give other samples")
    if model.own_loop is None:
        refuse_no_gradient(model, states)
    two_trials(model, nfe)

def refuse_no_gradient(model, states):
    "A gradient must come back from the network to the state."
    states = states.clone().requires_grad_()
    answer = model.at(0, len(states))(states, (model.noise.T+model.noise.t_end)/2)
    slope, = torch.autograd.grad(answer.square().sum(), states)
    if not slope.isfinite().all(): raise ValueError("a gradient must be finite")
    if not slope.any(): raise ValueError("a gradient must come back to the state")

class TooLong(BaseException):
    "A pipeline took more seconds than it may."

def _too_long(*args): raise TooLong(f"more than {SECONDS} s of CPU")

def row_of(cls):
    "A row about a pipeline; None where it can't be built here."
    try:
        pipe, arguments = build(cls)
    except Exception as error:      # packages or files that this machine has not
        return dict(how='not built', reason=told(error))
    try:
        model, how = opened(pipe, arguments)
        refuse_unsearchable(model)
    except TooLong as error:
        return dict(how='too long', reason=told(error))
    except Exception as error:      # whatever a pipeline raises is the reason
        return dict(how='refused', reason=told(error))
    return dict(how=how, reason=model.found_out)

def told(error): return f"{type(error).__name__}: {' '.join(str(error).split())[:240]}"

def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('folder', help="holds tests/ of the repository of diffusers")
    parser.add_argument('--only', nargs='*', default=(), help="words in names of test files")
    parser.add_argument('--again', action='store_true', help="also those that have a row")
    parser.add_argument('--rows', default=None, help="folder for the rows")
    asked = parser.parse_args()
    from usf_nbdev.judging.images import import_diffusers
    diffusers = import_diffusers()
    warnings.simplefilter('ignore')
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    stand_in()
    sys.path.insert(0, asked.folder)
    signal.signal(signal.SIGVTALRM, _too_long)
    rows = Rows('pipelines', ('class', 'version'), **({'folder': asked.rows} if asked.rows else {}))
    for file in test_files(asked.folder, asked.only):
        for name, cls in test_classes(asked.folder, file).items():
            key = {'class': name, 'version': diffusers.__version__}
            if rows.find(**key) and not asked.again: continue
            signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
            row = rows.add(key | row_of(cls))
            print(f"{row['how']:12} {name}: {row['reason'][:160]}", flush=True)

if __name__ == '__main__':
    main()
