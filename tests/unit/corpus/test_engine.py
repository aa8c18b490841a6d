"""Several processes: the same bytes as one, a bounded number of tasks, and an end in clear words when one is killed."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from mothertongue.corpus import gather, parts
from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.engine import WorkerLostError, run_tasks
from mothertongue.corpus.outage import OutageError
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.multistream import spans_of
from mothertongue.errors import SourceError

from .dumpsite import multistream
from .test_multistream import NAME
from .test_stage import bytes_of, run
from .test_wikipedia import HEAD, export, page

Many = Callable[..., list[str]]
Jsonl = Callable[..., Path]
SHARES = {"heldout_share": 0.1, "dev_share": 0.05}


@pytest.fixture
def sources(tmp_path: Path, many: Many, jsonl: Jsonl, monkeypatch: pytest.MonkeyPatch) -> list[Source]:
    """A multistream dump, a plain one, JSON lines, and a folder; texts stand in several of them; in small parts."""
    monkeypatch.setattr(parts, "spans_of", partial(spans_of, span_bytes=1))
    monkeypatch.setattr(parts, "PART_BYTES", 5000)
    monkeypatch.setattr(parts, "BATCH_CHARACTERS", 5000)
    articles = [page(f"Článek {n}", text, id=n) for n, text in enumerate(many(60), start=1)]
    packed, index = multistream(HEAD, ["".join(articles[n : n + 9]) for n in range(0, 60, 9)])
    (tmp_path / NAME).write_bytes(packed)
    (tmp_path / NAME.replace(".xml", "-index.txt")).write_bytes(index)
    plain = tmp_path / "plain.xml"
    plain.write_text(export(*articles[::3], *(page("X", text, id=900) for text in many(30, seed=3))), "utf-8")
    folder = tmp_path / "texts"
    folder.mkdir()
    for number, text in enumerate([*many(20, seed=4), *many(10)]):
        (folder / f"{number}.txt").write_text(text, "utf-8")
    lines = jsonl([*many(50, seed=5), *many(20), "krátké"], "lines.jsonl")
    return [Source(str(path), name=path.stem) for path in (tmp_path / NAME, plain, folder, lines)]


def test_any_number_of_processes_gives_the_same_bytes(tmp_path: Path, sources: list[Source]) -> None:
    one = run(tmp_path / "one", *sources, processes=1, **SHARES)
    two = run(tmp_path / "two", *sources, processes=2, **SHARES)
    assert one == two
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    assert one["documents"] == 160
    assert one["dropped"] == {"duplicate": 50, "too-short": 1}


def test_what_is_refused_of_a_large_file_is_counted_and_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 0)
    path = tmp_path / "a.jsonl"
    path.write_text('{"body": "text"}\n' * 30_000)
    source = Source(str(path))
    (part,) = parts.parts_of([(source, path)], CorpusConfig(sources=(source,)), tmp_path)
    assert part.dropped is not None and part.dropped["counts"] == [["a", "no-text", 30_000]]
    assert part.items == () and len(pickle.dumps(part)) < 20_000


def test_one_damaged_export_of_many_is_counted_but_no_outage(reading: Callable[..., Reading]) -> None:
    many = reading(Source("wikis/*.xml"))
    parts.drop_or_raise(SourceError("it is cut"), "a.xml", many)
    with pytest.raises(OutageError):
        parts.drop_or_raise(OutageError("the disk fails"), "a.xml", many)


def test_a_stopped_run_goes_on_with_the_next_part(
    tmp_path: Path, sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*args: object, **settings: object) -> Iterator[int]:
        for number, done in enumerate(run_tasks(*args, **settings)):  # type: ignore[arg-type]
            if number == 9:
                raise KeyboardInterrupt
            yield done

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(gather, "run_tasks", stopped)
        run(tmp_path / "out", *sources, **SHARES)
    finished = {file: file.stat().st_mtime_ns for file in (tmp_path / "out" / "progress").glob("part-*.json")}
    assert len(finished) == 10
    (tmp_path / "out" / "progress" / ".part-000010.jsonl.zst.123").write_bytes(b"half")

    def killed(*_: object, **__: object) -> None:
        assert {file: file.stat().st_mtime_ns for file in finished} == finished
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("mothertongue.corpus.stage.settle", killed)
        run(tmp_path / "out", *sources, **SHARES)
    assert run(tmp_path / "out", *sources, **SHARES) == run(tmp_path / "clean", *sources, **SHARES)
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "clean")


def test_parts_of_another_input_or_other_settings_are_not_kept(
    tmp_path: Path, sources: list[Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("mothertongue.corpus.stage.settle", killed)
        run(tmp_path / "out", *sources, min_characters=300, **SHARES)
    (tmp_path / "texts" / "new.txt").write_text("Nový text o ničem, který tu dříve nebyl. " * 12, "utf-8")
    run(tmp_path / "out", *sources, **SHARES)
    run(tmp_path / "clean", *sources, **SHARES)
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "clean")


def test_a_run_killed_for_good_is_continued_to_the_same_bytes(tmp_path: Path, many: Many, jsonl: Jsonl) -> None:
    files = [jsonl(many(120, seed=number), f"{number}.jsonl") for number in range(8)]
    command = [sys.executable, "-m", "mothertongue", "corpus", "--heldout-share", "0.1", "--dev-share", "0.1"]
    command += [option for file in files for option in ("--source", str(file))]

    def start(name: str, processes: int) -> subprocess.Popen[bytes]:
        settings = ["--processes", str(processes), "--out", str(tmp_path / name)]
        return subprocess.Popen([*command, *settings], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)

    process, progress = start("out", 2), tmp_path / "out.partial" / "progress"
    while not list(progress.glob("part-*.json")) and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert progress.exists()
    (_, said), (_, _) = start("out", 1).communicate(), start("clean", 1).communicate()
    assert b"done already" in said
    kept, clean = bytes_of(tmp_path / "out"), bytes_of(tmp_path / "clean")
    assert kept.pop("manifest.json") and clean.pop("manifest.json")
    assert kept == clean and len(kept) > 3


def test_a_killed_process_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(WorkerLostError, match=r"want of memory.*--processes 1"):
        list(run_tasks(os._exit, [9, 9, 9], processes=2))


@pytest.mark.parametrize(("error", "kept"), [(WorkerLostError, True), (SourceError, False)])
def test_finished_parts_are_kept_if_a_process_was_lost_and_not_if_the_input_is_bad(
    tmp_path: Path, sources: list[Source], monkeypatch: pytest.MonkeyPatch, error: type[SourceError], kept: bool
) -> None:
    def lost(*_: object, **__: object) -> None:
        raise error("lost")

    monkeypatch.setattr(gather, "_put_together", lost)
    with pytest.raises(error, match="lost"):
        run(tmp_path / "out", *sources[2:], **SHARES)
    assert bool(list((tmp_path / "out").glob("progress/part-*.json"))) == kept


def test_a_damaged_dump_among_others_is_counted_and_alone_an_error(tmp_path: Path, many: Many) -> None:
    folder = tmp_path / "dumps"
    folder.mkdir()
    articles = [page(f"Článek {n}", text, id=n) for n, text in enumerate(many(30), start=1)]
    packed, index = multistream(HEAD, ["".join(articles[:15]), "".join(articles[15:])])
    (folder / NAME).write_bytes(packed[:-200])
    (folder / NAME.replace(".xml", "-index.txt")).write_bytes(index)
    (folder / "whole.xml").write_text(export(*articles[:25]), "utf-8")
    metrics = run(tmp_path / "out", Source(str(folder / "*.xml*")), heldout_share=0.1, dev_share=0.1)
    assert metrics["documents"] >= 25
    assert metrics["dropped"]["damaged-file"] == 1
    with pytest.raises(SourceError, match="ends before its archive does"):
        run(tmp_path / "alone", Source(str(folder / NAME)))


def test_no_more_tasks_are_made_than_are_soon_needed() -> None:
    made = []

    def tasks() -> Iterator[int]:
        for number in range(40):
            made.append(number)
            yield -number

    for done, result in enumerate(run_tasks(abs, tasks(), processes=2)):
        assert result == done
        assert len(made) <= done + 6


def test_an_error_of_a_task_is_the_error_of_the_whole() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list(run_tasks(int, ["1", "x", "3"], processes=2))


def test_processes_end_with_the_one_that_started_them() -> None:
    code = """
import os, sys, time
from mothertongue.corpus.engine import run_tasks
if __name__ == "__main__":
    for pid in run_tasks(eval, ["__import__('os').getpid()"] * 12 + ["__import__('time').sleep(60)"] * 9, processes=2):
        print(pid, flush=True)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert parent.stdout
    children = {int(parent.stdout.readline()) for _ in range(6)}
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    end = time.monotonic() + 10
    while any(is_running(child) for child in children) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(is_running(child) for child in children)


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]
    except OSError:
        return False
