"""Wrong and right answers to `reverse_order`."""

import torch

from .reverse_order import REVERSE_ORDER, reference

misconception, variant = REVERSE_ORDER.misconception, REVERSE_ORDER.variant


@misconception(
    "Your second table is (K, L). Its row must belong to what comes first, and that is b now: "
    "(L, K)."
)
def transposed(first, second):
    new_first, new_second = reference(first, second)
    return new_first, new_second.T.contiguous()


@misconception(
    "Your p(b) is the plain mean of the rows of `second`. Weight row a by p(a): rare values count "
    "less."
)
def unweighted_mean(first, second):
    return second.mean(0), reference(first, second)[1]


@misconception(
    "Your p(b) is the plain sum of the rows of `second`. Weight row a by p(a), else it does not "
    "sum to 1."
)
def unweighted_sum(first, second):
    return second.sum(0), reference(first, second)[1]


@misconception(
    "You normalised `second` over a without p(a). By Bayes' rule p(a | b) is in proportion to "
    "p(a) p(b | a): the prior counts."
)
def without_the_prior(first, second):
    return first @ second, (second / second.sum(0)).T


@misconception(
    "Your second result is the joint, turned. Divide row b by p(b), so that each row sums to 1."
)
def joint_for_conditional(first, second):
    joint = first[:, None] * second
    return joint.sum(0), joint.T.contiguous()


@misconception(
    "You turn the table p(b | a) itself. Its rows then are no distributions over a: build the "
    "joint, and divide it by p(b)."
)
def conditional_turned(first, second):
    return first @ second, second.T.contiguous()


@misconception(
    "Your first result is p(a), summed over b. Sum over a, the rows of the joint, to get p(b)."
)
def wrong_axis(first, second):
    joint = first[:, None] * second
    return joint.sum(1), (joint / joint.sum(1, keepdim=True)).T.contiguous()


@misconception(
    "You return every row of the second table as p(a), as if b said nothing about a. The share of "
    "a among the pairs with this b is the joint divided by p(b)."
)
def independent(first, second):
    return first @ second, first.expand(second.shape[1], -1).clone()


@misconception("You return the two results in the other order: p(b) comes first.")
def swapped(first, second):
    return reference(first, second)[::-1]


@misconception(
    "You multiply by p(b) where you should divide: p(a | b) is the joint divided by p(b)."
)
def multiplied(first, second):
    joint = first[:, None] * second
    return joint.sum(0), (joint * joint.sum(0)).T.contiguous()


@misconception(
    "You chose the most probable a for each b. A conditional keeps the probabilities of all values."
)
def most_probable(first, second):
    new_first, new_second = reference(first, second)
    top = new_second.argmax(1)
    return new_first, torch.nn.functional.one_hot(top, len(first)).to(first)


@misconception(
    "You add a small number to p(b) before you divide. Where b is rare, your p(a | b) does not sum "
    "to 1: divide by p(b) as it is."
)
def with_epsilon(first, second):
    joint = first[:, None] * second
    return joint.sum(0), (joint / (joint.sum(0) + 1e-8)).T


@misconception(
    "You keep p(b) above a small number before you divide. Every value of b is possible: divide "
    "by p(b) as it is."
)
def clamped(first, second):
    joint = first[:, None] * second
    return joint.sum(0), (joint / joint.sum(0).clamp(min=1e-6)).T


@variant
def by_bayes(first, second):
    evidence = first @ second
    return evidence, torch.stack(
        [first * second[:, b] / evidence[b] for b in range(second.shape[1])]
    )


@variant
def by_transposing_first(first, second):
    joint = (first.unsqueeze(1) * second).T
    return joint.sum(1), joint / joint.sum(1, keepdim=True)


@variant
def by_softmax(first, second):
    log_joint = first.log()[:, None] + second.log()
    return log_joint.logsumexp(0).exp(), log_joint.softmax(0).T


@variant
def as_a_list(first, second):
    return list(reference(first, second))


@variant
def by_normalising(first, second):
    joint = torch.diag(first) @ second
    return joint.sum(0), torch.nn.functional.normalize(joint, p=1, dim=0).T.contiguous()
