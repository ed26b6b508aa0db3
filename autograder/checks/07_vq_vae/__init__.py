"""The exercises of unit 07, in the order of the notebook; one module each."""

from .code_bits_variants import CODE_BITS
from .completion_log_weights_bank import COMPLETION_LOG_WEIGHTS
from .ema_update_bank import EMA_UPDATE
from .gated_activation_bank import GATED_ACTIVATION
from .gated_masked_conv_variants import GATED_MASKED_CONV
from .mended_ema_bank import MENDED_EMA
from .nearest_code_bank import NEAREST_CODE
from .neighbour_prior_bank import NEIGHBOUR_PRIOR
from .perplexity_bank import PERPLEXITY
from .predict_perplexity import PREDICT_PERPLEXITY
from .predict_uniform_draws import PREDICT_UNIFORM_DRAWS
from .revive_dead_codes_variants import REVIVE_DEAD_CODES
from .sample_codes_variants import SAMPLE_CODES
from .shift_down_bank import SHIFT_DOWN
from .straight_through_bank import STRAIGHT_THROUGH
from .vq_losses_bank import VQ_LOSSES
from .vq_objective_bank import VQ_OBJECTIVE
from .vq_vae_round_trip_bank import VQ_VAE_ROUND_TRIP

EXERCISES = (
    # part a
    NEAREST_CODE,
    STRAIGHT_THROUGH,
    VQ_LOSSES,
    VQ_OBJECTIVE,
    PREDICT_PERPLEXITY,
    PERPLEXITY,
    EMA_UPDATE,
    MENDED_EMA,
    REVIVE_DEAD_CODES,
    VQ_VAE_ROUND_TRIP,
    # part b
    PREDICT_UNIFORM_DRAWS,
    NEIGHBOUR_PRIOR,
    CODE_BITS,
    SHIFT_DOWN,
    GATED_ACTIVATION,
    GATED_MASKED_CONV,
    SAMPLE_CODES,
    COMPLETION_LOG_WEIGHTS,
)
