"""`hole_fraction(encode, decode, codes, tolerance)`: which codes does the encoder not recognise?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

Map = Callable[[Tensor], Tensor]


def share_of_holes(encode: Map, decode: Map, codes: Tensor, tolerance: float) -> Tensor:
    distance = torch.linalg.vector_norm(encode(decode(codes)) - codes, dim=-1)
    return (distance > tolerance).double().mean()


@dataclass(frozen=True)
class Machine:
    """An autoencoder that sends each code to a point, and each point to a code of our choice.

    A point is (sin z, cos z, z·√2), so that the encoder finds z again; then it is led astray.

    Attributes:
        codes: (S, M).
        returned: What the encoder gives for the point of each code, (S, M).
    """

    codes: Tensor
    returned: Tensor

    def decode(self, z: Tensor) -> Tensor:
        z = torch.as_tensor(z, dtype=torch.float64)
        return torch.cat((torch.sin(z), torch.cos(z), 2**0.5 * z), dim=-1)

    def encode(self, x: Tensor) -> Tensor:
        x = torch.as_tensor(x, dtype=torch.float64)
        z = x[..., -self.codes.shape[-1] :] / 2**0.5
        nearest = torch.cdist(z.reshape(-1, z.shape[-1]), self.codes.double()).argmin(1)
        shift = (self.returned - self.codes).double()[nearest]
        return z + shift.reshape(z.shape)


def draw_machine(
    rng: np.random.Generator, num_codes: int, latent_dim: int, num_holes: int, tolerance: float
) -> Machine:
    """Half of the round trips end close to the tolerance, on either side; the others anywhere.

    So every other measure of a jump counts another number of holes.
    """
    codes = torch.from_numpy(rng.normal(scale=3.0, size=(num_codes, latent_dim)))
    step = rng.normal(size=(num_codes, latent_dim))
    step /= np.linalg.norm(step, axis=1, keepdims=True)
    near, far = rng.uniform(0.03, 0.2, num_codes), np.exp(rng.uniform(0.2, 3, num_codes)) - 1
    ratio = 1 + np.where(rng.random(num_codes) < 0.5, near, far)  # of distance and tolerance
    length = tolerance * np.where(np.arange(num_codes) < num_holes, ratio, 1 / ratio)
    order = torch.from_numpy(rng.permutation(num_codes))
    shift = torch.from_numpy(step * length[:, None])[order]
    return Machine(codes, codes + shift)


HOLE_FRACTION = Exercise(
    name="hole_fraction",
    unit="04_autoencoders",
    title="How much of the code space is a hole?",
    points=2,
    difficulty=2,
    minutes=15,
    reference=share_of_holes,
    hints=(
        "**Principle.** The decoder gives you something for every code, also for codes that no "
        "data point ever had. To find out whether a code means anything, send it around: decode "
        "it, and ask the encoder what it sees. Where data are, the two halves were trained "
        "together and the code comes back. In a gap the decoder invents something, the encoder "
        "reads it as one of the codes that it knows, and what comes back is far from what went "
        "out. So the length of that jump, measured in the space of codes, tells holes from the "
        "rest. It needs no data, only the two networks.",
        "**Place.** The order is decode first, then encode: a code goes in and a code comes out, "
        "both (S, M). The distance of the two is one number for each code: the root of the sum "
        "of the squared differences over the M values, for instance by "
        "`torch.linalg.vector_norm(…, dim=-1)`. A code is a hole if its distance is larger than "
        "`tolerance`. That gives S truth values, and their mean, after `.double()`, is the share "
        "that is asked for. Test yourself with an encoder and a decoder that give back their "
        "input: no code is a hole, and the share is zero.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "back = encode(decode(...))                              # (S, M)\n"
        "distance = (back - ...).square().sum(dim=...).sqrt()    # (S,)\n"
        "return (distance > ...).double().mean()\n"
        "```\n\n"
        "The gaps are the codes, the codes again, the axis of the M values, and the tolerance. "
        "Compare the distance, not its square, with the tolerance. Average truth values, not "
        "distances: a single jump across the whole space is one hole, however long it is. If your "
        "share comes out as one minus the right one, you counted the codes that came back. Divide "
        "by the number of codes; the number of values M does not enter.",
    ),
)
NAME = HOLE_FRACTION.name


def _expect_share(
    candidate: Candidate, machine: Machine, tolerance: float, num_holes: int, where: str
) -> None:
    given = candidate.call(Oracle(machine.encode), Oracle(machine.decode), machine.codes, tolerance)
    num_codes = len(machine.codes)
    share = expect.number(given, NAME)
    expect.true(
        abs(share - num_holes / num_codes) < 1e-5,
        f"{NAME} is {share:.6g} {where}; expected {num_holes / num_codes:.6g}: {num_holes} of "
        f"{num_codes} codes come back at a distance beyond the tolerance",
    )


@HOLE_FRACTION.check
def counts_codes_that_do_not_come_back(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the share of codes whose round trip ends further away than the tolerance."""
    for num_codes, latent_dim in ((120, 5), (60, 2), (60, 1)):
        tolerance = float(np.exp(rng.uniform(-2.5, -1.2)) if latent_dim > 1 else 1.7)
        num_holes = int(rng.integers(num_codes // 4, num_codes // 2))
        machine = draw_machine(rng, num_codes, latent_dim, num_holes, tolerance)
        where = f"with M = {latent_dim}, tolerance {tolerance:.3f}"
        _expect_share(candidate, machine, tolerance, num_holes, where)


@HOLE_FRACTION.check
def finds_none_and_all(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is 0 if every code comes back, and 1 if none does."""
    codes = torch.from_numpy(rng.normal(size=(12, 3)))
    _expect_share(candidate, Machine(codes, codes), 1e-6, 0, "when every code comes back")
    away = Machine(codes, codes + 5)
    _expect_share(candidate, away, 0.5, 12, "when every code comes back far away")


@HOLE_FRACTION.check
def long_jumps_count_once(candidate: Candidate, rng: np.random.Generator) -> None:
    """A jump across the whole space counts as much as one just beyond the tolerance."""
    codes = torch.from_numpy(rng.normal(size=(30, 2)))
    for jump, what in ((0.45, "just beyond the tolerance"), (1000.0, "across the whole space")):
        machine = Machine(codes, codes.clone())
        machine.returned[4, 0] += jump
        _expect_share(candidate, machine, 0.3, 1, f"with one jump {what}")


@HOLE_FRACTION.check
def goes_through_the_decoder_first(candidate: Candidate, rng: np.random.Generator) -> None:
    """Each code is decoded once, and what comes out is encoded; nothing else is asked."""
    machine = draw_machine(rng, 20, 2, 5, 0.4)
    encode, decode = Oracle(machine.encode), Oracle(machine.decode)
    candidate.call(encode, decode, machine.codes, 0.4)
    for oracle, right, name in (
        (decode, machine.codes, "decode"),
        (encode, machine.decode(machine.codes), "encode"),
    ):
        asked = [torch.as_tensor(q[0]).double() for q in oracle.questions]
        expect.true(
            all(part.ndim == 2 for part in asked),
            f"{name} was asked about a single vector; it takes a batch, with one row for each code",
        )
        rows = torch.cat([part.reshape(-1, part.shape[-1]) for part in asked] or [right[:0]])
        expect.true(
            rows.shape == right.shape and torch.allclose(rows, right, atol=1e-6),
            f"{name} was asked about {len(rows)} rows; expected it to be asked about "
            f"{'the codes' if name == 'decode' else 'what decode gave'}, {len(right)} rows",
        )


@HOLE_FRACTION.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision, and for a single code."""
    machine = draw_machine(rng, 40, 3, 9, 0.6)
    single = Machine(machine.codes.float(), machine.returned)
    _expect_share(candidate, single, 0.6, 9, "in float32")
    one = draw_machine(rng, 1, 2, 1, 0.6)
    _expect_share(candidate, one, 0.6, 1, "for one code")


@HOLE_FRACTION.edge_check
def a_distance_equal_to_the_tolerance_is_no_hole(
    candidate: Candidate, rng: np.random.Generator
) -> None:
    """A code that comes back at exactly the tolerance is no hole."""
    codes = torch.from_numpy(rng.permutation(9)).double()[:, None]
    encode = Oracle(lambda x: x + torch.where(x % 3 < 2, 0.5, 1.0))
    given = candidate.call(encode, Oracle(lambda z: 1.0 * z), codes, 0.5)
    expect.close(expect.number(given, NAME), torch.tensor(1 / 3), f"{NAME} at the tolerance")
