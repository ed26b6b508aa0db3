"""The verbs of a candidate, and what its answers and errors become."""

import sys
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from autograder.candidate import (
    AnswerError,
    LocalCandidate,
    Oracle,
    Seed,
    same_plain,
)
from autograder.faults import NotAttempted
from autograder.recorder import Recorder

X = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)


def call(function, *args):
    return LocalCandidate(function).call(*args)


class Scale(nn.Module):
    def __init__(self, width=3, value=2.0):
        super().__init__()
        self.factor = nn.Parameter(torch.full((width,), value))
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):
        return self.factor * x

    def total(self, x):
        return self(x).sum()

    def is_training(self):
        return self.training


def test_plain_values_come_back():
    value = call(lambda: (1, 2.5, "a", None, True, [X], {"k": X}))
    assert value[:5] == (1, 2.5, "a", None, True)
    assert torch.equal(value[5][0], X)
    assert torch.equal(value[6]["k"], X)


def test_numpy_answers_become_tensors():
    assert torch.equal(call(lambda x: x.numpy() * 2, X), 2 * X)
    assert call(lambda: np.float64(0.5)).item() == 0.5


@pytest.mark.parametrize("size", [2**64, 10**30, 10**400])
def test_integers_beyond_64_bits_become_floats(size):
    """Such an answer may be right, and no tensor could hold it."""
    given = call(lambda: (size, -size, 2**63 - 1, -(2**63)))
    expected = float("inf") if size > 1e308 else float(size)
    assert given == (expected, -expected, 2**63 - 1, -(2**63))
    assert [type(value) for value in given] == [float, float, int, int]


def test_results_are_detached_copies():
    kept = X.clone().requires_grad_()
    result = call(lambda: kept * 1)
    assert not result.requires_grad
    alias = X.clone()
    result = call(lambda: alias)
    alias += 1
    assert torch.equal(result, X)


@pytest.mark.parametrize("odd", [object(), lambda: 1, {1, 2}, nn.Linear(1, 1), np.array(["a"])])
def test_other_objects_are_refused(odd):
    with pytest.raises(AnswerError, match="return"):
        call(lambda: odd)


def test_a_student_gets_a_copy_and_must_not_change_it():
    def changes(x):
        x += 1
        return x

    mine = X.clone()
    with pytest.raises(AnswerError, match="argument number 1 in place"):
        call(changes, mine)
    assert torch.equal(mine, X)


def test_a_changed_list_is_noticed():
    with pytest.raises(AnswerError, match="argument number 1"):
        call(lambda values: values.append(1), [0])


def test_not_attempted():
    def stub(x):
        raise NotImplementedError

    with pytest.raises(NotAttempted):
        call(stub, X)


def test_an_error_of_torch_is_no_missing_attempt():
    def odd(x):
        return torch.cholesky_inverse(x.to(torch.float16).expand(3, 3))

    with pytest.raises(AnswerError):
        call(odd, X)


def test_errors_name_the_students_line():
    def broken(x):
        unused = x
        return unused.no_such_method()

    with pytest.raises(AnswerError, match=r"AttributeError.*\n.*no_such_method\(\)"):
        call(broken, X)


def test_an_exit_is_an_error_like_any_other():
    with pytest.raises(AnswerError, match="SystemExit"):
        call(lambda: sys.exit(0))


def test_an_error_without_a_readable_message():
    class Odd(Exception):
        def __str__(self):
            raise ValueError("no text")

    def broken():
        raise Odd

    with pytest.raises(AnswerError, match="could not be read"):
        call(broken)


def test_long_messages_are_cut():
    def broken():
        raise ValueError("a" * 10_000)

    with pytest.raises(AnswerError) as caught:
        call(broken)
    assert len(str(caught.value)) < 1000


def test_prints_and_warnings_stay_out_of_sight(capsys):
    def loud(x):
        print("hello")
        warnings.warn("careful", stacklevel=1)
        return x

    call(loud, X)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_the_callers_random_state_is_untouched():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    call(lambda: torch.manual_seed(99).initial_seed() * 0.0)
    assert torch.equal(torch.rand(3), expected)


def test_torchs_own_generator_differs_from_call_to_call_but_not_from_run_to_run():
    def draw():
        return torch.rand(3)

    first, second = LocalCandidate(draw), LocalCandidate(draw)
    values = [first.call(), first.call()]
    assert not torch.equal(*values)
    assert all(torch.equal(value, second.call()) for value in values)


def test_a_seed_arrives_as_a_generator():
    def draw(generator):
        return torch.rand(3, generator=generator)

    assert torch.equal(call(draw, Seed(3)), call(draw, Seed(3)))
    assert not torch.equal(call(draw, Seed(3)), call(draw, Seed(4)))


def test_a_used_generator_has_the_same_seed_and_draws_something_else():
    def draw(generator):
        return torch.rand(3, generator=generator)

    def seed_anew(generator):
        return draw(torch.Generator().manual_seed(generator.initial_seed()))

    assert not torch.equal(call(draw, Seed(3)), call(draw, Seed(3, used=True)))
    assert torch.equal(call(seed_anew, Seed(3)), call(seed_anew, Seed(3, used=True)))


def test_gradient():
    (gradient,) = LocalCandidate(lambda x: (x**3).sum()).gradient(X)
    assert torch.allclose(gradient, 3 * X**2)


def test_gradient_of_a_weighted_sum_is_a_row_of_the_jacobian():
    matrix = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=torch.float64)
    (rows,) = LocalCandidate(lambda x: x @ matrix.T).gradient(
        X.expand(2, 3), outer=torch.eye(2, dtype=torch.float64)
    )
    assert torch.equal(rows, matrix)


def test_gradient_of_several_arguments():
    by_x, by_y = LocalCandidate(lambda x, y: x * y).gradient(X, 2 * X, wrt=(0, 1))
    assert torch.equal(by_x, 2 * X)
    assert torch.equal(by_y, X)


def test_gradient_of_an_unused_argument_is_zero():
    _, by_y = LocalCandidate(lambda x, y: x**2).gradient(X, X, wrt=(0, 1))
    assert torch.equal(by_y, torch.zeros(3, dtype=X.dtype))


@pytest.mark.parametrize("cut", [torch.Tensor.detach, lambda x: x.detach().numpy()])
def test_a_cut_gradient_is_explained(cut):
    with pytest.raises(AnswerError, match="no gradient flows"):
        LocalCandidate(cut).gradient(X)


def test_gradient_without_an_attempt():
    def stub(x):
        raise NotImplementedError

    with pytest.raises(NotAttempted):
        LocalCandidate(stub).gradient(X)


def test_construct_and_use_a_module():
    module = LocalCandidate(Scale).construct(3, value=4.0)
    x = X.float()
    assert torch.equal(module.call(x), 4 * x)
    assert torch.equal(module.method("total", x), 4 * x.sum())
    assert torch.equal(module.gradient(x)[0], torch.full((3,), 4.0))
    assert list(module.parameters()) == ["factor"]


def test_load_weights():
    module = LocalCandidate(Scale).construct()
    module.load({"factor": torch.tensor([1.0, 0.0, 2.0])})
    assert torch.equal(module.call(torch.ones(3)), torch.tensor([1.0, 0.0, 2.0]))
    with pytest.raises(AnswerError, match="do not fit"):
        module.load({"other": torch.ones(3)})


def test_train_and_evaluation_mode():
    module = LocalCandidate(Scale).construct()
    module.train(False)
    assert module.method("is_training") is False
    module.train(True)
    assert module.method("is_training") is True


def test_a_class_that_builds_something_else():
    with pytest.raises(AnswerError, match=r"nn\.Module"):
        LocalCandidate(dict).construct()
    with pytest.raises(AnswerError, match="no method called absent"):
        LocalCandidate(Scale).construct().method("absent")


def test_an_oracle_answers_counts_and_keeps_questions():
    oracle = Oracle(lambda x: 2 * x)

    def asks(ask, x):
        return ask(x) + ask(x + 1)

    assert torch.equal(call(asks, oracle, X), 4 * X + 2)
    assert len(oracle.questions) == 2
    assert torch.equal(oracle.questions[1][0], X + 1)


def test_an_oracles_answer_cannot_be_used_to_reach_the_check():
    secret = X.clone()
    oracle = Oracle(lambda: secret)

    def spoils(ask):
        ask().zero_()

    call(spoils, oracle)
    assert torch.equal(secret, X)


def test_the_recorder_keeps_values_and_errors():
    recorder = Recorder(LocalCandidate(lambda x: x if x > 0 else 1 / 0))
    recorder.call(2.0)
    with pytest.raises(AnswerError):
        recorder.call(-1.0)
    good, bad = recorder.calls
    assert (good.value, good.error) == (2.0, None)
    assert isinstance(bad.error, AnswerError)


def test_the_recorder_keeps_what_a_module_was_asked():
    recorder = Recorder(LocalCandidate(Scale))
    module = recorder.construct(3, value=2.0)
    module.train(False)
    module.method("is_training")
    module.call(X)
    module.load({"factor": torch.ones(3)})
    module.parameters()
    module.optimise("total", [(X,)], 0.1)
    with pytest.raises(AnswerError):
        module.method("absent")
    verbs = ["construct", "train", "method", "call", "load", "parameters", "optimise", "method"]
    assert [call.verb for call in recorder.calls] == verbs
    built, _, asked, called, *_, absent = recorder.calls
    assert (built.args, built.options, built.value) == ((3,), {"value": 2.0}, None)
    assert (asked.args, asked.value) == (("is_training",), False)
    assert torch.equal(called.value, 2 * X)
    assert absent.error.code == "no_method"


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (torch.tensor([1.0, float("nan")]), torch.tensor([1.0, float("nan")]), True),
        (torch.tensor([1.0]), torch.tensor([1.0], dtype=torch.float64), False),
        (torch.tensor([1.0]), torch.tensor([[1.0]]), False),
        ((1, [X]), (1, [X.clone()]), True),
        ({"a": X}, {"a": X + 1}, False),
        (float("nan"), float("nan"), True),
        (1, 1.0, False),
    ],
)
def test_same_plain(left, right, same):
    assert same_plain(left, right) is same


def test_a_question_to_an_oracle_may_not_be_too_long():
    """As when it is graded, where the answer to a huge question could fill the grader's memory."""
    oracle = Oracle(lambda x: x)
    assert call(lambda f: f(torch.zeros(19_000)), oracle).shape == (19_000,)
    with pytest.raises(AnswerError, match="20000 at most, in several calls"):
        call(lambda f: f(torch.zeros(20_001)), oracle)
    assert len(oracle.questions) == 1
