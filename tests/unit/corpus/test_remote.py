"""Addresses, stdin and data sets: read as they come, known by their version, never for ever."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mothertongue.corpus import address, gather, remote
from mothertongue.corpus.address import ask, places
from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.outage import OutageError
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.readers.files import read_blocks
from mothertongue.corpus.remote import find_files
from mothertongue.corpus.stage import corpus
from mothertongue.errors import ConfigError, SourceError
from mothertongue.run.build import run_recipe
from mothertongue.run.recipe import parse_recipe
from mothertongue.run.request import request_of

from .webserver import Server, serving

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")
BODY = "".join(f"{number}. řádek textu\n" for number in range(60_000)).encode()


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(remote, "WAIT_SECONDS", 0.001)
    remote._found.clear()
    address.drain.cache_clear()
    yield
    address.drain.cache_clear()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as state:
        yield state


def content(path: str, **settings: Any) -> bytes:
    config = CorpusConfig(**settings)
    return b"".join(block for place in places(Source(path), config) for block in read_blocks(place))


def texts(path: str, reading: Callable[..., Reading], **settings: Any) -> list[str]:
    source = Source(path, **settings)
    told = reading(source)
    return [document.text for place in places(source, told.config) for document in read_file(place, told)]


@pytest.mark.parametrize("settings", [{}, {"ranges": False}, {"sizes": False, "ranges": False}])
def test_a_file_comes_whole_whatever_its_server_can(settings: dict[str, Any]) -> None:
    with serving(files={"/a.txt.gz": gzip.compress(BODY)}, **settings) as server:
        assert content(f"{server.url}/a.txt.gz") == BODY


@pytest.mark.parametrize("ranges", [True, False])
def test_a_connection_that_breaks_is_taken_up_again(ranges: bool) -> None:
    with serving(files={"/a.txt": BODY}, ranges=ranges, cuts=3) as server:
        assert content(f"{server.url}/a.txt") == BODY


def test_a_server_that_always_breaks_off_is_given_up(server: Server) -> None:
    server.files["/a.txt"], server.cuts = BODY, 99
    with pytest.raises(SourceError, match=r"broke off at byte .* 5 times"):
        content(f"{server.url}/a.txt")


def test_a_server_that_never_ends_is_given_up(server: Server) -> None:
    server.endless.add("/a.txt")
    with pytest.raises(SourceError, match="has not ended after"):
        content(f"{server.url}/a.txt", max_copy_megabytes=3)


def test_a_file_that_changes_after_it_was_asked_for_is_refused(server: Server) -> None:
    server.files["/a.txt"] = b"one"
    (place,) = places(Source(f"{server.url}/a.txt"), CorpusConfig())
    server.files["/a.txt"] = b"two"
    with pytest.raises(SourceError, match="has changed since"):
        list(read_blocks(place))


def test_what_stands_for_the_content_is_the_servers_word(server: Server) -> None:
    server.files["/a.txt"] = b"one"
    found = ask(f"{server.url}/a.txt")
    etag = hashlib.md5(b"one", usedforsecurity=False).hexdigest()
    assert found.contents == {f"{server.url}/a.txt": f"ETag {etag}, 3 bytes"}
    assert found.text_bytes == 3
    server.sizes = False
    unsized = ask(f"{server.url}/a.txt")
    assert (unsized.text_bytes, unsized.words) == (None, f"{server.url}/a.txt, of unknown size")


def test_a_new_question_gets_a_new_answer_that_is_then_read(server: Server) -> None:
    path = f"{server.url}/a.txt"
    for body in (b"one", b"three"):
        server.files["/a.txt"] = body
        assert f"{len(body)} bytes" in ask(path).contents[path]
        assert content(path) == body


@pytest.mark.parametrize(
    ("path", "error", "words"),
    [
        ("http://127.0.0.1:1/a.txt", SourceError, "cannot be looked up"),
        ("klingon://a/b", ConfigError, "klingon:// is not known"),
        ("file:///etc/hostname", ConfigError, "by its path"),
        ("ftp://host/a.txt", ConfigError, "ftp:// addresses cannot be read here; download the file"),
        ("jupyter://a", ConfigError, "jupyter:// addresses cannot be read here"),
        ("zip://a.txt::memory://b.zip", ConfigError, "by its own address"),
    ],
)
def test_an_address_that_cannot_be_had_says_why(path: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        ask(path)


def test_a_file_that_is_not_there_is_an_error(server: Server) -> None:
    with pytest.raises(SourceError, match=r"gone\.txt cannot be looked up"):
        ask(f"{server.url}/gone.txt")


def test_folders_and_patterns_on_a_server_give_their_files_in_order(reading: Callable[..., Reading]) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for name in ("b.txt", "a.txt", "deep/c.txt", ".hidden.txt"):
        memory.pipe(f"/shelf/{name}", name.encode())
    assert texts("memory://shelf/", reading) == ["a.txt", "b.txt", "deep/c.txt"]
    assert texts("memory://shelf/*.txt", reading) == ["a.txt", "b.txt"]
    with pytest.raises(SourceError, match="0 files"):
        texts("memory://shelf/*.md", reading)


def test_every_kind_of_file_is_read_from_a_server(server: Server, reading: Callable[..., Reading]) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = io.BytesIO()
    parquet.write_table(pa.table({"text": ["z tabulky"]}), table)
    server.files = {
        "/a.md": b"*a*",
        "/b.parquet": table.getvalue(),
        "/noname": b'{"text": "z radku"}\n',
        "/c.txt?x=1": b"c",
    }
    for ranges in (True, False):
        server.ranges = ranges
        assert texts(f"{server.url}/a.md", reading) == ["a"]
        assert texts(f"{server.url}/b.parquet", reading) == ["z tabulky"]
        assert texts(f"{server.url}/noname", reading) == ["z radku"]
        assert texts(f"{server.url}/c.txt?x=1", reading) == ["c"]


def through_stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_stdin_is_read_once_and_known_by_its_content(
    monkeypatch: pytest.MonkeyPatch, reading: Callable[..., Reading]
) -> None:
    through_stdin(monkeypatch, gzip.compress(b'{"text": "potrubim"}\n'))
    assert ask("-").contents == {"-": hashlib.sha256(address.drain(4096 << 20).read_bytes()).hexdigest()}
    assert texts("-", reading) == ["potrubim"]


def test_more_stdin_than_allowed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    through_stdin(monkeypatch, b"x" * (1 << 21))
    with pytest.raises(SourceError, match="max_copy_megabytes"):
        content("-", max_copy_megabytes=1)


def test_a_step_of_another_stdin_has_another_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    (step,) = parse_recipe('[corpus]\nsources = ["-"]').steps
    prints = set()
    for data in (b"one", b"two", b"one"):
        address.drain.cache_clear()
        through_stdin(monkeypatch, data)
        prints.add(request_of(step, {}).fingerprint)
    assert len(prints) == 2


def test_a_corpus_is_made_of_a_server_and_of_stdin(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, many: Callable[..., list[str]]
) -> None:
    server.files["/a.txt"] = "\n".join(many(40)).encode()
    through_stdin(monkeypatch, "\n".join(many(40, seed=1)).encode())
    sources = (Source(f"{server.url}/a.txt", unit="line"), Source("-", name="stdin", unit="line"))
    metrics = corpus(CorpusConfig(sources=sources, heldout_share=0.1, dev_share=0.1, processes=1), tmp_path / "corpus")
    assert [entry["documents"] for entry in metrics["sources"]] == [40, 40]
    assert metrics["sources"][0]["files"][0]["version"].startswith("ETag")
    assert metrics["sources"][1]["files"][0]["sha256"]


@pytest.mark.parametrize("fault", ["cuts", "gone", "changed"])
def test_what_a_server_gives_no_more_is_no_damaged_file(
    server: Server, reading: Callable[..., Reading], drops: list[object], fault: str
) -> None:
    server.files = {"/a.txt": b"one", "/b.txt.gz": gzip.compress(BODY)}
    places = [find_files(f"{server.url}{name}", most=1 << 30)[0] for name in server.files]
    many = reading(Source(f"{server.url}/*"))
    if fault == "cuts":
        server.cuts = 99
    else:
        server.files = {} if fault == "gone" else dict.fromkeys(server.files, b"another")
    for place in places:
        with pytest.raises(OutageError):
            list(read_file(place, many))
    assert drops == []


def test_a_broken_network_keeps_the_parts_and_the_same_command_goes_on(
    tmp_path: Path, server: Server, many: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_text("\n".join(many(40)), "utf-8")
    server.files["/b.txt"], server.cuts = "\n".join(many(40, seed=1)).encode(), 99
    paths = [str(tmp_path / "a.txt"), f"{server.url}/b.txt"]
    sources = ", ".join(f"{{ path = '{path}', unit = 'line' }}" for path in paths)
    recipe = parse_recipe(f"[corpus]\nsources = [{sources}]\nheldout_share = 0.1\ndev_share = 0.1\nprocesses = 1")
    with pytest.raises(SourceError, match="run the same command again"):
        run_recipe(recipe, tmp_path / "run")
    (part,) = tmp_path.glob("run/corpus.partial/progress/part-*.json")
    server.cuts = 0
    monkeypatch.setattr(gather, "say", (said := list[str]()).append)
    assert run_recipe(recipe, tmp_path / "run")["corpus"]["metrics"]["documents"] == 80
    assert said == ["  1 parts of the input are done already"] and not part.exists()
