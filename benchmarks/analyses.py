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
Model statistics for `ems` are estimated once (1,024 states, 81 values of lambda) where a model
has none, and kept in runs/.
"""
import argparse, json
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
import numpy as np, torch
from common import ROWS, Rows, text_of
from efficiency import world
from usf_nbdev.core import Relaxation, SolverSchedule
from usf_nbdev.sampling.ems import EMS, estimate_ems
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
    def get(self, k): return self.known.get(k)
    def put(self, k, v):
        self.known[k] = v
        self.path.write_text(json.dumps(self.known))

class Finer(Control):
    "A control variate of 20 steps, uniform in lambda."
    @property
    def schedule(self): return dpm_solver_pp(self.model.noise, 20, grid='uniform_lambda')

@lru_cache(maxsize=1)
def ready(name):
    "Model, metric and control variate; the model knows its statistics."
    m, metric, control = world(name)
    control.store = Kept(f'runs/control-{name}.json')
    if name == 'patches':
        # on its usual grid the control is far from good samples, and takes out little of the chance
        control = Finer(m, metric, control.n, store=control.store)
    if m.ems is None:
        f = Path('runs')/f'ems-{name}.safetensors'
        if not f.exists():
            from usf_nbdev.zoo import train
            f.parent.mkdir(exist_ok=True)
            estimate_ems(
                m,
                (train.patches_data if name == 'patches' else train.digits_data)()[0][:],
                progress=False,
            ).save(f)
        m.ems = EMS.load(f).refine(5)
    return m, metric, control

class Bench:
    "Values of one model: recorded, known from another question, or measured."
    def __init__(self, name):
        self.name = name
        self.model, self.metric, self.control = ready(name)
        self.noise = self.model.noise
        self.known = {}
        for q in ('grids', 'predictions', 'derivatives', 'transfer', 'ablation'):
            for r in Rows(q, ()).rows:
                self.known[r['model'], r['id'], int(r['n']), int(r['noise'])] = float(r['value'])
    def value(self, s, n, noise):
        "Fréchet distance; infinite where samples explode or no plan exists."
        k = self.name, s.id, n, noise
        if k not in self.known:
            try:
                self.known[k] = round(
                    evaluate(self.model, s, self.metric, n, noise, control=self.control), 4
                )
            except ValueError:
                self.known[k] = float('inf')
        return self.known[k]
    def record(self, rows, s, n, noises=NOISES, **key):
        "One row a noise."
        for z in noises:
            rows.get(
                lambda: dict(id=s.id, n=n, value=self.value(s, n, z)),
                model=self.name,
                **key,
                noise=z,
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

def grids(b):
    rows = Rows('grids', ('model', 'family', 'grid', 'end', 'nfe', 'noise'))
    made = {'DDIM': (ddim, {}), 'UniPC-2': (unipc, dict(order=2))}
    for nfe in NFES:
        for grid,kw in KINDS.items():
            for end in ENDS:
                times = timesteps(b.noise, nfe, **dict(kind=grid, t_end=end*b.noise.t_end) | kw)
                for family in made if end == 1 else ('UniPC-2',):
                    make, more = made[family]
                    b.record(
                        rows,
                        make(b.noise, nfe, grid=times, **more),
                        N,
                        family=family,
                        grid=grid,
                        end=end,
                        nfe=nfe,
                    )

def two_grids(b): return OWN_GRID[b.name], 'uniform_lambda'

FORMS = {
    'multistep 2': dict(order=2, corrector=False),
    'multistep 3': dict(order=3, corrector=False),
    'multistep 2, corrected': dict(order=2),
}

def predictions(b):
    "The same Taylor steps without relaxation; only what is expanded differs."
    rows = Rows('predictions', ('model', 'form', 'prediction', 'grid', 'nfe', 'noise'))
    for nfe in NFES:
        for form,kw in FORMS.items():
            for grid in two_grids(b):
                s = unipc(b.noise, nfe, variant='vary', grid=grid, **kw)
                for p in ('noise', 'data', 'ems'):
                    b.record(
                        rows,
                        replace(s, steps=tuple(replace(o, prediction=p) for o in s.steps)),
                        N,
                        form=form,
                        prediction=p,
                        grid=grid,
                        nfe=nfe,
                    )

ORDERS = {
    'order 3 to the end': dict(order=3, corrector=False, lower_order_final=False),
    'order 4 to the end': dict(order=4, corrector=False, lower_order_final=False),
    'order 2, corrected with 3': dict(order=2),
}

def lowered(e):
    "The k-th derivative from the k nearest nodes."
    return None if e is None else replace(e, points=tuple(p[:k] for k,p in enumerate(e.points, 1)))

def derivatives(b):
    rows = Rows('derivatives', ('model', 'form', 'estimate', 'prediction', 'grid', 'nfe', 'noise'))
    for nfe in NFES[1:-1]:
        for form,kw in ORDERS.items():
            for p in ('data', 'noise'):
                for grid in two_grids(b):
                    full = unipc(b.noise, nfe, variant='vary', prediction=p, grid=grid, **kw)
                    low = replace(
                        full,
                        steps=tuple(
                            replace(lowered(o), corrector=lowered(o.corrector)) for o in full.steps
                        ),
                    )
                    if low.id == full.id:
                        continue             # too few calls for the orders to be reached
                    for what,s in dict(full=full, low=low).items():
                        b.record(
                            rows, s, N, form=form, estimate=what, prediction=p, grid=grid, nfe=nfe
                        )

# question 8: schedules found for one model, on another

def front(name, seed):
    return [
        SolverSchedule.from_json(json.dumps(o))
        for o in json.loads((ROWS/f'{name}-front-seed{seed}.json').read_text())['front']
    ]

def moved(s, noise, how):
    """A schedule for another noise schedule; both ends become its own, and inner nodes keep
    their `lambda`, or their `share` of the whole way in lambda."""
    lam = s.noise.lamb(np.array(s.times))
    a, z = float(noise.lamb(noise.T)), float(noise.lamb(noise.t_end))
    if how == 'lambda':  # nodes beyond an end are moved inside, at least 0.05 apart
        l = np.r_[a, np.clip(lam[1:], a, z)]
        for i in range(1, len(l)):
            l[i] = max(l[i], l[i-1]+(.05 if l[i]-l[i-1] < 1e-3 else 0))
        end = l[-1] = min(l[-1], z)
        for i in range(len(l)-2, 0, -1):
            l[i] = min(l[i], l[i+1]-(.05 if l[i+1]-l[i] < 1e-3 else 0))
        inner = l[1:-1]
    else:
        end = z - (s.noise.lamb(s.noise.t_end)-lam[-1])*(z-a)/(s.noise.lamb(s.noise.t_end)-lam[0])
        inner = a + (lam[1:-1]-lam[0])/(lam[-1]-lam[0])*(end-a)
    t = (
        float(noise.T),
        *map(float, noise.t_of_lamb(inner)),
        max(float(noise.t_of_lamb(end)), noise.t_end),
    )
    return replace(s, times=t, noise=noise, name='', evidence=None)

def best_known(name, nfe):
    "(family, grid) that was best on the 1,024 samples that tuned the known solvers in quality.csv."
    r = min(
        (
            r
            for r in Rows('quality', ()).rows
            if r['model'] == name and r['what'] == 'tune' and int(r['nfe']) == nfe
        ),
        key=lambda r: float(r['value']),
    )
    return r['name'].split(' · ')

def build(noise, nfe, family, grid):
    make, kw = FAMILIES[family]
    return make(noise, nfe, grid=grid, **kw)

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

class Teacher:
    "The states of a fine solver on one noise, and how far a schedule is from them."
    def __init__(self, b, n, noise, steps=64):
        self.b, self.n, self.seed, self.schedule = (
            b,
            n,
            noise,
            dpm_solver_pp(b.noise, steps, grid='uniform_lambda'),
        )
        self.lam = b.noise.lamb(np.array(self.schedule.times))
        self.x = starting_states(b.model, n, noise)
    @cached_property
    def path(self):
        with torch.inference_mode():
            return torch.cat(
                [
                    sample(self.b.model, self.schedule, x, return_path=True)[1]
                    for x in self.x.split(256)
                ],
                1,
            )
    def at(self, lam):
        "State at any lambda, by a cubic through the four nearest nodes."
        i = int(np.clip(np.searchsorted(self.lam, lam)-2, 0, len(self.lam)-4))
        l = self.lam[i:i+4]
        w = [np.prod([(lam-q)/(p-q) for q in l if q != p]) for p in l]
        return sum(float(v)*x for v,x in zip(w, self.path[i:i+4]))
    def judge(self, s) -> dict:
        """Fréchet distance; root mean square distance of the samples; mean over the nodes of
        that of the states, in units of sqrt(alpha^2+sigma^2)."""
        b = self.b
        try:
            with torch.inference_mode():
                plan = plan_for(b.model, s)
                out = [sample(b.model, plan, x, return_path=True) for x in self.x.split(256)]
                x, path = torch.cat([o for o,_ in out]), torch.cat([p for _,p in out], 1)
                fd = b.control.distance(
                    feature_statistics(x.split(256), b.metric.features), self.n, self.seed
                )
                def rms(d): return float(d.square().mean().sqrt())
                t = np.array(s.times[1:])
                scale = np.sqrt(b.noise.alpha(t)**2 + b.noise.sigma(t)**2)
                along = np.mean(
                    [
                        rms(p-self.at(l))/c
                        for p,l,c in zip([*path[1:-1], x], b.noise.lamb(t), scale)
                    ]
                )
            return dict(
                fd=round(fd, 4), end=round(rms(x-self.path[-1]), 6), path=round(float(along), 6)
            )
        except ValueError:
            return dict(fd=float('inf'), end=float('inf'), path=float('inf'))
    @cached_property
    def known(self) -> dict:
        "{known solver: its judgement}, with which every search begins."
        solvers = distinct(known_solvers(self.b.noise, CALLS, firsts=('none',)))
        return {schedule: self.judge(schedule) for schedule in solvers}

WIDE = replace(STAGES[-1], predictions=('noise', 'data'))

def population(b):
    "Known solvers, random draws, and children of the best known solvers."
    rng = np.random.default_rng(0)
    space = WIDE.space(b.model, CALLS)
    known = distinct(known_solvers(b.noise, CALLS, firsts=('none',)))
    best = sorted(known, key=lambda s: b.value(s, N, TRIAL_NOISE))[:12]
    return (
        [('known', s) for s in known]
        + [('random', random_schedule(space, rng)) for _ in range(50)]
        + [('evolved', p.schedule) for p in new_children(best, space, rng, 110-len(known), set())]
    )

def by_objective(b, teacher, objective, seed, trials=48):
    "Plain evolution from the known solvers, which count as given."
    rng = np.random.default_rng([seed, 9])
    space = WIDE.space(b.model, CALLS)
    seen = set()
    scored = {s: v[objective] for s,v in teacher.known.items()}
    for _ in range(trials//16):
        for p in new_children(sorted(scored, key=scored.get)[:12], space, rng, 16, seen):
            scored[p.schedule] = teacher.judge(p.schedule)[objective]
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

def _full(e, n_visited, order=None):
    "The expansion at full order over the nearest nodes, at its own order or another."
    order = min(order or e.order, n_visited)
    near = sorted(
        (-j for j in range(1, n_visited+1) if -j != e.start), key=lambda j: abs(j-e.start)
    )[:order-1]
    return replace(
        e,
        order=order,
        points=(tuple(near),)*(order-1),
        relaxation=e.relaxation if order > 1 else Relaxation(),
    )

def _each(s, f): return replace(s, steps=tuple(f(i, o) for i,o in enumerate(s.steps)))

def _ordered(k, lower=True):
    """Order k where nodes allow it, lowered at the end as most known solvers do; a corrector has
    one more."""
    def step(s, i, o):
        p = min(k, i+1, s.n_steps-i if lower else k)
        o = (
            o
            if o.order == p
            else replace(_full(replace(o, corrector=None), i+1, p), corrector=o.corrector)
        )
        c = o.corrector
        return o if c is None or c.order == p+1 else replace(o, corrector=_full(c, i+2, p+1))
    return lambda s: _each(s, lambda i, o: step(s, i, o))

def _plain(s):
    "Full-order differences without relaxation."
    def bare(e, n): return None if e is None else _full(replace(e, relaxation=Relaxation()), n)
    return _each(
        s,
        lambda i, o: replace(
            bare(replace(o, corrector=None), i+1), corrector=bare(o.corrector, i+2)
        ),
    )

def _equal(s, lower=False):
    """Every step is one of them (the last but one, or where orders are lowered the middle one),
    trimmed to the nodes that are there."""
    o = s.steps[s.n_steps//2 if lower else -2]
    s = _each(s, lambda i, _: fit_step(o, i, s.n_steps))
    return _ordered(o.order)(s) if lower else s

def arms(b):
    "Name -> (what of the stages is closed, how every proposal is mapped)."
    family, grid = best_known(b.name, CALLS)
    k = next((int(c) for c in family if c.isdigit()), 1)
    def steps_of(s): return build(b.noise, s.n_steps, family, grid)
    def on_grid(s): return replace(s, times=tuple(timesteps(b.noise, s.n_steps, grid).tolist()))
    def of(p): return lambda s: _each(s, lambda i, o: replace(o, prediction=p))
    def same(s): return s
    return {
        'everything free': ({}, same),
        'times fixed': ({}, on_grid),
        'data only': (dict(predictions=('data',)), of('data')),
        'noise only': (dict(predictions=('noise',)), of('noise')),
        'order fixed': ({}, _ordered(k, not family.startswith('DEIS'))),
        'plain differences': (dict(low_order=False, relaxations=('none',)), _plain),
        'no corrector': (
            dict(correctors=False),
            lambda s: _each(s, lambda i, o: replace(o, corrector=None)),
        ),
        'no start points': (dict(starts=False), same),
        'no first step': (dict(afs=('none',)), same),
        'steps equal': ({}, _equal),
        'steps equal, lowered': ({}, lambda s: _equal(s, True)),
        'times alone': (
            dict(predictions=('data',)),
            lambda s: replace(steps_of(s), times=s.times, afs=s.afs, name=''),
        ),
    }

class Restricted(S3):
    "S3 in which every proposal is mapped into a smaller space."
    def __init__(self, model, config, f):
        super().__init__(model, config)
        self.f = f
    def mapped(self, made):
        "Proposals in the smaller space, each once, under their own names."
        first_steps = {a for stage in self.config.stages for a in stage.afs}
        smaller = [
            replace(p, schedule=replace(self.f(p.schedule), name=p.schedule.name))
            for p in made
            if p.schedule.afs in first_steps
        ]
        return list({p.schedule.id: p for p in reversed(smaller)}.values())[::-1]
    def known(self, round, trials): return self.mapped(super().known(round, trials))

def mapped_child(f, equal):
    """How children are made while a restricted search runs: as ever, then mapped; where all
    steps are equal, the one strategy is changed more often."""
    ordinary = proposers.child
    def child(parents, space, rng):
        p = ordinary(parents, space, rng)
        s = p.schedule
        i = s.n_steps//2 if equal == 'lowered' else s.n_steps-2
        if equal and rng.random() < .5:
            s = replace(
                s,
                steps=tuple(
                    _change_step(space, rng, s, i) if j == i else o for j,o in enumerate(s.steps)
                ),
            )
        return replace(p, schedule=f(s))
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
            self.curve.append([round(sum(t.n for t in self.trials)/n, 2), round(value, 4)])

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
    q, name = task
    torch.set_num_threads(1)
    QUESTIONS[q](Bench(name))
    return task

def main():
    a = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    a.add_argument(
        '--questions', type=int, nargs='*', default=list(QUESTIONS), choices=list(QUESTIONS)
    )
    a.add_argument('--models', nargs='*', default=list(MODELS))
    a.add_argument('--workers', type=int, default=1, help='processes, one a model')
    a = a.parse_args()
    tasks = [(q, m) for q in QUESTIONS if q in a.questions for m in a.models]
    if a.workers == 1:
        for t in sorted(tasks, key=lambda t: list(QUESTIONS).index(t[0])):
            print('question', *answer(t), 'done', flush=True)
        return
    with ProcessPoolExecutor(a.workers, mp_context=get_context('spawn')) as pool:
        for t in pool.map(answer, tasks):
            print('question', *t, 'done', flush=True)

if __name__ == '__main__':
    main()
