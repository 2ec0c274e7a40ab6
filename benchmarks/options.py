"""What do the options of a faster network buy, and what do they cost?

    python benchmarks/options.py
        # about 10 minutes on 2 idle cores; appends rows
    python benchmarks/options.py --device cuda

For each embedded model and each option of `faster`: milliseconds of a call on 256 samples
(median of 15, the options alternating, compiled before the clock starts), and the Fréchet
distance of the best tuned
known solver and of a searched schedule at 5 calls, 5,000 samples on each of 3 fresh noises, as
ratios to the plain network on the same noises. Rows: benchmarks/rows/options.csv.
"""
import argparse, json, statistics, time
import torch
from common import ROWS, append

OPTIONS = {
    'plain': {},
    'bfloat16': dict(autocast='bfloat16'),
    'float16': dict(autocast='float16'),
    'channels last': dict(channels_last=True),
    'compile': dict(compile=True),
}

def times(models, x, repeats=15):
    out = {k: [] for k in models}
    sync = torch.cuda.synchronize if x.is_cuda else lambda: None
    with torch.inference_mode():
        for i in range(repeats+2):
            for k,m in models.items():
                sync()
                start = time.perf_counter()
                m(x, .5*m.noise.T)
                sync()
                if i > 1:
                    out[k].append(1e3*(time.perf_counter()-start))
    return {k: statistics.median(v) for k,v in out.items()}

def main():
    a = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    a.add_argument('--models', nargs='*', default=['digits', 'digits_dit', 'patches'])
    a.add_argument('--device', default='cpu')
    a.add_argument('--n', type=int, default=5000)
    a.add_argument('--noises', type=int, default=3)
    a = a.parse_args()
    from usf_nbdev.core import SolverSchedule
    from usf_nbdev.judging.evaluate import CONFIRM_NOISE, evaluate, ratio_interval
    from usf_nbdev.sampling.speed import faster
    from usf_nbdev.sampling.sample import start_noise
    from usf_nbdev.searching.search import default_metric
    from usf_nbdev.sampling.solvers import unipc
    from usf_nbdev.zoo.models import load_model
    torch.set_num_threads(1)
    for name in a.models:
        m = load_model(name, device=a.device)
        metric = default_metric(m)
        models = {k: faster(m, **o) for k,o in OPTIONS.items()}
        ms = times(models, start_noise(m, 256))
        found = next(
            s
            for s in map(
                SolverSchedule.from_json,
                map(
                    json.dumps, json.loads((ROWS/f'{name}-front-seed0.json').read_text())['front']
                ),
            )
            if s.nfe == 5
        )
        for what,s in (('UniPC-3', unipc(m.noise, 5, 3, grid='quadratic')), ('searched', found)):
            values = {
                k: [evaluate(o, s, metric, a.n, CONFIRM_NOISE+i) for i in range(a.noises)]
                for k,o in models.items()
            }
            for k,v in values.items():
                r, low, high = ratio_interval(v, values['plain']) if k != 'plain' else (1., 1., 1.)
                append(
                    'options',
                    dict(
                        model=name,
                        option=k,
                        device=a.device,
                        schedule=what,
                        call_ms=round(ms[k], 2),
                        time_ratio=round(ms[k]/ms['plain'], 3),
                        n=a.n,
                        noises=a.noises,
                        value=round(sum(v)/len(v), 4),
                        ratio=round(r, 4),
                        low=round(low, 4),
                        high=round(high, 4),
                    ),
                )
                print(
                    f'{name}, {what}, {k}: a call {ms[k] / ms["plain"]:.2f} of the plain time, '
                    f'distance {r:.3f} ({low:.3f} to {high:.3f}) of the plain one',
                    flush=True,
                )

if __name__ == '__main__':
    main()
