"""Datatrove's filters and MinHash signatures with the same thresholds, and the whole roads.

Decisions are compared per filter and language: on the real English articles, and on pieces of the Czech, Bulgarian and
English sets (3,000 and 12,000 characters, by a seed). Datatrove is asked twice where the language is not English: with
that language's tokenizer and eight of its words as stop words, and as it is by default, which is blind to language.
"""

from __future__ import annotations

import json
import lzma
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from corpus_bench import Bench, Result, ratio
from corpus_exports import DATA
from corpus_peers import rows

SETS = {
    "cs": ("fiction_mkp", "novels_eltec_corrected", "novels_eltec_ocr_noisy", "poetry_ccv", "docs_debian",
           "docs_edgeai_machine_translated", "docs_djangogirls", "debian_descriptions", "fortunes"),
    "bg": ("wikipedia_exams_paragraphs", "docs_tech", "law_parliament", "bible_nt", "docs_edgeai_machine_translated"),
    "en": ("books_pd", "debian_descriptions", "docs_edgeai", "wikitext2_valid_test"),
}  # fmt: skip
STOP_WORDS = {"cs": "a se v na že je to s", "bg": "и на да се в от за с", "en": ""}
_LENGTHS = ((3_000, 1.0), (12_000, 0.4))  # characters of a piece, share of them
_LEAST = 200


@cache
def texts_of(name: str) -> tuple[str, ...]:
    """The texts of one of the shared sets, like cs.fiction_mkp."""
    with lzma.open(DATA / "text" / f"{name}.jsonl.xz", "rt", encoding="utf-8") as file:
        return tuple(json.loads(line)["text"] for line in file)


def filtering(bench: Bench) -> dict[str, float]:
    """Speed: filters and signatures over the real articles."""
    texts = bench.texts()
    size = sum(len(row["text"].encode("utf-8")) for row in rows(str(texts))) / 1e6
    jobs: dict[str, Callable[[], Result]] = {
        "datatrove": partial(bench.peer, "datatrove", texts, bench.place("datatrove.json"), "en", ""),
        "ours": partial(bench.ours, "filters", texts, bench.place("filters.json"), "en", ""),
    }
    found = bench.turns("filters and signatures", jobs, megabytes=size)
    both = {name: one["seconds"] + one["signature_seconds"] for name, one in found.items()}
    return {"filters_vs_datatrove": round(both["datatrove"] / both["ours"], 2)}


def decisions(bench: Bench) -> dict[str, float]:
    """The share of identical decisions per filter and language, and what language-blind filters do to Czech."""
    same, blind = dict[str, list[bool]](), dict[str, float]()
    for code in (*SETS, "articles"):
        texts, language = (bench.texts(), "en") if code == "articles" else (_pieces(bench, code), code)
        sets = [row.get("set", code) for row in rows(str(texts))]
        for how, tokenizer, words in (("own tokenizer", language, STOP_WORDS[language]), ("default", "en", "")):
            if how == "default" and language == "en":
                continue
            jobs = (bench.ours, "filters"), (bench.peer, "datatrove")
            files = [bench.place(f"{job}-{code}-{how}.json") for _, job in jobs]
            for (runner, job), file in zip(jobs, files, strict=True):
                runner(job, texts, file, tokenizer, words, "decisions")
            ours, theirs = (json.loads(file.read_text("ascii")) for file in files)
            for rule, own in ours.items():
                equal = _compared(bench, rule, own, theirs[rule], sets, texts=code, tokenizer=how)
                if how == "own tokenizer":
                    same.setdefault(code, []).extend(equal)
                    same.setdefault(rule, []).extend(equal)
                elif rule == "gopher_quality":
                    blind[f"datatrove_default_gopher_quality_drops_{code}"] = _dropped(theirs[rule]) / len(equal)
    every = [one for name, many in same.items() if name in (*SETS, "articles") for one in many]
    figures = {f"filters_identical_decisions_{name}": sum(many) / len(many) for name, many in same.items()}
    figures |= {**blind, "filters_identical_decisions": sum(every) / len(every)}
    return {name: round(share, 4) for name, share in figures.items()}


def _compared(
    bench: Bench, rule: str, ours: Sequence[str | None], theirs: Sequence[str | None], sets: Sequence[str], **about: str
) -> list[bool]:
    """For each document whether both keep or both drop it; the shares as a row."""
    pairs = list(zip(ours, theirs, strict=True))
    equal = [(one is None) == (other is None) for one, other in pairs]
    by_set = {
        name: round(_dropped(own) / len(own), 3)
        for name in dict.fromkeys(sets)
        if (own := [one for one, its in zip(theirs, sets, strict=True) if its == name])
    }
    bench.row(
        "filter decisions", who=rule, **about, documents=len(equal), identical=sum(equal) / len(equal),
        same_reason=sum(one == other for one, other in pairs) / len(equal), dropped_by_ours=_dropped(ours) / len(equal),
        dropped_by_datatrove=_dropped(theirs) / len(equal), dropped_by_datatrove_by_set=by_set,
    )  # fmt: skip
    return equal


def _dropped(reasons: Sequence[str | None]) -> int:
    return sum(reason is not None for reason in reasons)


def _pieces(bench: Bench, code: str) -> Path:
    """Pieces of every set of a language, of two lengths."""
    place, found = bench.place(f"pieces-{code}.jsonl"), list[Result]()
    for name in SETS[code]:
        for length, share in _LENGTHS:
            draw, texts = random.Random(f"{name} {length}"), list(texts_of(f"{code}.{name}"))
            draw.shuffle(texts)
            cut = (_cut(text, length, draw) for text in texts)
            wanted = max(1, round(bench.asked.pieces * share))
            found += [{"set": name, "text": piece} for piece in cut if len(piece) >= _LEAST][:wanted]
    place.write_text("".join(json.dumps(row) + "\n" for row in found), "utf-8")
    return place


def _cut(text: str, length: int, draw: random.Random) -> str:
    if len(text) <= length:
        return text
    begin = text.find("\n", draw.randrange(len(text) - length)) + 1
    return text[begin : begin + length]


def roads(bench: Bench) -> dict[str, float]:
    """From bz2 to clean, deduplicated, tokenized text."""
    vocabulary = bench.place("gpt2")
    vocabulary.mkdir(exist_ok=True)
    for name, known in (("encoder.json", "vocab.json"), ("vocab.bpe", "merges.txt")):
        shutil.copyfile(DATA / "gpt2_bpe" / name, vocabulary / known)
    arms = [(who, part) for part in ("once", "few") for who in ("ours", "lean")]
    jobs = {f"{who} {part}": _road(bench, who, part, vocabulary) for who, part in arms}
    found = bench.turns("whole road", jobs, megabytes=bench.export("once.xml").stat().st_size / 1e6)
    own, lean = (found[f"{who} once"]["seconds"] - found[f"{who} few"]["seconds"] for who in ("ours", "lean"))
    texts, pages = bench.texts(), bench.place("pages.jsonl")
    slow = bench.seconds(
        "wikitext to text", "huggingface", partial(bench.peer, "huggingface", pages, bench.place("huggingface.jsonl"))
    )
    datatrove = partial(bench.peer, "datatrove", texts, bench.place("datatrove.json"), "en", "")
    measured: Mapping[str, Any] = next((row for row in bench.rows if _is_datatrove(row)), {}) or datatrove()
    slow += measured["seconds"] + measured["signature_seconds"] + bench.peer("tokenize", texts, vocabulary)["seconds"]
    bench.notes.append(
        "road_vs_datatrove: the Hugging Face wikipedia method (XML and bz2 not counted), datatrove's filters and "
        "MinHash signatures (not its later dedup steps), tokenizers; all in the peers' favour"
    )
    return {
        "road_vs_lean": ratio(found, "lean once", "ours once"),
        "road_vs_lean_without_start": round(lean / max(1e-6, own), 3),
        "road_vs_datatrove": round(slow / found["ours once"]["seconds"], 2),
        "road_vs_datatrove_without_start": round(slow / max(1e-6, own), 2),
    }


def _is_datatrove(row: Result) -> bool:
    return bool(row["question"] == "filters and signatures" and row["who"] == "datatrove")


def _road(bench: Bench, who: str, part: str, vocabulary: Path) -> Callable[[], Result]:
    """From the export `part` to tokens: by our stage, or by wikiextractor alone."""
    packed, made = bench.export(f"{part}.xml.bz2"), bench.place(f"{who}-{part}.jsonl")

    def job() -> Result:
        if who == "ours":
            jobs = (bench.ours("road", packed, made), bench.ours("tokenize", made, vocabulary))
        else:
            jobs = (bench.peer("wikiextractor", packed, made), bench.peer("tokenize", made, vocabulary))
        return {"seconds": sum(job["seconds"] for job in jobs), "tokenize_seconds": jobs[1]["seconds"]}

    return job
