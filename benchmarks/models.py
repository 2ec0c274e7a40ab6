"""How good are the embedded models, is 100 steps converged, and what does a call cost?

    python benchmarks/models.py
        # about 40 minutes on a core of its own; continues where it stopped

For each trained model of the zoo, into benchmarks/rows/models.csv: the Fréchet distance of
10,000 samples with 100 steps of its card's sampler, from two noises (the first
is the card's own number); of 512 samples from one noise with 50, 100 and 200 steps, on three
grids; of 10,000 real pictures drawn with replacement, mean over 20 draws;
and the microseconds a sample of one call at batch 256 on one thread, the models taking turns.
The notebook `06_zoo` shows these rows.
"""
import sys, time
from functools import partial
from itertools import product
import numpy as np, torch
from tqdm.auto import tqdm
from common import Rows
from usf_nbdev.judging.frechet import fid
from usf_nbdev.sampling.sample import sample, start_noise
from usf_nbdev.sampling.solvers import ddim
from usf_nbdev.zoo.train import RECIPES, real_draws, _batches
from usf_nbdev.zoo.models import load_model

N, GRIDS = 10_000, ('uniform_t', 'quadratic', 'uniform_lambda')

def distance(m, s, n, noise):
    return dict(
        value=round(
            fid(
                (
                    sample(m, s, start_noise(m, min(512, n-i), seed=noise, first=i))
                    for i in range(0, n, 512)
                ),
                m.reference,
                m.features,
            ),
            4,
        )
    )

def call_us(models, B=256, repeats=40):
    "The fastest of many calls, the models taking turns."
    best = {k: np.inf for k in models}
    for _ in range(repeats):
        for k,m in models.items():
            x = start_noise(m, B)
            a = time.perf_counter()
            m(x, .5)
            best[k] = min(best[k], (time.perf_counter()-a)/B*1e6)
    return best

def main(names=()):
    torch.set_num_threads(1)
    names = names or list(RECIPES)
    rows = Rows('models', ('model', 'what', 'solver', 'steps', 'n', 'noise'))
    models = {k: load_model(k) for k in RECIPES}
    us = None
    for k in names:
        m, r = models[k], RECIPES[k]
        def call():
            nonlocal us
            us = us or call_us(models)
            return dict(value=round(us[k], 1))
        rows.get(call, model=k, what='call', solver='', steps=0, n=256, noise=0)
        rows.get(
            lambda: dict(
                value=round(
                    real_draws(torch.cat([m.features(x) for x in _batches(r.data()[0])]), N)[0], 4
                )
            ),
            model=k,
            what='reals',
            solver='',
            steps=0,
            n=N,
            noise=0,
        )
        for f in {
            r.sampler(m.noise, 100).name: r.sampler,
            **{ddim(m.noise, 100, grid=g).name: partial(ddim, grid=g) for g in GRIDS},
        }.values():
            for steps in tqdm((50, 100, 200), desc=f'{k} {f(m.noise, 50).name}', disable=None):
                s = f(m.noise, steps)
                rows.get(
                    lambda: distance(m, s, 512, 1),
                    model=k,
                    what='convergence',
                    solver=s.name,
                    steps=steps,
                    n=512,
                    noise=1,
                )
    for noise,k in product((1, 2), names):
        m, s = models[k], RECIPES[k].sampler(models[k].noise, 100)
        card = dict(value=m.card['fd_100_steps'])
        rows.get(
            lambda: card if noise == 1 else distance(m, s, N, noise),
            model=k,
            what='quality',
            solver=s.name,
            steps=100,
            n=N,
            noise=noise,
        )

if __name__ == '__main__':
    main(sys.argv[1:])
