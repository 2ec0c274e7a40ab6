"""Guidance as part of the plan: the same passes, spent where they do most.

    python benchmarks/guidance.py                          # hours; goes on where it stopped
    python benchmarks/guidance.py --models digits --nfe 8  # here --nfe counts passes
    python benchmarks/guidance.py --quick                  # a minute: does it work?

Class-conditional models, guided to a class for each sample in turn. What is compared at as many
passes: *constant*, the best known solver at its best constant scale; *published*, the best known
solver that is guided in an interval only (Kynkaanniemi et al. 2024), or whose late unconditional
calls are dropped (Castillo et al. 2023), scales tuned; *search, constant*, what `search` finds
with the model's own scale at every call; *search*, what it finds by passes. The judge is the
distance to samples of the model itself with 60 guided steps from other noise; agreement is how
often the model's classifier sees the class that was asked for. Rows: rows/paired/guidance.csv.
"""
from dataclasses import replace
from functools import lru_cache
from common import Setting, drawn, say_by_place, setting, text_of

KEY = ('model', 'nfe', 'what', 'seed', 'noise')
SCALE = 2.5
TEACHER = 60
FACTORS = (.4, .6, .8, 1., 1.25, 1.6, 2.)   # of the scale's distance from 1
FEW, KEPT = 96, 8       # samples of a first look; how many get a second one
PASSES = '250k'


@lru_cache(maxsize=1)
def world_of(name, control_n, teacher_n):
    "A guided model, its metric, and a control."
    import torch
    from usf_nbdev.judging.evaluate import CHECK_NOISE, Control, many_steps
    from usf_nbdev.judging.frechet import FrechetMetric, Statistics
    from usf_nbdev.zoo.models import load_model
    torch.set_num_threads(1)
    classes = range(4 if name == 'mixture' else 10)
    model = load_model(name, label=classes, guidance=SCALE)
    teacher = many_steps(model.noise, TEACHER)
    samples = drawn(model, teacher, teacher_n, CHECK_NOISE+900)
    features = torch.cat([model.features(part) for part in samples.split(512)])
    model.reference = Statistics.from_features(features.double().numpy())
    metric = FrechetMetric(model.features, model.reference)
    model.metric = metric
    return model, metric, Control(model, metric, control_n)


def agreement(model, samples):
    "Share of samples in which the model's classifier sees the class that was asked for."
    import torch
    classifier = getattr(model.features, '__self__', None)
    if classifier is None: return float('nan')
    with torch.no_grad():
        seen = torch.cat([classifier(part).argmax(1) for part in samples.split(512)])
    return float((seen == torch.arange(len(seen)) % 10).double().mean())


def best_of(world, schedules, asked):
    "The best on few samples, then on more."
    from usf_nbdev.judging.evaluate import TUNE_NOISE, evaluate_many
    model, metric, control = world
    for n,kept in ((min(FEW, asked.tune_n), KEPT), (asked.tune_n, 1)):
        values = evaluate_many(model, schedules, metric, n, TUNE_NOISE, 256, control)
        finished = [
            (value, place) for place,value in enumerate(values) if not isinstance(value, ValueError)
        ]
        schedules = [schedules[place] for _,place in sorted(finished)[:kept]]
    return schedules[0]


def best_known(world, passes, asked):
    "Known solvers at the model's own scale, each family tuned, best first."
    from usf_nbdev.judging.evaluate import Tuning, tuned_solvers
    tuning = Tuning(asked.tune_n, few=min(64, asked.tune_n), control_n=asked.control_n)
    model, metric, _ = world
    found = tuned_solvers(model, metric, passes//2, tuning, asked.families)
    return [schedule for schedule,_ in found[:3]]


def constant(world, passes, seed, asked):
    "The best known solver at its best constant scale."
    scales = [1 + factor*(SCALE-1) for factor in FACTORS]
    return best_of(
        world,
        [
            replace(solver.with_guidance(scale), name=f'{solver.name} · guidance {scale:g}')
            for solver in best_known(world, passes, asked) for scale in scales
        ],
        asked,
    ), None


def published(world, passes, seed, asked):
    "An interval of guidance, or the late unconditional calls dropped."
    from usf_nbdev.sampling.solvers import choices_of
    model = world[0]
    scales = [1 + factor*(SCALE-1) for factor in FACTORS[1:]]
    made = []
    for solver in best_known(world, passes, asked)[:2]:
        choices = choices_of(solver.name)
        first = int(choices.first != 'none')
        for calls in range(passes//2 + 1, max(passes//2 + 1, 3*passes//4) + 1):
            guided, off = passes-calls, 2*calls-passes
            for late in sorted({0, off//2, off - off//3}):
                span = first + late, first + late + guided - 1
                made += [
                    replace(choices, scale=scale, guided=span).build(
                        model.noise, calls, ems=model.ems
                    )
                    for scale in scales
                ]
    return best_of(world, made, asked), None


def searched(world, seed, asked, **count):
    "What a search returns, and what it spent."
    from usf_nbdev.searching.search import search
    model, metric, _ = world
    small = dict(budget=PASSES)
    if asked.budget < 10:                       # the quick one
        small = dict(budget=asked.budget, n=asked.n, control_n=64, final_n=64, confirm_n=64)
    asked.folder.mkdir(parents=True, exist_ok=True)
    (unit, cost), = count.items()
    name = f'guidance-{model.name}-{unit}-{cost}-{seed}.db'
    found = search(
        model,
        metric,
        seed=seed,
        journal=asked.folder/name,
        known=asked.families,
        progress=False,
        **count,
        **small,
    )
    return found.best, sum(found.passes.values())


def search_constant(world, passes, seed, asked):
    return searched(world, seed, asked, nfe=passes//2)


def search_passes(world, passes, seed, asked):
    return searched(world, seed, asked, passes=passes)


MAKERS = {
    'constant': constant,
    'published': published,
    'search, constant': search_constant,
    'search': search_passes,
}


def tasks_of(asked:Setting) -> list:
    "What is measured; what has no chance of its own has one seed."
    tasks = []
    for name in asked.models:
        for passes in asked.nfes:
            tasks += [(name, passes, what, 0) for what in ('constant', 'published')]
            for seed in asked.seeds:
                tasks += [(name, passes, what, seed) for what in ('search', 'search, constant')]
    return tasks


def record(rows, task, asked:Setting):
    "Make a schedule, measure it on each noise, and keep the rows."
    name, passes, what, seed = task
    teacher_n = 64 if asked.budget < 10 else 8192
    world = world_of(name, asked.control_n, teacher_n)
    model, metric, _ = world
    schedule, spent = MAKERS[what](world, passes, seed, asked)
    for noise in asked.noises:
        samples = drawn(model, schedule, asked.n, noise)
        about = dict(
            n=asked.n,
            value=round(float(metric(iter(samples.split(512)))), 4),
            agreement=round(agreement(model, samples), 4),
            passes=schedule.passes if schedule.guided else 2*schedule.nfe,
            calls=schedule.nfe,
            name=schedule.name,
            id=schedule.id,
            spent=spent or '',
            schedule=text_of(schedule),
        )
        rows.get(lambda: about, **rows.on_noise(task, noise))
        print(*task, noise, about['value'], about['agreement'], schedule.name, flush=True)


def main():
    asked = setting(__doc__, ('digits', 'digits_dit'), (6, 8, 10, 12), seeds=3, n=4000, tune_n=512,
                    control_n=4096)
    rows = asked.rows('guidance', KEY)
    for task in rows.missing(tasks_of(asked), asked.noises):
        record(rows, task, asked)
    table(rows)


def table(rows):
    "The search by passes over each of the others, paired by noise."
    for base in ('constant', 'published', 'search, constant'):
        title = '{} with {} passes, search over ' + base + ':'
        say_by_place(rows, 'search', base, title)


if __name__ == '__main__':
    main()
