"""Wrong and right answers to `receptive_field`."""

import math

import torch

from .receptive_field import RECEPTIVE_FIELD, past, reference, visible

misconception, variant = RECEPTIVE_FIELD.misconception, RECEPTIVE_FIELD.variant


def _with(seen, height, width, row, column):
    return seen, past(height, width, row, column) & ~seen


def _by_gradient(logits_fn, images, row, column, total=None):
    images = images.clone().requires_grad_()
    logit = logits_fn(images)
    logit = logit.sum() if total else logit[:, row, column].sum()
    return torch.autograd.grad(logit, images)[0]


def _from(image, logits_fn, height, width, row, column):
    flipped = (image + torch.eye(len(image))) % 2
    images = torch.cat((image[None], flipped)).double().view(-1, height, width)
    logit = logits_fn(images)[:, row, column]
    seen = ((logit[1:] - logit[0]).abs() > 1e-5).view(height, width)
    return _with(seen, height, width, row, column)


@misconception("Your two results are in the wrong order: first what is seen, then the blind spot.")
def swapped(logits_fn, height, width, row, column, generator):
    return reference(logits_fn, height, width, row, column, generator)[::-1]


@misconception(
    "You assume that the network is causal and cut off all that comes later. Report what it sees, "
    "also its own pixel: that is how a wrong mask is found."
)
def causality_assumed(logits_fn, height, width, row, column, generator):
    seen, blind = reference(logits_fn, height, width, row, column, generator)
    return seen & past(height, width, row, column), blind


@misconception(
    "You give the ideal answer, all pixels before, without asking the network. Masks in a stack "
    "leave a blind spot: change pixels and look."
)
def ideal(logits_fn, height, width, row, column, generator):
    return _with(past(height, width, row, column), height, width, row, column)


@misconception(
    "You look from one image only. A pixel may count only where another one has a certain value: "
    "repeat with many random images and collect what made a difference."
)
def one_image(logits_fn, height, width, row, column, generator):
    seen = visible(logits_fn, height, width, row, column, generator, probes=1)
    return _with(seen, height, width, row, column)


@misconception(
    "You start from an image of zeros only, or take the gradient there. A pixel that counts only "
    "where another one is 1 shows nothing then: take random images, and many."
)
def from_zeros(logits_fn, height, width, row, column, generator):
    return _from(torch.zeros(height * width), logits_fn, height, width, row, column)


@misconception(
    "You start from an image of ones only. A pixel that counts only where another one is 0 shows "
    "nothing then: take random images, and many."
)
def from_ones(logits_fn, height, width, row, column, generator):
    return _from(torch.ones(height * width), logits_fn, height, width, row, column)


@misconception(
    "You look at the sum of all outputs. Then nearly everything is seen by some of them: compare "
    "the one logit at (row, column)."
)
def any_output(logits_fn, height, width, row, column, generator):
    images = torch.randn(5, height, width, generator=generator).double()
    grad = _by_gradient(logits_fn, images, row, column, total=True)
    return _with(grad.abs().amax(0) > 1e-6, height, width, row, column)


@misconception(
    "You found which outputs see the pixel at (row, column). Asked is the other direction: which "
    "pixels the output at (row, column) sees."
)
def other_direction(logits_fn, height, width, row, column, generator):
    seen = torch.zeros(height, width, dtype=torch.bool)
    for _ in range(30):
        image = torch.randint(2, (height, width), generator=generator).double()
        other = image.clone()
        other[row, column] = 1 - other[row, column]
        before, after = logits_fn(torch.stack((image, other)))
        seen |= (after - before).abs() > 1e-5
    return _with(seen, height, width, row, column)


@misconception(
    "Only pixels that raise the logit count in yours. A negative weight sees as well: compare "
    "absolute values."
)
def positive_only(logits_fn, height, width, row, column, generator):
    dim = height * width
    seen = torch.zeros(dim, dtype=torch.bool)
    for _ in range(30):
        image = torch.randint(2, (dim,), generator=generator).double()
        on, off = image.expand(dim, dim).clone(), image.expand(dim, dim).clone()
        on.fill_diagonal_(1)
        off.fill_diagonal_(0)
        logit = logits_fn(torch.cat((on, off)).view(-1, height, width))[:, row, column]
        seen |= logit[:dim] - logit[dim:] > 1e-5
    return _with(seen.view(height, width), height, width, row, column)


@misconception(
    "Your blind spot holds the pixels after the output as well. They must not be seen: only those "
    "before count as missed."
)
def later_pixels_missed(logits_fn, height, width, row, column, generator):
    seen, _ = reference(logits_fn, height, width, row, column, generator)
    return seen, ~seen


@misconception(
    "Your blind spot holds the output's own pixel. It must not be seen, so it is not missed."
)
def own_pixel_missed(logits_fn, height, width, row, column, generator):
    seen, blind = reference(logits_fn, height, width, row, column, generator)
    blind[row, column] = ~seen[row, column]
    return seen, blind


@misconception(
    "Your blind spot holds only what lies above and to the left. Pixels above and to the right "
    "come before too, and there the classic blind spot is."
)
def left_only(logits_fn, height, width, row, column, generator):
    seen, blind = reference(logits_fn, height, width, row, column, generator)
    blind[:, column + 1 :] = False
    return seen, blind


@misconception(
    "Your blind spot holds only pixels of the lines above. Those to the left in the same line come "
    "before too."
)
def lines_above_only(logits_fn, height, width, row, column, generator):
    seen, blind = reference(logits_fn, height, width, row, column, generator)
    blind[row:] = False
    return seen, blind


@misconception("Your blind spot counts the pixels column by column. Before means: line by line.")
def column_by_column(logits_fn, height, width, row, column, generator):
    seen, _ = reference(logits_fn, height, width, row, column, generator)
    return seen, past(width, height, column, row).T & ~seen


@misconception(
    "You mark a pixel by NaN and look where NaN arrives. But 0 times NaN is NaN: a weight of zero, "
    "which sees nothing, lets it through. Change the pixel by a number."
)
def poisoned(logits_fn, height, width, row, column, generator):
    dim = height * width
    images = torch.zeros(dim, dim).double().fill_diagonal_(math.nan).view(-1, height, width)
    seen = logits_fn(images)[:, row, column].isnan().view(height, width)
    return _with(seen, height, width, row, column)


@misconception(
    "You leave out pixels with little influence: your tolerance is too large. A pixel counts from "
    "a change of 0.001 on."
)
def too_tolerant(logits_fn, height, width, row, column, generator):
    seen = visible(logits_fn, height, width, row, column, generator, tolerance=0.2)
    return _with(seen, height, width, row, column)


@misconception("Your first table is turned: its first index is the line, its second the column.")
def transposed(logits_fn, height, width, row, column, generator):
    seen, blind = reference(logits_fn, height, width, row, column, generator)
    return seen.T.contiguous(), blind.T.contiguous()


@misconception(
    "You look at the output in the middle of the image. Asked is the one at (row, column)."
)
def middle(logits_fn, height, width, row, column, generator):
    seen = visible(logits_fn, height, width, height // 2, width // 2, generator)
    return _with(seen, height, width, row, column)


@misconception("You exchanged line and column of the output: its logit is at `[:, row, column]`.")
def place_transposed(logits_fn, height, width, row, column, generator):
    seen = visible(logits_fn, height, width, column, row, generator)
    return _with(seen, height, width, row, column)


@misconception(
    "You return one table. Two were asked for: what is seen, and what comes before and is not."
)
def one_table(logits_fn, height, width, row, column, generator):
    return reference(logits_fn, height, width, row, column, generator)[0]


@misconception(
    "The output's own pixel is left out of what is seen, whether it is seen or not. If it shows, "
    "the network can cheat: report it."
)
def own_pixel_hidden(logits_fn, height, width, row, column, generator):
    seen, blind = reference(logits_fn, height, width, row, column, generator)
    seen[row, column] = False
    return seen, blind


@variant
def by_gradient(logits_fn, height, width, row, column, generator):
    images = torch.rand(30, height, width, generator=generator).double()
    grad = _by_gradient(logits_fn, images, row, column)
    return _with(grad.abs().amax(0) > 1e-6, height, width, row, column)


@variant
def by_gradient_at_binary_images(logits_fn, height, width, row, column, generator):
    images = torch.randint(2, (30, height, width), generator=generator).double()
    grad = _by_gradient(logits_fn, images, row, column)
    seen = (grad != 0).any(0)
    return _with(seen, height, width, row, column)


@variant
def with_normal_noise(logits_fn, height, width, row, column, generator):
    dim = height * width
    seen = torch.zeros(dim, dtype=torch.bool)
    for _ in range(10):
        image = torch.randn(dim, generator=generator)
        batch = torch.cat((image[None], image + torch.eye(dim))).view(-1, height, width)
        logit = logits_fn(batch)[:, row, column]
        seen |= (logit[1:] - logit[0]).abs() > 1e-4
    return _with(seen.view(height, width), height, width, row, column)


@variant
def pixel_by_pixel(logits_fn, height, width, row, column, generator):
    images = torch.randint(2, (30, height, width), generator=generator).float()
    before = logits_fn(images)[:, row, column]
    seen, blind = torch.zeros(2, height, width, dtype=torch.bool)
    for i in range(height):
        for j in range(width):
            other = images.clone()
            other[:, i, j] = 1 - other[:, i, j]
            change = (logits_fn(other)[:, row, column] - before).abs().max()
            seen[i, j] = change > 1e-5
            blind[i, j] = (i, j) < (row, column) and not seen[i, j]
    return seen, blind


@variant
def as_numbers(logits_fn, height, width, row, column, generator):
    tables = reference(logits_fn, height, width, row, column, generator)
    return [table.double() for table in tables]
