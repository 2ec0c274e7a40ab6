#!/usr/bin/env python
"""README.md is nbs/index.ipynb as Markdown, made with nbconvert.

    python .ci/readme.py            write README.md (and the figures that index.ipynb stores, as nbs/images/index_N.png)
    python .ci/readme.py --check    say whether that would change anything
    python3 .ci/readme.py --command 2       print the second command: what is in the second ```sh block of README.md

`#| hide` leaves a cell out, `#| echo: false` its code, `#| output: false` its outputs. Links are relative to nbs/ in the notebook, where the
documentation needs them, and to the root in README.md. The third form needs no package: .ci/run runs what the reader would run."""
import argparse, posixpath, re, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README, INDEX = ROOT/'README.md', ROOT/'nbs'/'index.ipynb'
NOTE = '<!-- Made from nbs/index.ipynb by .ci/readme.py: edit the notebook. -->\n\n'


def commands():
    "The ```sh blocks of README.md"
    return [o.strip() for o in re.findall(r'^```sh\n(.*?)^```', README.read_text(encoding='utf-8'), flags=re.S|re.M)]


def visible(nb):
    "`nb` without what its directives hide"
    cells = []
    for c in nb.cells:
        if c.cell_type == 'code':
            lines = c.source.splitlines()
            d = {o.removeprefix('#|').strip() for o in lines if o.startswith('#|')}
            if d & {'hide', 'include: false'} or any(o.startswith('default_exp') for o in d): continue
            if d & {'output: false', 'hide_output'}: c.outputs = []
            if d & {'echo: false', 'hide_input'}: c.metadata['transient'] = {'remove_source': True}
            c.source = '\n'.join(o for o in lines if not o.startswith('#|')).strip()
        cells.append(c)
    nb.cells = cells
    return nb


def at_root(text):
    "Markdown `text` with the links that are relative to nbs/ made relative to the root, code blocks left alone"
    def link(m):
        to = posixpath.normpath(posixpath.join('nbs', m[1]))
        if not (ROOT/to).exists(): sys.exit(f'readme: index.ipynb links to {m[1]}, but there is no {to}')
        return f']({to}{m[2]})'
    parts = re.split(r'(^```.*?^```$)', text, flags=re.S|re.M)
    return ''.join(o if i%2 else re.sub(r'\]\((?![a-z]+:|/|#)([^)#\s]+)([^)]*)\)', link, o) for i,o in enumerate(parts))


def convert():
    "(the text of README.md, {path of a figure: its bytes})"
    import nbformat
    from nbconvert import MarkdownExporter
    order = ['text/markdown', 'text/html', 'image/svg+xml', 'image/png', 'text/plain']
    exporter = MarkdownExporter(config={'NbConvertBase': {'display_data_priority': order}})
    nb = visible(nbformat.read(INDEX, as_version=4))
    nb.metadata['language_info'] = {'name': 'python'}
    text, res = exporter.from_notebook_node(nb)
    figures = {}
    for i,(name,data) in enumerate(sorted(res.get('outputs', {}).items()), 1):
        to = INDEX.parent/'images'/f'index_{i}{Path(name).suffix}'
        text = text.replace(f']({name})', f'](/images/{to.name})')
        figures[to] = data
    text = re.sub(r'<style.*?</style>\n?', '', text, flags=re.S)
    text = re.sub(r'[ \t]+$', '', text, flags=re.M)
    text = at_root(text).replace('](/images/', '](nbs/images/')
    return NOTE+re.sub(r'\n{3,}', '\n\n', text).strip()+'\n', figures


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--check', action='store_true', help='change nothing; exit with 1 if README.md is not in step')
    p.add_argument('--command', type=int, metavar='N', help='print the N-th command of README.md')
    a = p.parse_args()
    if a.command is not None:
        cmds = commands()
        if not 1 <= a.command <= len(cmds): sys.exit(f'readme: --command must be 1..{len(cmds)}, the ```sh blocks of README.md, got {a.command}')
        return print(cmds[a.command-1])
    text, figures = convert()
    want = {README: text.encode(), **figures}
    old = {o for o in (INDEX.parent/'images').glob('index_*') if o not in want}
    off = sorted([o for o,data in want.items() if not o.exists() or o.read_bytes() != data]+[*old])
    if a.check:
        if off: sys.exit(f'not in step with nbs/index.ipynb: {", ".join(str(o.relative_to(ROOT)) for o in off)}; run python .ci/readme.py')
        return print('README.md is in step with nbs/index.ipynb')
    for o,data in want.items():
        o.parent.mkdir(exist_ok=True)
        o.write_bytes(data)
    for o in old: o.unlink()
    print('wrote', ', '.join(str(o.relative_to(ROOT)) for o in want))


if __name__ == '__main__': main()
