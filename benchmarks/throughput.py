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
from dataclasses import replace
from common import append

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

def child(path, model, nfe, workers, mode, seed, budget):
    "One search; prints what it took as JSON."
    import torch
    torch.set_num_threads(1)
    from threadpoolctl import threadpool_limits
    from usf_nbdev import search as s
    from usf_nbdev.judging.evaluate import TRIAL_NOISE, Control, Together
    from usf_nbdev.searching.journal import Journal
    from usf_nbdev.searching.proposers import SearchConfig
    from usf_nbdev.zoo.models import load_model
    threadpool_limits(1)
    m = load_model(model)
    seen = count_calls(m)
    trial = {}
    at = []
    if mode != 'together':
        s.Judge.most, s.Together = lambda self, t: 1, lambda *a, **kw: Together(0, 0)
    if mode.endswith('whole calls'):
        terms = s.Judge.terms
        s.Judge.terms = lambda self, t: replace(terms(self, t), head=0)
    metric = s.default_metric(m)
    config = SearchConfig(nfe=nfe, seed=seed, budget=budget)
    began = time.perf_counter()
    with Journal(path, s._meta(m, metric, config, 's3')) as j:
        c = Control(m, metric, config.control_n, config.batch_size, j)
        c.many(TRIAL_NOISE+seed)
        for n in (config.probe_n, config.n):
            c.statistics(n, TRIAL_NOISE+seed)
    control = time.perf_counter()-began
    seen.update(calls=0, samples=0)
    measure = s.Judge.measure
    # calls of polish and of the control variate are not those of trials
    def measured(self, trials):
        before = dict(seen)
        out = measure(self, trials)
        trial['kind'] = 'polish' if trials[0].origin == 'polish' else 'trials'
        for k in seen:
            trial[trial['kind'], k] = trial.get((trial['kind'], k), 0) + seen[k]-before[k]
        at.append((time.perf_counter(), trials[0].origin))
        return out
    s.Judge.measure = measured
    start = time.perf_counter()
    r = s.search(m, metric, config=config, workers=workers, journal=path, progress=False)
    total = time.perf_counter()-start+control
    proper = max(t for t,o in at if o not in list(s.Phase))-start
    n = int((~r.trials.origin.isin(list(s.Phase))).sum())
    cost = {
        f'{k}_s': round(sum(c.get(k, 0.0) for c in r.cost.values()), 2)
        for k in ('sampling', 'features', 'polishing', 'predictor', 'evolution', 'journal')
    }
    print(
        json.dumps(
            dict(
                trials=n,
                proper_s=round(proper, 1),
                all_s=round(total, 1),
                ratio=round(r.ratio, 3),
                calls=trial.get(('trials', 'calls'), 0),
                samples=trial.get(('trials', 'samples'), 0),
                polish_calls=trial.get(('polish', 'calls'), 0),
                polish_samples=trial.get(('polish', 'samples'), 0),
                **cost,
            )
        )
    )

def contents(path):
    from usf_nbdev.searching.journal import Journal
    with Journal(path) as j:
        return [{k: v for k,v in vars(t).items() if k != 'seconds'} for t in j.trials()]

def main():
    a = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    a.add_argument('--models', nargs='*', default=['digits'])
    a.add_argument('--nfe', type=int, nargs='*', default=[5])
    a.add_argument('--repeats', type=int, default=2)
    a.add_argument('--seed', type=int, default=0)
    a.add_argument('--whole', action='store_true', help='measure *one by one, whole calls* too')
    a.add_argument('--workers', type=int, nargs='*', default=[1, 2])
    a.add_argument('--budget', type=int, default=200)
    a = a.parse_args()
    for model in a.models:
        for nfe in a.nfe:
            for workers in a.workers:
                for i in range(1 if workers == 1 else a.repeats):
                    with tempfile.TemporaryDirectory() as tmp:
                        got = {}
                        modes = ['together', 'one by one'] + ['one by one, whole calls']*a.whole
                        for mode in modes[::-1] if i % 2 else modes:
                            out = subprocess.run(
                                [
                                    sys.executable,
                                    __file__,
                                    '--child',
                                    f'{tmp}/{mode}.db',
                                    model,
                                    str(nfe),
                                    str(workers),
                                    mode,
                                    str(a.seed),
                                    str(a.budget),
                                ],
                                check=True,
                                capture_output=True,
                                text=True,
                            ).stdout
                            got[mode] = json.loads(out.splitlines()[-1])
                        same = contents(f'{tmp}/one by one.db') == contents(f'{tmp}/together.db')
                    for mode,r in got.items():
                        append(
                            'throughput',
                            dict(
                                model=model,
                                nfe=nfe,
                                workers=workers,
                                repeat=i,
                                mode=mode,
                                seed=a.seed,
                                budget=a.budget,
                                **r,
                                same_journal=same if mode in modes[:2] else '',
                            ),
                        )
                    x, y = got['one by one'], got['together']
                    whole = (
                        f" ({got[modes[2]]['proper_s'] / y['proper_s']:.2f} to whole calls)"
                        if a.whole
                        else ''
                    )
                    counted = (
                        f"; calls {x['calls'] / y['calls']:.2f} and samples through the network "
                        f"{x['samples'] / y['samples']:.2f} times fewer"
                        if workers == 1
                        else ''
                    )
                    print(
                        f"{model}, {nfe} calls, {workers} workers: trials per second "
                        f"{x['proper_s'] / y['proper_s']:.2f} times{whole}, all {x['all_s']:.0f} "
                        f"-> {y['all_s']:.0f} s{counted}; same journal: {same}",
                        flush=True,
                    )

if __name__ == '__main__':
    if sys.argv[1:2] == ['--child']:
        p, m, k, w, mode, seed, b = sys.argv[2:]
        child(p, m, int(k), int(w), mode, int(seed), int(b))
    else:
        main()
