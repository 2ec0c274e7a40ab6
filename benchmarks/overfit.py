"""Did the gradients learn their noise by heart?

    python benchmarks/overfit.py
        # a few minutes on one core; continues where it stopped
    python benchmarks/overfit.py --quick
        # half a minute, after polish.py --quick: does it work?

For every schedule that polish.py has polished (polished.jsonl beside its rows): the distance of
as many samples as gradients saw, with the
control variate, on the noise it was polished on, on the held-out noise that chose when to stop,
and on 4 noises that neither has seen; and on
those 4 without a control, and with controls of other noises. Each noise has many samples of the
control of its own, so what was learned of
one control does not help on another. Rows: rows/paired/overfit.csv.
"""
import json, sys
import numpy as np
from common import Setting, bootstrap, read, setting, world_of
from polish import KEY as POLISH_KEY, made_file
from second import kept_quick

KEY = (*POLISH_KEY[:4], 'id')
FRESH = 4


def measure(made, asked:Setting) -> dict:
    "All measurements of one polished schedule."
    from usf_nbdev.judging.evaluate import CHECK_NOISE, HELDOUT_NOISE, POLISH_NOISE, evaluate
    world = world_of(made['model'], asked.control_n)
    schedule = read(made['schedule'])
    seed = made['seed']
    def at(noise, control):
        return evaluate(world.model, schedule, world.metric, asked.polish_n, noise, control=control)
    fresh = [at(CHECK_NOISE+1000*i+seed, world.control) for i in range(FRESH)]
    plain = [at(CHECK_NOISE+1000*i+seed, None) for i in range(FRESH)]
    said = dict(
        own=at(POLISH_NOISE+seed, world.control),
        held_out=at(HELDOUT_NOISE+seed, world.control),
        fresh=np.mean(fresh),
        no_control=np.mean(plain),
    )
    return {name: round(float(value), 4) for name,value in said.items()} | dict(
        spread=round(float(np.std(fresh, ddof=1)), 4), noises=FRESH
    )


def main():
    from tqdm.auto import tqdm
    asked = setting(__doc__) if '--quick' not in sys.argv else kept_quick()
    rows = asked.rows('overfit', KEY)
    polished = [
        line
        for line in map(json.loads, made_file(asked).open())
        if line['what'].endswith(', polished') and line['model'] in asked.models
    ]
    # one control variate after the other
    for made in tqdm(sorted(polished, key=lambda line: line['model'])):
        key = {column: made[column] for column in POLISH_KEY[:4]}
        key['id'] = read(made['schedule']).id
        rows.get(lambda: measure(made, asked), **key)
    factors = {column: [row[column] for row in rows.rows] for column in ('model', 'seed')}
    for other in ('held_out', 'own'):
        print(
            f'fresh to {other}:',
            bootstrap([float(row['fresh'])/float(row[other]) for row in rows.rows], factors),
            f'{len(rows.rows)} schedules',
        )


if __name__ == '__main__':
    main()
