"""`elbo_three_ways(log_prior, log_likelihood, q)`: the bound in its three forms, as finite sums."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise
from course_lib import mixture
from course_lib.data import old_faithful

Table = tuple[Tensor, Tensor, Tensor]
FORMS = (
    "E_q[log p(x, z)] + H(q)",
    "E_q[log p(x | z)] − KL(q‖p(z))",
    "log p(x) − KL(q‖p(z | x))",
)


def three_forms(log_prior: Tensor, log_likelihood: Tensor, q: Tensor) -> Table:
    log_joint = log_prior + log_likelihood
    log_posterior = log_joint.log_softmax(-1)
    entropy = -torch.xlogy(q, q).sum(-1)
    first = (q * log_joint).sum(-1) + entropy
    second = (q * log_likelihood).sum(-1) - (-(q * log_prior).sum(-1) - entropy)
    third = log_joint.logsumexp(-1) - (-(q * log_posterior).sum(-1) - entropy)
    return first, second, third


ELBO_THREE_WAYS = Exercise(
    name="elbo_three_ways",
    unit="03_elbo",
    title="One bound, three forms",
    points=4,
    difficulty=3,
    minutes=25,
    reference=three_forms,
    hints=(
        "**Principle.** All three forms are one number for each point, split at different places. "
        "The first: what q gets from the joint, plus a reward for staying spread out (the "
        "entropy). The second: how well the hidden values that q proposes explain x, minus the "
        "price for leaving the prior. The third: the log evidence, minus what is lost because q "
        "is not the posterior. Every mean is taken **under q**: Σ_k q_nk times the quantity for "
        "kind k. Since z has K values only, nothing is estimated, and the three must agree to the "
        "last digits. If they do not, one of them is wrong, and comparing them tells you which.",
        "**Place.** Build the table `log_joint = log_prior + log_likelihood`, shape (N, K). Its "
        "log-sum-exp over the kinds is log p(x); subtract that from the table and you have the "
        "log posterior. All sums run over the last axis, so that N numbers are left. The entropy "
        "is −Σ q log q; where q is zero the term is zero, and `torch.xlogy(q, q)` knows that, "
        "while `q * q.log()` gives NaN. A divergence is KL(q‖r) = Σ q (log q − log r), with q in "
        "front of the brackets, whatever r is: the prior in the second form, the posterior in the "
        "third. Return three tensors as a tuple.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "log_joint = log_prior + log_likelihood                  # (N, K)\n"
        "log_evidence = torch.logsumexp(..., dim=-1)             # (N,)\n"
        "log_posterior = log_joint - log_evidence[:, None]\n"
        "neg_entropy = torch.xlogy(q, q).sum(-1)                 # Σ q log q\n"
        "kl_prior = neg_entropy - (q * ...).sum(-1)\n"
        "kl_posterior = neg_entropy - (q * ...).sum(-1)\n"
        "first = (q * log_joint).sum(-1) - neg_entropy\n"
        "second = (q * ...).sum(-1) - kl_prior\n"
        "third = ... - kl_posterior\n"
        "return first, second, third\n"
        "```\n\n"
        "The two divergences differ only in the table that stands beside q. If your second form "
        "is too large, you added the divergence; the bound pays for it.",
    ),
)


def draw(rng: np.random.Generator, num_points: int, num_kinds: int) -> Table:
    """A table of unequal likelihoods, an uneven prior, and a q that is not the posterior."""
    prior = rng.dirichlet(np.full(num_kinds, 2.0)) * 0.8 + 0.2 / num_kinds
    log_likelihood = rng.normal(-2, 1.5, size=(num_points, num_kinds))
    q = rng.dirichlet(np.ones(num_kinds), size=num_points) * 0.9 + 0.1 / num_kinds
    return torch.from_numpy(np.log(prior)), torch.from_numpy(log_likelihood), torch.from_numpy(q)


def read(value: Any, count: int) -> Sequence[Any]:
    """The three forms, from a tuple, a list or the rows of one tensor."""
    if isinstance(value, Tensor) and value.ndim == 2 and len(value) == 3:
        value = tuple(value)
    return expect.items(value, 3, "the result of elbo_three_ways")


def _expect_exact(candidate: Candidate, args: Table, where: str) -> None:
    given = read(candidate.call(*args), len(args[2]))
    exact = three_forms(*(a.double() for a in args))[0]
    for value, form in zip(given, FORMS, strict=True):
        expect.close(value, exact, f"{form} {where}")


@ELBO_THREE_WAYS.check
def each_form_is_exact(candidate: Candidate, rng: np.random.Generator) -> None:
    """Each of the three forms equals the exact sum over all values of z."""
    for num_points, num_kinds in ((6, 4), (5, 2), (3, 7)):
        _expect_exact(
            candidate,
            draw(rng, num_points, num_kinds),
            f"for N = {num_points}, K = {num_kinds}",
        )


@ELBO_THREE_WAYS.check
def forms_agree_to_the_last_digits(candidate: Candidate, rng: np.random.Generator) -> None:
    """The three forms agree within a millionth of a nat."""
    args = draw(rng, 5, 3)
    first, *others = (
        expect.tensor(v, (5,), "a form") for v in read(candidate.call(*args), len(args[2]))
    )
    for name, other in zip(FORMS[1:], others, strict=True):
        difference = (other - first).abs().max().item()
        expect.true(
            difference < 1e-6,
            f"{name} and {FORMS[0]} differ by {difference:.3g} nats; expected the same number",
        )


@ELBO_THREE_WAYS.check
def works_when_sizes_coincide(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one point, for one value of z, and when N and K agree."""
    for num_points, num_kinds in ((1, 3), (3, 3), (4, 1)):
        where = f"for N = {num_points}, K = {num_kinds}"
        _expect_exact(candidate, draw(rng, num_points, num_kinds), where)


@ELBO_THREE_WAYS.check
def is_tight_at_the_posterior(candidate: Candidate, rng: np.random.Generator) -> None:
    """Equals log p(x) where q is the posterior, and stays below it elsewhere."""
    log_prior, log_likelihood, q = draw(rng, 6, 3)
    log_joint = log_prior + log_likelihood
    q[:3] = log_joint[:3].softmax(-1)
    value = read(candidate.call(log_prior, log_likelihood, q), 6)
    for form, name in zip(value, FORMS, strict=True):
        form = expect.tensor(form, (6,), name)
        expect.close(form[:3], log_joint.logsumexp(-1)[:3], f"{name} with q the posterior")
        above = (form - log_joint.logsumexp(-1))[3:].max().item()
        expect.true(
            above <= 1e-6, f"{name} lies {above:.3g} nats above log p(x); expected a lower bound"
        )


@ELBO_THREE_WAYS.check
def holds_for_the_eruptions(candidate: Candidate, rng: np.random.Generator) -> None:
    """On Old Faithful, under a mixture of two Gaussians, the three agree with the exact value."""
    x = old_faithful()[rng.choice(272, size=40, replace=False)]
    loc = torch.tensor([[2.0, 54.5], [4.3, 80.0]], dtype=x.dtype)
    log_scale = torch.tensor([[0.35, 6.0], [0.4, 6.0]], dtype=x.dtype).log()
    log_likelihood = torch.stack(
        [mixture.log_gaussian(x, *params) for params in zip(loc, log_scale, strict=True)], dim=1
    )
    share = torch.from_numpy(rng.uniform(0.1, 0.9, size=(40, 1)))
    log_prior = torch.tensor([0.36, 0.64], dtype=x.dtype).log()
    args = log_prior, log_likelihood, torch.cat((share, 1 - share), dim=1)
    _expect_exact(candidate, args, "on 40 eruptions")


@ELBO_THREE_WAYS.edge_check
def zeros_in_q_are_harmless(candidate: Candidate, rng: np.random.Generator) -> None:
    """A value of z that q excludes counts for nothing: 0 log 0 is 0."""
    log_prior, log_likelihood, q = draw(rng, 5, 3)
    q[0], q[1] = torch.eye(3, dtype=q.dtype)[:2]
    q[2] = torch.tensor([0.0, 0.3, 0.7], dtype=q.dtype)
    _expect_exact(candidate, (log_prior, log_likelihood, q), "with zeros in q")


@ELBO_THREE_WAYS.edge_check
def survives_tiny_likelihoods(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right for likelihoods as small as e⁻²⁰⁰⁰, and as large as e²⁰⁰⁰ (densities)."""
    log_prior, log_likelihood, q = draw(rng, 6, 3)
    shift = torch.tensor([-2000.0, -900.0, 0.0, 300.0, 900.0, 2000.0], dtype=q.dtype)
    _expect_exact(candidate, (log_prior, log_likelihood + shift[:, None], q), "far from zero")


@ELBO_THREE_WAYS.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    _expect_exact(candidate, tuple(a.float() for a in draw(rng, 5, 3)), "in single precision")
