r"""Probes and clusters, on codes whose labels can or cannot be read off."""

import itertools

import pytest
import torch

from course_lib.features import cluster_accuracy, cluster_codes, linear_probe, nmi


@pytest.fixture
def blobs(generator):
    r"""Three well separated groups of different size in four dimensions."""
    labels = torch.arange(3).repeat_interleave(torch.tensor([30, 40, 50]))
    centres = 10 * torch.eye(3, 4)
    return centres[labels] + torch.randn(120, 4, generator=generator), labels


def test_separable_codes_are_read_without_error(blobs):
    codes, labels = blobs
    assert linear_probe(codes[::2], labels[::2], codes[1::2], labels[1::2]) == 1.0


def test_labels_that_have_nothing_to_do_with_the_codes(generator):
    codes = torch.randn(4000, 3, generator=generator)
    labels = torch.randint(0, 2, (4000,), generator=generator)
    found = linear_probe(codes[:2000], labels[:2000], codes[2000:], labels[2000:])
    assert abs(found - 0.5) < 5 * 0.5 / 2000**0.5


def test_probe_is_linear(generator):
    r"""The sign of a product cannot be read linearly, that of a sum can."""
    codes = torch.randn(2000, 2, generator=generator)
    xor, line = (codes.prod(1) > 0).long(), (codes.sum(1) > 0).long()
    assert linear_probe(codes[:1000], xor[:1000], codes[1000:], xor[1000:]) < 0.65
    assert linear_probe(codes[:1000], line[:1000], codes[1000:], line[1000:]) > 0.97


def test_scaling_is_learned_from_the_training_codes_alone():
    r"""Test codes far to one side belong to the class of that side, every one of them."""
    train = torch.tensor([[-1.0], [-1.1], [1.0], [1.1]])
    labels = torch.tensor([0, 0, 1, 1])
    test = torch.tensor([[9.0], [10.0], [11.0]])
    assert linear_probe(train, labels, test, torch.ones(3, dtype=torch.int64)) == 1.0
    assert linear_probe(train, labels, -test, torch.ones(3, dtype=torch.int64)) == 0.0


def test_units_of_the_columns_do_not_matter(generator):
    codes = torch.randn(300, 3, generator=generator)
    labels = (codes.sum(1) + torch.randn(300, generator=generator) > 0).long() + 5
    scale, shift = torch.tensor([1e3, 1.0, 1e-3]), torch.tensor([1e4, 0.0, 1e-2])
    given = [
        linear_probe(c[:100], labels[:100], c[100:], labels[100:])
        for c in (codes, codes * scale + shift)
    ]
    assert given[0] == pytest.approx(given[1], abs=0.011)


def test_clusters_of_separated_groups(blobs):
    codes, labels = blobs
    clusters = cluster_codes(codes, 3)
    assert clusters.dtype == torch.int64
    assert clusters.device == codes.device
    assert sorted(clusters.unique().tolist()) == [0, 1, 2]
    assert cluster_accuracy(clusters, labels) == 1.0
    assert nmi(clusters, labels) == pytest.approx(1.0)
    assert torch.equal(clusters, cluster_codes(codes, 3, seed=0))


def test_accuracy_is_that_of_the_best_pairing(generator):
    for num_clusters, num_labels in [(3, 3), (2, 4), (4, 2), (1, 3)]:
        clusters = torch.randint(0, num_clusters, (50,), generator=generator)
        labels = torch.randint(0, num_labels, (50,), generator=generator)
        size = max(num_clusters, num_labels)
        best = max(
            (torch.tensor(order)[clusters] == labels).double().mean().item()
            for order in itertools.permutations(range(size))
        )
        assert cluster_accuracy(clusters, labels) == pytest.approx(best)


def test_names_of_clusters_and_labels_do_not_matter(generator):
    clusters, labels = torch.randint(0, 4, (2, 60), generator=generator)
    renamed = torch.tensor([70, -3, 5, 9])[clusters]
    assert cluster_accuracy(renamed, labels) == cluster_accuracy(clusters, labels)
    assert nmi(renamed, labels) == pytest.approx(nmi(clusters, labels))


def test_a_split_class_costs_accuracy_but_less_information():
    labels = torch.tensor([0] * 40 + [1] * 40)
    split = torch.tensor([0] * 20 + [1] * 20 + [2] * 40)
    assert cluster_accuracy(split, labels) == 0.75
    assert nmi(split, labels) == pytest.approx(0.8, abs=0.01)  # 2 log 2 / (1.5 log 2 + log 2)


WRONG = {
    "one class": (
        lambda x, y: linear_probe(x, torch.zeros_like(y), x, y),
        "all train_labels are 0; expected at least two",
    ),
    "columns": (lambda x, y: linear_probe(x, y, x[:, :1], y), "2 columns and test_codes 1"),
    "train rows": (lambda x, y: linear_probe(x, y[:3], x, y), "train_labels have 4 and 3 rows"),
    "test rows": (lambda x, y: linear_probe(x, y, x[:3], y), "test_labels have 3 and 4 rows"),
    "floating labels": (lambda x, y: linear_probe(x, y.double(), x, y), "holds torch.float64"),
    "no codes": (lambda x, y: linear_probe(x[:0], y[:0], x, y), "x is empty"),
    "clusters": (
        lambda x, y: cluster_codes(x, 5),
        "num_clusters is 5 for 4 codes; expected 1 to 4",
    ),
    "images": (lambda x, y: cluster_codes(x[None], 2), r"shape \(1, 4, 2\); expected \(N"),
    "lengths": (lambda x, y: cluster_accuracy(y, y[:3]), "there are 4 clusters and 3 labels"),
    "none": (lambda x, y: nmi(y[:0], y[:0]), "there are 0 clusters and 0 labels"),
    "table": (lambda x, y: nmi(y[None], y), r"clusters has shape \(1, 4\)"),
}


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(("use", "message"), WRONG.values(), ids=WRONG.keys())
def test_bad_input(use, message):
    with pytest.raises(ValueError, match=message):
        use(torch.randn(4, 2), torch.tensor([0, 1, 0, 1]))
