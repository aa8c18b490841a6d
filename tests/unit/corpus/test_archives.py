"""Archives: members are read as the files they are; what is unsafe, damaged or a bomb is counted."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from mothertongue.corpus.config import Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.outage import OutageError
from mothertongue.corpus.readers import Reading, copies, read_file
from mothertongue.corpus.readers import archive as archives
from mothertongue.errors import SourceError

Drops = list[tuple[str, str, str]]
Members = dict[str, bytes]
PACK: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tgz": gzip.compress,
    "tar.bz2": bz2.compress,
    "tar.xz": lzma.compress,
    "tar.zst": zstandard.compress,
}
MEMBERS: Members = {
    "texts/a.md": b"# Nadpis",
    "texts/b.jsonl": b'{"text": "z radku"}\n{"text": 1}\n',
    "texts/c.txt.gz": gzip.compress(b"zabaleno"),
    "texts/.hidden.txt": b"ne",
    "d.csv": b"text;n\nz tabulky;1\n",
    "picture.png": b"{}",
}
TEXTS = ["Nadpis", "z radku", "zabaleno", "z tabulky"]


def tar(members: Members, extra: Iterable[tarfile.TarInfo] = ()) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in extra:
            archive.addfile(info)
    return buffer.getvalue()


def zipped(members: Members) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def read(
    path: Path, reading: Callable[..., Reading], settings: dict[str, Any] | None = None, **config: Any
) -> list[Document]:
    return list(read_file(path, reading(Source(str(path), **(settings or {})), **config)))


@pytest.mark.parametrize("kind", [*PACK, "zip"])
def test_every_member_is_read_as_the_file_it_is(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops, kind: str
) -> None:
    for path in (tmp_path / f"a.{kind}", tmp_path / "no-suffix"):
        path.write_bytes(zipped(MEMBERS) if kind == "zip" else PACK[kind](tar(MEMBERS)))
        drops.clear()
        found = read(path, reading)
        assert [d.text for d in found] == TEXTS
        ids = ["texts/a.md#1", "texts/b.jsonl#1", "texts/c.txt.gz#1", "d.csv#2"]
        assert [d.id for d in found] == [f"{path.name}/{id}" for id in ids]
        assert [(reason, id) for reason, id, _ in drops] == [
            ("no-text", f"{path.name}/texts/b.jsonl#2"),
            ("unknown-kind-of-file", f"{path.name}/picture.png"),
        ]


def test_columnar_tables_in_archives_are_read(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    buffer = io.BytesIO()
    parquet.write_table(pa.table({"text": ["ahoj"]}), buffer)
    for kind, archive in (
        ("zip", zipped({"a.parquet": buffer.getvalue()})),
        ("tar", tar({"a.parquet": buffer.getvalue()})),
    ):
        (tmp_path / f"a.{kind}").write_bytes(archive)
        assert [d.text for d in read(tmp_path / f"a.{kind}", reading)] == ["ahoj"]


def test_the_setting_speaks_of_what_is_in_the_archive(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"a.dat": b"jedna\n\ndve"}))
    found = read(tmp_path / "a.zip", reading, {"reader": "text", "unit": "blank-line"})
    assert [d.text for d in found] == ["jedna", "dve"]


@pytest.mark.parametrize(("inner", "outer"), [("tar", "zip"), ("zip", "tar"), ("zip", "zip"), ("tar", "tar")])
def test_an_archive_in_an_archive_is_read_once_and_no_deeper(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops, inner: str, outer: str
) -> None:
    make = {"tar": tar, "zip": zipped}
    deepest = make[inner]({"deep.txt": b"hluboko"})
    second = make[inner]({"a.txt": b"uvnitr", f"x.{inner}": deepest})
    (tmp_path / f"o.{outer}").write_bytes(make[outer]({f"i.{inner}": second, "b.txt": b"venku"}))
    assert [d.text for d in read(tmp_path / f"o.{outer}", reading)] == ["uvnitr", "venku"]
    assert [(reason, id) for reason, id, _ in drops] == [("archive-too-deep", f"o.{outer}/i.{inner}/x.{inner}")]


def test_a_nested_archive_that_is_too_large_to_copy_is_counted(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops
) -> None:
    large = zipfile.ZipInfo("large.txt")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(large, b"x" * (2 << 20))
    (tmp_path / "o.tar").write_bytes(tar({"i.zip": buffer.getvalue(), "b.txt": b"venku"}))
    assert [d.text for d in read(tmp_path / "o.tar", reading, max_copy_megabytes=1)] == ["venku"]
    assert [reason for reason, _, _ in drops] == ["too-large-to-copy"]


def link(name: str, kind: bytes, target: str = "/etc/passwd") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_unsafe_members_of_a_tar_are_counted_and_left(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops
) -> None:
    unsafe = {"../up.txt": b"x", "/etc/abs.txt": b"x", "a/../../b.txt": b"x", "c\\d.txt": b"x", "ok.txt": b"dobr"}
    kinds = {
        "l1.txt": tarfile.SYMTYPE,
        "l2.txt": tarfile.LNKTYPE,
        "dev.txt": tarfile.CHRTYPE,
        "pipe.txt": tarfile.FIFOTYPE,
    }
    (tmp_path / "a.tar").write_bytes(tar(unsafe, [link(name, kind) for name, kind in kinds.items()]))
    assert [d.text for d in read(tmp_path / "a.tar", reading)] == ["dobr"]
    reasons = ["unsafe-path"] * 4 + ["link-in-archive"] * 2 + ["not-a-file"] * 2
    assert [reason for reason, _, _ in drops] == reasons
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tar"]


def test_unsafe_members_of_a_zip_are_counted_and_left(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../up.txt", "x")
        symlink = zipfile.ZipInfo("link.txt")
        symlink.external_attr = 0o120777 << 16
        archive.writestr(symlink, "/etc/passwd")
        archive.writestr("ok.txt", "dobr")
    assert [d.text for d in read(tmp_path / "a.zip", reading)] == ["dobr"]
    assert [reason for reason, _, _ in drops] == ["unsafe-path", "link-in-archive"]


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_damaged_member_is_counted_and_the_rest_is_read(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops, kind: str
) -> None:
    cut = gzip.compress(b"useknuto" * 100)[:-20]
    members = {"a.txt.gz": cut, "b.pdf": b"%PDF", "c.csv": b"n\n1\n", "d.txt": b"dobr"}
    (tmp_path / f"a.{kind}").write_bytes(zipped(members) if kind == "zip" else tar(members))
    assert [d.text for d in read(tmp_path / f"a.{kind}", reading)][-1] == "dobr"
    assert [reason for reason, _, _ in drops] == ["damaged-file", "pdf", "damaged-file"]


def test_a_bomb_in_a_zip_is_given_up_and_the_rest_is_read(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops
) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"bomb.txt": bytes(50_000_000), "ok.txt": b"dobr"}))
    tracemalloc.start()
    assert read(tmp_path / "a.zip", reading)[-1].text == "dobr"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(reason, id) for reason, id, _ in drops] == [("archive-bomb", "a.zip/bomb.txt")]
    assert peak < 40 << 20


@pytest.mark.parametrize("inner", ["zip", "tar.gz"])
def test_archives_in_an_archive_have_room_together(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops, monkeypatch: pytest.MonkeyPatch, inner: str
) -> None:
    monkeypatch.setattr(archives, "_RATIO_FROM_BYTES", 1 << 22)
    zeros = {"a.txt": bytes(900_000)}  # none of them is a bomb by itself
    bombs = {f"{number}.{inner}": zipped(zeros) if inner == "zip" else PACK[inner](tar(zeros)) for number in range(90)}
    (tmp_path / "a.zip").write_bytes(zipped({"ok.txt": b"dobr", **bombs}))
    assert sum(len(document.text) for document in read(tmp_path / "a.zip", reading)) < 5 << 22
    assert {reason for reason, _, _ in drops} == {"archive-bomb"} and len(drops) > 60


@pytest.mark.parametrize("kind", ["tar.gz", "tar.xz", "gz"])
def test_a_file_that_grows_like_a_bomb_is_given_up(
    tmp_path: Path, reading: Callable[..., Reading], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from mothertongue.corpus.readers import files

    monkeypatch.setattr(files, "_RATIO_FROM_BYTES", 1 << 20)
    zeros = bytes(1 << 24)
    path = tmp_path / f"a.{kind}"
    path.write_bytes(gzip.compress(zeros) if kind == "gz" else PACK[kind](tar({"a.bin": zeros, "b.txt": b"dobr"})))
    with pytest.raises(SourceError, match=r"grows more than 1,000 times, like an archive bomb"):
        read(path, reading, {"reader": "text"})


def test_a_tar_header_of_gigabytes_is_refused(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 33
    (tmp_path / "a.tar").write_bytes(tar({"a.txt": b"dobr"})[:1024] + info.tobuf() + bytes(1 << 20))
    with pytest.raises(SourceError, match="cannot be read as a tar archive"):
        read(tmp_path / "a.tar", reading)


def test_a_sparse_file_that_claims_gigabytes_is_left(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops
) -> None:
    info = tarfile.TarInfo("sparse.txt")
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[156:157] = b"S"
    header[386:410] = b"00000000000\x0000000000000\x00"
    header[482:483] = b"\0"
    header[483:495] = b"77777777777\x00"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "a.tar").write_bytes(bytes(header) + tar({"a.txt": b"dobr"}))
    assert [d.text for d in read(tmp_path / "a.tar", reading)] == ["dobr"]
    assert [reason for reason, _, _ in drops] == ["sparse-file"]


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_a_cut_archive_is_one_clear_error(tmp_path: Path, reading: Callable[..., Reading], kind: str) -> None:
    path, members = tmp_path / f"a.{kind}", {f"{n}.txt": bytes([65 + n]) * 3000 for n in range(9)}
    data = zipped(members) if kind == "zip" else PACK[kind](tar(members))
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceError, match=r"Download|ends before"):
        read(path, reading)


def test_an_archive_of_many_files_keeps_no_memory_of_them(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    (tmp_path / "a.tar").write_bytes(tar({f"{number}.dat": b"" for number in range(600)}))
    tracemalloc.start()
    read(tmp_path / "a.tar", reading)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 << 20


def long_headers() -> bytes:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 2
    return (info.tobuf(tarfile.GNU_FORMAT) + b"a\0".ljust(512, b"\0")) * 2000


def wrong_name() -> bytes:
    data = zipped({"книга.txt": b"x", "b.txt": b"dobr"})
    return data[:30] + b"\xff" + data[31:]  # in the header before the member, not in the directory


@pytest.mark.parametrize(
    ("name", "data", "texts", "reason"),
    [
        ("a.zip", wrong_name(), ["dobr"], "damaged-archive"),
        ("a.zip", zipped({"к" * 140 + ".fb2": b"<FictionBook/>", "b.txt": b"dobr"}), ["dobr"], "no-text"),
        ("a.tar", long_headers(), [], "damaged-file"),
    ],
)
def test_an_odd_member_ends_nothing(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops, name: str, data: bytes, texts: list[str], reason: str
) -> None:
    (tmp_path / name).write_bytes(data)
    found = read_file(tmp_path / name, reading(Source(str(tmp_path))))
    assert [document.text for document in found] == texts
    assert [drop[0] for drop in drops] == [reason]


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_a_full_disk_for_copies_is_no_damaged_member(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def full(*_: object) -> bool:
        raise OutageError("Copying to /tmp failed")

    monkeypatch.setattr(copies, "copy_at_most", full)
    (tmp_path / f"a.{kind}").write_bytes({"tar": tar, "zip": zipped}[kind]({"a.epub": b"PK", "b.txt": b"dobr"}))
    with pytest.raises(OutageError):
        list(read_file(tmp_path / f"a.{kind}", reading(Source(str(tmp_path)))))
    assert drops == []
