r"""Drawn faces in colour whose attributes can be chosen: smile, glasses, hat, beard and hair.

Every combination of attributes is equally frequent, so no attribute tells anything about another
(in photographs, beards and long hair, say, go with other things). All else, such as the place, the
tilt, the colours and the proportions of a face, varies at random and independently of them.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from course_lib.data.draw import check_request, column, in_chunks
from course_lib.data.face_paint import paint_faces
from course_lib.data.image_set import AttributeSet
from course_lib.data.split import mark_split, split_seed

ATTRIBUTE_NAMES = ("smile", "glasses", "hat", "beard", "long hair", "blond hair")
NUM_COMBINATIONS = 2 ** len(ATTRIBUTE_NAMES)
PERSON = (  # name, lowest, highest; lengths in halves of a picture, angles in radians
    ("place_x", -0.08, 0.08),
    ("place_y", -0.04, 0.06),
    ("tilt", -0.14, 0.14),
    ("width", 0.46, 0.54),
    ("height", 0.60, 0.68),
    ("eye_gap", 0.19, 0.23),
    ("eye_size", 0.075, 0.095),
    ("gaze", -0.03, 0.03),
    ("mouth_width", 0.19, 0.25),
    ("skin", 0.0, 1.0),  # from dark to light
    ("hair", 0.0, 1.0),  # shade within dark or blond
    ("light", -0.12, 0.12),  # brighter on the right, or on the left
    ("background", 0.0, 1.0),
    ("background_shade", 0.0, 1.0),
    ("shirt", 0.0, 1.0),
    ("hat_hue", 0.0, 1.0),
)


def faces(
    num_images: int,
    *,
    split: str = "train",
    size: int = 32,
    seed: int = 0,
    attributes: Bool[Tensor, "N A"] | None = None,
) -> AttributeSet:
    r"""Faces of random people with six attributes, each there in half of the pictures.

    Args:
        num_images: How many, N. The first of many are the same as few with the same seed.
        split: "train" or "test"; no picture is in both.
        size: Of the pictures, 32 or 64 pixels.
        seed: 0 or a positive whole number. It decides who is shown: with other `attributes` the
            same people come back, with these.
        attributes: What each face shall have, columns as in `attribute_names`; None: in each
            64 faces that follow one another every combination once, in random order.

    Returns:
        Colour pictures, shape (N, 3, size, size), and their attributes "smile", "glasses", "hat",
        "beard", "long hair" and "blond hair" (else dark). The label is 1 for a smile.

    Raises:
        ValueError: A number is out of range, `split` is neither, or the attributes do not fit.

    Example:
        >>> data = faces(640)
        >>> data.images.shape, data.attribute("smile").sum()
        (torch.Size([640, 3, 32, 32]), tensor(320))
        >>> same_people = faces(640, attributes=torch.zeros(640, 6, dtype=torch.bool))
    """
    check_request(num_images, size)
    seeds = torch.Generator().manual_seed(split_seed(split, seed))
    person_seed, attribute_seed = torch.randint(2**31, (2,), generator=seeds, device="cpu").tolist()
    people = _draw_people(num_images, person_seed)
    if attributes is None:
        attributes = _draw_attributes(num_images, attribute_seed)
    shape = (num_images, len(ATTRIBUTE_NAMES))
    if attributes.shape != shape or attributes.dtype != torch.bool:
        raise ValueError(
            f"attributes has shape {tuple(attributes.shape)} and type {attributes.dtype}; expected "
            f"{shape}, of torch.bool: columns {', '.join(ATTRIBUTE_NAMES)}"
        )
    attributes = attributes.cpu()

    def render(part: slice) -> Float[Tensor, "B 3 H W"]:
        own = {name: column(value[part]) for name, value in people.items()}
        has = zip(ATTRIBUTE_NAMES, attributes[part].float().unbind(1), strict=True)
        return paint_faces(own, {name: column(value) for name, value in has}, size)

    return AttributeSet(
        images=mark_split(in_chunks(num_images, size, render), split),
        labels=attributes[:, 0].long(),
        label_names=("no smile", "smile"),
        attributes=attributes,
        attribute_names=ATTRIBUTE_NAMES,
        source=f"{num_images} drawn faces ({split}), rendered with seed {seed}",
    )


def _draw_people(num_images: int, seed: int) -> dict[str, Float[Tensor, " N"]]:
    generator = torch.Generator().manual_seed(seed)
    shape = (num_images, len(PERSON))
    draws = torch.rand(shape, generator=generator, device="cpu", dtype=torch.float32)
    return {
        name: low + (high - low) * draws[:, k].clone() for k, (name, low, high) in enumerate(PERSON)
    }


def _draw_attributes(num_images: int, seed: int) -> Bool[Tensor, "N A"]:
    generator = torch.Generator().manual_seed(seed)
    num_blocks = math.ceil(num_images / NUM_COMBINATIONS)
    keys = torch.rand(num_blocks, NUM_COMBINATIONS, generator=generator, device="cpu")
    combination = keys.argsort(1).flatten()[:num_images]
    bits = torch.arange(len(ATTRIBUTE_NAMES), device="cpu")
    return (combination[:, None] >> bits & 1).bool()
