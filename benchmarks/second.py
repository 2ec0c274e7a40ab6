"""Do schedules that were polished for one metric please another?

    python benchmarks/second.py
        # about half an hour on one core; continues where it stopped
    python benchmarks/second.py --quick   # half a minute, after polish.py --quick: does it work?

The judge of every search and polish is one classifier. Here a second one, trained alike from
another seed, which no search and no gradient
has seen, judges the known solvers, the searched schedules and the polished ones of polish.py
(polished.jsonl beside its rows), and a
hundred steps of the model: Fréchet distance of 4,096 samples and kernel distance of 2,048 by its
features, on the first noise of the
setting, beside those of the first judge and of the plain pixels. Rows: rows/paired/second.csv.
"""
import json, shutil, tempfile
from functools import lru_cache
from pathlib import Path
from common import Setting, polished_pairs, quick, read, say_ratios, setting, world_of
from polish import BARE, made_file, reals_of

KEY = ('model', 'nfe', 'what', 'seed')
SAMPLES, REALS, SEED = 4096, 2048, 1
WHAT = ('known', 'known, polished', 'searched', 'searched, polished', BARE)


@lru_cache(maxsize=1)
def judges(name, control_n):
    """For each way to look: function of pictures to features, features of some reals, and
    statistics of all of them."""
    import torch
    from usf_nbdev.judging.frechet import Statistics
    world = world_of(name, control_n)
    ways = dict(first=world.metric.features, pixels=lambda x: x.flatten(1))
    if name == 'mixture':  # no classifier judges it: a fixed random layer is the second look
        layer = torch.randn(16, 24, generator=torch.Generator().manual_seed(SEED))
        ways['second'], pictures = (
            (lambda x: (x.flatten(1)@layer).tanh()),
            reals_of(name, world.model, REALS),
        )
    else:
        ways['second'], pictures = second_classifier(name)
    some = pictures[
        torch.randperm(len(pictures), generator=torch.Generator().manual_seed(0))[:REALS]
    ]
    with torch.no_grad():
        seen = {}
        for way, features in ways.items():
            portions = [features(portion) for portion in pictures.split(2048)]
            seen[way] = features, features(some), Statistics.from_batches(portions)
        return seen


def second_classifier(name):
    "Features of a classifier trained from another seed, and the pictures that it was trained with."
    from usf_nbdev.zoo.train import RECIPES, judge_for
    source = RECIPES[name].features or name
    recipe = RECIPES[source]
    pictures, labels = recipe.data()
    with tempfile.TemporaryDirectory() as folder:
        features, about = judge_for(recipe, source, pictures, labels, folder, SEED)
    print(
        f"{name}: the second classifier names {about['classifier_accuracy']:.1%} of the held-out "
        "pictures"
    )
    return features, pictures[:]


def measure(name, schedule, asked:Setting) -> dict:
    "What each judge says of a schedule's samples."
    import torch
    from usf_nbdev.judging.frechet import Statistics, kernel_distance
    from usf_nbdev.sampling.sample import sample, start_noise
    model, count = world_of(name, asked.control_n).model, min(SAMPLES, asked.n)
    with torch.inference_mode():
        samples = torch.cat(
            [
                sample(model, schedule, states)
                for states in start_noise(model, count, seed=asked.noises[0]).split(256)
            ]
        ).clamp(-1, 1)
    values = {}
    for way,(features, reals, stats) in judges(name, asked.control_n).items():
        with torch.inference_mode():
            seen = features(samples)
        values |= {
            f'frechet_{way}': round(Statistics.from_batches([seen]).distance(stats), 4),
            f'kernel_{way}': round(kernel_distance(seen[:REALS], reals), 6),
        }
    return dict(n=count, id=schedule.id) | values


def main():
    import sys
    from tqdm.auto import tqdm
    from usf_nbdev.judging.evaluate import best_grid, many_steps
    asked = setting(__doc__) if '--quick' not in sys.argv else kept_quick()
    rows = asked.rows('second', KEY)
    tasks = [
        line
        for line in map(json.loads, made_file(asked).open())
        if line['what'] in WHAT and line['model'] in asked.models
    ]
    for name in dict.fromkeys(line['model'] for line in tasks):
        model = world_of(name, asked.control_n).model
        rows.get(
            lambda: measure(name, many_steps(model.noise, 100, best_grid(model)), asked),
            model=name,
            nfe=100,
            what='100 steps',
            seed=0,
        )
        for line in tqdm([line for line in tasks if line['model'] == name], desc=name):
            key = {column: line[column] for column in KEY}
            rows.get(lambda: measure(name, read(line['schedule']), asked), **key)
    table(rows)


def kept_quick() -> Setting:
    "The quick setting, with what polish.py --quick has left."
    from dataclasses import replace
    folder = Path('runs/quick')
    with tempfile.TemporaryDirectory() as aside:
        kept = Path(aside)/'quick'
        if folder.exists():
            shutil.copytree(folder, kept)
        asked = quick()
        if kept.exists():
            shutil.copytree(kept, folder, dirs_exist_ok=True)
    return replace(asked, folder=folder)


def table(rows):
    "Polished over not polished by each judge, and the second over the first."
    for what in ('searched', 'known'):
        pairs = polished_pairs(rows, what, KEY)
        for judge in ('first', 'second', 'pixels'):
            title = f'{what}, polished / {what} by {judge}:'
            say_ratios(title, pairs, f'frechet_{judge}', ('model', 'seed'))


if __name__ == '__main__':
    main()
