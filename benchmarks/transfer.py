"""The honest curve: how much compute does a transfer save, in three languages, at five lengths of training?

    MOTHERTONGUE_DATA=../shared/data python benchmarks/transfer.py      all of it: more than a day of one core
    python benchmarks/transfer.py --hours 2 --only cs,curve             a piece; the same command goes on
    python benchmarks/transfer.py --collect                             only gather what has finished
    python benchmarks/transfer.py --quick                               minutes, toy models, no results written

Resumable: a folder for each training below runs/transfer, and none is made twice. Several processes may work at once
(OMP_NUM_THREADS=1 for each): each passes by what another is making, and looks again at the end.
A training is known by its settings and inputs, not by the code: after a change of a method or of the loop remove the
trainings that it concerns from runs/transfer/trainings-*. Rows of results/transfer.json whose training is not there
(another machine made it) stay as they are.

Models have 1.1 M parameters (4 layers, 128 wide, vocabulary 2,048). Every arm is annealed at every budget, reads the
same text in the same order, has its own probes of rates, and pays for rows and probes. Held-out text; rates are chosen
on development text. `saving_at_N`: at N tokens per parameter; factors at the end of the scratch curve are lower bounds,
and the notes say so.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any

from mothertongue.compare.config import CompareConfig
from mothertongue.compare.curves import notes_of, spots, tflop_per_second
from mothertongue.compare.ground import Ground, open_ground
from mothertongue.compare.jobs import finished, run_jobs
from mothertongue.compare.picture import draw_curves
from mothertongue.compare.training import Result
from mothertongue.errors import ConfigError
from results_file import RESULTS, ROOT, read_figures, read_rows, write_results
from transfer_figures import PREFIXES, figures_of_language, without_probes
from transfer_text import TEXTS, dictionary, make_base, make_text


@dataclass(frozen=True)
class Piece:
    """Arms that are trained together, at some budgets (tokens per parameter), with some seeds."""

    arms: tuple[str, ...]
    budgets: tuple[float, ...]
    seeds: int = 3


# in the order of their worth: whatever the hours allow, the first are whole
PIECES = {
    "curve": Piece(("scratch", "align"), (0.2, 0.5, 1.0, 5.0)),
    "between": Piece(("scratch",), (2.0,)),
    "peers": Piece(("focus", "wechsel", "align+dictionary"), (0.2, 1.0)),
    "brief": Piece(("align", "align+dictionary"), (0.1,)),  # where short trainings of the others are met
    "guillou": Piece(("guillou", "guillou-probed"), (1.0,)),
    "guillou-at-five": Piece(("guillou", "guillou-probed"), (5.0,)),
    "twenty": Piece(("scratch", "align"), (20.0,), seeds=1),
    "ten": Piece(("scratch",), (10.0,), seeds=1),
    "longer": Piece(("scratch",), (40.0,), seeds=1),
    "peers-at-five": Piece(("focus", "wechsel", "align+dictionary"), (5.0,)),
    "mean": Piece(("mean",), (0.2, 1.0, 5.0)),
    "seeds": Piece(("scratch", "align"), (20.0,)),  # the other two of "twenty"
}
QUICK = {name: Piece(piece.arms, (0.2, 0.5) if name == "curve" else (0.2,), seeds=2) for name, piece in PIECES.items()}


def config_of(piece: Piece, *, dictionary: str, quick: bool) -> CompareConfig:
    """Settings of the trainings: alike for all pieces, so that they share what is finished."""
    return CompareConfig(
        arms=piece.arms,
        budgets=piece.budgets,
        seeds=piece.seeds,
        split="heldout",
        max_megabytes=0.05 if quick else 0.3,
        probes=2 if quick else 4,
        probe_share=0.04,
        probe_steps=10 if quick else 209,  # 0.2 tokens per parameter: one set of probes for all budgets up to 5
        text_megabytes=1.0 if quick else 8.0,
        dictionary=dictionary,
    )


def available(piece: Piece, dictionary: str, notes: set[str]) -> Piece | None:
    """The piece without arms that this mothertongue does not have, or without their dictionary; each is noted."""
    arms = []
    for arm in piece.arms:
        try:
            CompareConfig(arms=(arm,), dictionary=dictionary)
            arms.append(arm)
        except ConfigError as error:
            notes.add(f"{arm} was skipped: {error}")
    return Piece(tuple(arms), piece.budgets, piece.seeds) if arms else None


def grounds(code: str, names: Sequence[str], runs: Path, notes: set[str], *, quick: bool) -> Iterator[Ground]:
    """What is needed for each piece of a language."""
    base, inputs = make_base(runs, quick=quick), make_text(code, runs, quick=quick)
    try:
        entries = dictionary(code, runs / "fetched")
    except RuntimeError as error:
        entries = ""
        notes.add(f"{code}: no dictionary: {error}")
    for name in names:
        if piece := available((QUICK if quick else PIECES)[name], entries, notes):
            config = config_of(piece, dictionary=entries, quick=quick)
            yield open_ground(config, runs / f"trainings-{code}", checkpoint=base, **inputs)


def run(codes: Sequence[str], names: Sequence[str], runs: Path, *, hours: float, quick: bool) -> set[str]:
    """Train until everything is there or the hours are over; gives what a reader must know."""
    begun, notes, missing = time.monotonic(), set[str](), 1
    while missing:
        missing = 0
        for name, code in product(names, codes):
            left = hours - (time.monotonic() - begun) / 3600 if hours else 0.0
            if hours and left <= 0:
                return notes
            for ground in grounds(code, [name], runs, notes, quick=quick):
                done = run_jobs(ground, max_hours=left)
                missing += len(done.left)
                print(f"{code} {name}: {len(done.results)} trainings are there, {len(done.left)} are not", flush=True)
        time.sleep(30 if missing else 0)  # another process is at those
    return notes


def written(code: str) -> list[Result]:
    """What results/transfer.json has of a language."""
    return [Result(**{key: row[key] for key in row if key != "language"})
            for row in read_rows("transfer") if row["language"] == code]  # fmt: skip


def results_of(code: str, runs: Path, notes: set[str], *, quick: bool) -> list[Result]:
    """Every result of a language, without making any."""
    found = {(each.arm, each.budget, each.seed): each for each in ([] if quick else written(code))}
    if not (runs / f"trainings-{code}").is_dir():
        return list(found.values())
    for ground in grounds(code, list(PIECES), runs, notes, quick=quick):
        for result in finished(ground).results:
            found[result.arm, result.budget, result.seed] = result
    return list(found.values())


def collect(codes: Sequence[str], runs: Path, notes: set[str], *, quick: bool) -> dict[str, float]:
    """Figures, rows and picture of what has finished; written into results unless `quick`."""
    figures: dict[str, float] = {}
    rows: list[dict[str, Any]] = []
    panels, seconds = {}, 0.0
    for code in codes:
        results = results_of(code, runs, notes, quick=quick)
        found = spots(results)
        figures |= figures_of_language(PREFIXES[code], results)
        notes |= {f"{TEXTS[code].name}: {note}" for note in notes_of(found)}
        rows += [{"language": code, **asdict(result)} for result in results]
        seconds += sum(result.training_seconds + result.rows_seconds for result in results)
        if found:
            panels[TEXTS[code].name] = spots(without_probes(results))
            figures[f"{PREFIXES[code]}_gigaflop_per_second"] = round(1e3 * tflop_per_second(results), 1)
    figures |= {key: value for key, value in read_figures("transfer_rows").items() if key == "init_seconds_50k"}
    if panels:
        draw_curves(panels, (runs if quick else RESULTS) / "transfer.png", counted="without the search for rates")
    if panels and not quick:
        print(write_results("transfer", figures, rows, seconds=seconds, notes=sorted(notes)))
    return figures


def main() -> None:
    """Read the command, train, gather."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=0.0, help="begin no training after so many hours")
    parser.add_argument("--only", default="", help=f"some of {', '.join([*TEXTS, *PIECES])}, with commas")
    parser.add_argument("--quick", action="store_true", help="toy models, in a folder of their own; nothing is written")
    parser.add_argument("--collect", action="store_true", help="train nothing")
    asked = parser.parse_args()
    only = [word for word in asked.only.split(",") if word]
    if unknown := [word for word in only if word not in {*TEXTS, *PIECES}]:
        parser.error(f"--only {unknown[0]}: there are {', '.join([*TEXTS, *PIECES])}")
    codes = [code for code in TEXTS if code in only] or list(TEXTS)
    names = [name for name in PIECES if name in only] or list(PIECES)
    runs = ROOT / "runs" / ("transfer-quick" if asked.quick else "transfer")
    notes = set() if asked.collect else run(codes, names, runs, hours=asked.hours, quick=asked.quick)
    for key, value in collect(list(TEXTS), runs, notes, quick=asked.quick).items():
        print(f"{key:40} {value}")
    for note in sorted(notes):
        print(note)


if __name__ == "__main__":
    main()
