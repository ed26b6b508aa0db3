# %% [markdown]
# # Exercise 04 · What compression learns
#
# You build an autoencoder and prove that its narrow place is narrow. You show that a linear one finds the same plane as
# principal component analysis, you repair noisy points and read the slope of a log-density off the repair, and you look
# for holes between the codes. Then you put the codes to work: to find bad parts, to classify with few labels, to cluster.
# The lecture `lectures/04_autoencoders.ipynb` explains every idea used here.
#
# **How it works.** Each exercise asks for one function, or for one class.
#
# 1. Replace the line `raise NotImplementedError` by your answer and run the cell.
# 2. Run the cell below it, `check(your_function)`. It tries your function on fresh random inputs and says what it
#    found. Check as often as you like.
# 3. Stuck? Type `hint(your_function)` into a new cell. There are three hints: the principle, the place, and nearly
#    the code. The second and the third open after one more check each.
#
# **Rules.** Arrays come and go as torch tensors, in float64, now and then in float32: give new tensors the type of
# the old ones, as in `torch.zeros(3, dtype=x.dtype)`. Where one number is asked for, return a number or a tensor with one
# element. Do not change the arguments. Where an argument is a function, it takes tensors and gives tensors, and no
# gradient flows through it. Ask it for many points at once, as a tensor, but for at
# most 20 000 numbers in one call. All randomness comes from the arguments: from noise that you are given, or from `generator`.
# Draw with `generator=generator` itself: a second call with the same generator must draw something new, so do not seed anew from
# `generator.initial_seed()`, which never changes.
# The point is to write the functions yourself: `course_lib.autoencoder` and its neighbours have them all, and cannot be
# imported while your notebook is graded.
#
# An answer that is right in ordinary cases and fails only at extreme inputs gets half the points.
#
# Each exercise states its difficulty (1 to 5), the minutes it takes, and its points. There are 42 points that are
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
# | $\hat x$, $\tilde x$ | `x_hat`, `x_noisy` | (N, D) | reconstruction of $x$; corrupted $x$ |
# | $z_n$ | `codes` | (N, M) | the code of a point: M numbers |
# | $f_\phi$, $g_\theta$ | `encode`, `decode` | | the maps from $x$ to $z$ and from $z$ to $x$ |
# | $\sigma$ | `noise_scale` | number | standard deviation of the noise |
# | $r$ | `reconstruct`, `denoise` | | from a (damaged) point to its repair, in Part B |
# | $t$ | `tolerance` | number | how far a code may come back and still count, in Part C |

# %% [markdown]
# # Part A. A narrow place
#
# ## A1. Build an autoencoder
#
# *Difficulty 3, 35 minutes, 4 points.*
#
# Write a class with an encoder from D values to a code of M numbers, a decoder back, and a loss. All of it is in float32,
# torch's default. It is built as `Autoencoder(dim=…, latent_dim=…, hidden=…)`. The check wants:
#
# - `encode(x)`: (N, D) → (N, M), `decode(z)`: (N, M) → (N, D), and `forward(x)`, which is `decode(encode(x))` and nothing more:
#   the rank of its Jacobian, even before training, is at most M everywhere and M somewhere, because nothing passes beside the code;
# - in each half at least one hidden layer with a nonlinear function of your choice; `hidden` is its width. How many layers there are is up to you;
# - nothing after the last layer of a half that limits its values, such as a ReLU, a sigmoid, a tanh or a clamp, and nothing that brings all codes to one length;
# - a start of its own for each module: no seed in `__init__`;
# - in evaluation a code depends on its own point alone, and nothing is random;
# - `loss(x)`: the mean of $(\hat x_{nd} - x_{nd})^2$ over points **and** values, one number;
# - after 150 steps of Adam with a learning rate of 0.02, each on all 128 points of a half circle in four dimensions, with a code of a single number and
#   `hidden=32`, a squared error of less than 90 % of what the best straight line leaves, from one of five random starts.


# %% solution="Autoencoder"
class Autoencoder(nn.Module):
    """Encoder and decoder with a code of latent_dim numbers between them."""

    def __init__(self, dim, latent_dim, hidden):
        ### BEGIN SOLUTION
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(dim, hidden), nn.ReLU(), nn.Linear(hidden, latent_dim)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent_dim, hidden), nn.ReLU(), nn.Linear(hidden, dim)
        )
        ### END SOLUTION

    def encode(self, x):
        """Codes: x (N, D) -> (N, M)."""
        ### BEGIN SOLUTION
        return self.encoder(x)
        ### END SOLUTION

    def decode(self, z):
        """Points: z (N, M) -> (N, D)."""
        ### BEGIN SOLUTION
        return self.decoder(z)
        ### END SOLUTION

    def forward(self, x):
        """Reconstructions: x (N, D) -> (N, D)."""
        ### BEGIN SOLUTION
        return self.decode(self.encode(x))
        ### END SOLUTION

    def loss(self, x):
        """Mean squared error per value: x (N, D) -> one number."""
        ### BEGIN SOLUTION
        return (self(x) - x).square().mean()
        ### END SOLUTION


# %% tests="check-Autoencoder" points=4
check(Autoencoder)

# %% [markdown]
# **Look at it.** Points of a noisy spiral, the best straight line through them, and the curve that your autoencoder draws
# when you walk along its one-number code. If the curve leaves the points somewhere, it crosses codes there that no point has.

# %% setup="draw-curve"
with when_answered(Autoencoder):
    torch.manual_seed(0)
    angle = torch.linspace(0.5, 2.2 * math.pi, 200)
    spiral = torch.stack((angle * angle.cos(), angle * angle.sin()), dim=1) / 3
    points = spiral + 0.05 * torch.randn(200, 2)
    model = Autoencoder(dim=2, latent_dim=1, hidden=64)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(1500):
        optimiser.zero_grad()
        model.loss(points).backward()
        optimiser.step()
    with torch.no_grad():
        codes = model.encode(points)
        walk = model.decode(torch.linspace(codes.min(), codes.max(), 300)[:, None])
    centre = points.mean(0)
    direction = torch.linalg.svd(points - centre)[2][0]
    line = centre + torch.tensor([[-2.4], [2.4]]) * direction
    figure, axes = plt.subplots(figsize=(4.6, 4.2))
    axes.plot(*points.T, ".", color="0.6", markersize=4, label="points")
    axes.plot(*line.T, "--", label="best line")
    axes.plot(*walk.T, label="your decoder")
    axes.set_xlabel("first value")
    axes.set_ylabel("second value")
    axes.set_aspect("equal")
    axes.legend(fontsize="small", loc="center left", bbox_to_anchor=(1, 0.5))

# %% [markdown]
# ## A2. A linear autoencoder finds the principal plane
#
# *Difficulty 3, 40 minutes, 3 points.*
#
# Take the nonlinear functions away. Then the encoder is $z = A(x - b)$, the decoder $\hat x = Wz + b$, and the smallest mean
# squared error is that of principal component analysis. Show it by numbers: train the linear autoencoder, by a gradient method of your
# choice, and compare it with PCA. Return a tuple of four:
#
# 1. `decoder` (D, M), the matrix $W$ after training;
# 2. `angle`, the **largest** principal angle between the plane that the columns of $W$ span and that of the first M principal
#    components, in degrees. If $Q_1$ and $Q_2$ are orthonormal bases of the two planes, the singular values of $Q_1^\top Q_2$ are the
#    cosines of the angles. Rounding may leave one just above 1, whose arc cosine is NaN: limit it;
# 3. `mse_ae`, the mean squared error of the trained autoencoder over points and values;
# 4. `mse_pca`, the same for PCA.
#
# The points are 120 in up to seven dimensions, in float64. They do **not** lie around the origin, values are below 10, the M directions
# that count have standard deviations between 1 and 1.6, the others at most 0.5. The planes must agree within 2° and the errors
# within 1 %; `mse_pca` must be exact to 0.002 %, and `angle` that of your decoder (to 0.05° and 0.1 %). In one of the data sets
# six directions vary nearly alike and M is 3. There the plane is hardly determined: the angle may be anything, and only has to be
# measured right. Draw the start from `generator`: the same seed must give the same decoder, and another start another one. There are five trainings in a check, of
# which each should take less than half a second.


# %% solution="linear_ae_vs_pca"
def linear_ae_vs_pca(x, latent_dim, generator):
    """Trains a linear autoencoder on x (N, D) -> decoder (D, M), angle in degrees, mse_ae, mse_pca."""
    ### BEGIN SOLUTION
    dim = x.shape[1]
    encoder = 0.3 * torch.randn(latent_dim, dim, generator=generator, dtype=x.dtype)
    decoder = 0.3 * torch.randn(dim, latent_dim, generator=generator, dtype=x.dtype)
    bias = x.mean(dim=0)
    weights = [part.requires_grad_() for part in (encoder, decoder, bias)]

    def loss():
        return ((x - bias) @ encoder.T @ decoder.T + bias - x).square().mean()

    num_steps = 600
    optimiser = torch.optim.Adam(weights, lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, num_steps)
    for _ in range(num_steps):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
        schedule.step()

    decoder = decoder.detach()
    _, singular, directions = torch.linalg.svd(x - x.mean(dim=0), full_matrices=False)
    own, principal = (torch.linalg.qr(part)[0] for part in (decoder, directions[:latent_dim].T))
    cosines = torch.linalg.svdvals(own.T @ principal).clamp(max=1)
    angle = torch.rad2deg(torch.acos(cosines.min()))
    return decoder, angle, loss().detach(), singular[latent_dim:].square().sum() / x.numel()
    ### END SOLUTION


# %% tests="check-linear_ae_vs_pca" points=3
check(linear_ae_vs_pca)

# %% [markdown]
# # Part B. Repairing what is damaged
#
# ## B1. Predict before you compute
#
# *1 point for a number from 0 to 100.*
#
# Images of 784 values lie in a plane of 20 dimensions. Each value gets independent Gaussian noise, and each noisy image
# is then moved to the nearest place of the plane. How many **per cent** of the squared length of the noise are left, on average? You get the point for the
# commitment, not for being right. The cell at the end of B2 measures it.


# %% solution="predict_noise_kept"
def predict_noise_kept():
    """Your prediction: share of the noise's squared length that the repair leaves, in per cent."""
    ### BEGIN SOLUTION
    return 100 * 20 / 784
    ### END SOLUTION


# %% tests="check-predict_noise_kept" points=1
check(predict_noise_kept)

# %% [markdown]
# ## B2. Two kinds of damage
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# Return a damaged copy of `x`, which has any shape; `kind` is one of two words.
#
# - `"gaussian"`: add to every value normal noise of its own, with the mean 0 and the standard deviation `level`, which is not
#   negative. Do not clip.
# - `"dropout"`: set every value to 0 with the probability `level`, from 0 to 1, both included, each on its own. What is kept stays as it
#   is: it is **not** rescaled.
#
# The result has the type of `x`. Everything random comes from `generator`; in which order you draw is up to you.


# %% solution="corrupt"
def corrupt(x, kind, level, generator):
    """A damaged copy: x of any shape -> the same shape and type."""
    ### BEGIN SOLUTION
    if kind == "gaussian":
        return x + level * torch.randn(x.shape, generator=generator, dtype=x.dtype)
    lost = torch.rand(x.shape, generator=generator, dtype=x.dtype) < level
    return torch.where(lost, 0.0, x)
    ### END SOLUTION


# %% tests="check-corrupt" points=2
check(corrupt)

# %% [markdown]
# **Look at it.** The plane of B1, with your noise: how much of it survives the repair?

# %% setup="measure-noise"
with when_answered(corrupt):
    generator = torch.Generator().manual_seed(0)
    plane, _ = torch.linalg.qr(torch.randn(784, 20, generator=generator, dtype=torch.float64))
    clean = torch.randn(500, 20, generator=generator, dtype=torch.float64) @ plane.T
    damaged = corrupt(clean, "gaussian", 0.5, generator)
    left = damaged @ plane @ plane.T - clean
    share = left.square().sum() / (damaged - clean).square().sum()
    print(f"{100 * share.item():.2f} % of the noise's squared length are left in the plane")

# %% [markdown]
# ## B3. The denoising loss
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# A denoising autoencoder sees the damaged point $\tilde x$ and is asked for the clean one. The loss is
#
# $$\frac{1}{ND} \sum_{n,d} \big(r(\tilde x_n)_d - x_{nd}\big)^2 \text{ in training}, \qquad \frac{1}{ND} \sum_{n,d} \big(r(x_n)_d - x_{nd}\big)^2 \text{ in evaluation}$$
#
# where $r$ is `reconstruct` and $\tilde x$ is what `corrupt(x)` gives: an argument with the batch as its only argument, not your function of B2. Both are functions of a batch; the first axis counts points,
# and there may be several others. Reconstruct each point once. In training damage each point once; in evaluation do not call `corrupt` at all. Return one number.


# %% solution="denoising_loss"
def denoising_loss(reconstruct, corrupt, x, training):
    """Mean squared error against the clean points: x (N, ...), training True or False -> number."""
    ### BEGIN SOLUTION
    shown = corrupt(x) if training else x
    return (reconstruct(shown) - x).square().mean()
    ### END SOLUTION


# %% tests="check-denoising_loss" points=2
check(denoising_loss)

# %% [markdown]
# ## B4. The slope of the log-density, from a repair
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# Clean points come from some density $p$. Add Gaussian noise with the standard deviation $\sigma$; noisy points have a density
# $p_\sigma$ of their own. Let $r(\tilde x)$ be the best denoiser: the mean of the clean points that a noisy point $\tilde x$ can have come from. Then
#
# $$\nabla \log p_\sigma(\tilde x) = \frac{r(\tilde x) - \tilde x}{\sigma^2}$$
#
# The left side is called the score. Nobody has to know the density: a good repair is enough. Return the score at every point of `x_noisy`, (N, …).
# The argument `denoise` is $r$, takes points (N, …) and gives the same shape; ask it about each point once. `noise_scale` is $\sigma$, a positive
# number, which may be as small as 0.0001.


# %% solution="score_from_denoiser"
def score_from_denoiser(denoise, x_noisy, noise_scale):
    """Gradient of the log-density of noisy points: x_noisy (N, ...) -> the same shape."""
    ### BEGIN SOLUTION
    return (denoise(x_noisy) - x_noisy) / noise_scale**2
    ### END SOLUTION


# %% tests="check-score_from_denoiser" points=2
check(score_from_denoiser)

# %% [markdown]
# **Look at it.** Data on a ring, and the best denoiser for it: the mean of all data points, weighted by how well each explains
# the noisy point. The arrows are your scores, shortened alike.

# %% setup="draw-score"
with when_answered(score_from_denoiser):
    angle = torch.linspace(0, 2 * math.pi, 61, dtype=torch.float64)[:-1]
    ring = torch.stack((angle.cos(), angle.sin()), dim=1)
    noise_scale = 0.4

    def best_denoiser(x):
        distance_sq = (x[:, None] - ring).square().sum(dim=-1)
        return torch.softmax(-distance_sq / (2 * noise_scale**2), dim=1) @ ring

    ticks = torch.linspace(-2, 2, 15, dtype=torch.float64)
    places = torch.cartesian_prod(ticks, ticks)
    score = score_from_denoiser(best_denoiser, places, noise_scale)
    figure, axes = plt.subplots(figsize=(4.4, 4.2))
    axes.quiver(*places.T, *score.T, angles="xy", scale=60, color="C0")
    axes.plot(*ring.T, "o", color="C1", markersize=3)
    axes.set_xlabel("first value")
    axes.set_ylabel("second value")
    axes.set_aspect("equal")

# %% [markdown]
# ## B5. Why it is true
#
# *By hand, 25 minutes, 4 points, marked by a person.*
#
# Prove the formula of B4. Write $\tilde x = x + \sigma\varepsilon$ with $\varepsilon \sim \mathcal N(0, I)$, and let $p(x)$ be the
# density of clean points, so that $p_\sigma(\tilde x) = \int p(x)\, \mathcal N(\tilde x \mid x, \sigma)\, dx$.
#
# 1. Show that the denoiser with the smallest mean squared error is $r(\tilde x) = \mathbb E[x \mid \tilde x]$.
# 2. Differentiate $p_\sigma(\tilde x)$ under the integral, divide by $p_\sigma(\tilde x)$, and find the formula.
# 3. Check it on the simplest case, $p = \mathcal N(0, I)$, by computing both sides.

# %% [markdown] manual="derive-denoiser-score" points=4
# **Model answer.** *1.* For a fixed $\tilde x$ the loss of an answer $r$ is a mean over the clean points that $\tilde x$ can have come
# from. With $m = \mathbb E[x \mid \tilde x]$,
#
# $$\mathbb E\big[\lVert r - x\rVert^2 \mid \tilde x\big] = \lVert r - m\rVert^2 + \mathbb E\big[\lVert m - x\rVert^2 \mid \tilde x\big]$$
#
# because the mixed term $2\,(r - m)^\top\, \mathbb E[m - x \mid \tilde x]$ is zero. The second term does not depend on $r$, so $r = m$ is
# best, for every $\tilde x$ and hence on average.
#
# *2.* The derivative of the noise density is $\nabla_{\tilde x}\, \mathcal N(\tilde x \mid x, \sigma) = \frac{x - \tilde x}{\sigma^2}\, \mathcal N(\tilde x \mid x, \sigma)$. So
#
# $$\nabla \log p_\sigma(\tilde x) = \frac{\nabla p_\sigma(\tilde x)}{p_\sigma(\tilde x)} = \int \frac{x - \tilde x}{\sigma^2}\, \frac{p(x)\, \mathcal N(\tilde x \mid x, \sigma)}{p_\sigma(\tilde x)}\, dx = \frac{\mathbb E[x \mid \tilde x] - \tilde x}{\sigma^2}$$
#
# The fraction under the integral is, by Bayes' rule, the density of $x$ given $\tilde x$; it sums to one, and $\tilde x$ is a constant in it.
#
# *3.* Noisy points are $\mathcal N(0, (1 + \sigma^2) I)$, so the left side is $-\tilde x/(1 + \sigma^2)$. The best repair is
# $\mathbb E[x \mid \tilde x] = \tilde x/(1 + \sigma^2)$, and $\big(\frac{1}{1 + \sigma^2} - 1\big)\tilde x/\sigma^2 = -\tilde x/(1 + \sigma^2)$.
#
# **Marking scheme.** 1 point: the conditional mean is best, with the vanishing mixed term or a derivative set to zero. 1 point: the
# gradient of the noise density, with its sign. 1 point: Bayes' rule turns the integral into a conditional mean. 1 point: both sides of
# the example, computed independently.

# %% [markdown]
# # Part C. Holes
#
# ## C1. How much of the code space is a hole?
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# The decoder answers for every code, also where no data point ever was. Send a code around: decode it, encode the result. If
# it does not come back, the decoder has made something that the encoder takes for something else. Return the share of codes
# for which
#
# $$\lVert f_\phi(g_\theta(z)) - z \rVert > t$$
#
# with the Euclidean length, and $t$ = `tolerance`, a positive number; equality is no hole. The functions `encode` and `decode` take a batch and give a
# batch. Ask about each code once.


# %% solution="hole_fraction"
def hole_fraction(encode, decode, codes, tolerance):
    """Share of codes that do not come back: codes (S, M) -> a number from 0 to 1."""
    ### BEGIN SOLUTION
    distance = torch.linalg.vector_norm(encode(decode(codes)) - codes, dim=-1)
    return (distance > tolerance).double().mean()
    ### END SOLUTION


# %% tests="check-hole_fraction" points=2
check(hole_fraction)

# %% [markdown]
# **Look at it.** Your autoencoder on the handwritten digits, with a code of two numbers. Every place of the map is sent around.
# Dark places do not come back; the dots are the codes of the digits.

# %% setup="draw-holes"
with when_answered(hole_fraction), when_answered(Autoencoder):
    from course_lib.data import digits

    torch.manual_seed(0)
    images, labels = digits(torch.float32)
    model = Autoencoder(dim=64, latent_dim=2, hidden=128)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.005)
    for _ in range(600):
        batch = images[torch.randint(len(images), (256,))]
        optimiser.zero_grad()
        model.loss(batch).backward()
        optimiser.step()
    model.eval()
    with torch.no_grad():
        codes = model.encode(images)
        low, high = codes.min(0).values, codes.max(0).values
        steps = torch.linspace(0, 1, 60)
        grid = low + (high - low) * torch.cartesian_prod(steps, steps)
        jumps = (model.encode(model.decode(grid)) - grid).norm(dim=1).reshape(60, 60)
        tolerance = 0.05 * (high - low).norm().item()
        over_box = hole_fraction(model.encode, model.decode, grid, tolerance)
        over_data = hole_fraction(model.encode, model.decode, codes, tolerance)
    figure, axes = plt.subplots(figsize=(5.6, 4.4))
    extent = [low[0].item(), high[0].item(), low[1].item(), high[1].item()]
    picture = axes.imshow(
        jumps.T, origin="lower", extent=extent, aspect="auto", cmap="Greys", vmax=4 * tolerance
    )
    axes.scatter(*codes.T, c=labels, cmap="tab10", s=4)
    axes.set_xlabel("first number of the code")
    axes.set_ylabel("second number of the code")
    figure.colorbar(picture, label="length of the jump")
    print(
        f"holes: {100 * float(over_box):.0f} % of the map, {100 * float(over_data):.0f} % of the codes of digits"
    )

# %% [markdown]
# # Part D. An alarm for what is not normal
#
# An autoencoder that has seen normal parts only rebuilds normal parts. What it rebuilds badly is suspicious. The idea is
# good, and it is easily spoiled: by a score that depends on its neighbours, by a threshold that has seen the answers, or by
# trust in what it cannot see.
#
# ## D1. A score for each image
#
# *Difficulty 1, 8 minutes, 1 point.*
#
# Return the squared error of each reconstruction, averaged over all values of the image:
#
# $$\mathrm{err}(x_n) = \frac1D \sum_d (\hat x_{nd} - x_{nd})^2, \qquad \hat x = g_\theta(f_\phi(x))$$
#
# The argument `reconstruct` takes a batch and gives $\hat x$ in the same shape. The batch may be flat, (N, D), or hold images,
# (N, C, H, W); in both cases the first axis is the batch. An image's score must not depend on the other images. The values of
# images lie near [0, 1], but nothing needs to be clipped or rescaled. The differences $\hat x - x$ may be as small as $10^{-9}$.


# %% solution="reconstruction_score"
def reconstruction_score(reconstruct, x):
    """Mean squared error of each reconstruction: x (N, ...) -> (N,)."""
    ### BEGIN SOLUTION
    return (reconstruct(x) - x).square().flatten(1).mean(dim=1)
    ### END SOLUTION


# %% tests="check-reconstruction_score" points=1
check(reconstruction_score)

# %% [markdown]
# **Look at it.** Machined parts, rendered by the package, at 16 by 16 pixels. A linear autoencoder with a code of 32 numbers has
# learned from normal ones. Above what it sees, below what it makes of it. The scores are multiplied by 1000.

# %% setup="parts"
from torch.nn.functional import avg_pool2d

from course_lib.data import digits, parts


def small_parts(num_images, **settings):
    """Images (N, 256) in float64, and the kind of each: 0 is normal."""
    found = parts(num_images, **settings)
    return avg_pool2d(found.grid(torch.float64), 2).flatten(1), found.labels


def linear_autoencoder(x, latent_dim):
    """The best linear encoder and decoder for x (N, D), from its principal components."""
    mean = x.mean(0)
    _, vectors = torch.linalg.eigh((x - mean).T @ (x - mean) / len(x))
    components = vectors[:, -latent_dim:]
    return (lambda x: (x - mean) @ components), (lambda z: mean + z @ components.T)


# %% setup="draw-scores"
with when_answered(reconstruction_score):
    encode, decode = linear_autoencoder(small_parts(1000)[0], 32)
    x, kinds = small_parts(60, split="test", defect_share=0.5)
    chosen = torch.cat(((kinds == 0).nonzero()[:3, 0], (kinds > 0).nonzero()[:3, 0]))
    x_hat = decode(encode(x))
    scores = reconstruction_score(lambda x: decode(encode(x)), x)
    figure, axes = plt.subplots(2, 6, figsize=(8, 3.2))
    for column, n in enumerate(chosen.tolist()):
        for row, image in enumerate((x[n], x_hat[n])):
            axes[row, column].imshow(image.reshape(16, 16), cmap="gray", vmin=0, vmax=1)
            axes[row, column].set_axis_off()
        kind = "defect" if kinds[n] else "normal"
        axes[0, column].set_title(f"{kind}\n{1000 * scores[n]:.1f}", fontsize="small")

# %% [markdown]
# ## D2. A threshold from normal data alone
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# Nobody has a sample of tomorrow's defects. What can be known is how often a **normal** part raises a false alarm. The alarm
# goes off where a score is **larger** than the threshold. Given the scores of normal parts, in any order, return the smallest
# of them such that the share of scores above it is at most `false_positive_rate`.
#
# There are one or more scores, of any sign, and many may be equal: each counts. The rate is a number from 0 up to, but not
# including, 1. Where rate times N is a whole number, as with 1/8 of 64, so many alarms are allowed; you need not worry about
# rounding, since otherwise rate times N is never close to one. With a rate of 0 the threshold is the largest score. Do not interpolate:
# the result is one of the scores, exactly.


# %% solution="choose_threshold"
def choose_threshold(normal_scores, false_positive_rate):
    """The smallest score that at most this share of the scores exceeds: (N,), number -> number."""
    ### BEGIN SOLUTION
    ordered = normal_scores.sort(descending=True).values
    allowed = math.floor(false_positive_rate * len(ordered) + 1e-9)
    return ordered[allowed].item()
    ### END SOLUTION


# %% tests="check-choose_threshold" points=2
check(choose_threshold)

# %% [markdown]
# ## D3. An honest report
#
# *Difficulty 2, 15 minutes, 2 points. Uses D2.*
#
# A detector is judged on a test set of T parts that it has not seen, normal ones and anomalies mixed. Return a tuple of
# three numbers, in this order:
#
# 1. the threshold, by the rule of D2, from `normal_scores` and `false_positive_rate`, and from nothing else;
# 2. the share of the **normal** test parts that raise an alarm;
# 3. the share of the **anomalous** test parts that raise an alarm.
#
# `is_anomaly` holds true for the anomalies; there is at least one part of each kind. A score equal to the threshold is no
# alarm.


# %% solution="detection_report"
def detection_report(normal_scores, test_scores, is_anomaly, false_positive_rate):
    """Threshold and two shares of alarms: (N,), (T,), (T,) of bool, number -> three numbers."""
    ### BEGIN SOLUTION
    threshold = choose_threshold(normal_scores, false_positive_rate)
    alarm = (test_scores > threshold).double()
    return threshold, alarm[~is_anomaly].mean(), alarm[is_anomaly].mean()
    ### END SOLUTION


# %% tests="check-detection_report" points=2
check(detection_report)

# %% [markdown]
# ## D4. Why must the threshold not see anomalies?
#
# *In words, 15 minutes, 3 points, marked by a person.*
#
# A colleague proposes: "We have 40 defective parts. I tried all thresholds on the test set and kept the one with the best
# accuracy: 97 %. With your threshold from normal parts alone the accuracy is only 91 %. Mine is better."
#
# Answer in six to ten sentences. What is wrong with the number 97 %, and in which direction is it wrong? What else
# happens when a kind of defect comes in that was not among the 40, or when defects become rarer? How would you use the 40
# parts, if at all?

# %% [markdown] manual="explain-honest-threshold" points=3
# **Model answer.** The threshold is a parameter of the detector, and it was fitted to the very parts on which the detector
# is then judged. Of many thresholds the best on this sample was kept, and part of what makes it best is chance. So 97 % is too
# high on average: on new parts the same threshold will do worse, and the more so the fewer parts there are. The two
# figures cannot be compared: 91 % was measured on parts that had no say, 97 % was not. Besides, the threshold is now tuned to
# these 40 defects. It lies where they begin to stand out, and a new kind of defect with smaller scores is missed, although
# there may have been room to lower the threshold at no cost. Accuracy also contains the share of defects: if they become
# rarer, another threshold is best, while the rate of false alarms of a normal part stays what it was set to. The 40 parts
# are worth most as a test: choose the threshold on normal parts alone, then report once what share of the 40 it detects. If a
# choice needs them, split them: one half to choose, the other half to report, and say so.
#
# **Marking scheme.** 1 point: fitted and judged on the same parts, so the figure is too high (the direction must be named).
# 1 point: a threshold tuned to known defects or to their share says nothing about new kinds or another share. 1 point: a clean
# protocol: threshold from normal parts (or from a separate part of the 40), report on parts that had no say.

# %% [markdown]
# ## D5. The area under the ROC curve
#
# *Difficulty 2, 20 minutes, 3 points.*
#
# A number without any threshold: the probability that an anomaly has a higher score than a normal image, where a tie counts
# half:
#
# $$\mathrm{AUROC} = \frac{1}{A N} \sum_{a=1}^{A} \sum_{n=1}^{N} \Big( \big[\mathrm{err}(x_a) > \mathrm{err}(x_n)\big] + \tfrac12 \big[\mathrm{err}(x_a) = \mathrm{err}(x_n)\big] \Big)$$
#
# Here the $x_a$ are A anomalies and the $x_n$ are N normal images, and a bracket is 1 where its statement is true. A and N need
# not be equal; each is between 1 and 2000. Scores may be equal, or differ in the tenth digit only. High
# means suspicious: if the anomalies score lower, the area is below one half, and must be.


# %% solution="auroc"
def auroc(normal_scores, anomaly_scores):
    """Probability that an anomaly scores higher, ties half: (N,), (A,) -> number from 0 to 1."""
    ### BEGIN SOLUTION
    higher = (anomaly_scores[:, None] > normal_scores).double()
    equal = (anomaly_scores[:, None] == normal_scores).double()
    return (higher + 0.5 * equal).mean().item()
    ### END SOLUTION


# %% tests="check-auroc" points=3
check(auroc)

# %% [markdown]
# **Look at it.** The detector of D1 on 600 test parts: the curve, its area, and the honest threshold for 5 % of false alarms as
# a point on it. The threshold comes from 500 normal parts that neither the training nor the test contains.

# %% setup="draw-roc"
with when_answered(reconstruction_score), when_answered(detection_report), when_answered(auroc):
    encode, decode = linear_autoencoder(small_parts(1000)[0], 32)

    def reconstruct(x):
        return decode(encode(x))

    held_out = reconstruction_score(reconstruct, small_parts(500, seed=1)[0])
    x, kinds = small_parts(600, split="test", defect_share=0.5)
    test_scores = reconstruction_score(reconstruct, x)
    threshold, false, found = detection_report(held_out, test_scores, kinds > 0, 0.05)
    normal_test, defects = test_scores[kinds == 0], test_scores[kinds > 0]
    levels = test_scores.sort(descending=True).values
    figure, axes = plt.subplots(figsize=(4.2, 4.0))
    axes.plot(
        (normal_test[:, None] > levels).double().mean(0),
        (defects[:, None] > levels).double().mean(0),
        label=f"area {auroc(normal_test, defects):.3f}",
    )
    axes.plot([0, 1], [0, 1], ":", color="0.5", label="guessing")
    axes.plot(float(false), float(found), "o", markersize=8, label="honest threshold")
    axes.set_xlabel("share of false alarms")
    axes.set_ylabel("share of defects detected")
    axes.legend(loc="lower right")
    print(f"wanted 5.0 % false alarms, measured {100 * false:.1f} %; {100 * found:.1f} % detected")

# %% [markdown]
# ## D6. The anomaly that is reconstructed too well
#
# *Difficulty 4, 40 minutes, 4 points.*
#
# Now break the idea. You are given an autoencoder as two functions, `encode` from (…, D) to (…, M) and `decode` back, and
# N normal images. Find an image that
#
# - is an image: its D values lie in [0, 1];
# - is an anomaly: its root mean squared difference to **every** normal image, $\sqrt{\frac1D\sum_d (x_d - x_{nd})^2}$, is at
#   least `distance`;
# - raises no alarm: its score, as in D1, is **lower than the score of every normal image**.
#
# Any such image is right. The check tries a linear decoder, one that bends its codes, one that ends in a sigmoid, and a linear
# one whose normal images are of two kinds. Here D is 25, M is 2 and N is 40. Far from the normal images `encode` often misses: most
# of the far images that the decoder makes are copied **badly**, so compute the score. Still each autoencoder has many images that
# will do: take the box that the normal codes fill, and make it 1.5, 2, 3 and 5 times as wide, with the same middle; of one of these
# boxes at least one code in thirty will do. A call of `encode` or `decode` takes at most 20 000 numbers: 800 images. If you need
# random numbers, take them from `generator` alone: the same seed must give the same image.


# %% solution="find_blind_spot"
def find_blind_spot(encode, decode, normal, distance, generator):
    """An anomaly with a lower score than any normal image: normal (N, D), a number -> (D,)."""
    ### BEGIN SOLUTION
    codes = encode(normal)
    centre = (codes.amin(0) + codes.amax(0)) / 2
    half = (codes.amax(0) - codes.amin(0)) / 2
    best, lowest = normal[0], math.inf
    for width in (1.5, 2.0, 3.0, 5.0):
        draws = 2 * torch.rand(600, len(half), generator=generator, dtype=half.dtype) - 1
        x = decode(centre + width * half * draws)
        x = x[((x >= 0) & (x <= 1)).all(dim=1)]
        rms = (x[:, None] - normal).square().mean(dim=2).sqrt()
        x = x[(rms > distance).all(dim=1)]
        if len(x) == 0:
            continue
        scores = (decode(encode(x)) - x).square().mean(dim=1)
        if scores.min() < lowest:
            best, lowest = x[scores.argmin()], scores.min()
    return best
    ### END SOLUTION


# %% tests="check-find_blind_spot" points=4
check(find_blind_spot)

# %% [markdown]
# **Look at it.** The same attack on the parts, with a code of two numbers: the nearest normal part, what you found, and how it is
# reconstructed. The scores are multiplied by 1000. The solution finds a part without any bolt holes: a defect, and reconstructed
# better than every normal part.

# %% setup="draw-blind-spot"
with when_answered(find_blind_spot):
    normal = small_parts(60)[0]
    encode, decode = linear_autoencoder(normal, 2)
    found = find_blind_spot(encode, decode, normal, 0.08, torch.Generator().manual_seed(0))
    nearest = normal[(normal - found).square().mean(1).argmin()]
    images = {"nearest normal part": nearest, "your anomaly": found}
    figure, axes = plt.subplots(1, 3, figsize=(6.5, 2.6))
    for place, (title, image) in zip(axes, images.items(), strict=False):
        score = 1000 * (decode(encode(image)) - image).square().mean()
        place.imshow(image.reshape(16, 16), cmap="gray", vmin=0, vmax=1)
        place.set_title(f"{title}\nscore {score:.2f}", fontsize="small")
    axes[2].imshow(decode(encode(found)).reshape(16, 16), cmap="gray", vmin=0, vmax=1)
    axes[2].set_title("its reconstruction", fontsize="small")
    for place in axes:
        place.set_axis_off()

# %% [markdown]
# # Part E. What a code is good for
#
# ## E1. A linear probe
#
# *Difficulty 3, 30 minutes, 3 points.*
#
# Train a **linear** classifier on codes and predict the labels of other codes: each class gets one score, a weighted sum of the
# values of the code plus a constant, and the highest score wins. Least squares on one-hot targets will do, and so will logistic
# regression. The check wants
#
# - at least 93 % right where the best linear probe gets nearly all: there the columns scatter together, so that the nearest
#   class mean is not good enough;
# - the same with classes of very different size, and near the place where three classes meet and no score is high;
# - the same predictions with columns in units from $10^{-8}$ to $10^2$, far from zero: scale the columns first. What you add to a
#   spread, or put beneath it, must be far below $10^{-8}$;
# - no leakage: the scale and the probe come from the training codes alone, so a prediction does not depend on which
#   other test points there are;
# - straight cuts: between two points of one predicted class there is no other class. Scale columns, not points;
# - a return value of labels, as they occur in `train_labels`: any whole numbers, also negative ones.
#
# A column may be constant in training, and there may be fewer training points than columns. There are 2 or 3 classes, at most
# 200 training points and at most 14 columns. The function has no generator: start any search from zero weights.


# %% solution="linear_probe"
def linear_probe(train_codes, train_labels, test_codes):
    """Predicted labels (T,): train_codes (N, M), train_labels (N,), test_codes (T, M)."""
    ### BEGIN SOLUTION
    mean, std = train_codes.mean(0), train_codes.std(0, correction=0)
    std = torch.where(std > 0, std, 1.0)

    def features(codes):
        z = (codes - mean) / std
        return torch.cat((z, torch.ones_like(z[:, :1])), dim=1)

    classes, kinds = train_labels.unique(return_inverse=True)
    targets = torch.eye(len(classes), dtype=train_codes.dtype)[kinds]
    design = features(train_codes)
    penalty = 1e-3 * torch.eye(design.shape[1], dtype=design.dtype)
    weight = torch.linalg.solve(design.T @ design + penalty, design.T @ targets)
    return classes[(features(test_codes) @ weight).argmax(dim=1)]
    ### END SOLUTION


# %% tests="check-linear_probe" points=3
check(linear_probe)

# %% [markdown]
# ## E2. What a few labels are worth
#
# *Difficulty 2, 20 minutes, 2 points.*
#
# Labels are expensive. Draw `num_per_class` points of **each** class, each class for itself, at random and without
# replacement, every choice equally likely. Let `probe` learn from these and ask it about **all other** points. Return the share
# of those whose label it predicts right.
#
# `probe(train_codes, train_labels, test_codes)` gives predicted labels, as your function of E1 does; call it once, with rows of
# `codes` as they are. Draw from `generator`: the same seed must choose the same points, and a second call with one generator others. Every set of `num_per_class` points
# of a class must be equally likely, blocks of neighbours no more than others. Labels are any whole numbers, also negative, and each
# class has more than `num_per_class` points, though not each the same number.


# %% solution="few_label_accuracy"
def few_label_accuracy(probe, codes, labels, num_per_class, generator):
    """Accuracy on the rest after a few labels of each class: codes (N, M), labels (N,) -> number."""
    ### BEGIN SOLUTION
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        places = (labels == label).nonzero()[:, 0]
        order = torch.randperm(len(places), generator=generator)
        chosen[places[order[:num_per_class]]] = True
    predicted = probe(codes[chosen], labels[chosen], codes[~chosen])
    return (predicted == labels[~chosen]).double().mean().item()
    ### END SOLUTION


# %% tests="check-few_label_accuracy" points=2
check(few_label_accuracy)

# %% [markdown]
# **Look at it.** Handwritten digits of 64 pixels. A code of 8 numbers, learned without labels, against 8 of the pixels, the most
# variable ones, and against all 64. Compare the two of equal width first. If your probe is least squares, the curve of all
# pixels has its lowest point near 5 labels for each class: then 50 images meet 65 weights, and the solution fits every accident.

# %% setup="draw-few-labels"
with when_answered(linear_probe), when_answered(few_label_accuracy):
    images, labels = digits(torch.float64)
    encode, _ = linear_autoencoder(images, 8)
    lively = images.var(0).topk(8).indices
    counts = [1, 2, 5, 10, 20, 50]
    figure, axes = plt.subplots(figsize=(5, 3.4))
    for name, features in (
        ("code of 8 numbers", encode(images)),
        ("8 pixels", images[:, lively]),
        ("all 64 pixels", images),
    ):
        shares = []
        for count in counts:
            runs = [
                few_label_accuracy(
                    linear_probe, features, labels, count, torch.Generator().manual_seed(seed)
                )
                for seed in range(10)
            ]
            shares.append(100 * sum(map(float, runs)) / len(runs))
        axes.semilogx(counts, shares, "o-", label=name)
        print(f"{name}: {shares[0]:.0f} % right with 1 label a class, {shares[3]:.0f} % with 10")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.set_xlabel("labels for each class")
    axes.set_ylabel("right on the rest [%]")
    axes.legend(loc="lower right")

# %% [markdown]
# ## E3. Groups without labels
#
# *Difficulty 3, 30 minutes, 3 points.*
#
# Divide codes into `num_clusters` groups by k-means: the sum of the squared distances of all points to the mean of their own
# group is to be as small as possible. Return for each code the number of its group, a whole number from 0 to K − 1; every
# number is used. Which group has which number is up to you. Distances are taken in the codes as they are, without rescaling.
#
# - Groups that lie apart must be found, up to six of them, also where one is small or two are near each other. One start often
#   gets stuck. Twenty starts by k-means++ are enough; keep the result with the smallest sum.
# - Where groups overlap, or where there are none, no point may be nearer to the mean of another group: go on until nothing
#   changes. Where there are groups, the sum may exceed the smallest by 3 %.
# - The same seed must give the same numbers.
# - Points may coincide, but at least K of them differ, and K may be 1 or N. An empty group has no mean: let it keep its centre.
#
# In the check there are at most 150 points. The picture below has 1797, so a slow search shows there.


# %% solution="cluster_codes"
def cluster_codes(codes, num_clusters, generator):
    """Number of the group of each code: codes (N, M) -> (N,), whole numbers from 0 to K - 1."""
    ### BEGIN SOLUTION
    best, lowest = None, math.inf
    for _ in range(20):
        centres = codes[torch.randint(len(codes), (1,), generator=generator)]
        while len(centres) < num_clusters:
            distance_sq = torch.cdist(codes, centres).amin(dim=1) ** 2
            new = torch.multinomial(distance_sq + 1e-12, 1, generator=generator)
            centres = torch.cat((centres, codes[new]))
        groups = torch.full((len(codes),), -1)
        for _ in range(100):
            before, groups = groups, torch.cdist(codes, centres).argmin(dim=1)
            if torch.equal(before, groups):
                break
            centres = torch.stack(
                [
                    codes[groups == k].mean(0) if (groups == k).any() else centres[k]
                    for k in range(num_clusters)
                ]
            )
        cost = (codes - centres[groups]).square().sum()
        if cost < lowest:
            best, lowest = groups, cost
    return best
    ### END SOLUTION


# %% tests="check-cluster_codes" points=3
check(cluster_codes)

# %% [markdown]
# **Look at it.** Ten groups of digits, found without a label. Each row is a group, each column the digit that a person reads.
# The number printed is the **purity**: two groups may share a digit. The lecture's accuracy gives each digit to one group only.

# %% setup="draw-clusters"
with when_answered(cluster_codes):
    images, labels = digits(torch.float64)
    encode, _ = linear_autoencoder(images, 8)
    groups = cluster_codes(encode(images), 10, torch.Generator().manual_seed(0))
    table = torch.zeros(10, 10, dtype=torch.long)
    table.index_put_((groups.long(), labels), torch.ones(len(labels), dtype=torch.long), True)
    table = table[table.argmax(1).argsort()]
    figure, axes = plt.subplots(figsize=(4.4, 3.8))
    picture = axes.imshow(table, cmap="cividis")
    axes.set_xticks(range(10))
    axes.set_yticks(range(10))
    axes.set_xlabel("digit")
    axes.set_ylabel("group")
    axes.grid(False)
    figure.colorbar(picture, label="images")
    share = table.amax(1).sum() / len(labels)
    print(f"{100 * share:.0f} % of the images have the most frequent digit of their group")

# %% [markdown]
# # Part F. Many dimensions
#
# Codes have few dimensions, pixels have many. Two closed forms say what that means for the words near and far.
#
# ## F1. The radius of the normal shell
#
# *Difficulty 2, 20 minutes, 2 points.*
#
# Where is a standard normal distribution in D dimensions? Return the mean distance of a draw from the origin, $\mathbb E\lVert
# z\rVert$ for $z \sim \mathcal N(0, I)$, in closed form. The density of the distance $r$ is
#
# $$p(r) \propto r^{D-1} e^{-r^2/2}$$
#
# The check wants five digits for D from 1 to 780 and six digits up to D = 100 000; compute in float64.


# %% solution="shell_radius"
def shell_radius(dim):
    """Mean distance from the origin of a standard normal draw: a whole number -> a number."""
    ### BEGIN SOLUTION
    return math.sqrt(2) * math.exp(math.lgamma((dim + 1) / 2) - math.lgamma(dim / 2))
    ### END SOLUTION


# %% tests="check-shell_radius" points=2
check(shell_radius)

# %% [markdown]
# **Look at it.** Distances of draws in 1, 10, 100 and 784 dimensions, and your radius as a line.

# %% setup="draw-shells"
with when_answered(shell_radius):
    generator = torch.Generator().manual_seed(0)
    figure, axes = plt.subplots(figsize=(6, 3))
    for place, dim in enumerate((1, 10, 100, 784)):
        distances = torch.randn(2000, dim, generator=generator).norm(dim=1)
        axes.hist(distances.numpy(), bins=30, density=True, color=f"C{place}", label=f"D = {dim}")
        axes.axvline(shell_radius(dim), color="0.2", linewidth=1)
    axes.set_xlabel("distance from the origin")
    axes.set_ylabel("density")
    axes.legend()

# %% [markdown]
# ## F2. Predict before you compute
#
# *1 point for a number from 0 to 1.*
#
# A hundred points are spread evenly in a ball of a hundred dimensions. Divide the distance of the point nearest to the centre
# by the distance of the farthest. What is this ratio, on average? You get the point for the commitment, not for being right.


# %% solution="predict_nearest_farthest"
def predict_nearest_farthest():
    """Your prediction: nearest distance over farthest distance."""
    ### BEGIN SOLUTION
    return 0.5
    ### END SOLUTION


# %% tests="check-predict_nearest_farthest" points=1
check(predict_nearest_farthest)

# %% [markdown]
# ## F3. Nearest and farthest
#
# *Difficulty 4, 35 minutes, 3 points.*
#
# Now in closed form. N points are drawn independently and evenly from a ball in D dimensions. Let $r_n$ be their distances
# from the centre of the ball. Return
#
# $$\mathbb E\left[\frac{\min_n r_n}{\max_n r_n}\right]$$
#
# A distance is at most $r$ with the probability $r^D$, if the radius of the ball is 1. With N = 1 the ratio is 1. The check
# wants five digits, for D from 1 to 20 000 and N from 1 to 60 000. There is a formula with three gamma functions.


# %% solution="nearest_farthest_ratio"
def nearest_farthest_ratio(dim, num_points):
    """Mean of smallest over largest distance from the centre: two whole numbers -> a number."""
    ### BEGIN SOLUTION
    step = 1 / dim
    log_ratio = math.lgamma(num_points) + math.lgamma(1 + step) - math.lgamma(num_points + step)
    return math.exp(log_ratio)
    ### END SOLUTION


# %% tests="check-nearest_farthest_ratio" points=3
check(nearest_farthest_ratio)

# %% [markdown]
# **Look at it.** The ratio for a hundred points against the dimension, and what 400 draws of a hundred points give.

# %% setup="draw-ratio"
with when_answered(nearest_farthest_ratio):
    generator = torch.Generator().manual_seed(0)
    dims = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    figure, axes = plt.subplots(figsize=(5, 3.2))
    axes.semilogx(dims, [nearest_farthest_ratio(dim, 100) for dim in dims], label="closed form")
    measured = []
    for dim in dims:
        radius = torch.rand(400, 100, generator=generator, dtype=torch.float64) ** (1 / dim)
        measured.append((radius.amin(1) / radius.amax(1)).mean().item())
    axes.semilogx(dims, measured, "o", markersize=5, label="measured")
    axes.set_xlabel("dimension D")
    axes.set_ylabel("nearest / farthest")
    axes.legend()
