"""Writes docs/reference/settings.md and commands.md from the table of stages, the dataclasses and the command line.

Run it after changing a setting or an option: python docs/generate.py. A test compares the pages with its result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import click

from mothertongue.cli import cli
from mothertongue.run.examples import EXAMPLES
from mothertongue.run.settings import Settings, default_of
from mothertongue.run.stages import STAGES, Stage

PAGES = Path(__file__).parent / "reference"
NOTE = "<!-- made by docs/generate.py: change the dataclass or the command, then run it again -->"
SETTINGS_HEAD = f"""# Recipe keys
{NOTE}

A recipe is TOML with one table for each step, in order. `title` stands above the tables. In each table:

* `stage`: which of the stages below; not needed where the table has its name;
* an input's name: the step, folder, shipped base or `hub:owner/name` to take; if left out, the newest that fits;
* the keys of the stage. An unknown key is an error. `mothertongue run --set STEP.KEY=VALUE` overrides one.

How to write and run one: [run a recipe](../how-to/run-a-recipe.md). As options: [commands](commands.md)."""
COMMANDS_HEAD = f"""# Commands
{NOTE}

Results go to stdout (`--json` for machines), talk and progress to stderr (`mothertongue --quiet` for none).
Exit codes: 0 done, 1 failed, 2 misused."""
NAMES = {int: "integer", float: "number", bool: "true or false", str: "text"}


def settings_page() -> str:
    """Every key that a recipe may have."""
    lines = [SETTINGS_HEAD]
    for stage in STAGES.values():
        article = "an" if stage.makes[0] in "aeiou" else "a"
        lines += ["", f"## {stage.name}", "", f"{stage.help} Makes {article} {stage.makes}.", ""]
        lines += [f"Inputs: {', '.join(_inputs(stage)) or 'none but its sources'}.", ""]
        lines += _table(stage.config)
        for key, table in _tables_in(stage.config):
            lines += ["", f"### {stage.name}: each of `{key}`", "", _first_line(table), "", *_table(table)]
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Every command with its examples, arguments and options."""
    lines = [COMMANDS_HEAD]
    context = click.Context(cli, info_name="mothertongue")
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        params = [param for param in command.get_params(context) if "--help" not in param.opts]
        arguments = "".join(f" {param.make_metavar(context)}" for param in params if isinstance(param, click.Argument))
        lines += ["", f"## mothertongue {name}{arguments}", "", str(command.help), ""]
        lines += ["```text", *(f"mothertongue {example}" for example in EXAMPLES[name]), "```", ""]
        lines += ["| option | meaning |", "|---|---|"]
        lines += [_option(param) for param in params if isinstance(param, click.Option)]
    return "\n".join(lines) + "\n"


def _inputs(stage: Stage) -> Iterator[str]:
    for role, kind in stage.roles.items():
        needed = "" if role in stage.needs else ", if there is one"
        yield f"`{role}`" + (f" (a {kind}{needed})" if role != kind or needed else "")


def _table(kind: type[Settings]) -> Iterator[str]:
    hints = get_type_hints(kind)
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for item in fields(kind):
        default = f"`{default_of(item)}`" if default_of(item) else "required" if item.default is MISSING else ""
        yield f"| `{item.name}` | {_type(hints[item.name], item)} | {default} | {_cell(item.metadata['help'])} |"


def _type(hint: Any, item: Field[Any]) -> str:
    if item.metadata["choices"]:
        return " / ".join(f"`{choice}`" for choice in item.metadata["choices"])
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        return "list of texts or tables" if issubclass(inner, Settings) else f"list of {NAMES[inner]}s"
    name = NAMES[next((part for part in get_args(hint) if part is not type(None)), hint)]
    least, most = item.metadata["least"], item.metadata["most"]
    if least is None and most is None:
        return name
    return f"{name}, {least:,.10g} or more" if most is None else f"{name}, {least:,.10g} to {most:,.10g}"


def _tables_in(kind: type[Settings]) -> Iterator[tuple[str, type[Settings]]]:
    hints = get_type_hints(kind)
    for item in fields(kind):
        inner = get_args(hints[item.name])
        if inner and isinstance(inner[0], type) and issubclass(inner[0], Settings):
            yield item.name, inner[0]


def _option(param: click.Option) -> str:
    flags = ", ".join(f"`{flag}`" for flag in [*param.opts, *param.secondary_opts])
    required = " (required)" if param.required else ""
    default = f"  [{param.default}]" if param.show_default and param.default not in (None, "") else ""
    return f"| {flags} | {_cell(param.help or '')}{default}{required} |"


def _first_line(kind: type[Settings]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("  [", " [")


def main() -> None:
    """Write both pages."""
    for name, page in {"settings.md": settings_page(), "commands.md": commands_page()}.items():
        (PAGES / name).write_text(page, "utf-8")


if __name__ == "__main__":
    main()
