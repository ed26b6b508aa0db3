r"""The VQ-VAE: an autoencoder of images whose code is a small map of whole numbers."""

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_lib.monte_carlo.checks import check_flat, check_positive
from course_lib.quantizer import EMAQuantizer, Quantizer
from course_lib.training import evaluating

PointsArray = Float[Tensor, "n d"]
Maps = Float[Tensor, "n h w m"]
Codes = Int[Tensor, "n h w"]

FAST = {"decay": 0.9, "revive_every": 20}  # decay 0.99 has half as much error again at 200 steps


class VQOutput(NamedTuple):
    r"""What `VQVAE.forward` returns.

    Attributes:
        x_hat: The reconstruction, shape (N, D).
        z_e: What the encoder wrote, shape (N, h, w, M).
        z_q: The codes chosen for it, with the gradient of z_e, shape (N, h, w, M).
        indices: Which codes, shape (N, h, w).
        loss: What the quantiser adds to the loss of an image, mean over positions, shape (N,).
    """

    x_hat: PointsArray
    z_e: Maps
    z_q: Maps
    indices: Codes
    loss: Float[Tensor, " n"]


class VQVAE(nn.Module):
    r"""Convolutions to a map of size/4, quantisation of each of its vectors, convolutions back.

    .. math:: z_e = f_\phi(x), \qquad z_q = e_k \text{ with } k = \arg\min_j \Vert z_e - e_j
        \Vert, \qquad \hat x = g_\theta(z_q)

    Attributes:
        dim: D = C·size².
        code_shape: (h, w), the size of a code map.
        quantizer: Holds the codebook.

    Args:
        num_codes: K.
        latent_dim: M.
        size: Height and width of an image, a multiple of 4.
        num_channels: C.
        width: Channels of the maps between the layers.
        num_residual: Residual blocks each way.
        quantizer: Holds the codebook; `None` is an `EMAQuantizer` that follows an encoder which
            still moves fast (\gamma = 0.9, codes revived every 20 batches).

    Raises:
        ValueError: A size is not positive, or `size` is not a multiple of 4, or the quantiser was
            made for other sizes.

    Reference:
        Van den Oord et al. (2017), section 4.1, arXiv:1711.00937.

    Example:
        >>> model = VQVAE(128, latent_dim=16)
        >>> x = torch.rand(5, 784)
        >>> codes = model.codes(x)
        >>> codes.shape, model.decode_codes(codes).shape
        (torch.Size([5, 7, 7]), torch.Size([5, 784]))
    """

    def __init__(
        self,
        num_codes: int = 512,
        *,
        latent_dim: int = 64,
        size: int = 28,
        num_channels: int = 1,
        width: int = 64,
        num_residual: int = 2,
        quantizer: Quantizer | None = None,
    ) -> None:
        super().__init__()
        check_positive(num_codes=num_codes, latent_dim=latent_dim, size=size, width=width)
        check_positive(num_channels=num_channels)
        if size % 4 or num_residual < 0:
            raise ValueError(
                f"size is {size} and num_residual is {num_residual}; expected a multiple of 4 (pad "
                "or crop the images) and at least 0"
            )
        quantizer = quantizer or EMAQuantizer(num_codes, latent_dim, **FAST)
        if (quantizer.num_codes, quantizer.latent_dim) != (num_codes, latent_dim):
            raise ValueError(
                f"the quantizer has {quantizer.num_codes} codes of {quantizer.latent_dim} values; "
                f"expected num_codes={num_codes} and latent_dim={latent_dim}"
            )
        self.dim, self.num_codes, self.latent_dim = num_channels * size**2, num_codes, latent_dim
        self.code_shape = (size // 4, size // 4)
        half = max(1, width // 2)
        self.encoder = nn.Sequential(
            nn.Unflatten(1, (num_channels, size, size)),
            nn.Conv2d(num_channels, half, 4, stride=2, padding=1),  # (N, width/2, size/2, size/2)
            nn.ReLU(),
            nn.Conv2d(half, width, 4, stride=2, padding=1),  # (N, width, h, w)
            *(ResidualBlock(width) for _ in range(num_residual)),
            nn.ReLU(),
            nn.Conv2d(width, latent_dim, 1),
        ).to(memory_format=torch.channels_last)
        self.quantizer = quantizer
        self.decoder = nn.Sequential(
            nn.Conv2d(latent_dim, width, 1),
            *(ResidualBlock(width) for _ in range(num_residual)),
            nn.ReLU(),
            nn.ConvTranspose2d(width, half, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(half, num_channels, 4, stride=2, padding=1),
            nn.Flatten(),
        ).to(memory_format=torch.channels_last)

    def encode(self, x: PointsArray) -> Maps:
        r"""z_e, before quantisation, shape (N, h, w, M).

        Raises:
            ValueError: `x` is not of shape (N, D) or not floating point.
        """
        check_flat(x, self.dim)
        return self.encoder(x).to(x.dtype).movedim(1, -1)  # no smaller type chooses codes

    @torch.no_grad()
    def codes(self, x: PointsArray) -> Codes:
        r"""The codes of images, shape (N, h, w); the codebook stays as it is.

        Raises:
            ValueError: As in `encode`.
        """
        with evaluating(self):
            return self.quantizer(self.encode(x)).indices

    def decode(self, z_q: Maps) -> PointsArray:
        r"""Images from vectors of the codebook, shape (N, D).

        Raises:
            ValueError: `z_q` is not of shape (N, h, w, M).
        """
        if z_q.ndim != 4 or tuple(z_q.shape[1:]) != (*self.code_shape, self.latent_dim):
            raise ValueError(
                f"z_q has shape {tuple(z_q.shape)}; expected (N, h, w, M) with h, w, M = "
                f"{(*self.code_shape, self.latent_dim)}: for indices there is decode_codes"
            )
        return self.decoder(z_q.movedim(-1, 1)).to(z_q.dtype)

    def decode_codes(self, codes: Codes) -> PointsArray:
        r"""Images from codes, shape (N, D); what `forward` makes of the same codes, bit for bit.

        Raises:
            ValueError: `codes` is not of shape (N, h, w), or holds values outside 0 … K − 1.
        """
        if tuple(codes.shape[1:]) != self.code_shape or codes.is_floating_point():
            raise ValueError(
                f"codes has shape {tuple(codes.shape)} and type {codes.dtype}; expected "
                f"(N, {self.code_shape[0]}, {self.code_shape[1]}) whole numbers"
            )
        if codes.numel() and not 0 <= codes.min() <= codes.max() < self.num_codes:
            raise ValueError(
                f"codes go from {codes.min()} to {codes.max()}; expected 0 to {self.num_codes - 1}"
            )
        return self.decode(self.quantizer.lookup(codes))

    def forward(self, x: PointsArray) -> VQOutput:
        r"""Encode, quantise, decode; in training mode the codebook learns.

        Raises:
            ValueError: As in `encode`.
        """
        z_e = self.encode(x)
        z_q, indices, loss = self.quantizer(z_e)
        return VQOutput(self.decode(z_q), z_e, z_q, indices, loss.mean((1, 2)))


class ResidualBlock(nn.Module):
    r"""Adds to a map what a 3 × 3 and a 1 × 1 convolution make of it.

    Reference:
        He et al. (2016), "Identity mappings in deep residual networks", section 4,
        arXiv:1603.05027 (ReLU first).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = max(1, width // 2)
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(width, inner, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(inner, width, 1),
        )

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        return x + self.layers(x)


def vq_vae_loss(model: VQVAE, x: PointsArray) -> Float[Tensor, " n"]:
    r"""The loss of each image.

    .. math:: \Vert x - \hat x \Vert^2 + \frac{1}{hw} \sum_{ij} \big( \Vert \mathrm{sg}[z_e] - z_q
        \Vert^2 + \beta \Vert z_e - \mathrm{sg}[z_q] \Vert^2 \big)_{ij}

    The first term is −\log p(x | z) of a Gaussian with \sigma^2 = 1/2, up to a constant. An
    `EMAQuantizer` leaves out the second.

    Args:
        model: The model; in training mode its codebook learns.
        x: Images, shape (N, D).

    Returns:
        Shape (N,): a sum over pixels, a mean over positions.

    Raises:
        ValueError: `x` is malformed.

    Reference:
        Van den Oord et al. (2017), equation (3) and the text below it.
    """
    output = model(x)
    return (x - output.x_hat).square().sum(1) + output.loss


@torch.no_grad()
def encode_dataset(model: VQVAE, x: PointsArray, *, chunk_size: int = 1000) -> Codes:
    r"""The codes of many images, some at a time, shape (N, h, w).

    Raises:
        ValueError: `x` is malformed or empty, or `chunk_size` is not positive.
    """
    check_positive(chunk_size=chunk_size)
    _check_not_empty(x)
    return torch.cat([model.codes(part) for part in x.split(chunk_size)])


@torch.no_grad()
def nmse(model: VQVAE, x: PointsArray, *, chunk_size: int = 1000) -> float:
    r"""The mean squared error of reconstruction over the variance of all pixels.

    1 is what a constant grey gets. The variance is one number for all pixels together.

    Args:
        model: The model; it is not changed.
        x: Images, shape (N, D).
        chunk_size: Images at a time.

    Raises:
        ValueError: `x` is malformed or empty, or `chunk_size` is not positive.
    """
    check_positive(chunk_size=chunk_size)
    _check_not_empty(x)
    with evaluating(model):
        total = sum((part - model(part).x_hat).square().sum() for part in x.split(chunk_size))
    return float(total / x.numel() / x.var(correction=0))


def _check_not_empty(x: Tensor) -> None:
    if len(x) == 0:
        raise ValueError(f"x has shape {tuple(x.shape)}; expected at least one image")
