"""A headless Chromium that knows nothing: used by report.py and pages.py."""
import json
import re
import shutil
import subprocess
import sys
import tempfile
from html import unescape
from pathlib import Path

NAMES = 'chromium', 'chromium-browser', 'google-chrome', 'chrome'
OPTIONS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --hide-scrollbars
--disable-background-networking --disable-component-update --disable-sync --disable-extensions
--disable-dev-shm-usage --mute-audio --allow-file-access-from-files --enable-logging=stderr
--v=0""".split()
NONE = 'skipped: no chromium on this machine (Debian: apt-get install chromium)'

# A page that loads pages in frames, asks each what SEEN says, and holds the answers as JSON.
PROBE = """<!DOCTYPE html><meta charset="utf-8"><title>probe</title><body>FRAMES
<pre id="found"></pre><script>
SEEN
addEventListener('load', () => {
  const found = [...document.querySelectorAll('iframe')].map(frame => seen(frame))
  document.getElementById('found').textContent = JSON.stringify(found)
})
</script>"""


def chromium():
    "Where Chromium is, or None."
    return next((path for path in map(shutil.which, NAMES) if path), None)


def browse(page, *options):
    "Open a page -> the finished process."
    with tempfile.TemporaryDirectory() as profile:
        command = [chromium(), *OPTIONS, f'--user-data-dir={profile}',
                   '--virtual-time-budget=20000', *options, Path(page).resolve().as_uri()]
        return subprocess.run(command, capture_output=True, text=True, errors='replace',
                              timeout=600)


def look(page, widths, seen, folder):
    "What the function `seen` of JavaScript finds in a page, at every width; and the console."
    address = Path(page).resolve().as_uri()
    frames = ''.join(f'<iframe src="{address}" width="{width}" height="900"></iframe>'
                     for width in widths)
    probe = Path(folder)/'probe.html'
    probe.write_text(PROBE.replace('FRAMES', frames).replace('SEEN', seen), encoding='utf-8')
    process = browse(probe, '--dump-dom')
    found = re.search(r'<pre id="found">(.+?)</pre>', process.stdout, re.S)
    if not found:
        sys.exit(f'the browser ended with {process.returncode} and saw nothing:\n'
                 f'{process.stderr[-2000:]}')
    console = [line for line in process.stderr.splitlines() if 'CONSOLE' in line]
    return json.loads(unescape(found[1])), console
