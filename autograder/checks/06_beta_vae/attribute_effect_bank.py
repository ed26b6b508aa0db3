"""Wrong and right answers to `attribute_effect`."""

import torch

from ._signs import made_by
from .attribute_effect import ATTRIBUTE_EFFECT, reference


@ATTRIBUTE_EFFECT.misconception(
    "Your sign is turned round: take the probability after the edit minus the one before."
)
def wrong_sign(probe, before, after):
    return -reference(probe, before, after)


@ATTRIBUTE_EFFECT.misconception(
    "You return the probabilities after the edit. Attributes that were there before must not "
    "count: subtract the probabilities before."
)
def after_alone(probe, before, after):
    return probe(after).mean(0)


@ATTRIBUTE_EFFECT.misconception(
    "You average the sizes of the changes. Then an attribute that went away looks like one that "
    "came, and noise looks like an effect: keep the sign."
)
def absolute_changes(probe, before, after):
    return (probe(after) - probe(before)).abs().mean(0)


@ATTRIBUTE_EFFECT.misconception("You took the size of the mean change. Keep its sign.")
def absolute_mean(probe, before, after):
    return reference(probe, before, after).abs()


@ATTRIBUTE_EFFECT.misconception(
    "You return the root of the mean square. Take the mean of the changes, with their signs."
)
def root_mean_square(probe, before, after):
    return (probe(after) - probe(before)).square().mean(0).sqrt()


@ATTRIBUTE_EFFECT.misconception(
    "You divide the probabilities. The effect is their difference: a ratio explodes for attributes "
    "that were absent."
)
def ratio(probe, before, after):
    return (probe(after) / probe(before)).mean(0)


@ATTRIBUTE_EFFECT.misconception(
    "You return the relative change. The effect is the plain difference of the probabilities.",
    sign=made_by(
        ATTRIBUTE_EFFECT,
        lambda probe, before, after: reference(probe, before, after) / probe(before).mean(0),
        lambda probe, before, after: ((probe(after) - probe(before)) / probe(before)).mean(0),
    ),
)
def relative_change(probe, before, after):
    return reference(probe, before, after) / probe(before).mean(0)


@ATTRIBUTE_EFFECT.misconception(
    "You average over the attributes, and keep one number for each image. Average over the images: "
    "one number for each attribute."
)
def one_for_each_image(probe, before, after):
    return (probe(after) - probe(before)).mean(1)


@ATTRIBUTE_EFFECT.misconception(
    "You average over the attributes as well. Keep one number for each, or you cannot tell the "
    "target from the others."
)
def one_number(probe, before, after):
    return reference(probe, before, after).mean()


@ATTRIBUTE_EFFECT.misconception("You return the change of every image. Average over the images.")
def not_averaged(probe, before, after):
    return probe(after) - probe(before)


@ATTRIBUTE_EFFECT.misconception("You sum over the images. Take the mean.")
def summed(probe, before, after):
    return reference(probe, before, after) * len(before)


@ATTRIBUTE_EFFECT.misconception(
    "You round the probabilities to yes and no first. A change from 0.1 to 0.4 is an effect too: "
    "use the probabilities."
)
def yes_or_no(probe, before, after):
    return ((probe(after) > 0.5).double() - (probe(before) > 0.5).double()).mean(0)


@ATTRIBUTE_EFFECT.misconception(
    "You show the probe the difference of two images. It knows images only: ask it about both, "
    "then subtract."
)
def probe_of_the_difference(probe, before, after):
    return probe(after - before).mean(0)


@ATTRIBUTE_EFFECT.misconception(
    "You show the probe the mean image. A mean of images is no image: ask about each, then average."
)
def probe_of_mean_images(probe, before, after):
    return (probe(after.mean(0, keepdim=True)) - probe(before.mean(0, keepdim=True)))[0]


@ATTRIBUTE_EFFECT.misconception(
    "You compare logits. The effect is the change of the probability.",
    sign=made_by(
        ATTRIBUTE_EFFECT,
        lambda *args: change_of_logits(*args, 1e-9),
        lambda *args: change_of_logits(*args, None),
    ),
)
def logits(probe, before, after):
    return change_of_logits(probe, before, after, 1e-9)


def change_of_logits(probe, before, after, eps):
    return (torch.logit(probe(after), eps) - torch.logit(probe(before), eps)).mean(0)


@ATTRIBUTE_EFFECT.misconception("You take the median over the images. Take the mean.")
def median(probe, before, after):
    return (probe(after) - probe(before)).median(0).values


@ATTRIBUTE_EFFECT.misconception("You use the first image only. Take the mean over all images.")
def first_image(probe, before, after):
    return (probe(after) - probe(before))[0]


@ATTRIBUTE_EFFECT.misconception(
    "You divide by the largest effect. Keep the effects themselves: a share hides that nothing "
    "moved at all."
)
def share_of_the_largest(probe, before, after):
    effect = reference(probe, before, after)
    return effect / effect.abs().max().clamp(min=1e-12)


@ATTRIBUTE_EFFECT.variant
def difference_of_means(probe, before, after):
    return probe(after).mean(dim=0) - probe(before).mean(dim=0)


@ATTRIBUTE_EFFECT.variant
def asked_once(probe, before, after):
    earlier, later = probe(torch.cat([before, after])).chunk(2)
    return (later - earlier).sum(0) / len(before)


@ATTRIBUTE_EFFECT.variant
def image_by_image(probe, before, after):
    pairs = zip(before, after, strict=True)
    return sum(probe(b[None])[0] - probe(a[None])[0] for a, b in pairs) / len(before)


@ATTRIBUTE_EFFECT.variant
def in_numpy(probe, before, after):
    return (probe(after).numpy() - probe(before).numpy()).mean(axis=0)


@ATTRIBUTE_EFFECT.variant
def in_single_precision(probe, before, after):
    return (probe(after).float() - probe(before).float()).mean(0)
