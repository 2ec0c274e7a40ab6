"""What gradients add: the best known solver and the fronts of a search, before and after polishing, with rivals' ideas beside them.

    python benchmarks/polish.py                                     # about 3 hours on 2 cores; continues where it stopped
    python benchmarks/polish.py --models digits --nfe 5 --seeds 1   # a few minutes

Needs the rows of quality.py: the tuned known solvers and one front per search seed. For each model and number of calls: the schedule of each search seed, polished with the defaults of
`polish` (1,024 samples, at most 24 gradients), and the best known solver, polished likewise (with the first seed of the noise); both once more as a search does it, which has to be quick (16 gradients, first seed); then measured: 10,000 samples of each of three fresh noises. Besides, on 2,048 samples of the
first, what nobody optimised: the kernel distance of the *pixels* to the reals, precision and recall of the pixels, and the distance of each sample to the 60-step teacher's from the same start. Without an anchor, at 5 and 6 calls only. `memetic` is the search of that name in efficiency.py, its cost included. Rivals' ideas (`rival`), named for what they are and not the authors' results, with the first seed. Rows: benchmarks/rows/polish.csv; the schedules: benchmarks/rows/polished.jsonl.
"""
import argparse, csv, json, time
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
import numpy as np
from common import ROWS, Rows
from efficiency import race, world
from quality import N, NOISES, schedule

KEY, MADE, BARE = ('model', 'nfe', 'what', 'seed', 'noise'), ROWS/'polished.jsonl', 'searched, polished, no anchor'
BRIEF = ('searched, polished as in a search', 'known, polished as in a search')

def best_known(model, nfe):
    "The best tuned known solver of quality.csv."
    from usf_nbdev.solvers import known_solvers
    from usf_nbdev.zoo import load_model
    values = {}
    for r in csv.DictReader((ROWS/'quality.csv').open()):
        if (r['model'], r['what'], r['nfe']) == (model, 'tune', str(nfe)): values.setdefault(r['id'], []).append(float(r['value']))
    best = min(values, key=lambda i: np.mean(values[i]))
    m = load_model(model); return next(s for s in known_solvers(m.noise, nfe, ems=m.ems) if s.id == best)

def start_of(model, nfe, what, seed):
    "The schedule before gradients."
    if what.startswith('known'): return best_known(model, nfe)
    return next(schedule(json.dumps(o)) for o in json.loads((ROWS/f'{model}-front-seed{seed}.json').read_text())['front'] if o['nfe'] == nfe)

def make(task):
    "The schedule of a task, with what it cost."
    model, nfe, what, seed = task
    from usf_nbdev.optimise import SearchConfig
    from usf_nbdev.polish import polish, polishable
    from usf_nbdev.rivals import IDEAS, rival
    m, metric, control = world(model); s = None if what in IDEAS or what == 'memetic' else start_of(model, nfe, what, seed); control.many()      # made once, not counted
    if what in ('known', 'searched'): return s, dict(calls=0, seconds=0.)
    began = time.perf_counter()
    if what == 'memetic': row, p = race((model, nfe, 's3, memetic', seed)); return p, dict(calls=round(row['spent']*row['n']*nfe), seconds=round(time.perf_counter()-began, 1))
    if what in IDEAS: p = rival(what, m, nfe, progress=False)
    else: s = polishable(s); p = polish(m, s, metric, seed=seed, control=control, progress=False, **(dict(anchor=0.) if what == BARE else dict(evaluations=SearchConfig().polish_steps) if what in BRIEF else {}))
    about = (p.evidence or {}).get('polish', {}) if p is not s else {}
    return p, dict(calls=about.get('calls', 0), seconds=round(time.perf_counter()-began, 1), before=about.get('before'), after=about.get('after'))

def known_value(model, s, noise):
    "What quality.csv says of it already."
    return next((float(r['value']) for r in csv.DictReader((ROWS/'quality.csv').open()) if (r['model'], r['id'], r['n'], r['noise']) == (model, s.id, str(N), str(noise))), None)

@lru_cache(maxsize=4)
def others(model):
    "Reals, the teacher, and its samples of the first fresh noise."
    import torch
    from usf_nbdev.evaluate import CONFIRM_NOISE, best_grid, many_steps
    from usf_nbdev.polish import TEACHER_STEPS
    from usf_nbdev.sample import sample, start_noise
    from usf_nbdev.train import digits_data, patches_data
    m = world(model)[0]; x = start_noise(m, 2048, seed=CONFIRM_NOISE)
    reals = digits_data()[0] if model.startswith('digits') else patches_data()[0][torch.randperm(100_000, generator=torch.Generator().manual_seed(0))[:2048]]
    with torch.inference_mode(): return x, reals[:2048].flatten(1), torch.cat([sample(m, many_steps(m.noise, TEACHER_STEPS, best_grid(m)), b) for b in x.split(256)])

def precision_recall(y, reals, k=3):
    "Share of samples in the support of the reals, and of reals in that of the samples; a support is the union of balls to the k-th neighbour (Kynkäänniemi et al. 2019, eq. 2)."
    import torch
    covered = lambda a, b: float((torch.cdist(a, b) <= torch.cdist(b, b).kthvalue(k+1, dim=1).values).any(1).double().mean())
    return dict(precision=round(covered(y, reals), 4), recall=round(covered(reals, y), 4))

def run(task):
    "All measurements of one schedule."
    import torch
    from usf_nbdev.evaluate import CONFIRM_NOISE, evaluate
    from usf_nbdev.metrics import kernel_distance
    from usf_nbdev.sample import sample
    model, nfe, what, seed = task; m, metric, _ = world(model); s, cost = make(task); x, reals, teacher = others(model)
    with torch.inference_mode(): y = torch.cat([sample(m, s, b) for b in x.split(256)]).clamp(-1, 1)
    kid, near, support = kernel_distance(y.flatten(1), reals), float((y-teacher.clamp(-1, 1)).square().mean().sqrt()), precision_recall(y.flatten(1), reals.to(y))
    return task, s.to_json(None, weights=False), [dict(value=v if (v := known_value(model, s, z)) is not None else round(evaluate(m, s, metric, N, z), 4), n=N, id=s.id, kernel_pixels=round(kid, 6), rms_to_teacher=round(near, 5), **support, **cost) for z in range(CONFIRM_NOISE, CONFIRM_NOISE+NOISES)]

def main():
    from usf_nbdev.evaluate import CONFIRM_NOISE
    from usf_nbdev.rivals import IDEAS
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('--models', nargs='*', default=['digits', 'digits_dit', 'patches']); a.add_argument('--nfe', type=int, nargs='*', default=[5, 4, 6, 3, 8, 10]); a.add_argument('--seeds', type=int, default=3); a.add_argument('--workers', type=int, default=2); a.add_argument('--rivals', type=int, nargs='*', default=[3, 4, 5, 6, 8, 10], help='numbers of calls at which the rivals are measured'); a.add_argument('--memetic', type=int, nargs='*', default=[3, 4, 5, 6, 8, 10], help='numbers of calls at which memetic search is measured, which is a search of its own of 75 trials'); a.add_argument('--bare', type=int, nargs='*', default=[5, 6], help='numbers of calls at which the searched schedules are polished without an anchor too'); a = a.parse_args()
    rows = Rows('polish', KEY); what = ['searched, polished', 'searched', 'known, polished', 'known', BARE, *BRIEF, 'memetic', *IDEAS]
    tasks = [(m, k, w, s) for s in range(a.seeds) for k in a.nfe for m in a.models for w in what if (s == 0 or w.startswith('searched') and w not in BRIEF or w == 'memetic') and (w not in IDEAS or k in a.rivals) and (w != 'memetic' or k in a.memetic) and (w != BARE or k in a.bare)]
    tasks = [t for t in tasks if rows.find(**dict(zip(KEY, (*t, CONFIRM_NOISE)))) is None]
    with ProcessPoolExecutor(a.workers, mp_context=get_context('spawn')) as pool:
        for task,text,made in pool.map(run, tasks):
            for z,r in zip(range(CONFIRM_NOISE, CONFIRM_NOISE+NOISES), made): rows.get(lambda: r, **dict(zip(KEY, (*task, z))))
            with MADE.open('a') as f: f.write(json.dumps(dict(zip(KEY, task)) | dict(schedule=json.loads(text)))+'\n')
            print(*task, round(np.mean([r['value'] for r in made]), 3), made[0]['seconds'], flush=True)

if __name__ == '__main__': main()
