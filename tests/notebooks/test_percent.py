"""Percent sources become notebooks with the right metadata, or errors that say where."""

from pathlib import Path

import pytest

from percent import BuildError, read_percent

SOURCE = Path("sources/exercises/01_toy.py")


def read(tmp_path: Path, text: str, folder: str = "exercises"):
    source = Path("sources", folder, "01_toy.py")
    (tmp_path / source).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / source).write_text(text)
    return read_percent(tmp_path, source)


@pytest.mark.parametrize(
    ("header", "flags", "points"),
    [
        ('# %% setup="a"\n1', (False, False, True), None),
        (
            '# %% solution="a"\n### BEGIN SOLUTION\n1\n### END SOLUTION',
            (False, True, False),
            None,
        ),
        ('# %% tests="a" points=2\n1', (True, False, True), 2),
        ('# %% [markdown] manual="a" points=1.5\n# Why?', (True, True, False), 1.5),
        ('# %% manual="a" points=3\n1', (True, True, False), 3),
    ],
)
def test_an_attribute_expands_to_nbgraders_metadata(tmp_path, header, flags, points):
    (cell,) = read(tmp_path, header).cells
    mark = cell.metadata.nbgrader
    assert (mark.grade, mark.solution, mark.locked) == flags
    assert mark.get("points") == points
    assert (mark.grade_id, mark.schema_version, mark.task) == ("a", 3, False)
    assert cell.id == "a"
    assert set(cell.metadata) == {"nbgrader"}


def test_the_notebook_says_which_unit_it_belongs_to_and_nothing_of_jupytext(tmp_path):
    header = "# ---\n# jupyter:\n#   jupytext:\n#     formats: ipynb,py:percent\n# ---\n\n"
    notebook = read(tmp_path, header + "# %%\n1")
    assert set(notebook.metadata) == {"course", "kernelspec", "language_info"}
    assert notebook.metadata.course == {"unit": "01_toy"}


def test_ids_of_plain_cells_depend_on_the_content_only(tmp_path):
    one = read(tmp_path, "# %%\n1\n\n# %%\n2\n\n# %%\n1").cells
    other = read(tmp_path, "# %% [markdown]\n# new\n\n# %%\n2\n\n# %%\n1").cells
    assert [cell.id for cell in one][1] == [cell.id for cell in other][1]
    assert len({cell.id for cell in one}) == 3
    assert one[2].id == f"{one[0].id}-2"


def test_spacing_between_cells_leaves_no_trace(tmp_path):
    assert read(tmp_path, "# %%\n1\n\n\n\n\n# %%\n2") == read(tmp_path, "# %%\n1\n# %%\n2")


ANSWER = "### BEGIN SOLUTION\n1\n### END SOLUTION"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('# %% solution="f"\n1', "needs '### BEGIN SOLUTION'"),
        ('# %% solution="f"\n### BEGIN SOLUTION\n1', "occurs 1 times but '### END SOLUTION' 0"),
        (f"# %%\n{ANSWER}", "outside a cell with solution="),
        (f'# %% tests="f" points=1\n{ANSWER}', "outside a cell with solution="),
        ('# %% tests="f"\n1', "tests needs points=NUMBER, got None"),
        ('# %% tests="f" points="two"\n1', "got 'two'"),
        ('# %% tests="f" points=-1\n1', "got -1"),
        ('# %% [markdown] manual="f"\n# Why?', "manual needs points=NUMBER"),
        ("# %% points=3\n1", "points belong to a cell with"),
        ('# %% setup="f" points=3\n1', "points belong to a cell with"),
        ('# %% [markdown] tests="f" points=1\n# x', "belongs to a code cell"),
        ('# %% setup="f" manual="g" points=1\n1', "setup and manual cannot be combined"),
        ('# %% solutions="f"\n1', "unknown attribute 'solutions'; known here: tags, setup"),
        ('# %% setup="no spaces"\n1', "'no spaces' is no grade id"),
        ('# %% setup="f"\n1\n\n# %% setup="f"\n2', "grade id 'f' is used twice"),
    ],
)
def test_a_mistake_is_named_with_file_and_cell(tmp_path, text, complaint):
    with pytest.raises(BuildError) as error:
        read(tmp_path, "# %% [markdown]\n# # Toy\n\n" + text)
    message = str(error.value)
    assert complaint in message
    number = text.count("# %%") + 1
    assert message.startswith(f"{SOURCE}, cell {number} (")


def test_a_lecture_has_no_graded_cells(tmp_path):
    with pytest.raises(BuildError, match=r"known here: tags$"):
        read(tmp_path, '# %% setup="imports"\n1', folder="lectures")
