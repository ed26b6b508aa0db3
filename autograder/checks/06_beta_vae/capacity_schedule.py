"""`capacity_schedule(step, num_steps, max_capacity)`: nats that a code may have, step by step."""

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise


def reference(step: int, num_steps: int, max_capacity: float) -> float:
    """Burgess et al. 2018, section 5: from 0 in a straight line."""
    return max_capacity if step >= num_steps else max_capacity * step / num_steps


CAPACITY_SCHEDULE = Exercise(
    name="capacity_schedule",
    unit="06_beta_vae",
    title="A capacity that grows and arrives",
    points=1,
    difficulty=1,
    minutes=10,
    reference=reference,
    follow_up=(
        "Each further nat goes to what reduces the distortion most. That is why the hidden values "
        "open one after the other, and not all at once."
    ),
    hints=(
        "**Principle.** The code starts with nothing to say and is given nats little by little. "
        "The first ones go to what reduces the distortion most, for most images the place and the "
        "size of what is seen. When the price of that has fallen, the next hidden value opens. So "
        "the capacity has to rise evenly, from nothing to the largest value, and then stay there: "
        "the rest of the training is for the decoder, at a rate that no longer changes. A schedule "
        "that comes near and never arrives trains something else than you report. One that goes "
        "on rising never comes to rest.",
        "**Place.** Two pieces: a straight line through 0 at step 0 and `max_capacity` at step "
        "`num_steps`, and a constant from there on. On the line the share of the way is step / "
        "num_steps, a number from 0 to 1, and the capacity that share of the maximum. Stop the "
        "share at one with `min`, or ask `step >= num_steps` first. The second is safer, because "
        "`num_steps` may be 0, and then the division fails. The unit is that of `max_capacity`, so "
        "nothing is to be converted. Use `/`, as `//` rounds down to whole numbers.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "if step >= ...:\n"
        "    return max_capacity\n"
        "return ... * step / ...\n"
        "```\n\n"
        "The gaps are `num_steps`, `max_capacity` and `num_steps` again. Look at the values for "
        "num_steps = 4 and max_capacity = 20: they must be 0, 5, 10, 15, 20, 20, 20 and so on. If "
        "they are 4, 8, 12, 16, 20 you counted the steps from one and divided by one too many; if "
        "they are 0, 0.25, 0.5 and so on, the maximum is missing. With num_steps = 0 every step is "
        "at or beyond the end, so the first line answers and no division follows. With a maximum "
        "of 0 the capacity is 0 for ever.",
    ),
)


def _expect(candidate: Candidate, right: float, *args: float) -> None:
    what = f"capacity_schedule({args[0]}, {args[1]}, {args[2]:g})"
    value = expect.number(candidate.call(*args), what)
    expect.true(
        abs(value - right) <= 1e-6 * (1 + abs(right)), f"{what} is {value:.6g}; expected {right:g}"
    )


@CAPACITY_SCHEDULE.check
def rises_in_a_straight_line(candidate: Candidate, rng: np.random.Generator) -> None:
    """Starts at 0, adds the same amount in every step, and arrives after `num_steps` steps."""
    most = float(rng.uniform(15, 40))
    for step in range(5):
        _expect(candidate, step * most / 4, step, 4, most)
    num_steps = int(rng.integers(500, 5000))
    for step in (1, int(rng.integers(2, num_steps // 2)), num_steps - 1):
        _expect(candidate, most * step / num_steps, step, num_steps, most)


@CAPACITY_SCHEDULE.check
def stays_when_it_has_arrived(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays at the maximum for the rest of the training."""
    num_steps, most = int(rng.integers(50, 500)), float(rng.uniform(15, 40))
    for step in (num_steps, num_steps + 1, num_steps + num_steps // 2, 7 * num_steps + 3):
        _expect(candidate, most, step, num_steps, most)


@CAPACITY_SCHEDULE.edge_check
def the_ends_are_possible(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is the maximum from step 0 on if `num_steps` is 0, and 0 throughout if the maximum is 0."""
    most = float(rng.uniform(15, 40))
    for step in (int(rng.integers(2, 100)), 0):
        _expect(candidate, most, step, 0, most)
    _expect(candidate, 0.0, 0, 1, most)
    _expect(candidate, most, 1, 1, most)
    _expect(candidate, 0.0, 3, 5, 0.0)
