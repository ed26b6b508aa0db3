"""Wrong and right answers to `denoising_loss`."""

import torch
from torch.nn import functional

from .denoising_loss import DENOISING_LOSS, repair_error


def loss_of(call):
    """The right loss for the arguments of a request, without asking its oracles."""
    reconstruct, corrupt, x, training = call.args
    return repair_error(reconstruct.function, corrupt.function, x.double(), training)


def all_right(calls):
    return all(
        torch.allclose(torch.as_tensor(call.value).double(), loss_of(call).double(), rtol=1e-3)
        for call in calls
    )


def asked_about(oracle):
    """How many values an oracle was asked about."""
    return sum(torch.as_tensor(question[0]).numel() for question in oracle.questions)


# These two give the right loss, and show in the questions alone. They come first: trying out the
# others asks the same oracles again.
@DENOISING_LOSS.misconception(
    "Your loss is right, but you damage points in evaluation too and do not use the result. In "
    "evaluation do not call `corrupt`.",
    sign=lambda calls: (
        all_right(calls) and any(c.args[1].questions for c in calls if not c.args[3])
    ),
)
def unused_noise(reconstruct, corrupt, x, training):
    shown = corrupt(x)
    return (reconstruct(shown if training else x) - x).square().mean()


@DENOISING_LOSS.misconception(
    "Your loss is right, but you reconstruct points more than once. Keep what `reconstruct` gave "
    "and use it again.",
    sign=lambda calls: (
        all_right(calls) and any(asked_about(c.args[0]) > c.args[2].numel() for c in calls)
    ),
)
def reconstructed_again(reconstruct, corrupt, x, training):
    shown = corrupt(x) if training else x
    return ((reconstruct(shown) - x) * (reconstruct(shown) - x)).mean()


@DENOISING_LOSS.misconception(
    "Your target is the noisy point. Then the best the model can do is to copy the noise; compare "
    "with the clean x."
)
def noisy_target(reconstruct, corrupt, x, training):
    shown = corrupt(x) if training else x
    return (reconstruct(shown) - shown).square().mean()


@DENOISING_LOSS.misconception(
    "You damage the points in evaluation as well. Noise is for training only: in evaluation the "
    "model sees x."
)
def noise_in_evaluation(reconstruct, corrupt, x, training):
    return (reconstruct(corrupt(x)) - x).square().mean()


@DENOISING_LOSS.misconception(
    "You damage the points in evaluation as well, and your target is the noisy point. Noise is "
    "for training only, and the target is always clean."
)
def noisy_target_always(reconstruct, corrupt, x, training):
    shown = corrupt(x)
    return (reconstruct(shown) - shown).square().mean()


@DENOISING_LOSS.misconception(
    "Your condition is upside down: there is noise in evaluation and none in training."
)
def upside_down(reconstruct, corrupt, x, training):
    return repair_error(reconstruct, corrupt, x, not training)


@DENOISING_LOSS.misconception(
    "The model never sees a damaged point. Show it `corrupt(x)` in training."
)
def never_any_noise(reconstruct, corrupt, x, training):
    return (reconstruct(x) - x).square().mean()


@DENOISING_LOSS.misconception(
    "The clean point goes in and the noisy one is the target. It is the other way round."
)
def ends_swapped(reconstruct, corrupt, x, training):
    return (reconstruct(x) - (corrupt(x) if training else x)).square().mean()


@DENOISING_LOSS.misconception(
    "You damage the output. The damage belongs on what the model is shown."
)
def damaged_output(reconstruct, corrupt, x, training):
    output = reconstruct(x)
    return ((corrupt(output) if training else output) - x).square().mean()


@DENOISING_LOSS.misconception(
    "You compared the reconstructions of the noisy and of the clean point. A model that always "
    "gives the same would pay nothing; compare with x itself."
)
def two_reconstructions(reconstruct, corrupt, x, training):
    if not training:
        return (reconstruct(x) - x).square().mean()
    return (reconstruct(corrupt(x)) - reconstruct(x)).square().mean()


@DENOISING_LOSS.misconception(
    "Your model should give the noise and not the point: you compared its output with "
    "`corrupt(x) - x`. Compare it with x."
)
def predicts_the_noise(reconstruct, corrupt, x, training):
    if not training:
        return (reconstruct(x) - x).square().mean()
    shown = corrupt(x)
    return (reconstruct(shown) - (shown - x)).square().mean()


@DENOISING_LOSS.misconception("You damaged the points twice. Call `corrupt` once.")
def damaged_twice(reconstruct, corrupt, x, training):
    return (reconstruct(corrupt(corrupt(x)) if training else x) - x).square().mean()


@DENOISING_LOSS.misconception(
    "You added x to what `corrupt` gave. It returns the damaged point, not the noise alone."
)
def noise_on_top(reconstruct, corrupt, x, training):
    return (reconstruct(x + corrupt(x) if training else x) - x).square().mean()


@DENOISING_LOSS.misconception(
    "You summed the squared errors. Take the mean over all values of all points."
)
def summed(reconstruct, corrupt, x, training):
    return (reconstruct(corrupt(x) if training else x) - x).square().sum()


@DENOISING_LOSS.misconception("You summed over the values of a point. Take the mean over them too.")
def summed_over_values(reconstruct, corrupt, x, training):
    shown = corrupt(x) if training else x
    return (reconstruct(shown) - x).square().flatten(1).sum(1).mean()


@DENOISING_LOSS.misconception(
    "You returned one loss for each point. Average over the points as well."
)
def one_for_each_point(reconstruct, corrupt, x, training):
    shown = corrupt(x) if training else x
    return (reconstruct(shown) - x).square().flatten(1).mean(1)


@DENOISING_LOSS.misconception("You took the root of the mean squared error. Leave it squared.")
def root(reconstruct, corrupt, x, training):
    return repair_error(reconstruct, corrupt, x, training).sqrt()


@DENOISING_LOSS.misconception("You averaged absolute errors. Square them.")
def absolute(reconstruct, corrupt, x, training):
    return (reconstruct(corrupt(x) if training else x) - x).abs().mean()


@DENOISING_LOSS.misconception(
    "You averaged the errors with their signs: too large and too small cancel. Square first."
)
def signs_cancel(reconstruct, corrupt, x, training):
    return (reconstruct(corrupt(x) if training else x) - x).mean().square()


@DENOISING_LOSS.misconception("The loss is the plain mean of the squared errors, without a ½.")
def one_half(reconstruct, corrupt, x, training):
    return 0.5 * repair_error(reconstruct, corrupt, x, training)


@DENOISING_LOSS.misconception(
    "You averaged the loss of the noisy and of the clean point. In training only the noisy one is "
    "shown."
)
def both_losses(reconstruct, corrupt, x, training):
    clean = (reconstruct(x) - x).square().mean()
    if not training:
        return clean
    return (clean + (reconstruct(corrupt(x)) - x).square().mean()) / 2


@DENOISING_LOSS.misconception(
    "You subtracted what the noise costs a copy. The loss is the squared error itself, and never "
    "negative."
)
def minus_the_noise(reconstruct, corrupt, x, training):
    if not training:
        return (reconstruct(x) - x).square().mean()
    shown = corrupt(x)
    return (reconstruct(shown) - x).square().mean() - (shown - x).square().mean()


@DENOISING_LOSS.misconception(
    "You clipped the damaged points to [0, 1]. Show the model what `corrupt` gave."
)
def clipped(reconstruct, corrupt, x, training):
    return (reconstruct(corrupt(x).clamp(0, 1) if training else x) - x).square().mean()


@DENOISING_LOSS.variant
def by_mse_loss(reconstruct, corrupt, x, training):
    return functional.mse_loss(reconstruct(corrupt(x)) if training else reconstruct(x), x)


@DENOISING_LOSS.variant
def with_an_if(reconstruct, corrupt, x, training):
    shown = x.clone()
    if training:
        shown = corrupt(shown)
    return float(torch.mean((x - reconstruct(shown)) ** 2))


@DENOISING_LOSS.variant
def mean_of_the_means(reconstruct, corrupt, x, training):
    error = reconstruct(corrupt(x) if training else x) - x
    return error.flatten(1).pow(2).mean(dim=1).mean()


@DENOISING_LOSS.variant
def by_norm(reconstruct, corrupt, x, training):
    error = (reconstruct(corrupt(x) if training else x) - x).flatten()
    return (error @ error / error.numel()).reshape(1)


@DENOISING_LOSS.variant
def expanded(reconstruct, corrupt, x, training):
    guess = reconstruct({True: corrupt, False: lambda x: x}[training](x))
    return ((guess - x) * (guess - x)).sum() / x.numel()


@DENOISING_LOSS.variant
def two_points_at_a_time(reconstruct, corrupt, x, training):
    total = 0.0
    for part in x.split(2):
        total += (reconstruct(corrupt(part) if training else part) - part).square().sum()
    return total / x.numel()


@DENOISING_LOSS.variant
def damaged_one_by_one(reconstruct, corrupt, x, training):
    shown = torch.cat([corrupt(point) for point in x.split(1)]) if training else x
    return (reconstruct(shown) - x).square().mean()
