"""A small exercise of its own, so that the machinery is tested apart from the course's banks."""

import pytest
import torch

from autograder import expect
from autograder.exercise import Exercise


def make_exercise() -> Exercise:
    exercise = Exercise(
        name="double",
        unit="00_test",
        title="Twice the argument",
        points=3,
        difficulty=1,
        minutes=1,
        reference=lambda x: 2 * x,
        hints=("first", "second", "third"),
    )

    @exercise.check
    def equals_twice(candidate, rng):
        """Equals twice the argument."""
        x = torch.from_numpy(rng.normal(size=5)) + 3
        expect.close(candidate.call(x), 2 * x, "double")

    @exercise.check
    def has_slope_two(candidate, rng):
        """Has the slope two everywhere."""
        x = torch.from_numpy(rng.normal(size=4))
        (slope,) = candidate.gradient(x)
        expect.close(slope, torch.full((4,), 2.0), "the gradient")

    @exercise.misconception("You squared.")
    def squares(x):
        return x**2

    @exercise.misconception("You tripled.")
    def triples(x):
        return 3 * x

    @exercise.variant
    def adds(x):
        return x + x

    return exercise


@pytest.fixture
def exercise() -> Exercise:
    return make_exercise()
