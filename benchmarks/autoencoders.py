r"""Autoencoders on Fashion-MNIST: errors beside PCA, anomaly detection per class, speeds.

Four parts, each with the conditions it was measured under:

- `reconstruction`: test errors per pixel of autoencoders and of PCA with as many numbers in the
  code; and what a denoising autoencoder leaves of noise.
- `anomaly`: each class in turn is the normal one; see anomaly.py.
- `epoch`: the time of one pass over the training images, beside a loop over a DataLoader, pythae
  and scikit-learn. Variants take turns within a round, in one process, and each ratio is the median
  of the ratios within rounds.
- `rendering`: how fast the sets that the package draws are drawn.

`python benchmarks/autoencoders.py` writes results/autoencoders.json, `--only` measures some of the
parts again and keeps the rest; `python benchmarks/table.py` makes the tables.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from anomaly import measure_anomaly
from conditions import conditions, quartiles
from fashion import BATCH, DIM, LEARNING_RATE, SEED, fit, images
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset
from tqdm import tqdm

from course_lib import data
from course_lib.anomaly import reconstruction_score
from course_lib.autoencoder import (
    DenseAutoencoder,
    corrupt,
    denoising_loss,
    pca,
    reconstruction_loss,
)
from course_lib.training import cosine

RESULTS = Path(__file__).parent / "results" / "autoencoders.json"
PACKAGES = ("torch", "numpy", "scikit-learn", "pythae")
PARTS = ("reconstruction", "anomaly", "epoch", "rendering")
Epoch = tuple[Callable[[], object], Callable[[Tensor], Tensor]]  # one more, and the model
OURS = "course_lib.training.train"

EPOCHS, SMALL_BATCH, NOISE = 10, 64, 0.5  # twice the steps in as many epochs
RECONSTRUCTION_GOALS = {2: 0.0251, 32: 0.0095}  # mean squared error per pixel
DENOISING_GOAL = 0.016

EPOCH_IMAGES, EPOCH_LATENT, HIDDEN = 100 * BATCH, 32, (512, 256)
RENDER_COUNT = 10_000
RENDER_GOAL = 1.0  # seconds for that many


def make_network(latent_dim: int = EPOCH_LATENT) -> DenseAutoencoder:
    torch.manual_seed(SEED)
    return DenseAutoencoder(DIM, latent_dim, hidden=HIDDEN)


def measure_reconstruction(share: float) -> dict:
    r"""Test errors of PCA and autoencoders, and of denoising."""
    x, x_test = (images(split).flat() for split in ("train", "test"))
    rows = []
    for latent_dim, goal in RECONSTRUCTION_GOALS.items():
        begin = time.perf_counter()
        linear = pca(x, latent_dim)
        seconds = time.perf_counter() - begin
        linear_error = _error(linear(x_test), x_test)
        rows.append(_row(f"PCA, {latent_dim} numbers", linear_error, seconds))
        model = make_network(latent_dim)
        options = {"batch_size": SMALL_BATCH, "schedule": cosine}
        seconds = fit(model, reconstruction_loss, x, share * EPOCHS, **options)
        error = reconstruction_score(model, x_test).mean().item()
        name = f"autoencoder, {latent_dim} numbers"
        rows.append(_row(name, error, seconds, goal, error / linear_error))
    return {
        "mean_image_error": round(_error(x.mean(0).expand_as(x_test), x_test), 5),
        "epochs": round(share * EPOCHS, 2),
        "batch": SMALL_BATCH,
        "rows": rows,
        "denoising": measure_denoising(x, x_test, share),
    }


def measure_denoising(x: Tensor, x_test: Tensor, share: float) -> dict:
    generator = torch.Generator().manual_seed(SEED)
    noisy = corrupt(x_test, "gaussian", NOISE, generator=generator)
    linear, model = pca(x, 32), make_network(32)
    loss = partial(denoising_loss, kind="gaussian", level=NOISE)
    seconds = fit(model, loss, x, share * EPOCHS, schedule=cosine)
    with torch.no_grad():
        cleaned = model(noisy)
    rows = [
        _row("noisy images", _error(noisy, x_test)),
        _row("projected on 32 principal components", _error(linear(noisy), x_test)),
        _row("denoising autoencoder, 32 numbers", _error(cleaned, x_test), seconds, DENOISING_GOAL),
    ]
    return {"noise": NOISE, "rows": rows}


def _error(x_hat: Tensor, x: Tensor) -> float:
    return (x_hat - x).square().mean().item()


def _row(
    name: str,
    error: float,
    seconds: float | None = None,
    goal: float | None = None,
    over_pca: float | None = None,
) -> dict:
    return {
        "variant": name,
        "error": round(error, 5),
        "goal": goal,
        "over_pca": over_pca and round(over_pca, 3),
        "seconds": seconds and round(seconds, 1),
    }


def dataloader_epoch(x: Tensor) -> Epoch:
    r"""The loop as tutorials write it."""
    network = make_network()
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    loader = DataLoader(TensorDataset(x), batch_size=BATCH, shuffle=True)

    def run() -> None:
        total = 0.0
        for (batch,) in loader:
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(network(batch), batch)
            loss.backward()
            optimizer.step()
            total += loss.item()

    return run, network


def pythae_epoch(x: Tensor, folder: str) -> Epoch:
    r"""pythae's AE around the same layers, and its trainer's epoch."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import AE, AEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    network = make_network()

    def wrap(base: type, body: nn.Module, name: str) -> nn.Module:
        class Wrapped(base):
            def __init__(self) -> None:
                super().__init__()
                self.body = body

            def forward(self, value: Tensor) -> ModelOutput:
                return ModelOutput(**{name: self.body(value)})

        return Wrapped()

    encoder = wrap(BaseEncoder, network.encoder, "embedding")
    decoder = wrap(BaseDecoder, network.decoder, "reconstruction")
    model = AE(AEConfig(input_dim=(DIM,), latent_dim=EPOCH_LATENT), encoder, decoder)
    config = BaseTrainerConfig(
        output_dir=folder, per_device_train_batch_size=BATCH, learning_rate=LEARNING_RATE
    )
    trainer = BaseTrainer(model, BaseDataset(x, torch.zeros(len(x))), training_config=config)
    trainer.prepare_training()
    return partial(trainer.train_step, 1), network


def sklearn_epoch(x: Tensor) -> Epoch:
    r"""scikit-learn's perceptron from images to themselves: ReLU at the code, no sigmoid."""
    from sklearn.neural_network import MLPRegressor

    widths = (*HIDDEN, EPOCH_LATENT, *HIDDEN[::-1])
    options = {"batch_size": BATCH, "learning_rate_init": LEARNING_RATE, "random_state": SEED}
    model = MLPRegressor(hidden_layer_sizes=widths, alpha=0.0, **options)
    array = x.numpy()
    return (
        lambda: model.partial_fit(array, array),
        lambda x: torch.as_tensor(model.predict(x.numpy())),
    )


def measure_epoch(rounds: int) -> dict:
    x = images("train").flat()[:EPOCH_IMAGES]
    ours = make_network()
    run_ours = partial(fit, ours, reconstruction_loss, x, 1, progress=False)
    with tempfile.TemporaryDirectory() as folder:
        variants = {
            OURS: (run_ours, ours),
            "loop over a DataLoader, default Adam": dataloader_epoch(x),
            "pythae AE, BaseTrainer": pythae_epoch(x, folder),
            "scikit-learn MLPRegressor": sklearn_epoch(x),
        }
        seconds = time_in_turns([run for run, _ in variants.values()], rounds, "epoch")
    with torch.no_grad():
        errors = [_error(model(x), x) for _, model in variants.values()]
    rows = [
        {
            "variant": name,
            "milliseconds": quartiles(1e3 * seconds[:, column].numpy() / (len(x) // BATCH), 3),
            "time_over_ours": quartiles((seconds[:, column] / seconds[:, 0]).numpy(), 2),
            "error": round(errors[column], 4),
        }
        for column, name in enumerate(variants)
    ]
    return {"rounds": rounds, "images": len(x), "batch": BATCH, "rows": rows}


def time_in_turns(variants: list[Callable[[], object]], rounds: int, name: str) -> Tensor:
    r"""Seconds, shape (rounds, variants), after one round that is not counted."""
    seconds = torch.empty(rounds + 1, len(variants), dtype=torch.float64)
    for row in tqdm(seconds, desc=name, unit="round"):
        for column, run in enumerate(variants):
            begin = time.perf_counter()
            run()
            row[column] = time.perf_counter() - begin
    return seconds[1:]


def measure_rendering(rounds: int) -> dict:
    draw = {
        "sprites": partial(data.sprites, RENDER_COUNT, seed=SEED),
        "faces": partial(data.faces, RENDER_COUNT, seed=SEED),
        "parts": partial(data.parts, RENDER_COUNT, defect_share=0.2, seed=SEED),
        "tones": partial(data.tones, RENDER_COUNT, seed=SEED),
    }
    seconds = time_in_turns(list(draw.values()), rounds, "rendering")
    rows = [
        {"set": name, "seconds": quartiles(seconds[:, column].numpy(), 3), "goal": RENDER_GOAL}
        for column, name in enumerate(draw)
    ]
    return {"rounds": rounds, "count": RENDER_COUNT, "rows": rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=PARTS)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--share", type=float, default=1.0, help="share of the training epochs")
    parser.add_argument("--seeds", type=int, default=3, help="of the anomaly part")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    parts = {
        "reconstruction": partial(measure_reconstruction, options.share),
        "anomaly": partial(measure_anomaly, options.share, options.seeds),
        "epoch": partial(measure_epoch, options.rounds),
        "rendering": partial(measure_rendering, options.rounds),
    }
    known = json.loads(options.output.read_text()) if options.output.exists() else {}
    result = known | {"title": "Autoencoders"}
    for name in options.only or parts:
        before = conditions(PACKAGES, seed=SEED)
        result[name] = {"conditions": before} | parts[name]()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
