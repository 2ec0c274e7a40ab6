#!/usr/bin/env python
"""Check a built wheel: python .ci/wheel.py WHEEL

It has every file of usf_nbdev/models/ that git knows, at least one of them weights. Installed alone into a new place and used from an empty folder,
all its modules import without the optional extras, the embedded model loads, and every command answers --help."""
import os, subprocess, sys, tempfile, zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
USE = '''
import importlib, pkgutil, sys, usf_nbdev
from pathlib import Path
assert Path(usf_nbdev.__file__).is_relative_to(sys.argv[1]), f'imported from {usf_nbdev.__file__}'
for m in pkgutil.walk_packages(usf_nbdev.__path__, 'usf_nbdev.'): importlib.import_module(m.name)
from usf_nbdev.zoo import load_model
load_model('digits')
'''


def main(wheel):
    has = set(zipfile.ZipFile(wheel).namelist())
    want = set(subprocess.run(['git', 'ls-files', 'usf_nbdev/models'], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
    if want-has: sys.exit(f'the wheel lacks {", ".join(sorted(want-has))}: add it to package_data in settings.ini')
    if not any(o.endswith('.safetensors') for o in want): sys.exit('there are no weights in usf_nbdev/models/')
    with tempfile.TemporaryDirectory() as tmp:
        site, empty = Path(tmp).resolve()/'site', Path(tmp)/'empty'
        empty.mkdir()
        env = {**os.environ, 'PYTHONPATH': str(site)}
        subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', '--no-deps', '--target', str(site), wheel], check=True)
        subprocess.run([sys.executable, '-c', USE, str(site)], cwd=empty, env=env, check=True)
        commands = sorted((site/'bin').glob('usf_*'))
        for o in commands: subprocess.run([str(o), '--help'], cwd=empty, env=env, check=True, stdout=subprocess.DEVNULL)
        if list(empty.iterdir()): sys.exit(f'left behind: {list(empty.iterdir())}')
    print(f'{Path(wheel).name}: {len(has)} files, {len(commands)} commands')


if __name__ == '__main__': main(*sys.argv[1:])
