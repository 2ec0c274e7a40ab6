#!/usr/bin/env python
"""Prepare the documentation in _proc/: all that `nbdev_docs` does before it calls Quarto. Then `quarto render _proc --no-cache` makes the pages.

It runs the imports, the exported cells and `show_doc` of every notebook, so a broken one is found here, on a machine without Quarto too.
Links from a notebook to a page at the root, such as ../CONTRIBUTING.md, work in the documentation because those pages are copied into it.
Then it reads what Quarto would get, and fails if

- the sidebar (nbs/sidebar.yml) does not list every page once, or lists one that is not there;
- a link to a page, a heading or a picture of the site leads nowhere;
- a public function or class (in a module's __all__) has no docstring, or a parameter of it no comment;
- a stored output shows a traceback or a warning.

The package must be installed, and no folder above this one may have a name that begins with a dot (nbdev would skip everything)."""
import ast, json, os, posixpath, re, sys
from pathlib import Path
import yaml
from nbdev.config import get_config
from nbdev.doclinks import _build_modidx, nbglob
from nbdev.quarto import refresh_quarto_yml
from nbdev.serve import proc_nbs

ROOT = Path(__file__).resolve().parents[1]
PAGES = 'CONTRIBUTING.md', 'CHANGELOG.md'                 # at the root, pages of the site


def cells(fn):
    "The cells of a notebook"
    return json.loads(fn.read_text(encoding='utf-8'))['cells']


def outputs(fn):
    "(number of the cell, its source, output) of everything that a notebook stores"
    return [(i, ''.join(c['source']), o) for i,c in enumerate(cells(fn)) for o in c.get('outputs', [])]


def errors(fn):
    "The errors among the outputs of the notebook `fn`"
    return [f'{o["ename"]}: {o["evalue"]}' for _,_,o in outputs(fn) if o['output_type'] == 'error']


def add_pages(out, names):
    "Copy the pages at the root into `out` and turn the notebooks' links to them"
    for page in PAGES:
        (out/page).write_bytes((ROOT/page).read_bytes())
        for fn in (out/o for o in names):
            up = '../'*len(fn.relative_to(out).parts)
            fn.write_text(fn.read_text(encoding='utf-8').replace(f']({up}{page}', f']({up[3:]}{page}'), encoding='utf-8')


# --- the sidebar

def listed(contents):
    "The pages in a part of the sidebar"
    for o in contents:
        if isinstance(o, str): yield o
        else: yield from ([o['href']] if 'href' in o else []) + list(listed(o.get('contents', [])))


def sidebar_faults(names):
    "Pages that the sidebar lacks, has twice, or only it has"
    seen = list(listed(yaml.safe_load((ROOT/'nbs'/'sidebar.yml').read_text(encoding='utf-8'))['website']['sidebar']['contents']))
    have = {o.as_posix() for o in names} | set(PAGES)
    yield from (f'nbs/sidebar.yml: {o} is not listed; put it where it should be read' for o in sorted(have-set(seen)))
    yield from (f'nbs/sidebar.yml: there is no page {o}' for o in sorted(set(seen)-have))
    yield from (f'nbs/sidebar.yml: {o} is listed {seen.count(o)} times' for o in sorted(set(seen)) if seen.count(o) > 1)


# --- links

def prose(text):
    "Markdown without what is code"
    return re.sub(r'`[^`\n]*`', lambda m: 'x'*len(m[0]) if '](' in m[0] else m[0], re.sub(r'^(```|~~~).*?^\1', '', text, flags=re.S|re.M))


def texts(fn):
    "The Markdown that a page shows: its own, and that of its outputs"
    if fn.suffix == '.md': return [fn.read_text(encoding='utf-8')]
    return [''.join(c['source']) for c in cells(fn) if c['cell_type'] == 'markdown'] + [''.join(o.get('data', {}).get('text/markdown', '')) for _,_,o in outputs(fn)]


def anchor(heading):
    "The id that Pandoc gives to a heading: letters, digits, `_`, `-` and `.` from the first letter on, in lower case"
    plain = re.sub(r'\{[^}]*\}\s*$', '', re.sub(r'!?\[([^\]]*)\]\([^)]*\)', r'\1', heading))
    text = '-'.join(re.sub(r'[^\w\s.-]', '', plain).lower().split())
    return text[next((i for i,c in enumerate(text) if c.isalpha()), len(text)):] or 'section'


def anchors(fn):
    "The ids on a page"
    text = '\n\n'.join(prose(t) for t in texts(fn)); heads, found = re.findall(r'^#{1,6}\s+(.*?)\s*#*$', text, flags=re.M), set(re.findall(r'\{#([\w.:-]+)', text))
    for h in map(anchor, heads): found.add(next(o for k in range(len(heads)+1) if (o := h if not k else f'{h}-{k}') not in found))
    return found


def targets(fn):
    "Where the links and pictures of a page lead"
    for text in map(prose, texts(fn)):
        yield from re.findall(r'\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)', text)
        yield from re.findall(r'<(?:a|img)\b[^>]*?(?:href|src)="([^"]+)"', text)


def html_name(fn):
    "The page that Quarto makes of a notebook"
    raw = next((''.join(c['source']) for c in cells(fn) if c['cell_type'] == 'raw'), '') if fn.suffix == '.ipynb' else ''
    m = re.search(r'^output-file:\s*(\S+)', raw, flags=re.M)
    return fn.with_name(m[1] if m else fn.stem+'.html')


def link_faults(out, names):
    "Links of the site that lead nowhere"
    pages = [out/o for o in (*names, *PAGES)]; ids, html = {p: anchors(p) for p in pages}, {html_name(p).relative_to(out).as_posix(): p for p in pages}
    cfg = get_config(); site = (cfg.doc_host+cfg.doc_baseurl).rstrip('/')+'/'
    if len(html) < len(pages): yield 'two notebooks make a page of one name: '+', '.join(sorted(str(p.relative_to(out)) for p in pages if html[html_name(p).relative_to(out).as_posix()] != p))
    for p in pages:
        for link in dict.fromkeys(targets(p)):
            inside = link.startswith(site)
            if re.match(r'[a-z][\w+.-]*:', link) and not inside: continue
            path, _, at = (link[len(site):] if inside else link).partition('#')
            to = html.get(path) if inside else p if not path else out/posixpath.normpath(posixpath.join(p.relative_to(out).parent.as_posix(), path))
            if to is None or not to.is_file(): yield f'{p.relative_to(out)}: links to {link}, which is no page or picture of the site'
            elif at and to in ids and at not in ids[to] and not (inside and at.startswith('_')):      # nbdev links private names too, to where nothing is shown
                yield f'{p.relative_to(out)}: links to {link}, but {to.relative_to(out)} has no such heading'


# --- what is said of the public names

def documented(obj):
    "Parameters of a function or class, and whether each is explained: by a comment on its line, in a command's help, or by a base class"
    import inspect
    from fastcore.docments import docments
    if inspect.isclass(obj) and issubclass(obj, BaseException): return {}
    said, own = set(), inspect.signature(obj, follow_wrapped=False).parameters
    for o in inspect.getmro(obj)[:-1] if inspect.isclass(obj) else [obj]:
        said |= {k for k,v in docments(o, full=True, returns=False).items() if v.docment or getattr(v.anno, 'help', None)}
        if not o.__module__.startswith(get_config().lib_name): continue
        for line in inspect.getsource(getattr(o, '__wrapped__', o)).splitlines():        # `X, Y,  # ...` speaks of both
            if m := re.match(r'\s*(\w[^#()]*),\s*#', line): said |= {k for p in m[1].split(',') if (k := re.match(r'\s*(\w*)', p)[1]) in own}
    return {k: k in said for k,v in own.items() if k not in ('self', 'cls') and v.kind not in (v.VAR_KEYWORD, v.VAR_POSITIONAL)}


def public(fn):
    "The names in __all__ of a module's source, without running it"
    for node in ast.parse(fn.read_text(encoding='utf-8')).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') == '__all__': return [e.value for e in node.value.elts]
    return []


def silent(module):
    "What a module does not say about its public names"
    import importlib, inspect
    mod = importlib.import_module(f'{get_config().lib_name}.{module.stem}')
    for name in public(module):
        obj = getattr(mod, name)
        if not (inspect.isfunction(obj) or inspect.isclass(obj)): continue
        if not (obj.__doc__ or '').strip() or obj.__doc__.startswith(f'{name}('): yield f'{module.stem}.{name} has no docstring'      # a dataclass without one gets its signature
        if bare := [k for k,said in documented(obj).items() if not said]: yield f'{module.stem}.{name} does not say what {", ".join(bare)} {"is" if len(bare) == 1 else "are"}'


# --- what is stored

NOISE = re.compile(r'Traceback \(most recent call last\)|\b[A-Z]\w*Warning: |^Warning: ', flags=re.M)


def noisy(fn):
    "Stored outputs with a traceback or a warning"
    for i,source,o in outputs(fn):
        text = ''.join(o.get('text', '')) + ''.join(''.join(v) for k,v in o.get('data', {}).items() if k.startswith('text/'))
        if m := NOISE.search(text): yield f'{fn.relative_to(ROOT)}: cell {i} stores "{text[m.start():].splitlines()[0][:100]}"'


def main():
    os.chdir(ROOT)
    os.environ['PYTHONWARNINGS'] = 'error:Failed to create YAML:UserWarning'      # nbdev reads a list in a first cell as front matter; the processes below inherit this
    refresh_quarto_yml()
    _build_modidx()
    try: out = proc_nbs(force=True, n_workers=2)
    except Exception as e: sys.exit(f'a notebook was not processed: {e}')
    names = [Path(f).relative_to(ROOT/'nbs') for f in nbglob(ROOT/'nbs')]
    missing = [str(o) for o in names if not (out/o).exists()]
    broken = [f'{o}: {e}' for o in names if (out/o).exists() for e in errors(out/o)]
    if missing or broken or not names: sys.exit('\n'.join([*(f'{o}: not processed' for o in missing), *broken]) or 'no notebooks')
    add_pages(out, names)
    found = [*sidebar_faults(names), *link_faults(out, names), *(f for o in sorted(get_config().lib_path.glob('[!_]*.py')) for f in silent(o)), *(f for o in names for f in noisy(ROOT/'nbs'/o))]
    print('\n'.join(found) or f'{len(names)} notebooks are ready in {out.name}/')
    return int(bool(found))


if __name__ == '__main__': sys.exit(main())         # proc_nbs starts processes that import this file
