r"""CelebA, for those who have it: photographs of faces with forty attributes."""

from pathlib import Path

import torch
from jaxtyping import Bool
from torch import Tensor

from course_lib.data.idx import DataError
from course_lib.data.image_set import AttributeSet
from course_lib.data.pictures import check_folder, read_pictures
from course_lib.data.split import check_split

PARTITIONS = {"train": "0", "valid": "1", "test": "2"}
PICTURE_SIZE = (178, 218)
CROP = (15, 35, 163, 183)  # left, top, right, bottom: the 148 x 148 pixels in the middle
LABEL = "Smiling"
IMAGES, ATTRIBUTES, PARTITION = (
    *("img_align_celeba", "list_attr_celeba.txt", "list_eval_partition.txt"),
)
PUBLISHED_FOLDERS = {IMAGES: "Img", ATTRIBUTES: "Anno", PARTITION: "Eval"}


def celeba(
    root: str | Path, split: str = "train", *, size: int = 64, num_images: int | None = None
) -> AttributeSet:
    r"""Aligned and cropped faces of celebrities, with forty attributes that are there or not.

    Args:
        root: The folder that holds `img_align_celeba/` (the unpacked archive),
            `list_attr_celeba.txt` and `list_eval_partition.txt`, or the published folders `Img`,
            `Anno` and `Eval` with these.
        split: "train" (162 770 images), "valid" (19 867) or "test" (19 962), as published.
        size: Of the pictures in pixels: the 148 x 148 in the middle are resized to this.
        num_images: Only the first so many; None for all (64 pixels: 2 GB and some minutes).

    Returns:
        The pictures, shape (N, 3, size, size), with the published names of the attributes. The
        label is 1 where "Smiling" holds.

    Raises:
        ValueError: `split` is none of the three, or a number is out of range.
        DataError: A file is missing or damaged, or the lists do not agree.

    Reference:
        Liu, Luo, Wang and Tang (2015), "Deep Learning Face Attributes in the Wild", ICCV,
        arXiv:1411.7766. For non-commercial research only.

    Example:
        >>> data = celeba("my_data/celeba", "test", num_images=1000)  # doctest: +SKIP
    """
    check_split(split, tuple(PARTITIONS))
    if size < 1 or (num_images is not None and num_images < 1):
        raise ValueError(f"size={size} and num_images={num_images}; expected at least 1 of each")
    root = Path(root)
    names = _names_of_split(_find(root, PARTITION), split)[:num_images]
    attribute_names, attributes = _read_attributes(_find(root, ATTRIBUTES), names)
    folder = check_folder(_find(root, IMAGES), "the unpacked archive img_align_celeba.zip")

    def prepare(picture):
        if picture.size != PICTURE_SIZE:
            raise ValueError(f"it has {picture.size} pixels, not {PICTURE_SIZE} (aligned, cropped)")
        return picture.convert("RGB").crop(CROP).resize((size, size), BILINEAR)

    return AttributeSet(
        images=read_pictures([folder / name for name in names], prepare, 3, size),
        labels=attributes[:, attribute_names.index(LABEL)].long(),
        label_names=(f"not {LABEL.lower()}", LABEL.lower()),
        attributes=attributes,
        attribute_names=attribute_names,
        source=f"CelebA, {len(names)} {split} images, from your own files",
    )


BILINEAR = 2  # Pillow's filter; it averages when it makes a picture smaller


def _find(root: Path, name: str) -> Path:
    candidates = (root / name, root / PUBLISHED_FOLDERS[name] / name)
    for path in candidates:
        if path.exists():
            return path
    raise DataError(f"there is no {name} in {root}, nor in its folder {PUBLISHED_FOLDERS[name]}")


def _names_of_split(path: Path, split: str) -> list[str]:
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    if not all(len(row) == 2 and row[1] in PARTITIONS.values() for row in rows):
        raise DataError(f"{path} is damaged; expected lines like `000001.jpg 0`, ending in 0, 1, 2")
    if len({name for name, _ in rows}) != len(rows):
        raise DataError(f"{path} is damaged: it names a picture twice, so splits could overlap")
    names = [name for name, partition in rows if partition == PARTITIONS[split]]
    if not names:
        raise DataError(f"{path} has no picture of {split} (lines that end in {PARTITIONS[split]})")
    return names


def _read_attributes(path: Path, wanted: list[str]) -> tuple[tuple[str, ...], Bool[Tensor, "N A"]]:
    count, header, *rows = [*path.read_text().splitlines(), "", ""]
    names = tuple(header.split())
    values = {name: numbers for name, *numbers in map(str.split, filter(str.strip, rows))}
    if LABEL not in names or not count.strip().isdigit() or len(values) != int(count):
        raise DataError(
            f"{path} is damaged: its first line says {count!r}, it has {len(values)} lines of "
            f"values and {len(names)} names of attributes; get it again"
        )
    if missing := [name for name in wanted if len(values.get(name, ())) != len(names)]:
        raise DataError(
            f"{path} lacks the {len(names)} attributes of {len(missing)} pictures, the first "
            f"{missing[0]}; get it again"
        )
    table = torch.tensor([[int(v) for v in values[name]] for name in wanted], device="cpu")
    return names, table == 1
