"""How good is what a search finds? Fresh noises, 10,000 samples, three search seeds, several
models.

    python benchmarks/quality.py
        # hours on 2 cores; continues where it stopped
    python benchmarks/quality.py --models digits --seeds 1   # about half an hour
    python benchmarks/quality.py --release
        # the same on the reserved noises (reserved_noises.json)
    python benchmarks/quality.py --quick                     # half a minute: does it work?

For each model and number of calls: (1) the known solvers, every family with the grid, the first
step and the end that suit it
(`tuned_solvers`), the best two of them measured; (2) the winner of one search for each seed,
with its polish, as `search` returns
it; (3) a hundred steps of the same model from the same noises, so that every ratio is paired.
Rows: rows/paired/known.csv,
rows/paired/quality.csv, and the searches' fronts beside them.
"""
import json
from common import Setting, bootstrap, pool, read, setting, text_of, tuned, values_of, world_of

KEY = ('model', 'nfe', 'what', 'seed', 'noise')
KNOWN = 'known'


def front_file(asked:Setting, name, seed): return asked.folder/f'{name}-front-seed{seed}.json'


def one_search(task):
    "One search over all numbers of calls: its finalists, its winners, and its passes by purpose."
    name, seed, asked = task
    from usf_nbdev.searching.search import Phase, search
    world = world_of(name, asked.control_n)
    few = min(asked.n, 2048)
    result = search(
        world.model,
        world.metric,
        nfe=asked.nfes,
        budget=asked.budget,
        seed=seed,
        journal=asked.folder/f'search-{name}-{seed}.db',
        control_n=asked.control_n,
        n=min(256, asked.n),
        final_n=few,
        polish_n=asked.polish_n,
        polish_steps=min(16, asked.gradients),
        known=asked.families,
        confirm_n=few,
        confirm_seeds=1,
        progress=False,
    )
    finalists = result.trials[
        (result.trials.origin == Phase.FINALIST) & (result.trials.state == 'done')
    ].sort_values('value')
    searched = [finalists.schedule[finalists.nfe == k].iloc[0] for k in asked.nfes]
    polished = [text_of(result.at(k)) for k in asked.nfes]
    return dict(
        seed=seed,
        passes=result.passes,
        searched=[json.loads(s) for s in searched],
        polished=[json.loads(s) for s in polished],
    )


def fronts(name, asked:Setting, workers) -> list:
    "What the searches of all seeds found, made where it isn't there yet."
    missing = [s for s in asked.seeds if not front_file(asked, name, s).exists()]
    for made in workers.map(one_search, [(name, s, asked) for s in missing]):
        front_file(asked, name, made['seed']).parent.mkdir(parents=True, exist_ok=True)
        front_file(asked, name, made['seed']).write_text(json.dumps(made, indent=1)+'\n')
        print(name, 'seed', made['seed'], f"{sum(made['passes'].values()):,} passes", flush=True)
    return [json.loads(front_file(asked, name, s).read_text()) for s in asked.seeds]


def tasks_of(name, asked:Setting, workers) -> list:
    "[(what, seed, number of calls, schedule)] of a model."
    found = fronts(name, asked, workers)
    known = [
        (KNOWN, place, nfe, s)
        for nfe in asked.nfes
        for place,(s,_) in enumerate(tuned(name, nfe, asked)[:2])
    ]
    mine = [
        (what, front['seed'], nfe, read(o))
        for front in found
        for what in ('searched', 'polished')
        for nfe,o in zip(asked.nfes, front[what])
    ]
    return known + mine


def record(name, tasks, asked:Setting, rows, workers):
    "Measure the schedules that have no rows yet."
    def keys(task):
        return [
            dict(model=name, nfe=task[2], what=task[0], seed=task[1], noise=z) for z in asked.noises
        ]
    todo = [t for t in tasks if any(rows.find(**k) is None for k in keys(t))]
    jobs = [(name, asked.control_n, text_of(t[3]), asked.n, asked.noises) for t in todo]
    for task,measured in zip(todo, workers.map(values_of, jobs)):
        for key,(value,hundred) in zip(keys(task), measured):
            rows.get(
                lambda: dict(
                    id=task[3].id,
                    name=task[3].name,
                    calls=task[3].nfe,
                    n=asked.n,
                    value=round(value, 4),
                    hundred=round(hundred, 4),
                ),
                **key,
            )
        print(name, *task[:3], [round(v, 3) for v,_ in measured], flush=True)


def known_of(rows) -> dict:
    """{(model, number of calls, noise): value} of the known solver that tuning put first; it was
    chosen on other noise."""
    return {
        (r['model'], r['nfe'], r['noise']): float(r['value'])
        for r in rows.rows
        if r['what'] == KNOWN and r['seed'] == '0'
    }


def ratios(rows, what, against='known', times=1) -> dict:
    """{model: (ratios, their noises, their seeds, their numbers of calls)} of what was found,
    paired by noise."""
    known, out = known_of(rows), {}
    for r in rows.rows:
        if r['what'] != what: continue
        at = r['model'], str(int(r['nfe'])*times), r['noise']
        other = float(r['hundred']) if against == 'hundred' else known.get(at)
        if other is not None:
            out.setdefault((r['model'], int(r['nfe'])), []).append(
                (float(r['value'])/other, r['noise'], r['seed'])
            )
    return out


def say(title, out:dict):
    "One line a model and number of calls, and one for all."
    print(title)
    for (model, nfe),rows in sorted(out.items()):
        values, noises, seeds = zip(*rows)
        print(f'  {model:10s} {nfe:2d} calls', bootstrap(values, dict(noise=noises, seed=seeds)))
    every = [(v, m, z, s) for (m,_),rows in out.items() for v,z,s in rows]
    if every:
        values, models, noises, seeds = zip(*every)
        print('  all       ', bootstrap(values, dict(model=models, noise=noises, seed=seeds)))


def main():
    asked = setting(__doc__)
    rows = asked.rows('quality', KEY)
    with pool(asked) as workers:
        for name in asked.models:
            record(name, tasks_of(name, asked, workers), asked, rows, workers)
    for what in ('searched', 'polished'):
        say(f'{what}, over the best known solver', ratios(rows, what))
        say(f'{what}, over the best known solver with twice the calls', ratios(rows, what, times=2))
        say(f'{what}, over a hundred steps', ratios(rows, what, 'hundred'))


if __name__ == '__main__':
    main()
