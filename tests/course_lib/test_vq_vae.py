r"""The VQ-VAE: two ways through the codes that agree bit for bit; closed forms; resuming."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from course_lib import vq_vae
from course_lib.quantizer import EMAQuantizer, Quantizer, codes_in_use, nearest_code
from course_lib.training import TrainSettings, train
from course_lib.vq_vae import VQVAE, encode_dataset, nmse, vq_vae_loss

K, M = 8, 3


@pytest.fixture
def model():
    torch.manual_seed(0)
    return VQVAE(K, latent_dim=M, size=8, width=6, num_residual=1)


@pytest.fixture
def x(generator):
    return torch.rand(20, 64, generator=generator)


@pytest.fixture
def settings(x):
    return TrainSettings(
        num_steps=30,
        batch_size=10,
        learning_rate=5e-3,
        accelerator=x.device.type,
        precision="64-true" if x.dtype == torch.float64 else "32-true",
        checkpoint_every=7,
        progress=False,
    )


def mean_loss(model, x):
    return vq_vae_loss(model, x).mean()


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3), (8, 2)])
@pytest.mark.parametrize("num_residual", [0, 2])
def test_shapes(size, channels, num_residual, generator):
    options = {"size": size, "num_channels": channels, "num_residual": num_residual}
    model = VQVAE(K, latent_dim=M, width=8, **options)
    dim, side = channels * size**2, size // 4
    x = torch.rand(2, dim, generator=generator)
    output = model(x)
    assert (model.dim, model.code_shape) == (dim, (side, side))
    assert output.x_hat.shape == (2, dim)
    assert output.z_e.shape == output.z_q.shape == (2, side, side, M)
    assert output.indices.shape == model.codes(x).shape == (2, side, side)
    assert output.loss.shape == vq_vae_loss(model, x).shape == (2,)
    vq_vae_loss(model, x).mean().backward()
    assert all(value.grad.isfinite().all() for value in model.parameters())
    assert all(layer.weight.grad.any() for layer in (model.encoder[1], model.decoder[-2]))


def test_decoding_the_codes_is_the_quantised_path(model, x):
    r"""Bit for bit, and the codes are the nearest ones."""
    mean_loss(model, x).backward()  # the codebook starts at data
    model.eval()
    with torch.no_grad():
        output = model(x)
        codes = model.codes(x)
        assert torch.equal(codes, output.indices)
        assert torch.equal(model.decode_codes(codes), output.x_hat)
        assert torch.equal(model.quantizer.lookup(codes), output.z_q)
        assert torch.equal(codes, nearest_code(model.encode(x), model.quantizer.codebook))


def test_the_loss_in_closed_form(model, x):
    model.eval()
    output = model(x)
    distance = (output.z_e - output.z_q).square().sum(-1).mean((1, 2))  # mean over positions
    expected = (x - output.x_hat).square().sum(1) + 0.25 * distance
    torch.testing.assert_close(vq_vae_loss(model, x), expected)
    gradient = VQVAE(K, latent_dim=M, size=8, quantizer=Quantizer(K, M, beta=0.5)).eval()
    output = gradient(x)
    distance = (output.z_e - output.z_q).square().sum(-1).mean((1, 2))
    torch.testing.assert_close(output.loss, 1.5 * distance)


def test_the_encoder_gets_the_decoders_gradient(model, x):
    r"""Straight through: d/dz_e of the reconstruction is d/dz_q of it."""
    model.eval()
    output = model(x)
    error = (x - output.x_hat).square().sum()
    (for_e,) = torch.autograd.grad(error, output.z_e)
    z_q = output.z_q.detach().requires_grad_()
    (for_q,) = torch.autograd.grad((x - model.decode(z_q)).square().sum(), z_q)
    torch.testing.assert_close(for_e, for_q)


def test_looking_at_codes_changes_nothing(model, x):
    r"""Also in training mode."""
    assert model.training
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.codes(x)
    encode_dataset(model, x)
    nmse(model, x)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_pieces_do_not_matter(model, x):
    assert torch.equal(encode_dataset(model, x, chunk_size=7), model.codes(x))
    whole = (x - model.eval()(x).x_hat).square().mean() / x.var(correction=0)
    assert nmse(model, x, chunk_size=7) == pytest.approx(whole.item(), rel=1e-5)


@pytest.mark.parametrize("kind", [Quantizer, EMAQuantizer])
def test_it_learns(kind, settings):
    r"""Images of four grey tiles each: a few codes are enough to tell them apart."""
    generator = torch.Generator("cpu").manual_seed(0)
    grey = torch.tensor([0.0, 0.3, 0.6, 1.0])
    choice = torch.randint(4, (200, 2, 2), generator=generator, device="cpu").to(grey.device)
    x = grey[choice].repeat_interleave(4, 1).repeat_interleave(4, 2).flatten(1)
    torch.manual_seed(1)
    quantizer = kind(K, M, revive_every=10)
    options = {"size": 8, "width": 16, "num_residual": 1, "quantizer": quantizer}
    model = VQVAE(K, latent_dim=M, **options)
    train(model, mean_loss, (x,), dataclasses.replace(settings, num_steps=200, batch_size=50))
    assert nmse(model, x) < 0.5
    assert codes_in_use(model.codes(x), K) >= 4


@pytest.mark.parametrize("kind", [Quantizer, EMAQuantizer])
def test_a_resumed_run_ends_at_the_same_bits(kind, x, settings, tmp_path):
    r"""Codebook, averages, counts and the turn of the next revival are in the checkpoint."""

    def fresh():
        torch.manual_seed(3)
        quantizer = kind(K, M, revive_every=4)
        return VQVAE(K, latent_dim=M, size=8, width=6, num_residual=1, quantizer=quantizer)

    whole, first, second = fresh(), fresh(), fresh()
    train(whole, mean_loss, (x,), settings)
    stop = dataclasses.replace(settings, num_steps=13, checkpoint=tmp_path / "run")
    train(first, mean_loss, (x,), stop)
    train(second, mean_loss, (x,), dataclasses.replace(stop, num_steps=30))
    expected = whole.state_dict()
    assert expected["quantizer._extra_state"] == 30
    for name, value in second.state_dict().items():
        assert torch.equal(value, expected[name]), name
    assert not torch.equal(first.quantizer.codebook, second.quantizer.codebook)


def test_half_precision_stays_inside_the_networks(model, settings, x):
    r"""Codes are chosen in the precision of the data, whatever the convolutions compute in."""
    model, seen = model.float(), []
    model.quantizer.register_forward_pre_hook(lambda _, args: seen.append(args[0].dtype))
    model.quantizer.register_forward_hook(lambda _, args, out: seen.append(out.loss.dtype))
    half = dataclasses.replace(settings, num_steps=3, precision="bf16-mixed")
    losses = train(model, mean_loss, (x.float(),), half)
    assert set(seen) == {torch.float32}
    assert losses.isfinite().all()


SEVERAL_DEVICES = """
import sys, torch
from course_lib.quantizer import EMAQuantizer, Quantizer
from course_lib.training import TrainSettings, train
from course_lib.vq_vae import VQVAE, vq_vae_loss
kind, devices, folder, moves = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4] == "moves"
torch.manual_seed(0)
options = {"start_from_data": moves, "revive_every": 3 if moves else None}
quantizer = {"EMA": EMAQuantizer, "gradient": Quantizer}[kind](8, 3, **options)
model = VQVAE(8, latent_dim=3, size=8, width=6, num_residual=1, quantizer=quantizer)
settings = TrainSettings(num_steps=7, batch_size=20, accelerator="cpu", devices=devices,
                         progress=False)
train(model, lambda model, x: vq_vae_loss(model, x).mean(), (torch.rand(40, 64),), settings)
rank = torch.distributed.get_rank() if devices > 1 else "single"
torch.save(model.state_dict(), f"{folder}/{rank}.pt")
"""


@pytest.fixture
def run(tmp_path):
    r"""run(kind, devices, moves) trains; returns what each device ends with."""
    script = tmp_path / "script.py"
    script.write_text(SEVERAL_DEVICES)
    root = Path(vq_vae.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}

    def train_apart(kind, devices, moves):
        command = [sys.executable, script, kind, str(devices), tmp_path, moves]
        subprocess.run(command, env=environment, check=True, timeout=120)
        names = range(devices) if devices > 1 else ["single"]
        return [torch.load(tmp_path / f"{name}.pt", weights_only=True) for name in names]

    return train_apart


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["EMA", "gradient"])
def test_several_devices_share_one_codebook(kind, run):
    r"""After a start at the data, which each device sees a share of, and after revivals."""
    first, second = run(kind, 2, "moves")
    torch.testing.assert_close(first, second, rtol=0, atol=0)


@pytest.mark.slow
def test_two_devices_average_as_one_does(run):
    (one,), (first, _) = run("EMA", 1, "stays"), run("EMA", 2, "stays")
    torch.testing.assert_close(first, one, rtol=1e-4, atol=1e-5)


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_input(model, x):
    bad = {
        r"x has shape \(20, 8, 8\).*\(N, 64\)": lambda: model(x.reshape(20, 8, 8)),
        "torch.int64; expected": lambda: model.codes(x.long()),
        r"z_q has shape \(20, 3\).*h, w, M = \(2, 2, 3\).*decode_codes": lambda: model.decode(
            x[:, :3]
        ),
        r"codes has shape \(1, 3, 2\).*\(N, 2, 2\)": lambda: model.decode_codes(
            torch.zeros(1, 3, 2).long()
        ),
        "codes go from 8 to 8; expected 0 to 7": lambda: model.decode_codes(
            torch.full((1, 2, 2), 8)
        ),
        "size is 30 and num_residual is 2; expected a multiple of 4": lambda: VQVAE(size=30),
        "num_residual is -1": lambda: VQVAE(num_residual=-1),
        "width is 0": lambda: VQVAE(width=0),
        "quantizer has 4 codes of 3 values; expected num_codes=8": lambda: VQVAE(
            8, latent_dim=3, quantizer=Quantizer(4, 3)
        ),
        "chunk_size is 0": lambda: encode_dataset(model, x, chunk_size=0),
        "at least one image": lambda: nmse(model, x[:0]),
    }
    for message, call in bad.items():
        with pytest.raises(ValueError, match=message):
            call()
