r"""One training loop for the whole course, on Lightning Fabric.

`train` minimises a loss by Adam on tensors that stay on the device. Device, precision and the
number of devices are settings. With a checkpoint path, a run that was stopped continues from its
last checkpoint and ends with the same parameters, bit for bit, as a run that was never stopped:
what is drawn in a step depends on the seed and the step alone.
"""

import contextlib
import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch import Tensor, nn
from tqdm import tqdm

from course_lib.checkpoint import load_checkpoint, save_checkpoint

Batch = tuple[Tensor, ...]
Callback = Callable[[int, nn.Module, Tensor], None]

STEPS_PER_REPORT = 50


def constant(progress: float) -> float:
    r"""The schedule that keeps the learning rate."""
    return 1.0


def cosine(progress: float) -> float:
    r"""The schedule from 1 at the start to 0 at the end, along half a cosine.

    Example:
        >>> [round(cosine(progress), 3) for progress in (0.0, 0.5, 1.0)]
        [1.0, 0.5, 0.0]
    """
    return 0.5 * (1.0 + math.cos(math.pi * progress))


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    r"""What `train` needs to know.

    Attributes:
        num_steps: The step at which training ends.
        batch_size: Points per step over all devices; `None` takes all points in every step.
        learning_rate: Of Adam, before the schedule.
        schedule: From the fraction of the steps done to a factor on the learning rate.
        seed: Decides the order of the data and whatever the model draws from torch's generator.
        accelerator: "cpu", "cuda", "mps", or "auto" for the best there is.
        devices: How many of them.
        precision: "32-true", "64-true", "bf16-true" or "bf16-mixed", as in Fabric.
        checkpoint: The file to resume from where it exists, and to write; `None` writes nothing.
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
        for name in ("num_steps", "batch_size", "devices", "checkpoint_every"):
            count = getattr(self, name)
            if count is not None and count < 1:
                raise ValueError(f"{name} is {count}; expected at least 1")
        if not 0.0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate is {self.learning_rate}; expected a positive number")


def train(
    model: nn.Module,
    loss_fn: Callable[..., Tensor],
    data: Batch,
    settings: TrainSettings,
    *,
    callback: Callback | None = None,
) -> Float[Tensor, " steps"]:
    r"""Minimise the mean of `loss_fn(model, *batch)`; `model` is changed in place.

    Args:
        model: Its parameters end on the device that was used.
        loss_fn: Takes the model and a batch, returns the mean loss of the batch as a scalar. It may
            call any method of the model.
        data: Tensors with one row per point; a batch holds the same rows of each. Floating-point
            numbers are converted to the precision of the parameters.
        settings: Where, how long and how.
        callback: Called as callback(step, model, loss) after every step, the first being step 1.

    Returns:
        The loss of every step, at the parameters before it, on the CPU; after a resume, those of
        the earlier run too. On several devices, the loss of this device's share of the batch.

    Raises:
        ValueError: The data is empty or its tensors differ in length; the checkpoint is damaged or
            belongs to another run (it is then left alone); or the loss is not finite.
    """
    _check_data(data, settings)
    fabric = Fabric(
        accelerator=settings.accelerator, devices=settings.devices, precision=settings.precision
    )
    fabric.launch()
    adam = torch.optim.Adam(model.parameters(), lr=settings.learning_rate, fused=True)
    objective, optimizer = fabric.setup(_Objective(model, loss_fn), adam)
    path = settings.checkpoint
    identity = _identity(model, data, settings) if path else {}
    losses = _empty_losses(settings, fabric)
    start = _resume(path, identity, model, adam, losses) if path and path.exists() else 0
    batches = _batches(_resident(data, model, fabric), start, settings, fabric)

    objective.train()
    hidden = not (settings.progress and fabric.is_global_zero)
    forked = [fabric.device] if fabric.device.type == "cuda" else []
    with (
        torch.random.fork_rng(forked),
        tqdm(total=settings.num_steps, initial=start, disable=hidden) as bar,
    ):
        for step, batch in enumerate(batches, start + 1):
            _seed_draws(fabric.device, _seed(settings.seed, "step", step, fabric.global_rank))
            _set_learning_rate(adam, (step - 1) / settings.num_steps, settings)
            loss = objective(partial(tuple, batch))
            fabric.backward(loss)
            optimizer.step()
            optimizer.zero_grad()

            losses[step - 1] = loss.detach()
            if path and (step % settings.checkpoint_every == 0 or step == settings.num_steps):
                _check_losses(losses[:step])
                if fabric.is_global_zero:
                    _save(path, identity, model, adam, losses[:step])
            if not hidden and step % STEPS_PER_REPORT == 0:
                bar.set_postfix(loss=f"{losses[step - 1].item():.4g}")
            bar.update()
            if callback is not None:
                callback(step, model, losses[step - 1])
    _check_losses(losses)
    return losses.cpu()


class _Objective(nn.Module):
    r"""The loss as the forward pass of a module.

    Fabric applies precision and the exchange between devices to a forward pass; so a loss may call
    any method of the model. The batch comes as a function, because with "bf16-mixed" Fabric would
    round every tensor it sees, targets included, to bfloat16.
    """

    def __init__(self, model: nn.Module, loss_fn: Callable[..., Tensor]) -> None:
        super().__init__()
        self.model, self.loss_fn = model, loss_fn

    def forward(self, batch: Callable[[], Batch]) -> Tensor:
        return self.loss_fn(self.model, *batch())


@contextlib.contextmanager
def evaluating(model: object) -> Iterator[None]:
    r"""For the time of a block, without dropout and the like; afterwards every module as before.

    Args:
        model: A module; any other callable is left as it is.

    Example:
        >>> model = nn.Dropout(0.5)
        >>> with evaluating(model):
        ...     model(torch.ones(3))
        tensor([1., 1., 1.])
        >>> model.training
        True
    """
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    before = [module.training for module in modules]
    for module in modules:
        module.training = False
    try:
        yield
    finally:
        for module, mode in zip(modules, before, strict=True):
            module.training = mode


def _resident(data: Batch, model: nn.Module, fabric: Fabric) -> Batch:
    r"""The data on the device, and floating-point numbers in the precision of the parameters."""
    dtype = next(p.dtype for p in model.parameters() if p.is_floating_point())
    return tuple(
        fabric.to_device(part.to(dtype) if part.is_floating_point() else part) for part in data
    )


def _batches(data: Batch, start: int, settings: TrainSettings, fabric: Fabric) -> Iterator[Batch]:
    r"""The batches of the steps that remain; on several devices, this device's share of each."""
    num_points = len(data[0])
    share = slice(fabric.global_rank, None, fabric.world_size)
    if settings.batch_size is None:
        whole = tuple(part[share] for part in data)
        yield from (whole for _ in range(start, settings.num_steps))
        return
    steps_per_epoch = num_points // settings.batch_size  # what is left over waits for another epoch
    for step in range(start, settings.num_steps):
        epoch, place = divmod(step, steps_per_epoch)
        if place == 0 or step == start:
            generator = torch.Generator("cpu").manual_seed(_seed(settings.seed, "epoch", epoch))
            order = fabric.to_device(torch.randperm(num_points, generator=generator, device="cpu"))
        chosen = order[place * settings.batch_size :][: settings.batch_size][share]
        yield tuple(part.index_select(0, chosen) for part in data)


def _set_learning_rate(adam: torch.optim.Adam, progress: float, settings: TrainSettings) -> None:
    for group in adam.param_groups:
        group["lr"] = settings.learning_rate * settings.schedule(progress)


def _empty_losses(settings: TrainSettings, fabric: Fabric) -> Float[Tensor, " steps"]:
    dtype = torch.float64 if settings.precision == "64-true" else torch.float32
    return torch.zeros(settings.num_steps, dtype=dtype, device=fabric.device)


def _seed_draws(device: torch.device, seed: int) -> None:
    # torch.manual_seed would format a stack trace for each kind of device that is not in use
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        getattr(torch, device.type).manual_seed(seed)


def _seed(*parts: int | str) -> int:
    return zlib.crc32(repr(parts).encode())


def _identity(module: nn.Module, data: Batch, settings: TrainSettings) -> dict[str, Any]:
    r"""What a checkpoint must agree on before it is resumed; more steps are allowed."""
    shapes = {name: list(value.shape) for name, value in module.state_dict().items()}
    checksums = [zlib.crc32(part.cpu().contiguous().view(torch.uint8).numpy()) for part in data]
    return {
        "seed": settings.seed,
        "batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
        "precision": settings.precision,
        "parameters": shapes,
        "data (CRC-32)": checksums,
    }


def _save(
    path: Path, identity: dict[str, Any], module: nn.Module, adam: torch.optim.Adam, losses: Tensor
) -> None:
    state = {"model": module.state_dict(), "adam": adam.state_dict(), "losses": losses.clone()}
    save_checkpoint(path, identity, state)


def _resume(
    path: Path, identity: dict[str, Any], module: nn.Module, adam: torch.optim.Adam, losses: Tensor
) -> int:
    state = load_checkpoint(path, identity)
    done = len(state["losses"])
    if done > len(losses):
        raise ValueError(
            f"{path} holds a run of {done} steps; expected at most num_steps={len(losses)}: raise "
            "num_steps, or name another checkpoint"
        )
    module.load_state_dict(state["model"])
    adam.load_state_dict(state["adam"])
    losses[:done] = state["losses"].to(losses)
    return done


def _check_data(data: Batch, settings: TrainSettings) -> None:
    lengths = [len(part) if part.ndim else 0 for part in data]
    if not lengths or min(lengths) == 0 or min(lengths) != max(lengths):
        raise ValueError(
            f"data has {lengths} rows; expected tensors with the same number of rows, at least one"
        )
    batch_size = settings.batch_size or lengths[0]
    if batch_size > lengths[0] or batch_size % settings.devices:
        raise ValueError(
            f"a batch has {batch_size} of {lengths[0]} points on {settings.devices} devices; "
            "expected at most all points, in equal shares per device: choose another batch_size"
        )


def _check_losses(losses: Tensor) -> None:
    finite = losses.isfinite()
    if not finite.all():
        step = int((~finite).nonzero()[0]) + 1
        raise ValueError(
            f"the loss is {losses[step - 1].item()} at step {step}; expected a finite number: "
            "lower the learning rate, or look for bad values in the data"
        )
