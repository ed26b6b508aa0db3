"""A candidate in the jail answers as one in this process does: the same values, the same errors."""

import linecache

import pytest
import torch

from autograder.candidate import LocalCandidate, Oracle, Seed, same_plain, smooth_oracle
from autograder.faults import AnswerError, NotAttempted

X = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
TABLE = torch.arange(12.0).reshape(4, 3)
STUDENT = """
import sys
import numpy as np
import torch
from torch import nn

identity = lambda *values: values
class Own(Exception): pass
class Sly(Exception):
    def __str__(self): sys.exit(0)

def cube(x): return x**3
def half_cube(x, y): return x**3 + 0 * y.detach()
def kinds(x): return 1, 2.5, None, True, -0.0, float("nan"), [x, (x,)], {"k": x}
def of_numpy(x): return x.numpy() * 2, np.float32(0.5), np.arange(3), np.array(1.0)
def views(x): return x.T, x[:, ::2], x[:1, 0], x.expand(2, 4, 3), x, x
def of_digits(): return 10**5000, -(10**30), 2**63 - 1
def draw(): return torch.rand(3)
def draw_from(generator): return torch.rand(3, generator=generator)
def ask_twice(ask, x): return ask(x) + ask(x + 1)
def ask_oddly(ask, x): return ask(np.float64(2.0), [x, (x,)])
def slope(ask, x, y):
    x = x.requires_grad_()
    return torch.autograd.grad(3 * ask(x, y, 2.0), x)[0]
def two_slopes(ask, x, y):
    x, y = x.requires_grad_(), y.requires_grad_()
    ask(x, y, 2.0).backward()
    return x.grad, y.grad
def curvature(ask, x, y):
    x = x.requires_grad_()
    first = torch.autograd.grad(ask(x, y, 2.0), x, create_graph=True)[0]
    return torch.autograd.grad(first.sum(), x)[0]
def change(x, y): y += 1; return x
def change_list(values): values.append(1); return 0
def stub(x): raise NotImplementedError
def stub_with_text(x): raise NotImplementedError("later")
def lacks_operation(x): return torch.cholesky_inverse(x.half().expand(3, 3))
def by_zero(x): return 1 / 0
def raises(x): raise ValueError("the text of the student")
def raises_own(x): raise Own("the text of the student")
def raises_sly(x): raise Sly
def leaves(x): sys.exit(0)
def object_back(x): return object()
def words_back(x): return np.array(["a"])
def endless_recursion(x): return endless_recursion(x)
def cut(x): return x.detach()

class Scale(nn.Module):
    def __init__(self, width=3, value=2.0):
        super().__init__()
        self.factor = nn.Parameter(torch.full((width,), value))
        self.dropout = nn.Dropout(0.5)
    def forward(self, x): return self.factor * self.dropout(x)
    def loss(self, x): return (self.factor * x - 1).pow(2).sum()
    def no_loss(self, x): return 1.0
    def is_training(self): return self.training
    def noise(self): return torch.rand(2)
    def fails(self): raise KeyError("the text of the student")
"""


def use_module(candidate):
    module = candidate.construct(3, value=4.0)
    x = X.float()
    found = [module.parameters(), module.method("is_training"), module.call(x)]
    module.train(False)
    found += [module.method("is_training"), module.call(x)]
    found += [module.gradient(x), module.gradient(x, outer=2 * x)]
    found += [module.optimise("loss", [(x,), (2 * x,)], 0.1), module.parameters()]
    module.load({"factor": torch.tensor([1.0, 0.0, 2.0])})
    return [*found, module.call(x), candidate.construct().parameters()]


def load(**state):
    return lambda candidate: candidate.construct().load(state)


VALUES = {
    "cube": lambda c: c.call(X),
    "cube of another dtype": lambda c: c.call(X.float()),
    "cube of integers": lambda c: c.call(TABLE.long()),
    "cube of a number": lambda c: c.call(0.1),
    "cube of nothing": lambda c: c.call(torch.zeros(0, 2)),
    "cube: gradient": lambda c: c.gradient(X),
    "cube: weighted gradient": lambda c: c.gradient(X, outer=2 * X),
    "half_cube: two gradients": lambda c: c.gradient(X, 2 * X, wrt=(1, 0)),
    "identity": lambda c: c.call(X, 1, 2.5, None, True, [X, (X,)], {"k": X}),
    "identity of views": lambda c: c.call(TABLE.T, TABLE[:1, 0], X.expand(2, 3), X, X),
    "kinds": lambda c: c.call(X),
    "of_numpy": lambda c: c.call(X),
    "of_digits": lambda c: c.call(),
    "views": lambda c: c.call(TABLE),
    "draw": lambda c: [c.call(), c.call()],
    "draw_from": lambda c: [
        c.call(seed) for seed in (Seed(3), Seed(3), Seed(4), Seed(3, used=True))
    ],
    "Scale": use_module,
}
ERRORS = {
    "change": lambda c: c.call(X, X),
    "change_list": lambda c: c.call([1]),
    "stub": lambda c: c.call(X),
    "stub: gradient": lambda c: c.gradient(X),
    "stub_with_text": lambda c: c.call(X),
    "lacks_operation": lambda c: c.call(X),
    "by_zero": lambda c: c.call(X),
    "by_zero: gradient": lambda c: c.gradient(X),
    "raises": lambda c: c.call(X),
    "leaves": lambda c: c.call(X),
    "object_back": lambda c: c.call(X),
    "words_back": lambda c: c.call(X),
    "endless_recursion": lambda c: c.call(X),
    "cut": lambda c: c.gradient(X),
    "cube: weights of another shape": lambda c: c.gradient(X, outer=torch.ones(2)),
    "cube with too many arguments": lambda c: c.call(X, X),
    "cube is no module": lambda c: c.construct(2.0),
    "Scale: no such setting": lambda c: c.construct(depth=3),
    "Scale: no such method": lambda c: c.construct().method("absent"),
    "Scale: a method that fails": lambda c: c.construct().method("fails"),
    "Scale: a method that is none": lambda c: c.construct().method("training"),
    "Scale: no gradient": lambda c: c.construct().optimise("no_loss", [(X,)], 0.1),
    "Scale: no such loss": lambda c: c.construct().optimise("absent", [(X,)], 0.1),
    "Scale: other names": load(other=torch.ones(3)),
    "Scale: another shape": load(factor=torch.ones(4)),
}


@pytest.fixture(scope="module")
def functions():
    namespace = {}
    lines = STUDENT.splitlines(keepends=True)
    linecache.cache["<student>"] = (len(STUDENT), None, lines, "<student>")
    exec(compile(STUDENT, "<student>", "exec"), namespace)
    return namespace


@pytest.fixture
def session(jail):
    with jail.open() as session:
        assert session.execute("student", STUDENT) is None
        yield session


@pytest.fixture
def both(session, functions):
    """The function of that name here and in the jail."""

    def find(case):
        name = case.partition(":")[0].partition(" ")[0]
        return LocalCandidate(functions[name]), session.candidate(name)

    return find


def error_of(ask, candidate):
    with pytest.raises((AnswerError, NotAttempted)) as caught:
        ask(candidate)
    return caught.value


@pytest.mark.parametrize("case", VALUES)
def test_the_same_value(case, both):
    local, jailed = map(VALUES[case], both(case))
    assert same_plain(local, jailed)


@pytest.mark.parametrize("case", ERRORS)
def test_the_same_kind_of_error(case, both, session):
    local, jailed = (error_of(ERRORS[case], candidate) for candidate in both(case))
    assert type(local) is type(jailed)
    if isinstance(local, AnswerError):
        assert (local.code, local.detail) == (jailed.code, jailed.detail)
        assert "the text of the student" not in str(jailed)
    assert not session.is_over


def test_chance_goes_on_from_one_method_to_the_next(both):
    values = []
    for candidate in both("Scale"):
        module = candidate.construct()
        values.append([module.method("noise") for _ in range(3)])
    assert same_plain(*values)
    assert len({tuple(noise.tolist()) for noise in values[0]}) == 3


def test_the_text_of_an_error_is_for_the_diagnosis_only(session):
    error = error_of(lambda c: c.call(X), session.candidate("raises"))
    assert str(error) == "your code raised ValueError"
    assert "the text of the student" in error.text


@pytest.mark.parametrize("name", ["raises_own", "raises_sly"])
def test_an_exception_of_the_students_own_class_stays_unnamed(name, session):
    error = error_of(lambda c: c.call(X), session.candidate(name))
    assert str(error) == "your code raised an error of its own kind"


@pytest.mark.parametrize("name", ["ask_twice", "ask_oddly"])
def test_an_oracle_is_asked_counted_and_inspected(name, both):
    oracles, values = [], []
    for candidate in both(name):
        oracles.append(Oracle(lambda *args: 2 * args[0]))
        values.append(candidate.call(oracles[-1], X))
    assert same_plain(*values)
    local, jailed = (oracle.questions for oracle in oracles)
    assert same_plain(local, jailed)
    assert len(jailed) == (2 if name == "ask_twice" else 1)


@pytest.mark.parametrize("name", ["slope", "two_slopes"])
def test_autograd_goes_through_an_oracle_that_allows_it(name, both):
    y = 2 * X
    right = {"two_slopes": (2 * X * y, X**2)}.get(name, 6 * X * y)
    for candidate in both(name):
        oracle = smooth_oracle(lambda x, y, power: (x**power * y).sum())
        assert same_plain(candidate.call(oracle, X, y), right)
        assert len(oracle.questions) == 1


@pytest.mark.parametrize(("name", "make"), [("slope", Oracle), ("curvature", smooth_oracle)])
def test_autograd_goes_no_further_than_allowed(name, make, both):
    for candidate in both(name):
        oracle = make(lambda x, y, power: (x**power * y).sum())
        assert error_of(lambda c, o=oracle: c.call(o, X, X), candidate).detail == "RuntimeError"


def test_a_function_that_does_not_use_an_argument_has_no_slope_there(both):
    for candidate in both("two_slopes"):
        oracle = smooth_oracle(lambda x, y, power: x.sum())
        assert same_plain(candidate.call(oracle, X, X), (torch.ones_like(X), torch.zeros_like(X)))


def test_an_oracle_that_fails_is_an_error_of_the_students_call(session):
    def broken(x):
        raise RuntimeError("what the grader knows")

    error = error_of(lambda c: c.call(Oracle(broken), X), session.candidate("ask_twice"))
    assert error.code == "raised"
    assert "what the grader knows" not in error.text


def test_the_grader_keeps_its_own_copy_of_an_argument(session):
    mine = X.clone()
    error = error_of(lambda c: c.call(X, mine), session.candidate("change"))
    assert (error.code, error.detail) == ("changed_argument", 2)
    assert torch.equal(mine, X)


def test_a_function_that_is_not_there(session):
    for verb in ("call", "gradient", "construct"):
        error = error_of(lambda c, v=verb: getattr(c, v)(X), session.candidate("absent"))
        assert error.code == "missing"
    assert error_of(lambda c: c.call(X), session.candidate("__name__")).code == "missing"


HUGE = {
    "60 million numbers": "torch.zeros(60_000_000)",
    "60 million numbers of one": "torch.zeros(1).expand(60_000_000)",
    "100 000 parts": "[1.5] * 100_000",
    "1 000 tensors": "[torch.zeros(1)] * 1_000",
    "deep": "__import__('functools').reduce(lambda a, _: [a], range(50), 0)",
    "a text of two megabytes": "'a' * (2 << 20)",
}


@pytest.mark.parametrize("expression", HUGE.values(), ids=HUGE)
def test_a_result_that_is_too_large(expression, session):
    assert session.execute("huge", f"def huge(): return {expression}") is None
    error = error_of(lambda c: c.call(), session.candidate("huge"))
    assert error.code == "too_large"
    assert torch.equal(session.candidate("cube").call(X), X**3)


@pytest.mark.parametrize(
    "expression", ["torch.ones(2, dtype=torch.complex128)", "torch.eye(2).to_sparse()"]
)
def test_a_result_of_unusual_numbers(expression, session):
    assert session.execute("odd", f"def odd(): return {expression}") is None
    assert error_of(lambda c: c.call(), session.candidate("odd")).code == "unusual"


def test_no_text_of_a_function_gets_out(session):
    assert (
        session.execute("text", "def text(): return 'hidden', ['hidden'], {'k': 'hidden'}") is None
    )
    value = session.candidate("text").call()
    assert "hidden" not in repr(value)
