r"""What every benchmark says about the machine it ran on, and how it sums up its times."""

import importlib.metadata
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "pomegranate")


def conditions(packages: Sequence[str] = PACKAGES, *, seed: int = 0) -> dict:
    names = {"x86_64": "model name", "aarch64": "CPU implementer"}
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    key = names.get(platform.machine(), "model name")
    model = [line.partition(":")[2].strip() for line in lines if line.startswith(key)]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": model[0] if model else platform.machine(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load_average_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in packages},
        "data_seed": seed,
    }


def quartiles(values: Sequence[float] | np.ndarray, digits: int) -> dict[str, float]:
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    return {
        name: round(float(value), digits)
        for name, value in {"median": median, "lower_quartile": low, "upper_quartile": high}.items()
    }
