# %% [markdown]
# # 01 · Mixture models
#
# **What does a hidden variable buy?**
#
# Old Faithful is a geyser in Yellowstone. You get 272 of its eruptions, two numbers each: how long the eruption lasted,
# and how long you had to wait for the next one. There is something that nobody wrote down: eruptions come in two kinds.
# In this lecture you let a model invent that missing column. You then measure what the invention is worth: in nats, in
# samples that look right, and in minutes saved when you have to decide when to come back.
#
# Everything later in this course (variational autoencoders, VQ-VAE) is this lecture with a richer hidden variable.
#
# **When you have read this, you can**
#
# - show with numbers where a single Gaussian fails;
# - write down a mixture: its joint, its marginal, and the posterior of the hidden variable;
# - compute all three without underflow;
# - derive EM, run it step by step, and prove that it never loses likelihood;
# - fit the same model by gradient ascent, and say when to prefer which;
# - choose the number of components, and say how sure you are;
# - recognise a collapsed component, and prevent it;
# - turn a density into a decision with unequal costs;
# - see a deep latent variable model as a mixture with infinitely many components.
#
# You need: the Gaussian density, Bayes' rule, partial derivatives. Symbols follow the notation table in
# `lectures/README.md`. After almost every equation comes a cell that tests it.

# %%
import math
import os

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.mixture import GaussianMixture as SklearnMixture

from course_lib import mixture, plots
from course_lib.data import old_faithful
from course_lib.mixture import MixtureParams

FAST = os.environ.get("COURSE_FAST") == "1"  # smaller sizes, same code
_ = torch.set_num_threads(2)
torch.set_default_dtype(torch.float64)
plots.use_style()

# %% [markdown]
# ## 1 · The data
#
# Call eruption number $n$ $x_n$. It has $D = 2$ values: the duration $x_{n1}$ and the waiting time $x_{n2}$, both in
# minutes. There are $N = 272$ of them.

# %%
x = old_faithful()
N, D = x.shape
duration, waiting = x.T
print(f"{N} eruptions, {D} values each; the first: {duration[0]:.2f} min long, then {waiting[0]:.0f} min of waiting")

fig, ax = plt.subplots(figsize=(6, 3.8))
plots.draw_eruptions(ax, x)
_ = ax.set_title("Two clouds, and little between them")

# %% [markdown]
# Short eruptions are followed by short waits, long ones by long waits. The reason is underground. You do not see it.

# %% [markdown]
# ## 2 · One Gaussian
#
# The simplest model of two numbers is a single Gaussian with mean $\mu$ and covariance $\Sigma$. Its log-density is
#
# $$\log \mathcal N(x \mid \mu, \Sigma) = -\tfrac12 (x-\mu)^\top \Sigma^{-1} (x-\mu) - \tfrac12 \log|\Sigma| - \tfrac D2 \log 2\pi$$
#
# Test it against PyTorch's own.


# %%
def gaussian_log_density(points, loc, covariance):
    centred = points - loc
    mahalanobis_sq = (centred * torch.linalg.solve(covariance, centred.T).T).sum(-1)
    return -0.5 * (mahalanobis_sq + torch.logdet(covariance) + D * math.log(2 * math.pi))


some_loc, some_covariance = torch.tensor([3.0, 70.0]), torch.tensor([[1.0, 6.0], [6.0, 100.0]])
peer = torch.distributions.MultivariateNormal(some_loc, some_covariance).log_prob(x)
error = (gaussian_log_density(x, some_loc, some_covariance) - peer).abs().max()
assert error < 1e-10, "the formula and torch disagree"
print(f"largest difference: {error:.0e} nats")

# %% [markdown]
# **Fit it.** Choose the parameters $\theta = (\mu, \Sigma)$ that give the data the highest probability density. The
# log-likelihood is
#
# $$\ell(\theta) = \sum_{n} \log p_\theta(x_n)$$
#
# For one Gaussian its maximum is where you would guess, at the mean and the covariance of the data:
#
# $$\begin{aligned} \hat\mu &= \frac1N \sum_n x_n \\ \hat\Sigma &= \frac1N \sum_n (x_n - \hat\mu)(x_n - \hat\mu)^\top \end{aligned}$$
#
# At a maximum the gradient is zero. Let autograd check.

# %%
loc = x.mean(0)
covariance = (x - loc).T @ (x - loc) / N
loc_free, covariance_free = loc.clone().requires_grad_(), covariance.clone().requires_grad_()
best_single = gaussian_log_density(x, loc_free, covariance_free).sum()
gradients = torch.autograd.grad(best_single, (loc_free, covariance_free))
assert all(g.abs().max() < 1e-8 for g in gradients), "this is not a stationary point"

single = MixtureParams(weights=torch.ones(1), loc=loc[None], covariance=covariance[None])
assert torch.isclose(mixture.log_likelihood(x, single), best_single)
print(f"mean: {loc[0]:.3f} min, {loc[1]:.3f} min")
print(f"log-likelihood of the best single Gaussian: {best_single:.4f} nats")

# %% [markdown]
# The library calls this a mixture of one component, so `single` is already in the form of everything that follows.
#
# **Look at it.** On the left are the data and the fit. On the right are the durations alone, with the fitted density.

# %%
GAP = (2.5, 3.5)  # minutes, between the two clouds
grid = torch.linspace(0, 7, 701)
normal = torch.distributions.Normal(loc[0], covariance[0, 0].sqrt())

fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
plots.draw_eruptions(left, x)
plots.draw_components(left, single)
left.set_title("The best Gaussian is centred on almost nothing")
right.hist(duration.numpy(), bins=np.arange(1.5, 5.3, 0.2), density=True, color=plots.DATA, label="272 eruptions")
right.plot(grid, normal.log_prob(grid).exp(), color=plots.COLOURS[2], label="one Gaussian")
right.axvspan(*GAP, color="black", alpha=0.08, label="the gap")
right.set(xlabel="duration (min)", ylabel="density (1/min)", title="It is highest where the data is rare")
_ = right.legend()

# %% [markdown]
# **Measure it.** How much probability does the model put into the gap, durations between 2.5 and 3.5 minutes? The exact
# distribution function answers. How many eruptions are there?

# %%
low, high = (torch.tensor(edge) for edge in GAP)
in_gap = (duration > low) & (duration < high)
gap_single = normal.cdf(high) - normal.cdf(low)
print(f"one Gaussian puts {gap_single:.1%} of its mass into the gap")
print(f"the data has {in_gap.sum()} of {N} eruptions there: {in_gap.double().mean():.1%}")
assert gap_single > 5 * in_gap.double().mean()

# %% [markdown]
# The same in two dimensions: count eruptions in three boxes of the same size, one on each cloud and one halfway between
# them. Integrate the model's density over each box on a fine grid.

# %%
PLACES = {"on the short cloud": (2.0, 54.0), "halfway between": (3.15, 67.0), "on the long cloud": (4.3, 80.0)}
HALF_BOX = torch.tensor([0.4, 5.0])  # minutes
offsets = torch.linspace(-1, 1, 102)[1:-1]
box = torch.cartesian_prod(offsets, offsets) * HALF_BOX


def expected_in_box(params, centre):
    mean_density = mixture.log_density(torch.tensor(centre) + box, params).exp().mean()
    return (N * mean_density * (2 * HALF_BOX).prod()).item()


def seen_in_box(centre):
    return int(((x - torch.tensor(centre)).abs() < HALF_BOX).all(-1).sum())


print(f"{'a box of 0.8 min × 10 min …':28} {'seen':>5} {'one Gaussian expects':>21}")
for place, centre in PLACES.items():
    print(f"{'… ' + place:28} {seen_in_box(centre):5d} {expected_in_box(single, centre):21.1f}")
assert seen_in_box(PLACES["halfway between"]) < 0.2 * expected_in_box(single, PLACES["halfway between"])

# %% [markdown]
# The model expects the most eruptions where there are the fewest. No choice of $\mu$ and $\Sigma$ mends this: a Gaussian
# has one hill. You need a better idea, not a better fit.

# %% [markdown]
# ## 3 · A hidden variable
#
# ### The story
#
# Suppose each eruption has a kind, $z_n \in \{1, \dots, K\}$. You never see it. Nature first draws the kind with
# probabilities $\pi_k$ (non-negative, together 1). Then she draws the eruption from the Gaussian of that kind:
#
# $$\begin{aligned} p(z = k) &= \pi_k \\ p(x \mid z = k) &= \mathcal N(x \mid \mu_k, \Sigma_k) \\ p(x, z = k) &= \pi_k\, \mathcal N(x \mid \mu_k, \Sigma_k) \end{aligned}$$
#
# The last line is the **joint**, prior times likelihood. You see only $x$, so you sum the kind out. That gives the
# **marginal**, a mixture of Gaussians:
#
# $$p(x) = \sum_{k} p(x, z = k) = \sum_{k} \pi_k\, \mathcal N(x \mid \mu_k, \Sigma_k)$$
#
# Before you fit anything, guess the parameters by eye from the first picture.

# %%
guess = MixtureParams(
    weights=torch.tensor([0.35, 0.65]),
    loc=torch.tensor([[2.0, 54.0], [4.3, 80.0]]),
    covariance=torch.diag(torch.tensor([0.4**2, 6.0**2])).repeat(2, 1, 1),
)
components = [gaussian_log_density(x, guess.loc[k], guess.covariance[k]).exp() for k in range(2)]
joint = torch.stack([guess.weights[k] * components[k] for k in range(2)], -1)  # (N, K)
marginal = joint.sum(-1)  # (N,)
assert torch.allclose(joint.log(), mixture.log_joint(x, guess))
assert torch.allclose(marginal.log(), mixture.log_density(x, guess))

cell = torch.cartesian_prod(torch.linspace(0, 7, 281), torch.linspace(20, 120, 401))
area = (7 / 280) * (100 / 400)
total = mixture.log_density(cell, guess).exp().sum() * area
assert abs(total - 1) < 1e-6, "a density must integrate to one"
print(f"the guess integrates to {total:.6f}")
print(f"log-likelihood of the guess: {marginal.log().sum():.2f} nats, of the best single Gaussian: {best_single:.2f}")

# %% [markdown]
# A guess made in ten seconds beats the *best* single Gaussian by more than a hundred nats.
#
# ### Which kind was it? Responsibilities
#
# You saw $x_n$. How probable is each kind now? Bayes' rule divides the joint by the marginal. The result is called the
# **responsibility** of component $k$ for eruption $n$:
#
# $$r_{nk} = p(z_n = k \mid x_n) = \frac{p(x_n, z_n = k)}{p(x_n)} = \frac{\pi_k\, \mathcal N(x_n \mid \mu_k, \Sigma_k)}{\sum_j \pi_j\, \mathcal N(x_n \mid \mu_j, \Sigma_j)}$$
#
# One row per eruption, one column per kind, and every **row** sums to one.

# %%
resp = joint / marginal[:, None]
assert torch.allclose(resp.sum(1), torch.ones(N)), "each eruption shares out exactly one unit of responsibility"
assert torch.allclose(resp * marginal[:, None], joint), "posterior × marginal = joint"
assert torch.allclose(resp, mixture.responsibilities(x, guess))
print(f"eruptions that the guess is not sure about (both kinds above 5 %): {(resp.min(1).values > 0.05).sum()} of {N}")
print(f"eruptions of each kind, counted softly: {resp.sum(0)[0]:.1f} and {resp.sum(0)[1]:.1f}")

# %%
lines = torch.linspace(1, 5.5, 451)
pieces = torch.stack(
    [w * torch.distributions.Normal(m, s).log_prob(lines).exp()
     for w, m, s in zip(guess.weights, guess.loc[:, 0], guess.covariance[:, 0, 0].sqrt(), strict=True)]
)  # (K, points): the joint of z and the duration alone

fig, axes = plt.subplot_mosaic([["joint", "plane"], ["posterior", "plane"]], figsize=(9.5, 4.4))
for k, colour in enumerate(plots.COLOURS[:2]):
    axes["joint"].fill_between(lines, pieces[k], alpha=0.35, color=colour, label=f"joint, $z={k + 1}$")
    axes["posterior"].plot(lines, pieces[k] / pieces.sum(0), color=colour, label=f"$p(z={k + 1}\\mid$duration$)$")
axes["joint"].plot(lines, pieces.sum(0), color="black", linewidth=1.2, label="marginal")
axes["joint"].set(ylabel="density (1/min)", title="The joint has one hill for each kind")
axes["posterior"].set(xlabel="duration (min)", ylabel="probability", title="The posterior divides it by the sum")
plots.draw_eruptions(axes["plane"], x, resp=resp)
axes["plane"].set_title("Every eruption shares out one unit")
for name in ("joint", "posterior"):
    axes[name].legend(fontsize=8)

# %% [markdown]
# ### Do it in logarithms
#
# Densities are products of many small numbers. Suppose a ranger types 540 for a waiting time of 54 minutes. In 32-bit
# floats, the usual format for neural networks, the formulas above break.

# %%
typo = torch.tensor([[1.9, 540.0]])
log_joint_32 = mixture.log_joint(typo, guess).float()
naive_joint = log_joint_32.exp()
print(f"log joint densities:        {log_joint_32[0].tolist()}")
print(f"naive densities:            {naive_joint[0].tolist()}")
print(f"naive log of the sum:       {naive_joint.sum().log().item()}")
print(f"naive responsibilities:     {(naive_joint / naive_joint.sum())[0].tolist()}")
print(f"smallest positive float32:  exp({math.log(torch.finfo(torch.float32).smallest_normal * 2.0**-23):.2f})")
print(f"product of 272 densities in float64: exp({best_single:.0f}) = {best_single.exp().item()}")

# %% [markdown]
# Below $e^{-103}$ a float32 is zero. Then $\log 0 = -\infty$ and $0/0$ is not a number. Even float64 cannot hold the
# likelihood of the whole data set. So you never leave the logarithm. Take out the largest term first:
#
# $$\log \sum_k e^{a_k} = a_{\max} + \log \sum_k e^{a_k - a_{\max}}, \qquad a_{\max} = \max_k a_k$$
#
# The largest term in the sum is now $e^0 = 1$. Nothing overflows, and what underflows does not matter. A softmax does the
# same for the responsibilities.


# %%
def log_sum_exp(a):
    largest = a.max(-1, keepdim=True).values
    return largest.squeeze(-1) + (a - largest).exp().sum(-1).log()


safe = log_sum_exp(log_joint_32)
assert torch.allclose(safe, torch.logsumexp(log_joint_32, -1))
moderate = torch.tensor([[-1.0, 0.5, 2.0]])
assert torch.allclose(log_sum_exp(moderate), moderate.exp().sum(-1).log()), "same value where the naive form works"
assert torch.allclose(log_sum_exp(moderate - 1000) + 1000, log_sum_exp(moderate)), "a shift passes through"
print(f"safe log density of the typo:     {safe.item():.1f} nats")
print(f"safe responsibilities:            {[round(r, 4) for r in torch.softmax(log_joint_32, -1)[0].tolist()]}")

# %% [markdown]
# ## 4 · EM: learn from data that is half missing
#
# ### A chicken and an egg
#
# If you knew the kinds $z_n$, fitting would be easy: split the eruptions by kind, and take the share, the mean and the
# covariance of each group. If you knew the parameters, finding the kinds would be easy: that is Bayes' rule. You know
# neither. Expectation maximisation (EM) guesses one, computes the other, and goes round.
#
# ### The one derivative you need
#
# Take any parameter $\theta$ of the model. Differentiate the log of the sum:
#
# $$\frac{\partial}{\partial\theta} \log p(x_n) = \frac{\sum_k \frac{\partial}{\partial\theta}\, p(x_n, z_n = k)}{p(x_n)} = \sum_k r_{nk}\, \frac{\partial}{\partial\theta} \log p(x_n, z_n = k)$$
#
# The second step uses $\partial p = p\, \partial \log p$. In words: the gradient with a hidden variable is the gradient
# without one, **averaged over the posterior**. Test it with autograd. On the right-hand side the responsibilities are
# plain numbers, without gradient.

# %%
moving = guess.loc.clone().requires_grad_()
params = MixtureParams(weights=guess.weights, loc=moving, covariance=guess.covariance)
left_side = torch.autograd.grad(mixture.log_likelihood(x, params), moving)[0]
right_side = torch.autograd.grad((resp * mixture.log_joint(x, params)).sum(), moving)[0]
assert torch.allclose(left_side, right_side), "the posterior average of gradients is the gradient"
print("gradient in the means, both ways:", [[round(v, 2) for v in row] for row in left_side.tolist()])

# %% [markdown]
# ### Set it to zero
#
# **Means.** The derivative of $\log \mathcal N(x_n \mid \mu_k, \Sigma_k)$ in $\mu_k$ is $\Sigma_k^{-1}(x_n - \mu_k)$. So
#
# $$\frac{\partial \ell}{\partial \mu_k} = \sum_n r_{nk}\, \Sigma_k^{-1} (x_n - \mu_k)$$
#
# Set it to zero with the responsibilities held fixed, and write $N_k = \sum_n r_{nk}$ for the number of eruptions that
# component $k$ explains. You get a weighted mean. The same steps for $\Sigma_k$ give a weighted covariance.
#
# **Weights.** They must sum to one, so you need a Lagrange multiplier $\lambda$. Only $\log \pi_k$ matters here:
#
# $$\frac{\partial}{\partial \pi_k} \Big[ \sum_k N_k \log \pi_k + \lambda \big(1 - \sum_k \pi_k\big) \Big] = \frac{N_k}{\pi_k} - \lambda = 0 \quad\Rightarrow\quad \pi_k = \frac{N_k}{\lambda}$$
#
# Sum over $k$: the left side is 1. On the right, $\sum_k N_k = N$, because each eruption shares out one unit. So
# $\lambda = N$. All together, this is the **M-step**:
#
# $$\begin{aligned} \pi_k &= \frac{N_k}{N} \\ \mu_k &= \frac{1}{N_k} \sum_n r_{nk}\, x_n \\ \Sigma_k &= \frac{1}{N_k} \sum_n r_{nk}\, (x_n - \mu_k)(x_n - \mu_k)^\top \end{aligned}$$
#
# And the **E-step** computes $r_{nk}$. Here are both, in six lines.


# %%
def em_step(x, weights, loc, covariance):
    params = MixtureParams(weights=weights, loc=loc, covariance=covariance)
    resp = torch.softmax(mixture.log_joint(x, params), -1)  # E-step, (N, K)
    counts = resp.sum(0)  # N_k
    loc = resp.T @ x / counts[:, None]
    centred = x - loc[:, None]  # (K, N, D), around the new means
    covariance = (resp.T[..., None] * centred).mT @ centred / counts[:, None, None]
    return counts / len(x), loc, covariance


new = em_step(x, guess.weights, guess.loc, guess.covariance)
library = mixture.em_step(x, guess)
for ours, theirs in zip(new, (library.weights, library.loc, library.covariance), strict=True):
    assert torch.allclose(ours, theirs), "the library does the same"

# %% [markdown]
# Test the derivation. Start with the gradient in the means. Then check that the M-step really is a maximum: with the
# responsibilities fixed, the gradient of $\sum_n \sum_k r_{nk} \log p(x_n, z_n = k)$ must vanish at the new means and
# covariances. For the weights the derivative must be the multiplier, $N_k/\pi_k = \lambda = N$ for every $k$.

# %%
by_hand = torch.stack(
    [torch.linalg.solve(guess.covariance[k], (resp[:, k, None] * (x - guess.loc[k])).sum(0)) for k in range(2)]
)
assert torch.allclose(by_hand, left_side), "the gradient in the means"

free = [tensor.clone().requires_grad_() for tensor in new]
expected_log_joint = sum(
    (resp[:, k] * (free[0][k].log() + gaussian_log_density(x, free[1][k], free[2][k]))).sum() for k in range(2)
)
grad_weights, grad_loc, grad_covariance = torch.autograd.grad(expected_log_joint, free)
assert grad_loc.abs().max() < 1e-8, "the new means are stationary"
assert grad_covariance.abs().max() < 1e-8, "the new covariances are stationary"
assert torch.allclose(grad_weights, torch.full((2,), float(N))), "the multiplier is N"
print(f"derivative in the weights: {grad_weights[0]:.4f} and {grad_weights[1]:.4f}, so λ = N = {N}")

# %% [markdown]
# ### Watch it run
#
# Start badly on purpose: both components on the short cloud, both too wide. Every panel is one EM step.

# %%
start = MixtureParams(
    weights=torch.tensor([0.5, 0.5]),
    loc=torch.tensor([[2.0, 50.0], [2.2, 60.0]]),
    covariance=torch.diag(torch.tensor([1.0, 100.0])).repeat(2, 1, 1),
)
path, trace = [], []


def remember(step, params, log_likelihood):
    path.append(params)
    trace.append(log_likelihood.item())


fit = mixture.fit_em(x, start, callback=remember)
best = fit.params
best_double = trace[-1]
assert all(later >= earlier - 1e-9 for earlier, later in zip(trace, trace[1:], strict=False)), "EM lost likelihood"

fig, axes = plt.subplots(3, 3, figsize=(9.5, 7.6), sharex=True, sharey=True)
for step, ax in enumerate(axes.flat):
    plots.draw_eruptions(ax, x, resp=mixture.responsibilities(x, path[step]))
    plots.draw_components(ax, path[step])
    ax.set(xlim=(1, 5.6), ylim=(38, 100))
    ax.set_title(f"step {step}: $\\ell$ = {trace[step]:.1f}", fontsize=10)
    ax.label_outer()

# %% [markdown]
# At step 0 both components claim the same cloud, and the long eruptions hang on the tail of one of them. That tail pulls.
# By step 8 nothing moves that you could see. The colours were never told which eruption is which kind.

# %%
print("step  log-likelihood    gain")
for step in range(0, 12):
    gain = "" if step == 0 else f"{trace[step] - trace[step - 1]:9.4f}"
    print(f"{step:4d}  {trace[step]:13.4f}  {gain}")

# %% [markdown]
# ### Why the log-likelihood never falls
#
# The gain was positive in every step. That is no luck. Take **any** probabilities $q_n(k)$ for the hidden kinds. For each
# eruption, write $p(x_n) = p(x_n, z_n = k) / p(z_n = k \mid x_n)$, take the logarithm, add and subtract $\log q_n(k)$, and
# average over $q_n$:
#
# $$\ell(\theta) = \underbrace{\sum_n \sum_k q_n(k) \log \frac{p_\theta(x_n, z_n = k)}{q_n(k)}}_{\mathcal L(q, \theta)} + \sum_n \underbrace{\sum_k q_n(k) \log \frac{q_n(k)}{p_\theta(z_n = k \mid x_n)}}_{\mathrm{KL}(q_n \,\Vert\, p_\theta(z_n \mid x_n))}$$
#
# A KL divergence is never negative. So $\mathcal L(q, \theta)$ is a **lower bound** of the log-likelihood, for every $q$.
# Test the equation with a random $q$.


# %%
def bound(params, q):
    return torch.xlogy(q, mixture.log_joint(x, params).exp()).sum() - torch.xlogy(q, q).sum()


def kl_to_posterior(params, q):
    return (torch.xlogy(q, q) - q * mixture.responsibilities(x, params).log()).sum()


generator = torch.Generator().manual_seed(0)
random_q = torch.softmax(torch.randn(N, 2, generator=generator), -1)
lower, gap = bound(start, random_q), kl_to_posterior(start, random_q)
assert gap >= 0 and lower <= trace[0], "the bound is a bound"
assert torch.isclose(lower + gap, torch.tensor(trace[0])), "log-likelihood = bound + KL"
print(f"bound {lower:.4f} + KL {gap:.4f} = {lower + gap:.4f}; log-likelihood {trace[0]:.4f}")

# %% [markdown]
# Now EM is two moves that each raise the bound, or leave it:
#
# - **E-step**: choose $q_n = r_n$. The KL is zero, so the bound *touches* the log-likelihood.
# - **M-step**: keep $q$, move $\theta$ to the top of the bound. The log-likelihood lies above the bound, so it rises at
#   least as much. The KL opens again, and the next E-step closes it.
#
# $$\ell(\theta_{\mathrm{new}}) \ge \mathcal L(q, \theta_{\mathrm{new}}) \ge \mathcal L(q, \theta_{\mathrm{old}}) = \ell(\theta_{\mathrm{old}})$$

# %%
print("step   ℓ(old) − bound after E   bound after M − ℓ(old)   KL after M   sum = gain in ℓ")
for step in range(6):
    q = mixture.responsibilities(x, path[step])
    gap_after_e = trace[step] - bound(path[step], q)
    rise = bound(path[step + 1], q) - trace[step]
    kl_after_m = kl_to_posterior(path[step + 1], q)
    assert abs(gap_after_e) < 1e-8, "after the E-step the bound is tight"
    assert rise >= 0 and kl_after_m >= 0
    assert abs(trace[step + 1] - trace[step] - rise - kl_after_m) < 1e-8
    print(f"{step:4d} {abs(gap_after_e):24.4f} {rise:24.4f} {kl_after_m:12.4f} {rise + kl_after_m:17.4f}")

# %% [markdown]
# You can see it. Walk in a straight line from the parameters of step 2 ($\tau = 0$) to those of step 3 ($\tau = 1$) and
# on. Draw the log-likelihood and the two bounds.

# %%
FROM = 2
taus = torch.linspace(-0.4, 1.7, 85)


def between(tau):
    old, new = path[FROM], path[FROM + 1]
    return MixtureParams(
        weights=(1 - tau) * old.weights + tau * new.weights,
        loc=(1 - tau) * old.loc + tau * new.loc,
        covariance=(1 - tau) * old.covariance + tau * new.covariance,
    )


fig, ax = plt.subplots(figsize=(7, 3.8))
ax.plot(taus, [mixture.log_likelihood(x, between(t)) for t in taus], color="black", label="log-likelihood $\\ell$")
for place, colour in zip((0, 1), plots.COLOURS[:2], strict=True):
    q = mixture.responsibilities(x, between(torch.tensor(float(place))))
    bounds = torch.stack([bound(between(t), q) for t in taus])
    assert all(bounds <= torch.stack([mixture.log_likelihood(x, between(t)) for t in taus]) + 1e-9)
    ax.plot(taus, bounds, "--", color=colour, label=f"bound after the E-step at step {FROM + place}")
    ax.plot(place, trace[FROM + place], "o", color=colour)
ax.set(xlabel="τ, from step 2 (0) to step 3 (1)", ylabel="nats", title="Each bound touches the curve once; EM climbs to its top")
ax.set_ylim(trace[FROM] - 80, trace[FROM + 1] + 60)
_ = ax.legend()

# %% [markdown]
# The first bound has its top at $\tau = 1$: that is the M-step. There the second bound takes over.
#
# Remember $\mathcal L(q, \theta)$. Unit 03 calls it the **ELBO**. There $q$ will be a network's best guess, because the
# exact posterior will be out of reach. Here it costs one line.

# %% [markdown]
# ## 5 · The same hill by gradient ascent
#
# You can also maximise $\ell$ by gradient ascent. But weights must stay on the simplex, and covariances positive definite.
# So you move **free numbers** and map them: logits $\eta_k$ with $\pi = \mathrm{softmax}(\eta)$, and a lower triangular
# $L_k$ whose diagonal is an exponential, with $\Sigma_k = L_k L_k^\top$. `course_lib.mixture.GaussianMixture` does this.
#
# One gradient is worth knowing by heart. With the lemma of section 4 and $\partial \log \pi_j / \partial \eta_k = [j = k] - \pi_k$:
#
# $$\frac{\partial \ell}{\partial \eta_k} = \sum_n (r_{nk} - \pi_k)$$
#
# Posterior minus prior. It vanishes when the average responsibility equals the weight, $N_k/N = \pi_k$: the M-step again.

# %%
model = mixture.GaussianMixture.from_params(start)
model().log_prob(x).sum().backward()
resp = mixture.responsibilities(x, start)
assert torch.allclose(model.logits.grad, (resp - start.weights).sum(0)), "posterior minus prior"
print("autograd:", [round(g, 4) for g in model.logits.grad.tolist()])
print("formula: ", [round(g, 4) for g in (resp - start.weights).sum(0).tolist()])

# %% [markdown]
# EM is itself an uphill step along that gradient, with a step size made to measure for each component (Xu and Jordan 1996):
#
# $$\mu_k^{\mathrm{new}} = \mu_k + \frac{\Sigma_k}{N_k}\, \frac{\partial \ell}{\partial \mu_k}$$

# %%
em_means = mixture.em_step(x, start).loc
preconditioned = torch.einsum("kij,kj->ki", start.covariance, model.loc.grad) / resp.sum(0)[:, None]
assert torch.allclose(start.loc + preconditioned, em_means), "EM is preconditioned gradient ascent"

# %% [markdown]
# **Race.** Same start, three climbers: EM, gradient ascent with one fixed step size, and Adam. Both gradient methods get
# what EM does not need: data scaled to standard deviation 1 and a step size found by trial.

# %%
shift, scale = x.mean(0), x.std(0, correction=0)
scaled = (x - shift) / scale
log_jacobian = N * scale.log().sum()  # back to the units of x; section 11 explains
scaled_start = MixtureParams(
    weights=start.weights,
    loc=(start.loc - shift) / scale,
    covariance=start.covariance / (scale[:, None] * scale),
)


def climb(optimiser_class, learning_rate, num_steps):
    model = mixture.GaussianMixture.from_params(scaled_start)
    optimiser = optimiser_class(model.parameters(), lr=learning_rate)
    history = []
    for _ in range(num_steps):
        loss = -model().log_prob(scaled).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(-N * loss.item() - log_jacobian.item())
    return model.params(), history


NUM_STEPS = 300
climbers = {
    "EM": trace,
    "Adam, step 0.1": climb(torch.optim.Adam, 0.1, NUM_STEPS)[1],
    "gradient ascent, step 0.1": climb(torch.optim.SGD, 0.1, NUM_STEPS)[1],
    "gradient ascent, step 0.3": climb(torch.optim.SGD, 0.3, NUM_STEPS)[1],
}

fig, ax = plt.subplots(figsize=(7, 3.8))
for (name, history), colour in zip(climbers.items(), plots.COLOURS, strict=False):
    ax.semilogy(np.maximum(best_double - np.array(history), 1e-9), label=name, color=colour)
    steps = next((i for i, value in enumerate(history) if best_double - value < 1e-4), None)
    print(f"{name:26} within 1e-4 nats of the top after {steps if steps is not None else 'more than ' + str(NUM_STEPS)} steps")
ax.axhline(1e-4, color="grey", linewidth=0.8)
ax.set(xlabel="step", ylabel="distance to the maximum (nats)", title="EM needs no step size and the fewest steps", ylim=(1e-9, 2e3))
_ = ax.legend()

# %% [markdown]
# All steps cost about the same: one pass over the data. So why ever use gradients? Because EM needs an M-step in closed
# form and a posterior it can write down. Replace the Gaussian by a neural network and both are gone. The gradient remains.
#
# ### The top of the hill
#
# EM, gradient ascent and scikit-learn must agree. This is the number to remember. The diagonal model, without correlation
# inside a component, is lower.

# %%
adam = mixture.fit_gradient(x, start, num_steps=1000)


def sklearn_log_likelihood(kind):
    peer = SklearnMixture(2, covariance_type=kind, n_init=5, tol=1e-10, max_iter=1000, random_state=0).fit(x.numpy())
    return peer.score(x.numpy()) * N


diagonal = mixture.fit_em(x, 2, diagonal=True, num_restarts=10, generator=torch.Generator().manual_seed(0))
print(f"{'full covariances, EM':28} {best_double:.4f}")
print(f"{'full covariances, gradient':28} {adam.log_likelihoods[-1]:.4f}")
print(f"{'full covariances, sklearn':28} {sklearn_log_likelihood('full'):.4f}")
print(f"{'diagonal covariances, EM':28} {diagonal.log_likelihoods[-1]:.4f}")
print(f"{'diagonal covariances, sklearn':28} {sklearn_log_likelihood('diag'):.4f}")
assert abs(best_double - -1130.26396) < 1e-4
assert abs(best_double - sklearn_log_likelihood("full")) < 1e-4
assert abs(best_double - adam.log_likelihoods[-1]) < 1e-4
assert abs(diagonal.log_likelihoods[-1] - sklearn_log_likelihood("diag")) < 1e-4

# %% [markdown]
# ### Label switching
#
# Start EM with the two components swapped. You arrive at the same mixture with the names swapped. The likelihood cannot
# tell the two apart: every optimum exists $K!$ times. So never compare two fits by position. Sort first.

# %%
swapped = mixture.fit_em(x, start.permute([1, 0])).params
assert torch.allclose(mixture.log_likelihood(x, swapped), mixture.log_likelihood(x, best))
assert torch.allclose(swapped.sorted_by_loc().loc, best.sorted_by_loc().loc, atol=1e-4)
assert torch.allclose(adam.params.sorted_by_loc().loc, best.sorted_by_loc().loc, atol=1e-3)
print(f"largest difference of the means, by position:   {(swapped.loc - best.loc).abs().max():.2f} min")
print(f"largest difference of the means, after sorting: {(swapped.sorted_by_loc().loc - best.sorted_by_loc().loc).abs().max():.4f} min")

best = best.sorted_by_loc()
for k, kind in enumerate(("short", "long")):
    print(f"{kind:5} eruptions: weight {best.weights[k]:.5f}, mean {best.loc[k, 0]:.3f} min and {best.loc[k, 1]:.3f} min")

# %% [markdown]
# ## 6 · So what did the hidden variable buy?
#
# Draw 272 new eruptions from each model. For the mixture, follow the story: first the kind, then the eruption.

# %%
generator = torch.Generator().manual_seed(1)
from_single, _ = mixture.sample(single, N, generator=generator)
from_mixture, kinds = mixture.sample(best, N, generator=generator)

fig, axes = plt.subplots(1, 3, figsize=(9.5, 3.4), sharex=True, sharey=True)
for ax, points, title in zip(
    axes,
    (from_single, x, from_mixture),
    ("272 draws from one Gaussian", "272 real eruptions", "272 draws from the mixture"),
    strict=True,
):
    plots.draw_eruptions(ax, points)
    inside = int(((points[:, 0] > low) & (points[:, 0] < high)).sum())
    ax.axvspan(*GAP, color="black", alpha=0.08)
    ax.set_title(f"{title}\n{inside} in the gap", fontsize=10)
    ax.label_outer()

# %%
std = best.covariance[:, 0, 0].sqrt()
edges = torch.special.ndtr((torch.stack([low, high])[:, None] - best.loc[:, 0]) / std)  # (2, K)
gap_mixture = (best.weights * (edges[1] - edges[0])).sum()
print(f"mass in the gap:   one Gaussian {gap_single:.1%}, mixture {gap_mixture:.1%}, data {in_gap.double().mean():.1%}")
print(f"{'a box of 0.8 min × 10 min …':28} {'seen':>5} {'one Gaussian':>13} {'mixture':>9}")
for place, centre in PLACES.items():
    expected = expected_in_box(single, centre), expected_in_box(best, centre)
    print(f"{'… ' + place:28} {seen_in_box(centre):5d} {expected[0]:13.1f} {expected[1]:9.1f}")
print(f"log-likelihood:    one Gaussian {best_single:.4f}, mixture {best_double:.4f}: {best_double - best_single:.2f} nats more")
centres = mixture.log_density(best.loc, best).exp()
between_them = best.loc[0] + torch.linspace(0, 1, 501)[:, None] * (best.loc[1] - best.loc[0])
valley = mixture.log_density(between_them, best).exp().min()
single_there = mixture.log_density(between_them, single).exp()
print(f"lowest density on the way from centre to centre, divided by the lower centre's: mixture {valley / centres.min():.4f}, "
      f"one Gaussian {single_there.min() / single_there[[0, -1]].min():.4f}")

# %% [markdown]
# One hidden bit per eruption, and the gap is a gap. What you paid: 11 free parameters in place of 5. Was it worth it, and
# would three kinds be better still?
