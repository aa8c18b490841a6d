"""One file for llama.cpp and everything built on it: weights in 4, 8, 16 or 32 bits, tokenizer and sizes (GGUF).

Written with the `gguf` package and read back by llama.cpp itself (`use/llama_engine.py`), which must answer as the
checkpoint does; what the bits cost is in the metrics. `tokenizer.json` lies beside the file: our engine reads text with
it, so a model's text is cut as in training whatever llama.cpp makes of the vocabulary.
"""

# Axes: O output, I input

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from mothertongue.errors import CheckpointError, MissingExtraError
from mothertongue.export.formats import Order
from mothertongue.export.huggingface import check_range
from mothertongue.export.proof import TOLERANCES, prove_engine
from mothertongue.model.anatomy import anatomy
from mothertongue.model.card import model_card
from mothertongue.run.artifact import Metrics
from mothertongue.tokenizer.bytelevel import PAD, end_of_text_id, is_gpt2_like
from mothertongue.use.llama_engine import MODEL_FILE, open_llama

if TYPE_CHECKING:
    from gguf import GGUFWriter

ARCHITECTURES = {"gpt2": "GPT2", "llama": "LLAMA", "mistral": "LLAMA", "qwen2": "QWEN2", "qwen3": "QWEN3"}
# the type of matrices, that of embeddings and head, whose loss is felt most, and the name for all of it
TYPES = {
    "float32": ("F32", "F32", "ALL_F32"),
    "float16": ("F16", "F16", "MOSTLY_F16"),
    "q8_0": ("Q8_0", "Q8_0", "MOSTLY_Q8_0"),
    "q4_0": ("Q4_0", "Q8_0", "MOSTLY_Q4_0"),
    "q4_0_pure": ("Q4_0", "Q4_0", "MOSTLY_Q4_0"),
}
GELU_TOLERANCE = 0.01  # llama.cpp looks GPT-2's activation up in a table of 16 bits: 0.0002 on a small model
BLOCK = 32  # weights that share a scale in 4 and 8 bits
NORMAL, CONTROL, UNUSED = 1, 3, 5  # kinds of tokens in GGUF


def write_gguf(order: Order) -> Metrics:
    """Write model.gguf, tokenizer.json and README.md, open them with llama.cpp, compare, and tell how close it is."""
    model, tokenizer, out, dtype = order.checkpoint.model, order.checkpoint.tokenizer, order.out, order.config.dtype
    check_range(model, torch.float32 if dtype == "float32" else torch.float16)
    write_model(model, tokenizer, out / MODEL_FILE, dtype=dtype)
    tokenizer.save(str(out / "tokenizer.json"))
    (out / "README.md").write_text(model_card(order.manifest, report=order.report, folder="gguf"), "utf-8")
    tolerance = order.config.tolerance or (GELU_TOLERANCE if dtype == "float32" else TOLERANCES[dtype])
    proof = prove_engine(model, tokenizer, open_llama(out), tolerance=tolerance, kind=dtype)
    return {
        "parameters": model.num_parameters(),
        "context": anatomy(model).context,
        "bytes": (out / MODEL_FILE).stat().st_size,
        "tolerance": tolerance,
        "logit_difference": proof.logit_difference,
        "same_top_token": proof.same_top_token,
        "bits_per_byte_loss": proof.bits_per_byte_loss,
        "compared_positions": proof.positions,
    }


def write_model(model: PreTrainedModel, tokenizer: Tokenizer, file: Path, *, dtype: str) -> None:
    """Write the GGUF file alone."""
    gguf = _package()
    kind = model.config.model_type
    if kind not in ARCHITECTURES:
        raise CheckpointError(
            f'GGUF files are not written for the model type "{kind}" yet, only for {", ".join(ARCHITECTURES)}. '
            "Export with --format huggingface."
        )
    architecture = gguf.MODEL_ARCH[ARCHITECTURES[kind]]
    writer = gguf.GGUFWriter(file, gguf.MODEL_ARCH_NAMES[architecture])
    _add_sizes(writer, model)
    writer.add_file_type(gguf.LlamaFileType[TYPES[dtype][2]])
    _add_tokenizer(writer, tokenizer, rows=anatomy(model).embeddings.num_embeddings)
    names = gguf.get_tensor_name_map(architecture, model.config.num_hidden_layers)
    for name, weight in _weights(model):
        new = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if new is None:
            raise CheckpointError(f"{name} has no place in a GGUF file of {kind}. Export with --format huggingface.")
        number_type = gguf.GGMLQuantizationType[_type_of(new, weight, dtype)]
        writer.add_tensor(new, gguf.quantize(weight, number_type), raw_dtype=number_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _type_of(name: str, weight: NDArray[np.float32], dtype: str) -> str:
    """Vectors stay exact; position tables and rows that cannot be cut into blocks have 16 bits."""
    if weight.ndim < 2:
        return "F32"
    inner, outer, _ = TYPES[dtype]
    if name.startswith("position_embd"):
        return "F32" if inner == "F32" else "F16"
    wanted = outer if name.startswith(("token_embd", "output")) else inner
    return wanted if wanted.startswith("F") or weight.shape[-1] % BLOCK == 0 else "F16"


def _weights(model: PreTrainedModel) -> list[tuple[str, NDArray[np.float32]]]:
    """Every weight with its name in the checkpoint, laid out as in GGUF: rows of output, rotary pairs side by side."""
    transposed = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, Conv1D)}
    config, found = model.config, []
    for name, parameter in model.named_parameters():  # a tied head is named once, as the embeddings
        weight = parameter.detach().float()
        if name in transposed:
            weight = weight.t()
        if config.model_type in ("llama", "mistral") and ("q_proj." in name or "k_proj." in name):
            heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
            weight = weight.view(heads, 2, -1, *weight.shape[1:]).transpose(1, 2).reshape(weight.shape)
        found.append((name, np.ascontiguousarray(weight.cpu().numpy())))
    return found


def _add_sizes(writer: GGUFWriter, model: PreTrainedModel) -> None:
    config, context = model.config, anatomy(model).context
    writer.add_name(config.model_type)
    writer.add_context_length(context)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    writer.add_vocab_size(anatomy(model).embeddings.num_embeddings)
    if config.model_type == "gpt2":
        _check_plain_gpt2(config)
        writer.add_feed_forward_length(config.n_inner or 4 * config.hidden_size)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        return
    _check_plain_rotary(config, context)
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_rope_freq_base(_rotary(config)["rope_theta"])


def _check_plain_gpt2(config: Any) -> None:
    """CheckpointError for variants of GPT-2 that llama.cpp would compute as the plain one."""
    plain = {"scale_attn_by_inverse_layer_idx": False, "reorder_and_upcast_attn": False, "scale_attn_weights": True}
    wrong = [name for name, value in plain.items() if getattr(config, name, value) != value]
    if wrong or config.activation_function not in ("gelu_new", "gelu_pytorch_tanh"):
        what = wrong[0] if wrong else f"activation_function {config.activation_function}"
        raise CheckpointError(f"llama.cpp has no GPT-2 with {what}. Export with --format huggingface.")


def _check_plain_rotary(config: Any, context: int) -> None:
    """CheckpointError for what llama.cpp would leave out silently."""
    if config.hidden_act != "silu":
        what = f"{config.model_type} with hidden_act {config.hidden_act}"
        raise CheckpointError(f"llama.cpp has no {what}. Export with --format huggingface.")
    kind = _rotary(config).get("rope_type", "default")
    window = getattr(config, "sliding_window", None)
    if kind != "default":
        raise CheckpointError(f'GGUF files are not written for rope_type "{kind}" yet. Use --format huggingface.')
    if window and window < context and getattr(config, "use_sliding_window", True):
        raise CheckpointError(f"GGUF files are not written for a sliding_window of {window}. Use --format huggingface.")


def _rotary(config: Any) -> dict[str, Any]:
    return dict(config.rope_parameters)


def _add_tokenizer(writer: GGUFWriter, tokenizer: Tokenizer, *, rows: int) -> None:
    """The vocabulary, if llama.cpp would cut text as it does; else its size alone, and programs can give ids only."""
    merges = json.loads(tokenizer.to_str())["model"].get("merges")
    if not merges or not is_gpt2_like(tokenizer):
        writer.add_tokenizer_model("none")
        return
    special = {i for i, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    names = {i: token for token, i in tokenizer.get_vocab(with_added_tokens=True).items()}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([names.get(i, f"[unused{i}]") for i in range(rows)])
    writer.add_token_types([UNUSED if i not in names else CONTROL if i in special else NORMAL for i in range(rows)])
    writer.add_token_merges([one if isinstance(one, str) else " ".join(one) for one in merges])
    end, pad = end_of_text_id(tokenizer), tokenizer.token_to_id(PAD)
    writer.add_bos_token_id(end)
    writer.add_eos_token_id(end)
    writer.add_pad_token_id(end if pad is None else pad)
    writer.add_add_bos_token(True)  # a prompt is the beginning of a document


def _package() -> Any:
    try:
        import gguf
    except ImportError as error:
        raise MissingExtraError(f'format = "gguf" needs: pip install "mothertongue[gguf]" ({error}).') from error
    return gguf
