#!/usr/bin/env python
"""No code is cut off on the site, and no page scrolls sideways: every page in headless Chromium,
on a desktop and on a phone.

    python .ci/pages.py                  all pages
    python .ci/pages.py 03_sample index  only these

Quarto can't be had from a package index, so a page is put together here: the Markdown by
nbconvert's own filters, code in the elements and with the style rules that Pandoc gives it, then
nbs/styles.css and the width of the body that _quarto.yml asks for. The same pages without our
rules are opened too: if nothing were cut there, the check would be broken.
Where there is no Chromium the check is skipped, and says so."""
import json
import re
import sys
import tempfile
from html import escape
from pathlib import Path

import yaml
from nbconvert.filters import markdown2html

from browser import NONE, chromium, look

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT/'nbs'
DESKTOP, PHONE = 1440, 360                # px
HIDDEN = {'hide', 'include: false', 'echo: false'}
# What Pandoc puts into every page with code, and what Quarto's theme says of the body's text.
PANDOC = """pre > code.sourceCode { white-space: pre; position: relative; }
pre.sourceCode { margin: 0; }
@media screen { div.sourceCode { overflow: auto; } }
body { margin: 0; font-size: 17px; } main { margin: 0 auto; padding: 0 12px; }
pre { font-size: .875em; overflow: auto; padding: .4em; }"""
SEEN = """
function seen(frame) {
  const page = frame.contentDocument
  const blocks = [...page.querySelectorAll('main pre')]
  const inside = e => [e, e.parentElement, e.firstElementChild].filter(o => o)
  const cut = blocks.filter(e => inside(e).some(o => o.scrollWidth > o.clientWidth + 1
    && o.clientWidth > 0))
  return { width: frame.width, blocks: blocks.length, cut: cut.length,
    first: cut.length ? cut[0].innerText.slice(0, 60) : '',
    needed: page.documentElement.scrollWidth, has: page.documentElement.clientWidth }
}"""


def code_block(text, language='python'):
    "Code in the elements that Pandoc makes."
    return (f'<div class="sourceCode"><pre class="sourceCode {language} code-with-copy">'
            f'<code class="sourceCode {language}">{escape(text)}</code></pre></div>')


def prose(text):
    "Markdown as HTML, with its code blocks as Pandoc makes them."
    parts = re.split(r'^```(\w*)[^\n]*\n(.*?)^```$', text, flags=re.S | re.M)
    made = []
    for plain, language, code in zip(parts[::3], [*parts[1::3], ''], [*parts[2::3], '']):
        made.append(markdown2html(plain))
        if code:
            made.append(code_block(code, language))
    return ''.join(made)


def outputs(cell):
    "The text and the tables among the outputs of a code cell."
    for output in cell['outputs']:
        data = output.get('data', {})
        text = ''.join(output.get('text', ''))
        html = ''.join(data.get('text/html', ''))
        if '<table' in html:
            yield f'<div class="cell-output">{html}</div>'
        if not html:
            text += ''.join(data.get('text/plain', ''))
        if text:
            yield f'<div class="cell-output"><pre><code>{escape(text)}</code></pre></div>'


def cell_html(cell):
    "One cell of a notebook as HTML."
    source = ''.join(cell['source'])
    if cell['cell_type'] == 'markdown': return prose(source)
    if cell['cell_type'] != 'code': return ''
    lines = source.splitlines()
    marks = {line.removeprefix('#|').strip() for line in lines if line.startswith('#|')}
    if marks & HIDDEN: return ''
    code = '\n'.join(line for line in lines if not line.startswith('#|'))
    return f'<div class="cell">{code_block(code)}{"".join(outputs(cell))}</div>'


def page(paths, style):
    "All the cells of some notebooks as one page."
    cells = [cell for path in paths
             for cell in json.loads(path.read_text(encoding='utf-8'))['cells']]
    body = ''.join(map(cell_html, cells))
    return ('<!DOCTYPE html><meta charset="utf-8">'
            f'<style>{PANDOC}\n{style}</style><body><main class="content">{body}</main>')


def cut_blocks(paths, style, folder):
    "What a browser sees of the pages on a desktop and on a phone."
    made = folder/'page.html'
    made.write_text(page(paths, style), encoding='utf-8')
    return look(made, (DESKTOP, PHONE), SEEN, folder)[0]


def body_style():
    "The width that _quarto.yml gives to the body."
    settings = yaml.safe_load((ROOT/'_quarto.yml').read_text(encoding='utf-8'))
    return f'main {{ max-width: {settings["format"]["html"]["grid"]["body-width"]}; }}\n'


def asked(names):
    "The notebooks of these names; without names all of them."
    paths = [NOTEBOOKS/f'{name}.ipynb' for name in names] or sorted(NOTEBOOKS.rglob('*.ipynb'))
    return [path for path in paths if '.ipynb_checkpoints' not in path.parts]


def views(paths):
    "[(without our rules, with them)] at each width."
    style = (NOTEBOOKS/'styles.css').read_text(encoding='utf-8')
    with tempfile.TemporaryDirectory() as folder:
        without = cut_blocks(paths, body_style(), Path(folder))
        found = cut_blocks(paths, body_style()+style, Path(folder))
    return list(zip(without, found))


def faults_of(views):
    "A line for each width at which something is cut or scrolls sideways."
    for view in views:
        if view['cut']:
            yield f'at {view["width"]} px: {view["first"]!r} is cut'
        if view['needed'] > view['has']:
            yield f'at {view["width"]} px: a page needs {view["needed"]} px and scrolls sideways'


def main(names):
    if not chromium(): return print(NONE)
    pairs = views(asked(names))
    for before, after in pairs:
        print(f'at {after["width"]} px: {after["cut"]} of {after["blocks"]} code blocks are cut, '
              f'{before["cut"]} without styles.css')
    seen = any(before['cut'] and before['needed'] > before['has'] for before, _ in pairs)
    if not seen and not names:
        return 'the check does not see code that is cut, or a page that scrolls sideways'
    return '\n'.join(faults_of(view for _, view in pairs)) or None


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
