r"""What the benchmarks of autoencoders share: all of Fashion-MNIST, and a way to train on it."""

import time
from collections.abc import Callable

from torch import Tensor, nn

from course_lib import data
from course_lib.training import TrainSettings, train

SEED, BATCH, LEARNING_RATE = 0, 128, 2e-3
TRAIN_IMAGES, TEST_IMAGES, DIM = 60_000, 10_000, 784


def images(split: str) -> data.ImageSet:
    r"""Fashion-MNIST, all of it: the bundled subset would give other numbers."""
    found = data.fashion_mnist(split)
    expected = TRAIN_IMAGES if split == "train" else TEST_IMAGES
    if len(found) != expected:
        raise SystemExit(
            f"given {len(found)} {split} images; expected all {expected}: install the package "
            "dataset-fashion-mnist or fetch the set with python -m course_lib.data"
        )
    return found


def fit(
    model: nn.Module,
    loss_fn: Callable,
    x: Tensor,
    epochs: float,
    *,
    batch_size: int = BATCH,
    learning_rate: float = LEARNING_RATE,
    seed: int = SEED,
    **options,
) -> float:
    r"""Train; the seconds that it took."""
    steps = max(1, round(epochs * (len(x) // batch_size)))
    settings = TrainSettings(
        num_steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        seed=seed,
        accelerator="cpu",
        **options,
    )
    begin = time.perf_counter()
    train(model, loss_fn, (x,), settings)
    return time.perf_counter() - begin
