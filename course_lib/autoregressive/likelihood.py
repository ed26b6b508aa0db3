r"""The log-likelihood from the logits of the conditionals, whatever the network."""

from jaxtyping import Float, Num
from torch import Tensor
from torch.nn.functional import logsigmoid


def log_prob_per_dim(
    logits: Float[Tensor, "..."], x: Num[Tensor, " n *shape"]
) -> Float[Tensor, " n *shape"]:
    r"""\log p(x_d | x_{<d}) of every variable, in nats.

    Args:
        logits: Of the shape of `x` for binary variables; with one dimension more, (N, \*shape, K),
            for variables with the values 0, …, K−1.
        x: Shape (N, \*shape).

    Returns:
        Shape (N, \*shape).

    Raises:
        ValueError: The shapes do not belong together.
    """
    if logits.shape == x.shape:
        x = x.to(logits.dtype)
        return x * logsigmoid(logits) + (1 - x) * logsigmoid(-logits)
    if logits.shape[:-1] != x.shape:
        raise ValueError(
            f"logits have shape {tuple(logits.shape)} and x {tuple(x.shape)}; expected logits of "
            "the shape of x, or with one dimension more, which holds the K values"
        )
    return logits.log_softmax(-1).gather(-1, x.long()[..., None])[..., 0]


def log_prob_from_logits(
    logits: Float[Tensor, "..."], x: Num[Tensor, " n *shape"]
) -> Float[Tensor, " n"]:
    r"""\log p(x), the sum of `log_prob_per_dim` over the variables of each example, in nats.

    Example:
        >>> import torch
        >>> log_prob_from_logits(torch.zeros(2, 3, 3), torch.ones(2, 3, 3))  # 9 log ½
        tensor([-6.2383, -6.2383])
        >>> log_prob_from_logits(torch.zeros(1, 3, 4), torch.tensor([[0, 3, 1]]))  # 3 log ¼
        tensor([-4.1589])
    """
    return log_prob_per_dim(logits, x).flatten(1).sum(1)
