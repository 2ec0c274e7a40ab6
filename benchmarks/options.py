"""What do the options of a faster network buy, and what do they cost?

    python benchmarks/options.py
        # about 10 minutes on 2 idle cores; appends rows
    python benchmarks/options.py --device cuda

For each embedded model and each option of `speed_up`: milliseconds of a call on 256 samples
(median of 15, the options alternating, compiled before the clock starts), and the Fréchet
distance of the best tuned
known solver and of a searched schedule at 5 calls, 5,000 samples on each of 3 fresh noises, as
ratios to the plain network on the same noises. Rows: benchmarks/rows/options.csv.
"""
import argparse, json, statistics, time
import torch
from common import ROWS, append, read

OPTIONS = {
    'plain': {},
    'bfloat16': dict(autocast='bfloat16'),
    'float16': dict(autocast='float16'),
    'channels last': dict(channels_last=True),
    'compile': dict(compile=True),
}

def times(models, states, repeats=15):
    taken = {name: [] for name in models}
    sync = torch.cuda.synchronize if states.is_cuda else lambda: None
    with torch.inference_mode():
        for round_ in range(repeats+2):
            for name,model in models.items():
                sync()
                start = time.perf_counter()
                model(states, .5*model.noise.T)
                sync()
                if round_ > 1:
                    taken[name].append(1e3*(time.perf_counter()-start))
    return {name: statistics.median(milliseconds) for name,milliseconds in taken.items()}

def searched(name):
    "The schedule of 5 calls that the first search found."
    recorded = json.loads((ROWS/f'{name}-front-seed0.json').read_text())
    return next(schedule for schedule in map(read, recorded['front']) if schedule.nfe == 5)

def measured(models, schedule, metric, asked):
    "{option: (mean distance, its ratio to that of the plain network, low, high)}."
    from usf_nbdev.judging.evaluate import CONFIRM_NOISE, evaluate, ratio_interval
    noises = range(CONFIRM_NOISE, CONFIRM_NOISE+asked.noises)
    values = {
        option: [evaluate(model, schedule, metric, asked.n, noise) for noise in noises]
        for option, model in models.items()
    }
    plain = values['plain']
    ratios = {option: ratio_interval(own, plain) for option, own in values.items()}
    ratios['plain'] = 1., 1., 1.
    return {option: (sum(own)/len(own), *ratios[option]) for option, own in values.items()}

def record(name, what, option, milliseconds, distances, asked):
    "A row, and what it says in words."
    share = milliseconds[option]/milliseconds['plain']
    value, ratio, low, high = distances[option]
    about = dict(model=name, option=option, device=asked.device, schedule=what)
    row = about | dict(
        call_ms=round(milliseconds[option], 2),
        time_ratio=round(share, 3),
        n=asked.n,
        noises=asked.noises,
        value=round(value, 4),
        ratio=round(ratio, 4),
        low=round(low, 4),
        high=round(high, 4),
    )
    append('options', row)
    print(
        f'{name}, {what}, {option}: a call {share:.2f} of the plain time, '
        f'distance {ratio:.3f} ({low:.3f} to {high:.3f}) of the plain one',
        flush=True,
    )

def compare(name, asked):
    "All options on one model."
    from usf_nbdev.sampling.sample import start_noise
    from usf_nbdev.sampling.solvers import unipc
    from usf_nbdev.sampling.speed import speed_up
    from usf_nbdev.searching.search import default_metric
    from usf_nbdev.zoo.models import load_model
    model = load_model(name, device=asked.device)
    metric = default_metric(model)
    models = {option: speed_up(model, **settings) for option, settings in OPTIONS.items()}
    milliseconds = times(models, start_noise(model, 256))
    known = unipc(model.noise, 5, 3, grid='quadratic')
    for what, schedule in {'UniPC-3': known, 'searched': searched(name)}.items():
        distances = measured(models, schedule, metric, asked)
        for option in OPTIONS:
            record(name, what, option, milliseconds, distances, asked)

def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--models', nargs='*', default=['digits', 'digits_dit', 'patches'])
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--n', type=int, default=5000)
    parser.add_argument('--noises', type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name in asked.models:
        compare(name, asked)

if __name__ == '__main__':
    main()
