"""`corpus inspect`: true counts, a page that hostile text cannot break, and a size that stays bounded."""

from __future__ import annotations

import json
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from mothertongue.corpus.document import Document
from mothertongue.corpus.inspect import inspect_corpus
from mothertongue.corpus.inspect.findings import read_findings
from mothertongue.corpus.inspect.look import look, shown
from mothertongue.corpus.inspect.table import plain
from mothertongue.corpus.shards import ShardWriter
from mothertongue.errors import ArtifactError

EVIL = "</div></details><script>alert(1)</script><img src=x onerror=y> &amp; $x_{ \x1b[2J\u202e\x00"
TEXT = "Mlynář nesl na trh dva pytle mouky. Potkal souseda, který vedl kozu!"


def make_corpus(folder: Path, *, texts: dict[str, list[str]], **metrics: Any) -> Path:
    """A folder as the corpus stage leaves it, with 3 documents dropped for each reason."""
    folder.mkdir()
    sources, reasons = [], metrics.pop("reasons", ["too-short", "no-sentence"])
    with ShardWriter(folder, "train", max_bytes=1 << 20) as writer:
        for name, own in texts.items():
            for number, text in enumerate(own):
                writer.write(Document(text, f"{name}#{number}", name, {"title": f"title {number}"}))
            size = sum(len(text.encode()) for text in own)
            sources.append({"name": name, "licence": "CC0", "documents": len(own), "bytes": size, "files": []})
    documents, size = sum(s["documents"] for s in sources), sum(s["bytes"] for s in sources)
    with (folder / "dropped.jsonl").open("w", encoding="utf-8") as file:
        for reason in reasons:
            sample = {"reason": reason, "source": next(iter(texts)), "id": "x", "text": f"{reason} {EVIL}"}
            file.write(json.dumps(sample) + "\n")
    manifest = {
        "kind": "corpus", "stage": "corpus", "fingerprint": "f", "config": {}, "outputs": {},
        "metrics": {
            "language": "cs", "language_name": "Czech", "documents": documents, "bytes": size, "sources": sources,
            "splits": {"train": {"documents": documents, "bytes": size}},
            "dropped": dict.fromkeys(reasons, 3),
            "dropped_by_source": {next(iter(texts)): dict.fromkeys(reasons, 3)},
            **metrics,
        },
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return folder


class Reader(HTMLParser):
    """What elements, addresses and words a browser would find."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.links, self.words = Counter[str](), list[str](), list[str]()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.links += [value or "" for key, value in attrs if key in ("src", "href")]
        assert not [key for key, _ in attrs if key.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(page: Path) -> Reader:
    return Reader(page.read_text("utf-8"))


def test_tables_tell_what_was_kept_and_dropped_by_source_and_reason(tmp_path: Path) -> None:
    folder = make_corpus(tmp_path / "c", texts={"knihy": [TEXT] * 5, "noviny": [TEXT] * 2})
    found = inspect_corpus(folder)
    lines = [" ".join(line.split()) for line in found.text.splitlines()]
    assert lines[0].endswith("Czech, 7 of 13 documents kept, 0.0 MB")
    assert "knihy CC0 5 0.00 71.4% 6 54.5%" in lines
    assert "too-short 3" in lines
    assert found.page == tmp_path / "c.html" and found.figures["dropped"] == {"no-sentence": 3, "too-short": 3}
    assert {file.name for file in folder.iterdir()} == {"dropped.jsonl", "manifest.json", "train-00000.jsonl.zst"}


def test_paragraphs_that_went_are_no_dropped_documents(tmp_path: Path) -> None:
    reasons = ["too-short", "paragraph:repeated"]
    found = inspect_corpus(make_corpus(tmp_path / "c", texts={"knihy": [TEXT] * 5}, reasons=reasons))
    lines = [" ".join(line.split()) for line in found.text.splitlines()]
    assert lines[0].endswith("5 of 8 documents kept, 0.0 MB")
    assert "knihy CC0 5 0.00 100.0% 3 37.5%" in lines and "paragraph:repeated 3" in lines
    words = " ".join(read(found.page).words)
    assert "3 documents dropped" in words and "62.5% of what was read is kept" in words


def test_the_page_stands_alone_and_shows_pictures_and_samples(tmp_path: Path) -> None:
    rows = [{"name": "vlajka", "count": 9, "in_text": 4, "characters": 90}]
    folder = make_corpus(
        tmp_path / "c", texts={"knihy": [TEXT * 3] * 5, "noviny": [TEXT * 5] * 2}, dropped_templates=rows
    )
    page = read(inspect_corpus(folder).page)
    assert page.tags["img"] == 6 and page.tags["details"] == 4 and page.tags["script"] == 0
    assert all(link.startswith(("data:image/svg+xml;base64,", "#")) for link in page.links)
    words = " ".join(page.words)
    assert TEXT * 3 in words and "title 1 · train · knihy#1" in words and "vlajka" in words


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    rows = [{"name": EVIL, "count": 1}]
    texts = {EVIL: [TEXT + EVIL] * 3, "b": [EVIL]}
    hostile: dict[str, Any] = {"reasons": [EVIL, "b"], "language_name": EVIL, "dropped_templates": rows}
    folder = make_corpus(tmp_path / "c", texts=texts, **hostile)
    found = inspect_corpus(folder)
    page = read(found.page)
    assert page.tags["script"] == 0 and page.tags["img"] == 6 and page.tags["main"] == 1
    assert "<script>alert(1)</script>" in " ".join(page.words)
    assert not {"\x1b", "\x00", "\u202e"} & set(found.text + found.page.read_text("utf-8"))


def test_the_page_is_bounded_whatever_the_corpus_holds(tmp_path: Path) -> None:
    texts = {f"source {number}": ["slovo " * 3000] for number in range(300)}
    folder = make_corpus(tmp_path / "c", texts=texts, reasons=[f"reason {number}" for number in range(1000)])
    with (folder / "dropped.jsonl").open("ab") as file:
        file.write(b'{"reason": "reason 1", "text": "' + b"x" * 200_000 + b'"}\nno json\n[]\n{"reason": []}\n')
        file.write(json.dumps({"reason": "reason 1", "text": "y" * 5000}).encode() + b"\n")
    found = inspect_corpus(folder)
    assert found.page.stat().st_size < 2_000_000
    assert len(found.text.splitlines()) < 100
    findings = read_findings(folder)
    assert len(findings.dropped) == 201 and sum(findings.dropped.values()) == 3000
    assert max(len(one.text) for samples in findings.samples.values() for one in samples) == 600


def test_a_large_corpus_is_looked_at_in_part_and_the_same_part_each_time(tmp_path: Path) -> None:
    folder = make_corpus(tmp_path / "c", texts={"knihy": [f"{TEXT} {number}" for number in range(500)]})
    findings = read_findings(folder)
    seen = look(folder, findings, most=50)
    assert seen.read == 50
    assert shown(seen, "knihy") == shown(look(folder, findings, most=50), "knihy") and len(shown(seen, "knihy")) == 5


def test_an_empty_corpus_has_a_page_as_well(tmp_path: Path) -> None:
    page = read(inspect_corpus(make_corpus(tmp_path / "c", texts={"a": []}, reasons=[], dropped_by_source={})).page)
    assert page.tags["img"] == 0 and "documents kept" in page.words


def test_what_is_no_corpus_or_damaged_is_one_clear_error(tmp_path: Path) -> None:
    folder = make_corpus(tmp_path / "c", texts={"a": [TEXT]})
    with pytest.raises(ArtifactError, match="lies inside the corpus"):
        inspect_corpus(folder, folder / "page.html")
    with pytest.raises(ArtifactError, match="cannot be written"):
        inspect_corpus(folder, folder.parent)
    with pytest.raises(ArtifactError, match="is not a folder"):
        inspect_corpus(tmp_path / "gone")
    (folder / "train-00000.jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfdnonsense")
    with pytest.raises(ArtifactError, match="mothertongue verify"):
        inspect_corpus(folder)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {"metrics": {"documents": 3}}), "utf-8")
    with pytest.raises(ArtifactError, match="does not say what a corpus says"):
        inspect_corpus(folder)


def test_names_are_cut_and_move_no_cursor() -> None:
    assert plain("a\x1b[2Jb") == "a\ufffd[2Jb"
    assert plain("x" * 100, 10) == "x" * 9 + "…"
