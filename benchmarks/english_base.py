"""The English base: bits per byte beside 5-gram and xz on the same held-out text, and the folder that ships.

    export MOTHERTONGUE_DATA=../shared/data
    mothertongue run recipes/english-base.toml --out runs/english-base --until train      two hours of CPU
    python benchmarks/english_base.py

Takes the finished training, makes the recipe's last steps, adds static vectors of the English tokens (so that a
transfer needs no English text), and puts the export into src/mothertongue/model/bases/english-base.
"""

from __future__ import annotations

import json
import shutil
import time

from mothertongue.corpus.shards import read_documents
from mothertongue.run.artifact import read_manifest
from mothertongue.run.build import build_step
from mothertongue.run.inputs import BASES
from mothertongue.run.recipe import read_recipe
from mothertongue.tokenizer.bytelevel import encode_text, open_tokenizer
from mothertongue.transfer.static import count_vectors, save_static_vectors
from results_file import RESULTS, ROOT, keep, write_results

RUN = ROOT / "runs" / "english-base"
BASE = BASES / "english-base"


def main() -> None:
    started = time.monotonic()
    for step in read_recipe(ROOT / "recipes" / "english-base.toml").steps:
        if step.name in ("evaluate", "export"):
            build_step(step, RUN / step.name, {role: RUN / name for role, name in step.inputs.items()})
    ship()
    train, report = (read_manifest(RUN / name) for name in ("train", "evaluate"))
    keys = (
        "bits_per_byte",
        "fivegram_bits_per_byte",
        "unigram_bits_per_byte",
        "xz_bits_per_byte",
        "uniform_bits_per_byte",
        "next_word_accuracy",
    )
    figures = {key: report["metrics"][key] for key in keys}
    figures |= {key: train["metrics"][key] for key in ("parameters", "tokens", "tflop", "seconds", "loss")}
    figures["weights_megabytes"] = round((BASE / "model.safetensors").stat().st_size / 1e6, 3)
    rows = [json.loads(line) for line in (RUN / "train" / "log.jsonl").read_text("utf-8").splitlines()]
    shutil.copyfile(RUN / "train" / "log.jsonl", BASE / "log.jsonl")
    kept = RESULTS / "english-base"
    for name in ("corpus", "tokenizer", "train", "evaluate"):
        keep(RUN / name / "manifest.json", kept / f"{name}.manifest.json")
    keep(RUN / "export" / "manifest.json", BASE / "manifest.json")
    keep(RUN / "evaluate" / "report.md", kept / "report.md")
    shutil.copyfile(RUN / "evaluate" / "report.png", kept / "report.png")
    print(write_results("english_base", figures, rows, seconds=time.monotonic() - started))
    print(json.dumps(figures, indent=1))


def ship() -> None:
    """Copy the export into the package, with static vectors beside the weights."""
    shutil.rmtree(BASE, ignore_errors=True)
    shutil.copytree(RUN / "export", BASE)
    tokenizer = open_tokenizer(BASE)
    streams = (encode_text(tokenizer, document.text) for document in read_documents(RUN / "corpus", "train"))
    save_static_vectors(count_vectors(streams, vocab_size=tokenizer.get_vocab_size()), BASE)
    for file in BASE.iterdir():
        file.chmod(0o644)  # safetensors writes for the owner alone


if __name__ == "__main__":
    main()
