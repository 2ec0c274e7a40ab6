#!/usr/bin/env python
"""README.md is nbs/index.ipynb as Markdown, made with nbconvert.

    python .ci/readme.py            write README.md, and the figures as nbs/images/index_N.png
    python .ci/readme.py --check    say whether that would change anything
    python3 .ci/readme.py --command 2       print the second ```sh block of README.md

`#| hide` leaves a cell out, `#| echo: false` its code, `#| output: false` its outputs. Links are
relative to nbs/ in the notebook, where the documentation needs them, and to the root in README.md.
The third form needs no package: .ci/run runs what the reader would run."""
import argparse
import posixpath
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README, INDEX = ROOT/'README.md', ROOT/'nbs'/'index.ipynb'
IMAGES = INDEX.parent/'images'
NOTE = '<!-- Made from nbs/index.ipynb by .ci/readme.py: edit the notebook. -->\n\n'
HIDDEN, NO_OUTPUT = {'hide', 'include: false'}, {'output: false', 'hide_output'}
NO_SOURCE = {'echo: false', 'hide_input'}
# The richest form of an output that Markdown can show comes first.
FORMS = ['text/markdown', 'text/html', 'image/svg+xml', 'image/png', 'text/plain']


def commands():
    "The ```sh blocks of README.md, each command on one line."
    blocks = re.findall(r'^```sh\n(.*?)^```', README.read_text(encoding='utf-8'), re.S | re.M)
    return [re.sub(r'\s*\\\n\s*', ' ', block.strip()) for block in blocks]


def shown(cell):
    "Take from a code cell what its directives hide -> whether anything is left."
    lines = cell.source.splitlines()
    marks = {line.removeprefix('#|').strip() for line in lines if line.startswith('#|')}
    if marks & HIDDEN or any(mark.startswith('default_exp') for mark in marks): return False
    if marks & NO_OUTPUT:
        cell.outputs = []
    if marks & NO_SOURCE:
        cell.metadata['transient'] = {'remove_source': True}
    cell.source = '\n'.join(line for line in lines if not line.startswith('#|')).strip()
    return True


def at_root(text):
    "Markdown with links relative to nbs/ made relative to the root, code blocks left alone."
    parts = re.split(r'(^```.*?^```$)', text, flags=re.S | re.M)
    for number in range(0, len(parts), 2):         # the odd ones are code
        parts[number] = re.sub(r'\]\((?![a-z]+:|/|#)([^)#\s]+)([^)]*)\)', turned, parts[number])
    return ''.join(parts)


def turned(match):
    "One link, made relative to the root."
    target = posixpath.normpath(posixpath.join('nbs', match[1]))
    if not (ROOT/target).exists():
        sys.exit(f'readme: index.ipynb links to {match[1]}, but there is no {target}')
    return f']({target}{match[2]})'


def exported():
    "What nbconvert makes of the notebook: its text, and its figures by name."
    import nbformat
    from nbconvert import MarkdownExporter
    notebook = nbformat.read(INDEX, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type != 'code' or shown(cell)]
    notebook.metadata['language_info'] = {'name': 'python'}
    exporter = MarkdownExporter(config={'NbConvertBase': {'display_data_priority': FORMS}})
    text, resources = exporter.from_notebook_node(notebook)
    return text, resources.get('outputs', {})


def convert():
    "README.md and its figures: {path: bytes}."
    text, outputs = exported()
    made = {}
    for number, (name, data) in enumerate(sorted(outputs.items()), 1):
        path = IMAGES/f'index_{number}{Path(name).suffix}'
        made[path] = data
        text = text.replace(f']({name})', f'](/images/{path.name})')
    text = re.sub(r'<style.*?</style>\n?', '', text, flags=re.S)
    text = re.sub(r'[ \t]+$', '', text, flags=re.M)
    text = at_root(text).replace('](/images/', '](nbs/images/')
    text = re.sub(r'\n{3,}', '\n\n', text).strip()
    return {README: f'{NOTE}{text}\n'.encode(), **made}


def is_off(path, data): return not path.exists() or path.read_bytes() != data


def check(wanted, old):
    "Say what is not in step."
    off = sorted({path for path, data in wanted.items() if is_off(path, data)} | old)
    if not off: return print('README.md is in step with nbs/index.ipynb')
    names = ', '.join(str(path.relative_to(ROOT)) for path in off)
    sys.exit(f'not in step with nbs/index.ipynb: {names}; run python .ci/readme.py')


def write(wanted, before):
    "Write README.md and its figures, and remove figures of before."
    IMAGES.mkdir(exist_ok=True)
    for path, data in wanted.items():
        path.write_bytes(data)
    for path in before:
        path.unlink()
    print('wrote', ', '.join(str(path.relative_to(ROOT)) for path in wanted))


def show_command(number):
    "Print one of the commands."
    found = commands()
    if not 1 <= number <= len(found):
        sys.exit(f'readme: --command must be 1..{len(found)}, the ```sh blocks of README.md, '
                 f'got {number}')
    print(found[number-1])


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--check', action='store_true',
        help='change nothing; exit with 1 if README.md is not in step')
    parser.add_argument('--command', type=int, metavar='N', help='print the N-th command')
    args = parser.parse_args()
    if args.command is not None: return show_command(args.command)
    wanted = convert()
    before = {path for path in IMAGES.glob('index_*') if path not in wanted}
    return check(wanted, before) if args.check else write(wanted, before)


if __name__ == '__main__':
    main()
