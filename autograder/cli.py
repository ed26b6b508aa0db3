"""The `autograder` command."""

import json
import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograder import mutation
from autograder.registry import UnknownExerciseError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Grades, and tools around the exercises."
)
Course = Annotated[
    Path, typer.Option(help="The course's folder: its gradebook, its secret, its verdicts.")
]
Unconfined = Annotated[
    bool,
    typer.Option(
        "--allow-unconfined",
        help="Also without a sandbox (tier C): student code can read and change all that you can.",
    ),
]
Released = Annotated[
    Path | None, typer.Option(help="Folder of the released notebooks; COURSE/exercises without it.")
]


@app.command()
def grade(
    folder: Annotated[
        Path, typer.Argument(help="nbgrader's submitted folder, or one of notebooks by student.")
    ],
    unit: Annotated[str | None, typer.Option(help="Unit to grade, if there are several.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; one for each core.")] = None,
    tier: Annotated[
        str | None, typer.Option(help="Sandbox tier, A or B; the best there is.")
    ] = None,
    course: Course = Path(),
    released: Released = None,
    db: Annotated[
        str | None, typer.Option(help="The gradebook; sqlite:///COURSE/gradebook.db without it.")
    ] = None,
    no_gradebook: Annotated[
        bool, typer.Option("--no-gradebook", help="Only grade and show the result.")
    ] = False,
    allow_unconfined: Unconfined = False,
) -> None:
    """Grade a class, in parallel, into the gradebook; go on where a stopped run was.

    Ends with exit code 1 if the run itself could not be done; bad submissions are part of it.
    """
    from autograder import batch_command

    options = batch_command.Options(
        folder=folder,
        unit=unit,
        jobs=jobs or len(os.sched_getaffinity(0)),
        tier=tier,
        course=course,
        released=released or course / "exercises",
        db=None if no_gradebook else db or f"sqlite:///{course / 'gradebook.db'}",
        allow_unconfined=allow_unconfined,
    )
    _end_with(batch_command.run(options))


@app.command()
def verdict(file: Annotated[Path, typer.Argument(help="A verdict, as grading wrote it.")]) -> None:
    """Explain a verdict: points, findings, mistakes, and under which conditions it was found."""
    from autograder import inspection

    _end_with(inspection.explain(file))


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A verdict, as grading wrote it.")],
    submission: Annotated[Path, typer.Option(help="The notebook that it is about.")],
    course: Course = Path(),
    released: Released = None,
    allow_unconfined: Unconfined = False,
) -> None:
    """Grade a submission again, and compare the verdicts byte for byte.

    Ends with exit code 1 unless they are identical.
    """
    from autograder import inspection

    folder = released or course / "exercises"
    _end_with(
        inspection.replay(file, submission, course, folder, allow_unconfined=allow_unconfined)
    )


@app.command()
def doctor() -> None:
    """Say which sandbox this machine offers, what is missing for more, and whether it works.

    Ends with exit code 1 unless student code can be confined.
    """
    from autograder import inspection

    _end_with(inspection.doctor())


def _end_with(code: int) -> NoReturn:
    raise typer.Exit(code)


@app.command("mutation-report")
def mutation_report(
    unit: Annotated[
        str | None, typer.Argument(help="One unit only, such as 01_mixture_models.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    seeds: Annotated[
        int, typer.Option(min=1, help="How many random inputs each answer meets.")
    ] = 3,
) -> None:
    """Show whether the checks reject and name every misconception and accept every variant.

    Ends with exit code 1 unless all misconceptions are killed, 99 % of them named, and no variant
    rejected.
    """
    try:
        exercises = mutation.exercises_of(unit)
    except UnknownExerciseError as error:
        raise typer.BadParameter(str(error)) from None
    progress = track(exercises, "Running the banks", console=Console(stderr=True), transient=True)
    rows = [mutation.measure(exercise, range(seeds)) for exercise in progress]
    if as_json:
        print(json.dumps([row.to_json() for row in rows], indent=2))
    else:
        _print_table(rows)
    for problem in (problem for row in rows for problem in row.problems):
        typer.echo(problem, err=True)
    if not mutation.passes(rows):
        raise typer.Exit(1)


def _print_table(rows: list[mutation.Row]) -> None:
    console = Console()
    for unit in dict.fromkeys(row.unit for row in rows):
        own = [row for row in rows if row.unit == unit]
        total = [sum(column) for column in zip(*map(_numbers, own), strict=True)]
        table = Table("exercise", "mutants", "killed", "named", "variants", "rejected", title=unit)
        for column in table.columns[1:]:
            column.justify = "right"
        for row in own:
            table.add_row(row.exercise, *map(str, _numbers(row)))
        table.add_section()
        table.add_row("all", *map(str, total))
        console.print(table)


def _numbers(row: mutation.Row) -> tuple[int, ...]:
    return row.mutants, row.killed, row.named, row.variants, row.rejected
