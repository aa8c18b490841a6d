"""OSCAR: every release is told by its look, its annotations rule out what they should, and each drop has a reason."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from mothertongue.corpus.config import Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading, read_file

Drops = list[tuple[str, str, str]]
Read = Callable[..., list[Document]]
HEADERS = {"warc-target-uri": "https://priklad.cz/vlak", "content-length": "35298", "warc-type": "conversion"}


@pytest.fixture
def read(reading: Callable[..., Reading]) -> Read:
    """`read(path, language="any", **settings of the source)`."""

    def documents(path: Path, language: str = "any", **settings: Any) -> list[Document]:
        return list(read_file(path, reading(Source(str(path), **settings), language=language)))

    return documents


def label(name: str | None, prob: float = 0.9) -> dict[str, Any] | None:
    return {"label": name, "prob": prob} if name else None


def record(content: Any = "Vlak jede.\nŘeka teče.", **metadata: Any) -> dict[str, Any]:
    lines = content.split("\n") if isinstance(content, str) else []
    known = {"identification": label("cs"), "sentence_identifications": [label("cs") for _ in lines], **metadata}
    return {"content": content, "warc_headers": HEADERS, "metadata": known}


def write(path: Path, *records: Any) -> Path:
    data = "".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in records).encode()
    pack = {".gz": gzip.compress, ".zst": zstandard.compress}.get(path.suffix, bytes)
    path.write_bytes(pack(data))
    return path


@pytest.mark.parametrize("name", ["cs_part_1.jsonl.gz", "cs_meta_part_1.jsonl.zst", "cs_meta.jsonl"])
def test_json_lines_of_2201_and_2301_are_known_by_their_keys(tmp_path: Path, read: Read, name: str) -> None:
    (document,) = read(write(tmp_path / name, record()), "cs")
    assert document.text == "Vlak jede.\nŘeka teče."
    assert document.meta == {"url": "https://priklad.cz/vlak"}
    assert document.id == f"{name}#1"


def test_annotations_rule_documents_out_by_name(tmp_path: Path, read: Read, drops: Drops) -> None:
    path = write(
        tmp_path / "cs.jsonl",
        record(quality_warnings=["tiny", "noisy"]),
        record(annotation=["adult"]),  # as 22.01 called it
        record(categories=["blog", "mixed_adult"]),
        record(harmful_pp=3.5),
        record(harmful_pp=4063.2, quality_warnings=["short_sentences", "tiny"], categories=["press"]),
        record(quality_warnings=None, categories=None, harmful_pp=None),
    )
    assert len(read(path, "cs")) == 2
    reasons = ["quality-warning:noisy", "quality-warning:adult", "category:mixed_adult", "harmful"]
    assert [reason for reason, _, _ in drops] == reasons


def test_settings_say_what_is_ruled_out(tmp_path: Path, read: Read, drops: Drops) -> None:
    path = write(tmp_path / "cs.jsonl", record(quality_warnings=["noisy"]), record(quality_warnings=["tiny"]))
    assert len(read(path, "cs", drop_warnings=())) == 2
    assert len(read(path, "cs", drop_warnings=("tiny", "noisy"))) == 0
    path = write(tmp_path / "cs.jsonl", record(harmful_pp=30.0), record(categories=["press"]))
    assert len(read(path, "cs", least_harmful_pp=0.0, drop_categories=("press",))) == 1
    assert len(read(path, "cs", least_harmful_pp=50.0)) == 1


MIXED = record(
    "Vlak jede.\nThe train leaves.\n???\nŘeka teče.",
    sentence_identifications=[label("cs"), label("En"), None, label("Cs")],
)


@pytest.mark.parametrize(
    ("setting", "language", "text", "reasons"),
    [
        ("drop", "cs", "Vlak jede.\n???\nŘeka teče.", ["line-of-another-language"]),
        ("drop", "any", "Vlak jede.\n???\nŘeka teče.", ["line-of-another-language"]),  # the document's own label
        ("drop-unsure", "cs", "Vlak jede.\nŘeka teče.", ["line-of-another-language", "line-of-no-sure-language"]),
        ("keep", "cs", "Vlak jede.\nThe train leaves.\n???\nŘeka teče.", []),
        ("drop", "en", "The train leaves.\n???", ["line-of-another-language"] * 2),
    ],
)
def test_lines_in_another_language_go_or_stay(
    tmp_path: Path, read: Read, drops: Drops, setting: str, language: str, text: str, reasons: list[str]
) -> None:
    path = write(tmp_path / "cs.jsonl", MIXED)
    assert [d.text for d in read(path, language, foreign_lines=setting)] == [text]
    assert [reason for reason, _, _ in drops] == reasons
    assert all(id.startswith("cs.jsonl#1:") for _, id, _ in drops)


def test_a_document_all_in_another_language_is_dropped_with_its_language(
    tmp_path: Path, read: Read, drops: Drops
) -> None:
    path = write(tmp_path / "cs.jsonl", record("Vlak ide.", sentence_identifications=[label("sk")]))
    assert read(path, "cs") == []
    assert [reason for reason, _, _ in drops] == ["line-of-another-language", "language:sk"]


def test_lines_that_do_not_fit_their_identifications_all_stay(tmp_path: Path, read: Read) -> None:
    path = write(tmp_path / "cs.jsonl", record("Vlak.\nTrain.", sentence_identifications=[label("en")]))
    assert [d.text for d in read(path, "cs")] == ["Vlak.\nTrain."]


def test_old_labels_mean_what_they_are_called_now(tmp_path: Path, read: Read) -> None:
    path = write(tmp_path / "als.jsonl", record("Grüezi mitenand.", sentence_identifications=[label("als")]))
    assert len(read(path, "gsw")) == 1


def test_the_shape_of_hugging_face_loaders_is_known(tmp_path: Path, read: Read, drops: Drops) -> None:
    meta = {
        "warc_headers": HEADERS,
        "identification": label("cs"),
        "annotations": ["noisy"],
        "line_identifications": {"label": ["cs", None], "prob": [0.9, None]},
    }
    clean = {**meta, "annotations": None}
    path = write(tmp_path / "x.jsonl", *({"id": 1, "text": "Vlak.\nŘeka.", "meta": m} for m in (meta, clean)))
    assert [d.text for d in read(path, "cs", foreign_lines="drop-unsure")] == ["Vlak."]
    assert [reason for reason, _, _ in drops] == ["quality-warning:noisy", "line-of-no-sure-language"]


PAGE = {
    "images": [{"img_idx": "#000002", "sha512": "ab", "url": "https://x.cz/a.jpg"}],
    "metadata": [{"node_order": "img_#000002|txt_#000001|txt_#000000", "url": "https://x.cz/"}],
    "text": [{"text": "Druhý.", "text_idx": "#000000"}, {"text": "První.", "text_idx": "#000001"}],
}


def test_moscar_puts_its_pieces_in_the_order_of_the_page(tmp_path: Path, read: Read) -> None:
    (document,) = read(write(tmp_path / "ces_Latn.jsonl", PAGE), "cs")
    assert (document.text, document.meta) == ("První.\nDruhý.", {"url": "https://x.cz/"})


def test_moscar_is_read_from_parquet(tmp_path: Path, read: Read) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pa.Table.from_pylist([PAGE, {**PAGE, "text": []}]), tmp_path / "00000.parquet")
    assert [d.text for d in read(tmp_path / "00000.parquet", "cs")] == ["První.\nDruhý."]


@pytest.mark.parametrize(
    "hostile",
    [
        record(quality_warnings="noisy", categories={"adult": 1}, harmful_pp="low", sentence_identifications="cs"),
        record(harmful_pp=float("nan"), identification=[1], sentence_identifications=[1, {"label": 7}]),
        record(harmful_pp=True, quality_warnings=[None, 1, ["x"]], sentence_identifications={"label": "cs"}),
        {"content": "Vlak jede.\nŘeka teče.", "warc_headers": [], "metadata": None},
        {"content": "Vlak jede.\nŘeka teče.", "warc_headers": {"warc-target-uri": 7}, "metadata": 3},
    ],
)
def test_annotations_of_wrong_types_count_as_absent(tmp_path: Path, read: Read, hostile: dict[str, Any]) -> None:
    assert [d.text for d in read(write(tmp_path / "cs.jsonl", hostile), "cs")] == ["Vlak jede.\nŘeka teče."]


def test_records_without_text_are_counted_and_the_rest_is_read(tmp_path: Path, read: Read, drops: Drops) -> None:
    pieces = [{**PAGE, "text": text} for text in ([1, None], [{"text": 3}], {"text": [1]}, {})]
    path = write(tmp_path / "cs.jsonl", record(7), record(None), *pieces, "[", '"x"', record())
    assert len(read(path, "cs", reader="oscar")) == 1
    assert [reason for reason, _, _ in drops] == ["no-text"] * 6 + ["invalid-json", "no-text"]


def test_lines_of_2019_are_documents_of_their_own(tmp_path: Path, read: Read) -> None:
    (tmp_path / "cs_dedup_sha256.txt").write_text("ab  cs_dedup.txt.gz\n")
    (tmp_path / "cs_dedup.txt.gz").write_bytes(gzip.compress("První řádek.\nDruhý řádek.\n".encode()))
    path = tmp_path / "cs_dedup.txt.gz"
    assert [(d.text, d.id) for d in read(path)] == [
        ("První řádek.", f"{path.name}#1"),
        ("Druhý řádek.", f"{path.name}#2"),
    ]
    assert read(tmp_path / "cs_dedup_sha256.txt") == []


TEXT = "Prvni a.\nPrvni b.\n\nDruhy.\n\nTreti a.\nTreti b.\nTreti c.\n"


def entry(offset: Any, sentences: int, url: str) -> dict[str, Any]:
    return {"headers": {"warc-target-uri": url}, "offset": offset, "nb_sentences": sentences}


@pytest.mark.parametrize(
    ("text", "metadata"), [("cs.txt.gz", "cs_meta.jsonl.gz"), ("en_part_2.txt", "en_meta_part_2.jsonl.zst")]
)
def test_the_text_of_2109_is_read_beside_its_metadata(
    tmp_path: Path, read: Read, drops: Drops, text: str, metadata: str
) -> None:
    (tmp_path / text).write_bytes(gzip.compress(TEXT.encode()) if text.endswith("gz") else TEXT.encode())
    write(tmp_path / metadata, entry(0, 2, "u/1"), entry(3, 1, "u/2"), entry(5, 3, "u/3"))
    found = [document for file in sorted(tmp_path.iterdir()) for document in read(file)]
    assert [d.text for d in found] == ["Prvni a.\nPrvni b.", "Druhy.", "Treti a.\nTreti b.\nTreti c."]
    assert [d.meta for d in found] == [{"url": "u/1"}, {"url": "u/2"}, {"url": "u/3"}]
    assert [d.id for d in found] == [f"{text}#1", f"{text}#4", f"{text}#6"]
    assert drops == []


def test_metadata_that_does_not_fit_is_counted_and_costs_no_text(tmp_path: Path, read: Read, drops: Drops) -> None:
    (tmp_path / "cs.txt").write_text(TEXT)
    write(
        tmp_path / "cs_meta.jsonl",
        "{",
        entry("x", 1, "u"),
        entry(float("inf"), 1, "u"),
        [],
        entry(1, 9, "u/0"),
        entry(3, 1, "u/2"),
        entry(99, 1, "u"),
    )
    assert [d.meta for d in read(tmp_path / "cs.txt")] == [{}, {"url": "u/2"}, {}]
    reasons = ["invalid-metadata"] * 4 + ["metadata-without-text"] * 2
    assert [reason for reason, _, _ in drops] == reasons


def test_a_long_document_of_2109_is_cut_and_keeps_its_address(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    (tmp_path / "cs.txt").write_text("\n".join(["řádek " * 40] * 20) + "\n\nKonec.\n", "utf-8")
    write(tmp_path / "cs_meta.jsonl", entry(0, 20, "u/1"), entry(21, 1, "u/2"))
    found = list(read_file(tmp_path / "cs.txt", reading(Source("x"), max_document_characters=1000)))
    assert all(len(document.text) <= 1000 for document in found)
    assert [d.meta["url"] for d in found] == ["u/1"] * (len(found) - 1) + ["u/2"]
    assert len({document.id for document in found}) == len(found)


def test_hostile_text_keeps_to_its_bounds(tmp_path: Path, reading: Callable[..., Reading], drops: Drops) -> None:
    path = tmp_path / "cs.txt"
    path.write_bytes(b"dobr\xff\x00e\n\n" + b"x" * (2 << 20) + b"\n\nkonec\n")
    found = list(read_file(path, reading(Source(str(path), reader="oscar"), max_line_megabytes=1)))
    assert [document.text for document in found] == ["dobr\ufffd\x00e", "konec"]
    assert [(reason, id) for reason, id, _ in drops] == [("line-too-long", "cs.txt#3")]


def test_a_text_of_ones_own_is_not_taken_for_oscar(tmp_path: Path, read: Read) -> None:
    (tmp_path / "cs.txt").write_text("a\n\nb\n")
    assert [d.text for d in read(tmp_path / "cs.txt")] == ["a\n\nb\n"]
