"""Which sampler is a good control variate?

    python benchmarks/control.py
        # about 8 minutes on one core; continues where it stopped

For each model the fronts that `quality.py` has found at 3 to 10 calls, all search seeds, whose
distances on 10,000 samples of three noises are known. Each is measured on few samples of three
other noises, corrected by DPM-Solver++(2M) on several grids and numbers of steps, with 4,096
samples as the many. Kendall's tau of the corrected values with the known ones, and the scatter:
the standard deviation of log(corrected / known) over the schedules, which a common factor does
not move. Rows: benchmarks/rows/control.csv.
"""
import argparse, csv, json
import numpy as np
from scipy.stats import kendalltau
from common import ROWS, Rows, read
from efficiency import world

N = 10_000

CONTROLS = [
    ('quadratic', 10),
    ('karras', 10),
    ('uniform_lambda', 10),
    ('beta', 10),
    ('uniform_lambda', 20),
]
KEY = ('model', 'control', 'n', 'noise')

def fronts(model):
    "The schedules, and what is known of them."
    known = {}
    for row in csv.DictReader((ROWS/'quality.csv').open()):
        if row['model'] == model and row['n'] == str(N):
            known.setdefault(row['id'], []).append(float(row['value']))
    found = {
        schedule.id: schedule
        for path in sorted(ROWS.glob(f'{model}-front-seed*.json'))
        for schedule in (read(data) for data in json.loads(path.read_text())['front'])
        if schedule.id in known
    }
    return list(found.values()), np.array([np.mean(known[key]) for key in found])

def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--models', nargs='*', default=['digits', 'digits_dit', 'patches'])
    parser.add_argument('--samples', type=int, nargs='*', default=[32, 256])
    asked = parser.parse_args()
    from usf_nbdev.judging.evaluate import Control, evaluate_many, many_steps
    rows = Rows('control', KEY)
    class Fixed(Control):
        schedule = None                          # not the one that would be chosen
    for name in asked.models:
        model, metric, _ = world(name)
        some, known = fronts(name)
        for grid,steps in CONTROLS:
            control = Fixed(model, metric, 4096)
            control.schedule = many_steps(model.noise, steps, grid)
            for n in asked.samples:
                for noise in (60_000, 60_001, 60_002):
                    def measure():
                        values = evaluate_many(model, some, metric, n, noise, control=control)
                        values = np.array(values, float)
                        ratio = np.log(values/known)
                        return dict(
                            schedules=len(some),
                            tau=round(kendalltau(values, known).statistic, 4),
                            scatter=round(float(ratio.std(ddof=1)), 4),
                            factor=round(float(np.exp(np.median(ratio))), 3),
                        )
                    row = rows.get(
                        measure, model=name, control=f'{grid}, {steps} steps', n=n, noise=noise
                    )
                print(name, grid, steps, n, row['tau'], row['scatter'], row['factor'], flush=True)

if __name__ == '__main__':
    main()
