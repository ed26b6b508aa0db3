r"""Train and test: names, and images that cannot be in both."""

from jaxtyping import UInt8
from torch import Tensor

SPLITS = ("train", "test")


def check_split(split: str, names: tuple[str, ...] = SPLITS) -> None:
    r"""Raise a ValueError unless `split` is one of the names."""
    if split not in names:
        raise ValueError(f"split is {split!r}; expected one of {', '.join(map(repr, names))}")


def split_seed(split: str, seed: int) -> int:
    r"""A seed for the draws of this split: another stream for each split and each seed.

    Raises:
        ValueError: `split` is neither "train" nor "test", or `seed` is negative.
    """
    check_split(split)
    if seed < 0:
        raise ValueError(f"seed is {seed}; expected 0 or a positive whole number")
    return len(SPLITS) * seed + SPLITS.index(split)


def mark_split(images: UInt8[Tensor, "N C H W"], split: str) -> UInt8[Tensor, "N C H W"]:
    r"""Write the split into the last bit of each image's first value, in place.

    It is even in train and odd in test, a change by at most one grey level out of 255 in one
    corner. So no image can be in both splits, whatever the seeds and however many are drawn.
    """
    first = images[:, 0, 0, 0]
    first.bitwise_and_(254).bitwise_or_(SPLITS.index(split))
    return images
