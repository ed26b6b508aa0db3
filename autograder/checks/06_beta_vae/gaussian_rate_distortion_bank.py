"""Wrong and right answers to `gaussian_rate_distortion`."""

import math

import torch

from .gaussian_rate_distortion import GAUSSIAN_RATE_DISTORTION, reference

misconception = GAUSSIAN_RATE_DISTORTION.misconception
variant = GAUSSIAN_RATE_DISTORTION.variant


def _parts(variances, noise_var, betas):
    """Level (B, 1), rate of each direction (B, D), error of each (B, D), constant."""
    level = betas[:, None] * noise_var
    rate = 0.5 * torch.log(variances / level).clamp(min=0)
    constant = 0.5 * len(variances) * math.log(2 * math.pi * noise_var)
    return level, rate, torch.minimum(variances, level), constant


@misconception(
    "Your rate becomes negative in closed directions. Where v < βσ² nothing is said, and the rate "
    "is 0."
)
def negative_rates(variances, noise_var, betas):
    level, *_ = _parts(variances, noise_var, betas)
    return 0.5 * torch.log(variances / level).sum(1), reference(variances, noise_var, betas)[1]


@misconception(
    "You stop the rate at 0 after the sum over directions, so a closed direction takes nats away "
    "from an open one. Stop it for each direction."
)
def clamped_after_the_sum(variances, noise_var, betas):
    level, *_ = _parts(variances, noise_var, betas)
    rate = 0.5 * torch.log(variances / level).sum(1).clamp(min=0)
    return rate, reference(variances, noise_var, betas)[1]


@misconception("Your rate is twice too large: it is half the logarithm of a ratio of variances.")
def rate_without_the_half(variances, noise_var, betas):
    rate, distortion = reference(variances, noise_var, betas)
    return 2 * rate, distortion


@misconception(
    "Your rate ignores β: it is that of the plain bound, β = 1. A dearer nat closes directions and "
    "shortens the others."
)
def rate_of_the_plain_bound(variances, noise_var, betas):
    rate, _ = reference(variances, noise_var, torch.ones_like(betas))
    return rate, reference(variances, noise_var, betas)[1]


@misconception("You ignore β in both: every β has a model of its own.")
def beta_ignored(variances, noise_var, betas):
    return reference(variances, noise_var, torch.ones_like(betas))


@misconception(
    "You return β times the rate. The rate is measured in plain nats; β belongs to the loss only."
)
def rate_times_beta(variances, noise_var, betas):
    rate, distortion = reference(variances, noise_var, betas)
    return betas * rate, distortion


@misconception(
    "Your error is βσ² in every direction. In a closed one it is the variance itself, which is "
    "smaller."
)
def level_everywhere(variances, noise_var, betas):
    level, rate, _, constant = _parts(variances, noise_var, betas)
    error = level.expand(-1, len(variances))
    return rate.sum(1), error.sum(1) / (2 * noise_var) + constant


@misconception(
    "You count no error in open directions, as PCA does when it keeps a direction. q has a width, "
    "and a direction that is open keeps the error βσ²."
)
def no_error_where_open(variances, noise_var, betas):
    level, rate, _, constant = _parts(variances, noise_var, betas)
    error = torch.where(variances > level, torch.zeros_like(variances), variances)
    return rate.sum(1), error.sum(1) / (2 * noise_var) + constant


@misconception(
    "Your error in an open direction is σ², as for β = 1. With a dearer code the model leaves βσ²."
)
def noise_where_open(variances, noise_var, betas):
    level, rate, _, constant = _parts(variances, noise_var, betas)
    error = torch.where(variances > level, noise_var, variances)
    return rate.sum(1), error.sum(1) / (2 * noise_var) + constant


@misconception(
    "You count only the open directions' error. The closed ones are not reconstructed at all, and "
    "cost their whole variance."
)
def closed_error_forgotten(variances, noise_var, betas):
    level, rate, _, constant = _parts(variances, noise_var, betas)
    error = torch.where(variances > level, level, torch.zeros_like(level))
    return rate.sum(1), error.sum(1) / (2 * noise_var) + constant


@misconception("You count the whole variance as error in every direction, as if nothing were said.")
def all_closed(variances, noise_var, betas):
    _, rate, _, constant = _parts(variances, noise_var, betas)
    return rate.sum(1), variances.sum().expand(len(betas)) / (2 * noise_var) + constant


@misconception(
    "You divide the error by 2βσ². The decoder's noise is σ², whatever β is: the distortion is "
    "error/(2σ²) and a constant."
)
def divided_by_the_level(variances, noise_var, betas):
    level, rate, error, constant = _parts(variances, noise_var, betas)
    return rate.sum(1), (error / (2 * level)).sum(1) + constant


@misconception("The ½ of the Gaussian is missing: an error costs e²/(2σ²).")
def distortion_without_the_half(variances, noise_var, betas):
    _, rate, error, constant = _parts(variances, noise_var, betas)
    return rate.sum(1), error.sum(1) / noise_var + constant


@misconception("You left out the constant D/2 log 2πσ²: a distortion in nats has it.")
def without_the_constant(variances, noise_var, betas):
    _, rate, error, _ = _parts(variances, noise_var, betas)
    return rate.sum(1), error.sum(1) / (2 * noise_var)


@misconception("Your constant stands for one value only. There are D of them.")
def constant_of_one_value(variances, noise_var, betas):
    _, rate, error, constant = _parts(variances, noise_var, betas)
    return rate.sum(1), error.sum(1) / (2 * noise_var) + constant / len(variances)


@misconception("Your constant has log σ² without its half, or σ where σ² belongs.")
def constant_with_a_wrong_power(variances, noise_var, betas):
    _, rate, error, constant = _parts(variances, noise_var, betas)
    more = 0.5 * len(variances) * math.log(noise_var)
    return rate.sum(1), error.sum(1) / (2 * noise_var) + constant + more


@misconception("You return the squared error. The distortion is minus a log-likelihood, in nats.")
def squared_error(variances, noise_var, betas):
    _, rate, error, _ = _parts(variances, noise_var, betas)
    return rate.sum(1), error.sum(1)


@misconception("Your rate is in bits. Use the natural logarithm.")
def in_bits(variances, noise_var, betas):
    rate, distortion = reference(variances, noise_var, betas)
    return rate / math.log(2), distortion


@misconception(
    "Your rate is the capacity of a channel, ½ log(1 + v/σ²). The best model's is ½ log(v/(βσ²)) "
    "in open directions."
)
def capacity_of_a_channel(variances, noise_var, betas):
    level, _, error, constant = _parts(variances, noise_var, betas)
    rate = 0.5 * torch.log1p(variances / level)
    return rate.sum(1), error.sum(1) / (2 * noise_var) + constant


@misconception("You averaged over the directions. Rate and distortion are sums over them.")
def averaged_over_directions(variances, noise_var, betas):
    rate, distortion = reference(variances, noise_var, betas)
    return rate / len(variances), distortion / len(variances)


@misconception("You read the noise as a standard deviation: `noise_var` is σ² already.")
def noise_squared(variances, noise_var, betas):
    return reference(variances, noise_var**2, betas)


@misconception("You read the data's variances as standard deviations: they are squares already.")
def variances_squared(variances, noise_var, betas):
    return reference(variances**2, noise_var, betas)


@misconception("You divide the noise by β. The level of the water is βσ².")
def beta_upside_down(variances, noise_var, betas):
    return reference(variances, noise_var, 1 / betas)


@misconception(
    "You open all directions with v > σ². With a dearer nat a direction has to be worth more: "
    "v > βσ²."
)
def opened_without_beta(variances, noise_var, betas):
    level, *_ = _parts(variances, noise_var, betas)
    rate = 0.5 * torch.log(variances / level) * (variances > noise_var)
    return rate.sum(1), reference(variances, noise_var, betas)[1]


@misconception(
    "Your decoder is that of the plain bound, w² = v − σ², and only q knows of β. The decoder is "
    "trained too: w² = v − βσ²."
)
def decoder_of_the_plain_bound(variances, noise_var, betas):
    level, _, _, constant = _parts(variances, noise_var, betas)
    w = (variances - noise_var).clamp(min=0).sqrt()
    a, s_sq = w / (level + w**2), level / (level + w**2)
    rate = 0.5 * (a**2 * variances + s_sq - s_sq.log() - 1)
    error = variances * (1 - w * a) ** 2 + w**2 * s_sq
    return rate.sum(1), error.sum(1) / (2 * noise_var) + constant


@misconception(
    "Your error in an open direction is that of the mean alone. The width of q adds w² s² to it."
)
def width_of_q_forgotten(variances, noise_var, betas):
    level, rate, _, constant = _parts(variances, noise_var, betas)
    error = torch.where(variances > level, level**2 / variances, variances)
    return rate.sum(1), error.sum(1) / (2 * noise_var) + constant


@misconception("You return distortion and rate in exchanged places: the rate comes first.")
def exchanged(variances, noise_var, betas):
    return reference(variances, noise_var, betas)[::-1]


@misconception(
    "You return the loss, distortion plus β times rate, where the distortion alone is asked for."
)
def loss_for_distortion(variances, noise_var, betas):
    rate, distortion = reference(variances, noise_var, betas)
    return rate, distortion + betas * rate


@variant
def beta_by_beta(variances, noise_var, betas):
    rates, distortions = [], []
    for beta in betas.tolist():
        level = beta * noise_var
        rate = error = 0.0
        for v in variances.tolist():
            if v > level:
                rate += 0.5 * math.log(v / level)
                error += level
            else:
                error += v
        rates.append(rate)
        constant = 0.5 * len(variances) * math.log(2 * math.pi * noise_var)
        distortions.append(0.5 * error / noise_var + constant)
    return torch.tensor(rates), torch.tensor(distortions)


@variant
def by_the_solution(variances, noise_var, betas):
    level = betas[:, None] * noise_var
    w = (variances - level).clamp(min=0).sqrt()
    a, s_sq = w / (level + w**2), level / (level + w**2)
    rate = 0.5 * (a**2 * variances + s_sq - torch.log(s_sq) - 1).sum(1)
    error = variances * (1 - w * a) ** 2 + w**2 * s_sq
    density = torch.distributions.Normal(torch.zeros(()).to(w), math.sqrt(noise_var))
    distortion = -density.log_prob(error.sqrt()).sum(1)
    return rate, distortion


@variant
def by_relu(variances, noise_var, betas):
    ratio = variances[None] / (noise_var * betas[:, None])
    rate = 0.5 * torch.relu(ratio.log()).sum(-1)
    half_errors = 0.5 * betas[:, None] * ratio.clamp(max=1.0)
    return rate, half_errors.sum(-1) + 0.5 * len(variances) * math.log(2 * math.pi * noise_var)


@variant
def by_search(variances, noise_var, betas):
    # q is the posterior for βσ², so only the decoder's weight is left to search for
    level = betas.double()[:, None, None] * noise_var
    v = variances.double()[None, :, None]
    w_sq = v * torch.linspace(0, 1, 4001, dtype=torch.float64)
    s_sq, a_sq = level / (level + w_sq), w_sq / (level + w_sq) ** 2
    rate = 0.5 * (a_sq * v + s_sq - s_sq.log() - 1)
    error = v * (level / (level + w_sq)) ** 2 + w_sq * s_sq
    loss = error / (2 * noise_var) + betas.double()[:, None, None] * rate
    place = loss.argmin(-1, keepdim=True)
    rate, error = (part.gather(-1, place)[..., 0].sum(-1) for part in (rate, error))
    constant = 0.5 * len(variances) * math.log(2 * math.pi * noise_var)
    return rate, error / (2 * noise_var) + constant


@variant
def as_a_list(variances, noise_var, betas):
    return list(reference(variances, noise_var, betas))
