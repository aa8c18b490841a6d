"""What can be compared: random weights, any transfer method, Guillou's recipe; each a line of settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mothertongue.errors import ConfigError
from mothertongue.transfer.methods import METHODS

DICTIONARY = "+dictionary"
ALWAYS_WITH_DICTIONARY = ("wechsel",)


@dataclass(frozen=True)
class Arm:
    """How an arm begins and learns."""

    method: str  # of [transfer]; empty: random weights
    calibrate: bool = True
    dictionary: bool = False
    preset: str = "modern"
    weight_decay: float = 0.1
    probed: bool = True  # its rates are looked for


# Pierre Guillou's: mean rows, his phases and rates (train/schedule.py), nothing calibrated
_GUILLOU = Arm("mean", calibrate=False, preset="guillou", weight_decay=0.01, probed=False)
OWN: Mapping[str, Arm] = {
    "scratch": Arm(""),
    "guillou": _GUILLOU,
    "guillou-probed": Arm("mean", calibrate=False, preset="guillou", weight_decay=0.01),
}


def find_arm(name: str) -> Arm:
    """The arm called `name`: one of OWN, a transfer method, or METHOD+dictionary; ConfigError otherwise."""
    if name in OWN:
        return OWN[name]
    method = name.removesuffix(DICTIONARY)
    if method == "trim":
        raise ConfigError('"trim" keeps the base\'s vocabulary, so it is no arm beside others with a new one.')
    try:
        METHODS.check(method)
    except ConfigError as error:
        raise ConfigError(f"{error} Other arms: {', '.join(OWN)}.") from error
    return Arm(method, dictionary=name != method or method in ALWAYS_WITH_DICTIONARY)
