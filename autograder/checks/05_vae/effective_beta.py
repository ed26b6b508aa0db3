"""`effective_beta(loss_fn, x, logits, loc, log_var)`: the β that a loss really has.

The losses are a times the batch's distortion plus b times its divergence, with the sums, means and
divisors of published code in a and b. Autograd goes through them; other ways to find b/a are right
as well.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, smooth_oracle
from autograder.exercise import Exercise

from .kl_to_standard_normal import kl
from .negative_elbo import Batch, distortion, draw

Loss = Callable[..., Tensor]


def reference(loss_fn: Loss, x: Tensor, logits: Tensor, loc: Tensor, log_var: Tensor) -> Tensor:
    weights = slope_weights(loss_fn, x, logits, loc, log_var)
    return weights[1].mean() / weights[0].mean()


def slope_weights(
    loss_fn: Loss, x: Tensor, logits: Tensor, loc: Tensor, log_var: Tensor
) -> tuple[Tensor, Tensor]:
    """Slope of the loss over that of the price itself: for the logits, and for the means."""
    logits, loc = logits.detach().requires_grad_(), loc.detach().requires_grad_()
    by_logits, by_loc = torch.autograd.grad(loss_fn(x, logits, loc, log_var), (logits, loc))
    return by_logits / (logits.detach().sigmoid() - x), by_loc / loc.detach()


EFFECTIVE_BETA = Exercise(
    name="effective_beta",
    unit="05_vae",
    title="The β that you did not mean to set",
    points=3,
    difficulty=4,
    minutes=25,
    reference=reference,
    hints=(
        "**Principle.** Whatever a loss looks like, what it teaches is in its gradient. If the "
        "loss is a times the distortion plus b times the divergence, its gradient at the decoder's "
        "output is a times that of the distortion, and its gradient at the encoder's output b "
        "times that of the divergence. A common factor only changes the step size, and a constant "
        "nothing, so the ratio b/a is all there is: it is the β of the paper, whether the author "
        "wrote a β or only chose between a sum and a mean. To find a, divide the slope that the "
        "loss has by the slope that the distortion alone has; b in the same way.",
        "**Place.** Make copies that record: `logits = logits.clone().requires_grad_()`, and the "
        "same for `loc`. `torch.autograd.grad(loss_fn(x, logits, loc, log_var), (logits, loc))` "
        "gives both slopes of the loss. The slopes of the prices are known: that of the distortion "
        "−log p(x | z) of binary values by a logit is sigmoid(logit) − x, and that of the "
        "divergence by μ is μ. Both are for the sum over the whole batch, which is what a and b "
        "multiply. Divide entry by entry; all entries give the same a and the same b. Test "
        "yourself with your own `negative_elbo`: every reduction has β = 1.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "logits, loc = logits.clone().requires_grad_(), loc.clone().requires_grad_()\n"
        "slope_logits, slope_loc = torch.autograd.grad(loss_fn(...), (logits, loc))\n"
        "a = (slope_logits / (torch.sigmoid(logits) - ...)).mean()\n"
        "b = (slope_loc / ...).mean()\n"
        "return ... / ...\n"
        "```\n\n"
        "The gaps are the four arguments, the images, the means, and b over a. If a loss that "
        "averages over all values gives you 1/D, the ratio is upside down: its distortion is D "
        "times too light, so the divergence is D times too heavy. Take `.detach()` of the result "
        "if torch warns about a number that still records.",
    ),
)


def loss_of(a: Any, b: Any, constant: float = 0.0) -> Loss:
    """a × distortion + b × divergence of the whole batch; a and b get the sizes N, D and M."""

    def loss(x: Tensor, logits: Tensor, loc: Tensor, log_var: Tensor) -> Tensor:
        sizes = *x.shape, loc.shape[1]
        return (
            a(*sizes) * distortion(x, logits).sum() + b(*sizes) * kl(loc, log_var).sum() + constant
        )

    return loss


def _expect_beta(candidate: Candidate, batch: Batch, loss: Loss, beta: float, which: str) -> None:
    """Demand this β, up to a tenth of a percent."""
    value = expect.number(candidate.call(smooth_oracle(loss), *batch), "effective_beta")
    expect.true(
        abs(value - beta) <= 1e-3 * abs(beta) + 1e-6,
        f"effective_beta is {value:.6g} for {which} (N, D, M = "
        f"{batch[0].shape[0]}, {batch[0].shape[1]}, {batch[2].shape[1]}); expected {beta:.6g}",
    )


@EFFECTIVE_BETA.check
def the_bound_has_a_beta_of_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is 1 for −ELBO, summed or averaged over the points, with any constant added."""
    batch = draw(rng, 4, 6, 3)
    mean = loss_of(lambda n, d, m: 1 / n, lambda n, d, m: 1 / n)
    _expect_beta(candidate, batch, mean, 1.0, "−ELBO averaged over the points")
    total = loss_of(lambda n, d, m: 1, lambda n, d, m: 1, constant=5.0)
    _expect_beta(candidate, batch, total, 1.0, "−ELBO summed over the points, plus 5")


@EFFECTIVE_BETA.check
def finds_what_a_mean_has_done(candidate: Candidate, rng: np.random.Generator) -> None:
    """Finds the β of losses that average where they should sum."""
    batch = num_points, dim, latent_dim = 5, 8, 3
    batch = draw(rng, *batch)
    averaged = loss_of(lambda n, d, m: 1 / (n * d), lambda n, d, m: 1 / n)
    _expect_beta(candidate, batch, averaged, dim, "a mean over values and points plus mean KL")
    summed = loss_of(lambda n, d, m: 1 / (n * d), lambda n, d, m: 1)
    what = "a mean over values and points plus the KL of the whole batch"
    _expect_beta(candidate, batch, summed, num_points * dim, what)
    per_latent = loss_of(lambda n, d, m: 1 / n, lambda n, d, m: 1 / (n * m))
    what = "a distortion in the right place plus the mean KL of a hidden value"
    _expect_beta(candidate, batch, per_latent, 1 / latent_dim, what)


@EFFECTIVE_BETA.check
def multiplies_the_written_beta(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the β that is written times what the means have done, in any unit of the loss."""
    written, unit = rng.uniform(2.0, 5.0), rng.uniform(0.05, 0.2)
    loss = loss_of(lambda n, d, m: unit / (n * d), lambda n, d, m: unit * written / (n * m))
    for sizes in ((4, 7, 2), (3, 3, 3), (1, 5, 2)):
        beta = written * sizes[1] / sizes[2]
        what = f"means over everything, a written β of {written:.3g} and the unit {unit:.3g}"
        _expect_beta(candidate, draw(rng, *sizes), loss, beta, what)


@EFFECTIVE_BETA.check
def shows_a_wrong_sign(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is −1 where the divergence is subtracted, and 0 where it is missing."""
    batch = draw(rng, 3, 4, 2)
    for b, what in ((-1.0, "a subtracted divergence"), (0.0, "the loss of an autoencoder")):
        loss = loss_of(lambda n, d, m: 1 / n, lambda n, d, m, b=b: b / n)
        _expect_beta(candidate, batch, loss, b, what)


@EFFECTIVE_BETA.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    batch = tuple(part.float() for part in draw(rng, 4, 6, 2))
    loss = loss_of(lambda n, d, m: 1 / (n * d), lambda n, d, m: 1 / n)
    _expect_beta(candidate, batch, loss, 6.0, "a mean over values and points plus mean KL")
