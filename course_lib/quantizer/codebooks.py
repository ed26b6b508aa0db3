r"""Codebooks that learn: by gradient, or as moving averages of what chose each code."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_lib.monte_carlo.checks import check_positive
from course_lib.quantizer.losses import quantize
from course_lib.quantizer.nearest import check_vectors, nearest_code
from course_lib.quantizer.updates import (
    check_decay,
    ema_update,
    from_first_device,
    over_devices,
    revive_dead_codes,
)


class Quantized(NamedTuple):
    r"""What a quantiser returns.

    Attributes:
        z_q: The chosen codes with the gradient of z_e (straight-through), shape (*B, M).
        indices: Which codes, shape (*B,).
        loss: What this adds to the loss of the model, shape (*B,).
    """

    z_q: Float[Tensor, "*batch m"]
    indices: Int[Tensor, "*batch"]
    loss: Float[Tensor, "*batch"]


class Quantizer(nn.Module):
    r"""A codebook learned by gradient.

    .. math:: \text{loss} = \Vert \mathrm{sg}[z_e] - z_q \Vert^2
        + \beta \Vert z_e - \mathrm{sg}[z_q] \Vert^2

    In training mode two more things happen to the codebook. At the first batch it is put at random
    vectors of that batch, so that every code is near the data. Later, codes that nobody chose for a
    while are put at random vectors of the batch at hand. In evaluation mode nothing moves. Where a
    run has several devices, counts and averages are over all of them.

    Attributes:
        codebook: e_k, shape (K, M).
        choices: How often each code was chosen since codes were last revived, shape (K,).
        steps: Batches seen in training mode; part of `state_dict`, so a resumed run goes on.

    Args:
        num_codes: K.
        latent_dim: M.
        beta: \beta, weight of the commitment loss.
        start_from_data: Put the codebook at vectors of the first batch. Otherwise it starts where
            it is: uniform within 1/K of the origin, unless you set it.
        revive_every: Batches between two revivals; `None` for never.

    Raises:
        ValueError: A number is out of range.

    Reference:
        Van den Oord et al. (2017), equation (3), arXiv:1711.00937; Dhariwal et al. (2020),
        "Jukebox", section 3.2 (random restarts of unused codes), arXiv:2005.00341.

    Example:
        >>> quantizer = Quantizer(512, 64)
        >>> z_q, indices, loss = quantizer(torch.randn(8, 7, 7, 64))
        >>> z_q.shape, indices.shape, loss.shape
        (torch.Size([8, 7, 7, 64]), torch.Size([8, 7, 7]), torch.Size([8, 7, 7]))
    """

    choices: Tensor

    def __init__(
        self,
        num_codes: int,
        latent_dim: int,
        *,
        beta: float = 0.25,
        start_from_data: bool = True,
        revive_every: int | None = 100,
    ) -> None:
        super().__init__()
        check_positive(num_codes=num_codes, latent_dim=latent_dim)
        if revive_every is not None:
            check_positive(revive_every=revive_every)
        if not beta >= 0:
            raise ValueError(f"beta is {beta}; expected a number of at least 0")
        self.num_codes, self.latent_dim, self.beta = num_codes, latent_dim, beta
        self.start_from_data, self.revive_every = start_from_data, revive_every
        self.steps = 0
        bound = 1 / num_codes
        self._hold(torch.empty(num_codes, latent_dim).uniform_(-bound, bound))
        self.register_buffer("choices", torch.zeros(num_codes, dtype=torch.int64))

    def forward(self, z_e: Float[Tensor, "*batch m"]) -> Quantized:
        r"""Quantise, and in training mode learn.

        Args:
            z_e: What an encoder wrote, the M values of a vector last, shape (*B, M).

        Raises:
            ValueError: `z_e` is of another shape or type.
        """
        check_vectors("z_e", z_e, self.latent_dim, self.codebook.dtype)
        flat, shape = z_e.reshape(-1, self.latent_dim), z_e.shape[:-1]
        if self.training and self.steps == 0 and self.start_from_data:
            self._start(flat.detach())
        indices = nearest_code(flat, self.codebook)
        z_q, loss = quantize(flat, self.codebook, indices, beta=self.beta)
        if self.training:
            self._after_batch(flat.detach(), indices)
        return Quantized(z_q.reshape(z_e.shape), indices.reshape(shape), loss.reshape(shape))

    def lookup(self, indices: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch m"]:
        r"""The codes e_k with these indices, shape (*B, M)."""
        chosen = self.codebook.index_select(0, indices.flatten())
        return chosen.reshape(*indices.shape, self.latent_dim)

    def get_extra_state(self) -> Int[Tensor, ""]:
        r"""The number of batches, which decides when codes are revived."""
        return torch.tensor(self.steps, device="cpu")  # the device is never asked for it

    def set_extra_state(self, state: Int[Tensor, ""]) -> None:
        self.steps = int(state)

    def _hold(self, codebook: Float[Tensor, "k m"]) -> None:
        self.codebook = nn.Parameter(codebook)

    @torch.no_grad()
    def _start(self, z: Float[Tensor, "n m"]) -> None:
        r"""Every code at a vector of the batch; at different ones where there are enough."""
        order = torch.randperm(len(z), device=z.device)
        repeats = -(-self.num_codes // max(1, len(z)))
        self._place(z[order.repeat(repeats)[: self.num_codes]])

    @torch.no_grad()
    def _after_batch(self, z: Float[Tensor, "n m"], indices: Int[Tensor, " n"]) -> None:
        self.steps += 1
        self._learn(z, indices)
        self.choices += over_devices(torch.bincount(indices, minlength=self.num_codes))
        if self.revive_every and self.steps % self.revive_every == 0:
            self._revive(z)
            self.choices.zero_()

    def _learn(self, z: Float[Tensor, "n m"], indices: Int[Tensor, " n"]) -> None:
        r"""Nothing here: the optimiser follows the gradient."""

    def _revive(self, z: Float[Tensor, "n m"]) -> None:
        self._place(revive_dead_codes(self.codebook, self.choices, z)[0])

    def _place(self, codebook: Float[Tensor, "k m"]) -> None:
        r"""The same codes on every device of a run: those of the first."""
        self.codebook.copy_(from_first_device(codebook))


class EMAQuantizer(Quantizer):
    r"""A codebook of moving averages: each code follows the mean of the vectors that choose it.

    The update is that of `ema_update`; the loss is the commitment loss alone, times \beta.

    Attributes:
        codebook: e_k, shape (K, M); not a parameter, no gradient reaches it.
        cluster_size: N_k, the moving average of how many vectors of a batch choose code k.

    Args:
        num_codes: K.
        latent_dim: M.
        beta: \beta, weight of the commitment loss.
        decay: \gamma.
        start_from_data: As in `Quantizer`.
        revive_every: As in `Quantizer`.

    Raises:
        ValueError: A number is out of range.

    Reference:
        Van den Oord et al. (2017), appendix A.1, arXiv:1711.00937.

    Example:
        >>> quantizer = EMAQuantizer(2, 1, decay=0.5)
        >>> for _ in range(40):
        ...     _ = quantizer(torch.tensor([[0.0], [1.0], [5.0]]))
        >>> quantizer.codebook.sort(0).values.flatten()
        tensor([0.5000, 5.0000])
    """

    codebook: Tensor
    cluster_size: Tensor

    def __init__(
        self,
        num_codes: int,
        latent_dim: int,
        *,
        beta: float = 0.25,
        decay: float = 0.99,
        start_from_data: bool = True,
        revive_every: int | None = 100,
    ) -> None:
        options = {"start_from_data": start_from_data, "revive_every": revive_every}
        super().__init__(num_codes, latent_dim, beta=beta, **options)
        check_decay(decay)
        self.decay = decay
        self.register_buffer("cluster_size", torch.zeros(num_codes))

    def _hold(self, codebook: Float[Tensor, "k m"]) -> None:
        self.register_buffer("codebook", codebook)

    def _learn(self, z: Float[Tensor, "n m"], indices: Int[Tensor, " n"]) -> None:
        codebook, size = ema_update(self.codebook, self.cluster_size, z, indices, decay=self.decay)
        self.codebook.copy_(codebook)
        self.cluster_size.copy_(size)

    def _revive(self, z: Float[Tensor, "n m"]) -> None:
        super()._revive(z)
        self.cluster_size[self.choices == 0] = 0  # the first who choose it decide where it goes
