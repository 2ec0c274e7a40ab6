"""Does a recurrent ranker rank schedules better than gradient-boosted trees?

    python benchmarks/lstm_ranker.py   # some minutes on one core; continues where it stopped

A ranker in the manner of OMS-DPM (Liu et al. 2023): each step becomes a vector (a sinusoidal
embedding of its time, and a learned embedding of every decision), an LSTM
reads the steps from noise to data, and a small network turns its last state into a score. It is
trained to order pairs: hinge loss over all pairs whose Fréchet distance
differs by more than a threshold. Rows of benchmarks/rows/predictor.csv, trained on 200 and
tested on 100, on the same ten splits as the notebook `08_predictor`,
which shows these taus beside those of the trees. Settings are tuned first, on the training part
of split 0 alone: what was tried is in benchmarks/rows/lstm_tuning.csv,
the result in benchmarks/rows/lstm_ranker.csv.
"""
import math
from dataclasses import dataclass
import numpy as np, pandas as pd, torch
from scipy.stats import kendalltau
from torch import nn
from tqdm.auto import tqdm
from common import ROWS, Rows
from usf_nbdev.core import FIRST_STEPS, MAX_ORDER, PREDICTIONS, RELAXATIONS, SolverSchedule

@dataclass(frozen=True)
class Settings:
    "Everything that was tuned."
    epochs:int       # Passes over all pairs
    lr:float         # Of AdamW, falling to 0 along a cosine
    margin:float     # By how much the better of a pair must score higher
    threshold:float  # Pairs that differ by less in the metric are left out (OMS-DPM: 0.25)
    hidden:int       # Width of the LSTM
    decay:float      # Weight decay
    dropout:float    # Before the head

KINDS = (
    FIRST_STEPS,
    PREDICTIONS,
    range(1, MAX_ORDER+1),
    range(-8, 0),
    (False, True),
    RELAXATIONS,
    range(0, MAX_ORDER+1),
    RELAXATIONS,
)  # decisions of a step

def step_tokens(s, i):
    "Indices of the decisions of step i, and its numbers."
    o = s.steps[i]
    c = o.corrector
    low = any(len(p) < o.order-1 for p in o.points)
    kinds = (
        s.afs if i == 0 else 'none',
        o.prediction,
        o.order,
        o.start,
        low,
        o.relaxation.kind,
        c.order if c else 0,
        c.relaxation.kind if c else 'none',
    )
    numbers = (o.relaxation.c, c.relaxation.c if c else 0.)
    return [list(k).index(v) for k,v in zip(KINDS, kinds)], [
        s.times[i],
        s.times[i+1],
        *s.noise.lamb(np.array(s.times[i:i+2])),
        *numbers,
    ]

def tokens(schedules):
    "Steps of all schedules, padded behind: (N, L, kinds) indices, (N, L, 6) numbers, (N,) lengths."
    L = max(s.n_steps for s in schedules)
    K, X = np.zeros((len(schedules), L, len(KINDS)), int), np.zeros((len(schedules), L, 6))
    for a,s in enumerate(schedules):
        for i in range(s.n_steps):
            K[a,i], X[a,i] = step_tokens(s, i)
    return (
        torch.tensor(K),
        torch.tensor(X, dtype=torch.float32),
        torch.tensor([s.n_steps for s in schedules]),
    )

class Ranker(nn.Module):
    "Timestep and decision embeddings -> LSTM -> score; lower is better."
    def __init__(self, hidden, dropout, probed, width=8, waves=4):
        super().__init__()
        self.kinds = nn.ModuleList(nn.Embedding(len(k), width) for k in KINDS)
        self.register_buffer('waves', math.pi*2.**torch.arange(waves))
        self.inside = nn.Sequential(nn.Linear(len(KINDS)*width + 4*2*waves + 6, hidden), nn.ReLU())
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.head = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(hidden+probed, hidden), nn.ReLU(), nn.Linear(hidden, 1)
        )
    def forward(self, K, X, length, probe=None):
        u = X[...,:4]*torch.tensor([1., 1., .1, .1])
        w = u[...,None]*self.waves
        x = torch.cat(
            [
                *(e(K[...,j]) for j,e in enumerate(self.kinds)),
                w.sin().flatten(-2),
                w.cos().flatten(-2),
                u,
                X[...,4:]*10,
            ],
            -1,
        )
        h = self.lstm(self.inside(x))[0]
        h = h[torch.arange(len(h)), length-1]
        return self.head(h if probe is None else torch.cat([h, probe[:,None]], -1))[:,0]

def hinge(score, value, c):
    "Mean hinge loss over the pairs that differ by more than the threshold."
    worse = (value[:,None]-value[None]) > c.threshold
    return torch.relu(c.margin - (score[:,None]-score[None]))[worse].mean()

def fit_predict(data, value, probe, train, test, c, seed, how=None):
    """Train on `train`, score `test`. `how`: None, 'input' (log probe before the head) or
    'offset' (log probe plus what the network says)."""
    torch.manual_seed(seed)
    log = torch.tensor(np.log(np.maximum(probe, 1e-6)), dtype=torch.float32)
    log = (log-log[train].mean())/log[train].std()
    y = torch.tensor(value)
    m = Ranker(c.hidden, c.dropout, how == 'input')
    opt = torch.optim.AdamW(m.parameters(), lr=c.lr, weight_decay=c.decay)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, c.epochs)
    def score(i):
        out = m(*(d[i] for d in data), log[i] if how == 'input' else None)
        return out + log[i] if how == 'offset' else out
    for _ in range(c.epochs):
        m.train()
        opt.zero_grad()
        hinge(score(train), y[train], c).backward()
        nn.utils.clip_grad_norm_(m.parameters(), 1.)
        opt.step()
        sched.step()
    m.eval()
    with torch.no_grad():
        return score(test).numpy()

def taus(guess, value, top):
    "Kendall's tau over all, and within the best tenth, as in the notebook."
    best = value <= top
    return dict(
        tau=round(float(np.nan_to_num(kendalltau(guess, value).statistic)), 4),
        tau_best_tenth=round(
            float(np.nan_to_num(kendalltau(guess[best], value[best]).statistic)), 4
        ),
    )

def load():
    r = pd.read_csv(ROWS/'predictor.csv')
    r = r[np.isfinite(r.value) & np.isfinite(r.probe)].reset_index(drop=True)
    value = r.value.to_numpy()
    splits = [np.split(np.random.default_rng(k).permutation(len(r)), [200]) for k in range(10)]
    return (
        tokens([SolverSchedule.from_json(t) for t in r.schedule]),
        value,
        r.probe.to_numpy(),
        splits,
        np.quantile(value, 0.1),
    )

VARIANTS = {'LSTM': None, 'LSTM + probe as input': 'input', 'LSTM + probe as offset': 'offset'}
CHOICES = dict(
    epochs=(20, 50, 100),
    lr=(1e-3, 3e-3, 1e-2),
    margin=(0.1, 0.3, 1.0, 3.0),
    threshold=(0.25, 1.0, 3.0),
    hidden=(16, 32, 64),
    decay=(0.01, 0.1, 1.0),
    dropout=(0.0, 0.1, 0.3, 0.5),
)

def tune(count=16):
    """Settings drawn at random, each by five folds of the training part of split 0: no test
    schedule is looked at."""
    data, value, probe, splits, _ = load()
    train = splits[0][0]
    rows = Rows('lstm_tuning', ('name', *CHOICES))
    rng = np.random.default_rng(0)
    def measure(c, how):
        folds = [(np.delete(train, np.s_[f::5]), train[f::5]) for f in range(5)]
        return dict(
            tau=round(
                float(
                    np.mean(
                        [
                            kendalltau(
                                fit_predict(data, value, probe, a, b, c, 0, how), value[b]
                            ).statistic
                            for a,b in folds
                        ]
                    )
                ),
                4,
            ),
            folds=5,
            n_train=len(folds[0][0]),
        )
    for _ in tqdm(range(count)):
        kw = {k: v[rng.integers(len(v))] for k,v in CHOICES.items()}
        for name,how in VARIANTS.items():
            rows.get(lambda: measure(Settings(**kw), how), name=name, **kw)

def best_settings(name):
    "The tuned settings of a variant."
    r = pd.read_csv(ROWS/'lstm_tuning.csv')
    r = r[r['name'] == name].sort_values('tau').iloc[-1]
    return Settings(**{k: type(v[0])(r[k]) for k,v in CHOICES.items()})

def main(members=4):
    data, value, probe, splits, top = load()
    rows = Rows('lstm_ranker', ('name', 'split'))
    for k,(train,test) in enumerate(tqdm(splits)):
        for name,how in VARIANTS.items():
            if rows.find(name=f'{name}, {members} models', split=k): continue
            each = [
                fit_predict(data, value, probe, train, test, best_settings(name), seed, how)
                for seed in range(members)
            ]
            for title,guess in ((name, each[0]), (f'{name}, {members} models', np.mean(each, 0))):
                rows.get(
                    lambda: dict(taus(guess, value[test], top), n_train=len(train)),
                    name=title,
                    split=k,
                )

if __name__ == '__main__':
    torch.set_num_threads(1)
    tune()
    main()
