"""Does a search survive kill -9 at any moment?

    python benchmarks/kill.py
        # about 10 minutes on 2 cores; continues where it stopped

A small search on `digits` at 3 and 4 calls, polish included, with two processes runs undisturbed
once. Then, twenty times, a new one is killed with SIGKILL (its helper with it) at a random
moment,
and the same command is given again. The journal it ends with must be that of the undisturbed
search: every trial with its number, generation, schedule, state, value (bit for bit),
and every note about random states and the predictor. Rows: benchmarks/rows/kill.csv.
"""
import os, random, signal, subprocess, sys, tempfile, time
from pathlib import Path
from common import Rows, without_seconds

def child(path):
    import torch
    torch.set_num_threads(1)
    from usf_nbdev.searching.search import search
    from usf_nbdev.zoo.models import load_model
    search(
        load_model('digits'),
        nfe=(3, 4),
        budget=50,
        n=128,
        control_n=1024,
        final_n=256,
        confirm_n=256,
        finalists=3,
        polish_n=128,
        polish_steps=6,
        workers=2,
        journal=path,
        progress=False,
    )

def start(path):
    return subprocess.Popen([sys.executable, __file__, str(path)], start_new_session=True)

def contents(path):
    "Trials and notes, without what depends on the clock or on who worked."
    from usf_nbdev.searching.journal import Journal
    with Journal(path) as journal:
        return without_seconds(journal), {
            prefix: journal.notes(prefix) for prefix in ('rng:', 'tau:')
        }

def finished(path):
    "How many trials the journal holds, and how many are done."
    from usf_nbdev.searching.journal import Journal, JournalError
    try:
        with Journal(path) as journal:
            return len(journal), len(journal.trials('done'))
    except JournalError:
        return 0, 0

def undisturbed(path):
    "What the journal of a search holds that nobody kills, and how long it took."
    began = time.time()
    assert start(path).wait() == 0
    whole, length = contents(path), time.time()-began
    if not whole[1]['tau:']:
        raise SystemExit('the search is too small: the predictor that promotes was never trained')
    return whole, length

def killed(path, moment, whole, length):
    "A search that is killed at a moment and begun again."
    process = start(path)
    time.sleep(moment)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    held, done = finished(path)
    assert start(path).wait() == 0
    return dict(
        moment=round(moment/length, 3),
        trials_at_kill=held,
        done_at_kill=done,
        trials=len(contents(path)[0]),
        identical=contents(path) == whole,
    )

def main(times=20):
    rows, generator = Rows('kill', ('run',)), random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        whole, length = undisturbed(folder/'whole.db')
        for number in range(times):
            path, moment = folder/f'{number}.db', generator.uniform(.1, 1)*length
            row = rows.get(lambda: killed(path, moment, whole, length), run=number)
            print(number, row['moment'], row['done_at_kill'], row['identical'], flush=True)
    different = [row['run'] for row in rows.rows if row['identical'] != 'True']
    print(f'{len(rows.rows)-len(different)} of {len(rows.rows)} identical')
    return bool(different)

if __name__ == '__main__':
    sys.exit(child(sys.argv[1]) if len(sys.argv) > 1 else main())
