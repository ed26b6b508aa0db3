r"""A model of binary hidden values small enough to enumerate: every expectation is a finite sum."""

import itertools

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from course_lib.mixture.params import check_finite, check_points, check_same_kind

MAX_LATENT_DIM = 16  # 65 536 states


class BinaryLatentModel:
    r"""M binary hidden values, D binary observed ones: a sigmoid belief network of one layer.

    .. math:: z_m \sim \mathrm{Bernoulli}(\mathrm{sigmoid}(c_m)), \qquad
        x_d \mid z \sim \mathrm{Bernoulli}(\mathrm{sigmoid}((W z + b)_d))

    Several hidden values can explain the same x, so they depend on one another once x is seen: the
    posterior does not factorise. States are counted with the last hidden value changing fastest.

    Attributes:
        weight: W, shape (D, M).
        bias: b, shape (D,).
        prior_logits: c, shape (M,).

    Raises:
        ValueError: The shapes do not fit, a value is not finite, or M is above 16.

    Reference:
        Neal (1992), "Connectionist learning of belief networks", Artificial Intelligence 56.
    """

    def __init__(
        self,
        weight: Float[Tensor, "d m"],
        bias: Float[Tensor, " d"],
        prior_logits: Float[Tensor, " m"],
    ) -> None:
        if tuple(weight.shape) != (*bias.shape, *prior_logits.shape) or weight.ndim != 2:
            raise ValueError(
                f"weight, bias and prior_logits have shapes {tuple(weight.shape)}, "
                f"{tuple(bias.shape)} and {tuple(prior_logits.shape)}; expected (D, M), (D,), (M,)"
            )
        if not 1 <= weight.shape[1] <= MAX_LATENT_DIM:
            raise ValueError(
                f"there are {weight.shape[1]} hidden values; expected 1 to {MAX_LATENT_DIM}, "
                "because all 2^M states are listed"
            )
        check_same_kind(weight=weight, bias=bias, prior_logits=prior_logits)
        check_finite(weight=weight, bias=bias, prior_logits=prior_logits)
        self.weight, self.bias, self.prior_logits = weight, bias, prior_logits

    @property
    def dim(self) -> int:
        r"""D."""
        return self.weight.shape[0]

    @property
    def latent_dim(self) -> int:
        r"""M."""
        return self.weight.shape[1]

    def states(self) -> Float[Tensor, "k m"]:
        r"""All 2^M states of z, one per row."""
        rows = list(itertools.product([0.0, 1.0], repeat=self.latent_dim))
        return torch.tensor(rows, dtype=self.weight.dtype, device=self.weight.device)

    def log_joint(
        self, x: Float[Tensor, "n d"], z: Float[Tensor, "*samples n m"]
    ) -> Float[Tensor, "*samples n"]:
        r"""\log p(x_n, z_{sn}), shape (*S, N), in nats.

        Raises:
            ValueError: `x` or `z` is malformed.
        """
        self._check(x)
        if tuple(z.shape[-2:]) != (len(x), self.latent_dim):
            raise ValueError(
                f"z has shape {tuple(z.shape)}; expected (N, M) = ({len(x)}, {self.latent_dim}), "
                "or (S, N, M) with the draws first"
            )
        logits = z @ self.weight.mT + self.bias
        return _log_bernoulli(z, self.prior_logits).sum(-1) + _log_bernoulli(x, logits).sum(-1)

    def log_joint_table(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        r"""\log p(x_n, z_n = state k) for all states, shape (N, 2^M), in nats."""
        states = self.states()[:, None].expand(-1, len(x), -1)
        return self.log_joint(x, states).mT

    def log_marginal(self, x: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        r"""The exact evidence \log p(x_n), shape (N,), in nats."""
        return torch.logsumexp(self.log_joint_table(x), -1)

    def posterior_table(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        r"""The exact posterior over all states, shape (N, 2^M)."""
        return torch.softmax(self.log_joint_table(x), -1)

    def factorised_table(self, q: Float[Tensor, "n m"]) -> Float[Tensor, "n k"]:
        r"""The probability of each state if z_m = 1 with probability q_m, independently."""
        states = self.states()
        return torch.where(states > 0, q[:, None], 1 - q[:, None]).prod(-1)

    @torch.no_grad()
    def mean_field(self, x: Float[Tensor, "n d"], *, num_sweeps: int = 100) -> Float[Tensor, "n m"]:
        r"""The best independent q, by coordinate ascent on the exact ELBO.

        Each step sets one q_m to its optimum with the others held, so the ELBO never falls; it may
        end in a local maximum. The start is q = 1/2.

        .. math:: \mathrm{logit}\, q_m = \mathbb E_{q_{-m}}[\log p(x, z_m = 1, z_{-m})
            - \log p(x, z_m = 0, z_{-m})]

        Returns:
            The probabilities of z_m = 1, shape (N, M).

        Reference:
            Bishop (2006), "Pattern Recognition and Machine Learning", equation (10.9).
        """
        table, states = self.log_joint_table(x), self.states()
        q = torch.full_like(table[:, : self.latent_dim], 0.5)
        for _ in range(num_sweeps):
            before = q.clone()
            for m in range(self.latent_dim):
                on = states[:, m] > 0
                held = q.clone()
                held[:, m] = 1.0
                weights = self.factorised_table(held)[:, on]  # of the other hidden values
                q[:, m] = (weights * (table[:, on] - table[:, ~on])).sum(-1).sigmoid()
            if torch.equal(before, q):
                break
        return q

    @torch.no_grad()
    def sample(
        self, num_samples: int, *, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n m"]]:
        r"""Draw (x, z), shapes (num_samples, D) and (num_samples, M), of zeros and ones."""
        probs = self.prior_logits.sigmoid().expand(num_samples, -1)
        z = torch.bernoulli(probs, generator=generator)
        logits = z @ self.weight.mT + self.bias
        return torch.bernoulli(logits.sigmoid(), generator=generator), z

    def _check(self, x: Tensor) -> None:
        check_points(x, self.dim)
        check_same_kind(x=x, weight=self.weight)
        if not ((x == 0) | (x == 1)).all():
            raise ValueError("x holds values other than 0 and 1; expected binary data")


def _log_bernoulli(
    value: Float[Tensor, "..."], logits: Float[Tensor, "..."]
) -> Float[Tensor, "..."]:
    r"""\log of sigmoid(logits) where value is 1, of 1 − sigmoid(logits) where it is 0."""
    return logsigmoid((2 * value - 1) * logits)
