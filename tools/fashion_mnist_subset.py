"""Choose the Fashion-MNIST images that come with the package.

Reads the full set, wherever `course_lib.data` finds it, and writes the same bytes every time: of
each class 1 000 training and 200 test images, drawn with a fixed seed, in their published order.
Duplicates, of which the full set has none, would be left out: no image is drawn twice, and none of
the test images is drawn if it is also in the training set. Ends by printing the checksums that
course_lib/data/fashion_mnist.py must hold.
"""

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from course_lib.data import ImageSet, fashion_mnist
from course_lib.data.fashion_mnist import FILES, full_set_source
from course_lib.data.idx import write_idx

TARGET = Path(__file__).resolve().parents[1] / "course_lib" / "data" / "fashion_mnist_subset"
PER_CLASS = {"train": 1000, "test": 200}
SEED = 0


def first_of_each(images: Tensor, seen: set[bytes]) -> Tensor:
    """Numbers of the images that are not in `seen`, which grows by them."""
    fresh = []
    for number, image in enumerate(images.flatten(1).numpy()):
        if (pixels := image.tobytes()) not in seen:
            seen.add(pixels)
            fresh.append(number)
    return torch.tensor(fresh)


def draw(labels: Tensor, candidates: Tensor, per_class: int) -> Tensor:
    """Equally many numbers of each class, in rising order."""
    generator = torch.Generator().manual_seed(SEED)
    shuffled = candidates[torch.randperm(len(candidates), generator=generator)]
    chosen = [shuffled[labels[shuffled] == label][:per_class] for label in range(10)]
    if any(len(numbers) < per_class for numbers in chosen):
        raise SystemExit(f"Fewer than {per_class} different images in a class.")
    return torch.cat(chosen).sort().values


def choose() -> Iterator[tuple[str, ImageSet]]:
    """For each split the images that come with the package."""
    seen: set[bytes] = set()
    for split, per_class in PER_CLASS.items():
        data = fashion_mnist(split)
        yield split, data.take(draw(data.labels, first_of_each(data.images, seen), per_class))


def main() -> None:
    if full_set_source() is None:
        raise SystemExit("The full set is not here: python -m course_lib.data fetch fashion_mnist")
    TARGET.mkdir(exist_ok=True)
    for split, data in choose():
        arrays = (data.images[:, 0], data.labels.byte())
        for file, array in zip(FILES[split], arrays, strict=True):
            path = TARGET / f"{file.name}.gz"
            write_idx(path, array)
            packed = path.read_bytes()
            contents = hashlib.sha256(gzip.decompress(packed)).hexdigest()
            print(f"{path.name}  {len(packed)} bytes, contents {contents}")


if __name__ == "__main__":
    main()
