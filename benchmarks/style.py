"""Is the code one that a reader wants to read? Statements, decisions, names, examples, outputs.

    python benchmarks/style.py            # the tables, in some seconds; needs ruff, not the package
    python benchmarks/style.py --files    # ... and the faults of every file
    python benchmarks/style.py --names    # ... public names of several modules, and circles
    python benchmarks/style.py --missing  # ... the definitions without an example
    python benchmarks/style.py --check    # exit status 1 if there are more faults than recorded
    python benchmarks/style.py --record   # record what is there as what is allowed
    python benchmarks/style.py --strict   # exit status 1 if a target is missed

Faults are counted by ruff in the package, the notebooks' cells, benchmarks/ and .ci/: lines over
100 columns (E501), two statements on a line (E702), a body on the line of its header (E701), a
lambda with a name (E731), and functions of complexity over 10 (C901). A guard is no fault: an `if`
whose body is one `return`, `raise`, `continue` or `break` may share its line. A directive, such as
the text for a figure, can't be broken, so it may be as long as it is.

Decisions of a function are its branches, loops, exceptions caught, conditional expressions, the
`if` and `for` of comprehensions, and every `and` and `or`; those of functions inside it count as
theirs. Local names are the parameters and the names that a function assigns, each once a function.

An export cell is measured in statements, at all depths. A public definition is a function or class
at the top of an export cell whose name has no leading underscore. Its example is a visible cell,
one of the next two code cells that are not exported, in which the name occurs. A visible cell is
neither hidden nor exported.
"""
import argparse
import ast
import csv
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from statistics import mean, median, quantiles

ROOT = Path(__file__).resolve().parents[1]
ALLOWED = ROOT/'benchmarks'/'rows'/'style.csv'
COLUMNS = 100
RULES = 'E501', 'E701', 'E702', 'E731', 'C901'
AREAS = {'package': 'usf_nbdev', 'notebooks': 'nbs', 'benchmarks': 'benchmarks', '.ci': '.ci'}
# a directive of a cell; the list of names that nbdev writes, 120 columns wide
UNBREAKABLE = re.compile(r"#\||__all__ = \[|           '[^']+',")
GUARD = re.compile(r'\s*if\b.*:\s*(return|raise|continue|break)\b')
FUNCTION = ast.FunctionDef, ast.AsyncFunctionDef
BRANCHES = (ast.If, ast.IfExp, ast.For, ast.While, ast.ExceptHandler, ast.match_case)
EXPORT = {'export', 'exporti', 'exports'}
HIDDEN = {'hide', 'include: false', 'default_exp'}
MANY_DECISIONS, LONG_FUNCTION = 10, 30


# --- what is read

@dataclass(frozen=True)
class Cell:
    "A code cell, or a whole module."
    source:str
    directives:frozenset = frozenset()
    outputs:int = 0                        # how many are stored

    @property
    def exported(self): return bool(self.directives & EXPORT)

    @property
    def visible(self): return bool(self.lines) and not self.directives & (EXPORT | HIDDEN)

    @property
    def lines(self):
        "Lines that are neither empty nor directives."
        lines = self.source.splitlines()
        return [line for line in lines if line.strip() and not line.startswith('#|')]

    @property
    def tree(self):
        "The syntax; what is no Python, such as `!command`, is left out."
        lines = ['pass' if line[:1] in ('!', '%') else line for line in self.source.splitlines()]
        return ast.parse('\n'.join(lines))

    @property
    def only_imports(self):
        "Whether there is nothing but imports."
        return all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in self.tree.body)


def code_cell(cell):
    "A cell as the notebook's file holds it -> Cell."
    source = ''.join(cell['source'])
    marks = [line[2:].strip() for line in source.splitlines() if line.startswith('#|')]
    words = [mark if mark in HIDDEN else re.split(r'[ :]', mark)[0] for mark in marks]
    return Cell(source, frozenset(words), len(cell['outputs']))


def read(path):
    "The code cells of a notebook; a module is one cell."
    text = path.read_text(encoding='utf-8')
    if path.suffix == '.py': return [Cell(text)]
    cells = [cell for cell in json.loads(text)['cells'] if cell['cell_type'] == 'code']
    return [code_cell(cell) for cell in cells if ''.join(cell['source']).strip()]


def files(folder):
    "The modules and notebooks of one area."
    paths = [*(ROOT/folder).rglob('*.py'), *(ROOT/folder).rglob('*.ipynb')]
    generated = '_modidx.py', '__init__.py'
    return sorted(path for path in paths
                  if path.name not in generated and '.ipynb_checkpoints' not in path.parts)


# --- faults

def faults(paths):
    "How often each file breaks each rule, as ruff sees it: {(file, rule): n}."
    command = ['ruff', 'check', '--isolated', '--no-cache', '--exit-zero', '--output-format=json',
               f'--line-length={COLUMNS}', f'--select={",".join(RULES)}']
    ruff = subprocess.run([*command, *map(str, paths)], capture_output=True, text=True, check=True)
    found = Counter()
    for fault in json.loads(ruff.stdout):
        if fault['code'] == 'E701' and GUARD.match(line_of(fault)): continue
        if fault['code'] == 'E501' and UNBREAKABLE.match(line_of(fault)): continue
        found[name_of(Path(fault['filename'])), fault['code']] += 1
    return found


@lru_cache
def sources(filename):
    "The cells of a notebook as text, or the one text of a module."
    text = Path(filename).read_text(encoding='utf-8')
    if not filename.endswith('.ipynb'): return [text]
    return [''.join(cell['source']) for cell in json.loads(text)['cells']]


def line_of(fault):
    "The line of code that ruff speaks of."
    cell = fault['cell'] or 1
    return sources(fault['filename'])[cell-1].splitlines()[fault['location']['row']-1]


def name_of(path): return path.relative_to(ROOT).as_posix()


# --- functions

def functions(tree):
    "All functions, methods and nested ones too."
    return [node for node in ast.walk(tree) if isinstance(node, FUNCTION)]


def weight(node):
    "How many decisions one node of the syntax is."
    if isinstance(node, BRANCHES): return 1
    if isinstance(node, ast.BoolOp): return len(node.values)-1
    if isinstance(node, ast.comprehension): return 1+len(node.ifs)
    return 0


def decisions(function): return sum(weight(node) for node in ast.walk(function))


def own_nodes(function):
    "The nodes of a function without those of functions and classes inside it."
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (*FUNCTION, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)


def local_names(function):
    "The parameters and the assigned names of a function, each once."
    given = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    parameters = {arg.arg for arg in given} - {'self', 'cls'}
    names = [node for node in own_nodes(function) if isinstance(node, ast.Name)]
    return parameters | {node.id for node in names if isinstance(node.ctx, ast.Store)}


@dataclass(frozen=True)
class Function:
    "What is measured of one function."
    name:str
    decisions:int
    length:int        # lines, from `def` to the last
    names:tuple       # local ones


def measured_functions(paths):
    "Every function in some files."
    found = []
    for path in paths:
        for function in (f for cell in read(path) for f in functions(cell.tree)):
            length = function.end_lineno-function.lineno+1
            name = f'{path.stem}.{function.name}'
            names = tuple(sorted(local_names(function)))
            found.append(Function(name, decisions(function), length, names))
    return found


# --- notebooks

def statements(cell):
    "The statements of a cell, at all depths, without its docstrings."
    nodes = [node for node in ast.walk(cell.tree) if isinstance(node, ast.stmt)]
    return sum(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
               for node in nodes)


@dataclass(frozen=True)
class Notebook:
    "What is measured of one notebook."
    name:str
    statements:tuple  # of each export cell that is more than imports
    public:tuple      # names that it defines
    shown:tuple       # those with an example
    visible:int       # visible cells
    outputs:int       # those of them that store an output


def defined(cell):
    "The public functions and classes at the top of a cell or module."
    nodes = [node for node in cell.tree.body if isinstance(node, (*FUNCTION, ast.ClassDef))]
    return [node.name for node in nodes if not node.name.startswith('_')]


def example_of(name, later):
    "Whether one of the next two cells that are not exported shows a name."
    near = [cell for cell in later if not cell.exported][:2]
    return any(cell.visible and re.search(rf'\b{name}\b', cell.source) for cell in near)


def public_names(cells):
    "The names that the export cells define, and those of them with an example."
    public, shown = [], []
    for number, cell in enumerate(cells):
        if not cell.exported: continue
        names = defined(cell)
        public += names
        shown += [name for name in names if example_of(name, cells[number+1:])]
    return tuple(public), tuple(shown)


def measure(path):
    "Everything about one notebook."
    cells = read(path)
    public, shown = public_names(cells)
    telling = [cell for cell in cells if not cell.only_imports]
    sizes = tuple(statements(cell) for cell in telling if cell.exported)
    visible = [cell for cell in telling if cell.visible]
    name = path.relative_to(ROOT/'nbs').with_suffix('').as_posix()
    outputs = sum(cell.outputs > 0 for cell in visible)
    return Notebook(name, sizes, public, shown, len(visible), outputs)


# --- names and imports

def own_names(module):
    "What a module defines under its own name: patched methods belong to their class."
    patched = {node.name for node in module.tree.body if isinstance(node, FUNCTION)
               and any('patch' in ast.unparse(mark) for mark in node.decorator_list)}
    return [name for name in defined(module) if name not in patched]


def double_names(paths):
    "Public names that more than one module defines: {name: modules}."
    where = defaultdict(list)
    for path in paths:
        for name in set(own_names(read(path)[0])):
            where[name].append(path.stem)
    return {name: modules for name, modules in sorted(where.items()) if len(modules) > 1}


def module_name(path): return '.'.join(path.relative_to(ROOT).with_suffix('').parts)


def imported(path, modules):
    "The modules of the package that a module imports, at its top or in a function."
    found = set()
    for node in ast.walk(read(path)[0].tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if not isinstance(node, ast.ImportFrom): continue
        package = module_name(path).split('.')[:-node.level] if node.level else []
        base = '.'.join([*package, *filter(None, [node.module])])
        found |= {base} | {f'{base}.{alias.name}' for alias in node.names}
    return found & modules


def in_circles(paths):
    "The modules that import themselves by way of others."
    modules = {module_name(path) for path in paths}
    reached = {module_name(path): imported(path, modules) for path in paths}
    for middle in modules:
        for module in modules:
            if middle in reached[module]:
                reached[module] |= reached[middle]
    return sorted(module for module in modules if module in reached[module])


# --- tables

def table(head, rows):
    "Columns of one width; the first to the left."
    lines = [[str(value) for value in line] for line in [head, *rows]]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return '\n'.join(line[0].ljust(widths[0]) + ''.join(
        f'  {value:>{width}}' for value, width in zip(line[1:], widths[1:])) for line in lines)


def area_row(area, paths, found):
    "The row of one area, as a dictionary."
    names = [name_of(path) for path in paths]
    lines = sum(len(cell.source.splitlines()) for path in paths for cell in read(path))
    total = {rule: sum(found[name, rule] for name in names) for rule in RULES}
    return dict(area=area, lines=lines, percent=100*total['E501']/lines, **total,
                **function_figures(measured_functions(paths)))


def function_figures(functions):
    "What an area's functions are like."
    lengths = [len(name) for function in functions for name in function.names]
    return dict(functions=len(functions), letters=mean(lengths),
                mean=mean(function.decisions for function in functions),
                most=max(function.decisions for function in functions),
                many=sum(function.decisions > MANY_DECISIONS for function in functions),
                tall=sum(function.length > LONG_FUNCTION for function in functions))


SHOWN = {'area': 'area', 'lines': 'lines', 'E501': f'>{COLUMNS}', 'percent': '%',
         'E701': 'E701', 'E702': 'E702', 'E731': 'E731', 'C901': 'C901',
         'functions': 'functions', 'mean': 'decisions', 'most': 'most',
         'many': f'>{MANY_DECISIONS}', 'tall': f'>{LONG_FUNCTION} lines', 'letters': 'letters'}


def area_table(rows):
    "The rows of all areas as text."
    texts = [[short(row[key]) for key in SHOWN] for row in rows]
    return table(list(SHOWN.values()), texts)


def short(value): return f'{value:.1f}' if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Target:
    "A figure and what it should be."
    name:str
    value:float
    limit:float
    at_least:bool = False

    @property
    def kept(self): return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def row(self):
        sign = '>=' if self.at_least else '<='
        return [self.name, f'{self.value:.3g}', f'{sign} {self.limit:g}',
                'yes' if self.kept else 'NO']


def fault_targets(rows):
    "What the faults of all areas should come to."
    *scripts, cells = sorted(rows, key=lambda row: row['area'] == 'notebooks')
    long = f'lines over {COLUMNS} columns'
    return [
        Target(f'{long}, package, benchmarks, .ci', sum(row['E501'] for row in scripts), 0),
        Target(f'{long}, notebooks, %', cells['percent'], 1),
        Target('two statements on a line', sum(row['E702'] for row in rows), 0),
        Target('bodies beside their header', sum(row['E701'] for row in rows), 0),
        Target('named lambdas', sum(row['E731'] for row in rows), 0),
        Target('complex functions', sum(row['C901'] for row in rows), 0),
    ]


def function_targets(package):
    "What the package's functions should come to, from its row."
    return [
        Target('decisions of a function of the package, mean', package['mean'], 3),
        Target('... most', package['most'], MANY_DECISIONS),
        Target('letters of a local name of the package, mean', package['letters'], 5, True),
    ]


def notebook_targets(notebooks):
    "What the notebooks should come to."
    exported = [n for notebook in notebooks for n in notebook.statements]
    public = sum(len(notebook.public) for notebook in notebooks)
    shown = sum(len(notebook.shown) for notebook in notebooks)
    visible = sum(notebook.visible for notebook in notebooks)
    outputs = sum(notebook.outputs for notebook in notebooks)
    return [
        Target('statements of an export cell, median', median(exported), 12),
        Target('... 90 % of the cells', quantiles(exported, n=10)[-1], 25),
        Target('definitions with an example, %', 100*shown/public, 90, True),
        Target('visible cells with an output, %', 100*outputs/visible, 60, True),
    ]


def module_targets(paths):
    "What the modules should come to."
    return [Target('public names of two modules', len(double_names(paths)), 0),
            Target('modules in circles', len(in_circles(paths)), 0)]


# --- what is allowed

def by_area(found, paths):
    "The faults of each area: {(area, rule): n}."
    area_of = {name_of(path): area for area, group in paths.items() for path in group}
    total = Counter()
    for (name, rule), n in found.items():
        total[area_of[name], rule] += n
    return total


def allowed():
    "The faults that were recorded: {(area, rule): n}."
    with ALLOWED.open(encoding='utf-8', newline='') as file:
        return Counter({(row['area'], row['rule']): int(row['n']) for row in csv.DictReader(file)})


def record(total):
    "Write down the faults that there are."
    rows = [(area, rule, total[area, rule]) for area in AREAS for rule in RULES]
    with ALLOWED.open('w', encoding='utf-8', newline='') as file:
        csv.writer(file, lineterminator='\n').writerows([('area', 'rule', 'n'), *rows])


def new_faults(total):
    "Where there are more faults than recorded."
    limits = allowed()
    return [f'{area}: {n} x {rule}, {limits[area, rule]} recorded in {name_of(ALLOWED)}'
            for (area, rule), n in sorted(total.items()) if n > limits[area, rule]]


def arguments():
    "What the command line says."
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('files', 'names', 'missing', 'check', 'record', 'strict'):
        parser.add_argument(f'--{name}', action='store_true')
    return parser.parse_args()


def main():
    args = arguments()
    paths = {area: files(folder) for area, folder in AREAS.items()}
    found = faults(chain.from_iterable(paths.values()))
    if args.check: return check(by_area(found, paths))
    if args.record:
        record(by_area(found, paths))
    kept = show(args, paths, found)
    return int(args.strict and not kept)


def show(args, paths, found):
    "Print the tables -> whether all targets are kept."
    rows = [area_row(area, group, found) for area, group in paths.items()]
    notebooks = [measure(path) for path in paths['notebooks'] if path.suffix == '.ipynb']
    targets = [*fault_targets(rows), *function_targets(rows[0]), *notebook_targets(notebooks),
               *module_targets(paths['package'])]
    print(area_table(rows))
    print('\n'+table(['over all', 'is', 'target', 'kept'], [target.row for target in targets]))
    if args.files:
        show_files(found)
    if args.names:
        show_names(paths['package'])
    if args.missing:
        show_missing(notebooks)
    return all(target.kept for target in targets)


def check(total):
    "Name the new faults -> the exit status."
    new = new_faults(total)
    print('\n'.join(new) or 'no new faults')
    return int(bool(new))


def show_files(found):
    "The faults of every file that has any."
    names = sorted({name for name, _ in found})
    rows = [[name, *(found[name, rule] or '' for rule in RULES)] for name in names]
    print('\n'+table(['file', *RULES], rows))


def show_names(paths):
    "Public names of several modules, and modules in circles."
    print()
    for name, modules in double_names(paths).items():
        print(f'{name}: {", ".join(modules)}')
    print('in circles:', ', '.join(in_circles(paths)) or 'none')


def show_missing(notebooks):
    "The definitions without an example."
    for notebook in notebooks:
        missing = [name for name in notebook.public if name not in notebook.shown]
        if missing:
            print(f'{notebook.name}: {", ".join(missing)}')


if __name__ == '__main__':
    sys.exit(main())
