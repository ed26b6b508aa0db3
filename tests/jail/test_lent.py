"""A function that the grader lends is to student code like the real thing, gradients included."""

import pytest
import torch

from autograder.candidate import same_plain
from autograder.faults import AnswerError


def log_density(x, loc, log_scale):
    return (-0.5 * ((x - loc) / log_scale.exp()) ** 2 - log_scale).sum(-1)


def moments(x):
    return x.mean(0), x.var(0), len(x)


LENT_USE = """
import torch
def total(x, loc, log_scale): return log_density(x, loc, log_scale).sum()
def by_loc(x, loc, log_scale):
    loc = loc.clone().requires_grad_()
    log_density(x, loc, log_scale).sum().backward()
    return loc.grad
def climbs(x):
    loc = torch.zeros(2, dtype=x.dtype, requires_grad=True)
    optimiser = torch.optim.Adam([loc], lr=0.1)
    for _ in range(5):
        optimiser.zero_grad()
        (-log_density(x, loc, torch.zeros(2)).mean()).backward()
        optimiser.step()
    return loc.detach()
def spread(x):
    mean, var, count = moments(x)
    return (x - mean).pow(2).sum() / count + var.sum()
def unused(x): return x.sum()
def oddly(x): return log_density("a", x)
"""
POINTS = torch.randn(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
LOC = torch.tensor([0.5, -1.0], dtype=torch.float64)


@pytest.fixture
def borrower(jail):
    with jail.open() as session:
        assert session.execute("cell", LENT_USE) is None
        session.lend("log_density", log_density)
        session.lend("moments", moments)
        yield session


def refusal(session, name):
    with pytest.raises(AnswerError) as caught:
        session.candidate(name).call(POINTS)
    return caught.value


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("total", (POINTS, LOC, LOC)),
        ("by_loc", (POINTS, LOC, LOC)),
        ("climbs", (POINTS,)),
        ("spread", (POINTS,)),
        ("unused", (POINTS,)),
    ],
)
def test_a_lent_function_is_like_the_real_thing(name, args, borrower):
    here = {"log_density": log_density, "moments": moments}
    exec(LENT_USE, here)
    assert same_plain(borrower.candidate(name).call(*args), here[name](*args))
    expected = {"unused": set(), "spread": {"moments"}}.get(name, {"log_density"})
    assert borrower.used == expected


@pytest.mark.parametrize(
    ("name", "args", "wrt"), [("total", (POINTS, LOC, LOC), (1, 2, 0)), ("spread", (POINTS,), (0,))]
)
def test_a_gradient_through_a_lent_function_is_that_of_the_real_thing(name, args, wrt, borrower):
    here = {"log_density": log_density, "moments": moments}
    exec(LENT_USE, here)
    leaves = [args[i].clone().requires_grad_() for i in wrt]
    given = list(args)
    for i, leaf in zip(wrt, leaves, strict=True):
        given[i] = leaf
    expected = torch.autograd.grad(here[name](*given), leaves)
    assert same_plain(borrower.candidate(name).gradient(*args, wrt=wrt), expected)


def test_odd_questions_to_a_lent_function_are_errors_of_the_students(borrower):
    assert refusal(borrower, "oddly").code == "raised"
    assert not borrower.is_over


def test_a_lent_function_takes_no_more_than_a_check_would_ask(borrower):
    source = """
def large(x): return log_density(torch.zeros(100_000, 2), torch.zeros(2), torch.zeros(2))
def differs(x):
    leaf = torch.zeros(2, requires_grad=True)
    value = log_density(torch.zeros(100_000, 2), leaf, torch.zeros(2))
"""
    assert borrower.execute("more", source) is None
    for name in ("large", "differs"):
        assert refusal(borrower, name).code == "raised"
