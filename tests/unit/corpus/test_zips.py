"""Zip archives: whatever is unsafe is refused by name, the rest is still read, and nothing is written to disk."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from mothertongue.corpus.readers.zips import UnsafeMemberError, member_blocks, open_zip, read_member, zip_members
from mothertongue.errors import SourceError


def archive(path: Path, members: dict[str, bytes], *, packing: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as file:
        for name, data in members.items():
            file.writestr(zipfile.ZipInfo(name), data, packing)
    return path


def test_members_come_in_order_and_unsafe_names_are_told(tmp_path: Path) -> None:
    names = ["a.txt", "../b.txt", "/c.txt", "d/../../e.txt", "f\\..\\g.txt", "C:/h.txt", "i/j.txt", ".", "./", "//k"]
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    path = archive(tmp_path / "a.zip", {name: name.encode() for name in names})
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(link, "/etc/passwd")
    told = list[tuple[str, str]]()
    with open_zip(path) as opened:
        kept = [
            read_member(opened, info, max_bytes=100) for info in zip_members(opened, drop=lambda *a: told.append(a))
        ]
    assert kept == [b"a.txt", b"i/j.txt", b"."]
    assert [reason for reason, _ in told] == ["unsafe-path"] * 6 + ["link-in-archive"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.zip"]


def test_other_packings_and_encryption_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a": b"x" * 100}, packing=zipfile.ZIP_LZMA)
    told = list[str]()
    with open_zip(path) as opened:
        assert list(zip_members(opened, drop=lambda reason, name: told.append(reason))) == []
        opened.infolist()[0].flag_bits |= 1
        assert list(zip_members(opened, drop=lambda reason, name: told.append(reason))) == []
    assert told == ["unknown-packing", "encrypted"]


def test_a_bomb_is_stopped_early_in_little_memory(tmp_path: Path) -> None:
    path = archive(tmp_path / "bomb.zip", {"bomb.txt": bytes(60_000_000)})
    tracemalloc.start()
    seen = 0
    with open_zip(path) as opened:
        blocks = member_blocks(opened, next(zip_members(opened)))
        with pytest.raises(UnsafeMemberError, match="archive-bomb"):
            for block in blocks:
                seen += len(block)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen < 20_000_000
    assert peak < 8_000_000


def test_a_member_above_the_limit_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a": b"x" * 2000}, packing=zipfile.ZIP_STORED)
    with open_zip(path) as opened, pytest.raises(UnsafeMemberError, match="book-too-large"):
        read_member(opened, opened.infolist()[0], max_bytes=1999)


def test_members_that_lie_in_one_another_are_refused(tmp_path: Path) -> None:
    data = archive(tmp_path / "a.zip", {"a.txt": b"once", "b.txt": b"twice" * 1000}).read_bytes()
    end = data.rindex(b"PK\x05\x06")
    start = int.from_bytes(data[end + 16 : end + 20], "little")
    second = data.index(b"PK\x01\x02", start + 4)
    entries = data[start:second] + data[second:end] * 300  # three hundred names of one member
    sizes = struct.pack("<HHHHIIH", 0, 0, 301, 301, len(entries), start, 0)
    (tmp_path / "a.zip").write_bytes(data[:start] + entries + b"PK\x05\x06" + sizes)
    told = list[str]()
    with open_zip(tmp_path / "a.zip") as opened:
        members = list(zip_members(opened, drop=lambda reason, name: told.append(reason)))
        assert [read_member(opened, info, max_bytes=5000)[:5] for info in members] == [b"once", b"twice"]
    assert told == ["overlapping-members"] * 299


def test_a_damaged_member_is_refused_and_the_next_one_read(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", {"a": b"first member", "b": b"second"}, packing=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"first", b"fIrst"))
    with open_zip(path) as opened:
        first, second = zip_members(opened)
        with pytest.raises(UnsafeMemberError, match="damaged-archive"):
            read_member(opened, first, max_bytes=100)
        assert read_member(opened, second, max_bytes=100) == b"second"


@pytest.mark.parametrize("data", [b"", b"this is no archive", b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_archive_is_one_clear_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.zip"), open_zip(path) as opened:
        list(zip_members(opened))


def test_an_archive_in_memory_is_opened_too(tmp_path: Path) -> None:
    data = archive(tmp_path / "a.zip", {"a": b"text"}).read_bytes()
    with open_zip(data, name="inner.zip") as opened:
        assert read_member(opened, opened.infolist()[0], max_bytes=9) == b"text"
