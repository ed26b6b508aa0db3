r"""The data sets of the course, all usable without a network; docs/data.md shows them."""

from course_lib.data.celeba import celeba
from course_lib.data.digits import digits
from course_lib.data.faces import faces
from course_lib.data.fashion_mnist import fashion_mnist
from course_lib.data.idx import DataError
from course_lib.data.image_set import AttributeSet, FactorSet, ImageSet
from course_lib.data.mnist import mnist
from course_lib.data.old_faithful import old_faithful
from course_lib.data.omniglot import omniglot
from course_lib.data.parts import parts
from course_lib.data.sprites import render_sprites, sprites
from course_lib.data.tones import ToneSet, tones

__all__ = [
    "AttributeSet",
    "DataError",
    "FactorSet",
    "ImageSet",
    "ToneSet",
    "celeba",
    "digits",
    "faces",
    "fashion_mnist",
    "mnist",
    "old_faithful",
    "omniglot",
    "parts",
    "render_sprites",
    "sprites",
    "tones",
]
