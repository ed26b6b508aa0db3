r"""Gated blocks with two stacks: one knows the rows above, the other the row so far."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import pad

from course_lib.monte_carlo.checks import check_positive
from course_lib.pixelcnn.masked import check_odd


class GatedBlock(nn.Module):
    r"""One layer of both stacks: what is right of a place in the rows above is not lost.

    .. math::
        v'_{ij} = v_{ij}
        + \mathrm{gate}\Big(\sum_{a \le 0} \sum_b V_{ab}\, v_{i+a,\, j+b}\Big), \qquad
        h'_{ij} = h_{ij} + R\, \mathrm{gate}\Big(\sum_{b \le 0} U_b\, h_{i,\, j+b}
        + L\, v'_{i-1,\, j}\Big)

    with a and b up to k//2 away from 0; biases are left out, and those of a class y are added to
    what goes into the gates. Row i of the vertical stack v knows all of the rows 0, …, i of the
    map, and so may feed row i + 1 of the horizontal stack h. The last row of the map feeds nothing
    and is no part of v. Only visible weights exist; no product with a mask is computed.

    Attributes:
        vertical: V, a convolution with the kernel (k//2 + 1, k), not padded.
        horizontal: U, with the kernel (1, k//2 + 1), not padded.
        link: L, from the vertical to the horizontal stack.
        residual: R.
        classes: The biases of the classes, first those of v.

    Args:
        width: C, the number of channels.
        kernel_size: k, odd.
        num_classes: Number of classes to condition on; `None` for none.

    Raises:
        ValueError: A size is not positive, or `kernel_size` is even.

    Reference:
        Van den Oord et al. (2016), "Conditional image generation with PixelCNN decoders", section
        2 and figure 2, arXiv:1606.05328. Here L follows the gate, which halves its cost, and v has
        a residual connection too, with which it learns faster.

    Example:
        >>> block = GatedBlock(8)
        >>> v, h = block(torch.zeros(2, 8, 6, 7), torch.zeros(2, 8, 7, 7))
        >>> v.shape, h.shape
        (torch.Size([2, 8, 6, 7]), torch.Size([2, 8, 7, 7]))
    """

    def __init__(self, width: int, kernel_size: int = 3, *, num_classes: int | None = None) -> None:
        super().__init__()
        check_positive(width=width)
        check_odd(kernel_size)
        self.reach = kernel_size // 2
        self.vertical = nn.Conv2d(width, 2 * width, (self.reach + 1, kernel_size))
        self.horizontal = nn.Conv2d(width, 2 * width, (1, self.reach + 1))
        self.link = nn.Conv2d(width, 2 * width, 1, bias=False)
        self.residual = nn.Conv2d(width, width, 1)
        self.classes = None
        if num_classes is not None:
            check_positive(num_classes=num_classes)
            self.classes = nn.Embedding(num_classes, 4 * width)
            nn.init.zeros_(self.classes.weight)

    def forward(
        self,
        v: Float[Tensor, "n c rows w"],
        h: Float[Tensor, "n c h w"],
        y: Int[Tensor, " n"] | None = None,
    ) -> tuple[Float[Tensor, "n c rows w"], Float[Tensor, "n c h w"]]:
        r"""One layer.

        Args:
            v: The vertical stack, one row less than the map: shape (N, C, H−1, W).
            h: The horizontal stack, (N, C, H, W); column j must not know column j of the map.
            y: Classes, shape (N,), where the block has classes.

        Returns:
            v' and h', of the same shapes.
        """
        v_class, h_class = self.class_biases(y)
        v = v + gate(self.vertical(pad_rows(v, self.reach)), v_class)
        h_in = self.horizontal(pad(h, (self.reach, 0)))
        return v, self.leave(h_in + pad(self.link(v), (0, 0, 1, 0)), h, h_class)

    def leave(
        self,
        h_in: Float[Tensor, "n c2 rows w"],
        h: Float[Tensor, "#n c rows w"],
        bias: Float[Tensor, "n c2"] | None,
    ) -> Float[Tensor, "n c rows w"]:
        r"""The end of the horizontal stack: gate and residual connection."""
        return h + self.residual(gate(h_in, bias))

    def class_biases(self, y: Tensor | None) -> tuple[Tensor | None, Tensor | None]:
        r"""What the classes add in the vertical and in the horizontal stack, (N, 2C) each."""
        return (None, None) if self.classes is None else self.classes(y).chunk(2, 1)


def gate(
    x: Float[Tensor, "n c2 *hw"], bias: Float[Tensor, "n c2"] | None = None
) -> Float[Tensor, "n c *hw"]:
    r"""The gated unit \tanh(a) \odot \sigma(b), where a and b are the halves of the channels.

    Args:
        x: (a, b), shape (N, 2C, …).
        bias: Added to `x`, for each example its own; shape (N, 2C).

    Returns:
        Shape (N, C, …).

    Reference:
        Van den Oord et al. (2016), arXiv:1606.05328, equation (2), and (4) with the bias of a
        class.

    Example:
        >>> gate(torch.tensor([[100.0, 0.0]]))  # tanh of the first, half open
        tensor([[0.5000]])
    """
    return _Gate.apply(x, None if bias is None else bias.to(x.dtype))


class _Gate(torch.autograd.Function):
    r"""The gate in few passes over memory."""

    @staticmethod
    def forward(ctx, x: Tensor, bias: Tensor | None) -> Tensor:
        a, b = x.chunk(2, 1)
        if bias is None:
            t, s = a.clone(), b.sigmoid()
        else:
            bias = bias.view(*bias.shape, *[1] * (x.ndim - 2))
            bias_a, bias_b = bias.chunk(2, 1)
            t, s = a + bias_a, (b + bias_b).sigmoid_()
        t = _tanh_(t)
        ctx.save_for_backward(t, s)
        ctx.bias_shape = None if bias is None else bias.shape
        return t * s

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor | None]:
        t, s = ctx.saved_tensors
        d_a = torch.ops.aten.tanh_backward(grad * s, t)  # grad · s · (1 − t²)
        d_b = torch.ops.aten.sigmoid_backward(grad * t, s)  # grad · t · s · (1 − s)
        d_x = torch.cat([d_a, d_b], 1)
        return d_x, d_x.sum_to_size(ctx.bias_shape).flatten(1) if ctx.bias_shape else None


def _tanh_(a: Tensor) -> Tensor:
    r"""\tanh(a), in place of a."""
    if a.device.type != "cpu" or a.dtype.itemsize < 4:
        return a.tanh_()
    # 2σ(2a) − 1 is the same, and quicker on a CPU; in 16 bits it would lose small values
    return a.mul_(2).sigmoid_().mul_(2).sub_(1)


def pad_rows(
    v: Float[Tensor, "n c rows w"], reach: int
) -> Float[Tensor, "n c padded_rows padded_w"]:
    r"""Zeros on the left, on the right and above."""
    return pad(v, (reach, reach, reach, 0))
