"""The exercises of unit 02, in the order of the notebook; one module each."""

from .best_gaussian_proposal_variants import BEST_GAUSSIAN_PROPOSAL
from .complete_image_variants import COMPLETE_IMAGE
from .effective_sample_size_bank import EFFECTIVE_SAMPLE_SIZE
from .exact_log_marginal_bank import EXACT_LOG_MARGINAL
from .importance_log_marginal_variants import IMPORTANCE_LOG_MARGINAL
from .log_bias_curve_bank import LOG_BIAS_CURVE
from .log_mean_exp_bank import LOG_MEAN_EXP
from .naive_log_marginal_variants import NAIVE_LOG_MARGINAL
from .pareto_k_variants import PARETO_K
from .predict_central_points import PREDICT_CENTRAL_POINTS
from .predict_extra_dimension import PREDICT_EXTRA_DIMENSION
from .samples_needed_bank import SAMPLES_NEEDED

EXERCISES = (
    LOG_MEAN_EXP,
    EXACT_LOG_MARGINAL,
    NAIVE_LOG_MARGINAL,
    PREDICT_CENTRAL_POINTS,
    PREDICT_EXTRA_DIMENSION,
    SAMPLES_NEEDED,
    IMPORTANCE_LOG_MARGINAL,
    EFFECTIVE_SAMPLE_SIZE,
    PARETO_K,
    BEST_GAUSSIAN_PROPOSAL,
    LOG_BIAS_CURVE,
    COMPLETE_IMAGE,
)
