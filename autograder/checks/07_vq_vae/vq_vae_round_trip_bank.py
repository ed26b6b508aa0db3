"""Wrong and right answers to `vq_vae_round_trip`."""

import torch

from ._codes import brute_force
from .vq_vae_round_trip import VQ_VAE_ROUND_TRIP, reference

misconception = VQ_VAE_ROUND_TRIP.misconception
variant = VQ_VAE_ROUND_TRIP.variant


def _last(z):
    return z.permute(0, 2, 3, 1)


def _second(z):
    return z.permute(0, 3, 1, 2)


def _close_to_right(call):
    """Whether a call without an error gave the right answer, up to rounding."""
    encode, decode, codebook, x = (getattr(a, "function", a) for a in call.args)
    codes, x_hat = reference(encode, decode, codebook, x)
    return torch.equal(call.value[0].long(), codes) and torch.allclose(
        call.value[1].double(), x_hat.double(), rtol=1e-4, atol=1e-5
    )


@misconception(
    "You count the channels off with `reshape` where they have to be moved. A vector is then made "
    "of neighbouring pixels of one channel: `permute(0, 2, 3, 1)`, and back."
)
def reshaped(encode, decode, codebook, x):
    z_e = encode(x)
    n, m, h, w = z_e.shape
    codes = brute_force(z_e.reshape(n, h, w, m), codebook)
    return codes, decode(codebook[codes].reshape(n, m, h, w))


@misconception(
    "The codes are right, but the way back is a `reshape`, which mixes channels and pixels: "
    "`permute(0, 3, 1, 2)`."
)
def reshaped_back(encode, decode, codebook, x):
    z_e = encode(x)
    codes = brute_force(_last(z_e), codebook)
    return codes, decode(codebook[codes].reshape(z_e.shape))


@misconception(
    "You move the channels back in the wrong order: height and width are exchanged in what the "
    "decoder gets."
)
def height_and_width_exchanged(encode, decode, codebook, x):
    codes = brute_force(_last(encode(x)), codebook)
    z_q = codebook[codes].permute(0, 3, 2, 1)
    return codes, decode(z_q if z_q.shape[2] == codes.shape[1] else z_q.reshape(_shape(codes, z_q)))


def _shape(codes, z_q):
    return len(codes), z_q.shape[1], *codes.shape[1:]


@misconception(
    "Height and width are exchanged in your codes: a map is (N, H, W), and (0, 2, 3, 1) keeps that "
    "order."
)
def codes_transposed(encode, decode, codebook, x):
    codes, x_hat = reference(encode, decode, codebook, x)
    return codes.mT.contiguous(), x_hat


@misconception(
    "You decode what the encoder said, unquantised. The reconstruction may depend on the image "
    "through the codes only."
)
def not_quantised(encode, decode, codebook, x):
    z_e = encode(x)
    return brute_force(_last(z_e), codebook), decode(z_e)


@misconception(
    "Right up to rounding, and not bit for bit: z_e + (z_q − z_e) is not exactly z_q. Decode the "
    "vectors that you looked up.",
    sign=lambda calls: (
        all(call.error is None and _close_to_right(call) for call in calls)
        and calls[0].value[1].dtype == torch.float64
    ),
)
def straight_through_rounds(encode, decode, codebook, x):
    z_e = encode(x)
    codes, _ = reference(encode, decode, codebook, x)
    z_q = _second(codebook[codes])
    return codes, decode(z_e + (z_q - z_e))


@misconception(
    "Your reconstruction is right to single precision only: decode in the precision of the "
    "codebook, or a receiver gets other bits.",
    sign=lambda calls: (
        all(call.error is None and _close_to_right(call) for call in calls)
        and calls[0].value[1].dtype == torch.float32
    ),
)
def in_single_precision(encode, decode, codebook, x):
    codes, _ = reference(encode, decode, codebook, x)
    return codes, decode(_second(codebook[codes]).float()).float()


@misconception(
    "You decode the middle between the encoder's vectors and the codes. A receiver has the codes "
    "only."
)
def half_quantised(encode, decode, codebook, x):
    z_e = encode(x)
    codes = brute_force(_last(z_e), codebook)
    return codes, decode((_second(codebook[codes]) + z_e) / 2)


@misconception("You decode the codes of the first image for all of them.")
def first_image_for_all(encode, decode, codebook, x):
    codes = brute_force(_last(encode(x)), codebook)
    return codes, decode(_second(codebook[codes[:1].expand_as(codes)]))


@misconception(
    "You decode the indices as if they were values. Look the vectors up first: `codebook[codes]`."
)
def indices_decoded(encode, decode, codebook, x):
    z_e = encode(x)
    codes = brute_force(_last(z_e), codebook)
    return codes, decode(codes[:, None].to(z_e.dtype).expand_as(z_e).contiguous())


@misconception("Your codes start at 1. They are indices of the codebook: 0 to K − 1.")
def one_based(encode, decode, codebook, x):
    codes, x_hat = reference(encode, decode, codebook, x)
    return codes + 1, x_hat


@misconception("You flattened the map of codes. It has the shape (N, H, W).")
def flattened(encode, decode, codebook, x):
    codes, x_hat = reference(encode, decode, codebook, x)
    return codes.flatten(), x_hat


@misconception("You flattened each map of codes, (N, H·W). Keep height and width: (N, H, W).")
def rows_of_codes(encode, decode, codebook, x):
    codes, x_hat = reference(encode, decode, codebook, x)
    return codes.flatten(1), x_hat


@misconception("Your codes have an axis too many, (N, 1, H, W). They have the shape (N, H, W).")
def channel_kept(encode, decode, codebook, x):
    codes, x_hat = reference(encode, decode, codebook, x)
    return codes[:, None], x_hat


@misconception(
    "You give every image one code, the nearest of its mean vector. Each place of the map has a "
    "code of its own."
)
def one_code_per_image(encode, decode, codebook, x):
    z_e = encode(x)
    code = brute_force(z_e.mean((2, 3)), codebook)
    codes = code[:, None, None].expand(-1, *z_e.shape[2:]).contiguous()
    return codes, decode(_second(codebook[codes]))


@misconception("You take the farthest code at every place. The nearest: `argmin`.")
def farthest(encode, decode, codebook, x):
    codes = (_last(encode(x))[..., None, :] - codebook).square().sum(-1).argmax(-1)
    return codes, decode(_second(codebook[codes]))


@misconception(
    "You take the code with the largest product, which prefers long codes. Nearest means the "
    "distance."
)
def largest_product(encode, decode, codebook, x):
    codes = (_last(encode(x)) @ codebook.T).argmax(-1)
    return codes, decode(_second(codebook[codes]))


@misconception("You return codes and reconstruction in the wrong order: the codes come first.")
def order_exchanged(encode, decode, codebook, x):
    return reference(encode, decode, codebook, x)[::-1]


@misconception(
    "You return the quantised map. Asked for is the image: what the decoder makes of it."
)
def not_decoded(encode, decode, codebook, x):
    codes, _ = reference(encode, decode, codebook, x)
    return codes, _second(codebook[codes]).contiguous()


@misconception("You return the vectors, (N, H, W, M), where the indices are asked for, (N, H, W).")
def vectors_for_codes(encode, decode, codebook, x):
    codes, x_hat = reference(encode, decode, codebook, x)
    return codebook[codes], x_hat


@misconception("You return the reconstruction alone. The codes come first, then the image.")
def codes_missing(encode, decode, codebook, x):
    return reference(encode, decode, codebook, x)[1]


@variant
def with_flat_points(encode, decode, codebook, x):
    z_e = encode(x)
    n, m, h, w = z_e.shape
    flat = z_e.permute(0, 2, 3, 1).reshape(-1, m)
    codes = torch.cdist(flat, codebook).argmin(1)
    z_q = codebook.index_select(0, codes).view(n, h, w, m).permute(0, 3, 1, 2).contiguous()
    return codes.view(n, h, w), decode(z_q)


@variant
def with_movedim(encode, decode, codebook, x):
    codes = brute_force(encode(x).movedim(1, -1), codebook)
    return [codes, decode(torch.nn.functional.embedding(codes, codebook).movedim(-1, 1))]


@variant
def image_by_image(encode, decode, codebook, x):
    pairs = [reference(encode, decode, codebook, one[None]) for one in x]
    return torch.cat([p[0] for p in pairs]), torch.cat([p[1] for p in pairs])


@variant
def channels_kept_second(encode, decode, codebook, x):
    z_e = encode(x)
    distances = (z_e[:, None] - codebook[None, :, :, None, None]).square().sum(2)
    codes = distances.argmin(1)
    return codes, decode(codebook.T[:, codes].movedim(0, 1))


@variant
def straight_through_exactly(encode, decode, codebook, x):
    z_e = encode(x)
    codes = brute_force(_last(z_e), codebook)
    z_q = _second(codebook[codes])
    return codes, decode(z_q + (z_e - z_e))
