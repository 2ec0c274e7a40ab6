#!/usr/bin/env python
"""Run the notebooks from top to bottom: they are the tests.

    python .ci/nbrun.py                       every notebook, one after the other
    python .ci/nbrun.py --workers 2           two at a time
    python .ci/nbrun.py 03_sample 04_solvers  only these (a path or a name in nbs/)
    python .ci/nbrun.py --save 03_sample      ... and store the outputs if all its cells ran
    python .ci/nbrun.py --flags "slow gpu"    ... and run the cells that begin with these flags

The runner is nbclient, which gives every notebook a Jupyter kernel of its own (forked.py says how
they start). This script adds what nbclient lacks: it leaves out the cells that `nbdev_test` would
leave out (those that begin with a flag of `tst_flags` in settings.ini, or with `#| eval: false`);
it counts the cells and the seconds of CPU; and it takes an exception in a thread, or a `!command`
that ends with an error (unless by `!command || true`), for a failure.

The last line is `N passed, N failed, N skipped` (code cells). The exit code is 0 only if at least
one cell ran and none failed."""
import argparse
import os
import re
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from forked import fork_kernels
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT/'nbs'

# The first cell of every run. It turns what a kernel would only print into failures of the cell.
STRICT = f'''
def _be_strict():
    import sys, threading
    shell, in_threads = get_ipython(), []
    sys.path.insert(0, {str(ROOT)!r})

    def remember(args):
        if args.exc_type is not SystemExit:
            in_threads.append(args.exc_value)

    def after_cell(result):
        exit_code = shell.user_ns.pop('_exit_code', 0)
        faults = list(in_threads)
        in_threads.clear()
        if exit_code:
            faults.append(RuntimeError(f'a !command ended with {{exit_code}}'))
        if not result.success or not faults: return
        result.error_in_exec = fault = faults[0]
        shell.showtraceback((type(fault), fault, fault.__traceback__))

    threading.excepthook = remember
    shell.events.register('post_run_cell', after_cell)
_be_strict()
del _be_strict
'''
# The last cell of every run: the seconds of CPU of the kernel and of the processes it waited for.
CPU_SECONDS = "import os as _os; print(sum(_os.times()[:4]))"


@dataclass
class Outcome:
    "What became of the code cells of one notebook."
    passed:int = 0                                    # cells that ran to their end
    failed:int = 0                                    # 1 if a cell failed; the run ends there
    skipped:Counter = field(default_factory=Counter)  # cells that did not run, by reason
    cpu:float = 0.                                    # seconds; not counted if a cell failed
    seconds:float = 0.                                # on the clock
    error:str = ''                                    # the cell that failed and its traceback


def directives(source):
    "The words after `#|` at the very top of a cell; they count nowhere else."
    found = []
    for line in source.splitlines():
        if not line.startswith('#|'): break
        found.append(line.removeprefix('#|').strip().lower())
    return found


def has_code(cell):
    "Whether a cell tests something: more than comments, and more than the export of the notebook."
    if cell.cell_type != 'code' or 'nbdev_export(' in cell.source: return False
    lines = [line.strip() for line in cell.source.splitlines()]
    return any(line and not line.startswith('#') for line in lines)


def why_skip(cell, off):
    "The reason for which a code cell does not run, or an empty string."
    found = directives(cell.source)
    if 'eval: false' in found: return 'eval: false'
    return next((flag for flag in sorted(off) if flag in found), '')


def run_cells(client, cells, off, deadline, outcome):
    "Run the code cells in order, up to the first failure."
    for number, cell in enumerate(cells):
        reason = why_skip(cell, off)
        if reason:
            outcome.skipped[reason] += 1
            continue
        try:
            client.timeout = max(1, int(deadline-time.monotonic()))
            client.execute_cell(cell, client.nb.cells.index(cell))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            outcome.failed = 1
            outcome.error = message(error, cell)
            outcome.skipped += Counter({'not reached': len(cells)-number-1})
            return
        outcome.passed += 1


def message(error, cell):
    "A failure as text: the cell, and what went wrong in it."
    if isinstance(error, CellExecutionError): return re.sub(r'\x1b\[[\d;]*m', '', str(error))
    return f'{cell.source.strip()}\n------------------\n{type(error).__name__}: {error}'


def run_extra(client, source):
    "Run a cell that is not the notebook's -> what it prints."
    cell = nbformat.v4.new_code_cell(source)
    client.nb.cells.append(cell)
    client.execute_cell(cell, len(client.nb.cells)-1)
    client.nb.cells.pop()
    return ''.join(output.text for output in cell.outputs)


@contextmanager
def sockets_for(client):
    "A folder for the sockets between this process and a kernel, so that they need no ports."
    with TemporaryDirectory() as folder:
        manager = client.create_kernel_manager()
        manager.transport = 'ipc'
        manager.connection_file = f'{folder}/kernel.json'
        yield


def run(path, off, save, limit):
    "Run one notebook in a kernel of its own -> its Outcome."
    start = time.monotonic()
    outcome = Outcome()
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, kernel_name='python3', startup_timeout=300,
        record_timing=False,
        resources={'metadata': {'path': str(path.parent)}})
    with sockets_for(client), client.setup_kernel():
        run_extra(client, STRICT)
        cells = [cell for cell in notebook.cells if has_code(cell)]
        run_cells(client, cells, off, start+limit, outcome)
        if not outcome.failed:
            outcome.cpu = float(run_extra(client, CPU_SECONDS))
    if save and not outcome.failed:
        store(notebook, path)
    outcome.seconds = time.monotonic()-start
    return outcome


def store(notebook, path):
    "Write a notebook that ran, in the form that `nbdev_clean` gives it."
    from nbdev.clean import nbdev_clean
    nbformat.write(notebook, path)
    nbdev_clean.__wrapped__(str(path))        # a call_parse function itself would read sys.argv


def show(path, outcome):
    "One line a notebook, and the error after it."
    name = path.relative_to(NOTEBOOKS) if path.is_relative_to(NOTEBOOKS) else path
    reasons = ', '.join(f'{reason} {n}' for reason, n in sorted(outcome.skipped.items()))
    verdict = 'FAILED' if outcome.failed else 'ok    '
    counts = f'{outcome.passed:4} passed, {outcome.failed} failed'
    counts += f', {outcome.skipped.total()} skipped'
    if reasons:
        counts += f' ({reasons})'
    times = f'{outcome.seconds:.0f} s, {outcome.cpu:.0f} s of CPU'
    print(f'{verdict} {str(name):34} {counts}  {times}', flush=True)
    if outcome.failed:
        print(outcome.error.rstrip()+'\n', flush=True)


def find(name):
    "The notebook called `name`: a path, or a name in nbs/ with or without its ending."
    for path in (Path(name), NOTEBOOKS/name, NOTEBOOKS/f'{name}.ipynb'):
        if path.is_file(): return path.resolve()
    sys.exit(f'nbrun: no notebook {name!r}; give a path, or a name in nbs/ such as 00_core')


def arguments():
    "What the command line says, checked, and the flags of the cells that stay out."
    from nbdev.config import get_config
    known = set(get_config(path=ROOT).tst_flags.split())
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('notebooks', nargs='*', help='all of nbs/ if none is given')
    parser.add_argument('--save', action='store_true', help='store the outputs in the notebooks')
    parser.add_argument('--flags', default='',
        help='kinds of cells to run although settings.ini says to skip them')
    parser.add_argument('--workers', type=int, default=1, help='notebooks at a time')
    parser.add_argument('--timeout', type=int, default=1800,
        help='seconds that one notebook may take')
    args = parser.parse_args()
    flags = set(args.flags.split())
    if args.workers < 1:
        parser.error(f'--workers must be at least 1, got {args.workers}')
    if args.timeout < 1:
        parser.error(f'--timeout must be at least 1 s, got {args.timeout}')
    if flags-known:
        wrong = ' '.join(sorted(flags-known))
        parser.error(f'--flags must be among {" ".join(sorted(known))}, got {wrong}')
    return args, known-flags


def set_environment():
    "What the kernels inherit."
    bin_folder = str(Path(sys.executable).parent)
    os.environ['PATH'] = bin_folder+os.pathsep+os.environ.get('PATH', '')  # for `!usf_search`
    os.environ['IN_TEST'] = '1'
    # One thread: two notebooks share two cores, and sums come out the same everywhere.
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    os.environ.setdefault('MPLBACKEND', 'module://matplotlib_inline.backend_inline')
    # Memory that was given back is kept: to get it from the system again at every layer of a
    # network costs a sixth of the time, or more where the system is a virtual machine.
    os.environ.setdefault('MALLOC_MMAP_THRESHOLD_', str(32*2**20))
    os.environ.setdefault('MALLOC_TRIM_THRESHOLD_', str(2**30))


@contextmanager
def kept_bytecode():
    "Where Python is told to keep no bytecode, it is kept for the length of the run all the same."
    if not os.environ.pop('PYTHONDONTWRITEBYTECODE', ''):
        yield
        return
    with TemporaryDirectory() as folder:
        os.environ['PYTHONPYCACHEPREFIX'] = folder
        yield


def paths_of(names):
    "The notebooks with these names, or all if there are none."
    from nbdev.doclinks import nbglob
    if names: return [find(name) for name in names]
    return sorted(Path(name).resolve() for name in nbglob(NOTEBOOKS))


def run_all(paths, off, args):
    "Run notebooks, some at a time, and show each as soon as those before it are done -> the sum."
    total = Outcome()
    pool = ThreadPoolExecutor(args.workers)
    jobs = {path: pool.submit(run, path, off, args.save, args.timeout) for path in paths}
    for path, job in jobs.items():
        outcome = outcome_of(job)
        show(path, outcome)
        total.passed += outcome.passed
        total.failed += outcome.failed
        total.skipped += outcome.skipped
        total.cpu += outcome.cpu
    return total


def outcome_of(job):
    "The Outcome of a finished run; whatever its runner met is a failure of that notebook alone."
    error = job.exception()
    if error is None: return job.result()
    return Outcome(failed=1, error=''.join(traceback.format_exception(error)))


def main():
    args, off = arguments()
    paths = paths_of(args.notebooks)
    os.chdir(ROOT)
    set_environment()
    try:
        with kept_bytecode():
            fork_kernels()
            total = run_all(paths, off, args)
    except KeyboardInterrupt:
        print('nbrun: interrupted', file=sys.stderr, flush=True)
        os._exit(130)                         # the kernels end with this process
    if not total.passed:
        print('no cell ran')
    print(f'{total.cpu:.0f} s of CPU')
    skipped = f', {total.skipped.total()} skipped' if total.skipped else ''
    print(f'{total.passed} passed, {total.failed} failed{skipped}')
    return int(total.failed > 0 or total.passed == 0)


if __name__ == '__main__':
    sys.exit(main())
