# %% [markdown]
# # 04 · Autoencoders
#
# **What does compression learn?**
#
# Send a picture through a narrow door: 784 grey values in, 2 numbers through the door, 784 grey values out. A network
# that must do this for sixty thousand pictures cannot copy. It has to find out what pictures have in common, and spend
# its two numbers on what differs. Nobody told it what a shoe is, yet shoes end up beside shoes.
#
# That is an **autoencoder**. This lecture measures what it learns and what it does not. It learns a subspace, or a
# curved surface. It learns to clean noisy data, and with that, surprisingly, the slope of a log density. It learns
# features, and what a normal part looks like. What it does **not** learn is a distribution: there is nothing to draw
# new pictures from. You will see that failure on a map, and measure it in four ways. Unit 05 repairs it.
#
# **When you have read this, you can**
#
# - say what encoder, code and decoder are, and which two numbers the error of a useful model lies between;
# - show that a linear autoencoder is principal component analysis (PCA), by error and by angle;
# - say what the dimension of data is, estimate it, and see where the estimate fails;
# - name and measure four defects of a two-dimensional map, and find its holes;
# - train a denoiser for images and for sound, and read a score function off it;
# - compare codes as features, without leaking a label;
# - set a threshold for anomalies honestly, and say what it promises;
# - find the image that an autoencoder reconstructs *better* than normal data;
# - recognise nine classic mistakes by their symptoms.
#
# You need unit 01 (Gaussians, mixtures) and the ideas of units 02 and 03; a little PyTorch. Symbols follow the
# notation table in `lectures/README.md`. After almost every equation comes a cell that tests it.

# %% tags=["trained"]
import math
import os

import matplotlib.pyplot as plt
import numpy as np
import scipy.optimize
import scipy.stats
import torch
from IPython.display import Audio, display
from torch import nn

from course_lib import anomaly, autoencoder, features, mixture, plots
from course_lib.autoencoder import ConvAutoencoder, DenseAutoencoder, LinearAutoencoder
from course_lib.data import digits, fashion_mnist, old_faithful, parts, tones
from course_lib.linear_gaussian import LinearGaussian, fit_maximum_likelihood
from course_lib.training import TrainSettings, cosine, train

FAST = os.environ.get("COURSE_FAST") == "1"  # smaller sizes, same code
_ = torch.set_num_threads(1)  # small networks; and sums in one order, whatever the machine
plots.use_style()
BLUE, ORANGE, GREEN, PINK = plots.COLOURS[:4]
TEN = (*plots.COLOURS, "#000000", plots.DATA, "#882255", "#999933")  # one colour for each class


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def fit(model, loss_fn, x, num_steps, *, learning_rate=2e-3, batch_size=128, **options):
    """Adam with a rate that falls to zero along a cosine; the model, ready for evaluation."""
    settings = TrainSettings(
        num_steps=max(num_steps // 6, 200) if FAST else num_steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        schedule=cosine,
        accelerator="cpu",
        progress=False,
        **options,
    )
    _ = train(model, loss_fn, (x,), settings)
    return model.eval().requires_grad_(False)


# %% [markdown]
# ## 1 · Encoder, code, decoder
#
# Two networks. The **encoder** $f_\phi$ takes an example $x$ of $D$ values and gives a **code** $z$ of $M$ numbers.
# The **decoder** $g_\theta$ takes the code and gives a **reconstruction** $\hat x$:
#
# $$\begin{aligned} z &= f_\phi(x) \\ \hat x &= g_\theta(z) \end{aligned}$$
#
# With $M < D$ the code is a **bottleneck**. Both networks are trained together, to make the reconstruction error small:
#
# $$\mathrm{MSE}(\phi, \theta) = \frac{1}{N D} \sum_n \Vert g_\theta(f_\phi(x_n)) - x_n \Vert^2$$
#
# It is a mean over examples **and** values, in units of $x^2$. Our first data are pictures of clothes: Fashion-MNIST,
# $28 \times 28$ grey values from 0 (black) to 1 (white).

# %%
train_set, test_set = fashion_mnist("train"), fashion_mnist("test")
x_train, x_test = train_set.flat(), test_set.flat()
y_train, y_test = train_set.labels, test_set.labels
D = x_train.shape[1]
print(f"{len(x_train)} training images, {len(x_test)} test images, {D} values each")

fig, ax = plt.subplots(figsize=(9.5, 2.6))
by_class = [x_train[y_train == k][:3] for k in range(10)]
rows = [[images[i] for images in by_class] for i in range(3)]
plots.draw_images(ax, rows, below=train_set.label_names)
_ = ax.set_title("Fashion-MNIST: three of each class")

# %% [markdown]
# First, does the library compute what the equation says? Take a network that has learnt nothing yet.

# %%
_ = torch.manual_seed(0)
untrained = DenseAutoencoder(D, 2, hidden=(256, 128)).eval()
with torch.no_grad():
    z = untrained.encode(x_test[:500])
    x_hat = untrained.decode(z)
by_hand = ((x_hat - x_test[:500]) ** 2).sum() / x_test[:500].numel()
library = autoencoder.reconstruction_loss(untrained, x_test[:500])
assert torch.isclose(library, by_hand, rtol=1e-5), "float32 sums agree to five digits"
print(f"x {tuple(x_test[:500].shape)} -> code {tuple(z.shape)} -> x_hat {tuple(x_hat.shape)}")
print(f"error before any training: {library:.4f}")

# %% [markdown]
# Is that much? Two anchors tell. With **no** code at all ($M = 0$) the decoder can only give one picture. The best one
# is the mean image $\bar x$, and its error is the variance of the pixels, averaged over them:
#
# $$\min_{c} \frac{1}{N D} \sum_n \Vert c - x_n \Vert^2 = \frac{1}{D} \sum_d \mathrm{Var}(x_d)$$
#
# With $M = D$ a copy is possible, and the error can be zero. A **useful** model lies between the two anchors. (Nothing
# stops a bad one from being worse than the mean image.) So read an error as a share of the first anchor.

# %%
mean_image = x_train.mean(0)
anchor = ((mean_image - x_train) ** 2).mean()
assert torch.isclose(anchor, x_train.var(0, correction=0).mean(), rtol=1e-4)
for name, other in (("a little brighter", mean_image + 0.02), ("the median", x_train.median(0)[0])):
    assert ((other - x_train) ** 2).mean() > anchor, f"{name} must be worse than the mean"
no_code = ((mean_image - x_test) ** 2).mean().item()
share = (library / no_code).item()
print(f"no code, the mean image for everything: {anchor:.4f} in training, {no_code:.4f} on test")
print(f"the network that has learnt nothing: {100 * share:.0f} % of that")
assert share > 1, "an untrained network is worse than the mean image"

# %% [markdown]
# ### The squared error is a Gaussian likelihood
#
# Why squares? Suppose every value is its reconstruction plus Gaussian noise of one standard deviation $\sigma$. Then
#
# $$-\log \mathcal N(x \mid \hat x, \sigma) = \frac{\Vert x - \hat x \Vert^2}{2 \sigma^2} + \frac D2 \log 2 \pi \sigma^2$$
#
# For a fixed $\sigma$ the smallest squared error is the largest likelihood. And for fixed networks the best $\sigma^2$
# is the MSE itself. (The step from one to the other is a derivative; let autograd take it.)

# %%
with torch.no_grad():
    squared = ((x_hat - x_test[:500]) ** 2).sum(1).double()
sigma = torch.tensor(0.3, dtype=torch.float64)
nll = squared / (2 * sigma**2) + D / 2 * torch.log(2 * math.pi * sigma**2)
normal = torch.distributions.Normal(x_hat.double(), sigma)
by_torch = -normal.log_prob(x_test[:500].double()).sum(1)
assert torch.allclose(nll, by_torch, rtol=1e-5), "two float32 roundings apart"

best_sigma = (squared.mean() / D).sqrt().requires_grad_()
mean_nll = (squared / (2 * best_sigma**2)).mean() + D / 2 * torch.log(2 * math.pi * best_sigma**2)
slope = torch.autograd.grad(mean_nll, best_sigma)[0]
assert abs(slope) < 1e-6 * D, "the root of the MSE is not the best sigma"
print(f"best sigma {best_sigma.item():.4f} = root of the MSE {library.item() ** 0.5:.4f}")

# %% [markdown]
# But look at what this likelihood is: $\log p(x \mid z)$, with the code handed over **for free**. There is no $p(z)$.
# So there is no $p(x)$ either, and no number of nats for a picture. Units 02 and 03 had both. Keep that in mind until
# section 5.

# %% [markdown]
# ## 2 · A linear autoencoder is PCA
#
# ### What is the best that a linear one can do?
#
# Begin with networks that you can solve: one linear layer each way.
#
# $$\begin{aligned} z &= A (x - \bar x) \\ \hat x &= W z + \bar x \end{aligned}$$
#
# All reconstructions lie in a flat piece of dimension $M$, spanned by the columns of $W$. For a given $W$ the best code
# leads to the closest point of that piece, the orthogonal projection. So only the subspace is left to choose. Let $P$
# be the projection onto it and $C$ the covariance of the data. By Pythagoras, what is lost is what is not kept:
#
# $$\mathrm{MSE} = \frac1D \big( \mathrm{tr}\, C - \mathrm{tr}\, P C \big)$$
#
# The trace $\mathrm{tr}\, P C$ is the variance inside the subspace. It is largest for the $M$ eigenvectors of $C$ with
# the largest eigenvalues $v_1 \ge v_2 \ge \dots$, the **principal components** (Eckart and Young 1936). What is lost is
# the rest:
#
# $$\min_{A, W} \mathrm{MSE} = \frac1D \sum_{m > M} v_m$$
#
# Test both lines on the handwritten digits of unit 02 (64 values, in double precision). Then try a thousand other
# subspaces.

# %%
images, digit_labels = digits()  # (1797, 64), float64
N, D_digits = images.shape
M = 4
centred = images - images.mean(0)
C = centred.T @ centred / N
v = torch.linalg.eigvalsh(C).flip(0)  # falling
for size in (1, 2, M, 32):
    exact = autoencoder.pca(images, size)
    error = ((exact(images) - images) ** 2).mean()
    P = exact.components.T @ exact.components
    assert abs(error - (C.trace() - (P @ C).trace()) / D_digits) < 1e-12, "Pythagoras failed"
    assert abs(error - v[size:].sum() / D_digits) < 1e-12, "not the discarded variance"
    assert torch.allclose(exact.variances, v[:size]), "variances are the eigenvalues"
best_error = (v[M:].sum() / D_digits).item()

frames = torch.linalg.qr(torch.randn(1000, D_digits, M, generator=seeded(), dtype=v.dtype)).Q
kept = torch.einsum("rdm,de,rem->r", frames, C, frames)
others = (C.trace() - kept) / D_digits
assert (others > best_error).all(), "nothing may beat the principal subspace"
print(f"PCA with {M} components: {best_error:.5f}; the mean image: {v.sum() / D_digits:.5f}")
print(f"1000 random subspaces of {M} dimensions: {others.min():.5f} to {others.max():.5f}")

# %% [markdown]
# ### Does gradient descent find it?
#
# The loss of a linear autoencoder is no convex function of $A$ and $W$. But it has no bad valleys: every local minimum
# is global, everything else is a saddle (Baldi and Hornik 1989). So Adam should arrive at the principal subspace. Two
# measurements: the error, and the **principal angles** between the two subspaces. If the columns of $Q_1$ and $Q_2$ are
# orthonormal bases, the cosines of the angles are singular values:
#
# $$\cos \vartheta_m = s_m\big(Q_1^\top Q_2\big)$$
#
# All angles zero: the same subspace. A right angle: a direction that one has and the other lacks.

# %%
components = autoencoder.pca(images, M)
_ = torch.manual_seed(0)
linear = LinearAutoencoder(D_digits, M).double()
steps_seen, largest_angle = [], []


def watch(step, model, loss):
    if step % 20 == 0 or step == 1:
        angles = autoencoder.principal_angles(
            model.decoder.weight.detach(), components.components.T
        )
        steps_seen.append(step)
        largest_angle.append(angles.max().rad2deg().item())


settings = TrainSettings(
    num_steps=1200 if FAST else 2500,
    batch_size=256,
    learning_rate=3e-2,
    schedule=cosine,
    precision="64-true",
    accelerator="cpu",
    progress=False,
)
losses = train(linear, autoencoder.reconstruction_loss, (images,), settings, callback=watch)
linear = linear.eval().requires_grad_(False)
linear_error = autoencoder.reconstruction_loss(linear, images).item()
angles = autoencoder.principal_angles(linear.decoder.weight, components.components.T).rad2deg()
print(f"PCA              {best_error:.6f}")
print(f"linear, trained  {linear_error:.6f}: {100 * (linear_error / best_error - 1):.4f} % more")
print("principal angles in degrees:", [round(a, 3) for a in angles.sort().values.tolist()])
assert best_error <= linear_error + 1e-12, "nothing may beat PCA"
assert linear_error < 1.01 * best_error, "within one per cent"
assert angles.max() < 2, "the same subspace within two degrees"

# %% [markdown]
# Is that what the formula of the angles says? Test it on a plane that you turn yourself, and by hand.

# %%
plane_1 = torch.eye(4, dtype=torch.float64)[:, :2]
turned = torch.tensor([[1.0, 0], [0, math.cos(0.3)], [0, math.sin(0.3)], [0, 0]]).double()
angles = autoencoder.principal_angles(plane_1, turned)
assert torch.allclose(angles.sort().values, torch.tensor([0, 0.3]).double(), atol=1e-7)
Q_1, Q_2 = (torch.linalg.qr(torch.randn(64, M, generator=seeded(s)).double()).Q for s in (1, 2))
by_hand = torch.linalg.svdvals(Q_1.T @ Q_2).acos()
assert torch.allclose(
    autoencoder.principal_angles(Q_1, Q_2).sort().values, by_hand.sort().values, atol=1e-7
)
print("a plane turned by 0.3 rad around one of its axes:", angles.sort().values.round(decimals=4))
print("two random subspaces, largest angle in degrees:", round(by_hand.max().rad2deg().item(), 1))

# %% [markdown]
# The angle is the sharper test. Turn the subspace by $\vartheta$, from component $M$ towards component $M + 1$. The
# error grows only by
#
# $$\frac{(v_M - v_{M+1}) \sin^2 \vartheta}{D}$$
#
# If the two variances are nearly equal, a subspace that is far off costs next to nothing, and gradient descent takes
# forever to turn it. So read the eigenvalues before you compare subspaces. Here they are well apart after the fourth,
# and within a tenth of each other after the eighth.

# %%
all_components = autoencoder.pca(images, 9).components
for size in (M, 8):
    angle = math.radians(10)
    basis = all_components[:size].clone()
    basis[-1] = math.cos(angle) * basis[-1] + math.sin(angle) * all_components[size]
    error = (C.trace() - (basis @ C @ basis.T).trace()) / D_digits
    optimum = v[size:].sum() / D_digits
    predicted = (v[size - 1] - v[size]) * math.sin(angle) ** 2 / D_digits
    assert abs(error - optimum - predicted) < 1e-12, "the price of a turn"
    print(f"{size} components, v = {v[size - 1]:.3f} against {v[size]:.3f}: ", end="")
    print(f"a turn of 10° costs {100 * predicted / optimum:.3f} % of the error")
assert v[8] > 0.9 * v[7], "within a tenth"

# %% [markdown]
# ### The same subspace, but not the same axes
#
# Put any invertible $M \times M$ matrix $B$ into the middle. The codes change, the reconstructions do not:
#
# $$(W B^{-1})\, (B A) = W A$$
#
# So the single columns of $W$ mean nothing. PCA's components are ordered by variance and orthogonal, because we *ask*
# for it. Gradient descent was not asked. This is the first sight of a fact that returns in section 5 and in unit 06:
# **the error cannot see the coordinates of the code.**

# %%
B = torch.randn(M, M, generator=seeded(3)).double() + 2 * torch.eye(M).double()
W, A = linear.decoder.weight, linear.encoder.weight
mixed = LinearAutoencoder(D_digits, M).double().requires_grad_(False)
mixed.encoder.weight.copy_(B @ A)
mixed.encoder.bias.copy_(B @ linear.encoder.bias)
mixed.decoder.weight.copy_(W @ torch.linalg.inv(B))
mixed.decoder.bias.copy_(linear.decoder.bias)
assert torch.allclose(mixed(images), linear(images), atol=1e-9), "the same reconstructions"
assert not torch.allclose(mixed.encode(images), linear.encode(images)), "other codes"
W_unit = W / W.norm(dim=0)
overlap = (W_unit.T @ W_unit - torch.eye(M)).abs().max()
print(f"largest cosine between two columns of the trained W: {overlap:.2f} (of PCA: 0)")

# %%
fig, axes = plt.subplots(1, 3, figsize=(9.8, 3.3), width_ratios=(1, 1, 1.25))
axes[0].plot(torch.arange(len(losses)) + 1, losses, color=BLUE, label="linear autoencoder")
axes[0].axhline(best_error, color="black", linewidth=1, linestyle="--", label="PCA")
axes[0].set(xscale="log", yscale="log", xlabel="step", ylabel="squared error per pixel")
axes[0].set_title("The error reaches PCA's")
axes[0].legend(fontsize=9)
axes[1].plot(steps_seen, largest_angle, color=BLUE)
axes[1].axhline(2, color="black", linewidth=1, linestyle=":")
axes[1].annotate("2°", (1, 2), xytext=(0, 4), textcoords="offset points")
axes[1].set(xscale="log", yscale="log", xlabel="step", ylabel="largest angle (degrees)")
axes[1].set_title("So does the subspace")
tiles = [components.components, W_unit.T]
scale = max(part.abs().max().item() for part in tiles)
plots.draw_images(
    axes[2],
    [part * torch.sign(part.sum(1, keepdim=True)) for part in tiles],
    names=["PCA", "trained"],
    limits=(-scale, scale),
)
_ = axes[2].set_title("The axes differ")

# %% [markdown]
# ### A third road to the same place
#
# In units 02 and 03 the linear-Gaussian model was fitted by maximum likelihood. Its $W$ spans the same subspace
# (Tipping and Bishop 1999). Let its noise go to zero and its posterior mean decodes to PCA's reconstruction. So a
# *generative* model and an autoencoder meet here. What the generative model has more is $p(z) = \mathcal N(0, I)$, and
# with it a $p(x)$.

# %%
ppca = fit_maximum_likelihood(images, M)
angles = autoencoder.principal_angles(ppca.weight, components.components.T)
assert angles.max().rad2deg() < 1e-3, "maximum likelihood spans the principal subspace"
for shrink in (1.0, 0.1, 1e-3):
    model = LinearGaussian(ppca.weight, ppca.bias, ppca.scale * shrink)
    x_hat = model.posterior(images).loc @ model.weight.T + model.bias
    distance = (x_hat - components(images)).abs().max().item()
    print(f"noise {float(model.scale):.5f}: largest difference from PCA's pixels {distance:.6f}")
assert distance < 1e-5, "the limit of no noise is PCA"

# %% [markdown]
# ## 3 · A curved decoder does better
#
# Now give both networks hidden layers. The reconstructions no longer lie in a flat piece but on a curved surface of
# $M$ dimensions. On Fashion-MNIST, with two numbers and with 32:

# %%
HIDDEN = (128, 64) if FAST else (256, 128)


def make_dense(latent_dim, seed=0):
    _ = torch.manual_seed(seed)
    return DenseAutoencoder(D, latent_dim, hidden=HIDDEN)


ae_2 = fit(make_dense(2), autoencoder.reconstruction_loss, x_train, 2500)

# %%
ae_32 = fit(make_dense(32), autoencoder.reconstruction_loss, x_train, 2500)

# %%
pca_all = autoencoder.pca(x_train, 64)


def pca_with(latent_dim):
    return autoencoder.PCA(
        mean=pca_all.mean,
        components=pca_all.components[:latent_dim],
        variances=pca_all.variances[:latent_dim],
    )


def error_on(model, x):
    return anomaly.reconstruction_score(model, x).mean().item()


pca_2, pca_32 = pca_with(2), pca_with(32)
models = {"PCA": (pca_2, pca_32), "autoencoder": (ae_2, ae_32)}
errors = {name: [error_on(model, x_test) for model in pair] for name, pair in models.items()}
print("squared error per pixel, test images      2 numbers   32 numbers")
print(f"{'the mean image':38} {no_code:11.4f} {no_code:12.4f}")
for name, pair in errors.items():
    print(f"{name:38} {pair[0]:11.4f} {pair[1]:12.4f}")
ratios = [errors["autoencoder"][i] / errors["PCA"][i] for i in (0, 1)]
print(f"{'autoencoder over PCA':38} {ratios[0]:11.2f} {ratios[1]:12.2f}")
in_training = [error_on(model, x_train[: len(x_test)]) for model in (ae_2, ae_32)]
print(f"{'autoencoder, training images':38} {in_training[0]:11.4f} {in_training[1]:12.4f}")
assert ratios[0] < 0.9, "with two numbers curved must beat flat, even after few steps"
assert errors["autoencoder"][1] < errors["autoencoder"][0], "more numbers, less error"
assert ratios[0] < ratios[1], "the gain over PCA is smaller with 32 numbers"

# %%
chosen = torch.cat([(y_test == k).nonzero()[1] for k in range(10)])
rows = {"image": lambda x: x, "PCA, 2": pca_2, "autoencoder, 2": ae_2}
rows |= {"PCA, 32": pca_32, "autoencoder, 32": ae_32}
fig, ax = plt.subplots(figsize=(6.4, 3.3))
plots.draw_images(ax, [list(model(x_test[chosen])) for model in rows.values()], names=list(rows))
_ = ax.set_title("What two numbers can say, and 32")

# %% [markdown]
# With two numbers the flat model gives grey ghosts, the curved one a shoe or a shirt (but not *this* shoe). With 32
# numbers the gain is smaller: PCA with enough components is hard to beat. Remember that. It returns in sections 7
# and 8.

# %% [markdown]
# ## 4 · The manifold, and its dimension
#
# Why should two numbers say anything about 784? Because pictures of clothes are a tiny part of all pictures. The
# **manifold hypothesis**: data with many values lie near a surface of few dimensions, bent into the large space. An
# autoencoder looks for that surface. On data that you make yourself you know it, so begin there.
#
# ### A spiral: two values, one dimension
#
# Each point is $x = (t \cos t,\, t \sin t) / 10$ with one hidden $t$. Two values, one dimension. What does each method
# make of a code of **one** number?


# %%
def spiral(num_points, generator):
    t = 3 + 9 * torch.rand(num_points, generator=generator)
    return torch.stack([t * t.cos(), t * t.sin()], 1) / 10, t


x_spiral, t_spiral = spiral(2000, seeded())
_ = torch.manual_seed(0)
ae_spiral = fit(
    DenseAutoencoder(2, 1, hidden=(128, 128), output="identity"),
    autoencoder.reconstruction_loss,
    x_spiral,
    4000,
    learning_rate=3e-3,
)
line = autoencoder.pca(x_spiral, 1)
spiral_errors = [error_on(model, x_spiral) for model in (line, ae_spiral)]
print("squared error per value of a code of one number")
print(f"PCA, a straight line: {spiral_errors[0]:.4f}; autoencoder, a curve: {spiral_errors[1]:.4f}")
assert spiral_errors[1] < 0.5 * spiral_errors[0], "a curve must fit a spiral better"

# %%
z = ae_spiral.encode(x_spiral)[:, 0]
fig, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.9))
left.scatter(*x_spiral[:600].T, s=5, color=plots.DATA, label="data")
ends = line.encode(x_spiral)
left.plot(*line.decode(torch.stack([ends.min(0)[0], ends.max(0)[0]])).T, color=BLUE, label="PCA")
path = ae_spiral.decode(torch.linspace(z.min(), z.max(), 2000)[:, None])
left.plot(*path.T, color=ORANGE, label="decoder, along the code")
left.set(xlabel="first value", ylabel="second value", aspect="equal")
left.set_title("One number, flat and curved")
right.scatter(t_spiral, z, s=3, color=ORANGE)
right.set(xlabel="hidden t (radians)", ylabel="code z")
right.set_title("What the code says about t")
_ = fig.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9)

# %% [markdown]
# The curve follows the spiral, with a few breaks: where the code jumps, the decoder draws a shortcut through the void.
# Codes on a shortcut belong to no data. Keep these breaks in mind; on the map of section 5 they become **holes**.
#
# ### The bottleneck binds: rank
#
# Walk a little in $x$ and see where the reconstruction goes. The chain rule says
#
# $$\frac{\partial g(f(x))}{\partial x} = \frac{\partial g}{\partial z}\, \frac{\partial f}{\partial x}$$
#
# a $D \times M$ matrix times an $M \times D$ matrix. So the rank is at most $M$: of all directions in which a picture
# can change, the reconstruction follows at most $M$. It is also the best test of an implementation. A wire that leads
# past the code shows at once.

# %%
few = x_test[:2]
with torch.enable_grad():
    to_code = torch.func.vmap(torch.func.jacrev(lambda x: ae_2.encode(x[None])[0]))(few)
    to_image = torch.func.vmap(torch.func.jacfwd(lambda z: ae_2.decode(z[None])[0]))
    whole = torch.func.vmap(torch.func.jacfwd(lambda x: ae_2(x[None])[0]))(few)
product = to_image(ae_2.encode(few)) @ to_code
assert torch.allclose(whole, product, atol=1e-5 * whole.abs().max().item()), "the chain rule"
ranks = {
    "spiral, code of 1": autoencoder.jacobian_rank(ae_spiral, x_spiral[:50]),
    "clothes, code of 2": autoencoder.jacobian_rank(ae_2, few),
    "clothes, code of 32": autoencoder.jacobian_rank(ae_32, few),
    "clothes, PCA of 32": autoencoder.jacobian_rank(pca_32, few),
}
for (name, rank), limit in zip(ranks.items(), (1, 2, 32, 32), strict=True):
    print(f"{name:20} rank {rank.min().item()} to {rank.max().item()}")
    assert (rank <= limit).all(), "more directions than the code has numbers"

# %% [markdown]
# ### How many dimensions do data have?
#
# You can ask the data, without any network. Near a point of a $d$-dimensional surface, the number of neighbours within
# a distance $r$ grows like $r^d$. Count them on a Swiss roll (a spiral drawn out to a sheet, like the rolled cake):
# twice the distance must give $2^2 = 4$ times the neighbours.


# %%
def swiss_roll(num_points, generator):
    flat, t = spiral(num_points, generator)
    return torch.cat([flat, 2 * torch.rand(num_points, 1, generator=generator)], 1), t


POINTS = 1000 if FAST else 4000
roll = torch.unique(swiss_roll(POINTS, seeded(2))[0], dim=0).double()
between = torch.cdist(roll, roll)
within = [((between < r).sum(1) - 1).double().mean().item() for r in (0.1, 0.2)]
grown = math.log2(within[1] / within[0])
print(f"neighbours within 0.1: {within[0]:.2f}, within 0.2: {within[1]:.2f}; power {grown:.2f}")
assert abs(grown - 2) < 0.15, "the second power, but for the edges of the sheet"

# %% [markdown]
# Turn that into an estimate. Let $T_{nj}$ be the distance from point $n$ to its $j$-th neighbour. With $k$
# neighbours each, maximum likelihood gives (Levina and Bickel 2004, averaged as MacKay and Ghahramani propose; here $k$
# counts neighbours and $d$ is the dimension)
#
# $$\frac{1}{\hat d} = \frac{1}{N (k - 1)} \sum_n \sum_{j < k} \log \frac{T_{nk}}{T_{nj}}$$
#
# A second estimate uses only the two nearest neighbours (two-NN, Facco and others 2017):
#
# $$P\left( \frac{T_{n2}}{T_{n1}} > r \right) = r^{-d}$$
#
# So minus the log of the share that exceeds $r$ is $d \log r$: a line through the origin with slope $d$. Sort the ratios
# and fit that line, to the smallest 90 % (the last few are noisy). First the law and both formulas by hand:

# %%
near = between.sort(1).values[:, 1:21]  # (N, k), k = 20; column 0 is the point itself
by_hand = 1 / (near[:, -1:] / near[:, :-1]).log().mean().item()
library = autoencoder.intrinsic_dimension(roll, num_neighbours=20)
assert abs(by_hand / library - 1) < 1e-6, "not the formula"

ratio = near[:, 1] / near[:, 0]
for r in (1.2, 1.5, 2.0, 3.0):
    tail, law = (ratio > r).double().mean().item(), r**-2
    print(f"second neighbour more than {r} times as far: {tail:.3f}, law {law:.3f}")
    assert abs(tail - law) < 5 * math.sqrt(law * (1 - law) / len(ratio)) + 0.01, "not the law"
log_ratio = ratio.log().sort().values[: int(0.9 * len(ratio))]
height = -torch.log1p(-torch.arange(1, len(log_ratio) + 1) / len(ratio)).double()
slope = (log_ratio @ height / (log_ratio @ log_ratio)).item()
assert abs(slope / autoencoder.two_nn(roll) - 1) < 1e-3, "not the line of the text"
print(f"dimension from 20 neighbours {by_hand:.2f}, from two {slope:.2f}; true 2")

# %% [markdown]
# Compare both with the dimension that PCA sees, the number of components that hold 99 % of the variance.


# %%
def pure_tones(num_points, generator, num_samples=64, spread=3.0):
    """Sine waves: a random frequency of 3 to 3 + spread cycles in the window, a random phase."""
    cycles = 3 + spread * torch.rand(num_points, 1, generator=generator)
    phase = 2 * math.pi * torch.rand(num_points, 1, generator=generator)
    return torch.sin(2 * math.pi * cycles * torch.arange(num_samples) / num_samples + phase)


def gaussian_sheet(num_points, generator, latent_dim=10, dim=100):
    axes = torch.linalg.qr(torch.randn(dim, latent_dim, generator=generator)).Q
    return torch.randn(num_points, latent_dim, generator=generator) @ axes.T


one_turn = spiral(POINTS, seeded(1))[0]
known = {
    "spiral": (one_turn, 1),
    "spiral + noise": (one_turn + 0.05 * torch.randn(POINTS, 2, generator=seeded(7)), 1),
    "Swiss roll": (swiss_roll(POINTS, seeded(2))[0], 2),
    "pure tones": (pure_tones(POINTS, seeded(3)), 2),
    "Gaussian, 10 of 100": (gaussian_sheet(POINTS, seeded(4)), 10),
    "clothes": (x_train[:POINTS], None),
    "dresses only": (x_train[y_train == 3][:POINTS], None),
}

print(f"{'':20} values   true   99 % of variance   20 neighbours   two-NN")
dimensions, flat_count = {}, {}
for name, (x, true) in known.items():
    x = torch.unique(x, dim=0)  # two equal float32 draws have no logarithm of a distance
    v = torch.linalg.eigvalsh(torch.cov(x.double().T)).flip(0)
    flat = flat_count[name] = int((v.cumsum(0) < 0.99 * v.sum()).sum()) + 1
    dimensions[name] = autoencoder.intrinsic_dimension(x), autoencoder.two_nn(x)
    row = f"{name:20} {x.shape[1]:6d} {true or '?':>6} {flat:18d}"
    print(row + f" {dimensions[name][0]:15.1f} {dimensions[name][1]:8.1f}")
for name in ("spiral", "Swiss roll", "pure tones"):
    for estimate in dimensions[name]:
        assert abs(estimate - known[name][1]) < 0.4, f"{name}: the dimension is known"
assert flat_count["pure tones"] == 9, "PCA counts nine directions"
assert max(dimensions["Gaussian, 10 of 100"]) < 9.8, "too low in ten dimensions"
assert min(dimensions["spiral + noise"]) > 1.5, "too high under noise"
assert all(8 < value < 20 for value in dimensions["clothes"]), "ten or fifteen"
assert all(a > b for a, b in zip(dimensions["dresses only"], dimensions["clothes"], strict=True))

# %% [markdown]
# For one and two clean dimensions the estimates are right, and PCA's count is wrong wherever the surface bends: the pure
# tones fill nine directions with two hidden numbers. For ten dimensions the estimates fall a little short. Thousands of points in
# ten dimensions have no *near* neighbours, and the density changes on the way to the ones there are. Noise does the
# opposite: where the neighbours are no further apart than the noise is wide, they see the noise, and it fills every
# direction. The noisy spiral looks almost like a surface. So an estimate is a bound on **neither** side. Read the numbers
# for the clothes as "ten or fifteen, and grain may be part of it": far below 784, far above two. The dresses alone lie
# closer together, and for them the estimate comes out larger, not smaller.
#
# ### What the autoencoder sees of it
#
# Does an autoencoder see the dimension, too? Take the pure tones. First with the frequency **fixed**. Then one hidden
# number is left, the phase $\varphi$, and the tones form a circle: after a full turn you are back. Its dimension is 1. Is
# a code of one number enough?
#
# It is not. A continuous map from a circle to a line gives some two opposite points the same value (Borsuk and Ulam).
# Opposite tones are $x$ and $-x$, and they get one reconstruction $\hat x$ between them:
#
# $$\Vert \hat x - x \Vert^2 + \Vert \hat x + x \Vert^2 = 2 \Vert \hat x \Vert^2 + 2 \Vert x \Vert^2 \ge 2 \Vert x \Vert^2$$
#
# So for **every** network with one number, some tone has an error of at least its own mean square, one half. Test it.

# %%
ring_train = pure_tones(2000, seeded(15), spread=0.0)
phases = 2 * math.pi * torch.arange(20_000)[:, None] / 20_000
ring = torch.sin(2 * math.pi * 3 * torch.arange(64) / 64 + phases)  # all around, finely
ring_errors = {}
for size in (1, 2):
    _ = torch.manual_seed(0)
    ring_model = fit(
        DenseAutoencoder(64, size, hidden=(64, 64), output="identity"),
        autoencoder.reconstruction_loss,
        ring_train,
        1000,
        learning_rate=3e-3,
    )
    ring_errors[size] = anomaly.reconstruction_score(ring_model, ring)
    mean, worst = ring_errors[size].mean(), ring_errors[size].max()
    print(f"code of {size}: mean error {mean:.5f}, the worst tone {worst:.3f}")
assert ring_errors[1].max() > 0.49, "some tone must lose everything"
assert ring_errors[1].mean() > 5 * ring_errors[2].mean(), "a circle needs two numbers"
assert ring_errors[2].max() < 0.1, "two are enough"

# %% [markdown]
# The circle has to be cut to lie on a line. Most tones do not suffer. Those at the cut lose everything.
#
# Now let the frequency vary, too. Two hidden numbers: frequency and phase. Train one autoencoder for each size of the
# code.

# %%
x_tone, x_tone_test = pure_tones(6000, seeded(5)), pure_tones(1000, seeded(6))
SIZES = (1, 2, 3, 4, 6)
tone_errors, tone_models = {"PCA": [], "autoencoder": []}, {}
for size in SIZES:
    _ = torch.manual_seed(0)
    tone_models[size] = fit(
        DenseAutoencoder(64, size, hidden=(128, 64), output="identity"),
        autoencoder.reconstruction_loss,
        x_tone,
        1500,
        learning_rate=3e-3,
    )
    tone_errors["autoencoder"].append(error_on(tone_models[size], x_tone_test))
    tone_errors["PCA"].append(error_on(autoencoder.pca(x_tone, size), x_tone_test))
print("numbers in the code  " + " ".join(f"{size:7d}" for size in SIZES))
for name, values in tone_errors.items():
    print(f"{name:20} " + " ".join(f"{value:7.4f}" for value in values))
variance = x_tone_test.var(0).mean().item()
for name, values in tone_errors.items():
    print(f"{name}: 2 numbers leave {100 * values[1] / variance:.2f} % of the variance, ", end="")
    print(
        f"3 leave {100 * values[2] / variance:.2f} %, 6 leave {100 * values[-1] / variance:.2f} %"
    )

limit = (0.8 if FAST else 0.5) * tone_errors["PCA"][1]
assert tone_errors["autoencoder"][1] < limit, "curved must beat flat"
assert tone_errors["autoencoder"][2] < 0.6 * tone_errors["autoencoder"][1], "a third number helps"

# %%
fig, (left, middle, right) = plt.subplots(1, 3, figsize=(10.4, 3.3))
for (name, values), colour in zip(tone_errors.items(), (BLUE, ORANGE), strict=True):
    left.plot(SIZES, values, "o-", color=colour, label=name)
left.set(xlabel="numbers in the code, M", ylabel="squared error per value", yscale="log")
left.set_title("Error of pure tones")
left.legend()
cycles = (torch.fft.rfft(x_tone_test, n=1024).abs().argmax(1) / 16).numpy()
for ax, size in ((middle, 2), (right, 3)):
    shown_codes = tone_models[size].encode(x_tone_test)
    shown_codes = autoencoder.pca(shown_codes, size).encode(shown_codes)
    shown = ax.scatter(*shown_codes[:, :2].T, s=6, c=cycles, cmap="cividis")
    ax.set(xlabel="first direction of the code")
    ax.set_title(f"Codes of {('two', 'three')[size - 2]} numbers")
middle.set_ylabel("second direction")
_ = fig.colorbar(shown, ax=right, label="cycles in the window")

# %% [markdown]
# Two numbers explain most of the variance, where PCA leaves more than half; with more numbers PCA goes on needing more.
# But the knee is not sharp: a third number helps a lot. Is the reason that two do not suffice? A frequency from a range and a phase from
# a circle make a cylinder. Press it flat and it is a ring with a hole, an **annulus**, which lies in the plane without any
# cut: the frequency is the radius, the phase the angle. So a code of two numbers would do. But training does not always
# find it. Look at the middle picture: no ring with the frequency as its radius, but pieces, cut and folded. A third number
# gives the sheet more room to bend, and training gets further. What a code *can* say and what training *finds* are two
# questions.
# %% [markdown]
# ## 5 · A map with holes
#
# ### Two numbers: a map
#
# A code of two numbers can be drawn. Left: the codes of test images. Right: what the decoder makes of a grid of codes.
# The class labels are only used for the colours; the network never saw them.

# %%
codes = ae_2.encode(x_test)  # (N, 2)
train_codes = ae_2.encode(x_train)
low, high = torch.quantile(train_codes[:20_000], torch.tensor([0.005, 0.995]), dim=0)
low, high = low - 0.05 * (high - low), high + 0.05 * (high - low)  # the frame of the map

SIDE = 10
centres = [low[m] + (high[m] - low[m]) * (torch.arange(SIDE) + 0.5) / SIDE for m in (0, 1)]
nodes = torch.cartesian_prod(*centres)  # (100, 2), the first number changes slowest
pictures = ae_2.decode(nodes).reshape(SIDE, SIDE, 28, 28)
sheet = torch.cat([torch.cat(list(column.flip(0)), 0) for column in pictures], 1)

fig, (left, right) = plt.subplots(1, 2, figsize=(9.0, 4.3))
for k, name in enumerate(test_set.label_names):
    mine = codes[y_test == k]
    left.scatter(*mine[:120].T, s=5, color=TEN[k])
    left.annotate(
        name,
        mine.median(0)[0],
        xytext=(0, -12 if name == "Pullover" else 0),
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=8,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": TEN[k]},
    )
left.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xlabel="$z_1$", ylabel="$z_2$")
left.set_title("Where images go")
extent = (low[0].item(), high[0].item(), low[1].item(), high[1].item())
sheet = (sheet * 31).round() / 31  # few greys, so that a small file keeps the colours apart
right.imshow(sheet, cmap="gray", extent=extent, aspect="auto", interpolation="nearest")
right.set(xlabel="$z_1$", ylabel="$z_2$")
_ = right.set_title("What comes back")

# %% [markdown]
# It is a beautiful map. Shoes here, trousers there, a smooth change between them. And you could now *make* clothes:
# pick a code, decode it. But which code? Four defects stand in the way. Give each a number.
#
# ### Defect 1: uneven spread
#
# Some classes get a large piece of the map, others a small one. Take the area of a class to be the root of the
# determinant of the covariance of its codes (proportional to the area of its ellipse).

# %%
areas = torch.stack([torch.linalg.det(torch.cov(codes[y_test == k].T)).sqrt() for k in range(10)])
order = areas.argsort(descending=True)
for k in (*order[:2], *order[-2:]):
    print(f"{test_set.label_names[k]:12} area {areas[k]:8.2f}")
spread_ratio = (areas.max() / areas.min()).item()
print(f"largest over smallest: {spread_ratio:.1f}, with as many images in each")
assert spread_ratio > 2, "the classes share the map unevenly"

# %% [markdown]
# ### Defect 2: asymmetry
#
# A simple prior, say $\mathcal N(0, I)$, is centred at zero, round, and the same in every direction. The cloud of codes
# is none of it. Nothing in the loss asks where zero is.

# %%
loc, covariance = train_codes.mean(0), torch.cov(train_codes.T)
stds = covariance.diagonal().sqrt()
axes_lengths = torch.linalg.eigvalsh(covariance).sqrt()
skewness = ((train_codes - loc) / stds).pow(3).mean(0)
quadrants = [((codes[:, 0] > 0) == a) & ((codes[:, 1] > 0) == b) for a in (0, 1) for b in (0, 1)]
shares = [quadrant.float().mean().item() for quadrant in quadrants]
print("centre          ", [round(value, 2) for value in loc.tolist()])
print("standard dev.   ", [round(value, 2) for value in stds.tolist()])
print("skewness        ", [round(value, 2) for value in skewness.tolist()])
print("long/short axis ", round((axes_lengths[1] / axes_lengths[0]).item(), 2))
print("in the quadrants", [f"{100 * share:.0f} %" for share in shares], "(N(0, I): 25 % each)")
error = 1 / math.sqrt(len(train_codes))  # of the centre, in standard deviations
asymmetry = max(abs(share - 0.25) for share in shares)
assert (loc / stds).abs().max() > 5 * error, "not centred at zero"
assert asymmetry > 0.05, "not the same in every direction"

# %% [markdown]
# ### Defect 3: gaps
#
# Divide the frame of the map into cells. How many hold no image at all, although the map around them is full? For
# comparison, count the cells that as many draws from a uniform distribution would leave empty: for $N$ draws and $K$
# cells,
#
# $$\mathbb E\Big[\frac{\text{empty}}{K}\Big] = \Big(1 - \frac1K\Big)^N$$

# %%
CELLS = 30
place = ((train_codes - low) / (high - low) * CELLS).long()
inside = ((place >= 0) & (place < CELLS)).all(1)
counts = torch.bincount(place[inside] @ torch.tensor([CELLS, 1]), minlength=CELLS**2)
empty = (counts == 0).double().mean().item()
expected = (1 - 1 / CELLS**2) ** int(inside.sum())
uniform = torch.randint(0, CELLS**2, (20, 3000), generator=seeded())
empty_uniform = [(torch.bincount(u, minlength=CELLS**2) == 0).double().mean() for u in uniform]
theory = (1 - 1 / CELLS**2) ** 3000
assert abs(np.mean(empty_uniform) - theory) < 5 * np.std(empty_uniform) / math.sqrt(20)
print(f"cells without an image: {100 * empty:.1f} % of {CELLS**2}")
print(f"expected if the {int(inside.sum())} codes were uniform: {100 * expected:.4f} %")
half = counts.sort(descending=True).values.cumsum(0)
print(f"half of the images live in {100 * int((half < half[-1] / 2).sum()) / CELLS**2:.1f} % of it")
assert empty > 10 * expected + 0.01, "the map has gaps"

# %% [markdown]
# ### A detector of holes
#
# An empty cell may be harmless: the decoder could still make a decent picture there. Ask the network itself. Decode a
# code, encode the picture again, and see whether you come back:
#
# $$\mathrm{trip}(z) = \Vert f_\phi(g_\theta(z)) - z \Vert$$
#
# Where there were images, training made sure that you do, nearly. Elsewhere nothing did. Call $z$ a **hole** if the
# round trip is longer than for 99 % of the codes of real images. Two other witnesses: the distance on the map to the
# nearest code of a real image, and the distance from the decoded picture to the nearest real image.


# %%
def round_trip(model, z):
    return (model.encode(model.decode(z)) - z).norm(dim=1)


def distance_to_data(pictures, num_images=3000 if FAST else 10_000):
    """Root mean squared distance per pixel to the nearest of the first training images."""
    nearest = torch.cdist(pictures, x_train[:num_images]).min(1).values
    return nearest / math.sqrt(D)


tolerance = round_trip(ae_2, codes).quantile(0.99).item()
FINE = 60
fine_nodes = torch.cartesian_prod(*[torch.linspace(low[m], high[m], FINE) for m in (0, 1)])
trip = round_trip(ae_2, fine_nodes)
library = autoencoder.hole_fraction(ae_2.encode, ae_2.decode, fine_nodes, tolerance)
by_hand = (trip > tolerance).double().mean().item()
assert abs(library - by_hand) < 2e-3, "not the share of the text (up to ties in float32)"
far = distance_to_data(ae_2.decode(fine_nodes[::3]))
to_code = torch.cdist(fine_nodes, train_codes[:10_000]).min(1).values
agreement = [scipy.stats.spearmanr(a, b).statistic for a, b in ((trip, to_code), (trip[::3], far))]
print(f"tolerance {tolerance:.3f}, the 99 % point of the codes of test images")
print(f"holes: {100 * by_hand:.1f} % of the frame; rank correlation of the round trip")
print(f"with the distance to the nearest code {agreement[0]:.2f}, ", end="")
print(f"with the distance of the picture to the nearest image {agreement[1]:.2f}")
assert agreement[0] > 0.2, "round trips are long where no codes are"
assert agreement[1] < agreement[0], "the picture itself tells less"

# %% [markdown]
# Round trips are long where no codes are. But the picture in a hole need not look strange: its distance to real images
# says little. It may be a decent shoe, whose code lies somewhere else. The map is wrong there, not the picture.
#
# ### Defect 4: nothing to sample from
#
# To make a new image you need a code, so you need a distribution of codes. The autoencoder has none. Three guesses:
# the standard normal; a Gaussian fitted to the training codes; a mixture of 30 Gaussians fitted to them by the EM of
# unit 01. Four measurements: the log-density of the codes of *test* images (nats per code); the share of draws that
# land in holes; the distance of the decoded draws to the nearest real image; and their variety, as the effective number
# of classes. For that, give each decoded draw the class of its nearest real image, and take the exponential of the
# entropy of the class shares $\pi_k$:
#
# $$\text{effective classes} = \exp\Big( -\sum_k \pi_k \log \pi_k \Big)$$
#
# It is 10 if all ten classes are equally frequent, and 1 if there is only one.

# %%
fit_codes = train_codes[: 3000 if FAST else 10_000].double()
found = mixture.fit_em(fit_codes, 30, generator=seeded(1), max_steps=10 if FAST else 60).params
one = mixture.fit_em(fit_codes, 1, generator=seeded(1)).params
standard = mixture.MixtureParams(
    weights=torch.ones(1).double(),
    loc=torch.zeros(1, 2).double(),
    covariance=torch.eye(2).double()[None],
)
guesses = {"N(0, I)": standard, "one Gaussian": one, "mixture of 30": found}
SAMPLES = 300 if FAST else 1000


def effective_classes(pictures):
    nearest = torch.cdist(pictures, x_train[:10_000]).argmin(1)
    shares = torch.bincount(y_train[nearest], minlength=10).double() / len(pictures)
    return torch.distributions.Categorical(shares).entropy().exp().item()


assert abs(effective_classes(x_train[:1000]) - 10) < 0.2, "real images: about ten"
drawn, log_densities, holes = {}, {}, {}
for name, params in guesses.items():
    drawn[name] = mixture.sample(params, SAMPLES, generator=seeded(2))[0].float()
    log_densities[name] = mixture.log_density(codes.double(), params).mean().item()
    holes[name] = autoencoder.hole_fraction(ae_2.encode, ae_2.decode, drawn[name], tolerance)
drawn["codes of test images"] = codes[:SAMPLES]
holes["codes of test images"] = autoencoder.hole_fraction(
    ae_2.encode, ae_2.decode, codes, tolerance
)
print(f"{'codes from':22}  log-density   holes   distance   grey   classes")
variety, light = {}, {}
for name, z in drawn.items():
    made = ae_2.decode(z)
    variety[name] = effective_classes(made)
    nats = f"{log_densities[name]:.2f}" if name in log_densities else "–"
    light[name] = made.mean().item()
    row = f"{name:22} {nats:>12} {100 * holes[name]:7.1f} % {distance_to_data(made).mean():9.4f}"
    print(row + f" {light[name]:7.3f} {variety[name]:9.2f}")
assert log_densities["mixture of 30"] > log_densities["one Gaussian"] > log_densities["N(0, I)"]
assert min(list(guesses), key=holes.get) == "mixture of 30", "the fewest holes"
assert max(holes, key=holes.get) in ("N(0, I)", "one Gaussian"), "a guess pays in holes"
assert variety["mixture of 30"] > variety["N(0, I)"], "a guess pays in variety"
assert FAST or light["N(0, I)"] < light["codes of test images"], "darker than images are"

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(10.4, 4.2), width_ratios=(1.05, 1))
shade = (trip / tolerance).clamp(max=3).reshape(FINE, FINE).T
filled = left.imshow(shade, origin="lower", extent=extent, aspect="auto", cmap="cividis_r")
left.scatter(*codes[:700].T, s=2, color="black", label="codes of images")
left.scatter(*drawn["N(0, I)"][:100].T, s=8, color=ORANGE, label="draws from N(0, I)")
left.set(xlim=extent[:2], ylim=extent[2:], xlabel="$z_1$", ylabel="$z_2$")
left.set_title("Round trips: light is safe, dark is a hole")
left.legend(loc="lower left", bbox_to_anchor=(0, -0.32), ncols=2, markerscale=2, fontsize=9)
_ = fig.colorbar(filled, ax=left, label="round trip / tolerance (3 or more)")
rows = [list(ae_2.decode(drawn[name][:8])) for name in drawn]
plots.draw_images(right, rows, names=["N(0, I)", "Gaussian", "mixture", "codes of\nimages"])
_ = right.set_title("Decoded draws")

# %% [markdown]
# The standard normal misses parts of the map: its draws show fewer classes, and they are darker than images are. (Its
# distance to real images proves little: dark pictures are near to everything.) The mixture is the best of the three
# guesses by log-density and by the share in holes: a distribution, learned **afterwards**, over codes. The idea will come
# back, as the learned prior of unit 05 and of VQ-VAE in unit 07. But it was made for two numbers and ten thousand
# codes. It repairs the symptom. Unit 05 changes the training, so that the codes follow $\mathcal N(0, I)$ to begin
# with.
#
# ### The scale of the map means nothing
#
# Do not read distances on this map as if they had a unit. Put $B$ between encoder and decoder as in section 2: the
# same reconstructions, another map. The areas, the centre, the tolerance: all in arbitrary units. Only what $B$ leaves
# alone is safe. The **ratio** of two areas survives every $B$: each area is multiplied by $|\det B|$. The share of holes,
# with the tolerance taken from the codes, survives a $B$ that only scales and turns.


# %%
def hole_share(scale):
    """The detector, on the same map drawn `scale` times as large."""

    def encode(x):
        return scale * ae_2.encode(x)

    def decode(z):
        return ae_2.decode(z / scale)

    limit = (encode(decode(scale * codes)) - scale * codes).norm(dim=1).quantile(0.99).item()
    return autoencoder.hole_fraction(encode, decode, scale * fine_nodes, limit)


shares = [hole_share(scale) for scale in (1.0, 10.0)]
print(
    f"holes in the frame: {100 * shares[0]:.1f} %; drawn ten times as large: {100 * shares[1]:.1f} %"
)
assert abs(shares[0] - shares[1]) < 0.01, "a rescaled map has the same holes"
B = torch.tensor([[2.0, 1.0], [0.5, -3.0]])
mapped = [torch.linalg.det(torch.cov(B @ codes[y_test == k].T)).sqrt() for k in range(10)]
assert abs((max(mapped) / min(mapped)).item() / spread_ratio - 1) < 1e-3, "the ratio of areas stays"
first, tenth = (
    torch.distributions.Normal(0.0, 1.0).log_prob(scale * codes).sum(1).mean().item()
    for scale in (1.0, 10.0)
)
print(f"log-density under N(0, I): {first:.1f} nats, and {tenth:.1f}: the error never noticed")

# %% [markdown]
# ### Walking between two images
#
# A popular trick: take two images, walk on the straight line between their codes, decode. With $\tau$ from 0 to 1,
#
# $$z(\tau) = (1 - \tau) f_\phi(x_1) + \tau f_\phi(x_2)$$
#
# Compare it with fading one picture into the other. The measure is the distance to the nearest real image, relative to
# that at the two ends.

# %%
first, second = (x_test[y_test == k][4] for k in (0, 7))  # a T-shirt and a sneaker
tau = torch.linspace(0, 1, 9)[:, None]


def walk(model, start, end, steps):
    ends = model.encode(torch.stack([start, end]))
    return model.decode((1 - steps) * ends[:1] + steps * ends[1:])


def fade(start, end, steps):
    return (1 - steps) * start + steps * end


pairs = torch.randint(0, len(x_test), (200, 2), generator=seeded(3))
half_way = torch.tensor([[0.0], [0.5], [1.0]])
walkers = {
    "pixels": fade,
    "code of 2": lambda a, b, steps: walk(ae_2, a, b, steps),
    "code of 32": lambda a, b, steps: walk(ae_32, a, b, steps),
}
relative_middle = {}
print("distance to the nearest real image, 200 pairs of test images")
for name, walker in walkers.items():
    paths = torch.cat([walker(x_test[i], x_test[j], half_way) for i, j in pairs.tolist()])
    away = distance_to_data(paths).reshape(-1, 3).mean(0)
    ends = (away[0] + away[2]).item() / 2
    relative_middle[name] = away[1].item() / ends
    print(f"{name:11} at the ends {ends:.4f}, half way {relative_middle[name]:.2f} times that")
assert relative_middle["code of 2"] < min(relative_middle["pixels"], relative_middle["code of 32"])
fig, ax = plt.subplots(figsize=(8.2, 3.0))
rows = [list(walker(first, second, tau)) for walker in walkers.values()]
plots.draw_images(ax, rows, names=list(walkers), below=[f"{t:.3g}" for t in tau[:, 0].tolist()])
_ = ax.set(xlabel="position τ on the line", title="From a T-shirt to a sneaker")

# %% [markdown]
# A fade is two ghosts, one over the other. The code of two numbers walks through *other clothes*, and half way it is
# no further from real images than at the ends. The code of 32 numbers reconstructs the ends far better, but half way
# it is nearly as much of a ghost as the fade. A straight line in 32 dimensions leaves the codes of real images. Nothing
# in the training asked for straight lines.
#
# ### The map does not scale up
#
# With 32 numbers you cannot draw the map, and what you learnt from the drawing misleads. Unit 02 showed it for a
# Gaussian: its draws live in a thin shell. The mean distance from the origin of a draw from $\mathcal N(0, I_M)$ is
#
# $$\mathbb E \Vert z \Vert \approx \sqrt M$$
#
# (a little less: the exercises have the exact formula), and the spread around it stays below $1 / \sqrt 2 = 0.71$ in
# every dimension. So the origin, the middle of the drawing, is a place where nothing is. Half way between two independent
# draws you are at $1 / \sqrt 2 = 0.71$ of the radius, for every $M$. With $M = 2$ that is well inside the cloud. With
# $M = 32$ it is more than two spreads inside the shell, with $M = 784$ more than ten.

# %%
DRAWS = 20_000
shells = {}
print("  M   mean norm   sqrt(M)   spread   half way / mean   spreads inside")
for size in (2, 32, 784):
    z = torch.randn(DRAWS, size, generator=seeded(size))
    norms = shells[size] = z.norm(dim=1)
    middle = (0.5 * (z[0::2] + z[1::2])).norm(dim=1).mean()
    inside = ((norms.mean() - middle) / norms.std()).item()
    row = f"{size:3d} {norms.mean():11.4f} {math.sqrt(size):9.4f} {norms.std():8.4f}"
    print(row + f" {middle / norms.mean():17.4f} {inside:16.1f}")
    assert abs(norms.mean() / math.sqrt(size) - 1) < 1 / (3 * size), "near the root of M"
    assert norms.std() < 1.02 / math.sqrt(2), "the spread stays below 0.71, up to its own error"
    assert abs(middle / norms.mean() - 1 / math.sqrt(2)) < 0.01, "half way is at 0.71 of the radius"

# %% [markdown]
# Do real codes lie in a shell? Scale the codes of 32 numbers to mean zero and covariance $I$ (with numbers from the
# training images) and look.

# %%
codes_32 = ae_32.encode(x_test)
reference = ae_32.encode(x_train[:20_000])
covariance = torch.cov(reference.T)
covariance += 1e-5 * covariance.diagonal().mean() * torch.eye(32)  # if a direction is left empty
tril = torch.linalg.cholesky(covariance)
white = torch.linalg.solve_triangular(tril, (codes_32 - reference.mean(0)).T, upper=False).T
fig, ax = plt.subplots(figsize=(7.0, 3.3))
bins = torch.linspace(0, 13, 66)
for name, norms, colour in (
    ("N(0, I), M = 2", shells[2], plots.DATA),
    ("N(0, I), M = 32", shells[32], BLUE),
    ("codes of clothes, M = 32, scaled", white.norm(dim=1), ORANGE),
):
    ax.hist(
        norms, bins=bins, density=True, histtype="step", linewidth=1.8, color=colour, label=name
    )
ax.set(xlabel="distance from the origin", ylabel="share per unit", xlim=(0, 13))
ax.legend(fontsize=9)
_ = ax.set_title("Where draws live, and where codes live")
code_norms = white.norm(dim=1)
print(f"codes: mean norm {code_norms.mean():.2f}, spread {code_norms.std():.2f}; ", end="")
print(f"N(0, I): {shells[32].mean():.2f}, spread {shells[32].std():.2f}")
assert code_norms.std() > 1.3 * shells[32].std(), "real codes are no Gaussian shell"

# %% [markdown]
# The same mean radius (scaling forces the mean *square*), but a far wider spread: even after scaling, codes are no
# Gaussian. What else you know from drawings fails, too: in many dimensions the nearest is hardly nearer than the
# farthest. Take each of 1000 points in turn as the centre. (For points that are uniform in a ball the exercises have a
# formula.)

# %%
print("distance to the nearest over distance to the farthest of 1000 points (mean)")
clouds = {f"N(0, I), M = {m}": torch.randn(1000, m, generator=seeded(m)) for m in (2, 32, 784)}
clouds |= {"codes of 32, scaled": white[:1000], "images, 784 pixels": x_test[:1000]}
contrast = {}
for name, points in clouds.items():
    gaps = torch.cdist(points, points)
    farthest = gaps.max(1).values
    nearest = gaps.fill_diagonal_(math.inf).min(1).values
    contrast[name] = (nearest / farthest).mean().item()
    print(f"{name:22} {contrast[name]:.3f}")
assert contrast["N(0, I), M = 784"] > 0.8, "hardly nearer"
assert contrast["images, 784 pixels"] < 0.5 * contrast["N(0, I), M = 784"]

# %% [markdown]
# The last lines are why any of this works. Images have 784 values, but their distances are those of data with few
# dimensions. Do not judge by $D$. Judge by the dimension of the data.

# %% [markdown]
# ## 6 · Cleaning what is noisy
#
# ### The task
#
# Spoil the input, and ask for the **clean** image back. There are two common ways to spoil. Add Gaussian noise of standard
# deviation $\sigma$. Or set each value to zero with probability $\rho$:
#
# $$\begin{aligned} \tilde x &= x + \sigma \varepsilon, \qquad \varepsilon \sim \mathcal N(0, I) && \text{(noise)} \\ \tilde x_d &= 0 \text{ with probability } \rho, \text{ else } x_d && \text{(dropout)} \end{aligned}$$
#
# $$\mathrm{MSE}_\text{denoise} = \frac{1}{N D} \sum_n \Vert g_\theta(f_\phi(\tilde x_n)) - x_n \Vert^2$$
#
# Mind the target: $x_n$, not $\tilde x_n$. The noise is fresh in every step, and it is a tool of training: at test time
# you feed what you have. Check the corruption first. The squared distance per value from $\tilde x$ to $x$ has a known
# mean: $\sigma^2$, or $\rho$ times the mean square of $x$.

# %%
clean = x_test[:1000]
kinds = {"gaussian": 0.5, "dropout": 0.5}
expected = {"gaussian": 0.5**2, "dropout": 0.5 * clean.square().mean().item()}
noisy = {}
for kind, level in kinds.items():
    noisy[kind] = autoencoder.corrupt(clean, kind, level, generator=seeded(7))
    squared = (noisy[kind] - clean).square()
    own = 0.5**2 if kind == "gaussian" else 0.5 * clean.square().mean(1)
    per_image = squared.mean(1) - own
    error = per_image.std().item() / math.sqrt(len(clean))
    print(f"{kind:9} level {level}: {squared.mean():.4f}, expected {expected[kind]:.4f}")
    assert abs(per_image.mean()) < 5 * error, "outside of five standard errors"
zeros = (noisy["dropout"][clean > 0] == 0).double().mean()
assert abs(zeros - 0.5) < 0.01, "half of the values must be gone"
assert torch.equal(noisy["dropout"][noisy["dropout"] > 0], clean[noisy["dropout"] > 0]), (
    "what stays is left as it is, not rescaled"
)


# %%
def gaussian_noise(model, x):
    return autoencoder.denoising_loss(model, x, "gaussian", 0.5)


def dropout_noise(model, x):
    return autoencoder.denoising_loss(model, x, "dropout", 0.5)


denoisers = {"gaussian": fit(make_dense(32), gaussian_noise, x_train, 1200)}

# %%
denoisers["dropout"] = fit(make_dense(32), dropout_noise, x_train, 1200)


def error_to(x_hat, x):
    return (x_hat - x).square().mean().item()


cleaners = {
    "nothing done": lambda x: x,
    "PCA, 32": pca_32,
    "autoencoder, 32": ae_32,
    "trained on noise": denoisers["gaussian"],
    "trained on dropout": denoisers["dropout"],
}
print("squared error per pixel to the clean image    clean input   noise 0.5   dropout 0.5")
cleaned = {}
for name, cleaner in cleaners.items():
    inputs = {"clean": clean} | noisy
    cleaned[name] = {kind: error_to(cleaner(x), clean) for kind, x in inputs.items()}
    print(f"{name:45} " + " ".join(f"{value:11.4f}" for value in cleaned[name].values()))
for kind, name in (("gaussian", "trained on noise"), ("dropout", "trained on dropout")):
    assert cleaned[name][kind] < 0.5 * cleaned["nothing done"][kind], "it must clean its own kind"
    best_of_all = min(row[kind] for row in cleaned.values())
    assert FAST or cleaned[name][kind] == best_of_all, "and it is the best"
assert cleaned["trained on dropout"]["clean"] > 2 * cleaned["PCA, 32"]["clean"], "a specialist"

# %%
shown = chosen[[1, 3, 5, 7]]
picked = {
    kind: autoencoder.corrupt(x_test[shown], kind, 0.5, generator=seeded(8)) for kind in kinds
}
fig, axes = plt.subplots(1, 2, figsize=(7.0, 3.6))
for ax, (kind, x) in zip(axes, picked.items(), strict=True):
    rows = [x_test[shown], x, pca_32(x), ae_32(x), denoisers[kind](x)]
    names = ["clean", "given", "PCA", "plain AE", "denoiser"]
    plots.draw_images(ax, [list(row.clamp(0, 1)) for row in rows], names=names)
    ax.set_title(
        {"gaussian": "Gaussian noise, σ = 0.5", "dropout": "Half of the pixels gone"}[kind]
    )

# %% [markdown]
# Read the table by columns. On Gaussian noise even a plain autoencoder helps, although it has never seen noise: its
# narrow code has no room for it. Missing pixels fool it as they fool PCA. A denoiser is best on what it was trained for.
# But it is a specialist. The one for missing pixels has learnt that half of the light is gone, and gives it back: on a
# **clean** picture it is far worse than PCA. (With rescaling, as in `nn.Dropout`, the mean light would be kept. `corrupt`
# does not rescale: a missing pixel is a missing pixel.)
#
# ### Sound
#
# Nothing here needs an image. The set `tones` holds short sounds, each a fundamental with overtones, sampled 8000
# times a second. Engineers measure noise in decibels (dB), as a **signal-to-noise ratio**:
#
# $$\mathrm{SNR} = 10 \log_{10} \frac{\sum_d x_d^2}{\sum_d (\hat x_d - x_d)^2}$$
#
# Ten decibels more: a tenth of the noise power. Competitors: a moving average of the best length, and PCA with the best
# number of components. Both may choose on the test set, which is unfair to the denoiser.

# %%
sound_train, sound_test = tones(8000), tones(1000, split="test")
s_train, s_test = sound_train.signals, sound_test.signals
rate, LENGTH = sound_train.sample_rate, s_train.shape[1]
SOUND_NOISE = 0.3


def snr(x_hat, x):
    return 10 * torch.log10(x.square().sum() / (x_hat - x).square().sum()).item()


assert abs(snr(0.9 * s_test, s_test) - 20) < 1e-3, "an error of a tenth is 20 dB"


def sound_noise(model, x):
    return autoencoder.denoising_loss(model, x, "gaussian", SOUND_NOISE)


_ = torch.manual_seed(0)
sound_denoiser = fit(
    DenseAutoencoder(LENGTH, 16, hidden=(256, 128), output="identity"),
    sound_noise,
    s_train,
    3000 if FAST else 1500,
)
s_noisy = autoencoder.corrupt(s_test, "gaussian", SOUND_NOISE, generator=seeded(9))


def moving_average(x, width):
    return nn.functional.avg_pool1d(
        x[:, None], width, stride=1, padding=width // 2, count_include_pad=False
    )[:, 0]


smoothers = {width: moving_average(s_noisy, width) for width in (1, 3, 5, 7, 9, 13)}
subspaces = {size: autoencoder.pca(s_train, size)(s_noisy) for size in (2, 4, 8, 16, 32, 64)}
best_width = max(smoothers, key=lambda width: snr(smoothers[width], s_test))
best_size = max(subspaces, key=lambda size: snr(subspaces[size], s_test))
sounds = {
    "noisy": s_noisy,
    f"moving average, {best_width} samples": smoothers[best_width],
    f"PCA, {best_size} components": subspaces[best_size],
    "denoising autoencoder, 16": sound_denoiser(s_noisy),
}
snrs = {name: snr(x, s_test) for name, x in sounds.items()}
print(f"{len(s_test)} test sounds of {LENGTH} samples at {rate:.0f} per second")
for name, value in snrs.items():
    print(f"{name:28} {value:6.2f} dB")
assert snrs["denoising autoencoder, 16"] > snrs["noisy"] + 3, "at least half of the noise power"

# %%
fig, axes = plt.subplots(1, 3, figsize=(9.6, 2.7), sharey=True)
time_ms = 1000 * torch.arange(LENGTH) / rate
for ax, name in zip(axes, list(sounds)[1:], strict=True):
    ax.plot(time_ms, s_noisy[0], color=plots.DATA, linewidth=0.7, label="noisy")
    ax.plot(time_ms, s_test[0], color="black", linewidth=1.2, label="clean")
    ax.plot(time_ms, sounds[name][0], color=ORANGE, linewidth=1.5, label="cleaned")
    ax.set(
        xlabel="time (milliseconds)", title=f"{name}: {snr(sounds[name][:1], s_test[:1]):.1f} dB"
    )
    ax.title.set_fontsize(9.5)
axes[0].set_ylabel("pressure (1 = full scale)")
_ = fig.legend(
    *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9
)

# %% [markdown]
# Listen to it (in JupyterLab; some viewers hide sound). One test tone of 0.4 seconds, cut into windows, each window
# cleaned on its own, and put together again: first noisy, then cleaned.

# %%
long_tone = tones(3, split="test", num_samples=12 * LENGTH, seed=1).signals[2:]
long_noisy = autoencoder.corrupt(long_tone, "gaussian", SOUND_NOISE, generator=seeded(19))
long_clean = sound_denoiser(long_noisy.reshape(-1, LENGTH)).reshape(1, -1)
print(f"noisy {snr(long_noisy, long_tone):.1f} dB, cleaned {snr(long_clean, long_tone):.1f} dB")
assert snr(long_clean, long_tone) > snr(long_noisy, long_tone) + 3
for sound in (long_noisy, long_clean):
    display(Audio(0.4 * sound[0].clamp(-1.5, 1.5).numpy(), rate=int(rate), normalize=False))

# %% [markdown]
# ### What the best denoiser knows
#
# Which function makes the denoising error as small as possible? Write $\mathbb E[x \mid \tilde x]$ for the mean of all
# clean points that a noisy $\tilde x$ may have come from. For any other denoiser $g$ the errors add up:
#
# $$\mathbb E \Vert g(\tilde x) - x \Vert^2 = \mathbb E \Vert \mathbb E[x \mid \tilde x] - x \Vert^2 + \mathbb E \Vert g(\tilde x) - \mathbb E[x \mid \tilde x] \Vert^2$$
#
# So the best one **is** the posterior mean. Now the surprise. Let $p_\sigma$ be the density of noisy points. Its
# gradient can be taken under the integral:
#
# $$\begin{aligned} p_\sigma(\tilde x) &= \int p(x)\, \mathcal N(\tilde x \mid x, \sigma)\, dx && (1)\\ \nabla p_\sigma(\tilde x) &= \int p(x)\, \mathcal N(\tilde x \mid x, \sigma)\, \frac{x - \tilde x}{\sigma^2}\, dx && (2)\\ \nabla \log p_\sigma(\tilde x) &= \frac{\mathbb E[x \mid \tilde x] - \tilde x}{\sigma^2} && (3) \end{aligned}$$
#
# The left side of (3) is the **score**: the direction in which the log-density climbs fastest. So whoever can remove
# noise knows the slope of a log-density (Tweedie's formula; Vincent 2011 for denoising autoencoders).
#
# Test it where all is known: the mixture that unit 01 fitted to Old Faithful, in standard units. Noise of variance
# $\sigma^2$ turns each $\Sigma_k$ into $\Sigma_k + \sigma^2 I$. And given the component the posterior mean is a Gaussian
# one, so
#
# $$\mathbb E[x \mid \tilde x] = \sum_k r_k(\tilde x) \big( \mu_k + \Sigma_k (\Sigma_k + \sigma^2 I)^{-1} (\tilde x - \mu_k) \big)$$

# %%
geyser = old_faithful()
geyser = (geyser - geyser.mean(0)) / geyser.std(0, correction=0)
truth = mixture.fit_em(
    geyser, 2, num_restarts=5, generator=seeded()
).params  # this is p from now on
SIGMA = 0.3


def noisy_mixture(params, sigma):
    eye = torch.eye(2, dtype=torch.float64)
    return mixture.MixtureParams(
        weights=params.weights, loc=params.loc, covariance=params.covariance + sigma**2 * eye
    )


def posterior_mean(x_noisy, params=truth, sigma=SIGMA):
    spoiled = noisy_mixture(params, sigma)
    resp = mixture.responsibilities(x_noisy, spoiled)  # (N, K)
    gain = params.covariance @ torch.linalg.inv(spoiled.covariance)  # (K, D, D)
    means = params.loc + torch.einsum("kde,nke->nkd", gain, x_noisy[:, None] - params.loc)
    return (resp[..., None] * means).sum(1)


def exact_score(x_noisy, params=truth, sigma=SIGMA):
    at = x_noisy.detach().clone().requires_grad_()
    log_density = mixture.log_density(at, noisy_mixture(params, sigma)).sum()
    return torch.autograd.grad(log_density, at)[0]


NUM = 20_000
x_clean = mixture.sample(truth, NUM, generator=seeded(10))[0]
x_noisy = x_clean + SIGMA * torch.randn(NUM, 2, generator=seeded(11), dtype=torch.float64)
for at in x_noisy[:5]:  # formulas (1) and (2): the integral over p is a mean over clean draws
    kernel = torch.distributions.Normal(x_clean, SIGMA).log_prob(at).sum(1).exp()
    slopes = kernel[:, None] * (x_clean - at) / SIGMA**2
    density = mixture.log_density(at[None], noisy_mixture(truth, SIGMA)).exp()[0]
    gradient = density * exact_score(at[None])[0]
    assert abs(kernel.mean() - density) < 5 * kernel.std() / math.sqrt(NUM), "formula (1)"
    assert ((slopes.mean(0) - gradient).abs() < 5 * slopes.std(0) / math.sqrt(NUM)).all(), "(2)"

from_denoiser = autoencoder.score_from_denoiser(posterior_mean, x_noisy, SIGMA)
difference = (from_denoiser - exact_score(x_noisy)).abs().max().item()
assert difference < 1e-9, "Tweedie's formula failed"
print(f"autograd of log p_sigma against the posterior mean: largest difference {difference:.1e}")

best = posterior_mean(x_noisy)
for name, g in (("do nothing", x_noisy), ("shrink by 0.9", 0.9 * x_noisy)):
    left_side = (g - x_clean).square().sum(1)
    right_side = (best - x_clean).square().sum(1) + (g - best).square().sum(1)
    gap = left_side - right_side
    error = gap.std().item() / math.sqrt(NUM)
    assert abs(gap.mean()) < 5 * error, "the errors must add up, in the mean"
    print(f"{name:14} {left_side.mean():.4f} = {right_side.mean():.4f} ± {error:.4f}")

# %% [markdown]
# Now **learn** it. A network with 64 hidden codes for 2 values: no bottleneck at all. It need not have one. Noise keeps
# a denoiser from copying, as a narrow code keeps a plain autoencoder from it. From the sum of errors above follows what
# the training error says about the score, with $\hat s$ the learned score and $s$ the exact one:
#
# $$\mathrm{MSE}(g) - \mathrm{MSE}(\text{best}) = \frac{\sigma^4}{D}\, \mathbb E \Vert \hat s(\tilde x) - s(\tilde x) \Vert^2$$


# %%
def geyser_noise(model, x):
    return autoencoder.denoising_loss(model, x, "gaussian", SIGMA)


_ = torch.manual_seed(0)
learned = fit(
    DenseAutoencoder(2, 64, hidden=(128, 128), output="identity"),
    geyser_noise,
    mixture.sample(truth, 50_000, generator=seeded(12))[0].float(),
    1500,
    batch_size=512,
)
learned_score = autoencoder.score_from_denoiser(learned, x_noisy.float(), SIGMA).double()
true_score = exact_score(x_noisy)
score_error = (learned_score - true_score).square().sum(1).mean()
relative = (score_error / true_score.square().sum(1).mean()).item()
denoised = learned(x_noisy.float()).double()
excess = ((denoised - x_clean).square() - (best - x_clean).square()).mean(1)
predicted = SIGMA**4 / 2 * score_error
error = excess.std().item() / math.sqrt(NUM)
assert abs(excess.mean() - predicted) < 5 * error, "the excess error is the error of the score"
print(f"excess error per value {excess.mean():.6f} ± {error:.6f}, predicted {predicted:.6f}")
print(f"the learned score misses {100 * relative:.2f} % of the power of the exact one")
assert relative < (0.3 if FAST else 0.1)

# %%
field = torch.cartesian_prod(torch.linspace(-2.4, 2.4, 11), torch.linspace(-2.4, 2.4, 11))
fields = {
    "exact score": exact_score(field.double()),
    "from the trained denoiser": autoencoder.score_from_denoiser(learned, field, SIGMA),
}
fig, axes = plt.subplots(1, 2, figsize=(8.4, 3.8), sharex=True, sharey=True)
for ax, (name, arrows), colour in zip(axes, fields.items(), (BLUE, ORANGE), strict=True):
    ax.scatter(*geyser.T, s=5, color=plots.DATA)
    ax.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), xlabel="duration (standard units)", title=name)
    plots.draw_log_density(
        ax,
        lambda points: mixture.log_density(points, noisy_mixture(truth, SIGMA)),
        color="silver",
    )
    ax.quiver(*field.T, *arrows.T, color=colour, angles="xy", scale=110, width=0.004)
_ = axes[0].set_ylabel("waiting time (standard units)")

by_density = mixture.log_density(field.double(), noisy_mixture(truth, SIGMA)).argsort()
miss = (fields["exact score"] - fields["from the trained denoiser"]).square().sum(1).sqrt()
for name, part in (
    ("lowest", by_density[: len(field) // 4]),
    ("highest", by_density[-len(field) // 4 :]),
):
    print(
        f"quarter of the arrows with the {name} density: mean error {miss[part].mean():.2f} per unit"
    )
assert miss[by_density[-len(field) // 4 :]].mean() < miss[by_density[: len(field) // 4]].mean()

# %% [markdown]
# Where the density is high the two fields agree. Far away, where training never went, the learned one is a guess.
#
# And this *is* a distribution to sample from. Follow the score uphill, with the right amount of noise in each step
# (Langevin dynamics, with step size $\eta$):
#
# $$x \leftarrow x + \eta\, \nabla \log p_\sigma(x) + \sqrt{2 \eta}\; \varepsilon$$
#
# For small $\eta$ the points are draws from $p_\sigma$ **in the long run**. (Not from $p$: the noise is still in.) How long
# is long? Start once from a broad Gaussian, which knows nothing of eruptions, and once with all walkers among the short
# eruptions.

# %%
ETA, WALKERS = 0.02, 1000 if FAST else 2000
STEPS = 200 if FAST else 600
noisy_truth = noisy_mixture(truth, SIGMA)
drawn_directly = mixture.log_density(x_noisy, noisy_truth).mean().item()
direct_share = (x_noisy[:, 0] < 0).double().mean().item()
noise = torch.randn(WALKERS, 2, generator=seeded(13))
short = truth.loc[truth.loc[:, 0].argmin()].float()
starts = {"a broad Gaussian": 1.5 * noise, "short eruptions": short + SIGMA * noise}
walks, short_share = {}, {}
print("start               mean log p_sigma (nats)   share of short eruptions")
for name, points in starts.items():
    generator, walks[name] = seeded(14), {0: points}
    for step in range(1, STEPS + 1):
        slope = autoencoder.score_from_denoiser(learned, points, SIGMA)
        jump = torch.randn(WALKERS, 2, generator=generator)
        points = points + ETA * slope + math.sqrt(2 * ETA) * jump
        if step in (20, STEPS):
            walks[name][step] = points
    nats = mixture.log_density(points.double(), noisy_truth).mean().item()
    short_share[name] = (points[:, 0] < 0).double().mean().item()
    print(f"{name:18} {nats:24.3f} {short_share[name]:26.3f}")
    assert abs(nats - drawn_directly) < (0.5 if FAST else 0.2), (
        "the walkers must end where p_sigma is"
    )
print(f"{'direct draws':18} {drawn_directly:24.3f} {direct_share:26.3f}")
assert abs(short_share["a broad Gaussian"] - direct_share) < 0.1, "about the right share"
assert short_share["short eruptions"] > direct_share + 0.06, "still too many: mixing is slow"

# %%
fig, axes = plt.subplots(1, 3, figsize=(9.8, 3.3), sharex=True, sharey=True)
for ax, (step, points) in zip(axes, walks["short eruptions"].items(), strict=True):
    ax.set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), xlabel="duration (standard units)")
    plots.draw_log_density(
        ax, lambda points: mixture.log_density(points, noisy_truth), color="silver"
    )
    ax.scatter(*points[:300].T, s=4, color=ORANGE)
    ax.set_title(f"{step} steps: {(points[:, 0] < 0).double().mean():.2f} short")
_ = axes[0].set_ylabel("waiting time (standard units)")

# %% [markdown]
# After twenty steps the walkers fill their own cluster. The valley between the clusters they cross only now and then, and
# at the end the share of short eruptions is still too large. Every picture is a good one; only the **shares** are wrong.
# That is **slow mixing**, and with a start in one cluster no look at single points reveals it.

# %% [markdown]
# So a denoiser hides a generative model. That road, with many noise levels, leads to diffusion models. This course
# takes the other one, over the code. But remember formula (3).

# %% [markdown]
# ## 7 · Codes as features
#
# ### Few labels
#
# You have sixty thousand pictures, but labels for a handful. Train the autoencoder on all pictures, without labels.
# Then fit a plain linear classifier (logistic regression) to the **codes** of the few. Does the code help, compared with
# the raw pixels? With PCA of the same width? With pixels of about the same width (the image averaged down to
# $6 \times 6$)?
#
# One rule makes the comparison honest: nothing may see a label of the test set, not even through the scaling of the
# columns. `features.linear_probe` fits its scaler on the training part alone. Repeat with other draws of labelled
# images and quote the error of the mean.


# %%
def small_pictures(x):
    images = x.reshape(-1, 1, 28, 28)
    return nn.functional.adaptive_avg_pool2d(images, 6).flatten(1)


views = {
    "raw pixels, 784": lambda x: x,
    "small pixels, 36": small_pictures,
    "PCA, 32": pca_32.encode,
    "autoencoder, 32": ae_32.encode,
    "denoiser (noise), 32": denoisers["gaussian"].encode,
}
pool, judged = x_train[:10_000], x_test[:2000]
LABELS, REPEATS = ((20, 100) if FAST else (20, 50, 100, 300, 1000)), (2 if FAST else 5)
encoded = {name: (view(pool), view(judged)) for name, view in views.items()}
accuracy = {name: torch.zeros(len(LABELS), REPEATS) for name in views}
for column, num_labels in enumerate(LABELS):
    for repeat in range(REPEATS):
        order = torch.randperm(len(pool), generator=seeded(100 + repeat))
        # the same number of labels of each class
        each = num_labels // 10
        labelled = torch.cat([order[y_train[order] == k][:each] for k in range(10)])
        for name, (train_view, test_view) in encoded.items():
            accuracy[name][column, repeat] = features.linear_probe(
                train_view[labelled], y_train[labelled], test_view, y_test[: len(judged)]
            )
print("test accuracy in %     labels: " + " ".join(f"{size:9d}" for size in LABELS))
for name, table in accuracy.items():
    cells = [
        f"{100 * row.mean():4.1f} ± {100 * row.std() / math.sqrt(REPEATS):.1f}" for row in table
    ]
    print(f"{name:31} " + "  ".join(f"{cell:>9}" for cell in cells))

# %%
fig, ax = plt.subplots(figsize=(6.6, 3.8))
for (name, table), colour in zip(accuracy.items(), plots.COLOURS, strict=False):
    bars = 2 * table.std(1) / math.sqrt(REPEATS)
    ax.errorbar(LABELS, table.mean(1), bars, fmt="o-", markersize=4, color=colour, label=name)
ax.set(xscale="log", xlabel="labelled images", ylabel="share of test images named right")
ax.set_xticks(LABELS, [str(size) for size in LABELS])
ax.minorticks_off()
ax.legend(fontsize=9, loc="lower right")
_ = ax.set_title("What a linear classifier reads off the code")
assert all(table[-1].mean() > table[0].mean() for table in accuracy.values()), "labels help"
ae_table, pca_table = accuracy["autoencoder, 32"], accuracy["PCA, 32"]
assert FAST or ae_table[0].mean() > pca_table[0].mean() + 0.03, "with 20 labels codes beat PCA"
assert FAST or ae_table[-1].mean() < pca_table[-1].mean() + 0.02, "with 1000 the lead is small"

# %% [markdown]
# With few labels the codes win: at equal width they beat PCA clearly. All 784 raw pixels they beat by no more than the
# error bars allow. That is the use of sixty thousand pictures without labels. With a thousand labels the lead is gone. Then the labels know better than the
# reconstruction which differences count.
#
# Now look at the error bars. With 20 labels they are a point or two wide: one lucky draw of 20 images could have told
# you anything. And nothing here was tuned on the test set. Had you tried thirty codes and kept the best, you would need a
# third set for the report.

# %% [markdown]
# ### Clusters
#
# And without a single label? Put the codes into ten clusters by k-means (ten centres, each image to the nearest, each
# centre the mean of its images, until nothing changes) and compare with the true classes. Two
# measures: the **accuracy** when every cluster gets the best label (one to one), and the **normalised mutual
# information** of clusters $a$ and classes $y$, between 0 and 1, which needs no matching:
#
# $$\mathrm{NMI} = \frac{2\, \mathrm I(a; y)}{\mathrm H(a) + \mathrm H(y)}, \qquad \mathrm I(a; y) = \mathrm H(a) + \mathrm H(y) - \mathrm H(a, y)$$

# %%
NUM_CLUSTERED = 1000 if FAST else 2000
targets = y_test[:NUM_CLUSTERED]


def entropy_of(counts):
    shares = counts[counts > 0].double() / counts.sum()
    return -(shares * shares.log()).sum().item()


print("ten clusters of test images     accuracy     NMI")
clustering = {}
for name, view in (views | {"autoencoder, 2": ae_2.encode}).items():
    clusters = features.cluster_codes(view(x_test[:NUM_CLUSTERED]), 10)
    clustering[name] = features.cluster_accuracy(clusters, targets), features.nmi(clusters, targets)
    joint = torch.bincount(10 * clusters + targets, minlength=100).reshape(10, 10)
    both = entropy_of(joint.sum(0)), entropy_of(joint.sum(1))
    by_hand = 2 * (sum(both) - entropy_of(joint.flatten())) / sum(both)
    assert abs(by_hand - clustering[name][1]) < 1e-9, "not the formula"
    pairs = scipy.optimize.linear_sum_assignment(-joint.numpy())  # one label for each cluster
    one_to_one = joint.numpy()[pairs].sum() / NUM_CLUSTERED
    assert abs(one_to_one - clustering[name][0]) < 1e-9, "not the best one-to-one matching"
    print(f"{name:30} {clustering[name][0]:9.3f} {clustering[name][1]:8.3f}")
shuffled = targets[torch.randperm(len(targets), generator=seeded(23))]
print(
    f"{'the same, labels shuffled':30} {features.cluster_accuracy(clusters, shuffled):9.3f}", end=""
)
print(f" {features.nmi(clusters, shuffled):8.3f}")
assert all(score[1] > 0.2 for score in clustering.values()), "far from chance"
two, wide = (clustering[f"autoencoder, {size}"][1] for size in (2, 32))
assert FAST or two > wide, "two numbers do as well as 32"

# %% [markdown]
# All views are far above chance, and none is far above the others. k-means looks for round clusters of equal size, and
# the first defect of the map says that the classes are not like that. That the map of **two** numbers does as well as 32
# is a hint: what sorts clothes into kinds is low-dimensional. What sorts this shirt from that one is not.
# %% [markdown]
# ## 8 · Anomalies: the bad part
#
# ### The idea, and the data
#
# A camera looks at machined parts. Nearly all are good, and you have thousands of pictures of good ones. Bad ones are
# rare, and the next defect may be of a kind that nobody has seen. So learn only what is **normal**: train an autoencoder
# on good parts. What it cannot reconstruct is suspect. The **anomaly score** of a picture is its own
# error. (A new meaning of an old word: in section 6 the score was the gradient of a log density. From here on it is one
# number for each picture, large for what is suspect.)
#
# $$\mathrm{err}(x) = \frac1D \Vert g_\theta(f_\phi(x)) - x \Vert^2$$
#
# Three competitors: PCA; the brightness alone; and **one Gaussian**, the squared distance from the mean, each direction in
# units of its own spread. The Gaussian needs a precaution. Good parts hardly vary in many directions, and dividing by
# almost nothing would let rounding decide. So every variance gets a **floor** of 0.001 added: a standard deviation of 0.03
# grey values, about what a camera's noise makes.
#
# Three sets, with three jobs: good parts to **train**; other good parts to choose the **threshold**; a **test** set with
# good and bad parts, looked at once.

# %%
CODE, FLOOR = 32, 1e-3
NUM_TRAIN, NUM_HELD_OUT = (1500, 1000) if FAST else (6000, 2000)
good = parts(NUM_TRAIN + NUM_HELD_OUT)
good_train, good_held_out = good.grid()[:NUM_TRAIN], good.grid()[NUM_TRAIN:]
test_parts = parts(1000 if FAST else 4000, split="test", defect_share=0.5)
x_parts, defect = test_parts.grid(), test_parts.labels
assert (good.labels == 0).all(), "the training set must be clean"
kinds_of_defect = test_parts.label_names[1:]
print(f"{len(good_train)} good parts to train, {len(good_held_out)} to choose the threshold")
print(f"test: {int((defect == 0).sum())} good and {int((defect > 0).sum())} bad parts")
_ = torch.manual_seed(0)
inspector = fit(
    ConvAutoencoder(CODE, size=32, width=8),
    autoencoder.reconstruction_loss,
    good_train,
    1200 if FAST else 2500,
    learning_rate=3e-3,
    batch_size=64,
)
flat_train = good_train.flatten(1)
PARTS_DIM = flat_train.shape[1]
parts_pca = autoencoder.pca(flat_train, CODE)
parts_loc, parts_cov = flat_train.mean(0), torch.cov(flat_train.T)
below = int((torch.linalg.eigvalsh(parts_cov) < FLOOR).sum())
print(f"directions with a variance below the floor: {below} of {PARTS_DIM}")
parts_tril = torch.linalg.cholesky(parts_cov + FLOOR * torch.eye(PARTS_DIM))


def mahalanobis(x):
    """Squared distance to the mean, each direction in units of its own spread, per value."""
    centred = (x.flatten(1) - parts_loc).T
    return torch.linalg.solve_triangular(parts_tril, centred, upper=False).square().mean(0)


scorers = {
    "autoencoder, 32": lambda x: anomaly.reconstruction_score(inspector, x),
    "PCA, 32": lambda x: anomaly.reconstruction_score(parts_pca, x.flatten(1)),
    "one Gaussian": mahalanobis,
    "brightness alone": lambda x: (x.flatten(1).mean(1) - flat_train.mean()).abs(),
}
by_hand = (inspector(x_parts[:50]) - x_parts[:50]).square().flatten(1).sum(1) / PARTS_DIM
assert torch.allclose(scorers["autoencoder, 32"](x_parts[:50]), by_hand, rtol=1e-4)

# %%
scores = {
    name: (score(good_held_out), score(x_parts[defect == 0]), score(x_parts[defect > 0]))
    for name, score in scorers.items()
}
columns = [0, *range(1, len(test_parts.label_names))]
picks = torch.stack([(defect == k).nonzero()[0, 0] for k in columns])
fig, ax = plt.subplots(figsize=(0.9 * len(columns) + 1.2, 2.9))
given = x_parts[picks]
repaired = inspector(given)
residual = ((given - repaired).abs() * 3).clamp(max=1)
plots.draw_images(
    ax,
    [list(given), list(repaired), list(residual)],
    names=["part", "reconstruction", "|difference| × 3"],
    below=[test_parts.label_names[k].replace(" ", "\n") for k in columns],
)
_ = ax.set_title("The autoencoder repairs what it does not know")

# %% [markdown]
# ### ROC and the area under it
#
# Call a part bad if its score exceeds a threshold $t$. Each $t$ gives a share of false alarms among the good parts and
# a share of hits among the bad ones. All of them together make the **ROC** curve
# (receiver operating characteristic). The area under it (AUROC) needs no
# threshold and has a plain meaning: the chance that a bad part scores higher than a good one, ties counting half,
#
# $$\mathrm{AUROC} = P(\mathrm{err}_\text{bad} > \mathrm{err}_\text{good}) + \tfrac12 P(\mathrm{err}_\text{bad} = \mathrm{err}_\text{good})$$

# %%
print("AUROC by score" + " " * 10 + "all defects   " + "   ".join(kinds_of_defect))
areas_under = {}
bad_kinds = defect[defect > 0]
for name, (_, normal, bad) in scores.items():
    value = anomaly.auroc(normal, bad)
    wins = (bad[:, None] > normal).double().mean() + 0.5 * (bad[:, None] == normal).double().mean()
    false_alarms, hits, _ = anomaly.roc_curve(normal, bad)
    assert abs(value - wins) < 1e-12, "not the chance of the text"
    assert abs(value - torch.trapezoid(hits.double(), false_alarms.double())) < 1e-6, "not the area"
    per_kind = [
        anomaly.auroc(normal, bad[bad_kinds == k]) for k in range(1, len(kinds_of_defect) + 1)
    ]
    areas_under[name] = value, per_kind
    cells = [
        f"{v:{max(5, len(kind))}.3f}" for v, kind in zip(per_kind, kinds_of_defect, strict=True)
    ]
    print(f"{name:20} {value:14.3f}   " + "   ".join(cells))
assert areas_under["autoencoder, 32"][0] > areas_under["brightness alone"][0]
assert max(areas_under, key=lambda name: areas_under[name][0]) == "one Gaussian"

# %% [markdown]
# Two lessons. First, some kinds of defects are much easier than others; a single number for "defects" hides that. And
# second: the best of the four is **one Gaussian**. It has no network and trains in a second. Its score divides every
# direction by its own spread, so a small error in a direction where good parts never vary counts a lot. The plain
# squared error has no such sense of proportion. Try the Gaussian first, always.

# %% [markdown]
# ### A threshold set honestly
#
# You decide how many false alarms you can pay for, say 5 %. The threshold is the smallest score of the **held-out good**
# parts that is exceeded by at most that share of them:
#
# $$t = \min \Big\{ \mathrm{err}_i : \frac1N \sum_n [\mathrm{err}_n > \mathrm{err}_i] \le 0.05 \Big\}$$
#
# No bad part is needed for that, so no bad part can be overfitted. What does it promise for the future? If the scores
# are continuous and the threshold is the $(j+1)$-th largest of $N$ of them, its true rate of false alarms follows a
# **Beta** distribution, whatever the scores are:
#
# $$\text{false alarm rate} \sim \mathrm{Beta}(j + 1,\, N - j), \qquad \text{mean } \frac{j + 1}{N + 1}$$
#
# A surprise is in the mean. You asked for at most 5 % and you get, on average, more: with $N = 100$ five scores may
# exceed the threshold, $j = 5$, and the mean rate is $6 / 101 = 5.9\,\%$. Only many good parts bring it down to 5 %.

# %%
TARGET = 0.05
simulated = []
for trial in range(2000):
    sample = torch.randn(100, generator=seeded(trial), dtype=torch.float64)
    t = anomaly.choose_threshold(sample, TARGET)
    simulated.append(scipy.stats.norm.sf(t))  # the true rate, known for this score
law = scipy.stats.beta(6, 95)  # N = 100, so j = 5 may exceed it
assert scipy.stats.kstest(simulated, law.cdf).pvalue > 1e-6, "not the Beta distribution"
print(f"threshold from 100 scores: mean rate {np.mean(simulated):.4f}, theory {law.mean():.4f}; ")
print(f"nine times in ten between {law.ppf(0.05):.3f} and {law.ppf(0.95):.3f}")
assert abs(law.mean() - 6 / 101) < 1e-12
assert law.mean() > TARGET, "above what was asked for"

held_out, normal, bad = scores["autoencoder, 32"]
threshold = anomaly.choose_threshold(held_out, TARGET)
by_hand = min(t for t in held_out.tolist() if (held_out > t).double().mean() <= TARGET)
assert threshold == by_hand, "not the definition"
exceeding = int((held_out > threshold).sum())
promise = scipy.stats.beta(exceeding + 1, len(held_out) - exceeding)
false_alarm = (normal > threshold).double().mean().item()
print(
    f"from {len(held_out)}: between {promise.ppf(0.05):.3f} and {promise.ppf(0.95):.3f}; ", end=""
)
print(f"on the test set {false_alarm:.3f}")
spread = math.hypot(promise.std(), math.sqrt(TARGET * (1 - TARGET) / len(normal)))
assert abs(false_alarm - promise.mean()) < 5 * spread, "the promise must hold on new good parts"
print("share of bad parts found, by kind:")
for k, kind in enumerate(kinds_of_defect, 1):
    print(f"    {kind:18} {(bad[bad_kinds == k] > threshold).double().mean():.3f}")

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(9.8, 3.8))
styles = zip(scores.items(), (ORANGE, BLUE, GREEN, plots.DATA), strict=True)
for (name, (_, normal_scores, bad_scores)), colour in styles:
    false_alarms, hits, _ = anomaly.roc_curve(normal_scores, bad_scores)
    label = f"{name}: {areas_under[name][0]:.3f}"
    left.plot(false_alarms, hits, color=colour, label=label)
left.plot(false_alarm, (bad > threshold).double().mean(), "o", color="black", zorder=3)
left.plot([0, 1], [0, 1], color="black", linewidth=0.7, linestyle=":")
left.set(xlabel="false alarms (share of good parts)", ylabel="hits (share of bad parts)")
left.set_title("ROC; the dot is the chosen threshold")
left.legend(loc="lower right", fontsize=8.5, title="area", title_fontsize=8.5)
bins = torch.logspace(math.log10(held_out.min()), math.log10(bad.max()), 50)
right.hist(normal, bins=bins, color=BLUE, alpha=1, histtype="step", linewidth=1.8, label="good")
right.hist(bad, bins=bins, color=ORANGE, histtype="step", linewidth=1.8, label="bad")
right.axvline(threshold, color="black", linewidth=1)
right.set(xscale="log", xlabel="error of the reconstruction", ylabel="test parts")
right.set_xticks([0.002, 0.005, 0.01, 0.02], ["0.002", "0.005", "0.01", "0.02"])
right.minorticks_off()
right.set_title("Scores and threshold")
_ = right.legend()

# %% [markdown]
# ### What an alarm is worth
#
# Half of the test set is bad. In the factory it is one part in a hundred or fewer. Let $\pi$ be the share of bad parts.
# By Bayes' rule the share of alarms that are right is
#
# $$P(\text{bad} \mid \text{alarm}) = \frac{\pi \cdot \text{hits}}{\pi \cdot \text{hits} + (1 - \pi) \cdot \text{false alarms}}$$

# %%
hit = (bad > threshold).double().mean().item()
for share in (0.5, 0.1, 0.01, 0.001):
    right_share = share * hit / (share * hit + (1 - share) * false_alarm)
    print(
        f"bad parts {100 * share:5.1f} %: an alarm is right in {100 * right_share:5.1f} % of cases"
    )

# %% [markdown]
# ### The image that it reconstructs better than normal data
#
# "What it has not seen, it cannot reconstruct." That is a hope, not a theorem. For PCA you can *write down*
# counterexamples. Take any code, however wild, and decode it. The result lies in the subspace, so its error is **zero**. (A wild
# code may decode to grey values that no camera gives. The cell shrinks each until its picture fits between black and white.)
#
# $$\mathrm{err}\big(W z + \bar x\big) = 0 \quad \text{for every } z$$
#
# A curved decoder has the same weakness wherever encoder and decoder undo each other. You find such pictures by sending
# one round and round, $x \leftarrow g(f(x))$, until it hardly changes. And there is a second weakness: the error is
# small where there is little to explain. A smooth picture, such as the average of all parts, is easier than a part with
# all its marks. Show the network pictures that are certainly no parts.

# %%
wild = 6 * parts_pca.variances.sqrt() * torch.randn(200, CODE, generator=seeded(17))
change = parts_pca.decode(wild) - parts_pca.mean
room = torch.where(change > 0, 1 - parts_pca.mean, parts_pca.mean) / change.abs()
shrink = room.min(1).values.clamp(max=1)
wild_pictures = parts_pca.mean + shrink[:, None] * change
assert wild_pictures.min() > -1e-5, "no darker than black"
assert wild_pictures.max() < 1 + 1e-5, "no brighter than white"
reach = (shrink[:, None] * wild / parts_pca.variances.sqrt()).abs().max(1).values
print(f"codes up to {reach.median():.1f} standard deviations out (median), error of PCA 0")
wild_error = anomaly.reconstruction_score(parts_pca, wild_pictures)
assert wild_error.max() < 1e-8, "in the subspace nothing is lost"


def round_and_round(picture, times=30):
    for _ in range(times):
        picture = inspector(picture)
    return picture


typical = good_train[:1]
wild_code = 4 * inspector.encode(good_train).std(0) * torch.randn(1, CODE, generator=seeded(18))
strangers = {
    "black": torch.zeros(1, 1, 32, 32),
    "grey": torch.full((1, 1, 32, 32), flat_train.mean().item()),
    "average part": flat_train.mean(0).reshape(1, 1, 32, 32),
    "two parts, averaged": good_train[1:3].mean(0, keepdim=True),
    "blurred part": nn.functional.avg_pool2d(typical, 5, 1, 2, count_include_pad=False),
    "decoded wild code": inspector.decode(wild_code),
}
for name in ("black", "decoded wild code"):
    strangers[f"{name}, × 30"] = round_and_round(strangers[name])
print("picture                       error     lower than this share of good parts")
stranger_share = {}
for name, picture in strangers.items():
    value = scorers["autoencoder, 32"](picture)
    stranger_share[name] = (normal > value).double().mean().item()
    flag = "" if value > threshold else "   no alarm"
    print(f"{name:24} {value.item():11.6f} {100 * stranger_share[name]:12.1f} %{flag}")
best_stranger = max(stranger_share, key=stranger_share.get)
assert stranger_share[best_stranger] > 0.99, "some picture must beat nearly all good parts"
for name in ("black, × 30", "decoded wild code, × 30"):
    moves = (inspector(strangers[name]) - strangers[name]).abs().max().item()
    print(f"{name}: one more round moves no pixel by more than {moves:.3f}")
    assert moves < 0.1, "it hardly changes any more"
    assert stranger_share[name] > 0.95, "it beats nearly every good part"

fig, ax = plt.subplots(figsize=(8.6, 1.9))
below = [
    f"{name}\n{100 * share:.0f} %".replace(", ", "\n") for name, share in stranger_share.items()
]
plots.draw_images(ax, [[picture[0] for picture in strangers.values()]], below=below)
_ = ax.set_title("Strangers, and the share of good parts with a larger error")

# %% [markdown]
# The two that went round thirty times beat nearly every good part. Look closely at them, and count the holes: at first
# sight parts, but nobody made such parts. They would pass any inspection by this score. What a stranger must do to pass
# differs from network to network. On the clothes of section 3 it is enough to be black.

# %%
black_error = anomaly.reconstruction_score(ae_32, torch.zeros(1, D))
black_share = (anomaly.reconstruction_score(ae_32, x_test) > black_error).double().mean().item()
print(
    f"a black picture has a smaller error than {100 * black_share:.1f} % of the test images of clothes"
)
assert black_share > 0.3, "what is dark is easy"

# %% [markdown]
# And the bad parts that it overlooked? `parts` can make every part twice, once good and once with a defect: the same
# place, light and noise. Compare each bad part with its own good twin.

# %%
NUM_TWINS = 600 if FAST else 1800
twins = [parts(NUM_TWINS, split="test", seed=1, defect_share=share) for share in (0.0, 1.0)]
good_error, bad_error = (scorers["autoencoder, 32"](twin.grid()) for twin in twins)
twin_kind = twins[1].labels
print("bad over good error   of twins: median   larger than the twin's   than the threshold")
for k, kind in enumerate(kinds_of_defect, 1):
    mine = twin_kind == k
    growth = (bad_error / good_error)[mine]
    found = (bad_error[mine] > threshold).double().mean()
    print(f"{kind:21} {growth.median():15.2f} {100 * (growth > 1).double().mean():20.1f} %", end="")
    print(f" {100 * found:18.1f} %")
span = (good_error.quantile(0.95) / good_error.quantile(0.05)).item()
larger = (bad_error > good_error).double().mean().item()
print(f"good parts among themselves: the 95 % point is {span:.2f} times the 5 % point")
assert larger > anomaly.auroc(good_error, bad_error), "a twin is an easier comparison"

# %%
growth = bad_error / good_error
middle = torch.stack(  # of each kind the pair with the median growth
    [
        torch.where(twin_kind == k, growth, math.inf).argsort()[(twin_kind == k).sum() // 2]
        for k in range(1, len(kinds_of_defect) + 1)
    ]
)
rows = []
for twin in twins:
    shown = twin.grid()[middle]
    rows += [shown, (3 * (shown - inspector(shown))).abs().clamp(max=1)]
names = ["good twin", "left over × 3", "bad twin", "left over × 3"]
fig, ax = plt.subplots(figsize=(6.9, 4.3))
below = [
    f"{kind}\nerror × {growth[n]:.2f}" for kind, n in zip(kinds_of_defect, middle, strict=True)
]
plots.draw_images(ax, [list(row) for row in rows], names=names, below=below)
_ = ax.set_title("Twins: the same part without and with a defect")

# %% [markdown]
# Look at what the network leaves over. The noise and the edges of the good twin are in the bad one, too; the defect comes
# on top. A scratch is a few bright pixels among hundreds of grey ones, and the error is a mean over all.
#
# A defect nearly always makes the error larger than that of the same part without it. Yet many bad parts stay below the
# threshold: good parts differ among themselves by more than a scratch adds. The hard-to-draw good part hides the scratch
# on the easy one. So the limit is not that the network has learnt to draw scratches. It is the spread of what is
# **normal**.
#
# Would a better reconstruction help? Measure it with PCA, where a wider code costs nothing.

# %%
WIDTHS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900)
all_parts = autoencoder.pca(flat_train, max(WIDTHS))
by_width = []
for width in WIDTHS:
    narrow = autoencoder.PCA(
        mean=all_parts.mean,
        components=all_parts.components[:width],
        variances=all_parts.variances[:width],
    )
    pair = [
        anomaly.reconstruction_score(narrow, x_parts[part].flatten(1))
        for part in (defect == 0, defect > 0)
    ]
    by_width.append((pair[0].mean().item(), anomaly.auroc(*pair)))
best_width = WIDTHS[int(np.argmax([area for _, area in by_width]))]
assert by_width[-1][0] < by_width[0][0], "the error of good parts falls with every number"
assert by_width[0][1] + 0.1 < max(area for _, area in by_width), "the AUROC rises first"
assert by_width[-1][1] < max(area for _, area in by_width), "and falls in the end"
print(
    f"best width for detection {best_width}; AUROC {max(area for _, area in by_width):.3f}, ",
    end="",
)
print(f"with {WIDTHS[-1]} numbers {by_width[-1][1]:.3f}")

fig, (left, right) = plt.subplots(1, 2, figsize=(8.6, 3.0))
left.plot(WIDTHS, [error for error, _ in by_width], "o-", color=BLUE, markersize=4)
left.set(xscale="log", yscale="log", xlabel="numbers in the code", ylabel="error of good parts")
left.set_title("Better and better")
right.plot(WIDTHS, [area for _, area in by_width], "o-", color=ORANGE, markersize=4)
right.set(xscale="log", xlabel="numbers in the code", ylabel="AUROC")
_ = right.set_title("Better, then worse")

# %% [markdown]
# The error of good parts falls with every number in the code. The AUROC rises first: a narrow code leaves so much of good
# parts over that defects drown in it. Then it falls: a code that can copy everything copies defects, too. **A smaller
# reconstruction error is not a better detector.** And you cannot find the best width without bad parts.
#
# A remedy for the strangers: ask two questions. Is the error unusual? Is the **code** unusual? For a picture in the
# subspace the first question is blind and the second is not. Let $r_\text{err}$ and $r_\text{code}$ be the shares of
# held-out good parts with a smaller error, and with a code nearer to the mean code. Then
#
# $$\mathrm{unusual}(x) = \max\big( |2\, r_\text{err}(x) - 1|,\; r_\text{code}(x) \big)$$
#
# The first term is large for a large error **and** for a suspiciously small one. Set the threshold on that, again on good
# parts alone (other ones: the first half gives the shares, the second the threshold).

# %%
code_train = inspector.encode(good_train)
code_loc, code_tril = code_train.mean(0), torch.linalg.cholesky(torch.cov(code_train.T))


def code_distance(x):
    centred = (inspector.encode(x) - code_loc).T
    return torch.linalg.solve_triangular(code_tril, centred, upper=False).norm(dim=0)


ranker, chooser = good_held_out[: NUM_HELD_OUT // 2], good_held_out[NUM_HELD_OUT // 2 :]
questions = [scorers["autoencoder, 32"], code_distance]
references = [question(ranker).sort().values for question in questions]


def unusual(x):
    """The error may be too large or too small; the code too far out. The rarest counts."""
    error, distance = (question(x) for question in questions)
    ranks = [
        torch.searchsorted(reference, value).double() / len(reference)
        for reference, value in zip(references, (error, distance), strict=True)
    ]
    two_sided = (2 * ranks[0] - 1).abs()  # a suspiciously small error is unusual, too
    return torch.maximum(two_sided, ranks[1])


limit = anomaly.choose_threshold(unusual(chooser), TARGET)
print("picture                     one question   both questions")
caught = {}
for name, picture in strangers.items():
    first = (scorers["autoencoder, 32"](picture) > threshold).item()
    caught[name] = (unusual(picture) > limit).item(), first
    print(f"{name:24} {'alarm' if first else '–':>12} {'alarm' if caught[name][0] else '–':>16}")
both = (unusual(x_parts[defect == 0]) > limit).double().mean().item()
hit_both = (unusual(x_parts[defect > 0]) > limit).double().mean().item()
print(f"false alarms {both:.3f} (one question: {false_alarm:.3f}); hits {hit_both:.3f} ({hit:.3f})")
assert sum(now for now, _ in caught.values()) > sum(before for _, before in caught.values())
assert hit_both < hit, "fewer ordinary defects are found"

# %%
fig, ax = plt.subplots(figsize=(8.6, 3.9))
for name, part, colour in (("good", defect == 0, plots.DATA), ("bad", defect > 0, ORANGE)):
    place = [question(x_parts[part][:400]) for question in questions]
    ax.scatter(*place, s=6, color=colour, label=f"{name} parts")
for n, (name, picture) in enumerate(strangers.items(), 1):
    place = [question(picture).item() for question in questions]
    ax.plot(*place, "o", color="black", markersize=11)
    ax.text(*place, str(n), color="white", fontsize=8, ha="center", va="center_baseline")
    ax.plot([], [], " ", label=f"{n}  {name}")
ax.axvline(threshold, color=BLUE, linestyle="--", label="one question")
sides = references[0].quantile(torch.tensor([0.5 - limit / 2, 0.5 + limit / 2])).tolist()
top = references[1].quantile(limit).item()
ax.set(xscale="log", xlabel="error", ylabel="distance of the code (spreads)")
bottom = ax.get_ylim()[0]
ax.plot([sides[0]] * 2 + [sides[1]] * 2, [bottom, top, top, bottom], color=GREEN, label="both")
ax.set_ylim(bottom)
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
_ = ax.set_title("One question draws a line, two draw a box")

# %% [markdown]
# One question: everything left of the dashed line passes. Two questions: only what is inside of the box.
#
# The second question catches strangers that the first one lets pass (and may let one pass that the first one catches: the
# limit moved). It has a price: the same 5 % of false alarms now
# serve two questions, so fewer of the ordinary defects are found. There is no free detector, only a choice of what
# "unusual" means.

# %% [markdown]
# ## 9 · What goes wrong
#
# Nine classic mistakes, made on purpose, each with the number by which it shows.
#
# ### 1 · The noisy target
#
# Someone compares the output with the input that the network *saw*. Everything runs, the loss falls. But now copying is
# right, noise included. The optimum is the identity, and the "denoiser" removes nothing.


# %%
def noisy_target(model, x):
    x_noisy = autoencoder.corrupt(x, "gaussian", SIGMA)
    return (model(x_noisy) - x_noisy).square().mean()  # the mistake


_ = torch.manual_seed(0)
copier = fit(
    DenseAutoencoder(2, 64, hidden=(128, 128), output="identity"),
    noisy_target,
    x_clean.float(),
    1500,
    batch_size=512,
)
for name, model in (("clean target", learned), ("noisy target", copier)):
    print(f"{name}: error to the clean point {error_to(model(x_noisy.float()), x_clean):.4f}")
falsely = noisy_target(copier, x_clean.float()).item()
print(f"training loss with the noisy target: {falsely:.6f}")
print(
    f"nothing done: {error_to(x_noisy, x_clean):.4f}; the best possible: {error_to(best, x_clean):.4f}"
)
assert error_to(copier(x_noisy.float()), x_clean) > 0.95 * error_to(x_noisy, x_clean)
assert falsely < 0.1 * error_to(best, x_clean), "far below what is possible"

# %% [markdown]
# Symptom: a training loss that goes to zero. An honest denoiser cannot get below the error of the posterior mean.
#
# ### 2 · Noise at test time
#
# The corruption is left on when you encode, because it sits inside the model, or because `model.eval()` was forgotten.
# Then the same picture has a new code in each call, and features and scores get worse for no visible reason.

# %%
model = denoisers["gaussian"]
spoiled = [autoencoder.corrupt(clean, "gaussian", 0.5, generator=seeded(s)) for s in (20, 21)]
twice = [model.encode(x) for x in spoiled]
moved = ((twice[0] - twice[1]).square().mean() / model.encode(clean).var(0).mean()).item()
print(
    f"two encodings of the same picture differ by {100 * moved:.1f} % of the variance of the codes"
)
print(f"error on a clean picture: {error_to(model(clean), clean):.4f}, noise left on: ", end="")
print(f"{error_to(model(spoiled[0]), clean):.4f}")
assert moved > 0.01, "noise at test time must move the code"

# %% [markdown]
# Symptom: encode twice and compare. The difference must be exactly zero.
#
# ### 3 · An output that cannot reach the data
#
# A sigmoid gives values between 0 and 1. Standardised data go below 0 and above 1. Whatever the network does, the rest
# is out of reach. The smallest error that *any* network with that output can have is the squared distance of the data to
# $[0, 1]$.

# %%
standard_images = (x_test - x_train.mean()) / x_train.std()
floor = (standard_images - standard_images.clamp(0, 1)).square().mean().item()
print(f"standardised pixels from {standard_images.min():.2f} to {standard_images.max():.2f}")
no_code_standard = (no_code / x_train.var()).item()  # the same anchor, in the new units
print(
    f"error that no sigmoid can get below: {floor:.3f}; the mean image has {no_code_standard:.3f}"
)
assert standard_images.min() < 0 < 1 < standard_images.max(), "some data are out of reach"
assert floor > 0.5 * no_code_standard, "no better than half way from the mean image to a copy"

# %% [markdown]
# Symptom: a loss that stops far from zero at once, and reconstructions with flat shadows. Compare the range of the
# output with the range of the data before you train.
#
# ### 4 · "The cross-entropy of a perfect copy is zero"
#
# Many people train with the binary cross-entropy (BCE) $-x \log \hat x - (1 - x) \log (1 - \hat x)$, also for grey
# values. It is smallest at $\hat x = x$, but there it is the entropy of $x$, not zero:
#
# $$\min_{\hat x} \mathrm{BCE}(x, \hat x) = -x \log x - (1 - x) \log (1 - x)$$


# %%
def bce(x, x_hat):
    return nn.functional.binary_cross_entropy(x_hat, x)


x_some = x_test[:1000].double()
copy = bce(x_some, x_some).item()
entropy = -(torch.xlogy(x_some, x_some) + torch.xlogy(1 - x_some, 1 - x_some)).mean().item()
assert abs(copy - entropy) < 1e-9, "a copy costs the entropy"
binary = (x_some > 0.5).double()
print(f"BCE of a perfect copy: grey pixels {copy:.4f}, black and white {bce(binary, binary):.4f}")
nearby = [bce(x_some, (x_some + shift).clamp(0, 1)).item() for shift in (-0.02, 0.02)]
assert copy < min(nearby), "still, nothing is better than the copy"
print(
    f"for each image: {784 * copy:.1f}, of the {784 * bce(x_some, ae_32(x_some.float()).double()):.1f} of the autoencoder"
)

# %% [markdown]
# Symptom: a loss that "does not converge" although the pictures are perfect. And an anomaly score by BCE that says how
# grey a picture is. (Nor are these nats of anything: unit 05.)
#
# Mind also which loss you compare with which: the cell prints a **sum** over the pixels of each image and a **mean**. One
# is 784 times the other. Harmless here, where nothing else is in the loss. As soon as there is a second term, it decides
# everything (unit 05).
#
# ### 5 · A wire past the code
#
# A skip connection from the input to the output, as in a U-Net. The reconstruction becomes perfect, the code says
# nothing, and the "anomaly detector" reconstructs every anomaly.


# %%
class Leaky(DenseAutoencoder):
    def forward(self, x):
        return self.leak * x + super().forward(x)  # the mistake


_ = torch.manual_seed(0)
leaky = Leaky(2, 1, hidden=(32,), output="identity")
leaky.leak = nn.Parameter(torch.tensor(0.1))
leaky = fit(leaky, autoencoder.reconstruction_loss, x_spiral, 1500, learning_rate=1e-2)
print(
    f"weight of the wire {leaky.leak.item():.3f}; error on the spiral {error_on(leaky, x_spiral):.1e}"
)
anywhere = 2 * torch.rand(500, 2, generator=seeded(22)) - 1
print(f"error on points anywhere in the square {error_on(leaky, anywhere):.1e}, ", end="")
print(f"without the wire {error_on(ae_spiral, anywhere):.1e}")
rank = autoencoder.jacobian_rank(leaky, x_spiral[:50])
through_code = autoencoder.jacobian_rank(lambda x: leaky.decode(leaky.encode(x)), x_spiral[:50])
print(f"rank of the Jacobian: {rank.max().item()}; through the code {through_code.max().item()}")
assert rank.max() == 2, "the wire shows in the rank"
assert through_code.max() <= 1, "the code alone would bind"

# %% [markdown]
# Symptom: an error far too good for so small a code. Test: the rank of the Jacobian is above $M$. (A code with
# $M \ge D$ leaks in the same way, without any wire.)
#
# ### 6 · A threshold chosen with anomalies
#
# Try all thresholds on the test set, keep the one with the best accuracy, report that accuracy. Make the score pure
# noise to see what it is worth.

# %%
few_trials = []
for trial in range(500):
    noise = torch.rand(40, generator=seeded(trial))
    is_bad = torch.arange(40) < 20
    cuts = torch.cat([noise.sort().values, torch.tensor([-1.0])])
    rights = torch.stack([((noise > cut) == is_bad).double().mean() for cut in cuts])
    few_trials.append(rights.max().item())
print(f"a score of pure noise, 20 good and 20 bad parts: best accuracy {np.mean(few_trials):.3f}")
print("the honest value is 0.500")
assert np.mean(few_trials) > 0.55

# %% [markdown]
# Symptom: none, until new parts come. Rule: the set that chooses and the set that reports are not the same set, and the
# one that chooses holds good parts only.
#
# ### 7 · The sign of the AUROC
#
# An AUROC of 0.2 is not a bad detector. It is a good one with the wrong sign: someone passed a *similarity*, or swapped
# the two arguments.

# %%
value = anomaly.auroc(normal, bad)
flipped = anomaly.auroc(-normal, -bad)
swapped = anomaly.auroc(bad, normal)
print(f"AUROC {value:.3f}; of minus the score {flipped:.3f}; arguments swapped {swapped:.3f}")
assert abs(value + flipped - 1) < 1e-12
assert abs(flipped - swapped) < 1e-12

# %% [markdown]
# Symptom: an area below one half.
#
# ### 8 · A scaler that saw the test set
#
# The columns of the test set are scaled with the mean and spread of the **test set**. That flatters as soon as the test
# set is shifted. Take another camera, with weaker contrast and more light: each grey value $x$ becomes $0.7 x + 0.3$.

# %%
view = encoded["PCA, 32"]
other_camera = pca_32.encode(0.7 * judged + 0.3)
labelled = torch.arange(300)
honest = features.linear_probe(view[0][labelled], y_train[labelled], other_camera, y_test[:2000])
rescaled = (other_camera - other_camera.mean(0)) / other_camera.std(0)  # the mistake
own = (view[0][labelled] - view[0][labelled].mean(0)) / view[0][labelled].std(0)
leaked = features.linear_probe(own, y_train[labelled], rescaled, y_test[:2000])
print(f"new camera: honest scaling {honest:.3f}, the test set scaled by itself {leaked:.3f}")
assert leaked > honest, "the leak flatters"

# %% [markdown]
# Symptom: a number that nobody can repeat on the next image alone, because *one* image has no mean and no spread.
#
# ### 9 · Off by one in the transposed convolution
#
# A convolution with stride 2 halves the side and **rounds down**. Its transpose cannot know what was lost:
#
# $$\text{side}_\text{out} = 2\,(\text{side}_\text{in} - 1) + \text{kernel} - 2\,\text{padding} + \text{output padding}$$

# %%
for kernel, padding, output_padding in ((3, 1, 0), (3, 1, 1), (4, 1, 0)):
    sides = [28]
    layers = [nn.Conv2d(1, 1, kernel, 2, padding) for _ in range(2)]
    layers += [nn.ConvTranspose2d(1, 1, kernel, 2, padding, output_padding) for _ in range(2)]
    picture = torch.zeros(1, 1, 28, 28)
    for layer in layers:
        picture = layer(picture)
        if isinstance(layer, nn.ConvTranspose2d):
            predicted = 2 * (sides[-1] - 1) + kernel - 2 * padding + output_padding
            assert picture.shape[-1] == predicted, "not the formula"
        sides.append(picture.shape[-1])
    print(f"kernel {kernel}, padding {padding}, output padding {output_padding}: {sides}")
assert sides[-1] == 28

# %% [markdown]
# Symptom: a shape error if you are lucky. If the loss broadcasts or somebody crops, a picture that is shifted by a
# pixel, and an error that never falls. Kernel 4, stride 2, padding 1 halves and doubles exactly.
# %% [markdown]
# ## Summary
#
# - An autoencoder is an encoder and a decoder around a narrow code, trained to reconstruct. The error of a
#   useful one lies between that of the mean image and zero.
# - A linear one is PCA: the same error, the same subspace, but not the same axes. Any invertible map may sit in the
#   code; the error cannot see it.
# - A curved one follows the manifold. The rank of its Jacobian is at most $M$. Data of known dimension show how far to
#   trust an estimate of the dimension. A circle has one dimension and needs a code of two numbers; and a code that would
#   do is not always found.
# - The map of codes is uneven, off centre, full of gaps, and without a distribution. A round trip finds the holes. A
#   distribution fitted afterwards helps.
# - In many dimensions draws live in a shell, and what you see in a drawing of two numbers does not carry over.
# - A denoiser is trained from spoiled to clean. The best one is the posterior mean, and (posterior mean − input) /
#   variance is the score of the noisy data.
# - Codes are features. Whether they beat PCA is a question for a fair experiment, not for faith.
# - Anomalies: train on good parts, choose the threshold on other good parts, report on a third set. A small error does
#   not mean normal: some pictures that are no parts have a smaller error than every part.
#
# What is missing is $p(z)$, and with it $p(x)$. Unit 05 puts it in: the code becomes a distribution, and the loss
# becomes the ELBO of unit 03.
#
# ## Exercise
#
# `exercises/04_autoencoders` asks you to build it: an autoencoder whose bottleneck binds, the comparison with PCA,
# corruption and the denoising loss, the score from a denoiser, scores, threshold and AUROC, the image that is
# reconstructed too well, a probe without leaks, shells, and the detector of holes.
#
# ## References
#
# - C. Eckart and G. Young (1936). The approximation of one matrix by another of lower rank. *Psychometrika* 1, 211–218.
# - J. A. Hanley and B. J. McNeil (1982). The meaning and use of the area under a receiver operating characteristic (ROC)
#   curve. *Radiology* 143, 29–36.
# - P. Baldi and K. Hornik (1989). Neural networks and principal component analysis: learning from examples without local
#   minima. *Neural Networks* 2, 53–58.
# - M. E. Tipping and C. M. Bishop (1999). Probabilistic principal component analysis. *Journal of the Royal Statistical
#   Society B* 61, 611–622.
# - E. Levina and P. J. Bickel (2004). Maximum likelihood estimation of intrinsic dimension. *NIPS* 17. Equation (8) for
#   the estimate.
# - D. J. C. MacKay and Z. Ghahramani (2005). Comments on "Maximum likelihood estimation of intrinsic dimension".
# - C. M. Bishop (2006). *Pattern Recognition and Machine Learning*. Springer. Section 12.1 for PCA, section 12.4.2 for
#   autoassociative networks.
# - G. E. Hinton and R. R. Salakhutdinov (2006). Reducing the dimensionality of data with neural networks. *Science* 313,
#   504–507.
# - P. Vincent, H. Larochelle, I. Lajoie, Y. Bengio and P.-A. Manzagol (2010). Stacked denoising autoencoders. *Journal of
#   Machine Learning Research* 11, 3371–3408.
# - B. Efron (2011). Tweedie's formula and selection bias. *Journal of the American Statistical Association* 106,
#   1602–1614.
# - P. Vincent (2011). A connection between score matching and denoising autoencoders. *Neural Computation* 23,
#   1661–1674.
# - G. Alain and Y. Bengio (2014). What regularized auto-encoders learn from the data-generating distribution. *Journal
#   of Machine Learning Research* 15, 3563–3593.
# - E. Facco, M. d'Errico, A. Rodriguez and A. Laio (2017). Estimating the intrinsic dimension of datasets by a minimal
#   neighborhood information. *Scientific Reports* 7, 12140.
# - H. Xiao, K. Rasul and R. Vollgraf (2017). Fashion-MNIST: a novel image dataset for benchmarking machine learning
#   algorithms. arXiv 1708.07747.
