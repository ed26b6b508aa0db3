"""`perplexity(indices, num_codes)`: how many codes are in use, as the exponential of an entropy."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(indices: Tensor, num_codes: int) -> Tensor:
    counts = torch.bincount(indices.flatten(), minlength=num_codes).double()
    shares = counts / counts.sum()
    return torch.special.entr(shares).sum().exp()


PERPLEXITY = Exercise(
    name="perplexity",
    unit="07_vq_vae",
    title="How many codes are in use",
    points=2,
    difficulty=2,
    minutes=15,
    reference=reference,
    hints=(
        "**Principle.** Count how often every code occurs, and divide: that is a distribution over "
        "the K codes. Its entropy says how surprising a code is on average. A fair die with P "
        "sides has the entropy log P, so the exponential of the entropy is the number of sides of "
        "the fair die that is as surprising as your codes. It is K if all codes are equally "
        "frequent, and 1 if only one occurs. The base of the logarithm does not matter, as long "
        "as you undo the same one. What is never used adds nothing.",
        "**Place.** Flatten the indices, whatever their shape, and count with "
        "`torch.bincount(…, minlength=num_codes)`. Divide by their number, not by K. In the sum "
        "−Σ p log p a code that never occurs has the term 0·log 0: the limit is zero, but the "
        "computer says NaN, since log 0 is minus infinity. Keep only the shares above zero, or use "
        "`torch.special.entr`, which knows the limit. Then the exponential, for natural "
        "logarithms; with `log2` it would be two to the power of the entropy.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "counts = torch.bincount(indices.flatten(), minlength=num_codes).double()\n"
        "shares = counts / ...\n"
        "used = shares[shares > 0]\n"
        "return torch.exp(-(used * ...).sum())\n"
        "```\n\n"
        "The gaps are the number of all indices and the logarithm of `used`. Test yourself with "
        "[0, 0, 1, 1] and K = 8: two codes are in use, equally often, so the perplexity is 2. With "
        "[0, 0, 0, 1] it is 1.755, less than two, since one of them does most of the work. With "
        "[5, 5, 5] it is 1. If you got 0.69 for the first, you returned the entropy.",
    ),
)


def _draw(rng: np.random.Generator, num_codes: int, *shape: int) -> Tensor:
    """Indices of codes that are very differently frequent, some of them never used."""
    shares = rng.dirichlet(np.full(num_codes, 0.4))
    return torch.from_numpy(rng.choice(num_codes, size=shape, p=shares))


def _exact(indices: Tensor) -> Tensor:
    counts = indices.unique(return_counts=True)[1].double()
    shares = counts / counts.sum()
    return torch.exp(-(shares * shares.log()).sum())


def _expect(candidate: Candidate, indices: Tensor, num_codes: int, what: str) -> None:
    found = expect.number(candidate.call(indices, num_codes), what)
    expect.close(torch.tensor(found), _exact(indices), what)


@PERPLEXITY.check
def is_the_exponential_of_the_entropy(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the exponential of the entropy of the shares, for codes of every frequency."""
    for num_codes, num_points in ((5, 60), (12, 200), (40, 25), (400, 4000)):
        indices = _draw(rng, num_codes, num_points)
        what = f"perplexity of {num_points} indices with K = {num_codes}"
        _expect(candidate, indices, num_codes, what)


@PERPLEXITY.check
def is_the_number_of_equally_frequent_codes(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is K if all codes are equally frequent, 2 if two are, and 1 if only one is used."""
    num_codes = int(rng.integers(6, 12))
    for used in (num_codes, 2, 1):
        codes = torch.from_numpy(rng.permutation(num_codes)[:used])
        what = f"perplexity of {used} equally frequent codes with K = {num_codes}"
        _expect(candidate, codes.repeat(3), num_codes, what)


@PERPLEXITY.check
def counts_all_places_together(candidate: Candidate, rng: np.random.Generator) -> None:
    """Counts the indices of a whole batch of maps together, in any shape."""
    indices = _draw(rng, 9, 6, 3, 4)
    _expect(candidate, indices, 9, "perplexity of six maps of 3 × 4")
    _expect(candidate, torch.arange(6).reshape(6, 1), 6, "perplexity of six maps with one place")


@PERPLEXITY.check
def unused_codes_change_nothing(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays the same when codes are added to the codebook that nobody uses."""
    indices = _draw(rng, 4, 50)
    for num_codes in (4, 512):
        _expect(candidate, indices, num_codes, f"perplexity with K = {num_codes}, at most 4 in use")
    last = torch.full((7,), num_codes - 1)
    _expect(candidate, last, num_codes, "perplexity where only the last code is used")
