"""The exercises of unit 05, in the order of the notebook; one module each."""

from .active_units_bank import ACTIVE_UNITS
from .amortization_gap_bank import AMORTIZATION_GAP
from .discretized_logistic_log_prob_bank import DISCRETIZED_LOGISTIC_LOG_PROB
from .effective_beta_bank import EFFECTIVE_BETA
from .fashion_vae_bank import FASHION_VAE
from .free_bits_bank import FREE_BITS
from .iwae_evaluate_bank import IWAE_EVALUATE
from .kl_per_dimension_bank import KL_PER_DIMENSION
from .kl_schedule_bank import KL_SCHEDULE
from .kl_to_standard_normal_bank import KL_TO_STANDARD_NORMAL
from .linear_vae_bank import LINEAR_VAE
from .log_likelihood_bank import LOG_LIKELIHOOD
from .match_likelihoods_bank import MATCH_LIKELIHOODS
from .mixture_prior_kl_bank import MIXTURE_PRIOR_KL
from .mixture_prior_log_prob_bank import MIXTURE_PRIOR_LOG_PROB
from .negative_elbo_bank import NEGATIVE_ELBO
from .predict_active_units import PREDICT_ACTIVE_UNITS
from .predict_effective_beta import PREDICT_EFFECTIVE_BETA
from .reparameterize_bank import REPARAMETERIZE

EXERCISES = (
    # part a
    REPARAMETERIZE,
    KL_TO_STANDARD_NORMAL,
    LOG_LIKELIHOOD,
    DISCRETIZED_LOGISTIC_LOG_PROB,
    MATCH_LIKELIHOODS,
    NEGATIVE_ELBO,
    PREDICT_EFFECTIVE_BETA,
    EFFECTIVE_BETA,
    LINEAR_VAE,
    # part b
    PREDICT_ACTIVE_UNITS,
    KL_PER_DIMENSION,
    ACTIVE_UNITS,
    FREE_BITS,
    KL_SCHEDULE,
    MIXTURE_PRIOR_LOG_PROB,
    MIXTURE_PRIOR_KL,
    IWAE_EVALUATE,
    AMORTIZATION_GAP,
    FASHION_VAE,
)
