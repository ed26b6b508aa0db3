"""Wrong answers to `sample_ar`."""

import torch
from torch.special import log_ndtr

from .sample_ar import SAMPLE_AR, at, reference
from .sample_ar_signs import (
    alternative,
    always,
    answered,
    asked,
    forgets_the_state,
    free,
    has_images,
    holds_copies,
    is_binary,
    is_most_probable,
    same_for_other_seeds,
    sample_with,
)

misconception = SAMPLE_AR.misconception


@misconception(
    "You call the network once and draw all pixels from its answer. Each conditional needs the "
    "pixels drawn before: ask again after each pixel.",
    sign=always(lambda c: len(asked(c)) == 1 < free(c)),
)
def one_call(logits_fn, shape, num_samples, temperature, init, generator):
    x = init.clamp(min=0).repeat(num_samples, 1, 1)
    draws = torch.bernoulli((logits_fn(x) / temperature).sigmoid(), generator=generator)
    return torch.where(init < 0, draws, x)


@misconception(
    "You call the network for each image by itself. All images go through the loop together: one "
    "call for each pixel.",
    sign=lambda calls: any("was called more than" in c.error_text for c in calls),
)
def one_image_at_a_time(logits_fn, shape, num_samples, temperature, init, generator):
    rows = [
        reference(logits_fn, shape, 1, temperature, init, generator) for _ in range(num_samples)
    ]
    return torch.cat(rows)


@misconception(
    "You draw the given pixels too. Where `init` is 0 or 1 the value stays.",
    sign=lambda calls: any(
        is_binary(c) and bool((c.value[:, c.args[4] >= 0] != c.args[4][c.args[4] >= 0]).any())
        for c in answered(calls)
        if (c.args[4] >= 0).any()
    ),
)
def given_overwritten(logits_fn, shape, num_samples, temperature, init, generator):
    nothing = torch.full_like(init, -1.0)
    return reference(logits_fn, shape, num_samples, temperature, nothing, generator)


@misconception(
    "The given pixels come in only at the end of yours: the network is asked about images that do "
    "not hold them.",
    sign=lambda calls: any(
        any((q[:, c.args[4] >= 0] != c.args[4][c.args[4] >= 0]).any() for q in asked(c))
        for c in answered(calls)
        if (c.args[4] >= 0).any() and len(asked(c)) == free(c)
    ),
)
def given_not_fed(logits_fn, shape, num_samples, temperature, init, generator):
    x = torch.zeros(num_samples, *shape, dtype=init.dtype)
    x = sample_with(
        logits_fn,
        shape,
        num_samples,
        init,
        lambda a: torch.bernoulli((a / temperature).sigmoid(), generator=generator),
        x=x,
    )
    return torch.where(init < 0, x, init)


@misconception(
    "You also call the network for the pixels that are given. They need no call.",
    sign=lambda calls: any(len(asked(c)) == c.args[4].numel() > free(c) for c in answered(calls)),
)
def call_for_given(logits_fn, shape, num_samples, temperature, init, generator):
    x = init.clamp(min=0).repeat(num_samples, 1, 1)
    for i in range(shape[0]):
        for j in range(shape[1]):
            p = (logits_fn(x)[:, i, j] / temperature).sigmoid()
            if init[i, j] < 0:
                x[:, i, j] = torch.bernoulli(p, generator=generator)
    return x


@misconception(
    "You hand probabilities back to the network in place of draws. The next pixels must see what "
    "was drawn, 0 or 1.",
    sign=lambda calls: any(
        bool(((q > 0.001) & (q < 0.999)).any()) for c in answered(calls) for q in asked(c)
    ),
)
def feeds_probabilities(logits_fn, shape, num_samples, temperature, init, generator):
    x = sample_with(logits_fn, shape, num_samples, init, lambda a: (a / temperature).sigmoid())
    return torch.bernoulli(x, generator=generator)


@misconception(
    "You take the more probable value in place of a draw. All images are the same then, and no "
    "seed changes them.",
    sign=always(is_most_probable),
)
def most_probable(logits_fn, shape, num_samples, temperature, init, generator):
    return sample_with(logits_fn, shape, num_samples, init, lambda a: a > 0)


@misconception(
    "All your images are the same draw. Draw a value of its own for every image of the batch.",
    sign=always(lambda c: has_images(c) and bool((c.value == c.value[:1]).all())),
)
def one_draw_for_all(logits_fn, shape, num_samples, temperature, init, generator):
    return sample_with(
        logits_fn,
        shape,
        num_samples,
        init,
        lambda a: torch.rand((), generator=generator) < (a / temperature).sigmoid(),
    )


@misconception(
    "You never hand the drawn pixels back: every call asks about the same image.",
    sign=always(lambda c: free(c) == 1 or all(torch.equal(q, asked(c)[0]) for q in asked(c))),
)
def no_feedback(logits_fn, shape, num_samples, temperature, init, generator):
    start = init.clamp(min=0).repeat(num_samples, 1, 1)
    return sample_with(
        lambda x: logits_fn(start),
        shape,
        num_samples,
        init,
        lambda a: torch.bernoulli((a / temperature).sigmoid(), generator=generator),
    )


@misconception(
    "You multiply the logits by the temperature. It divides them: a low temperature makes sure "
    "things surer.",
    sign=alternative(lambda t: at(1 / t)),
)
def temperature_multiplies(logits_fn, shape, num_samples, temperature, init, generator):
    return reference(logits_fn, shape, num_samples, 1 / temperature, init, generator)


@misconception("You ignore the temperature.", sign=alternative(lambda t: at(1.0)))
def no_temperature(logits_fn, shape, num_samples, temperature, init, generator):
    return reference(logits_fn, shape, num_samples, 1.0, init, generator)


@misconception(
    "You divide the probability by the temperature. Divide the logit, before the sigmoid.",
    sign=alternative(
        lambda t: (
            lambda a: (
                (a.sigmoid() / t).clamp(max=1).log(),
                (1 - (a.sigmoid() / t).clamp(max=1)).log(),
            )
        )
    ),
)
def probability_divided(logits_fn, shape, num_samples, temperature, init, generator):
    return sample_with(
        logits_fn,
        shape,
        num_samples,
        init,
        lambda a: torch.bernoulli((a.sigmoid() / temperature).clamp(max=1), generator=generator),
    )


@misconception(
    "You divide by the square of the temperature, or twice. Divide the logit once.",
    sign=alternative(lambda t: at(t * t)),
)
def temperature_twice(logits_fn, shape, num_samples, temperature, init, generator):
    return reference(logits_fn, shape, num_samples, temperature**2, init, generator)


@misconception(
    "Your zeros and ones are exchanged: sigmoid(a) is the probability of a 1.",
    sign=alternative(lambda t: lambda a: at(t)(a)[::-1]),
)
def inverted(logits_fn, shape, num_samples, temperature, init, generator):
    return sample_with(
        logits_fn,
        shape,
        num_samples,
        init,
        lambda a: torch.bernoulli((-a / temperature).sigmoid(), generator=generator),
    )


@misconception(
    "You compare the logit with normal noise. That is a draw with the probability Φ(a), not with "
    "sigmoid(a): compare a uniform number with sigmoid(a).",
    sign=alternative(
        lambda t: lambda a: (log_ndtr(a / t), log_ndtr(-a / t)),
    ),
)
def normal_noise(logits_fn, shape, num_samples, temperature, init, generator):
    return sample_with(
        logits_fn,
        shape,
        num_samples,
        init,
        lambda a: a / temperature > torch.randn(len(a), generator=generator),
    )


@misconception(
    "You draw column by column. The network was made for the order line by line: pixels that it "
    "needs are not there yet.",
    sign=alternative(by_columns=True),
)
def by_columns(logits_fn, shape, num_samples, temperature, init, generator):
    return sample_with(
        logits_fn,
        shape,
        num_samples,
        init,
        lambda a: torch.bernoulli((a / temperature).sigmoid(), generator=generator),
        by_columns=True,
    )


@misconception(
    "Two generators with the same seed give different images: you draw from torch's own generator. "
    "Hand `generator` to what draws.",
    sign=lambda calls: any(
        a.args[5] == b.args[5] and not torch.equal(a.value, b.value)
        for a, b in zip(answered(calls), answered(calls)[1:], strict=False)
    ),
)
def own_generator(logits_fn, shape, num_samples, temperature, init, generator):
    return reference(logits_fn, shape, num_samples, temperature, init, None)


@misconception(
    "You seed the generator anew, from its own seed or with a number of yours. Two calls with one "
    "generator must give different images: draw from it as it comes.",
    sign=lambda calls: forgets_the_state(calls) or same_for_other_seeds(calls),
)
def seeded_anew(logits_fn, shape, num_samples, temperature, init, generator):
    fresh = torch.Generator().manual_seed(generator.initial_seed())
    return reference(logits_fn, shape, num_samples, temperature, init, fresh)


@misconception(
    "You use one random number of an image for all its pixels. Draw anew for each pixel.",
)
def one_number_for_an_image(logits_fn, shape, num_samples, temperature, init, generator):
    u = torch.rand(num_samples, generator=generator)
    return sample_with(
        logits_fn, shape, num_samples, init, lambda a: u < (a / temperature).sigmoid()
    )


@misconception(
    "Some of your images are copies of others. Every image of the batch is a draw of its own.",
    sign=holds_copies,
)
def each_image_twice(logits_fn, shape, num_samples, temperature, init, generator):
    half = reference(logits_fn, shape, (num_samples + 1) // 2, temperature, init, generator)
    return half.repeat(2, 1, 1)[:num_samples]


@misconception(
    "You change `init` itself. Work on a copy.",
    sign=lambda calls: any(getattr(c.error, "code", "") == "changed_argument" for c in calls),
)
def in_place(logits_fn, shape, num_samples, temperature, init, generator):
    result = reference(logits_fn, shape, num_samples, temperature, init, generator)
    init.clamp_(min=0)
    return result


@misconception(
    "You return probabilities. Return the images that were drawn, of zeros and ones.",
    sign=lambda calls: any(
        has_images(c) and bool(((c.value > 0.001) & (c.value < 0.999)).any())
        for c in answered(calls)
    ),
)
def returns_probabilities(logits_fn, shape, num_samples, temperature, init, generator):
    x = init.clamp(min=0).repeat(num_samples, 1, 1)
    p = x.clone()
    for i in range(shape[0]):
        for j in range(shape[1]):
            if init[i, j] < 0:
                p[:, i, j] = (logits_fn(x)[:, i, j] / temperature).sigmoid()
                x[:, i, j] = torch.bernoulli(p[:, i, j], generator=generator)
    return p


@misconception(
    "You squeeze the result of a single image. Keep the axis of the images, (1, H, W), whatever "
    "their number.",
    sign=lambda calls: any(
        isinstance(c.value, torch.Tensor) and c.args[2] == 1 and c.value.shape == tuple(c.args[1])
        for c in answered(calls)
    ),
)
def squeezed(logits_fn, shape, num_samples, temperature, init, generator):
    return reference(logits_fn, shape, num_samples, temperature, init, generator).squeeze(0)


@misconception(
    "You divide exp(a) by 1 + exp(a). For a large logit both are infinite, and their quotient is "
    "no number: use `torch.sigmoid`."
)
def quotient_of_exponentials(logits_fn, shape, num_samples, temperature, init, generator):
    def draw(a):
        odds = (a / temperature).exp()
        return torch.bernoulli(odds / (1 + odds), generator=generator)

    return sample_with(logits_fn, shape, num_samples, init, draw)


@misconception(
    "You keep probabilities away from 0 and 1. A network may be as sure as it likes: draw with "
    "sigmoid(a / T) as it is."
)
def clamped_logits(logits_fn, shape, num_samples, temperature, init, generator):
    return sample_with(
        logits_fn,
        shape,
        num_samples,
        init,
        lambda a: torch.bernoulli((a / temperature).clamp(-4, 4).sigmoid(), generator=generator),
    )
