"""Wrong answers to `complete_image` whose weights are right, or that use none."""

import torch
from torch import Tensor

from . import complete_image_signs as signs
from .complete_image import COMPLETE_IMAGE, log_likelihoods, reference

# after the wrong weights
from .complete_image_weights_bank import draw, paste


@COMPLETE_IMAGE.misconception(
    "You take the most probable guess every time. The completions then look certain where they are "
    "not: draw guesses with their probabilities.",
    sign=signs.always_best,
)
def best_guess_always(x, mask, guesses, scale, num_completions, generator):
    best = log_likelihoods(x, mask, guesses, scale).argmax()
    return paste(x, mask, guesses[best].expand(num_completions, -1))


@COMPLETE_IMAGE.misconception(
    "You return the weighted average of the guesses in every row. The mean of the completions is "
    "no completion: draw whole guesses.",
    sign=signs.rows(
        lambda value, x, mask, guesses: (
            bool((value == value[0]).all())
            and signs.guess_of(value, mask, guesses) is None
            and bool((value[0, ~mask] <= guesses[:, ~mask].amax(0) + 1e-6).all())
            and bool((value[0, ~mask].abs() > 0).all())
            and not torch.allclose(value[0, ~mask], guesses[:, ~mask].mean(0))
        )
    ),
)
def weighted_average(x, mask, guesses, scale, num_completions, generator):
    shares = torch.softmax(log_likelihoods(x, mask, guesses, scale), 0)
    return paste(x, mask, (shares @ guesses).expand(num_completions, -1))


@COMPLETE_IMAGE.misconception(
    "You fill the hidden pixels with the average of all guesses. What is visible says which "
    "guesses are probable: weight them and draw.",
    sign=signs.rows(
        lambda value, x, mask, guesses: torch.allclose(
            value[:, ~mask], guesses[:, ~mask].mean(0).expand(len(value), -1)
        )
    ),
)
def average_image(x, mask, guesses, scale, num_completions, generator):
    return paste(x, mask, guesses.mean(0).expand(num_completions, -1))


@COMPLETE_IMAGE.misconception(
    "You fill the hidden pixels with zeros. Take them from a guess.",
    sign=signs.rows(lambda value, x, mask, guesses: bool((value[:, ~mask] == 0).all())),
)
def zeros_for_hidden(x, mask, guesses, scale, num_completions, generator):
    return x.nan_to_num().expand(num_completions, -1).clone()


@COMPLETE_IMAGE.misconception(
    "You take the most probable guesses in order, each once. Draw with replacement: a probable "
    "guess comes more often than an improbable one.",
    sign=lambda calls: signs.without_repetition(calls, best_first=True),
)
def best_guesses_in_order(x, mask, guesses, scale, num_completions, generator):
    order = log_likelihoods(x, mask, guesses, scale).argsort(descending=True)
    return paste(x, mask, guesses[order[:num_completions]])


@COMPLETE_IMAGE.misconception(
    "You draw without replacement, so after S completions the guesses are used up. Pass "
    "`replacement=True`.",
    sign=lambda calls: any("without replacement" in c.error_text for c in calls),
)
def without_replacement(x, mask, guesses, scale, num_completions, generator):
    shares = torch.softmax(log_likelihoods(x, mask, guesses, scale), 0)
    chosen = torch.multinomial(shares, num_completions, generator=generator)
    return paste(x, mask, guesses[chosen])


@COMPLETE_IMAGE.misconception(
    "You use the guesses as they come, whatever is visible: these are samples of the prior. Weight "
    "them by the likelihood of the visible pixels.",
    sign=lambda calls: signs.without_repetition(calls, best_first=False),
)
def guesses_in_order(x, mask, guesses, scale, num_completions, generator):
    places = torch.arange(num_completions) % len(guesses)
    return paste(x, mask, guesses[places])


@COMPLETE_IMAGE.misconception(
    "You paste the wrong way round: visible pixels from the guess, hidden ones from x, where they "
    "are NaN. The mask is True where a pixel is visible.",
    sign=signs.rows(lambda value, x, mask, guesses: bool(value[:, ~mask].isnan().all())),
)
def mask_inverted_in_the_result(x, mask, guesses, scale, num_completions, generator):
    chosen = draw(log_likelihoods(x, mask, guesses, scale), num_completions, generator)
    return torch.where(mask, guesses[chosen], x)


@COMPLETE_IMAGE.misconception(
    "NaN comes out: hidden entries of x, which are NaN, took part in the weights or in the result. "
    "Select the visible pixels with `x[mask]`; 0 times NaN is NaN.",
    sign=lambda calls: signs.not_a_number(calls),
)
def hidden_pixels_used(x, mask, guesses, scale, num_completions, generator):
    difference = (x - guesses) * mask / scale
    chosen = draw(-0.5 * difference.square().sum(-1), num_completions, generator)
    return paste(x, mask, guesses[chosen])


@COMPLETE_IMAGE.misconception(
    "You return the chosen guesses whole. The visible pixels are known: keep those of x.",
    sign=signs.rows(
        lambda value, x, mask, guesses: bool(
            ((value[:, None] - guesses).abs().amax(-1).amin(1) < 1e-5).all()
        )
    ),
)
def visible_pixels_not_kept(x, mask, guesses, scale, num_completions, generator):
    chosen = draw(log_likelihoods(x, mask, guesses, scale), num_completions, generator)
    return guesses[chosen]


@COMPLETE_IMAGE.misconception(
    "You draw every hidden pixel from another guess. Pixels of one image belong together: one "
    "guess for each row.",
    sign=signs.rows(
        lambda value, x, mask, guesses: (
            bool(((value[:, None, ~mask] - guesses[:, ~mask]).abs().amin(1) < 1e-5).all())
            and signs.guess_of(value, mask, guesses) is None
        )
    ),
)
def every_pixel_on_its_own(x, mask, guesses, scale, num_completions, generator):
    chosen = draw(
        log_likelihoods(x, mask, guesses, scale), num_completions * len(x), generator
    ).reshape(num_completions, len(x))
    return paste(x, mask, guesses.gather(0, chosen))


@COMPLETE_IMAGE.misconception(
    "You add noise to the hidden pixels. Return the chosen guess as it is.",
    sign=signs.rows(
        lambda value, x, mask, guesses: (
            signs.guess_of(value, mask, guesses) is None
            and len(value[:, ~mask].unique(dim=0)) > 0.9 * len(value)
            and bool(torch.isfinite(value).all())
        )
    ),
)
def noise_added(x, mask, guesses, scale, num_completions, generator):
    chosen = draw(log_likelihoods(x, mask, guesses, scale), num_completions, generator)
    noise = torch.randn(num_completions, len(x), generator=generator, dtype=x.dtype)
    return paste(x, mask, guesses[chosen] + scale * noise)


@COMPLETE_IMAGE.misconception(
    "You take the hidden pixels of all rows from one draw. Draw a guess for each completion.",
    sign=lambda calls: signs.one_for_all(calls),
)
def one_draw_for_all(x, mask, guesses, scale, num_completions, generator):
    chosen = draw(log_likelihoods(x, mask, guesses, scale), 1, generator)
    return paste(x, mask, guesses[chosen].expand(num_completions, -1))


@COMPLETE_IMAGE.misconception(
    "You return S completions. `num_completions` says how many.",
    sign=lambda calls: all(
        isinstance(c.value, Tensor) and tuple(c.value.shape) == tuple(c.args[2].shape)
        for c in calls
        if c.error is None
    ),
)
def as_many_as_guesses(x, mask, guesses, scale, num_completions, generator):
    return reference(x, mask, guesses, scale, len(guesses), generator)


@COMPLETE_IMAGE.misconception(
    "You return the hidden pixels only. Put them together with the visible ones: rows of D pixels.",
    sign=lambda calls: all(
        isinstance(c.value, Tensor) and c.value.shape[-1] == int((~c.args[1]).sum())
        for c in calls
        if c.error is None
    ),
)
def hidden_pixels_only(x, mask, guesses, scale, num_completions, generator):
    return reference(x, mask, guesses, scale, num_completions, generator)[:, ~mask]


@COMPLETE_IMAGE.misconception(
    "You multiply likelihoods and normalise them by their sum. With many pixels or little noise "
    "all are zero, and 0/0 is NaN: use `torch.softmax` on the logarithms.",
    sign=lambda calls: (
        any("multinomial" in c.error_text or c.error for c in calls)
        and not any(c.error for c in calls if c.args[3] > 0.1)
    ),
)
def no_max_shift(x, mask, guesses, scale, num_completions, generator):
    weights = log_likelihoods(x, mask, guesses, scale).exp()
    chosen = torch.multinomial(
        weights / weights.sum(), num_completions, replacement=True, generator=generator
    )
    return paste(x, mask, guesses[chosen])


@COMPLETE_IMAGE.misconception(
    "You draw without the generator that was given, so a seed does not repeat the result. Pass "
    "`generator=generator`.",
    sign=lambda calls: signs.same_for(calls, same_seed=True) is False,
)
def generator_unused(x, mask, guesses, scale, num_completions, generator):
    return reference(x, mask, guesses, scale, num_completions, None)


@COMPLETE_IMAGE.misconception(
    "Your draws are the same whatever the generator is. Draw with `generator=generator`.",
    sign=lambda calls: signs.same_for(calls, same_seed=False) is True,
)
def seed_set_inside(x, mask, guesses, scale, num_completions, generator):
    own = torch.Generator().manual_seed(0)
    return reference(x, mask, guesses, scale, num_completions, own)


@COMPLETE_IMAGE.misconception(
    "A small number added to the weights makes bad guesses possible where all likelihoods are "
    "tiny. Use `torch.softmax` on the logarithms.",
    sign=lambda calls: not any(c.error for c in calls) and signs.right_with_noise(calls),
)
def epsilon_in_the_weights(x, mask, guesses, scale, num_completions, generator):
    weights = log_likelihoods(x, mask, guesses, scale).exp() + 1e-12
    chosen = torch.multinomial(weights, num_completions, replacement=True, generator=generator)
    return paste(x, mask, guesses[chosen])
