"""Right answers to `Autoencoder` that are built in other ways."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from .autoencoder import Reference
from .autoencoder_loss_bank import AUTOENCODER

__all__ = ["AUTOENCODER"]


def stack(widths, activation):
    """Linear layers with an activation between them, and none at the end."""
    layers = []
    for inputs, outputs in pairwise(widths):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


@AUTOENCODER.variant
class WithRelu(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        self.encoder = stack((dim, hidden, latent_dim), nn.ReLU)
        self.decoder = stack((latent_dim, hidden, dim), nn.ReLU)


@AUTOENCODER.variant
class DeepTanh(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        self.encoder = stack((dim, hidden, hidden, latent_dim), nn.Tanh)
        self.decoder = stack((latent_dim, hidden, hidden, dim), nn.Tanh)


@AUTOENCODER.variant
class Pyramid(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        widths = dim, 2 * hidden, hidden, latent_dim
        self.encoder = stack(widths, nn.GELU)
        self.decoder = stack(widths[::-1], nn.GELU)


@AUTOENCODER.variant
class LayersByName(nn.Module):
    """No Sequential, no inheritance, the loss from torch."""

    def __init__(self, dim, latent_dim, hidden):
        super().__init__()
        self.first = nn.Linear(dim, hidden)
        self.second = nn.Linear(hidden, latent_dim)
        self.third = nn.Linear(latent_dim, hidden)
        self.fourth = nn.Linear(hidden, dim)

    def encode(self, x):
        return self.second(functional.leaky_relu(self.first(x)))

    def decode(self, z):
        return self.fourth(functional.leaky_relu(self.third(z)))

    def forward(self, x):
        return self.decode(self.encode(x))

    def loss(self, x):
        return functional.mse_loss(self.forward(x), x)


@AUTOENCODER.variant
class TiedWeights(nn.Module):
    """The decoder uses the encoder's matrices, transposed."""

    def __init__(self, dim, latent_dim, hidden):
        super().__init__()
        self.lower = nn.Linear(dim, hidden)
        self.upper = nn.Linear(hidden, latent_dim)
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))
        self.bias = nn.Parameter(torch.zeros(dim))

    def encode(self, x):
        return self.upper(torch.tanh(self.lower(x)))

    def decode(self, z):
        hidden = torch.tanh(z @ self.upper.weight + self.hidden_bias)
        return hidden @ self.lower.weight + self.bias

    def forward(self, x):
        return self.decode(self.encode(x))

    def loss(self, x):
        return ((x - self(x)) ** 2).sum() / x.numel()


@AUTOENCODER.variant
class PlainParameters(nn.Module):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__()
        widths = dim, hidden, latent_dim, hidden, dim
        self.weights = nn.ParameterList([torch.randn(m, n) / m**0.5 for m, n in pairwise(widths)])
        self.biases = nn.ParameterList([torch.zeros(n) for n in widths[1:]])

    def half(self, x, first):
        hidden = functional.elu(x @ self.weights[first] + self.biases[first])
        return hidden @ self.weights[first + 1] + self.biases[first + 1]

    def encode(self, x):
        return self.half(x, 0)

    def decode(self, z):
        return self.half(z, 2)

    def forward(self, x):
        return self.half(self.half(x, 0), 2)

    def loss(self, x):
        return (self(x) - x).pow(2).mean(dim=1).mean()


@AUTOENCODER.variant
class WithBatchNorm(Reference):
    """In training it looks at the batch, in evaluation it does not."""

    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        self.encoder = nn.Sequential(
            nn.Linear(dim, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Linear(hidden, latent_dim)
        )


@AUTOENCODER.variant
class WithDropout(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, hidden), nn.ReLU(), nn.Dropout(0.02), nn.Linear(hidden, dim)
        )


@AUTOENCODER.variant
class ResidualInside(Reference):
    """A shortcut inside a half is no shortcut around the code."""

    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        self.inner = nn.Linear(hidden, hidden)

    def encode(self, x):
        hidden = torch.relu(self.encoder[0](x))
        return self.encoder[2](hidden + torch.relu(self.inner(hidden)))


@AUTOENCODER.variant
class RemembersHarmlessly(Reference):
    """Keeps the code for a plot, and does not use it."""

    def forward(self, x):
        self.codes = self.encode(x)
        return self.decode(self.codes)
