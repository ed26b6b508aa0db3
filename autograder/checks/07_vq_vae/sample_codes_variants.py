"""Right answers to `sample_codes`, written in other ways."""

import itertools

import torch

from .sample_codes_shares_bank import SAMPLE_CODES

variant = SAMPLE_CODES.variant


@variant
def by_the_gumbel_trick(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in itertools.product(*map(range, known.shape)):
        if not known[i, j]:
            logits = logits_fn(codes)[:, i, j].double() / temperature
            u = torch.rand(logits.shape, generator=generator, dtype=torch.float64)
            codes[:, i, j] = (logits - torch.log(-torch.log(u))).argmax(-1)
    return codes


@variant
def by_inverse_cumulative_probabilities(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for place in range(known.numel()):
        i, j = divmod(place, known.shape[1])
        if known[i, j]:
            continue
        shares = torch.softmax(logits_fn(codes)[:, i, j].double() / temperature, -1)
        u = torch.rand(len(codes), 1, generator=generator, dtype=torch.float64)
        codes[:, i, j] = (shares.cumsum(-1) <= u).sum(-1).clamp(max=shares.shape[-1] - 1)
    return codes


@variant
def unknown_places_cleared_first(logits_fn, given, known, temperature, generator):
    codes = torch.where(known, given, torch.zeros_like(given))
    for i in range(known.shape[0]):
        for j in range(known.shape[1]):
            if known[i, j]:
                continue
            log_p = torch.log_softmax(logits_fn(codes)[:, i, j, :] / temperature, dim=1)
            draw = torch.multinomial(log_p.exp(), num_samples=1, generator=generator)
            codes[:, i, j] = draw.squeeze(1)
    return codes


@variant
def on_rows(logits_fn, given, known, temperature, generator):
    rows = given.flatten(1).clone()
    for place in (~known).flatten().nonzero()[:, 0]:
        logits = logits_fn(rows.reshape(given.shape)).flatten(1, 2)[:, place]
        shares = (logits / temperature).softmax(-1)
        rows[:, place] = torch.multinomial(shares, 1, generator=generator).flatten()
    return rows.reshape(given.shape)


@variant
def exponential_races(logits_fn, given, known, temperature, generator):
    codes = given.clone()
    for i, j in (~known).nonzero().tolist():
        shares = torch.softmax(logits_fn(codes)[:, i, j].double() / temperature, -1)
        times = torch.empty_like(shares).exponential_(generator=generator)
        codes[:, i, j] = (shares / times).argmax(-1)
    return codes
