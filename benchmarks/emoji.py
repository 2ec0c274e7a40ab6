"""Emoji from captions in few calls: what a search finds, the best known solver, and fifty steps.

    python benchmarks/emoji.py                    # hours; goes on where it stopped
    python benchmarks/emoji.py --nfe 4 --seeds 1  # about an hour of two cores
    python benchmarks/emoji.py --known DDIM 'DPM-Solver++(2M)' 'UniPC-3 (vary)'   # fewer families

Every call is guided, so it costs two passes. *known* is the best known solver, tuned over grids,
first steps, ends and constant scales of guidance; *polished* is the same after gradients, at the
levels `weights` and `parts`; *ours* is what `search` returns for as many passes as `PASSES`, with
the same captions and the distance to the real pictures; *fifty* is DDIM, evenly spread.
All from the same fresh noise. Distances by both judges, of which search and gradients have seen
the first, and agreement with the captions. Rows: rows/emoji.csv.
"""
import argparse
from dataclasses import replace
from common import Rows, development_noises, drawn, say_by_place, text_of

KEY = ('nfe', 'what', 'seed', 'noise')
PASSES = '500k'
FACTORS = (.6, 1., 1.5)     # of the scale's distance from 1
FAMILIES = ('DDIM', 'DPM-Solver++(2M)', 'UniPC-3 (vary)', 'DEIS-3')


def known(model, metric, nfe, seed, asked):
    "The best known solver at its best constant scale."
    from usf_nbdev.judging.evaluate import TUNE_NOISE, Tuning, evaluate_many, tuned_solvers
    tuning = Tuning(asked.tune_n, few=32, control_n=min(asked.control_n, 512), batch_size=64)
    best = [one for one,_ in tuned_solvers(model, metric, nfe, tuning, tuple(asked.known))[:2]]
    scales = [1 + factor*(model.fn.scale-1) for factor in FACTORS]
    tried = [
        replace(solver.with_guidance(scale), name=f'{solver.name} · guidance {scale:g}')
        for solver in best for scale in scales
    ]
    values = evaluate_many(model, tried, metric, asked.tune_n, TUNE_NOISE, 64)
    found = [(value, place) for place,value in enumerate(values)
             if not isinstance(value, ValueError)]
    return tried[min(found)[1]], ''


def polished(model, metric, nfe, seed, asked):
    "The best known solver after gradients, and what they took."
    from usf_nbdev.core import SolverSchedule
    from usf_nbdev.judging.evaluate import Control
    from usf_nbdev.searching.polish import polish
    known_rows = Rows('emoji', KEY, asked.folder)
    noise = development_noises()[0]
    schedule = SolverSchedule.from_json(
        known_rows.find(nfe=nfe, what='known', seed=0, noise=noise)['schedule']
    )
    control, before = Control(model, metric, asked.control_n, 64), model.passes
    for level in asked.levels:
        schedule = polish(
            model,
            schedule,
            metric,
            level=level,
            n=asked.polish_n,
            seed=seed,
            evaluations=asked.gradients,
            batch_size=64,
            control=control,
            anchor=asked.anchor,
        )
    return schedule, model.passes-before


def ours(model, metric, nfe, seed, asked):
    "What a search returns, and what it spent."
    from usf_nbdev.searching.search import search
    asked.folder.mkdir(parents=True, exist_ok=True)
    found = search(
        model,
        metric,
        nfe=nfe,
        seed=seed,
        budget=asked.budget,
        journal=asked.folder/f'emoji-{nfe}-{seed}.db',
        known=tuple(asked.known),
        batch_size=64,
        workers=asked.workers,
        progress=True,
    )
    return found.best, sum(found.passes.values())


def fifty(model, metric, nfe, seed, asked):
    "What the pipeline draws when nobody is in a hurry."
    from usf_nbdev.sampling.solvers import ddim
    return replace(ddim(model.noise, nfe, grid='uniform_t'), name=f'DDIM, {nfe} steps'), ''


MAKERS = dict(known=known, polished=polished, ours=ours, fifty=fifty)


def judged(model, pictures) -> dict:
    "Distances by both judges, and agreement with the captions."
    from usf_nbdev.judging.frechet import Statistics
    from usf_nbdev.zoo.emoji import EMOJI_FOLDER
    from usf_nbdev.zoo.emoji_judges import (
        JUDGES, agreement, load_captions, load_judge, picture_statistics,
    )
    table, found = load_captions(EMOJI_FOLDER), {}
    labels = [
        table.labels[table.captions.index(model.captions[i % len(model.captions)])]
        for i in range(len(pictures))
    ]
    for kind in JUDGES:
        if not (EMOJI_FOLDER/f'judge_{kind}.safetensors').exists(): continue
        judge = load_judge(kind)
        reference = Statistics.load(EMOJI_FOLDER/f'seen_{kind}.safetensors')
        found[kind] = round(picture_statistics(judge, pictures).distance(reference), 4)
        sorted_alike = agreement(judge, pictures, labels, table.classes)
        found |= {f'{kind} group': sorted_alike.group, f'{kind} subgroup': sorted_alike.subgroup}
    return found


def record(rows, task, asked):
    "Make a schedule, draw with it on each noise, and keep what the judges say."
    import torch
    from usf_nbdev.zoo.models import load_model
    torch.set_num_threads(1)
    nfe, what, seed = task
    model = load_model('emoji')
    schedule, spent = MAKERS[what](model, model.metric, nfe, seed, asked)
    for noise in development_noises()[:asked.noises]:
        pictures = drawn(model, schedule, asked.n, noise, 64).clamp(-1, 1)
        about = dict(n=asked.n, name=schedule.name, id=schedule.id, spent=spent,
                     **judged(model, pictures), schedule=text_of(schedule))
        rows.get(lambda: about, **rows.on_noise(task, noise))
        print(*task, noise, {key: about[key] for key in about if key != 'schedule'}, flush=True)


def settings():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    from common import ROWS
    parser.add_argument('--nfe', type=int, nargs='*', default=[3, 4, 5, 6, 8])
    parser.add_argument('--what', nargs='*', default=list(MAKERS))
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--noises', type=int, default=2)
    parser.add_argument('--n', type=int, default=5000)
    parser.add_argument('--tune_n', type=int, default=256)
    parser.add_argument('--budget', default=PASSES)
    parser.add_argument('--control_n', type=int, default=2048)
    parser.add_argument('--polish_n', type=int, default=512)
    parser.add_argument('--gradients', type=int, default=16)
    parser.add_argument('--anchor', type=float, default=.5,
                        help='weight of the distance to a teacher; 0: none')
    parser.add_argument('--levels', nargs='*', default=['weights', 'parts'])
    parser.add_argument('--known', nargs='*', default=list(FAMILIES))
    parser.add_argument('--workers', type=int, default=2)
    asked = parser.parse_args()
    asked.folder = ROWS
    return asked


def main():
    asked = settings()
    rows = Rows('emoji', KEY, asked.folder)
    tasks = [(50, 'fifty', 0)] if 'fifty' in asked.what else []
    for nfe in asked.nfe:
        tasks += [(nfe, 'known', 0)] if 'known' in asked.what else []
        for what in ('polished', 'ours'):
            tasks += [(nfe, what, seed) for seed in range(asked.seeds) if what in asked.what]
    for task in rows.missing(tasks, development_noises()[:asked.noises]):
        record(rows, task, asked)
    for what in ('polished', 'ours'):
        title = what + ', {} calls:'
        say_by_place(rows, what, 'known', title, ('nfe',), 'convolution')


if __name__ == '__main__':
    main()
