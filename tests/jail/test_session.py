"""Cells run as in a notebook where nobody sits; how a run ends, and why."""

import contextlib
from pathlib import Path

import pytest
import torch

from autograder.candidate import Oracle
from autograder.faults import AnswerError
from autograder.grading import LOOKS_AT_ANSWERS, setup_cells
from autograder.jail import Limits
from autograder.jail import session as session_module

X = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
UNIT = "01_mixture_models"
RELEASED = Path(__file__).parents[2] / "exercises" / UNIT / f"{UNIT}.ipynb"


@pytest.fixture
def session(jail):
    with jail.open() as session:
        yield session


def answer(session, source, *args, name="f"):
    """Run a cell without error, then call its function."""
    error = session.execute("cell", source)
    assert error is None, str(error)
    return session.candidate(name).call(*args)


def refusal(session, *args, name="f"):
    with pytest.raises(AnswerError) as caught:
        session.candidate(name).call(*args)
    return caught.value


NOTEBOOK_WAYS = {
    "magics": "%matplotlib inline\n%load_ext autoreload\n%autoreload 2",
    "shell": "!pip install torch\nfiles = !ls\n%pip install numpy",
    "shell cell": "!cd /tmp && \\\n  ls",
    "help": "print?\n?print\ntorch.ones??",
    "get_ipython": "get_ipython().run_line_magic('matplotlib', 'inline')",
    "imported display": "from IPython.display import display, Markdown\ndisplay(Markdown('a'))",
    "display": "display(1, 2)",
    "a plot": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()\nplt.close('all')",
    "a value at the end": "1 + 1;",
    "prints": "print('a' * 10**6)\nimport sys\nsys.stderr.write('b')\nsys.stdout.flush()",
    "warnings": "import warnings\nwarnings.warn('careful')",
    "logging": "import logging\nlogging.warning('careful')",
    "a progress bar": "from tqdm.auto import tqdm\nfor _ in tqdm(range(3)): pass",
    "stand-ins": "from autograder import check, hint, when_answered\ncheck(print); hint(print)",
    "unanswered": "from autograder import when_answered\n"
    "with when_answered(print):\n    raise NotImplementedError",
    "a generator": "g = torch.Generator().manual_seed(1)",
    "a type hint": "def g(x: 'torch.Tensor') -> 'torch.Tensor': return x",
    "a class": "from dataclasses import dataclass\n@dataclass\nclass A:\n    a: int = 1\nA()",
    "a file": "import os\nos.path.expanduser('~')\nos.getcwd()",
}


@pytest.mark.parametrize("source", NOTEBOOK_WAYS.values(), ids=NOTEBOOK_WAYS)
def test_what_people_do_in_notebooks_runs(source, session):
    source = f"import torch\n{source}\ndef f(x): return 2 * x"
    assert torch.equal(answer(session, source, X), 2 * X)


@pytest.mark.parametrize("magic", ["%%time", "%%capture", "%%timeit", "%%prun"])
def test_a_cell_under_a_magic_is_run(magic, session):
    assert answer(session, f"{magic}\ndef f(): return 3") == 3


def test_a_timed_line_is_run(session):
    assert answer(session, "def g(): return 3\n%time y = g()\ndef f(): return y") == 3


def test_nobody_is_there_to_type(session):
    error = session.execute("cell", "name = input('who are you? ')")
    assert error.kind == "RuntimeError"
    assert "nobody is there" in error.text


@pytest.mark.parametrize("source", ["exit()", "quit()", "import sys; sys.exit(1)"])
def test_an_exit_in_a_cell_is_an_error_of_that_cell(source, session):
    assert session.execute("cell", f"x = 1\n{source}").kind == "SystemExit"
    assert answer(session, "def f(): return x") == 1


def test_a_cell_error_says_where(session):
    error = session.execute("cell", "x = 1\ny = 2\nz = undefined\n")
    assert (error.kind, error.line) == ("NameError", 3)
    assert "line 3 of the cell" in str(error)
    assert session.execute("cell", "def f(:\n").kind == "SyntaxError"
    assert session.execute("cell", "x = '\0'").kind in ("SyntaxError", "ValueError")


@pytest.mark.parametrize(
    "source", ["x" * 300_000, "x = '" + "😀" * 150_000 + "'"], ids=["letters", "emoji"]
)
def test_a_cell_that_is_too_long_is_not_run(source, session):
    error = session.execute("cell", source)
    assert "at most" in str(error)
    assert not session.is_over


@pytest.mark.parametrize("name", ["n" * 2_000_000, "\ud800", "", "<script>", "a\0b"])
def test_a_cell_with_an_odd_name(name, session):
    with contextlib.suppress(AnswerError):
        session.execute(name, "def f(): return 1")
    assert not session.is_over


OPEN = ["course_lib", "course_lib.data", "course_lib.plots", "autograder", "scipy.stats", "sklearn"]
CLOSED = [
    "course_lib.mixture",
    "course_lib.mixture.em",
    "course_lib.fast_em",
    "course_lib.no_such_module",
    "autograder.checks",
    "autograder.jail",
    "autograder.candidate",
    "autograder.notebook",
    "solutions",
    "solutions.anything",
]


@pytest.mark.parametrize("module", OPEN)
def test_open_imports(module, session):
    assert session.execute("cell", f"import {module}") is None


@pytest.mark.parametrize("module", CLOSED)
def test_closed_imports_say_why(module, session):
    for source in (f"import {module}", f"import importlib; importlib.import_module({module!r})"):
        error = session.execute("cell", source)
        assert error.kind in ("ImportError", "ModuleNotFoundError")
        assert "cannot be imported while your notebook is graded" in error.text


@pytest.mark.parametrize(
    "source", ["from course_lib import mixture", "from autograder import registry"]
)
def test_closed_names_say_why(source, session):
    assert "cannot be imported" in session.execute("cell", source).text


def test_no_answer_is_loaded_before_the_import_is_tried(session):
    source = (
        "import sys\ndef f(): return [len(n) for n in sys.modules if 'mixture' in n.split('.')]"
    )
    assert answer(session, source) == []


def test_the_set_up_cells_of_the_course_run(session):
    cells = setup_cells(RELEASED)
    assert len(cells) >= 1
    for name, source in cells.items():
        if LOOKS_AT_ANSWERS not in source:
            assert session.execute(name, source) is None


IGNORE = """
import ctypes, os, time
def ignore(_):
    try: raise KeyboardInterrupt
    except BaseException: pass
"""
DEATHS = {
    "endless": ("[0 for _ in iter(int, 1)]", "time"),
    "endless, whatever comes": ("list(map(ignore, iter(int, 1)))", "time"),
    "sleep": ("time.sleep(60)", "time"),
    "exit": ("os._exit(0)", "ended"),
    "segfault": ("ctypes.string_at(0)", "ended"),
    "abort": ("os.abort()", "ended"),
    "closed line": ("os.close(3)", "ended"),
    "words on the line": ("os.write(3, b'x' * 100)", "protocol"),
    "an early reply": ("os.write(3, bytes(8))", "protocol"),
    "huge lengths": ("os.write(3, b'\\xff' * 8)", "protocol"),
}
WORDS = {
    "time": "longer than 1 seconds",
    "ended": "ended its process",
    "protocol": "wrote to the grader's own channel",
}


@pytest.mark.parametrize("how", DEATHS)
def test_a_run_that_is_over_says_why(how, jail, monkeypatch):
    statement, code = DEATHS[how]
    monkeypatch.setattr(jail, "limits", Limits(seconds_per_call=1))
    with jail.open() as session:
        source = f"{IGNORE}\ndef f(): {statement}"
        assert session.execute("cell", source) is None
        errors = [refusal(session) for _ in range(2)]
        assert session.is_over
        with pytest.raises(AnswerError) as caught:
            session.execute("cell", "1")
    for error in (*errors, caught.value):
        assert error.code == code
        assert WORDS[code] in str(error)


@pytest.mark.parametrize("statement", ["torch.empty(10**9)", "bytearray(10**10)", "[0] * 10**10"])
def test_too_much_memory_is_an_error_or_the_end(statement, session):
    assert session.execute("cell", f"import torch\ndef f(): {statement}") is None
    error = refusal(session)
    assert error.code in ("raised", "ended")
    assert error.code != "raised" or error.detail in ("RuntimeError", "MemoryError")


@pytest.mark.parametrize(
    "statement", ["signal.alarm(1) or time.sleep(9)", "sys.setrecursionlimit(10**9) or f()"]
)
def test_whatever_happens_has_an_end(statement, jail, monkeypatch):
    monkeypatch.setattr(jail, "limits", Limits(seconds_per_call=1.5))
    with jail.open() as session:
        assert session.execute("cell", f"import signal, sys, time\ndef f(): {statement}") is None
        assert refusal(session).code in ("time", "ended", "raised")


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(seconds_per_call=0.1), "time"),
        (Limits(seconds_per_exercise=0.8), "exercise_time"),
        (Limits(seconds_per_submission=0.8), "submission_time"),
    ],
)
def test_time_is_limited_for_a_call_an_exercise_and_a_submission(limits, code, jail, monkeypatch):
    monkeypatch.setattr(jail, "limits", limits)
    with jail.open() as session, pytest.raises(AnswerError) as caught:
        nap_for_ever(session)
    assert caught.value.code == code


def nap_for_ever(session):
    while True:
        session.execute("cell", "import time; time.sleep(0.3)")


def test_a_new_exercise_has_time_of_its_own(jail, monkeypatch):
    monkeypatch.setattr(jail, "limits", Limits(seconds_per_exercise=2))
    with jail.open() as session:
        assert session.execute("cell", "import time\ndef f(): time.sleep(0.5)") is None
        for _ in range(5):
            session.start_exercise()
            session.candidate("f").call()


def test_questions_are_limited(jail, monkeypatch):
    monkeypatch.setattr(jail, "limits", Limits(questions=5))
    with jail.open() as session:
        assert session.execute("cell", "def f(ask):\n    while True: ask(1)") is None
        oracle = Oracle(lambda x: x)
        assert refusal(session, oracle).code == "questions"
        assert len(oracle.questions) == 5
        assert session.is_over


def test_what_the_grader_keeps_of_an_exercise_is_limited(session, monkeypatch):
    monkeypatch.setattr(session_module, "MAX_NUMBERS", 1000)
    source = "import torch\ndef f(ask): ask(torch.zeros(300)); return torch.zeros(300)"
    assert session.execute("cell", source) is None
    oracle = Oracle(lambda x: 0.0)
    session.candidate("f").call(oracle)
    assert refusal(session, oracle).code == "too_much"
    assert len(oracle.questions) <= 2
