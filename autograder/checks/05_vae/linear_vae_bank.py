"""Wrong and right answers to `LinearVAE`."""

import math

import torch
from torch import nn

from . import linear_vae_signs as signs
from ._linear import LOG_2PI
from .kl_to_standard_normal import kl
from .linear_vae import LINEAR_VAE, LinearVAE

misconception = LINEAR_VAE.misconception
variant = LINEAR_VAE.variant


def _parts(maps, x, noise):
    """Distortion and rate of each point, when all is right."""
    return maps.distortion(x, maps.draw(x, noise)), maps.rate(x)


def _of_parts(formula):
    return signs.loss_is_wrongly(lambda maps, x, noise: formula(*_parts(maps, x, noise), maps, x))


def _drawn(scale):
    """The loss, with another scale for the draws."""

    def loss(maps, x, noise):
        z = maps.loc(x) + scale(maps.log_var) * noise
        return (maps.distortion(x, z) + maps.rate(x)).mean()

    return signs.loss_is_wrongly(loss)


def _with_rate(formula):
    return _of_parts(lambda d, r, maps, x: (d + formula(maps.loc(x), maps.log_var)).mean())


def _normal(x, loc, log_scale):
    return -torch.distributions.Normal(loc, log_scale.exp()).log_prob(x)


@misconception(
    "You drew with the variance as the scale: s = exp(½ log s²).",
    sign=_drawn(torch.exp),
)
class VarianceAsScale(LinearVAE):
    def draw(self, loc, log_var, noise):
        return loc + log_var.exp() * noise


@misconception(
    "You decode the mean of q and not a draw: the noise is not used, so the width of q costs "
    "nothing but its rate.",
    sign=_drawn(torch.zeros_like),
)
class MeanDecoded(LinearVAE):
    def draw(self, loc, log_var, noise):
        return loc


@misconception(
    "All points share the noise of the first one. Every point has a row of its own in `noise`.",
    sign=signs.loss_is_wrongly(lambda maps, x, noise: maps.loss(x, noise[:1].expand_as(noise))),
)
class NoiseShared(LinearVAE):
    def draw(self, loc, log_var, noise):
        return loc + (log_var / 2).exp() * noise[:1]


@misconception(
    "Your loss is different each time, with the same data and the same noise: you draw noise of "
    "your own instead of using what you are given.",
    sign=signs.not_repeatable,
)
class OwnNoise(LinearVAE):
    def draw(self, loc, log_var, noise):
        return loc + (log_var / 2).exp() * torch.randn_like(noise)


@misconception(
    "You subtract the divergence. In a loss both prices are added.",
    sign=_of_parts(lambda d, r, maps, x: (d - r).mean()),
)
class RateSubtracted(LinearVAE):
    def rate(self, loc, log_var):
        return -kl(loc, log_var)


@misconception(
    "The divergence is missing from the loss: that is an autoencoder with noise in it.",
    sign=_of_parts(lambda d, r, maps, x: d.mean()),
)
class RateMissing(LinearVAE):
    def rate(self, loc, log_var):
        return 0.0


@misconception(
    "The divergence has lost its factor ½.",
    sign=_of_parts(lambda d, r, maps, x: (d + 2 * r).mean()),
)
class RateWithoutHalf(LinearVAE):
    def rate(self, loc, log_var):
        return 2 * kl(loc, log_var)


@misconception(
    "You averaged the divergence over the hidden values. They add up.",
    sign=_of_parts(lambda d, r, maps, x: (d + r / len(maps.log_var)).mean()),
)
class RateAveraged(LinearVAE):
    def rate(self, loc, log_var):
        return kl(loc, log_var) / loc.shape[1]


@misconception(
    "Your divergence takes `log_var` for log s, while the draw takes it for log s². It is log s².",
    sign=_with_rate(lambda loc, log_var: kl(loc, 2 * log_var.expand_as(loc))),
)
class RateOfLogScale(LinearVAE):
    def rate(self, loc, log_var):
        return kl(loc, 2 * log_var)


@misconception(
    "What `encode` gives as log_var is log s in your formulas: the draw and the divergence agree "
    "with each other, but not with the name. Give the logarithm of the variance.",
    sign=signs.loss_is_wrongly(
        lambda maps, x, noise: (
            maps.distortion(x, maps.loc(x) + maps.log_var.exp() * noise)
            + kl(maps.loc(x), 2 * maps.log_var.expand(len(x), -1))
        ).mean()
    ),
)
class LogScaleForLogVar(LinearVAE):
    def draw(self, loc, log_var, noise):
        return loc + log_var.exp() * noise

    def rate(self, loc, log_var):
        return kl(loc, 2 * log_var)


@misconception(
    "The constant ½ log 2π of each value is missing. It changes no gradient, but the number is no "
    "longer a log-likelihood in nats.",
    sign=_of_parts(lambda d, r, maps, x: (d + r).mean() - 0.5 * LOG_2PI * x.shape[1]),
)
class ConstantMissing(LinearVAE):
    def distortion(self, x, loc, log_scale):
        return super().distortion(x, loc, log_scale) - 0.5 * LOG_2PI * x.shape[1]


@misconception(
    "The term log σ of each value is missing: without it the largest σ is the best.",
    sign=_of_parts(lambda d, r, maps, x: (d + r).mean() - maps.log_scale * x.shape[1]),
)
class LogScaleMissing(LinearVAE):
    def distortion(self, x, loc, log_scale):
        return super().distortion(x, loc, log_scale) - log_scale * x.shape[1]


@misconception(
    "log σ is counted once for each point. Every one of the D values has a density with its own "
    "−log σ.",
    sign=_of_parts(lambda d, r, maps, x: (d + r).mean() - maps.log_scale * (x.shape[1] - 1)),
)
class LogScaleOnlyOnce(LinearVAE):
    def distortion(self, x, loc, log_scale):
        return super().distortion(x, loc, log_scale) - log_scale * (x.shape[1] - 1)


def _with_distortion(formula):
    def loss(maps, x, noise):
        error_sq = (x - maps.draw(x, noise) @ maps.weight.T - maps.bias).square()
        return (formula(error_sq, maps.log_scale) + maps.rate(x)).mean()

    return signs.loss_is_wrongly(loss)


@misconception(
    "The distortion is a squared error: divide it by 2σ² and add the normaliser of the Gaussian.",
    sign=_with_distortion(lambda error_sq, _: error_sq.sum(-1)),
)
class SquaredError(LinearVAE):
    def distortion(self, x, loc, log_scale):
        return (x - loc).square().sum(-1)


@misconception(
    "You read log_scale as log σ² in the distortion. It is log σ.",
    sign=_with_distortion(
        lambda error_sq, log_scale: (
            0.5 * (error_sq * math.exp(-log_scale) + log_scale + LOG_2PI)
        ).sum(-1)
    ),
)
class LogScaleAsLogVariance(LinearVAE):
    def distortion(self, x, loc, log_scale):
        return _normal(x, loc, log_scale / 2).sum(-1)


@misconception(
    "You estimate the divergence by the same draw, ½ (z² − ε² − log s²). That is right on average, "
    "but the exercise asks for the closed form, which scatters less.",
    sign=signs.loss_is_wrongly(
        lambda maps, x, noise: (
            maps.distortion(x, maps.draw(x, noise))
            + 0.5 * (maps.draw(x, noise).square() - noise.square() - maps.log_var).sum(-1)
        ).mean()
    ),
)
class RateByTheSameDraw(LinearVAE):
    def loss(self, x, noise):
        loc, log_var = self.encode(x)
        z = self.draw(loc, log_var, noise)
        x_loc, log_scale = self.decode(z)
        rate = 0.5 * (z**2 - noise**2 - log_var).sum(-1)
        return (self.distortion(x, x_loc, log_scale) + rate).mean()


@misconception(
    "You averaged the distortion over the values, so that the divergence weighs D times too much.",
    sign=_of_parts(lambda d, r, maps, x: (d / x.shape[1] + r).mean()),
)
class MeanOverValues(LinearVAE):
    def distortion(self, x, loc, log_scale):
        return _normal(x, loc, log_scale).mean(-1)


@misconception(
    "You summed over the points. Average over the batch, so that the loss does not grow with it.",
    sign=_of_parts(lambda d, r, maps, x: (d + r).sum()),
)
class SummedOverPoints(LinearVAE):
    def loss(self, x, noise):
        return len(x) * super().loss(x, noise)


@misconception(
    "Your loss is the ELBO itself. An optimiser goes down: return −ELBO.",
    sign=_of_parts(lambda d, r, maps, x: -(d + r).mean()),
)
class TheElbo(LinearVAE):
    def loss(self, x, noise):
        return -super().loss(x, noise)


@misconception(
    "Your loss has one number for each point. Average over the batch: an optimiser needs one "
    "number.",
    sign=signs.no_scalar,
)
class OneForEachPoint(LinearVAE):
    def loss(self, x, noise):
        loc, log_var = self.encode(x)
        x_loc, log_scale = self.decode(self.draw(loc, log_var, noise))
        return self.distortion(x, x_loc, log_scale) + self.rate(loc, log_var)


@misconception(
    "Your decoder is not linear. Here it is one matrix and one offset, with nothing between or "
    "after: only then is the exact answer known.",
    sign=signs.answered("decode", lambda value, z: signs.is_bent(value[0], z)),
)
class SigmoidDecoder(LinearVAE):
    def decode(self, z):
        return torch.sigmoid(self.decoder(z)), self.log_scale


@misconception(
    "Your encoder is not linear. The mean of the posterior is a straight map of x here, so nothing "
    "more is needed.",
    sign=signs.answered("encode", lambda value, x: signs.is_bent(value[0], x)),
)
class BentEncoder(LinearVAE):
    def __init__(self, dim, latent_dim):
        super().__init__(dim, latent_dim)
        layers = nn.Linear(dim, 16), nn.ReLU(), nn.Linear(16, latent_dim)
        self.encoder = nn.Sequential(*layers)


@misconception(
    "Your decoder has no offset b, and the data do not lie around zero.",
    sign=signs.never_moves(lambda maps: maps.bias.abs().sum()),
)
class DecoderWithoutBias(LinearVAE):
    def __init__(self, dim, latent_dim):
        super().__init__(dim, latent_dim)
        self.decoder = nn.Linear(latent_dim, dim, bias=False)


@misconception(
    "Your encoder has no offset c: the code of the middle of the data cannot be moved to zero.",
    sign=signs.never_moves(lambda maps: maps.offset.abs().sum()),
)
class EncoderWithoutBias(LinearVAE):
    def __init__(self, dim, latent_dim):
        super().__init__(dim, latent_dim)
        self.encoder = nn.Linear(dim, latent_dim, bias=False)


@misconception(
    "log σ is not trained: it is no parameter (a plain tensor), it is cut off, or the loss does "
    "not use it (σ = 1). Make it an `nn.Parameter` and use it.",
    sign=signs.never_moves(lambda maps: maps.log_scale),
)
class ScaleNotLearned(LinearVAE):
    def decode(self, z):
        return self.decoder(z), self.log_scale.detach()


@misconception(
    "`encode` gives log s² of the shape (M,). Give it the shape of the mean, (N, M).",
    sign=signs.answered("encode", lambda value, _: value[1].ndim == 1),
)
class LogVarNotExpanded(LinearVAE):
    def encode(self, x):
        return self.encoder(x), self.log_var


@misconception(
    "Your log s² depends on x. The posterior of this model is as wide for every point: M numbers "
    "are enough.",
    sign=signs.answered("encode", lambda value, _: bool(value[1].var(0).max() > 1e-6)),
)
class WidthDependsOnX(LinearVAE):
    def __init__(self, dim, latent_dim):
        super().__init__(dim, latent_dim)
        self.encoder = nn.Linear(dim, 2 * latent_dim)

    def encode(self, x):
        return self.encoder(x).chunk(2, dim=-1)


@misconception(
    "You have a log σ for each value. That is factor analysis; one number for all values is asked "
    "for, as in probabilistic PCA.",
    sign=signs.answered("decode", lambda value, _: value[1].numel() > 1 and len(value) == 2),
)
class ScaleForEachValue(LinearVAE):
    def __init__(self, dim, latent_dim):
        super().__init__(dim, latent_dim)
        self.log_scale = nn.Parameter(torch.zeros(dim))


@misconception(
    "`decode` gives the mean only. Give a pair: the mean of x and log σ.",
    sign=signs.answered("decode", lambda value, _: isinstance(value, torch.Tensor)),
)
class DecodeGivesTheMean(LinearVAE):
    def decode(self, z):
        return self.decoder(z)

    def loss(self, x, noise):
        loc, log_var = self.encode(x)
        x_loc = self.decode(self.draw(loc, log_var, noise))
        return (self.distortion(x, x_loc, self.log_scale) + self.rate(loc, log_var)).mean()


@misconception(
    "The draw is cut off from the encoder (`detach`, `no_grad` or `.sample()`): it feels the "
    "divergence only, and gives up the code.",
    sign=signs.trained(
        lambda maps: bool(maps.matrix.abs().max() < 0.05 and maps.log_var.abs().max() < 0.1)
    ),
)
class DrawCutOff(LinearVAE):
    def draw(self, loc, log_var, noise):
        return super().draw(loc, log_var, noise).detach()


@misconception(
    "The width of q is not trained: `log_var` is no parameter (a plain tensor), or it is cut off. "
    "Make it an `nn.Parameter`.",
    sign=signs.never_moves(lambda maps: maps.log_var),
)
class WidthNotLearned(LinearVAE):
    def encode(self, x):
        loc, log_var = super().encode(x)
        return loc, log_var.detach()


@misconception(
    "The noise term is cut off from the gradient: the width of q feels the divergence only, and "
    "stays that of the prior.",
    sign=signs.trained(
        lambda maps: bool(maps.log_var.abs().max() < 0.1 and maps.matrix.abs().max() > 0.05)
    ),
)
class WidthCutOff(LinearVAE):
    def __init__(self, dim, latent_dim):
        super().__init__(dim, latent_dim)
        self.log_var.data.fill_(-2.0)

    def draw(self, loc, log_var, noise):
        return loc + (log_var / 2).exp().detach() * noise


@misconception(
    "The divergence is cut off from the gradient: the value is right, but nobody pays for the "
    "code, and q becomes a needle.",
    sign=signs.trained(
        lambda maps: bool(maps.log_var.max() < -1 and maps.weight.abs().max() > 0.1)
    ),
)
class RateCutOff(LinearVAE):
    def rate(self, loc, log_var):
        return kl(loc, log_var).detach()


@variant
class PlainParameters(nn.Module):
    """Matrices by hand, σ through softplus, all formulas written out."""

    def __init__(self, dim, latent_dim):
        super().__init__()
        self.w = nn.Parameter(0.3 * torch.randn(dim, latent_dim))
        self.b = nn.Parameter(torch.zeros(dim))
        self.v = nn.Parameter(0.3 * torch.randn(latent_dim, dim))
        self.c = nn.Parameter(torch.zeros(latent_dim))
        self.half_log_var = nn.Parameter(-torch.ones(1, latent_dim))
        self.raw_scale = nn.Parameter(torch.tensor([0.5]))

    def encode(self, x):
        return x @ self.v.T + self.c, (2 * self.half_log_var).repeat(len(x), 1)

    def decode(self, z):
        return z @ self.w.T + self.b, nn.functional.softplus(self.raw_scale).log()

    def loss(self, x, noise):
        loc, log_var = self.encode(x)
        mean, log_scale = self.decode(loc + noise * log_var.exp().sqrt())
        error_sq = ((x - mean) ** 2).sum(dim=1)
        dim = x.shape[1]
        rec = -0.5 * error_sq / (2 * log_scale).exp() - dim * (log_scale + 0.5 * LOG_2PI)
        rate = -0.5 * (1 + log_var - loc**2 - log_var.exp()).sum(dim=1)
        return torch.mean(rate - rec)


@variant
class WithDistributions(LinearVAE):
    def loss(self, x, noise):
        loc, log_var = self.encode(x)
        q = torch.distributions.Normal(loc, (log_var / 2).exp())
        prior = torch.distributions.Normal(torch.zeros_like(loc), 1.0)
        x_loc, log_scale = self.decode(q.loc + q.scale * noise)
        rec = torch.distributions.Normal(x_loc, log_scale.exp()).log_prob(x)
        return (torch.distributions.kl_divergence(q, prior).sum() - rec.sum()) / len(x)


@variant
class OrthogonalStart(LinearVAE):
    def __init__(self, dim, latent_dim):
        super().__init__(dim, latent_dim)
        nn.init.orthogonal_(self.encoder.weight)
        nn.init.orthogonal_(self.decoder.weight)
        self.log_var.data.fill_(-2.0)
        self.log_scale = nn.Parameter(torch.full((1,), -0.5))


@variant
class SmallStart(LinearVAE):
    def __init__(self, dim, latent_dim):
        super().__init__(dim, latent_dim)
        for layer in (self.encoder, self.decoder):
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)


@variant
class WideStart(LinearVAE):
    def __init__(self, dim, latent_dim):
        super().__init__(dim, latent_dim)
        for layer in (self.encoder, self.decoder):
            nn.init.normal_(layer.weight)
