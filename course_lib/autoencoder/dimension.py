r"""How many dimensions data have, and how far out a Gaussian lies in many of them."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib.mixture.params import check_points

PointsArray = Float[Tensor, "n d"]
NUMBERS_PER_BLOCK = 2**23  # distances or differences in memory at once: 64 MB


def intrinsic_dimension(x: PointsArray, *, num_neighbours: int = 20) -> float:
    r"""The dimension of the surface that the points lie on, by maximum likelihood.

    In d dimensions the number of points within a distance grows as its d-th power. With T_{nj} the
    distance from point n to its j-th neighbour, k neighbours give

    .. math:: \frac1{\hat d}
        = \frac{1}{N (k - 1)} \sum_n \sum_{j=1}^{k-1} \log \frac{T_{nk}}{T_{nj}}

    Averaging the inverse over points, not the estimates themselves, is MacKay and Ghahramani's
    correction. Few neighbours measure at small scale, where noise is; many blur curvature and
    edges, which makes the estimate too low.

    Args:
        x: Points, shape (N, D), no two of them equal.
        num_neighbours: k, at least 2 and below N.

    Returns:
        The dimension, rarely a whole number.

    Raises:
        ValueError: `x` is malformed or holds equal points, or `num_neighbours` is out of range.

    Reference:
        Levina and Bickel (2004), "Maximum likelihood estimation of intrinsic dimension", NIPS 17,
        equation 8; MacKay and Ghahramani (2005), "Comments on 'Maximum likelihood estimation of
        intrinsic dimension'".

    Example:
        >>> line = torch.linspace(0, 1, 200)[:, None] * torch.ones(3)
        >>> round(intrinsic_dimension(line, num_neighbours=10))
        1
    """
    distances = _neighbour_distances(x, num_neighbours, at_least=2)
    ratios = (distances[:, -1:] / distances[:, :-1]).log()
    return 1.0 / ratios.mean().item()


def two_nn(x: PointsArray, *, kept: float = 0.9) -> float:
    r"""The dimension of the surface that the points lie on, from two neighbours only.

    The ratio μ = T_2 / T_1 of the distances to the two nearest neighbours has the distribution
    function F(μ) = 1 − μ^{−d}. So −log(1 − F) against log μ is a line through the origin, and its
    slope is the dimension.

    Args:
        x: Points, shape (N, D), no two of them equal.
        kept: The share of the points, those with the smallest ratios, that the line is fitted to.

    Returns:
        The dimension, rarely a whole number.

    Raises:
        ValueError: `x` is malformed or holds equal points or fewer than 3, or `kept` is out of
            range.

    Reference:
        Facco, d'Errico, Rodriguez and Laio (2017), "Estimating the intrinsic dimension of datasets
        by a minimal neighborhood information", Scientific Reports 7.
    """
    if not 0.0 < kept < 1.0:
        raise ValueError(f"kept is {kept}; expected a share of the points between 0 and 1")
    distances = _neighbour_distances(x, 2, at_least=2)
    log_ratio = (distances[:, 1] / distances[:, 0]).log().sort().values
    num_kept = max(1, int(kept * len(x)))
    rank = torch.arange(1, num_kept + 1, dtype=torch.float64, device=x.device)
    height, log_ratio = -torch.log1p(-rank / len(x)), log_ratio[:num_kept]
    return ((log_ratio @ height) / (log_ratio @ log_ratio)).item()


def shell_radius(dim: int) -> float:
    r"""The mean distance from the origin of a standard normal draw.

    .. math:: \mathbb E \lVert z \rVert = \sqrt 2 \, \frac{\Gamma((M + 1) / 2)}{\Gamma(M / 2)}

    Slightly below \sqrt M, while the spread around it stays near 0.7: in many dimensions the draws
    lie in a thin shell.

    Args:
        dim: M.

    Raises:
        ValueError: `dim` is below 1.

    Example:
        >>> [round(shell_radius(dim), 4) for dim in (1, 2, 100)]
        [0.7979, 1.2533, 9.975]
    """
    if dim < 1:
        raise ValueError(f"dim is {dim}; expected at least 1")
    return math.sqrt(2.0) * math.exp(math.lgamma((dim + 1) / 2) - math.lgamma(dim / 2))


def nearest_farthest_ratio(dim: int, num_points: int) -> float:
    r"""How much nearer the nearest of some points is than the farthest, on average.

    For N points that are uniform in a ball, seen from its centre, the mean of the smallest distance
    over the largest is

    .. math:: \mathbb E \frac{\min_n \lVert x_n \rVert}{\max_n \lVert x_n \rVert}
        = \frac{\Gamma(N) \, \Gamma(1 + 1/D)}{\Gamma(N + 1/D)}

    It tends to 1 with growing D: nearest and farthest come to mean the same. Given the largest, the
    others are uniform in the ball that it bounds, and the D-th power of each relative distance is
    uniform from 0 to 1.

    Args:
        dim: D.
        num_points: N, at least 1.

    Raises:
        ValueError: An argument is too small.

    Example:
        >>> [round(nearest_farthest_ratio(dim, 100), 2) for dim in (1, 10, 1000)]
        [0.01, 0.6, 0.99]
    """
    if dim < 1 or num_points < 1:
        raise ValueError(f"dim is {dim} and num_points is {num_points}; expected at least 1 each")
    step = 1 / dim
    log_ratio = math.lgamma(num_points) + math.lgamma(1 + step) - math.lgamma(num_points + step)
    return math.exp(log_ratio)


def _neighbour_distances(x: Tensor, num_neighbours: int, at_least: int) -> Float[Tensor, "n k"]:
    r"""From each point to its nearest others, by rising distance."""
    check_points(x)
    if not at_least <= num_neighbours < len(x):
        raise ValueError(
            f"num_neighbours is {num_neighbours} for {len(x)} points; expected {at_least} to "
            f"{len(x) - 1}"
        )
    x = x.detach().double()  # near neighbours differ in the last digits of float32
    x = x - x.mean(0)  # distances from products cancel less near the origin
    rows = max(1, NUMBERS_PER_BLOCK // max(len(x), num_neighbours * x.shape[1]))
    blocks = torch.arange(len(x), device=x.device).split(rows)
    distances = torch.cat([_nearest(x, block, num_neighbours) for block in blocks])
    equal = int((distances[:, 0] == 0).sum())
    if equal:
        raise ValueError(
            f"{equal} points have an exact copy; expected distinct points, because logarithms of "
            "distances are taken: keep one of each with torch.unique(x, dim=0)"
        )
    return distances


def _nearest(x: Tensor, block: Int[Tensor, " b"], num_neighbours: int) -> Float[Tensor, "b k"]:
    points = x[block]
    distances = torch.cdist(points, x)
    distances[torch.arange(len(block), device=x.device), block] = torch.inf
    nearest = distances.topk(num_neighbours, largest=False).indices
    # cdist multiplies matrices, which blurs small distances: those that count are taken again
    return (x[nearest] - points[:, None]).norm(dim=-1).sort(-1).values
