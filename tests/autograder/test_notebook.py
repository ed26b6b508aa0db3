"""`check`, `hint` and `when_answered` as a student meets them, in a terminal and in a kernel."""

import contextlib
import json

import matplotlib.pyplot as plt
import pytest
import torch

from autograder import check, hint, registry, when_answered
from autograder.notebook import CheckFailed
from autograder.progress import LOG, Progress


def double(x):
    return 2 * x


@pytest.fixture(autouse=True)
def course(exercise, tmp_path, monkeypatch):
    """A course of one exercise, in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr(registry, "units", lambda: [exercise.unit])
    monkeypatch.setattr(registry, "exercises", lambda unit: (exercise,))


@contextlib.contextmanager
def spare_threads(count):
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    yield
    torch.set_num_threads(before)


def wrong():
    def double(x):
        return x**2

    return double


def test_right(capsys):
    assert check(double) is None
    assert "✓ double is right (3 points)" in capsys.readouterr().out


def test_a_check_uses_one_thread_and_gives_the_others_back():
    seen = []

    def double(x):
        seen.append(torch.get_num_threads())
        return 2 * x

    with spare_threads(3):
        check(double)
        assert torch.get_num_threads() == 3
    assert set(seen) == {1}


def test_wrong_names_the_mistake_and_offers_a_hint(capsys):
    check(wrong())
    printed = capsys.readouterr().out
    assert "You squared." in printed
    assert "`hint(double)`" in printed


@pytest.mark.parametrize("odd", ["double", 3.0, None, [double]])
def test_something_else_than_a_function(odd, capsys):
    check(odd)
    printed = capsys.readouterr().out
    assert "Nothing was checked" in printed
    assert "your function itself" in printed


def test_an_unknown_name_suggests_the_nearest(capsys):
    def doubel(x):
        return x

    check(doubel)
    assert "did you mean double?" in capsys.readouterr().out


def test_hints_open_one_by_one_with_attempts(capsys):
    def shown():
        hint(double)
        return capsys.readouterr().out

    assert "first" in shown()
    assert "opens after one more" in shown()
    check(wrong())
    capsys.readouterr()
    assert "second" in shown()
    assert "second" in shown()
    check(wrong())
    capsys.readouterr()
    assert "third" in shown()
    assert "third" in shown()


def test_unattempted_checks_open_no_hint(capsys):
    def double(x):
        raise NotImplementedError

    hint(double)
    check(double)
    capsys.readouterr()
    hint(double)
    assert "second" not in capsys.readouterr().out


def test_attempts_survive_a_restart():
    check(wrong())
    check(double)
    assert Progress().attempts("double") == 2
    entries = [json.loads(line) for line in LOG.read_text().splitlines()]
    assert [entry["misconception"] for entry in entries] == ["squares", None]


def test_a_spoilt_log_is_passed_over():
    LOG.parent.mkdir()
    LOG.write_text('{"exercise": "double", "outcome": "wrong"}\nnot json\n[1]\n')
    assert Progress().attempts("double") == 1


def test_a_folder_that_cannot_be_written_does_not_stop_a_check(capsys):
    LOG.parent.write_text("a file where the folder should be")
    check(double)
    assert "is right" in capsys.readouterr().out


def test_the_first_prediction_stays(exercise, capsys):
    object.__setattr__(exercise, "prediction", True)
    exercise.checks.clear()

    @exercise.check
    def is_a_number(candidate, rng):
        """Is a number."""
        candidate.call()

    for guess in (1.0, 2.0):
        exec(f"def double(): return {guess}", scope := {})
        check(scope["double"])
    shown = capsys.readouterr().out
    assert "✓ double is committed" in shown
    assert "You committed to 1 first" in shown
    assert Progress().first_prediction("double") == 1.0


def test_under_nbgrader_a_wrong_answer_raises(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(CheckFailed, match="0 of 3 points"):
        check(wrong())
    assert "You squared." in capsys.readouterr().out
    with pytest.raises(CheckFailed, match="your function itself"):
        check("double")
    check(double)
    assert not LOG.exists()


def test_in_a_kernel_the_report_is_displayed(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    monkeypatch.setattr("IPython.display.display", shown.append)
    check(wrong())
    hint(double)
    report, text = shown
    assert "text/html" in report._repr_mimebundle_()
    assert text._repr_markdown_().startswith("**Hint 1 of 3 for double**")


def test_the_grading_error_shows_no_traceback():
    assert CheckFailed("double: wrong")._render_traceback_() == ["double: wrong"]


def test_when_answered_says_what_is_missing(capsys):
    with when_answered(double):
        plt.figure()
        raise NotImplementedError
    assert "This cell needs double" in capsys.readouterr().out
    assert not plt.get_fignums()


def run_cell(source, name, **variables):
    """As a kernel does: each cell has a file name of its own."""
    cell = {"when_answered": when_answered, "double": double, **variables}
    exec(compile(source, name, "exec"), cell)
    return cell


@pytest.mark.parametrize("use", ["images + 1", "[n for n in range(3) if images]"])
def test_when_answered_says_which_variable_an_earlier_cell_would_have_made(use, capsys):
    lab = "with when_answered(double), when_answered(double):\n    " + use
    run_cell(lab, "cell 2")
    expected = "This cell needs images, which an earlier cell makes: run that cell first.\n"
    assert capsys.readouterr().out == expected


def test_when_answered_does_not_hide_a_name_that_the_answer_lacks():
    answer = run_cell("def answer():\n    return nubmer", "cell 1")["answer"]
    lab = "with when_answered(double), when_answered(double):\n    answer()"
    with pytest.raises(NameError, match="nubmer"):
        run_cell(lab, "cell 2", answer=answer)


def test_when_answered_lets_other_errors_through():
    with pytest.raises(ZeroDivisionError), when_answered(double):
        _ = 1 / 0


def test_an_interrupted_check_says_which_line_was_running():
    cell = {"__name__": "__main__"}
    exec("def double(x):\n    y = 2 * x\n    raise KeyboardInterrupt", cell)
    with pytest.raises(KeyboardInterrupt, match="in line 3 of double") as stop:
        check(cell["double"])
    assert stop.value._render_traceback_() == [str(stop.value)]


def test_a_check_interrupted_elsewhere_says_so(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("autograder.notebook.examine", interrupted)
    with pytest.raises(KeyboardInterrupt, match="while the check was computing"):
        check(double)
