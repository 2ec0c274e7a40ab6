"""Does the search beat the known solvers? The whole claim, from fresh noise.

    python benchmarks/main_claim.py          # about 40 minutes on 2 cores; continues where it stopped

For `digits`: (1) every known solver on every grid at 5 and at 10 calls, tuned on 2,048 samples; (2) the best three families at 5 and two at 10 on 10,000 samples and
3 fresh noises; (3) three searches of `usf_search --model digits --nfe 5` with seeds 0, 1, 2; (4) their winners on the same 10,000 samples.
Rows go to benchmarks/rows/main_claim.csv, the winners to benchmarks/rows/digits-nfe5-seedN.json, their trials beside them.
"""
import argparse
import numpy as np
from common import ROWS, Rows
from usf_nbdev.core import SolverSchedule
from usf_nbdev.search import CONFIRM_NOISE, default_metric, evaluate, search
from usf_nbdev.solvers import known_solvers
from usf_nbdev.zoo import load_model

TUNE_NOISE, TUNE_N, N, NOISES = 40_000, 2048, 10_000, 3

def measure(m, metric, rows, what, s, n, noise):
    def run():
        try: return dict(value=round(evaluate(m, s, metric, n, noise), 4))
        except ValueError: return dict(value=float('inf'))           # exploded
    return float(rows.get(run, what=what, name=s.name, id=s.id, nfe=s.nfe, n=n, noise=noise)['value'])

def best_known(m, metric, rows, nfe, top):
    "The best grid of each family, tuned; then the best families."
    tuned = sorted(((measure(m, metric, rows, 'tune', s, TUNE_N, TUNE_NOISE), s) for s in known_solvers(m.noise, nfe)), key=lambda o: o[0]); out = {}
    for v,s in tuned: out.setdefault(s.name.split(' · ')[0], s)
    return list(out.values())[:top]

def confirm(m, metric, rows, what, s): return [measure(m, metric, rows, what, s, N, CONFIRM_NOISE+i) for i in range(NOISES)]

def one_search(m, metric, seed) -> SolverSchedule:
    "The recorded winner of a search, or a search."
    p = ROWS/f'digits-nfe5-seed{seed}.json'
    if not p.exists():
        r = search(m, metric, nfe=5, seed=seed, journal=f'runs/main_claim-seed{seed}.db'); t = r.trials.reset_index()
        t['predicted'], t['tau'] = [i.get('predicted') for i in t['info']], t.generation.map(dict(r.taus))
        t.drop(columns=['schedule', 'info']).round(4).to_csv(ROWS/f'digits-nfe5-seed{seed}-trials.csv', index=False); r.best.save(p)
    return SolverSchedule.load(p)

def main():
    a = argparse.ArgumentParser(); a.add_argument('--seeds', type=int, nargs='*', default=[0, 1, 2]); a.add_argument('--known-only', action='store_true'); a.add_argument('--searches-only', action='store_true'); a = a.parse_args()
    m = load_model('digits'); metric = default_metric(m); rows = Rows('main_claim', ('what', 'name', 'id', 'nfe', 'n', 'noise'))
    if not a.searches_only: known = {k: {s.name: confirm(m, metric, rows, 'known', s) for s in best_known(m, metric, rows, k, top)} for k,top in ((5, 3), (10, 2))}
    searched = {seed: one_search(m, metric, seed) for seed in ([] if a.known_only else a.seeds)}
    if a.searches_only: return
    for k,v in known.items():
        for name,x in sorted(v.items(), key=lambda o: np.mean(o[1])): print(f'{k:2d} calls  {np.mean(x):7.3f} ± {np.std(x, ddof=1):.3f}  {name}', flush=True)
    best = {k: min(np.mean(x) for x in v.values()) for k,v in known.items()}
    for seed,s in searched.items():
        x = confirm(m, metric, rows, f'search seed {seed}', s)
        print(f' {s.nfe} calls  {np.mean(x):7.3f} ± {np.std(x, ddof=1):.3f}  searched, seed {seed}: {np.mean(x)/best[5]:.3f} of the best known at 5, {np.mean(x)/best[10]:.3f} of the best known at 10', flush=True)

if __name__ == '__main__': main()
