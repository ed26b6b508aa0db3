"""Wrong and right answers to `joint_table`."""

import torch

from .joint_table import JOINT_TABLE

misconception, variant = JOINT_TABLE.misconception, JOINT_TABLE.variant


@misconception(
    "`first * second` multiplies column a by p(a), or fails where K and L differ. Entry a belongs "
    "to row a: give `first` a second axis, `first[:, None]`."
)
def columns_for_rows(first, second):
    return first * second


@misconception("You add the probabilities. The chain rule multiplies them: p(a) p(b | a).")
def added(first, second):
    return first[:, None] + second


@misconception(
    "You summed over a: that is p(b) alone. The joint has an entry for each pair of values, (K, L)."
)
def marginal_of_b(first, second):
    return first @ second


@misconception("Your table is (L, K): row a belongs to the value a, and column b to b.")
def transposed(first, second):
    return (first[:, None] * second).T.contiguous()


@misconception("You divide by p(a). That undoes the chain rule: the joint is p(a) times p(b | a).")
def divided(first, second):
    return second / first[:, None]


@misconception("You return the conditional as it was given. Multiply row a by p(a).")
def conditional_itself(first, second):
    return second.clone()


@misconception(
    "You take p(b) in place of p(b | a), as if the two variables were independent. Row a of "
    "`second` is what a says about b."
)
def independent(first, second):
    return first[:, None] * (first @ second)


@misconception(
    "You take the mean of the rows in place of p(b | a). Every value of a has a row of its own."
)
def mean_row(first, second):
    return first[:, None] * second.mean(0)


@misconception(
    "You normalised the columns of your table afterwards. The products sum to 1 over all pairs by "
    "themselves; divided by the column sums they are p(a | b)."
)
def posterior(first, second):
    joint = first[:, None] * second
    return joint / joint.sum(0)


@misconception(
    "You return logarithms. Probabilities were asked for: between 0 and 1, summing to 1."
)
def logarithms(first, second):
    return first.log()[:, None] + second.log()


@misconception(
    "A small number that keeps probabilities away from 0 stays in your result. A product needs "
    "none: 0 is a right answer."
)
def clamped(first, second):
    return (first[:, None] * second).clamp(min=1e-6)


@variant
def by_einsum(first, second):
    return torch.einsum("a,ab->ab", first, second)


@variant
def by_a_diagonal_matrix(first, second):
    return torch.diag(first) @ second


@variant
def by_loops(first, second):
    joint = torch.zeros_like(second)
    for a in range(len(first)):
        for b in range(second.shape[1]):
            joint[a, b] = first[a] * second[a, b]
    return joint


@variant
def by_logarithms(first, second):
    return (first.log().unsqueeze(1) + second.log()).exp()


@variant
def by_transposing_twice(first, second):
    return (second.T * first).T
