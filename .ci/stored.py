#!/usr/bin/env python
"""What the notebooks store is fit to be shown: no errors, no paths of somebody's machine, no heavy figures. Needs no package."""
import json, re, sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 500                                       # kB a notebook; aim for less than 300
LOCAL = re.compile(r'(?<![\w.:/])(?:/home/|/Users/|/root/|/tmp/|/work/|/workspace/|/opt/|/usr/lib/|/var/folders/|[A-Z]:\\Users)[^\s\'"]*')


def texts(output):
    "The text in an output, pictures aside"
    yield ''.join(output.get('text', ''))
    for mime,data in output.get('data', {}).items():
        if mime.startswith('text/'): yield ''.join(data)


def faults(fn):
    "What is wrong with the notebook `fn`, one line each"
    if (kb := fn.stat().st_size/1000) > LIMIT: yield f'is {kb:.0f} kB, more than {LIMIT}: make its figures smaller'
    for i,c in enumerate(json.loads(fn.read_text(encoding='utf-8'))['cells']):
        for o in c.get('outputs', []):
            if o['output_type'] == 'error': yield f'cell {i} stores an error: {o["ename"]}'
            for path in {m[0] for t in texts(o) for m in LOCAL.finditer(t)}: yield f'cell {i} stores a path of this machine: {path}'


found = [f'{fn.relative_to(ROOT)}: {o}' for fn in sorted((ROOT/'nbs').rglob('*.ipynb')) if '.ipynb_checkpoints' not in fn.parts for o in faults(fn)]
sys.exit('\n'.join(found) if found else 0)
