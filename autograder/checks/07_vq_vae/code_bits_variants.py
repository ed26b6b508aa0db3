"""Right answers to `code_bits`, written in other ways."""

import math

import torch
from torch.nn.functional import cross_entropy, one_hot

from .code_bits import log_shares, position_log_shares, reference
from .code_bits_bank import CODE_BITS, counts_by_place, counts_of, prices

variant = CODE_BITS.variant


@variant
def by_cross_entropy(train, test, logits_fn, num_codes):
    learned = cross_entropy(logits_fn(test).movedim(-1, 1), test, reduction="sum")
    result = reference(train, test, logits_fn, num_codes)
    result[3] = learned / len(test) / math.log(2)
    return result


@variant
def a_list_of_numbers(train, test, logits_fn, num_codes):
    unigram, place = log_shares(train, num_codes), position_log_shares(train, num_codes)
    rows, columns = torch.meshgrid(*map(torch.arange, test.shape[1:]), indexing="ij")
    total = torch.zeros(4, dtype=torch.float64)
    for z in test:
        log_p = torch.log_softmax(logits_fn(z[None])[0].double(), -1)
        total[1] += unigram[z].sum()
        total[2] += place[rows, columns, z].sum()
        total[3] += log_p[rows, columns, z].sum()
    result = (-total / len(test) / math.log(2)).tolist()
    result[0] = test[0].numel() * math.log2(num_codes)
    return result


@variant
def in_single_precision(train, test, logits_fn, num_codes):
    return tuple(reference(train, test, lambda z: logits_fn(z).float(), num_codes).float())


@variant
def by_distributions(train, test, logits_fn, num_codes):
    def price(logits):
        log_p = torch.distributions.Categorical(logits=logits).log_prob(test)
        return -log_p.sum() / len(test) / math.log(2)

    counts = one_hot(train, num_codes).double()
    shape = (*test.shape, num_codes)
    return torch.stack(
        [
            price(torch.zeros(shape, dtype=torch.float64)),
            price((counts.sum((0, 1, 2)) + 1).log().expand(shape)),
            price((counts.sum(0) + 1).log().expand(shape)),
            price(logits_fn(test)),
        ]
    )


@variant
def logits_less_logsumexp(train, test, logits_fn, num_codes):
    logits = logits_fn(test)
    learned = logits - logits.logsumexp(-1, keepdim=True)
    return prices(train, test, logits_fn, num_codes, learned=learned.double())


@variant
def base_two_logarithms(train, test, logits_fn, num_codes):
    counts = counts_of(train, num_codes) + 1
    place = counts_by_place(train, num_codes) + 1
    unigram = torch.log2(counts / (train.numel() + num_codes))
    position = torch.log2(place / (len(train) + num_codes))
    learned = torch.log_softmax(logits_fn(test), -1) * math.log2(math.e)
    uniform = torch.tensor(test[0].numel() * math.log2(num_codes))
    rest = [
        -log_p.gather(-1, test[..., None]).sum((1, 2, 3)).mean()
        for log_p in (position.expand(*test.shape, num_codes), learned)
    ]
    return torch.stack([uniform, -unigram[test].sum((1, 2)).mean(), *rest])
