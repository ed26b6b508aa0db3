r"""Measures of disentanglement against other implementations, and on codes whose score is known."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import mutual_info_score

from course_lib.data.sprites import FACTOR_SIZES
from course_lib.disentanglement import (
    dci,
    dci_from_importances,
    draw_groups,
    factor_vae_score,
    least_varying,
    majority_vote,
    mig,
    mutual_information_table,
)

ALARM = 5.0  # standard errors: one false alarm in two million
SIZES = (3, 5, 8)


def tensors(*arrays):
    r"""On the device under test; codes in the precision under test."""
    device, dtype = torch.get_default_device(), torch.get_default_dtype()
    found = [torch.from_numpy(array).to(device) for array in arrays]
    return [part.to(dtype) if part.is_floating_point() else part for part in found]


def shared_inputs():
    r"""Codes that mix three factors; the same numbers on every machine."""
    draws = np.random.RandomState(0)
    factors = np.stack([draws.randint(size, size=2000) for size in SIZES], 1)
    shares = np.array([[1, 0.2, 0.1, 0], [0.1, 1, 0.3, 0], [0.2, 0, 1, 0]])
    mix = draws.randn(3, 4) * shares
    return factors @ mix + 0.4 * draws.randn(2000, 4), factors


@pytest.fixture
def oracle():
    r"""All combinations of four values each of three factors, and codes that are the factors."""
    values = torch.cartesian_prod(*[torch.arange(4)] * 3)
    return values.to(torch.get_default_dtype()) - 1.5, values


@pytest.fixture
def turned(oracle):
    r"""The same, turned by 45 degrees in the first two dimensions, then in the last two."""
    half = math.sqrt(0.5)
    first = torch.tensor([[half, -half, 0], [half, half, 0], [0, 0, 1]])
    second = torch.tensor([[1, 0, 0], [0, half, -half], [0, half, half]])
    return oracle[0] @ (second @ first).mT, oracle[1]


# Against disentanglement_lib: its own functions (commit 86a644d, scikit-learn 1.9.1) were run on
# `shared_inputs` and the like, outside this repository, and gave the numbers below.

TABLE = [
    [0.74781671, 0.03298494, 0.04553313],
    [0.00922376, 1.56430404, 0.04086047],
    [0.01254882, 0.08230562, 0.26898124],
    [0.00754721, 0.02105548, 0.03224712],
]


def test_mutual_information_agrees_with_disentanglement_lib():
    codes, factors = tensors(*shared_inputs())
    found = mutual_information_table(codes, factors)
    assert (found.dtype, found.device) == (codes.dtype, codes.device)
    torch.testing.assert_close(found, torch.tensor(TABLE), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("num_bins", "expected"), [(20, 0.5659462794), (7, 0.5201594872)])
def test_mig_agrees_with_disentanglement_lib(num_bins, expected):
    assert mig(*tensors(*shared_inputs()), num_bins=num_bins) == pytest.approx(expected, abs=1e-6)


def test_the_closed_part_of_dci_agrees_with_disentanglement_lib():
    importance = np.random.RandomState(1).rand(4, 3) ** 4
    importance[2] = 0  # a dimension that nothing needs
    found = dci_from_importances(*tensors(importance))
    assert found == pytest.approx((0.4585942720, 0.7757303197), abs=1e-6)


def test_dci_with_boosted_trees_agrees_with_disentanglement_lib():
    r"""Not to the last digit: the trees break ties at random."""
    codes, factors = tensors(*shared_inputs())
    parts = codes[:1500], factors[:1500], codes[1500:], factors[1500:]
    found = dci(*parts, classifier=GradientBoostingClassifier())
    assert found == pytest.approx((0.574286, 0.581981, 0.682667), abs=5e-3)


def test_the_factor_vae_score_agrees_with_disentanglement_lib():
    r"""200 votes of 16 points to learn from, 100 to test, from the same draws as there."""
    weights = np.array([[1, 0.6, 0.1, 0], [0.5, 0.3, 0.6, 0.01], [0.2, 0.1, 0.3, 0]])
    mix, draws = np.random.RandomState(2).randn(3, 4) * weights, np.random.RandomState(4)
    noise, spread = np.random.RandomState(3), np.array([1, 1, 1, 0.05])

    def draw_factors(num):
        return np.stack([draws.randint(size, size=num) for size in SIZES], 1)

    def encode(factors):
        return factors @ mix + 0.2 * noise.randn(len(factors), 4) * spread

    everywhere = [encode(part) for part in np.split(draw_factors(500), range(64, 500, 64))]
    fixed, groups = [], []
    for _ in range(300):
        fixed.append(draws.randint(3))
        factors = draw_factors(16)
        factors[:, fixed[-1]] = factors[0, fixed[-1]]
        groups.append(encode(factors))
    everywhere, groups, fixed = tensors(
        np.concatenate(everywhere), np.concatenate(groups), np.array(fixed)
    )
    variances = everywhere.var(0)
    kept = variances.sqrt() >= 0.05
    assert kept.tolist() == [True, True, True, False]
    index = torch.arange(len(groups)).unflatten(0, (300, 16))
    least = least_varying(groups[:, kept], index, variances[kept])
    train, test = (least[:200], fixed[:200]), (least[200:], fixed[200:])
    assert majority_vote(train, train) == pytest.approx(0.625, abs=1e-6)
    assert majority_vote(train, test) == pytest.approx(0.63, abs=1e-6)


# Against scikit-learn and SciPy


def test_mutual_information_agrees_with_scikit_learn(generator):
    factors = torch.randint(5, (3000, 2), generator=generator)
    noise = torch.randn(3000, 3, generator=generator)
    codes = noise + factors[:, [0, 1, 1]] * torch.tensor([2.0, 1.0, 0.1])
    found = mutual_information_table(codes, factors, num_bins=11)
    for m, column in enumerate(codes.numpy(force=True).T):
        edges = np.linspace(column.min(), column.max(), 12, dtype=column.dtype)
        bins = np.clip(np.searchsorted(edges, column, side="right") - 1, 0, 10)
        for f in range(2):
            expected = mutual_info_score(factors[:, f].numpy(force=True), bins)
            assert found[m, f].item() == pytest.approx(expected, abs=1e-6)


def test_dci_agrees_with_scipys_entropy(generator):
    importance = torch.rand(6, 4, generator=generator)
    array = importance.numpy(force=True).astype(float)
    disentanglement = 1 - entropy(array, base=4, axis=1)
    completeness = 1 - entropy(array, base=6, axis=0)
    expected = (
        np.average(disentanglement, weights=array.sum(1)),
        np.average(completeness, weights=array.sum(0)),
    )
    assert dci_from_importances(importance) == pytest.approx(expected, abs=1e-6)


def test_counts_make_mutual_information_too_large(generator):
    r"""Of independent columns by about (bins − 1)(values − 1) / 2N: a χ² variable over 2N."""
    codes = torch.rand(4000, 40, generator=generator)
    factors = torch.randint(5, (4000, 1), generator=generator)
    excess = 2 * 4000 * mutual_information_table(codes, factors)
    assert abs(excess.mean().item() - 19 * 4) < ALARM * math.sqrt(2 * 19 * 4 / 40) + 1


# Codes whose score is known


@pytest.fixture(params=[0, 2], ids=["as many codes", "two unused"])
def perfect(request, oracle, generator):
    r"""Each code is one factor, in another order; and some are noise."""
    codes, factors = oracle
    noise = 1e-3 * torch.randn(len(codes), request.param, generator=generator)
    order = torch.tensor([2, 0, 1, *range(3, 3 + request.param)])
    return torch.cat([codes, 0 * noise], 1)[:, order], factors


def test_the_factors_themselves_score_one(perfect):
    codes, factors = perfect
    assert mig(codes, factors) == pytest.approx(1, abs=1e-6)
    score = factor_vae_score(codes, factors, num_votes=300, num_test_votes=300)
    assert score == 1.0
    found = dci(codes, factors, codes, factors)
    assert min(found) > 0.999


def test_all_factors_of_sprites_fit_into_twenty_bins():
    factors = torch.cartesian_prod(*[torch.arange(size) for size in FACTOR_SIZES])[::7]
    assert mig(factors.to(torch.get_default_dtype()), factors) > 0.99


def test_the_order_of_codes_and_their_units_change_nothing():
    codes, factors = tensors(*shared_inputs())
    other = codes[:, [3, 1, 0, 2]] * torch.tensor([4.0, 0.5, 2.0, 8.0])
    assert mig(other, factors) == pytest.approx(mig(codes, factors), abs=1e-6)
    assert mig(codes, factors[:, [2, 0, 1]]) == pytest.approx(mig(codes, factors), abs=1e-6)
    scores = [
        factor_vae_score(
            part,
            factors,
            num_votes=500,
            num_test_votes=500,
            generator=torch.Generator().manual_seed(1),
        )
        for part in (codes, other)
    ]
    assert scores[0] == scores[1]


def test_turned_codes_score_lower(oracle, turned):
    assert mig(*turned) < 0.5
    assert dci(*turned, *turned).disentanglement < 0.7 * dci(*oracle, *oracle).disentanglement
    options = {"num_votes": 1000, "num_test_votes": 1000}
    generator = torch.Generator().manual_seed(0)
    assert factor_vae_score(*turned, **options, generator=generator) < 0.95


def test_halfway_between_two_factors_the_gap_is_zero(generator):
    r"""At 45 degrees both codes know equally much of both factors."""
    factors = torch.cartesian_prod(torch.arange(9), torch.arange(9))
    a, b = (factors.to(torch.get_default_dtype()) - 4).unbind(1)
    codes = torch.stack([a + b, a - b], 1)
    assert mig(codes, factors) < 1e-6


def test_a_code_for_everything_is_complete_but_not_disentangled():
    r"""The transposed matrix would give it the other way round."""
    assert dci_from_importances(torch.tensor([[1.0, 1.0], [0.0, 0.0]])) == pytest.approx((0, 1))
    assert dci_from_importances(torch.tensor([[1.0, 0.0], [1.0, 0.0]])) == pytest.approx((1, 0))


def test_rows_count_as_much_as_they_matter():
    importance = torch.tensor([[8.0, 0.0], [1.0, 1.0]])
    assert dci_from_importances(importance)[0] == pytest.approx(0.8)


def test_dci_measures_informativeness_on_other_points(oracle, generator):
    codes, factors = oracle
    wrong = factors.flip(0)
    assert dci(codes, factors, codes, wrong).informativeness < 0.1


# The FactorVAE score


def test_points_of_a_group_share_the_fixed_factor(generator):
    factors = torch.stack([torch.randint(k, (500,), generator=generator) for k in (2, 6)], 1)
    draws = torch.Generator().manual_seed(0)
    fixed, groups = draw_groups(factors, 4000, 20, generator=draws)
    assert (fixed.shape, groups.shape) == ((4000,), (4000, 20))
    values = factors.cpu()[groups]  # (V, L, F)
    assert (values.amax(1) == values.amin(1)).gather(1, fixed[:, None]).all()
    assert abs(fixed.double().mean() - 0.5) < ALARM * 0.5 / math.sqrt(4000)
    frequent = values[fixed == 0][:, 0, 0].double().mean()  # values as often as in the data
    expected = factors[:, 0].double().mean().item()
    assert abs(frequent - expected) < ALARM * 0.5 / math.sqrt((fixed == 0).sum())
    within = values[fixed == 1][:, :, 0].double()  # the other factor is free
    assert within.var(1).mean() > 0.2


def test_collapsed_dimensions_have_no_vote(oracle):
    r"""Relative to its own tiny spread, rounding would make one of them win."""
    codes, factors = oracle
    tiny = 1e-3 * torch.randn(len(codes), 1, generator=torch.Generator(codes.device))
    options = {"num_votes": 200, "num_test_votes": 200}
    assert factor_vae_score(torch.cat([tiny, codes], 1), factors, **options) == 1.0
    assert factor_vae_score(tiny, factors, **options) == 0.0


def test_a_code_that_says_nothing_scores_one_in_three(oracle, generator):
    _, factors = oracle
    noise = torch.randn(len(factors) * 20, 4, generator=generator)
    options = {"num_votes": 2000, "num_test_votes": 2000}
    draws = torch.Generator().manual_seed(0)
    score = factor_vae_score(noise, factors.repeat(20, 1), **options, generator=draws)
    assert abs(score - 1 / 3) < 0.1


def test_the_majority_is_tested_on_other_votes():
    train = torch.tensor([0, 0, 0, 1]), torch.tensor([1, 1, 0, 2])
    test = torch.tensor([0, 0, 1, 2]), torch.tensor([1, 0, 2, 0])
    assert majority_vote(train, test) == 0.75  # a dimension without votes: the first factor


# Bad input

GOOD = (torch.zeros(4, 2), torch.zeros(4, 2, dtype=torch.long))


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ((GOOD[0][0], GOOD[1]), "expected \\(N, D\\)"),
        ((GOOD[0] * torch.nan, GOOD[1]), "NaN or infinite"),
        ((GOOD[0], GOOD[1][:3]), r"expected \(N, F\) whole numbers with N = 4"),
        ((GOOD[0], GOOD[1].mT), "whole numbers with N = 4"),
        ((GOOD[0], GOOD[1].double()), "type torch.float64"),
        ((GOOD[0], GOOD[1] - 1), "below 0"),
        (GOOD, "factor 0 has the same value everywhere"),
        ((GOOD[0][:, :1], GOOD[1]), "codes has one column"),
    ],
)
def test_bad_input_of_mig(change, message):
    with pytest.raises(ValueError, match=message):
        mig(*change)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("importance", "message"),
    [
        (torch.ones(3), "at least \\(2, 2\\)"),
        (torch.ones(3, 1), "at least \\(2, 2\\)"),
        (-torch.eye(3), "not below 0"),
        (torch.full((2, 2), torch.nan), "not below 0"),
        (torch.zeros(2, 2), "0 everywhere"),
    ],
)
def test_bad_importances(importance, message):
    with pytest.raises(ValueError, match=message):
        dci_from_importances(importance)


def test_bad_input_of_the_others():
    with pytest.raises(ValueError, match="num_bins is 0"):
        mutual_information_table(*GOOD, num_bins=0)
    with pytest.raises(ValueError, match="group_size is 1"):
        factor_vae_score(*GOOD, group_size=1)
    with pytest.raises(ValueError, match="num_votes is 0"):
        factor_vae_score(*GOOD, num_votes=0)
