"""The ladder: what each idea brings, alone and on top of those before, and what it costs in
passes.

    python benchmarks/ladder.py
        # hours on 2 cores; continues where it stopped
    python benchmarks/ladder.py --models digits --nfe 5  # about half an hour
    python benchmarks/ladder.py --release                # the same on the reserved noises
    python benchmarks/ladder.py --quick                  # half a minute: does it work?

Needs nothing of other scripts. On top of each other: a stock solver (the best family on its best
grid); with an analytical first
step; with later ends and times moved by gradients; searched (S3); searched and polished. Alone,
each from the stock solver: times,
S3 that begins with stock solvers only, polish. A row is a rung on one noise: its distance, that
of a hundred steps of the same model
from the same noise, and the passes through the network that its making took, tuning included.
Rows: rows/paired/ladder.csv.
"""
from itertools import product
from operator import itemgetter
from common import Setting, bootstrap, factors, pool, setting, text_of, values_of, world_of

KEY = ('model', 'nfe', 'rung', 'seed', 'noise')
TOGETHER = ('stock', '+ first step', '+ times', '+ S3', '+ polish')
ALONE = ('times alone', 'S3 alone', 'polish alone')
SEEDLESS = ('stock', '+ first step')


def best_of(world, nfe, asked:Setting, firsts, ends):
    "The best known solver with these first steps, with or without later ends."
    from usf_nbdev.judging.evaluate import SharedAnswers, best_of_families, evaluate_many
    from usf_nbdev.judging.evaluate import TUNE_NOISE
    from usf_nbdev.sampling.solvers import known_solvers, with_later_ends
    model, shared = world.model, SharedAnswers()
    def measured(schedules, n):
        values = evaluate_many(
            model, schedules, world.metric, n, TUNE_NOISE, control=world.control, shared=shared
        )
        return [pair for pair in zip(schedules, values) if not isinstance(pair[1], ValueError)]
    few = min(64, asked.tune_n)
    looked = measured(
        known_solvers(model.noise, nfe, ems=model.ems, firsts=firsts, families=asked.families), few
    )
    if ends:
        later = []
        for schedule in best_of_families(looked):
            later += with_later_ends(schedule, model.noise, model.ems)
        looked += measured(later, few)
    final = measured(best_of_families(looked), asked.tune_n)
    return min(final, key=lambda o: o[1])[0]


def stock(world, nfe, asked, seed): return best_of(world, nfe, asked, ('none',), False)

def first_step(world, nfe, asked, seed):
    from usf_nbdev.judging.evaluate import first_steps_of
    return best_of(world, nfe, asked, first_steps_of(world.model), False)

def times(world, nfe, asked, seed):
    from usf_nbdev.judging.evaluate import first_steps_of
    return moved(
        world, best_of(world, nfe, asked, first_steps_of(world.model), True), asked, seed, 'times'
    )

def searched(world, nfe, asked, seed, firsts=None):
    """The winner of a search without polish; with `firsts` it begins with known solvers that
    have these first steps only."""
    from usf_nbdev.searching.search import search
    from unittest import mock
    folder = asked.folder/f"ladder-{world.model.name}-{nfe}-{seed}{'-stock'*bool(firsts)}.db"
    def run():
        return search(
            world.model,
            world.metric,
            nfe=nfe,
            budget=asked.budget,
            seed=seed,
            journal=folder,
            control_n=asked.control_n,
            n=min(256, asked.n),
            final_n=min(asked.n, 2048),
            polish=0,
            known=asked.families,
            confirm_n=min(asked.n, 2048),
            confirm_seeds=1,
            progress=False,
        )
    if firsts is None: return run().best
    with mock.patch('usf_nbdev.judging.evaluate.first_steps_of', lambda model: firsts):
        return run().best

def moved(world, schedule, asked, seed, level='weights'):
    "A schedule after gradients."
    from usf_nbdev.searching.polish import polish, polishable
    return polish(
        world.model,
        polishable(schedule),
        world.metric,
        level=level,
        n=asked.polish_n,
        evaluations=asked.gradients,
        seed=seed,
        control=world.control,
        progress=False,
    )


MAKERS = {
    'stock': stock,
    '+ first step': first_step,
    '+ times': times,
    '+ S3': searched,
    '+ polish': lambda world, nfe, asked, seed: moved(
        world, searched(world, nfe, asked, seed), asked, seed
    ),
    'times alone': lambda world, nfe, asked, seed: moved(
        world, stock(world, nfe, asked, seed), asked, seed, 'times'
    ),
    'S3 alone': lambda world, nfe, asked, seed: searched(world, nfe, asked, seed, ('none',)),
    'polish alone': lambda world, nfe, asked, seed: moved(
        world, stock(world, nfe, asked, seed), asked, seed
    ),
}


def rung(task):
    "One rung: its schedule, what its making took in passes, and its values."
    name, nfe, what, seed, asked = task
    world = world_of(name, asked.control_n)
    before = world.model.passes
    made = MAKERS[what](world, nfe, asked, seed)
    passes = world.model.passes-before
    if what == '+ polish':
        passes += _passes_of_search(world, nfe, asked, seed)
    return (
        task,
        made,
        passes,
        values_of((name, asked.control_n, text_of(made), asked.n, asked.noises)),
    )


def _passes_of_search(world, nfe, asked, seed):
    "The search below a polish stands in the journal of its own rung already, and so do its passes."
    from usf_nbdev.searching.journal import Journal
    with Journal(asked.folder/f'ladder-{world.model.name}-{nfe}-{seed}.db') as journal:
        return sum(sum(by_purpose.values()) for by_purpose in journal.notes('passes:').values())


def tasks_of(asked:Setting) -> list:
    "Every rung of every model, number of calls and seed; of those without chance the first seed."
    return [
        (name, nfe, what, seed, asked)
        for name, nfe, what in product(asked.models, asked.nfes, (*TOGETHER, *ALONE))
        for seed in (asked.seeds[:1] if what in SEEDLESS else asked.seeds)
    ]


def record(rows, task, schedule, passes, measured):
    "A row for each noise."
    asked = task[-1]
    for noise, (value, hundred) in zip(asked.noises, measured):
        about = dict(
            id=schedule.id,
            name=schedule.name,
            n=asked.n,
            value=round(value, 4),
            hundred=round(hundred, 4),
            passes=passes,
            schedule=text_of(schedule),
        )
        rows.get(lambda: about, **rows.on_noise(task[:4], noise))
    values = [round(value, 3) for value, _ in measured]
    print(*task[:4], f'{passes:,} passes', values, flush=True)


def main():
    asked = setting(__doc__)
    asked.folder.mkdir(parents=True, exist_ok=True)
    rows = asked.rows('ladder', KEY)
    undone = rows.missing([task[:4] for task in tasks_of(asked)], asked.noises)
    with pool(asked) as workers:
        for done in workers.map(rung, [(*task, asked) for task in undone]):
            record(rows, *done)
    table(rows)


def table(rows):
    "Each rung over the stock solver, paired by noise."
    place = itemgetter('model', 'nfe', 'noise')
    stocks = [row for row in rows.rows if row['rung'] == 'stock']
    base = {place(row): float(row['value']) for row in stocks}
    for what in (*TOGETHER[1:], *ALONE):
        some = [row for row in rows.rows if row['rung'] == what]
        if not some: continue
        ratios = [float(row['value'])/base[place(row)] for row in some]
        passes = sum(float(row['passes']) for row in some)/len(some)
        crossed = factors(some, ('model', 'noise', 'seed'))
        print(f'{what:14s}', bootstrap(ratios, crossed), f'{passes:,.0f} passes')


if __name__ == '__main__':
    main()
