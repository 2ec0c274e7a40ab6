"""Are the times that `usf_search --level times` finds better than those that other programs have?

    python benchmarks/stock.py                     # 45 minutes of a core; goes on where it stopped
    python benchmarks/stock.py --models emoji --solvers dpmpp_2m --nfe 4 6    # half an hour
    python benchmarks/stock.py --quick             # half a minute: does it work?

For each model, stock solver and number of calls one search of times, which is given less than by
default. Then, on fresh noises that no choice has seen, all from the same states and with the
control variate: the times that were found; the known grid that the same search put first, with
its best end (*best stock*); and each grid as other programs make it, with the model's own end.
Rows: rows/stock.csv.
"""
import argparse
from dataclasses import dataclass
from itertools import product
from tqdm.auto import tqdm
from common import ROWS, Rows, quick, say_by_place, world_of
from usf_nbdev.judging.evaluate import CHECK_NOISE, evaluate_many
from usf_nbdev.searching.stock_times import (
    STOCK, TimesConfig, known_grids, search_times, stock_schedule,
)

KEY = ('model', 'solver', 'nfe', 'what', 'noise')
FOUND, BEST = 'found', 'best stock'
AS_HOSTS = ('karras', 'uniform_lambda', 'uniform_t', 'even to 0', 'beta', 'GITS-like', 'AYS-like')
NOISES = tuple(range(CHECK_NOISE+6000, CHECK_NOISE+6005))


@dataclass(frozen=True)
class Spending:
    "What is spent on a model."
    search:TimesConfig
    n:int               # samples of each noise
    noises:tuple
    control_n:int       # of the control variate on each of them


SMALL = Spending(
    TimesConfig(
        control_n=2048, polish_n=256, evaluations=16, confirm_n=1024, confirm_seeds=1
    ),
    512,
    NOISES,
    8192,
)
SPENDING = dict(
    digits_dit=SMALL,
    patches=SMALL,
    emoji=Spending(
        TimesConfig(
            n=192, few=32, control_n=512, polish_n=128, evaluations=6, confirm_n=192,
            confirm_seeds=1, batch_size=64,
        ),
        256,
        NOISES[:4],
        1024,
    ),
    mixture=Spending(
        TimesConfig(n=32, few=16, control_n=64, polish_n=32, evaluations=2, confirm_n=64),
        64,
        NOISES[:2],
        128,
    ),
)


def contenders(model, solver, nfe, result) -> dict:
    "{what: (grid, schedule)} of all that is measured after a search."
    best = result.known[result.best_grid]
    found = result.best_grid if result.schedule.id == best.id else FOUND
    grids = known_grids(model, nfe)
    as_hosts = {
        grid: (grid, stock_schedule(solver, model.noise, grids[grid]))
        for grid in AS_HOSTS if grid in grids
    }
    return {FOUND: (found, result.schedule), BEST: (result.best_grid, best)} | as_hosts


def record(rows, task):
    "Search, and measure what was found and what there was on each noise."
    name, solver, nfe = task
    spending = SPENDING[name]
    world = world_of(name, spending.control_n)
    before = world.model.passes
    result = search_times(world.model, solver, nfe, world.metric, spending.search)
    spent = world.model.passes-before
    measured = contenders(world.model, solver, nfe, result)
    schedules = [schedule for _,schedule in measured.values()]
    about = dict(n=spending.n, control_n=spending.control_n, seed=spending.search.seed,
                 passes=spent, left_out=result.left_out)
    made = []
    for noise in spending.noises:
        values = evaluate_many(
            world.model, schedules, world.metric, spending.n, noise,
            spending.search.batch_size, world.control,
        )
        for (what,(grid, schedule)),value in zip(measured.items(), values):
            exploded = isinstance(value, ValueError)
            made.append(
                rows.on_noise((*task, what), noise)
                | dict(value='inf' if exploded else round(value, 4), grid=grid, id=schedule.id,
                       times=' '.join(f'{time:.6g}' for time in schedule.times))
                | about
            )
    # all or none, so that a stop leaves no search without its opponents
    for row in made:
        rows.add(row)


def settings():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--models', nargs='*', default=['digits_dit', 'patches'], choices=SPENDING)
    parser.add_argument('--solvers', nargs='*', default=['dpmpp_2m', 'euler', 'unipc'],
                        choices=STOCK)
    parser.add_argument('--nfe', type=int, nargs='*', default=[4, 6, 8, 10])
    parser.add_argument('--quick', action='store_true',
                        help='the least that shows that it works; rows go to runs/quick')
    asked = parser.parse_args()
    if not asked.quick: return asked, ROWS
    return argparse.Namespace(models=['mixture'], solvers=['dpmpp_2m'], nfe=[3]), quick().folder


def main():
    asked, folder = settings()
    rows = Rows('stock', KEY, folder)
    tasks = list(product(asked.models, asked.solvers, asked.nfe))
    missing = [
        task for task in tasks
        if rows.missing([(*task, FOUND)], SPENDING[task[0]].noises)
    ]
    for task in tqdm(missing, desc='searches of times', disable=None):
        record(rows, task)
    for what in (BEST, *AS_HOSTS):
        say_by_place(rows, FOUND, what, '{}, {}, {} calls, found over ' + what + ':', KEY[:3])


if __name__ == '__main__':
    main()
