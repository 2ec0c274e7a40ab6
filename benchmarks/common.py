"What every benchmark shares: rows that are recorded as soon as they are measured, and never measured twice."
import csv, datetime, os, platform
from pathlib import Path
import torch

ROWS = Path(__file__).parent/'rows'

def stamp() -> dict:
    "When and on what a row was measured."
    return dict(date=datetime.date.today().isoformat(), machine=f'{os.cpu_count()} cores {platform.machine()}', torch=torch.__version__)

class Rows:
    "A CSV file of measurements; a row is known by its `key` columns."
    def __init__(self, name, key):
        self.path, self.key = ROWS/f'{name}.csv', key; ROWS.mkdir(exist_ok=True)
        self.rows = list(csv.DictReader(self.path.open())) if self.path.exists() else []
    def find(self, **key): return next((r for r in self.rows if all(r[k] == str(key[k]) for k in self.key)), None)
    def get(self, measure, **key) -> dict:
        "The row of a key: the recorded one, or `measure()` (a dict), recorded."
        return r if (r := self.find(**key)) is not None else self.add({**key, **measure()})
    def add(self, row) -> dict:
        "Record a row."
        r = {k: str(v) for k,v in {**row, **stamp()}.items()}; there = self.path.exists()
        columns = next(csv.reader(self.path.open())) if there else list(r)
        with self.path.open('a', newline='') as f:
            w = csv.DictWriter(f, columns, restval='', lineterminator='\n')          # a column that the file has not is an error, before anything is written
            if not there: w.writeheader()
            w.writerow(r)
        self.rows.append(r)
        return r

def append(name, row):
    "Add a row to rows/NAME.csv, with the date and the machine; for timings, which are measured again each time."
    Rows(name, ()).add(row)
