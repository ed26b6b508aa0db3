r"""Ranks of known maps, dimensions of known surfaces, holes of known size."""

import math

import pytest
import torch
from scipy import stats
from sklearn.neighbors import NearestNeighbors
from torch import nn

from course_lib.autoencoder import (
    DenseAutoencoder,
    dimension,
    hole_fraction,
    intrinsic_dimension,
    jacobian_rank,
    nearest_farthest_ratio,
    shell_radius,
    two_nn,
)

ALARM = 5.0  # standard errors: one false alarm in two million


@pytest.mark.parametrize(("num_in", "num_out"), [(7, 5), (5, 7), (6, 6)])
@pytest.mark.parametrize("rank", [1, 3, 5])
def test_rank_of_a_linear_map(num_in, num_out, rank, generator):
    a, b = (torch.randn(n, rank, generator=generator) for n in (num_in, num_out))
    a, b = torch.linalg.qr(a).Q, torch.linalg.qr(b).Q
    x = torch.randn(4, num_in, generator=generator)
    found = jacobian_rank(lambda x: (x @ a @ b.mT).tanh(), x)  # tanh keeps the rank
    assert found.tolist() == [rank] * 4
    assert found.device == x.device


def test_tolerance_is_relative_to_the_largest(generator):
    scale = torch.tensor([1.0, 0.1, 0.01])
    x = torch.randn(2, 3, generator=generator)
    for unit in (1e-6, 1.0, 1e6):
        ranks = [
            jacobian_rank(lambda x: unit * scale * x, x, tolerance=tolerance).tolist()  # noqa: B023
            for tolerance in (0.5, 0.05, 0.005)
        ]
        assert ranks == [[1, 1], [2, 2], [3, 3]]


def test_rank_can_differ_from_point_to_point():
    x = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    assert jacobian_rank(torch.relu, x).tolist() == [2, 1, 0]
    lifted = torch.ones(2, 5).tril()  # the other way of taking the Jacobian
    assert jacobian_rank(lambda x: torch.relu(x) @ lifted, x).tolist() == [2, 1, 0]


def test_images_and_codes_of_any_shape(generator):
    x = torch.randn(3, 2, 4, 4, generator=generator)
    assert jacobian_rank(lambda x: x.mean((2, 3)), x).tolist() == [2, 2, 2]
    z = torch.randn(3, 2, generator=generator)
    grid = torch.randn(2, 1, 4, 4, generator=generator)
    assert jacobian_rank(lambda z: torch.einsum("nm,mchw->nchw", z, grid), z).tolist() == [2, 2, 2]


def test_the_bottleneck_binds_and_a_leak_shows(generator):
    torch.manual_seed(0)
    model = DenseAutoencoder(12, 3, hidden=(32,), output="identity")
    x = torch.randn(5, 12, generator=generator)
    assert jacobian_rank(model, x).tolist() == [3] * 5
    assert jacobian_rank(model.encode, x).tolist() == [3] * 5
    assert jacobian_rank(model.decode, model.encode(x)).tolist() == [3] * 5
    leak = jacobian_rank(lambda x: model(x) + 0.1 * x, x, tolerance=1e-5)
    assert leak.tolist() == [12] * 5


def test_rank_is_taken_in_evaluation_and_leaves_no_trace(generator):
    model = nn.Sequential(nn.Dropout(0.9), nn.Linear(4, 6))
    x = torch.randn(3, 4, generator=generator)
    with torch.no_grad():
        assert jacobian_rank(model, x).tolist() == [4, 4, 4]
    assert model.training
    assert not x.requires_grad
    assert all(parameter.grad is None for parameter in model.parameters())


def sphere(num_points, dim, generator, num_columns=9):
    r"""Points on the sphere of dimension `dim`: no edge, turned into more columns."""
    x = torch.randn(num_points, dim + 1, generator=generator)
    turn = torch.linalg.qr(torch.randn(num_columns, num_columns, generator=generator)).Q
    return x / x.norm(dim=1, keepdim=True) @ turn[: dim + 1] + 5.0


@pytest.mark.parametrize("dim", [1, 2, 3, 5])
def test_dimension_of_spheres(dim, generator):
    r"""The error of the pooled estimate is at most that of N independent neighbourhoods of one."""
    x = sphere(3000, dim, generator)
    assert intrinsic_dimension(x) == pytest.approx(dim, rel=0.08)
    assert two_nn(x) == pytest.approx(dim, rel=2 * ALARM / math.sqrt(3000))


def test_dimension_of_a_swiss_roll(generator):
    turn = 3 + 9 * torch.rand(4000, generator=generator)
    height = 20 * torch.rand(4000, generator=generator)
    x = torch.stack([turn * turn.cos(), height, turn * turn.sin()], 1)
    assert intrinsic_dimension(x, num_neighbours=10) == pytest.approx(2, rel=0.1)
    assert two_nn(x) == pytest.approx(2, rel=0.15)


def test_noise_raises_the_dimension_at_its_own_scale(generator):
    x = torch.zeros(2000, 4)
    x[:, 0] = torch.rand(2000, generator=generator)
    noisy = x + 0.02 * torch.randn(2000, 4, generator=generator)
    assert intrinsic_dimension(x) < 1.1
    few, many = (intrinsic_dimension(noisy, num_neighbours=k) for k in (5, 400))
    assert few > 2.5 > 2.0 > many


@pytest.mark.parametrize("num_neighbours", [2, 7, 29])
def test_dimension_by_its_formula(num_neighbours, generator):
    x = torch.randn(30, 3, generator=generator)
    neighbours = NearestNeighbors(n_neighbors=num_neighbours, algorithm="brute").fit(
        x.cpu().double()
    )
    distances, _ = neighbours.kneighbors()
    total = sum(math.log(row[-1] / t) for row in distances for t in row[:-1])
    expected = 30 * (num_neighbours - 1) / total
    assert intrinsic_dimension(x, num_neighbours=num_neighbours) == pytest.approx(expected)


@pytest.mark.parametrize("estimate", [intrinsic_dimension, two_nn])
def test_dimension_ignores_place_size_and_turn(estimate, generator):
    x = sphere(300, 2, generator)
    expected = pytest.approx(estimate(x), rel=1e-3)
    turn = torch.linalg.qr(torch.randn(9, 9, generator=generator)).Q
    assert estimate(1e-3 * x) == expected
    assert estimate(x @ turn - 7.0) == expected
    assert estimate(x.flip(0)) == expected


def test_blocks_change_nothing(generator, monkeypatch):
    x = sphere(200, 2, generator)
    whole = intrinsic_dimension(x)
    monkeypatch.setattr(dimension, "NUMBERS_PER_BLOCK", 1500)
    assert intrinsic_dimension(x) == pytest.approx(whole, rel=1e-12)


def test_near_neighbours_far_from_the_origin(generator):
    r"""A fine curve, whose neighbours are a ten-thousandth of its length apart."""
    t = torch.rand(4000, generator=generator, dtype=torch.float64)
    x = torch.stack([t, t.square(), t.sin()], 1)
    assert intrinsic_dimension(x) == pytest.approx(1.0, rel=0.1)


def test_hole_of_known_size():
    grid = torch.linspace(-2, 2, 41)
    codes = torch.cartesian_prod(grid, grid)

    def encode(x):
        r"""Nothing comes back from inside the unit circle."""
        radius = x.norm(dim=1, keepdim=True)
        return torch.where(radius < 1.0, x / radius.clamp(min=1e-3), x)

    inside = codes.norm(dim=1)
    for tolerance in (0.05, 0.25, 0.65):
        moved = ((inside < 1.0) & ((inside.clamp(min=1e-3) - 1.0).abs() > tolerance)).sum().item()
        centre = 1  # which is sent to itself
        found = hole_fraction(encode, lambda z: z, codes, tolerance)
        assert found == pytest.approx((moved - centre) / len(codes))
    assert hole_fraction(encode, lambda z: z, 3.0 + codes.abs(), 0.0) == 0.0


def test_tolerance_of_holes_is_a_distance():
    codes = torch.zeros(4, 2)
    shift = torch.tensor([3.0, 4.0])
    assert hole_fraction(lambda x: x + shift, lambda z: z, codes, 5.0) == 0.0
    assert hole_fraction(lambda x: x + shift, lambda z: z, codes, 4.99) == 1.0


def test_holes_need_no_gradient(generator):
    model = DenseAutoencoder(6, 2, hidden=(8,))
    codes = torch.randn(10, 2, generator=generator)
    assert 0.0 <= hole_fraction(model.encode, model.decode, codes, 0.5) <= 1.0
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("dim", [1, 2, 3, 10, 784, 10**6])
def test_shell_radius_is_the_mean_of_chi(dim):
    assert shell_radius(dim) == pytest.approx(stats.chi(dim).mean(), rel=1e-7)
    assert math.sqrt(dim - 0.5) <= shell_radius(dim) * (1 + 1e-8) <= math.sqrt(dim) * (1 + 1e-8)


@pytest.mark.parametrize(("dim", "num_points"), [(1, 2), (2, 5), (10, 100), (200, 7), (3, 1)])
def test_nearest_and_farthest_of_points_in_a_ball(dim, num_points, generator):
    direction = torch.randn(4000, num_points, dim, generator=generator)
    radius = torch.rand(4000, num_points, generator=generator) ** (1 / dim)
    distances = (direction / direction.norm(dim=2, keepdim=True)).mul(radius[..., None]).norm(dim=2)
    ratios = distances.amin(1) / distances.amax(1)
    error = ratios.std().item() / math.sqrt(len(ratios))
    assert abs(ratios.mean().item() - nearest_farthest_ratio(dim, num_points)) <= ALARM * error


def scalar(x):
    return x.sum()


WRONG = {
    "tolerance": (
        lambda: jacobian_rank(torch.tanh, torch.zeros(2, 2), tolerance=1.0),
        r"tolerance is 1\.0; expected a share",
    ),
    "single point": (lambda: jacobian_rank(torch.tanh, torch.zeros(2)), r"needs x\[None\]"),
    "no points": (lambda: jacobian_rank(torch.tanh, torch.zeros(0, 2)), r"shape \(0, 2\)"),
    "integers": (
        lambda: jacobian_rank(torch.tanh, torch.zeros(2, 2, dtype=torch.int64)),
        "holds torch.int64",
    ),
    "scalar": (lambda: jacobian_rank(scalar, torch.zeros(2, 2)), r"made shape \(\) of 2 points"),
    "other rows": (
        lambda: jacobian_rank(lambda x: x[:1], torch.zeros(2, 2)),
        r"made shape \(1, 2\) of 2 points",
    ),
    "cut off": (
        lambda: jacobian_rank(lambda x: x.detach(), torch.zeros(2, 2)),
        "without a gradient; expected.*remove no_grad",
    ),
    "one neighbour": (
        lambda: intrinsic_dimension(torch.eye(4), num_neighbours=1),
        "num_neighbours is 1 for 4 points; expected 2 to 3",
    ),
    "all neighbours": (
        lambda: intrinsic_dimension(torch.eye(4), num_neighbours=4),
        "num_neighbours is 4 for 4 points",
    ),
    "two points": (lambda: two_nn(torch.eye(2)), "num_neighbours is 2 for 2 points"),
    "kept": (lambda: two_nn(torch.eye(4), kept=1.0), r"kept is 1\.0; expected a share"),
    "copies": (
        lambda: two_nn(torch.eye(4).repeat(2, 1)),
        r"8 points have an exact copy.*torch\.unique",
    ),
    "NaN": (lambda: intrinsic_dimension(torch.full((30, 2), math.nan)), "NaN or infinite"),
    "holes, tolerance": (
        lambda: hole_fraction(torch.tanh, torch.tanh, torch.zeros(2, 2), -1.0),
        r"tolerance is -1\.0",
    ),
    "holes, no codes": (
        lambda: hole_fraction(torch.tanh, torch.tanh, torch.zeros(0, 2), 1.0),
        "x is empty",
    ),
    "holes, shape": (
        lambda: hole_fraction(lambda x: x[:, :1], torch.tanh, torch.zeros(2, 2), 1.0),
        r"came back as \(2, 1\)",
    ),
    "holes, NaN": (
        lambda: hole_fraction(torch.log, torch.tanh, torch.full((2, 2), -1.0), 1.0),
        "back holds 4 values that are NaN",
    ),
    "no point": (lambda: nearest_farthest_ratio(3, 0), "dim is 3 and num_points is 0; expected"),
    "dim": (lambda: shell_radius(0), "dim is 0; expected at least 1"),
}


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG.keys())
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()
