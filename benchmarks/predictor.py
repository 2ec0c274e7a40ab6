"""How well does the FID predictor rank schedules it has not seen?

    python benchmarks/predictor.py
        # about 3 minutes on one core; continues where it stopped
    python benchmarks/predictor.py --model patches --nfe 4

Evaluates 300 schedules drawn uniformly from the widest space (without model statistics): 256
samples from the same noise, with the control variate of the search,
and a probe on 32 of them. Rows go to benchmarks/rows/predictor.csv; the notebook `08_predictor`
compares features and objectives on them.
"""
import argparse
from dataclasses import replace
import numpy as np, torch
from tqdm.auto import tqdm
from common import Rows
from usf_nbdev.judging.evaluate import TRIAL_NOISE, Control, evaluate
from usf_nbdev.searching.proposers import STAGES
from usf_nbdev.searching.search import default_metric
from usf_nbdev.searching.space import random_schedule
from usf_nbdev.zoo.models import load_model

def main(name, nfe, count, samples=256, probe=32):
    model = load_model(name)
    metric = default_metric(model)
    space = replace(STAGES[-1], predictions=('noise', 'data')).space(model, nfe)
    generator = np.random.default_rng(0)
    rows = Rows('predictor', ('id', 'n', 'noise', 'model'))
    control = Control(model, metric)
    def value(schedule, samples):
        try:
            value = evaluate(model, schedule, metric, samples, TRIAL_NOISE, control=control)
            return round(value, 4)
        except ValueError:
            return float('inf')
    for _ in tqdm(range(count)):
        schedule = random_schedule(space, generator)
        rows.get(
            lambda: dict(
                value=value(schedule, samples),
                probe=value(schedule, probe),
                probe_n=probe,
                nfe=nfe,
                schedule=schedule.to_json(indent=None, weights=False),
            ),
            id=schedule.id,
            n=samples,
            noise=TRIAL_NOISE,
            model=model.name,
        )

if __name__ == '__main__':
    a = argparse.ArgumentParser()
    a.add_argument('--model', default='digits')
    a.add_argument('--nfe', type=int, default=5)
    a.add_argument('--count', type=int, default=300)
    a = a.parse_args()
    torch.set_num_threads(1)
    main(a.model, a.nfe, a.count)
