"""The doorbell: finds the room, imports only that room, holds no logic.

Options of a command are made from a dataclass of settings, so an option, a recipe's key and a field are one name.
Results go to stdout, talk and progress to stderr. Exit codes: 0 done, 1 failed, 2 misused.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import click

from mothertongue.errors import ConfigError, MothertongueError
from mothertongue.run.commands import RoomCommand, meant, write_examples
from mothertongue.run.progress import be_quiet
from mothertongue.run.settings import suggest
from mothertongue.run.stages import STAGES, Stage
from mothertongue.run.table import resolve
from mothertongue.run.team import rank

# a flag of a stage that asks for another stage with the same inputs
INSTEAD = {("transfer", "--compare"): "compare"}


def main() -> None:
    """Entry point of the command `mothertongue`: every expected error becomes one line and an exit code."""
    try:
        cli(standalone_mode=False)
        if not sys.stdout.closed:  # as the language server leaves it
            sys.stdout.flush()
    except MothertongueError as error:
        let_first_speak()
        click.echo(f"mothertongue: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        let_first_speak()
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        if not rank():
            click.echo("mothertongue: stopped. A run or a step goes on from here with the same command.", err=True)
        sys.exit(130)
    except BrokenPipeError:  # `mothertongue ... | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def show_result(value: Any, *, as_json: bool, text: str) -> None:
    """JSON for machines, text for people, both on stdout."""
    if not rank():
        click.echo(json.dumps(value, ensure_ascii=False, indent=1) if as_json else text)


def let_first_speak() -> None:
    """Of several processes the first tells what all have seen; meanwhile torchrun ends the others."""
    time.sleep(5 if rank() else 0)


def standard_input() -> str:
    """All of stdin as text."""
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(f"The text on stdin is not UTF-8: {error}. Convert it, for instance with iconv.") from error


# How commands look


class Doorbell(click.Group):
    """A group whose stage commands are made when they are asked for."""

    command_class = RoomCommand

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*STAGES, *sorted(self.commands)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return stage_command(STAGES[cmd_name]) if cmd_name in STAGES else super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        for (stage, flag), other in INSTEAD.items():
            if args[:1] == [stage] and flag in args:
                args = [other, *(word for word in args[1:] if word != flag)]
        if (two_words := " ".join(args[:2])) in self.commands:  # like `corpus inspect`: a stage takes no bare words
            args = [two_words, *args[2:]]
        for name in args[:1]:
            if self.get_command(ctx, name) is None:
                ctx.fail(f'There is no command "{name}". {suggest(name, self.list_commands(ctx))}')
            if name in STAGES and args[1:] and not args[1].startswith("-"):
                ctx.fail(f'There is no command "{two_words}". {meant(two_words, self.commands)}')
        return super().resolve_command(ctx, args)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        write_examples("", formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("The road (each makes one finished folder)"):
            formatter.write_dl([(stage.name, stage.help) for stage in STAGES.values()])
        with formatter.section("Runs and models"):
            formatter.write_dl([(name, one.get_short_help_str(120)) for name, one in sorted(self.commands.items())])


folder_type = click.Path(path_type=Path)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


@click.group(cls=Doorbell, context_settings={"max_content_width": 110})
@click.version_option(package_name="mothertongue")
@click.option("--quiet", is_flag=True, help="No talk and progress on stderr.")
def cli(quiet: bool) -> None:
    """Give a small language model a new mother tongue."""
    be_quiet(quiet or rank() > 0)


# The road


def stage_command(stage: Stage) -> click.Command:
    """A stage as a command."""
    params: list[click.Parameter] = [
        click.Option(["--out"], type=folder_type, required=True, help="Folder to make; it exists when it is finished.")
    ]
    for role, kind in stage.roles.items():
        needed = role in stage.needs
        text = f"Folder of the {kind} to start from." if needed else f"Folder of a {kind} of it, if there is one."
        params.append(click.Option([f"--{role}"], required=needed, help=text))
    for (name, flag), other in INSTEAD.items():
        if name == stage.name:
            text = f"Do `mothertongue {other}` instead: {STAGES[other].help} Options: `mothertongue {other} --help`."
            params.append(click.Option([flag], is_flag=True, expose_value=False, help=text))
    params.append(click.Option(["--json", "as_json"], is_flag=True, help="Print the result as JSON."))

    def build(out: Path, as_json: bool, **given: Any) -> None:
        from mothertongue.run.build import build_step
        from mothertongue.run.inputs import locate
        from mothertongue.run.recipe import given_step
        from mothertongue.run.story import tell

        step = given_step(stage.name, out, given)
        inputs = {role: locate(reference, stage.roles[role]) for role, reference in step.inputs.items()}
        manifest = build_step(step, out, inputs)
        show_result(manifest["metrics"], as_json=as_json, text=tell(out))

    return RoomCommand(stage.name, callback=build, params=params, help=stage.help, settings=lambda: stage.config)


# Runs


@cli.command()
@click.argument("recipe")
@click.option("--out", type=folder_type, required=True, help="Folder of the run; each step is a folder in it.")
@click.option("--set", "pairs", multiple=True, metavar="STEP.KEY=VALUE", help="Override a setting. Repeat for more.")
@click.option("--until", default="", metavar="STEP", help="Stop after this step.")
@json_option
def run(recipe: str, out: Path, pairs: tuple[str, ...], until: str, as_json: bool) -> None:
    """Run a recipe ("-" reads it from stdin), or continue it where it was."""
    from mothertongue.run.build import run_recipe
    from mothertongue.run.recipe import parse_recipe, read_changes, read_recipe
    from mothertongue.run.story import tell_run

    changes = read_changes(pairs)
    if recipe == "-":
        asked = parse_recipe(standard_input(), where="stdin", changes=changes)
    else:
        asked = read_recipe(Path(recipe), changes=changes)
    made = run_recipe(asked, out, until=until)
    show_result(
        {name: manifest["metrics"] for name, manifest in made.items()}, as_json=as_json, text=tell_run(out, made)
    )


@cli.command()
@click.argument("language")
@click.option("--hours", type=float, required=True, help="Hours of this machine to spend, 0.01-1000.")
@click.option("--source", "sources", multiple=True, help="Text to learn from: file, folder or glob. Repeat for more.")
@click.option("--base", default="english-base", show_default=True, help="A shipped base, a folder, or hub:owner/name.")
@click.option("--seconds", type=float, default=20.0, show_default=True, help="How long to measure this machine.")
def plan(language: str, hours: float, sources: tuple[str, ...], base: str, seconds: float) -> None:
    """Measure this machine and write a complete recipe for LANGUAGE to stdout, as long as --hours says."""
    from mothertongue.run.plan import write_plan

    click.echo(write_plan(language, hours=hours, sources=sources, base=base, seconds=seconds), nl=False)


@cli.command()
@click.argument("folder", type=folder_type)
@json_option
def show(folder: Path, as_json: bool) -> None:
    """Tell the story of a folder or a run in about ten lines, and the next command."""
    from mothertongue.run.story import story, tell

    show_result(story(folder) if as_json else None, as_json=as_json, text="" if as_json else tell(folder))


@cli.command()
@click.argument("folder", type=folder_type)
@json_option
def verify(folder: Path, as_json: bool) -> None:
    """Hash the files of a finished folder or run again and compare them with what was written."""
    from mothertongue.run.story import check_folder

    checked = check_folder(folder)
    show_result(checked, as_json=as_json, text=f"{folder}: {checked['files']} files are intact")


@cli.command()
@click.argument("first", type=folder_type)
@click.argument("second", type=folder_type)
@json_option
def diff(first: Path, second: Path, as_json: bool) -> None:
    """Compare the settings, inputs and metrics of two finished folders or runs."""
    from mothertongue.run.compare import differences, tell_differences

    rows = differences(first, second)
    show_result(rows, as_json=as_json, text=tell_differences(rows))


@cli.command("corpus inspect")
@click.argument("folder", type=folder_type)
@click.option("--html", "page", type=folder_type, default=None, help="The page to write.  [FOLDER.html]")
@json_option
def corpus_inspect(folder: Path, page: Path | None, as_json: bool) -> None:
    """What a corpus kept and dropped, by source and reason: tables here, pictures and samples on one HTML page."""
    from mothertongue.corpus.inspect import inspect_corpus

    result = inspect_corpus(folder, page)
    show_result(result.figures, as_json=as_json, text=result.text)


@cli.command("tokenizer show")
@click.argument("folder")
@click.argument("text", default="")
@click.option("--first", type=int, default=0, show_default=True, help="Id of the first token in the table.")
@click.option("--count", type=int, default=30, show_default=True, help="How many tokens the table has.")
@click.option("--find", default="", metavar="TEXT", help="Only tokens with this text in them.")
@json_option
def tokenizer_show(folder: str, text: str, first: int, count: int, find: str, as_json: bool) -> None:
    """The tokens of FOLDER (or of a tokenizer.json) as readable text, and how TEXT is cut ("-" reads stdin)."""
    from mothertongue.tokenizer.show import show_tokenizer

    sentence = standard_input() if text == "-" else text
    shown = show_tokenizer(folder, sentence, first=first, count=count, find=find)
    show_result(shown.figures, as_json=as_json, text=shown.text)


@cli.command("tokenizer sweep", settings=lambda: resolve("mothertongue.tokenizer.sweep:SweepConfig"))
@click.option("--corpus", required=True, help="Folder of the corpus to learn from.")
@click.option("--out", type=folder_type, required=True, help="Folder of the trainings; the same command continues.")
@json_option
def tokenizer_sweep(corpus: str, out: Path, as_json: bool, **given: Any) -> None:
    """Try vocabulary sizes: small models of one shape, trained with the same compute, compared by bits per byte."""
    from mothertongue.run.inputs import locate
    from mothertongue.run.settings import parse_settings
    from mothertongue.tokenizer.sweep import SweepConfig, sweep_sizes

    config = parse_settings(SweepConfig, {name: value for name, value in given.items() if value is not None})
    swept = sweep_sizes(config, out, corpus=locate(corpus, "corpus"))
    show_result(swept.figures, as_json=as_json, text=swept.text)


@cli.command()
@click.argument("language", metavar="[cs|bg]")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder of the run.  [runs/demo-LANGUAGE]")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all trainings.")
@json_option
def demo(language: str, out: Path | None, seed: int, as_json: bool) -> None:
    """The whole road on a miniature encyclopaedia, from the shipped English base to a small model that writes."""
    from mothertongue.demo import run_demo

    result = run_demo(language, out or Path("runs") / f"demo-{language}", seed=seed)
    show_result(result.figures, as_json=as_json, text=result.text)


# Models


@cli.command(settings=lambda: resolve("mothertongue.use.config:GenerateConfig"))
@click.argument("folder")
@click.argument("prompt", default="")
@click.option("--stream", is_flag=True, help="Print pieces as they come.")
@json_option
def generate(folder: str, prompt: str, stream: bool, as_json: bool, **given: Any) -> None:
    """Let the model in FOLDER continue PROMPT ("-" reads stdin)."""
    from mothertongue.use.config import parse_options
    from mothertongue.use.find import find_model

    options = {name: value for name, value in given.items() if value not in (None, ())}
    parse_options(options)  # what is wrong is said before torch is loaded
    place, text = find_model(folder), standard_input() if prompt == "-" else prompt
    from mothertongue.use.load import load

    writer = load(place)
    if stream and not as_json:
        for piece in writer.stream(text, **options):
            click.echo(piece, nl=False)
        click.echo()
    else:
        texts = writer.generate(text, **options)
        show_result(texts, as_json=as_json, text="\n---\n".join(texts))


@cli.command(settings=lambda: resolve("mothertongue.use.complete:CompleteConfig"))
@click.argument("model")
@click.argument("prompt", default="")
@click.option("--interactive", is_flag=True, help="Write in the terminal, with grey text to accept.")
@json_option
def complete(model: str, prompt: str, interactive: bool, as_json: bool, **given: Any) -> None:
    """What comes next at the end of PROMPT ("-": stdin). MODEL is a folder, a run, or a language: its newest run."""
    from mothertongue.use.interactive import write_with_help
    from mothertongue.use.show import complete_text, completion_asked

    asked = completion_asked(model, given)
    text = standard_input() if prompt == "-" else prompt
    if interactive:
        click.echo(write_with_help(asked.open, asked.config, text=text))
    else:
        answer = complete_text(asked, text)
        show_result(answer.figures, as_json=as_json, text=answer.text)


@cli.command(settings=lambda: resolve("mothertongue.use.complete:CompleteConfig"))
@click.argument("model")
def lsp(model: str, **given: Any) -> None:
    """Complete text in an editor (Language Server Protocol over stdin and stdout)."""
    from mothertongue.use.lsp import serve_editor
    from mothertongue.use.show import completion_asked

    serve_editor(completion_asked(model, given))


@cli.command("next")
@click.argument("folder")
@click.argument("prompt", default="")
@click.option("--k", type=int, default=10, show_default=True, help="How many words.")
@json_option
def next_words(folder: str, prompt: str, k: int, as_json: bool) -> None:
    """The likeliest next words after PROMPT ("-" reads stdin), with probabilities."""
    from mothertongue.use.find import find_model

    place, text = find_model(folder), standard_input() if prompt == "-" else prompt
    from mothertongue.use.load import load
    from mothertongue.use.show import show_words

    words = load(place).next_words(text, k=k)
    rows = [{"word": w.word, "text": w.text, "probability": round(w.probability, 6)} for w in words]
    show_result(rows, as_json=as_json, text=show_words(words))
