"""Six optimisers in a small world, where the value of a schedule is its error on toy problems.

    python benchmarks/optimisers.py
        # about 4 minutes on one core; continues where it stopped
    python benchmarks/optimisers.py --optimisers random s3 --seeds 0

Each optimiser has 200 trials for 5 calls, 24 at a time, with five seeds. S3 has no probes, and its
predictor does without the toy problems among its features, which are the answer here. A row holds
the values of a run's full trials in their order. Rows: benchmarks/rows/optimisers.csv; the
notebook `searching/05_optuna_proposers` draws them and plays one seed of each again.
"""
import argparse
from dataclasses import replace
from functools import cache
import numpy as np, torch
from tqdm.auto import tqdm
from common import Rows
from usf_nbdev.sampling.weights import compile_plan
from usf_nbdev.searching.journal import Trial
from usf_nbdev.searching.optuna_proposers import CMAESSearch, NSGA2Search, TPESearch
from usf_nbdev.searching.predictor import FIDPredictor, run_toys
from usf_nbdev.searching.proposers import S3, STAGES, Evolution, RandomSearch, SearchConfig
from usf_nbdev.zoo.models import load_model

N = 256           # samples of a full trial, had it any
SMALL = dict(
    budget=200,
    generation=24,
    known=(
        'DDIM',
        'DPM-Solver(2M)',
        'DPM-Solver(3M)',
        'DPM-Solver++(2M)',
        'DPM-Solver++(3M)',
        'UniPC-2',
        'UniPC-3',
        'UniPC-2 noise',
        'UniPC-3 noise',
        'DEIS-3',
    ),
    stages=tuple(replace(stage, predictions=('noise', 'data')) for stage in STAGES),
)
WITHOUT_PROBES = dict(probe_n=0, candidates=300)     # of S3


class BlindS3(S3):
    "S3 whose predictor sees decisions and compiled weights alone."
    def __init__(self, *args):
        super().__init__(*args)
        self.guess = FIDPredictor(
            self.model.noise, members=3, seed=self.config.seed, parts=('decisions', 'weights')
        )


OPTIMISERS = dict(
    random=RandomSearch,
    tpe=TPESearch,
    cmaes=CMAESSearch,
    nsga2=NSGA2Search,
    evolution=Evolution,
    s3=BlindS3,
)


@cache
def toy_value(schedule, noise):
    "The error of a schedule on the toy problems."
    errors = run_toys([compile_plan(schedule, noise, mean=0.)], noise)
    return float(np.sqrt((errors**2).mean()))

def trial(proposal, number, generation, model):
    "What became of a proposal."
    schedule = proposal.schedule
    return Trial(
        number=number,
        generation=generation,
        origin=proposal.origin,
        nfe=schedule.nfe,
        schedule=schedule.to_json(None, weights=False),
        key=schedule.id,
        state='done',
        value=toy_value(schedule, model.noise),
        n=proposal.n or N,
        info=proposal.info,
    )

def play(name, seed, model):
    "All trials of one optimiser."
    own = WITHOUT_PROBES if name == 's3' else {}
    optimiser = OPTIMISERS[name](model, SearchConfig(seed=seed, **SMALL, **own))
    trials, generation = [], 0
    while made := optimiser.ask(generation, trials):
        first = len(trials)
        trials += [trial(p, first+i, generation, model) for i,p in enumerate(made)]
        generation += 1
    return trials

def measure(name, seed, model):
    "The values of a run's full trials, as text."
    values = [past.value for past in play(name, seed, model) if past.n == N]
    return dict(trials=len(values), values=' '.join(f'{value:.5g}' for value in values))

def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = list(OPTIMISERS)
    parser.add_argument('--optimisers', nargs='*', default=names, choices=names)
    parser.add_argument('--seeds', type=int, nargs='*', default=range(5))
    asked = parser.parse_args()
    model, rows = load_model('digits'), Rows('optimisers', ('optimiser', 'seed'))
    for name in tqdm(asked.optimisers, disable=None):
        for seed in asked.seeds:
            rows.get(lambda: measure(name, seed, model), optimiser=name, seed=seed)

if __name__ == '__main__':
    torch.set_num_threads(1)
    main()
