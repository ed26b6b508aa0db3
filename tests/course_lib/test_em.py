r"""EM: identities of a step, monotone likelihood, known optima, collapse, restarts."""

import math

import pytest
import torch
from sklearn.mixture import GaussianMixture as SklearnMixture

from course_lib import mixture
from course_lib.mixture import MixtureParams

float64_only = pytest.mark.skipif(
    "config.getoption('--dtype') != 'float64'", reason="a statement about many digits"
)


def start_of(x, num_components, generator, **options):
    return mixture.init_params(x, num_components, generator=generator, **options)


@pytest.mark.parametrize("diagonal", [False, True])
def test_m_step_gives_the_weighted_moments(points, make_params, diagonal):
    resp = mixture.responsibilities(points, make_params(3, 2))
    params = mixture.m_step(points, resp, diagonal=diagonal)
    torch.testing.assert_close(params.weights, resp.mean(0))
    for k in range(3):
        share = resp[:, k] / resp[:, k].sum()
        loc = share @ points
        torch.testing.assert_close(params.loc[k], loc, rtol=1e-4, atol=1e-4)
        covariance = (points - loc).mT @ (share[:, None] * (points - loc))
        expected = covariance.diagonal() if diagonal else covariance
        torch.testing.assert_close(params.covariance[k], expected, rtol=1e-4, atol=1e-4)


def test_one_hot_responsibilities_give_the_moments_of_the_groups(points):
    labels = torch.arange(len(points)) % 2
    params = mixture.m_step(points, torch.nn.functional.one_hot(labels).to(points))
    for k in range(2):
        torch.testing.assert_close(params.loc[k], points[labels == k].mean(0))
        torch.testing.assert_close(params.covariance[k], points[labels == k].mT.cov(correction=0))


@pytest.mark.parametrize("diagonal", [False, True])
def test_log_likelihood_never_falls(eruptions, generator, diagonal, eps):
    start = start_of(eruptions, 3, generator, num_restarts=8, diagonal=diagonal)
    seen = []
    mixture.fit_em(
        eruptions, start, max_steps=50, tolerance=-math.inf,
        callback=lambda step, params, total: seen.append(total),
    )  # fmt: skip
    gains = torch.stack(seen).diff(dim=0)
    assert len(seen) == 51
    assert gains.min() >= -1e4 * eps
    assert gains[0].min() > 1.0


def test_bounded_variance_keeps_em_monotone(eruptions, generator, eps):
    start = start_of(eruptions, 2, generator)
    bounded = MixtureParams(
        weights=start.weights, loc=start.loc, covariance=start.covariance + 2 * torch.eye(2)
    )
    fit = mixture.fit_em(eruptions, bounded, min_variance=2.0, max_steps=60)
    assert fit.log_likelihoods.diff().min() >= -1e4 * eps
    assert torch.linalg.eigvalsh(fit.params.covariance).min() == pytest.approx(2.0, rel=1e-3)


def test_bound_is_the_constrained_maximum(make_params):
    r"""No nearby covariance within the bound has a larger expected log-likelihood."""
    torch.manual_seed(0)
    scatter = torch.diag(torch.tensor([0.1, 1.0, 4.0]))
    rotation = torch.linalg.qr(torch.randn(3, 3)).Q
    scatter = rotation @ scatter @ rotation.mT

    def objective(covariance):
        return -torch.logdet(covariance) - torch.trace(torch.linalg.solve(covariance, scatter))

    best = mixture.em.bound_variance(scatter, 0.5, diagonal=False)
    assert torch.linalg.eigvalsh(best).min() == pytest.approx(0.5, rel=1e-4)
    for _ in range(200):
        noise = 0.05 * torch.randn(3, 3)
        other = mixture.em.bound_variance(best + noise + noise.mT, 0.5, diagonal=False)
        assert objective(other) <= objective(best) + 1e-5


def test_bound_leaves_healthy_components_untouched(points, make_params):
    resp = mixture.responsibilities(points, make_params(3, 2))
    free, bounded = (mixture.m_step(points, resp, min_variance=v) for v in (0.0, 1e-6))
    assert torch.equal(free.covariance, bounded.covariance)


@pytest.mark.parametrize(
    ("num_components", "diagonal", "expected"),
    [(1, False, -1289.79675), (2, False, -1130.26396018474), (2, True, -1147.80635)],
)
def test_known_optima_on_old_faithful(eruptions, generator, num_components, diagonal, expected):
    options = {"num_restarts": 4, "diagonal": diagonal, "generator": generator}
    fit = mixture.fit_em(eruptions, num_components, **options)
    double = eruptions.dtype == torch.float64
    assert fit.log_likelihoods[-1].item() == pytest.approx(expected, abs=1e-5 if double else 1e-2)
    assert fit.converged


def test_two_components_on_old_faithful(eruptions, generator):
    params = mixture.fit_em(eruptions, 2, num_restarts=4, generator=generator).params
    params = params.sorted_by_loc()
    expected = {
        "weights": [0.35587, 0.64413],
        "loc": [[2.03639, 54.47852], [4.28966, 79.96812]],
        "covariance": [
            [[0.069168, 0.435168], [0.435168, 33.69728]],
            [[0.169968, 0.940609], [0.940609, 36.04621]],
        ],
    }
    for name, value in expected.items():
        torch.testing.assert_close(getattr(params, name), torch.tensor(value), rtol=2e-3, atol=1e-3)


@float64_only
@pytest.mark.parametrize(("diagonal", "kind"), [(False, "full"), (True, "diag")])
def test_every_step_is_scikit_learns(eruptions, generator, diagonal, kind):
    start = start_of(eruptions, 3, generator, diagonal=diagonal)
    precision = 1 / start.covariance if diagonal else torch.linalg.inv(start.covariance)
    ours = mixture.fit_em(eruptions, start, max_steps=30, tolerance=-math.inf, min_variance=0.0)
    theirs = SklearnMixture(
        3, covariance_type=kind, tol=0.0, reg_covar=0.0, max_iter=30,
        weights_init=start.weights.cpu().numpy(), means_init=start.loc.cpu().numpy(),
        precisions_init=precision.cpu().numpy(),
    )  # fmt: skip
    with pytest.warns(UserWarning, match="did not converge"):
        theirs.fit(eruptions.cpu().numpy())
    torch.testing.assert_close(ours.params.loc.cpu(), torch.tensor(theirs.means_, device="cpu"))
    bound = ours.log_likelihoods[29].item() / len(eruptions)
    assert bound == pytest.approx(theirs.lower_bound_, abs=1e-9)


@float64_only
def test_gradient_vanishes_at_the_fixed_point(eruptions, generator):
    fit = mixture.fit_em(eruptions, 2, tolerance=1e-14, max_steps=2000, generator=generator)
    module = mixture.GaussianMixture.from_params(fit.params)
    module().log_prob(eruptions).mean().backward()
    for parameter in module.parameters():
        assert parameter.grad.abs().max() < 1e-6


def test_restarts_in_one_tensor_equal_restarts_one_by_one(eruptions, generator):
    start = start_of(eruptions, 2, generator, num_restarts=3)
    options = {"max_steps": 10, "tolerance": -math.inf}
    order = mixture.fit_em(eruptions, start, **options).restart_log_likelihoods.argsort()
    start = MixtureParams(  # the best restart comes last
        weights=start.weights[order], loc=start.loc[order], covariance=start.covariance[order]
    )
    together = mixture.fit_em(eruptions, start, **options)
    singles = [mixture.fit_em(eruptions, start.select(i), **options) for i in range(3)]
    finals = torch.stack([single.log_likelihoods[-1] for single in singles])
    torch.testing.assert_close(together.restart_log_likelihoods, finals)
    best = singles[-1]
    assert finals.argmax() == 2
    assert finals[2] - finals[0] > 1e-3
    torch.testing.assert_close(together.log_likelihoods, best.log_likelihoods)
    torch.testing.assert_close(together.params.loc, best.params.loc, rtol=1e-3, atol=1e-3)


def test_last_log_likelihood_belongs_to_the_result(eruptions, generator):
    fit = mixture.fit_em(eruptions, 2, num_restarts=3, max_steps=7, generator=generator)
    torch.testing.assert_close(
        fit.log_likelihoods[-1], mixture.log_likelihood(eruptions, fit.params)
    )
    assert len(fit.log_likelihoods) == 8
    assert not fit.converged


def test_no_steps_returns_the_start(eruptions, generator):
    start = start_of(eruptions, 2, generator)
    fit = mixture.fit_em(eruptions, start, max_steps=0)
    assert torch.equal(fit.params.loc, start.loc)


def test_start_takes_distinct_points_of_the_data(generator):
    x = torch.tensor([[0.0, 1.0]] * 20 + [[2.0, 3.0], [5.0, 4.0]])
    start = mixture.init_params(x, 3, num_restarts=10, generator=generator)
    assert start.loc.shape == (10, 3, 2)
    for loc in start.loc:
        assert torch.equal(loc.unique(dim=0), x.unique(dim=0))
    torch.testing.assert_close(start.covariance[4, 1], x.mT.cov(correction=0))


@pytest.mark.parametrize("diagonal", [False, True])
@pytest.mark.parametrize("case", ["duplicates", "line", "constant", "few"])
def test_degenerate_data_stays_finite_with_a_bound(case, diagonal, generator):
    line = torch.linspace(-1, 1, 30)
    x = {
        "duplicates": torch.cat([torch.zeros(20, 2), torch.randn(20, 2, generator=generator)]),
        "line": torch.stack([line, 2 * line], 1),
        "constant": torch.stack([line, torch.full_like(line, 1e3)], 1),
        "few": torch.randn(3, 2, generator=generator),
    }[case]
    for min_variance in (1e-6, 1e-3):
        fit = mixture.fit_em(
            x, 3, num_restarts=3, diagonal=diagonal, min_variance=min_variance, generator=generator
        )
        assert fit.log_likelihoods.isfinite().all()
        assert mixture.responsibilities(x, fit.params).isfinite().all()


def test_a_component_without_points_stays_finite():
    x = torch.tensor([[0.0], [1.0], [0.5]])
    start = MixtureParams(
        weights=torch.tensor([0.5, 0.5]),
        loc=torch.tensor([[0.5], [1e4]]),
        covariance=torch.ones(2, 1, 1),
    )
    fit = mixture.fit_em(x, start, max_steps=20, min_variance=1e-3)
    assert fit.params.weights[1].item() == pytest.approx(0.0, abs=1e-30)
    torch.testing.assert_close(fit.params.loc[0], x.mean(0))


def test_far_from_the_origin_no_digits_are_lost_in_float32(generator):
    noise = torch.randn(100_000, 1, dtype=torch.float32, generator=generator)
    x = noise + 1e4
    resp = torch.rand(100_000, 2, dtype=torch.float32, generator=generator).softmax(-1)
    params = mixture.m_step(x, resp)
    exact = mixture.m_step(x.double(), resp.double())
    assert (params.loc - exact.loc).abs().max() <= 1e-3  # the spacing of float32 at 1e4
    torch.testing.assert_close(params.covariance.double(), exact.covariance, rtol=1e-3, atol=0)


def test_em_step_keeps_dtype_device_and_kind(points, params):
    after = mixture.em_step(points, params)
    assert after.is_diagonal == params.is_diagonal
    assert (after.loc.dtype, after.loc.device) == (points.dtype, points.device)
