"""`gaussian_rate_distortion(variances, noise_var, betas)`: the curve that no model can beat.

For Gaussian data and linear maps the best β-VAE reaches Shannon's rate-distortion function. The
checks use the closed form, its slope, and models that a right answer must not lose against.
"""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._linear import LOG_2PI, curve, draw_variances


def reference(variances: Tensor, noise_var: float, betas: Tensor) -> tuple[Tensor, Tensor]:
    """Cover & Thomas 2006, theorem 10.3.3: water at the level βσ²."""
    return curve(variances, noise_var, betas)


GAUSSIAN_RATE_DISTORTION = Exercise(
    name="gaussian_rate_distortion",
    unit="06_beta_vae",
    title="The best curve there is",
    points=3,
    difficulty=3,
    minutes=30,
    reference=reference,
    follow_up=(
        "This is Shannon's rate-distortion function of a Gaussian source, and its slope is −β "
        "everywhere: β is the price of a nat, and every β buys another point of one curve."
    ),
    hints=(
        "**Principle.** Each direction is a bargain of its own, as the loss is a sum over "
        "directions. In a direction with a large variance a nat saves much distortion, in one with "
        "a small variance little. The weight β is the price of a nat in nats of distortion. So "
        "directions are opened as long as they are worth their price, and each open direction is "
        "described until the next nat would save less than β. There all open directions are left "
        "with the same squared error, as water stands at the same height in all basins. The others "
        "are not described at all: their error is their own variance, and they cost no rate.",
        "**Place.** Set the derivatives of the one-direction loss to zero. By s² you get s² = βσ² "
        "/ (βσ² + w²), by a you get a = w / (βσ² + w²), and by w, with both put in, w² = v − βσ², "
        "where v > βσ². Then s² = βσ²/v, the squared error v (1 − wa)² + w² s² is βσ², and a² v + "
        "s² is 1, so that the rate is −½ log s² = ½ log(v/(βσ²)). Where v ≤ βσ² the best w is 0: "
        "the rate is 0, and the error v. The distortion of all D directions together is the error "
        "over 2σ², with the plain σ² of the decoder, plus D times ½ log 2πσ².",
        "**Nearly the code.**\n\n"
        "```python\n"
        "level = betas[:, None] * ...                                       # (B, 1)\n"
        "rates = 0.5 * torch.log(variances / level).clamp(min=...).sum(dim=1)\n"
        "errors = torch.minimum(variances, ...).sum(dim=1)\n"
        "constant = 0.5 * len(variances) * math.log(2 * math.pi * ...)\n"
        "return rates, errors / (2 * ...) + constant\n"
        "```\n\n"
        "The gaps are `noise_var`, 0, `level` and `noise_var` twice. Check the limits. With a huge "
        "β the rate is 0 and the error the sum of the variances. Between two neighbouring values "
        "of β the distortion rises by β times what the rate falls.",
    ),
)


def _ask(candidate: Candidate, variances: Tensor, noise_var: float, betas: Tensor, what: str):
    pair = expect.items(candidate.call(variances, noise_var, betas), 2, "gaussian_rate_distortion")
    shape = (len(betas),)
    return [
        expect.tensor(part, shape, f"the {name} {what}")
        for part, name in zip(pair, ("rate", "distortion"), strict=True)
    ]


def _expect(candidate: Candidate, variances: Tensor, noise_var: float, betas: Tensor) -> None:
    what = f"for D = {len(variances)} and {len(betas)} values of β"
    found = _ask(candidate, variances, noise_var, betas, what)
    right = curve(variances.double(), noise_var, betas.double())
    for value, known, name in zip(found, right, ("rate", "distortion"), strict=True):
        expect.close(value, known, f"the {name} {what}", rtol=1e-3, atol=1e-3)


def _betas(rng: np.random.Generator, count: int) -> Tensor:
    """In random order; the smallest that is allowed, for which single rates are large, is there."""
    betas = np.append(np.exp(rng.uniform(-1.4, 2.0, size=count - 1)), 0.2)
    return torch.from_numpy(rng.permutation(betas))


@GAUSSIAN_RATE_DISTORTION.check
def is_the_best_for_each_beta(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives rate and distortion of the best linear model, for every β in the order given."""
    for dim, count in ((5, 4), (3, 3), (1, 5)):
        noise_var = float(rng.uniform(0.3, 0.7))
        _expect(candidate, draw_variances(rng, dim), noise_var, _betas(rng, count))


@GAUSSIAN_RATE_DISTORTION.check
def closed_directions_are_free(candidate: Candidate, rng: np.random.Generator) -> None:
    """Has the rate 0 and the whole variance as its error where no direction is worth its price."""
    variances, noise_var = draw_variances(rng, 4), float(rng.uniform(0.3, 0.7))
    top = float(variances.max()) / noise_var
    betas = top * torch.tensor([1.0, 1.01, 30.0], dtype=torch.float64)
    _expect(candidate, variances, noise_var, betas)


@GAUSSIAN_RATE_DISTORTION.check
def slope_is_minus_beta(candidate: Candidate, rng: np.random.Generator) -> None:
    """Along the curve the distortion rises by β times what the rate falls."""
    variances, noise_var = draw_variances(rng, 4), float(rng.uniform(0.3, 0.7))
    centre = float(rng.uniform(0.4, 1.2))
    betas = centre * torch.tensor([0.8, 1.25], dtype=torch.float64)
    rate, distortion = _ask(candidate, variances, noise_var, betas, "for two neighbouring β")
    slope = float((distortion[1] - distortion[0]) / (rate[1] - rate[0]))
    exact_rate, exact_distortion = curve(variances, noise_var, betas)
    right = float((exact_distortion[1] - exact_distortion[0]) / (exact_rate[1] - exact_rate[0]))
    expect.true(
        abs(slope - right) < 0.05 * abs(right),
        f"between β = {betas[0]:.4g} and {betas[1]:.4g} the slope of your curve is {slope:.4g}; "
        f"expected {right:.4g}, minus a β between these",
    )


@GAUSSIAN_RATE_DISTORTION.check
def no_model_does_better(candidate: Candidate, rng: np.random.Generator) -> None:
    """No linear model has a smaller distortion plus β times rate, and near the best is near it."""
    variances, noise_var = draw_variances(rng, 3), float(rng.uniform(0.3, 0.7))
    beta = float(rng.uniform(0.5, 2.0))
    betas = torch.tensor([beta], dtype=torch.float64)
    rate, distortion = _ask(candidate, variances, noise_var, betas, f"for β = {beta:.4g}")
    yours = float(distortion[0] + beta * rate[0])
    level = beta * noise_var
    w = (variances - level).clamp(min=0).sqrt() + 0.02 * torch.from_numpy(rng.normal(size=(40, 3)))
    a = w / (level + w**2) + 0.02 * torch.from_numpy(rng.normal(size=(40, 3)))
    log_var = (level / (level + w**2)).log() + 0.05 * torch.from_numpy(rng.normal(size=(40, 3)))
    error = variances * (1 - w * a) ** 2 + w**2 * log_var.exp()
    each = 0.5 * error / noise_var + 0.5 * (LOG_2PI + np.log(noise_var))
    each = each + beta * 0.5 * (a**2 * variances + log_var.exp() - log_var - 1)
    best = float(each.sum(-1).min())
    allowed = 1.2e-3 * (1 + beta + abs(float(distortion[0])) + beta * float(rate[0]))  # 0.1 %
    expect.true(
        best - 0.05 * (1 + beta) < yours < best + allowed,
        f"for β = {beta:.4g} your distortion plus β times rate is {yours:.4f} nats; a linear model "
        f"that was tried has {best:.4f}, and the least is just below that",
    )


@GAUSSIAN_RATE_DISTORTION.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    _expect(candidate, draw_variances(rng, 4).float(), 0.5, _betas(rng, 3).float())
