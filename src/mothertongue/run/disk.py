"""What a kill or a full disk may not break: files that are whole or not there, a lock per folder, clear words."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mothertongue.errors import ArtifactError, SourceError

WRITING = ".writing"  # the end of a file's name until it is whole
FULL = (errno.ENOSPC, errno.EDQUOT)
FULL_WORDS = (
    "no space left on device",
    "disk quota exceeded",
    "os error 28",
    "os error 122",
)  # as Rust libraries say it


def write_text(path: Path, text: str) -> None:
    """Write `text` so that `path` holds either the old or the whole new content at any moment.

    A file's name may have bytes that are no UTF-8: Python's signs for them are written as JSON has them, like \\udce8.
    """
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}{WRITING}")
    try:
        with partial.open("w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write `value` as JSON so that `path` holds either the old or the whole new content at any moment."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def sweep(folder: Path, *, below: bool) -> None:
    """Remove what a killed `write_text` has left in `folder`, and in the folders `below` it."""
    for left in (folder.rglob if below else folder.glob)(f".*{WRITING}"):
        left.unlink(missing_ok=True)


def share(folder: Path) -> None:
    """Give files the permissions that new files have: safetensors writes some that only their owner may read."""
    usual = 0o666 & ~_umask()
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            file.chmod(file.stat().st_mode | usual)


def sync(folder: Path) -> None:
    """Have the names in `folder` written to the disk, so that a rename survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def lock_of(out: Path) -> Path:
    """The empty file that whoever works on `out` locks. It stays."""
    return out.with_name(f".{out.name}.lock")


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold `.X.lock` beside `out` for this process; the system lets go of it however the process ends."""
    with writable(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        stream = lock_of(out).open("a")
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _busy(out) from error
        yield  # the file stays: deleting it would let a third run lock another file of the same name


def check_unlocked(out: Path) -> None:
    """ArtifactError if another process holds the lock of `out`."""
    if is_locked(out):
        raise _busy(out)


def is_locked(out: Path) -> bool:
    """True while a process holds the lock of `out`."""
    try:
        with lock_of(out).open("r") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextmanager
def plain_disk_errors(folder: Path) -> Iterator[None]:
    """Turn a full disk, in whatever words a library reports it, into one ArtifactError; a SourceError says more."""
    try:
        yield
    except Exception as error:
        if isinstance(error, SourceError) or not _means_full(error):
            raise
        free = shutil.disk_usage(_existing(folder)).free / 1e6
        raise ArtifactError(
            f"The disk of {folder} is full ({free:.1f} MB free). "
            "Make room and run the same command again: it continues from here."
        ) from error


@contextmanager
def writable(out: Path) -> Iterator[None]:
    """Turn "no such place, no permission" on making `out` into an ArtifactError."""
    try:
        yield
    except OSError as error:
        if _means_full(error):
            raise
        raise ArtifactError(
            f"{out} cannot be made: {error.strerror} ({error.filename}). Choose another --out."
        ) from error


def _busy(out: Path) -> ArtifactError:
    return ArtifactError(f"Another run is working on {out}. Wait for it to end, or choose another --out.")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _means_full(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.errno in FULL) or any(
        words in str(error).lower() for words in FULL_WORDS
    )


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
