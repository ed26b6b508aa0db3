r"""One training loop for the whole course, on Lightning Fabric.

`train` minimises a loss by Adam on tensors that stay on the device. Device, precision and the number of devices are
settings. With a checkpoint path, a run that was stopped continues where its last checkpoint left it and ends with the
same parameters, bit for bit, as a run that was never stopped: whatever is drawn in step t depends on the seed and on t
alone.
"""

import math
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from lightning_fabric import Fabric
from torch import Tensor, nn
from tqdm import tqdm

LossFn = Callable[..., Tensor]
Callback = Callable[[int, nn.Module, Tensor], None]

FORMAT = "course_lib.training/1"
STEPS_PER_REPORT = 50


def constant(progress: float) -> float:
    r"""The schedule that keeps the learning rate."""
    return 1.0


def cosine(progress: float) -> float:
    r"""The schedule from 1 at the start to 0 at the end, along half a cosine.

    Example:
        >>> [cosine(progress) for progress in (0.0, 0.5, 1.0)]
        [1.0, 0.5, 0.0]
    """
    return 0.5 * (1.0 + math.cos(math.pi * progress))


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    r"""What `train` needs to know.

    Attributes:
        num_steps: The step at which training ends.
        batch_size: Points per step, over all devices; `None` takes all points every step.
        learning_rate: Of Adam, before the schedule.
        schedule: From the fraction of steps done, in [0, 1), to a factor on the learning rate.
        seed: Decides the order of the data and everything the model draws.
        accelerator: "cpu", "cuda", "mps", or "auto" for the best there is.
        devices: How many of them.
        precision: As in Fabric: "32-true", "64-true", "bf16-mixed", …
        checkpoint: The file to resume from, where it exists, and to write; `None` writes nothing.
        checkpoint_every: Steps between two checkpoints.
        progress: Show a progress bar on stderr.
    """

    num_steps: int = 1000
    batch_size: int | None = None
    learning_rate: float = 1e-3
    schedule: Callable[[float], float] = constant
    seed: int = 0
    accelerator: str = "auto"
    devices: int = 1
    precision: str = "32-true"
    checkpoint: Path | None = None
    checkpoint_every: int = 500
    progress: bool = True

    def __post_init__(self) -> None:
        counts = {
            "num_steps": self.num_steps,
            "batch_size": 1 if self.batch_size is None else self.batch_size,
            "devices": self.devices,
            "checkpoint_every": self.checkpoint_every,
        }
        for name, count in counts.items():
            if count < 1:
                raise ValueError(f"{name} is {count}; expected at least 1")
        if not 0.0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate is {self.learning_rate}; expected a positive number")


def train(
    model: nn.Module,
    loss_fn: LossFn,
    data: tuple[Tensor, ...],
    settings: TrainSettings,
    *,
    callback: Callback | None = None,
) -> Float[Tensor, " steps"]:
    r"""Minimise the mean of `loss_fn(model, *batch)` over the data; `model` is changed in place.

    Args:
        model: Its parameters end on the device that was used.
        loss_fn: The mean loss of a batch, a scalar.
        data: Tensors with one row per point; a batch holds the same rows of each.
        settings: Where, how long and how.
        callback: Called as callback(step, model, loss) after every step, on every device.

    Returns:
        The loss before each step, on the CPU, with the steps from before a resume.

    Raises:
        ValueError: The data is empty or its parts differ in length; the checkpoint is damaged or belongs to another
            run, in which case it is left alone; or the loss is not finite.
    """
    _check_data(data, settings)
    fabric = Fabric(
        accelerator=settings.accelerator, devices=settings.devices, precision=settings.precision
    )
    fabric.launch()
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    identity = _identity(data, settings) if settings.checkpoint else {}
    losses = torch.zeros(settings.num_steps)
    start = 0
    if settings.checkpoint is not None and settings.checkpoint.exists():
        start = _load(settings.checkpoint, identity, model, optimizer, losses)
    model, optimizer = fabric.setup(model, optimizer)
    data = tuple(fabric.to_device(tensor) for tensor in data)
    losses = fabric.to_device(losses)

    model.train()
    steps = range(start, settings.num_steps)
    shown = settings.progress and fabric.is_global_zero
    with torch.random.fork_rng(), tqdm(steps, disable=not shown) as bar:
        for step in bar:
            torch.manual_seed(_step_seed(settings.seed, step, fabric.global_rank))
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate * settings.schedule(step / settings.num_steps)
            loss = loss_fn(model, *_batch(data, step, settings, fabric))
            fabric.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
            losses[step] = loss.detach()
            if callback is not None:
                callback(step, model, losses[step])
    ...
