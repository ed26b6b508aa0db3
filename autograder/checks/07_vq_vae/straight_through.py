"""`straight_through(z_e, z_q)`: the value of one argument with the gradient of the other."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from ._codes import draw_points


def reference(z_e: Tensor, z_q: Tensor) -> Tensor:
    """Van den Oord et al. 2017, section 3.2; exact in value, as z_e - z_e is zero."""
    return z_q.detach() + (z_e - z_e.detach())


STRAIGHT_THROUGH = Exercise(
    name="straight_through",
    unit="07_vq_vae",
    title="A gradient for a step that has none",
    points=1,
    difficulty=2,
    minutes=10,
    reference=reference,
    hints=(
        "**Principle.** The nearest code does not change when its point moves a little, so the "
        "derivative of the jump is zero almost everywhere, and the encoder would learn nothing "
        "from the reconstruction. The way out is a lie: in the backward pass we pretend that the "
        "jump was not there, and hand the gradient at the code to the encoder unchanged. The value "
        "must be the code's, since this is what the decoder will get later. The gradient goes to "
        "the encoder alone. The codebook gets none here; it learns from a loss of its own.",
        "**Place.** Any sum of terms has the value of the sum, and the gradient of those terms "
        "that are not detached. So look for a sum in which the encoder's output appears twice: "
        "once as it is, which carries the gradient, and once detached with a minus, which takes "
        "its value away again. What remains is a detached code. Check the two sides by themselves: "
        "forget the gradients and the terms must add up to the code; forget the detached terms and "
        "only the encoder's output must remain, with the factor 1.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "return z_e + (... - ...).detach()\n"
        "```\n\n"
        "The gaps are what you want to have and what you want to lose. Written in this way the "
        "whole jump from one to the other is a constant. If the first term were the code and the "
        "jump were from the code to the encoder's output, value and gradient would be exchanged: "
        "the decoder would see what was never quantised. Try it with numbers: for z_e = 0.3 and "
        "z_q = 1 the value must be 1, and the derivative of its square must be 2 for z_e and 0 for "
        "z_q. A rounding error in the last digit does no harm here.",
    ),
)


@STRAIGHT_THROUGH.check
def has_the_value_of_the_code(candidate: Candidate, rng: np.random.Generator) -> None:
    """Has the value of the code, for vectors and for maps of vectors."""
    for shape in ((6, 3), (2, 3, 4, 5), (3, 3)):
        z_e, z_q = draw_points(rng, *shape), draw_points(rng, *shape)
        what = f"straight_through for the shape {shape}"
        expect.close(candidate.call(z_e, z_q), z_q, what)


@STRAIGHT_THROUGH.check
def passes_the_gradient_to_the_encoder(candidate: Candidate, rng: np.random.Generator) -> None:
    """Hands the gradient on unchanged to `z_e`, and gives `z_q` none."""
    for shape in ((5, 3), (2, 3, 2, 4)):
        z_e, z_q, outer = (draw_points(rng, *shape) for _ in range(3))
        by_z_e, by_z_q = candidate.gradient(z_e, z_q, wrt=(0, 1), outer=outer)
        expect.close(by_z_e, outer, "the gradient for z_e, beside the one that came in,")
        expect.close(by_z_q, torch.zeros(shape), "the gradient for z_q, which must be zero,")


@STRAIGHT_THROUGH.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision, and where both are equal."""
    z_e, z_q = draw_points(rng, 4, 2).float(), draw_points(rng, 4, 2).float()
    expect.close(candidate.call(z_e, z_q), z_q, "straight_through in single precision")
    expect.close(candidate.call(z_q, z_q), z_q, "straight_through where both are equal")
