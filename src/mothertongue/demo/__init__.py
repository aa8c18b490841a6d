"""`mothertongue demo cs`: the whole road in minutes, on a miniature encyclopaedia that ships with mothertongue.

An ordinary recipe (recipe.toml beside this file) run by the ordinary spine; this file only fills in the language and
tells the end.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from mothertongue.errors import ConfigError
from mothertongue.languages import open_language
from mothertongue.run.artifact import Manifest
from mothertongue.run.build import run_recipe
from mothertongue.run.progress import say
from mothertongue.run.recipe import Recipe, parse_recipe
from mothertongue.run.settings import suggest

ENCYCLOPAEDIA = Path(str(files("mothertongue.languages"))) / "encyclopaedia"
ARMS = {"transfer": "evaluate", "from scratch": "evaluate-scratch", "transfer, half the layers": "evaluate-compress"}


@dataclass(frozen=True)
class DemoResult:
    """Figures for machines, and the same as text for people."""

    figures: dict[str, Any]
    text: str


def demo_languages() -> tuple[str, ...]:
    """Languages that have an encyclopaedia."""
    return tuple(sorted(file.stem for file in ENCYCLOPAEDIA.glob("*.xml")))


def demo_recipe(language: str, *, seed: int = 0) -> Recipe:
    """The demo's recipe for one language; ConfigError if it has no encyclopaedia."""
    if language not in demo_languages():
        raise ConfigError(
            f'The demo has no texts in "{language}". {suggest(language, demo_languages())} '
            f"For your own texts: mothertongue plan {language} --hours 1"
        )
    source = ENCYCLOPAEDIA / f"{language}.xml"
    changes = {"corpus.language": f'"{language}"', "corpus.sources": f'[{{ path = "{source}", licence = "CC0 1.0" }}]'}
    if seed:
        changes |= {f"{step}.seed": str(seed) for step in ("train", "model", "scratch", "compress")}
    text = (Path(__file__).parent / "recipe.toml").read_text("utf-8")
    return parse_recipe(text, where="demo", changes=changes)


def run_demo(language: str, out: Path, *, seed: int = 0) -> DemoResult:
    """Run the demo in folder `out` (finished steps are kept) and tell its result."""
    recipe = demo_recipe(language, seed=seed)
    say(
        f"{len(recipe.steps)} steps in {out}: text, vocabulary, transfer, training, "
        "the same from scratch as a control, compression, measures, export."
    )
    say("A few minutes on two cores. Stop it whenever you like: the same command continues.")
    started = time.monotonic()
    manifests = run_recipe(recipe, out)
    return tell_demo(language, out, manifests, seconds=time.monotonic() - started)


def tell_demo(language: str, out: Path, manifests: dict[str, Manifest], *, seconds: float) -> DemoResult:
    """The end of the demo: table, sizes, completions, picture, next command."""
    from mothertongue.evaluate.report import compare_reports
    from mothertongue.use.load import load

    table = compare_reports({label: out / step for label, step in ARMS.items()}, out / "comparison.png")
    compress = manifests["compress"]["metrics"]
    before, after = (_weights_megabytes(out / step) for step in ("train", "export"))
    prompts = sorted(open_language(language).prompts, key=len)[:3]
    writer = load(out / "export")
    endings = {
        prompt: writer.generate(prompt, max_new_tokens=24, temperature=0.65, top_p=0.95, seed=0, stop="\n")[0]
        for prompt in prompts
    }
    tflop = manifests["train"]["metrics"]["tflop"]
    lines = [
        f"Held-out text, {tflop:.1f} TFLOP of training for transfer and from scratch alike:",
        "",
        table,
        *_ahead(manifests["evaluate"]["metrics"]),
        f"Size: {compress['predecessor_layers']} layers, {compress['predecessor_parameters'] / 1e6:.1f} M parameters, "
        f"{before:.1f} MB"
        f" -> {compress['layers']} layers, {compress['parameters'] / 1e6:.1f} M, {after:.1f} MB in half precision",
        "",
        *(f"  {prompt}»{ending}" for prompt, ending in endings.items()),
        "",
        f"Picture: {out / 'comparison.png'}",
        f'Next: mothertongue generate {out / "export"} "{prompts[-1]}"',
    ]
    figures = {
        label.replace(",", "").replace(" ", "_"): manifests[step]["metrics"]["bits_per_byte"]
        for label, step in ARMS.items()
    }
    return DemoResult(
        {**figures, "megabytes_before": before, "megabytes_after": after, "seconds": round(seconds, 1)},
        "\n".join(lines),
    )


def _ahead(metrics: dict[str, Any]) -> list[str]:
    """A word on the 5-gram where it wins, as it does on the smallest texts."""
    if metrics["fivegram_bits_per_byte"] > metrics["bits_per_byte"]:
        return []
    return [
        "A 5-gram, which only counts, is still ahead on a text this small: the models read it three times in a minute.",
        "More text and more hours are the cure: mothertongue plan LANGUAGE --hours 8",
        "",
    ]


def _weights_megabytes(folder: Path) -> float:
    return round(sum(file.stat().st_size for file in folder.glob("model*.safetensors")) / 1e6, 2)
