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

def hosted(scheduler, output, steps, device):
    """A run of a diffusers scheduler whose tables are made outside the clock: returns (prepare,
    run)."""
    def prepare(): scheduler.set_timesteps(steps, device=device)
    def run(state):
        for moment in scheduler.timesteps:
            state = scheduler.step(output, moment, state, return_dict=False)[0]
        return state
    return prepare, run

def clock(sides, state, repeats, device):
    "Median seconds of each side; the sides alternate."
    sync = torch.cuda.synchronize if device == 'cuda' else lambda: None
    seconds = {side: [] for side in sides}
    for round_ in range(repeats+2):
        for side,(prepare, run) in sides.items():
            prepare()
            sync()
            start = time.perf_counter()
            run(state)
            sync()
            if round_ > 1:
                seconds[side].append(time.perf_counter()-start)
    return {side: statistics.median(taken) for side,taken in seconds.items()}

def sides_of(theirs, ours, output, noise, asked):
    "{who: (prepare, run)}, all with a network that returns one tensor."
    from usf_nbdev import USFScheduler
    from usf_nbdev.sampling.sample import Denoiser, plan_for, sample
    shape, device = output.shape[1:], asked.device
    model = Denoiser(lambda state, t: output, noise, shape=tuple(shape), device=device)
    plan = plan_for(model, ours)
    hosted_ours = USFScheduler.from_schedule(ours, theirs.config)
    return {
        'diffusers': hosted(theirs, output, asked.steps, device),
        'USFScheduler': hosted(hosted_ours, output, asked.steps, device),
        'sample': (lambda: None, lambda state: sample(model, plan, state)),
    }

def record(name, shape, seconds, asked):
    "A row, and what it says in words."
    import diffusers
    row = dict(
        solver=name,
        size='x'.join(map(str, shape)),
        device=asked.device,
        threads=torch.get_num_threads(),
        steps=asked.steps,
        repeats=asked.repeats,
        diffusers=diffusers.__version__,
        **{f'{side}_ms': round(1e3*taken/asked.steps, 4) for side, taken in seconds.items()},
        ratio_sample=round(seconds['sample']/seconds['diffusers'], 3),
        ratio_scheduler=round(seconds['USFScheduler']/seconds['diffusers'], 3),
    )
    append('steps', row)
    print(
        f"{row['size']:12} {name:18} diffusers {row['diffusers_ms']:.3f} ms a step; sample "
        f"{row['ratio_sample']:.2f} of it, USFScheduler {row['ratio_scheduler']:.2f}",
        flush=True,
    )

def random_states(shape, seed):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))

def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--repeats', type=int, default=25)
    parser.add_argument('--steps', type=int, default=20)
    parser.add_argument('--device', default='cpu')
    asked = parser.parse_args()
    warnings.filterwarnings('ignore')
    from usf_nbdev.sampling.noise import discrete
    noise = discrete('scaled_linear', beta_0=.00085, beta_1=.012)
    for shape in SIZES:
        state, output = (random_states(shape, seed).to(asked.device) for seed in (0, 1))
        for name, (theirs, ours) in solvers(noise, asked.steps).items():
            sides = sides_of(theirs, ours, output, noise, asked)
            with torch.inference_mode():
                seconds = clock(sides, state, asked.repeats, asked.device)
            record(name, shape, seconds, asked)

if __name__ == '__main__':
    main()
