"""Numbers and settings in words: what is worth a line of a story, by stage."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from typing import Any

from mothertongue.run.settings import Settings, settings_dict
from mothertongue.run.stages import STAGES

MAX_CHARACTERS = 80
_TRAINED = ("{steps:,} steps", "{tokens:#tokens}", "{tflop:#Tflop}", "{loss:.3f} nats per token")

# phrases over a step's settings and metrics; one whose values are absent is left out; ":#B" writes 12.3 MB
PHRASES: dict[str, tuple[str, ...]] = {
    "corpus": (
        "{documents:,} documents",
        "{bytes:#B}",
        "{dropped_documents:,} dropped",
        "{heldout_share:.1%} held out",
    ),
    "tokenizer": ("{vocab_size:,} tokens", "{fertility:.2f} tokens per word", "{bytes_per_token:.2f} bytes per token"),
    "model": ("{parameters:#parameters}", "{vocab_size:,} tokens"),
    "transfer": (
        "method {method}",
        "{shared_tokens:,} of {target_vocab_size:,} tokens shared",
        "starts at {starting_bits_per_byte:.3f} bits per byte",
    ),
    "train": _TRAINED,
    "compress": ("{predecessor_layers} layers to {layers}", "{parameters:#parameters}", *_TRAINED),
    "evaluate": (
        "{bits_per_byte:.3f} bits per byte",
        "5-gram {fivegram_bits_per_byte:.3f}",
        "xz {xz_bits_per_byte:.3f}",
        "next word right {next_word_accuracy:.1%}",
    ),
    "compare": ("{trainings} trainings", "{parameters:#parameters}", "best: {best}"),
    "export": ("{format}, {dtype}", "{bytes:#B}", "logits differ by at most {logit_difference:.2g}"),
}


def key_figures(manifest: Mapping[str, Any]) -> list[str]:
    """The figures of a finished step that people ask for first; of a stage that is not in the table, its first six."""
    metrics = manifest["metrics"]
    if manifest["stage"] not in PHRASES:
        plain = [(key, value) for key, value in metrics.items() if isinstance(value, (int, float, str))]
        return [f"{key} {magnitude(v) if isinstance(v, (int, float)) else v}" for key, v in plain[:6]]
    words = {key: _Word(value) for key, value in (manifest["config"] | metrics).items()}
    return list(_filled(PHRASES[manifest["stage"]], words))


def changed_settings(stage: str, config: Mapping[str, Any]) -> Iterator[str]:
    """`key = value` of every setting that is not the stage's default; sources have a line of their own."""
    defaults = _defaults(STAGES[stage].config) if stage in STAGES else {}
    for key, value in config.items():
        if key != "sources" and (key not in defaults or defaults[key] != value):
            yield f"{key} = {shorten(value)}"


def shorten(value: Any, most: int = MAX_CHARACTERS) -> str:
    """A value as JSON, cut in the middle of a line's length."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def magnitude(value: float) -> str:
    """Four digits and a unit prefix.

    >>> [magnitude(number) for number in (7, 15_600, 49_866_901, 0.00213)]
    ['7', '15.6 k', '49.87 M', '0.00213']
    """
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if prefix == 'k' else size):.4g} {prefix}"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def quantity(value: float, unit: str) -> str:
    """A magnitude with its unit: `12 B`, `49.87 MB`, `5.58 M parameters`."""
    text = magnitude(value)
    return f"{text} {unit}" if text[-1].isdigit() or len(unit) > 1 else text + unit


class _Word:
    """A value that a phrase can format with ":#"; what follows the sign is the unit."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __format__(self, how: str) -> str:
        if self.value is None:
            raise ValueError("nothing to say")
        if how.startswith("#"):
            return quantity(self.value, how[1:]) if isinstance(self.value, (int, float)) else str(self.value)
        return format(self.value, how)


def _filled(phrases: tuple[str, ...], words: Mapping[str, _Word]) -> Iterator[str]:
    for phrase in phrases:
        try:
            yield phrase.format_map(words)
        except (KeyError, ValueError, TypeError):
            continue  # this step has no such figure


def _defaults(kind: type[Settings]) -> dict[str, Any]:
    if any(item.default is MISSING for item in fields(kind)):
        return {}
    return settings_dict(kind())
