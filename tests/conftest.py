r"""For all tests: --device, --dtype, and shape checks on every call of `course_lib`."""

from collections.abc import Iterator

import jaxtyping
import pytest
import torch

DTYPES = {"float32": torch.float32, "float64": torch.float64}
jaxtyping.install_import_hook("course_lib", "beartype.beartype")
torch.set_num_threads(1)  # small tensors: threads would only wait for one another


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--device", default="cpu", help="where the tensors of the tests live")
    parser.addoption("--dtype", default="float64", choices=sorted(DTYPES), help="their precision")


@pytest.fixture
def unchecked_shapes() -> Iterator[None]:
    r"""Without the shape checks, as users run: bad input reaches the library's own messages."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)
