"""Wrong and right answers to `bic`."""

import math
from collections.abc import Callable

import numpy as np
import torch

from course_lib import mixture

from .bic import BIC, num_params


@BIC.misconception(
    "That is the criterion of Akaike: each parameter costs 2. Here it costs log N, which grows "
    "with the data."
)
def akaike(log_likelihood, num_components, dim, num_points):
    return -2 * log_likelihood + 2 * num_params(num_components, dim)


@BIC.misconception(
    "The log-likelihood has the wrong sign. Lower is better here, so a better fit must lower the "
    "value."
)
def likelihood_added(log_likelihood, num_components, dim, num_points):
    return 2 * log_likelihood + num_params(num_components, dim) * math.log(num_points)


@BIC.misconception(
    "The penalty has the wrong sign: you reward parameters. They must raise the value, since "
    "lower is better."
)
def penalty_subtracted(log_likelihood, num_components, dim, num_points):
    return -2 * log_likelihood - num_params(num_components, dim) * math.log(num_points)


@BIC.misconception(
    "Your value is the negative of the one asked for: in your version higher is better. Here "
    "lower is."
)
def higher_is_better(log_likelihood, num_components, dim, num_points):
    return -mixture.bic(log_likelihood, num_components, dim, num_points)


@BIC.misconception(
    "Your value is half of the one asked for. −2 ℓ + p log N has no factor of one half."
)
def halved(log_likelihood, num_components, dim, num_points):
    return mixture.bic(log_likelihood, num_components, dim, num_points) / 2


@BIC.misconception(
    "You use ℓ − ½ p log N: half the size, and higher is better. Asked for is −2 ℓ + p log N."
)
def halved_and_higher_is_better(log_likelihood, num_components, dim, num_points):
    return -mixture.bic(log_likelihood, num_components, dim, num_points) / 2


@BIC.misconception("The factor 2 before the log-likelihood is missing.")
def likelihood_not_doubled(log_likelihood, num_components, dim, num_points):
    return -log_likelihood + num_params(num_components, dim) * math.log(num_points)


@BIC.misconception("You halved the penalty. Each parameter costs log N, not half of it.")
def penalty_halved(log_likelihood, num_components, dim, num_points):
    return -2 * log_likelihood + num_params(num_components, dim) * math.log(num_points) / 2


@BIC.misconception("You doubled the penalty. Each parameter costs log N once.")
def penalty_doubled(log_likelihood, num_components, dim, num_points):
    return -2 * log_likelihood + 2 * num_params(num_components, dim) * math.log(num_points)


@BIC.misconception(
    "The number of parameters does not multiply log N in your penalty; it costs log N for each one."
)
def parameters_plus_log(log_likelihood, num_components, dim, num_points):
    return -2 * log_likelihood + num_params(num_components, dim) + math.log(num_points)


@BIC.misconception("There is no penalty in your value. Every free parameter costs log N.")
def no_penalty(log_likelihood, num_components, dim, num_points):
    return -2 * log_likelihood


@BIC.misconception("Every parameter costs log N, not N.")
def points_without_logarithm(log_likelihood, num_components, dim, num_points):
    return -2 * log_likelihood + num_params(num_components, dim) * num_points


@BIC.misconception(
    "You took the logarithm of the number of parameters. It is p log N: p times log N."
)
def logarithm_of_parameters(log_likelihood, num_components, dim, num_points):
    return -2 * log_likelihood + math.log(num_params(num_components, dim)) * num_points


@BIC.misconception(
    "You took the logarithm to base 2. The log-likelihood is in nats, so the logarithm is the "
    "natural one."
)
def base_two(log_likelihood, num_components, dim, num_points):
    return -2 * log_likelihood + num_params(num_components, dim) * math.log2(num_points)


@BIC.misconception(
    "You took the logarithm to base 10. The log-likelihood is in nats, so the logarithm is the "
    "natural one."
)
def base_ten(log_likelihood, num_components, dim, num_points):
    return -2 * log_likelihood + num_params(num_components, dim) * math.log10(num_points)


@BIC.misconception("N counts points. You counted the values, N times D.")
def values_counted_as_points(log_likelihood, num_components, dim, num_points):
    return -2 * log_likelihood + num_params(num_components, dim) * math.log(num_points * dim)


@BIC.misconception(
    "You multiplied the log-likelihood by N, as if it were an average. It is already the sum over "
    "the points."
)
def likelihood_per_point_assumed(log_likelihood, num_components, dim, num_points):
    return -2 * log_likelihood * num_points + num_params(num_components, dim) * math.log(num_points)


@BIC.misconception(
    "You divided the log-likelihood by N. The criterion weighs the sum over the points against "
    "the penalty."
)
def mean_likelihood(log_likelihood, num_components, dim, num_points):
    return mixture.bic(log_likelihood / num_points, num_components, dim, num_points)


@BIC.misconception("You divided the whole criterion by the number of points.")
def per_point(log_likelihood, num_components, dim, num_points):
    return mixture.bic(log_likelihood, num_components, dim, num_points) / num_points


MISCOUNTS = {
    "all_weights_counted": (
        "You count all K weights as free. They sum to one, so the last follows from the others.",
        lambda k, d: num_params(k, d) + 1,
    ),
    "weights_forgotten": (
        "The weights are missing from your count: K − 1 of them are free.",
        lambda k, d: num_params(k, d) - (k - 1),
    ),
    "means_or_diagonals_forgotten": (
        (
            "Your count is K times D too small. Either the means are missing, or the diagonals of "
            "the covariances: a symmetric matrix has D(D + 1)/2 free numbers, not D(D − 1)/2."
        ),
        lambda k, d: num_params(k, d) - k * d,
    ),
    "one_mean_for_all": (
        "You count the D numbers of one mean. Each of the K components has its own.",
        lambda k, d: num_params(k, d) - (k - 1) * d,
    ),
    "one_number_for_each_mean": (
        "You count one number for each mean. A mean has D coordinates.",
        lambda k, d: num_params(k, d) - k * (d - 1),
    ),
    "covariances_forgotten": (
        "The covariances are missing from your count.",
        lambda k, d: k - 1 + k * d,
    ),
    "covariance_entries_counted_twice": (
        (
            "You count D² numbers for each covariance. It is symmetric: the entries above the "
            "diagonal repeat those below."
        ),
        lambda k, d: k - 1 + k * d + k * d * d,
    ),
    "diagonal_model": (
        (
            "You count D numbers for each covariance. That is the diagonal model; a full "
            "covariance has also the entries beside the diagonal."
        ),
        lambda k, d: k - 1 + 2 * k * d,
    ),
    "spherical_model": (
        "You count one variance for each component. A full covariance has D(D + 1)/2 free numbers.",
        lambda k, d: k - 1 + k * d + k,
    ),
    "tied_model": (
        "You count one covariance for all components. Each of the K has its own.",
        lambda k, d: k - 1 + k * d + d * (d + 1) // 2,
    ),
    "covariance_not_halved": (
        (
            "You count D(D + 1) numbers for each covariance. Half of them are free: the matrix is "
            "symmetric."
        ),
        lambda k, d: k - 1 + k * d + k * d * (d + 1),
    ),
    "sizes_exchanged": (
        "You exchanged the number of components and the number of coordinates.",
        lambda k, d: num_params(d, k),
    ),
    "always_two_coordinates": (
        "Your count assumes two coordinates. Use `dim`.",
        lambda k, d: num_params(k, 2),
    ),
    "components_counted": (
        "You count components, not their parameters.",
        lambda k, d: k,
    ),
    "one_component_counted": (
        "You count one component only. Means and covariances exist K times.",
        lambda k, d: k - 1 + d + d * (d + 1) // 2,
    ),
}


def _register(name: str, message: str, count: Callable[[int, int], int]) -> None:
    def implementation(log_likelihood, num_components, dim, num_points):
        return -2 * log_likelihood + count(num_components, dim) * math.log(num_points)

    implementation.__name__ = name
    BIC.misconception(message)(implementation)


for _name, (_message, _count) in MISCOUNTS.items():
    _register(_name, _message, _count)


@BIC.variant
def counted_by_hand(log_likelihood, num_components, dim, num_points):
    free = 0
    for k in range(num_components):
        free += 0 if k == 0 else 1
        for row in range(dim):
            free += 1 + len(range(row + 1))
    return free * math.log(num_points) - 2.0 * log_likelihood


@BIC.variant
def lower_triangle(log_likelihood, num_components, dim, num_points):
    covariance = int(torch.ones(dim, dim).tril().sum())
    return -2 * log_likelihood + ((1 + dim + covariance) * num_components - 1) * np.log(num_points)


@BIC.variant
def as_tensor(log_likelihood, num_components, dim, num_points):
    free = torch.tensor(float(num_params(num_components, dim)))
    return free * torch.log(torch.tensor(float(num_points))) - 2 * torch.tensor(log_likelihood)


@BIC.variant
def as_tensor_with_one_element(log_likelihood, num_components, dim, num_points):
    price = math.log(num_points) * (num_components * (dim + 1) * (dim + 2) / 2 - 1)
    return torch.tensor([price - 2 * log_likelihood], dtype=torch.float64)


@BIC.variant
def twice_the_half(log_likelihood, num_components, dim, num_points):
    return -2 * (log_likelihood - 0.5 * num_params(num_components, dim) * math.log(num_points))
