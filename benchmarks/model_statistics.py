"""The statistics of DPM-Solver-v3 that are shipped with the embedded models.

    python benchmarks/model_statistics.py digits_dit patches     # minutes on one core
    python benchmarks/model_statistics.py patches --check   # as long: are they accurate enough?

Estimated by `estimate_ems` from the data that a model was trained with: 1,024 states for each of
81 values of lambda, seed 0. Written to usf_nbdev/models/NAME_ems.safetensors in single precision.
`--check` estimates them again from another seed, and compares the distance of 1,024 samples of
DPM-Solver-v3 with those of the shipped ones, with the others in double and in single precision,
with the shipped ones in half precision, and with every second value of them. Rows:
benchmarks/rows/statistics.csv.
"""
import argparse, tempfile
from itertools import product
from pathlib import Path
import numpy as np, torch
from common import Rows
from usf_nbdev.judging.evaluate import TUNE_NOISE, evaluate
from usf_nbdev.sampling.ems import EMS, estimate_ems
from usf_nbdev.sampling.solvers import KnownSolver
from usf_nbdev.searching.search import default_metric
from usf_nbdev.zoo.train import digits_data, patches_data
from usf_nbdev.zoo.models import FOLDER, load_model

STATES, INTERVALS, SEED, OTHER_SEED = 1024, 80, 0, 1
DATA = dict(digits=digits_data, digits_dit=digits_data, patches=patches_data)
CALLS, GRIDS = (3, 4, 5, 6, 8), ('quadratic', 'uniform_t', 'uniform_lambda', 'karras', 'beta')


def in_single_precision(ems) -> EMS:
    "What comes back from a file."
    with tempfile.TemporaryDirectory() as folder:
        return EMS.load(ems.save(Path(folder)/'ems.safetensors', 'float32'))


def variants(name, model, pictures) -> dict:
    "The shipped statistics, and what they could have been."
    shipped = EMS.load(FOLDER/f'{name}_ems.safetensors')
    other = estimate_ems(model, pictures, STATES, INTERVALS, OTHER_SEED, progress=False)
    tables = shipped.l, shipped.s, shipped.b
    ends = shipped.lamb[[0,-1]]
    return {
        'shipped': shipped.refine(5),
        'other seed, double precision': other.refine(5),
        'other seed, single precision': in_single_precision(other).refine(5),
        'half precision': EMS(ends, *(np.float16(table) for table in tables)).refine(5),
        'every second value': EMS(ends, *(table[::2] for table in tables)).refine(10),
    }


def check(name, model, pictures):
    "The distance of DPM-Solver-v3 by each of them."
    rows = Rows('statistics', ('model', 'statistics', 'nfe', 'grid'))
    metric = default_metric(model)
    for kind,ems in variants(name, model, pictures).items():
        model.ems = ems
        for nfe,grid in product(CALLS, GRIDS):
            schedule = KnownSolver('DPM-Solver-v3-3', grid).build(model.noise, nfe, ems=ems)
            def measure():
                value = evaluate(model, schedule, metric, 1024, TUNE_NOISE)
                return dict(n=1024, noise=TUNE_NOISE, value=round(value, 4))
            row = rows.get(measure, model=name, statistics=kind, nfe=nfe, grid=grid)
            print(name, kind, nfe, grid, row['value'], flush=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('models', nargs='+', choices=sorted(DATA))
    parser.add_argument('--check', action='store_true', help='compare the shipped ones')
    parser.add_argument(
        '--quick', action='store_true', help='few states, and no file: does it run?'
    )
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name in asked.models:
        model, pictures = load_model(name), DATA[name]()[0][:]
        if asked.check:
            check(name, model, pictures)
            continue
        states, intervals = (32, 4) if asked.quick else (STATES, INTERVALS)
        ems = estimate_ems(model, pictures, states, intervals, SEED, progress=False)
        if asked.quick:
            print(name, ems.l.shape, 'not written')
        else:
            print(ems.save(FOLDER/f'{name}_ems.safetensors', 'float32'))


if __name__ == '__main__':
    main()
