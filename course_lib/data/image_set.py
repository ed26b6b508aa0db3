r"""What the loaders return: images, what is known about them, and where they come from."""

import dataclasses
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor

WHITE = 255
Own = TypeVar("Own", bound="Takes")  # what a set gives is of its own type


class Takes:
    r"""Length and subsets of a dataclass whose tensors all have one row per example."""

    def __len__(self) -> int:
        return min(len(value) for _, value in self._rows())

    def take(self: Own, index: Int[Tensor, " K"] | Bool[Tensor, " N"] | slice | list[int]) -> Own:
        r"""The examples at an index: everything that is known about them comes along.

        Args:
            index: Numbers of examples, in any order and with repeats; or a mask, True for those
                to keep; or a slice.

        Returns:
            A set of the same type.

        Raises:
            ValueError: `index` is a single number.
            IndexError: A number or the mask does not fit the number of examples.
        """
        if not isinstance(index, slice):
            index = torch.as_tensor(index, device=self._rows()[0][1].device)
            if index.ndim != 1:
                raise ValueError(
                    f"index has {index.ndim} axes; expected one: a list of numbers, a mask or a "
                    "slice (for one example write take([i]))"
                )
            index = index if index.numel() else index.long()  # an empty list has no type of its own
        return dataclasses.replace(self, **{name: value[index] for name, value in self._rows()})

    def _rows(self) -> list[tuple[str, Tensor]]:
        named = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return [(name, value) for name, value in named if isinstance(value, Tensor)]

    def _check(self) -> None:
        lengths = {name: len(value) for name, value in self._rows()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"the rows differ in number: {lengths}; expected one row per example")


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageSet(Takes):
    r"""Images with one class each.

    Attributes:
        images: Grey (C = 1) or colour (C = 3) values from 0 (black) to 255, shape (N, C, H, W).
        labels: The class of each image, an index into `label_names`, shape (N,).
        label_names: The names of the classes.
        source: One sentence: which files, how many images.

    Raises:
        ValueError: The numbers of images and labels differ, or a label has no name.

    Example:
        >>> from course_lib.data import parts
        >>> data = parts(100)
        >>> len(data), data.flat().shape, data.take([3, 5]).grid().shape
        (100, torch.Size([100, 1024]), torch.Size([2, 1, 32, 32]))
    """

    images: UInt8[Tensor, "N C H W"]
    labels: Int[Tensor, " N"]
    label_names: tuple[str, ...]
    source: str

    def __post_init__(self) -> None:
        self._check()
        if len(self.labels) and not 0 <= self.labels.min() <= self.labels.max() < len(
            self.label_names
        ):
            raise ValueError(
                f"labels go from {self.labels.min()} to {self.labels.max()}; expected indices into "
                f"the {len(self.label_names)} label_names"
            )

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.images.shape[1:]))
        return f"{type(self).__name__}({len(self)} images of {shape}; {self.source})"

    def flat(self, dtype: torch.dtype = torch.float32) -> Float[Tensor, "N D"]:
        r"""One row for each image, values from 0 (black) to 1: channels, then lines."""
        return self.grid(dtype).flatten(1)

    def grid(self, dtype: torch.dtype = torch.float32) -> Float[Tensor, "N C H W"]:
        r"""The images with values from 0 (black) to 1.

        Args:
            dtype: A floating-point type.

        Raises:
            ValueError: `dtype` is not a floating-point type.
        """
        if not dtype.is_floating_point:
            raise ValueError(
                f"dtype is {dtype}; expected a floating-point type such as torch.float32: values "
                "are scaled to [0, 1] (the whole numbers from 0 to 255 are in .images)"
            )
        return self.images.to(dtype).div_(WHITE)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FactorSet(ImageSet):
    r"""Images whose every cause is known: image n shows the values `factors[n]`.

    Attributes:
        factors: One index per factor, from 0 to its size less 1, shape (N, F).
        factor_names: The names of the F factors.
        factor_sizes: How many values each of them takes.
    """

    factors: Int[Tensor, "N F"]
    factor_names: tuple[str, ...]
    factor_sizes: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AttributeSet(ImageSet):
    r"""Images with attributes that are there or not, such as a smile.

    Attributes:
        attributes: True where image n has attribute a, shape (N, A).
        attribute_names: The names of the A attributes.
    """

    attributes: Bool[Tensor, "N A"]
    attribute_names: tuple[str, ...]

    def attribute(self, name: str) -> Bool[Tensor, " N"]:
        r"""Which images have the attribute of this name, shape (N,).

        Raises:
            ValueError: There is no such attribute.
        """
        if name not in self.attribute_names:
            raise ValueError(
                f"there is no attribute {name!r}; expected one of {', '.join(self.attribute_names)}"
            )
        return self.attributes[:, self.attribute_names.index(name)]
