"""Did the gradients learn their noise by heart?

    python benchmarks/overfit.py        # a few minutes on one core; continues where it stopped

For every schedule that polish.py has polished (benchmarks/rows/polished.jsonl): the distance of 1,024 samples with the control variate on the noise it was polished on, on the held-out noise
that chose when to stop, and on 4 noises that neither has seen, all measured alike. Rows: benchmarks/rows/overfit.csv.
"""
import json
import numpy as np, torch
from tqdm.auto import tqdm
from common import Rows
from efficiency import world
from polish import MADE
from quality import schedule
from usf_nbdev.evaluate import evaluate
from usf_nbdev.polish import HELDOUT_NOISE, POLISH_NOISE

N, FRESH = 1024, range(75_000, 75_004)

if __name__ == '__main__':
    torch.set_num_threads(1); rows = Rows('overfit', ('model', 'nfe', 'what', 'seed', 'id'))
    for made in tqdm(sorted((json.loads(l) for l in MADE.open()), key=lambda o: o['model'])):      # one control variate after the other
        if not made['what'].endswith(', polished'): continue
        m, metric, control = world(made['model']); s = schedule(json.dumps(made['schedule'])); at = lambda z: evaluate(m, s, metric, N, z, control=control)
        def measure():
            fresh = [at(z) for z in FRESH]
            return dict(own=round(at(POLISH_NOISE+made['seed']), 4), held_out=round(at(HELDOUT_NOISE+made['seed']), 4), fresh=round(float(np.mean(fresh)), 4), spread=round(float(np.std(fresh, ddof=1)), 4), noises=len(FRESH))
        rows.get(measure, model=made['model'], nfe=made['nfe'], what=made['what'], seed=made['seed'], id=s.id)
    ratio = np.log([float(r['fresh'])/float(r['held_out']) for r in rows.rows])
    print(f'fresh to held-out noise: {np.exp(ratio.mean()):.3f}, 95 % interval {np.exp(ratio.mean()-1.96*ratio.std(ddof=1)/len(ratio)**.5):.3f} to {np.exp(ratio.mean()+1.96*ratio.std(ddof=1)/len(ratio)**.5):.3f}, {len(ratio)} schedules')
