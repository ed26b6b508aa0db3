r"""The data sets of the course, all usable without a network."""

from course_lib.data.digits import digits
from course_lib.data.old_faithful import old_faithful

__all__ = ["digits", "old_faithful"]
