r"""Logits of one place after the other, where nothing is computed twice.

When the value at (i, j) has been drawn, only what depends on it has to be computed anew: one place
of every layer of the horizontal stack, and, at the end of a row, one row of every layer of the
vertical stack. A whole map then costs about as much arithmetic as one pass of the network.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from jaxtyping import Bool, Float, Int
from torch import Tensor

from course_lib.pixelcnn.gated import gate
from course_lib.pixelcnn.lookup import look_up

if TYPE_CHECKING:
    from course_lib.pixelcnn.model import PixelCNN


class CachedLogits:
    r"""A function for `sample_sequentially`: each call computes the logits of one more place.

    Codes that were there at one call must not change until the next.

    Args:
        model: The model.
        num_samples: S.
        y: Classes, shape (S,), or `None`.
        known: True at places whose logits nobody will ask for, shape (H, W), or `None`.
    """

    def __init__(
        self,
        model: "PixelCNN",
        num_samples: int,
        y: Int[Tensor, " s"] | None = None,
        known: Bool[Tensor, "h w"] | None = None,
    ) -> None:
        self.model, self.first = model, model.first
        self.blocks = list(model.blocks)
        self.biases = [layer.class_biases(y) for layer in (model.first, *model.blocks)]
        self.tables, self.place_terms = self.first.tables(), self.first.place_terms()
        self.start_place = self.first.place_on_the_left()
        height, width = model.size
        self.asked = self._asked(known, height * width)
        self.done = 0  # places whose column of the horizontal stack is computed
        zeros = self.first.place.new_zeros
        wide = self.first.place.shape[1]
        reaches = [block.reach for block in model.blocks]
        # the inputs of the blocks, with the zeros around the map; of h only the row that is drawn,
        # in which columns are overwritten before they are read
        self.v = [zeros(num_samples, wide, height - 1 + r, width + 2 * r) for r in reaches]
        self.h = [zeros(num_samples, wide, 1, width + r) for r in reaches]
        self.links: list[Tensor] = []
        self.logits = zeros(num_samples, height, width, model.num_values)

    def __call__(self, codes: Int[Tensor, "s h w"]) -> Float[Tensor, "s h w k"]:
        r"""The logits of the next place that is not known; those of later places are 0."""
        place = next(self.asked)
        for done in range(self.done, place + 1):
            i, j = divmod(done, self.model.size[1])
            if j == 0:
                self._start_row(i, codes)
            h = self._step(i, j, codes)
        self.done = place + 1
        self.logits[:, i, j] = self.model.to_logits(h)[:, 0, 0]
        return self.logits

    @staticmethod
    def _asked(known: Tensor | None, count: int) -> Iterator[int]:
        if known is None:
            return iter(range(count))
        return iter((~known).flatten().nonzero()[:, 0].tolist())

    def _start_row(self, i: int, codes: Tensor) -> None:
        r"""Row i − 1 of the vertical stack, which row i of the horizontal stack is first to see."""
        width = codes.shape[2]
        if i == 0:
            self.links = [self.place_terms[1].new_zeros(1, 1, 1, width)] * len(self.biases)
            return
        rows = codes[:, max(0, i - 1 - self.first.reach) : i]
        v_in = look_up(self.tables[0], self.first.above(rows)[:, -1:])
        v = gate(v_in + self.place_terms[0][:, :, i - 1 : i], self.biases[0][0])
        self.links = [self.first.link(v)]
        for block, cache, (bias, _) in zip(self.blocks, self.v, self.biases[1:], strict=True):
            r = block.reach
            cache[:, :, i - 1 + r, r : r + width] = v[:, :, 0]
            v = v + gate(block.vertical(cache[:, :, i - 1 : i + r]), bias)
            self.links.append(block.link(v))

    def _step(self, i: int, j: int, codes: Tensor) -> Float[Tensor, "s c 1 1"]:
        r"""Column j of the horizontal stack, all layers; returns the last."""
        h = self.start_place[:, :, i, j, None, None]
        if j:
            h = h + self.first.embedding(codes[:, i, j - 1])[:, :, None, None]
        numbers = self.first.left(codes[:, i : i + 1, : j + 1])[:, :, -1:]
        h_in = look_up(self.tables[1], numbers) + self.place_terms[1][:, :, i : i + 1, j : j + 1]
        links = [link[..., j : j + 1] for link in self.links]
        h = self.first.leave(h_in + links[0], h, self.biases[0][1])
        for block, cache, link, (_, bias) in zip(
            self.blocks, self.h, links[1:], self.biases[1:], strict=True
        ):
            cache[..., block.reach + j] = h[..., 0]
            h_in = block.horizontal(cache[..., j : j + block.reach + 1])
            h = block.leave(h_in + link, h, bias)
        return h
