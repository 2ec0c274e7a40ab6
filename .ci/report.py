#!/usr/bin/env python
"""The report of a search, opened in headless Chromium: nothing in the console, nothing fetched,
every figure visible, nothing wider than the screen.

    python .ci/report.py                     a tiny search on the model in closed form
    python .ci/report.py report.html         a report that is there
    python .ci/report.py --shots FOLDER      ... and leave pictures of it: wide, narrow, light, dark

Where there is no Chromium the check is skipped, and says so. A page with faults of every kind is
opened too: a check that finds nothing there is broken."""
import argparse
import sys
import tempfile
from pathlib import Path

from browser import NONE, browse, chromium, look

WIDTHS = 1200, 400
FEW_LETTERS, SMALL = 500, 20              # less than these is no report, and no figure
SEEN = """
const attributes = ['src', 'href', 'srcset', 'poster']
const inside = name => !name || /^(data:|#)/.test(name)
function figure(e) {
  const box = e.getBoundingClientRect()
  const loaded = e.tagName !== 'IMG' || (e.complete && e.naturalWidth > 0)
  const visible = e.checkVisibility({ opacityProperty: true, visibilityProperty: true })
  return { alt: e.alt || '', loaded, w: box.width, h: box.height, seen: visible }
}
function seen(frame) {
  const page = frame.contentDocument
  const entries = frame.contentWindow.performance.getEntriesByType('resource')
  const linked = [...page.querySelectorAll('[src], [href], [srcset], [poster]')]
  const names = linked.flatMap(e => attributes.map(k => e.getAttribute(k)))
  return { width: frame.width, text: page.body.innerText.length,
    wide: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    images: [...page.querySelectorAll('img, svg')].map(figure),
    fetched: [...entries.map(e => e.name), ...names].filter(name => !inside(name)) }
}"""
BAD = """<!DOCTYPE html><meta charset="utf-8"><title>bad</title><body>
<div style="width:3000px;background:url(http://127.0.0.1:9/far.png)">wide</div>
<img src="gone.png" alt="gone"><img alt="hidden" style="display:none"
src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7">
<script>console.error('a fault'); nothing.there</script>"""
FAULTS_OF_BAD = ('a fault', 'ReferenceError', 'wider than the screen', 'fetches gone.png',
                 'fetches http://127.0.0.1:9/far.png', "'gone'", "'hidden'", 'letters')


def figure_faults(figure):
    "What is wrong with a picture."
    small = min(figure['w'], figure['h']) < SMALL
    if small or not figure['loaded'] or not figure['seen']:
        size = f'{figure["w"]:.0f} x {figure["h"]:.0f}'
        yield f'figure not visible, {size}: {figure["alt"][:60]!r}'
    if not figure['alt']:
        yield 'a figure without words'


def page_faults(page):
    "What is wrong at one width."
    if page['wide'] > 0:
        yield f'{page["wide"]} px wider than the screen'
    if not page['images']:
        yield 'no figures'
    if page['text'] < FEW_LETTERS:
        yield f'only {page["text"]} letters'
    yield from (f'fetches {name}' for name in page['fetched'])
    for figure in page['images']:
        yield from figure_faults(figure)


def faults(page, folder):
    "What a browser finds wrong with a report, one line each; and how many figures it has."
    pages, console = look(page, WIDTHS, SEEN, folder)
    found = [f'console: {line.partition("CONSOLE")[2]}' for line in console]
    for page in pages:
        found += [f'at {page["width"]} px: {fault}' for fault in page_faults(page)]
    return found, len(pages[0]['images'])


def overlooked(folder):
    "The kinds of faults that the check does not see in a page that has them."
    bad = folder/'bad.html'
    bad.write_text(BAD, encoding='utf-8')
    known = '\n'.join(faults(bad, folder)[0])
    return [f'the check does not see {what!r} in a page that has it:\n{known}'
            for what in FAULTS_OF_BAD if what not in known]


def make(folder):
    "A report of a tiny search."
    import torch
    from usf_nbdev.showing.report import report
    from usf_nbdev.searching.search import search
    from usf_nbdev.zoo.models import load_model
    torch.set_num_threads(1)
    model = load_model('mixture')
    result = search(model, nfe=(3, 5), budget=60, n=64, control_n=512, final_n=128, confirm_n=128,
                    finalists=4, journal=folder/'journal.db', progress=False)
    return report(result, model, folder/'report.html')


def shots(page, folder):
    "Pictures of the page."
    folder.mkdir(parents=True, exist_ok=True)
    for width, height in zip(WIDTHS, (5000, 9000)):
        for scheme, number in (('light', 1), ('dark', 0)):
            picture = folder.resolve()/f'{width}-{scheme}.png'
            browse(page, f'--window-size={width},{height}', f'--screenshot={picture}',
                   f'--blink-settings=preferredColorScheme={number}')
            print(picture)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('report', nargs='?', type=Path, help='an HTML file; default: one is made')
    parser.add_argument('--shots', type=Path, help='folder for pictures of it')
    args = parser.parse_args()
    if not chromium(): return print(NONE)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        broken = overlooked(folder)
        if broken: return '\n'.join(broken)
        page = args.report or make(folder)
        found, figures = faults(page, folder)
        if args.shots:
            shots(page, args.shots)
    if found: return '\n'.join(found)
    widths = ' and '.join(map(str, WIDTHS))
    print(f'{figures} figures visible at {widths} px, nothing in the console, nothing fetched')


if __name__ == '__main__':
    sys.exit(main())
