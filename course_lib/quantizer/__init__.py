r"""Vector quantisation: a codebook, the way gradients get past it, and how well it is used.

`nearest` finds the code of a vector, `losses` holds what is differentiated, `updates` what moves
codes without a gradient, `codebooks` the modules that learn, `usage` how many codes are in use and
what they cost in bits. Vectors have shape (*B, M), their codes (*B,).
"""

from course_lib.quantizer.codebooks import EMAQuantizer, Quantized, Quantizer
from course_lib.quantizer.losses import straight_through, vq_losses
from course_lib.quantizer.nearest import nearest_code
from course_lib.quantizer.updates import ema_update, revive_dead_codes
from course_lib.quantizer.usage import (
    codes_in_use,
    perplexity,
    png_bits,
    position_bits,
    uniform_bits,
    unigram_bits,
)

__all__ = [
    "EMAQuantizer",
    "Quantized",
    "Quantizer",
    "codes_in_use",
    "ema_update",
    "nearest_code",
    "perplexity",
    "png_bits",
    "position_bits",
    "revive_dead_codes",
    "straight_through",
    "uniform_bits",
    "unigram_bits",
    "vq_losses",
]
