# %% [markdown]
# # Exercise 07 · A discrete code
#
# The hidden variable is now one of K entries of a codebook. You find the nearest entry, carry a gradient across a step that has
# none, and keep the codebook alive. Then you learn a prior over the maps of codes, account for the bits it saves, and draw from it.
#
# **How it works.** Each exercise asks for one function.
#
# 1. Replace the line `raise NotImplementedError` by your answer and run the cell.
# 2. Run the cell below it, `check(your_function)`. It tries your function on fresh random inputs and says what it
#    found. Check as often as you like.
# 3. Stuck? Type `hint(your_function)` into a new cell. There are three hints: the principle, the place, and nearly
#    the code. The second and the third open after one more check each.
#
# **Rules.** Arrays come and go as torch tensors. Vectors are in float64 unless an exercise says otherwise: give new tensors the type of
# the old ones, as in `torch.zeros(3, dtype=z.dtype)`. Codes are whole numbers in int64 and count from 0 to K − 1. Where one number is asked for,
# return a number or a tensor with one element. Do not change the arguments. All randomness comes from `generator`. The point is to
# write the functions yourself: `course_lib.quantizer`, `course_lib.pixelcnn` and their neighbours have them all, and cannot be imported while
# your notebook is graded.
#
# An answer that is right in ordinary cases and fails only at extreme inputs gets half the points.
#
# Each exercise states its difficulty (1 to 5), the minutes it takes, and its points. There are 41 points that are
# checked by the computer and 9 that a person marks.

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
# | $e_k$ | `codebook` | (K, M) | vector number k of the codebook |
# | $z_e$ | `z_e`, `z` | (N, M) | what the encoder says |
# | $z_q$ | `z_q` | (N, M) | the vector of the codebook that takes its place |
# | $z$ | `indices`, `codes` | (N,), (N, H, W) | its number: the code |
# | $\beta$ | `beta` | number | weight of the commitment term |
# | $\gamma$ | `decay` | number | decay of a moving average |
# | $\mathrm{sg}[\cdot]$ | `.detach()` | | the same value, and no gradient |
#
# All logarithms are natural unless bits are asked for.

# %% [markdown]
# # Part A. The codebook
#
# ## A1. The nearest vector
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# $$z_n = \arg\min_k \; \lvert z_{e,n} - e_k \rvert^2$$
#
# Return the index of the vector of the codebook that is nearest to each point, in the Euclidean distance. `z` is (N, M), or a whole map of points, (N, H, W, M);
# `codebook` is (K, M). The result has the shape of `z` without its last axis, in int64, and counts from 0.
#
# Of several codes that are equally near take the one with the smallest index. Points and codes may lie together far from the origin: at coordinates near
# 3000, and a distance of about 1 apart, the answer must be right in **single precision** (float32) too.


# %% solution="nearest_code"
def nearest_code(z, codebook):
    """Index of the nearest vector of the codebook: (..., M), (K, M) -> (...) of int64."""
    ### BEGIN SOLUTION
    differences = z[..., None, :] - codebook  # (..., K, M)
    return differences.square().sum(dim=-1).argmin(dim=-1)
    ### END SOLUTION


# %% tests="check-nearest_code" points=2
check(nearest_code)

# %% [markdown]
# **Look at it.** Twelve codes in the plane, and which of them is the nearest at each place. All that the decoder will know of a point is the colour of its cell.

# %% setup="draw-cells"
with when_answered(nearest_code):
    generator = torch.Generator().manual_seed(2)
    codebook = torch.randn(12, 2, generator=generator, dtype=torch.float64)
    ticks = torch.linspace(-2.8, 2.8, 300, dtype=torch.float64)
    plane = torch.cartesian_prod(ticks, ticks).reshape(300, 300, 2)  # [i, j] is (x_i, y_j)
    cells = nearest_code(plane, codebook)
    figure, axes = plt.subplots(figsize=(3.8, 3.6))
    axes.imshow(cells.T, origin="lower", extent=(-2.8, 2.8) * 2, cmap="tab20", alpha=0.55)
    axes.plot(*codebook.T, "o", color="black", markersize=4)
    for k, (across, up) in enumerate(codebook.tolist()):
        axes.annotate(str(k), (across, up), (3, 3), textcoords="offset points", fontsize="small")
    axes.grid(visible=False)
    axes.set_xlabel("first value of z")
    axes.set_ylabel("second value of z")

# %% [markdown]
# ## A2. A gradient for a step that has none
#
# *Difficulty 2, 10 minutes, 1 point.*
#
# The decoder gets the vector that was looked up, $z_q$. The index does not change when $z_e$ moves a little, so the true derivative is zero and the encoder
# would learn nothing. Return a tensor with the **value of `z_q`** (up to rounding) whose **gradient goes to `z_e`**, unchanged, as if it were $z_e$. Nothing of the gradient may
# reach `z_q`. Both have the same shape, whatever it is.


# %% solution="straight_through"
def straight_through(z_e, z_q):
    """The value of z_q with the gradient of z_e, in their shape."""
    ### BEGIN SOLUTION
    return z_e + (z_q - z_e).detach()
    ### END SOLUTION


# %% tests="check-straight_through" points=1
check(straight_through)

# %% [markdown]
# ## A3. Two stop-gradients
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# Two terms bring encoder and codebook together. The first moves the codebook only, the second, the commitment, moves the encoder only:
#
# $$\frac1N \sum_n \big\lvert \mathrm{sg}[z_{e,n}] - z_{q,n} \big\rvert^2
# \qquad\text{and}\qquad
# \beta\, \frac1N \sum_n \big\lvert z_{e,n} - \mathrm{sg}[z_{q,n}] \big\rvert^2$$
#
# `z_e` and `z_q` are (N, M), `beta` is 0 or larger. The squared distance of two vectors is a **sum** over the M values. Return a tensor with two entries: the first term, and the
# second with its weight. The check looks at the gradient of each by itself.


# %% solution="vq_losses"
def vq_losses(z_e, z_q, beta):
    """Codebook term, and β times the commitment: (N, M), (N, M), number -> (2,)."""
    ### BEGIN SOLUTION
    codebook = (z_e.detach() - z_q).square().sum(dim=1).mean()
    commitment = (z_e - z_q.detach()).square().sum(dim=1).mean()
    return torch.stack((codebook, beta * commitment))
    ### END SOLUTION


# %% tests="check-vq_losses" points=2
check(vq_losses)

# %% [markdown]
# ## A4. Three terms, and which gradient goes where
#
# *Difficulty 3, 20 minutes, 2 points. Uses A1, A2 and A3.*
#
# Now the whole loss of a vector-quantised autoencoder, with one code for each point:
#
# $$\frac1N \sum_n \Big( \lvert x_n - g(z_{q,n}) \rvert^2 + \big\lvert \mathrm{sg}[z_{e,n}] - z_{q,n} \big\rvert^2 + \beta\, \big\lvert z_{e,n} - \mathrm{sg}[z_{q,n}] \big\rvert^2 \Big)$$
#
# Here $z_{q,n}$ is the vector of the codebook that is nearest to $z_{e,n}$. `decoder` is $g$: it takes (N, M) and gives (N, D), and autograd goes through it. `x` is (N, D), `z_e` (N, M), `codebook` (K, M).
# Return one number. The decoder's gradient must reach the encoder and not the codebook.


# %% solution="vq_objective"
def vq_objective(decoder, x, z_e, codebook, beta):
    """The loss of a vector-quantised autoencoder, one number: sums over D and M, mean over N."""
    ### BEGIN SOLUTION
    z_q = codebook[nearest_code(z_e, codebook)]
    x_hat = decoder(straight_through(z_e, z_q))
    distortion = (x - x_hat).square().sum(dim=1).mean()
    return distortion + vq_losses(z_e, z_q, beta).sum()
    ### END SOLUTION


# %% tests="check-vq_objective" points=2
check(vq_objective)

# %% [markdown]
# ## A5. Who learns what from whom
#
# *By hand, 25 minutes, 5 points, marked by a person.*
#
# Take the loss of A4, with $n_k$ points that chose code $k$.
#
# 1. Write down the gradient of the loss for $z_{e,n}$ and for $e_k$ as your functions compute them. Name, for each part, the term it comes from.
# 2. At which $e_k$ is the second gradient zero? Compare with the update of k-means, and say what a code that nobody chose learns.
# 3. Leave out the stop-gradients and take $\lvert z_{e,n} - z_{q,n} \rvert^2$ once, with the weight $1 + \beta$. What changes for the encoder, and what for the codebook? Why would one
#    want the codebook to move faster than the encoder?
# 4. With $\beta = 0$, what keeps the encoder near the codebook? What can happen, and what would you see?

# %% [markdown] manual="derive-gradients" points=5
# **Model answer.** (1) Write $\ell_n(z) = \lvert x_n - g(z) \rvert^2$. Then
#
# $$\frac{\partial L}{\partial z_{e,n}} = \frac1N \Big( \underbrace{\nabla \ell_n(z_{q,n})}_{\text{distortion, straight through}} + \underbrace{2 \beta\, (z_{e,n} - z_{q,n})}_{\text{commitment}} \Big),
# \qquad
# \frac{\partial L}{\partial e_k} = \frac1N \sum_{n :\, z_n = k} \underbrace{2\, (e_k - z_{e,n})}_{\text{codebook term}}$$
#
# The gradient of the distortion is taken at $z_{q,n}$ and handed to $z_{e,n}$; it does not reach $e_k$.
#
# (2) Where $e_k = \frac{1}{n_k} \sum_{n : z_n = k} z_{e,n}$, the mean of the points that chose it: the update of k-means, which goes there in one step (a gradient step with the rate $\eta$ goes the
# share $2 \eta n_k / N$ of the way). For a code that nobody chose the sum is empty: its gradient is zero, so it stays where it is, for ever if no point comes near.
#
# (3) The encoder's second part becomes $2 (1 + \beta)(z_{e,n} - z_{q,n})$, the codebook's gradient is multiplied by $1 + \beta$. The two can no longer be weighed separately. The codebook has only this term, and is there to
# describe what the encoder says; the encoder has to reconstruct as well. If the encoder is pulled as strongly, it stays near codes that are still random and learns slowly. If the codebook is fast and the encoder slow
# ($\beta < 1$), the codes are always near the present means.
#
# (4) Nothing but the codebook's own running after it. The distortion's gradient says in which direction to go, and never that $z_e$ is far away, because it does not depend on $z_e$ within a cell. So $z_e$ may go on in
# this direction, and grow without a bound if the codebook is slower; then codes change owners all the time. One sees $\lvert z_e - z_q \rvert$ grow while the distortion does not get better.
#
# **Marking scheme.** 1 point: the gradient for $z_e$ with both parts, the first at $z_q$. 1 point: the gradient for $e_k$. 1 point: cluster means, and that a dead code learns nothing. 1 point: one weight for two jobs, with a reason
# for a fast codebook. 1 point: without commitment $z_e$ may run away, with a symptom.

# %% [markdown]
# # Part B. Keeping the codebook alive
#
# ## B1. Predict before you compute
#
# *1 point for a number from 1 to 512.*
#
# The perplexity of codes is the exponential of their entropy: the number of equally frequent codes that would be as surprising. It is K if all K are used equally, and 1 if only one is.
# Say that K = 512. In your images half of all places are background and have the same code; the other 511 codes share the other half evenly. What is the perplexity? You get the point for the
# commitment, not for being right.


# %% solution="predict_perplexity"
def predict_perplexity():
    """Your prediction: the perplexity, a number from 1 to 512."""
    ### BEGIN SOLUTION
    return 45
    ### END SOLUTION


# %% tests="check-predict_perplexity" points=1
check(predict_perplexity)

# %% [markdown]
# ## B2. How many codes are in use
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# With $p_k$ the share of code $k$ among all indices:
#
# $$\mathrm{perplexity} = \exp\Big(-\sum_k p_k \log p_k\Big)$$
#
# `indices` holds at least one whole number from 0 to K − 1, in any shape: (N,) or (N, H, W). `num_codes` is K. Codes that do not occur add nothing. Return one number.


# %% solution="perplexity"
def perplexity(indices, num_codes):
    """Exponential of the entropy of the codes: whole numbers, K -> number from 1 to K."""
    ### BEGIN SOLUTION
    counts = torch.bincount(indices.flatten(), minlength=num_codes).double()
    shares = counts / counts.sum()
    used = shares[shares > 0]
    return torch.exp(-(used * used.log()).sum())
    ### END SOLUTION


# %% tests="check-perplexity" points=2
check(perplexity)

# %% [markdown]
# **Look at it.** The perplexity of 512 codes, all of them in use, against the share of the most frequent one. Compare with your prediction.

# %% setup="draw-perplexity"
with when_answered(perplexity):
    shares = torch.linspace(1 / 512, 0.99, 60)
    found = []
    for share in shares.tolist():
        others = torch.arange(1, 512).repeat(20)
        background = torch.zeros(round(len(others) * share / (1 - share)), dtype=torch.int64)
        found.append(float(perplexity(torch.cat((background, others)), 512)))
    figure, axes = plt.subplots(figsize=(4.6, 2.9))
    axes.plot(100 * shares, found)
    axes.axvline(50, color="0.6", linestyle="--")
    axes.set_xlabel("share of the background (%)")
    axes.set_ylabel("perplexity")
    axes.set_ylim(0, 530)

# %% [markdown]
# ## B3. A codebook that follows its points
#
# *Difficulty 3, 25 minutes, 3 points.*
#
# The gradient for the codebook leads to the means of its points, so one can go there without a gradient: by a moving average. Three things are remembered for every code: where it is, `codebook` (K, M);
# how many points it had, `cluster_size` $N_k$, (K,); and their sum, `cluster_sum` $m_k$, (K, M). A batch `z` (N, M), in which point $n$ chose the code `indices[n]`, and in which $n_k$ points chose code $k$, changes them to
#
# $$N_k \leftarrow \gamma N_k + (1 - \gamma)\, n_k, \qquad m_k \leftarrow \gamma m_k + (1 - \gamma) \sum_{n :\, z_n = k} z_{e,n}, \qquad e_k \leftarrow m_k / N_k$$
#
# Return the new codebook, sizes and sums, in this order. Two rules:
#
# - **A code that nobody chose in this batch does not move**, however small its $N_k$ has become, even if it is exactly 0. Its size and sum still decay by $\gamma$.
# - When `training` is False, **nothing** changes.
#
# `decay` is $0 \le \gamma < 1$. You get states in which $m_k = N_k e_k$. Codes that were chosen are divided by $N_k$ as it is: add nothing to it.


# %% solution="ema_update"
def ema_update(codebook, cluster_size, cluster_sum, z, indices, decay, training):
    """New codebook (K, M), sizes (K,) and sums (K, M) after a batch z (N, M), indices (N,)."""
    ### BEGIN SOLUTION
    if not training:
        return codebook, cluster_size, cluster_sum
    counts = torch.bincount(indices, minlength=len(codebook)).to(z.dtype)
    sums = torch.zeros_like(codebook).index_add(0, indices, z)
    size = decay * cluster_size + (1 - decay) * counts
    total = decay * cluster_sum + (1 - decay) * sums
    chosen = counts > 0
    new = codebook.clone()
    new[chosen] = total[chosen] / size[chosen][:, None]
    return new, size, total
    ### END SOLUTION


# %% tests="check-ema_update" points=3
check(ema_update)

# %% [markdown]
# ## B4. The codes that jump
#
# *Difficulty 4, 35 minutes, 3 points.*
#
# The next cell has the moving average as it stands in much code that you can download, written anew. Its users report that most of their codes are never chosen. Run it: a code that no point chose jumps
# away, by a factor of about 100 000, in the first step.


# %% setup="published-ema"
def published_ema(codebook, batches, decay, eps=1e-5):
    """The codebook after some batches, as published: with mistakes."""
    num_codes = len(codebook)
    size, total = torch.zeros(num_codes, dtype=codebook.dtype), codebook.clone()
    for z, indices in batches:
        one_hot = torch.nn.functional.one_hot(indices, num_codes).to(z.dtype)
        size = decay * size + (1 - decay) * one_hot.sum(dim=0)
        total = decay * total + (1 - decay) * one_hot.T @ z
        number = size.sum()
        smoothed = (size + eps) / (number + num_codes * eps) * number  # never divides by zero
        codebook = total / smoothed[:, None]
    return codebook


generator = torch.Generator().manual_seed(0)
jump_start = torch.tensor([[1.0, 1.0], [2.0, 0.0]], dtype=torch.float64)
jump_batches = [
    (torch.randn(5, 2, generator=generator, dtype=torch.float64), torch.zeros(5, dtype=torch.int64))
    for _ in range(2000)
]
print("the code that no point chose, at first", jump_start[1].tolist())
for count in (1, 10, 2000):
    code = published_ema(jump_start, jump_batches[:count], 0.99)[1]
    print(f"after {count:4d} batches: {code[0].item():.6g}")

# %% [markdown]
# Find **what goes wrong, early and late**, and write the function as it should be. `batches` is a list of pairs (`z`, `indices`) as in B3, and may be empty; return the codebook after the last one, (K, M).
# You may mend it in more than one way. The check asks for what all right ways have in common:
#
# - a code that no point of any batch chose is where it was, after one batch and after hundreds, also when its size has become too small for a number;
# - a code that was chosen, and then not for hundreds of batches, stays where the last point that chose it had brought it;
# - a code that was chosen is a mean, with positive weights whose sum is 1, of the points that chose it, also if it was a single one and $\gamma$ is close to 1; the place it started from may have a part in it, with a positive weight too;
# - a point weighs $\gamma$ times as much as a point of the following batch (batches in which nobody chose the code may count for it or not);
# - with the same points in every batch, the code gets to their mean, and with $\gamma = 0$ at once.


# %% solution="mended_ema"
def mended_ema(codebook, batches, decay):
    """The codebook after some batches, without the mistakes: (K, M) -> (K, M)."""
    ### BEGIN SOLUTION
    size = torch.ones(len(codebook), dtype=codebook.dtype)  # fits the sum: one point, the code
    state = codebook, size, codebook.clone()
    for z, indices in batches:
        state = ema_update(*state, z, indices, decay, True)
    return state[0]
    ### END SOLUTION


# %% tests="check-mended_ema" points=3
check(mended_ema)

# %% [markdown]
# **Look at it.** How far the code that nobody chose is from the origin. It should stay at 2. The published one leaves at once and then decays through everything, which no single look at it would tell you.

# %% setup="draw-jump"
with when_answered(mended_ema):
    counts = [0, 1, 2, 5, 10, 30, 100, 300, 500, 700, 1000, 1300, 1600, 2000]
    figure, axes = plt.subplots(figsize=(5.2, 3))
    for name, update in {"published": published_ema, "mended": mended_ema}.items():
        found = [update(jump_start, jump_batches[:count], 0.99)[1].norm() for count in counts]
        axes.plot(counts, found, "o-", markersize=3, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("batches")
    axes.set_ylabel("distance from the origin")
    axes.legend()

# %% [markdown]
# ## B5. A second life for dead codes
#
# *Difficulty 3, 20 minutes, 3 points.*
#
# A code that stays where it is, far from all points, is of no use. Codes with a count **below** `threshold` are dead (one that is exactly at it lives). Each dead code becomes a row of `z`, drawn at random: every row with the same chance, and
# **each dead code another row**. Which of the drawn rows goes to which dead code is up to you. All other codes stay, and no code changes its index. Return the new codebook (K, M) and how many codes were revived.
#
# `counts` is (K,) and may hold whole numbers or moving averages; `z` is (N, M) with at least as many rows as there are dead codes. Draw from `generator`, and do not seed it.


# %% solution="revive_dead_codes"
def revive_dead_codes(codebook, counts, z, threshold, generator):
    """Codebook in which dead codes are random rows of z, (K, M), and the number of them."""
    ### BEGIN SOLUTION
    dead = counts < threshold
    number = int(dead.sum())
    rows = torch.randperm(len(z), generator=generator)[:number]
    new = codebook.clone()
    new[dead] = z[rows]
    return new, number
    ### END SOLUTION


# %% tests="check-revive_dead_codes" points=3
check(revive_dead_codes)

# %% [markdown]
# # Part C. From images to codes and back
#
# ## C1. What is kept of an image
#
# *Difficulty 3, 25 minutes, 3 points. Uses A1.*
#
# An image is stored as a map of indices. Whoever has the codebook and the decoder can turn it into an image again. `encode(x)` takes images, (N, D), and gives a map of vectors with the **channels second**, (N, M, H, W), as convolutions do.
# `decode` takes such a map and gives images. `codebook` is (K, M).
#
# Return the codes, (N, H, W) in int64, and the reconstruction. The reconstruction must be what a receiver gets who has only the codes: `decode`, called with the vectors that belong to them, **bit for bit**.


# %% solution="vq_vae_round_trip"
def vq_vae_round_trip(encode, decode, codebook, x):
    """Codes (N, H, W) of the images x, and what the decoder makes of them."""
    ### BEGIN SOLUTION
    z_e = encode(x).permute(0, 2, 3, 1)  # (N, H, W, M)
    codes = nearest_code(z_e, codebook)
    return codes, decode(codebook[codes].permute(0, 3, 1, 2))
    ### END SOLUTION


# %% tests="check-vq_vae_round_trip" points=3
check(vq_vae_round_trip)

# %% [markdown]
# **The lab: train one.** Your functions train a small model on 2000 images of Fashion-MNIST, twice: without and with a second life for dead codes. Each image becomes a map of 7 × 7 codes, so that a code stands for 4 × 4 pixels and what
# surrounds them. Encoder and decoder learn by `vq_objective`, with one point for each place of the map; the codebook follows by `ema_update`. It takes some seconds. Then you see eight images that the second model has not seen, the maps of
# codes they become, and what your round trip makes of these maps. The colour of a code is one value of its vector, along the direction in which the codes vary most.

# %% setup="train-vq"
from torch import nn

from course_lib.data import fashion_mnist

NUM_CODES, LATENT_DIM = 64, 8


class SmallVQ(nn.Module):
    """Convolutions from 28 × 28 pixels to 7 × 7 vectors and back, and a codebook."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 32, 4, stride=4), nn.ReLU(), nn.Conv2d(32, LATENT_DIM, 3, padding=1)
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(LATENT_DIM, 32, 3, padding=1), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 4)
        )
        codebook = torch.randn(NUM_CODES, LATENT_DIM)
        self.state = codebook, torch.ones(NUM_CODES), codebook.clone()

    def encode(self, x):
        """Images (N, 784) -> maps (N, M, 7, 7)."""
        return self.encoder(x.reshape(-1, 1, 28, 28))

    def decode(self, z):
        """Maps (N, M, 7, 7) -> images (N, 784)."""
        return self.decoder(z).flatten(1)

    def decode_points(self, z):
        """Points in a list, (N · 49, M) -> the 4 × 4 pixels of each, (N · 49, 16)."""
        return patches(self.decode(z.reshape(-1, 7, 7, LATENT_DIM).permute(0, 3, 1, 2)))


def patches(x):
    """Images (N, 784) cut into the pixels of each place: (N · 49, 16)."""
    return x.reshape(-1, 7, 4, 7, 4).permute(0, 1, 3, 2, 4).reshape(-1, 16)


def train_vq(images, *, revive, num_steps=240):
    """A trained model, and the perplexity of the codes at every step."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model, found = SmallVQ(), []
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    seen = torch.zeros(NUM_CODES)
    for step in range(num_steps):
        x = images[torch.randint(len(images), (16,), generator=generator)]
        z_e = model.encode(x).permute(0, 2, 3, 1).reshape(-1, LATENT_DIM)
        loss = vq_objective(model.decode_points, patches(x), z_e, model.state[0], 0.25)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        z = z_e.detach()
        indices = nearest_code(z, model.state[0])
        model.state = ema_update(*model.state, z, indices, 0.95, True)
        seen += torch.bincount(indices, minlength=NUM_CODES)
        if revive and step % 20 == 19 and step < num_steps - 40:
            codebook, _ = revive_dead_codes(model.state[0], seen, z, 5, generator)
            model.state = codebook, torch.ones(NUM_CODES), codebook.clone()
            seen = torch.zeros(NUM_CODES)
        found.append(float(perplexity(indices, NUM_CODES)))
    return model, found


with (
    when_answered(vq_objective),
    when_answered(ema_update),
    when_answered(perplexity),
    when_answered(revive_dead_codes),
    when_answered(vq_vae_round_trip),
):
    images = fashion_mnist("train").flat()[:2000]
    figure, axes = plt.subplots(figsize=(5.2, 3))
    for name, revive in {"dead codes stay dead": False, "dead codes revived": True}.items():
        trained_vq, found = train_vq(images, revive=revive)
        axes.plot(found, label=name)
    axes.axhline(NUM_CODES, color="0.6", linestyle="--")
    axes.set_xlabel("step")
    axes.set_ylabel("perplexity of a batch")
    axes.set_ylim(0, 1.08 * NUM_CODES)
    axes.legend(loc=(0.4, 0.3))

    shown = fashion_mnist("test").flat()[:8]
    with torch.no_grad():
        encode, decode = trained_vq.encode, trained_vq.decode
        codes, x_hat = vq_vae_round_trip(encode, decode, trained_vq.state[0], shown)
    hue = trained_vq.state[0] @ torch.linalg.svd(trained_vq.state[0]).Vh[0]
    rows = {"image": shown.reshape(-1, 28, 28), "codes": hue[codes]}
    rows["decoded"] = x_hat.reshape(-1, 28, 28).clamp(0, 1)
    figure, axes = plt.subplots(3, 8, figsize=(8.4, 3.3))
    for panels, (name, pictures) in zip(axes, rows.items(), strict=True):
        for panel, picture in zip(panels, pictures, strict=True):
            panel.imshow(picture, cmap="viridis" if name == "codes" else "gray")
            panel.set_axis_off()
        panels[0].text(-0.1, 0.5, name, ha="right", va="center", transform=panels[0].transAxes)
    bits = codes[0].numel() * 6
    print(f"49 codes of 6 bits each: {bits} bits for an image of {28 * 28 * 8} bits")

# %% [markdown]
# # Part D. What a map of codes costs
#
# A map of codes is a grid of H rows and W columns, and its places have an order: row by row from the top, each row from the left. All priors in this notebook use this order. What stands
# before a place is everything in the rows above, and what is to the left in its own row.
#
# ## D1. Predict before you compute
#
# *1 point for a number from 0 to 144.*
#
# A VQ-VAE turns its images into maps of 16 codes, each one of 512. Nobody has learned a prior yet, so you draw all 16 codes uniformly. A good prior would need 64 bits for a typical image: so there are about $2^{64}$
# maps that look like images, all about equally probable. How many uniform draws does it take on average until one of them comes up? Answer with the exponent: for about $2^{10}$ draws, return 10.
# You get the point for the commitment, not for being right.


# %% solution="predict_uniform_draws"
def predict_uniform_draws():
    """Your prediction: the base-2 logarithm of the number of draws."""
    ### BEGIN SOLUTION
    return 16 * 9 - 64
    ### END SOLUTION


# %% tests="check-predict_uniform_draws" points=1
check(predict_uniform_draws)

# %% [markdown]
# ## D2. A prior that is learned by counting
#
# *Difficulty 2, 20 minutes, 2 points.*
#
# The smallest prior worth the name looks at two codes: the one to the left and the one above. You are given training maps, `codes` (N, H, W). Return the natural logarithms of
#
# $$p(\text{code} \mid \text{left}, \text{above}) = \frac{\text{count}(\text{left}, \text{above}, \text{code}) + s}{\sum_{k} \big(\text{count}(\text{left}, \text{above}, k) + s\big)}$$
#
# as a table (K + 1, K + 1, K), with the axes in this order: left, above, code. Count over all places of all maps. Where there is no neighbour, because the place is in the first column or the first row, **index K**
# stands for "outside". $s$ is `smoothing`, a positive number that need not be whole.


# %% solution="neighbour_prior"
def neighbour_prior(codes, num_codes, smoothing):
    """log p(code | left, above) by counting: (N, H, W) -> (K + 1, K + 1, K)."""
    ### BEGIN SOLUTION
    framed = torch.nn.functional.pad(codes, (1, 0, 1, 0), value=num_codes)
    left, above = framed[:, 1:, :-1], framed[:, :-1, 1:]
    size = (num_codes + 1, num_codes + 1, num_codes)
    table = torch.full(size, float(smoothing), dtype=torch.float64)
    one = torch.ones((), dtype=torch.float64)
    table.index_put_((left, above, codes), one, accumulate=True)
    return torch.log(table / table.sum(dim=2, keepdim=True))
    ### END SOLUTION


# %% tests="check-neighbour_prior" points=2
check(neighbour_prior)

# %% [markdown]
# ## D3. Four priors, four prices
#
# *Difficulty 3, 30 minutes, 3 points.*
#
# How many bits does it take to write down a map of codes? A code of probability $p$ takes $-\log_2 p$ bits, and a map the sum over its places. The receiver knows the prior beforehand, so it is made of the training
# maps `train`, (N, H, W), and the bill is for other maps, `test`, (L, H, W). Return **four numbers**, each a mean over the test maps, in bits for a whole map:
#
# 1. uniform: all K codes are equally probable;
# 2. unigram: each code has its frequency among all codes of `train`, at whatever place;
# 3. per position: the same, counted at each place by itself;
# 4. learned: `logits_fn(codes)` takes maps (L, H, W) and gives logits (L, H, W, K). Those at (i, j) are for the code at (i, j) given the codes before it. They are **not normalised**.
#
# In 2 and 3 add 1 to every count before you divide, so that every code has a positive probability and the probabilities sum to 1.


# %% solution="code_bits"
def code_bits(train, test, logits_fn, num_codes):
    """Bits for a map: uniform, unigram, per position, learned -> (4,)."""
    ### BEGIN SOLUTION
    learned = torch.log_softmax(logits_fn(test), dim=-1).double()
    counts = torch.bincount(train.flatten(), minlength=num_codes).double() + 1
    places = torch.nn.functional.one_hot(train, num_codes).sum(dim=0).double() + 1
    uniform = torch.full_like(learned, -math.log(num_codes))
    unigram = torch.log(counts / counts.sum()).expand_as(learned)
    position = torch.log(places / places.sum(dim=-1, keepdim=True)).expand_as(learned)
    result = []
    for log_p in (uniform, unigram, position, learned):
        chosen = log_p.gather(-1, test[..., None])
        result.append(-chosen.sum() / len(test) / math.log(2))
    return torch.stack(result)
    ### END SOLUTION


# %% tests="check-code_bits" points=3
check(code_bits)

# %% [markdown]
# **Real codes.** The simplest quantiser there is has no network: the codebook holds 32 pieces of 4 × 4 pixels, found by k-means, and a code is the number of the piece that is
# nearest by your function of A1. An image of Fashion-MNIST becomes a map of 7 × 7 codes. It starts here, so Parts D to F need nothing of Part C; the codes of your own model would do as well.

# %% setup="patch-codes"
from course_lib.data import fashion_mnist


def cut(x):
    """Images (N, 784) -> pieces (N, 7, 7, 16)."""
    return x.reshape(-1, 7, 4, 7, 4).transpose(2, 3).reshape(-1, 7, 7, 16)


def paste(pieces):
    """Pieces (N, 7, 7, 16) -> images (N, 28, 28)."""
    return pieces.reshape(-1, 7, 7, 4, 4).transpose(2, 3).reshape(-1, 28, 28)


def show_maps(rows, panel_size=0.8):
    """Draw rows of maps of codes as images; `rows` holds a name and maps (S, 7, 7) for each."""
    width = max(len(maps) for maps in rows.values())
    size = panel_size * width + 1.4, panel_size * len(rows)
    _, axes = plt.subplots(len(rows), width, figsize=size, squeeze=False)
    for panels, (name, maps) in zip(axes, rows.items(), strict=True):
        for panel, picture in zip(panels, paste(pieces[maps]), strict=True):
            panel.imshow(picture, cmap="gray", vmin=0, vmax=1)
            panel.set_axis_off()
        panels[0].text(-3, 14, name, ha="right", va="center")
    return axes


NUM_PIECES = 32
with when_answered(nearest_code):
    generator = torch.Generator().manual_seed(0)
    sources = {"train": 6000, "test": 400}
    sets = {name: cut(fashion_mnist(name).flat()[:n]) for name, n in sources.items()}
    points = sets["train"].reshape(-1, 16)
    points = points[torch.randperm(len(points), generator=generator)[:12_000]]
    pieces = points[:NUM_PIECES].clone()
    for _ in range(20):  # k-means
        nearest = nearest_code(points, pieces)
        for k in nearest.unique():
            pieces[k] = points[nearest == k].mean(dim=0)
    maps = {
        name: torch.cat([nearest_code(part, pieces) for part in z.split(250)])
        for name, z in sets.items()
    }

# %% [markdown]
# **Look at it.** What a map costs under your four prices. The learned prior is the table of D2, which is asked in the form of a `logits_fn`. It knows two neighbours and nothing else, and saves far more than a fifth.

# %% setup="draw-bits"


def neighbour_logits(table):
    """The table of D2 as a `logits_fn`."""

    def logits_fn(codes):
        framed = torch.nn.functional.pad(codes, (1, 0, 1, 0), value=table.shape[-1])
        return table[framed[:, 1:, :-1], framed[:, :-1, 1:]]

    return logits_fn


def draw_bits(bits):
    """Bars for prices by name, with what each saves against the first."""
    _, axes = plt.subplots(figsize=(6.2, 0.45 * len(bits) + 0.8))
    axes.barh(list(bits), list(bits.values()), color="C0")
    axes.invert_yaxis()
    axes.set_xlabel("bits for a map")
    most = max(bits.values())
    for row, price in enumerate(bits.values()):
        axes.text(price - 4, row, f"{price:.0f}", ha="right", va="center", color="white")
        if row:
            axes.text(most * 1.02, row, f"saves {1 - price / most:.0%}", va="center")
    axes.set_xlim(0, 1.2 * most)


with when_answered(nearest_code), when_answered(neighbour_prior), when_answered(code_bits):
    table = neighbour_prior(maps["train"], NUM_PIECES, 0.1)
    prices = code_bits(maps["train"], maps["test"], neighbour_logits(table), NUM_PIECES)
    names = ("uniform", "unigram", "per position", "two neighbours")
    prices = dict(zip(names, map(float, prices), strict=True))
    draw_bits(prices)

# %% [markdown]
# # Part E. A network that sees only what came before
#
# Two neighbours are few. A convolution sees more, but it must not see what it has to predict. In unit 00 you wrote the mask that cuts a square kernel in raster order, and saw its blind spot: places up and to the
# right that a stack of such layers never reaches. The cure is two stacks. The **vertical** one may see whole rows. The **horizontal** one sees its own row, to the left only, and hears from the vertical one about the rows above.
#
# ## E1. Hand down what the row above knows
#
# *Difficulty 1, 10 minutes, 1 point.*
#
# The vertical feature of row i knows all of row i, also what is to the right. For a prediction in row i that is too much. The feature of row i − 1 is just right. Return a tensor of the same shape, (N, C, H, W), in which **row i holds
# what row i − 1 of `features` held**. The first row holds zeros, and what the last row held is dropped.


# %% solution="shift_down"
def shift_down(features):
    """Every row gets the row above it, the first row zeros: (N, C, H, W) -> the same."""
    ### BEGIN SOLUTION
    shifted = torch.zeros_like(features)
    shifted[:, :, 1:] = features[:, :, :-1]
    return shifted
    ### END SOLUTION


# %% tests="check-shift_down" points=1
check(shift_down)

# %% [markdown]
# ## E2. The gate
#
# *Difficulty 1, 10 minutes, 1 point.*
#
# The activation of a gated PixelCNN has two halves, a content and a gate:
#
# $$\tanh\big(a_{1 \ldots C} + c_{1 \ldots C}\big) \odot \mathrm{sigmoid}\big(a_{C+1 \ldots 2C} + c_{C+1 \ldots 2C}\big)$$
#
# $a$ is `features`, (N, 2C, H, W). $c$ is `condition`, (N, 2C): what the class of each image adds to its channels, the same at all places. The result is (N, C, H, W).


# %% solution="gated_activation"
def gated_activation(features, condition):
    """tanh(first half) times sigmoid(second half): (N, 2C, H, W), (N, 2C) -> (N, C, H, W)."""
    ### BEGIN SOLUTION
    content, gate = (features + condition[:, :, None, None]).chunk(2, dim=1)
    return torch.tanh(content) * torch.sigmoid(gate)
    ### END SOLUTION


# %% tests="check-gated_activation" points=1
check(gated_activation)

# %% [markdown]
# ## E3. Two stacks, and no blind spot
#
# *Difficulty 4, 45 minutes, 4 points. Uses E1 and E2.*
#
# One layer of a gated PixelCNN. `stacks` is (2, N, C, H, W): `v, h = stacks` are the features of the vertical and the horizontal stack. In the first layer, `first = True`, both are the embedded codes themselves. With $*$ a convolution padded by
# zeros, so that the maps keep their size:
#
# $$\begin{aligned}
# a &= \mathtt{vertical} * v & v_\mathrm{new} &= \mathrm{gate}(a) \\
# b &= \mathtt{horizontal} * h + \mathtt{link} * \mathrm{shift\_down}(a) & h_\mathrm{new} &= \mathtt{mix} * \mathrm{gate}(b) \; [\, + \, h \text{ in all layers but the first}\,]
# \end{aligned}$$
#
# The gate is that of E2 with a condition of zeros. The kernels come as `torch.nn.functional.conv2d` takes them, with k odd, and **with numbers also at places that must not be seen**:
#
# | kernel | shape | may see |
# |---|---|---|
# | `vertical` | (2C, C, k, k) | rows above the centre and the centre row, in all columns |
# | `horizontal` | (2C, C, 1, k) | columns to the left of the centre; the centre too, but **not in the first layer** |
# | `link` | (2C, 2C, 1, 1) | |
# | `mix` | (C, C, 1, 1) | |
#
# Treat what must not be seen as zero, without changing the arguments. Return the new stacks as one tensor, (2, N, C, H, W), vertical first. The check looks at values, and at gradients: each new feature must depend on all that
# its layer may see and on no more, and three layers must see all that comes before.


# %% solution="gated_masked_conv"
def gated_masked_conv(stacks, vertical, horizontal, link, mix, first):
    """One layer with two stacks: (2, N, C, H, W) -> the same shape."""
    ### BEGIN SOLUTION
    conv2d = torch.nn.functional.conv2d
    v, h = stacks
    r = vertical.shape[-1] // 2
    below, right = torch.ones_like(vertical), torch.ones_like(horizontal)
    below[:, :, r + 1 :] = 0
    right[..., (r if first else r + 1) :] = 0
    a = conv2d(v, vertical * below, padding=r)
    b = conv2d(h, horizontal * right, padding=(0, r)) + conv2d(shift_down(a), link)
    nothing = torch.zeros_like(a[:, :, 0, 0])
    new_h = conv2d(gated_activation(b, nothing), mix)
    if not first:
        new_h = new_h + h
    return torch.stack([gated_activation(a, nothing), new_h])
    ### END SOLUTION


# %% tests="check-gated_masked_conv" points=4
check(gated_masked_conv)

# %% [markdown]
# **Look at it.** Four layers with random weights on a map of 9 × 9, and what the feature in the middle (marked) depends on, by its gradient. Left: square kernels cut in raster order. Right: your two stacks.

# %% setup="draw-receptive-field"
from torch import nn


class CodePrior(nn.Module):
    """Embedded codes, layers of yours, and logits for every place."""

    def __init__(self, num_codes, *, width=24, num_layers=4, size=3, shape=(7, 7)):
        super().__init__()
        self.embedding = nn.Embedding(num_codes, width)
        self.place = nn.Parameter(torch.zeros(width, *shape))
        shapes = {
            "vertical": (2 * width, width, size, size),
            "horizontal": (2 * width, width, 1, size),
            "link": (2 * width, 2 * width, 1, 1),
            "mix": (width, width, 1, 1),
        }
        self.layers = nn.ModuleList()
        for _ in range(num_layers):
            kernels = {name: nn.Parameter(torch.empty(s)) for name, s in shapes.items()}
            for kernel in kernels.values():
                nn.init.normal_(kernel, std=kernel[0].numel() ** -0.5)
            self.layers.append(nn.ParameterDict(kernels))
        self.head = nn.Linear(width, num_codes)

    def features(self, x):
        """Embedded codes (N, C, H, W) -> features (N, C, H, W) that know only what came before."""
        stacks = torch.stack([x, x])
        for number, kernels in enumerate(self.layers):
            stacks = gated_masked_conv(stacks, **kernels, first=number == 0)
        return stacks[1]

    def forward(self, codes):
        """Logits (N, H, W, K)."""
        h = self.features(self.embedding(codes).permute(0, 3, 1, 2)) + self.place
        return self.head(h.permute(0, 2, 3, 1))


def raster_features(x, num_layers=4, size=3):
    """The same with one stack of square kernels, cut in raster order; the first hides its centre."""
    for number in range(num_layers):
        kernel = torch.randn(x.shape[1], x.shape[1], size, size).flatten(2) / size
        kernel[:, :, size * size // 2 + (number > 0) :] = 0
        x = torch.tanh(nn.functional.conv2d(x, kernel.unflatten(2, (size, size)), padding="same"))
    return x


def seen_from_the_middle(features, size=9):
    """Which places of the input the feature in the middle depends on, (H, W) bool."""
    x = torch.randn(1, 24, size, size, requires_grad=True)
    features(x)[0, :, size // 2, size // 2].sum().backward()
    return x.grad[0].abs().sum(dim=0) > 1e-9


with when_answered(shift_down), when_answered(gated_activation), when_answered(gated_masked_conv):
    _ = torch.manual_seed(0)
    fields = {
        "cut in raster order": seen_from_the_middle(raster_features),
        "two stacks": seen_from_the_middle(CodePrior(8, shape=(9, 9)).features),
    }
    before = torch.arange(81).reshape(9, 9) < 40
    figure, axes = plt.subplots(1, 2, figsize=(6, 3.1))
    for panel, (name, seen) in zip(axes, fields.items(), strict=True):
        shade = torch.where(seen, 1.0, torch.where(before, 0.45, 0.0))
        panel.imshow(shade, cmap="Blues", vmin=0, vmax=1.4)
        panel.plot(4, 4, "s", color="C1", markersize=12)
        panel.set_title(f"{name}: {int((before & ~seen).sum())} places missed")
        panel.set_xticks([])
        panel.set_yticks([])
        panel.spines[:].set_visible(False)

# %% [markdown]
# # Part F. Images from nothing
#
# ## F1. Codes one by one
#
# *Difficulty 3, 30 minutes, 4 points.*
#
# A prior is a chain of conditionals, so you draw a map place by place, and every code that you draw is a condition for the next. `logits_fn(codes)` takes S maps, (S, H, W), and gives logits (S, H, W, K); those at (i, j) are for the code at
# (i, j) and depend on the codes before it only. In unit 00 the pixels were binary (`sample_ar`); now there are K values.
#
# `known` is (H, W), True where the code is given. At these places all maps keep the codes of `given`, (S, H, W). At the others `given` holds arbitrary codes that mean nothing. Draw the missing codes of all S maps **in the order of the rows**, each
# with the probabilities softmax(logits / `temperature`), and return the maps, (S, H, W) in int64.
#
# - Ask `logits_fn` **exactly once for each place that is not known**, about all S maps together. It takes codes from 0 to K − 1 at all places.
# - Draw with `generator`. `temperature` is positive.
#
# The check draws all 81 maps of 2 × 2 codes and compares their frequencies with their exact joint probabilities.


# %% solution="sample_codes"
def sample_codes(logits_fn, given, known, temperature, generator):
    """Draw what is missing, code by code: (S, H, W), (H, W) bool -> (S, H, W)."""
    ### BEGIN SOLUTION
    codes = given.clone()
    for i in range(known.shape[0]):
        for j in range(known.shape[1]):
            if known[i, j]:
                continue
            logits = logits_fn(codes)[:, i, j]
            shares = torch.softmax(logits / temperature, dim=-1)
            draw = torch.multinomial(shares, 1, generator=generator)
            codes[:, i, j] = draw[:, 0]
    return codes
    ### END SOLUTION


# %% tests="check-sample_codes" points=4
check(sample_codes)

# %% [markdown]
# **The lab: before and after the prior.** Your layers of E3, stacked four deep, learn from the 6000 maps of Part D by the cross-entropy of every code. It takes some seconds. Then the prices, with your network as a fifth prior, and six maps
# drawn by your function from each prior. Below them: six real test images, as the codes keep them.

# %% setup="train-prior"
with (
    when_answered(nearest_code),
    when_answered(neighbour_prior),
    when_answered(code_bits),
    when_answered(gated_masked_conv),
    when_answered(sample_codes),
):
    _ = torch.manual_seed(0)
    prior = CodePrior(NUM_PIECES)
    optimiser = torch.optim.Adam(prior.parameters(), lr=5e-3)
    steps = 300
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        batch = maps["train"][torch.randint(6000, (48,), generator=generator)]
        loss = nn.functional.cross_entropy(prior(batch).movedim(-1, 1), batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    prior.requires_grad_(False)
    learned = code_bits(maps["train"], maps["test"], prior, NUM_PIECES)
    draw_bits({**prices, "your network": float(learned[-1])})

    nothing_known = torch.zeros(7, 7, dtype=torch.bool)
    anything = torch.zeros(6, 7, 7, dtype=torch.long)
    places = nn.functional.one_hot(maps["train"], NUM_PIECES).double().mean(dim=0)
    logits_of = {
        "uniform": lambda codes: torch.zeros(*codes.shape, NUM_PIECES),
        "per position": lambda codes: places.log().expand(*codes.shape, -1),
        "two neighbours": neighbour_logits(table),
        "your network": prior,
    }
    drawn = {
        name: sample_codes(logits_fn, anything, nothing_known, 1.0, generator)
        for name, logits_fn in logits_of.items()
    }
    _ = show_maps({**drawn, "real": maps["test"][:6]})

# %% [markdown]
# ## F2. What came too late to be heard
#
# *Difficulty 3, 25 minutes, 3 points.*
#
# With the upper half known, `sample_codes` draws the lower half exactly as the prior says. With the **lower** half known it cannot: it draws the upper half first, and nobody asks whether the lower one fits. Unit 02 has the cure. Take the S completed
# maps for draws from a proposal, and give each the importance weight
#
# $$w = \frac{p(\text{whole map})}{q(\text{the codes that were drawn})}$$
#
# where $q$ is the product of the conditionals with which `sample_codes` drew the missing codes, at the temperature 1. Return $\log w$ for each map, (S,), in nats and not normalised. `codes` is (S, H, W), the completed maps; `known` is
# (H, W) bool; `logits_fn` is as in F1, with logits that are not normalised. Think first: which factors of the two products cancel? The check adds up proposal times weight over all completions. It must find the exact posterior, and the exact
# probability of the known codes.


# %% solution="completion_log_weights"
def completion_log_weights(logits_fn, codes, known):
    """log of target over proposal for each completed map: (S, H, W), (H, W) bool -> (S,)."""
    ### BEGIN SOLUTION
    log_p = torch.log_softmax(logits_fn(codes), dim=-1)
    chosen = log_p.gather(-1, codes[..., None])[..., 0]
    return (chosen * known).sum(dim=(1, 2))
    ### END SOLUTION


# %% tests="check-completion_log_weights" points=3
check(completion_log_weights)

# %% [markdown]
# **Look at it.** Two test images, of which the lower three rows of codes are known. First six completions as they were drawn, then six of four hundred, chosen with your weights. The effective number of draws says how far the weights can be trusted: where it is near 1, the
# proposal hardly ever fits, and a prior in another order would be the better answer.

# %% setup="draw-completions"
with (
    when_answered(nearest_code),
    when_answered(neighbour_prior),
    when_answered(code_bits),
    when_answered(gated_masked_conv),
    when_answered(sample_codes),
    when_answered(completion_log_weights),
):
    lower = torch.zeros(7, 7, dtype=torch.bool)
    lower[4:] = True
    for number in (2, 12):
        truth = maps["test"][number]
        completed = sample_codes(prior, truth.repeat(400, 1, 1), lower, 1.0, generator)
        weights = torch.softmax(completion_log_weights(prior, completed, lower).double(), dim=0)
        chosen = torch.multinomial(weights, 6, replacement=True, generator=generator)
        rows = {"as drawn": completed[:6], "weighted": completed[chosen]}
        axes = show_maps({name: torch.cat([truth[None], row]) for name, row in rows.items()})
        axes[0, 0].set_title("truth", fontsize="small")
        effective = 1 / weights.square().sum()
        print(f"image {number}: effective number of draws {effective:.1f} of {len(weights)}")

# %% [markdown]
# ## F3. Why the prior comes second
#
# *By hand, 25 minutes, 4 points, marked by a person.*
#
# A VQ-VAE with H · W places and K codes is trained with the uniform prior. Its encoder is deterministic: $q(z \mid x)$ puts all its mass on one map. Let $\bar q(z)$ be the distribution of the maps of the training images.
#
# 1. Compute the rate $\mathrm{KL}\big(q(z \mid x) \,\Vert\, p(z)\big)$ of an image. Why does no rate appear in the loss of the VQ-VAE?
# 2. You decode maps that are drawn uniformly, and see noise. Explain it with a number of maps. What exactly has the decoder never been trained for?
# 3. A prior $p_\psi$ is trained afterwards on the maps, by their mean cross-entropy $-\mathbb E_{\bar q} \log p_\psi(z)$. Write it as an entropy plus a divergence. What is the fewest number of bits that any prior can reach, and how many does it save?
# 4. Why does one not train $p_\psi$ together with the encoder from the start, by this same loss? Name one thing that could be gained and one that could go wrong.

# %% [markdown] manual="explain-prior" points=4
# **Model answer.** (1) $q(z \mid x)$ has entropy 0, so the rate is $\mathbb E_q[\log q - \log p] = 0 - \log K^{-HW} = HW \log K$ nats, the same for every image and for every parameter. A constant has no gradient, so it can be
# left out: the loss holds reconstruction, codebook and commitment only. The model is charged for the full $HW \log_2 K$ bits, whatever it writes.
#
# (2) There are $K^{HW} = 2^{HW \log_2 K}$ maps. If typical images need $b$ bits, about $2^b$ maps carry nearly all of $\bar q$: a share of $2^{b - HW \log_2 K}$ of them, for 16 codes of 512 and 64 bits $2^{-80}$. A uniform draw never hits.
# The decoder was trained on draws from $\bar q$ only. It never met neighbouring codes that do not go together, and nothing in the loss says what it should make of them. Each code by itself is familiar; their combination is not.
#
# (3) $-\mathbb E_{\bar q} \log p_\psi = \mathrm H(\bar q) + \mathrm{KL}(\bar q \,\Vert\, p_\psi)$. The first term does not depend on $\psi$, so training lowers the divergence, and the best price is $\mathrm H(\bar q) / \log 2$ bits, reached when $p_\psi = \bar q$. Against the
# uniform prior it saves $HW \log_2 K - \mathrm H(\bar q) / \log 2$, which is $\mathrm{KL}(\bar q \,\Vert\, \text{uniform})$ in bits. With $\bar q$ that of the training maps the price is an idealisation: on test maps one pays more.
#
# (4) Gained: the encoder could learn to write maps that are cheap, as in a VAE, where rate and distortion are traded against one another. Wrong: the rate can be lowered at once by always writing the same code, so the codes collapse before the decoder has learned to use them;
# the codes keep changing while the prior chases them; and no gradient of the prior reaches the encoder through the nearest-code choice except by an estimate such as straight-through. Also the cost: the autoregressive network would run at every step.
#
# **Marking scheme.** 1 point: the rate $HW \log K$ and why it drops out. 1 point: a share of maps as a power of two, and that the decoder knows combinations from $\bar q$ only. 1 point: entropy plus divergence, with the saving named. 1 point: a gain and a danger, each with its reason.
