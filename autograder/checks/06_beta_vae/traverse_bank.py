"""Wrong and right answers to `traverse`."""

import torch

from ._signs import explains_all
from .traverse import TRAVERSE, reference


@TRAVERSE.misconception(
    "You start from a code of zeros. The other hidden values must keep what the encoder gave for "
    "this image."
)
def from_the_origin(z, dim, values):
    return reference(torch.zeros_like(z), dim, values)


@TRAVERSE.misconception(
    "You add the values to the hidden value. They say where it shall stand: replace it."
)
def added(z, dim, values):
    path = z.repeat(len(values), 1)
    path[:, dim] += values
    return path


@TRAVERSE.misconception(
    "You multiply the hidden value by the values. They say where it shall stand: replace it."
)
def multiplied(z, dim, values):
    path = z.repeat(len(values), 1)
    path[:, dim] *= values
    return path


@TRAVERSE.misconception(
    "You changed the code that you were given. Work on a copy: `z.repeat(V, 1)` or `z.clone()`.",
    sign=lambda calls: any(getattr(c.error, "code", "") == "changed_argument" for c in calls),
)
def in_place(z, dim, values):
    rows = []
    for value in values:
        z[dim] = value
        rows.append(z.clone())
    return torch.stack(rows)


@TRAVERSE.misconception(
    "All rows of your table are the same: they are one and the same memory, or the last value was "
    "written to all. Make a copy for each value."
)
def the_last_value_everywhere(z, dim, values):
    return reference(z, dim, values[-1:].expand(len(values)))


@TRAVERSE.misconception("You set all hidden values. Set the one called `dim` and keep the others.")
def all_dimensions(z, dim, values):
    return values[:, None].expand(len(values), len(z)).clone()


@TRAVERSE.misconception(
    "You always move the first hidden value. Move the one called `dim`, counted from 0."
)
def always_the_first(z, dim, values):
    return reference(z, 0, values)


@TRAVERSE.misconception("You count the hidden values from 1. `dim` counts from 0.")
def counted_from_one(z, dim, values):
    return reference(z, (dim - 1) % len(z), values)


@TRAVERSE.misconception(
    "Your table is (M, V). A row belongs to a value, and is a code that can be decoded: (V, M)."
)
def transposed(z, dim, values):
    return reference(z, dim, values).T.contiguous()


@TRAVERSE.misconception(
    "You return the moved hidden value alone. A decoder needs the whole code, (V, M)."
)
def one_column(z, dim, values):
    return values.clone()


@TRAVERSE.misconception(
    "You put the code itself before the others as a row of its own. Return one row for each value, "
    "no more."
)
def with_the_start(z, dim, values):
    return torch.cat([z[None], reference(z, dim, values)])


@TRAVERSE.misconception(
    "You took the mean off the code first. The other hidden values keep exactly what the encoder "
    "gave."
)
def centred(z, dim, values):
    return reference(z - z.mean(), dim, values)


@TRAVERSE.misconception(
    "You go from the smallest value to the largest, in even steps. Take the values as they are "
    "given, in their order."
)
def even_steps(z, dim, values):
    low, high = float(values.min()), float(values.max())
    return reference(z, dim, torch.linspace(low, high, len(values)).to(z))


def wrong_dtype(calls):
    """Right numbers throughout, and now and then another dtype than that of the code."""
    same = [call.value.dtype == call.args[0].dtype for call in calls]
    return explains_all(reference, calls) and not all(same)


@TRAVERSE.misconception(
    "Your numbers are right, but not of the dtype of `z`. Where two types meet, torch takes the "
    "more precise one: convert the values with `values.to(z.dtype)`.",
    sign=wrong_dtype,
)
def promoted(z, dim, values):
    return torch.where(torch.arange(len(z)) == dim, values[:, None], z)


@TRAVERSE.misconception(
    "You put the values in order of size. Row number n belongs to value number n: keep their order."
)
def sorted_values(z, dim, values):
    return reference(z, dim, values.sort().values)


@TRAVERSE.misconception(
    "You repeat each hidden value where the whole code has to be repeated, so the columns are "
    "mixed up. `z.repeat(V, 1)` stacks copies of the code."
)
def repeated_value_by_value(z, dim, values):
    path = z.repeat_interleave(len(values)).reshape(len(values), -1)
    path[:, dim] = values
    return path


@TRAVERSE.misconception(
    "You limit the values to the range from −3 to 3. Take them as they are given."
)
def limited(z, dim, values):
    return reference(z, dim, values.clamp(-3, 3))


@TRAVERSE.variant
def by_stacking(z, dim, values):
    return torch.stack([torch.cat([z[:dim], value[None].to(z), z[dim + 1 :]]) for value in values])


@TRAVERSE.variant
def by_where(z, dim, values):
    return torch.where(torch.arange(len(z)) == dim, values[:, None].to(z), z)


@TRAVERSE.variant
def by_one_hot(z, dim, values):
    axis = torch.zeros_like(z)
    axis[dim] = 1
    return z * (1 - axis) + values[:, None].to(z) * axis


@TRAVERSE.variant
def by_index_copy(z, dim, values):
    return z.expand(len(values), -1).index_copy(1, torch.tensor([dim]), values[:, None].to(z))


@TRAVERSE.variant
def row_by_row(z, dim, values):
    rows = []
    for value in values:
        row = z.clone()
        row[dim] = value
        rows.append(row)
    return torch.stack(rows)
