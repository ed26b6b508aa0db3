"""Checks, hints and grading for the exercises of the course."""

from autograder.notebook import check, hint, when_answered

__all__ = ["check", "hint", "when_answered"]
