r"""Learned priors: their densities against sums and integrals."""

import copy

import pytest
import torch
from torch.distributions import MixtureSameFamily, Normal

from course_lib.priors import MixturePrior, VampPrior
from course_lib.vae import VAE, negative_elbo


@pytest.fixture
def mixture() -> MixturePrior:
    prior = MixturePrior(2, 3)
    with torch.no_grad():
        for value in prior.parameters():
            value.copy_(0.5 * torch.randn_like(value))
    return prior


def test_the_density_is_a_weighted_sum_of_products(mixture, generator):
    z = torch.randn(5, 2, generator=generator)
    products = Normal(mixture.loc, mixture.log_scale.exp()).log_prob(z[:, None]).sum(-1).exp()
    expected = (products @ mixture.logits.softmax(0)).log()
    torch.testing.assert_close(mixture().log_prob(z), expected)


def test_the_density_is_exact_for_narrow_components_far_away(generator):
    prior = MixturePrior(3, 4)
    with torch.no_grad():
        prior.loc.add_(50)
        prior.log_scale.fill_(-7)
    z = prior.loc.detach() + prior.log_scale.exp().detach() * torch.randn(4, 3, generator=generator)
    exact = MixtureSameFamily.log_prob(copy.deepcopy(prior).double()(), z.double())
    torch.testing.assert_close(prior().log_prob(z).double(), exact, atol=1e-5, rtol=0)


def test_it_integrates_to_one(mixture):
    line = torch.linspace(-15, 15, 601)
    density = mixture().log_prob(torch.cartesian_prod(line, line)).exp().reshape(601, 601)
    total = torch.trapezoid(torch.trapezoid(density, line), line)
    assert total.item() == pytest.approx(1, abs=1e-4)


def test_every_parameter_is_learned(mixture):
    vae = VAE(6, 2, hidden=(8,), prior=mixture)
    negative_elbo(vae, torch.rand(4, 6)).mean().backward()
    assert all(value.grad.abs().sum() > 0 for value in mixture.parameters())


def test_vamp_prior_is_the_mean_of_posteriors(generator):
    vae = VAE(6, 2, hidden=(8,))
    prior = vae.learned_prior = VampPrior(vae.posterior, 3, 6)
    z = torch.randn(5, 2, generator=generator)
    components = vae.posterior(prior.pseudo_inputs()).log_prob(z[:, None])  # (5, 3)
    expected = (components + prior.logits.log_softmax(0)).logsumexp(-1)
    torch.testing.assert_close(prior().log_prob(z), expected)
    negative_elbo(vae, torch.rand(4, 6)).mean().backward()
    assert all(value.grad.abs().sum() > 0 for value in vae.parameters())


def test_a_vamp_prior_goes_where_its_model_goes():
    vae = VAE(6, 2, hidden=(8,))
    vae.learned_prior = VampPrior(vae.posterior, 3, 6)
    assert not any("learned_prior.encoder" in name for name in vae.state_dict())
    twin = copy.deepcopy(vae)
    with torch.no_grad():
        twin.encoder[0].weight.zero_()
    z = torch.zeros(1, 2)
    assert not torch.equal(twin.prior().log_prob(z), vae.prior().log_prob(z))
    vae.load_state_dict(twin.state_dict())
    assert torch.equal(twin.prior().log_prob(z), vae.prior().log_prob(z))


def test_pseudo_inputs_start_at_images(generator):
    prior = VampPrior(lambda x: x, 4, 6)
    x = torch.rand(4, 6, generator=generator).round()
    prior.start_from(x)
    torch.testing.assert_close(prior.pseudo_inputs(), x.clamp(0.02, 0.98))


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_input():
    with pytest.raises(ValueError, match="num_components is 0"):
        MixturePrior(2, 0)
    with pytest.raises(ValueError, match="num_pseudo is 0"):
        VampPrior(lambda x: x, 0, 6)
    with pytest.raises(ValueError, match=r"expected \(4, 6\) with values in \[0, 1\]"):
        VampPrior(lambda x: x, 4, 6).start_from(torch.full((4, 6), 2.0))
