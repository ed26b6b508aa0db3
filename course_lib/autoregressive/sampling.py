r"""Draws from any autoregressive model: one variable after the other."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float, Num
from torch import Tensor

from course_lib.monte_carlo.checks import check_positive

LogitsFunction = Callable[[Tensor], Tensor]


@torch.no_grad()
def sample_sequentially(
    logits_fn: LogitsFunction,
    shape: Sequence[int],
    num_samples: int,
    *,
    temperature: float = 1.0,
    given: Num[Tensor, "..."] | None = None,
    known: Bool[Tensor, "..."] | None = None,
    order: Sequence[int] | Tensor | None = None,
    generator: torch.Generator | None = None,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Num[Tensor, " s *shape"]:
    r"""Draw from any autoregressive model, one call of it for each variable that is not known.

    Known values are kept, and those not drawn yet are 0. A value that is known can only influence
    variables that come later in the order. So the draws follow p(x | known values) where all of
    those come first; elsewhere they do not.

    Args:
        logits_fn: From values (S, \*shape) to logits of the same shape (variables are 0 or 1), or
            to (S, \*shape, K) (variables are 0, …, K−1).
        shape: Of one example: (D,), or (H, W).
        num_samples: S.
        temperature: Divides the logits: 1 draws from the model, less makes probable values more
            probable.
        given: Values to keep; any shape that broadcasts with (S, \*shape).
        known: True where `given` is kept, of shape `shape`.
        order: The numbers of the variables, first to last, counted row by row; `None` is that
            order itself.
        generator: On any device.
        dtype: Of the values; `None` is that of `given`, or torch's default.
        device: Where the values are; `None` is the device of `given`, or torch's default.

    Returns:
        Shape (S, \*shape).

    Raises:
        ValueError: A size or `temperature` is not positive, `given` comes without `known` or the
            other way round, a shape does not fit, or `order` does not hold every variable once.

    Example:
        >>> given, known = torch.tensor([1, 0, 0]), torch.tensor([True, False, False])
        >>> repeat = lambda x: 50 * (2 * x.roll(1, 1) - 1.0)  # each variable equals the one before
        >>> sample_sequentially(repeat, (3,), 2, given=given, known=known)
        tensor([[1, 1, 1],
                [1, 1, 1]])
    """
    shape = tuple(shape)
    check_positive(num_samples=num_samples, temperature=temperature, **sizes(shape))
    dim = int(torch.Size(shape).numel())
    x = _start(given, known, (num_samples, *shape), dtype, device)
    is_known = torch.zeros(dim, dtype=torch.bool) if known is None else known.flatten().cpu()
    flat = x.view(num_samples, dim)
    for place in check_order(order, dim).tolist():
        if is_known[place]:
            continue
        logits = check_logits(logits_fn(x), x)
        kinds = () if logits.shape == x.shape else logits.shape[-1:]
        logits = logits.reshape(num_samples, dim, *kinds)[:, place]
        value = draw_from_logits(logits, temperature=temperature, generator=generator)
        flat[:, place] = value.to(x.dtype)
    return x


def draw_from_logits(
    logits: Float[Tensor, " s *k"],
    *,
    temperature: float = 1.0,
    generator: torch.Generator | None = None,
) -> Num[Tensor, " s"]:
    r"""Draw one variable for each of S examples: (S,) are logits of a 1, (S, K) those of K values.

    The generator may live on any device. A value whose logit is −inf is never drawn.

    Returns:
        Whole numbers, shape (S,).

    Example:
        >>> draw_from_logits(torch.tensor([[-torch.inf, 0.0, -torch.inf]]))
        tensor([1])
    """
    place = logits.device if generator is None else generator.device
    uniform = torch.rand(logits.shape, generator=generator, device=place, dtype=logits.dtype)
    uniform = uniform.to(logits.device)
    if logits.ndim == 1:
        return (uniform < (logits / temperature).sigmoid()).long()
    # the largest of logit plus Gumbel noise is a draw from the softmax
    return (logits / temperature - torch.log(-torch.log(uniform))).argmax(-1)


def check_order(order: Sequence[int] | Tensor | None, dim: int) -> Tensor:
    r"""The order as a tensor (D,), refused unless it holds every variable once."""
    if order is None:
        return torch.arange(dim)
    order = torch.as_tensor(order)
    if order.shape != (dim,) or not torch.equal(order.sort().values.cpu(), torch.arange(dim).cpu()):
        raise ValueError(
            f"order has shape {tuple(order.shape)}; expected each of 0, …, {dim - 1} exactly once"
        )
    return order.long()


def check_logits(logits: Tensor, x: Tensor) -> Tensor:
    r"""The logits, refused where they do not belong to values of the shape of x."""
    if logits.shape != x.shape and logits.shape[:-1] != x.shape:
        raise ValueError(
            f"logits_fn gave the shape {tuple(logits.shape)} for values {tuple(x.shape)}; expected "
            "the same shape, or one dimension more for the K values"
        )
    return logits


def sizes(shape: tuple[int, ...]) -> dict[str, int]:
    r"""The sizes by name, for `check_positive`."""
    return {f"shape[{axis}]": size for axis, size in enumerate(shape)}


def _start(
    given: Tensor | None,
    known: Tensor | None,
    shape: tuple[int, ...],
    dtype: torch.dtype | None,
    device: torch.device | str | None,
) -> Tensor:
    r"""The known values, and 0 elsewhere."""
    if given is None and known is None:
        return torch.zeros(shape, dtype=dtype, device=device)
    if given is None or known is None:
        raise ValueError(
            "given and known belong together: the values to keep, and True where to keep them"
        )
    if known.shape != shape[1:]:
        raise ValueError(
            f"known has shape {tuple(known.shape)}; expected that of one example, {shape[1:]}"
        )
    if given.ndim > len(shape) or any(
        size not in (1, wanted)
        for size, wanted in zip(given.shape[::-1], shape[::-1], strict=False)
    ):
        raise ValueError(
            f"given has shape {tuple(given.shape)}; expected one that broadcasts with {shape}"
        )
    given = given.to(device=device or given.device, dtype=dtype or given.dtype).expand(shape)
    return torch.where(known.to(given.device), given, torch.zeros_like(given))
