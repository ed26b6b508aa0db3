"""`responsibilities(x, logits, loc, log_scale)`: which component a point probably came from."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from course_lib import mixture

from ._components import draw_mixture, draw_points, log_joint


def reference(x: Tensor, logits: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    """r_nk = p(z = k | x_n) by the library, which takes weights and variances."""
    params = mixture.MixtureParams(
        weights=torch.softmax(logits, 0), loc=loc, covariance=torch.exp(2 * log_scale)
    )
    return mixture.responsibilities(x, params)


RESPONSIBILITIES = Exercise(
    name="responsibilities",
    unit="01_mixture_models",
    title="Which component does a point belong to?",
    points=3,
    difficulty=2,
    minutes=15,
    reference=reference,
    needs=("log_gaussian",),
    hints=(
        "**Principle.** You see the point and not its component. Bayes' rule tells how probable "
        "each component is after you saw the point: the probability before, π_k, times the "
        "density of the point under component k, divided by the sum of these products over all "
        "components. So every point has K numbers that sum to one. A point deep inside one "
        "cluster gets nearly (1, 0); a point halfway between two equal clusters gets the weights. "
        "Nothing is shared between points: what one point gets does not depend on the others. And "
        "the prior counts: of two components with equal densities at x, the more frequent one is "
        "more responsible.",
        "**Place.** Build the same table as for `log_mixture`: row n and column k hold log π_k + "
        "log N(x_n | μ_k, σ_k). Bayes' rule divides each exponentiated entry by the sum of its "
        "row. Exponentials that are divided by their sum are a softmax, so one call does the "
        "division, and it stays finite where every density underflows to zero. What needs thought "
        "is the axis: the softmax must run over the components, so that rows sum to one. Test "
        "yourself: with one component every answer is 1. Where both of two components "
        "have the same density, the answer is the softmax of the logits.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "log_weights = torch.log_softmax(logits, dim=0)                  # (K,)\n"
        "log_components = torch.stack(\n"
        "    [... for k in range(len(loc))], dim=1\n"
        ")                                                               # (N, K)\n"
        "return torch.softmax(... + log_components, dim=...)             # (N, K)\n"
        "```\n\n"
        "The first gap is your `log_gaussian` for component k. In the last line, add the "
        "log-weights to every row and choose the axis of the components. If your columns sum to "
        "one and your rows do not, the axis is wrong. If you see NaN far from all means, you "
        "exponentiated before you divided. If the answer ignores a change of the logits, the "
        "prior is missing; it is easily forgotten, because the rows sum to one without it too.",
    ),
)


def _exact(x: Tensor, logits: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    return torch.softmax(log_joint(x, logits, loc, log_scale), 1)


@RESPONSIBILITIES.check
def rows_sum_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """The responsibilities of each point are probabilities: not negative, and together one."""
    for count, components in ((7, 3), (1, 4), (3, 3)):
        logits, loc, log_scale = draw_mixture(rng, components, 2)
        x = draw_points(rng, count, loc, log_scale)
        value = candidate.call(x, logits, loc, log_scale)
        resp = expect.tensor(value, (count, components), "responsibilities")
        expect.finite(resp, "responsibilities")
        expect.true(
            (resp > -1e-6).all(),
            f"a responsibility is {resp.min():.4g}; probabilities are not negative",
        )
        expect.close(
            resp.sum(1), torch.ones(count), "the sum of a point's responsibilities", atol=1e-4
        )


@RESPONSIBILITIES.check
def equals_bayes_rule(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals Bayes' rule: the weighted density of each component, divided by the sum."""
    for count, components, dim in (
        (9, 3, 2),
        (8, 2, 1),
        (4, 5, 3),
        (3, 3, 3),
        (1, 2, 1),
        (4, 1, 2),
    ):
        logits, loc, log_scale = draw_mixture(rng, components, dim)
        args = draw_points(rng, count, loc, log_scale), logits, loc, log_scale
        what = f"responsibilities for N = {count}, K = {components}, D = {dim}"
        expect.close(candidate.call(*args), _exact(*args), what)


@RESPONSIBILITIES.check
def equals_gradient_of_log_density(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the weights plus the gradient of log p(x) with respect to the logits."""
    logits, loc, log_scale = draw_mixture(rng, 3, 2)
    x = draw_points(rng, 4, loc, log_scale)
    copies = logits.repeat(len(x), 1).requires_grad_()
    with torch.enable_grad():
        log_density = [
            mixture.log_mixture(x[n : n + 1], copies[n], loc, log_scale).sum()
            for n in range(len(x))
        ]
        (gradient,) = torch.autograd.grad(torch.stack(log_density).sum(), copies)
    expect.close(
        candidate.call(x, logits, loc, log_scale),
        torch.softmax(logits, 0) + gradient,
        "responsibilities, against softmax(logits) + ∂ log p(x) / ∂ logits,",
    )


@RESPONSIBILITIES.check
def points_do_not_influence_each_other(candidate: Candidate, rng: np.random.Generator) -> None:
    """What a point gets does not depend on the other points."""
    logits, loc, log_scale = draw_mixture(rng, 3, 2)
    x = draw_points(rng, 6, loc, log_scale)
    together = candidate.call(x, logits, loc, log_scale)
    together = expect.tensor(together, (6, 3), "responsibilities of 6 points")
    for chosen in ([4], [5, 1, 0]):
        alone = candidate.call(x[chosen], logits, loc, log_scale)
        what = f"responsibilities of {len(chosen)} of these points, asked for without the others,"
        expect.close(alone, together[chosen], what)


@RESPONSIBILITIES.check
def prior_decides_between_equals(candidate: Candidate, rng: np.random.Generator) -> None:
    """Where all components are equally dense, near or far, the responsibilities are the weights."""
    logits, loc, log_scale = draw_mixture(rng, 2, 2)
    loc = torch.tensor([[-1.5, 0.0], [1.5, 0.0]], dtype=torch.float64)
    log_scale = log_scale[:1].expand(2, 2).clone()
    x = torch.tensor([[0.0, 0.3], [0.0, 60.0], [0.0, -90.0]], dtype=torch.float64)
    expected = torch.softmax(logits, 0).expand(3, 2)
    for constant in (0.0, 1000.0):
        actual = candidate.call(x, logits + constant, loc, log_scale)
        what = "responsibilities where both components are equally dense"
        what += " (1000 added to all logits)" if constant else ""
        expect.close(actual, expected, what, atol=1e-3)


@RESPONSIBILITIES.edge_check
def finite_in_the_tail(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right where every density underflows to zero, and beside such points."""
    logits, loc, log_scale = draw_mixture(rng, 3, 2)
    away = torch.tensor([[1.0, 0.0], [0.0, -1.0], [-0.6, 0.8]], dtype=torch.float64)
    one_near = away * torch.tensor([[1.0], [0.0], [1.0]], dtype=torch.float64)
    for z, dtype in (
        (60 * away, torch.float64),
        (60 * one_near, torch.float64),
        (25 * away, torch.float32),
    ):
        x = loc.mean(0) + log_scale.exp().amax(0) * z
        args = tuple(a.to(dtype) for a in (x, logits, loc, log_scale))
        what = f"responsibilities at up to {z.max():.0f} standard deviations"
        expect.close(candidate.call(*args), _exact(*args), what, atol=1e-3)
