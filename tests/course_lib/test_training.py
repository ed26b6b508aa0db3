r"""The training loop: optima, resuming to the same bits, damaged and foreign checkpoints."""

import contextlib
import dataclasses
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from course_lib import checkpoint, training
from course_lib.training import TrainSettings, constant, cosine, evaluating, train


class Stopped(Exception):
    r"""What a test throws to interrupt a run."""


def make_model():
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.3), nn.Tanh(), nn.Linear(8, 1))


def squared_error(model, x, y):
    return (model(x) - y).square().mean()


@pytest.fixture
def data():
    torch.manual_seed(0)
    x = torch.randn(40, 3)
    return x, x.sum(1, keepdim=True) + 0.1 * torch.randn(40, 1)


@pytest.fixture
def settings(pytestconfig):
    double = torch.get_default_dtype() == torch.float64
    return TrainSettings(
        num_steps=30,
        learning_rate=0.05,
        accelerator=pytestconfig.getoption("device"),
        precision="64-true" if double else "32-true",
        progress=False,
        checkpoint_every=4,
    )


def stop_at(last):
    def callback(step, model, loss):
        if step == last:
            raise Stopped

    return callback


def test_finds_the_least_squares_solution(data, settings):
    model = nn.Linear(3, 1)
    longer = dataclasses.replace(settings, num_steps=500, schedule=cosine)
    losses = train(model, squared_error, data, longer)
    x, y = data
    design = torch.cat([x, torch.ones(40, 1)], 1)
    solution = torch.linalg.lstsq(design, y).solution[:, 0]
    torch.testing.assert_close(model.weight[0], solution[:3], rtol=1e-3, atol=1e-4)
    assert losses.shape == (500,)
    assert losses[-1] < 0.02 < losses[0]


class Scaled(nn.Module):
    r"""A model whose forward pass is not what the loss uses."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 1)

    def forward(self, x):
        raise AssertionError("the loss calls predict")

    def predict(self, x):
        return self.layer(x)


@pytest.mark.parametrize("precision", ["32-true", "64-true", "bf16-mixed"])
def test_a_loss_may_call_any_method_in_any_precision(settings, precision):
    x = torch.randn(40, 3, dtype=torch.float32)
    seen = []

    def loss(model, x):
        assert type(model) is Scaled
        error = model.predict(x) - x.sum(1, keepdim=True)
        seen.append((x.dtype, error.dtype, model.predict(x).dtype))
        return error.square().mean()

    model = Scaled().float()
    losses = train(model, loss, (x,), dataclasses.replace(settings, precision=precision))
    assert losses[-1] < losses[0]
    single, double, half = torch.float32, torch.float64, torch.bfloat16
    expected = {
        "32-true": (single, single, single),
        "64-true": (double, double, double),
        "bf16-mixed": (single, single, half),
    }
    assert set(seen) == {expected[precision]}


def test_draws_of_a_step_are_those_of_torchs_own_seeding(data, settings):
    r"""A step draws as after torch.manual_seed with that step's seed."""
    drawn = []

    def loss(model, x, y):
        drawn.append(torch.rand(3, device=x.device))
        return squared_error(model, x, y)

    train(make_model(), loss, data, dataclasses.replace(settings, num_steps=2))
    for step, draws in enumerate(drawn, 1):
        torch.manual_seed(training._seed(settings.seed, "step", step, 0))
        assert torch.equal(draws, torch.rand(3, device=draws.device, dtype=draws.dtype))


def test_evaluating_gives_every_module_its_own_mode_back():
    model = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.Dropout(0.5)).eval(), nn.Linear(2, 2))
    before = [module.training for module in model.modules()]
    with evaluating(model):
        assert not any(module.training for module in model.modules())
    assert [module.training for module in model.modules()] == before
    with contextlib.suppress(Stopped), evaluating(model):
        raise Stopped
    assert [module.training for module in model.modules()] == before
    with evaluating(torch.tanh):
        pass


@pytest.mark.parametrize("batch_size", [None, 12])
@pytest.mark.parametrize("stop", [2, 4, 17, 29])
def test_stopped_and_resumed_ends_with_the_same_bits(data, settings, tmp_path, batch_size, stop):
    settings = dataclasses.replace(settings, batch_size=batch_size, schedule=cosine)
    whole = make_model()
    expected = train(whole, squared_error, data, settings)

    resumable = dataclasses.replace(settings, checkpoint=tmp_path / "new folder" / "run.pt")
    with pytest.raises(Stopped):
        train(make_model(), squared_error, data, resumable, callback=stop_at(stop))
    torch.manual_seed(99)  # another process, another random state
    model, seen = make_model(), []
    losses = train(
        model, squared_error, data, resumable, callback=lambda step, *_: seen.append(step)
    )
    assert seen[0] == stop // 4 * 4 + 1
    assert torch.equal(losses, expected)
    for name, value in whole.state_dict().items():
        assert torch.equal(model.state_dict()[name], value), name


def test_finished_run_is_restored_without_a_step(data, settings, tmp_path):
    settings = dataclasses.replace(settings, checkpoint=tmp_path / "run.pt")
    first, again = make_model(), make_model()
    expected = train(first, squared_error, data, settings)
    written = settings.checkpoint.read_bytes()
    losses = train(again, squared_error, data, settings, callback=stop_at(1))
    assert torch.equal(losses, expected)
    assert torch.equal(again[0].weight, first[0].weight)
    assert settings.checkpoint.read_bytes() == written


def test_more_steps_continue_a_finished_run(data, settings, tmp_path):
    short = dataclasses.replace(settings, checkpoint=tmp_path / "run.pt")
    train(make_model(), squared_error, data, short)
    model, whole = make_model(), make_model()
    train(model, squared_error, data, dataclasses.replace(short, num_steps=45))
    train(whole, squared_error, data, dataclasses.replace(settings, num_steps=45))
    assert torch.equal(model[0].weight, whole[0].weight)
    with pytest.raises(ValueError, match=r"holds a run of 45 steps.*raise num_steps"):
        train(make_model(), squared_error, data, short)


def test_an_epoch_visits_every_point_once_in_a_new_order(settings):
    points = torch.arange(12.0)[:, None]
    seen = []

    def record(model, x):
        seen.append(x[:, 0].tolist())
        return model(x).mean()

    epochs = dataclasses.replace(settings, batch_size=4, num_steps=6)
    train(nn.Linear(1, 1), record, (points,), epochs)
    first, second = (list(itertools.chain(*seen[start : start + 3])) for start in (0, 3))
    assert sorted(first) == sorted(second) == points[:, 0].tolist()
    assert first != second


def test_seed_decides_order_and_noise(data, settings):
    weights = []
    for seed in (0, 0, 1):
        model = make_model()
        run = dataclasses.replace(settings, seed=seed, batch_size=8)
        train(model, squared_error, data, run)
        weights.append(model[0].weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_callers_random_state_is_left_alone(data, settings):
    model, before = make_model(), torch.get_rng_state()
    train(model, squared_error, data, settings)
    assert torch.equal(torch.get_rng_state(), before)


def test_schedule_sets_the_learning_rate(settings):
    model = nn.Linear(1, 1, bias=False)
    steps, weights = [], [model.weight.item()]

    def schedule(progress):
        steps.append(progress)
        return 1.0 if progress < 0.5 else 0.0

    run = dataclasses.replace(settings, num_steps=4, schedule=schedule)
    train(
        model, lambda model, x: model(x).mean(), (torch.ones(2, 1),), run,
        callback=lambda step, model, loss: weights.append(model.weight.item()),
    )  # fmt: skip
    assert steps == [0.0, 0.25, 0.5, 0.75]
    moves = [after - before for before, after in itertools.pairwise(weights)]
    assert moves == pytest.approx([-0.05, -0.05, 0.0, 0.0], rel=1e-3)
    assert constant(0.7) == 1.0


def test_progress_goes_to_stderr_alone(data, settings, capsys):
    train(make_model(), squared_error, data, dataclasses.replace(settings, progress=True))
    shown = capsys.readouterr()
    assert "30/30" in shown.err
    assert shown.out == ""


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("owned",)


def write_damaged(path, kind, good):
    if kind == "foreign torch file":
        torch.save({"weights": torch.zeros(3)}, path)
    elif kind == "another format":
        checkpoint.save_checkpoint(path, {}, {"format": "another/1"})
    elif kind == "pickle that runs code":
        checkpoint.save_checkpoint(path, {}, {"model": Malicious()})
    elif kind == "folder":
        path.mkdir()
    else:
        flipped = bytearray(good)
        flipped[len(good) // 2] ^= 0xFF
        contents = {
            "empty": b"",
            "text": b"these are my notes\n",
            "truncated": good[: len(good) // 2],
            "one byte short": good[:-1],
            "flipped": bytes(flipped),
        }
        path.write_bytes(contents[kind])


@pytest.mark.parametrize(
    "kind",
    ["empty", "text", "truncated", "one byte short", "flipped", "foreign torch file",
     "another format", "pickle that runs code", "folder"],
)  # fmt: skip
def test_damaged_checkpoint_is_refused_and_left_alone(data, settings, tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "good.pt"
    train(make_model(), squared_error, data, dataclasses.replace(settings, checkpoint=source))
    path = tmp_path / "run.pt"
    write_damaged(path, kind, source.read_bytes())
    before = None if path.is_dir() else path.read_bytes()
    with pytest.raises(ValueError, match=r"run\.pt is damaged or no checkpoint.*move it away"):
        train(make_model(), squared_error, data, dataclasses.replace(settings, checkpoint=path))
    assert path.is_dir() or path.read_bytes() == before
    assert not Path("owned").exists()


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("seed", "seed was 0, is now 7"),
        ("batch_size", "batch_size was None, is now 8"),
        ("learning_rate", r"learning_rate was 0\.05, is now 0\.1"),
        ("data", "data .* was"),
        ("model", "parameters was"),
    ],
)
def test_checkpoint_of_another_run_is_refused(data, settings, tmp_path, what, message):
    settings = dataclasses.replace(settings, checkpoint=tmp_path / "run.pt")
    train(make_model(), squared_error, data, settings)
    before = settings.checkpoint.read_bytes()
    model = nn.Linear(3, 1) if what == "model" else make_model()
    given = (data[0] + 1e-3, data[1]) if what == "data" else data
    values = {"seed": 7, "batch_size": 8, "learning_rate": 0.1}
    changes = {what: values[what]} if what in values else {}
    start = model.state_dict()["0.weight"].clone() if what != "model" else None
    with pytest.raises(ValueError, match=f"belongs to another run: .*{message}.*left as it is"):
        train(model, squared_error, given, dataclasses.replace(settings, **changes))
    assert settings.checkpoint.read_bytes() == before
    assert start is None or torch.equal(model[0].weight, start)


def test_crash_while_writing_keeps_the_earlier_checkpoint(data, settings, tmp_path, monkeypatch):
    settings = dataclasses.replace(settings, checkpoint=tmp_path / "run.pt")
    train(make_model(), squared_error, data, settings)
    before = settings.checkpoint.read_bytes()

    def crash(descriptor):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError, match="no space left"):
        train(make_model(), squared_error, data, dataclasses.replace(settings, num_steps=40))
    assert settings.checkpoint.read_bytes() == before


def test_loss_that_is_not_finite_stops_the_run_and_is_never_saved(data, settings, tmp_path):
    settings = dataclasses.replace(settings, checkpoint=tmp_path / "run.pt")
    calls = []

    def loss(model, x, y):
        calls.append(1)
        return squared_error(model, x, y) * (float("nan") if len(calls) == 6 else 1.0)

    with pytest.raises(ValueError, match=r"loss is nan at step 6.*lower the learning rate"):
        train(make_model(), loss, data, settings)
    assert len(calls) == 8
    resumed = []
    train(
        make_model(), squared_error, data, settings, callback=lambda step, *_: resumed.append(step)
    )
    assert resumed[0] == 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_steps": 0}, "num_steps is 0; expected at least 1"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"devices": 0}, "devices is 0"),
        ({"checkpoint_every": 0}, "checkpoint_every is 0"),
        ({"learning_rate": 0.0}, r"learning_rate is 0\.0; expected a positive"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
    ],
)
def test_bad_settings(changes, message):
    with pytest.raises(ValueError, match=message):
        TrainSettings(**changes)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: (), r"data has \[\] rows"),
        (lambda: (torch.zeros(0, 3),), r"data has \[0\] rows"),
        (
            lambda: (torch.zeros(3, 1), torch.zeros(4, 1)),
            r"data has \[3, 4\] rows; expected .* same",
        ),
    ],
)
def test_bad_data(settings, make, message):
    with pytest.raises(ValueError, match=message):
        train(nn.Linear(1, 1), squared_error, make(), settings)


def test_batch_larger_than_the_data(data, settings):
    with pytest.raises(ValueError, match=r"41 of 40 points.*choose another batch_size"):
        train(make_model(), squared_error, data, dataclasses.replace(settings, batch_size=41))


TWO_PROCESSES = """
import torch
from course_lib.training import TrainSettings, train
torch.manual_seed(0)
x, model = torch.randn(40, 3), torch.nn.Linear(3, 1)
model.predict = model.forward  # not the forward pass that the strategy knows
settings = TrainSettings(num_steps=20, batch_size=20, learning_rate=0.05, accelerator="cpu",
                         devices=DEVICES, progress=False)
def loss(model, x):
    return (model.predict(x) - x.sum(1, keepdim=True)).square().mean()
train(model, loss, (x,), settings)
"""


@pytest.mark.slow
def test_two_devices_take_the_same_steps_as_one(tmp_path):
    script, result = tmp_path / "script.py", tmp_path / "weights.pt"
    save = f"if torch.distributed.get_rank() == 0: torch.save(model.weight, {str(result)!r})\n"
    script.write_text(TWO_PROCESSES.replace("DEVICES", "2") + save)
    root = Path(training.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, script], env=environment, check=True, timeout=120)

    single = {}
    with torch.device("cpu"):
        torch.set_default_dtype(torch.float32)
        exec(TWO_PROCESSES.replace("DEVICES", "1"), single)
    weight = torch.load(result, weights_only=True)
    torch.testing.assert_close(weight, single["model"].weight, rtol=1e-5, atol=1e-5)
