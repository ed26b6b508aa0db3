r"""Models that write p(x) as a product of conditionals, one variable after the other.

.. math:: \log p(x) = \sum_d \log p(x_d \mid x_{<d})

A network gives the D conditionals of a known x at once, so its likelihood is exact and costs one
pass. To draw x takes D passes, because a conditional needs the values before it. `models` has
`MADE` and `LogisticAutoregression`, such networks for variables that are 0 or 1, in any order. The
functions of `likelihood`, `sampling` and `vision` take the logits of any model, also one with K
values for each variable, and variables in any shape, such as the pixels of an image (H, W).
"""

from course_lib.autoregressive.likelihood import log_prob_from_logits, log_prob_per_dim
from course_lib.autoregressive.models import MADE, LogisticAutoregression
from course_lib.autoregressive.sampling import draw_from_logits, sample_sequentially
from course_lib.autoregressive.vision import receptive_field

__all__ = [
    "MADE",
    "LogisticAutoregression",
    "draw_from_logits",
    "log_prob_from_logits",
    "log_prob_per_dim",
    "receptive_field",
    "sample_sequentially",
]
