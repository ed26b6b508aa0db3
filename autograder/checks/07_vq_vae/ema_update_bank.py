"""Wrong and right answers to `ema_update`."""

import torch

from ._signs import changed_in_place
from .ema_update import EMA_UPDATE, count_and_sum, reference

misconception = EMA_UPDATE.misconception
variant = EMA_UPDATE.variant


def _mixed(cluster_size, cluster_sum, z, indices, decay):
    counts, sums = count_and_sum(z, indices, len(cluster_size))
    size = decay * cluster_size + (1 - decay) * counts
    return counts, sums, size, decay * cluster_sum + (1 - decay) * sums


def _kept(counts, new, old):
    return torch.where((counts > 0)[:, None], new, old)


@misconception(
    "You write into the tensors you were given (`mul_`, `+=`, `data`), so the caller's state has "
    "changed as well. Build new ones: `size = decay * cluster_size + …`.",
    sign=changed_in_place,
)
def state_changed_in_place(codebook, size, total, z, indices, decay, training):
    new = reference(codebook, size, total, z, indices, decay, training)
    size.copy_(new[1])
    total.copy_(new[2])
    return new[0], size, total


@misconception(
    "The decay is the wrong way round: γ is the share of the past that is kept, 1 − γ that of the "
    "new batch."
)
def decay_exchanged(codebook, size, total, z, indices, decay, training):
    return reference(codebook, size, total, z, indices, 1 - decay, training)


@misconception(
    "Your codebook learns in evaluation as well. With training=False nothing may move, or the test "
    "data change the model."
)
def moves_in_evaluation(codebook, size, total, z, indices, decay, training):
    return reference(codebook, size, total, z, indices, decay, True)


@misconception(
    "In evaluation the codebook stays, but sizes and sums go on. The next step of training would "
    "carry the test data into the codebook."
)
def counts_in_evaluation(codebook, size, total, z, indices, decay, training):
    new = reference(codebook, size, total, z, indices, decay, True)
    return new if training else (codebook, *new[1:])


@misconception("It is the wrong way round: nothing moves in training, and all moves in evaluation.")
def training_exchanged(codebook, size, total, z, indices, decay, training):
    return reference(codebook, size, total, z, indices, decay, not training)


@misconception(
    "A code that nobody chose goes to the origin: the mean of no points counts as zero. It must "
    "stay where it is."
)
def unchosen_go_to_the_origin(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, _, new_size, new_total = _mixed(size, total, z, indices, decay)
    means = new_total / new_size.where(counts > 0, 1.0)[:, None]
    return _kept(counts, means, 0 * codebook), new_size, new_total


@misconception(
    "A code that nobody chose becomes NaN: you divide by how many points chose it in this batch."
)
def unchosen_become_nan(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, _, new_size, new_total = _mixed(size, total, z, indices, decay)
    return _kept(counts, new_total / new_size[:, None], torch.nan * codebook), new_size, new_total


@misconception(
    "You add a small constant to the size, or smooth it with one, as published code does. A code "
    "that was not chosen for long has a size as small as that, and shrinks to the origin. Divide "
    "only where a code was chosen."
)
def small_constant(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    _, _, new_size, new_total = _mixed(size, total, z, indices, decay)
    return new_total / (new_size[:, None] + 1e-5), new_size, new_total


@misconception(
    "You divide by a size of at least 1. A code with a smaller size then jumps towards the origin."
)
def size_at_least_one(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    _, _, new_size, new_total = _mixed(size, total, z, indices, decay)
    return new_total / new_size.clamp(min=1)[:, None], new_size, new_total


@misconception(
    "You keep the size from falling below a small constant when you divide. A code whose size is "
    "smaller shrinks to the origin: divide only where a code was chosen."
)
def size_at_least_epsilon(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    _, _, new_size, new_total = _mixed(size, total, z, indices, decay)
    return new_total / new_size.clamp(min=1e-5)[:, None], new_size, new_total


@misconception(
    "You divide the old sum by the old size, so the codebook is one batch late. Update sizes and "
    "sums first."
)
def one_batch_late(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, _, new_size, new_total = _mixed(size, total, z, indices, decay)
    return _kept(counts, total / size[:, None], codebook), new_size, new_total


@misconception(
    "You mix the code with the mean of its batch: γ e + (1 − γ) mean. Then a batch with one point "
    "weighs as much as one with a hundred. Mix sizes and sums, and divide."
)
def means_mixed(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, sums, new_size, new_total = _mixed(size, total, z, indices, decay)
    means = sums / counts.clamp(min=1)[:, None]
    return (
        _kept(counts, decay * codebook + (1 - decay) * means, codebook),
        new_size,
        new_total,
    )


@misconception("You add the new batch with the weight 1. The new part has the weight 1 − γ.")
def new_part_not_weighed(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, sums = count_and_sum(z, indices, len(size))
    new_size, new_total = decay * size + counts, decay * total + sums
    means = new_total / new_size.where(counts > 0, 1.0)[:, None]
    return _kept(counts, means, codebook), new_size, new_total


@misconception(
    "Your sums keep means of the batch instead of sums. Sum and size must be weighed alike."
)
def means_for_sums(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, sums = count_and_sum(z, indices, len(size))
    new_size = decay * size + (1 - decay) * counts
    new_total = decay * total + (1 - decay) * sums / counts.clamp(min=1)[:, None]
    means = new_total / new_size.where(counts > 0, 1.0)[:, None]
    return _kept(counts, means, codebook), new_size, new_total


@misconception(
    "You divide the new sum by the old size. Both have to be new, or a code is off by the growth "
    "of its cluster."
)
def old_size(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, _, new_size, new_total = _mixed(size, total, z, indices, decay)
    return _kept(counts, new_total / size[:, None], codebook), new_size, new_total


@misconception(
    "You divide by the count of this batch. Divide by the size that was mixed over time."
)
def divided_by_the_batch_count(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, _, new_size, new_total = _mixed(size, total, z, indices, decay)
    means = new_total / counts.clamp(min=1)[:, None]
    return _kept(counts, means, codebook), new_size, new_total


@misconception(
    "You forget the past: each chosen code becomes the mean of this batch. Mix with the decay."
)
def batch_means(codebook, size, total, z, indices, decay, training):
    return reference(codebook, size, total, z, indices, 0.0, training)


@misconception(
    "Your sums hold one point per code: `sums[indices] += z` does not add when an index occurs "
    "twice. Use `index_add`."
)
def repeated_indices_lost(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, _ = count_and_sum(z, indices, len(size))
    sums = torch.zeros_like(codebook)
    sums[indices] += z
    new_size = decay * size + (1 - decay) * counts
    new_total = decay * total + (1 - decay) * sums
    means = new_total / new_size.where(counts > 0, 1.0)[:, None]
    return _kept(counts, means, codebook), new_size, new_total


@misconception(
    "Sizes and sums of codes that nobody chose stay as they were in your answer. They decay like "
    "all others: only the code itself stays."
)
def unchosen_do_not_decay(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, _ = count_and_sum(z, indices, len(size))
    new = reference(codebook, size, total, z, indices, decay, True)
    return new[0], size.where(counts == 0, new[1]), _kept(counts, new[2], total)


@misconception(
    "You count shares of the batch, n_k/N, and add up sums. Both must be plain: counts and sums."
)
def shares_for_counts(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, _, _, new_total = _mixed(size, total, z, indices, decay)
    new_size = decay * size + (1 - decay) * counts / len(z)
    means = new_total / new_size.where(counts > 0, 1.0)[:, None]
    return _kept(counts, means, codebook), new_size, new_total


@misconception("The codebook does not follow: you update sizes and sums, and return the old codes.")
def codebook_stays(codebook, size, total, z, indices, decay, training):
    return codebook, *reference(codebook, size, total, z, indices, decay, training)[1:]


@misconception("You return the codebook alone. Sizes and sums are needed for the next step.")
def codebook_alone(codebook, size, total, z, indices, decay, training):
    return reference(codebook, size, total, z, indices, decay, training)[0]


@misconception(
    "You divide everywhere, and a code whose size is exactly zero becomes NaN: 0/0. Divide only "
    "where a code was chosen."
)
def zero_by_zero(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    _, _, new_size, new_total = _mixed(size, total, z, indices, decay)
    return new_total / new_size[:, None], new_size, new_total


@misconception(
    "Codes that were chosen are divided by their size plus a small constant, or by a smoothed "
    "size. With γ near one a size is as small as that, and the code stops short of its points. "
    "Divide by the size as it is."
)
def small_constant_where_chosen(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, _, new_size, new_total = _mixed(size, total, z, indices, decay)
    return _kept(counts, new_total / (new_size[:, None] + 1e-5), codebook), new_size, new_total


@misconception(
    "Codes that were chosen are divided by a size that you keep from falling below a constant. "
    "With γ near one a size is smaller than that, and the code stops short of its points."
)
def small_sizes_raised_where_chosen(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, _, new_size, new_total = _mixed(size, total, z, indices, decay)
    return (
        _kept(counts, new_total / new_size.clamp(min=0.1)[:, None], codebook),
        new_size,
        new_total,
    )


@misconception(
    "A chosen code moves only when its size exceeds a threshold. With γ near one, a new code would "
    "stay where it was for long. Let every chosen code move."
)
def small_sizes_wait(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, _, new_size, new_total = _mixed(size, total, z, indices, decay)
    moves = (counts > 0) & (new_size > 0.1)
    means = new_total / new_size.where(moves, 1.0)[:, None]
    return torch.where(moves[:, None], means, codebook), new_size, new_total


@variant
def by_one_hot(codebook, size, total, z, indices, decay, training):
    if training:
        hot = torch.nn.functional.one_hot(indices, len(codebook)).to(z.dtype)
        size = size * decay + hot.sum(0) * (1 - decay)
        total = total * decay + hot.T @ z * (1 - decay)
        chosen = hot.any(0)
        codebook = codebook.clone()
        codebook[chosen] = total[chosen] / size[chosen, None]
    return codebook, size, total


@variant
def by_lerp(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, sums = count_and_sum(z, indices, len(size))
    size, total = torch.lerp(counts, size, decay), torch.lerp(sums, total, decay)
    return torch.where(counts[:, None] > 0, total / size[:, None], codebook), size, total


@variant
def code_by_code(codebook, size, total, z, indices, decay, training):
    codebook, size, total = codebook.clone(), size.clone(), total.clone()
    for k in range(len(codebook) if training else 0):
        own = z[indices == k]
        size[k] = decay * size[k] + (1 - decay) * len(own)
        total[k] = decay * total[k] + (1 - decay) * own.sum(0)
        if len(own):
            codebook[k] = total[k] / size[k]
    return [codebook, size, total]


@variant
def as_a_step_towards_the_mean(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, sums = count_and_sum(z, indices, len(size))
    new_size = decay * size + (1 - decay) * counts
    step = (1 - decay) * (sums - counts[:, None] * codebook)
    moved = codebook + step / new_size.clamp(min=1e-300)[:, None]
    return moved, new_size, decay * total + (1 - decay) * sums


@variant
def wherever_a_size_is_left(codebook, size, total, z, indices, decay, training):
    if not training:
        return codebook, size, total
    counts, sums = count_and_sum(z, indices, len(size))
    size = decay * size + (1 - decay) * counts
    total = decay * total + (1 - decay) * sums
    return torch.where(size[:, None] > 0, total / size[:, None], codebook), size, total
