"""What `--cache zstd` saves: processor time to unpack a dump from .bz2 and from the copy, and how large both are.

Usage: python benchmarks/corpus_cache.py; needs the real data (MOTHERTONGUE_DATA). About 12 MB of real text as one
article per paragraph block stands for a dump: no large real one is to be had where this was written. Medians of three,
the two in turns.
"""

from __future__ import annotations

import bz2
import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from mothertongue.corpus.config import CorpusConfig
from mothertongue.corpus.readers.files import read_blocks
from mothertongue.corpus.readers.unpacked import copy_of, dump_blocks
from results_file import write_results

MEGABYTES = 12
ROUNDS = 3


def main() -> None:
    """Measure and write results/corpus_cache.json."""
    begun = time.perf_counter()
    data = Path(os.environ.get("MOTHERTONGUE_DATA", "../shared/data"))
    text = _first(read_blocks(data / "text" / "cs.novels_eltec_corrected.jsonl.xz"), MEGABYTES * 1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder) / "dump.xml.bz2"
        dump.write_bytes(bz2.compress(text))
        config = CorpusConfig(cache="zstd", cache_folder=folder)
        making = _seconds(dump_blocks(dump, config))
        copy = copy_of(dump, config)
        assert copy is not None and copy.is_file()
        rows = [
            {"bz2_seconds": _seconds(read_blocks(dump)), "copy_seconds": _seconds(dump_blocks(dump, config))}
            for _ in range(ROUNDS)
        ]
        bz2_seconds, copy_seconds = (median(row[name] for row in rows) for name in ("bz2_seconds", "copy_seconds"))
        figures = {
            "copy_vs_bz2": round(bz2_seconds / copy_seconds, 1),
            "copy_bytes_per_bz2_byte": round(copy.stat().st_size / dump.stat().st_size, 2),
            "making_vs_bz2": round(making / bz2_seconds, 2),
            "bz2_megabytes_per_second": round(len(text) / 1e6 / bz2_seconds, 1),
            "copy_megabytes_per_second": round(len(text) / 1e6 / copy_seconds, 1),
        }
    write_results("corpus_cache", figures, rows, seconds=time.perf_counter() - begun)


def _first(blocks: Iterable[bytes], size: int) -> bytes:
    data = b""
    for block in blocks:
        data += block
        if len(data) >= size:
            break
    return data[:size]


def _seconds(blocks: Iterable[bytes]) -> float:
    """Processor time to read all of them."""
    begun = time.process_time()
    for _ in blocks:
        pass
    return time.process_time() - begun


if __name__ == "__main__":
    main()
