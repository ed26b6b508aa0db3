"""What a lecture's cells print and draw, made the same on every run and small enough to commit."""

import base64
import io
import re

import numpy as np
from nbformat import NotebookNode
from PIL import Image

ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
WIDGET = "application/vnd.jupyter.widget-view+json"
NUM_COLOURS = 128
NUM_KEPT = 16  # of them, frequent ones that are no greys
VIVID = 40  # the least distance between the channels of such a colour


def normalised(outputs: list[NotebookNode], count: int) -> list[NotebookNode]:
    """Outputs without stderr, widgets, tracebacks and addresses, and with smaller figures."""
    kept = []
    for output in outputs:
        if output.get("name") == "stderr" or WIDGET in output.get("data", {}):
            continue
        if output.output_type == "execute_result":
            output.execution_count = count
        if output.output_type == "stream":
            output.text = ADDRESS.sub("0x0", output.text)
        if output.output_type == "error":
            output.traceback = [f"{output.ename}: {output.evalue}"]
        for kind, content in output.get("data", {}).items():
            if kind == "image/png":
                output.data[kind] = with_palette(content)
            elif isinstance(content, str) and not kind.startswith("image/"):
                output.data[kind] = ADDRESS.sub("0x0", content)
        kept.append(output)
    return kept


def with_palette(png: str) -> str:
    """A figure in a palette of its own colours: less than half the size, and looks the same.

    Colours of curves and legends are kept as they are. Beside a picture with many greys, the
    palette would have too few entries left to tell them apart.
    """
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    kept = _frequent_colours(image)
    quantized = image.quantize(NUM_COLOURS - len(kept), dither=Image.Dither.NONE)
    pixels, indices = np.asarray(image), np.array(quantized)
    palette = [*quantized.getpalette()[: 3 * (NUM_COLOURS - len(kept))]]
    for colour in kept:
        indices[(pixels == colour).all(-1)] = len(palette) // 3
        palette += colour
    small = io.BytesIO()
    smaller = Image.fromarray(indices, mode="P")
    smaller.putpalette(palette)
    smaller.save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode("ascii")


def _frequent_colours(image: Image.Image) -> list[tuple[int, int, int]]:
    counts = image.getcolors(image.width * image.height)
    vivid = [(count, c) for count, c in counts if max(c) - min(c) >= VIVID]
    return [colour for _, colour in sorted(vivid, reverse=True)[:NUM_KEPT]]
