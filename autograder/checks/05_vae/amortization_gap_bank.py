"""Wrong and right answers to `amortization_gap`, the wrong ones with the sign that shows them."""

import math

import torch

from . import amortization_gap_signs as signs
from ._signs import name_changes_in_place
from .amortization_gap import AMORTIZATION_GAP, elbo, improve, reference, whitened_noise

LOG_2 = math.log(2)

name_changes_in_place(AMORTIZATION_GAP)


def setting(x, encode, generator):
    """The encoder's q, noise to evaluate with, and a function that draws some to climb with."""
    loc, log_var = encode(x)
    noise = whitened_noise(400, loc.shape, generator)
    return loc, log_var, noise, lambda: whitened_noise(16, loc.shape, generator)


def won(x, log_joint, best, start, noise):
    return elbo(x, log_joint, *best, noise) - elbo(x, log_joint, *start, noise)


@AMORTIZATION_GAP.misconception(
    "Your gap has the wrong sign: it is the ELBO of the better q minus that of the encoder's.",
    sign=signs.gives(lambda c: -c.exact),
)
def negative(x, encode, log_joint, num_steps, generator):
    return -reference(x, encode, log_joint, num_steps, generator)


@AMORTIZATION_GAP.misconception(
    "You averaged over the points. Every point has its own gap: return (N,).",
    sign=signs.shaped(lambda n: ()),
)
def averaged(x, encode, log_joint, num_steps, generator):
    return reference(x, encode, log_joint, num_steps, generator).mean()


@AMORTIZATION_GAP.misconception(
    "You return the improved ELBO itself. Subtract the encoder's.",
    sign=signs.gives(lambda c: c.log_marginal - c.approximation_gap),
)
def improved_elbo(x, encode, log_joint, num_steps, generator):
    loc, log_var, noise, _ = setting(x, encode, generator)
    best = improve(x, log_joint, loc, log_var, num_steps, generator)
    constant = 0.5 * loc.shape[1] * (1 + torch.log(torch.tensor(2 * torch.pi).double()))
    return elbo(x, log_joint, *best, noise) + constant


@AMORTIZATION_GAP.misconception(
    "That is the whole distance to log p(x), the inference gap. Part of it, the approximation gap, "
    "is left over even by the best q with independent coordinates: climb with such a q, and "
    "subtract.",
    sign=signs.gives(lambda c: c.inference_gap),
)
def inference_gap(x, encode, log_joint, num_steps, generator):
    loc, log_var = encode(x)
    if num_steps == 0:
        return torch.zeros(len(x), dtype=x.dtype)
    noise = whitened_noise(400, loc.shape, generator)
    z = torch.zeros(1, *loc.shape, dtype=x.dtype)
    _, pull = log_joint(x, z)
    eye = torch.eye(loc.shape[1], dtype=x.dtype)[:, None].expand(-1, *loc.shape)
    precision = (pull - log_joint(x, eye.clone())[1]).transpose(0, 1)
    mode = torch.linalg.solve(precision, pull[0][..., None])[..., 0]
    top, _ = log_joint(x, mode[None])
    full = top[0] - 0.5 * torch.linalg.slogdet(precision)[1] - 0.5 * loc.shape[1]
    return full - elbo(x, log_joint, loc, log_var, noise)


@AMORTIZATION_GAP.misconception(
    "You return what the best q still lacks, the approximation gap. Asked for is what it wins over "
    "the encoder.",
    sign=signs.gives(lambda c: c.approximation_gap),
)
def approximation_gap(x, encode, log_joint, num_steps, generator):
    whole = inference_gap(x, encode, log_joint, num_steps, generator)
    return whole - reference(x, encode, log_joint, num_steps, generator)


@AMORTIZATION_GAP.misconception(
    "Your gap is zero for every encoder: the q that you improve is never used, or never moves. Is "
    "a `detach` in the path from μ and log σ² to the loss?",
    sign=signs.gives(lambda c: 0 * c.exact),
)
def nothing_moved(x, encode, log_joint, num_steps, generator):
    return torch.zeros(len(x), dtype=x.dtype)


@AMORTIZATION_GAP.misconception(
    "The bound falls with your steps. Either you go downhill: an optimiser that minimises needs "
    "the negative ELBO. Or the entropy is missing while you climb, so that q shrinks to a point.",
    sign=signs.all_fall,
)
def descended(x, encode, log_joint, num_steps, generator):
    loc, log_var, noise, draw = setting(x, encode, generator)
    best = loc
    for _ in range(min(num_steps, 8)):
        few = draw()
        best = best - 0.05 * log_joint(x, best + (0.5 * log_var).exp() * few)[1].mean(0) - 0.02
    return won(x, log_joint, (best, log_var), (loc, log_var), noise)


@AMORTIZATION_GAP.misconception(
    "Your result is not finite: the steps run away. Take a smaller learning rate, and optimise the "
    "logarithm of the variance.",
    sign=signs.not_finite,
)
def runs_away(x, encode, log_joint, num_steps, generator):
    return torch.full((len(x),), torch.nan if num_steps else 0.0, dtype=x.dtype)


@AMORTIZATION_GAP.misconception(
    "You take fewer steps than `num_steps` says. Use the argument.", sign=signs.few_steps_taken
)
def too_few_steps(x, encode, log_joint, num_steps, generator):
    return reference(x, encode, log_joint, min(num_steps, 3), generator)


@AMORTIZATION_GAP.misconception(
    "You climb also with `num_steps = 0`: you take a number of steps of your own. Use the "
    "argument.",
    sign=signs.without_steps(lambda given, exact: bool((given - exact).abs().max() < 1)),
)
def steps_ignored(x, encode, log_joint, num_steps, generator):
    return reference(x, encode, log_joint, 80, generator)


@AMORTIZATION_GAP.misconception(
    "You estimate the two ELBOs with different noise, so the gap scatters and is not zero without "
    "a step. Draw once, and use that noise for both.",
    sign=signs.without_steps(lambda given, _: bool(given.abs().max() < 3 and given.std() > 1e-6)),
)
def two_noises(x, encode, log_joint, num_steps, generator):
    loc, log_var = encode(x)
    best = improve(x, log_joint, loc, log_var, num_steps, generator)
    one, two = (torch.randn(1000, *loc.shape, generator=generator, dtype=x.dtype) for _ in range(2))
    return elbo(x, log_joint, *best, one) - elbo(x, log_joint, loc, log_var, two)


@AMORTIZATION_GAP.misconception(
    "The same seed gives other draws the second time: they do not come from `generator`.",
    sign=signs.repeats(lambda one, two: one == two, same=False),
)
def generator_ignored(x, encode, log_joint, num_steps, generator):
    own = torch.Generator().manual_seed(int(torch.randint(2**31, ())))
    return reference(x, encode, log_joint, num_steps, own)


@AMORTIZATION_GAP.misconception(
    "Another seed gives the same draws: you draw from a generator of your own.",
    sign=signs.repeats(lambda one, two: one.value != two.value, same=True),
)
def own_generator(x, encode, log_joint, num_steps, generator):
    return reference(x, encode, log_joint, num_steps, torch.Generator().manual_seed(0))


@AMORTIZATION_GAP.misconception(
    "You seed anew from `generator.initial_seed()`. That number stays the same while the generator "
    "is drawn from, so every call repeats its draws. Draw with `generator=generator`.",
    sign=signs.repeats(lambda one, two: one.value == two.value and one.used != two.used, same=True),
)
def seeded_anew(x, encode, log_joint, num_steps, generator):
    anew = torch.Generator().manual_seed(generator.initial_seed())
    return reference(x, encode, log_joint, num_steps, anew)


@AMORTIZATION_GAP.misconception(
    "You use the same few draws in all steps, so that q fits these draws. Draw anew in each step.",
    sign=signs.noise_reused,
)
def noise_reused(x, encode, log_joint, num_steps, generator):
    state = generator.get_state()

    def draw():
        generator.set_state(state)
        return torch.randn(16, *loc.shape, generator=generator, dtype=x.dtype)

    start = encode(x)
    loc, (mean, width) = start[0], start
    for _ in range(num_steps):
        few, scale = draw(), (0.5 * width).exp()
        slope = log_joint(x, mean + scale * few)[1]
        mean = mean + 0.05 * scale**2 * slope.mean(0)
        width = width + 0.05 * (1 + (slope * few * scale).mean(0))
    return won(x, log_joint, (mean, width), start, whitened_noise(400, loc.shape, generator))


@AMORTIZATION_GAP.misconception(
    "Your q is far too narrow at the end. Is the entropy missing while you climb, or does the "
    "slope through z count twice for log σ²? Its ½ is in σ = exp(½ log σ²).",
    sign=signs.ends(lambda c: bool((c.end[1] - 0.5 * c.model.best_log_var).mean() < -0.47)),
)
def too_narrow(x, encode, log_joint, num_steps, generator):
    loc, log_var, noise, draw = setting(x, encode, generator)
    mean, width = loc, log_var
    for _ in range(num_steps):
        few, scale = draw(), (0.5 * width).exp()
        slope = log_joint(x, mean + scale * few)[1]
        mean = mean + 0.05 * scale**2 * slope.mean(0)
        width = width + 0.05 * (0.2 + (slope * few * scale).mean(0))
    return won(x, log_joint, (mean, width), (loc, log_var), noise)


@AMORTIZATION_GAP.misconception(
    "All points move by the same amount: you improve the encoder's average error. Every point has "
    "a mean and a width of its own.",
    sign=signs.gives(lambda c: c.gap_shared),
)
def shared_by_points(x, encode, log_joint, num_steps, generator):
    loc, log_var, noise, draw = setting(x, encode, generator)
    shift, wider = torch.zeros(2, loc.shape[1], dtype=x.dtype)
    for _ in range(num_steps):
        few = draw()
        scale = (0.5 * (log_var + wider)).exp()
        slope = log_joint(x, loc + shift + scale * few)[1]
        shift = shift + 0.03 * slope.mean((0, 1))
        wider = wider + 0.05 * (1 + (slope * few * scale).mean((0, 1)))
    return won(x, log_joint, (loc + shift, log_var + wider), (loc, log_var), noise)


@AMORTIZATION_GAP.misconception(
    "Your q is on its way and has not arrived: the steps are too small, or they shrink too early. "
    "Within 100 steps the means must be able to move by two standard deviations, and log σ² by "
    "1.6.",
    sign=signs.ends(signs.on_its_way),
)
def too_slow(x, encode, log_joint, num_steps, generator):
    loc, log_var, noise, draw = setting(x, encode, generator)
    mean, width = loc, log_var
    for _ in range(num_steps):
        few, scale = draw(), (0.5 * width).exp()
        slope = log_joint(x, mean + scale * few)[1]
        mean = mean + 0.002 * scale**2 * slope.mean(0)
        width = width + 0.001 * (1 + (slope * few * scale).mean(0))
    return won(x, log_joint, (mean, width), (loc, log_var), noise)


@AMORTIZATION_GAP.misconception(
    "Your widths settle at half of the right variance: the slope for log σ² has its ½ in one of "
    "two places only, the entropy ½ Σ log σ², or σ = exp(½ log σ²) in z.",
    sign=signs.gives(lambda c: c.gap_to(c.model.posterior_mean, c.model.best_log_var - LOG_2)),
)
def variance_halved(x, encode, log_joint, num_steps, generator):
    loc, log_var, noise, draw = setting(x, encode, generator)
    mean, width = loc, log_var
    for step in range(num_steps):
        few = draw()
        scale = (0.5 * width).exp()
        slope = log_joint(x, mean + scale * few)[1]
        rate = 0.15 * (1 - step / num_steps) + 0.02
        mean = mean + rate * scale**2 * slope.mean(0)
        width = width + rate * (0.5 + (slope * few * scale).mean(0))
    return won(x, log_joint, (mean, width), (loc, log_var), noise)


@AMORTIZATION_GAP.misconception(
    "Only the mean moved. The width of q must climb too: make `log_var` a leaf tensor of the "
    "optimiser, and let z be built from it in every step.",
    sign=signs.gives(lambda c: c.gap_to(c.model.posterior_mean, c.model.log_var)),
)
def mean_only(x, encode, log_joint, num_steps, generator):
    loc, log_var, noise, draw = setting(x, encode, generator)
    best = loc
    for _ in range(num_steps):
        few = draw()
        best = best + 0.03 * log_joint(x, best + (0.5 * log_var).exp() * few)[1].mean(0)
    return won(x, log_joint, (best, log_var), (loc, log_var), noise)


@AMORTIZATION_GAP.misconception(
    "Only the width moved. The mean of q must climb too.",
    sign=signs.gives(lambda c: c.gap_to(c.model.loc, c.model.best_log_var)),
)
def width_only(x, encode, log_joint, num_steps, generator):
    loc, log_var, noise, draw = setting(x, encode, generator)
    width = log_var.clone()
    for _ in range(num_steps):
        few = draw()
        scale = (0.5 * width).exp()
        slope = log_joint(x, loc + scale * few)[1]
        width = width + 0.1 * (1 + (slope * few * scale).mean(0))
    return won(x, log_joint, (loc, width), (loc, log_var), noise)


@AMORTIZATION_GAP.misconception(
    "You compare E[log p(x, z)] only. The entropy belongs to both ELBOs: without it a narrow q "
    "always wins.",
    sign=signs.gives(lambda c: c.exact - c.entropy_won),
)
def entropy_not_compared(x, encode, log_joint, num_steps, generator):
    loc, log_var, noise, _ = setting(x, encode, generator)
    best = improve(x, log_joint, loc, log_var, num_steps, generator)
    wider = 0.5 * (best[1] - log_var).sum(-1)
    return won(x, log_joint, best, (loc, log_var), noise) - wider


@AMORTIZATION_GAP.misconception(
    "The entropy counts double: it is Σ log σ, half the sum of `log_var`.",
    sign=signs.gives(lambda c: c.gap_to_wide),
)
def entropy_doubled(x, encode, log_joint, num_steps, generator):
    loc, log_var, noise, draw = setting(x, encode, generator)
    best = loc.clone().requires_grad_(), log_var.clone().requires_grad_()
    optimiser = torch.optim.Adam(best, lr=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, num_steps + 1)
    for _ in range(num_steps):
        few = draw()
        z = best[0] + (0.5 * best[1]).exp() * few
        slope = log_joint(x, z.detach())[1]
        loss = -(z * slope).sum(-1).mean(0) - best[1].sum(-1)
        optimiser.zero_grad()
        loss.sum().backward()
        optimiser.step()
        schedule.step()
    end = tuple(part.detach() for part in best)
    wider = 0.5 * (end[1] - log_var).sum(-1)
    return won(x, log_joint, end, (loc, log_var), noise) + wider


@AMORTIZATION_GAP.misconception(
    "You took `log_var` for log σ. It is log σ²: σ = exp(½ log σ²), and the entropy is half its "
    "sum.",
    sign=signs.gives(lambda c: c.gap_from(c.model.loc, 2 * c.model.log_var)),
)
def taken_for_log_std(x, encode, log_joint, num_steps, generator):
    def as_read(x):
        loc, log_var = encode(x)
        return loc, 2 * log_var

    return reference(x, as_read, log_joint, num_steps, generator)


@AMORTIZATION_GAP.misconception(
    "You start from the prior, not from the encoder's q, and measure what is won over that.",
    sign=signs.gives(lambda c: c.gap_from(0 * c.model.loc, 0 * c.model.log_var)),
)
def from_the_prior(x, encode, log_joint, num_steps, generator):
    def prior(x):
        loc, log_var = encode(x)
        return 0 * loc, 0 * log_var

    return reference(x, prior, log_joint, num_steps, generator)


@AMORTIZATION_GAP.misconception(
    "You return the sum over the points. Every point has its own gap: return (N,).",
    sign=signs.shaped(lambda n: (1,)),
)
def summed(x, encode, log_joint, num_steps, generator):
    return reference(x, encode, log_joint, num_steps, generator).sum()[None]


@AMORTIZATION_GAP.variant
def fresh_noise_and_adam(x, encode, log_joint, num_steps, generator):
    start = encode(x)
    loc, log_var = (part.clone().requires_grad_() for part in start)
    optimiser = torch.optim.Adam([loc, log_var], lr=0.05)
    for _ in range(num_steps):
        noise = torch.randn(16, *loc.shape, generator=generator, dtype=x.dtype)
        z = loc + torch.exp(0.5 * log_var) * noise
        _, slope = log_joint(x, z.detach())
        bound = (z * slope).sum(-1).mean(0) + 0.5 * log_var.sum(-1)
        optimiser.zero_grad()
        (-bound.sum()).backward()
        optimiser.step()
    noise = torch.randn(2000, *loc.shape, generator=generator, dtype=x.dtype)
    return won(x, log_joint, (loc.detach(), log_var.detach()), start, noise)


@AMORTIZATION_GAP.variant
def by_hand(x, encode, log_joint, num_steps, generator):
    loc, log_var, noise, draw = setting(x, encode, generator)
    mean, width = loc, log_var
    for step in range(num_steps):
        few = draw()
        scale = (0.5 * width).exp()
        slope = log_joint(x, mean + scale * few)[1]
        rate = 0.15 * (1 - step / num_steps) + 0.02
        # in units of q, so that one rate fits all
        mean = mean + rate * scale**2 * slope.mean(0)
        width = width + rate * (1 + (slope * few * scale).mean(0))
    return won(x, log_joint, (mean, width), (loc, log_var), noise)


@AMORTIZATION_GAP.variant
def point_by_point(x, encode, log_joint, num_steps, generator):
    rows = [reference(row, encode, log_joint, num_steps, generator) for row in x.split(1)]
    return torch.cat(rows)


@AMORTIZATION_GAP.variant
def with_the_scale_as_parameter(x, encode, log_joint, num_steps, generator):
    start = encode(x)
    loc = start[0].clone().requires_grad_()
    log_scale = (0.5 * start[1]).clone().requires_grad_()
    optimiser = torch.optim.Adam([loc, log_scale], lr=0.05)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.1, max(num_steps, 1))
    for _ in range(num_steps):
        noise = torch.randn(16, *loc.shape, generator=generator, dtype=x.dtype)
        noise = torch.cat((noise, -noise))
        z = loc + log_scale.exp() * noise
        slope = log_joint(x, z.detach())[1]
        loss = -((z * slope).sum(-1).mean(0) + log_scale.sum(-1)).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    noise = torch.randn(1000, *loc.shape, generator=generator, dtype=x.dtype)
    noise = torch.cat((noise, -noise))
    end = loc.detach(), 2 * log_scale.detach()
    return won(x, log_joint, end, start, noise)


@AMORTIZATION_GAP.variant
def by_log_weights(x, encode, log_joint, num_steps, generator):
    loc, log_var, noise, _ = setting(x, encode, generator)
    best = improve(x, log_joint, loc, log_var, num_steps, generator)

    def bound(loc, log_var):
        q = torch.distributions.Normal(loc, (0.5 * log_var).exp())
        z = q.loc + q.scale * noise
        return (log_joint(x, z)[0] - q.log_prob(z).sum(-1)).mean(0)

    return bound(*best) - bound(loc, log_var)
