r"""Losses of the β-VAE family, what the rate is made of, and the same model in other coordinates.

Any `course_lib.vae.VAE` will do, and plain β is `negative_elbo(vae, x, beta=…)`. `objectives` holds
the losses of Burgess et al. (a rate that is held at a target) and of Chen et al. (a weight on the
total correlation alone), and the three parts of the rate that the latter needs; `rotation` has
`rotate_latent`, which changes the code and not the model; `network` a deeper convolutional VAE. All
values are in nats.
"""

from course_lib.beta_vae.network import DeepConvVAE
from course_lib.beta_vae.objectives import (
    Terms,
    beta_tc_loss,
    capacity_loss,
    rate_distortion,
    total_correlation,
)
from course_lib.beta_vae.rotation import RotatedVAE, rotate_latent

__all__ = [
    "DeepConvVAE",
    "RotatedVAE",
    "Terms",
    "beta_tc_loss",
    "capacity_loss",
    "rate_distortion",
    "rotate_latent",
    "total_correlation",
]
