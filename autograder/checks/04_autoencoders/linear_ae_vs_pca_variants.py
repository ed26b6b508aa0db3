"""Right answers to `linear_ae_vs_pca` that train, or do not train, in other ways."""

import torch

from .linear_ae_vs_pca import angles, plane_of
from .linear_ae_vs_pca_training_bank import LINEAR_AE_VS_PCA

__all__ = ["LINEAR_AE_VS_PCA"]


@LINEAR_AE_VS_PCA.variant
def by_adam(x, latent_dim, generator):
    encoder, decoder = (
        (0.3 * torch.randn(*shape, generator=generator, dtype=x.dtype)).requires_grad_()
        for shape in ((latent_dim, x.shape[1]), (x.shape[1], latent_dim))
    )
    bias = x.mean(0).clone().requires_grad_()
    optimiser = torch.optim.Adam([encoder, decoder, bias], lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 600)
    for _ in range(600):
        loss = ((x - bias) @ encoder.T @ decoder.T + bias - x).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    error = ((x - bias) @ encoder.T @ decoder.T + bias - x).square().mean()
    directions, pca_error = plane_of(x, latent_dim)
    cosines = torch.linalg.svdvals(torch.linalg.qr(decoder)[0].T @ directions)
    angle = torch.rad2deg(torch.acos(cosines.clamp(max=1)))[-1]
    return decoder, angle, error, pca_error


@LINEAR_AE_VS_PCA.variant
def by_lbfgs_with_layers(x, latent_dim, generator):
    encoder = torch.nn.Linear(x.shape[1], latent_dim, dtype=x.dtype)
    decoder = torch.nn.Linear(latent_dim, x.shape[1], dtype=x.dtype)
    model = torch.nn.Sequential(encoder, decoder)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(0.3 * torch.randn(weight.shape, generator=generator, dtype=x.dtype))
    optimiser = torch.optim.LBFGS(
        model.parameters(), lr=1, max_iter=150, line_search_fn="strong_wolfe", tolerance_change=0
    )

    def closure():
        optimiser.zero_grad()
        loss = (model(x) - x).square().mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    directions, pca_error = plane_of(x, latent_dim)
    angle = angles(decoder.weight.detach(), directions)[-1]
    return decoder.weight, angle, float((model(x) - x).square().mean().detach()), float(pca_error)


@LINEAR_AE_VS_PCA.variant
def tied_weights(x, latent_dim, generator):
    """Oja's rule in full: decoder = encoder transposed."""
    mean = x.mean(0)
    decoder = torch.randn(x.shape[1], latent_dim, generator=generator, dtype=x.dtype)
    covariance = (x - mean).T @ (x - mean) / len(x)
    decoder = decoder / torch.linalg.matrix_norm(decoder, 2)
    for _ in range(400):
        pull = covariance @ decoder
        decoder = decoder + 0.1 * (
            2 * pull - decoder @ (decoder.T @ pull) - pull @ (decoder.T @ decoder)
        )
    error = ((x - mean) @ decoder @ decoder.T + mean - x).square().mean()
    directions, pca_error = plane_of(x, latent_dim)
    return [decoder, angles(decoder, directions)[-1], error, pca_error]


@LINEAR_AE_VS_PCA.variant
def by_the_covariance(x, latent_dim, generator):
    """PCA by eigh, and an autoencoder that starts at the answer, turned at random."""
    centred = x - x.mean(0)
    values, vectors = torch.linalg.eigh(centred.T @ centred / x.numel())
    basis = vectors[:, -latent_dim:]
    turn = torch.randn(latent_dim, latent_dim, generator=generator, dtype=x.dtype)
    error = (centred @ basis @ basis.T - centred).square().mean()
    return basis @ turn, 0.0, error, values[:-latent_dim].sum()


@LINEAR_AE_VS_PCA.variant
def loss_before_the_last_step(x, latent_dim, generator):
    """Adam without a schedule, and the loss of the last gradient."""
    mean = x.mean(0)
    encoder, decoder = (
        (0.1 * torch.randn(*shape, generator=generator, dtype=x.dtype)).requires_grad_()
        for shape in ((latent_dim, x.shape[1]), (x.shape[1], latent_dim))
    )
    optimiser = torch.optim.Adam([encoder, decoder], lr=0.02)
    for _ in range(600):
        loss = ((x - mean) @ encoder.T @ decoder.T + mean - x).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    directions, pca_error = plane_of(x, latent_dim)
    return decoder, angles(decoder.detach(), directions)[-1], loss.item(), pca_error
