"""How good is what a search finds? Fresh noise, 10,000 samples, three noises, three search seeds, several models.

    python benchmarks/quality.py                             # hours on 2 cores; continues where it stopped
    python benchmarks/quality.py --models digits --seeds 1   # about 15 minutes

For each model: (1) every known solver on every grid (DPM-Solver-v3 too where the model has its statistics) at 3, 4, 5, 6, 8 and 10 calls, tuned on 1,024 samples with the control variate; (2) the best two families of each number of calls on
10,000 samples of 3 fresh noises; (3) one search over all six numbers of calls for each seed; (4) its front on the same fresh noise; what gradients make of it: polish.py. Rows: benchmarks/rows/quality.csv,
the schedules and the cost: benchmarks/rows/MODEL-front-seedS.json, the trials of seed 0: benchmarks/rows/MODEL-trials.csv.
"""
import argparse, json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
import numpy as np
from common import ROWS, Rows
from efficiency import world

NFES, N, NOISES, TUNE_N, TUNE_NOISE, BUDGET = (3, 4, 5, 6, 8, 10), 10_000, 3, 1024, 40_000, 80
KEY = ('model', 'what', 'id', 'n', 'noise')

def schedule(text):
    from usf_nbdev.core import SolverSchedule
    return SolverSchedule.from_json(text)

def measure(task):
    "Value of one schedule; with the control variate where it only tunes."
    name, what, text, n, noise = task
    from usf_nbdev.evaluate import evaluate
    m, metric, control = world(name); s = schedule(text)
    try: v = round(evaluate(m, s, metric, n, noise, control=control if what == 'tune' else None), 4)
    except ValueError: v = float('inf')                                   # exploded
    return dict(name=s.name, nfe=s.nfe, value=v)

def one_search(task):
    "The front of one search over all numbers of calls, as plain data; the trials of the first seed are recorded."
    name, seed = task
    from usf_nbdev.search import search
    m, metric, _ = world(name)
    r = search(m, metric, nfe=NFES, budget=BUDGET, seed=seed, journal=f'runs/quality-{name}-{seed}.db', finalists=5, final_n=1024, polish=0, families=1, confirm_n=256, confirm_seeds=1, progress=False)
    if seed == 0: record(r.trials, [t for g,t in r.taus], [g for g,t in r.taus], ROWS/f'{name}-trials.csv')
    cost = {k: round(sum(c.get(k, 0.) for c in r.cost.values()), 1) for k in ('sampling', 'features', 'predictor', 'evolution', 'journal')}
    return dict(seed=seed, cost=cost, trials=int((r.trials.n == 256).sum()), probes=int((r.trials.n == 32).sum()), front=[json.loads(_winner(r, k).to_json(weights=False)) for k in NFES])

def record(t, taus, generations, path):
    "The trials of a search, without their schedules."
    t = t.reset_index(); t['predicted'], t['tau'] = [i.get('predicted') for i in t['info']], t.generation.map(dict(zip(generations, taus)))
    t[['number', 'generation', 'stage', 'origin', 'nfe', 'n', 'state', 'value', 'predicted', 'tau']].round(4).to_csv(path, index=False)

def _winner(r, nfe):
    "The best finalist with exactly so many calls (the confirmation here is a formality: it is done below)."
    from usf_nbdev.optimise import read_schedule
    t = r.trials[(r.trials.origin == 'finalist') & (r.trials.nfe == nfe) & (r.trials.state == 'done')].sort_values('value')
    return read_schedule(t.schedule.iloc[0])

def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('--models', nargs='*', default=['digits', 'digits_dit', 'patches']); a.add_argument('--seeds', type=int, nargs='*', default=[0, 1, 2]); a.add_argument('--workers', type=int, default=2); a = a.parse_args()
    from usf_nbdev.evaluate import CONFIRM_NOISE
    from usf_nbdev.solvers import known_solvers
    from usf_nbdev.zoo import load_model
    rows = Rows('quality', KEY); fresh = range(CONFIRM_NOISE, CONFIRM_NOISE+NOISES)
    with ProcessPoolExecutor(a.workers, mp_context=get_context('spawn')) as pool:
        def get(tasks):
            "Values of (model, what, schedule, n, noise), measured where there is no row."
            keys = [dict(zip(KEY, (m, w, s.id, n, z))) for m,w,s,n,z in tasks]; todo = [i for i,k in enumerate(keys) if rows.find(**k) is None]
            for i,r in zip(todo, pool.map(measure, [(m, w, s.to_json(None, weights=False), n, z) for m,w,s,n,z in (tasks[i] for i in todo)])): rows.get(lambda: r, **keys[i])
            return [float(rows.find(**k)['value']) for k in keys]
        for name in a.models:
            m = load_model(name)
            todo = [s for s in a.seeds if not (ROWS/f'{name}-front-seed{s}.json').exists()]
            for f in pool.map(one_search, [(name, s) for s in todo]): (ROWS/f"{name}-front-seed{f['seed']}.json").write_text(json.dumps(f, indent=1)+'\n'); print(name, 'seed', f['seed'], f['cost'], flush=True)
            known = [s for k in NFES for s in known_solvers(m.noise, k, ems=m.ems)]
            tuned = dict(zip(known, get([(name, 'tune', s, TUNE_N, TUNE_NOISE) for s in known])))
            best = []
            for k in NFES:
                family = {}
                for s in sorted((s for s in known if s.nfe == k), key=tuned.get): family.setdefault(s.name.split(' · ')[0], s)
                best += list(family.values())[:2]
            found = {s: [schedule(json.dumps(o)) for o in json.loads((ROWS/f'{name}-front-seed{s}.json').read_text())['front']] for s in a.seeds}
            tasks = [(name, 'known', s, N, z) for s in best for z in fresh] + [(name, f'seed {k}', s, N, z) for k,f in found.items() for s in f for z in fresh]
            for (_,w,s,_,z),v in zip(tasks, get(tasks)): print(name, w, s.nfe, s.name, z, v, flush=True)
    table(rows, a.models)

def table(rows, models):
    "Ratio of the searched front to the best known solver at the same and at twice the calls."
    for m in models:
        mean = {}
        for r in rows.rows:
            if r['model'] == m and r['what'] != 'tune': mean.setdefault((r['what'], int(r['nfe']), r['id']), []).append(float(r['value']))
        known = {k: min(np.mean(v) for (w,n,_),v in mean.items() if w == 'known' and n == k) for k in NFES}
        for k in NFES:
            mine = [np.mean(v) for (w,n,_),v in mean.items() if w != 'known' and n == k]
            print(f'{m:10s} {k:2d} calls: known {known[k]:8.2f}, searched', ' '.join(f'{v:7.2f}' for v in mine), ' ratio', ' '.join(f'{v/known[k]:.2f}' for v in mine), f', to {2*k} calls {np.median(mine)/known[2*k]:.2f}' if 2*k in known else '')

if __name__ == '__main__': main()
