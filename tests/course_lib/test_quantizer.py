r"""Vector quantisation against brute force, closed forms and invariants."""

import math

import pytest
import torch

from course_lib.quantizer import (
    EMAQuantizer,
    Quantizer,
    codes_in_use,
    ema_update,
    nearest_code,
    perplexity,
    png_bits,
    position_bits,
    revive_dead_codes,
    straight_through,
    uniform_bits,
    unigram_bits,
    vq_losses,
)
from course_lib.quantizer.losses import quantize

K, M = 7, 3


@pytest.fixture
def codebook(generator):
    return torch.randn(K, M, generator=generator)


@pytest.fixture
def z(generator):
    return torch.randn(50, M, generator=generator)


def squared_distances(z, codebook):
    r"""By differences in double precision, (N, K)."""
    return (z.double()[:, None] - codebook.double()).square().sum(-1)


def assert_nearest(z, codebook, indices, slack):
    distances = squared_distances(z, codebook)
    found = distances.gather(1, indices[:, None]).squeeze(1)
    assert (found <= distances.min(1).values * (1 + slack)).all()


# The nearest code


def test_it_is_brute_force(z, codebook):
    expected = squared_distances(z, codebook).argmin(1)
    assert torch.equal(nearest_code(z, codebook), expected)
    assert nearest_code(z[0], codebook).item() == expected[0]
    assert torch.equal(nearest_code(z.reshape(5, 10, M), codebook), expected.reshape(5, 10))
    assert torch.equal(nearest_code(z.T.contiguous().T, codebook), expected)


def test_no_vectors_and_one_code(z, codebook):
    assert nearest_code(z[:0], codebook).shape == (0,)
    assert nearest_code(z.reshape(50, M)[:0].reshape(0, 4, M), codebook).shape == (0, 4)
    assert (nearest_code(z, codebook[:1]) == 0).all()


@pytest.mark.parametrize("rows", [1, 511, 1024, 3000])
def test_pieces_do_not_matter(rows, generator):
    r"""More vectors than are worked on at a time, and a last piece of any size."""
    codebook = torch.randn(512, 4, generator=generator)
    z = torch.randn(rows, 4, generator=generator)
    assert_nearest(z, codebook, nearest_code(z, codebook), 1e-5)


@pytest.mark.parametrize("offset", [0.0, 1e2, 1e4, -1e6])
def test_far_from_the_origin(offset, generator):
    r"""In single precision, where the squared norm loses everything that matters."""
    codebook = (offset + torch.randn(64, 16, generator=generator)).float()
    z = (offset + torch.randn(500, 16, generator=generator)).float()
    assert_nearest(z, codebook, nearest_code(z, codebook), 1e-4)


SPREADS = {  # codebooks that no single shift makes harmless in single precision
    "two far clusters": lambda e: e + 3e3 * (torch.arange(64) % 2)[:, None],
    "one code far away": lambda e: e + 1e6 * (torch.arange(64) == 5)[:, None],
    "tiny differences": lambda e: 1e-3 * e + 10 * (torch.arange(64) % 4)[:, None],
}


@pytest.mark.parametrize("spread", SPREADS.values(), ids=SPREADS.keys())
def test_codes_far_from_one_another(spread, generator):
    codebook = spread(torch.randn(64, 16, generator=generator)).float()
    width = (codebook[0] - codebook[8]).std()
    noise = torch.randn(20, 64, 16, generator=generator)
    z = (codebook + 0.7 * width * noise).float().reshape(-1, 16)
    assert_nearest(z, codebook, nearest_code(z, codebook), 2e-3)
    assert torch.equal(nearest_code(codebook, codebook), torch.arange(64))


def test_a_code_is_nearest_to_itself(generator):
    codebook = (1e4 + torch.randn(64, 16, generator=generator)).float()
    assert torch.equal(nearest_code(codebook, codebook), torch.arange(64))
    many = codebook.repeat(300, 1)
    assert torch.equal(nearest_code(many, codebook), torch.arange(64).repeat(300))


def test_memory_does_not_hold_all_scores():
    r"""A million scores at most at a time, where all would be 2^27."""
    z, codebook = torch.zeros(2**18, 2), torch.randn(512, 2)
    largest = 0

    class Watch(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            nonlocal largest
            out = func(*args, **(kwargs or {}))
            if isinstance(out, torch.Tensor):
                largest = max(largest, out.untyped_storage().nbytes() // out.element_size())
            return out

    with Watch():
        nearest_code(z, codebook)
    assert largest <= max(2**20 if z.device.type == "cpu" else 2**24, 2**19)


# Gradients


def test_straight_through_has_the_value_of_one_and_the_gradient_of_the_other(generator):
    z_e = (1e6 * torch.randn(20, M, generator=generator)).requires_grad_()
    z_q = torch.randn(20, M, generator=generator).requires_grad_()
    z = straight_through(z_e, z_q)
    assert torch.equal(z, z_q)  # z_e + (z_q − z_e) would have lost digits
    upstream = torch.randn(20, M, generator=generator)
    for_e, for_q = torch.autograd.grad(z, [z_e, z_q], upstream, allow_unused=True)
    assert torch.equal(for_e, upstream)
    assert for_q is None or not for_q.any()


def test_the_two_losses_pull_on_one_side_each(z, codebook, generator):
    z_e, z_q = z.clone().requires_grad_(), codebook[nearest_code(z, codebook)].requires_grad_()
    weights = torch.rand(len(z), generator=generator)
    distance = (z - z_q.detach()).square().sum(1)
    pull = 2 * weights[:, None] * (z - z_q.detach())
    for loss, expected in zip(vq_losses(z_e, z_q), [(None, -pull), (pull, None)], strict=True):
        torch.testing.assert_close(loss, distance)
        found = torch.autograd.grad(loss @ weights, [z_e, z_q], allow_unused=True)
        for one, other in zip(found, expected, strict=True):
            assert (one is None) == (other is None)
            if one is not None:
                torch.testing.assert_close(one, other)


def test_the_gradient_codebook_in_closed_form(z, codebook):
    r"""dL/de_k = 2 (n_k e_k − sum of z that chose k); dL/dz_e = 2 β (z_e − z_q)."""
    quantizer = set_codes(Quantizer(K, M, beta=0.3, start_from_data=False), codebook)
    z_e = z.clone().requires_grad_()
    z_q, indices, loss = quantizer(z_e)
    assert torch.equal(z_q, codebook[indices])
    torch.testing.assert_close(loss, 1.3 * (z - codebook[indices]).square().sum(1))
    for_z, for_codes = torch.autograd.grad(loss.sum(), [z_e, quantizer.codebook])
    torch.testing.assert_close(for_z, 0.6 * (z - codebook[indices]))
    chosen = torch.nn.functional.one_hot(indices, K).to(z)
    expected = 2 * (chosen.sum(0)[:, None] * codebook - chosen.T @ z)
    torch.testing.assert_close(for_codes, expected)


@pytest.mark.parametrize("learns", [True, False])
def test_the_fast_way_is_the_readable_one(learns, z, codebook, generator):
    indices = nearest_code(z, codebook)
    upstream, weights = torch.randn(50, M, generator=generator), torch.rand(50, generator=generator)
    results = []
    for fast in (True, False):
        z_e, codes = z.clone().requires_grad_(), codebook.clone().requires_grad_(learns)
        if fast:
            z_q, loss = quantize(z_e, codes, indices, beta=0.3)
        else:
            chosen = codes[indices]
            z_q, (first, second) = straight_through(z_e, chosen), vq_losses(z_e, chosen)
            loss = learns * first + 0.3 * second
        torch.autograd.backward([z_q, loss], [upstream, weights])
        results.append([z_q, loss, z_e.grad] + [codes.grad] * learns)
    torch.testing.assert_close(*results)
    with torch.no_grad():  # the same loss when nothing is differentiated
        codes.requires_grad_(learns)
        torch.testing.assert_close(quantize(z, codes, indices, beta=0.3)[1], results[1][1])


@pytest.mark.parametrize("kind", [Quantizer, EMAQuantizer])
def test_no_gradient_of_the_reconstruction_reaches_the_codebook(kind, z, codebook):
    quantizer = set_codes(kind(K, M, start_from_data=False), codebook)
    z_e = z.clone().requires_grad_()
    z_q, *_ = quantizer(z_e)
    (7 * z_q).sum().backward()
    assert torch.equal(z_e.grad, torch.full_like(z, 7))
    assert quantizer.codebook.grad is None or not quantizer.codebook.grad.any()


# Moving averages


def test_the_update_is_the_appendix(generator):
    r"""e_k = m_k / N_k with moving averages m_k of the sums and N_k of the counts."""
    codebook = torch.randn(K, M, generator=generator)
    size = torch.rand(K, generator=generator) + 0.1
    sums, sizes = size[:, None] * codebook, size.clone()
    for _ in range(20):
        z = torch.randn(30, M, generator=generator)
        indices = nearest_code(z, codebook)
        chosen = torch.nn.functional.one_hot(indices, K).to(z)
        sums = 0.9 * sums + 0.1 * chosen.T @ z
        sizes = 0.9 * sizes + 0.1 * chosen.sum(0)
        codebook, size = ema_update(codebook, size, z, indices, decay=0.9)
        torch.testing.assert_close(codebook, sums / sizes[:, None])
        torch.testing.assert_close(size, sizes)


@pytest.mark.parametrize("size", [0.0, 1e-30, 3.0])
def test_a_code_nobody_chose_does_not_move(size, codebook, z):
    r"""Bit for bit, for thousands of steps, also when its average size is 0 or runs down to it."""
    sizes, moving = torch.full((K,), size), codebook
    indices = nearest_code(z, codebook[:3])  # the codes from 3 on are never chosen
    for _ in range(3000):
        moving, sizes = ema_update(moving, sizes, z, indices, decay=0.7)
    assert torch.equal(moving[3:], codebook[3:])
    assert (sizes[3:] <= size).all()
    assert moving.isfinite().all()


def test_a_code_without_a_past_goes_to_the_mean(codebook, z):
    indices = nearest_code(z, codebook)
    moved, size = ema_update(codebook, torch.zeros(K), z, indices)
    for k in indices.unique().tolist():
        torch.testing.assert_close(moved[k], z[indices == k].mean(0))
    torch.testing.assert_close(size, 0.01 * torch.bincount(indices, minlength=K).to(z))


def test_cluster_means_are_the_fixed_point(generator):
    r"""Two separate clusters: the codes arrive at their means, and stay."""
    centres = torch.tensor([[0.0, 0.0], [10.0, -5.0]])
    labels = torch.arange(60) % 2
    z = centres[labels] + torch.randn(60, 2, generator=generator)
    means = torch.stack([z[labels == k].mean(0) for k in (0, 1)])
    quantizer = set_codes(EMAQuantizer(2, 2, start_from_data=False, decay=0.9), centres + 1)
    for _ in range(300):
        quantizer(z)
    torch.testing.assert_close(quantizer.codebook, means)
    torch.testing.assert_close(quantizer.cluster_size, torch.full((2,), 30.0))
    before = quantizer.codebook.clone()
    quantizer(z)
    torch.testing.assert_close(quantizer.codebook, before)


def test_the_module_takes_the_steps_of_the_function(z, codebook):
    quantizer = set_codes(EMAQuantizer(K, M, beta=0.3, decay=0.8, start_from_data=False), codebook)
    expected, size = codebook, torch.zeros(K)
    for _ in range(5):
        output = quantizer(z)
        assert torch.equal(output.indices, nearest_code(z, expected))
        torch.testing.assert_close(
            output.loss, 0.3 * (z - expected[output.indices]).square().sum(1)
        )
        expected, size = ema_update(expected, size, z, output.indices, decay=0.8)
        torch.testing.assert_close(quantizer.codebook, expected)
    assert not list(quantizer.parameters())


# What training mode does to a codebook, and evaluation mode does not


@pytest.mark.parametrize("kind", [Quantizer, EMAQuantizer])
def test_nothing_moves_in_evaluation_mode(kind, z):
    quantizer = kind(K, M, revive_every=1).eval()
    before = {name: value.clone() for name, value in quantizer.state_dict().items()}
    first = quantizer(z)
    for _ in range(3):
        again = quantizer(z)
    assert all(map(torch.equal, first, again))
    assert all(torch.equal(value, before[name]) for name, value in quantizer.state_dict().items())


@pytest.mark.parametrize("kind", [Quantizer, EMAQuantizer])
def test_it_starts_at_the_data(kind, generator):
    z = 100 + torch.randn(50, M, generator=generator)
    quantizer = kind(K, M)
    output = quantizer(z)
    start = quantizer.codebook if kind is Quantizer else output.z_q
    assert squared_distances(start.detach(), z).min(1).values.max() == 0
    assert codes_in_use(output.indices, K) == K  # each is nearest to the vector it came from
    few = kind(K, M)
    few(z[:3])
    assert few.codebook.isfinite().all()
    assert (few.codebook > 50).all()


@pytest.mark.parametrize("kind", [Quantizer, EMAQuantizer])
def test_dead_codes_come_back(kind, generator):
    r"""Half of the codes are far away: after a revival they are in use, without it never."""
    z = torch.randn(200, M, generator=generator)
    far = torch.randn(K, M, generator=generator)
    far[3:] += 1000
    used = {}
    for every in (None, 5):
        quantizer = kind(K, M, revive_every=every, start_from_data=False)
        set_codes(quantizer, far)
        for _ in range(7):
            output = quantizer(z)
        used[every] = codes_in_use(output.indices, K)
    assert used == {None: 3, 5: K}


def test_revival_waits_for_its_turn_and_leaves_the_living_alone(codebook):
    codebook[0] = 1000.0
    z = codebook[1:].repeat(3, 1) + 0.01
    quantizer = set_codes(Quantizer(K, M, revive_every=4, start_from_data=False), codebook)
    for step in range(1, 5):
        quantizer(z)
        assert torch.equal(quantizer.codebook[1:], codebook[1:])
        assert torch.equal(quantizer.codebook[0], codebook[0]) == (step < 4)
    assert quantizer.choices.sum() == 0


def test_reviving(z, codebook, generator):
    counts = torch.tensor([3.0, 0.0, 0.9, 1.0, 8.0, 0.0, 2.0])
    revived, number = revive_dead_codes(codebook, counts, z, generator=generator)
    dead = counts < 1
    assert number == 3
    assert torch.equal(revived[~dead], codebook[~dead])
    where = (revived[dead][:, None] == z).all(-1)  # (dead, N)
    assert where.any(1).all()
    assert where.any(0).sum() == 3  # no vector twice
    assert not torch.equal(revived[dead], codebook[dead])
    assert revive_dead_codes(codebook, counts, z, threshold=0.0)[1] == 0
    few, number = revive_dead_codes(codebook, counts, z[:2])
    assert number == 2
    assert torch.equal(few[5], codebook[5])

    def seeded():
        return torch.Generator(z.device).manual_seed(3)

    pair = [revive_dead_codes(codebook, counts, z, generator=seeded())[0] for _ in range(2)]
    assert torch.equal(*pair)


@pytest.mark.parametrize("kind", [Quantizer, EMAQuantizer])
def test_a_saved_codebook_goes_on_where_it_was(kind, z):
    r"""Step counter, counts and averages are part of the state: the next revival comes in time."""
    quantizer, twin = (kind(K, M, revive_every=5) for _ in range(2))
    for _ in range(3):
        quantizer(z)
    twin.load_state_dict(quantizer.state_dict())
    for step in range(4):
        for one in (quantizer, twin):
            torch.manual_seed(step)
            one(z + step)
        assert torch.equal(quantizer.codebook, twin.codebook)
        assert torch.equal(quantizer.choices, twin.choices)
    assert quantizer.steps == twin.steps == 7


# Usage and bits


def test_perplexity():
    generator = torch.Generator("cpu").manual_seed(0)
    indices = torch.randint(5, (4, 25), generator=generator, device="cpu")
    shares = torch.bincount(indices.flatten()) / 100
    expected = math.exp(-(shares * shares.log()).sum())
    assert perplexity(indices, 9) == pytest.approx(expected)
    assert perplexity(torch.zeros(5, dtype=torch.int64), 9) == 1
    assert perplexity(torch.arange(9), 9) == pytest.approx(9)
    assert codes_in_use(torch.tensor([0, 3, 3, 8]), 9) == 3


def test_bits_of_the_simple_models(generator):
    r"""Each is the best of its kind on the data it was counted on, and a proper code on others."""
    codes = torch.randint(4, (500, 2, 3), generator=generator)
    codes[:, 0, 0] = 1
    codes[:, 1] = codes[:, 1] % 2
    uniform = uniform_bits(codes, 4)
    assert uniform.tolist() == [12.0] * 500
    tiny = {"pseudo_count": 1e-9}
    unigram = unigram_bits(codes, codes, 4, **tiny).mean().item()
    position = position_bits(codes, codes, 4, **tiny).mean().item()
    shares = torch.bincount(codes.flatten(), minlength=4) / codes.numel()
    assert unigram == pytest.approx(-6 * (shares * shares.log2()).sum().item(), rel=1e-4)
    by_place = torch.nn.functional.one_hot(codes, 4).to(uniform).mean(0)  # (h, w, K)
    entropy = torch.special.entr(by_place).sum().item() / math.log(2)
    assert position == pytest.approx(entropy, rel=1e-4)
    assert position < unigram < 12


@pytest.mark.parametrize("bits", [unigram_bits, position_bits])
def test_the_simple_models_sum_to_one(bits, generator):
    r"""Over all maps of two codes; also for codes never seen."""
    train = torch.randint(2, (6, 1, 2), generator=generator)
    maps = torch.cartesian_prod(torch.arange(3), torch.arange(3))[:, None]
    total = torch.exp2(-bits(train, maps, 3, pseudo_count=0.5)).sum()
    assert total.item() == pytest.approx(1, rel=1e-5)


def test_png_is_read_back_and_counted(generator):
    noise = torch.randint(256, (2, 1, 16, 16), generator=generator).to(torch.uint8)
    flat = torch.zeros(1, 1, 16, 16, dtype=torch.uint8)
    sizes = png_bits(torch.cat([noise, flat]))
    assert sizes.shape == (3,)
    assert (sizes[:2] >= 8 * 256).all()  # noise cannot be compressed
    assert sizes[2] < 8 * 100
    assert (sizes % 8 == 0).all()
    assert png_bits(noise.expand(2, 3, 16, 16)).shape == (2,)


# Bad input


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_input(z, codebook):
    zero = torch.zeros(50, dtype=torch.int64)
    bad = {
        r"codebook has shape \(3,\)": lambda: nearest_code(z, codebook[0]),
        r"codebook has shape \(0, 3\)": lambda: nearest_code(z, codebook[:0]),
        r"z has shape \(50, 2\).*\(\*B, 3\).*movedim": lambda: nearest_code(z[:, :2], codebook),
        "z has shape .* and type torch.float16": lambda: nearest_code(z.half(), codebook),
        r"z_e has shape \(50, 2\)": lambda: Quantizer(K, M)(z[:, :2]),
        "expected the same shape": lambda: straight_through(z, z[0]),
        r"z_q \(50, 2\)": lambda: vq_losses(z, z[:, :2]),
        "decay is 1.0": lambda: EMAQuantizer(K, M, decay=1.0),
        "decay is -0.1": lambda: ema_update(codebook, torch.ones(K), z, zero, decay=-0.1),
        r"cluster_size has shape \(3,\); expected \(7,\)": lambda: ema_update(
            codebook, torch.ones(3), z, zero
        ),
        r"indices has shape \(4,\); expected \(50,\)": lambda: ema_update(
            codebook, torch.ones(K), z, zero[:4]
        ),
        r"counts has shape \(3,\)": lambda: revive_dead_codes(codebook, torch.ones(3), z),
        r"z has shape \(2, 25, 3\); expected \(N, M\)": lambda: revive_dead_codes(
            codebook, torch.ones(K), z.reshape(2, 25, M)
        ),
        "beta is -1": lambda: Quantizer(K, M, beta=-1.0),
        "num_codes is 0": lambda: Quantizer(0, M),
        "revive_every is 0": lambda: Quantizer(K, M, revive_every=0),
        "from 0 to 6": lambda: perplexity(torch.tensor([7]), K),
        "from 0 to 5": lambda: codes_in_use(torch.tensor([-1]), 6),
        "at least one whole number": lambda: perplexity(zero[:0], K),
        "torch.float": lambda: perplexity(z, K),
        r"codes has shape \(50,\); expected \(N, h, w\)": lambda: uniform_bits(zero, K),
        r"maps of \(5, 10\) and \(10, 5\)": lambda: unigram_bits(
            zero.reshape(1, 5, 10), zero.reshape(1, 10, 5), K
        ),
        "pseudo_count is 0": lambda: position_bits(
            zero.reshape(2, 5, 5), zero.reshape(2, 5, 5), K, pseudo_count=0.0
        ),
        "type torch.int64; expected": lambda: png_bits(torch.zeros(1, 1, 4, 4).long()),
    }
    for message, call in bad.items():
        with pytest.raises(ValueError, match=message):
            call()


def set_codes(quantizer, codebook):
    with torch.no_grad():
        quantizer.codebook.copy_(codebook)
    return quantizer
