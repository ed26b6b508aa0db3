"""The exercises of unit 01, in the order of the notebook; one module each."""

from .log_gaussian import LOG_GAUSSIAN
from .log_gaussian_full import LOG_GAUSSIAN_FULL

EXERCISES = (LOG_GAUSSIAN, LOG_GAUSSIAN_FULL)
