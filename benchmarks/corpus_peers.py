"""One job of one peer, run by corpus.py with the Python of the peers' own environment; prints {seconds of CPU, ...}.

python corpus_peers.py gensim pages.jsonl texts.jsonl
"""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def cpu() -> float:
    """Processor time of this process and its children so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def rows(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text("utf-8").split("\n") if line]


def gensim_text() -> Callable[[str], str]:
    from gensim.corpora.wikicorpus import filter_wiki

    return lambda text: str(filter_wiki(text))


def mwparserfromhell_text() -> Callable[[str], str]:
    import mwparserfromhell

    return lambda text: str(mwparserfromhell.parse(text).strip_code())


def wikitextparser_text() -> Callable[[str], str]:
    import wikitextparser

    return lambda text: str(wikitextparser.parse(text).plain_text())


def huggingface_text() -> Callable[[str], str]:
    """The way of the Hugging Face data set `wikipedia`: strip_code by section, without files, tables and references."""
    import mwparserfromhell

    hidden = re.compile(r"^(?:file|image|media|category):", re.I)

    def text(wikitext: str) -> str:
        parts = []
        for section in mwparserfromhell.parse(wikitext).get_sections(
            flat=True, include_lead=True, include_headings=True
        ):
            for node in [
                *section.ifilter_wikilinks(recursive=True),
                *section.ifilter_tags(matches=lambda tag: str(tag.tag) in ("ref", "table")),
            ]:
                if not hasattr(node, "title") or hidden.match(str(node.title)):
                    try:
                        section.remove(node)
                    except ValueError:
                        continue
            parts.append(str(section.strip_code()).strip())
        return "\n\n".join(parts)

    return text


TEXT = {
    "gensim": gensim_text,
    "mwparserfromhell": mwparserfromhell_text,
    "wikitextparser": wikitextparser_text,
    "huggingface": huggingface_text,
}


def extract(name: str, pages: str, out: str) -> dict[str, float]:
    """Running text of pages by a library that takes wikitext."""
    function, taken = TEXT[name](), rows(pages)
    begun = cpu()
    made = [(row["title"], function(row["text"])) for row in taken]
    seconds = cpu() - begun
    Path(out).write_text("".join(json.dumps({"title": title, "text": text}) + "\n" for title, text in made), "utf-8")
    return {"seconds": seconds}


def wikiextractor(export: str, out: str, processes: str = "1") -> dict[str, float]:
    """The command on an export; its start is counted, as it is for ours."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "wikiextractor.WikiExtractor", "--json", "--no-templates"]
        begun, wall = cpu(), time.monotonic()
        subprocess.run(
            [*command, "--processes", processes, "-q", "-o", folder, export], check=True, capture_output=True
        )
        seconds, wall = cpu() - begun, time.monotonic() - wall
        made = [row for file in sorted(Path(folder).rglob("wiki_*")) for row in rows(str(file))]
    Path(out).write_text("".join(json.dumps({"title": r["title"], "text": r["text"]}) + "\n" for r in made), "utf-8")
    return {"seconds": seconds, "wall_seconds": wall, "pages": len(made)}


LANGUAGES = {"cs": "ces", "bg": "bul", "en": "eng"}  # datatrove's names


def datatrove(texts: str, out: str, language: str, stop_words: str, what: str = "all") -> dict[str, float]:
    """Gopher's, C4's and FineWeb's filters: why each document goes; and MinHash signatures, but for "decisions"."""
    from datatrove.data import Document
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )

    code = LANGUAGES[language]
    filters = {
        "gopher_repetition": GopherRepetitionFilter(language=code),
        "gopher_quality": GopherQualityFilter(language=code, stop_words=stop_words.split() or None),
        "c4": C4QualityFilter(filter_no_terminal_punct=True, language=code),
        "fineweb": FineWebQualityFilter(language=code),
    }
    taken = rows(texts)
    filters["gopher_quality"].filter(Document(text="The first one loads the tokenizer.", id="0"))
    begun = cpu()
    given = {name: [one.filter(Document(text=row["text"], id="0")) for row in taken] for name, one in filters.items()}
    filtered = cpu() - begun
    reasons = {name: [None if one is True else one[1] for one in many] for name, many in given.items()}
    Path(out).write_text(json.dumps(reasons), "utf-8")
    if what == "decisions":
        return {"seconds": filtered}
    begun = cpu()
    _signatures([row["text"] for row in taken])
    return {"seconds": filtered, "signature_seconds": cpu() - begun}


def _signatures(texts: list[str]) -> None:
    from datatrove.data import Document
    from datatrove.pipeline.dedup import MinhashDedupSignature

    with tempfile.TemporaryDirectory() as folder:
        step = MinhashDedupSignature(output_folder=folder)
        step.run(iter([Document(text=text, id=str(number)) for number, text in enumerate(texts)]), rank=0, world_size=1)


def near(name: str, texts: str, out: str, threshold: str) -> dict[str, float]:
    """Near-duplicates by datasketch, rensa or datatrove, 5-word shingles: the numbers of those that go."""
    taken = [row["text"] for row in rows(texts)]
    begun = cpu()
    gone = {"datasketch": _datasketch, "rensa": _rensa, "datatrove": _datatrove}[name](taken, float(threshold))
    seconds = cpu() - begun
    Path(out).write_text(json.dumps(gone), "utf-8")
    return {"seconds": seconds}


def _shingles(text: str) -> list[str]:
    own = re.findall(r"\w+", text.lower())
    return [" ".join(own[at : at + 5]) for at in range(max(1, len(own) - 4))]


def _datasketch(texts: list[str], threshold: float) -> list[int]:
    from datasketch import MinHash, MinHashLSH

    index, gone = MinHashLSH(threshold=threshold, num_perm=128), []
    for number, text in enumerate(texts):
        minhash = MinHash(num_perm=128)
        minhash.update_batch([one.encode("utf-8") for one in _shingles(text)])
        if index.query(minhash):
            gone.append(number)
        else:
            index.insert(number, minhash)
    return gone


def _rensa(texts: list[str], threshold: float) -> list[int]:
    from rensa import RMinHash, RMinHashLSH

    index, gone = RMinHashLSH(threshold=threshold, num_perm=128, num_bands=32), []
    known: dict[int, Any] = {}
    for number, text in enumerate(texts):
        minhash = RMinHash(num_perm=128, seed=42)
        minhash.update(_shingles(text))
        if any(known[found].jaccard(minhash) >= threshold for found in index.query(minhash)):
            gone.append(number)
        else:
            known[number] = minhash
            index.insert(number, minhash)
    return gone


def _datatrove(texts: list[str], threshold: float) -> list[int]:
    """Its four steps; it has no threshold: 14 bands of 8 values are its default, as for 0.7 to 0.75."""
    from datatrove.data import Document
    from datatrove.pipeline.dedup import (
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig

    def documents() -> list[Any]:
        return [Document(text=text, id=str(number)) for number, text in enumerate(texts)]

    with tempfile.TemporaryDirectory() as folder:
        signed, buckets, removed = f"{folder}/signed", f"{folder}/buckets", f"{folder}/removed"
        config = MinhashConfig()
        MinhashDedupSignature(output_folder=signed, config=config).run(iter(documents()), rank=0, world_size=1)
        step = MinhashDedupBuckets(input_folder=signed, output_folder=buckets, config=config)
        for band in range(config.num_buckets):
            step.run(None, rank=band, world_size=config.num_buckets)
        MinhashDedupCluster(input_folder=buckets, output_folder=removed, config=config).run(None, 0, 1)
        kept = MinhashDedupFilter(input_folder=removed).run(iter(documents()), rank=0, world_size=1)
        stays = {int(one.id) for one in kept}
    return [number for number in range(len(texts)) if number not in stays]


def lingua(texts: str, out: str, languages: str) -> dict[str, float]:
    """lingua, restricted to the same languages: its answer to each text."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    codes = [getattr(IsoCode639_1, code.upper()) for code in languages.split()]
    detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_preloaded_language_models().build()
    taken = [row["text"] for row in rows(texts)]
    detector.detect_language_of(taken[0])
    begun = cpu()
    found = [detector.detect_language_of(text) for text in taken]
    seconds = cpu() - begun
    names = [one.iso_code_639_1.name.lower() if one else None for one in found]
    Path(out).write_text(json.dumps(names), "utf-8")
    return {"seconds": seconds, "microseconds_per_text": 1e6 * seconds / len(taken)}


def tokenize(texts: str, vocabulary: str) -> dict[str, float]:
    """The last step of every road: GPT-2's byte-level BPE over texts."""
    from tokenizers import ByteLevelBPETokenizer

    tokenizer = ByteLevelBPETokenizer(f"{vocabulary}/vocab.json", f"{vocabulary}/merges.txt")
    taken = [row["text"] for row in rows(texts)]
    begun = cpu()
    tokens = sum(len(tokenizer.encode(text).ids) for text in taken)
    return {"seconds": cpu() - begun, "tokens": tokens}


JOBS: dict[str, Callable[..., dict[str, float]]] = {
    "wikiextractor": wikiextractor, "datatrove": datatrove, "lingua": lingua, "tokenize": tokenize,
}  # fmt: skip


def main() -> None:
    job, *given = sys.argv[1:]
    if job in TEXT:
        result = extract(job, *given)
    elif job.startswith("near-"):
        result = near(job.removeprefix("near-"), *given)
    else:
        result = JOBS[job](*given)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
