"""What does a step cost besides the network, against diffusers' schedulers?

    OMP_NUM_THREADS=1 python benchmarks/steps.py
        # half a minute; needs the extra `diffusers`; appends rows
    python benchmarks/steps.py --device cuda
        # also counts what waits for the device

Both sides run 20 steps with a network that returns a fixed tensor, so that what is left is the
solver: diffusers' own `scheduler.step` (its tables made before the clock starts),
`USFScheduler.step`,
and the loop of `sample` (its plan compiled before; what it makes of the plan at every call is
counted). Sides alternate; the median of `--repeats` runs, in milliseconds a step, and the ratio
to diffusers.
Rows: benchmarks/rows/steps.csv.
"""
import argparse, statistics, time, warnings
import torch
from common import append

SIZES = ((16, 3, 64, 64), (4, 4, 128, 128))
BETAS = dict(beta_schedule='scaled_linear', beta_start=.00085, beta_end=.012)

def solvers(noise, steps):
    "name -> (diffusers' scheduler, our schedule)"
    from diffusers import DPMSolverMultistepScheduler, UniPCMultistepScheduler
    from usf_nbdev.sampling.solvers import dpm_solver_pp, unipc
    return {
        'DPM-Solver++(2M)': (DPMSolverMultistepScheduler(**BETAS), dpm_solver_pp(noise, steps)),
        'UniPC-2': (UniPCMultistepScheduler(solver_order=2, **BETAS), unipc(noise, steps, 2)),
        'UniPC-3': (UniPCMultistepScheduler(solver_order=3, **BETAS), unipc(noise, steps, 3)),
    }

def hosted(scheduler, m, steps, device):
    """A run of a diffusers scheduler whose tables are made outside the clock: returns (prepare,
    run)."""
    def prepare(): scheduler.set_timesteps(steps, device=device)
    def run(x):
        for t in scheduler.timesteps:
            x = scheduler.step(m, t, x, return_dict=False)[0]
        return x
    return prepare, run

def clock(sides, x, repeats, device):
    "Median seconds of each side; the sides alternate."
    sync = torch.cuda.synchronize if device == 'cuda' else lambda: None
    seconds = {k: [] for k in sides}
    for i in range(repeats+2):
        for k,(prepare, run) in sides.items():
            prepare()
            sync()
            start = time.perf_counter()
            run(x)
            sync()
            if i > 1:
                seconds[k].append(time.perf_counter()-start)
    return {k: statistics.median(v) for k,v in seconds.items()}

def main():
    a = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    a.add_argument('--repeats', type=int, default=25)
    a.add_argument('--steps', type=int, default=20)
    a.add_argument('--device', default='cpu')
    a = a.parse_args()
    warnings.filterwarnings('ignore')
    import diffusers
    from usf_nbdev import USFScheduler
    from usf_nbdev.sampling.noise import discrete
    from usf_nbdev.sampling.sample import Denoiser, plan_for, sample
    noise = discrete('scaled_linear', beta_0=.00085, beta_1=.012)
    for shape in SIZES:
        x, m = (
            torch.randn(shape, generator=torch.Generator().manual_seed(i)).to(a.device)
            for i in (0, 1)
        )
        for name,(theirs, ours) in solvers(noise, a.steps).items():
            model = Denoiser(lambda x, t: m, noise, shape=shape[1:], device=a.device)
            plan = plan_for(model, ours)
            sides = {
                'diffusers': hosted(theirs, m, a.steps, a.device),
                'USFScheduler': hosted(
                    USFScheduler.from_schedule(ours, theirs.config), m, a.steps, a.device
                ),
                'sample': (lambda: None, lambda x: sample(model, plan, x)),
            }
            with torch.inference_mode():
                s = clock(sides, x, a.repeats, a.device)
            r = dict(
                solver=name,
                size='x'.join(map(str, shape)),
                device=a.device,
                threads=torch.get_num_threads(),
                steps=a.steps,
                repeats=a.repeats,
                diffusers=diffusers.__version__,
                **{f'{k}_ms': round(1e3*v/a.steps, 4) for k,v in s.items()},
                ratio_sample=round(s['sample']/s['diffusers'], 3),
                ratio_scheduler=round(s['USFScheduler']/s['diffusers'], 3),
            )
            append('steps', r)
            print(
                f"{r['size']:12} {name:18} diffusers {r['diffusers_ms']:.3f} ms a step; sample "
                f"{r['ratio_sample']:.2f} of it, USFScheduler {r['ratio_scheduler']:.2f}",
                flush=True,
            )

if __name__ == '__main__':
    main()
