"""Wrong answers to `sample_codes` that show in the questions or in the form of the answer."""

import torch

from . import sample_codes_signs as signs
from .sample_codes import SAMPLE_CODES, reference

misconception = SAMPLE_CODES.misconception


def places(known):
    return (~known).nonzero().tolist()


def draw(logits, generator):
    """One code for each row of logits (S, K)."""
    return torch.multinomial(torch.softmax(logits, -1), 1, generator=generator)[:, 0]


@misconception(
    "You write into `given`. Arguments stay as they are: begin with `given.clone()`.",
    sign=lambda calls: any(getattr(c.error, "code", "") == "changed_argument" for c in calls),
)
def given_overwritten(logits_fn, given, known, temperature, generator):
    for i, j in places(known):
        given[:, i, j] = draw(logits_fn(given)[:, i, j] / temperature, generator)
    return given


@misconception(
    "You return floating-point numbers. Codes are numbers of entries: whole, in int64.",
    sign=lambda calls: any(
        isinstance(c.value, torch.Tensor) and c.value.dtype.is_floating_point for c in calls
    ),
)
def codes_as_floats(logits_fn, given, known, temperature, generator):
    return reference(logits_fn, given, known, temperature, generator).double()


@misconception(
    "Your codes count from 1. They go from 0 to K − 1, as `torch.multinomial` gives them.",
    sign=lambda calls: (
        signs.asked_about(lambda codes, num_codes: codes.max() == num_codes)(calls)
        and not signs.begins_with_num_codes(calls)
    ),
)
def codes_from_one(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in places(known):
        codes[:, i, j] = 1 + draw(logits_fn(codes)[:, i, j] / temperature, generator)
    return codes


@misconception(
    "You mark the missing codes with a negative number and ask about them. `logits_fn` takes codes "
    "from 0 to K − 1 at all places; what stands at those that come later does not matter.",
    sign=signs.asked_about(lambda codes, num_codes: codes.min() < 0),
)
def missing_marked_by_minus_one(logits_fn, given, known, temperature, generator):
    marked = torch.where(known, given, -torch.ones_like(given))
    return reference(logits_fn, marked, known, temperature, generator)


@misconception(
    "You mark the missing codes with K, a code that does not exist, and ask about them. "
    "`logits_fn` takes codes from 0 to K − 1 at all places; what stands at those that come later "
    "does not matter.",
    sign=signs.begins_with_num_codes,
)
def missing_marked_by_num_codes(logits_fn, given, known, temperature, generator):
    marked = torch.where(known, given, given.max() + 1)
    return reference(logits_fn, marked, known, temperature, generator)


@misconception(
    "You hand logits to `torch.multinomial`, which wants probabilities: take a softmax over the "
    "codes first.",
    sign=lambda calls: (
        signs.says("probability tensor")(calls) and not signs.only_harsh_raises(calls)
    ),
)
def logits_as_probabilities(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in places(known):
        logits = logits_fn(codes)[:, i, j] / temperature
        codes[:, i, j] = torch.multinomial(logits, 1, generator=generator)[:, 0]
    return codes


@misconception(
    "You ask once and draw all codes from that answer, so they know nothing of each other. Ask "
    "again after every draw.",
    sign=signs.all_of(lambda s: len(s.asked) == 1, signs.several_missing),
)
def all_at_once(logits_fn, given, known, temperature, generator):
    logits, codes = logits_fn(given), given.clone()
    for i, j in places(known):
        codes[:, i, j] = draw(logits[:, i, j] / temperature, generator)
    return codes


@misconception(
    "You ask about one map at a time. `logits_fn` takes all S maps together: one question for each "
    "code, however many maps there are.",
    sign=lambda calls: all(
        c.args[0].questions and all(q[0].shape[0] == 1 for q in c.args[0].questions)
        for c in calls
        if len(c.args[1]) > 1 and not c.args[2].all()
    ),
)
def one_map_at_a_time(logits_fn, given, known, temperature, generator):
    maps = [reference(logits_fn, z[None], known, temperature, generator) for z in given]
    return torch.cat(maps)


@misconception(
    "You draw the known codes too. Skip them: they stay as they are, and the others see them.",
    sign=signs.all_of(
        lambda s: not signs.keeps_known(s) and len(s.asked) == s.value.shape[1],
        lambda s: signs.has_known(s) and len(s.value) > 1000,
    ),
)
def known_codes_drawn(logits_fn, given, known, temperature, generator):
    return reference(logits_fn, given, torch.zeros_like(known), temperature, generator)


@misconception(
    "You draw whole maps and put the known codes in at the end, so the drawn ones never saw them. "
    "Keep the known codes in the maps that you ask about.",
    sign=signs.all_of(
        lambda s: (
            signs.keeps_known(s)
            and len(s.asked) == s.value.shape[1]
            and not torch.equal(s.asked[-1][:, s.known], s.given[:, s.known])
        ),
        lambda s: signs.has_known(s) and len(s.value) > 1000,
    ),
)
def known_codes_put_in_last(logits_fn, given, known, temperature, generator):
    everything = torch.zeros_like(known)
    given_away = torch.zeros_like(given)
    codes = reference(logits_fn, given_away, everything, temperature, generator)
    return torch.where(known, given, codes)


@misconception(
    "You ask about known places as well, although you keep their codes. A question is a run of a "
    "network: skip these places.",
    sign=signs.all_of(
        lambda s: (
            signs.keeps_known(s)
            and len(s.asked) == s.value.shape[1]
            and torch.equal(s.asked[-1][:, s.known], s.given[:, s.known])
        ),
        signs.has_known,
    ),
)
def asks_for_known_codes(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i in range(known.shape[0]):
        for j in range(known.shape[1]):
            new = draw(logits_fn(codes)[:, i, j] / temperature, generator)
            codes[:, i, j] = torch.where(known[i, j], codes[:, i, j], new)
    return codes


@misconception(
    "You read the mask the wrong way round: `known` is True where a code is given, and you draw "
    "those and keep the others.",
    sign=signs.all_of(
        lambda s: torch.equal(s.value[:, s.missing], s.given[:, s.missing]), signs.several_missing
    ),
)
def mask_inverted(logits_fn, given, known, temperature, generator):
    return reference(logits_fn, given, ~known, temperature, generator)


@misconception(
    "You start from a map of zeros, and the known codes are lost: start from a copy of `given`.",
    sign=signs.all_of(
        lambda s: bool((s.value[:, s.known] == 0).all()),
        lambda s: signs.has_known(s) and bool((s.given[:, s.known] != 0).any()),
    ),
)
def starts_from_zeros(logits_fn, given, known, temperature, generator):
    return reference(logits_fn, torch.zeros_like(given), known, temperature, generator)


@misconception(
    "The known codes are not in the maps that you ask about, although you return them: the drawn "
    "codes never saw them. Start from a copy of `given`.",
    sign=signs.all_of(signs.hides_known, lambda s: signs.has_known(s) and len(s.value) > 1000),
)
def known_codes_hidden(logits_fn, given, known, temperature, generator):
    away = torch.where(known, 0, given)
    codes = reference(logits_fn, away, known, temperature, generator)
    return torch.where(known, given, codes)


@misconception(
    "You ask once too often: one question for each code that is not known, and none before or "
    "after. The number of codes K is in the shape of every answer.",
    sign=signs.all_of(lambda s: len(s.asked) == len(s.missing) + 1, signs.several_missing),
)
def one_question_too_many(logits_fn, given, known, temperature, generator):
    logits_fn(given)
    return reference(logits_fn, given, known, temperature, generator)


@misconception(
    "You take the most probable code each time. That gives one map, the same again and again: draw "
    "with the probabilities.",
    sign=signs.all_of(signs.always_best),
)
def most_probable(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in places(known):
        codes[:, i, j] = logits_fn(codes)[:, i, j].argmax(-1)
    return codes


@misconception(
    "You take the mean of the codes and round it. Codes are names, not quantities: code 2 is not "
    "between 1 and 3. Draw one of them.",
    sign=signs.all_of(signs.rounded_mean, lambda s: len(s.value) > 1000),
)
def rounded_mean(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in places(known):
        shares = torch.softmax(logits_fn(codes)[:, i, j] / temperature, -1)
        codes[:, i, j] = (shares @ torch.arange(shares.shape[-1]).to(shares)).round().long()
    return codes


@misconception(
    "All maps of the batch come out alike: you draw one code, or one set of random numbers, for "
    "all of them. Every map draws its own, from its own row of logits.",
    sign=lambda calls: (
        signs.all_of(
            lambda s: bool((s.value == s.value[0]).all()), lambda s: s.value.shape[1] == 12
        )(calls)
        and not signs.all_of(signs.always_best)(calls)
        and not signs.all_of(signs.rounded_mean)(calls)
    ),
)
def one_draw_for_all_maps(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in places(known):
        codes[:, i, j] = draw(logits_fn(codes)[:1, i, j] / temperature, generator)
    return codes


@misconception(
    "You use the same random number at every place of a map, so its codes hang together in a way "
    "that the prior does not know. Draw a new one for each code.",
    sign=signs.all_of(signs.one_number_for_all_places, signs.several_missing),
)
def one_number_for_all_places(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    u = torch.rand(len(given), 1, generator=generator, dtype=torch.float64)
    for i, j in places(known):
        shares = torch.softmax(logits_fn(codes)[:, i, j].double() / temperature, -1)
        below = (shares.cumsum(-1) < u).sum(-1)
        codes[:, i, j] = below.clamp(max=shares.shape[-1] - 1)
    return codes


@misconception(
    "You draw with torch's global generator. Pass `generator=generator`, or nobody can repeat your "
    "maps.",
    sign=lambda calls: signs.same_for(calls, same_seed=True) is False,
)
def global_generator(logits_fn, given, known, temperature, generator):
    return reference(logits_fn, given, known, temperature, None)


@misconception(
    "You seed a generator yourself, so every call gives the same maps. Draw with the generator "
    "that you are given.",
    sign=lambda calls: (
        signs.same_for(calls, same_seed=False) is True
        and signs.same_for(calls, same_seed=True) is True
    ),
)
def own_seed(logits_fn, given, known, temperature, generator):
    generator = torch.Generator().manual_seed(0)
    return reference(logits_fn, given, known, temperature, generator)


@misconception(
    "You seed the generator anew with its first seed, so a second call repeats the first. Draw "
    "from it as it is.",
    sign=lambda calls: (
        signs.same_for(calls, same_seed=True, used=True) is True
        and signs.same_for(calls, same_seed=False) is False
    ),
)
def seeded_again(logits_fn, given, known, temperature, generator):
    generator.manual_seed(generator.initial_seed())
    return reference(logits_fn, given, known, temperature, generator)


@misconception(
    "You draw some maps and repeat them to fill the batch. Every map is drawn by itself.",
    sign=signs.all_of(
        lambda s: torch.equal(s.value[50:], s.value[:50]) and bool((s.value != s.value[0]).any()),
        lambda s: s.value.shape[1] == 12,
    ),
)
def maps_repeated(logits_fn, given, known, temperature, generator):
    codes = reference(logits_fn, given, known, temperature, generator)
    if known.any() or len(codes) < 2:
        return codes
    half = codes[: (len(codes) + 1) // 2]
    return torch.cat([half, half])[: len(codes)]
