"""Wrong answers to `Autoencoder`, each with the sign by which its modules give it away."""

import torch
from torch import nn

from . import autoencoder_signs as signs
from .autoencoder import AUTOENCODER, Reference


@AUTOENCODER.misconception(
    "`super().__init__()` is missing, or comes too late: call it in the first line of `__init__`, "
    "before you make a layer.",
    sign=signs.raised("before Module.__init__"),
)
class WithoutSuper(Reference):
    def __init__(self, dim, latent_dim, hidden):
        self.encoder = nn.Linear(dim, latent_dim)


@AUTOENCODER.misconception(
    "Two layers do not fit together: a matrix gets vectors of another length than it was built "
    "for. Follow the widths D → hidden → M → hidden → D; none of them is a fixed number.",
    sign=signs.raised("shapes cannot be multiplied", "size mismatch"),
)
class WidthsDoNotFit(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(784, latent_dim, hidden)


@AUTOENCODER.misconception(
    "Your layers hold another type of numbers than the points. Leave both in float32, the default "
    "of torch.",
    sign=signs.raised("same dtype", "scalar type"),
)
class AnotherType(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        self.double()


@AUTOENCODER.misconception(
    "Your code has `hidden` numbers: there is no narrow place. The encoder's last layer has M "
    "outputs.",
    sign=signs.shape_of("encode", lambda s, n: (n, s["hidden"])),
)
class NoBottleneck(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, hidden, hidden)


@AUTOENCODER.misconception(
    "Your code always has two numbers. How many it has is the argument `latent_dim`.",
    sign=signs.shape_of("encode", lambda s, n: (n, 2)),
)
class AlwaysTwo(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, 2, hidden)


@AUTOENCODER.misconception(
    "Your code is as long as the data. What is asked for is M numbers.",
    sign=signs.shape_of("encode", lambda s, n: (n, s["dim"])),
)
class NothingIsCompressed(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, dim, hidden)


@AUTOENCODER.misconception(
    "`forward` returns a pair. Return the reconstruction alone; the code has its own method.",
    sign=signs.forward_is_tuple,
)
class ForwardGivesBoth(Reference):
    def forward(self, x):
        z = self.encode(x)
        return self.decode(z), z

    def loss(self, x):
        return (self.forward(x)[0] - x).square().mean()


@AUTOENCODER.misconception(
    "`forward` returns the code. It must decode it again.", sign=signs.forward_is_code
)
class ForwardGivesCode(Reference):
    def forward(self, x):
        return self.encode(x)

    def loss(self, x):
        return (self.decode(self.encode(x)) - x).square().mean()


@AUTOENCODER.misconception(
    "Something reaches the reconstruction beside the code: `forward` gives more than "
    "`decode(encode(x))`. With such a shortcut a network copies its input and learns nothing "
    "about the data.",
    sign=signs.passes_beside,
)
class Shortcut(Reference):
    def forward(self, x):
        return x + self.decode(self.encode(x))


@AUTOENCODER.misconception(
    "The decoder uses what the encoder left behind. A code must say everything on its own, also "
    "when other points were encoded since.",
    sign=signs.remembers,
)
class Remembers(Reference):
    def encode(self, x):
        self.kept = self.encoder[:2](x)
        return self.encoder[2](self.kept)

    def decode(self, z):
        hidden = self.decoder[:2](z)
        if self.kept.shape == hidden.shape:
            hidden = hidden + self.kept
        return self.decoder[2](hidden)


@AUTOENCODER.misconception(
    "All your weights start at zero. Then all hidden units are alike and stay alike; leave the "
    "start to torch.",
    sign=signs.all_codes_are_equal,
)
class StartsAtZero(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        for weight in self.parameters():
            nn.init.zeros_(weight)


@AUTOENCODER.misconception(
    "There is a ReLU after the encoder's last layer. It keeps codes from being negative, and "
    "dimensions that are zero for every point die.",
    sign=signs.is_relu("encode"),
)
class ReluCode(Reference):
    def encode(self, x):
        return self.encoder(x).relu()


@AUTOENCODER.misconception(
    "Your code is a softmax: its numbers sum to one, so one of them says nothing. A code may take "
    "any real values.",
    sign=signs.sums_to_one,
)
class SoftmaxCode(Reference):
    def encode(self, x):
        return self.encoder(x).softmax(1)


@AUTOENCODER.misconception(
    "There is a sigmoid after the encoder's last layer. A code may take any real values.",
    sign=signs.lies("encode", 0, 1),
)
class SigmoidCode(Reference):
    def encode(self, x):
        return self.encoder(x).sigmoid()


@AUTOENCODER.misconception(
    "There is a ReLU after the decoder's last layer, so no reconstruction can be negative. The "
    "data can.",
    sign=signs.is_relu("decode"),
)
class ReluOutput(Reference):
    def decode(self, z):
        return self.decoder(z).relu()


@AUTOENCODER.misconception(
    "There is a sigmoid after the decoder's last layer, so reconstructions end at 0 and 1. That "
    "fits images, whose values do too. These data take any real values.",
    sign=signs.lies("decode", 0, 1),
)
class SigmoidOutput(Reference):
    def decode(self, z):
        return self.decoder(z).sigmoid()


@AUTOENCODER.misconception(
    "Your reconstructions end at ±1: is there a tanh after the decoder's last layer? These data "
    "take any real values.",
    sign=signs.output_stops_at_one,
)
class TanhOutput(Reference):
    def decode(self, z):
        return self.decoder(z).tanh()


@AUTOENCODER.misconception(
    "Both halves are linear: two linear layers in a row are one. This finds the best plane, as "
    "principal components do, and no curve. Put a nonlinear function between the layers.",
    sign=signs.is_linear(encoder=True, decoder=True),
)
class AllLinear(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        self.encoder[1], self.decoder[1] = nn.Identity(), nn.Identity()


@AUTOENCODER.misconception(
    "The encoder is linear. Give it a hidden layer with a nonlinear function, as the decoder has.",
    sign=signs.is_linear(encoder=True, decoder=False),
)
class LinearEncoder(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        self.encoder[1] = nn.Identity()


@AUTOENCODER.misconception(
    "The decoder is linear, so all reconstructions lie in a plane. Give it a hidden layer with a "
    "nonlinear function, as the encoder has.",
    sign=signs.is_linear(encoder=False, decoder=True),
)
class LinearDecoder(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        self.decoder[1] = nn.Identity()


@AUTOENCODER.misconception(
    "Your code or your reconstruction is random in evaluation: two equal points get different "
    "ones. Is dropout still on, or is the code drawn, as in a variational autoencoder?",
    sign=signs.is_random,
)
class NoisyCode(Reference):
    def encode(self, x):
        z = self.encoder(x)
        return z + 0.1 * torch.randn_like(z)


@AUTOENCODER.misconception(
    "The code of a point depends on the other points of its batch. Shift and scale by numbers "
    "that were fixed before, or not at all.",
    sign=signs.sees_the_batch,
)
class StandardisedByTheBatch(Reference):
    def encode(self, x):
        return self.encoder((x - x.mean(0)) / (x.std(0, correction=0) + 1e-3))


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
    "way?",
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
    "Your code has limits: every column stops at the same size. Put no tanh and no clamp after "
    "the encoder's last layer.",
    sign=signs.stops("encode"),
)
class BoundedCode(Reference):
    def encode(self, x):
        return torch.tanh(self.encoder(x))


@AUTOENCODER.misconception(
    "Your reconstruction has limits: every column stops at the same size. Put no clamp after the "
    "decoder's last layer.",
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
