r"""Variational inference: bounds of log p(x), what they miss, and how to climb them.

`bounds` holds the ELBO, `importance_weighted` IWAE, `gradients` two ways to differentiate an
expectation, `gaussian_vi` the fit of a Gaussian by gradient, `sums` what is a finite sum over
states or a grid, and `binary_latent` a model with few enough states to list. Draws lead: latents
have shape (S, N, M), log weights (S, N). Everything is in nats.
"""

from course_lib.variational.binary_latent import BinaryLatentModel
from course_lib.variational.bounds import (
    ElboForms,
    elbo,
    elbo_three_ways,
    gaussian_kl,
)
from course_lib.variational.gaussian_vi import fit_gaussian_vi
from course_lib.variational.gradients import (
    GradientEstimate,
    best_baseline,
    reparam_grad,
    score_function_grad,
)
from course_lib.variational.importance_weighted import (
    dreg_surrogate,
    iwae_bound,
    one_draw_iwae_bound,
    stop_gradient,
)
from course_lib.variational.sums import (
    forward_kl,
    log_integral,
    reverse_kl,
    table_elbo,
    table_kl,
)

__all__ = [
    "BinaryLatentModel",
    "ElboForms",
    "GradientEstimate",
    "best_baseline",
    "dreg_surrogate",
    "elbo",
    "elbo_three_ways",
    "fit_gaussian_vi",
    "forward_kl",
    "gaussian_kl",
    "iwae_bound",
    "log_integral",
    "one_draw_iwae_bound",
    "reparam_grad",
    "reverse_kl",
    "score_function_grad",
    "stop_gradient",
    "table_elbo",
    "table_kl",
]
