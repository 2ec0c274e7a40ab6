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
    searched = [finalists.schedule[finalists.nfe == nfe].iloc[0] for nfe in asked.nfes]
    polished = [text_of(result.at(nfe)) for nfe in asked.nfes]
    return dict(
        seed=seed,
        passes=result.passes,
        searched=[json.loads(text) for text in searched],
        polished=[json.loads(text) for text in polished],
    )


def fronts(name, asked:Setting, workers) -> list:
    "What the searches of all seeds found, made where it isn't there yet."
    missing = [seed for seed in asked.seeds if not front_file(asked, name, seed).exists()]
    for made in workers.map(one_search, [(name, seed, asked) for seed in missing]):
        front_file(asked, name, made['seed']).parent.mkdir(parents=True, exist_ok=True)
        front_file(asked, name, made['seed']).write_text(json.dumps(made, indent=1)+'\n')
        print(name, 'seed', made['seed'], f"{sum(made['passes'].values()):,} passes", flush=True)
    return [json.loads(front_file(asked, name, seed).read_text()) for seed in asked.seeds]


def tasks_of(name, asked:Setting, workers) -> list:
    "[(what, seed, number of calls, schedule)] of a model."
    found = fronts(name, asked, workers)
    known = [
        (KNOWN, place, nfe, schedule)
        for nfe in asked.nfes
        for place,(schedule,_) in enumerate(tuned(name, nfe, asked)[:2])
    ]
    mine = [
        (what, front['seed'], nfe, read(data))
        for front in found
        for what in ('searched', 'polished')
        for nfe,data in zip(asked.nfes, front[what])
    ]
    return known + mine


def record(name, tasks, asked:Setting, rows, workers):
    "Measure the schedules that have no rows yet."
    def keys(task):
        what, seed, nfe, _ = task
        return [rows.on_noise((name, nfe, what, seed), noise) for noise in asked.noises]
    todo = [task for task in tasks if any(rows.find(**key) is None for key in keys(task))]
    jobs = [(name, asked.control_n, text_of(task[3]), asked.n, asked.noises) for task in todo]
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
        print(name, *task[:3], [round(value, 3) for value,_ in measured], flush=True)


def known_of(rows) -> dict:
    """{(model, number of calls, noise): value} of the known solver that tuning put first; it was
    chosen on other noise."""
    return {
        (row['model'], row['nfe'], row['noise']): float(row['value'])
        for row in rows.rows
        if row['what'] == KNOWN and row['seed'] == '0'
    }


def ratios(rows, what, against='known', times=1) -> dict:
    """{model: (ratios, their noises, their seeds, their numbers of calls)} of what was found,
    paired by noise."""
    known, found = known_of(rows), {}
    for row in rows.rows:
        if row['what'] != what: continue
        place = row['model'], str(int(row['nfe'])*times), row['noise']
        other = float(row['hundred']) if against == 'hundred' else known.get(place)
        if other is not None:
            found.setdefault((row['model'], int(row['nfe'])), []).append(
                (float(row['value'])/other, row['noise'], row['seed'])
            )
    return found


def say(title, out:dict):
    "One line a model and number of calls, and one for all."
    print(title)
    for (model, nfe),rows in sorted(out.items()):
        values, noises, seeds = zip(*rows)
        print(f'  {model:10s} {nfe:2d} calls', bootstrap(values, dict(noise=noises, seed=seeds)))
    every = []
    for (model, _), rows in out.items():
        every += [(value, model, noise, seed) for value, noise, seed in rows]
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
