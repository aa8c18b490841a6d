"""How a command looks: options made from a dataclass of settings, help that begins with examples, a near name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any, get_args, get_origin, get_type_hints

import click

from mothertongue.run.examples import EXAMPLES
from mothertongue.run.settings import Settings, default_of


class RoomCommand(click.Command):
    """A command that begins its help with examples, and makes the options of its `settings` when somebody looks."""

    def __init__(self, *args: Any, settings: Callable[[], type[Settings]] | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self.settings = settings

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        if self.settings:
            self.params = [*self.params, *setting_options(self.settings())]
            self.settings = None
        return super().get_params(ctx)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        write_examples(self.name or "", formatter)


def meant(words: str, commands: Iterable[str]) -> str:
    """What somebody may have meant who wrote a bare word behind the name of a stage."""
    stage = words.partition(" ")[0]
    if near := difflib.get_close_matches(words, [name for name in commands if " " in name], n=1, cutoff=0.8):
        return f'Did you mean "{near[0]}"?'
    return f"`mothertongue {stage}` takes options only: see `mothertongue {stage} --help`."


def write_examples(name: str, formatter: click.HelpFormatter) -> None:
    """The examples of a command, one a line: folded lines could not be copied."""
    formatter.write("\nExamples:\n" + "".join(f"  mothertongue {example}\n" for example in EXAMPLES.get(name, ())))


def setting_options(kind: type[Settings]) -> Iterator[click.Option]:
    """One option for each field of a dataclass; what is not given stays None, so that the field's default counts."""
    hints = get_type_hints(kind)
    for item in fields(kind):
        name, hint = f"--{item.name.replace('_', '-')}", hints[item.name]
        hint = next((part for part in get_args(hint) if part is not type(None)), hint)  # "or None", or of a tuple
        default = default_of(item)
        text = item.metadata["help"] + (f"  [{default}]" if default else "")
        if get_origin(hints[item.name]) is tuple:
            one_each = [name.removesuffix("s"), name] if name.endswith("s") else [name]
            number = hint is float
            yield click.Option(
                [*one_each, item.name],
                multiple=True,
                type=float if number else str,
                metavar="NUMBER" if number else "TEXT",
                help=f"{text}; repeat for more",
            )
        elif hint is bool:
            yield click.Option([f"{name}/--no-{name[2:]}", item.name], default=None, help=text)
        else:
            choices = item.metadata["choices"]
            yield click.Option([name, item.name], type=click.Choice(choices) if choices else hint, help=text)
