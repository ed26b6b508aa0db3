r"""A machine without Fashion-MNIST, and small files in the published layout."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from course_lib.data.idx import write_idx


@pytest.fixture
def module() -> ModuleType:
    r"""course_lib.data.fashion_mnist, the module: the function of that name hides it."""
    return importlib.import_module("course_lib.data.fashion_mnist")


@pytest.fixture
def nothing_installed(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Path]:
    r"""A machine with no full Fashion-MNIST; gives the folder of its empty user cache."""
    cache = tmp_path / "user cache"
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setattr(module, "DEBIAN_FOLDER", tmp_path / "no such package")
    monkeypatch.setattr(module, "user_cache", lambda: cache)
    module._announce_subset.cache_clear()
    yield cache
    module._announce_subset.cache_clear()


@pytest.fixture
def write_four_files():
    r"""Write a tiny set in the four files of MNIST; every image is all of one value."""

    def write(folder: Path, *, suffix: str = ".gz") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for prefix, values in (("train", range(1, 13)), ("t10k", range(101, 105))):
            values = torch.tensor(values, dtype=torch.uint8, device="cpu")
            images = values[:, None, None].expand(-1, 28, 28).contiguous()
            write_idx(folder / f"{prefix}-images-idx3-ubyte{suffix}", images)
            write_idx(folder / f"{prefix}-labels-idx1-ubyte{suffix}", values % 10)

    return write
