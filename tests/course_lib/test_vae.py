r"""VAEs against exact quantities: closed forms, quadrature, the linear model."""

import copy
import math

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from course_lib.likelihoods import bernoulli, gaussian
from course_lib.linear_gaussian import fit_maximum_likelihood
from course_lib.monte_carlo import log_weights
from course_lib.priors import MixturePrior
from course_lib.training import TrainSettings, cosine, train
from course_lib.vae import (
    VAE,
    ConvVAE,
    LinearVAE,
    effective_beta,
    elbo_terms,
    kl_schedule,
    kl_to_standard_normal,
    negative_elbo,
    reparameterize,
)
from course_lib.vae.models import LIKELIHOODS
from course_lib.variational import elbo, elbo_three_ways

ALARM = 5.0  # standard errors: one false alarm in two million
DIM, LATENT = 6, 2


@pytest.fixture
def x(generator):
    return torch.rand(9, DIM, generator=generator)


@pytest.fixture
def linear(generator) -> LinearVAE:
    r"""With random weights: q is not the posterior."""
    vae = LinearVAE(DIM, LATENT)
    with torch.no_grad():
        for value in vae.parameters():
            value.copy_(0.5 * torch.randn(value.shape, generator=generator))
    return vae


# Models


@pytest.mark.parametrize("likelihood", LIKELIHOODS)
@pytest.mark.parametrize("hidden", [(), (8,), (8, 5)])
def test_shapes(likelihood, hidden, x, generator):
    vae = VAE(DIM, LATENT, hidden=hidden, likelihood=likelihood)
    posterior, found = vae(x)
    assert (posterior.batch_shape, posterior.event_shape) == ((9,), (LATENT,))
    assert (found.batch_shape, found.event_shape) == ((9,), (DIM,))
    z = torch.randn(4, 9, LATENT, generator=generator)
    assert vae(x, noise=z).likelihood.batch_shape == (4, 9)
    assert vae.log_joint(x, z).shape == (4, 9)
    assert vae.encode(x).shape == (9, LATENT)
    assert vae.decode(z).shape == (4, 9, DIM)
    mean, z = vae.sample(3, generator=generator)
    assert (mean.shape, z.shape) == ((3, DIM), (3, LATENT))
    assert negative_elbo(vae, x).shape == (9,)


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3), (8, 2)])
def test_shapes_of_the_convolutional_model(size, channels, generator):
    vae = ConvVAE(5, size=size, num_channels=channels, width=4)
    dim = channels * size**2
    x = torch.rand(3, dim, generator=generator)
    assert vae.dim == dim
    assert vae.posterior(x).mean.shape == (3, 5)
    assert vae.decode(torch.zeros(2, 3, 5)).shape == (2, 3, dim)
    negative_elbo(vae, x, num_samples=2).mean().backward()
    assert all(value.grad.abs().sum() > 0 for value in vae.parameters())


def test_the_convolutional_decoder_keeps_draws_apart(generator):
    vae = ConvVAE(5, size=8, width=4)
    z = torch.randn(2, 3, 5, generator=generator)
    torch.testing.assert_close(vae.decode(z)[1, 2], vae.decode(z[1, 2][None])[0])


def test_type_follows_the_model_and_the_data(x):
    vae = VAE(DIM, LATENT, hidden=(8,), likelihood="gaussian").float()
    loss = negative_elbo(vae, x.float())
    assert loss.dtype == torch.float32
    assert loss.device == x.device
    assert vae.log_scale.dtype == torch.float32


def test_the_log_joint_is_prior_times_likelihood(x, generator):
    vae = VAE(DIM, LATENT, likelihood="gaussian")
    z = torch.randn(4, 9, LATENT, generator=generator)
    prior = -0.5 * (z.square().sum(-1) + LATENT * math.log(2 * math.pi))
    expected = prior + gaussian(vae.decoder(z), vae.log_scale).log_prob(x)
    torch.testing.assert_close(vae.log_joint(x, z), expected)


def test_the_generator_decides_the_draws(x):
    vae = VAE(DIM, LATENT)

    def seeded():
        return torch.Generator(x.device).manual_seed(3)

    pairs = [
        [negative_elbo(vae, x, generator=seeded()) for _ in range(2)],
        [vae.sample(4, generator=seeded())[0] for _ in range(2)],
        [reparameterize(x, x, generator=seeded()) for _ in range(2)],
    ]
    assert all(torch.equal(*pair) for pair in pairs)
    assert not torch.equal(negative_elbo(vae, x), negative_elbo(vae, x))


def test_it_learns(x):
    torch.manual_seed(0)
    vae = VAE(DIM, LATENT, hidden=(16,))
    settings = TrainSettings(
        num_steps=200,
        learning_rate=1e-2,
        accelerator=x.device.type,
        precision="64-true" if x.dtype == torch.float64 else "32-true",
        progress=False,
    )
    losses = train(vae, lambda vae, x: negative_elbo(vae, x.round()).mean(), (x,), settings)
    assert losses[-20:].mean() < losses[:20].mean() - 0.3


# The two terms


@pytest.mark.parametrize("log_var", [-60.0, -2.0, 0.0, 1.5, 60.0])
def test_kl_is_torchs(log_var, generator, eps):
    loc = torch.randn(4, 3, generator=generator)
    log_vars = log_var + torch.randn(4, 3, generator=generator)
    q = Normal(loc, (0.5 * log_vars).exp())
    expected = kl_divergence(q, Normal(torch.zeros(3), torch.ones(3))).sum(-1)
    found = kl_to_standard_normal(loc, log_vars)
    torch.testing.assert_close(found, expected, rtol=100 * eps, atol=100 * eps)


def test_kl_is_the_integral():
    grid = torch.linspace(-30, 30, 6001)
    loc, log_var = torch.tensor([0.7]), torch.tensor([1.2])
    q = Normal(loc, (0.5 * log_var).exp())
    gap = q.log_prob(grid) - Normal(0.0, 1.0).log_prob(grid)
    expected = torch.trapezoid(q.log_prob(grid).exp() * gap, grid)
    assert kl_to_standard_normal(loc, log_var).item() == pytest.approx(expected.item(), abs=1e-4)


def test_kl_near_the_prior_is_not_lost_in_rounding():
    log_var = torch.full((1,), 1e-3, dtype=torch.float32)
    found = kl_to_standard_normal(torch.zeros(1, dtype=torch.float32), log_var).item()
    assert found == pytest.approx(0.5 * (math.expm1(1e-3) - 1e-3), rel=1e-3)
    assert kl_to_standard_normal(torch.zeros(2, 3), torch.zeros(2, 3)).tolist() == [0.0, 0.0]


def test_draws_have_the_mean_and_the_variance(generator):
    loc, log_var = torch.tensor([2.0, -1.0]), torch.tensor([1.0, -3.0])
    z = reparameterize(loc.expand(100_000, 2), log_var.expand(100_000, 2), generator=generator)
    std = (0.5 * log_var).exp()
    assert ((z.mean(0) - loc).abs() < ALARM * std / math.sqrt(100_000)).all()
    assert ((z.var(0) / std.square() - 1).abs() < ALARM * math.sqrt(2 / 100_000)).all()
    noise = (z - loc) / std
    assert abs((noise[:, 0] * noise[:, 1]).mean()) < ALARM / math.sqrt(100_000)


def test_gradients_flow_through_the_draw(generator):
    loc, log_var = torch.zeros(3, requires_grad=True), torch.ones(3, requires_grad=True)
    z = reparameterize(loc, log_var, generator=generator)
    z.sum().backward()
    assert loc.grad.tolist() == [1, 1, 1]
    torch.testing.assert_close(log_var.grad, 0.5 * z.detach())  # d/d log σ² of σ ε


def test_the_loss_averages_to_the_exact_elbo(linear, x, generator):
    q = linear.posterior(x)
    exact = elbo_three_ways(linear.to_linear_gaussian(), x, q).likelihood_and_kl
    found = torch.stack(
        [negative_elbo(linear, x, num_samples=100, generator=generator) for _ in range(50)]
    )
    error = found.std(0) / math.sqrt(50)
    assert ((found.mean(0) + exact).abs() < ALARM * error).all()


def test_the_general_elbo_takes_the_model(linear, x, generator):
    exact = elbo_three_ways(linear.to_linear_gaussian(), x, linear.posterior(x)).likelihood_and_kl
    _, log_w = log_weights(x, linear.log_joint, linear.posterior(x), 5000, generator=generator)
    assert ((log_w.mean(0) - exact).abs() < ALARM * log_w.std(0) / math.sqrt(5000)).all()
    assert elbo(x, linear.log_joint, linear.posterior(x), 2).shape == (9,)


def test_the_terms_add_up_and_beta_weighs_the_rate(x):
    vae = VAE(DIM, LATENT)

    def seeded():
        return {"num_samples": 3, "generator": torch.Generator(x.device).manual_seed(1)}

    rate, distortion = elbo_terms(vae, x, **seeded())
    loc, scale = vae.posterior(x).base_dist.loc, vae.posterior(x).base_dist.scale
    torch.testing.assert_close(rate, kl_to_standard_normal(loc, 2 * scale.log()))
    for beta in (0.0, 1.0, 4.0):
        found = negative_elbo(vae, x, beta=beta, **seeded())
        torch.testing.assert_close(found, distortion + beta * rate)


def test_a_learned_prior_that_is_the_standard_normal(linear, x, generator):
    r"""The estimated KL averages to the closed form."""
    prior = MixturePrior(LATENT, 3)
    with torch.no_grad():
        prior.loc.zero_()
    exact, _ = elbo_terms(linear, x)
    linear.learned_prior = prior
    options = {"num_samples": 100, "generator": generator}
    found = torch.stack([elbo_terms(linear, x, **options)[0] for _ in range(50)])
    assert ((found.mean(0) - exact).abs() < ALARM * found.std(0) / math.sqrt(50)).all()


# What people do to the loss


def test_free_bits_count_a_small_kl_as_the_bound(x):
    vae = VAE(DIM, 3, hidden=(8,))

    def seeded():
        return {"generator": torch.Generator(x.device).manual_seed(1)}

    q = vae.posterior(x).base_dist
    terms = torch.stack(
        [kl_to_standard_normal(q.loc[:, m, None], 2 * q.scale[:, m, None].log()) for m in range(3)]
    )
    means = terms.mean(1)  # (M,)
    bound = means.sort().values[:2].mean().item()  # between the smallest and the second
    plain = negative_elbo(vae, x, **seeded()).mean()
    found = negative_elbo(vae, x, free_bits=bound, **seeded()).mean()
    torch.testing.assert_close(found - plain, means.clamp(min=bound).sum() - means.sum())
    most = negative_elbo(vae, x, free_bits=100.0, **seeded()).mean()
    torch.testing.assert_close(most - plain, 300 - means.sum())


def test_free_bits_stop_the_pressure_to_collapse(x):
    r"""Below the bound the gradient of the KL is gone; above it is as before."""
    vae = VAE(DIM, LATENT, hidden=())
    with torch.no_grad():
        vae.decoder[0].weight.zero_()  # the distortion does not depend on z
        vae.encoder[0].weight.mul_(0.01)
        vae.encoder[0].bias.copy_(torch.tensor([3.0, 0.01, 0.0, 0.0]))  # means, log variances
    negative_elbo(vae, x, free_bits=0.5).mean().backward()
    gradient = vae.encoder[0].bias.grad
    assert gradient[0].item() == pytest.approx(3, abs=0.1)  # of ½ μ²
    assert gradient[1].item() == gradient[3].item() == 0


def test_the_schedule_arrives_and_stays():
    values = [kl_schedule(step, 10) for step in range(30)]
    assert values[0] == 0
    assert values[5] == 0.5
    assert values[10:] == [1.0] * 20
    assert values == sorted(values)
    assert kl_schedule(0, 0) == 1


SUMS_AND_MEANS = {  # from the cross-entropy and the rate of each point to a loss; the true beta
    "sums": (lambda ce, rate: (ce + rate).sum(), 1),
    "mean over points": (lambda ce, rate: (ce + rate).mean(), 1),
    "mean over pixels": (lambda ce, rate: ce.mean() / DIM + rate.mean(), DIM),
    "both means": (lambda ce, rate: ce.mean() / DIM + rate.mean() / LATENT, DIM / LATENT),
    "rate summed over the batch": (lambda ce, rate: ce.mean() + rate.sum(), 9),
    "twice": (lambda ce, rate: (ce + 2 * rate).sum() / 7, 2),
    "no rate": (lambda ce, rate: ce.sum(), 0),
}


@pytest.mark.parametrize("case", SUMS_AND_MEANS)
def test_effective_beta(case, x, generator):
    combine, expected = SUMS_AND_MEANS[case]
    output = torch.randn(9, DIM, generator=generator)
    loc, log_var = torch.randn(2, 9, LATENT, generator=generator)

    def loss_fn(x, logits, loc, log_var):
        return combine(-bernoulli(logits).log_prob(x), kl_to_standard_normal(loc, log_var))

    found = effective_beta(loss_fn, x, output, loc, log_var)
    assert found == pytest.approx(expected, rel=1e-4)


def test_effective_beta_of_a_squared_error(x, generator):
    r"""A mean over D squares is 2 / D of the distortion of a Gaussian with σ = 1."""
    loc, log_var = torch.randn(2, 9, LATENT, generator=generator)

    def loss_fn(x, out, loc, log_var):
        return (x - out).square().mean() + kl_to_standard_normal(loc, log_var).mean()

    found = effective_beta(
        loss_fn, x, torch.zeros_like(x), loc, log_var, likelihood=lambda out: gaussian(out, 0.0)
    )
    assert found == pytest.approx(DIM / 2, rel=1e-4)
    with pytest.raises(ValueError, match="not a multiple of that of its term"):
        effective_beta(loss_fn, x, torch.zeros_like(x), loc, log_var)


# The linear model, where everything is known


def test_the_linear_model_reaches_the_exact_log_likelihood():
    r"""Trained on Gaussian data: within 0.01 nat of the maximum, with the principal subspace.

    The principal variances differ: where they are nearly the same, W is slow to turn until its
    columns are orthogonal, which q needs.
    """
    draws = torch.Generator("cpu").manual_seed(0)
    basis, codes, noise = (
        torch.randn(shape, generator=draws, device="cpu", dtype=torch.float64)
        for shape in ((DIM, LATENT), (500, LATENT), (500, DIM))
    )
    mix = torch.linalg.qr(basis)[0] * torch.tensor([3.0, 1.5]).to(basis)
    x = (codes @ mix.mT + 0.5 * noise + 1.0).to(torch.zeros(()))
    torch.manual_seed(0)
    vae = LinearVAE(DIM, LATENT)
    settings = TrainSettings(
        num_steps=1200,
        learning_rate=0.03,
        schedule=cosine,
        accelerator=x.device.type,
        precision="64-true" if x.dtype == torch.float64 else "32-true",
        progress=False,
    )
    train(vae, lambda vae, x: negative_elbo(vae, x).mean(), (x,), settings)
    fitted, best = vae.to_linear_gaussian(), fit_maximum_likelihood(x, LATENT)
    optimum = best.log_marginal(x).mean().item()
    bound = elbo_three_ways(fitted, x, vae.posterior(x)).likelihood_and_kl.mean().item()
    evidence = fitted.log_marginal(x).mean().item()
    assert optimum - 0.01 < bound < evidence + 1e-5
    assert evidence < optimum + 1e-5
    ours, theirs = (torch.linalg.qr(model.weight)[0] for model in (fitted, best))
    cosines = torch.linalg.svdvals(ours.mT @ theirs)  # of the principal angles
    assert cosines.min() > math.cos(math.radians(2))


def test_the_linear_model_is_the_linear_gaussian(linear, x, generator):
    model = linear.to_linear_gaussian()
    z = torch.randn(3, 9, LATENT, generator=generator)
    torch.testing.assert_close(linear.log_joint(x, z), model.log_joint(x, z))
    q = linear.posterior(x)
    assert isinstance(q, Independent)
    torch.testing.assert_close(q.stddev, q.stddev[:1].expand(9, -1))  # the same for every x
    before = model.weight.clone()
    with torch.no_grad():
        linear.decoder[0].weight.add_(1)
    torch.testing.assert_close(model.weight, before)  # a copy


def test_a_copy_is_its_own_model(x):
    vae = VAE(DIM, LATENT)
    twin = copy.deepcopy(vae)
    with torch.no_grad():
        twin.decoder[0].weight.zero_()
    assert not torch.equal(vae.decode(torch.ones(1, LATENT)), twin.decode(torch.ones(1, LATENT)))


# Bad input


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_input(x):
    vae = VAE(DIM, LATENT)
    flat = r"expected \(N, 6\) of floating-point numbers: flatten images"
    for wrong in (x[0], x[:, :5], x[:, None], x.round().long()):
        with pytest.raises(ValueError, match=flat):
            negative_elbo(vae, wrong)
    with pytest.raises(ValueError, match=r"expected \(S, N, M\) with N = 9 and M = 2"):
        vae.log_joint(x, torch.zeros(3, 8, 2))
    with pytest.raises(ValueError, match="likelihood is 'poisson'; expected one of bernoulli, "):
        VAE(DIM, LATENT, likelihood="poisson")
    with pytest.raises(ValueError, match=r"hidden\[1\] is 0"):
        VAE(DIM, LATENT, hidden=(8, 0))
    with pytest.raises(ValueError, match="latent_dim is 0"):
        LinearVAE(DIM, 0)
    with pytest.raises(ValueError, match="size is 30; expected a multiple of 4"):
        ConvVAE(2, size=30)
    with pytest.raises(ValueError, match="num_samples is 0"):
        elbo_terms(vae, x, num_samples=0)
    with pytest.raises(ValueError, match="num_samples is 0"):
        vae.sample(0)
    with pytest.raises(ValueError, match="beta is -1"):
        negative_elbo(vae, x, beta=-1.0)
    with pytest.raises(ValueError, match="free_bits is -1"):
        negative_elbo(vae, x, free_bits=-1.0)
    with pytest.raises(ValueError, match="warmup_steps is -1"):
        kl_schedule(0, -1)
    with pytest.raises(ValueError, match="expected the same shape"):
        kl_to_standard_normal(torch.zeros(3, 2), torch.zeros(2))
    with pytest.raises(ValueError, match="expected the same shape"):
        reparameterize(torch.zeros(3, 2), torch.zeros(2))
    with pytest.raises(ValueError, match="expected a scalar"):
        effective_beta(lambda x, out, *q: kl_to_standard_normal(*q), x, x, x[:, :2], x[:, :2])
    with pytest.raises(ValueError, match="does not depend on the decoder's output"):
        effective_beta(lambda x, out, *q: kl_to_standard_normal(*q).sum(), x, x, x[:, :2], x[:, :2])
    vae.learned_prior = MixturePrior(LATENT, 2)
    with pytest.raises(ValueError, match="free_bits needs the KL of each latent dimension"):
        negative_elbo(vae, x, free_bits=0.1)
