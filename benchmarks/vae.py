r"""A training step of a VAE, side by side with PyTorch's example, pythae, Pyro and Keras.

All train the same layers on the same Fashion-MNIST images with the same batches and rate; see
`vae_peers`. Ours is `course_lib.vae` in `course_lib.training.train`, the loop of the lectures, data
included. Variants take turns within a round, in one process; each pass of a round is over the same
images, and each ratio is the median of the ratios within rounds. Keras takes one back-end for a
process, so each back-end gets a process of its own, in which ours runs beside it. The last column
is the loss per image in the last round: who trains as well as the others computes the same thing.

The second part trains a two-dimensional VAE on all of dynamically binarised Fashion-MNIST and says
after how many seconds of training which ELBO was reached. `python benchmarks/vae.py` writes
results/vae.json; `python benchmarks/table.py` makes the table. A peer that is not installed is left
out, and named.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
import vae_peers as peers
from conditions import conditions, quartiles
from torch import Tensor, nn
from tqdm import tqdm

from course_lib.data import fashion_mnist
from course_lib.training import TrainSettings, cosine, train
from course_lib.vae import VAE, ConvVAE, negative_elbo

RESULTS = Path(__file__).parent / "results" / "vae.json"
SEED = 0
PACKAGES = ("torch", "numpy", "pillow", "pythae", "pyro-ppl", "keras", "jax")
NUM_STEPS, WARM = 50, 5  # timed steps in a pass; steps before the clock starts
GOAL_2D, SECONDS_2D = 264.5, 40
Timed = Callable[[], tuple[float, float]]  # seconds per step, loss per image


def ours(model: nn.Module, images: Tensor, precision: str = "32-true") -> Timed:
    r"""One pass through `train`, timed between its steps; its set-up is once in a training."""
    x, rounds = images.flatten(1).float() / 255, iter(range(10**6))

    def run() -> tuple[float, float]:
        stamps: list[float] = []
        settings = TrainSettings(
            num_steps=WARM + NUM_STEPS,
            batch_size=peers.BATCH,
            learning_rate=peers.RATE,
            seed=next(rounds),
            accelerator="cpu",
            precision=precision,
            progress=False,
        )
        losses = train(
            model, loss, (x,), settings, callback=lambda *_: stamps.append(time.perf_counter())
        )
        return (stamps[-1] - stamps[WARM - 1]) / NUM_STEPS, losses[WARM:].mean().item()

    return run


def loss(vae: VAE, x: Tensor) -> Tensor:
    return negative_elbo(vae, x).mean()


def timed(run: peers.Run) -> Timed:
    def measure() -> tuple[float, float]:
        begin = time.perf_counter()
        value = run()
        return (time.perf_counter() - begin) / NUM_STEPS, value

    return measure


def dense() -> VAE:
    torch.manual_seed(SEED)
    return VAE(peers.DIM, peers.LATENT, hidden=(peers.HIDDEN,))


def conv() -> ConvVAE:
    torch.manual_seed(SEED)
    return ConvVAE(peers.CONV_LATENT, width=peers.WIDTH)


def mlp_variants(images: Tensor) -> dict[str, tuple[Timed, float | None]]:
    r"""Each with the ratio that we mean to reach."""
    variants = {
        "course_lib": (ours(dense(), images), None),
        "pytorch/examples": (timed(peers.pytorch_example(images)), 2.0),
    }
    if installed("pythae"):
        variants["pythae, BaseTrainer"] = (timed(peers.pythae(images)), 1.8)
    if installed("pyro"):
        variants["Pyro, SVI"] = (timed(peers.pyro_svi(images)), 2.0)
    return variants


def conv_variants(images: Tensor) -> dict[str, tuple[Timed, float | None]]:
    variants = {"course_lib": (ours(conv(), images), None)}
    if has_amx():
        variants["course_lib, bf16-mixed"] = (ours(conv(), images, "bf16-mixed"), None)
    if installed("pythae"):
        variants["pythae, BaseTrainer"] = (timed(peers.pythae(images, conv=True)), 1.1)
    return variants


def keras_variants(images: Tensor) -> dict[str, tuple[Timed, float | None]]:
    backend = peers.keras_backend()
    return {
        "course_lib": (ours(dense(), images), None),
        f"Keras, {backend}": (timed(peers.keras_fit(images)), {"torch": 2.0, "jax": 1.0}[backend]),
    }


PROBLEMS = {
    "dense": ("Dense VAE 784-400-20: a step on 128 images, data included", mlp_variants),
    "keras-torch": ("The same beside Keras on torch", keras_variants),
    "keras-jax": ("The same beside Keras on jax", keras_variants),
    "conv": ("Convolutional VAE, 32 and 64 channels, z 16: the same", conv_variants),
}


def measure(key: str, rounds: int) -> dict:
    name, build = PROBLEMS[key]
    images = fashion_mnist("train").images[: NUM_STEPS * peers.BATCH, 0]
    variants = build(images)
    found = np.empty((rounds + 2, len(variants), 2))  # two rounds are not counted
    for row in tqdm(found, desc=key, unit="round"):
        for column, (run, _) in enumerate(variants.values()):
            row[column] = run()
    seconds = found[2:, :, 0]
    first_bf16 = [column for column, name in enumerate(variants) if "bf16" in name]
    rows = [
        {
            "variant": variant,
            "milliseconds": quartiles(1e3 * seconds[:, column], 3),
            "time_over_ours": quartiles(seconds[:, column] / seconds[:, 0], 2),
            "time_over_ours_bf16": [
                quartiles(seconds[:, column] / seconds[:, half], 2) for half in first_bf16
            ],
            "goal": goal,
            "loss": round(found[-1, column, 1], 1),
        }
        for column, (variant, (_, goal)) in enumerate(variants.items())
    ]
    return {"name": name, "rounds": rounds, "rows": rows}


def measure_apart(key: str, rounds: int) -> dict | None:
    r"""In a process of its own, with the back-end that the key names; `None` if it has none."""
    backend = key.partition("-")[2]
    if not (installed("keras") and installed(backend)):
        return None
    command = [sys.executable, __file__, "--problem", key, "--rounds", str(rounds)]
    environment = os.environ | {"KERAS_BACKEND": backend}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def two_dimensional(num_steps: int) -> dict:
    r"""Train, and every eighth of the way say how long it took and how good the bound is."""
    x, test = (fashion_mnist(split).flat() for split in ("train", "test"))
    test = torch.bernoulli(test, generator=torch.Generator().manual_seed(SEED))
    torch.manual_seed(SEED)
    vae, curve = VAE(peers.DIM, 2), []
    clock = {"seconds": 0.0, "since": time.perf_counter()}

    @torch.no_grad()
    def note(step: int, model: nn.Module, value: Tensor) -> None:
        if step % max(1, num_steps // 8) and step != num_steps:
            return
        clock["seconds"] += time.perf_counter() - clock["since"]  # evaluation is not training
        generator = torch.Generator().manual_seed(SEED)
        bound = negative_elbo(vae, test, num_samples=5, generator=generator).mean().item()
        entry = {"step": step, "seconds": round(clock["seconds"], 1)}
        curve.append(entry | {"negative_elbo": round(bound, 2)})
        clock["since"] = time.perf_counter()

    settings = TrainSettings(
        num_steps=num_steps,
        batch_size=peers.BATCH,
        learning_rate=2e-3,
        schedule=cosine,
        accelerator="cpu",
    )
    clock["since"] = time.perf_counter()
    train(vae, binarised_loss, (x,), settings, callback=note)
    return {
        "images": len(x),
        "goal": GOAL_2D,
        "goal_seconds": SECONDS_2D,
        "curve": curve,
    }


def binarised_loss(vae: VAE, x: Tensor) -> Tensor:
    return negative_elbo(vae, torch.bernoulli(x)).mean()


def installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def has_amx() -> bool:
    r"""Whether the CPU multiplies bfloat16 matrices in hardware; else bf16 is slower."""
    probe = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return bool(probe and probe())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--steps-2d", type=int, default=8000)
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--problem", choices=PROBLEMS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.problem:
        print(json.dumps(measure(options.problem, options.rounds)))
        return
    modules = {"pyro-ppl": "pyro", "pillow": "PIL"}
    present = [name for name in PACKAGES if installed(modules.get(name, name))]
    result = {
        "title": "A training step of a VAE",
        "conditions": conditions(present, seed=SEED),
        "missing": sorted(set(PACKAGES) - set(present)),
        "amx": has_amx(),
        "two_dimensional": two_dimensional(options.steps_2d),
    }
    apart = {key: partial(measure_apart, key) for key in PROBLEMS if key.startswith("keras")}
    problems = [apart.get(key, partial(measure, key))(options.rounds) for key in PROBLEMS]
    result["problems"] = [problem for problem in problems if problem]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
