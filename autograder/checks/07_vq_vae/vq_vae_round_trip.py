"""`vq_vae_round_trip(encode, decode, codebook, x)`: what is kept of an image is a map of indices.

The decoder of the check is made of products and sums of single values, so that it gives the same
bits whatever the batch and the layout in memory.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from autograder import expect
from autograder.candidate import Candidate, Oracle
from autograder.exercise import Exercise

from ._codes import brute_force, draw_codebook, draw_points, same_indices

Network = Callable[[Tensor], Tensor]


def reference(
    encode: Network, decode: Network, codebook: Tensor, x: Tensor
) -> tuple[Tensor, Tensor]:
    codes = brute_force(encode(x).permute(0, 2, 3, 1), codebook)
    return codes, decode(codebook[codes].permute(0, 3, 1, 2))


VQ_VAE_ROUND_TRIP = Exercise(
    name="vq_vae_round_trip",
    unit="07_vq_vae",
    title="From an image to whole numbers and back",
    points=3,
    difficulty=3,
    minutes=25,
    reference=reference,
    needs=("nearest_code",),
    hints=(
        "**Principle.** The encoder gives a small picture whose pixels are vectors. Each vector is "
        "replaced by the number of its nearest code, so that an image becomes a map of whole "
        "numbers: this is all that is stored or sent. The receiver has the codebook and the "
        "decoder, looks every number up and decodes. What you reconstruct while you still have "
        "the encoder's output must be the same, bit for bit; so it may depend on the encoder only "
        "through the numbers. The straight-through formula gives the code's value up to rounding. "
        "That is fine in training, and not exact.",
        "**Place.** The networks put the channels second, (N, M, H, W), as convolutions do. The "
        "codebook has its M values last. So the channels must move to the end before you look for "
        "the nearest code, with `permute(0, 2, 3, 1)`, and back to the second place after the "
        "look-up, with `permute(0, 3, 1, 2)`. Do not use `reshape` or `view` for that: they keep "
        "the order in memory and only count it off anew, so that a vector would be made of "
        "neighbouring pixels of one channel. `codebook[codes]` works for a map of indices of any "
        "shape, and puts the M values last.",
        "**Nearly the code.**\n\n"
        "```python\n"
        "z_e = encode(x).permute(...)                # (N, H, W, M)\n"
        "codes = nearest_code(z_e, codebook)         # (N, H, W)\n"
        "z_q = codebook[codes].permute(...)          # (N, M, H, W)\n"
        "return codes, decode(z_q)\n"
        "```\n\n"
        "Each gap is four numbers: the old places of the axes in their new order. Read "
        "`permute(0, 2, 3, 1)` as: first what was at 0, then what was at 2, at 3, and last what "
        "was at 1, the channels. Test yourself with an encoder that does nothing and images made "
        "of codes, `codebook[codes].permute(0, 3, 1, 2)`: you must get these very codes back, also "
        "when height, width and M differ. When all three agree, a wrong order raises no error.",
    ),
)


def _draw_networks(rng: np.random.Generator, sizes: tuple[int, ...]) -> tuple[Network, Network]:
    """An encoder (N, D) -> (N, M, H, W) and a decoder (N, M, H, W) -> (N, M, H, W)."""
    latent_dim, height, width, dim = sizes
    weight = torch.from_numpy(rng.normal(size=(dim, latent_dim * height * width)))
    place = torch.from_numpy(rng.normal(size=(latent_dim, height, width)))

    def encode(x: Tensor) -> Tensor:
        return (x.double() @ weight).to(x.dtype).reshape(-1, latent_dim, height, width)

    def decode(z: Tensor) -> Tensor:
        if z.ndim != 4 or tuple(z.shape[1:]) != (latent_dim, height, width):
            raise ValueError(
                f"decode got the shape {tuple(z.shape)}; it takes (N, {latent_dim}, {height}, "
                f"{width}): M, then height and width"
            )
        z = z.contiguous()
        return z * place.to(z.dtype) + 0.5 * z * z

    return encode, decode


def _draw(rng: np.random.Generator, num_points: int, num_codes: int, *sizes: int) -> tuple:
    latent_dim, _, _, dim = sizes
    encode, decode = _draw_networks(rng, sizes)
    return (
        encode,
        decode,
        draw_codebook(rng, num_codes, latent_dim),
        draw_points(rng, num_points, dim),
    )


def _ask(candidate: Candidate, problem: tuple) -> tuple:
    encode, decode, codebook, x = problem
    found = candidate.call(Oracle(encode), Oracle(decode), codebook, x)
    return tuple(expect.items(found, 2, "what vq_vae_round_trip gives"))


SIZES = (4, 7, 3, 4, 2, 5), (2, 9, 2, 2, 5, 3), (1, 5, 4, 3, 3, 4), (3, 6, 3, 3, 3, 3)


def _name(sizes: tuple[int, ...]) -> str:
    return f"for N, K, M, H, W = {', '.join(map(str, sizes[:5]))}"


@VQ_VAE_ROUND_TRIP.check
def codes_are_the_nearest(candidate: Candidate, rng: np.random.Generator) -> None:
    """The codes are the nearest ones of the encoder's vectors, (N, H, W), place by place."""
    for sizes in SIZES:
        problem = _draw(rng, *sizes)
        codes, _ = _ask(candidate, problem)
        right, _ = reference(*problem)
        same_indices(codes, right, sizes[1], f"the codes {_name(sizes)}")


@VQ_VAE_ROUND_TRIP.check
def reconstruction_is_decoded_from_the_codes(
    candidate: Candidate, rng: np.random.Generator
) -> None:
    """The reconstruction is what the decoder gives for the codebook's vectors at these codes."""
    for sizes in SIZES:
        problem = _draw(rng, *sizes)
        _, x_hat = _ask(candidate, problem)
        _, right = reference(*problem)
        expect.close(x_hat, right, f"the reconstruction {_name(sizes)}")


@VQ_VAE_ROUND_TRIP.check
def images_made_of_codes_return(candidate: Candidate, rng: np.random.Generator) -> None:
    """Codes that are decoded and encoded again come back, with an encoder that does nothing."""
    codebook = draw_codebook(rng, 8, 3).float()
    codes = torch.from_numpy(rng.integers(0, 8, size=(2, 4, 5)))
    x = codebook[codes].permute(0, 3, 1, 2).contiguous()
    found, x_hat = _ask(candidate, (lambda x: x, lambda z: z, codebook, x))
    same_indices(found, codes, 8, "the codes of images made of codes, in single precision,")
    expect.close(x_hat, x.double(), "the reconstruction of images made of codes")


@VQ_VAE_ROUND_TRIP.edge_check
def the_receiver_gets_the_same_bits(candidate: Candidate, rng: np.random.Generator) -> None:
    """What is decoded from the codes alone is the reconstruction, bit for bit."""
    for sizes in SIZES[:2]:
        problem = _draw(rng, *sizes)
        _, decode, codebook, _ = problem
        codes, x_hat = _ask(candidate, problem)
        same_indices(codes, reference(*problem)[0], sizes[1], "the codes")
        received = decode(codebook[codes.long()].permute(0, 3, 1, 2))
        expect.close(x_hat, received, "the reconstruction beside the one of a receiver")
        different = int((x_hat != received).sum())
        expect.true(
            different == 0,
            f"{different} of {received.numel()} values differ in the last digits from what a "
            "receiver decodes who has the codes and the codebook; decode the vectors that you "
            "looked up, as they are",
        )
