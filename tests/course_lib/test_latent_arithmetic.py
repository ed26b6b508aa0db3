r"""Moves through a latent space: identities, codes with known causes, and faces that are drawn."""

import math

import pytest
import torch
from PIL import Image

from course_lib.autoencoder import pca
from course_lib.data import celeba, faces
from course_lib.latent_arithmetic import (
    apply_attribute,
    attribute_effect,
    attribute_vector,
    fit_attribute_probe,
    lerp,
    slerp,
    traverse,
)

TARGETS = ("smile", "glasses", "hat", "blond hair")


# Traversals


@pytest.mark.parametrize("dim", [0, 2, -1])
@pytest.mark.parametrize("shape", [(3,), (5, 3)])
def test_one_dimension_moves_and_the_others_stay(shape, dim, generator):
    z = torch.randn(shape, generator=generator)
    values = torch.tensor([-2.0, 0.5, 0.5, 3.0])
    found = traverse(z, dim, values)
    assert found.shape == (4, *shape)
    for value, moved in zip(values, found, strict=True):
        assert (moved[..., dim] == value).all()
        kept = torch.arange(3) != dim % 3
        assert torch.equal(moved[..., kept], z[..., kept])


def test_a_traversal_leaves_the_code_alone(generator):
    z = torch.randn(3, generator=generator)
    before = z.clone()
    traverse(z, 1, torch.zeros(2)).add_(1)
    assert torch.equal(z, before)


# Attribute vectors


@pytest.fixture
def entangled(generator):
    r"""Codes z = a u + b w, where b is more frequent among points with a."""
    a = torch.rand(4000, generator=generator) < 0.5
    b = torch.rand(4000, generator=generator) < torch.where(a, 0.9, 0.2)
    u, w = torch.tensor([1.0, 0.0, 2.0]), torch.tensor([0.0, 3.0, 0.0])
    return a[:, None] * u + b[:, None] * w, a, b, u, w


def test_what_comes_along_stays_behind_in_balanced_groups(entangled):
    codes, a, b, u, w = entangled
    share = b[a].double().mean() - b[~a].double().mean()
    torch.testing.assert_close(attribute_vector(codes, a), u + share.to(w) * w)
    torch.testing.assert_close(attribute_vector(codes, a, others=b[:, None]), u)
    unbalanced = attribute_vector(codes, a)
    assert unbalanced[1] > 1.8


def test_groups_count_once_whatever_their_size():
    codes = torch.tensor([[0.0], [0.0], [0.0], [1.0], [10.0], [13.0]])
    labels = torch.tensor([False, False, False, True, False, True])
    others = torch.tensor([[False]] * 4 + [[True]] * 2)
    assert attribute_vector(codes, labels, others=others).item() == 2.0


def test_groups_with_one_kind_are_left_out():
    codes = torch.tensor([[0.0], [1.0], [50.0]])
    labels, others = torch.tensor([False, True, True]), torch.tensor([[False], [False], [True]])
    assert attribute_vector(codes, labels, others=others).item() == 1.0
    with pytest.raises(ValueError, match="none of 3 groups has points with and without"):
        attribute_vector(codes, labels, others=torch.tensor([[0, 0], [0, 1], [1, 1]]).bool())
    with pytest.raises(ValueError, match="none of 1 groups"):
        attribute_vector(codes, torch.ones(3, dtype=torch.bool))


def test_adding_and_taking_away_are_opposite(generator):
    z, v = torch.randn(5, 3, generator=generator), torch.randn(3, generator=generator)
    torch.testing.assert_close(apply_attribute(apply_attribute(z, v), v, -1.0), z)
    torch.testing.assert_close(apply_attribute(z, v, 2.0) - z, (2 * v).expand(5, 3))


# Ways from one code to another


@pytest.mark.parametrize("way", [lerp, slerp])
@pytest.mark.parametrize("shape", [(4,), (6, 4)])
def test_both_ways_start_and_end_at_the_codes(way, shape, generator, eps):
    z0, z1 = torch.randn(2, *shape, generator=generator)
    found = way(z0, z1, torch.tensor([0.0, 1.0, 0.25]))
    assert found.shape == (3, *shape)
    torch.testing.assert_close(found[:2], torch.stack([z0, z1]), rtol=0, atol=1e2 * eps)
    there, back = way(z0, z1, torch.tensor([0.3])), way(z1, z0, torch.tensor([0.7]))
    torch.testing.assert_close(there, back, rtol=0, atol=1e2 * eps)


def test_lerp_is_a_straight_line(generator):
    z0, z1 = torch.randn(2, 4, generator=generator)
    torch.testing.assert_close(lerp(z0, z1, torch.tensor([0.5]))[0], (z0 + z1) / 2)


def test_slerp_is_shoemakes_formula_at_equal_lengths(generator):
    z0, z1 = torch.nn.functional.normalize(torch.randn(2, 4, generator=generator), dim=-1)
    omega, tau = (z0 @ z1).arccos(), torch.linspace(0, 1, 5)
    expected = (
        ((1 - tau) * omega).sin()[:, None] * z0 + (tau * omega).sin()[:, None] * z1
    ) / omega.sin()
    torch.testing.assert_close(slerp(3 * z0, 3 * z1, tau), 3 * expected)


def test_angle_and_length_change_at_a_constant_rate(generator, eps):
    z0, z1 = torch.randn(2, 50, generator=generator) * torch.tensor([[1.0], [3.0]])
    tau = torch.linspace(0, 1, 9)
    path = slerp(z0, z1, tau)
    lengths = path.norm(dim=-1)
    torch.testing.assert_close(lengths, (1 - tau) * z0.norm() + tau * z1.norm())
    steps = torch.nn.functional.cosine_similarity(path[1:], path[:-1], dim=-1).arccos()
    torch.testing.assert_close(steps, steps.mean().expand(8), rtol=1e-3, atol=1e-3)


def test_halfway_lerp_is_too_short_and_slerp_is_not(generator):
    z0, z1 = torch.randn(2, 200, 500, generator=generator)
    half = torch.tensor([0.5])
    expected = math.sqrt(500)
    straight, arc = (way(z0, z1, half).norm(dim=-1).mean().item() for way in (lerp, slerp))
    assert straight == pytest.approx(expected / math.sqrt(2), rel=0.01)
    assert arc == pytest.approx(expected, rel=0.01)


def test_parallel_codes_are_joined_by_a_straight_line(generator):
    z = torch.randn(4, generator=generator)
    tau = torch.linspace(0, 1, 5)
    torch.testing.assert_close(slerp(z, z, tau), z.expand(5, 4))
    torch.testing.assert_close(slerp(z, 3 * z, tau), lerp(z, 3 * z, tau))
    near = z + 1e-9 * torch.randn(4, generator=generator)
    torch.testing.assert_close(slerp(z, near, tau), z.expand(5, 4))


@pytest.mark.parametrize("z", [[1.0, 0.0], [0.0, -2.0, 0.0], [1.0, 2.0, -0.5, 0.1]])
def test_opposite_codes_are_joined_by_half_a_circle(z, eps):
    z = torch.tensor(z)
    path = slerp(z, -z, torch.linspace(0, 1, 5))
    assert path.isfinite().all()
    torch.testing.assert_close(path.norm(dim=-1), z.norm().expand(5))
    torch.testing.assert_close(path[-1], -z, rtol=0, atol=1e2 * eps)
    assert abs(path[2] @ z) < 1e2 * eps * (z @ z)


# Effects, by a probe that knows no codes


def test_the_effect_is_the_mean_change_of_each_probability():
    before, after = (
        torch.zeros(4, 2),
        torch.tensor([[1.0, 0.0], [0.5, 0.2], [0.0, 0.0], [0.5, 0.2]]),
    )
    torch.testing.assert_close(
        attribute_effect(lambda x: x, before, after), torch.tensor([0.5, 0.1])
    )


@pytest.fixture(scope="module")
def probe():
    with torch.device("cpu"):
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float32)
        data = faces(3000, seed=1)
        found = fit_attribute_probe(data.images, data.attributes)
        torch.set_default_dtype(before)
    return found


def test_the_probe_sees_the_attributes_of_other_people(probe):
    data = faces(600, split="test")
    seen = probe.probabilities(data.grid()) > 0.5
    assert ((seen == data.attributes).float().mean(0) > 0.97).all()


@pytest.mark.parametrize("name", TARGETS)
def test_on_drawn_truth_only_the_target_changes(probe, name):
    data = faces(300, split="test")
    k = data.attribute_names.index(name)
    without, having = data.attributes.clone(), data.attributes.clone()
    without[:, k], having[:, k] = False, True
    pair = [faces(300, split="test", attributes=own).grid() for own in (without, having)]
    effect = attribute_effect(probe.probabilities, *pair)
    others = torch.cat([effect[:k], effect[k + 1 :]]).abs().max()
    assert effect[k] > 0.9
    assert effect[k] > 5 * others


@pytest.fixture(scope="module")
def linear():
    r"""Principal components of faces: a network is not needed to see what vectors do."""
    with torch.device("cpu"):
        return pca(faces(1200).flat(), 96)


def decode(model, z):
    return model.decode(z).clamp(0, 1).unflatten(1, (3, 32, 32))


@pytest.mark.parametrize("name", TARGETS)
def test_an_attribute_vector_moves_its_target_most(probe, linear, name):
    data, test = faces(3000), faces(400, split="test")
    k = data.attribute_names.index(name)
    vector = attribute_vector(linear.encode(data.flat()), data.attribute(name))
    z = linear.encode(test.take(~test.attribute(name)).flat())
    pair = decode(linear, z), decode(linear, apply_attribute(z, vector, 1.5))
    effect = attribute_effect(probe.probabilities, *pair)
    others = torch.cat([effect[:k], effect[k + 1 :]]).abs().max()
    assert effect[k] > 5 * others, effect


def test_correlated_attributes_need_balanced_groups(probe, linear):
    r"""Where most of those who smile wear glasses, the plain vector puts glasses on."""
    data = faces(6000)
    smile, glasses = data.attribute("smile"), data.attribute("glasses")
    draws = torch.rand(6000, generator=torch.Generator().manual_seed(0), device="cpu")
    data = data.take((smile == glasses) | (draws < 0.15))
    codes, test = linear.encode(data.flat()), faces(300, split="test")
    smile, glasses = data.attribute("smile"), data.attribute("glasses")
    neither = ~test.attribute("smile") & ~test.attribute("glasses")
    z = linear.encode(test.take(neither).flat())
    index = [data.attribute_names.index(name) for name in ("smile", "glasses")]
    effects = []
    for others in (None, glasses[:, None]):
        vector = attribute_vector(codes, smile, others=others)
        pair = decode(linear, z), decode(linear, apply_attribute(z, vector))
        effects.append(attribute_effect(probe.probabilities, *pair)[index])
    assert effects[0][1] > 0.5
    assert effects[1][1].abs() < 0.1


@pytest.fixture
def celeba_root(tmp_path):
    r"""Four pictures in the published layout; those who smile are brighter."""
    (tmp_path / "img_align_celeba").mkdir()
    names = [f"{k:06}.jpg" for k in range(1, 5)]
    for k, name in enumerate(names):
        picture = Image.new("RGB", (178, 218), (100 + 50 * (k % 2),) * 3)
        picture.save(tmp_path / "img_align_celeba" / name, quality=95)
    rows = [f"{name} {1 if k % 2 else -1} {1 if k > 1 else -1}" for k, name in enumerate(names)]
    (tmp_path / "list_attr_celeba.txt").write_text("\n".join(["4", "Smiling Young", *rows, ""]))
    partition = "".join(f"{name} 0\n" for name in names)
    (tmp_path / "list_eval_partition.txt").write_text(partition)
    return tmp_path


def test_the_same_code_takes_celebas_files(celeba_root):
    data = celeba(celeba_root, size=8)
    codes, young = data.flat(), data.attribute("Young")
    vector = attribute_vector(codes, data.attribute("Smiling"), others=young[:, None])
    assert vector.shape == (192,)
    assert abs(vector.mean().item() - 50 / 255) < 0.02
    probe = fit_attribute_probe(data.images, data.attributes, num_steps=2)
    assert probe.probabilities(data.grid()).shape == (4, 2)


# Bad input


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_input(generator):
    z, labels = torch.randn(4, 3, generator=generator), torch.tensor([True, False] * 2)
    tau, none = torch.zeros(2), torch.zeros(4, 3)
    for ask, message in (
        (lambda: traverse(z, 3, tau), "a dimension below M"),
        (lambda: traverse(z[None], 0, tau), "expected"),
        (lambda: traverse(z, 0, tau[0]), "expected"),
        (lambda: attribute_vector(z, labels[:3]), r"expected \(N, M\), \(N,\)"),
        (lambda: attribute_vector(z, labels.long()), "expected torch.bool"),
        (lambda: attribute_vector(z, labels, others=labels), r"and \(N, A\)"),
        (lambda: apply_attribute(z, z), r"expected \(…, M\), \(M,\)"),
        (lambda: apply_attribute(z, tau), r"expected \(…, M\), \(M,\)"),
        (lambda: lerp(z, z[0], tau), r"expected \(M,\) or \(N, M\)"),
        (lambda: slerp(z, z, tau[0]), r"and \(T,\)"),
        (lambda: slerp(z, none, tau), "take lerp"),
        (lambda: slerp(z[:, :1], z[:, :1], tau), "two or more dimensions"),
        (lambda: attribute_effect(lambda x: x, z, z[:2]), "with at least one image"),
        (lambda: attribute_effect(lambda x: x + 9, none, none), r"expected probabilities \(N, A\)"),
    ):
        with pytest.raises(ValueError, match=message):
            ask()
