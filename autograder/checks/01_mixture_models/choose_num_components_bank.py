"""Wrong and right answers to `choose_num_components`."""

import itertools
import math

import numpy as np
import torch

from course_lib import mixture

from .choose_num_components import CHOOSE_NUM_COMPONENTS, criteria, reference


def _penalised(log_likelihoods, num_params, price) -> int:
    """The K with the lowest −2 ℓ + price · parameters."""
    k = torch.arange(1, len(log_likelihoods) + 1)
    return int((-2 * log_likelihoods + price * num_params(k)).argmin()) + 1


def _full(dim):
    return lambda k: k - 1 + k * (dim + dim * (dim + 1) / 2)


@CHOOSE_NUM_COMPONENTS.misconception(
    "You choose the highest log-likelihood. It can only grow with K, so it always votes for the "
    "largest model. Compare the criterion."
)
def highest_likelihood(log_likelihoods, dim, num_points):
    return int(log_likelihoods.argmax()) + 1


@CHOOSE_NUM_COMPONENTS.misconception(
    "You choose the lowest log-likelihood, which is the worst fit. Compare the criterion."
)
def lowest_likelihood(log_likelihoods, dim, num_points):
    return int(log_likelihoods.argmin()) + 1


@CHOOSE_NUM_COMPONENTS.misconception(
    "You return the place of the highest log-likelihood: neither the criterion nor the number of "
    "components."
)
def place_of_highest_likelihood(log_likelihoods, dim, num_points):
    return int(log_likelihoods.argmax())


@CHOOSE_NUM_COMPONENTS.misconception(
    "You choose the highest criterion. −2 ℓ + p log N is a cost: lower is better."
)
def highest_criterion(log_likelihoods, dim, num_points):
    return int(criteria(log_likelihoods, dim, num_points).argmax()) + 1


@CHOOSE_NUM_COMPONENTS.misconception(
    "Your answer is one too small: you return a place in the list, and places count from zero. "
    "`log_likelihoods[0]` belongs to one component."
)
def place_for_number(log_likelihoods, dim, num_points):
    return reference(log_likelihoods, dim, num_points) - 1


@CHOOSE_NUM_COMPONENTS.misconception("Your answer is one too large: you corrected the place twice.")
def one_too_large(log_likelihoods, dim, num_points):
    return reference(log_likelihoods, dim, num_points) + 1


@CHOOSE_NUM_COMPONENTS.misconception(
    "You sort or pick by the criterion of Akaike, which charges 2 for each parameter and so takes "
    "too many components. Here a parameter costs log N."
)
def akaike(log_likelihoods, dim, num_points):
    return _penalised(log_likelihoods, _full(dim), 2.0)


@CHOOSE_NUM_COMPONENTS.misconception(
    "You look for the largest gain from one K to the next. A large gain does not say that the "
    "next one is not worth its price."
)
def largest_gain(log_likelihoods, dim, num_points):
    return int(log_likelihoods.diff().argmax()) + 2 if len(log_likelihoods) > 1 else 1


@CHOOSE_NUM_COMPONENTS.misconception(
    "You look for the sharpest bend of the log-likelihood. An elbow depends on how the curve is "
    "drawn; the criterion does not."
)
def elbow(log_likelihoods, dim, num_points):
    if len(log_likelihoods) < 3:
        return len(log_likelihoods)
    return int(log_likelihoods.diff().diff().argmin()) + 2


@CHOOSE_NUM_COMPONENTS.misconception(
    "You stop at the first K after which the criterion rises. A later one may be lower still: "
    "compare all."
)
def first_local_minimum(log_likelihoods, dim, num_points):
    values = criteria(log_likelihoods, dim, num_points).tolist()
    for place, (value, following) in enumerate(itertools.pairwise(values)):
        if following > value:
            return place + 1
    return len(values)


@CHOOSE_NUM_COMPONENTS.misconception(
    "You take the first K whose gain is under a fixed number of nats. What a component must gain "
    "depends on its parameters and on log N."
)
def gain_under_threshold(log_likelihoods, dim, num_points):
    for place, gain in enumerate(log_likelihoods.diff().tolist()):
        if gain < 5.0:
            return place + 1
    return len(log_likelihoods)


@CHOOSE_NUM_COMPONENTS.misconception(
    "Your answer is always 2. It suits Old Faithful; the function must compare the criterion on "
    "other data too."
)
def always_two(log_likelihoods, dim, num_points):
    return 2


@CHOOSE_NUM_COMPONENTS.misconception("Your answer is always 1. Compare the criterion for every K.")
def always_one(log_likelihoods, dim, num_points):
    return 1


@CHOOSE_NUM_COMPONENTS.misconception(
    "You return the lowest value of the criterion. The number of components that reaches it was "
    "asked for."
)
def value_of_criterion(log_likelihoods, dim, num_points):
    return float(criteria(log_likelihoods, dim, num_points).min())


@CHOOSE_NUM_COMPONENTS.misconception(
    "The number is right, but it is a floating-point number. It counts components: return an "
    "integer."
)
def floating_point(log_likelihoods, dim, num_points):
    return float(reference(log_likelihoods, dim, num_points))


@CHOOSE_NUM_COMPONENTS.misconception(
    "You return the criterion of every candidate. Return the one number of components with the "
    "lowest."
)
def all_values(log_likelihoods, dim, num_points):
    return criteria(log_likelihoods, dim, num_points)


@CHOOSE_NUM_COMPONENTS.misconception("Every parameter costs N in your criterion. It costs log N.")
def price_without_logarithm(log_likelihoods, dim, num_points):
    return _penalised(log_likelihoods, _full(dim), num_points)


@CHOOSE_NUM_COMPONENTS.misconception(
    "The factor 2 before the log-likelihood is missing, so parameters cost double and too few "
    "components win."
)
def likelihood_not_doubled(log_likelihoods, dim, num_points):
    return _penalised(log_likelihoods, _full(dim), 2 * math.log(num_points))


@CHOOSE_NUM_COMPONENTS.misconception(
    "Parameters cost only half of log N in your criterion, so too many components win."
)
def penalty_halved(log_likelihoods, dim, num_points):
    return _penalised(log_likelihoods, _full(dim), math.log(num_points) / 2)


@CHOOSE_NUM_COMPONENTS.misconception(
    "You charge log N for each component. A component has many parameters, and each costs log N."
)
def components_counted(log_likelihoods, dim, num_points):
    return _penalised(log_likelihoods, lambda k: k, math.log(num_points))


@CHOOSE_NUM_COMPONENTS.misconception(
    "Your count of parameters does not use `dim`, or assumes two dimensions. Means and "
    "covariances grow with it."
)
def dim_ignored(log_likelihoods, dim, num_points):
    return _penalised(log_likelihoods, _full(2), math.log(num_points))


@CHOOSE_NUM_COMPONENTS.misconception(
    "You count the parameters of the diagonal model. The covariances are full: D(D + 1)/2 numbers "
    "each."
)
def diagonal_model(log_likelihoods, dim, num_points):
    return _penalised(log_likelihoods, lambda k: k - 1 + 2 * k * dim, math.log(num_points))


@CHOOSE_NUM_COMPONENTS.misconception(
    "You do not use `num_points`: it looks as if you charge log 272 on any data."
)
def points_ignored(log_likelihoods, dim, num_points):
    return _penalised(log_likelihoods, _full(dim), math.log(272))


@CHOOSE_NUM_COMPONENTS.misconception(
    "You divide the log-likelihood by N before you add the penalty. The criterion weighs the sum "
    "over the points."
)
def likelihood_per_point(log_likelihoods, dim, num_points):
    return _penalised(log_likelihoods / num_points, _full(dim), math.log(num_points))


@CHOOSE_NUM_COMPONENTS.variant
def with_own_bic(log_likelihoods, dim, num_points):
    best_k, best_value = None, math.inf
    for k, log_likelihood in enumerate(log_likelihoods, start=1):
        value = mixture.bic(float(log_likelihood), k, dim, num_points)
        if value < best_value:
            best_k, best_value = k, value
    return best_k


@CHOOSE_NUM_COMPONENTS.variant
def minimum_by_key(log_likelihoods, dim, num_points):
    return min(
        range(1, len(log_likelihoods) + 1),
        key=lambda k: mixture.bic(log_likelihoods[k - 1].item(), k, dim, num_points),
    )


@CHOOSE_NUM_COMPONENTS.variant
def numpy_integer(log_likelihoods, dim, num_points):
    values = [
        mixture.bic(log_likelihood, k + 1, dim, num_points)
        for k, log_likelihood in enumerate(log_likelihoods.tolist())
    ]
    return np.argmin(values) + 1


@CHOOSE_NUM_COMPONENTS.variant
def tensor_integer(log_likelihoods, dim, num_points):
    return criteria(log_likelihoods, dim, num_points).argmin() + 1


@CHOOSE_NUM_COMPONENTS.variant
def constant_terms_left_out(log_likelihoods, dim, num_points):
    k = torch.arange(1, len(log_likelihoods) + 1)
    price = (dim + 1) * (dim + 2) / 2 * math.log(num_points) / 2
    return int(torch.argmax(log_likelihoods - k * price)) + 1


@CHOOSE_NUM_COMPONENTS.variant
def smallest_pair(log_likelihoods, dim, num_points):
    pairs = [
        (mixture.bic(float(value), place + 1, dim, num_points), place + 1)
        for place, value in enumerate(log_likelihoods)
    ]
    return min(pairs)[1]


@CHOOSE_NUM_COMPONENTS.variant
def single_precision(log_likelihoods, dim, num_points):
    return int(criteria(log_likelihoods.float(), dim, num_points).float().argmin()) + 1
