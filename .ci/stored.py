#!/usr/bin/env python
"""What the notebooks store is fit to be shown: no errors, no paths of somebody's machine, no
heavy figures. Needs no package."""
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 500                                       # kB a notebook; aim for less than 300
FOLDERS = '/home/ /Users/ /root/ /tmp/ /work/ /workspace/ /opt/ /usr/lib/ /var/folders/'.split()
LOCAL = re.compile(rf'(?<![\w.:/])(?:{"|".join(FOLDERS)}|[A-Z]:\\Users)[^\s\'"]*')


def text_of(output):
    "The text in an output, pictures aside."
    parts = [''.join(output.get('text', ''))]
    for kind, data in output.get('data', {}).items():
        if kind.startswith('text/'):
            parts.append(''.join(data))
    return '\n'.join(parts)


def faults_of_output(output):
    "What is wrong with one output."
    if output['output_type'] == 'error':
        yield f'stores an error: {output["ename"]}'
    for path in sorted({match[0] for match in LOCAL.finditer(text_of(output))}):
        yield f'stores a path of this machine: {path}'


def faults(path):
    "What is wrong with a notebook, one line each."
    size = path.stat().st_size/1000
    if size > LIMIT:
        yield f'is {size:.0f} kB, more than {LIMIT}: make its figures smaller'
    for number, cell in enumerate(json.loads(path.read_text(encoding='utf-8'))['cells']):
        for output in cell.get('outputs', []):
            for fault in faults_of_output(output):
                yield f'cell {number} {fault}'


def main():
    found = []
    for path in sorted((ROOT/'nbs').rglob('*.ipynb')):
        if '.ipynb_checkpoints' in path.parts: continue
        found += [f'{path.relative_to(ROOT)}: {fault}' for fault in faults(path)]
    return '\n'.join(found) or 0


if __name__ == '__main__':
    sys.exit(main())
