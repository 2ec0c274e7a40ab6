"""How good are the embedded models, is 100 steps converged, and what does a call cost?

    python benchmarks/models.py              # about 40 minutes on a core of its own; continues where it stopped

For each model of the zoo, into benchmarks/rows/models.csv: the Fréchet distance of 10,000 samples with the many-step sampler of its card, from three noises;
of 512 samples from one noise on three grids with 50, 100 and 200 steps; of 10,000 real pictures drawn with replacement, 20 times; and the microseconds a sample of
one call at batch 256 on one thread, as a ratio to `digits` measured in the same minute. The notebooks `06_zoo` and `06a_train` show these rows.
"""
import sys, time
import numpy as np, torch
from tqdm.auto import tqdm
from common import Rows
from usf_nbdev.metrics import fid
from usf_nbdev.sample import sample, start_noise
from usf_nbdev.solvers import ddim
from usf_nbdev.train import RECIPES, real_draws, _batches
from usf_nbdev.zoo import load_model, model_names

GRIDS = ('uniform_t', 'quadratic', 'uniform_lambda')

def distance(m, grid, steps, n, noise):
    s = ddim(m.noise, steps, grid=grid)
    return dict(value=round(fid((sample(m, s, start_noise(m, min(512, n-i), seed=noise, first=i)) for i in range(0, n, 512)), m.reference, m.features), 4))

def call_us(models, B=256, repeats=20):
    "The fastest of many calls, the models taking turns."
    best = {k: np.inf for k in models}
    for _ in range(repeats):
        for k,m in models.items():
            x = start_noise(m, B); a = time.perf_counter(); sample(m, ddim(m.noise, 2), x); best[k] = min(best[k], (time.perf_counter()-a)/2/B*1e6)
    return best

def main(names=(), n=10_000):
    torch.set_num_threads(1); names = names or [k for k in model_names() if k in RECIPES]
    rows, models = Rows('models', ('model', 'what', 'grid', 'steps', 'n', 'noise')), {k: load_model(k) for k in dict.fromkeys(['digits', *names])}
    for k in names:
        m, r = models[k], RECIPES[k]
        for grid in GRIDS:
            for steps in tqdm((50, 100, 200), desc=f'{k} {grid}'): rows.get(lambda: distance(m, grid, steps, 512, 1), model=k, what='convergence', grid=grid, steps=steps, n=512, noise=1)
        def reals():
            v = real_draws(torch.cat([m.features(x) for x in _batches(r.data()[0])]), n); return dict(value=round(v[0], 4), spread=round(v[1], 4))
        rows.get(lambda: dict(value=reals()['value']), model=k, what='reals', grid='', steps=0, n=n, noise=0)
        for noise in (1, 2, 3): rows.get(lambda: distance(m, r.grid, 100, n, noise), model=k, what='quality', grid=r.grid, steps=100, n=n, noise=noise)
    for k,v in call_us(models).items(): print(f'{k}: {v:.0f} us a sample and call')

if __name__ == '__main__': main(sys.argv[1:])
