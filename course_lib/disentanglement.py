r"""Does each latent dimension hold one cause of the images? Three published measures.

All take codes (N, M) and the true factors (N, F), whole numbers from 0, row by row; the mean of
q(z | x) is the usual code. They follow the definitions of disentanglement_lib (Locatello et al.
2019), so their numbers can be laid beside published ones, if the data, the representation and the
sizes are the same too: MIG from histograms with 20 bins on 10 000 points, the FactorVAE score from
10 000 votes of 64 points, DCI from trees on 10 000 points.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib.mixture.params import check_points
from course_lib.monte_carlo.checks import check_positive

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin

Codes = Float[Tensor, "n m"]
Factors = Int[Tensor, "n f"]
ALMOST_NOTHING = 1e-11  # added to importances, so that 0 · log 0 never comes up
NUM_TREES, MIN_LEAF = 10, 5


class DCI(NamedTuple):
    r"""What `dci` returns; all three lie between 0 and 1.

    Attributes:
        disentanglement: 1 if no latent dimension matters for more than one factor.
        completeness: 1 if no factor needs more than one latent dimension.
        informativeness: Share of the test points whose factor is predicted, mean over factors.
    """

    disentanglement: float
    completeness: float
    informativeness: float


def mutual_information_table(
    codes: Codes, factors: Factors, *, num_bins: int = 20
) -> Float[Tensor, "m f"]:
    r"""Mutual information of each latent dimension with each factor, from counts.

    .. math:: I_{mf} = \sum_{b, k} \hat p(b, k) \log \frac{\hat p(b, k)}{\hat p(b)\, \hat p(k)}

    where b is the bin of z_m among bins of equal width from its smallest to its largest value.
    Counts make it too large by about (bins − 1)(values − 1) / 2N nats.

    Args:
        codes: z, shape (N, M).
        factors: Shape (N, F), each column whole numbers from 0.
        num_bins: B.

    Returns:
        Shape (M, F), in nats.

    Raises:
        ValueError: An argument is malformed.

    Example:
        >>> factors = torch.tensor([[0], [1], [0], [1]])
        >>> mutual_information_table(factors.float(), factors) / torch.tensor(2.0).log()
        tensor([[1.]])
    """
    _check(codes, factors)
    check_positive(num_bins=num_bins)
    bins = torch.from_numpy(_discretize(codes.detach().cpu().numpy(), num_bins))
    counted = factors.detach().cpu().long()
    table = [[_mutual_information(a, b) for b in counted.unbind(1)] for a in bins.unbind(1)]
    return torch.tensor(table, dtype=torch.float64, device="cpu").to(codes)


def mig(codes: Codes, factors: Factors, *, num_bins: int = 20) -> float:
    r"""Mutual information gap: is there for each factor one latent dimension that stands out?

    .. math:: \mathrm{MIG} = \frac1F \sum_f \frac{1}{\mathrm H(v_f)}
        \Big( I_{m_f f} - \max_{m \neq m_f} I_{mf} \Big), \qquad m_f = \arg\max_m I_{mf}

    Args:
        codes: z, shape (N, M), at least two columns.
        factors: Shape (N, F), each column whole numbers from 0, at least two different ones.
        num_bins: Of the histogram of each z_m.

    Returns:
        Between 0 and 1: 1 if each factor can be read off one latent dimension, and nothing of it
        off any other.

    Raises:
        ValueError: An argument is malformed.

    Reference:
        Chen, Li, Grosse and Duvenaud (2018), equation (6), arXiv:1802.04942.
    """
    table = mutual_information_table(codes, factors, num_bins=num_bins).double().cpu()
    if len(table) < 2:
        raise ValueError("codes has one column; expected at least two, to have a gap between them")
    entropy = [_mutual_information(column, column) for column in factors.detach().cpu().unbind(1)]
    if 0.0 in entropy:
        raise ValueError(
            f"factor {entropy.index(0.0)} has the same value everywhere; expected at least two "
            "different ones: leave that column out"
        )
    first, second = table.topk(2, 0).values
    return ((first - second) / torch.tensor(entropy).to(first)).mean().item()


def dci(
    train_codes: Codes,
    train_factors: Factors,
    test_codes: Float[Tensor, "t m"],
    test_factors: Int[Tensor, "t f"],
    *,
    seed: int = 0,
    classifier: "ClassifierMixin | None" = None,
) -> DCI:
    r"""Disentanglement, completeness and informativeness, from classifiers of each factor.

    Args:
        train_codes: z, shape (N, M).
        train_factors: Shape (N, F), each column whole numbers from 0.
        test_codes: Codes of other points, to measure informativeness on, shape (T, M).
        test_factors: Their factors, shape (T, F).
        seed: Of the trees.
        classifier: Any of scikit-learn's with `feature_importances_`; `None` is a random forest of
            10 trees, some seconds for 10 000 points. disentanglement_lib takes
            `GradientBoostingClassifier()`, which needs minutes and gives other numbers.

    Raises:
        ValueError: An argument is malformed.

    Reference:
        Eastwood and Williams (2018), "A framework for the quantitative evaluation of disentangled
        representations", sections 2 and 3.
    """
    from sklearn.base import clone  # scikit-learn takes a second to import
    from sklearn.ensemble import RandomForestClassifier

    _check(train_codes, train_factors)
    _check(test_codes, test_factors)
    if classifier is None:
        # each split is free to take the best of all dimensions: forced to others, importances blur
        classifier = RandomForestClassifier(NUM_TREES, max_features=None, min_samples_leaf=MIN_LEAF)
    x, y, x_test, y_test = (
        part.detach().cpu().numpy()
        for part in (train_codes, train_factors, test_codes, test_factors)
    )
    importance, found = np.empty((x.shape[1], y.shape[1])), []
    for f in range(y.shape[1]):
        model = clone(classifier).set_params(random_state=seed).fit(x, y[:, f])
        importance[:, f] = model.feature_importances_
        found.append(model.score(x_test, y_test[:, f]))
    both = dci_from_importances(torch.from_numpy(importance))
    return DCI(*both, float(np.mean(found)))


def dci_from_importances(importance: Float[Tensor, "m f"]) -> tuple[float, float]:
    r"""Disentanglement and completeness of a matrix of importances.

    .. math:: D = \sum_m \rho_m \Big( 1 + \sum_f \tilde P_{mf} \log_F \tilde P_{mf} \Big), \qquad
        C = \sum_f \rho'_f \Big( 1 + \sum_m P'_{mf} \log_M P'_{mf} \Big)

    with the rows of \tilde P and the columns of P' made to sum to 1, and weights \rho that are the
    shares of the rows (columns) in the whole.

    Args:
        importance: How much latent dimension m matters for factor f, at least 0, shape (M, F).

    Returns:
        (disentanglement, completeness).

    Raises:
        ValueError: The matrix is malformed, has one row or column, or is 0.

    Reference:
        Eastwood and Williams (2018), section 2.

    Example:
        >>> everything_in_one = torch.tensor([[1.0, 1.0], [0.0, 0.0]])
        >>> [round(score, 6) for score in dci_from_importances(everything_in_one)]
        [0.0, 1.0]
    """
    importance = importance.detach().double().cpu()
    if importance.ndim != 2 or min(importance.shape) < 2 or not (importance >= 0).all():
        raise ValueError(
            f"importance has shape {tuple(importance.shape)}; expected (M, F), at least (2, 2), of "
            "numbers not below 0"
        )
    if not importance.sum() > 0:
        raise ValueError("importance is 0 everywhere; expected a positive entry")
    return _purity(importance), _purity(importance.mT)


def factor_vae_score(
    codes: Codes,
    factors: Factors,
    *,
    num_votes: int = 10_000,
    num_test_votes: int = 5_000,
    group_size: int = 64,
    min_std: float = 0.05,
    generator: torch.Generator | None = None,
) -> float:
    r"""Can the fixed factor of a group be told from the latent dimension that varies least in it?

    A vote: draw a factor f and a value of it, then a group of points that have this value; the
    latent dimension whose variance in the group is smallest, relative to its variance over all
    points, votes for f. The majority of the votes for each dimension makes a classifier, and its
    accuracy on votes that it has not seen is the score.

    Args:
        codes: z of the points to draw groups from, shape (N, M): all there are, or many.
        factors: Shape (N, F), each column whole numbers from 0.
        num_votes: To make the classifier of.
        num_test_votes: To test it on.
        group_size: Points in a group, drawn with replacement.
        min_std: Dimensions with a smaller standard deviation have collapsed, and are left out.
        generator: Of the draws, on the CPU.

    Returns:
        Between 0 and 1; a code that says nothing has about 1/F. 0 if every dimension has collapsed.

    Raises:
        ValueError: An argument is malformed.

    Reference:
        Kim and Mnih (2018), "Disentangling by factorising", section 4 and appendix B,
        arXiv:1802.05983.
    """
    _check(codes, factors)
    check_positive(num_votes=num_votes, num_test_votes=num_test_votes)
    if group_size < 2:
        raise ValueError(f"group_size is {group_size}; expected at least 2, to have a variance")
    codes, factors = codes.detach().cpu().double(), factors.detach().cpu().long()
    variances = codes.var(0)
    kept = variances.sqrt() >= min_std
    if not kept.any():
        return 0.0
    total = num_votes + num_test_votes
    fixed, groups = draw_groups(factors, total, group_size, generator=generator)
    least = least_varying(codes[:, kept], groups, variances[kept])
    return majority_vote(
        (least[:num_votes], fixed[:num_votes]), (least[num_votes:], fixed[num_votes:])
    )


def draw_groups(
    factors: Factors,
    num_groups: int,
    group_size: int,
    *,
    generator: torch.Generator | None = None,
) -> tuple[Int[Tensor, " v"], Int[Tensor, "v l"]]:
    r"""Groups of points that share the value of one factor.

    Returns:
        The factor that is fixed in each of V groups, shape (V,), and the indices of the L points of
        each, shape (V, L).
    """
    factors = factors.detach().cpu().long()
    num, num_factors = factors.shape
    fixed = torch.randint(num_factors, (num_groups,), generator=generator, device="cpu")
    first = torch.randint(num, (num_groups,), generator=generator, device="cpu")
    place = torch.rand(num_groups, group_size, generator=generator, dtype=torch.float64)
    groups = torch.empty(num_groups, group_size, dtype=torch.long, device="cpu")
    for f in range(num_factors):
        own = fixed == f
        order = factors[:, f].argsort(stable=True)  # points with the same value side by side
        counts = factors[:, f].bincount()
        value = factors[first[own], f]
        start = (counts.cumsum(0) - counts)[value]
        groups[own] = order[start[:, None] + (place[own] * counts[value][:, None]).long()]
    return fixed, groups


def least_varying(
    codes: Codes, groups: Int[Tensor, "v l"], variances: Float[Tensor, " m"]
) -> Int[Tensor, " v"]:
    r"""The latent dimension that varies least in each group, relative to `variances`, (V,)."""
    return torch.cat([(codes[part].var(1) / variances).argmin(1) for part in groups.split(1000)])


def majority_vote(
    train: tuple[Int[Tensor, " v"], Int[Tensor, " v"]],
    test: tuple[Int[Tensor, " t"], Int[Tensor, " t"]],
) -> float:
    r"""Accuracy of the classifier that gives each latent dimension the factor most often fixed.

    Args:
        train: Latent dimensions and fixed factors of the votes that it is made of.
        test: Those of the votes that it is tested on.

    Example:
        >>> votes = torch.tensor([0, 0, 1]), torch.tensor([1, 1, 0])
        >>> majority_vote(votes, votes)
        1.0
    """
    least, fixed = train
    size = 1 + max(int(part.max()) for part in (*train, *test))
    counts = (least * size + fixed).bincount(minlength=size**2).unflatten(0, (size, size))
    return (counts.argmax(1)[test[0]] == test[1]).double().mean().item()


def _discretize(codes: np.ndarray, num_bins: int) -> np.ndarray:
    r"""The bin of each value, from 0; the largest value is in the last bin. By NumPy's edges."""
    edges = [np.histogram_bin_edges(column, num_bins)[:-1] for column in codes.T]
    columns = zip(codes.T, edges, strict=True)
    return np.stack([np.digitize(column, edge) for column, edge in columns], 1) - 1


def _mutual_information(a: Int[Tensor, " n"], b: Int[Tensor, " n"]) -> float:
    r"""Of two columns of whole numbers from 0, in nats; with itself, the entropy."""
    shape = (int(a.max()) + 1, int(b.max()) + 1)
    joint = (a.long() * shape[1] + b.long()).bincount(minlength=shape[0] * shape[1])
    joint = joint.double().unflatten(0, shape) / len(a)
    independent = joint.sum(1, keepdim=True) * joint.sum(0)
    seen = joint > 0
    return (joint[seen] * (joint[seen] / independent[seen]).log()).sum().clamp(min=0).item()


def _purity(importance: Float[Tensor, "m f"]) -> float:
    r"""1 less the entropy of each row over its largest possible, weighted by the rows' shares."""
    rows = importance + ALMOST_NOTHING
    rows = rows / rows.sum(1, keepdim=True)
    entropy = -(rows * rows.log()).sum(1) / np.log(importance.shape[1])
    return ((1 - entropy) * importance.sum(1) / importance.sum()).sum().item()


def _check(codes: Tensor, factors: Tensor) -> None:
    check_points(codes)
    is_whole = not factors.is_floating_point() and factors.dtype != torch.bool
    if factors.ndim != 2 or len(factors) != len(codes) or not is_whole or factors.numel() == 0:
        raise ValueError(
            f"factors has shape {tuple(factors.shape)} and type {factors.dtype}; expected (N, F) "
            f"whole numbers with N = {len(codes)}, a row for each code"
        )
    if (factors < 0).any():
        raise ValueError("factors holds numbers below 0; expected values counted from 0")
