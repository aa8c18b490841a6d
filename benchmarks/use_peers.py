"""Other engines, run by use.py in an environment of their own: `use_peers.py ARM FOLDER STARTED TOKENS`.

Each draws in its own usual way with the same filters. What a peer does not offer is left out of its row.
"""

# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from use_job import CANDIDATES, LONG, PROMPT, VOCABULARY, arguments, measure

CARD = {"top_p": 0.95, "temperature": 0.65, "no_repeat_ngram_size": 2}


class Transformers:
    """`generate` as its users call it; candidates in one plain batch with their prefix."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM

        self.torch = torch
        self.model: Any = AutoModelForCausalLM.from_pretrained(folder / "checkpoint", dtype=torch.float32)
        self.model.train(False)

    def write(self, count: int, *, rows: int, card: bool) -> int:
        ids = self.torch.tensor([PROMPT])
        options: dict[str, Any] = {"do_sample": True, "top_k": 50, **(CARD if card else {})}
        output = self.model.generate(
            ids, attention_mask=self.torch.ones_like(ids), max_new_tokens=count, num_return_sequences=rows,
            eos_token_id=None, pad_token_id=0, **options,
        )  # fmt: skip
        return int((output.shape[1] - len(PROMPT)) * rows)

    def read(self) -> None:
        with self.torch.inference_mode():
            self.model(self.torch.tensor([LONG]), logits_to_keep=1)

    def score(self) -> Sequence[float] | None:
        ids = self.torch.tensor([PROMPT + one for one in CANDIDATES])
        with self.torch.inference_mode():
            logs = self.model(ids).logits[:, len(PROMPT) - 1 : -1].log_softmax(-1)
        scores: list[float] = logs.gather(-1, ids[:, len(PROMPT) :, None])[..., 0].sum(-1).tolist()
        return scores


class CTranslate2:
    """Its Generator, converted by its own converter."""

    def __init__(self, folder: Path, kind: str) -> None:
        import ctranslate2

        target = folder / f"ctranslate2-{kind}"
        names = json.loads((folder / "checkpoint" / "vocab.json").read_text("utf-8"))
        self.names = [name for name, _ in sorted(names.items(), key=lambda item: item[1])]
        self.engine = ctranslate2.Generator(str(target), device="cpu", compute_type=kind, intra_threads=2)

    def tokens(self, ids: Sequence[int]) -> list[str]:
        return [self.names[i] for i in ids]

    def write(self, count: int, *, rows: int, card: bool) -> int:
        names = {"top_p": "sampling_topp", "temperature": "sampling_temperature"}
        options: dict[str, Any] = {names.get(name, name): value for name, value in CARD.items()} if card else {}
        found = self.engine.generate_batch(
            [self.tokens(PROMPT)], max_length=count, min_length=count, sampling_topk=50, num_hypotheses=rows,
            include_prompt_in_result=False, beam_size=1, **options,
        )  # fmt: skip
        return sum(len(one) for one in found[0].sequences_ids)

    def read(self) -> None:
        self.engine.generate_batch([self.tokens(LONG)], max_length=1, include_prompt_in_result=False)

    def score(self) -> Sequence[float] | None:
        found = self.engine.score_batch([self.tokens(PROMPT + one) for one in CANDIDATES])
        return [sum(one.log_probs[len(PROMPT) - 1 :]) for one in found]


class Onnx:
    """ONNX Runtime on the graph that torch writes, with its cache of keys and values handed in and out by a plain loop.

    It has no rules of its own but those written here, so the card's use is left out. Its graph computes the logits of
    every token it reads.
    """

    def __init__(self, folder: Path, kind: str) -> None:
        import numpy as np
        import onnxruntime

        self.np, self.random = np, np.random.default_rng(1)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        self.session = onnxruntime.InferenceSession(folder / f"onnx-{kind}.onnx", options)
        self.names = [one.name for one in self.session.get_inputs()]

    def run(self, ids: Any, past: list[Any] | None) -> tuple[Any, list[Any]]:
        np = self.np
        past = past or [np.zeros((len(ids), 12, 0, 64), np.float32)] * (len(self.names) - 1)
        logits, *new = self.session.run(None, dict(zip(self.names, [np.asarray(ids), *past], strict=True)))
        return logits, new

    def write(self, count: int, *, rows: int, card: bool) -> int:
        if card:
            return 0
        np = self.np
        logits, past = self.run([PROMPT], None)
        logits, past = logits[:, -1].repeat(rows, 0), [part.repeat(rows, 0) for part in past]
        for step in range(count):
            best = np.argpartition(logits, -50, axis=-1)[:, -50:]
            weights = np.exp(np.take_along_axis(logits, best, -1) - logits.max(-1, keepdims=True))
            sums = weights.cumsum(-1)
            places = (sums < self.random.random((rows, 1)) * sums[:, -1:]).sum(-1)
            ids = best[np.arange(rows), places][:, None]
            if step < count - 1:
                answers, past = self.run(ids, past)
                logits = answers[:, -1]
        return count * rows

    def read(self) -> None:
        self.run([LONG], None)

    def score(self) -> Sequence[float] | None:
        np = self.np
        first, past = self.run([PROMPT], None)
        ids = np.asarray(CANDIDATES)
        answers, _ = self.run(ids[:, :-1], [part.repeat(len(ids), 0) for part in past])
        logits = np.concatenate([first[:, -1:].repeat(len(ids), 0), answers], axis=1)
        top = logits.max(-1)
        totals = np.log(np.exp(logits - top[..., None]).sum(-1)) + top
        scores: list[float] = (np.take_along_axis(logits, ids[..., None], -1)[..., 0] - totals).sum(-1).tolist()
        return scores


def convert(folder: Path) -> None:
    """The checkpoint for CTranslate2 and ONNX Runtime, in both kinds, where it is not there."""
    from ctranslate2.converters import TransformersConverter
    from onnxruntime.quantization import quantize_dynamic

    for kind, quantization in (("float32", None), ("int8", "int8")):
        if not (folder / f"ctranslate2-{kind}").is_dir():
            converter = TransformersConverter(str(folder / "checkpoint"))
            converter.convert(str(folder / f"ctranslate2-{kind}"), quantization=quantization)
    exact, rounded = folder / "onnx-float32.onnx", folder / "onnx-int8.onnx"
    if not exact.is_file():
        export_onnx(folder / "checkpoint", exact)
    if not rounded.is_file():
        quantize_dynamic(exact, rounded)
    print(json.dumps({"vocabulary": VOCABULARY}))


def export_onnx(checkpoint: Path, file: Path) -> None:
    """The model as a graph that takes and gives the keys and values of every layer."""
    import torch
    from transformers import AutoModelForCausalLM, DynamicCache

    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32)
    layers = model.config.num_hidden_layers

    class Cached(torch.nn.Module):
        def forward(self, ids: Any, past: Any) -> Any:
            cache = DynamicCache([(past[2 * i], past[2 * i + 1]) for i in range(layers)])
            output = model(input_ids=ids, past_key_values=cache, use_cache=True)
            parts = [(layer.keys, layer.values) for layer in output.past_key_values.layers]
            return (output.logits, *(one for pair in parts for one in pair))

    graph = Cached()
    graph.model = model  # its weights become the graph's
    graph.train(False)
    past = [torch.zeros(2, 12, 5, 64) for _ in range(2 * layers)]
    free = torch.export.Dim.DYNAMIC
    shapes = {"ids": {0: free, 1: free}, "past": [{0: free, 2: free} for _ in past]}
    ids = torch.zeros(2, 3, dtype=torch.long)
    with torch.no_grad():
        torch.onnx.export(graph, (ids, past), file, dynamo=True, dynamic_shapes=shapes, verbose=False)


ARMS: dict[str, Any] = {
    "transformers": Transformers,
    "ctranslate2-float32": lambda folder: CTranslate2(folder, "float32"),
    "ctranslate2-int8": lambda folder: CTranslate2(folder, "int8"),
    "onnx-float32": lambda folder: Onnx(folder, "float32"),
    "onnx-int8": lambda folder: Onnx(folder, "int8"),
}

if __name__ == "__main__":
    arm, where, started, tokens = arguments()
    if arm == "convert":
        convert(Path(where))
    else:
        measure(lambda: ARMS[arm](Path(where)), started=started, tokens=tokens)
