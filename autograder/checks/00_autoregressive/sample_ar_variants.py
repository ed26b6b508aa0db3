"""Right answers to `sample_ar`, written in other ways."""

import torch

from .sample_ar import reference
from .sample_ar_bank import SAMPLE_AR
from .sample_ar_signs import sample_with

variant = SAMPLE_AR.variant


@variant
def by_uniform_numbers(logits_fn, shape, num_samples, temperature, init, generator):
    return sample_with(
        logits_fn,
        shape,
        num_samples,
        init,
        lambda a: (
            torch.rand(len(a), generator=generator, dtype=a.dtype) < (a / temperature).sigmoid()
        ),
    )


@variant
def all_noise_first(logits_fn, shape, num_samples, temperature, init, generator):
    noise = torch.rand(num_samples, *shape, generator=generator).double().logit()
    x = torch.where(init < 0, 0.0, init).expand(num_samples, -1, -1).clone()
    for place in range(shape[0] * shape[1]):
        i, j = divmod(place, shape[1])
        if init[i, j] < 0:
            a = logits_fn(x)[:, i, j] / temperature
            x[:, i, j] = (a > -noise[:, i, j]).to(x.dtype)
    return x


@variant
def in_whole_numbers(logits_fn, shape, num_samples, temperature, init, generator):
    return sample_with(
        lambda x: logits_fn(x.double()),
        shape,
        num_samples,
        init.long(),
        lambda a: torch.bernoulli(torch.sigmoid(a / temperature), generator=generator),
    )


@variant
def with_the_marks_left_in(logits_fn, shape, num_samples, temperature, init, generator):
    """What is not drawn yet may be anything: the network does not look at it."""
    x = init.unsqueeze(0).repeat(num_samples, 1, 1)
    for i, j in (init < 0).nonzero().tolist():
        p = torch.sigmoid(logits_fn(x)[:, i, j] / temperature)
        x[:, i, j] = torch.bernoulli(p, generator=generator)
    return x


@variant
def by_two_values(logits_fn, shape, num_samples, temperature, init, generator):
    def draw(a):
        p = torch.stack((torch.zeros_like(a), a / temperature), 1).softmax(1)
        return torch.multinomial(p, 1, generator=generator)[:, 0]

    return sample_with(logits_fn, shape, num_samples, init, draw)


@variant
def in_single_precision(logits_fn, shape, num_samples, temperature, init, generator):
    return reference(logits_fn, shape, num_samples, temperature, init.float(), generator)
