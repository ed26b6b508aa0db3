"""`denoising_loss(reconstruct, corrupt, x, training)`: repair the noisy, compare with the clean."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

Map = Callable[[Tensor], Tensor]


def repair_error(reconstruct: Map, corrupt: Map, x: Tensor, training: bool) -> Tensor:
    shown = corrupt(x) if training else x
    return (reconstruct(shown) - x).square().mean()


DENOISING_LOSS = Exercise(
    name="denoising_loss",
    unit="04_autoencoders",
    title="Repair, and compare with the clean point",
    points=2,
    difficulty=2,
    minutes=15,
    reference=repair_error,
    hints=(
        "**Principle.** A denoising autoencoder is shown a damaged point and asked for the whole "
        "one. So two versions of the same point appear in the loss: the damaged one goes in, and "
        "the clean one is what the output is measured against. If the target is damaged too, the "
        "best answer is to copy, noise included, and nothing is learned. Damage is a method of "
        "training. When you measure how well the model does, or use its codes, it gets the "
        "points as they are: then the same loss is the ordinary reconstruction error, the same "
        "every time you compute it.",
        "**Place.** There are two cases, and they differ only in what the model is shown: "
        "`corrupt(x)` if `training` is true, `x` itself if not. Ask `corrupt` once for each loss, "
        "because every call is a new piece of damage; keep its answer if you need it twice. Then "
        "ask `reconstruct` about what is shown, subtract the clean `x`, square, and take the mean "
        "over all values of all points. In evaluation `corrupt` is not called at all. Test "
        "yourself: if `reconstruct` gives back its input, the loss in evaluation is zero, and in "
        "training it is the mean square of the noise.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "shown = corrupt(...) if training else ...\n"
        "error = reconstruct(shown) - ...\n"
        "return error.square().mean()\n"
        "```\n\n"
        "The first two gaps hold the same tensor, the clean points. So does the third: the target "
        "is clean in both cases. If the check says that a perfect copy costs nothing in training, "
        "your target is `shown`. If it says that noise was drawn in evaluation, the condition is "
        "missing or upside down. If the loss is too large by the number of values, you summed. "
        "The result is one number for the batch, and the images may have any number of axes.",
    ),
)

SHAPES = ((6, 9), (3, 2, 4, 4))


def draw_points(rng: np.random.Generator, shape: Sequence[int]) -> Tensor:
    return torch.from_numpy(rng.uniform(0.2, 1.0, size=shape))


def draw_reconstruct(rng: np.random.Generator) -> Oracle:
    gain, bend = rng.uniform(0.6, 0.9), rng.uniform(0.1, 0.3)
    return Oracle(lambda x: gain * x + 0.1 - bend * x.roll(1, -1) ** 2)


def draw_corrupt(rng: np.random.Generator, pitch: float = 60.0) -> Oracle:
    """Damage that looks random and is decided by the values: the same for a point anywhere."""
    level, pitch = rng.uniform(0.3, 0.6), pitch * rng.uniform(1, 1.5)
    return Oracle(lambda x: x + level * torch.sin(pitch * x))


@DENOISING_LOSS.check
def repairs_the_damaged_in_training(candidate: Candidate, rng: np.random.Generator) -> None:
    """In training the damaged points are repaired, and the repair is compared with the clean."""
    for shape in SHAPES:
        x = draw_points(rng, shape)
        reconstruct, corrupt = draw_reconstruct(rng), draw_corrupt(rng)
        given = expect.number(candidate.call(reconstruct, corrupt, x, True), "denoising_loss")
        exact = repair_error(reconstruct.function, corrupt.function, x, True)
        expect.close(given, exact, f"denoising_loss in training, x of shape {shape}", atol=1e-7)


@DENOISING_LOSS.check
def sees_clean_points_in_evaluation(candidate: Candidate, rng: np.random.Generator) -> None:
    """In evaluation there is no damage: the loss is the ordinary reconstruction error."""
    for shape in SHAPES:
        x = draw_points(rng, shape)
        reconstruct, corrupt = draw_reconstruct(rng), draw_corrupt(rng)
        given = expect.number(candidate.call(reconstruct, corrupt, x, False), "denoising_loss")
        expect.true(
            not corrupt.questions, "corrupt was called in evaluation; expected no noise there"
        )
        asked = sum(torch.as_tensor(question[0]).numel() for question in reconstruct.questions)
        expect.true(
            asked == x.numel(),
            f"reconstruct was asked about {asked} values in evaluation; expected the {x.numel()} "
            "of x, each point once",
        )
        exact = repair_error(reconstruct.function, corrupt.function, x, False)
        expect.close(given, exact, f"denoising_loss in evaluation, x of shape {shape}", atol=1e-7)


@DENOISING_LOSS.check
def a_copy_pays_for_the_noise(candidate: Candidate, rng: np.random.Generator) -> None:
    """A model that copies what it sees pays the mean square of the noise, and 0 in evaluation."""
    x, corrupt = draw_points(rng, (5, 8)), draw_corrupt(rng)
    noise = (corrupt.function(x) - x).square().mean()
    for training, exact in ((True, noise), (False, 0.0)):
        given = candidate.call(Oracle(lambda x: x), Oracle(corrupt.function), x, training)
        where = "in training" if training else "in evaluation"
        expect.close(
            expect.number(given, "denoising_loss"),
            torch.as_tensor(exact),
            f"denoising_loss of a perfect copy {where}",
            atol=1e-9,
        )


@DENOISING_LOSS.check
def damages_each_point_once(candidate: Candidate, rng: np.random.Generator) -> None:
    """In training corrupt is asked about each point once, and the model about what came back."""
    x, reconstruct, corrupt = draw_points(rng, (4, 7)), draw_reconstruct(rng), draw_corrupt(rng)
    candidate.call(reconstruct, corrupt, x, True)
    asked, shown = (
        torch.cat([torch.as_tensor(q[0]).double().reshape(-1, 7) for q in oracle.questions] or [x])
        for oracle in (corrupt, reconstruct)
    )
    expect.true(
        len(asked) == len(x) and torch.allclose(asked, x, atol=1e-6),
        f"corrupt was asked about {len(asked)} points in training; expected the {len(x)} points "
        "of x, once each",
    )
    expect.true(
        len(shown) == len(x),
        f"reconstruct was asked about {len(shown)} points in training; expected the {len(x)} that "
        "corrupt gave, once each",
    )
    expect.true(
        torch.allclose(shown, corrupt.function(x), atol=1e-5),
        "reconstruct was asked about something else than what corrupt gave",
    )


@DENOISING_LOSS.check
def accepts_single_precision(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works in single precision."""
    x, reconstruct = draw_points(rng, (4, 1, 3, 5)).float(), draw_reconstruct(rng)
    corrupt = draw_corrupt(rng, pitch=20)  # a faster one would magnify the rounding
    given = expect.number(candidate.call(reconstruct, corrupt, x, True), "denoising_loss")
    exact = repair_error(reconstruct.function, corrupt.function, x.double(), True)
    expect.close(given, exact, "denoising_loss in float32", rtol=1e-4)
