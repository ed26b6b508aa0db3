r"""Monte Carlo estimates of log p(x), and what says whether to believe them.

Draws lead: latents have shape (S, N, M), log weights (S, N). A `log_joint` is any function from x
of shape (N, D) and z of shape (S, N, M) to the log joint densities \log p(x_n, z_{sn}) of shape (S,
N), in nats. The estimators that return one number per point (`estimators`) work through the draws
in pieces and keep a running log-sum-exp, so their memory does not grow with the number of draws.
They carry no gradient; `log_weights` does. `diagnostics` holds the effective sample size, Pareto's
k, errors, and theory.
"""

from course_lib.monte_carlo.diagnostics import (
    effective_sample_size,
    log_bias,
    pareto_k,
    samples_needed,
    standard_error,
)
from course_lib.monte_carlo.estimators import (
    draw,
    importance_log_marginal,
    log_mean_exp,
    log_weights,
    naive_log_marginal,
    resample,
    uniform_log_marginal,
)

__all__ = [
    "draw",
    "effective_sample_size",
    "importance_log_marginal",
    "log_bias",
    "log_mean_exp",
    "log_weights",
    "naive_log_marginal",
    "pareto_k",
    "resample",
    "samples_needed",
    "standard_error",
    "uniform_log_marginal",
]
