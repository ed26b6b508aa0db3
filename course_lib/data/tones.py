r"""Sound-like signals in one dimension: tones of known frequency, phase, amplitude and timbre."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from course_lib.data.image_set import Takes
from course_lib.data.split import SPLITS, split_seed

SAMPLE_RATE = 8000.0  # Hz, as on the telephone
LOWEST, HIGHEST = 100.0, 400.0  # Hz, of the fundamental; the third harmonic stays under 4000 Hz
FREQUENCY_STEPS = 2**20  # frequencies lie on a lattice, every other point for train
AMPLITUDES = (0.4, 1.0)
NUM_HARMONICS = 3


@dataclass(frozen=True, kw_only=True, eq=False)
class ToneSet(Takes):
    r"""Tones, and everything that made them.

    Attributes:
        signals: Values between -1 and 1, one sample after the other, shape (N, T).
        frequency: Of the fundamental, in Hz, shape (N,).
        phase: Of the fundamental at the first sample, in radians from 0 to 2 pi, shape (N,).
        amplitude: Largest value that the signal could reach, shape (N,).
        harmonics: Share of each harmonic in the amplitude; the rows sum to 1, shape (N, 3).
        sample_rate: Samples per second.
        source: One sentence: which signals, how many.
    """

    signals: Float[Tensor, "N T"]
    frequency: Float[Tensor, " N"]
    phase: Float[Tensor, " N"]
    amplitude: Float[Tensor, " N"]
    harmonics: Float[Tensor, "N H"]
    sample_rate: float
    source: str

    def __post_init__(self) -> None:
        self._check()

    def __repr__(self) -> str:
        return f"ToneSet({len(self)} signals of {self.signals.shape[1]} samples; {self.source})"

    def time(self) -> Float[Tensor, " T"]:
        r"""When each sample was taken, in seconds from the first."""
        count = torch.arange(self.signals.shape[1], device=self.signals.device)
        return count.to(self.signals.dtype) / self.sample_rate


def tones(
    num_signals: int, *, split: str = "train", num_samples: int = 256, seed: int = 0
) -> ToneSet:
    r"""Tones with two overtones, sampled 8000 times a second.

    With the share h_k of the k-th harmonic (h_1 + h_2 + h_3 = 1), sample t of a signal is

        x_t = a sum_k h_k sin(k (2 pi f t / rate + phi)).

    f is uniform between 100 and 400 Hz, phi between 0 and 2 pi, a between 0.4 and 1; the shares are
    those of 1, u and v for u uniform between 0 and 0.8 and v between 0 and 0.4. So a signal has 5
    degrees of freedom, whatever its length. Train and test share no frequency, and so no signal.

    Args:
        num_signals: How many, N. The first of many are the same as few with the same seed.
        split: "train" or "test".
        num_samples: Length T of each signal; 256 samples last 32 ms, 3 to 13 periods.
        seed: 0 or a positive whole number.

    Returns:
        Signals and what made them, all float32.

    Raises:
        ValueError: A number is out of range, or `split` is neither.

    Example:
        >>> data = tones(100)
        >>> data.signals.shape, data.harmonics.shape
        (torch.Size([100, 256]), torch.Size([100, 3]))
    """
    if num_signals < 1 or num_samples < 1:
        raise ValueError(
            f"num_signals={num_signals} and num_samples={num_samples}; expected at least 1 of each"
        )
    generator = torch.Generator().manual_seed(split_seed(split, seed))
    draws = torch.rand(
        num_signals, 5, generator=generator, dtype=torch.float64, device=torch.device("cpu")
    )
    step = 2 * (draws[:, 0] * FREQUENCY_STEPS).floor() + SPLITS.index(split)
    frequency = LOWEST + (HIGHEST - LOWEST) * step / (2 * FREQUENCY_STEPS)
    phase = 2 * math.pi * draws[:, 1]
    amplitude = AMPLITUDES[0] + (AMPLITUDES[1] - AMPLITUDES[0]) * draws[:, 2]
    weights = torch.stack([torch.ones_like(phase), 0.8 * draws[:, 3], 0.4 * draws[:, 4]], 1)
    harmonics = weights / weights.sum(1, keepdim=True)
    loudness = (amplitude[:, None] * harmonics).float()
    signals = _render(frequency, phase.float(), loudness, num_samples)
    return ToneSet(
        signals=signals,
        frequency=frequency.float(),
        phase=phase.float(),
        amplitude=amplitude.float(),
        harmonics=harmonics.float(),
        sample_rate=SAMPLE_RATE,
        source=f"{num_signals} tones ({split}), rendered with seed {seed}",
    )


def _render(
    frequency: Float[Tensor, " N"],
    phase: Float[Tensor, " N"],
    loudness: Float[Tensor, "N H"],
    num_samples: int,
) -> Float[Tensor, "N T"]:
    # the angle grows with t: in double precision, then back to one turn
    time = torch.arange(num_samples, dtype=torch.float64, device=frequency.device) / SAMPLE_RATE
    turns = (frequency[:, None] * time).frac_().float()
    angle = turns.mul_(2 * math.pi).add_(phase[:, None])
    signals = torch.zeros_like(angle)
    for k in range(1, NUM_HARMONICS + 1):
        signals += loudness[:, k - 1, None] * (k * angle).sin_()
    return signals
