r"""PixelCNN: what each output sees, sums over all maps, a sampler that computes nothing twice."""

import itertools
import math

import pytest
import torch
from torch import nn
from torch.func import functional_call

from course_lib.autoregressive import receptive_field, sample_sequentially
from course_lib.pixelcnn import GatedBlock, MaskedConv2d, PixelCNN, causal_mask, gate
from course_lib.pixelcnn.cached import CachedLogits
from course_lib.training import TrainSettings, train

K, SIZE, CLASSES = 5, (6, 5), 3


def randomised(model: nn.Module) -> nn.Module:
    r"""Weights that are all at work: those that start at 0 get values too."""
    generator = torch.Generator(torch.get_default_device()).manual_seed(0)
    with torch.no_grad():
        for value in model.parameters():
            value.add_(0.2 * torch.randn(value.shape, generator=generator))
    return model


@pytest.fixture
def model() -> PixelCNN:
    torch.manual_seed(0)
    return randomised(PixelCNN(K, SIZE, width=6, num_layers=3, num_classes=CLASSES))


@pytest.fixture
def codes(generator):
    return torch.randint(K, (4, *SIZE), generator=generator)


@pytest.fixture
def y():
    return torch.tensor([0, 1, 2, 0])


def before(position: tuple[int, int], size: tuple[int, int] = SIZE) -> torch.Tensor:
    r"""True at the places that come before `position`, row by row."""
    place = torch.arange(size[0] * size[1]).view(size)
    return place < place[position]


# The naive form


@pytest.mark.parametrize("kernel_size", [1, 3, 5, 7])
def test_masks(kernel_size):
    half = kernel_size // 2
    for kind, middle in (("A", False), ("B", True)):
        mask = causal_mask(kernel_size, kind)
        for a, b in itertools.product(range(kernel_size), repeat=2):
            earlier = (a, b) < (half, half)
            assert mask[a, b] == (earlier or (middle and (a, b) == (half, half)))


def naive_stack(num_layers: int, kernel_size: int = 3) -> nn.Sequential:
    width = 4
    layers: list[nn.Module] = [MaskedConv2d(1, width, kernel_size, kind="A")]
    for _ in range(num_layers - 2):
        layers += [nn.Tanh(), MaskedConv2d(width, width, kernel_size, kind="B")]
    return randomised(
        nn.Sequential(*layers, nn.Tanh(), MaskedConv2d(width, 1, kernel_size, kind="B"))
    )


def seen_by_gradient(stack: nn.Module, size, position, generator) -> torch.Tensor:
    x = torch.randn(1, 1, *size, generator=generator, requires_grad=True)
    (grad,) = torch.autograd.grad(stack(x)[(0, 0, *position)], x)
    return (grad[0, 0] != 0).cpu()


def test_the_naive_stack_is_causal_and_has_a_blind_spot(generator):
    size, position = (7, 9), (5, 4)
    i, j = position
    seen = seen_by_gradient(naive_stack(6), size, position, generator)
    expected = before(position, size)
    for row, column in itertools.product(range(size[0]), range(size[1])):
        if column - j > i - row:  # a step to the right costs a step up
            expected[row, column] = False
    assert torch.equal(seen, expected)
    assert (before(position, size) & ~seen).sum() == 3 + 2 + 1  # in rows 4, 3 and 2
    deeper = seen_by_gradient(naive_stack(10), size, position, generator)
    assert torch.equal(deeper, seen)


def test_masked_convolution_is_a_convolution_with_a_masked_weight(generator):
    layer = MaskedConv2d(2, 3, 5, kind="B")
    x = torch.randn(4, 2, 6, 7, generator=generator)
    mask = causal_mask(5, "B")
    expected = nn.functional.conv2d(x, layer.weight * mask, layer.bias, padding=2)
    torch.testing.assert_close(layer(x), expected)
    layer(x).square().sum().backward()
    assert (layer.weight.grad[:, :, ~mask] == 0).all()
    assert (layer.weight.grad[:, :, mask] != 0).all()


# Gate and blocks


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("shape", [(3, 8), (3, 8, 2), (2, 8, 3, 4)])
def test_gate(shape, with_bias, generator, eps):
    x = (2 * torch.randn(shape, generator=generator)).requires_grad_()
    bias = torch.randn(shape[:2], generator=generator).requires_grad_() if with_bias else None
    inputs = [x, bias] if with_bias else [x]
    shifted = x + bias.view(*shape[:2], *[1] * (len(shape) - 2)) if with_bias else x
    a, b = shifted.chunk(2, 1)
    expected, found = a.tanh() * b.sigmoid(), gate(x, bias)
    torch.testing.assert_close(found, expected, rtol=10 * eps, atol=10 * eps)
    weight = torch.randn(found.shape, generator=generator)
    grads = [torch.autograd.grad((weight * out).sum(), inputs) for out in (found, expected)]
    torch.testing.assert_close(*grads, rtol=100 * eps, atol=100 * eps)


def test_gate_in_float64_by_finite_differences(generator):
    x = torch.randn(2, 4, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(2, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(gate, (x, bias))


def test_gate_in_16_bits_keeps_small_values(generator):
    x = 1e-3 * torch.randn(5, 8, generator=generator)
    exact, found = gate(x), gate(x.bfloat16())
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.to(exact), exact, rtol=0.02, atol=0.0)


def test_gate_at_extreme_inputs():
    x = torch.tensor([[1e4, 1e4], [-1e4, 1e4], [1e4, -1e4]], requires_grad=True)
    found = gate(x)
    assert found.flatten().tolist() == [1, -1, 0]
    found.sum().backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_block_is_the_masked_form(kernel_size, generator):
    r"""Square masked convolutions on all rows, and a shift by one row, give the same."""
    width, reach, (height, wide) = 4, kernel_size // 2, (5, 6)
    block = randomised(GatedBlock(width, kernel_size, num_classes=CLASSES))
    v = torch.randn(3, width, height, wide, generator=generator)
    h = torch.randn(3, width, height, wide, generator=generator)
    y = torch.tensor([2, 0, 1])
    rows = nn.functional.pad(block.vertical.weight, (0, 0, 0, reach))
    row = nn.functional.pad(block.horizontal.weight, (0, reach))
    v_class, h_class = block.classes(y)[:, :, None, None].chunk(2, 1)
    all_v = v + gate(nn.functional.conv2d(v, rows, block.vertical.bias, padding=reach) + v_class)
    above = nn.functional.pad(all_v, (0, 0, 1, 0))[:, :, :-1]
    in_row = nn.functional.conv2d(h, row, block.horizontal.bias, padding=(0, reach))
    expected = h + block.residual(gate(in_row + block.link(above) + h_class))
    new_v, new_h = block(v[:, :, :-1], h, y)
    torch.testing.assert_close(new_v, all_v[:, :, :-1])
    torch.testing.assert_close(new_h, expected)


def test_the_first_layer_is_a_convolution_of_embedded_codes(model, codes, y):
    first = model.first
    x = first.embedding(codes).permute(0, 3, 1, 2) + first.place
    right = nn.functional.pad(x, (1, 0))[..., :-1]
    v, h = first(codes, y)
    # of v all is as in a block but for the residual connection
    expected_v, _ = GatedBlock.forward(first, x[:, :, :-1], right, y)
    torch.testing.assert_close(v, expected_v - x[:, :, :-1])
    _, h_class = first.class_biases(y)
    h_in = first.horizontal(nn.functional.pad(right, (first.reach, 0)))
    h_in = h_in + nn.functional.pad(first.link(v), (0, 0, 1, 0))
    torch.testing.assert_close(h, right + first.residual(gate(h_in, h_class)))


# Causality


@pytest.mark.parametrize("position", [(0, 0), (0, 4), (3, 2), (5, 0), (5, 4)])
def test_sees_everything_before_and_nothing_else_by_perturbation(model, position, generator, eps):
    def logits_fn(x):
        return model.logits(x, torch.ones(len(x), dtype=torch.int64))

    seen = receptive_field(
        logits_fn,
        SIZE,
        position=position,
        num_values=K,
        num_probes=2,
        tolerance=20 * eps,
        dtype=torch.int64,
        device=torch.get_default_device(),
        generator=generator,
    )
    assert torch.equal(seen.cpu(), before(position).cpu())


@pytest.mark.parametrize(("kernel_size", "first_kernel_size"), [(3, 3), (3, 7), (5, 1)])
def test_sees_its_receptive_field_by_gradient(kernel_size, first_kernel_size, generator):
    r"""Codes have no gradient, but what they are replaced by has: their embedding at each place."""
    size, position, layers = (8, 17), (6, 8), 2
    model = randomised(
        PixelCNN(
            3,
            size,
            width=4,
            num_layers=layers,
            kernel_size=kernel_size,
            first_kernel_size=first_kernel_size,
        )
    )
    codes = torch.randint(3, (1, *size), generator=generator)
    # p is added to the embedding, so its gradient is that of the input at each place
    place = model.first.place.detach().clone().requires_grad_()
    out = functional_call(Logits(model), {"model.first.place": place}, (codes,))
    (grad,) = torch.autograd.grad(out[(0, *position)].square().sum(), place)
    seen = (grad[0] != 0).any(0).cpu()
    reach = first_kernel_size // 2 + (layers - 1) * (kernel_size // 2)
    row, column = torch.meshgrid(*map(torch.arange, size), indexing="ij")
    i, j = position
    above = (row < i) & (row >= i - 1 - reach) & ((column - j).abs() <= reach)
    in_row = (row == i) & (column < j) & (column >= j - 1 - reach)
    # to the left, the row above is reached through the row itself as well
    through = (row < i) & (row >= i - 1 - reach) & (column >= j - 2 * reach) & (column <= j + reach)
    assert (seen & before(position, size).cpu()).equal(seen)
    assert (seen & (above | in_row)).equal(above | in_row)
    assert (seen & (through | in_row)).equal(seen)
    assert seen[i - 1, j : j + reach + 1].all()  # where the naive form is blind


class Logits(nn.Module):
    def __init__(self, model: PixelCNN) -> None:
        super().__init__()
        self.model = model

    def forward(self, codes):
        return self.model.logits(codes)


# Probabilities


@pytest.mark.parametrize("num_classes", [None, 2])
def test_probabilities_of_all_maps_sum_to_one(num_classes, eps):
    model = randomised(PixelCNN(3, (2, 2), width=4, num_layers=2, num_classes=num_classes))
    every = torch.cartesian_prod(*[torch.arange(3)] * 4).view(-1, 2, 2)
    for label in range(num_classes or 1):
        y = None if num_classes is None else torch.full((len(every),), label)
        log_prob = model.log_prob(every, y)
        assert log_prob.std() > 0.1
        assert abs(log_prob.logsumexp(0).item()) < 100 * eps


def test_draws_follow_the_probabilities(generator):
    r"""Pearson's χ² over all 81 maps."""
    model = randomised(PixelCNN(3, (2, 2), width=4, num_layers=2))
    every = torch.cartesian_prod(*[torch.arange(3)] * 4).view(-1, 2, 2)
    count = 20_000
    draws = model.sample(count, generator=generator).flatten(1)
    number = (draws * torch.tensor([27, 9, 3, 1])).sum(1)
    found = torch.bincount(number, minlength=81)
    expected = count * model.log_prob(every).exp()
    chi_sq = ((found - expected) ** 2 / expected).sum().item()
    assert chi_sq < 80 + 5.5 * math.sqrt(160)  # false alarm below one in a million


def test_log_prob_is_the_sum_over_positions(model, codes, y):
    terms = model.log_prob_per_position(codes, y)
    assert terms.shape == codes.shape
    torch.testing.assert_close(model.log_prob(codes, y), terms.flatten(1).sum(1))
    expected = nn.functional.cross_entropy(
        model.logits(codes, y).movedim(-1, 1), codes, reduction="none"
    )
    torch.testing.assert_close(terms, -expected)


def test_the_class_matters(model, codes, y):
    same = model.log_prob(codes, y)
    assert ((model.log_prob(codes, (y + 1) % CLASSES) - same).abs() > 1e-3).all()
    fresh = PixelCNN(K, SIZE, width=6, num_layers=3, num_classes=CLASSES)
    fresh.log_prob(codes, y).sum().backward()
    for block in (fresh.first, *fresh.blocks):
        assert (block.classes.weight.grad.abs().sum(1) > 0).all()


def test_every_parameter_learns(model, codes, y):
    model.log_prob(codes, y).sum().backward()
    assert all(value.grad.abs().sum() > 0 for value in model.parameters())


# Drawing


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("size", [(6, 5), (2, 1), (2, 9), (9, 2)])
def test_cached_logits_are_the_networks(kernel_size, size, generator, eps):
    model = randomised(
        PixelCNN(K, size, width=6, num_layers=3, kernel_size=kernel_size, num_classes=CLASSES)
    )
    codes = torch.randint(K, (3, *size), generator=generator)
    y = torch.tensor([0, 1, 2])
    cached = CachedLogits(model, 3, y)
    with torch.no_grad():
        for _ in range(size[0] * size[1]):
            found = cached(codes)
        expected = model.logits(codes, y)
    torch.testing.assert_close(found, expected, rtol=100 * eps, atol=100 * eps)


@pytest.mark.parametrize("temperature", [0.5, 1.0])
@pytest.mark.parametrize("half", [None, "upper", "columns", "last"])
def test_cached_draws_are_the_plain_ones(model, half, temperature, generator, y):
    options = {"y": y, "temperature": temperature}
    if half is not None:
        known = torch.zeros(SIZE, dtype=torch.bool)
        known[{"upper": slice(3), "columns": (slice(None), slice(1, 4)), "last": -1}[half]] = True
        options |= {"given": torch.randint(K, (4, *SIZE), generator=generator), "known": known}

    def draw(**more):
        seeded = torch.Generator(generator.device).manual_seed(3)
        return model.sample(4, generator=seeded, **options, **more)

    cached, plain = draw(), draw(cached=False)
    assert torch.equal(cached, plain)
    assert cached.dtype == torch.int64
    assert cached.min() >= 0
    assert cached.max() < K
    if half is not None:
        assert torch.equal(cached[:, known], options["given"][:, known])


def test_given_values_broadcast_and_may_be_all(model, y):
    given = torch.arange(30).view(SIZE) % K
    everything = torch.ones(SIZE, dtype=torch.bool)
    draws = model.sample(4, y=y, given=given, known=everything)
    assert torch.equal(draws, given.expand(4, *SIZE))


def test_the_generator_decides_the_draws(model, y):
    def draw(seed):
        return model.sample(4, y=y, generator=torch.Generator().manual_seed(seed))

    assert torch.equal(draw(0), draw(0))
    assert not torch.equal(draw(0), draw(1))


def test_low_temperature_draws_the_most_probable(model, y):
    cold = model.sample(4, y=y, temperature=1e-6)
    assert torch.equal(cold, model.logits(cold, y).argmax(-1))


def test_a_map_without_the_cache_is_drawn_by_the_common_function(model, y):
    draws = [
        sample_sequentially(
            lambda codes: model.logits(codes, y),
            SIZE,
            4,
            dtype=torch.int64,
            generator=torch.Generator().manual_seed(0),
        ),
        model.sample(4, y=y, generator=torch.Generator().manual_seed(0)),
    ]
    assert torch.equal(*draws)


# Precision


def test_types(model, codes, y):
    model = model.float()
    assert model.log_prob(codes.to(torch.uint8), y).dtype == torch.float32
    exact = model.log_prob(codes, y)
    with torch.autocast(codes.device.type, torch.bfloat16):
        half = model.log_prob(codes, y)
        half.sum().backward()
        draws = model.sample(4, y=y)
    assert half.dtype == torch.float32
    assert draws.shape == codes.shape
    torch.testing.assert_close(half, exact, rtol=0.02, atol=0.5)
    assert not torch.equal(half, exact)
    assert all(value.grad.dtype == torch.float32 for value in model.parameters())
    torch.testing.assert_close(model.double().log_prob(codes, y).float(), exact)


# Learning


def test_it_reaches_the_entropy_of_a_known_distribution(generator):
    r"""Each value of the lower row is the sum of the one above and the one on its left, mod 3."""
    torch.manual_seed(0)
    model = PixelCNN(3, (2, 3), width=16, num_layers=2, num_classes=2)
    upper = torch.cartesian_prod(*[torch.arange(3)] * 3)  # uniform: 3 log 3 nats
    y = torch.arange(2).repeat_interleave(27)
    upper = upper.repeat(2, 1)
    lower = [(upper[:, 0] + y) % 3]
    for column in (1, 2):
        lower.append((upper[:, column] + lower[-1]) % 3)
    codes = torch.stack([upper, torch.stack(lower, 1)], 1)
    settings = TrainSettings(
        num_steps=250,
        learning_rate=1e-2,
        accelerator=codes.device.type,
        precision="64-true" if torch.get_default_dtype() == torch.float64 else "32-true",
        progress=False,
    )
    train(model, lambda model, *batch: -model.log_prob(*batch).mean(), (codes, y), settings)
    entropy = 3 * math.log(3)
    reached = -model.log_prob(codes, y).mean().item()
    assert entropy <= reached < entropy + 0.05
    draws = model.sample(27, y=torch.ones(27, dtype=torch.int64), generator=generator)
    right = (draws[:, 1, 0] == (draws[:, 0, 0] + 1) % 3).sum()
    assert right >= 25


# Bad input


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, c, y: causal_mask(4, "A"), "kernel_size is 4; expected an odd"),
        (lambda m, c, y: causal_mask(3, "C"), "kind is 'C'; expected"),
        (lambda m, c, y: GatedBlock(0), "width is 0"),
        (lambda m, c, y: GatedBlock(8, 2), "kernel_size is 2"),
        (lambda m, c, y: PixelCNN(1, SIZE), "num_values is 1; expected at least 2"),
        (lambda m, c, y: PixelCNN(4, (1, 9)), "at least two rows"),
        (lambda m, c, y: PixelCNN(4, SIZE, num_layers=0), "num_layers is 0"),
        (lambda m, c, y: m.logits(c[:, :-1], y), r"codes have shape \(4, 5, 5\).*\(N, 6, 5\)"),
        (lambda m, c, y: m.logits(c.float(), y), "expected whole numbers"),
        (lambda m, c, y: m.logits(c + 1, y), "codes go from 1 to 5; expected 0 to 4"),
        (lambda m, c, y: m.logits(c - 1, y), "codes go from -1"),
        (lambda m, c, y: m.logits(c), "y is missing; expected the class of each map"),
        (lambda m, c, y: m.logits(c, y[:2]), r"y has shape \(2,\); expected \(4,\)"),
        (lambda m, c, y: PixelCNN(K, SIZE).logits(c, y), "has no classes: leave out y"),
        (lambda m, c, y: m.sample(4), "y is missing"),
        (lambda m, c, y: m.sample(0, y=y[:0]), "num_samples is 0"),
        (lambda m, c, y: m.sample(4, y=y, temperature=0.0), "temperature is 0"),
        (lambda m, c, y: m.sample(4, y=y, given=c), "given and known belong together"),
        (
            lambda m, c, y: m.sample(4, y=y, given=c, known=torch.ones(5, 5, dtype=torch.bool)),
            r"known has shape \(5, 5\); expected",
        ),
    ],
)
def test_bad_input(model, codes, y, call, message):
    codes[0, 0, :2] = torch.tensor([0, K - 1])  # both ends are there
    with pytest.raises(ValueError, match=message):
        call(model, codes, y)
