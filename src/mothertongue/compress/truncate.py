"""Truncation, the control: layers are cut off and what is left is trained on the text, without replacing or teacher.

It is what every other method has to beat at equal compute.
"""

from __future__ import annotations

from collections.abc import Callable

from mothertongue.compress.cost import phase_flop
from mothertongue.compress.methods import Lesson, Material
from mothertongue.compress.schedule import phases
from mothertongue.model.loss import next_token_loss


def truncate(material: Material) -> Callable[[int], Lesson]:
    """Train the successor on the text alone."""
    flop = phase_flop(material)
    return lambda steps: Lesson(phases(material.config, steps, material.longest), next_token_loss, flop)
