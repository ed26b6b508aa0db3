r"""What an output of a network sees of its input."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor

from course_lib.autoregressive.sampling import LogitsFunction, check_logits, sizes
from course_lib.monte_carlo.checks import check_positive


@torch.no_grad()
def receptive_field(
    logits_fn: LogitsFunction,
    shape: Sequence[int],
    *,
    position: Sequence[int] | None = None,
    num_values: int = 2,
    num_probes: int = 4,
    tolerance: float = 1e-5,
    chunk_size: int = 256,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
    generator: torch.Generator | None = None,
) -> Bool[Tensor, "*shape"]:
    r"""What the output at one position sees, found by changing one value at a time.

    At random values, every variable in turn gets another value, and the output at `position` is
    compared. This is exact up to `tolerance` for the function as it is: a connection whose weight
    is 0 does not count, and one that is silent at all probes is not seen.

    Args:
        logits_fn: From values (N, \*shape) to logits (N, \*shape) or (N, \*shape, K).
        shape: Of one example: (D,), or (H, W).
        position: Of the output; `None` is the middle.
        num_values: K, the number of values that a variable can take.
        num_probes: Random examples at which to look.
        tolerance: A smaller change of the output, relative to the size of the output, is rounding.
        chunk_size: Examples in one call.
        dtype: Of the values; `None` is torch's default. Codes for an embedding are int64.
        device: Where the model is; `None` is torch's default.
        generator: On any device.

    Returns:
        True at every position that changes the output, shape `shape`.

    Raises:
        ValueError: A size is not positive, or `position` does not lie in `shape`.

    Example:
        >>> receptive_field(lambda x: x.cumsum(1) - x, (5,), position=(3,))
        tensor([ True,  True,  True, False, False])
    """
    shape = tuple(shape)
    check_positive(num_probes=num_probes, num_values=num_values - 1, **sizes(shape))
    position = tuple(size // 2 for size in shape) if position is None else tuple(position)
    if len(position) != len(shape) or not all(
        0 <= i < n for i, n in zip(position, shape, strict=True)
    ):
        raise ValueError(f"position is {position}; expected one inside the shape {shape}")
    dim = int(torch.Size(shape).numel())
    seen = torch.zeros(dim, dtype=torch.bool)
    for _ in range(num_probes):
        draws = torch.randint(
            num_values, (2, dim), generator=generator, device=getattr(generator, "device", device)
        ).to(device)
        base = draws[0].to(dtype or torch.get_default_dtype())
        # another value: 1 to K−1 further on, in a circle
        other = (draws[0] + 1 + draws[1] % (num_values - 1)) % num_values
        before = _output(logits_fn, base[None], shape, position)
        for chunk in torch.arange(dim).split(chunk_size):
            chunk = chunk.to(base.device)
            x = base.repeat(len(chunk), 1)
            x[torch.arange(len(chunk), device=x.device), chunk] = other[chunk].to(x.dtype)
            change = (_output(logits_fn, x, shape, position) - before).abs().amax(1)
            seen[chunk.cpu()] |= (change > tolerance * (1 + before.abs().max())).cpu()
    return seen.view(shape)


def _output(
    logits_fn: LogitsFunction, x: Tensor, shape: tuple[int, ...], position: tuple[int, ...]
) -> Tensor:
    r"""The output at the position for flat examples (N, D), shape (N, 1) or (N, K)."""
    x = x.view(-1, *shape)
    return check_logits(logits_fn(x), x)[(slice(None), *position)].reshape(len(x), -1)
