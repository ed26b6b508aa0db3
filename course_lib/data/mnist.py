r"""MNIST, for those who have its four files."""

from pathlib import Path

from course_lib.data.idx import DataError, find_idx, read_idx
from course_lib.data.image_set import ImageSet
from course_lib.data.split import check_split

PREFIXES = {"train": "train", "test": "t10k"}


def mnist(root: str | Path, split: str = "train") -> ImageSet:
    r"""Handwritten digits, 28 x 28 grey values, from the files as published.

    Args:
        root: The folder with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
            `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, each plain or as `.gz`.
        split: "train" (60 000 images) or "test" (10 000).

    Returns:
        The images, shape (N, 1, 28, 28), white ink on black, in the order of the files.

    Raises:
        ValueError: `split` is neither.
        DataError: A file is missing or damaged, or they do not belong together.

    Reference:
        LeCun, Bottou, Bengio and Haffner (1998), "Gradient-Based Learning Applied to Document
        Recognition", Proceedings of the IEEE 86(11).

    Example:
        >>> data = mnist("my_data/mnist", "test")  # doctest: +SKIP
    """
    check_split(split)
    arrays = []
    for kind, num_axes in (("images-idx3", 3), ("labels-idx1", 1)):
        name = f"{PREFIXES[split]}-{kind}-ubyte"
        path = find_idx(Path(root), name)
        if path is None:
            raise DataError(
                f"there is neither {name}.gz nor {name} in {root}; expected the folder of MNIST's "
                "four files as published"
            )
        arrays.append(read_idx(path, num_axes=num_axes))
    images, labels = arrays
    if len(images) != len(labels) or images.shape[1:] != (28, 28) or (labels > 9).any():
        raise DataError(
            f"the files in {root} hold {len(labels)} labels up to {int(labels.max())} and images "
            f"of shape {tuple(images.shape)}; expected labels 0 to 9 for as many images of 28 x 28"
        )
    return ImageSet(
        images=images[:, None],
        labels=labels.long(),
        label_names=tuple("0123456789"),
        source=f"MNIST, {len(labels)} {split} images, from your own files",
    )
