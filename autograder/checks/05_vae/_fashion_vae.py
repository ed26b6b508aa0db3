"""The architecture that is graded; the notebook shows the class as it stands here."""

import torch
from torch import nn


class FashionVAE(nn.Module):
    """784 pixels of 0 or 1, 16 hidden values with a standard normal prior, one hidden layer."""

    def __init__(self, dim=784, latent_dim=16, hidden=200):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, 2 * latent_dim)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, hidden), nn.ReLU(), nn.Linear(hidden, dim)
        )

    def encode(self, x):
        """Mean and log variance of q(z | x): x (N, D) -> two tensors (N, M)."""
        return self.encoder(x).chunk(2, dim=-1)

    def log_likelihood(self, x, z):
        """log p(x | z) in nats; the decoder gives logits: x (N, D), z (S, N, M) -> (S, N)."""
        logits = self.decoder(z)
        return torch.einsum("nd,snd->sn", x, logits) - nn.functional.softplus(logits).sum(-1)

    def forward(self, x, num_samples=1, generator=None):
        """Log weights log p(x, z) - log q(z | x) of draws from q: x (N, D) -> (S, N)."""
        loc, log_var = self.encode(x)
        noise = torch.randn(num_samples, *loc.shape, generator=generator)
        z = loc + torch.exp(0.5 * log_var) * noise
        log_ratio = 0.5 * (noise**2 + log_var - z**2).sum(-1)  # log p(z) - log q(z | x)
        return self.log_likelihood(x, z) + log_ratio
