r"""The gated PixelCNN: a training step, sampling with a cache, and the prior of a VQ-VAE.

- `step`: one step on maps of 7 × 7 codes, K = 128, 64 channels, 5 gated layers, 10 classes, batches
  of 128, beside the same network as it is usually written (`pixelcnn_peers`), which starts from the
  same weights: the last column says how far its logits are from ours. Ours is trained by
  `course_lib.training.train`, data included.
- `sampling`: drawing maps with the cache, beside running the network anew for each variable. All
  variants get the same random numbers; the last column says how many maps come out the same.
- `prior`: nats per map of test codes from a VQ-VAE of Fashion-MNIST, while the prior trains, beside
  what the frequencies of codes give.

Variants take turns within a round, in one process, and each ratio is the median of the ratios
within rounds. `python benchmarks/pixelcnn.py` writes results/pixelcnn.json, `--only` measures some
parts again and keeps the rest; `python benchmarks/table.py` makes the tables.
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from conditions import conditions, quartiles
from fashion import fit, images
from pixelcnn_peers import Cropped, Masked, UsualPixelCNN
from torch import Tensor, nn
from tqdm import tqdm

from course_lib.autoregressive import sample_sequentially
from course_lib.pixelcnn import PixelCNN
from course_lib.quantizer import position_bits, uniform_bits, unigram_bits
from course_lib.training import TrainSettings, cosine, train
from course_lib.vq_vae import VQVAE, encode_dataset, nmse, vq_vae_loss

RESULTS = Path(__file__).parent / "results" / "pixelcnn.json"
PACKAGES = ("torch", "numpy")
PARTS = ("step", "sampling", "prior")
SEED, BATCH, RATE = 0, 128, 2e-3
NUM_VALUES, SIZE, NUM_CLASSES = 128, (7, 7), 10
WIDTH, NUM_LAYERS = 64, 5
NUM_STEPS, WARM = 5, 2  # timed steps in a pass; steps before the clock starts
NUM_MAPS = 100
STEP_GOAL, SAMPLING_GOAL, PRIOR_GOAL, PRIOR_SECONDS = 2.0, 5.0, 107.0, 65
VQ_LATENT, VQ_BATCH = 32, 128
Timed = Callable[[], float]  # seconds


def make_model() -> PixelCNN:
    torch.manual_seed(SEED)
    return PixelCNN(NUM_VALUES, SIZE, width=WIDTH, num_layers=NUM_LAYERS, num_classes=NUM_CLASSES)


def has_bfloat16() -> bool:
    r"""Whether the CPU multiplies bfloat16 in hardware; else bf16 is slower."""
    names = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    probes = [getattr(torch.cpu, name, None) for name in names]
    return any(probe and probe() for probe in probes)


def loss(model: PixelCNN, codes: Tensor, y: Tensor) -> Tensor:
    return -model.log_prob(codes, y).mean()


# A training step


def ours(codes: Tensor, y: Tensor, precision: str = "32-true") -> Timed:
    r"""Seconds per step of the course's loop, timed between its steps."""
    model = make_model()

    def run() -> float:
        stamps: list[float] = []
        settings = _settings(WARM + NUM_STEPS, precision=precision, progress=False)
        train(model, loss, (codes, y), settings, callback=lambda *_: stamps.append(_now()))
        return (stamps[-1] - stamps[WARM - 1]) / NUM_STEPS

    return run


def usual(network: UsualPixelCNN, codes: Tensor, y: Tensor) -> Timed:
    r"""Seconds per step of the usual loop."""
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)

    def step() -> None:
        chosen = torch.randint(len(codes), (BATCH,))
        optimizer.zero_grad()
        network.loss(codes[chosen], y[chosen]).backward()
        optimizer.step()

    def run() -> float:
        for _ in range(WARM):
            step()
        begin = _now()
        for _ in range(NUM_STEPS):
            step()
        return (_now() - begin) / NUM_STEPS

    return run


def measure_step(rounds: int) -> dict:
    generator = torch.Generator().manual_seed(SEED)
    codes = torch.randint(NUM_VALUES, (50 * BATCH, *SIZE), generator=generator)
    y = torch.randint(NUM_CLASSES, (len(codes),), generator=generator)
    variants: dict[str, tuple[Timed, float | None, UsualPixelCNN | None]] = {
        "course_lib": (ours(codes, y), None, None)
    }
    if has_bfloat16():
        variants["course_lib, bf16-mixed"] = (ours(codes, y, "bf16-mixed"), None, None)
    for name, convolution, order, goal in (
        ("masked convolutions", Masked, torch.contiguous_format, STEP_GOAL),
        ("masked convolutions, channels last", Masked, torch.channels_last, None),
        ("cropped convolutions", Cropped, torch.contiguous_format, None),
    ):
        network = UsualPixelCNN(make_model(), convolution).to(memory_format=order)
        variants[name] = (usual(network, codes, y), goal, network)
    distances = [_distance(network, codes, y) for _, _, network in variants.values()]
    seconds = _take_turns([run for run, _, _ in variants.values()], rounds, "step")
    first_bf16 = [column for column, name in enumerate(variants) if "bf16" in name]
    rows = [
        {
            "variant": name,
            "milliseconds": quartiles(1e3 * seconds[:, column], 3),
            "time_over_ours": quartiles(seconds[:, column] / seconds[:, 0], 2),
            "time_over_ours_bf16": [
                quartiles(seconds[:, column] / seconds[:, half], 2) for half in first_bf16
            ],
            "goal": goal,
            "distance": distances[column],
        }
        for column, (name, (_, goal, _)) in enumerate(variants.items())
    ]
    return {"rounds": rounds, "rows": rows}


@torch.no_grad()
def _distance(network: UsualPixelCNN | None, codes: Tensor, y: Tensor) -> float | None:
    r"""The largest difference of a logit to ours at the same weights."""
    if network is None:
        return None
    usual_logits = network(codes[:BATCH], y[:BATCH]).permute(0, 2, 3, 1)
    return (usual_logits - make_model().logits(codes[:BATCH], y[:BATCH])).abs().max().item()


# Sampling


def measure_sampling(rounds: int) -> dict:
    model = make_model()
    network = UsualPixelCNN(model, Masked)
    y = torch.arange(NUM_MAPS) % NUM_CLASSES

    def draw(cached: bool) -> Tensor:
        return model.sample(NUM_MAPS, y=y, cached=cached, generator=_generator())

    def draw_usual() -> Tensor:
        return sample_sequentially(
            lambda codes: network(codes, y).permute(0, 2, 3, 1),
            SIZE,
            NUM_MAPS,
            dtype=torch.int64,
            generator=_generator(),
        )

    variants = {
        "course_lib, cached": (lambda: draw(True), None),
        "course_lib, the network anew for each variable": (lambda: draw(False), SAMPLING_GOAL),
        "masked convolutions, the same": (draw_usual, None),
    }
    maps = [run() for run, _ in variants.values()]
    timed = [_seconds_of(run) for run, _ in variants.values()]
    seconds = _take_turns(timed, rounds, "sampling")
    rows = [
        {
            "variant": name,
            "milliseconds_each": quartiles(1e3 * seconds[:, column] / NUM_MAPS, 3),
            "time_over_ours": quartiles(seconds[:, column] / seconds[:, 0], 2),
            "goal": goal,
            "maps_as_ours": int((maps[column] == maps[0]).flatten(1).all(1).sum()),
        }
        for column, (name, (_, goal)) in enumerate(variants.items())
    ]
    return {"rounds": rounds, "maps": NUM_MAPS, "rows": rows}


# The prior of a VQ-VAE


def measure_prior(vq_steps: int, prior_steps: int) -> dict:
    train_set, test_set = images("train"), images("test")
    codes, test_codes, stage_one = code_maps(train_set.flat(), test_set.flat(), vq_steps)
    nats = {
        "uniform": uniform_bits(test_codes, NUM_VALUES),
        "frequencies of codes": unigram_bits(codes, test_codes, NUM_VALUES),
        "frequencies at each position": position_bits(codes, test_codes, NUM_VALUES),
    }
    precision = "bf16-mixed" if has_bfloat16() else "32-true"
    model, curve = make_model(), []
    clock = {"seconds": 0.0, "since": 0.0}

    def note(step: int, model: nn.Module, value: Tensor) -> None:
        if step % max(1, prior_steps // 6) and step != prior_steps:
            return
        clock["seconds"] += _now() - clock["since"]  # evaluation is not training
        entry = {"step": step, "seconds": round(clock["seconds"], 1)}
        curve.append(entry | {"nats": round(test_nats(model, test_codes, test_set.labels), 2)})
        clock["since"] = _now()

    settings = _settings(prior_steps, precision=precision, schedule=cosine)
    clock["since"] = _now()
    train(model, loss, (codes, train_set.labels), settings, callback=note)
    begin = _now()
    model.sample(NUM_MAPS, y=torch.arange(NUM_MAPS) % NUM_CLASSES, generator=_generator())
    return stage_one | {
        "precision": precision,
        "nats": {name: round(bits.mean().item() * math.log(2), 1) for name, bits in nats.items()},
        "goal": PRIOR_GOAL,
        "goal_seconds": PRIOR_SECONDS,
        "curve": curve,
        "maps": NUM_MAPS,
        "sampling_seconds": round(_now() - begin, 2),
    }


def code_maps(x: Tensor, x_test: Tensor, num_steps: int) -> tuple[Tensor, Tensor, dict]:
    r"""The codes of both sets, from a VQ-VAE trained for so many steps."""
    torch.manual_seed(SEED)
    model = VQVAE(NUM_VALUES, latent_dim=VQ_LATENT)
    epochs = num_steps / (len(x) // VQ_BATCH)
    seconds = fit(
        model,
        lambda model, x: vq_vae_loss(model, x).mean(),
        x,
        epochs,
        batch_size=VQ_BATCH,
        learning_rate=RATE,
        schedule=cosine,
    )
    codes, test_codes = encode_dataset(model, x), encode_dataset(model, x_test)
    found = {"steps": num_steps, "seconds": round(seconds, 1)}
    return codes, test_codes, {"vq_vae": found | {"nmse": round(nmse(model, x_test), 4)}}


@torch.no_grad()
def test_nats(model: PixelCNN, codes: Tensor, y: Tensor) -> float:
    r"""In float32, whatever it trains in."""
    chunks = zip(codes.split(500), y.split(500), strict=True)
    with torch.autocast("cpu", enabled=False):
        return -torch.cat([model.log_prob(*chunk) for chunk in chunks]).mean().item()


# Common


def _settings(num_steps: int, **options) -> TrainSettings:
    return TrainSettings(
        num_steps=num_steps,
        batch_size=BATCH,
        learning_rate=RATE,
        seed=SEED,
        accelerator="cpu",
        **options,
    )


def _take_turns(variants: list[Timed], rounds: int, name: str) -> np.ndarray:
    r"""Seconds, shape (rounds, variants); one more round at the start is not counted."""
    found = np.empty((rounds + 1, len(variants)))
    for row in tqdm(found, desc=name, unit="round"):
        row[:] = [run() for run in variants]
    return found[1:]


def _seconds_of(run: Callable[[], object]) -> Timed:
    def measure() -> float:
        begin = _now()
        run()
        return _now() - begin

    return measure


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(SEED)


_now = time.perf_counter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--vq-steps", type=int, default=1500)
    parser.add_argument("--prior-steps", type=int, default=700)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    measures = {
        "step": lambda: measure_step(options.rounds),
        "sampling": lambda: measure_sampling(max(1, options.rounds // 2)),
        "prior": lambda: measure_prior(options.vq_steps, options.prior_steps),
    }
    output = options.output
    result = json.loads(output.read_text(encoding="utf-8")) if output.exists() else {}
    result["title"] = "Gated PixelCNN"
    for name in options.only:
        state = conditions(PACKAGES, seed=SEED)  # before the measurement
        result[name] = {"conditions": state} | measures[name]()
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
