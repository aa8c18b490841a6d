"""The doorbell: finds the room, imports only that room, holds no logic.

Commands of stages are made from the table of stages and their dataclasses, so an option, a recipe's key and a field are one name.
Results go to stdout, talk and progress to stderr. Exit codes: 0 done, 1 failed, 2 misused.
"""

from __future__ import annotations

import json
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import click

from mothertongue.errors import ConfigError, MothertongueError
from mothertongue.run.progress import be_quiet, say
from mothertongue.run.stages import STAGES, Stage

EXAMPLES = """\b
Examples:
  mothertongue demo cs                       the whole road in a few minutes
  mothertongue run recipes/czech-small.toml --out runs/czech
"""


class Doorbell(click.Group):
    """A group whose stage commands are made when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*STAGES, *sorted(self.commands)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _stage_command(STAGES[cmd_name]) if cmd_name in STAGES else super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("The road (each makes one finished folder)"):
            formatter.write_dl([(stage.name, stage.help) for stage in STAGES.values()])
        with formatter.section("Runs and models"):
            formatter.write_dl([(name, command.get_short_help_str(90)) for name, command in sorted(self.commands.items())])


@click.group(cls=Doorbell, help=f"Give a small language model a new mother tongue.\n\n{EXAMPLES}")
@click.version_option(package_name="mothertongue")
@click.option("--quiet", is_flag=True, help="No talk and progress on stderr.")
def cli(quiet: bool) -> None:
    be_quiet(quiet)


def main() -> None:
    """Entry point of the command `mothertongue`: every expected error becomes one line and an exit code."""
    try:
        cli(standalone_mode=False)
    except MothertongueError as error:
        click.echo(f"mothertongue: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("mothertongue: stopped. The same command continues from the last saved state.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(1)


def show_result(value: Any, *, as_json: bool, text: str) -> None:
    """JSON for machines, text for people, both on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1) if as_json else text)


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


# The road


class StageCommand(click.Command):
    """A stage as a command; its options are made from its dataclass only when somebody looks at them."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.name, callback=self.build, help=stage.help)
        self.stage = stage

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        if not self.params:
            self.params = [*_stage_options(self.stage)]
        return super().get_params(ctx)

    def build(self, out: Path, as_json: bool, **given: Any) -> None:
        """Make one artifact from the options that were given."""
        from mothertongue.run.build import build_step
        from mothertongue.run.inputs import locate
        from mothertongue.run.recipe import parse_step
        from mothertongue.run.story import tell

        table = {key: list(value) if isinstance(value, tuple) else value for key, value in given.items() if value not in (None, ())}
        step = parse_step(out.name, {**table, "stage": self.stage.name}, earlier=[], where=f"mothertongue {self.stage.name}")
        manifest = build_step(step, out, {role: locate(reference) for role, reference in step.inputs.items()})
        show_result(manifest["metrics"], as_json=as_json, text=tell(out))


def _stage_command(stage: Stage) -> click.Command:
    return StageCommand(stage)


def _stage_options(stage: Stage) -> list[click.Option]:
    options = [click.Option(["--out"], type=click.Path(path_type=Path), required=True, help="Folder to make; it exists when it is finished.")]
    for role, kind in stage.needs.items():
        options.append(click.Option([f"--{role}"], required=True, help=f"Folder of the {kind} to start from."))
    from typing import get_origin, get_type_hints

    hints = get_type_hints(stage.config)
    for item in fields(stage.config):
        hint, default = hints[item.name], item.default
        shown = "" if default in (MISSING, "", ()) else f"  [{default}]"
        name = f"--{item.name.replace('_', '-')}"
        if get_origin(hint) is tuple:
            singular = name.removesuffix("s")
            options.append(click.Option([singular, item.name], multiple=True, help=f"{item.metadata['help']}{shown}"))
        elif hint is bool:
            options.append(click.Option([f"{name}/--no-{name[2:]}", item.name], default=None, help=f"{item.metadata['help']}{shown}"))
        else:
            kind_of = click.Choice(item.metadata["choices"]) if item.metadata.get("choices") else hint
            options.append(click.Option([name], type=kind_of, default=None, help=f"{item.metadata['help']}{shown}"))
    return [*options, click.Option(["--json", "as_json"], is_flag=True, help="Print the result as JSON.")]


# Runs


@cli.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the run; each step is a folder in it.")
@click.option("--set", "changes", multiple=True, metavar="STEP.KEY=VALUE", help="Override a setting, for instance train.steps=100.")
@click.option("--until", default="", help="Stop after this step.")
@json_option
def run(recipe: Path, out: Path, changes: tuple[str, ...], until: str, as_json: bool) -> None:
    """Run a recipe, or continue it where it was."""
    from mothertongue.run.build import run_recipe
    from mothertongue.run.recipe import read_recipe
    from mothertongue.run.story import tell_run

    pairs = dict(change.partition("=")[::2] for change in changes)
    manifests = run_recipe(read_recipe(recipe, changes=pairs), out, until=until)
    show_result({name: manifest["metrics"] for name, manifest in manifests.items()}, as_json=as_json, text=tell_run(out, manifests))


@cli.command()
@click.argument("language")
@click.option("--hours", type=float, required=True, help="Hours of this machine to spend, 0.1-1000.")
@click.option("--source", "sources", multiple=True, help="Text to learn from: file, folder or glob. Repeat for more.")
@click.option("--base", default="english-base", show_default=True, help="Model to start from: a shipped base, a folder, or hub:owner/name.")
def plan(language: str, hours: float, sources: tuple[str, ...], base: str) -> None:
    """Measure this machine and write a recipe for LANGUAGE to stdout: mothertongue plan cs --hours 8 > czech.toml"""
    from mothertongue.run.plan import write_plan

    click.echo(write_plan(language, hours=hours, sources=sources, base=base), nl=False)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def show(folder: Path, as_json: bool) -> None:
    """Tell the story of a finished folder in ten lines, and the next command."""
    from mothertongue.run.artifact import read_manifest
    from mothertongue.run.story import tell

    text = tell(folder)
    show_result(read_manifest(folder) if as_json else None, as_json=as_json, text=text)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
def verify(folder: Path) -> None:
    """Hash the files of a finished folder again and compare them with its manifest."""
    from mothertongue.errors import ArtifactError
    from mothertongue.run.artifact import read_manifest
    from mothertongue.run.artifact import verify as compare

    problems = compare(folder)
    if problems:
        raise ArtifactError(f"{folder} is not what was made: {'; '.join(problems)}. Restore the files, or make the folder again.")
    click.echo(f"{folder}: {len(read_manifest(folder)['outputs'])} files are intact")


@cli.command()
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@json_option
def diff(first: Path, second: Path, as_json: bool) -> None:
    """Compare the settings and metrics of two finished folders."""
    from mothertongue.run.story import differences

    rows = differences(first, second)
    show_result(rows, as_json=as_json, text="\n".join(f"{row['key']}: {row['first']} | {row['second']}" for row in rows) or "no differences")


@cli.command()
@click.argument("language", type=click.Choice(["cs", "bg"]))
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Folder of the run.  [runs/demo-LANGUAGE]")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all trainings.")
@json_option
def demo(language: str, out: Path | None, seed: int, as_json: bool) -> None:
    """The whole road on a miniature encyclopaedia, from the shipped English base to a small model that writes."""
    from mothertongue.evaluate.demo import run_demo

    result = run_demo(language, out or Path("runs") / f"demo-{language}", seed=seed)
    show_result(result.figures, as_json=as_json, text=result.text)


# Models


def _prompt(text: str) -> str:
    return sys.stdin.read() if text == "-" else text


@cli.command()
@click.argument("folder")
@click.argument("prompt", default="")
@click.option("--max-new-tokens", type=int, default=None, help="Tokens to write.  [40]")
@click.option("--max-length", type=int, default=None, help="Longest result in tokens, the prompt included.")
@click.option("--do-sample/--greedy", default=True, help="Draw, or always take the likeliest.")
@click.option("--temperature", type=float, default=1.0, show_default=True)
@click.option("--top-k", type=int, default=50, show_default=True, help="Only the k likeliest tokens; 0 = all.")
@click.option("--top-p", type=float, default=1.0, show_default=True, help="Only the likeliest tokens of this total probability.")
@click.option("--no-repeat-ngram-size", type=int, default=0, show_default=True, help="No n tokens twice.")
@click.option("--num-return-sequences", type=int, default=1, show_default=True)
@click.option("--seed", type=int, default=None, help="Same seed, same text.")
@click.option("--stream", is_flag=True, help="Print pieces as they come.")
@json_option
def generate(folder: str, prompt: str, stream: bool, as_json: bool, **options: Any) -> None:
    """Let the model in FOLDER continue PROMPT ("-" reads stdin)."""
    import mothertongue

    writer = mothertongue.load(folder)
    if stream:
        options.pop("num_return_sequences")
        for piece in writer.stream(_prompt(prompt), **options):
            click.echo(piece, nl=False)
        click.echo()
        return
    texts = writer.generate(_prompt(prompt), **options)
    show_result(texts, as_json=as_json, text="\n---\n".join(texts))


@cli.command()
@click.argument("folder")
@click.argument("prompt", default="")
@click.option("--k", type=int, default=10, show_default=True, help="How many words.")
@json_option
def next(folder: str, prompt: str, k: int, as_json: bool) -> None:
    """The likeliest next words after PROMPT, with probabilities."""
    import mothertongue

    words = mothertongue.load(folder).next_words(_prompt(prompt), k=k)
    rows = [{"word": word.text, "probability": round(word.probability, 6)} for word in words]
    show_result(rows, as_json=as_json, text="\n".join(f"{row['probability']:7.2%}  {row['word']}" for row in rows))


def fail_on_misuse(condition: bool, message: str) -> None:
    """Raise ConfigError(message) if `condition`."""
    if condition:
        raise ConfigError(message)


__all__ = ["cli", "main", "say"]
