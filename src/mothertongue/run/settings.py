"""The settings of a stage: a frozen dataclass that knows each field's meaning and range, and refuses the rest.

One dataclass serves three doors: the table of a recipe, the options of a command, and a call from Python.

    @dataclass(frozen=True)
    class TrainConfig(Settings):
        steps: int = setting(0, "optimizer steps; 0 derives them from epochs", least=0)

    parse_settings(TrainConfig, {"stepz": 3})     # ConfigError: ... unknown key "stepz"; did you mean "steps"?
"""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from mothertongue.errors import ConfigError

S = TypeVar("S", bound="Settings")


def setting(
    default: Any = MISSING,
    help: str = "",
    *,
    least: float | None = None,
    most: float | None = None,
    choices: Sequence[str] = (),
    path: bool = False,
) -> Any:
    """A dataclass field with one line of meaning; `least`/`most` are inclusive, `path` marks files whose content counts."""
    metadata = {"help": help, "least": least, "most": most, "choices": tuple(choices), "path": path}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Settings:
    """Parent of every stage's configuration: checks itself on entry."""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for item in fields(self):
            _check_value(type(self), item, hints[item.name], getattr(self, item.name))


def parse_settings(kind: type[S], values: Mapping[str, Any], *, where: str = "") -> S:
    """`values` (from TOML or options) as a checked `kind`; unknown keys and wrong types are ConfigErrors naming the cure."""
    where = where or kind.__name__
    hints = get_type_hints(kind)
    known = {item.name: item for item in fields(kind)}
    for key in values:
        if key not in known:
            raise ConfigError(f'{where}: unknown key "{key}". {suggest(key, known)}')
    missing = [name for name, item in known.items() if item.default is MISSING and name not in values]
    if missing:
        raise ConfigError(f'{where}: the key "{missing[0]}" is required: {known[missing[0]].metadata.get("help", "")}.')
    return kind(**{key: _convert(value, hints[key], f"{where}: {key}") for key, value in values.items()})


def settings_dict(config: Settings) -> dict[str, Any]:
    """The settings as plain JSON values (tuples become lists)."""
    return {item.name: _plain(getattr(config, item.name)) for item in fields(config)}


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
    if origin in (Union, types.UnionType):
        return None if value is None else _convert(value, next(a for a in get_args(hint) if a is not type(None)), where)
    if origin is tuple:
        inner = get_args(hint)[0]
        items = value if isinstance(value, (list, tuple)) else [value]
        return tuple(_convert(item, inner, f"{where}[{i}]") for i, item in enumerate(items))
    if isinstance(hint, type) and issubclass(hint, Settings):
        if isinstance(value, hint):
            return value
        if isinstance(value, Mapping):
            return parse_settings(hint, value, where=where)
        return hint(**{fields(hint)[0].name: value})  # a bare string stands for a table with its first key
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not hint:
        raise ConfigError(f"{where} = {value!r} is a {type(value).__name__}; it must be of type {hint.__name__}.")
    return value


def _check_value(kind: type[Settings], item: Field[Any], hint: Any, value: Any) -> None:
    where = f"{kind.__name__}.{item.name}"
    if dataclasses.is_dataclass(value) or isinstance(value, tuple):
        return
    least, most, choices = (item.metadata.get(key) for key in ("least", "most", "choices"))
    if choices and value not in choices:
        raise ConfigError(f"{where} = {value!r} is not one of {', '.join(choices)}. {suggest(str(value), choices)}")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if value != value or (least is not None and value < least) or (most is not None and value > most):
            low, high = ("-inf" if least is None else least), ("inf" if most is None else most)
            raise ConfigError(f"{where} = {value} is outside {low}..{high} ({item.metadata.get('help', '')}).")
