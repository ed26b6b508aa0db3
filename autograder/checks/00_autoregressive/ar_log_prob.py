"""`ar_log_prob(logits_fn, x)`: the exact log-likelihood of binary images."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

from ._models import GridModel, binary, draw_model, every_image


def reference(logits_fn, x: Tensor) -> Tensor:
    a = logits_fn(x)
    return torch.where(x > 0.5, logsigmoid(a), logsigmoid(-a)).flatten(1).sum(1)


AR_LOG_PROB = Exercise(
    name="ar_log_prob",
    unit="00_autoregressive",
    title="A likelihood you can read off",
    points=2,
    difficulty=2,
    minutes=15,
    reference=reference,
    hints=(
        "**Principle.** The chain rule makes log p(x) a sum over pixels of log p(x_d | pixels "
        "before d). Each of these is the log-probability of what the pixel is: if the pixel is 1, "
        "the logarithm of the probability of a 1, and if it is 0, the logarithm of the "
        "probability of a 0. Both kinds count. The network gives a logit a for each pixel, and "
        "the probability of a 1 is sigmoid(a). Since the image is known, all conditionals come "
        "out of one single call; nothing has to be drawn, and nothing is approximated.",
        "**Place.** `logits_fn(x)` has the shape of `x`, (N, H, W). First find the "
        "log-probability of each pixel, in that same shape; then sum over the two image axes, so "
        "that one number remains for each image. For single pixels use a stable form: "
        "`logsigmoid(a)` is log p(1) and `logsigmoid(-a)` is log p(0), both exact for every a. If "
        "you compute the sigmoid first and then its logarithm, a logit of 200 gives log(0) for "
        "the other value, which is minus infinity. `binary_cross_entropy_with_logits` is stable "
        "as well, but it gives the negative, and a mean unless you ask for no reduction.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "a = logits_fn(x)                                        # (N, H, W)\n"
        "log_p = x * logsigmoid(a) + (1 - x) * logsigmoid(...)   # (N, H, W)\n"
        "return log_p.sum(dim=(..., ...))                        # (N,)\n"
        "```\n\n"
        "The gaps: the logit of a zero, and the two axes of an image. `logsigmoid` lives in "
        "`torch.nn.functional`. To test yourself, let `logits_fn` be `torch.zeros_like`: every "
        "pixel is then a fair coin, and each 3 × 3 image has the log-probability 9 log ½, which "
        "is −6.238. Then try a network that always gives the logit 2: an image of ones must be "
        "more probable than one of zeros.",
    ),
)


def _ask(candidate: Candidate, model: GridModel, x: Tensor, what: str) -> Tensor:
    oracle = Oracle(model.logits)
    value = candidate.call(oracle, x)
    found = expect.tensor(value, (len(x),), f"ar_log_prob {what}")
    count = len(oracle.questions)
    expect.true(
        count == 1,
        f"logits_fn was called {count} times {what}; one call gives all conditionals",
    )
    return found


@AR_LOG_PROB.check
def sums_to_one(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives all 512 binary images of 3 × 3 pixels probabilities that sum to 1."""
    model = draw_model(rng, 3, 3)
    found = _ask(candidate, model, every_image(3, 3), "for all 512 images")
    total = found.exp().sum().item()
    expect.true(abs(total - 1) < 1e-5, f"the 512 probabilities sum to {total:.6g}; expected 1")


@AR_LOG_PROB.check
def gives_each_image_its_own(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives each image the sum of its pixels' log-probabilities, one number for each."""
    for height, width, count in ((3, 3, 40), (2, 4, 6), (4, 2, 4), (5, 3, 1), (1, 1, 3)):
        model, x = draw_model(rng, height, width), binary(rng, count, height, width)
        what = f"for {count} images of {height} × {width}"
        expect.close(_ask(candidate, model, x, what), model.log_prob(x), f"ar_log_prob {what}")


@AR_LOG_PROB.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    model, x = draw_model(rng, 3, 4), binary(rng, 6, 3, 4)
    found = _ask(candidate, model, x.float(), "in float32")
    expect.close(found, model.log_prob(x), "ar_log_prob in float32")


@AR_LOG_PROB.edge_check
def is_exact_for_extreme_logits(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays exact where a network is as sure as logits of ±200, rightly or wrongly."""
    bias = torch.from_numpy(rng.choice([-1.0, 1.0], size=6) * rng.uniform(100, 200, size=6))
    model = GridModel(bias, torch.zeros(6, 6).double(), torch.zeros(6).double(), (2, 3))
    certain = (bias > 0).double().view(1, 2, 3)
    x = torch.cat((certain, 1 - certain, binary(rng, 3, 2, 3)))
    for images, name in ((x, "float64"), (x.float(), "float32")):  # exp(200) is too large there
        found = _ask(candidate, model, images, f"for logits of ±200 in {name}")
        expect.finite(found, f"ar_log_prob for logits of ±200 in {name}")
        expect.close(found, model.log_prob(x), f"ar_log_prob for logits of ±200 in {name}")
