"""Tables of what can be plugged in: a name, and the "module:function" behind it, imported on first use.

Another package adds a name by an entry point in the table's group; our own names come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from mothertongue.errors import ConfigError
from mothertongue.run.settings import suggest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


@dataclass(frozen=True)
class Table(Generic[T]):
    """The names of one kind of thing, like transfer methods; T is what stands behind a name."""

    what: str  # "transfer method": for the words of an error
    group: str  # of entry points
    own: Mapping[str, str]

    def load(self, name: str) -> T:
        """What stands behind `name`; ConfigError with the nearest name if nothing does."""
        if name in self.own:
            return cast(T, resolve(self.own[name]))
        for found in self._others():
            if found.name == name:
                return cast(T, found.load())
        raise ConfigError(self._problem(name))

    def check(self, name: str) -> None:
        """ConfigError with the nearest name if there is no `name`. Imports nothing that stands behind one."""
        if name not in self.own and name not in self._names():
            raise ConfigError(self._problem(name))

    def _others(self) -> Iterable[EntryPoint]:
        from importlib.metadata import entry_points  # 12 ms, for a name that is not ours

        return entry_points(group=self.group)

    def _names(self) -> list[str]:
        return sorted(found.name for found in self._others())

    def _problem(self, name: str) -> str:
        return f'There is no {self.what} "{name}". {suggest(name, [*self.own, *self._names()])}'


def resolve(name: str) -> Any:
    """The object that "module:name" means.

    >>> resolve("math:floor")(2.5)
    2
    """
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
