"""The trust border: student code runs in a confined process and is asked for values."""

from autograder.jail.jail import Jail, JailUnavailable
from autograder.jail.limits import Limits
from autograder.jail.session import CellError, Session

__all__ = ["CellError", "Jail", "JailUnavailable", "Limits", "Session"]
