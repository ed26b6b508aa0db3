# %% [markdown]
# # Exercise 06 · What the code means
#
# A weight in front of the rate changes what a variational autoencoder says about its images, and how much. You write the
# losses with that weight, and draw the curve of what it buys and what it costs. Then you take the rate apart, measure whether a
# hidden value means something, and change an attribute of an image by adding a vector to its code. At the end you rotate a
# whole model and find out what no loss can see. Unit 05 built the model and its bound; each exercise here says what it adds.
#
# **How it works.** Each exercise asks for one function.
#
# 1. Replace the line `raise NotImplementedError` by your answer and run the cell.
# 2. Run the cell below it, `check(your_function)`. It tries your function on fresh random inputs and says what it
#    found. Check as often as you like.
# 3. Stuck? Type `hint(your_function)` into a new cell. There are three hints: the principle, the place, and nearly
#    the code. The second and the third open after one more check each.
#
# **Rules.** Arrays come and go as torch tensors, in float64 unless an exercise says otherwise: give new tensors the type of
# the old ones, as in `torch.zeros(3, dtype=x.dtype)`. Where one number is asked for, return a number or a tensor with one
# element. Do not change the arguments. All randomness comes from the arguments: from noise that you are given, or from
# `generator`. The point is to write the functions yourself: `course_lib.beta_vae` and its neighbours have them all, and cannot
# be imported while your notebook is graded. `torch.distributions` is there for you to use.
#
# An answer that is right in ordinary cases and fails only at extreme inputs gets half the points.
#
# Each exercise states its difficulty (1 to 5), the minutes it takes, and its points. There are 44 points that are
# checked by the computer and 7 that a person marks.

# %% setup="imports"
import math

import matplotlib.pyplot as plt
import torch

from autograder import check, hint, when_answered
from course_lib import plots

plots.use_style()
_ = torch.set_num_threads(1)  # small networks: more threads would wait for each other

# %% [markdown]
# ## Notation
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $x_n$ | `x` | (N, D) | observed point (image) number n |
# | $z$ | `z` | (N, M) | the hidden variable, also called the code |
# | $\mu$, $\log\sigma^2$ | `loc`, `log_var` | (N, M) | mean of $q(z \mid x_n)$, and the logarithm of its variance |
# | $R$, $\Delta$ | `rate`, `distortion` | | the divergence of $q(z \mid x)$ from the prior, and $-\log p(x \mid z)$ |
# | $\beta$ | `beta` | number | weight of the rate in the loss |
# | $C$ | `capacity` | number | nats that the code of an average image is meant to have |
# | $q(z)$ | | | the aggregate: the codes of all N points mixed with equal weights |
# | | `factors` | (N, F) | whole numbers: what is known about each image |
#
# −ELBO is distortion plus rate. All logarithms are natural: everything is in nats.

# %% [markdown]
# # Part A. The weight
#
# ## A1. A weight in the right place
#
# *Difficulty 1, 10 minutes, 2 points.*
#
# The loss of the β-VAE is the mean over the images of
#
# $$\Delta_n + \beta R_n = -\sum_d \log p(x_{nd} \mid z_n) + \beta \sum_m \mathrm{KL}\big(q(z_m \mid x_n) \,\Vert\, \mathcal N(0, 1)\big)$$
#
# You are given the two prices before they are summed: `distortion` has one entry for each value of each image, (N, D), and `rate` one
# for each hidden value, (N, M). Return one number. $\beta$ is 0 or larger. The check also looks at the gradients for both.


# %% solution="beta_loss"
def beta_loss(distortion, rate, beta):
    """Distortion plus beta times rate in nats, averaged over images: (N, D), (N, M) -> number."""
    ### BEGIN SOLUTION
    return (distortion.sum(dim=1) + beta * rate.sum(dim=1)).mean()
    ### END SOLUTION


# %% tests="check-beta_loss" points=2
check(beta_loss)

# %% [markdown]
# ## A2. Predict before you compute
#
# *1 point for a positive number.*
#
# A loss from a widely read book, for binary images of 32 × 32 pixels: 500 times the cross-entropy **averaged over the pixels**, plus
# the divergence summed over the hidden values; both are averaged over the images of the batch. The author calls the 500 "β". Which
# $\beta$ of A1 does this loss train with? You get the point for the commitment, not for being right.


# %% solution="predict_popular_beta"
def predict_popular_beta():
    """Your prediction: the β of A1 that this loss trains with."""
    ### BEGIN SOLUTION
    return 1024 / 500
    ### END SOLUTION


# %% tests="check-predict_popular_beta" points=1
check(predict_popular_beta)

# %% [markdown]
# ## A3. The number in front of the mean
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# You may only change the number F in this loss, in which `mse` is the mean of $(x - \hat x)^2$ over all D values of all images:
#
# $$F \cdot \mathtt{mse} + \frac1N \sum_n R_n$$
#
# The decoder is meant as a Gaussian with the mean $\hat x$ and the fixed **variance** $\sigma^2$, `noise_var`. Return the F
# for which the loss trains the β-VAE with the weight `beta`: for which it is a positive multiple of $\frac1N\sum_n (\Delta_n + \beta R_n)$, up to a
# constant. `beta` and `noise_var` are positive numbers, `dim` is D. The check compares the directions of the gradients. In unit 05
# you measured the β of a given loss (`effective_beta`); this is the way back.


# %% solution="reconstruction_weight"
def reconstruction_weight(beta, dim, noise_var):
    """The factor F of the mean squared error that trains with this beta: a number."""
    ### BEGIN SOLUTION
    return dim / (2 * beta * noise_var)
    ### END SOLUTION


# %% tests="check-reconstruction_weight" points=2
check(reconstruction_weight)

# %% [markdown]
# **Look at it.** The other way to read your result: what a given F means. A published F says little without the size of the image.

# %% setup="read-weights"
with when_answered(reconstruction_weight):
    print("    F    image            β if σ = 0.1    σ if β = 1")
    for factor, size, channels in ((1, 28, 1), (500, 32, 1), (1000, 28, 1), (10_000, 128, 3)):
        dim = size * size * channels
        beta = reconstruction_weight(1.0, dim, 0.01) / factor
        sigma = math.sqrt(reconstruction_weight(1.0, dim, 1.0) / factor)
        print(f"{factor:6d}  {size:4d} × {size} × {channels} {beta:15.2f} {sigma:14.3f}")

# %% [markdown]
# ## A4. A rate that is asked for
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# Instead of a price for each nat you can set the number of nats, the capacity $C$:
#
# $$\frac1N \sum_n \Delta_n + w\, \Big| \frac1N \sum_n R_n - C \Big|$$
#
# Mind where the absolute value stands: around the **mean rate of the batch** less the capacity. Single images may spend more or less.
# Here `distortion` and `rate` hold one number for each image, (N,); `capacity` is 0 or larger, `weight` is $w > 0$. Return one number. The check
# looks at the gradients too, at places where the mean rate is not exactly $C$.


# %% solution="capacity_loss"
def capacity_loss(distortion, rate, capacity, weight):
    """Mean distortion plus weight times |mean rate - capacity|: two of (N,) -> number."""
    ### BEGIN SOLUTION
    return distortion.mean() + weight * (rate.mean() - capacity).abs()
    ### END SOLUTION


# %% tests="check-capacity_loss" points=2
check(capacity_loss)

# %% [markdown]
# ## A5. A capacity that grows and arrives
#
# *Difficulty 1, 10 minutes, 1 point.*
#
# Return the capacity at a step (0, 1, 2, …), in nats. It rises in a straight line, from 0 at step 0 to `max_capacity` at step `num_steps`,
# and stays there at all later steps. `num_steps = 0` means that it is `max_capacity` from step 0 on. `step` and `num_steps` are whole
# numbers, `max_capacity` is 0 or larger and need not be whole.


# %% solution="capacity_schedule"
def capacity_schedule(step, num_steps, max_capacity):
    """Nats that the code may have at a step: a number from 0 to max_capacity."""
    ### BEGIN SOLUTION
    if step >= num_steps:
        return max_capacity
    return max_capacity * step / num_steps
    ### END SOLUTION


# %% tests="check-capacity_schedule" points=1
check(capacity_schedule)

# %% [markdown]
# **Look at it.** A small linear VAE, with one hidden value for each of six directions of the data, trained by your two functions. The first nats go to the
# direction with the largest variance. Every further one opens when the next nat would save no more where it went so far. The mean rate follows the capacity, and no β was tuned.

# %% setup="capacity-lab"
with when_answered(capacity_loss), when_answered(capacity_schedule):
    generator = torch.Generator().manual_seed(0)
    variances = torch.tensor([6.0, 3.0, 1.5, 0.7, 0.3, 0.1], dtype=torch.float64)
    data = torch.randn(200, 6, generator=generator, dtype=torch.float64)
    data = data * (variances / data.square().mean(dim=0)).sqrt()
    start = torch.tensor([[0.1], [0.1], [0.0]], dtype=torch.float64).repeat(1, 6)
    maps = start.requires_grad_()  # encoder, decoder and log variance of each hidden value
    optimiser = torch.optim.Adam([maps], lr=0.01)
    capacities, rates, distortions = [], [], []
    for step in range(1500):
        encoder, decoder, log_var = maps
        loc = data * encoder
        # E_q (x - w z)² has a closed form, so no draw is needed
        error = ((data - loc * decoder).square() + decoder**2 * log_var.exp()).sum(dim=1)
        kl = 0.5 * (loc.square() + log_var.exp() - log_var - 1)
        capacities.append(capacity_schedule(step, 1200, 6.0))
        optimiser.zero_grad()
        capacity_loss(error / 0.2, kl.sum(dim=1), capacities[-1], 50.0).backward()
        optimiser.step()
        rates.append(kl.detach().mean(dim=0))
        distortions.append(error.mean().item())
    rates = torch.stack(rates)
    figure, axes = plt.subplots(1, 2, figsize=(8.4, 3.1))
    axes[0].plot(rates.sum(dim=1), color="0.75", linewidth=4, label="all together")
    axes[0].plot(capacities, color="black", linestyle="--", label="capacity")
    for nats, variance in zip(rates.T, variances.tolist(), strict=True):
        axes[0].plot(nats, label=f"variance {variance:g}")
    axes[0].set_xlabel("step")
    axes[0].set_ylabel("rate [nats]")
    axes[1].plot(rates.sum(dim=1), distortions, color="black")
    axes[1].set_xlabel("rate [nats]")
    axes[1].set_ylabel("squared error of a point")
    axes[1].legend(*axes[0].get_legend_handles_labels(), fontsize="small")

# %% [markdown]
# # Part B. Rate against distortion
#
# ## B1. The best curve there is
#
# *Difficulty 3, 30 minutes, 3 points.*
#
# What could a β-VAE reach at best? Here the answer is exact. The data are Gaussian, with D independent values of mean 0 and variances
# $v_d$. The decoder is linear with a fixed noise, $p(x \mid z) = \mathcal N(Wz, \sigma)$, and there are as many hidden values as you like.
# Then each direction has a hidden value of its own, $q(z \mid x) = \mathcal N(ax, s)$ with a decoder weight $w$, and costs on average
#
# $$\underbrace{\frac{v(1 - wa)^2 + w^2 s^2}{2\sigma^2} + \frac12 \log 2\pi\sigma^2}_{\Delta} \;+\; \beta \cdot \underbrace{\frac12\left(a^2 v + s^2 - \log s^2 - 1\right)}_{R}$$
#
# Find the smallest value over $w$, $a$ and $s$, by hand or by numbers. Return the rate and the distortion there, each summed over the D directions: two
# tensors (B,), one entry for each of the B values in `betas`, in the order given. `variances` is (D,), with entries between 0.05 and 10; `noise_var` is
# $\sigma^2$, between 0.3 and 0.7; `betas` is (B,), between 0.2 and 1000. An error of 0.1 %, or of 0.001 nats, is allowed.


# %% solution="gaussian_rate_distortion"
def gaussian_rate_distortion(variances, noise_var, betas):
    """Rate and distortion of the best linear β-VAE in nats: (D,), number, (B,) -> two of (B,)."""
    ### BEGIN SOLUTION
    level = betas[:, None] * noise_var  # (B, 1)
    rates = 0.5 * torch.log(variances / level).clamp(min=0).sum(dim=1)
    errors = torch.minimum(variances, level).sum(dim=1)
    constant = 0.5 * len(variances) * math.log(2 * math.pi * noise_var)
    return rates, errors / (2 * noise_var) + constant
    ### END SOLUTION


# %% tests="check-gaussian_rate_distortion" points=3
check(gaussian_rate_distortion)

# %% [markdown]
# **Look at it.** Each β touches the curve at one point, and its dashed line of equal loss has the slope −β there. The bound itself
# ($\beta = 1$) is one of these points. At the far left no direction is open.

# %% setup="draw-best-curve"
with when_answered(gaussian_rate_distortion):
    variances = torch.tensor([4.0, 2.4, 1.3, 0.7, 0.3, 0.1], dtype=torch.float64)
    fine = torch.logspace(-1.2, 1.2, 200, dtype=torch.float64)
    figure, axes = plt.subplots(figsize=(5.4, 3.6))
    axes.plot(*gaussian_rate_distortion(variances, 0.5, fine), color="black")
    for color, beta in enumerate((0.25, 1.0, 3.0)):
        one = torch.tensor([beta], dtype=torch.float64)
        rate, distortion = gaussian_rate_distortion(variances, 0.5, one)
        rate, distortion = float(rate[0]), float(distortion[0])
        axes.plot(rate, distortion, "o", color=f"C{color}", label=f"β = {beta:g}")
        ends = torch.tensor([max(rate - 1.5, 0.0), rate + 1.5])
        axes.plot(ends, distortion - beta * (ends - rate), "--", color=f"C{color}", linewidth=1)
    axes.set_xlabel("rate [nats]")
    axes.set_ylabel("distortion [nats]")
    axes.legend()

# %% [markdown]
# ## B2. A curve from runs that may fail
#
# *Difficulty 3, 30 minutes, 3 points.*
#
# Real curves are made of training runs, and some of them end in a bad place. `train(beta)` takes a number, trains a model with this β and
# gives three tensors for the N test points: `distortion` (N, D), one entry for each value, and `loc` and `log_var` of q, (N, M) each. Training is
# expensive: call `train` **exactly once for each entry** of `betas`, a tensor (B,) of different positive numbers in any order.
#
# Measure the rate and the distortion of every model, each a mean over the points, in plain nats. Then let every β take, **of all B models**, the one with
# the smallest $\Delta + \beta R$ at this β. That may be a model that was trained with another β. Return the rates and the distortions
# of the models so chosen: two tensors (B,), from the smallest β to the largest. Two values of β may share a model.
#
# With this rule the rate never rises from one β to the next, and the distortion never falls, whatever the runs were. Do you see why?


# %% solution="rate_distortion_curve"
def rate_distortion_curve(train, betas):
    """Rates and distortions in nats, from the smallest β on: function, (B,) -> two of (B,)."""
    ### BEGIN SOLUTION
    betas = betas.sort().values
    rates, distortions = [], []
    for beta in betas.tolist():
        distortion, loc, log_var = train(beta)
        kl = 0.5 * (loc**2 + torch.exp(log_var) - log_var - 1).sum(dim=1)
        rates.append(kl.mean())
        distortions.append(distortion.sum(dim=1).mean())
    rates, distortions = torch.stack(rates), torch.stack(distortions)
    best = (distortions + betas[:, None] * rates).argmin(dim=1)
    return rates[best], distortions[best]
    ### END SOLUTION


# %% tests="check-rate_distortion_curve" points=3
check(rate_distortion_curve)

# %% [markdown]
# **Look at it.** Twelve linear VAEs, each trained by gradient from a random start, some of them with far too few steps. Crosses are all runs, circles those
# that your function keeps. The line is the exact curve of B1: no model is below it.

# %% setup="sweep-beta"
with when_answered(gaussian_rate_distortion), when_answered(rate_distortion_curve):
    generator = torch.Generator().manual_seed(1)
    variances = torch.tensor([4.0, 2.4, 1.3, 0.7, 0.3, 0.1], dtype=torch.float64)
    data = torch.randn(300, 6, generator=generator, dtype=torch.float64)
    data = torch.linalg.qr(data - data.mean(dim=0)).Q * (300 * variances).sqrt()
    all_runs = []

    def train(beta):
        encoder, decoder = (
            (0.2 * torch.randn(6, 6, generator=generator, dtype=torch.float64)).requires_grad_()
            for _ in range(2)
        )
        log_var = torch.zeros(6, dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.Adam([encoder, decoder, log_var], lr=0.03)
        for _ in range(30 if len(all_runs) % 3 == 1 else 400):
            loc = data @ encoder
            # E_q of the distortion of each value, in closed form; σ² = 0.5
            error = (data - loc @ decoder).square() + log_var.exp() @ decoder.square()
            distortion = error + 0.5 * math.log(math.pi)
            kl = 0.5 * (loc.square() + log_var.exp() - log_var - 1)
            optimiser.zero_grad()
            (distortion.sum(dim=1) + beta * kl.sum(dim=1)).mean().backward()
            optimiser.step()
        all_runs.append((kl.sum(dim=1).mean().item(), distortion.sum(dim=1).mean().item()))
        return distortion.detach(), loc.detach(), log_var.detach().expand_as(loc)

    betas = torch.logspace(-1, 1, 12, dtype=torch.float64)
    rates, distortions = rate_distortion_curve(train, betas)
    figure, axes = plt.subplots(figsize=(5.4, 3.6))
    fine = torch.logspace(-1.1, 1.1, 200, dtype=torch.float64)
    axes.plot(*gaussian_rate_distortion(variances, 0.5, fine), color="black", label="exact")
    axes.plot(*zip(*all_runs, strict=True), "x", color="C1", label="all runs")
    axes.plot(rates, distortions, "o", fillstyle="none", color="C0", markersize=9, label="kept")
    axes.set_xlabel("rate [nats]")
    axes.set_ylabel("distortion [nats]")
    axes.legend()

# %% [markdown]
# # Part C. What the rate is made of
#
# ## C1. How dependent are the hidden values?
#
# *Difficulty 2, 20 minutes, 2 points.*
#
# The total correlation of $z = (z_1, \dots, z_M)$ is the divergence of its distribution from the product of its margins:
#
# $$\mathrm{TC} = \mathrm{KL}\Big(q(z) \,\Big\Vert\, \prod_m q(z_m)\Big)$$
#
# Return it in nats for a Gaussian $q(z) = \mathcal N(\mu, \Sigma)$, from its covariance $\Sigma$, (M, M). Variances may lie between
# $10^{-10}$ and $10^{10}$, and M may be up to 150; then $\det\Sigma$ itself is 0 or infinite in floating point. $\Sigma$ is positive definite.


# %% solution="gaussian_total_correlation"
def gaussian_total_correlation(covariance):
    """KL of a Gaussian from the product of its margins, in nats: (M, M) -> number."""
    ### BEGIN SOLUTION
    variances = torch.diagonal(covariance)
    return 0.5 * (torch.log(variances).sum() - torch.logdet(covariance))
    ### END SOLUTION


# %% tests="check-gaussian_total_correlation" points=2
check(gaussian_total_correlation)

# %% [markdown]
# ## C2. What the nats are spent on
#
# *Difficulty 4, 40 minutes, 4 points.*
#
# The mean rate of N points is a sum of three parts. They go through the aggregate $q(z) = \frac1N \sum_j q(z \mid x_j)$, over **all** N points, each
# point's own included, and through its margins $q(z_m) = \frac1N \sum_j q(z_m \mid x_j)$:
#
# $$\mathbb E\left[\log\frac{q(z \mid x)}{p(z)}\right] =
# \underbrace{\mathbb E\left[\log\frac{q(z \mid x)}{q(z)}\right]}_{\text{mutual information}} +
# \underbrace{\mathbb E\left[\log\frac{q(z)}{\prod_m q(z_m)}\right]}_{\text{total correlation}} +
# \underbrace{\mathbb E\left[\log\frac{\prod_m q(z_m)}{p(z)}\right]}_{\text{dimension-wise divergence}}$$
#
# The means run over the points and over draws from their q. `noise` holds S draws of $\varepsilon$ for each point, (S, N, M); take
# $z_{sn} = \mu_n + \sigma_n \odot \varepsilon_{sn}$, and every mean over these draws and no others, also where a closed form exists. So the three parts add up exactly.
# Return the three numbers in this order, as a tuple. A single draw may make a part negative: leave it as it is. N and S are small enough for a table of S · N · N · M
# numbers. $\log\sigma^2$ lies between −30 and 5, and M is at most 60.


# %% solution="decompose_rate"
def decompose_rate(loc, log_var, noise):
    """Mutual information, total correlation and dimension-wise divergence of a code, in nats.

    loc and log_var (N, M), noise (S, N, M) -> three numbers.
    """
    ### BEGIN SOLUTION
    q = torch.distributions.Normal(loc, torch.exp(0.5 * log_var))
    z = loc + q.scale * noise
    own = q.log_prob(z).sum(dim=-1)  # (S, N)
    table = q.log_prob(z[:, :, None])  # (S, N, N, M): every draw under every q
    log_n = math.log(len(loc))
    joint = torch.logsumexp(table.sum(dim=-1), dim=2) - log_n
    margins = (torch.logsumexp(table, dim=2) - log_n).sum(dim=-1)
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=-1)
    return (own - joint).mean(), (joint - margins).mean(), (margins - prior).mean()
    ### END SOLUTION


# %% tests="check-decompose_rate" points=4
check(decompose_rate)

# %% [markdown]
# **Look at it.** Four codes for 36 points, with the same widths. In the first two, the points lie on a grid of 6 × 6, straight or turned by 45°. In the third
# they lie near a diagonal, in the fourth the grid is moved away from the prior. What the code says about $x$ is the first column only.

# %% setup="compare-codes"
with when_answered(decompose_rate):
    generator = torch.Generator().manual_seed(0)
    ticks = torch.linspace(-1.5, 1.5, 6, dtype=torch.float64)
    grid = torch.cartesian_prod(ticks, ticks)
    turn = math.sqrt(0.5) * torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=torch.float64)
    line = torch.linspace(-1.5, 1.5, 36, dtype=torch.float64)
    codes = {
        "grid": grid,
        "grid, turned by 45°": grid @ turn.T,
        "near a diagonal": torch.stack((line, line + 0.3 * torch.sin(9 * line)), dim=1),
        "grid, moved": grid + torch.tensor([2.0, 0.0], dtype=torch.float64),
    }
    noise = torch.randn(200, 36, 2, generator=generator, dtype=torch.float64)
    print(f"{'code':22s}{'information':>12s}{'correlation':>13s}{'dimensions':>12s}{'rate':>8s}")
    for name, loc in codes.items():
        parts = [float(part) for part in decompose_rate(loc, torch.full_like(loc, -3.0), noise)]
        print(f"{name:22s}{parts[0]:12.3f}{parts[1]:13.3f}{parts[2]:12.3f}{sum(parts):8.3f}")

# %% [markdown]
# # Part D. Does a hidden value mean something?
#
# To measure it you need data whose causes are known. From here on `codes` (N, M) holds the hidden values of N images, usually the
# means of q, and `factors` (N, F) the true causes of the same images: whole numbers (int64) that count the values of each cause from 0.
#
# ## D1. What each hidden value says about each cause
#
# *Difficulty 3, 25 minutes, 3 points.*
#
# The mutual information of a hidden value and a cause is what you learn about the one, in nats, when you are told the other. Estimate
# it from counts, for each pair:
#
# $$I_{mf} = \sum_{b, k} \hat p(b, k) \log \frac{\hat p(b, k)}{\hat p(b)\, \hat p(k)}$$
#
# Here $k$ is the value of cause $f$, and $b$ the bin of hidden value $m$. The B = `num_bins` bins of a column have **the same width**, from
# the smallest value of that column to its largest; a value on an inner edge belongs to the upper bin, and the largest value to the last
# bin. $\hat p$ is a share of the N points, without any correction, and cells without points add nothing. A hidden value that never
# changes has the information 0. Not every value of a cause need occur, and a cause may have more values than there are bins. Return the
# table (M, F), float32 or float64. Codes come in either.


# %% solution="mutual_information_table"
def mutual_information_table(codes, factors, num_bins):
    """Information of each hidden value about each cause in nats: codes (N, M), factors (N, F) -> (M, F)."""
    ### BEGIN SOLUTION
    table = torch.zeros(codes.shape[1], factors.shape[1], dtype=torch.float64)
    for m, column in enumerate(codes.T):
        low, high = column.min(), column.max()
        if low == high:
            continue
        bins = ((column - low) / (high - low) * num_bins).long().clamp(max=num_bins - 1)
        for f, values in enumerate(factors.T):
            count = int(values.max()) + 1
            joint = torch.bincount(bins * count + values, minlength=num_bins * count)
            joint = joint.reshape(num_bins, count).double() / len(values)
            product = joint.sum(dim=1, keepdim=True) * joint.sum(dim=0)
            seen = joint > 0
            table[m, f] = (joint[seen] * torch.log(joint[seen] / product[seen])).sum()
    return table
    ### END SOLUTION


# %% tests="check-mutual_information_table" points=3
check(mutual_information_table)

# %% [markdown]
# ## D2. The mutual information gap
#
# *Difficulty 2, 15 minutes, 2 points. Uses D1.*
#
# A cause is disentangled if one hidden value says much about it and no other says anything. For each cause take the gap between the
# largest and the second largest information, as a share of the entropy $\mathrm H$ of that cause. MIG is the mean over the causes:
#
# $$\mathrm{MIG} = \frac1F \sum_f \frac{I_{(1) f} - I_{(2) f}}{\mathrm H(v_f)}, \qquad I_{(1) f} \ge I_{(2) f} \ge \dots \ge I_{(M) f}$$
#
# Where two hidden values share the first place the gap is 0. The entropy comes from the shares of the values in `factors`, in nats. There
# are at least two hidden values, and each cause takes at least two different values; as in D1, others may be missing. Return one number.


# %% solution="mig"
def mig(codes, factors, num_bins=20):
    """Mutual information gap: codes (N, M), factors (N, F) -> number from 0 to 1."""
    ### BEGIN SOLUTION
    best = mutual_information_table(codes, factors, num_bins).topk(2, dim=0).values
    shares = [torch.bincount(values).double() / len(values) for values in factors.T]
    entropy = torch.stack([torch.special.entr(share).sum() for share in shares])
    return ((best[0] - best[1]) / entropy).mean()
    ### END SOLUTION


# %% tests="check-mig" points=2
check(mig)

# %% [markdown]
# **Look at it.** 3000 sprites with five known causes. On the left the codes are the causes with a little noise. On the right they are the
# first six principal components of the images: they say something about the place and the size, but several of them say it at once.

# %% setup="draw-information"
from course_lib.data import sprites

with when_answered(mutual_information_table), when_answered(mig):
    data = sprites(3000)
    noise = torch.randn(data.factors.shape, generator=torch.Generator().manual_seed(0))
    images = data.flat() - data.flat().mean(dim=0)
    torch.manual_seed(0)
    components = torch.pca_lowrank(images, 6, niter=4)[2]
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
    kinds = {"causes with noise": data.factors + 0.3 * noise, "components": images @ components}
    for panel, (name, codes) in zip(axes, kinds.items(), strict=True):
        table = mutual_information_table(codes, data.factors, 20)
        picture = panel.imshow(table, vmin=0, vmax=math.log(20), cmap="viridis")
        panel.set_title(f"{name}: MIG {float(mig(codes, data.factors, 20)):.2f}")
        panel.set_xticks(range(5), data.factor_names)
        panel.set_ylabel("hidden value")
        panel.grid(False)
    figure.colorbar(picture, ax=axes, label="information [nats]")

# %% [markdown]
# ## D3. Disentanglement and completeness
#
# *Difficulty 3, 20 minutes, 3 points.*
#
# Another way to look: train a predictor for each cause, and let it say how much it used each hidden value. That gives a table of
# importances $r_{mf} \ge 0$, (M, F), with at least two rows and two columns, not all 0, and in any unit: their sum may be $10^{-5}$ or $10^6$. Two
# questions are asked of it. Does a hidden value serve one cause only?
#
# $$D = \sum_m \frac{\sum_f r_{mf}}{\sum_{m'f} r_{m'f}} \left( 1 + \sum_f P_{mf} \log_F P_{mf} \right), \qquad P_{mf} = \frac{r_{mf}}{\sum_{f'} r_{mf'}}$$
#
# And is one hidden value enough for a cause? Completeness $C$ is the same with rows and columns exchanged: each column sums to one, the
# logarithm has the base M, and the weight is the column's share of the whole table. Both lie between 0 and 1. $0 \log 0$ counts
# as 0. A row (or column) of zeros has no weight, but it still counts in M and F. Return the pair $(D, C)$.


# %% solution="dci"
def dci(importance):
    """Disentanglement and completeness: importances (M, F) -> two numbers."""

    ### BEGIN SOLUTION
    def purity(table):
        total = table.sum(dim=1)
        kept = total > 0
        share = table[kept] / total[kept, None]
        score = 1 - torch.special.entr(share).sum(dim=1) / math.log(table.shape[1])
        return (total[kept] * score).sum() / total.sum()

    return purity(importance), purity(importance.T)
    ### END SOLUTION


# %% tests="check-dci" points=3
check(dci)

# %% [markdown]
# ## D4. Who stood still?
#
# *Difficulty 3, 25 minutes, 3 points.*
#
# The FactorVAE score. Take a group of L images that agree in one cause, the *fixed* one, and differ in the others. The hidden value that
# varies least in the group votes for that cause. You are given the codes of V training groups, (V, L, M), and the number of the
# fixed cause of each, (V,), int64; the same for test groups; and `scale`, (M,), the standard deviation of each hidden value over all data.
#
# 1. A hidden value with `scale` < 0.05 is dead, and takes no part. At least one is alive.
# 2. In each group the live hidden value with the smallest variance *divided by its squared scale* wins.
# 3. Each hidden value stands for the cause that was fixed most often in the training groups that it won.
# 4. The score is the share of the test groups whose winner stands for the cause that was fixed.
#
# There are no ties, and whoever wins a test group has won a training group. The groups themselves may spread more or less than `scale`
# says, and the causes need not be fixed equally often. Return one number.


# %% solution="factor_vae_score"
def factor_vae_score(train_groups, train_fixed, test_groups, test_fixed, scale):
    """Share of test groups (T, L, M) whose fixed cause the vote of the training groups names."""

    ### BEGIN SOLUTION
    def winners(groups):
        share = groups.var(dim=1) / scale**2
        share[:, scale < 0.05] = math.inf
        return share.argmin(dim=1)

    table = torch.zeros(len(scale), int(train_fixed.max()) + 1)
    for m, f in zip(winners(train_groups), train_fixed, strict=True):
        table[m, f] += 1
    stands_for = table.argmax(dim=1)
    return (stands_for[winners(test_groups)] == test_fixed).double().mean()
    ### END SOLUTION


# %% tests="check-factor_vae_score" points=3
check(factor_vae_score)

# %% [markdown]
# ## D5. What a high score shows, and what it does not
#
# *In words, 15 minutes, 3 points, marked by a person.*
#
# A report says: "We trained a β-VAE without any labels. With $\beta = 8$ and seed 3 it reached a MIG of 0.42, the highest of all our runs.
# So a β-VAE discovers the causes of the data by itself." Answer in three short paragraphs. (1) What does the 0.42 show
# about this one model, and what do you still not know about it? (2) Why does one seed, chosen as the best of many, not support the
# sentence about β-VAEs, and what would you report instead? (3) Why can the loss alone not have singled out this code? And where did
# supervision enter all the same?

# %% [markdown] manual="explain-high-mig" points=3
# **Model answer.** (1) In this model, on this data set, there is for the average cause one hidden value that knows clearly more about it
# than any other, by 42 % of the entropy of the cause. This is a fact about the code, and useful. It does not say which causes are behind
# the mean: three may be near 1 and two near 0, as with a cause of which no hidden value knows anything. It does not say that a hidden
# value knows *only* this cause (that is disentanglement in the sense of DCI), that images are good, or that the code holds on other data. The
# number also depends on the bins and on the number of points.
#
# (2) Runs that differ in the seed alone scatter, often as much as those that differ in the method or in $\beta$. The best of many
# is high even if nothing differs but chance. Report all seeds, with mean and spread, for each $\beta$ that was tried, chosen by a
# rule that does not look at the score, and compare with a baseline under the same rule.
#
# (3) Turn the code: with an isotropic prior there is for every model another one with $z' = Rz$ that has the same $p(x)$ and the same
# bound, but a mixed code. So the data and the loss cannot decide between them. What decides is an inductive bias: a diagonal
# q, the architecture, the data's own causes. Supervision came in through the choice: the MIG needs the true causes, and whoever
# takes the seed and the β with the best MIG has used labels. (Honest alternatives: a few labels to choose by, stated as such, or pairs of
# images that share a cause.)
#
# **Marking scheme.** 1 point: a right reading of the number and one thing it leaves open. 1 point: the scatter over seeds *and* choosing
# the best, with a remedy. 1 point: rotation (or another map that keeps the prior) leaves the loss unchanged, and labels were used to choose.

# %% [markdown]
# # Part E. Changing one thing in an image
#
# ## E1. Move one hidden value
#
# *Difficulty 1, 10 minutes, 1 point.*
#
# To see what a hidden value does, start from the code of a real image, set one hidden value to other values, and decode. `z` is
# one code, (M,), `dim` the number of a hidden value, from 0 to M − 1, and `values` (V,) says where it shall stand. Return the V codes, (V, M), in the
# order of `values`. They have the dtype of `z`, also where `values` comes in another one.


# %% solution="traverse"
def traverse(z, dim, values):
    """Codes in which hidden value `dim` has these values and all else is z: z (M,), values (V,) -> (V, M)."""
    ### BEGIN SOLUTION
    path = z.repeat(len(values), 1)
    path[:, dim] = values
    return path
    ### END SOLUTION


# %% tests="check-traverse" points=1
check(traverse)

# %% [markdown]
# ## E2. The direction of an attribute
#
# *Difficulty 3, 25 minutes, 3 points.*
#
# Smiles need no hidden value of their own. They may lie along a direction that is a bit of many. To find it, compare the codes of those
# who smile with the codes of those who do not, **like with like**: if most people with a hat have dark hair, a plain difference
# of means is a bit of hat and a bit of hair. So
#
# - a group is all points that agree in *every* column of `others`, (N, A), bool, $A \ge 1$;
# - in each group take the mean code of the points with the attribute minus the mean code of those without. `labels`, (N,), bool, says who
#   has it. A group that holds one kind only is left out; at least one holds both;
# - the vector is the plain mean over the groups that remain. A large group counts no more than a small one.
#
# `encode(x)` gives the codes of images: (N, D) to (N, M), float64, row by row. It is bent, so the code of a mean image
# is not the mean of the codes. The whole batch fits into one call of `encode`.


# %% solution="attribute_vector"
def attribute_vector(encode, x, labels, others):
    """Direction of an attribute in the code: x (N, D), labels (N,), others (N, A) -> (M,)."""
    ### BEGIN SOLUTION
    codes, found = encode(x), []
    _, group = torch.unique(others, dim=0, return_inverse=True)
    for g in range(int(group.max()) + 1):
        has, lacks = (group == g) & labels, (group == g) & ~labels
        if has.any() and lacks.any():
            found.append(codes[has].mean(dim=0) - codes[lacks].mean(dim=0))
    return torch.stack(found).mean(dim=0)
    ### END SOLUTION


# %% tests="check-attribute_vector" points=3
check(attribute_vector)

# %% [markdown]
# ## E3. Add an attribute to images
#
# *Difficulty 1, 10 minutes, 1 point.*
#
# Encode the images, add `strength` times the vector to each code, and decode. `encode` takes (N, D) to (N, M), `decode` takes (N, M) to (N, D),
# both float64 and row by row. The code that `encode` finds for a decoded image need not be the one it was decoded from. `vector` is (M,), and
# `strength` any number: a negative one takes the attribute off, and with 0 you get the plain reconstruction. Return images, (N, D).


# %% solution="apply_attribute"
def apply_attribute(encode, decode, x, vector, strength):
    """Images with an attribute added or taken off: x (N, D), vector (M,), a number -> (N, D)."""
    ### BEGIN SOLUTION
    return decode(encode(x) + strength * vector)
    ### END SOLUTION


# %% tests="check-apply_attribute" points=1
check(apply_attribute)

# %% [markdown]
# ## E4. Did the target move, and nothing else?
#
# *Difficulty 1, 10 minutes, 1 point.*
#
# Do not let the model judge itself. `probe` was trained without it, on real images: it takes images (N, D) and gives the probability of
# each of A attributes, (N, A). For images `before` and `after` an edit, row by row the same ones, return the mean change of each
# probability over the images, (A,): positive where the attribute came, negative where it went.


# %% solution="attribute_effect"
def attribute_effect(probe, before, after):
    """Mean change of each attribute's probability: two (N, D) -> (A,)."""
    ### BEGIN SOLUTION
    return (probe(after) - probe(before)).mean(dim=0)
    ### END SOLUTION


# %% tests="check-attribute_effect" points=1
check(attribute_effect)

# %% [markdown]
# **A lab with faces.** In these 2000 drawn faces, glasses and hats go together: who wears one mostly wears the other. The code is made of
# 80 principal components, and the probe is a logistic regression on the pixels of other, unbiased faces. The vector of the hat is
# computed twice: without looking at anything else, and balanced by your function. Both are added to faces without a hat.

# %% setup="attribute-lab"
from sklearn.linear_model import LogisticRegression

from course_lib.data import faces

with (
    when_answered(attribute_vector),
    when_answered(apply_attribute),
    when_answered(attribute_effect),
):
    generator = torch.Generator().manual_seed(0)
    has = torch.rand(2000, 6, generator=generator) < 0.5
    same = torch.rand(2000, generator=generator) < 0.9
    has[:, 1] = torch.where(same, has[:, 2], ~has[:, 2])  # glasses follow the hat
    biased, fair = faces(2000, attributes=has), faces(1000, seed=1)
    x, names = biased.flat().double(), biased.attribute_names
    torch.manual_seed(0)
    center, components = x.mean(dim=0), torch.pca_lowrank(x, 80, niter=2)[2]

    def encode(x):
        return (x - center) @ components

    def decode(z):
        return z @ components.T + center

    fair_x = fair.flat().double()
    judges = [
        LogisticRegression(C=0.03, max_iter=1000).fit(fair_x, fair.attributes[:, a])
        for a in range(6)
    ]

    def probe(x):
        weight = torch.stack([torch.from_numpy(judge.coef_[0]) for judge in judges])
        bias = torch.stack([torch.from_numpy(judge.intercept_)[0] for judge in judges])
        return torch.sigmoid(x @ weight.T.to(x) + bias.to(x))

    hat = names.index("hat")
    others = biased.attributes[:, [a for a in range(6) if a != hat]]
    codes, wears = encode(x), biased.attributes[:, hat]
    vectors = {
        "all against all": codes[wears].mean(dim=0) - codes[~wears].mean(dim=0),
        "balanced": attribute_vector(encode, x, wears, others),
    }
    test = faces(200, split="test", seed=2)
    bare = test.flat().double()[~test.attributes[:, hat]]
    figure, axes = plt.subplots(figsize=(6.4, 3.2))
    for shift, (name, vector) in zip((-0.2, 0.2), vectors.items(), strict=True):
        before = apply_attribute(encode, decode, bare, vector, 0.0)
        after = apply_attribute(encode, decode, bare, vector, 1.0)
        effect = attribute_effect(probe, before, after)
        axes.bar(torch.arange(6) + shift, effect, width=0.38, label=name)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set_xticks(range(6), names)
    axes.set_ylabel("change of probability")
    axes.legend(title="vector of the hat")

# %% [markdown]
# The same for six of the faces: as they were encoded, with the balanced vector, and with the other one. Watch the eyes.

# %% setup="attribute-pictures"
with (
    when_answered(attribute_vector),
    when_answered(apply_attribute),
    when_answered(attribute_effect),
):
    glasses = test.attributes[:, names.index("glasses")]
    shown = test.flat().double()[~test.attributes[:, hat] & ~glasses][:6]
    rows = [
        apply_attribute(encode, decode, shown, vectors["balanced"], strength)
        for strength in (0.0, 1.0)
    ]
    rows.append(apply_attribute(encode, decode, shown, vectors["all against all"], 1.0))
    figure, axes = plt.subplots(3, 6, figsize=(7, 3.7))
    for panels, row in zip(axes, rows, strict=True):
        for panel, picture in zip(panels, row, strict=True):
            panel.imshow(picture.reshape(3, 32, 32).permute(1, 2, 0).clamp(0, 1))
            panel.set_axis_off()
    for panels, name in zip(axes, ("encoded", "balanced", "all"), strict=True):
        panels[0].text(-4, 16, name, ha="right", va="center")

# %% [markdown]
# # Part F. From one face to another
#
# ## F1. Predict before you compute
#
# *1 point for a number from 0 to 1.*
#
# Draw two codes from the prior $\mathcal N(0, I)$ in M = 100 dimensions, independently. Walk on the straight line from one to the other
# and stop in the middle. How long is the code there, as a share of the typical length of a draw? You get the
# point for the commitment, not for being right.


# %% solution="predict_midpoint"
def predict_midpoint():
    """Your prediction: length of the middle over length of a draw, from 0 to 1."""
    ### BEGIN SOLUTION
    return 0.7
    ### END SOLUTION


# %% tests="check-predict_midpoint" points=1
check(predict_midpoint)

# %% [markdown]
# ## F2. Morph along the shell
#
# *Difficulty 3, 30 minutes, 3 points.*
#
# Draws from the prior lie near a shell, and the straight line leaves it. Spherical interpolation stays. Split each code into its
# length and its direction. With $u$ and $v$ the two directions and $\theta$ the angle between them, from 0 to $\pi$, the direction at $\tau$ is
#
# $$\frac{\sin\big((1 - \tau)\,\theta\big)}{\sin\theta}\, u + \frac{\sin(\tau\,\theta)}{\sin\theta}\, v$$
#
# and **the length changes evenly**, $(1 - \tau) \lvert z_0 \rvert + \tau \lvert z_1 \rvert$. Both codes have $M \ge 2$ values and are not zero; `tau` holds T
# numbers from 0 to 1, in any order, and T may be 1. Where the directions are the same, the direction stays. Where they are opposite, also along an axis,
# the path is half a circle in any one plane that contains both, at an even speed. Where they are only nearly the same or nearly opposite, by an
# angle of a thousandth, say, the formula holds and the path reaches $z_1$. The result is (T, M).


# %% solution="slerp"
def slerp(z0, z1, tau):
    """Codes on the way from z0 to z1, (M,) each, at the places tau (T,) -> (T, M)."""
    ### BEGIN SOLUTION
    u, v = z0 / z0.norm(), z1 / z1.norm()
    w = v - (u @ v) * u
    if w.norm() < 1e-9:  # parallel or opposite: any direction across u will do
        w = torch.zeros_like(u)
        w[u.abs().argmin()] = 1.0
        w = w - (u @ w) * u
    w = w / w.norm()
    angle = torch.arccos((u @ v).clamp(-1, 1))
    tau = tau[:, None]
    length = (1 - tau) * z0.norm() + tau * z1.norm()
    return length * (torch.cos(tau * angle) * u + torch.sin(tau * angle) * w)
    ### END SOLUTION


# %% tests="check-slerp" points=3
check(slerp)

# %% [markdown]
# **Look at it.** Thirty pairs of draws in 100 dimensions. The grey band holds 99.9 % of all draws. Compare with your prediction.

# %% setup="draw-shell"
with when_answered(slerp):
    generator = torch.Generator().manual_seed(0)
    pairs = torch.randn(30, 2, 100, generator=generator, dtype=torch.float64)
    lengths = torch.randn(20_000, 100, generator=generator).norm(dim=1)
    low, high = lengths.quantile(0.0005), lengths.quantile(0.9995)
    tau = torch.linspace(0, 1, 41, dtype=torch.float64)
    figure, axes = plt.subplots(figsize=(5.4, 3.3))
    axes.axhspan(low, high, color="0.88", label="draws from the prior")
    for number, (z0, z1) in enumerate(pairs):
        line = (1 - tau)[:, None] * z0 + tau[:, None] * z1
        ways = {"straight line": line, "slerp": slerp(z0, z1, tau)}
        for color, (name, way) in zip(("C1", "C0"), ways.items(), strict=True):
            label = None if number else name
            axes.plot(tau, way.norm(dim=1), color=color, linewidth=0.8, label=label)
    axes.set_xlabel("τ")
    axes.set_ylabel("length of the code")
    axes.set_ylim(3.5, 13.5)
    axes.legend(fontsize="small", loc="lower center", ncols=3)

# %% [markdown]
# # Part G. What no loss can see
#
# ## G1. Two models that no loss can tell apart
#
# *Difficulty 3, 30 minutes, 3 points.*
#
# You are given a trained VAE: for N images its $q(z \mid x_n)$, with the means `loc` (N, M) and the standard deviations `scale` (N, M), independent over the hidden values; its
# decoder, `decode(z)`, which takes codes (L, M) for any L and gives (L, D); and a rotation $R$, (M, M), with $R^\top R = I$.
# Build the model that calls $Rz$ what was called $z$. Here $z$ is a column; a code in an array is a row. Return three tensors:
#
# - the mean of the new $q(z \mid x_n)$, (N, M);
# - its covariance matrix, (N, M, M), which need not be diagonal any more;
# - what the new decoder gives for the codes in `z`, (L, D). These are codes **of the new model**.
#
# The check computes the ELBO of every image from what you return: it must stay, to $10^{-5}$ of its value. It also computes the mutual information gap
# of your code, for a rotation by 45° of a code that had every factor in a hidden value of its own. That falls from 1 to almost 0.


# %% solution="rotate_code"
def rotate_code(loc, scale, decode, rotation, z):
    """The same model with the code R z: mean (N, M), covariance (N, M, M), decoded z (L, D)."""
    ### BEGIN SOLUTION
    mean = loc @ rotation.T
    covariance = rotation @ torch.diag_embed(scale**2) @ rotation.T
    return mean, covariance, decode(z @ rotation)
    ### END SOLUTION


# %% tests="check-rotate_code" points=3
check(rotate_code)

# %% [markdown]
# **The impossibility lab.** A model whose two hidden values are its two factors, with five values each. Its posteriors are round, so
# the turned model is an ordinary VAE with a diagonal q as well. Its ELBO is the same for every image. Its hidden values mean nothing.

# %% setup="impossibility-lab"
with when_answered(rotate_code), when_answered(mig):
    generator = torch.Generator().manual_seed(0)
    ticks = torch.linspace(-1.4, 1.4, 5, dtype=torch.float64)
    factors = torch.cartesian_prod(torch.arange(5), torch.arange(5)).repeat(8, 1)
    loc = ticks[factors] + 0.05 * torch.randn(200, 2, generator=generator, dtype=torch.float64)
    scale = torch.full_like(loc, 0.15)
    weight = torch.randn(2, 8, generator=generator, dtype=torch.float64)
    x = loc @ weight + 0.3 * torch.randn(200, 8, generator=generator, dtype=torch.float64)

    def exact_elbo(loc, covariance, matrix):
        """ELBO of each image for the decoder N(z @ matrix, 0.3), without a draw: (N,)."""
        spread = torch.einsum("md,nmk,kd->n", matrix, covariance, matrix)
        error = (x - loc @ matrix).square().sum(dim=1) + spread
        distortion = error / (2 * 0.09) + 4 * math.log(2 * math.pi * 0.09)
        trace = covariance.diagonal(dim1=1, dim2=2).sum(dim=1)
        rate = 0.5 * (loc.square().sum(dim=1) + trace - 2 - torch.logdet(covariance))
        return -distortion - rate

    figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), sharex=True, sharey=True)
    start = exact_elbo(loc, torch.diag_embed(scale**2), weight)
    for degrees, panel in zip((0, 20, 45), axes, strict=True):
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        turn = torch.tensor([[cosine, -sine], [sine, cosine]], dtype=torch.float64)
        units = torch.eye(2, dtype=torch.float64)
        mean, covariance, matrix = rotate_code(loc, scale, lambda z: z @ weight, turn, units)
        change = (exact_elbo(mean, covariance, matrix) - start).abs().max()
        score = float(mig(mean, factors, 10))
        panel.scatter(*mean.T, c=factors[:, 0], s=9, cmap="viridis")
        panel.set_title(f"{degrees}°: MIG {score:.2f}")
        panel.set_xlabel("first hidden value")
        panel.set_aspect("equal")
        print(
            f"{degrees:2d}°: mean ELBO {exact_elbo(mean, covariance, matrix).mean():.4f} nats, "
            f"no image's changed by 1e-9: {bool(change < 1e-9)}, MIG {score:.3f}"
        )
    axes[0].set_ylabel("second hidden value")

# %% [markdown]
# ## G2. Why the bound cannot know
#
# *By hand, 25 minutes, 4 points, marked by a person.*
#
# A VAE has the prior $\mathcal N(0, I)$, an encoder $q(z \mid x)$ and a decoder $p(x \mid z)$. Let $R$ be an orthogonal matrix. The rotated model
# has the same prior, the decoder $p'(x \mid z') = p(x \mid R^\top z')$, and as its $q'(z' \mid x)$ the distribution of $z' = Rz$ for $z \sim q(z \mid x)$.
#
# 1. Show that the distortion and the rate of every image are the same in both models, and also $p(x)$. Say where you use that the prior is $\mathcal N(0, I)$.
# 2. Which objectives that look at images only could prefer one of the two? Conclude what follows for choosing the "disentangled" one without labels.
# 3. In practice q has a diagonal covariance. For which q is the rotated model still such a VAE? What does that mean for the argument, and for the
#    axes that trained VAEs find?

# %% [markdown] manual="derive-rotation" points=4
# **Model answer.** (1) Distortion: $\mathbb E_{q'(z' \mid x)}[-\log p'(x \mid z')] = \mathbb E_{q(z \mid x)}[-\log p(x \mid R^\top R z)] = \mathbb E_{q(z \mid x)}[-\log p(x \mid z)]$.
# Rate: the density of $z' = Rz$ is $q'(z' \mid x) = q(R^\top z' \mid x)$, because $|\det R| = 1$. The prior is $p(z') = (2\pi)^{-M/2} e^{-|z'|^2/2}$, which depends on the
# length only, and $|Rz| = |z|$. This is the one place where the prior enters. So
#
# $$\mathrm{KL}(q' \Vert p) = \mathbb E_{q'}\big[\log q(R^\top z' \mid x) - \log p(z')\big] = \mathbb E_q\big[\log q(z \mid x) - \log p(Rz)\big] = \mathbb E_q\big[\log q(z \mid x) - \log p(z)\big] = \mathrm{KL}(q \Vert p)$$
#
# In the same way $p'(x) = \int p(z')\, p(x \mid R^\top z')\, dz' = \int p(Rz)\, p(x \mid z)\, dz = p(x)$.
#
# (2) None: the two models give the same $p(x)$, and the same distortion and rate for every image and so for every β. Any objective that is computed from these has the same value. For each model in
# which every hidden value holds one factor there are others, such as a rotation by 45°, in which every hidden value mixes two, and nothing in the images tells them apart.
# What decides must come from elsewhere: from labels, from pairs of images that share a factor, or from the restrictions (the inductive biases) of architecture, of q and of the optimiser.
#
# (3) The rotated covariance $R\,\mathrm{diag}(\sigma^2)R^\top$ is diagonal for every $R$ if all $\sigma_m$ of an image are equal; otherwise only for permutations and reflections of axes, and for rotations among hidden values that have equal $\sigma_m$.
# So with a diagonal q the family of models is not closed under rotation, and the *bound* (not $p(x)$) may prefer some axes: those along which the exact posterior has its own axes.
# Locally these are principal directions of the decoder. That is an accident of the approximation, not knowledge of the factors: the axes it picks mean something if the factors happen to differ in how much they change the image.
#
# **Marking scheme.** 1 point: the distortion, by substitution. 1 point: the rate, with $|\det R| = 1$ and the roundness of the prior named. 1 point: no objective of images alone can decide, with the consequence
# (supervision or inductive bias). 1 point: equal variances (or permutations), and that a diagonal q breaks the symmetry of the bound but not of $p(x)$.
