# %% [markdown]
# # Exercise 05 · From autoencoder to generative model
#
# You write the parts of a variational autoencoder one by one: the draw that a gradient can follow, the divergence from the
# prior, the bound with its sum and its mean in the right places, and a likelihood for each kind of data. Then you put them
# together and prove by numbers that the whole is right. Unit 03 derived the bound,
# unit 04 built encoder and decoder. The lecture `lectures/05_vae.ipynb` explains every idea used here.
#
# **How it works.** Each exercise asks for one function, or for one class.
#
# 1. Replace the line `raise NotImplementedError` by your answer and run the cell.
# 2. Run the cell below it, `check(your_function)`. It tries your function on fresh random inputs and says what it
#    found. Check as often as you like.
# 3. Stuck? Type `hint(your_function)` into a new cell. There are three hints: the principle, the place, and nearly
#    the code. The second and the third open after one more check each.
#
# **Rules.** Arrays come and go as torch tensors, in float64 unless an exercise says otherwise: give new tensors the type of
# the old ones, as in `torch.zeros(3, dtype=x.dtype)`. Where one number is asked for, return a number or a tensor with one
# element. A result that is right to four digits counts as right, so you may compute in single precision inside. Do not change the
# arguments. All randomness comes from the arguments: from noise that you are given, or from `generator`, which
# you draw from and never seed: a second call with the same generator must give other draws. The point is to write the functions yourself: `course_lib.vae` and its neighbours have them all, and cannot be
# imported while your notebook is graded. `torch.distributions` is there for you to use.
#
# An answer that is right in ordinary cases and fails only at extreme inputs gets half the points.
#
# Each exercise states its difficulty (1 to 5), the minutes it takes, and its points. There are 46 points that are
# checked by the computer and 7 that a person marks.

# %% setup="imports"
import math

import matplotlib.pyplot as plt
import torch
from torch import nn

from autograder import check, hint, when_answered
from course_lib import plots

plots.use_style()
_ = torch.set_num_threads(1)  # small networks: more threads would wait for each other

# %% [markdown]
# ## Notation
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $x_n$ | `x` | (N, D) | observed point number n |
# | $z$ | `z` | (N, M) | the hidden variable |
# | $\mu$, $\log\sigma^2$ | `loc`, `log_var` | (N, M) | mean of $q(z \mid x_n)$, and the **logarithm of its variance**: what the encoder writes |
# | $\varepsilon$ | `noise` | (N, M) | standard normal noise |
# | $\eta$ | `logits` | (N, D) | what the decoder writes for a pixel: any real number |
# | $\sigma$ | `log_scale` | | a standard deviation, given by its own logarithm (not that of its square) |
# | K, L | `num_levels` | | how many values a pixel can take, without an order (K) and in a row (L) |
# | $\beta$ | `beta` | number | weight of the divergence in the loss |
#
# Distortion is $-\log p(x \mid z)$, rate is the divergence of $q(z \mid x)$ from the prior. −ELBO is their sum.
# All logarithms are natural: everything is in nats.

# %% [markdown]
# # Part A. The code and its price
#
# ## A1. A draw that the gradient can follow
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# The encoder writes $\mu$ and $\log\sigma^2$ for every point. Draw one $z$ for each from $q(z \mid x) = \mathcal N(\mu, \sigma)$:
#
# $$z = \mu + \sigma \odot \varepsilon, \qquad \varepsilon \sim \mathcal N(0, I)$$
#
# Every value of every point has an $\varepsilon$ of its own. Take it from `generator`: the same seed must give the same draw,
# and another seed, or a second call with the same generator, another one. Autograd must be able to go through your function, to `loc` and to `log_var`. The result has the
# dtype of `loc`: double for double, single for single. In single precision `log_var` may lie anywhere between −150 and 150.


# %% solution="reparameterize"
def reparameterize(loc, log_var, generator):
    """A draw from N(loc, exp(log_var)), that variance: two tensors (N, M) -> (N, M)."""
    ### BEGIN SOLUTION
    noise = torch.randn(loc.shape, generator=generator, dtype=loc.dtype)
    return loc + torch.exp(0.5 * log_var) * noise
    ### END SOLUTION


# %% tests="check-reparameterize" points=2
check(reparameterize)

# %% [markdown]
# **Look at it.** Four points of a batch, each with its own mean and its own width, 300 draws of each.

# %% setup="draw-codes"
with when_answered(reparameterize):
    loc = torch.tensor([[-2.0, 1.0], [0.0, -1.5], [1.5, 1.5], [2.0, -1.0]], dtype=torch.float64)
    log_var = torch.tensor([[-3.0, -1.0], [0.0, -4.0], [-2.0, -2.0], [-5.0, -0.5]]).double()
    figure, axes = plt.subplots(figsize=(4.6, 4.0))
    for place in range(4):
        many = loc[place].expand(300, 2), log_var[place].expand(300, 2)
        z = reparameterize(*many, torch.Generator().manual_seed(place))
        axes.plot(*z.T, ".", markersize=4, label=f"point {place + 1}")
    axes.plot(*loc.T, "+", color="black", markersize=12, label="means")
    axes.set_xlabel("first hidden value")
    axes.set_ylabel("second hidden value")
    axes.set_ylim(-3.2, 5.2)
    axes.legend(fontsize="small", ncols=3, loc="upper center")

# %% [markdown]
# ## A2. The price of a code
#
# *Difficulty 1, 10 minutes, 2 points.*
#
# The divergence from the prior $\mathcal N(0, I)$ says how many nats the encoder spends on a point. For Gaussians it has a closed
# form, a sum over the M hidden values:
#
# $$\mathrm{KL}(q \Vert p(z)) = \frac12 \sum_m \left( \mu_m^2 + \sigma_m^2 - \log \sigma_m^2 - 1 \right)$$
#
# The argument is $\log\sigma^2$, between −60 and 40, and means go up to 1000. Return one number for each point. The check also
# looks at the gradient.


# %% solution="kl_to_standard_normal"
def kl_to_standard_normal(loc, log_var):
    """KL(q || N(0, I)) in nats: two tensors (N, M) -> (N,)."""
    ### BEGIN SOLUTION
    return 0.5 * (loc**2 + torch.exp(log_var) - log_var - 1).sum(dim=-1)
    ### END SOLUTION


# %% tests="check-kl_to_standard_normal" points=2
check(kl_to_standard_normal)

# %% [markdown]
# ## A3. Where the formula comes from
#
# *By hand, 20 minutes, 4 points, marked by a person.*
#
# Take one hidden value, $q = \mathcal N(\mu, \sigma)$ and $p = \mathcal N(0, 1)$. Derive the formula of A2 from
# $\mathrm{KL}(q \Vert p) = \mathbb E_q[\log q(z) - \log p(z)]$. Show where it is smallest, and that the value there is 0. Then answer in
# one or two sentences each: why do the divergences of M independent values add up? And what happens to the price if $\sigma$ goes
# to 0, as in an autoencoder?

# %% [markdown] manual="derive-kl-to-standard-normal" points=4
# **Model answer.** The logarithms are
#
# $$\log q(z) = -\tfrac12 \log 2\pi - \log\sigma - \frac{(z - \mu)^2}{2\sigma^2}, \qquad \log p(z) = -\tfrac12 \log 2\pi - \tfrac12 z^2$$
#
# Under $q$, $\mathbb E_q[(z - \mu)^2] = \sigma^2$ and $\mathbb E_q[z^2] = \mu^2 + \sigma^2$. The constants cancel:
#
# $$\mathrm{KL}(q \Vert p) = -\log\sigma - \tfrac12 + \tfrac12(\mu^2 + \sigma^2) = \tfrac12\left(\mu^2 + \sigma^2 - \log\sigma^2 - 1\right)$$
#
# The derivative by $\mu$ is $\mu$, which vanishes at 0. The derivative by $\sigma^2$ is $\frac12(1 - 1/\sigma^2)$, which vanishes at
# $\sigma^2 = 1$, negative below and positive above. So the only minimum is $q = p$, with the value
# $\frac12(0 + 1 - 0 - 1) = 0$. If both $q$ and $p$ are products over $m$, then $\log q - \log p$ is a sum over $m$, and the mean of a
# sum is the sum of the means; each mean involves one coordinate only. If $\sigma \to 0$, the term $-\frac12\log\sigma^2$ grows without
# limit: a code that says exactly where it is costs infinitely many nats. An autoencoder is not charged for that; a VAE must keep
# some width.
#
# **Marking scheme.** 1 point: the two log densities, with their normalisers. 1 point: the two means under $q$ and the result.
# 1 point: the minimum, in both variables, and its value. 1 point: both sentences (additivity from the logarithm of a product; the
# price grows without limit as $\sigma \to 0$).

# %% [markdown]
# # Part B. What can the data be?
#
# ## B1. Four likelihoods
#
# *Difficulty 3, 30 minutes, 4 points.*
#
# A decoder does not write an image. It writes the parameters of a distribution over images, and the loss is minus the logarithm
# of the probability it gives to the one that was seen. Write $\log p(x \mid z)$ in nats for four kinds, **summed over the D values** of
# each point:
#
# | `kind` | x, (N, D) | parameters | log probability of one value |
# |---|---|---|---|
# | `"bernoulli"` | 0 or 1 | `logits` $\eta$, (N, D) | $x\log p + (1-x)\log(1-p)$, $\;p = \mathrm{sigmoid}(\eta)$ |
# | `"continuous_bernoulli"` | anywhere in [0, 1] | `logits` $\eta$, (N, D) | the same, plus $\log C(\eta)$, $\;C(\eta) = \eta / \tanh(\eta/2)$, $\;C(0) = 2$ |
# | `"gaussian"` | any number | `loc`, `log_scale`, (N, D) each | $-\frac{(x-\mu)^2}{2\sigma^2} - \log\sigma - \frac12\log 2\pi$ |
# | `"categorical"` | whole numbers (int64) from 0 to K − 1 | `logits`, (N, D, K) | $\log\mathrm{softmax}(\eta)_x$ |
#
# Over everything that x can be, each must sum or integrate to one; the check does just that. Logits lie within ±1000, those of the
# continuous Bernoulli within ±25, and $\log\sigma$, the logarithm of the **standard deviation**, within ±20. Autograd must be able to go
# through your function to all parameters. Logits may be exactly 0 or as near to it as you like: there, too, value and gradient
# of the continuous Bernoulli must be right (the formula for $C$ is 0/0).


# %% solution="log_likelihood"
def log_likelihood(kind, x, *params):
    """log p(x | z) in nats: x (N, D) and the parameters of that kind -> (N,)."""
    ### BEGIN SOLUTION
    if kind == "bernoulli":
        p = torch.distributions.Bernoulli(logits=params[0])
    elif kind == "continuous_bernoulli":
        p = torch.distributions.ContinuousBernoulli(logits=params[0])
    elif kind == "gaussian":
        p = torch.distributions.Normal(params[0], torch.exp(params[1]))
    else:
        p = torch.distributions.Categorical(logits=params[0])
    return p.log_prob(x).sum(dim=-1)
    ### END SOLUTION


# %% tests="check-log_likelihood" points=4
check(log_likelihood)

# %% [markdown]
# **Look at it.** The cross-entropy of a grey value is not the logarithm of a density: its curve misses the mass that the constant
# $C$ puts back.

# %% setup="draw-grey-likelihoods"
with when_answered(log_likelihood):
    grey = torch.linspace(0, 1, 201, dtype=torch.float64)[:, None]
    figure, axes = plt.subplots(figsize=(5.2, 3.3))
    for logit, color in ((0.0, "C0"), (2.5, "C1")):
        logits = torch.full_like(grey, logit)
        right = log_likelihood("continuous_bernoulli", grey, logits).exp()
        plain = log_likelihood("bernoulli", 0 * grey, logits) + grey[:, 0] * logit
        for values, style, name in ((right, "-", "with C"), (plain.exp(), "--", "without")):
            area = torch.trapezoid(values, grey[:, 0])
            label = f"η = {logit:g}, {name}: area {area:.2f}"
            axes.plot(grey, values, style, color=color, label=label)
    axes.set_xlabel("grey value x")
    axes.set_ylabel("density")
    axes.set_ylim(0, 4)
    axes.legend(fontsize="small", loc="upper left")

# %% [markdown]
# ## B2. A likelihood for 256 grey levels
#
# *Difficulty 4, 35 minutes, 3 points.*
#
# Stored images have L levels, $x = 0, \frac1{L-1}, \dots, 1$. The discretised logistic gives each level the mass that a logistic density,
# with the distribution function $F(t) = \mathrm{sigmoid}(t)$, has above its cell:
#
# $$p(x) = F(b) - F(a), \qquad a = \frac{x - \delta/2 - \mu}{s}, \quad b = \frac{x + \delta/2 - \mu}{s}, \quad \delta = \frac{1}{L-1}$$
#
# The lowest level also gets all the mass below its cell, and the highest all the mass above, so that the L probabilities sum to one.
# The arguments hold $\mu$, between −1 and 2, and $\log s$, between −8 and 2. Far from $\mu$ the two values of $F$ are equal in floating
# point, and their difference is 0; the result and its gradient must be right all the same. Return the sum over the D values.


# %% solution="discretized_logistic_log_prob"
def discretized_logistic_log_prob(x, loc, log_scale, num_levels):
    """log p(x) in nats: three tensors (N, D) and L -> (N,)."""
    ### BEGIN SOLUTION
    log_sigmoid = nn.functional.logsigmoid
    half, scale = 0.5 / (num_levels - 1), torch.exp(log_scale)
    a, b = (x - half - loc) / scale, (x + half - loc) / scale
    # F(b) - F(a) = F(b) F(-a) (1 - exp(a - b)), in which nothing cancels
    each = log_sigmoid(b) + log_sigmoid(-a) + torch.log(-torch.expm1(-2 * half / scale))
    each = torch.where(x < half, log_sigmoid(b), each)
    each = torch.where(x > 1 - half, log_sigmoid(-a), each)
    return each.sum(dim=-1)
    ### END SOLUTION


# %% tests="check-discretized_logistic_log_prob" points=3
check(discretized_logistic_log_prob)

# %% [markdown]
# **Look at it.** Sixteen levels. Where $\mu$ is near the end of the scale, the last level takes what lies beyond.

# %% setup="draw-levels"
with when_answered(discretized_logistic_log_prob):
    levels = torch.arange(16, dtype=torch.float64)[:, None] / 15
    figure, axes = plt.subplots(figsize=(5.2, 3.2))
    for shift, (mean, log_s) in ((-0.01, (0.35, -3.0)), (0.01, (0.95, -2.2))):
        loc, log_scale = torch.full_like(levels, mean), torch.full_like(levels, log_s)
        share = discretized_logistic_log_prob(levels, loc, log_scale, 16).exp()
        label = f"μ = {mean}, log s = {log_s}: sum {share.sum():.3f}"
        axes.bar(levels[:, 0] + shift, share, width=0.02, label=label)
    axes.set_xlabel("grey level x")
    axes.set_ylabel("probability")
    axes.set_ylim(0, 0.62)
    axes.legend(fontsize="small", loc="upper left")

# %% [markdown]
# ## B3. Which likelihood for which data
#
# *Difficulty 1, 10 minutes, 1 point.*
#
# Every likelihood runs on every kind of data without an error. That makes the choice dangerous. Match them:
#
# | | data | | | likelihood |
# |---|---|---|---|---|
# | A | temperatures in degrees, measured | | 1 | Bernoulli |
# | B | grey photographs stored in 8 bits, to be compared in bits per value | | 2 | continuous Bernoulli |
# | C | signatures scanned in black and white | | 3 | Gaussian with a learned σ |
# | D | the share of the sky that is under clouds, a real number | | 4 | categorical |
# | E | the bases A, C, G, T along a strand of DNA | | 5 | discretised logistic |
#
# Each fits one row best. Return the five numbers for the rows A to E as a list, such as `[1, 2, 3, 4, 5]`.


# %% solution="match_likelihoods"
def match_likelihoods():
    """The numbers of the likelihoods for the rows A to E, as a list."""
    ### BEGIN SOLUTION
    return [3, 5, 1, 2, 4]
    ### END SOLUTION


# %% tests="check-match_likelihoods" points=1
check(match_likelihoods)

# %% [markdown]
# # Part C. The loss
#
# ## C1. Sums, means, and one sign
#
# *Difficulty 2, 20 minutes, 3 points. Uses A2, if you like.*
#
# For binary images and one draw $z$ from each $q(z \mid x_n)$, minus the bound of a point is distortion plus rate, in nats:
#
# $$-\mathcal L_n = -\sum_d \log p(x_{nd} \mid z_n) + \mathrm{KL}\big(q(z \mid x_n) \,\Vert\, p(z)\big)$$
#
# `logits` is what the decoder wrote for that draw, and $p(x_{nd} = 1 \mid z_n) = \mathrm{sigmoid}(\texttt{logits}_{nd})$. With the reduction
# `"none"` return the N numbers, with `"mean"` their mean, with `"sum"` their sum; without a word, their mean. Logits lie within ±1000,
# and the decoder may be sure and wrong. The check also looks at the gradients for `logits`, `loc` and `log_var`.


# %% solution="negative_elbo"
def negative_elbo(x, logits, loc, log_var, reduction="mean"):
    """-ELBO in nats: x (N, D) of 0 and 1, logits (N, D), loc and log_var (N, M) -> (N,) or one number."""
    ### BEGIN SOLUTION
    log_prob = torch.distributions.Bernoulli(logits=logits).log_prob(x)
    each = kl_to_standard_normal(loc, log_var) - log_prob.sum(dim=-1)
    if reduction == "none":
        return each
    return each.mean() if reduction == "mean" else each.sum()
    ### END SOLUTION


# %% tests="check-negative_elbo" points=3
check(negative_elbo)

# %% [markdown]
# ## C2. Predict before you compute
#
# *1 point for a positive number.*
#
# A loss that you find in many places: `F.mse_loss(x_hat, x)`, which averages over all values of all images, plus the divergence
# averaged over the images. The images have D = 784 values. Read it as the loss of a decoder that is a Gaussian with $\sigma = 1$: which
# $\beta$ stands in front of the divergence? You get the point for the commitment, not for being right.


# %% solution="predict_effective_beta"
def predict_effective_beta():
    """Your prediction: the β of mean squared error plus divergence, for D = 784."""
    ### BEGIN SOLUTION
    return 392
    ### END SOLUTION


# %% tests="check-predict_effective_beta" points=1
check(predict_effective_beta)

# %% [markdown]
# ## C3. The β that you did not mean to set
#
# *Difficulty 4, 25 minutes, 3 points.*
#
# Measure it. `loss_fn(x, logits, loc, log_var)` takes what C1 takes and gives one number: a times the distortion of the whole batch,
# plus b times its divergence, plus a constant. The sums, means and weights that its author chose are hidden in a and b. Return
#
# $$\beta = b / a$$
#
# to a tenth of a percent. You are given a batch in which no logit and no mean is 0. Autograd goes through `loss_fn`: call
# `torch.autograd.grad` (or `backward`) on what it gives. `requires_grad_()` on an argument is no change of it. The gradients of the two prices themselves you know:
#
# $$\frac{\partial}{\partial \eta} \big(-\log p(x \mid z)\big) = \mathrm{sigmoid}(\eta) - x, \qquad \frac{\partial}{\partial \mu}\, \mathrm{KL} = \mu$$
#
# A loss that subtracts the divergence has a negative $\beta$.


# %% solution="effective_beta"
def effective_beta(loss_fn, x, logits, loc, log_var):
    """Weight of the divergence over weight of the distortion: one number."""
    ### BEGIN SOLUTION
    logits, loc = logits.clone().requires_grad_(), loc.clone().requires_grad_()
    by_logits, by_loc = torch.autograd.grad(loss_fn(x, logits, loc, log_var), (logits, loc))
    a = (by_logits / (torch.sigmoid(logits) - x)).mean()
    b = (by_loc / loc).mean()
    return (b / a).detach()
    ### END SOLUTION


# %% tests="check-effective_beta" points=3
check(effective_beta)

# %% [markdown]
# **Look at it.** Five ways to write "the loss of a VAE", for D = 784 and a batch of 100. Only two of them are the bound.

# %% setup="measure-losses"
with when_answered(effective_beta):
    generator = torch.Generator().manual_seed(0)
    x = torch.bernoulli(torch.full((100, 784), 0.3), generator=generator).double()
    logits = torch.randn(x.shape, generator=generator, dtype=torch.float64)
    loc, log_var = torch.randn(2, 100, 8, generator=generator, dtype=torch.float64)
    bce = nn.functional.binary_cross_entropy_with_logits

    def kl_terms(loc, log_var):
        return 0.5 * (loc**2 + log_var.exp() - log_var - 1)

    losses = {
        "sum of BCE, sum of KL": lambda x, o, m, v: (
            bce(o, x, reduction="sum") + kl_terms(m, v).sum()
        ),
        "sum over values, mean over images, of both": lambda x, o, m, v: (
            bce(o, x, reduction="sum") / len(x) + kl_terms(m, v).sum(1).mean()
        ),
        "BCE averaged over everything, mean of KL": lambda x, o, m, v: (
            bce(o, x) + kl_terms(m, v).sum(1).mean()
        ),
        "BCE averaged over everything, sum of KL": lambda x, o, m, v: (
            bce(o, x) + kl_terms(m, v).sum()
        ),
        "both averaged over everything": lambda x, o, m, v: bce(o, x) + kl_terms(m, v).mean(),
    }
    for name, loss_fn in losses.items():
        print(f"{name:45s} β = {float(effective_beta(loss_fn, x, logits, loc, log_var)):10.2f}")

# %% [markdown]
# ## C4. A whole VAE, and the proof that it is right
#
# *Difficulty 4, 45 minutes, 5 points.*
#
# On Gaussian data, with straight maps, a VAE has nothing to lose: its bound can reach the exact log-likelihood. So this is where you
# find out whether your code is right. The model has one noise level for all values, and q one width for all points:
#
# $$z \sim \mathcal N(0, I), \qquad x \mid z \sim \mathcal N(Wz + b, \sigma^2 I), \qquad q(z \mid x) = \mathcal N(Vx + c, s)$$
#
# with $s$ a vector of M standard deviations. Write the class. Everything in it is single precision.
#
# - `encode(x)` takes (N, D) and gives a pair: the mean of q, (N, M), and $\log s^2$, also (N, M), the same in every row.
# - `decode(z)` takes (N, M) and gives a pair: the mean of x, (N, D), and $\log\sigma$, one number.
# - `loss(x, noise)` takes (N, D) and standard normal noise (N, M). It gives −ELBO in nats, one draw $z = \mu + s \odot \varepsilon$ for
#   each point with the noise that is given, averaged over the points: one number, with all constants. The divergence is taken in
#   closed form (A2), not estimated by the draw.
#
# All of $W, b, \sigma, V, c, s$ are learned, so they must be parameters of the module. Their names and form are yours. Keep the usual
# random start of `nn.Linear`, or one of that size; at $W = V = 0$ there is no slope. The check compares your loss with the exact
# formula. Then it trains a fresh model on 100 points with five values and two hidden ones: with Adam on the whole data, in rounds of 225
# steps. It wants an ELBO within 0.01 nat of the exact log-likelihood of the best model, and a decoder whose plane is within 2 degrees of
# the first principal components.


# %% solution="LinearVAE"
class LinearVAE(nn.Module):
    """A VAE with a linear encoder and decoder: LinearVAE(dim, latent_dim)."""

    def __init__(self, dim, latent_dim):
        super().__init__()
        ### BEGIN SOLUTION
        self.encoder = nn.Linear(dim, latent_dim)
        self.decoder = nn.Linear(latent_dim, dim)
        self.log_var = nn.Parameter(torch.zeros(latent_dim))
        self.log_scale = nn.Parameter(torch.zeros(()))
        ### END SOLUTION

    def encode(self, x):
        """Mean and log variance of q: x (N, D) -> two of (N, M)."""
        ### BEGIN SOLUTION
        loc = self.encoder(x)
        return loc, self.log_var.expand_as(loc)
        ### END SOLUTION

    def decode(self, z):
        """Mean of x and log σ: z (N, M) -> (N, D) and one number."""
        ### BEGIN SOLUTION
        return self.decoder(z), self.log_scale
        ### END SOLUTION

    def loss(self, x, noise):
        """-ELBO in nats, averaged over the points: x (N, D), noise (N, M) -> one number."""
        ### BEGIN SOLUTION
        loc, log_var = self.encode(x)
        x_loc, log_scale = self.decode(loc + torch.exp(0.5 * log_var) * noise)
        log_prob = torch.distributions.Normal(x_loc, torch.exp(log_scale)).log_prob(x)
        kl = 0.5 * (loc**2 + torch.exp(log_var) - log_var - 1).sum(dim=-1)
        return (kl - log_prob.sum(dim=-1)).mean()
        ### END SOLUTION


# %% tests="check-LinearVAE" points=5
check(LinearVAE)

# %% [markdown]
# **Look at it.** Your model on its way to the exact answer, with fresh noise in every step. The dashed line is the log-likelihood of
# probabilistic PCA, from the eigenvalues alone. After the last step the two agree, up to the noise of a single draw for each point.

# %% setup="train-linear-vae"
with when_answered(LinearVAE):
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    mixing = torch.randn(5, 5, generator=generator) * torch.tensor([3.0, 1.5, 0.4, 0.4, 0.4])
    data = torch.randn(500, 5, generator=generator) @ mixing.T + 1.0
    eigenvalues = torch.linalg.eigvalsh(torch.cov(data.T, correction=0).double())
    left, kept = eigenvalues[:3].mean(), eigenvalues[3:]
    log_det = kept.log().sum() + 3 * left.log()
    exact = -0.5 * float(5 * math.log(2 * math.pi) + log_det + 5)
    model = LinearVAE(5, 2)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.03)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 1200)
    elbos = []
    for _ in range(1200):
        loss = model.loss(data, torch.randn(500, 2, generator=generator))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        elbos.append(-loss.item())
    figure, axes = plt.subplots(figsize=(5.2, 3.2))
    axes.plot(elbos, linewidth=1, label="ELBO of your model")
    axes.axhline(exact, color="black", linestyle="--", label="exact log-likelihood")
    axes.set_xlabel("step")
    axes.set_ylabel("nats per point")
    axes.set_ylim(exact - 6, exact + 1)
    axes.legend(loc="lower right")
    print(f"exact {exact:.3f} nats, mean ELBO of the last 100 steps {sum(elbos[-100:]) / 100:.3f}")

# %% [markdown]
# # Part D. Collapse
#
# ## D1. Predict before you compute
#
# *1 point for a whole number from 0 to 6.*
#
# A linear VAE with six hidden values is trained on data with six values. Along its principal directions the data has the
# variances 4, 2.4, 1.3, 0.7, 0.3 and 0.1. The decoder's noise is fixed at $\sigma^2 = 0.5$, and $\beta = 1$. After training,
# how many of the six hidden values still depend on $x$? You get the point for the commitment, not for being right.


# %% solution="predict_active_units"
def predict_active_units():
    """Your prediction: how many of the six hidden values stay active."""
    ### BEGIN SOLUTION
    return 4
    ### END SOLUTION


# %% tests="check-predict_active_units" points=1
check(predict_active_units)

# %% [markdown]
# ## D2. Nats per hidden value
#
# *Difficulty 2, 10 minutes, 2 points.*
#
# The rate is a sum over the hidden values, so each has a share of its own. Average it over the batch:
#
# $$\mathrm{KL}_m = \frac1N \sum_n \mathrm{KL}\big(q(z_m \mid x_n) \,\Vert\, \mathcal N(0, 1)\big)$$
#
# The encoder writes $\mu$ and $\log\sigma^2$. Both may be extreme: $\log\sigma^2$ between −60 and 10, $\mu$ up to $10^5$.
# Gradients must reach both arguments: the lab below trains through your function.


# %% solution="kl_per_dimension"
def kl_per_dimension(loc, log_var):
    """Mean divergence of each hidden value from the prior, in nats: two tensors (N, M) -> (M,)."""
    ### BEGIN SOLUTION
    return 0.5 * (loc**2 + torch.exp(log_var) - 1 - log_var).mean(dim=0)
    ### END SOLUTION


# %% tests="check-kl_per_dimension" points=2
check(kl_per_dimension)

# %% [markdown]
# ## D3. Count what is used
#
# *Difficulty 1, 10 minutes, 1 point.*
#
# A hidden value is active if its posterior mean varies over the images: if the variance of column $m$ of `loc` is above
# `threshold`, usually 0.01. A mean that is the same for every image carries no message, wherever it lies. Dividing by
# $N$ or by $N - 1$ makes no difference here. The images may come sorted, and means may lie at up to $10^8$. Return one number.


# %% solution="active_units"
def active_units(loc, threshold):
    """How many hidden values vary over the images by more than `threshold`: loc (N, M) -> number."""
    ### BEGIN SOLUTION
    return (loc.var(dim=0) > threshold).sum()
    ### END SOLUTION


# %% tests="check-active_units" points=1
check(active_units)

# %% [markdown]
# **The collapse lab.** The model of D1, trained by gradient on the exact bound, for three weights $\beta$ of the divergence.
# Your two functions watch it. Compare with your prediction, then with the rule: a hidden value survives if the variance of
# its direction is above $\beta\sigma^2$, and then costs half the logarithm of their ratio. The four that $\beta = 1$ keeps are not a failure of the optimiser. Six would be a
# worse bound.

# %% setup="collapse-lab"
with when_answered(kl_per_dimension), when_answered(active_units):
    generator = torch.Generator().manual_seed(0)
    variances = torch.tensor([4.0, 2.4, 1.3, 0.7, 0.3, 0.1], dtype=torch.float64)
    data = torch.randn(1000, 6, generator=generator, dtype=torch.float64)
    data = data - data.mean(dim=0)
    data = torch.linalg.qr(data).Q * (1000 * variances).sqrt()  # exactly these variances

    def train_linear_vae(beta, noise_var=0.5, num_steps=800):
        encoder, decoder = (
            (0.3 * torch.randn(6, 6, generator=generator, dtype=torch.float64)).requires_grad_()
            for _ in range(2)
        )
        log_var = torch.zeros(6, dtype=torch.float64, requires_grad=True)
        optimiser = torch.optim.Adam([encoder, decoder, log_var], lr=0.02)
        history = []
        for _ in range(num_steps):
            loc = data @ encoder
            # E_q |x - W z|² has a closed form, so no draw is needed
            error = (data - loc @ decoder).square().sum(dim=1).mean()
            error = error + (decoder.square().sum(dim=1) * log_var.exp()).sum()
            shares = kl_per_dimension(loc, log_var.expand_as(loc))
            optimiser.zero_grad()
            (error / (2 * noise_var) + beta * shares.sum()).backward()
            optimiser.step()
            history.append(shares.detach())
        return torch.stack(history), loc.detach()

    figure, axes = plt.subplots(1, 3, figsize=(9, 2.9), sharey=True)
    for beta, panel in zip((1.0, 2.0, 4.0), axes, strict=True):
        history, loc = train_linear_vae(beta)
        panel.plot(history)
        panel.set_title(f"β = {beta:g}: {int(active_units(loc, 0.01))} active")
        panel.set_xlabel("step")
    axes[0].set_ylabel("divergence [nats]")

# %% [markdown]
# ## D4. Free bits
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# A remedy where collapse comes too early: charge every hidden value at least `floor` nats, so that nothing is won by using fewer.
# The floor is compared with the **batch mean** of each hidden value:
#
# $$\sum_m \max\Big(\text{floor},\; \frac1N \sum_n \mathrm{KL}_{nm}\Big)$$
#
# In spite of the name the floor is in nats. With the floor 0 this is the mean rate. Autograd must be able to go through your
# function: a hidden value below the floor gets a gradient of exactly zero. The floor may be any number from 0 on, also 0.001.


# %% solution="free_bits"
def free_bits(kl, floor):
    """Rate with a floor for each hidden value, in nats: kl (N, M) -> number."""
    ### BEGIN SOLUTION
    return torch.clamp(kl.mean(dim=0), min=floor).sum()
    ### END SOLUTION


# %% tests="check-free_bits" points=2
check(free_bits)

# %% [markdown]
# ## D5. A warm-up that arrives
#
# *Difficulty 1, 10 minutes, 1 point.*
#
# Another remedy: let $\beta$ rise while training starts. Return the weight at a step, a number from 0 to 1. Any gentle shape is
# right, as long as
#
# - it is 0 at step 0, below 1 at every step before `warmup_steps`, exactly 1 there, and 1 at every later step, however late;
# - it never falls (it may rest), and no single step adds more than 3 / `warmup_steps`;
# - `warmup_steps = 0` means no warm-up: the weight is 1 from step 0 on.
#
# Both arguments are whole numbers.


# %% solution="kl_schedule"
def kl_schedule(step, warmup_steps):
    """Weight of the divergence at a step (0, 1, 2, ...): a number from 0 to 1."""
    ### BEGIN SOLUTION
    if step >= warmup_steps:
        return 1.0
    return step / warmup_steps
    ### END SOLUTION


# %% tests="check-kl_schedule" points=1
check(kl_schedule)

# %% [markdown]
# # Part E. A prior that learns
#
# ## E1. A mixture as the prior
#
# *Difficulty 2, 20 minutes, 2 points.*
#
# The encoder's codes do not fill the standard normal evenly. Let the prior be a mixture of K Gaussians whose parameters $\psi$
# are learnt with the rest:
#
# $$\log p_\psi(z) = \log \sum_k \pi_k \prod_m \mathcal N(z_m \mid \mu_{km}, \sigma_{km}), \qquad \pi = \mathrm{softmax}(\eta)$$
#
# Mind where the product stands: inside the sum. `z` may have any number of leading axes, none among them, and axes of length 1 stay. It may lie
# a thousand standard deviations away, logits may differ by thousands, and $\log\sigma$ lies between −7 and 7. Gradients must reach `z` and all three parameters.


# %% solution="mixture_prior_log_prob"
def mixture_prior_log_prob(z, logits, loc, log_scale):
    """Log-density of the mixture: z (..., M), logits (K,), loc and log_scale (K, M) -> (...)."""
    ### BEGIN SOLUTION
    component = torch.distributions.Normal(loc, log_scale.exp())
    inside = component.log_prob(z.unsqueeze(-2)).sum(dim=-1)
    return torch.logsumexp(inside + torch.log_softmax(logits, dim=0), dim=-1)
    ### END SOLUTION


# %% tests="check-mixture_prior_log_prob" points=2
check(mixture_prior_log_prob)

# %% [markdown]
# ## E2. The divergence from it
#
# *Difficulty 3, 25 minutes, 3 points. Uses E1.*
#
# Between a Gaussian and a mixture the divergence has no closed form. Estimate it for each point by the noise that you are
# given, with $z_s = \mu + \sigma\,\varepsilon_s$:
#
# $$\mathrm{KL}(q(z \mid x_n) \,\Vert\, p_\psi) = \mathbb E_q\big[\log q(z \mid x_n) - \log p_\psi(z)\big]$$
#
# You may take the part that has a closed form in closed form. Gradients must reach `loc`, `log_var` and the prior's parameters.
# The check gives up to 250 draws that lie very evenly, and wants the integral within 3 %
# or 0.03 nats. All draws of a point, `noise[:, n]`, must count, and only they. A single estimate may be negative: leave it as it is.


# %% solution="mixture_prior_kl"
def mixture_prior_kl(loc, log_var, noise, logits, prior_loc, prior_log_scale):
    """KL(q || mixture) by Monte Carlo: loc and log_var (N, M), noise (S, N, M) -> (N,)."""
    ### BEGIN SOLUTION
    scale = torch.exp(0.5 * log_var)
    z = loc + scale * noise
    log_q = torch.distributions.Normal(loc, scale).log_prob(z).sum(dim=-1)
    return (log_q - mixture_prior_log_prob(z, logits, prior_loc, prior_log_scale)).mean(dim=0)
    ### END SOLUTION


# %% tests="check-mixture_prior_kl" points=3
check(mixture_prior_kl)

# %% [markdown]
# # Part F. How good is the model?
#
# In this part a trained VAE is given by two functions. Both take and give float64 tensors, and no gradient flows through them.
#
# - `encode(x)` gives the mean and the log variance of $q(z \mid x)$, (N, M) each.
# - `log_joint(x, z)` takes points (N, D) and draws (S, N, M). It gives $\log p(x_n, z_{sn})$, (S, N).
#
# You may ask about some of the points or some of the draws at a time; a question may hold 20 000 numbers.
#
# ## F1. Beyond the ELBO
#
# *Difficulty 3, 25 minutes, 3 points.*
#
# Estimate $\log p(x_n)$ for each point by importance sampling with the encoder as the proposal:
#
# $$\log \frac1S \sum_s \frac{p(x_n, z_{sn})}{q(z_{sn} \mid x_n)}, \qquad z_{sn} \sim q(z \mid x_n)$$
#
# Take exactly `num_samples` draws for each point, normal ones, independent from draw to draw, from point to point and from one hidden
# value to the next (draws in mirrored pairs, ε and −ε, are allowed). All randomness comes from `generator`: another seed, or a second
# call with the same generator, gives other draws. Ask `log_joint` about these draws once each and about nothing else. The log joint may lie near ±3000, also
# near +3000 for one point and near −3000 for another of the same batch.


# %% solution="iwae_evaluate"
def iwae_evaluate(x, encode, log_joint, num_samples, generator):
    """Estimate of log p(x) in nats: x (N, D) -> (N,)."""
    ### BEGIN SOLUTION
    loc, log_var = encode(x)
    scale = torch.exp(0.5 * log_var)
    noise = torch.randn(num_samples, *loc.shape, generator=generator, dtype=x.dtype)
    z = loc + scale * noise
    log_q = torch.distributions.Normal(loc, scale).log_prob(z).sum(dim=-1)
    return torch.logsumexp(log_joint(x, z) - log_q, dim=0) - math.log(num_samples)
    ### END SOLUTION


# %% tests="check-iwae_evaluate" points=3
check(iwae_evaluate)

# %% [markdown]
# ## F2. The price of one pass
#
# *Difficulty 4, 40 minutes, 3 points.*
#
# The encoder answers all points with one set of weights. Start from its answer and improve $\mu$ and $\log\sigma^2$ for **every
# point by itself**, by `num_steps` steps of gradient ascent on that point's ELBO; q keeps independent coordinates. Return
# for each point how many nats the ELBO has won: the amortisation gap.
#
# Here `log_joint(x, z)` answers two tensors, as in unit 03: the value (S, N) and its gradient with respect to z, (S, N, M).
# It may be asked as often as you like. The check takes up to 120 steps and allows an error of 0.4 nats and 8 %. Take 16 draws
# or more in every step, new ones each time, and estimate both ELBOs at the end with the same noise, 2000 draws. All draws come from
# `generator`. A gap may come out slightly negative by chance: leave it as it is. There are up to eight hidden values. The encoder's means are up to two standard
# deviations off and its variances by a factor of up to 5. The posterior may be strongly tilted, with standard deviations around 0.25. With `num_steps = 0` the gap is exactly zero.


# %% solution="amortization_gap"
def amortization_gap(x, encode, log_joint, num_steps, generator):
    """Nats that a q of its own wins for each point: x (N, D) -> (N,)."""
    ### BEGIN SOLUTION
    start = encode(x)
    loc, log_var = (part.clone().requires_grad_() for part in start)
    optimiser = torch.optim.Adam([loc, log_var], lr=0.05)
    for _ in range(num_steps):
        noise = torch.randn(16, *loc.shape, generator=generator, dtype=x.dtype)
        z = loc + torch.exp(0.5 * log_var) * noise
        _, slope = log_joint(x, z.detach())
        bound = (z * slope).sum(dim=-1).mean(dim=0) + 0.5 * log_var.sum(dim=-1)
        optimiser.zero_grad()
        (-bound.sum()).backward()
        optimiser.step()

    noise = torch.randn(2000, *loc.shape, generator=generator, dtype=x.dtype)

    def elbo(loc, log_var):
        value, _ = log_joint(x, loc + torch.exp(0.5 * log_var) * noise)
        return value.mean(dim=0) + 0.5 * log_var.sum(dim=-1)

    return elbo(loc.detach(), log_var.detach()) - elbo(*start)
    ### END SOLUTION


# %% tests="check-amortization_gap" points=3
check(amortization_gap)

# %% [markdown]
# ## F3. Why samples blur, and what the ELBO does not say
#
# *In words, 15 minutes, 3 points, marked by a person.*
#
# Model A has −ELBO = 232 nats an image, model B 236. A fellow student concludes that A is the better model, and is
# surprised that the pictures drawn from A look more blurred than those from B. Answer in three short paragraphs:
# (1) Why does a VAE show blurred pictures at all, if its decoder's *mean* is shown? (2) Name a reason why a better ELBO need not mean
# a better $p(x)$, and say what you would compute to decide. (3) Name a reason why even a better $\log p(x)$ need not mean better-looking
# pictures.

# %% [markdown] manual="explain-blur" points=3
# **Model answer.** (1) The encoder's $q(z \mid x)$ has a width, and many images share each $z$. The bound is largest if the decoder,
# given $z$, describes all of them: its mean is the average of the images that could have led to this $z$. An average of images whose
# edges lie at different places has no sharp edge. The likelihood treats the pixels as independent given $z$, so what
# $z$ does not say can only appear as noise in each pixel, and showing the mean leaves that noise out. For a $z$ from the prior it is worse: it may lie
# where no code of a training image lies.
#
# (2) $\log p(x) = \text{ELBO} + \mathrm{KL}(q(z \mid x) \Vert p(z \mid x))$. The ELBO of A may be higher only because its encoder is
# closer to its posterior (a smaller amortisation or approximation gap), while B has the better $p$. Evaluate both by the
# importance-weighted bound with many draws on the same test data, and watch whether it still rises with S. (Also accepted: the
# two numbers belong to different data, binarisations or likelihoods, or to training data.)
#
# (3) The likelihood sums over 784 pixels and is in nats: noise in the background can cost more than the shape of an object is worth, and
# a mixture of a good model with 1 % of it and 99 % noise loses only $\log 100 = 4.6$ nats. Good samples and good likelihood are two
# different demands: one asks that what is drawn is plausible, the other that nothing real is left out.
#
# **Marking scheme.** 1 point: the average over the images that share a $z$ (or: independent pixels given $z$, mean shown). 1 point: the
# gap of $q$ as a named term, and the importance-weighted bound as the remedy. 1 point: any right reason why likelihood and looks
# differ, with the direction of the argument clear.

# %% [markdown]
# # Part G. Your best VAE
#
# ## G1. Train it and hand in the weights
#
# *Difficulty 4, 60 minutes, 4 points.*
#
# Here the architecture is fixed, and the training is yours. Below is the class that is graded, word for word. Train it on
# Fashion-MNIST and save its weights as **`fashion_vae.safetensors` in the folder of this notebook**. Hand in both files. The grader builds
# the class anew, loads your weights and evaluates them on test images, every pixel drawn anew as 0 or 1 with the grey value as
# its probability. Your own numbers do not count, and neither does the code of your answer cell: it is never run.
#
# | reached on the grader's data | points |
# |---|---|
# | −ELBO ≤ 262 nats an image | 1 |
# | −ELBO ≤ 251 nats an image | 1 |
# | −log p(x) ≤ 247 nats an image, by the bound with 500 draws | 2 |
#
# A minute of training on one core is enough for all of them. The test images are for measuring: train on
# `fashion_mnist("train")` only. You may train anywhere, also on a GPU, and with any loss, schedule or trick. What counts is the file.
# It must be written by `safetensors.torch.save_file` (a pickle from `torch.save` is refused unopened), hold exactly the tensors of
# `FashionVAE()` built without arguments in float32 (other kinds of numbers are converted), and have at most 30 MB. To try again, overwrite the file, check, and hand in both files once more.

# %% setup="fashion-vae-model"
from pathlib import Path

from safetensors.torch import load_file, save_file

from course_lib.data import fashion_mnist


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


# %% solution="fashion_vae"
def fashion_vae():
    """Train a FashionVAE on the training images and return it."""
    ### BEGIN SOLUTION
    torch.manual_seed(0)
    images = fashion_mnist("train").flat()  # (N, 784) in [0, 1]
    model = FashionVAE()
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=4000)
    for _ in range(4000):
        x = torch.bernoulli(images[torch.randint(len(images), (100,))])
        loss = -model(x).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model
    ### END SOLUTION


# %% [markdown]
# The next cell trains with your function and saves the weights, unless the file is there already. Delete the file to train
# again. Then it shows sixteen images from the prior.

# %% setup="train-fashion-vae"
with when_answered(fashion_vae):
    weights_file = Path("fashion_vae.safetensors")
    if not weights_file.exists():
        save_file(fashion_vae().state_dict(), weights_file)
    trained = FashionVAE()
    trained.load_state_dict(load_file(weights_file))
    codes = torch.randn(16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        pictures = torch.sigmoid(trained.decoder(codes)).reshape(2, 8, 28, 28)
    figure, axes = plt.subplots(figsize=(8, 2))
    axes.imshow(pictures.permute(0, 2, 1, 3).reshape(56, 224), cmap="gray", vmin=0, vmax=1)
    axes.set_axis_off()

# %% tests="check-fashion_vae" points=4
check(fashion_vae)
