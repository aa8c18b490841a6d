"""How long rows for a vocabulary of 50,257 take: from 100 MB of text of each language to 50,257 x 768 rows.

    python benchmarks/transfer_rows.py                 five minutes; --folder keeps the prepared text
    python benchmarks/transfer_rows.py --peers         only: our focus and wechsel rows beside those of their packages

A base of GPT-2's vocabulary and width with random weights (what rows hold costs nothing), a Czech vocabulary of the
same size, static vectors of both counted anew. There are 51 MB of English and 43 MB of Czech; the rest of the 100 are
the same texts again with every tenth word another one of the same language, so that new pairs of words stand beside
each other. Every round is a process of its own that reports wall and processor seconds and its peak of memory, imports
included.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from corpus_exports import DATA
from corpus_filters import texts_of
from mothertongue.corpus.document import Document
from mothertongue.corpus.shards import ShardWriter
from mothertongue.tokenizer.bytelevel import open_tokenizer, save_tokenizer, train_bytelevel
from results_file import write_results
from train_job import peak_megabytes
from transfer_peers import peers

SETS = {
    "en": ("en.books_pd", "en.debian_descriptions", "en.docs_edgeai", "en.wikitext2_valid_test"),
    "cs": (
        "cs.fiction_mkp", "cs.novels_eltec_corrected", "cs.poetry_ccv", "cs.docs_debian", "cs.debian_descriptions",
        "cs.fortunes", "cs.tatoeba_sentences", "cs.ud_text",
    ),
}  # fmt: skip
VOCABULARY, WIDTH = 50_257, 768
OTHER_WORDS = 0.1
POOL = 200_000
TEXT, CORPUS, TOKENIZER, BASE = "english.txt", "corpus", "tokenizer", "base"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, help="where the prepared text stands or will stand")
    parser.add_argument("--megabytes", type=int, default=100, help="text of each language")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--job", action="store_true", help="one round, its figures to stdout")
    parser.add_argument("--peers", action="store_true", help="the rows of other packages; see transfer_peers.py")
    asked = parser.parse_args()
    if asked.job:
        print(json.dumps(job(asked.folder, asked.megabytes)))
        return
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        if asked.peers:
            rows = peers(Path(temporary))
            print(rows, write_results(NAME, {}, rows, seconds=time.monotonic() - started, notes=PEERS, beside=True))
            return
        prepare(folder, asked.megabytes)
        rows = [run(folder, asked) for _ in range(asked.rounds)]
    names = ("seconds", "processor_seconds", "peak_megabytes")
    figures = {name: round(statistics.median(row[name] for row in rows), 1) for name in names}
    figures = {f"init_{name}_50k": value for name, value in figures.items()}
    seconds = time.monotonic() - started
    print(figures, write_results(NAME, figures, rows, seconds=seconds, notes=NOTES, beside=True))


NAME = "transfer_rows"
PEERS = (
    "peers: the packages' own code for rows, given our static vectors and, for wechsel, what both vocabularies have as "
    "the dictionary; compared are target tokens with a vector that are whole letters",
)
NOTES = (
    "text: of each language as much as there is, then the same again with a tenth of the words replaced by others",
    "seconds: from files of text to rows, in a process of its own; processor_seconds are of all its threads; "
    "peak_megabytes: its largest resident memory",
)


def run(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """One round in its own process."""
    command = [sys.executable, __file__, "--job", "--folder", str(folder), "--megabytes", str(asked.megabytes)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(asked.threads), "TOKENIZERS_PARALLELISM": "true"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(row, file=sys.stderr)
    return {"question": "speed", "threads": asked.threads, **row}


def job(folder: Path, megabytes: int) -> dict[str, Any]:
    """Text, base and tokenizer of `folder` to rows; how long it took."""
    from mothertongue.corpus.config import Source
    from mothertongue.model.checkpoint import open_checkpoint
    from mothertongue.transfer.config import TransferConfig
    from mothertongue.transfer.gather import corpus_streams, gather
    from mothertongue.transfer.methods import METHODS

    config = TransferConfig(source_text=(Source(path=str(folder / TEXT)),), max_megabytes=float(megabytes))
    source, target = open_checkpoint(folder / BASE), open_tokenizer(folder / TOKENIZER)
    method = METHODS.load(config.method)
    wall, processor = time.perf_counter(), time.process_time()
    streams = corpus_streams(config, target, folder / CORPUS)
    rows = method(gather(config, source, target, streams))
    assert rows.shape == (VOCABULARY, WIDTH), rows.shape
    return {
        "seconds": round(time.perf_counter() - wall, 1),
        "processor_seconds": round(time.process_time() - processor, 1),
        "peak_megabytes": round(peak_megabytes(), 1),
        "target_tokens": sum(map(len, streams())),
        "shared_tokens": len(gather(config, source, target, streams).matches),
    }


def prepare(folder: Path, megabytes: int) -> None:
    """Text of both languages, tokenizer and base, unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / TEXT).is_file():
        (folder / TEXT).write_text("\n\n".join(varied(SETS["en"], megabytes * 1_000_000)), "utf-8")
    if not (folder / CORPUS).is_dir():
        (folder / CORPUS).mkdir()
        with ShardWriter(folder / CORPUS, "train", max_bytes=1 << 30) as writer:
            for number, text in enumerate(varied(SETS["cs"], megabytes * 1_000_000)):
                writer.write(Document(text, str(number), "varied"))
    if not (folder / TOKENIZER).is_dir():
        tokenizer = train_bytelevel((text for name in SETS["cs"] for text in texts_of(name)), vocab_size=VOCABULARY)
        (folder / TOKENIZER).mkdir()
        save_tokenizer(tokenizer, folder / TOKENIZER)
    if not (folder / BASE).is_dir():
        save_base(folder / BASE)


def varied(names: Sequence[str], size: int) -> Iterator[str]:
    """Documents of `size` bytes in all: first as they are, then again with other words here and there."""
    rng = random.Random(0)
    pool: list[str] = []
    left, first = size, True
    while True:
        for text in (text for name in names for text in texts_of(name)):
            if not first:
                text = " ".join(rng.choice(pool) if rng.random() < OTHER_WORDS else word for word in text.split(" "))
            elif len(pool) < POOL:
                pool += text.split(" ")[::20]
            yield text
            left -= len(text.encode())
            if left < 0:
                return
        first = False


def save_base(folder: Path) -> None:
    """A GPT-2 of one layer, with the vocabulary and the width of the real one and random weights."""
    from transformers import GPT2Config, GPT2LMHeadModel

    from mothertongue.model.checkpoint import save_checkpoint

    folder.mkdir()
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=WIDTH, vocab_size=VOCABULARY))
    for there, here in (("encoder.json", "vocab.json"), ("vocab.bpe", "merges.txt")):
        shutil.copyfile(DATA / "gpt2_bpe" / there, folder.with_name(here))
    save_checkpoint(model, open_tokenizer(folder.parent), folder)


if __name__ == "__main__":
    main()
