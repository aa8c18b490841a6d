"""Libraries that only some sources need: imported when they are, and named with their extra when they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mothertongue.errors import ConfigError


def need(module: str, *, extra: str, to: str) -> Any:
    """The imported `module`; ConfigError that says what it is needed `to` do and how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(f'To {to} takes: pip install "mothertongue[{extra}]" ({error}).') from error
