"""Wrong and right answers to `score_from_denoiser`."""

import torch

from .score_from_denoiser import SCORE_FROM_DENOISER, in_other_shapes, slope


# This one shows in the questions. It comes first: trying out the others asks the oracles again.
@SCORE_FROM_DENOISER.misconception(
    "You ask `denoise` about points in another shape than theirs. It takes a batch, (N, …): do "
    "not flatten images, and keep the first axis if you go point by point.",
    sign=lambda calls: any(in_other_shapes(call.args[0], call.args[1]) for call in calls),
)
def flattened(denoise, x, noise_scale):
    flat = x.flatten(1)
    return ((denoise(flat) - flat) / noise_scale**2).reshape(x.shape)


@SCORE_FROM_DENOISER.misconception(
    "The sign is wrong: your arrows point away from the data. The repair minus the noisy point, "
    "not the other way round."
)
def away_from_the_data(denoise, x, noise_scale):
    return (x - denoise(x)) / noise_scale**2


@SCORE_FROM_DENOISER.misconception(
    "You divided by σ. The step of the repair is σ² times the slope: divide by the variance."
)
def divided_by_sigma(denoise, x, noise_scale):
    return (denoise(x) - x) / noise_scale


@SCORE_FROM_DENOISER.misconception(
    "You returned the step of the repair. It is σ² times the slope: divide."
)
def step_only(denoise, x, noise_scale):
    return denoise(x) - x


@SCORE_FROM_DENOISER.misconception(
    "You multiplied by σ². The step of the repair is σ² times the slope, so divide."
)
def multiplied(denoise, x, noise_scale):
    return (denoise(x) - x) * noise_scale**2


@SCORE_FROM_DENOISER.misconception(
    "There is a 2 too many in the denominator: the slope of −x²/(2σ²) is −x/σ²."
)
def two_sigma_sq(denoise, x, noise_scale):
    return (denoise(x) - x) / (2 * noise_scale**2)


@SCORE_FROM_DENOISER.misconception(
    "You doubled the slope. That belongs to the gradient of a squared distance; here the step is "
    "divided by σ² and nothing else."
)
def doubled(denoise, x, noise_scale):
    return 2 * (denoise(x) - x) / noise_scale**2


@SCORE_FROM_DENOISER.misconception(
    "You returned the repaired point over σ². Subtract the noisy one first."
)
def nothing_subtracted(denoise, x, noise_scale):
    return denoise(x) / noise_scale**2


@SCORE_FROM_DENOISER.misconception("You returned the repaired point. The slope is asked for.")
def repaired_point(denoise, x, noise_scale):
    return denoise(x)


@SCORE_FROM_DENOISER.misconception(
    "You treated `denoise` as if it gave the noise. It gives the repaired point: subtract x."
)
def as_if_it_gave_noise(denoise, x, noise_scale):
    return -denoise(x) / noise_scale**2


@SCORE_FROM_DENOISER.misconception(
    "You made the arrows unit vectors. Their length matters: it is how fast log p rises."
)
def unit_vectors(denoise, x, noise_scale):
    step = denoise(x) - x
    return step / step.flatten(1).norm(dim=1).clamp(min=1e-12).reshape(-1, *[1] * (x.ndim - 1))


@SCORE_FROM_DENOISER.misconception(
    "You repaired twice. Ask `denoise` about the noisy points, once."
)
def repaired_twice(denoise, x, noise_scale):
    once = denoise(x)
    return (denoise(once) - once) / noise_scale**2


@SCORE_FROM_DENOISER.misconception(
    "You measured the step between one repair and two. The slope at x is the first step from x."
)
def two_steps(denoise, x, noise_scale):
    return (denoise(denoise(x)) - x) / noise_scale**2


@SCORE_FROM_DENOISER.misconception(
    "You added up the coordinates. The slope has as many values as a point."
)
def summed_over_coordinates(denoise, x, noise_scale):
    return slope(denoise, x, noise_scale).flatten(1).sum(1)


@SCORE_FROM_DENOISER.misconception(
    "You divided by the number of coordinates as well. Each coordinate has a slope of its own."
)
def divided_by_dimension(denoise, x, noise_scale):
    return slope(denoise, x, noise_scale) / x[0].numel()


@SCORE_FROM_DENOISER.misconception(
    "You divided by the number of points as well. Each point has a slope of its own."
)
def divided_by_points(denoise, x, noise_scale):
    return slope(denoise, x, noise_scale) / len(x)


@SCORE_FROM_DENOISER.misconception(
    "You squared the step. The slope keeps its direction and its sign."
)
def squared_step(denoise, x, noise_scale):
    return (denoise(x) - x).square() / noise_scale**2


@SCORE_FROM_DENOISER.misconception(
    "You divided by 1 + σ². That is right for standard normal data in another formula; here "
    "divide by σ²."
)
def one_plus_sigma_sq(denoise, x, noise_scale):
    return (denoise(x) - x) / (1 + noise_scale**2)


@SCORE_FROM_DENOISER.misconception("You took `noise_scale` for the logarithm of σ. It is σ itself.")
def as_log_scale(denoise, x, noise_scale):
    return (denoise(x) - x) * torch.exp(torch.tensor(-2.0 * noise_scale)).to(x)


@SCORE_FROM_DENOISER.misconception(
    "You added a small number to σ² against division by zero. σ is positive, and where it is "
    "small your slopes are far too short."
)
def with_epsilon(denoise, x, noise_scale):
    return (denoise(x) - x) / (noise_scale**2 + 1e-6)


@SCORE_FROM_DENOISER.misconception(
    "That is the noise in units of σ, (x − r)/σ. The slope has the opposite sign and one more σ "
    "in the denominator."
)
def standardised_noise(denoise, x, noise_scale):
    return (x - denoise(x)) / noise_scale


@SCORE_FROM_DENOISER.misconception(
    "You cut off long slopes. Far from the data, or for small noise, the slope is long; leave it."
)
def cut_off(denoise, x, noise_scale):
    return slope(denoise, x, noise_scale).clamp(-100, 100)


@SCORE_FROM_DENOISER.variant
def by_multiplication(denoise, x, noise_scale):
    return torch.mul(denoise(x) - x, 1.0 / (noise_scale * noise_scale))


@SCORE_FROM_DENOISER.variant
def one_point_at_a_time(denoise, x, noise_scale):
    return torch.cat(
        [(denoise(x[n : n + 1]) - x[n : n + 1]) / noise_scale**2 for n in range(len(x))]
    )


@SCORE_FROM_DENOISER.variant
def minus_the_noise(denoise, x, noise_scale):
    noise = (x - denoise(x)) / noise_scale
    return -noise / noise_scale


@SCORE_FROM_DENOISER.variant
def in_double_precision(denoise, x, noise_scale):
    return torch.sub(denoise(x).double(), x.double()).div(noise_scale).div(noise_scale)
