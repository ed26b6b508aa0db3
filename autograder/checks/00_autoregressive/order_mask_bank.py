"""Wrong and right answers to `order_mask`."""

import numpy as np
import torch

from .order_mask import ORDER_MASK, reference

misconception, variant = ORDER_MASK.misconception, ORDER_MASK.variant


@misconception(
    "You compare the entries of `order`. They say which variable stands at a place; you need the "
    "place of each variable, the inverse: `order.argsort()`."
)
def order_for_place(order):
    return (order[:, None] > order).double()


@misconception(
    "Your mask is turned, or the order is read from its end. Rows belong to outputs, columns to "
    "inputs: row d has ones where j comes before d."
)
def transposed(order):
    return reference(order).T.contiguous()


@misconception(
    "Every variable sees itself in yours. A variable cannot help to predict itself: zeros on the "
    "diagonal."
)
def with_diagonal(order):
    return reference(order) + torch.eye(len(order)).double()


@misconception("You ignore the order: your mask is triangular whatever was given.")
def natural_order(order):
    return torch.ones(len(order), len(order)).double().tril(-1)


@misconception("Your zeros and ones are exchanged: 1 is for what may be seen.")
def inverted(order):
    return 1 - reference(order)


@misconception(
    "You permuted only the rows of the triangle. Its columns are variables too and stand in the "
    "same order."
)
def rows_only(order):
    return torch.ones(len(order), len(order)).double().tril(-1)[order.argsort()]


@misconception(
    "You permuted only the columns of the triangle. Its rows are variables too and stand in the "
    "same order."
)
def columns_only(order):
    return torch.ones(len(order), len(order)).double().tril(-1)[:, order.argsort()]


@misconception("Each variable sees only the one just before it. All that came before may be seen.")
def only_the_last(order):
    place = order.argsort()
    return (place[:, None] == place + 1).double()


@misconception(
    "You read the order from its end, and compare its entries instead of places too. `order[0]` "
    "comes first."
)
def reversed_entries(order):
    return (order[:, None] < order).double()


@misconception(
    "Your triangle is permuted by the order where its inverse is needed, with the diagonal left in."
)
def entries_with_diagonal(order):
    return (order[:, None] >= order).double()


@misconception(
    "You permute the rows of the triangle by `order`, and not its columns. Find the place of each "
    "variable and compare all pairs."
)
def rows_by_order(order):
    return torch.ones(len(order), len(order)).double().tril(-1)[order]


@variant
def by_argsort(order):
    place = order.argsort()
    return place.unsqueeze(1) > place


@variant
def by_loops(order):
    mask = torch.zeros(len(order), len(order))
    seen = []
    for variable in order.tolist():
        mask[variable, seen] = 1
        seen.append(variable)
    return mask


@variant
def by_permuting_a_triangle(order):
    mask = torch.zeros(len(order), len(order), dtype=torch.int64)
    mask[order[:, None], order[None, :]] = torch.ones(len(order), len(order)).tril(-1).long()
    return mask


@variant
def by_a_permutation_matrix(order):
    p = torch.eye(len(order))[order]
    return p.T @ torch.ones(len(order), len(order)).tril(-1) @ p


@variant
def in_numpy(order):
    place = np.argsort(order.numpy())
    return (place[:, None] > place[None, :]).astype(np.float64)
