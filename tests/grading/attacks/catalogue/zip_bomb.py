"""Hands in a small archive that unpacks to a large one, also in the place of the notebook."""

import zipfile
from pathlib import Path

KIND = "disk"
GAINS = "stop"


def prepare(folder: Path) -> None:
    bomb = folder / "submission.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"{number}.ipynb", b"\0" * (32 << 20))
    (folder / "01_mixture_models.ipynb").write_bytes(bomb.read_bytes())
