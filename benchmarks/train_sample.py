"""What is learnt in equal time: held-out bits per byte of the tiny model on Czech and English, from scratch.

First the pace of every arm is measured in turns, from which the steps follow that it has in the given minutes; then
learning rates are looked for on development text, with an eighth of these and then with all of them; then every arm
trains with each seed. A training is a process of its own, and one that has finished is never run twice.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import mean, median
from typing import Any

from peers_home import CACHE
from results_file import ROOT
from train_job import SIZES, Job
from train_rounds import Bench, Result
from train_text import Text, prepare

DATA = Path(os.environ.get("MOTHERTONGUE_DATA", ROOT.parent / "shared" / "data"))
RATES = (1e-3, 2e-3, 4e-3)
PROBE = 1 / 8  # of a training
MORE_PROBES = 2  # beyond the end of RATES, while the best one stands there
BASE = "one-cycle"


@dataclass(frozen=True)
class Arm:
    """A way to train."""

    trainer: str  # of train_peers.py, or ours
    settings: Mapping[str, Any] = field(default_factory=dict)  # of LoopConfig
    batch: int = 8
    needs: str = "json"  # a module

    @property
    def is_there(self) -> bool:
        """Whether the engine has these settings, and what they need is installed."""
        from mothertongue.train.config import LoopConfig

        return set(self.settings) <= set(LoopConfig.__dataclass_fields__) and find_spec(self.needs) is not None


ARMS = {
    BASE: Arm("fastai"),
    "adamw": Arm("ours"),
    "muon": Arm("ours", {"optimizer": "muon"}),
    "schedule-free": Arm("ours", {"optimizer": "schedule-free", "decay": 0.0}, needs="schedulefree"),
}
NOTES = (
    "sample efficiency: the tiny model from scratch, T 256, 8 sequences a step, no dropout, tested on works that no "
    "arm has seen. one-cycle is fastai's own Learner.fit_one_cycle with its defaults (AdamW, beta1 .95-.85-.95, "
    "beta2 .99, weight decay .01, a quarter of the steps rising); the others are ours. steps = minutes over the "
    "arm's seconds per step, measured in turns; rates chosen on development text with the same grid and rule for each "
    "arm and language: probes of an eighth of the steps, and, since these favour low rates, whole trainings of the "
    "first seed at twice the rate and so on while they gain",
    "gain_over_onecycle: relative fall of held-out bits per byte (mean of the seeds) against one-cycle, of the arm of "
    "ours with the lowest mean on development text, in the language where it gains least; gain_outside_spread is 1 if "
    "in every language each seed of that arm is below each seed of one-cycle; an arm that was clearly behind with its "
    "first seed is not repeated: it is compared with one-cycle's first seed, and never the chosen one",
)


def sample(bench: Bench, asked: argparse.Namespace) -> dict[str, float]:
    """Figures of all arms in both languages."""
    wanted = list(dict.fromkeys([BASE, *asked.sample_arms]))
    arms = {name: ARMS[name] for name in wanted if ARMS[name].is_there}
    for missing in [name for name in wanted if name not in arms]:
        bench.notes.append(f"{missing} is left out: the engine has no such setting, or what it needs is not installed")
    paces = pace(bench, arms, asked)
    texts = {language: prepare(language, DATA, CACHE / "train-text" / language) for language in asked.languages}
    found: dict[tuple[str, str], list[Result]] = {(name, language): [] for language in texts for name in arms}
    rates: dict[tuple[str, str], float] = {}
    for seed in range(asked.seeds):
        for name, language in found:
            if seed and name not in (BASE, *asked.repeat):
                continue
            steps = round(60 * asked.minutes / paces[name])
            learn = partial(_learn, bench, language, texts[language], name)
            if not seed:
                short = partial(learn, "probe", steps=round(PROBE * steps), seed=0)
                rates[name, language] = probe(partial(_dev, short))
                whole = partial(learn, "searched", steps=steps, seed=0)
                rates[name, language] = climb(partial(_dev, whole), rates[name, language])
            found[name, language].append(learn("trained", rates[name, language], steps=steps, seed=seed))
    return figures_of(found)


def pace(bench: Bench, arms: Mapping[str, Arm], asked: argparse.Namespace) -> dict[str, float]:
    """Seconds of a step of each arm: the base's, measured once, times the median of the ratios within rounds."""
    jobs = {name: _job(arm).with_(steps=asked.steps or 10, clock=asked.clock) for name, arm in arms.items()}
    turns = {name: partial(bench.train, arms[name].trainer, job) for name, job in jobs.items()}
    settings = {"jobs": {name: asdict(job) for name, job in jobs.items()}}
    rounds = bench.turns("pace", settings, turns)
    file = bench.folder / f"pace-{bench.threads}-{asked.clock}.json"  # so that one-cycle need not train again and again
    if not file.is_file():
        file.write_text(json.dumps(median(one[BASE]["step_seconds"] for one in rounds)), "ascii")
    base: float = json.loads(file.read_text("ascii"))
    ratios = {name: [one[name]["step_seconds"] / one[BASE]["step_seconds"] for one in rounds] for name in arms}
    return {name: base * median(values) for name, values in ratios.items()}


def probe(score: Callable[[float], float]) -> float:
    """The rate with the lowest score: those of RATES, and beyond while the best one is the first or the last."""
    scores = {rate: score(rate) for rate in RATES}
    for _ in range(MORE_PROBES):
        best = min(scores, key=scores.__getitem__)
        beyond = {min(scores): best / 2, max(scores): best * 2}.get(best)
        if beyond is None:
            break
        scores[beyond] = score(beyond)
    return min(scores, key=scores.__getitem__)


def climb(score: Callable[[float], float], rate: float) -> float:
    """The rate at the end of doubling `rate` while the score falls.

    >>> climb({1.0: 3.0, 2.0: 2.0, 4.0: 2.5}.__getitem__, 1.0)
    2.0
    """
    while score(2 * rate) < score(rate):
        rate *= 2
    return rate


def _dev(learn: Callable[[float], Result], rate: float) -> float:
    return learn(rate)["dev"]


def _job(arm: Arm) -> Job:
    return SIZES["tiny"].with_(batch=arm.batch, settings=dict(arm.settings))


def _learn(
    bench: Bench, language: str, text: Text, name: str, question: str, rate: float, *, steps: int, seed: int
) -> Result:
    """Bits per byte after a training, on both tests; kept in a file, so that it need not be repeated."""
    arm = ARMS[name]
    job = _job(arm).with_(warm=0, steps=steps, rate=rate, seed=seed, ids=str(text.ids))
    source = bench.source if arm.trainer == "ours" else bench.scripts
    kind = "probe" if question == "probe" else "trained"
    key = json.dumps([asdict(job), kind, arm.trainer, bench.threads, source])
    name_of = hashlib.sha256(key.encode()).hexdigest()[:16]
    file, out = bench.folder / f"sample-{name_of}.json", bench.folder / f"model-{name_of}"
    started, was_there = time.monotonic(), file.is_file()
    if not was_there:
        trained = bench.train(arm.trainer, job.with_(out=str(out)))
        tests = ("dev",) if question == "probe" else ("dev", "heldout")
        scores = bench.run("train_score.py", str(out), str(text.tokenizer), str(text.tests), *tests)
        shutil.rmtree(out)
        file.write_text(json.dumps(trained | scores | {"seconds": time.monotonic() - started}), "utf-8")
    result: Result = json.loads(file.read_text("utf-8"))
    bench.earlier_seconds += result["seconds"] * was_there
    asked = {"question": question, "language": language, "who": name, "rate": rate, "steps": steps, "seed": seed}
    row = asked | result
    print(json.dumps(row), flush=True)
    bench.rows.append(row)
    return result


def figures_of(found: Mapping[tuple[str, str], Sequence[Result]]) -> dict[str, float]:
    """Mean and spread of every arm, and what ours gain; `found` is (arm, language) -> results of the seeds.

    >>> found = {("one-cycle", "cs"): [{"dev": 3.0, "heldout": 3.0}], ("muon", "cs"): [{"dev": 2.7, "heldout": 2.7}]}
    >>> figures_of(found)["gain_over_onecycle"]
    0.1
    """
    figures: dict[str, float] = {}
    heldout = {key: [one["heldout"] for one in results] for key, results in found.items()}
    for (arm, language), values in heldout.items():
        figures[f"{language}_{arm}_bits_per_byte"] = round(mean(values), 4)
        if len(values) > 1:
            figures[f"{language}_{arm}_spread"] = round(max(values) - min(values), 4)
    languages = sorted({language for _, language in found})
    ours = sorted({arm for arm, _ in found} - {BASE})
    if not ours or (BASE, languages[0]) not in found:
        return figures
    gains = {arm: {name: _gain(heldout[arm, name], heldout[BASE, name]) for name in languages} for arm in ours}
    for arm, by_language in gains.items():
        figures |= {f"gain_{language}_{arm}": round(gain, 4) for language, gain in by_language.items()}
    repeated = [arm for arm in ours if len(found[arm, languages[0]]) == len(found[BASE, languages[0]])]
    chosen = min(repeated, key=lambda arm: mean(one["dev"] for name in languages for one in found[arm, name]))
    apart = all(max(heldout[chosen, name]) < min(heldout[BASE, name]) for name in languages)
    return figures | {
        "gain_over_onecycle": round(min(gains[chosen].values()), 4),
        "gain_outside_spread": float(apart),
    }


def _gain(values: Sequence[float], base: Sequence[float]) -> float:
    """How much lower `values` are than those of `base` with the same seeds, as a share."""
    return 1 - mean(values) / mean(base[: len(values)])
