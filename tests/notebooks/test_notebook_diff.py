"""What counts as the same output on another processor."""

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from notebook_diff import lecture_difference, same_text


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("loss 0.12345", "loss 0.12346"),
        ("−1130.26 nats after 31 steps", "-1130.3 nats after 31 steps".replace("-", "−")),
        ("[1.0, 2e3]", "[1.0001,  2000]"),
        ("error 3.4e-16", "error 0.0"),
        ("tensor([1, 2])", "tensor([1, 2])"),
    ],
)
def test_rounding_is_no_difference(new, old):
    assert same_text(new, old)
    assert same_text(old, new)


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("loss 0.123", "loss 0.124"),
        ("loss 0.5", "loss -0.5"),
        ("loss 1e3", "loss 1e4"),
        ("31 steps", "32 steps"),
        ("a better fit 1.0", "a worse fit 1.0"),
        ("[1, 2]", "[1, 2, 3]"),
        ("error 1e-3", "error 0.0"),
        ("nan", "0.0"),
        ("σ2 0.5", "σ3 0.5"),
    ],
)
def test_any_other_change_is_one(new, old):
    assert not same_text(new, old)
    assert not same_text(old, new)


def notebook(*outputs):
    cell = new_code_cell("f()", id="a", outputs=list(outputs), execution_count=1)
    return new_notebook(cells=[cell])


def figure(content: str):
    return new_output("display_data", data={"image/png": content, "text/plain": "<Figure>"})


def test_pixels_may_differ_but_a_figure_may_not_be_missing():
    assert lecture_difference(notebook(figure("aa")), notebook(figure("bb"))) is None
    found = lecture_difference(notebook(figure("aa")), notebook())
    assert "cell 1 (a), outputs: [] should be [('display_data'" in found


def test_a_figure_is_not_replaced_by_text():
    text = new_output("display_data", data={"text/plain": "<Figure>"})
    assert lecture_difference(notebook(figure("aa")), notebook(text))


def test_text_of_both_kinds_is_compared():
    printed = [new_output("stream", name="stdout", text=text) for text in ("1.0 s", "2.0 s")]
    assert "stream output" in lecture_difference(*map(notebook, printed))
    shown = [new_output("display_data", data={"text/html": f"<b>{n}</b>"}) for n in (1, 2)]
    assert "text/html output" in lecture_difference(*map(notebook, shown))
