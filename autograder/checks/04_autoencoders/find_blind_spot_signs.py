"""How mistakes in `find_blind_spot` show in the images that come back, whatever code made them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from autograder.candidate import Call
from autograder.exercise import Sign

from ._blind_spot import DIM, LATENT_DIM, Problem, problem_of

NEAR = 1e-5


@dataclass(frozen=True, eq=False)
class Found:
    """One image, beside the problem that it was to solve."""

    problem: Problem
    x: Tensor

    @property
    def is_inside(self) -> bool:
        return bool((self.x >= -1e-6).all() and (self.x <= 1 + 1e-6).all())

    @property
    def is_far(self) -> bool:
        return self.problem.nearest(self.x[None]).item() >= self.problem.distance - 1e-6

    @property
    def score(self) -> float:
        return self.problem.scores(self.x).item()

    @property
    def is_copied(self) -> bool:
        return self.score < self.problem.lowest

    @property
    def is_right(self) -> bool:
        return self.is_inside and self.is_far and self.is_copied

    def is_decoded(self, places: Tensor) -> bool:
        """Whether at these places the decoder makes the same image from some code."""
        decode = self.problem.decode
        origin = decode(torch.zeros(LATENT_DIM, dtype=torch.float64))
        ends = torch.stack([decode(z) for z in 0.1 * torch.eye(LATENT_DIM, dtype=torch.float64)])
        for change in (lambda x: x, lambda x: x.logit(eps=1e-9)):
            basis = (change(ends) - change(origin))[:, places].T
            target = (change(self.x) - change(origin))[places]
            rest = target - basis @ (torch.linalg.pinv(basis) @ target)
            if rest.abs().max() < NEAR:
                return True
        return False

    def is_among(self, images: Tensor) -> bool:
        """Whether this image is one of (N, D)."""
        return bool((images - self.x).abs().amax(-1).min() < NEAR)


def found(calls: Sequence[Call]) -> list[Found]:
    """All answers; a sign that cannot read one does not apply."""
    images = []
    for call in calls:
        if not isinstance(call.value, Tensor) or tuple(call.value.shape) != (DIM,):
            raise ValueError("no image of the right shape")
        if not call.value.isfinite().all():
            raise ValueError("no numbers")
        images.append(Found(problem_of(call.args), call.value.double()))
    return images


def every(condition: Callable[[Found], bool]) -> Sign:
    """Each image meets a condition."""
    return lambda calls: all(map(condition, found(calls)))


def every_wrong(condition: Callable[[Found], bool]) -> Sign:
    """Each image that is not right meets a condition."""

    def sign(calls: Sequence[Call]) -> bool:
        wrong = [image for image in found(calls) if not image.is_right]
        return bool(wrong) and all(map(condition, wrong))

    return sign


def is_best_normal(image: Found) -> bool:
    normal = image.problem.normal
    return image.is_among(normal[image.problem.scores(normal).argmin()][None])


def is_worst_normal(image: Found) -> bool:
    normal = image.problem.normal
    return image.is_among(normal[image.problem.scores(normal).argmax()][None])


def is_reconstruction(image: Found) -> bool:
    problem = image.problem
    return image.is_among(problem.decode(problem.encode(problem.normal)))


def is_average(image: Found) -> bool:
    problem = image.problem
    codes = problem.encode(problem.normal)
    middles = torch.stack((codes.mean(0), (codes.amin(0) + codes.amax(0)) / 2, 0 * codes[0]))
    return image.is_among(torch.cat((problem.normal.mean(0)[None], problem.decode(middles))))


def is_flat(image: Found) -> bool:
    return bool(image.x.max() - image.x.min() < NEAR)


def is_shuffled(image: Found) -> bool:
    return bool(
        (image.problem.normal.sort(-1).values - image.x.sort().values).abs().amax(-1).min() < NEAR
    )


def is_flat_image(image: Found) -> bool:
    """Of one brightness that an image may have."""
    return image.is_inside and is_flat(image)


def is_clipped(image: Found) -> bool:
    """What the decoder makes of some code, except where that leaves [0, 1]."""
    at_a_bound = (image.x == 0) | (image.x == 1)
    return 1 <= int(at_a_bound.sum()) < DIM - 4 and image.is_decoded(~at_a_bound)


def clips(calls: Sequence[Call]) -> bool:
    """What is wrong was clipped or needed no clipping, and at least one of the images did."""
    wrong = [image for image in found(calls) if not image.is_right]
    return any(map(is_clipped, wrong)) and all(
        is_clipped(image) or image.is_decoded(torch.ones(DIM, dtype=torch.bool)) for image in wrong
    )


def is_bad_copy(image: Found) -> bool:
    """Far and inside, but reconstructed worse than a normal image."""
    return image.is_inside and image.is_far and image.score >= image.problem.lowest


def is_unscored(image: Found) -> bool:
    """Far and inside, made by the decoder, but copied badly."""
    return is_bad_copy(image) and image.is_decoded(torch.ones(DIM, dtype=torch.bool))


def is_noisy(image: Found) -> bool:
    """Near, and not made by the decoder."""
    decoded = image.is_decoded(torch.ones(DIM, dtype=torch.bool))
    return image.is_inside and not image.is_far and not decoded


def is_below_the_largest(image: Found) -> bool:
    """Far and inside, with a score between those of the normal images."""
    return is_bad_copy(image) and image.score < image.problem.scores(image.problem.normal).max()


def measures_the_norm(calls: Sequence[Call]) -> bool:
    """All images are far enough by the norm, and too near by the root of the mean.

    An image that is near for some other reason is often far by the norm as well. So they must
    also be barely so, as the first image of a narrow box is.
    """
    images = found(calls)
    norms = [image.problem.nearest(image.x[None]).item() * DIM**0.5 for image in images]
    return all(
        image.is_inside
        and not image.is_far
        and image.score < image.problem.lowest
        and image.problem.distance - 1e-6 <= norm < 1.6 * image.problem.distance
        for image, norm in zip(images, norms, strict=True)
    )


def has_no_numbers(calls: Sequence[Call]) -> bool:
    """Each image holds a NaN or an infinity."""
    return all(
        isinstance(call.value, Tensor)
        and tuple(call.value.shape) == (DIM,)
        and not call.value.isfinite().all()
        for call in calls
    )


def forgets_the_seed(calls: Sequence[Call]) -> bool:
    """All images are right, but two of them differ where the arguments do not."""
    images = found(calls)
    return all(image.is_right for image in images) and any(
        one.args[4] == other.args[4]
        and torch.equal(one.args[2], other.args[2])
        and not torch.equal(one.value, other.value)
        for place, one in enumerate(calls)
        for other in calls[place + 1 :]
    )


def shaped(condition: Callable[[tuple[int, ...], Problem], bool]) -> Sign:
    """Each answer's shape meets a condition."""
    return lambda calls: all(
        condition(tuple(call.value.shape), problem_of(call.args)) for call in calls
    )
