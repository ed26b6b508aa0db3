"""Returns tensors without memory, with the wrong memory, sparse, quantised and of odd types."""

KIND = "channel"
GAINS = "stop"
ANSWERS = {
    "log_gaussian": """
def log_gaussian(x, loc, log_scale):
    return torch.zeros(len(x), dtype=x.dtype, device="meta")
""",
    "log_mixture": """
def log_mixture(x, logits, loc, log_scale):
    return torch.zeros(len(x), dtype=x.dtype).to_sparse()
""",
    "responsibilities": """
def responsibilities(x, logits, loc, log_scale):
    return torch.frombuffer(bytearray(8), dtype=torch.uint8).as_strided((10**9,), (0,))
""",
    "em_step": """
def em_step(x, weights, loc, covariance):
    nested = torch.nested.nested_tensor([weights, weights[:1]])
    return nested, loc.conj(), covariance.to(torch.complex128)
""",
}
