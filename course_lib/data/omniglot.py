r"""Omniglot, for those who have it: letters of fifty alphabets, each drawn by twenty people."""

from pathlib import Path

import torch

from course_lib.data.idx import DataError
from course_lib.data.image_set import ImageSet
from course_lib.data.pictures import check_folder, read_pictures
from course_lib.data.split import check_split

FOLDERS = {"train": "images_background", "test": "images_evaluation"}
NATIVE_SIZE = 105


def omniglot(root: str | Path, split: str = "train", *, size: int = NATIVE_SIZE) -> ImageSet:
    r"""Handwritten characters from the unpacked archives `images_background` and `_evaluation`.

    Args:
        root: The folder that holds `images_background/` (for train, 30 alphabets) and
            `images_evaluation/` (for test, the 20 others), with a folder for each alphabet, in it
            one for each character, in it one PNG file for each drawing.
        split: "train" or "test"; they share no alphabet.
        size: Of the pictures in pixels: 105 as published, or smaller, averaged; 28 is usual.

    Returns:
        The drawings, shape (N, 1, size, size), white ink on black (the files have black on white),
        ordered by name. A label is a character, named like "Greek/character05".

    Raises:
        ValueError: `split` is neither, or `size` is out of range.
        DataError: A folder or a file is missing or damaged, or an alphabet is in both splits.

    Reference:
        Lake, Salakhutdinov and Tenenbaum (2015), "Human-level concept learning through
        probabilistic program induction", Science 350.

    Example:
        >>> data = omniglot("my_data/omniglot", "test", size=28)  # doctest: +SKIP
    """
    check_split(split)
    if not 1 <= size <= NATIVE_SIZE:
        raise ValueError(f"size is {size}; expected 1 to {NATIVE_SIZE} pixels")
    _check_alphabets(Path(root))
    folder = check_folder(Path(root) / FOLDERS[split], "the unpacked archive of that name")
    paths = sorted(folder.glob("*/*/*.png"))
    if not paths:
        raise DataError(f"there are no drawings in {folder}; expected ALPHABET/CHARACTER/*.png")
    characters = [path.parent.relative_to(folder).as_posix() for path in paths]
    names = tuple(dict.fromkeys(characters))
    number = {name: k for k, name in enumerate(names)}

    def prepare(picture):
        if picture.size != (NATIVE_SIZE, NATIVE_SIZE):
            raise ValueError(f"it has {picture.size} pixels, not {NATIVE_SIZE} x {NATIVE_SIZE}")
        grey = picture.convert("L")
        return grey if size == NATIVE_SIZE else grey.resize((size, size), BOX)

    images = read_pictures(paths, prepare, 1, size)
    return ImageSet(
        images=images.bitwise_not_(),
        labels=torch.tensor([number[name] for name in characters], device="cpu"),
        label_names=names,
        source=f"Omniglot, {len(paths)} drawings of {len(names)} characters ({split}), from your "
        "own files",
    )


BOX = 4  # Pillow's filter that averages


def _check_alphabets(root: Path) -> None:
    train, test = ({p.name for p in (root / name).glob("*/")} for name in FOLDERS.values())
    if both := sorted(train & test):
        raise DataError(
            f"{', '.join(both)} is in both {' and '.join(FOLDERS.values())} of {root}; each "
            "alphabet belongs to one: unpack the published archives again"
        )
