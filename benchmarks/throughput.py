"""What does it save to measure schedules together? Whole default searches, with and without.

    python benchmarks/throughput.py
        # about 8 minutes on 2 idle cores; appends rows
    python benchmarks/throughput.py --models patches --nfe 5 --repeats 1

Each run is `search` as the command starts it, in a process of its own, alternating: *one by
one*, every trial alone and nothing shared, and *together*, the default. With one worker the
calls of the network
are counted: calls, and the samples that went through them, of the trials (the search proper,
finalists, confirmation) and of all else (control variate, polish). With two workers, the seconds
of the search proper
(from its first trial to its last, proposals included) and of everything. The statistics of the
control variate, which are the same work either way, are drawn before the clock of the trials
starts, and counted in `all_s`.
The journals of both must be the same, bit for bit. A trial of 256 samples takes two calls each
time, of the 32 samples of its probe and of the rest; *one by one, whole calls* (`--whole`)
spends one call on it, as a loop that knows
nothing of probes would, and its values differ in the last digits. Rows:
benchmarks/rows/throughput.csv.
"""
import argparse, json, subprocess, sys, tempfile, time
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import product
from common import append, without_seconds

TWO_MODES = ('one by one', 'together')
WHOLE = 'one by one, whole calls'

def count_calls(model):
    "Counts calls of the network and the samples in them."
    from usf_nbdev.sampling.sample import Denoiser
    seen, network = dict(calls=0, samples=0), Denoiser.network
    def counted(self, x, *args, **kw):
        seen['calls'] += 1
        seen['samples'] += len(x)
        return network(self, x, *args, **kw)
    Denoiser.network = counted
    return seen

def set_mode(mode):
    "Take away what `SharedAnswers` does, in the judge of the search."
    from usf_nbdev.judging.evaluate import SharedAnswers
    from usf_nbdev.searching import judge
    if mode != 'together':
        judge.Judge.at_once = lambda self, trial: 1
        judge.SharedAnswers = lambda *args, **kw: SharedAnswers(0, 0)
    if mode.endswith('whole calls'):
        conditions = judge.Judge.conditions
        judge.Judge.conditions = lambda self, trial: replace(conditions(self, trial), head=0)

@dataclass(frozen=True)
class Account:
    "Which calls were those of trials, and when trials ended."
    seen:dict         # calls and samples of the network so far
    spent:Counter = field(default_factory=Counter)   # by what for: polish or trials
    ends:list = field(default_factory=list)          # (when, origin) of what was measured
    def watch(self, judge):
        "Keep the account of all that a class measures from now on."
        measure = judge.measure
        # calls of polish and of the control variate are not those of trials
        def measured(judge, trials):
            before = dict(self.seen)
            values = measure(judge, trials)
            purpose = 'polish' if trials[0].origin == 'polish' else 'trials'
            for name, count in self.seen.items():
                self.spent[purpose, name] += count-before[name]
            self.ends.append((time.perf_counter(), trials[0].origin))
            return values
        judge.measure = measured

def make_control(module, path, model, metric, config):
    "The statistics of the control variate, which are the same work in every mode; seconds."
    from usf_nbdev.judging.evaluate import TRIAL_NOISE, Control
    from usf_nbdev.searching.journal import Journal
    began = time.perf_counter()
    noise = TRIAL_NOISE+config.seed
    with Journal(path, module._meta(model, metric, config, 's3')) as journal:
        control = Control(model, metric, config.control_n, config.batch_size, journal)
        control.many(noise)
        for n in (config.probe_n, config.n):
            control.statistics(n, noise)
    return time.perf_counter()-began

KINDS_OF_COST = ('sampling', 'features', 'polishing', 'predictor', 'evolution', 'journal')

def child(path, model_name, nfe, workers, mode, seed, budget):
    "One search; prints what it took as JSON."
    import torch
    torch.set_num_threads(1)
    from threadpoolctl import threadpool_limits
    from usf_nbdev.searching import search as module
    from usf_nbdev.zoo.models import load_model
    threadpool_limits(1)
    model = load_model(model_name)
    account = Account(count_calls(model))
    set_mode(mode)
    metric = module.default_metric(model)
    config = module.SearchConfig(nfe=nfe, seed=seed, budget=budget)
    control = make_control(module, path, model, metric, config)
    account.seen.update(calls=0, samples=0)
    account.watch(module.Judge)
    start = time.perf_counter()
    result = module.search(
        model, metric, config=config, workers=workers, journal=path, progress=False
    )
    total = time.perf_counter()-start+control
    phases = list(module.Phase)
    proper = max(end for end, origin in account.ends if origin not in phases)-start
    said = dict(
        trials=int((~result.trials.origin.isin(phases)).sum()),
        proper_s=round(proper, 1),
        all_s=round(total, 1),
        ratio=round(result.ratio, 3),
        calls=account.spent['trials', 'calls'],
        samples=account.spent['trials', 'samples'],
        polish_calls=account.spent['polish', 'calls'],
        polish_samples=account.spent['polish', 'samples'],
    )
    costs = result.cost.values()
    for kind in KINDS_OF_COST:
        said[f'{kind}_s'] = round(sum(seconds.get(kind, 0.) for seconds in costs), 2)
    print(json.dumps(said))

def contents(path):
    from usf_nbdev.searching.journal import Journal
    with Journal(path) as journal:
        return without_seconds(journal)

def run_apart(path, *words):
    "One search in a process of its own: what it took."
    command = [sys.executable, __file__, '--child', path, *map(str, words)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])

@dataclass(frozen=True)
class Round:
    "What the modes took for one search, and whether two of them had the same journal."
    took:dict         # by mode
    same:bool

def one_round(model, nfe, workers, modes, args) -> Round:
    took = {}
    with tempfile.TemporaryDirectory() as folder:
        for mode in modes:
            path = f'{folder}/{mode}.db'
            took[mode] = run_apart(path, model, nfe, workers, mode, args.seed, args.budget)
        one_by_one, together = (contents(f'{folder}/{mode}.db') for mode in TWO_MODES)
    return Round(took, one_by_one == together)

def record(done, args, **about):
    "A row for each mode."
    for mode, took in done.took.items():
        same = done.same if mode in TWO_MODES else ''
        row = about | dict(mode=mode, seed=args.seed, budget=args.budget) | took
        append('throughput', row | dict(same_journal=same))

def sentence(done, model, nfe, workers):
    "How much faster it is to measure together, in words."
    alone, together = (done.took[mode] for mode in TWO_MODES)
    def times(row, name): return row[name]/together[name]
    whole = counted = ''
    if WHOLE in done.took:
        whole = f" ({times(done.took[WHOLE], 'proper_s'):.2f} to whole calls)"
    if workers == 1:
        counted = (
            f"; calls {times(alone, 'calls'):.2f} and samples through the network "
            f"{times(alone, 'samples'):.2f} times fewer"
        )
    return (
        f"{model}, {nfe} calls, {workers} workers: trials per second "
        f"{times(alone, 'proper_s'):.2f} times{whole}, all {alone['all_s']:.0f} "
        f"-> {together['all_s']:.0f} s{counted}; same journal: {done.same}"
    )

def measure(model, nfe, workers, args):
    "All repeats of one search; every other time the modes come in the opposite order."
    modes = ['together', 'one by one'] + [WHOLE]*args.whole
    for repeat in range(1 if workers == 1 else args.repeats):
        order = modes[::-1] if repeat % 2 else modes
        done = one_round(model, nfe, workers, order, args)
        record(done, args, model=model, nfe=nfe, workers=workers, repeat=repeat)
        print(sentence(done, model, nfe, workers), flush=True)

def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--models', nargs='*', default=['digits'])
    parser.add_argument('--nfe', type=int, nargs='*', default=[5])
    parser.add_argument('--repeats', type=int, default=2)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--whole', action='store_true', help='measure *one by one, whole calls* too'
    )
    parser.add_argument('--workers', type=int, nargs='*', default=[1, 2])
    parser.add_argument('--budget', type=int, default=200)
    args = parser.parse_args()
    for model, nfe, workers in product(args.models, args.nfe, args.workers):
        measure(model, nfe, workers, args)

if __name__ == '__main__':
    if sys.argv[1:2] == ['--child']:
        path, name, nfe, workers, mode, seed, budget = sys.argv[2:]
        child(path, name, int(nfe), int(workers), mode, int(seed), int(budget))
    else:
        main()
