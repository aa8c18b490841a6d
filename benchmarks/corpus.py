"""Text from wikis, filters and near-duplicates: MB/s per core and quality, with the peers in the same run.

    export MOTHERTONGUE_DATA=../shared/data
    python benchmarks/corpus.py                    --copies 1 --rounds 1 --megabytes 8: a quick look

The peers (wikiextractor, gensim, mwparserfromhell, wikitextparser, the Hugging Face `wikipedia` method, datatrove,
datasketch, rensa) get an environment of their own in the user's cache folder. Every job is a process of its own, jobs
of one question take turns, and processor time counts, so that a busy machine changes little. Libraries that take
wikitext are compared on the same pages; wikiextractor and ours on the same export, their start included.

corpus_ours.py, corpus_peers.py     the jobs
corpus_probes.py                    what stands inside sentences: kept or lost
corpus_sentences.py, .json          expected sentences of 16 pages as salted hashes
"""

from __future__ import annotations

import argparse
import bz2
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from xml.etree import ElementTree

from corpus_peers import TEXT, rows
from corpus_probes import TEMPLATES, measure
from corpus_sentences import recall, words
from results_file import ROOT, write_results

HERE = Path(__file__).parent
DATA = Path(os.environ.get("MOTHERTONGUE_DATA", ROOT.parent / "shared" / "data"))
DUMP = DATA / "dumps" / "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mothertongue-benchmarks"
PEERS = ("wikiextractor==3.1.0", "gensim", "mwparserfromhell", "wikitextparser", "datasketch", "rensa", "tokenizers",
         "datatrove", "orjson", "fasteners", "nltk", "spacy", "xxhash<4", "ftfy")  # fmt: skip
EDITS = (0.02, 0.05, 0.1)  # shares of words that planted near-duplicates differ in
THRESHOLD = 0.7
_FEW = 6  # pages of an export that costs little but the start
ALONE = {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
Result = dict[str, Any]


class Bench:
    """The folder and the interpreters that jobs run with, and every measurement as a row."""

    def __init__(self, folder: Path, peers: Path, rounds: int) -> None:
        self.folder, self.peers, self.rounds = folder, peers, rounds
        self.rows: list[Result] = []
        self.pure = _pure(folder / "pure")
        self.compiled = _compiled(folder / "compiled")

    def ours(self, *job: str | Path, source: Path | None = None) -> Result:
        """A job of corpus_ours.py, by the code in `source`."""
        return _run(sys.executable, HERE / "corpus_ours.py", *job, PYTHONPATH=str(source or self.compiled or self.pure))

    def peer(self, *job: str | Path) -> Result:
        """A job of corpus_peers.py."""
        return _run(self.peers, HERE / "corpus_peers.py", *job)

    def turns(self, question: str, jobs: Mapping[str, Callable[[], Result]], *, megabytes: float) -> dict[str, Result]:
        """Each job in turn, `rounds` times: medians of every number."""
        found: dict[str, list[Result]] = {name: [] for name in jobs}
        for _ in range(self.rounds):
            for name, job in jobs.items():
                found[name].append(job())
        medians = {name: {key: median(one[key] for one in many) for key in many[0]} for name, many in found.items()}
        for name, numbers in medians.items():
            speed = {"megabytes_per_second": round(megabytes / numbers["seconds"], 3)} if numbers["seconds"] else {}
            self.rows.append({"question": question, "who": name, "megabytes": round(megabytes, 2), **numbers, **speed})
            print(self.rows[-1], flush=True)
        return medians

    def place(self, name: str) -> Path:
        return self.folder / name


def _run(python: str | Path, *command: str | Path, **environment: str) -> Result:
    done = subprocess.run(
        [str(python), *map(str, command)], capture_output=True, text=True, check=False,
        env={**os.environ, **ALONE, **environment},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stderr[-3000:]}")
    result: Result = json.loads(done.stdout.splitlines()[-1])
    return result


def _pure(folder: Path) -> Path:
    """Our source without compiled parts."""
    ignore = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "bases", "encyclopaedia")
    shutil.copytree(ROOT / "src" / "mothertongue", folder / "mothertongue", ignore=ignore)
    return folder


def _compiled(folder: Path) -> Path | None:
    """Our source with its inner files compiled; None where there is no compiler."""
    _pure(folder)
    done = subprocess.run(
        [sys.executable, "-m", "mothertongue.corpus.wikitext.build"],
        env={**os.environ, "PYTHONPATH": str(folder)}, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        print(f"not compiled: {done.stderr.strip().splitlines()[-1:]}")
    return folder if not done.returncode else None


def peers_python() -> Path:
    """The Python of the peers' environment, made if it is not there."""
    if given := os.environ.get("MOTHERTONGUE_PEERS"):
        return Path(given)
    folder = CACHE / "corpus-peers"
    python = folder / "bin" / "python"
    if not (folder / "complete").is_file():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
        (folder / "complete").touch()
    return python


def exports(bench: Bench, *, copies: int, megabytes: float) -> dict[str, str]:
    """Write the real export, `copies` times in one, as dump.xml and dump.xml.bz2, and its articles; give the wikitext
    of each title.
    """
    whole = bz2.decompress(DUMP.read_bytes())
    end = whole.find(b"</page>", int(megabytes * 1e6)) if megabytes * 1e6 < len(whole) else whole.rfind(b"</page>")
    first = whole.find(b"<page>")
    body = whole[first : end + len(b"</page>")] + b"\n"
    plain = whole[:first] + body * copies + b"</mediawiki>\n"
    bench.place("dump.xml").write_bytes(plain)
    bench.place("dump.xml.bz2").write_bytes(bz2.compress(plain))
    once = whole[:first] + body + b"</mediawiki>\n"  # copies would fall to the removal of duplicates
    bench.place("once.xml").write_bytes(once)
    bench.place("once.xml.bz2").write_bytes(bz2.compress(once))
    few = body.split(b"</page>", _FEW)[:_FEW]
    bench.place("few.xml.bz2").write_bytes(bz2.compress(whole[:first] + b"</page>".join([*few, b"</mediawiki>\n"])))
    pages = dict(_articles(once))
    lines = (json.dumps({"title": title, "text": text}) + "\n" for title, text in pages.items())
    bench.place("pages.jsonl").write_text("".join(lines), "utf-8")
    return pages


def _articles(export: bytes) -> Iterator[tuple[str, str]]:
    for page in ElementTree.fromstring(export).iterfind("{*}page"):
        if page.find("{*}redirect") is None and page.findtext("{*}ns") == "0":
            yield page.findtext("{*}title") or "", page.findtext("{*}revision/{*}text") or ""


def extraction(bench: Bench, pages: Mapping[str, str]) -> dict[str, float]:
    """Speed: from an export against wikiextractor, from wikitext against the libraries."""
    dump, packed, taken = (bench.place(name) for name in ("dump.xml", "dump.xml.bz2", "pages.jsonl"))
    size, figures = dump.stat().st_size / 1e6, dict[str, float]()
    jobs: dict[str, Callable[[], Result]] = {
        "wikiextractor": lambda: bench.peer("wikiextractor", dump, bench.place("wikiextractor.jsonl")),
        "ours-pure": lambda: bench.ours("export", dump, bench.place("ours-pure.jsonl"), source=bench.pure),
    }
    if bench.compiled:
        jobs["ours"] = lambda: bench.ours("export", dump, bench.place("ours.jsonl"))
    found = bench.turns("extraction from XML", jobs, megabytes=size)
    figures["extraction_pure_vs_wikiextractor"] = _ratio(found, "wikiextractor", "ours-pure")
    if bench.compiled:
        figures["extraction_vs_wikiextractor"] = _ratio(found, "wikiextractor", "ours")
        same = bench.place("ours.jsonl").read_bytes() == bench.place("ours-pure.jsonl").read_bytes()
        figures["compiled_gives_the_same_bytes"] = float(same)
    else:
        shutil.copyfile(bench.place("ours-pure.jsonl"), bench.place("ours.jsonl"))
    from_bz2 = {
        "wikiextractor": lambda: bench.peer("wikiextractor", packed, bench.place("unused.jsonl")),
        "ours": lambda: bench.ours("export", packed, bench.place("unused.jsonl")),
        "bz2 alone": lambda: bench.ours("unpack", packed),
    }
    found = bench.turns("extraction from bz2", from_bz2, megabytes=size)
    figures["bz2_vs_wikiextractor"] = _ratio(found, "wikiextractor", "ours")
    figures["share_of_bz2_limit"] = _ratio(found, "bz2 alone", "ours")
    texts = {name: _text_job(bench, name, taken) for name in TEXT}
    texts["ours"] = lambda: bench.ours("text", taken, bench.place("ours-text.jsonl"))
    wikitext = sum(len(text.encode("utf-8")) for text in pages.values()) / 1e6
    found = bench.turns("wikitext to text", texts, megabytes=wikitext)
    for name in TEXT:
        figures[f"extraction_vs_{name}"] = _ratio(found, name, "ours")
    return figures


def _text_job(bench: Bench, name: str, pages: Path) -> Callable[[], Result]:
    return lambda: bench.peer(name, pages, bench.place(f"{name}.jsonl"))


def quality(bench: Bench, pages: Mapping[str, str]) -> dict[str, float]:
    """What each keeps of the text inside sentences, what it leaves of mark-up, and sentence recall."""
    found: dict[str, Result] = {}
    for name in ("ours", "wikiextractor", *TEXT):
        file = "ours-text" if name == "ours" else name  # of every page that the libraries were given
        texts = {row["title"]: row["text"] for row in rows(str(bench.place(f"{file}.jsonl"))) if row["title"] in pages}
        found[name] = measure(pages, texts) | {"sentence_recall": round(recall(texts, pages), 4), "pages": len(texts)}
        bench.rows.append({"question": "quality", "who": name, **found[name]})
        print(bench.rows[-1], flush=True)
    ours, others = found["ours"], [numbers for name, numbers in found.items() if name != "ours"]
    return {
        "template_text_kept": _kept(ours, TEMPLATES),
        "math_kept": _kept(ours, ("math",)),
        "list_items_kept": _kept(ours, ("list",)),
        "leftovers_per_100_pages": ours["leftovers_per_100_pages"],
        "best_peer_leftovers_per_100_pages": min(one["leftovers_per_100_pages"] for one in others),
        "sentence_recall": ours["sentence_recall"],
        "best_peer_sentence_recall": max(one["sentence_recall"] for one in others),
        "best_peer_template_text_kept": max(_kept(one, TEMPLATES) for one in others),
    }


def _kept(numbers: Mapping[str, float], kinds: Sequence[str]) -> float:
    asked = sum(numbers[f"{kind}_asked"] for kind in kinds)
    return round(sum(numbers[f"{kind}_kept"] for kind in kinds) / max(1, asked), 4)


def filtering(bench: Bench) -> dict[str, float]:
    """Datatrove's filters with the same thresholds, MinHash signatures, and the whole roads."""
    texts = bench.place("ours-text.jsonl")
    size = sum(len(row["text"].encode("utf-8")) for row in rows(str(texts))) / 1e6
    jobs: dict[str, Callable[[], Result]] = {
        "datatrove": lambda: bench.peer("datatrove", texts, bench.place("datatrove.json")),
        "ours": lambda: bench.ours("filters", texts, bench.place("filters.json")),
    }
    found = bench.turns("filters and signatures", jobs, megabytes=size)
    both = {name: one["seconds"] + one["signature_seconds"] for name, one in found.items()}
    kept = [json.loads(bench.place(name).read_text("ascii")) for name in ("datatrove.json", "filters.json")]
    same = [one == other for rule in kept[0] for one, other in zip(kept[0][rule], kept[1][rule], strict=True)]
    figures = {
        "filters_vs_datatrove": round(both["datatrove"] / both["ours"], 2),
        "filters_identical_decisions": round(sum(same) / len(same), 4),
    }
    vocabulary = bench.place("gpt2")
    vocabulary.mkdir(exist_ok=True)
    for name, known in (("encoder.json", "vocab.json"), ("vocab.bpe", "merges.txt")):
        shutil.copyfile(DATA / "gpt2_bpe" / name, vocabulary / known)
    arms = [(who, part) for part in ("once", "few") for who in ("ours", "lean")]
    roads = {f"{who} {part}": _road(bench, who, part, vocabulary) for who, part in arms}
    found = bench.turns("whole road", roads, megabytes=bench.place("once.xml").stat().st_size / 1e6)
    figures["road_vs_lean"] = _ratio(found, "lean once", "ours once")
    own, lean = (found[f"{who} once"]["seconds"] - found[f"{who} few"]["seconds"] for who in ("ours", "lean"))
    figures["road_vs_lean_without_start"] = round(lean / max(1e-6, own), 3)
    method = next(row for row in bench.rows if row["question"] == "wikitext to text" and row["who"] == "huggingface")
    slow = method["seconds"] + both["datatrove"] + bench.peer("tokenize", texts, vocabulary)["seconds"]
    figures["road_vs_datatrove"] = round(slow / found["ours once"]["seconds"], 2)
    figures["road_vs_datatrove_without_start"] = round(slow / max(1e-6, own), 2)
    return figures


def _road(bench: Bench, who: str, part: str, vocabulary: Path) -> Callable[[], Result]:
    """From the export `part` to tokens: by our stage, or by wikiextractor alone."""
    packed, made = bench.place(f"{part}.xml.bz2"), bench.place(f"{who}-{part}.jsonl")

    def job() -> Result:
        first = bench.ours("road", packed, made) if who == "ours" else bench.peer("wikiextractor", packed, made)
        return _sum(first, bench.peer("tokenize", made, vocabulary))

    return job


def _sum(first: Result, second: Result) -> Result:
    return {"seconds": first["seconds"] + second["seconds"]}


def duplicates(bench: Bench, *, documents: int) -> dict[str, float]:
    """Planted pairs: every second document is the one before it with some words changed."""
    texts = bench.place("planted.jsonl")
    planted, sets = _plant(texts, documents)
    size = texts.stat().st_size / 1e6
    jobs: dict[str, Callable[[], Result]] = {
        "datasketch": lambda: bench.peer("datasketch", texts, bench.place("datasketch.json")),
        "rensa": lambda: bench.peer("rensa", texts, bench.place("rensa.json")),
        "ours": lambda: bench.ours("near", texts, bench.place("near.json")),
    }
    bench.turns("near-duplicates", jobs, megabytes=size)
    files = {"datasketch": "datasketch.json", "rensa": "rensa.json", "ours": "near.json"}
    figures = dict[str, float]()
    for who, file in files.items():
        gone = set(json.loads(bench.place(file).read_text("ascii")))
        alike = {copy for copy in planted if _jaccard(sets[copy], sets[copy - 1]) >= THRESHOLD}
        # of a pair either may go; a document that was not planted is right to go if it is as alike to its neighbour
        found = {copy for copy in alike if copy in gone or copy - 1 in gone}
        right = {one for one in gone if max(_jaccard(sets[one], sets[one ^ 1]), 0) >= THRESHOLD - 0.1}
        row: Result = {"recall": len(found) / max(1, len(alike)), "precision": len(right) / max(1, len(gone))}
        for edit in EDITS:
            own = [copy for copy, share in planted.items() if share == edit]
            row[f"recall_at_{edit:.0%}_edited"] = sum(c in gone or c - 1 in gone for c in own) / max(1, len(own))
        bench.rows.append({"question": "planted near-duplicates", "who": who, "pairs": len(planted), **row})
        print(bench.rows[-1], flush=True)
        if who == "ours":
            figures = {"near_duplicate_recall": row["recall"], "near_duplicate_precision": row["precision"]}
    return {key: round(value, 4) for key, value in figures.items()}


def _plant(place: Path, documents: int) -> tuple[dict[int, float], list[set[str]]]:
    """Write 2 * `documents` texts; (number of a copy -> share of words changed, shingles of every text)."""
    draw, planted, texts = random.Random(3), dict[int, float](), list[str]()
    source = [word for row in rows(str(place.with_name("ours-text.jsonl"))) for word in row["text"].split()]
    length = max(60, min(400, len(source) // max(1, documents)))
    for number in range(min(documents, len(source) // length)):
        own = source[number * length : (number + 1) * length]
        share = EDITS[number % len(EDITS)]
        copy = [draw.choice(source) if draw.random() < share else word for word in own]
        planted[2 * number + 1] = share
        texts += [" ".join(own), " ".join(copy)]
    place.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    return planted, [_shingles(text) for text in texts]


def _shingles(text: str) -> set[str]:
    own = words(text)
    return {" ".join(own[at : at + 5]) for at in range(max(1, len(own) - 4))}


def _jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def memory(bench: Bench, megabytes: int) -> dict[str, float]:
    """Peak memory of the stage at a quarter of and at so many MB of text; the line through both at 1 GB."""
    peaks = []
    for size in (megabytes / 4, megabytes):
        draw, place = random.Random(4), bench.place("much.jsonl")
        vocabulary = [f"{draw.getrandbits(40):x}" for _ in range(20_000)]
        with place.open("w", encoding="ascii") as file:
            written = 0.0
            while written < size * 1e6:
                text = " ".join(draw.choices(vocabulary, k=400)) + "."
                written += file.write(json.dumps({"text": text}) + "\n")
        found = bench.ours("memory", place)
        place.unlink()
        bench.rows.append({"question": "memory", "megabytes": size, **found})
        print(bench.rows[-1], flush=True)
        peaks.append(found["peak_megabytes"])
    slope = (peaks[1] - peaks[0]) / (megabytes * 0.75)
    return {"peak_megabytes_per_gigabyte": round(peaks[1] + slope * (1000 - megabytes), 1)}


def _ratio(found: Mapping[str, Result], slow: str, quick: str) -> float:
    return round(found[slow]["seconds"] / max(1e-6, found[quick]["seconds"]), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each job runs; medians count")
    parser.add_argument("--copies", type=int, default=8, help="how often the real pages stand in the export")
    parser.add_argument("--megabytes", type=float, default=1000.0, help="at most so much of the real export")
    parser.add_argument("--planted", type=int, default=2000, help="pairs of near-duplicates")
    parser.add_argument("--memory-megabytes", type=int, default=1000, help="text for the measure of memory")
    parser.add_argument("--name", default="corpus", help="name of the results file")
    asked = parser.parse_args()
    if not DUMP.is_file():
        raise SystemExit(f"{DUMP} is not there. Set MOTHERTONGUE_DATA to the folder of the data.")
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), peers_python(), asked.rounds)
        pages = exports(bench, copies=asked.copies, megabytes=asked.megabytes)
        figures = extraction(bench, pages) | quality(bench, pages) | filtering(bench)
        figures |= duplicates(bench, documents=asked.planted) | memory(bench, asked.memory_megabytes)
        notes = [
            "seconds are processor time of a process and its children; ratios are of medians",
            f"the export holds {len(pages)} real articles, {asked.copies} times",
            "road_vs_datatrove: the Hugging Face wikipedia method (XML and bz2 not counted), datatrove's filters and "
            "MinHash signatures (not its later dedup steps), tokenizers; all in the peers' favour",
        ]
        if not bench.compiled:
            notes.append("there was no compiler: figures of ours are of the pure Python code")
    print(write_results(asked.name, figures, bench.rows, seconds=time.monotonic() - started, notes=notes))
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
