"""Wrong answers to `sample_codes` that draw with other probabilities than the prior's."""

import torch

from . import sample_codes_signs as signs
from .sample_codes import reference

# after the mistakes that show in the questions and in the form of the answer
from .sample_codes_bank import SAMPLE_CODES, draw, places

misconception = SAMPLE_CODES.misconception


@misconception(
    "You ask about the maps as they were at the beginning each time, so no code sees the ones "
    "drawn before. Write every draw down and ask about that.",
    sign=lambda calls: (
        signs.drawn_with(signs.no_feedback)(calls)
        and signs.all_of(lambda s: all(torch.equal(q, s.given) for q in s.asked))(calls)
    ),
)
def no_feedback(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in places(known):
        codes[:, i, j] = draw(logits_fn(given)[:, i, j] / temperature, generator)
    return codes


@misconception(
    "You ignore the temperature: the logits are divided by it.",
    sign=signs.drawn_with(signs.temperature_ignored),
)
def temperature_ignored(logits_fn, given, known, temperature, generator):
    return reference(logits_fn, given, known, 1.0, generator)


@misconception(
    "You multiply the logits by the temperature. Divide: a low temperature makes the choice "
    "sharper.",
    sign=signs.drawn_with(signs.temperature_multiplied),
)
def temperature_multiplied(logits_fn, given, known, temperature, generator):
    return reference(logits_fn, given, known, 1 / temperature, generator)


@misconception(
    "You divide by the square of the temperature. Divide the logits by it once.",
    sign=signs.drawn_with(signs.temperature_squared),
)
def temperature_squared(logits_fn, given, known, temperature, generator):
    return reference(logits_fn, given, known, temperature**2, generator)


@misconception(
    "You divide by the root of the temperature. Divide the logits by the temperature itself.",
    sign=signs.drawn_with(signs.temperature_root),
)
def temperature_root(logits_fn, given, known, temperature, generator):
    return reference(logits_fn, given, known, temperature**0.5, generator)


@misconception(
    "You take the softmax twice: probabilities are divided by the temperature and go through a "
    "softmax again. Divide the logits, then take one softmax.",
    sign=signs.drawn_with(signs.two_softmaxes),
)
def two_softmaxes(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in places(known):
        shares = torch.softmax(logits_fn(codes)[:, i, j], -1)
        codes[:, i, j] = draw(shares / temperature, generator)
    return codes


@misconception(
    "You draw all codes with equal probability: what the prior says is not used.",
    sign=signs.drawn_with(signs.uniform),
)
def uniform_codes(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in places(known):
        codes[:, i, j] = draw(0 * logits_fn(codes)[:, i, j], generator)
    return codes


@misconception(
    "You fill the map column by column. The prior reads row by row: what it says about a place "
    "counts on all rows above, and on what is to the left.",
    sign=signs.drawn_with(signs.column_by_column),
)
def column_by_column(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for j in range(known.shape[1]):
        for i in range(known.shape[0]):
            if not known[i, j]:
                codes[:, i, j] = draw(logits_fn(codes)[:, i, j] / temperature, generator)
    return codes


@misconception(
    "You go through each row from the right. What the prior says about a place counts on the codes "
    "to the left: begin there.",
    sign=signs.drawn_with(signs.rows_from_the_right),
)
def rows_from_the_right(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i in range(known.shape[0]):
        for j in reversed(range(known.shape[1])):
            if not known[i, j]:
                codes[:, i, j] = draw(logits_fn(codes)[:, i, j] / temperature, generator)
    return codes


@misconception(
    "You begin at the end of the map. The first code is the one at the top left.",
    sign=lambda calls: (
        signs.drawn_with(signs.no_feedback)(calls)
        and signs.all_of(lambda s: s.first_drawn() == int(s.missing[-1]), signs.several_missing)(
            calls
        )
    ),
)
def backwards(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in places(known)[::-1]:
        codes[:, i, j] = draw(logits_fn(codes)[:, i, j] / temperature, generator)
    return codes


@misconception(
    "You use the logits of the place before. The logits at (i, j) are already those of the code at "
    "(i, j).",
    sign=signs.drawn_with(signs.place_before),
)
def logits_of_the_place_before(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    width = known.shape[1]
    for i, j in places(known):
        before = max(i * width + j - 1, 0)
        logits = logits_fn(codes).flatten(1, 2)[:, before]
        codes[:, i, j] = draw(logits / temperature, generator)
    return codes


@misconception(
    "You exchanged row and column: the logits of the place (i, j) are `logits[:, i, j]`.",
    sign=lambda calls: (
        signs.says("IndexError")(calls) or signs.drawn_with(signs.transposed_place)(calls)
    ),
)
def transposed_place(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in places(known):
        codes[:, i, j] = draw(logits_fn(codes)[:, j, i] / temperature, generator)
    return codes


@misconception(
    "You draw all maps from the logits of the first one. Each map has its own row of logits, for "
    "its own codes so far.",
    sign=signs.drawn_with(signs.first_map_for_all),
)
def logits_of_the_first_map(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in places(known):
        logits = logits_fn(codes)[:1, i, j].expand(len(codes), -1)
        codes[:, i, j] = draw(logits / temperature, generator)
    return codes


@misconception(
    "You put the logits through a sigmoid and normalise. Probabilities of one code among K come "
    "from a softmax.",
    sign=signs.drawn_with(signs.sigmoids),
)
def sigmoid_for_softmax(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in places(known):
        shares = torch.sigmoid(logits_fn(codes)[:, i, j] / temperature)
        codes[:, i, j] = torch.multinomial(shares, 1, generator=generator)[:, 0]
    return codes


def flat_by_height(logits_fn, given, known, temperature, generator):
    codes, (height, _) = given.clone(), known.shape
    for i, j in places(known):
        place = min(i * height + j, known.numel() - 1)
        logits = logits_fn(codes).flatten(1, 2)[:, place]
        codes[:, i, j] = draw(logits / temperature, generator)
    return codes


@misconception(
    "You read the flat answer with the wrong width: the place (i, j) has the number i · W + j, for "
    "W columns.",
    sign=signs.on_chains(flat_by_height),
)
def flat_place_by_height(logits_fn, given, known, temperature, generator):
    return flat_by_height(logits_fn, given, known, temperature, generator)


@misconception(
    "The temperature has no effect if some codes are known. It divides the logits in every draw.",
    sign=signs.wrong_only_with(signs.temperature_ignored, signs.has_known),
)
def temperature_ignored_when_completing(logits_fn, given, known, temperature, generator):
    temperature = 1.0 if known.any() else temperature
    return reference(logits_fn, given, known, temperature, generator)


@misconception(
    "Right for ordinary logits. Large ones overflow in your exponentials: `torch.softmax` "
    "subtracts the largest first.",
    sign=signs.only_harsh_fails,
)
def exponentials_overflow(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in places(known):
        shares = torch.exp(logits_fn(codes)[:, i, j] / temperature)
        shares = shares / shares.sum(-1, keepdim=True)
        codes[:, i, j] = torch.multinomial(shares, 1, generator=generator)[:, 0]
    return codes
