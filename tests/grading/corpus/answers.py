"""Mutations of what students write into the cells."""

import random

from tests.grading.corpus.kinds import Notebook, answers, cells, edit, some, text_of


def prepend(notebook: Notebook, rng: random.Random, *lines: str) -> None:
    for cell in some(rng, answers(notebook)):
        cell["source"] = rng.choice(lines) + "\n" + text_of(cell)


def append(notebook: Notebook, rng: random.Random, *lines: str) -> None:
    for cell in some(rng, answers(notebook)):
        cell["source"] = text_of(cell) + "\n" + rng.choice(lines) + "\n"


@edit
def answer_emptied(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, answers(notebook)):
        cell["source"] = rng.choice(["", "\n\n\n", "# to do", "pass", "..."])


@edit
def answer_in_another_cell(notebook: Notebook, rng: random.Random) -> None:
    found = answers(notebook)
    if len(found) > 1:
        one, other = rng.sample(found, 2)
        other["source"] = text_of(other) + "\n\n" + text_of(one)
        one["source"] = ""


@edit
def syntax_error(notebook: Notebook, rng: random.Random) -> None:
    append(notebook, rng, "def f(:", "x = = 1", "'open", "((((", "return 7", "print 'x'", "0777")


@edit
def half_deleted(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, answers(notebook)):
        text = text_of(cell)
        cell["source"] = text[: rng.randint(0, len(text))]


@edit
def cell_magic(notebook: Notebook, rng: random.Random) -> None:
    prepend(notebook, rng, "%%bash", "%%time", "%%javascript", "%%writefile x.py", "%% timeit")


@edit
def line_magic(notebook: Notebook, rng: random.Random) -> None:
    lines = ("%run other.py", "%load_ext x", "%matplotlib inline", "x = %timeit 1", "%debug", "%")
    prepend(notebook, rng, *lines)


@edit
def shell_command(notebook: Notebook, rng: random.Random) -> None:
    prepend(notebook, rng, "!pip install torch", "!ls", "x = !ls", "!", "  !pip install x")


@edit
def help_request(notebook: Notebook, rng: random.Random) -> None:
    append(notebook, rng, "bic?", "torch.softmax??", "?bic", "?", "??")


@edit
def tabs_and_spaces_mixed(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, answers(notebook)):
        cell["source"] = text_of(cell).replace("    ", "\t", rng.randint(1, 2))


@edit
def indentation_broken(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, answers(notebook)):
        lines = text_of(cell).splitlines(keepends=True)
        cell["source"] = "".join(" " * rng.randint(0, 3) + line for line in lines)


@edit
def null_characters_in_source(notebook: Notebook, rng: random.Random) -> None:
    append(notebook, rng, "x = '\x00'", "\x00", "# \x00")


@edit
def control_characters_in_source(notebook: Notebook, rng: random.Random) -> None:
    append(
        notebook, rng, "\x1b[31m", "x = 1\x0c", "\x7f", "\u2028x = 1", "\ufeffx = 1", "x\u00a0= 1"
    )


@edit
def lone_surrogates_in_source(notebook: Notebook, rng: random.Random) -> None:
    append(notebook, rng, "x = '\ud800'", "# \udfff", "\udc80")


@edit
def lone_surrogates_in_markdown(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, [c for c in cells(notebook) if c.get("cell_type") == "markdown"]):
        cell["source"] = text_of(cell) + "\ud83d"


@edit
def four_byte_text(notebook: Notebook, rng: random.Random) -> None:
    append(notebook, rng, "# 🧮🦥𝔊𝔞𝔲𝔰𝔰", "x = '𝒩(μ, σ²) 🙂'", "print('👩‍🔬' * 1000)")


@edit
def identifiers_not_ascii(notebook: Notebook, rng: random.Random) -> None:
    append(
        notebook, rng, "σ², μ = 1, 2", "σ, μ = 1, 2", "переменная = 1", "ﬁ = 1", "𝓍 = 1", "变量 = 1"
    )


@edit
def quotes_curly(notebook: Notebook, rng: random.Random) -> None:
    append(notebook, rng, "print(“x”)", "x = 2 – 1", "x = ‘a’")


@edit
def exits(notebook: Notebook, rng: random.Random) -> None:
    lines = (
        "exit()",
        "quit()",
        "import sys; sys.exit(3)",
        "raise SystemExit",
        "import os; os.abort()",
    )
    append(notebook, rng, *lines)


@edit
def raises(notebook: Notebook, rng: random.Random) -> None:
    lines = (
        "raise",
        "raise KeyboardInterrupt",
        "raise Exception('x' * 10**6)",
        "raise type('E' * 10**5, (Exception,), {})",
        "1 / 0",
        "assert False",
        "raise BaseException",
        "raise ExceptionGroup('many', [ValueError()])",
    )
    append(notebook, rng, *lines)


@edit
def recursion_without_end(notebook: Notebook, rng: random.Random) -> None:
    append(
        notebook, rng, "def f(): f()\nf()", "f = lambda: f()\nf()", "x = []; x.append(x); repr(x)"
    )


@edit
def line_of_a_megabyte(notebook: Notebook, rng: random.Random) -> None:
    size = 1_000_000
    append(notebook, rng, "#" * size, "x = '" + "y" * size + "'", "z" * size, " " * size)


@edit
def expression_nested_deep(notebook: Notebook, rng: random.Random) -> None:
    append(notebook, rng, "(" * 300 + ")" * 300, "-" * 50_000 + "1", "+".join(["1"] * 20_000))


@edit
def many_lines(notebook: Notebook, rng: random.Random) -> None:
    append(notebook, rng, "x = 1\n" * 20_000)


@edit
def conflict_markers_in_source(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, answers(notebook)):
        text = text_of(cell)
        cell["source"] = f"<<<<<<< HEAD\n{text}\n=======\npass\n>>>>>>> branch\n"


@edit
def asynchronous_code(notebook: Notebook, rng: random.Random) -> None:
    append(notebook, rng, "await f()", "async for x in y: pass", "async def f(): pass")


@edit
def future_import(notebook: Notebook, rng: random.Random) -> None:
    append(notebook, rng, "from __future__ import annotations", "from __future__ import braces")


@edit
def html_in_markdown(notebook: Notebook, rng: random.Random) -> None:
    for cell in some(rng, [c for c in cells(notebook) if c.get("cell_type") == "markdown"]):
        cell["source"] = "<script>alert(1)</script><svg onload=alert(1)>{{ nb }}{% raw %}" * 3


@edit
def input_asked(notebook: Notebook, rng: random.Random) -> None:
    append(notebook, rng, "input()", "import getpass; getpass.getpass()", "breakpoint()")
