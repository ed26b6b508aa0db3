r"""The nearest code, in memory that does not grow with points times codes."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

SCORES_AT_ONCE = {"cpu": 2**19}  # what a core's cache holds; elsewhere few large steps are better
MOST_SCORES = 2**24
PAIRS_AT_ONCE = 2**14  # of a vector and a code
TOLERANCE = 1e-3  # of a squared distance
BLOCK = 32  # codes among which the nearest is found at once


@torch.no_grad()
def nearest_code(
    z: Float[Tensor, "*batch m"], codebook: Float[Tensor, "k m"]
) -> Int[Tensor, "*batch"]:
    r"""The index of the code nearest to each vector.

    .. math:: \arg\min_k \Vert z - e_k \Vert^2 = \arg\min_k \big( \Vert e_k \Vert^2 - 2 z^\top e_k
        \big)

    The right side is a matrix product. Far from the origin it is the small difference of large
    numbers, so both are moved first, by the mean of the codebook; and where the distance found is
    still not large next to rounding, the codes in question are compared by differences. The scores
    of a thousand vectors or so are held at a time, never those of all: memory grows with N + K, not
    with N K.

    Args:
        z: Vectors, shape (*B, M).
        codebook: e_k, shape (K, M).

    Returns:
        Shape (*B,), values from 0 to K − 1. The squared distance to this code is the smallest, but
        for a thousandth at most.

    Raises:
        ValueError: The shapes or types do not fit, or the codebook is empty.

    Example:
        >>> nearest_code(torch.tensor([[0.9, 0.1], [0.2, 3.0]]), torch.eye(2))
        tensor([0, 1])
    """
    check_codebook(codebook)
    check_vectors("z", z, codebook.shape[1], codebook.dtype)
    flat, num_codes = z.reshape(-1, z.shape[-1]), len(codebook)
    centre = codebook.mean(0)
    directions, squares = _score_terms(codebook - centre)
    largest = squares[:num_codes].amax()
    width = len(squares)
    rows = max(1, min(len(flat), SCORES_AT_ONCE.get(z.device.type, MOST_SCORES) // width))
    buffer = flat.new_empty(rows, width)

    def scores_of(moved: Tensor) -> Tensor:
        return torch.addmm(squares, moved, directions.mT, out=buffer[: len(moved)])

    parts, bounds, doubts = [], [], []
    for part in flat.split(rows):
        moved = part - centre
        scores = scores_of(moved)
        found = _argmin(scores)
        norms = moved.square().sum(1)
        distance = norms + scores.gather(1, found[:, None]).squeeze(1)
        bounds.append(4 * torch.finfo(z.dtype).eps * (norms + largest))  # of a score's rounding
        doubts.append(TOLERANCE * distance < bounds[-1])
        parts.append(found)
    indices, bound = torch.cat(parts), torch.cat(bounds)
    # a second look, by differences, at whatever rounding may have decided
    for doubtful in torch.cat(doubts).nonzero().squeeze(1).split(rows):
        again = flat[doubtful]
        scores = scores_of(again - centre)
        margin = scores.amin(1, keepdim=True) + 8 * bound[doubtful, None]
        indices[doubtful] = _nearest_of(again, codebook, (scores <= margin)[:, :num_codes])
    return indices.reshape(z.shape[:-1])


def _nearest_of(
    z: Float[Tensor, "n m"], codebook: Float[Tensor, "k m"], near: Bool[Tensor, "n k"]
) -> Int[Tensor, " n"]:
    r"""The nearest among the marked codes, by differences: slower, and right to the last digits."""
    row, code = near.nonzero().unbind(1)
    distances = z.new_full(near.shape, torch.inf)
    for rows, codes in zip(row.split(PAIRS_AT_ONCE), code.split(PAIRS_AT_ONCE), strict=True):
        distances[rows, codes] = (z[rows] - codebook[codes]).square().sum(1)
    return distances.argmin(1)


def _score_terms(codebook: Float[Tensor, "k m"]) -> tuple[Tensor, Tensor]:
    r"""−2 e_k and ‖e_k‖², and after them codes that are infinitely far, up to whole blocks."""
    num_codes, latent_dim = codebook.shape
    width = -(-num_codes // BLOCK) * BLOCK
    directions = codebook.new_zeros(width, latent_dim)
    squares = codebook.new_full((width,), torch.inf)
    torch.mul(codebook, -2, out=directions[:num_codes])
    torch.sum(codebook.square(), 1, out=squares[:num_codes])
    return directions, squares


def _argmin(scores: Float[Tensor, "n k"]) -> Int[Tensor, " n"]:
    r"""`scores.argmin(1)`, three times as fast on a CPU: first the best block, then within it.

    A minimum is found many numbers at a time, the place of a minimum one by one.
    """
    num_rows, width = scores.shape
    num_blocks = width // BLOCK
    block = scores.reshape(num_rows, num_blocks, BLOCK).amin(2).argmin(1)
    rows = torch.arange(num_rows, device=scores.device)
    inside = scores.reshape(-1, BLOCK).index_select(0, rows * num_blocks + block).argmin(1)
    return block * BLOCK + inside


def check_codebook(codebook: Tensor) -> None:
    r"""Refuse a codebook of a wrong shape or type."""
    if codebook.ndim != 2 or 0 in codebook.shape or not codebook.is_floating_point():
        raise ValueError(
            f"codebook has shape {tuple(codebook.shape)} and type {codebook.dtype}; expected "
            "(K, M), one row for each code, of floating-point numbers"
        )


def check_vectors(name: str, z: Tensor, latent_dim: int, dtype: torch.dtype) -> None:
    r"""Refuse vectors of another length or type; their values are not looked at."""
    if z.ndim == 0 or z.shape[-1] != latent_dim or z.dtype != dtype:
        raise ValueError(
            f"{name} has shape {tuple(z.shape)} and type {z.dtype}; expected (*B, {latent_dim}), "
            f"the M values of a vector last, of type {dtype}: move the channels of a convolution "
            "to the end with .movedim(1, -1)"
        )
