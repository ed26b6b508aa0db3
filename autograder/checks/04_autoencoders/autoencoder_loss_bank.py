"""Wrong losses of an `Autoencoder` whose networks are right."""

from . import autoencoder_signs as signs
from .autoencoder import Reference
from .autoencoder_training_bank import AUTOENCODER


@AUTOENCODER.misconception(
    "The loss sums over the values of a point, or over everything. Take the mean over both axes, "
    "so that it does not grow with the size of data and batch.",
    sign=lambda calls: (
        signs.loss_is(lambda e: e.square().sum())(calls)
        or signs.loss_is(lambda e: e.square().sum(1).mean())(calls)
        or signs.loss_is(lambda e: e.square().sum(0).mean())(calls)
    ),
)
class SummedLoss(Reference):
    def loss(self, x):
        return (self(x) - x).square().sum()


@AUTOENCODER.misconception(
    "The loss is the mean absolute error. Square the errors.",
    sign=signs.loss_is(lambda e: e.abs().mean()),
)
class AbsoluteLoss(Reference):
    def loss(self, x):
        return (self(x) - x).abs().mean()


@AUTOENCODER.misconception(
    "The loss is the root of the mean squared error. Leave the root away.",
    sign=signs.loss_is(lambda e: e.square().mean().sqrt()),
)
class RootLoss(Reference):
    def loss(self, x):
        return (self(x) - x).square().mean().sqrt()


@AUTOENCODER.misconception(
    "The loss has a factor of one half. It is the plain mean of the squared errors.",
    sign=signs.loss_is(lambda e: e.square().mean() / 2),
)
class HalfLoss(Reference):
    def loss(self, x):
        return (self(x) - x).square().mean() / 2


@AUTOENCODER.misconception(
    "The loss averages the errors with their signs: too large and too small cancel. Square first.",
    sign=lambda calls: (
        signs.loss_is(lambda e: e.mean())(calls)
        or signs.loss_is(lambda e: -e.mean())(calls)
        or signs.loss_is(lambda e: e.mean().square())(calls)
    ),
)
class SignedLoss(Reference):
    def loss(self, x):
        return (self(x) - x).mean().square()


@AUTOENCODER.misconception(
    "The loss has one number for each point. An optimiser needs a single one: average over the "
    "points too.",
    sign=signs.loss_is(lambda e: e.square().mean(1)),
)
class LossOfEachPoint(Reference):
    def loss(self, x):
        return (self(x) - x).square().mean(1)


@AUTOENCODER.misconception(
    "A method is missing. The class has `encode`, `decode`, `forward` and `loss`, spelled so.",
    sign=signs.lacks_a_method,
)
class WithoutLoss(Reference):
    loss = None


@AUTOENCODER.misconception(
    "The loss is another number than the mean of (x̂ − x)². Compare `self(x)` with `x` itself, not "
    "with codes and not by a cross entropy, and add nothing, such as a penalty.",
    sign=signs.loss_is_something_else,
)
class LossWithPenalty(Reference):
    def loss(self, x):
        return (self(x) - x).square().mean() + 0.01 * self.encode(x).square().mean()
