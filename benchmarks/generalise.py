"""Labels for the question whether a FID predictor serves models and numbers of calls that it has
not seen.

    python benchmarks/generalise.py
        # about 6 minutes on one core; continues where it stopped
    python benchmarks/generalise.py --models patches --nfe 4 --count 20

For each embedded model with pictures and for 4, 5, 6 and 8 calls: 80 schedules drawn uniformly
from the widest space (without model statistics), no two models with the same draws. Each is
evaluated as a trial of a search is, on 256 samples of the same noise with the control variate,
and probed with 32 of them. Rows: benchmarks/rows/generalise.csv; the notebook
`analyses/04_predictor` trains on them.
"""
import argparse
from dataclasses import replace
import numpy as np, torch
from tqdm.auto import tqdm
from common import Rows, text_of
from efficiency import world
from usf_nbdev.judging.evaluate import TRIAL_NOISE, evaluate
from usf_nbdev.searching.proposers import STAGES
from usf_nbdev.searching.space import random_schedule

MODELS = ('digits', 'digits_dit', 'patches')
NFES = (4, 5, 6, 8)
COUNT = 80
N = 256
PROBE = 32
WIDEST = replace(STAGES[-1], predictions=('noise', 'data'))

def draws(name, nfe, count):
    "Schedules of a model and a number of calls: always the same ones."
    model, generator = world(name)[0], np.random.default_rng([MODELS.index(name), nfe])
    return [random_schedule(WIDEST.space(model, nfe), generator) for _ in range(count)]

def measure(name, schedule):
    "Value and probe of a schedule; infinite where its samples explode."
    model, metric, control = world(name)
    values = {}
    for what,n in (('value', N), ('probe', PROBE)):
        try:
            value = evaluate(model, schedule, metric, n, TRIAL_NOISE, control=control)
            values[what] = round(value, 4)
        except ValueError:
            values[what] = float('inf')
    return dict(**values, probe_n=PROBE, nfe=schedule.nfe, schedule=text_of(schedule))

def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--models', nargs='*', default=MODELS, choices=MODELS)
    parser.add_argument('--nfe', type=int, nargs='*', default=NFES)
    parser.add_argument('--count', type=int, default=COUNT)
    asked = parser.parse_args()
    rows = Rows('generalise', ('id', 'n', 'noise', 'model'))
    for name in asked.models:
        todo = [schedule for nfe in asked.nfe for schedule in draws(name, nfe, asked.count)]
        for schedule in tqdm(todo, desc=name, disable=None):
            key = dict(id=schedule.id, n=N, noise=TRIAL_NOISE, model=name)
            rows.get(lambda: measure(name, schedule), **key)

if __name__ == '__main__':
    torch.set_num_threads(1)
    main()
