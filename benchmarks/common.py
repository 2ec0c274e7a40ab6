"""What every benchmark shares: recorded rows, settings, models, tuned known solvers, reserved
noises, intervals."""
import argparse, csv, datetime, json, os, platform
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
import numpy as np, torch

HERE = Path(__file__).parent
ROWS = HERE/'rows'
# folder below `rows` of what was measured against the known solvers with first steps and ends
PAIRED = 'paired'


def stamp() -> dict:
    "When and on what a row was measured."
    return dict(
        date=datetime.date.today().isoformat(),
        machine=f'{os.cpu_count()} cores {platform.machine()}',
        torch=torch.__version__,
    )


class Rows:
    "A CSV file of measurements; a row is known by its `key` columns."
    def __init__(self, name, key, folder=ROWS):
        self.path = Path(folder)/f'{name}.csv'
        self.key = key
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.rows = list(csv.DictReader(self.path.open())) if self.path.exists() else []
    def find(self, **key):
        asked = [str(key[column]) for column in self.key]
        return next((row for row in self.rows if [row[c] for c in self.key] == asked), None)
    def get(self, measure, **key) -> dict:
        "The row of a key: the recorded one, or `measure()` (a dict), recorded."
        row = self.find(**key)
        return row if row is not None else self.add({**key, **measure()})
    def on_noise(self, task, noise) -> dict:
        "The key of a task, whose first fields are those of the key, on one noise."
        return dict(zip(self.key, (*task, noise)))
    def missing(self, tasks, noises) -> list:
        "The tasks that are not recorded on every noise yet."
        def found(task): return [self.find(**self.on_noise(task, noise)) for noise in noises]
        return [task for task in tasks if None in found(task)]
    def add(self, row) -> dict:
        "Record a row."
        recorded = {column: str(value) for column,value in {**row, **stamp()}.items()}
        exists = self.path.exists()
        columns = next(csv.reader(self.path.open())) if exists else list(recorded)
        with self.path.open('a', newline='') as file:
            # a column that the file has not is an error, before anything is written
            writer = csv.DictWriter(file, columns, restval='', lineterminator='\n')
            if not exists:
                writer.writeheader()
            writer.writerow(recorded)
        self.rows.append(recorded)
        return recorded


def append(name, row):
    """Add a row to rows/NAME.csv, with the date and the machine; for timings, which are measured
    again each time."""
    Rows(name, ()).add(row)


# settings

@dataclass(frozen=True)
class Setting:
    "How much a benchmark measures; `--quick` is the least that shows that it works."
    models:tuple
    nfes:tuple
    seeds:tuple        # of searches and gradients
    noises:tuple       # of what is reported
    n:int              # samples on each of them
    tune_n:int         # samples with which known solvers are tuned
    control_n:int      # of the control variate
    budget:int         # trials of a search, for each number of calls
    polish_n:int       # samples of gradients
    gradients:int      # at most
    families:tuple     # of known solvers; empty: all
    workers:int
    folder:Path        # where rows go
    def rows(self, name, key): return Rows(name, key, self.folder)


def reserved_noises() -> tuple:
    "Noises for the project's own tables, which nothing else has seen."
    return tuple(json.loads((HERE/'reserved_noises.json').read_text())['noises'])


def development_noises() -> tuple:
    "Noises for everything that is not a release."
    from usf_nbdev.judging.evaluate import CHECK_NOISE
    return tuple(range(CHECK_NOISE+5000, CHECK_NOISE+5003))


def setting(
    doc, models=('digits', 'digits_dit', 'patches'), nfes=(3, 4, 5, 6, 8, 10), seeds=3, **more
) -> Setting:
    "The setting that the command line asks for."
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--models', nargs='*', default=list(models))
    parser.add_argument('--nfe', type=int, nargs='*', default=list(nfes))
    parser.add_argument('--seeds', type=int, default=seeds)
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument('--release', action='store_true', help='measure on the reserved noises')
    parser.add_argument(
        '--quick',
        action='store_true',
        help='the least that shows that it works; rows go to runs/quick',
    )
    asked = parser.parse_args()
    if asked.quick: return quick()
    full = dict(
        n=10_000, tune_n=1024, control_n=8192, budget=200, polish_n=1024, gradients=24, families=()
    )
    noises = reserved_noises() if asked.release else development_noises()
    folder = ROWS/(PAIRED + '-release'*asked.release)
    return Setting(
        models=tuple(asked.models),
        nfes=tuple(asked.nfe),
        seeds=tuple(range(asked.seeds)),
        noises=noises,
        workers=asked.workers,
        folder=folder,
        **{**full, **more},
    )


def quick() -> Setting:
    "Two numbers of calls of the model in closed form, with few samples."
    import shutil
    folder = Path('runs/quick')
    shutil.rmtree(folder, ignore_errors=True)
    return Setting(
        models=('mixture',),
        nfes=(3, 4),
        seeds=(0, 1),
        noises=development_noises()[:2],
        n=64,
        tune_n=64,
        control_n=64,
        budget=3,
        polish_n=40,
        gradients=2,
        families=('DDIM', 'UniPC-3 (vary)'),
        workers=1,
        folder=folder,
    )


# models and schedules

@dataclass(frozen=True)
class World:
    "A model with what judges it."
    model:object
    metric:object
    control:object


@lru_cache(maxsize=1)
def world_of(name, control_n) -> World:
    torch.set_num_threads(1)
    from usf_nbdev.judging.evaluate import Control
    from usf_nbdev.searching.search import default_metric
    from usf_nbdev.zoo.models import load_model
    model = load_model(name)
    metric = default_metric(model)
    return World(model, metric, Control(model, metric, control_n))


def read(text):
    "A schedule from its text or its data."
    from usf_nbdev.core import SolverSchedule
    return SolverSchedule.from_json(text if isinstance(text, str) else json.dumps(text))


def text_of(schedule) -> str: return schedule.to_json(None, weights=False)


def values_of(task) -> list:
    "[(value, value of a hundred steps)] of a schedule on each noise, without a control."
    name, control_n, text, n, noises = task
    from usf_nbdev.judging.evaluate import best_grid, evaluate, many_steps
    world = world_of(name, control_n)
    hundred = many_steps(world.model.noise, 100, best_grid(world.model))
    def value(schedule, noise):
        try:
            return evaluate(world.model, schedule, world.metric, n, noise)
        except ValueError:
            return float('inf')          # exploded
    def pair(noise):
        return value(read(text), noise), _hundred(name, n, noise, lambda: value(hundred, noise))
    return [pair(noise) for noise in noises]


_HUNDRED = {}

def _hundred(name, n, noise, measure):
    "A hundred steps of the same model from the same noise, measured once in each process."
    key = name, n, noise
    if key not in _HUNDRED:
        _HUNDRED[key] = measure()
    return _HUNDRED[key]


def tuned(name, nfe, asked:Setting, firsts=None) -> list:
    "[(known solver schedule, value)], one a family, best first; recorded once."
    rows = asked.rows('known', ('model', 'nfe', 'place'))
    found = [row for row in rows.rows if (row['model'], row['nfe']) == (name, str(nfe))]
    if not found:
        from usf_nbdev.judging.evaluate import Tuning, tuned_solvers
        world = world_of(name, asked.control_n)
        before = world.model.passes
        solvers = tuned_solvers(
            world.model,
            world.metric,
            nfe,
            Tuning(asked.tune_n, control_n=asked.control_n),
            asked.families,
        )
        spent = world.model.passes-before
        found = [
            rows.add(
                dict(
                    model=name,
                    nfe=nfe,
                    place=place,
                    name=schedule.name,
                    id=schedule.id,
                    value=round(value, 4),
                    n=asked.tune_n,
                    passes=spent,
                    schedule=text_of(schedule),
                )
            )
            for place,(schedule,value) in enumerate(solvers)
        ]
    return [(read(row['schedule']), float(row['value'])) for row in found]


def pool(asked:Setting): return ProcessPoolExecutor(asked.workers, mp_context=get_context('spawn'))


def without_seconds(journal) -> list:
    "The trials of a journal as dicts, without what depends on the clock."
    everything = [dict(vars(trial)) for trial in journal.trials()]
    for trial in everything:
        del trial['seconds']
    return everything


# intervals

def factors(rows, names) -> dict:
    "What several rows share, as `bootstrap` takes it."
    return {name: [row[name] for row in rows] for name in names}


def paired_rows(rows, what, base, key) -> list:
    "[(row of `what`, that of `base` which is like it in all other columns)] where both are there."
    def place(row, of): return tuple((row | dict(what=of))[name] for name in key)
    there = {place(row, base): row for row in rows.rows if row['what'] == base}
    pairs = [(row, there.get(place(row, base))) for row in rows.rows if row['what'] == what]
    return [(row, other) for row, other in pairs if other is not None]


def say_by_place(rows, what, base, title, key=('model', 'nfe'), column='value'):
    "The ratio of `what` to `base` at each place, paired by noise; the title takes the place."
    pairs = paired_rows(rows, what, base, (*key, 'what', 'noise'))
    def place(pair): return tuple(pair[0][name] for name in key)
    for here in dict.fromkeys(map(place, pairs)):
        some = [pair for pair in pairs if place(pair) == here]
        say_ratios(title.format(*here), some, column, ('noise', 'seed'))


def drawn(model, schedule, n, noise, batch=256):
    "n samples of a model, those of a pipeline decoded."
    from usf_nbdev.judging.evaluate import batches_of
    with torch.no_grad():
        batches = batches_of(model, schedule, n, noise, batch)
        decode = getattr(model, 'decode', None) or (lambda samples: samples)
        return torch.cat([decode(batch) for batch in batches])


def polished_pairs(rows, what, key) -> list:
    "[(row of a polished schedule, that of the same one before)] where both are recorded."
    return paired_rows(rows, f'{what}, polished', what, key)


def say_ratios(title, pairs, column, names):
    "The ratio of a column of paired rows, if there are any."
    ratios = [float(after[column])/float(before[column]) for after, before in pairs]
    if ratios:
        print(title, bootstrap(ratios, factors([after for after, _ in pairs], names)))


@dataclass(frozen=True)
class Ratio:
    "A geometric mean and its 95 % interval."
    mean:float
    low:float
    high:float
    def __str__(self): return f'{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})'


def bootstrap(ratios, factors) -> Ratio:
    """Geometric mean of ratios, and the interval of `pooled_interval`: `factors` {name: level of
    each ratio}, of which a model is drawn first, and the others in each model."""
    from usf_nbdev.judging.evaluate import pooled_interval
    models = factors.get('model', ['one']*len(ratios))
    shared = [levels for name,levels in factors.items() if name != 'model']
    return Ratio(*np.exp(pooled_interval(np.log(np.asarray(ratios, float)), models, *shared)))
