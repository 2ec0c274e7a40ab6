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
from itertools import product
from pathlib import Path
import numpy as np, torch
from threadpoolctl import threadpool_limits
from common import Rows, text_of, without_seconds
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
    model = load_model('digits')
    metric = FrechetMetric(model.features, model.reference)
    return model, metric, SearchConfig(nfe=5, control_n=1024)

def propose(journal, model, config, generation, count):
    generator, space = np.random.default_rng(generation), STAGES[-1].space(model, 5)
    schedules = [random_schedule(space, generator) for _ in range(count)]
    about = dict(generation=generation, nfe=5, n=config.n, seed=10_000)
    journal.propose(
        [
            Trial(schedule=text_of(schedule), key=schedule.id, **about)
            for schedule in schedules
        ]
    )

class Kept:
    "A team that outlives the driver."
    def __init__(self, *args): self.team = RayWorkers(*args)
    def __call__(self): return self.team

def run(folder, name, generation, count, make):
    "Seconds of a searcher on a new journal, and the values it found."
    model, metric, config = setup()
    with Journal(Path(folder)/f'{name}-{generation}.db', {}) as journal:
        searcher = make(journal, model, metric, config, 'random')
        searcher.trials = []
        propose(journal, model, config, 0, 8)
        searcher.run_waiting()  # the control's statistics, and every worker's first call
        propose(journal, model, config, generation, count)
        start = time.perf_counter()
        searcher.run_waiting()
        seconds = time.perf_counter()-start
        assert len(journal.trials('done')) + len(journal.trials('fail')) == count+8
        return seconds, [(trial.key, trial.value) for trial in journal.trials()]

def measure_rounds(rows, makers):
    "Every number of workers in every round, in turn."
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, (workers, make) in product(range(ROUNDS), makers.items()):
            def measure():
                seconds, values = run(folder, workers, number+1, TRIALS, make)
                found[number, workers] = values
                return COLUMNS | dict(
                    trials=TRIALS,
                    seconds=round(seconds, 3),
                    per_second=round(TRIALS/seconds, 2),
                    identical=values == found.get((number, 0), values),
                )
            row = rows.get(measure, **ROW | dict(what='speed', workers=workers, round=number))
            print(number, workers, row['per_second'], row['identical'], flush=True)

def rates(rows, workers):
    "Trials per second in every round."
    key = ROW | dict(what='speed', workers=workers)
    return [float(rows.find(**key | dict(round=r))['per_second']) for r in range(ROUNDS)]

def speed(rows):
    make = partial(WorkerJudge, *setup())
    connect_ray('local', 3)
    teams = {workers: Kept(make, workers) for workers in (1, 2)}
    hosted = {workers: partial(Driver, team) for workers, team in teams.items()}
    measure_rounds(rows, {0: Searcher} | hosted)
    for team in teams.values():
        team.team.close()
    for many, few in ((2, 1), (1, 0), (2, 0)):
        ratios = [high/low for high, low in zip(rates(rows, many), rates(rows, few))]
        print(
            f'{many} to {few} workers: {statistics.median(ratios):.2f} (rounds '
            f'{", ".join(f"{ratio:.2f}" for ratio in ratios)})'
        )

def contents(path):
    "Trials and notes, without what depends on the clock."
    with Journal(path) as journal:
        return without_seconds(journal), {
            name: value for name,value in journal.notes('').items() if not name.startswith('cost:')
        }

class Killer(threading.Thread):
    "Kills a worker of a team at given moments, in seconds after its first answer."
    def __init__(self, moments, seconds):
        super().__init__(daemon=True)
        self.moments, self.length = moments, seconds
        self.team, self.begun = None, threading.Event()
        self.log, self.shot = [], set()
    def hire(self, make):
        self.team = RayWorkers(make, 2, 'local')
        return self.team
    def told(self, trial): self.begun.set()
    @property
    def alive(self):
        team = list(self.team.team)
        return [worker for worker in team if worker.ready and worker.place not in self.shot]
    def run(self):
        self.begun.wait()
        start, generator = time.monotonic(), random.Random(1)
        for moment in self.moments:
            time.sleep(max(0, moment*self.length - (time.monotonic()-start)))
            while len(alive := self.alive) < self.team.count:
                time.sleep(.01)
            worker = generator.choice(alive)
            job = worker.job
            os.kill(worker.place[1], signal.SIGKILL)
            self.shot.add(worker.place)
            busy = 'idle' if job is None else job.method
            self.log.append((round(time.monotonic()-start, 2), busy))

def changes(before, after):
    "What differs between two trials, in words."
    changed = [name for name in before if before[name] != after[name]]
    words = [f'{name} {before[name]!r:.60} -> {after[name]!r:.60}' for name in changed]
    return f"trial {before['number']}: {', '.join(words)}"

def differences(before, after):
    "What differs between the contents of two journals, in words."
    (trials, notes), (other_trials, other_notes) = before, after
    found = []
    if len(trials) != len(other_trials):
        found.append(f'{len(trials)} -> {len(other_trials)} trials')
    pairs = [(old, new) for old, new in zip(trials, other_trials) if old != new]
    found += [changes(old, new) for old, new in pairs[:5]]
    names = sorted({*notes, *other_notes})
    return found + [f'note {name}' for name in names if notes.get(name) != other_notes.get(name)]

SMALL = dict(
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

def undisturbed(model, folder):
    "What the journal of a search holds that nobody kills, and how long it took."
    start = time.perf_counter()
    search(model, journal=f'{folder}/whole.db', **SMALL)
    length = time.perf_counter()-start
    whole = contents(f'{folder}/whole.db')
    print(f'undisturbed: {length:.0f} s, {len(whole[0])} trials', flush=True)
    if not any(name.startswith('tau:') for name in whole[1]):
        raise SystemExit('the search is too small: the predictor that promotes was never trained')
    return whole, length

def disturbed(model, folder, seed, length):
    "What the journal of a search holds whose workers were killed, and who killed them."
    generator = random.Random(seed)
    killer = Killer(sorted(generator.uniform(0, .8) for _ in range(KILLS)), length)
    killer.start()
    path = f'{folder}/{seed}.db'
    search(model, journal=path, ray=killer.hire, callback=killer.told, **SMALL)
    return contents(path), killer

def kill_key(seed, number): return ROW | dict(what='kill', workers=2, round=KILLS*seed+number)

def record_kills(rows, seed, killer, trials, same):
    "A row for each kill."
    about = COLUMNS | dict(trials=trials, deaths=killer.team.deaths, identical=same)
    for number, (moment, busy) in enumerate(killer.log):
        row = about | dict(moment=moment, busy=busy)
        rows.get(lambda: row, **kill_key(seed, number))

def kill(rows):
    model = setup()[0]
    good = True
    with tempfile.TemporaryDirectory() as folder:
        whole, length = undisturbed(model, folder)
        for seed in range(SEARCHES):
            if rows.find(**kill_key(seed, 0)):
                print(f'search {seed} is recorded')
                continue
            found, killer = disturbed(model, folder, seed, length)
            same, kills = found == whole, len(killer.log)
            good &= same and kills == KILLS
            record_kills(rows, seed, killer, len(found[0]), same)
            print(
                f'search {seed}: {kills} kills, {killer.team.deaths} deaths noticed, '
                f'identical: {same}',
                *differences(whole, found),
                sep='\n  ',
                flush=True,
            )
    return not good

def forget(rows, what):
    import csv
    rows.rows = [row for row in rows.rows if row['what'] != what]
    if not rows.path.exists(): return
    if not rows.rows: return rows.path.unlink()
    with rows.path.open('w', newline='') as file:
        writer = csv.DictWriter(file, rows.rows[0], lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows.rows)

if __name__ == '__main__':
    what = 'kill' if '--kill' in sys.argv else 'speed'
    rows = Rows('ray', tuple(ROW))
    if '--again' in sys.argv:
        forget(rows, what)
    sys.exit(dict(kill=kill, speed=speed)[what](rows))
