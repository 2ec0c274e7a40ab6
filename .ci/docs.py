#!/usr/bin/env python
"""Prepare the documentation in _proc/: all that `nbdev_docs` does before it calls Quarto. Then `quarto render _proc --no-cache` makes the pages.

It runs the imports, the exported cells and `show_doc` of every notebook, so a broken one is found here, on a machine without Quarto too.
Links from a notebook to a page at the root, such as ../CONTRIBUTING.md, work in the documentation because those pages are copied into it.
The package must be installed, and no folder above this one may have a name that begins with a dot (nbdev would skip everything)."""
import json, os, sys
from pathlib import Path
from nbdev.doclinks import _build_modidx, nbglob
from nbdev.quarto import _def_file_re, nbdev_sidebar, refresh_quarto_yml
from nbdev.serve import proc_nbs

ROOT = Path(__file__).resolve().parents[1]


def errors(fn):
    "The errors among the outputs of the notebook `fn`"
    cells = json.loads(fn.read_text(encoding='utf-8'))['cells']
    return [f'{o["ename"]}: {o["evalue"]}' for c in cells for o in c.get('outputs', []) if o['output_type'] == 'error']


def add_pages(out, names):
    "Copy the pages at the root into `out` and turn the notebooks' links to them"
    for page in ROOT/'CONTRIBUTING.md', ROOT/'CHANGELOG.md':
        (out/page.name).write_bytes(page.read_bytes())
        for fn in (out/o for o in names):
            up = '../'*len(fn.relative_to(out).parts)
            fn.write_text(fn.read_text(encoding='utf-8').replace(f']({up}{page.name}', f']({up[3:]}{page.name}'), encoding='utf-8')


def main():
    os.chdir(ROOT)
    refresh_quarto_yml()
    _build_modidx()
    nbdev_sidebar.__wrapped__(file_glob=None, file_re=_def_file_re)     # __wrapped__: a call_parse function would read sys.argv
    out = proc_nbs(force=True, n_workers=2)
    names = [Path(f).relative_to(ROOT/'nbs') for f in nbglob(ROOT/'nbs')]
    missing = [str(o) for o in names if not (out/o).exists()]
    broken = [f'{o}: {e}' for o in names if (out/o).exists() for e in errors(out/o)]
    if missing or broken or not names: sys.exit('\n'.join([*(f'{o}: not processed' for o in missing), *broken]) or 'no notebooks')
    add_pages(out, names)
    print(f'{len(names)} notebooks are ready in {out.name}/')


if __name__ == '__main__': main()         # proc_nbs starts processes that import this file
