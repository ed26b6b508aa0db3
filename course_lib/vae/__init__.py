r"""Variational autoencoders: models whose `posterior`, `prior` and `likelihood` are distributions.

`models` holds the networks, `objectives` the loss and its terms. A model has `log_joint`, so all of
`course_lib.monte_carlo` and `course_lib.variational` applies to it. Latents drawn for data have
shape (S, N, M), losses (N,), in nats.
"""

from course_lib.vae.models import VAE, ConvVAE, LinearVAE
from course_lib.vae.objectives import (
    effective_beta,
    elbo_terms,
    kl_schedule,
    kl_to_standard_normal,
    negative_elbo,
    reparameterize,
)

__all__ = [
    "VAE",
    "ConvVAE",
    "LinearVAE",
    "effective_beta",
    "elbo_terms",
    "kl_schedule",
    "kl_to_standard_normal",
    "negative_elbo",
    "reparameterize",
]
