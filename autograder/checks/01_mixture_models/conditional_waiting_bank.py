"""Wrong and right answers to `conditional_waiting`."""

import math

import numpy as np
import torch
from torch.distributions import Categorical, MultivariateNormal, Normal

from .conditional_waiting import CONDITIONAL_WAITING, reference


def _parts(duration, loc, covariance):
    """Distance of the duration from each mean, its variance, the covariance, the waiting's
    variance."""
    return duration - loc[:, 0], covariance[:, 0, 0], covariance[:, 0, 1], covariance[:, 1, 1]


def _log_density(duration, loc, covariance):
    return Normal(loc[:, 0], covariance[:, 0, 0].sqrt()).log_prob(torch.tensor(duration))


@CONDITIONAL_WAITING.misconception(
    "The weights come back as they were. A component that is far from this duration must lose "
    "weight."
)
def weights_unchanged(duration, weights, loc, covariance):
    return weights, *reference(duration, weights, loc, covariance)[1:]


@CONDITIONAL_WAITING.misconception(
    "The old weights play no part in the new ones. Multiply the density of the duration by the "
    "weight."
)
def prior_weights_forgotten(duration, weights, loc, covariance):
    density = _log_density(duration, loc, covariance)
    return torch.softmax(density, 0), *reference(duration, weights, loc, covariance)[1:]


@CONDITIONAL_WAITING.misconception(
    "You add the weights to the log-densities. It is their logarithm that belongs there."
)
def weights_without_logarithm(duration, weights, loc, covariance):
    density = _log_density(duration, loc, covariance)
    return torch.softmax(weights + density, 0), *reference(duration, weights, loc, covariance)[1:]


@CONDITIONAL_WAITING.misconception(
    "The new weights are not normalised: they are joint densities, and must be divided by their "
    "sum."
)
def weights_not_normalised(duration, weights, loc, covariance):
    joint = weights * _log_density(duration, loc, covariance).exp()
    return joint, *reference(duration, weights, loc, covariance)[1:]


@CONDITIONAL_WAITING.misconception(
    "You return the logarithms of the new weights. The weights themselves were asked for."
)
def log_weights_returned(duration, weights, loc, covariance):
    weights, loc, scale = reference(duration, weights, loc, covariance)
    return weights.log(), loc, scale


@CONDITIONAL_WAITING.misconception(
    "You give all the weight to the most probable component. The others stay possible: keep their "
    "share."
)
def most_probable_component_only(duration, weights, loc, covariance):
    weights, loc, scale = reference(duration, weights, loc, covariance)
    return torch.nn.functional.one_hot(weights.argmax(), len(weights)).to(loc.dtype), loc, scale


@CONDITIONAL_WAITING.misconception(
    "Your new weights leave out the 1/σ before the Gaussian of the duration, so a wide component "
    "gets too much."
)
def density_without_scale(duration, weights, loc, covariance):
    distance, variance, _, _ = _parts(duration, loc, covariance)
    new_weights = torch.softmax(weights.log() - 0.5 * distance**2 / variance, 0)
    return new_weights, *reference(duration, weights, loc, covariance)[1:]


@CONDITIONAL_WAITING.misconception(
    "In the new weights you use the variance of the duration as its standard deviation."
)
def duration_variance_as_scale(duration, weights, loc, covariance):
    density = Normal(loc[:, 0], covariance[:, 0, 0]).log_prob(torch.tensor(duration))
    new_weights = torch.softmax(weights.log() + density, 0)
    return new_weights, *reference(duration, weights, loc, covariance)[1:]


@CONDITIONAL_WAITING.misconception(
    "Your new weights use the joint density at the conditional mean of the waiting time. Only the "
    "duration was seen: use the density of the duration alone."
)
def joint_density_at_conditional_mean(duration, weights, loc, covariance):
    _, new_loc, scale = reference(duration, weights, loc, covariance)
    points = torch.stack([torch.full_like(new_loc, duration), new_loc], 1)
    log_joint = weights.log() + MultivariateNormal(loc, covariance).log_prob(points)
    return torch.softmax(log_joint, 0), new_loc, scale


@CONDITIONAL_WAITING.misconception(
    "Your new weights use the joint density at the old mean of the waiting time. Only the "
    "duration was seen: use the density of the duration alone."
)
def joint_density_at_marginal_mean(duration, weights, loc, covariance):
    points = torch.stack([torch.full_like(loc[:, 0], duration), loc[:, 1]], 1)
    log_joint = weights.log() + MultivariateNormal(loc, covariance).log_prob(points)
    return torch.softmax(log_joint, 0), *reference(duration, weights, loc, covariance)[1:]


@CONDITIONAL_WAITING.misconception(
    "Both densities underflow to zero for a duration far away, and zero over zero is NaN. Take "
    "the softmax of logarithms."
)
def densities_underflow(duration, weights, loc, covariance):
    joint = weights * _log_density(duration, loc, covariance).exp()
    return joint / joint.sum(), *reference(duration, weights, loc, covariance)[1:]


@CONDITIONAL_WAITING.misconception(
    "A small number in the denominator hides the underflow: far away the weights no longer sum to "
    "one. Take the softmax of logarithms."
)
def epsilon_in_denominator(duration, weights, loc, covariance):
    joint = weights * _log_density(duration, loc, covariance).exp()
    return joint / (joint.sum() + 1e-12), *reference(duration, weights, loc, covariance)[1:]


@CONDITIONAL_WAITING.misconception(
    "The means come back as they were. Within a component the waiting time goes with the "
    "duration: shift the mean by slope times distance."
)
def means_unchanged(duration, weights, loc, covariance):
    new_weights, _, scale = reference(duration, weights, loc, covariance)
    return new_weights, loc[:, 1], scale


@CONDITIONAL_WAITING.misconception(
    "The means move in the wrong direction: the distance is the duration minus its mean, and the "
    "shift is added."
)
def shift_subtracted(duration, weights, loc, covariance):
    new_weights, new_loc, scale = reference(duration, weights, loc, covariance)
    return new_weights, 2 * loc[:, 1] - new_loc, scale


@CONDITIONAL_WAITING.misconception(
    "You return the shift of the means. Add it to the mean of the waiting time."
)
def shift_alone(duration, weights, loc, covariance):
    new_weights, new_loc, scale = reference(duration, weights, loc, covariance)
    return new_weights, new_loc - loc[:, 1], scale


@CONDITIONAL_WAITING.misconception(
    "You multiply the slope by the duration itself. It must be the distance from the component's "
    "mean."
)
def shift_from_origin(duration, weights, loc, covariance):
    new_weights, _, scale = reference(duration, weights, loc, covariance)
    _, variance, cross, _ = _parts(duration, loc, covariance)
    return new_weights, loc[:, 1] + cross / variance * duration, scale


def _with_slope(slope):
    """Weights right, means and variances with another slope."""

    def implementation(duration, weights, loc, covariance):
        distance, variance_d, cross, variance_w = _parts(duration, loc, covariance)
        value = slope(variance_d, cross, variance_w)
        new_weights, _, scale = reference(duration, weights, loc, covariance)
        return new_weights, loc[:, 1] + value * distance, scale

    return implementation


SLOPES = {
    "slope_over_waiting_variance": (
        (
            "Your slope divides by the variance of the waiting time. You predict from the "
            "duration: divide by the variance of the duration."
        ),
        lambda variance_d, cross, variance_w: cross / variance_w,
    ),
    "slope_inverted": (
        "Your slope is upside down: it is covariance over variance of the duration.",
        lambda variance_d, cross, variance_w: variance_d / cross,
    ),
    "slope_is_correlation": (
        (
            "You use the correlation as the slope. It has no unit; the slope is in minutes of "
            "waiting for each minute of duration."
        ),
        lambda variance_d, cross, variance_w: cross / (variance_d * variance_w).sqrt(),
    ),
    "slope_over_scale": (
        "Your slope divides by the standard deviation of the duration. It must be its variance.",
        lambda variance_d, cross, variance_w: cross / variance_d.sqrt(),
    ),
    "slope_is_covariance": (
        "You use the covariance as the slope. Divide it by the variance of the duration.",
        lambda variance_d, cross, variance_w: cross,
    ),
}

for _name, (_message, _slope) in SLOPES.items():
    _implementation = _with_slope(_slope)
    _implementation.__name__ = _name
    CONDITIONAL_WAITING.misconception(_message)(_implementation)


@CONDITIONAL_WAITING.misconception(
    "The scale is that of all waiting times of the component. Knowing the duration narrows it: "
    "subtract slope times covariance from the variance."
)
def marginal_scale(duration, weights, loc, covariance):
    return *reference(duration, weights, loc, covariance)[:2], covariance[:, 1, 1].sqrt()


@CONDITIONAL_WAITING.misconception(
    "The correction of the variance has the wrong sign: knowing the duration can only narrow the "
    "waiting time."
)
def variance_added(duration, weights, loc, covariance):
    _, variance, cross, waiting = _parts(duration, loc, covariance)
    scale = (waiting + cross**2 / variance).sqrt()
    return *reference(duration, weights, loc, covariance)[:2], scale


@CONDITIONAL_WAITING.misconception(
    "You return variances. The third result is the standard deviation: take the square root."
)
def variance_returned(duration, weights, loc, covariance):
    weights, loc, scale = reference(duration, weights, loc, covariance)
    return weights, loc, scale**2


@CONDITIONAL_WAITING.misconception(
    "You return the variance of all the component's waiting times. Knowing the duration narrows "
    "it: subtract slope times covariance, then take the square root."
)
def marginal_variance_returned(duration, weights, loc, covariance):
    return *reference(duration, weights, loc, covariance)[:2], covariance[:, 1, 1]


@CONDITIONAL_WAITING.misconception(
    "The columns are exchanged: you condition on a waiting time and predict a duration. Column 0 "
    "is the duration."
)
def columns_exchanged(duration, weights, loc, covariance):
    return reference(duration, weights, loc.flip(1), covariance.flip(1, 2))


@CONDITIONAL_WAITING.misconception(
    "You return the duration's own mixture. The waiting time is column 1."
)
def duration_mixture(duration, weights, loc, covariance):
    new_weights, _, _ = reference(duration, weights, loc, covariance)
    return new_weights, loc[:, 0], covariance[:, 0, 0].sqrt()


@CONDITIONAL_WAITING.misconception(
    "You return the waiting time's mixture without any knowledge of the duration."
)
def unconditional(duration, weights, loc, covariance):
    return weights, loc[:, 1], covariance[:, 1, 1].sqrt()


@CONDITIONAL_WAITING.misconception(
    "The means are averaged into one. Return one mean for each component: the result is a mixture."
)
def one_mean(duration, weights, loc, covariance):
    weights, loc, scale = reference(duration, weights, loc, covariance)
    return weights, (weights * loc).sum().expand_as(loc), scale


@CONDITIONAL_WAITING.variant
def loop_over_components(duration, weights, loc, covariance):
    log_weights, means, scales = [], [], []
    for pi, mu, sigma in zip(weights, loc, covariance, strict=True):
        u = (duration - mu[0]) / sigma[0, 0].sqrt()
        log_weights.append(pi.log() - 0.5 * u**2 - 0.5 * torch.log(sigma[0, 0]))
        means.append(mu[1] + sigma[1, 0] / sigma[0, 0] * (duration - mu[0]))
        scales.append(torch.sqrt(sigma[1, 1] - sigma[1, 0] * sigma[0, 1] / sigma[0, 0]))
    log_weights = torch.stack(log_weights)
    return (log_weights - log_weights.logsumexp(0)).exp(), torch.stack(means), torch.stack(scales)


@CONDITIONAL_WAITING.variant
def with_correlation(duration, weights, loc, covariance):
    scale = covariance.diagonal(dim1=1, dim2=2).sqrt()
    rho = covariance[:, 0, 1] / scale.prod(1)
    u = (duration - loc[:, 0]) / scale[:, 0]
    logits = weights.log() - 0.5 * u**2 - scale[:, 0].log()
    new_loc = loc[:, 1] + rho * scale[:, 1] * u
    return [Categorical(logits=logits).probs, new_loc, scale[:, 1] * (1 - rho**2).sqrt()]


@CONDITIONAL_WAITING.variant
def from_cholesky_factor(duration, weights, loc, covariance):
    factor = torch.linalg.cholesky(covariance)
    z = (duration - loc[:, 0]) / factor[:, 0, 0]
    log_joint = weights.log() + Normal(0.0, 1.0).log_prob(z) - factor[:, 0, 0].log()
    return torch.softmax(log_joint, 0), loc[:, 1] + factor[:, 1, 0] * z, factor[:, 1, 1]


@CONDITIONAL_WAITING.variant
def with_numpy(duration, weights, loc, covariance):
    weights, loc, covariance = weights.numpy(), loc.numpy(), covariance.numpy()
    variance = covariance[:, 0, 0]
    slope = covariance[:, 0, 1] / variance
    exponent = np.log(weights / np.sqrt(variance)) - (duration - loc[:, 0]) ** 2 / (2 * variance)
    joint = np.exp(exponent - exponent.max())
    new_variance = covariance[:, 1, 1] - slope**2 * variance
    return joint / joint.sum(), loc[:, 1] + slope * (duration - loc[:, 0]), np.sqrt(new_variance)


@CONDITIONAL_WAITING.variant
def in_single_precision(duration, weights, loc, covariance):
    return reference(duration, weights.float(), loc.float(), covariance.float())


@CONDITIONAL_WAITING.variant
def with_determinant(duration, weights, loc, covariance):
    variance = covariance[:, 0, 0]
    log_density = -((duration - loc[:, 0]) ** 2) / (2 * variance) - torch.log(
        torch.sqrt(2 * math.pi * variance)
    )
    shift = torch.linalg.solve(covariance[:, :1, :1], (duration - loc[:, :1]).unsqueeze(-1))
    new_loc = loc[:, 1] + (covariance[:, 1:, :1] @ shift)[:, 0, 0]
    scale = (torch.linalg.det(covariance) / variance) ** 0.5
    return torch.softmax(torch.log(weights) + log_density, dim=-1), new_loc, scale
