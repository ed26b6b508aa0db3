"""`sample_ar(logits_fn, shape, num_samples, temperature, init, generator)`: pixel after pixel.

Draws are random, so every comparison leaves room for chance: a right answer fails one with a
probability of about 1e-9. Two thousand images at a time: a question may hold 20 000 numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.stats
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from autograder import expect
from autograder.candidate import Candidate, Oracle, Seed
from autograder.exercise import Exercise

from ._models import GridModel, draw_model, every_image

ALARM = 1e-9
MANY = 3000
FEW, COPIES = 40, 12  # of 4096 images; chance makes less than one copy
PATIENCE = 100


def reference(
    logits_fn,
    shape: tuple[int, int],
    num_samples: int,
    temperature: float,
    init: Tensor,
    generator: torch.Generator,
) -> Tensor:
    x = init.clamp(min=0).repeat(num_samples, 1, 1)
    for row in range(shape[0]):
        for column in range(shape[1]):
            if init[row, column] < 0:
                p = (logits_fn(x)[:, row, column] / temperature).sigmoid()
                x[:, row, column] = torch.bernoulli(p, generator=generator)
    return x


SAMPLE_AR = Exercise(
    name="sample_ar",
    unit="00_autoregressive",
    title="One pixel after the other",
    points=3,
    difficulty=3,
    minutes=25,
    reference=reference,
    deterministic=False,
    hints=(
        "**Principle.** The chain rule is also a recipe for drawing. Draw the first pixel from "
        "its probability; then the second from its probability given the first, and so on. Every "
        "conditional needs the values drawn before, so the network must be asked again after each "
        "pixel, about the image as far as it is known. All images of the batch go through this "
        "together: one call for each pixel, whatever the number of images. A value that is given "
        "is not drawn, and needs no call; it stays as it is, and later pixels see it. The "
        "temperature divides the logits, so that 1 changes nothing and values below 1 make sure "
        "things surer.",
        "**Place.** Start from (S, H, W) images that hold the given values, and 0 where a pixel "
        "is still to come; copy `init` for that, since the argument must not change. Then two "
        "loops, over lines and over columns. Where `init` is −1, ask `logits_fn` about all S "
        "images as they are now, take the logits of this one pixel, `[:, row, column]`, divide by "
        "the temperature, apply the sigmoid, and draw S values with `torch.bernoulli(p, "
        "generator=generator)`. Write them into the images before you go on. If you write "
        "probabilities, or round them, the next pixels see something that is no draw.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "x = init.clamp(min=0).repeat(num_samples, 1, 1)\n"
        "for row in range(shape[0]):\n"
        "    for column in range(shape[1]):\n"
        "        if init[row, column] ...:\n"
        "            a = logits_fn(x)[:, row, column]\n"
        "            p = torch.sigmoid(a / ...)\n"
        "            x[:, row, column] = torch.bernoulli(..., generator=generator)\n"
        "return x\n"
        "```\n\n"
        "The gaps: what marks a pixel that is to be drawn, the temperature, and the probabilities. "
        "To test yourself, let `logits_fn` give 100 (2x − 1) of the pixel to the left, and a first "
        "column that is given: then every line must repeat its first pixel.",
    ),
)


@dataclass
class Answers:
    """The network as an oracle that loses patience with an answer that asks far too often."""

    model: GridModel
    count: int = 0

    def logits(self, x: Tensor) -> Tensor:
        self.count += 1
        if self.count > PATIENCE:
            raise ValueError(
                f"logits_fn was called more than {PATIENCE} times; one call for each pixel that is "
                "not given draws it in all images"
            )
        return self.model.logits(x)


Transform = Callable[[Tensor], Tensor]  # from logits to the logarithms of p(1) and p(0)


def log_joint(
    model: GridModel,
    init: Tensor,
    transform: Transform,
    *,
    feedback: bool = True,
    by_columns: bool = False,
) -> Tensor:
    """The log-probability of each of the 2^(HW) images as draws; −inf where a given value differs.

    Args:
        transform: From logits to log-probabilities of 1 and 0, side by side.
        feedback: Whether the network sees what was drawn; else only what was given.
        by_columns: In which order pixels are drawn.
    """
    height, width = model.shape
    x, is_free = every_image(height, width), init < 0
    start = init.clamp(min=0).expand_as(x)
    known = start.clone()
    total = torch.where((~is_free & (x != start)).flatten(1).any(1), -torch.inf, 0.0).double()
    places = [(i, j) for i in range(height) for j in range(width)]
    for i, j in sorted(places, key=lambda place: place[::-1]) if by_columns else places:
        if is_free[i, j]:
            one, zero = transform(model.logits(known if feedback else start)[:, i, j])
            total = total + torch.where(x[:, i, j] > 0.5, one, zero)
            known[:, i, j] = x[:, i, j]
    return total


def at(temperature: float) -> Transform:
    return lambda a: (logsigmoid(a / temperature), logsigmoid(-a / temperature))


def follows(draws: Tensor, log_p: Tensor, alarm: float = ALARM) -> bool:
    """Whether the numbers of the images agree with their probabilities (χ²), rare ones pooled.

    Numbers that agree too well are no independent draws either.
    """
    flat = draws.flatten(1).long()
    powers = 2 ** torch.arange(flat.shape[1]).flip(0)
    counts = torch.bincount((flat * powers).sum(1), minlength=len(log_p)).double()
    expected = log_p.exp() * len(draws)
    if (counts[expected < 1e-9] > 0).any():
        return False
    rare = expected < 8
    counts, expected = (torch.cat((v[~rare], v[rare].sum()[None])) for v in (counts, expected))
    if expected[-1] < 8:
        counts, expected = (torch.cat((v[:-2], v[-2:].sum()[None])) for v in (counts, expected))
    chi_sq = ((counts - expected).square() / expected).sum().item()
    law = scipy.stats.chi2(len(counts) - 1)
    return len(counts) < 2 or (law.sf(chi_sq) > alarm and law.cdf(chi_sq) > alarm)


def draw_call(
    candidate: Candidate,
    model: GridModel,
    init: Tensor,
    num_samples: int,
    temperature: float,
    seed: Seed,
    what: str,
) -> Tensor:
    """The draws, once their form and the number of calls are right."""
    oracle = Oracle(Answers(model).logits)
    value = candidate.call(oracle, model.shape, num_samples, temperature, init, seed)
    if isinstance(value, Tensor) and not value.dtype.is_floating_point:
        value = value.double()
    x = expect.tensor(value, (num_samples, *model.shape), f"sample_ar {what}")
    expect.true(((x == 0) | (x == 1)).all(), f"sample_ar {what} holds more than zeros and ones")
    given = init >= 0
    expect.true(
        (x[:, given] == init[given]).all(), f"sample_ar {what} changed a pixel that was given"
    )
    free, count = int((~given).sum()), len(oracle.questions)
    expect.true(
        count == free,
        f"logits_fn was called {count} times {what}; expected one call for each of the {free} "
        "pixels that are not given",
    )
    return x


def _seed(rng: np.random.Generator) -> Seed:
    return Seed(int(rng.integers(2**31)))


def _unknown(height: int, width: int) -> Tensor:
    return torch.full((height, width), -1.0, dtype=torch.float64)


Case = tuple[str, GridModel, Tensor, float]


def _expect_distribution(
    candidate: Candidate, rng: np.random.Generator, cases: Sequence[Case]
) -> None:
    draws = [
        draw_call(candidate, model, init, MANY, temperature, _seed(rng), what)
        for what, model, init, temperature in cases
    ]
    for (what, model, init, temperature), x in zip(cases, draws, strict=True):
        log_p = log_joint(model, init, at(temperature))
        expect.true(
            follows(x, log_p),
            f"the frequencies of the images {what} are not those of the model: the pixels are 1 "
            f"with the frequencies {_list(x)}; expected {_list(every_image(*model.shape), log_p)}",
        )


def _list(x: Tensor, log_p: Tensor | None = None) -> str:
    weights = torch.full((len(x),), 1 / len(x)).double() if log_p is None else log_p.exp()
    shares = weights @ x.flatten(1)
    return ", ".join(f"{share:.2f}" for share in shares.tolist())


@SAMPLE_AR.check
def draws_from_the_model(candidate: Candidate, rng: np.random.Generator) -> None:
    """Draws every image as often as its exact probability says, with one call for each pixel."""
    wide, high = draw_model(rng, 2, 3, 2.5), draw_model(rng, 3, 2, 2.5)
    _expect_distribution(
        candidate,
        rng,
        [
            ("of 2 × 3 pixels", wide, _unknown(2, 3), 1.0),
            ("of 3 × 2 pixels", high, _unknown(3, 2), 1.0),
        ],
    )


@SAMPLE_AR.check
def keeps_what_is_given(candidate: Candidate, rng: np.random.Generator) -> None:
    """Keeps the given pixels, draws the others so that later ones see them, and asks no more,
    also for a single image."""
    model = draw_model(rng, 2, 3, 2.5)
    above = torch.cat((torch.from_numpy(rng.integers(2, size=(1, 3)) * 1.0), _unknown(1, 3)))
    mixed = _unknown(2, 3)
    mixed[0, 1], mixed[1, 0] = 1.0, float(rng.integers(2))
    whole = torch.from_numpy(rng.integers(2, size=(2, 3)) * 1.0)
    draw_call(candidate, model, whole, 5, 1.0, _seed(rng), "with all pixels given")
    draw_call(candidate, model, _unknown(2, 3), 1, 1.0, _seed(rng), "for a single image")
    _expect_distribution(
        candidate,
        rng,
        [
            ("with the upper line given", model, above, 1.0),
            ("with two pixels given", model, mixed, 1.0),
        ],
    )


@SAMPLE_AR.check
def divides_by_the_temperature(candidate: Candidate, rng: np.random.Generator) -> None:
    """Divides the logits by the temperature."""
    model, init = draw_model(rng, 2, 2, 2.0), _unknown(2, 2)
    cases = [(f"at temperature {t}", model, init, t) for t in (0.2, 6.0)]
    _expect_distribution(candidate, rng, cases)


@SAMPLE_AR.check
def uses_the_generator(candidate: Candidate, rng: np.random.Generator) -> None:
    """Draws the same for the same generator, goes on with one that was used, and repeats no
    image."""
    model, init = draw_model(rng, 3, 4, 0.5), _unknown(3, 4)
    seed, other = (int(value) for value in rng.choice(2**31, size=2, replace=False))
    seeds = {
        "first": Seed(seed),
        "again": Seed(seed),
        "other": Seed(other),
        "used": Seed(seed, used=True),
    }
    x = {
        name: draw_call(candidate, model, init, FEW, 1.0, each, "of 3 × 4 pixels")
        for name, each in seeds.items()
    }
    expect.true(
        torch.equal(x["first"], x["again"]),
        "two generators with the same seed gave different images; draw from `generator` alone",
    )
    expect.true(
        not torch.equal(x["first"], x["other"]), "another seed gave exactly the same images"
    )
    expect.true(
        not torch.equal(x["first"], x["used"]),
        "a generator that had been used gave the same images as a fresh one; do not seed it anew",
    )
    for draws in x.values():
        num_distinct = len(draws.flatten(1).unique(dim=0))
        expect.true(
            num_distinct > FEW - COPIES,
            f"{FEW} images of 3 × 4 pixels hold only {num_distinct} different ones; every image "
            "is a draw of its own",
        )


def sure_model(rng: np.random.Generator, target: Tensor) -> GridModel:
    """Each pixel is decided by the one before, by logits of ±30 to ±800; `target` comes out.

    Args:
        target: The image, (2, 3); a pixel that is 1 has the logit 800.
    """
    sign = 2 * target.flatten() - 1
    size = torch.from_numpy(np.exp(rng.uniform(np.log(30), np.log(750), size=6)))
    size[sign.argmax()] = 800.0
    bias = size * sign
    bias[1:] *= -sign[:-1]
    weight = torch.diag(-2 * bias[1:], -1)  # so the logit is `bias` after a 0, minus it after a 1
    return GridModel(bias, weight, torch.zeros(6).double(), (2, 3))


@SAMPLE_AR.edge_check
def trusts_a_sure_network(candidate: Candidate, rng: np.random.Generator) -> None:
    """Draws what the network is sure of, as with logits from ±30 to ±800."""
    target = torch.from_numpy(rng.permutation([0.0, 0, 0, 1, 1, 1])).view(2, 3)
    model = sure_model(rng, target)
    x = draw_call(candidate, model, _unknown(2, 3), MANY, 1.0, _seed(rng), "with a sure network")
    num_others = int((x != target).flatten(1).any(1).sum())
    expect.true(  # single precision draws a zero once in 16 million numbers
        num_others <= 3,
        f"{num_others} of {MANY} images differ from the one that a network with logits of ±30 and "
        "more allows",
    )
