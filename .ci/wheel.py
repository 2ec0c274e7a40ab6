#!/usr/bin/env python
"""Check a built wheel: python .ci/wheel.py WHEEL

It has every file of usf_nbdev/ that git knows, some of them weights. Installed alone into a new
place and used from an empty folder, where the packages of the extras can't be imported, all its
modules import, the embedded model loads, a report finds its style sheet, and every command answers
--help."""
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Python runs this file at every start, in the commands too.
WITHOUT_EXTRAS = '''
import sys
class Missing:
    "What an extra brings is not there."
    def find_spec(self, name, path=None, target=None):
        if name in {extras}: raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
sys.meta_path.insert(0, Missing())
'''
USE = '''
import importlib, pkgutil, sys, usf_nbdev
from pathlib import Path
assert Path(usf_nbdev.__file__).is_relative_to(sys.argv[1]), f'imported from {usf_nbdev.__file__}'
# a scheduler of diffusers is a class of diffusers: without it the module says what to install
extra = 'of the extra [diffusers]'
need_it = 'in_the_loop', 'one_step', 'recorded', 'scheduler'
needs_extra = {f'usf_nbdev.hosts.{name}': extra for name in need_it}
for module in pkgutil.walk_packages(usf_nbdev.__path__, 'usf_nbdev.'):
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        if needs_extra.pop(module.name, 'no extra') not in str(error): raise
assert not needs_extra, f'imported without their extras: {sorted(needs_extra)}'
from usf_nbdev.showing.report import _page
from usf_nbdev.zoo.models import load_model
load_model('digits')
assert '--paper' in _page('no result')
'''


def extras():
    "The modules of the packages that only an extra brings."
    settings = ConfigParser(delimiters=['='])
    settings.read(ROOT/'settings.ini', encoding='utf-8')
    wanted = {key: names(value) for key, value in settings['DEFAULT'].items()
              if key.endswith('requirements')}
    needed = wanted.pop('requirements')
    return sorted(set().union(*wanted.values())-needed)


def names(requirements):
    "The modules of some requirements, such as nbdev of `nbdev>=2,<3`."
    words = [re.match(r'[\w-]+', requirement)[0] for requirement in requirements.split()]
    return {word.replace('-', '_') for word in words}


def lacking(wheel):
    "What is wrong with the files in a wheel, or an empty string."
    has = set(zipfile.ZipFile(wheel).namelist())
    known = subprocess.run(['git', 'ls-files', 'usf_nbdev'], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.split()
    missing = sorted(set(known)-has)
    if missing: return f'it lacks {", ".join(missing)}: add them to package_data in settings.ini'
    weights = [name for name in known if name.endswith('.safetensors')]
    return '' if weights else 'there are no weights in usf_nbdev/'


def use(wheel, folder):
    "Install a wheel alone and use it from an empty folder -> the number of its commands."
    site, empty = folder/'site', folder/'empty'
    empty.mkdir()
    subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--target',
                    str(site), wheel], check=True)
    (site/'sitecustomize.py').write_text(WITHOUT_EXTRAS.format(extras=extras()), encoding='utf-8')
    env = {**os.environ, 'PYTHONPATH': str(site)}
    subprocess.run([sys.executable, '-c', USE, str(site)], cwd=empty, env=env, check=True)
    commands = sorted((site/'bin').glob('usf_*'))
    for command in commands:
        subprocess.run([str(command), '--help'], cwd=empty, env=env, check=True,
                       stdout=subprocess.DEVNULL)
    left = sorted(path.name for path in empty.iterdir())
    if left:
        sys.exit(f'left behind: {", ".join(left)}')
    return len(commands)


def main(wheel):
    fault = lacking(wheel)
    if fault:
        sys.exit(f'{wheel}: {fault}')
    with tempfile.TemporaryDirectory() as folder:
        commands = use(wheel, Path(folder).resolve())
    print(f'{Path(wheel).name}: {commands} commands, without {", ".join(extras())}')


if __name__ == '__main__':
    main(*sys.argv[1:])
