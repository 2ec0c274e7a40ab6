"""How much faster are two of Ray's workers than one, and does a search survive their deaths?

    python benchmarks/ray_workers.py
        # trials per second in this process, of one and of two workers; a few minutes on 2 idle
        cores
    python benchmarks/ray_workers.py --kill
        # a worker is killed at ten random moments of each of five searches on `digits`; ten
        minutes
    python benchmarks/ray_workers.py --again
        # forget the recorded rows of what is asked for, and measure anew

Speed: 128 full trials (random schedules of five calls, 256 samples each, one thread for each
worker) go through the same driver as in a search, journal included, round by round in this
process, with
one worker and with two, side by side in one run; starting Ray and making the control's
statistics is not counted. What is asked for is a ratio of 1.7 for two workers against one.

Kill: a small search on `digits` at 3 and 4 calls runs in this process, undisturbed; then five
times with two of Ray's workers, of which one is killed with SIGKILL at ten random moments (or as
soon after as both are
there). Every search is recorded, whatever came of it. The journal that each ends with must be
the same: every trial with its number, generation, schedule, state and value, every note on
random states,
predictor, control and polish, bit for bit. Rows: benchmarks/rows/ray.csv.
"""
import os, random, signal, statistics, sys, tempfile, threading, time
from functools import partial
from pathlib import Path
import numpy as np, torch
from threadpoolctl import threadpool_limits
from common import Rows
from usf_nbdev.searching.ray_search import Driver, WorkerJudge
from usf_nbdev.searching.worker_pool import RayWorkers, connect_ray
from usf_nbdev.searching.journal import Journal, Trial
from usf_nbdev.judging.frechet import FrechetMetric
from usf_nbdev.searching.proposers import STAGES, SearchConfig
from usf_nbdev.searching.runner import Searcher
from usf_nbdev.searching.search import search
from usf_nbdev.searching.space import random_schedule
from usf_nbdev.zoo.models import load_model

TRIALS, ROUNDS, KILLS, SEARCHES = 128, 5, 10, 5
COLUMNS = dict(trials='', seconds='', per_second='', moment='', busy='', deaths='', identical='')
ROW = dict(what='', workers='', round='')

def setup():
    torch.set_num_threads(1)
    threadpool_limits(1)
    m = load_model('digits')
    return m, FrechetMetric(m.features, m.reference), SearchConfig(nfe=5, control_n=1024)

def propose(journal, model, config, generation, count):
    rng, space = np.random.default_rng(generation), STAGES[-1].space(model, 5)
    made = [random_schedule(space, rng) for _ in range(count)]
    journal.propose(
        [
            Trial(
                generation=generation,
                nfe=5,
                schedule=s.to_json(indent=None, weights=False),
                key=s.id,
                n=config.n,
                seed=10_000,
            )
            for s in made
        ]
    )

class Kept:
    "A team that outlives the driver."
    def __init__(self, *args): self.team = RayWorkers(*args)
    def __call__(self): return self.team

def run(tmp, name, generation, count, searcher):
    "Trials per second of a searcher on a new journal."
    model, metric, config = setup()
    with Journal(Path(tmp)/f'{name}-{generation}.db', {}) as j:
        s = searcher(j, model, metric, config, 'random')
        s.trials = []
        propose(j, model, config, 0, 8)
        s.run_waiting()  # the control's statistics, and every worker's first call
        propose(j, model, config, generation, count)
        start = time.perf_counter()
        s.run_waiting()
        seconds = time.perf_counter()-start
        assert len(j.trials('done')) + len(j.trials('fail')) == count+8
        return seconds, [(t.key, t.value) for t in j.trials()]

def speed(rows):
    make = partial(WorkerJudge, *setup())
    found = {}
    connect_ray('local', 3)
    teams = {k: Kept(make, k) for k in (1, 2)}
    kinds = {0: Searcher} | {k: partial(Driver, t) for k,t in teams.items()}
    with tempfile.TemporaryDirectory() as tmp:
        for r in range(ROUNDS):
            for k,s in kinds.items():
                def measure():
                    seconds, found[r, k] = run(tmp, k, r+1, TRIALS, s)
                    return COLUMNS | dict(
                        trials=TRIALS,
                        seconds=round(seconds, 3),
                        per_second=round(TRIALS/seconds, 2),
                        identical=found[r, k] == found.get((r, 0), found[r, k]),
                    )
                row = rows.get(measure, **ROW | dict(what='speed', workers=k, round=r))
                print(r, k, row['per_second'], row['identical'], flush=True)
    for t in teams.values():
        t.team.close()
    rate = {
        k: [float(rows.find(what='speed', workers=k, round=r)['per_second']) for r in range(ROUNDS)]
        for k in kinds
    }
    for a,b in ((2, 1), (1, 0), (2, 0)):
        print(
            f'{a} to {b} workers: '
            f'{statistics.median(x / y for x, y in zip(rate[a], rate[b])):.2f} (rounds '
            f'{", ".join(f"{x / y:.2f}" for x, y in zip(rate[a], rate[b]))})'
        )

def contents(path):
    "Trials and notes, without what depends on the clock."
    with Journal(path) as j:
        return [{k: v for k,v in vars(t).items() if k != 'seconds'} for t in j.trials()], {
            k: v for k,v in j.notes('').items() if not k.startswith('cost:')
        }

class Killer(threading.Thread):
    "Kills a worker of a team at given moments, in seconds after its first answer."
    def __init__(self, moments, seconds):
        super().__init__(daemon=True)
        self.moments, self.length, self.team, self.begun, self.log = (
            moments,
            seconds,
            None,
            threading.Event(),
            [],
        )
        self.shot = set()
    def hire(self, make):
        self.team = RayWorkers(make, 2, 'local')
        return self.team
    def told(self, t): self.begun.set()
    def run(self):
        self.begun.wait()
        start, rng = time.monotonic(), random.Random(1)
        for m in self.moments:
            time.sleep(max(0, m*self.length - (time.monotonic()-start)))
            while (
                len(
                    alive := [
                        w for w in list(self.team.team) if w.ready and w.place not in self.shot
                    ]
                )
                < self.team.count
            ):
                time.sleep(.01)
            w = rng.choice(alive)
            job = w.job
            os.kill(w.place[1], signal.SIGKILL)
            self.shot.add(w.place)
            self.log.append(
                (round(time.monotonic()-start, 2), 'idle' if job is None else job.method)
            )

def differences(a, b):
    "What differs between the contents of two journals, in words."
    trials = [
        f"trial {x['number']}: "
        + ', '.join(f'{k} {x[k]!r:.60} -> {y[k]!r:.60}' for k in x if x[k] != y[k])
        for x,y in zip(a[0], b[0])
        if x != y
    ]
    return (
        [f'{len(a[0])} -> {len(b[0])} trials']*(len(a[0]) != len(b[0]))
        + trials[:5]
        + [f'note {k}' for k in sorted({*a[1], *b[1]}) if a[1].get(k) != b[1].get(k)]
    )

def kill(rows):
    model = setup()[0]
    settings = dict(
        nfe=(3, 4),
        budget=100,
        n=128,
        control_n=1024,
        final_n=1024,
        confirm_n=1024,
        finalists=3,
        polish_n=256,
        polish_steps=8,
        progress=False,
    )
    good = True
    with tempfile.TemporaryDirectory() as tmp:
        start = time.perf_counter()
        search(model, journal=f'{tmp}/whole.db', **settings)
        length = time.perf_counter()-start
        whole = contents(f'{tmp}/whole.db')
        print(f'undisturbed: {length:.0f} s, {len(whole[0])} trials', flush=True)
        if not any(k.startswith('tau:') for k in whole[1]):
            raise SystemExit(
                'the search is too small: the predictor that promotes was never trained'
            )
        for seed in range(SEARCHES):
            if rows.find(**ROW | dict(what='kill', workers=2, round=KILLS*seed)):
                print(f'search {seed} is recorded')
                continue
            rng = random.Random(seed)
            killer = Killer(sorted(rng.uniform(0, .8) for _ in range(KILLS)), length)
            killer.start()
            search(
                model, journal=f'{tmp}/{seed}.db', ray=killer.hire, callback=killer.told, **settings
            )
            found = contents(f'{tmp}/{seed}.db')
            same = found == whole
            good &= same and len(killer.log) == KILLS
            for r,(moment, busy) in enumerate(killer.log):
                rows.get(
                    lambda: (
                        COLUMNS
                        | dict(
                            trials=len(found[0]),
                            moment=moment,
                            busy=busy,
                            deaths=killer.team.deaths,
                            identical=same,
                        )
                    ),
                    **ROW | dict(what='kill', workers=2, round=KILLS*seed+r),
                )
            print(
                f'search {seed}: {len(killer.log)} kills, {killer.team.deaths} deaths noticed, '
                f'identical: {same}',
                *differences(whole, found),
                sep='\n  ',
                flush=True,
            )
    return not good

def forget(rows, what):
    import csv
    rows.rows = [r for r in rows.rows if r['what'] != what]
    if not rows.path.exists(): return
    if not rows.rows: return rows.path.unlink()
    with rows.path.open('w', newline='') as f:
        w = csv.DictWriter(f, rows.rows[0], lineterminator='\n')
        w.writeheader()
        w.writerows(rows.rows)

if __name__ == '__main__':
    what = 'kill' if '--kill' in sys.argv else 'speed'
    rows = Rows('ray', tuple(ROW))
    if '--again' in sys.argv:
        forget(rows, what)
    sys.exit(dict(kill=kill, speed=speed)[what](rows))
