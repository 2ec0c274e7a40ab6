"""What do skip coefficients bring? The same search with and without them.

    python benchmarks/skips.py                 # an hour; goes on where it stopped
    python benchmarks/skips.py --nfe 3         # a quarter of that
    python benchmarks/skips.py --quick         # half a minute: does it work?

*plain* is the schedule that `search` returns for 150,000 passes, all of its own tuning, choosing
and confirming counted; *skips* is what it returns for as many with `skips=True`, which opens the
coefficients of the U-Net's two skip connections in its last stage. Both start from the same noise,
which no search has seen, and no control variate helps. Rows: rows/skips.csv.
"""
from dataclasses import replace
from common import ROWS, Setting, paired_rows, say_ratios, setting, text_of, world_of

KEY = ('model', 'nfe', 'what', 'seed', 'noise')
PASSES = '150k'
WHATS = ('plain', 'skips')


def searched(name, nfe, what, seed, asked:Setting):
    "The result of a search."
    from usf_nbdev.searching.search import search
    world = world_of(name, asked.control_n)
    small = dict(budget=PASSES)
    if asked.budget < 10:                       # the quick one
        small = dict(budget=asked.budget, n=asked.n, polish=0, control_n=128, confirm_n=128)
    asked.folder.mkdir(parents=True, exist_ok=True)
    return search(
        world.model,
        world.metric,
        nfe=nfe,
        seed=seed,
        journal=asked.folder/f'skips-{name}-{nfe}-{what}-{seed}.db',
        known=asked.families,
        progress=False,
        skips=what == 'skips',
        **small,
    )


def tasks_of(asked:Setting) -> list:
    "What is measured, seed by seed, so that what is there at any time can be compared."
    tasks = []
    for seed in asked.seeds:
        for name in asked.models:
            for nfe in asked.nfes:
                tasks += [(name, nfe, what, seed) for what in WHATS]
    return tasks


def record(rows, task, asked:Setting):
    "Search, measure what was found on each noise, and keep the rows."
    from usf_nbdev.judging.evaluate import evaluate
    world = world_of(task[0], asked.control_n)
    found = searched(*task, asked)
    schedule = found.best
    for noise in asked.noises:
        about = dict(
            n=asked.n,
            value=round(evaluate(world.model, schedule, world.metric, asked.n, noise), 4),
            name=schedule.name,
            id=schedule.id,
            skips=' '.join(map(str, schedule.skips or ())),
            passes=sum(found.passes.values()),
            schedule=text_of(schedule),
        )
        rows.get(lambda: about, **rows.on_noise(task, noise))
        print(*task, noise, about['value'], about['skips'], schedule.name, flush=True)


def main():
    asked = setting(__doc__, ('digits',), (3, 4, 5, 6), control_n=8192)
    if asked.budget >= 10:
        asked = replace(asked, folder=ROWS)
    else:
        asked = replace(asked, models=('digits',), n=128)   # the mixture takes no coefficients
    rows = asked.rows('skips', KEY)
    for task in rows.missing(tasks_of(asked), asked.noises):
        record(rows, task, asked)
    table(rows)


def table(rows):
    "The search with skip coefficients over the one without, paired by noise and seed."
    pairs = paired_rows(rows, 'skips', 'plain', KEY)
    for nfe in dict.fromkeys(row['nfe'] for row,_ in pairs):
        of_calls = [pair for pair in pairs if pair[0]['nfe'] == nfe]
        say_ratios(f'{nfe} calls:', of_calls, 'value', ('noise', 'seed'))
    say_ratios('all of them:', pairs, 'value', ('nfe', 'noise', 'seed'))


if __name__ == '__main__':
    main()
