"""A trained model is handed in as weights: they are read here, loaded and evaluated in the jail."""

import pytest
import safetensors.torch
import torch

from autograder.faults import AnswerError
from autograder.weights import MAX_BYTES, WeightsError, read_weights

MODEL = """
import torch
from torch import nn

class Model(nn.Module):
    def __init__(self, hidden=8):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        self.register_buffer("shift", torch.zeros(1))
    def forward(self, x): return self.net(x - self.shift)
    def loss(self, x, y): return (self(x) - y).pow(2).mean()
"""


@pytest.fixture
def model(jail):
    with jail.open() as session:
        assert session.execute("model", MODEL) is None
        yield session.candidate("Model")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """What a student trained and saved: a line, fitted."""
    namespace = {}
    exec(MODEL, namespace)
    torch.manual_seed(1)
    model = namespace["Model"]()
    x = torch.linspace(-1, 1, 64)[:, None]
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(200):
        optimiser.zero_grad()
        model.loss(x, 0.5 * x + 0.1).backward()
        optimiser.step()
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    safetensors.torch.save_file(model.state_dict(), path)
    return path


def test_weights_are_evaluated_on_data_that_the_student_never_saw(model, weights):
    module = model.construct(hidden=8)
    module.train(False)
    x = torch.rand(50, 1, generator=torch.Generator().manual_seed(7)) * 2 - 1
    y = 0.5 * x + 0.1
    untrained = (module.call(x) - y).pow(2).mean()
    module.load(read_weights(weights))
    trained = (module.call(x) - y).pow(2).mean()
    assert trained < 1e-3 < untrained
    assert trained == pytest.approx(float(module.method("loss", x, y)))


def test_weights_of_another_model_do_not_fit(model, weights):
    state = read_weights(weights)
    renamed = {f"other.{name}": value for name, value in state.items()}
    missing = dict(list(state.items())[1:])
    for wrong, module in (
        (renamed, model.construct()),
        (missing, model.construct()),
        (state | {"more": torch.ones(1)}, model.construct()),
        (state, model.construct(hidden=9)),
    ):
        with pytest.raises(AnswerError) as caught:
            module.load(wrong)
        assert caught.value.code == "weights_do_not_fit"
        assert str(caught.value) == "the given weights do not fit your module"


def test_what_is_read_is_what_was_saved(weights):
    state = read_weights(weights)
    assert state.keys() == {"shift", "net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"}
    saved = safetensors.torch.load_file(weights)
    assert all(torch.equal(state[name], saved[name]) for name in saved)


def file_of(path, content):
    path.write_bytes(content)
    return path


def pickled(path):
    torch.save({"a": torch.ones(1)}, path)
    return path


def sparse_file(path):
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    return path


def saved(path, **state):
    safetensors.torch.save_file(state, path)
    return path


REFUSED = {
    "no file": (lambda path: path, "there is no file"),
    "a folder": (lambda path: path.parent, "there is no file"),
    "empty": (lambda path: file_of(path, b""), "safetensors"),
    "a pickle": (pickled, "safetensors"),
    "cut short": (
        lambda path: file_of(path, safetensors.torch.save({"a": torch.ones(99)})[:-8]),
        "safetensors",
    ),
    "a header of a terabyte": (
        lambda path: file_of(path, (2**40).to_bytes(8, "little") + b"{}"),
        "safetensors",
    ),
    "too large": (sparse_file, "MB"),
    "complex": (lambda path: saved(path, a=torch.ones(1, dtype=torch.complex64)), "complex64"),
    "float8": (lambda path: saved(path, a=torch.ones(1).to(torch.float8_e5m2)), "float8"),
    "not finite": (lambda path: saved(path, a=torch.tensor([float("nan")])), "NaN or infinite"),
    "too many": (
        lambda path: saved(path, **{f"a{i}": torch.ones(1) for i in range(513)}),
        "513 tensors",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_files_are_refused_with_the_reason(case, tmp_path):
    make, reason = REFUSED[case]
    path = make(tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match=reason) as caught:
        read_weights(path)
    assert path.name in str(caught.value)


def test_a_link_to_another_file_is_not_followed(weights, tmp_path):
    link = tmp_path / "model.safetensors"
    link.symlink_to(weights)
    with pytest.raises(WeightsError, match="link"):
        read_weights(link)
