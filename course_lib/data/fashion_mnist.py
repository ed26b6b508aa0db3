r"""Fashion-MNIST: 70 000 grey pictures of clothes, or the 12 000 that come with the package."""

import functools
import os
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from course_lib.data.download import fetch_file, user_cache
from course_lib.data.idx import DataError, find_idx, read_idx
from course_lib.data.image_set import ImageSet
from course_lib.data.split import check_split

LABEL_NAMES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
DATA_VARIABLE = "COURSE_DATA"
ONLY_BUNDLED = "bundled"  # value of the variable that hides every full set
FOLDER_NAME = "fashion-mnist"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")
BUNDLED_FOLDER = "fashion_mnist_subset"
ADDRESSES = (
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)


@dataclass(frozen=True, kw_only=True)
class File:
    r"""One of the four published files, and the checksums that tell it from any other.

    Attributes:
        name: Without the `.gz`.
        contents: SHA-256 after unpacking; Debian's file is packed anew, but holds the same.
        published: SHA-256 of the publisher's `.gz`.
        bundled: SHA-256, after unpacking, of the file of this name in the package.
    """

    name: str
    contents: str
    published: str
    bundled: str


FILES = {
    "train": (
        File(
            name="train-images-idx3-ubyte",
            contents="c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            published="3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            bundled="d80e287671da136117b69edf7340f0f78b292f107fbcbd5cf220ca43a62d85cc",
        ),
        File(
            name="train-labels-idx1-ubyte",
            contents="bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            published="a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            bundled="efbef60c92e54df5f53324f42c3cd05f876d67ec39ca5eb8a0d41994545197e9",
        ),
    ),
    "test": (
        File(
            name="t10k-images-idx3-ubyte",
            contents="5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            published="346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            bundled="26904d7faa0ab6b2d01e73053459b1a259977d0321cd52aecf3456c7cd8e14ab",
        ),
        File(
            name="t10k-labels-idx1-ubyte",
            contents="0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            published="67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            bundled="f4569b99a70c6418aefaaf858b1d541dc2df3b6f9530f1b3976611501dcbaf37",
        ),
    ),
}


def fashion_mnist(split: str = "train", *, fetch: bool = False) -> ImageSet:
    r"""Fashion-MNIST: ten kinds of clothes, 28 x 28 grey values, from the best source there is.

    The full set, 60 000 + 10 000 images, if one of these has it, in this order: the folder
    `fashion-mnist` of the folder that the environment variable `COURSE_DATA` names; the Debian
    package dataset-fashion-mnist; the user's cache; the publisher, but only if asked to fetch.
    Else the 10 000 + 2 000 images that come with the package, with one printed line that says so.
    `COURSE_DATA=bundled` leaves out everything but these.

    Every class has the same number of images in both splits of both sets, no image is there
    twice, and none is in train and test.

    Args:
        split: "train" or "test".
        fetch: Download the full set (30 MB, once) if no other source has it.

    Returns:
        The images, shape (N, 1, 28, 28), in the order of the published files, with their classes.
        `source` says which images these are.

    Raises:
        ValueError: `split` is neither.
        DataError: A file is damaged or not the published one; or it cannot be downloaded or kept.

    Reference:
        Xiao, Rasul and Vollgraf (2017), "Fashion-MNIST: a Novel Image Dataset for Benchmarking
        Machine Learning Algorithms", arXiv:1708.07747. MIT licence, copyright Zalando SE.

    Example:
        >>> data = fashion_mnist("test")  # doctest: +SKIP
        >>> data.images.shape, data.label_names[data.labels[0]]  # doctest: +SKIP
        (torch.Size([10000, 1, 28, 28]), 'Ankle boot')
    """
    check_split(split)
    folder, where = _full_set(split)
    if fetch and folder in (None, _cache()):  # the cached files are checked, and got again if bad
        for file in FILES[split]:
            urls = [f"{address}{file.name}.gz" for address in ADDRESSES]
            fetch_file(urls, _cache(), file.published)
        folder, where = _cache(), "the user's cache"
    if folder is None:
        _announce_subset()
        return _read(split, _bundled(), "bundled with the package", full=False)
    return _read(split, folder, where, full=True)


def full_set_source() -> str | None:
    r"""Where the full set would be read from, in words; None if only the subset is there."""
    sources = [_full_set(split)[1] for split in FILES]
    return sources[0] if all(sources) else None


def _full_set(split: str) -> tuple[Path | None, str]:
    for folder, where in _sources():
        if all(find_idx(folder, file.name) for file in FILES[split]):
            return folder, where
    return None, ""


def _sources() -> list[tuple[Path, str]]:
    chosen = os.environ.get(DATA_VARIABLE)
    if chosen == ONLY_BUNDLED:
        return []
    own = []
    if chosen:
        if not Path(chosen).is_dir():
            raise DataError(
                f"the environment variable {DATA_VARIABLE} is {chosen!r}, which is no folder; "
                f"expected the folder that holds {FOLDER_NAME}/, or {ONLY_BUNDLED!r}; or unset it"
            )
        own = [(Path(chosen) / FOLDER_NAME, f"the folder {DATA_VARIABLE}")]
    debian = (DEBIAN_FOLDER, "the Debian package dataset-fashion-mnist")
    return [*own, debian, (_cache(), "the user's cache")]


def _cache() -> Path:
    return user_cache() / FOLDER_NAME


def _bundled() -> Path:
    return Path(str(resources.files("course_lib.data"))) / BUNDLED_FOLDER


@functools.cache  # once a process is enough
def _announce_subset() -> None:
    print(
        "Fashion-MNIST: only the bundled subset (10000 + 2000 images) is here, so numbers will "
        "differ a little; `python -m course_lib.data fetch fashion_mnist` gets all."
    )


def _read(split: str, folder: Path, where: str, *, full: bool) -> ImageSet:
    arrays = []
    for file, num_axes in zip(FILES[split], (3, 1), strict=True):
        path = find_idx(folder, file.name) or folder / f"{file.name}.gz"
        checksum = file.contents if full else file.bundled
        arrays.append(read_idx(path, num_axes=num_axes, sha256=checksum))
    images, labels = arrays
    which = f"all {len(labels)}" if full else f"{len(labels)} of the published"
    return ImageSet(
        images=images[:, None],
        labels=labels.long(),
        label_names=LABEL_NAMES,
        source=f"Fashion-MNIST, {which} {split} images, from {where}",
    )
