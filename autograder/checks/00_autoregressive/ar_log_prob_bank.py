"""Wrong and right answers to `ar_log_prob`."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from .ar_log_prob import AR_LOG_PROB, reference

misconception, variant = AR_LOG_PROB.misconception, AR_LOG_PROB.variant


def _per_pixel(logits_fn, x):
    a = logits_fn(x)
    return x * logsigmoid(a) + (1 - x) * logsigmoid(-a)


@misconception(
    "You take the mean over the pixels. Logarithms of conditionals are summed, else the "
    "probabilities of all images do not sum to 1."
)
def mean_over_pixels(logits_fn, x):
    return _per_pixel(logits_fn, x).flatten(1).mean(1)


@misconception("You sum over the images too. Return one number for each image, (N,).")
def summed_over_images(logits_fn, x):
    return _per_pixel(logits_fn, x).sum()


@misconception("You average over the images. Return one number for each image, (N,).")
def mean_over_images(logits_fn, x):
    return _per_pixel(logits_fn, x).flatten(1).sum(1).mean()


@misconception(
    "Only the pixels that are 1 count in yours. A pixel that is 0 has a probability too: add "
    "(1 − x) log p(0)."
)
def ones_only(logits_fn, x):
    return (x * logsigmoid(logits_fn(x))).flatten(1).sum(1)


@misconception(
    "You take log p(1) of every pixel, whatever it is. Where the pixel is 0, log p(0) counts."
)
def always_the_one(logits_fn, x):
    return logsigmoid(logits_fn(x)).flatten(1).sum(1)


@misconception(
    "You return the negative log-likelihood, a loss. Log-probabilities are negative or zero."
)
def negative(logits_fn, x):
    return -reference(logits_fn, x)


@misconception(
    "You return probabilities. Return their logarithms: the probability of a large image is "
    "smaller than any number the machine knows."
)
def probabilities(logits_fn, x):
    return reference(logits_fn, x).exp()


@misconception(
    "You applied the sigmoid twice: to the logits, and inside `logsigmoid` or the cross-entropy "
    "with logits. Hand the raw logits to the latter."
)
def sigmoid_twice(logits_fn, x):
    p = logits_fn(x).sigmoid()
    return (x * logsigmoid(p) + (1 - x) * logsigmoid(-p)).flatten(1).sum(1)


@misconception(
    "You use the logit as if it were the log-probability: Σ x a, without the normaliser "
    "log(1 + eᵃ). Then the probabilities do not sum to 1."
)
def unnormalised(logits_fn, x):
    return (x * logits_fn(x)).flatten(1).sum(1)


@misconception("0 and 1 are the wrong way round: sigmoid(a) is the probability that a pixel is 1.")
def inverted(logits_fn, x):
    a = logits_fn(x)
    return (x * logsigmoid(-a) + (1 - x) * logsigmoid(a)).flatten(1).sum(1)


@misconception(
    "Your result is in bits, a logarithm to base 2. This course measures log-likelihoods in nats: "
    "take the natural logarithm."
)
def base_two(logits_fn, x):
    return reference(logits_fn, x) / torch.tensor(2.0).log()


@misconception("You sum over one axis of the images only. Sum over both, H and W.")
def rows_only(logits_fn, x):
    return _per_pixel(logits_fn, x).sum(1)


@misconception(
    "You asked the network about empty images. Its logits are conditionals given the pixels "
    "before: ask it about `x` itself."
)
def asked_about_nothing(logits_fn, x):
    a = logits_fn(torch.zeros_like(x))
    return (x * logsigmoid(a) + (1 - x) * logsigmoid(-a)).flatten(1).sum(1)


@misconception(
    "You call the network once for each pixel. That is what sampling needs; for a known image one "
    "call gives all conditionals.",
    sign=lambda calls: (
        calls[-1].value is not None
        and len(calls[-1].args[0].questions) == calls[-1].args[1][0].numel() > 1
    ),
)
def one_call_for_each_pixel(logits_fn, x):
    total = 0.0
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            total = total + _per_pixel(logits_fn, x)[:, i, j]
    return total


@misconception(
    "You call the network once for each image. Hand it the whole batch: one call is enough.",
    sign=lambda calls: (
        calls[-1].value is not None
        and len(calls[-1].args[0].questions) == len(calls[-1].args[1]) > 1
    ),
)
def one_call_for_each_image(logits_fn, x):
    return torch.cat([reference(logits_fn, row[None]) for row in x])


@misconception(
    "You take the logarithm of a sigmoid that rounds to 0 or to 1. Where the network is sure, that "
    "is minus infinity: use `logsigmoid` of the logits."
)
def log_of_sigmoid(logits_fn, x):
    p = logits_fn(x).sigmoid()
    return (x * p.log() + (1 - x) * (1 - p).log()).flatten(1).sum(1)


@misconception(
    "You take the logarithm of a rounded sigmoid, choosing p or 1 − p. For a sure network 1 − p is "
    "0 and its logarithm minus infinity: use `logsigmoid(-a)`."
)
def log_of_chosen(logits_fn, x):
    p = logits_fn(x).sigmoid()
    return torch.where(x > 0.5, p, 1 - p).log().flatten(1).sum(1)


@misconception(
    "In float32 the sigmoid of −200 rounds to 0, and 1 + exp(200) is infinite. Where a sure "
    "network errs, the logarithm of either is infinite: use `logsigmoid` of the same."
)
def log_of_signed_sigmoid(logits_fn, x):
    return ((2 * x - 1) * logits_fn(x)).sigmoid().log().flatten(1).sum(1)


@misconception(
    "You take the exponential of a logit as it is. In float32 exp(200) is infinite: use "
    "`softplus(a)` for log(1 + exp(a)), or `logsigmoid`."
)
def log_of_one_plus_exp(logits_fn, x):
    a = logits_fn(x)
    return (x * a - (1 + a.exp()).log()).flatten(1).sum(1)


@misconception(
    "A small number inside the logarithm hides the infinity and puts a wrong value there: a sure "
    "network that errs pays 100 nats or more for a pixel. Use `logsigmoid`."
)
def with_epsilon(logits_fn, x):
    p = logits_fn(x).sigmoid()
    return (x * (p + 1e-10).log() + (1 - x) * (1 - p + 1e-10).log()).flatten(1).sum(1)


@misconception(
    "`binary_cross_entropy` of probabilities stops at 100 nats for a pixel. Take the version with "
    "logits."
)
def clamped_entropy(logits_fn, x):
    p = logits_fn(x).sigmoid()
    loss = torch.nn.functional.binary_cross_entropy(p, x, reduction="none")
    return -loss.flatten(1).sum(1)


@misconception(
    "You ask for the probability of what the network thinks most likely. Take that of the pixel "
    "as it is in `x`."
)
def of_the_likeliest(logits_fn, x):
    return logsigmoid(logits_fn(x).abs()).flatten(1).sum(1)


@variant
def by_cross_entropy(logits_fn, x):
    return -binary_cross_entropy_with_logits(logits_fn(x), x, reduction="none").sum((1, 2))


@variant
def by_distribution(logits_fn, x):
    bernoulli = torch.distributions.Bernoulli(logits=logits_fn(x))
    return torch.distributions.Independent(bernoulli, 2).log_prob(x)


@variant
def by_softplus(logits_fn, x):
    a = logits_fn(x)
    return (x * a - torch.nn.functional.softplus(a)).flatten(1).sum(-1)


@variant
def by_sign(logits_fn, x):
    return logsigmoid(logits_fn(x) * (2 * x - 1)).sum(2).sum(1)


@variant
def by_two_logits(logits_fn, x):
    a = logits_fn(x)
    both = torch.stack((torch.zeros_like(a), a), -1).log_softmax(-1)
    return both.gather(-1, x.long()[..., None])[..., 0].sum((-1, -2))


@variant
def by_logaddexp(logits_fn, x):
    a = logits_fn(x)
    return (x * a - torch.logaddexp(torch.zeros_like(a), a)).flatten(1).sum(1)
