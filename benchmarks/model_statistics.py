"""The statistics of DPM-Solver-v3 that are shipped with the embedded models.

    python benchmarks/model_statistics.py digits_dit patches     # minutes on one core

Estimated by `estimate_ems` from the data that a model was trained with: 1,024 states for each of
81 values of
lambda, seed 0. Written to usf_nbdev/models/NAME_ems.safetensors in single precision.
"""
import argparse
import torch
from usf_nbdev.sampling.ems import estimate_ems
from usf_nbdev.zoo.train import digits_data, patches_data
from usf_nbdev.zoo.models import FOLDER, load_model

STATES, INTERVALS, SEED = 1024, 80, 0
DATA = dict(digits=digits_data, digits_dit=digits_data, patches=patches_data)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('models', nargs='+', choices=sorted(DATA))
    parser.add_argument(
        '--quick', action='store_true', help='few states, and no file: does it run?'
    )
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name in asked.models:
        model, pictures = load_model(name), DATA[name]()[0][:]
        states, intervals = (32, 4) if asked.quick else (STATES, INTERVALS)
        ems = estimate_ems(model, pictures, states, intervals, SEED, progress=False)
        if asked.quick:
            print(name, ems.l.shape, 'not written')
        else:
            print(ems.save(FOLDER/f'{name}_ems.safetensors', 'float32'))


if __name__ == '__main__':
    main()
