"""What do a vocabulary's kind, its cuts and its size cost? Czech, Bulgarian, Greek and Khmer, beside GPT-2's own
vocabulary and sentencepiece, on development text that no vocabulary was trained on.

    python benchmarks/tokenizer.py --only fit      every kind and cut at one size: fertility, 5-gram, round trips
    python benchmarks/tokenizer.py --only sweep    bits per byte for the same compute over vocabulary sizes (Czech)

Czech and Bulgarian come from the real data (MOTHERTONGUE_DATA), Greek and Khmer (marks in words, no spaces) from
Debian's help of LibreOffice (MPL 2 and LGPL 3), fetched by apt-get once. sentencepiece has an environment of its own.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from mothertongue.model.ngram import token_nats, train_ngram
from mothertongue.tokenizer.bytelevel import decode_ids, encode_text, open_tokenizer, train_bytelevel
from mothertongue.tokenizer.unigram import train_unigram
from peers_home import environment
from results_file import RESULTS, write_results
from tokenizer_text import Text, texts_of

DATA = Path(os.environ.get("MOTHERTONGUE_DATA", Path(__file__).parents[2] / "shared" / "data"))
LANGUAGES = ("cs", "bg", "el", "km")
SIZE = 8192
SIZES = "500,1000,2000,4000,8000,16000"
ROUNDS = 3
START = 0  # the document's start in the streams of every arm

OURS: dict[str, Callable[[Sequence[str]], Tokenizer]] = {
    "bytelevel": lambda texts: train_bytelevel(texts, vocab_size=SIZE),
    "bytelevel_script": lambda texts: train_bytelevel(texts, vocab_size=SIZE, split="script"),
    "unigram": lambda texts: train_unigram(texts, vocab_size=SIZE),
}
SENTENCEPIECE = """
import io, json, sys, time
import sentencepiece

asked = json.load(sys.stdin)
texts = asked["train"]
begun, file = time.process_time(), io.BytesIO()
sentencepiece.SentencePieceTrainer.train(
    sentence_iterator=iter([line for text in texts for line in text.split("\\n") if line]), model_writer=file,
    vocab_size=asked["size"], model_type=asked["kind"], byte_fallback=True, normalization_rule_name="identity",
    remove_extra_whitespaces=False, add_dummy_prefix=False, user_defined_symbols=["\\n"], num_threads=1,
    max_sentence_length=1 << 20, hard_vocab_limit=False, minloglevel=2)
seconds = time.process_time() - begun
made = sentencepiece.SentencePieceProcessor(model_proto=file.getvalue())
ids = {part: [made.encode(text) for text in asked[part]] for part in ("train", "dev")}
same = sum(made.decode(found) == text for found, text in zip(ids["dev"], asked["dev"]))
json.dump({**ids, "same": same, "seconds": seconds, "size": made.vocab_size()}, sys.stdout)
"""


@dataclass(frozen=True)
class Coded:
    """A text as some arm writes it. Ids are those of the arm plus one, and 0 starts a document."""

    train: list[list[int]]
    dev: list[list[int]]
    size: int
    same: int  # development documents that decode to themselves
    seconds: float  # processor time of training


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("fit", "sweep"), default=None)
    parser.add_argument("--languages", default=",".join(LANGUAGES))
    parser.add_argument("--arms", default="", help="only these, between commas")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="trainings of each vocabulary; the median is kept")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--teraflop", type=float, default=0.1)
    asked, begun = parser.parse_args(), time.monotonic()
    rows, figures, notes = list[dict[str, Any]](), dict[str, float](), list[str]()
    if asked.only != "sweep":
        for language in asked.languages.split(","):
            found = fit(language, texts_of(language, DATA), asked.arms.split(","), rounds=asked.rounds)
            rows += found
            figures |= compared(language, found)
        notes.append(
            "fit: fertility and bytes per token of development text; fivegram is bits per byte of a 5-gram over the "
            f"tokens of the same training text. Vocabularies of {SIZE:,}; gpt2 is GPT-2's own 50,257, not trained."
        )
    if asked.only != "fit":
        rows += sweep(asked.seeds, asked.teraflop, figures)
        notes.append("sweep: every size has the same compute, head included; MB are bytes of text read in training.")
    write_results("tokenizer", figures, rows, seconds=time.monotonic() - begun, notes=notes, beside=True)


def fit(language: str, text: Text, wanted: Sequence[str], *, rounds: int) -> list[dict[str, Any]]:
    """Every arm on one language, or the `wanted` ones."""
    arms: dict[str, Callable[[], Coded]] = {"gpt2": lambda: code(open_tokenizer(DATA / "gpt2_bpe"), text, 0.0)}
    for name, train in OURS.items():
        arms[name] = lambda train=train: ours(train, text)  # type: ignore[misc]
    for kind in ("unigram", "bpe"):
        arms[f"sentencepiece_{kind}"] = lambda kind=kind: peer(kind, text)  # type: ignore[misc]
    rows = []
    for name, run in arms.items():
        if any(wanted) and name not in wanted:
            continue
        coded = run()
        again = [] if name == "gpt2" else [run().seconds for _ in range(rounds - 1)]
        row = {"question": f"fit {language}", "arm": name, **measured(coded, text)}
        row["training_cpu_seconds"] = round(statistics.median([coded.seconds, *again]), 2)
        row["rounds"] = rounds
        rows.append(row)
        print(row, file=sys.stderr)
    return rows


def ours(train: Callable[[Sequence[str]], Tokenizer], text: Text) -> Coded:
    begun = time.process_time()
    tokenizer = train(text.train)
    return code(tokenizer, text, time.process_time() - begun)


def code(tokenizer: Tokenizer, text: Text, seconds: float) -> Coded:
    train, dev = ([encode_text(tokenizer, one) for one in part] for part in (text.train, text.dev))
    same = sum(decode_ids(tokenizer, ids) == one for ids, one in zip(dev, text.dev, strict=True))
    return Coded(train, dev, tokenizer.get_vocab_size(), same, seconds)


def peer(kind: str, text: Text) -> Coded:
    python = environment("sentencepiece", "MOTHERTONGUE_SENTENCEPIECE", ["sentencepiece"])
    asked = json.dumps({"train": text.train, "dev": text.dev, "kind": kind, "size": SIZE})
    done = subprocess.run([python, "-c", SENTENCEPIECE], input=asked, capture_output=True, text=True, check=True)
    return Coded(**json.loads(done.stdout))


def measured(coded: Coded, text: Text) -> dict[str, Any]:
    """Figures of one arm. The 5-gram is a cheap stand-in for a model: what it needs for each byte of the text."""
    train, dev = stream(coded.train), stream(coded.dev)
    size = sum(len(one.encode()) for one in text.dev)
    words, tokens = sum(len(one.split()) for one in text.dev), sum(map(len, coded.dev))
    model = train_ngram(train, start_id=START, vocab_size=coded.size + 1)
    nats = float(token_nats(model, dev)[dev != START].sum())
    return {
        "vocabulary": coded.size,
        "fertility": round(tokens / words, 4),
        "bytes_per_token": round(size / tokens, 4),
        "fivegram": round(nats / math.log(2) / size, 5),
        "lost_documents": len(text.dev) - coded.same,
        "train_megabytes": round(sum(len(one.encode()) for one in text.train) / 1e6, 2),
    }


def stream(documents: Sequence[Sequence[int]]) -> Any:
    ids = [START]
    for document in documents:
        ids += [*(i + 1 for i in document), START]
    return np.array(ids)


def compared(language: str, rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The figures by name: fertility of each arm, and 5-gram bits as shares of byte-level BPE's with GPT-2's cuts."""
    base = next(row for row in rows if row["arm"] == "bytelevel")
    figures = {f"{language}_fertility_{row['arm']}": row["fertility"] for row in rows}
    figures |= {f"{language}_fivegram_{row['arm']}": round(row["fivegram"] / base["fivegram"], 4) for row in rows}
    return figures


def sweep(seeds: int, teraflop: float, figures: dict[str, float]) -> list[dict[str, Any]]:
    """`mothertongue tokenizer sweep` on Czech; its picture goes beside the results."""
    from mothertongue.run.build import build_step
    from mothertongue.run.recipe import given_step
    from mothertongue.tokenizer.sweep import SweepConfig, sweep_sizes
    from peers_home import CACHE

    home = CACHE / "tokenizer"
    given = {"language": "cs", "sources": (str(DATA / "text" / "cs.fiction_mkp.jsonl.xz"),)}
    build_step(given_step("corpus", home / "corpus", given), home / "corpus", {})
    config = SweepConfig(
        sizes=SIZES, seeds=seeds, budget_teraflop=teraflop, max_megabytes=8,
        num_hidden_layers=2, hidden_size=64, num_attention_heads=4, context=64, batch_size=4,
    )  # fmt: skip
    out = home / f"sweep-{teraflop:g}"
    found = sweep_sizes(config, out, corpus=home / "corpus")
    (RESULTS / "tokenizer.png").write_bytes((out / "sweep.png").read_bytes())
    figures["cs_chosen_size"] = found.figures["chosen"]
    figures |= {f"cs_bits_per_byte_{row.vocab_size}": row.bits_per_byte for row in found.rows}
    print(found.text, file=sys.stderr)
    return [{"question": "sweep cs", "teraflop": teraflop, "seeds": seeds, **row} for row in found.figures["rows"]]


if __name__ == "__main__":
    main()
