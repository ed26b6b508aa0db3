"""`rotate_code(loc, scale, decode, rotation, z)`: the same model of x with another code.

The check computes the exact ELBO of the rotated model from what the student returns, and the mutual
information gap of its code, beside those of the model that was given.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

Decoder = Callable[[Tensor], Tensor]
NAMES = "mean", "covariance", "reconstruction"


def reference(
    loc: Tensor, scale: Tensor, decode: Decoder, rotation: Tensor, z: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    covariance = rotation @ torch.diag_embed(scale.square()) @ rotation.T
    return loc @ rotation.T, covariance, decode(z @ rotation)


ROTATE_CODE = Exercise(
    name="rotate_code",
    unit="06_beta_vae",
    title="Two models that no loss can tell apart",
    points=3,
    difficulty=3,
    minutes=30,
    reference=reference,
    follow_up=(
        "Every image has the same ELBO in both models, and no other objective of x alone differs. "
        "What makes one code better than the other is not in the images."
    ),
    hints=(
        "**Principle.** Give every code another name: what was called z is now called R z. The "
        "encoder has to use the new names, so its Gaussian is rotated as a whole, with its centre "
        "and with its axes. The decoder gets new names and was trained on the old ones, so it "
        "translates back before it does its work. The prior is as round as before, because a "
        "standard normal looks the same from all sides. So every image is described by the same "
        "probabilities, for the same price. Only the axes of the code now point elsewhere.",
        "**Place.** For a column vector the new code is R z, and the old one Rᵀ z, as the inverse "
        "of a rotation is its transpose. Here the codes are rows: a batch of rows is rotated by "
        "`loc @ rotation.T` and translated back by `z @ rotation`. A covariance is rotated from "
        "both sides, R Σ Rᵀ, and Σ has the variances on its diagonal, the squares of `scale`: "
        "`torch.diag_embed(scale**2)` makes (N, M, M) of (N, M). Matrix products work on the last "
        "two axes and repeat over N. The argument `z` holds codes of the new model, and the last "
        "result is what its decoder gives for them.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "mean = loc @ ...\n"
        "variances = torch.diag_embed(... ** 2)                   # (N, M, M)\n"
        "covariance = rotation @ variances @ ...\n"
        "x_hat = decode(z @ ...)\n"
        "return mean, covariance, x_hat\n"
        "```\n\n"
        "Three of the four gaps are `rotation` or its transpose. To find out which, take the "
        "quarter turn R = [[0, −1], [1, 0]]: it takes (1, 0) to (0, 1), so the mean (1, 0) must "
        "become (0, 1), and the new decoder must give for (0, 1) what the old one gave for "
        "(1, 0). A covariance is symmetric; where all entries of a row of `scale` are equal, it "
        "stays as it was.",
    ),
)


def draw_rotation(rng: np.random.Generator, dim: int) -> Tensor:
    """A proper rotation far from every permutation and far from its own transpose."""
    for _ in range(1000):
        q, _ = np.linalg.qr(rng.normal(size=(dim, dim)))
        q[:, 0] *= np.sign(np.linalg.det(q))
        if dim == 1 or (np.abs(q).max() < 0.95 and np.abs(q - q.T).max() > 0.5):
            break
    return torch.from_numpy(q)


def draw_decoder(
    rng: np.random.Generator, latent_dim: int, dim: int, reach: float = 1.0
) -> Decoder:
    """A decoder with a hidden layer, which tells codes apart up to a few times `reach`."""
    first, second = (
        torch.from_numpy(rng.normal(size=size)) for size in ((latent_dim, 6), (6, dim))
    )
    first = first / reach
    return lambda z: torch.tanh(z.double() @ first + 0.3) @ second


def draw_q(rng: np.random.Generator, num_points: int, latent_dim: int) -> tuple[Tensor, Tensor]:
    shape = num_points, latent_dim
    scale = np.exp(rng.uniform(-1.5, 0.5, size=shape))
    return torch.from_numpy(rng.normal(size=shape)), torch.from_numpy(scale)


def _ask(
    candidate: Candidate,
    loc: Tensor,
    scale: Tensor,
    decode: Decoder,
    rotation: Tensor,
    z: Tensor,
) -> list[Tensor]:
    parts = candidate.call(loc, scale, Oracle(decode), rotation, z)
    parts = expect.items(parts, 3, "what rotate_code gives")
    (num_points, latent_dim), dim = loc.shape, decode(z[:1]).shape[-1]
    shapes = (num_points, latent_dim), (num_points, latent_dim, latent_dim), (len(z), dim)
    return [
        expect.tensor(part, shape, f"the {name}")
        for part, shape, name in zip(parts, shapes, NAMES, strict=True)
    ]


def _expect(
    candidate: Candidate,
    rng: np.random.Generator,
    sizes: tuple[int, ...],
    *,
    reach: float = 1.0,
    is_mirrored: bool = False,
) -> None:
    num_points, latent_dim, num_codes, dim = sizes
    loc, scale = draw_q(rng, num_points, latent_dim)
    rotation = draw_rotation(rng, latent_dim)
    if is_mirrored:
        rotation = torch.cat((rotation[:1], -rotation[1:2], rotation[2:]))
    args = (
        reach * loc,
        scale,
        draw_decoder(rng, latent_dim, dim, reach),
        rotation,
        reach * torch.from_numpy(rng.normal(size=(num_codes, latent_dim))),
    )
    found = _ask(candidate, *args)
    for value, right, name in zip(found, reference(*args), NAMES, strict=True):
        what = f"the {name} for N = {num_points}, M = {latent_dim}, D = {dim}"
        expect.close(value, right, what)


@ROTATE_CODE.check
def renames_every_code(candidate: Candidate, rng: np.random.Generator) -> None:
    """The new encoder gives R z where the old one gave z, and the new decoder undoes it."""
    for sizes in ((4, 3, 5, 6), (3, 2, 4, 2), (2, 4, 1, 3), (3, 3, 3, 3)):
        _expect(candidate, rng, sizes)


@ROTATE_CODE.check
def mirrors_and_reaches_far(candidate: Candidate, rng: np.random.Generator) -> None:
    """Takes a rotation that also mirrors, and codes far from the origin, as they are."""
    for sizes, is_mirrored in (((3, 2, 4, 3), True), ((3, 3, 4, 5), True), ((5, 3, 6, 4), False)):
        _expect(candidate, rng, sizes, reach=6.0, is_mirrored=is_mirrored)


@ROTATE_CODE.check
def a_quarter_turn_exchanges_the_axes(candidate: Candidate, rng: np.random.Generator) -> None:
    """A quarter turn takes the first axis to the second, and mirrors the second."""
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)
    loc, scale = draw_q(rng, 3, 2)
    decode = draw_decoder(rng, 2, 4)
    z = torch.stack((-loc[:, 1], loc[:, 0]), 1)  # the rotated means
    mean, covariance, x_hat = _ask(candidate, loc, scale, decode, turn, z)
    expect.close(mean, z, "the mean after a quarter turn")
    right = torch.diag_embed(scale.square().flip(1))
    expect.close(covariance, right, "the covariance after a quarter turn")
    expect.close(x_hat, decode(loc), "the reconstruction of the rotated means")


@ROTATE_CODE.check
def round_posteriors_stay_round(candidate: Candidate, rng: np.random.Generator) -> None:
    """The covariance stays as it was where all standard deviations of a point are equal."""
    loc, scale = draw_q(rng, 3, 3)
    scale = scale[:, :1].expand(3, 3).contiguous()
    decode = draw_decoder(rng, 3, 4)
    rotation = draw_rotation(rng, 3)
    _, covariance, _ = _ask(candidate, loc, scale, decode, rotation, loc)
    expect.close(covariance, torch.diag_embed(scale.square()), "the covariance of round posteriors")


def _elbo(
    x: Tensor, mean: Tensor, covariance: Tensor, weight: Tensor, bias: Tensor, noise_var: float
) -> Tensor:
    """Exact ELBO of each point (N,) for a straight decoder with Gaussian noise."""
    error = (x - mean @ weight.T - bias).square().sum(-1)
    spread = torch.einsum("dm,nmk,dk->n", weight, covariance, weight)
    distortion = 0.5 * (error + spread) / noise_var
    distortion = distortion + 0.5 * x.shape[1] * math.log(2 * math.pi * noise_var)
    trace = covariance.diagonal(dim1=1, dim2=2).sum(-1)
    log_det = torch.linalg.slogdet(covariance).logabsdet
    rate = 0.5 * (mean.square().sum(-1) + trace - mean.shape[1] - log_det)
    return -distortion - rate


def gap(codes: Tensor, factors: Tensor, num_bins: int = 10) -> float:
    """Mutual information gap (Chen et al. 2018, equation 6) by histograms."""
    scores = []
    for factor in factors.T.numpy():
        nats = []
        for code in codes.T.numpy():
            table = np.histogram2d(code, factor, bins=(num_bins, len(np.unique(factor))))[0]
            p = table / table.sum()
            outer = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
            nats.append(float((p[p > 0] * np.log(p[p > 0] / outer[p > 0])).sum()))
        p = np.unique(factor, return_counts=True)[1] / len(factor)
        second, first = sorted(nats)[-2:]
        scores.append((first - second) / float(-(p * np.log(p)).sum()))
    return float(np.mean(scores))


@ROTATE_CODE.check
def the_bound_stays_and_the_metric_falls(candidate: Candidate, rng: np.random.Generator) -> None:
    """The ELBO of every point stays to 1e-5, and the mutual information gap falls from 1 to near 0.

    Two factors with five values each, a code that holds one in each hidden value, and a rotation by
    45 degrees.
    """
    values = torch.linspace(-1.4, 1.4, 5, dtype=torch.float64)
    factors = torch.cartesian_prod(torch.arange(5), torch.arange(5)).repeat(4, 1)
    loc = values[factors]
    scale = torch.from_numpy(np.exp(rng.uniform(-3, -2, size=(len(loc), 1)))).expand(-1, 2)
    weight, bias = (torch.from_numpy(rng.normal(size=size)) for size in ((6, 2), (6,)))
    noise_var = float(rng.uniform(0.2, 0.5))
    x = loc @ weight.T + bias + torch.from_numpy(0.3 * rng.normal(size=(len(loc), 6)))
    turn = torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=torch.float64) * math.sqrt(0.5)

    def decode(z: Tensor) -> Tensor:
        return z.double() @ weight.T + bias

    z = torch.cat((torch.zeros(1, 2), torch.eye(2))).double()
    mean, covariance, x_hat = _ask(candidate, loc, scale.contiguous(), decode, turn, z)
    new_bias, new_weight = x_hat[0], (x_hat[1:] - x_hat[0]).T
    before = _elbo(x, loc, torch.diag_embed(scale.square()), weight, bias, noise_var)
    after = _elbo(x, mean, covariance, new_weight, new_bias, noise_var)
    change = float((after - before).abs().max())
    expect.true(
        change < 1e-5 * (1 + float(before.abs().max())),
        f"the ELBO of a point changes by {change:.3g} nats; the rotated model must have the same",
    )
    gaps = gap(loc, factors), gap(mean, factors)
    expect.true(
        gaps[0] > 0.9 and gaps[1] < 0.2,
        f"the mutual information gap of the code goes from {gaps[0]:.2f} to {gaps[1]:.2f}; a turn "
        "by 45 degrees brings it from 1 to near 0",
    )


@ROTATE_CODE.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    loc, scale = draw_q(rng, 3, 2)
    first = torch.from_numpy(rng.normal(size=(2, 4))).float()
    args = loc.float(), scale.float(), lambda z: torch.tanh(z.float() @ first)
    args = *args, draw_rotation(rng, 2).float(), loc.float()
    for value, right, name in zip(_ask(candidate, *args), reference(*args), NAMES, strict=True):
        expect.close(value, right, f"the {name} in single precision", rtol=1e-3, atol=1e-4)
