"""The exercises of unit 01, in the order of the notebook; one module each."""

from .log_gaussian import LOG_GAUSSIAN

EXERCISES = (LOG_GAUSSIAN,)
