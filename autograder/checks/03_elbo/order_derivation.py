"""`order_derivation()`: bring the shuffled lines of the derivation of the bound into order.

Every line is a quantity that can be computed on a small model with a discrete hidden variable, so
the check follows the student's order and looks at the numbers: a chain of equal values, one fall at
Jensen's inequality, and equal values again.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

Line = Callable[[Tensor, Tensor, Tensor], Tensor]  # log p(z), log p(x | z) and q(z), each (K,)


def _kl(q: Tensor, r: Tensor) -> Tensor:
    return (q * (q / r).log()).sum()


LINES: dict[int, tuple[str, Line]] = {
    1: ("log E_q[p(x, z) / q(z)]", lambda p, f, q: (q * ((p + f).exp() / q)).sum().log()),
    2: ("E_q[log p(x | z)] + KL(q‖p(z))", lambda p, f, q: (q * f).sum() + _kl(q, p.exp())),
    3: (
        "E_q[log p(x | z)] + E_q[log p(z)] − E_q[log q(z)]",
        lambda p, f, q: (q * f).sum() + (q * p).sum() - (q * q.log()).sum(),
    ),
    4: ("log p(x)", lambda p, f, q: (p + f).logsumexp(0)),
    5: ("E_q[log(p(x, z) / q(z))]", lambda p, f, q: (q * ((p + f) - q.log())).sum()),
    6: ("log E_q[p(x, z)]", lambda p, f, q: (q * (p + f).exp()).sum().log()),
    7: ("E_q[log p(x | z)] − KL(p(z)‖q)", lambda p, f, q: (q * f).sum() - _kl(p.exp(), q)),
    8: ("log Σ_z p(x, z)", lambda p, f, q: (p + f).exp().sum().log()),
    9: ("E_q[log p(x | z)] − KL(q‖p(z))", lambda p, f, q: (q * f).sum() - _kl(q, p.exp())),
    10: (
        "E_q[log p(x, z)] + E_q[log q(z)]",
        lambda p, f, q: (q * (p + f)).sum() + (q * q.log()).sum(),
    ),
    11: ("log Σ_z q(z) p(x, z) / q(z)", lambda p, f, q: (q * (p + f).exp() / q).sum().log()),
    12: (
        "E_q[log p(x, z)] − E_q[log q(z)]",
        lambda p, f, q: (q * (p + f)).sum() - (q * q.log()).sum(),
    ),
    13: ("Σ_z log p(x, z)", lambda p, f, q: (p + f).sum()),
}
ORDER = (4, 8, 11, 1, 5, 12, 3, 9)
REASONS = (
    "where you start",
    "the hidden variable is summed out",
    "multiplied and divided by q(z)",
    "a sum with weights q(z) is a mean under q",
    "Jensen's inequality",
    "the logarithm of a quotient is a difference",
    "the joint is likelihood times prior",
    "two of the means are a divergence",
)
FALL = REASONS.index("Jensen's inequality")

ORDER_DERIVATION = Exercise(
    name="order_derivation",
    unit="03_elbo",
    title="Put the derivation in order",
    points=2,
    difficulty=2,
    minutes=15,
    reference=lambda: list(ORDER),
    follow_up="Eight lines, one inequality: everything that the bound loses is lost at that line.",
    hints=(
        "**Principle.** Seven of the eight steps change the form of an expression and not its "
        "value; one step, Jensen's inequality, makes it smaller. So on any model with numbers in "
        "it the lines of a right derivation take two values only: log p(x) before Jensen, the "
        "bound after. Compute every line once on a small model, and the thirteen fall into three "
        "groups: those equal to log p(x), those equal to the bound, and those equal to neither. "
        "The last group does not belong to any derivation. What is left is to order two groups of "
        "four, and there the reasons decide.",
        "**Place.** In the first group: before you can take a mean under q there must be a q in "
        "the sum, and before there is a q to multiply with there must be a sum. The logarithm "
        "stays outside all the time. Jensen's inequality then does a single thing: it moves the "
        "logarithm inside the mean, and touches nothing else. So the first line of the second "
        "group has the same quotient as the last of the first. From there on only the logarithm "
        "is taken apart: first the quotient, then the joint, and at the end two of the three "
        "means are read together.",
        "**Nearly the answer.** The first line is log p(x), and the second writes it as a sum. "
        "The third has the same sum with q above and below. The fourth is the logarithm of a mean "
        "of a quotient, and the fifth the mean of the logarithm of that quotient. In the sixth "
        "the quotient has become a difference with a minus sign; the line with a plus is a trap. "
        "In the seventh there are three means. The eighth is a reconstruction minus a divergence "
        "with q in front. Write the eight numbers as a list, such as `return [1, 2, 3]`, in the "
        "order of the reasons.",
    ),
)


def numbers(value: Any) -> tuple[int, ...]:
    """The order as whole numbers, from a list, a tuple or a tensor."""
    if isinstance(value, Tensor):
        value = value.tolist()
    if not isinstance(value, (tuple, list)):
        kind = "nothing" if value is None else f"a {type(value).__name__}"
        raise expect.Failure(f"your order is {kind}; return the numbers of the lines as a list")
    for item in value:
        whole = isinstance(item, (int, float)) and not isinstance(item, bool) and item == int(item)
        expect.true(whole, "your order holds something that is no whole number")
    return tuple(int(item) for item in value)


def draw(rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    prior, q = (torch.from_numpy(rng.dirichlet(np.full(3, 3.0)) * 0.8 + 0.2 / 3) for _ in range(2))
    return prior.log(), torch.from_numpy(rng.normal(-2, 1, size=3)), q


def _read(candidate: Candidate) -> tuple[int, ...]:
    order = numbers(candidate.call())
    unknown = sorted(set(order) - set(LINES))
    expect.true(not unknown, f"there is no line {unknown[:1]}; they are numbered from 1 to 13")
    expect.true(order, "your order is empty; return the numbers of the lines as a list")
    return order


@ORDER_DERIVATION.check
def uses_each_line_once(candidate: Candidate, rng: np.random.Generator) -> None:
    """Names eight of the lines, one for each reason, and none twice."""
    order = _read(candidate)
    expect.true(
        len(order) == len(ORDER),
        f"your order has {len(order)} lines; expected {len(ORDER)}, one for each reason",
    )
    expect.true(len(set(order)) == len(order), "your order names a line twice")


@ORDER_DERIVATION.check
def goes_from_evidence_to_the_bound(candidate: Candidate, rng: np.random.Generator) -> None:
    """Starts at log p(x) and ends at reconstruction minus divergence."""
    order = _read(candidate)
    for place, name in ((0, "first"), (-1, "last")):
        expect.true(
            order[place] == ORDER[place],
            f"your {name} line is {LINES[order[place]][0]}; it is another one that belongs there",
        )


@ORDER_DERIVATION.check
def numbers_agree(candidate: Candidate, rng: np.random.Generator) -> None:
    """On a model with numbers in it no line changes the value, except Jensen's, which lowers it."""
    order, model = _read(candidate), draw(rng)
    values = [LINES[line][1](*model).item() for line in order]
    for place in range(1, len(order)):
        change = values[place] - values[place - 1]
        step = f"from {LINES[order[place - 1]][0]} to {LINES[order[place]][0]}"
        where = f"step {place + 1} of your order, {step},"
        if place == FALL:
            expect.true(change < 0, f"{where} changes the value by {change:+.4f}; Jensen lowers it")
        else:
            expect.true(
                abs(change) < 1e-6,
                f"{where} changes the value from {values[place - 1]:.4f} to {values[place]:.4f}; "
                "expected the same number",
            )


@ORDER_DERIVATION.check
def reasons_fit(candidate: Candidate, rng: np.random.Generator) -> None:
    """Each line follows from the one before it by the reason at its place."""
    order = _read(candidate)
    for place, (given, right, reason) in enumerate(
        zip(order, ORDER, REASONS, strict=False), start=1
    ):
        expect.true(
            given == right,
            f"line {place} of your order is {LINES[given][0]}, which does not follow by the "
            f"reason of step {place}: {reason}",
        )
