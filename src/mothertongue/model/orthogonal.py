"""Matrices made orthogonal by products alone: the Newton-Schulz iteration of Jordan et al. 2024 (Muon)."""
# Axes: R rows, C columns of a matrix

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from mothertongue.model.distributed import share_as
from mothertongue.model.products import product

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def orthogonal(matrix_RC: Tensor, steps: int = 5) -> Tensor:
    """About U V' of the singular value decomposition U S V': Newton-Schulz, in bfloat16 on GPUs, else in float32."""
    if isinstance(matrix_RC, DTensor):  # of which this process has a share: each turns the whole
        return share_as(matrix_RC, orthogonal(matrix_RC.full_tensor(), steps))
    least = torch.promote_types(matrix_RC.dtype, torch.float32)
    wide_RC: Tensor = matrix_RC.to(torch.bfloat16 if matrix_RC.is_cuda else least)
    wide_RC = wide_RC.T if wide_RC.shape[0] > wide_RC.shape[1] else wide_RC
    wide_RC = wide_RC / wide_RC.norm().clamp(min=1e-7)
    by_square = wide_RC.dtype == least and wide_RC.shape[1] > 1.5 * wide_RC.shape[0]  # fewer operations
    turned_RC = _by_square(wide_RC, steps) if by_square else _newton_schulz(wide_RC, steps)
    return (turned_RC.T if matrix_RC.shape[0] > matrix_RC.shape[1] else turned_RC).to(matrix_RC.dtype)


def _newton_schulz(found_RC: Tensor, steps: int) -> Tensor:
    a, b, c = NEWTON_SCHULZ
    for _ in range(steps):
        square_RR = product(found_RC, found_RC)
        found_RC = a * found_RC + product(b * square_RR + c * product(square_RR, square_RR), found_RC.T)
    return found_RC


def _by_square(matrix_RC: Tensor, steps: int) -> Tensor:
    """The same, on the small square X X' alone, which needs float32: all its polynomials commute and are symmetric."""
    a, b, c = NEWTON_SCHULZ
    square_RR = product(matrix_RC, matrix_RC)
    turn_RR: Tensor | None = None
    for step in range(steps):
        factor_RR = b * square_RR + c * product(square_RR, square_RR)
        factor_RR.diagonal().add_(a)
        turn_RR = factor_RR if turn_RR is None else product(factor_RR, turn_RR)
        if step < steps - 1:
            square_RR = product(factor_RR, product(factor_RR, square_RR))
    return matrix_RC if turn_RR is None else product(turn_RR, matrix_RC.T)
