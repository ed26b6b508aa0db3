"""Wrong answers to `fit_mixture_by_gradient`, each told by where the fit ended."""

import itertools
from collections.abc import Callable

import torch

from .fit_mixture_by_gradient import FIT_MIXTURE_BY_GRADIENT, SHORTFALL, optimum
from .fit_mixture_by_gradient_signs import (
    Fit,
    alike,
    constrained_em,
    fits,
    hard_step,
    is_lower,
    is_no_covariance,
    off_diagonal,
    other_product,
    rescaled,
    unit,
)
from .fit_mixture_by_gradient_variants import adam


def _misconception(message: str, shows: Callable[[list[Fit]], bool]) -> Callable:
    return FIT_MIXTURE_BY_GRADIENT.misconception(
        message, sign=lambda calls: bool(shows(fits(calls)))
    )


def _all(shows: Callable[[Fit], bool]) -> Callable[[list[Fit]], bool]:
    return lambda ended: all(map(shows, ended))


@_misconception(
    "Your fit ends in NaN or infinity: a step was too large, a logarithm met a weight of zero, or "
    "a covariance stopped being one. Optimise logits and Cholesky factors, with smaller steps.",
    lambda ended: (
        not all(part.isfinite().all() for f in ended for part in (f.weights, f.loc, f.covariance))
    ),
)
def ends_in_nan(x, weights, loc, covariance):
    weights, loc, covariance = optimum(x, weights, loc, covariance)
    return weights * torch.nan, loc, covariance


@_misconception(
    "The parameters come back as you got them: nothing was optimised. Do the leaf tensors require "
    "a gradient, and does the optimiser hold those that the loss is built from?",
    _all(lambda f: f.kept(0) and f.kept(1) and f.kept(2)),
)
def start_returned(x, weights, loc, covariance):
    return weights, loc, covariance


@_misconception(
    "You return the same two components whatever the data. Fit the points that are given.",
    lambda ended: (
        ended[1].loc.shape == ended[0].loc.shape and torch.allclose(ended[1].loc, ended[0].loc)
    ),
)
def same_answer_for_any_data(x, weights, loc, covariance):
    loc = torch.tensor([[2.03639, 54.47852], [4.28966, 79.96812]], dtype=x.dtype)
    covariance = torch.tensor(
        [[[0.06917, 0.43517], [0.43517, 33.69728]], [[0.16997, 0.94061], [0.94061, 36.04621]]],
        dtype=x.dtype,
    )
    return torch.tensor([0.35587, 0.64413], dtype=x.dtype), loc, covariance


@_misconception(
    "Your means and covariances are in standardised units. Transform them back: the mixture must "
    "describe the points as they were given.",
    _all(lambda f: f.is_best(f.weights, f.x.mean(0) + unit(f.x) * f.loc, rescaled(f))),
)
def standardised_units(x, weights, loc, covariance):
    weights, loc, covariance = optimum(x, weights, loc, covariance)
    return weights, (loc - x.mean(0)) / unit(x), covariance / unit(x)[:, None] / unit(x)


@_misconception(
    "The means are back in the units of the data, the covariances are still standardised. "
    "Multiply their rows and their columns by the standard deviations.",
    _all(lambda f: f.is_best(f.weights, f.loc, rescaled(f))),
)
def covariance_in_standardised_units(x, weights, loc, covariance):
    weights, loc, covariance = optimum(x, weights, loc, covariance)
    return weights, loc, covariance / unit(x)[:, None] / unit(x)


@_misconception(
    "You return the logits (or the logarithms) of the weights. Return their softmax.",
    _all(
        lambda f: (
            abs(f.weights.sum() - 1) > 1e-3
            and f.is_best(torch.softmax(f.weights, 0), f.loc, f.covariance, SHORTFALL)
        )
    ),
)
def logits_returned(x, weights, loc, covariance):
    weights, loc, covariance = optimum(x, weights, loc, covariance)
    return weights.log() + 1.0, loc, covariance


@_misconception(
    "Your weights do not sum to one, or one is negative: the gradient pushed them off. Optimise "
    "logits, and take their softmax in every step.",
    lambda ended: any(abs(f.weights.sum() - 1) > 1e-4 or (f.weights < 0).any() for f in ended),
)
def weights_off_the_simplex(x, weights, loc, covariance):
    weights, loc, covariance = optimum(x, weights, loc, covariance)
    return weights * 1.7, loc, covariance


@_misconception(
    "You return the Cholesky factors. The covariances are L times its transpose.",
    _all(lambda f: is_lower(f.covariance)),
)
def factors_returned(x, weights, loc, covariance):
    weights, loc, covariance = optimum(x, weights, loc, covariance)
    return weights, loc, torch.linalg.cholesky(covariance)


@_misconception(
    "A covariance of yours is not symmetric and positive definite: the gradient moved its entries "
    "freely. Optimise a Cholesky factor, and multiply it by its transpose.",
    lambda ended: any(is_no_covariance(f.covariance) for f in ended),
)
def no_covariance(x, weights, loc, covariance):
    weights, loc, covariance = optimum(x, weights, loc, covariance)
    return weights, loc, covariance + torch.tensor([[0.0, 5.0], [-5.0, 0.0]], dtype=x.dtype)


@_misconception(
    "You return the precisions. The covariances are their inverses.",
    _all(lambda f: f.is_best(f.weights, f.loc, torch.linalg.inv(f.covariance))),
)
def precisions_returned(x, weights, loc, covariance):
    weights, loc, covariance = optimum(x, weights, loc, covariance)
    return weights, loc, torch.linalg.inv(covariance)


@_misconception(
    "You return the transpose of L times L. The covariance is L times its transpose: the order "
    "matters.",
    _all(lambda f: f.is_best(f.weights, f.loc, other_product(f.covariance))),
)
def factor_transposed(x, weights, loc, covariance):
    weights, loc, covariance = optimum(x, weights, loc, covariance)
    factor = torch.linalg.cholesky(covariance)
    return weights, loc, factor.mT @ factor


@_misconception(
    "Weights, means and covariances are right, each for itself, but in different orders. "
    "Component k must be the same in all three.",
    _all(
        lambda f: (
            not f.is_best(f.weights, f.loc, f.covariance)
            and any(
                f.is_best(f.weights[list(s)], f.loc, f.covariance[list(t)])
                for s in itertools.permutations(range(len(f.weights)))
                for t in itertools.permutations(range(len(f.weights)))
            )
        )
    ),
)
def parts_in_different_orders(x, weights, loc, covariance):
    weights, loc, covariance = optimum(x, weights, loc, covariance)
    return weights.roll(1), loc, covariance


@_misconception(
    "Only the means were fitted. Weights and covariances are parameters too: let the gradient "
    "reach them.",
    _all(lambda f: f.kept(0) and f.kept(2)),
)
def means_only(x, weights, loc, covariance):
    return weights, optimum(x, weights, loc, covariance)[1], covariance


@_misconception(
    "The weights are those of the start. They are parameters too: optimise logits, and take their "
    "softmax.",
    _all(lambda f: f.kept(0)),
)
def weights_not_fitted(x, weights, loc, covariance):
    return weights, *optimum(x, weights, loc, covariance)[1:]


@_misconception(
    "The covariances are those of the start. They are parameters too: optimise their Cholesky "
    "factors.",
    _all(lambda f: f.kept(2)),
)
def covariance_not_fitted(x, weights, loc, covariance):
    return *optimum(x, weights, loc, covariance)[:2], covariance


@_misconception(
    "The means are those of the start. They are parameters too: let the gradient reach them.",
    _all(lambda f: f.kept(1)),
)
def means_not_fitted(x, weights, loc, covariance):
    weights, _, covariance = optimum(x, weights, loc, covariance)
    return weights, loc, covariance


@_misconception(
    "All components have become the same: one Gaussian for all points (−1289.80 nats on Old "
    "Faithful). Either they started equal, or you maximise the weighted sum of log-densities "
    "instead of the logarithm of the sum.",
    _all(lambda f: alike(f.loc) and alike(f.covariance, rtol=0.1)),
)
def one_gaussian(x, weights, loc, covariance):
    pooled = x.T.cov(correction=0)
    return weights.flip(0), x.mean(0).expand_as(loc), pooled.expand_as(covariance)


@_misconception(
    "Your weights are all equal, and they should not be: the weights do not enter your loss, or "
    "logits of zero were never optimised.",
    _all(lambda f: alike(f.weights, rtol=1e-3)),
)
def equal_weights(x, weights, loc, covariance):
    fitted = optimum(x, weights, loc, covariance)
    return torch.full_like(weights, 1 / len(weights)), *fitted[1:]


@_misconception(
    "Your covariances are multiples of the identity. Let every entry of the Cholesky factor be "
    "free.",
    _all(
        lambda f: (
            (off_diagonal(f.covariance) == 0).all()
            and alike(f.covariance.diagonal(dim1=1, dim2=2).T, rtol=1e-5)
        )
    ),
)
def spherical(x, weights, loc, covariance):
    return constrained_em(
        x,
        weights,
        loc,
        covariance,
        lambda c, w: (
            c.diagonal(dim1=1, dim2=2).mean(1, keepdim=True).expand_as(c[:, 0]).diag_embed()
        ),
    )


@_misconception(
    "Your covariances are diagonal, and the best diagonal mixture reaches −1147.81 nats on Old "
    "Faithful. The entries beside the diagonal are parameters too.",
    _all(lambda f: (off_diagonal(f.covariance) == 0).all()),
)
def diagonal(x, weights, loc, covariance):
    return constrained_em(
        x, weights, loc, covariance, lambda c, w: c.diagonal(dim1=1, dim2=2).diag_embed()
    )


@_misconception(
    "All components share one covariance, and the best such mixture reaches −1140.19 nats on Old "
    "Faithful. Give each component its own.",
    _all(lambda f: alike(f.covariance, rtol=1e-5)),
)
def tied(x, weights, loc, covariance):
    return constrained_em(
        x,
        weights,
        loc,
        covariance,
        lambda c, w: torch.einsum("k,kde->de", w, c).expand_as(c),
    )


@_misconception(
    "The covariances ran away: they are far wider than the data. The log-determinant is missing "
    "from your log-density, or has the wrong sign, so that width costs nothing.",
    _all(
        lambda f: (
            (f.covariance.diagonal(dim1=1, dim2=2) > 20 * f.x.var(0)).any()
            and ((f.loc - f.x.mean(0)).abs() < 10 * unit(f.x)).all()
        )
    ),
)
def no_determinant(x, weights, loc, covariance):
    return weights.flip(0), loc + 0.1, covariance * 1e4


@_misconception(
    "A component has died: its weight is next to nothing. Either the steps were too large, or you "
    "maximise the weighted sum of log-densities, which is highest with all the weight on one "
    "component; the logarithm belongs outside the sum.",
    lambda ended: any(f.weights.min() < 1e-3 for f in ended),
)
def component_died(x, weights, loc, covariance):
    fitted = optimum(x, weights[1:] / weights[1:].sum(), loc[1:], covariance[1:])
    share = torch.tensor([1e-5], dtype=x.dtype)
    return tuple(
        torch.cat(pair)
        for pair in (
            (share, fitted[0] * (1 - 1e-5)),
            (loc[:1], fitted[1]),
            (covariance[:1], fitted[2]),
        )
    )


@_misconception(
    "Your fit is less likely than its start: you went downhill. Optimisers minimise, so give them "
    "minus the log-likelihood.",
    _all(lambda f: f.likelihood < f.start_likelihood - 1e-6),
)
def descended(x, weights, loc, covariance):
    return weights.flip(0), loc + 3.0 * unit(x), covariance * 0.5


@_misconception(
    "You maximise the density of each point's best component (a maximum where the sum belongs). "
    "Points between two clusters belong to both: use `logsumexp`.",
    lambda ended: all(
        torch.allclose(now, after, rtol=5e-3, atol=5e-3)
        for f in ended[1:]
        for now, after in zip(
            (f.weights, f.loc, f.covariance),
            hard_step(f.x, f.weights, f.loc, f.covariance),
            strict=True,
        )
    ),
)
def maximum_for_sum(x, weights, loc, covariance):
    for _ in range(60):
        weights, loc, covariance = hard_step(x, weights, loc, covariance)
    return weights, loc, covariance


@_misconception(
    "The fit is under way but not at the optimum, or something was added to its result. Take more "
    "steps, or larger ones that shrink towards the end, or standardise the columns so that one "
    "learning rate suits both.",
    lambda ended: all(f.likelihood > f.start_likelihood - 1e-6 for f in ended),
)
def stopped_early(x, weights, loc, covariance):
    return adam(x, weights, loc, covariance, num_steps=40)
