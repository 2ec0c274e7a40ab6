"""How well does the FID predictor rank schedules it has not seen?

    python benchmarks/predictor.py           # about 3 minutes on 2 cores; continues where it stopped

Evaluates 300 schedules drawn uniformly from the widest space on `digits` at 5 calls (256 samples from the same noise,
with the control variate of the search) and records them in benchmarks/rows/predictor.csv. The notebook `08_predictor` compares features and objectives on these rows.
"""
import numpy as np
from tqdm.auto import tqdm
from common import Rows
from usf_nbdev.search import STAGES, TRIAL_NOISE, Control, default_metric, evaluate
from usf_nbdev.space import random_schedule
from usf_nbdev.zoo import load_model

def main(count=300, nfe=5, n=256):
    m = load_model('digits'); metric, space, rng, rows = default_metric(m), STAGES[-1].space(m, nfe), np.random.default_rng(0), Rows('predictor', ('id', 'n', 'noise'))
    control = Control(m, metric)
    def value(s):
        try: return round(evaluate(m, s, metric, n, TRIAL_NOISE, control=control), 4)
        except ValueError: return float('inf')
    for _ in tqdm(range(count)):
        s = random_schedule(space, rng)
        rows.get(lambda: dict(value=value(s), nfe=nfe, model=m.name, schedule=s.to_json(indent=None, weights=False)), id=s.id, n=n, noise=TRIAL_NOISE)

if __name__ == '__main__': main()
