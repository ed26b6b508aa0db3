r"""A small classifier of images that judges what generative models make.

A judge must not have taken part: where one classifier chose the samples, or guided a model, another
one with another seed and network reports (units 07 and 08).
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from course_lib.monte_carlo.checks import check_flat, check_positive
from course_lib.training import TrainSettings, cosine, evaluating, train
from course_lib.vae.models import dense

PointsArray = Float[Tensor, "n d"]
Labels = Int[Tensor, " n"]
NETWORKS = ("conv", "dense")


class Classifier(nn.Module):
    r"""Class probabilities of images; x is flat, (N, C·size²), with values from 0 to 1.

    Args:
        dim: D = C·size².
        num_classes: Number of classes.
        network: "conv" (two convolutions and two dense layers) or "dense" (three dense layers).
        num_channels: C.
        width: Channels of the first convolution; the other layers grow with it.

    Raises:
        ValueError: A number is not positive, there is no such network, or images of `dim` values
            are not square with sides that are a multiple of 4 ("conv" only).

    Example:
        >>> judge = Classifier(784, 10)
        >>> judge.probabilities(torch.rand(5, 784)).sum(1)
        tensor([1.0000, 1.0000, 1.0000, 1.0000, 1.0000])
    """

    def __init__(
        self,
        dim: int,
        num_classes: int,
        *,
        network: str = "conv",
        num_channels: int = 1,
        width: int = 32,
    ) -> None:
        super().__init__()
        check_positive(dim=dim, num_classes=num_classes, num_channels=num_channels, width=width)
        if network not in NETWORKS:
            raise ValueError(f"network is {network!r}; expected one of {', '.join(NETWORKS)}")
        self.dim, self.num_classes = dim, num_classes
        if network == "dense":
            self.layers = dense(dim, 8 * width, 8 * width, num_classes)
        else:
            self.layers = _conv(_side(dim, num_channels), num_channels, width, num_classes)

    def logits(self, x: PointsArray) -> Float[Tensor, "n c"]:
        r"""Unnormalised log-probabilities of the classes, shape (N, num_classes).

        Raises:
            ValueError: `x` is not of shape (N, D) or not floating point.
        """
        check_flat(x, self.dim)
        return self.layers(x).to(x.dtype)

    forward = logits

    @torch.no_grad()
    def probabilities(self, x: PointsArray, *, chunk_size: int = 1000) -> Float[Tensor, "n c"]:
        r"""The probability of each class, shape (N, num_classes), some images at a time.

        Raises:
            ValueError: `x` is malformed or empty, or `chunk_size` is not positive.
        """
        check_positive(chunk_size=chunk_size)
        if len(x) == 0:
            raise ValueError(f"x has shape {tuple(x.shape)}; expected at least one image")
        with evaluating(self):
            return torch.cat([self.logits(part).softmax(1) for part in x.split(chunk_size)])

    def accuracy(self, x: PointsArray, labels: Labels) -> float:
        r"""The share of images whose most probable class is the label.

        Raises:
            ValueError: `x` is malformed or empty, or there is not one label per image.
        """
        _check_labels(x, labels)
        return (self.probabilities(x).argmax(1) == labels).double().mean().item()


def fit_classifier(
    x: PointsArray,
    labels: Labels,
    *,
    network: str = "conv",
    num_channels: int = 1,
    num_steps: int = 1000,
    batch_size: int = 128,
    learning_rate: float = 2e-3,
    seed: int = 0,
    accelerator: str = "auto",
    progress: bool = False,
) -> Classifier:
    r"""Train a classifier by cross-entropy.

    Args:
        x: Images with values from 0 to 1, shape (N, D).
        labels: The class of each, 0 to the number of classes − 1, shape (N,).
        network: As in `Classifier`.
        num_channels: C.
        num_steps: Steps of Adam; the learning rate falls along a cosine.
        batch_size: Images per step; fewer where there are not as many.
        learning_rate: At the start.
        seed: Of the weights and the batches: another seed, another judge.
        accelerator: As in `TrainSettings`.
        progress: Show a progress bar on stderr.

    Raises:
        ValueError: `x` and `labels` do not fit together, or a number is out of range.

    Example:
        >>> x, labels = torch.eye(4), torch.arange(4)
        >>> fit_classifier(x, labels, network="dense", num_steps=50).accuracy(x, labels)
        1.0
    """
    _check_labels(x, labels)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        num_classes = int(labels.max()) + 1
        options = {"network": network, "num_channels": num_channels}
        judge = Classifier(x.shape[1], num_classes, **options).to(x.dtype)
    settings = TrainSettings(
        num_steps=num_steps,
        batch_size=min(batch_size, len(x)),
        learning_rate=learning_rate,
        schedule=cosine,
        seed=seed,
        accelerator=accelerator,
        precision="64-true" if x.dtype == torch.float64 else "32-true",
        progress=progress,
    )
    train(judge, _loss, (x, labels), settings)
    return judge


def _loss(judge: Classifier, x: PointsArray, labels: Labels) -> Float[Tensor, ""]:
    return nn.functional.cross_entropy(judge.logits(x), labels)


def _conv(side: int, num_channels: int, width: int, num_classes: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Unflatten(1, (num_channels, side, side)),
        nn.Conv2d(num_channels, width, 4, stride=2, padding=1),  # (N, width, side/2, side/2)
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),  # (N, 2 width, side/4, side/4)
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(2 * width * (side // 4) ** 2, 4 * width),
        nn.ReLU(),
        nn.Linear(4 * width, num_classes),
    ).to(memory_format=torch.channels_last)


def _side(dim: int, num_channels: int) -> int:
    side = math.isqrt(dim // num_channels)
    if num_channels * side**2 != dim or side % 4:
        raise ValueError(
            f"dim is {dim} with {num_channels} channels; expected C·size² with a size that is a "
            'multiple of 4: pad the images, or use network="dense"'
        )
    return side


def _check_labels(x: Tensor, labels: Tensor) -> None:
    if labels.ndim != 1 or labels.is_floating_point() or len(labels) != len(x) or len(x) == 0:
        raise ValueError(
            f"x has shape {tuple(x.shape)}, labels have shape {tuple(labels.shape)} and type "
            f"{labels.dtype}; expected (N, D) and (N,) whole numbers, at least one of each"
        )
