"""How long does compiling a schedule of ten steps take?

    OMP_NUM_THREADS=1 python benchmarks/compile.py
        # a few seconds on one thread; continues where it stopped

One row in benchmarks/rows/compile.csv for each schedule and noise schedule: of 50 tries, nothing
remembered from one to the
next, the median of the processor's time and the least time on the clock (which a busy machine
makes longer), in milliseconds. The plans with statistics of DPM-Solver-v3 have a weight for
every pixel, `shape`.
"""
import statistics, time
import numpy as np
from common import Rows
from usf_nbdev.sampling import weights
from usf_nbdev.core import Corrector, SolverSchedule, StepStrategy
from usf_nbdev.sampling.ems import EMS
from usf_nbdev.sampling.noise import EDM, Flow, VPCosine, VPLinear, discrete, timesteps
from usf_nbdev.sampling.solvers import ddim, dpm_solver_v3, unipc

def heaviest(noise, n_steps=10, prediction='data', kind='pseudo'):
    """Order 5 where there are nodes enough, and a corrector of one order more at every step, the
    last one too."""
    def near(order, *points): return (points[:order-1],)*(order-1)
    def step(i):
        order = min(5, i+1)
        nodes = near(order+1, -1, *range(-3, -order-2, -1))
        corrector = Corrector(kind=kind, order=order+1, points=nodes)
        points = near(order, *range(-2, -order-1, -1))
        return StepStrategy(
            prediction=prediction, order=order, points=points, corrector=corrector
        )
    return SolverSchedule(
        tuple(timesteps(noise, n_steps, t_start=0.98 *noise.T).tolist()),
        tuple(map(step, range(n_steps))),
        noise=noise,
    )

def milliseconds(schedule, noise, ems=None, tries=50):
    "Times of `tries`, with empty caches."
    cpu, wall = [], []
    for _ in range(tries):
        weights._taylor_inverse.cache_clear()
        start, busy = time.perf_counter(), time.thread_time()
        weights._compile(schedule, noise, ems)
        cpu.append(1e3*(time.thread_time()-busy))
        wall.append(1e3*(time.perf_counter()-start))
    return dict(
        cpu_median_ms=round(statistics.median(cpu), 2),
        wall_least_ms=round(min(wall), 2),
        tries=tries,
    )

def main():
    rows = Rows('compile', ('schedule', 'noise', 'shape'))
    for noise in (VPLinear(), VPCosine(), discrete('scaled_linear'), EDM(), Flow()):
        ends = dict(t_start=.98*noise.T)
        for name,schedule in {
            'DDIM': ddim(noise, 10, **ends),
            'UniPC-3': unipc(noise, 10, 3, **ends),
            'order 5, correctors of order 6': heaviest(noise),
            'the same, noise prediction': heaviest(noise, prediction='noise'),
            'the same, implicit correctors': heaviest(noise, kind='implicit'),
        }.items():
            rows.get(
                lambda: milliseconds(schedule, noise),
                schedule=name,
                noise=type(noise).__name__,
                shape='',
            )
    noise = VPLinear()
    lamb = noise.lamb(np.array([noise.T, noise.t_end]))
    for shape in ((1, 8, 8), (3, 32, 32)):
        statistics = EMS(lamb, *np.random.default_rng(0).normal(0, .1, (3, 241, *shape)))
        for name,schedule in {
            'DPM-Solver-v3': dpm_solver_v3(noise, 10),
            'order 5, correctors of order 6, statistics': heaviest(noise, prediction='ems'),
        }.items():
            rows.get(
                lambda: milliseconds(schedule, noise, statistics),
                schedule=name,
                noise='VPLinear',
                shape='x'.join(map(str, shape)),
            )
    for row in rows.rows:
        print(
            f"{row['cpu_median_ms']:>7} ms  (clock {row['wall_least_ms']:>6})  "
            f"{row['schedule']:42} {row['noise']:11} {row['shape']}"
        )

if __name__ == '__main__':
    main()
