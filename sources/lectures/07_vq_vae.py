# %% [markdown]
# # 07 · A code that counts
#
# **What if the code is discrete?**
#
# The code of a variational autoencoder is a cloud of real numbers, and the prior over codes is chosen before anything is
# seen. Much of units 05 and 06 was about the price of that: pictures that blur, posteriors that collapse, a prior that fits badly. The
# **VQ-VAE** (van den Oord, Vinyals and Kavukcuoglu 2017) turns it round. The code is a small map of whole numbers, each of them the
# number of a vector in a list. First learn to describe images in this language, with no prior at all. Then learn the
# language: an autoregressive model, as in unit 00, but over 49 words instead of 784 pixels.
#
# Three things have to be invented on the way. A gradient for a step that has none. A way to keep all words of the
# language alive. And a network that gives the next word from those before it, with an exact likelihood. All
# three are easy to write wrongly in a way that still trains.
#
# **When you have read this, you can**
#
# - quantise a vector, and say where its gradient arrives and where it is put;
# - say what each of the two stop-gradients is for, and test it;
# - say where the KL went, and write the ELBO of a VQ-VAE;
# - run a codebook as moving k-means, make it collapse, and cure it;
# - say what a perplexity means, and of what it must be taken;
# - explain why nobody can sample codes uniformly, in numbers;
# - build a PixelCNN without a blind spot, and sample from it without computing anything twice;
# - compare priors in bits per image, and let a judge look at their samples;
# - complete a half-hidden image by the rules of probability;
# - compare a lossy code with a PNG file, honestly;
# - recognise fourteen classic mistakes by their symptoms.
#
# You need units 00 (chain rule, bits), 04 (autoencoders) and 05 (ELBO, rate and distortion). Log-likelihoods are in **nats**, prices of images
# in **bits**: one nat is 1.4427 bits. Symbols follow the notation table in `lectures/README.md`. After almost every equation comes a cell that
# tests it.

# %% tags=["trained"]
import copy
import math
import os

import matplotlib.pyplot as plt
import torch
from sklearn.cluster import KMeans
from torch.distributions import Categorical, Normal, kl_divergence
from torch.nn.functional import conv2d, one_hot, pad
from torch.utils.flop_counter import FlopCounterMode

from course_lib import plots
from course_lib.autoregressive import log_prob_per_dim, receptive_field
from course_lib.classifier import fit_classifier
from course_lib.data import fashion_mnist
from course_lib.pixelcnn import GatedBlock, MaskedConv2d, PixelCNN, causal_mask, gate
from course_lib.quantizer import (
    EMAQuantizer,
    Quantizer,
    codes_in_use,
    ema_update,
    nearest_code,
    perplexity,
    png_bits,
    position_bits,
    straight_through,
    uniform_bits,
    unigram_bits,
    vq_losses,
)
from course_lib.training import TrainSettings, cosine, train
from course_lib.vq_vae import VQVAE, encode_dataset, nmse, vq_vae_loss

FAST = os.environ.get("COURSE_FAST") == "1"  # smaller sizes, same code
_ = torch.set_num_threads(1)  # small networks; and sums in one order, whatever the machine
plots.use_style()
BLUE, ORANGE, GREEN, PINK, YELLOW, SKY = plots.COLOURS
K, M = 128, 16  # codes, and values in each
SIDE = 7  # of a code map
POSITIONS = SIDE**2


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def steps(num_steps):
    return max(num_steps // 6, 40) if FAST else num_steps


def fit(model, loss_fn, data, num_steps, *, learning_rate=2e-3, batch_size=64, callback=None):
    """Adam with a rate that falls to zero along a cosine; the model, ready for evaluation."""
    settings = TrainSettings(
        num_steps=num_steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        schedule=cosine,
        accelerator="cpu",
        progress=False,
    )
    _ = train(model, loss_fn, data, settings, callback=callback)
    return model.eval().requires_grad_(False)


# %% [markdown]
# ## 1 · A list of vectors
#
# ### The data
#
# Fashion-MNIST in grey, as it is: a pixel is one of 256 levels. The loss will be a squared error, and section 3 says of which likelihood.

# %%
train_set, test_set = fashion_mnist("train"), fashion_mnist("test")
test_set = test_set.take(slice(1000 if FAST else None))
x_train, x_test = train_set.flat(), test_set.flat()
y_train, y_test = train_set.labels, test_set.labels
N_TEST, D = x_test.shape
NAMES = test_set.label_names
chosen = torch.stack([(y_test == k).nonzero()[3, 0] for k in range(10)])  # one of each class
print(f"{len(x_train)} training images, {N_TEST} test images, {D} pixels of 8 bits: {8 * D} bits")

# %% [markdown]
# ### Quantisation
#
# A **codebook** is a list of $K$ vectors $e_1, \dots, e_K$ with $M$ values each. To quantise a vector, take the nearest of them:
#
# $$z = \arg\min_k \Vert z_e - e_k \Vert, \qquad z_q = e_z$$
#
# Three names for three things. The encoder writes $z_e$, real numbers. The **code** $z$ is a whole number from 1 to $K$. And $z_q$ is
# the vector that the decoder gets to see. Only $z$ has to be stored or sent: whoever has the codebook can look up $z_q$. To store it takes
# $\log_2 K$ bits.
#
# The distances need no array of size $N \times K \times M$. The square is
#
# $$\Vert z_e - e_k \Vert^2 = \Vert z_e \Vert^2 - 2 z_e^\top e_k + \Vert e_k \Vert^2$$
#
# and its first term is the same for all $k$, so it may be left out.

# %%
points = torch.randn(2000, M, generator=seeded(1))
codebook = torch.randn(K, M, generator=seeded(2))
by_definition = (points[:, None] - codebook).square().sum(-1)  # (N, K), by way of (N, K, M)
without_first = codebook.square().sum(1) - 2 * points @ codebook.T
codes = nearest_code(points, codebook)
assert torch.equal(codes, by_definition.argmin(1))
assert torch.equal(codes, without_first.argmin(1)), "the first term does not matter"
first_term = points.square().sum(1, keepdim=True)
assert torch.allclose(by_definition, first_term + without_first, atol=1e-4), "float32, sums of 16"
print(f"{len(points)} vectors, {K} codes, {codes.unique().numel()} of them chosen")
print(f"numbers at once: {points.numel() * K} by the definition, {len(points) * K} by the product")

# %%
flat_book = torch.tensor(
    [[-1.6, 1.0], [-0.7, -0.9], [0.1, 0.7], [0.9, -0.5], [1.7, 1.1], [1.9, -1.3], [-1.9, -0.9]]
)
cloud = (1.1 * torch.randn(60, 2, generator=seeded(4))).clamp(-2.45, 2.45)
PALE = ("#c9dff0", "#f6d3bd", "#c2e6d9", "#f1dbe8", "#f8e6b9", "#d9effb", "#e4e4e4")


def draw_cells(ax, codebook, limits=(-2.6, 2.6), side=240):
    """The cell of each code: all places that are nearest to it."""
    axis = torch.linspace(*limits, side)
    grid = torch.cartesian_prod(axis, axis)
    cells = nearest_code(grid, codebook).view(side, side).T
    colours = torch.tensor([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in PALE])
    ax.imshow(colours[cells % len(PALE)].numpy(), extent=(*limits, *limits), origin="lower")
    ax.set(xlim=limits, ylim=limits, aspect="equal", xlabel="first value", ylabel="second value")


fig, ax = plt.subplots(figsize=(5.5, 4.6))
draw_cells(ax, flat_book)
for z_e, z_q in zip(cloud, flat_book[nearest_code(cloud, flat_book)], strict=True):
    ax.plot(*torch.stack([z_e, z_q]).T, color="0.55", linewidth=0.7)
ax.scatter(*cloud.T, s=12, color=BLUE, label="$z_e$", zorder=3)
ax.scatter(*flat_book.T, s=70, color=ORANGE, marker="s", label="$e_k$", zorder=3)
for number, place in enumerate(flat_book, start=1):
    ax.annotate(f"{number}", place + 0.1, fontsize=10)
ax.set_title("Every place belongs to its nearest code")
_ = fig.legend(loc="outside right upper")

# %% [markdown]
# ### A map of codes
#
# One code for a whole image would be k-means. The VQ-VAE uses many codes per image, all from the same list. A convolutional encoder halves the image twice, and
# writes one vector for each place of a $7 \times 7$ map. Each of the 49 vectors is quantised by itself. A decoder makes the image from the
# 49 vectors of the codebook.

# %%
_ = torch.manual_seed(0)
untrained = VQVAE(K, latent_dim=M, width=8, num_residual=1, quantizer=Quantizer(K, M)).eval()
with torch.no_grad():
    untrained.quantizer.codebook.normal_()
    few = x_test[:5]
    output = untrained(few)
shapes = {"x": few, "z_e": output.z_e, "z": output.indices, "z_q": output.z_q}
shapes["x_hat"] = output.x_hat
print(" -> ".join(f"{name} {tuple(value.shape)}" for name, value in shapes.items()))
assert torch.equal(output.z_q, untrained.quantizer.codebook[output.indices]), "looked up, exactly"
assert torch.equal(untrained.decode_codes(output.indices), output.x_hat), "the codes are enough"
bits = uniform_bits(output.indices, K)[0].item()
print(f"an image is {POSITIONS} numbers of {math.log2(K):.0f} bits: {bits:.0f} bits, not {8 * D}")
assert abs(bits - POSITIONS * math.log2(K)) < 1e-3

# %% [markdown]
# ## 2 · A gradient through a step
#
# Move $z_e$ a little. The nearest code stays the same, so $z_q$ does not move, nor does the loss. Move it across the border of a
# cell, and the loss jumps. A function of this kind has gradient zero wherever it has one. The encoder would learn nothing.
#
# The way out is a deliberate lie, the **straight-through** estimator (Bengio, Léonard and Courville 2013). Forwards, use $z_q$. Backwards,
# pretend that quantisation did nothing, and hand the gradient of $z_q$ to $z_e$ as it is:
#
# $$\bar z = z_e + \mathrm{sg}[z_q - z_e]$$
#
# $\mathrm{sg}[\cdot]$ stops the gradient: the value stays, the derivative is zero. So the value of $\bar z$ is $z_q$, and
#
# $$\frac{\partial \bar z}{\partial z_e} = I, \qquad \frac{\partial \bar z}{\partial z_q} = 0, \qquad \frac{\partial \Delta}{\partial z_e} \text{ (pretended)} = \frac{\partial \Delta}{\partial \bar z} \Big|_{\bar z = z_q}$$
#
# In two dimensions, with $\Delta(\bar z) = \Vert \bar z - t \Vert^2$ in place of the decoder's error: the decoder would be happiest with the
# vector $t$, which is not in the codebook.

# %%
target = torch.tensor([2.3, 2.0])


def delta(z):
    return (z - target).square().sum(-1)


z_e = torch.tensor([-0.6, 0.45], requires_grad=True)
z_q = flat_book[nearest_code(z_e.detach(), flat_book)].clone().requires_grad_()
formula = z_e + (z_q - z_e).detach()
z_bar = straight_through(z_e, z_q)
assert torch.allclose(formula, z_q, atol=1e-6), "z_q up to rounding"
assert torch.equal(z_bar, z_q), "the library's is z_q bit for bit"
jacobian = torch.autograd.functional.jacobian(lambda z: straight_through(z, z_q.detach()), z_e)
assert torch.equal(jacobian, torch.eye(2)), "as if nothing had happened"
placed = torch.autograd.grad(delta(z_bar), z_e)[0]
arrives = torch.autograd.grad(delta(z_q), z_q)[0]
assert torch.equal(placed, arrives), "taken at z_q, put at z_e"
into_code = torch.autograd.grad(delta(straight_through(z_e, z_q)), z_q, allow_unused=True)[0]
assert into_code is None or not into_code.any(), "the code itself hears nothing of it"

truth = []
for direction in torch.eye(2):  # finite differences of the honest function
    moved = [z_e.detach() + sign * 1e-3 * direction for sign in (1, -1)]
    ends = [delta(flat_book[nearest_code(z, flat_book)]) for z in moved]
    truth.append((ends[0] - ends[1]).item() / 2e-3)
print("gradient of the honest function:", truth)
print("gradient of the lie:            ", [round(value, 2) for value in placed.tolist()])
assert truth == [0.0, 0.0]

# %% [markdown]
# What does the lie do when you follow it? Gradient descent on $z_e$, with and without a second term, $\beta \Vert z_e - \mathrm{sg}[z_q] \Vert^2$, that holds
# $z_e$ near its code.


# %%
def descend(beta, num_steps=60, rate=0.05):
    path = [torch.tensor([-0.6, 0.45])]
    for _ in range(num_steps):
        z = path[-1].clone().requires_grad_()
        code = flat_book[nearest_code(z.detach(), flat_book)]
        loss = delta(straight_through(z, code)) + beta * (z - code).square().sum()
        path.append((z - rate * torch.autograd.grad(loss, z)[0]).detach())
    return torch.stack(path)


BETA = 2.0
free, held = descend(0.0), descend(BETA)
fig, axes = plt.subplots(1, 3, figsize=(11.2, 3.9))
LIMITS = (-2.6, 5.0)
axis = torch.linspace(*LIMITS, 120)
levels = delta(torch.cartesian_prod(axis, axis)).view(120, 120).T
for ax in axes:
    draw_cells(ax, flat_book, LIMITS)
    ax.contour(axis, axis, levels, levels=[0.3, 2, 5, 9, 14, 20], colors="0.6", linewidths=0.7)
    ax.scatter(*flat_book.T, s=30, color=ORANGE, marker="s", zorder=3)
    ax.plot(*target, marker="*", markersize=13, color="black")
left = axes[0]
for place, colour, name in ((z_q.detach(), ORANGE, "arrives"), (z_e.detach(), BLUE, "is put")):
    arrow = {"color": colour, "arrowstyle": "-|>", "linewidth": 2.2}
    left.annotate("", place - 0.45 * placed, xytext=place, arrowprops=arrow)
    left.plot(*place, marker="o", color=colour, label=name)
left.legend(loc="lower right", fontsize=9)
left.set(xlim=(-2.6, 2.9), ylim=(-2.6, 2.9), title="Where the gradient arrives, is put")
for ax, path, beta in ((axes[1], free, 0), (axes[2], held, BETA)):
    ax.plot(*path.T, color=BLUE, marker=".", markersize=4)
    ax.plot(*path[0], marker="o", color=BLUE)
    ax.set_title(rf"60 steps with $\beta = {beta:g}$")
best = delta(flat_book).argmin()
slope = 2 * (flat_book[best] - target)  # the gradient at the best code: not zero
settled = flat_book[best] - slope / (2 * BETA)
there = [round(value, 2) for value in slope.tolist()]
print(f"the best code is number {best + 1}; the gradient there is {there}")
for name, path in (("without", free), ("with", held)):
    distance = (path - flat_book[best]).norm(dim=1)
    print(f"{name:7} the second term: {distance[40]:.2f} from its code after 40 steps", end="")
    print(f", {distance[60]:.2f} after 60")
assert nearest_code(free[-1], flat_book) == nearest_code(held[-1], flat_book) == best
assert (free[60] - free[40]).norm() > 0.5, "it runs on"
assert torch.allclose(held[-1], settled, atol=0.02), "it settles"

# %% [markdown]
# Follow the path in the middle. The gradient is constant inside a cell, because it is taken at the code. It drives $z_e$ across the border into the cell
# of a better code, and so on to the best one. The lie is good enough to find it. But then it does not stop. The gradient at the
# best code is not zero, since $t$ is not in the codebook, and nothing holds $z_e$ back. It runs away, on a straight line, at constant speed.
#
# With the second term it settles where the two gradients cancel,
#
# $$z_e = z_q - \frac{1}{2 \beta} \frac{\partial \Delta}{\partial \bar z} \Big|_{\bar z = z_q}$$
#
# and the last assert was that. So the distance between $z_e$ and its code is not a defect of training. It is the gradient that is left,
# divided by $2 \beta$, and in a real model it can be as large as the decoder's wishes are.
#
# ### The loss, and who hears what
#
# Two networks and a codebook have to learn. The loss of the paper has one term for each (equation 3 there):
#
# $$\underbrace{\Vert x - g_\theta(\bar z) \Vert^2}_{\text{reconstruction}} + \underbrace{\Vert \mathrm{sg}[z_e] - z_q \Vert^2}_{\text{codebook}} + \beta\, \underbrace{\Vert z_e - \mathrm{sg}[z_q] \Vert^2}_{\text{commitment}}$$
#
# (Here: a sum over pixels, a mean over the 49 places.) The second and third term have the *same value*. The stop-gradients decide who moves:
# in the second the code comes to the encoder's vectors, in the third the encoder comes to the code. Which of the parts gets a gradient from
# which term?

# %%
_ = torch.manual_seed(1)
model = VQVAE(K, latent_dim=M, width=8, num_residual=1, quantizer=Quantizer(K, M)).eval()
with torch.no_grad():
    model.quantizer.codebook.normal_()
book, batch = model.quantizer.codebook, x_train[:16]
z_e = model.encode(batch)
z_e.retain_grad()
indices = nearest_code(z_e.detach(), book)
z_q = book[indices]
x_hat = model.decode(straight_through(z_e, z_q))
codebook_loss, commitment = vq_losses(z_e, z_q)  # each (N, 7, 7)
terms = {
    "reconstruction": (batch - x_hat).square().sum(1).mean(),
    "codebook": codebook_loss.mean(),
    "commitment": commitment.mean(),
}
parts = {"encoder": [*model.encoder.parameters()], "codebook": [book]}
parts["decoder"] = [*model.decoder.parameters()]


def gradient_norm(term, params):
    found = torch.autograd.grad(term, params, retain_graph=True, allow_unused=True)
    return sum(g.square().sum().item() for g in found if g is not None) ** 0.5


print(f"{'gradient of':16}" + "".join(f"{part:>12}" for part in parts))
heard = {}
for name, term in terms.items():
    heard[name] = [gradient_norm(term, params) for params in parts.values()]
    print(f"{name:16}" + "".join(f"{value:12.3f}" for value in heard[name]))
who = {name: [value > 0 for value in values] for name, values in heard.items()}
assert who == {
    "reconstruction": [True, False, True],
    "codebook": [False, True, False],
    "commitment": [True, False, False],
}
assert torch.equal(codebook_loss, commitment), "the same value"
whole = vq_vae_loss(model, batch).mean()
by_hand = terms["reconstruction"] + terms["codebook"] + 0.25 * terms["commitment"]
assert torch.allclose(whole, by_hand, rtol=1e-5), "the library's loss, with β = 0.25"

# %% [markdown]
# Each part hears from its own terms. In particular the codebook hears nothing of the reconstruction; it only follows the encoder. The gradients
# have closed forms, which is the best test of an implementation: the *values* cannot tell the two stop-gradients apart.
#
# $$\nabla_{e_k} \Vert \mathrm{sg}[z_e] - e_k \Vert^2 = 2\,(e_k - z_e), \qquad \nabla_{z_e} \Vert z_e - \mathrm{sg}[z_q] \Vert^2 = 2\,(z_e - z_q)$$

# %%
count = codebook_loss.numel()  # the loss is a mean over so many
for_codes = torch.autograd.grad(terms["codebook"], book, retain_graph=True)[0]
pull = 2 * (z_q - z_e).detach().reshape(-1, M) / count
expected = torch.zeros_like(book).index_add_(0, indices.flatten(), pull)
assert torch.allclose(for_codes, expected, atol=1e-5)
for_encoder = torch.autograd.grad(terms["commitment"], z_e, retain_graph=True)[0]
assert torch.allclose(for_encoder, 2 * (z_e - z_q).detach() / count, atol=1e-6)
unchosen = torch.bincount(indices.flatten(), minlength=K) == 0
assert not for_codes[unchosen].any(), "a code that nobody chose gets no gradient"
print(f"{int(unchosen.sum())} of {K} codes were chosen by nobody: their gradient is exactly 0")

# %% [markdown]
# Keep the last line in mind. A code that nobody chooses cannot move, so nobody will choose it. Section 5 is about that.
#
# ## 3 · Where the KL went
#
# This is called a variational autoencoder, and there was no KL in the loss. Look at it as one. The hidden variable is the map
# $z$, 49 whole numbers. The encoder's answer is a distribution, too, only a stubborn one: all mass on the nearest code,
#
# $$q(z \mid x) = \begin{cases} 1 & \text{if } z = z(x) \\ 0 & \text{otherwise} \end{cases} \qquad \mathrm{KL}\big(q(z \mid x) \,\Vert\, p(z)\big) = -\log p\big(z(x)\big)$$
#
# With a **uniform** prior over the $K^{49}$ maps that is $49 \log K$: a constant. It has no gradient, so it was left out. That is where
# the KL went. It also says why a posterior cannot collapse here as it did in unit 05: the rate is the same whatever
# the encoder does, so there is nothing to be saved by saying less.

# %%
uniform = Categorical(probs=torch.full((K,), 1 / K, dtype=torch.float64))
for code in (0, 17, K - 1):
    answer = Categorical(probs=one_hot(torch.tensor(code), K).double())
    assert torch.allclose(kl_divergence(answer, uniform), torch.tensor(K).double().log())
    skewed = Categorical(logits=torch.randn(K, generator=seeded(code)).double())
    minus_log = -skewed.log_prob(torch.tensor(code))
    assert torch.allclose(kl_divergence(answer, skewed), minus_log), "−log p of that code"
constant_rate = POSITIONS * math.log(K)
print(f"KL of one code: log {K} = {math.log(K):.3f} nats, whichever code it is")
print(f"of a map: {constant_rate:.1f} nats = {constant_rate / math.log(2):.0f} bits")

# %% [markdown]
# So the ELBO of a VQ-VAE has no expectation in it,
#
# $$\mathcal L(x) = \log p_\theta\big(x \mid z(x)\big) + \log p\big(z(x)\big) \;\le\; \log p_\theta(x) = \log \sum_z p(z)\, p_\theta(x \mid z)$$
#
# It keeps one term of the sum and drops the others; so it is a bound without any appeal to Jensen. The gap is, as always, a divergence
# between $q$ and the posterior:
#
# $$\log p_\theta(x) - \mathcal L(x) = -\log p_\theta\big(z(x) \mid x\big)$$
#
# With two places and four codes there are 16 maps, and everything can be added up. (A random linear "decoder"; the squared error
# is a Gaussian with a fixed $\sigma$, up to a constant.)

# %%
toy_book = torch.randn(4, 2, generator=seeded(11)).double()
mixing = torch.randn(2, 2, 5, generator=seeded(12)).double()  # from two places to D = 5
maps = torch.cartesian_prod(torch.arange(4), torch.arange(4))
sigma = 0.7
toy_x = torch.randn(5, generator=seeded(13)).double()
pictures = torch.einsum("npm,pmd->nd", toy_book[maps], mixing)
log_likelihood = Normal(pictures, sigma).log_prob(toy_x).sum(1)
squared = (pictures - toy_x).square().sum(1) / (2 * sigma**2)
normaliser = 5 * math.log(sigma * math.sqrt(2 * math.pi))
assert torch.allclose(log_likelihood, -squared - normaliser), "a squared error, and a constant"
toy_prior = torch.randn(16, generator=seeded(14)).double().log_softmax(0)
log_evidence = (toy_prior + log_likelihood).logsumexp(0)
posterior = toy_prior + log_likelihood - log_evidence
bounds = log_likelihood + toy_prior  # one for each map that an encoder might name
assert (bounds <= log_evidence).all()
assert torch.allclose(log_evidence - bounds, -posterior)
print(f"log p(x) = {log_evidence:.3f}; the bound is {bounds.max():.3f} if the encoder names the")
print(f"most probable map, {bounds.min():.3f} if it names the least probable one")

# %% [markdown]
# Two readings of the bound, for later.
#
# - **The prior may be learned afterwards.** It appears in one term only. With encoder and decoder fixed, the best prior is the one that makes the
#   maps of the training images most probable: an ordinary maximum-likelihood problem, on whole numbers. That is stage two. It cannot spoil the reconstructions, and it raises the
#   ELBO of an image by what it saves.
# - **The prior that was used in stage one was the uniform one.** Nobody asked the encoder for maps that are easy to predict.
#
# ## 4 · The codebook as moving k-means
#
# What does the codebook loss want? For a batch in which $n_k$ vectors choose code $k$, and have the mean $\bar z_k$, its mean over the $n$ vectors of the batch has the gradient
#
# $$\nabla_{e_k} = \frac{2 n_k}{n} (e_k - \bar z_k)$$
#
# Every code is pulled to the mean of those who chose it. That is the second half of k-means (Lloyd 1982): assign every point to the nearest centre, move
# every centre to the mean of its points, repeat. If you know where a code wants to be, you need no optimiser to bring it there. The
# appendix of the paper keeps **moving averages** with decay $\gamma$ instead, of the number and of the sum $t_k$ of the vectors:
#
# $$N_k \leftarrow \gamma N_k + (1 - \gamma)\, n_k, \qquad t_k \leftarrow \gamma\, t_k + (1 - \gamma)\, n_k \bar z_k, \qquad e_k = t_k / N_k$$
#
# The codebook is then no parameter, and the codebook loss is gone. The library uses another form of the same update,
#
# $$e_k \leftarrow e_k + \frac{(1 - \gamma)\, n_k}{N_k} (\bar z_k - e_k)$$
#
# with the new $N_k$. It says more plainly what happens, and if $n_k = 0$ it leaves the code alone, bit for bit.

# %%
z = torch.randn(500, 2, generator=seeded(21)).double()
start_book = torch.cat([torch.randn(6, 2, generator=seeded(22)), torch.tensor([[9.0, 9.0]])])
start_book = start_book.double()
indices = nearest_code(z, start_book)
n_k = torch.bincount(indices, minlength=7).double()
t_k = torch.zeros_like(start_book).index_add_(0, indices, z)
mean_k = t_k / n_k.clamp(min=1)[:, None]

variable = start_book.clone().requires_grad_()
vq_losses(z, variable[indices])[0].mean().backward()
assert torch.allclose(variable.grad, 2 * n_k[:, None] / len(z) * (start_book - mean_k))

decay, N_k = 0.9, torch.full((7,), 40.0).double()
new_size = decay * N_k + (1 - decay) * n_k
as_printed = (decay * N_k[:, None] * start_book + (1 - decay) * t_k) / new_size[:, None]
moved, moved_size = ema_update(start_book, N_k, z, indices, decay=decay)
assert torch.allclose(moved, as_printed)
assert torch.allclose(moved_size, new_size)
assert n_k[6] == 0
assert torch.equal(moved[6], start_book[6]), "nobody chose it: it stays, bit for bit"
print("chosen by", n_k.int().tolist(), "vectors")
print("moved by ", [round(d, 3) for d in (moved - start_book).norm(dim=1).tolist()])

# %% [markdown]
# With $\gamma = 0$ there is no memory, and a step is a step of k-means. With $\gamma$ near 1 the code follows slowly, and
# averages over many batches. The **fixed point** is the same: every code is the mean of its cell,
#
# $$e_k = \mathbb E\big[z_e \mid z_e \text{ chooses } k\big]$$

# %%
centres = torch.randn(7, 2, generator=seeded(23)).double() * 1.5
blobs = centres[torch.randint(7, (1500,), generator=seeded(24))]
blobs = blobs + 0.25 * torch.randn(1500, 2, generator=seeded(25)).double()
begin = blobs[torch.randperm(1500, generator=seeded(26))[:7]]
lloyd, _ = ema_update(begin, torch.zeros(7).double(), blobs, nearest_code(blobs, begin), decay=0.0)
settings = {"n_clusters": 7, "init": begin.numpy(), "n_init": 1, "tol": 0}
first = blobs.new_zeros(7, 2).index_add_(0, nearest_code(blobs, begin), blobs)
assert torch.allclose(lloyd, first / nearest_code(blobs, begin).bincount(minlength=7)[:, None])

book, size = begin.clone(), torch.zeros(7).double()
track = [book]
for step in range(600):
    rows = torch.randint(1500, (64,), generator=seeded(1000 + step))
    book, size = ema_update(book, size, blobs[rows], nearest_code(blobs[rows], book), decay=0.98)
    track.append(book)
track = torch.stack(track)


def error_of(codebook):
    return (blobs - codebook[nearest_code(blobs, codebook)]).square().sum(1).mean().item()


members = nearest_code(blobs, book)
cell_means = torch.stack([blobs[members == k].mean(0) for k in range(7)])
k_means = KMeans(max_iter=300, **settings).fit(blobs.numpy())
print("mean squared distance to the nearest code:")
print(f"  at the start    {error_of(begin):.4f}")
print(f"  moving averages {error_of(book):.4f}")
print(f"  k-means         {k_means.inertia_ / 1500:.4f}, from the same start, on all points")
off = (book - cell_means).norm(dim=1).max()
print(f"largest distance of a code from the mean of its cell: {off:.3f}")
assert off < 0.1, "the noise of batches of 64"
assert error_of(book) < 1.05 * k_means.inertia_ / 1500

fig, ax = plt.subplots(figsize=(4.9, 4.6))
reach = 1.1 * blobs.abs().max().item()
draw_cells(ax, book.float(), (-reach, reach))
ax.scatter(*blobs[::3].T, s=3, color=plots.DATA)
for k in range(7):
    ax.plot(*track[:, k].T, color=BLUE, linewidth=1.2)
ax.scatter(*begin.T, s=28, color=BLUE, label="start", zorder=3)
ax.scatter(*book.T, s=60, color=ORANGE, marker="s", label="end", zorder=4)
k_means_book = torch.tensor(k_means.cluster_centers_)
ax.scatter(*k_means_book.T, s=60, color="black", marker="x", label="k-means", zorder=5)
ax.legend(loc="best", fontsize=9)
_ = ax.set_title("600 steps of the moving averages")

# %% [markdown]
# k-means from the same start ends in the same places. Like k-means, a codebook finds *a* fixed point, not always the best, and which one depends on where it starts.
#
# ## 5 · Collapse, and its cure
#
# Start badly. A common first codebook is uniform in a small cube around 0, of half-width $1/K$. The encoder's
# vectors all lie to one side of it, at some distance. Then a handful of codes on that side is nearest to everything. Those are moved to the
# data, by either rule of section 4; after that they are nearer still. The others were chosen by nobody, so nothing moves them, ever. This is
# **codebook collapse**.
#
# Two cures, one for the start and one for later:
#
# - **start from the data**: put the codebook at vectors that the encoder writes for the first batch;
# - **revival**: every so often, put codes that nobody chose at vectors of the present batch (Dhariwal and others 2020).
#
# To watch it you need a measure of how many codes are in use. Count them, or better, weigh them. With the share $\hat p_k$ of code $k$, the **perplexity** is
#
# $$\exp\Big( -\sum_k \hat p_k \log \hat p_k \Big)$$
#
# the exponential of the entropy: the number of *equally* frequent codes that would be as uncertain. It goes from 1 (one code does it all) to $K$ (all
# alike). Its logarithm to base 2 is the price of a code, in bits, when codes are coded by their frequencies.

# %%
even = torch.arange(12).repeat(5)
assert abs(perplexity(even, K) - 12) < 1e-9, "12 codes alike: 12, whatever K is"
lopsided = torch.tensor([0] * 90 + list(range(1, 11)))  # one code for 90 %, ten for 1 % each
by_hand = math.exp(-0.9 * math.log(0.9) - 10 * 0.01 * math.log(0.01))
assert abs(perplexity(lopsided, K) - by_hand) < 1e-9
print(f"{codes_in_use(lopsided, K)} codes in use, perplexity {perplexity(lopsided, K):.2f}")
in_bits = -sum(p * math.log2(p) for p in [0.9] + [0.01] * 10)
assert abs(math.log2(perplexity(lopsided, K)) - in_bits) < 1e-9
print(f"a code costs {in_bits:.3f} bits, not log2 11 = {math.log2(11):.3f}")

# %%
WATCH_EVERY = 5


def make(kind=EMAQuantizer, *, width=32, **options):
    """A VQ-VAE with fresh weights; its codebook learns by moving averages or by gradient."""
    _ = torch.manual_seed(0)
    options = {"revive_every": 20} | options
    options |= {"decay": options.get("decay", 0.9)} if kind is EMAQuantizer else {}
    return VQVAE(K, latent_dim=M, width=width, quantizer=kind(K, M, **options))


def loss_of(model, x):
    return vq_vae_loss(model, x).mean()


def watched_fit(model, num_steps):
    """Train, and measure the perplexity of the codes of 200 test images on the way."""
    curve = []

    def watch(step, model, loss):
        if step % WATCH_EVERY == 0:
            curve.append((step, perplexity(model.codes(x_test[:200]), K)))

    return fit(model, loss_of, (x_train,), num_steps, callback=watch), curve


COLLAPSE_STEPS = 45 if FAST else 120
NEITHER = {"start_from_data": False, "revive_every": None}
variants = {
    "gradient, neither": (Quantizer, NEITHER),
    "averages, neither": (EMAQuantizer, NEITHER),
    "averages, start": (EMAQuantizer, {"revive_every": None}),
    "averages, revival": (EMAQuantizer, {"start_from_data": False}),
    "averages, both": (EMAQuantizer, {}),
}
curves, ends = {}, {}
print(f"{'':20} perplexity   codes in use   error / variance")
for name, (kind, options) in variants.items():
    healthy, curves[name] = watched_fit(make(kind, **options), COLLAPSE_STEPS)
    codes = healthy.codes(x_test[:1000])
    ends[name] = (perplexity(codes, K), codes_in_use(codes, K), nmse(healthy, x_test[:1000]))
    print("{:20}{:11.1f} {:10d} of {} {:12.3f}".format(name, *ends[name][:2], K, ends[name][2]))
both = ends["averages, both"]  # the last model, too, is the one with both cures
assert ends["gradient, neither"][1] < 10, "collapsed"
for name in ("averages, neither", "averages, start"):
    assert ends[name][1] < 0.6 * K, "most codes are dead"
    assert ends[name][0] < 0.6 * both[0]
assert both[1] > 0.8 * K, "cured"

# %%
fig, ax = plt.subplots(figsize=(7.0, 3.7))
for (name, curve), colour in zip(curves.items(), (PINK, ORANGE, YELLOW, SKY, BLUE), strict=True):
    ax.plot(*zip(*curve, strict=True), color=colour, label=name)
ax.axhline(K, color="black", linestyle=":", linewidth=1)
ax.annotate(f"K = {K}", (1, K), xytext=(0, 3), textcoords="offset points", fontsize=9)
ax.set(xlabel="step", ylabel="perplexity (codes)", yscale="log", ylim=(0.9, 220))
ax.set_yticks([1, 10, 100], ["1", "10", "100"])
ax.set_title("How many codes are in use")
_ = fig.legend(loc="outside right center")

# %% [markdown]
# Without a cure a codebook that learns by gradient ends with a couple of codes for all images. One of moving averages does a little better, because a code that is chosen arrives at
# once. But nearly all of its codes stay dead. Note what does *not* show it: there is no step in the loss and
# no NaN, and after so few steps the errors do not tell a dead codebook from a live one. **Look at the perplexity.**
#
# Starting from the data changes little. At the start the encoder is untrained, and writes nearly the same vector everywhere; as it learns, its
# vectors spread and leave most of the codes behind. Revival follows them. It costs something, because each revival changes the language under the decoder's feet.
#
# ### The model of this lecture

# %%
vq_steps = 150 if FAST else 1000
model = make(width=32 if FAST else 48, decay=0.95)
model, curve = watched_fit(model, vq_steps)
x_hat = torch.cat([model(part).x_hat for part in x_test.split(1000)])
codes_test = encode_dataset(model, x_test)
NUM_CODED = 3000 if FAST else 40_000
codes_train, labels_train = encode_dataset(model, x_train[:NUM_CODED]), y_train[:NUM_CODED]
mse = (x_hat - x_test).square().mean().item()
ratio = nmse(model, x_test)
assert abs(ratio - mse / x_test.var(correction=0).item()) < 1e-5, "error over variance"
print(f"squared error {mse:.4f} a pixel, {100 * ratio:.1f} % of the variance; ", end="")
print(f"{255 * math.sqrt(mse):.1f} of 255 grey levels")
in_use = codes_in_use(codes_test, K)
print(f"{in_use} of {K} codes in use, perplexity {perplexity(codes_test, K):.1f}")
assert in_use > 0.9 * K
assert ratio < (0.3 if FAST else 0.12)

# %%
fig, (top, bottom) = plt.subplots(2, 1, figsize=(8.6, 3.1), height_ratios=(2.1, 1))
plots.draw_images(top, [x_test[chosen], x_hat[chosen]], names=["image", "from 49 codes"])
sheet = torch.full((SIDE, 8 * 10 - 1), torch.nan)
order = codes_train.flatten().bincount(minlength=K).argsort(descending=True).argsort()
for place, index in enumerate(chosen):
    sheet[:, 8 * place : 8 * place + SIDE] = order[codes_test[index]]
shown = bottom.imshow(sheet.numpy(), cmap="viridis", interpolation="nearest", vmin=0, vmax=K - 1)
bottom.set(xticks=[8 * k + 3 for k in range(10)], yticks=[3])
bottom.set_xticklabels(NAMES, fontsize=8)
bottom.set_yticklabels(["codes"])
bottom.tick_params(length=0)
bottom.spines[:].set_visible(False)
_ = top.set_title("Images, their reconstructions, their codes (coloured by rank: dark is frequent)")

# %% [markdown]
# A place of the map is no place of the image, and a code is no patch. A vector sees a neighbourhood through the encoder, and paints one through the decoder.
# How large? Change one code, and look at what changes in the picture.

# %%
base = codes_test[chosen[8]].clone()  # a bag
others = base.repeat(K, 1, 1)
others[:, 3, 3] = torch.arange(K)
change = (model.decode_codes(others) - model.decode_codes(base[None])).abs().amax(0).view(28, 28)
touched = change > 1e-6
rows, columns = (touched.any(axis).nonzero().flatten() for axis in (1, 0))
print(f"rows {rows[0]} to {rows[-1]}, columns {columns[0]} to {columns[-1]} of 0 to 27")
inside = change[12:16, 12:16].mean() / change.mean()
print(f"the change in its own 4 × 4 pixels is {inside:.1f} times that of an average pixel")
assert touched.sum() > 16, "more than its own 4 × 4 pixels"
assert inside > 3
fig, ax = plt.subplots(figsize=(3.9, 3.3))
picture = ax.imshow(change, cmap="magma")
ax.set(xticks=[0, 14, 27], yticks=[0, 14, 27], title="Largest change of a pixel")
_ = fig.colorbar(picture, label="grey value, 0 to 1")

# %% [markdown]
# ### Is the nearest code the best one?
#
# Section 3 said that the bound is best if the encoder names the most probable map. It names the *nearest* code at each place, which is not the same: near in the space of
# codes is not near in the image. At some places of ten images, try all $K$ codes, and leave the others as they are:

# %%
beaten, savings = [], []
for index in chosen:
    for i, j in ((1, 3), (3, 2), (3, 4), (5, 3)):
        others = codes_test[index].repeat(K, 1, 1)
        others[:, i, j] = torch.arange(K)
        errors = (model.decode_codes(others) - x_test[index]).square().sum(1)
        own = errors[codes_test[index, i, j]]
        beaten.append(bool(errors.min() < own * (1 - 1e-5)))
        savings.append((1 - errors.min() / own).item())
share = sum(beaten) / len(beaten)
print(f"another code would have been better at {100 * share:.0f} % of the places; ", end="")
print(f"the error of the image would fall by {100 * sum(savings) / len(savings):.1f} % on average")
assert min(savings) > -1e-6

# %% [markdown]
# So there is a gap between the encoder's choice and the best, a small one, as there was for the VAE (unit 05): one network answers for all images at once.
#
# ### A perplexity of what?
#
# A perplexity is an entropy of *counts*, and few counts look less uncertain than they are. Often a training log shows the perplexity of a batch. For codes that differ from image to image, as
# here, a batch has few images, and a small batch cannot show many codes.

# %%
sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, N_TEST]
repeats = 20
found = {}
for size in sizes:
    draws = [torch.randperm(N_TEST, generator=seeded(s))[:size] for s in range(repeats)]
    values = [perplexity(codes_test[rows], K) for rows in draws]
    found[size] = sum(values) / repeats
whole = found[N_TEST]
fig, ax = plt.subplots(figsize=(5.6, 3.3))
ax.semilogx(list(found), list(found.values()), marker="o", color=BLUE)
ax.axhline(whole, color="black", linestyle=":", linewidth=1)
ax.set(xlabel="images that are counted", ylabel="perplexity (codes)", ylim=(0, 1.1 * whole))
ax.set_title("The same model")
print(
    f"1 image {found[1]:.1f}, 8 images {found[8]:.1f}, 64 images {found[64]:.1f}, all {whole:.1f}"
)
assert found[1] < found[8] < found[64] < whole + 1e-6

# %% [markdown]
# So say of what. In this lecture: of all test images. (It also compares only models with the same $K$, and says nothing about whether the codes are
# *good*: random codes have perplexity $K$.)
#
# ## 6 · Why nobody samples codes uniformly
#
# The prior of stage one is uniform. So draw 49 codes, each with probability $1/K$, and decode. That *is* the generative model that was trained. What comes out?

# %%
uniform_codes = torch.randint(K, (10, SIDE, SIDE), generator=seeded(31))
fig, ax = plt.subplots(figsize=(8.6, 1.4))
plots.draw_images(ax, [model.decode_codes(uniform_codes)], names=["uniform"])
_ = ax.set_title("Before the prior")

# %% [markdown]
# Noise, made of pieces of clothes. The reason is a count. There are $K^{49}$ maps; the training images use one each. To see that the maps that are in use are not
# just few but *special*, look at small pieces of a map, of which there are enough to count: pairs of neighbours, and blocks of $2 \times 2$. (A large codebook and a small map make
# it no better: 512 codes at 16 places have $512^{16}$ combinations.)

# %%
right_pairs = codes_train[:, :, :-1] * K + codes_train[:, :, 1:]
down_pairs = codes_train[:, :-1] * K + codes_train[:, 1:]
blocks = down_pairs[:, :, :-1] * K**2 + down_pairs[:, :, 1:]
distinct_maps = len(codes_train.flatten(1).unique(dim=0))
log10 = POSITIONS * math.log10(K)
print(f"512^16 = 10^{16 * math.log10(512):.1f} combinations, {K}^49 = 10^{log10:.1f}")
print(f"{len(codes_train)} training images have {distinct_maps} different maps: ", end="")
print(f"a share of 10^{math.log10(distinct_maps) - log10:.1f} is ever used")
shares = {}
pieces = {"pair side by side": (right_pairs, 2), "pair one above": (down_pairs, 2)}
pieces["block 2 × 2"] = (blocks, 4)
for name, (piece, size) in pieces.items():
    used = piece.unique().numel()
    draws = K**size * -math.expm1(-piece.numel() / K**size)
    shares[name] = used / K**size
    print(f"{name:18} {used:8d} of {K**size} ever used ({shares[name]:.2g}); ", end="")
    print(f"as many uniform draws: {draws:.0f}")
    assert used < 0.95 * draws
assert shares["block 2 × 2"] < shares["pair side by side"]
unseen = 42 * (2 - shares["pair side by side"] - shares["pair one above"])
print(f"of the 84 pairs of neighbours in a uniform draw, {unseen:.0f} were never seen in training")

# %% [markdown]
# Compare with the last column, because no count finds more than was drawn. Real images repeat their blocks; uniform draws hardly ever do. So the codes of real
# images crowd into a small part of all combinations, and the larger the piece, the smaller the part. Which is only to say that codes
# depend on each other. What is needed is $p_\psi(z)$: a distribution over maps that knows which combinations are in use.
#
# ## 7 · Three cheap priors
#
# Price a map in bits, $-\log_2 p(z)$. Three priors need nothing but counting:
#
# $$\text{uniform: } 49 \log_2 K, \qquad \text{unigram: } -\sum_{ij} \log_2 \hat p(z_{ij}), \qquad \text{per position: } -\sum_{ij} \log_2 \hat p_{ij}(z_{ij})$$
#
# The **unigram** prior knows how frequent each code is; the third knows it for each place. Count on training images (one is added to every count,
# so that nothing is impossible), pay on test images. The unigram price has to be what the perplexity said, if test images are like training images:
#
# $$\frac{1}{49} \,\text{unigram} \approx \log_2 \text{perplexity}$$

# %%
prices = {
    "uniform": uniform_bits(codes_test, K),
    "unigram": unigram_bits(codes_train, codes_test, K),
    "per position": position_bits(codes_train, codes_test, K),
}
for name, price in prices.items():
    print(f"{name:14} {price.mean():6.1f} bits an image")
frequency = (codes_train.flatten().bincount(minlength=K) + 1.0) / (codes_train.numel() + K)
by_hand = -frequency.log2()[codes_test].sum((1, 2))
assert torch.allclose(prices["unigram"], by_hand, rtol=1e-4)
per_code = prices["unigram"].mean().item() / POSITIONS
from_perplexity = math.log2(perplexity(codes_test, K))
print(f"unigram: {per_code:.4f} bits a code; log2 of the perplexity is {from_perplexity:.4f}")
assert from_perplexity - 1e-5 < per_code < from_perplexity + 0.02, (
    "at least the entropy, hardly more"
)
place_counts = torch.stack([codes_train.flatten(1)[:, i].bincount(minlength=K) for i in range(49)])
place_p = (place_counts + 1.0) / (place_counts.sum(1, keepdim=True) + K)  # (49, K)
place_price = -place_p[torch.arange(49), codes_test.flatten(1)].log2()  # (N, 49)
assert torch.allclose(prices["per position"], place_price.sum(1), rtol=1e-4)

# %% [markdown]
# Counting saves little. A place at the edge is often background, and knowing so is worth some bits. But each of these priors draws every code by itself.
#
# ## 8 · PixelCNN
#
# ### One after the other
#
# By the chain rule (unit 00) any distribution over maps is a product, in any order; take row by row, each from the left:
#
# $$p_\psi(z) = \prod_{ij} p_\psi(z_{ij} \mid z_{<ij})$$
#
# One network gives all 49 factors at once, if its output at $(i, j)$ depends on no code at $(i, j)$ or later. Then a softmax over $K$ logits makes each factor a
# distribution, and the product sums to 1 over all maps, without any normaliser. Small enough to try: $K = 3$ and a map of $2 \times 2$.

# %%
_ = torch.manual_seed(3)
tiny = PixelCNN(3, (2, 2), width=8, num_layers=2).requires_grad_(False)
every = torch.cartesian_prod(*[torch.arange(3)] * 4).view(-1, 2, 2)  # all 81 maps
total = tiny.log_prob(every).double().exp().sum().item()
factors = tiny.logits(every).log_softmax(-1)
chosen_factor = factors.gather(-1, every[..., None])[..., 0]
assert torch.allclose(tiny.log_prob(every), chosen_factor.sum((1, 2)), atol=1e-5)
assert torch.allclose(log_prob_per_dim(tiny.logits(every), every), chosen_factor, atol=1e-5)
print(f"the sum of p over all {len(every)} maps: {total:.6f}")
assert abs(total - 1) < 1e-5

# %% [markdown]
# ### Masks
#
# The network is convolutional. To hide what comes later, set to zero every weight of a kernel that looks there. (In a convolution layer of torch the
# entry in the middle of the kernel meets the place itself.) There are two kinds of **masks**:
#
# - **A** hides the middle too. For the first layer: its input at $(i, j)$ is $z_{ij}$, which must not be seen.
# - **B** shows the middle. For all later layers: what stands at $(i, j)$ there was computed from earlier codes only, and hiding it would throw it away.

# %%
for kind, last in (("A", 11), ("B", 12)):  # 12 is the number of the middle of 5 × 5, row by row
    assert torch.equal(causal_mask(5, kind).flatten(), torch.arange(25) <= last)
fig, axes = plt.subplots(1, 2, figsize=(5.0, 2.7))
for ax, kind in zip(axes, "AB", strict=True):
    ax.imshow(causal_mask(5, kind), cmap="Blues", vmin=0, vmax=1.6)
    ax.set(xticks=[], yticks=[], title=f"mask {kind}")
    for place in range(25):
        i, j = divmod(place, 5)
        ax.text(j, i, int(causal_mask(5, kind)[i, j]), ha="center", va="center")
    ax.plot(2, 2, marker="s", markersize=27, fillstyle="none", color=ORANGE, markeredgewidth=2)

# %% [markdown]
# ### The blind spot
#
# Stack masked convolutions, one A and then B's, and each layer lets an output see one ring further. It should end up seeing everything before it. Draw what it
# sees. To make sure that no connection hides by accident, set all weights to 1.


# %%
class Naive(torch.nn.Module):
    """Masked convolutions from a map to logits of K values (or one logit, with K = 1)."""

    def __init__(self, num_values, width, depth, *, kinds=None, bare=False):
        super().__init__()
        kinds = kinds or "A" + "B" * (depth - 1)
        widths = [num_values if num_values > 2 else 1, *[width] * (depth - 1), num_values]
        layers = []
        for before, after, kind in zip(widths[:-1], widths[1:], kinds, strict=True):
            layers += [MaskedConv2d(before, after, 3, kind=kind)]
            layers += [] if bare else [torch.nn.ReLU()]
        self.layers = torch.nn.Sequential(*(layers if bare else layers[:-1]))
        self.inputs = widths[0]

    def logits(self, codes):  # (N, H, W) -> (N, H, W, K)
        x = one_hot(codes.long(), self.inputs) if self.inputs > 1 else codes[..., None]
        x = x.movedim(-1, 1).to(self.layers[0].weight.dtype)
        return self.layers(x).movedim(1, -1)

    def log_prob(self, codes):
        return log_prob_per_dim(self.logits(codes), codes).sum((1, 2))


AREA, SPOT = (7, 9), (5, 3)
options = {"position": SPOT, "tolerance": 1e-12, "generator": seeded(41)}


def naive_field(depth):
    stack = Naive(1, 1, depth, bare=True).double().requires_grad_(False)
    for layer in stack.layers:
        layer.weight.fill_(1.0)
        layer.bias.fill_(0.0)
    return receptive_field(stack.logits, AREA, dtype=torch.float64, **options)


def gated_field(depth):
    _ = torch.manual_seed(depth)
    stack = PixelCNN(2, AREA, width=8, num_layers=depth, first_kernel_size=3)
    stack = stack.double().requires_grad_(False)
    return receptive_field(stack.logits, AREA, dtype=torch.int64, **options)


place = torch.arange(63).view(AREA)
earlier = place < place[SPOT]
up = SPOT[0] - torch.arange(AREA[0])[:, None]  # rows above
to_the_right = torch.arange(AREA[1]) - SPOT[1]
blind = earlier & (to_the_right > up)  # what no depth will ever show
DEPTHS = (1, 2, 4, 8)
fields = {"masked": [naive_field(d) for d in DEPTHS], "gated": [gated_field(d) for d in DEPTHS]}
for name, seen_by_depth in fields.items():
    for seen in seen_by_depth:
        assert not seen[~earlier].any(), "nothing from the future"
    print(
        f"{name}: sees {[int(seen.sum()) for seen in seen_by_depth]} of {int(earlier.sum())} ",
        end="",
    )
    print(f"earlier places, with {DEPTHS} layers")
assert torch.equal(fields["masked"][-1], earlier & ~blind), "all but the blind spot"
assert torch.equal(fields["gated"][-1], earlier), "all"
assert int(blind.sum()) > 0

# %%
fig, axes = plt.subplots(2, len(DEPTHS), figsize=(9.4, 4.3))
for row, (name, seen_by_depth) in zip(axes, fields.items(), strict=True):
    for ax, depth, seen in zip(row, DEPTHS, seen_by_depth, strict=True):
        colours = torch.ones(*AREA, 3)
        colours[~earlier] = 0.85
        colours[seen] = torch.tensor([0.45, 0.68, 0.84])
        if name == "masked":
            colours[blind] = torch.tensor([0.96, 0.70, 0.52])
        ax.imshow(colours.numpy())
        ax.plot(SPOT[1], SPOT[0], marker="s", color="black", markersize=8)
        ax.set_xticks(torch.arange(-0.5, AREA[1]).tolist(), [""] * (AREA[1] + 1))
        ax.set_yticks(torch.arange(-0.5, AREA[0]).tolist(), [""] * (AREA[0] + 1))
        ax.tick_params(length=0)
        ax.grid(color="0.6", linewidth=0.5)
        ax.set_title(f"{name}, {depth} layer{'s' * (depth > 1)}", fontsize=10)
_ = fig.suptitle("Blue: seen. Orange: the blind spot. Grey: not yet drawn", fontsize=11)

# %% [markdown]
# The orange places are before the black one, and no depth makes them visible. A way from there to here would have to go down and to the left. One step down can go one step to the left,
# because the kernel is 3 wide. But along a row a mask lets information pass only to the *right*. So what is $a$ rows above and more than $a$
# columns to the right is lost: the **blind spot** (van den Oord and others 2016b).
#
# ### Two stacks
#
# The cure is to keep two feature maps. The **vertical** stack $v$ at $(i, j)$ knows the rows up to $i$, all of their columns that its kernels reach; since all of these rows are complete,
# it needs no mask within a row. The **horizontal** stack $h$ knows the row so far, and is fed from the row of $v$ *above* it:
#
# $$v'_{ij} = v_{ij} + \mathrm{gate}\Big(\sum_{a \le 0} \sum_b V_{ab}\, v_{i+a,\, j+b}\Big), \qquad h'_{ij} = h_{ij} + R\, \mathrm{gate}\Big(\sum_{b \le 0} U_b\, h_{i,\, j+b} + L\, v'_{i-1,\, j}\Big)$$
#
# Instead of a ReLU there is a **gated** unit, with half of the channels for the value and half for the gate:
#
# $$\mathrm{gate}(a, b) = \tanh(a) \odot \mathrm{sigmoid}(b)$$
#
# Whatever is right of a place in the rows above comes down through $v$. The bottom row of the last figure shows it. And the equations?

# %%
_ = torch.manual_seed(5)
block = GatedBlock(6, 3).requires_grad_(False)
v = torch.randn(2, 6, 6, 7, generator=seeded(51))  # rows 0 to 5: the last row feeds nothing
h = torch.randn(2, 6, 7, 7, generator=seeded(52))


def gate_by_hand(x):
    value, opening = x.chunk(2, 1)
    return value.tanh() * opening.sigmoid()


V, U, L, R = block.vertical, block.horizontal, block.link, block.residual
new_v = v + gate_by_hand(conv2d(pad(v, (1, 1, 1, 0)), V.weight, V.bias))  # zeros around the map
from_above = pad(L(new_v), (0, 0, 1, 0))  # one row down
new_h = h + R(gate_by_hand(conv2d(pad(h, (1, 0, 0, 0)), U.weight, U.bias) + from_above))
found_v, found_h = block(v, h)
assert torch.allclose(gate(new_v), gate_by_hand(new_v), atol=1e-6)
assert torch.allclose(found_v, new_v, atol=1e-5)
assert torch.allclose(found_h, new_h, atol=1e-5)
_ = torch.manual_seed(6)
small = (
    PixelCNN(K, (4, 4), width=8, num_layers=3, first_kernel_size=3).double().requires_grad_(False)
)
for index in range(16):
    spot = divmod(index, 4)
    seen = receptive_field(
        small.logits,
        (4, 4),
        position=spot,
        num_values=K,
        dtype=torch.int64,
        tolerance=1e-12,
        generator=seeded(index),
    )
    assert torch.equal(seen.flatten(), torch.arange(16) < index), "exactly what comes before"
print("each of 16 outputs depends on all codes before it, and on no other")

# %% [markdown]
# ### What a blind spot costs
#
# Take maps in which it matters: every value is a copy of the value one row up and two columns to the right, where there is one; the rest are fair
# coins. A map of $6 \times 6$ then holds exactly $6 + 5 \cdot 2 = 16$ bits. A stack of $3 \times 3$ masks is blind just there.

# %%
copies = torch.randint(2, (4000, 6, 6), generator=seeded(61))
for i in range(1, 6):
    copies[:, i, :-2] = copies[:, i - 1, 2:]
free_bits = 6 + 5 * 2
_ = torch.manual_seed(7)
rivals = {
    "masked": Naive(2, 16, 5),
    "gated": PixelCNN(2, (6, 6), width=16, num_layers=5, first_kernel_size=3),
}


def minus_log_prob(model, *data):
    return -model.log_prob(*data).mean()


blind_bits = {}
for name, rival in rivals.items():
    rival = fit(rival, minus_log_prob, (copies[:3000],), 120 if FAST else 250, learning_rate=1e-2)
    blind_bits[name] = -rival.log_prob(copies[3000:]).mean().item() / math.log(2)
    print(f"{name}: {blind_bits[name]:.2f} bits a map; the truth is {free_bits}, coins are 36")
assert blind_bits["gated"] < free_bits + 2
assert blind_bits["masked"] > 35, "nothing learned"

# %% [markdown]
# ## 9 · The learned prior
#
# Now the codes of the training images. The network also gets the class $y$ of the image, as a bias in every gate, so it learns $p_\psi(z \mid y)$. The encoder, the decoder
# and the codebook stay as they are. The loss is the price of the codes:
#
# $$-\log p_\psi(z \mid y) = -\sum_{ij} \log p_\psi(z_{ij} \mid z_{<ij}, y)$$

# %%
_ = torch.manual_seed(0)
prior = PixelCNN(K, (SIDE, SIDE), width=32 if FAST else 48, num_layers=4, num_classes=10)
prior_steps = 120 if FAST else 800
prior = fit(prior, minus_log_prob, (codes_train, labels_train), prior_steps, learning_rate=3e-3)


@torch.no_grad()
def log_p(codes, y):
    """log p(z_ij | z_<ij, y) in nats, some hundred maps at a time; shape (N, 7, 7)."""
    parts = zip(codes.split(500), y.split(500), strict=True)
    return torch.cat([prior.log_prob_per_position(*part) for part in parts])


learned = -log_p(codes_test, y_test) / math.log(2)  # in bits
prices["PixelCNN"] = learned.sum((1, 2))
seen_before = -log_p(codes_train[:2000], labels_train[:2000]).sum((1, 2)).mean() / math.log(2)
of_class = torch.cat(
    [
        position_bits(codes_train[labels_train == k], codes_test[y_test == k], K)
        for k in range(10)
        if (y_test == k).any()
    ]
)
prices = {
    "uniform": prices["uniform"],
    "unigram": prices["unigram"],
    "per position": prices["per position"],
    "per position and class": of_class,
    "PixelCNN": prices["PixelCNN"],
}
print(f"{'':24} bits an image   bits a code   ELBO gains (nats)")
for name, price in prices.items():
    mean = price.mean().item()
    gain = (prices["uniform"].mean().item() - mean) * math.log(2)
    print(f"{name:24} {mean:13.1f} {mean / POSITIONS:13.2f} {gain:19.1f}")
print(f"(PixelCNN on training images: {seen_before:.1f})")
means = {name: price.mean().item() for name, price in prices.items()}
assert means["uniform"] > means["unigram"] > means["per position"] > means["PixelCNN"]
assert means["PixelCNN"] < 0.8 * means["uniform"], "the prior saves a fifth, and more"

# %%
fig, axes = plt.subplots(1, 2, figsize=(7.4, 3.3))
by_place = {"per position": place_price.mean(0).view(SIDE, SIDE), "PixelCNN": learned.mean(0)}
for ax, (name, picture) in zip(axes, by_place.items(), strict=True):
    shown = ax.imshow(picture, cmap="viridis", vmin=0, vmax=math.log2(K))
    ax.set(xticks=[0, 3, 6], yticks=[0, 3, 6], title=f"{name}: {picture.sum():.0f} bits")
_ = fig.colorbar(shown, ax=axes, label="bits per code")
last_row = (by_place["per position"] - by_place["PixelCNN"])[-1].mean()
first_code = (by_place["per position"] - by_place["PixelCNN"])[0, 0]
print(f"saved at the first code {first_code:.2f} bits, in the last row {last_row:.2f} a code")
assert last_row > first_code

# %% [markdown]
# Where there is nothing above and to the left, the PixelCNN can know no more than the counts (and the class). The more it has seen of an image, the more it saves.
#
# The last column of the table is the point of section 3: with the learned prior (given the class) the ELBO of an image is better by that many nats on average, and not a pixel of
# a reconstruction has changed. And the count of section 6 can be finished. If a map costs $b$ bits, then roughly $2^b$ maps share nearly all of the
# probability:

# %%
b = means["PixelCNN"]
print(f"about 2^{b:.0f} of the 2^{POSITIONS * math.log2(K):.0f} maps are in use: ", end="")
print(f"a uniform draw finds one with probability 2^{b - POSITIONS * math.log2(K):.0f}")
assert b - POSITIONS * math.log2(K) < -50

# %% [markdown]
# ### Sampling
#
# Draw the first code, put it in, run the network, draw the second, put it in, and so on: 49 passes of a network for one image. The decoder that follows needs one. The distribution of what comes out is exactly $p_\psi(z)$.
# On the tiny model of section 8 all 81 probabilities are known:

# %%
NUM_DRAWS = 20_000
draws = tiny.sample(NUM_DRAWS, generator=seeded(71))
number = (draws.flatten(1) * torch.tensor([27, 9, 3, 1])).sum(1)  # which of the 81 maps
observed = number.bincount(minlength=81)
expected = NUM_DRAWS * tiny.log_prob(every).exp()
chi_squared = ((observed - expected) ** 2 / expected).sum().item()
print(
    f"chi squared {chi_squared:.0f} with 80 degrees of freedom; the smallest count expected is",
    end="",
)
print(f" {expected.min():.0f}")
assert expected.min() > 5
assert chi_squared < 80 + 6 * math.sqrt(160), "six standard deviations"

# %% [markdown]
# 49 passes over 49 places, when each pass adds one code, is a waste: nearly everything in a pass is the same as in the one before. Keep it. When a code has been
# drawn, only one place of each layer of $h$ is new, and at the end of a row one row of each layer of $v$. No clock is needed to see the gain: count
# multiplications.

# %%
wanted = torch.arange(10)


def operations(**options):
    """Floating-point operations of the convolutions and products, and what they made."""
    counter = FlopCounterMode(display=False)
    with counter:
        result = prior.sample(10, y=wanted, generator=seeded(72), **options)
    return counter.get_total_flops(), result


with FlopCounterMode(display=False) as one_pass, torch.no_grad():
    _ = prior.logits(codes_test[:10], wanted)
plain, drawn_plainly = operations(cached=False)
cached, drawn_cached = operations(cached=True)
assert torch.equal(drawn_plainly, drawn_cached), "the same draws from the same noise"
print(
    f"operations of one pass over a map = 1; sampling by re-running {plain / one_pass.get_total_flops():.0f}, ",
    end="",
)
print(f"with a cache {cached / one_pass.get_total_flops():.1f}")
assert 45 < plain / one_pass.get_total_flops() <= 49.5
assert cached < plain / 10

# %% [markdown]
# With the cache a whole map costs about as much arithmetic as one pass. What stays is the *order*: 49 steps, one after the other, where a VAE decodes in
# one. On the pixels themselves it would be 784.
#
# ## 10 · After the prior
#
# Draw maps from all five priors, and decode.

# %%
class_counts = torch.stack(
    [
        torch.stack([part[:, i].bincount(minlength=K) for i in range(POSITIONS)])
        for part in (codes_train.flatten(1)[labels_train == k] for k in range(10))
    ]
)
class_p = (class_counts + 0.01) / (class_counts + 0.01).sum(-1, keepdim=True)  # (10, 49, K)
NUM = 200 if FAST else 1000
y_wanted = torch.arange(NUM) % 10


def draw_codes(probabilities, seed):
    """One code for each row of probabilities (…, K), by a generator of its own."""
    flat = probabilities.reshape(-1, K)
    return torch.multinomial(flat, 1, generator=seeded(seed)).view(-1, SIDE, SIDE)


samples = {
    "uniform": torch.randint(K, (NUM, SIDE, SIDE), generator=seeded(81)),
    "unigram": draw_codes(frequency.expand(NUM, POSITIONS, K), 82),
    "per position": draw_codes(place_p.expand(NUM, POSITIONS, K), 83),
    "per position and class": draw_codes(class_p[y_wanted], 84),
    "PixelCNN": prior.sample(NUM, y=y_wanted, generator=seeded(85)),
}
decoded = {name: model.decode_codes(codes).clamp(0, 1) for name, codes in samples.items()}
fig, ax = plt.subplots(figsize=(8.6, 6.2))
more = torch.arange(10, 20)
plots.draw_images(
    ax,
    [x_hat[chosen], *(images[:10] for images in decoded.values()), decoded["PixelCNN"][more]],
    names=["reconstructions", *decoded, "PixelCNN, again"],
    below=NAMES,
)
_ = ax.set_title(
    "Samples before and after the prior (columns: class asked for, where there is one)"
)

# %% [markdown]
# ### A judge
#
# Eyes are easily impressed. Let a **classifier** look that was trained on real images and has no part in the models. It writes $p(y \mid x)$ for each sample. Good samples are recognisable, so each of
# these is sharp; and they are of all kinds, so their mean $\bar p(y)$ is broad. Both together:
#
# $$\exp\Big( \mathrm H(\bar p) - \frac1S \sum_s \mathrm H\big(p(\cdot \mid x_s)\big) \Big) = \exp\Big( \frac1S \sum_s \mathrm{KL}\big(p(\cdot \mid x_s) \,\Vert\, \bar p\big) \Big)$$
#
# It is the number of classes that the judge can tell apart, from 1 to 10. (With a certain network as the judge this is the *inception score* of Salimans
# and others 2016.) Where a class was asked for, ask also how often the judge names it.
#
# And ask another judge another question: is this a sample or the reconstruction of a test image? Train a classifier on some of both, and count on others
# how often it is right (Lopez-Paz and Oquab 2017). 50 % is best: nobody can tell.

# %%
judge = fit_classifier(x_train, y_train, num_steps=100 if FAST else 600, batch_size=64, seed=1)


def told_apart(p):
    """The score, from the probabilities (S, 10) of the judge."""
    mean = p.mean(0)
    return (torch.special.entr(mean).sum() - torch.special.entr(p).sum(1).mean()).exp().item()


p = judge.probabilities(x_test[:500])
by_divergence = kl_divergence(Categorical(p), Categorical(p.mean(0))).mean().exp().item()
assert abs(told_apart(p) / by_divergence - 1) < 1e-3
assert abs(told_apart(torch.eye(10)) - 10) < 1e-4
assert abs(told_apart(torch.full((5, 10), 0.1)) - 1) < 1e-5


def detected(images):
    """How often a judge that was trained to tell images from reconstructions is right."""
    cut = NUM * 6 // 10  # the rest is for the test
    x = torch.cat([x_hat[:cut], images[:cut]]).clamp(0, 1)
    rest = torch.cat([x_hat[cut:NUM], images[cut:NUM]]).clamp(0, 1)
    settings = {"network": "dense", "num_steps": 200, "batch_size": 64, "seed": 2}
    detective = fit_classifier(x, torch.arange(2).repeat_interleave(cut), **settings)
    return detective.accuracy(rest, torch.arange(2).repeat_interleave(NUM - cut))


others = slice(NUM, 2 * NUM)
looked_at = {
    "test images": (x_test[others], y_test[others]),
    "reconstructions": (x_hat[others], y_test[others]),
}
looked_at |= {name: (images, y_wanted) for name, images in decoded.items()}
scores, agreement, caught = {}, {}, {}
print(f"{'':24} told apart   as wanted   largest class      caught")
for name, (images, labels) in looked_at.items():
    p = judge.probabilities(images.clamp(0, 1))
    scores[name] = told_apart(p)
    agreement[name] = (p.argmax(1) == labels).double().mean().item()
    caught[name] = detected(images)
    most = p.argmax(1).bincount(minlength=10)
    asked = (
        "" if name in ("uniform", "unigram", "per position") else f"{100 * agreement[name]:.0f} %"
    )
    largest = f"{100 * most.max() / NUM:.0f} % {NAMES[int(most.argmax())]}"
    print(f"{name:24}{scores[name]:11.2f}{asked:>12}   {largest:16}{100 * caught[name]:5.0f} %")
assert scores["PixelCNN"] > scores["per position"] + 1, "recognisable, and of all kinds"
assert scores["PixelCNN"] > scores["uniform"] + 1
assert FAST or agreement["PixelCNN"] > 0.5
assert FAST or agreement["per position and class"] > agreement["test images"] - 0.03
assert FAST or caught["PixelCNN"] < caught["per position and class"] - 0.08
assert abs(caught["reconstructions"] - 0.5) < 0.15

# %% [markdown]
# Of the priors without a class, the counting ones confuse the judge: it can tell apart about two classes, and what it names says more about the judge than about
# the image. The PixelCNN's samples are recognisable, and of all kinds.
#
# But look at the counts per position *and class*. The first judge likes them better than the PixelCNN's samples, and finds the class that was wanted as often as in real images! The second judge is
# not fooled, nor is your eye, nor are the bits. Drawn independently, each code is right for its place and class, and the judge of classes adds up the
# evidence of all places. It was never asked whether they **agree** with each other. (That real images are caught more often than the PixelCNN's samples is right:
# the comparison is with reconstructions, and real images are sharper.) So a classifier's approval is no proof of a good model: say
# which question a judge was asked. Unit 08 takes that further, and asks for coverage, too.
#
# ## 11 · The other half of the image
#
# Unit 02 wanted to complete a half-hidden image and could not, for want of $p(x_\mathrm{bottom} \mid x_\mathrm{top})$. An autoregressive prior has exactly
# such conditionals, if what is known comes **first** in the order. Hide the lower half of the pixels, encode what is left, keep the
# upper rows of the map, and draw the rest.
#
# Which rows may be kept? A code also depends on pixels around its place. So encode the image with the lower half *black*, and see how many of its codes differ from those of the whole
# image.

# %%
NUM_HALF = 100 if FAST else 300
whole_images = x_test[:NUM_HALF]
half_images = whole_images.clone().view(-1, 28, 28)
half_images[:, 14:] = 0.0
half_images = half_images.flatten(1)
codes_half = model.codes(half_images)
differs = (codes_half != codes_test[:NUM_HALF]).double().mean((0, 2))
print("share of codes that the blackening changes, by row:")
print("  ".join(f"{share:.2f}" for share in differs.tolist()))
ROWS = 3
assert differs[ROWS:].mean() > differs[:ROWS].mean()
assert differs[0] < 0.2

# %% [markdown]
# The first two rows stay nearly what they were. In the third the encoder begins to see black where there was cloth. But all three are made of nothing except the
# seen pixels and that black, so keeping them is no cheating. They are given.
#
# Which class? Nobody says. But the prior knows $p_\psi(z \mid y)$ for each $y$, and the given codes come first in the chain, so Bayes' rule needs nothing but what
# the network computes anyway:
#
# $$p(y \mid z_\mathrm{top}) \propto p(y) \prod_{ij \in \mathrm{top}} p_\psi(z_{ij} \mid z_{<ij}, y)$$
#
# A prior of codes is a classifier.

# %%
known = torch.zeros(SIDE, SIDE, dtype=torch.bool)
known[:ROWS] = True


def class_log_prob(codes):
    """log p(y | top) under equal p(y), shape (N, 10)."""
    for_each = [log_p(codes, torch.full((len(codes),), k))[:, :ROWS].sum((1, 2)) for k in range(10)]
    return torch.stack(for_each, 1).log_softmax(1)


log_py = class_log_prob(codes_half)
scrambled = codes_half.clone()
scrambled[:, ROWS:] = torch.randint(K, scrambled[:, ROWS:].shape, generator=seeded(91))
assert torch.allclose(class_log_prob(scrambled), log_py, atol=1e-3), "what comes later is not seen"
labels_half = y_test[:NUM_HALF]
right = (log_py.argmax(1) == labels_half).double().mean().item()
believed = log_py.exp().amax(1).mean().item()
print(f"class from the upper half: right for {100 * right:.0f} % of images; ", end="")
print(f"it gave its first choice {100 * believed:.0f} % on average")
assert right > (0.15 if FAST else 0.5)

# %%
y_drawn = torch.multinomial(log_py.exp(), 1, generator=seeded(92))[:, 0]
options = {"given": codes_half, "known": known, "y": y_drawn}
completed = [prior.sample(NUM_HALF, generator=seeded(93 + s), **options) for s in range(4)]
for codes in completed:
    assert torch.equal(codes[:, :ROWS], codes_half[:, :ROWS]), "what is given is kept"
show = torch.arange(10)
seen_part = whole_images[show].clone().view(-1, 28, 28)
seen_part[:, 14:] = torch.nan
rows = [whole_images[show], seen_part, model(half_images[show]).x_hat]
rows += [model.decode_codes(codes[show]) for codes in completed]
fig, ax = plt.subplots(figsize=(8.6, 6.2))
names = ["whole image", "seen", "no prior", *(f"completion {s}" for s in range(1, 5))]
plots.draw_images(ax, rows, names=names)
_ = ax.set_title("The lower half, from the upper")

# %%
random_rest = codes_half.clone()
random_rest[:, ROWS:] = samples["unigram"][:NUM_HALF, ROWS:] if NUM_HALF <= NUM else 0
finished = {
    "whole image, reconstructed": x_hat[:NUM_HALF],
    "completed by the prior": model.decode_codes(completed[0]),
    "completed by the unigram": model.decode_codes(random_rest),
    "black half, reconstructed": model(half_images).x_hat,
}
found = {name: judge.accuracy(images.clamp(0, 1), labels_half) for name, images in finished.items()}
for name, share in found.items():
    print(f"{name:28} judged to be of the true class: {100 * share:.0f} %")
rest = learned[:NUM_HALF, ROWS:].sum((1, 2)).mean().item()
counted = place_price[:NUM_HALF].view(-1, SIDE, SIDE)[:, ROWS:].sum((1, 2)).mean().item()
print(
    f"price of the four hidden rows: {counted:.0f} bits by position, {rest:.0f} given the rows above"
)
assert found["completed by the prior"] > found["completed by the unigram"]
assert rest < counted

# %% [markdown]
# The completions of one image differ from each other, as they should: the upper half of a pullover may be that of a coat. No completion can tell the
# judge more about the true class than the upper half gives away.
#
# ## 12 · Bits, honestly
#
# A code of some hundred bits for an image of 6272 sounds like a triumph over PNG. Here are the numbers.

# %%
NUM_PNG = 500 if FAST else 2000
images_8bit = test_set.images[:NUM_PNG]
png = png_bits(images_8bit).mean().item()
HEADERS = 456  # bits of every PNG file that hold no pixel
Y_BITS = math.log2(10)  # the class has to be sent, too
lossy = means["PixelCNN"] + Y_BITS
print(f"raw, 8 bits a pixel       {8 * D:7.1f} bits")
print(f"PNG                       {png:7.1f}, {png - HEADERS:.1f} of them without headers")
print(f"codes, uniform            {means['uniform']:7.1f}")
print(f"codes and class, PixelCNN {lossy:7.1f}")
print(f"lost: {255 * math.sqrt(mse):.1f} grey levels in the root mean square; PNG loses nothing")
assert lossy < 0.1 * png

# %% [markdown]
# The two do not do the same thing. PNG is **lossless**. What would it cost to send what the codes leave out, so that the receiver has every
# pixel? Take the decoder's picture as a prediction, and count, on training images, how often each of the 256 levels occurs when the prediction is in
# a certain range:
#
# $$\text{bits} = \underbrace{-\log_2 p_\psi(z)}_{R} + \underbrace{\sum_d -\log_2 \hat p\big(x_d \mid \text{range of } \hat x_d\big)}_{\Delta}$$
#
# Rate and distortion again (unit 05), and this time with a distortion that is a length of a code. Their sum is $-\mathcal L$ in bits, with a
# decoder that is a table of counts.

# %%
RANGES = 64


def ranges_of(prediction):
    return (prediction * RANGES).long().clamp(0, RANGES - 1)


def pixel_bits(train_prediction, prediction, num_train=3000 if FAST else 10_000):
    """Bits of each test image given a prediction of it: shape (N,)."""
    levels = train_set.images[:num_train].flatten(1).long()
    cells = ranges_of(train_prediction[:num_train]) * 256 + levels
    counts = cells.flatten().bincount(minlength=RANGES * 256).view(RANGES, 256) + 0.02
    price = -(counts / counts.sum(1, keepdim=True)).log2()
    assert torch.allclose(price.neg().exp2().sum(1), torch.ones(RANGES)), "a code for each range"
    return price[ranges_of(prediction), images_8bit.flatten(1).long()].sum(1)


by_codes = model.decode_codes(codes_train[:10_000])
average = x_train.mean(0)
residual = pixel_bits(by_codes, x_hat[:NUM_PNG]).mean().item()
no_code = pixel_bits(average.expand(10_000, D), average.expand(NUM_PNG, D)).mean().item()
total = lossy + residual
print(f"{'':32}{'codes':>8}{'pixels':>9}{'sum':>9}")
print(f"{'no code, only the mean image':32}{0:8.0f}{no_code:9.0f}{no_code:9.0f}")
print(f"{'codes and what they leave out':32}{lossy:8.0f}{residual:9.0f}{total:9.0f}")
print(f"{'PNG without headers':32}{'':8}{'':9}{png - HEADERS:9.0f}")
num_weights = sum(part.numel() for part in (*model.parameters(), *prior.parameters()))
print(f"each bit of code saves {(no_code - residual) / lossy:.1f} bits of pixels; ", end="")
print(
    f"without loss: {total / (png - HEADERS):.2f} of a PNG, with loss: {lossy / (png - HEADERS):.3f}"
)
print(f"(not counted: the {num_weights} weights that the receiver must have)")
assert residual + lossy < no_code, "the code is worth its price"

# %% [markdown]
# Without loss the codes' advantage over PNG is no longer a factor of thirty; it is some fifth of the file, by a method that was trained on clothes, against one that knows
# nothing of clothes. Most bits of an image are texture and noise, whatever the method, and no code of 49 numbers holds them. "Fewer bits than PNG" is not wrong, but it
# compares a description with a copy.
#
# The code is worth its price, though: each of its bits saves several bits of pixels. A code that says nothing about the pixels costs its rate and saves nothing.
#
# ## 13 · What goes wrong
#
# ### 1 · The farthest code
#
# `argmax` of the distances, or `argmin` of a similarity.

# %%
part = x_test[:1000]
with torch.no_grad():
    z_e = model.encode(part)
    book = model.quantizer.codebook
    similarity = z_e.reshape(-1, M) @ book.T
    distances = torch.cdist(z_e.reshape(-1, M), book)
    for name, codes in {
        "nearest": distances.argmin(1),
        "farthest": distances.argmax(1),
        "largest product": similarity.argmax(1),
    }.items():
        codes = codes.view(-1, SIDE, SIDE)
        error = (model.decode_codes(codes) - part).square().mean() / part.var()
        print(
            f"{name:16} error {error:6.2f} of the variance, perplexity {perplexity(codes, K):6.1f}"
        )
        assert (name == "nearest") == (error < 0.4)

# %% [markdown]
# Symptom: a few codes at the rim of the codebook are chosen for everything. The perplexity is tiny from the first step on, revival or not. The product $z_e^\top e_k$
# alone, without $\Vert e_k \Vert^2$, has the same symptom in a milder form: it prefers long codes.
#
# ### 2 · Far from the origin
#
# The expanded square, in float32, on vectors that have a large common part:

# %%
print("distance from 0   wrong codes: expanded square   library")
for shift in (0.0, 10.0, 100.0, 1000.0):
    z, near = points + shift, codebook + shift
    truth = (z.double()[:, None] - near.double()).square().sum(-1).argmin(1)
    expanded = z.square().sum(1, keepdim=True) - 2 * z @ near.T + near.square().sum(1)
    wrong = (expanded.argmin(1) != truth).double().mean().item()
    ours = (nearest_code(z, near) != truth).double().mean().item()
    print(f"{shift:15.0f} {100 * wrong:26.1f} % {100 * ours:9.1f} %")
    assert ours < 0.01
assert wrong > 0.1

# %% [markdown]
# Symptom: right in every small test, wrong where an encoder has a large bias. Subtract the mean of the codebook from both first.
#
# ### 3 · The stop-gradients swapped
#
# $\Vert z_e - \mathrm{sg}[z_q] \Vert^2 + \beta \Vert \mathrm{sg}[z_e] - z_q \Vert^2$ has $\beta$ on the wrong term. The value is the same at every step:

# %%
beta = 0.25
a = torch.randn(64, M, generator=seeded(101), requires_grad=True)
e = torch.randn(64, M, generator=seeded(102), requires_grad=True)
for_code, for_encoder = vq_losses(a, e)
versions = {
    "as in the paper": (for_code + beta * for_encoder).mean(),
    "swapped": (for_encoder + beta * for_code).mean(),
}
pulls = {}
for name, loss in versions.items():
    pulls[name] = [g.norm().item() for g in torch.autograd.grad(loss, (a, e), retain_graph=True)]
    print(f"{name:16} loss {loss:.4f}, pull on the encoder {pulls[name][0]:.3f}, ", end="")
    print(f"on the codes {pulls[name][1]:.3f}")
assert torch.allclose(*versions.values())
assert abs(pulls["swapped"][0] / pulls["as in the paper"][0] - 1 / beta) < 1e-3
assert abs(pulls["swapped"][1] / pulls["as in the paper"][1] - beta) < 1e-3

# %% [markdown]
# Symptom: none in the loss. Encoders that cling to codes that hardly move, and a $\beta$ that works the wrong way round. Test gradients.
#
# ### 4 · No way through
#
# Decode $z_q$ itself. The gradient stops at the `argmin`, and the encoder hears the commitment loss alone, which is best served by writing one and the same vector.


# %%
def cut_off(model, x):
    z_e = model.encode(x)
    quantized = model.quantizer(z_e)
    x_hat = model.decode(model.quantizer.lookup(quantized.indices))  # the mistake
    return (x - x_hat).square().sum(1).mean() + quantized.loss.mean()


probe = make().train()
x_hat_cut = probe.decode(probe.quantizer.lookup(probe.quantizer(probe.encode(batch)).indices))
term = (batch - x_hat_cut).square().sum(1).mean()
heard = torch.autograd.grad(term, list(probe.encoder.parameters()), allow_unused=True)
assert all(gradient is None for gradient in heard), "nothing comes back"
mute = fit(make(), cut_off, (x_train,), COLLAPSE_STEPS)
print(f"error / variance after {COLLAPSE_STEPS} steps: {nmse(mute, part):.3f}; ", end="")
print(f"with straight-through {both[2]:.3f}")
assert FAST or nmse(mute, part) > 1.1 * both[2]

# %% [markdown]
# Symptom: the gradient of the reconstruction in the encoder's weights is `None`.
#
# ### 5 · The lie the other way round
#
# $z_q + \mathrm{sg}[z_e - z_q]$ has the value of $z_e$. The decoder gets what was *not* quantised, and the errors look better than they are:

# %%
with torch.no_grad():
    z_e = model.encode(part)
z_q = model.quantizer.lookup(model.quantizer(z_e).indices)
z_e, z_q = z_e.requires_grad_(), z_q.requires_grad_()
inverted = z_q + (z_e - z_q).detach()  # the mistake
errors = (model.decode(inverted) - part).square().sum(1)
to_encoder, to_codes = torch.autograd.grad(errors.mean(), (z_e, z_q), allow_unused=True)
assert to_encoder is None, "the encoder hears nothing"
assert to_codes.any(), "the codes hear what they should not"
reported = (errors.mean() / D / part.var()).item()
seen_vectors = [len(v.detach().reshape(-1, M).unique(dim=0)) for v in (z_q, inverted)]
print(f"different vectors that the decoder sees: {seen_vectors[0]} rightly, {seen_vectors[1]} here")
print(f"error / variance reported {reported:.4f}, from the codes {nmse(model, part):.4f}")
assert seen_vectors[0] <= K < seen_vectors[1]

# %% [markdown]
# Symptom: more than $K$ different vectors behind the quantiser, and an encoder whose gradient is `None`.
#
# ### 6 · The loss after the straight-through
#
# Compute the codebook loss from $\bar z$ instead of $z_q$: $\Vert \mathrm{sg}[z_e] - \bar z \Vert^2$. Its value is right. But the gradient of $\bar z$ goes to $z_e$, and its sign is that of
# the code's: the encoder is pushed *away*.

# %%
place = torch.tensor([[0.3, 0.1]])
code = torch.zeros(1, 2, requires_grad=True)
distance = []
for _ in range(30):
    z = place.clone().requires_grad_()
    z_bar = straight_through(z, code)
    loss = (z.detach() - z_bar).square().sum() + beta * (z - z_bar.detach()).square().sum()
    push, to_code = torch.autograd.grad(loss, (z, code), allow_unused=True)
    assert to_code is None or not to_code.any(), "the code never moves"
    place = place - 0.05 * push
    distance.append(place.norm().item())
print(f"distance from the code: {distance[0]:.2f} after 1 step, {distance[-1]:.2f} after 30")
growth = distance[1] / distance[0]
assert abs(growth - (1 + 0.05 * 2 * (1 - beta))) < 1e-3, "2 (1 − β) instead of −2 β"
assert distance[-1] > 5 * distance[0]

# %% [markdown]
# Symptom: a commitment loss that grows exponentially.
#
# ### 7 · Moving averages that start at zero
#
# $t_k$ starts at $e_k$, but $N_k$ at 0, and a small number keeps the division alive. For a code that is chosen all is well. For the others,
# in the first step:

# %%
begin, epsilon = torch.randn(8, 2, generator=seeded(103)), 1e-5
z = begin[:3].repeat(20, 1) + 0.1 * torch.randn(60, 2, generator=seeded(104))
indices = torch.arange(3).repeat(20)
n_k = indices.bincount(minlength=8).float()
t_k = torch.zeros(8, 2).index_add_(0, indices, z)
new_size = 0.99 * torch.zeros(8) + 0.01 * n_k
wrong = (0.99 * begin + 0.01 * t_k) / (new_size + epsilon)[:, None]
jump = wrong[3:].norm(dim=1) / begin[3:].norm(dim=1)
print(f"codes that nobody chose are now {jump.min():.0f} times as far from 0")
fine, _ = ema_update(begin, torch.zeros(8), z, indices)
assert jump.min() > 1e4
assert torch.equal(fine[3:], begin[3:]), "as it should be"

# %% [markdown]
# Symptom: after one step the codebook has a norm of $10^5$, all codes but a few are dead, and revival (if there is one) hides it. Let
# $N_k$ start at 1 if $t_k$ starts at $e_k$, or use the other form of section 4. Test: **a code that nobody chose does not move.**
#
# ### 8 · The decay the other way round
#
# $N_k \leftarrow (1 - \gamma) N_k + \gamma\, n_k$ forgets nearly everything at each step. On the heaps of section 4:

# %%
shake = {}
for name, decay in (("right", 0.98), ("the other way round", 0.02)):
    book, size = k_means_book.clone(), torch.full((7,), 64 / 7).double()
    moves = []
    for step in range(100):
        rows = torch.randint(1500, (64,), generator=seeded(3000 + step))
        chosen_by = nearest_code(blobs[rows], book)
        new_book, size = ema_update(book, size, blobs[rows], chosen_by, decay=decay)
        moves.append((new_book - book).norm(dim=1).mean().item())
        book = new_book
    shake[name] = sum(moves) / len(moves)
    print(f"{name:20} a code moves by {shake[name]:.4f} in a step, at the fixed point")
assert shake["the other way round"] > 10 * shake["right"]

# %% [markdown]
# Symptom: a codebook that never comes to rest. Every batch gets a language of its own, and a decoder that learns slowly.
#
# ### 9 · Learning from the test set
#
# Moving averages are no parameters. `no_grad` does not stop them, nor does a frozen optimiser; only `eval()` does.

# %%
forgotten = copy.deepcopy(model).train()
with torch.no_grad():
    for images in x_test[:640].split(64):
        _ = forgotten(images)
    for images in x_test[:640].split(64):
        _ = model(images)
changed = (forgotten.codes(part) != codes_test[:1000]).double().mean().item()
still = (model.codes(part) != codes_test[:1000]).double().mean().item()
print(f"ten batches of test images later, {100 * changed:.1f} % of the codes are others; ", end="")
print(f"in eval mode {100 * still:.1f} %")
assert changed > 0.005
assert still < 1e-3

# %% [markdown]
# Symptom: codes of the same image differ from one pass to the next. Stored codes, and a prior that was trained on them, slowly become wrong.
#
# ### 10 · A perplexity larger than K
#
# Two logarithms, one of them to another base:

# %%
shares = codes_test.flatten().bincount(minlength=K).double() / codes_test.numel()
mixed_up = torch.exp(torch.special.entr(shares).sum() / math.log(2)).item()
with_zero = torch.cat([shares, torch.zeros(1).double()])
naive_entropy = -(with_zero * with_zero.log()).sum().item()
print(f"exp of the entropy in bits: {mixed_up:.0f}, with K = {K}; ", end="")
print(f"with a code that never occurs: {naive_entropy}")
assert mixed_up > K
assert math.isnan(naive_entropy), "0 log 0"

# %% [markdown]
# Symptom: more codes than there are, or NaN as soon as one code is unused.
#
# ### 11 · The wrong mask
#
# Three stacks of plain masked convolutions on our codes: right (A, then B's), B everywhere, and swapped (B, then A's).

# %%
wrong_masks = {"ABBB": {}, "BBBB": {}, "BAAA": {}}
SMALL = 60 if FAST else 250
spot = (3, 3)
for kinds, entry in wrong_masks.items():
    _ = torch.manual_seed(8)
    stack = Naive(K, 32, 4, kinds=kinds)
    entry["model"] = stack
    stack = fit(stack, minus_log_prob, (codes_train,), SMALL, learning_rate=1e-2)
    entry["bits"] = -stack.log_prob(codes_test[:500]).mean().item() / math.log(2)
    wide = copy.deepcopy(stack).double()
    options = {"position": spot, "num_values": K, "tolerance": 1e-12, "dtype": torch.int64}
    entry["sees"] = receptive_field(wide.logits, (7, 7), generator=seeded(9), **options)
    near = {
        "itself": entry["sees"][3, 3],
        "left": entry["sees"][3, 2],
        "above": entry["sees"][2, 3],
    }
    print(f"{kinds}: {entry['bits']:6.1f} bits an image; sees", end=" ")
    print(", ".join(name for name, value in near.items() if value) or "none of the three nearest")
assert wrong_masks["BBBB"]["sees"][3, 3], "itself"
assert not wrong_masks["BAAA"]["sees"][3, 2], "its neighbour is hidden"
assert wrong_masks["BBBB"]["bits"] < (1 if FAST else 0.7) * wrong_masks["ABBB"]["bits"], "too good"
assert wrong_masks["BAAA"]["bits"] > wrong_masks["ABBB"]["bits"]

# %% [markdown]
# And one of the gated form: the vertical stack feeds the horizontal one in the *same* row, not in the row below. The vertical kernels have no mask within a row.


# %%
def without_shift(x):  # (N, H, W) -> (N, H, W): all weights 1
    return conv2d(pad(x[:, None], (1, 1, 1, 0)), torch.ones(1, 1, 2, 3))[:, 0]


def with_shift(x):
    return pad(without_shift(x), (0, 0, 1, 0))[:, :-1]


for name, layer in (("right", with_shift), ("without the shift", without_shift)):
    seen = receptive_field(layer, (7, 7), position=spot, generator=seeded(10))
    future = int(seen.flatten()[24:].sum())  # 24 is the place itself
    print(f"{name:18} sees {int(seen.sum())} places, {future} of them not yet drawn")
    assert (future == 0) == (name == "right")

# %% [markdown]
# Symptoms: with B in the first layer, or without the shift, bits that are too good to be true, since the answer is among the inputs; and samples that are rubbish, since in sampling it is not. Swapped, the stack
# is causal, and each A hides the nearest neighbours once more; nothing but a poor number of bits shows it. Draw the receptive field.
#
# ### 12 · Sampling without feedback
#
# Draw all codes from *one* pass, or take the most probable code at each place. A model knows the price of its own samples. It must be that of real images.

# %%
_ = torch.manual_seed(9)
nothing_yet = torch.zeros(NUM, SIDE, SIDE, dtype=torch.int64)
with torch.no_grad():
    one_pass_codes = Categorical(logits=prior.logits(nothing_yet, y_wanted)).sample()
greedy = prior.sample(20, y=torch.arange(20) % 10, temperature=1e-4, generator=seeded(105))
ways = {"right": samples["PixelCNN"], "one pass": one_pass_codes, "most probable": greedy}
cost = {"test images": means["PixelCNN"]}
for name, codes in ways.items():
    cost[name] = -log_p(codes, y_wanted[: len(codes)]).sum((1, 2)).mean().item() / math.log(2)
different = {name: len(codes.flatten(1).unique(dim=0)) for name, codes in ways.items()}
for name, value in cost.items():
    kinds = f", {different[name]} different in {len(ways[name])}" if name in ways else ""
    print(f"{name:14} {value:6.1f} bits an image{kinds}")
assert torch.equal(greedy[:10], greedy[10:]), "one image for each class"
assert cost["one pass"] > 1.3 * cost["test images"]
assert cost["most probable"] < 0.7 * cost["test images"]
assert abs(cost["right"] / cost["test images"] - 1) < (0.5 if FAST else 0.2)

# %% [markdown]
# Symptom: samples that cost far more than real images, or far less. The most probable image is no typical image.
#
# ### 13 · Given what comes later
#
# Complete the *upper* half from the lower. The interface accepts it, the known codes are kept, and no error is raised. But a code can influence only what comes after it:

# %%
lower = torch.zeros(SIDE, SIDE, dtype=torch.bool)
lower[4:] = True
two = [
    prior.sample(1, y=wanted[8:9], given=codes_test[index], known=lower, generator=seeded(106))
    for index in (chosen[1], chosen[8])
]
assert not torch.equal(two[0][:, 4:], two[1][:, 4:]), "a trouser and a bag are given"
assert torch.equal(two[0][:, :4], two[1][:, :4]), "what is drawn is the same"
print("the upper half is drawn as if nothing were given: the same above a trouser and a bag")

# %% [markdown]
# Symptom: two halves that do not fit. Train a model with another order (unit 00).
#
# ### 14 · Codes of another codebook
#
# Train stage one again, a little longer or with another seed, and keep the prior. A code is only a number; what it means is a matter of the
# codebook.

# %%
foreign = -log_p(healthy.codes(part), y_test[:1000]).sum((1, 2)).mean().item() / math.log(2)
print(f"codes of the model of section 5: {foreign:.0f} bits an image; its own: {b:.0f}; ", end="")
print(f"uniform: {means['uniform']:.0f}")
assert foreign > means["uniform"]

# %% [markdown]
# Symptom: bits beyond $49 \log_2 K$, worse than knowing nothing. Store the codes, the codebook and the prior together.

# %% [markdown]
# ## Summary
#
# - A VQ-VAE writes an image as a map of whole numbers, the numbers of vectors in a codebook. Only the numbers are kept.
# - The gradient passes the quantiser by a lie: taken at $z_q$, put at $z_e$. Left alone it lets $z_e$ run away; the commitment term holds it, at the gradient over $2 \beta$.
# - The two stop-gradients do not change a value. They say who moves: the code to the vectors, or the vectors to the code.
# - The KL is $-\log p(z)$. Under the uniform prior it is the constant $49 \log K$, so it left the loss, and comes back as the price that stage two lowers.
# - The codebook is k-means on the move. A code that nobody chose stays; so a codebook collapses, and is cured by a start from the data and revival. Watch the perplexity, over a whole set.
# - Codes depend on each other. Uniform draws decode to noise, because nearly all combinations are never used.
# - A PixelCNN is a product of softmaxes with an exact likelihood. Plain masks leave a blind spot, which costs bits; two stacks do not.
# - With a cache, sampling costs about one pass of arithmetic. It still takes one step for each code.
# - The same prior completes images, if what is known comes first, and tells classes apart by Bayes' rule.
# - Bits per image compare only what loses the same. Add what the code leaves out, before you compare with PNG.
#
# One map of $7 \times 7$ is enough for a shirt of 28 pixels. Larger images need global structure and fine detail at once. Unit 08 has a map for each.
#
# ## Exercise
#
# `exercises/07_vq_vae` asks you to build it: the nearest code, the straight-through, both losses with their gradients, the moving averages (and a bug in somebody else's),
# perplexity and revival, a gated layer with no blind spot, the price of codes under four priors, and a sampler. At the end a prior of yours completes images.
#
# ## References
#
# - S. P. Lloyd (1982). Least squares quantization in PCM. *IEEE Transactions on Information Theory* 28, 129–137.
# - Y. Bengio, N. Léonard and A. Courville (2013). Estimating or propagating gradients through stochastic neurons for
#   conditional computation. arXiv 1308.3432.
# - A. van den Oord, N. Kalchbrenner and K. Kavukcuoglu (2016). Pixel recurrent neural networks. arXiv 1601.06759. Section 3.4 for the
#   masks.
# - A. van den Oord, N. Kalchbrenner, O. Vinyals, L. Espeholt, A. Graves and K. Kavukcuoglu (2016b). Conditional image
#   generation with PixelCNN decoders. arXiv 1606.05328. Section 2 for the gated unit and the two stacks, figure 1 for the blind spot.
# - T. Salimans, I. Goodfellow, W. Zaremba, V. Cheung, A. Radford and X. Chen (2016). Improved techniques for training GANs. arXiv
#   1606.03498. Section 4 for the inception score.
# - A. van den Oord, O. Vinyals and K. Kavukcuoglu (2017). Neural discrete representation learning. arXiv 1711.00937. Equation 3
#   for the loss, section 3.3 for the prior, appendix A.1 for the moving averages.
# - A. Roy, A. Vaswani, A. Neelakantan and N. Parmar (2018). Theory and experiments on vector quantized autoencoders. arXiv
#   1805.11063. The codebook as a hard form of EM.
# - D. Lopez-Paz and M. Oquab (2017). Revisiting classifier two-sample tests. arXiv 1610.06545.
# - P. Dhariwal, H. Jun, C. Payne, J. W. Kim, A. Radford and I. Sutskever (2020). Jukebox: a generative model for music. arXiv
#   2005.00341. Random restarts of unused codes.
# - H. Xiao, K. Rasul and R. Vollgraf (2017). Fashion-MNIST: a novel image dataset for benchmarking machine learning
#   algorithms. arXiv 1708.07747.
