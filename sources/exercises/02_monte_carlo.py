# %% [markdown]
# # Exercise 02 · Monte Carlo
#
# You compute $p(x)$ for the one model in which it is known, then estimate it in three ways as if it were not, and learn to
# tell a good estimate from a bad one. The lecture `lectures/02_monte_carlo.ipynb` explains every idea used here.
#
# **How it works.** Each exercise asks for one function.
#
# 1. Replace the line `raise NotImplementedError` by your answer and run the cell.
# 2. Run the cell below it, `check(your_function)`. It tries your function on fresh random inputs and says what it
#    found. Check as often as you like.
# 3. Stuck? Type `hint(your_function)` into a new cell. There are three hints: the principle, the place, and nearly
#    the code. The second and the third open after one more check each.
#
# **Rules.** Arrays come and go as torch tensors, in float64 unless a check says otherwise: give new tensors the type of
# the old ones, as in `torch.zeros(3, dtype=x.dtype)`. Counts, errors and standard deviations of noise are plain Python
# numbers; where one number is asked for, return a number or a tensor with one element. Do not change the arguments.
# Where a function gets a `generator`, take all randomness from it. Some functions get another function as an argument,
# such as a log-density: it takes tensors and gives a tensor, no gradient flows through it, and one call may ask for at
# most 20 000 numbers. The point is to write the functions yourself: `course_lib.monte_carlo` has them all, and cannot be
# imported while your notebook is graded.
#
# An answer that is right in ordinary cases and fails only at extreme inputs gets half the points.
#
# Each exercise states its difficulty (1 to 5), the minutes it takes, and its points. There are 42 points that are
# checked by the computer and 8 that a person marks.

# %% setup="imports"
import math

import matplotlib.pyplot as plt
import torch

from autograder import check, hint, when_answered
from course_lib import plots

plots.use_style()

# %% [markdown]
# ## Notation
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $x_n$ | `x` | (N, D) | observed point number n |
# | $z_s$ | `z` | (S, N, M) | hidden values: draw s for point n. The axis of the draws comes first |
# | $p(z)$ | | | prior, the standard normal $\mathcal N(0, I)$ in M dimensions |
# | $p(x, z)$ | `log_joint` | (S, N) | joint density $p(z)\, p(x \mid z)$ |
# | $p(x)$ | `log_marginal` | (N,) | marginal likelihood: $z$ integrated out |
# | $q(z)$ | `loc`, `scale_tril` | (N, M), (N, M, M) | proposal, a Gaussian for each point |
# | $w_s$ | `log_weights` | (S, N) | importance weight $p(x, z_s) / q(z_s)$ |
# | $\tilde w_s$ | | (S, N) | share of the draw: $w_s$ divided by the sum over the draws |
# | $\hat p(x)$ | | | an estimate of $p(x)$ |
#
# All logarithms are natural.

# %% [markdown]
# # Part A. What is exact
#
# ## A1. The logarithm of an average
#
# *Difficulty 2, 15 minutes, 3 points.*
#
# Every estimate in this unit is an average of densities, and every density is too small for a number, so you hold
# logarithms $a_s$ and need
#
# $$\log \frac1S \sum_{s=1}^{S} e^{a_s}$$
#
# The argument `a` has any shape, and `dim`, which may be negative, names the axis to average over; that axis is gone in
# the result. Your function must be right at $-1000$ and at $+1000$, also side by side, and have a gradient. An entry of
# $-\infty$ is a density of zero: it counts among the $S$. A row of nothing but $-\infty$ gives $-\infty$.


# %% solution="log_mean_exp"
def log_mean_exp(a, dim):
    """Logarithm of the mean of exp(a) along the axis `dim`."""
    ### BEGIN SOLUTION
    return torch.logsumexp(a, dim) - math.log(a.shape[dim])
    ### END SOLUTION


# %% tests="check-log_mean_exp" points=3
check(log_mean_exp)

# %% [markdown]
# ## A2. The one model whose evidence is known
#
# *Difficulty 2, 20 minutes, 4 points.*
#
# In the linear-Gaussian model a hidden vector is drawn, mapped, shifted, and noise is added:
#
# $$z \sim \mathcal N(0, I_M), \qquad x = W z + b + \sigma\,\varepsilon, \qquad \varepsilon \sim \mathcal N(0, I_D)$$
#
# Return the exact $\log p(x)$. Nothing is estimated: $x$ is a normal vector, and you need its mean and its covariance. The
# number `scale` is $\sigma$. There may be hundreds of dimensions, where the determinant of the covariance is zero in
# floating point while its logarithm is not.


# %% solution="exact_log_marginal"
def exact_log_marginal(x, weight, bias, scale):
    """Exact log p(x) in nats: x (N, D), weight (D, M), bias (D,), scale a number -> (N,)."""
    ### BEGIN SOLUTION
    covariance = weight @ weight.T + scale**2 * torch.eye(len(bias), dtype=x.dtype)
    return torch.distributions.MultivariateNormal(bias, covariance).log_prob(x)
    ### END SOLUTION


# %% tests="check-exact_log_marginal" points=4
check(exact_log_marginal)

# %% [markdown]
# # Part B. Guess anywhere
#
# ## B1. Uniform guesses
#
# *Difficulty 2, 20 minutes, 4 points. Uses A1.*
#
# Draw $z$ uniformly from a box of volume $V$ and average:
#
# $$p(x) \approx \hat p(x) = V \cdot \frac1S \sum_{s=1}^{S} p(x, z_s), \qquad z_s \sim \mathrm{Uniform}(\text{box})$$
#
# Return $\log \hat p(x)$. The box reaches from `low` to `high`, two tensors of shape (M,), one entry for each side.
# `log_joint(x, z)` takes `x` of shape (N, D) and `z` of shape (S, N, M), or (S, 1, M) for draws that all points share, and gives
# $\log p(x_n, z_{sn})$ of shape (S, N). Ask it about `num_samples` values of $z$ for each point, all at once or in pieces. Points
# may share draws or have their own. The draws come from `generator`, so that a seed repeats the answer.


# %% solution="naive_log_marginal"
def naive_log_marginal(x, log_joint, low, high, num_samples, generator):
    """Estimate of log p(x) by uniform draws: x (N, D), low (M,), high (M,) -> (N,)."""
    ### BEGIN SOLUTION
    u = torch.rand(num_samples, len(x), len(low), generator=generator, dtype=x.dtype)
    log_volume = (high - low).log().sum()
    return log_volume + log_mean_exp(log_joint(x, low + (high - low) * u), 0)
    ### END SOLUTION


# %% tests="check-naive_log_marginal" points=4
check(naive_log_marginal)

# %% [markdown]
# **Look at it.** Forty estimates for each number of draws, against the exact value. They scatter, they close in like
# $1/\sqrt S$, and while they are poor they are mostly too low. (What is too low for the frame is drawn at its edge.)

# %% setup="draw-naive"
from course_lib.linear_gaussian import LinearGaussian

with when_answered(naive_log_marginal):
    generator = torch.Generator().manual_seed(2)
    weight = torch.randn(4, 2, generator=generator, dtype=torch.float64)
    model = LinearGaussian(weight, torch.zeros(4, dtype=torch.float64), 0.5)
    point, _ = model.sample(1, generator=generator)
    exact = model.log_marginal(point).item()
    sides = torch.full((2,), 5.0, dtype=torch.float64)
    figure, axes = plt.subplots(figsize=(5.5, 3.6))
    for size in (30, 100, 300, 1000, 3000, 10_000):
        estimates = naive_log_marginal(
            point.expand(40, 4), model.log_joint, -sides, sides, size, generator
        )
        axes.plot([size] * 40, estimates.clamp(min=exact - 5), ".", color="C0", alpha=0.4)
    axes.axhline(exact, color="C1", label=f"exact: {exact:.2f} nats")
    axes.set(xscale="log", xlabel="number of draws S", ylabel="estimate of log p(x), nats")
    axes.legend(loc="lower right")

# %% [markdown]
# ## B2. Predict before you compute
#
# *1 point for a number from 0 to 10 000.*
#
# Draw 10 000 points from a standard normal distribution in **ten** dimensions, whose density is highest at the origin. How many
# of them lie within a distance of 1 from the origin? In one dimension about 6827 do. Commit to a number. You get the point
# for the commitment, not for being right.


# %% solution="predict_central_points"
def predict_central_points():
    """Your prediction: how many of 10 000 draws are within 1 of the origin, in ten dimensions."""
    ### BEGIN SOLUTION
    return 2
    ### END SOLUTION


# %% tests="check-predict_central_points" points=1
check(predict_central_points)

# %% [markdown]
# **Look at it.** The lengths of 10 000 draws in 1, 3, 10 and 100 dimensions.

# %% setup="draw-shells"
with when_answered(predict_central_points):
    predict_central_points()
    figure, axes = plt.subplots(figsize=(8, 3.2))
    for dim in (1, 3, 10, 100):
        lengths = torch.randn(10_000, dim, generator=torch.Generator().manual_seed(dim)).norm(dim=1)
        label = f"{dim} dimension{'s' * (dim > 1)}: {int((lengths < 1).sum())} within 1"
        axes.hist(lengths, bins=60, histtype="step", label=label)
    axes.set(xlabel="distance from the origin", ylabel="number of draws")
    axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))

# %% [markdown]
# ## B3. Predict the price of a dimension
#
# *1 point for a number from 1 to a million.*
#
# Now draw the guesses from the prior, and let each of M observed values be one hidden value plus noise with the standard deviation
# $\sigma = 0.1$. One hidden value more (and one observed value more): by which factor must the number of draws grow
# for the same relative error? Commit to a number; B4 computes it.


# %% solution="predict_extra_dimension"
def predict_extra_dimension():
    """Your prediction: the factor by which one more dimension multiplies the number of draws."""
    ### BEGIN SOLUTION
    return 12
    ### END SOLUTION


# %% tests="check-predict_extra_dimension" points=1
check(predict_extra_dimension)

# %% [markdown]
# ## B4. How many guesses a dimension costs
#
# *Difficulty 3, 25 minutes, 4 points.*
#
# In this model everything can be computed: $z \sim \mathcal N(0, I_M)$ and $x = z + \sigma \varepsilon$ with M values each. Draws from the prior
# give $\hat p(x) = \frac1S \sum_s p(x \mid z_s)$, an average of independent likelihoods. So its relative variance is
#
# $$\frac{\mathrm{Var}[\hat p(x)]}{p(x)^2} = \frac1S \left( \frac{\mathbb E[p(x \mid z)^2]}{p(x)^2} - 1 \right) = \frac{\rho^M - 1}{S}$$
#
# where the ratio is a product of M equal factors $\rho$ if every coordinate of $x$ has the typical size $x_m^2 = 1 + \sigma^2$. Return the number of
# draws $S$ for which the relative standard deviation of $\hat p(x)$ equals `relative_error`. `scale` is $\sigma$. Rounded up or not, 2 % off or
# not, is all the same. You need $\rho$: two integrals over one hidden number. They have closed forms, because the square of a normal
# density is a constant times a narrower one, and a fine grid does them as well.


# %% solution="samples_needed"
def samples_needed(latent_dim, relative_error, scale):
    """Draws from the prior for this relative error, at a typical x in `latent_dim` dimensions."""
    ### BEGIN SOLUTION
    x_sq = 1 + scale**2

    def normal(var):
        return math.exp(-x_sq / (2 * var)) / math.sqrt(2 * math.pi * var)

    second_moment = normal(1 + scale**2 / 2) / (2 * scale * math.sqrt(math.pi))
    rho = second_moment / normal(1 + scale**2) ** 2
    return (rho**latent_dim - 1) / relative_error**2
    ### END SOLUTION


# %% tests="check-samples_needed" points=4
check(samples_needed)

# %% [markdown]
# **Look at it.** The number of draws for a relative error of 10 %. The lines are straight on a logarithmic scale: every
# dimension multiplies.

# %% setup="draw-curse"
with when_answered(samples_needed):
    figure, axes = plt.subplots(figsize=(5.5, 3.6))
    dimensions = range(1, 13)
    for scale in (0.1, 0.3, 1.0):
        numbers = [float(samples_needed(dim, 0.1, scale)) for dim in dimensions]
        axes.plot(
            dimensions,
            numbers,
            "o-",
            label=f"σ = {scale:g}: a factor of {numbers[-1] / numbers[-2]:.1f}",
        )
    axes.set(yscale="log", xlabel="number of hidden values M", ylabel="number of draws S")
    axes.legend()

# %% [markdown]
# # Part C. Guess where it counts
#
# ## C1. Importance sampling
#
# *Difficulty 3, 30 minutes, 5 points. Uses A1.*
#
# Draw from a proposal $q$ that you choose, and correct for it:
#
# $$\hat p(x) = \frac1S \sum_{s=1}^{S} w_s, \qquad w_s = \frac{p(x \mid z_s)\, p(z_s)}{q(z_s)}, \qquad z_s \sim q$$
#
# The proposal of point $n$ is a Gaussian with mean `loc[n]` and covariance $L_n L_n^\top$, where $L_n$ is `scale_tril[n]`, lower triangular with a
# positive diagonal. You are given the noise, so that the answer can be repeated: the draws are $z_{sn} = \mu_n + L_n\, \varepsilon_{sn}$ with
# `noise[s, n]` as $\varepsilon_{sn}$. `log_likelihood(x, z)` gives $\log p(x_n \mid z_{sn})$ of shape (S, N); the prior $p(z)$ is the standard normal and is
# yours to add. Return $\log \hat p(x)$ for each point.
#
# Two tests are built in. With the exact posterior as $q$ every weight equals $p(x)$, so a single draw gives the exact answer. With
# the prior as $q$ the weights are the likelihoods.


# %% solution="importance_log_marginal"
def importance_log_marginal(x, log_likelihood, loc, scale_tril, noise):
    """Estimate of log p(x): x (N, D), loc (N, M), scale_tril (N, M, M), noise (S, N, M) -> (N,)."""
    ### BEGIN SOLUTION
    z = loc + (scale_tril @ noise[..., None])[..., 0]
    log_prior = (-0.5 * z**2 - 0.5 * math.log(2 * math.pi)).sum(dim=-1)
    log_q = torch.distributions.MultivariateNormal(loc, scale_tril=scale_tril).log_prob(z)
    return log_mean_exp(log_likelihood(x, z) + log_prior - log_q, 0)
    ### END SOLUTION


# %% tests="check-importance_log_marginal" points=5
check(importance_log_marginal)

# %% [markdown]
# ## C2. How many draws were worth something
#
# *Difficulty 2, 15 minutes, 3 points.*
#
# If one weight is as large as all others together, a thousand draws are worth little more than one. The effective sample
# size counts them (Kong 1992):
#
# $$\mathrm{ESS} = \frac{1}{\sum_s \tilde w_s^2}, \qquad \tilde w_s = \frac{w_s}{\sum_{s'} w_{s'}}$$
#
# The log weights may lie anywhere, near $-1000$ or $+1000$ too, and may be $-\infty$.


# %% solution="effective_sample_size"
def effective_sample_size(log_weights):
    """Effective sample size of each point's draws: log_weights (S, N) -> (N,)."""
    ### BEGIN SOLUTION
    return 1 / torch.softmax(log_weights, dim=0).square().sum(dim=0)
    ### END SOLUTION


# %% tests="check-effective_sample_size" points=3
check(effective_sample_size)

# %% [markdown]
# ## C3. The weights you have not seen
#
# *Difficulty 4, 35 minutes, 4 points.*
#
# The ESS judges the weights that you have. A proposal that is too narrow gives nearly equal weights, and once in a million draws an
# enormous one. What tells you is the tail: how fast do the largest weights thin out? Above a high threshold, the excess $y$ of a weight
# follows a generalised Pareto distribution, of which only the shape $k$ matters:
#
# $$p(y) = \frac1\sigma \left( 1 + \frac{k\, y}{\sigma} \right)^{-1/k - 1}, \qquad y \ge 0$$
#
# With $k > \frac12$ the weights have no variance, with $k > 1$ no mean; in practice an estimate with $k > 0.7$ should not be trusted (Vehtari
# et al. 2024). A negative $k$ is a tail that ends.
#
# Take as the tail the $T = \lceil \min(S/5,\, 3\sqrt S) \rceil$ largest weights, and as the threshold the largest weight outside the tail. (Another
# T of a similar size is accepted.) Fit $k$ and $\sigma$ to the T excesses by a method of your choice: maximum likelihood, or the quick and good one of Zhang and Stephens (2009),
# which the hints spell out. The check gives you 4000 weights whose tail has a known $k$ from $-0.3$ to $0.95$, and wants
# yours within 0.1 of it (within 0.2 for $k = 0.95$, and within 0.3 for a hundred weights). The log weights may lie near
# $-1000$ or $+1000$; none is $-\infty$. If all weights are equal there is no tail: return no positive number (−∞ will do).


# %% solution="pareto_k"
def pareto_k(log_weights):
    """Shape of the tail of the weights: log_weights (S,) -> a number."""
    ### BEGIN SOLUTION
    weights = (log_weights - log_weights.max()).exp().sort().values
    size = math.ceil(min(len(weights) / 5, 3 * math.sqrt(len(weights))))
    excess = weights[-size:] - weights[-size - 1]
    if excess[-1] <= 0:
        return -math.inf
    count = 30 + int(math.sqrt(size))
    place = torch.arange(1, count + 1, dtype=weights.dtype) - 0.5
    quartile = excess[int(size / 4 + 0.5) - 1]
    b = 1 / excess[-1] + (1 - (count / place).sqrt()) / (3 * quartile)
    k = torch.log1p(-b[:, None] * excess).mean(dim=1)
    log_profile = size * ((-b / k).log() - k - 1)
    b_best = (torch.softmax(log_profile, dim=0) * b).sum()
    return torch.log1p(-b_best * excess).mean()
    ### END SOLUTION


# %% tests="check-pareto_k" points=4
check(pareto_k)

# %% [markdown]
# **Look at it.** The target is a standard normal, the proposal a normal with another width, and each curve is a run of 300
# draws. Where the proposal is too narrow, the runs disagree about the ESS: most of them have not met the large weights, and report
# a healthy number. The tail gives the danger away more reliably: $k$ is high in nearly every run. Where the proposal is too wide, all runs agree on the
# draws that are wasted, and $k$ is negative.

# %% setup="draw-diagnostics"
with when_answered(effective_sample_size), when_answered(pareto_k):
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(300, 8, generator=generator, dtype=torch.float64)  # 8 runs
    widths = [width / 20 for width in range(6, 41) if width != 20]
    weights = [0.5 * noise**2 - 0.5 * (width * noise) ** 2 + math.log(width) for width in widths]
    sizes = torch.stack([effective_sample_size(run) for run in weights])
    shapes = torch.tensor([[float(pareto_k(column)) for column in run.T] for run in weights])
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.2))
    left.plot(widths, sizes, color="C0", alpha=0.5)
    left.set(xlabel="width of the proposal (target: 1)", ylabel="effective sample size, of 300")
    right.plot(widths, shapes, color="C0", alpha=0.5)
    right.axhline(0.7, color="C1", label="not to be trusted above 0.7")
    right.set(xlabel="width of the proposal (target: 1)", ylabel="Pareto k")
    right.legend()

# %% [markdown]
# ## C4. The best Gaussian proposal
#
# *Difficulty 4, 35 minutes, 5 points.*
#
# One hidden number, one observed number, and a bent decoder $g$:
#
# $$z \sim \mathcal N(0, 1), \qquad x = g(z) + \sigma\,\varepsilon, \qquad \varepsilon \sim \mathcal N(0, 1)$$
#
# The posterior is not Gaussian: it may have one long tail, or two peaks. Among all Gaussian proposals, find the one whose weights
# vary least. The mean weight is $p(x)$ for every $q$, so this is the one with the smallest second moment
#
# $$\mathbb E_q[w^2] = \int \frac{p(x, z)^2}{q(z)}\, dz$$
#
# Return its mean and its standard deviation, `(loc, scale)`. `x` and `scale` (which is $\sigma$) are plain numbers. `decoder` takes a tensor of shape (G,) and
# gives $g$ at each of its entries; it is smooth, finite for $|z| \le 10$, and the posterior lies between −6 and 6. The check wants the relative variance of your weights within 5 % of the
# smallest possible one, plus 0.005.


# %% solution="best_gaussian_proposal"
def best_gaussian_proposal(x, decoder, scale):
    """Mean and standard deviation of the Gaussian proposal whose weights vary least."""
    ### BEGIN SOLUTION
    z = torch.linspace(-8, 8, 1601, dtype=torch.float64)
    log_p = -0.5 * z**2 - 0.5 * ((x - decoder(z)) / scale) ** 2
    p = torch.softmax(log_p, dim=0)
    mean = (p * z).sum()
    std = (p * (z - mean) ** 2).sum().sqrt()
    theta = torch.stack([mean, (1.2 * std).log()]).requires_grad_()
    optimiser = torch.optim.LBFGS([theta], max_iter=200, line_search_fn="strong_wolfe")

    def log_second_moment():
        optimiser.zero_grad()
        log_q = -0.5 * ((z - theta[0]) / theta[1].exp()) ** 2 - theta[1]
        value = torch.logsumexp(2 * log_p - log_q, dim=0)
        value.backward()
        return value

    optimiser.step(log_second_moment)
    return theta[0].item(), theta[1].exp().item()
    ### END SOLUTION


# %% tests="check-best_gaussian_proposal" points=5
check(best_gaussian_proposal)

# %% [markdown]
# **Look at it.** A posterior with two peaks, your proposal, and the Gaussian that sits on the higher peak with its curvature.

# %% setup="draw-proposal"
with when_answered(best_gaussian_proposal):
    z = torch.linspace(-4, 4, 801, dtype=torch.float64)
    log_p = -0.5 * z**2 - 0.5 * ((1.8 - 0.9 * z**2 - 0.4 * z) / 0.5) ** 2
    posterior = torch.softmax(log_p, dim=0) / 0.01
    loc, scale = (
        float(value) for value in best_gaussian_proposal(1.8, lambda z: 0.9 * z**2 + 0.4 * z, 0.5)
    )
    top = int(log_p.argmax())
    curvature = (2 * log_p[top] - log_p[top - 1] - log_p[top + 1]).item() / 0.01**2
    figure, axes = plt.subplots(figsize=(5.5, 3.4))
    axes.plot(z, posterior, color="black", label="posterior")
    for mean, width, name in (
        (loc, scale, "your proposal"),
        (z[top].item(), curvature**-0.5, "on one peak"),
    ):
        axes.plot(z, torch.distributions.Normal(mean, width).log_prob(z).exp(), "--", label=name)
    axes.set(xlabel="hidden value z", ylabel="density")
    axes.legend()

# %% [markdown]
# ## C5. Evidence and posterior are one problem
#
# *In words and by hand, 15 minutes, 4 points, marked by a person.*
#
# (a) Show in one line that with $q(z) = p(z \mid x)$ every importance weight equals $p(x)$. (b) So one draw would be enough. Why does this
# not solve the problem of computing $p(x)$? (c) Compute the variance of the weights under any $q$ and show that it is zero only if $q$ is the
# posterior. (d) Say in one sentence which of two proposals you prefer, and why: one with 0.7 times the standard deviation of the posterior or one with 1.5 times.

# %% [markdown] manual="explain-perfect-proposal" points=4
# **Model answer.** (a) $w = p(x, z) / p(z \mid x) = p(x)$ by the definition of the conditional density, for every $z$ with $p(z \mid x) > 0$.
#
# (b) To draw from the posterior and to evaluate its density you need $p(z \mid x) = p(x, z) / p(x)$, which contains the unknown $p(x)$. Who knows the
# normalised posterior knows the evidence, and the other way round: they are one problem. What helps is a $q$ that is near the posterior and
# whose own normaliser is known.
#
# (c) The mean weight is $\mathbb E_q[w] = \int p(x, z)\, dz = p(x)$ if $q > 0$ wherever $p(x, z) > 0$. So
#
# $$\mathrm{Var}_q[w] = \int \frac{p(x,z)^2}{q(z)}\,dz - p(x)^2 = \mathbb E_q\big[(w - p(x))^2\big]$$
#
# This is an average of squares. It is zero only if $w = p(x)$ wherever $q > 0$, that is $q(z) = p(x, z) / p(x) = p(z \mid x)$.
#
# (d) The wide one: its weights are bounded, so the price is a known loss of draws. With the narrow one the ratio $p/q$ grows without bound in the tails
# (for a Gaussian posterior the variance is infinite below a factor of $1/\sqrt2 \approx 0.707$), and the draws that would show it hardly ever come.
#
# **Marking scheme.** 1 point for each part. (a) The quotient is written and simplified. (b) Names the circle: the posterior's density contains $p(x)$. (c) Mean
# weight is $p(x)$, and zero variance forces a constant weight. (d) Wide, with the reason that narrow proposals have unbounded weights
# (or an infinite variance); the factor $1/\sqrt2$ is not required.

# %% [markdown]
# # Part D. The logarithm is biased
#
# ## D1. Derive the bias
#
# *By hand, 20 minutes, 4 points, marked by a person.*
#
# Let $w_1, \dots, w_S$ be independent weights with $\mathbb E[w_s] = p(x)$ and variance $v$, and let $\hat p = \frac1S \sum_s w_s$. (a) Show that $\hat p$ is
# unbiased, and find its variance. (b) Show that $\mathbb E[\log \hat p] \le \log p(x)$, and say when both are equal. (c) Expand the logarithm to second order
# around $p(x)$ and show that the bias of $\log \hat p$ is about $-\dfrac{v}{2\, S\, p(x)^2}$. (d) Find the standard deviation of $\log \hat p$ in the same way, and compare it with the
# bias: which of the two matters more when $S$ is large?

# %% [markdown] manual="derive-log-bias" points=4
# **Model answer.** (a) By linearity $\mathbb E[\hat p] = \frac1S \sum_s \mathbb E[w_s] = p(x)$. By independence $\mathrm{Var}[\hat p] = \frac{1}{S^2} \sum_s v = v / S$.
#
# (b) The logarithm is concave, so Jensen's inequality gives $\mathbb E[\log \hat p] \le \log \mathbb E[\hat p] = \log p(x)$. The logarithm is strictly concave,
# so both are equal only if $\hat p$ does not vary, that is $v = 0$: all weights equal, $q$ the posterior.
#
# (c) Write $\hat p = p\,(1 + \delta)$ with $\mathbb E[\delta] = 0$ and $\mathbb E[\delta^2] = v / (S p^2)$. Then $\log \hat p = \log p + \delta - \tfrac12 \delta^2 + O(\delta^3)$, and the mean is
#
# $$\mathbb E[\log \hat p] \approx \log p - \tfrac12\, \mathbb E[\delta^2] = \log p - \frac{v}{2\,S\,p^2}$$
#
# (d) To first order $\log \hat p - \log p \approx \delta$, so the standard deviation is $\sqrt{v} / (\sqrt S\, p)$. Call it $e$. The bias is $-e^2/2$: it falls like $1/S$, the scatter like
# $1/\sqrt S$. For large $S$ the scatter of one estimate matters more; but averaging over many points or repetitions removes the scatter and leaves the bias.
#
# **Marking scheme.** 1 point for each part. (a) Mean and variance, with independence named for the variance. (b) Jensen in the right direction, and the case of
# equality. (c) Second-order expansion, with the mean of the linear term zero. (d) Standard deviation, and the comparison $1/\sqrt S$ against $1/S$.

# %% [markdown]
# ## D2. Measure the bias
#
# *Difficulty 2, 20 minutes, 3 points. Uses A1.*
#
# `log_weights` of shape (R, S_max) holds R repetitions of the same experiment, one for each row. For each number $S$ in the list `num_samples`, take the same S
# columns of all rows, for instance the first S, and compute $\log \hat p$ of the row. Average $\log \hat p$ over the rows and subtract the true
# `log_marginal`, a number. Return the biases as a tensor, in the order of `num_samples`. No entry of `num_samples` is above S_max.


# %% solution="log_bias_curve"
def log_bias_curve(log_weights, log_marginal, num_samples):
    """Bias of log p̂ in nats for each number of draws: log_weights (R, S_max) -> (len(num_samples),)."""
    ### BEGIN SOLUTION
    means = [log_mean_exp(log_weights[:, :count], 1).mean() for count in num_samples]
    return torch.stack(means) - log_marginal
    ### END SOLUTION


# %% tests="check-log_bias_curve" points=3
check(log_bias_curve)

# %% [markdown]
# **Look at it.** Weights that follow an exponential distribution with the mean one. The exact bias is known here,
# $\mathrm{digamma}(S) - \log S$, and for many draws it tends to the line $-1/(2S)$ of D1.

# %% setup="draw-bias"
with when_answered(log_bias_curve):
    generator = torch.Generator().manual_seed(7)
    draws = torch.empty(20_000, 128, dtype=torch.float64).exponential_(generator=generator)
    sizes = [1, 2, 4, 8, 16, 32, 64, 128]
    curve = log_bias_curve(draws.log(), 0.0, sizes)
    size = torch.tensor(sizes, dtype=torch.float64)
    figure, axes = plt.subplots(figsize=(5.5, 3.4))
    error = (torch.special.polygamma(1, size) / len(draws)).sqrt()
    axes.errorbar(sizes, -curve, 2 * error, fmt="o", label="measured, ± 2 standard errors")
    axes.plot(sizes, size.log() - torch.digamma(size), color="black", label="exact")
    axes.plot(sizes, 1 / (2 * size), "--", label="1 / 2S")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="number of draws S",
        ylabel="minus the bias of log p̂, nats",
    )
    axes.legend()

# %% [markdown]
# # Part E. The half-hidden image
#
# ## E1. Complete it
#
# *Difficulty 3, 30 minutes, 5 points.*
#
# You see half of an image and want the other half: not one answer, but samples of what it may be. The tools are all here. Draw many latents from the prior
# and decode them into `guesses`, whole images, of shape (S, D). Weight each guess by the likelihood of what you **see**, with independent normal noise of
# standard deviation `scale` on each pixel:
#
# $$w_s \propto \exp\Big( -\frac{1}{2\sigma^2} \sum_{d \text{ visible}} (x_d - \hat x_{sd})^2 \Big)$$
#
# Then resample: draw `num_completions` guesses with replacement, each with the probability $\tilde w_s$, all by `generator`. A completion has the visible pixels of `x`, unchanged,
# and the hidden pixels of its guess, without further noise. `mask` is True where a pixel is visible. The hidden entries of `x` are NaN, so that
# they cannot help you. The likelihoods may be tiny, and there may be no visible pixel, or no hidden one.


# %% solution="complete_image"
def complete_image(x, mask, guesses, scale, num_completions, generator):
    """Completions of x (D,), seen where mask (D,) is True, from guesses (S, D) -> (num_completions, D)."""
    ### BEGIN SOLUTION
    log_weights = -0.5 * ((x[mask] - guesses[:, mask]) / scale).square().sum(dim=-1)
    shares = torch.softmax(log_weights, dim=0)
    chosen = torch.multinomial(shares, num_completions, replacement=True, generator=generator)
    return torch.where(mask, x, guesses[chosen])
    ### END SOLUTION


# %% tests="check-complete_image" points=5
check(complete_image)

# %% [markdown]
# **Look at it.** Handwritten digits, a linear-Gaussian model with five hidden values fitted to 1500 of them, and 20 000 guesses from its prior. For each digit: the
# truth, what is visible, four completions, and the average image. The numbers compare the mean completion and the average
# image with the hidden truth.

# %% setup="draw-completions"
with when_answered(complete_image):
    from course_lib.data import digits
    from course_lib.linear_gaussian import fit_maximum_likelihood

    images, _ = digits()
    model = fit_maximum_likelihood(images[:1500], 5)
    generator = torch.Generator().manual_seed(11)
    latents = torch.randn(20_000, 5, generator=generator, dtype=images.dtype)
    guesses = latents @ model.weight.T + model.bias
    mask = torch.arange(64) < 32
    figure, axes = plt.subplots(3, 7, figsize=(8.5, 4), layout="constrained")
    errors = []
    for row, index in zip(axes, (1501, 1527, 1612), strict=True):
        truth = images[index]
        seen = truth.where(mask, math.nan)
        rows = complete_image(seen, mask, guesses, model.scale.item(), 200, generator)
        errors.append(
            [(image - truth)[~mask].square().mean().item() for image in (rows.mean(0), model.bias)]
        )
        for panel, image in zip(row, [truth, seen, *rows[:4], model.bias], strict=True):
            panel.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
            panel.axis("off")
    for panel, title in zip(
        axes[0], ["truth", "visible", "", "completions", "", "", "average"], strict=True
    ):
        panel.set_title(title, fontsize="small")
    for index, (completed, average) in zip((1501, 1527, 1612), errors, strict=True):
        print(
            f"digit {index}: squared error for each hidden pixel {completed:.3f}, of the average image {average:.3f}"
        )

# %% [markdown]
# # What you built
#
# The evidence is an integral over what you cannot see. Guessing anywhere works in one dimension and dies in ten. Guessing where it counts works as long as
# the proposal covers the posterior, and two numbers warn you when it does not. The best proposal is the posterior itself, which you do not have.
# Unit 03 turns this round: it *learns* the proposal, by making the biased logarithm as large as it can be.
