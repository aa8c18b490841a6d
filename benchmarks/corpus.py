"""Text from wikis, filters, near-duplicates, languages: MB/s per core and quality, with the peers in the same run.

    export MOTHERTONGUE_DATA=../shared/data
    python benchmarks/corpus.py                              everything, an hour on two quiet cores
    python benchmarks/corpus.py --only filters,identifier    these questions; the rest stays as it was measured
    python benchmarks/corpus.py --copies 1 --rounds 1 --pure 1 --name try        a quick look, into another file

The peers (wikiextractor, gensim, mwparserfromhell, wikitextparser, the Hugging Face `wikipedia` method, datatrove,
datasketch, rensa, lingua) get an environment of their own in the user's cache folder.

corpus_bench.py, corpus_exports.py      where jobs run, the exports
corpus_ours.py, corpus_peers.py         the jobs
corpus_probes.py                        what stands inside sentences: kept or lost
corpus_sentences.py, .json              expected sentences of 16 pages as salted hashes
corpus_extraction.py, corpus_wrapped.py, corpus_filters.py, corpus_duplicates.py, corpus_identifier.py, corpus_rules.py,
corpus_memory.py                        the questions
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from corpus_bench import PEERS, Asked, Bench
from corpus_duplicates import planted, two_editions
from corpus_exports import DUMP
from corpus_extraction import extraction, quality, two_cores, wikitext
from corpus_filters import decisions, filtering, roads
from corpus_identifier import identifier
from corpus_memory import memory
from corpus_rules import rules
from corpus_wrapped import wrapped
from peers_home import environment
from results_file import write_results

QUESTIONS: dict[str, Callable[[Bench], dict[str, float]]] = {
    "extraction": extraction,
    "cores": two_cores,
    "wikitext": wikitext,
    "quality": quality,
    "wrapped": wrapped,
    "filters": filtering,
    "decisions": decisions,
    "road": roads,
    "planted": planted,
    "editions": two_editions,
    "identifier": identifier,
    "rules": rules,
    "memory": memory,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for field in dataclasses.fields(Asked):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=int, default=field.default)
    parser.add_argument("--only", default="", help=f"questions, between commas: {', '.join(QUESTIONS)}")
    parser.add_argument("--name", default="corpus", help="name of the results file")
    given = parser.parse_args()
    asked = Asked(**{field.name: getattr(given, field.name) for field in dataclasses.fields(Asked)})
    chosen = [one for one in given.only.split(",") if one] or list(QUESTIONS)
    if unknown := [one for one in chosen if one not in QUESTIONS]:
        raise SystemExit(f"--only {','.join(unknown)}: no such question. There are {', '.join(QUESTIONS)}.")
    if not DUMP.is_file():
        raise SystemExit(f"{DUMP} is not there. Set MOTHERTONGUE_DATA to the folder of the data.")
    started, figures = time.monotonic(), dict[str, float]()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), environment("corpus-peers", "MOTHERTONGUE_PEERS", PEERS), asked)
        bench.notes.append("seconds are processor time of a process and its children; ratios are of medians")
        for name in chosen:
            figures |= QUESTIONS[name](bench)
    seconds = time.monotonic() - started
    beside = bool(given.only)
    print(write_results(given.name, figures, bench.rows, seconds=seconds, notes=bench.notes, beside=beside))
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
