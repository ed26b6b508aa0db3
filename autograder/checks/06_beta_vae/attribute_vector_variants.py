"""Right answers to `attribute_vector`."""

import numpy as np
import torch

from .attribute_vector import differences
from .attribute_vector_bank import ATTRIBUTE_VECTOR


@ATTRIBUTE_VECTOR.variant
def by_number(encode, x, labels, others):
    number = (others.long() * 2 ** torch.arange(others.shape[1])).sum(1)
    codes, found = encode(x), {}
    for g in sorted(set(number.tolist())):
        own, has = codes[number == g], labels[number == g]
        if 0 < has.sum() < len(has):
            found[g] = own[has].mean(dim=0) - own[~has].mean(dim=0)
    return sum(found.values()) / len(found)


@ATTRIBUTE_VECTOR.variant
def encoded_one_by_one(encode, x, labels, others):
    codes = torch.cat([encode(row[None]) for row in x])
    return differences(codes, labels, others)[0].mean(0)


@ATTRIBUTE_VECTOR.variant
def in_numpy(encode, x, labels, others):
    codes, y = encode(x).numpy(), labels.numpy()
    kinds, group = np.unique(others.numpy(), axis=0, return_inverse=True)
    found = []
    for g in range(len(kinds)):
        own = group.reshape(-1) == g
        if y[own].any() and not y[own].all():
            found.append(codes[own & y].mean(0) - codes[own & ~y].mean(0))
    return np.mean(found, axis=0)


@ATTRIBUTE_VECTOR.variant
def by_weights(encode, x, labels, others):
    _, group = torch.unique(others, dim=0, return_inverse=True)
    has = torch.nn.functional.one_hot(group).double() * labels[:, None]
    lacks = torch.nn.functional.one_hot(group).double() * ~labels[:, None]
    kept = (has.sum(0) > 0) & (lacks.sum(0) > 0)
    weights = has[:, kept] / has[:, kept].sum(0) - lacks[:, kept] / lacks[:, kept].sum(0)
    return weights.mean(1) @ encode(x)


@ATTRIBUTE_VECTOR.variant
def in_single_precision(encode, x, labels, others):
    return differences(encode(x).float(), labels, others)[0].mean(0)
