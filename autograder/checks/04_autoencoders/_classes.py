"""Labelled codes for the exercises on probes and clusters."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Split:
    """Labelled codes to learn from, and codes to predict the labels of."""

    codes: Tensor
    labels: Tensor
    test_codes: Tensor
    test_labels: Tensor

    def mapped(self, scale: Tensor, shift: Tensor) -> "Split":
        """The same in other units, column by column."""
        return Split(
            self.codes * scale + shift,
            self.labels,
            self.test_codes * scale + shift,
            self.test_labels,
        )

    def accuracy(self, predicted: Tensor) -> float:
        return (predicted == self.test_labels).double().mean().item()


def draw_rotation(rng: np.random.Generator, dim: int) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(dim, dim)))[0]


def draw_names(rng: np.random.Generator, num_classes: int) -> np.ndarray:
    """Labels are whole numbers in no order, two of them neighbours, some negative."""
    first = rng.integers(-18, -2)
    return rng.permutation([first, first + 1, *(first + rng.integers(20, 25, num_classes - 2))])


def _draw_unequal(num_classes: int, count: int) -> np.ndarray:
    """Kinds of so many points: the first is the most frequent by far, the others alike."""
    few = np.arange(count // 4) % (num_classes - 1) + 1
    return np.concatenate((few, np.zeros(count - len(few), dtype=few.dtype)))


def draw_tilted(rng: np.random.Generator, num_classes: int, counts: tuple[int, int]) -> Split:
    """Classes that tilted planes separate; a large scatter hides them from their own means."""
    dim = num_classes + 2
    names = draw_names(rng, num_classes)
    mixing = draw_rotation(rng, dim)
    sign = rng.choice([-1.0, 1.0], size=(2, num_classes))
    parts = []
    for count in counts:
        kinds = rng.permutation(_draw_unequal(num_classes, count))
        hidden = 5.0 * rng.normal(size=(count, 2))
        shown = 6.0 * np.eye(num_classes)[kinds] + rng.normal(size=(count, num_classes))
        latent = np.concatenate((shown + hidden @ sign, hidden), 1)
        parts += [torch.from_numpy(latent @ mixing.T), torch.from_numpy(names[kinds])]
    return Split(*parts)
