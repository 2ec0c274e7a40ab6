#!/usr/bin/env python
"""The report of a search, opened in headless Chromium: nothing in the console, nothing fetched, every figure visible, nothing wider than the screen.

    python .ci/report.py                     a tiny search on the model in closed form, and its report
    python .ci/report.py report.html         a report that is there
    python .ci/report.py --shots FOLDER      ... and leave pictures of it: wide and narrow, light and dark

Where there is no Chromium the check is skipped, and says so. A page with faults of every kind is opened too: a check that finds nothing there is broken."""
import argparse, json, re, shutil, subprocess, sys, tempfile
from html import unescape
from pathlib import Path

WIDTHS = 1200, 400
QUIET = ('--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --disable-extensions '
         '--disable-dev-shm-usage --mute-audio --hide-scrollbars --allow-file-access-from-files --enable-logging=stderr --v=0').split()
PROBE = """<!DOCTYPE html><meta charset="utf-8"><title>probe</title><body>%s<pre id="found"></pre><script>
addEventListener('load', () => {
  const found = [...document.querySelectorAll('iframe')].map(f => {
    const d = f.contentDocument, w = f.contentWindow, box = e => e.getBoundingClientRect();
    return { width: f.width, title: d.title, wide: d.documentElement.scrollWidth - d.documentElement.clientWidth, text: d.body.innerText.length,
      images: [...d.querySelectorAll('img, svg')].map(e => ({ alt: e.alt || '', loaded: e.tagName !== 'IMG' || (e.complete && e.naturalWidth > 0), w: box(e).width, h: box(e).height, seen: e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) })),
      fetched: [...w.performance.getEntriesByType('resource').map(e => e.name), ...[...d.querySelectorAll('[src], [href], [srcset], [poster]')].flatMap(e => ['src', 'href', 'srcset', 'poster'].map(k => e.getAttribute(k)))]
        .filter(n => n && !/^(data:|#)/.test(n)) } });
  document.getElementById('found').textContent = JSON.stringify(found) })
</script>"""
BAD = """<!DOCTYPE html><meta charset="utf-8"><title>bad</title><body><div style="width:3000px;background:url(http://127.0.0.1:9/far.png)">wide</div><img src="gone.png" alt="gone"><img alt="hidden" style="display:none"
src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"><script>console.error('a fault'); nothing.there</script>"""


def chromium():
    "Where Chromium is, or None"
    return next((p for p in map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome', 'chrome')) if p), None)


def browse(page, *args):
    "Open a page in a browser that knows nothing -> the finished process"
    with tempfile.TemporaryDirectory() as profile:
        return subprocess.run([chromium(), *QUIET, f'--user-data-dir={profile}', '--virtual-time-budget=20000', *args, Path(page).resolve().as_uri()], capture_output=True, text=True, errors='replace', timeout=180)


def look(page, tmp):
    "What a browser sees of `page`, at every width -> (list of facts, lines in the console)"
    frames = ''.join(f'<iframe src="{Path(page).resolve().as_uri()}" width="{w}" height="900"></iframe>' for w in WIDTHS)
    probe = tmp/'probe.html'; probe.write_text(PROBE % frames, encoding='utf-8')
    p = browse(probe, '--dump-dom'); found = re.search(r'<pre id="found">(.+?)</pre>', p.stdout, re.S)
    if not found: sys.exit(f'the browser ended with {p.returncode} and saw nothing:\n{p.stderr[-2000:]}')
    return json.loads(unescape(found[1])), [line for line in p.stderr.splitlines() if 'CONSOLE' in line]


def faults(seen, console):
    "What is wrong, one line each"
    yield from (f'console: {line.partition("CONSOLE")[2]}' for line in console)
    for s in seen:
        at = f'at {s["width"]} px'
        if s['wide'] > 0: yield f'{at}: {s["wide"]} px wider than the screen'
        if not s['images']: yield f'{at}: no figures'
        if s['text'] < 500: yield f'{at}: only {s["text"]} letters'
        yield from (f'{at}: fetches {name}' for name in s['fetched'])
        for i in s['images']:
            if not i['loaded'] or min(i['w'], i['h']) < 20 or not i['seen']: yield f'{at}: figure not visible, {i["w"]:.0f} x {i["h"]:.0f}: {i["alt"][:60]!r}'
            if not i['alt']: yield f'{at}: a figure without words'


def make(folder):
    "A report of a tiny search"
    import torch
    from usf_nbdev.report import report
    from usf_nbdev.search import search
    from usf_nbdev.zoo import load_model
    torch.set_num_threads(1)
    m = load_model('mixture'); r = search(m, nfe=(3, 5), budget=60, n=64, control_n=512, final_n=128, confirm_n=128, finalists=4, journal=folder/'journal.db', progress=False)
    return report(r, m, folder/'report.html')


def shots(page, folder):
    "Pictures of the page"
    folder.mkdir(parents=True, exist_ok=True)
    for w in WIDTHS:
        for name,scheme in (('light', 1), ('dark', 0)):
            browse(page, f'--window-size={w},{9000 if w < 600 else 5000}', f'--blink-settings=preferredColorScheme={scheme}', f'--screenshot={folder.resolve()/f"{w}-{name}.png"}'); print(folder/f'{w}-{name}.png')


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('report', nargs='?', type=Path, help='an HTML file; default: one is made')
    p.add_argument('--shots', type=Path, help='folder for pictures of it')
    a = p.parse_args()
    if not chromium(): print('skipped: no chromium on this machine (Debian: apt-get install chromium)'); return 0
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp); bad = tmp/'bad.html'; bad.write_text(BAD, encoding='utf-8'); known = '\n'.join(faults(*look(bad, tmp)))
        for what in ('a fault', 'ReferenceError', 'wider than the screen', 'fetches gone.png', 'fetches http://127.0.0.1:9/far.png', "'gone'", "'hidden'", 'letters'):
            if what not in known: print(f'the check does not see {what!r} in a page that has it:\n{known}'); return 1
        page = a.report or make(tmp); seen, console = look(page, tmp); found = list(faults(seen, console))
        if a.shots: shots(page, a.shots)
        print('\n'.join(found) or f'{len(seen[0]["images"])} figures visible at {" and ".join(map(str, WIDTHS))} px, nothing in the console, nothing fetched')
        return int(bool(found))


if __name__ == '__main__': sys.exit(main())
