"""Wrong and right answers to `apply_attribute`."""

import torch

from ._signs import made_by
from .apply_attribute import APPLY_ATTRIBUTE, reference


@APPLY_ATTRIBUTE.misconception(
    "You decode the vector and add the result to the images. The sum belongs into the code: "
    "encode, add, then decode."
)
def added_to_the_images(encode, decode, x, vector, strength):
    return x + strength * decode(vector[None])


@APPLY_ATTRIBUTE.misconception(
    "You decode the vector alone, without the codes of the images: every image becomes the same."
)
def from_the_origin(encode, decode, x, vector, strength):
    return decode(strength * vector[None]).expand_as(x).clone()


@APPLY_ATTRIBUTE.misconception(
    "You subtract the vector where it has to be added: a positive strength must add the attribute."
)
def subtracted(encode, decode, x, vector, strength):
    return reference(encode, decode, x, vector, -strength)


@APPLY_ATTRIBUTE.misconception("You always take one whole vector. Multiply it with `strength`.")
def strength_ignored(encode, decode, x, vector, strength):
    return reference(encode, decode, x, vector, 1.0)


@APPLY_ATTRIBUTE.misconception(
    "You take the size of the strength and lose its sign. A negative strength takes the attribute "
    "off."
)
def strength_without_sign(encode, decode, x, vector, strength):
    return reference(encode, decode, x, vector, abs(strength))


@APPLY_ATTRIBUTE.misconception(
    "You limit the strength to the range from 0 to 1. Any number is allowed, also a negative one."
)
def strength_limited(encode, decode, x, vector, strength):
    return reference(encode, decode, x, vector, min(max(strength, 0.0), 1.0))


@APPLY_ATTRIBUTE.misconception(
    "You use the sign of the strength only. Multiply the vector with the strength itself."
)
def sign_of_the_strength(encode, decode, x, vector, strength):
    return reference(encode, decode, x, vector, (strength > 0) - (strength < 0))


@APPLY_ATTRIBUTE.misconception(
    "You limit the strength to the range from −1 to 1. Any number is allowed."
)
def strength_limited_to_one(encode, decode, x, vector, strength):
    return reference(encode, decode, x, vector, min(max(strength, -1.0), 1.0))


@APPLY_ATTRIBUTE.misconception(
    "You do nothing for a negative strength. It takes the attribute off."
)
def positive_strength_only(encode, decode, x, vector, strength):
    return reference(encode, decode, x, vector, max(strength, 0.0))


@APPLY_ATTRIBUTE.misconception(
    "You return the images themselves for the strength 0. It asks for the reconstruction, which is "
    "not quite the image."
)
def images_without_strength(encode, decode, x, vector, strength):
    return x.clone() if strength == 0 else reference(encode, decode, x, vector, strength)


@APPLY_ATTRIBUTE.misconception(
    "You encode twice: you send images that are reconstructions already through the model once "
    "more, and lose more on the way. Encode the images, add, decode.",
    sign=made_by(
        APPLY_ATTRIBUTE,
        lambda encode, decode, x, *args: reference(encode, decode, decode(encode(x)), *args),
        lambda encode, decode, *args: decode(encode(reference(encode, decode, *args))),
    ),
)
def encoded_twice(encode, decode, x, vector, strength):
    return reference(encode, decode, decode(encode(x)), vector, strength)


@APPLY_ATTRIBUTE.misconception(
    "You limit the values of the images to the range from 0 to 1. Return what the decoder gives."
)
def images_limited(encode, decode, x, vector, strength):
    return reference(encode, decode, x, vector, strength).clamp(0, 1)


@APPLY_ATTRIBUTE.misconception(
    "You made the vector one unit long. Its length says how far the attribute reaches: keep it."
)
def unit_length(encode, decode, x, vector, strength):
    return reference(encode, decode, x, vector / vector.norm(), strength)


@APPLY_ATTRIBUTE.misconception(
    "You multiply the code with the strength too. Only the vector is scaled."
)
def whole_code_scaled(encode, decode, x, vector, strength):
    return decode(strength * (encode(x) + vector))


@APPLY_ATTRIBUTE.misconception(
    "You mix code and vector, (1 − strength) z + strength v, so the face itself fades. Keep the "
    "whole code and add to it."
)
def mixed(encode, decode, x, vector, strength):
    return decode((1 - strength) * encode(x) + strength * vector)


@APPLY_ATTRIBUTE.misconception(
    "You add what the vector changes in the reconstruction to the original image. Return what the "
    "decoder makes of the new code."
)
def change_added_to_the_original(encode, decode, x, vector, strength):
    z = encode(x)
    return x + decode(z + strength * vector) - decode(z)


@APPLY_ATTRIBUTE.misconception(
    "You mix two images: the reconstruction and the one with the whole vector. Scale the step in "
    "the code, then decode once."
)
def mixed_images(encode, decode, x, vector, strength):
    z = encode(x)
    return (1 - strength) * decode(z) + strength * decode(z + vector)


@APPLY_ATTRIBUTE.misconception("You return the new codes. Decode them: images, (N, D).")
def not_decoded(encode, decode, x, vector, strength):
    return encode(x) + strength * vector


@APPLY_ATTRIBUTE.misconception(
    "You use the mean code of the batch for all images. Every image keeps its own code."
)
def mean_code(encode, decode, x, vector, strength):
    z = encode(x)
    return decode((z.mean(0) + strength * vector).expand_as(z))


@APPLY_ATTRIBUTE.variant
def one_image_at_a_time(encode, decode, x, vector, strength):
    return torch.cat([decode(encode(row[None]) + strength * vector) for row in x])


@APPLY_ATTRIBUTE.variant
def by_addcmul(encode, decode, x, vector, strength):
    return decode(torch.add(encode(x), vector.expand(len(x), -1), alpha=strength))


@APPLY_ATTRIBUTE.variant
def with_a_column(encode, decode, x, vector, strength):
    return decode(encode(x) + torch.full((len(x), 1), strength, dtype=x.dtype) @ vector[None])


@APPLY_ATTRIBUTE.variant
def in_numpy(encode, decode, x, vector, strength):
    z = encode(x).numpy() + strength * vector.numpy()
    return decode(torch.from_numpy(z)).numpy()


@APPLY_ATTRIBUTE.variant
def in_place_on_the_code(encode, decode, x, vector, strength):
    z = encode(x)
    z += vector * strength
    return decode(z)
