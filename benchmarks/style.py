"""Are the notebooks still ones that a reader wants to read? Lengths of cells and functions, examples beside definitions, stored outputs.

    python benchmarks/style.py            # a table, in a second; needs no package
    python benchmarks/style.py --check    # exit status 1 if a target is missed

Lines of an export cell are those that are neither empty nor directives. A public definition is a function, class or patched method at the top of an export cell whose name has no
leading underscore; its example is a visible cell, one of the next two code cells that are not exported themselves, in which the name occurs. A visible cell is neither hidden nor
exported. Notebooks that export nothing have no definitions. Functions are those of the modules, from `def` to their last line, methods and nested ones too.
"""
import argparse, ast, json, re, sys
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parents[1]
TARGETS = {'median export cell': ('<=', 12), 'longest export cell': ('<=', 60), '% of definitions with an example': ('>=', 90), '% of visible cells with an output': ('>=', 60)}

EXPORT, HIDDEN = {'export', 'exporti', 'exports'}, {'hide', 'hidden', 'default_exp'}

def directives(source): return {o.removeprefix('#|').strip().split(':')[0].split(' ')[0] for o in source.splitlines() if o.startswith('#|')} | ({'hidden'} if re.search(r'^#\|\s*include:\s*false', source, flags=re.M) else set())
def lines(source): return [o for o in source.splitlines() if o.strip() and not o.startswith('#|')]
def is_import(source): return bool(l := lines(source)) and all(re.match(r'(import|from)\s', o) or o.startswith((' ', ')')) for o in l)

def defined(source):
    "Public names that an export cell defines."
    return [n.name for n in ast.parse(source).body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and not n.name.startswith('_')]

def measure(path):
    "Everything about one notebook."
    code = [(s, directives(s), c['outputs']) for c in json.loads(path.read_text(encoding='utf-8'))['cells'] if c['cell_type'] == 'code' and (s := ''.join(c['source'])).strip()]
    exported = [k for k,(_,d,_) in enumerate(code) if d & EXPORT]; visible = [k for k,(s,d,_) in enumerate(code) if not d & (EXPORT | HIDDEN) and lines(s)]
    lengths, names, shown = [len(lines(code[k][0])) for k in exported if not is_import(code[k][0])], [], 0
    for k in exported:
        after = [j for j in range(k+1, len(code)) if j not in exported][:2]
        for name in defined(code[k][0]): names.append((name, ok := any(j in visible and re.search(rf'\b{name}\b', code[j][0]) for j in after))); shown += ok
    shows = [k for k in visible if not is_import(code[k][0])]
    return dict(notebook=str(path.relative_to(ROOT/'nbs'))[:-6], kB=path.stat().st_size/1000, code=len(code), lengths=lengths, names=names, shown=shown, visible=len(shows), with_output=sum(bool(code[k][2]) for k in shows),
                plots=sum('image/png' in o.get('data', {}) for _,_,out in code for o in out))

def functions(module):
    "Name and length of every function in a module."
    return [(n.name, n.end_lineno-n.lineno+1) for n in ast.walk(ast.parse(module.read_text(encoding='utf-8'))) if isinstance(n, ast.FunctionDef)]

def p90(v): return quantiles(v, n=10)[-1] if len(v) > 1 else v[0]
def share(a, b): return f'{100*a/b:.0f} %' if b else ''

def row(r):
    "One notebook as text."
    v = r['lengths']; return [r['notebook'], f"{r['kB']:.0f}", r['code'], *((len(v), f'{median(v):.0f}', f'{p90(v):.0f}', max(v)) if v else ('',)*4), len(r['names']) or '', share(r['shown'], len(r['names'])), r['visible'], share(r['with_output'], r['visible']), r['plots'] or '']

def table(rows, head):
    "Columns of one width; the first to the left."
    w = [max(len(str(o[k])) for o in [head, *rows]) for k in range(len(head))]
    return '\n'.join('  '.join(f'{o!s:<{n}}' if not k else f'{o!s:>{n}}' for k,(o,n) in enumerate(zip(line, w))) for line in [head, *rows])

def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('--check', action='store_true', help='exit status 1 if a target is missed'); a.add_argument('--missing', action='store_true', help='name the definitions without an example'); a = a.parse_args()
    rows = [measure(p) for p in sorted((ROOT/'nbs').rglob('*.ipynb')) if '.ipynb_checkpoints' not in p.parts]
    print(table([row(r) for r in rows], ['notebook', 'kB', 'code', 'export', 'median', 'p90', 'max', 'public', 'shown', 'visible', 'output', 'plots']))
    cells, names = [n for r in rows for n in r['lengths']], [o for r in rows for o in r['names']]; modules = {p.stem: p for p in sorted((ROOT/'usf_nbdev').glob('*.py')) if not p.stem.startswith('_')}
    found = {f'{k}.{name}': n for k,p in modules.items() for name,n in functions(p)}; size = {k: len(p.read_text(encoding='utf-8').splitlines()) for k,p in modules.items()}; longest, largest = max(found, key=found.get), max(size, key=size.get)
    values = {'median export cell': median(cells), 'longest export cell': max(cells), '% of definitions with an example': 100*sum(ok for _,ok in names)/len(names), '% of visible cells with an output': 100*sum(r['with_output'] for r in rows)/sum(r['visible'] for r in rows)}
    kept = {k: values[k] <= v if op == '<=' else values[k] >= v for k,(op,v) in TARGETS.items()}
    print('\n' + table([[k, f'{values[k]:.0f}', f'{op} {v}', 'yes' if kept[k] else 'NO'] for k,(op,v) in TARGETS.items()], ['over all', 'is', 'target', 'kept']))
    over = [f"{r['notebook']} ({median(r['lengths']):g})" for r in rows if r['lengths'] and median(r['lengths']) > 12]
    print(f'\nexport cells: {len(cells)}, p90 {p90(cells):.0f}; notebooks with a median above 12: {", ".join(over) or "none"}\nfunctions: {len(found)}, median {median(found.values()):.0f} lines, p90 {p90(list(found.values())):.0f}, longest {longest} ({found[longest]})'
          f'\nmodules: {len(size)}, median {median(size.values()):.0f} lines, longest {largest} ({size[largest]})\nnotebooks: {len(rows)}, median {median(r["kB"] for r in rows):.0f} kB, above 300: {", ".join(r["notebook"] for r in rows if r["kB"] > 300) or "none"}')
    if a.missing: print('\n' + '\n'.join(f"{r['notebook']}: {', '.join(n for n,ok in r['names'] if not ok)}" for r in rows if r['shown'] < len(r['names'])))
    return int(a.check and not all(kept.values()))

if __name__ == '__main__': sys.exit(main())
