"""Wrong and right answers to `score_function_grad`."""

import torch
from torch.distributions import Normal

from ._gradients import place, scores
from .score_function_grad import SCORE_FUNCTION_GRAD, estimate, weighted_scores


def weigh(values, by_loc, by_log_scale):
    return (values[..., None] * by_loc).mean(-2), (values[..., None] * by_log_scale).mean(-2)


@SCORE_FUNCTION_GRAD.misconception(
    "You use the variance where the standard deviation belongs: z = μ + σ ε with "
    "`scale = log_scale.exp()`."
)
def variance_as_scale(f, loc, log_scale, noise):
    return estimate(f, loc, 2 * log_scale, noise)


@SCORE_FUNCTION_GRAD.misconception(
    "You read `log_scale` as the logarithm of the variance. It is log σ: σ is `log_scale.exp()`."
)
def log_scale_as_log_variance(f, loc, log_scale, noise):
    return estimate(f, loc, log_scale / 2, noise)


@SCORE_FUNCTION_GRAD.misconception("You use `log_scale` itself as σ. Take its exponential.")
def log_scale_as_scale(f, loc, log_scale, noise):
    by_loc, by_log_scale = noise / log_scale, noise**2 - 1
    return weigh(f(loc + log_scale * noise), by_loc, by_log_scale)


@SCORE_FUNCTION_GRAD.misconception("You evaluate f at μ + ε. The draws are z = μ + σ ε.")
def draws_without_scale(f, loc, log_scale, noise):
    return weighted_scores(f(loc + noise), log_scale, noise)


@SCORE_FUNCTION_GRAD.misconception("You evaluate f at the noise itself. The draws are z = μ + σ ε.")
def f_of_noise(f, loc, log_scale, noise):
    return weighted_scores(f(noise), log_scale, noise)


@SCORE_FUNCTION_GRAD.misconception(
    "You evaluate f at the mean of q for every draw. Each draw has its own value h(z)."
)
def f_at_the_mean(f, loc, log_scale, noise):
    return weighted_scores(f(loc.expand_as(noise)), log_scale, noise)


@SCORE_FUNCTION_GRAD.misconception(
    "The score of the mean is ε/σ, that is (z − μ)/σ². You left out the 1/σ."
)
def score_without_scale(f, loc, log_scale, noise):
    _, by_log_scale = scores(log_scale, noise)
    return weigh(f(place(loc, log_scale, noise)), noise, by_log_scale)


@SCORE_FUNCTION_GRAD.misconception("You divide by σ once too often: (z − μ)/σ² is ε/σ.")
def score_over_variance(f, loc, log_scale, noise):
    by_loc, by_log_scale = scores(log_scale, noise)
    return weigh(f(place(loc, log_scale, noise)), by_loc / log_scale.exp(), by_log_scale)


@SCORE_FUNCTION_GRAD.misconception(
    "The score of the mean is (z − μ)/σ², not z/σ²: subtract the mean."
)
def score_not_centred(f, loc, log_scale, noise):
    z = place(loc, log_scale, noise)
    _, by_log_scale = scores(log_scale, noise)
    return weigh(f(z), z / (2 * log_scale).exp(), by_log_scale)


@SCORE_FUNCTION_GRAD.misconception(
    "Both gradients have the wrong sign. This is the gradient of E_q[h] itself, not of a loss; the "
    "score is (z − μ)/σ² for the mean and ε² − 1 for log σ."
)
def score_reversed(f, loc, log_scale, noise):
    by_loc, by_log_scale = scores(log_scale, noise)
    return weigh(f(place(loc, log_scale, noise)), -by_loc, -by_log_scale)


@SCORE_FUNCTION_GRAD.misconception(
    "The score of the mean has the wrong sign: it is (z − μ)/σ², not (μ − z)/σ²."
)
def score_of_mean_reversed(f, loc, log_scale, noise):
    by_loc, by_log_scale = estimate(f, loc, log_scale, noise)
    return -by_loc, by_log_scale


@SCORE_FUNCTION_GRAD.misconception(
    "The −1 is missing in the score of log σ: log q contains −log σ as well."
)
def normaliser_forgotten(f, loc, log_scale, noise):
    by_loc, _ = scores(log_scale, noise)
    return weigh(f(place(loc, log_scale, noise)), by_loc, noise**2)


@SCORE_FUNCTION_GRAD.misconception("You kept only the −1 of the score of log σ; it is ε² − 1.")
def normaliser_only(f, loc, log_scale, noise):
    by_loc, _ = scores(log_scale, noise)
    return weigh(f(place(loc, log_scale, noise)), by_loc, -torch.ones_like(noise))


@SCORE_FUNCTION_GRAD.misconception(
    "You differentiated with respect to σ. The parameter is log σ: multiply by σ once more, which "
    "leaves ε² − 1."
)
def derivative_by_scale(f, loc, log_scale, noise):
    by_loc, by_log_scale = estimate(f, loc, log_scale, noise)
    return by_loc, by_log_scale / log_scale.exp()


@SCORE_FUNCTION_GRAD.misconception(
    "You differentiated with respect to the log variance, which halves the score. The parameter is "
    "log σ."
)
def derivative_by_log_variance(f, loc, log_scale, noise):
    by_loc, by_log_scale = estimate(f, loc, log_scale, noise)
    return by_loc, by_log_scale / 2


@SCORE_FUNCTION_GRAD.misconception(
    "Your second gradient is that of a reparameterised draw, h(z) σ ε. The score of log σ is "
    "ε² − 1."
)
def values_times_step(f, loc, log_scale, noise):
    by_loc, _ = scores(log_scale, noise)
    step = log_scale.exp() * noise
    return weigh(f(place(loc, log_scale, noise)), by_loc, step)


@SCORE_FUNCTION_GRAD.misconception(
    "You weigh with z, not with the score. The estimator is the mean of h(z) ∇ log q(z)."
)
def weighed_by_draws(f, loc, log_scale, noise):
    z = place(loc, log_scale, noise)
    return weigh(f(z), z, z**2)


@SCORE_FUNCTION_GRAD.misconception(
    "You weigh with log q(z) itself. The estimator needs its gradient, the score."
)
def weighed_by_log_density(f, loc, log_scale, noise):
    z = place(loc, log_scale, noise)
    log_q = Normal(loc, log_scale.exp()).log_prob(z)
    return weigh(f(z), log_q, log_q)


@SCORE_FUNCTION_GRAD.misconception(
    "You averaged values and scores apart and multiplied the means. The mean of the score is zero: "
    "multiply draw by draw first."
)
def product_of_means(f, loc, log_scale, noise):
    values = f(place(loc, log_scale, noise)).mean(-1, keepdim=True)
    by_loc, by_log_scale = scores(log_scale, noise)
    return values * by_loc.mean(-2), values * by_log_scale.mean(-2)


@SCORE_FUNCTION_GRAD.misconception(
    "You subtract the mean of the values, which contains the draw itself. That shrinks the "
    "gradient by 1/S, and here the plain estimator is asked for."
)
def mean_subtracted(f, loc, log_scale, noise):
    values = f(place(loc, log_scale, noise))
    return weighted_scores(values - values.mean(-1, keepdim=True), log_scale, noise)


@SCORE_FUNCTION_GRAD.misconception(
    "You standardise the values. That changes the length of the gradient: weigh with h(z) as it is."
)
def values_standardised(f, loc, log_scale, noise):
    values = f(place(loc, log_scale, noise))
    spread = values.std(-1, keepdim=True, correction=0) + 1e-8
    return weighted_scores((values - values.mean(-1, keepdim=True)) / spread, log_scale, noise)


@SCORE_FUNCTION_GRAD.misconception(
    "You took the logarithm of f. The weight of a score is the value h(z) itself."
)
def logarithm_of_values(f, loc, log_scale, noise):
    values = f(place(loc, log_scale, noise)).abs().clamp(min=1e-30).log()
    return weighted_scores(values, log_scale, noise)


@SCORE_FUNCTION_GRAD.misconception("You add up the draws. The expectation is their mean.")
def sum_over_draws(f, loc, log_scale, noise):
    return tuple(part * noise.shape[-2] for part in estimate(f, loc, log_scale, noise))


@SCORE_FUNCTION_GRAD.misconception(
    "You return the gradient for log_scale first. The order is (loc, log_scale)."
)
def swapped(f, loc, log_scale, noise):
    return estimate(f, loc, log_scale, noise)[::-1]


@SCORE_FUNCTION_GRAD.misconception("You return the gradient for loc only. Return both, as a tuple.")
def loc_only(f, loc, log_scale, noise):
    return estimate(f, loc, log_scale, noise)[0]


@SCORE_FUNCTION_GRAD.misconception(
    "You kept the axis of the draws. Average over it: one gradient for each repeat."
)
def not_averaged(f, loc, log_scale, noise):
    values = f(place(loc, log_scale, noise))[..., None]
    return tuple(values * part for part in scores(log_scale, noise))


@SCORE_FUNCTION_GRAD.misconception(
    "You averaged over the repeats as well. They are independent estimates: keep the first axis."
)
def averaged_over_repeats(f, loc, log_scale, noise):
    return tuple(part.mean(0) for part in estimate(f, loc, log_scale, noise))


@SCORE_FUNCTION_GRAD.misconception(
    "You averaged over the repeats and kept the draws. Average over the axis of the S draws, the "
    "second from the end."
)
def averaged_wrong_axis(f, loc, log_scale, noise):
    values = f(place(loc, log_scale, noise))[..., None]
    return tuple((values * part).mean(0) for part in scores(log_scale, noise))


@SCORE_FUNCTION_GRAD.misconception(
    "You use the first draw of each repeat only. Average over all of them."
)
def first_draw_only(f, loc, log_scale, noise):
    return estimate(f, loc, log_scale, noise[:, :1])


@SCORE_FUNCTION_GRAD.misconception(
    "You added the scores of all coordinates. Each parameter has its own score."
)
def scores_added(f, loc, log_scale, noise):
    values = f(place(loc, log_scale, noise))
    parts = (part.sum(-1, keepdim=True).expand_as(noise) for part in scores(log_scale, noise))
    return weigh(values, *parts)


@SCORE_FUNCTION_GRAD.misconception("You divide the sum by S − 1. A mean of S draws divides by S.")
def divided_by_one_less(f, loc, log_scale, noise):
    count = noise.shape[-2]
    return tuple(part * count / max(count - 1, 1) for part in estimate(f, loc, log_scale, noise))


@SCORE_FUNCTION_GRAD.variant
def by_autograd_for_all_repeats(f, loc, log_scale, noise):
    mean = loc.expand(len(noise), 1, -1).clone().requires_grad_()
    log_sigma = log_scale.expand(len(noise), 1, -1).clone().requires_grad_()
    z = (loc + log_scale.exp() * noise).detach()
    log_q = Normal(mean, log_sigma.exp()).log_prob(z).sum(-1)
    (f(z) * log_q).mean(-1).sum().backward()
    return mean.grad[:, 0], log_sigma.grad[:, 0]


@SCORE_FUNCTION_GRAD.variant
def with_einsum(f, loc, log_scale, noise):
    values = f(loc + log_scale.exp() * noise) / noise.shape[1]
    by_loc = torch.einsum("rs,rsm->rm", values, noise) / log_scale.exp()
    by_log_scale = torch.einsum("rs,rsm->rm", values, noise**2)
    return by_loc, by_log_scale - values.sum(1, keepdim=True)


@SCORE_FUNCTION_GRAD.variant
def from_the_draws(f, loc, log_scale, noise):
    scale = torch.exp(log_scale)
    z = loc + scale * noise
    weight = f(z).unsqueeze(-1)
    by_loc = ((z - loc) / scale**2 * weight).sum(1) / z.shape[1]
    by_scale = (((z - loc) ** 2 / scale**3 - 1 / scale) * weight).sum(1) / z.shape[1]
    return by_loc, by_scale * scale


@SCORE_FUNCTION_GRAD.variant
def as_a_list(f, loc, log_scale, noise):
    return list(estimate(f, loc, log_scale, noise))


@SCORE_FUNCTION_GRAD.variant
def one_draw_at_a_time(f, loc, log_scale, noise):
    first, second = 0.0, 0.0
    for s in range(noise.shape[1]):
        step = noise[:, s]
        value = f(loc + log_scale.exp() * step)[:, None]
        first = first + value * step * torch.exp(-log_scale)
        second = second + value * (step.square() - 1)
    return first / noise.shape[1], second / noise.shape[1]
