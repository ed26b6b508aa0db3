# %% [markdown]
# # 00 · Autoregressive models
#
# **What can you do with a likelihood you can read off?**
#
# The later units of this course invent hidden variables, and pay for them: the probability of an image becomes a sum over
# everything that may have led to it, and nobody can compute that sum. This first unit does without. It writes the
# probability of an image as a product, one pixel after the other, and reads the answer off a network. No sum, no bound,
# no approximation.
#
# So you start with the most comfortable case there is. You compare models in nats that are exact, you test the code by
# enumeration, you draw images, you complete half of one, you look for anomalies. Then you pay the bill: the order, the time it takes to
# draw, and what such a model never tells you. And you meet an exact likelihood that is the wrong answer.
#
# **When you have read this, you can**
#
# - work with these notebooks, with `check` and with `hint`;
# - write any distribution as a product of conditionals, in any order, and read off $\log p(x)$;
# - test a likelihood by enumeration, and say what bits per dimension are;
# - build networks that cannot look ahead, and prove by perturbation that they do not;
# - say when the order matters, and by how many nats;
# - draw, and complete an image, and say which half may be given;
# - count what a draw costs, against a decoder that draws all pixels at once;
# - find anomalies by likelihood, and explain why a black image is more probable than any shirt;
# - recognise eight classic mistakes by their symptoms.
#
# You need: conditional probability, logistic regression, and a little PyTorch. Log-likelihoods are in **nats**, the unit
# of the natural logarithm. Symbols follow the notation table in `lectures/README.md`.

# %% tags=["trained"]
import itertools
import math
import os
import time
import zlib

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import interpolate, pad

from autograder import registry
from autograder.candidate import LocalCandidate
from autograder.report import Report
from autograder.verdict import examine
from course_lib import plots
from course_lib.anomaly import auroc
from course_lib.autoregressive import (
    MADE,
    LogisticAutoregression,
    log_prob_from_logits,
    receptive_field,
    sample_sequentially,
)
from course_lib.data import digits, fashion_mnist, sprites
from course_lib.likelihoods import bits_per_dim
from course_lib.pixelcnn import MaskedConv2d, causal_mask
from course_lib.training import TrainSettings, cosine, train
from course_lib.vae import VAE

FAST = os.environ.get("COURSE_FAST") == "1"  # smaller sizes, same code
_ = torch.set_num_threads(1)  # small networks; and sums in one order, whatever the machine
plots.use_style()
BLUE, ORANGE, GREEN, PINK = plots.COLOURS[:4]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def binarised_nll(model, x):
    """Minus the mean log-likelihood; grey values are drawn anew as 0 or 1 in every step."""
    return -model.log_prob(torch.bernoulli(x)).mean()


def fit(model, x, num_steps, *, learning_rate=2e-3, batch_size=100, loss_fn=binarised_nll):
    """Adam with a rate that falls to zero along a cosine; the model, ready for evaluation."""
    settings = TrainSettings(
        num_steps=max(num_steps // 5, 80) if FAST else num_steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        schedule=cosine,
        accelerator="cpu",
        progress=False,
    )
    _ = train(model, loss_fn, (x,), settings)
    return model.eval().requires_grad_(False)


# %% [markdown]
# ## 0 · How to use this course
#
# Every unit has two notebooks. The **lecture** (this one) you read. The **exercise** of the same name you fill in.
#
# *In a lecture*, after an equation comes a cell that tests it, with an `assert`. Read the equation, guess what the cell
# will print, then look. A number in the text is computed by a cell nearby: if you doubt one, change the cell and run it
# again with Shift+Enter. After many changes, run all cells from the top (*Kernel, Restart Kernel and Run All Cells*).
# `COURSE_FAST=1` makes sizes and step counts smaller, for a quick pass.
#
# *In an exercise*, you replace `raise NotImplementedError` in a function by your answer. Below it stands one line,
# `check(your_function)`. It tries your function on fresh random inputs and tests **properties** that only a right answer has:
# probabilities that sum to 1, agreement with a closed form. It does not compare with a stored
# number, so there is nothing to memorise, and every right way to write the function passes. Check as often as you
# like. Nothing is counted.
#
# Here is the first exercise of this unit, answered wrongly: the joint table $p(a, b) = p(a)\, p(b \mid a)$ of two variables,
# from `first` with $p(a)$, shape (K,), and `second` with $p(b \mid a)$, shape (K, L). The cell shows what `check(joint_table)` would say. (It calls the parts of
# `check` one by one, to fix the random inputs and to leave your own record alone. In the exercise you write `check(joint_table)`.)


# %%
def joint_table(first, second):
    return first * second


exercise = registry.find("joint_table")
verdict = examine(exercise, LocalCandidate(joint_table), seed=0)
print(Report(verdict))
assert verdict.outcome == "wrong"

# %% [markdown]
# Read it from the top. First the verdict. Then, where the check knows the mistake, its **name**: this one multiplies
# columns where it should multiply rows. Then the properties that fail, with numbers. Those change with every check,
# because the inputs do.
#
# Stuck? Type `hint(joint_table)` into a new cell. There are three hints: the principle, the place, and nearly the code.
# The second and the third open after one more check each, so try before you ask. The beginning of the first:

# %%
print(exercise.hints[0][:180], "…")
assert len(exercise.hints) == 3


def joint_table(first, second):  # mended
    return first[:, None] * second


verdict = examine(exercise, LocalCandidate(joint_table), seed=0)
print(Report(verdict))
assert verdict.outcome == "right"

# %% [markdown]
# One more habit of this course. Some exercises ask you to **predict** a number before you compute it. You get the point
# for the commitment, right or wrong: a prediction that turned out wrong is the one you remember.

# %% [markdown]
# ## 1 · The chain rule
#
# ### The data
#
# Fashion-MNIST: clothes, 28 × 28 pixels, so $D = 784$ values. We want pixels that are 0 or 1. So read a grey value as the
# probability that the pixel is white, and draw. In training we draw anew in every step, for the test images once and for all.

# %%
train_set, test_set = fashion_mnist("train"), fashion_mnist("test")
test_set = test_set.take(slice(500 if FAST else 2000))
grey_train, grey_test = train_set.flat(), test_set.flat()
x_train = torch.bernoulli(grey_train, generator=seeded(0))
x_test = torch.bernoulli(grey_test, generator=seeded(1))
D = x_test.shape[1]
assert set(x_test.unique().tolist()) == {0.0, 1.0}
print(f"{len(x_train)} training images, {len(x_test)} test images, {D} values each")

chosen = torch.cat([(test_set.labels == k).nonzero()[1] for k in range(10)])  # one of each class
fig, ax = plt.subplots(figsize=(8.6, 2.0))
plots.draw_images(
    ax,
    [grey_test[chosen], x_test[chosen]],
    names=["grey values", "0 or 1"],
    below=test_set.label_names,
)
_ = ax.set_title("The same images, grey and drawn")

# %% [markdown]
# ### One variable after the other
#
# Ask for the probability of three pixels in a row, $p(x_1, x_2, x_3)$. By the definition of a conditional probability,
# $p(x_1, x_2) = p(x_1)\, p(x_2 \mid x_1)$. Do it again with $x_3$. For $D$ variables:
#
# $$p(x) = \prod_d p(x_d \mid x_{<d}), \qquad \log p(x) = \sum_d \log p(x_d \mid x_{<d})$$
#
# $x_{<d}$ are the values that come before value $d$ in the chosen order. This is no model and no assumption. It holds for
# every distribution, in **every order**. Test it: count how often each of the 8 patterns of three neighbouring pixels
# occurs, take the conditionals apart in all six orders, and multiply them again.

# %%
squares = x_train.view(-1, 28, 28)
three = squares[:, 10, 8:11].double()
counts = torch.zeros(2, 2, 2, dtype=torch.float64)
for a, b, c in itertools.product((0, 1), repeat=3):
    counts[a, b, c] = (three == torch.tensor([a, b, c])).all(1).sum() + 1  # none is impossible
joint = counts / counts.sum()


def conditionals(table):
    """Tables of p(x_1), p(x_2 | x_1), p(x_3 | x_1, x_2) for a joint table (2, 2, 2)."""
    first, pair = table.sum((1, 2)), table.sum(2)
    return first, pair / first[:, None], table / pair[:, :, None]


for order in itertools.permutations(range(3)):
    first, second, third = conditionals(joint.permute(order))
    product = first[:, None, None] * second[:, :, None] * third
    back = product.permute(*torch.tensor(order).argsort().tolist())
    assert torch.allclose(back, joint, rtol=1e-12), "the chain rule failed"
    names = "  ".join(f"x{d + 1}" for d in order)
    print(f"order {names}:  p(first = 1) = {first[1]:.3f}, ", end="")
    print(f"p(second = 1 | first = 1) = {second[1, 1]:.3f}")

# %% [markdown]
# Six different descriptions, one distribution. An **autoregressive model** learns the conditionals, and gets the joint by
# multiplication.
#
# ### Why you need a model
#
# A table does it for 3 variables. The last conditional of $D$ binary variables has a row for every combination of the others,
# $2^{D-1}$ of them. So replace the tables by functions with few parameters. The simplest: each pixel is a **logistic
# regression** on the pixels before it (Neal 1992; Frey, Hinton and Dayan 1996).
#
# $$a_d = b_d + \sum_{j < d} W_{dj}\, x_j, \qquad p(x_d = 1 \mid x_{<d}) = \mathrm{sigmoid}(a_d)$$
#
# The sums run over earlier variables only, so $W$ is a matrix with zeros on and above the diagonal. All $D$ logits are **one** product of
# a matrix and a vector. And the likelihood is a sum over them:
#
# $$\log p(x) = \sum_d \big[ x_d \log \mathrm{sigmoid}(a_d) + (1 - x_d) \log \mathrm{sigmoid}(-a_d) \big]$$
#
# The library has it as `LogisticAutoregression`. Is it what the equations say?

# %%
tiny = LogisticAutoregression(9)
with torch.no_grad():
    _ = tiny.weight.normal_(generator=seeded(2))
    _ = tiny.bias.normal_(generator=seeded(3))
x9 = torch.randint(2, (5, 9), generator=seeded(4)).float()
by_hand = torch.zeros(5)
for d in range(9):
    a_d = tiny.bias[d] + sum(tiny.weight[d, j] * x9[:, j] for j in range(d))
    p_d = torch.sigmoid(a_d)
    by_hand += torch.where(x9[:, d] == 1, p_d, 1 - p_d).log()
assert torch.allclose(tiny.log_prob(x9), by_hand, atol=1e-4), "not the formula"
print("log p(x) by hand   ", [round(v, 3) for v in by_hand.tolist()])
print("log p(x), one pass ", [round(v, 3) for v in tiny.log_prob(x9).tolist()])
print(f"numbers in a table of 784 pixels: 2^784 - 1, about 10^{784 * math.log10(2):.0f}")
print(f"numbers in this model:            {784 * 783 // 2 + 784}")

# %% [markdown]
# ### The test that every likelihood must pass
#
# Probabilities sum to 1. With 9 binary variables there are $2^9 = 512$ images of 3 × 3 pixels. Ask the model for all
# of them:
#
# $$\sum_{x \in \{0, 1\}^9} p(x) = 1$$
#
# It must hold for **any** weights, trained or not: every conditional sums to 1 by itself, so the product does. If it
# does not, something looks at what it should not see. Remember this test. It finds most of the mistakes in section 8.

# %%
EVERY = torch.tensor(list(itertools.product((0.0, 1.0), repeat=9)))  # (512, 9)


def total_probability(logits_fn):
    """The sum of p(x) over all images of 9 pixels."""
    return log_prob_from_logits(logits_fn(EVERY), EVERY).double().exp().sum().item()


_ = torch.manual_seed(0)
wild = MADE(9, hidden=(64, 64))  # a deep one, explained in section 3
for layer in wild.parameters():
    layer.data *= 3
print(f"logistic regressions: {total_probability(tiny.logits):.6f}")
print(f"deep network:         {total_probability(wild.logits):.6f}")
assert abs(total_probability(tiny.logits) - 1) < 1e-5, "float32 sums of 512 terms"
assert abs(total_probability(wild.logits) - 1) < 1e-5

# %% [markdown]
# ## 2 · Nats, bits and what they mean
#
# ### The number to minimise
#
# Training maximises $\sum_n \log p_\theta(x_n)$ (maximum likelihood). Write $p_\mathrm{data}$ for the distribution that the images come from, and take the mean over it. What
# you then minimise splits in two:
#
# $$\mathbb E_{p_\mathrm{data}}[-\log p_\theta(x)] = \mathrm H(p_\mathrm{data}) + \mathrm{KL}(p_\mathrm{data} \,\Vert\, p_\theta)$$
#
# The entropy is a property of the data. No model gets below it. The divergence is never negative, and zero only for the right model. In a world of 3 × 3
# patches you can compute all three: $p_\mathrm{data}$ is a table of 512 frequencies. Train both models there.

# %% tags=["trained"]
windows = squares[:2000].unfold(1, 3, 3).unfold(2, 3, 3)  # 9 by 9 patches of each image
patches = windows.reshape(-1, 9)
codes = (patches @ 2.0 ** torch.arange(8, -1, -1)).long()
p_data = torch.bincount(codes, minlength=512).double() / len(codes)
entropy = -torch.special.xlogy(p_data, p_data).sum().item()


def cross_entropy(model):
    return -(p_data * model.log_prob(EVERY).double()).sum().item()


def divergence(model):
    return torch.special.xlogy(p_data, p_data).sum().item() + cross_entropy(model)


def exact_nll(model, x):
    return -model.log_prob(x).mean()


share9 = patches.mean(0).double()
independent9 = -(share9 * share9.log() + (1 - share9) * (1 - share9).log()).sum().item()
_ = torch.manual_seed(0)
logistic9 = fit(
    LogisticAutoregression(9), patches, 600, learning_rate=0.03, batch_size=1000, loss_fn=exact_nll
)
made9 = fit(
    MADE(9, hidden=(100,)), patches, 600, learning_rate=0.01, batch_size=1000, loss_fn=exact_nll
)
print(f"entropy of the patches {entropy:.4f} nats; nothing gets below it")
print(f"independent pixels     {independent9:.4f} nats")
for name, model in (("logistic regressions", logistic9), ("masked network", made9)):
    h, kl = cross_entropy(model), divergence(model)
    assert abs(total_probability(model.logits) - 1) < 1e-5
    assert kl >= 0, "below the entropy: this is no probability"
    print(f"{name:22} {h:.4f} nats = entropy + KL of {kl:.4f}")
assert divergence(made9) < divergence(logistic9) < independent9 - entropy

# %% [markdown]
# ### Bits per dimension
#
# Nats grow with the size of the image. To compare data sets, papers report
#
# $$\text{bits per dimension} = \frac{-\log p(x)}{D \log 2}$$
#
# Divide by $\log 2$ to get bits, and by **all** values of one example: an image of 32 × 32 pixels in three colours has
# $D = 3072$. Bits mean something. A code that is made for the model can store $x$ in $-\log_2 p(x)$ bits, to within two bits or so for the whole
# message. So a better likelihood is a better compressor. Three values you should know by heart:

# %%
coin = LogisticAutoregression(D)  # all weights are 0: every pixel is a fair coin
bits = bits_per_dim(-coin.log_prob(x_test), D)
assert torch.allclose(bits, torch.ones(len(bits)), atol=1e-4), "a coin is one bit"
levels = torch.zeros(1, D, 256)  # logits of 256 grey levels, all the same
grey = bits_per_dim(-log_prob_from_logits(levels, torch.zeros(1, D)), D).item()
assert abs(grey - 8) < 1e-3, "a byte is eight bits"
sure = bits_per_dim(0.0, D)
print(f"a fair coin for each pixel   {bits.mean():.3f} bits per dimension")
print(f"256 grey levels, all alike   {grey:.3f}")
print(f"a model that knows the image {sure:.3f}")

# %% [markdown]
# ## 3 · Networks that cannot look ahead
#
# ### Masks in dense layers
#
# A logistic regression for each pixel is a linear map with a mask. How do you make it deep? A hidden unit mixes several
# inputs. Its output may go only to pixels that come after **all** of them. So give every unit a **degree**: the number of variables that it may
# see. An input has its place in the order, 1 to $D$. A connection from a unit to the next layer is kept
#
# - into a hidden unit, if the degree of the hidden unit is **at least** that of the unit before;
# - into an output, if the place of the output is **larger** than the degree of the unit before.
#
# One of the two must be strict, or the network could copy its input to its output. Every other connection is multiplied by 0. This is
# **MADE**, the masked autoencoder for distribution estimation (Germain and others 2015). Multiply the masks of all layers as matrices. Entry
# $(d, j)$ of the product counts the paths from input $j$ to output $d$. It must be strictly lower triangular:
#
# $$\big(\text{mask}_2 \cdot \text{mask}_1\big)_{dj} = 0 \quad \text{for } j \ge d$$

# %%
_ = torch.manual_seed(0)
small = MADE(9, hidden=(24,))
first_mask, last_mask = small.layers[0].mask.float(), small.output.mask.float()
paths = last_mask @ first_mask
assert torch.equal(paths, paths.tril(-1)), "a path leads to the future"
assert (paths > 0).sum() == 9 * 8 // 2, "and every past variable is reached"
fig, axes = plt.subplots(1, 3, figsize=(9.2, 3.4), width_ratios=(1, 2.4, 1))
panels = ((first_mask, "inputs to hidden"), (last_mask, "hidden to outputs"), (paths, "paths"))
for ax, (mask, title) in zip(axes, panels, strict=True):
    _ = ax.imshow(mask, cmap="Blues", vmin=0, vmax=mask.max(), aspect="auto")
    ax.set(title=title, xticks=[], yticks=[])
axes[0].set(xlabel="9 inputs", ylabel="24 hidden units")
axes[1].set(xlabel="24 hidden units", ylabel="9 outputs")
axes[2].set(xlabel="9 inputs", ylabel="9 outputs")
for d, j in itertools.product(range(9), repeat=2):
    if paths[d, j] > 0:
        colour = "white" if paths[d, j] > 12 else "black"
        axes[2].text(j, d, int(paths[d, j]), ha="center", va="center", fontsize=7, color=colour)

# %% [markdown]
# ### Prove it from outside
#
# A MADE takes any `order`: the variable `order[0]` comes first, then `order[1]`, and so on. You need not read the code of a network to know what it sees. Change one input, and look at which outputs move:
#
# $$\text{output } d \text{ may change} \quad \Longrightarrow \quad \text{the changed variable comes before } d$$
#
# Try all inputs. For MADE with 9 variables in any order:

# %%
my_order = torch.tensor([4, 1, 3, 5, 7, 0, 2, 6, 8])  # the middle first, then its neighbours
_ = torch.manual_seed(1)
centre_first = MADE(9, hidden=(64, 64), order=my_order).requires_grad_(False)
place = my_order.argsort()  # place[d]: when variable d has its turn


def who_moves(logits_fn, x):
    """Entry (d, j): does output d change when input j is flipped, for one image x (9,)?"""
    flipped = (x + torch.eye(9)) % 2  # row j has input j flipped
    return ((logits_fn(flipped) - logits_fn(x[None])).abs() > 1e-6).T


moved = torch.zeros(9, 9, dtype=torch.bool)
for x in torch.randint(2, (20, 9), generator=seeded(5)).float():
    moved |= who_moves(centre_first.logits, x)
allowed = place[:, None] > place
assert not (moved & ~allowed).any(), "an output sees the future"
assert torch.equal(moved, allowed), "and it sees all of the past"
assert abs(total_probability(centre_first.logits) - 1) < 1e-5
print("sees     ", [int(moved[d].sum()) for d in my_order], "variables, in the order of drawing")
print(f"future inputs that move an output: {int((moved & ~allowed).sum())}")

# %% [markdown]
# ### Masks in convolutions
#
# Images have neighbours, so you may want convolutions. Their order is line by line from the top left. The
# kernel lies with its middle on a pixel. Weights that look at later pixels are multiplied by 0. And the middle?
#
# - **Kind A** hides the middle. It is for the first layer, whose input is the image itself.
# - **Kind B** shows the middle. It is for all later layers: there the middle holds what was computed from *earlier*
#   pixels, and hiding it would throw that away.
#
# Swap them, and the network sees the pixel that it should predict (section 8). Stack them, and each layer looks further (van
# den Oord, Kalchbrenner and Kavukcuoglu 2016). `receptive_field` finds by perturbation what one output sees.


# %%
def masked_stack(num_layers, first="A"):
    layers = [MaskedConv2d(1, 8, 3, kind=first)]
    for _ in range(num_layers - 1):
        layers += [nn.ELU(), MaskedConv2d(8, 8, 3, kind="B")]
    network = nn.Sequential(*layers, nn.ELU(), MaskedConv2d(8, 1, 1, kind="B"))
    network.double()  # far pixels change the output by little: do not lose them by rounding
    return lambda x: network(x[:, None])[:, 0]


SIZE, ROW, COLUMN = 13, 8, 5
past = torch.arange(SIZE * SIZE).view(SIZE, SIZE) < ROW * SIZE + COLUMN
_ = torch.manual_seed(0)
fields = {}
for depth in (1, 3, 8):
    seen = receptive_field(
        masked_stack(depth),
        (SIZE, SIZE),
        position=(ROW, COLUMN),
        num_probes=8,
        tolerance=1e-12,
        generator=seeded(6),
        dtype=torch.float64,
    )
    fields[depth] = seen
    assert not (seen & ~past).any(), "an output sees the future"
    print(
        f"{depth} masked layers: {int(seen.sum()):3d} of {int(past.sum())} pixels of the past seen"
    )

fig, axes = plt.subplots(1, 5, figsize=(10.4, 2.5), width_ratios=(0.6, 0.6, 1, 1, 1))
for ax, kind in zip(axes[:2], "AB", strict=True):
    _ = ax.imshow(causal_mask(3, kind).float(), cmap="Blues", vmin=0, vmax=1.4)
    ax.plot(1, 1, "o", color="black", markersize=5)
    ax.set(title=f"kind {kind}", xticks=[], yticks=[])
colours = torch.tensor([[0.93, 0.93, 0.93], [0.34, 0.71, 0.91], [0.84, 0.37, 0.0]])
for ax, (depth, seen) in zip(axes[2:], fields.items(), strict=True):
    kinds = seen.long() + 2 * (past & ~seen).long()
    _ = ax.imshow(colours[kinds])
    ax.plot(COLUMN, ROW, "o", color="black", markersize=5)
    ax.set(title=f"{depth} layer{'s' * (depth > 1)}", xticks=[], yticks=[])
for name, colour in (("seen", colours[1]), ("before, not seen", colours[2])):
    axes[3].plot([], [], "s", color=tuple(colour.tolist()), label=name)
_ = axes[3].legend(loc="upper center", bbox_to_anchor=(0.5, -0.03), ncol=2, fontsize=9)

# %% [markdown]
# The dot is the output. More layers see more, and never the future. But a wedge on the right stays dark however
# deep you go: the **blind spot**. A kernel may not look to the right in its own line, so each step to the right costs one
# line upwards. With a 3 × 3 kernel a pixel $i$ lines up is seen at most $i$ columns to the right. Test it with the deepest stack: of the lines
# above, exactly those pixels are missing.

# %%
rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
wedge = (rows < ROW) & (columns - COLUMN > ROW - rows)
assert torch.equal(past & ~fields[8], wedge), "not the wedge"
print(f"blind spot: {int(wedge.sum())} pixels, with 8 layers of 3 x 3")

# %% [markdown]
# The model is still a proper distribution: its probabilities sum to 1. It only does not use all that it could. Unit 07
# repairs it with two stacks of convolutions. One more thing to know: with colours, the order also goes through the channels
# of a pixel, red, green, blue. Then the middle of the kernel is a small table of who may see whom, for kind A strictly
# below the diagonal, for kind B with it. In the exercise you build it.

# %% [markdown]
# ## 4 · A model of clothes
#
# Now 784 pixels. Three models: independent pixels, logistic regressions, and MADE with 500 hidden units. Training takes seconds,
# because **one** pass gives all 784 conditionals of a known image. All numbers are exact log-likelihoods of test images.

# %% tags=["trained"]
share = grey_train.mean(0).clamp(0.001, 0.999)
independent = LogisticAutoregression(D)
with torch.no_grad():
    _ = independent.bias.copy_(share.logit())
models = {"independent pixels": independent.requires_grad_(False)}
models["logistic regressions"] = fit(LogisticAutoregression(D), grey_train, 500, learning_rate=4e-3)
_ = torch.manual_seed(0)
made = models["MADE, 500 hidden"] = fit(MADE(D), grey_train, 800)
print("                        nats a test image   bits per dimension   training images")
results = {}
for name, model in models.items():
    nll = -model.log_prob(x_test)
    results[name] = nll.mean().item()
    error = nll.std() / math.sqrt(len(nll))
    train_nll = -model.log_prob(x_train[:2000]).mean()
    print(
        f"{name:22} {nll.mean():9.1f} ± {error:.1f} {bits_per_dim(nll.mean(), D):20.3f} {train_nll:17.1f}"
    )
assert (
    results["MADE, 500 hidden"]
    < results["logistic regressions"]
    < results["independent pixels"] - 30
)

# %% [markdown]
# Knowing the pixels before is worth a lot, and a hidden layer adds to it. In unit 05 you will
# only be able to *bound* such numbers.
#
# ### Which pixels were surprising?
#
# The likelihood is a sum over pixels, so look at its terms. $-\log p(x_d \mid x_{<d})$ is the **surprise** at pixel $d$. Scratch an image:
# flip every pixel of a line. Look again.

# %% tags=["trained"]
scratched = x_test[chosen[[0, 1, 7]]].clone().view(-1, 28, 28)
for step in range(18):
    scratched[:, 24 - step, 4 + step] = 1 - scratched[:, 24 - step, 4 + step]
pictures = torch.cat([x_test[chosen[[0, 1, 7]]], scratched.flatten(1)])
surprise = -made.log_prob_per_dim(pictures)
assert torch.allclose(surprise.sum(1), -made.log_prob(pictures), rtol=1e-4), "its terms"
line = torch.zeros(28, 28, dtype=torch.bool)
line[24 - torch.arange(18), 4 + torch.arange(18)] = True
on = surprise[3:, line.flatten()].mean().item()
off = surprise[:3, line.flatten()].mean().item()
print(f"mean surprise at the 18 pixels: {off:.2f} nats before, {on:.2f} after the scratch")
assert on > 1.5 * off
fig, ax = plt.subplots(figsize=(7.6, 3.0))
order = [0, 3, 1, 4, 2, 5]
plots.draw_images(ax, [pictures[order], surprise[order] / 4], names=["image", "surprise"])
names = ["as it is", "scratched"] * 3
ax.set_xticks([29 * j + 14 for j in range(6)], names, fontsize=9)
_ = ax.set_title("White is a surprise of 4 nats or more")

# %% [markdown]
# ## 5 · The order
#
# ### Any order is right, and not every order is easy
#
# The chain rule holds in every order. But your conditionals are not all functions, they are a family of functions. An order in
# which each conditional is simple needs a smaller family. Here is an example you can solve by hand. Throw two fair coins $x_1$ and $x_2$, and write down
# "both" $x_3$ and "exactly one" $x_4$:
#
# $$x_3 = x_1 x_2, \qquad x_4 = x_1 + x_2 - 2 x_1 x_2$$
#
# The entropy is $2 \log 2$: two coins, the rest follows. In the order 1, 2, 3, 4 every conditional is a logistic regression (with
# infinite weights): $x_4$ is linear in the three before it. In the order 1, 2, **4**, 3 it is not: $x_4$ is then the exclusive *or* of $x_1$ and $x_2$, which no line
# separates. By symmetry the best it can do is a coin, and that costs $\log 2$ more.

# %%
world = torch.tensor([[a, b, a * b, a + b - 2 * a * b] for a in (0, 1) for b in (0, 1)]).double()


def best_nats(order):
    """The smallest −E log p of logistic regressions in this order; a convex problem."""
    model = LogisticAutoregression(4, order=order).double()
    adam = torch.optim.Adam(model.parameters(), lr=0.5)
    for _ in range(600):
        adam.zero_grad()
        loss = -model.log_prob(world).mean()
        loss.backward()
        adam.step()
    return loss.item()


good, bad = best_nats([0, 1, 2, 3]), best_nats([0, 1, 3, 2])
print(f"two coins                 {2 * math.log(2):.3f} nats")
print(f"order 1, 2, both, one     {good:.3f}")
print(f"order 1, 2, one, both     {bad:.3f}: more by {bad - good:.3f}, log 2 is {math.log(2):.3f}")
assert abs(good - 2 * math.log(2)) < 0.01, "the weights grow for ever, the rest vanishes"
assert abs(bad - 3 * math.log(2)) < 0.01

# %% [markdown]
# ### Which order for clothes?
#
# Guess first: line by line, column by column, or a random order that jumps all over the image? Five orders, the same
# family of logistic regressions, the same steps.

# %% tags=["trained"]
lines = torch.arange(D)
shuffled = torch.randperm(D, generator=seeded(0))
orders = {
    "column by column": lines.view(28, 28).T.flatten(),
    "line by line, from the end": lines.flip(0),
    "shuffled": shuffled,
    "shuffled otherwise": torch.randperm(D, generator=seeded(7)),
}
by_order = {"line by line": results["logistic regressions"]}
per_pixel = {"line by line": -models["logistic regressions"].log_prob_per_dim(x_test).mean(0)}
for name, order in orders.items():
    model = fit(LogisticAutoregression(D, order=order), grey_train, 500, learning_rate=4e-3)
    by_order[name] = -model.log_prob(x_test).mean().item()
    per_pixel[name] = -model.log_prob_per_dim(x_test).mean(0)
for name, nats in by_order.items():
    print(f"{name:27} {nats:6.1f} nats a test image")
assert by_order["shuffled"] < by_order["line by line"] < by_order["column by column"]

fig, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.4), width_ratios=(1.3, 1))
places = torch.arange(1, D + 1)
for name, colour in (("line by line", BLUE), ("shuffled", ORANGE)):
    order = lines if name == "line by line" else shuffled
    left.plot(places, per_pixel[name][order].cumsum(0), color=colour, label=name)
behind = per_pixel["shuffled"][shuffled].cumsum(0) - per_pixel["line by line"].cumsum(0)
print(f"the shuffled order is behind by {behind[195]:.1f} nats after a quarter of the pixels,")
print(f"and ahead by {-behind[-1]:.1f} at the end")
left.set(xlabel="pixels drawn", ylabel="nats so far", title="The bill, pixel by pixel")
left.legend()
plots.draw_images(right, [[per_pixel["line by line"] / 0.7, per_pixel["shuffled"] / 0.7]])
right.set_xticks([14, 43], ["line by line", "shuffled"])
_ = right.set_title("Nats at each pixel (white: 0.7, a coin)")

# %% [markdown]
# The order of reading is not the best one here. In the first half a shuffled order pays more, because its pixels
# lie far apart and say little about each other. Then it knows the rough picture, and fills in each pixel from neighbours on
# *all* sides: there it wins. Line by line knows only what is above and to the left.
#
# So the order is a choice of the model, and you have to make it before training. There are $784!$ of them. A flexible network suffers less. Here is
# MADE in both orders, with equal steps.

# %% tags=["trained"]
_ = torch.manual_seed(0)
made_shuffled = fit(MADE(D, order=shuffled), grey_train, 800)
loss_of_order = {
    "logistic regressions": by_order["line by line"] - by_order["shuffled"],
    "MADE": results["MADE, 500 hidden"] + made_shuffled.log_prob(x_test).mean().item(),
}
for name, nats in loss_of_order.items():
    print(f"{name:22} line by line minus shuffled: {nats:+.1f} nats")
assert abs(loss_of_order["MADE"]) < loss_of_order["logistic regressions"]

# %% [markdown]
# ## 6 · Drawing
#
# ### One variable at a time
#
# To draw from the model, follow the product: draw $x_1$ from $p(x_1)$, feed it back, draw $x_2$ from $p(x_2 \mid x_1)$, feed
# both back, and so on (**ancestral sampling**). Each step needs the value that the step before has drawn. You cannot do two at once. Each step
# calls the network, and uses one of its 784 outputs.
#
# $$x_d \sim p(x_d \mid x_{<d}), \qquad d = 1, \dots, D$$
#
# Is it right? Draw from the small model of patches, whose probabilities you know, all 512 of them. Compare how often each patch was drawn with
# how often it should be. If the draws are right,
#
# $$\chi^2 = \sum_i \frac{(\text{count}_i - S p_i)^2}{S p_i}$$
#
# is near the number of cells minus one, give or take the square root of twice that number.

# %%
S = 20_000
p_model = made9.log_prob(EVERY).double().exp()


def misfit(draws, probabilities):
    """Chi squared of draws (S, 9), and its degrees of freedom; rare patches are one cell."""
    index = (draws @ 2.0 ** torch.arange(8, -1, -1)).long()
    counted = torch.bincount(index, minlength=512).double()
    often = len(draws) * probabilities >= 5
    expected = torch.cat([probabilities[often], probabilities[~often].sum()[None]]) * len(draws)
    observed = torch.cat([counted[often], counted[~often].sum()[None]])
    return ((observed - expected).square() / expected).sum().item(), len(expected) - 1


statistic, freedom = misfit(made9.sample(S, generator=seeded(8)), p_model)
print(f"{S} draws, {freedom} degrees of freedom: chi squared is {statistic:.0f}")
assert statistic < freedom + 6 * math.sqrt(2 * freedom), "the draws do not follow p(x)"

# %% [markdown]
# Now clothes. The **temperature** divides the logits before a pixel is drawn. At 1 you draw from the model. Below 1 probable pixels
# become more probable still. Do you expect cleaner pictures?

# %% tags=["trained"]
rows = [made.sample(10, temperature=t, generator=seeded(9)) for t in (1.0, 0.7)]
nats = [made.log_prob(row).mean().item() for row in rows]
print(f"mean log p(x) of test images           {made.log_prob(x_test).mean():7.1f}")
print(f"mean log p(x) of ten draws             {nats[0]:7.1f}")
print(f"mean log p(x) of ten at temperature 0.7{nats[1]:7.1f}")
assert nats[1] > nats[0]
fig, ax = plt.subplots(figsize=(8.6, 2.9))
plots.draw_images(
    ax, [x_test[chosen], *rows], names=["test images", "temperature 1", "temperature 0.7"]
)

# %% [markdown]
# At temperature 1 you recognise clothes, full of specks. Nearby pixels fit each other. What the thing is as a whole is often
# undecided: nothing in the model says "this is a shirt" before the first pixel is drawn. The draws are less probable than test images. Each pixel that
# is drawn a little wrong puts the network before a past that it never saw in training.
#
# At 0.7 most pictures are nearly empty, and their log-likelihood is far too *high*. Pixel by pixel the safe value is black, and a black past
# says black again. Remember it for section 7.
#
# ### Half an image
#
# Give the model the upper half and let it draw the rest. In the order line by line the upper half comes first, so all it
# needs is to keep those pixels and draw the others: that is *exactly* $p(x_\mathrm{bottom} \mid x_\mathrm{top})$.

# %% tags=["trained"]
top = torch.zeros(28, 28, dtype=torch.bool)
top[:14] = True
known = top.flatten()
originals = x_test[chosen[[0, 1, 5, 7, 8, 9]]]
finished = [
    made.sample(len(originals), given=originals, known=known, generator=seeded(s)) for s in (1, 2)
]
for picture in finished:
    assert torch.equal(picture[:, known], originals[:, known]), "given pixels stay"
shown = originals.clone()
shown[:, ~known] = torch.nan
fig, ax = plt.subplots(figsize=(6.2, 4.2))
names = ["given", "drawn", "drawn again", "the original"]
plots.draw_images(ax, [shown, *finished, originals], names=names)

# %% [markdown]
# And the **lower** half? In this order the upper half is drawn first, and its conditionals do not look down. Keep the lower
# pixels fixed, run the same code, and the upper half is drawn as if nothing had been given. No error, no warning.
# Prove it: with the same noise and *another* lower half, the drawn upper half is the same, bit for bit.

# %% tags=["trained"]
upside = [
    made.sample(len(originals), given=given, known=~known, generator=seeded(1))
    for given in (originals, originals.flip(0))
]
assert torch.equal(upside[0][:, known], upside[1][:, known]), "it did look down"
print("two different lower halves given: the same upper halves are drawn, pixel for pixel")

# What would be right? In the small world, the exact answer by enumeration.
bottom = torch.tensor([1.0, 1.0, 1.0])  # the lower line of a 3 x 3 patch is white
fits = (EVERY[:, 6:] == bottom).all(1)
exact = (p_model[fits] @ EVERY[fits, 4].double() / p_model[fits].sum()).item()
given = torch.cat([torch.zeros(6), bottom])
late = torch.arange(9) >= 6
wrong = made9.sample(S, given=given, known=late, generator=seeded(10))[:, 4].mean().item()
unconditional = (p_model @ EVERY[:, 4].double()).item()
print(f"p(middle = 1 | lower line white): exact {exact:.3f}, by the sampler {wrong:.3f}")
print(f"p(middle = 1), nothing given:     {unconditional:.3f}")
assert abs(wrong - unconditional) < 6 * 0.5 / math.sqrt(S) < exact - wrong

# %% [markdown]
# So what you can ask depends on the order. "Given the first variables" is free. Every other conditional needs Bayes' rule and a
# sum over all upper halves, $2^{392}$ of them. Unit 02 has methods for such sums. Or train a model in another order.
#
# ### The bill
#
# Count the calls of the network. Compare with a decoder as in unit 05, which writes all pixels of an image at once, after one draw of a hidden
# variable. Its pixels are independent *given* that variable, so nothing has to wait.

# %%
calls = 0


def counted_logits(x):
    global calls
    calls += 1
    return made.logits(x)


start = time.process_time()
_ = sample_sequentially(counted_logits, (D,), 16, generator=seeded(11))
slow = time.process_time() - start
calls_to_draw, calls = calls, 0
_ = log_prob_from_logits(counted_logits(x_test[:16]), x_test[:16])
calls_to_judge = calls
_ = torch.manual_seed(0)
decoder = VAE(D, 20, hidden=(500,)).decoder.requires_grad_(False)  # as many hidden units


times = []
for _ in range(200):
    start = time.process_time()
    _ = torch.bernoulli(decoder(torch.randn(16, 20, generator=seeded(12))).sigmoid())
    times.append(time.process_time() - start)
ratio = slow / sorted(times)[100]  # the median
print(f"log p(x) of 16 images: {calls_to_judge} call")
print(f"16 draws:              {calls_to_draw} calls, one after the other")
print("16 draws of a decoder: 1 call")
assert (calls_to_draw, calls_to_judge) == (D, 1)
assert ratio > 100, "hundreds of calls take hundreds of times as long"
print("time to draw, against the decoder: more than 100 times as long")

# %% [markdown]
# A larger batch does not help with the *waiting*: the calls come one after the other. What helps is to keep what was
# computed in the step before, or to have fewer variables. Unit 07 does both.

# %% [markdown]
# ## 7 · Is this image normal?
#
# ### Where the likelihood finds it
#
# You have a number for "how probable is this image". The obvious use: an image with a **low likelihood is an anomaly**. Score every
# image by $-\log p(x)$. Judge the score by the AUROC: the probability that an anomaly scores higher than a normal test image, so 1 is
# perfect and 0.5 is a coin. The model has seen clothes only.


# %% tags=["trained"]
def enlarged_digits(size):
    """Handwritten digits in the middle of 28 × 28 pixels, drawn as 0 or 1."""
    images = interpolate(
        digits(torch.float32)[0].view(-1, 1, 8, 8), size=(size, size), mode="bilinear"
    )
    edge = (28 - size) // 2
    return torch.bernoulli(pad(images, (edge,) * 4), generator=seeded(13)).flatten(1)


shapes = interpolate(sprites(500).images.float() / 255, size=(28, 28), mode="area")
kinds = {
    "coin flips": torch.bernoulli(torch.full((500, D), 0.5), generator=seeded(14)),
    "inverted clothes": 1 - x_test,
    "pixels shuffled": x_test[:, shuffled],
    "clothes upside down": x_test.view(-1, 28, 28).flip(1).flatten(1),
    "handwritten digits": enlarged_digits(20),
    "sprites": (shapes > 0.5).float().flatten(1),
    "a black image": torch.zeros(1, D),
}
normal = made.log_prob(x_test)
found = {name: made.log_prob(x) for name, x in kinds.items()}
rule = {name: auroc(-normal, -values) for name, values in found.items()}
print(f"{'normal test images':20} {normal.mean():9.1f} nats, deviation {normal.std():.1f}")
for name, values in found.items():
    print(f"{name:20} {values.mean():9.1f} nats    AUROC of −log p: {rule[name]:.3f}")
assert min(rule["coin flips"], rule["inverted clothes"]) > 0.99
assert rule["pixels shuffled"] > 0.8
assert rule["a black image"] < 0.2
assert max(rule["sprites"], rule["handwritten digits"]) < 0.5, "worse than a coin"

# %% tags=["trained"]
fig, axes = plt.subplots(2, 1, figsize=(8.8, 5.0), height_ratios=(1, 2.2))
plots.draw_images(
    axes[0],
    [[x_test[chosen[0]], *(x[min(3, len(x) - 1)] for x in kinds.values())]],
    below=["normal\nclothes", *("\n".join(name.rsplit(" ", 1)) for name in kinds)],
)
bins = torch.linspace(-1150, 0, 116)
drawn = {"normal clothes": normal, **found}
del drawn["a black image"]
for (name, values), colour in zip(drawn.items(), ("black", *plots.COLOURS), strict=False):
    weights = torch.full((len(values),), 1 / len(values))
    _ = axes[1].hist(
        values, bins, weights=weights, histtype="step", linewidth=1.7, color=colour, label=name
    )
axes[1].axvline(found["a black image"].item(), color="black", linestyle="--", linewidth=1.2)
axes[1].set(xlabel="log p(x) (nats)", ylabel="share of images", ylim=(0, 0.34))
axes[1].text(found["a black image"].item() + 6, 0.24, "black", fontsize=9)
_ = axes[1].legend(fontsize=8.5, ncols=3, loc="upper left")

# %% [markdown]
# From the left it is as you hoped: coin flips, inverted and shuffled images are found. Clothes upside down hardly are. And on the right the rule is **worse
# than a coin**. A model that has seen nothing but clothes finds handwritten digits more probable than most clothes, simple shapes more
# probable than nearly all, and a black image more probable than every one of them.
#
# ### It is not a bad model
#
# Your first thought: bad training. With larger networks and colour images others found the same (Nalisnick and others
# 2019; models of CIFAR-10 gave house numbers a higher likelihood). And here is a case where the model is **exactly right**. Normal images have
# 784 independent pixels, white with probability $\rho = 0.1$. The log-likelihood of an image with $k$ white pixels is
# $k \log \rho + (D - k) \log (1 - \rho)$. So its mean and its standard deviation over normal images, and the distance
# from the mean to the black image ($k = 0$), are
#
# $$\begin{aligned} \log p(\text{black}) - \mathbb E \log p(x) &= D\, \rho\, \log \tfrac{1 - \rho}{\rho} \\ \mathrm{std} \log p(x) &= \sqrt{D\, \rho\, (1 - \rho)}\; \log \tfrac{1 - \rho}{\rho} \end{aligned}$$

# %%
RHO = 0.1
ratio_of_odds = math.log((1 - RHO) / RHO)
gap = D * RHO * ratio_of_odds
deviation = math.sqrt(D * RHO * (1 - RHO)) * ratio_of_odds

perfect = LogisticAutoregression(D).requires_grad_(False)
_ = perfect.bias.fill_(math.log(RHO / (1 - RHO)))
noise_images = torch.bernoulli(torch.full((4000, D), RHO), generator=seeded(15))
nats = perfect.log_prob(noise_images)
black = perfect.log_prob(torch.zeros(1, D)).item()
assert abs(black - nats.mean().item() - gap) < 6 * deviation / math.sqrt(4000)
assert abs(nats.std().item() / deviation - 1) < 6 / math.sqrt(2 * 4000)
assert (nats < black).all()
print(f"black is more probable than the mean by {gap:.1f} nats; one deviation is {deviation:.1f}")
print(f"normal images more probable than black: {int((nats >= black).sum())} of {len(nats)}")
for dim in (16, 64, 784, 3072):
    distance = dim * RHO / math.sqrt(dim * RHO * (1 - RHO))
    print(f"{dim:5} pixels: black is {distance:5.1f} deviations above the mean")

# %% [markdown]
# How can the most probable image never occur? Because there is **one** black image, and there are very many with 78 white
# pixels. The number of white pixels is what you meet, and it weighs both:
#
# $$P(k \text{ white}) = \underbrace{\binom{D}{k}}_{\text{how many}} \cdot \underbrace{\rho^k (1 - \rho)^{D - k}}_{p \text{ of each}}$$

# %%
k = torch.arange(0, 181, dtype=torch.float64)
total = torch.tensor(float(D), dtype=torch.float64)
log_number = (total + 1).lgamma() - (k + 1).lgamma() - (total - k + 1).lgamma()
log_each = k * math.log(RHO) + (D - k) * math.log(1 - RHO)
log_share = log_number + log_each
reference = torch.distributions.Binomial(D, torch.tensor(RHO, dtype=torch.float64)).log_prob(k)
assert torch.allclose(log_share, reference, atol=1e-8), "the binomial distribution"
best = int(log_share.argmax())
middle = log_share[50:108].exp().sum().item()
print(f"most frequent number of white pixels: {best}; from 50 to 107: {middle:.4f} of all images")

fig, (left, right) = plt.subplots(1, 2, figsize=(9.2, 3.3))
left.plot(k, log_each, color=BLUE, label="log p of one image")
left.plot(k, log_number, color=ORANGE, label="log number of images")
left.plot(k, log_share, color="black", label="their sum")
left.set(xlabel="white pixels k", ylabel="nats", title="Two lines that work against each other")
left.legend(fontsize=9)
right.bar(k, log_share.exp(), color="black", width=1.0)
right.plot(0, 0, "o", color=ORANGE, clip_on=False, zorder=3)
right.text(0, 0.003, "the most\nprobable\nimage", fontsize=9, color=ORANGE)
_ = right.set(xlabel="white pixels k", ylabel="share of all images", title="What you meet")

# %% [markdown]
# Images whose log-likelihood is near the mean are **typical**. Together they have nearly all of the probability, though each
# of them is far less probable than the **mode**, the black image. Draws are typical. The gap between mode and typical grows in proportion to $D$, the
# spread with $\sqrt D$, so with many pixels they are worlds apart. A high likelihood of *one* image says little about whether
# such images occur.
#
# ### What the number measures
#
# For the trained model: count how often two neighbouring pixels differ. That is a plain measure of how complicated an image is.


# %% tags=["trained"]
def num_edges(x):
    """How many pairs of neighbouring pixels differ, (N,)."""
    square = x.view(-1, 28, 28)
    across = (square[:, :, 1:] != square[:, :, :-1]).sum((1, 2))
    return across + (square[:, 1:] != square[:, :-1]).sum((1, 2))


correlation = torch.corrcoef(torch.stack([normal, num_edges(x_test).float()]))[0, 1].item()
print(f"correlation of log p(x) and edges over normal test images: {correlation:.2f}")
assert correlation < -0.8
fig, ax = plt.subplots(figsize=(6.4, 3.6))
markers = (
    ("normal clothes", x_test, "black"),
    ("handwritten digits", kinds["handwritten digits"], PINK),
)
markers += (("sprites", kinds["sprites"], GREEN), ("a black image", kinds["a black image"], ORANGE))
for name, x, colour in markers:
    few = x[:300]
    size = 40 if len(few) == 1 else 7
    ax.scatter(num_edges(few), made.log_prob(few), s=size, color=colour, label=name)
ax.set(xlabel="neighbouring pairs that differ", ylabel="log p(x) (nats)")
ax.set_title("Simple images are probable images")
_ = ax.legend(fontsize=9)

# %% [markdown]
# Most of what the likelihood says about an image is how simple it is. That is no surprise once you have read it as a length of a code:
# simple images have short codes, whatever they show.
#
# ### Two repairs, and their limits
#
# - **Two-sided.** Too probable is as suspicious as too improbable (Nalisnick and others 2019b). Score by the distance from the mean of normal images, in standard deviations.
# - **Against a general compressor.** Subtract what any program would charge for an image so simple (Serrà and others 2020). Score by
#   $-\log p(x)$ minus the length that `zlib` needs, in nats. It asks: is this image hard *for a model of clothes* alone?


# %% tags=["trained"]
def zlib_nats(x):
    """Length of the compressed image in nats, 8 pixels a byte, (N,)."""
    bits = x.view(len(x), -1, 8).long() @ 2 ** torch.arange(7, -1, -1)
    lengths = [len(zlib.compress(bytes(row), 9)) for row in bits.tolist()]
    return torch.tensor(lengths, dtype=torch.float32) * 8 * math.log(2)


def two_sided(log_prob):
    return (log_prob - normal.mean()).abs() / normal.std()


general = zlib_nats(x_test)
print("AUROC                   −log p   two-sided   against zlib")
scores = {}
for name, x in kinds.items():
    scores[name] = (
        rule[name],
        auroc(two_sided(normal), two_sided(found[name])),
        auroc(-normal - general, -found[name] - zlib_nats(x)),
    )
    print(f"{name:20} {scores[name][0]:9.2f} {scores[name][1]:11.2f} {scores[name][2]:14.2f}")
assert scores["a black image"][1] > 0.7
assert scores["sprites"][2] > 0.9
assert scores["handwritten digits"][1] < 0.6, "an anomaly with a typical likelihood"

# %% [markdown]
# Both find the black image and the sprites. The two-sided score does not find the digits: many of them have just the likelihood of a shirt. One
# number cannot tell apart what has the same number. The comparison with `zlib` helps a little more, and no
# score is best everywhere. The lesson is not "never use the likelihood". It is: say what kind of anomaly you look for, test the score on
# such anomalies, and do not trust it beyond. Units 04 and 05 try other scores.

# %% [markdown]
# ## 8 · What goes wrong
#
# Eight mistakes that everybody makes once. None of them raises an error.
#
# ### 1 · A mask that shows the pixel itself
#
# Kind B in the first layer; or `>=` where `>` belongs. The network copies its input to its output.

# %%
cheat = LogisticAutoregression(9)
cheat.mask = torch.ones(9, 9).tril()  # the diagonal is open
cheat = fit(cheat, patches, 600, learning_rate=0.1, batch_size=1000, loss_fn=exact_nll)
print(f"−E log p     {cross_entropy(cheat):.3f} nats, below the entropy of {entropy:.3f}")
print(f"sum of p(x)  {total_probability(cheat.logits):.1f}")
assert cross_entropy(cheat) < entropy, "impossible for a probability"
assert total_probability(cheat.logits) > 10

_ = torch.manual_seed(0)
for first in "AB":
    seen = receptive_field(
        masked_stack(3, first), (7, 7), generator=seeded(16), dtype=torch.float64
    )
    print(f"first layer of kind {first}: the output sees its own pixel: {bool(seen[3, 3])}")
    assert bool(seen[3, 3]) == (first == "B")

all_a = nn.Sequential(*(MaskedConv2d(1, 1, 3, kind="A") for _ in range(3))).double()
seen = receptive_field(
    lambda x: all_a(x[:, None])[:, 0],
    (7, 7),
    tolerance=1e-12,
    generator=seeded(16),
    dtype=torch.float64,
)
print(f"kind A in all three layers: sees its left neighbour: {bool(seen[3, 2])}")
assert not seen[3, 2]
assert not seen[2, 3], "nor the pixel above"
assert seen.any()

# %% [markdown]
# Symptom: a likelihood that is too good to be true, and a sum of probabilities far above 1. The other way round, kind A in *all*
# layers, is legal and wasteful: the sum is 1, but the output does not see its neighbours to the left and above.
#
# ### 2 · Drawing in another order than the model's
#
# A transposed mask is a good model, in the reverse order. Its likelihood is right, its sum is 1. Draw from it line by line, and
# each pixel is drawn from a conditional whose past is still empty. The same with MADE in the shuffled order.
#
# ### 3 · No feedback
#
# Call the network once, on an empty image, and draw all pixels from its answers.
#
# ### 4 · The most probable value instead of a draw
#
# `logits > 0` in place of a draw.
#
# The small world shows all three, because there you know how often each patch should come. The model takes the middle pixel first
# (section 3).

# %% tags=["trained"]
_ = torch.manual_seed(0)
centre9 = MADE(9, hidden=(100,), order=my_order)
centre9 = fit(centre9, patches, 600, learning_rate=0.01, batch_size=1000, loss_fn=exact_nll)
p_centre = centre9.log_prob(EVERY).double().exp()


def four_ways(model, num_draws, generator):
    """Draws: right, in another order, without feedback, and the most probable values."""
    dim, empty = model.dim, torch.zeros(num_draws, model.dim)
    return {
        "right": model.sample(num_draws, generator=generator),
        "another order": sample_sequentially(model.logits, (dim,), num_draws, generator=generator),
        "no feedback": torch.bernoulli(model.logits(empty).sigmoid(), generator=generator),
        "most probable": model.sample(num_draws, temperature=1e-6, generator=generator),
    }


print(f"sum of p(x): {p_centre.sum():.5f}; the likelihood of this model is right in all four cases")
for name, draws in four_ways(centre9, S, seeded(17)).items():
    statistic, freedom = misfit(draws, p_centre)
    different = len(draws.unique(dim=0))
    print(f"{name:14} chi squared {statistic:9.0f} ({freedom} expected), {different} different")
    accepted = statistic < freedom + 6 * math.sqrt(2 * freedom)
    assert accepted == (name == "right")

# %% tags=["trained"]
cases = four_ways(made_shuffled, 10, seeded(18))
print(f"test images    {made_shuffled.log_prob(x_test).mean():8.1f} nats")
for name, draws in cases.items():
    print(f"{name:14} {made_shuffled.log_prob(draws).mean():8.1f} nats")
fig, ax = plt.subplots(figsize=(8.4, 3.6))
plots.draw_images(ax, list(cases.values()), names=list(cases))

# %% [markdown]
# Symptom on clothes: pictures that fall apart, or ten times the same one. The likelihood of test images cannot show it, because no sampler is
# involved. The likelihood of the *draws* cannot either: wrong draws may be more probable than right ones (section 7). So test a sampler
# where you can enumerate.
#
# ### 5 · A product of probabilities
#
# The formula has a product. In floating point it is zero.

# %% tags=["trained"]
p_each = made.log_prob_per_dim(x_test[:3]).exp()
print("log of the product ", p_each.prod(1).log().tolist())
print("sum of the logs    ", [round(v, 1) for v in made.log_prob(x_test[:3]).tolist()])
assert (p_each[:1].prod(1) == 0).all()
sure_and_wrong = torch.tensor([200.0])
naive = (1 - torch.sigmoid(sure_and_wrong)).log().item()
stable = torch.nn.functional.logsigmoid(-sure_and_wrong).item()
print(f"log(1 − sigmoid(200)): {naive}, by logsigmoid: {stable:.0f}")
assert naive == -math.inf
assert stable == -200

# %% [markdown]
# Symptom: $-\infty$, or a loss of `nan` after one sure and wrong pixel. Sum logarithms, and compute them from the logits.
#
# ### 6 · Bits that are none
#
# Three ways to report a wrong number for the fair coin, which has 1 bit per dimension.

# %%
nll = -coin.log_prob(x_test[:1]).item()
images_of_colour = (
    3 * 32 * 32 * math.log(256)
)  # nats of 256 equal levels, 32 x 32 pixels, 3 colours
print(f"right                    {bits_per_dim(nll, D):.3f}")
print(f"nats called bits         {nll / D:.3f}")
print(f"multiplied by log 2      {nll / D * math.log(2):.3f}")
print(f"a colour image, right    {bits_per_dim(images_of_colour, 3072):.3f}")
print(f"divided by pixels alone  {bits_per_dim(images_of_colour, 1024):.3f}")
assert abs(bits_per_dim(nll, D) - 1) < 1e-4
assert abs(bits_per_dim(images_of_colour, 3072) - 8) < 1e-9

# %% [markdown]
# Symptom: a model of coins, or of equal levels, does not have its $\log_2 K$ bits. Test your function there.
#
# ### 7 · Grey values in a model of zeros and ones
#
# The formula $x \log p + (1 - x) \log (1 - p)$ accepts $x = 0.3$ without complaint. But what comes out is the logarithm of nothing: over all
# grey values of one pixel it does not integrate to 1.
#
# $$\int_0^1 p^x (1 - p)^{1 - x}\, dx = \frac{2p - 1}{\log p - \log(1 - p)} \le \frac12$$

# %%
p = torch.tensor([0.01, 0.2, 0.4, 0.9], dtype=torch.float64)
x = torch.linspace(0, 1, 10_001, dtype=torch.float64)[:, None]
values = torch.exp(x * p.log() + (1 - x) * (1 - p).log())
integral = torch.trapezoid(values, x, dim=0)
formula = (2 * p - 1) / (p.log() - (1 - p).log())
assert torch.allclose(integral, formula, atol=1e-6), "the trapezoid's error is of order 1e-8"
assert (integral <= 0.5).all()
print("p        ", [round(v, 2) for v in p.tolist()])
print("integral ", [round(v, 3) for v in integral.tolist()])

# %% [markdown]
# Symptom: none, until you compare with somebody else's nats. Draw the pixels (as here), or use a model of grey levels: $K$ values for each pixel
# and a softmax, as in unit 07. Unit 05 has the whole story.
#
# ### 8 · The same name, other data
#
# "Binarised" may mean drawn or cut at one half. Those are different data, with different entropies. Train the same model on both.

# %% tags=["trained"]
cut = fit(
    LogisticAutoregression(D),
    (grey_train > 0.5).float(),
    500,
    learning_rate=4e-3,
    loss_fn=exact_nll,
)
drawn_nats = results["logistic regressions"]
cut_nats = -cut.log_prob((grey_test > 0.5).float()).mean().item()
print(f"drawn:       {drawn_nats:.1f} nats a test image")
print(f"cut at 1/2:  {cut_nats:.1f}")
assert cut_nats < drawn_nats - 50

# %% [markdown]
# Symptom: a result that beats the literature by a wide margin. Nats compare models **of the same data** only.

# %% [markdown]
# ## 9 · What it does not give you
#
# Exact likelihoods, simple training, good textures. And three things are missing.
#
# 1. **No short description.** There is no code $z$ that stands for the image. You cannot ask which kind of thing it
#    shows, change one property, or go from one image to another.
# 2. **No parallel drawing.** 784 calls, one after the other.
# 3. **No free choice of what is given.** The order decides.
#
# The first is the deepest. It is not that the model knows nothing of kinds. Look at a world with two kinds of images, light and dark. In a
# light one each pixel is white with probability 0.8, in a dark one with 0.2, independently. Nobody tells you the kind. With a **hidden
# variable** $z$ the probability of an image is a sum over kinds:
#
# $$p(x) = \sum_z p(z) \prod_d p(x_d \mid z)$$
#
# The same distribution as a product of conditionals:
#
# $$p(x_d \mid x_{<d}) = \sum_z p(z \mid x_{<d})\, p(x_d \mid z)$$
#
# The autoregressive model has to *guess the kind from what it has seen*, anew at each pixel, and never writes it down.

# %%
WHITE = torch.tensor([0.8, 0.2], dtype=torch.float64)  # p(x_d = 1 | z) for light and dark
every = EVERY.double()
per_kind = every[:, :, None] * WHITE + (1 - every[:, :, None]) * (1 - WHITE)  # (512, 9, 2)
with_hidden = (0.5 * per_kind.prod(1)).sum(1)  # the sum over z

belief = torch.full((512, 2), 0.5, dtype=torch.float64)  # p(z | nothing seen)
product = torch.ones(512, dtype=torch.float64)
next_white = []
for d in range(9):
    next_white.append(belief @ WHITE)  # p(x_d = 1 | x_<d)
    conditional = (belief * per_kind[:, d]).sum(1)
    product *= conditional
    belief = belief * per_kind[:, d] / conditional[:, None]  # Bayes' rule: p(z | x_<d+1)
assert torch.allclose(product, with_hidden, rtol=1e-12), "two ways to write one distribution"
assert abs(product.sum() - 1) < 1e-12
next_white = torch.stack(next_white, 1)

fig, ax = plt.subplots(figsize=(8.2, 3.1))
stories = {"white, white, white …": 511, "white, black, white, black …": 0b101010101, "black …": 0}
for (name, code), colour in zip(stories.items(), (BLUE, GREEN, ORANGE), strict=True):
    ax.plot(range(9), next_white[code], "o-", color=colour, label=name)
ax.axhline(0.8, color="black", linestyle=":", linewidth=1)
ax.axhline(0.2, color="black", linestyle=":", linewidth=1)
ax.set(xlabel="pixels seen", ylabel="p(next pixel is white)", ylim=(0, 1))
ax.set_title("The kind is guessed, and never named")
_ = ax.legend(fontsize=9, loc="center left", bbox_to_anchor=(1.02, 0.5))
print("after one white pixel:", round(next_white[511, 1].item(), 2))
print("after three of them:  ", round(next_white[511, 3].item(), 3))

# %% [markdown]
# Given the kind, all pixels are independent: they could be drawn at once. The hidden variable would be the short description. What it costs
# is the sum over $z$, which is harmless with two kinds and hopeless with a million. That trade, a sum for a description, is the subject of all that
# follows. **Unit 01** starts with few kinds, where the sum is easy. Unit 07 comes back to autoregressive models, as the prior over the codes of a
# VQ-VAE, and has the best of both.
#
# ## Summary
#
# - Every distribution is a product of conditionals, in every order. An autoregressive model learns them, so its $\log p(x)$ is
#   exact and takes one pass.
# - Enumerate a small case: the probabilities must sum to 1. Perturb inputs: no output may react to its own or a later pixel.
# - Masks make a network causal: degrees in dense layers, kinds A and B in convolutions. Stacked masked convolutions have a blind
#   spot.
# - Bits per dimension are $-\log p(x) / (D \log 2)$. Less is a better compressor; the entropy of the data is the floor.
# - Every order is right, not every order is easy. For logistic regressions on clothes a shuffled order beats line by line.
# - A draw takes $D$ calls, one after the other, and only what comes first in the order can be given.
# - $-\log p(x)$ finds noise and inverted images, and fails for simple ones: a black image is more probable than every shirt. High likelihood is not
#   typical, even when the model is exactly right.
# - There is no short description of an image. That needs a hidden variable.
#
# ## Exercise
#
# `exercises/00_autoregressive` asks you to build it: the chain rule in two orders, the exact likelihood, bits per dimension, masks for
# convolutions, channels and any order, a network and the test of what it sees, drawing with given pixels, and anomaly scores, with the case
# in which the likelihood fails. Its first part shows `check` and `hint` once more, at your own pace.
#
# ## References
#
# - R. M. Neal (1992). Connectionist learning of belief networks. *Artificial Intelligence* 56, 71–113.
# - B. J. Frey, G. E. Hinton and P. Dayan (1996). Does the wake-sleep algorithm produce good density estimators? *Advances in Neural
#   Information Processing Systems* 8.
# - H. Larochelle and I. Murray (2011). The neural autoregressive distribution estimator. *AISTATS*.
# - B. Uria, I. Murray and H. Larochelle (2014). A deep and tractable density estimator. arXiv 1310.1757. One network for many orders.
# - M. Germain, K. Gregor, I. Murray and H. Larochelle (2015). MADE: masked autoencoder for distribution estimation. arXiv
#   1502.03509. Sections 3 and 4 for the masks.
# - A. van den Oord, N. Kalchbrenner and K. Kavukcuoglu (2016). Pixel recurrent neural networks. arXiv 1601.06759. Section 3.4 for
#   kinds A and B.
# - A. van den Oord, N. Kalchbrenner, O. Vinyals, L. Espeholt, A. Graves and K. Kavukcuoglu (2016). Conditional image generation with
#   PixelCNN decoders. arXiv 1606.05328. Figure 1 for the blind spot.
# - L. Theis, A. van den Oord and M. Bethge (2016). A note on the evaluation of generative models. arXiv 1511.01844.
# - E. Nalisnick, A. Matsukawa, Y. W. Teh, D. Gorur and B. Lakshminarayanan (2019). Do deep generative models know what they don't
#   know? arXiv 1810.09136.
# - E. Nalisnick, A. Matsukawa, Y. W. Teh and B. Lakshminarayanan (2019b). Detecting out-of-distribution inputs to deep generative
#   models using typicality. arXiv 1906.02994.
# - J. Serrà, D. Álvarez, V. Gómez, O. Slizovskaia, J. F. Núñez and J. Luque (2020). Input complexity and out-of-distribution detection
#   with likelihood-based generative models. arXiv 1909.11480.
# - H. Xiao, K. Rasul and R. Vollgraf (2017). Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms. arXiv
#   1708.07747.
