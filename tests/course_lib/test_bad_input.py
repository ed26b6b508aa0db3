r"""Bad input: a ValueError that says what was given, what was expected and what to do."""

import dataclasses
import math

import pytest
import torch

from course_lib import mixture
from course_lib.mixture import GaussianMixture, MixtureParams, ScalarMixture

pytestmark = pytest.mark.usefixtures("unchecked_shapes")

X = {
    "one-dimensional": (
        lambda: torch.zeros(2),
        r"x has shape \(2,\); expected \(N, .*x\[None, :\]",
    ),
    "three-dimensional": (lambda: torch.zeros(4, 2, 1), r"shape \(4, 2, 1\); expected"),
    "no points": (lambda: torch.zeros(0, 2), r"x is empty.*\(0, 2\).*at least one point"),
    "integers": (lambda: torch.zeros(4, 2, dtype=torch.int64), "torch.int64.*floating-point"),
    "NaN": (
        lambda: torch.tensor([[0.0, 1.0], [2.0, math.nan]]),
        r"x holds 1 values that are NaN or infinite, the first at x\[1, 1\].*drop or repair",
    ),
    "infinite": (lambda: torch.tensor([[math.inf, 1.0]]), r"the first at x\[0, 0\]"),
}


def good(**changes):
    params = MixtureParams(
        weights=torch.tensor([0.5, 0.5]),
        loc=torch.tensor([[0.0, 0.0], [1.0, 1.0]]),
        covariance=torch.eye(2).repeat(2, 1, 1),
    )
    return dataclasses.replace(params, **changes)


USES_OF_X = {
    "log_gaussian": lambda x: mixture.log_gaussian(x, torch.zeros(2), torch.zeros(2)),
    "log_gaussian_full": lambda x: mixture.log_gaussian_full(x, torch.zeros(2), torch.eye(2)),
    "log_mixture": lambda x: mixture.log_mixture(x, *(torch.zeros(2, 2)[0], *torch.zeros(2, 2, 2))),
    "component_log_density": lambda x: mixture.component_log_density(
        x, good().loc, good().covariance
    ),
    "log_joint": lambda x: mixture.log_joint(x, good()),
    "log_likelihood": lambda x: mixture.log_likelihood(x, good()),
    "responsibilities": lambda x: mixture.responsibilities(x, good()),
    "m_step": lambda x: mixture.m_step(x, torch.full((len(x), 2), 0.5)),
    "em_step": lambda x: mixture.em_step(x, good()),
    "init_params": lambda x: mixture.init_params(x, 2),
    "fit_em from K": lambda x: mixture.fit_em(x, 2),
    "fit_em from params": lambda x: mixture.fit_em(x, good()),
    "fit_gradient": lambda x: mixture.fit_gradient(x, good(), num_steps=2),
}


@pytest.mark.parametrize("use", USES_OF_X.values(), ids=USES_OF_X.keys())
@pytest.mark.parametrize(("make", "message"), X.values(), ids=X.keys())
def test_bad_points(use, make, message):
    with pytest.raises(ValueError, match=message):
        use(make())


@pytest.mark.parametrize("name", ["log_joint", "em_step", "fit_em from params", "fit_gradient"])
def test_wrong_number_of_columns(name):
    with pytest.raises(ValueError, match=r"x has shape \(5, 3\); expected \(N, 2\)"):
        USES_OF_X[name](torch.zeros(5, 3))


PARAMS = {
    "NaN mean": ({"loc": [[0.0, math.nan], [1.0, 1.0]]}, r"loc holds 1 values that are NaN"),
    "weights beyond 1": ({"weights": [0.75, 0.75]}, r"0\.75.*sum to 1: divide them by their sum"),
    "negative weight": ({"weights": [1.5, -0.5]}, "expected non-negative numbers"),
    "singular": (
        {"covariance": [[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]]},
        r"covariance\[1\] is singular \(smallest eigenvalue .*min_variance",
    ),
    "singular up to rounding": (
        {"covariance": [[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.1], [0.1, 0.1**2 + 2e-18]]]},
        r"covariance\[1\] is singular",
    ),
    "indefinite": (
        {"covariance": [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]]},
        r"covariance\[0\] is singular \(smallest eigenvalue -1\)",
    ),
    "asymmetric": (
        {"covariance": [[[1.0, 0.5], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]]},
        "covariance is not symmetric.*covariance.mT",
    ),
    "variance zero": (
        {"covariance": [[1.0, 1.0], [1.0, 0.0]]},
        r"variance at covariance\[1, 1\] is 0; expected a positive number",
    ),
    "variance negative": (
        {"covariance": [[-2.0, 1.0], [1.0, 1.0]]},
        r"at covariance\[0, 0\] is -2",
    ),
}


@pytest.mark.parametrize(("changes", "message"), PARAMS.values(), ids=PARAMS.keys())
def test_bad_parameters(changes, message):
    params = good(**{name: torch.tensor(value) for name, value in changes.items()})
    uses = [
        lambda: mixture.log_density(torch.zeros(3, 2), params),
        lambda: mixture.em_step(torch.randn(30, 2), params),
        lambda: mixture.fit_em(torch.randn(30, 2), params),
        lambda: mixture.sample(params, 3),
        lambda: GaussianMixture.from_params(params),
    ]
    for use in uses:
        with pytest.raises(ValueError, match=message):
            use()


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": torch.ones(3) / 3},
        {"weights": torch.tensor(1.0)},
        {"covariance": torch.ones(2, 3)},
        {"covariance": torch.ones(2)},
        {"loc": torch.zeros(2)},
    ],
)
def test_parameters_whose_shapes_do_not_fit(changes):
    with pytest.raises(ValueError, match=r"have shapes .*; expected \(\*B, K\), \(\*B, K, D\)"):
        good(**changes)


def test_mixed_precision_is_refused():
    with pytest.raises(ValueError, match=r"loc torch\.float16.*one floating-point type"):
        good(loc=torch.zeros(2, 2, dtype=torch.float16))
    with pytest.raises(ValueError, match=r"x torch\.float16.*convert with"):
        mixture.log_density(torch.zeros(3, 2, dtype=torch.float16), good())


def raises(message, call):
    with pytest.raises(ValueError, match=message):
        call()


def test_more_components_than_points():
    x = torch.randn(3, 2)
    raises("num_components is 4 with 3 points", lambda: mixture.fit_em(x, 4))
    raises("num_components is 0", lambda: mixture.fit_em(x, 0))
    raises("num_components is 2 with 1 points", lambda: mixture.fit_em(x[:1], good()))
    same = torch.ones(50, 2)
    raises(r"50 points \(1 of them distinct\).*fewer", lambda: mixture.init_params(same, 2))


def test_collapse_without_a_bound_is_an_error_that_names_the_remedy():
    x = torch.cat([torch.zeros(20, 2), torch.randn(20, 2)])
    start = good(covariance=torch.stack([0.01 * torch.eye(2), torch.eye(2)]))
    raises(
        r"covariance\[0\] is singular.*min_variance",
        lambda: mixture.fit_em(x, start, min_variance=0.0, max_steps=500, tolerance=-math.inf),
    )


def test_point_out_of_reach_in_this_precision():
    x = torch.tensor([[0.0, 0.0], [1e25, 0.0]], dtype=torch.float32)
    start = good().to(torch.float32)
    raises("out of reach.*rescale", lambda: mixture.fit_em(x, start, max_steps=3))


def test_responsibilities_that_are_none():
    x = torch.randn(5, 2)
    raises(r"shape \(4, 2\); expected .*\(\*B, 5, K\)", lambda: mixture.m_step(x, torch.ones(4, 2)))
    raises("rows of resp sum to between 2 and 2", lambda: mixture.m_step(x, torch.ones(5, 2)))
    negative = torch.tensor([[1.5, -0.5]]).repeat(5, 1)
    raises(r"smallest entry is -0\.5", lambda: mixture.m_step(x, negative))
    raises("min_variance is -1", lambda: mixture.m_step(x, torch.ones(5, 1), min_variance=-1.0))


def test_shapes_of_the_plain_densities():
    x, wide = torch.zeros(4, 2), torch.zeros(3)
    two, square = torch.zeros(2), torch.eye(2)
    raises(r"loc has shape \(3,\); expected \(D,\)", lambda: mixture.log_gaussian(x, wide, two))
    raises(r"log_scale has shape \(3,\)", lambda: mixture.log_gaussian(x, two, wide))
    raises(r"scale_tril has shape \(2,\)", lambda: mixture.log_gaussian_full(x, two, two))
    raises("diagonal of scale_tril", lambda: mixture.log_gaussian_full(x, two, -square))
    raises(
        r"loc has shape \(2, 2\); expected \(K, D\) = \(3, 2\)",
        lambda: mixture.log_mixture(x, wide, square, square),
    )
    raises("log_scale holds", lambda: mixture.log_gaussian(x, two, two / 0))


def test_sampling_selection_and_conditioning():
    batch = mixture.init_params(torch.randn(9, 2), 2, num_restarts=3)
    raises(r"batch shape \(3,\)", lambda: mixture.sample(batch, 5))
    raises(r"batch shape \(3,\)", lambda: GaussianMixture.from_params(batch))
    raises(r"batch shape \(3,\)", lambda: batch.sorted_by_loc())
    raises("num_samples=0", lambda: mixture.sample(good(), 0))
    raises("order is", lambda: good().permute([0, 0]))
    raises("num_points is 0", lambda: mixture.bic(-1.0, 1, 1, 0))
    raises("log_likelihood is inf", lambda: mixture.bic(math.inf, 1, 1, 5))
    raises("num_components=0", lambda: mixture.num_free_parameters(0, 2))
    raises("num_components=0", lambda: GaussianMixture(0, 2))
    raises("num_restarts is 0", lambda: mixture.init_params(torch.randn(9, 2), 2, num_restarts=0))
    raises("max_steps is -1", lambda: mixture.fit_em(torch.randn(9, 2), 2, max_steps=-1))
    for columns in ((0, 0), (0, 2), (-1, 0)):
        given, target = columns
        raises(
            "two different columns among 0 … 1",
            lambda g=given, t=target: mixture.condition(good(), 0.0, given=g, target=t),
        )
    raises("observed holds", lambda: mixture.condition(good(), math.nan, given=0, target=1))
    singular = good(covariance=torch.ones(2, 2, 2))
    raises("is singular", lambda: mixture.condition(singular, 0.0, given=0, target=1))
    one = torch.ones(1)
    scalar = ScalarMixture(weights=one, loc=one, scale=one)
    for level in (0.0, 1.0, math.nan):
        raises("level is", lambda level=level: mixture.quantile(scalar, level))


def test_gradient_fit_needs_columns_that_vary():
    x = torch.stack([torch.randn(9), torch.ones(9)], 1)
    raises("drop the constant", lambda: mixture.fit_gradient(x, good(), num_steps=2))


def test_weight_zero_has_no_logit():
    raises("no finite logit", lambda: GaussianMixture.from_params(good(weights=torch.eye(2)[0])))
