r"""How many components? Free parameters and the Bayesian information criterion."""

import math


def num_free_parameters(num_components: int, dim: int, *, diagonal: bool = False) -> int:
    r"""The number of free parameters of a Gaussian mixture.

    .. math:: p = (K - 1) + K D + K \tfrac{D (D + 1)}{2}

    with K D in place of the last term for a diagonal model.

    Raises:
        ValueError: `num_components` or `dim` is not positive.

    Example:
        >>> num_free_parameters(2, 2), num_free_parameters(2, 2, diagonal=True)
        (11, 9)
    """
    if num_components < 1 or dim < 1:
        raise ValueError(
            f"given num_components={num_components} and dim={dim}; expected both to be at least 1"
        )
    covariance = dim if diagonal else dim * (dim + 1) // 2
    return (num_components - 1) + num_components * (dim + covariance)


def bic(
    log_likelihood: float,
    num_components: int,
    dim: int,
    num_points: int,
    *,
    diagonal: bool = False,
) -> float:
    r"""The Bayesian information criterion; lower is better.

    .. math:: \mathrm{BIC} = -2 \ell(\hat\theta) + p \log N

    Args:
        log_likelihood: The maximum \ell, summed over the points, in nats.
        num_components: K.
        dim: D.
        num_points: N.
        diagonal: Whether the covariances are diagonal.

    Raises:
        ValueError: `num_points` is not positive, or `log_likelihood` is not finite.

    Reference:
        Schwarz (1978), "Estimating the dimension of a model", The Annals of Statistics 6.

    Example:
        >>> round(bic(-1130.26396, 2, 2, 272), 3)
        2322.192
    """
    if num_points < 1:
        raise ValueError(f"num_points is {num_points}; expected at least 1")
    if not math.isfinite(log_likelihood):
        raise ValueError(
            f"log_likelihood is {log_likelihood}; expected a finite number of nats: a likelihood "
            "without bound belongs to a collapsed component, so fit with a larger min_variance"
        )
    num_params = num_free_parameters(num_components, dim, diagonal=diagonal)
    return -2.0 * float(log_likelihood) + num_params * math.log(num_points)
