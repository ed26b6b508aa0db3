r"""Fetching published files into the user's cache: whole and right, or not at all."""

from collections.abc import Sequence
from pathlib import Path

from course_lib.data.idx import DataError

CACHE_NAME = "latent-variable-models"


def user_cache() -> Path:
    r"""The course's folder in the user's cache; it need not exist."""
    import pooch  # nothing else needs it

    return Path(pooch.os_cache(CACHE_NAME))


def fetch_file(urls: Sequence[str], folder: Path, sha256: str) -> Path:
    r"""Download a file unless it is there, from the first address that has it.

    The file appears in `folder` under its own name only when it is complete and its checksum is
    right. A file of that name with another checksum is replaced.

    Args:
        urls: Addresses of the same file, tried in this order.
        folder: Where to keep it; made if need be.
        sha256: Checksum of the file as published.

    Raises:
        DataError: No network, no such file, wrong contents, or no space: what was tried, and what
            to do.
    """
    import pooch
    import requests

    problems = []
    for url in urls:
        name = url.rpartition("/")[2]
        try:
            return Path(pooch.retrieve(url, f"sha256:{sha256}", fname=name, path=folder))
        except ValueError as error:  # pooch compares the checksum before it keeps the file
            problems.append(f"{url}: not the published file: {error}")
        except requests.RequestException as error:
            problems.append(f"{url}: {_network_problem(error)}")
        except OSError as error:
            raise DataError(
                f"{name} cannot be kept in {folder}: {error.strerror or error}. Make room there, "
                "or allow writing, and fetch again; nothing was kept."
            ) from error
    raise DataError(
        "\n  ".join([f"{name} could not be downloaded:", *problems])
        + "\nCheck the network or the proxy (HTTPS_PROXY) and fetch again; nothing was kept."
    )


def _network_problem(error: Exception) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "the server does not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke before the end"
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached"
    return str(error)
