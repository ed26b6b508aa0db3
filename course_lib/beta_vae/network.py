r"""A deeper convolutional VAE, in the manner of the networks that disentangle."""

import torch
from torch import nn

from course_lib.monte_carlo.checks import check_positive
from course_lib.vae import VAE
from course_lib.vae.models import Batched


class DeepConvVAE(VAE):
    r"""A VAE of images with three convolutions and a dense layer each way; x is flat, (N, C·size²).

    Published networks for dSprites have four convolutions and dense layers for 64 × 64 pixels. With
    two convolutions and no dense layer (`ConvVAE`), from some first weights the code stays
    entangled.

    Args:
        latent_dim: M.
        size: Height and width of an image, a multiple of 8.
        num_channels: C.
        width: Channels of the first two convolutions; the third has twice as many, and the dense
            layer four times as many values.
        likelihood: As in `VAE`.
        prior: As in `VAE`.

    Raises:
        ValueError: `size` is not a multiple of 8, or as in `VAE`.

    Reference:
        Burgess et al. (2018), appendix A.1, arXiv:1804.03599, has the deeper network.

    Example:
        >>> vae = DeepConvVAE(10)
        >>> vae.dim, vae.decode(torch.zeros(5, 10)).shape
        (1024, torch.Size([5, 1024]))
    """

    def __init__(
        self,
        latent_dim: int,
        *,
        size: int = 32,
        num_channels: int = 1,
        width: int = 32,
        likelihood: str = "bernoulli",
        prior: nn.Module | None = None,
    ) -> None:
        check_positive(size=size, num_channels=num_channels, width=width)
        if size % 8:
            raise ValueError(f"size is {size}; expected a multiple of 8: pad or crop the images")
        dim, side = num_channels * size**2, size // 8
        flat, dense = 2 * width * side**2, 4 * width
        super().__init__(dim, latent_dim, hidden=(), likelihood=likelihood, prior=prior)
        self.encoder = nn.Sequential(
            nn.Unflatten(1, (num_channels, size, size)),
            nn.Conv2d(num_channels, width, 4, stride=2, padding=1),  # (N, width, size/2, size/2)
            nn.ReLU(),
            nn.Conv2d(width, width, 4, stride=2, padding=1),  # (N, width, size/4, size/4)
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),  # (N, 2 width, size/8, size/8)
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(flat, dense),
            nn.ReLU(),
            nn.Linear(dense, 2 * latent_dim),
        ).to(memory_format=torch.channels_last)
        self.decoder = Batched(
            nn.Linear(latent_dim, dense),
            nn.ReLU(),
            nn.Linear(dense, flat),
            nn.ReLU(),
            nn.Unflatten(1, (2 * width, side, side)),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(width, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(width, num_channels, 4, stride=2, padding=1),
            nn.Flatten(),
        ).to(memory_format=torch.channels_last)
