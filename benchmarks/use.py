"""How fast a model writes and scores: ours beside transformers, CTranslate2, ONNX Runtime and llama.cpp bare.

    python benchmarks/use.py                    three rounds, about ten minutes on two quiet cores
    python benchmarks/use.py --only ours --only transformers --rounds 1 --look     a look; nothing is written

GPT-2 small with random weights. Every arm is a process of its own, all arms in turn, round after round; a finished
round is never run again. Ratios are taken within a round; figures are the medians of the rounds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from peers_home import CACHE, environment
from results_file import SOURCE, write_results
from train_rounds import Bench, Result, Round
from use_job import VOCABULARY
from use_ours import ENGINES

HERE = Path(__file__).parent
# compiled formats are converted by the peers' own tools; onnxscript is what torch writes ONNX with
PEERS = ("torch==2.13.0", "transformers==5.23.0", "numpy==2.4.6", "tokenizers==0.23.3", "safetensors==0.8.0",
         "ctranslate2==4.8.5", "onnxruntime==1.30.0", "onnx==1.23.2", "onnxscript==0.7.2")  # fmt: skip
PEER_ARMS = ("transformers", "ctranslate2-float32", "ctranslate2-int8", "onnx-float32", "onnx-int8")
SAME_BITS = ("bare-llama.cpp", "ctranslate2-int8", "onnx-int8")  # peers that read 8 bits a weight, as ours does
TOKENS = 100
GPT2_POSITIONS_BYTES = 1024 * 768 * 4  # a table of which a token reads one row


class UseBench(Bench):
    """The rounds of train_rounds.py, for the arms here."""

    def __init__(self, folder: Path, *, rounds: int) -> None:
        super().__init__(folder, rounds=rounds, threads=2)
        files = [*HERE.glob("use*.py"), *(SOURCE / "mothertongue" / "use").glob("*.py")]
        self.source = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()[:16]
        self.models = folder / "models"

    def arm(self, name: str) -> Callable[[], Result]:
        """The job of an arm."""
        if name in PEER_ARMS:
            return lambda: self._start("use_peers.py", name, python=self.peers)
        return lambda: self._start("use_ours.py", name)

    def _start(self, script: str, arm: str, **options: Any) -> Result:
        return self.run(script, arm, str(self.models), str(time.time()), str(TOKENS), **options)

    @property
    def peers(self) -> Path:
        self._peers = self._peers or environment("use-peers", "MOTHERTONGUE_USE_PEERS", PEERS)
        return self._peers


def make_models(folder: Path) -> None:
    """The checkpoint and its GGUF files, if they are not there: GPT-2 small, random weights, seed 0."""
    if (folder / "complete").is_file():
        return
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    from mothertongue.export.gguf import TYPES, write_model
    from mothertongue.model.checkpoint import save_checkpoint
    from mothertongue.tokenizer.bytelevel import train_bytelevel

    torch.manual_seed(0)
    tokenizer = train_bytelevel(["The morning train."], vocab_size=270)
    tokenizer.add_tokens([f"[{i}]" for i in range(tokenizer.get_vocab_size(), VOCABULARY)])
    model = GPT2LMHeadModel(GPT2Config(bos_token_id=0, eos_token_id=0))
    (folder / "checkpoint").mkdir(parents=True, exist_ok=True)
    save_checkpoint(model, tokenizer, folder / "checkpoint")
    names = {i: name for name, i in tokenizer.get_vocab().items()}
    vocabulary = json.dumps({names[i]: i for i in range(VOCABULARY)})
    (folder / "checkpoint" / "vocab.json").write_text(vocabulary, "utf-8")  # as peers read it: with the added tokens
    for dtype in TYPES:
        (folder / dtype).mkdir(exist_ok=True)
        write_model(model, tokenizer, folder / dtype / "model.gguf", dtype=dtype)
        tokenizer.save(str(folder / dtype / "tokenizer.json"))
    (folder / "complete").touch()


def figures(rounds: Sequence[Round], bytes_of_ours: float) -> dict[str, float]:
    """What the issue asks for by name. More is better, but for start, memory and seconds."""

    def ours_over(other: str, measure: str, *, ours: str = "ours") -> float:
        return median(one[ours][measure] / one[other][measure] for one in rounds)

    batch = max(("ours", "ours-int8"), key=lambda arm: median(one[arm]["decode_8"] for one in rounds))
    best_peer = max(SAME_BITS, key=lambda arm: median(one[arm]["decode_1"] for one in rounds))
    read = [one["ours"]["decode_1"] * bytes_of_ours / one["bandwidth"]["gigabytes_per_second"] / 1e9 for one in rounds]
    found = {
        "decode_vs_transformers": ours_over("transformers", "decode_1"),
        "decode_vs_best_peer": ours_over(best_peer, "decode_1"),
        "decode_vs_bare": ours_over("bare-llama.cpp", "decode_1"),
        "card_use_vs_transformers": 1 / ours_over("transformers", "card_seconds"),
        "start_vs_transformers": ours_over("transformers", "start_seconds"),
        "memory_vs_transformers": ours_over("transformers", "peak_mb"),
        "share_of_bandwidth": median(read),
        "batch8_vs_transformers": ours_over("transformers", "decode_8", ours=batch),
        "score64_vs_transformers": 1 / ours_over("transformers", "score64_ms", ours="ours-int8"),
        "start_seconds": median(one["ours"]["start_seconds"] for one in rounds),
        "first_token_ms": median(one["ours"]["first_token_ms"] for one in rounds),
    }
    return {name: round(value, 3) for name, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", choices=[*ENGINES, *PEER_ARMS, "bandwidth"])
    parser.add_argument("--look", action="store_true", help="print, and write no results")
    options = parser.parse_args()
    started = time.monotonic()
    bench = UseBench(CACHE / "use", rounds=options.rounds)
    make_models(bench.models)
    arms = options.only or [*ENGINES, *PEER_ARMS, "bandwidth"]
    if any(arm.startswith(("ctranslate2", "onnx")) for arm in arms):
        bench.run("use_peers.py", "convert", str(bench.models), "0", "0", python=bench.peers)
    rounds = bench.turns("speed", {"tokens": TOKENS}, {arm: bench.arm(arm) for arm in arms})
    if options.look or options.only:
        print(json.dumps({arm: rounds[-1][arm] for arm in arms}, indent=1))
        return
    weights = (bench.models / "q8_0" / "model.gguf").stat().st_size - GPT2_POSITIONS_BYTES
    seconds = time.monotonic() - started + bench.earlier_seconds
    notes = [
        "speed: GPT-2 small, random weights, two threads, top-k 50; ours is llama.cpp with Q8_0 and our sampler; "
        "batches of 8 go to the faster of ours and ours-int8, scores to ours-int8; bandwidth is what two threads read."
    ]
    write_results("use", figures(rounds, weights), bench.rows, seconds=seconds, notes=notes, beside=True)


if __name__ == "__main__":
    main()
