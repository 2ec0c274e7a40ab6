"""How much memory does it take: more samples, more steps?

    OMP_NUM_THREADS=1 python benchmarks/memory.py       # about a minute; appends rows

(1) One evaluation of a schedule on 2,048 to 131,072 samples, each in a process of its own: the
largest resident memory of the process after the model is loaded and warm, in 10^6 bytes above
what it was.
(2) One run of `sample` with a network that costs nothing, 5 to 200 steps of UniPC-3 on 128
states of 3x160x160 (39 MB), likewise: what no later step needs is let go. The table of weights
grows with the square of the steps, by 0.6 MB for 200.
(3) A polish of UniPC-3 with 5 and 10 calls by 1,024 samples, two slopes, on each model: it must
stay below `ROOM`. Rows: benchmarks/rows/memory.csv.
"""
import resource, subprocess, sys
from common import append

def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss*1024/1e6

def child(what, count):
    import torch
    torch.set_num_threads(1)
    from usf_nbdev.judging.evaluate import evaluate
    from usf_nbdev.sampling.noise import VPLinear
    from usf_nbdev.sampling.sample import Denoiser, sample, start_noise
    from usf_nbdev.searching.polish import polish
    from usf_nbdev.searching.search import default_metric
    from usf_nbdev.sampling.solvers import ddim, unipc
    from usf_nbdev.zoo.models import load_model
    if what.startswith('polish of '):
        model = load_model(what.removeprefix('polish of '))
        metric = default_metric(model)
        def run(calls):
            schedule = unipc(model.noise, calls, 3)
            polish(model, schedule, metric, evaluations=2, control=False, progress=False)
        evaluate(model, unipc(model.noise, 5, 3), metric, 512, 0)
    elif what == 'samples':
        model = load_model('digits')
        metric, schedule = default_metric(model), ddim(model.noise, 1)
        def run(number): return evaluate(model, schedule, metric, number, 0)
    else:
        model = Denoiser(lambda states, t: states*.1, VPLinear(), shape=(3, 160, 160))
        states = start_noise(model, 128)
        def run(number): return sample(model, unipc(model.noise, number, 3), states)
    if what == 'samples':
        run(512)
    elif what == 'steps':
        sample(model, unipc(model.noise, 5, 3), states[:1])
    before = peak()
    run(count)
    print(round(peak()-before, 1))

def main():
    sizes = dict(samples=(2048, 8192, 32_768, 131_072), steps=(5, 20, 200))
    polishes = {f'polish of {name}': (5, 10) for name in ('digits', 'digits_dit', 'patches')}
    for what,counts in (sizes | polishes).items():
        if sys.argv[1:] and what not in sys.argv[1:]: continue
        for count in counts:
            megabytes = float(
                subprocess.run(
                    [sys.executable, __file__, what, str(count)],
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout
            )
            append('memory', dict(what=what, count=count, more_mb=megabytes))
            print(f'{count} {what}: {megabytes} MB more', flush=True)

if __name__ == '__main__':
    child(sys.argv[1], int(sys.argv[2])) if sys.argv[2:] and sys.argv[2].isdigit() else main()
