"""One job of ours, run by corpus.py in a process of its own; prints {seconds of CPU, ...}. PYTHONPATH says whether the
code is compiled or pure.

    python corpus_ours.py export dump.xml texts.jsonl
"""

from __future__ import annotations

import bz2
import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from corpus_peers import cpu, rows
from corpus_rules import judged
from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.engine import run_tasks
from mothertongue.corpus.parts import Part, parts_of
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.shards import read_documents
from mothertongue.corpus.stage import corpus
from mothertongue.corpus.wikitext import Site, extract_text, site
from mothertongue.corpus.work import read_part
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
    return _extracted(pages, out, site(open_language("en"), {6: "File", 10: "Template", 14: "Category"}))


def unpack(file: str) -> dict[str, float]:
    """The limit: nothing but bz2."""
    begun = cpu()
    with bz2.open(file) as packed:
        while packed.read(1 << 20):
            pass
    return {"seconds": cpu() - begun}


def cores(file: str, out: str, processes: str) -> dict[str, float]:
    """A dump in streams to text by several processes, each part to a file in the folder `out`."""
    Path(out).mkdir(exist_ok=True)
    source = Source(file, reader="wikipedia")
    config = CorpusConfig(language="en", sources=(source,))
    parts = parts_of([(source, Path(file))], config, Path(out))
    pages = sum(run_tasks(partial(_extract, config=config, folder=Path(out)), parts, processes=int(processes)))
    return {"seconds": cpu(), "pages": pages}


def _extract(part: Part, *, config: CorpusConfig, folder: Path) -> int:
    documents = list(read_part(part, Reading(part.source, config, open_language("en"))))
    save(documents, str(folder / f"{part.name}.jsonl"))
    return len(documents)


def filters(texts: str, out: str, language: str, stop_words: str, what: str = "all") -> dict[str, float]:
    """The same rules as datatrove's with the same thresholds: why each document goes; and MinHash signatures."""
    from mothertongue.corpus import gopher
    from mothertongue.corpus.work import Signatures

    words = tuple(stop_words.split()) or gopher.STOP_WORDS
    rules: dict[str, Callable[[str], str | None]] = {
        "gopher_repetition": partial(gopher.gopher_repetition, language=language),
        "gopher_quality": partial(gopher.gopher_quality, language=language, stop_words=words),
        "c4": partial(gopher.c4_quality, language=language),
        "fineweb": partial(gopher.fineweb_quality, language=language),
    }
    taken = [row["text"] for row in rows(texts)]
    begun = cpu()
    reasons = [{name: rule(one) for name, rule in rules.items()} for one in taken]
    filtered = cpu() - begun
    Path(out).write_text(json.dumps({name: [one[name] for one in reasons] for name in rules}), "utf-8")
    if what == "decisions":
        return {"seconds": filtered}
    begun = cpu()
    signatures = Signatures()
    for one in taken:
        signatures.add(one)
    signatures.rest()
    return {"seconds": filtered, "signature_seconds": cpu() - begun}


def near(texts: str, out: str, threshold: str) -> dict[str, float]:
    """Near-duplicates as the whole stage finds them: the numbers of those that go."""
    taken = rows(texts)
    with tempfile.TemporaryDirectory() as folder:
        begun = cpu()
        source = Source(texts, min_characters=1, skip_rules=("all",))
        _stage(source, Path(folder), heldout_share=0.0, dev_share=0.0, near_duplicate_threshold=float(threshold))
        seconds = cpu() - begun
        kept = {int(one.id.rpartition("#")[2]) - 1 for one in read_documents(Path(folder), "train")}
    Path(out).write_text(json.dumps([number for number in range(len(taken)) if number not in kept]), "utf-8")
    return {"seconds": seconds}


def identify(texts: str, out: str, languages: str) -> dict[str, float]:
    """py3langid restricted to `languages`, the first being the one wanted: its answer to each text, as the stage asks
    it, though the stage asks no text of less than 60 letters.
    """
    from mothertongue.corpus import identify as room

    wanted, *others = languages.split()
    taken = [row["text"] for row in rows(texts)]
    identifier = room._identifier(wanted, tuple(others))
    identifier.classify(taken[0])
    begun = cpu()
    found = [identifier.classify(room._sample(text))[0] for text in taken]
    seconds = cpu() - begun
    Path(out).write_text(json.dumps(found), "utf-8")
    return {"seconds": seconds, "microseconds_per_text": 1e6 * seconds / len(taken)}


def wrapped(pages: str, out: str, language: str) -> dict[str, float]:
    """Wikitext of pages of a wiki in `language` to text."""
    spaces = json.loads(Path(pages).with_suffix(".spaces.json").read_text("utf-8"))
    return _extracted(pages, out, site(open_language(language), {int(number): name for number, name in spaces.items()}))


def _extracted(pages: str, out: str, wiki: Site) -> dict[str, float]:
    taken = rows(pages)
    begun = cpu()
    made = [Document(extract_text(row["text"], wiki, title=row["title"]), row["title"], "") for row in taken]
    seconds = cpu() - begun
    save(made, out)
    return {"seconds": seconds}


def road(file: str, out: str) -> dict[str, float]:
    """From an export to clean documents without duplicates."""
    with tempfile.TemporaryDirectory() as folder:
        begun = cpu()
        _stage(Source(file, reader="wikipedia"), Path(folder), language="en", heldout_share=0.0, dev_share=0.0)
        seconds = cpu() - begun
        save(read_documents(Path(folder), "train"), out)
    return {"seconds": seconds}


def tokenize(texts: str, vocabulary: str) -> dict[str, float]:
    """The last step of the road as a training does it: with gigatoken, if the extra `fast` is installed."""
    from tokenizers import ByteLevelBPETokenizer

    from mothertongue.tokenizer.encode import Encoder

    tokenizer = ByteLevelBPETokenizer(f"{vocabulary}/vocab.json", f"{vocabulary}/merges.txt")
    taken = [row["text"] for row in rows(texts)]
    begun = cpu()
    tokens = sum(map(len, Encoder(tokenizer._tokenizer)(taken)))
    return {"seconds": cpu() - begun, "tokens": tokens}


def memory(texts: str, processes: str) -> dict[str, float]:
    """The whole stage on so much text; who started it watches its memory."""
    with tempfile.TemporaryDirectory() as folder:
        _stage(Source(texts), Path(folder), language="en", processes=int(processes))
    return {"seconds": cpu()}


def _stage(source: Source, folder: Path, **settings: Any) -> None:
    corpus(CorpusConfig(sources=(source,), **{"processes": 1, **settings}), folder)


JOBS: dict[str, Callable[..., dict[str, float]]] = {
    "export": export,
    "text": text,
    "unpack": unpack,
    "cores": cores,
    "identify": identify,
    "wrapped": wrapped,
    "rules": judged,
    "filters": filters,
    "near": near,
    "road": road,
    "tokenize": tokenize,
    "memory": memory,
}

if __name__ == "__main__":
    print(json.dumps(JOBS[sys.argv[1]](*sys.argv[2:])))
