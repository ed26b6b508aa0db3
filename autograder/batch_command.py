"""`autograder grade`: checks what it needs, grades, writes the gradebook, shows the class."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from autograder.batch import BatchError, Marked, Settings, find_submissions, read_released
from autograder.gradebook import GradebookError, require_assignment, write_scores
from autograder.jail import Jail, JailUnavailable
from autograder.late import assign_late_penalties
from autograder.secret import load_secret
from autograder.workers import mark_all

VERDICTS = Path(".autograder", "verdicts")
MISTAKES_SHOWN = 5
UNCONFINED = (
    "Tier C: no sandbox. The students' code runs as you, and can read and change all that you can, "
    "this gradebook included."
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for on the command line; `db` is None if there is no gradebook."""

    folder: Path
    unit: str | None
    jobs: int
    tier: str | None
    course: Path
    released: Path
    db: str | None
    allow_unconfined: bool


def run(options: Options) -> int:
    """Grade; returns the exit code."""
    console, errors = Console(), Console(stderr=True)
    try:
        settings, tasks = _prepare(options)
        errors.print(f"tier: {settings.tier}", markup=False)
        if settings.tier == "C":
            errors.print(UNCONFINED, style="red")
        marked = _mark(tasks, settings, options.jobs, errors)
        late = {}
        if options.db is not None:
            write_scores(options.db, settings.unit, marked)
            students = {one.student for one in marked}
            late = assign_late_penalties(options.db, settings.unit, students, options.course)
    except (BatchError, GradebookError, JailUnavailable) as error:
        errors.print(f"{error}.", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        errors.print(
            "Stopped; nothing was written to the gradebook. The verdicts found so far are kept: "
            "run the same command again to go on.",
            soft_wrap=True,
        )
        return 1
    _show(console, settings, marked, late)
    return 0


def choose_tier(tier: str | None, allow_unconfined: bool) -> str:
    """The tier to grade in.

    Raises:
        BatchError: If it is none, or tier C and that was not allowed.
        JailUnavailable: If this machine does not offer it.
    """
    if tier not in (None, "A", "B", "C"):
        raise BatchError(f"the tier is {tier!r}; expected A or B")
    if tier == "C" and not allow_unconfined:
        raise BatchError(f"{UNCONFINED} If that is what you want, add --allow-unconfined")
    try:
        return Jail(tier).tier
    except JailUnavailable:
        if tier is None and allow_unconfined:
            return Jail("C").tier
        raise


def _prepare(options: Options) -> tuple[Settings, list]:
    """Everything that can go wrong before the first submission."""
    tier = choose_tier(options.tier, options.allow_unconfined)
    unit, tasks = find_submissions(options.folder, options.unit)
    released = options.released / unit / f"{unit}.ipynb"
    read_released(released)
    if options.db is not None:
        require_assignment(options.db, unit)
    try:
        secret = load_secret(options.course)
        (options.course / VERDICTS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BatchError(
            f"{options.course} cannot hold the verdicts ({error.strerror}: {error.filename}); "
            "name the course's folder with --course"
        ) from None
    except ValueError as error:
        raise BatchError(str(error)) from None
    settings = Settings(
        unit=unit,
        released=released,
        secret=secret,
        tier=tier,
        limits=Jail(tier).limits,
        verdicts=options.course / VERDICTS,
        autograded=None if options.db is None else options.course / "autograded",
    )
    return settings, tasks


def _mark(tasks: Sequence, settings: Settings, jobs: int, errors: Console) -> list[Marked]:
    columns = (
        TextColumn("Grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, transient=True) as progress:
        bar = progress.track(mark_all(tasks, settings, jobs), total=len(tasks))
        return sorted(bar, key=lambda marked: marked.student)


def _show(
    console: Console, settings: Settings, class_: Sequence[Marked], late: dict[str, float]
) -> None:
    table = Table("student", "points", "problem", title=f"{settings.unit}, tier {settings.tier}")
    table.columns[1].justify = "right"
    for marked in class_:
        points = f"{marked.points:g} of {marked.max_points}"
        lost = late.get(marked.student)
        problem = f"late: {lost:g} points taken away" if lost else ""
        shown = ". ".join(filter(None, (marked.problem, problem)))
        table.add_row(escape(marked.student), points, escape(shown))
    console.print(table)
    mistakes = Counter(name for marked in class_ for name in marked.misconceptions)
    if mistakes:
        common = Table("students", "exercise", "misconception", title="Most frequent mistakes")
        common.columns[0].justify = "right"
        for name, count in mistakes.most_common(MISTAKES_SHOWN):
            common.add_row(str(count), *name.split(": ", 1))
        console.print(common)
    console.print(f"Verdicts: {settings.autograded or settings.verdicts}", markup=False)
