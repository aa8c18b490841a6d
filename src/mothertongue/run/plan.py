"""`mothertongue plan cs --hours 8`: one dial, and a recipe in which every number that follows from it can be changed.

Hours and this machine's speed give an amount of arithmetic; the size of the text gives the vocabulary and the most
passes that make sense; the base model's shape gives what a token costs. Nothing is derived again when the recipe runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mothertongue.errors import ConfigError
from mothertongue.run.derive import (
    MAX_EPOCHS,
    Plan,
    Prediction,
    Shape,
    derive,
    heldout_share,
    learning_rate,
    read_shape,
    text_megabytes,
)
from mothertongue.run.files import files_of
from mothertongue.run.inputs import locate
from mothertongue.run.machine import PROBE_SECONDS, Machine, measure_machine
from mothertongue.run.predict import predict
from mothertongue.run.recipe import parse_recipe
from mothertongue.run.remote import Remote, ask
from mothertongue.run.table import resolve

Line = tuple[str, Any, str]  # key, value, why
PLACEHOLDER = "texts/*.txt"
ASSUMED_MEGABYTES = 20.0  # of text, when no source is named yet
FEW_TOKENS = 1e6
BRIDGE_TOKENS = 8e4  # of a compression, so that the 4,096 of its bridge are a small part
BRIDGES = 3  # to try two kinds of groups and take one
BUSY = 0.85  # of a core: less of it left by other programs is worth a warning


def write_plan(
    language: str, *, hours: float, sources: Sequence[str], base: str, seconds: float = PROBE_SECONDS
) -> str:
    """A complete recipe as TOML, with the reason beside each number; measures this machine for about `seconds`.

    `hours` is 0.01-1000. Without `sources` it names a placeholder to be edited. ConfigError if a training of the base
    does not fit into this machine's memory.
    """
    if not 0.01 <= hours <= 1000:
        raise ConfigError(f"--hours {hours} is outside 0.01..1000. Say how long this machine may work.")
    if not 0 <= seconds <= 600:
        raise ConfigError(f"--seconds {seconds} is outside 0..600. About 20 measure this machine well.")
    if not language.replace("-", "").isalnum():
        raise ConfigError(
            f"{language!r} is no language code. Give one like cs or bg, or any for no checks of language."
        )
    shape = read_shape(base)
    remotes = {source: remote for source in sources if (remote := ask(source))}
    sizes = [remote.text_bytes for remote in remotes.values()]
    megabytes = sum(ASSUMED_MEGABYTES if size is None else size / 1e6 for size in sizes)
    megabytes += sum(text_megabytes(file) for source in sources if source not in remotes for file in files_of(source))
    machine = measure_machine(seconds)

    def predicted(learner: Shape, batch_size: int, teacher: Shape | None) -> Prediction:
        return predict(learner, batch_size, shape.context, machine, teacher=teacher)

    derived = derive(hours, megabytes if sources else ASSUMED_MEGABYTES, shape, machine, predicted)
    known = ""
    if sources and not remotes and not base.startswith("hub:"):
        known = resolve("mothertongue.transfer.knows:suggest_for_plan")(locate(base), sources)
    text = _write(language, hours, sources, remotes, base, shape, machine, derived, known)
    parse_recipe(text, where="the plan")  # it must be what `mothertongue run` takes
    return text


def _write(
    language: str,
    hours: float,
    sources: Sequence[str],
    remotes: Mapping[str, Remote],
    base: str,
    shape: Shape,
    machine: Machine,
    plan: Plan,
    known: str,
) -> str:
    import tomlkit

    document = tomlkit.document()
    unknown = [source for source, remote in remotes.items() if remote.text_bytes is None]
    for line in _head(hours, sources, unknown, machine, shape, plan):
        document.add(tomlkit.comment(line))
    if known:
        document.add(tomlkit.comment(known))
    for remote in remotes.values():
        document.add(tomlkit.comment(f"To be fetched: {remote.words}"))
    licences = {source: remote.licence for source, remote in remotes.items()}
    document.add("title", tomlkit.item(f"{language} in {hours:g} hours"))
    for name, lines in _steps(language, sources, licences, base, shape, plan):
        table = tomlkit.table()
        for key, value, why in lines:
            item = _tables(value) if isinstance(value, list) else tomlkit.item(value)
            table.add(key, item.comment(why) if why else item)
        document.add(tomlkit.nl())
        document.add(name, table)
    return tomlkit.dumps(document)


def _tables(rows: Sequence[Mapping[str, str]]) -> Any:
    """A list of tables, each on a line of its own."""
    import tomlkit

    array = tomlkit.array().multiline(True)
    for row in rows:
        table = tomlkit.inline_table()
        table.update(row)
        array.append(table)
    return array


def _head(
    hours: float, sources: Sequence[str], unknown: Sequence[str], machine: Machine, shape: Shape, plan: Plan
) -> Iterator[str]:
    yield "Run it, and again after any interruption:  mothertongue run THIS_FILE --out runs/NAME"
    threads = f"{machine.threads} thread" + ("s" if machine.threads > 1 else "")
    yield f"Measured by short trainings with {threads}: matrix products at {machine.gigaflop_per_second:.0f} GFLOP/s."
    yield f"Predicted from them, within about 15 %, while nothing else runs: {plan.tokens_per_second:,.0f} tokens/s in"
    yield f"[train], {plan.train.hours:.2g} hours of it, and at most {plan.training_megabytes:,.0f} MB of memory."
    if machine.idle < BUSY:
        yield f"OTHER PROGRAMS RUN: they left {machine.idle:.0%} of a core. As long as they do, it takes longer."
    if machine.has_gpu:
        yield "There is a GPU that was not measured: it is much faster. Raise both budget_teraflop by hand."
    guessed = "guessed from the files" if sources else "assumed: no --source yet"
    yield f"Text: about {plan.megabytes:.3g} MB, {guessed}."
    if unknown:
        yield f"How much text is in {', '.join(unknown)} is unknown; {ASSUMED_MEGABYTES:g} MB are assumed for each."
    if plan.hours < 0.95 * hours:
        yield f"Only about {plan.hours:.2g} hours are used: {MAX_EPOCHS} passes over it are the most that teach."
    if shape.assumed:
        yield "The base is on the Hub and not here: its shape is taken to be GPT-2 small's."
    if plan.train.tokens < FEW_TOKENS <= plan.tokens:
        yield f"TOO LITTLE TIME: {plan.train.tokens:,.0f} tokens teach no language. Take a smaller base or more hours."


def _steps(
    language: str, sources: Sequence[str], licences: Mapping[str, str], base: str, shape: Shape, plan: Plan
) -> Iterator[tuple[str, list[Line]]]:
    listed = [{"path": path, "licence": licences.get(path, "unknown")} for path in sources or (PLACEHOLDER,)]
    why_sources = "say each licence: it goes into the model card" if sources else "CHANGE THIS to your texts"
    share = heldout_share(plan.megabytes)
    measured: list[Line] = [("max_megabytes", plan.measured_megabytes, "of held-out text; 0 = all of it")]
    rate = learning_rate(shape)
    yield (
        "corpus",
        [
            ("language", language, ""),
            ("sources", listed, why_sources),
            ("heldout_share", share, "about 1 MB to measure on, between 0.5 % and 5 %"),
            ("dev_share", round(share / 2, 4), "half of it, to watch the training"),
        ],
    )
    yield (
        "tokenizer",
        [
            ("vocab_size", plan.vocab_size, f"4,096 for 1 MB, twice for ten times the text: {plan.megabytes:.3g} MB"),
            ("model_max_length", shape.context, "the base model's context"),
        ],
    )
    yield (
        "transfer",
        [
            ("checkpoint", base, f"{shape.layers} layers, {shape.hidden_size} wide"),
            _method(shape),
        ],
    )
    yield (
        "train",
        [
            ("budget_teraflop", plan.train.teraflop, f"{plan.train.hours:.2g} hours, {plan.epochs:.2g} passes"),
            ("batch_size", plan.batch_size, "2-16 sequences, for 1,500 steps or more"),
            ("learning_rate", rate, "0.002 up to 256 wide, less for wider ones; 0 = find one"),
        ],
    )
    yield "evaluate", measured
    if plan.layers:
        yield (
            "compress",
            [
                ("layers", plan.layers, f"half of {shape.layers}, or the next divisor below"),
                ("budget_teraflop", plan.compress.teraflop, f"{plan.compress.hours:.2g} hours"),
                ("batch_size", plan.batch_size, "as in training"),
                ("learning_rate", rate / 2, "half of the training's"),
                *_brief(plan.compress.tokens),
            ],
        )
        yield "evaluate-small", [("stage", "evaluate", "the compressed one, for the card"), *measured]
    yield "export", [("dtype", "float16", "half the bytes; float32 is exact")]


def _brief(tokens: float) -> Iterator[Line]:
    """What a compression of so few tokens does without."""
    if tokens < BRIDGES * BRIDGE_TOKENS:
        yield "groups", "even", "too brief to try others"
    if tokens < BRIDGE_TOKENS:
        yield "initial", "ends", "too brief for a bridge"


def _method(shape: Shape) -> Line:
    if shape.has_vectors:
        return "method", "align", "others: docs/why/transfer.md"
    return (
        "method",
        "mean",
        'the base ships no static vectors; better: "align" and source_text = ["its/language/*.txt"]',
    )
