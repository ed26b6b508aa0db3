"""`negative_elbo(x, logits, loc, log_var, reduction)`: the loss of a VAE on binary images."""

import itertools

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from .kl_to_standard_normal import kl
from .reparameterize import draw_q

Batch = tuple[Tensor, Tensor, Tensor, Tensor]
REDUCTIONS = {"none": lambda each: each, "mean": Tensor.mean, "sum": Tensor.sum}


def distortion(x: Tensor, logits: Tensor) -> Tensor:
    """−log p(x | z) of each point: softplus(−l) for a one, softplus(l) for a zero."""
    return torch.logaddexp(torch.zeros_like(logits), (1 - 2 * x) * logits).sum(-1)


def reference(
    x: Tensor, logits: Tensor, loc: Tensor, log_var: Tensor, reduction: str = "mean"
) -> Tensor:
    return REDUCTIONS[reduction](distortion(x, logits) + kl(loc, log_var))


NEGATIVE_ELBO = Exercise(
    name="negative_elbo",
    unit="05_vae",
    title="Sums, means, and one sign",
    points=3,
    difficulty=2,
    minutes=20,
    reference=reference,
    needs=("kl_to_standard_normal",),
    hints=(
        "**Principle.** The bound is what the decoder explains minus what the code costs: "
        "log p(x | z) − KL. A loss is minimised, so both signs turn: the distortion −log p(x | z) "
        "and the rate KL are both prices in nats, and they are added. Where sums belong and where "
        "means are allowed follows from probability. The values of one image are independent "
        "given z, so their log probabilities are summed, all D of them; the rates of the hidden "
        "values are summed too. Over the images a mean is harmless, as it scales both prices "
        "alike. A mean over the values of an image scales only one of them.",
        "**Place.** Log probability of a one: `F.logsigmoid(logits)`; of a zero: "
        "`F.logsigmoid(-logits)`. `F.binary_cross_entropy_with_logits(logits, x, "
        "reduction='none')` is minus that, for each value, and it takes the logits as they are: a "
        "sigmoid before it would be the second one. Sum over the last axis, add your "
        "`kl_to_standard_normal(loc, log_var)`, and you have one number for each point. Only now "
        "look at `reduction`: leave the points alone, average them, or add them up. Averaging is "
        "a division by N, never by N times D.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "distortion = F.binary_cross_entropy_with_logits(logits, x, reduction='none').sum(...)\n"
        "each = distortion ... kl_to_standard_normal(loc, log_var)        # (N,)\n"
        "if reduction == 'none':\n"
        "    return each\n"
        "return each.mean() if reduction == ... else each....()\n"
        "```\n\n"
        "Import it with `import torch.nn.functional as F` inside your cell. The gaps are the axis "
        "of the values, the sign between two prices, a name and a sum. If your distortion is D "
        "times too small, the reduction of torch averaged over everything. Then the rate weighs D "
        "times as much as it should, and the code collapses.",
    ),
)


def draw(rng: np.random.Generator, num_points: int, dim: int, latent_dim: int) -> Batch:
    """Binary images with zeros and ones, and logits away from zero."""
    shape = num_points, dim
    logits = rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.5, 3.0, size=shape)
    x = rng.integers(2, size=shape).astype(np.float64)
    return torch.from_numpy(x), torch.from_numpy(logits), *draw_q(rng, num_points, latent_dim)


@NEGATIVE_ELBO.check
def is_distortion_plus_rate(candidate: Candidate, rng: np.random.Generator) -> None:
    """Without a reduction, is −log p(x | z) plus the divergence, for each point."""
    for sizes in ((4, 6, 2), (5, 3, 7)):
        args = draw(rng, *sizes)
        what = "negative_elbo, 'none', for N = {}, D = {}, M = {}".format(*sizes)
        expect.close(candidate.call(*args, "none"), reference(*args, "none"), what)


@NEGATIVE_ELBO.check
def images_share_one_unit_of_probability(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives probabilities: over all binary images of four values exp(−distortion) sums to 1."""
    x = torch.tensor(list(itertools.product((0.0, 1.0), repeat=4)), dtype=torch.float64)
    _, logits, loc, log_var = (part.expand(16, -1) for part in draw(rng, 1, 4, 3))
    value = candidate.call(x, logits.contiguous(), loc.contiguous(), log_var.contiguous(), "none")
    each = expect.tensor(value, (16,), "negative_elbo, 'none'")
    total = torch.exp(kl(loc, log_var) - each).sum().item()
    expect.true(
        abs(total - 1) < 1e-4,
        f"over all 16 images of four binary values exp(−log p) of what is left without the rate "
        f"sums to {total:.4g}; expected 1",
    )


@NEGATIVE_ELBO.check
def reduces_over_the_points_only(candidate: Candidate, rng: np.random.Generator) -> None:
    """The mean divides by the number of points and by nothing else; the sum divides by nothing."""
    for sizes in ((4, 6, 2), (3, 3, 3), (1, 5, 2)):
        args = draw(rng, *sizes)
        for reduction in ("mean", "sum"):
            what = f"negative_elbo, {reduction!r}, " + "for N = {}, D = {}, M = {}".format(*sizes)
            expect.close(candidate.call(*args, reduction), reference(*args, reduction), what)


@NEGATIVE_ELBO.check
def averages_unless_told(candidate: Candidate, rng: np.random.Generator) -> None:
    """Without a word about the reduction it is the mean."""
    args = draw(rng, 4, 6, 2)
    expect.close(candidate.call(*args), reference(*args), "negative_elbo without a reduction")


@NEGATIVE_ELBO.check
def gradients_have_one_scale(candidate: Candidate, rng: np.random.Generator) -> None:
    """The gradients of the mean are those of one point, divided by N, for decoder and encoder."""
    args = x, logits, loc, log_var = draw(rng, 4, 5, 2)
    found = candidate.gradient(*args, "mean", wrt=(1, 2, 3))
    right = torch.sigmoid(logits) - x, loc, torch.expm1(log_var) / 2
    for name, given, exact in zip(("logits", "loc", "log_var"), found, right, strict=True):
        expect.close(given, exact / 4, f"the gradient of the mean for {name}")


@NEGATIVE_ELBO.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    args = tuple(part.float() for part in draw(rng, 4, 6, 2))
    right = reference(*(part.double() for part in args), "none")
    expect.close(candidate.call(*args, "none"), right, "negative_elbo in single precision")


@NEGATIVE_ELBO.edge_check
def survives_certain_decoders(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right for logits up to ±1000, also where the decoder is sure and wrong."""
    _, _, loc, log_var = draw(rng, 4, 6, 2)
    size = torch.tensor([[25.0], [60.0], [300.0], [900.0]]).double()
    size = size * torch.from_numpy(rng.uniform(1.0, 1.1, size=(4, 6)))
    order = rng.permutation(6)
    x = torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0, 0.0]).double()[order].repeat(4, 1)
    signs = torch.tensor([1.0, -1.0, -1.0, 1.0, -1.0, 1.0]).double()[order]  # four are wrong
    args = x, signs * size, loc, log_var
    what = "negative_elbo of a decoder that is sure"
    expect.close(candidate.call(*args, "none"), reference(*args, "none"), what)
