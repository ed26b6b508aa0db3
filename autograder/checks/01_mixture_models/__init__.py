"""The exercises of unit 01, in the order of the notebook; one module each."""

from .best_return_time_bank import BEST_RETURN_TIME
from .bic_bank import BIC
from .choose_num_components_bank import CHOOSE_NUM_COMPONENTS
from .conditional_waiting_bank import CONDITIONAL_WAITING
from .em_step_bank import EM_STEP
from .fit_mixture_by_gradient_bank import FIT_MIXTURE_BY_GRADIENT
from .fit_without_collapse_variants import FIT_WITHOUT_COLLAPSE
from .log_gaussian_bank import LOG_GAUSSIAN
from .log_gaussian_full_bank import LOG_GAUSSIAN_FULL
from .log_mixture_bank import LOG_MIXTURE
from .predict_return_time import PREDICT_RETURN_TIME
from .predict_second_component import PREDICT_SECOND_COMPONENT
from .responsibilities_bank import RESPONSIBILITIES
from .sample_mixture_variants import SAMPLE_MIXTURE

EXERCISES = (
    LOG_GAUSSIAN,
    LOG_GAUSSIAN_FULL,
    LOG_MIXTURE,
    RESPONSIBILITIES,
    PREDICT_SECOND_COMPONENT,
    EM_STEP,
    FIT_MIXTURE_BY_GRADIENT,
    SAMPLE_MIXTURE,
    BIC,
    CHOOSE_NUM_COMPONENTS,
    FIT_WITHOUT_COLLAPSE,
    CONDITIONAL_WAITING,
    PREDICT_RETURN_TIME,
    BEST_RETURN_TIME,
)
