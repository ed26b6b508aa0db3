"""The exercises of unit 03, in the order of the notebook; one module each."""

from .control_variate_grad_bank import CONTROL_VARIATE_GRAD
from .elbo_linear_gaussian_bank import ELBO_LINEAR_GAUSSIAN
from .elbo_three_ways_bank import ELBO_THREE_WAYS
from .fit_forward_and_reverse_bank import FIT_FORWARD_AND_REVERSE
from .fit_gaussian_vi_variants import FIT_GAUSSIAN_VI
from .forward_and_reverse_kl_bank import FORWARD_AND_REVERSE_KL
from .gaussian_kl_bank import GAUSSIAN_KL
from .iwae_bound_bank import IWAE_BOUND
from .jensen_gap_bank import JENSEN_GAP
from .kl_gap_bank import KL_GAP
from .order_derivation_bank import ORDER_DERIVATION
from .predict_jensen_gap import PREDICT_JENSEN_GAP
from .predict_variance_ratio import PREDICT_VARIANCE_RATIO
from .reparam_grad_bank import REPARAM_GRAD
from .score_function_grad_bank import SCORE_FUNCTION_GRAD

EXERCISES = (
    PREDICT_JENSEN_GAP,
    JENSEN_GAP,
    ORDER_DERIVATION,
    GAUSSIAN_KL,
    ELBO_THREE_WAYS,
    ELBO_LINEAR_GAUSSIAN,
    KL_GAP,
    SCORE_FUNCTION_GRAD,
    REPARAM_GRAD,
    PREDICT_VARIANCE_RATIO,
    CONTROL_VARIATE_GRAD,
    FIT_GAUSSIAN_VI,
    FORWARD_AND_REVERSE_KL,
    FIT_FORWARD_AND_REVERSE,
    IWAE_BOUND,
)
