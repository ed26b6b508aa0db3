r"""Autoencoders against PCA, denoisers against posterior means, and what both refuse."""

import dataclasses
import math

import pytest
import torch
from sklearn import decomposition
from torch import nn
from torch.distributions import MultivariateNormal

from course_lib import mixture
from course_lib.autoencoder import (
    Autoencoder,
    ConvAutoencoder,
    DenseAutoencoder,
    LinearAutoencoder,
    corrupt,
    denoising_loss,
    pca,
    principal_angles,
    reconstruction_loss,
    score_from_denoiser,
)
from course_lib.training import TrainSettings, train

ALARM = 5.0  # standard errors: one false alarm in two million


@pytest.fixture
def settings(pytestconfig):
    double = torch.get_default_dtype() == torch.float64
    return TrainSettings(
        num_steps=800,
        learning_rate=0.05,
        schedule=lambda progress: (1 - progress) ** 2,
        accelerator=pytestconfig.getoption("device"),
        precision="64-true" if double else "32-true",
        progress=False,
    )


@pytest.fixture
def x(generator):
    r"""Points whose variance falls from dimension to dimension, away from the origin."""
    scale = 2.0 ** -torch.arange(6)
    turn = torch.linalg.qr(torch.randn(6, 6, generator=generator)).Q
    return (scale * torch.randn(80, 6, generator=generator)) @ turn + 3.0


def make_models():
    torch.manual_seed(3)
    return {
        "dense": (DenseAutoencoder(12, 3, hidden=(8, 5)), (12,)),
        "dense, no hidden layer": (DenseAutoencoder(12, 3, hidden=()), (12,)),
        "identity output": (DenseAutoencoder(12, 3, hidden=(8,), output="identity"), (12,)),
        "linear": (LinearAutoencoder(12, 3), (12,)),
        "conv 28": (ConvAutoencoder(3, width=4), (1, 28, 28)),
        "conv 32, colour": (ConvAutoencoder(3, size=32, num_channels=3, width=4), (3, 32, 32)),
        "conv 64": (ConvAutoencoder(3, size=64, width=2), (1, 64, 64)),
        "conv 8, one level": (ConvAutoencoder(3, size=8, width=2), (1, 8, 8)),
    }


MODELS = ["dense", "dense, no hidden layer", "identity output", "linear", "conv 28"]
MODELS += ["conv 32, colour", "conv 64", "conv 8, one level"]


@pytest.mark.parametrize("name", MODELS)
def test_models_go_through_their_code(name, generator):
    model, event = make_models()[name]
    x = torch.rand(5, *event, generator=generator)
    z = model.encode(x)
    assert z.shape == (5, 3)
    assert z.dtype == x.dtype
    torch.testing.assert_close(model(x), model.decode(z))
    assert model(x).shape == x.shape
    model(x).sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


@pytest.mark.parametrize("name", MODELS)
def test_points_do_not_see_one_another(name, generator):
    model, event = make_models()[name]
    x = torch.rand(5, *event, generator=generator)
    order = torch.randperm(5, generator=generator)
    torch.testing.assert_close(model(x[order]), model(x)[order])
    torch.testing.assert_close(model(x[:1]), model(x)[:1])


def test_outputs_are_grey_values_or_any():
    model, _ = make_models()["dense"]
    far = 100.0 * torch.randn(50, 3)
    assert model.decode(far).min() >= 0.0
    assert model.decode(far).max() <= 1.0
    free, _ = make_models()["identity output"]
    assert free.decode(far).abs().max() > 1.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_precision_comes_from_the_inputs(dtype, generator):
    x = torch.rand(20, 4, generator=generator).to(dtype)
    model = LinearAutoencoder(4, 2).to(dtype)
    made = [model.encode(x), pca(x, 2)(x), corrupt(x, "gaussian", 0.1), corrupt(x, "dropout", 0.1)]
    made += [reconstruction_loss(model, x), denoising_loss(model, x, "dropout", 0.2)]
    made += [principal_angles(x[:, :2], x[:, 2:]), score_from_denoiser(model, x, 0.5)]
    assert all(value.dtype == dtype and value.device == x.device for value in made)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_linear_autoencoder_reaches_the_principal_subspace(x, settings, latent_dim):
    torch.manual_seed(0)
    x = x - 2.7  # a large mean would make the descent slow
    model, best = LinearAutoencoder(6, latent_dim), pca(x, latent_dim)
    train(model, reconstruction_loss, (x,), settings)
    angles = principal_angles(model.decoder.weight.detach(), best.components.mT)
    assert angles.rad2deg().max() < 1.0
    ratio = reconstruction_loss(model, x).item() / reconstruction_loss(best, x).item()
    assert 1.0 - 1e-4 < ratio < 1.01


@pytest.mark.parametrize("shape", [(80, 6), (20, 6), (5, 9)])
def test_pca_is_scikit_learns(shape, generator, eps):
    num_points, dim = shape
    x = torch.randn(shape, generator=generator) @ torch.randn(dim, dim, generator=generator) + 4
    found = pca(x, min(3, num_points))
    peer = decomposition.PCA(found.latent_dim, svd_solver="full").fit(x.cpu().double().numpy())
    expected = torch.as_tensor(peer.inverse_transform(peer.transform(x.cpu().double().numpy())))
    torch.testing.assert_close(
        found(x).cpu().double(), expected, rtol=0, atol=float(1e3 * eps * x.abs().max())
    )
    variances = torch.as_tensor(peer.explained_variance_) * (num_points - 1) / num_points
    torch.testing.assert_close(found.variances.cpu().double(), variances, rtol=1e3 * eps, atol=eps)


def test_pca_leaves_the_remaining_variance(x, eps):
    whole = pca(x, 6)
    for latent_dim in range(1, 7):
        left = whole.variances[latent_dim:].sum() / 6
        found = reconstruction_loss(pca(x, latent_dim), x)
        torch.testing.assert_close(found, left, rtol=1e4 * eps, atol=1e3 * eps)
    variances = whole.encode(x).square().mean(0)
    torch.testing.assert_close(variances, whole.variances, rtol=1e4 * eps, atol=1e3 * eps)
    identity = whole.components @ whole.components.mT
    torch.testing.assert_close(identity, torch.eye(6), rtol=0, atol=100 * eps)


def test_signs_of_components_are_fixed(x):
    once, again = pca(x, 4), pca(x.flip(0), 4)
    torch.testing.assert_close(once.components, again.components)
    largest = once.components.gather(1, once.components.abs().argmax(1, keepdim=True))
    assert (largest > 0).all()


@pytest.mark.parametrize("angle", [0.0, 1e-6, 1e-3, 0.5, math.pi / 4, 1.5, math.pi / 2])
def test_principal_angles_of_turned_planes(angle, generator, eps):
    r"""Two planes in four dimensions share one direction; the other is turned by `angle`."""
    a = torch.eye(4)[:, :2]
    b = a.clone()
    b[1, 1], b[2, 1] = math.cos(angle), math.sin(angle)
    turn = torch.linalg.qr(torch.randn(4, 4, generator=generator)).Q
    mix = torch.randn(2, 2, generator=generator) + 3 * torch.eye(2)
    found = principal_angles(turn @ a @ mix, turn @ b)
    torch.testing.assert_close(found, torch.tensor([0.0, angle]), rtol=0, atol=50 * eps)


def test_gaussian_noise_has_its_level(generator):
    x = torch.rand(200, 500, generator=generator)
    noise = corrupt(x, "gaussian", 0.3, generator=generator) - x
    assert abs(noise.mean()) < ALARM * 0.3 / math.sqrt(noise.numel())
    assert abs(noise.std() / 0.3 - 1) < ALARM / math.sqrt(2 * noise.numel())
    assert torch.equal(corrupt(x, "gaussian", 0.0), x)


def test_dropout_sets_to_zero_and_does_not_rescale(generator):
    x = 1.0 + torch.rand(200, 500, generator=generator)
    before = x.clone()
    noisy = corrupt(x, "dropout", 0.3, generator=generator)
    dropped = noisy == 0
    assert torch.equal(noisy[~dropped], x[~dropped])
    assert torch.equal(x, before)
    error = math.sqrt(0.3 * 0.7 / x.numel())
    assert abs(dropped.double().mean() - 0.3) < ALARM * error
    by_column = dropped.double().mean(0)
    assert by_column.std() > 0.01  # each value by itself, not whole points or columns
    assert torch.equal(corrupt(x, "dropout", 0.0), x)
    assert corrupt(x, "dropout", 1.0).count_nonzero() == 0


@pytest.mark.parametrize("kind", ["gaussian", "dropout"])
def test_the_generator_decides_the_noise(kind):
    x = torch.ones(3, 4)
    generators = [torch.Generator(x.device).manual_seed(seed) for seed in (0, 0, 1)]
    first, again, other = (corrupt(x, kind, 0.5, generator=g) for g in generators)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_losses_are_means_over_values(generator):
    x = torch.randn(7, 2, 3, generator=generator)
    errors = torch.randn(7, 2, 3, generator=generator)
    assert reconstruction_loss(lambda x: x + errors, x).item() == pytest.approx(
        errors.square().sum().item() / 42
    )


def test_target_of_denoising_is_the_clean_point(generator):
    x = torch.ones(4, 5)
    seen = []
    loss = denoising_loss(lambda noisy: seen.append(noisy) or torch.ones(4, 5), x, "dropout", 0.5)
    assert loss == 0.0
    assert seen[0].min() == 0.0
    left = denoising_loss(lambda noisy: noisy, torch.zeros(300, 300), "gaussian", 0.5)
    assert left.item() == pytest.approx(0.25, rel=ALARM * math.sqrt(2) / 300)


def gaussian_denoiser(loc, covariance, noise_scale):
    r"""E[x | \tilde x] for data from N(loc, covariance)."""
    noisy = covariance + noise_scale**2 * torch.eye(len(loc))
    gain = covariance @ torch.linalg.inv(noisy)
    return lambda x_noisy: loc + (x_noisy - loc) @ gain.mT


def test_score_of_a_gaussian(generator, eps):
    loc = torch.randn(3, generator=generator)
    root = torch.randn(3, 3, generator=generator)
    covariance, noise_scale = root @ root.mT + 0.2 * torch.eye(3), 0.7
    x_noisy = 2 * torch.randn(9, 3, generator=generator)
    denoise = gaussian_denoiser(loc, covariance, noise_scale)
    found = score_from_denoiser(denoise, x_noisy, noise_scale)
    expected = -torch.linalg.solve(
        covariance + noise_scale**2 * torch.eye(3), (x_noisy - loc).mT
    ).mT
    torch.testing.assert_close(found, expected, rtol=1e3 * eps, atol=1e3 * eps)


def test_score_of_a_mixture(make_params, generator, eps):
    r"""Tweedie's formula: the posterior mean of a mixture, and autograd of its blurred density."""
    params, noise_scale = make_params(3, 2), 0.6
    blurred = params.covariance + noise_scale**2 * torch.eye(2)
    noisy = mixture.MixtureParams(weights=params.weights, loc=params.loc, covariance=blurred)

    def denoise(x_noisy):
        means = [
            gaussian_denoiser(loc, covariance, noise_scale)(x_noisy)
            for loc, covariance in zip(params.loc, params.covariance, strict=True)
        ]
        resp = mixture.responsibilities(x_noisy, noisy)
        return (resp[..., None] * torch.stack(means, 1)).sum(1)

    x_noisy = (2 * torch.randn(9, 2, generator=generator)).requires_grad_()
    log_density = mixture.log_joint(x_noisy, noisy).logsumexp(-1).sum()
    (expected,) = torch.autograd.grad(log_density, x_noisy)
    found = score_from_denoiser(denoise, x_noisy.detach(), noise_scale)
    torch.testing.assert_close(found, expected, rtol=1e4 * eps, atol=1e4 * eps)


def test_the_posterior_mean_has_the_least_denoising_loss(generator):
    loc, covariance = torch.tensor([1.0, -1.0]), torch.tensor([[1.0, 0.6], [0.6, 0.8]])
    noise_scale = 0.5
    x = MultivariateNormal(loc, covariance).expand((100_000,)).sample()
    denoise = gaussian_denoiser(loc, covariance, noise_scale)
    inverse = torch.linalg.inv(covariance) + torch.eye(2) / noise_scale**2
    least = torch.linalg.inv(inverse).diagonal().mean().item()

    def loss(model):
        draws = torch.Generator(x.device).manual_seed(1)
        return denoising_loss(model, x, "gaussian", noise_scale, generator=draws).item()

    assert loss(denoise) == pytest.approx(least, rel=ALARM * math.sqrt(2 / len(x)))
    for factor in (0.9, 1.1):
        assert loss(lambda noisy, factor=factor: factor * denoise(noisy)) > loss(denoise)


def test_a_trained_denoiser_finds_the_score(settings, generator):
    r"""A linear denoiser of Gaussian data has the exact score as its optimum."""
    scale, noise_scale = torch.tensor([1.0, 0.5]), 0.5
    x = scale * torch.randn(20_000, 2, generator=generator)
    torch.manual_seed(0)
    model, settings = LinearAutoencoder(2, 2), dataclasses.replace(settings, batch_size=500)
    train(model, lambda model, x: denoising_loss(model, x, "gaussian", noise_scale), (x,), settings)
    at = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.5]])
    expected = -at / (scale.square() + noise_scale**2)
    found = score_from_denoiser(model, at, noise_scale)
    torch.testing.assert_close(found, expected, rtol=0, atol=0.1)


def identity(x):
    return x


WRONG = {
    "latent_dim 0": (lambda: LinearAutoencoder(4, 0), "latent_dim is 0; expected at least 1"),
    "hidden 0": (lambda: DenseAutoencoder(4, 2, hidden=(8, 0)), r"hidden\[1\] is 0"),
    "output": (lambda: DenseAutoencoder(4, 2, output="tanh"), "output is 'tanh'; expected"),
    "size": (lambda: ConvAutoencoder(2, size=27), "size is 27; expected a side that can be halved"),
    "images to dense": (
        lambda: DenseAutoencoder(4, 2)(torch.zeros(3, 1, 2, 2)),
        r"shape \(3, 1, 2, 2\); expected \(N, D\) = \(N, 4\): flatten",
    ),
    "single point": (
        lambda: LinearAutoencoder(4, 2)(torch.zeros(4)),
        r"single point needs x\[None",
    ),
    "flat to conv": (
        lambda: ConvAutoencoder(2)(torch.zeros(3, 784)),
        r"expected \(N, C, H, W\) = \(N, 1, 28, 28\)",
    ),
    "bytes": (
        lambda: DenseAutoencoder(4, 2)(torch.zeros(3, 4, dtype=torch.uint8)),
        r"torch.uint8; expected floating-point.*/ 255",
    ),
    "code": (lambda: LinearAutoencoder(4, 2).decode(torch.zeros(3, 4)), r"z has shape \(3, 4\)"),
    "code of PCA": (lambda: pca(torch.eye(4), 2).decode(torch.zeros(3, 4)), r"expected \(N, 2\)"),
    "points of PCA": (lambda: pca(torch.eye(4), 2)(torch.zeros(3, 5)), r"expected \(N, 4\)"),
    "PCA of NaN": (lambda: pca(torch.full((4, 2), math.nan), 1), "NaN or infinite"),
    "PCA, too many": (
        lambda: pca(torch.zeros(3, 5), 4),
        "latent_dim is 4 for 3 points of 5 values",
    ),
    "angles, shapes": (
        lambda: principal_angles(torch.zeros(4, 2), torch.zeros(4, 3)),
        r"\(4, 2\) and \(4, 3\); expected twice \(D, M\)",
    ),
    "angles, rows": (lambda: principal_angles(torch.eye(4)[:2], torch.eye(4)[:2]), r"need \.mT"),
    "angles, rank": (
        lambda: principal_angles(torch.ones(4, 2), torch.eye(4)[:, :2]),
        "2 columns of a span only 1 dimensions",
    ),
    "angles, zero": (lambda: principal_angles(*torch.zeros(2, 4, 1)), "span only 0 dimensions"),
    "kind": (lambda: corrupt(torch.zeros(2, 2), "salt", 0.1), "kind is 'salt'; expected"),
    "level": (lambda: corrupt(torch.zeros(2, 2), "gaussian", -0.1), r"level is -0\.1; expected"),
    "level NaN": (lambda: corrupt(torch.zeros(2, 2), "gaussian", math.nan), "level is nan"),
    "probability": (lambda: corrupt(torch.zeros(2, 2), "dropout", 1.5), r"level is 1\.5; expected"),
    "noise on bytes": (
        lambda: corrupt(torch.zeros(2, 2, dtype=torch.uint8), "gaussian", 0.1),
        "torch.uint8; expected floating-point",
    ),
    "noise_scale": (
        lambda: score_from_denoiser(identity, torch.zeros(2, 2), 0.0),
        r"noise_scale is 0\.0; expected a positive",
    ),
    "loss, shape": (
        lambda: reconstruction_loss(lambda x: x[:, :1], torch.zeros(3, 2)),
        r"made shape \(3, 1\) of points of shape \(3, 2\)",
    ),
    "denoiser, shape": (
        lambda: score_from_denoiser(lambda x: x.sum(1), torch.zeros(3, 2), 1.0),
        r"made shape \(3,\)",
    ),
    "denoising, shape": (
        lambda: denoising_loss(lambda x: x[:1], torch.zeros(3, 2), "gaussian", 1.0),
        r"made shape \(1, 2\)",
    ),
}


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG.keys())
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_any_two_modules_make_an_autoencoder(generator):
    model = Autoencoder(nn.Linear(5, 2), nn.Linear(2, 5), latent_dim=2)
    x = torch.randn(3, 5, generator=generator)
    torch.testing.assert_close(model(x), model.decoder(model.encoder(x)))
