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


def wikiextractor(export: str, out: str) -> dict[str, float]:
    """The command on an export; its start is counted, as it is for ours."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "wikiextractor.WikiExtractor", "--json", "--no-templates", "--processes", "1"]
        begun = cpu()
        subprocess.run([*command, "-q", "-o", folder, export], check=True, capture_output=True)
        seconds = cpu() - begun
        made = [row for file in sorted(Path(folder).rglob("wiki_*")) for row in rows(str(file))]
    Path(out).write_text("".join(json.dumps({"title": r["title"], "text": r["text"]}) + "\n" for r in made), "utf-8")
    return {"seconds": seconds, "pages": len(made)}


def datatrove(texts: str, out: str) -> dict[str, float]:
    """Gopher's, C4's and FineWeb's filters and MinHash signatures; decisions by document."""
    from datatrove.data import Document
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )

    filters = {
        "gopher_repetition": GopherRepetitionFilter(),
        "gopher_quality": GopherQualityFilter(),
        "c4": C4QualityFilter(filter_no_terminal_punct=True),
        "fineweb": FineWebQualityFilter(),
    }
    taken = rows(texts)
    filters["gopher_quality"].filter(Document(text="The first one loads the tokenizer.", id="0"))
    begun = cpu()
    kept: dict[str, list[bool]] = {
        name: [one.filter(Document(text=row["text"], id="0")) is True for row in taken] for name, one in filters.items()
    }
    filtered = cpu() - begun
    begun = cpu()
    _signatures([row["text"] for row in taken])
    Path(out).write_text(json.dumps(kept), "utf-8")
    return {"seconds": filtered, "signature_seconds": cpu() - begun}


def _signatures(texts: list[str]) -> None:
    from datatrove.data import Document
    from datatrove.pipeline.dedup import MinhashDedupSignature

    with tempfile.TemporaryDirectory() as folder:
        step = MinhashDedupSignature(output_folder=folder)
        step.run(iter([Document(text=text, id=str(number)) for number, text in enumerate(texts)]), rank=0, world_size=1)


def near(name: str, texts: str, out: str) -> dict[str, float]:
    """Near-duplicates by datasketch or rensa, 5-word shingles, threshold 0.7: the numbers of those that go."""
    taken = [re.findall(r"\w+", row["text"].lower()) for row in rows(texts)]
    begun = cpu()
    sets = [[" ".join(own[at : at + 5]) for at in range(max(1, len(own) - 4))] for own in taken]
    gone = (_datasketch if name == "datasketch" else _rensa)(sets)
    seconds = cpu() - begun
    Path(out).write_text(json.dumps(gone), "utf-8")
    return {"seconds": seconds}


def _datasketch(sets: list[list[str]]) -> list[int]:
    from datasketch import MinHash, MinHashLSH

    index, gone = MinHashLSH(threshold=0.7, num_perm=128), []
    for number, shingles in enumerate(sets):
        minhash = MinHash(num_perm=128)
        minhash.update_batch([one.encode("utf-8") for one in shingles])
        if index.query(minhash):
            gone.append(number)
        else:
            index.insert(number, minhash)
    return gone


def _rensa(sets: list[list[str]]) -> list[int]:
    from rensa import RMinHash, RMinHashLSH

    index, gone, known = RMinHashLSH(threshold=0.7, num_perm=128, num_bands=32), [], {}
    for number, shingles in enumerate(sets):
        minhash = RMinHash(num_perm=128, seed=42)
        minhash.update(shingles)
        if any(known[found].jaccard(minhash) >= 0.7 for found in index.query(minhash)):
            gone.append(number)
        else:
            known[number] = minhash
            index.insert(number, minhash)
    return gone


def tokenize(texts: str, vocabulary: str) -> dict[str, float]:
    """The last step of every road: GPT-2's byte-level BPE over texts."""
    from tokenizers import ByteLevelBPETokenizer

    tokenizer = ByteLevelBPETokenizer(f"{vocabulary}/vocab.json", f"{vocabulary}/merges.txt")
    taken = [row["text"] for row in rows(texts)]
    begun = cpu()
    tokens = sum(len(tokenizer.encode(text).ids) for text in taken)
    return {"seconds": cpu() - begun, "tokens": tokens}


def main() -> None:
    job, *given = sys.argv[1:]
    if job in TEXT:
        result = extract(job, *given)
    elif job in ("datasketch", "rensa"):
        result = near(job, *given)
    else:
        result = {"wikiextractor": wikiextractor, "datatrove": datatrove, "tokenize": tokenize}[job](*given)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
