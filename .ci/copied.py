#!/usr/bin/env python
"""What a reader copies runs: the code that is shown on the tutorials and the how-to pages, in
order, in an empty notebook beside an installed package.

    python .ci/copied.py                        no name is used that no visible cell has defined
    python .ci/copied.py --run tutorials/tour   ... and run the visible cells of these pages

The first form is part of .ci/docs.py and takes a second. The second runs in an empty folder and
leaves out the cells that the tests leave out too."""
import argparse
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT/'nbs'
FOLDERS = 'tutorials', 'howto'
UNSEEN = {'hide', 'hide_input', 'export', 'exporti', 'include: false', 'echo: false'}
OF_A_SHELL = re.compile(r'^(\s*)(?:!\S|%%?\w).*', re.M)   # `!command` and `%magic`


@dataclass(frozen=True)
class Shown:
    "A code cell as a reader sees it."
    number:int        # of the cell in its notebook
    lines:tuple       # of code, directives left out

    @property
    def code(self):
        "Plain Python: what is for the shell does nothing."
        return OF_A_SHELL.sub(r'\1pass', '\n'.join(self.lines))


def directives(lines):
    "The words after `#|` at the top of a cell, and the code after them."
    marks = []
    for number, line in enumerate(lines):
        if not line.startswith('#|'): return marks, lines[number:]
        marks.append(line.removeprefix('#|').strip())
    return marks, []


def shown_cells(notebook):
    "The code that a page shows."
    for number, cell in enumerate(notebook['cells']):
        if cell['cell_type'] != 'code': continue
        marks, lines = directives(''.join(cell['source']).splitlines())
        if UNSEEN & set(marks) or any(mark.startswith('default_exp') for mark in marks): continue
        kept = tuple(line for line in lines if not re.search(r'#\|\s*hide_line\s*$', line))
        yield Shown(number, kept)


def undefined(code):
    "Names that a program uses and never defines, as (line, message)."
    asked = subprocess.run(
        [sys.executable, '-m', 'ruff', 'check', '--isolated', '--select=F821', '--quiet',
         '--output-format=json', '--stdin-filename=page.py', '-'],
        input=code, capture_output=True, text=True)
    if asked.returncode > 1:
        sys.exit(f'ruff ended with an error: {asked.stderr}')
    return [(found['location']['row'], found['message']) for found in json.loads(asked.stdout)]


def faults_of(notebook):
    "What goes wrong where somebody copies the visible cells, one line for each name."
    cells = list(shown_cells(notebook))
    of_line = [cell for cell in cells for _ in range(cell.code.count('\n')+1)]
    first = {}
    for line, message in undefined('\n'.join(cell.code for cell in cells)):
        first.setdefault(message, of_line[line-1].number)
    for message, number in first.items():
        yield f'cell {number}: {message} in what is shown; show the cell that defines it'


def pages():
    "The notebooks that a reader follows."
    return [path for folder in FOLDERS for path in sorted((NOTEBOOKS/folder).glob('*.ipynb'))]


def faults():
    "The same for all pages that a reader follows."
    for path in pages():
        notebook = json.loads(path.read_text(encoding='utf-8'))
        yield from (f'{path.relative_to(NOTEBOOKS)}: {fault}' for fault in faults_of(notebook))


def cell(source): return dict(cell_type='code', source=[source])


def sees():
    "Whether the check finds a name whose only definition is hidden, and nothing else."
    hidden, shown = cell('#| hide\nimport math'), cell('math.pi')
    found = list(faults_of(dict(cells=[hidden, shown])))
    return len(found) == 1 and 'math' in found[0] and not list(
        faults_of(dict(cells=[cell('import math\n!ls'), shown])))


def as_in_a_clone(folder, path):
    "A place for a page in an empty folder, from where it finds the measured rows and the data."
    place = folder/'nbs'/path.parent.name
    place.mkdir(parents=True)
    (folder/'benchmarks').symlink_to(ROOT/'benchmarks')
    (folder/'nbs'/'data').symlink_to(NOTEBOOKS/'data')
    return place/path.name


def run_shown(path):
    "Run the visible cells of one page in an empty folder; the Outcome of nbrun."
    import nbformat
    import nbrun
    from nbdev.config import get_config
    notebook = nbformat.read(path, as_version=4)
    wanted = {shown.number for shown in shown_cells(notebook)}
    notebook.cells = [each for number, each in enumerate(notebook.cells) if number in wanted]
    flags = set(get_config(path=ROOT).tst_flags.split())
    with TemporaryDirectory() as folder:
        copy = as_in_a_clone(Path(folder), path)
        nbformat.write(notebook, copy)
        return nbrun.run(copy, flags, save=False, limit=1800)


def run_pages(names):
    "Run pages and say how it went; whether all did."
    import nbrun
    nbrun.set_environment()
    paths = [nbrun.find(name) for name in names]
    nbrun.fork_kernels()
    outcomes = [run_shown(path) for path in paths]
    for path, outcome in zip(paths, outcomes):
        nbrun.show(path, outcome)
    return not any(outcome.failed for outcome in outcomes)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--run', nargs='+', default=[], metavar='PAGE', help='pages to run')
    args = parser.parse_args()
    if args.run: return int(not run_pages(args.run))
    if not sees(): return 'the check does not see a name that is hidden'
    found = list(faults())
    print('\n'.join(found) or f'{len(pages())} pages can be copied')
    return int(bool(found))


if __name__ == '__main__':
    sys.exit(main())
