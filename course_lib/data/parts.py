r"""Grey pictures of machined parts on a bench: turned discs with a bore and four bolt holes.

Good parts differ in place, angle, size, light and turning marks. Six kinds of defects can be added;
apart from its defect, a bad part is the very same picture that it would be as a good one.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from course_lib.data.draw import check_request, column, coverage, in_chunks, pixel_centers
from course_lib.data.image_set import ImageSet
from course_lib.data.split import mark_split, split_seed

LABEL_NAMES = (
    *("good", "scratch", "dent", "missing hole"),
    *("chipped edge", "stain", "wrong bore"),
)
GOOD, SCRATCH, DENT, MISSING_HOLE, CHIPPED_EDGE, STAIN, WRONG_BORE = range(7)
NUM_HOLES = 4
NOISE = 0.015  # standard deviation of the camera's noise
POSE = (  # name, lowest, highest; lengths in halves of a picture, angles in radians
    ("center_x", -0.08, 0.08),
    ("center_y", -0.08, 0.08),
    ("turn", 0.0, math.pi / 2),  # the part looks the same after a quarter turn
    ("radius", 0.74, 0.84),
    ("light_angle", 0.0, 2 * math.pi),
    ("light", 0.10, 0.22),  # how much brighter on the side of the light
    ("metal", 0.52, 0.68),
    ("bench", 0.08, 0.20),
    ("marks", 0.02, 0.05),  # strength of the turning marks
    ("marks_phase", 0.0, 2 * math.pi),
)
WHERE = (  # of the defect, in the part's own frame
    ("angle", 0.0, 2 * math.pi),
    ("along", -0.35, 0.35),
    ("strength", 0.0, 1.0),
    ("sign", -1.0, 1.0),
)


def parts(
    num_images: int,
    *,
    split: str = "train",
    defect_share: float = 0.0,
    size: int = 32,
    seed: int = 0,
) -> ImageSet:
    r"""Machined parts, good ones and, if asked for, a share with a defect of one of six kinds.

    Args:
        num_images: How many, N.
        split: "train" or "test"; no picture is in both.
        defect_share: Share of the parts that have a defect: that many, rounded, at random
            places in the set and with all kinds equally often.
        size: Of the pictures, 32 or 64 pixels.
        seed: 0 or a positive whole number. With the same seed but another `defect_share`, each
            part keeps its pose, light and noise: only the defect comes or goes.

    Returns:
        Grey pictures, shape (N, 1, size, size). Label 0 is "good"; 1 to 6 are "scratch", "dent",
        "missing hole", "chipped edge", "stain" and "wrong bore".

    Raises:
        ValueError: A number is out of range, or `split` is neither.

    Example:
        >>> data = parts(600, split="test", defect_share=0.1)
        >>> data.labels.bincount().tolist()
        [540, 10, 10, 10, 10, 10, 10]
    """
    check_request(num_images, size)
    if not 0 <= defect_share <= 1:
        raise ValueError(f"defect_share is {defect_share}; expected a share between 0 and 1")
    seeds = torch.Generator().manual_seed(split_seed(split, seed))
    pose_seed, order_seed, noise_seed = torch.randint(
        2**31, (3,), generator=seeds, device="cpu"
    ).tolist()
    pose = _draw((*POSE, *WHERE), num_images, pose_seed)
    labels = _draw_labels(num_images, round(defect_share * num_images), order_seed)
    noise = torch.Generator().manual_seed(noise_seed)

    def render(part: slice) -> Float[Tensor, "B 1 H W"]:
        images = _render({name: column(v[part]) for name, v in pose.items()}, labels[part], size)
        grain = torch.randn(images.shape, generator=noise, device="cpu", dtype=images.dtype)
        return images.add_(grain, alpha=NOISE)[:, None]

    images = mark_split(in_chunks(num_images, size, render), split)
    return ImageSet(
        images=images,
        labels=labels,
        label_names=LABEL_NAMES,
        source=f"{num_images} machined parts ({split}), {int((labels > 0).sum())} of them with a "
        f"defect, rendered with seed {seed}",
    )


def _draw(
    ranges: tuple[tuple[str, float, float], ...], num_images: int, seed: int
) -> dict[str, Float[Tensor, " N"]]:
    generator = torch.Generator().manual_seed(seed)
    shape = (num_images, len(ranges))  # one row each: the first of many are the same as few
    draws = torch.rand(shape, generator=generator, device="cpu", dtype=torch.float32)
    return {
        name: low + (high - low) * draws[:, k].clone() for k, (name, low, high) in enumerate(ranges)
    }


def _draw_labels(num_images: int, num_defects: int, seed: int) -> Int[Tensor, " N"]:
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(num_images, generator=generator, device="cpu")[:num_defects]
    labels = torch.zeros(num_images, dtype=torch.int64, device="cpu")
    labels[chosen] = 1 + torch.arange(num_defects, device="cpu") % (len(LABEL_NAMES) - 1)
    return labels


def _render(
    pose: dict[str, Float[Tensor, "B 1 1"]], labels: Int[Tensor, " B"], size: int
) -> Float[Tensor, "B H W"]:
    x, y = pixel_centers(size)
    x, y = x - pose["center_x"], y - pose["center_y"]
    # the light belongs to the bench; the part is turned in it
    toward_light = x * pose["light_angle"].cos() + y * pose["light_angle"].sin()
    radius = (x * x + y * y).sqrt_()
    cos, sin = pose["turn"].cos(), pose["turn"].sin()
    x, y = x * cos + y * sin, y * cos - x * sin
    defects = {kind: (labels == kind).nonzero()[:, 0] for kind in range(1, len(LABEL_NAMES))}
    solid = _outline(x, y, radius, pose, defects, size)
    surface = _surface(radius, toward_light, pose)
    for kind, spoil in ((SCRATCH, _scratch), (DENT, _dent), (STAIN, _stain)):
        if len(which := defects[kind]):
            own = {name: value[which] for name, value in pose.items()}
            surface[which] += spoil(x[which], y[which], own, size)
    bench = toward_light.mul_(0.03).add_(pose["bench"])
    return surface.sub_(bench).mul_(solid).add_(bench)


def _outline(
    x: Float[Tensor, "B H W"],
    y: Float[Tensor, "B H W"],
    radius: Float[Tensor, "B H W"],
    pose: dict[str, Float[Tensor, "B 1 1"]],
    defects: dict[int, Int[Tensor, " K"]],
    size: int,
) -> Float[Tensor, "B H W"]:
    r"""How much of each pixel is metal."""
    outer = pose["radius"]
    bore = 0.30 * outer
    if len(which := defects[WRONG_BORE]):  # too narrow or too wide by a third to a half
        change = pose["sign"][which].sign() * (0.33 + 0.17 * pose["strength"][which])
        bore = bore.index_put((which,), bore[which] * (1 + change))
    solid = coverage(torch.maximum(radius - outer, bore - radius), size)
    # four holes on the diagonals are one hole after folding all quarters onto the first
    at = 0.66 * math.sqrt(0.5) * outer
    hole = coverage((x.abs() - at).square_().add_((y.abs() - at).square_()).sqrt_() - 0.12, size)
    if len(which := defects[MISSING_HOLE]):
        quarter = (pose["angle"][which] / (math.pi / 2)).floor_()
        here = 2 * (y[which] < 0).float() + (x[which] < 0).float()
        hole[which] *= here != quarter
    solid.mul_(1 - hole)
    if len(which := defects[CHIPPED_EDGE]):
        angle, strength = pose["angle"][which], pose["strength"][which]
        dx = x[which] - angle.cos() * outer[which]
        dy = y[which] - angle.sin() * outer[which]
        solid[which] *= 1 - coverage((dx * dx + dy * dy).sqrt_() - 0.16 - 0.1 * strength, size)
    return solid


def _surface(
    radius: Float[Tensor, "B H W"],
    toward_light: Float[Tensor, "B H W"],
    pose: dict[str, Float[Tensor, "B 1 1"]],
) -> Float[Tensor, "B H W"]:
    r"""Brightness of the metal: light from one side, turning marks, a bevel that catches it."""
    turning = (radius * 40 + pose["marks_phase"]).sin_().mul_(pose["marks"])
    bevel = (radius - pose["radius"] + 0.06).mul_(1 / 0.05).square_().neg_().exp_()
    tilt = toward_light * pose["light"]
    return turning.add_(pose["metal"]).add_(tilt).add_(bevel.mul_(tilt).mul_(1.5))


def _scratch(
    x: Float[Tensor, "K H W"],
    y: Float[Tensor, "K H W"],
    pose: dict[str, Float[Tensor, "K 1 1"]],
    size: int,
) -> Float[Tensor, "K H W"]:
    r"""A thin straight line, bright or dark."""
    cos, sin = pose["angle"].cos(), pose["angle"].sin()
    off = 0.45 * pose["along"].sign() + 0.2 * pose["along"]  # beside the bore
    across = (x * sin - y * cos + off).abs_() - 0.035
    along = (x * cos + y * sin).abs_() - 0.28 - 0.17 * pose["strength"]
    return coverage(torch.maximum(across, along), size) * (0.35 * pose["sign"].sign())


def _dent(
    x: Float[Tensor, "K H W"],
    y: Float[Tensor, "K H W"],
    pose: dict[str, Float[Tensor, "K 1 1"]],
    size: int,
) -> Float[Tensor, "K H W"]:
    r"""A small hollow: dark on one side, bright on the other."""
    dx = x - 0.42 * pose["angle"].cos()
    dy = y - 0.42 * pose["angle"].sin()
    width = 0.10 + 0.04 * pose["strength"]
    bump = (dx * dx + dy * dy).div_(2 * width**2).neg_().exp_()
    return bump * dx.div_(width) * 0.55 * pose["sign"].sign()


def _stain(
    x: Float[Tensor, "K H W"],
    y: Float[Tensor, "K H W"],
    pose: dict[str, Float[Tensor, "K 1 1"]],
    size: int,
) -> Float[Tensor, "K H W"]:
    r"""A large faint patch with a soft border."""
    dx = x - 0.45 * pose["angle"].cos()
    dy = y - 0.45 * pose["angle"].sin()
    distance = (dx * dx + 1.6 * dy * dy).sqrt_() - 0.26 - 0.08 * pose["strength"]
    return distance.div_(0.05).neg_().sigmoid_().mul_(-0.16)
