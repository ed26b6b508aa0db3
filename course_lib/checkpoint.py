r"""Checkpoint files: written all at once, read without running what is in them."""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import torch

FORMAT = "course_lib.checkpoint/1"
DIGEST_SIZE = hashlib.sha256().digest_size  # the file ends with the SHA-256 of what is before


def save_checkpoint(path: Path, identity: dict[str, Any], state: dict[str, Any]) -> None:
    r"""Write a checkpoint, so that a crash leaves the old file or the new one, never half of one.

    Args:
        path: The file; its folder is created where it is missing.
        identity: What makes a run this run, of plain numbers, strings, lists and dictionaries.
        state: Tensors and plain values.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, "identity": identity, **state}, buffer)
    payload = buffer.getvalue()
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(payload + hashlib.sha256(payload).digest())
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def load_checkpoint(path: Path, identity: dict[str, Any]) -> dict[str, Any]:
    r"""Read a checkpoint of this run, on the CPU.

    Raises:
        ValueError: The file is damaged, is no checkpoint, or belongs to a run with another
            identity.
    """
    try:
        raw = path.read_bytes()
        payload, digest = raw[:-DIGEST_SIZE], raw[-DIGEST_SIZE:]
        if hashlib.sha256(payload).digest() != digest:
            raise ValueError("its checksum does not match")
        content = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
        if content["format"] != FORMAT:
            raise ValueError(f"its format is {content['format']}")
    except Exception as error:  # a damaged file can fail in any way
        raise ValueError(
            f"{path} is damaged or no checkpoint of this course ({type(error).__name__}: "
            f"{str(error).partition('.')[0]}); expected a file written by course_lib.training: it "
            "was left as it is, so move it away or name another checkpoint"
        ) from error
    found = content["identity"]
    if found != identity:
        differing = [key for key in identity if found.get(key) != identity[key]]
        given = "; ".join(
            f"{key} was {found.get(key)}, is now {identity[key]}" for key in differing
        )
        raise ValueError(
            f"{path} belongs to another run: {given}; expected the settings, the model and the "
            "data that it was written with: it was left as it is, so restore them or name another "
            "checkpoint"
        )
    return content
