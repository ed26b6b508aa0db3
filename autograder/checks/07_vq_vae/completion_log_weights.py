"""`completion_log_weights(logits_fn, codes, known)`: mends completions of codes known too late."""

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

from ._prior import CausalModel, all_maps


def reference(logits_fn, codes: Tensor, known: Tensor) -> Tensor:
    log_p = torch.log_softmax(logits_fn(codes), -1)
    chosen = log_p.gather(-1, codes[..., None])[..., 0]
    return (chosen * known).sum((1, 2))


COMPLETION_LOG_WEIGHTS = Exercise(
    name="completion_log_weights",
    unit="07_vq_vae",
    title="What came too late to be heard",
    points=3,
    difficulty=3,
    minutes=25,
    reference=reference,
    follow_up="Their mean, as weights, is the probability of the known codes: unit 02 again.",
    hints=(
        "**Principle.** Drawing the missing codes in order listens only to known codes that come "
        "before. A known code that comes later is kept, but nobody asked whether it fits. "
        "Importance weights ask afterwards. The completions come from a proposal, the product of "
        "the conditionals of the codes that were drawn. The target is proportional to the joint "
        "probability of the whole map, the product over all places. Divide the one by the other: "
        "the conditionals of the drawn codes cancel, and what is left is how probable each known "
        "code was, given all that stood before it in this very completion.",
        "**Place.** One question about all the completed maps is enough, because every code is "
        "there now: `logits_fn(codes)` gives (S, H, W, K), and the model makes sure that each "
        "place sees only what comes before. Take `log_softmax` over the last axis, gather the log "
        "probability of the code that stands at each place, and sum over the places where `known` "
        "is True. Those where it is False cancel and must not enter. The result is one number for "
        "each map, (S,), not normalised: their mean, after the exponential, estimates the "
        "probability of the known codes.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "log_p = torch.log_softmax(logits_fn(...), dim=...)            # (S, H, W, K)\n"
        "chosen = log_p.gather(-1, codes[..., None])[..., 0]           # (S, H, W)\n"
        "return chosen[:, ...].sum(dim=1)                              # (S,)\n"
        "```\n\n"
        "The gaps are the completed maps, the axis of the codes, and the mask of the places that "
        "count. Test yourself in your head: if only the first code is known, nothing came before "
        "it, so all maps have the same weight, and drawing in order was right from the start. If "
        "all codes are known, the weight of a map is its probability. If nothing is known, every "
        "weight is 1 and its logarithm 0.",
    ),
)


def expect_weights(candidate: Candidate, model, codes: Tensor, known: Tensor, which: str) -> Tensor:
    right = reference(model, codes, known)
    given = candidate.call(Oracle(model), codes, known)
    return expect.close(given, right, f"completion_log_weights {which}", atol=1e-4)


@COMPLETION_LOG_WEIGHTS.check
def are_the_known_codes_given_what_came_before(
    candidate: Candidate, rng: np.random.Generator
) -> None:
    """Is, for each map, the log probability of its known codes, each given all codes before it."""
    for shape, num_codes, count in (((3, 4), 4, 6), ((4, 2), 5, 9), ((2, 3), 3, 1)):
        model = CausalModel(rng, *shape, num_codes)
        codes = torch.from_numpy(rng.integers(num_codes, size=(count, *shape)))
        known = torch.from_numpy(rng.permutation(shape[0] * shape[1]) % 2 == 0).reshape(shape)
        shift = torch.from_numpy(rng.normal(scale=2.0, size=(*shape, 1)))
        which = f"for {count} maps of {shape[0]} × {shape[1]}"
        expect_weights(candidate, lambda z, m=model, s=shift: m(z) + s, codes, known, which)


@COMPLETION_LOG_WEIGHTS.check
def turn_the_proposal_into_the_posterior(candidate: Candidate, rng: np.random.Generator) -> None:
    """Over all 27 completions of a map, proposal times weight sums to the probability of the known
    code, and its shares are the exact posterior."""
    model = CausalModel(rng, 2, 2, 3, strength=1.5)
    known = torch.zeros(2, 2, dtype=torch.bool)
    place = divmod(int(rng.integers(1, 4)), 2)
    known[place] = True
    every, code = all_maps(2, 2, 3), int(rng.integers(3))
    maps = every[every[:, place[0], place[1]] == code]
    maps = maps[torch.from_numpy(rng.permutation(len(maps)))]
    log_w = expect.tensor(
        candidate.call(Oracle(model), maps, known), (len(maps),), "completion_log_weights"
    )
    expect.finite(log_w, "completion_log_weights")
    log_p = model.log_probs(maps)
    weighted = (log_w + (log_p * ~known).sum((1, 2))).exp()
    joint = log_p.sum((1, 2)).exp()
    expect.true(
        abs(weighted.sum() - joint.sum()) < 1e-4,
        f"proposal times weight sums to {weighted.sum():.5f} over all completions; the code at "
        f"{place} has the probability {joint.sum():.5f}",
    )
    off = (weighted / weighted.sum() - joint / joint.sum()).abs().max()
    expect.true(off < 1e-4, f"the weighted proposal is off by {off:.4f} from the exact posterior")


@COMPLETION_LOG_WEIGHTS.check
def codes_known_first_weigh_alike(candidate: Candidate, rng: np.random.Generator) -> None:
    """Gives all completions the same weight if the known codes are the first ones: then nothing has
    to be mended."""
    model = CausalModel(rng, 3, 3, 4)
    known = torch.zeros(3, 3, dtype=torch.bool)
    known[0], known[1, 0] = True, True
    codes = torch.from_numpy(rng.integers(4, size=(12, 3, 3)))
    codes[:, known] = codes[0, known]
    expect_weights(candidate, model, codes, known, "for codes that are known first")


@COMPLETION_LOG_WEIGHTS.edge_check
def nothing_or_everything_known(candidate: Candidate, rng: np.random.Generator) -> None:
    """Is 0 if nothing is known, and the log probability of the map if everything is; logits in the
    thousands do no harm."""
    model = CausalModel(rng, 2, 3, 3)
    codes = torch.from_numpy(rng.integers(3, size=(5, 2, 3)))
    for known in (torch.zeros(2, 3).bool(), torch.ones(2, 3).bool()):
        which = f"with all codes {'known' if known.all() else 'missing'}"
        expect_weights(candidate, model, codes, known, which)
    expect_weights(
        candidate, lambda z: 300 * model(z).float() + 1000, codes, known, "for large logits"
    )
