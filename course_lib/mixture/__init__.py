r"""Mixtures of Gaussians: exact density, EM, gradient fit, sampling, conditioning.

`density` holds the formulas, `em` the EM algorithm, `selection` the choice of K, `conditional` what
one coordinate says about another, `module` the same model as an `nn.Module` and its fit by gradient
ascent.

Notation: x observed (D values), z the hidden component, N points, K components, n and k their
indices; weights \pi_k, means \mu_k (`loc`), covariances \Sigma_k (`covariance`), responsibilities
r_{nk} (`resp`). Likelihoods are in nats. Parameters may carry leading batch dimensions (shown as
`*B`), for instance one per restart.
"""

from course_lib.mixture.conditional import ScalarMixture, cdf, condition, quantile
from course_lib.mixture.density import (
    MixtureParams,
    component_log_density,
    log_density,
    log_gaussian,
    log_gaussian_full,
    log_joint,
    log_likelihood,
    log_mixture,
    responsibilities,
    sample,
)
from course_lib.mixture.em import FitResult, em_step, fit_em, init_params, m_step
from course_lib.mixture.module import GaussianMixture, fit_gradient
from course_lib.mixture.selection import bic, num_free_parameters

__all__ = [
    "FitResult",
    "GaussianMixture",
    "MixtureParams",
    "ScalarMixture",
    "bic",
    "cdf",
    "component_log_density",
    "condition",
    "em_step",
    "fit_em",
    "fit_gradient",
    "init_params",
    "log_density",
    "log_gaussian",
    "log_gaussian_full",
    "log_joint",
    "log_likelihood",
    "log_mixture",
    "m_step",
    "num_free_parameters",
    "quantile",
    "responsibilities",
    "sample",
]
