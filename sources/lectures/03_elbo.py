# %% [markdown]
# # 03 · The evidence lower bound
#
# **How do you optimise what you cannot compute?**
#
# Unit 02 estimated the integral $p(x) = \int p(x, z)\, dz$, and ended with a question: where do you find a good
# proposal, when no oracle tells you the posterior? Now you want even more: to *maximise* $\log p(x)$ over the
# parameters of a model, at every step of a gradient ascent. One idea answers both, and it never computes the
# integral. You build something that lies below $\log p(x)$, that you *can* compute, and you push it up. It is called
# the evidence lower bound, the **ELBO**. The distance that remains has a name and a formula.
#
# In this lecture nothing has to be believed. On every model here you can also compute the true $\log p(x)$, so each
# claim about the bound is held against the truth.
#
# **When you have read this, you can**
#
# - draw and measure Jensen's inequality, and say when it is an equality;
# - derive the ELBO in three ways, and choose the form to compute with;
# - show that $\log p(x)$ is the ELBO plus a Kullback–Leibler (KL) divergence, to the last digit, on three models;
# - say what a fit by $\mathrm{KL}(q \,\Vert\, p)$ does, what one by $\mathrm{KL}(p \,\Vert\, q)$ does, and measure
#   both;
# - fit $q$ by gradient, and learn a model by the gradient of a bound;
# - say what a factorised $q$ costs, in nats, and what it does to the model you learn with it;
# - compute the gradient of a mean in two ways, and predict the variance of each;
# - tighten the bound with importance weights, predict how fast, and name what gets worse;
# - see EM of unit 01 as the climbing of this bound;
# - recognise ten classic mistakes by their symptoms.
#
# You need units 01 and 02: mixtures and EM, importance weights, the effective sample size. Log-likelihoods are in
# **nats**. Symbols follow the notation table in `lectures/README.md`. After almost every equation comes a cell that
# tests it.

# %%
import math
import os
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch.distributions import Independent, MultivariateNormal, Normal

from course_lib import mixture, monte_carlo, plots, variational
from course_lib.data import digits, old_faithful
from course_lib.explorer import bound_explorer
from course_lib.linear_gaussian import LinearGaussian, fit_maximum_likelihood, mean_field_optimum
from course_lib.mixture import MixtureParams

FAST = os.environ.get("COURSE_FAST") == "1"  # smaller sizes, same code
_ = torch.set_num_threads(1)  # the arrays are small: a second thread would only wait
torch.set_default_dtype(torch.float64)
plots.use_style()
BLUE, ORANGE, GREEN = plots.COLOURS[:3]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# ## 1 · What you cannot compute
#
# Start with one hidden number. A voltage $z$ is standard normal. A meter shows its **power**, $z^2$ watts in a
# resistor of one ohm, with an error of standard deviation $\sigma = 0.5$ watts:
#
# $$\begin{aligned} p(z) &= \mathcal N(z \mid 0, 1) \\ p(x \mid z) &= \mathcal N(x \mid z^2, \sigma) \end{aligned}$$
#
# The meter shows $x = 2$. What was the voltage, and how probable was this reading? The square has lost the sign, so
# expect two answers to the first question. The answer to the second is an integral that has no simple formula:
#
# $$p(x) = \int p(z)\, p(x \mid z)\, dz$$
#
# With **one** hidden number you can still do it by a fine grid (the trapezoid rule), and you will. That is your
# oracle for this section. For the twenty hidden numbers of a small autoencoder it is out of reach: unit 02 counted
# the cells.

# %%
READING, NOISE_STD = 2.0, 0.5  # watts
grid = torch.linspace(-12, 12, 4801)  # volts
prior = Normal(0.0, 1.0)


def power_log_joint(z, reading=READING, noise_std=NOISE_STD):
    return prior.log_prob(z) + Normal(z**2, noise_std).log_prob(torch.tensor(reading))


def integrate(values):
    return torch.trapezoid(values, grid)


log_joint = power_log_joint(grid)
log_evidence = integrate(log_joint.exp()).log()
posterior = (log_joint - log_evidence).exp()
coarse = torch.trapezoid(log_joint[::10].exp(), grid[::10]).log()
assert abs(integrate(posterior) - 1) < 1e-12, "a posterior integrates to one"
assert abs(coarse - log_evidence) < 1e-12, "a grid ten times coarser must give the same"
assert torch.isclose(variational.log_integral(log_joint, grid), log_evidence), "the library agrees"
positive = integrate(torch.where(grid > 0, posterior * grid, 0.0)) / 0.5
print(f"log p(x) = {log_evidence:.6f} nats, on the fine grid and on the coarse one")
print(f"mean voltage, if it was positive: {positive:.3f} V")
print(f"square root of the reading:       {READING**0.5:.3f} V")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.5))
left.plot(grid, prior.log_prob(grid).exp(), color=BLUE, label="prior $p(z)$")
left.fill_between(grid, posterior, color=plots.DATA, alpha=0.35, label="posterior $p(z \\mid x)$")
left.set(xlim=(-3.2, 3.2), xlabel="voltage z (volts)", ylabel="density (per volt)", ylim=(0, 1.5))
left.set_title("The meter cannot tell plus from minus")
left.legend(ncols=2, loc="upper center", fontsize=9)
readings = torch.linspace(-1.5, 8, 200)
log_marginals = variational.log_integral(
    torch.stack([power_log_joint(grid, reading.item()) for reading in readings]), grid
)
right.plot(readings, log_marginals, color="black")
right.plot(READING, log_evidence, "o", color=ORANGE, label="the reading")
right.set(xlabel="reading x (watts)", ylabel="$\\log p(x)$ (nats)")
right.set_title("The evidence, one integral for each reading")
_ = right.legend()

# %% [markdown]
# Two tasks hang on this integral.
#
# - **Inference**: the posterior $p(z \mid x) = p(x, z) / p(x)$. Its denominator is the integral.
# - **Learning**: to fit $\theta$, here the error $\sigma$ of the meter, you need the gradient of $\log p_\theta(x)$.
#   You know it from section 4 of [unit 01](01_mixture_models.ipynb). It is the gradient of the log joint, averaged
#   over the posterior. The posterior again:
#
# $$\frac{\partial}{\partial \theta} \log p_\theta(x) = \int p_\theta(z \mid x)\, \frac{\partial}{\partial \theta} \log p_\theta(x, z)\, dz$$

# %%
sigma = torch.tensor(NOISE_STD, requires_grad=True)
log_px = integrate(
    (prior.log_prob(grid) + Normal(grid**2, sigma).log_prob(torch.tensor(READING))).exp()
).log()
left_side = torch.autograd.grad(log_px, sigma)[0]
slope_of_log_joint = (READING - grid**2) ** 2 / NOISE_STD**3 - 1 / NOISE_STD  # in σ, at each z
right_side = integrate(posterior * slope_of_log_joint)
assert abs(left_side - right_side) < 1e-10, "not the posterior average of the gradients"
print(f"gradient in σ, both ways: {left_side:.6f} and {right_side:.6f} nats per watt")

# %% [markdown]
# [Unit 02](02_monte_carlo.ipynb) estimated the integral by draws, one $x$ at a time, with a fixed model. To learn,
# you would need that estimate, and the gradient of its logarithm, at every step, for every example. So change the
# question. Do not compute $\log p(x)$. Find something **below** it that is easy to compute, and push that up.

# %% [markdown]
# ## 2 · Jensen's inequality
#
# ### On a chord
#
# Take two positive numbers $w_1, w_2$ with probabilities $\pi_1 + \pi_2 = 1$. The logarithm is concave: it bends
# downwards. So the straight line between two of its points, the **chord**, lies below the curve:
#
# $$\log(\pi_1 w_1 + \pi_2 w_2) \;\ge\; \pi_1 \log w_1 + \pi_2 \log w_2$$
#
# On the left is the log of the mean, on the curve. On the right is the mean of the logs, on the chord. Both stand
# above the same point of the axis, the mean $\pi_1 w_1 + \pi_2 w_2$. Walk along the whole chord and measure the
# distance.

# %%
W_1, W_2, PI_1 = 0.25, 4.0, 0.6
shares = torch.linspace(0, 1, 101)  # of the first number
on_curve = torch.log(shares * W_1 + (1 - shares) * W_2)
on_chord = shares * math.log(W_1) + (1 - shares) * math.log(W_2)
assert (on_curve >= on_chord - 1e-15).all(), "the chord must stay below the curve"
assert (on_curve - on_chord)[[0, -1]].abs().max() < 1e-15, "they meet where w is certain"

mean_w = PI_1 * W_1 + (1 - PI_1) * W_2
log_of_mean, mean_of_log = math.log(mean_w), PI_1 * math.log(W_1) + (1 - PI_1) * math.log(W_2)
print(f"mean of w:        {mean_w:.3f}")
print(f"log of the mean:  {log_of_mean:7.4f} nats")
print(f"mean of the logs: {mean_of_log:7.4f} nats")
print(f"Jensen gap: {log_of_mean - mean_of_log:.4f} nats")

# %% [markdown]
# ### For any distribution
#
# Two points become any number of points by the same argument, but there is a proof that needs no picture. Put a
# **tangent** to the curve at the mean $\bar w = \mathbb E[w]$. A concave curve lies below its tangents:
#
# $$\log w \;\le\; \log \bar w + \frac{w - \bar w}{\bar w}$$
#
# Now take the mean on both sides. The last term vanishes, and **Jensen's inequality** for the logarithm (Jensen 1906)
# is left:
#
# $$\mathbb E[\log w] \;\le\; \log \mathbb E[w]$$
#
# Curve and tangent touch only at $w = \bar w$. So the two sides are equal exactly if $w$ is a **constant**.

# %%
w = torch.linspace(0.01, 8, 800)
tangent = log_of_mean + (w - mean_w) / mean_w
assert (w.log() <= tangent + 1e-15).all(), "the curve lies below its tangent"
generator = seeded()
for num_values in (2, 5, 100):
    values = torch.rand(1000, num_values, generator=generator) * 10
    chances = torch.softmax(torch.randn(1000, num_values, generator=generator), -1)
    jensen_gaps = (chances * values).sum(-1).log() - (chances * values.log()).sum(-1)
    assert (jensen_gaps > 0).all(), "Jensen's inequality failed"
    print(
        f"1000 distributions of {num_values:3d} values: smallest gap {jensen_gaps.min():.1e} nats"
    )
constant = torch.full((5,), 3.7)
assert abs(constant.mean().log() - constant.log().mean()) < 1e-15, "equal if w is constant"

# %% [markdown]
# ### How large is the gap?
#
# Before you read on, answer A1 of the exercise: predict the gap.
#
# The gap measures how much $w$ varies. Expand the logarithm to second order around the mean:
#
# $$\log \mathbb E[w] - \mathbb E[\log w] \;\approx\; \frac{\mathrm{Var}(w)}{2\, \mathbb E[w]^2} \qquad \text{(small spread)}$$
#
# One case is exact. If $\log w$ is Gaussian with standard deviation $\sigma_w$, then $\mathbb E[w]$ is
# $e^{\sigma_w^2/2}$ times $e^{\mathbb E[\log w]}$, and
#
# $$\log \mathbb E[w] - \mathbb E[\log w] = \frac{\sigma_w^2}{2}$$
#
# Measure it with draws. The error bar is the standard deviation of $w/\bar w - \log w$, the first-order effect of one
# draw on the difference, divided by the root of the number of draws.

# %%
NUM_DRAWS = 20_000 if FAST else 200_000
spreads = torch.tensor([0.1, 0.3, 0.6, 0.9, 1.2, 1.5])
log_w = spreads[:, None] * torch.randn(len(spreads), NUM_DRAWS, generator=seeded(1))
measured = monte_carlo.log_mean_exp(log_w, dim=1) - log_w.mean(1)
influence = log_w.exp() / log_w.exp().mean(1, keepdim=True) - log_w
bars = influence.std(1) / math.sqrt(NUM_DRAWS)
exact = spreads**2 / 2
second_order = (torch.exp(spreads**2) - 1) / 2  # Var(w) / (2 E[w]^2) of this distribution
print("spread of log w    measured gap ± error     exact   second order")
for row in zip(spreads, measured, bars, exact, second_order, strict=True):
    print("{:15.1f} {:14.5f} ± {:.5f} {:9.5f} {:14.5f}".format(*row))
assert ((measured - exact).abs() < 5 * bars).all(), "outside of five standard errors"
assert abs(second_order[0] / exact[0] - 1) < 0.01, "for a small spread the two agree"

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.7))
left.plot(w, w.log(), color="black", label="log w")
left.plot(w, tangent, ":", color=plots.DATA, label="tangent at the mean")
left.plot([W_1, W_2], np.log([W_1, W_2]), "o-", color=BLUE, label="chord")
left.plot([mean_w] * 2, [mean_of_log, log_of_mean], color=ORANGE, linewidth=3)
left.annotate(
    f"gap {log_of_mean - mean_of_log:.2f} nats",
    (mean_w, 0.5 * (mean_of_log + log_of_mean)),
    xytext=(2.4, -0.55),
    color=ORANGE,
    arrowprops={"arrowstyle": "-", "color": ORANGE},
)
left.set(xlabel="w", ylabel="nats", xlim=(0, 6), ylim=(-2, 2.2))
left.set_title("The log of the mean lies above the mean of the logs")
left.legend(loc="lower right", fontsize=9)
fine = torch.linspace(0, 1.6, 161)
right.plot(fine, fine**2 / 2, color="black", label="exact: $\\sigma_w^2/2$")
right.plot(fine, (torch.exp(fine**2) - 1) / 2, "--", color=plots.DATA, label="second order")
right.errorbar(
    spreads, measured, 2 * bars, fmt="o", color=ORANGE, capsize=3, label="measured, ± 2 errors"
)
right.set(
    xlabel="standard deviation $\\sigma_w$ of log w (nats)", ylabel="Jensen gap (nats)", ylim=(0, 2)
)
right.set_title("The gap measures how much w varies")
_ = right.legend(loc="upper left", fontsize=9)

# %% [markdown]
# You have seen this gap before. In unit 02 it was the bias of $\log \hat p$. There it was a nuisance. Here you put it
# to work.

# %% [markdown]
# ## 3 · The ELBO, three ways
#
# ### First way: Jensen
#
# Take **any** density $q(z)$ that is positive where the posterior is. Multiply and divide by it:
#
# $$\begin{aligned} \log p(x) &= \log \int p(x, z)\, dz && (1)\\ &= \log \int q(z)\, \frac{p(x, z)}{q(z)}\, dz && (2)\\ &= \log \mathbb E_q[w], \qquad w = \frac{p(x, z)}{q(z)} && (3)\\ &\ge \mathbb E_q[\log w] && (4)\\ &= \mathbb E_q[\log p(x, z)] + \mathrm H(q) \;=:\; \mathcal L(q) && (5) \end{aligned}$$
#
# The ratio $w$ is the **importance weight** of unit 02. Line (4) is Jensen. Line (5) splits the logarithm: the mean
# of the log joint, and the entropy $\mathrm H(q) = -\mathbb E_q[\log q(z)]$. It is the ELBO. Look at what it needs:
# the joint, which you can always write down, and a $q$ of your own choice. No posterior, and no integral over $p$.
#
# Check every line. Take $q = \mathcal N(1.1,\, 0.3)$ for the voltage.

# %%
q = Normal(1.1, 0.3)
log_q = q.log_prob(grid)
line_1 = integrate(log_joint.exp()).log()
line_2 = integrate(log_q.exp() * (log_joint - log_q).exp()).log()
z = monte_carlo.draw(q, (NUM_DRAWS,), generator=seeded(2))
log_w = power_log_joint(z) - q.log_prob(z)
line_3, line_3_error = monte_carlo.log_mean_exp(log_w), monte_carlo.standard_error(log_w)
line_4 = integrate(log_q.exp() * (log_joint - log_q))
entropy = 0.5 * math.log(2 * math.pi * math.e * 0.3**2)  # of a Gaussian, in closed form
line_5 = integrate(log_q.exp() * log_joint) + entropy
print(f"(1) log of the integral            {line_1:8.4f}")
print(f"(2) with q multiplied and divided  {line_2:8.4f}")
print(f"(3) log of the mean weight, drawn  {line_3:8.4f} ± {line_3_error:.4f}")
print(f"(4) mean of the log weights        {line_4:8.4f}")
print(f"(5) mean log joint plus entropy    {line_5:8.4f}")
assert abs(line_2 - line_1) < 1e-10
assert abs(line_5 - line_4) < 1e-10
assert line_4 < line_1, "the bound must lie below"

# %% [markdown]
# Line (3) looks wrong: it misses by far more than its error. It is not a bug. This $q$ never proposes a negative
# voltage, so the draws see half of the integral, and $\log \frac12 = -0.69$. The error bar cannot know what no draw
# has seen. You met this in unit 02, and section 5 says which choice of $q$ leads there.

# %%
missing = line_3 - line_1
assert abs(missing - math.log(0.5)) < 0.05, "half of the integral is missing"
print(f"line (3) minus line (1): {missing:.3f} nats; log of one half: {math.log(0.5):.3f}")
inside = integrate(torch.where(grid > 0, log_joint.exp(), 0.0)).log()
print(f"log of the integral over positive voltages alone: {inside:.4f}")

# %% [markdown]
# ### Second way: an identity
#
# Jensen says *below*. By how much? Start again, without an inequality. The number $\log p(x)$ does not depend on $z$,
# so averaging it over $q$ changes nothing. Then use $p(x) = p(x, z) / p(z \mid x)$:
#
# $$\begin{aligned} \log p(x) &= \mathbb E_q[\log p(x)] && (6)\\ &= \mathbb E_q\Big[\log \frac{p(x, z)}{p(z \mid x)}\Big] && (7)\\ &= \mathbb E_q\Big[\log \frac{p(x, z)}{q(z)}\Big] + \mathbb E_q\Big[\log \frac{q(z)}{p(z \mid x)}\Big] && (8)\\ &= \mathcal L(q) + \mathrm{KL}\big(q(z) \,\Vert\, p(z \mid x)\big) && (9) \end{aligned}$$
#
# The gap has a name. It is the KL divergence from $q$ to the **posterior**. It is never negative (that is Jensen
# again, for the weight $p(z \mid x) / q(z)$, whose mean is 1), and it is zero only if $q$ is the posterior. So
#
# - for a fixed model, pushing up the ELBO moves $q$ towards the posterior: that is **inference**;
# - for a fixed $q$, pushing up the ELBO in $\theta$ pushes up the log-likelihood, or closes the gap: that is
#   **learning**, with a catch that section 7 measures.

# %%
log_posterior = log_joint - log_evidence
line_6 = integrate(log_q.exp() * log_evidence)
line_7 = integrate(log_q.exp() * (log_joint - log_posterior))
bound = integrate(log_q.exp() * (log_joint - log_q))
gap = integrate(log_q.exp() * (log_q - log_posterior))
for number, line in ((6, line_6), (7, line_7), (8, bound + gap)):
    print(f"({number}) {line:.10f}")
    assert abs(line - log_evidence) < 1e-10, "an identity holds to the last digits"
print(f"(9) bound {bound:.4f} + KL {gap:.4f} = {bound + gap:.4f} = log p(x)")
assert torch.isclose(variational.reverse_kl(log_joint, log_q, grid), gap), "the library's KL"
assert gap > math.log(2), "q covers one of two equal humps"

# %% [markdown]
# ### Third way: start from what you want
#
# You want $q$ close to the posterior, so write that down and see what you can compute:
#
# $$\begin{aligned} \mathrm{KL}\big(q(z) \,\Vert\, p(z \mid x)\big) &= \mathbb E_q[\log q(z) - \log p(z \mid x)] && (10)\\ &= \mathbb E_q[\log q(z) - \log p(z) - \log p(x \mid z)] + \log p(x) && (11)\\ &= \mathrm{KL}\big(q(z) \,\Vert\, p(z)\big) - \mathbb E_q[\log p(x \mid z)] + \log p(x) && (12) \end{aligned}$$
#
# You cannot compute $\log p(x)$, but it does not depend on $q$. So to minimise the left side you maximise
#
# $$\mathcal L(q) = \underbrace{\mathbb E_q[\log p(x \mid z)]}_{\text{how well } z \text{ explains } x} - \underbrace{\mathrm{KL}\big(q(z) \,\Vert\, p(z)\big)}_{\text{what it costs to leave the prior}}$$
#
# This is the form you meet in variational autoencoders (unit 05): a reconstruction, and a price for it. For a
# Gaussian $q$ with mean $\mu$ and standard deviations $\sigma$ and a standard normal prior, the price is
#
# $$\mathrm{KL}\big(q(z) \,\Vert\, p(z)\big) = \sum_m \tfrac12 \big( \mu_m^2 + \sigma_m^2 - 1 - \log \sigma_m^2 \big)$$

# %%
log_prior = prior.log_prob(grid)
log_likelihood = log_joint - log_prior
to_prior = integrate(log_q.exp() * (log_q - log_prior))
line_10 = integrate(log_q.exp() * (log_q - log_posterior))
line_11 = integrate(log_q.exp() * (log_q - log_prior - log_likelihood)) + log_evidence
line_12 = to_prior - integrate(log_q.exp() * log_likelihood) + log_evidence
for number, line in ((10, line_10), (11, line_11), (12, line_12)):
    print(f"({number}) {line:.10f}")
    assert abs(line - gap) < 1e-10
closed_form = 0.5 * (1.1**2 + 0.3**2 - 1 - math.log(0.3**2))
assert abs(closed_form - to_prior) < 1e-10, "the closed form is not the integral"
explains = integrate(log_q.exp() * log_likelihood)
third = explains - to_prior
assert abs(third - bound) < 1e-10, "three ways, one number"
print(f"explains {explains:.4f}, costs {to_prior:.4f}: difference {third:.4f}")
print(f"the ELBO from the first way: {line_5:.4f}")

# %% [markdown]
# Three ways, one number:
#
# | form | what it shows |
# |---|---|
# | $\mathbb E_q[\log p(x, z)] + \mathrm H(q)$ | go where the joint is high, but stay spread out |
# | $\log p(x) - \mathrm{KL}(q \,\Vert\, p(z \mid x))$ | how far you are from the truth |
# | $\mathbb E_q[\log p(x \mid z)] - \mathrm{KL}(q \,\Vert\, p(z))$ | explain $x$, but do not leave the prior for nothing |
#
# ### Move q and watch
#
# Drag the mean and the log of the standard deviation of $q$. The bound and the gap always add up to the same number,
# $\log p(x)$. First find a place where the gap is small. Then try to push it below $\log 2 = 0.69$ nats. (You will
# not manage. The map in the next cell shows it for all Gaussians at once.)

# %%
explorer_grid = torch.linspace(-4, 4, 321)
bound_explorer(
    explorer_grid,
    power_log_joint(explorer_grid),
    loc=0.4,
    log_scale=-0.6,
    x_label="voltage z (volts)",
)

# %% [markdown]
# The same, for all Gaussians at once. Each point of the map is a $q$; the height is the ELBO.

# %%
locs, log_scales = torch.linspace(-2.2, 2.2, 89), torch.linspace(-3, 0.25, 66)
all_log_q = Normal(locs[:, None, None], log_scales[:, None].exp()).log_prob(grid[::5])
landscape = torch.trapezoid(all_log_q.exp() * (log_joint[::5] - all_log_q), grid[::5])
gaps = variational.reverse_kl(log_joint[::5], all_log_q, grid[::5])  # (means, spreads)
assert (landscape < log_evidence).all(), "no q may lie above log p(x)"
assert (landscape + gaps - log_evidence).abs().max() < 1e-6, "log p(x) = ELBO + KL, for every q"
best = divmod(landscape.argmax().item(), len(log_scales))

fig, ax = plt.subplots(figsize=(7.2, 3.9))
levels = [-40, -30, -20, -15, -10, -8, -6, -5, -4, -3.5, -3, -2.6]
filled = ax.contourf(locs, log_scales, landscape.T, levels=levels, cmap="cividis", extend="min")
ax.contour(locs, log_scales, landscape.T, levels=levels, colors="white", linewidths=0.5)
for sign in (-1, 1):
    ax.plot(sign * locs[best[0]].abs(), log_scales[best[1]], "*", color=ORANGE, markersize=14)
ax.set(xlabel="mean of q (volts)", ylabel="log of the standard deviation of q")
ax.set_title("The ELBO has two tops, one for each sign of the voltage")
fig.colorbar(filled, ax=ax, label="ELBO (nats)")
top_loc, top_std = locs[best[0]].abs(), log_scales[best[1]].exp()
print(f"log p(x) {log_evidence:.4f}; best ELBO {landscape.max():.4f}: gap {gaps.min():.4f} nats")
print(f"there: mean ±{top_loc:.2f} V, standard deviation {top_std:.3f} V")
print(f"log 2 = {math.log(2):.4f}: the price of covering one hump of two")

# %% [markdown]
# ## 4 · Nothing is lost: three models where all is known
#
# The identity (9) says that $\log p(x)$ minus the ELBO is a KL divergence, to the last digit. Test it where you can
# compute all three terms **separately**, each in its own way. The models have nothing in common: one hidden vector
# with a closed form, one hidden kind, and a finite table.
#
# ### Linear-Gaussian, on real images
#
# Take $M$ hidden numbers, a linear map and equal noise in every pixel (probabilistic principal component analysis,
# Tipping and Bishop 1999):
#
# $$\begin{aligned} p(z) &= \mathcal N(z \mid 0, I_M) \\ p(x \mid z) &= \mathcal N(x \mid W z + b,\, \sigma) \end{aligned}$$
#
# Here all integrals are Gaussian. The evidence and the posterior are
#
# $$\begin{aligned} p(x) &= \mathcal N(x \mid b,\, W W^\top + \sigma^2 I_D) \\ p(z \mid x) &= \mathcal N\big(z \mid \Lambda^{-1} W^\top (x - b) / \sigma^2,\; \Lambda^{-1}\big), \qquad \Lambda = I_M + W^\top W / \sigma^2 \end{aligned}$$
#
# The matrix $\Lambda$ is the **precision**, the inverse covariance, of the posterior. It is the same for every $x$.
# Fit the model to 1797 handwritten digits of $8 \times 8$ pixels, and check both lines against their definitions.

# %%
images, labels = digits()
N, D = images.shape
M = 10
ppca = fit_maximum_likelihood(images, M)
W, b, noise_std = ppca.weight, ppca.bias, ppca.scale

covariance = W @ W.T + noise_std**2 * torch.eye(D)
exact = ppca.log_marginal(images)  # (N,)
by_definition = MultivariateNormal(b, covariance).log_prob(images)
assert (exact - by_definition).abs().max() < 1e-8, "the evidence is not the Gaussian of the text"

posterior_q = ppca.posterior(images)
precision = torch.eye(M) + W.T @ W / noise_std**2
assert torch.allclose(posterior_q.covariance_matrix[0], torch.linalg.inv(precision))
assert torch.allclose(
    posterior_q.loc, torch.linalg.solve(precision, W.T @ (images - b).T / noise_std**2).T
)
z = monte_carlo.draw(posterior_q, (3,), generator=seeded())
bayes = ppca.log_joint(images, z) - posterior_q.log_prob(z)  # the same for every z: it is log p(x)
assert (bayes - exact).abs().max() < 1e-8, "joint / posterior = evidence, wherever you look"
print(f"{N} images of {D} pixels, {M} hidden numbers, noise {noise_std:.4f} (white is 1)")
print(f"log-likelihood: {exact.sum():.2f} nats, {exact.mean():.3f} for an image")

# %% [markdown]
# Now five different $q$'s for each image, from bad to perfect, and the three forms of the ELBO, each in closed form.
# For the linear model the mean log-likelihood under $q$ with mean $\mu$ and covariance $\Sigma$ is
#
# $$\mathbb E_q[\log p(x \mid z)] = \log \mathcal N(x \mid W \mu + b,\, \sigma) - \frac{\mathrm{tr}(W \Sigma W^\top)}{2 \sigma^2}$$

# %%
some_loc = torch.randn(N, M, generator=seeded(3))
some_tril = torch.randn(N, M, M, generator=seeded(4)).tril(-1) * 0.2 + 0.5 * torch.eye(M)
candidates = {
    "the prior": MultivariateNormal(torch.zeros(N, M), torch.eye(M).expand(N, M, M)),
    "anything": MultivariateNormal(some_loc, scale_tril=some_tril),
    "right mean, twice as wide": MultivariateNormal(
        posterior_q.loc, scale_tril=2 * posterior_q.scale_tril
    ),
    "1 % too wide": MultivariateNormal(posterior_q.loc, scale_tril=1.01 * posterior_q.scale_tril),
    "the posterior": posterior_q,
}
print("mean over the images, in nats:  log p(x) =   ELBO       +   KL")
linear_gaps, linear_kls = [], []
for name, q in candidates.items():
    forms = variational.elbo_three_ways(ppca, images, q)
    spread = torch.einsum("di,nij,dj->n", W, q.covariance_matrix, W) / (2 * noise_std**2)
    explains = ppca.log_likelihood(images, q.loc) - spread
    by_hand = explains - torch.distributions.kl_divergence(q, candidates["the prior"])
    kl = variational.gaussian_kl(q, posterior_q)  # knows nothing of the ELBO
    size = by_hand.abs().max()
    for form in forms:
        assert (form - by_hand).abs().max() < 1e-10 * size, "the three forms differ"
    assert (by_hand + kl - exact).abs().max() < 1e-10 * size, "log p(x) is not ELBO + KL"
    linear_gaps.append(exact - by_hand)
    linear_kls.append(kl)
    print(f"{name:27} {exact.mean():13.4f} = {by_hand.mean():12.4f} + {kl.mean():11.4f}")

# %% [markdown]
# It holds for each of the 1797 images and each $q$, to ten digits. In practice you will not have closed forms but
# draws. So check that draws agree. And notice something: the three forms have the same mean, but **not** the same
# noise.

# %%
x_one, S = images[:1], 2000 if FAST else 20_000
wide_one, posterior_one = (
    MultivariateNormal(q.loc[:1], scale_tril=q.scale_tril[:1])
    for q in (candidates["right mean, twice as wide"], posterior_q)
)
print("one image, standard deviation of one draw in nats   joint and entropy   likelihood and KL")
for name, q in (("right mean, twice as wide", wide_one), ("the posterior", posterior_one)):
    z, log_w = monte_carlo.log_weights(x_one, ppca.log_joint, q, S, generator=seeded(5))
    likelihood_form = ppca.log_likelihood(x_one, z) - torch.distributions.kl_divergence(
        q, MultivariateNormal(torch.zeros(M), torch.eye(M))
    )
    truth = variational.elbo_three_ways(ppca, x_one, q).evidence_and_gap
    for draws in (log_w, likelihood_form):
        error = draws.std(0) / math.sqrt(S)
        assert (abs(draws.mean(0) - truth) < 5 * error + 1e-9).all(), "not the closed form"
    print(f"{name:51} {log_w.std():17.2e} {likelihood_form.std():19.2f}")

# %% [markdown]
# With $q$ equal to the posterior the log weight $\log p(x, z) - \log q(z)$ is a constant, $\log p(x)$. So its noise
# is **zero**. The form with the closed-form KL keeps its noise there. A closed form in one term does not always help:
# it can remove a part of the noise that would have cancelled.
#
# ### The mixture of unit 01, on Old Faithful
#
# Here the hidden variable is the kind of an eruption, so $q_n(k)$ is a table, and all integrals are sums of two
# terms:
#
# $$\mathcal L = \sum_n \sum_k q_n(k) \log \frac{p(x_n, z_n = k)}{q_n(k)}$$

# %%
eruptions = old_faithful()
start = MixtureParams(  # the bad start of unit 01
    weights=torch.tensor([0.5, 0.5]),
    loc=torch.tensor([[2.0, 50.0], [2.2, 60.0]]),
    covariance=torch.diag(torch.tensor([1.0, 100.0])).repeat(2, 1, 1),
)
best = mixture.fit_em(eruptions, start).params
log_joint_table = mixture.log_joint(eruptions, best)  # (N, K)
resp = mixture.responsibilities(eruptions, best)
evidence = mixture.log_density(eruptions, best)  # (N,)
tables = {
    "the weights, for every eruption": best.weights.expand(len(eruptions), 2),
    "anything": torch.softmax(torch.randn(len(eruptions), 2, generator=seeded(6)), -1),
    "halfway to the responsibilities": 0.5 * best.weights + 0.5 * resp,
    "99.9 % of the way": 0.001 * best.weights + 0.999 * resp,
    "the responsibilities": resp,
}
print("summed over the eruptions, nats:  log p(x) =   ELBO      +   KL")
mixture_gaps, mixture_kls = [], []
for name, q in tables.items():
    by_hand = (q * log_joint_table - torch.xlogy(q, q)).sum(-1)
    kl = variational.table_kl(q, resp)
    assert torch.allclose(variational.table_elbo(log_joint_table, q), by_hand)
    assert (by_hand + kl - evidence).abs().max() < 1e-10, "log p(x) is not ELBO + KL"
    mixture_gaps.append(evidence - by_hand)
    mixture_kls.append(kl)
    print(f"{name:32} {evidence.sum():10.4f} = {by_hand.sum():10.4f} + {kl.sum():10.4f}")
assert abs(evidence.sum() - -1130.26396) < 1e-4, "the number to remember of unit 01"

# %% [markdown]
# ### Two reasons for a wet lawn
#
# Last, a model with $M$ hidden **bits**. Last night it rained ($z_1 = 1$), or not; the sprinkler ran ($z_2 = 1$), or
# not. In the morning the lawn is wet ($x = 1$). Each reason alone is nearly enough:
#
# $$p(x = 1 \mid z) = \mathrm{sigmoid}(b + W z), \qquad b = -4, \quad W = (7,\ 7)$$
#
# There are $2^M = 4$ states, so everything is a finite sum. Take rain with probability 0.2 and the sprinkler with
# probability 0.3.

# %%
chances = torch.tensor([0.2, 0.3])
lawn = variational.BinaryLatentModel(
    weight=torch.tensor([[7.0, 7.0]]), bias=torch.tensor([-4.0]), prior_logits=torch.logit(chances)
)
wet = torch.ones(1, 1)
states, lawn_table = lawn.states(), lawn.log_joint_table(wet)[0]  # (4, 2), (4,)
of_states = (states * chances + (1 - states) * (1 - chances)).prod(-1)  # the prior
of_wet = torch.sigmoid(states @ torch.tensor([7.0, 7.0]) - 4)
assert torch.allclose(lawn_table.exp(), of_states * of_wet), "prior times likelihood"
log_wet = lawn_table.logsumexp(0)
lawn_posterior = (lawn_table - log_wet).exp()
assert torch.allclose(lawn.posterior_table(wet)[0], lawn_posterior)
print(f"p(wet lawn) = {log_wet.exp():.4f}")
for state, probability in zip(states.tolist(), lawn_posterior, strict=True):
    print(f"rain {state[0]:.0f}, sprinkler {state[1]:.0f}: posterior {probability:.4f}")

lawn_gaps, lawn_kls = [], []
generator = seeded(31)
for step in range(300):  # random tables over the four states, from far away to close by
    size = 3 * 10 ** (-3 * step / 300)
    q = torch.softmax(lawn_posterior.log() + size * torch.randn(4, generator=generator), 0)
    bound = (q * lawn_table - torch.xlogy(q, q)).sum()
    kl = torch.xlogy(q, q / lawn_posterior).sum()
    assert abs(bound + kl - log_wet) < 1e-12, "log p(x) is not ELBO + KL"
    assert torch.isclose(variational.table_elbo(lawn_table[None], q[None])[0], bound)
    lawn_gaps.append(log_wet - bound)
    lawn_kls.append(kl)
print(f"300 random q: gaps from {min(lawn_gaps):.1e} to {max(lawn_gaps):.1e} nats, all equal to KL")

# %% [markdown]
# All three in one picture. Across: $\log p(x)$ minus the ELBO. Up: the KL, computed without either of them. Every dot
# is one example with one $q$.

# %%
fig, ax = plt.subplots(figsize=(6, 4.2))
clouds = (
    ("wet lawn, four states", [torch.stack(lawn_gaps)], [torch.stack(lawn_kls)], GREEN, 300),
    ("mixture, Old Faithful", mixture_gaps[:-1], mixture_kls[:-1], ORANGE, 100),
    ("linear-Gaussian, digits", linear_gaps[:-1], linear_kls[:-1], BLUE, 100),
)
shown = []
for name, across, up, colour, number in clouds:
    across, up = (torch.cat([values[:number] for values in lists]) for lists in (across, up))
    ax.plot(across, up, ".", color=colour, label=name)
    shown.append(across)
ends = [1e-9, 1e4]
ax.plot(ends, ends, color="black", linewidth=0.8, zorder=0)
ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
ax.set(xlabel="log p(x) − ELBO (nats)", ylabel="KL(q ‖ posterior) (nats)")
ax.set_title("Three models, one identity")
ax.legend(markerscale=2, loc="upper left")
shown = torch.cat(shown)
print(f"{len(shown)} gaps, from {shown.min():.1e} to {shown.max():.1e} nats")

# %% [markdown]
# ## 5 · Two KL divergences
#
# ### They are different numbers
#
# $\mathrm{KL}(q \,\Vert\, p) = \mathbb E_q[\log q - \log p]$ takes the mean under its **first** argument. Swap the
# arguments, and you get another number. For two Gaussians in one dimension
#
# $$\mathrm{KL}\big(\mathcal N(\mu_1, \sigma_1) \,\Vert\, \mathcal N(\mu_2, \sigma_2)\big) = \log \frac{\sigma_2}{\sigma_1} + \frac{\sigma_1^2 + (\mu_1 - \mu_2)^2}{2 \sigma_2^2} - \frac12$$
#
# Compare $q = \mathcal N(0, e)$, that is $\log \sigma = 1$, with the standard normal. Remember the two numbers: they
# unmask two classic mistakes in section 11.

# %%
line = torch.linspace(-60, 60, 24_001)


def gaussian_kl_1d(loc_1, std_1, loc_2, std_2):
    return math.log(std_2 / std_1) + (std_1**2 + (loc_1 - loc_2) ** 2) / (2 * std_2**2) - 0.5


def kl_on_grid(first, second):
    log_first, log_second = first.log_prob(line), second.log_prob(line)
    return torch.trapezoid(log_first.exp() * (log_first - log_second), line)


wide, standard = Normal(0.0, math.e), Normal(0.0, 1.0)
for name, first, second in (("KL(q ‖ p)", wide, standard), ("KL(p ‖ q)", standard, wide)):
    formula = gaussian_kl_1d(first.loc, first.scale.item(), second.loc, second.scale.item())
    assert abs(formula - kl_on_grid(first, second)) < 1e-8, "the formula is not the integral"
    print(f"{name} = {formula:.4f} nats")

# %% [markdown]
# ### On a target with two humps
#
# Back to the voltage. Its posterior has two humps; a Gaussian has one. So no $q$ fits, and the two divergences
# disagree about what is least bad.
#
# - **Reverse KL**, $\mathrm{KL}(q \,\Vert\, p)$: the ELBO minimises this one. It takes the mean under $q$. Where $q$
#   puts mass and $p$ has none, the price is without limit. Where $q$ has no mass, it does not look. So $q$ hides
#   inside one hump: it **seeks a mode**.
# - **Forward KL**, $\mathrm{KL}(p \,\Vert\, q)$: maximum likelihood minimises this one, with $p$ the data. It takes
#   the mean under $p$. Every hump of $p$ must be covered, at any price in between: it **covers the mass**.
#
# For a Gaussian $q$ the best forward fit has a closed form. Set the derivatives of $-\mathbb E_p[\log q(z)]$ to zero,
# and the **moments** match:
#
# $$\mu = \mathbb E_p[z], \qquad \sigma^2 = \mathbb E_p[(z - \mu)^2]$$
#
# Find the best of each kind by a quasi-Newton method (LBFGS) on the grid, and check the moments.


# %%
def fit_on_grid(divergence, loc, log_scale):
    """The Gaussian that minimises a divergence on the grid, by LBFGS from a starting point."""
    params = torch.tensor([loc, log_scale], requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [params], max_iter=200, line_search_fn="strong_wolfe", tolerance_grad=1e-10
    )

    def closure():
        optimiser.zero_grad()
        loss = divergence(log_joint, Normal(params[0], params[1].exp()).log_prob(grid), grid)
        loss.backward()
        return loss

    optimiser.step(closure)
    return Normal(params[0].detach(), params[1].detach().exp())


fits = {
    "reverse KL, from the right": fit_on_grid(variational.reverse_kl, 1.0, -1.0),
    "reverse KL, from the left": fit_on_grid(variational.reverse_kl, -1.0, -1.0),
    "forward KL": fit_on_grid(variational.forward_kl, 0.5, 0.0),
}
mean = integrate(posterior * grid)
std = integrate(posterior * (grid - mean) ** 2).sqrt()
assert abs(fits["forward KL"].loc - mean) < 1e-4, "the mean does not match"
assert abs(fits["forward KL"].scale - std) < 1e-4, "the standard deviation does not match"
print(f"{'':28}  mean    std   KL(q ‖ p)  KL(p ‖ q)   ELBO     mass of q in |z| < 0.7")
for name, fit in fits.items():
    log_fit = fit.log_prob(grid)
    reverse, forward = (
        f(log_joint, log_fit, grid) for f in (variational.reverse_kl, variational.forward_kl)
    )
    middle = fit.cdf(torch.tensor(0.7)) - fit.cdf(torch.tensor(-0.7))
    row = f"{name:28} {fit.loc:6.3f} {fit.scale:6.3f} {reverse:9.3f} {forward:10.2f}"
    print(f"{row} {log_evidence - reverse:9.3f} {middle:14.1%}")
in_the_middle = integrate(torch.where(grid.abs() < 0.7, posterior, 0.0))
print(f"mass of the posterior in |z| < 0.7: {in_the_middle:.2%}")

# %%
fig, ax = plt.subplots(figsize=(7, 3.6))
ax.fill_between(grid, posterior, color=plots.DATA, alpha=0.35, label="posterior $p(z \\mid x)$")
for fit, style, colour, label in zip(
    fits.values(),
    ("-", ":", "-"),
    (BLUE, BLUE, ORANGE),
    ("reverse KL (ELBO)", "the other optimum", "forward KL (moments)"),
    strict=True,
):
    ax.plot(grid, fit.log_prob(grid).exp(), style, color=colour, label=label)
ax.set(xlim=(-3.4, 3.4), ylim=(0, 3.0), xlabel="voltage z (volts)", ylabel="density (per volt)")
ax.set_title("One hides in a hump, the other covers both and the valley")
_ = ax.legend(ncols=2, loc="upper center", fontsize=9)

# %% [markdown]
# ### Which one for importance sampling?
#
# Unit 02 asked for a proposal that covers the posterior. Take both fits as proposals and estimate $\log p(x)$.

# %%
S = 20_000
print(f"log p(x) = {log_evidence:.4f}")
for name in ("reverse KL, from the right", "forward KL"):
    z = monte_carlo.draw(fits[name], (S,), generator=seeded(7))
    log_w = power_log_joint(z) - fits[name].log_prob(z)
    estimate, error = monte_carlo.log_mean_exp(log_w), monte_carlo.standard_error(log_w)
    share = monte_carlo.effective_sample_size(log_w) / S
    row = f"{name:27} {estimate:.4f} ± {error:.4f}   effective sample size {share:.1%}"
    print(f"{row}   off by {estimate - log_evidence:+.3f}")
    if name == "forward KL":
        assert abs(estimate - log_evidence) < 5 * error

# %% [markdown]
# The mode seeker has the better effective sample size, a smaller error bar, and the **wrong answer**: $\log 2$ too
# low. What it has never seen it cannot miss. The other one wastes draws in the valley and is right. Both are honest
# bounds. Know which job you hire them for.
#
# Why then does everyone use the reverse one? Because of the mean in it. $\mathbb E_q$ you can draw from;
# $\mathbb E_p$ under the posterior is what you do not have.

# %% [markdown]
# ## 6 · Variational inference by gradient
#
# ### A gradient that goes through the draw
#
# You want to climb $\mathcal L(q)$ in the parameters $\phi$ of $q$. But $\phi$ stands under the mean: it says where
# the draws fall. The trick (Kingma and Welling 2014; Rezende, Mohamed and Wierstra 2014) is to draw noise that does
# **not** depend on $\phi$, and to move it:
#
# $$z = \mu + \sigma \odot \varepsilon, \qquad \varepsilon \sim \mathcal N(0, I)$$
#
# Then the mean is over $\varepsilon$, and the gradient goes inside:
#
# $$\frac{\partial}{\partial \phi}\, \mathbb E_q[h(z)] = \mathbb E_\varepsilon\Big[\frac{\partial}{\partial \phi}\, h(\mu + \sigma \odot \varepsilon)\Big]$$
#
# This is the **reparameterised** gradient. In PyTorch it is the difference between `rsample()` and `sample()`. Test
# it: differentiate the integral on the grid, and compare with the average over draws.

# %%
params = torch.tensor([0.8, -1.0], requires_grad=True)  # mean and log standard deviation
log_q = Normal(params[0], params[1].exp()).log_prob(grid)
elbo_on_grid = integrate(log_q.exp() * (log_joint - log_q))
exact_gradient = torch.autograd.grad(elbo_on_grid, params)[0]

noise = torch.randn(NUM_DRAWS, generator=seeded(8))
each = params.detach().expand(NUM_DRAWS, 2).clone().requires_grad_()  # a copy for every draw
z = each[:, 0] + each[:, 1].exp() * noise
log_w = power_log_joint(z) - Normal(each[:, 0], each[:, 1].exp()).log_prob(z)
gradients = torch.autograd.grad(log_w.sum(), each)[0]  # (S, 2): the gradient of each draw
error = gradients.std(0) / math.sqrt(NUM_DRAWS)
assert ((gradients.mean(0) - exact_gradient).abs() < 5 * error).all(), "a biased gradient"
for name, truth, estimate, bar in zip(
    ("mean", "log std"), exact_gradient, gradients.mean(0), error, strict=True
):
    print(f"gradient in the {name:8} exact {truth:8.4f}   from draws {estimate:8.4f} ± {bar:.4f}")

# %% [markdown]
# ### The loop
#
# That is all you need: draw, compute the log weights, take a step uphill. Run it for the voltage from ten random
# starts at once, with 64 draws in each step. (The ten share nothing: the sum of ten ELBOs has the gradients of each.)


# %%
def fit_voltage(loc, log_scale, generator, num_steps=800, num_draws=64):
    params = torch.stack([loc, log_scale]).requires_grad_()  # (2, starts)
    optimiser = torch.optim.Adam([params], lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, num_steps)
    for _ in range(num_steps):
        q = Normal(params[0], params[1].exp())
        z = q.loc + q.scale * torch.randn(num_draws, len(loc), generator=generator)
        loss = -(power_log_joint(z) - q.log_prob(z)).mean(0).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return params.detach()


generator = seeded(9)
starts = torch.randn(10, generator=generator)
endings, _ = fit_voltage(starts, torch.full((10,), -1.0), generator)
best_mean = fits["reverse KL, from the right"].loc
print("starts:", ", ".join(f"{loc:+.2f}" for loc in starts))
print("ends:  ", ", ".join(f"{loc:+.2f}" for loc in endings))
print(f"{(endings > 0).sum()} of {len(endings)} end on the right; the optima are ±{best_mean:.3f}")
assert (endings.abs() - best_mean).abs().max() < 0.05, "a run that ended elsewhere"

# %% [markdown]
# Gradient ascent finds *a* top, and the start decides which. A loop that reports one answer has not told you about
# the other.
#
# ### Two parcels on one scale
#
# Now a model with two hidden numbers. Two parcels have unknown masses; $z_m$ is the mass of parcel $m$ minus the
# usual one, in kilograms, and standard normal. You put **both** on a scale and read the sum, with error
# $\sigma = \frac13$ kg. This is a linear-Gaussian model with $W = (1, 1)$, so the posterior is known. It is Gaussian,
# with precision and correlation
#
# $$\Lambda = I + \frac{W^\top W}{\sigma^2} = \begin{pmatrix} 1 + \sigma^{-2} & \sigma^{-2} \\ \sigma^{-2} & 1 + \sigma^{-2} \end{pmatrix}, \qquad \rho = -\frac{1}{1 + \sigma^2}$$
#
# You know the sum well and the difference not at all. So if one parcel is heavier, the other is lighter:
# $\rho = -0.9$. (In unit 02 $\rho$ was the price of one more dimension. Here it is a correlation.)

# %%
SCALE_ERROR = 1 / 3  # kg
parcels = LinearGaussian(torch.ones(1, 2), torch.zeros(1), SCALE_ERROR)
sum_read = torch.tensor([[1.5]])
exact_q = parcels.posterior(sum_read)
precision = torch.linalg.inv(exact_q.covariance_matrix[0])
stds = exact_q.covariance_matrix[0].diagonal().sqrt()
correlation = exact_q.covariance_matrix[0, 0, 1] / (stds[0] * stds[1])
assert torch.allclose(precision, torch.tensor([[10.0, 9.0], [9.0, 10.0]]))
assert torch.allclose(correlation, torch.tensor(-1 / (1 + SCALE_ERROR**2)))
print(f"posterior of each mass: mean {exact_q.loc[0, 0]:.3f} kg, std {stds[0]:.3f} kg")
print(f"correlation {correlation:.3f}")
print(f"log p(x) = {parcels.log_marginal(sum_read).item():.4f}")

# %% [markdown]
# Fit two kinds of $q$ by gradient: a Gaussian with full covariance, and a **factorised** one,
# $q(z) = q(z_1)\, q(z_2)$, also called mean-field. Watch the ELBO against the truth. (Each dot of the trace is
# computed in closed form; the optimiser sees draws only.)

# %%
NUM_STEPS = 250 if FAST else 1000
traces, fitted = {}, {}
for name, full in (("full covariance", True), ("factorised", False)):
    trace = []

    def remember(step, q, _, trace=trace):
        if step % 5 == 0:
            bound = variational.elbo_three_ways(parcels, sum_read, q).joint_and_entropy
            trace.append((step, bound.item()))

    fitted[name] = variational.fit_gaussian_vi(
        parcels.log_joint,
        sum_read,
        2,
        full=full,
        num_steps=NUM_STEPS,
        generator=seeded(10),
        callback=remember,
    )
    traces[name] = trace
log_px = parcels.log_marginal(sum_read).item()
best_loc, best_std = mean_field_optimum(parcels, sum_read)
best_factorised = Independent(Normal(best_loc, best_std.expand_as(best_loc)), 1)
price = variational.gaussian_kl(best_factorised, exact_q).item()
for name, q in fitted.items():
    bound = variational.elbo_three_ways(parcels, sum_read, q).joint_and_entropy.item()
    gap = variational.gaussian_kl(q, exact_q).item()
    assert abs(bound + gap - log_px) < 1e-9, "log p(x) = ELBO + KL, wherever the optimiser stops"
    print(f"{name:16} ELBO {bound:.4f}, a gap of {gap:.4f}; std of a mass {q.stddev[0, 0]:.3f} kg")
print(f"log p(x) {log_px:.4f}; best factorised q: a gap of {price:.4f}, std {best_std[0]:.3f} kg")
for trace in traces.values():
    assert max(value for _, value in trace) < log_px + 1e-9, "above log p(x)"

# %%
fig, ax = plt.subplots(figsize=(7, 3.6))
for (name, trace), colour in zip(traces.items(), (BLUE, ORANGE), strict=True):
    ax.plot(*zip(*trace, strict=True), color=colour, label=name)
ax.axhline(log_px, color="black", linewidth=1, label="log p(x)")
ax.axhline(log_px - price, color="black", linewidth=1, linestyle=":", label="best factorised q")
ax.set(xlabel="step", ylabel="ELBO (nats)", ylim=(log_px - 3, log_px + 0.3))
ax.set_title("The full Gaussian reaches log p(x); the factorised one never can")
_ = ax.legend(loc="lower right")

# %% [markdown]
# ### Learn a model without ever computing its likelihood
#
# Now the title of this lecture. Take the digits and a model with twenty hidden numbers, and **forget** that there is
# a formula. Start from a random $W$. Give each image its own factorised Gaussian $q_n$, with mean $\mu_n$ and
# standard deviations $\sigma_n$. Then climb the sum of the ELBOs in everything at once, $\theta = (W, b, \sigma)$ and
# $\phi = (\mu_n, \sigma_n)_n$, with **one** draw for each image and step:
#
# $$\mathcal L(\theta, \phi) = \sum_n \mathbb E_{q_n}\big[\log p_\theta(x_n \mid z)\big] - \mathrm{KL}\big(q_n(z) \,\Vert\, p(z)\big) \;\le\; \sum_n \log p_\theta(x_n)$$
#
# No integral, no posterior. Only at the end, lift the curtain: what is the exact log-likelihood of the model that you
# learned, and what is the highest that any such model can reach? Both have a closed form.

# %%
M = 20
NUM_STEPS = 150 if FAST else 1200


def learn_by_bound(num_steps, generator):
    start_weight = 0.1 * torch.randn(D, M, generator=generator)
    model = LinearGaussian(start_weight, images.mean(0), 0.3).requires_grad_()
    loc = torch.zeros(N, M, requires_grad=True)
    log_std = torch.full((N, M), -1.0, requires_grad=True)
    groups = [{"params": model.parameters(), "lr": 0.02}, {"params": [loc, log_std], "lr": 0.3}]
    optimiser = torch.optim.Adam(groups)  # steps found by trial: the model slowly, each q fast
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, num_steps)
    history = []
    for step in range(num_steps):
        z = loc + log_std.exp() * torch.randn(N, M, generator=generator)
        price = 0.5 * (loc**2 + torch.exp(2 * log_std) - 1 - 2 * log_std).sum(-1)
        elbo = model.log_likelihood(images, z) - price  # (N,), one draw each
        optimiser.zero_grad()
        (-elbo.mean()).backward()
        optimiser.step()
        schedule.step()
        if step % 10 == 9:  # for the figure only
            with torch.no_grad():
                exact = model.log_marginal(images).mean().item()
            history.append((step + 1, elbo.mean().item(), exact))
    q = Independent(Normal(loc.detach(), log_std.detach().exp()), 1)
    return model.requires_grad_(False), q, history


learned, learned_q, history = learn_by_bound(NUM_STEPS, seeded(11))
optimum = fit_maximum_likelihood(images, M)
learned_value, best_value = (model.log_marginal(images).mean() for model in (learned, optimum))
final_bound = variational.elbo_three_ways(learned, images, learned_q).joint_and_entropy.mean()
print("nats for an image, mean over the digits")
print(f"ELBO at the end, in closed form          {final_bound:9.4f}")
print(f"exact log-likelihood of what was learned {learned_value:9.4f}")
print(f"highest possible (closed form)           {best_value:9.4f}")
assert final_bound < learned_value <= best_value + 1e-9, "bound ≤ truth ≤ maximum"
if not FAST:
    assert best_value - learned_value < 0.5, "the bound did not lead to the maximum"
    assert learned_value - final_bound < 0.5, "the bound is not close"

# %%
steps, drawn, truth = zip(*history, strict=True)
fig, ax = plt.subplots(figsize=(7, 3.6))
ax.plot(steps, drawn, color=BLUE, label="ELBO, one draw for each image")
ax.plot(steps, truth, color=ORANGE, label="exact log-likelihood (never used)")
ax.axhline(best_value, color="black", linewidth=1, label="maximum likelihood")
ax.set(xlabel="step", ylabel="nats for an image", ylim=(best_value - 42, best_value + 4))
ax.set_title("Push the bound up, and the likelihood goes along")
_ = ax.legend(loc="lower right")

# %% [markdown]
# Pushing up the bound took the log-likelihood to within 0.04 nats (for an image) of the best possible. And there is a
# surprise in the numbers. The $q_n$ were factorised, and you have just seen what that can cost. Yet the ELBO ended
# close below the truth. Keep that question for the end of the next section.

# %% [markdown]
# ## 7 · Mean-field, and what it costs
#
# ### The best factorised q
#
# Restrict $q$ to a product, $q(z) = \prod_m q_m(z_m)$. Hold all factors but one. The ELBO in the factor $q_m$ is then
# minus a KL divergence plus a constant, and the best factor is (Bishop 2006, equation 10.9)
#
# $$\log q_m(z_m) = \mathbb E_{q_j,\, j \ne m}[\log p(x, z)] + \text{constant}$$
#
# For a Gaussian posterior with mean $\mu$ and precision $\Lambda$ the right side is a quadratic in $z_m$. Its
# curvature is $\Lambda_{mm}$, and its top depends on the means $\hat\mu_j$ of the other factors:
#
# $$\hat\mu_m = \mu_m - \frac{1}{\Lambda_{mm}} \sum_{j \ne m} \Lambda_{mj} (\hat\mu_j - \mu_j), \qquad \hat\sigma_m^2 = \frac{1}{\Lambda_{mm}}$$
#
# Go round the factors and repeat: **coordinate ascent**. With two factors each round multiplies the error of the
# means by $\rho^2$.

# %%
posterior_loc, posterior_covariance = exact_q.loc[0], exact_q.covariance_matrix[0]
means, variances = torch.tensor([2.0, 2.0]), 1 / precision.diagonal()
bounds, errors = [], []
for _sweep in range(12):
    for m in range(2):
        other = 1 - m
        shift = precision[m, other] * (means[other] - posterior_loc[other])
        means[m] = posterior_loc[m] - shift / precision[m, m]
        q = Independent(Normal(means[None].clone(), variances.sqrt()[None]), 1)
        bounds.append(variational.elbo_three_ways(parcels, sum_read, q).joint_and_entropy.item())
    errors.append((means[1] - posterior_loc[1]).item())
assert all(later >= earlier - 1e-12 for earlier, later in pairwise(bounds)), "it must never fall"
ratios = [later / earlier for earlier, later in pairwise(errors)]
assert max(abs(ratio - correlation.item() ** 2) for ratio in ratios[:8]) < 1e-8, "not the rate ρ²"
print(f"error of a mean, one sweep to the next: {ratios[0]:.4f}; ρ² = {correlation**2:.4f}")

# %%
# the formula for a factor: log q_1(z_1) and the mean of the log joint over q_2 differ by a constant
along = torch.linspace(-1, 2, 31)
other_q = Normal(best_loc[0, 1], best_std[1])
nodes = best_loc[0, 1] + best_std[1] * torch.linspace(-9, 9, 401)
pairs = torch.stack(torch.broadcast_tensors(along[:, None], nodes), -1).reshape(-1, 1, 2)
joint_values = parcels.log_joint(sum_read, pairs).reshape(31, 401)
mean_log_joint = torch.trapezoid(other_q.log_prob(nodes).exp() * joint_values, nodes)
rest = Normal(best_loc[0, 0], best_std[0]).log_prob(along) - mean_log_joint
assert rest.max() - rest.min() < 1e-10, "not a constant: q_1 is not the best factor"
# the factor is optimal if the derivative of the ELBO in its own parameters vanishes
params = torch.stack([best_loc[0], best_std.expand(2).log()]).requires_grad_()
q = Independent(Normal(params[:1], params[1:].exp()), 1)
slope = torch.autograd.grad(
    variational.elbo_three_ways(parcels, sum_read, q).joint_and_entropy.sum(), params
)[0]
assert slope.abs().max() < 1e-8, "the factorised optimum is not stationary"

# %% [markdown]
# So the best factorised $q$ has the right **means** and the wrong **spreads**. Its variance $1/\Lambda_{mm}$ is what
# remains of $z_m$ if you *knew* all the others. The true variance $(\Lambda^{-1})_{mm}$ is larger. For two hidden
# numbers the ratio is
#
# $$\frac{\hat\sigma_m^2}{\sigma_m^2} = \frac{1}{\Lambda_{mm}\, (\Lambda^{-1})_{mm}} = 1 - \rho^2$$
#
# And the price, the gap that no factorised $q$ can close, is
#
# $$\min_q\, \mathrm{KL}(q \,\Vert\, p) = \tfrac12 \Big( \sum_m \log \Lambda_{mm} - \log |\Lambda| \Big) = -\tfrac12 \log(1 - \rho^2) \quad \text{(the last for } M = 2)$$
#
# The forward KL would choose otherwise: the product of the true marginals, with the right spreads. Its gap in the
# reverse KL is larger, $\frac12 \log(1 - \rho^2) + \frac{1}{1 - \rho^2} - 1$. Check all of it at five correlations.

# %%
print("    ρ   std ratio   price (nats)   KL of the product of marginals")
for scale_error in (3.0, 1.0, 0.5, 1 / 3, 0.1):
    model = LinearGaussian(torch.ones(1, 2), torch.zeros(1), scale_error)
    p = model.posterior(sum_read)
    lam, cov = torch.linalg.inv(p.covariance_matrix[0]), p.covariance_matrix[0]
    rho = -1 / (1 + scale_error**2)
    loc, std = mean_field_optimum(model, sum_read)
    factorised = Independent(Normal(loc, std.expand_as(loc)), 1)
    marginals = Independent(Normal(loc, cov.diagonal().sqrt().expand_as(loc)), 1)
    gap, gap_marginals = (variational.gaussian_kl(q, p).item() for q in (factorised, marginals))
    general = 0.5 * (lam.diagonal().log().sum() - torch.logdet(lam)).item()
    assert abs(gap - general) < 1e-9
    assert abs(gap + 0.5 * math.log(1 - rho**2)) < 1e-9
    assert abs(gap_marginals - (0.5 * math.log(1 - rho**2) + 1 / (1 - rho**2) - 1)) < 1e-8
    ratio = (std[0] / cov[0, 0].sqrt()).item()
    assert abs(ratio**2 - (1 - rho**2)) < 1e-9, "not the ratio of the text"
    bound = variational.elbo_three_ways(model, sum_read, factorised).joint_and_entropy
    assert torch.allclose(bound + gap, model.log_marginal(sum_read)), "the identity"
    print(f"{rho:6.3f} {ratio:9.3f} {gap:13.4f} {gap_marginals:22.4f}")

# %%
angle = torch.linspace(0, 2 * math.pi, 200)
circle = torch.stack([angle.cos(), angle.sin()])
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4))
shapes = (
    ("posterior", exact_q.scale_tril[0], "black", "-"),
    ("factorised, reverse KL", best_std.expand(2).diag(), BLUE, "-"),
    ("factorised, forward KL", stds.diag(), ORANGE, "--"),
)
for name, tril, colour, style in shapes:
    for radius in (1, 2):
        curve = exact_q.loc[0][:, None] + radius * tril @ circle
        left.plot(*curve, style, color=colour, label=name if radius == 1 else None)
left.set(
    xlabel="mass of parcel 1 (kg above the usual)",
    ylabel="mass of parcel 2 (kg above the usual)",
    aspect="equal",
    ylim=(-1.2, 3.6),
)
left.set_title("The same means, and no idea of the ridge")
left.legend(loc="upper right", fontsize=9)
rhos = torch.linspace(0, 0.995, 200)
right.plot(rhos, -0.5 * torch.log(1 - rhos**2), color=BLUE)
right.plot(0.9, price, "o", color=BLUE, label=f"the parcels: {price:.2f} nats")
right.set(
    xlabel="|ρ|, correlation under the posterior",
    ylabel="price of mean-field (nats)",
    ylim=(0, 2.5),
)
right.set_title("The price grows without limit")
_ = right.legend(loc="upper left")

# %% [markdown]
# Mean-field says that you know each mass to within 0.32 kg. In truth you know it to within 0.73 kg. An overconfident
# posterior is the usual price of the reverse KL.
#
# ### The wet lawn: explaining away
#
# The same with bits. If the lawn is wet, then rain and sprinkler are no longer independent: learning that it rained
# makes the sprinkler less likely. A product of two Bernoullis cannot say that.

# %%
q_bits = lawn.mean_field(wet)  # (1, 2)
q_table = lawn.factorised_table(q_bits)[0]
gap = variational.table_kl(q_table[None], lawn_posterior[None]).item()
bound = variational.table_elbo(lawn_table[None], q_table[None]).item()
assert abs(bound + gap - log_wet) < 1e-10, "the identity"
levels = torch.linspace(0.0005, 0.9995, 1000)
all_pairs = torch.cartesian_prod(levels, levels)
all_tables = lawn.factorised_table(all_pairs)
all_bounds = variational.table_elbo(lawn_table.expand(len(all_pairs), 4), all_tables)
smallest_gap = (log_wet - all_bounds.max()).item()
print("rain, sprinkler:        " + "   ".join(f"{a:.0f}, {b:.0f}  " for a, b in states.tolist()))
print("posterior               " + "   ".join(f"{p:6.3f}" for p in lawn_posterior))
print("best found by ascent    " + "   ".join(f"{p:6.3f}" for p in q_table))
chance_rain = lawn_posterior[states[:, 0] == 1].sum()
print(f"p(rain | wet) = {chance_rain:.3f}; mean-field says {q_bits[0, 0]:.3f}")
print(f"gap of the ascent {gap:.4f} nats; smallest gap of all factorised q {smallest_gap:.4f}")
assert abs(gap - smallest_gap) < 1e-3, "coordinate ascent missed the best factorised q"

# %% [markdown]
# ### The second price: you learn another model
#
# A gap that is the same for all $\theta$ would not matter for learning. But the gap depends on $\theta$. So the top
# of the bound is **not** the top of the likelihood (Turner and Sahani 2011). Learn the error $\sigma$ of the scale
# from readings $x_n$ of many pairs of parcels. Exactly, $x \sim \mathcal N(0, 2 + \sigma^2)$ (here the second
# argument is the variance), and the best factorised ELBO subtracts the price:
#
# $$\frac{\mathcal L(\sigma)}{N} = \frac1N \sum_n \log p_\sigma(x_n) + \tfrac12 \log\big(1 - \rho(\sigma)^2\big), \qquad \rho(\sigma) = -\frac{1}{1 + \sigma^2}$$

# %%
NUM_PAIRS = 5000 if FAST else 20_000
true_model = LinearGaussian(torch.ones(1, 2), torch.zeros(1), 0.5)
readings, _ = true_model.sample(NUM_PAIRS, generator=seeded(12))
sigmas = torch.linspace(0.05, 2.5, 491)
likelihoods, bounds = [], []
for sigma in sigmas.tolist():
    variance = 2 + sigma**2
    squares = (readings**2).mean().item()
    likelihoods.append(-0.5 * (math.log(2 * math.pi * variance) + squares / variance))
    bounds.append(likelihoods[-1] + 0.5 * math.log(1 - 1 / (1 + sigma**2) ** 2))
for i in (20, 200, 400):  # the closed forms against the library, on the first hundred readings
    model = LinearGaussian(torch.ones(1, 2), torch.zeros(1), sigmas[i].item())
    loc, std = mean_field_optimum(model, readings[:100])
    q = Independent(Normal(loc, std.expand_as(loc)), 1)
    bound = variational.elbo_three_ways(model, readings[:100], q).joint_and_entropy
    gap = model.log_marginal(readings[:100]) - bound
    assert (gap - (likelihoods[i] - bounds[i])).abs().max() < 1e-8, "not the price of the text"
top_exact, top_bound = sigmas[np.argmax(likelihoods)].item(), sigmas[np.argmax(bounds)].item()
print(f"σ: truth 0.5, top of the likelihood {top_exact:.3f}, top of the bound {top_bound:.3f}")
assert top_bound > 1.2 * top_exact, "the bound does not prefer another σ"

# %%
fig, ax = plt.subplots(figsize=(7, 3.5))
for values, top, colour, name in (
    (likelihoods, top_exact, "black", "log-likelihood"),
    (bounds, top_bound, BLUE, "best factorised ELBO"),
):
    ax.plot(sigmas, values, color=colour, label=name)
    ax.plot(top, max(values), "o", color=colour)
ax.axvline(0.5, color=plots.DATA, linestyle=":", label="the truth")
ax.set(
    xlabel="error σ of the scale (kg)",
    ylabel="nats for a reading",
    ylim=(max(bounds) - 0.4, max(likelihoods) + 0.1),
)
ax.set_title("The bound prefers a model whose posterior it can copy")
_ = ax.legend(loc="lower right", fontsize=9)

# %% [markdown]
# More data does not mend this: it makes you surer of the wrong $\sigma$. The bound prefers a model with less
# correlation, because there it pays less.
#
# ### Why the digits cost so little
#
# Back to the surprise of section 6. There $q$ was factorised, too, and the learned model was almost perfect. The
# likelihood of the linear model does not change if you rotate the hidden axes, $W \to W Q$ with any orthogonal matrix
# $Q$:
#
# $$(W Q)(W Q)^\top = W W^\top$$
#
# The likelihood is indifferent, but the bound is not. The precision of the posterior, $I + W^\top W / \sigma^2$, does
# rotate, and mean-field pays for what is off its diagonal. See it happen: take the maximum of the likelihood, turn
# its axes by a random rotation, and climb the best factorised ELBO from there. It is $\log p(x)$ minus the price,
# both exact.


# %%
def price_of_mean_field(model):
    lam = model.posterior_precision()
    return 0.5 * (lam.diagonal().log().sum() - torch.logdet(lam))


turn = torch.linalg.qr(torch.randn(M, M, generator=seeded(13))).Q
turned = LinearGaussian(optimum.weight @ turn, optimum.bias, optimum.scale)
turned_value = turned.log_marginal(images).mean()
assert torch.isclose(turned_value, best_value), "a rotation changes no likelihood"

climbed = LinearGaussian(turned.weight, turned.bias, turned.scale).requires_grad_()
optimiser = torch.optim.LBFGS(
    [climbed.weight, climbed.log_scale],
    max_iter=40 if FAST else 300,
    history_size=30,
    line_search_fn="strong_wolfe",
)


def minus_best_bound():
    optimiser.zero_grad()
    loss = price_of_mean_field(climbed) - climbed.log_marginal(images).mean()
    loss.backward()
    return loss


_ = optimiser.step(minus_best_bound)
climbed = climbed.requires_grad_(False)

models = {
    "maximum likelihood, principal axes": optimum,
    "the same, axes turned": turned,
    "climbed from there by the bound": climbed,
    "learned in section 6, one draw": learned,
}
print(f"{'nats for an image':34} log-likelihood   price of mean-field")
for name, model in models.items():
    value, paid = model.log_marginal(images).mean(), price_of_mean_field(model).item()
    print(f"{name:34} {value:14.2f} {paid:21.2f}")
assert price_of_mean_field(optimum) < 1e-9, "the principal axes cost nothing"
assert price_of_mean_field(turned) > 1, "any other axes cost"
if not FAST:
    assert price_of_mean_field(climbed) < 0.01, "the bound did not turn the axes back"
    assert price_of_mean_field(learned) < 0.1 * price_of_mean_field(turned)


# %%
def filmstrip(model):
    """The ten longest columns of W as pictures side by side, each scaled to its largest entry."""
    columns = model.weight[:, model.weight.norm(dim=0).argsort(descending=True)][:, :10]
    largest = columns.gather(0, columns.abs().argmax(0, keepdim=True))  # (1, 10), with its sign
    pictures = (columns / largest).T.reshape(10, 8, 8)
    gaps = torch.full((10, 8, 1), math.nan)
    return torch.cat([pictures, gaps], -1).permute(1, 0, 2).reshape(8, 90)[:, :-1]


fig, axes = plt.subplots(3, 1, figsize=(8.5, 3.6))
titles = (
    "The axes turned at random",
    "… after climbing the bound",
    "The principal axes",
)
for ax, model, title in zip(axes, (turned, climbed, optimum), titles, strict=True):
    ax.imshow(filmstrip(model), cmap="PuOr", vmin=-1, vmax=1)
    ax.set(title=title, xticks=[], yticks=[])
    ax.spines[:].set_visible(False)

# %% [markdown]
# The likelihood could not gain anything, and did not. The bound **turned the axes** until $W^\top W$ was diagonal and
# the price was gone. Those are the principal axes (Lucas and others 2019). Each picture is a column of $W$: what one
# hidden number adds to the image. Its sign is free.
#
# So a restriction on $q$ has two effects. Where the model is free to adapt, it adapts: here it found the principal
# axes, which the likelihood alone would never prefer. Where the model is not free, you learn the wrong parameters.
# Remember both when you meet $\beta$-VAEs (unit 06).

# %% [markdown]
# ## 8 · Two gradients of a mean
#
# ### The score function
#
# The gradient of section 6 goes *through* the draw. If $z$ is a bit, or if you cannot differentiate $h$, there is no
# way through. Then there is another gradient. Differentiate the density under the integral, and use
# $\partial q = q\, \partial \log q$, as in unit 01:
#
# $$\frac{\partial}{\partial \phi}\, \mathbb E_q[h(z)] = \int h(z)\, \frac{\partial}{\partial \phi} q(z)\, dz = \mathbb E_q\Big[h(z)\, \frac{\partial}{\partial \phi} \log q(z)\Big]$$
#
# This is the **score-function** gradient, also called REINFORCE (Williams 1992). It only needs values of $h$. If $h$
# itself depends on $\phi$, as $\log w$ does through $\log q$, nothing is missing: the mean of the score is zero, and
# so is that extra term.
#
# $$\mathbb E_q\Big[\frac{\partial}{\partial \phi} \log q(z)\Big] = \frac{\partial}{\partial \phi} \int q(z)\, dz = \frac{\partial}{\partial \phi}\, 1 = 0$$
#
# Test both gradients on the ELBO of the voltage, whose exact gradient you know from section 6.


# %%
def normal_from(params):  # (*B, 2): mean and log standard deviation
    return Normal(params[..., 0], params[..., 1].exp())


at = torch.tensor([0.8, -1.0])
q_fixed = normal_from(at)


def log_weight(z):  # log q is held fixed: the extra term has mean zero
    return power_log_joint(z) - q_fixed.log_prob(z)


by_score = variational.score_function_grad(
    log_weight, normal_from, at, NUM_DRAWS, generator=seeded(14)
)
by_path = variational.reparam_grad(log_weight, normal_from, at, NUM_DRAWS, generator=seeded(14))
of_one = variational.score_function_grad(
    lambda z: torch.ones_like(z), normal_from, at, NUM_DRAWS, generator=seeded(14)
)


def with_errors(estimate):
    cells = zip(estimate.mean, estimate.standard_error, strict=True)
    return "   ".join(f"{mean:8.4f} ± {error:.4f}" for mean, error in cells)


print("gradient in               mean              log std")
print(f"exact            {exact_gradient[0]:8.4f}            {exact_gradient[1]:8.4f}")
for name, estimate in (("reparameterised", by_path), ("score function", by_score)):
    print(f"{name:16} {with_errors(estimate)}")
    assert ((estimate.mean - exact_gradient).abs() < 5 * estimate.standard_error).all(), name
assert (of_one.mean.abs() < 5 * of_one.standard_error).all(), "the mean of the score is zero"

# %% [markdown]
# Both are unbiased. But look at the error bars.
#
# ### Predict the variance
#
# Take $h(z) = z^2$ and $q = \mathcal N(\mu, \sigma)$. The exact gradient in $\mu$ is $2\mu$. Write
# $z = \mu + \sigma \varepsilon$. One draw of each estimator is
#
# $$G_{\text{path}} = 2 z, \qquad G_{\text{score}} = (z^2 - c)\, \frac{\varepsilon}{\sigma}$$
#
# The number $c$ is a **baseline**. It changes no mean, because the mean of the score is zero. It changes the
# variance: it is a **control variate**. The moments of a normal draw give
#
# $$\begin{aligned} \mathrm{Var}(G_{\text{path}}) &= 4\sigma^2 \\ \mathrm{Var}(G_{\text{score}}) &= \frac{\mu^4}{\sigma^2} + 14\mu^2 + 15\sigma^2 && (c = 0) \\ \mathrm{Var}(G_{\text{score}}) &= 8\mu^2 + 10\sigma^2 && (c = \mathbb E_q[h] = \mu^2 + \sigma^2) \\ \mathrm{Var}(G_{\text{score}}) &= 8\mu^2 + 6\sigma^2 && (c = c^\star = \mu^2 + 3\sigma^2) \end{aligned}$$
#
# The best baseline is not the mean of $h$, but its mean weighted by the squared score:
#
# $$c^\star = \frac{\mathbb E_q\big[h\, (\partial \log q / \partial \phi)^2\big]}{\mathbb E_q\big[(\partial \log q / \partial \phi)^2\big]}$$
#
# Measure all four at $\mu = 2$, $\sigma = \frac12$. The error bar of a measured variance comes from the fourth
# moment.


# %%
def variance_with_error(values):
    centred_sq = (values - values.mean()) ** 2
    return centred_sq.mean().item(), (centred_sq.std() / math.sqrt(len(values))).item()


mu, sigma = 2.0, 0.5
at = torch.tensor([mu, math.log(sigma)])


def square(z):
    return z**2


c_best = variational.best_baseline(square, normal_from, at, NUM_DRAWS, generator=seeded(15))
assert abs(c_best[0] - (mu**2 + 3 * sigma**2)) < 0.1, "not the best baseline of the text"
cases = {
    "reparameterised": (None, 4 * sigma**2),
    "score function": (None, mu**4 / sigma**2 + 14 * mu**2 + 15 * sigma**2),
    "score, c = mean of h": (mu**2 + sigma**2, 8 * mu**2 + 10 * sigma**2),
    "score, c = best": (mu**2 + 3 * sigma**2, 8 * mu**2 + 6 * sigma**2),
}
print("gradient in μ           mean ± error   variance of one draw   predicted   draws needed")
for name, (baseline, predicted) in cases.items():
    if name == "reparameterised":
        estimate = variational.reparam_grad(
            square, normal_from, at, NUM_DRAWS, generator=seeded(16)
        )
    else:
        estimate = variational.score_function_grad(
            square, normal_from, at, NUM_DRAWS, control_variate=baseline, generator=seeded(16)
        )
    measured, bar = variance_with_error(estimate.per_sample[:, 0])
    assert abs(estimate.mean[0] - 2 * mu) < 5 * estimate.standard_error[0], "biased"
    assert abs(measured - predicted) < 5 * bar, "not the variance of the text"
    mean, error = estimate.mean[0], estimate.standard_error[0]
    row = f"{name:20} {mean:7.4f} ± {error:.4f} {measured:12.3f} ± {bar:.3f}"
    print(f"{row:60} {predicted:7.2f} {predicted / (4 * sigma**2):12.1f}")

# %% [markdown]
# The reparameterised gradient needs over a hundred times fewer draws than the plain score function. The baseline wins
# back a factor of almost four, and costs nothing.
#
# ### It gets worse with dimension
#
# Before you read on, answer C3 of the exercise: predict the price.
#
# Add more coordinates, $h(z) = \sum_m z_m^2$, all with $\mu = \sigma = 1$. The gradient in $\mu_1$ is still 2. The
# reparameterised one sees only its own coordinate. The score function multiplies the **whole** of $h$ by the score of
# one coordinate, so it collects the noise of all the others:
#
# $$\begin{aligned} \mathrm{Var}(G_{\text{path}}) &= 4 \\ \mathrm{Var}(G_{\text{score}}) &= 30 + 22 (M - 1) + 4 (M - 1)^2 && (c = 0) \\ \mathrm{Var}(G_{\text{score}}) &= 18 + 6 (M - 1) && (c = \mathbb E_q[h]) \end{aligned}$$

# %%
dims = [1, 2, 4, 8, 16, 32, 64]
draws_per_dim = 4000 if FAST else 40_000
predictions = {
    "score function": lambda M: 30 + 22 * (M - 1) + 4 * (M - 1) ** 2,
    "score, with baseline": lambda M: 18 + 6 * (M - 1),
    "reparameterised": lambda M: 4 + 0 * M,
}


def unit_normal(params):
    return Independent(Normal(params, 1.0), 1)


def sum_of_squares(z):
    return (z**2).sum(-1)


measured = {name: [] for name in predictions}
for num_latents in dims:
    setting = (sum_of_squares, unit_normal, torch.ones(num_latents), draws_per_dim)
    for name, predicted in predictions.items():
        if name == "reparameterised":
            estimate = variational.reparam_grad(*setting, generator=seeded(17))
        else:
            baseline = 2.0 * num_latents if "baseline" in name else None
            estimate = variational.score_function_grad(
                *setting, control_variate=baseline, generator=seeded(17)
            )
        value, bar = variance_with_error(estimate.per_sample[:, 0])
        assert abs(value - predicted(num_latents)) < 5 * bar, (name, num_latents)
        measured[name].append((value, bar))

fig, ax = plt.subplots(figsize=(7, 3.7))
fine = np.linspace(1, 64, 200)
for (name, formula), colour in zip(predictions.items(), (ORANGE, GREEN, BLUE), strict=True):
    values, bars = zip(*measured[name], strict=True)
    ax.plot(fine, formula(fine), color=colour, label=f"{name}, predicted")
    ax.errorbar(dims, values, [2 * bar for bar in bars], fmt="o", color=colour, capsize=3)
ax.set(
    xscale="log", yscale="log", xlabel="number of hidden values M", ylabel="variance of one draw"
)
ax.set_title("The score function pays for every coordinate (dots: measured)")
ax.legend(fontsize=9)
for name, values in measured.items():
    print(f"M = {dims[-1]}: variance of the {name:21} {values[-1][0]:8.0f}")

# %% [markdown]
# ### Not always the loser
#
# The reparameterised gradient differentiates $h$. If $h$ is rough, its derivative is large where $h$ is not. Take
# $h(z) = \cos(\omega z)$ with a standard normal $q$. Fast oscillation ($\omega = 10$) turns the order round: now
# $\mathrm{Var}(G_{\text{path}}) \approx \omega^2/2$, and $\mathrm{Var}(G_{\text{score}}) \approx \frac12$.

# %%
at = torch.tensor([0.0, 0.0])
for omega in (0.5, 10.0):

    def wave(z, omega=omega):
        return torch.cos(omega * z)

    path, score = (
        grad(wave, normal_from, at, NUM_DRAWS, generator=seeded(18)).per_sample[:, 0].var().item()
        for grad in (variational.reparam_grad, variational.score_function_grad)
    )
    print(f"ω = {omega:4.1f}: variance reparameterised {path:8.3f}, score function {score:.3f}")
assert abs(path / (omega**2 / 2) - 1) < 0.1
assert abs(score / 0.5 - 1) < 0.1

# %% [markdown]
# ### Where there is no path
#
# The wet lawn has bits. No draw of a bit can be moved a little. So use the score function, and check it against the
# exact gradient, a sum over four states. The parameters are the two logits of a factorised $q$.

# %%
logits = torch.tensor([0.3, -0.4])


def bernoullis(params):
    return Independent(torch.distributions.Bernoulli(logits=params), 1)


def lawn_log_weight(z):  # (S, 2)
    return lawn.log_joint(wet, z[:, None])[:, 0] - bernoullis(logits).log_prob(z)


free = logits.clone().requires_grad_()
table = lawn.factorised_table(torch.sigmoid(free)[None])
exact_bits = torch.autograd.grad(variational.table_elbo(lawn_table[None], table).sum(), free)[0]
print(f"{'exact':38} {exact_bits[0]:8.4f}            {exact_bits[1]:8.4f}")
for name, baseline in (
    ("score function", None),
    ("score, mean of the others as baseline", "leave_one_out"),
):
    estimate = variational.score_function_grad(
        lawn_log_weight, bernoullis, logits, 20_000, control_variate=baseline, generator=seeded(19)
    )
    assert ((estimate.mean - exact_bits).abs() < 5 * estimate.standard_error).all(), name
    print(f"{name:38} {with_errors(estimate)}")

# %% [markdown]
# The second row takes as its baseline, for each draw, the mean of $h$ over all the *other* draws: no constant to
# tune, and still unbiased. (In unit 07 the code is discrete, too. There you will meet a third answer, the
# straight-through gradient, which is biased.)
#
# ### A control variate for free
#
# One more variance to remove. Differentiate a drawn log weight $\log p(x, z) - \log q_\phi(z)$ through $z$. The
# parameters $\phi$ come in twice: through $z$, and directly in $\log q_\phi$. The direct part is minus the score. Its
# mean is zero, so you may leave it out: stop the gradient of the parameters in $\log q$. What remains is **zero for
# every draw** once $q$ is the posterior (Roeder, Wu and Duvenaud 2017).

# %%
z_noise = torch.randn(1000, 1, 2, generator=seeded(20))
noises = {}
for name, stop in (("whole gradient", False), ("score left out", True)):
    loc = exact_q.loc.expand(1000, 2).clone().requires_grad_()  # a copy for every draw
    q = MultivariateNormal(loc, scale_tril=exact_q.scale_tril.expand(1000, 2, 2))
    z = loc + torch.einsum("ij,snj->sni", exact_q.scale_tril[0], z_noise)[:, 0]
    log_q = (variational.stop_gradient(q) if stop else q).log_prob(z)
    log_w = parcels.log_joint(sum_read.expand(1000, 1), z) - log_q
    gradient = torch.autograd.grad(log_w.sum(), loc)[0]
    noises[name] = gradient.std(0).max().item()
    print(f"{name}: standard deviation of one draw {noises[name]:.1e}")
assert noises["score left out"] < 1e-10 < noises["whole gradient"]

# %% [markdown]
# ## 9 · The bridge: a tighter bound from more draws
#
# ### From the ELBO to importance sampling
#
# Line (4) of section 3 took the mean of $\log w$, with one draw inside the logarithm. Put $S$ draws inside (Burda,
# Grosse and Salakhutdinov 2016):
#
# $$\mathcal L_S(q) = \mathbb E\Big[\log \frac1S \sum_s w_s\Big], \qquad w_s = \frac{p(x, z_s)}{q(z_s)}, \quad z_s \sim q$$
#
# Inside the logarithm is the importance-sampling estimate $\hat p(x)$ of unit 02. So you know both ends of the
# ladder:
#
# $$\mathcal L(q) = \mathcal L_1 \;\le\; \mathcal L_2 \;\le\; \dots \;\le\; \mathcal L_S \;\to\; \log p(x)$$
#
# $\mathcal L_1$ is the ELBO. The limit is the evidence. This is the **importance-weighted bound**, known by the
# autoencoder that is trained with it, the IWAE. Why does it climb? The mean of $S$ weights is also the mean of the
# $S$ means that leave one weight out. Jensen again:
#
# $$\log \frac1S \sum_s w_s = \log \frac1S \sum_s \Big( \frac{1}{S - 1} \sum_{j \ne s} w_j \Big) \;\ge\; \frac1S \sum_s \log \frac{1}{S - 1} \sum_{j \ne s} w_j$$
#
# The mean of the left side is $\mathcal L_S$, the mean of the right side $\mathcal L_{S-1}$. It holds for **every**
# set of draws, before any mean is taken.

# %%
S = 8
_, log_w = monte_carlo.log_weights(
    sum_read.expand(1000, 1),
    parcels.log_joint,
    best_factorised.expand((1000,)),
    S,
    generator=seeded(32),
)
others = ~torch.eye(S, dtype=torch.bool)  # row s leaves out draw s
left_out = torch.stack([variational.iwae_bound(log_w[row]) for row in others])  # (S, repeats)
whole = variational.iwae_bound(log_w)
assert torch.allclose(monte_carlo.log_mean_exp(left_out), whole), "the mean of the means"
assert (left_out.mean(0) <= whole + 1e-12).all(), "it must hold for every set of draws"
print(f"mean over 1000 sets of {S} draws: {whole.mean():.4f}; one left out: {left_out.mean():.4f}")

# %% [markdown]
# The gap $\log p(x) - \mathcal L_S$ is what unit 02 called the bias of the log. If the weights have a finite
# variance, then for large $S$
#
# $$\log p(x) - \mathcal L_S \approx \frac{\chi^2}{2 S}, \qquad \chi^2 = \mathrm{Var}_q\Big(\frac{w}{p(x)}\Big)$$
#
# ### The ladder, exactly
#
# You can have the exact $\mathcal L_S$, without draws. Divide the weights by the evidence, $v_s = w_s / p(x)$; their
# mean is 1. Every positive number has $\log v = \int_0^\infty (e^{-t} - e^{-t v})\, \frac{dt}{t}$. Put in the average
# of the $v_s$ and take the mean. The draws are independent, so the mean of the product is a power:
#
# $$\mathcal L_S - \log p(x) = \int_0^\infty \Big( e^{-t} - \mathbb E_q\big[e^{-t v / S}\big]^S \Big)\, \frac{dt}{t}, \qquad v = \frac{p(z \mid x)}{q(z)}$$
#
# One integral over $z$, one over $t$, for every $S$. Do it for the two parcels, with three $q$'s: the posterior made
# wider and shifted; the factorised $q$; the posterior itself. In coordinates where the posterior is standard normal,
# their means and covariances are $\mu$ and $1.3^2 I$; $0$ and $\mathrm{diag}(1 - |\rho|, 1 + |\rho|)$; $0$ and $I$.

# %%
axis = torch.linspace(-11, 11, 121 if FAST else 181)
cell_area = (axis[1] - axis[0]) ** 2
plane = torch.cartesian_prod(axis, axis)
OCTAVE = 4 if FAST else 7  # points on the axis of t for each doubling
log_t = torch.arange(-64 * OCTAVE, 64 * OCTAVE + 1) * (math.log(2) / OCTAVE)


def exact_ladder(log_q, log_v, area, exponents):
    """L_S − log p(x) for S = 2**j; log_q and log_v on a grid of z whose cells have that area."""
    q_mass = log_q.exp() * area
    one_minus = torch.cat(  # 1 − E[exp(−t v)], without cancellation where t is small
        [
            -(torch.expm1(-(log_v + t[:, None]).clamp(max=50).exp()) @ q_mass)
            for t in log_t.split(64)
        ]
    )
    ladder = []
    for j in exponents:
        shift = j * OCTAVE  # t / S is so many points to the left; further left 1 − E[…] = t
        at_t_over_s = torch.cat([(log_t[:shift] - j * math.log(2)).exp(), one_minus])[: len(log_t)]
        power = (2**j * torch.log1p(-at_t_over_s.clamp(max=1 - 1e-15))).exp()
        ladder.append(((-log_t.exp()).exp() - power).sum() * (log_t[1] - log_t[0]))
    return torch.stack(ladder)


for v in (0.05, 1.0, 20.0):  # the integral for a logarithm, of a number and not of a mean
    as_integral = exact_ladder(torch.zeros(1), torch.tensor([math.log(v)]), 1.0, [0])[0]
    assert abs(as_integral - math.log(v)) < 1e-3 * abs(math.log(v)) + 1e-9, "not the logarithm"

EXPONENTS = range(13)
SIZES = [2**j for j in EXPONENTS]
rho_size = abs(correlation.item())
offset = torch.tensor([0.5, 0.5])
whitened = {
    "wide and shifted": MultivariateNormal(offset, 1.3**2 * torch.eye(2)),
    "factorised": MultivariateNormal(
        torch.zeros(2), torch.diag(torch.tensor([1 - rho_size, 1 + rho_size]))
    ),
    "the posterior": MultivariateNormal(torch.zeros(2), torch.eye(2)),
}
target = whitened["the posterior"].log_prob(plane)
ladders = {
    name: exact_ladder(q.log_prob(plane), target - q.log_prob(plane), cell_area, EXPONENTS).tolist()
    for name, q in whitened.items()
}
for name, q in whitened.items():
    kl = variational.gaussian_kl(q, whitened["the posterior"]).item()
    rungs = " ".join(f"{round(value, 4) + 0.0:8.4f}" for value in ladders[name][::3])
    print(f"{name:17} {rungs}   −KL = {round(-kl, 4) + 0.0:.4f}")
    assert abs(ladders[name][0] + kl) < 1e-4, "the first rung must be the ELBO"
    assert all(b >= a - 1e-9 for a, b in pairwise(ladders[name])), "it must climb"
    assert max(ladders[name]) < 1e-6, "above log p(x)"
assert abs(min(ladders["the posterior"])) < 1e-6, "exact at every S"
print(f"{'(draws S)':17} " + " ".join(f"{size:8d}" for size in SIZES[::3]))

# %% [markdown]
# Now the same by draws, in the parcels' own coordinates, with the functions of the library. And the predictions. For
# two hidden numbers and a $q$ with mean $\mu$ and covariance $\sigma^2 I$ in those coordinates (and
# $\sigma^2 > \frac12$)
#
# $$\chi^2 = \frac{\sigma^4}{2 \sigma^2 - 1}\, \exp\Big(\frac{\Vert \mu \Vert^2}{2 \sigma^2 - 1}\Big) - 1$$
#
# For the factorised $q$ the variance of the weights is **infinite**. Along the ridge $q$ is narrower than the
# posterior, by $1 - |\rho|$ in variance, and the weights have a power-law tail. In the limit its Pareto index (unit
# 02) is $k = |\rho| = 0.9$. The rule $\chi^2 / 2S$ does not apply; in the limit of many draws such a tail gives a gap
# that shrinks about as slowly as $S^{-(1/k - 1)} = S^{-0.11}$.
#
# One trick for the error bars. Where the variance is finite, subtract $\hat p / p(x) - 1$ from each drawn
# $\log \hat p$. Unit 02 showed that its mean is exactly zero: a control variate.

# %%
REPEATS = 400 if FAST else 2000
tril = exact_q.scale_tril[0]
proposals = {
    "wide and shifted": MultivariateNormal(exact_q.loc[0] + tril @ offset, scale_tril=1.3 * tril),
    "factorised": Independent(Normal(best_loc[0], best_std), 1),
    "the posterior": MultivariateNormal(exact_q.loc[0], scale_tril=tril),
}
readings_again = sum_read.expand(REPEATS, 1)
rungs, pareto = {}, {}
for name, q in proposals.items():
    _, log_w = monte_carlo.log_weights(
        readings_again, parcels.log_joint, q, SIZES[-3], generator=seeded(21)
    )
    values = torch.stack([variational.iwae_bound(log_w[:size]) for size in SIZES[:-2]])
    above = values - log_px  # (sizes, repeats)
    if name == "wide and shifted":  # a control variate: the mean of p̂/p(x) − 1 is exactly zero
        above = above - torch.expm1(above)
    rungs[name] = above.mean(1), above.std(1) / math.sqrt(REPEATS)
    _, log_w = monte_carlo.log_weights(sum_read, parcels.log_joint, q, 2**18, generator=seeded(30))
    pareto[name] = monte_carlo.pareto_k(log_w).item() if name != "the posterior" else -math.inf
    difference = rungs[name][0] - torch.tensor(ladders[name][:-2])
    assert (difference.abs() < 5 * rungs[name][1] + 1e-4).all(), "not the exact ladder"
spread_sq = 2 * 1.3**2 - 1
chi_sq = 1.3**4 / spread_sq * math.exp((offset @ offset).item() / spread_sq) - 1
log_ratio = 2 * target - whitened["wide and shifted"].log_prob(plane)
by_sum = log_ratio.exp().sum() * cell_area - 1
assert abs(chi_sq - by_sum) < 1e-6, "the closed form is not the integral"
for size, value in list(zip(SIZES, ladders["wide and shifted"], strict=True))[-4:]:
    print(f"S = {size:4d}: exact gap {-value:.6f}, χ²/2S = {chi_sq / (2 * size):.6f}")
assert abs(-ladders["wide and shifted"][-1] * 2 * SIZES[-1] / chi_sq - 1) < 0.02
for name, spans in (("wide and shifted", [[8, 12]]), ("factorised", [[8, 12], [28, 32]])):
    log_q = whitened[name].log_prob(plane)
    print(f"{name}: Pareto k of 2^18 draws {pareto[name]:.2f}")
    for span in spans:
        first, second = exact_ladder(log_q, target - log_q, cell_area, span).abs().log()
        slope = (second - first) / ((span[1] - span[0]) * math.log(2))
        print(f"    slope of the gap from S = 2^{span[0]} to 2^{span[1]}: {slope:.3f}")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9))
for (name, curve), colour in zip(ladders.items(), (BLUE, ORANGE, GREEN), strict=True):
    left.plot(SIZES[:-2], [log_px + value for value in curve[:-2]], color=colour, label=name)
    value, bar = rungs[name]
    left.errorbar(
        SIZES[:-2], value + log_px, 2 * bar, fmt="o", markersize=4, color=colour, capsize=2
    )
    if name != "the posterior":
        right.plot(SIZES, [-v for v in curve], color=colour, label=name)
        right.errorbar(SIZES[:-2], -value, 2 * bar, fmt="o", markersize=4, color=colour, capsize=2)
left.axhline(log_px, color="black", linewidth=0.8)
left.annotate("log p(x)", (1, log_px), xytext=(0, 4), textcoords="offset points", fontsize=9)
left.set(xscale="log", xlabel="draws S inside the logarithm", ylabel="bound (nats)")
left.set_title("The ladder: lines exact, dots drawn")
left.legend(loc="lower right", fontsize=9)
right.plot(SIZES, [chi_sq / (2 * size) for size in SIZES], "--", color=plots.DATA, label="χ²/2S")
right.set(xscale="log", yscale="log", ylim=(3e-5, 3), xlabel="draws S inside the logarithm")
right.set(ylabel="log p(x) − bound (nats)")
right.set_title("One shrinks like 1/S, one hardly at all")
_ = right.legend(loc="lower left", fontsize=9)

# %% [markdown]
# (The estimate of $k$ creeps up to its limit as slowly as the bound does.) So unit 02's question, *is this proposal
# wide enough?*, is also the question whether more draws will tighten the bound. A factorised $q$ at $|\rho| = 0.9$ is
# too narrow: 4096 draws still leave almost a fifth of the gap.
#
# ### The bound changes what you look for
#
# With one draw the best $q$ for the voltage hides in one hump (section 5). What is the best $q$ for $\mathcal L_S$?
# The exact ladder can be differentiated, so ask it. Start the search from a hump, and from a wide $q$.

# %%
line = grid[::20]
step_of_line = line[1] - line[0]
log_post_line = power_log_joint(line) - log_evidence


def best_for(exponent, loc, log_scale):
    params = torch.tensor([loc, log_scale], requires_grad=True)
    optimiser = torch.optim.LBFGS(
        [params], max_iter=60, line_search_fn="strong_wolfe", tolerance_change=1e-8
    )

    def gap():
        optimiser.zero_grad()
        log_q = normal_from(params).log_prob(line)
        loss = -exact_ladder(log_q, log_post_line - log_q, step_of_line, [exponent])[0]
        loss.backward()
        return loss

    optimiser.step(gap)
    return normal_from(params.detach()), gap().item()


print("          from a hump:            from a wide q:")
print("draws S   mean    std     gap     mean    std     gap   better")
wins = []
for exponent in (0, 1, 2, 4, 6):
    row = f"{2**exponent:7d}"
    gaps = []
    for start_loc, start_log_scale in ((1.35, -1.6), (0.0, 0.3)):
        q, gap = best_for(exponent, start_loc, start_log_scale)
        gaps.append(gap)
        row += f" {abs(q.loc):6.3f} {q.scale:6.3f} {gap:7.4f} "
    wins.append("hump" if gaps[0] < gaps[1] else "both")
    print(f"{row}  {wins[-1]}")
assert (wins[0], wins[-1]) == ("hump", "both"), "the preference must turn round"

# %% [markdown]
# At $S = 1$ hiding in one hump is best. With more draws it pays to cover both: the mode seeker has become a proposal.
# The same model, the same family, another bound.
#
# ### What gets worse
#
# Tighter is not better for everything (Rainforth and others 2018). Learn $q$ by the gradient of $\mathcal L_S$, and
# measure the **signal-to-noise ratio** (SNR) of one gradient: its mean divided by its standard deviation.
#
# $$\mathrm{SNR} = \frac{|\mathbb E[G]|}{\mathrm{std}(G)}$$
#
# For a parameter $\theta$ of the model it grows like $\sqrt S$: more draws, less noise. For a parameter $\phi$ of $q$
# it *falls* like $1/\sqrt S$. The reason: as $S$ grows, $\mathcal L_S$ depends less and less on $q$. Its gradient in
# $\phi$ vanishes like $1/S$, and the noise only like $1/\sqrt S$.
#
# The cure (Tucker and others 2019) is the idea from the end of section 8, used twice. Leave the score out, and weight
# each path by the **square** of its normalised weight $\tilde w_s = w_s / \sum_j w_j$. This is the doubly
# reparameterised gradient, DReG:
#
# $$\frac{\partial}{\partial \phi}\, \mathcal L_S = \mathbb E\Big[\sum_s \tilde w_s^2\, \frac{\partial \log w_s}{\partial z_s}\, \frac{\partial z_s}{\partial \phi}\Big]$$
#
# Take one parcel on a scale with error 1, so that $z$ is a single number. The gradient in the mean of $q$ has an
# exact value, from the differentiated ladder.

# %%
REPEATS = 10_000 if FAST else 40_000
one_parcel = LinearGaussian(torch.ones(1, 1), torch.zeros(1), 1.0)
one_reading = torch.tensor([[1.5]])
one_posterior = one_parcel.posterior(one_reading)
true_loc, true_std = one_posterior.loc.item(), one_posterior.covariance_matrix.sqrt().item()
at = torch.tensor([true_loc + 0.6 * true_std, math.log(1.2 * true_std)])
narrow_line = true_loc + true_std * torch.linspace(-9, 9, 361)
log_r_true = Normal(true_loc, true_std).log_prob(narrow_line)


def exact_gradient_of(exponent):
    params = at.clone().requires_grad_()
    log_q = normal_from(params).log_prob(narrow_line)
    step = narrow_line[1] - narrow_line[0]
    value = exact_ladder(log_q, log_r_true - log_q, step, [exponent])[0]
    return torch.autograd.grad(value, params)[0][0]  # in the mean


def problem(num_repeats):
    """Readings and means of q, a copy of each for every repeat, and q itself."""
    x = one_reading.repeat(num_repeats, 1).requires_grad_()
    loc = at[0].repeat(num_repeats, 1).requires_grad_()
    return x, loc, Independent(Normal(loc, at[1].exp().expand_as(loc)), 1)


def gradients_of(size, generator):
    """One gradient of L_S for each repeat: in the model's bias, and in q's mean twice."""
    x, loc, q = problem(REPEATS)
    state = generator.get_state()
    _, log_w = monte_carlo.log_weights(x, one_parcel.log_joint, q, size, generator=generator)
    in_x, in_loc = torch.autograd.grad(variational.iwae_bound(log_w).sum(), (x, loc))
    generator.set_state(state)  # the same draws again
    surrogate = variational.dreg_surrogate(x, one_parcel.log_joint, q, size, generator=generator)
    in_loc_dreg = torch.autograd.grad(surrogate.sum(), loc)[0]
    in_bias = -in_x  # the model sees x − b
    return in_bias[:, 0], in_loc[:, 0], in_loc_dreg[:, 0]


# %%
x, loc, q = problem(5)  # DReG by the formula, for five repeats of eight draws
z, _ = monte_carlo.log_weights(x, one_parcel.log_joint, q, 8, generator=seeded(22))
z = z.detach().requires_grad_()
log_w = one_parcel.log_joint(x, z) - variational.stop_gradient(q).log_prob(z)
path = torch.autograd.grad(log_w.sum(), z)[0][..., 0]  # and dz/dμ = 1
formula = (torch.softmax(log_w, 0) ** 2 * path).sum(0)
surrogate = variational.dreg_surrogate(x, one_parcel.log_joint, q, 8, generator=seeded(22))
by_library = torch.autograd.grad(surrogate.sum(), loc)[0][:, 0]
assert torch.allclose(by_library, formula), "not the DReG formula"

# %%
SNR_SIZES = [2**j for j in range(7)]
NAMES = ("model's bias θ", "mean of q, plain", "mean of q, DReG")
snr, noise = {name: [] for name in NAMES}, {name: [] for name in NAMES}
generator, signal = seeded(23), []
print("draws S   exact gradient in q's mean   plain ± error        DReG ± error")
for exponent, size in enumerate(SNR_SIZES):
    signal.append(exact_gradient_of(exponent).item())
    row = f"{size:7d} {signal[-1]:20.5f}        "
    for name, g in zip(NAMES, gradients_of(size, generator), strict=True):
        bar = g.std() / math.sqrt(REPEATS)
        snr[name].append((g.mean().abs() / g.std()).item())
        noise[name].append(g.std().item())
        if name != NAMES[0]:
            assert abs(g.mean() - signal[-1]) < 5 * bar, f"{name} is biased at S = {size}"
            row += f"  {g.mean():8.5f} ± {bar:.5f}"
    print(row)
for name, predicted in zip(NAMES, (0.5, -0.5, 0.5), strict=True):
    slope = np.polyfit(np.log(SNR_SIZES[2:]), np.log(snr[name][2:]), 1)[0]
    print(f"{name:18} slope of the SNR {slope:+.2f}, predicted {predicted:+.1f}")
    assert abs(slope - predicted) < 0.2, "not the predicted rate"
print(
    f"from S = 1 to {size} the exact gradient shrinks by a factor of {signal[0] / signal[-1]:.0f},"
)
print(f"the noise of the plain one by {noise[NAMES[1]][0] / noise[NAMES[1]][-1]:.0f},", end=" ")
print(f"the noise of DReG by {noise[NAMES[2]][0] / noise[NAMES[2]][-1]:.0f}")

# %%
fig, ax = plt.subplots(figsize=(7, 3.6))
for name, colour in zip(NAMES, (GREEN, ORANGE, BLUE), strict=True):
    ax.errorbar(
        SNR_SIZES, snr[name], 2 / math.sqrt(REPEATS), fmt="o-", color=colour, capsize=3, label=name
    )
ax.set(
    xscale="log", yscale="log", xlabel="draws S inside the logarithm", ylabel="SNR of one gradient"
)
ax.set_title("More draws drown the plain gradient of q, and help DReG")
_ = ax.legend(fontsize=9)

# %% [markdown]
# With 64 draws the plain gradient of $q$ is almost all noise, although the bound is nearly tight. DReG has the same
# mean and gets better with every draw.

# %% [markdown]
# ## 10 · EM was this all along
#
# In section 4 of [unit 01](01_mixture_models.ipynb), EM alternated two steps. With the names of this lecture: EM is
# **coordinate ascent on the ELBO** (Neal and Hinton 1998). The E-step climbs in $q$, the M-step in $\theta$:
#
# $$\begin{aligned} \text{E:}\quad q^{\mathrm{new}} &= \arg\max_q\, \mathcal L(q, \theta) = p_\theta(z \mid x) && \text{the gap closes: } \mathrm{KL} = 0 \\ \text{M:}\quad \theta^{\mathrm{new}} &= \arg\max_\theta\, \mathcal L(q^{\mathrm{new}}, \theta) && \text{the gap opens again} \end{aligned}$$
#
# Check the E-step as an optimisation. Let $q_n = \mathrm{softmax}(\eta_n)$ with free logits, and write
# $a_{nk} = \log p(x_n, z_n = k) - \log q_n(k)$ for the log weights. The gradient of the ELBO is
#
# $$\frac{\partial \mathcal L}{\partial \eta_{nk}} = q_n(k) \Big( a_{nk} - \sum_j q_n(j)\, a_{nj} \Big)$$
#
# It vanishes if the log weights are constant in $k$: if $q$ is the posterior. And at that $q$, the gradient of the
# bound in $\theta$ is the gradient of $\ell$: bound and likelihood touch without crossing.

# %%
logits = torch.randn(len(eruptions), 2, generator=seeded(24), requires_grad=True)
q = torch.softmax(logits, -1)
table = mixture.log_joint(eruptions, start)
by_autograd = torch.autograd.grad(variational.table_elbo(table, q).sum(), logits)[0]
q = q.detach()
log_weights = table - q.log()
formula = q * (log_weights - (q * log_weights).sum(-1, keepdim=True))
assert torch.allclose(by_autograd, formula), "not the gradient of the text"

moving = start.loc.clone().requires_grad_()
moved = MixtureParams(weights=start.weights, loc=moving, covariance=start.covariance)
touching = variational.table_elbo(
    mixture.log_joint(eruptions, moved), mixture.responsibilities(eruptions, start)
)
gradient_of_bound = torch.autograd.grad(touching.sum(), moving)[0]
gradient_of_truth = torch.autograd.grad(mixture.log_likelihood(eruptions, moved), moving)[0]
assert torch.allclose(gradient_of_bound, gradient_of_truth), "they must touch without crossing"
at_posterior = torch.log(mixture.responsibilities(eruptions, start)).requires_grad_()
bound = variational.table_elbo(table, torch.softmax(at_posterior, -1)).sum()
slope = torch.autograd.grad(bound, at_posterior)[0]
assert slope.abs().max() < 1e-10, "the posterior is the top in q"
print("E-step: the gradient in q vanishes at the posterior. M-step: the bound is tangent there.")

# %% [markdown]
# Now the staircase, from the bad start of unit 01. Each step up is either an E-step (the gap closes) or an M-step
# (the parameters move).

# %%
params, values, truth_line = start, [], []
for _ in range(8):
    for half in ("E", "M"):
        if half == "E":
            q = mixture.responsibilities(eruptions, params)
        else:
            params = mixture.m_step(eruptions, q)
        bound = variational.table_elbo(mixture.log_joint(eruptions, params), q).sum()
        values.append(bound.item())
        truth_line.append(mixture.log_likelihood(eruptions, params).item())
assert all(b >= a - 1e-9 for a, b in pairwise(values)), "the bound must never fall"
after_e_steps = [truth - value for truth, value in zip(truth_line[::2], values[::2], strict=True)]
assert max(map(abs, after_e_steps)) < 1e-8, "after each E-step the bound is tight"

fig, ax = plt.subplots(figsize=(7.5, 3.7))
ax.step(range(len(values)), truth_line, where="post", color="black", label="log-likelihood")
ax.step(range(len(values)), values, where="post", color=plots.DATA, linewidth=1)
half_steps = range(len(values))
ax.plot(half_steps[::2], values[::2], "o", color=BLUE, label="ELBO after an E-step")
ax.plot(half_steps[1::2], values[1::2], "o", color=ORANGE, label="ELBO after an M-step")
ax.set(xlabel="half-step", ylabel="nats", xlim=(0.5, 12.5), ylim=(-1295, -1122))
ax.set_title("M-steps lift both and open a gap; E-steps close it")
_ = ax.legend(loc="lower right")

# %% [markdown]
# Seen this way, you may be lazy. **Any** move that raises the ELBO will do: update $q$ for a random tenth of the
# eruptions and leave the others stale, or take a single gradient step in $\theta$. The bound never falls, and it ends
# at the same top.

# %%
lazy, q, generator, history = start, mixture.responsibilities(eruptions, start), seeded(25), []
for _ in range(400):
    chosen = torch.rand(len(eruptions), generator=generator) < 0.1
    q = torch.where(chosen[:, None], mixture.responsibilities(eruptions, lazy), q)
    lazy = mixture.m_step(eruptions, q)
    history.append(variational.table_elbo(mixture.log_joint(eruptions, lazy), q).sum().item())
assert all(b >= a - 1e-9 for a, b in pairwise(history)), "the bound must never fall"
reached = mixture.log_likelihood(eruptions, lazy).item()
print(f"a tenth of the eruptions at a time: {reached:.4f}; EM of unit 01: −1130.2640")
assert abs(reached - -1130.26396) < 1e-3

# %% [markdown]
# **But not if $q$ is restricted.** Then the E-step goes to the best $q$ of the family, the gap stays open, and the
# argument of unit 01 breaks: a step that raises the bound may *lower* the log-likelihood. Take the scale of section
# 7, with a factorised $q$. Both steps have a closed form. The E-step is the mean-field optimum, and the M-step is the
# expected squared error:
#
# $$\sigma_{\mathrm{new}}^2 = \frac1N \sum_n \mathbb E_{q_n}\big[(x_n - z_{n1} - z_{n2})^2\big] = \frac1N \sum_n (x_n - \mu_{n1} - \mu_{n2})^2 + \frac{2}{\Lambda_{11}}$$
#
# Start **at the truth**, $\sigma = 0.5$.

# %%
sigma, rows = 0.5, []
for _ in range(40):
    model = LinearGaussian(torch.ones(1, 2), torch.zeros(1), sigma)
    loc, std = mean_field_optimum(model, readings)
    q = Independent(Normal(loc, std.expand_as(loc)), 1)
    bound = variational.elbo_three_ways(model, readings, q).joint_and_entropy.mean().item()
    rows.append((sigma, bound, model.log_marginal(readings).mean().item()))
    expected_sq = ((readings[:, 0] - loc.sum(-1)) ** 2).mean() + 2 * std[0] ** 2
    sigma = expected_sq.sqrt().item()
# the M-step must be stationary
at_new = LinearGaussian(torch.ones(1, 2), torch.zeros(1), sigma).requires_grad_()
fit_of_q = variational.elbo_three_ways(at_new, readings, q).joint_and_entropy.mean()
assert torch.autograd.grad(fit_of_q, at_new.log_scale)[0].abs() < 1e-8, "not the M-step"
print("step      σ       ELBO     log-likelihood   (nats for a reading)")
for step in (0, 1, 2, 5, 10, 20, 39):
    print(f"{step:4d} {rows[step][0]:8.4f} {rows[step][1]:10.5f} {rows[step][2]:14.5f}")
assert all(later[1] >= earlier[1] - 1e-12 for earlier, later in pairwise(rows)), "the bound rises"
assert all(later[2] <= earlier[2] + 1e-12 for earlier, later in pairwise(rows)), "the truth falls"
assert abs(sigma - top_bound) < 0.01, "it must end where section 7 says"

# %% [markdown]
# The bound rises at every step, and every step makes the model worse. It walks from the right $\sigma$ to the one
# that section 7 predicted. A rising ELBO proves that the ELBO rises.

# %% [markdown]
# ## 11 · What goes wrong
#
# Ten classic mistakes, made on purpose. Most are caught by two tests that you now own: on a model with a known
# $\log p(x)$, the ELBO must stay **below** it, and $\log p(x) - \mathcal L - \mathrm{KL}$ must be **zero**.
#
# ### 1 · Plus KL
#
# The ELBO is the reconstruction **minus** the KL. Someone logs $-\mathrm{KL}$ as KL, someone else adds it. Maximise
# the sum for the two parcels.

# %%
print("log std of q   rec − KL   rec + KL       log p(x) = " + f"{log_px:.3f}")
for log_std in (0.0, -1.0, -3.0, -10.0, -100.0):
    q = Independent(Normal(best_loc, math.exp(log_std) * torch.ones_like(best_loc)), 1)
    kl = variational.gaussian_kl(q, parcels.prior()).item()
    rec = variational.elbo_three_ways(parcels, sum_read, q).likelihood_and_kl.item() + kl
    print(f"{log_std:12.0f} {rec - kl:10.3f} {rec + kl:10.3f}")
    assert rec - kl < log_px
assert rec + kl > log_px, "the wrong sign must show above log p(x)"

# %% [markdown]
# Symptom: the "bound" rises without end, above $\log p(x)$, while $q$ shrinks to a point. (And the KL grows during
# training, which the log calls progress.)
#
# ### 2 · The arguments of the KL swapped, and 3 · log σ taken for log σ²
#
# Two mistakes, three numbers. The right KL of $\mathcal N(0, \sigma)$ to the standard normal is
# $\frac12 (\sigma^2 - 1 - \log \sigma^2)$.

# %%
print("log σ    right   swapped   log σ read as log σ²")
for log_std in (0.0, 0.5, 1.0, -1.0):
    right = 0.5 * (math.exp(2 * log_std) - 1 - 2 * log_std)
    swapped = 0.5 * (math.exp(-2 * log_std) - 1 + 2 * log_std)
    misread = 0.5 * (math.exp(log_std) - 1 - log_std)
    q = Independent(Normal(torch.zeros(1), math.exp(log_std) * torch.ones(1)), 1)
    assert abs(variational.gaussian_kl(q, one_parcel.prior()).item() - right) < 1e-12
    print(f"{log_std:5.1f} {right:8.4f} {swapped:9.4f} {misread:14.4f}")
    if log_std == 1:
        assert [round(v, 3) for v in (right, swapped, misread)] == [2.195, 0.568, 0.359]

# %% [markdown]
# Symptom: none at $\log \sigma = 0$, where all three vanish. That is where most networks start, and where most people
# test. At $\log \sigma = 1$ the right value is 2.195, the swapped one 0.568, the misread one 0.359. Probe away from
# zero.
#
# ### 4 · The sum over the batch
#
# The reconstruction is averaged (over the batch, or over the pixels), the KL is summed (or the other way round). Then
# the KL has a weight $\beta$ that nobody chose. For the linear model the best $q$ for
# $\mathbb E_q[\log p(x \mid z)] - \beta\, \mathrm{KL}$ is again Gaussian, with precision
# $I + W^\top W / (\beta \sigma^2)$. On the digits: a mean over 64 pixels, or a batch of 128.

# %%
print("weight β   nats in the code (KL)   squared error of a pixel   log p(x) − ELBO")
in_code = {}
for beta in (1 / 128, 1, 64, 128):
    best_q = LinearGaussian(
        optimum.weight, optimum.bias, optimum.scale * math.sqrt(beta)
    ).posterior(images)
    free = [part.clone().requires_grad_() for part in (best_q.loc, best_q.scale_tril)]
    q = MultivariateNormal(free[0], scale_tril=free[1])
    kl = variational.gaussian_kl(q, optimum.prior())
    elbo = variational.elbo_three_ways(optimum, images, q).likelihood_and_kl
    slopes = torch.autograd.grad((elbo + (1 - beta) * kl).sum(), free)
    assert all(slope.abs().max() < 1e-6 * (1 + beta) for slope in slopes), "not the best q"
    error = ((best_q.loc @ optimum.weight.T + optimum.bias - images) ** 2).mean()
    in_code[beta], gap = kl.mean().item(), best_value - elbo.mean().item()
    print(f"{beta:8.4f} {in_code[beta]:14.3f} {error:26.4f} {gap:22.3f}")
print(f"squared error of the mean image: {((images - images.mean(0)) ** 2).mean():.4f}")
assert in_code[128] < 0.02 * in_code[1], "the code must empty"

# %% [markdown]
# Symptom: with $\beta = 128$ the code is nearly empty and the reconstruction nearly the mean image. People call it
# posterior collapse and blame the model. With $\beta = 1/128$ the code is bloated, the pictures are sharp, and the
# bound is far below. Sum over pixels **and** hidden values, average over examples only.
#
# ### 5 · A detached draw
#
# `q.sample()` in place of `q.rsample()`, or a stray `detach()`. The reconstruction then has no gradient in $\phi$ at
# all.


# %%
def gradient_of(rec, loc):
    return torch.autograd.grad(rec, loc, retain_graph=True)[0] if rec.requires_grad else 0 * loc


for method in ("rsample", "sample"):
    loc = torch.full((1, 2), 0.3, requires_grad=True)
    log_std = torch.full((1, 2), -0.5, requires_grad=True)
    optimiser = torch.optim.Adam([loc, log_std], lr=0.02)
    _ = torch.manual_seed(0)  # rsample() takes no generator
    at_start = None
    for _ in range(600):
        q = Independent(Normal(loc, log_std.exp()), 1)
        rec = parcels.log_likelihood(sum_read, getattr(q, method)((8,))).mean()
        at_start = gradient_of(rec, loc)[0, 0].item() if at_start is None else at_start
        loss = variational.gaussian_kl(q, parcels.prior()).mean() - rec
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    bound = variational.elbo_three_ways(parcels, sum_read, q).joint_and_entropy.item()
    print(f"{method + '()':10} first gradient of the reconstruction {at_start:6.2f}", end="; ")
    print(f"q ends at mean {loc[0, 0]:5.2f}, std {log_std[0, 0].exp():.2f}, ELBO {bound:6.2f}")
assert at_start == 0, "a gradient went through a detached draw"
assert loc.abs().max() < 0.1, "q must fall back to the prior"

# %% [markdown]
# Symptom: everything runs, the KL goes to zero, and $q$ is the prior whatever $x$ is. Test: the gradient of the
# reconstruction alone, in $\phi$, must not be zero.
#
# ### 6 · A bound above log p(x)
#
# Some mistakes lift the "bound", some lower it. Lowering looks harmless: still a lower bound! The identity catches
# both kinds. Here are five bugs on the digits, with the right mean and twice the right width for $q$.

# %%
q, M_digits = candidates["right mean, twice as wide"], ppca.latent_dim
kl = variational.gaussian_kl(q, ppca.prior()).mean()
gap = variational.gaussian_kl(q, posterior_q).mean()
elbo = variational.elbo_three_ways(ppca, images, q).joint_and_entropy.mean()
log_norm = D / 2 * math.log(2 * math.pi * noise_std**2)
squared = -2 * noise_std**2 * (elbo + kl + log_norm)  # mean of ‖x − Wz − b‖² under q
versions = {
    "correct": -squared / (2 * noise_std**2) - log_norm - kl,
    "entropy subtracted": elbo - 2 * q.entropy().mean(),
    "½ log 2π left out": elbo + D / 2 * math.log(2 * math.pi),
    "σ not squared": -squared / (2 * noise_std) - log_norm - kl,
    "½ of the KL left out": elbo - kl,
    "KL of one hidden value": elbo + kl - kl / M_digits,
}
truth = exact.mean()
print(f"{'':24} 'ELBO'    above log p(x)?   log p(x) − 'ELBO' − KL")
for name, value in versions.items():
    residual = (truth - value - gap).item()
    above = "yes" if value > truth else "no"
    print(f"{name:23} {value:8.2f} {above:>12} {round(residual, 4) + 0.0:22.4f}")
    assert (abs(residual) < 1e-8) == (name == "correct"), name

# %% [markdown]
# Symptom: sometimes a bound above the evidence, which is impossible. Sometimes only a residual that is not zero. So
# compute the residual on a model where you can, before you train one where you cannot.
#
# ### 7 · The same noise at every step
#
# Draw $\varepsilon$ once, "to make the loss smooth", and reuse it. Then the optimiser fits the noise: it can move a
# few draws to good places without being a good $q$.

# %%
print("draws   'ELBO' on its own noise   ELBO of that q   log p(x)")
for num_frozen in (1, 2, 4, 64):
    frozen = torch.randn(num_frozen, 1, 2, generator=seeded(26))
    loc = torch.zeros(1, 2, requires_grad=True)
    log_std = torch.zeros(1, 2, requires_grad=True)
    optimiser = torch.optim.Adam([loc, log_std], lr=0.05)
    for _ in range(200 if FAST else 500):
        q = Independent(Normal(loc, log_std.exp()), 1)
        z = loc + log_std.exp() * frozen
        claimed = parcels.log_joint(sum_read, z).mean() + q.entropy().mean()
        optimiser.zero_grad()
        (-claimed).backward()
        optimiser.step()
    real = variational.elbo_three_ways(parcels, sum_read, q).joint_and_entropy.item()
    print(f"{num_frozen:5d} {claimed.item():17.3f} {real:23.3f} {log_px:14.3f}")
    if num_frozen == 1:
        assert claimed > log_px + 1, "one frozen draw must be exploited"

# %% [markdown]
# Symptom: a "bound" far above $\log p(x)$, and a new draw says otherwise. Evaluate on fresh noise.
#
# ### 8 · One noise for the whole batch
#
# One $\varepsilon$ of shape $(M,)$, broadcast over the images. The mean is right, so no test of the mean finds it.
# But all errors of the batch now point the same way.

# %%
batch = images[:100]
q = MultivariateNormal(posterior_q.loc[:100], scale_tril=2 * posterior_q.scale_tril[:100])
totals = {}
for name, shape in (("own noise", (2000, 100, M_digits)), ("shared noise", (2000, 1, M_digits))):
    eps = torch.randn(*shape, generator=seeded(27)).expand(2000, 100, M_digits)
    z = q.loc + torch.einsum("nij,snj->sni", q.scale_tril, eps)
    totals[name] = (ppca.log_joint(batch, z) - q.log_prob(z)).mean(1)  # of the batch, drawn
    mean, std = totals[name].mean(), totals[name].std()
    print(
        f"{name:13} mean {mean:5.2f} ± {std / math.sqrt(2000):.2f}, one batch varies by {std:.3f}"
    )
ratio = (totals["shared noise"].var() / totals["own noise"].var()).item()
print(f"variance ratio {ratio:.0f}: a batch of 100 is worth {100 / ratio:.1f}")

# %% [markdown]
# Symptom: training as noisy as with a single example, for no visible reason. Test the variance, not only the mean.
#
# ### 9 · A gradient through a step
#
# Reparameterise, then threshold. The derivative of a step is zero wherever it exists.

# %%
at = torch.tensor([0.4, 0.0])  # q = N(0.4, 1)
exact_slope = math.exp(-0.5 * 0.4**2) / math.sqrt(2 * math.pi)  # of P(z > 0) in the mean


def step_function(z):
    return (z > 0).to(z) + 0 * z


path = variational.reparam_grad(step_function, normal_from, at, 10_000, generator=seeded(28))
score = variational.score_function_grad(
    step_function, normal_from, at, 10_000, generator=seeded(28)
)
print(f"exact            {exact_slope:.4f}")
for name, estimate in (("reparameterised", path), ("score function", score)):
    print(f"{name:16} {estimate.mean[0]:.4f} ± {estimate.standard_error[0]:.4f}")
assert path.mean[0] == 0
assert abs(score.mean[0] - exact_slope) < 5 * score.standard_error[0]

# %% [markdown]
# Symptom: a gradient that is exactly zero, with an error bar of zero, next to a score-function gradient that is not.
#
# ### 10 · The mean before the exponential
#
# The importance-weighted bound is the log of the *mean of the weights*. Someone takes the mean of the **log**
# weights. Or forgets $-\log S$.

# %%
_, log_w = monte_carlo.log_weights(
    readings_again, parcels.log_joint, proposals["wide and shifted"], 256, generator=seeded(29)
)
print("draws S    right   mean of the logs   without −log S      log p(x) = " + f"{log_px:.3f}")
for size in (1, 4, 16, 64, 256):
    right = variational.iwae_bound(log_w[:size]).mean().item()
    flat, lifted = log_w[:size].mean().item(), log_w[:size].logsumexp(0).mean().item()
    print(f"{size:7d} {right:8.3f} {flat:13.3f} {lifted:17.3f}")
assert lifted > log_px > right > flat

# %% [markdown]
# Symptom: a ladder that does not climb, or one that climbs past $\log p(x)$.

# %% [markdown]
# ## Summary
#
# - Jensen: the log of a mean lies above the mean of the logs, by half the relative variance if the spread is small.
# - The ELBO in three forms: log joint plus entropy; likelihood minus KL to the prior; evidence minus KL to the
#   posterior. One number.
# - $\log p(x) = \mathcal L(q) + \mathrm{KL}(q \,\Vert\, p(z \mid x))$, to the last digit, on every model where you
#   can check.
# - Reverse KL seeks a mode, forward KL covers the mass. The ELBO is the reverse one, because you can draw from $q$.
# - Push up the bound in $\phi$ and you do inference. Push it up in $\theta$ and you learn, without ever computing the
#   likelihood.
# - For a Gaussian posterior, mean-field gets the means right and the spreads too small. It costs
#   $-\frac12 \log(1 - \rho^2)$ nats for two Gaussian values, and it pulls the model towards posteriors that it can
#   copy.
# - The reparameterised gradient is usually far less noisy than the score function, but it needs a smooth $h$. A
#   baseline costs nothing.
# - The mean of unit 02's $\log \hat p$ is a bound, too. It climbs from the ELBO at $S = 1$ to $\log p(x)$. Its gap is
#   $\chi^2 / 2S$ if the weights have a finite variance. The plain gradient of $q$ drowns in noise; DReG does not.
# - EM is coordinate ascent on the ELBO, with a $q$ that can be the posterior.
#
# What is left? Here every $x$ had its own $q$, fitted from scratch. Unit 05 trains a network that writes down $q$ for
# any $x$ in one pass.
#
# ## Exercise
#
# `exercises/03_elbo` asks you to build this yourself: the Jensen gap, a derivation to put in order, the three forms
# and their gap, both gradients and a baseline, a Gaussian fitted by gradient, forward and reverse KL as numbers, and
# the importance-weighted bound. Two questions ask you to predict a number before you compute it. Two are answered by
# hand: what Jensen lost, and what mean-field gives up.
#
# ## References
#
# - J. L. W. V. Jensen (1906). Sur les fonctions convexes et les inégalités entre les valeurs moyennes. *Acta
#   Mathematica* 30, 175–193.
# - R. J. Williams (1992). Simple statistical gradient-following algorithms for connectionist reinforcement learning.
#   *Machine Learning* 8, 229–256.
# - R. M. Neal and G. E. Hinton (1998). A view of the EM algorithm that justifies incremental, sparse, and other
#   variants. In M. I. Jordan (editor), *Learning in Graphical Models*, 355–368.
# - M. I. Jordan, Z. Ghahramani, T. S. Jaakkola and L. K. Saul (1999). An introduction to variational methods for
#   graphical models. *Machine Learning* 37, 183–233.
# - M. E. Tipping and C. M. Bishop (1999). Probabilistic principal component analysis. *Journal of the Royal
#   Statistical Society B* 61, 611–622.
# - C. M. Bishop (2006). *Pattern Recognition and Machine Learning*. Springer. Section 10.1 and equations
#   (10.2)–(10.4) for the identity, equation (10.9) for the best factor, section 10.1.2 for factorised Gaussians and
#   the two divergences.
# - R. E. Turner and M. Sahani (2011). Two problems with variational expectation maximisation for time series models.
#   In D. Barber, A. T. Cemgil and S. Chiappa (editors), *Bayesian Time Series Models*, chapter 5. Cambridge
#   University Press.
# - D. P. Kingma and M. Welling (2014). Auto-encoding variational Bayes. arXiv 1312.6114. Equations (1)–(3) for the
#   bound, section 2.4 for the reparameterisation, appendix B for the closed-form KL.
# - D. J. Rezende, S. Mohamed and D. Wierstra (2014). Stochastic backpropagation and approximate inference in deep
#   generative models. arXiv 1401.4082.
# - Y. Burda, R. Grosse and R. Salakhutdinov (2016). Importance weighted autoencoders. arXiv 1509.00519. Theorem 1 for
#   the ladder.
# - D. M. Blei, A. Kucukelbir and J. D. McAuliffe (2017). Variational inference: a review for statisticians. *Journal
#   of the American Statistical Association* 112, 859–877.
# - G. Roeder, Y. Wu and D. Duvenaud (2017). Sticking the landing: simple, lower-variance gradient estimators for
#   variational inference. arXiv 1703.09194.
# - T. Rainforth and others (2018). Tighter variational bounds are not necessarily better. arXiv 1802.04537. Theorem 1
#   for the two rates.
# - G. Tucker, D. Lawson, S. Gu and C. J. Maddison (2019). Doubly reparameterized gradient estimators for Monte Carlo
#   objectives. arXiv 1810.04152.
# - J. Lucas, G. Tucker, R. Grosse and M. Norouzi (2019). Don't blame the ELBO! A linear VAE perspective on posterior
#   collapse. arXiv 1911.02469.
# - S. Mohamed, M. Rosca, M. Figurnov and A. Mnih (2020). Monte Carlo gradient estimation in machine learning.
#   *Journal of Machine Learning Research* 21 (132).
