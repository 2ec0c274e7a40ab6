"""Do schedules that were polished for one metric please another?

    python benchmarks/second.py        # about 15 minutes on one core; continues where it stopped

The judge of every search and polish is one classifier. Here a second one, trained alike from another seed, which no search and no gradient has seen, judges the known solvers, the searched schedules and the polished ones,
with the anchor and without, of polish.py (benchmarks/rows/polished.jsonl), and the model's own samples with a hundred steps: Fréchet distance of 4,096 samples, and kernel distance of 2,048, by its features on the first fresh noise, beside the kernel distance of the features of the first judge and of the plain pixels.
Rows: benchmarks/rows/second.csv.
"""
import json, tempfile
from functools import lru_cache
import torch
from tqdm.auto import tqdm
from common import Rows
from efficiency import world
from polish import BARE, MADE
from quality import schedule

N, REALS, SEED = 4096, 2048, 1
WHAT = ('known', 'known, polished', 'searched', 'searched, polished', BARE)

@lru_cache(maxsize=1)
def judges(model):
    "For each way to look: function of pictures -> features, features of 2,048 reals at most, and statistics of all of them."
    from usf_nbdev.metrics import Statistics
    from usf_nbdev.train import RECIPES, judge
    name = RECIPES[model].features or model; r = RECIPES[name]; X, Y = r.data(); first = world(model)[1].features; some = X[torch.randperm(len(X), generator=torch.Generator().manual_seed(0))[:REALS]]
    with tempfile.TemporaryDirectory() as folder: second, about = judge(r, name, X, Y, folder, SEED)
    print(f"{model}: the second classifier names {about['classifier_accuracy']:.1%} of the held-out pictures")
    with torch.no_grad(): return {k: (f, f(some), Statistics.from_batches([torch.cat([f(X[i:i+2048]) for i in range(0, len(X), 2048)])])) for k,f in dict(first=first, second=second, pixels=lambda x: x.flatten(1)).items()}

def measure(model, s):
    "What each judge says of a schedule's samples."
    from usf_nbdev.evaluate import CONFIRM_NOISE
    from usf_nbdev.metrics import Statistics, kernel_distance
    from usf_nbdev.sample import sample, start_noise
    m = world(model)[0]; out = {}
    with torch.inference_mode(): y = torch.cat([sample(m, s, x) for x in start_noise(m, N, seed=CONFIRM_NOISE).split(256)]).clamp(-1, 1)
    for k,(f,reals,stats) in judges(model).items():
        with torch.inference_mode(): z = f(y)
        out |= {f'frechet_{k}': round(Statistics.from_batches([z]).distance(stats), 4), f'kernel_{k}': round(kernel_distance(z[:REALS], reals), 6)}
    return dict(n=N, id=s.id) | out

if __name__ == '__main__':
    from usf_nbdev.evaluate import best_grid, many_steps
    torch.set_num_threads(1); rows = Rows('second', ('model', 'nfe', 'what', 'seed'))
    tasks = [o for o in map(json.loads, MADE.open()) if o['what'] in WHAT]; models = list(dict.fromkeys(o['model'] for o in tasks))
    for model in models:
        m = world(model)[0]; rows.get(lambda: measure(model, many_steps(m.noise, 100, best_grid(m))), model=model, nfe=100, what='100 steps', seed=0)
        for o in tqdm([o for o in tasks if o['model'] == model], desc=model): rows.get(lambda: measure(model, schedule(json.dumps(o['schedule']))), **{k: o[k] for k in ('model', 'nfe', 'what', 'seed')})
