"""Small models of code maps whose probabilities can be enumerated, and data drawn from them."""

import itertools
import math

import numpy as np
import torch
from torch import Tensor


class CausalModel:
    """Logits of every code given the codes before it in raster order, additive in those.

    Reading what comes later is no help: it is not in the sum.

    Attributes:
        bias: What each place likes by itself, (T, K), for T = H · W.
        pull: What a code at an earlier place does to a later one, (T, T, K, K), zero elsewhere.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        height: int,
        width: int,
        num_codes: int,
        strength: float = 1.0,
    ):
        places = height * width
        self.shape, self.num_codes = (height, width), num_codes
        self.bias = torch.from_numpy(rng.normal(scale=0.6, size=(places, num_codes)))
        shape = (places, places, num_codes, num_codes)
        self.pull = strength * torch.from_numpy(rng.normal(size=shape))
        self.pull *= torch.ones(places, places).tril(-1)[..., None, None]

    def __call__(self, codes: Tensor) -> Tensor:
        """Logits (N, H, W, K) of maps (N, H, W); any constant may be added to those of a place."""
        codes = self.read(codes)
        one_hot = torch.nn.functional.one_hot(codes.flatten(1), self.num_codes).to(self.bias)
        places = len(self.bias)
        pull = self.pull.permute(1, 2, 0, 3).reshape(places * self.num_codes, -1)
        logits = one_hot.flatten(1) @ pull + self.bias.flatten()
        return logits.reshape(len(codes), *self.shape, self.num_codes)

    def read(self, codes: Tensor) -> Tensor:
        """Codes that the model can be asked about, in int64.

        Raises:
            ValueError: If the shape or a code is impossible.
        """
        codes = torch.as_tensor(codes)
        if objection := self.objection(codes):
            raise ValueError(objection)
        return codes.long()

    def objection(self, codes: Tensor) -> str:
        """Why the model cannot be asked about these codes; empty if it can."""
        height, width = self.shape
        if codes.ndim != 3 or tuple(codes.shape[1:]) != self.shape:
            return (
                f"logits_fn was asked about the shape {tuple(codes.shape)}; it expects maps "
                f"(S, {height}, {width})"
            )
        if codes.dtype.is_floating_point and not torch.equal(codes, codes.floor()):
            return "logits_fn was asked about codes that are no whole numbers"
        if codes.numel() and (codes.min() < 0 or codes.max() >= self.num_codes):
            return (
                f"logits_fn was asked about the codes {codes.min()} to {codes.max()}; it expects "
                f"codes from 0 to {self.num_codes - 1} at all places"
            )
        return ""

    def log_probs(self, codes: Tensor, temperature: float = 1.0) -> Tensor:
        """log p(code | codes before it) at every place, (N, H, W)."""
        log_probs = torch.log_softmax(self(codes) / temperature, -1)
        return log_probs.gather(-1, self.read(codes)[..., None])[..., 0]

    def draw(self, rng: np.random.Generator, count: int) -> Tensor:
        """Maps (N, H, W), by the Gumbel trick."""
        codes = torch.zeros(count, *self.shape, dtype=torch.long)
        for i, j in itertools.product(*map(range, self.shape)):
            gumbel = torch.from_numpy(rng.gumbel(size=(count, self.num_codes)))
            codes[:, i, j] = (self(codes)[:, i, j] + gumbel).argmax(-1)
        return codes


class Chain:
    """A prior without chance: each code is a sum of all codes before it, modulo a prime K.

    Whatever the order of the draws is, a wrong code, place or map shows at once.
    """

    def __init__(self, rng: np.random.Generator, height: int, width: int, num_codes: int):
        places = height * width
        self.shape, self.num_codes = (height, width), num_codes
        self.objection = (model := CausalModel(rng, height, width, num_codes)).objection
        self.read = model.read
        # no factor is divisible by K: every earlier code matters
        self.factors = torch.from_numpy(rng.integers(1, num_codes, size=(places, places))).tril(-1)
        self.start = torch.from_numpy(rng.integers(num_codes, size=places))

    def only(self, codes: Tensor) -> Tensor:
        """The one code that may stand at each place, (S, H, W)."""
        sums = self.read(codes).flatten(1) @ self.factors.T + self.start
        return (sums % self.num_codes).reshape(codes.shape)

    def __call__(self, codes: Tensor) -> Tensor:
        chosen = torch.nn.functional.one_hot(self.only(codes), self.num_codes)
        return 60.0 * (chosen.double() - 1)

    def completed(self, given: Tensor, known: Tensor) -> Tensor:
        codes = given.clone()
        for i, j in (~known).nonzero().tolist():
            codes[:, i, j] = self.only(codes)[:, i, j]
        return codes


def all_maps(height: int, width: int, num_codes: int) -> Tensor:
    """Every map there is, (K^(H · W), H, W), in the order of `map_number`."""
    values = torch.arange(num_codes)
    maps = torch.cartesian_prod(*[values] * (height * width))
    return maps.reshape(-1, height, width)


def map_number(codes: Tensor, num_codes: int) -> Tensor:
    """Place of each map (N, H, W) in `all_maps`."""
    places = codes[0].numel()
    digits = num_codes ** torch.arange(places - 1, -1, -1)
    return codes.flatten(1) @ digits


def draw_mesh(
    rng: np.random.Generator, count: int, height: int, width: int, num_codes: int
) -> Tensor:
    """Maps (N, H, W) in which a code mostly follows from the ones to the left and above."""
    chances = torch.from_numpy(rng.dirichlet(np.full(num_codes, 0.25), size=(num_codes + 1,) * 2))
    codes = torch.full((count, height + 1, width + 1), num_codes)
    for i, j in itertools.product(range(1, height + 1), range(1, width + 1)):
        share = chances[codes[:, i, j - 1], codes[:, i - 1, j]].cumsum(-1)
        below = torch.from_numpy(rng.uniform(size=count))[:, None] > share
        codes[:, i, j] = below.sum(-1).clamp(max=num_codes - 1)
    return codes[:, 1:, 1:].clone()


def in_bits(nats: Tensor) -> Tensor:
    return nats / math.log(2)
