"""Wrong and right answers to `reparam_grad`."""

import torch

from ._gradients import place, scores
from .reparam_grad import REPARAM_GRAD, follow


def at_draws(grad_f, loc, log_scale, noise):
    """The slopes (B, S, M) and σ."""
    return grad_f(place(loc, log_scale, noise)), log_scale.exp()


@REPARAM_GRAD.misconception(
    "You use the variance where the standard deviation belongs: σ is `log_scale.exp()`, and "
    "z = μ + σ ε."
)
def variance_as_scale(grad_f, loc, log_scale, noise):
    return follow(grad_f, loc, 2 * log_scale, noise)


@REPARAM_GRAD.misconception(
    "You read `log_scale` as the logarithm of the variance. It is log σ: σ is `log_scale.exp()`."
)
def log_scale_as_log_variance(grad_f, loc, log_scale, noise):
    return follow(grad_f, loc, log_scale / 2, noise)


@REPARAM_GRAD.misconception(
    "Your z has the right place, but you differentiate with respect to the log variance: half of "
    "what is asked. The parameter is log σ."
)
def derivative_by_log_variance(grad_f, loc, log_scale, noise):
    first, second = follow(grad_f, loc, log_scale, noise)
    return first, second / 2


@REPARAM_GRAD.misconception("You use `log_scale` itself as σ. Take its exponential.")
def log_scale_as_scale(grad_f, loc, log_scale, noise):
    slope = grad_f(loc + log_scale * noise)
    return slope.mean(-2), (slope * log_scale * noise).mean(-2)


@REPARAM_GRAD.misconception(
    "You differentiated with respect to σ, which moves z by ε. The parameter is log σ, which moves "
    "it by σ ε."
)
def derivative_by_scale(grad_f, loc, log_scale, noise):
    slope, _ = at_draws(grad_f, loc, log_scale, noise)
    return slope.mean(-2), (slope * noise).mean(-2)


@REPARAM_GRAD.misconception(
    "The noise is missing in the second gradient: a step of log σ moves z by σ ε, not by σ."
)
def noise_missing(grad_f, loc, log_scale, noise):
    slope, scale = at_draws(grad_f, loc, log_scale, noise)
    return slope.mean(-2), (slope * scale).mean(-2)


@REPARAM_GRAD.misconception(
    "Both gradients are the mean slope. A step of log σ moves z by σ ε: multiply by it."
)
def same_for_both(grad_f, loc, log_scale, noise):
    slope, _ = at_draws(grad_f, loc, log_scale, noise)
    return slope.mean(-2), slope.mean(-2)


@REPARAM_GRAD.misconception(
    "Your gradient for log_scale is zero: the path from log σ to the draw is cut, as by "
    "`.sample()`, `detach` or `no_grad`."
)
def path_cut(grad_f, loc, log_scale, noise):
    slope, _ = at_draws(grad_f, loc, log_scale, noise)
    return slope.mean(-2), torch.zeros_like(slope.mean(-2))


@REPARAM_GRAD.misconception(
    "Both gradients are zero: the draws are treated as constants, as by `.sample()`. They move "
    "with the parameters."
)
def all_paths_cut(grad_f, loc, log_scale, noise):
    slope, _ = at_draws(grad_f, loc, log_scale, noise)
    return torch.zeros_like(slope.mean(-2)), torch.zeros_like(slope.mean(-2))


@REPARAM_GRAD.misconception(
    "You multiply by z where the movement of z belongs: dz/d log σ is σ ε, without μ."
)
def times_the_draw(grad_f, loc, log_scale, noise):
    slope, scale = at_draws(grad_f, loc, log_scale, noise)
    return slope.mean(-2), (slope * (loc + scale * noise)).mean(-2)


@REPARAM_GRAD.misconception(
    "You weigh slopes with scores. That mixes two estimators: the score goes with values of h, the "
    "slope with the movement of z."
)
def slopes_times_scores(grad_f, loc, log_scale, noise):
    slope, _ = at_draws(grad_f, loc, log_scale, noise)
    return tuple((slope * part).mean(-2) for part in scores(log_scale, noise))


@REPARAM_GRAD.misconception(
    "Your second gradient uses the score ε² − 1. Here the draw moves: multiply the slope by σ ε."
)
def score_of_scale(grad_f, loc, log_scale, noise):
    slope, _ = at_draws(grad_f, loc, log_scale, noise)
    return slope.mean(-2), (slope * (noise**2 - 1)).mean(-2)


@REPARAM_GRAD.misconception("You take the slope at the mean of q. Each draw has its own slope.")
def slope_at_the_mean(grad_f, loc, log_scale, noise):
    slope = grad_f(loc.expand_as(noise))
    return slope.mean(-2), (slope * log_scale.exp() * noise).mean(-2)


@REPARAM_GRAD.misconception("You take the slope at the noise ε. The draws are z = μ + σ ε.")
def slope_at_the_noise(grad_f, loc, log_scale, noise):
    slope = grad_f(noise)
    return slope.mean(-2), (slope * log_scale.exp() * noise).mean(-2)


@REPARAM_GRAD.misconception("You take the slope at μ + ε. The draws are z = μ + σ ε.")
def draws_without_scale(grad_f, loc, log_scale, noise):
    slope = grad_f(loc + noise)
    return slope.mean(-2), (slope * log_scale.exp() * noise).mean(-2)


@REPARAM_GRAD.misconception("You take the slope at σ ε. The mean of q is missing: z = μ + σ ε.")
def draws_without_mean(grad_f, loc, log_scale, noise):
    slope = grad_f(log_scale.exp() * noise)
    return slope.mean(-2), (slope * log_scale.exp() * noise).mean(-2)


@REPARAM_GRAD.misconception(
    "All draws of a repeat share its first ε. Every draw needs its own noise."
)
def one_noise_for_all_draws(grad_f, loc, log_scale, noise):
    return follow(grad_f, loc, log_scale, noise[:, :1].expand_as(noise))


@REPARAM_GRAD.misconception("All repeats share the noise of the first. Each repeat has its own.")
def one_noise_for_all_repeats(grad_f, loc, log_scale, noise):
    return follow(grad_f, loc, log_scale, noise[:1].expand_as(noise))


@REPARAM_GRAD.misconception(
    "All coordinates share the first one's ε. Every coordinate needs its own noise."
)
def one_noise_for_all_coordinates(grad_f, loc, log_scale, noise):
    return follow(grad_f, loc, log_scale, noise[..., :1].expand_as(noise))


@REPARAM_GRAD.misconception(
    "You averaged slopes and movements apart and multiplied the means. Multiply draw by draw "
    "first: they belong together."
)
def product_of_means(grad_f, loc, log_scale, noise):
    slope, scale = at_draws(grad_f, loc, log_scale, noise)
    return slope.mean(-2), slope.mean(-2) * (scale * noise).mean(-2)


@REPARAM_GRAD.misconception("You multiply by σ² ε. The derivative of exp(log σ) is σ, once.")
def scale_twice(grad_f, loc, log_scale, noise):
    slope, scale = at_draws(grad_f, loc, log_scale, noise)
    return slope.mean(-2), (slope * scale**2 * noise).mean(-2)


@REPARAM_GRAD.misconception(
    "You return the negative gradients. A loss descends; this is the gradient of E_q[h] itself."
)
def negative(grad_f, loc, log_scale, noise):
    return tuple(-part for part in follow(grad_f, loc, log_scale, noise))


@REPARAM_GRAD.misconception(
    "You added the gradient of the entropy, which is 1 for log σ. Here only E_q[h] is "
    "differentiated."
)
def entropy_added(grad_f, loc, log_scale, noise):
    first, second = follow(grad_f, loc, log_scale, noise)
    return first, second + 1


@REPARAM_GRAD.misconception(
    "You return the gradient for log_scale first. The order is (loc, log_scale)."
)
def swapped(grad_f, loc, log_scale, noise):
    return follow(grad_f, loc, log_scale, noise)[::-1]


@REPARAM_GRAD.misconception("You return the gradient for loc only. Return both, as a tuple.")
def loc_only(grad_f, loc, log_scale, noise):
    return follow(grad_f, loc, log_scale, noise)[0]


@REPARAM_GRAD.misconception("You add up the draws. The expectation is their mean.")
def sum_over_draws(grad_f, loc, log_scale, noise):
    return tuple(p * noise.shape[-2] for p in follow(grad_f, loc, log_scale, noise))


@REPARAM_GRAD.misconception(
    "You kept the axis of the draws. Average over it: one gradient for each repeat."
)
def not_averaged(grad_f, loc, log_scale, noise):
    slope, scale = at_draws(grad_f, loc, log_scale, noise)
    return slope, slope * scale * noise


@REPARAM_GRAD.misconception(
    "You averaged over the repeats as well. They are independent estimates: keep the first axis."
)
def averaged_over_repeats(grad_f, loc, log_scale, noise):
    return tuple(part.mean(0) for part in follow(grad_f, loc, log_scale, noise))


@REPARAM_GRAD.misconception(
    "You averaged over the repeats and kept the draws. Average over the axis of the S draws, the "
    "second from the end."
)
def averaged_wrong_axis(grad_f, loc, log_scale, noise):
    slope, scale = at_draws(grad_f, loc, log_scale, noise)
    return slope.mean(0), (slope * scale * noise).mean(0)


@REPARAM_GRAD.misconception(
    "You added the slopes of all coordinates. Each parameter follows its own coordinate."
)
def slopes_added(grad_f, loc, log_scale, noise):
    slope, scale = at_draws(grad_f, loc, log_scale, noise)
    slope = slope.sum(-1, keepdim=True).expand_as(noise)
    return slope.mean(-2), (slope * scale * noise).mean(-2)


@REPARAM_GRAD.variant
def by_autograd(grad_f, loc, log_scale, noise):
    mean = loc.expand(len(noise), 1, -1).clone().requires_grad_()
    log_sigma = log_scale.expand(len(noise), 1, -1).clone().requires_grad_()
    z = mean + log_sigma.exp() * noise
    slope = grad_f(z.detach()).to(z.dtype)
    (slope * z).mean(dim=1).sum().backward()
    return mean.grad[:, 0], log_sigma.grad[:, 0]


@REPARAM_GRAD.variant
def with_einsum(grad_f, loc, log_scale, noise):
    slope = grad_f(loc + torch.exp(log_scale) * noise)
    second = torch.einsum("rsm,rsm,m->rm", slope, noise, log_scale.exp())
    return slope.sum(1) / noise.shape[1], second / noise.shape[1]


@REPARAM_GRAD.variant
def from_the_draws(grad_f, loc, log_scale, noise):
    z = loc + log_scale.exp() * noise
    slope = grad_f(z)
    return [slope.mean(dim=1), (slope * (z - loc)).mean(dim=1)]


@REPARAM_GRAD.variant
def scale_outside_the_mean(grad_f, loc, log_scale, noise):
    scale = log_scale.exp()
    slope = grad_f(torch.addcmul(loc, scale, noise))
    return slope.mean(-2), scale * torch.mean(slope * noise, dim=-2)


@REPARAM_GRAD.variant
def one_draw_at_a_time(grad_f, loc, log_scale, noise):
    first, second = 0.0, 0.0
    for step in (log_scale.exp() * noise).unbind(1):
        slope = grad_f(loc + step)
        first, second = first + slope, second + slope * step
    return first / noise.shape[1], second / noise.shape[1]
