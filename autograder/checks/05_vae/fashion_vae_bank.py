"""Wrong and right weights for `fashion_vae`, all made from one trained model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.candidate import Call
from autograder.exercise import Sign

from ._fashion_vae import FashionVAE
from .fashion_vae import FASHION_VAE, INDEPENDENT, NUM_IMAGES, reference, test_images

State = dict[str, Tensor]
HEAD, BIAS = "encoder.2.weight", "encoder.2.bias"
LAST, LAST_BIAS = "decoder.2.weight", "decoder.2.bias"


@dataclass(frozen=True)
class Measured:
    """What the checks saw of a model, in nats an image.

    Attributes:
        rate: Nats spent on the code.
        distortion: The rest of −ELBO.
        spread: Largest variance over the images of a posterior mean.
        gain: What more draws add to the ELBO; 0 if it was not looked at.
        scatter: Standard deviation over the images of the ELBO.
    """

    rate: float
    distortion: float
    spread: float
    gain: float
    scatter: float


def measured(calls: Sequence[Call]) -> Measured:
    loc, log_var = calls[0].value
    rate = 0.5 * (loc.square() + log_var.exp() - 1 - log_var).sum(1).mean().item()
    pieces = [c.value for c in calls if c.verb == "call" and c.value.shape[1] == NUM_IMAGES]
    gain = 0.0
    if pieces:
        weights = torch.cat(pieces).double()
        bound = weights.logsumexp(0) - torch.tensor(float(len(weights))).log()
        gain = (bound - weights.mean(0)).mean().item()
    distortion = -calls[1].value.mean().item() - rate
    scatter = calls[1].value.std().item()
    return Measured(rate, distortion, loc.var(0).max().item(), gain, scatter)


def where(condition: Callable[[Measured], bool]) -> Sign:
    return lambda calls: condition(measured(calls))


def changed(**parts: Callable[[Tensor], Tensor]) -> State:
    """The trained weights, some of them changed; `__` stands for a dot."""
    state = {name: value.float() for name, value in reference().items()}
    for name, change in parts.items():
        name = name.replace("__", ".")
        state[name] = change(state[name])
    return state


@FASHION_VAE.misconception(
    "Your q overflows: its rate is infinite or astronomically high. The encoder's second half is "
    "log σ²; did the training run away (a learning rate that is too high, a sign)?",
    sign=where(lambda m: not m.rate < 1e5),
)
def overflowing():
    return changed(encoder__2__bias=lambda b: b + torch.arange(32).ge(16).float() * 60)


@FASHION_VAE.misconception(
    "The encoder gives the prior for every image, and the decoder was made for codes: is the "
    "encoder's last layer zero, or was another encoder saved?",
    sign=where(lambda m: m.rate < 0.5 and m.distortion > 556),
)
def silent_encoder():
    return changed(encoder__2__weight=torch.zeros_like, encoder__2__bias=torch.zeros_like)


@FASHION_VAE.misconception(
    "These weights are untrained, or nearly so: every pixel is near a coin toss, 784 log 2 = 543 "
    "nats. Was the model saved before training, or a new one made?",
    sign=where(lambda m: 525 < m.distortion < 556 and m.rate < 10),
)
def untrained():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return FashionVAE().state_dict()


@FASHION_VAE.misconception(
    "The hidden values have collapsed: the code costs no nats and says nothing. Is the "
    "reconstruction averaged over pixels or the divergence multiplied, so that β is in the "
    "hundreds?",
    sign=where(lambda m: m.rate < 2 and m.distortion < 525),
)
def collapsed():
    # what a β of 784 leads to: q is the prior, and the decoder gives the mean image
    mean = torch.from_numpy(test_images().mean(0)).clamp(1e-3, 1 - 1e-3)
    return changed(
        encoder__2__weight=torch.zeros_like,
        encoder__2__bias=torch.zeros_like,
        decoder__2__weight=torch.zeros_like,
        decoder__2__bias=lambda _: torch.logit(mean),
    )


@FASHION_VAE.misconception(
    "Your pixels are far too bright, as if the decoder gave probabilities. It gives logits here: "
    "no sigmoid and no clamp between decoder and loss but the one inside `log_likelihood`.",
    sign=where(lambda m: m.distortion > 530 and m.scatter < 70),
)
def probabilities_for_logits():
    return changed(
        decoder__2__weight=lambda w: 0.05 * w,
        decoder__2__bias=lambda b: torch.sigmoid(b).clamp(0.05, 0.95),
    )


@FASHION_VAE.misconception(
    "Your code costs far more nats than it saves: this is nearly a plain autoencoder. Does the "
    "divergence count in the loss, summed over the hidden values and with β = 1?",
    sign=where(lambda m: m.rate > 70),
)
def plain_autoencoder():
    return changed(encoder__2__bias=lambda b: b - torch.arange(32).ge(16).float() * 9)


@FASHION_VAE.misconception(
    "The code hardly depends on the image: the encoder sees other numbers than in training. Were "
    "the images in 0 … 255 there, or standardised? Here every pixel is 0 or 1.",
    sign=where(lambda m: m.spread < 0.05 and m.rate >= 2),
)
def trained_on_bytes():
    return changed(encoder__0__weight=lambda w: w / 255)


@FASHION_VAE.misconception(
    "Your q is much too wide or too narrow for your decoder: more draws add many nats. Was "
    "`log_var` trained as log σ? Here it is log σ².",
    sign=where(lambda m: m.gain > 9 and m.rate + m.distortion < INDEPENDENT + 60),
)
def trained_as_log_std():
    half = torch.where(torch.arange(32) < 16, 1.0, 0.5)
    return changed(encoder__2__weight=lambda w: half[:, None] * w, encoder__2__bias=half.mul)


@FASHION_VAE.misconception(
    "The code depends on the image, and the decoder does not understand it: encoder and decoder "
    "are not from the same model. Save the whole `state_dict` at once.",
    sign=where(lambda m: m.spread >= 0.05 and m.rate + m.distortion > INDEPENDENT),
)
def two_models():
    return changed(decoder__0__weight=lambda w: w.roll(5, 1))


@FASHION_VAE.misconception(
    "The code is used and no single mistake explains the rest: the model is not good enough yet. "
    "Train for more steps and let the learning rate fall to zero at the end.",
    sign=where(lambda m: m.rate + m.distortion <= INDEPENDENT),
)
def not_trained_enough():
    return changed(decoder__2__weight=lambda w: 0.7 * w)


def permuted(state: State, order: Tensor, signs: Tensor) -> State:
    """The same model with its hidden values in another order and mirrored."""
    both = torch.cat((order, order + 16))
    mirror = torch.cat((signs, torch.ones(16)))
    return state | {
        HEAD: (mirror[:, None] * state[HEAD])[both],
        BIAS: (mirror * state[BIAS])[both],
        "decoder.0.weight": (state["decoder.0.weight"] * signs)[:, order],
    }


@FASHION_VAE.variant
def other_order_of_hidden_values():
    return permuted(changed(), torch.arange(16).flip(0), torch.ones(16))


@FASHION_VAE.variant
def mirrored_hidden_values():
    return permuted(changed(), torch.arange(16), torch.where(torch.arange(16) % 2 == 0, 1.0, -1.0))


@FASHION_VAE.variant
def other_order_of_units():
    state, order = changed(), torch.arange(200).flip(0)
    return state | {
        "encoder.0.weight": state["encoder.0.weight"][order],
        "encoder.0.bias": state["encoder.0.bias"][order],
        HEAD: state[HEAD][:, order],
    }


@FASHION_VAE.variant
def in_double_precision():
    return {name: value.double() for name, value in reference().items()}


@FASHION_VAE.variant
def in_brain_floats():
    return {name: value.bfloat16() for name, value in reference().items()}


@FASHION_VAE.variant
def rescaled_units():
    # ReLU(2 a) / 2 = ReLU(a)
    return changed(
        decoder__0__weight=lambda w: 2 * w,
        decoder__0__bias=lambda b: 2 * b,
        decoder__2__weight=lambda w: w / 2,
    )
