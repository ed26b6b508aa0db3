"""The `autograder` command."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from autograder import mutation
from autograder.registry import UnknownExerciseError

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Tools around the exercises.")


@app.callback()
def main() -> None:
    """Keeps `mutation-report` a subcommand while it is the only one."""


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
