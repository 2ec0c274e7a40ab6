"""How good are the embedded models, is 100 steps converged, and what does a call cost?

    python benchmarks/models.py
        # about 40 minutes on a core of its own; continues where it stopped

For each trained model of the zoo, into benchmarks/rows/models.csv: the Fréchet distance of
10,000 samples with 100 steps of its card's sampler, from two noises (the first
is the card's own number); that of `many_steps` from every noise with which a page compares it;
of 512 samples from one noise with 50, 100 and 200 steps, on three
grids; of 10,000 real pictures drawn with replacement, mean over 20 draws;
and the microseconds a sample of one call at batch 256 on one thread, the models taking turns.
The notebook `06_zoo` shows these rows.
"""
import sys, time
from functools import lru_cache, partial
from itertools import product
import numpy as np, torch
from tqdm.auto import tqdm
from common import Rows, development_noises
from usf_nbdev.judging.evaluate import best_grid, evaluate, many_steps
from usf_nbdev.judging.frechet import fid
from usf_nbdev.sampling.sample import sample, start_noise
from usf_nbdev.sampling.solvers import ddim
from usf_nbdev.searching.search import default_metric
from usf_nbdev.zoo.train import RECIPES, real_draws, _batches
from usf_nbdev.zoo.models import load_model

N, GRIDS = 10_000, ('uniform_t', 'quadratic', 'uniform_lambda')
POLISH_NOISES = tuple(range(30_000, 30_003))    # those of polish.csv
FRONT = ('digits', 'patches')                   # the models of the front page

def distance(model, schedule, n, noise):
    "Fréchet distance of samples from one noise."
    def starts():
        for first in range(0, n, 512):
            yield start_noise(model, min(512, n-first), seed=noise, first=first)
    samples = (sample(model, schedule, start) for start in starts())
    return dict(value=round(fid(samples, model.reference, model.features), 4))

@lru_cache
def call_us(batch=256, repeats=40):
    "Microseconds of a call: the fastest of many, the models taking turns."
    best = {name: np.inf for name in RECIPES}
    for _ in range(repeats):
        for name in RECIPES:
            model = load(name)
            states = start_noise(model, batch)
            start = time.perf_counter()
            model(states, .5)
            best[name] = min(best[name], (time.perf_counter()-start)/batch*1e6)
    return best

@lru_cache(maxsize=None)
def load(name): return load_model(name)

def cost(rows, name):
    "What a call takes."
    key = dict(model=name, what='call', solver='', steps=0, n=256, noise=0)
    rows.get(lambda: dict(value=round(call_us()[name], 1)), **key)

def reals(rows, name):
    "Real pictures against all of them."
    def measure():
        pictures = RECIPES[name].data()[0]
        features = torch.cat([load(name).features(batch) for batch in _batches(pictures)])
        return dict(value=round(real_draws(features, N)[0], 4))
    rows.get(measure, model=name, what='reals', solver='', steps=0, n=N, noise=0)

def convergence(rows, name):
    "The card's sampler and DDIM on several grids, each once, with more and more steps."
    model, sampler = load(name), RECIPES[name].sampler
    solvers = [sampler, *(partial(ddim, grid=grid) for grid in GRIDS)]
    by_name = {make(model.noise, 100).name: make for make in solvers}
    for make in by_name.values():
        title = f'{name} {make(model.noise, 50).name}'
        for steps in tqdm((50, 100, 200), desc=title, disable=None):
            schedule = make(model.noise, steps)
            about = dict(what='convergence', solver=schedule.name, steps=steps, n=512, noise=1)
            rows.get(lambda: distance(model, schedule, 512, 1), model=name, **about)

def quality(rows, name, noise):
    "The card's sampler on many samples; the first noise is that of the card."
    model = load(name)
    schedule = RECIPES[name].sampler(model.noise, 100)
    def measure():
        if noise == 1: return dict(value=model.card['fd_100_steps'])
        return distance(model, schedule, N, noise)
    about = dict(what='quality', solver=schedule.name, steps=100, n=N, noise=noise)
    rows.get(measure, model=name, **about)

def paired(rows, name):
    "A hundred steps from the noises of the rows that are compared with them."
    model, schedule = load(name), many_steps(load(name).noise, 100, best_grid(load(name)))
    metric, front = default_metric(model), development_noises() if name in FRONT else ()
    def measure(): return dict(value=round(evaluate(model, schedule, metric, N, noise), 4))
    for noise in (*front, *POLISH_NOISES):
        about = dict(what='paired', solver=schedule.name, steps=100, n=N, noise=noise)
        rows.get(measure, model=name, **about)

def main(names=()):
    torch.set_num_threads(1)
    names = names or list(RECIPES)
    rows = Rows('models', ('model', 'what', 'solver', 'steps', 'n', 'noise'))
    for name in names:
        cost(rows, name)
        reals(rows, name)
        convergence(rows, name)
    for noise, name in product((1, 2), names):
        quality(rows, name, noise)
    for name in names:
        paired(rows, name)

if __name__ == '__main__':
    main(sys.argv[1:])
