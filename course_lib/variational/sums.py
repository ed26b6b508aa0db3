r"""Bounds and divergences that are finite sums: over a table of states, or along a grid."""

import torch
from jaxtyping import Float
from torch import Tensor


def table_elbo(log_joint: Float[Tensor, "n k"], q: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
    r"""The ELBO of any q over K hidden states, a finite sum.

    .. math:: \mathcal L_n = \sum_k q_n(k) \big( \log p(x_n, z_n = k) - \log q_n(k) \big)

    States with q_n(k) = 0 add nothing.

    Args:
        log_joint: \log p(x_n, z_n = k), shape (N, K), in nats.
        q: Probabilities, shape (N, K).

    Returns:
        Shape (N,), in nats; -inf where q gives weight to an impossible state.

    Raises:
        ValueError: The shapes differ, or a row of q is no probability distribution.

    Example:
        >>> log_joint, q = torch.tensor([[0.3, 0.1]]).log(), torch.tensor([[0.75, 0.25]])
        >>> table_elbo(log_joint, q).exp()
        tensor([0.4000])
    """
    _check_table("q", q, log_joint, "log_joint")
    terms = torch.where(q > 0, q * (log_joint - q.clamp(min=_tiny(q)).log()), 0)
    return terms.sum(-1)


def table_kl(q: Float[Tensor, "n k"], p: Float[Tensor, "n k"]) -> Float[Tensor, " n"]:
    r"""KL(q‖p) between rows of probabilities.

    .. math:: \mathrm{KL}_n = \sum_k q_n(k) \log \frac{q_n(k)}{p_n(k)}

    Returns:
        Shape (N,), in nats; inf where q gives weight to a state that p excludes.

    Raises:
        ValueError: The shapes differ, or a row is no probability distribution.
    """
    _check_table("p", p, q, "q")
    return -table_elbo(p.log(), q)


def log_integral(
    log_values: Float[Tensor, "*batch g"], grid: Float[Tensor, " g"]
) -> Float[Tensor, "*batch"]:
    r"""The logarithm of the integral of exp(log_values), by the trapezoidal rule.

    For a smooth density whose tails lie within an even grid the rule converges faster than any
    power of the spacing.

    Args:
        log_values: At the points of the grid, shape (*B, G).
        grid: In rising order, shape (G,).

    Returns:
        Shape (*B), in nats.

    Raises:
        ValueError: The grid does not rise, or the shapes do not fit.

    Example:
        >>> grid = torch.linspace(-9, 9, 101, dtype=torch.float64)
        >>> log_integral(-0.5 * grid**2, grid).exp() ** 2 / 2  # pi
        tensor(3.1416, dtype=torch.float64)
    """
    return torch.logsumexp(log_values + _log_cells(log_values, grid), -1)


def forward_kl(
    log_p: Float[Tensor, " g"], log_q: Float[Tensor, "*batch g"], grid: Float[Tensor, " g"]
) -> Float[Tensor, "*batch"]:
    r"""KL(p‖q) of densities of one variable, on a grid: q must cover all that p covers.

    Args:
        log_p: The target at the points of the grid, shape (G,); normalised here.
        log_q: One approximation or several, shape (*B, G); normalised here.
        grid: In rising order, shape (G,), wide enough to hold both.

    Returns:
        Shape (*B), in nats.

    Raises:
        ValueError: The grid does not rise, or the shapes do not fit.
    """
    return _grid_kl(log_p, log_q, grid)


def reverse_kl(
    log_p: Float[Tensor, " g"], log_q: Float[Tensor, "*batch g"], grid: Float[Tensor, " g"]
) -> Float[Tensor, "*batch"]:
    r"""KL(q‖p) of densities of one variable, on a grid: q must stay within what p covers.

    This is the one that variational inference minimises. Arguments as for `forward_kl`.

    Raises:
        ValueError: The grid does not rise, or the shapes do not fit.
    """
    return _grid_kl(log_q, log_p, grid)


def _grid_kl(
    log_a: Float[Tensor, "... g"], log_b: Float[Tensor, "... g"], grid: Float[Tensor, " g"]
) -> Float[Tensor, "..."]:
    log_a = log_a - log_integral(log_a, grid)[..., None]
    log_b = log_b - log_integral(log_b, grid)[..., None]
    mass = (log_a + _log_cells(log_a, grid)).exp()
    return torch.where(mass > 0, mass * (log_a - log_b), 0).sum(-1)


def _log_cells(
    log_values: Float[Tensor, "*batch g"], grid: Float[Tensor, " g"]
) -> Float[Tensor, " g"]:
    r"""Logarithms of the weights of the trapezoidal rule."""
    steps = grid.diff()
    if grid.ndim != 1 or len(grid) < 2 or not (steps > 0).all():
        raise ValueError(
            f"grid has shape {tuple(grid.shape)}; expected (G,) with at least two points in "
            "rising order"
        )
    if log_values.shape[-1:] != grid.shape:
        raise ValueError(
            f"the values have shape {tuple(log_values.shape)} and the grid has {len(grid)} points; "
            "expected one value per point in the last dimension"
        )
    zero = steps.new_zeros(1)
    return (0.5 * (torch.cat([steps, zero]) + torch.cat([zero, steps]))).log()


def _check_table(name: str, table: Tensor, other: Tensor, other_name: str) -> None:
    if table.ndim != 2 or table.shape != other.shape:
        raise ValueError(
            f"{name} has shape {tuple(table.shape)} and {other_name} {tuple(other.shape)}; "
            "expected (N, K) for both"
        )
    if (table < 0).any() or not ((table.sum(-1) - 1).abs() < 1e-3).all():
        raise ValueError(
            f"the rows of {name} sum to values from {table.sum(-1).min().item():.4g} to "
            f"{table.sum(-1).max().item():.4g}; expected probabilities, at least 0, summing to 1"
        )


def _tiny(value: Tensor) -> float:
    return torch.finfo(value.dtype).tiny
