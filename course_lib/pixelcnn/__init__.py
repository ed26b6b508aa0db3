r"""PixelCNN: an exact likelihood for images, or maps of codes, of which each value is one of K.

.. math:: \log p(x \mid y) = \sum_{i, j} \log p(x_{ij} \mid x_{<ij}, y)

Values are drawn row by row, each row from the left; x_{<ij} are those before (i, j) in that order.
`masked` has the naive form, a masked convolution, whose stacks have a blind spot; `gated` the
blocks with a vertical and a horizontal stack, which have none; `lookup` the first of them; `model`
the network; `cached` the sampler that computes nothing twice. Maps are whole numbers (N, H, W),
log-probabilities in nats.
"""

from course_lib.pixelcnn.gated import GatedBlock, gate
from course_lib.pixelcnn.masked import MaskedConv2d, causal_mask
from course_lib.pixelcnn.model import PixelCNN

__all__ = [
    "GatedBlock",
    "MaskedConv2d",
    "PixelCNN",
    "causal_mask",
    "gate",
]
