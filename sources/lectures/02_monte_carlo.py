# %% [markdown]
# # 02 · Monte Carlo
#
# **Why is $p(x)$ hard?**
#
# Cover the lower half of a handwritten digit. What is under the cover? You can think of many answers, and a model can
# score each of them. But a score is not a probability. To turn scores into probabilities you must divide by the sum
# over **all** answers. That sum is $p(x)$, the density of what you see. There are more answers than you could ever
# list.
#
# So you guess, and average. This lecture is about what the guesses cost. Everything happens on models for which the
# exact answer is known, so you see every estimate beside the truth, with its error bar, and with the error that theory
# predicted before the experiment ran.
#
# **When you have read this, you can**
#
# - write $p(x)$ as an integral over everything you did not see;
# - estimate it by uniform guesses, by draws from the prior and by importance sampling, each with an error bar;
# - predict the error of each estimate, and the number of draws you need;
# - show with numbers why this number grows exponentially with the dimension;
# - say which proposal is best, and why you cannot have it;
# - read the effective sample size and Pareto's $\hat k$, and say what both cannot see;
# - predict how far the logarithm of an estimate is off;
# - turn the same draws into the posterior, and fill in the covered half.
#
# You need: unit 01 (joint, marginal, posterior, log-sum-exp), the variance of a mean, and a little PyTorch. Symbols
# follow the notation table in `lectures/README.md`. After almost every equation comes a cell that tests it.

# %%
import math
import os

import matplotlib.pyplot as plt
import numpy as np
import scipy.stats
import torch
from torch.distributions import Independent, MultivariateNormal, Normal, Uniform

from course_lib import monte_carlo, plots
from course_lib.data import digits
from course_lib.explorer import proposal_explorer
from course_lib.linear_gaussian import (
    LinearGaussian,
    fit_maximum_likelihood,
    mean_field_optimum,
    naive_log_relative_variance,
)

FAST = os.environ.get("COURSE_FAST") == "1"  # smaller sizes, same code
_ = torch.set_num_threads(1)  # the arrays are small: a second thread would only wait
torch.set_default_dtype(torch.float64)
plots.use_style()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# %% [markdown]
# ## 1 · Half an image
#
# scikit-learn brings 1797 handwritten digits of 8 × 8 grey values, from 0 (no ink) to 1. Keep 1500 for learning, the
# rest for tests. Then cover the lower four rows of the test images. Write $x_\mathrm{top}$ for the 32 values you see
# and $x_\mathrm{bottom}$ for the 32 you do not.

# %%
images, labels = digits()
order = torch.randperm(len(images), generator=seeded(0))
train, test = images[order[:1500]], images[order[1500:]]
D = images.shape[1]
TOP = torch.arange(D) < D // 2  # the first four rows of eight
print(f"{len(train)} images to learn from, {len(test)} to test on, {D} values each")


def draw_image(ax, image, title="", covered=False):
    shown = image.reshape(8, 8).clone()
    shown[4:] = torch.nan if covered else shown[4:]
    ax.imshow(shown, cmap="gray_r", vmin=0, vmax=1)
    ax.add_patch(plt.Rectangle((-0.5, 3.5), 8, 4, color=plots.COLOURS[4], alpha=0.45 * covered))
    ax.axis("off")
    _ = ax.set_title(title, fontsize=10, loc="center")


CHOSEN = [201, 285, 12, 143, 3, 256]  # six test images
fig, axes = plt.subplots(1, 6, figsize=(9.5, 1.8))
for ax, n in zip(axes, CHOSEN, strict=True):
    draw_image(ax, test[n], covered=True)
_ = fig.suptitle("What is under the cover?", fontsize=11)

# %% [markdown]
# ### A model whose every integral is known
#
# You need something that scores images. Take the simplest cousin of the last section of unit 01: $M = 10$ hidden
# numbers with a standard normal prior, a decoder that is only a matrix $W$ and a shift $b$, and noise of standard
# deviation $\sigma$ on every pixel:
#
# $$\begin{aligned} z &\sim \mathcal N(0, I_M) \\ x &= W z + b + \sigma\, \varepsilon, \qquad \varepsilon \sim \mathcal N(0, I_D) \end{aligned}$$
#
# This is **probabilistic PCA**. Its best parameters have a closed form (Tipping and Bishop 1999, equations 7 and 8),
# and so has its density. $Wz$ and $\sigma\varepsilon$ are independent Gaussians, so their sum is one, with the sum of
# the covariances:
#
# $$p(x) = \mathcal N(x \mid b,\; W W^\top + \sigma^2 I_D)$$
#
# It is a poor model of digits. That does not matter here: it is the **oracle** of this lecture. You can ask it for the
# exact answer, and measure every estimator against it. Test the two equations: the covariance of draws that follow the
# story, and the density, against PyTorch's own.

# %%
M = 10
model = fit_maximum_likelihood(train, latent_dim=M)
covariance = model.weight @ model.weight.T + model.scale**2 * torch.eye(D)
z = torch.randn(100_000, M, generator=seeded(1))
story = z @ model.weight.T + model.bias
story += model.scale * torch.randn(story.shape, generator=seeded(2))
spread = covariance.diagonal().sqrt()
error = ((torch.cov(story.T) - covariance) / (spread[:, None] * spread)).abs().max()
assert error < 6 * math.sqrt(2 / 100_000), "the covariance of the draws is not the formula"
peer = MultivariateNormal(model.bias, covariance).log_prob(test)
assert torch.allclose(model.log_marginal(test), peer), "the formula and torch disagree"
print(f"σ = {model.scale:.3f}; mean log-density of a test image: {peer.mean():.2f} nats")

# %% [markdown]
# ### The score of what you see
#
# The model scores a whole image: $p(x_\mathrm{top}, x_\mathrm{bottom})$. You see only the top. So the bottom is a
# **hidden variable**, and you do with it what unit 01 did with the kind of an eruption: sum it out. Pixels are real
# numbers here, so the sum is an integral:
#
# $$p(x_\mathrm{top}) = \int p(x_\mathrm{top}, x_\mathrm{bottom})\, dx_\mathrm{bottom}$$
#
# Test it where a computer can still do the integral. Cover a **single** pixel, and add up the density over 2001 values
# of it. The model of the other 63 pixels is exact, too: drop a row of $W$ and of $b$. (`observe` does that.)

# %%
pixel = 43
others = torch.arange(D) != pixel
x = test[CHOSEN[0]]
values = torch.linspace(-3, 4, 2001)
candidates = x.repeat(2001, 1)
candidates[:, pixel] = values
integral = torch.trapezoid(model.log_marginal(candidates).exp(), values)
exact = model.observe(others).log_marginal(x[None, others])
assert abs(integral.log() - exact) < 1e-6, "hiding a pixel is integrating over it"
print(f"one pixel covered: sum over a grid {integral.log():.6f}, exact {exact.item():.6f} nats")
print(f"32 pixels with 17 grey values each: {17.0**32:.1e} ways to fill the lower half")

# %% [markdown]
# ### Guess at random
#
# That grid is out of reach. So fill the lower half with uniform random numbers, many times, and let the model score
# each. (From −1 to 2, because this model does not know that ink ends at 0 and 1. It puts all but a small part of its
# probability inside; the cell bounds that part.) The average score, times the volume $3^{32}$ of the box you draw from,
# should be the integral. Section 3 says why.

# %%
LOW, HIGH = -1.0, 2.0
eye = model.observe(TOP)  # the exact model of the upper half
log_p_top = eye.log_marginal(x[None, TOP]).item()
bottom = model.observe(~TOP).marginal().covariance_matrix
mixed = model.weight[~TOP] @ model.weight[TOP].T  # covariance of the two halves
gain = torch.linalg.solve(eye.marginal().covariance_matrix, mixed.T).T
mean_bottom = model.bias[~TOP] + gain @ (x[TOP] - model.bias[TOP])
covariance_bottom = bottom - gain @ mixed.T  # Gaussian conditioning, as in unit 01
outside = Normal(mean_bottom, covariance_bottom.diagonal().sqrt())
outside = (outside.cdf(torch.tensor(LOW)) + 1 - outside.cdf(torch.tensor(HIGH))).sum()

NUM_GUESSES = 20_000
guesses = x.repeat(NUM_GUESSES, 1)
guesses[:, ~TOP] = LOW + (HIGH - LOW) * torch.rand(NUM_GUESSES, 32, generator=seeded(3))
scores = model.log_marginal(guesses)
uniform_estimate = 32 * math.log(HIGH - LOW) + monte_carlo.log_mean_exp(scores).item()
print(f"probability of a bottom outside the box: at most {outside:.1e}")
print(f"score of the real bottom:                {model.log_marginal(x[None]).item():8.1f} nats")
print(f"best score of {NUM_GUESSES} guesses:           {scores.max():8.1f} nats")
print(f"estimate of log p(x_top):                {uniform_estimate:8.1f} nats")
print(f"exact:                                   {log_p_top:8.1f} nats")
print(f"too small by a factor of 10 to the {(log_p_top - uniform_estimate) / math.log(10):.0f}")
assert outside < 1e-2
assert uniform_estimate < log_p_top - 20, "the guesses found it: the story of this section is wrong"

# %%
fig, axes = plt.subplots(1, 6, figsize=(9.5, 2.0))
draw_image(axes[0], x, "the question", covered=True)
for ax, s in zip(axes[1:4], range(3), strict=True):
    draw_image(ax, guesses[s].clamp(0, 1), f"guess {s + 1}")
draw_image(axes[4], guesses[scores.argmax()].clamp(0, 1), "the best guess")
draw_image(axes[5], x, "the truth")

# %% [markdown]
# Snow. The best of twenty thousand guesses scores nearly 200 nats less than the truth, and the estimate is off by 63
# orders of magnitude. Not one guess came near a digit. How many would you need? By the end of section 5 you can compute
# that number. It has 24 digits. In section 9 a few hundred guesses will do. What lies between is the subject of this
# lecture.

# %% [markdown]
# ## 2 · The marginal likelihood is an integral
#
# Forget pixels for a while. Call $x$ what you see and $z$ what you do not. Then always
#
# $$p(x) = \int p(x, z)\, dz = \int p(z)\, p(x \mid z)\, dz$$
#
# This is the **marginal likelihood**, or **evidence**. For the half-hidden image you have two choices of $z$: the 32
# covered pixels, or the 10 hidden numbers that made the image. In a variational autoencoder (unit 05) $z$ is a code. In
# unit 01 $z$ was a kind, and the integral was a sum of $K$ terms.
#
# Take the smallest example: one hidden number, one seen number, $x = z + \sigma\varepsilon$ with $\sigma = 0.5$, and
# you see $x = 1.5$. In one dimension a grid of a few hundred points does the integral. Test it against the closed form.
# And test Bayes' rule with it:
#
# $$p(z \mid x) = \frac{p(x, z)}{p(x)}$$

# %%
toy = LinearGaussian(torch.ones(1, 1), torch.zeros(1), 0.5)
x_toy = torch.tensor([[1.5]])
log_p_toy = toy.log_marginal(x_toy).item()
grid = torch.linspace(-8, 8, 4001)


def on_grid(log_joint, x):  # (G,): the log joint density at every point of the grid
    return log_joint(x, grid[:, None, None])[:, 0]


joint = on_grid(toy.log_joint, x_toy).exp()
area = torch.trapezoid(joint, grid)
posterior = toy.posterior(x_toy)
assert abs(area.log() - log_p_toy) < 1e-9, "the area under the joint is p(x)"
difference = joint / area - posterior.log_prob(grid[:, None]).exp()
assert difference.abs().max() < 1e-9, "joint divided by area is the posterior"
std_post = posterior.covariance_matrix.sqrt().item()
print(f"p(x) = {area:.6f}, log p(x) = {log_p_toy:.6f} nats")
print(f"posterior: mean {posterior.loc.item():.3f}, standard deviation {std_post:.3f}")

# %%
prior = toy.prior().log_prob(grid[:, None]).exp()
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.4), sharex=True)
left.plot(grid, prior, color=plots.DATA, label="prior $p(z)$")
likelihood = (on_grid(toy.log_joint, x_toy) - toy.prior().log_prob(grid[:, None])).exp()
left.plot(grid, likelihood, "--", color=plots.COLOURS[1], label="likelihood $p(x\\,|\\,z)$")
left.fill_between(grid, joint, color=plots.COLOURS[0], alpha=0.35)
left.plot(grid, joint, color=plots.COLOURS[0], label="joint: their product")
left.annotate(f"area {area:.3f} $= p(x)$", (1.1, 0.1), (-2.8, 0.55), arrowprops={"arrowstyle": "-"})
left.set(xlim=(-3, 4), xlabel="hidden number $z$", ylabel="density", ylim=(0, 1.15))
left.set_title("The evidence is the area under the joint")
left.legend(fontsize=9, loc="upper left")
right.plot(grid, prior, color=plots.DATA, label="prior $p(z)$")
right.plot(grid, joint / area, color=plots.COLOURS[2], label="posterior $p(z\\,|\\,x)$")
right.set(xlabel="hidden number $z$", ylabel="density", ylim=(0, 1.15))
right.set_title("The posterior is the joint, divided by that area")
_ = right.legend(fontsize=9, loc="upper left")

# %% [markdown]
# One dimension is easy. At the end of unit 01 you saw what a grid costs in more: with 64 points a side, ten hidden
# numbers need $64^{10}$ points.

# %%
print(f"64 points a side, {M} hidden numbers: {64.0**M:.1e} points")

# %% [markdown]
# ## 3 · Guess and average
#
# ### Uniform draws
#
# **Monte Carlo** replaces the grid by random points. Draw $z_1, \dots, z_S$ uniformly from a box of volume $V$. The
# height of the joint at a random point is, on average, the area divided by $V$. So
#
# $$\hat p = \frac VS \sum_s p(x, z_s) \qquad\text{has}\qquad \mathbb E[\hat p] = \int_{\text{box}} p(x, z)\, dz$$
#
# The hat says that $\hat p$ is an estimate. Its mean is exact for every $S$, even for $S = 1$: the estimate is
# **unbiased**. Test it: run the experiment many times, and compare the mean of all runs with the truth. The box is
# $[-5, 5]$, and what the joint has outside is less than $10^{-9}$.

# %%
BOX = 5.0
RUNS = 4000


def uniform_estimates(half_width, num_samples, num_runs, generator):  # p-hat of every run, (runs,)
    z = half_width * (2 * torch.rand(num_samples, num_runs, 1, generator=generator) - 1)
    log_joint = toy.log_joint(x_toy.expand(num_runs, 1), z)  # (S, runs)
    return 2 * half_width * log_joint.exp().mean(0)


def mean_and_error(values):  # of the mean over runs: its standard error
    return values.mean().item(), (values.std() / math.sqrt(len(values))).item()


p_toy = math.exp(log_p_toy)
outside = torch.trapezoid(joint * (grid.abs() > BOX), grid)
assert outside < 1e-9
for num_samples in (1, 10, 100):
    mean, error = mean_and_error(uniform_estimates(BOX, num_samples, RUNS, seeded(num_samples)))
    print(f"S = {num_samples:3d}: mean of {RUNS} runs {mean:.4f} ± {error:.4f}, exact {p_toy:.4f}")
    assert abs(mean - p_toy) < 5 * error, "the estimate is biased"

# %% [markdown]
# ### How far off is one run?
#
# The variance of a mean of $S$ independent draws is the variance of one draw, divided by $S$. With a box that holds all
# of the joint,
#
# $$\mathrm{Var}[\hat p] = \frac1S \left( V \int p(x, z)^2\, dz - p(x)^2 \right)$$
#
# Divide by $p(x)^2$, because a relative error is what you care about. Write $\chi^2$ for the **relative variance of one
# draw** (section 5 explains the name). Since $p(x, z) = p(x)\, p(z \mid x)$,
#
# $$\frac{\mathrm{Var}[\hat p]}{p(x)^2} = \frac{\chi^2}{S} \qquad\text{with}\qquad 1 + \chi^2 = V \int p(z \mid x)^2\, dz$$
#
# For a Gaussian posterior of width $\sigma_\mathrm{post}$ the integral is $1 / (2 \sqrt\pi\, \sigma_\mathrm{post})$. So
# $1 + \chi^2$ is roughly the size of the box over the size of the posterior: how many places there are to look. Test
# both: the integral on the grid, and the variance by experiment.

# %%
chi2_box = 2 * BOX / (2 * math.sqrt(math.pi) * std_post) - 1
by_grid = 2 * BOX * torch.trapezoid((joint / area) ** 2, grid) - 1
assert abs(chi2_box - by_grid) < 1e-6, "the closed form is not the integral"


def relative_variance(estimates, exact):  # measured, with its standard error
    squares = (estimates / exact - 1) ** 2
    return mean_and_error(squares)


measured, error = relative_variance(uniform_estimates(BOX, 1, 100_000, seeded(5)), p_toy)
print(
    f"relative variance of one draw: predicted {chi2_box:.3f}, measured {measured:.3f} ± {error:.3f}"
)
assert abs(measured - chi2_box) < 5 * error, "the variance is not what theory says"

# %% [markdown]
# Two consequences. The error falls like $1/\sqrt S$: for one more digit you pay a hundred times the draws. And a larger
# box costs more, in proportion to its size, though the answer is the same.
#
# ### Draws from the prior
#
# Why look where the prior says that nothing is? The integral is a mean under the prior, so draw from the prior and
# average the likelihood. This is **naive Monte Carlo**:
#
# $$p(x) = \mathbb E_{p(z)}[p(x \mid z)] \approx \frac1S \sum_s p(x \mid z_s), \qquad z_s \sim p(z)$$
#
# The relative variance of one draw is again one integral, with a closed form for this model: in the library
# `naive_log_relative_variance` holds its logarithm.
#
# $$1 + \chi^2 = \frac{\mathbb E_{p(z)}\big[p(x \mid z)^2\big]}{p(x)^2}$$


# %%
def prior_estimates(num_samples, num_runs, generator):
    z = torch.randn(num_samples, num_runs, 1, generator=generator)
    return toy.log_likelihood(x_toy.expand(num_runs, 1), z).exp().mean(0)


chi2_prior = naive_log_relative_variance(toy, x_toy).exp().item()
by_grid = torch.trapezoid(prior * likelihood**2, grid) / p_toy**2 - 1
assert abs(chi2_prior - by_grid) < 1e-6, "the closed form is not the integral"
estimates = prior_estimates(1, 100_000, seeded(6))
mean, error = mean_and_error(estimates)
assert abs(mean - p_toy) < 5 * error, "the estimate is biased"
measured, error = relative_variance(estimates, p_toy)
assert abs(measured - chi2_prior) < 5 * error
print(f"relative variance of one draw, uniform in [-5, 5]: {chi2_box:.2f}")
print(f"relative variance of one draw, from the prior:     {chi2_prior:.2f}")

# %% [markdown]
# Draw it. On the left are single runs that grow, one draw after the other, and the funnel of one standard error that
# theory predicts. On the right is the typical error of many runs against $S$.

# %%
SIZES = [1, 3, 10, 30, 100, 300, 1000]
RUNS = 300 if FAST else 2000


def typical_error(estimates, exact):  # root mean square of the relative error, and its error bar
    mean_square, error = relative_variance(estimates, exact)
    return math.sqrt(mean_square), error / (2 * math.sqrt(mean_square))


methods = {
    "uniform in [−50, 50]": (
        lambda S, seed: uniform_estimates(50.0, S, RUNS, seeded(seed)),
        50.0 / (math.sqrt(math.pi) * std_post) - 1,
    ),
    "uniform in [−5, 5]": (lambda S, seed: uniform_estimates(BOX, S, RUNS, seeded(seed)), chi2_box),
    "from the prior": (lambda S, seed: prior_estimates(S, RUNS, seeded(seed)), chi2_prior),
}
errors = {}
for name, (run, chi2) in methods.items():
    errors[name] = [typical_error(run(S, 100 + S), p_toy) for S in SIZES]
    for S, (rms, bar) in zip(SIZES, errors[name], strict=True):
        assert abs(rms - math.sqrt(chi2 / S)) < 5 * bar, (name, S)
    slope = np.polyfit(np.log(SIZES), np.log([rms for rms, _ in errors[name]]), 1)[0]
    print(f"{name:21} χ² = {chi2:6.2f}, slope of the error {slope:.3f} (predicted −0.5)")
    assert abs(slope + 0.5) < 0.05  # the bars are about 3 % each, over three decades

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.7))
steps = torch.arange(1, 2001)
funnel = p_toy * (chi2_prior / steps).sqrt()
left.fill_between(
    steps, p_toy - funnel, p_toy + funnel, color=plots.DATA, alpha=0.3, label="predicted ± 1 s.e."
)
z = torch.randn(2000, 5, 1, generator=seeded(8))
running = toy.log_likelihood(x_toy.expand(5, 1), z).exp().cumsum(0) / steps[:, None]
left.plot(steps, running, color=plots.COLOURS[0], linewidth=0.9)
left.axhline(p_toy, color="black", linewidth=1.2, label="exact")
left.set(
    xscale="log", ylim=(0, 0.35), xlabel="draws $S$", ylabel=r"estimate $\hat p$ (per unit of $x$)"
)
left.set_title("Five runs of naive Monte Carlo")
left.legend(loc="upper right", fontsize=9)
for (name, (_, chi2)), colour in zip(methods.items(), plots.COLOURS, strict=False):
    rms, bars = zip(*errors[name], strict=True)
    right.errorbar(SIZES, rms, bars, fmt="o", markersize=4, capsize=3, color=colour, label=name)
    right.plot(SIZES, [math.sqrt(chi2 / S) for S in SIZES], color=colour, linewidth=1)
right.set(xscale="log", yscale="log", xlabel="draws $S$", ylabel="typical relative error")
right.set_title("Dots: measured. Lines: predicted, slope −½")
_ = right.legend(fontsize=9)

# %% [markdown]
# Turn the formula around, and you know the price before you pay it. For a relative error of, say, 10 % you need
#
# $$S = \frac{\chi^2}{0.1^2} = 100\, \chi^2$$
#
# draws. That is all this lecture is about: $\chi^2$. In one dimension it is a small number.

# %%
S = round(100 * chi2_prior)
rms, bar = typical_error(prior_estimates(S, RUNS, seeded(9)), p_toy)
print(f"{S} draws from the prior: typical relative error {rms:.3f} ± {bar:.3f}")
assert abs(rms - 0.1) < 5 * bar

# %% [markdown]
# ## 4 · The curse of dimensionality
#
# ### Ten cells
#
# Cut a line into ten cells, and throw in eight points, each in a cell of its own. You have seen 80 % of the line. Now
# give the same points a second coordinate, and cut that into ten as well. There are 100 cells, and the same eight
# points see 8 % of them. With a third coordinate it is 0.8 %. With $M$ coordinates, $S$ points see at most
#
# $$\text{share of the cells} = \frac{S}{10^M}$$
#
# Count them.

# %%
SPOTS = torch.tensor(  # eight points; the three coordinates of each, in tenths
    [[0, 6, 2], [1, 2, 7], [2, 8, 4], [4, 4, 0], [5, 9, 8], [6, 1, 3], [8, 7, 9], [9, 3, 5]]
)
points = (SPOTS + 0.5) / 10


def share_of_cells(points):
    return len((points * 10).long().unique(dim=0)) / 10 ** points.shape[1]


print(" M   eight placed points   eight at random   points for 80 %")
for m in (1, 2, 3):
    seen = share_of_cells(points[:, :m])
    assert seen == 8 / 10**m
    thrown = [share_of_cells(torch.rand(8, m, generator=seeded(seed))) for seed in range(500)]
    expected = 1 - (1 - 10.0**-m) ** 8  # a cell stays empty if all eight points miss it
    mean, error = mean_and_error(torch.tensor(thrown))
    assert abs(mean - expected) < 5 * error
    print(f"{m:2d} {seen:17.1%} {expected:19.2%} {0.8 * 10**m:15.0f}")
print(f"{M:2d} {8 / 10**M:17.1e} {8 / 10**M:19.1e} {0.8 * 10**M:15.1e}")

# %%
fig = plt.figure(figsize=(9.5, 3.7), layout="none")
line = fig.add_axes((0.02, 0.14, 0.27, 0.72))
plane = fig.add_axes((0.37, 0.14, 0.28, 0.72))
cube = fig.add_axes((0.68, 0.08, 0.29, 0.82), projection="3d")
for m, axis in ((1, line), (2, plane)):
    for i, j in SPOTS[:, :2].tolist():
        corner = (i / 10, 0.45 if m == 1 else j / 10)
        axis.add_patch(plt.Rectangle(corner, 0.1, 0.1, color=plots.COLOURS[5], alpha=0.6))
    heights = points[:, 1] if m == 2 else torch.full((8,), 0.5)
    axis.plot(points[:, 0], heights, "o", color=plots.COLOURS[1], markersize=5)
    low, high = (0.45, 0.55) if m == 1 else (0, 1)
    axis.vlines(np.linspace(0, 1, 11), low, high, color="black", linewidth=0.5)
    axis.hlines(np.linspace(low, high, 10 ** (m - 1) + 1), 0, 1, color="black", linewidth=0.5)
    axis.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="$z_1$", aspect="equal")
line.set_yticks([])
line.spines["left"].set_visible(False)
plane.set_ylabel("$z_2$")
filled = np.zeros((10, 10, 10), dtype=bool)
filled[tuple(SPOTS.T.tolist())] = True
cube.voxels(filled, facecolors=plots.COLOURS[5] + "99", edgecolor="black", linewidth=0.4)
cube.view_init(22, -50)
for i, name in enumerate("xyz"):
    cube.set(
        **{f"{name}ticks": [0, 5, 10], f"{name}ticklabels": ["0", "", "1"], f"{name}lim": (0, 10)}
    )
    getattr(cube, f"set_{name}label")(f"$z_{i + 1}$", labelpad=-9)
    cube.tick_params(axis=name, pad=-3)
for m, place in ((1, 0.155), (2, 0.51), (3, 0.84)):
    title = f"{10**m} cells: 8 points see {share_of_cells(points[:, :m]):.1%}"
    _ = fig.text(place, 0.93, title, ha="center")

# %% [markdown]
# Nothing about the points became worse. Space grew. If the posterior sits in one such cell, then one uniform draw in
# $10^M$ finds it.
#
# ### Where a Gaussian lives
#
# Before you read on, answer B2 of the exercise: predict how many draws fall near the centre.
#
# Draws from a standard normal prior are not spread evenly, so perhaps they do better. Where do they fall? The squared
# length of $z$ is a sum of $M$ independent squares, each with mean 1 and variance 2:
#
# $$\mathbb E\big[\lVert z \rVert^2\big] = M, \qquad \mathrm{Var}\big[\lVert z \rVert^2\big] = 2M \qquad\Rightarrow\qquad \lVert z \rVert \approx \sqrt M \pm \frac{1}{\sqrt 2}$$
#
# (The last step: the square changes by $2\sqrt M$ times the change of the length.) The length grows with $M$ and its
# spread does not. So the draws live in a thin **shell**. The density is highest at the centre, and nobody is there.

# %%
fig, ax = plt.subplots(figsize=(9.5, 3.3))
radii = torch.linspace(0, 17, 1200)
print("  M   mean length    √M   spread   share of draws closer to the centre than 1")
for dim, colour in zip((1, 2, 10, 50, 200), plots.COLOURS, strict=False):
    z = torch.randn(20_000, dim, generator=seeded(dim))
    mean, error = mean_and_error(z.square().sum(1))
    assert abs(mean - dim) < 5 * error, "the mean of the squared length is M"
    variance, error = mean_and_error((z.square().sum(1) - dim) ** 2)
    assert abs(variance - 2 * dim) < 5 * error, "its variance is 2 M"
    length = z.norm(dim=1)
    inside = scipy.stats.chi.cdf(1, dim)
    print(
        f"{dim:3d} {length.mean():13.2f} {math.sqrt(dim):5.2f} {length.std():8.3f} {inside:14.1e}"
    )
    ax.hist(length.numpy(), 80, density=True, color=colour, alpha=0.35)
    ax.plot(radii, scipy.stats.chi.pdf(radii, dim), color=colour, label=f"M = {dim}")
ax.set(xlabel=r"distance from the centre, $\Vert z \Vert$", ylabel="density", ylim=(0, 0.85))
ax.set_title("Draws from a standard normal: measured (bars) and exact (lines)")
_ = ax.legend(ncols=5, loc="upper right", fontsize=9)

# %% [markdown]
# Now add an observation. Give every hidden number its own measurement, $x_m = z_m + \sigma\varepsilon_m$ with
# $\sigma = 0.5$: the toy of section 2, $M$ times over. Let $x$ be of typical length. The posterior is again a shell, a
# smaller one around its own mean. How far from that mean do draws from the prior fall? And what share of them falls
# into the ball that holds 95 % of the posterior?


# %%
def family(dim):
    return LinearGaussian(torch.eye(dim), torch.zeros(dim), 0.5)


def typical_x(dim):  # every value of x has variance 1 + σ²
    return torch.full((1, dim), math.sqrt(1.25))


fig, axes = plt.subplots(1, 3, figsize=(9.5, 3.0))
print(" M   share of the prior in the posterior's ball (exact)   one draw in")
for ax, dim in zip(axes, (1, 10, 50), strict=True):
    shell = family(dim).posterior(typical_x(dim))
    ball = scipy.stats.chi.ppf(0.95, dim) * std_post  # its radius
    from_prior = torch.randn(20_000, dim, generator=seeded(dim))
    from_posterior = monte_carlo.draw(shell, (20_000,), generator=seeded(dim + 1))[:, 0]
    for z, label, colour in (
        (from_prior, "prior", plots.DATA),
        (from_posterior, "posterior", plots.COLOURS[2]),
    ):
        distance = (z - shell.loc).norm(dim=1)
        ax.hist(distance.numpy(), 60, density=True, color=colour, alpha=0.6, label=label)
    ax.axvline(ball, color="black", linewidth=0.8, linestyle=":")
    share = scipy.stats.ncx2.cdf(ball**2, dim, shell.loc.square().sum().item())
    hits = ((from_prior - shell.loc).norm(dim=1) < ball).double()
    allowed = 5 * math.sqrt(share / len(hits)) + 5 / len(hits)
    assert abs(hits.mean() - share) < allowed
    print(f"{dim:2d} {share:24.1e} {1 / share:37.2g}")
    ax.set(xlabel="distance from the posterior's mean", title=f"M = {dim}")
axes[0].set_ylabel("density")
_ = axes[0].legend(fontsize=9)

# %% [markdown]
# The dotted line is the radius of the ball. In one dimension the two overlap. In ten, a few draws of the prior reach
# the ball. In fifty the shells are strangers: no draw that you can afford gets there.
#
# ### The same curve is the price of naive Monte Carlo
#
# B3 of the exercise asks you to predict the price of one more dimension. Do it now.
#
# In this family the coordinates are independent, so both sides of $1 + \chi^2 = \mathbb E[p(x \mid z)^2] / p(x)^2$ are
# products of $M$ equal factors. Call the factor $\rho$. Then
#
# $$1 + \chi^2 = \rho^M \qquad\text{so a relative error of } 10\,\% \text{ needs}\qquad S = 100\,(\rho^M - 1)$$
#
# For draws from the prior, with $\sigma = 0.5$ and an $x$ of typical length,
#
# $$\log \rho = \log \frac{1 + \sigma^2}{\sigma \sqrt{2 + \sigma^2}} + \frac{1}{2 + \sigma^2}$$
#
# For uniform draws the factor is that of section 3: the side of the box over $2 \sqrt\pi\, \sigma_\mathrm{post}$. Call
# that length a cell. Then $1 + \chi^2$ **is** the number of cells in the box. With a box ten cells wide it is the
# $10^M$ of the picture. On a logarithmic axis all these costs are straight lines, and $\log \rho$ is the slope. Measure
# it: draw, average the squares, and fit a line.

# %%
SIGMA = 0.5
log_rho = {
    "prior": math.log((1 + SIGMA**2) / (SIGMA * math.sqrt(2 + SIGMA**2))) + 1 / (2 + SIGMA**2),
    "uniform": math.log(10),
}
CELL = 2 * math.sqrt(math.pi) * std_post
print(f"a cell is {CELL:.3f} wide, a box of ten cells a side is {10 * CELL:.2f} wide")
for dim in (1, 5, 20):
    exact = naive_log_relative_variance(family(dim), typical_x(dim)).exp()
    assert torch.isclose(exact, torch.tensor(math.exp(dim * log_rho["prior"]) - 1)), (
        "not ρ to the M"
    )
    theory = monte_carlo.samples_needed(dim, 0.1, scale=SIGMA)
    assert math.isclose(theory, 100 * math.expm1(dim * log_rho["prior"]))

NUM_DRAWS = 100_000 if FAST else 2_000_000


def mean_square(dim, method):  # log of E[w²] / p(x)² and its standard error, measured
    squares = []
    for block in range(10):
        z = torch.rand(NUM_DRAWS // 10, 1, dim, generator=seeded(1000 * dim + block))
        z = torch.special.ndtri(z) if method == "prior" else 10 * CELL * (z - 0.5)
        log_w = family(dim).log_likelihood(typical_x(dim), z)
        if method == "uniform":
            log_w = log_w + family(dim).prior().log_prob(z) + dim * math.log(10 * CELL)
        squares.append((2 * (log_w - family(dim).log_marginal(typical_x(dim)))).exp())
    mean, error = mean_and_error(torch.cat(squares))
    return math.log(mean), error / mean


dims = {"prior": np.arange(1, 7), "uniform": np.arange(1, 5)}
measured = {name: np.array([mean_square(int(m), name) for m in dims[name]]) for name in dims}
for name, (values, bars) in ((name, measured[name].T) for name in dims):
    weights = dims[name] / bars**2  # least squares through the origin: ρ to the 0 is 1
    slope = (weights * values).sum() / (weights * dims[name]).sum()
    error = 1 / math.sqrt((dims[name] ** 2 / bars**2).sum())
    print(f"{name:8} log ρ predicted {log_rho[name]:.4f}, measured {slope:.4f} ± {error:.4f}")
    assert abs(slope - log_rho[name]) < 5 * error, "the slope is not what theory says"

# %%
fig, ax = plt.subplots(figsize=(7.5, 4.2))
axis = np.arange(1, 21)
curves = {"uniform": "uniform in $10^M$ cells", "prior": "from the prior"}
ax.semilogy(axis, 10.0**axis, ":", color="black", label="number of cells, ten a side")
for (name, label), colour in zip(curves.items(), plots.COLOURS, strict=False):
    ax.semilogy(axis, 100 * np.expm1(axis * log_rho[name]), color=colour, label=f"{label}: theory")
    values, bars = measured[name].T
    needed = 100 * np.expm1(values)
    ax.errorbar(
        dims[name], needed, 100 * np.exp(values) * bars, fmt="o", color=colour, label="measured"
    )
ax.set(xlabel="dimension $M$ of the hidden variable", ylabel="draws", ylim=(1, 1e23))
ax.set_xticks([1, 5, 10, 15, 20])
ax.set_title("Draws for a relative error of 10 %: a straight line on a logarithmic axis")
_ = ax.legend(fontsize=9)

# %% [markdown]
# The price of uniform guesses is the number of cells, times 100 for an error of 10 %. The prior has fewer useless
# places than the box, so its line is less steep. It is straight, too. That is the curse: what changes from one method
# to the next is the slope, and as long as there is a slope, some dimension is out of reach.
#
# And the half-hidden image? With the 10 hidden numbers of the model as $z$, the price is exact, for each test image.

# %%
log_chi2 = naive_log_relative_variance(eye, test[:, TOP])
needed = 100 * log_chi2.exp()
for name, value in (
    ("cheapest", needed.min()),
    ("median", needed.median()),
    ("dearest", needed.max()),
):
    print(f"draws from the prior for 10 %, {name:8} of {len(test)} images: {value:.1e}")

# %% [markdown]
# A million draws for a typical image, and billions for the most unusual, whose upper half the prior does not expect.

# %% [markdown]
# ## 5 · Importance sampling
#
# ### Draw where it matters
#
# Most draws fall where the joint is almost zero. So draw from another density $q(z)$, the **proposal**, that goes where
# the joint is large, and correct for the choice. Multiply and divide by $q$:
#
# $$p(x) = \int q(z)\, \frac{p(x, z)}{q(z)}\, dz = \mathbb E_q[w], \qquad w_s = \frac{p(x, z_s)}{q(z_s)}, \qquad \hat p = \frac1S \sum_s w_s$$
#
# The $w_s$ are the **importance weights**. Uniform draws and draws from the prior are special cases: with $q = 1/V$ and
# with $q = p(z)$ you get the estimators of section 3. The mean is exact for every $q$ that is positive wherever the
# joint is. Densities underflow, so compute $\log w_s$, and average with a log-sum-exp as in unit 01:
#
# $$\log \hat p = \log \frac1S \sum_s e^{\log w_s} = \log\!\sum_s e^{\log w_s} - \log S$$
#
# Test both equations, and the two special cases. A proposal in the library is a `torch.distributions` object with the
# hidden vector as its event.


# %%
def gaussian(loc, scale):  # a proposal for the toy: one hidden number
    return MultivariateNormal(torch.tensor([float(loc)]), torch.tensor([[float(scale) ** 2]]))


def weights_by_hand(x, log_joint, q, num_samples, generator):
    z = monte_carlo.draw(q.expand((len(x),)), (num_samples,), generator=generator)  # (S, N, M)
    return z, log_joint(x, z) - q.log_prob(z)


RUNS = 2000
many = x_toy.expand(RUNS, 1)  # the same x in every row: each row is one run
q = gaussian(1.0, 0.7)
weight_on_grid = (on_grid(toy.log_joint, x_toy) - q.log_prob(grid[:, None])).exp()
q_on_grid = q.log_prob(grid[:, None]).exp()
assert abs(torch.trapezoid(q_on_grid * weight_on_grid, grid) - p_toy) < 1e-9, "E_q[w] is p(x)"

z, log_w = weights_by_hand(many, toy.log_joint, q, 50, seeded(11))
log_p_hat = torch.logsumexp(log_w, 0) - math.log(50)
assert torch.allclose(log_p_hat, monte_carlo.log_mean_exp(log_w))
library = monte_carlo.importance_log_marginal(many, toy.log_joint, q, 50, generator=seeded(11))
mean, error = mean_and_error(log_p_hat.exp())
mean_library, error_library = mean_and_error(library.exp())
assert abs(mean - p_toy) < 5 * error, "importance sampling must be unbiased"
assert abs(mean_library - p_toy) < 5 * error_library
print(f"mean of {RUNS} runs: {mean:.5f} ± {error:.5f}, exact {p_toy:.5f}")

z, log_w = weights_by_hand(x_toy, toy.log_joint, toy.prior(), 50, seeded(12))
assert torch.allclose(log_w, toy.log_likelihood(x_toy, z)), "with q = prior: naive Monte Carlo"
box = Independent(Uniform(torch.tensor([-BOX]), torch.tensor([BOX])), 1)
z, log_w = weights_by_hand(x_toy, toy.log_joint, box, 50, seeded(12))
volume = 2 * BOX
assert torch.allclose(log_w, toy.log_joint(x_toy, z) + math.log(volume)), "with q = 1 / V: uniform"

# %% [markdown]
# ### The price of a proposal
#
# The relative variance of one weight is again one integral, and $1/\sqrt S$ is again the rate:
#
# $$1 + \chi^2 = \frac{\mathbb E_q[w^2]}{p(x)^2} = \int \frac{p(z \mid x)^2}{q(z)}\, dz$$
#
# Here is where the name comes from: $\int p(z \mid x)^2 / q(z)\, dz - 1$ is the **χ²-divergence** of the posterior from
# $q$. It measures how different the two are. It is zero if they are equal, and never negative.
#
# If both are Gaussian, the integral has a closed form. For one dimension and equal means it reads
#
# $$1 + \chi^2 = \frac{\sigma_q^2}{\sigma_\mathrm{post} \sqrt{2 \sigma_q^2 - \sigma_\mathrm{post}^2}} \qquad\text{if } \sigma_q^2 > \tfrac12 \sigma_\mathrm{post}^2, \text{ else } \infty$$
#
# The function below does it for any dimension and any means. Test all three: grid, formula, experiment.


# %%
def log_chi2_plus_1(posterior, q):  # of two Gaussians: log ∫ p(z|x)² / q(z) dz, one per example
    P, Q = posterior.precision_matrix, q.precision_matrix
    A = 2 * P - Q  # the integrand is a Gaussian of this precision
    shift = (posterior.loc - q.loc)[..., None]
    bent = Q @ torch.linalg.solve(A, P @ shift)
    log_det = 2 * torch.logdet(P) - torch.logdet(Q) - torch.logdet(A)
    value = 0.5 * log_det + (shift * bent).sum((-2, -1))
    finite = torch.linalg.eigvalsh(A).amin(-1) > 0
    return torch.where(finite, value, torch.inf)


proposals = {
    "the prior": gaussian(0.0, 1.0),
    "right place, wide": gaussian(1.2, 1.5),
    "near": gaussian(1.1, 0.55),
    "right place, narrow": gaussian(1.2, 0.34),
    "the posterior": gaussian(posterior.loc, std_post),
}
posterior_on_grid = joint / area
predicted = {}
print(f"{'proposal':20} {'χ² formula':>10} {'grid':>8} {'measured':>17} {'draws for 1 %':>14}")
for name, q in proposals.items():
    predicted[name] = torch.expm1(log_chi2_plus_1(posterior, q)).item()
    by_grid = (
        torch.trapezoid((2 * posterior_on_grid.log() - q.log_prob(grid[:, None])).exp(), grid) - 1
    )
    assert abs(by_grid - predicted[name]) < 1e-6, "the closed form is not the integral"
    _, log_w = weights_by_hand(x_toy, toy.log_joint, q, 400_000, seeded(13))
    measured_chi2, error = relative_variance(log_w.exp(), p_toy)
    if name != "right place, narrow":  # its squares have no variance: the error bar would lie
        assert abs(measured_chi2 - predicted[name]) < 5 * error + 1e-12
    print(
        f"{name:20} {predicted[name]:10.4f} {by_grid:8.4f} {measured_chi2:9.4f} ± {error:.4f}"
        f" {predicted[name] / 0.01**2:14.0f}"
    )
equal_means = 1.5**2 / (std_post * math.sqrt(2 * 1.5**2 - std_post**2)) - 1
assert math.isclose(
    log_chi2_plus_1(posterior, gaussian(1.2, 1.5)).expm1(), equal_means, rel_tol=1e-9
)
naive = naive_log_relative_variance(eye, test[:, TOP])
prior_10 = MultivariateNormal(torch.zeros(M), torch.eye(M))
assert torch.allclose(log_chi2_plus_1(eye.posterior(test[:, TOP]), prior_10).expm1().log(), naive)

# %% [markdown]
# ### The best proposal
#
# The last row of the table says zero. When is the variance of a weight zero? When all weights are equal: then $q(z)$ is
# proportional to $p(x, z)$, and the only density that is proportional to the joint is the posterior. Each weight is
# then
#
# $$w = \frac{p(x, z)}{p(z \mid x)} = p(x)$$
#
# One draw, no error. Test it on images, with $z$ the ten hidden numbers.

# %%
_, log_w = monte_carlo.log_weights(
    test[:, TOP], eye.log_joint, eye.posterior(test[:, TOP]), 3, generator=seeded(14)
)
exact_tops = eye.log_marginal(test[:, TOP])
assert torch.allclose(log_w, exact_tops.expand(3, -1)), "every weight must be p(x)"
print(
    f"297 images, 3 draws each: largest error of a single log weight {(log_w - exact_tops).abs().max():.0e}"
)

# %% [markdown]
# (One row above is not asserted, the narrow one. Its weights have a variance, their squares have none, so the measured
# value wanders and its error bar cannot be trusted. Section 6 is about that.)
#
# There is a catch. To draw from the posterior and to know its density, you need $p(x)$: the number you are after. The
# best proposal needs the answer. But a proposal **near** the posterior is good enough, and the table says how good.
#
# Look at the runs. Each dot is one run with 100 draws, and its bar is the standard error that the run itself reports
# (the spread of its weights, over $\sqrt S$, on the log scale). The line is exact.

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.9), width_ratios=(1, 1.5))
left.fill_between(grid, posterior_on_grid, color="black", alpha=0.15, label="posterior")
for i, ((name, q), colour) in enumerate(zip(proposals.items(), plots.COLOURS, strict=False)):
    if name != "the posterior":
        left.plot(grid, q.log_prob(grid[:, None]).exp(), color=colour, label=name)
    _, log_w = monte_carlo.log_weights(
        x_toy.expand(12, 1), toy.log_joint, q, 100, generator=seeded(i)
    )
    estimates, bars = monte_carlo.log_mean_exp(log_w), monte_carlo.standard_error(log_w)
    place = i + torch.linspace(-0.33, 0.33, 12)
    right.errorbar(place, estimates, bars, fmt="o", markersize=3, linewidth=1, color=colour)
left.set(xlim=(-3, 4), xlabel="hidden number $z$", ylabel="density", ylim=(0, 1.75))
left.set_title("Proposals for one posterior")
left.legend(fontsize=8.5, loc="upper left")
right.axhline(log_p_toy, color="black", linewidth=1, zorder=0)
right.set_xticks(range(5), [name.replace(", ", ",\n") for name in proposals], fontsize=9)
right.set_ylabel(r"estimate $\log \hat p$ (nats)")
_ = right.set_title("Twelve runs each, 100 draws a run; line: exact")

# %% [markdown]
# ### Too wide costs a little, too narrow costs everything
#
# Vary the width of a proposal that sits in the right place. In $M$ dimensions the factors multiply, so raise
# $1 + \chi^2$ to the power $M$.

# %%
ratios = torch.linspace(0.72, 3, 400)
per_dimension = ratios**2 / (2 * ratios**2 - 1).sqrt()
fig, ax = plt.subplots(figsize=(7, 3.7))
for dim, colour in zip((1, 3, 10), plots.COLOURS, strict=False):
    ax.semilogy(ratios, 100 * (per_dimension**dim - 1), color=colour, label=f"M = {dim}")
    target = MultivariateNormal(torch.zeros(dim), torch.eye(dim))
    noise = torch.randn((20_000 if FAST else 100_000) * dim, dim, generator=seeded(dim))
    for ratio in torch.tensor([0.85, 1.2, 1.4, 1.7, 2.0]):
        q = MultivariateNormal(torch.zeros(dim), ratio**2 * torch.eye(dim))
        squares = 0.5 * (1 - ratio**2) * noise.square().sum(1)  # of z = ratio * noise
        w = (squares + dim * ratio.log()).exp()  # a joint whose evidence is 1, over q
        chi2, bar = relative_variance(w, 1.0)
        exact = log_chi2_plus_1(target, q).expm1().item()
        assert abs(exact - ((ratio**2 / (2 * ratio**2 - 1).sqrt()) ** dim - 1)) < 1e-8 * (1 + exact)
        if ratio > 1:  # above 1 the weights are bounded, so the error bar can be trusted
            assert abs(chi2 - exact) < 5 * bar
        ax.errorbar(ratio, 100 * chi2, 100 * bar, fmt="o", color=colour, capsize=3)
ax.axvline(math.sqrt(0.5), color="black", linestyle=":", linewidth=1)
ax.text(0.78, 1e5, "no variance left\nof the dotted line", fontsize=9)
ax.set(
    xlabel=r"width of the proposal, $\sigma_q / \sigma_\mathrm{post}$",
    ylabel="draws for 10 %",
    ylim=(0.3, 1e6),
)
ax.set_title("Dots: measured. Lines: predicted")
ax.legend(loc="upper center")
for dim in (1, 10):
    print(
        f"twice too wide, M = {dim:2d}: {100 * ((4 / math.sqrt(7)) ** dim - 1):.0f} draws for 10 %"
    )

# %% [markdown]
# Twice too wide in one dimension costs 51 draws. In ten dimensions it costs six thousand: a price, but a finite one.
# Left of $\sqrt{1/2}$ the variance is infinite, for every $M$. So err on the wide side.
#
# ### A posterior that is no Gaussian
#
# With a decoder that bends, the posterior is not Gaussian, and no Gaussian proposal is perfect. Let
# $x = g(z) + \sigma\varepsilon$ with $g(z) = z^2/2 + z/5$ and $\sigma = 0.3$. You see $x = 1.2$. Two places explain it,
# one on each side of zero. Which Gaussian is the best proposal? In one dimension, try them all: compute $\chi^2$ on the
# grid for every mean and width.


# %%
def bent_log_joint(x, z):  # x (N, 1), z (S, N, 1) to (S, N)
    z = z[..., 0]
    noise = Normal(0.5 * z**2 + 0.2 * z, 0.3)
    return Normal(0.0, 1.0).log_prob(z) + noise.log_prob(x[:, 0])


x_bent = torch.tensor([[1.2]])
log_joint_bent = on_grid(bent_log_joint, x_bent)
p_bent = torch.trapezoid(log_joint_bent.exp(), grid)
log_posterior_bent = log_joint_bent - p_bent.log()
hill = torch.trapezoid(log_posterior_bent.exp() * (grid > -0.2), grid)  # the valley is at -0.2
means, widths = torch.linspace(-2, 2, 81), torch.linspace(0.3, 3, 82)
coarse = slice(None, None, 8)  # 501 points: fine enough for these widths, and eight times faster
log_q = Normal(means[:, None, None], widths[:, None]).log_prob(grid[coarse])  # (means, widths, G)
chi2_bent = torch.trapezoid((2 * log_posterior_bent[coarse] - log_q).exp(), grid[coarse]) - 1
row, column = divmod(chi2_bent.argmin().item(), len(widths))
best_mean, best_width = means[row].item(), widths[column].item()
print(f"log p(x) = {p_bent.log():.4f} nats; the right hill holds {hill:.1%} of the posterior")
print(
    f"best Gaussian: mean {best_mean:.2f}, standard deviation {best_width:.2f}, χ² = {chi2_bent.min():.2f}"
)
moments = torch.trapezoid(log_posterior_bent.exp() * grid ** torch.tensor([[1], [2]]), grid)
print(
    f"the posterior's own mean {moments[0]:.2f}, standard deviation {(moments[1] - moments[0] ** 2).sqrt():.2f}"
)
_, log_w = monte_carlo.log_weights(
    x_bent, bent_log_joint, gaussian(best_mean, best_width), 200_000, generator=seeded(15)
)
chi2, bar = relative_variance(log_w.exp(), p_bent)
assert abs(chi2 - chi2_bent.min()) < 5 * bar, "the grid and the draws disagree"

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.6))
left.fill_between(grid, log_posterior_bent.exp(), color="black", alpha=0.15, label="posterior")
left.plot(
    grid,
    Normal(best_mean, best_width).log_prob(grid).exp(),
    color=plots.COLOURS[0],
    label="best Gaussian proposal",
)
left.plot(
    grid,
    Normal(1.35, 0.3).log_prob(grid).exp() / 2,
    color=plots.COLOURS[1],
    label="on one hill only (half height)",
)
left.set(xlim=(-4, 4), ylim=(0, 1.25), xlabel="hidden number $z$", ylabel="density")
left.set_title("A bent decoder: two places explain $x$")
left.legend(fontsize=9, loc="upper left")
drawn = right.contourf(
    means, widths, chi2_bent.T, levels=[3, 3.5, 4, 5, 7, 10, 20, 50, 100], extend="max", norm="log"
)
right.plot(best_mean, best_width, "+", color="white", markersize=12, markeredgewidth=2.5)
right.set(
    xlabel="mean of the proposal",
    ylabel="width of the proposal",
    title=r"$\chi^2$ of every Gaussian (+: the best)",
)
_ = fig.colorbar(drawn, ax=right)

# %% [markdown]
# The best proposal covers both hills, and is a little wider than the posterior. In one dimension you can search. In the
# next unit you will find a proposal by gradient, and in unit 05 a network will learn to write one down for every $x$.

# %% [markdown]
# ## 6 · Was it a good proposal?
#
# So far an oracle told you $\chi^2$. On a real problem you have only the weights. What do they say about themselves?
#
# ### The effective sample size
#
# A thousand weighted draws are worth fewer than a thousand equal ones. Normalise the weights,
# $\tilde w_s = w_s / \sum_{s'} w_{s'}$. The weighted mean of independent values of variance 1 has the variance
# $\sum_s \tilde w_s^2$. A plain mean of $S$ values has $1 / S$. How many equal draws give the variance that you have?
# The answer is the **effective sample size** (Kong 1992):
#
# $$\mathrm{ESS} = \frac{1}{\sum_s \tilde w_s^2} = \frac{\big(\sum_s w_s\big)^2}{\sum_s w_s^2}$$
#
# It is $S$ if all weights are equal, and 1 if one draw has all the weight. A constant factor on all weights changes
# nothing, so you may subtract the largest log weight first. Test all of that, and the variance argument by experiment.


# %%
def effective_sample_size(log_w):
    w = (log_w - log_w.max(0).values).exp()
    return w.sum(0) ** 2 / (w**2).sum(0)


S = 50
assert torch.isclose(effective_sample_size(torch.zeros(S)), torch.tensor(float(S)))
one_hot = torch.full((S,), -torch.inf).index_fill(0, torch.tensor(3), 0.0)
assert effective_sample_size(one_hot) == 1
log_w = 2 * torch.randn(S, generator=seeded(16))
ess = effective_sample_size(log_w)
assert torch.isclose(effective_sample_size(log_w - 5000), ess), "a shift changes nothing"
assert torch.isclose(monte_carlo.effective_sample_size(log_w), ess)
values = torch.randn(S, 100_000, generator=seeded(17))  # of variance 1
averages = torch.softmax(log_w, 0) @ values
variance, error = mean_and_error(averages**2)
assert abs(variance - 1 / ess) < 5 * error, "the weighted mean is not worth ESS draws"
print(
    f"{S} weighted draws, ESS {ess:.1f}: variance of their mean {variance:.4f}, 1 / ESS {1 / ess:.4f}"
)

# %% [markdown]
# ESS and $\chi^2$ are two sides of one coin. Divide both sums by $S$: the one above is near $p(x)$, the one below near
# $\mathbb E_q[w^2]$. So for many draws
#
# $$\frac{\mathrm{ESS}}{S} \;\to\; \frac{p(x)^2}{\mathbb E_q[w^2]} = \frac{1}{1 + \chi^2}$$

# %%
for name in ("the prior", "right place, wide", "near"):
    _, log_w = monte_carlo.log_weights(
        x_toy.expand(100, 1), toy.log_joint, proposals[name], 4000, generator=seeded(39)
    )
    mean, error = mean_and_error(monte_carlo.effective_sample_size(log_w) / 4000)
    limit = 1 / (1 + predicted[name])
    print(f"{name:18} ESS / S: predicted {limit:.4f}, mean of 100 runs {mean:.4f} ± {error:.4f}")
    assert abs(mean - limit) < 5 * error + 5 / 4000, "ESS has a bias of order 1"

# %% [markdown]
# ### Pareto's $\hat k$
#
# There is a trap in that arrow. If $\chi^2$ is infinite, $\mathrm{ESS} / S$ should go to zero. It does, but slowly: the
# draws that would show it are the ones you do not get. Look at a narrow proposal, in the right place. Its log weight is
#
# $$\log w = \text{constant} + \frac{z^2}{2} \Big( \frac{1}{\sigma_q^2} - \frac{1}{\sigma_\mathrm{post}^2} \Big) = \text{constant} + k\, \frac{z^2}{2 \sigma_q^2}, \qquad k = 1 - \frac{\sigma_q^2}{\sigma_\mathrm{post}^2}$$
#
# with $z$ measured from the common mean. It grows with $z^2$. Under $q$, large values of $z^2 / (2 \sigma_q^2)$ are
# exponentially rare. Put the two together, and the weights have a tail like a power:
#
# $$P(w > v) \approx \text{constant} \cdot v^{-1/k} \qquad\text{for large } v$$
#
# (up to a factor that changes slowly). That is the tail of a **generalised Pareto distribution** with shape $k$. Its
# variance is finite if $k < \frac12$, its mean if $k < 1$. So $k$ is what you want to know, and you can estimate it:
# fit that distribution to the largest weights (Zhang and Stephens 2009; Vehtari et al. 2024). The estimate is called
# $\hat k$. Here $k$ is a shape, not an index.
#
# Test the two equations: log weights along a line, and the exact slope of the tail, far out.

# %%
ratio = 0.6  # of the widths
k = 1 - ratio**2
target, narrow = Normal(0.0, 1.0), Normal(0.0, ratio)
z = torch.linspace(-4, 4, 9)
log_w = target.log_prob(z) - narrow.log_prob(z)
by_formula = log_w[4] + k * z**2 / (2 * ratio**2)  # log_w[4] is at z = 0
assert torch.allclose(log_w, by_formula), "the log weight is not that parabola"


def log_tail(log_v):  # log P(w > v), exact: both tails of the normal
    z_sq = (log_v - log_w[4].item()) / k * 2 * ratio**2
    return math.log(2) + scipy.stats.norm.logsf(math.sqrt(z_sq) / ratio)


for log_v in (5, 50, 500):
    slope = (log_tail(log_v + 0.5) - log_tail(log_v - 0.5)) / 1.0
    print(f"log v = {log_v:3d}: slope of log P(w > v) {slope:.4f}, predicted {-1 / k:.4f}")
assert abs(slope + 1 / k) < 2e-3, "the tail is not a power law"

# %% [markdown]
# Now watch both diagnostics on proposals of different widths. Two hidden numbers, 1000 draws a run, many runs. Theory
# for $\hat k$ on the wide side: the weights are bounded there, and a bounded tail has a negative shape, $-2/M$.

# %%
DIM, S, RUNS = 2, 1000, (100 if FAST else 500)
ratios = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.1, 1.3, 1.6, 2.0, 2.5]


def share_in_theory(ratio):
    return (math.sqrt(2 * ratio**2 - 1) / ratio**2) ** DIM if 2 * ratio**2 > 1 else 0.0


def shape_in_theory(ratio):
    return 1 - ratio**2 if ratio < 1 else -2 / DIM


table = {"share": [], "shape": [], "within": []}
print("        ESS/S           k               estimate (exact: 0)   runs within two")
print("width   theory median   theory median   median    reported    reported errors")
for i, ratio in enumerate(ratios):
    z = ratio * torch.randn(S, RUNS, DIM, generator=seeded(200 + i))
    log_w = (Normal(0.0, 1.0).log_prob(z) - Normal(0.0, ratio).log_prob(z)).sum(-1)  # (S, runs)
    estimate, error = monte_carlo.log_mean_exp(log_w), monte_carlo.standard_error(log_w)
    share = monte_carlo.effective_sample_size(log_w) / S
    shape = monte_carlo.pareto_k(log_w)
    within = (estimate.abs() < 2 * error).double()
    for name, values in (("share", share), ("shape", shape), ("within", within)):
        table[name].append(values)
    print(
        f"{ratio:5.2f} {share_in_theory(ratio):8.3f} {share.median():6.3f} "
        f"{shape_in_theory(ratio):8.2f} {shape.median():6.2f} "
        f"{estimate.median():8.3f} ± {error.median():.3f} {within.mean():18.0%}"
    )
    if ratio >= 0.9:
        mean, bar = mean_and_error(share)
        assert abs(mean - share_in_theory(ratio)) < 5 * bar + 0.01, "ESS is not S / (1 + χ²)"
    # theory is for endless tails, and the fit is drawn towards 1/2 by a weak prior
    assert abs(shape.median() - shape_in_theory(ratio)) < 0.35, "the tail has another shape"

# %%
fig, axes = plt.subplots(1, 3, figsize=(9.5, 3.4))
fine = np.linspace(0.25, 2.6, 400)
for ax, name, theory in zip(
    axes[:2], ("share", "shape"), (share_in_theory, shape_in_theory), strict=True
):
    values = torch.stack(table[name])
    middle = values.median(1).values
    spread = torch.stack([middle - values.quantile(0.1, 1), values.quantile(0.9, 1) - middle])
    ax.plot(fine, [theory(ratio) for ratio in fine], color="black", linewidth=1.2, label="theory")
    ax.errorbar(ratios, middle, spread, fmt="o", markersize=4, capsize=2, label="measured")
rates = [mean_and_error(values) for values in table["within"]]
axes[2].errorbar(ratios, *zip(*rates, strict=True), fmt="o", markersize=4, capsize=2)
axes[2].axhline(0.954, color="black", linewidth=1.2)
for ax in axes:
    ax.axvline(math.sqrt(0.5), color="black", linestyle=":", linewidth=1)
    ax.set_xlabel(r"width $\sigma_q / \sigma_\mathrm{post}$")
axes[0].set(ylabel="ESS / S", ylim=(0, 1.08), title="ESS")
axes[0].legend(fontsize=9, loc="upper right")
axes[1].set(ylabel=r"$\hat k$", ylim=(-1.3, 1.3), title="Pareto")
axes[1].axhspan(0.7, 1.3, color=plots.COLOURS[1], alpha=0.15, linewidth=0)
axes[1].text(1.1, 0.95, "do not trust", fontsize=9)
axes[2].set(ylabel="share of the runs", ylim=(0, 1.02))
_ = axes[2].set_title("Estimate within two errors")

# %% [markdown]
# (Dots in the first two pictures: the median run; bars hold 80 % of the runs. In the third: a share, with its standard
# error.) Read the left end. A proposal of half the right width reports a hundred effective draws, where theory says
# none. Its error bar is too small: every third run is further off than two of them. The run cannot see that from
# inside, for the draws that would tell are the ones it did not get. $\hat k$ sees it coming, from the shape of the
# tail.
#
# The rule of thumb (Vehtari et al. 2024): below 0.5 the variance is finite. Up to 0.7 the estimate is useful. Above, do
# not trust it, and widen the proposal.
#
# Both numbers are estimates from the draws you have. They judge the places that the draws reached.

#
# ### Try it
#
# Drag the proposal over the two hills of the bent decoder. First make it too narrow, then too wide. Then put it on one
# hill, exactly, and read the ESS. Compare the estimate with the exact value.

# %%
proposal_explorer(
    torch.linspace(-4, 4, 321),
    bent_log_joint(x_bent, torch.linspace(-4, 4, 321)[:, None, None])[:, 0],
    loc=0.2,
    scale=1.4,
    num_samples=200,
)

# %% [markdown]
# On one hill the ESS is excellent, and the estimate is wrong. The draws agree with each other about everything they
# have seen. They have not seen the other hill. Section 10 measures this.
#
# ### A cure: keep some prior in
#
# Mix some prior into the proposal: with probability $\alpha$ draw from the prior, else from $q$ (a **defensive
# mixture**, Hesterberg 1995). Then no weight can be large, and $\chi^2$ is finite if that of the prior is:
#
# $$w = \frac{p(z)\, p(x \mid z)}{\alpha\, p(z) + (1 - \alpha)\, q(z)} \;\le\; \frac{p(x \mid z)}{\alpha}, \qquad 1 + \chi^2 \;\le\; \frac{1 + \chi^2_{\text{prior}}}{\alpha}$$
#
# Take the toy and a proposal of half the right width. Its variance is infinite. Add 10 % of the prior.

# %%
ALPHA = 0.1
narrow = gaussian(posterior.loc, 0.5 * std_post)
defensive = torch.distributions.MixtureSameFamily(
    torch.distributions.Categorical(torch.tensor([ALPHA, 1 - ALPHA])),
    MultivariateNormal(
        torch.stack([torch.zeros(1), narrow.loc]),
        torch.stack([torch.eye(1), narrow.covariance_matrix]),
    ),
)
log_q = defensive.log_prob(grid[:, None])
chi2_defensive = torch.trapezoid((2 * posterior_on_grid.log() - log_q).exp(), grid) - 1
assert 1 + chi2_defensive <= (1 + chi2_prior) / ALPHA
RUNS = 500
print(
    f"χ²: narrow infinite, with {ALPHA:.0%} prior {chi2_defensive:.2f}; {RUNS} runs of 1000 draws"
)
print("                  largest weight   median run, off   reported   within two errors")
for name, q in (("narrow", narrow), ("with 10 % prior", defensive)):
    z, log_w = monte_carlo.log_weights(
        x_toy.expand(RUNS, 1), toy.log_joint, q, 1000, generator=seeded(18)
    )
    off, error = monte_carlo.log_mean_exp(log_w) - log_p_toy, monte_carlo.standard_error(log_w)
    within = (off.abs() < 2 * error).double().mean()
    print(
        f"{name:16} {log_w.max().exp() / p_toy:11.0f} p(x) {off.median():17.4f}"
        f" {error.median():10.4f} {within:19.0%}"
    )
bound = toy.log_likelihood(x_toy.expand(RUNS, 1), z) - math.log(ALPHA)
assert (log_w <= bound + 1e-9).all(), "a weight above the bound"
assert abs(within - 0.954) < 5 * math.sqrt(0.954 * 0.046 / RUNS), "its error bar must be right"

# %% [markdown]
# Ten per cent of the draws pay for an error bar that you can believe. (In many dimensions the bound is weak, because
# the $\chi^2$ of the prior is itself astronomical. There, widen $q$.)

# %% [markdown]
# ## 7 · The logarithm of an unbiased estimate is biased
#
# You report $\log \hat p$, not $\hat p$. The mean of $\hat p$ is exact. Is the mean of $\log \hat p$? Write
# $\hat p = p(x)\,(1 + \delta)$, where $\delta$ is the relative error. Its mean is zero and its variance $\chi^2 / S$.
# Expand the logarithm for small errors, $\log(1 + \delta) = \delta - \delta^2 / 2 + \dots$, and take the mean:
#
# $$\mathbb E[\log \hat p] \approx \log p(x) - \frac{\chi^2}{2S}, \qquad \text{standard deviation of } \log \hat p \approx \sqrt{\frac{\chi^2}{S}}$$
#
# So the log is too low, always: it bends down, and a bent-down function of a mean is above the mean of the function.
# (That is Jensen's inequality. Unit 03 begins with it.) The bias falls like $1/S$, faster than the error. In a log-log
# plot the slope is −1. With a single draw there is an exact answer, too:
# $\log w = \log p(x) - \log q(z) + \log p(z \mid x)$, so
#
# $$\mathbb E_q[\log w] = \log p(x) - \mathrm{KL}\big(q(z) \,\Vert\, p(z \mid x)\big)$$
#
# Test all three. One trick makes the error bars small: $\delta$ has mean zero, so the mean of $\log \hat p - \delta$ is
# the same as that of $\log \hat p$, and varies far less. (This is a **control variate**. Unit 03 uses one again.)

# %%
SIZES = np.array([1, 3, 10, 30, 100, 300, 1000])
TOTAL = 1_000_000 if FAST else 6_000_000
contestants = ["the prior", "right place, wide", "near"]
biases = {name: [] for name in contestants}
for name in contestants:
    q = proposals[name]
    for size in SIZES.tolist():
        runs = min(TOTAL // size, 200_000)
        z = q.loc + q.scale_tril[0, 0] * torch.randn(size, runs, 1, generator=seeded(300 + size))
        log_w = toy.log_joint(x_toy.expand(runs, 1), z) - q.log_prob(z)
        log_error = monte_carlo.log_mean_exp(log_w) - log_p_toy
        delta = log_error.exp() - 1
        biases[name].append((*mean_and_error(log_error - delta), log_error.std().item()))
        if size == 1:
            gap = torch.distributions.kl_divergence(
                q, MultivariateNormal(posterior.loc[0], posterior.covariance_matrix[0])
            )
            mean, error = mean_and_error(log_error)
            assert abs(mean + gap) < 5 * error, "one draw: the bias is −KL"
    means, errors, deviations = np.array(biases[name]).T
    assert (means < 0).all(), "the log of the estimate is too low on average"
    assert (np.diff(means) > 0).all(), "and rises with the number of draws"
    slope = np.polyfit(np.log(SIZES[-3:]), np.log(-means[-3:]), 1)[0]
    at_end = -predicted[name] / (2 * SIZES[-1])
    print(
        f"{name:18} bias at S = 1000: {means[-1]:.6f} ± {errors[-1]:.6f} (predicted {at_end:.6f})",
        end="",
    )
    print(f", slope {slope:.2f}; S = 1: −KL = {-gap:.3f}")
    assert abs(means[-1] - at_end) < 5 * errors[-1] + 0.05 * abs(at_end)  # the next order in 1/S
    assert abs(slope + 1) < 0.1
    assert abs(deviations[-1] / math.sqrt(predicted[name] / SIZES[-1]) - 1) < 0.05

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.7))
fine = np.geomspace(1, 1000, 50)
for name, colour in zip(contestants, plots.COLOURS, strict=False):
    means, errors, deviations = np.array(biases[name]).T
    left.errorbar(SIZES, -means, errors, fmt="o", markersize=5, capsize=3, color=colour, label=name)
    left.loglog(fine, predicted[name] / (2 * fine), color=colour, linewidth=1)
    right.loglog(SIZES, deviations, "o", markersize=5, color=colour)
    right.loglog(fine, np.sqrt(predicted[name] / fine), color=colour, linewidth=1)
left.set(
    xlabel="draws $S$",
    ylabel=r"$\log p(x) - \mathbb{E}[\log \hat p]$ (nats)",
    title="Bias: slope −1",
)
right.set(
    xlabel="draws $S$",
    ylabel=r"standard deviation of $\log \hat p$ (nats)",
    title="Error: slope −½",
)
_ = left.legend(fontsize=9)

# %% [markdown]
# Lines are predicted, dots are measured. The expansion needs small errors, so it fails on the left, where $\chi^2 / S$
# is not small. The signs do not fail: too low, and rising with $S$, for every proposal. (Burda et al. 2016, theorem 1,
# prove the second.) So $\mathbb E[\log \hat p]$ is a **lower bound** of $\log p(x)$ for every $S$. Unit 03 optimises
# it.
#
# Once $S$ is well above $\chi^2$, the bias is far below the error of one run. But you often report a mean over many
# images. The errors average out there, and the bias does not. Estimate the mean test score of the model of upper
# halves, with draws from the prior.

# %%
exact_mean = exact_tops.mean().item()
print(f"mean over {len(test)} images, exact: {exact_mean:.2f} nats")
for size in (10, 100, 1000) if FAST else (10, 100, 1000, 10_000):
    estimate = monte_carlo.naive_log_marginal(
        test[:, TOP], eye.log_likelihood, eye.prior(), size, generator=seeded(19)
    )
    print(
        f"S = {size:5d} draws from the prior: {estimate.mean():6.2f} nats, off by {estimate.mean() - exact_mean:6.2f}"
    )
assert estimate.mean() < exact_mean

# %% [markdown]
# A published likelihood is only as good as its $S$ and its proposal. Too few draws, and a good model looks bad.
#
# ## 8 · Posterior and evidence are one problem
#
# ### One identity, at every point
#
# Bayes' rule holds at **every** $z$. So one known value of the posterior density, anywhere, gives the evidence:
#
# $$\log p(x) = \log p(x, z) - \log p(z \mid x) \qquad\text{for every } z$$
#
# And with the evidence you have the posterior density everywhere. (Chib 1995 makes an estimator of this.) Try ten
# random places.

# %%
anywhere = 3 * torch.randn(10, 1, M, generator=seeded(20))
top = x[None, TOP]
one_number = eye.log_joint(top, anywhere) - eye.posterior(top).log_prob(anywhere)
assert torch.allclose(one_number, torch.tensor(log_p_top)), "not the same number at every z"
print(
    f"log joint between {eye.log_joint(top, anywhere).min():.0f} and {eye.log_joint(top, anywhere).max():.0f} nats"
)
print(
    f"log joint − log posterior between {one_number.min():.6f} and {one_number.max():.6f}; exact {log_p_top:.6f}"
)

# %% [markdown]
# ### One set of draws, two answers
#
# The weights that estimate $p(x)$ estimate the posterior, too. Any posterior mean is a ratio of two integrals. Estimate
# both with the same draws, and the unknown $p(x)$ cancels:
#
# $$\mathbb E_{p(z \mid x)}[f(z)] = \frac{\mathbb E_q[w f]}{\mathbb E_q[w]} \approx \sum_s \tilde w_s\, f(z_s)$$
#
# This is **self-normalised** importance sampling. It has a small bias of order $1/S$, and to first order the variance
#
# $$\frac1S\, \mathbb E_q\!\left[ \Big(\frac{w}{p(x)}\Big)^2 \big(f(z) - \bar f\,\big)^2 \right], \qquad \bar f = \mathbb E_{p(z \mid x)}[f(z)]$$
#
# Test both with the mean of the posterior of the toy, from draws of the prior: $f(z) = z$.

# %%
RUNS = 500 if FAST else 3000
z = torch.randn(1000, RUNS, 1, generator=seeded(21))
log_w = toy.log_likelihood(x_toy.expand(RUNS, 1), z)
f_bar = posterior.loc.item()
spread = torch.trapezoid(prior * (likelihood / p_toy) ** 2 * (grid - f_bar) ** 2, grid)
print("   S   typical error of the posterior mean   predicted")
self_normalised = []
for size in (10, 30, 100, 300, 1000):
    estimate = (torch.softmax(log_w[:size], 0) * z[:size, :, 0]).sum(0)  # (runs,)
    mean_square, error = mean_and_error((estimate - f_bar) ** 2)
    rms, bar = math.sqrt(mean_square), error / (2 * math.sqrt(mean_square))
    self_normalised.append((size, rms, bar, math.sqrt(spread / size)))
    print(f"{size:5d} {rms:18.4f} ± {bar:.4f} {math.sqrt(spread / size):24.4f}")
assert abs(rms - math.sqrt(spread / size)) < 5 * bar + 0.01 * rms, "not the predicted error"

# %% [markdown]
# The posterior mean of the **gradient** is what learning needs. In unit 01 the gradient of $\log p(x)$ was the
# posterior mean of the gradient of the log joint. So the same weights give it:
#
# $$\frac{\partial}{\partial\theta} \log p(x) = \mathbb E_{p(z \mid x)}\Big[ \frac{\partial}{\partial\theta} \log p(x, z) \Big] \approx \sum_s \tilde w_s\, \frac{\partial}{\partial\theta} \log p(x, z_s)$$
#
# Test it with autograd, for the shift $b$ of the toy: there
# $\partial \log p(x, z) / \partial b = (x - z - b) / \sigma^2$.

# %%
moving = LinearGaussian(toy.weight, toy.bias, toy.scale).requires_grad_()
exact_gradient = torch.autograd.grad(moving.log_marginal(x_toy).sum(), moving.bias)[0]
z, log_w = monte_carlo.log_weights(
    x_toy, toy.log_joint, proposals["near"], 100_000, generator=seeded(22)
)
w = torch.softmax(log_w, 0)
pull = (x_toy - z[..., 0]) / 0.5**2  # (S, 1)
estimate = (w * pull).sum()
error = (w**2 * (pull - estimate) ** 2).sum().sqrt()
assert abs(estimate - exact_gradient) < 5 * error
print(
    f"gradient in b: exact {exact_gradient.item():.4f}, from weighted draws {estimate:.4f} ± {error:.4f}"
)

# %% [markdown]
# ### Draws from the posterior: resample
#
# Weighted draws are awkward. Draw from them again, each with probability $\tilde w_s$, with replacement. What comes out
# follows the posterior (Rubin 1988 calls it sampling-importance-resampling, SIR).

# %%
z, log_w = monte_carlo.log_weights(
    x_bent, bent_log_joint, gaussian(0.0, 1.5), 20_000, generator=seeded(23)
)
resampled = monte_carlo.resample(z, log_w, 5000, generator=seeded(24))[:, 0, 0]
share = (resampled > -0.2).double().mean()
ess = monte_carlo.effective_sample_size(log_w)[0]
error = math.sqrt(hill * (1 - hill) * (1 / 5000 + 1 / ess))
assert abs(share - hill) < 5 * error, "resampling does not give the posterior"
print(
    f"right hill: {share:.1%} of the resampled draws, {hill:.1%} of the posterior (± {error:.1%})"
)

fig, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.4))
sizes, rms, bars, theory = zip(*self_normalised, strict=True)
left.errorbar(sizes, rms, bars, fmt="o", capsize=3, label="measured")
left.loglog(sizes, theory, color="black", linewidth=1, label="predicted, slope −½")
left.set(
    xlabel="draws $S$",
    ylabel="typical error of $\\bar f$",
    title="A posterior mean, from draws of the prior",
)
left.legend(fontsize=9)
right.hist(
    resampled.numpy(), 120, density=True, color=plots.COLOURS[0], alpha=0.5, label="resampled draws"
)
right.plot(grid, log_posterior_bent.exp(), color="black", linewidth=1.2, label="posterior, exact")
right.plot(
    grid, gaussian(0.0, 1.5).log_prob(grid[:, None]).exp(), "--", color=plots.DATA, label="proposal"
)
right.set(
    xlim=(-4, 4), xlabel="hidden number $z$", ylabel="density", title="Draw, weigh, draw again"
)
_ = right.legend(fontsize=9, loc="upper left")

# %% [markdown]
# ## 9 · The half-hidden image, solved
#
# Back to the covered digit. What you need is a proposal: a guess of the ten hidden numbers from the upper half. You
# have 1500 whole images to learn it from. Take the most probable code of each **whole** image (the mean of its
# posterior), and fit a straight line from the 32 upper pixels to the code, by least squares. The line gives the mean of
# the proposal. What the line gets wrong on the training images gives its covariance. Make it a little wider, by a
# factor of 1.2 in the variance, because too wide is cheap.
#
# $$q_\phi(z \mid x_\mathrm{top}) = \mathcal N\big(z \mid f_\phi(x_\mathrm{top}),\; 1.2\, \Sigma\big)$$
#
# with $f_\phi$ the line and $\Sigma$ from its errors. A function from what you see to a density of what you do not:
# unit 05 calls that an **encoder**. Test that the line is the best one: at the minimum its errors are uncorrelated with
# its inputs.

# %%
codes = model.posterior(train).loc  # (N, M), from the whole images
inputs = torch.cat([train[:, TOP], torch.ones(len(train), 1)], 1)
line = torch.linalg.lstsq(inputs, codes, driver="gelsd").solution  # (33, M)
residual = codes - inputs @ line
assert (inputs.T @ residual).abs().max() < 1e-8, "the errors must not depend on the inputs"
scatter = residual.T @ residual / len(train) + model.posterior(train[:1]).covariance_matrix[0]


def learned(top):  # (N, 32) to a proposal for each row
    return MultivariateNormal(torch.cat([top, torch.ones(len(top), 1)], 1) @ line, 1.2 * scatter)


# %% [markdown]
# (The second part of `scatter` is the posterior's own width around those codes.)
#
# ### What each method costs
#
# All four proposals, and the best possible one. Every number is exact: $1 + \chi^2$ is an integral over a Gaussian. For
# uniform guesses it is $V \int p(z \mid x)^2 dz$, as in section 3; in pixels, $z$ is the lower half itself.

# %%
side = 10.0  # of the box for the hidden numbers: from -5 to 5
tops = test[:, TOP]
posteriors = eye.posterior(tops)
here = Normal(posteriors.loc[CHOSEN[0]], posteriors.covariance_matrix[0].diagonal().sqrt())
outside = (here.cdf(torch.tensor(-side / 2)) + 1 - here.cdf(torch.tensor(side / 2))).sum()
assert outside < 1e-2, "the box must hold the posterior"


def log_collision(covariance):  # log ∫ N(z | m, C)² dz
    return -0.5 * torch.logdet(4 * math.pi * covariance)


log_cost = {
    "uniform, 32 pixels": 32 * math.log(HIGH - LOW) + log_collision(covariance_bottom).expand(297),
    "uniform, 10 hidden numbers": M * math.log(side) + log_collision(posteriors.covariance_matrix),
    "prior": log_chi2_plus_1(posteriors, prior_10),
    "learned": log_chi2_plus_1(posteriors, learned(tops)),
    "posterior": torch.zeros(297),
}
print("draws for a relative error of 10 %      this image      median image")
for name, value in log_cost.items():
    here, median = (100 * torch.expm1(v).item() for v in (value[CHOSEN[0]], value.median()))
    print(f"{name:32} {here:17.2g} {median:17.2g}")
assert log_cost["learned"].median() < 2 < 9 < log_cost["prior"].median()

# %% [markdown]
# A number with 24 digits, then ten digits, seven, three. (And zero means that one draw is exact.) It is the same number
# $p(x_\mathrm{top})$ each time, and the same estimator. Only the proposal changed.
#
# Now measure, on one image. Dots are the typical error of twenty runs, in nats. The lines are what theory says for
# small errors, $\sqrt{\chi^2 / S}$. They cross 0.1 at the number in the table. (The library goes through the draws in
# pieces, so its memory does not grow with $S$.)


# %%
def pixel_joint(top, bottom):  # (N, 32), (S, N, 32) to (S, N)
    whole = torch.cat([top.expand(*bottom.shape), bottom], -1)
    return model.log_marginal(whole.flatten(0, 1)).reshape(bottom.shape[:2])


RUNS = 20
rows = top.expand(RUNS, 32)
corner, pixels = torch.full((M,), side / 2), torch.ones(32)
samplers = {
    "uniform, 32 pixels": lambda S, g: monte_carlo.uniform_log_marginal(
        rows, pixel_joint, LOW * pixels, HIGH * pixels, S, generator=g
    ),
    "uniform, 10 hidden numbers": lambda S, g: monte_carlo.uniform_log_marginal(
        rows, eye.log_joint, -corner, corner, S, generator=g
    ),
    "prior": lambda S, g: monte_carlo.naive_log_marginal(
        rows, eye.log_likelihood, eye.prior(), S, generator=g
    ),
    "learned": lambda S, g: monte_carlo.importance_log_marginal(
        rows, eye.log_joint, learned(rows), S, generator=g
    ),
}
LADDER = [10, 30, 100, 300, 1000, 3000, 10_000, 100_000, 300_000]
sizes = dict.fromkeys(samplers, LADDER[:7]) | {"prior": LADDER[:7] if FAST else LADDER}
one_run = {name: math.sqrt(math.expm1(value[CHOSEN[0]])) for name, value in log_cost.items()}  # χ
bands = {}
for name, run in samplers.items():
    runs = torch.stack([run(S, seeded(400 + S)) - log_p_top for S in sizes[name]])  # (sizes, runs)
    mean_square = runs.square().mean(1)
    bars = runs.square().std(1) / math.sqrt(RUNS) / (2 * mean_square.sqrt())
    bands[name] = (mean_square.sqrt(), bars)
    S, error, bar = sizes[name][-1], mean_square[-1].sqrt(), bars[-1]
    theory = f"{one_run[name] / math.sqrt(S):8.3f}" if one_run[name] ** 2 < S else "no small error"
    print(f"{name:27} S = {S:6d}: typical error {error:7.3f} ± {bar:.3f} nats, predicted {theory}")
    if one_run[name] ** 2 < S / 20:
        assert abs(error - one_run[name] / math.sqrt(S)) < 5 * bar

# %%
fig, ax = plt.subplots(figsize=(9, 4))
for (name, (errors_of_runs, bars)), colour in zip(bands.items(), plots.COLOURS, strict=False):
    ax.errorbar(sizes[name], errors_of_runs, bars, fmt="o", markersize=4, color=colour, label=name)
    start = max(one_run[name] ** 2, 10)
    need = 100 * one_run[name] ** 2
    ends = (start, max(3 * need, sizes[name][-1]))
    ax.plot(ends, [one_run[name] / math.sqrt(S) for S in ends], color=colour, linewidth=1)
    ax.plot(need, 0.1, "|", color=colour, markersize=14, markeredgewidth=2.5)
    ax.text(need, 0.16, f"{need:.0e}", color=colour, fontsize=9)
ax.axhline(0.1, color="black", linewidth=0.8, linestyle=":")
ax.set(xscale="log", yscale="log", xlim=(7, 1e26), ylim=(0.01, 600))
ax.set(
    xlabel="draws $S$",
    ylabel=r"typical error of $\log \hat p$ (nats)",
    title="One integral, four proposals",
)
_ = ax.legend(fontsize=9, loc="upper right")

# %% [markdown]
# ### Fill in the picture
#
# Now complete the image. Weigh 200 draws, and take the weighted mean of the lower halves that they decode to. Beside it
# stands the exact posterior mean, and the truth that nobody told the model.


# %%
def complete(tops, z, log_w):  # weighted mean of the decoded lower halves, (N, 32)
    w = torch.softmax(log_w, 0)
    mean_code = (w[..., None] * z).sum(0)  # the decoder is linear: decode the mean
    return mean_code @ model.weight[~TOP].T + model.bias[~TOP]


def complete_by(name, tops, num_samples, generator):
    if name == "uniform, 32 pixels":
        halves = LOW + (HIGH - LOW) * torch.rand(num_samples, len(tops), 32, generator=generator)
        return (torch.softmax(pixel_joint(tops, halves), 0)[..., None] * halves).sum(0), None
    q = eye.prior() if name == "prior" else learned(tops)
    z, log_w = monte_carlo.log_weights(tops, eye.log_joint, q, num_samples, generator=generator)
    return complete(tops, z, log_w), monte_carlo.effective_sample_size(log_w)


exact_bottoms = posteriors.loc @ model.weight[~TOP].T + model.bias[~TOP]
completions = {"ignore the top": model.bias[~TOP].expand(297, 32)}
for name in ("uniform, 32 pixels", "prior", "learned"):
    completions[name], ess = complete_by(name, tops, 200, seeded(25))
    if ess is not None:
        print(f"{name}: median ESS {ess.median():.1f} of 200")
completions["exact"] = exact_bottoms
print(f"{'typical error of a pixel, 297 images':38} {'from the truth':>14} {'from exact':>12}")
for name, bottoms in completions.items():
    off, from_exact = (
        (bottoms - other).square().mean().sqrt() for other in (test[:, ~TOP], exact_bottoms)
    )
    print(f"{name:38} {off:14.3f} {from_exact:12.3f}")

# %%
rows = ["uniform, 32 pixels", "prior", "learned", "exact"]
fig, axes = plt.subplots(6, 6, figsize=(7.2, 7.4))
for column, n in zip(axes.T, CHOSEN, strict=True):
    draw_image(column[0], test[n], covered=True)
    for ax, name in zip(column[1:5], rows, strict=True):
        draw_image(ax, torch.cat([test[n][TOP], completions[name][n]]).clamp(0, 1))
    draw_image(column[5], test[n])
for ax, label in zip(
    axes[:, 0],
    [
        "you see",
        "200 uniform\nguesses",
        "200 draws\nof the prior",
        "200 draws,\nlearned",
        "exact mean",
        "the truth",
    ],
    strict=True,
):
    ax.text(-0.9, 3.5, label, ha="right", va="center", fontsize=10)

# %% [markdown]
# The learned proposal gives the exact completion with 200 draws. With 200 draws of the prior, one or two have all the
# weight, and you see those. The exact completion is not the truth: this model is ten numbers and a matrix, and its best
# guess is a blur. (Five of the six images were picked because it does well on them, the last because it does not.) But
# sampling is no longer what limits you.
#
# A mean hides how sure the model is. So resample: **importance resampling** turns weighted draws into draws from the
# posterior, and you see what else could be under the cover. How many different images do you get? Start from 5000 draws,
# and draw 2000 of them again.

# %%
exact_here = eye.posterior(top)
for name, q in (("prior", prior_10), ("learned", learned(top))):
    z, log_w = monte_carlo.log_weights(top, eye.log_joint, q, 5000, generator=seeded(26))
    again = monte_carlo.resample(z, log_w, 2000, generator=seeded(27))[:, 0]  # (2000, M)
    ess = monte_carlo.effective_sample_size(log_w).item()
    z_scores = (again.mean(0) - exact_here.loc[0]) / exact_here.stddev[0]
    print(
        f"{name:8} ESS {ess:6.1f}, {len(again.unique(dim=0)):4d} different images of 2000, "
        f"their mean is off by at most {z_scores.abs().max():.2f} posterior standard deviations"
    )
assert z_scores.abs().max() < 5 * math.sqrt(1 / ess + 1 / 2000), "not draws from the posterior"
alternatives = again[:6]

# %%
fig, axes = plt.subplots(1, 8, figsize=(9.5, 1.6))
draw_image(axes[0], x, "you see", covered=True)
for ax, code in zip(axes[1:7], alternatives, strict=True):
    lower = code @ model.weight[~TOP].T + model.bias[~TOP]
    draw_image(ax, torch.cat([x[TOP], lower]).clamp(0, 1))
draw_image(axes[7], x, "the truth")

# %% [markdown]
# ### Was it worth it?
#
# The number that judges a completion is the density that the model gave to the **true** lower half, after it saw the
# upper one. It is a posterior mean, so the same weighted draws give it. And it is a ratio of two evidences:
#
# $$p(x_\mathrm{bottom} \mid x_\mathrm{top}) = \frac{p(x)}{p(x_\mathrm{top})} = \mathbb E_{p(z \mid x_\mathrm{top})}\big[p(x_\mathrm{bottom} \mid z)\big]$$

# %%
lower_model = model.observe(~TOP)
exact_predictive = model.log_marginal(test) - exact_tops
by_conditioning = MultivariateNormal(mean_bottom, covariance_bottom).log_prob(x[~TOP])
assert torch.isclose(exact_predictive[CHOSEN[0]], by_conditioning), "the ratio of two evidences"
z = monte_carlo.draw(eye.posterior(top), (100_000,), generator=seeded(38))
likelihoods = (lower_model.log_likelihood(x[None, ~TOP], z) - by_conditioning).exp()
mean, error = mean_and_error(likelihoods)
assert abs(mean - 1) < 5 * error, "the posterior mean of the likelihood"

for size in (200, 2000):
    z, log_w = monte_carlo.log_weights(
        tops, eye.log_joint, learned(tops), size, generator=seeded(28)
    )
    log_predictive = lower_model.log_likelihood(test[:, ~TOP], z) + log_w
    predictive = monte_carlo.log_mean_exp(log_predictive) - monte_carlo.log_mean_exp(log_w)
    off = predictive - exact_predictive
    print(
        f"{size} weighted draws: {predictive.mean():.2f} nats an image; median distance from exact {off.abs().median():.2f}"
    )
blind = lower_model.log_marginal(test[:, ~TOP])
gain_in_nats, error = mean_and_error(exact_predictive - blind)
helped = (exact_predictive > blind).double().mean()
print(
    f"exact: {exact_predictive.mean():.2f} nats; a model that ignores the top: {blind.mean():.2f} nats"
)
print(f"the upper half is worth {gain_in_nats:.2f} ± {error:.2f} nats on average,", end=" ")
print(
    f"{(exact_predictive - blind).median():.2f} for the median image; it helps {helped:.0%} of them"
)
miss = test[:, ~TOP] - exact_bottoms
surprise = (miss * torch.linalg.solve(covariance_bottom, miss.T).T).mean(1)  # 1 is as expected
print(
    f"squared error over what the model expects: median {surprise.median():.2f}, "
    f"one image in ten above {surprise.quantile(0.9):.2f}, worst {surprise.max():.2f}"
)

# %% [markdown]
# Two honest remarks. First, 200 draws were plenty for the picture and are too few for this number. They were aimed at
# the posterior given the **top**. To judge the true bottom you need draws where $p(x_\mathrm{bottom} \mid z)$ is large,
# and that is a smaller place. A proposal is good or bad for one integral, not for all.
#
# Second, the picture gains more than the density. The typical image gains, a few lose much, and the mean gain is within
# its error. The model gives the same error bars to every guess. For the typical image they are right. For some the
# squared error is several times what the model expects. That is a fault of the model, not of the sampling. Units 04 to
# 08 are about better models.

# %% [markdown]
# ## 10 · What goes wrong
#
# Seven classic mistakes, made on purpose. Learn the symptom, and you find the mistake in minutes.
#
# ### The mean of logs for the log of a mean
#
# `log_w.mean()` in place of a log-mean-exp. One swap in the code, and another quantity.

# %%
gap = torch.distributions.kl_divergence(learned(top), eye.posterior(top)).item()
print(f"exact {log_p_top:.3f} nats, exact minus KL(q ‖ posterior) {log_p_top - gap:.3f} nats")
print("     S   log of mean   mean of logs")
for size in (10, 100, 1000, 10_000, 100_000):
    _, log_w = monte_carlo.log_weights(top, eye.log_joint, learned(top), size, generator=seeded(30))
    print(f"{size:6d} {monte_carlo.log_mean_exp(log_w).item():13.3f} {log_w.mean().item():14.3f}")
assert abs(log_w.mean() - (log_p_top - gap)) < 5 * log_w.std() / math.sqrt(size)

# %% [markdown]
# Symptom: more draws do not help. The mean of logs settles quickly, at a value that is too low by
# $\mathrm{KL}(q \,\Vert\, p(z \mid x))$. It is not useless: it is the **ELBO**, the subject of unit 03. But it is not
# $\log p(x)$.
#
# ### No shift by the maximum
#
# `log_w.exp().mean().log()` in 32-bit floats, the usual format for neural networks.

# %%
scores_32 = scores.float()  # the log weights of the 20 000 uniform guesses of section 1
unshifted = scores_32.exp().mean().log()
shifted = monte_carlo.log_mean_exp(scores_32)
print(
    f"largest log weight {scores_32.max():.1f}; exp of it in float32: {scores_32.max().exp():.0e}"
)
print(f"log of the mean, without the shift {unshifted:.1f}, with it {shifted:.1f}")
assert unshifted == -torch.inf
assert shifted.isfinite()
faint = torch.tensor([-1000.0, -1001.0])  # float64
naive, right = faint.exp().mean().log(), monte_carlo.log_mean_exp(faint)
print(f"float64, log weights -1000 and -1001: without the shift {naive:.1f}, with it {right:.3f}")

# %% [markdown]
# Symptom: `-inf`, or `nan` a step later. With small images it comes for the unusual ones only, with images of a
# thousand pixels for all. As a test, subtract 1000 from every log weight: the estimate must fall by 1000.
#
# ### Weights without the prior
#
# `log_likelihood − log_q`, and the prior is gone. The mean of these weights is $\int p(x \mid z)\, dz$. That is no
# probability of $x$ at all.

# %%
q = gaussian(1.0, 1.5)
for observed in (0.0, 1.5, 3.0):
    seen = torch.tensor([[observed]])
    z = monte_carlo.draw(q, (200_000, 1), generator=seeded(32))
    wrong = monte_carlo.log_mean_exp(toy.log_likelihood(seen, z) - q.log_prob(z)).item()
    right = monte_carlo.log_mean_exp(toy.log_joint(seen, z) - q.log_prob(z)).item()
    print(
        f"x = {observed}: without the prior {wrong:6.3f}, with it {right:6.3f}, exact {toy.log_marginal(seen).item():6.3f}"
    )
    assert abs(wrong) < 0.05, "the integral of the likelihood is 1 here, for every x"
z, log_w = monte_carlo.log_weights(x_toy, toy.log_likelihood, posterior, 1000, generator=seeded(33))
print(f"weights under the exact posterior: spread of {log_w.std():.2f} nats, should be 0")

# %% [markdown]
# Symptom: with the exact posterior as proposal the weights differ. They must all be $p(x)$. This one test finds every
# mistake in a weight: a missing prior, a ratio upside down, a forgotten constant. Keep a model with a known posterior
# for it.
#
# ### A proposal that is too narrow, and looks precise
#
# First the half-hidden image, with the independent Gaussian that is closest to the posterior in the sense of unit 03.
# It has the right mean, and it is too narrow. Then the toy, in the right place, with ever smaller widths.

# %%
loc, scale = mean_field_optimum(eye, top)
independent = MultivariateNormal(loc, torch.diag(scale**2))
cases = {"learned": (top, eye, learned(top)), "independent": (top, eye, independent)}
for fraction in (2, 5, 20):
    q = gaussian(posterior.loc, std_post / fraction)
    cases[f"toy, width 1/{fraction}"] = (x_toy, toy, q)
print("200 runs of 1000 draws       off, in nats:                reported            within two")
print("proposal                χ²   median run  80 % of runs     error    ESS   k-hat  errors")
for name, (seen, oracle, q) in cases.items():
    chi2 = log_chi2_plus_1(oracle.posterior(seen), q).expm1().item()
    rows, q = seen.expand(200, -1), q.expand((200,))
    _, log_w = monte_carlo.log_weights(rows, oracle.log_joint, q, 1000, generator=seeded(34))
    off = monte_carlo.log_mean_exp(log_w) - oracle.log_marginal(seen)
    reported = monte_carlo.standard_error(log_w)
    within = (off.abs() < 2 * reported).double().mean()
    ess, k_hat = monte_carlo.effective_sample_size(log_w), monte_carlo.pareto_k(log_w)
    low, high = off.quantile(torch.tensor([0.1, 0.9])).tolist()
    print(
        f"{name:16} {chi2:9.2f} {off.median():12.3f} {low:7.2f} … {high:5.2f} {reported.median():9.3f}"
        f" {ess.median():6.0f} {k_hat.median():7.2f} {within:7.0%}"
    )

# %% [markdown]
# Symptom: an error bar that does not reach the truth. At a twentieth of the width the median run is too low by more
# than ten of its own errors. $\hat k$ is near 0.7 or above. And the runs scatter up to twice as much as each of them
# reports: so repeat a run, before you believe its bar. A little extra width is a cheap insurance.
#
# ### ESS from log weights
#
# The formula wants $w$. Someone passes $\log w$.

# %%
suspects = {
    "learned": learned(top),
    "learned, half as wide": MultivariateNormal(learned(top).loc, scatter * 1.2 / 4),
    "independent": independent,
}
print(f"{'':26} {'ESS':>7} {'from log w':>11} {'from log w + 100':>17}")
for name, q in suspects.items():
    _, log_w = monte_carlo.log_weights(top, eye.log_joint, q, 1000, generator=seeded(35))
    wrong = [
        ((log_w + shift).sum() ** 2 / ((log_w + shift) ** 2).sum()).item() for shift in (0.0, 100.0)
    ]
    right = [monte_carlo.effective_sample_size(log_w + shift).item() for shift in (0.0, 100.0)]
    assert math.isclose(*right, rel_tol=1e-9), "a constant factor on the weights changes nothing"
    print(f"{name:26} {right[0]:7.1f} {wrong[0]:11.1f} {wrong[1]:17.1f}")

# %% [markdown]
# Symptom: the number changes when you add a constant to the log weights. And far from zero it says that all draws are
# worth the same, for good and bad proposals alike.
#
# ### The hill that nobody visited
#
# Put the proposal on the right hill of the bent decoder, with the mean and a generous width of that hill.

# %%
on_right = log_posterior_bent.exp() * (grid > -0.2) / hill
centre = torch.trapezoid(on_right * grid, grid)
width = 1.4 * torch.trapezoid(on_right * (grid - centre) ** 2, grid).sqrt()
print(f"exact: {p_bent.log():.4f} nats; log of the right hill's share: {hill.log():.4f} nats")
for name, q in (
    ("one hill", gaussian(centre, width)),
    ("both hills", gaussian(best_mean, best_width)),
):
    _, log_w = monte_carlo.log_weights(x_bent, bent_log_joint, q, 5000, generator=seeded(36))
    off = (monte_carlo.log_mean_exp(log_w) - p_bent.log()).item()
    error = monte_carlo.standard_error(log_w).item()
    ess, k_hat = (
        monte_carlo.effective_sample_size(log_w).item() / 5000,
        monte_carlo.pareto_k(log_w).item(),
    )
    print(
        f"{name:10}: off by {off:7.4f}, reported error {error:.4f}, ESS {ess:.0%} of S, k-hat {k_hat:.2f}"
    )
    if name == "one hill":
        assert abs(off - hill.log()) < 0.05, "what is missing is the other hill"

# %% [markdown]
# Symptom: **none**. The wrong proposal has the better ESS, the smaller error and a harmless $\hat k$. No number that is
# computed from the draws can see where no draw went. Only a wider look can: start from several places, compare with
# draws from the prior, simulate data for which you know $z$.
#
# ### Draws from the proposal taken for draws from the posterior
#
# Forget the weights, and average over the proposal.

# %%
print("   S    unweighted mean    weighted mean    exact posterior mean")
for size in (100, 10_000, 200_000):
    z, log_w = monte_carlo.log_weights(
        x_toy, toy.log_joint, gaussian(0.5, 1.0), size, generator=seeded(37)
    )
    weighted = (torch.softmax(log_w, 0) * z[..., 0]).sum()
    print(f"{size:6d} {z.mean():14.3f} {weighted:17.3f} {posterior.loc.item():20.3f}")
assert abs(weighted - posterior.loc) < 0.02
assert abs(z.mean() - 0.5) < 0.02

# %% [markdown]
# Symptom: change the proposal, and the answer moves with it. A right answer does not depend on the proposal, only its
# error does.

# %% [markdown]
# ## Summary
#
# - $p(x)$ is an integral over everything you did not see. Posterior and evidence are the same problem: each gives the
#   other.
# - Monte Carlo is unbiased for $p(x)$ with any proposal that covers the joint. Its relative error is
#   $\sqrt{\chi^2 / S}$, and $\chi^2$ is the divergence of the posterior from the proposal.
# - With proposals that know nothing of $x$, $1 + \chi^2 = \rho^M$. The number of cells and the price of naive Monte
#   Carlo are the same exponential. The shells show why: prior and posterior do not meet.
# - The best proposal is the posterior: one draw, no error. Near is good enough. Too wide costs a little. Too narrow
#   costs everything, and hides it.
# - ESS measures the draws you have. $\hat k$ looks for the draws you should have had. Neither sees a hill that no draw
#   visited.
# - $\log \hat p$ is too low, by $\chi^2 / 2S$ on average. It is a lower bound that rises with $S$.
# - On half-hidden digits the same estimator needs nearly $10^{24}$ guesses in pixels, a million draws of the prior, or
#   a few hundred from a proposal that was learned.
#
# The proposal is everything. How do you find one, when no oracle tells you the posterior? That is unit 03.
#
# ## Exercise
#
# `exercises/02_monte_carlo` asks you to build this yourself: a stable log-mean-exp, the exact evidence, naive and
# importance-sampled estimates, ESS and Pareto's $\hat k$, the price against dimension, the best Gaussian proposal for a
# bent decoder, the bias of the log, and the covered half of an image. Two questions ask you to predict a number before
# you compute it. Two are answered by hand: the bias of the log, and why posterior and evidence are one problem.
#
# ## References
#
# - M. E. Tipping and C. M. Bishop (1999). Probabilistic principal component analysis. *Journal of the Royal Statistical
#   Society B* 61, 611–622. Equations (7) and (8) for the best parameters.
# - C. M. Bishop (2006). *Pattern Recognition and Machine Learning*. Springer. Section 1.4 for the curse of
#   dimensionality, section 11.1.4 for importance sampling, section 12.2 and equations (12.35) and (12.42) for evidence
#   and posterior of probabilistic PCA.
# - A. B. Owen (2013). *Monte Carlo theory, methods and examples*. Chapter 9 for importance sampling and its
#   diagnostics.
# - D. J. C. MacKay (2003). *Information Theory, Inference, and Learning Algorithms*. Cambridge University Press.
#   Chapter 29, for why high dimensions are hard.
# - A. Kong (1992). A note on importance sampling using standardized weights. Technical Report 348, Department of
#   Statistics, University of Chicago.
# - J. Zhang and M. A. Stephens (2009). A new and efficient estimation method for the generalized Pareto distribution.
#   *Technometrics* 51, 316–325.
# - A. Vehtari, D. Simpson, A. Gelman, Y. Yao and J. Gabry (2024). Pareto smoothed importance sampling. *Journal of
#   Machine Learning Research* 25 (72).
# - T. Hesterberg (1995). Weighted average importance sampling and defensive mixture distributions. *Technometrics* 37,
#   185–194.
# - D. B. Rubin (1988). Using the SIR algorithm to simulate posterior distributions. *Bayesian Statistics* 3.
# - S. Chib (1995). Marginal likelihood from the Gibbs output. *Journal of the American Statistical Association* 90,
#   1313–1321.
# - Y. Burda, R. Grosse and R. Salakhutdinov (2016). Importance weighted autoencoders. *ICLR*. Theorem 1: the bound
#   rises with the number of draws. arXiv 1509.00519.
