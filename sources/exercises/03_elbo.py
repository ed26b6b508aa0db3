# %% [markdown]
# # Exercise 03 · The evidence lower bound
#
# You measure what Jensen's inequality costs, write the bound in three forms and see that what it lacks is a divergence.
# Then you climb it by gradient, with two estimators of that gradient, and come back to importance sampling by a bound
# that closes the gap. The lecture `lectures/03_elbo.ipynb` explains every idea used here.
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
# the old ones, as in `torch.zeros(3, dtype=x.dtype)`. Where one number is asked for, return a number or a tensor with one
# element. Do not change the arguments. Where an argument is a function, it takes tensors and gives tensors, and no
# gradient flows through it. Ask it for many draws at once, as a tensor, but for at
# most 20 000 numbers in one call. All randomness comes from the arguments: from noise that you are given, or from `generator`.
# The point is to write the functions yourself: `course_lib.variational` has them all, and cannot be imported while your
# notebook is graded. `torch.distributions` is there for you to use.
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

# %% [markdown]
# ## Notation
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $x_n$ | `x` | (N, D) | observed point number n |
# | $z$ | `z` | (…, M) | the hidden variable: M numbers, or one of K kinds |
# | $q(z)$ | `loc`, `log_scale` or `scale_tril` | | the distribution used in place of the posterior |
# | $\mu$, $\sigma$ | `loc`, `log_scale` | (M,) | its mean, and the **logarithm** of its standard deviations |
# | $L$ | `scale_tril` | (M, M) | lower triangular with a positive diagonal, $LL^\top = \Sigma$ |
# | $\varepsilon$ | `noise` | (…, M) | standard normal noise |
# | $w_s$ | `log_weights` | (S, N) | importance weight $p(x, z_s)/q(z_s)$, as a logarithm |
# | $W$, $b$, $\sigma$ | `weight`, `bias`, `scale` | (D, M), (D,), number | the linear-Gaussian model: $z \sim \mathcal N(0, I)$, $x \mid z \sim \mathcal N(Wz + b, \sigma^2 I)$ |
#
# S counts draws, and B counts independent repeats of the same estimate. All logarithms are natural: everything is in nats.

# %% [markdown]
# # Part A. Jensen's inequality
#
# ## A1. Predict before you compute
#
# *1 point for a number from 0 to 50.*
#
# The logarithm of a weight $w$ is normal with a standard deviation of 2 nats. How many nats is the mean of $\log w$ below
# the logarithm of the mean of $w$? You get the point for the commitment, not for being right.


# %% solution="predict_jensen_gap"
def predict_jensen_gap():
    """Your prediction: log E[w] - E[log w], in nats."""
    ### BEGIN SOLUTION
    return 2.0
    ### END SOLUTION


# %% tests="check-predict_jensen_gap" points=1
check(predict_jensen_gap)

# %% [markdown]
# ## A2. Measure the gap
#
# *Difficulty 1, 10 minutes, 2 points.*
#
# For a list of samples, the gap of a function $f$ says by how much the function of the mean exceeds the mean of the function:
#
# $$f\Big(\frac1S \sum_s t_s\Big) - \frac1S \sum_s f(t_s)$$
#
# It is positive where $f$ is concave, as the logarithm, and negative where it is convex. Keep the sign. The argument `f`
# acts on every entry of a tensor of any shape.


# %% solution="jensen_gap"
def jensen_gap(f, samples):
    """f of the mean minus the mean of f: samples (S,) -> one number."""
    ### BEGIN SOLUTION
    return f(samples.mean()) - f(samples).mean()
    ### END SOLUTION


# %% tests="check-jensen_gap" points=2
check(jensen_gap)

# %% [markdown]
# **Look at it.** The gap of the logarithm grows with the spread of $\log w$, here next to the answer of A1.

# %% setup="draw-jensen"
with when_answered(jensen_gap):
    noise = torch.randn(200_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    spreads = torch.linspace(0.0, 2.0, 21, dtype=torch.float64)
    gaps = [float(jensen_gap(torch.log, torch.exp(spread * noise))) for spread in spreads]
    figure, axes = plt.subplots(figsize=(5, 3.2))
    axes.plot(spreads, 0.5 * spreads**2, label="half the squared spread")
    axes.plot(spreads, gaps, "o", markersize=4, label="measured on 200 000 draws")
    axes.set_xlabel("standard deviation of log w [nats]")
    axes.set_ylabel("gap [nats]")
    axes.legend()

# %% [markdown]
# ## A3. Put the derivation in order
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# The derivation of the bound has eight lines. They are shuffled here, among five lines that do not belong to it. Some lines have the same
# value, so numbers alone do not settle the order: ask which line follows from which by one rule.
#
# | | line | | line |
# |---|---|---|---|
# | 1 | $\log \mathbb E_q\big[p(x, z)/q(z)\big]$ | 8 | $\log \sum_z p(x, z)$ |
# | 2 | $\mathbb E_q[\log p(x \mid z)] + \mathrm{KL}(q \Vert p(z))$ | 9 | $\mathbb E_q[\log p(x \mid z)] - \mathrm{KL}(q \Vert p(z))$ |
# | 3 | $\mathbb E_q[\log p(x \mid z)] + \mathbb E_q[\log p(z)] - \mathbb E_q[\log q(z)]$ | 10 | $\mathbb E_q[\log p(x, z)] + \mathbb E_q[\log q(z)]$ |
# | 4 | $\log p(x)$ | 11 | $\log \sum_z q(z)\, p(x, z)/q(z)$ |
# | 5 | $\mathbb E_q\big[\log (p(x, z)/q(z))\big]$ | 12 | $\mathbb E_q[\log p(x, z)] - \mathbb E_q[\log q(z)]$ |
# | 6 | $\log \mathbb E_q[p(x, z)]$ | 13 | $\sum_z \log p(x, z)$ |
# | 7 | $\mathbb E_q[\log p(x \mid z)] - \mathrm{KL}(p(z) \Vert q)$ | | |
#
# Choose the eight and order them so that each follows from the one before it, by these reasons, given in the right order:
#
# 1. where you start;
# 2. the hidden variable is summed out;
# 3. multiplied and divided by $q(z)$;
# 4. a sum with the weights $q(z)$ is a mean under $q$;
# 5. Jensen's inequality;
# 6. the logarithm of a quotient is a difference;
# 7. the joint is the likelihood times the prior;
# 8. two of the means are a divergence.
#
# Every line is a number as soon as the model is one with numbers. The cell computes all thirteen for a hidden variable with
# three values.

# %% setup="thirteen-lines"
prior = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
likelihood = torch.tensor([0.02, 0.30, 0.10], dtype=torch.float64)
q = torch.tensor([0.25, 0.45, 0.30], dtype=torch.float64)
joint = prior * likelihood


def mean_q(values):
    return (q * values).sum()


lines = {
    1: mean_q(joint / q).log(),
    2: mean_q(likelihood.log()) + mean_q((q / prior).log()),
    3: mean_q(likelihood.log()) + mean_q(prior.log()) - mean_q(q.log()),
    4: (prior @ likelihood).log(),
    5: mean_q((joint / q).log()),
    6: mean_q(joint).log(),
    7: mean_q(likelihood.log()) - (prior * (prior / q).log()).sum(),
    8: joint.sum().log(),
    9: mean_q(likelihood.log()) - mean_q((q / prior).log()),
    10: mean_q(joint.log()) + mean_q(q.log()),
    11: (q * joint / q).sum().log(),
    12: mean_q(joint.log()) - mean_q(q.log()),
    13: joint.log().sum(),
}
for number, value in lines.items():
    print(f"line {number:2d}: {value:.4f}")

# %% [markdown]
# Return the eight numbers as a list.


# %% solution="order_derivation"
def order_derivation():
    """The numbers of the eight lines, in order, as a list."""
    ### BEGIN SOLUTION
    return [4, 8, 11, 1, 5, 12, 3, 9]
    ### END SOLUTION


# %% tests="check-order_derivation" points=2
check(order_derivation)

# %% [markdown]
# # Part B. The bound
#
# ## B1. The divergence of two Gaussians
#
# *Difficulty 2, 15 minutes, 3 points.*
#
# Write $\mathrm{KL}(q \Vert p)$ for Gaussians with independent coordinates, in closed form, for each point:
#
# $$\mathrm{KL}(q \Vert p) = \sum_m \left[ \frac{\sigma_{q,m}^2 + (\mu_{q,m} - \mu_{p,m})^2}{2\sigma_{p,m}^2} - \frac12 + \log \sigma_{p,m} - \log\sigma_{q,m} \right]$$
#
# The arguments hold $\log\sigma$, between −20 and 20. That is not $\log\sigma^2$, and the difference cannot be seen where it
# is zero: at $\mu_q = 0$, $\log\sigma_q = 1$ against a standard normal the value is 2.1945.


# %% solution="gaussian_kl"
def gaussian_kl(loc_q, log_scale_q, loc_p, log_scale_p):
    """KL(q || p) in nats: four tensors (N, M) -> (N,)."""
    ### BEGIN SOLUTION
    log_ratio = log_scale_q - log_scale_p
    shift = (loc_q - loc_p) / torch.exp(log_scale_p)
    return (0.5 * (torch.exp(2 * log_ratio) + shift**2 - 1) - log_ratio).sum(dim=-1)
    ### END SOLUTION


# %% tests="check-gaussian_kl" points=3
check(gaussian_kl)

# %% [markdown]
# ## B2. One bound, three forms
#
# *Difficulty 3, 25 minutes, 4 points.*
#
# If the hidden variable has K values, every mean is a sum and nothing is estimated. Compute the bound of each point three
# times:
#
# $$\begin{aligned} \mathcal L(q) &= \mathbb E_q[\log p(x, z)] + \mathrm H(q) \\ &= \mathbb E_q[\log p(x \mid z)] - \mathrm{KL}(q \Vert p(z)) \\ &= \log p(x) - \mathrm{KL}(q \Vert p(z \mid x)) \end{aligned}$$
#
# Each form from its own ingredients: they must agree to a millionth of a nat. `log_prior` is normalised, the rows of `q`
# sum to one and may hold zeros ($0 \log 0 = 0$), and the log-likelihoods may lie anywhere between −2000 and 2000. Return
# three tensors as a tuple, in this order.


# %% solution="elbo_three_ways"
def elbo_three_ways(log_prior, log_likelihood, q):
    """The bound in three forms: log_prior (K,), log_likelihood (N, K), q (N, K) -> three of (N,)."""
    ### BEGIN SOLUTION
    log_joint = log_prior + log_likelihood
    log_evidence = torch.logsumexp(log_joint, dim=-1)
    log_posterior = log_joint - log_evidence[:, None]
    neg_entropy = torch.xlogy(q, q).sum(dim=-1)
    first = (q * log_joint).sum(dim=-1) - neg_entropy
    second = (q * log_likelihood).sum(dim=-1) - (neg_entropy - (q * log_prior).sum(dim=-1))
    third = log_evidence - (neg_entropy - (q * log_posterior).sum(dim=-1))
    return first, second, third
    ### END SOLUTION


# %% tests="check-elbo_three_ways" points=4
check(elbo_three_ways)

# %% [markdown]
# **Look at it.** A point between two kinds, and $q$ from all on the second to all on the first. The three forms are one
# curve, and it touches $\log p(x)$ where $q$ is the posterior.

# %% setup="draw-three-forms"
with when_answered(elbo_three_ways):
    log_prior = torch.tensor([0.36, 0.64], dtype=torch.float64).log()
    log_likelihood = torch.tensor([[-4.0, -5.5]], dtype=torch.float64)
    share = torch.linspace(0.0, 1.0, 201, dtype=torch.float64)[:, None]
    forms = elbo_three_ways(
        log_prior, log_likelihood.expand(201, 2), torch.cat((share, 1 - share), 1)
    )
    figure, axes = plt.subplots(figsize=(5, 3.2))
    names = "joint + entropy", "likelihood − KL", "evidence − KL"
    for form, style, name in zip(forms, ("-", "--", ":"), names, strict=True):
        axes.plot(share[:, 0], form, style, linewidth=2.5, label=name)
    axes.axhline(
        torch.logsumexp(log_prior + log_likelihood, 1).item(),
        color="0.3",
        linewidth=1,
        label="log p(x)",
    )
    axes.set_xlabel("q(first kind)")
    axes.set_ylabel("ELBO [nats]")
    axes.legend(fontsize="small")

# %% [markdown]
# ## B3. What Jensen lost
#
# *By hand, 20 minutes, 4 points, marked by a person.*
#
# Start from $\mathrm{KL}(q \Vert p(z \mid x))$ and show that $\log p(x) = \mathcal L(q) + \mathrm{KL}(q \Vert p(z \mid x))$,
# **without** Jensen's inequality. Conclude that $\mathcal L(q)$ is a lower bound, and say for which $q$ it is tight. Then
# answer in one or two sentences: we raise $\mathcal L$ by changing $q$ only. What happens to $\log p(x)$, and what to the
# divergence?

# %% [markdown] manual="derive-elbo-gap" points=4
# **Model answer.** By Bayes' rule $p(z \mid x) = p(x, z)/p(x)$, so
#
# $$\mathrm{KL}(q \Vert p(z \mid x)) = \mathbb E_q\left[\log \frac{q(z)\, p(x)}{p(x, z)}\right] = \log p(x) - \mathbb E_q\left[\log \frac{p(x, z)}{q(z)}\right] = \log p(x) - \mathcal L(q)$$
#
# The logarithm of $p(x)$ leaves the mean because it does not depend on $z$ and $q$ sums to one. A divergence is never
# negative, so $\mathcal L(q) \le \log p(x)$, with equality if and only if $q(z) = p(z \mid x)$ (almost everywhere). If only
# $q$ changes, $\log p(x)$ stays where it is, because $q$ is no part of the model. What the bound gains, the divergence
# loses: raising $\mathcal L$ in $q$ is moving $q$ towards the posterior.
#
# **Marking scheme.** 1 point: Bayes' rule put into the divergence. 1 point: $\log p(x)$ taken out of the mean, with the
# reason. 1 point: lower bound from $\mathrm{KL} \ge 0$, tight at the posterior. 1 point: $\log p(x)$ does not change, the
# divergence falls by what the bound gains.

# %% [markdown]
# ## B4. The bound of a linear-Gaussian model
#
# *Difficulty 3, 30 minutes, 4 points.*
#
# With a linear decoder and a Gaussian $q$ the bound needs no sampling. For $q = \mathcal N(\mu, \Sigma)$, $\Sigma = LL^\top$:
#
# $$\begin{aligned} \mathbb E_q[\log p(x \mid z)] &= -\frac{\lVert x - W\mu - b\rVert^2 + \mathrm{tr}(W\Sigma W^\top)}{2\sigma^2} - D\log\sigma - \frac D2 \log 2\pi \\ \mathrm{KL}(q \Vert p(z)) &= \frac12\left(\mathrm{tr}\,\Sigma + \lVert\mu\rVert^2 - M - \log\det\Sigma\right) \end{aligned}$$
#
# Return the first minus the second, for each point. Every point has its own $\mu$ and $L$; the model is shared. The argument
# `scale` is $\sigma$, a plain number.


# %% solution="elbo_linear_gaussian"
def elbo_linear_gaussian(x, weight, bias, scale, loc, scale_tril):
    """Exact ELBO: x (N, D), weight (D, M), bias (D,), scale, loc (N, M), scale_tril (N, M, M) -> (N,)."""
    ### BEGIN SOLUTION
    dim, latent_dim = weight.shape
    residual = x - loc @ weight.T - bias
    expected_sq = residual.square().sum(-1) + (weight @ scale_tril).square().sum((-2, -1))
    rec = -expected_sq / (2 * scale**2) - dim * (math.log(scale) + 0.5 * math.log(2 * math.pi))
    log_det = scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    trace = scale_tril.square().sum((-2, -1))
    kl = 0.5 * (trace + loc.square().sum(-1) - latent_dim) - log_det
    return rec - kl
    ### END SOLUTION


# %% tests="check-elbo_linear_gaussian" points=4
check(elbo_linear_gaussian)

# %% [markdown]
# ## B5. The gap is a divergence
#
# *Difficulty 4, 30 minutes, 4 points. Uses B4, if you like.*
#
# The posterior of this model is a Gaussian with a precision $\Lambda$ that is the same for every point:
#
# $$\Lambda = I + \frac{1}{\sigma^2} W^\top W, \qquad \Lambda\, m_n = \frac{1}{\sigma^2} W^\top (x_n - b)$$
#
# so that $p(z \mid x_n) = \mathcal N(m_n, \Lambda^{-1})$. Return $\mathrm{KL}(q \Vert p(z \mid x))$ for each point. Two ways
# lead there: compare the two Gaussians, or subtract your bound from $\log p(x)$, where $p(x) = \mathcal N(b, WW^\top + \sigma^2
# I)$. Both must give the same number, to a millionth of a nat.


# %% solution="kl_gap"
def kl_gap(x, weight, bias, scale, loc, scale_tril):
    """KL(q || p(z | x)) in nats; shapes as in elbo_linear_gaussian -> (N,)."""
    ### BEGIN SOLUTION
    precision = torch.eye(weight.shape[1], dtype=x.dtype) + weight.T @ weight / scale**2
    mean = torch.linalg.solve(precision, weight.T @ (x - bias).T / scale**2).T
    shift, covariance = loc - mean, scale_tril @ scale_tril.mT
    trace = (precision * covariance).sum((-2, -1))
    distance_sq = ((shift @ precision) * shift).sum(-1)
    log_det = torch.logdet(covariance) + torch.logdet(precision)
    return 0.5 * (trace + distance_sq - weight.shape[1] - log_det)
    ### END SOLUTION


# %% tests="check-kl_gap" points=4
check(kl_gap)

# %% [markdown]
# # Part C. The gradient of a mean
#
# To climb the bound you need the gradient of $\mathbb E_q[h(z)]$ with respect to the parameters of $q$, here $\mu$ and
# $\log\sigma$ of a Gaussian with independent coordinates. In the code $h$ is called `f`. The draws are
# $z = \mu + \sigma \odot \varepsilon$, and the noise is given to you: `noise` has the shape (B, S, M), for B independent
# repeats of an estimate from S draws each. Return two tensors, (B, M) each: the gradient for `loc`, then the gradient for
# `log_scale`.
#
# ## C1. The score-function gradient
#
# *Difficulty 3, 25 minutes, 3 points.*
#
# It needs only values of $h$, which may be anything, even a step:
#
# $$\nabla\, \mathbb E_q[h(z)] \approx \frac1S \sum_s h(z_s)\, \nabla \log q(z_s)$$
#
# The gradient on the right holds $z_s$ fixed. Write down $\log q$ and differentiate it by $\mu$ and by $\log\sigma$. Subtract
# no baseline yet. The function `f` takes (…, M) and gives (…).


# %% solution="score_function_grad"
def score_function_grad(f, loc, log_scale, noise):
    """Gradients for loc and log_scale, (B, M) each: loc (M,), log_scale (M,), noise (B, S, M)."""
    ### BEGIN SOLUTION
    scale = torch.exp(log_scale)
    values = f(loc + scale * noise)[..., None]
    return (values * noise / scale).mean(dim=-2), (values * (noise**2 - 1)).mean(dim=-2)
    ### END SOLUTION


# %% tests="check-score_function_grad" points=3
check(score_function_grad)

# %% [markdown]
# ## C2. The reparameterised gradient
#
# *Difficulty 2, 20 minutes, 3 points.*
#
# The distribution of $\varepsilon$ does not depend on the parameters, so the gradient may go inside the mean, and the chain
# rule does the rest:
#
# $$\nabla\, \mathbb E_q[h(z)] \approx \frac1S \sum_s \frac{\partial z_s}{\partial(\mu, \log\sigma)} \nabla h(z_s), \qquad z_s = \mu + \sigma \odot \varepsilon_s$$
#
# Here you are given the slope: `grad_f` takes (…, M) and gives (…, M).


# %% solution="reparam_grad"
def reparam_grad(grad_f, loc, log_scale, noise):
    """Gradients for loc and log_scale, (B, M) each: loc (M,), log_scale (M,), noise (B, S, M)."""
    ### BEGIN SOLUTION
    step = torch.exp(log_scale) * noise
    slope = grad_f(loc + step)
    return slope.mean(dim=-2), (slope * step).mean(dim=-2)
    ### END SOLUTION


# %% tests="check-reparam_grad" points=3
check(reparam_grad)

# %% [markdown]
# ## C3. Predict before you compute
#
# *1 point for a positive number.*
#
# Take $h(z) = \sum_m z_m^2$ in M = 100 dimensions and $q = \mathcal N(1, I)$, with one draw. Both estimators of the gradient
# for the first mean have the same expectation. How many times as large is the variance of the score-function estimator as
# that of the reparameterised one? C4 ends with a cell that measures it.


# %% solution="predict_variance_ratio"
def predict_variance_ratio():
    """Your prediction: variance of the score-function gradient over that of the reparameterised one."""
    ### BEGIN SOLUTION
    return 10_000
    ### END SOLUTION


# %% tests="check-predict_variance_ratio" points=1
check(predict_variance_ratio)

# %% [markdown]
# ## C4. A baseline that costs no bias
#
# *Difficulty 4, 30 minutes, 4 points. Uses C1.*
#
# The mean of the score is zero, so a number may be subtracted from $h$ for free. It may even be a random number, as long as
# it does not depend on the draw that it is subtracted from. Improve the score-function estimator by a baseline of your choice.
# With S ≥ 2 draws in each repeat, the check wants
#
# - no bias, also for S = 2;
# - where $h$ lies near ±300, less than 0.3 times the variance of the plain estimator;
# - the same answer if a constant is added to $h$, and zero if $h$ is constant;
# - repeats that stay apart: none may use the draws of another.


# %% solution="control_variate_grad"
def control_variate_grad(f, loc, log_scale, noise):
    """As score_function_grad, with a baseline: unbiased, and far less noisy."""
    ### BEGIN SOLUTION
    scale = torch.exp(log_scale)
    values = f(loc + scale * noise)
    others = (values.sum(dim=-1, keepdim=True) - values) / (values.shape[-1] - 1)
    advantage = (values - others)[..., None]
    return (advantage * noise / scale).mean(dim=-2), (advantage * (noise**2 - 1)).mean(dim=-2)
    ### END SOLUTION


# %% tests="check-control_variate_grad" points=4
check(control_variate_grad)

# %% [markdown]
# **Look at it.** The variance of the three estimators against the dimension, for the $h$ of C3 and four draws.

# %% setup="draw-variances"
with when_answered(control_variate_grad):
    generator = torch.Generator().manual_seed(0)
    dims = [1, 3, 10, 30, 100]
    variances = {"score function": [], "with a baseline": [], "reparameterised": []}
    for dim in dims:
        noise = torch.randn(3000, 4, dim, generator=generator, dtype=torch.float64)
        args = torch.ones(dim, dtype=torch.float64), torch.zeros(dim, dtype=torch.float64), noise
        for name, estimate in (
            ("score function", score_function_grad(lambda z: z.square().sum(-1), *args)),
            ("with a baseline", control_variate_grad(lambda z: z.square().sum(-1), *args)),
            ("reparameterised", reparam_grad(lambda z: 2 * z, *args)),
        ):
            variances[name].append(estimate[0][:, 0].var().item())
    figure, axes = plt.subplots(figsize=(5, 3.4))
    for name, values in variances.items():
        axes.loglog(dims, values, "o-", label=name)
    axes.set_xlabel("number of hidden values M")
    axes.set_ylabel("variance of the gradient")
    axes.legend()
    ratio = variances["score function"][-1] / variances["reparameterised"][-1]
    print(
        f"M = 100: the score function has {ratio:.0f} times the variance of the reparameterised gradient"
    )

# %% [markdown]
# # Part D. Fitting q
#
# ## D1. Variational inference by gradient
#
# *Difficulty 4, 45 minutes, 5 points. Uses C2, if you like.*
#
# The model is a black box. `log_joint(z)` takes (…, M) and gives two tensors: the values $\log p(x, z)$, (…), and the slopes
# $\nabla_z \log p(x, z)$, (…, M). Find the Gaussian $q = \mathcal N(\mu, LL^\top)$ with the largest
#
# $$\mathcal L(q) = \mathbb E_q[\log p(x, z)] + \mathrm H(q), \qquad \mathrm H(q) = \sum_m \log L_{mm} + \text{constant}$$
#
# With `full=True`, $L$ is any lower triangular matrix with a positive diagonal; with `full=False` it is diagonal (mean-field).
# Start where you like, for instance at $\mu = 0$, $L = I$: the models have two or three hidden values, posterior means within
# ±3 and widths between 0.2 and 1. The check wants the exact ELBO of your $q$ within 0.05 nats of the best of its kind, on two
# linear-Gaussian models, where the best full $q$ is the posterior, and on a model of counts, whose posterior is skewed. Work in float64. Take
# all randomness from `generator`: the same seed must give the same answer, to a millionth. The check makes four
# fits; a few hundred steps of Adam with a falling learning rate take about a second for each.


# %% solution="fit_gaussian_vi"
def fit_gaussian_vi(log_joint, latent_dim, full, generator):
    """The best Gaussian: -> loc (M,), scale_tril (M, M), diagonal if not full."""
    ### BEGIN SOLUTION
    loc = torch.zeros(latent_dim, dtype=torch.float64, requires_grad=True)
    log_diag = torch.zeros(latent_dim, dtype=torch.float64, requires_grad=True)
    below = torch.zeros(latent_dim, latent_dim, dtype=torch.float64, requires_grad=True)

    def scale_tril():
        diagonal = torch.diag_embed(log_diag.exp())
        return diagonal + below.tril(-1) if full else diagonal

    num_steps = 500
    optimiser = torch.optim.Adam([loc, log_diag, below], lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, num_steps)
    for _ in range(num_steps):
        noise = torch.randn(16, latent_dim, generator=generator, dtype=torch.float64)
        z = loc + noise @ scale_tril().T
        _, slope = log_joint(z.detach())
        # linear in z, with the model's own slope: the gradient of log p without a path through it
        loss = -((z * slope).sum(-1).mean() + log_diag.sum())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return loc.detach(), scale_tril().detach()
    ### END SOLUTION


# %% tests="check-fit_gaussian_vi" points=5
check(fit_gaussian_vi)

# %% [markdown]
# **Look at it.** Your two fits on a posterior with the correlation 0.9. Mean-field has the right centre and the wrong size.

# %% setup="draw-fits"
with when_answered(fit_gaussian_vi):
    precision = torch.linalg.inv(torch.tensor([[1.0, 0.9], [0.9, 1.0]], dtype=torch.float64))
    centre = torch.tensor([1.0, 0.5], dtype=torch.float64)

    def tilted(z):
        pull = (centre - z) @ precision
        return 0.5 * ((z - centre) * pull).sum(-1), pull

    angle = torch.linspace(0, 2 * math.pi, 200, dtype=torch.float64)
    circle = torch.stack((angle.cos(), angle.sin()), dim=1)
    figure, axes = plt.subplots(figsize=(4.2, 4.2))
    exact = torch.linalg.cholesky(torch.linalg.inv(precision))
    axes.plot(*(centre + 2 * circle @ exact.T).T, color="0.7", linewidth=6, label="posterior")
    for full, name in ((True, "full"), (False, "mean-field")):
        loc, tril = fit_gaussian_vi(tilted, 2, full, torch.Generator().manual_seed(1))
        axes.plot(*(loc + 2 * circle @ tril.T).T, label=name)
    axes.set_xlabel("first hidden value")
    axes.set_ylabel("second hidden value")
    axes.set_aspect("equal")
    axes.legend()

# %% [markdown]
# ## D2. What mean-field gives up
#
# *By hand, 15 minutes, 3 points, marked by a person.*
#
# The posterior is $\mathcal N(m, \Lambda^{-1})$, and $q$ is a Gaussian with mean $\mu$ and independent coordinates of variances
# $\sigma_m^2$. Show that the best $q$ has $\mu = m$ and $\sigma_m^2 = 1/\Lambda_{mm}$. Compare $\sigma_m^2$ with the posterior's
# own variance of $z_m$, and explain in a sentence why $\mathrm{KL}(q \Vert p)$ makes $q$ too narrow and not too wide.

# %% [markdown] manual="derive-mean-field" points=3
# **Model answer.** Up to terms without $q$,
#
# $$\mathrm{KL}(q \Vert p(z \mid x)) = \frac12 \Big[ \sum_m \Lambda_{mm} \sigma_m^2 + (\mu - m)^\top \Lambda\, (\mu - m) \Big] - \sum_m \log\sigma_m + \text{constant}$$
#
# The covariance of $q$ is diagonal, so only the diagonal of $\Lambda$ enters the trace. The middle term is smallest, zero, at
# $\mu = m$. The derivative by $\sigma_m$ is $\Lambda_{mm}\sigma_m - 1/\sigma_m$, which vanishes at $\sigma_m^2 = 1/\Lambda_{mm}$.
# That is the variance of $z_m$ when all other coordinates are known; the posterior's own variance $(\Lambda^{-1})_{mm}$ is
# never smaller, and larger as soon as $z_m$ is correlated with another. The mean is taken under $q$, so $q$ pays for every
# place where it has mass and the posterior has little: an axis-parallel ellipse must fit **inside** the tilted one. What it
# leaves out costs nearly nothing.
#
# **Marking scheme.** 1 point: the divergence with only $\Lambda_{mm}$ in the trace, and the two stationary points. 1 point:
# conditional against marginal variance, with the right inequality. 1 point: the reason, the mean under $q$ (zero-forcing).

# %% [markdown]
# ## D3. Two divergences, as numbers
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# Two densities are given by their logarithms on an even grid, **up to a constant each**. Return $\mathrm{KL}(p \Vert q)$ and
# $\mathrm{KL}(q \Vert p)$, in this order, as two numbers. The log densities may lie near ±1000, and may span more than a
# thousand nats, so that the densities themselves vanish in floating point. Outside the grid nothing counts.


# %% solution="forward_and_reverse_kl"
def forward_and_reverse_kl(grid, log_p, log_q):
    """KL(p || q) and KL(q || p) in nats: three tensors (G,) -> two numbers."""
    ### BEGIN SOLUTION
    log_p, log_q = torch.log_softmax(log_p, dim=0), torch.log_softmax(log_q, dim=0)
    forward = (log_p.exp() * (log_p - log_q)).sum()
    return forward, (log_q.exp() * (log_q - log_p)).sum()
    ### END SOLUTION


# %% tests="check-forward_and_reverse_kl" points=2
check(forward_and_reverse_kl)

# %% [markdown]
# ## D4. Cover both hills or choose one
#
# *Difficulty 3, 30 minutes, 3 points. Uses D3, if you like.*
#
# A density with one or two hills is given by its logarithm on an even grid, up to a constant, which may be ±1000. The grid may be in any
# unit, so do not rely on steps of a fixed size. Outside the grid nothing counts. Find the Gaussian $q$ that
# minimises $\mathrm{KL}(p \Vert q)$, and the one that minimises $\mathrm{KL}(q \Vert p)$. Return four numbers:
# `loc_forward, scale_forward, loc_reverse, scale_reverse`, where a scale is a standard deviation.
#
# For the first there is a rule, and the check wants both numbers within 1 % of the standard deviation of $p$. For the second you have to search: its divergence
# may be 0.02 nats above the best. The standard deviation of a hill is between a fiftieth
# and a fifth of the grid's length. The nearest hill need not be the best one.


# %% solution="fit_forward_and_reverse"
def fit_forward_and_reverse(grid, log_p):
    """Best Gaussians by KL(p || q) and KL(q || p): grid (G,), log_p (G,) -> four numbers."""
    ### BEGIN SOLUTION
    share = torch.softmax(log_p, dim=0)
    mean = (share * grid).sum()
    std = (share * (grid - mean) ** 2).sum().sqrt()

    log_share = torch.log_softmax(log_p, dim=0)
    scales = (grid[-1] - grid[0]) * torch.logspace(-2, -0.7, 30, dtype=grid.dtype)
    best = (math.inf, 0.0, 1.0)
    for loc in torch.linspace(grid[0].item(), grid[-1].item(), 120, dtype=grid.dtype):
        log_q = torch.log_softmax(-0.5 * ((grid - loc) / scales[:, None]) ** 2, dim=1)
        values = (log_q.exp() * (log_q - log_share)).sum(dim=1)
        place = int(values.argmin())
        best = min(best, (float(values[place]), float(loc), float(scales[place])))
    return mean, std, best[1], best[2]
    ### END SOLUTION


# %% tests="check-fit_forward_and_reverse" points=3
check(fit_forward_and_reverse)

# %% [markdown]
# **Look at it.** The forward fit covers everything, the reverse fit chooses the heavier hill.

# %% setup="draw-hills"
with when_answered(fit_forward_and_reverse):
    grid = torch.linspace(-8, 8, 401, dtype=torch.float64)
    hills = torch.distributions.Normal(torch.tensor([-2.5, 3.0]), torch.tensor([1.2, 0.5]))
    log_p = torch.logsumexp(hills.log_prob(grid[:, None]) + torch.tensor([0.62, 0.38]).log(), dim=1)
    fits = [float(value) for value in fit_forward_and_reverse(grid, log_p)]
    figure, axes = plt.subplots(figsize=(5.5, 3.2))
    axes.fill_between(grid, log_p.exp(), color="0.85", label="p")
    for name, loc, scale in (("forward", *fits[:2]), ("reverse", *fits[2:])):
        q_fit = torch.distributions.Normal(loc, scale)
        axes.plot(grid, q_fit.log_prob(grid).exp(), label=f"{name}: mean {loc:.2f}, σ {scale:.2f}")
    axes.set_ylim(0, 0.44)
    axes.set_xlabel("z")
    axes.set_ylabel("density")
    axes.legend(fontsize="small")

# %% [markdown]
# # Part E. Back to importance sampling
#
# ## E1. The importance-weighted bound
#
# *Difficulty 2, 15 minutes, 3 points.*
#
# With one draw, $\log w$ has the ELBO as its mean. With S draws, average the weights before you take the logarithm:
#
# $$\log \frac1S \sum_{s=1}^S w_s, \qquad w_s = \frac{p(x, z_s)}{q(z_s)}$$
#
# Its mean $\mathcal L_S$ never falls when S grows, and never exceeds $\log p(x)$. The draws are on the **first** axis. Log
# weights may lie near ±2000, or be −∞ for some of the draws of a point. Autograd must be able to go through your function: the
# check also looks at the gradient with respect to the log weights.


# %% solution="iwae_bound"
def iwae_bound(log_weights):
    """Logarithm of the mean weight over the draws: log_weights (S, N) -> (N,)."""
    ### BEGIN SOLUTION
    return torch.logsumexp(log_weights, dim=0) - math.log(log_weights.shape[0])
    ### END SOLUTION


# %% tests="check-iwae_bound" points=3
check(iwae_bound)

# %% [markdown]
# **Look at it.** The ladder from the ELBO to $\log p(x)$, for a log weight with a standard deviation of 2 nats: the gap of A1,
# closing.

# %% setup="draw-ladder"
with when_answered(iwae_bound):
    generator = torch.Generator().manual_seed(0)
    sizes = [1, 2, 5, 10, 20, 50, 100, 200, 500]
    # log w is normal with the mean -2, so that the mean of w is 1 and log p(x) = 0
    bounds = []
    for size in sizes:
        draws = 2 * torch.randn(size, 4000, generator=generator, dtype=torch.float64) - 2
        bounds.append(iwae_bound(draws).mean().item())
    figure, axes = plt.subplots(figsize=(5, 3.2))
    axes.semilogx(sizes, bounds, "o-", label="mean of your bound")
    axes.axhline(0, color="0.3", linewidth=1, label="log p(x)")
    axes.set_xlabel("number of draws S")
    axes.set_ylabel("bound [nats]")
    axes.legend()

# %% [markdown]
# # What you built
#
# A lower bound of what cannot be computed, exact measurements of what it lacks, two gradients to climb it with and the price
# of each, and a ladder back to the truth. In unit 05 a network writes $\mu$ and $\sigma$ for every point, and the same bound
# trains it together with the decoder.
