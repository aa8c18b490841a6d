"""An export is proven, not believed: opened as its readers will, it must give the checkpoint's tokens and logits."""

# Axes: T tokens, V vocabulary

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from mothertongue.errors import CheckpointError
from mothertongue.model.anatomy import anatomy
from mothertongue.tokenizer.bytelevel import encode_text, end_of_text_id, start_of_text_id
from mothertongue.tokenizer.marks import token_bytes
from mothertongue.use.engine import Engine

# a small trained GPT-2 moved its logits by 0.009 in float16 and 0.06 in bfloat16; another layer order moves them by 10
TOLERANCES = {"float32": 1e-4, "float16": 0.1, "bfloat16": 1.0, "q8_0": 1.0, "q4_0": 10.0, "q4_0_pure": 10.0}
LONGEST = 4096  # tokens of the longest text: in a context of 100,000 one text would take gigabytes and an hour
COMPARED = 256  # positions at the end of a text whose logits are compared: each has as many as the vocabulary
SAMPLES = (
    "Ráno bylo pod nulou, a tak si vzala kabát.\n\nPříště pojedeme vlakem v 8:45!",
    "Здравей, светът е голям – и спасение дебне отвсякъде.",
    'The ship\'s log, kept since 1871, ends here: "no wind".',
    "Η βροχή σταμάτησε.  Δύο κενά,\tένας στηλοθέτης.",
    "雨が止んだ。 مطر خفيف 비가 그쳤다 बारिश रुक गई",
    "🦄👩‍🔬 ½ ≤ ∞ £5 —  café naïve",
    " leading and trailing space ",
)


@dataclass(frozen=True, slots=True)
class Proof:
    """How far the written model is from the checkpoint, over all sample texts."""

    logit_difference: float  # largest, absolute
    same_top_token: float  # share of positions, 0-1
    positions: int
    bits_per_byte_loss: float = 0.0  # of the sample texts; negative: the written model is better


def prove_tokens(tokenizer: Tokenizer, folder: Path) -> None:
    """CheckpointError unless AutoTokenizer opens `folder` and gives the same ids and text as `tokenizer` on SAMPLES."""
    # with its own model_max_length it would complain of samples longer than a short context
    written = AutoTokenizer.from_pretrained(
        folder, trust_remote_code=False, local_files_only=True, model_max_length=1 << 30
    )
    for text in SAMPLES:
        ours, theirs = encode_text(tokenizer, text), written.encode(text, add_special_tokens=False)
        if ours != theirs:
            raise CheckpointError(
                f"The exported tokenizer reads {text[:20]!r} as {theirs[:8]}, the checkpoint's as {ours[:8]}: "
                "transformers does not keep its rules. Export a model with a tokenizer of `mothertongue tokenizer`."
            )
    end = end_of_text_id(tokenizer)
    if written.eos_token_id != end:
        raise CheckpointError(
            f"The exported tokenizer ends a text with id {written.eos_token_id}, the checkpoint's with {end}. "
            "Correct the special tokens of the checkpoint's tokenizer.json."
        )


def prove_logits(model: PreTrainedModel, tokenizer: Tokenizer, folder: Path, *, tolerance: float, kind: str) -> Proof:
    """How AutoModelForCausalLM, without remote code, answers from `folder` compared with `model`.

    The last text fills the context (to LONGEST). CheckpointError if a logit differs by more than `tolerance`.
    """
    written: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, trust_remote_code=False, local_files_only=True
    )
    written.train(False)  # eval() is untyped
    proof = compare_models(model, written, sample_ids(tokenizer, anatomy(model).context))
    _check_difference(proof.logit_difference, tolerance, kind)
    return proof


def prove_engine(model: PreTrainedModel, tokenizer: Tokenizer, engine: Engine, *, tolerance: float, kind: str) -> Proof:
    """How `engine` answers from the file that was written, compared with `model`: log-probabilities after every token.

    The last text fills the context (to LONGEST), and its last answer counts. CheckpointError as in `prove_logits`.
    """
    differences, same, positions, loss = [0.0], 0, 0, 0.0
    *texts, long = sample_ids(tokenizer, anatomy(model).context)
    for ids in texts:
        ours_TV = _logits(model, ids).log_softmax(-1).cpu().numpy()
        session = engine.session()
        theirs_TV = np.stack([session.extend([token]) for token in ids])
        session.close()
        differences.append(float(abs(ours_TV - theirs_TV).max()))
        same += int((ours_TV.argmax(-1) == theirs_TV.argmax(-1)).sum())
        positions += len(ids)
        told = np.arange(len(ids) - 1), ids[1:]
        loss += float((ours_TV[told] - theirs_TV[told]).sum())
    differences.append(
        float(abs(_logits(model, long)[-1].log_softmax(-1).cpu().numpy() - engine.next_tokens(long)).max())
    )
    _check_difference(difference := float(np.max(differences)), tolerance, kind)
    bytes_of = token_bytes(tokenizer)
    size = sum(len(bytes_of.get(token, b"")) for ids in texts for token in ids[1:])
    return Proof(difference, same / positions, positions, loss / math.log(2) / max(1, size))


def _check_difference(difference: float, tolerance: float, kind: str) -> None:
    if not difference <= tolerance:  # also if it is not a number
        cure = "Export with --dtype float32, or state" if kind != "float32" else "State"
        raise CheckpointError(
            f"The exported model's logits differ from the checkpoint's by up to {difference:.3g}, "
            f"more than {tolerance:g} for {kind}. {cure} a larger --tolerance if you accept that."
        )


def compare_models(model: PreTrainedModel, written: PreTrainedModel, texts: Sequence[Sequence[int]]) -> Proof:
    """The largest difference and the agreement of two models over `texts` of token ids."""
    difference, same, positions = torch.tensor(0.0), 0, 0
    for ids in texts:
        ours_TV, theirs_TV = _logits(model, ids), _logits(written, ids)
        difference = torch.maximum(difference, (ours_TV - theirs_TV).abs().max())  # keeps NaN, as max() would not
        same += int((ours_TV.argmax(dim=-1) == theirs_TV.argmax(dim=-1)).sum())
        positions += len(ours_TV)
    return Proof(float(difference), same / positions, positions)


def sample_ids(tokenizer: Tokenizer, context: int) -> list[list[int]]:
    """SAMPLES as documents of at most `context` tokens, and one text of exactly `context` (at most LONGEST)."""
    start = start_of_text_id(tokenizer)
    texts = [[start, *encode_text(tokenizer, text)][:context] for text in SAMPLES]
    long = [token for ids in texts for token in ids]
    length = min(context, LONGEST)
    return [*texts, (long * (length // len(long) + 1))[:length]]


def _logits(model: PreTrainedModel, ids: Sequence[int]) -> Tensor:
    """Logits [T, V] of the last COMPARED positions, or of all if there are fewer."""
    with torch.inference_mode():
        answer = model(input_ids=torch.tensor([ids]), use_cache=False, logits_to_keep=COMPARED)
        return answer.logits[0].float()  # type: ignore[no-any-return]
