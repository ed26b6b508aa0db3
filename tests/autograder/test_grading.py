"""The trusted grader: what a mistake costs, and what it does not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from autograder import expect, registry
from autograder.exercise import Exercise
from autograder.grading import SubmissionVerdict, grade
from autograder.jail import Jail, JailUnavailable, Limits
from autograder.report import Report
from autograder.submission import Submission
from autograder.verdict import NOT_ATTEMPTED, RIGHT, WRONG

pytestmark = pytest.mark.xdist_group("grading")

UNIT = "01_mixture_models"
SECRET = bytes(range(32))
SETUP = "import math\nimport torch\nfrom autograder import check"
LOG_GAUSSIAN = """
def log_gaussian(x, loc, log_scale):
    z = (x - loc) / torch.exp(log_scale)
    return (-0.5 * z**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(-1)
"""
WRONG_LOG_GAUSSIAN = "def log_gaussian(x, loc, log_scale):\n    return x.sum(-1)\n"
STUB = "def log_gaussian(x, loc, log_scale):\n    raise NotImplementedError\n"
RESPONSIBILITIES = """
def responsibilities(x, logits, loc, log_scale):
    components = [log_gaussian(x, loc[k], log_scale[k]) for k in range(len(loc))]
    return torch.softmax(logits + torch.stack(components, dim=1), dim=1)
"""
BIC = """
def bic(log_likelihood, num_components, dim, num_points):
    per_component = 1 + dim + dim * (dim + 1) // 2
    return -2 * log_likelihood + (num_components * per_component - 1) * math.log(num_points)
"""
BY_GRADIENT = """
def fit_mixture_by_gradient(x, weights, loc, covariance):
    centre, spread = x.mean(0), x.std(0)
    scaled = (x - centre) / spread
    tril = torch.linalg.cholesky(covariance / spread / spread[:, None])
    start = weights.log(), (loc - centre) / spread, tril.diagonal(dim1=1, dim2=2).log(), tril
    free = [value.clone().contiguous().requires_grad_() for value in start]
    def factor():
        return free[3].tril(-1) + torch.diag_embed(free[2].exp())
    optimiser = torch.optim.LBFGS(free, max_iter=150, line_search_fn="strong_wolfe")
    def loss():
        optimiser.zero_grad()
        root = factor()
        table = [log_gaussian_full(scaled, m, r) for m, r in zip(free[1], root)]
        joint = torch.log_softmax(free[0], 0) + torch.stack(table, 1)
        value = -torch.logsumexp(joint, 1).mean()
        value.backward()
        return value
    optimiser.step(loss)
    root = spread[:, None] * factor().detach()
    return torch.softmax(free[0].detach(), 0), centre + spread * free[1].detach(), root @ root.mT
"""


@pytest.fixture(scope="module")
def jail() -> Iterator[Jail]:
    try:
        jail = Jail()
    except JailUnavailable as reason:
        pytest.skip(str(reason))
    with jail:
        yield jail


def submission_of(**cells: str) -> Submission:
    return Submission(Path("a.ipynb"), UNIT, {"imports": SETUP, **cells}, ())


@pytest.fixture
def grades(jail):
    """Verdicts by exercise on a submission with these cells."""

    def grades(**cells):
        verdict = grade(submission_of(**cells), jail, SECRET)
        assert verdict.to_bytes()
        assert verdict.max_points == sum(e.points for e in registry.exercises(UNIT))
        return {found.exercise.name: found for found in verdict.exercises}

    return grades


def test_right_answers_get_all_points_and_the_rest_none(grades):
    found = grades(log_gaussian=LOG_GAUSSIAN, responsibilities=RESPONSIBILITIES, bic=BIC)
    right = {name for name, verdict in found.items() if verdict.outcome == RIGHT}
    assert right == {"log_gaussian", "responsibilities", "bic"}
    assert all(found[name].points == found[name].exercise.points for name in right)
    others = [verdict for name, verdict in found.items() if name not in right]
    assert {verdict.outcome for verdict in others} == {NOT_ATTEMPTED}
    assert not any(verdict.points for verdict in others)
    assert not any(verdict.lent for verdict in found.values())


FAILED_BEFORE = {
    "wrong": WRONG_LOG_GAUSSIAN,
    "raises": "def log_gaussian(x, loc, log_scale):\n    return undefined\n",
    "not attempted": STUB,
    "an error in the cell": f"undefined\n{LOG_GAUSSIAN}",
    "no Python": "def log_gaussian(:\n",
    "ends the process when called": "import os\ndef log_gaussian(*_):\n    os._exit(0)\n",
    "ends the process": "import os\nos._exit(0)\n",
    "a class": "class log_gaussian: pass\n",
    "shadowed": "log_gaussian = 1\n",
}


@pytest.mark.parametrize("case", FAILED_BEFORE)
def test_a_mistake_is_not_punished_twice(case, grades):
    found = grades(log_gaussian=FAILED_BEFORE[case], responsibilities=RESPONSIBILITIES)
    assert found["log_gaussian"].points == 0
    assert found["responsibilities"].outcome == RIGHT
    assert found["responsibilities"].lent == ("log_gaussian",)


def test_the_report_says_what_was_lent(grades):
    verdict = grades(responsibilities=RESPONSIBILITIES)["responsibilities"]
    report = Report(verdict)
    for text in (repr(report), report.to_html()):
        assert "log_gaussian" in text


def test_an_error_after_an_answer_in_its_cell_costs_nothing(grades):
    found = grades(log_gaussian=f"{LOG_GAUSSIAN}\nundefined", responsibilities=RESPONSIBILITIES)
    assert {found[name].outcome for name in ("log_gaussian", "responsibilities")} == {RIGHT}


def test_a_cell_that_is_missing_is_not_punished_twice(grades):
    found = grades(responsibilities=RESPONSIBILITIES)
    assert found["log_gaussian"].outcome == NOT_ATTEMPTED
    assert found["responsibilities"].outcome == RIGHT
    assert found["responsibilities"].lent == ("log_gaussian",)


def test_a_reference_that_is_lent_must_be_used_rightly(grades):
    upside_down = RESPONSIBILITIES.replace("logits +", "logits -")
    found = grades(log_gaussian=WRONG_LOG_GAUSSIAN, responsibilities=upside_down)
    assert found["responsibilities"].outcome == WRONG
    assert found["responsibilities"].points == 0


def test_nothing_is_lent_to_an_answer_that_asks_for_nothing(grades):
    own = RESPONSIBILITIES + LOG_GAUSSIAN.replace("log_gaussian", "own_density")
    own = own.replace("[log_gaussian(", "[own_density(")
    found = grades(log_gaussian=WRONG_LOG_GAUSSIAN, responsibilities=own)
    assert found["responsibilities"].outcome == RIGHT
    assert found["responsibilities"].lent == ()


@pytest.mark.slow
def test_gradients_flow_through_what_is_lent(grades):
    wrong = "def log_gaussian_full(x, loc, scale_tril):\n    return -((x - loc) ** 2).sum(-1)\n"
    found = grades(log_gaussian_full=wrong, fit_mixture_by_gradient=BY_GRADIENT)
    assert found["log_gaussian_full"].outcome == WRONG
    verdict = found["fit_mixture_by_gradient"]
    assert [finding.problem for finding in verdict.findings if finding.problem] == []
    assert verdict.lent == ("log_gaussian_full",)


def test_helpers_are_shared_between_cells(grades):
    helper = "half_log_two_pi = 0.5 * math.log(2 * math.pi)\n"
    lazy = LOG_GAUSSIAN.replace("0.5 * math.log(2 * math.pi)", "half_log_two_pi")
    found = grades(bic=BIC + helper, log_gaussian=lazy, responsibilities=RESPONSIBILITIES)
    assert {found[name].outcome for name in ("bic", "log_gaussian", "responsibilities")} == {RIGHT}


def test_a_helper_in_the_cell_of_a_wrong_answer_is_there(grades):
    helper = "def columns(values):\n    return torch.stack(list(values), dim=1)\n"
    user = RESPONSIBILITIES.replace("torch.stack(components, dim=1)", "columns(components)")
    found = grades(log_gaussian=WRONG_LOG_GAUSSIAN + helper, responsibilities=user)
    assert found["responsibilities"].outcome == RIGHT
    assert found["responsibilities"].lent == ("log_gaussian",)


SPOILERS = {
    "ends the process": "import os\nos._exit(0)",
    "ends it when called": "import os\ndef bic(*_): os._exit(0)",
    "a segmentation fault": "import ctypes\ndef bic(*_): ctypes.string_at(0)",
    "patches torch": "torch.exp = torch.softmax = torch.stack = None",
    "patches math": "math.log = math.pi = None",
    "changes the defaults": "torch.set_default_dtype(torch.float16)\ntorch.set_grad_enabled(False)",
    "replaces builtins": "import builtins\nbuiltins.range = builtins.len = builtins.zip = None",
    "takes the name of another": "def log_gaussian(*_): return 0.0\ndel torch",
    "never ends": "while True: pass",
    "never ends when called": "def bic(*_):\n    while True: pass",
    "fills the memory": "held = []\ndef bic(*_):\n    while True: held.append(bytearray(10**7))",
    "writes on the line": "import os\nos.write(3, bytes(100))",
    "no Python": "def bic(:",
}


@pytest.mark.parametrize("case", SPOILERS)
@pytest.mark.parametrize("first", [True, False])
def test_one_answer_cannot_spoil_another(case, first, jail, grades, monkeypatch):
    monkeypatch.setattr(jail, "limits", Limits(seconds_per_call=1.5))
    bad, good = {"bic": SPOILERS[case]}, {"log_gaussian": LOG_GAUSSIAN}
    found = grades(**(bad | good if first else good | bad))
    assert found["bic"].points == 0
    assert found["log_gaussian"].outcome == RIGHT


FORGE = """
import gc, json, os, time
server = next(o for o in gc.get_objects() if type(o).__name__ == "Server")
def reply(tree):
    header = json.dumps({"nonce": server._nonce, "body": tree}).encode()
    os.write(3, len(header).to_bytes(4, "little") + bytes(4) + header)
    time.sleep(30)
def fault(code, detail="", text=""):
    return {"dict": {"fault": code, "detail": detail, "text": text}}
def value(tree):
    return {"dict": {"value": tree}}
def error(kind, text, line):
    return value({"dict": {"kind": kind, "text": text, "line": line}})
"""
FORGED = {
    "a lone surrogate": "reply(error('\\ud800', '\\udfff', 0))",
    "a line that is a list": "reply(error('A', 'b', {'list': []}))",
    "a line far away": "reply(error('A', 'b', 10**30))",
    "a kind that is a list": "reply(error({'list': []}, {'list': []}, 0))",
    "a fault that is a list": "reply(fault({'list': []}))",
    "a detail that is a list": "reply(fault('raised', {'list': []}))",
    "a text that is a list": "reply(fault('raised', '', {'list': []}))",
    "an unknown fault": "reply(fault('perfect'))",
    "not attempted": "reply(fault('not_attempted'))",
    "a question without an end": "reply({'dict': {'question': {'dict': {}}}})",
    "a question about nothing": "reply({'dict': {'question': None}})",
    "an unknown oracle": "reply({'dict': {'question': {'dict':"
    " {'oracle': 7, 'args': {'tuple': []}}}}})",
    "a verdict": "reply(value({'dict': {'outcome': 'right'}}))",
    "true": "reply(value(True))",
    "nothing": "reply(None)",
    "its end when something is lent": "server.lend = lambda name: os._exit(0)",
    "no answer when something is lent": "server.lend = lambda name: time.sleep(30)",
    "not attempted when something is lent": "server.lend = lambda name: 1 / 0",
}


@pytest.mark.parametrize("case", FORGED)
def test_forged_replies_end_in_a_verdict(case, jail, grades, monkeypatch):
    monkeypatch.setattr(jail, "limits", Limits(seconds_per_call=0.7, seconds_per_exercise=2))
    cell = FORGE + FORGED[case]
    found = grades(log_gaussian=WRONG_LOG_GAUSSIAN, responsibilities=cell, bic=BIC)
    assert found["responsibilities"].points == 0
    assert found["bic"].outcome == RIGHT


LOUD = {
    "raises": "raise ValueError('TELLTALE')",
    "raises its own": "raise type('TELLTALE', (Exception,), {})('TELLTALE')",
    "returns": "return 'TELLTALE'",
    "returns many": "return 'TELLTALE', ['TELLTALE'], {'TELLTALE': 'TELLTALE'}",
    "prints": "print('TELLTALE'); return 0.0",
    "warns": "import warnings; warnings.warn('TELLTALE'); return 0.0",
}


@pytest.mark.parametrize("case", LOUD)
def test_nothing_that_a_function_says_reaches_the_feedback(case, jail):
    cell = f"def log_gaussian(x, loc, log_scale):\n    {LOUD[case]}\n"
    verdict = grade(submission_of(log_gaussian=cell), jail, SECRET)
    pages = [Report(found).to_html() for found in verdict.exercises]
    assert "TELLTALE" not in verdict.to_bytes().decode() + "".join(pages)


def test_an_answer_that_fails_at_the_edges_only_gets_half(jail, monkeypatch):
    exercise = Exercise(
        name="log_gaussian",
        unit=UNIT,
        title="",
        points=3,
        difficulty=1,
        minutes=1,
        hints=("", "", ""),
        reference=lambda x: x.exp().log1p(),
    )

    @exercise.check
    def at_ordinary_numbers(candidate, rng):
        """Is right."""
        x = torch.from_numpy(rng.normal(size=5))
        expect.close(candidate.call(x), torch.nn.functional.softplus(x), "it")

    @exercise.edge_check
    def at_large_numbers(candidate, rng):
        """Is right far out."""
        x = torch.tensor([800.0, 900.0])
        expect.close(candidate.call(x), x, "it")

    monkeypatch.setattr(registry, "exercises", lambda unit: (exercise,))
    for source, points in (
        ("return x.exp().log1p()", 1.5),
        ("return torch.nn.functional.softplus(x)", 3),
        ("return x", 0),
    ):
        cell = f"def log_gaussian(x): {source}"
        verdict = grade(submission_of(log_gaussian=cell), jail, SECRET)
        assert verdict.points == points
        assert SubmissionVerdict.from_json(verdict.to_json()).points == points


def test_the_same_submission_gives_the_same_bytes(jail):
    cells = {"log_gaussian": WRONG_LOG_GAUSSIAN, "responsibilities": RESPONSIBILITIES}
    cells |= {"bic": "import os, random\ndef bic(*_): return random.random() + hash('a') + id"}
    first = grade(submission_of(**cells), jail, SECRET)
    again = grade(submission_of(**cells), jail, SECRET)
    jail.close()
    other = grade(submission_of(**cells), jail, SECRET)
    assert first.to_bytes() == again.to_bytes() == other.to_bytes()
    assert SubmissionVerdict.from_json(first.to_json()).to_bytes() == first.to_bytes()
