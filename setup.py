"""What pip needs to know, read from settings.ini: one file says it for nbdev and for the build."""
from configparser import ConfigParser
from pathlib import Path
from setuptools import find_namespace_packages, setup

root = Path(__file__).parent
ini = ConfigParser(delimiters=['='])
ini.read(root/'settings.ini', encoding='utf-8')
cfg = ini['DEFAULT']
def words(key): return cfg.get(key, '').split()
def lines(key): return [''.join(o.split()) for o in cfg.get(key, '').splitlines() if o.strip()]

STATUS = [
    '1 - Planning',
    '2 - Pre-Alpha',
    '3 - Alpha',
    '4 - Beta',
    '5 - Production/Stable',
    '6 - Mature',
    '7 - Inactive',
]
SPDX = {'apache2': 'Apache-2.0', 'mit': 'MIT', 'bsd3': 'BSD-3-Clause'}
lib, extra = cfg['lib_path'], '_requirements'
# dev_requirements -> [dev]
extras = {key.removesuffix(extra): words(key) for key in cfg if key.endswith(extra)}
extras['all'] = sorted({o for reqs in extras.values() for o in reqs})

setup(
    name=cfg['lib_name'],
    version=cfg['version'],
    description=cfg['description'],
    keywords=words('keywords'),
    author=cfg['author'],
    author_email=cfg['author_email'],
    license=SPDX[cfg['license']],
    url=cfg['git_url'],
    project_urls={'Documentation': cfg['doc_host']+cfg['doc_baseurl'], 'Source': cfg['git_url']},
    long_description=(root/'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    classifiers=[
        f'Development Status :: {STATUS[int(cfg["status"]) - 1]}',
        f'Intended Audience :: {cfg["audience"]}',
        f'Natural Language :: {cfg["language"]}',
        'Programming Language :: Python :: 3 :: Only',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    packages=find_namespace_packages(include=[lib, lib+'.*']),
    package_data={lib: words('package_data')},
    include_package_data=True,
    python_requires='>='+cfg['min_python'],
    install_requires=words('requirements'),
    extras_require=extras,
    entry_points={'console_scripts': lines('console_scripts'), 'nbdev': [f'{lib}={lib}._modidx:d']},
    zip_safe=False,
)
