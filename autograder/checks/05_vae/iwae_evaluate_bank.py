"""Wrong answers to `iwae_evaluate`, each with the sign by which it shows."""

import math

import torch

from . import iwae_evaluate_signs as signs
from ._exact import LOG_2PI
from ._signs import name_changes_in_place
from .iwae_evaluate import IWAE_EVALUATE, log_q, reference, weights_of

name_changes_in_place(IWAE_EVALUATE)


def average(log_weights):
    return log_weights.logsumexp(0) - math.log(len(log_weights))


def parts(x, encode, log_joint, num_samples, generator):
    """loc, log_var, z and log p(x, z)."""
    loc, log_var = encode(x)
    noise = torch.randn(num_samples, *loc.shape, generator=generator, dtype=loc.dtype)
    z = loc + (0.5 * log_var).exp() * noise
    return loc, log_var, z, log_joint(x, z)


@IWAE_EVALUATE.misconception(
    "You average the log weights. That is the ELBO, however many draws you take: average the "
    "weights first, then take the logarithm.",
    sign=signs.gives(signs.by_point(lambda w: w.mean())),
)
def mean_of_logarithms(x, encode, log_joint, num_samples, generator):
    return weights_of(x, encode, log_joint, num_samples, generator).mean(0)


@IWAE_EVALUATE.misconception(
    "You sum the weights and do not divide by the number of draws: subtract log S.",
    sign=signs.gives(signs.by_point(lambda w: w.logsumexp(0))),
)
def sum_of_weights(x, encode, log_joint, num_samples, generator):
    return weights_of(x, encode, log_joint, num_samples, generator).logsumexp(0)


@IWAE_EVALUATE.misconception(
    "You kept the largest weight only. The estimate is the mean of all weights.",
    sign=signs.gives(signs.by_point(lambda w: w.max() - math.log(len(w)))),
)
def largest_weight_divided(x, encode, log_joint, num_samples, generator):
    return weights_of(x, encode, log_joint, num_samples, generator).amax(0) - math.log(num_samples)


@IWAE_EVALUATE.misconception(
    "You return the log weight of the best draw. That rises with every draw and is no bound.",
    sign=signs.gives(signs.by_point(lambda w: w.max())),
)
def largest_weight(x, encode, log_joint, num_samples, generator):
    return weights_of(x, encode, log_joint, num_samples, generator).amax(0)


@IWAE_EVALUATE.misconception(
    "You average the log weights with the normalised weights as factors. That is no bound: take "
    "the logarithm of the mean weight.",
    sign=signs.gives(signs.by_point(lambda w: (w.softmax(0) * w).sum())),
)
def surrogate(x, encode, log_joint, num_samples, generator):
    log_weights = weights_of(x, encode, log_joint, num_samples, generator)
    return (log_weights.softmax(0) * log_weights).sum(0)


@IWAE_EVALUATE.misconception(
    "You return the negative. The result is an estimate of log p(x), not a loss.",
    sign=signs.gives(lambda f: -f.bound),
)
def negative(x, encode, log_joint, num_samples, generator):
    return -reference(x, encode, log_joint, num_samples, generator)


@IWAE_EVALUATE.misconception(
    "Your result is in bits. Use the natural logarithm: nats.",
    sign=signs.gives(lambda f: f.bound / math.log(2)),
)
def in_bits(x, encode, log_joint, num_samples, generator):
    return reference(x, encode, log_joint, num_samples, generator) / math.log(2)


@IWAE_EVALUATE.misconception(
    "You average over the points as well. Return one number for each point.",
    sign=signs.gives(lambda f: f.bound.mean()),
)
def averaged_over_points(x, encode, log_joint, num_samples, generator):
    return reference(x, encode, log_joint, num_samples, generator).mean()


@IWAE_EVALUATE.misconception(
    "You sum over the points as well. Return one number for each point.",
    sign=signs.gives(lambda f: f.bound.sum()),
)
def summed_over_points(x, encode, log_joint, num_samples, generator):
    return reference(x, encode, log_joint, num_samples, generator).sum()


@IWAE_EVALUATE.misconception(
    "You average p(x, z) over the draws without dividing by q(z): the draws do not come from the "
    "prior, so each needs the weight p(x, z) / q(z).",
    sign=signs.gives(signs.from_weights(lambda f, n: f.log_joint[n])),
)
def proposal_missing(x, encode, log_joint, num_samples, generator):
    return average(parts(x, encode, log_joint, num_samples, generator)[3])


@IWAE_EVALUATE.misconception(
    "You add log q where you must subtract it: the weight is p(x, z) / q(z).",
    sign=signs.gives(signs.from_weights(lambda f, n: 2 * f.log_joint[n] - f.log_weights[n])),
)
def proposal_added(x, encode, log_joint, num_samples, generator):
    loc, log_var, z, value = parts(x, encode, log_joint, num_samples, generator)
    return average(value + log_q(z, loc, log_var))


@IWAE_EVALUATE.misconception(
    "You put the entropy of q in the place of −log q(z). That is right for the mean of log weights "
    "only; here each draw has its own log q(z).",
    sign=signs.gives(
        signs.from_weights(
            lambda f, n: f.log_joint[n] + 0.5 * (f.model.log_var[n] + 1 + LOG_2PI).sum()
        )
    ),
)
def entropy_for_log_q(x, encode, log_joint, num_samples, generator):
    _, log_var, _, value = parts(x, encode, log_joint, num_samples, generator)
    return average(value + 0.5 * (log_var + 1 + LOG_2PI).sum(-1))


@IWAE_EVALUATE.misconception(
    "Your log q(z) lacks the ½ log 2π of each hidden value, so every weight is off by a constant.",
    sign=signs.gives(lambda f: f.bound - 0.5 * f.model.latent_dim * LOG_2PI),
)
def constant_missing(x, encode, log_joint, num_samples, generator):
    loc, log_var, z, value = parts(x, encode, log_joint, num_samples, generator)
    return average(value - log_q(z, loc, log_var)) - 0.5 * loc.shape[1] * LOG_2PI


@IWAE_EVALUATE.misconception(
    "Your log q(z) lacks −log σ: it is the density of the noise, not of z.",
    sign=signs.gives(lambda f: f.bound - 0.5 * f.model.log_var.sum(-1)),
)
def density_of_the_noise(x, encode, log_joint, num_samples, generator):
    loc, log_var, z, value = parts(x, encode, log_joint, num_samples, generator)
    return average(value - log_q(z, loc, log_var)) - 0.5 * log_var.sum(-1)


@IWAE_EVALUATE.misconception(
    "The prior counts twice: log p(x, z) holds log p(z) already.",
    sign=signs.gives(signs.from_weights(lambda f, n: f.log_weights[n] + signs.log_prior(f.z[n]))),
)
def prior_twice(x, encode, log_joint, num_samples, generator):
    loc, log_var, z, value = parts(x, encode, log_joint, num_samples, generator)
    return average(value - log_q(z, loc, log_var) + signs.log_prior(z))


@IWAE_EVALUATE.misconception(
    "You draw z from the prior and do not use the encoder. Nearly every draw misses where the "
    "posterior is narrow: draw from q and weigh.",
    sign=signs.draws(lambda f: all(abs(z.mean()) < 0.2 and abs(z.std() - 1) < 0.15 for z in f.z)),
)
def drawn_from_the_prior(x, encode, log_joint, num_samples, generator):
    loc, _ = encode(x)
    z = torch.randn(num_samples, *loc.shape, generator=generator, dtype=loc.dtype)
    return average(log_joint(x, z) - signs.log_prior(z))


@IWAE_EVALUATE.misconception(
    "You draw from q and weigh with the prior, p(x, z) / p(z): those weights belong to draws from "
    "the prior. Divide by q(z).",
    sign=signs.gives(signs.from_weights(lambda f, n: f.log_joint[n] - signs.log_prior(f.z[n]))),
)
def weighed_with_the_prior(x, encode, log_joint, num_samples, generator):
    _, _, z, value = parts(x, encode, log_joint, num_samples, generator)
    return average(value - signs.log_prior(z))


_DOUBLED = signs.gives(
    signs.from_weights(
        lambda f, n: f.log_joint[n] - log_q(f.z[n], f.model.loc[n], 2 * f.model.log_var[n])
    )
)
_WELL_DRAWN = signs.draws(lambda f: bool((f.noise.var(0) - 1).abs().max() < 0.5))


@IWAE_EVALUATE.misconception(
    "Your draws are right, and log q(z) takes `log_var` for log σ. It is log σ², there as well.",
    sign=lambda calls: _DOUBLED(calls) and _WELL_DRAWN(calls),
)
def density_with_the_variance(x, encode, log_joint, num_samples, generator):
    loc, log_var, z, value = parts(x, encode, log_joint, num_samples, generator)
    return average(value - log_q(z, loc, 2 * log_var))


@IWAE_EVALUATE.misconception(
    "You took `log_var` for log σ, in the draws and in the density. It is log σ².",
    sign=lambda calls: _DOUBLED(calls) and not _WELL_DRAWN(calls),
)
def taken_for_log_std(x, encode, log_joint, num_samples, generator):
    return reference(
        x, lambda x: (encode(x)[0], 2 * encode(x)[1]), log_joint, num_samples, generator
    )


@IWAE_EVALUATE.misconception(
    "You draw with the variance as the standard deviation. The noise is multiplied by σ, which is "
    "exp(½ log σ²).",
    sign=signs.draws(
        lambda f: torch.allclose(f.noise.var(0), f.model.log_var.exp(), rtol=0.4, atol=0.02)
    ),
)
def drawn_with_the_variance(x, encode, log_joint, num_samples, generator):
    loc, log_var = encode(x)
    noise = torch.randn(num_samples, *loc.shape, generator=generator, dtype=loc.dtype)
    z = loc + log_var.exp() * noise
    return average(log_joint(x, z) - log_q(z, loc, log_var))


@IWAE_EVALUATE.misconception(
    "You draw with unit variance around the encoder's mean. Multiply the noise by σ.",
    sign=signs.draws(
        lambda f: torch.allclose(f.noise.var(0), (-f.model.log_var).exp(), rtol=0.4, atol=0.02)
    ),
)
def drawn_with_unit_variance(x, encode, log_joint, num_samples, generator):
    loc, log_var = encode(x)
    z = loc + torch.randn(num_samples, *loc.shape, generator=generator, dtype=loc.dtype)
    return average(log_joint(x, z) - log_q(z, loc, log_var))


@IWAE_EVALUATE.misconception(
    "All your draws for a point are its posterior mean: no noise is in them.",
    sign=signs.draws(lambda f: bool(f.noise.abs().max() < 1e-6)),
)
def no_noise(x, encode, log_joint, num_samples, generator):
    loc, log_var = encode(x)
    z = loc.expand(num_samples, *loc.shape)
    return average(log_joint(x, z) - log_q(z, loc, log_var))


@IWAE_EVALUATE.misconception(
    "All your draws for a point are the same one, repeated. Draw noise of the shape (S, N, M).",
    sign=signs.draws(lambda f: bool(f.noise.std(0).max() < 1e-6 < f.noise.abs().max())),
)
def one_draw_repeated(x, encode, log_joint, num_samples, generator):
    loc, log_var = encode(x)
    noise = torch.randn(1, *loc.shape, generator=generator, dtype=loc.dtype)
    z = (loc + (0.5 * log_var).exp() * noise).expand(num_samples, *loc.shape)
    return average(log_joint(x, z) - log_q(z, loc, log_var))


@IWAE_EVALUATE.misconception(
    "All points share their noise. Draw it anew for every point: (S, N, M), not (S, 1, M).",
    sign=signs.draws(lambda f: torch.allclose(f.noise[:, 0], f.noise[:, 1], atol=1e-6)),
)
def noise_shared_by_points(x, encode, log_joint, num_samples, generator):
    loc, log_var = encode(x)
    noise = torch.randn(num_samples, 1, loc.shape[1], generator=generator, dtype=loc.dtype)
    z = loc + (0.5 * log_var).exp() * noise
    return average(log_joint(x, z) - log_q(z, loc, log_var))


@IWAE_EVALUATE.misconception(
    "The hidden values of a draw share their noise. Every one needs its own: (S, N, M), not "
    "(S, N, 1).",
    sign=signs.draws(lambda f: torch.allclose(f.noise[..., 0], f.noise[..., 1], atol=1e-6)),
)
def noise_shared_by_dimensions(x, encode, log_joint, num_samples, generator):
    loc, log_var = encode(x)
    noise = torch.randn(num_samples, len(loc), 1, generator=generator, dtype=loc.dtype)
    z = loc + (0.5 * log_var).exp() * noise
    return average(log_joint(x, z) - log_q(z, loc, log_var))


@IWAE_EVALUATE.misconception(
    "Your noise is uniform. It has to be normal: `torch.randn`, not `torch.rand`.",
    sign=signs.draws(lambda f: bool(f.noise.min() > -1e-4 and f.noise.max() < 1.0001)),
)
def uniform_noise(x, encode, log_joint, num_samples, generator):
    loc, log_var = encode(x)
    noise = torch.rand(num_samples, *loc.shape, generator=generator, dtype=loc.dtype)
    z = loc + (0.5 * log_var).exp() * noise
    return average(log_joint(x, z) - log_q(z, loc, log_var))


def with_noise(draw_noise):
    """The estimate with other noise: draw_noise(shape, generator)."""

    def evaluate(x, encode, log_joint, num_samples, generator):
        loc, log_var = encode(x)
        z = loc + (0.5 * log_var).exp() * draw_noise((num_samples, *loc.shape), generator)
        return average(log_joint(x, z) - log_q(z, loc, log_var))

    return evaluate


@IWAE_EVALUATE.misconception(
    "Your noise is uniform, stretched to the right variance. Its tails are missing: `torch.randn`.",
    sign=signs.draws(lambda f: bool(1.6 < f.noise.abs().max() < 1.7321)),
)
def uniform_noise_of_unit_variance(x, encode, log_joint, num_samples, generator):
    def noise(shape, generator):
        return (torch.rand(shape, generator=generator, dtype=x.dtype) - 0.5) * 12**0.5

    return with_noise(noise)(x, encode, log_joint, num_samples, generator)


@IWAE_EVALUATE.misconception(
    "Your noise is +1 or −1. It has to be normal: `torch.randn`.",
    sign=signs.draws(lambda f: bool((f.noise.abs() - 1).abs().max() < 1e-6)),
)
def signs_for_noise(x, encode, log_joint, num_samples, generator):
    def noise(shape, generator):
        return 2.0 * torch.randint(0, 2, shape, generator=generator) - 1

    return with_noise(noise)(x, encode, log_joint, num_samples, generator)


@IWAE_EVALUATE.misconception(
    "Your draws do not come from `generator`: the same seed gives others the second time.",
    sign=signs.repeats(lambda one, two: one == two, same=False),
)
def generator_ignored(x, encode, log_joint, num_samples, generator):
    return reference(x, encode, log_joint, num_samples, None)


@IWAE_EVALUATE.misconception(
    "Your draws do not depend on the generator you are given: do not seed one of your own.",
    sign=signs.repeats(lambda one, two: one.value != two.value, same=True),
)
def own_seed(x, encode, log_joint, num_samples, generator):
    return reference(x, encode, log_joint, num_samples, torch.Generator().manual_seed(0))


@IWAE_EVALUATE.misconception(
    "You seed anew from `generator.initial_seed()`. That number stays the same while the generator "
    "is drawn from, so every call repeats its draws. Draw with `generator=generator`.",
    sign=signs.repeats(lambda one, two: one.value == two.value and one.used != two.used, same=True),
)
def seeded_anew(x, encode, log_joint, num_samples, generator):
    anew = torch.Generator().manual_seed(generator.initial_seed())
    return reference(x, encode, log_joint, num_samples, anew)


@IWAE_EVALUATE.misconception(
    "You ask `log_joint` twice about each draw. Keep its answer.",
    sign=signs.asked_twice,
)
def asked_twice(x, encode, log_joint, num_samples, generator):
    def twice(x, z):
        log_joint(x, z)
        return log_joint(x, z)

    return reference(x, encode, twice, num_samples, generator)


@IWAE_EVALUATE.misconception(
    "The number of your draws is not `num_samples`: one too many or too few, or a number of your "
    "own.",
    sign=signs.another_number_of_draws,
)
def other_number_of_draws(x, encode, log_joint, num_samples, generator):
    return reference(x, encode, log_joint, num_samples + 1, generator)


@IWAE_EVALUATE.misconception(
    "You estimate in pieces and average the estimates. Average the weights of all draws first, and "
    "take the logarithm once, at the end.",
    sign=signs.pieces_averaged,
)
def mean_of_pieces(x, encode, log_joint, num_samples, generator):
    sizes = [min(10, num_samples - start) for start in range(0, num_samples, 10)]
    found = [size * reference(x, encode, log_joint, size, generator) for size in sizes]
    return sum(found) / num_samples


@IWAE_EVALUATE.misconception(
    "You take one largest log weight for all points together, or exponentiate the log weights as "
    "they are, or add a small number inside the logarithm. All of them fail where weights are very "
    "small or large: use `torch.logsumexp` over the draws.",
    sign=signs.only_large_ones_fail,
)
def underflows(x, encode, log_joint, num_samples, generator):
    return weights_of(x, encode, log_joint, num_samples, generator).exp().mean(0).log()


@IWAE_EVALUATE.variant
def one_draw_at_a_time(x, encode, log_joint, num_samples, generator):
    loc, log_var = encode(x)
    total = torch.full((len(x),), -torch.inf, dtype=x.dtype)
    for _ in range(num_samples):
        z = loc + (0.5 * log_var).exp() * torch.randn(loc.shape, generator=generator, dtype=x.dtype)
        total = torch.logaddexp(total, log_joint(x, z[None])[0] - log_q(z, loc, log_var))
    return total - math.log(num_samples)


@IWAE_EVALUATE.variant
def point_by_point(x, encode, log_joint, num_samples, generator):
    found = []
    for point in x.split(1):
        loc, log_var = encode(point)
        q = torch.distributions.Normal(loc, (0.5 * log_var).exp())
        noise = torch.randn(num_samples, *loc.shape, generator=generator, dtype=x.dtype)
        z = q.loc + q.scale * noise
        found.append(average(log_joint(point, z) - q.log_prob(z).sum(-1)))
    return torch.cat(found)


@IWAE_EVALUATE.variant
def in_pieces(x, encode, log_joint, num_samples, generator):
    sizes = [min(5, num_samples - start) for start in range(0, num_samples, 5)]
    found = [weights_of(x, encode, log_joint, size, generator) for size in sizes]
    return average(torch.cat(found))


@IWAE_EVALUATE.variant
def mirrored(x, encode, log_joint, num_samples, generator):
    # every noise is used with both signs; unbiased, and each draw comes from q
    loc, log_var = encode(x)
    half = (num_samples + 1) // 2
    noise = torch.randn(half, *loc.shape, generator=generator, dtype=x.dtype)
    z = loc + (0.5 * log_var).exp() * torch.cat((noise, -noise))[:num_samples]
    return average(log_joint(x, z) - log_q(z, loc, log_var))


@IWAE_EVALUATE.variant
def dimensions_drawn_first(x, encode, log_joint, num_samples, generator):
    loc, log_var = encode(x)
    noise = torch.randn(*loc.T.shape, num_samples, generator=generator, dtype=x.dtype).permute(
        2, 1, 0
    )
    z = torch.addcmul(loc, log_var.exp().sqrt(), noise)
    u = (z - loc) / log_var.exp().sqrt()
    log_density = -(u**2 / 2 + log_var / 2 + math.log(2 * math.pi) / 2).sum(-1)
    log_weights = log_joint(x, z) - log_density
    shift = log_weights.max(0).values
    return shift + (log_weights - shift).exp().mean(0).log()
