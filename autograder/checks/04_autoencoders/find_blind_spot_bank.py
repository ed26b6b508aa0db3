"""Wrong and right answers to `find_blind_spot`."""

import torch

from .find_blind_spot import FIND_BLIND_SPOT, rms_to_nearest, search
from .find_blind_spot_signs import (
    clips,
    every,
    every_wrong,
    forgets_the_seed,
    has_no_numbers,
    is_average,
    is_bad_copy,
    is_below_the_largest,
    is_best_normal,
    is_flat_image,
    is_noisy,
    is_reconstruction,
    is_shuffled,
    is_unscored,
    is_worst_normal,
    measures_the_norm,
    shaped,
)


def scores(encode, decode, x):
    return (decode(encode(x)) - x).square().mean(-1)


def wide_codes(codes, width, generator, count=600):
    """Codes from a box that is `width` times as wide as that of the normal ones."""
    low, high = codes.amin(0), codes.amax(0)
    draws = 2 * torch.rand(count, codes.shape[1], generator=generator, dtype=codes.dtype) - 1
    return (low + high) / 2 + width * (high - low) / 2 * draws


def inside(x):
    return x[((x >= 0) & (x <= 1)).all(-1)]


def first_far(encode, decode, normal, generator, is_far):
    """The first decoded image, from narrow boxes to wide ones, that is far in some sense."""
    codes = encode(normal)
    for width in (1.0, 1.2, 1.5, 2.0, 3.0, 5.0):
        x = inside(decode(wide_codes(codes, width, generator)))
        x = x[is_far(x)] if len(x) else x
        if len(x):
            return x[0]
    return normal[0]


@FIND_BLIND_SPOT.misconception(
    "You returned the code. Asked for is the image, with D values: decode it.",
    sign=shaped(lambda shape, problem: shape == tuple(problem.encode(problem.normal[0]).shape)),
)
def a_code(encode, decode, normal, distance, generator):
    return encode(search(encode, decode, normal, distance, generator))


@FIND_BLIND_SPOT.misconception(
    "You returned several images. Choose one.",
    sign=shaped(lambda shape, problem: len(shape) == 2 and shape[1] == problem.normal.shape[1]),
)
def several_images(encode, decode, normal, distance, generator):
    return search(encode, decode, normal, distance, generator)[None].repeat(3, 1)


@FIND_BLIND_SPOT.misconception(
    "You returned the normal image with the lowest score. It is normal: no anomaly was found.",
    sign=every(is_best_normal),
)
def best_normal_image(encode, decode, normal, distance, generator):
    return normal[scores(encode, decode, normal).argmin()]


@FIND_BLIND_SPOT.misconception(
    "You returned the normal image with the highest score. That is a false alarm; asked for is an "
    "anomaly that raises none.",
    sign=every(is_worst_normal),
)
def worst_normal_image(encode, decode, normal, distance, generator):
    return normal[scores(encode, decode, normal).argmax()]


@FIND_BLIND_SPOT.misconception(
    "You returned a normal image. Its score may be low, but it is no anomaly.",
    sign=every(lambda image: image.is_among(image.problem.normal)),
)
def a_normal_image(encode, decode, normal, distance, generator):
    return normal[1]


@FIND_BLIND_SPOT.misconception(
    "You returned the reconstruction of a normal image. It has a score near zero, and differs "
    "from the normal image by noise only: it is no anomaly.",
    sign=every(is_reconstruction),
)
def reconstruction_of_a_normal_image(encode, decode, normal, distance, generator):
    return decode(encode(normal))[0]


@FIND_BLIND_SPOT.misconception(
    "You returned the middle of the normal images. It is reconstructed well, and may be as normal "
    "as they are: measure how far it is from each of them.",
    sign=every(is_average),
)
def average_image(encode, decode, normal, distance, generator):
    return decode(encode(normal).mean(0))


@FIND_BLIND_SPOT.misconception(
    "You returned an image of one brightness. Whether an autoencoder copies it depends on the "
    "autoencoder: look for images in its own range.",
    sign=every(is_flat_image),
)
def flat_image(encode, decode, normal, distance, generator):
    return torch.zeros_like(normal[0])


@FIND_BLIND_SPOT.misconception(
    "You inverted a normal image. That is an anomaly, but not one that this autoencoder copies.",
    sign=every(lambda image: image.is_among(1 - image.problem.normal)),
)
def inverted(encode, decode, normal, distance, generator):
    return 1 - normal[0]


@FIND_BLIND_SPOT.misconception(
    "You shuffled the values of a normal image. That is an anomaly, but not one that this "
    "autoencoder copies.",
    sign=every(is_shuffled),
)
def shuffled(encode, decode, normal, distance, generator):
    return normal[0, torch.randperm(normal.shape[1], generator=generator)]


@FIND_BLIND_SPOT.misconception(
    "Your image leaves [0, 1]. Far out every decoder has room; an image has bounds.",
    sign=every_wrong(lambda image: not image.is_inside),
)
def out_of_bounds(encode, decode, normal, distance, generator):
    x = decode(wide_codes(encode(normal), 5.0, generator))
    score = scores(encode, decode, x)
    return x[torch.where(rms_to_nearest(x, normal) > distance, score, torch.inf).argmin()]


@FIND_BLIND_SPOT.misconception(
    "You clipped a decoded image to [0, 1]. Clipping leaves the range of the decoder, and the "
    "score rises. Search among codes whose image needs no clipping.",
    sign=clips,
)
def clipped(encode, decode, normal, distance, generator):
    return out_of_bounds(encode, decode, normal, distance, generator).clamp(0, 1)


@FIND_BLIND_SPOT.misconception(
    "You measured the distance without the mean over the values: the norm of a difference is √D "
    "times its root mean square, so your image is still too near.",
    sign=measures_the_norm,
)
def distance_without_mean(encode, decode, normal, distance, generator):
    def is_good(x):
        norm = torch.cdist(x, normal).amin(-1)
        well = scores(encode, decode, x) < scores(encode, decode, normal).min()
        return (norm >= distance) & (norm < 1.5 * distance) & well

    return first_far(encode, decode, normal, generator, is_good)


def candidates(encode, decode, normal, distance, generator):
    """Decoded images inside the bounds and far from the normal ones."""
    codes = encode(normal)
    draws = [wide_codes(codes, width, generator, 190) for width in (1.5, 2.0, 3.0, 5.0)]
    x = inside(decode(torch.cat(draws)))
    return x[rms_to_nearest(x, normal) >= distance]


@FIND_BLIND_SPOT.misconception(
    "The score of your image is below the largest score of a normal image. It must be below the "
    "smallest: then no threshold catches it.",
    sign=every_wrong(is_below_the_largest),
)
def below_the_largest(encode, decode, normal, distance, generator):
    x = candidates(encode, decode, normal, distance, generator)
    score = scores(encode, decode, x)
    return x[torch.where(score < scores(encode, decode, normal).max(), score, -1.0).argmax()]


@FIND_BLIND_SPOT.misconception(
    "Your image comes from the decoder and is far from the normal ones, and still it is copied "
    "badly: encode does not find its code again. Compare the scores of several such images.",
    sign=every_wrong(is_unscored),
)
def never_scored(encode, decode, normal, distance, generator):
    x = candidates(encode, decode, normal, distance, generator)
    return x[rms_to_nearest(x, normal).argmax()]


@FIND_BLIND_SPOT.misconception(
    "Two generators with the same seed lead you to different images. Draw with "
    "`generator=generator` alone.",
    sign=forgets_the_seed,
)
def own_randomness(encode, decode, normal, distance, generator):
    return search(encode, decode, normal, distance, torch.Generator().manual_seed(torch.seed()))


@FIND_BLIND_SPOT.misconception(
    "Your image holds NaN or infinity. Those are no brightnesses.",
    sign=has_no_numbers,
)
def no_numbers(encode, decode, normal, distance, generator):
    return normal[0] * torch.nan


@FIND_BLIND_SPOT.misconception(
    "Your image is an anomaly, but the autoencoder copies it worse than a normal image. Look for "
    "it among the images that the decoder can make.",
    sign=every_wrong(is_bad_copy),
)
def random_image(encode, decode, normal, distance, generator):
    return torch.rand(normal.shape[1], generator=generator, dtype=normal.dtype)


@FIND_BLIND_SPOT.misconception(
    "Your image is copied well, but it is too near to a normal image to be an anomaly. It must "
    "differ from each of them, also from the nearest: go further from the normal codes.",
    sign=every_wrong(
        lambda image: image.is_inside and not image.is_far and image.score < image.problem.lowest
    ),
)
def too_near(encode, decode, normal, distance, generator):
    codes = encode(normal)
    return decode(codes.mean(0) + 1.1 * (codes[0] - codes.mean(0)))


@FIND_BLIND_SPOT.misconception(
    "Your image is neither an anomaly nor copied well: it is a normal image with more noise.",
    sign=every_wrong(is_noisy),
)
def noisy_normal_image(encode, decode, normal, distance, generator):
    noise = torch.randn(normal.shape[1], generator=generator, dtype=normal.dtype)
    return (normal[0] + 0.03 * noise).clamp(0, 1)


def qualifies(encode, decode, normal, distance, x):
    """The first of the images (S, D) that is right, or None."""
    x = inside(x)
    if len(x):
        x = x[rms_to_nearest(x, normal) > distance]
    if len(x):
        x = x[scores(encode, decode, x) < scores(encode, decode, normal).min()]
    return x[0] if len(x) else None


@FIND_BLIND_SPOT.variant
def along_the_axes_and_between(encode, decode, normal, distance, generator):
    """A fine grid of codes, without any randomness."""
    codes = encode(normal)
    low, high = codes.amin(0), codes.amax(0)
    for width in (1.0, 1.5, 2.0, 3.0, 4.0, 5.0):
        steps = width * torch.linspace(-1, 1, 27, dtype=codes.dtype)
        grid = torch.cartesian_prod(*[steps] * codes.shape[1])
        x = decode((low + high) / 2 + (high - low) / 2 * grid)
        answer = qualifies(encode, decode, normal, distance, x)
        if answer is not None:
            return answer
    return None


@FIND_BLIND_SPOT.variant
def by_normal_draws(encode, decode, normal, distance, generator):
    codes = encode(normal)
    for width in (1.0, 2.0, 3.0, 4.0, 6.0, 2.5, 5.0):
        draws = torch.randn(700, codes.shape[1], generator=generator, dtype=codes.dtype)
        x = decode(codes.mean(0) + width * codes.std(0) * draws)
        answer = qualifies(encode, decode, normal, distance, x)
        if answer is not None:
            return answer
    return None


@FIND_BLIND_SPOT.variant
def by_exaggeration(encode, decode, normal, distance, generator):
    """Exaggerated and blended normal images, sent through the autoencoder."""
    pair = torch.randint(len(normal), (2, 400), generator=generator)
    for share in (0.5, 1.5, 2.0, 3.0, 4.0, 6.0, 0.3, 8.0):
        blend = normal[pair[0]] + share * (normal[pair[1]] - normal[pair[0]])
        x = decode(encode(blend.clamp(0, 1) if share > 2 else blend))
        answer = qualifies(encode, decode, normal, distance, x)
        if answer is not None:
            return answer
    return None


@FIND_BLIND_SPOT.variant
def in_single_precision(encode, decode, normal, distance, generator):
    return search(encode, decode, normal, distance + 1e-5, generator).float()


@FIND_BLIND_SPOT.variant
def furthest_that_is_copied(encode, decode, normal, distance, generator):
    """Of all decoded images that will do, the one furthest from the normal ones."""
    x = candidates(encode, decode, normal, distance, generator)
    x = x[scores(encode, decode, x) < scores(encode, decode, normal).min()]
    return x[rms_to_nearest(x, normal).argmax()]
