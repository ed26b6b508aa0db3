r"""Autoregressive models: exact by enumeration, causal by perturbation, right draws by counting."""

import itertools
import math

import pytest
import scipy.stats
import torch

from course_lib.autoregressive import (
    MADE,
    LogisticAutoregression,
    draw_from_logits,
    log_prob_from_logits,
    log_prob_per_dim,
    receptive_field,
    sample_sequentially,
)
from course_lib.training import TrainSettings, train

ALARM = 1e-6  # false alarms per test
DIM = 9


def every_vector(dim=DIM, num_values=2):
    values = itertools.product(range(num_values), repeat=dim)
    return torch.tensor(list(values), dtype=torch.get_default_dtype())


def shake(model, generator, size=1.0):
    r"""Weights so large that every allowed connection matters."""
    with torch.no_grad():
        for value in model.parameters():
            value.copy_(size * torch.randn(value.shape, generator=generator))
    return model


MODELS = {
    "logistic": lambda order, dim=DIM: LogisticAutoregression(dim, order=order),
    "MADE": lambda order, dim=DIM: MADE(dim, hidden=(17,), order=order),
    "deep MADE": lambda order, dim=DIM: MADE(dim, hidden=(13, 30, 7), order=order),
}


@pytest.fixture(params=MODELS.values(), ids=MODELS.keys())
def make(request):
    return request.param


@pytest.fixture(params=["as they come", "backwards", "shuffled"])
def order(request, generator):
    shuffled = torch.randperm(DIM, generator=generator)
    return {"as they come": None, "backwards": list(range(DIM))[::-1]}.get(request.param, shuffled)


@pytest.fixture
def model(make, order, generator):
    return shake(make(order), generator)


def chi_square_survives(counts, probabilities):
    r"""Whether counts agree with probabilities, cells that are too rare taken together."""
    expected = probabilities.double() * counts.sum()
    rare = expected < 5
    counts, expected = (
        torch.cat((value[~rare], value[rare].sum()[None])).double() for value in (counts, expected)
    )
    chi_sq = ((counts - expected).square() / expected.clamp(min=1e-12)).sum().item()
    return scipy.stats.chi2.sf(chi_sq, len(counts) - 1) > ALARM


def counts_of(x, num_values=2):
    places = num_values ** torch.arange(x.shape[1]).flip(0)
    return torch.bincount((x.long() * places).sum(1), minlength=num_values ** x.shape[1])


# Likelihood


def test_the_probabilities_of_all_vectors_sum_to_one(model, eps):
    total = model.log_prob(every_vector()).logsumexp(0)
    assert abs(total.item()) < 1e3 * eps


def test_the_conditionals_are_those_of_the_joint(model, eps):
    r"""p(x_d | x_{<d}) from its definition: a ratio of sums over all vectors."""
    x = every_vector()
    log_prob, order = model.log_prob(x), model.order.tolist()
    conditionals = model.log_prob_per_dim(x)
    for place in (0, 3, DIM - 1):
        before, now = order[:place], order[: place + 1]
        for row in (0, 137, 511):
            (up_to, short) = (
                log_prob[(x[:, some] == x[row, some]).all(1)].logsumexp(0) for some in (now, before)
            )
            found = conditionals[row, order[place]]
            torch.testing.assert_close(found, up_to - short, rtol=1e4 * eps, atol=1e4 * eps)


def test_the_sum_of_the_conditionals_is_the_log_probability(model):
    x = every_vector()
    torch.testing.assert_close(model.log_prob_per_dim(x).sum(1), model.log_prob(x))


def test_each_output_sees_all_that_came_before_it_and_nothing_else(model):
    order = model.order.tolist()
    for place, variable in enumerate(order):
        found = receptive_field(model.logits, (DIM,), position=(variable,), num_probes=40)
        allowed = torch.zeros(DIM, dtype=torch.bool, device=found.device)
        allowed[order[:place]] = True
        assert not (found & ~allowed).any()
        assert torch.equal(found, allowed)


def test_what_comes_later_has_no_gradient(model, generator):
    x = torch.rand(4, DIM, generator=generator).requires_grad_()
    order = model.order.tolist()
    for place, variable in enumerate(order):
        (grad,) = torch.autograd.grad(model.logits(x)[:, variable].sum(), x)
        assert (grad[:, order[place:]] == 0).all()


def test_a_masked_weight_has_no_gradient(model):
    (-model.log_prob(every_vector()).mean()).backward()
    for name, value in model.named_parameters():
        if name.endswith("weight"):
            mask = dict(model.named_buffers())[name.removesuffix("weight") + "mask"]
            assert (value.grad[~mask] == 0).all()


def test_one_variable(make):
    model = make(None, dim=1)
    assert model.log_prob(every_vector(1)).exp().sum().item() == pytest.approx(1)


def test_at_its_start_the_logistic_model_is_uniform():
    log_prob = LogisticAutoregression(4).log_prob(every_vector(4))
    torch.testing.assert_close(log_prob, torch.full((16,), -4.0) * torch.tensor(2.0).log())


def test_extreme_logits_stay_finite():
    logits = torch.tensor([[200.0, -200.0]], dtype=torch.float32)
    assert log_prob_from_logits(logits, torch.tensor([[0, 1]])).item() == pytest.approx(-400)
    assert log_prob_from_logits(logits, torch.tensor([[1, 0]])).item() == pytest.approx(0)


def test_categorical_logits_with_two_values_are_binary_ones(generator):
    logits = torch.randn(5, 3, 4, generator=generator)
    x = torch.randint(2, (5, 3, 4), generator=generator)
    two = torch.stack((torch.zeros_like(logits), logits), -1)
    torch.testing.assert_close(log_prob_per_dim(two, x), log_prob_per_dim(logits, x))
    torch.testing.assert_close(log_prob_from_logits(two, x), log_prob_from_logits(logits, x))


# Draws


def test_draws_follow_the_enumerated_distribution(make, generator):
    model = shake(make(torch.randperm(5, generator=generator).tolist(), dim=5), generator)
    draws = model.sample(20_000, generator=generator)
    assert chi_square_survives(counts_of(draws), model.log_prob(every_vector(5)).exp())


def test_draws_given_the_first_values(make, generator):
    order = [3, 0, 4, 1, 2]
    model = shake(make(order, dim=5), generator)
    given = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0])
    known = torch.tensor([True, False, False, True, False])
    draws = model.sample(20_000, given=given, known=known, generator=generator)
    assert (draws[:, known] == given[known]).all()
    every = every_vector(5)
    fits = (every[:, known] == given[known]).all(1)
    probabilities = torch.where(fits, model.log_prob(every), -torch.inf).softmax(0)
    assert chi_square_survives(counts_of(draws), probabilities)


def test_a_value_for_each_draw(generator):
    model = shake(MADE(4, hidden=(8,)), generator)
    given = torch.randint(2, (30, 4), generator=generator)
    known = torch.tensor([True, True, False, False])
    draws = model.sample(30, given=given, known=known, generator=generator)
    assert draws.dtype == torch.get_default_dtype()
    assert torch.equal(draws[:, :2], given[:, :2].to(draws))


def categories(x):
    r"""Three values, each variable prefers the value after that of its neighbour to the left."""
    left = torch.nn.functional.pad(x, (1, 0), value=0)[..., :-1].long()
    up = torch.nn.functional.pad(x, (0, 0, 1, 0), value=0)[..., :-1, :].long()
    wanted = torch.nn.functional.one_hot((left + 1) % 3, 3)
    return 0.9 * wanted + 0.7 * torch.nn.functional.one_hot(up, 3)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_variables_with_three_values_on_a_grid(temperature, generator):
    draws = sample_sequentially(
        categories,
        (2, 2),
        20_000,
        temperature=temperature,
        generator=generator,
        dtype=torch.int64,
    )
    assert draws.dtype == torch.int64
    every = every_vector(4, 3).long().view(-1, 2, 2)
    log_prob = log_prob_from_logits(categories(every) / temperature, every)
    assert chi_square_survives(counts_of(draws.flatten(1), 3), log_prob.exp())


def test_one_call_for_each_variable_that_is_not_known():
    calls = []

    def logits_fn(x):
        calls.append(x.clone())
        return torch.zeros_like(x)

    known = torch.zeros(2, 3, dtype=torch.bool)
    known[0, 1] = True
    sample_sequentially(logits_fn, (2, 3), 4, given=torch.ones(2, 3), known=known)
    assert len(calls) == 5
    assert (calls[0].sum((1, 2)) == 1).all()  # what is not drawn yet is 0
    sample_sequentially(logits_fn, (2, 3), 4)
    assert len(calls) == 5 + 6


def test_low_temperature_draws_the_most_probable(generator):
    logits = torch.tensor([[0.0, 0.3, 0.1], [1.0, 0.0, 0.5]]).repeat(50, 1)
    draws = draw_from_logits(logits, temperature=1e-4, generator=generator)
    assert draws.tolist() == [1, 0] * 50
    assert draw_from_logits(logits[:, 1] - 0.1, temperature=1e-4).tolist() == [1, 0] * 50


def test_an_impossible_value_is_never_drawn(generator):
    logits = torch.tensor([-torch.inf, 0.0, 0.0]).repeat(5000, 1)
    assert draw_from_logits(logits, generator=generator).min() == 1


def test_a_generator_decides_the_draws(model):
    first, again, other = (
        model.sample(20, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


# What an output sees


def test_the_receptive_field_of_a_convolution(generator):
    kernel = torch.randn(1, 1, 3, 3, generator=generator)
    kernel[0, 0, 0, 2] = 0

    def logits_fn(x):
        return torch.nn.functional.conv2d(x[:, None], kernel, padding=1)[:, 0]

    found = receptive_field(logits_fn, (5, 5), position=(2, 2))
    expected = torch.zeros(5, 5, dtype=torch.bool, device=found.device)
    expected[1:4, 1:4] = kernel[0, 0] != 0
    assert torch.equal(found, expected)
    corner = receptive_field(logits_fn, (5, 5), position=(0, 0), chunk_size=3)
    assert torch.equal(corner[:2, :2], kernel[0, 0, 1:, 1:] != 0)
    assert corner.sum() == (kernel[0, 0, 1:, 1:] != 0).sum()


def test_the_receptive_field_of_codes():
    table = torch.eye(5)

    def logits_fn(codes):  # the code of the left neighbour
        return table[torch.nn.functional.pad(codes, (1, 0))[:, :-1]]

    found = receptive_field(logits_fn, (4,), position=(2,), num_values=5, dtype=torch.int64)
    assert found.tolist() == [False, True, False, False]


# Training


def test_training_reaches_the_entropy_of_the_data(generator):
    r"""Every third value is the exclusive or of the two before it, which no linear map finds."""
    num, noise = 4000, 0.05
    free = torch.randint(2, (num, 2, 2), generator=generator)
    flip = (torch.rand(num, 2, generator=generator) < noise).long()
    x = torch.cat((free, (free.sum(2) + flip)[..., None] % 2), 2).flatten(1).float().cpu()
    of_noise = -noise * math.log(noise) - (1 - noise) * math.log(1 - noise)
    entropy = 4 * math.log(2) + 2 * of_noise
    settings = TrainSettings(
        num_steps=600, batch_size=200, learning_rate=0.02, progress=False, accelerator="cpu"
    )
    losses = []
    for model in (MADE(6, hidden=(64,)), LogisticAutoregression(6)):
        model = model.cpu().float()
        train(model, lambda model, x: -model.log_prob(x).mean(), (x,), settings)
        losses.append(-model.log_prob(x).mean().item())
    assert losses[0] == pytest.approx(entropy, abs=0.1)
    assert losses[1] == pytest.approx(6 * math.log(2), abs=0.1)


def test_a_model_keeps_its_masks_and_its_order_in_a_file(model, make):
    other = make(None)
    other.load_state_dict(model.state_dict())
    x = every_vector()
    assert torch.equal(other.order, model.order)
    torch.testing.assert_close(other.log_prob(x), model.log_prob(x))


# Bad input

BAD = {
    "dim": (lambda: MADE(0), "dim is 0; expected a number above 0"),
    "hidden": (lambda: MADE(3, hidden=(5, 0)), r"hidden\[1\] is 0"),
    "no hidden layer": (lambda: MADE(3, hidden=()), "take LogisticAutoregression"),
    "order, twice": (lambda: MADE(3, order=[0, 1, 1]), "each of 0, …, 2 exactly once"),
    "order, short": (lambda: LogisticAutoregression(3, order=[0, 1]), "exactly once"),
    "image": (lambda: MADE(9).log_prob(torch.zeros(4, 3, 3)), r"expected \(N, 9\): flatten"),
    "too long": (lambda: MADE(9).log_prob(torch.zeros(4, 8)), r"expected \(N, 9\)"),
    "temperature": (lambda: MADE(3).sample(2, temperature=0.0), "temperature is 0.0"),
    "no draws": (lambda: MADE(3).sample(0), "num_samples is 0"),
    "given alone": (lambda: MADE(3).sample(2, given=torch.zeros(3)), "belong together"),
    "given": (
        lambda: MADE(3).sample(2, given=torch.zeros(4), known=torch.ones(3, dtype=torch.bool)),
        r"given has shape \(4,\); expected one that broadcasts with \(2, 3\)",
    ),
    "known": (
        lambda: MADE(3).sample(2, given=torch.zeros(3), known=torch.zeros(2, 3, dtype=torch.bool)),
        r"known has shape \(2, 3\); expected that of one example, \(3,\)",
    ),
    "logits": (
        lambda: log_prob_from_logits(torch.zeros(2, 4), torch.zeros(2, 3)),
        "expected logits of the shape of x",
    ),
    "logits_fn": (
        lambda: sample_sequentially(lambda x: x.sum(1), (3,), 2),
        r"logits_fn gave the shape \(2,\) for values \(2, 3\)",
    ),
    "position": (
        lambda: receptive_field(lambda x: x, (3, 3), position=(1, 3)),
        r"position is \(1, 3\); expected one inside",
    ),
}


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(("use", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input(use, message):
    with pytest.raises(ValueError, match=message):
        use()
