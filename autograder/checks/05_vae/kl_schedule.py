"""`kl_schedule(step, warmup_steps)`: the weight of the divergence while training starts."""

import itertools

import numpy as np

from autograder import expect
from autograder.candidate import Candidate
from autograder.exercise import Exercise

STEEPEST = 3.0  # most that one step may add, in units of 1 / warmup_steps
SWEPT = 350  # length of the warm-up that is looked at step by step


def reference(step: int, warmup_steps: int) -> float:
    return 1.0 if step >= warmup_steps else step / warmup_steps


KL_SCHEDULE = Exercise(
    name="kl_schedule",
    unit="05_vae",
    title="A warm-up that arrives",
    points=1,
    difficulty=1,
    minutes=10,
    reference=reference,
    deterministic=False,
    follow_up=(
        "From the last step of the warm-up on you maximise the ELBO itself. Report no ELBO from "
        "before: with β < 1 the loss is no bound."
    ),
    hints=(
        "**Principle.** With β below one the divergence is cheap, so the encoder may speak before "
        "the decoder has learnt to listen. Then the price rises until it is the true one. Only "
        "with β equal to one is the loss the negative ELBO, so the schedule has to arrive, at one "
        "and not near one, and stay there for the rest of the training. It must never go down "
        "again, and it must rise gently: a sudden jump at the end would close the hidden values "
        "that the warm-up has opened. A straight line has all these properties; other curves do "
        "as well.",
        "**Place.** The straight line is step / warmup_steps, which is 0 at step 0 and 1 at step "
        "`warmup_steps`. Beyond that it goes on rising, so it has to be stopped at one: `min`. "
        "Two traps are in the division. With `//` it gives zero until the end and then one, a "
        "jump. And `warmup_steps` may be 0, which means no warm-up at all: β is 1 from step 0 on, "
        "and nothing may be divided by zero. Ask for this case first. Curves such as 1 − "
        "exp(−step/warmup_steps) only come near one, however long you train.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "if step >= ...:\n"
        "    return 1.0\n"
        "return ... / ...\n"
        "```\n\n"
        "The first gap is `warmup_steps`. This line also covers `warmup_steps = 0`, because every "
        "step is at or beyond it, and no division follows. The second line is the straight line "
        "from 0 to 1. Look at your values for warmup_steps = 4: they must be 0, a quarter, a half, "
        "three quarters, 1, 1, 1 and so on, if you chose the straight line. If the fourth step "
        "gives 0.8 you divided by one too many, and if the third gives 1, by one too few.",
    ),
)


def _ask(candidate: Candidate, step: int, warmup_steps: int) -> float:
    what = f"kl_schedule({step}, {warmup_steps})"
    value = expect.number(candidate.call(step, warmup_steps), what)
    expect.true(-1e-9 <= value <= 1 + 1e-9, f"{what} is {value:.6g}; expected a number from 0 to 1")
    return value


def _expect(candidate: Candidate, warmup_steps: int, right: dict[int, float]) -> None:
    """Demand these weights at these steps; all are asked for before the first is judged."""
    values = {step: _ask(candidate, step, warmup_steps) for step in right}
    for step, value in values.items():
        expect.true(
            abs(value - right[step]) < 1e-9,
            f"kl_schedule({step}, {warmup_steps}) is {value:.6g}; expected {right[step]:g}",
        )


@KL_SCHEDULE.check
def starts_at_zero_and_arrives(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is 0 at the first step, exactly 1 at the step `warmup_steps`, and 1 at every step after."""
    warmup = int(rng.integers(50, 500))
    later = warmup + 1, int(rng.uniform(1.2, 9) * warmup), 2 * warmup, 9 * warmup + 3
    later = warmup, *later, 100 * warmup, 10**7 + warmup
    _expect(candidate, warmup, {0: 0.0} | dict.fromkeys(later, 1.0))


@KL_SCHEDULE.check
def rises_gently_all_the_way(candidate: Candidate, rng: np.random.Generator) -> None:
    """Stays below 1 during the warm-up, never falls, and adds at most 3 / `warmup_steps` a step."""
    for warmup, spacing in ((SWEPT, 1), (8, 1), (int(rng.integers(1000, 5000)), 250)):
        places = sorted({*range(0, warmup, spacing), warmup - 1, warmup})
        values = [_ask(candidate, step, warmup) for step in places]
        early = [place for place, value in zip(places, values, strict=True) if value >= 1]
        expect.true(
            early == [warmup],
            f"the weight is 1 at step {early[:1]} of {warmup} already; expected less than 1 before "
            f"step {warmup}",
        )
        _expect_gentle(places, values, warmup)


def _expect_gentle(places: list[int], values: list[float], warmup: int) -> None:
    for n, (low, high) in enumerate(itertools.pairwise(values)):
        early, late = places[n : n + 2]
        ends = f"from {low:.6g} at step {early} to {high:.6g} at step {late} of {warmup}"
        expect.true(high >= low - 1e-6, f"the weight falls {ends}; expected it never to fall")
        expect.true(
            high - low <= STEEPEST * (late - early) / warmup + 1e-6,
            f"the weight jumps {ends}; expected {STEEPEST:g}/{warmup} a step at most",
        )


@KL_SCHEDULE.edge_check
def no_warm_up_is_possible(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is 1 from step 0 on if `warmup_steps` is 0, and a single step of warm-up works too."""
    _expect(candidate, 0, dict.fromkeys((int(rng.integers(2, 1000)), 1, 0), 1.0))
    _expect(candidate, 1, {0: 0.0, 1: 1.0})
