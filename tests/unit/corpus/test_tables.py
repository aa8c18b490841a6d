"""CSV, TSV, Parquet, Arrow: a row is a document; a missing column names those there are; memory keeps its bounds."""

from __future__ import annotations

import csv
import random
import string
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mothertongue.corpus.config import Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.readers.table import bounded_lines
from mothertongue.errors import ConfigError, SourceError

Drops = list[tuple[str, str, str]]
Read = Callable[..., list[Document]]


@pytest.fixture
def read(reading: Callable[..., Reading]) -> Read:
    """`read(path, config={}, **settings of the source)`."""

    def documents(path: Path, config: dict[str, Any] | None = None, **settings: Any) -> list[Document]:
        return list(read_file(path, reading(Source(str(path), **settings), **(config or {}))))

    return documents


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_row_of_csv_is_a_document(tmp_path: Path, read: Read, delimiter: str) -> None:
    with (tmp_path / "a.csv").open("w", encoding="utf-8-sig", newline="") as file:
        rows = [["id", "text", "title"], ["1", 'Řekl: "Ahoj",\na šel; dál|pryč\t.', "T"], [], ["2", "", "x"]]
        csv.writer(file, delimiter=delimiter).writerows(rows)
    first, second = read(tmp_path / "a.csv")
    assert (first.text, first.id, first.meta) == (rows[1][1], "a.csv#2", {"title": "T"})
    assert second.text == ""


def test_a_delimiter_may_be_set(tmp_path: Path, read: Read) -> None:
    (tmp_path / "a.csv").write_text("text~a,b,c,d\nahoj~1\n")
    assert [d.text for d in read(tmp_path / "a.csv", delimiter="~")] == ["ahoj"]
    with pytest.raises(ConfigError, match="2 characters"):
        read(tmp_path / "a.csv", delimiter="~~")


def test_quotes_mean_nothing_in_tsv(tmp_path: Path, read: Read) -> None:
    (tmp_path / "a.tsv").write_text('id\tcontent\n1\t"Ahoj\n2\tsvěte"\n', "utf-8")
    assert [d.text for d in read(tmp_path / "a.tsv", text_key="content")] == ['"Ahoj', 'světe"']


def test_rows_of_another_width_are_counted(tmp_path: Path, read: Read, drops: Drops) -> None:
    (tmp_path / "a.csv").write_text("id,text\n1,ahoj\n2\n3,a,b\n4,konec\n")
    assert [d.text for d in read(tmp_path / "a.csv")] == ["ahoj", "konec"]
    assert [(reason, id) for reason, id, _ in drops] == [("wrong-columns", "a.csv#3"), ("wrong-columns", "a.csv#4")]


@pytest.mark.parametrize("kind", ["csv", "parquet", "arrow"])
def test_a_column_that_is_not_there_names_those_that_are(tmp_path: Path, read: Read, kind: str) -> None:
    path = write_table(tmp_path / f"a.{kind}", {"id": ["1"], "obsah": ["ahoj"]})
    with pytest.raises(SourceError, match=r'no column "text".*It has: id, obsah.*text_key = "id"'):
        read(path)
    assert [d.text for d in read(path, text_key="obsah")] == ["ahoj"]


def test_hostile_csv_keeps_to_its_bounds(tmp_path: Path, read: Read, drops: Drops) -> None:
    path = tmp_path / "a.csv"
    long = b"x" * (3 << 20)
    path.write_bytes(b"text\na\xff\x00b\n" + long + b"\npo dlouhem\n" + b'"never closed ' + b"radek dal\n" * 110_000)
    config = {"max_line_megabytes": 1}
    csv.field_size_limit(1000)  # whatever was set before
    texts = [d.text for d in read(path, config)]
    assert texts[:2] == ["a\ufffd\x00b", "po dlouhem"]
    assert drops[0][:2] == ("line-too-long", "a.csv")
    assert drops[1][0] == "invalid-csv"
    assert set(texts[2:]) == {"radek dal"}


def test_a_file_that_is_one_endless_line_stays_in_bounded_memory() -> None:
    def endless() -> Iterator[str]:
        for _ in range(1000):
            yield "slovo " * 20_000
        yield "konec\nposlední"

    told: list[str] = []
    tracemalloc.start()
    lines = list(bounded_lines(endless(), 1 << 20, told.append))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (lines, len(told)) == (["poslední"], 1)
    assert peak < 8 << 20


@pytest.mark.parametrize("content", ["", '"id,text\n' + "radek dal\n" * 110_000])
def test_something_else_is_no_table(tmp_path: Path, read: Read, content: str) -> None:
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(SourceError, match="no table with a header"):
        read(tmp_path / "a.csv", {"max_line_megabytes": 1})


def test_two_columns_of_one_name_are_refused(tmp_path: Path, read: Read) -> None:
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pa.Table.from_arrays([pa.array(["a"])] * 3, ["text", "title", "title"]), tmp_path / "a.parquet")
    (tmp_path / "a.csv").write_text("text,title,title\na,b,c\n")
    for name in ("a.parquet", "a.csv"):
        with pytest.raises(SourceError, match='more than one column "title"'):
            read(tmp_path / name)


def write_table(path: Path, columns: dict[str, list[Any]], **options: Any) -> Path:
    """A table of the kind that the suffix says."""
    if path.suffix == ".csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([columns, *zip(*columns.values(), strict=True)])
        return path
    pa = pytest.importorskip("pyarrow")
    from pyarrow import ipc, parquet

    table = pa.table(columns)
    if path.suffix == ".parquet":
        parquet.write_table(table, path, **options)
    elif options.get("indexed"):
        with ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    else:
        with ipc.new_stream(path, table.schema) as writer:
            writer.write_table(table)
    return path


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.parquet", {"row_group_size": 2}), ("a.parquet", {}), ("a.arrow", {}), ("a.feather", {"indexed": True})],
)
def test_columnar_tables_give_their_rows_in_order(
    tmp_path: Path, read: Read, drops: Drops, name: str, options: dict[str, Any]
) -> None:
    columns = {"n": [1, 2, 3], "text": ["jedna", None, "tři"], "url": ["a", "b", None], "source": ["x", "y", "z"]}
    found = read(write_table(tmp_path / name, columns, **options))
    assert [(d.text, d.id) for d in found] == [("jedna", f"{name}#1"), ("tři", f"{name}#3")]
    assert [d.meta for d in found] == [{"url": "a", "origin": "x"}, {"origin": "z"}]
    assert [(reason, id) for reason, id, _ in drops] == [("no-text", f"{name}#2")]


def test_a_column_of_another_type_has_no_text(tmp_path: Path, read: Read, drops: Drops) -> None:
    assert read(write_table(tmp_path / "a.parquet", {"text": [1, 2]})) == []
    assert [reason for reason, _, _ in drops] == ["no-text"] * 2


def test_invalid_utf8_in_a_column_costs_its_row(tmp_path: Path, read: Read, drops: Drops) -> None:
    pa = pytest.importorskip("pyarrow")
    bad = pa.array([b"dobr", b"\xff\xfe", b"konec"]).cast(pa.binary())
    texts = pa.StringArray.from_buffers(3, bad.buffers()[1], bad.buffers()[2])
    write_table(tmp_path / "a.parquet", {"text": texts})
    assert [d.text for d in read(tmp_path / "a.parquet")] == ["dobr", "konec"]
    assert [(reason, id) for reason, id, _ in drops] == [("invalid-utf8", "a.parquet#2")]


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9])
def test_a_cut_parquet_file_is_a_clear_error(tmp_path: Path, read: Read, share: float) -> None:
    path = write_table(tmp_path / "a.parquet", {"text": ["ahoj"] * 100})
    path.write_bytes(b"PAR1" + path.read_bytes()[4 : int(path.stat().st_size * share)])
    with pytest.raises(SourceError, match=r"a\.parquet is no table.*Download"):
        read(path)


def test_a_damaged_row_group_costs_itself_alone(tmp_path: Path, read: Read, drops: Drops) -> None:
    texts = ["".join(random.Random(n).choices(string.ascii_letters, k=2000)) for n in range(40)]
    options = {"row_group_size": 10, "compression": "gzip", "use_dictionary": False}
    path = write_table(tmp_path / "a.parquet", {"text": texts}, **options)
    data = bytearray(path.read_bytes())
    data[500:3000] = b"\x55" * 2500  # in the first group
    path.write_bytes(data)
    assert [d.text for d in read(path)] == texts[10:]
    assert [reason for reason, _, _ in drops] == ["damaged-rows"]


def test_a_small_table_of_one_long_text_many_times_is_no_bomb(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    path = write_table(tmp_path / "a.parquet", {"text": ["x" * (1 << 20)] * 40})
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    count = sum(1 for _ in read_file(path, reading(Source(str(path)))))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 40
    assert peak < 16 << 20


@pytest.mark.parametrize(("name", "indexed"), [("a.arrow", False), ("a.feather", True)])
@pytest.mark.parametrize("offset", [1 << 30, -1 << 30, 3])
def test_an_offset_that_leads_out_of_an_arrow_table_is_not_followed(
    tmp_path: Path, read: Read, drops: Drops, name: str, indexed: bool, offset: int
) -> None:
    path = write_table(tmp_path / name, {"text": ["a" * 1001, "b" * 1002, "c" * 1003]}, indexed=indexed)
    told = (1001).to_bytes(4, "little") + (2003).to_bytes(4, "little")
    assert path.read_bytes().count(told) == 1
    changed = (1001).to_bytes(4, "little") + offset.to_bytes(4, "little", signed=True)
    path.write_bytes(path.read_bytes().replace(told, changed))
    assert read(path) == []  # unchecked, the process would be gone
    assert [reason for reason, _, _ in drops] == ["damaged-rows"]


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.feather"])
def test_a_table_with_any_bytes_changed_is_read_or_refused(tmp_path: Path, read: Read, name: str) -> None:
    table = {"text": [f"řádek {n} " * 20 for n in range(20)], "url": ["u"] * 20}
    whole = write_table(tmp_path / name, table, **({"indexed": True} if name == "a.feather" else {})).read_bytes()
    for seed in range(60):
        draw, data = random.Random(seed), bytearray(whole)
        for _ in range(3):
            place = draw.choice([draw.randrange(len(data)), draw.randrange(600), -1 - draw.randrange(600)])
            data[place] = draw.choice([0, 1, 127, 128, 255, draw.randrange(256)])
        (tmp_path / name).write_bytes(data)
        with suppress(SourceError):
            assert len(read(tmp_path / name)) <= 20


def test_a_stream_whose_header_claims_gigabytes_is_refused(tmp_path: Path, read: Read) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "a.arrow").write_bytes(b"\xff" * 4 + (0x7FFFFFF0).to_bytes(4, "little") + bytes(100))
    with pytest.raises(SourceError, match="is no table that can be read"):
        read(tmp_path / "a.arrow")
