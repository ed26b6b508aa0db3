"""`gated_masked_conv(stacks, vertical, …)`: a layer of two stacks that has no blind spot."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

from .gated_activation import reference as gated_activation
from .shift_down import reference as shift_down

VERTICAL, HORIZONTAL = 0, 1
ROUNDING = 1e-11


def reference(
    stacks: Tensor, vertical: Tensor, horizontal: Tensor, link: Tensor, mix: Tensor, first: bool
) -> Tensor:
    """van den Oord et al. 2016b, figure 2; the first horizontal kernel is of type A."""
    v, h = stacks
    reach = vertical.shape[-1] // 2
    rows, columns = torch.ones(2, vertical.shape[-1], dtype=vertical.dtype)
    rows[reach + 1 :] = 0
    columns[reach + (not first) :] = 0
    a = conv2d(v, vertical * rows[:, None], padding=reach)
    b = conv2d(h, horizontal * columns, padding=(0, reach)) + conv2d(shift_down(a), link)
    no_class = torch.zeros_like(a[:, :, 0, 0])
    new_h = conv2d(gated_activation(b, no_class), mix)
    return torch.stack([gated_activation(a, no_class), new_h if first else h + new_h])


GATED_MASKED_CONV = Exercise(
    name="gated_masked_conv",
    unit="07_vq_vae",
    title="Two stacks, and no blind spot",
    points=4,
    difficulty=4,
    minutes=45,
    needs=("shift_down", "gated_activation"),
    reference=reference,
    follow_up="Three of your layers see all that comes before, and nothing else.",
    hints=(
        "**Principle.** One masked square kernel leaves a blind spot: what lies up and to the "
        "right is only reached by steps to the right, and the mask forbids those. So the work is "
        "split. The vertical stack may look at whole rows, its own included, because its result "
        "is handed down one row before anybody uses it to predict. The horizontal stack looks "
        "along its own row to the left only, and hears about everything above from the vertical "
        "one. Nothing flows back. In the first layer the horizontal input is the code that is to "
        "be predicted, so neither the kernel nor a shortcut may touch the place itself. Later its "
        "features know only the past, and then the place itself is welcome.",
        "**Place.** Multiply each kernel by a mask of zeros and ones; do not write into it. With "
        "r = k // 2, the vertical one loses its rows from r + 1 on, in all columns. The "
        "horizontal one loses its columns from r + 1 on, and in the first layer from r on. The "
        "padding is r on all sides for the vertical kernel, and r in the width alone for the "
        "horizontal one, `padding=(0, r)`: then the maps keep their size. Hand `a` down before "
        "`link`, but gate it as it is for the vertical stack itself. The gate is yours from E2, "
        "with a condition of zeros. The shortcut adds the old h at the very end, in all layers "
        "but the first.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "v, h = stacks\n"
        "r = vertical.shape[-1] // 2\n"
        "below, right = torch.ones_like(vertical), torch.ones_like(horizontal)\n"
        "below[:, :, ...:, :] = 0\n"
        "right[..., (r if first else ...):] = 0\n"
        "a = conv2d(v, vertical * below, padding=r)\n"
        "b = conv2d(h, horizontal * right, padding=(0, r)) + conv2d(..., link)\n"
        "nothing = torch.zeros_like(a[:, :, 0, 0])\n"
        "new_h = conv2d(gated_activation(b, nothing), mix)\n"
        "if not first:\n"
        "    new_h = ...\n"
        "return torch.stack([gated_activation(..., nothing), new_h])\n"
        "```\n\n"
        "The gaps are the first row below the centre, the first column to the right of it, what is "
        "handed down, the shortcut, and what the vertical stack keeps. `conv2d` is "
        "`torch.nn.functional.conv2d`.",
    ),
)


@dataclass(frozen=True)
class Layer:
    """Weights of one layer; the numbers at forbidden places are not zero."""

    vertical: Tensor
    horizontal: Tensor
    link: Tensor
    mix: Tensor
    first: bool

    def args(self) -> tuple:
        return self.vertical, self.horizontal, self.link, self.mix, self.first


def draw_layer(rng: np.random.Generator, channels: int, size: int, first: bool) -> Layer:
    def weights(out: int, *shape: int) -> Tensor:
        fan_in = int(np.prod(shape))
        return torch.from_numpy(rng.normal(scale=1.2 * fan_in**-0.5, size=(out, *shape)))

    return Layer(
        weights(2 * channels, channels, size, size),
        weights(2 * channels, channels, 1, size),
        weights(2 * channels, 2 * channels, 1, 1),
        weights(channels, channels, 1, 1),
        first,
    )


def draw_stacks(rng: np.random.Generator, n: int, channels: int, height: int, width: int) -> Tensor:
    return torch.from_numpy(rng.normal(size=(2, n, channels, height, width)))


def seen(height: int, width: int, reach: int, first: bool, place: tuple[int, int], stack: int):
    """What the new feature at a place may depend on, (2, H, W) bool: of the old v and the old h."""
    i, j = place
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    near = (columns - j).abs() <= reach
    if stack == VERTICAL:
        window = near & (rows <= i) & (rows >= i - reach)
        return torch.stack([window, torch.zeros(height, width, dtype=torch.bool)])
    above = near & (rows < i) & (rows >= i - 1 - reach)
    left = (rows == i) & (columns <= j - first) & (columns >= j - reach)
    return torch.stack([above, left])


@GATED_MASKED_CONV.check
def is_the_gated_layer(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives the new features of both stacks, in the first layer and in later ones."""
    for channels, size, first, shape in (
        (2, 3, True, (3, 4)),
        (3, 3, False, (5, 4)),
        (1, 5, False, (4, 6)),
        (2, 5, True, (6, 6)),
    ):
        layer = draw_layer(rng, channels, size, first)
        stacks = draw_stacks(rng, 2, channels, *shape)
        if first:
            stacks[HORIZONTAL] = stacks[VERTICAL]
        given = candidate.call(stacks, *layer.args())
        right = reference(stacks, *layer.args())
        given = expect.tensor(given, right.shape, "gated_masked_conv")
        for stack, name in ((VERTICAL, "vertical"), (HORIZONTAL, "horizontal")):
            which = f"the {name} stack for k = {size}, first = {first}"
            expect.close(given[stack], right[stack], which)


@GATED_MASKED_CONV.check
def depends_on_what_it_may(candidate: Candidate, rng: np.random.Generator) -> None:
    """By its gradient, each new feature depends on all that this layer may see, and on no more."""
    for size, first, (height, width) in ((3, True, (4, 3)), (3, False, (3, 4))):
        layer, places = draw_layer(rng, 2, size, first), height * width
        # one copy of the maps for each place and stack: its gradient is a row of the Jacobian
        stacks = draw_stacks(rng, 1, 2, height, width).repeat(1, 2 * places, 1, 1, 1)
        outer = torch.zeros_like(stacks)
        for n in range(2 * places):
            stack, place = divmod(n, places)
            outer[stack, n, :, place // width, place % width] = torch.from_numpy(rng.normal(size=2))
        (gradient,) = candidate.gradient(stacks, *layer.args(), outer=outer)
        depends = (gradient.abs() > ROUNDING).any(2)  # (2, 2 · places, H, W)
        for n in range(2 * places):
            stack, place = divmod(n, places)
            where = divmod(place, width)
            _expect_seen(depends[:, n], seen(height, width, size // 2, first, where, stack), n)


def _expect_seen(given: Tensor, right: Tensor, n: int) -> None:
    """Compare two pictures of what is seen, and say what is too much or too little."""
    height, width = right.shape[1:]
    stack, place = divmod(n, height * width)
    who = f"the new {('vertical', 'horizontal')[stack]} feature at {divmod(place, width)}"
    for wrong, verb in ((given & ~right, "depends"), (right & ~given, "does not depend")):
        if wrong.any():
            old, i, j = wrong.nonzero()[0].tolist()
            name = ("vertical", "horizontal")[old]
            expect.true(False, f"{who} {verb} on the old {name} feature at ({i}, {j})")


@GATED_MASKED_CONV.check
def layers_have_no_blind_spot(candidate: Candidate, rng: np.random.Generator) -> None:
    """Three layers on a map of 4 × 4 see every code that comes before, and neither the code itself
    nor any that comes after."""
    size, places = 4, 16
    x = draw_stacks(rng, 1, 2, size, size)[0].repeat(1 + places, 1, 1, 1)
    for place in range(places):
        x[1 + place, :, place // size, place % size] += 2.0
    stacks = torch.stack([x, x])
    for number in range(3):
        layer = draw_layer(rng, 2, 3, number == 0)
        stacks = expect.tensor(candidate.call(stacks, *layer.args()), stacks.shape, "the stacks")
    change = (stacks[HORIZONTAL, 1:] - stacks[HORIZONTAL, :1]).abs().amax(1).flatten(1)
    depends = change.T > ROUNDING  # row: the feature; column: the code that was changed
    before = torch.ones(places, places).tril(-1).bool()
    for wrong, verb in ((depends & ~before, "depends"), (before & ~depends, "does not depend")):
        if wrong.any():
            feature, code = (divmod(n, size) for n in wrong.nonzero()[0].tolist())
            expect.true(False, f"after three layers the feature at {feature} {verb} on code {code}")


@GATED_MASKED_CONV.check
def forbidden_weights_do_not_learn(candidate: Candidate, rng: np.random.Generator) -> None:
    """The weights and the old features have the right gradients: zero for the weights that the
    masks forbid."""
    for first in (True, False):
        args = draw_stacks(rng, 2, 2, 3, 4), *draw_layer(rng, 2, 3, first).args()
        outer = torch.from_numpy(rng.normal(size=(2, 2, 2, 3, 4)))
        leaves = [part.clone().requires_grad_() for part in args[:5]]
        value = (reference(*leaves, first) * outer).sum()
        right = torch.autograd.grad(value, leaves)
        given = candidate.gradient(*args, wrt=(0, 1, 2, 3, 4), outer=outer)
        names = ("stacks", "vertical", "horizontal", "link", "mix")
        for one, other, name in zip(given, right, names, strict=True):
            expect.close(one, other, f"the gradient for `{name}` with first = {first}")


@GATED_MASKED_CONV.edge_check
def works_on_one_row(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works on a map of one row or one column, with k = 1, and in single precision."""
    for size, shape in ((3, (1, 4)), (5, (3, 1)), (1, (3, 3))):
        for first in (True, False):
            layer = draw_layer(rng, 2, size, first)
            parts = [part.float() for part in layer.args()[:4]]
            stacks = draw_stacks(rng, 2, 2, *shape).float()
            given = candidate.call(stacks, *parts, first)
            which = f"gated_masked_conv for k = {size} on {shape[0]} × {shape[1]}"
            expect.close(given, reference(stacks, *parts, first), which)
