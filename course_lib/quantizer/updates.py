r"""What moves codes without a gradient: moving averages, and the revival of dead codes."""

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, distributed

from course_lib.quantizer.nearest import check_codebook, check_vectors


@torch.no_grad()
def ema_update(
    codebook: Float[Tensor, "k m"],
    cluster_size: Float[Tensor, " k"],
    z: Float[Tensor, "n m"],
    indices: Int[Tensor, " n"],
    *,
    decay: float = 0.99,
) -> tuple[Float[Tensor, "k m"], Float[Tensor, " k"]]:
    r"""One step of the moving averages.

    With n_k vectors of mean \bar z_k choosing code k,

    .. math:: N_k \leftarrow \gamma N_k + (1 - \gamma) n_k, \qquad
        e_k \leftarrow e_k + \frac{(1 - \gamma) n_k}{N_k} (\bar z_k - e_k)

    This is m_k / N_k with a moving average m_k of the sums, as it is usually written. In this form
    a code that nobody chose stays where it is, bit for bit, whatever its N_k; and a code with
    N_k = 0, which has no past, goes straight to the mean of those who chose it.

    Args:
        codebook: e_k, shape (K, M).
        cluster_size: N_k, shape (K,), at least 0; zeros at the start.
        z: What the encoder wrote, shape (N, M).
        indices: Which code each vector chose, shape (N,).
        decay: \gamma, at least 0 and below 1.

    Returns:
        The new codebook (K, M) and cluster sizes (K,).

    Raises:
        ValueError: The shapes or types do not fit, or `decay` is out of range.

    Reference:
        Van den Oord et al. (2017), appendix A.1.

    Example:
        >>> codebook, size = torch.tensor([[0.0], [9.0]]), torch.tensor([4.0, 4.0])
        >>> ema_update(codebook, size, torch.ones(4, 1), torch.zeros(4).long(), decay=0.75)
        (tensor([[0.2500],
                [9.0000]]), tensor([4., 3.]))
    """
    check_decay(decay)
    _check_counts("cluster_size", cluster_size, codebook)
    _check_points(z, codebook)
    if indices.shape != z.shape[:1]:
        raise ValueError(
            f"indices has shape {tuple(indices.shape)}; expected ({len(z)},), one code for each "
            "row of z"
        )
    num_codes = len(codebook)
    counts = over_devices(torch.bincount(indices, minlength=num_codes).to(z.dtype))
    sums = over_devices(torch.zeros_like(codebook).index_add_(0, indices, z))
    size = decay * cluster_size + (1 - decay) * counts
    share = (1 - decay) * counts / size.clamp(min=torch.finfo(size.dtype).tiny)
    mean = sums / counts.clamp(min=1)[:, None]
    return codebook + share[:, None] * (mean - codebook), size


@torch.no_grad()
def revive_dead_codes(
    codebook: Float[Tensor, "k m"],
    counts: Shaped[Tensor, " k"],
    z: Float[Tensor, "n m"],
    *,
    threshold: float = 1.0,
    generator: torch.Generator | None = None,
) -> tuple[Float[Tensor, "k m"], int]:
    r"""Put codes that are hardly chosen at random vectors of a batch.

    Args:
        codebook: e_k, shape (K, M).
        counts: How often each code was chosen, shape (K,); numbers or moving averages.
        z: What the encoder wrote, shape (N, M).
        threshold: A code with a smaller count is dead; 1 for those that nobody chose.
        generator: Of the draws, on the device of `z`.

    Returns:
        A new codebook, in which the other codes are the same, and how many codes were revived. No
        vector is used twice, so with fewer vectors than dead codes the last of these stay dead.

    Raises:
        ValueError: The shapes or types do not fit.

    Reference:
        Dhariwal et al. (2020), "Jukebox", section 3.2, arXiv:2005.00341.

    Example:
        >>> codebook, counts = torch.zeros(3, 2), torch.tensor([5, 0, 7])
        >>> revive_dead_codes(codebook, counts, torch.ones(4, 2))
        (tensor([[0., 0.],
                [1., 1.],
                [0., 0.]]), 1)
    """
    _check_counts("counts", counts, codebook)
    _check_points(z, codebook)
    dead = (counts < threshold).nonzero().squeeze(1)
    chosen = torch.randperm(len(z), generator=generator, device=z.device)[: len(dead)]
    revived = codebook.detach().clone()
    revived[dead[: len(chosen)]] = z[chosen]
    return revived, len(chosen)


def over_devices(share: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    r"""The sum over the devices of a run, of which each sees a share of the batch."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.all_reduce(share)
    return share


def from_first_device(values: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    r"""What the first device of a run has, where each has its own."""
    values = values.contiguous()
    if distributed.is_available() and distributed.is_initialized():
        distributed.broadcast(values, 0)
    return values


def check_decay(decay: float) -> None:
    if not 0 <= decay < 1:
        raise ValueError(
            f"decay is {decay}; expected at least 0 and below 1: the weight of the past, such as "
            "0.99"
        )


def _check_counts(name: str, counts: Tensor, codebook: Tensor) -> None:
    check_codebook(codebook)
    if counts.shape != codebook.shape[:1]:
        raise ValueError(
            f"{name} has shape {tuple(counts.shape)}; expected ({len(codebook)},), one number for "
            "each code"
        )


def _check_points(z: Tensor, codebook: Tensor) -> None:
    check_vectors("z", z, codebook.shape[1], codebook.dtype)
    if z.ndim != 2:
        raise ValueError(
            f"z has shape {tuple(z.shape)}; expected (N, M), one row for each vector: "
            "z.reshape(-1, M)"
        )
