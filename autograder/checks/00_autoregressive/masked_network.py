"""`masked_network(x, kernels)`: a stack of masked convolutions, causal as a whole."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, logsigmoid

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from . import causal_mask
from ._models import binary, every_image


def reference(x: Tensor, kernels: Sequence[Tensor]) -> Tensor:
    return network(x, kernels)


def network(
    x: Tensor,
    kernels: Sequence[Tensor],
    kinds: Sequence[str] | None = None,
    mask=causal_mask.reference,
    between=torch.tanh,
) -> Tensor:
    """The stack, and its faulty relatives for the bank."""
    kinds = kinds or ["A"] + ["B"] * (len(kernels) - 1)
    h = x[:, None]
    for layer, (kernel, kind) in enumerate(zip(kernels, kinds, strict=True)):
        h = between(h) if layer else h
        size = len(kernel)
        allowed = 1.0 if kind == "open" else mask(size, kind).to(kernel)
        h = conv2d(h, (kernel * allowed)[None, None], padding=size // 2)
    return h[:, 0]


MASKED_NETWORK = Exercise(
    name="masked_network",
    unit="00_autoregressive",
    title="A network that cannot look ahead",
    points=2,
    difficulty=3,
    minutes=20,
    reference=reference,
    needs=("causal_mask",),
    hints=(
        "**Principle.** One masked layer alone is a weak model; a stack of them is a network. It "
        "is causal as a whole if no layer lets the future in, and if the pixel itself is hidden "
        "once. The first layer reads the image, so it has kind A: the feature that it puts at a "
        "pixel knows only pixels before. From then on the feature at a place is safe for that "
        "place, and kind B may use it. If the first layer had kind B, every output would read the "
        "very pixel that it should predict, and the probabilities of all images would not sum to "
        "one. If all layers had kind A, the network would lose its nearest neighbours.",
        "**Place.** Give the image an axis for its one channel: `x[:, None]` is (N, 1, H, W). For "
        "every kernel, multiply it by the mask of its own size and of the right kind, and give "
        "the product two axes in front, (1, 1, k, k). `conv2d` with `padding=k // 2` keeps H and "
        "W, and fills with zeros outside. Apply tanh to what one layer hands to the next, so "
        "between layers only: not to the image, and not to the result, because logits may be any "
        "number. Take the channel away at the end. Do not write into the kernels that you were "
        "given: multiply, which makes a new tensor.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "h = x[:, None]\n"
        "for layer, kernel in enumerate(kernels):\n"
        "    if layer > 0:\n"
        "        h = torch.tanh(h)\n"
        '    kind = "A" if layer == ... else "B"\n'
        "    weight = kernel * causal_mask(len(kernel), kind).to(kernel.dtype)\n"
        "    h = torch.conv2d(h, weight[None, None], padding=...)\n"
        "return h[:, 0]\n"
        "```\n\n"
        "The gaps: the number of the first layer, and half the size of the kernel, rounded down. "
        "To test yourself, change one pixel of `x` and compare: every logit up to and including "
        "that pixel must stay as it was, line by line, and some of those after it must change.",
    ),
)


def draw_kernels(rng: np.random.Generator, *sizes: int) -> list[Tensor]:
    return [torch.from_numpy(rng.normal(size=(k, k)) * 1.6 / np.sqrt(k)) for k in sizes]


CASES = (
    ((3,), 3, 4),
    ((3, 3), 4, 4),
    ((5, 3), 5, 3),
    ((3, 1, 5), 4, 6),
    ((7, 3, 3, 3), 6, 5),
)


@MASKED_NETWORK.check
def computes_the_stack(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives the logits of the stack: kind A first, kind B after it, tanh between two layers."""
    found = []
    for sizes, height, width in CASES:
        kernels, x = draw_kernels(rng, *sizes), binary(rng, 4, height, width)
        what = f"masked_network with kernels of the sizes {', '.join(map(str, sizes))}"
        value = expect.tensor(candidate.call(x, kernels), x.shape, what)
        found.append((what, value, network(x, kernels)))
    for what, value, right in found:
        expect.close(value, right, what)


@MASKED_NETWORK.check
def has_no_gradient_from_the_future(candidate: Candidate, rng: np.random.Generator) -> None:
    """No logit has a gradient for its own pixel or a later one."""
    kernels, x = draw_kernels(rng, 3, 5, 3), binary(rng, 1, 4, 4)
    for place in (0, 5, 10):
        outer = torch.zeros(1, 16, dtype=torch.float64)
        outer[0, place] = 1
        (grad,) = candidate.gradient(x, kernels, wrt=(0,), outer=outer.view(1, 4, 4))
        grad = expect.tensor(grad, (1, 4, 4), "the gradient of a logit").flatten()
        later = (grad[place:].abs() > 1e-9).nonzero()
        expect.true(
            not len(later),
            f"of 16 pixels, the logit number {place} depends on pixel number "
            f"{place + int(later[0]) if len(later) else 0} (from 0, line by line); only pixels "
            "before it may count",
        )


@MASKED_NETWORK.check
def makes_probabilities(candidate: Candidate, rng: np.random.Generator) -> None:
    """The probabilities of all 64 images of 2 × 3 pixels sum to 1."""
    x = every_image(2, 3)
    value = candidate.call(x, draw_kernels(rng, 3, 3))
    a = expect.tensor(value, x.shape, "masked_network for all 64 images")
    total = torch.where(x > 0.5, logsigmoid(a), logsigmoid(-a)).flatten(1).sum(1).exp().sum()
    expect.true(abs(total - 1) < 1e-4, f"the 64 probabilities sum to {total:.5g}; expected 1")
