"""Wrong and right answers to `gaussian_total_correlation`."""

import math

import torch

from .gaussian_total_correlation import GAUSSIAN_TOTAL_CORRELATION, reference

misconception = GAUSSIAN_TOTAL_CORRELATION.misconception
variant = GAUSSIAN_TOTAL_CORRELATION.variant


def _correlations(covariance):
    scales = covariance.diagonal().sqrt()
    return covariance / torch.outer(scales, scales)


@misconception("The ½ is missing: your result is twice the total correlation.")
def without_the_half(covariance):
    return 2 * reference(covariance)


@misconception(
    "You exchanged the two terms, so the result is negative. The entropies of the coordinates "
    "together are larger than the entropy of the whole."
)
def negative(covariance):
    return -reference(covariance)


@misconception(
    "You left the variances out: −½ log det Σ is the total correlation only if all variances are 1."
)
def log_det_alone(covariance):
    return -0.5 * torch.logdet(covariance)


@misconception(
    "You took the divergence from the standard normal. Compare with the product of the margins, "
    "whose variances are those on the diagonal."
)
def divergence_from_the_prior(covariance):
    trace, dim = covariance.trace(), len(covariance)
    return 0.5 * (trace - dim - torch.logdet(covariance))


@misconception(
    "You turned the divergence around: from the product of the margins to the whole. It is the "
    "mean under the distribution itself."
)
def the_other_direction(covariance):
    diagonal = covariance.diagonal().diag()
    trace = (torch.linalg.inv(covariance) @ diagonal).trace()
    return 0.5 * (trace - len(covariance)) - reference(covariance)


@misconception(
    "You took the variances for standard deviations: log det Σ goes with log σ², the logarithm of "
    "the diagonal as it stands."
)
def roots_of_the_diagonal(covariance):
    return 0.5 * (covariance.diagonal().sqrt().log().sum() - torch.logdet(covariance))


@misconception(
    "You squared the diagonal. It holds the variances already: its logarithm as it stands."
)
def squares_of_the_diagonal(covariance):
    return 0.5 * (2 * covariance.diagonal().log().sum() - torch.logdet(covariance))


@misconception(
    "Your log det of the covariance is half of what it should be: the product of the diagonal of "
    "the Cholesky factor is the root of the determinant."
)
def cholesky_not_doubled(covariance):
    factor = torch.linalg.cholesky(covariance)
    return 0.5 * (covariance.diagonal().log().sum() - factor.diagonal().log().sum())


@misconception(
    "You took the logarithm of the sum of the variances. It is the sum of their logarithms."
)
def log_of_the_trace(covariance):
    return 0.5 * (covariance.trace().log() - torch.logdet(covariance))


@misconception(
    "You summed squared correlations. Half of their sum is near the truth for weak dependence only."
)
def sum_of_squared_correlations(covariance):
    return 0.5 * _correlations(covariance).triu(1).square().sum()


@misconception("You summed the sizes of the correlations, which are no nats.")
def sum_of_correlations(covariance):
    return _correlations(covariance).triu(1).abs().sum()


@misconception(
    "You summed the mutual information of all pairs. What three values share is then counted more "
    "than once: only the determinant sees them all together."
)
def sum_over_pairs(covariance):
    rho_sq = _correlations(covariance).triu(1).square()
    return -0.5 * torch.log1p(-rho_sq).sum()


@misconception(
    "You summed over neighbouring pairs only. The other pairs depend on each other as well."
)
def neighbours_only(covariance):
    rho_sq = _correlations(covariance).diagonal(1).square()
    return -0.5 * torch.log1p(-rho_sq).sum()


@misconception("Your result is in bits. Use the natural logarithm.")
def in_bits(covariance):
    return reference(covariance) / math.log(2)


@misconception(
    "You returned the entropy of the whole. Subtract it from the sum of the entropies of the "
    "coordinates."
)
def entropy_of_the_whole(covariance):
    dim = len(covariance)
    return 0.5 * (dim * (1 + math.log(2 * math.pi)) + torch.logdet(covariance))


@misconception(
    "The constants of the entropies do not cancel in your result: the ½ log 2πe stands M times in "
    "the sum of the entropies, and M times in that of the whole."
)
def constants_left(covariance):
    dim = len(covariance)
    return reference(covariance) + 0.5 * (dim - 1) * (1 + math.log(2 * math.pi))


@misconception("You divided by the number of coordinates. Total correlation is not an average.")
def averaged(covariance):
    return reference(covariance) / len(covariance)


@misconception(
    "You took the log of the determinant ratio upside down and without logs of its own: return "
    "the logarithm, not the ratio of the volumes."
)
def ratio_of_volumes(covariance):
    return torch.exp(reference(covariance))


@misconception(
    "Right for few coordinates. With many the determinant is 0 or infinite in floating point: take "
    "`torch.logdet` or `slogdet`, or sum the logarithms of the Cholesky factor's diagonal."
)
def log_of_the_determinant(covariance):
    product = covariance.diagonal().prod()
    return 0.5 * (product.log() - torch.linalg.det(covariance).log())


@variant
def by_cholesky(covariance):
    factor = torch.linalg.cholesky(covariance)
    return (0.5 * covariance.diagonal().log() - factor.diagonal().log()).sum()


@variant
def by_the_correlations(covariance):
    return -0.5 * torch.linalg.slogdet(_correlations(covariance))[1]


@variant
def by_eigenvalues(covariance):
    values = torch.linalg.eigvalsh(_correlations(covariance))
    return -0.5 * values.log().sum()


@variant
def by_torch_distributions(covariance):
    zero = torch.zeros(len(covariance), dtype=covariance.dtype)
    whole = torch.distributions.MultivariateNormal(zero, covariance)
    scales = covariance.diagonal().sqrt()
    return torch.distributions.Normal(zero, scales).entropy().sum() - whole.entropy()


@variant
def by_the_chain_rule(covariance):
    # each coordinate's variance, over what is left of it when those before it are known
    total = torch.zeros((), dtype=covariance.dtype)
    for m in range(1, len(covariance)):
        before, cross = covariance[:m, :m], covariance[:m, m]
        left = covariance[m, m] - cross @ torch.linalg.solve(before, cross)
        total = total + 0.5 * torch.log(covariance[m, m] / left)
    return float(total)


@variant
def by_the_divergence(covariance):
    zero = torch.zeros(len(covariance), dtype=covariance.dtype)
    whole, parts = (
        torch.distributions.MultivariateNormal(zero, matrix)
        for matrix in (covariance, covariance.diagonal().diag())
    )
    return torch.distributions.kl_divergence(whole, parts)
