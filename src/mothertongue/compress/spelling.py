"""Two vocabularies for one text: a successor with fewer tokens, and a predecessor that teaches it in all of its own.

A token that was dropped is spelled in pieces. What the predecessor says of the next token says which piece comes next:
the sum over all tokens that begin with it. Where a piece ends inside of a token, the predecessor has nothing to say.
docs/why/theseus.md says why it is not made to read the pieces itself.
"""
# Axes: B batch, T pieces, t tokens, N = B*T, V tokens of the predecessor, W pieces, D dropped tokens

from __future__ import annotations

from collections.abc import Sequence

import torch
from tokenizers import Tokenizer
from torch import Tensor


class Spelling:
    """How each token of a vocabulary is spelled in a smaller one, whose pieces are all tokens of the larger one.

    >>> spelling = Spelling([(0,), (1,), (0, 1)])
    >>> spelling.join(torch.tensor([[0, 0, 1, 1]]))
    (tensor([[0, 2, 1]]), tensor([[ 0, -1,  1,  2]]))
    >>> spelling.first_pieces(torch.tensor([[0.5, 0.125, 0.375]]))
    tensor([[0.8750, 0.1250]])
    """

    def __init__(self, pieces_V: Sequence[Sequence[int]]) -> None:
        whole = {pieces[0]: token for token, pieces in enumerate(pieces_V) if len(pieces) == 1}
        self.tokens_W = torch.tensor([whole[piece] for piece in range(len(whole))])
        self.spelled = {tuple(pieces): token for token, pieces in enumerate(pieces_V) if len(pieces) > 1}
        self.dropped = torch.tensor(list(self.spelled.values()), dtype=torch.long)
        self.first = torch.tensor([pieces[0] for pieces in self.spelled], dtype=torch.long)
        self.longest: dict[int, int] = {}  # number of pieces of the longest token that begins with a piece
        for pieces in self.spelled:
            self.longest[pieces[0]] = max(len(pieces), self.longest.get(pieces[0], 0))

    def join(self, pieces_BT: Tensor) -> tuple[Tensor, Tensor]:
        """The text in tokens of the predecessor [B, t], and the number of the token [B, T] that ends with each piece.

        -1 stands inside of a token. Pieces are joined from the left, as many as there is a token for, which is nearly
        always how the larger vocabulary cuts the text. Rows that become shorter than others end in any token.
        """
        rows, ends = [], []
        whole = self.tokens_W.tolist()
        for pieces in pieces_BT.tolist():
            row: list[int] = []
            end = [-1] * len(pieces)
            at = 0
            while at < len(pieces):
                length = min(self.longest.get(pieces[at], 1), len(pieces) - at)
                while length > 1 and tuple(pieces[at : at + length]) not in self.spelled:
                    length -= 1
                row.append(self.spelled[tuple(pieces[at : at + length])] if length > 1 else whole[pieces[at]])
                at += length
                end[at - 1] = len(row) - 1
            rows.append(row)
            ends.append(end)
        width = max(map(len, rows))
        padded = [row + [whole[0]] * (width - len(row)) for row in rows]
        return torch.tensor(padded, device=pieces_BT.device), torch.tensor(ends, device=pieces_BT.device)

    def first_pieces(self, tokens_NV: Tensor) -> Tensor:
        """Distributions [N, W] of the next piece from those [N, V] of the next token."""
        device, rows = tokens_NV.device, len(tokens_NV)
        dropped_ND = tokens_NV.index_select(1, self.dropped.to(device))
        pieces_NW = tokens_NV.index_select(1, self.tokens_W.to(device))
        return pieces_NW.scatter_add_(1, self.first.to(device).expand(rows, -1), dropped_ND)  # twice index_add_'s speed


def spell(larger: Tokenizer, smaller: Tokenizer) -> Spelling:
    """How the tokens of `larger` are spelled in `smaller`, which was trimmed from it."""
    kept = smaller.get_vocab()
    names = sorted(larger.get_vocab().items(), key=lambda entry: entry[1])
    return Spelling(
        [(kept[name],) if name in kept else [t.id for t in smaller.model.tokenize(name)] for name, _ in names]
    )
