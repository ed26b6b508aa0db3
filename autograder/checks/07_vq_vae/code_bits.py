"""`code_bits(train, test, logits_fn, num_codes)`: what a map of codes costs under four priors."""

import math

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

from ._prior import CausalModel, all_maps, in_bits

NAMES = ("uniform", "unigram", "per position", "learned")


def reference(train: Tensor, test: Tensor, logits_fn, num_codes: int) -> Tensor:
    unigram = log_shares(train, num_codes)
    position = position_log_shares(train, num_codes)
    learned = torch.log_softmax(logits_fn(test).double(), -1)
    log_probs = (
        torch.full_like(learned, -math.log(num_codes)),
        unigram.expand_as(learned),
        position.expand_as(learned),
        learned,
    )
    return torch.stack([bits(log_p, test) for log_p in log_probs])


def log_shares(codes: Tensor, num_codes: int) -> Tensor:
    """Logarithms of the smoothed frequencies of all codes, (K,)."""
    counts = torch.bincount(codes.flatten(), minlength=num_codes).double() + 1
    return torch.log(counts / counts.sum())


def position_log_shares(codes: Tensor, num_codes: int) -> Tensor:
    """The same for each place, (H, W, K)."""
    counts = torch.nn.functional.one_hot(codes, num_codes).sum(0).double() + 1
    return torch.log(counts / counts.sum(-1, keepdim=True))


def bits(log_p: Tensor, codes: Tensor) -> Tensor:
    """Mean over maps of the sum over places of -log2 p, for log p of every code (N, H, W, K)."""
    chosen = log_p.gather(-1, codes[..., None])[..., 0]
    return -chosen.sum((1, 2)).mean() / math.log(2)


CODE_BITS = Exercise(
    name="code_bits",
    unit="07_vq_vae",
    title="What a map of codes costs",
    points=3,
    difficulty=3,
    minutes=30,
    reference=reference,
    follow_up="What the learned prior saves is what neighbours and places tell about a code.",
    hints=(
        "**Principle.** To write down a code of probability p takes -log2 p bits, and a map costs "
        "the sum over its places, because the logarithms of a chain of conditional probabilities "
        "add up. The four priors differ in what they know: nothing; how frequent each code is; "
        "how frequent it is at this place; and what came before. The frequencies come from the "
        "training maps and the bill from the test maps. A code that never occurred in training "
        "would cost infinitely many bits, so every count gets one more before you divide.",
        "**Place.** First get log p of every code at every place, as a tensor that can be expanded "
        "to (N, H, W, K): a constant, then `torch.bincount` over all places, then counts for each "
        "place, and last the model's logits for the test maps through `torch.log_softmax` over the "
        "last axis; logits are not normalised. Then all four go the same way: `gather` the entry "
        "of the code that is there, sum over the places, change the sign, average over the test "
        "maps, and divide by log 2. The counts at a place sum to the number of training maps plus "
        "K, those over all places to N · H · W plus K.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "learned = torch.log_softmax(logits_fn(...), dim=...)        # (N, H, W, K)\n"
        "counts = torch.bincount(train.flatten(), minlength=num_codes) + 1.0\n"
        "places = torch.nn.functional.one_hot(train, num_codes).sum(dim=0) + ...\n"
        "uniform = torch.full_like(learned, -math.log(num_codes))\n"
        "unigram = torch.log(counts / ...).expand_as(learned)\n"
        "position = torch.log(places / places.sum(dim=..., keepdim=True)).expand_as(learned)\n"
        "result = []\n"
        "for log_p in (uniform, unigram, position, learned):\n"
        "    chosen = log_p.gather(-1, test[..., None])              # (N, H, W, 1)\n"
        "    result.append(-chosen.sum() / len(...) / math.log(2))\n"
        "return torch.stack(result)\n"
        "```\n\n"
        "The gaps are the maps to be written down, the axis of the codes, the added one, and the "
        "sums.",
    ),
)


def expect_bits(candidate: Candidate, train: Tensor, test: Tensor, model, num_codes: int) -> Tensor:
    given = candidate.call(train, test, Oracle(model), num_codes)
    if isinstance(given, (tuple, list)):
        numbers = [
            expect.number(value, f"the {name} prior's price")
            for value, name in zip(expect.items(given, 4, "code_bits"), NAMES, strict=True)
        ]
        given = torch.tensor(numbers, dtype=torch.float64)
    given = expect.tensor(given, (4,), "code_bits")
    right = reference(train, test, model, num_codes)
    for one, other, name in zip(given.tolist(), right.tolist(), NAMES, strict=True):
        expect.true(
            abs(one - other) < 1e-4 * max(1.0, abs(other)),
            f"a map costs {one:.5g} bits under the {name} prior; expected {other:.5g} "
            f"({len(train)} training maps, {len(test)} test maps, {tuple(test.shape[1:])}, "
            f"K = {num_codes})",
        )
    return given


@CODE_BITS.check
def are_the_four_prices(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives the mean bits for each test map under the uniform, the unigram, the per-position and
    the learned prior."""
    for num_codes, shape, num_train, num_test in (
        (4, (3, 4), 30, 12),
        (5, (4, 2), 9, 21),
        (3, (2, 3), 60, 7),
    ):
        model = CausalModel(rng, *shape, num_codes)
        train, test = model.draw(rng, num_train), model.draw(rng, num_test)
        expect_bits(candidate, train, test, model, num_codes)


@CODE_BITS.check
def few_training_maps(candidate: Candidate, rng: np.random.Generator) -> None:
    """With two training maps the per-position prior is dearer than the unigram prior, and its price
    is its own."""
    model = CausalModel(rng, 4, 4, 6)
    shares = np.append(0.85, np.full(5, 0.03))
    maps = torch.from_numpy(rng.choice(6, p=shares, size=(12, 4, 4)))
    expect_bits(candidate, maps[:2], maps[2:], model, 6)


@CODE_BITS.check
def the_prior_saves_a_fifth(candidate: Candidate, rng: np.random.Generator) -> None:
    """The model that the maps were drawn from saves at least 20 % of the uniform bits, and is
    cheaper than the per-position prior."""
    model = CausalModel(rng, 4, 4, 4, strength=1.5)
    # places differ, and neighbours tell more
    model.bias *= 2
    maps = model.draw(rng, 324)
    given = expect_bits(candidate, maps[:300], maps[300:], model, 4)
    uniform, _, position, learned = given.tolist()
    expect.true(
        learned < 0.8 * uniform and learned < position,
        f"the learned prior needs {learned:.2f} bits of {uniform:.2f}, and the per-position prior "
        f"{position:.2f}: a model that is the truth saves more",
    )


@CODE_BITS.check
def logits_may_be_shifted(candidate: Candidate, rng: np.random.Generator) -> None:
    """Does not change when a constant is added to all logits of a place, because logits are not
    normalised; over all maps the learned prior needs what the model says."""
    model = CausalModel(rng, 2, 2, 3)
    shift = torch.from_numpy(rng.normal(scale=3.0, size=(2, 2, 1)))
    train, every = model.draw(rng, 8), all_maps(2, 2, 3)
    given = expect_bits(candidate, train, every, lambda codes: model(codes) + shift, 3)
    right = in_bits(-model.log_probs(every).sum((1, 2)).mean()).item()
    expect.true(
        abs(given[3] - right) < 1e-3,
        f"over all 81 maps the model needs {right:.4f} bits on average; you say {given[3]:.4f}",
    )


@CODE_BITS.edge_check
def survives_large_logits(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays right for logits of the size of a thousand, in single precision, where a wrong code
    costs hundreds of bits."""
    model = CausalModel(rng, 2, 3, 3)
    train, test = model.draw(rng, 10), model.draw(rng, 10)
    expect_bits(candidate, train, test, lambda codes: 300 * model(codes).float() + 1000, 3)


@CODE_BITS.edge_check
def prices_codes_never_seen(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives a finite price to codes that no training map holds, the last ones included, and counts
    all K codes even if the last ones are in no map at all."""
    model = CausalModel(rng, 2, 2, 6)
    train = torch.from_numpy(rng.integers(0, 3, size=(5, 2, 2)))
    test = torch.from_numpy(rng.integers(0, 6, size=(9, 2, 2)))
    expect_bits(candidate, train, test, model, 6)
    model = CausalModel(rng, 2, 3, 20)
    train, test = (torch.from_numpy(rng.integers(0, 14, size=(n, 2, 3))) for n in (30, 8))
    expect_bits(candidate, train, test, model, 20)


@CODE_BITS.edge_check
def works_for_one_map(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one training map, one test map, and maps of one row or one column."""
    for shape, num_train, num_test in (((1, 4), 1, 6), ((3, 1), 5, 1)):
        model = CausalModel(rng, *shape, 4)
        train, test = model.draw(rng, num_train), model.draw(rng, num_test)
        expect_bits(candidate, train, test, model, 4)
