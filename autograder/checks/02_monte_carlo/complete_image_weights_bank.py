"""Wrong weights in `complete_image`."""

from collections.abc import Callable

import torch
from torch import Tensor

from . import complete_image_signs as signs
from .complete_image import COMPLETE_IMAGE, log_likelihoods
from .complete_image_signs import LogWeights, squares


def draw(log_weights: Tensor, count: int, generator) -> Tensor:
    shares = torch.softmax(log_weights, 0)
    return torch.multinomial(shares, count, replacement=True, generator=generator)


def paste(x: Tensor, mask: Tensor, rows: Tensor) -> Tensor:
    return torch.where(mask, x, rows)


def weighted(message: str, log_weights: LogWeights) -> Callable:
    """Register a mistake in the weights; the decorated function gives its name."""

    signs.FORMULAS.append(log_weights)

    def register(named: Callable) -> Callable:
        def implementation(x, mask, guesses, scale, num_completions, generator):
            chosen = draw(log_weights(x, mask, guesses, scale), num_completions, generator)
            return paste(x, mask, guesses[chosen])

        implementation.__name__ = named.__name__
        COMPLETE_IMAGE.misconception(message, sign=signs.frequencies(log_weights))(implementation)
        return implementation

    return register


@weighted(
    "You draw all guesses equally often. Their probabilities follow from the visible pixels.",
    lambda x, mask, guesses, scale: torch.zeros(len(guesses), dtype=x.dtype),
)
def all_equally_probable():
    """Uniform choice."""


@weighted(
    "The ½ in the exponent is missing, so you trust the visible pixels twice as much.",
    lambda x, mask, guesses, scale: -squares(x, mask, guesses).sum(-1) / scale**2,
)
def square_not_halved():
    """exp(−d² / σ²)."""


@weighted(
    "You divide the squared differences by σ. They must be divided by σ².",
    lambda x, mask, guesses, scale: -0.5 * squares(x, mask, guesses).sum(-1) / scale,
)
def scale_not_squared():
    """exp(−d² / 2σ)."""


@weighted(
    "σ plays no part in your weights. The more noise, the less a difference says: divide by σ².",
    lambda x, mask, guesses, scale: -0.5 * squares(x, mask, guesses).sum(-1),
)
def scale_ignored():
    """exp(−d² / 2)."""


@weighted(
    "You multiply the squared differences by σ². Divide by it.",
    lambda x, mask, guesses, scale: -0.5 * scale**2 * squares(x, mask, guesses).sum(-1),
)
def scale_multiplied():
    """exp(−d² σ² / 2)."""


@weighted(
    "You average the log-likelihood over the pixels. Independent pixels multiply, so their "
    "logarithms are summed.",
    lambda x, mask, guesses, scale: -0.5 * squares(x, mask, guesses).mean(-1) / scale**2,
)
def mean_over_pixels():
    """Tempered by the number of visible pixels."""


@weighted(
    "You divide by the number of all pixels, hidden ones included. Sum over the visible ones.",
    lambda x, mask, guesses, scale: -0.5 * squares(x, mask, guesses).sum(-1) / scale**2 / len(x),
)
def mean_over_all_pixels():
    """Tempered by the number of all pixels."""


@weighted(
    "You use the distance and not its square. The noise is normal: squared differences over 2σ².",
    lambda x, mask, guesses, scale: -squares(x, mask, guesses).sqrt().sum(-1) / scale,
)
def distances_not_squared():
    """exp(−Σ |d| / σ)."""


@weighted(
    "You use the length of the difference and not its square. The noise is normal: squared "
    "differences over 2σ².",
    lambda x, mask, guesses, scale: -0.5 * squares(x, mask, guesses).sum(-1).sqrt() / scale,
)
def length_not_squared():
    """exp(−|d| / 2σ)."""


@weighted(
    "Your weights are upside down: the guesses that differ most come most often.",
    lambda x, mask, guesses, scale: -log_likelihoods(x, mask, guesses, scale),
)
def weights_inverted():
    """exp(+d² / 2σ²)."""


@weighted(
    "You give each guess the weight one over its squared difference. Use the likelihood, "
    "exp(−d² / 2σ²).",
    lambda x, mask, guesses, scale: -squares(x, mask, guesses).sum(-1).log(),
)
def one_over_squared_difference():
    """1 / d²."""


@weighted(
    "You added a prior for the guesses. They were drawn from the prior already: weight them by the "
    "likelihood alone.",
    lambda x, mask, guesses, scale: (
        log_likelihoods(x, mask, guesses, scale) - 0.5 * guesses.square().sum(-1)
    ),
)
def prior_added():
    """A standard normal of the pixels on top."""


@weighted(
    "You use the first visible pixel only. All visible pixels count.",
    lambda x, mask, guesses, scale: -0.5 * squares(x, mask, guesses)[:, :1].sum(-1) / scale**2,
)
def one_pixel_only():
    """The rest is ignored."""


@weighted(
    "You set the hidden entries of x to zero and compare them too. Nobody knows them: compare "
    "visible pixels only.",
    lambda x, mask, guesses, scale: -0.5 * ((x.nan_to_num() - guesses) / scale).square().sum(-1),
)
def zeros_compared():
    """NaN replaced by 0."""


@weighted(
    "You use the log-likelihoods as they are for probabilities, shifted to be positive. Take their "
    "exponential: a softmax.",
    lambda x, mask, guesses, scale: _shifted(log_likelihoods(x, mask, guesses, scale)).log(),
)
def log_likelihoods_as_weights():
    """Linear in the logarithm."""


def _shifted(log_weights: Tensor) -> Tensor:
    return log_weights - log_weights.min() + 1e-9
