"""Write the README's tables from the checked-in results, so that no figure is typed by hand.

python benchmarks/readme_tables.py            rewrites what stands between the markers
python benchmarks/readme_tables.py --check    only says whether it is up to date
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from results_file import ROOT, read_figures

BEGIN, END = "<!-- tables: python benchmarks/readme_tables.py -->", "<!-- end of tables -->"
ARMS = {
    "scratch": "from scratch",
    "mean": "transfer, `mean` rows",
    "align": "transfer, `align` rows",
    "theseus": "`align`, then half the layers by Theseus",
    "truncation": "`align`, then half the layers by truncation",
}
LANGUAGES = {"cs": "Czech", "bg": "Bulgarian"}
ROAD_LINES = {"fivegram": "5-gram", "xz": "xz"}
CURVE = {  # figure -> its label and format
    **{
        f"saving_at_{budget}": (f"compute saved at {budget} tokens per parameter", ".1f")
        for budget in (0.2, 0.5, 1, 5, 20)
    },
    "guillou_compute_share": ("compute for the bits of Guillou's recipe / its own, rates as `plan` writes them", ".2f"),
    "gain_over_guillou": ("fewer bits than it at equal compute, likewise", ".1%"),
    "guillou_compute_share_with_probes": ("compute for its bits / its own, with a search for our rates", ".2f"),
    "gain_over_guillou_with_probes": ("fewer bits than it at equal compute, likewise", ".1%"),
    "align_minus_focus": ("bits, `align` - `focus`, where it is worst", "+.3f"),
    "align_minus_wechsel": ("bits, `align` - `wechsel`, likewise", "+.3f"),
    **{
        f"steps_vs_wechsel_at_{budget}": (
            f"steps for `wechsel`'s bits at {budget}, with its dictionary / its own",
            ".2f",
        )
        for budget in (0.2, 1)
    },
}


COMPRESS = {
    "ratio_2x": ("half the layers, a tenth of the tokens", ".3f"),
    "ratio_3x": ("a third of the layers, likewise", ".3f"),
    "ratio_4x": ("a quarter of the layers, likewise", ".3f"),
    "equal_compute_ratio_2x": ("half the layers, as much compute as truncation", ".3f"),
    "distill_ratio_2x": ("distillation without bridge and hidden states, likewise", ".3f"),
    "theseus_ratio_2x": ("Theseus without them, likewise", ".3f"),
    "truncation_ratio_2x": ("truncation and training", ".3f"),
    "paper_ratio_2x": ("the paper's Theseus, likewise", ".3f"),
    "scratch_ratio_2x": ("from scratch, likewise", ".3f"),
    "disk_ratio": (
        "a third of the layers in 4 bits (Czech: and two thirds of the vocabulary; Bulgarian: of a wider model)",
        ".3f",
    ),
    "disk_factor": ("times smaller on disk, of that one", ".1f"),
    "speed_factor": ("times the tokens per second in llama.cpp, of that one", ".1f"),
}


def tables() -> str:
    """All tables as Markdown."""
    parts = []
    if road := read_figures("road"):
        names = {**ARMS, **ROAD_LINES}
        parts += [
            "Real text, one seed, equal compute in each comparison, AdamW in all (`benchmarks/road.py`;\n"
            "`recipes/czech-small.toml` and `bulgarian-small.toml`):\n",
            rows(road, names),
            f"In {road['cs_training_tflop']:.0f} and {road['bg_training_tflop']:.0f} TFLOP a model reads"
            f" {road['cs_passes']:.0%} of the Czech text and {road['bg_passes']:.0%} of the Bulgarian once;\n"
            "the 5-gram counts all of it.\n",
        ]
    if seeds := read_figures("demo_seeds"):
        parts += [
            "The demo's miniature encyclopaedia, mean of three seeds and their spread, equal compute in each\n"
            "comparison, AdamW in all (`benchmarks/demo_seeds.py`):\n",
            rows(seeds, {**ARMS, "fivegram": "5-gram"}),
        ]
    if transfer := read_figures("transfer"):
        parts += [
            "What a transfer saves against training from scratch ([how it is counted](docs/why/curve.md)): models of"
            " 1.1 M parameters,\neach length annealed by itself, scratch with Muon and rates of its own, held-out text"
            " (`benchmarks/transfer.py`),\nthree seeds (20, and Guillou's recipe: one)."
            " In brackets: for someone who knows good rates and need not search:\n",
            figure_rows(transfer, CURVE, {**LANGUAGES, "xx": "Greek"}),
            "![Held-out bits per byte against compute in three languages](benchmarks/results/transfer.png)\n",
        ]
    if compress := read_figures("compress"):
        parts += [
            "Compressed models: held-out perplexity as a multiple of the predecessor's, which has 12 layers and 3.5 M"
            " parameters\nand has read 0.9 tokens for each"
            " ([all arms](docs/why/theseus.md#what-came-out);\n`benchmarks/compress.py`, means of three seeds"
            " or of one):\n",
            figure_rows(compress, COMPRESS, LANGUAGES),
            "![Held-out bits per byte against size and against speed](benchmarks/results/compress.png)\n",
        ]
    if "cs_saved_top1" in (use := read_figures("use")):
        parts.append(
            "Completion by models of 6 layers in 8 bits, keys saved on held-out text with one offer and with three"
            f" (`benchmarks/completion.py`): {use['cs_saved_top1']:.0%} and {use['cs_saved_top3']:.0%} with a Czech\n"
            "one that was trained for three hours (`completion_model.py`),"
            f" {use['bg_saved_top1']:.0%} and {use['bg_saved_top3']:.0%} with the Bulgarian one above;"
            f" {use['keystroke_p50_ms']:.0f} ms a key, at 95 % {use['keystroke_p95_ms']:.0f}.\n"
        )
    if "decode_vs_transformers" in use:
        parts.append(
            f"Writing by llama.cpp, GPT-2 small in 8 bits: {use['decode_vs_transformers']:.1f} times the tokens per"
            f" second of transformers' `generate`,\nin {use['memory_vs_transformers']:.0%} of its memory"
            " ([other engines](docs/how-to/use-the-model.md)).\n"
        )
    if base := read_figures("english_base"):
        parts.append(
            f"The English base ({base['parameters'] / 1e6:.1f} M parameters, {base['weights_megabytes']:.0f} MB,"
            f" {base['tokens'] / 1e6:.1f} M tokens read): **{base['bits_per_byte']:.3f}**,\n"
            f"beside {base['fivegram_bits_per_byte']:.3f} of a 5-gram and {base['xz_bits_per_byte']:.3f} of xz"
            " on the same held-out English text (`benchmarks/english_base.py`).\n"
        )
    if (train := read_figures("train")) and "tiny_vs_trainer" in train:
        parts.append(
            f"Training on two cores: {train['tiny_vs_trainer']:.1f} times the tokens per second of transformers'"
            f" Trainer, {train['tiny_vs_fastai']:.1f} of fastai's, in {train['memory_vs_trainer']:.0%}\n"
            "of Trainer's memory (6 layers, 384 wide, equal settings;"
            " [other sizes and trainers](docs/why/training.md#beside-other-trainers)).\n"
        )
    if "gain_cs_muon" in train:
        parts.append(
            "The same model from scratch, ten minutes of one core, beside fastai's one-cycle in as many minutes: Muon"
            f" needs {train['gain_cs_muon']:.0%} (Czech)\nand {train['gain_en_muon']:.0%} (English) fewer bits per byte"
            " of held-out text ([other optimizers](docs/why/training.md#optimizers)).\n"
        )
    return "\n".join(parts)


def figure_rows(
    figures: Mapping[str, float], shown: Mapping[str, tuple[str, str]], languages: Mapping[str, str]
) -> str:
    """One row per figure, one column per language; in brackets without the probes."""
    lines = ["| | " + " | ".join(languages.values()) + " |", "|---|" + "---:|" * len(languages)]
    for name, (label, form) in shown.items():

        def cell(language: str, end: str = "", name: str = name, form: str = form) -> str:
            value = figures.get(f"{language}_{name}{end}")
            bounds = {"least": "≥ ", "most": "≤ "}
            bound = "".join(sign for word, sign in bounds.items() if figures.get(f"{language}_{name}_is_{word}{end}"))
            return "" if value is None else f"{bound}{value:{form}}"

        both = [(cell(language), cell(language, "_without_probes")) for language in languages]
        cells = [f"{one} ({known})".strip() if known else one for one, known in both]
        lines += [f"| {label} | " + " | ".join(cells) + " |"] if any(cells) else []
    return "\n".join(lines) + "\n"


def rows(figures: Mapping[str, float], names: Mapping[str, str]) -> str:
    """One row per arm, one column per language; the spread over seeds where there is one."""
    lines = ["| | " + " | ".join(LANGUAGES.values()) + " |", "|---|" + "---:|" * len(LANGUAGES)]
    for arm, label in names.items():
        cells = []
        for language in LANGUAGES:
            value, spread = figures.get(f"{language}_{arm}_bits_per_byte"), figures.get(f"{language}_{arm}_spread")
            cells.append("" if value is None else f"{value:.3f}" + (f" (spread {spread:.3f})" if spread else ""))
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    file = ROOT / "README.md"
    old = file.read_text("utf-8")
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    new = f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"
    if "--check" in sys.argv:
        sys.exit(0 if new == old else "README.md is not up to date: run python benchmarks/readme_tables.py")
    file.write_text(new, "utf-8")


if __name__ == "__main__":
    main()
