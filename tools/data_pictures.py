"""Draw the pictures of docs/data.md, docs/data/*.png: each data set with what is known about it."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from PIL import Image
from torch import Tensor

from course_lib import plots
from course_lib.data import digits, faces, fashion_mnist, parts, render_sprites, tones
from course_lib.data.faces import ATTRIBUTE_NAMES
from course_lib.data.gallery import contact_sheet
from course_lib.data.sprites import FACTOR_NAMES, FACTOR_SIZES

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "data"
COLUMNS = 12
WIDTH = 8.0  # inches


def draw_rows(name: str, rows: Sequence[Tensor], labels: Sequence[str]) -> None:
    """One row of pictures for each label, written to its left."""
    sheet = contact_sheet(torch.cat(list(rows)), columns=len(rows[0]))
    height, width = sheet.shape[:2]
    figure, axes = plt.subplots(figsize=(WIDTH, 0.2 + (WIDTH - 1.2) * height / width))
    axes.imshow(sheet if sheet.shape[2] == 3 else sheet[..., 0], cmap="gray", vmin=0, vmax=255)
    step = (height + 2) / len(rows)
    axes.set_yticks([step * (k + 0.5) - 1 for k in range(len(rows))], labels)
    axes.set_xticks([])
    axes.grid(visible=False)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    save(figure, name, num_colours=256 if sheet.shape[2] == 3 else 32)


def save(figure: plt.Figure, name: str, *, num_colours: int) -> None:
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.png"
    figure.savefig(path, dpi=100, bbox_inches="tight", pad_inches=0.05)
    plt.close(figure)
    with Image.open(path) as picture:
        few_colours = picture.convert("RGB").quantize(num_colours)
    few_colours.save(path, optimize=True)
    print(f"wrote {name}.png")


def draw_fashion_mnist() -> None:
    data = fashion_mnist("train")
    rows = [data.images[data.labels == label][:COLUMNS] for label in range(10)]
    draw_rows("fashion_mnist", rows, data.label_names)


def draw_digits() -> None:
    images, labels = digits(torch.float32)
    pictures = images.reshape(-1, 1, 8, 8).mul(255).byte()
    pictures = pictures.repeat_interleave(4, 2).repeat_interleave(4, 3)
    rows = [pictures[labels == label][:COLUMNS] for label in (0, 3, 8)]
    draw_rows("digits", rows, ("0", "3", "8"))


def draw_sprites() -> None:
    """Each factor from its first value to its last, the others as they are in the middle."""
    start = torch.tensor([2, 4, 3, 8, 8])
    rows = []
    for factor, size in enumerate(FACTOR_SIZES):
        factors = start.repeat(10, 1)
        factors[:, factor] = torch.linspace(0, size - 1, 10).round().long()
        rows.append(render_sprites(factors))
    draw_rows("sprites", rows, FACTOR_NAMES)


def draw_faces() -> None:
    """The same people without and with each attribute."""
    rows = []
    for attribute in (None, *range(len(ATTRIBUTE_NAMES))):
        attributes = torch.zeros(10, len(ATTRIBUTE_NAMES), dtype=torch.bool)
        if attribute is not None:
            attributes[:, attribute] = True
        rows.append(faces(10, size=64, attributes=attributes).images)
    draw_rows("faces", rows, ("none", *ATTRIBUTE_NAMES))


def draw_parts() -> None:
    data = parts(400, size=64, defect_share=0.5)
    rows = [data.images[data.labels == kind][:10] for kind in range(len(data.label_names))]
    draw_rows("parts", rows, data.label_names)


def draw_tones() -> None:
    data = tones(6, seed=1)
    figure, panels = plt.subplots(2, 3, figsize=(WIDTH, 3.6), sharex=True, sharey=True)
    for k, axes in enumerate(panels.flat):
        axes.plot(1000 * data.time(), data.signals[k])
        axes.set_title(f"{data.frequency[k]:.0f} Hz, amplitude {data.amplitude[k]:.2f}")
    for axes in panels[1]:
        axes.set_xlabel("time (ms)")
    for axes in panels[:, 0]:
        axes.set_ylabel("value")
    save(figure, "tones", num_colours=32)


def main() -> None:
    plots.use_style()
    for draw in (draw_fashion_mnist, draw_digits, draw_sprites, draw_faces, draw_parts, draw_tones):
        draw()


if __name__ == "__main__":
    main()
