"""What a polish without gradients reaches: the best known solver, polished by gradients and by
differences.

    python benchmarks/differences.py                       # half an hour; goes on where it stopped
    python benchmarks/differences.py --models digits --nfe 5
    python benchmarks/differences.py --quick               # half a minute: does it work?

Needs nothing of other scripts. Both begin at the same known solver, the best of those that
`benchmarks/front.py` tunes, and go down the same distance with the same control; by differences as
a search does, with at most 256 samples and six slopes. Measured: the distance of fresh samples on
each noise, without a control, and the passes of each polish. Rows: rows/paired/differences.csv.
"""
from common import Setting, paired_rows, say_ratios, setting, text_of, tuned, world_of

KEY = ('model', 'nfe', 'what', 'seed', 'noise')
START = 'start'
SIZES = dict(gradients=(512, 16), differences=(256, 6))    # samples, slopes at most


def made(name, nfe, what, seed, asked:Setting):
    "The schedule of a task."
    from usf_nbdev.searching.polish import polish, polishable
    world, start = world_of(name, asked.control_n), polishable(tuned(name, nfe, asked)[0][0])
    if what == START: return start
    samples, slopes = SIZES[what]
    return polish(
        world.model,
        start,
        world.metric,
        by=what,
        n=min(samples, max(asked.polish_n, 2*world.metric.reference.d)),
        evaluations=min(slopes, asked.gradients),
        seed=seed,
        control=world.control,
        progress=False,
    )


def tasks_of(asked:Setting) -> list:
    "What is measured."
    return [
        (name, nfe, what, seed)
        for name in asked.models
        for nfe in asked.nfes
        for seed in asked.seeds
        for what in (START, *SIZES)
    ]


def main():
    from usf_nbdev.judging.evaluate import evaluate
    asked = setting(__doc__, models=('digits',), nfes=(5,), seeds=1, control_n=4096)
    rows = asked.rows('differences', KEY)
    for task in rows.missing(tasks_of(asked), asked.noises):
        world = world_of(task[0], asked.control_n)
        tuned(*task[:2], asked)                 # its passes are not those of the polish
        before = world.model.passes
        schedule = made(*task, asked)
        about = dict(n=asked.n, passes=world.model.passes-before, schedule=text_of(schedule))
        for noise in asked.noises:
            value = evaluate(world.model, schedule, world.metric, asked.n, noise)
            rows.get(lambda: dict(value=round(value, 4), **about), **rows.on_noise(task, noise))
        print(*task, about['passes'], 'passes', flush=True)
    table(rows)


def table(rows):
    "Each polish over its start, paired by noise."
    for what in SIZES:
        pairs = paired_rows(rows, what, START, KEY)
        say_ratios(f'{what} / {START}:', pairs, 'value', ('model', 'noise', 'seed'))


if __name__ == '__main__':
    main()
