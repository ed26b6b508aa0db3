"""A verdict as a student reads it: rich in JupyterLab, plain in a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from autograder.verdict import NOT_ATTEMPTED, RIGHT, Finding, Verdict

VERDICT_MIME = "application/vnd.autograder.verdict+json"

# Colours that keep a contrast of at least 3:1 on JupyterLab's light and dark themes.
COLOURS = {"right": "#2e8540", "wrong": "#d0451b", "not attempted": "#7a7f87"}
MAX_PROBLEMS = 2  # shown in full; the other failing checks are named only
MARKS = {"right": "✓", "wrong": "✗", "not attempted": "○"}


@dataclass(frozen=True)
class Report:
    """Shows one verdict.

    Attributes:
        verdict: What `examine` found.
        note: A remark added at the end, such as what to do next.
    """

    verdict: Verdict
    note: str = ""

    @property
    def headline(self) -> str:
        exercise = self.verdict.exercise
        if self.verdict.outcome == NOT_ATTEMPTED:
            return f"{exercise.name}: not attempted yet"
        if self.verdict.outcome == RIGHT:
            points = "1 point" if exercise.points == 1 else f"{exercise.points} points"
            found = "is committed" if exercise.prediction else "is right"
            return f"{exercise.name} {found} ({points})"
        if self.verdict.is_nearly_right:
            points = f"{self.verdict.points:g} of {exercise.points} points"
            return f"{exercise.name} is right except for extreme inputs ({points})"
        if self.verdict.points:
            points = f"{self.verdict.points:g} of {exercise.points} points"
            return f"{exercise.name} reaches {points}"
        return f"{exercise.name} is not right yet"

    @property
    def advice(self) -> str:
        """What to say first: the mistake's name, or how to start."""
        artifact = self.verdict.exercise.artifact
        if self.verdict.outcome == NOT_ATTEMPTED and artifact:
            return (
                f"There is no file `{artifact.file}` yet: train the model, save its weights under "
                "that name beside the notebook, then check again."
            )
        if self.verdict.outcome == NOT_ATTEMPTED:
            return (
                "Replace the line `raise NotImplementedError` by your answer, run that cell, "
                "then check again."
            )
        if self.verdict.outcome == RIGHT:
            return self.verdict.exercise.follow_up
        return self.verdict.diagnosis.message if self.verdict.diagnosis else ""

    @property
    def loan(self) -> str:
        """Which references the grader lent, if any."""
        if not self.verdict.lent:
            return ""
        return f"Your {' and '.join(self.verdict.lent)} failed, so this was marked with ours."

    def __repr__(self) -> str:
        lines = [f"{MARKS[self.verdict.outcome]} {self.headline}"]
        lines += [f"  {text}" for text in (self.advice, self.loan) if text]
        for finding, shown in _with_details(self.verdict.findings):
            lines.append(f"  {_mark(finding)} {finding.statement}")
            lines += [f"      {line}" for line in shown.splitlines()]
        lines += [f"  {self.note}"] if self.note else []
        return "\n".join(lines)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "text/plain": repr(self),
            "text/html": self.to_html(),
            VERDICT_MIME: self.verdict.to_json(),
        }

    def to_html(self) -> str:
        """The report as HTML; every text is escaped."""
        outcome = self.verdict.outcome
        colour = COLOURS[outcome]
        headline = f"{MARKS[outcome]} {escape(self.headline)}"
        parts = [
            f'<div style="border-left:4px solid {colour};padding:.3em 0 .3em .8em;max-width:46em">',
            f'<div style="font-weight:600;color:{colour}">{headline}</div>',
        ]
        remarks = filter(None, (self.advice, self.loan))
        parts += [f'<div style="margin:.35em 0">{_paragraph(text)}</div>' for text in remarks]
        if self.verdict.findings:
            rows = "".join(_item(*pair) for pair in _with_details(self.verdict.findings))
            parts.append(f'<ul style="list-style:none;margin:.2em 0;padding:0">{rows}</ul>')
        if self.note:
            parts.append(f'<div style="margin-top:.35em;opacity:.75">{_paragraph(self.note)}</div>')
        return "".join(parts) + "</div>"


def _mark(finding: Finding) -> str:
    return MARKS["wrong"] if finding.problem else MARKS["right"]


def _with_details(findings: Sequence[Finding]) -> list[tuple[Finding, str]]:
    """What to show of each problem: the first few in full, and none twice."""
    shown: list[str] = []
    pairs = []
    for finding in findings:
        new = finding.problem not in shown and len(shown) < MAX_PROBLEMS
        pairs.append((finding, finding.problem if new else ""))
        if new and finding.problem:
            shown.append(finding.problem)
    return pairs


def _item(finding: Finding, shown: str) -> str:
    colour = COLOURS["wrong"] if finding.problem else COLOURS["right"]
    style = "margin:.1em 0 .3em;white-space:pre-wrap;word-break:normal"
    problem = f'<pre style="{style}">{escape(shown)}</pre>' if shown else ""
    hanging = f"color:{colour};margin:0 0 0 -1.2em"  # long lines stay right of the mark
    mark = f'<span style="{hanging}">{_mark(finding)}</span>'
    return f'<li style="padding:0 0 0 1.2em">{mark} {escape(finding.statement)}{problem}</li>'


def _paragraph(text: str) -> str:
    """Escaped text; what stands between backticks becomes code."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{p}</code>" if i % 2 else p for i, p in enumerate(pieces))
