"""How many evaluations does S3 need to come where plain evolution ends?

    python benchmarks/efficiency.py --models digits patches --nfe 4 5 6 --seeds 10     # hours on 2 cores; continues where it stopped
    python benchmarks/efficiency.py --models digits --nfe 5 --seeds 3                  # a few minutes

For each model, number of calls and seed: plain evolution with 150 full trials, and S3 from the same noise with 75 (so a ratio above a half is seen as such).
Both begin with the known solvers and their relatives; everything that either evaluates is counted, in samples: 256 samples are one full trial, a probe on 32 an eighth of one.
`s3, memetic` is S3 whose best trial is moved by gradients after 20 trials, at the level of its decisions (times and relaxations), and has children; counted likewise.
`s3, then polish` is S3 with a budget of 15 and then at most 16 gradients from its best trial: a gradient on 192 samples counts for 2.25 trials (a backward pass is two calls), a look at the held-out noise for 0.75,
and at every look the schedule is measured as a trial is, which counts too, on the noise of the trials, which the gradients do not see.
A row is one run with its curve: [full trials spent, best value so far] wherever the best changed. `--variants` adds other settings of S3. Rows: benchmarks/rows/efficiency.csv.
"""
import argparse, json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from functools import lru_cache
import numpy as np
from common import Rows

BUDGETS = dict(evolution=150, s3=75, random=150)
VARIANTS = {'s3, then polish': dict(budget=15), 's3, memetic': dict(), 'evolution, small generations': dict(generation=8), 's3, no guidance': dict(candidates=0), 's3, 160 candidates': dict(candidates=160), 's3, no predictor': dict(candidates=0, kappa=None), 's3, no probes': dict(probe_n=0, candidates=300), 's3, 16 samples': dict(probe_n=16)}
KEY = ('model', 'nfe', 'optimiser', 'seed')

@lru_cache(maxsize=1)
def world(name):
    "A model, its metric and the control variate."
    import torch; torch.set_num_threads(1)
    from usf_nbdev.search import default_metric
    from usf_nbdev.evaluate import Control
    from usf_nbdev.zoo import load_model
    m = load_model(name); metric = default_metric(m)
    return m, metric, Control(m, metric)

def optimiser_of(m, what, nfe, seed):
    from usf_nbdev.optimise import OPTIMISERS, SearchConfig
    from usf_nbdev.evaluate import Clock
    kind, settings = what.split(',')[0], dict(VARIANTS.get(what, {}))
    blind = settings.pop('kappa', 0) is None                # promote by the probe alone
    o = OPTIMISERS[kind](m, SearchConfig(nfe=nfe, seed=seed, **{'budget': BUDGETS[kind], **settings}), Clock())
    if blind: o.correct.fit = lambda *a: None; o.correct.predict = lambda s, p: (np.log(np.maximum(p, 1e-6)), np.zeros(len(p)))
    return o

def run(task):
    "One search in memory, as a row."
    row, best = race(task)
    return task, row

def race(task):
    "Ask, evaluate, until the budget is used up: a row, and the best schedule."
    name, nfe, what, seed = task
    from usf_nbdev.evaluate import TRIAL_NOISE, evaluate
    from usf_nbdev.journal import Trial
    from usf_nbdev.optimise import ranked
    m, metric, control = world(name); o = optimiser_of(m, what, nfe, seed); value_of = lambda s, n: evaluate(m, s, metric, n, TRIAL_NOISE+seed, control=control, clock=o.clock); c, trials, g, curve, best = o.config, [], 0, [], float('inf')
    memetic, extra = what.endswith('memetic'), 0.
    while (used := sum(t.n for t in trials)/o.config.n + extra) < o.config.budget and (made := o.ask(g, trials)):
        for p in made:
            n = p.n or c.n
            try: value, state = value_of(p.schedule, n), 'done'
            except ValueError: value, state = None, 'fail'
            trials.append(Trial(number=len(trials), generation=g, origin=p.origin, nfe=nfe, schedule=p.schedule.to_json(indent=None, weights=False), key=p.schedule.id, state=state, value=value, n=n, info=p.info))
            if state == 'done' and n == c.n and value < best: best = value; curve.append([round(sum(t.n for t in trials)/c.n+extra, 3), round(best, 4)])
        g += 1
        if memetic and sum(t.n for t in trials) > 20*c.n: memetic = False; extra = lamarck(m, metric, control, trials, c, nfe, seed, curve, value_of, g); g += 1; best = min(best, curve[-1][1])
    if what.endswith('then polish'): used, best = gradients(m, metric, control, trials, c, nfe, seed, used, best, curve, value_of)
    seconds = {k: round(v, 1) for k,v in o.clock.seconds.items()}
    return dict(budget=c.budget, n=c.n, final=round(best, 4), spent=round(used, 3), seconds=json.dumps(seconds), curve=json.dumps(curve)), ranked(trials, nfe, c.n)[0][0]

def gradients(m, metric, control, trials, c, nfe, seed, used, best, curve, value_of):
    "Polish the best trial; the curve goes on."
    from usf_nbdev.optimise import ranked
    from usf_nbdev.polish import polish, polishable
    end, looks = used, 0
    def look(s, held_out, calls):
        nonlocal end, looks, best
        try: v = value_of(s, c.n)
        except ValueError: v = float('inf')
        looks += 1; end = used + calls/nfe/c.n + looks
        if v < best: best = v; curve.append([round(end, 3), round(best, 4)])
    polish(m, polishable(ranked(trials, nfe, c.n)[0][0]), metric, n=192, evaluations=16, every=2, seed=seed, control=control, progress=False, callback=look)
    return end, best

def lamarck(m, metric, control, trials, c, nfe, seed, curve, value_of, g):
    "The best trial after six gradients in its times and relaxations becomes a trial."
    from dataclasses import replace
    from usf_nbdev.journal import Trial
    from usf_nbdev.optimise import ranked
    from usf_nbdev.polish import polish, polishable
    calls = [0]
    def look(s, held_out, n): calls[0] = n
    s, best = ranked(trials, nfe, c.n)[0]; s = polishable(s); p = polish(m, s, metric, level='relaxations', n=384, evaluations=6, every=3, seed=seed, control=control, progress=False, callback=look)
    extra = calls[0]/nfe/c.n
    if p is not s:
        p = replace(p, name='', evidence=None); v = value_of(p, c.n)
        trials.append(Trial(number=len(trials), generation=g, origin='memetic', nfe=nfe, schedule=p.to_json(indent=None, weights=False), key=p.id, state='done', value=v, n=c.n, info={})); best = min(best, v)
    curve.append([round(sum(t.n for t in trials)/c.n+extra, 3), round(best, 4)])
    return extra

def summary(rows):
    "Share of evolution's evaluations that S3 needs to come where evolution ends."
    runs = {tuple(r[k] for k in KEY): r for r in rows.rows}; out = {}
    for (model, nfe, what, seed),r in runs.items():
        if not what.startswith('s3') or not (e := runs.get((model, nfe, 'evolution', seed))): continue
        mine, its = json.loads(r['curve']), json.loads(e['curve'])
        reached = next((u for u,v in mine if v <= float(e['final'])), float('inf'))
        out.setdefault((model, nfe, what), []).append(reached/its[-1][0])
    return out

def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('--models', nargs='*', default=['digits', 'patches']); a.add_argument('--nfe', type=int, nargs='*', default=[4, 5, 6]); a.add_argument('--seeds', type=int, default=10)
    a.add_argument('--optimisers', nargs='*', default=['evolution', 's3']); a.add_argument('--variants', nargs='*', default=[]); a.add_argument('--workers', type=int, default=2); a = a.parse_args()
    rows = Rows('efficiency', KEY); what = a.optimisers + [v for v in VARIANTS if any(v == o or o == 'all' for o in a.variants)]
    tasks = [(m, k, o, s) for m in a.models for s in range(a.seeds) for k in a.nfe for o in what]
    tasks = [t for t in tasks if rows.find(**dict(zip(KEY, t))) is None]
    with ProcessPoolExecutor(a.workers, mp_context=get_context('spawn')) as pool:
        for task,r in pool.map(run, tasks): rows.get(lambda: r, **dict(zip(KEY, task))); print(*task, r['final'], r['spent'], flush=True)
    for k,v in sorted(summary(rows).items()):
        low, high = np.quantile(v, [.25, .75], method='nearest')
        print(*k, f'share of the evaluations: median {np.median(v):.2f}, quartiles {low:.2f} to {high:.2f}, {len(v)} seeds (inf: not reached)')

if __name__ == '__main__': main()
