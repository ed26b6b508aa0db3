"""`log_mixture(x, logits, loc, log_scale)`: the log-density of a mixture of Gaussians."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from course_lib import mixture

from ._components import draw_mixture, draw_points, log_joint

LOG_MIXTURE = Exercise(
    name="log_mixture",
    unit="01_mixture_models",
    title="The log-density of a mixture",
    points=3,
    difficulty=2,
    minutes=15,
    reference=mixture.log_mixture,
    needs=("log_gaussian",),
    hints=(
        "**Principle.** A point can come from any component, so its density is a sum over them: "
        "the weight π_k times the density of component k. All D coordinates of a point come from "
        "the same component. So the coordinates are multiplied first, inside each component, and "
        "the components are added afterwards. You are given the weights as logits: any K real "
        "numbers, which the softmax turns into probabilities. Everything is wanted as a "
        "logarithm, but the logarithm of a sum is not the sum of the logarithms. And you must not "
        "leave logarithms on the way, because far from every component all K densities underflow "
        "to zero.",
        "**Place.** Fill a table with one row for each point and one column for each component. "
        "The entry is log π_k + log N(x_n | μ_k, σ_k). The second part is your `log_gaussian`, "
        "called once for each component with `loc[k]` and `log_scale[k]`; stack the results along "
        "a new last axis. The first part is `torch.log_softmax(logits, dim=0)`, the same for "
        "every row. Then reduce the columns with `torch.logsumexp`, which takes out the largest "
        "entry before it exponentiates. One number for each point is left. Test yourself: two "
        "identical components give what `log_gaussian` gives for one, whatever the logits are.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "log_weights = torch.log_softmax(..., dim=0)                     # (K,)\n"
        "log_components = torch.stack(\n"
        "    [log_gaussian(x, loc[k], ...) for k in range(len(loc))], dim=1\n"
        ")                                                               # (N, K)\n"
        "return torch.logsumexp(... + log_components, dim=...)           # (N,)\n"
        "```\n\n"
        "The first gap is `logits`, the second is the log σ of component k. In the last line add "
        "the log-weights and reduce the axis that holds the components. If adding a constant to "
        "the logits changes your answer, you did not normalise them. If your answer is never "
        "above the right one and close to it, you took the largest term in the place of the sum. "
        "If you find mass where no component is, you mixed each coordinate on its own.",
    ),
)


def _exact(x: Tensor, logits: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    return torch.logsumexp(log_joint(x, logits, loc, log_scale), 1)


@LOG_MIXTURE.check
def equals_exact_value(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals the logarithm of the weighted sum of densities, for several numbers of components."""
    for count, components, dim in ((9, 3, 2), (8, 2, 1), (4, 5, 3)):
        logits, loc, log_scale = draw_mixture(rng, components, dim)
        args = draw_points(rng, count, loc, log_scale), logits, loc, log_scale
        what = f"log_mixture for K = {components}, D = {dim}"
        expect.close(candidate.call(*args), _exact(*args), what)


@LOG_MIXTURE.check
def works_when_sizes_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one point, and when the numbers of points, components and coordinates agree."""
    for count, components, dim in ((1, 3, 2), (3, 3, 3), (2, 2, 1), (1, 2, 1)):
        logits, loc, log_scale = draw_mixture(rng, components, dim)
        args = draw_points(rng, count, loc, log_scale), logits, loc, log_scale
        what = f"log_mixture for N = {count}, K = {components}, D = {dim}"
        expect.close(candidate.call(*args), _exact(*args), what)


@LOG_MIXTURE.check
def one_component_is_a_gaussian(candidate: Candidate, rng: np.random.Generator) -> None:
    """With one component it is a Gaussian, whatever the logit."""
    _, loc, log_scale = draw_mixture(rng, 1, 3)
    x = draw_points(rng, 4, loc, log_scale)
    expected = mixture.log_gaussian(x, loc[0], log_scale[0])
    for logit in (-2.3, 1.7):
        logits = torch.tensor([logit], dtype=torch.float64)
        actual = candidate.call(x, logits, loc, log_scale)
        expect.close(actual, expected, f"log_mixture of one component with the logit {logit}")


@LOG_MIXTURE.check
def integrates_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """The density integrates to one over the plane."""
    logits, loc, log_scale = draw_mixture(rng, 3, 2)
    low, high = loc - 6 * log_scale.exp(), loc + 6 * log_scale.exp()
    # A step of the smallest σ is fine enough: the trapezoidal rule is off by 2 exp(-2π²).
    step = log_scale.exp().amin(0)
    axes = [
        torch.arange(*ends, dtype=torch.float64)
        for ends in zip(low.amin(0).tolist(), high.amax(0).tolist(), step.tolist(), strict=True)
    ]
    x = torch.cartesian_prod(*axes)
    value = candidate.call(x, logits, loc, log_scale)
    area = (expect.tensor(value, (len(x),), "log_mixture").exp().sum() * step.prod()).item()
    expect.true(
        abs(area - 1) < 1e-3,
        f"exp(log_mixture) integrates to {area:.4g} over the plane; expected 1",
    )


@LOG_MIXTURE.edge_check
def logits_may_be_shifted(candidate: Candidate, rng: np.random.Generator) -> None:
    """Adding a constant to all logits changes nothing, however large the constant."""
    logits, loc, log_scale = draw_mixture(rng, 3, 2)
    x = draw_points(rng, 4, loc, log_scale)
    expected = _exact(x, logits, loc, log_scale)
    for constant in (2.5, -1000.0, 1000.0):
        actual = candidate.call(x, logits + constant, loc, log_scale)
        expect.close(actual, expected, f"log_mixture with {constant:+g} added to all logits")


@LOG_MIXTURE.check
def no_mass_without_a_component(candidate: Candidate, rng: np.random.Generator) -> None:
    """There is no mass where no component is: the first mean's x with the second mean's y."""
    logits, _, log_scale = draw_mixture(rng, 2, 2)
    log_scale = log_scale - 1
    means = torch.tensor([[-2.0, 3.0], [2.0, -3.0]], dtype=torch.float64)
    loc = means + torch.from_numpy(rng.uniform(-0.5, 0.5, size=(2, 2)))
    ghosts = torch.stack((torch.stack((loc[0, 0], loc[1, 1])), torch.stack((loc[1, 0], loc[0, 1]))))
    args = ghosts, logits, loc, log_scale
    what = "log_mixture between two components, far from both"
    expect.close(candidate.call(*args), _exact(*args), what)


@LOG_MIXTURE.check
def order_means_nothing(candidate: Candidate, rng: np.random.Generator) -> None:
    """The order of the components means nothing."""
    logits, loc, log_scale = draw_mixture(rng, 4, 2)
    x = draw_points(rng, 5, loc, log_scale)
    expected = _exact(x, logits, loc, log_scale)
    for order in ([2, 0, 3, 1], [3, 2, 1, 0]):
        actual = candidate.call(x, logits[order], loc[order], log_scale[order])
        expect.close(actual, expected, f"log_mixture with its components in the order {order}")


@LOG_MIXTURE.edge_check
def finite_in_the_tail(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays finite and right where every density underflows to zero, and beside such points."""
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
        actual = candidate.call(*args)
        what = f"log_mixture at up to {z.max():.0f} standard deviations"
        expect.finite(expect.tensor(actual, (3,), what), what)
        expect.close(actual, _exact(*args), what, rtol=1e-3)
