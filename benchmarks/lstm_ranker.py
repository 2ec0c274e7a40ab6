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

def step_tokens(schedule, i):
    "Indices of the decisions of step i, and its numbers."
    step = schedule.steps[i]
    corrector = step.corrector
    low_order = any(len(nodes) < step.order-1 for nodes in step.points)
    kinds = (
        schedule.afs if i == 0 else 'none',
        step.prediction,
        step.order,
        step.start,
        low_order,
        step.relaxation.kind,
        corrector.order if corrector else 0,
        corrector.relaxation.kind if corrector else 'none',
    )
    numbers = (step.relaxation.c, corrector.relaxation.c if corrector else 0.)
    return [list(choices).index(choice) for choices,choice in zip(KINDS, kinds)], [
        schedule.times[i],
        schedule.times[i+1],
        *schedule.noise.lamb(np.array(schedule.times[i:i+2])),
        *numbers,
    ]

def tokens(schedules):
    "Steps of all schedules, padded behind: (N, L, kinds) indices, (N, L, 6) numbers, (N,) lengths."
    longest = max(schedule.n_steps for schedule in schedules)
    indices = np.zeros((len(schedules), longest, len(KINDS)), int)
    numbers = np.zeros((len(schedules), longest, 6))
    for number,schedule in enumerate(schedules):
        for i in range(schedule.n_steps):
            indices[number,i], numbers[number,i] = step_tokens(schedule, i)
    return (
        torch.tensor(indices),
        torch.tensor(numbers, dtype=torch.float32),
        torch.tensor([schedule.n_steps for schedule in schedules]),
    )

class Ranker(nn.Module):
    "Timestep and decision embeddings -> LSTM -> score; lower is better."
    def __init__(self, hidden, dropout, probed, width=8, waves=4):
        super().__init__()
        self.kinds = nn.ModuleList(nn.Embedding(len(kinds), width) for kinds in KINDS)
        self.register_buffer('waves', math.pi*2.**torch.arange(waves))
        self.inside = nn.Sequential(nn.Linear(len(KINDS)*width + 4*2*waves + 6, hidden), nn.ReLU())
        self.lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.head = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(hidden+probed, hidden), nn.ReLU(), nn.Linear(hidden, 1)
        )
    def forward(self, indices, numbers, length, probe=None):
        times = numbers[...,:4]*torch.tensor([1., 1., .1, .1])
        waves = times[...,None]*self.waves
        inputs = torch.cat(
            [
                *(embed(indices[...,kind]) for kind,embed in enumerate(self.kinds)),
                waves.sin().flatten(-2),
                waves.cos().flatten(-2),
                times,
                numbers[...,4:]*10,
            ],
            -1,
        )
        hidden = self.lstm(self.inside(inputs))[0]
        hidden = hidden[torch.arange(len(hidden)), length-1]
        return self.head(hidden if probe is None else torch.cat([hidden, probe[:,None]], -1))[:,0]

def hinge(score, value, settings):
    "Mean hinge loss over the pairs that differ by more than the threshold."
    worse = (value[:,None]-value[None]) > settings.threshold
    return torch.relu(settings.margin - (score[:,None]-score[None]))[worse].mean()

def fit_predict(data, value, probe, train, test, settings, seed, how=None):
    """Train on `train`, score `test`. `how`: None, 'input' (log probe before the head) or
    'offset' (log probe plus what the network says)."""
    torch.manual_seed(seed)
    log_probe = torch.tensor(np.log(np.maximum(probe, 1e-6)), dtype=torch.float32)
    log_probe = (log_probe-log_probe[train].mean())/log_probe[train].std()
    target = torch.tensor(value)
    ranker = Ranker(settings.hidden, settings.dropout, how == 'input')
    optimizer = torch.optim.AdamW(ranker.parameters(), lr=settings.lr, weight_decay=settings.decay)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs)
    def score(chosen):
        said = log_probe[chosen] if how == 'input' else None
        scores = ranker(*(part[chosen] for part in data), said)
        return scores + log_probe[chosen] if how == 'offset' else scores
    for _ in range(settings.epochs):
        ranker.train()
        optimizer.zero_grad()
        hinge(score(train), target[train], settings).backward()
        nn.utils.clip_grad_norm_(ranker.parameters(), 1.)
        optimizer.step()
        scheduler.step()
    ranker.eval()
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
    rows = pd.read_csv(ROWS/'predictor.csv')
    rows = rows[np.isfinite(rows.value) & np.isfinite(rows.probe)].reset_index(drop=True)
    value = rows.value.to_numpy()
    orders = [np.random.default_rng(split).permutation(len(rows)) for split in range(10)]
    splits = [np.split(order, [200]) for order in orders]
    return (
        tokens([SolverSchedule.from_json(text) for text in rows.schedule]),
        value,
        rows.probe.to_numpy(),
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
    def measure(settings, how):
        folds = [(np.delete(train, np.s_[fold::5]), train[fold::5]) for fold in range(5)]
        of_folds = []
        for fitted, held in folds:
            guess = fit_predict(data, value, probe, fitted, held, settings, 0, how)
            of_folds.append(kendalltau(guess, value[held]).statistic)
        tau = round(float(np.mean(of_folds)), 4)
        return dict(tau=tau, folds=5, n_train=len(folds[0][0]))
    for _ in tqdm(range(count)):
        drawn = {name_: choices[rng.integers(len(choices))] for name_,choices in CHOICES.items()}
        for name,how in VARIANTS.items():
            rows.get(lambda: measure(Settings(**drawn), how), name=name, **drawn)

def best_settings(name):
    "The tuned settings of a variant."
    rows = pd.read_csv(ROWS/'lstm_tuning.csv')
    rows = rows[rows['name'] == name].sort_values('tau').iloc[-1]
    kinds = {setting: type(choices[0]) for setting, choices in CHOICES.items()}
    return Settings(**{setting: kind(rows[setting]) for setting, kind in kinds.items()})

def main(members=4):
    data, value, probe, splits, top = load()
    rows = Rows('lstm_ranker', ('name', 'split'))
    for split,(train,test) in enumerate(tqdm(splits)):
        for name,how in VARIANTS.items():
            if rows.find(name=f'{name}, {members} models', split=split): continue
            each = [
                fit_predict(data, value, probe, train, test, best_settings(name), seed, how)
                for seed in range(members)
            ]
            for title,guess in ((name, each[0]), (f'{name}, {members} models', np.mean(each, 0))):
                rows.get(
                    lambda: dict(taus(guess, value[test], top), n_train=len(train)),
                    name=title,
                    split=split,
                )

if __name__ == '__main__':
    torch.set_num_threads(1)
    tune()
    main()
