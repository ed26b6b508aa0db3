r"""Autoencoders: what they learn when they compress, and how to measure it.

`models` holds the networks, `pca` the linear answer they are compared with, `denoising` corruption
and the score, `geometry` ranks, dimensions and holes. A batch of points is (N, D), a batch of
images (N, C, H, W), a batch of codes (N, M). Errors are squared, and means over values.
"""

from course_lib.autoencoder.denoising import (
    corrupt,
    denoising_loss,
    reconstruction_loss,
    score_from_denoiser,
)
from course_lib.autoencoder.dimension import (
    intrinsic_dimension,
    nearest_farthest_ratio,
    shell_radius,
    two_nn,
)
from course_lib.autoencoder.geometry import hole_fraction, jacobian_rank
from course_lib.autoencoder.models import (
    Autoencoder,
    ConvAutoencoder,
    DenseAutoencoder,
    LinearAutoencoder,
)
from course_lib.autoencoder.pca import PCA, pca, principal_angles

__all__ = [
    "PCA",
    "Autoencoder",
    "ConvAutoencoder",
    "DenseAutoencoder",
    "LinearAutoencoder",
    "corrupt",
    "denoising_loss",
    "hole_fraction",
    "intrinsic_dimension",
    "jacobian_rank",
    "nearest_farthest_ratio",
    "pca",
    "principal_angles",
    "reconstruction_loss",
    "score_from_denoiser",
    "shell_radius",
    "two_nn",
]
