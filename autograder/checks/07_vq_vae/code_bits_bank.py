"""Wrong answers to `code_bits`."""

import math

import torch
from torch.nn.functional import one_hot

from .code_bits import CODE_BITS, bits, log_shares, position_log_shares, reference

misconception = CODE_BITS.misconception


def prices(train, test, logits_fn, num_codes, **other):
    """The right prices, but for the log probabilities that are given by name."""
    learned = torch.log_softmax(logits_fn(test).double(), -1)
    right = {
        "uniform": torch.full_like(learned, -math.log(num_codes)),
        "unigram": log_shares(train, num_codes),
        "position": position_log_shares(train, num_codes),
        "learned": learned,
    }
    parts = [log_p.expand_as(learned) for log_p in {**right, **other}.values()]
    return torch.stack([bits(log_p, test) for log_p in parts])


def counts_of(codes, num_codes):
    return torch.bincount(codes.flatten(), minlength=num_codes).double()


def counts_by_place(codes, num_codes):
    return one_hot(codes, num_codes).sum(0).double()


@misconception("Your prices are in nats. Divide by log 2 to have bits.")
def in_nats(train, test, logits_fn, num_codes):
    return reference(train, test, logits_fn, num_codes) * math.log(2)


@misconception("You multiply by log 2 to get from nats to bits. Divide: one nat is 1.44 bits.")
def multiplied_by_log_two(train, test, logits_fn, num_codes):
    return reference(train, test, logits_fn, num_codes) * math.log(2) ** 2


@misconception("Your prices are for one code. A map costs the sum over its places.")
def per_code(train, test, logits_fn, num_codes):
    return reference(train, test, logits_fn, num_codes) / test[0].numel()


@misconception("You summed over the test maps. The price of one map is asked for: take the mean.")
def summed_over_maps(train, test, logits_fn, num_codes):
    return reference(train, test, logits_fn, num_codes) * len(test)


@misconception(
    "Your prices are negative. To write down a code of probability p takes -log2 p bits."
)
def negative(train, test, logits_fn, num_codes):
    return -reference(train, test, logits_fn, num_codes)


@misconception(
    "You counted the codes of the test maps, which the receiver does not have. The frequencies "
    "come from the training maps."
)
def frequencies_of_the_test(train, test, logits_fn, num_codes):
    return reference(test, test, logits_fn, num_codes)


@misconception(
    "Your unigram prior counts the test maps, which the receiver does not have. That is cheaper "
    "than it can be: count the training maps."
)
def unigram_of_the_test(train, test, logits_fn, num_codes):
    return prices(train, test, logits_fn, num_codes, unigram=log_shares(test, num_codes))


@misconception(
    "Your per-position prior counts the test maps, which the receiver does not have. That is "
    "cheaper than it can be: count the training maps."
)
def positions_of_the_test(train, test, logits_fn, num_codes):
    return prices(train, test, logits_fn, num_codes, position=position_log_shares(test, num_codes))


@misconception("Your learned price is in nats, the others are in bits. Divide it by log 2 too.")
def learned_in_nats(train, test, logits_fn, num_codes):
    result = reference(train, test, logits_fn, num_codes)
    result[3] *= math.log(2)
    return result


@misconception(
    "You take K from the largest code that is there. The last codes may be in no map: K is "
    "`num_codes`."
)
def num_codes_unused(train, test, logits_fn, num_codes):
    largest = int(torch.maximum(train.max(), test.max())) + 1
    learned = reference(train, test, logits_fn, num_codes)[3:]
    codes_only = reference(train, test, lambda codes: one_hot(codes, largest).double(), largest)
    return torch.cat([codes_only[:3], learned])


@misconception(
    "You write down the training maps. Their codes made the frequencies: the bill comes from the "
    "test maps."
)
def bill_for_training_maps(train, test, logits_fn, num_codes):
    return reference(train, train, logits_fn, num_codes)


@misconception(
    "Your counts are not smoothed, and a code that never occurred costs infinitely many bits. Add "
    "1 to every count."
)
def without_smoothing(train, test, logits_fn, num_codes):
    unigram = counts_of(train, num_codes)
    place = counts_by_place(train, num_codes)
    return prices(
        train,
        test,
        logits_fn,
        num_codes,
        unigram=torch.log(unigram / unigram.sum()),
        position=torch.log(place / len(train)),
    )


@misconception(
    "You smooth the unigram counts, but not those of each place, where codes are missing far more "
    "often. Add 1 there too."
)
def positions_not_smoothed(train, test, logits_fn, num_codes):
    place = torch.log(counts_by_place(train, num_codes) / len(train))
    return prices(train, test, logits_fn, num_codes, position=place)


@misconception(
    "You add 1 to the counts and divide by the old total, so the probabilities sum to more than 1 "
    "and the prices are too low. There are K ones more."
)
def divided_by_the_old_total(train, test, logits_fn, num_codes):
    return prices(
        train,
        test,
        logits_fn,
        num_codes,
        unigram=torch.log((counts_of(train, num_codes) + 1) / train.numel()),
        position=torch.log((counts_by_place(train, num_codes) + 1) / len(train)),
    )


@misconception(
    "You add 1 to the total once. Each of the K counts got a 1, so the total grows by K."
)
def total_grows_by_one(train, test, logits_fn, num_codes):
    return prices(
        train,
        test,
        logits_fn,
        num_codes,
        unigram=torch.log((counts_of(train, num_codes) + 1) / (train.numel() + 1)),
        position=torch.log((counts_by_place(train, num_codes) + 1) / (len(train) + 1)),
    )


@misconception(
    "You put a tiny number in place of probabilities of zero. Add 1 to every count instead: all "
    "codes get a share, and the shares still sum to 1."
)
def clamped(train, test, logits_fn, num_codes):
    unigram = counts_of(train, num_codes) / train.numel()
    place = counts_by_place(train, num_codes) / len(train)
    return prices(
        train,
        test,
        logits_fn,
        num_codes,
        unigram=torch.log(unigram.clamp(min=1e-10)),
        position=torch.log(place.clamp(min=1e-10)),
    )


@misconception(
    "You normalise the counts of each place by the number of all codes. At one place they sum to "
    "the number of maps plus K."
)
def positions_share_a_total(train, test, logits_fn, num_codes):
    place = counts_by_place(train, num_codes) + 1
    return prices(train, test, logits_fn, num_codes, position=torch.log(place / place.sum()))


@misconception(
    "Your per-position prior has a price for each row only: count at each place, row and column."
)
def rows_for_places(train, test, logits_fn, num_codes):
    counts = one_hot(train, num_codes).sum((0, 2)).double() + 1
    rows = torch.log(counts / counts.sum(-1, keepdim=True))[:, None]
    return prices(train, test, logits_fn, num_codes, position=rows)


@misconception("Your per-position prior is the unigram prior again: count at each place by itself.")
def unigram_for_positions(train, test, logits_fn, num_codes):
    unigram = log_shares(train, num_codes)
    return prices(train, test, logits_fn, num_codes, position=unigram)


@misconception(
    "You exchanged the unigram and the per-position prior. The order is uniform, unigram, per "
    "position, learned."
)
def unigram_and_position_swapped(train, test, logits_fn, num_codes):
    return reference(train, test, logits_fn, num_codes)[[0, 2, 1, 3]]


@misconception("You return the prices in reverse. The order starts with the uniform prior.")
def reversed_order(train, test, logits_fn, num_codes):
    return reference(train, test, logits_fn, num_codes).flip(0)


@misconception(
    "You return the entropy of the frequencies. That would be the price if the test maps had the "
    "very same frequencies; you pay for the codes that come."
)
def entropy_for_cross_entropy(train, test, logits_fn, num_codes):
    result = reference(train, test, logits_fn, num_codes)
    unigram, place = log_shares(train, num_codes), position_log_shares(train, num_codes)
    result[1] = -(unigram.exp() * unigram).sum() * test[0].numel() / math.log(2)
    result[2] = -(place.exp() * place).sum() / math.log(2)
    return result


@misconception(
    "You averaged the model's entropy. The bill is for the code that is there: gather its log "
    "probability."
)
def entropy_of_the_model(train, test, logits_fn, num_codes):
    result = reference(train, test, logits_fn, num_codes)
    log_p = torch.log_softmax(logits_fn(test).double(), -1)
    result[3] = -(log_p.exp() * log_p).sum() / len(test) / math.log(2)
    return result


@misconception(
    "You take the logits for log probabilities. They are not normalised: take `log_softmax` over "
    "the codes."
)
def logits_not_normalised(train, test, logits_fn, num_codes):
    return prices(train, test, logits_fn, num_codes, learned=logits_fn(test).double())


@misconception(
    "Your softmax runs over the columns of the map instead of over the codes, which are the last "
    "axis."
)
def softmax_over_columns(train, test, logits_fn, num_codes):
    learned = torch.log_softmax(logits_fn(test).double(), 2)
    return prices(train, test, logits_fn, num_codes, learned=learned)


@misconception(
    "Your softmax runs over the maps of the batch. It runs over the codes, the last axis."
)
def softmax_over_maps(train, test, logits_fn, num_codes):
    learned = torch.log_softmax(logits_fn(test).double(), 0)
    return prices(train, test, logits_fn, num_codes, learned=learned)


@misconception(
    "You treat each code as a yes or no with a sigmoid. One of K codes is there: that is a softmax."
)
def sigmoid_for_softmax(train, test, logits_fn, num_codes):
    learned = torch.nn.functional.logsigmoid(logits_fn(test).double())
    return prices(train, test, logits_fn, num_codes, learned=learned)


@misconception(
    "You compare the logits of a place with the code of the next place. The logits at (i, j) are "
    "already those of the code at (i, j)."
)
def next_code(train, test, logits_fn, num_codes):
    log_p = torch.log_softmax(logits_fn(test).double(), -1)
    later = test.flatten(1).roll(-1, dims=1).reshape(test.shape)
    result = reference(train, test, logits_fn, num_codes)
    result[3] = bits(log_p, later)
    return result


@misconception(
    "You average probabilities over the maps before the logarithm. The bits are averaged: the mean "
    "of -log2 p, not -log2 of a mean."
)
def logarithm_of_the_mean(train, test, logits_fn, num_codes):
    result = reference(train, test, logits_fn, num_codes)
    learned = torch.log_softmax(logits_fn(test).double(), -1)
    unigram, place = log_shares(train, num_codes), position_log_shares(train, num_codes)
    for n, log_p in enumerate((unigram, place, learned), start=1):
        chosen = log_p.expand_as(learned).gather(-1, test[..., None])[..., 0].sum((1, 2))
        result[n] = (math.log(len(test)) - chosen.logsumexp(0)) / math.log(2)
    return result


@misconception(
    "Your uniform prior knows which codes occur in the training maps. It spreads over all K."
)
def uniform_over_codes_in_use(train, test, logits_fn, num_codes):
    result = reference(train, test, logits_fn, num_codes)
    result[0] = test[0].numel() * math.log2(len(train.unique()))
    return result


@misconception(
    "Your uniform prior rounds the bits of a code up to a whole number. An entropy coder shares "
    "bits among codes: log2 K for each."
)
def whole_bits(train, test, logits_fn, num_codes):
    result = reference(train, test, logits_fn, num_codes)
    result[0] = test[0].numel() * math.ceil(math.log2(num_codes))
    return result


@misconception("You return perplexities, 2 to the power of the bits. The bits are asked for.")
def perplexities(train, test, logits_fn, num_codes):
    return 2 ** reference(train, test, logits_fn, num_codes)


@misconception(
    "You return what each prior saves. The prices themselves are asked for, the uniform one first."
)
def savings(train, test, logits_fn, num_codes):
    result = reference(train, test, logits_fn, num_codes)
    return result[0] - result


@misconception(
    "You ask the model about the training maps and compare with the test codes. Ask about the maps "
    "that you write down."
)
def asked_about_training_maps(train, test, logits_fn, num_codes):
    rows = torch.arange(len(test)) % len(train)
    learned = torch.log_softmax(logits_fn(train).double(), -1)[rows]
    return prices(train, test, logits_fn, num_codes, learned=learned)


@misconception(
    "Right for small logits. For large ones the softmax rounds to 0 and its logarithm is infinite: "
    "use `torch.log_softmax`."
)
def softmax_then_logarithm(train, test, logits_fn, num_codes):
    learned = torch.log(torch.softmax(logits_fn(test), -1)).double()
    return prices(train, test, logits_fn, num_codes, learned=learned)


@misconception(
    "Right as long as the last codes occur. `bincount` is as long as the largest code that it "
    "meets: pass `minlength=num_codes`.",
    sign=lambda calls: (
        any("out of bounds" in c.error_text for c in calls)
        and sum(c.error is not None for c in calls) <= 2
    ),
)
def bincount_too_short(train, test, logits_fn, num_codes):
    counts = torch.bincount(train.flatten()).double() + 1
    unigram = torch.log(counts / counts.sum())
    result = reference(train, test, logits_fn, num_codes)
    result[1] = -unigram[test].sum() / len(test) / math.log(2)
    return result
