"""How many passes does S3 need to come where plain evolution ends?

    python benchmarks/efficiency.py --models digits patches --nfe 4 5 6 --seeds 10
        # hours on 2 cores; continues where it stopped
    python benchmarks/efficiency.py --models digits --nfe 5 --seeds 3
        # a quarter of an hour
    python benchmarks/efficiency.py --quick
        # half a minute: does it work?

For each model, number of calls and seed: plain evolution with 150 full trials, and S3 from the
same noise with 75 (so a ratio above a
half is seen as such). Both begin with the same known solvers, tuned in the same rounds.
Everything that either sends through the network
is counted there, in passes (a backward pass as two); what schedules share is asked once, as in a
search. `s3, then polish` is S3 with a
budget of 15 and then at most 16 gradients from its best trial on 192 samples; at every look at
the held-out noise the schedule is
measured as a trial is, which counts too, on the noise of the trials, which the gradients do not
see. `s3, memetic` moves its best trial
by six gradients after 20 trials, at the level of its decisions, and has children of it. A row is
one run with its curve: [passes spent,
best value so far] wherever the best changed. `--variants` adds other settings of S3. The seeds
of a table are those that chose no
setting: `--first-seed` says where they begin. Rows: rows/paired/efficiency.csv.
"""
import argparse, json
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
import numpy as np
from common import PAIRED, ROWS, Rows, world_of

BUDGETS = dict(evolution=150, s3=75, random=150)
VARIANTS = {
    's3, then polish': dict(budget=15),
    's3, memetic': {},
    'evolution, small generations': dict(generation=8),
    's3, no guidance': dict(candidates=0),
    's3, 160 candidates': dict(candidates=160),
    's3, no predictor': dict(candidates=0),
    's3, no probes': dict(probe_n=0, candidates=300),
    's3, 16 samples': dict(probe_n=16),
}
KEY = ('model', 'nfe', 'optimiser', 'seed')
CONTROL = 8192


@lru_cache(maxsize=1)
def world(name):
    "A model, its metric and the control variate."
    made = world_of(name, CONTROL)
    return made.model, made.metric, made.control


@dataclass(frozen=True)
class Race:
    "What one run is."
    model:str
    nfe:int
    what:str          # An optimiser, or one of `VARIANTS`
    seed:int
    more:tuple = ()   # Other fields of `SearchConfig`, for a quick run
    control_n:int = CONTROL


@dataclass
class Run:
    "One search in memory, and what it has sent through the network."
    race:Race
    world:object
    optimiser:object
    trials:list = field(default_factory=list)
    curve:list = field(default_factory=list)      # [passes, best value so far]
    best:float = float('inf')
    generation:int = 0
    def __post_init__(self):
        from usf_nbdev.judging.evaluate import TRIAL_NOISE, Control, SharedAnswers
        world = self.world
        self.noise, self.shared, self.start = (
            TRIAL_NOISE+self.race.seed,
            SharedAnswers(),
            world.model.passes,
        )
        # its samples belong to the run as well
        self.control = Control(world.model, world.metric, self.race.control_n)
    @property
    def config(self): return self.optimiser.config
    @property
    def passes(self): return self.world.model.passes-self.start
    def note(self, value):
        if value >= self.best: return
        self.best = value
        self.curve.append([self.passes, round(value, 4)])
    def measure(self, schedules, n) -> list:
        from usf_nbdev.judging.evaluate import evaluate_many
        world = self.world
        return evaluate_many(
            world.model,
            schedules,
            world.metric,
            n,
            self.noise,
            control=self.control,
            shared=self.shared,
            head=self.config.first_n,
        )
    def add(self, proposals, values):
        "Trials with their values; those with all samples may be the best so far."
        from usf_nbdev.searching.journal import Trial
        for proposal,value in zip(proposals, values):
            n, failed = proposal.n or self.config.n, isinstance(value, ValueError)
            self.trials.append(
                Trial(
                    number=len(self.trials),
                    generation=self.generation,
                    origin=proposal.origin,
                    nfe=self.race.nfe,
                    schedule=proposal.schedule.to_json(indent=None, weights=False),
                    key=proposal.schedule.id,
                    state='fail' if failed else 'done',
                    value=None if failed else value,
                    n=n,
                    info=proposal.info,
                )
            )
            if not failed and n == self.config.n:
                self.note(value)
    def go(self, proposals):
        for n in sorted({proposal.n or self.config.n for proposal in proposals}):
            some = [proposal for proposal in proposals if (proposal.n or self.config.n) == n]
            self.add(some, self.measure([proposal.schedule for proposal in some], n))
        self.generation += 1
    def leader(self):
        from usf_nbdev.searching.proposers import ranked
        return ranked(self.trials, self.race.nfe, self.config.n)[0][0]


def optimiser_of(race:Race, model):
    from usf_nbdev.judging.evaluate import CostMeter
    from usf_nbdev.searching.proposers import OPTIMISERS, SearchConfig
    kind, settings = race.what.split(',')[0], dict(VARIANTS.get(race.what, {})) | dict(race.more)
    made = OPTIMISERS[kind](
        model,
        SearchConfig(nfe=race.nfe, seed=race.seed, **{'budget': BUDGETS[kind], **settings}),
        CostMeter(),
    )
    if race.what == 's3, no predictor':                     # promote by the probe alone
        made.correct.fit = lambda *a: None
        made.correct.predict = lambda s, p: (np.log(np.maximum(p, 1e-6)), np.zeros(len(p)))
    return made


def race(one:Race):
    "Ask, evaluate, until the budget is used up: a row, and the best schedule."
    from usf_nbdev.searching.proposers import spent
    world = world_of(one.model, one.control_n)
    run = Run(one, world, optimiser_of(one, world.model))
    memetic = one.what.endswith('memetic')
    while made := run.optimiser.ask(run.generation, run.trials):
        run.go(made)
        if memetic and spent(run.trials, one.nfe, run.config.n) > 20:
            memetic = lamarck(run)
    if one.what.endswith('then polish'):
        gradients(run)
    seconds = {kind: round(spent_on, 1) for kind,spent_on in run.optimiser.clock.seconds.items()}
    row = dict(
        budget=run.config.budget,
        n=run.config.n,
        final=round(run.best, 4),
        spent=run.passes,
        seconds=json.dumps(seconds),
        curve=json.dumps(run.curve),
    )
    return row, run.leader()


def gradients(run):
    "Polish the best trial; the curve goes on at every look."
    from usf_nbdev.searching.polish import polish, polishable
    world, n = run.world, min(192, run.config.n)
    def look(schedule, held_out, passes):
        value, = run.measure([schedule], run.config.n)
        if not isinstance(value, ValueError):
            run.note(value)
    polish(
        world.model,
        polishable(run.leader()),
        world.metric,
        n=n,
        evaluations=16,
        every=2,
        seed=run.race.seed,
        control=run.control,
        progress=False,
        callback=look,
    )


def lamarck(run) -> bool:
    """The best trial after six gradients in its times and relaxations becomes a trial; it is not
    asked again."""
    from usf_nbdev.searching.proposers import Proposal
    from usf_nbdev.searching.polish import polish, polishable
    world, start = run.world, polishable(run.leader())
    polished = polish(
        world.model,
        start,
        world.metric,
        level='relaxations',
        n=min(384, 2*run.config.n),
        evaluations=6,
        every=3,
        seed=run.race.seed,
        control=run.control,
        progress=False,
    )
    if polished is not start:
        run.go([Proposal(replace(polished, name='', evidence=None), 'memetic')])
    return False


def shares(rows) -> dict:
    """{(model, number of calls, who): share of evolution's passes that it needs to come where
    evolution ends, seed by seed}; infinite where it doesn't."""
    runs, found = {tuple(row[column] for column in KEY): row for row in rows.rows}, {}
    for (model, nfe, what, seed),row in runs.items():
        other = runs.get((model, nfe, 'evolution', seed))
        if not what.startswith('s3') or other is None: continue
        mine, its = json.loads(row['curve']), json.loads(other['curve'])
        goal = float(other['final'])
        reached = next((passes for passes, value in mine if value <= goal), float('inf'))
        found.setdefault((model, nfe, what), []).append(reached/its[-1][0])
    return found


def one(task): return task, race(task)[0]


def asked():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--models', nargs='*', default=['digits', 'patches'])
    parser.add_argument('--nfe', type=int, nargs='*', default=[4, 5, 6])
    parser.add_argument('--seeds', type=int, default=10)
    parser.add_argument('--first-seed', type=int, default=100)
    parser.add_argument('--optimisers', nargs='*', default=['evolution', 's3'])
    parser.add_argument('--variants', nargs='*', default=[])
    parser.add_argument('--workers', type=int, default=2)
    parser.add_argument(
        '--quick',
        action='store_true',
        help='the least that shows that it works; rows go to runs/quick',
    )
    return parser.parse_args()


def quick_races() -> list:
    "The least that shows that it works."
    more = dict(budget=4, n=64, probe_n=16, generation=4, known=('DDIM', 'UniPC-3 (vary)'))
    return [
        Race('mixture', 3, what, seed, tuple(more.items()), 64)
        for seed in (0, 1)
        for what in ('evolution', 's3', 's3, then polish', 's3, memetic')
    ]


def races(args) -> list:
    "What the command line asks for."
    chosen = [name for name in VARIANTS if name in args.variants or 'all' in args.variants]
    seeds = range(args.first_seed, args.first_seed+args.seeds)
    # the models and seeds first, so that what has been measured so far is comparable
    asked_for = product(args.models, seeds, args.nfe, args.optimisers+chosen)
    return [Race(model, nfe, what, seed) for model, seed, nfe, what in asked_for]


def key_of(race) -> dict:
    return dict(model=race.model, nfe=race.nfe, optimiser=race.what, seed=race.seed)


def print_shares(rows):
    for (model, nfe, what), of_seeds in sorted(shares(rows).items()):
        print(
            f'{model:10s} {nfe:>2s} calls, {what}: median share {np.median(of_seeds):.2f} of the '
            f'passes of evolution; {sum(np.isfinite(of_seeds))} of {len(of_seeds)} seeds came there'
        )


def main():
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context
    args = asked()
    rows = Rows('efficiency', KEY, Path('runs/quick') if args.quick else ROWS/PAIRED)
    every = quick_races() if args.quick else races(args)
    missing = [race for race in every if rows.find(**key_of(race)) is None]
    workers = 1 if args.quick else args.workers
    with ProcessPoolExecutor(workers, mp_context=get_context('spawn')) as pool:
        for race, row in pool.map(one, missing):
            rows.get(lambda: row, **key_of(race))
            about = race.model, race.nfe, race.what, race.seed
            print(*about, row['final'], f"{row['spent']:,} passes", flush=True)
    print_shares(rows)


if __name__ == '__main__':
    main()
