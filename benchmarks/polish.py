"""What gradients add: the best known solver and the winners of searches before and after polish,
with rivals' ideas beside them.

    python benchmarks/polish.py
        # hours on 2 cores; continues where it stopped
    python benchmarks/polish.py --models digits --nfe 5 --seeds 1   # about half an hour
    python benchmarks/polish.py --release
        # the same on the reserved noises
    python benchmarks/polish.py --quick
        # half a minute: does it work?

Needs what quality.py tuned and searched, and makes it where it isn't there. For each model and
number of calls: the searched schedule of
each seed and the best known solver, polished with the defaults of `polish` (at most 24
gradients); without an anchor at 5 and 6 calls;
rivals' ideas (`baseline`), named for what they are and not the authors' results, with the first
seed. Measured: the distance on every noise,
that of a hundred steps from the same noise, and by three other control noises and by none, since
a control's chance can be learned; on
2,048 samples, what nobody optimised: the kernel distance of the *pixels* to the reals, their
precision and recall, and the distance of
each sample to the 60-step teacher's from the same start. Rows: rows/paired/polish.csv; the
schedules: rows/paired/polished.jsonl.
"""
import json
from functools import lru_cache
from common import (
    Setting, polished_pairs, pool, read, say_ratios, setting, text_of, tuned, values_of, world_of,
)
from quality import fronts

KEY = ('model', 'nfe', 'what', 'seed', 'noise')
BARE = 'searched, polished, no anchor'
BARE_AT = (5, 6)
LOOKS, NEIGHBOURS = 2048, 3
OTHER_CONTROLS = 3


def made_file(asked:Setting): return asked.folder/'polished.jsonl'


def start_of(name, nfe, what, seed, asked:Setting):
    "The schedule before gradients."
    if what.startswith('known'): return tuned(name, nfe, asked)[0][0]
    front = json.loads((asked.folder/f'{name}-front-seed{seed}.json').read_text())
    return read(front['searched'][list(asked.nfes).index(nfe)])


def make(name, nfe, what, seed, asked:Setting):
    "The schedule of a task, and the passes that gradients took."
    from usf_nbdev.searching.polish import polish, polishable
    from usf_nbdev.searching.baselines import IDEAS, baseline
    world = world_of(name, asked.control_n)
    before = world.model.passes
    if what in IDEAS:
        return baseline(
            what, world.model, nfe, progress=False, **quick_rival(asked)
        ), world.model.passes-before
    start = start_of(name, nfe, what, seed, asked)
    if 'polished' not in what: return start, 0
    more = dict(anchor=0.) if what == BARE else {}
    made = polish(
        world.model,
        polishable(start),
        world.metric,
        n=asked.polish_n,
        evaluations=asked.gradients,
        seed=seed,
        control=world.control,
        progress=False,
        **more,
    )
    return made, world.model.passes-before


def quick_rival(asked:Setting) -> dict: return dict(n=16, evaluations=2) if asked.n < 256 else {}


def by_other_controls(world, schedule, asked:Setting, seed) -> dict:
    """The distance of as many samples as gradients saw, by control noises that nothing has
    learned, and by none."""
    from usf_nbdev.judging.evaluate import CHECK_NOISE, evaluate
    def value(i, control):
        try:
            return round(
                evaluate(
                    world.model,
                    schedule,
                    world.metric,
                    4*asked.polish_n,
                    CHECK_NOISE+100*i+seed,
                    control=control,
                ),
                4,
            )
        except ValueError:
            return float('inf')
    return {f'control_{i}': value(i, world.control) for i in range(OTHER_CONTROLS)} | dict(
        no_control=value(0, None)
    )


@lru_cache(maxsize=1)
def others(name, control_n, looks):
    "Reals, starts of the first check noise, and what the teacher makes of them."
    import torch
    from usf_nbdev.judging.evaluate import CHECK_NOISE, best_grid, many_steps
    from usf_nbdev.searching.polish import TEACHER_STEPS
    from usf_nbdev.sampling.sample import sample, start_noise
    model = world_of(name, control_n).model
    states = start_noise(model, looks, seed=CHECK_NOISE)
    teacher = many_steps(model.noise, TEACHER_STEPS, best_grid(model))
    with torch.inference_mode():
        drawn = torch.cat([sample(model, teacher, portion) for portion in states.split(256)])
    return states, reals_of(name, model, looks).flatten(1), drawn


def reals_of(name, model, count):
    "Some of the data that a model was trained with."
    import torch
    from usf_nbdev.zoo.train import digits_data, patches_data
    if name == 'mixture': return model.mixture.draw(count, 1)
    pictures = digits_data()[0][:] if name.startswith('digits') else patches_data()[0][:]
    return pictures[
        torch.randperm(len(pictures), generator=torch.Generator().manual_seed(0))[:count]
    ]


def precision_recall(samples, reals, neighbours=NEIGHBOURS):
    """Share of samples in the support of the reals, and of reals in that of the samples; a
    support is the union of balls to the k-th neighbour (Kynkäänniemi et al. 2019, eq. 2)."""
    import torch
    def covered(points, support):
        radius = torch.cdist(support, support).kthvalue(neighbours+1, dim=1).values
        return float((torch.cdist(points, support) <= radius).any(1).double().mean())
    return dict(
        precision=round(covered(samples, reals), 4), recall=round(covered(reals, samples), 4)
    )


def look(name, schedule, asked:Setting) -> dict:
    "What nobody optimised."
    import torch
    from usf_nbdev.judging.frechet import kernel_distance
    from usf_nbdev.sampling.sample import sample
    states, reals, teacher = others(name, asked.control_n, min(LOOKS, asked.n))
    model = world_of(name, asked.control_n).model
    with torch.inference_mode():
        drawn = [sample(model, schedule, portion) for portion in states.split(256)]
    samples = torch.cat(drawn).clamp(-1, 1)
    near = float((samples-teacher.clamp(-1, 1)).square().mean().sqrt())
    flat = samples.flatten(1)
    return dict(
        kernel_pixels=round(kernel_distance(flat, reals.to(flat)), 6),
        rms_to_teacher=round(near, 5),
        **precision_recall(flat, reals.to(flat)),
    )


def run(task):
    "All measurements of one schedule."
    name, nfe, what, seed, asked = task
    world = world_of(name, asked.control_n)
    schedule, passes = make(name, nfe, what, seed, asked)
    about = dict(
        id=schedule.id,
        n=asked.n,
        passes=passes,
        **look(name, schedule, asked),
        **by_other_controls(world, schedule, asked, seed),
    )
    measured = values_of((name, asked.control_n, text_of(schedule), asked.n, asked.noises))
    rows = [
        dict(about, value=round(value, 4), hundred=round(hundred, 4)) for value, hundred in measured
    ]
    return task, schedule, rows


def tasks_of(asked:Setting) -> list:
    "What is measured, the first seed first."
    from usf_nbdev.searching.baselines import IDEAS
    seeded = ['searched', 'searched, polished'], ['known', 'known, polished', *IDEAS]
    tasks = []
    for seed in asked.seeds:
        for nfe in asked.nfes:
            what = seeded[0] + [BARE]*(nfe in BARE_AT) + seeded[1]*(seed == asked.seeds[0])
            tasks += [(name, nfe, kind, seed, asked) for name in asked.models for kind in what]
    return tasks


def main():
    asked = setting(__doc__)
    rows = asked.rows('polish', KEY)
    with pool(asked) as workers:
        for name in asked.models:
            fronts(name, asked, workers)
            for nfe in asked.nfes:
                tuned(name, nfe, asked)
        undone = rows.missing([task[:4] for task in tasks_of(asked)], asked.noises)
        for task, schedule, measured in workers.map(run, [(*task, asked) for task in undone]):
            record(rows, task, schedule, measured)
    table(rows)


def record(rows, task, schedule, measured):
    "A row for each noise, and the schedule."
    *about, asked = task
    for noise, row in zip(asked.noises, measured):
        rows.get(lambda: row, **rows.on_noise(about, noise))
    with made_file(asked).open('a') as file:
        line = dict(zip(KEY, about)) | dict(schedule=json.loads(text_of(schedule)))
        file.write(json.dumps(line)+'\n')
    values = [row['value'] for row in measured]
    print(*about, values, f"{measured[0]['passes']:,} passes", flush=True)


def table(rows):
    "Polished over not polished, by fresh noise, by other controls and by none."
    columns = ('value', *(f'control_{i}' for i in range(OTHER_CONTROLS)), 'no_control')
    for what in ('searched', 'known'):
        pairs = polished_pairs(rows, what, KEY)
        for column in columns:
            title = f'{what}, polished / {what}, {column}:'
            say_ratios(title, pairs, column, ('model', 'noise', 'seed'))


if __name__ == '__main__':
    main()
