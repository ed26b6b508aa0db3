"""Wrong answers to `decompose_rate`."""

import math

import torch

from .decompose_rate import DECOMPOSE_RATE, densities, log_normal, reference, tables

misconception = DECOMPOSE_RATE.misconception


def _parts(own, joint, margins, prior):
    return (own - joint).mean(), (joint - margins).mean(), (margins - prior).mean()


def _log_n(loc):
    return math.log(len(loc))


@misconception(
    "You left out the 1/N of the aggregate: log q(z) is a log mean over the N Gaussians, "
    "`logsumexp` minus log N."
)
def sums_for_means(loc, log_var, noise):
    own, joint, margins, prior = densities(loc, log_var, noise)
    log_n = _log_n(loc)
    return _parts(own, joint + log_n, margins + loc.shape[1] * log_n, prior)


@misconception(
    "The margins miss the log N of each hidden value: there are M log means, and log N has to be "
    "subtracted in each of them."
)
def margins_minus_one_log_n(loc, log_var, noise):
    own, joint, margins, prior = densities(loc, log_var, noise)
    return _parts(own, joint, margins + (loc.shape[1] - 1) * _log_n(loc), prior)


@misconception(
    "You averaged the logarithms of the N densities. The aggregate is a mixture: average the "
    "densities, and take the logarithm last."
)
def mean_of_logarithms(loc, log_var, noise):
    own, _, _, prior = densities(loc, log_var, noise)
    joint = tables(loc, log_var, noise)[1].sum(-1).mean(2)
    margins = joint
    return _parts(own, joint, margins, prior)


@misconception("You left the point's own Gaussian out of the aggregate. All N points belong to it.")
def own_left_out(loc, log_var, noise):
    own, joint, margins, prior = densities(loc, log_var, noise)
    if len(loc) == 1:
        return _parts(own, joint, margins, prior)
    _, table = tables(loc, log_var, noise)
    hide = torch.eye(len(loc), dtype=torch.bool)
    others = math.log(len(loc) - 1)
    joint = table.sum(-1).masked_fill(hide, -math.inf).logsumexp(2) - others
    margins = (table.masked_fill(hide[..., None], -math.inf).logsumexp(2) - others).sum(-1)
    return _parts(own, joint, margins, prior)


@misconception(
    "Your total correlation is always 0, because you use the product of the margins for the "
    "aggregate. For log q(z) sum over the hidden values before the log mean over the points."
)
def joint_from_the_margins(loc, log_var, noise):
    own, _, margins, prior = densities(loc, log_var, noise)
    return _parts(own, margins, margins, prior)


@misconception(
    "Your total correlation is always 0, because you use the aggregate for the product of its "
    "margins. For the margins take the log mean over the points before you sum over hidden values."
)
def margins_from_the_joint(loc, log_var, noise):
    own, joint, _, prior = densities(loc, log_var, noise)
    return _parts(own, joint, joint, prior)


@misconception(
    "You evaluate each draw under its own Gaussian where the aggregate is meant: then nothing is "
    "said and nothing correlated. All N Gaussians make up q(z)."
)
def own_for_the_aggregate(loc, log_var, noise):
    own, _, _, prior = densities(loc, log_var, noise)
    return _parts(own, own, own, prior)


@misconception(
    "You replaced the aggregate by a single Gaussian with its mean and variance. It is a mixture "
    "of N Gaussians."
)
def aggregate_as_one_gaussian(loc, log_var, noise):
    own, _, _, prior = densities(loc, log_var, noise)
    z, _ = tables(loc, log_var, noise)
    mean = loc.mean(0)
    variance = log_var.exp().mean(0) + (loc - mean).square().mean(0)
    joint = log_normal(z, mean, variance.log()).sum(-1)
    return _parts(own, joint, joint, prior)


@misconception(
    "You evaluate the Gaussians of all points at a mean instead of a draw: z carries the noise."
)
def without_noise(loc, log_var, noise):
    return reference(loc, log_var, 0 * noise)


@misconception(
    "You read `log_var` as the logarithm of the standard deviation: the scale is the exponential "
    "of half of it."
)
def log_var_as_log_scale(loc, log_var, noise):
    return reference(loc, 2 * log_var, noise)


@misconception(
    "You drew with the variance for a standard deviation: z = μ + exp(½ log σ²) ε. The densities "
    "are right."
)
def drawn_with_the_variance(loc, log_var, noise):
    return reference(loc, log_var, (0.5 * log_var).exp() * noise)


@misconception(
    "Your draws are right, and your densities take the variance for the standard deviation: the "
    "scale is exp(½ log σ²) in both."
)
def densities_with_the_variance(loc, log_var, noise):
    return reference(loc, 2 * log_var, noise * (-0.5 * log_var).exp())


@misconception(
    "You divide the aggregate by the number of draws too. It has N Gaussians: subtract log N, not "
    "log (S N)."
)
def divided_by_the_draws(loc, log_var, noise):
    own, joint, margins, prior = densities(loc, log_var, noise)
    log_s = math.log(len(noise))
    return _parts(own, joint - log_s, margins - loc.shape[1] * log_s, prior)


@misconception("You used the first draw of each point only. All S draws count.")
def first_draw_only(loc, log_var, noise):
    return reference(loc, log_var, noise[:1])


@misconception(
    "You swapped the axes of the points in the table: the mean has to run over the N Gaussians, "
    "not over the N draws."
)
def mean_over_the_draws(loc, log_var, noise):
    own, _, _, prior = densities(loc, log_var, noise)
    _, table = tables(loc, log_var, noise)
    log_n = _log_n(loc)
    joint = table.sum(-1).logsumexp(1) - log_n
    margins = (table.logsumexp(1) - log_n).sum(-1)
    return _parts(own, joint, margins, prior)


@misconception(
    "You included the draws in the mean inside the logarithm. Each draw is compared with the N "
    "Gaussians by itself; the mean over the draws comes last."
)
def draws_inside_the_logarithm(loc, log_var, noise):
    own, _, _, prior = densities(loc, log_var, noise)
    _, table = tables(loc, log_var, noise)
    log_n = math.log(len(loc) * len(noise))
    joint = (table.sum(-1).logsumexp((0, 2)) - log_n).expand_as(own)
    margins = (table.logsumexp((0, 2)) - log_n).sum(-1).expand_as(own)
    return _parts(own, joint, margins, prior)


@misconception(
    "You normalise with the total variance of the aggregate: the prior is the standard normal, "
    "with no parameters of the code in it."
)
def fitted_prior(loc, log_var, noise):
    own, joint, margins, _ = densities(loc, log_var, noise)
    z, _ = tables(loc, log_var, noise)
    variance = log_var.exp().mean(0) + loc.var(0, correction=0)
    prior = log_normal(z, loc.mean(0), variance.log()).sum(-1)
    return _parts(own, joint, margins, prior)


@misconception(
    "Your prior is missing its constant, −½ log 2π for each hidden value, which the other "
    "densities have."
)
def prior_without_its_constant(loc, log_var, noise):
    own, joint, margins, prior = densities(loc, log_var, noise)
    return _parts(own, joint, margins, prior + 0.5 * loc.shape[1] * math.log(2 * math.pi))


@misconception("You exchanged the first two parts: the mutual information comes first.")
def exchanged(loc, log_var, noise):
    information, correlation, dimensions = reference(loc, log_var, noise)
    return correlation, information, dimensions


@misconception("You return the parts in reverse. The order is MI, TC, dimension-wise divergence.")
def reversed_order(loc, log_var, noise):
    return reference(loc, log_var, noise)[::-1]


@misconception("All three parts have the wrong sign: subtract the nearer to the prior each time.")
def negative(loc, log_var, noise):
    return tuple(-part for part in reference(loc, log_var, noise))


@misconception(
    "Your first part is the whole rate. Measured against the aggregate q(z), not the prior, the "
    "mutual information leaves out what is merely in a wrong place."
)
def rate_for_mutual_information(loc, log_var, noise):
    own, joint, margins, prior = densities(loc, log_var, noise)
    return (own - prior).mean(), (joint - margins).mean(), (margins - prior).mean()


@misconception(
    "Your last part compares the aggregate itself with the prior, so the total correlation is in "
    "it once more. Compare the product of the margins."
)
def last_part_from_the_joint(loc, log_var, noise):
    own, joint, margins, prior = densities(loc, log_var, noise)
    return (own - joint).mean(), (joint - margins).mean(), (joint - prior).mean()


@misconception("You summed over the points. Each part is a mean over draws and points.")
def summed_over_points(loc, log_var, noise):
    return tuple(len(loc) * part for part in reference(loc, log_var, noise))


@misconception("You averaged over the hidden values. Their log densities are summed.")
def averaged_over_dimensions(loc, log_var, noise):
    return tuple(part / loc.shape[1] for part in reference(loc, log_var, noise))


@misconception("Your parts are in bits. Use natural logarithms.")
def in_bits(loc, log_var, noise):
    return tuple(part / math.log(2) for part in reference(loc, log_var, noise))


@misconception(
    "You summed the means of the log densities in the wrong unit: the scale of the Gaussians is "
    "missing in them, the −log σ."
)
def without_log_scale(loc, log_var, noise):
    z, table = tables(loc, log_var, noise)
    table = table + 0.5 * log_var
    own = (log_normal(z, loc, log_var) + 0.5 * log_var).sum(-1)
    log_n = _log_n(loc)
    joint = table.sum(-1).logsumexp(2) - log_n
    margins = (table.logsumexp(2) - log_n).sum(-1)
    prior = densities(loc, log_var, noise)[3]
    return _parts(own, joint, margins, prior)


@misconception(
    "You cut parts that are negative off at 0. For the draws at hand a part may be negative; cut "
    "off, the three do not add up to the rate any more."
)
def cut_off_at_zero(loc, log_var, noise):
    return tuple(part.clamp(min=0) for part in reference(loc, log_var, noise))


@misconception(
    "You took the rate in closed form and the rest from the draws. All means have to run over the "
    "same draws, or the last part takes up the difference."
)
def rate_in_closed_form(loc, log_var, noise):
    information, correlation, _ = reference(loc, log_var, noise)
    rate = 0.5 * (loc.square() + log_var.exp() - log_var - 1).sum(-1).mean()
    return information, correlation, rate - information - correlation


@misconception(
    "Right for codes that overlap. With sharp codes the densities under- or overflow before the "
    "logarithm: add logarithms with `torch.logsumexp`."
)
def without_logsumexp(loc, log_var, noise):
    own, _, _, prior = densities(loc, log_var, noise)
    _, table = tables(loc, log_var, noise)
    joint = table.sum(-1).exp().mean(2).log()
    margins = table.exp().mean(2).log().sum(-1)
    return _parts(own, joint, margins, prior)
