r"""Networks for binary variables in any order: one linear map, and a deep one with masks."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Num
from torch import Tensor, nn
from torch.nn.functional import linear

from course_lib.autoregressive.likelihood import log_prob_from_logits, log_prob_per_dim
from course_lib.autoregressive.sampling import check_order, sample_sequentially
from course_lib.monte_carlo.checks import check_positive

PointsArray = Float[Tensor, "n d"]


class _Binary(nn.Module):
    r"""What models of D binary variables share, given `logits`.

    Attributes:
        dim: D.
        order: The numbers of the variables in the order in which they are drawn, shape (D,).
    """

    def __init__(self, dim: int, order: Sequence[int] | Tensor | None) -> None:
        super().__init__()
        check_positive(dim=dim)
        self.dim = dim
        self.register_buffer("order", check_order(order, dim))

    def logits(self, x: PointsArray) -> PointsArray:
        raise NotImplementedError

    def log_prob_per_dim(self, x: PointsArray) -> PointsArray:
        r"""\log p(x_d | x_{<d}) in nats, shape (N, D)."""
        return log_prob_per_dim(self.logits(x), x)

    def log_prob(self, x: PointsArray) -> Float[Tensor, " n"]:
        r"""The exact \log p(x) in nats, shape (N,).

        Values between 0 and 1 are not refused: what comes out is then the cross-entropy of grey
        levels, which is the logarithm of no probability.

        Raises:
            ValueError: `x` is not of shape (N, D).
        """
        return log_prob_from_logits(self.logits(x), x)

    @torch.no_grad()
    def sample(
        self,
        num_samples: int,
        *,
        temperature: float = 1.0,
        given: Num[Tensor, "..."] | None = None,
        known: Bool[Tensor, "..."] | None = None,
        generator: torch.Generator | None = None,
    ) -> PointsArray:
        r"""Draw (S, D) values that are 0 or 1, in D passes: see `sample_sequentially`."""
        return sample_sequentially(
            self.logits,
            (self.dim,),
            num_samples,
            temperature=temperature,
            given=None if given is None else given.to(self._weight()),
            known=known,
            order=self.order,
            generator=generator,
            dtype=self._weight().dtype,
            device=self._weight().device,
        )

    def _weight(self) -> Tensor:
        return next(self.parameters())

    def _check(self, x: Tensor) -> None:
        if x.ndim != 2 or x.shape[1] != self.dim:
            raise ValueError(
                f"x has shape {tuple(x.shape)}; expected (N, {self.dim}): flatten images by "
                "x.flatten(1)"
            )


class LogisticAutoregression(_Binary):
    r"""Every variable is a logistic regression on those before it: one masked linear map.

    .. math:: a_d = b_d + \sum_{d' \text{ before } d} W_{dd'} x_{d'}, \qquad
        p(x_d = 1 \mid x_{<d}) = \mathrm{sigmoid}(a_d)

    The negative log-likelihood is convex in W and b. Both start at 0: every vector is then equally
    probable.

    Args:
        dim: D.
        order: The numbers of the variables, first to last; `None` is 0, …, D−1.

    Raises:
        ValueError: `dim` is not positive, or `order` does not hold each of 0, …, D−1 once.

    Reference:
        Neal (1992), "Connectionist learning of belief networks"; Frey, Hinton and Dayan (1996),
        "Does the wake-sleep algorithm produce good density estimators?", where it is called a
        fully visible belief network.

    Example:
        >>> LogisticAutoregression(3).log_prob(torch.tensor([[0.0, 1.0, 1.0]]))  # 3 log ½
        tensor([-2.0794], grad_fn=<SumBackward1>)
    """

    def __init__(self, dim: int, *, order: Sequence[int] | Tensor | None = None) -> None:
        super().__init__(dim, order)
        rank = _rank(self.order)
        self.weight = nn.Parameter(torch.zeros(dim, dim))
        self.bias = nn.Parameter(torch.zeros(dim))
        self.register_buffer("mask", rank[:, None] > rank)

    def logits(self, x: PointsArray) -> PointsArray:
        r"""The D logits a_d, of which each depends on the variables before it; shape (N, D)."""
        self._check(x)
        return linear(x, self.weight * self.mask, self.bias)


class MADE(_Binary):
    r"""A dense network whose output d depends on the variables before d alone, by masks.

    Every unit has a degree: the place of a variable in the order; of a hidden unit, the number of
    variables that it may see, spread evenly over 1, …, D−1. A hidden unit is connected to what has
    at most its own degree, an output to what has less. An output also has direct connections to
    the variables before it, so that the first variables, which few hidden units may see, lose
    nothing.

    Args:
        dim: D.
        hidden: Widths of the hidden layers.
        order: The numbers of the variables, first to last; `None` is 0, …, D−1.

    Raises:
        ValueError: A size is not positive, there is no hidden layer, or `order` does not hold each
            of 0, …, D−1 once.

    Reference:
        Germain, Gregor, Murray and Larochelle (2015), "MADE: masked autoencoder for distribution
        estimation", arXiv:1502.03509. The masks are those of section 3 and 4; degrees are not
        drawn but spread.

    Example:
        >>> made = MADE(9, hidden=(64,))
        >>> every = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 9)  # all 512 vectors
        >>> made.log_prob(every).logsumexp(0).abs() < 1e-4
        tensor(True)
    """

    def __init__(
        self,
        dim: int,
        *,
        hidden: Sequence[int] = (500,),
        order: Sequence[int] | Tensor | None = None,
    ) -> None:
        super().__init__(dim, order)
        check_positive(**{f"hidden[{layer}]": width for layer, width in enumerate(hidden)})
        if not hidden:
            raise ValueError("hidden is empty; expected a width, or take LogisticAutoregression")
        place = _rank(self.order) + 1
        degrees = [place, *(_degrees(width, dim) for width in hidden)]
        self.layers = nn.ModuleList(
            _MaskedLinear(after[:, None] >= before) for before, after in pairwise(degrees)
        )
        self.output = _MaskedLinear(place[:, None] > degrees[-1])
        self.direct = _MaskedLinear(place[:, None] > place, bias=False)
        nn.init.zeros_(self.direct.weight)

    def logits(self, x: PointsArray) -> PointsArray:
        r"""The D logits, of which each depends on the variables before it; shape (N, D)."""
        self._check(x)
        h = x
        for layer in self.layers:
            h = layer(h).relu()
        return self.output(h) + self.direct(x)


class _MaskedLinear(nn.Linear):
    r"""A linear map with the weights set to zero where `mask` (outputs, inputs) is False."""

    def __init__(self, mask: Bool[Tensor, "outputs inputs"], *, bias: bool = True) -> None:
        outputs, inputs = mask.shape
        super().__init__(inputs, outputs, bias=bias, device=mask.device)
        self.register_buffer("mask", mask)

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, self.weight * self.mask, self.bias)


def _rank(order: Tensor) -> Tensor:
    r"""The place of each variable in the order, 0 for the first."""
    return order.argsort()


def _degrees(width: int, dim: int) -> Tensor:
    r"""From 1 to D−1, as evenly as can be."""
    return 1 + torch.arange(width) * max(dim - 1, 1) // width
