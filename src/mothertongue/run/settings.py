"""The settings of a stage: a frozen dataclass that knows each field's meaning and range, and refuses the rest.

One dataclass serves three doors: the table of a recipe, the options of a command, and a call from Python.

    @dataclass(frozen=True)
    class TrainConfig(Settings):
        steps: int = setting(0, "optimizer steps; 0 derives them from epochs", least=0)

    parse_settings(TrainConfig, {"stepz": 3})     # ConfigError: ... unknown key "stepz"; did you mean "steps"?
"""

from __future__ import annotations

import difflib
import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from mothertongue.errors import ConfigError

S = TypeVar("S", bound="Settings")
LARGEST = 2**63 - 1  # that libraries take as a whole number


def setting(
    default: Any = MISSING,
    help: str = "",
    *,
    least: float | None = None,
    most: float | None = None,
    choices: Sequence[str] = (),
    path: bool = False,
    decides: bool = True,
) -> Any:
    """A field with one line of meaning; `least`/`most` are inclusive, `path` marks files whose content counts.

    One that does not decide the result (how many processes, where to keep downloads) is no part of the fingerprint.
    """
    metadata = {"help": help, "least": least, "most": most, "choices": tuple(choices), "path": path}
    metadata["decides"] = decides
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """Parent of every stage's configuration: checks itself on entry, from whichever door the values came."""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for item in fields(self):
            value = _convert(getattr(self, item.name), hints[item.name], item.name)
            object.__setattr__(self, item.name, value)  # 1 becomes 1.0, a list a tuple: one value has one fingerprint
            _check_value(item, value)


def parse_settings(kind: type[S], values: Mapping[str, Any], *, where: str = "") -> S:
    """`values` (from TOML or options) as a checked `kind`; ConfigError for an unknown key or wrong type."""
    where = where or kind.__name__
    known = {item.name: item for item in fields(kind)}
    for key in values:
        if key not in known:
            raise ConfigError(f'{where}: unknown key "{key}". {suggest(key, known)}')
    missing = [name for name, item in known.items() if item.default is MISSING and name not in values]
    if missing:
        raise ConfigError(f'{where}: the key "{missing[0]}" is required: {known[missing[0]].metadata.get("help", "")}.')
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def settings_dict(config: Settings) -> dict[str, Any]:
    """The settings that decide the result, as plain JSON values (tuples become lists)."""
    return {
        item.name: _plain(getattr(config, item.name)) for item in fields(config) if item.metadata.get("decides", True)
    }


def default_of(item: Field[Any]) -> str:
    """A field's default as it is shown in help and reference; empty if there is none or it is empty."""
    if item.default is MISSING or item.default in (None, "", ()):
        return ""
    if isinstance(item.default, tuple):
        return " ".join(map(str, item.default))
    return str(item.default).lower() if isinstance(item.default, bool) else str(item.default)


def suggest(name: str, known: Mapping[str, Any] | Sequence[str]) -> str:
    """`did you mean "x"?`, or the list of what there is."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f'Did you mean "{near[0]}"?' if near else f"It takes: {', '.join(known)}."


def _plain(value: Any) -> Any:
    if isinstance(value, Settings):
        return settings_dict(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _convert(value: Any, hint: Any, where: str) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):  # only "or None" is used
        return (
            None
            if value is None
            else _convert(value, next(a for a in get_args(hint) if a is not types.NoneType), where)
        )
    if origin is tuple:
        inner = get_args(hint)[0]
        items = value if isinstance(value, (list, tuple)) else [value]
        return tuple(_convert(item, inner, f"{where}[{number}]") for number, item in enumerate(items))
    if isinstance(hint, type) and issubclass(hint, Settings):
        if isinstance(value, hint):
            return value
        # a bare string stands for a table with its first key
        table = value if isinstance(value, Mapping) else {fields(hint)[0].name: value}
        return parse_settings(hint, table, where=where)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        kind = type(value).__name__
        raise ConfigError(
            f"{where} = {value!r} is {'an' if kind == 'int' else 'a'} {kind}; it must be of type {hint.__name__}."
        )
    if hint is str and "\0" in value:
        raise ConfigError(f"{where} = {value!r} has a NUL character in it. Remove it.")
    return value


def _check_value(item: Field[Any], value: Any) -> None:
    least, most, choices = (item.metadata.get(key) for key in ("least", "most", "choices"))
    if choices and value not in choices:
        raise ConfigError(f"{item.name} = {value!r} is not one of {', '.join(choices)}. {suggest(str(value), choices)}")
    if type(value) in (int, float):
        widest = LARGEST if type(value) is int else math.inf
        low, high = (-widest if least is None else least), (widest if most is None else most)
        if not low <= value <= high or math.isinf(value):
            raise ConfigError(f"{item.name} = {value} is outside {low}..{high} ({item.metadata.get('help', '')}).")
