r"""What a long training writes down along the way."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor, nn


@dataclass
class Curve:
    r"""Seconds of training and a measurement, in a file beside the checkpoint.

    After a stop the entries up to the checkpoint stay, and the seconds count on from there. The
    clock stops while the model is measured.
    """

    path: Path
    measure: Callable[[nn.Module], dict]
    every: int
    entries: list[dict] = field(init=False)
    since: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.entries = [json.loads(line) for line in lines]

    def __call__(self, step: int, model: nn.Module, value: Tensor) -> None:
        if self.since is None:  # the first step after a start: forget what came after it
            self.entries = [entry for entry in self.entries if entry["step"] < step]
            self.since = time.perf_counter()
        if step % self.every:
            return
        before = self.entries[-1]["seconds"] if self.entries else 0.0
        seconds = before + time.perf_counter() - self.since
        self.entries.append({"step": step, "seconds": round(seconds, 1)} | self.measure(model))
        self.path.write_text("".join(json.dumps(one) + "\n" for one in self.entries))
        print(f"  {self.entries[-1]}", flush=True)
        self.since = time.perf_counter()
