"""What weights for each part of a picture add to scalar weights: one searched schedule, polished
with scalars, bands, colour, and both.

    python benchmarks/parts.py                            # hours; goes on where it stopped
    python benchmarks/parts.py --models patches --nfe 4   # about 15 minutes
    python benchmarks/parts.py --release                  # the same on the reserved noises
    python benchmarks/parts.py --quick                    # half a minute: does it work?

Needs the searched schedules that quality.py recorded. Each is polished with the defaults of
`polish`, at most 24 gradients, once for each kind of weights. Measured: the distance of 4,000 fresh
samples on each noise, without a control variate. Rows: rows/paired/parts.csv; the schedules:
rows/paired/parts.jsonl.
"""
import json
from dataclasses import replace
from common import ROWS, Setting, paired_rows, read, say_ratios, setting, text_of, world_of
from usf_nbdev.sampling.parts import Parts

KEY = ('model', 'nfe', 'what', 'seed', 'noise')
SCALAR = 'scalar'
KINDS = {
    'start': None,
    SCALAR: None,
    'three bands and colour': Parts(bands=3, colour=True),
    'three bands': Parts(bands=3),
    'colour': Parts(colour=True),
}
GREY = {kind: parts for kind,parts in KINDS.items() if parts is None or not parts.colour}
TWO_NOISES = 2


def start_of(name, nfe, seed):
    "The searched schedule, or a known solver where the model was not searched."
    path = ROWS/f'{name}-front-seed{seed}.json'
    if not path.exists():
        from usf_nbdev.sampling.solvers import unipc
        return unipc(world_of(name, 0).model.noise, nfe)
    schedules = map(read, json.loads(path.read_text())['front'])
    return next(schedule for schedule in schedules if schedule.nfe == nfe)


def made(name, nfe, kind, seed, asked:Setting):
    "The schedule of a task."
    from usf_nbdev.searching.polish import polish, polishable
    world, start = world_of(name, asked.control_n), polishable(start_of(name, nfe, seed))
    if kind == 'start': return start
    parts = KINDS[kind]
    return polish(
        world.model,
        start,
        world.metric,
        level='weights' if parts is None else 'parts',
        parts=parts,
        n=asked.polish_n,
        evaluations=asked.gradients,
        seed=seed,
        control=world.control,
        progress=False,
    )


def run(name, nfe, kind, seed, asked:Setting):
    "A schedule and its row on each noise."
    from usf_nbdev.judging.evaluate import evaluate
    world = world_of(name, asked.control_n)
    before = world.model.passes
    schedule = made(name, nfe, kind, seed, asked)
    passes, done = world.model.passes-before, (schedule.evidence or {}).get('polish', {})
    about = dict(
        n=asked.n,
        id=schedule.id,
        passes=passes,
        before=round(done.get('before', float('nan')), 3),
        after=round(done.get('after', float('nan')), 3),
    )
    values = [
        evaluate(world.model, schedule, world.metric, asked.n, noise) for noise in asked.noises
    ]
    return schedule, [dict(value=round(value, 3), **about) for value in values]


def tasks_of(asked:Setting) -> list:
    "What is measured; pictures of one channel have no colour."
    kinds = {name: KINDS if name == 'patches' else GREY for name in asked.models}
    return [
        (name, nfe, kind, seed)
        for seed in asked.seeds
        for nfe in asked.nfes
        for name in asked.models
        for kind in kinds[name]
    ]


def main():
    asked = setting(
        __doc__, models=('patches', 'digits'), nfes=(4, 3, 5), seeds=1, n=4000, control_n=4096
    )
    asked = replace(asked, noises=asked.noises[:TWO_NOISES])
    rows = asked.rows('parts', KEY)
    for task in rows.missing(tasks_of(asked), asked.noises):
        schedule, measured = run(*task, asked)
        for noise,row in zip(asked.noises, measured):
            rows.get(lambda: row, **rows.on_noise(task, noise))
        with (asked.folder/'parts.jsonl').open('a') as file:
            line = dict(zip(KEY, task)) | dict(schedule=json.loads(text_of(schedule)))
            file.write(json.dumps(line)+'\n')
        print(*task, [row['value'] for row in measured], flush=True)
    table(rows)


def table(rows):
    "Each kind of parts over scalar weights."
    for kind in KINDS:
        pairs = paired_rows(rows, kind, SCALAR, KEY)
        say_ratios(f'{kind} / scalar:', pairs, 'value', ('model', 'nfe', 'noise', 'seed'))


if __name__ == '__main__':
    main()
