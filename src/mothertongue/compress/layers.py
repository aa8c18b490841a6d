"""Which layers of the predecessor become one layer of the successor, and which of them it begins as."""

from __future__ import annotations

from collections.abc import Sequence

from mothertongue.errors import ConfigError


def check_layers(count: int, layers: int, groups: str = "even") -> int:
    """`layers`, or half of `count` if it is 0; ConfigError, naming what is possible, if it cannot be.

    Even groups need a divisor of `count`, others any number below it.
    """
    possible = [number for number in range(1, count) if groups != "even" or count % number == 0]
    if not possible:
        raise ConfigError(f"The model has {count} layer: none can go. Compress a model of two or more layers.")
    names = f"Possible for {count} layers: {', '.join(map(str, possible))}."
    more = " With groups = influence any smaller number is." if groups == "even" else ""
    if not layers and count % 2 and groups != "influence":
        raise ConfigError(f"Half of {count} layers is no whole number. Choose layers. {names}{more}")
    layers = layers or count // 2
    if layers not in possible:
        why = f"must divide the model's {count} layers" if layers < count else f"has to be fewer than {count}"
        raise ConfigError(f"layers = {layers} {why}. {names}{more if layers < count else ''}")
    return layers


def even_groups(count: int, layers: int) -> list[range]:
    """`layers` groups of equally many of `count` layers.

    >>> even_groups(6, 2)
    [range(0, 3), range(3, 6)]
    """
    each = count // layers
    return [range(start, start + each) for start in range(0, count, each)]


def influence_groups(influence: Sequence[float], layers: int) -> list[range]:
    """Groups that begin with the `layers` most influential ones; what changes little joins the one before it.

    The first two and the last layer always stand at a beginning, as far as `layers` allows (the first before the last
    before the second): they are never near the identity, and a group must begin somewhere.

    >>> influence_groups([0.2, 0.1, 0.1, 0.4, 0.1, 0.3], 4)
    [range(0, 1), range(1, 3), range(3, 5), range(5, 6)]
    """
    count = len(influence)
    fixed = list(dict.fromkeys((0, count - 1, 1)))[:layers] if layers > 3 else [0, count - 1][:layers]
    free = sorted((index for index in range(count) if index not in fixed), key=lambda index: -influence[index])
    begins = sorted([*fixed, *free[: layers - len(fixed)]])
    return [range(start, end) for start, end in zip(begins, [*begins[1:], count], strict=True)]


def leaders(groups: Sequence[range], initial: str, influence: Sequence[float] = ()) -> list[int]:
    """Which layer of the predecessor each layer of the successor begins as.

    `first`: the predecessor's first ones (as Xu et al. do); `every-other`: the first of each group; `influence`: the
    most influential one of each; all else: evenly spread from the first of the first group to the last of the last.

    >>> leaders(even_groups(12, 6), "ends"), leaders(even_groups(12, 6), "every-other")
    ([0, 2, 4, 7, 9, 11], [0, 2, 4, 6, 8, 10])
    """
    if initial == "first":
        return list(range(len(groups)))
    if initial == "every-other" or len(groups) == 1:
        return [group[0] for group in groups]
    if initial == "influence":
        return [max(group, key=lambda index: influence[index]) for group in groups]
    last = len(groups) - 1
    return [group[0] + round(place / last * (len(group) - 1)) for place, group in enumerate(groups)]
