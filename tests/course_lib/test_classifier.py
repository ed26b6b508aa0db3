r"""The judge: it learns, two seeds are two judges, and it gives the same answer in pieces."""

import pytest
import torch

from course_lib.classifier import Classifier, fit_classifier


@pytest.fixture
def problem():
    r"""Bright left half or bright right half, 8 × 8 pixels, much noise."""
    generator = torch.Generator("cpu").manual_seed(0)
    noise = torch.rand(300, 8, 8, generator=generator, device="cpu")
    labels = torch.arange(300, device="cpu") % 2
    noise[labels == 0, :, :4] += 0.3
    noise[labels == 1, :, 4:] += 0.3
    default = torch.zeros(())
    return noise.flatten(1).to(default), labels.to(default.device)


def fit(problem, **options):
    x, labels = problem
    return fit_classifier(x, labels, accelerator=x.device.type, num_steps=100, **options)


@pytest.mark.parametrize("network", ["conv", "dense"])
def test_it_learns(network, problem):
    judge = fit(problem, network=network)
    x, labels = problem
    assert judge.accuracy(x, labels) > 0.95
    probabilities = judge.probabilities(x, chunk_size=7)
    assert probabilities.shape == (300, 2)
    torch.testing.assert_close(probabilities.sum(1), torch.ones(300))
    torch.testing.assert_close(probabilities, judge.probabilities(x))
    assert judge.accuracy(x, 1 - labels) == pytest.approx(1 - judge.accuracy(x, labels))


def test_the_seed_decides_the_judge(problem):
    one, again, other = (fit(problem, seed=seed).probabilities(problem[0]) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_fitting_leaves_the_global_generator_alone(problem):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    fit(problem, network="dense")
    assert torch.equal(torch.rand(3), expected)


def test_judging_is_without_dropout_and_gradients(problem):
    judge = Classifier(64, 2)
    assert torch.equal(judge.probabilities(problem[0]), judge.probabilities(problem[0]))
    assert not judge.probabilities(problem[0]).requires_grad
    assert judge.training
    assert judge.logits(problem[0]).requires_grad


def test_colour_and_other_sizes():
    judge = Classifier(3 * 32**2, 6, num_channels=3, width=4)
    assert judge.probabilities(torch.rand(2, 3 * 32**2)).shape == (2, 6)


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_input(problem):
    x, labels = problem
    judge = Classifier(64, 2)
    bad = {
        r"x has shape \(300, 8, 8\)": lambda: judge.logits(x.reshape(300, 8, 8)),
        "at least one image": lambda: judge.probabilities(x[:0]),
        "chunk_size is 0": lambda: judge.probabilities(x, chunk_size=0),
        r"labels have shape \(299,\)": lambda: judge.accuracy(x, labels[1:]),
        "type torch.float": lambda: fit_classifier(x, labels.to(x)),
        "network is 'transformer'; expected one of conv, dense": lambda: Classifier(
            64, 2, network="transformer"
        ),
        r'dim is 100 with 1 channels.*network="dense"': lambda: Classifier(100, 2),
        "num_classes is 0": lambda: Classifier(64, 0),
    }
    for message, call in bad.items():
        with pytest.raises(ValueError, match=message):
            call()
