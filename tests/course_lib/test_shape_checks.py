r"""The hook of tests/conftest.py is on: a wrong shape does not even reach the function."""

import jaxtyping
import pytest
import torch

from course_lib import mixture


def test_annotations_are_checked():
    with pytest.raises(jaxtyping.TypeCheckError):
        mixture.log_gaussian(torch.zeros(4, 2), torch.zeros(3), torch.zeros(2))


@pytest.mark.usefixtures("unchecked_shapes")
def test_users_get_the_librarys_own_message():
    with pytest.raises(ValueError, match=r"loc has shape \(3,\)"):
        mixture.log_gaussian(torch.zeros(4, 2), torch.zeros(3), torch.zeros(2))
