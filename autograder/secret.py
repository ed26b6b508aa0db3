"""The secret of a course, which decides the inputs that a submission is graded on."""

import hmac
import os
import secrets
import tempfile
from pathlib import Path

SECRET_BYTES = 32


def seed_of(secret: bytes, digest: str, exercise: str) -> int:
    """Seed of an exercise's inputs: new for each submission, the same when it is graded again."""
    code = hmac.digest(secret, f"{digest}:{exercise}".encode(), "sha256")
    return int.from_bytes(code[:7])


def load_secret(folder: str | Path) -> bytes:
    """The secret of a course, made on first use and readable to its owner only."""
    path = Path(folder, ".autograder", "secret")
    if not path.exists():
        _make_secret(path)
    secret = path.read_bytes()
    if len(secret) < SECRET_BYTES:
        raise ValueError(
            f"{path} holds {len(secret)} bytes; expected at least {SECRET_BYTES}: delete it to "
            "have a new secret drawn (submissions graded before will get other inputs)"
        )
    return secret


def _make_secret(path: Path) -> None:
    """Whole from its first moment, also when several processes make it at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd, name = tempfile.mkstemp(dir=path.parent)  # readable to its owner only
    with os.fdopen(fd, "wb") as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
    try:
        os.link(name, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links: the last of several to be made stays
        Path(name).replace(path)
    Path(name).unlink(missing_ok=True)
