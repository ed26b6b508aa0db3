"""Train the weights that stand for a right answer to `fashion_vae`, with the solution's own code.

    python tools/fashion_vae_weights.py

runs the model cell and the answer cell of sources/exercises/05_vae.py on the bundled subset and
writes autograder/checks/05_vae/fashion_vae.safetensors, in half precision. It takes about a minute
on one core. The numbers need not come out the same to the last bit on another machine.
"""

import os
from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from percent import read_percent

ROOT = Path(__file__).resolve().parents[1]
UNIT = "05_vae"
TARGET = ROOT / "autograder" / "checks" / UNIT / "fashion_vae.safetensors"


def main() -> None:
    os.environ["COURSE_DATA"] = "bundled"
    notebook = read_percent(ROOT, Path("sources", "exercises", f"{UNIT}.py"))
    sources = {cell.id: cell.source for cell in notebook.cells}
    namespace = {"torch": torch, "nn": nn}
    for name in ("fashion-vae-model", "fashion_vae"):
        exec(sources[name], namespace)  # noqa: S102 - the course's own cells
    model = namespace["fashion_vae"]()
    state = {name: value.half() for name, value in model.state_dict().items()}
    safetensors.torch.save_file(state, TARGET)
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
