"""Wrong answers to `Autoencoder` whose parts do not learn, are not used, or have limits."""

import torch

from . import autoencoder_signs as signs
from .autoencoder import Reference
from .autoencoder_bank import AUTOENCODER


@AUTOENCODER.misconception(
    "Some of your parameters are frozen: they do not move in training, although gradients pass "
    "through them. Is there a `requires_grad_(False)`?",
    sign=signs.is_frozen,
)
class FrozenEncoder(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        self.encoder.requires_grad_(False)


@AUTOENCODER.misconception(
    "The gradient stops at the code, so only the decoder learns. Is there a `detach` or a "
    "`no_grad` in `encode` or `forward`?",
    sign=signs.is_cut_at_the_code,
)
class CutAtTheCode(Reference):
    def encode(self, x):
        return self.encoder(x).detach()


@AUTOENCODER.misconception(
    "No gradient comes through your loss. Is there a `detach`, an `.item()` or a `no_grad` on the "
    "way, or are all parameters frozen?",
    sign=signs.gradient_is_missing,
)
class NoGradient(Reference):
    def loss(self, x):
        return (self(x) - x).square().mean().detach()


@AUTOENCODER.misconception(
    "The optimiser cannot see some of your layers: they are in a plain Python list. Use "
    "nn.Sequential or nn.ModuleList, or give each layer an attribute of its own.",
    sign=signs.hides_parameters,
)
class ListOfLayers(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        self.layers = [self.encoder]
        del self.encoder

    def encode(self, x):
        return self.layers[0](x)


@AUTOENCODER.misconception(
    "The argument `hidden` changes nothing. It is the width of the hidden layers.",
    sign=signs.hidden_is_ignored,
)
class FixedWidth(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, 32)


@AUTOENCODER.misconception(
    "The decoder uses only a part of the code: the Jacobian of `forward` has a rank below M.",
    sign=signs.uses_part_of_the_code,
)
class OneNumberOnly(Reference):
    def decode(self, z):
        return self.decoder(torch.cat((z[:, :1], torch.zeros_like(z[:, 1:])), 1))


@AUTOENCODER.misconception(
    "Your code has limits: every column stops at the same place. Put no tanh and no clamp after "
    "the encoder's last layer.",
    sign=signs.stops("encode"),
)
class BoundedCode(Reference):
    def encode(self, x):
        return torch.tanh(self.encoder(x))


@AUTOENCODER.misconception(
    "Your reconstruction has limits: every column stops at the same place. Put no clamp, and no "
    "ELU, after the decoder's last layer.",
    sign=signs.stops("decode"),
)
class BoundedOutput(Reference):
    def decode(self, z):
        return self.decoder(z).clamp(-5, 5)


@AUTOENCODER.misconception(
    "Every module starts with the same weights. Set no seed in `__init__`: another start must be "
    "another chance.",
    sign=signs.starts_alike,
)
class Seeded(Reference):
    def __init__(self, dim, latent_dim, hidden):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            super().__init__(dim, latent_dim, hidden)
