"""What does a schedule that was searched at one size cost at another?

    python benchmarks/sizes.py                  # patches: half an hour; goes on where it stopped
    python benchmarks/sizes.py --models emoji   # a quarter of an hour
    python benchmarks/sizes.py --quick          # half a minute: does it work?

A network that takes any size is its own judge: the distance of samples to those that it draws with
many steps from the same noise, on fresh noises that no choice has seen. At each size: the best
known solver, tuned there (*best known*); what a search there finds (*searched here*); and what the
search at the model's own size found, with its noise levels moved by some shifts (*shift 1* leaves
them). Only flow matching has a shift. *many steps* tells what the first noise level alone changes,
which moves along. Rows: rows/sizes.csv.
"""
import argparse
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from pathlib import Path
import torch
import torch.nn.functional as F
from tqdm.auto import tqdm
from common import ROWS, Rows, quick, read
from usf_nbdev.hosts.front import moved_to_shift
from usf_nbdev.judging.evaluate import CHECK_NOISE, Tuning, batches_of, tuned_solvers
from usf_nbdev.judging.teacher import Comparison, self_metric
from usf_nbdev.sampling.noise import Flow
from usf_nbdev.sampling.sample import Denoiser
from usf_nbdev.searching.search import search
from usf_nbdev.zoo.models import load_model

KEY = ('model', 'side', 'nfe', 'what', 'seed', 'noise')
HERE, KNOWN, MANY = 'searched here', 'best known', 'many steps'
NOISES = tuple(range(CHECK_NOISE+7000, CHECK_NOISE+7004))


@dataclass(frozen=True, eq=False)
class Setting:
    "What is measured of a model."
    sides:tuple          # in pixels; the middle one is the model's own
    nfes:tuple
    budget:str           # of a search
    seeds:tuple          # of searches
    n:int                # samples of each noise
    noises:tuple
    tuning:Tuning        # of the known solvers
    families:tuple = ()  # of them; empty: all
    shifts:tuple = ()    # by which the noise levels are moved
    places:int = 1       # pixels along the side of what is one place of a sample
    more:dict = field(default_factory=dict)   # Other settings of a search


SETTINGS = dict(
    patches=Setting(
        sides=(12, 16, 24),
        nfes=(4, 6),
        budget='300k',
        seeds=(0, 1),
        n=256,
        noises=NOISES,
        tuning=Tuning(128, 16, 0, 64),
        shifts=(.5, .75, 1., 1.5, 2.),
    ),
    emoji=Setting(
        sides=(48, 64, 96),
        nfes=(5,),
        budget='60k',
        seeds=(0,),
        n=32,
        noises=NOISES[:3],
        tuning=Tuning(32, 16, 0, 32),
        families=('DDIM', 'DPM-Solver++(2M)', 'UniPC-3 (vary)', 'DEIS-3'),
        shifts=(1.,),
        places=4,
        more=dict(n=32, probe_n=8, final_n=32, confirm_n=32, batch_size=32),
    ),
)
QUICK = Setting(
    sides=(12, 16, 24),
    nfes=(3,),
    budget='12k',
    seeds=(0,),
    n=8,
    noises=NOISES[:1],
    tuning=Tuning(8, 4, 0, 8),
    families=('DDIM',),
    shifts=(1., 1.5),
    more=dict(n=8, probe_n=4, final_n=8, confirm_n=8),
)


@lru_cache(None)
def opened(name): return load_model(name)


@dataclass(frozen=True)
class Size:
    "A model at one size."
    name:str
    side:int
    setting:Setting
    @property
    def noise(self): return opened(self.name).noise
    @property
    def many_steps(self): return judge_at(self).choice.teacher
    def denoiser(self, noise=None) -> Denoiser:
        "The model, which knows no data of this size."
        model = opened(self.name)
        shape = (model.shape[0], *2*(self.side//self.setting.places,))
        mean = model.mean
        if mean is not None:
            mean = F.interpolate(mean[None], size=shape[1:], mode='bilinear', antialias=True)[0]
        return Denoiser(
            model.fn,
            noise or model.noise,
            predicts=model.predicts,
            shape=shape,
            time=model.time,
            clip=model.clip,
            mean=mean,
            each=model.each,
            name=f'{self.name}-{self.side}',
        )
    def draw(self, schedule, noise):
        "Samples of a schedule, from the level where it begins."
        model = self.denoiser(schedule.noise)
        with torch.inference_mode():
            return torch.cat(list(batches_of(model, schedule, self.setting.n, noise, 64)))
    def apart(self, schedule, noise) -> float:
        "Mean distance of samples to those of many steps from the same noise."
        gaps = self.draw(schedule, noise) - truth(self, noise)
        distance = float(gaps.flatten(1).double().square().mean(1).sqrt().mean())
        return round(distance, 5) if distance < float('inf') else float('inf')


@lru_cache(None)
def judge_at(size):
    "The paired distance at a size; it keeps who draws with many steps."
    return self_metric(size.denoiser(), Comparison.PAIRED)


@lru_cache(None)
def truth(size, noise): return size.draw(size.many_steps.schedule(size.noise), noise)


@dataclass(frozen=True)
class Made:
    "A schedule, and the passes that it cost."
    schedule:object
    passes:int = 0


def known(size, nfe) -> Made:
    "The best known solver of a size."
    model, setting = size.denoiser(), size.setting
    best = tuned_solvers(model, judge_at(size), nfe, setting.tuning, setting.families)[0][0]
    return Made(best, model.passes)


def searched(size, nfe, seed) -> Made:
    "What a search of a size finds."
    setting, folder = size.setting, Path('runs/sizes')
    folder.mkdir(parents=True, exist_ok=True)
    found = search(
        size.denoiser(),
        nfe=nfe,
        budget=setting.budget,
        seed=seed,
        journal=folder/f'{size.name}-{size.side}-{nfe}-{seed}-{setting.budget}.db',
        progress=False,
        **setting.more,
    )
    return Made(found.best, sum(found.passes.values()))


def moved(schedule, shift) -> Made:
    "The same at other noise levels."
    return Made(schedule if shift == 1 else moved_to_shift(schedule, shift, made_at=1.))


def record(rows, size, nfe, what, seed, make):
    "Measure a schedule on each noise, if it is not recorded; the schedule."
    task, setting = (size.name, size.side, nfe, what, seed), size.setting
    if rows.missing([task], setting.noises):
        made = make()
        schedule = made.schedule
        about = dict(
            n=setting.n,
            teacher=size.many_steps.mark,
            name=schedule.name,
            id=schedule.id,
            first_step=schedule.afs,
            weights='own' if schedule.weights is not None else '',
            passes=made.passes,
            schedule=schedule.to_json(None, weights=False),
        )
        for noise in setting.noises:
            rows.get(
                lambda: dict(value=size.apart(schedule, noise)) | about,
                **rows.on_noise(task, noise),
            )
    return read(rows.find(**rows.on_noise(task, setting.noises[0]))['schedule'])


def record_all(rows, size, own, nfe):
    "Everything at a size; `own` is the model's own."
    record(rows, size, nfe, KNOWN, 0, lambda: known(size, nfe))
    for seed in size.setting.seeds:
        # first at its own size, whose schedule moves
        found = record(rows, own, nfe, HERE, seed, lambda: searched(own, nfe, seed))
        record(rows, size, nfe, HERE, seed, lambda: searched(size, nfe, seed))
        for shift in size.setting.shifts:
            record(rows, size, nfe, f'shift {shift:g}', seed, lambda: moved(found, shift))
    if isinstance(size.noise, Flow):
        many = size.many_steps.schedule(size.noise)
        record(rows, size, nfe, MANY, 0, lambda: moved(many, size.side/own.side))


def say(rows, name, setting):
    "Every mean."
    for nfe in setting.nfes:
        for side in setting.sides:
            here = [row for row in rows.rows
                    if (row['model'], row['side'], row['nfe']) == (name, str(side), str(nfe))]
            for what in dict.fromkeys(row['what'] for row in here):
                values = [float(row['value']) for row in here if row['what'] == what]
                print(f'{name}, {side} pixels, {nfe} calls, {what}: {sum(values)/len(values):.4f}')


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--models', nargs='*', default=['patches'], choices=SETTINGS)
    parser.add_argument('--quick', action='store_true',
                        help='the least that shows that it works; rows go to runs/quick')
    asked = parser.parse_args()
    torch.set_num_threads(1)
    settings = dict(patches=QUICK) if asked.quick else {n: SETTINGS[n] for n in asked.models}
    rows = Rows('sizes', KEY, quick().folder if asked.quick else ROWS)
    for name, setting in settings.items():
        sizes = [Size(name, side, setting) for side in setting.sides]
        for nfe, size in tqdm(list(product(setting.nfes, sizes)), desc=name, disable=None):
            record_all(rows, size, sizes[1], nfe)
        say(rows, name, setting)


if __name__ == '__main__':
    main()
