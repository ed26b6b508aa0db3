"""The exercises of unit 00, in the order of the notebook; one module each."""

from .anomaly_scores_bank import ANOMALY_SCORES
from .ar_log_prob_bank import AR_LOG_PROB
from .bits_per_dim_bank import BITS_PER_DIM
from .causal_mask_bank import CAUSAL_MASK
from .channel_mask_bank import CHANNEL_MASK
from .find_failures_bank import FIND_FAILURES
from .joint_table_bank import JOINT_TABLE
from .masked_network_bank import MASKED_NETWORK
from .order_mask_bank import ORDER_MASK
from .predict_black_image import PREDICT_BLACK_IMAGE
from .receptive_field_bank import RECEPTIVE_FIELD
from .reverse_order_bank import REVERSE_ORDER
from .sample_ar_variants import SAMPLE_AR

EXERCISES = (
    JOINT_TABLE,
    REVERSE_ORDER,
    AR_LOG_PROB,
    BITS_PER_DIM,
    CAUSAL_MASK,
    CHANNEL_MASK,
    MASKED_NETWORK,
    RECEPTIVE_FIELD,
    ORDER_MASK,
    SAMPLE_AR,
    PREDICT_BLACK_IMAGE,
    FIND_FAILURES,
    ANOMALY_SCORES,
)
