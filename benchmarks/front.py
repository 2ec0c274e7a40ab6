"""The rows of the front page: a search as the command runs it, against the best known solver.

    python benchmarks/front.py                          # hours; goes on where it stopped
    python benchmarks/front.py --models digits --nfe 5  # about half an hour
    python benchmarks/front.py --release                # the same on the reserved noises
    python benchmarks/front.py --quick                  # half a minute: does it work?

Needs nothing of other scripts. *known* is the best of all known solvers, with and without an
analytical first step, with later ends, tuned apart from the search; *ours* is the schedule that
`search` returns for half a million passes, all of its own tuning, choosing and confirming counted,
as the command does by default. Both start from the same noise, which no search and no tuning has
seen, and no control variate helps. Rows: rows/paired/front.csv.
"""
from common import Setting, say_by_place, setting, text_of, tuned, world_of

KEY = ('model', 'nfe', 'what', 'seed', 'noise')
PASSES = '500k'


def known(name, nfe, seed, asked:Setting):
    "The best known solver; its passes stand in the rows of what was tuned."
    return tuned(name, nfe, asked)[0][0], 0


def ours(name, nfe, seed, asked:Setting):
    "What a search returns, and what it spent."
    from usf_nbdev.searching.search import search
    world = world_of(name, asked.control_n)
    small = dict(budget=PASSES)
    if asked.budget < 10:                       # the quick one
        small = dict(budget=asked.budget, n=asked.n, control_n=64, final_n=64, confirm_n=64)
    asked.folder.mkdir(parents=True, exist_ok=True)
    found = search(
        world.model,
        world.metric,
        nfe=nfe,
        seed=seed,
        journal=asked.folder/f'front-{name}-{nfe}-{seed}.db',
        known=asked.families,
        progress=False,
        **small,
    )
    return found.best, sum(found.passes.values())


MAKERS = {'known': known, 'ours': ours}


def tasks_of(asked:Setting) -> list:
    "What is measured; what has no chance of its own has one seed."
    tasks = []
    for nfe in asked.nfes:
        for name in asked.models:
            tasks += [(name, nfe, 'ours', seed) for seed in asked.seeds]
            tasks.append((name, nfe, 'known', 0))
    return tasks


def record(rows, task, asked:Setting):
    "Make a schedule, measure it on each noise, and keep the rows."
    from usf_nbdev.judging.evaluate import evaluate
    name, nfe, what, seed = task
    world = world_of(name, asked.control_n)
    schedule, passes = MAKERS[what](name, nfe, seed, asked)
    def on(noise): return evaluate(world.model, schedule, world.metric, asked.n, noise)
    values = [on(noise) for noise in asked.noises]
    for noise,value in zip(asked.noises, values):
        about = dict(
            n=asked.n,
            value=round(value, 4),
            name=schedule.name,
            id=schedule.id,
            passes=passes,
            schedule=text_of(schedule),
        )
        rows.get(lambda: about, **rows.on_noise(task, noise))
    print(*task, f'{passes:,} passes', [round(value, 3) for value in values], flush=True)


def main():
    asked = setting(__doc__, nfes=(3, 5), seeds=1, control_n=8192)
    rows = asked.rows('front', KEY)
    for task in rows.missing(tasks_of(asked), asked.noises):
        record(rows, task, asked)
    table(rows)


def table(rows):
    "Ours over the best known solver, paired by noise."
    say_by_place(rows, 'ours', 'known', '{} with {} calls:')


if __name__ == '__main__':
    main()
