r"""How many codes are in use, and how many bits codes cost under simple models of them."""

import io
import math

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from course_lib.monte_carlo.checks import check_positive

Codes = Int[Tensor, "n h w"]


def perplexity(indices: Int[Tensor, "..."], num_codes: int) -> float:
    r"""The number of equally frequent codes that would be as uncertain as these.

    .. math:: \exp\Big( -\sum_k \hat p_k \log \hat p_k \Big), \qquad
        \hat p_k = \text{share of code } k, \quad 0 \log 0 = 0

    It is 1 when one code does everything, and K when all are used alike. It grows with the number
    of indices: report it over a whole data set, not over a batch.

    Args:
        indices: Chosen codes, any shape, at least one.
        num_codes: K.

    Raises:
        ValueError: `indices` is empty, or holds a value outside 0 … K − 1.

    Example:
        >>> round(perplexity(torch.tensor([0, 1, 1, 0, 5, 5]), 8), 4)
        3.0
    """
    shares = _counts(indices, num_codes) / indices.numel()
    return math.exp(torch.special.entr(shares).sum().item())


def codes_in_use(indices: Int[Tensor, "..."], num_codes: int) -> int:
    r"""How many of the K codes occur at all.

    Raises:
        ValueError: As in `perplexity`.
    """
    return int((_counts(indices, num_codes) > 0).sum())


def uniform_bits(codes: Codes, num_codes: int) -> Float[Tensor, " n"]:
    r"""Bits per image if every code were equally likely: h w \log_2 K, shape (N,).

    Raises:
        ValueError: `codes` is no map of codes, or holds a value outside 0 … K − 1.
    """
    _check_codes("codes", codes, num_codes)
    bits = codes[0].numel() * math.log2(num_codes)
    return torch.full((len(codes),), bits, device=codes.device)


def unigram_bits(
    train_codes: Int[Tensor, "t h w"], codes: Codes, num_codes: int, *, pseudo_count: float = 1.0
) -> Float[Tensor, " n"]:
    r"""Bits per image under the frequencies of the codes, the same at every position.

    .. math:: -\sum_{ij} \log_2 \hat p(k_{ij}), \qquad
        \hat p(k) = \frac{N_k + a}{\sum_j N_j + a K}

    Args:
        train_codes: Where the frequencies are counted, shape (T, h, w).
        codes: What is coded, shape (N, h, w).
        num_codes: K.
        pseudo_count: a, added to every count: a code never seen in training has a finite price.

    Returns:
        Shape (N,), in bits.

    Raises:
        ValueError: The maps are malformed or differ in size, or `pseudo_count` is not positive.

    Example:
        >>> codes = torch.tensor([[[0, 1]]])
        >>> unigram_bits(codes, codes, 2)  # two coins
        tensor([2.])
    """
    _check_both(train_codes, codes, num_codes, pseudo_count)
    counts = _counts(train_codes, num_codes) + pseudo_count
    price = -(counts / counts.sum()).log2()
    return price[codes].sum((1, 2)).to(torch.get_default_dtype())


def position_bits(
    train_codes: Int[Tensor, "t h w"], codes: Codes, num_codes: int, *, pseudo_count: float = 1.0
) -> Float[Tensor, " n"]:
    r"""Bits per image under the frequencies of the codes, counted for each position by itself.

    Like `unigram_bits`, with its arguments and errors; what this model still ignores is how
    positions depend on one another.

    Returns:
        Shape (N,), in bits.
    """
    _check_both(train_codes, codes, num_codes, pseudo_count)
    num_positions = codes[0].numel()
    place = torch.arange(num_positions, device=codes.device) * num_codes  # a counter for each
    train_cells, cells = (part.flatten(1) + place for part in (train_codes, codes))
    counts = _counts(train_cells, num_positions * num_codes) + pseudo_count
    totals = len(train_codes) + pseudo_count * num_codes
    price = -(counts / totals).log2()
    return price[cells].sum(1).to(torch.get_default_dtype())


def png_bits(images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
    r"""Bits of each image as a PNG file, the whole file counted: 456 of them are headers.

    PNG keeps every pixel, so compare it with a code plus what the code leaves out.

    Args:
        images: Grey (C = 1) or colour (C = 3) values from 0 to 255, shape (N, C, H, W).

    Returns:
        Shape (N,), in bits.

    Raises:
        ValueError: `images` is of another shape or type.
    """
    from PIL import Image

    if images.ndim != 4 or images.shape[1] not in (1, 3) or images.dtype != torch.uint8:
        raise ValueError(
            f"images have shape {tuple(images.shape)} and type {images.dtype}; expected "
            "(N, 1 or 3, H, W) whole numbers of type torch.uint8"
        )
    sizes = []
    for pixels in images.movedim(1, -1).squeeze(-1).cpu().numpy():
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG", optimize=True)
        sizes.append(8.0 * file.tell())
    return torch.tensor(sizes, device=images.device)


def _counts(indices: Tensor, num_codes: int) -> Float[Tensor, " k"]:
    r"""How often each code occurs, in double precision."""
    _check_indices("indices", indices, num_codes)
    return torch.bincount(indices.flatten(), minlength=num_codes).double()


def _check_both(train_codes: Tensor, codes: Tensor, num_codes: int, pseudo_count: float) -> None:
    check_positive(pseudo_count=pseudo_count)
    _check_codes("train_codes", train_codes, num_codes)
    _check_codes("codes", codes, num_codes)
    if train_codes.shape[1:] != codes.shape[1:]:
        raise ValueError(
            f"train_codes and codes are maps of {tuple(train_codes.shape[1:])} and "
            f"{tuple(codes.shape[1:])}; expected the same size"
        )


def _check_codes(name: str, codes: Tensor, num_codes: int) -> None:
    if codes.ndim != 3:
        raise ValueError(
            f"{name} has shape {tuple(codes.shape)}; expected (N, h, w), a map of codes per image"
        )
    _check_indices(name, codes, num_codes)


def _check_indices(name: str, indices: Tensor, num_codes: int) -> None:
    check_positive(num_codes=num_codes)
    whole = not (indices.is_floating_point() or indices.dtype == torch.bool)
    if whole and indices.numel() and 0 <= indices.min() <= indices.max() < num_codes:
        return
    raise ValueError(
        f"{name} has shape {tuple(indices.shape)} and type {indices.dtype}; expected at least one "
        f"whole number, all of them from 0 to {num_codes - 1}"
    )
