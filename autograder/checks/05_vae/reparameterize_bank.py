"""Wrong and right answers to `reparameterize`."""

import torch
from torch.distributions import Independent, MultivariateNormal, Normal

from . import reparameterize_signs as signs
from ._signs import name_changes_in_place
from .reparameterize import REPARAMETERIZE

SQRT_12 = 12**0.5

name_changes_in_place(REPARAMETERIZE)


def _noise(loc, generator):
    return torch.randn(loc.shape, generator=generator, dtype=loc.dtype)


@REPARAMETERIZE.misconception(
    "You used the variance as the scale: σ is exp(½ log σ²), and exp(log σ²) is σ².",
    sign=signs.scaled_by(torch.exp),
)
def variance_as_scale(loc, log_var, generator):
    return loc + log_var.exp() * _noise(loc, generator)


@REPARAMETERIZE.misconception(
    "You used log σ² itself as the scale. Take the exponential of its half.",
    sign=signs.scaled_by(lambda log_var: log_var),
)
def log_var_as_scale(loc, log_var, generator):
    return loc + log_var * _noise(loc, generator)


@REPARAMETERIZE.misconception(
    "You used ½ log σ² as the scale: that is log σ. The exponential is missing.",
    sign=signs.scaled_by(lambda log_var: log_var / 2),
)
def log_scale_as_scale(loc, log_var, generator):
    return loc + 0.5 * log_var * _noise(loc, generator)


@REPARAMETERIZE.misconception(
    "You took the square root of log σ², which is NaN wherever the variance is below one. The "
    "argument is a logarithm: σ = exp(½ log σ²).",
    sign=signs.anywhere(lambda drawn: drawn.z.isnan().equal(drawn.log_var < 0)),
)
def root_of_log_var(loc, log_var, generator):
    return loc + log_var.sqrt() * _noise(loc, generator)


@REPARAMETERIZE.misconception(
    "You halved twice: exp(½ log σ²) is σ already, without a further square root.",
    sign=signs.scaled_by(lambda log_var: (log_var / 4).exp()),
)
def root_taken_twice(loc, log_var, generator):
    return loc + (log_var / 2).exp().sqrt() * _noise(loc, generator)


@REPARAMETERIZE.misconception(
    "Your scale is exp(−½ log σ²) = 1/σ: the draws are wide where q is narrow. Multiply by σ.",
    sign=signs.scaled_by(lambda log_var: (-log_var / 2).exp()),
)
def divided_by_scale(loc, log_var, generator):
    return loc + _noise(loc, generator) / (log_var / 2).exp()


@REPARAMETERIZE.misconception(
    "You made the scale positive by softplus. The argument is a logarithm, so its inverse is the "
    "exponential, and of its half.",
    sign=signs.scaled_by(torch.nn.functional.softplus),
)
def softplus_scale(loc, log_var, generator):
    return loc + torch.nn.functional.softplus(log_var) * _noise(loc, generator)


@REPARAMETERIZE.misconception(
    "You added plain noise: its spread is one everywhere. Multiply it by σ first.",
    sign=signs.scaled_by(torch.ones_like),
)
def scale_forgotten(loc, log_var, generator):
    return loc + 0 * log_var + _noise(loc, generator)


@REPARAMETERIZE.misconception(
    "You returned the noise alone. The draw is z = μ + σ ε.",
    sign=signs.large(lambda drawn: signs.follows(drawn.z)),
)
def noise_alone(loc, log_var, generator):
    return _noise(loc, generator)


@REPARAMETERIZE.misconception(
    "The mean is missing: your draws scatter around zero, whatever the encoder says.",
    sign=signs.large(lambda drawn: signs.follows(drawn.z * (-drawn.log_var / 2).exp())),
)
def mean_forgotten(loc, log_var, generator):
    return 0 * loc + (log_var / 2).exp() * _noise(loc, generator)


@REPARAMETERIZE.misconception(
    "You multiplied the mean by σ as well. Scale the noise only: μ + σ ε, not (μ + ε) σ.",
    sign=signs.large(lambda drawn: signs.follows(drawn.z * (-drawn.log_var / 2).exp() - drawn.loc)),
)
def mean_scaled_too(loc, log_var, generator):
    return (loc + _noise(loc, generator)) * (log_var / 2).exp()


@REPARAMETERIZE.misconception(
    "You returned the mean. That is what one shows at the end; the bound needs a draw.",
    sign=signs.anywhere(lambda drawn: (drawn.z - drawn.loc).abs().max() < 1e-9),
)
def mean_only(loc, log_var, generator):
    return loc + 0 * log_var


@REPARAMETERIZE.misconception(
    "You added σ without noise: z = μ + σ is a fixed place, not a draw.",
    sign=signs.anywhere(lambda drawn: (drawn.noise() - 1).abs().max() < 1e-4),
)
def noise_forgotten(loc, log_var, generator):
    return loc + (log_var / 2).exp()


@REPARAMETERIZE.misconception(
    "All points of the batch share one noise. Draw with the whole shape of `loc`, (N, M).",
    sign=signs.shared_over(0),
)
def one_noise_for_the_batch(loc, log_var, generator):
    return loc + (log_var / 2).exp() * _noise(loc[0], generator)


@REPARAMETERIZE.misconception(
    "All values of a point share one noise, so they always move together. Draw with the whole "
    "shape of `loc`, (N, M).",
    sign=signs.shared_over(1),
)
def one_noise_for_a_point(loc, log_var, generator):
    return loc + (log_var / 2).exp() * _noise(loc[:, :1], generator)


@REPARAMETERIZE.misconception(
    "You drew a single number and used it for everything. Draw with the shape of `loc`.",
    sign=signs.large(signs.one_for_all),
)
def one_noise_for_all(loc, log_var, generator):
    return loc + (log_var / 2).exp() * _noise(loc[0, 0], generator)


@REPARAMETERIZE.misconception(
    "Your noise is uniform between 0 and 1 (`torch.rand`). A Gaussian needs `torch.randn`.",
    sign=signs.large(lambda drawn: signs.follows(drawn.noise(), "uniform")),
)
def uniform_noise(loc, log_var, generator):
    noise = torch.rand(loc.shape, generator=generator, dtype=loc.dtype)
    return loc + (log_var / 2).exp() * noise


@REPARAMETERIZE.misconception(
    "Your noise is uniform, only shifted and stretched to the right mean and variance. Its tails "
    "are missing: draw with `torch.randn`.",
    sign=signs.large(lambda drawn: signs.follows(drawn.noise(), "uniform", (-(3**0.5), SQRT_12))),
)
def standardised_uniform_noise(loc, log_var, generator):
    noise = torch.rand(loc.shape, generator=generator, dtype=loc.dtype)
    return loc + (log_var / 2).exp() * (noise - 0.5) * SQRT_12


@REPARAMETERIZE.misconception(
    "Your noise is never negative, so no draw lies below its mean. Do not take its absolute value.",
    sign=signs.large(
        lambda drawn: drawn.noise().min() >= 0 and signs.follows(drawn.noise(), "halfnorm")
    ),
)
def noise_on_one_side(loc, log_var, generator):
    return loc + (log_var / 2).exp() * _noise(loc, generator).abs()


@REPARAMETERIZE.misconception(
    "You use each noise twice, as ε for one point and as −ε for another. Every value of every "
    "point needs a noise of its own.",
    sign=signs.large(
        lambda drawn: (
            len(drawn.noise().abs().round(decimals=9).unique()) < 0.6 * drawn.z.numel()
            and len(drawn.noise().round(decimals=9).unique()) > 0.9 * drawn.z.numel()
        )
    ),
)
def noise_mirrored(loc, log_var, generator):
    half = _noise(loc, generator)[: (len(loc) + 1) // 2]
    return loc + (log_var / 2).exp() * torch.cat((half, -half))[: len(loc)]


@REPARAMETERIZE.misconception(
    "Your noise is +1 or −1. A Gaussian needs `torch.randn`.",
    sign=signs.large(lambda drawn: (drawn.noise().abs() - 1).abs().max() < 1e-6),
)
def signs_for_noise(loc, log_var, generator):
    noise = 2 * torch.randint(0, 2, loc.shape, generator=generator).to(loc.dtype) - 1
    return loc + (log_var / 2).exp() * noise


@REPARAMETERIZE.misconception(
    "You standardised the noise over the batch, so that it averages to exactly zero: then the draw "
    "of one point depends on all others. Use the noise as it comes.",
    sign=signs.large(lambda drawn: drawn.noise().mean(0).abs().max() < 1e-9),
)
def noise_standardised(loc, log_var, generator):
    noise = _noise(loc, generator)
    if len(loc) > 1:
        noise = (noise - noise.mean(0)) / noise.std(0)
    return loc + (log_var / 2).exp() * noise


@REPARAMETERIZE.misconception(
    "The draws are right, and no gradient flows through them: `.sample()`, `no_grad` or `detach` "
    "cuts the path from the parameters to z.",
    sign=lambda calls: (
        signs.no_path(calls)
        or signs.gradients(lambda by_loc, by_log_var, _: not (by_loc.any() or by_log_var.any()))(
            calls
        )
    ),
)
def plain_sample(loc, log_var, generator):
    return torch.normal(loc.detach(), (log_var / 2).exp().detach(), generator=generator)


@REPARAMETERIZE.misconception(
    "No gradient reaches `log_var`: the noise term is cut off (detach, no_grad or .data), so the "
    "encoder could never learn how sure to be.",
    sign=signs.gradients(
        lambda by_loc, by_log_var, _: by_loc.abs().min() > 0.5 and not by_log_var.any()
    ),
)
def noise_term_cut_off(loc, log_var, generator):
    return loc + ((log_var / 2).exp() * _noise(loc, generator)).detach()


@REPARAMETERIZE.misconception(
    "No gradient reaches `loc`: the mean is cut off, so the encoder could never move it.",
    sign=signs.gradients(lambda by_loc, by_log_var, _: not by_loc.any() and by_log_var.any()),
)
def mean_cut_off(loc, log_var, generator):
    return loc.detach() + (log_var / 2).exp() * _noise(loc, generator)


@REPARAMETERIZE.misconception(
    "The generator that you were given does not decide the draw: the same seed gives other noise "
    "each time. Pass `generator=generator`; `randn_like` and `rsample` cannot take it.",
    sign=signs.repeats(lambda one, two: one == two, equal=False),
)
def generator_ignored(loc, log_var, generator):
    return loc + (log_var / 2).exp() * torch.randn_like(loc)


@REPARAMETERIZE.misconception(
    "Every call gives the same noise, whatever the generator. Do not set a seed inside: a model "
    "that always sees the same ε learns to rely on it.",
    sign=signs.repeats(lambda one, two: one.value != two.value, equal=True),
)
def same_noise_every_time(loc, log_var, generator):
    return loc + (log_var / 2).exp() * _noise(loc, torch.Generator().manual_seed(0))


@REPARAMETERIZE.misconception(
    "You seed anew from `generator.initial_seed()`. That number stays the same while the generator "
    "is drawn from, so every call repeats its noise. Draw with `generator=generator`.",
    sign=signs.repeats(
        lambda one, two: one.value == two.value and one.used != two.used, equal=True
    ),
)
def seeded_anew(loc, log_var, generator):
    anew = torch.Generator().manual_seed(generator.initial_seed())
    return loc + (log_var / 2).exp() * _noise(loc, anew)


@REPARAMETERIZE.misconception(
    "Double precision came in and your result is in single: somewhere stands `.float()`, or a "
    "fixed type. Keep the type of `loc`.",
    sign=lambda calls: (
        {call.value.dtype for call in calls if call.verb == "call"} == {torch.float32}
    ),
)
def all_in_single(loc, log_var, generator):
    return loc.float() + (log_var.float() / 2).exp() * torch.randn(loc.shape, generator=generator)


@REPARAMETERIZE.misconception(
    "In single precision your result comes back in double: the noise has another type. Draw it "
    "with `dtype=loc.dtype`.",
    sign=lambda calls: (
        {call.value.dtype for call in calls if call.verb == "call"} == {torch.float64}
    ),
)
def noise_in_double(loc, log_var, generator):
    noise = torch.randn(loc.shape, generator=generator, dtype=torch.float64)
    return loc + (log_var / 2).exp() * noise


@REPARAMETERIZE.misconception(
    "You returned the noise beside the draw. Return z alone, one tensor (N, M).",
    sign=lambda calls: isinstance(calls[0].value, (tuple, list)) and len(calls[0].value) == 2,
)
def noise_returned_too(loc, log_var, generator):
    noise = _noise(loc, generator)
    return loc + (log_var / 2).exp() * noise, noise


@REPARAMETERIZE.misconception(
    "You exponentiate before you take the root, so that exp(log σ²) overflows, or vanishes, where "
    "σ itself is an ordinary number: halve first.",
    sign=lambda calls: (
        signs.large(lambda drawn: signs.follows(drawn.noise()))(calls)
        and any(call.value.isinf().any() for call in calls if isinstance(call.value, torch.Tensor))
    ),
)
def root_after_exponential(loc, log_var, generator):
    return loc + log_var.exp().sqrt() * _noise(loc, generator)


@REPARAMETERIZE.variant
def noise_filled_in(loc, log_var, generator):
    noise = torch.empty_like(loc).normal_(generator=generator)
    return torch.addcmul(loc, torch.exp(0.5 * log_var), noise)


@REPARAMETERIZE.variant
def drawn_column_by_column(loc, log_var, generator):
    columns = [
        torch.randn(len(loc), generator=generator, dtype=loc.dtype) for _ in range(loc.shape[1])
    ]
    return loc + torch.sqrt(torch.exp(log_var / 2)) ** 2 * torch.stack(columns, dim=1)


@REPARAMETERIZE.variant
def minus_the_noise(loc, log_var, generator):
    return loc - (log_var / 2).exp() * _noise(loc, generator)


@REPARAMETERIZE.variant
def noise_in_single(loc, log_var, generator):
    return loc + torch.exp(log_var / 2) * torch.randn(*loc.shape, generator=generator)


@REPARAMETERIZE.variant
def by_inverse_distribution_function(loc, log_var, generator):
    u = torch.rand(loc.shape, generator=generator, dtype=torch.float64).clamp(1e-12, 1 - 1e-12)
    noise = Normal(0.0, 1.0).icdf(u).to(loc.dtype)
    return loc + noise * torch.exp(log_var / 2)


@REPARAMETERIZE.variant
def by_box_and_muller(loc, log_var, generator):
    u, v = torch.rand(2, *loc.shape, generator=generator, dtype=torch.float64)
    noise = (-2 * torch.log1p(-u)).sqrt() * torch.cos(2 * torch.pi * v)
    return loc + noise.to(loc.dtype) * torch.exp(log_var / 2)


@REPARAMETERIZE.variant
def with_matrices(loc, log_var, generator):
    q = MultivariateNormal(torch.zeros_like(loc), torch.eye(loc.shape[1], dtype=loc.dtype))
    noise = _noise(q.loc, generator)
    scale_tril = torch.diag_embed(torch.exp(log_var / 2))
    return loc + (scale_tril @ noise.unsqueeze(-1)).squeeze(-1)


@REPARAMETERIZE.variant
def by_torch_distributions(loc, log_var, generator):
    q = Independent(Normal(loc, torch.exp(log_var / 2)), 1)
    return q.base_dist.loc + q.base_dist.scale * _noise(loc, generator)
