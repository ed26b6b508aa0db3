r"""The network, its exact likelihood and its draws."""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor, nn

from course_lib.autoregressive import log_prob_per_dim, sample_sequentially
from course_lib.monte_carlo.checks import check_positive
from course_lib.pixelcnn.cached import CachedLogits
from course_lib.pixelcnn.gated import GatedBlock
from course_lib.pixelcnn.lookup import FirstBlock

Codes = Integer[Tensor, "n h w"]
Classes = Int[Tensor, " n"]


class PixelCNN(nn.Module):
    r"""p(x) of maps (H, W) of whole numbers 0, …, K−1, one after the other, row by row.

    .. math:: \log p(x \mid y) = \sum_{i, j} \log p(x_{ij} \mid x_{<ij}, y)

    The values may be the codes of a VQ-VAE, or the grey levels of an image. How far a value can
    look depends on the layers: with r = k₁//2 + (layers − 1)(k//2), it sees r + 1 values on its
    left, and in the r + 1 rows above at least r columns to each side. At the default sizes that is
    all of a map of 7 × 7 codes.

    Attributes:
        num_values: K.
        size: (H, W).
        num_classes: Number of classes y, or `None`.
        first: What the codes go into.
        blocks: The other layers.
        head: From the horizontal stack to K logits.

    Args:
        num_values: K.
        size: (H, W), at least two rows.
        width: C, channels of each stack.
        num_layers: Gated layers, the first included.
        kernel_size: k, odd, of all layers but the first.
        first_kernel_size: k₁, odd; in the first layer a large kernel costs little (see `lookup`).
        num_classes: Number of classes to condition on; `None` for none.

    Raises:
        ValueError: A size is not positive, K or H is less than 2, or a kernel size is even.

    Reference:
        Van den Oord et al. (2016), "Conditional image generation with PixelCNN decoders",
        arXiv:1606.05328; as the prior of codes: van den Oord, Vinyals and Kavukcuoglu (2017),
        section 3.3, arXiv:1711.00937.

    Example:
        >>> prior = PixelCNN(128, (7, 7), num_classes=10)
        >>> codes, y = torch.randint(128, (5, 7, 7)), torch.tensor([0, 1, 2, 3, 4])
        >>> prior.log_prob(codes, y).shape, prior.sample(5, y=y).shape
        (torch.Size([5]), torch.Size([5, 7, 7]))
    """

    def __init__(
        self,
        num_values: int,
        size: tuple[int, int],
        *,
        width: int = 64,
        num_layers: int = 5,
        kernel_size: int = 3,
        first_kernel_size: int = 7,
        num_classes: int | None = None,
    ) -> None:
        super().__init__()
        _check_sizes(num_values, size, num_layers)
        self.num_values, self.size, self.num_classes = num_values, tuple(size), num_classes
        self.first = FirstBlock(
            num_values, self.size, width, first_kernel_size, num_classes=num_classes
        )
        self.blocks = nn.ModuleList(
            GatedBlock(width, kernel_size, num_classes=num_classes) for _ in range(num_layers - 1)
        )
        self.head = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 1),
            nn.ReLU(),
            nn.Conv2d(2 * width, num_values, 1),
        )
        self.to(memory_format=torch.channels_last)

    def logits(self, codes: Codes, y: Classes | None = None) -> Float[Tensor, "n h w k"]:
        r"""Of every value given those before it, shape (N, H, W, K).

        Args:
            codes: Whole numbers in [0, K), shape (N, H, W).
            y: Classes, shape (N,), where the model has classes.

        Raises:
            ValueError: `codes` or `y` does not fit the model.
        """
        self._check_codes(codes)
        self._check_classes(y, len(codes))
        v, h = self.first(codes.long(), y)
        for block in self.blocks:
            v, h = block(v, h, y)
        return self.to_logits(h)

    def to_logits(self, h: Float[Tensor, "n c h w"]) -> Float[Tensor, "n h w k"]:
        r"""The head, with the K values last; no smaller type outlives the network."""
        return self.head(h).permute(0, 2, 3, 1).to(self.head[-1].weight.dtype)

    def log_prob_per_position(
        self, codes: Codes, y: Classes | None = None
    ) -> Float[Tensor, "n h w"]:
        r"""\log p(x_{ij} | x_{<ij}, y) in nats, shape (N, H, W)."""
        return log_prob_per_dim(self.logits(codes, y), codes)

    def log_prob(self, codes: Codes, y: Classes | None = None) -> Float[Tensor, " n"]:
        r"""The exact \log p(x | y) in nats, shape (N,)."""
        return self.log_prob_per_position(codes, y).sum((1, 2))

    @torch.no_grad()
    def sample(
        self,
        num_samples: int,
        *,
        y: Classes | None = None,
        temperature: float = 1.0,
        given: Int[Tensor, "..."] | None = None,
        known: Bool[Tensor, "h w"] | None = None,
        cached: bool = True,
        generator: torch.Generator | None = None,
    ) -> Codes:
        r"""Draw S maps, one value after the other: see `sample_sequentially`.

        Args:
            num_samples: S.
            y: Classes, shape (S,), where the model has classes.
            temperature: Divides the logits.
            given: Values to keep, of a shape that broadcasts with (S, H, W).
            known: True where `given` is kept, shape (H, W). The rest follows p(x | known values)
                only where all known values come first, such as the upper half.
            cached: Compute only what is new in each step. Without, every step runs the whole
                network; the draws are the same.
            generator: On any device.

        Returns:
            Shape (S, H, W).

        Raises:
            ValueError: An argument is out of range or does not fit the model.
        """
        check_positive(num_samples=num_samples, temperature=temperature)
        self._check_classes(y, num_samples)
        logits_fn = self._logits_fn(cached, num_samples, y, known)
        return sample_sequentially(
            logits_fn,
            self.size,
            num_samples,
            temperature=temperature,
            given=given,
            known=known,
            generator=generator,
            dtype=torch.int64,
            device=self.first.place.device,
        )

    def _logits_fn(
        self, cached: bool, num_samples: int, y: Tensor | None, known: Tensor | None
    ) -> Callable[[Tensor], Tensor]:
        if cached:
            return CachedLogits(self, num_samples, y, known)
        return lambda codes: self.logits(codes, y)

    def _check_codes(self, codes: Tensor) -> None:
        if codes.ndim != 3 or codes.shape[1:] != self.size or codes.is_floating_point():
            raise ValueError(
                f"codes have shape {tuple(codes.shape)} and type {codes.dtype}; expected whole "
                f"numbers of shape (N, {self.size[0]}, {self.size[1]})"
            )
        # on other devices, a look at the values would wait for them in every step
        if codes.device.type == "cpu" and len(codes):
            low, high = (int(end) for end in codes.aminmax())
            if not 0 <= low <= high < self.num_values:
                raise ValueError(
                    f"codes go from {low} to {high}; expected 0 to {self.num_values - 1}, as "
                    f"num_values is {self.num_values}"
                )

    def _check_classes(self, y: Tensor | None, num_points: int) -> None:
        if (y is None) != (self.num_classes is None):
            raise ValueError(
                "this model has no classes: leave out y, or build it with num_classes"
                if self.num_classes is None
                else f"y is missing; expected the class of each map, from 0 to "
                f"{self.num_classes - 1}, because the model was built with num_classes"
            )
        if y is not None and y.shape != (num_points,):
            raise ValueError(
                f"y has shape {tuple(y.shape)}; expected ({num_points},): one class for each map"
            )


def _check_sizes(num_values: int, size: tuple[int, int], num_layers: int) -> None:
    check_positive(num_layers=num_layers)
    if num_values < 2:
        raise ValueError(f"num_values is {num_values}; expected at least 2 values to choose from")
    if len(size) != 2 or size[0] < 2 or size[1] < 1:
        raise ValueError(
            f"size is {tuple(size)}; expected (H, W) with at least two rows and one column: make "
            "a single row a column"
        )
