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
    "`encode` returns several values. Return the code alone, one tensor (N, M).",
    sign=signs.code_is_tuple,
)
class CodeIsTuple(Reference):
    def encode(self, x):
        z = self.encoder(x)
        return z, z.square()

    def forward(self, x):
        return self.decode(self.encode(x)[0])


@AUTOENCODER.misconception(
    "Your layers are made anew in each call, so they are other ones every time and never learn. "
    "Make them once, in `__init__`, and keep them in attributes.",
    sign=signs.is_fresh,
)
class FreshLayers(Reference):
    def encode(self, x):
        hidden, latent_dim = self.encoder[0].out_features, self.encoder[2].out_features
        first, second = nn.Linear(x.shape[1], hidden), nn.Linear(hidden, latent_dim)
        return second(first(x).relu())


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
    "`forward` does not give what `decode(encode(x))` gives. It is to be just that: each half "
    "once, and nothing between or after them.",
    sign=signs.goes_another_way,
)
class ForwardTwice(Reference):
    def forward(self, x):
        return self.decode(self.encode(self.decode(self.encode(x))))


@AUTOENCODER.misconception(
    "All your weights start at the same number, such as zero. Then all hidden units are alike and "
    "stay alike; leave the start to torch.",
    sign=signs.weights_start_alike,
)
class StartsAtZero(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        for weight in self.parameters():
            nn.init.zeros_(weight)


@AUTOENCODER.misconception(
    "One half of your network gives the same for every argument, and no gradient comes back. Are "
    "its hidden units dead, as a ReLU is behind a large negative bias, or do the weights of a "
    "layer start at zero? Leave the start to torch.",
    sign=signs.a_half_is_constant,
)
class DeadUnits(Reference):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__(dim, latent_dim, hidden)
        for half in (self.encoder, self.decoder):
            half[1] = nn.ReLU()
            nn.init.constant_(half[0].bias, -100.0)


@AUTOENCODER.misconception(
    "All your codes have the same length: they are normalised at the end of the encoder, so one of "
    "their numbers says nothing. A code may take any real values.",
    sign=signs.codes_have_one_length,
)
class UnitCode(Reference):
    def encode(self, x):
        return nn.functional.normalize(self.encoder(x), dim=1)


@AUTOENCODER.misconception(
    "There is a clamp to 0 and 1 after the decoder. These data take any real values, and where a "
    "value is clamped no gradient comes back.",
    sign=signs.is_clamped_to_one,
)
class ClampedOutput(Reference):
    def decode(self, z):
        return self.decoder(z).clamp(0, 1)


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
    "Your reconstructions end at ±1: is there a tanh, or a clamp, after the decoder's last layer? "
    "These data take any real values.",
    sign=signs.output_stops_at_one,
)
class TanhOutput(Reference):
    def decode(self, z):
        return self.decoder(z).tanh()


@AUTOENCODER.misconception(
    "Codes or reconstructions are never negative: is there a softplus, an `exp` or an `abs` after "
    "a last layer? Both may take any real values.",
    sign=signs.is_positive,
)
class SoftplusOutput(Reference):
    def decode(self, z):
        return nn.functional.softplus(self.decoder(z))


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
