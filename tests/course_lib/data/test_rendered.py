r"""What all rendered sets have in common, and the parts and tones."""

import hashlib
import math
import time

import pytest
import torch

from course_lib.data import faces, parts, sprites, tones
from course_lib.data.draw import coverage, pixel_centers
from course_lib.data.parts import LABEL_NAMES

SPLITS = ("train", "test")
RENDER = {
    "faces": lambda num, **options: faces(num, **options).images,
    "faces 64": lambda num, **options: faces(num, size=64, **options).images,
    "parts": lambda num, **options: parts(num, **options).images,
    "bad parts": lambda num, **options: parts(num, defect_share=1.0, **options).images,
    "tones": lambda num, **options: tones(num, **options).signals,
}
every_set = pytest.mark.parametrize("render", RENDER.values(), ids=RENDER.keys())


def fingerprints(rows):
    return {hashlib.sha256(row.tobytes()).digest() for row in rows.contiguous().numpy()}


@every_set
def test_the_same_seed_gives_the_same_and_another_gives_others(render):
    assert torch.equal(render(50, seed=3), render(50, seed=3))
    assert not fingerprints(render(50, seed=3)) & fingerprints(render(50, seed=4))


@every_set
def test_no_example_twice_and_none_in_both_splits(render):
    train = [fingerprints(render(500, split="train", seed=seed)) for seed in range(2)]
    test = [fingerprints(render(500, split="test", seed=seed)) for seed in range(2)]
    assert len(set().union(*train, *test)) == 2000


@pytest.mark.parametrize("render", [faces, parts], ids=["faces", "parts"])
def test_splits_are_disjoint_by_construction(render):
    r"""The last bit of the first value says which split it is: equal images are of one split."""
    for split, bit in zip(SPLITS, (0, 1), strict=True):
        first = render(500, split=split, seed=7).images[:, 0, 0, 0]
        assert (first & 1 == bit).all()


def test_tones_of_the_splits_share_no_frequency():
    train, test = (tones(4000, split=split, seed=5).frequency.double() for split in SPLITS)
    assert not torch.isin(train, test).any()


@pytest.mark.parametrize("name", ["faces", "faces 64", "parts", "tones"])
def test_the_first_of_many_are_the_same_as_few(name):
    assert torch.equal(RENDER[name](400)[:37], RENDER[name](37))


@every_set
def test_the_default_device_does_not_matter(render):
    r"""Sets are rendered on the CPU, so that they are the same everywhere."""
    expected = render(70)
    with torch.device("meta"):
        assert torch.equal(render(70), expected)


def test_the_default_device_does_not_matter_to_sprites():
    expected = sprites(70)
    with torch.device("meta"):
        data = sprites(70)
        picked = data.take([3, 1])
    assert torch.equal(data.images, expected.images)
    assert torch.equal(picked.factors, expected.factors[[3, 1]])


@every_set
def test_draws_of_others_are_left_alone(render):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    render(5)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: faces(0), "num_images is 0; expected at least 1"),
        (lambda: faces(5, size=48), "size is 48; expected 32 or 64 pixels"),
        (lambda: faces(5, split="valid"), "split is 'valid'; expected one of 'train', 'test'"),
        (lambda: faces(5, seed=-1), "seed is -1; expected 0 or a positive"),
        (lambda: faces(5, attributes=torch.zeros(4, 6, dtype=torch.bool)), r"shape \(4, 6\)"),
        (lambda: faces(5, attributes=torch.zeros(5, 6)), r"type torch\.float.*expected \(5, 6\)"),
        (lambda: parts(-3), "num_images is -3"),
        (lambda: parts(5, defect_share=1.5), r"defect_share is 1\.5; expected a share between"),
        (lambda: parts(5, defect_share=math.nan), "defect_share is nan"),
        (lambda: sprites(92161), "num_images=92161 .* at most 92160"),
        (lambda: sprites(5, size=40), "size is 40; expected 32 or 64 or 96 or 128 pixels"),
        (lambda: tones(5, num_samples=0), "num_samples=0; expected at least 1"),
        (lambda: tones(5, split="both"), "split is 'both'"),
    ],
)
@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_requests(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize("render", [faces, parts, sprites, tones])
def test_ten_thousand_take_about_a_second(render):
    start = time.process_time()
    render(10_000)
    assert time.process_time() - start < 4  # 0.1 to 0.8 s; other work may share the processor


def test_coverage_of_a_disc_is_its_area():
    x, y = pixel_centers(32)
    for radius in (0.2, 0.5, 0.83):
        disc = coverage((x * x + y * y).sqrt()[None] - radius, 32)
        assert disc.sum() / 16**2 == pytest.approx(math.pi * radius**2, rel=0.01)


def test_defects_are_as_many_as_asked_for_and_of_all_kinds():
    data = parts(1000, defect_share=0.3)
    assert data.label_names == LABEL_NAMES
    assert data.labels.bincount().tolist() == [700, 50, 50, 50, 50, 50, 50]
    assert parts(10).labels.tolist() == 10 * [0]
    assert (parts(60, defect_share=1.0).labels.bincount() == torch.tensor([0] + 6 * [10])).all()
    half = data.labels[:500].bincount()
    assert 100 < half[1:].sum() < 200, "the defects are not shuffled"


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("split", SPLITS)
def test_a_bad_part_is_a_good_one_but_for_its_defect(split, size):
    good = parts(600, split=split, size=size).grid()
    data = parts(600, split=split, size=size, defect_share=0.5)
    change = (data.grid() - good).abs().flatten(1)
    assert (change[data.labels == 0] == 0).all()
    for kind in range(1, 7):
        own = change[data.labels == kind]
        assert own.amax(1).min() > 0.05, LABEL_NAMES[kind]  # visible on every single part
        assert (own > 0.02).float().mean(1).max() < 0.15, LABEL_NAMES[kind]  # and local


@pytest.mark.parametrize("num_samples", [1, 256, 1000])
def test_tones_are_the_formula(num_samples):
    data = tones(50, num_samples=num_samples)
    time_ = torch.arange(num_samples, dtype=torch.float64, device="cpu") / data.sample_rate
    k = torch.arange(1, 4, dtype=torch.float64, device="cpu")[:, None]
    turn = 2 * math.pi * data.frequency.double()[:, None] * time_ + data.phase.double()[:, None]
    waves = (k * turn[:, None, :]).sin()
    expected = data.amplitude.double()[:, None] * torch.einsum(
        "nk,nkt->nt", data.harmonics.double(), waves
    )
    # frequency and phase are rounded to float32: a few 1e-6 radians at the end of 1000 samples
    assert (data.signals - expected).abs().max() < 1e-4
    assert torch.equal(data.time().cpu(), time_.float())


def test_tones_stay_in_their_ranges():
    data = tones(5000)
    assert data.signals.abs().max() <= 1
    for values, low, high in (
        (data.frequency, 100, 400),
        (data.phase, 0, 2 * math.pi),
        (data.amplitude, 0.4, 1.0),
    ):
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
    assert torch.allclose(data.harmonics.sum(1), torch.ones(5000, dtype=torch.float32))
    assert (data.harmonics[:, 0] >= data.harmonics[:, 1]).all()
    assert 3 * data.frequency.max() < data.sample_rate / 2, "an overtone would be folded back"
