"""`Autoencoder(dim, latent_dim, hidden)`: the first exercise whose answer is a module.

The weights start at random, so nothing is compared with a right answer number for number. What is
checked holds for every autoencoder: what `forward` does goes through the code, the code has M
numbers, a point does not see its neighbours, and training on a curve beats every straight line.
"""

import numpy as np
import torch
from torch import Tensor, nn

from autograder import expect
from autograder.candidate import Candidate, ModuleCandidate
from autograder.exercise import Exercise

# a size for each check, so that the diagnosis can tell their modules apart
SHAPES = {"dim": 7, "latent_dim": 3, "hidden": 16}
TWICE = {"dim": 5, "latent_dim": 2, "hidden": 6}
WIDER = {"dim": 5, "latent_dim": 1, "hidden": 40}
THROUGH = {"dim": 6, "latent_dim": 2, "hidden": 20}
NARROW = {"dim": 6, "latent_dim": 2, "hidden": 24}
FREE = {"dim": 10, "latent_dim": 8, "hidden": 32}
BENT = {"dim": 8, "latent_dim": 4, "hidden": 32}
ALONE = {"dim": 5, "latent_dim": 3, "hidden": 12}
LOSS = {"dim": 9, "latent_dim": 2, "hidden": 10}
LEARN = {"dim": 4, "latent_dim": 1, "hidden": 32}

FAR = 1e4
RANK_TOLERANCE = 1e-4  # of the largest singular value; single precision leaves 1e-6
NUM_STEPS, LEARNING_RATE, STARTS = 150, 0.02, 5
SHARE = 0.9  # of what the best line leaves, which no linear decoder can beat


class Reference(nn.Module):
    """One hidden layer on either side."""

    def __init__(self, dim: int, latent_dim: int, hidden: int):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(dim, hidden), nn.SiLU(), nn.Linear(hidden, latent_dim)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, hidden), nn.SiLU(), nn.Linear(hidden, dim)
        )

    def encode(self, x: Tensor) -> Tensor:
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(z)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))

    def loss(self, x: Tensor) -> Tensor:
        return (self(x) - x).square().mean()


AUTOENCODER = Exercise(
    name="Autoencoder",
    unit="04_autoencoders",
    title="Build an autoencoder",
    points=4,
    difficulty=3,
    minutes=35,
    reference=Reference,
    deterministic=False,
    follow_up=(
        "The Jacobian of your `forward` has the rank M at every point: whatever the layers do, "
        "only M numbers get through."
    ),
    hints=(
        "**Principle.** An autoencoder is two networks and a narrow place between them. The "
        "encoder turns D values into a code of M numbers, the decoder turns a code into D values. "
        "All that the decoder ever learns about a point is its code: nothing may reach the "
        "reconstruction on another way, no shortcut from the input and no layer that the encoder "
        "keeps for later. Both halves need something nonlinear, or together they are one linear "
        "map, and a linear map finds only planes. The last layer of a half has no activation, "
        "because codes and data may take any real value, and a ReLU or a sigmoid would forbid "
        "some of them.",
        "**Place.** In `__init__` call `super().__init__()` first, then make two `nn.Sequential`: "
        "D → hidden → M for the encoder, M → hidden → D for the decoder, each with an activation "
        "between its two linear layers. Layers in an attribute of the module are found by the "
        "optimiser; layers in a plain Python list are not. `encode` applies the first network, "
        "`decode` the second, `forward` one after the other, and `loss` compares `self(x)` with "
        "`x`: the mean over points and values of the squared difference, a single number through "
        "which gradients flow. No `detach`, no `no_grad`, and no statistics of the batch, for a "
        "point's code must not depend on its neighbours.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "def __init__(self, dim, latent_dim, hidden):\n"
        "    super().__init__()\n"
        "    self.encoder = nn.Sequential(nn.Linear(dim, ...), nn.ReLU(), nn.Linear(..., ...))\n"
        "    self.decoder = nn.Sequential(nn.Linear(..., hidden), nn.ReLU(), nn.Linear(..., dim))\n"
        "```\n\n"
        "`encode(x)` returns `self.encoder(x)` and `decode(z)` returns `self.decoder(z)`. Then "
        "`forward(x)` is the second of the first: one tensor of the shape of x, not a pair. The "
        "loss is `(self(x) - x).square().mean()`. If the check says that the rank is too high, "
        "look for an `x` in `forward` beside the one that goes into `encode`. If it says that "
        "nothing was learned, look for a list of layers, or for a cut in the gradient.",
    ),
)


def draw_points(rng: np.random.Generator, num_points: int, dim: int) -> Tensor:
    return torch.from_numpy(rng.normal(scale=1.5, size=(num_points, dim))).float()


def draw_curve(rng: np.random.Generator) -> Tensor:
    """Points on half a circle that lies at random in space, away from the origin."""
    angle = np.sort(rng.uniform(0, 1.1 * np.pi, size=128)) + rng.uniform(0, 2 * np.pi)
    plane, _ = np.linalg.qr(rng.normal(size=(LEARN["dim"], 2)))
    centre = rng.choice([-1.0, 1.0], LEARN["dim"]) * rng.uniform(1.0, 1.5, LEARN["dim"])
    points = 2.0 * np.stack((np.cos(angle), np.sin(angle)), 1) @ plane.T + centre
    return torch.from_numpy(points).float()


def line_error(x: Tensor, latent_dim: int = 1) -> float:
    """What the best plane of M dimensions leaves: squared error per value."""
    singular = torch.linalg.svdvals(x.double() - x.double().mean(0))
    return (singular[latent_dim:].square().sum() / x.numel()).item()


def build(candidate: Candidate, settings: dict[str, int]) -> ModuleCandidate:
    """A module as it is used: in evaluation, in which dropout and the like are still."""
    module = candidate.construct(**settings)
    module.train(False)
    return module


def encoded(module: ModuleCandidate, x: Tensor, latent_dim: int) -> Tensor:
    return expect.tensor(module.method("encode", x), (len(x), latent_dim), "encode(x)")


def decoded(module: ModuleCandidate, z: Tensor, dim: int) -> Tensor:
    return expect.tensor(module.method("decode", z.float()), (len(z), dim), "decode(z)")


def reconstructed(module: ModuleCandidate, x: Tensor) -> Tensor:
    return expect.tensor(module.call(x), x.shape, "forward(x)")


def count_weights(module: ModuleCandidate) -> int:
    count = sum(weight.numel() for weight in module.parameters().values())
    expect.true(
        count,
        "your module has no parameters; keep layers in attributes of their own, in an "
        "nn.Sequential or in an nn.ModuleList, not in a Python list",
    )
    return count


def jacobians(module: ModuleCandidate, x: Tensor) -> Tensor:
    """∂ forward(x)_i / ∂ x_j at each point, (N, D, D), by one call: a copy of x for each i."""
    num_points, dim = x.shape
    outer = torch.eye(dim).repeat(num_points, 1)
    (rows,) = module.gradient(x.repeat_interleave(dim, 0), outer=outer)
    return rows.double().reshape(num_points, dim, dim)


def ranks(jacobian: Tensor) -> Tensor:
    """How many singular values are not zero, at each point."""
    singular = torch.linalg.svdvals(jacobian)
    return (singular > RANK_TOLERANCE * singular[:, :1].clamp(min=1e-12)).sum(1)


def differ(left: Tensor, right: Tensor, tolerance: float = 1e-4) -> bool:
    """Whether two results differ by more than single precision explains."""
    return not torch.allclose(left, right, rtol=tolerance, atol=tolerance)


@AUTOENCODER.check
def has_the_right_shapes(candidate: Candidate, rng: np.random.Generator) -> None:
    """Codes have M numbers, reconstructions D, for one point and for many; hidden sets the size."""
    sizes = []
    for settings, num_points in ((SHAPES, 9), (WIDER, 1)):
        module, dim = build(candidate, settings), settings["dim"]
        x = draw_points(rng, num_points, dim)
        z = encoded(module, x, settings["latent_dim"])
        decoded(module, z, dim)
        reconstructed(module, x)
        kind = module.method("encode", x).dtype
        expect.true(
            kind == torch.float32, f"encode(x) holds {kind}; leave everything in torch.float32"
        )
        sizes.append(count_weights(module) / dim)
    expect.true(
        sizes[1] > 1.2 * sizes[0],
        f"with hidden = {WIDER['hidden']} your network is no larger than with hidden = "
        f"{SHAPES['hidden']}; the width of the hidden layers is an argument",
    )


@AUTOENCODER.check
def starts_at_random(candidate: Candidate, rng: np.random.Generator) -> None:
    """Two modules of the same size start with different weights."""
    one, other = (build(candidate, TWICE).parameters() for _ in range(2))
    same = one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)
    expect.true(
        not same, "two new modules have the same weights; leave the start to chance, without a seed"
    )


@AUTOENCODER.check
def goes_through_the_code(candidate: Candidate, rng: np.random.Generator) -> None:
    """What forward gives is decode(encode(x)), and decode needs nothing but the code."""
    module = build(candidate, THROUGH)
    first, second = (draw_points(rng, 8, THROUGH["dim"]) for _ in range(2))
    whole = reconstructed(module, first)
    z = encoded(module, first, THROUGH["latent_dim"])
    parts = decoded(module, z, THROUGH["dim"])
    encoded(module, second, THROUGH["latent_dim"])
    again = decoded(module, z, THROUGH["dim"])
    expect.true(
        not differ(whole, parts),
        "forward(x) and decode(encode(x)) differ by up to "
        f"{(whole - parts).abs().max():.3g}; expected the same",
    )
    expect.true(
        not differ(parts, again),
        "decode(z) gives something else after other points were encoded; the decoder may know "
        "nothing but the code",
    )


@AUTOENCODER.check
def the_bottleneck_binds(candidate: Candidate, rng: np.random.Generator) -> None:
    """The Jacobian of forward has at most the rank M everywhere, and reaches it."""
    module = build(candidate, NARROW)
    x = draw_points(rng, 8, NARROW["dim"])
    found = ranks(jacobians(module, x))
    expect.true(
        found.max() <= NARROW["latent_dim"],
        f"the Jacobian of forward has the rank {found.max()} with a code of "
        f"{NARROW['latent_dim']} numbers; something passes beside the code",
    )
    expect.true(
        found.max() == NARROW["latent_dim"],
        f"the Jacobian of forward has the rank {found.max()} everywhere, although the code has "
        f"{NARROW['latent_dim']} numbers; use all of them",
    )


@AUTOENCODER.check
def codes_and_values_are_free(candidate: Candidate, rng: np.random.Generator) -> None:
    """Codes and reconstructions take both signs: no ReLU or sigmoid after a last layer."""
    module = build(candidate, FREE)
    x = 3 * draw_points(rng, 128, FREE["dim"])
    z = encoded(module, x, FREE["latent_dim"])
    values = decoded(module, z, FREE["dim"])
    far_codes = encoded(module, FAR * x, FREE["latent_dim"])
    far_values = decoded(module, FAR * torch.cat((z, -z)), FREE["dim"])
    for value, name in ((z, "encode(x)"), (values, "decode(z)")):
        expect.true(
            (value < -1e-9).any() and (value > 1e-9).any(),
            f"{name} lies between {value.min():.3g} and {value.max():.3g} for 128 points of both "
            "signs; expected positive and negative values",
        )
    for value, name in ((far_codes, "encode(x)"), (far_values, "decode(z)")):
        bound = common_bound(value)
        expect.true(
            bound is None,
            f"most columns of {name} stop at {bound or 0:.3g}, whatever the arguments are; "
            "put no function with limits after the last layer",
        )


def common_bound(value: Tensor) -> float | None:
    """Where at least half of the columns stop, above or below; what ends in a layer of its own has
    other limits in each column, or none. (A column may be far from where it would stop.)"""
    slack = 1e-5 * value.abs().max()
    for ends in (value.amax(0), value.amin(0)):
        same = (ends - ends.median()).abs() < slack
        if same.sum() >= max(3, len(ends) / 2):
            return ends.median().item()
    return None


@AUTOENCODER.check
def both_halves_bend(candidate: Candidate, rng: np.random.Generator) -> None:
    """Neither half is a linear map: the middle of two points is not always sent to the middle."""
    module = build(candidate, BENT)
    latent_dim, dim = BENT["latent_dim"], BENT["dim"]
    ends = 2 * draw_points(rng, 128, dim)
    codes = encoded(module, torch.cat((ends, (ends[:64] + ends[64:]) / 2)), latent_dim)
    z = 2 * draw_points(rng, 128, latent_dim)
    values = decoded(module, torch.cat((z, (z[:64] + z[64:]) / 2)), dim)
    for given, half in ((codes, "encoder"), (values, "decoder")):
        expect.true(
            bend(given) > 1e-3,
            f"your {half} sends the middle of two points to the middle of their images, so it is "
            "linear; put a nonlinear function between its layers",
        )


def bend(images: Tensor) -> float:
    """How far the middle's image is from the middle of the images, against their distance."""
    left, right, middle = images.double().split(64)
    scale = (left - right).abs().max().clamp(min=1e-12)
    return ((middle - (left + right) / 2).abs().max() / scale).item()


@AUTOENCODER.check
def every_point_stands_alone(candidate: Candidate, rng: np.random.Generator) -> None:
    """In evaluation a point has one code and one reconstruction, alone, beside others and twice."""
    module = build(candidate, ALONE)
    x = draw_points(rng, 8, ALONE["dim"])
    x[:5], x[-1] = x[:1].clone(), 10 * x[-1]
    both = (
        (encoded(module, x, ALONE["latent_dim"]), encoded(module, x[:6], ALONE["latent_dim"])),
        (reconstructed(module, x), reconstructed(module, x[:6])),
    )
    for (whole, part), name in zip(both, ("code", "reconstruction"), strict=True):
        expect.true(
            not differ(whole[:5], whole[:1].expand(5, -1)),
            f"equal points have different {name}s; in evaluation nothing may be random",
        )
        expect.true(
            not differ(whole[:6], part),
            f"the {name} of a point changes with the other points of the batch",
        )


@AUTOENCODER.check
def the_loss_is_the_squared_error_per_value(candidate: Candidate, rng: np.random.Generator) -> None:
    """The loss is one number: the mean over points and values of the squared error of forward."""
    module = build(candidate, LOSS)
    x = draw_points(rng, 7, LOSS["dim"])
    exact = (reconstructed(module, x) - x).square().mean()
    loss = expect.number(module.method("loss", x), "loss(x)")
    expect.close(loss, exact, "loss(x)")


@AUTOENCODER.check
def learns_a_curve(candidate: Candidate, rng: np.random.Generator) -> None:
    """Training both halves on a bent line leaves far less than the best straight line does."""
    x = draw_curve(rng)
    limit = SHARE * line_error(x)
    # a bad start may get stuck, rarely; then another one is tried
    error = next((e for e in (_train(candidate, x) for _ in range(STARTS)) if e < limit), None)
    expect.true(
        error is not None,
        f"after {NUM_STEPS} steps of Adam on points of a curve, from {STARTS} starts, the squared "
        f"error per value is above {limit:.3g}; the best straight line leaves {line_error(x):.3g}",
    )


def _train(candidate: Candidate, x: Tensor) -> float:
    """The error after training from a fresh start; demands that the codes have moved."""
    module = build(candidate, LEARN)
    count_weights(module)
    before = encoded(module, x, 1)
    module.train(True)
    module.optimise("loss", [(x,)] * NUM_STEPS, LEARNING_RATE)
    module.train(False)
    module.parameters()  # for the diagnosis: which of them moved?
    after, error = encoded(module, x, 1), (reconstructed(module, x) - x).square().mean().item()
    expect.true(
        differ(before, after),
        f"after {NUM_STEPS} steps of Adam the codes are what they were; the encoder does not learn",
    )
    return error
