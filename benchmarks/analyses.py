"""The rows behind the analyses: what the paper leaves open, measured on the embedded models.

    python benchmarks/analyses.py
        # about an hour on one core; continues where it stopped
    python benchmarks/analyses.py --questions 1 --models digits     # about three minutes

Questions, as the notebooks of nbs/analyses count them, and their rows in benchmarks/rows:
1 timestep grids (grids.csv), 2 prediction types (predictions.csv), 3 full- and low-order
derivatives (derivatives.csv), 5 per-step variation (ablation.csv),
8 transfer between models (transfer.csv), 9 Fréchet distance or distance to a teacher as the
objective (objective.csv).
Every value is a Fréchet distance on 256 samples with the control variate of a search. Noises
60000 to 60003 are used by nothing else; the same ones judge everything that is compared.
Searches run in memory on the noise of trials, at 5 calls. On `patches` the control variate has
20 steps uniform in lambda: with the usual one, 10 steps on a quadratic grid,
256 samples of a schedule whose distance is 30 (4,096 samples) give 204 to 271, and 35 to 40 with
this one.
"""
import argparse, json
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path
import numpy as np, torch
from common import ROWS, Rows, read, text_of
from efficiency import world
from usf_nbdev.core import Relaxation, SolverSchedule
from usf_nbdev.judging.evaluate import TRIAL_NOISE, Control, evaluate, starting_states
from usf_nbdev.searching.journal import Trial
from usf_nbdev.judging.frechet import feature_statistics
from usf_nbdev.sampling.noise import timesteps
from usf_nbdev.searching import proposers
from usf_nbdev.searching.proposers import (
    S3, STAGES, SearchConfig, distinct, new_children, ranked, spent,
)
from usf_nbdev.sampling.sample import plan_for, sample
from usf_nbdev.sampling.solvers import FAMILIES, ddim, dpm_solver_pp, known_solvers, unipc
from usf_nbdev.searching.space import _change_step, fit_step, random_schedule

MODELS = ('digits', 'digits_dit', 'patches')
NFES = (3, 4, 5, 6, 8, 10)
NOISES = range(60_000, 60_004)
N = 256
# suits most known solvers at 5 calls: quality.csv
OWN_GRID = dict(digits='quadratic', digits_dit='uniform_t', patches='karras')
CALLS = 5
BUDGET = 40
SEEDS = (0, 1, 2)  # of the searches of questions 5 and 9

class Kept:
    "What the control variate remembers, in a file."
    def __init__(self, path):
        self.path = Path(path)
        self.path.parent.mkdir(exist_ok=True)
        self.known = json.loads(self.path.read_text()) if self.path.exists() else {}
    def get(self, key): return self.known.get(key)
    def put(self, key, value):
        self.known[key] = value
        self.path.write_text(json.dumps(self.known))

class Finer(Control):
    "A control variate of 20 steps, uniform in lambda."
    @property
    def schedule(self): return dpm_solver_pp(self.model.noise, 20, grid='uniform_lambda')

@lru_cache(maxsize=1)
def ready(name):
    "Model, metric and control variate."
    model, metric, control = world(name)
    control.store = Kept(f'runs/control-{name}.json')
    if name == 'patches':
        # on its usual grid the control is far from good samples, and takes out little of the chance
        control = Finer(model, metric, control.n, store=control.store)
    return model, metric, control

class Bench:
    "Values of one model: recorded, known from another question, or measured."
    def __init__(self, name):
        self.name = name
        self.model, self.metric, self.control = ready(name)
        self.noise = self.model.noise
        self.known = {}
        for question in ('grids', 'predictions', 'derivatives', 'transfer', 'ablation'):
            for row in Rows(question, ()).rows:
                key = row['model'], row['id'], int(row['n']), int(row['noise'])
                self.known[key] = float(row['value'])
    def value(self, schedule, n, noise):
        "Fréchet distance; infinite where samples explode or no plan exists."
        key = self.name, schedule.id, n, noise
        if key not in self.known:
            try:
                self.known[key] = round(
                    evaluate(self.model, schedule, self.metric, n, noise, control=self.control), 4
                )
            except ValueError:
                self.known[key] = float('inf')
        return self.known[key]
    def record(self, rows, schedule, n, noises=NOISES, **key):
        "One row a noise."
        for noise in noises:
            rows.get(
                lambda: dict(id=schedule.id, n=n, value=self.value(schedule, n, noise)),
                model=self.name,
                **key,
                noise=noise,
            )

# questions 1 to 3: known forms, one decision varied

ENDS = (1, 10)                                   # last time, in units of the noise schedule's
KINDS = dict(
    uniform_t={},
    uniform_lambda={},
    quadratic={},
    karras={},
    karras3=dict(kind='karras', rho=3.0),
    beta={},
)

def grids(bench):
    rows = Rows('grids', ('model', 'family', 'grid', 'end', 'nfe', 'noise'))
    made = {'DDIM': (ddim, {}), 'UniPC-2': (unipc, dict(order=2))}
    for nfe in NFES:
        for grid,options in KINDS.items():
            for end in ENDS:
                settings = dict(kind=grid, t_end=end*bench.noise.t_end) | options
                times = timesteps(bench.noise, nfe, **settings)
                for family in made if end == 1 else ('UniPC-2',):
                    make, own = made[family]
                    bench.record(
                        rows,
                        make(bench.noise, nfe, grid=times, **own),
                        N,
                        family=family,
                        grid=grid,
                        end=end,
                        nfe=nfe,
                    )

def two_grids(bench): return OWN_GRID[bench.name], 'uniform_lambda'

FORMS = {
    'multistep 2': dict(order=2, corrector=False),
    'multistep 3': dict(order=3, corrector=False),
    'multistep 2, corrected': dict(order=2),
}

def predictions(bench):
    "The same Taylor steps without relaxation; only what is expanded differs."
    rows = Rows('predictions', ('model', 'form', 'prediction', 'grid', 'nfe', 'noise'))
    for nfe in NFES:
        for form,options in FORMS.items():
            for grid in two_grids(bench):
                schedule = unipc(bench.noise, nfe, variant='vary', grid=grid, **options)
                for prediction in ('noise', 'data', 'ems'):
                    steps = [replace(step, prediction=prediction) for step in schedule.steps]
                    bench.record(
                        rows,
                        replace(schedule, steps=tuple(steps)),
                        N,
                        form=form,
                        prediction=prediction,
                        grid=grid,
                        nfe=nfe,
                    )

ORDERS = {
    'order 3 to the end': dict(order=3, corrector=False, lower_order_final=False),
    'order 4 to the end': dict(order=4, corrector=False, lower_order_final=False),
    'order 2, corrected with 3': dict(order=2),
}

def lowered(expansion):
    "The k-th derivative from the k nearest nodes."
    if expansion is None: return None
    nearest = [nodes[:k] for k, nodes in enumerate(expansion.points, 1)]
    return replace(expansion, points=tuple(nearest))

def with_lowered(schedule):
    "A schedule whose steps all take the nearest nodes only."
    steps = [
        replace(lowered(step), corrector=lowered(step.corrector)) for step in schedule.steps
    ]
    return replace(schedule, steps=tuple(steps))

def derivatives(bench):
    rows = Rows('derivatives', ('model', 'form', 'estimate', 'prediction', 'grid', 'nfe', 'noise'))
    every = product(NFES[1:-1], ORDERS, ('data', 'noise'), two_grids(bench))
    for nfe, form, prediction, grid in every:
        about = dict(prediction=prediction, grid=grid)
        full = unipc(bench.noise, nfe, variant='vary', **about, **ORDERS[form])
        low = with_lowered(full)
        if low.id == full.id: continue             # too few calls for the orders to be reached
        for estimate, schedule in dict(full=full, low=low).items():
            bench.record(rows, schedule, N, form=form, estimate=estimate, **about, nfe=nfe)

# question 8: schedules found for one model, on another

def front(name, seed):
    recorded = json.loads((ROWS/f'{name}-front-seed{seed}.json').read_text())
    return [read(data) for data in recorded['front']]

def apart(lamb, first, last):
    "Nodes beyond an end are moved inside, at least 0.05 apart."
    nodes = np.r_[first, np.clip(lamb[1:], first, last)]
    def gap(rise): return .05 if rise < 1e-3 else 0
    for i in range(1, len(nodes)):
        nodes[i] = max(nodes[i], nodes[i-1]+gap(nodes[i]-nodes[i-1]))
    nodes[-1] = min(nodes[-1], last)
    for i in range(len(nodes)-2, 0, -1):
        nodes[i] = min(nodes[i], nodes[i+1]-gap(nodes[i+1]-nodes[i]))
    return nodes[1:-1], nodes[-1]

def moved(schedule, noise, how):
    """A schedule for another noise schedule; both ends become its own, and inner nodes keep
    their `lambda`, or their `share` of the whole way in lambda."""
    lamb = schedule.noise.lamb(np.array(schedule.times))
    first, last = float(noise.lamb(noise.T)), float(noise.lamb(noise.t_end))
    if how == 'lambda':
        inner, end = apart(lamb, first, last)
    else:
        own_last = schedule.noise.lamb(schedule.noise.t_end)
        end = last - (own_last-lamb[-1])*(last-first)/(own_last-lamb[0])
        inner = first + (lamb[1:-1]-lamb[0])/(lamb[-1]-lamb[0])*(end-first)
    times = (
        float(noise.T),
        *map(float, noise.t_of_lamb(inner)),
        max(float(noise.t_of_lamb(end)), noise.t_end),
    )
    return replace(schedule, times=times, noise=noise, name='', evidence=None)

def best_known(name, nfe):
    "(family, grid) that was best on the 1,024 samples that tuned the known solvers in quality.csv."
    asked = (name, 'tune', str(nfe))
    rows = Rows('quality', ()).rows
    tuned = [row for row in rows if (row['model'], row['what'], row['nfe']) == asked]
    return min(tuned, key=lambda row: float(row['value']))['name'].split(' · ')

def build(noise, nfe, family, grid):
    make, options = FAMILIES[family]
    return make(noise, nfe, grid=grid, **options)

def of_best_known(bench, source, record):
    "The best known solvers of a model, this one or another."
    for nfe in NFES:
        schedule = build(bench.noise, nfe, *best_known(source, nfe))
        record(schedule, source=source, how='known', seed='', nfe=nfe)

def of_fronts(bench, source, record):
    "The schedules that searches found for a model; another's are moved to this one."
    ways = ('own',) if source == bench.name else ('lambda', 'share')
    for seed in SEEDS:
        for schedule in front(source, seed):
            for how in ways:
                there = schedule if how == 'own' else moved(schedule, bench.noise, how)
                record(there, source=source, how=how, seed=seed, nfe=schedule.nfe)

def of_halves(bench, source, record):
    "At 5 calls: its times or its steps alone, with the rest of the best known solver."
    family, grid = best_known(bench.name, CALLS)
    for seed in SEEDS:
        searched = moved(front(source, seed)[NFES.index(CALLS)], bench.noise, 'share')
        known = build(bench.noise, searched.n_steps, family, grid)
        halves = {
            'times alone': replace(known, times=searched.times, afs=searched.afs, name=''),
            'steps alone': replace(searched, times=known.times),
        }
        for how, schedule in halves.items():
            record(schedule, source=source, how=how, seed=seed, nfe=CALLS)

def transfer(bench):
    rows = Rows('transfer', ('model', 'source', 'how', 'seed', 'nfe', 'noise'))
    record = partial(bench.record, rows, n=N)
    others = [name for name in MODELS if name != bench.name]
    for source in (bench.name, *others):
        of_best_known(bench, source, record)
        of_fronts(bench, source, record)
    for source in others:
        of_halves(bench, source, record)

# question 9: two objectives

def rms(difference): return float(difference.square().mean().sqrt())

class Teacher:
    "The states of a fine solver on one noise, and how far a schedule is from them."
    def __init__(self, bench, n, noise, steps=64):
        self.bench, self.n, self.seed = bench, n, noise
        self.schedule = dpm_solver_pp(bench.noise, steps, grid='uniform_lambda')
        self.lam = bench.noise.lamb(np.array(self.schedule.times))
        self.x = starting_states(bench.model, n, noise)
    @cached_property
    def path(self):
        model, portions = self.bench.model, self.x.split(256)
        with torch.inference_mode():
            paths = [sample(model, self.schedule, x, return_path=True)[1] for x in portions]
        return torch.cat(paths, 1)
    def at(self, lamb):
        "State at any lambda, by a cubic through the four nearest nodes."
        i = int(np.clip(np.searchsorted(self.lam, lamb)-2, 0, len(self.lam)-4))
        nodes = self.lam[i:i+4]
        def weight(node):
            return np.prod([(lamb-other)/(node-other) for other in nodes if other != node])
        return sum(float(weight(node))*x for node, x in zip(nodes, self.path[i:i+4]))
    def judge(self, schedule) -> dict:
        """Fréchet distance; root mean square distance of the samples; mean over the nodes of
        that of the states, in units of sqrt(alpha^2+sigma^2)."""
        try:
            with torch.inference_mode():
                distances = self.distances(schedule)
        except ValueError:
            return dict(fd=float('inf'), end=float('inf'), path=float('inf'))
        digits = dict(fd=4, end=6, path=6)
        return {name: round(distances[name], digits[name]) for name in digits}
    def distances(self, schedule):
        bench = self.bench
        plan = plan_for(bench.model, schedule)
        drawn = [sample(bench.model, plan, x, return_path=True) for x in self.x.split(256)]
        samples = torch.cat([end for end, _ in drawn])
        path = torch.cat([states for _, states in drawn], 1)
        features = feature_statistics(samples.split(256), bench.metric.features)
        times = np.array(schedule.times[1:])
        scales = np.sqrt(bench.noise.alpha(times)**2 + bench.noise.sigma(times)**2)
        nodes = zip([*path[1:-1], samples], bench.noise.lamb(times), scales)
        along = [rms(state-self.at(lamb))/scale for state, lamb, scale in nodes]
        return dict(
            fd=bench.control.distance(features, self.n, self.seed),
            end=rms(samples-self.path[-1]),
            path=float(np.mean(along)),
        )
    @cached_property
    def known(self) -> dict:
        "{known solver: its judgement}, with which every search begins."
        solvers = distinct(known_solvers(self.bench.noise, CALLS, firsts=('none',)))
        return {schedule: self.judge(schedule) for schedule in solvers}

WIDE = replace(STAGES[-1], predictions=('noise', 'data'))

def population(bench):
    "Known solvers, random draws, and children of the best known solvers."
    rng = np.random.default_rng(0)
    space = WIDE.space(bench.model, CALLS)
    known = distinct(known_solvers(bench.noise, CALLS, firsts=('none',)))
    best = sorted(known, key=lambda schedule: bench.value(schedule, N, TRIAL_NOISE))[:12]
    drawn = [random_schedule(space, rng) for _ in range(50)]
    children = new_children(best, space, rng, 110-len(known), set())
    return [
        *(('known', schedule) for schedule in known),
        *(('random', schedule) for schedule in drawn),
        *(('evolved', proposal.schedule) for proposal in children),
    ]

def by_objective(bench, teacher, objective, seed, trials=48):
    "Plain evolution from the known solvers, which count as given."
    rng = np.random.default_rng([seed, 9])
    space = WIDE.space(bench.model, CALLS)
    seen = set()
    scored = {schedule: judged[objective] for schedule,judged in teacher.known.items()}
    for _ in range(trials//16):
        for proposal in new_children(sorted(scored, key=scored.get)[:12], space, rng, 16, seen):
            scored[proposal.schedule] = teacher.judge(proposal.schedule)[objective]
    return min(scored, key=scored.get)

OBJECTIVES = ('fd', 'end', 'path')

def judge_all(bench, rows, part, groups, noise):
    "Record what the teacher of one noise says of schedules, each with its group and its seed."
    teacher = Teacher(bench, N, noise)
    for group, seed, schedule in groups:
        rows.get(
            lambda: dict(n=N, schedule='', **teacher.judge(schedule)),
            model=bench.name,
            part=part,
            group=group,
            seed=seed,
            id=schedule.id,
            noise=noise,
        )

def recorded_winner(rows, name, objective, seed):
    "The row of a search that has been recorded."
    columns = ('model', 'part', 'group', 'seed')
    searched = (name, 'search', objective, str(seed))
    return next((row for row in rows.rows if tuple(map(row.get, columns)) == searched), None)

def winners_of(bench, rows, seed):
    "The winner by each objective on the noise of one seed: recorded, or searched."
    teacher = Teacher(bench, N, TRIAL_NOISE+seed)
    winners = {}
    for name in OBJECTIVES:
        row = recorded_winner(rows, bench.name, name, seed)
        if row is None:
            best = by_objective(bench, teacher, name, seed)
            row = rows.get(
                lambda: dict(n=N, schedule=text_of(best), **teacher.judge(best)),
                model=bench.name,
                part='search',
                group=name,
                seed=seed,
                id=best.id,
                noise=TRIAL_NOISE+seed,
            )
        winners[name, seed] = SolverSchedule.from_json(row['schedule'])
    return winners

def objective(bench):
    rows = Rows('objective', ('model', 'part', 'group', 'seed', 'id', 'noise'))
    # searches come after a complete population
    if not any((row['model'], row['part']) == (bench.name, 'search') for row in rows.rows):
        drawn = [(group, '', schedule) for group, schedule in population(bench)]
        for noise in (TRIAL_NOISE, TRIAL_NOISE+1):
            judge_all(bench, rows, 'population', drawn, noise)
    winners = {}
    for seed in SEEDS:
        winners |= winners_of(bench, rows, seed)
    winners['known', ''] = build(bench.noise, CALLS, *best_known(bench.name, CALLS))
    groups = [(group, seed, schedule) for (group, seed), schedule in winners.items()]
    for noise in NOISES:
        judge_all(bench, rows, 'judged', groups, noise)

# question 5: one decision frozen at a time

def _full(expansion, n_visited, order=None):
    "The expansion at full order over the nearest nodes, at its own order or another."
    order = min(order or expansion.order, n_visited)
    others = [-node for node in range(1, n_visited+1) if -node != expansion.start]
    near = sorted(others, key=lambda node: abs(node-expansion.start))[:order-1]
    return replace(
        expansion,
        order=order,
        points=(tuple(near),)*(order-1),
        relaxation=expansion.relaxation if order > 1 else Relaxation(),
    )

def _each(schedule, change):
    "Every step changed, which may depend on its number."
    steps = [change(i, strategy) for i, strategy in enumerate(schedule.steps)]
    return replace(schedule, steps=tuple(steps))

def _ordered(highest, lower=True):
    """Order k where nodes allow it, lowered at the end as most known solvers do; a corrector has
    one more."""
    def step(schedule, i, strategy):
        order = min(highest, i+1, schedule.n_steps-i if lower else highest)
        corrector = strategy.corrector
        if strategy.order != order:
            bare = _full(replace(strategy, corrector=None), i+1, order)
            strategy = replace(bare, corrector=corrector)
        if corrector is None or corrector.order == order+1: return strategy
        return replace(strategy, corrector=_full(corrector, i+2, order+1))
    return lambda schedule: _each(schedule, lambda i, strategy: step(schedule, i, strategy))

def _plain(schedule):
    "Full-order differences without relaxation."
    def bare(expansion, n_visited):
        if expansion is None: return None
        return _full(replace(expansion, relaxation=Relaxation()), n_visited)
    return _each(
        schedule,
        lambda i, strategy: replace(
            bare(replace(strategy, corrector=None), i+1), corrector=bare(strategy.corrector, i+2)
        ),
    )

def _equal(schedule, lower=False):
    """Every step is one of them (the last but one, or where orders are lowered the middle one),
    trimmed to the nodes that are there."""
    strategy = schedule.steps[schedule.n_steps//2 if lower else -2]
    schedule = _each(schedule, lambda i, _: fit_step(strategy, i, schedule.n_steps))
    return _ordered(strategy.order)(schedule) if lower else schedule

def arms(bench):
    "Name -> (what of the stages is closed, how every proposal is mapped)."
    family, grid = best_known(bench.name, CALLS)
    order = next((int(letter) for letter in family if letter.isdigit()), 1)
    def steps_of(schedule): return build(bench.noise, schedule.n_steps, family, grid)
    def on_grid(schedule):
        times = timesteps(bench.noise, schedule.n_steps, grid).tolist()
        return replace(schedule, times=tuple(times))
    def with_steps(**choice):
        return lambda schedule: _each(schedule, lambda _, strategy: replace(strategy, **choice))
    def times_alone(schedule):
        return replace(steps_of(schedule), times=schedule.times, afs=schedule.afs, name='')
    def same(schedule): return schedule
    return {
        'everything free': ({}, same),
        'times fixed': ({}, on_grid),
        'data only': (dict(predictions=('data',)), with_steps(prediction='data')),
        'noise only': (dict(predictions=('noise',)), with_steps(prediction='noise')),
        'order fixed': ({}, _ordered(order, not family.startswith('DEIS'))),
        'plain differences': (dict(low_order=False, relaxations=('none',)), _plain),
        'no corrector': (dict(correctors=False), with_steps(corrector=None)),
        'no start points': (dict(starts=False), same),
        'no first step': (dict(afs=('none',)), same),
        'steps equal': ({}, _equal),
        'steps equal, lowered': ({}, lambda schedule: _equal(schedule, True)),
        'times alone': (dict(predictions=('data',)), times_alone),
    }

class Restricted(S3):
    "S3 in which every proposal is mapped into a smaller space."
    def __init__(self, model, config, to_smaller):
        super().__init__(model, config)
        self.to_smaller = to_smaller
    def mapped(self, proposals):
        "Proposals in the smaller space, each once, under their own names."
        first_steps = {first_step for stage in self.config.stages for first_step in stage.afs}
        by_id = {}
        for proposal in reversed(proposals):
            schedule = proposal.schedule
            if schedule.afs in first_steps:
                smaller = replace(self.to_smaller(schedule), name=schedule.name)
                by_id[smaller.id] = replace(proposal, schedule=smaller)
        return list(by_id.values())[::-1]
    def known(self, round, trials): return self.mapped(super().known(round, trials))

def mapped_child(to_smaller, equal):
    """How children are made while a restricted search runs: as ever, then mapped; where all
    steps are equal, the one strategy is changed more often."""
    ordinary = proposers.child
    def child(parents, space, rng):
        proposal = ordinary(parents, space, rng)
        schedule = proposal.schedule
        i = schedule.n_steps//2 if equal == 'lowered' else schedule.n_steps-2
        if equal and rng.random() < .5:
            steps = list(schedule.steps)
            steps[i] = _change_step(space, rng, schedule, i)
            schedule = replace(schedule, steps=tuple(steps))
        return replace(proposal, schedule=to_smaller(schedule))
    return child

def narrowed(stage, closed):
    "A stage of a search without the choices that are closed."
    predictions = closed.get('predictions', ('noise', 'data'))
    allowed = tuple(name for name in stage.predictions if name in predictions)
    return replace(stage, **closed | dict(predictions=allowed or predictions))

@contextmanager
def children_by(child):
    "While it lasts, searches make their children so."
    ordinary, proposers.child = proposers.child, child
    try:
        yield
    finally:
        proposers.child = ordinary

@dataclass
class Course:
    "What a search in memory has measured so far, and how its best value fell."
    bench:Bench
    config:SearchConfig
    trials:list = field(default_factory=list)
    curve:list = field(default_factory=list)      # [full trials spent, best value so far]
    best:float = float('inf')
    @property
    def spent(self): return spent(self.trials, CALLS, self.config.n)
    def value(self, schedule, n):
        "Fréchet distance on the noise of trials; None where samples explode."
        bench, noise = self.bench, TRIAL_NOISE+self.config.seed
        try:
            return evaluate(bench.model, schedule, bench.metric, n, noise, control=bench.control)
        except ValueError:
            return None
    def measure(self, proposal, generation):
        "A proposal becomes a trial."
        n = proposal.n or self.config.n
        value = self.value(proposal.schedule, n)
        trial = Trial(
            number=len(self.trials),
            generation=generation,
            origin=proposal.origin,
            nfe=CALLS,
            schedule=text_of(proposal.schedule),
            key=proposal.schedule.id,
            state='fail' if value is None else 'done',
            value=value,
            n=n,
            info=proposal.info,
        )
        self.trials.append(trial)
        if value is not None and n == self.config.n and value < self.best:
            self.best = value
            samples = sum(earlier.n for earlier in self.trials)
            self.curve.append([round(samples/n, 2), round(value, 4)])

EQUAL_ARMS = {'steps equal': 'all', 'steps equal, lowered': 'lowered'}

def search_in(bench, arm, seed):
    "One search of a restricted space in memory: its best schedule, and its course."
    closed, to_smaller = arms(bench)[arm]
    stages = tuple(narrowed(stage, closed) for stage in STAGES)
    config = SearchConfig(nfe=CALLS, seed=seed, budget=BUDGET, n=N, stages=stages)
    optimiser = Restricted(bench.model, config, to_smaller)
    course = Course(bench, config)
    generation = 0
    with children_by(mapped_child(to_smaller, EQUAL_ARMS.get(arm))):
        while course.spent < BUDGET and (asked := optimiser.ask(generation, course.trials)):
            for proposal in asked:
                course.measure(proposal, generation)
            generation += 1
    return ranked(course.trials, CALLS, N)[0][0], course

def ablation(bench):
    rows = Rows('ablation', ('model', 'arm', 'seed', 'noise'))
    def record(arm, seed, schedule, budget, final, spent, curve):
        "A row for each noise; the curve and the schedule stand in the first."
        for noise in NOISES:
            once = noise == NOISES[0]
            rows.get(
                lambda: dict(
                    id=schedule.id,
                    n=N,
                    value=bench.value(schedule, N, noise),
                    budget=budget,
                    final=final,
                    spent=spent,
                    curve=curve*once,
                    schedule=text_of(schedule)*once,
                ),
                model=bench.name,
                arm=arm,
                seed=seed,
                noise=noise,
            )
    known = build(bench.noise, CALLS, *best_known(bench.name, CALLS))
    record('best known', '', known, 0, '', 0, '')
    for seed in SEEDS:
        for arm in arms(bench):
            of_arm = dict(model=bench.name, arm=arm, seed=seed)
            if all(rows.find(**of_arm, noise=noise) for noise in NOISES): continue
            best, course = search_in(bench, arm, seed)
            final, used = round(course.best, 4), round(course.spent, 2)
            record(arm, seed, best, BUDGET, final, used, json.dumps(course.curve))

QUESTIONS = {2: predictions, 3: derivatives, 1: grids, 8: transfer, 9: objective, 5: ablation}

def answer(task):
    "One question on one model."
    question, name = task
    torch.set_num_threads(1)
    QUESTIONS[question](Bench(name))
    return task

def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--questions', type=int, nargs='*', default=list(QUESTIONS), choices=list(QUESTIONS)
    )
    parser.add_argument('--models', nargs='*', default=list(MODELS))
    parser.add_argument('--workers', type=int, default=1, help='processes, one a model')
    asked = parser.parse_args()
    questions = [question for question in QUESTIONS if question in asked.questions]
    tasks = list(product(questions, asked.models))
    if asked.workers == 1:
        for task in tasks:
            print('question', *answer(task), 'done', flush=True)
        return
    with ProcessPoolExecutor(asked.workers, mp_context=get_context('spawn')) as pool:
        for task in pool.map(answer, tasks):
            print('question', *task, 'done', flush=True)

if __name__ == '__main__':
    main()
