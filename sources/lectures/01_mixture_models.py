# %% [markdown]
# # 01 · Mixture models
#
# **What does a hidden variable buy?**
#
# Old Faithful is a geyser in Yellowstone. You get 272 of its eruptions, two numbers each: how long the eruption
# lasted, and how long you had to wait for the next one. There is something that nobody wrote down: eruptions seem to
# come in two kinds. In this lecture you let a model invent that missing column. You then measure what the invention
# is worth: in nats, in samples that look right, and in minutes saved when you have to decide when to come back.
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
# You need: the Gaussian density, Bayes' rule, partial derivatives, the eigenvalues of a symmetric matrix, and a little
# PyTorch (tensors and autograd). Log-likelihoods are in **nats**, the unit of the natural logarithm: one nat more means
# $e$ times the density. Symbols follow the notation table in `lectures/README.md`. After almost every equation comes a
# cell that tests it.

# %%
import math
import os
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import scipy.stats
import torch
from sklearn.mixture import GaussianMixture as SklearnMixture

from course_lib import mixture, plots
from course_lib.data import old_faithful
from course_lib.mixture import MixtureParams

FAST = os.environ.get("COURSE_FAST") == "1"  # smaller sizes, same code
_ = torch.set_num_threads(1)  # the arrays are small: a second thread would only wait
torch.set_default_dtype(torch.float64)
plots.use_style()

# %% [markdown]
# ## 1 · The data
#
# Write $x_n$ for eruption number $n$. It has $D = 2$ values: the duration $x_{n1}$ and the waiting time $x_{n2}$,
# both in minutes. There are $N = 272$ of them.

# %%
x = old_faithful()
N, D = x.shape
duration, waiting = x.T
print(f"{N} eruptions, {D} values each")
print(f"the first: {duration[0]:.1f} minutes long, then {waiting[0]:.0f} minutes of waiting")

PLANE = {"xlabel": "duration (minutes)", "ylabel": "waiting time (minutes)"}
fig, ax = plt.subplots(figsize=(6, 3.8))
plots.draw_eruptions(ax, x)
_ = ax.set(**PLANE, title="Two clouds, and little between them")

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
# The logarithm is natural, so its unit is the **nat**. One nat more multiplies the density of the data by $e$. For
# one Gaussian the maximum is where you would guess, at the mean and the covariance of the data. This covariance divides
# by $N$ (`torch.cov` divides by $N - 1$ unless you say `correction=0`):
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
assert torch.allclose(covariance, torch.cov(x.T, correction=0)), "divided by N"

single = MixtureParams(weights=torch.ones(1), loc=loc[None], covariance=covariance[None])
assert torch.isclose(mixture.log_likelihood(x, single), best_single)
print(f"mean: {loc[0]:.3f} min, {loc[1]:.3f} min")
print(f"log-likelihood of the best single Gaussian: {best_single:.4f} nats")

# %% [markdown]
# The library calls this a mixture of one component, so `single` is already in the form of everything that follows.
#
# **Look at it.** On the left are the data and contours of the fit: each is at half the density of the one inside it.
# On the right are the durations alone.

# %%
GAP = (2.5, 3.5)  # minutes, between the two clouds
SINGLE, DOUBLE = plots.COLOURS[2], plots.COLOURS[0]  # one Gaussian green, the mixture blue
grid = torch.linspace(0, 7, 701)
normal = torch.distributions.Normal(loc[0], covariance[0, 0].sqrt())

fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
plots.draw_eruptions(left, x)
left.set(**PLANE, xlim=(0.5, 6.5), ylim=(35, 107))
plots.draw_log_density(left, lambda points: mixture.log_density(points, single), color=SINGLE)
left.plot(*loc, "x", color=SINGLE, markersize=9, markeredgewidth=2.5)
left.set_title("The top of the hill stands on almost nothing")
bins = np.arange(1.5, 5.3, 0.2)
right.hist(duration.numpy(), bins, density=True, color="#BBBBBB", label="272 eruptions")
right.plot(grid, normal.log_prob(grid).exp(), color=SINGLE, label="one Gaussian")
right.axvspan(*GAP, color="black", alpha=0.08, label="the gap")
right.set(xlabel="duration (minutes)", ylabel="density (per minute)", ylim=(0, 0.95))
right.set_title("The density is highest where the data is rare")
_ = right.legend(ncols=3, fontsize=9, loc="upper center")

# %% [markdown]
# **Measure it.** How much probability does the model put into the gap, durations between 2.5 and 3.5 minutes? The
# exact distribution function answers. How many eruptions are there?

# %%
low, high = (torch.tensor(edge) for edge in GAP)
in_gap = (duration > low) & (duration < high)
gap_single = normal.cdf(high) - normal.cdf(low)
print(f"one Gaussian puts {gap_single:.1%} of its mass into the gap")
print(f"the data has {in_gap.sum()} of {N} eruptions there: {in_gap.double().mean():.1%}")
assert gap_single > 5 * in_gap.double().mean()

# %% [markdown]
# The same in two dimensions: count eruptions in three boxes of the same size, one on each cloud and one halfway
# between them. Integrate the model's density over each box on a fine grid.

# %%
PLACES = {
    "on the short cloud": (2.0, 54.0),
    "halfway between": (3.15, 67.0),
    "on the long cloud": (4.3, 80.0),
}
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
halfway = PLACES["halfway between"]
assert seen_in_box(halfway) < 0.2 * expected_in_box(single, halfway)

# %% [markdown]
# The model expects the most eruptions where there are the fewest. No choice of $\mu$ and $\Sigma$ mends this: a
# Gaussian has one hill. You need a better idea, not a better fit.

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
print(f"log-likelihood of the guess:                {marginal.log().sum():.2f} nats")
print(f"log-likelihood of the best single Gaussian: {best_single:.2f} nats")

# %% [markdown]
# A guess made in ten seconds beats the *best* single Gaussian by more than a hundred nats.
#
# ### Which kind was it? Responsibilities
#
# You saw $x_n$. How probable is each kind now? Bayes' rule divides the joint by the marginal. The result is called
# the **responsibility** of component $k$ for eruption $n$:
#
# $$r_{nk} = p(z_n = k \mid x_n) = \frac{p(x_n, z_n = k)}{p(x_n)} = \frac{\pi_k\, \mathcal N(x_n \mid \mu_k, \Sigma_k)}{\sum_j \pi_j\, \mathcal N(x_n \mid \mu_j, \Sigma_j)}$$
#
# One row per eruption, one column per kind, and every **row** sums to one.

# %%
resp = joint / marginal[:, None]
assert torch.allclose(resp.sum(1), torch.ones(N)), "each eruption shares out one unit"
assert torch.allclose(resp * marginal[:, None], joint), "posterior × marginal = joint"
assert torch.allclose(resp, mixture.responsibilities(x, guess))
unsure = (resp.min(1).values > 0.05).sum()
print(f"the guess is unsure (both kinds above 5 %) about {unsure} eruptions of {N}")
print(f"eruptions of each kind, counted softly: {resp.sum(0)[0]:.1f} and {resp.sum(0)[1]:.1f}")

# %%
lines = torch.linspace(1, 5.5, 451)
margins = torch.distributions.Normal(guess.loc[:, 0], guess.covariance[:, 0, 0].sqrt())
pieces = guess.weights * margins.log_prob(lines[:, None]).exp()  # (points, K): z and the duration
posterior = pieces / pieces.sum(1, keepdim=True)

fig, axes = plt.subplot_mosaic([["joint", "plane"], ["posterior", "plane"]], figsize=(9.5, 4.4))
for k, colour in enumerate((plots.COLOURS[0], plots.COLOURS[1])):
    axes["joint"].fill_between(lines, pieces[:, k], alpha=0.35, color=colour, label=f"$z={k + 1}$")
    axes["posterior"].plot(lines, posterior[:, k], color=colour)
axes["joint"].plot(lines, pieces.sum(1), color="black", linewidth=1.2, label="sum: the marginal")
axes["joint"].set_title("The joint of kind and duration: a hill for each kind")
axes["joint"].set_ylabel("density (per minute)")
axes["joint"].legend(fontsize=9, loc="upper left")
axes["posterior"].set_title("The posterior divides it by the sum")
axes["posterior"].set(xlabel="duration (minutes)", ylabel="probability of a kind")
plots.draw_eruptions(axes["plane"], x, resp=resp)
_ = axes["plane"].set(**PLANE, title="Every eruption, in the colour of its responsibilities")

# %% [markdown]
# ### Do it in logarithms
#
# Far from every component a density is tiny. Suppose a ranger types 540 for a waiting time of 54 minutes. In 32-bit
# floats, the usual format for neural networks, the formulas above break. In 64-bit floats they break too.

# %%
typo = torch.tensor([[1.9, 540.0]])
log_joint_32 = mixture.log_joint(typo, guess).float()
naive_joint = log_joint_32.exp()
print(f"log joint densities:        {[round(v, 1) for v in log_joint_32[0].tolist()]}")
print(f"naive densities:            {naive_joint[0].tolist()}")
print(f"naive log of the sum:       {naive_joint.sum().log().item()}")
print(f"naive responsibilities:     {(naive_joint / naive_joint.sum())[0].tolist()}")
print(f"the same in float64:        {mixture.log_joint(typo, guess).exp()[0].tolist()}")
for dtype, bits in ((torch.float32, 23), (torch.float64, 52)):
    smallest = torch.finfo(dtype).smallest_normal * 2.0**-bits  # with all leading bits zero
    print(f"smallest positive {str(dtype)[6:]}:  exp({math.log(smallest):.2f})")
print(f"product of 272 densities in float64: exp({best_single:.0f}) = {best_single.exp().item()}")

# %% [markdown]
# Below about $e^{-104}$ a float32 is zero, below about $e^{-745}$ a float64. Then $\log 0 = -\infty$ and $0/0$ is not a
# number. Float64 cannot hold the likelihood of the whole data set either. So you never leave the logarithm. Take out the largest term first:
#
# $$\log \sum_k e^{a_k} = a_{\max} + \log \sum_k e^{a_k - a_{\max}}, \qquad a_{\max} = \max_k a_k$$
#
# The largest term in the sum is now $e^0 = 1$. Nothing overflows, and what underflows does not matter. The
# responsibilities are $e^{a_k} / \sum_j e^{a_j}$, a **softmax** of the log joint densities. Take out $a_{\max}$
# there, too.


# %%
def log_sum_exp(a):
    largest = a.max(-1, keepdim=True).values
    return largest.squeeze(-1) + (a - largest).exp().sum(-1).log()


safe = log_sum_exp(log_joint_32)
assert torch.allclose(safe, torch.logsumexp(log_joint_32, -1))
moderate = torch.tensor([[-1.0, 0.5, 2.0]])
naive = moderate.exp().sum(-1).log()
assert torch.allclose(log_sum_exp(moderate), naive), "same value where the naive form works"
shifted = log_sum_exp(moderate - 1000) + 1000
assert torch.allclose(shifted, naive), "a shift passes through"
print(f"safe log density of the typo:     {safe.item():.1f} nats")
safe_resp = torch.softmax(log_joint_32, -1)
assert torch.allclose(torch.softmax(mixture.log_joint(x, guess), -1), resp), "softmax = Bayes' rule"
print(f"safe responsibilities:            {[round(r, 4) for r in safe_resp[0].tolist()]}")

# %% [markdown]
# ## 4 · EM: learn from data that is half missing
#
# ### A chicken and an egg
#
# If you knew the kinds $z_n$, fitting would be easy: split the eruptions by kind, and take the share, the mean and
# the covariance of each group. If you knew the parameters, finding the kinds would be easy: that is Bayes' rule. You
# know neither. Expectation maximisation (EM) guesses one, computes the other, and goes round.
#
# ### The one derivative you need
#
# Take any parameter $\theta$ of the model. Differentiate the log of the sum:
#
# $$\frac{\partial}{\partial\theta} \log p(x_n) = \frac{\sum_k \frac{\partial}{\partial\theta}\, p(x_n, z_n = k)}{p(x_n)} = \sum_k r_{nk}\, \frac{\partial}{\partial\theta} \log p(x_n, z_n = k)$$
#
# The second step uses $\partial p = p\, \partial \log p$. In words: the gradient with a hidden variable is the
# gradient without one, **averaged over the posterior**. Test it with autograd. On the right-hand side the
# responsibilities are plain numbers, without gradient.

# %%
moving = guess.loc.clone().requires_grad_()
params = MixtureParams(weights=guess.weights, loc=moving, covariance=guess.covariance)
left_side = torch.autograd.grad(mixture.log_likelihood(x, params), moving)[0]
right_side = torch.autograd.grad((resp * mixture.log_joint(x, params)).sum(), moving)[0]
assert torch.allclose(left_side, right_side), "the posterior average of gradients is the gradient"
print(
    "gradient in the means, both ways:", [[round(v, 2) for v in row] for row in left_side.tolist()]
)

# %% [markdown]
# ### Set it to zero
#
# **Means.** The derivative of $\log \mathcal N(x_n \mid \mu_k, \Sigma_k)$ in $\mu_k$ is $\Sigma_k^{-1}(x_n - \mu_k)$.
# So
#
# $$\frac{\partial \ell}{\partial \mu_k} = \sum_n r_{nk}\, \Sigma_k^{-1} (x_n - \mu_k)$$
#
# Set it to zero with the responsibilities held fixed. (They depend on $\mu_k$ as well. Holding them is a gamble. "Why
# the log-likelihood never falls", later in this section, shows why it pays.) Write $N_k = \sum_n r_{nk}$ for the number
# of eruptions that component $k$ explains. You get a weighted mean.
#
# **Covariances.** Differentiate in the inverse $\Sigma_k^{-1}$. The derivative of $\log |\Sigma_k^{-1}|$ is $\Sigma_k$,
# and that of $v^\top \Sigma_k^{-1} v$ is $v v^\top$. So
#
# $$\frac{\partial \ell}{\partial \Sigma_k^{-1}} = \tfrac12 \sum_n r_{nk} \big( \Sigma_k - (x_n - \mu_k)(x_n - \mu_k)^\top \big) = 0 \quad\Rightarrow\quad N_k \Sigma_k = \sum_n r_{nk}\, (x_n - \mu_k)(x_n - \mu_k)^\top$$
#
# A weighted covariance.
#
# **Weights.** They must sum to one, so you need a Lagrange multiplier $\lambda$. Only $\log \pi_k$ matters here:
#
# $$\frac{\partial}{\partial \pi_k} \Big[ \sum_j N_j \log \pi_j + \lambda \big(1 - \sum_j \pi_j\big) \Big] = \frac{N_k}{\pi_k} - \lambda = 0 \quad\Rightarrow\quad \pi_k = \frac{N_k}{\lambda}$$
#
# Sum over $k$: the left side is 1. On the right, $\sum_k N_k = N$, because each eruption shares out one unit. So
# $\lambda = N$. All together, this is the **M-step**:
#
# $$\begin{aligned} \pi_k &= \frac{N_k}{N} \\ \mu_k &= \frac{1}{N_k} \sum_n r_{nk}\, x_n \\ \Sigma_k &= \frac{1}{N_k} \sum_n r_{nk}\, (x_n - \mu_k)(x_n - \mu_k)^\top \end{aligned}$$
#
# And the **E-step** computes $r_{nk}$. Here are both, in six lines.


# %%
def one_step(x, params):
    resp = torch.softmax(mixture.log_joint(x, params), -1)  # E-step, (N, K)
    counts = resp.sum(0)  # N_k
    loc = resp.T @ x / counts[:, None]
    centred = x - loc[:, None]  # (K, N, D), around the new means
    covariance = (resp.T[..., None] * centred).mT @ centred / counts[:, None, None]
    return MixtureParams(weights=counts / len(x), loc=loc, covariance=covariance)


new, library = one_step(x, guess), mixture.em_step(x, guess)
for part in ("weights", "loc", "covariance"):
    assert torch.allclose(getattr(new, part), getattr(library, part)), "the library does the same"

# %% [markdown]
# Test the derivation. Start with the gradients in the means and in the inverse covariances. Then check that the M-step ends on a summit: with the
# responsibilities fixed, the gradient of $\sum_n \sum_k r_{nk} \log p(x_n, z_n = k)$ must vanish at the new means and
# covariances. For the weights the derivative must be the multiplier, $N_k/\pi_k = \lambda = N$ for every $k$.

# %%
pulls = resp.T[..., None] * (x - guess.loc[:, None])  # (K, N, D)
by_hand = torch.linalg.solve(guess.covariance, pulls.sum(1))
assert torch.allclose(by_hand, left_side), "the gradient in the means"

inverse = torch.linalg.inv(guess.covariance).requires_grad_()
params = MixtureParams(weights=guess.weights, loc=guess.loc, covariance=torch.linalg.inv(inverse))
by_autograd = torch.autograd.grad(mixture.log_likelihood(x, params), inverse)[0]
scatter = pulls.mT @ (x - guess.loc[:, None])  # (K, D, D)
by_hand = 0.5 * (resp.sum(0)[:, None, None] * guess.covariance - scatter)
assert torch.allclose(by_hand, by_autograd), "the gradient in the inverse covariances"

free = [tensor.clone().requires_grad_() for tensor in (new.weights, new.loc, new.covariance)]
expected_log_joint = sum(
    (resp[:, k] * (free[0][k].log() + gaussian_log_density(x, free[1][k], free[2][k]))).sum()
    for k in range(2)
)
grad_weights, grad_loc, grad_covariance = torch.autograd.grad(expected_log_joint, free)
assert grad_loc.abs().max() < 1e-8, "the new means are stationary"
assert grad_covariance.abs().max() < 1e-8, "the new covariances are stationary"
assert torch.allclose(grad_weights, torch.full((2,), float(N))), "the multiplier is N"
print(f"derivative in the weights: {grad_weights[0]:.4f} and {grad_weights[1]:.4f}, so λ = N = {N}")

# %% [markdown]
# ### Watch it run
#
# Before you read on, answer B1 of the exercise: predict the gain. The next cells show it.
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
assert all(later > earlier for earlier, later in pairwise(trace)), "EM lost likelihood"
print(f"{len(trace) - 1} steps, log-likelihood {best_double:.4f}")

# %%
fig, axes = plt.subplots(3, 3, figsize=(9.5, 6.9), sharex=True, sharey=True)
for step, ax in enumerate(axes.flat):
    plots.draw_eruptions(ax, x, resp=mixture.responsibilities(x, path[step]))
    plots.draw_components(ax, path[step])
    ax.set(**PLANE, xlim=(1, 5.6), ylim=(38, 100))
    ax.set_title(f"step {step}: log-likelihood {trace[step]:.1f}", fontsize=10)
    ax.label_outer()

# %% [markdown]
# At step 0 both components claim the same cloud, and the long eruptions hang on the tail of one of them. That tail
# pulls. By step 8 nothing moves that you could see. The colours were never told which eruption is which kind.

# %%
print("step  log-likelihood    gain")
for step in range(12):
    gain = "" if step == 0 else f"{trace[step] - trace[step - 1]:9.4f}"
    print(f"{step:4d}  {trace[step]:13.4f}  {gain}")

# %% [markdown]
# ### Why the log-likelihood never falls
#
# The gain was positive in every step. That is no luck. Take **any** probabilities $q_n(k)$ for the hidden kinds. For
# each eruption, write $p(x_n) = p(x_n, z_n = k) / p(z_n = k \mid x_n)$, take the logarithm, add and subtract
# $\log q_n(k)$, and average over $q_n$:
#
# $$\ell(\theta) = \underbrace{\sum_n \sum_k q_n(k) \log \frac{p_\theta(x_n, z_n = k)}{q_n(k)}}_{\mathcal L(q, \theta)} + \sum_n \underbrace{\sum_k q_n(k) \log \frac{q_n(k)}{p_\theta(z_n = k \mid x_n)}}_{\mathrm{KL}(q_n \,\Vert\, p_\theta(z_n \mid x_n))}$$
#
# The second part is a Kullback–Leibler (KL) divergence: how far $q_n$ is from the posterior. It is zero if they are
# equal, and never negative: $\log v \ge 1 - 1/v$, so $\sum_k q \log \frac{q}{p} \ge \sum_k (q - p) = 1 - 1 = 0$. So
# $\mathcal L(q, \theta)$ is a **lower bound** of the log-likelihood, for every $q$. Test the equation with a random
# $q$.


# %%
def bound(params, q):
    return (q * mixture.log_joint(x, params) - torch.xlogy(q, q)).sum()


def kl_to_posterior(params, q):
    return (torch.xlogy(q, q) - q * torch.log_softmax(mixture.log_joint(x, params), -1)).sum()


generator = torch.Generator().manual_seed(0)
random_q = torch.softmax(torch.randn(N, 2, generator=generator), -1)
lower, gap = bound(start, random_q), kl_to_posterior(start, random_q)
assert gap >= 0, "a KL divergence is never negative"
assert torch.isclose(lower + gap, torch.tensor(trace[0])), "log-likelihood = bound + KL"
print(f"bound {lower:.4f} + KL {gap:.4f} = {lower + gap:.4f}; log-likelihood {trace[0]:.4f}")

# %% [markdown]
# Now EM is two moves that each raise the bound, or leave it:
#
# - **E-step**: choose $q_n = r_n$. The KL is zero, so the bound *touches* the log-likelihood.
# - **M-step**: keep $q$, move $\theta$ to the top of the bound. The log-likelihood lies above the bound, so it rises
#   at least as much. The KL opens again, and the next E-step closes it.
#
# $$\ell(\theta_{\mathrm{new}}) \ge \mathcal L(q, \theta_{\mathrm{new}}) \ge \mathcal L(q, \theta_{\mathrm{old}}) = \ell(\theta_{\mathrm{old}})$$

# %%
print("step   gap after E   rise by M   KL after M   gain in the log-likelihood")
for step in range(6):
    q = mixture.responsibilities(x, path[step])
    gap_after_e = abs(trace[step] - bound(path[step], q))
    rise = bound(path[step + 1], q) - trace[step]
    kl_after_m = kl_to_posterior(path[step + 1], q)
    gain = trace[step + 1] - trace[step]
    assert gap_after_e < 1e-8, "after the E-step the bound is tight"
    assert min(rise, kl_after_m) >= 0, "neither part of the gain is ever negative"
    assert abs(gain - rise - kl_after_m) < 1e-8, "the two parts are the whole gain"
    print(f"{step:4d} {gap_after_e:13.4f} {rise:11.4f} {kl_after_m:12.4f} {gain:28.4f}")

# %% [markdown]
# You can see it. Walk in a straight line from the parameters of step 3 ($\tau = 0$) to those of step 4 ($\tau = 1$)
# and beyond. Draw the log-likelihood on the way, and the bounds that the two E-steps give.

# %%
FROM = 3
taus = torch.linspace(-0.3, 1.5, 73)


def between(tau):
    old, new = path[FROM], path[FROM + 1]
    return MixtureParams(
        weights=(1 - tau) * old.weights + tau * new.weights,
        loc=(1 - tau) * old.loc + tau * new.loc,
        covariance=(1 - tau) * old.covariance + tau * new.covariance,
    )


on_the_way = torch.stack([mixture.log_likelihood(x, between(tau)) for tau in taus])
fig, ax = plt.subplots(figsize=(7, 3.8))
ax.plot(taus, on_the_way, color="black", label="log-likelihood")
for tau, colour in zip((0.0, 1.0), plots.COLOURS, strict=False):
    q = mixture.responsibilities(x, between(tau))
    bounds = torch.stack([bound(between(t), q) for t in taus])
    assert (bounds <= on_the_way + 1e-9).all(), "the bound must stay below"
    ax.plot(
        taus, bounds, "--", color=colour, label=f"bound from the E-step at step {FROM + int(tau)}"
    )
    ax.plot(tau, mixture.log_likelihood(x, between(tau)), "o", color=colour)
    print(f"the bound that touches at τ = {tau:.0f} has its top at τ = {taus[bounds.argmax()]:.2f}")
ax.set(
    xlabel="τ (0: step 3, 1: step 4)",
    ylabel="nats",
    title="Each bound touches the curve once, and lies below elsewhere",
)
ax.set_ylim(-1215, -1142)
_ = ax.legend(loc="upper left")

# %% [markdown]
# The first bound (blue) has its top at $\tau = 1$: the M-step goes there. The second bound touches there and takes
# over.
#
# Remember $\mathcal L(q, \theta)$. Unit 03 calls it the **ELBO**. There $q$ will be a network's best guess, because
# the exact posterior will be out of reach. Here it costs one line.

# %% [markdown]
# ## 5 · The same hill by gradient ascent
#
# You can also maximise $\ell$ by gradient ascent. But weights must stay positive and sum to one, and covariances must
# stay positive definite. So you move **free numbers** and map them: logits $\eta_k$ with
# $\pi = \mathrm{softmax}(\eta)$, and a lower triangular $L_k$ whose diagonal is an exponential, with
# $\Sigma_k = L_k L_k^\top$. `course_lib.mixture.GaussianMixture` does this.
#
# One gradient is worth knowing by heart. The derivative of $\log \pi_j$ in $\eta_k$ is $1 - \pi_k$ for $j = k$ and
# $-\pi_k$ otherwise. Put it into "the one derivative" of section 4:
#
# $$\frac{\partial \ell}{\partial \eta_k} = \sum_n (r_{nk} - \pi_k)$$
#
# Posterior minus prior. It vanishes when the average responsibility equals the weight, $N_k/N = \pi_k$: the M-step
# again.

# %%
model = mixture.GaussianMixture.from_params(start)
model().log_prob(x).sum().backward()
resp = mixture.responsibilities(x, start)
assert torch.allclose(model.logits.grad, (resp - start.weights).sum(0)), "posterior minus prior"
print("autograd:", [round(g, 4) for g in model.logits.grad.tolist()])
print("formula: ", [round(g, 4) for g in (resp - start.weights).sum(0).tolist()])

# %% [markdown]
# EM steps uphill, too. It multiplies the gradient in the means by $\Sigma_k / N_k$ (Xu and Jordan 1996):
#
# $$\mu_k^{\mathrm{new}} = \mu_k + \frac{\Sigma_k}{N_k}\, \frac{\partial \ell}{\partial \mu_k}$$
#
# That matrix is positive definite, so the step is uphill. But it turns the gradient: the step is not along it.

# %%
em_means = mixture.em_step(x, start).loc
preconditioned = torch.einsum("kij,kj->ki", start.covariance, model.loc.grad) / resp.sum(0)[:, None]
assert torch.allclose(start.loc + preconditioned, em_means), "EM is preconditioned gradient ascent"
cosine = torch.cosine_similarity(preconditioned, model.loc.grad, dim=-1)
assert (cosine > 0).all(), "the step is uphill"
angles = [round(angle) for angle in torch.rad2deg(cosine.acos()).tolist()]
print(f"angle between the EM step and the gradient: {angles[0]}° and {angles[1]}°")

# %% [markdown]
# **Race.** Same start, three climbers: EM, gradient ascent with one fixed step size, and Adam, the optimiser that
# most neural networks are trained with. Both gradient methods get what EM does not need: data scaled to standard
# deviation 1 and a step size found by trial.

# %%
shift, scale = x.mean(0), x.std(0, correction=0)
scaled = (x - shift) / scale
log_jacobian = N * scale.log().sum()  # back to the units of x; section 11 explains
scaled_start = MixtureParams(
    weights=start.weights,
    loc=(start.loc - shift) / scale,
    covariance=start.covariance / (scale[:, None] * scale),
)
NUM_STEPS = 300


def climb(optimiser_class, learning_rate):
    model = mixture.GaussianMixture.from_params(scaled_start)
    optimiser = optimiser_class(model.parameters(), lr=learning_rate)
    history = []
    for _ in range(NUM_STEPS):
        loss = -model().log_prob(scaled).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(-N * loss.item() - log_jacobian.item())
    return history


climbers = {
    "EM": trace,
    "Adam, step 0.1": climb(torch.optim.Adam, 0.1),
    "gradient ascent, step 0.1": climb(torch.optim.SGD, 0.1),
    "gradient ascent, step 0.3": climb(torch.optim.SGD, 0.3),
}
for name, history in climbers.items():
    arrived = [step for step, value in enumerate(history) if best_double - value < 1e-4]
    when = f"after {arrived[0]} steps" if arrived else f"not within {NUM_STEPS} steps"
    print(f"{name:26} 1e-4 nats from the top {when}")

# %%
fig, ax = plt.subplots(figsize=(7, 3.8))
for (name, history), colour in zip(climbers.items(), plots.COLOURS, strict=False):
    distance = np.maximum(best_double - np.array(history), 1e-9)
    ax.semilogy(distance, label=name, color=colour)
ax.axhline(1e-4, color="grey", linewidth=0.8)
ax.set(xlabel="step", ylabel="distance to the maximum (nats)", ylim=(1e-9, 2e3))
ax.set_title("EM needs no step size and the fewest steps")
_ = ax.legend()

# %% [markdown]
# What happened to the larger step? Look at the last values of that climb.

# %%
large = climbers["gradient ascent, step 0.3"]
print("last four log-likelihoods:", [round(value, 3) for value in large[-4:]])
assert abs(large[-1] - large[-3]) < 1e-6 < abs(large[-1] - large[-2]), "not a jump to and fro"

# %% [markdown]
# It jumps to and fro across a ridge, for ever: the step is too long for how sharply the hill curves there. EM has no
# such worry.
#
# A step of each kind looks at all the data once. A gradient step needs a backward pass, too, so it costs more. So why
# ever use gradients? Because EM needs an M-step in closed form and a posterior it can write down. Replace the Gaussian
# by a neural network and both are gone. The gradient remains.
#
# ### The top of the hill
#
# EM, gradient ascent and scikit-learn must agree on the full model: −1130.264 nats. That is the number to remember. The
# diagonal model, without correlation inside a component, is lower.

# %%
adam = mixture.fit_gradient(x, start, num_steps=1000)


def sklearn_log_likelihood(kind):
    peer = SklearnMixture(
        2, covariance_type=kind, n_init=5, tol=1e-10, max_iter=1000, random_state=0
    ).fit(x.numpy())
    return peer.score(x.numpy()) * N


diagonal = mixture.fit_em(
    x, 2, diagonal=True, num_restarts=10, generator=torch.Generator().manual_seed(0)
)
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
# Start EM with the two components swapped. You arrive at the same mixture with the names swapped. The likelihood
# cannot tell the two apart: every optimum exists $K!$ times. So never compare two fits by position. Sort first.

# %%
swapped = mixture.fit_em(x, start.permute([1, 0])).params
assert torch.allclose(mixture.log_likelihood(x, swapped), mixture.log_likelihood(x, best))
assert torch.allclose(swapped.sorted_by_loc().loc, best.sorted_by_loc().loc, atol=1e-4)
assert torch.allclose(adam.params.sorted_by_loc().loc, best.sorted_by_loc().loc, atol=1e-3)
by_position = (swapped.loc - best.loc).abs().max()
after_sorting = (swapped.sorted_by_loc().loc - best.sorted_by_loc().loc).abs().max()
print(f"largest difference of the means, by position:   {by_position:.2f} min")
print(f"largest difference of the means, after sorting: {after_sorting:.4f} min")

best = best.sorted_by_loc()
for kind, weight, mean in zip(("short", "long"), best.weights, best.loc, strict=True):
    print(f"{kind:5} eruptions: weight {weight:.5f}, mean {mean[0]:.3f} min and {mean[1]:.3f} min")

# %% [markdown]
# ## 6 · So what did the hidden variable buy?
#
# Draw 272 new eruptions from each model. For the mixture, follow the story: first the kind, then the eruption.

# %%
generator = torch.Generator().manual_seed(1)
from_single, _ = mixture.sample(single, N, generator=generator)
from_mixture, kinds = mixture.sample(best, N, generator=generator)

panels = {
    "draws from one Gaussian": from_single,
    "real eruptions": x,
    "draws from the mixture": from_mixture,
}
fig, axes = plt.subplots(1, 3, figsize=(9.5, 3.4), sharex=True, sharey=True)
for ax, (title, points) in zip(axes, panels.items(), strict=True):
    plots.draw_eruptions(ax, points)
    inside = int(((points[:, 0] > low) & (points[:, 0] < high)).sum())
    ax.axvspan(*GAP, color="black", alpha=0.08)
    ax.set_title(f"{N} {title}:\n{inside} in the gap")
    ax.set(**PLANE)
    ax.label_outer()

# %%
std = best.covariance[:, 0, 0].sqrt()
edges = torch.special.ndtr((torch.stack([low, high])[:, None] - best.loc[:, 0]) / std)  # (2, K)
gap_mixture = (best.weights * (edges[1] - edges[0])).sum()
print(f"mass in the gap: one Gaussian {gap_single:.1%}, mixture {gap_mixture:.1%}")
print(f"eruptions there: {in_gap.double().mean():.1%}")
print(f"{'a box of 0.8 min × 10 min …':28} {'seen':>5} {'one Gaussian':>13} {'mixture':>9}")
for place, centre in PLACES.items():
    expected = expected_in_box(single, centre), expected_in_box(best, centre)
    print(f"{'… ' + place:28} {seen_in_box(centre):5d} {expected[0]:13.1f} {expected[1]:9.1f}")
print(f"log-likelihood: one Gaussian {best_single:.4f}, mixture {best_double:.4f}")
print(f"the hidden variable buys {best_double - best_single:.2f} nats")

# %% [markdown]
# Walk from the centre of one cloud to the centre of the other. How deep is the valley on the way, compared with the
# lower of the two ends?

# %%
way = best.loc[0] + torch.linspace(0, 1, 501)[:, None] * (best.loc[1] - best.loc[0])
depths = {}
for name, params in (("one Gaussian", single), ("mixture", best)):
    along = mixture.log_density(way, params).exp()
    depths[name] = (along.min() / along[[0, -1]].min()).item()
    print(f"{name:13} lowest density on the way / density at the lower end = {depths[name]:.4f}")
assert depths["one Gaussian"] > 0.99, "one Gaussian has no valley"
assert depths["mixture"] < 0.01, "the mixture has a deep one"

# %% [markdown]
# One hidden bit per eruption, and the gap is a gap. The model is not perfect: halfway between the clouds it expects 2
# eruptions, and there are 6. What you paid: 11 free parameters in place of 5. Was it worth it, and would three kinds
# be better still?

# %% [markdown]
# ## 7 · How many components?
#
# The maximum of the log-likelihood $\ell(\hat\theta)$ (the best sensible one; section 8 says why) can only grow with
# $K$: a mixture of three can imitate any mixture of two. So you need a judge that charges for complexity. You have two.
#
# **BIC** charges each free parameter half of $\log N$ nats (Schwarz 1978). A mixture of $K$ full Gaussians has $p$ of
# them (here $p$ is a count; elsewhere it is a density):
#
# $$\begin{aligned} \mathrm{BIC} &= -2\,\ell(\hat\theta) + p \log N \\ p &= \underbrace{K - 1}_{\text{weights}} + \underbrace{K D}_{\text{means}} + \underbrace{K \tfrac{D (D + 1)}{2}}_{\text{covariances}} \end{aligned}$$
#
# Lower is better. Count once by hand, as the numbers a gradient method can move: the logits, less one for the
# constant that the softmax ignores, the means, and the triangles of the $L_k$.

# %%
for K in range(1, 6):
    free_model = mixture.GaussianMixture(K, D)
    triangles = free_model.log_scale.numel() + K * D * (D - 1) // 2
    counted = free_model.logits.numel() - 1 + free_model.loc.numel() + triangles
    assert counted == mixture.num_free_parameters(K, D) == (K - 1) + K * D + K * D * (D + 1) // 2
print("free parameters for K = 1 … 5:", [mixture.num_free_parameters(K, D) for K in range(1, 6)])
assert abs(mixture.bic(best_double, 2, D, N) - (-2 * best_double + 11 * math.log(N))) < 1e-9

# %% [markdown]
# EM climbs the hill it starts on, and for $K > 2$ there are many. So start often. All restarts run together: they are
# one tensor with one more dimension. The best one is then finished alone.

# %%
NUM_RESTARTS = 5 if FAST else 30
ORDERS = range(1, 6)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


restarts = {
    K: mixture.fit_em(x, K, num_restarts=NUM_RESTARTS, max_steps=150, generator=seeded())
    for K in ORDERS
}
fits = {K: mixture.fit_em(x, restarts[K].params, max_steps=2000) for K in ORDERS}
bics = {K: mixture.bic(fits[K].log_likelihoods[-1].item(), K, D, N) for K in ORDERS}

print("                                  restarts   narrowest component:")
print(" K   p  log-likelihood      BIC  at the best   width     N_k   mean")
for K, result in fits.items():
    p = mixture.num_free_parameters(K, D)
    endings = restarts[K].restart_log_likelihoods
    at_best = f"{(endings > endings.max() - 0.01).sum()} of {NUM_RESTARTS}"
    widths = torch.linalg.eigvalsh(result.params.covariance)[:, 0].sqrt()  # (K,)
    k = widths.argmin()
    explained = mixture.responsibilities(x, result.params).sum(0)[k]
    mean = "{:.2f} and {:.1f} min".format(*result.params.loc[k].tolist())
    row = f"{K:2d} {p:3d} {result.log_likelihoods[-1]:15.2f} {bics[K]:8.2f} {at_best:>12}"
    print(f"{row} {widths[k]:7.2f} {explained:7.1f}   {mean}")
assert min(bics, key=bics.get) == 2, "BIC chooses two"
assert abs(bics[2] - 2322.19) < 0.01

# %% [markdown]
# **Held-out log-likelihood** asks a simpler question: how probable are eruptions that the fit has not seen? Cut the
# data into ten folds. Fit on nine, score the tenth, go round. Each eruption is scored once for each shuffle, by a
# model that has never seen it. Compare two models **on the same eruptions**: the standard error of the difference is
# what counts.

# %%
NUM_FOLDS, NUM_SHUFFLES = (5, 1) if FAST else (10, 2)


def folds(shuffle):
    for fold in torch.randperm(N, generator=seeded(shuffle)).chunk(NUM_FOLDS):
        yield torch.ones(N, dtype=torch.bool).index_fill(0, fold, False), fold  # train, test


def cross_validate(K):
    settings = {"num_restarts": 5, "max_steps": 150, "tolerance": 1e-6, "min_variance": 1e-3}
    scores = torch.zeros(NUM_SHUFFLES, N)
    for shuffle in range(NUM_SHUFFLES):
        for train, test in folds(shuffle):
            params = mixture.fit_em(x[train], K, generator=seeded(), **settings).params
            scores[shuffle, test] = mixture.log_density(x[test], params)
    return scores.mean(0)  # (N,), nats of each eruption


held_out = {K: cross_validate(K) for K in ORDERS}
difference = {K: (held_out[K] - held_out[2]).mean().item() for K in ORDERS}
error = {K: (held_out[K] - held_out[2]).std().item() / math.sqrt(N) for K in ORDERS}
print(" K   held-out nats per eruption   difference from K = 2 (± standard error)")
for K in ORDERS:
    print(f"{K:2d} {held_out[K].mean():18.3f} {difference[K]:25.3f} ± {error[K]:.3f}")
assert difference[1] < -5 * error[1], "one Gaussian must lose clearly"

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.6))
for K in ORDERS[1:]:
    dots = [mixture.bic(value, K, D, N) for value in restarts[K].restart_log_likelihoods.tolist()]
    label = "restarts" if K == 2 else None
    left.plot([K] * len(dots), dots, ".", color=plots.DATA, label=label)
left.plot(ORDERS[1:], [bics[K] for K in ORDERS[1:]], "o-", label="best of the restarts, finished")
left.set(xlabel="number of components K", ylabel="BIC (lower is better)")
left.set_title(f"BIC: two, with three close behind, and one at {bics[1]:.0f}")
left.legend()

rivals = [K for K in ORDERS if K != 2]
heights, bars = [difference[K] for K in rivals], [2 * error[K] for K in rivals]
right.errorbar(rivals, heights, bars, fmt="o", capsize=4, label="± 2 standard errors")
right.axhline(0, color="grey", linewidth=0.8)
right.set(
    xlabel="number of components K", ylabel="held-out nats per eruption,\nminus those of K = 2"
)
right.set_title("Held out: one is bad, the rest is noise")
right.legend(loc="lower right")
_ = left.set_xticks(ORDERS[1:]), right.set_xticks(ORDERS)

# %% [markdown]
# Read both honestly. Look at the last columns of the first table, too. From three components on, one is only 0.06
# minutes wide. It holds about 35 eruptions of about 1.84 minutes, so it is no collapse (section 8). It is a sign that
# the short cloud is not Gaussian. And with three components few restarts reach the best value: 5 of 30.
#
# BIC picks two, by two units over three: a preference, no proof. The held-out score says that one component is far
# too few, by many standard errors. Between two, three and four it sees no difference that 272 eruptions could show.
# Two is the smallest model that nothing beats, so take two.
#
# And do not read too much into "two kinds". BIC compares densities. The third component, where it appears, may only
# say that a cloud is not quite Gaussian.

# %% [markdown]
# ## 8 · The likelihood has no maximum
#
# You have been looking for "the maximum". There is none. The data is rounded, so some eruptions coincide exactly.

# %%
distinct, counts = x.unique(dim=0, return_counts=True)
print(f"{len(distinct)} distinct eruptions among {N}; {(counts == 2).sum()} of them occur twice")
most_common = waiting.mode().values
ties = int((waiting == most_common).sum())
print(f"{ties} eruptions have a waiting time of exactly {most_common:.0f} minutes")

# %% [markdown]
# Take the single Gaussian with weight 0.95. Give weight 0.05 to a second component that sits on one eruption, with
# standard deviation $\sigma_2$ in every direction. Now shrink $\sigma_2$. The broad component keeps all other eruptions
# finite. The density on top of the chosen eruption grows like $\sigma_2^{-D}$. If $N_0$ eruptions share that place,
#
# $$\ell(\sigma_2) \approx \text{constant} - N_0 D \log \sigma_2 \quad\to\quad \infty \qquad (\sigma_2 \to 0)$$
#
# A component may also collapse onto a **line**. All $N_0$ eruptions with the same waiting time lie on one. Only one
# direction shrinks, so the slope is $-N_0$. Draw it and measure the slopes.

# %%
once, twice = distinct[counts == 1][0], distinct[counts == 2][0]
on_line = x[waiting == most_common]


def with_narrow_component(centre, stds):
    return MixtureParams(
        weights=torch.tensor([0.95, 0.05]),
        loc=torch.stack([single.loc[0], centre]),
        covariance=torch.stack([single.covariance[0], torch.diag(torch.stack(stds) ** 2)]),
    )


families = {  # the narrow component, and the slope that the text predicts
    "on one eruption": (lambda s: with_narrow_component(once, [s, s]), -1 * D),
    "on two that coincide": (lambda s: with_narrow_component(twice, [s, s]), -2 * D),
    f"on a line of {ties}": (
        lambda s: with_narrow_component(on_line.mean(0), [on_line[:, 0].std(), s]),
        -ties,
    ),
}
sigmas = torch.logspace(1, -7, 81)
curves = {}
for name, (family, predicted) in families.items():
    curves[name] = torch.stack([mixture.log_likelihood(x, family(sigma)) for sigma in sigmas])
    slope = (curves[name][-1] - curves[name][-11]) / (sigmas[-1] / sigmas[-11]).log()
    print(f"{name:21} predicted slope {predicted:3d}, measured {slope:7.3f}")
    assert abs(slope - predicted) < 1e-3, "not the slope that the text predicts"

# %%
fig, ax = plt.subplots(figsize=(7, 3.8))
for name, curve in curves.items():
    ax.semilogx(sigmas, curve, label=name)
ax.axhline(best_double, color="black", linestyle=":", label="the optimum of section 5")
ax.invert_xaxis()
ax.set_xlabel(r"standard deviation $\sigma_2$ of the narrow component (minutes)")
ax.set_ylabel("log-likelihood (nats)")
ax.set_title("The narrower, the better, without end")
ax.legend(loc="center left")
beaten = sigmas[torch.stack(list(curves.values())).amax(0) > best_double].max()
print(f"the line beats the sensible optimum from a width of {beaten * 60:.4f} seconds on")

# %% [markdown]
# A single Gaussian cannot do this. Shrink it onto one place, and the eruptions elsewhere become impossible.

# %%
for sigma in (1.0, 0.1):
    covariance = sigma**2 * torch.eye(2)[None]
    shrunk = MixtureParams(weights=torch.ones(1), loc=twice[None], covariance=covariance)
    value = mixture.log_likelihood(x, shrunk)
    print(f"one Gaussian on that eruption, {sigma} min wide: log-likelihood {value:.0f}")

# %% [markdown]
# **EM falls into the hole.** Start a narrow component on the duplicated eruption, and leave EM without protection.

# %%
doomed = with_narrow_component(twice, [torch.tensor(0.2), torch.tensor(0.2)])
try:
    mixture.fit_em(x, doomed, min_variance=0.0)
    raise AssertionError("EM survived: this cell no longer shows what it claims")
except ValueError as error:
    print(error)

# %% [markdown]
# **How to notice it.** A component with a weight near $1/N$ or $2/N$. A variance that shrinks at each step. A
# log-likelihood that jumps when it should settle. A training score far above the held-out score.
#
# **Three cures.**
#
# 1. **Restarts.** Throw collapsed runs away. They help, but "keep the best likelihood" is then the wrong rule: the
#    best likelihood *is* the collapse.
# 2. **A floor.** No standard deviation below the resolution of your measurement. After each M-step, raise the
#    eigenvalues of $\Sigma_k$ to at least $\sigma_{\min}^2$. This is what `course_lib` does (`min_variance`, in
#    squared units of $x$; its default $10^{-6}$ only prevents the breakdown, so choose your own). Clipping is the
#    exact maximum under the constraint, so the log-likelihood still never falls.
# 3. **A prior.** Say in advance that tiny covariances are improbable. Add the log of an inverse Wishart density with
#    parameters $\Psi$ and $\nu$,
#
# $$\log p(\Sigma_k) = -\tfrac{\nu + D + 1}{2} \log |\Sigma_k| - \tfrac12 \mathrm{tr}(\Psi \Sigma_k^{-1}) + \text{constant}$$
#
# to the log-likelihood and maximise the sum (maximum a posteriori, MAP). With $\hat\Sigma_k$ the weighted covariance
# of the plain M-step, only one line changes:
#
# $$\Sigma_k = \frac{\Psi + N_k \hat\Sigma_k}{\nu + D + 1 + N_k}$$
#
# So the prior acts like $\nu + D + 1$ extra eruptions for each component, whose squared deviations sum to $\Psi$. A
# component with few points falls back to $\Psi / (\nu + D + 1)$. Test the formula: the gradient must vanish.

# %%
nu = 2.0
psi = 0.01 * (nu + D + 1) * single.covariance[0]  # falls back to a tenth of the data's spread
resp = mixture.responsibilities(x, best)
plain = mixture.m_step(x, resp)


def map_covariance(counts, covariance):
    counts = counts[:, None, None]
    return (psi + counts * covariance) / (nu + D + 1 + counts)


def log_prior(covariance):
    trace_term = torch.trace(psi @ torch.linalg.inv(covariance))
    return -0.5 * (nu + D + 1) * torch.logdet(covariance) - 0.5 * trace_term


updated = map_covariance(resp.sum(0), plain.covariance).requires_grad_()
log_posterior = sum(
    (resp[:, k] * gaussian_log_density(x, plain.loc[k], updated[k])).sum() + log_prior(updated[k])
    for k in range(2)
)
gradient = torch.autograd.grad(log_posterior, updated)[0]
assert gradient.abs().max() < 1e-8, "the MAP update is not stationary"

wishart = scipy.stats.invwishart(df=nu, scale=psi.numpy())
ours = log_prior(best.covariance[1]) - log_prior(best.covariance[0])
theirs = wishart.logpdf(best.covariance[1].numpy()) - wishart.logpdf(best.covariance[0].numpy())
assert abs(ours - theirs) < 1e-8, "this is not the inverse Wishart density"

# %% [markdown]
# Which floor? Durations are noted in whole seconds, waiting times in whole minutes. Rounding to a minute alone gives a
# standard deviation of $1/\sqrt{12}$ minutes. So take six seconds, 0.1 minutes: above the resolution of the durations,
# and below every width of the healthy fit. It would also widen the narrow component of section 7, with its 0.06 minutes.
# A floor is a choice.

# %%
seconds = duration * 60
assert (seconds - seconds.round()).abs().max() < 0.05, "durations are whole seconds"
assert (waiting == waiting.round()).all(), "waiting times are whole minutes"
print(f"rounding to a minute: standard deviation {1 / math.sqrt(12):.2f} min")
print(
    f"narrowest component of the healthy fit: {torch.linalg.eigvalsh(best.covariance).min().sqrt():.2f} min"
)


# %%
def map_fit(params, num_steps=200):
    for _ in range(num_steps):
        resp = mixture.responsibilities(x, params)
        plain = mixture.m_step(x, resp)
        covariance = map_covariance(resp.sum(0), plain.covariance)
        params = MixtureParams(weights=plain.weights, loc=plain.loc, covariance=covariance)
    return params


FLOOR = 0.1**2  # squared minutes: no standard deviation below six seconds
cures = {
    "no cure": lambda begin: mixture.fit_em(x, begin, min_variance=0.0).params,
    "floor": lambda begin: mixture.fit_em(x, begin, min_variance=FLOOR).params,
    "prior": map_fit,
}
print("              doomed start                        healthy start")
print("             narrowest   log-likelihood         narrowest   log-likelihood")
for name, cure in cures.items():
    row = f"{name:8}"
    for begin in (doomed, start):
        try:
            result = cure(begin)
            narrowest = torch.linalg.eigvalsh(result.covariance).min().sqrt()
            row += f" {narrowest:9.2f} min {mixture.log_likelihood(x, result):14.2f}      "
        except ValueError:
            row += f" {'collapsed':>28}      "
    print(row)
unharmed = mixture.log_likelihood(x, cures["floor"](start))
assert abs(unharmed - best_double) < 1e-6, "the floor does not touch a healthy fit"

# %% [markdown]
# The floor leaves the healthy fit alone, to the last digit. The prior moves it by less than a fifth of a nat. On the
# doomed start, the floor holds the narrow component at the edge of the hole: finite, but poor, and a restart would
# mend it. The prior pushes the component out of the hole, and EM goes on to find the two clouds. A cure for the
# breakdown is not yet a cure for a bad start.

# %% [markdown]
# ## 9 · From a density to a decision
#
# An eruption has just ended. It lasted $d$ minutes. You want to walk away and be back before the next one. If you
# come back after $t$ minutes and the geyser waits $W$ minutes, then
#
# - you came early if $t < W$: you stand around, at $c_\mathrm{wait}$ per minute;
# - you came late if $t > W$: you missed it, and feel worse with every minute, at $c_\mathrm{miss}$ per minute.
#
# Which $t$ is best?
#
# ### What the duration tells you
#
# Condition the joint density on the duration. In each component the waiting time is Gaussian, given the duration. The
# weights change too, because the duration says something about the kind. The duration is coordinate 1, the waiting
# time coordinate 2 (in code, columns 0 and 1):
#
# $$\begin{aligned} \tilde\pi_k &\propto \pi_k\, \mathcal N(d \mid \mu_{k1}, \Sigma_{k,11}) \\ \tilde\mu_k &= \mu_{k2} + \frac{\Sigma_{k,21}}{\Sigma_{k,11}} (d - \mu_{k1}) \\ \tilde\sigma_k^2 &= \Sigma_{k,22} - \frac{\Sigma_{k,21}^2}{\Sigma_{k,11}} \end{aligned}$$
#
# (In this section $d$ is the duration, not the index of a coordinate.) The result is again a mixture, of one-dimensional
# Gaussians. `mixture.condition` computes these formulas, and in the exercise so do you. Test it by brute force: cut a slice through the joint
# density at $d = 2.9$ minutes, and divide it by its sum.

# %%
DURATION = 2.9
minutes = torch.linspace(20, 120, 10_001)
width = minutes[1] - minutes[0]


def slice_density(params, length=DURATION):
    slice_points = torch.stack([torch.full_like(minutes, length), minutes], -1)
    sliced = mixture.log_density(slice_points, params).exp()
    return sliced / (sliced.sum() * width)


conditional = mixture.condition(best, DURATION, given=0, target=1)
weights, means, stds = conditional
pieces = torch.distributions.Normal(means, stds).log_prob(minutes[:, None]).exp()
waiting_density = (weights * pieces).sum(-1)
difference = (waiting_density - slice_density(best)).abs().max()
assert difference < 1e-8, "the conditional is not the normalised slice"
for k in range(2):
    print(f"kind {k + 1}: weight {weights[k]:.3f}, mean {means[k]:.2f} min, std {stds[k]:.2f} min")

# %% [markdown]
# ### The best time to return
#
# Your expected cost is
#
# $$C(t) = c_\mathrm{wait}\, \mathbb E[\max(W - t, 0)] + c_\mathrm{miss}\, \mathbb E[\max(t - W, 0)]$$
#
# For a mixture it has a closed form. Let $b_k = (t - \tilde\mu_k) / \tilde\sigma_k$, and let $\varphi$ and $\Phi$ be
# the density and the distribution function of the standard normal. Then
#
# $$\begin{aligned} \mathbb E[\max(W - t, 0)] &= \sum_k \tilde\pi_k\, \tilde\sigma_k \big( \varphi(b_k) - b_k\, (1 - \Phi(b_k)) \big) \\ \mathbb E[\max(t - W, 0)] &= \sum_k \tilde\pi_k\, \tilde\sigma_k \big( \varphi(b_k) + b_k\, \Phi(b_k) \big) \end{aligned}$$
#
# Where is the minimum? One minute later saves $c_\mathrm{wait}$ if the geyser is still waiting, which has probability
# $1 - F(t)$, and costs $c_\mathrm{miss}$ if it is not, which has probability $F(t)$. Here $F$ is the distribution
# function of $W$. At the best time $t^\star$ the two balance:
#
# $$C'(t) = -c_\mathrm{wait}\, (1 - F(t)) + c_\mathrm{miss}\, F(t) = 0 \quad\Rightarrow\quad F(t^\star) = \frac{c_\mathrm{wait}}{c_\mathrm{wait} + c_\mathrm{miss}}$$
#
# The best time is a **quantile**. Not the mean, not the mode. Say that a minute too late costs four times a minute of
# waiting.

# %%
COST_WAIT, COST_MISS = 1.0, 4.0
LEVEL = COST_WAIT / (COST_WAIT + COST_MISS)


def cost_of(t, wait):
    return COST_WAIT * (wait - t).clamp(min=0) + COST_MISS * (t - wait).clamp(min=0)


def expected_cost(t, conditional):
    weights, means, stds = conditional
    b = (t[..., None] - means) / stds
    density, below = torch.exp(-0.5 * b**2) / math.sqrt(2 * math.pi), torch.special.ndtr(b)
    early = (weights * stds * (density - b * (1 - below))).sum(-1)
    late = (weights * stds * (density + b * below)).sum(-1)
    return COST_WAIT * early + COST_MISS * late


for t in torch.tensor([55.0, 65.0, 75.0]):
    summed = (waiting_density * cost_of(t, minutes)).sum() * width
    closed_form = expected_cost(t, conditional)
    assert abs(summed - closed_form) < 1e-3, "the closed form is not the integral"
    print(f"expected cost at {t:.0f} min: {closed_form:.2f} (summed on a grid: {summed:.2f})")

# %% [markdown]
# Now the derivative, and the claim that the quantile is the minimum.

# %%
t_star = mixture.quantile(conditional, LEVEL)
for t in (torch.tensor(65.0), t_star):
    t_free = t.clone().requires_grad_()
    derivative = torch.autograd.grad(expected_cost(t_free, conditional), t_free)[0]
    below = mixture.cdf(conditional, t)
    assert abs(derivative - (COST_MISS * below - COST_WAIT * (1 - below))) < 1e-8, "not C'(t)"
assert abs(derivative) < 1e-8, "the quantile is not stationary"
by_grid = minutes[expected_cost(minutes, conditional).argmin()]
assert abs(by_grid - t_star) <= width, "the quantile is not the minimum"
print(f"the {LEVEL:.0%} quantile: {t_star:.2f} min; the cheapest time on a grid: {by_grid:.2f} min")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
left.plot(minutes, waiting_density, color=DOUBLE, label="mixture")
left.plot(minutes, slice_density(single), color=SINGLE, label="one Gaussian")
left.set(
    xlabel="waiting time (minutes)", ylabel="density (per minute)", xlim=(40, 90), ylim=(0, 0.09)
)
left.set_title(f"After {DURATION} minutes two kinds are still possible")
left.legend()

times = torch.linspace(44, 76, 321)
mean_time = (conditional.weights * conditional.loc).sum()
naive = mixture.quantile(mixture.condition(single, DURATION, given=0, target=1), LEVEL)
right.plot(times, expected_cost(times, conditional), color=DOUBLE)
choices = (
    ("quantile", t_star, "o"),
    ("quantile of one Gaussian", naive, "^"),
    ("mean", mean_time, "s"),
)
for name, t, marker in choices:
    cost = expected_cost(t, conditional)
    right.plot(
        t, cost, marker, markersize=8, color="black", label=f"{name}: {t:.1f} min, cost {cost:.1f}"
    )
right.set(xlabel="time of return (minutes)", ylabel="cost (minutes of waiting)", ylim=(8, 50))
right.set_title("Coming back at the mean is too late")
_ = right.legend(loc="upper left", fontsize=9)

# %% [markdown]
# ### Does it pay on real eruptions?
#
# A model always likes its own decisions. So test them on eruptions that it has not seen: ten folds again. Here are
# six rules, from none of the ideas to all of them.


# %%
def decide(train, d):
    one = mixture.m_step(train, torch.ones(len(train), 1))
    two = mixture.fit_em(train, 2, num_restarts=5, generator=seeded()).params
    gauss, mix = (mixture.condition(params, d, given=0, target=1) for params in (one, two))
    return {
        "always the mean wait": train[:, 1].mean().expand(len(d)),
        "always the 20 % quantile": train[:, 1].quantile(LEVEL).expand(len(d)),
        "one Gaussian, mean": (gauss.weights * gauss.loc).sum(-1),
        "mixture, mean": (mix.weights * mix.loc).sum(-1),
        "one Gaussian, quantile": mixture.quantile(gauss, LEVEL),
        "mixture, quantile": mixture.quantile(mix, LEVEL),
    }


returns = {}
for train, test in folds(shuffle=0):
    for rule, times in decide(x[train], duration[test]).items():
        returns.setdefault(rule, torch.zeros(N))[test] = times

costs = {rule: cost_of(times, waiting) for rule, times in returns.items()}
print(f"{'rule':26} {'average cost':>12} {'too late':>10}")
for rule, cost in costs.items():
    print(f"{rule:26} {cost.mean():12.2f} {(returns[rule] > waiting).double().mean():10.0%}")


# %%
def saving(rule, than, where=None):
    saved = costs[than] - costs[rule]
    saved = saved if where is None else saved[where]
    return f"{saved.mean():.2f} ± {saved.std() / math.sqrt(len(saved)):.2f}"


print("minutes of waiting saved per eruption (± standard error)")
print(
    "the duration, not only the quantile:",
    saving("one Gaussian, quantile", "always the 20 % quantile"),
)
print("quantile, not the mean:             ", saving("mixture, quantile", "mixture, mean"))
print("mixture, not one Gaussian:          ", saving("mixture, quantile", "one Gaussian, quantile"))
print(
    f"  on the {in_gap.sum()} eruptions in the gap:      ",
    saving("mixture, quantile", "one Gaussian, quantile", in_gap),
)
assert costs["mixture, quantile"].mean() < costs["mixture, mean"].mean() - 2

# %% [markdown]
# Where would you expect the mixture to help? Where it disagrees with the single Gaussian about the waiting time. Measure
# that by the **total variation**, half the integral of the absolute difference of the two densities: the largest
# difference in the probability of any event.

# %%
lengths = torch.linspace(1.6, 5.1, 36)  # minutes, the range of the data
disagreement = torch.stack(
    [0.5 * (slice_density(best, d) - slice_density(single, d)).abs().sum() * width for d in lengths]
)
for i in (2, 15, 28):
    print(f"after {lengths[i]:.1f} minutes: total variation {disagreement[i]:.2f}")
most = lengths[disagreement.argmax()]
print(f"the two disagree most after {most:.1f} minutes")
assert low < most < high, "the largest disagreement is not in the gap"

# %% [markdown]
# Be honest about who earned what. Using the duration saves most, almost 13 minutes of waiting per eruption. Asking for
# the quantile and not the mean comes next: that is the decision, not the model. The second component adds a little on
# average, less than two standard errors. The two models disagree most in the gap, but only twelve eruptions are there.
# On them the saving is smaller than its standard error. A density that is better by 160 nats need not be a much better
# decision.

# %% [markdown]
# ## 10 · The bridge: infinitely many components
#
# So far $z$ was one of $K$ kinds. Let it now be a **number** with a standard normal prior. A smooth function
# $g_\theta$, the **decoder**, says where on the plane each $z$ lands, and noise does the rest:
#
# $$\begin{aligned} z &\sim \mathcal N(0, 1) \\ x &= g_\theta(z) + \sigma \odot \varepsilon, \qquad \varepsilon \sim \mathcal N(0, I) \end{aligned}$$
#
# You see only $x$, so you sum $z$ out again. The sum has become an integral:
#
# $$p(x) = \int p(z)\, p(x \mid z)\, dz = \int \mathcal N(z \mid 0, 1)\; \mathcal N(x \mid g_\theta(z), \sigma)\, dz$$
#
# This is a **deep latent variable model**, a mixture with one component for each number $z$. Can you compute it? Cut
# the prior into $K$ cells of equal probability, and put one component at the middle $z_k$ of each:
#
# $$p_K(x) = \sum_{k} \frac1K\, \mathcal N\big(x \mid g_\theta(z_k), \sigma\big), \qquad z_k = \Phi^{-1}\Big(\frac{k - \frac12}{K}\Big)$$
#
# That is a mixture whose means are tied to a curve. You have all the code for it. Let $g_\theta$ be a small neural
# network, take $K = 64$, and fit by gradient ascent on the 272 eruptions.

# %%
generator = torch.Generator().manual_seed(2)
WIDTH = 8
decoder = torch.nn.Sequential(torch.nn.Linear(1, WIDTH), torch.nn.Tanh(), torch.nn.Linear(WIDTH, D))
for parameter in decoder.parameters():
    _ = torch.nn.init.normal_(parameter, std=0.5, generator=generator)
log_scale = torch.nn.Parameter(torch.full((D,), -0.5))


def along_the_curve(K):
    z = torch.special.ndtri((torch.arange(K) + 0.5) / K)
    return MixtureParams(  # in scaled units: weights (K,), means (K, D), variances (K, D)
        weights=torch.full((K,), 1 / K),
        loc=decoder(z[:, None]),
        covariance=torch.exp(2 * log_scale).expand(K, D),
    )


optimiser = torch.optim.Adam([*decoder.parameters(), log_scale], lr=0.02)
for _ in range(200 if FAST else 800):
    loss = -mixture.log_density(scaled, along_the_curve(64)).mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()

number_of_parameters = sum(p.numel() for p in decoder.parameters()) + log_scale.numel()
with torch.no_grad():
    curve_fit = (mixture.log_likelihood(scaled, along_the_curve(64)) - log_jacobian).item()
curve_bic = -2 * curve_fit + number_of_parameters * math.log(N)
print("                        log-likelihood   parameters      BIC")
print(f"deep model, K = 64      {curve_fit:14.2f} {number_of_parameters:12d} {curve_bic:8.1f}")
print(
    f"mixture of two          {best_double:14.2f} {mixture.num_free_parameters(2, D):12d} {bics[2]:8.1f}"
)

# %% [markdown]
# Your first deep latent variable model. Its log-likelihood is higher, and it paid with more than three times the
# parameters. (BIC is about 100 units worse. That is not the point here.)
#
# **Does the sum reach the integral?** Keep the decoder fixed. Compare $p_K$ for growing $K$ with the integral,
# computed by the trapezoid rule on a very fine grid of $z$. The distance is again the total variation (TV): the largest
# error that $p_K$ makes on the probability of any event.

# %%
plane_1, plane_2 = torch.linspace(0.5, 6.0, 111), torch.linspace(30, 110, 111)
plane = (torch.cartesian_prod(plane_1, plane_2) - shift) / scale
plane_area = (plane_1[1] - plane_1[0]) * (plane_2[1] - plane_2[0]) / scale.prod()


@torch.no_grad()
def integral_over_z(points, num_nodes=2001):
    z = torch.linspace(-6, 6, num_nodes)
    log_prior = torch.distributions.Normal(0.0, 1.0).log_prob(z)
    variances = torch.exp(2 * log_scale).expand(num_nodes, D)
    log_likelihood = mixture.component_log_density(points, decoder(z[:, None]), variances)
    return (log_prior + log_likelihood).exp().sum(-1) * (z[1] - z[0])


exact = integral_over_z(plane)
finer = integral_over_z(plane[::50], 8001)
assert abs(exact.sum() * plane_area - 1) < 1e-3, "the integral is not a density on the plane"
assert (finer - exact[::50]).abs().max() < 1e-6 * exact.max(), "the grid of z is too coarse"
under_integral = (integral_over_z(scaled).log().sum() - log_jacobian).item()
print(f"log-likelihood under the sum of 64:   {curve_fit:.2f} nats")
print(f"log-likelihood under the integral:    {under_integral:.2f} nats")

# %% [markdown]
# Check the integral against the story: draw $z$, decode it, add noise. Then let $K$ grow.

# %%
with torch.no_grad():
    z = torch.randn(100_000, 1, generator=generator)
    noise = torch.randn(100_000, D, generator=generator)
    draws = (decoder(z) + log_scale.exp() * noise) * scale + shift
share = (draws[:, 0] > 3.2).double().mean()
mass = exact[(plane * scale + shift)[:, 0] > 3.2].sum() * plane_area
assert abs(share - mass) < 0.01, "sampling and integrating disagree"
print(f"eruptions longer than 3.2 min: {share:.2f} of the draws, {mass:.2f} of the integral")

distances = {}
for K in (2, 4, 8, 16, 32, 64, 128, 256):
    with torch.no_grad():
        finite = mixture.log_density(plane, along_the_curve(K)).exp()
    distances[K] = (0.5 * (finite - exact).abs().sum() * plane_area).item()
    print(f"K = {K:3d}: total variation {distances[K]:.4f}")
assert all(before > after for before, after in pairwise(distances.values())), "it must fall with K"


# %%
def draw_along_the_curve(ax, density, dots):  # dots in scaled units, (K, 2)
    ax.contourf(plane_1, plane_2, density.reshape(111, 111).T.sqrt(), levels=12, cmap="Blues")
    ax.plot(
        *(decoder(torch.linspace(-3, 3, 301)[:, None]) * scale + shift).T,
        color=plots.COLOURS[1],
        linewidth=1,
    )
    ax.plot(
        *(dots * scale + shift).T,
        "o",
        color=plots.COLOURS[2],
        markeredgecolor="white",
        markeredgewidth=0.5,
        markersize=9 / max(len(dots), 1) ** 0.15,
    )
    ax.plot(duration, waiting, ".", color="black", markersize=1.5, alpha=0.5)
    ax.set(xlabel="duration (minutes)", xlim=(1.2, 5.4), ylim=(38, 100))


fig, axes = plt.subplots(1, 4, figsize=(9.5, 3.2), sharex=True, sharey=True)
with torch.no_grad():
    for ax, K in zip(axes, (2, 8, 64), strict=False):
        params = along_the_curve(K)
        draw_along_the_curve(ax, mixture.log_density(plane, params).exp(), params.loc)
        ax.set_title(f"K = {K}: TV {distances[K]:.3f}")
    draw_along_the_curve(axes[3], exact, torch.empty(0, D))
axes[3].set_title("the integral")
_ = axes[0].set_ylabel("waiting time (minutes)")

# %% [markdown]
# The orange line is the decoder: where each $z$ lands, without noise. The green dots are the means of the components.
# (Shades show the square root of the density.)
# The curve folds back inside each cloud to make it wide. With 64 components along it, the sum is the integral for all
# practical purposes.
#
# So are we done with latent variable models? Count the components. With one hidden number you need 64. With $M$
# hidden numbers and the same recipe you need a grid, and
#
# $$\text{number of components} = K^M$$

# %%
for M in (1, 2, 3):
    z_grid = torch.cartesian_prod(*[torch.arange(4)] * M).reshape(-1, M)
    assert len(z_grid) == 4**M
print(f"one pass over {N} eruptions at a billion terms a second")
for M in (1, 2, 5, 10, 20):
    seconds = 64.0**M * N / 1e9
    print(
        f"M = {M:2d}: {64.0**M:8.1e} components, {seconds:8.1e} s = {seconds / 3.156e7:8.1e} years"
    )

with torch.no_grad():
    ordered = mixture.responsibilities(scaled, along_the_curve(64)).sort(-1, descending=True).values
needed = (ordered.cumsum(-1) < 0.99).sum(-1) + 1
print(f"99 % of an eruption's posterior: {needed.double().mean():.0f} of 64 components, on average")

# %% [markdown]
# A face needs dozens of hidden numbers: pose, light, hair, smile. The sum is out of reach, and so is the posterior
# $r_{nk}$, whose denominator is that sum. But most terms are almost zero for a given $x$: already in one dimension,
# 15 of 64 give 99 % of the posterior. If only you knew which ones are not. That is the question of unit 02.

# %% [markdown]
# ## 11 · What goes wrong
#
# Five classic mistakes, made on purpose. Learn the symptom, and you find the mistake in minutes.
#
# ### The variance taken for the standard deviation
#
# `Normal(loc, scale)` wants $\sigma$. Someone passes $\sigma^2$.

# %%
for d, name in enumerate(("duration", "waiting time")):
    column = x[:, d]
    for label, spread in (("σ", column.std(correction=0)), ("σ²", column.var(correction=0))):
        value = torch.distributions.Normal(column.mean(), spread).log_prob(column).mean()
        print(f"{name:13} with {label:2} = {spread:7.3f}: {value:8.3f} nats per eruption")

# %% [markdown]
# Symptom: nearly invisible where $\sigma \approx 1$ (duration), expensive elsewhere (waiting time). Test with a
# $\sigma$ far from 1.
#
# ### A mixture for each coordinate
#
# It is tempting to fit one mixture to the durations, another to the waiting times, and multiply. Then the kind is
# drawn **twice**, and a short eruption may get the wait of a long one.

# %%
margins = [
    mixture.fit_em(x[:, [d]], 2, num_restarts=5, generator=seeded()).params for d in range(D)
]
wrong = MixtureParams(  # the product of the two, written as a mixture of the four pairs
    weights=torch.cartesian_prod(*[params.weights for params in margins]).prod(-1),
    loc=torch.cartesian_prod(*[params.loc[:, 0] for params in margins]),
    covariance=torch.cartesian_prod(*[params.covariance[:, 0, 0] for params in margins]),
)
product = sum(mixture.log_density(x[:, [d]], margins[d]) for d in range(D))
assert torch.allclose(product, mixture.log_density(x, wrong)), "the product is a mixture of four"

ghosts = (wrong.loc[:, 0] < 3.2) != (wrong.loc[:, 1] < 67)
for d, name in enumerate(("duration", "waiting time")):
    centres, stds = wrong.loc[:, d].numpy(), wrong.covariance[:, d].sqrt().numpy()
    steps = scipy.stats.norm.cdf(x[:, d].numpy()[:, None], centres, stds) @ wrong.weights.numpy()
    distance = scipy.stats.kstest(steps, "uniform").statistic
    print(f"margin of the {name}: largest error of its distribution function {distance:.3f}")
print(f"exceeded by chance in one of twenty samples: {scipy.stats.kstwo.ppf(0.95, N):.3f}")
print(f"mass of the two ghosts: {wrong.weights[ghosts].sum():.1%}")
print(f"eruptions there:        {((duration < 3.2) != (waiting < 67)).double().mean():.1%}")
print(f"log-likelihood:         {product.sum():.2f}")
print(
    f"one kind for both:      {diagonal.log_likelihoods[-1]:.2f} (the diagonal mixture of section 5)"
)

# %%
fig, axes = plt.subplots(1, 2, figsize=(9.5, 3.7), sharex=True, sharey=True)
titles = ("A mixture for each coordinate: two ghosts", "One kind for both coordinates")
for ax, params, title in zip(axes, (wrong, diagonal.params), titles, strict=True):
    plots.draw_eruptions(ax, x)
    ax.set(**PLANE, xlim=(1, 5.6), ylim=(38, 100))
    plots.draw_log_density(ax, lambda points, params=params: mixture.log_density(points, params))
    ax.set_title(title)
    ax.label_outer()
for centre in wrong.loc[ghosts].tolist():
    axes[0].annotate(
        "ghost",
        centre,
        ha="center",
        va="center",
        color=plots.COLOURS[1],
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
    )

# %% [markdown]
# Symptom: hills at $(\mu_{11}, \mu_{22})$ and $(\mu_{21}, \mu_{12})$, the duration of one kind with the wait of the
# other, where hardly any data is. Both margins fit: the largest error is 0.05, and chance alone exceeds
# 0.08 in one of twenty samples. So check the plane, not the margins.
#
# ### Responsibilities normalised over the data
#
# A softmax over the wrong axis: the columns sum to one, not the rows.

# %%
weights, means, covariances = start.weights, start.loc, start.covariance
print("       sum of          sum of        duration in the components:")
print("step   the first row   the weights   means             stds")
for step in range(8):
    log_joint = weights.log() + mixture.component_log_density(x, means, covariances)
    wrong_resp = torch.softmax(log_joint, 0)  # axis 0: the data
    counts = wrong_resp.sum(0)
    weights = counts / len(x)
    means = wrong_resp.T @ x / counts[:, None]
    spreads = [torch.cov(x.T, correction=0, aweights=wrong_resp[:, k]) for k in range(2)]
    covariances = torch.stack(spreads)
    centres, stds = means[:, 0].tolist(), covariances[:, 0, 0].sqrt().tolist()
    durations = f"{centres[0]:.3f} and {centres[1]:.3f}   {stds[0]:.3f} and {stds[1]:.3f}"
    print(f"{step:4d} {wrong_resp[0].sum():15.4f} {weights.sum():13.4f}   {durations}")
assert abs(wrong_resp.sum() - 2) < 1e-9, "the columns sum to one: K in all, where N should be"
assert torch.isclose(weights.sum(), torch.tensor(2 / N)), (
    "the weights sum to K/N, where 1 should be"
)

# %% [markdown]
# Symptom: every $N_k$ is 1, so the weights sum to $K/N = 2/272$ and not to 1. Both means go to the same spot, short
# eruptions of less than 1.9 minutes, and the components shrink with each step. One assertion catches it: `resp.sum(-1)`
# is one. (The cell works with bare tensors, because `course_lib` refuses such weights.)
#
# ### The order of the labels taken for an identity
#
# Average the fits of several restarts, "to be safe".

# %%
ten_fits = [mixture.fit_em(x, 2, generator=seeded(seed)).params for seed in range(10)]
in_order = [params.sorted_by_loc() for params in ten_fits]


def average(all_params):
    return MixtureParams(
        weights=torch.stack([p.weights for p in all_params]).mean(0),
        loc=torch.stack([p.loc for p in all_params]).mean(0),
        covariance=torch.stack([p.covariance for p in all_params]).mean(0),
    )


for name, group in (("as they come", ten_fits), ("sorted first", in_order)):
    averaged = average(group)
    first, second = averaged.loc[:, 0].tolist()
    value = mixture.log_likelihood(x, averaged)
    print(f"{name}: mean durations {first:.2f} and {second:.2f} min, log-likelihood {value:.2f}")
flipped = sum(int(params.loc[0, 0] > params.loc[1, 0]) for params in ten_fits)
print(f"{flipped} of {len(ten_fits)} restarts have the long eruptions first")
assert 0 < flipped < len(ten_fits)

# %% [markdown]
# Symptom: ten perfect fits average to a bad one, with both means between the clouds. Sort, or compare only what does
# not depend on the order: the density, the log-likelihood.
#
# ### Standardised data, and no Jacobian
#
# Many recipes scale each column to standard deviation 1 first. Let $\hat\mu_d$ and $\hat\sigma_d$ be the mean and the
# standard deviation of column $d$. With $u_d = (x_d - \hat\mu_d) / \hat\sigma_d$ the density changes its unit:
#
# $$\log p_x(x) = \log p_u(u) - \sum_d \log \hat\sigma_d \qquad\text{so}\qquad \ell_x = \ell_u - N \sum_d \log \hat\sigma_d$$

# %%
result = mixture.fit_em(scaled, 2, num_restarts=5, generator=seeded())
scaled_fit = result.log_likelihoods[-1]
print(f"log-likelihood in standardised units: {scaled_fit:10.4f}")
print(f"Jacobian term, N times the sum:       {log_jacobian:10.4f}")
print(f"the first minus the second:           {scaled_fit - log_jacobian:10.4f}")
print(f"log-likelihood in minutes:            {best_double:10.4f}")
assert abs(scaled_fit - log_jacobian - best_double) < 1e-4

# %% [markdown]
# Symptom: a likelihood that is far "better" than the published one. Log-likelihoods of continuous data compare only
# in the same units.

# %% [markdown]
# ## Summary
#
# - A hidden variable turns simple pieces into a density that no single piece can make. On Old Faithful one hidden bit
#   is worth 160 nats.
# - Joint, marginal, posterior: multiply, sum, divide. Always in logarithms.
# - The gradient with a hidden variable is the posterior average of the gradient without.
# - EM alternates the posterior and weighted averages. It raises a lower bound that touches the log-likelihood, so it
#   never loses. It needs a sum over $z$ that you can do.
# - Gradient ascent reaches the same top with more steps and fewer conditions.
# - The likelihood of a mixture has no maximum. What you want is a sensible local one: floor or prior, and restarts.
# - BIC and held-out scores choose $K$; report how close the call was.
# - A decision needs a quantile of the conditional density. The costs say which.
# - With continuous $z$ the sum becomes an integral. In one dimension 64 components do. In twenty no such sum is
#   affordable.
#
# ## Exercise
#
# `exercises/01_mixture_models` asks you to build this yourself: the densities, the responsibilities, one EM step, a
# gradient fit, sampling, BIC, a fit that cannot collapse, and the time to come back to the geyser. Two questions ask
# you to predict a number before you compute it. Two are answered in words: the Lagrange multiplier, and why there is
# no maximum.
#
# ## References
#
# - A. Azzalini and A. W. Bowman (1990). A look at some data on the Old Faithful geyser. *Applied Statistics* 39,
#   357–365. (The geyser, from a longer record. The 272 eruptions here are R's `datasets::faithful`.)
# - A. P. Dempster, N. M. Laird and D. B. Rubin (1977). Maximum likelihood from incomplete data via the EM algorithm.
#   *Journal of the Royal Statistical Society B* 39, 1–38.
# - C. M. Bishop (2006). *Pattern Recognition and Machine Learning*. Springer. Chapter 9: section 9.2 and equations
#   (9.23)–(9.26) for EM, section 9.2.1 for singularities, section 9.4 and equation (9.70) for the bound; equations
#   (2.81) and (2.82) for conditional Gaussians.
# - G. Schwarz (1978). Estimating the dimension of a model. *The Annals of Statistics* 6, 461–464.
# - G. McLachlan and D. Peel (2000). *Finite Mixture Models*. Wiley.
# - L. Xu and M. I. Jordan (1996). On convergence properties of the EM algorithm for Gaussian mixtures. *Neural
#   Computation* 8, 129–151.
# - K. P. Murphy (2022). *Probabilistic Machine Learning: An Introduction*. MIT Press. Section 3.5 for mixture models,
#   section 8.7 for EM as the climbing of bounds.
