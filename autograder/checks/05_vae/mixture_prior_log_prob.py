"""`mixture_prior_log_prob(z, logits, loc, log_scale)`: a prior that learns where the codes are."""

import math

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._mixture import distribution, draw_mixture


def reference(z: Tensor, logits: Tensor, loc: Tensor, log_scale: Tensor) -> Tensor:
    u = (z[..., None, :] - loc) * (-log_scale).exp()
    inside = -(0.5 * u.square() + log_scale + 0.5 * math.log(2 * math.pi)).sum(-1)
    return torch.logsumexp(logits.log_softmax(0) + inside, -1)


MIXTURE_PRIOR_LOG_PROB = Exercise(
    name="mixture_prior_log_prob",
    unit="05_vae",
    title="A prior that is learnt",
    points=2,
    difficulty=2,
    minutes=20,
    reference=reference,
    hints=(
        "**Principle.** The prior need not be one bell curve. A mixture of K of them is a density "
        "whose places, widths and weights can be learnt together with the VAE. A point belongs to "
        "one component as a whole: the coordinates are independent inside a component, and not in "
        "the mixture. So for each component multiply the M densities, which in logarithms is a "
        "sum, and only then take the weighted sum over the components. A product of M "
        "one-dimensional mixtures is another density, with mass at places that no component "
        "covers. The weights come from the logits by a softmax, so they sum to one.",
        "**Place.** Give z one more axis, for the components, before its last: `z.unsqueeze(-2)` "
        "is (…, 1, M) and broadcasts against `loc`, (K, M), to (…, K, M). The log-density of "
        "`torch.distributions.Normal` and a sum over the last axis leave (…, K). Add the log "
        "weights, `torch.log_softmax(logits, dim=0)`, (K,). Then `torch.logsumexp` over the "
        "components, the last axis now. Never exponentiate before: far from all components every "
        "density is zero in floating point, while its logarithm is an ordinary number. Leave "
        "everything attached to the graph, because the prior is to be learnt by gradient.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "component = torch.distributions.Normal(loc, log_scale.exp())\n"
        "inside = component.log_prob(z.unsqueeze(...)).sum(dim=...)      # (..., K)\n"
        "return torch.logsumexp(inside + ..., dim=-1)                    # (...)\n"
        "```\n\n"
        "The gaps are −2, −1 and the log weights. Test yourself: with one component it is that "
        "component's log-density, whatever the logit is. With two equal components it is the same "
        "number again. If adding 5 to all logits changes your answer, the softmax is missing. If "
        "the answer has one axis too many, you did not sum over the M coordinates.",
    ),
)


@MIXTURE_PRIOR_LOG_PROB.check
def equals_the_mixture(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the log-density of the mixture, for points with one leading axis, with two, or none."""
    sizes = ((5,), 3, 2), ((4, 3), 2, 3), ((3, 3), 3, 3), ((1, 4), 2, 1), ((), 3, 2)
    for shape, num_components, latent_dim in sizes:
        prior = draw_mixture(rng, num_components, latent_dim)
        z = torch.from_numpy(rng.normal(0, 1.5, size=(*shape, latent_dim)))
        what = f"mixture_prior_log_prob for z of the shape {(*shape, latent_dim)}"
        expect.close(candidate.call(z, *prior), distribution(*prior).log_prob(z), what)


@MIXTURE_PRIOR_LOG_PROB.check
def one_component_is_a_gaussian(candidate: Candidate, rng: np.random.Generator) -> None:
    """With one component it is that Gaussian, and its logit does not matter."""
    logits, loc, log_scale = draw_mixture(rng, 1, 3)
    z = torch.from_numpy(rng.normal(size=(4, 3)))
    right = distribution(logits, loc, log_scale).log_prob(z)
    given = candidate.call(z, logits + 2, loc, log_scale)
    expect.close(given, right, "mixture_prior_log_prob of one component")


@MIXTURE_PRIOR_LOG_PROB.check
def integrates_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """The density of a mixture in two dimensions integrates to one, whatever the logits are."""
    prior = draw_mixture(rng, 3, 2)
    axis = torch.linspace(-14, 14, 100, dtype=torch.float64)
    z = torch.cartesian_prod(axis, axis)
    given = expect.tensor(candidate.call(z, *prior), (len(z),), "mixture_prior_log_prob")
    total = (given.exp().sum() * (axis[1] - axis[0]) ** 2).item()
    expect.true(abs(total - 1) < 0.02, f"the density integrates to {total:.4g}; expected 1")


@MIXTURE_PRIOR_LOG_PROB.check
def all_parameters_can_learn(candidate: Candidate, rng: np.random.Generator) -> None:
    """The gradient reaches z, the logits, the means and the widths."""
    prior = draw_mixture(rng, 2, 2)
    z = torch.from_numpy(rng.normal(size=(3, 2)))
    leaves = [value.clone().requires_grad_() for value in (z, *prior)]
    right = torch.autograd.grad(distribution(*leaves[1:]).log_prob(leaves[0]).sum(), leaves)
    given = candidate.gradient(z, *prior, wrt=(0, 1, 2, 3))
    for name, value, wanted in zip(("z", "logits", "loc", "log_scale"), given, right, strict=True):
        expect.close(value, wanted, f"the gradient with respect to {name}")


@MIXTURE_PRIOR_LOG_PROB.edge_check
def survives_far_points(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is finite and right hundreds of standard deviations away, and for extreme logits."""
    logits, loc, log_scale = draw_mixture(rng, 3, 2)
    signs, size = rng.choice([-1.0, 1.0], size=(3, 2)), rng.uniform(0.8, 1.1, size=(3, 2))
    z = torch.from_numpy(signs * size) * torch.tensor([[1.0], [200.0], [900.0]])
    logits = logits + torch.tensor([900.0, 0.0, -900.0])
    # far from the first component, so that the least likely ones decide; and far from all
    loc = loc + torch.tensor([[0.0], [200.0], [-200.0]])
    z = torch.cat((z, loc + 0.5))
    # by hand: torch.distributions checks nothing away, but this is the same sum in other words
    right = reference(z, logits, loc, log_scale)
    given = candidate.call(z, logits, loc, log_scale)
    expect.close(given, right, "mixture_prior_log_prob of extreme values")


@MIXTURE_PRIOR_LOG_PROB.edge_check
def survives_extreme_widths(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is right for components whose log σ lies anywhere between −7 and 7."""
    logits, loc, _ = draw_mixture(rng, 3, 2)
    log_scale = torch.tensor([[-6.9, -6.0], [6.9, 6.0], [-6.5, 6.5]]).double()
    z = loc + torch.from_numpy(rng.normal(size=(3, 2))) * log_scale.exp()
    right = reference(z, logits, loc, log_scale)
    given = candidate.call(z, logits, loc, log_scale)
    expect.close(given, right, "mixture_prior_log_prob with extreme widths")


@MIXTURE_PRIOR_LOG_PROB.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    prior = tuple(value.float() for value in draw_mixture(rng, 3, 2))
    z = torch.from_numpy(rng.normal(size=(6, 2))).float()
    right = distribution(*prior).log_prob(z.double())
    expect.close(candidate.call(z, *prior), right, "mixture_prior_log_prob in float32")
