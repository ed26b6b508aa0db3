"""Wrong and right answers to `mended_ema`."""

import torch

from .ema_update import count_and_sum
from .mended_ema import MENDED_EMA, reference

misconception = MENDED_EMA.misconception
variant = MENDED_EMA.variant
EPS = 1e-5


def _smoothed(size):
    n = size.sum()
    return (size + EPS) / (n + len(size) * EPS) * n


def _run(codebook, batches, decay, size, total, divisor, *, chosen_only=False):
    """The published loop with another start, and another number to divide by."""
    for z, indices in batches:
        counts, sums = count_and_sum(z, indices, len(codebook))
        size = decay * size + (1 - decay) * counts
        total = decay * total + (1 - decay) * sums
        new = total / divisor(size)[:, None]
        codebook = torch.where(counts[:, None] > 0, new, codebook) if chosen_only else new
    return codebook


def _zeros(codebook):
    return torch.zeros_like(codebook[:, 0])


def _ones(codebook):
    return torch.ones_like(codebook[:, 0])


@misconception(
    "That is the published function: sizes start at zero while the sums hold the codebook. The "
    "first division multiplies every unchosen code by about 10⁵. Start sizes that fit the sums."
)
def as_published(codebook, batches, decay):
    return _run(codebook, batches, decay, _zeros(codebook), codebook, _smoothed)


@misconception(
    "Sizes still start at zero, with another small constant in the denominator: unchosen codes "
    "jump all the same."
)
def other_constant(codebook, batches, decay):
    return _run(codebook, batches, decay, _zeros(codebook), codebook, lambda n: n + 1e-8)


@misconception(
    "Your sums start at zero as well, so a code nobody chose is zero over a small constant: it "
    "falls onto the origin. It must stay where it is."
)
def both_zero(codebook, batches, decay):
    return _run(codebook, batches, decay, _zeros(codebook), 0 * codebook, _smoothed)


@misconception(
    "Sizes start at one, but the sums at zero: a code nobody chose falls onto the origin. The sum "
    "must be the size times the code."
)
def sums_zero(codebook, batches, decay):
    return _run(codebook, batches, decay, _ones(codebook), 0 * codebook, lambda n: n)


@misconception(
    "The start is mended, and the small constant ε is still in the division: a code that nobody "
    "chooses for long drifts to the origin, when its size is as small as ε. Leave it alone."
)
def smoothing_left(codebook, batches, decay):
    return _run(codebook, batches, decay, _ones(codebook), codebook, _smoothed)


@misconception(
    "You keep sizes from falling below one. The sum goes on shrinking, and the code with it."
)
def size_at_least_one(codebook, batches, decay):
    divide = lambda n: n.clamp(min=1.0)  # noqa: E731
    return _run(codebook, batches, decay, _ones(codebook), codebook, divide)


@misconception(
    "You set sizes that fell below one back to one, while the sums go on shrinking. A code that is "
    "chosen again after a while is pulled to the origin: sum and size must shrink alike."
)
def sizes_set_back(codebook, batches, decay):
    size, total = _ones(codebook), codebook
    for z, indices in batches:
        counts, sums = count_and_sum(z, indices, len(codebook))
        size = (decay * size + (1 - decay) * counts).clamp(min=1.0)
        total = decay * total + (1 - decay) * sums
        codebook = torch.where(counts[:, None] > 0, total / size[:, None], codebook)
    return codebook


@misconception(
    "You keep sizes from falling below a small constant: the jump is as large as before, as they "
    "still start at zero."
)
def size_at_least_epsilon(codebook, batches, decay):
    divide = lambda n: n.clamp(min=EPS)  # noqa: E731
    return _run(codebook, batches, decay, _zeros(codebook), codebook, divide)


@misconception(
    "Sizes start at N/K, but the sums at the codebook alone: the first division multiplies every "
    "unchosen code by K/N. The sum must be the size times the code."
)
def sums_do_not_fit(codebook, batches, decay):
    size = _ones(codebook) * (len(batches[0][0]) / len(codebook) if batches else 1.0)
    return _run(codebook, batches, decay, size, codebook, lambda n: n, chosen_only=False)


@misconception(
    "Unchosen codes stay now, but the sizes still start at zero while the sums hold the codebook: "
    "a code that is chosen is pushed beyond its points. Sum and size must fit from the start."
)
def start_left(codebook, batches, decay):
    start = _zeros(codebook), codebook
    return _run(codebook, batches, decay, *start, lambda n: n, chosen_only=True)


@misconception(
    "Unchosen codes stay now, but the sums start at zero beside sizes of one: a code that is "
    "chosen is pulled to the origin. Sum and size must fit from the start."
)
def sums_left_at_zero(codebook, batches, decay):
    start = _ones(codebook), 0 * codebook
    return _run(codebook, batches, decay, *start, lambda n: n, chosen_only=True)


@misconception("You put unchosen codes back after the first batch only. They move in the next.")
def first_batch_only(codebook, batches, decay):
    found = _run(codebook, batches[:1], decay, _zeros(codebook), codebook, _smoothed, chosen_only=1)
    size, total = _ones(codebook), 0 * codebook
    return _run(found, batches[1:], decay, size, total, lambda n: n)


@misconception(
    "You mix the code with the mean of the batch. Then a batch with one point weighs as much as "
    "one with a hundred: mix sizes and sums."
)
def means_mixed(codebook, batches, decay):
    for z, indices in batches:
        counts, sums = count_and_sum(z, indices, len(codebook))
        new = decay * codebook + (1 - decay) * sums / counts.clamp(min=1)[:, None]
        codebook = torch.where(counts[:, None] > 0, new, codebook)
    return codebook


@misconception("You forget the past: every chosen code is the mean of the last batch.")
def last_batch_only(codebook, batches, decay):
    return reference(codebook, batches, 0.0)


@misconception("Your average does not forget: the batches of the past weigh as much as the last.")
def plain_mean(codebook, batches, decay):
    size, total = _zeros(codebook), 0 * codebook
    for z, indices in batches:
        counts, sums = count_and_sum(z, indices, len(codebook))
        size, total = size + counts, total + sums
    return torch.where(size[:, None] > 0, total / size.clamp(min=1)[:, None], codebook)


@misconception("The decay is the wrong way round: γ is the share of the past.")
def decay_exchanged(codebook, batches, decay):
    return reference(codebook, batches, 1 - decay)


@misconception("Nothing moves any more, not even a code that is chosen.")
def nothing_moves(codebook, batches, decay):
    return codebook


@misconception(
    "You begin anew with every batch: sizes and sums are set inside the loop, and all but one "
    "batch of the past is forgotten."
)
def begins_anew(codebook, batches, decay):
    for batch in batches:
        codebook = reference(codebook, [batch], decay)
    return codebook


@misconception(
    "Right until a size is smaller than any number can be: then you divide zero by zero. A code "
    "that nobody chose need not be divided at all."
)
def divided_everywhere(codebook, batches, decay):
    return _run(codebook, batches, decay, _ones(codebook), codebook, lambda n: n)


def _unless_never_chosen(codebook, batches, decay, start, divisor):
    """Codes that were ever chosen are divided in every batch; all others stay."""
    found = _run(codebook, batches, decay, *start, divisor)
    ever = _zeros(codebook)
    for z, indices in batches:
        ever = ever + count_and_sum(z, indices, len(codebook))[0]
    return torch.where(ever[:, None] > 0, found, codebook)


@misconception(
    "Codes that were never chosen stay, but one that was chosen once is divided in every batch, "
    "with the smoothing: when nobody chooses it any more it drifts to the origin. Leave alone "
    "every code that nobody chose in this batch."
)
def smoothed_once_chosen(codebook, batches, decay):
    return _unless_never_chosen(codebook, batches, decay, (_ones(codebook), codebook), _smoothed)


@misconception(
    "Codes that were never chosen stay, but one that was chosen once is divided in every batch, "
    "until its size is too small for a number: 0/0. Leave alone every code that nobody chose in "
    "this batch."
)
def divided_once_chosen(codebook, batches, decay):
    start = _ones(codebook), codebook
    return _unless_never_chosen(codebook, batches, decay, start, lambda n: n)


@misconception(
    "Chosen codes only, but divided by a size of at least 1: a code with a smaller size, after a "
    "long wait, is pulled to the origin. Divide by the size as it is."
)
def chosen_with_size_at_least_one(codebook, batches, decay):
    divide = lambda n: n.clamp(min=1.0)  # noqa: E731
    start = _ones(codebook), codebook
    return _run(codebook, batches, decay, *start, divide, chosen_only=True)


@misconception(
    "Chosen codes only, but divided by a size of at least 0.01: with γ near one, a code that one "
    "point chose is pulled to the origin. Divide by the size as it is."
)
def chosen_with_size_at_least_a_hundredth(codebook, batches, decay):
    divide = lambda n: n.clamp(min=0.01)  # noqa: E731
    start = _zeros(codebook), 0 * codebook
    return _run(codebook, batches, decay, *start, divide, chosen_only=True)


@misconception(
    "A chosen code moves only when its size exceeds a threshold. With γ near one, a code that one "
    "point chose stays where it was. Let every chosen code move."
)
def small_sizes_wait(codebook, batches, decay):
    size, total = _zeros(codebook), 0 * codebook
    for z, indices in batches:
        counts, sums = count_and_sum(z, indices, len(codebook))
        size = decay * size + (1 - decay) * counts
        total = decay * total + (1 - decay) * sums
        moves = (counts > 0) & (size > 0.1)
        codebook = torch.where(moves[:, None], total / size[:, None], codebook)
    return codebook


@variant
def sizes_of_one(codebook, batches, decay):
    start = _ones(codebook), codebook
    return _run(codebook, batches, decay, *start, lambda n: n, chosen_only=True)


@variant
def zeros_until_chosen(codebook, batches, decay):
    start = _zeros(codebook), 0 * codebook
    return _run(codebook, batches, decay, *start, lambda n: n, chosen_only=True)


@variant
def zeros_with_smoothing_until_chosen(codebook, batches, decay):
    start = _zeros(codebook), 0 * codebook
    return _run(codebook, batches, decay, *start, _smoothed, chosen_only=True)


@variant
def size_of_a_fair_share(codebook, batches, decay):
    size = _ones(codebook) * (len(batches[0][0]) / len(codebook) if batches else 1.0)
    start = size, size[:, None] * codebook
    return _run(codebook, batches, decay, *start, lambda n: n, chosen_only=True)


@variant
def unbiased(codebook, batches, decay):
    size, total, seen = _zeros(codebook), 0 * codebook, 0.0
    for z, indices in batches:
        counts, sums = count_and_sum(z, indices, len(codebook))
        size = decay * size + (1 - decay) * counts
        total = decay * total + (1 - decay) * sums
        seen = decay * seen + 1 - decay
        chosen = counts[:, None] > 0
        codebook = torch.where(chosen, (total / seen) / (size / seen)[:, None], codebook)
    return codebook


@variant
def chosen_codes_only(codebook, batches, decay):
    codebook, size, total = codebook.clone(), _ones(codebook), codebook.clone()
    for z, indices in batches:
        for k in indices.unique().tolist():
            own = z[indices == k]
            size[k] = decay * size[k] + (1 - decay) * len(own)
            total[k] = decay * total[k] + (1 - decay) * own.sum(0)
            codebook[k] = total[k] / size[k]
    return codebook
