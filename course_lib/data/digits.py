r"""The 1797 handwritten digits of 8 x 8 grey values that come with scikit-learn."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

GREY_LEVELS = 16  # the files hold whole numbers from 0 to 16


def digits(
    dtype: torch.dtype = torch.float64,
) -> tuple[Float[Tensor, "1797 64"], Int[Tensor, " 1797"]]:
    r"""The digits, in the order of scikit-learn's `load_digits`, and what each of them shows.

    Args:
        dtype: A floating-point type, of the images.

    Returns:
        The images, one row each, read line by line from the top left, shape (1797, 64), from 0 (no
        ink) to 1; and their labels 0 to 9, shape (1797,). `images.reshape(-1, 8, 8)` gives squares.

    Raises:
        ValueError: `dtype` is not a floating-point type.

    Reference:
        Alpaydin and Kaynak (1998), "Optical Recognition of Handwritten Digits", UCI Machine
        Learning Repository; scikit-learn holds its test part.

    Example:
        >>> images, labels = digits()
        >>> images.shape, labels[:3]
        (torch.Size([1797, 64]), tensor([0, 1, 2]))
    """
    from sklearn.datasets import load_digits  # scikit-learn takes a second to import

    if not dtype.is_floating_point:
        raise ValueError(
            f"dtype is {dtype}; expected a floating-point type such as torch.float64: "
            "the images are scaled to values between 0 and 1"
        )
    images, labels = load_digits(return_X_y=True)
    return torch.tensor(images / GREY_LEVELS, dtype=dtype), torch.tensor(labels, dtype=torch.int64)
