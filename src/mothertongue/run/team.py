"""Several processes with one command, as torchrun, srun or Ray Train start them: the first makes the folders and talks.

They know of each other from the environment alone, so that rooms without torch can ask.
"""

from __future__ import annotations

import os


def world() -> int:
    """How many processes there are; 1 unless they have been told where to meet."""
    return int(os.environ.get("WORLD_SIZE", "1")) if {"RANK", "MASTER_ADDR"} <= os.environ.keys() else 1


def rank() -> int:
    """The number of this process among them, from 0, who is the first."""
    return int(os.environ["RANK"]) if world() > 1 else 0
