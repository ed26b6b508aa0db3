# %% [markdown]
# # Exercise 01 · Mixture models
#
# You build a mixture of Gaussians from its parts, fit it to Old Faithful in two ways, and use it to decide when to
# come back to the geyser. The lecture `lectures/01_mixture_models.ipynb` explains every idea used here.
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
# the old ones, as in `torch.zeros(3, dtype=x.dtype)`. Counts, costs, durations and log-likelihoods are plain Python
# numbers; where one number is asked for, return a number or a tensor with one element. Do not change the arguments.
# Your functions work for any number of points N, dimensions D and components K, without loops over points if you can.
# The point is to write them yourself: `course_lib.mixture` has them all, and cannot be imported while your notebook is
# graded.
#
# An answer that is right in ordinary cases and fails only at extreme inputs gets half the points.
#
# Each exercise states its difficulty (1 to 5), the minutes it takes, and its points. There are 39 points that are
# checked by the computer and 7 that a person marks.

# %% setup="imports"
import math

import matplotlib.pyplot as plt
import torch

from autograder import check, hint, when_answered
from course_lib import plots
from course_lib.data import old_faithful

plots.use_style()
x = old_faithful()
print(
    f"{x.shape[0]} eruptions, {x.shape[1]} numbers each: duration and waiting time, both in minutes"
)

# %% [markdown]
# ## Notation
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $x_n$ | `x` | (N, D) | observed point number n |
# | $z_n$ | `labels` | (N,) | the hidden component that made it: $1 \dots K$ in formulas, 0 … K−1 in code |
# | $\pi_k$ | `weights` | (K,) | probability of component k; they sum to 1 |
# | $\eta_k$ | `logits` | (K,) | any real numbers, with $\pi = \mathrm{softmax}(\eta)$ |
# | $\mu_k$ | `loc` | (K, D) | mean of component k |
# | $\log\sigma_k$ | `log_scale` | (K, D) | logarithm of its standard deviations, if the coordinates are independent |
# | $\Sigma_k$ | `covariance` | (K, D, D) | its covariance matrix, otherwise |
# | $L_k$ | `scale_tril` | (K, D, D) | the lower triangular matrix with $L_k L_k^\top = \Sigma_k$ |
# | $r_{nk}$ | `resp` | (N, K) | responsibility of component k for point n |
#
# All logarithms are natural, so log-likelihoods are in nats.

# %% [markdown]
# # Part A. Densities
#
# ## A1. One Gaussian, independent coordinates
#
# *Difficulty 1, 10 minutes, 2 points.*
#
# Write the log-density of a Gaussian whose D coordinates are independent:
#
# $$\log \mathcal N(x \mid \mu, \sigma) = \sum_{d=1}^{D} \left[ -\frac{(x_d-\mu_d)^2}{2\sigma_d^2} - \log\sigma_d - \tfrac12 \log 2\pi \right]$$
#
# The argument `log_scale` holds $\log\sigma_d$. That is neither $\sigma_d$ nor $\log\sigma_d^2$.


# %% solution="log_gaussian"
def log_gaussian(x, loc, log_scale):
    """Log-density of each point, in nats: x (N, D), loc (D,), log_scale (D,) -> (N,)."""
    ### BEGIN SOLUTION
    standardised = (x - loc) / torch.exp(log_scale)
    per_coordinate = -0.5 * standardised**2 - log_scale - 0.5 * math.log(2 * math.pi)
    return per_coordinate.sum(dim=-1)
    ### END SOLUTION


# %% tests="check-log_gaussian" points=2
check(log_gaussian)

# %% [markdown]
# ## A2. One Gaussian, full covariance
#
# *Difficulty 2, 15 minutes, 3 points.*
#
# Long eruptions are followed by long waits, so the two coordinates are not independent. The covariance is given by
# its Cholesky factor $L$, a lower triangular matrix with $LL^\top = \Sigma$:
#
# $$\log \mathcal N(x \mid \mu, \Sigma) = -\tfrac12 \lVert u \rVert^2 - \log\lvert\det L\rvert - \tfrac{D}{2}\log 2\pi, \qquad L\,u = x-\mu$$
#
# Do not invert a matrix: `torch.linalg.solve_triangular` solves $Lu = x-\mu$. And do not compute the determinant first and
# its logarithm then: in many dimensions the determinant is too small for a number, while its logarithm is not.


# %% solution="log_gaussian_full"
def log_gaussian_full(x, loc, scale_tril):
    """Log-density of each point, in nats: x (N, D), loc (D,), scale_tril (D, D) -> (N,)."""
    ### BEGIN SOLUTION
    whitened = torch.linalg.solve_triangular(scale_tril, (x - loc).T, upper=False)
    log_det = scale_tril.diagonal().log().sum()
    return -0.5 * (whitened**2).sum(dim=0) - log_det - 0.5 * len(loc) * math.log(2 * math.pi)
    ### END SOLUTION


# %% tests="check-log_gaussian_full" points=3
check(log_gaussian_full)

# %% [markdown]
# ## A3. The mixture
#
# *Difficulty 2, 15 minutes, 3 points. Uses A1 or a density of your own.*
#
# A mixture first draws a component, then a point from it. Nobody tells you the component, so you sum over it:
#
# $$\log p(x) = \log \sum_{k=1}^{K} \pi_k\, \mathcal N(x \mid \mu_k, \sigma_k), \qquad \pi = \mathrm{softmax}(\eta)$$
#
# Far from every component all the terms underflow to zero. Your function must still give a finite number there.


# %% solution="log_mixture"
def log_mixture(x, logits, loc, log_scale):
    """Log-density of each point: x (N, D), logits (K,), loc (K, D), log_scale (K, D) -> (N,)."""
    ### BEGIN SOLUTION
    standardised = (x[:, None, :] - loc) / torch.exp(log_scale)
    log_component = (-0.5 * standardised**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(dim=-1)
    return torch.logsumexp(torch.log_softmax(logits, dim=-1) + log_component, dim=-1)
    ### END SOLUTION


# %% tests="check-log_mixture" points=3
check(log_mixture)

# %% [markdown]
# **Look at it.** The cell draws your density over the eruptions. There should be two hills, and no hill in the corners
# between them.

# %% setup="draw-mixture"
from course_lib import mixture

with when_answered(log_mixture):
    two_hills = mixture.fit_em(
        x, 2, diagonal=True, generator=torch.Generator().manual_seed(0)
    ).params
    figure, axes = plt.subplots(figsize=(5, 4))
    plots.draw_eruptions(axes, x)
    plots.draw_log_density(
        axes,
        lambda points: log_mixture(
            points, two_hills.weights.log(), two_hills.loc, 0.5 * two_hills.covariance.log()
        ),
    )

# %% [markdown]
# ## A4. Responsibilities
#
# *Difficulty 2, 15 minutes, 3 points.*
#
# Which component made the point? Bayes' rule answers with a probability for each:
#
# $$r_{nk} = p(z_n = k \mid x_n) = \frac{\pi_k\, \mathcal N(x_n \mid \mu_k, \sigma_k)}{\sum_j \pi_j\, \mathcal N(x_n \mid \mu_j, \sigma_j)}$$
#
# Here too, a point far from everything has responsibilities that sum to one, not 0/0.


# %% solution="responsibilities"
def responsibilities(x, logits, loc, log_scale):
    """Responsibilities: x (N, D), logits (K,), loc (K, D), log_scale (K, D) -> (N, K)."""
    ### BEGIN SOLUTION
    standardised = (x[:, None, :] - loc) / torch.exp(log_scale)
    log_component = (-0.5 * standardised**2 - log_scale - 0.5 * math.log(2 * math.pi)).sum(dim=-1)
    return torch.softmax(logits + log_component, dim=-1)
    ### END SOLUTION


# %% tests="check-responsibilities" points=3
check(responsibilities)

# %% [markdown]
# # Part B. Fitting
#
# ## B1. Predict before you compute
#
# *1 point for a number.*
#
# The best single Gaussian on the 272 eruptions has the log-likelihood −1289.80. How many nats **for each eruption** does
# the best two-component mixture gain over it? Look at the scatter plot in the lecture, think, and commit to a number.
# Part B2 computes it. You get the point for the commitment, not for being right; any gain from 0 to 5 nats will do.


# %% solution="predict_second_component"
def predict_second_component():
    """Your prediction: nats for each eruption that a second component gains."""
    ### BEGIN SOLUTION
    return 0.6
    ### END SOLUTION


# %% tests="check-predict_second_component" points=1
check(predict_second_component)

# %% [markdown]
# ## B2. One step of EM
#
# *Difficulty 3, 30 minutes, 5 points.*
#
# The E-step computes responsibilities with the current parameters. The M-step then takes weighted averages, with
# $N_k = \sum_n r_{nk}$:
#
# $$\begin{aligned} \pi_k &= \frac{N_k}{N} \\ \mu_k &= \frac1{N_k} \sum_n r_{nk}\, x_n \\ \Sigma_k &= \frac1{N_k} \sum_n r_{nk}\, (x_n-\mu_k)(x_n-\mu_k)^\top \end{aligned}$$
#
# The covariance uses the **new** means. Add nothing to it: this is the plain maximum likelihood step.


# %% solution="em_step"
def em_step(x, weights, loc, covariance):
    """One EM step: x (N, D), weights (K,), loc (K, D), covariance (K, D, D) -> the three, updated."""
    ### BEGIN SOLUTION
    gaussians = torch.distributions.MultivariateNormal(loc, covariance)
    resp = torch.softmax(weights.log() + gaussians.log_prob(x[:, None, :]), dim=-1)
    counts = resp.sum(dim=0)
    new_loc = resp.T @ x / counts[:, None]
    centred = x[:, None, :] - new_loc
    new_covariance = torch.einsum("nk,nki,nkj->kij", resp, centred, centred) / counts[:, None, None]
    return counts / len(x), new_loc, new_covariance
    ### END SOLUTION


# %% tests="check-em_step" points=5
check(em_step)

# %% [markdown]
# **Look at it.** Your step, repeated from a bad start. The printed gain is the answer to B1.

# %% setup="run-em"
from course_lib import mixture

with when_answered(em_step):
    start = mixture.init_params(x, 2, generator=torch.Generator().manual_seed(3))
    params = start.weights, start.loc, start.covariance
    for _ in range(100):
        params = em_step(x, *params)
    fitted = mixture.MixtureParams(weights=params[0], loc=params[1], covariance=params[2])
    log_likelihood = mixture.log_likelihood(x, fitted).item()
    print(f"log-likelihood after 100 of your steps: {log_likelihood:.2f}  (best known: −1130.26)")
    print(
        f"gain over one Gaussian: {(log_likelihood + 1289.80) / len(x):.3f} nats for each eruption"
    )
    figure, axes = plt.subplots(figsize=(5, 4))
    plots.draw_eruptions(axes, x, resp=mixture.responsibilities(x, fitted))
    plots.draw_components(axes, fitted)

# %% [markdown]
# ## B3. Derive the weight update
#
# *By hand, 15 minutes, 4 points, marked by a person.*
#
# The M-step maximises $Q(\pi) = \sum_n \sum_k r_{nk} \log \pi_k$ over weights that sum to one. Show that the maximum is
# at $\pi_k = N_k / N$. Use a Lagrange multiplier, find its value, and say in one sentence why this is a maximum and not
# a minimum.

# %% [markdown] manual="derive-weights-update" points=4
# **Model answer.** Write $Q(\pi) = \sum_k N_k \log \pi_k$ with $N_k = \sum_n r_{nk}$. The Lagrangian is
#
# $$\mathcal L(\pi, \lambda) = \sum_k N_k \log \pi_k + \lambda \Big(1 - \sum_k \pi_k\Big)$$
#
# Its derivative with respect to $\pi_k$ vanishes where $N_k / \pi_k = \lambda$, that is $\pi_k = N_k / \lambda$.
# Summing over $k$ gives $1 = \sum_k N_k / \lambda = N / \lambda$, because each row of responsibilities sums to one. So
# $\lambda = N$ and $\pi_k = N_k / N$. The logarithm is concave and the constraint is linear, so the stationary point is
# the maximum.
#
# **Marking scheme.** 1 point: $Q$ written with $N_k$, or the sum over n carried along correctly. 1 point: Lagrangian and
# its derivative. 1 point: $\lambda = N$ found from the constraint, with the reason that responsibilities sum to one.
# 1 point: an argument for a maximum (concavity, or the inequality $\mathrm{KL} \ge 0$).

# %% [markdown]
# ## B4. Gradient ascent instead of EM
#
# *Difficulty 3, 30 minutes, 4 points.*
#
# Reach the same maximum with an optimiser of your choice. The parameters are constrained: weights live on the simplex
# and covariances are positive definite. So optimise free numbers and map them: logits through a softmax, and a lower
# triangular matrix with the exponential on its diagonal.
#
# You get a start and return the fitted parameters. The check runs your function on Old Faithful and on made-up data,
# and wants the log-likelihood within 0.05 nats of the maximum that EM finds from the same start. On standardised data
# L-BFGS needs some dozens of steps and Adam about a thousand, which takes a second or two. L-BFGS wants tensors that lie in
# memory in order, and `torch.linalg.cholesky` gives one that does not: call `.contiguous()` on it.


# %% solution="fit_mixture_by_gradient"
def fit_mixture_by_gradient(x, weights, loc, covariance):
    """Maximum likelihood by gradient from this start; gives (weights, loc, covariance) in x's units."""
    ### BEGIN SOLUTION
    centre, spread = x.mean(dim=0), x.std(dim=0)
    scaled = (x - centre) / spread
    tril = torch.linalg.cholesky(covariance / spread / spread[:, None])
    logits = weights.log().clone().requires_grad_()
    means = ((loc - centre) / spread).requires_grad_()
    log_diagonal = tril.diagonal(dim1=-2, dim2=-1).log().clone().requires_grad_()
    below = tril.tril(-1).clone().requires_grad_()

    def scale_tril():
        return below.tril(-1) + torch.diag_embed(log_diagonal.exp())

    optimiser = torch.optim.LBFGS(
        [logits, means, log_diagonal, below],
        max_iter=300,
        tolerance_grad=1e-8,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    def loss():
        optimiser.zero_grad()
        gaussians = torch.distributions.MultivariateNormal(means, scale_tril=scale_tril())
        log_joint = torch.log_softmax(logits, dim=-1) + gaussians.log_prob(scaled[:, None, :])
        value = -torch.logsumexp(log_joint, dim=-1).mean()
        value.backward()
        return value

    optimiser.step(loss)
    factor = spread[:, None] * scale_tril().detach()
    return torch.softmax(logits.detach(), -1), centre + spread * means.detach(), factor @ factor.mT
    ### END SOLUTION


# %% tests="check-fit_mixture_by_gradient" points=4
check(fit_mixture_by_gradient)

# %% [markdown]
# # Part C. Using the model
#
# ## C1. Sample from it
#
# *Difficulty 2, 15 minutes, 3 points.*
#
# Draw `num_samples` points. For each one, first draw a component $z$ with the probabilities `weights`, then draw
# $x = \mu_z + L_z\,\varepsilon$ with $\varepsilon$ standard normal. Return the points and the components, row by row.
# Take all randomness from `generator`, so that the same seed gives the same sample. The order of the rows is up to you.


# %% solution="sample_mixture"
def sample_mixture(num_samples, weights, loc, scale_tril, generator):
    """Draw points and their components: -> x (num_samples, D), labels (num_samples,)."""
    ### BEGIN SOLUTION
    labels = torch.multinomial(weights, num_samples, replacement=True, generator=generator)
    noise = torch.randn(num_samples, loc.shape[1], generator=generator, dtype=loc.dtype)
    return loc[labels] + (scale_tril[labels] @ noise[:, :, None])[:, :, 0], labels
    ### END SOLUTION


# %% tests="check-sample_mixture" points=3
check(sample_mixture)

# %% [markdown]
# ## C2. The Bayesian information criterion
#
# *Difficulty 1, 10 minutes, 2 points.*
#
# More components always fit better. The BIC charges for them (Schwarz 1978):
#
# $$\mathrm{BIC} = -2\,\ell + p \log N$$
#
# Here $\ell$ is the log-likelihood of all N points and $p$ the number of **free** parameters of a mixture of K Gaussians in D
# dimensions with full covariances. Lower is better. Count $p$ with care: the weights sum to one, and a covariance matrix
# is symmetric.


# %% solution="bic"
def bic(log_likelihood, num_components, dim, num_points):
    """BIC of a full-covariance mixture; lower is better."""
    ### BEGIN SOLUTION
    per_component = dim + dim * (dim + 1) // 2
    num_parameters = num_components - 1 + num_components * per_component
    return -2 * log_likelihood + num_parameters * math.log(num_points)
    ### END SOLUTION


# %% tests="check-bic" points=2
check(bic)

# %% [markdown]
# ## C3. Choose K
#
# *Difficulty 1, 5 minutes, 1 point. Uses C2.*
#
# You fitted mixtures with 1, 2, 3, … components. `log_likelihoods[0]` belongs to one component,
# `log_likelihoods[1]` to two, and so on. Return the number of components with the lowest BIC, as an integer.


# %% solution="choose_num_components"
def choose_num_components(log_likelihoods, dim, num_points):
    """Number of components with the lowest BIC; log_likelihoods[k - 1] belongs to k components."""
    ### BEGIN SOLUTION
    scores = [bic(value, k, dim, num_points) for k, value in enumerate(log_likelihoods, start=1)]
    return 1 + scores.index(min(scores))
    ### END SOLUTION


# %% tests="check-choose_num_components" points=1
check(choose_num_components)

# %% [markdown]
# ## C4. A fit that cannot collapse
#
# *Difficulty 4, 30 minutes, 4 points. Uses B2.*
#
# The likelihood of a mixture has no maximum: put a component on a single point, let its width go to zero, and the
# log-likelihood grows for ever. Durations and waiting times are rounded, so duplicated points exist, and EM can fall
# into this hole. Points on a line and a component that owns no points break it too.
#
# Run `num_steps` steps of EM from the given start, with a remedy of your own: a floor under the eigenvalues, a
# prior on the covariances, or a restart of a collapsed component. The check wants
#
# - finite numbers, weights on the simplex, and K proper covariance matrices, on duplicated points, on a line and with an
#   empty component, **in whatever unit** the data is measured (so a floor in absolute numbers will not do), with no
#   variance in any direction below a billionth of the data's;
# - the other components fitted as ever, while one is held back;
# - a fit of healthy data that is as good as before: within half a nat of plain EM, and every parameter within 1 %.


# %% solution="fit_without_collapse"
def fit_without_collapse(x, weights, loc, covariance, num_steps):
    """EM that stays finite; x (N, D) and a start -> (weights, loc, covariance) after num_steps steps."""
    ### BEGIN SOLUTION
    # a prior worth a fiftieth of a point, as wide as a thousandth of the data's variance
    prior_count, prior_covariance = 0.02, 1e-3 * torch.diag(x.var(dim=0))
    for _ in range(num_steps):
        gaussians = torch.distributions.MultivariateNormal(loc, covariance)
        resp = torch.softmax(weights.log() + gaussians.log_prob(x[:, None, :]), dim=-1)
        counts = resp.sum(dim=0)
        # an empty component keeps its mean: the prior's pull is tiny beside one point's
        pull = 1e-6
        loc = (resp.T @ x + pull * loc) / (counts + pull)[:, None]
        centred = x[:, None, :] - loc
        scatter = torch.einsum("nk,nki,nkj->kij", resp, centred, centred)
        covariance = (scatter + prior_count * prior_covariance) / (counts + prior_count)[
            :, None, None
        ]
        weights = (counts + pull) / (counts + pull).sum()
    return weights, loc, covariance
    ### END SOLUTION


# %% tests="check-fit_without_collapse" points=4
check(fit_without_collapse)

# %% [markdown]
# ## C5. Why there is no maximum
#
# *In words, 10 minutes, 3 points, marked by a person.*
#
# Explain in a few sentences: why does the likelihood of a mixture of two Gaussians grow without limit, while that of a
# single Gaussian does not? What does your remedy of C4 assume about the world? Name one sign by which you would notice a
# collapsed component in practice.

# %% [markdown] manual="explain-singularity" points=3
# **Model answer.** Let one component sit on a data point and let its width $\sigma$ go to zero. At that point its density
# grows like $\sigma^{-D}$. The second component is broad and gives every other point a density that does not vanish, so the product
# over all points goes to infinity. A single Gaussian has no second component to look after the other points: their
# density falls like $\exp(-d^2/2\sigma^2)$, faster than $\sigma^{-D}$ grows at the one point. A floor or prior assumes that
# no real cluster is narrower than some width, for instance the rounding of the measurements. Signs: a component with a
# weight near 1/N, a variance that shrinks at every step, a log-likelihood that jumps, a training score far above
# the held-out score.
#
# **Marking scheme.** 1 point: the density at the point diverges while the other component keeps the rest finite, and why one
# Gaussian cannot. 1 point: the assumption behind the remedy. 1 point: a sign that can be observed.

# %% [markdown]
# # Part D. When to come back
#
# You have just watched an eruption that lasted $d$ minutes. You may leave and return after $t$ minutes. If the geyser needs
# $W$ minutes and you are early, you wait $W - t$ minutes. If you are late, you missed it by $t - W$ minutes.
#
# ## D1. The waiting time after this eruption
#
# *Difficulty 3, 20 minutes, 3 points.*
#
# Given the duration, the waiting time is again a mixture of Gaussians, now in one dimension. For component $k$ with mean
# $(\mu_{k1}, \mu_{k2})$ and covariance entries $\Sigma_{k,ij}$, where 1 is the duration and 2 the waiting time (columns 0 and 1
# in code):
#
# $$\begin{aligned} \tilde\pi_k &\propto \pi_k\, \mathcal N(d \mid \mu_{k1}, \Sigma_{k,11}) \\ \tilde\mu_k &= \mu_{k2} + \frac{\Sigma_{k,21}}{\Sigma_{k,11}}\,(d - \mu_{k1}) \\ \tilde\sigma_k^2 &= \Sigma_{k,22} - \frac{\Sigma_{k,21}^2}{\Sigma_{k,11}} \end{aligned}$$
#
# Here $\mathcal N(d \mid \mu, \Sigma)$ takes a variance. Return the standard deviations $\tilde\sigma_k$, not the variances.
# The argument `duration` is a plain number of minutes.


# %% solution="conditional_waiting"
def conditional_waiting(duration, weights, loc, covariance):
    """Mixture of the waiting time given one duration: -> weights (K,), loc (K,), scale (K,)."""
    ### BEGIN SOLUTION
    var_duration, cross, var_waiting = covariance[:, 0, 0], covariance[:, 1, 0], covariance[:, 1, 1]
    log_density = torch.distributions.Normal(loc[:, 0], var_duration.sqrt()).log_prob(
        torch.as_tensor(duration, dtype=loc.dtype)
    )
    new_weights = torch.softmax(weights.log() + log_density, dim=0)
    new_loc = loc[:, 1] + cross / var_duration * (duration - loc[:, 0])
    return new_weights, new_loc, (var_waiting - cross**2 / var_duration).sqrt()
    ### END SOLUTION


# %% tests="check-conditional_waiting" points=3
check(conditional_waiting)

# %% [markdown]
# ## D2. Predict before you compute
#
# *1 point for a number of minutes from 20 to 120.*
#
# The eruption lasted 2 minutes. A minute too late costs you nine times as much as a minute of waiting. After how many
# minutes do you come back? The mean waiting time after such an eruption is about 54 minutes.


# %% solution="predict_return_time"
def predict_return_time():
    """Your prediction, in minutes after a 2-minute eruption."""
    ### BEGIN SOLUTION
    return 47.0
    ### END SOLUTION


# %% tests="check-predict_return_time" points=1
check(predict_return_time)

# %% [markdown]
# ## D3. The best time to return
#
# *Difficulty 3, 25 minutes, 4 points. Uses D1.*
#
# Waiting costs `cost_wait` for each minute, coming too late costs `cost_miss` for each minute. Return the time $t$ with the
# lowest expected cost, within 0.05 minutes:
#
# $$C(t) = c_\mathrm{wait}\, \mathbb E[\max(W - t, 0)] + c_\mathrm{miss}\, \mathbb E[\max(t - W, 0)]$$
#
# Think first: at the best $t$ the derivative of $C$ is zero. What does that say about the probability $P(W \le t)$?


# %% solution="best_return_time"
def best_return_time(duration, weights, loc, covariance, cost_wait, cost_miss):
    """Time in minutes after the eruption at which to return, with the lowest expected cost."""
    ### BEGIN SOLUTION
    pi, mean, scale = conditional_waiting(duration, weights, loc, covariance)
    level = cost_wait / (cost_wait + cost_miss)
    low, high = (mean - 12 * scale).min(), (mean + 12 * scale).max()
    for _ in range(60):
        middle = (low + high) / 2
        below = (pi * torch.special.ndtr((middle - mean) / scale)).sum() < level
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return middle
    ### END SOLUTION


# %% tests="check-best_return_time" points=4
check(best_return_time)

# %% [markdown]
# **Look at it.** Your best time for every duration, for three pairs of costs.

# %% setup="draw-decision"
from course_lib import mixture

with when_answered(best_return_time):
    best = mixture.fit_em(x, 2, generator=torch.Generator().manual_seed(0)).params
    durations = torch.linspace(1.5, 5.2, 60, dtype=x.dtype)
    figure, axes = plt.subplots(figsize=(5.5, 4))
    plots.draw_eruptions(axes, x)
    for cost_miss in (1.0, 9.0, 99.0):
        times = [
            float(best_return_time(d, best.weights, best.loc, best.covariance, 1.0, cost_miss))
            for d in durations.tolist()
        ]
        axes.plot(
            durations, times, label=f"a minute too late costs {cost_miss:.0f} × a minute of waiting"
        )
    axes.legend(fontsize="small")

# %% [markdown]
# # What you built
#
# A density with a hidden variable, two ways to fit it, and three ways to use it: sampling, choosing its size, and
# deciding under uncertainty. In every step the hidden variable was summed out, because K terms are few. Unit 02 asks what
# happens when they are not.
