"""An exercise whose answer is a module: the same verdict in a notebook and behind the border."""

import pytest

from autograder import registry
from autograder.candidate import LocalCandidate
from autograder.verdict import NOT_ATTEMPTED, RIGHT, WRONG, examine

STUDENT = """
import torch
from torch import nn

class Autoencoder(nn.Module):
    def __init__(self, dim, latent_dim, hidden):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, latent_dim)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, hidden), nn.ReLU(), nn.Linear(hidden, dim)
        )

    def encode(self, x):
        return self.encoder(x)

    def decode(self, z):
        return self.decoder(z)

    def forward(self, x):
        return self.decode(self.encode(x))

    def loss(self, x):
        return (self(x) - x).square().mean()
"""
MISTAKES = {
    "Shortcut": ("return self.decode(self.encode(x))", "return x + self.decode(self.encode(x))"),
    "CutAtTheCode": ("return self.encoder(x)", "return self.encoder(x).detach()"),
    "SummedLoss": (".mean()", ".sum()"),
    "WithoutSuper": ("super().__init__()", "pass"),
    "SigmoidOutput": ("return self.decoder(z)", "return self.decoder(z).sigmoid()"),
    "NoGradient": ("square().mean()", "square().mean().detach()"),
}
STUB = "        raise NotImplementedError"


@pytest.fixture
def verdicts(jail):
    """The verdicts on an answer here and in the jail, on the same inputs."""
    exercise = registry.find("Autoencoder")

    def find(source):
        namespace = {}
        exec(source, namespace)
        local = examine(exercise, LocalCandidate(namespace["Autoencoder"]), seed=7)
        with jail.open() as session:
            assert session.execute("answer", source) is None
            return local, examine(exercise, session.candidate("Autoencoder"), seed=7)

    return find


def test_a_right_answer_is_right_on_both_sides(verdicts):
    for verdict in verdicts(STUDENT):
        assert verdict.outcome == RIGHT


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_on_both_sides(name, verdicts):
    for verdict in verdicts(STUDENT.replace(*MISTAKES[name])):
        assert verdict.outcome == WRONG
        assert verdict.diagnosis.name == name


@pytest.mark.parametrize("line", ["        return self.decoder(z)", "        super().__init__()"])
def test_a_method_that_is_missing_is_not_attempted(line, verdicts):
    for verdict in verdicts(STUDENT.replace(line, STUB)):
        assert verdict.outcome == NOT_ATTEMPTED
