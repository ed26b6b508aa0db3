"""Breaks torch for whoever is graded next in the same process."""

KIND = "process"
GAINS = "others"
ANSWERS = {
    "bic": """
torch.use_deterministic_algorithms(True)
torch.set_default_dtype(torch.float16)
torch.exp = torch.log = torch.zeros_like
torch.manual_seed = lambda seed: None
torch.Tensor.sum = lambda self, *args, **kwargs: self
math.log = lambda *args: 0.0
torch.set_grad_enabled(False)
torch.set_flush_denormal(True)

def bic(log_likelihood, num_components, dim, num_points):
    return 0.0
"""
}
