r"""The first layer: its input is a map of codes, so its convolutions are sums of table rows.

A convolution of embedded codes adds up one vector for every place of the kernel: the weight of that
place times the embedding of the code there. There are only K of these for each place, so all are
computed beforehand, (k//2 + 1) k K products of a matrix and a vector, however many maps there are.
This makes the first layer the cheapest, and a large kernel there affordable.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, pad

from course_lib.pixelcnn.gated import GatedBlock, gate, pad_rows

Codes = Int[Tensor, "n h w"]


class FirstBlock(GatedBlock):
    r"""A gated block that takes codes, embeds them, and says where they stand.

    The input of the vertical stack is e_{x_{ij}} + p_{ij}, that of the horizontal stack the same
    one column further right, so that no place knows its own value.

    Attributes:
        embedding: e, shape (K, C).
        place: p, shape (1, C, H, W).

    Args:
        num_values: K.
        size: (H, W).
        width: C.
        kernel_size: k, odd.
        num_classes: As in `GatedBlock`.
    """

    def __init__(
        self,
        num_values: int,
        size: tuple[int, int],
        width: int,
        kernel_size: int,
        *,
        num_classes: int | None = None,
    ) -> None:
        super().__init__(width, kernel_size, num_classes=num_classes)
        self.embedding = nn.Embedding(num_values, width)
        self.place = nn.Parameter(0.1 * torch.randn(1, width, *size))

    def forward(
        self, codes: Codes, y: Int[Tensor, " n"] | None = None
    ) -> tuple[Float[Tensor, "n c rows w"], Float[Tensor, "n c h w"]]:
        r"""v and h after the first layer, (N, C, H−1, W) and (N, C, H, W)."""
        (v_table, h_table), (v_place, h_place) = self.tables(), self.place_terms()
        v_class, h_class = self.class_biases(y)
        v = gate(look_up(v_table, self.above(codes[:, :-1])) + v_place, v_class)
        h_in = look_up(h_table, self.left(codes)) + h_place
        h_in = h_in + pad(self.link(v), (0, 0, 1, 0))
        return v, self.leave(h_in, self.start(codes), h_class)

    def tables(self) -> tuple[Float[Tensor, "v_rows c2"], Float[Tensor, "h_rows c2"]]:
        r"""What each code adds at each place of the vertical and of the horizontal kernel."""
        return self._table(self.vertical.weight), self._table(self.horizontal.weight)

    def _table(self, weight: Tensor) -> Tensor:
        table = torch.einsum("kc,ocab->abko", self.embedding.weight, weight)
        return pad(table, (0, 0, 0, 1)).flatten(0, 2)  # the row of zeros is for places off the map

    def place_terms(self) -> tuple[Float[Tensor, "1 c2 rows w"], Float[Tensor, "1 c2 h w"]]:
        r"""The convolutions of p, the same for all maps."""
        right = pad(self.place, (self.reach + 1, 0))[..., :-1]
        return self.vertical(pad_rows(self.place[:, :, :-1], self.reach)), self.horizontal(right)

    def start(self, codes: Codes) -> Float[Tensor, "n c h w"]:
        r"""The input of the horizontal stack, of which its first residual connection starts."""
        left = pad(self.embedding(codes[:, :, :-1]), (0, 0, 1, 0)).permute(0, 3, 1, 2)
        return left + self.place_on_the_left()

    def place_on_the_left(self) -> Float[Tensor, "1 c h w"]:
        r"""p_{i, j−1} at place (i, j)."""
        return pad(self.place, (1, 0))[..., :-1]

    def above(self, codes: Codes) -> Int[Tensor, "n rows w taps"]:
        r"""Which table rows the vertical kernel adds up at every place: of the codes it covers."""
        r = self.reach
        codes = pad(codes, (r, r, r, 0), value=self.embedding.num_embeddings)
        return self._numbered(codes.unfold(1, r + 1, 1).unfold(2, 2 * r + 1, 1).flatten(3))

    def left(self, codes: Codes) -> Int[Tensor, "n h w taps"]:
        r"""The same for the horizontal kernel, which ends one column to the left."""
        codes = pad(codes, (self.reach + 1, 0), value=self.embedding.num_embeddings)
        return self._numbered(codes[:, :, :-1].unfold(2, self.reach + 1, 1))

    def _numbered(self, windows: Tensor) -> Tensor:
        taps = torch.arange(windows.shape[-1], device=windows.device)
        return windows + (self.embedding.num_embeddings + 1) * taps


def look_up(
    table: Float[Tensor, "rows c2"], numbers: Int[Tensor, "n h w taps"]
) -> Float[Tensor, "n c2 h w"]:
    r"""The sum of the table rows with these numbers, as a map in channels-last memory."""
    added = embedding_bag(numbers.flatten(0, 2), table, mode="sum")
    return added.unflatten(0, numbers.shape[:3]).permute(0, 3, 1, 2)
