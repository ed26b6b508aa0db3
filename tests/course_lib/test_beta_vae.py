r"""The losses of the β-VAE family, and the parts of the rate by quadrature and in closed form."""

import itertools
import math

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal

from course_lib.beta_vae import (
    DeepConvVAE,
    beta_tc_loss,
    capacity_loss,
    rate_distortion,
    rotate_latent,
    total_correlation,
)
from course_lib.beta_vae.objectives import _log_densities
from course_lib.disentanglement import mig
from course_lib.evaluation import kl_per_dimension, log_marginal
from course_lib.priors import MixturePrior
from course_lib.vae import VAE, ConvVAE, LinearVAE, elbo_terms, negative_elbo

ALARM = 5.0  # standard errors: one false alarm in two million
DIM, LATENT, NUM = 6, 3, 7


def fresh(seed=1):
    return torch.Generator(torch.get_default_device()).manual_seed(seed)


def diagonal(loc, scale):
    return Independent(Normal(loc, scale), 1)


@pytest.fixture
def vae(generator):
    r"""With weights large enough that posteriors differ."""
    model = VAE(DIM, LATENT, hidden=(8,))
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(0.7 * torch.randn(value.shape, generator=generator))
    return model


@pytest.fixture
def x(generator):
    return torch.rand(NUM, DIM, generator=generator).round()


@pytest.fixture
def rotation(generator):
    return torch.linalg.qr(torch.randn(LATENT, LATENT, generator=generator))[0]


# Capacity


def test_the_price_of_a_rate_is_its_distance_from_the_capacity(vae, x):
    rate, distortion = elbo_terms(vae, x, generator=fresh())
    for capacity in (0.0, rate.mean().item(), 50.0):
        found = capacity_loss(vae, x, capacity=capacity, weight=3.0, generator=fresh())
        expected = distortion + 3 * abs(rate.mean() - capacity)
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(("capacity", "sign"), [(0.0, 1), (1e3, -1)])
def test_below_its_capacity_the_rate_is_pushed_up(vae, x, capacity, sign):
    parameters = list(vae.encoder.parameters())
    rate, distortion = elbo_terms(vae, x, generator=fresh())
    pull = torch.autograd.grad(rate.mean(), parameters, retain_graph=True)
    plain = torch.autograd.grad(distortion.mean(), parameters)
    loss = capacity_loss(vae, x, capacity=capacity, weight=2.0, generator=fresh()).mean()
    found = torch.autograd.grad(loss, parameters)
    for value, a, b in zip(found, plain, pull, strict=True):
        torch.testing.assert_close(value, a + 2 * sign * b)


# The three parts of the rate


def quadrature(loc, scale):
    r"""The parts for the mixture of these Gaussians in two dimensions, by sums on a grid."""
    line = torch.linspace(-9, 9, 361, dtype=torch.float64)
    grid = torch.cartesian_prod(line, line)
    area = (line[1] - line[0]) ** 2
    each = Normal(loc.double(), scale.double()).log_prob(grid[:, None])  # (G, N, 2)
    log_weight = -math.log(len(loc))
    own = each.sum(-1)
    log_q = own.logsumexp(1) + log_weight
    log_product = (each.logsumexp(1) + log_weight).sum(-1)
    log_prior = Normal(0.0, 1.0).log_prob(grid).sum(-1)
    q = log_q.exp() * area
    conditional = (own.exp() * own).sum() * area / len(loc)
    return torch.stack(
        [
            conditional - (q * log_q).sum(),
            (q * (log_q - log_product)).sum(),
            (q * (log_product - log_prior)).sum(),
        ]
    )


@pytest.fixture
def mixture():
    loc = torch.tensor([[-1.5, -1.0], [0.0, 0.3], [1.2, 1.4], [0.5, -0.8]])
    scale = torch.tensor([[0.4, 0.7], [0.9, 0.5], [0.6, 0.6], [0.3, 1.0]])
    return loc, scale


def repeated(mixture, times, generator):
    r"""Each point so many times: the aggregate stays, and there are more draws from it."""
    loc, scale = (part.repeat(times, 1) for part in mixture)
    return loc + scale * torch.randn(loc.shape, generator=generator), diagonal(loc, scale)


def test_on_the_whole_data_each_part_is_right(mixture, generator):
    found = []
    for _ in range(100):
        z, q = repeated(mixture, 50, generator)
        found.append(torch.stack(total_correlation(z, q, len(z), stratified=True)))
    found = torch.stack(found).double().cpu()
    error = found.std(0) / 10
    expected = quadrature(*mixture).cpu()
    assert ((found.mean(0) - expected).abs() < ALARM * error).all()
    assert (error < 0.01).all()
    assert (expected > 0.05).all()


def test_the_closed_form_of_a_gaussian_aggregate(generator):
    r"""Means from a Gaussian, equal spreads: q(z) is nearly N(0, C + s²) with many points."""
    root = torch.tensor([[1.0, 0.0], [0.8, 0.7]])
    loc = torch.randn(3000, 2, generator=generator) @ root.mT
    q = diagonal(loc, torch.full_like(loc, 0.8))
    covariance = root @ root.mT + 0.64 * torch.eye(2)
    log_det = torch.linalg.slogdet(covariance).logabsdet
    expected = torch.stack(
        [
            0.5 * log_det - math.log(0.64),
            0.5 * (covariance.diagonal().log().sum() - log_det),
            0.5 * (covariance.diagonal() - 1 - covariance.diagonal().log()).sum(),
        ]
    )
    z = loc + 0.8 * torch.randn(loc.shape, generator=generator)
    found = torch.stack(total_correlation(z, q, len(z), stratified=True))
    torch.testing.assert_close(found, expected, rtol=0, atol=0.06)


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("num_points", [NUM, 10**6])
def test_the_parts_sum_to_the_rate_whatever_the_estimate(
    vae, x, stratified, num_points, generator, eps
):
    q = vae.posterior(x)
    z = q.mean + q.stddev * torch.randn(NUM, LATENT, generator=generator)
    parts = total_correlation(z, q, num_points, stratified=stratified)
    expected = (q.log_prob(z) - vae.prior().log_prob(z)).mean()
    torch.testing.assert_close(sum(parts), expected, rtol=1e3 * eps, atol=1e3 * eps)


def test_the_weighted_estimate_on_the_whole_data_is_off_by_known_constants(vae, x, generator):
    q, log_num = vae.posterior(x), math.log(NUM)
    z = q.mean + q.stddev * torch.randn(NUM, LATENT, generator=generator)
    exact = torch.stack(total_correlation(z, q, NUM, stratified=True))
    found = torch.stack(total_correlation(z, q, NUM))
    off = torch.tensor([log_num, (LATENT - 1) * log_num, -LATENT * log_num])
    torch.testing.assert_close(found, exact + off)


@pytest.fixture
def subsets(mixture):
    r"""A fixed draw from the first of four points, in each batch of two that holds it."""
    loc, scale = mixture
    z = loc + 0.3 * scale
    batches = [torch.tensor([0, other]) for other in (1, 2, 3)]
    exact = diagonal(loc, scale).log_prob(z[:1, None]).exp().mean()
    return z, batches, exact


@pytest.mark.parametrize("stratified", [False, True])
def test_the_mean_over_batches(mixture, subsets, stratified):
    r"""Of the stratified estimate it is q(z); that of the weighted one is smaller."""
    loc, scale = mixture
    z, batches, exact = subsets
    values = []
    for batch in batches:
        q = diagonal(loc[batch], scale[batch])
        values.append(_log_densities(z[batch], q, 4, stratified)[1][0])
    mean = torch.stack(values).exp().mean()
    if stratified:
        torch.testing.assert_close(mean, exact)
        assert torch.stack(values).mean() < exact.log()  # the mean of logs is too small
    else:
        assert mean < exact


def test_the_stratified_weights_are_the_published_ones_averaged_over_the_order(mixture):
    r"""1/N' for the own point, 1/B for the others but the last, (N' − B) / (N' B) for the last."""
    loc, scale = mixture
    q = diagonal(loc, scale)
    density = q.log_prob(loc[:, None]).exp()[0]  # of the first point's z, (4,)
    size, others = 10, 3
    orders = [
        density[0] / size
        + density[list(order[:-1])].sum() / others
        + density[order[-1]] * (size - others) / (size * others)
        for order in itertools.permutations((1, 2, 3))
    ]
    found = _log_densities(loc, q, size, True)[1][0].exp()
    torch.testing.assert_close(found, torch.stack(orders).mean())


def test_pieces_give_the_same_as_the_whole(mixture, generator, monkeypatch):
    z, q = repeated(mixture, 9, generator)
    whole = total_correlation(z, q, 100, stratified=True)
    monkeypatch.setattr("course_lib.beta_vae.objectives.MAX_ENTRIES", 400)
    torch.testing.assert_close(total_correlation(z, q, 100, stratified=True), whole)


# The loss of the β-TCVAE


def test_with_beta_one_it_is_the_negative_elbo(vae, x):
    found = beta_tc_loss(vae, x, 100, beta=1.0, generator=fresh())
    assert torch.equal(found, negative_elbo(vae, x, generator=fresh()))


@pytest.mark.parametrize("beta", [0.0, 5.0])
def test_only_the_total_correlation_is_weighted(vae, x, beta):
    q = vae.posterior(x)
    z = q.mean + q.stddev * torch.randn(1, NUM, LATENT, generator=fresh())[0]
    parts = total_correlation(z, q, 100)
    found = beta_tc_loss(vae, x, 100, beta=beta, generator=fresh())
    assert found.shape == (NUM,)
    expected = negative_elbo(vae, x, generator=fresh()).mean()
    torch.testing.assert_close(found.mean(), expected + (beta - 1) * parts.total_correlation)
    _, distortion = elbo_terms(vae, x, generator=fresh())
    rate = elbo_terms(vae, x)[0].mean() - (q.log_prob(z) - vae.prior().log_prob(z)).mean()
    whole = distortion.mean() + parts[0] + beta * parts[1] + parts[2]
    torch.testing.assert_close(found.mean(), whole + rate)  # the rate is exact, not of the draws


def test_it_takes_correlation_out_of_the_code(generator):
    r"""An encoder whose two codes are copies; the distortion is kept out of it."""
    vae = LinearVAE(2, 2)
    with torch.no_grad():
        vae.encoder.loc.weight.copy_(torch.tensor([[1.0, 0.1], [1.0, -0.1]]))
        vae.encoder.log_var.fill_(-2.0)
    x = torch.randn(64, 2, generator=generator)
    z = vae.encode(x)
    parts = total_correlation(z, vae.posterior(x), 64, stratified=True)
    difference = [beta_tc_loss(vae, x, 64, beta=b, generator=fresh()).mean() for b in (9.0, 1.0)]
    (slope,) = torch.autograd.grad(difference[0] - difference[1], [vae.encoder.loc.weight])
    with torch.no_grad():
        vae.encoder.loc.weight -= 0.01 * slope
    after = total_correlation(vae.encode(x), vae.posterior(x), 64, stratified=True)
    assert parts.total_correlation > 0.5
    assert after.total_correlation < parts.total_correlation


# Rate and distortion


def test_rate_and_distortion_are_means_over_points(vae, generator, monkeypatch):
    x = torch.rand(25, DIM, generator=generator).round()
    expected = [term.mean().item() for term in elbo_terms(vae, x, generator=fresh())]
    found = rate_distortion(vae, x, generator=fresh())
    assert found == pytest.approx(expected, rel=1e-5)
    monkeypatch.setattr("course_lib.beta_vae.objectives.CHUNK_SIZE", 12)
    rate, distortion = rate_distortion(vae, x, num_samples=3, generator=fresh())
    assert rate == pytest.approx(expected[0], rel=1e-5)
    assert distortion == pytest.approx(expected[1], rel=0.5)


# The deeper network


@pytest.mark.parametrize(("size", "channels"), [(32, 1), (16, 3)])
def test_shapes_of_the_deeper_network(size, channels, generator):
    vae = DeepConvVAE(5, size=size, num_channels=channels, width=4)
    dim = channels * size**2
    x = torch.rand(3, dim, generator=generator)
    assert vae.dim == dim
    assert vae.decode(torch.zeros(2, 3, 5)).shape == (2, 3, dim)
    beta_tc_loss(vae, x, 100, beta=3.0).mean().backward()
    assert all(value.grad.abs().sum() > 0 for value in vae.parameters())
    with pytest.raises(ValueError, match="size is 20; expected a multiple of 8"):
        DeepConvVAE(5, size=20)


# The same model in other coordinates


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_a_rotated_model_has_the_same_elbo(likelihood, x, rotation, eps):
    vae = VAE(DIM, LATENT, hidden=(8,), likelihood=likelihood)
    turned = rotate_latent(vae, rotation)
    for beta in (1.0, 4.0):
        pair = [negative_elbo(m, x, beta=beta, generator=fresh()) for m in (vae, turned)]
        torch.testing.assert_close(*pair, rtol=1e2 * eps, atol=1e2 * eps)
    assert (pair[0] - pair[1]).abs().max() < 1e-5


def test_a_rotated_model_of_images(generator, rotation, eps):
    vae = ConvVAE(LATENT, size=8, width=4)
    x = torch.rand(5, 64, generator=generator)
    pair = [negative_elbo(m, x, generator=fresh()) for m in (vae, rotate_latent(vae, rotation))]
    torch.testing.assert_close(*pair, rtol=1e2 * eps, atol=1e2 * eps)


def test_densities_of_a_rotated_model(vae, x, rotation, generator, eps):
    turned = rotate_latent(vae, rotation)
    z = torch.randn(4, NUM, LATENT, generator=generator)
    options = {"rtol": 1e4 * eps, "atol": 1e4 * eps}
    rotated = z @ rotation.mT
    torch.testing.assert_close(turned.log_joint(x, rotated), vae.log_joint(x, z), **options)
    q, after = vae.posterior(x), turned.posterior(x)
    torch.testing.assert_close(after.log_prob(rotated), q.log_prob(z), **options)
    torch.testing.assert_close(turned.encode(x), vae.encode(x) @ rotation.mT, **options)
    covariance = rotation @ q.variance.diag_embed() @ rotation.mT
    torch.testing.assert_close(after.covariance_matrix, covariance, **options)
    torch.testing.assert_close(turned.decode(rotated), vae.decode(z), **options)
    assert log_marginal(turned, x, 20).isfinite().all()


def test_mutual_information_does_not_notice_a_rotation_but_total_correlation_does(
    vae, x, rotation, generator, eps
):
    q, turned = vae.posterior(x), rotate_latent(vae, rotation).posterior(x)
    z = q.mean + q.stddev * torch.randn(NUM, LATENT, generator=generator)
    before = total_correlation(z, q, NUM, stratified=True)
    after = total_correlation(z @ rotation.mT, turned, NUM, stratified=True)
    options = {"rtol": 1e4 * eps, "atol": 1e4 * eps}
    torch.testing.assert_close(after[0], before[0], **options)
    torch.testing.assert_close(after[1] + after[2], before[1] + before[2], **options)
    assert abs(after[1] - before[1]) > 1e-3


def test_the_impossibility_lab_in_small(eps):
    r"""Codes that are the factors score 1; turned by 45 degrees, the same model scores 0."""
    factors = torch.cartesian_prod(torch.arange(9), torch.arange(9))
    x = (factors.to(torch.get_default_dtype()) - 4) / 3
    vae = LinearVAE(2, 2)
    with torch.no_grad():
        vae.encoder.loc.weight.copy_(torch.eye(2))
        vae.encoder.loc.bias.zero_()
        vae.encoder.log_var.fill_(-2.0)  # the same in both: no rotation can be told from another
    half = math.sqrt(0.5)
    turned = rotate_latent(vae, torch.tensor([[half, half], [-half, half]]))
    pair = [negative_elbo(m, x, generator=fresh()).mean() for m in (vae, turned)]
    torch.testing.assert_close(*pair, rtol=1e2 * eps, atol=1e-5)
    covariance = turned.posterior(x).covariance_matrix
    expected = math.exp(-2) * torch.eye(2).expand_as(covariance)
    torch.testing.assert_close(covariance, expected)
    codes = turned.encode(x).detach().mul(1e3).round()  # rounding would decide at edges of bins
    assert mig(vae.encode(x).detach(), factors) == pytest.approx(1, abs=1e-6)
    assert mig(codes, factors) < 1e-6


def test_a_rotated_model_is_a_copy(vae, x, rotation):
    before = {name: value.clone() for name, value in vae.state_dict().items()}
    turned = rotate_latent(vae, rotation)
    negative_elbo(turned, x).mean().backward()
    with torch.no_grad():
        for value in turned.parameters():
            value.add_(1.0)
    assert all(torch.equal(value, before[name]) for name, value in vae.state_dict().items())
    assert all(value.grad is None for value in vae.parameters())
    twice = rotate_latent(rotate_latent(vae, rotation), rotation.mT)
    torch.testing.assert_close(
        twice.decode(torch.ones(1, LATENT)), vae.decode(torch.ones(1, LATENT))
    )


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (2 * torch.eye(LATENT), "expected an orthogonal matrix"),
        (torch.eye(2), r"expected an orthogonal matrix \(3, 3\)"),
        (torch.ones(LATENT), "has shape"),
    ],
)
def test_only_rotations(vae, wrong, message):
    with pytest.raises(ValueError, match=message):
        rotate_latent(vae, wrong)


def test_the_kl_of_a_rotated_model_is_no_sum_over_dimensions(vae, x, rotation):
    turned = rotate_latent(vae, rotation)
    for ask in (
        lambda: kl_per_dimension(turned, x),
        lambda: negative_elbo(turned, x, free_bits=0.1),
        lambda: beta_tc_loss(turned, x, 100, beta=2.0),
    ):
        with pytest.raises(ValueError, match="is a MultivariateNormal; expected independent"):
            ask()


def test_a_learned_prior_has_no_factors():
    vae = VAE(DIM, LATENT, prior=MixturePrior(LATENT, 2))
    for ask in (
        lambda: rotate_latent(vae, torch.eye(LATENT)),
        lambda: beta_tc_loss(vae, torch.zeros(3, DIM), 100, beta=2.0),
    ):
        with pytest.raises(ValueError, match="prior of this model is learned"):
            ask()


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_input(vae, x):
    q = vae.posterior(x)
    for ask, message in (
        (lambda: capacity_loss(vae, x, capacity=-1.0, weight=1.0), "capacity is -1.0"),
        (lambda: capacity_loss(vae, x, capacity=1.0, weight=math.nan), "weight is nan"),
        (lambda: beta_tc_loss(vae, x, 100, beta=-1.0), "beta is -1.0"),
        (lambda: beta_tc_loss(vae, x, 5, beta=2.0), "7 points and num_points is 5"),
        (lambda: beta_tc_loss(vae, x[:1], 5, beta=2.0), "expected at least two"),
        (lambda: total_correlation(q.mean[:3], q, 100), "one draw for each point"),
        (lambda: total_correlation(q.mean[None], q, 100), "one draw for each point"),
        (lambda: rate_distortion(vae, x[:, :2]), "x has shape"),
        (lambda: rate_distortion(vae, x, num_samples=0), "num_samples is 0"),
    ):
        with pytest.raises(ValueError, match=message):
            ask()


def test_a_correlated_posterior_has_correlated_marginals(generator):
    r"""Per dimension the marginals count: of one Gaussian, TC is half the log of 1 / det corr."""
    covariance = torch.tensor([[1.0, 0.6], [0.6, 1.0]])
    q = MultivariateNormal(torch.zeros(400, 2), covariance)
    z = torch.randn(400, 2, generator=generator) @ torch.linalg.cholesky(covariance).mT
    found = total_correlation(z, q, 400, stratified=True)
    assert abs(found.mutual_information) < 1e-4  # all posteriors are the aggregate
    assert found.total_correlation.item() == pytest.approx(-0.5 * math.log(0.64), abs=0.12)
