"""One job of ours, run by corpus.py in a process of its own; prints {seconds of CPU, ...}. PYTHONPATH says whether the
code is compiled or pure.

    python corpus_ours.py export dump.xml texts.jsonl
"""

from __future__ import annotations

import bz2
import json
import resource
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from corpus_peers import cpu, rows
from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.shards import read_documents
from mothertongue.corpus.stage import corpus
from mothertongue.corpus.wikitext import extract_text, site
from mothertongue.languages import open_language


def save(documents: Iterable[Document], out: str) -> None:
    lines = (json.dumps({"title": one.meta.get("title", one.id), "text": one.text}) + "\n" for one in documents)
    Path(out).write_text("".join(lines), "utf-8")


def export(file: str, out: str) -> dict[str, float]:
    """An export, plain or packed, to text; the start of Python is counted, as it is for wikiextractor."""
    source = Source(file, reader="wikipedia")
    reading = Reading(source, CorpusConfig(language="en", sources=(source,)), open_language("en"))
    documents = list(read_file(Path(file), reading))
    seconds = cpu()
    save(documents, out)
    return {"seconds": seconds, "pages": len(documents)}


def text(pages: str, out: str) -> dict[str, float]:
    """Wikitext of pages to text, as the libraries do it."""
    wiki = site(open_language("en"), {6: "File", 10: "Template", 14: "Category"})
    taken = rows(pages)
    begun = cpu()
    made = [Document(extract_text(row["text"], wiki, title=row["title"]), row["title"], "") for row in taken]
    seconds = cpu() - begun
    save(made, out)
    return {"seconds": seconds}


def unpack(file: str) -> dict[str, float]:
    """The limit: nothing but bz2."""
    begun = cpu()
    with bz2.open(file) as packed:
        while packed.read(1 << 20):
            pass
    return {"seconds": cpu() - begun}


def filters(texts: str, out: str) -> dict[str, float]:
    """The same rules as datatrove's with the same thresholds, and MinHash signatures."""
    from mothertongue.corpus import gopher
    from mothertongue.corpus.work import Signatures

    rules = {
        "gopher_repetition": gopher.gopher_repetition,
        "gopher_quality": gopher.gopher_quality,
        "c4": gopher.c4_quality,
        "fineweb": gopher.fineweb_quality,
    }
    taken = [row["text"] for row in rows(texts)]
    begun = cpu()
    kept = {name: [rule(one) is None for one in taken] for name, rule in rules.items()}
    filtered = cpu() - begun
    begun = cpu()
    signatures = Signatures()
    for one in taken:
        signatures.add(one)
    signatures.rest()
    Path(out).write_text(json.dumps(kept), "utf-8")
    return {"seconds": filtered, "signature_seconds": cpu() - begun}


def near(texts: str, out: str) -> dict[str, float]:
    """Near-duplicates as the whole stage finds them: the numbers of those that go."""
    taken = rows(texts)
    with tempfile.TemporaryDirectory() as folder:
        begun = cpu()
        _stage(Source(texts, min_characters=1, skip_rules=("all",)), Path(folder), heldout_share=0.0, dev_share=0.0)
        seconds = cpu() - begun
        kept = {int(one.id.rpartition("#")[2]) - 1 for one in read_documents(Path(folder), "train")}
    Path(out).write_text(json.dumps([number for number in range(len(taken)) if number not in kept]), "utf-8")
    return {"seconds": seconds}


def road(file: str, out: str) -> dict[str, float]:
    """From an export to clean documents without duplicates."""
    with tempfile.TemporaryDirectory() as folder:
        begun = cpu()
        _stage(Source(file, reader="wikipedia"), Path(folder), language="en", heldout_share=0.0, dev_share=0.0)
        seconds = cpu() - begun
        save(read_documents(Path(folder), "train"), out)
    return {"seconds": seconds}


def memory(texts: str) -> dict[str, float]:
    """Peak memory of the stage, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        _stage(Source(texts, min_characters=1, skip_rules=("all",)), Path(folder))
    return {"peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6, "seconds": cpu()}


def _stage(source: Source, folder: Path, **settings: Any) -> None:
    corpus(CorpusConfig(sources=(source,), processes=1, **settings), folder)


JOBS = {
    "export": export,
    "text": text,
    "unpack": unpack,
    "filters": filters,
    "near": near,
    "road": road,
    "memory": memory,
}

if __name__ == "__main__":
    print(json.dumps(JOBS[sys.argv[1]](*sys.argv[2:])))
