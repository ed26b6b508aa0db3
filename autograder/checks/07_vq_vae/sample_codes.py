"""`sample_codes(logits_fn, given, known, temperature, generator)`: codes one by one from a prior.

Statistical limits fail a right answer with a probability of about 1e-8.
"""

import numpy as np
import scipy.stats
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle, Seed
from autograder.exercise import Exercise
from autograder.faults import AnswerError

from ._prior import CausalModel, Chain, all_maps, map_number

RARE = 1e-9
FEW = 10  # expected counts below this are added up, or chi-square would not follow its law
MANY = 2600


def reference(logits_fn, given, known, temperature, generator) -> Tensor:
    codes = given.clone()
    for i, j in (~known).nonzero().tolist():
        shares = torch.softmax(logits_fn(codes)[:, i, j] / temperature, -1)
        codes[:, i, j] = torch.multinomial(shares, 1, generator=generator)[:, 0]
    return codes


SAMPLE_CODES = Exercise(
    name="sample_codes",
    unit="07_vq_vae",
    title="Codes one by one",
    points=4,
    difficulty=3,
    minutes=30,
    reference=reference,
    deterministic=False,
    follow_up="The same function draws whole maps and fills in what is missing.",
    hints=(
        "**Principle.** The prior is a chain: it says how probable each code is once the codes "
        "before it are there. So you draw the first, write it down, ask again, and draw the second "
        "under the condition of the first. What you draw has to be in the next question, or the "
        "codes know nothing of each other. A code that is known is kept and only stands there for "
        "the others to see. Draw, and do not take the most probable code: the most probable map is "
        "one map, and it looks like none of the typical ones. Dividing the logits by the "
        "temperature sharpens or flattens every draw.",
        "**Place.** Copy `given` first. Go through the rows from the top and through each row from "
        "the left, and skip the places that are known. At every other place ask `logits_fn` about "
        "the maps as they are now, all S at once, and use the logits of this place only, (S, K). "
        "The rest of the answer is about places whose codes are not there yet. A softmax over the "
        "last axis of logits / temperature gives probabilities, `torch.multinomial` draws one code "
        "for each map from its own row with your generator, and the column that it returns goes "
        "into the copy.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "codes = given.clone()\n"
        "for i in range(known.shape[0]):\n"
        "    for j in range(known.shape[1]):\n"
        "        if known[i, j]:\n"
        "            ...\n"
        "        logits = logits_fn(...)[:, i, j]                 # (S, K)\n"
        "        shares = torch.softmax(logits / ..., dim=-1)\n"
        "        draw = torch.multinomial(shares, 1, generator=...)   # (S, 1)\n"
        "        codes[:, i, j] = draw[:, 0]\n"
        "return codes\n"
        "```\n\n"
        "The gaps are what to do with a known place, the maps as they are now, the temperature and "
        "the generator. If the check counts too many questions, you ask about known places or "
        "about one map at a time; if too few, you do not ask again after each draw.",
    ),
)


def read(value, given: Tensor, known: Tensor, num_codes: int) -> Tensor:
    """Demand maps of codes that keep what is known."""
    expect.true(value is not None, "sample_codes is None; does your function end with a return?")
    expect.true(isinstance(value, Tensor), "sample_codes must return a tensor (S, H, W)")
    shape = tuple(given.shape)
    expect.true(
        tuple(value.shape) == shape,
        f"sample_codes has the shape {tuple(value.shape)}; expected {shape}",
    )
    expect.true(
        not value.dtype.is_floating_point and value.dtype not in (torch.bool, torch.complex128),
        f"sample_codes holds {value.dtype}; codes are whole numbers in int64",
    )
    value = value.long()
    expect.true(
        value.numel() == 0 or bool((value >= 0).all() and (value < num_codes).all()),
        f"sample_codes holds codes from {value.min()} to {value.max()}; they go from 0 to "
        f"{num_codes - 1}",
    )
    changed = int((value != given)[:, known].sum())
    expect.true(not changed, f"{changed} known codes were changed; keep them")
    return value


def _garbage(rng: np.random.Generator, count: int, model: CausalModel) -> Tensor:
    """Codes that mean nothing: what stands at unknown places before they are drawn."""
    return torch.from_numpy(rng.integers(model.num_codes, size=(count, *model.shape)))


def _seed(rng: np.random.Generator) -> Seed:
    return Seed(int(rng.integers(2**30)))


class Patient(Oracle):
    """An oracle that answers a few questions more than it should, and then no longer."""

    def answer(self, *args):
        model = self.function
        if len(self.questions) > 2 * model.shape[0] * model.shape[1] + 8:
            raise ValueError("logits_fn is asked too often: one question for each code, all maps")
        return super().answer(*args)


def _sample(candidate: Candidate, model, given: Tensor, known: Tensor, temperature: float, seed):
    oracle = Patient(model)
    value = _ask(candidate, oracle, given, known, temperature, seed)
    return read(value, given, known, model.num_codes), len(oracle.questions)


def _ask(candidate: Candidate, oracle: Patient, *args):
    """The answer; where it ended in an error after an impossible question, the reason."""
    try:
        return candidate.call(oracle, *args)
    except AnswerError:
        objections = (oracle.function.objection(torch.as_tensor(q[0])) for q in oracle.questions)
        expect.true(not (reason := next(filter(None, objections), "")), reason)
        raise


def chi_square(counts: Tensor, expected: Tensor) -> tuple[float, int]:
    """The statistic and the number of its cells; cells with small expected counts are merged."""
    few = expected < FEW
    parts = [(counts[~few], expected[~few]), (counts[few].sum()[None], expected[few].sum()[None])]
    if parts[1][1] < FEW:
        common = parts[0][1].argmin()
        parts[0][0][common] += parts[1][0][0]
        parts[0][1][common] += parts[1][1][0]
        parts = parts[:1]
    counts, expected = (torch.cat([part[n] for part in parts]) for n in (0, 1))
    return ((counts - expected).square() / expected).sum().item(), len(counts)


def _expect_joint(model, value: Tensor, known: Tensor, temperature: float, what: str) -> None:
    """Demand that whole maps are as frequent as they are probable, given the known codes."""
    maps = all_maps(*model.shape, model.num_codes)
    log_q = (model.log_probs(maps, temperature) * ~known).sum((1, 2))
    group = (maps[:, known] * model.num_codes ** torch.arange(int(known.sum()))).sum(1)
    counts = torch.bincount(map_number(value, model.num_codes), minlength=len(maps)).double()
    total, freedom = 0.0, 0
    for chosen in (group == number for number in group.unique()):
        size = counts[chosen].sum()
        if size < 20 * FEW:
            continue
        statistic, cells = chi_square(counts[chosen], size * log_q[chosen].exp())
        total, freedom = total + statistic, freedom + cells - 1
    limit = scipy.stats.chi2.isf(RARE, freedom)
    worst = (counts / len(value) - log_q.exp() * counts.sum() / len(value)).abs().argmax()
    expect.true(
        total < limit,
        f"{what}, whole maps do not come as often as they should (χ² is {total:.0f}; chance "
        f"explains {limit:.0f}); for example {maps[worst].tolist()} came {int(counts[worst])} "
        f"times in {len(value)}",
    )


@SAMPLE_CODES.check
def asks_once_for_each_code(candidate: Candidate, rng: np.random.Generator) -> None:
    """Keeps the known codes, and asks exactly once for each code that is not known, about all maps
    together."""
    for shape, count, share in (((2, 4), 3, 0.5), ((3, 2), 5, 0.0)):
        model = CausalModel(rng, *shape, 5)
        known = torch.from_numpy(rng.uniform(size=shape) < share)
        if share:
            known[0, 0], known[-1, -1] = False, True
        given = _garbage(rng, count, model)
        _, asked = _sample(candidate, model, given, known, 1.0, _seed(rng))
        missing = int((~known).sum())
        expect.true(
            asked == missing,
            f"logits_fn was asked {asked} times for {count} maps of {shape[0]} × {shape[1]} with "
            f"{missing} codes to draw; ask {missing} times",
        )


def _expect_chain(candidate: Candidate, rng, shape: tuple[int, int], num_codes: int, count: int):
    """Demand the only maps that a prior without chance allows, with about a third known."""
    chain = Chain(rng, *shape, num_codes)
    known = torch.from_numpy(rng.uniform(size=shape) < 0.3)
    known[0, 0], known[0, 1], known[-1] = False, True, False
    given = _garbage(rng, count, chain)
    given[:, 0, 1] = (given[0, 0, 1] + torch.arange(count)) % num_codes
    value, _ = _sample(candidate, chain, given, known, 1.0, _seed(rng))
    wrong = (value != chain.completed(given, known)).nonzero()
    if len(wrong):
        number, i, j = wrong[0].tolist()
        expect.true(
            False,
            f"a prior that leaves no choice on {shape[0]} × {shape[1]} with K = {num_codes}: the "
            f"codes before ({i}, {j}) allow one code there, and you drew another in map {number} "
            f"of {count}",
        )


@SAMPLE_CODES.check
def each_code_follows_from_all_before(candidate: Candidate, rng: np.random.Generator) -> None:
    """Draws in the order of the rows, each code from its own map's logits at its own place, on
    maps of any shape and for any K."""
    _expect_chain(candidate, rng, (3, 4), 11, 6)
    _expect_chain(candidate, rng, (4, 3), 5, 6)


@SAMPLE_CODES.check
def maps_come_as_often_as_probable(candidate: Candidate, rng: np.random.Generator) -> None:
    """Draws all 81 maps of 2 × 2 codes as often as their joint probability says, at any
    temperature."""
    known = torch.zeros(2, 2, dtype=torch.bool)
    answers = []
    for temperature in (1.0, float(rng.uniform(0.4, 0.6)), float(rng.uniform(1.7, 2.3))):
        model = CausalModel(rng, 2, 2, 3)
        given = _garbage(rng, MANY, model)
        answers.append((model, given, temperature))
    values = [
        _ask(candidate, Patient(model), given, known, temperature, _seed(rng))
        for model, given, temperature in answers
    ]
    # all asked first: the diagnosis sees all
    for (model, given, temperature), value in zip(answers, values, strict=True):
        value = read(value, given, known, 3)
        _expect_joint(model, value, known, temperature, f"at the temperature {temperature:.2f}")


@SAMPLE_CODES.check
def completes_what_is_known(candidate: Candidate, rng: np.random.Generator) -> None:
    """Draws what is missing given the known codes before it, wherever these are, at any
    temperature."""
    place = (1, 0) if rng.uniform() < 0.5 else (0, 1)
    model = CausalModel(rng, 2, 2, 3, strength=1.3)
    known = torch.zeros(2, 2, dtype=torch.bool)
    known[place] = True
    given = _garbage(rng, MANY, model)
    temperature = float(rng.uniform(0.5, 0.65) if rng.uniform() < 0.5 else rng.uniform(1.7, 2.1))
    value, _ = _sample(candidate, model, given, known, temperature, _seed(rng))
    what = f"with the code at {place} known, at the temperature {temperature:.2f}"
    _expect_joint(model, value, known, temperature, what)


@SAMPLE_CODES.check
def maps_are_drawn_apart(candidate: Candidate, rng: np.random.Generator) -> None:
    """Draws every map by itself: maps of 3 × 4 codes hardly ever repeat."""
    model = CausalModel(rng, 3, 4, 5, strength=0.2)
    known = torch.zeros(3, 4, dtype=torch.bool)
    given = _garbage(rng, 1, model).repeat(100, 1, 1)
    value, _ = _sample(candidate, model, given, known, 1.0, _seed(rng))
    different = len(value.unique(dim=0))
    expect.true(different > 85, f"only {different} of 100 maps are different; draw each by itself")


@SAMPLE_CODES.check
def generator_decides(candidate: Candidate, rng: np.random.Generator) -> None:
    """The generator decides: the same seed repeats the maps, another changes them, and so does a
    generator that was used before."""
    model = CausalModel(rng, 2, 3, 4, strength=0.2)
    known, given = torch.zeros(2, 3, dtype=torch.bool), _garbage(rng, 30, model)
    seed = int(rng.integers(2**30))
    one, again, other, later = (
        _sample(candidate, model, given, known, 1.0, Seed(value, used))[0]
        for value, used in ((seed, False), (seed, False), (seed + 1, False), (seed, True))
    )
    expect.true(
        torch.equal(one, again),
        "two generators with the same seed give different maps; draw with `generator=generator`",
    )
    expect.true(
        not torch.equal(one, other),
        "generators with different seeds give the same maps; draw with `generator=generator`",
    )
    expect.true(
        not torch.equal(one, later),
        "a generator that was used before gives the same maps as a fresh one; do not seed it",
    )


class Harsh:
    """The model in single precision, with huge logits and a code that is impossible."""

    harsh = True

    def __init__(self, model: CausalModel, scale: float, forbidden: int):
        self.model, self.scale, self.forbidden = model, scale, forbidden
        self.num_codes, self.shape = model.num_codes, model.shape
        self.objection = model.objection

    def __call__(self, codes: Tensor) -> Tensor:
        logits = self.scale * self.model(codes).float() + 1000
        logits[..., self.forbidden] = -torch.inf
        return logits


@SAMPLE_CODES.edge_check
def survives_harsh_logits(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for logits above a thousand, for codes with the logit minus infinity, and for a
    temperature near zero, where only the best codes are left."""
    for scale, temperature in ((1.0, 1.0), (10.0, 0.01)):
        model = Harsh(CausalModel(rng, 2, 3, 4), scale, int(rng.integers(4)))
        known = torch.zeros(2, 3, dtype=torch.bool)
        given = _garbage(rng, 200, model.model)
        value, _ = _sample(candidate, model, given, known, temperature, _seed(rng))
        logits = model(value).double()
        chosen = logits.gather(-1, value[..., None])[..., 0]
        expect.true(chosen.isfinite().all(), "a code with the logit minus infinity was drawn")
        short = ((logits.amax(-1) - chosen) / temperature).max().item()
        expect.true(
            short < 40,
            f"a code was drawn although another is {short:.0f} nats better at the temperature "
            f"{temperature:g}",
        )


@SAMPLE_CODES.edge_check
def draws_one_map(candidate: Candidate, rng: np.random.Generator) -> None:
    """Works for one map, S = 1."""
    _expect_chain(candidate, rng, (2, 3), 7, 1)


@SAMPLE_CODES.edge_check
def nothing_to_draw(candidate: Candidate, rng: np.random.Generator) -> None:
    """Returns the maps as they are, without a question, if every code is known."""
    model = CausalModel(rng, 2, 2, 3)
    given = _garbage(rng, 4, model)
    known = torch.ones(2, 2, dtype=torch.bool)
    _, asked = _sample(candidate, model, given, known, 1.0, _seed(rng))
    expect.true(asked == 0, f"logits_fn was asked {asked} times, although every code is known")
