"""The trained VAE of unit 05: what the notebook shows is what is graded."""

import importlib
import inspect
from pathlib import Path

import pytest
import torch

from autograder import registry
from autograder.artifact import local_candidate, read_state
from autograder.verdict import examine
from autograder.weights import MAX_BYTES

ROOT = Path(__file__).resolve().parents[2]
exercise = registry.find("fashion_vae")


def test_the_notebook_shows_the_class_that_is_graded():
    source = (ROOT / "sources" / "exercises" / "05_vae.py").read_text(encoding="utf-8")
    assert inspect.getsource(exercise.artifact.model) in source
    assert exercise.artifact.file in source


def test_the_notebook_states_the_thresholds():
    source = (ROOT / "sources" / "exercises" / "05_vae.py").read_text(encoding="utf-8")
    checks = importlib.import_module(exercise.checks[0].function.__module__)
    for nats in (checks.FAIR, checks.GOOD, checks.GOOD_BOUND):
        assert f"≤ {nats:g} nats an image" in source
        assert any(f"≤ {nats:g} nats" in check.statement for check in exercise.checks)
    assert sum(check.points for check in exercise.checks) == exercise.points


def test_the_model_has_exact_log_weights():
    """log p(x, z) − log q(z | x) by torch.distributions at the very draws."""
    model = exercise.artifact.model(dim=6, latent_dim=3, hidden=5)
    x = torch.bernoulli(torch.full((4, 6), 0.4))
    given = model(x, 2, torch.Generator().manual_seed(1))
    noise = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(1))
    loc, log_var = model.encode(x)
    q = torch.distributions.Normal(loc, (0.5 * log_var).exp())
    z = q.loc + q.scale * noise
    pixels = torch.distributions.Bernoulli(logits=model.decoder(z))
    prior = torch.distributions.Normal(0.0, 1.0)
    wanted = pixels.log_prob(x).sum(-1) + (prior.log_prob(z) - q.log_prob(z)).sum(-1)
    torch.testing.assert_close(given, wanted)


def test_the_trained_weights_fit_and_are_small():
    path = Path(importlib.import_module(exercise.checks[0].function.__module__).__file__)
    path = path.with_name(exercise.artifact.file)
    assert read_state(path, exercise.artifact).keys() == exercise.reference().keys()
    assert path.stat().st_size < MAX_BYTES / 20


@pytest.mark.parametrize("scale", [1e4, 1e30])
def test_absurd_weights_are_a_wrong_answer_and_no_crash(scale):
    candidate = local_candidate(
        exercise, lambda: {name: scale * v.float() for name, v in exercise.reference().items()}
    )
    verdict = examine(exercise, candidate, seed=1)
    assert verdict.points == 0
    assert verdict.findings[0].problem
