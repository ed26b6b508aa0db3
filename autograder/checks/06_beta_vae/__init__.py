"""The exercises of unit 06, in the order of the notebook; one module each."""

from .apply_attribute_bank import APPLY_ATTRIBUTE
from .attribute_effect_bank import ATTRIBUTE_EFFECT
from .attribute_vector_variants import ATTRIBUTE_VECTOR
from .beta_loss_bank import BETA_LOSS
from .capacity_loss_bank import CAPACITY_LOSS
from .capacity_schedule_bank import CAPACITY_SCHEDULE
from .dci_bank import DCI
from .decompose_rate_variants import DECOMPOSE_RATE
from .factor_vae_score_variants import FACTOR_VAE_SCORE
from .gaussian_rate_distortion_bank import GAUSSIAN_RATE_DISTORTION
from .gaussian_total_correlation_bank import GAUSSIAN_TOTAL_CORRELATION
from .mig_bank import MIG
from .mutual_information_table_bank import MUTUAL_INFORMATION_TABLE
from .predict_midpoint import PREDICT_MIDPOINT
from .predict_popular_beta import PREDICT_POPULAR_BETA
from .rate_distortion_curve_variants import RATE_DISTORTION_CURVE
from .reconstruction_weight_bank import RECONSTRUCTION_WEIGHT
from .rotate_code_bank import ROTATE_CODE
from .slerp_variants import SLERP
from .traverse_bank import TRAVERSE

EXERCISES = (
    # part a
    BETA_LOSS,
    PREDICT_POPULAR_BETA,
    RECONSTRUCTION_WEIGHT,
    CAPACITY_LOSS,
    CAPACITY_SCHEDULE,
    GAUSSIAN_RATE_DISTORTION,
    RATE_DISTORTION_CURVE,
    GAUSSIAN_TOTAL_CORRELATION,
    DECOMPOSE_RATE,
    # part b
    MUTUAL_INFORMATION_TABLE,
    MIG,
    DCI,
    FACTOR_VAE_SCORE,
    TRAVERSE,
    ATTRIBUTE_VECTOR,
    APPLY_ATTRIBUTE,
    ATTRIBUTE_EFFECT,
    PREDICT_MIDPOINT,
    SLERP,
    # part a, last section
    ROTATE_CODE,
)
