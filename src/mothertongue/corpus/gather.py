"""First pass: read every source once, clean and judge each document alone, and spool what stays.

The input is cut into parts (parts.py), each done by one process (work.py), here or on another machine (cluster.py), and
kept as it is finished, so that a killed run goes on with the next part. Then the parts are put together in order: of
equal texts the first stays. What must be known of all documents together (duplicates, shares, sides) is kept as small
figures per document; the text itself stays on disk, so memory does not grow with it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import zstandard

from mothertongue.corpus import dedup
from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.engine import cores, run_tasks
from mothertongue.corpus.ledger import Ledger
from mothertongue.corpus.parts import Part, part_file, parts_of
from mothertongue.corpus.readers.files import Readable, size_of, version_of
from mothertongue.corpus.shards import encode_document, read_shard
from mothertongue.corpus.sources import source_files, source_name
from mothertongue.corpus.split import Split, side_of
from mothertongue.corpus.work import LEVEL, Finished, read_finished, work
from mothertongue.run.disk import write_json
from mothertongue.run.progress import say, track
from mothertongue.run.settings import settings_dict

Files: TypeAlias = Sequence[tuple[Source, Readable]]

SPOOL = "spool"
SIGNATURES = "spool.signatures"
PLAN = "plan.json"  # what the parts in a folder are of
_ALONE_BYTES = 4 << 20  # less input than this is not worth starting processes


@dataclass
class Census:
    """What is known of the spooled documents, in their order."""

    digests: list[bytes] = field(default_factory=list)
    sides: list[Split] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.digests)


def gather(config: CorpusConfig, folder: Path, ledger: Ledger) -> Census:
    """Spool the documents of all sources into `folder`; those refused go to the `ledger`.

    Parts that an earlier attempt has finished in `folder` are kept, if it had the same input and settings.
    """
    files = input_files(config)
    prepare(folder, files, config)
    total = sum(size_of(file) for _, file in files)
    processes = config.processes or (1 if total < _ALONE_BYTES else cores())
    names = list[str]()
    with track("reading", total=total / 1e6, unit="MB") as bar:
        job = partial(work, config=config, folder=folder)
        for done in run_tasks(job, _listed(parts_of(files, config, folder), names), processes=processes):
            bar.advance(done / 1e6)
    return _put_together(names, folder, config, ledger)


def input_files(config: CorpusConfig) -> Files:
    """Every file of every source, in order."""
    return [(source, file) for source in config.sources for file in source_files(source, config)]


def prepare(folder: Path, files: Files, config: CorpusConfig) -> None:
    """Keep the finished parts in `folder` if they are of this input and these settings, and nothing else."""
    if not is_prepared(folder, files, config):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_json(folder / PLAN, _plan(files, config))
        return
    for left in (*folder.glob(".part-*"), *folder.glob(f"{SPOOL}*")):
        left.unlink()
    finished = sum(1 for _ in folder.glob("part-*.json"))
    if finished:
        say(f"  {finished:,} parts of the input are done already")


def is_prepared(folder: Path, files: Files, config: CorpusConfig) -> bool:
    """Whether the parts in `folder` are of this input and these settings."""
    try:
        return bool(json.loads((folder / PLAN).read_text("utf-8")) == _plan(files, config))
    except (OSError, ValueError):
        return False


def _plan(files: Files, config: CorpusConfig) -> Any:
    plan = {
        "version": version("mothertongue"),
        "config": settings_dict(config),
        "files": [[source_name(source), file.name, *_state(file)] for source, file in files],
    }
    return json.loads(json.dumps(plan))


def _state(file: Readable) -> list[int | str]:
    """What tells that a file is still the same."""
    return [file.stat().st_size, file.stat().st_mtime_ns] if isinstance(file, Path) else [version_of(file)]


def _listed(parts: Iterator[Part], names: list[str]) -> Iterator[Part]:
    """The same parts; what they are called is added to `names`."""
    for part in parts:
        names.append(part.name)
        yield part


def _put_together(names: list[str], folder: Path, config: CorpusConfig, ledger: Ledger) -> Census:
    """One spool of all parts, in which every text stands once."""
    census, seen = Census(), set[bytes]()
    with (folder / SIGNATURES).open("wb") as signatures:
        for name in names:
            finished = read_finished(folder, name)
            assert finished is not None, f"part {name} is done"
            ledger.merge(finished.dropped)
            fresh = list(_fresh(finished, seen))
            _spool(folder, name, fresh, finished.source, ledger)
            signatures.write(_rows(part_file(folder, name, "signatures"))[np.array(fresh, dtype=bool)].tobytes())
            for (digest, size), is_fresh in zip(finished.rows, fresh, strict=True):
                if is_fresh:
                    _enter(census, bytes.fromhex(digest), size, finished.source, config)
    return census


def _fresh(finished: Finished, seen: set[bytes]) -> Iterator[bool]:
    """For each document of a part whether its text is a new one."""
    for digest, _ in finished.rows:
        key = bytes.fromhex(digest)
        yield key not in seen
        seen.add(key)


def _enter(census: Census, digest: bytes, size: int, source: str, config: CorpusConfig) -> None:
    side = side_of(digest, heldout_share=config.heldout_share, dev_share=config.dev_share, draw=config.split_draw)
    census.digests.append(digest)
    census.sides.append(side)
    census.sources.append(source)
    census.bytes.append(size)


def _spool(folder: Path, name: str, fresh: list[bool], source: str, ledger: Ledger) -> None:
    """The documents of a part without those that came before, as a shard of the spool."""
    place, spool = part_file(folder, name, "jsonl.zst"), folder / f"{SPOOL}-{name}.jsonl.zst"
    if all(fresh):
        try:
            os.link(place, spool)  # the part must stay as it is: this may be done again
        except OSError:
            shutil.copyfile(place, spool)
        return
    with zstandard.open(spool, "wb", cctx=zstandard.ZstdCompressor(level=LEVEL)) as out:
        for document, is_fresh in zip(read_shard(place), fresh, strict=True):
            if is_fresh:
                out.write(encode_document(document))
            else:
                ledger.drop("duplicate", source=source, id=document.id, text=document.text)


def spool_files(folder: Path) -> list[Path]:
    """The shards of the spool, in order."""
    return sorted(folder.glob(f"{SPOOL}-*.jsonl.zst"))


def _rows(path: Path) -> dedup.Signatures:
    return np.fromfile(path, dtype=np.uint32).reshape(-1, dedup.PERMUTATIONS)


def open_signatures(path: Path) -> dedup.Signatures:
    """The signatures of all spooled documents, mapped from disk."""
    if not path.stat().st_size:
        return np.empty((0, dedup.PERMUTATIONS), dtype=np.uint32)
    return np.memmap(path, dtype=np.uint32, mode="r").reshape(-1, dedup.PERMUTATIONS)
