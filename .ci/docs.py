#!/usr/bin/env python
"""Prepare the documentation in _proc/: all that `nbdev_docs` does before it calls Quarto. Then
`quarto render _proc --no-cache` makes the pages.

It runs the imports, the exported cells and `show_doc` of every notebook, so a broken one is found
here, on a machine without Quarto too. Links from a notebook to a page at the root, such as
../CONTRIBUTING.md, work in the documentation because those pages are copied into it.
Then it reads what Quarto would get, and fails if

- the first cell of a notebook holds more than a title, a description and `- key: value` lines:
  nbdev deletes the rest from the page;
- the sidebar (nbs/sidebar.yml) does not list every page once, or lists one that is not there;
- the bar at the top (_quarto.yml) leads to no page, or shows another version;
- a page has no link to its notebook on the repository (_quarto.yml), or one that leads nowhere;
- a link to a page, a heading or a picture of the site leads nowhere;
- a link has another in its text, which nbdev makes of a name in backticks;
- a public function or class (in a module's __all__) has no docstring, or a parameter no comment;
- a comment of the package holds a backtick, of which nbdev makes a raw link inside a signature;
- a page says "Call self as a function", because a method that it shows has no docstring;
- a figure has no caption (`#| fig-cap:`) or no alternative text (`#| fig-alt:`);
- a name that a tutorial or a how-to shows is defined where nobody sees it (copied.py);
- a stored output shows a traceback or a warning.

First it makes such faults itself, to see that it would find them. Where nothing is wrong, it writes
llms.txt, the list of pages for programs that read the site.

The package must be installed, and no folder above this one may have a name that begins with a dot
(nbdev would skip everything)."""
import ast
import importlib
import inspect
import io
import json
import os
import posixpath
import re
import sys
import tokenize
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from pathlib import Path

import copied
import yaml
from fastcore.docments import docments
from nbdev.config import get_config
from nbdev.doclinks import _build_modidx, nbglob
from nbdev.quarto import refresh_quarto_yml
from nbdev.serve import proc_nbs

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT/'nbs'
PAGES = 'CONTRIBUTING.md', 'CHANGELOG.md'                 # at the root, pages of the site
# they lie in no folder of notebooks, so the link to a page's source would lead nowhere
NO_SOURCE = '---\nrepo-actions: false\n---\n\n'
NO_DOCSTRING = 'Call self as a function'
NOISE = re.compile(r'Traceback \(most recent call last\)|\b[A-Z]\w*Warning: |^Warning: ', re.M)


@lru_cache
def cells(path):
    "The cells of a notebook."
    return json.loads(path.read_text(encoding='utf-8'))['cells']


def source(cell): return ''.join(cell['source'])


def outputs(path):
    "The number of the cell and the output, of everything that a notebook stores."
    for number, cell in enumerate(cells(path)):
        for output in cell.get('outputs', []):
            yield number, output


def errors(path):
    "The errors among the outputs of a notebook."
    found = [output for _, output in outputs(path) if output['output_type'] == 'error']
    return [f'{output["ename"]}: {output["evalue"]}' for output in found]


# --- the first cell

def is_kept(number, line):
    "Whether nbdev keeps a line of the first cell: a title, a description, or a key with a value."
    if number == 0: return line.startswith('# ')
    return not line.strip() or bool(re.match(r'> \S|- \w+: ', line))


def first_cell_faults(names):
    "First cells that hold what the page will not show."
    for name in names:
        lines = source(cells(NOTEBOOKS/name)[0]).splitlines()
        lost = [line for number, line in enumerate(lines) if not is_kept(number, line)]
        if lost:
            yield (f'{name}: nbdev deletes {lost[0][:60]!r} from the page; '
                   'the first cell holds a title and a description, the second what follows')


# --- the sidebar

def listed(contents):
    "The pages in a part of the sidebar."
    for entry in contents:
        if isinstance(entry, str):
            yield entry
            continue
        if 'href' in entry:
            yield entry['href']
        yield from listed(entry.get('contents', []))


def page_names(names): return {name.as_posix() for name in names} | set(PAGES)


def sidebar():
    "What stands in the sidebar."
    settings = yaml.safe_load((NOTEBOOKS/'sidebar.yml').read_text(encoding='utf-8'))
    return settings['website']['sidebar']['contents']


def sidebar_faults(names):
    "Pages that the sidebar lacks, has twice, or only it has."
    seen = Counter(listed(sidebar()))
    pages = page_names(names)
    for page in sorted(pages-set(seen)):
        yield f'nbs/sidebar.yml: {page} is not listed; put it where it should be read'
    for page in sorted(set(seen)-pages):
        yield f'nbs/sidebar.yml: there is no page {page}'
    for page, n in sorted(seen.items()):
        if n > 1:
            yield f'nbs/sidebar.yml: {page} is listed {n} times'


def navbar_faults(settings, pages, version):
    "What the bar at the top of every page has wrong: a page that is not there, an old version."
    bar = settings['website']['navbar']
    items = [*bar['left'], *bar['right']]
    for item in items:
        for page in item.get('menu', [item.get('href')]):
            if page not in pages and not page.startswith('https://'):
                yield f'_quarto.yml: the navbar leads to {page}, which is no page'
    if version not in [item.get('text') for item in items]:
        yield f'_quarto.yml: the navbar must show the version, {version}'


def repository_faults(settings, names):
    "Pages without a link to their notebook on the repository, or with one that leads nowhere."
    website = settings['website']
    if 'source' not in website.get('repo-actions', []):
        yield '_quarto.yml: repo-actions must hold source, the link to the notebook of a page'
    folder = ROOT/website.get('repo-subdir', '')
    for name in names:
        if not (folder/name).is_file():
            yield f'_quarto.yml: repo-subdir must be the folder of {name}, got {folder.name}'


# --- links

def blank_links(match): return 'x'*len(match[0]) if '](' in match[0] else match[0]


def prose(text):
    "Markdown without what is code."
    text = re.sub(r'^(```|~~~).*?^\1', '', text, flags=re.S | re.M)
    return re.sub(r'`[^`\n]*`', blank_links, text)


def texts(path):
    "The Markdown that a page shows: its own, and that of its outputs."
    if path.suffix == '.md': return [path.read_text(encoding='utf-8')]
    own = [source(cell) for cell in cells(path) if cell['cell_type'] == 'markdown']
    made = [output.get('data', {}).get('text/markdown', '') for _, output in outputs(path)]
    return own + [''.join(text) for text in made]


def anchor(heading):
    "The id that Pandoc gives to a heading: letters, digits, `_`, `-`, `.` from a letter on."
    plain = re.sub(r'!?\[([^\]]*)\]\([^)]*\)', r'\1', heading)
    plain = re.sub(r'\{[^}]*\}\s*$', '', plain)
    words = re.sub(r'[^\w\s.-]', '', plain).lower().split()
    return re.sub(r'^[^a-z]*', '', '-'.join(words)) or 'section'


@lru_cache
def anchors(path):
    "The ids on a page; a heading that comes again has a number after its id."
    text = '\n\n'.join(prose(text) for text in texts(path))
    found = set(re.findall(r'\{#([\w.:-]+)', text))
    for heading in re.findall(r'^#{1,6}\s+(.*?)\s*#*$', text, flags=re.M):
        first = name = anchor(heading)
        again = 0
        while name in found:
            again += 1
            name = f'{first}-{again}'
        found.add(name)
    return found


def targets(path):
    "Where the links and pictures of a page lead, each once."
    found = []
    for text in map(prose, texts(path)):
        found += re.findall(r'\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)', text)
        found += re.findall(r'<(?:a|img)\b[^>]*?(?:href|src)="([^"]+)"', text)
    return list(dict.fromkeys(found))


def html_name(path):
    "The page that Quarto makes of a file."
    is_notebook = path.suffix != '.md'
    raw_cells = [cell for cell in cells(path) if cell['cell_type'] == 'raw'] if is_notebook else []
    named = re.search(r'^output-file:\s*(\S+)', source(raw_cells[0]), re.M) if raw_cells else None
    return path.with_name(named[1] if named else f'{path.stem}.html')


@dataclass(frozen=True)
class Site:
    "The pages as Quarto gets them."
    out:Path          # folder
    names:tuple       # notebooks, relative to it
    address:str       # where the site will be, with a slash at the end

    @property
    def pages(self): return [self.out/name for name in (*self.names, *PAGES)]

    @property
    def by_html(self):
        "The source of each page of the site."
        return {html_name(page).relative_to(self.out).as_posix(): page for page in self.pages}

    def name(self, page): return page.relative_to(self.out)

    def leads_to(self, page, link):
        "The file that a link on a page means, if there is one; and the heading."
        inside = link.startswith(self.address)
        path, _, heading = link.removeprefix(self.address).partition('#')
        if inside: return self.by_html.get(path), heading
        if not path: return page, heading
        return Path(posixpath.normpath((page.parent/path).as_posix())), heading


def link_faults(site):
    "Links of the site that lead nowhere."
    if len(site.by_html) < len(site.pages):
        twice = sorted(str(site.name(page)) for page in site.pages
                       if page not in site.by_html.values())
        yield f'two notebooks make a page of one name: {", ".join(twice)}'
    for page in site.pages:
        for link in targets(page):
            fault = link_fault(site, page, link)
            if fault:
                yield f'{site.name(page)}: links to {link}, {fault}'


def link_fault(site, page, link):
    "What is wrong with one link, or an empty string."
    inside = link.startswith(site.address)
    if re.match(r'[a-z][\w+.-]*:', link) and not inside: return ''
    target, heading = site.leads_to(page, link)
    if target is None or not target.is_file(): return 'which is no page or picture of the site'
    if not heading or target not in site.pages: return ''
    if inside and heading.startswith('_'): return ''    # nbdev links private names, shown nowhere
    known = heading in anchors(target)
    return '' if known else f'but {site.name(target)} has no such heading'


def nested_links(text):
    "Links inside the text of a link, which nbdev makes of a name in backticks."
    return re.findall(r'\[\[(`[^`]+`)\]\(', text)


def nested_faults(site):
    "The same on all pages."
    for page in site.pages:
        for name in sorted({name for text in texts(page) for name in nested_links(text)}):
            yield (f'{site.name(page)}: a link with the text {name} holds another; '
                   'leave the backticks')


# --- what is said of the public names

def source_of(obj):
    "The source of a function or class; of the constructor where a class says it lives elsewhere."
    try:
        return inspect.getsource(obj)
    except OSError:
        return inspect.getsource(obj.__init__)


def explained(obj):
    "The parameters that a comment, a command's help or a shared line of comments explains."
    known = docments(obj, full=True, returns=False)
    said = {name for name, value in known.items()
            if value.docment or getattr(value.anno, 'help', None)}
    if not obj.__module__.startswith(get_config().lib_name): return said
    lines = source_of(getattr(obj, '__wrapped__', obj)).splitlines()
    for before, line in zip(['', *lines], lines):
        under = before.lstrip().startswith('#') and re.match(r'\s*(\w[^#()]*),\s*$', line)
        shared = re.match(r'\s*(\w[^#()]*),\s*#', line) or under     # `X, Y,  # ...` speaks of both
        if shared:
            said |= set(re.findall(r'(?:^|,)\s*(\w+)', shared[1]))
    return said


def unexplained(obj):
    "The parameters of a function or class of which nothing is said, in its base classes either."
    if inspect.isclass(obj) and issubclass(obj, (BaseException, Enum)): return []
    family = inspect.getmro(obj)[:-1] if inspect.isclass(obj) else [obj]
    said = set().union(*map(explained, family))
    parameters = inspect.signature(obj, follow_wrapped=False).parameters.values()
    starred = inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL
    named = [parameter.name for parameter in parameters if parameter.kind not in starred]
    return [name for name in named if name not in said | {'self', 'cls'}]


def public(path):
    "The names in __all__ of a module's source, without running it."
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], 'id', '') == '__all__':
            return [element.value for element in node.value.elts]
    return []


def silent(path):
    "What a module does not say about its public names."
    name = '.'.join(path.relative_to(ROOT).with_suffix('').parts)
    module = importlib.import_module(name)
    for public_name in public(path):
        obj = getattr(module, public_name)
        if inspect.isfunction(obj) or inspect.isclass(obj):
            yield from (f'{name}.{public_name} {fault}' for fault in silences(obj, public_name))


def silences(obj, name):
    "What is not said about one name; a dataclass without a docstring has its signature for one."
    text = (obj.__doc__ or '').strip()
    if not text or text.startswith(f'{name}('):
        yield 'has no docstring'
    bare = unexplained(obj)
    if bare:
        yield f'does not say what {", ".join(bare)} {"is" if len(bare) == 1 else "are"}'


def modules():
    "The modules of the package."
    paths = sorted(get_config().lib_path.rglob('*.py'))
    return [path.resolve() for path in paths if not path.name.startswith('_')]


def ticked(program):
    "The comments of a program that hold a backtick, as (line, comment)."
    for token in tokenize.generate_tokens(io.StringIO(program).readline):
        if token.type == tokenize.COMMENT and '`' in token.string:
            yield token.start[0], token.string


def ticked_faults(path):
    "The same for a module of the package."
    for line, comment in ticked(path.read_text(encoding='utf-8')):
        yield (f'{path.relative_to(ROOT)}:{line}: {comment[:60]!r} holds a backtick, which becomes '
               'a raw link inside a signature; say it in plain words')


def nameless(notebook):
    "The headings under which a page shows a method without a docstring."
    for cell in notebook:
        text = ''.join(output_text(output) for output in cell.get('outputs', []))
        if NO_DOCSTRING in text:
            yield source(cell).splitlines()[-1]


# --- figures

def is_figure(cell):
    "Whether a cell stores a picture that its page shows."
    if cell['cell_type'] != 'code' or source(cell).startswith('#| hide\n'): return False
    stored = [kind for output in cell['outputs'] for kind in output.get('data', {})]
    return any(kind.startswith('image/') for kind in stored)


def figure_faults(notebook):
    "Figures without a caption or alternative text, as (number of the cell, what it lacks)."
    for number, cell in enumerate(notebook):
        if not is_figure(cell): continue
        top = [line for line in source(cell).splitlines() if line.startswith('#|')]
        for key in ('fig-cap', 'fig-alt'):
            if not any(re.match(rf'#\|\s*{key}: *"?[^\s"]', line) for line in top):
                yield number, key


# --- what is stored

def output_text(output):
    "The text in an output, pictures aside."
    data = output.get('data', {})
    parts = [''.join(data[kind]) for kind in data if kind.startswith('text/')]
    return ''.join([''.join(output.get('text', '')), *parts])


def noisy(path):
    "Stored outputs with a traceback or a warning."
    for number, output in outputs(path):
        text = output_text(output)
        match = NOISE.search(text)
        if match:
            line = text[match.start():].splitlines()[0][:100]
            yield f'{path.relative_to(ROOT)}: cell {number} stores "{line}"'


# --- the list of pages for programs that read the site

def headline(page):
    "The title of a page and what it says of itself."
    text = texts(page)[0] if page.suffix == '.md' else source(cells(page)[0])
    lines = text.splitlines()
    said = [line[2:] for line in lines if line.startswith('> ')]
    return lines[0].removeprefix('# '), said[0] if said else ''


def pages_in_order(contents, section=''):
    "The pages of the sidebar with the section that each stands in."
    for entry in contents:
        if isinstance(entry, str):
            yield section, entry
        elif 'href' in entry:
            yield section, entry['href']
        else:
            yield from pages_in_order(entry['contents'], entry['section'])


def llms_text(site):
    "llms.txt: every page with its address and one sentence, in the order of the sidebar."
    config = get_config()
    html = {site.name(page).as_posix(): name for name, page in site.by_html.items()}
    made = [f'# {config.title}', '', f'> {config.description}']
    before = None
    for section, page in pages_in_order(sidebar()):
        if section != before:
            made += ['', f'## {section}', '']
        before = section
        title, said = headline(NOTEBOOKS/page if page.endswith('.ipynb') else ROOT/page)
        made.append(f'- [{title}]({site.address}{html[page]})'+(f': {said}' if said else ''))
    return '\n'.join(made)+'\n'


# --- all of it

def add_pages(folder, names):
    "Copy the pages at the root into `out` and turn the notebooks' links to them."
    for page in PAGES:
        own = (ROOT/page).read_text(encoding='utf-8')
        (folder/page).write_text(NO_SOURCE+own, encoding='utf-8')
        for name in names:
            path = folder/name
            upwards = '../'*len(name.parts)
            text = path.read_text(encoding='utf-8')
            text = text.replace(f']({upwards}{page}', f']({upwards[3:]}{page}')
            path.write_text(text, encoding='utf-8')


def process():
    "What nbdev_docs does before it calls Quarto -> the folder, and the notebooks in it."
    # nbdev reads a list in a first cell as front matter, and runs the work that stands beside an
    # import. It only warns; here both end the processes below, which inherit this.
    os.environ['PYTHONWARNINGS'] = ('error:Failed to create YAML:UserWarning,'
                                    'error:Found cells containing imports:UserWarning')
    refresh_quarto_yml()
    _build_modidx()
    try:
        out = proc_nbs(force=True, n_workers=2)
    except Exception as error:
        sys.exit(f'a notebook was not processed: {error}')
    names = [Path(path).relative_to(NOTEBOOKS) for path in nbglob(NOTEBOOKS)]
    lost = list(unprocessed(out, names))
    if lost or not names:
        sys.exit('\n'.join(lost) or 'no notebooks')
    return out, names


def unprocessed(folder, names):
    "Notebooks that have no page, and those whose cells ended in an error, one line each."
    for name in names:
        if not (folder/name).exists():
            yield f'{name}: not processed'
    for name in names:
        if (folder/name).exists():
            yield from (f'{name}: {error}' for error in errors(folder/name))


def site_of(folder, names):
    "The pages as Quarto gets them, and where they will be."
    config = get_config()
    address = (config.doc_host+config.doc_baseurl).rstrip('/')+'/'
    return Site(folder, tuple(names), address)


def faults(site):
    "All that is wrong, one line each."
    config, folder, names = get_config(), site.out, site.names
    yield from first_cell_faults(names)
    yield from sidebar_faults(names)
    bar = yaml.safe_load((ROOT/'_quarto.yml').read_text(encoding='utf-8'))
    yield from navbar_faults(bar, page_names(names), config.version)
    yield from repository_faults(bar, names)
    yield from link_faults(site)
    yield from nested_faults(site)
    for path in modules():
        yield from silent(path)
        yield from ticked_faults(path)
    for name in names:
        yield from noisy(NOTEBOOKS/name)
        yield from (f'{name}: {shown} has no docstring' for shown in nameless(cells(folder/name)))
        yield from (f'{name}: cell {number} has a figure without #| {key}: "..."'
                    for number, key in figure_faults(cells(NOTEBOOKS/name)))
    yield from copied.faults()


def sees():
    "Whether faults that are made here are found, and what is right is not taken for one."
    bare = dict(cell_type='code', source=['plot()'], outputs=[dict(data={'image/png': ''})])
    named = {**bare, 'source': ['#| fig-cap: "A"\n', '#| fig-alt: "B"\n', 'plot()']}
    silent_method = {**bare, 'outputs': [dict(text=[f'*{NO_DOCSTRING}.*'])]}
    return (
        len(list(ticked('def f(\n    x, # A `Plan`\n    y, # A Plan\n): "`x`"'))) == 1
        and list(figure_faults([named, bare])) == [(1, 'fig-cap'), (1, 'fig-alt')]
        and list(nameless([bare, silent_method])) == ['plot()']
        and len(list(repository_faults(dict(website={}), [Path('00_core.ipynb')]))) == 2
        and nested_links('[[`f`](a)](b) and [`g`](c)') == ['`f`']
        and copied.sees()
    )


def main():
    os.chdir(ROOT)
    if not sees():
        return 'the check does not see the faults that it looks for'
    folder, names = process()
    add_pages(folder, names)
    cells.cache_clear()                       # pages were written anew
    site = site_of(folder, names)
    found = list(faults(site))
    if not found:
        (folder/'llms.txt').write_text(llms_text(site), encoding='utf-8')
    print('\n'.join(found) or f'{len(names)} notebooks are ready in {folder.name}/')
    return int(bool(found))


if __name__ == '__main__':
    sys.exit(main())         # proc_nbs starts processes that import this
