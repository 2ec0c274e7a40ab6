#!/usr/bin/env python
"""Run the notebooks from top to bottom: they are the tests.

    python .ci/nbrun.py                       every notebook, one after the other
    python .ci/nbrun.py --workers 2           two at a time
    python .ci/nbrun.py 03_sample 04_solvers  only these (a path or a name in nbs/)
    python .ci/nbrun.py --save 03_sample      ... and store the outputs in the notebook if all its cells ran
    python .ci/nbrun.py --flags "slow gpu"    ... and run the cells that begin with `#| slow` or `#| gpu` too

The cells that run are those `nbdev_test` would run. What is different: each notebook has a process of its own, so that no seed, default dtype or
plot setting leaks into the next one; there is a time limit; an exception in a thread and a `!command` that ends with an error (unless by
`!command || true`) count as failures; and the cells are counted.
The last line is `N passed, N failed, N skipped` (code cells). The exit code is 0 only if at least one cell ran and none failed."""
import argparse, json, os, signal, subprocess, sys, tempfile, threading, time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIVE = set()                                      # processes that are running now


def why_skip(cell, off):
    "The reason for which a code cell is not run, or None"
    d = cell.directives_ or {}
    if 'nbdev_export'+'(' in cell.source: return 'nbdev_export'
    if (d.get('eval:') or [''])[0].lower() == 'false': return 'eval: false'
    return next((f for f in sorted(off) if f in d), None)


def has_code(cell):
    "Whether there is more than comments and directives in `cell`"
    return cell.cell_type == 'code' and any(o.strip() and not o.lstrip().startswith('#') for o in cell.source.splitlines())


def run_cells(shell, nb, off, report):
    "Run the code cells in order up to the first failure; `report` is called before each and at the end"
    thread_errors, skipped = [], Counter()
    threading.excepthook = lambda a: thread_errors.append(a.exc_value) if a.exc_type is not SystemExit else None
    todo = [c for c in nb.cells if has_code(c)]
    passed = 0
    for i,c in enumerate(todo):
        if why := why_skip(c, off): skipped[why] += 1; continue
        report(passed=passed, failed=1, skipped=dict(skipped), at=c.source.strip())   # what holds if the process dies in this cell
        c.outputs = []
        shell.cell(c)
        error = shell.exc or next(iter(thread_errors), None)
        if code := shell.user_ns.pop('_exit_code', 0): error = error or RuntimeError(f'a !command ended with {code}')
        if error is not None:
            shell.exc = error
            rest = len(todo)-i-1
            if rest: skipped['not reached'] += rest
            report(passed=passed, failed=1, skipped=dict(skipped), error=f'{c.source.strip()}\n{shell.prettytb()}')
            return False
        passed += 1
    report(passed=passed, failed=0, skipped=dict(skipped))
    return True


def child(fn, off, save, out):
    "Run one notebook in this process and leave the counts in the file `out`"
    from execnb.nbio import write_nb
    from execnb.shell import CaptureShell
    from fastcore.basics import str2bool
    from nbdev.clean import nbdev_clean
    from nbdev.frontmatter import FrontmatterProc
    from nbdev.process import NBProcessor
    report = lambda **kw: (Path(f'{out}.new').write_text(json.dumps(kw)), os.replace(f'{out}.new', out))
    os.environ['IN_TEST'] = '1'
    sys.path.insert(0, str(ROOT))
    front = getattr(NBProcessor(fn, procs=FrontmatterProc, process=True).nb, 'frontmatter_', {})
    nb = NBProcessor(fn, rm_directives=False).nb
    for i,c in enumerate(nb.cells): c.idx_ = i
    if str2bool(front.get('skip_exec', False)):
        return report(passed=0, failed=0, skipped={'skip_exec': sum(map(has_code, nb.cells))})
    os.chdir(fn.parent)
    shell = CaptureShell(fn, mpl_format='png')
    shell._fname = fn.name
    if run_cells(shell, nb, off, report) and save:
        write_nb(nb, fn)
        nbdev_clean.__wrapped__(str(fn))          # __wrapped__: a call_parse function would read sys.argv


def kill(p):
    "End a notebook's process and all that it started"
    try: os.killpg(p.pid, signal.SIGKILL)
    except ProcessLookupError: pass


def run(fn, flags, save, timeout):
    "Run one notebook in a process of its own -> its counts"
    env = {'OMP_NUM_THREADS': '1', **os.environ}  # one thread: two notebooks share two cores, and sums come out the same everywhere
    env['PATH'] = f'{Path(sys.executable).parent}{os.pathsep}{env.get("PATH", "")}'     # `!usf_search` is this environment's
    start = time.time()
    with tempfile.TemporaryDirectory() as tmp, open(f'{tmp}/log', 'w+', errors='replace') as log:
        out = Path(tmp)/'counts.json'
        p = subprocess.Popen([sys.executable, __file__, '--child', str(out), '--flags', flags, *['--save']*save, str(fn)],
                             stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=env, start_new_session=True)
        LIVE.add(p)
        try: p.wait(timeout)
        except subprocess.TimeoutExpired: pass
        timed_out = p.poll() is None
        kill(p)
        p.wait()
        LIVE.discard(p)
        log.seek(0)
        res = json.loads(out.read_text()) if out.exists() else dict(passed=0, failed=1, skipped={})
        if timed_out: res.update(failed=1, error=f'took more than {timeout} s in the cell\n{res.get("at", "(none yet)")}')
        elif p.returncode: res.update(failed=1, error=f'the process ended with {p.returncode} in the cell\n{res.get("at", "(none yet)")}\n{log.read()[-4000:]}')
        elif res['failed'] and 'error' not in res: res['error'] = f'the process ended early in the cell\n{res["at"]}\n{log.read()[-4000:]}'
    return {**res, 'secs': time.time()-start}


def show(fn, res):
    "One line a notebook, and the error after it"
    name = fn.relative_to(ROOT/'nbs') if fn.is_relative_to(ROOT/'nbs') else fn
    why = ', '.join(f'{k} {v}' for k,v in sorted(res['skipped'].items()))
    verdict = 'FAILED' if res['failed'] else 'ok    '
    print(f'{verdict} {str(name):32} {res["passed"]:4} passed, {res["failed"]} failed, {sum(res["skipped"].values())} skipped'
          f'{f" ({why})" if why else ""}  {res["secs"]:.1f} s', flush=True)
    if res['failed']: print(res['error'].rstrip()+'\n', flush=True)


def find(name):
    "The notebook called `name`: a path, or a name in nbs/ with or without its ending"
    for p in (Path(name), ROOT/'nbs'/name, ROOT/'nbs'/f'{name}.ipynb'):
        if p.is_file(): return p.resolve()
    sys.exit(f'nbrun: no notebook {name!r}; give a path, or a name in nbs/ such as 00_core')


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('notebooks', nargs='*', help='all of nbs/ if none is given')
    p.add_argument('--save', action='store_true', help='store the outputs in the notebooks')
    p.add_argument('--flags', default='', help='kinds of cells to run although settings.ini says to skip them')
    p.add_argument('--workers', type=int, default=1, help='notebooks at a time')
    p.add_argument('--timeout', type=int, default=900, help='seconds that one notebook may take')
    p.add_argument('--child', help=argparse.SUPPRESS)
    a = p.parse_args()
    from nbdev.config import get_config
    from nbdev.doclinks import nbglob
    files = [find(o) for o in a.notebooks]
    os.chdir(ROOT)
    known, flags = set(get_config().tst_flags.split()), set(a.flags.split())
    if flags-known: p.error(f'--flags must be among {" ".join(sorted(known))}, got {" ".join(sorted(flags-known))}')
    if a.workers < 1: p.error(f'--workers must be at least 1, got {a.workers}')
    if a.child: return child(files[0], known-flags, a.save, a.child)
    if not a.notebooks: files = sorted(Path(f).resolve() for f in nbglob())
    total = Counter()
    with ThreadPoolExecutor(a.workers) as pool:
        jobs = {f: pool.submit(run, f, a.flags, a.save, a.timeout) for f in dict.fromkeys(files)}
        try:
            for f,job in jobs.items():
                res = job.result()
                show(f, res)
                total.update(passed=res['passed'], failed=res['failed'], skipped=sum(res['skipped'].values()))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for q in list(LIVE): kill(q)
            sys.exit('nbrun: interrupted')
    if not total['passed']: print('no cell ran')
    print(f'{total["passed"]} passed, {total["failed"]} failed'+(f', {total["skipped"]} skipped' if total['skipped'] else ''))
    return int(total['failed'] > 0 or total['passed'] == 0)


if __name__ == '__main__': sys.exit(main())
