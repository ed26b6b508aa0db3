"""Wrong and right answers to `corrupt`."""

import torch

from . import corrupt_signs as signs
from .corrupt import CORRUPT, damage


def noise_like(x, generator):
    return torch.randn(x.shape, generator=generator, dtype=x.dtype)


def mask_like(x, level, generator):
    return torch.rand(x.shape, generator=generator, dtype=x.dtype) < level


@CORRUPT.misconception(
    "You changed x in place. The clean points are still needed: copy them first, or build a new "
    "tensor.",
    sign=signs.changed_in_place,
)
def in_place(x, kind, level, generator):
    if kind == "gaussian":
        x += level * noise_like(x, generator)
    else:
        x[mask_like(x, level, generator)] = 0.0
    return x


@CORRUPT.misconception(
    "The same seed gives two different results: you draw from torch's own generator. Pass "
    "`generator=generator` to every draw.",
    sign=signs.unrepeatable,
)
def own_generator(x, kind, level, generator):
    return damage(x, kind, level, None)


@CORRUPT.misconception(
    "You lose the smallest values, or the largest. Whether a value is lost must not depend on it.",
    sign=signs.every("dropout", signs.by_size),
)
def smallest_are_lost(x, kind, level, generator):
    if kind == "gaussian":
        return damage(x, kind, level, generator)
    return torch.where(x <= torch.quantile(x, level), 0.0, x)


@CORRUPT.misconception(
    "Another seed gives the same result. Draw from the generator that you are given, and do not "
    "set its seed.",
    sign=signs.always_the_same,
)
def fixed_seed(x, kind, level, generator):
    return damage(x, kind, level, generator.manual_seed(0))


@CORRUPT.misconception(
    "You seed anew from `generator.initial_seed()`. That number stays the same while the generator "
    "is drawn from, so every call repeats the damage. Draw with `generator=generator`.",
    sign=signs.starts_again,
)
def seeded_anew(x, kind, level, generator):
    return damage(x, kind, level, generator.manual_seed(generator.initial_seed()))


@CORRUPT.misconception(
    "The result has another type than x. Draw with `dtype=x.dtype`.", sign=signs.of_another_type
)
def always_double(x, kind, level, generator):
    return damage(x.double(), kind, level, generator)


@CORRUPT.misconception(
    "You exchanged the two kinds: noise for dropout and dropout for noise.",
    sign=signs.both(
        signs.every("gaussian", signs.is_dropout), signs.every("dropout", signs.is_right_noise)
    ),
)
def kinds_swapped(x, kind, level, generator):
    return damage(x, "dropout" if kind == "gaussian" else "gaussian", level, generator)


@CORRUPT.misconception(
    "You add Gaussian noise whatever `kind` says. For dropout set values to zero.",
    sign=signs.every("dropout", signs.is_right_noise),
)
def always_gaussian(x, kind, level, generator):
    return damage(x, "gaussian", level, generator)


@CORRUPT.misconception(
    "You set values to zero whatever `kind` says. For the kind gaussian add noise.",
    sign=signs.every("gaussian", signs.is_dropout),
)
def always_dropout(x, kind, level, generator):
    return damage(x, "dropout", level, generator)


@CORRUPT.misconception(
    "All points get the same noise. Draw in the shape of x.",
    sign=signs.every("gaussian", lambda d: signs.rows_agree(d.noise)),
)
def same_noise_for_all(x, kind, level, generator):
    if kind != "gaussian":
        return damage(x, kind, level, generator)
    return x + level * torch.randn(x.shape[1:], generator=generator, dtype=x.dtype)


@CORRUPT.misconception(
    "All values of a point get the same noise, which only makes it lighter or darker. Draw in the "
    "shape of x.",
    sign=signs.every("gaussian", lambda d: signs.rows_agree(d.noise.T)),
)
def one_noise_for_a_point(x, kind, level, generator):
    if kind != "gaussian":
        return damage(x, kind, level, generator)
    shape = (len(x), *[1] * (x.ndim - 1))
    return x + level * torch.randn(shape, generator=generator, dtype=x.dtype)


@CORRUPT.misconception(
    "Your noise has the standard deviation √level. The level is a standard deviation, not a "
    "variance.",
    sign=signs.every("gaussian", signs.is_noise(lambda level: level**0.5)),
)
def level_as_variance(x, kind, level, generator):
    if kind != "gaussian":
        return damage(x, kind, level, generator)
    return x + level**0.5 * noise_like(x, generator)


@CORRUPT.misconception(
    "Your noise has the standard deviation level². Multiply the noise by the level once.",
    sign=signs.every("gaussian", signs.is_noise(lambda level: level**2)),
)
def level_squared(x, kind, level, generator):
    if kind != "gaussian":
        return damage(x, kind, level, generator)
    return x + level**2 * noise_like(x, generator)


@CORRUPT.misconception(
    "Your noise has the standard deviation 1 at every level. Multiply it by the level.",
    sign=signs.every("gaussian", signs.is_noise(lambda level: 1.0)),
)
def level_ignored(x, kind, level, generator):
    if kind != "gaussian":
        return damage(x, kind, level, generator)
    return x + noise_like(x, generator)


@CORRUPT.misconception(
    "You returned the noise without the point. Add it to x.",
    sign=signs.every(
        "gaussian",
        lambda d: signs.is_standard(d.value / d.level) and not signs.is_right_noise(d),
    ),
)
def noise_alone(x, kind, level, generator):
    if kind != "gaussian":
        return damage(x, kind, level, generator)
    return level * noise_like(x, generator)


@CORRUPT.misconception(
    "You made the point darker before you added noise, as diffusion models do. Here x stays as it "
    "is: x plus level times noise.",
    sign=signs.is_darkened,
)
def variance_preserving(x, kind, level, generator):
    if kind != "gaussian":
        return damage(x, kind, level, generator)
    return max(1 - level**2, 0.0) ** 0.5 * x + level * noise_like(x, generator)


@CORRUPT.misconception(
    "Your noise is proportional to the value: dark places stay clean. Add it, and do not multiply.",
    sign=signs.every(
        "gaussian",
        lambda d: signs.is_standard(d.noise / (d.level * d.x)) and not signs.is_right_noise(d),
    ),
)
def multiplied_noise(x, kind, level, generator):
    if kind != "gaussian":
        return damage(x, kind, level, generator)
    return x * (1 + level * noise_like(x, generator))


@CORRUPT.misconception(
    "Your noise is never negative, so it makes every point brighter. Is it uniform, from "
    "torch.rand, or an absolute value? Take torch.randn as it is.",
    sign=signs.every("gaussian", lambda d: bool((d.noise >= -1e-9).all() and d.noise.max() > 0)),
)
def never_negative(x, kind, level, generator):
    if kind != "gaussian":
        return damage(x, kind, level, generator)
    return x + level * torch.rand(x.shape, generator=generator, dtype=x.dtype)


@CORRUPT.misconception(
    "Your noise ends sharply at a small multiple of the level, as uniform noise does. Normal "
    "noise comes from torch.randn.",
    sign=signs.every(
        "gaussian",
        lambda d: bool(d.noise.abs().max() < 2.2 * d.noise.std() and d.noise.min() < 0),
    ),
)
def uniform_noise(x, kind, level, generator):
    if kind != "gaussian":
        return damage(x, kind, level, generator)
    uniform = torch.rand(x.shape, generator=generator, dtype=x.dtype)
    return x + level * 3**0.5 * (2 * uniform - 1)


@CORRUPT.misconception(
    "You clipped the noisy points to [0, 1]. That changes the noise where values are dark or "
    "bright; leave them as they are.",
    sign=signs.every("gaussian", lambda d: bool(d.value.min() >= 0 and d.value.max() <= 1)),
)
def clipped(x, kind, level, generator):
    return damage(x, kind, level, generator).clamp(0, 1)


@CORRUPT.misconception(
    "You set negative values to zero. A noisy value may be negative; leave it.",
    sign=signs.every("gaussian", lambda d: bool(d.value.min() == 0 and (d.value == 0).sum() > 3)),
)
def clipped_below(x, kind, level, generator):
    if kind != "gaussian":
        return damage(x, kind, level, generator)
    return damage(x, kind, level, generator).clamp(min=0)


@CORRUPT.misconception(
    "You mixed point and noise, (1 − level) x + level z. Here x "
    "stays as it is: x plus level times noise.",
    sign=signs.is_mixed,
)
def mixed(x, kind, level, generator):
    if kind != "gaussian":
        return damage(x, kind, level, generator)
    return (1 - level) * x + level * noise_like(x, generator)


@CORRUPT.misconception(
    "You use noise twice: another value has the same noise, or the same with the opposite sign. "
    "Draw in the shape of x.",
    sign=signs.every("gaussian", signs.repeats_noise),
)
def noise_used_twice(x, kind, level, generator):
    if kind != "gaussian":
        return damage(x, kind, level, generator)
    half = torch.randn((len(x) // 2 + 1, *x.shape[1:]), generator=generator, dtype=x.dtype)
    return x + level * torch.cat((half, -half))[: len(x)]


@CORRUPT.misconception(
    "You standardised the noise. Its mean and its spread vary by chance; leave them.",
    sign=signs.every("gaussian", signs.has_fixed_mean),
)
def standardised_noise(x, kind, level, generator):
    if kind != "gaussian":
        return damage(x, kind, level, generator)
    noise = noise_like(x, generator)
    return x + level * (noise - noise.mean()) / noise.std()


@CORRUPT.misconception(
    "In images all colours of a pixel, or all images, share their noise. Draw in the shape of x, "
    "however many axes it has.",
    sign=signs.images_share_noise,
)
def grey_noise(x, kind, level, generator):
    if kind != "gaussian" or x.ndim != 4:
        return damage(x, kind, level, generator)
    return x + level * noise_like(x[:, :1], generator)


@CORRUPT.misconception(
    "You divided what is kept by the probability of keeping, as a dropout layer does. Here values "
    "are lost or stay as they are.",
    sign=signs.every(
        "dropout",
        lambda d: (
            bool((d.lost | ((d.value * (1 - d.level) - d.x).abs() < 1e-5)).all())
            and 0 < d.share < 1
        ),
    ),
)
def rescaled(x, kind, level, generator):
    value = damage(x, kind, level, generator)
    return value if kind == "gaussian" else value / max(1 - level, 1e-9)


@CORRUPT.misconception(
    "You keep values with the probability level, and lose the rest. The level is the probability "
    "of being lost.",
    sign=signs.share_is(lambda level: 1 - level),
)
def keeps_with_level(x, kind, level, generator):
    return damage(x, kind, level if kind == "gaussian" else 1 - level, generator)


@CORRUPT.misconception(
    "You lose half of the values at every level. Compare uniform numbers with the level.",
    sign=signs.share_is(lambda level: 0.5),
)
def always_half(x, kind, level, generator):
    return damage(x, kind, level if kind == "gaussian" else 0.5, generator)


@CORRUPT.misconception(
    "You compared normal noise with the level, so far too many values are lost. The numbers to "
    "compare are uniform, from torch.rand.",
    sign=signs.share_is(lambda level: torch.special.ndtr(torch.tensor(level)).item()),
)
def normal_mask(x, kind, level, generator):
    if kind == "gaussian":
        return damage(x, kind, level, generator)
    return torch.where(noise_like(x, generator) < level, 0.0, x)


@CORRUPT.misconception(
    "You lose whole points and keep others whole. Decide for each value on its own: the mask has "
    "the shape of x.",
    sign=signs.agree("values"),
)
def whole_points(x, kind, level, generator):
    if kind == "gaussian":
        return damage(x, kind, level, generator)
    mask = torch.rand((len(x), *[1] * (x.ndim - 1)), generator=generator, dtype=x.dtype) < level
    return torch.where(mask, 0.0, x)


@CORRUPT.misconception(
    "You lose the same places in every point. Decide for each value on its own: the mask has the "
    "shape of x.",
    sign=signs.agree("points"),
)
def same_mask_for_all(x, kind, level, generator):
    if kind == "gaussian":
        return damage(x, kind, level, generator)
    mask = torch.rand(x.shape[1:], generator=generator, dtype=x.dtype) < level
    return torch.where(mask, 0.0, x)


@CORRUPT.misconception(
    "The number of lost values is fixed. Decide for each value on its own, so that the number "
    "varies by chance.",
    sign=signs.too_regular,
)
def fixed_number(x, kind, level, generator):
    if kind == "gaussian":
        return damage(x, kind, level, generator)
    order = torch.randperm(x.numel(), generator=generator)
    return torch.where((order < round(level * x.numel())).reshape(x.shape), 0.0, x)


@CORRUPT.misconception(
    "You returned the mask. Multiply it with x.",
    sign=signs.every("dropout", lambda d: bool(((d.value == 0) | (d.value == 1)).all())),
)
def mask_alone(x, kind, level, generator):
    if kind == "gaussian":
        return damage(x, kind, level, generator)
    return 1.0 - mask_like(x, level, generator).to(x)


@CORRUPT.misconception(
    "You replace lost values by something other than zero. Set them to 0.",
    sign=signs.every(
        "dropout", lambda d: 0.05 < d.kept.double().mean() < 0.95 and not d.lost.any()
    ),
)
def replaced_by_the_mean(x, kind, level, generator):
    if kind == "gaussian":
        return damage(x, kind, level, generator)
    return torch.where(mask_like(x, level, generator), x.mean(), x)


@CORRUPT.misconception(
    "You add noise to the values that dropout keeps. They stay exactly as they are.",
    sign=signs.every("dropout", lambda d: 0.05 < d.share < 0.95 and d.kept.double().mean() < 0.01),
)
def noise_on_the_rest(x, kind, level, generator):
    value = damage(x, "gaussian", level, generator)
    return value if kind == "gaussian" else damage(value, "dropout", level, generator)


@CORRUPT.misconception(
    "The three colours of a pixel are lost together. Decide for each value on its own.",
    sign=signs.colours_together,
)
def pixels_as_a_whole(x, kind, level, generator):
    if kind == "gaussian" or x.ndim != 4:
        return damage(x, kind, level, generator)
    return x * damage(torch.ones_like(x[:, :1]), kind, level, generator)
