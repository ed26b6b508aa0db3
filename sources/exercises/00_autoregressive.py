# %% [markdown]
# # Exercise 00 · Autoregressive models
#
# This is the first notebook of the course. You take a distribution apart by the chain rule, read off exact likelihoods of images, build
# networks that cannot look ahead, and find out what they see. You draw images one pixel after the other. At the end you use the likelihood to
# find anomalies, and meet the case in which that goes wrong. The first part also shows you how these notebooks work.
#
# **How it works.** Each exercise asks for one function.
#
# 1. Replace the line `raise NotImplementedError` by your answer and run the cell (Shift+Enter).
# 2. Run the cell below it, `check(your_function)`. It tries your function on fresh random inputs and says what it
#    found. Check as often as you like: nothing is counted.
# 3. Stuck? Type `hint(your_function)` into a new cell. There are three hints: the principle, the place, and nearly
#    the code. The second and the third open after one more check each.
#
# **Rules.** Arrays come and go as torch tensors, in float64 unless an exercise says otherwise: give new tensors the type of
# the old ones, as in `torch.zeros(3, dtype=x.dtype)`. Where one number is asked for, return a number or a tensor with one
# element. Do not change the arguments: work on copies. All randomness comes from the arguments, such as `generator`. The point is to write the
# functions yourself: `course_lib.autoregressive` has most of them, and cannot be imported while your notebook is graded. `torch.distributions` and
# `torch.nn.functional` are there for you to use.
#
# An answer that is right in ordinary cases and fails only at extreme inputs gets half the points.
#
# Each exercise states its difficulty (1 to 5), the minutes it takes, and its points. There are 25 points that are
# checked by the computer and 4 that a person marks.

# %% setup="imports"
import matplotlib.pyplot as plt
import torch

from autograder import check, hint, when_answered
from course_lib import plots
from course_lib.data import digits

plots.use_style()
_ = torch.set_num_threads(1)  # small networks: more threads would wait for each other

# %% [markdown]
# ## Notation
#
# | symbol | in code | shape | meaning |
# |---|---|---|---|
# | $x_n$ | `x` | (N, H, W) | image number n; its pixels are 0 or 1 |
# | $x_d$ | | | value number d of one example, of D; pixels are counted line by line from the top left |
# | $x_{<d}$ | | | the values that come before value d in the chosen order |
# | $a_d$ | `logits` | (N, H, W) | logit of pixel d: $p(x_d = 1 \mid x_{<d}) = \mathrm{sigmoid}(a_d)$ |
# | $p(x)$ | `log_prob` | (N,) | the likelihood; its logarithm is in nats |
#
# All logarithms are natural. A model is a function `logits_fn`: it takes images and gives the logits of all pixels.

# %% [markdown]
# # Part A. Warm-up
#
# ## A1. The chain rule
#
# *Difficulty 1, 5 minutes, 1 point.*
#
# Two variables $a$ and $b$ can take K and L values. You are given $p(a)$ as `first` (K,), and $p(b \mid a)$ as `second` (K, L): row $a$ holds the
# probabilities of $b$ for this value of $a$, and sums to 1. Some may be 0. Return the joint
#
# $$p(a, b) = p(a)\, p(b \mid a)$$
#
# as a table (K, L), row $a$, column $b$.
#
# **Use this exercise to get to know the machine.** First answer wrongly: write `return first * second`, run the cell, then run the check below. It says
#
# ```text
# ✗ joint_table is not right yet
#   `first * second` multiplies column a by p(a), or fails where K and L differ. Entry a belongs to row a: …
#   ✗ Gives p(a) p(b | a) for every pair of values, in row a and column b
#       joint_table for K = 2, L = 2 at [0, 1] is 0.478055; expected 0.258726 (2 of 4 values differ)
#   ✗ Works in single precision
#   …
# ```
#
# The first line after the verdict is about *your* mistake, where the check knows it. Below it stand the properties that a right answer has, each with what was found. The numbers change
# with every check, because the inputs do. So there is nothing to memorise, and nothing to fit to. Now type `hint(joint_table)` into a new cell, and then mend your answer.


# %% solution="joint_table"
def joint_table(first, second):
    """Probabilities of all pairs of values: (K,), (K, L) -> (K, L)."""
    ### BEGIN SOLUTION
    return first[:, None] * second
    ### END SOLUTION


# %% tests="check-joint_table" points=1
check(joint_table)

# %% [markdown]
# **Look at it.** Cells like the next one use your answers. They have no points. As long as the answer is missing they say so. When you are done with the notebook, run it once from top to bottom (*Kernel, Restart Kernel and
# Run All Cells*), so that nothing depends on a cell that you have changed since.

# %% setup="look-at-the-joint"
with when_answered(joint_table):
    weather = torch.tensor([0.7, 0.3], dtype=torch.float64)  # dry, rain
    umbrella = torch.tensor([[0.9, 0.1], [0.2, 0.8]], dtype=torch.float64)  # left at home, taken
    joint = joint_table(weather, umbrella)
    print("          left at home   taken")
    for name, row in zip(("dry", "rain"), joint.tolist(), strict=True):
        print(f"{name:5s} {row[0]:16.2f} {row[1]:7.2f}")
    print(f"all together {joint.sum():.2f}")

# %% [markdown]
# ## A2. The other order
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# The chain rule holds in any order. From the same two tables as in A1, with all $p(a)$ positive and every value of $b$ possible (if only with a probability of about 1e-10), find the description in which $b$ comes first:
#
# $$p(a, b) = p(b)\, p(a \mid b)$$
#
# Return two tensors: $p(b)$ (L,), and $p(a \mid b)$ as a table (L, K) whose row $b$ sums to 1. You may use `joint_table`.


# %% solution="reverse_order"
def reverse_order(first, second):
    """p(b) and p(a | b) from p(a) and p(b | a): (K,), (K, L) -> (L,), (L, K)."""
    ### BEGIN SOLUTION
    joint = joint_table(first, second)
    new_first = joint.sum(dim=0)
    return new_first, (joint / new_first).T
    ### END SOLUTION


# %% tests="check-reverse_order" points=2
check(reverse_order)

# %% [markdown]
# # Part B. A likelihood you can read off
#
# ## B1. The probability of an image
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# `logits_fn` takes images (N, H, W) and gives logits of the same shape. The logit of a pixel depends on the pixels before it only. Return the exact log-likelihood of each image in nats, (N,):
#
# $$\log p(x) = \sum_d \log p(x_d \mid x_{<d})$$
#
# Call `logits_fn` **exactly once**, with the images `x` themselves. The pixels are 0.0 or 1.0, in float64 or float32. The result must also hold where the network is as sure as logits of ±200.


# %% solution="ar_log_prob"
def ar_log_prob(logits_fn, x):
    """Log-likelihood of binary images in nats: function, (N, H, W) -> (N,)."""
    ### BEGIN SOLUTION
    logits = logits_fn(x)
    log_one = torch.nn.functional.logsigmoid(logits)
    log_zero = torch.nn.functional.logsigmoid(-logits)
    return (x * log_one + (1 - x) * log_zero).sum(dim=(1, 2))
    ### END SOLUTION


# %% tests="check-ar_log_prob" points=2
check(ar_log_prob)

# %% [markdown]
# ## B2. Bits per dimension
#
# *Difficulty 1, 5 minutes, 1 point.*
#
# A log-likelihood grows with the image, so it is hard to compare. Papers report
#
# $$\frac{-\log p(x)}{D \log 2}$$
#
# instead, where D is the number of all values of one example. You are given `nll`, a tensor (N,) with $-\log p(x)$ in nats for N examples, and `shape`, the shape of one example as a tuple of any length, such as (3, 32, 32) or
# (784,). Return (N,).


# %% solution="bits_per_dim"
def bits_per_dim(nll, shape):
    """Bits per dimension from nats per example: (N,), tuple -> (N,)."""
    ### BEGIN SOLUTION
    num_dims = torch.Size(shape).numel()
    return nll / (num_dims * torch.tensor(2.0, dtype=nll.dtype).log())
    ### END SOLUTION


# %% tests="check-bits_per_dim" points=1
check(bits_per_dim)

# %% [markdown]
# # Part C. Networks that cannot look ahead
#
# ## C1. A mask for a convolution
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# The kernel of a convolution lies with its middle on a pixel and looks at the neighbours. To keep the future out, some of its weights are multiplied by 0. Return this mask: a table (k, k) with 1 where a weight looks at a pixel that comes **before** the
# middle, line by line from the top left, and 0 where it looks at a later one. In the middle itself stands 0 for `kind` "A" and 1 for "B". `kernel_size` is odd: 1, 3, 5, … Any type of number will do.


# %% solution="causal_mask"
def causal_mask(kernel_size, kind):
    """Which weights may look: odd number, "A" or "B" -> (k, k) of zeros and ones."""
    ### BEGIN SOLUTION
    middle = kernel_size // 2
    mask = torch.ones(kernel_size, kernel_size, dtype=torch.float64)
    mask[middle, middle + 1 :] = 0
    mask[middle + 1 :] = 0
    if kind == "A":
        mask[middle, middle] = 0
    return mask
    ### END SOLUTION


# %% tests="check-causal_mask" points=2
check(causal_mask)

# %% [markdown]
# ## C2. Colours have an order too
#
# *Difficulty 3, 20 minutes, 2 points.*
#
# In a colour image each pixel holds C values, its channels. The order goes pixel by pixel, and inside a pixel from channel 0 to channel C−1. So a weight may look at **all** channels of the pixels before, and at no channel of the pixels after. In the middle, output channel
# $c$ may look at the input channels before $c$; for `kind` "B" also at channel $c$ itself. Return the mask as a tensor (C, C, k, k) with the axes of a weight of `torch.conv2d`: output channel, input channel, line, column. `num_channels` is C, 1 or more. You may use `causal_mask`.


# %% solution="channel_mask"
def channel_mask(kernel_size, kind, num_channels):
    """Which weights may look if there are channels: -> (C, C, k, k) of zeros and ones."""
    ### BEGIN SOLUTION
    mask = causal_mask(kernel_size, "A").repeat(num_channels, num_channels, 1, 1)
    middle = kernel_size // 2
    pairs = torch.ones(num_channels, num_channels, dtype=mask.dtype)
    mask[:, :, middle, middle] = pairs.tril(-1) if kind == "A" else pairs.tril()
    return mask
    ### END SOLUTION


# %% tests="check-channel_mask" points=2
check(channel_mask)

# %% [markdown]
# ## C3. A stack of masked convolutions
#
# *Difficulty 3, 20 minutes, 2 points.*
#
# Build a network from your masks. `x` is (N, H, W), and `kernels` is a list of one or more tensors (k, k) with odd sizes that may differ. Layer after layer: multiply the kernel by the mask of its size, of kind A in the first layer and of kind B in all
# others; then apply `torch.conv2d` with zeros around the image, so that H and W stay. Between two layers stands tanh: not before the first and not after the last one. There is one channel and no bias. Return the logits (N, H, W). You may use
# `causal_mask`. The check also looks at gradients, so compute with torch alone.


# %% solution="masked_network"
def masked_network(x, kernels):
    """Logits of a causal network: (N, H, W), list of (k, k) -> (N, H, W)."""
    ### BEGIN SOLUTION
    h = x[:, None]
    for layer, kernel in enumerate(kernels):
        if layer > 0:
            h = torch.tanh(h)
        mask = causal_mask(len(kernel), "A" if layer == 0 else "B")
        weight = kernel * torch.as_tensor(mask, dtype=kernel.dtype)
        h = torch.conv2d(h, weight[None, None], padding=len(kernel) // 2)
    return h[:, 0]
    ### END SOLUTION


# %% tests="check-masked_network" points=2
check(masked_network)

# %% [markdown]
# ## C4. What an output sees, and what it misses
#
# *Difficulty 3, 25 minutes, 3 points.*
#
# Is a network causal, and does it see *all* of the past? Find out from outside. `logits_fn` takes images (N, H, W), with `height` H and `width` W, and gives logits of the same shape. Look at the one output in line `row` and column `column`, counted from 0. Return two tables (H, W) of
# truth values:
#
# 1. `seen`: True for every pixel that this output depends on, wherever it is. Do not assume that the network is causal.
# 2. `blind`: True for the pixels that come before (`row`, `column`), line by line, and are **not** seen. This is the blind spot.
#
# Some networks look at a pixel only where another pixel has a certain value. So one image is not enough: try random binary images, made with `generator`. In at least three of four such images, changing a pixel that counts changes the logit by more than 0.001; pixels that do not count
# change it by nothing but rounding. Twenty images are plenty. You may ask about many images in one call, up to 20 000 numbers; that is much faster than one call for each. The network is defined for all real numbers, and autograd goes through it, if you would like to use that.


# %% solution="receptive_field"
def receptive_field(logits_fn, height, width, row, column, generator):
    """What an output sees, and what it misses of the past: two tables (H, W) of truth values."""
    ### BEGIN SOLUTION
    dim = height * width
    seen = torch.zeros(dim, dtype=torch.bool)
    for _ in range(20):
        image = torch.randint(2, (dim,), generator=generator).double()
        flipped = (image + torch.eye(dim, dtype=torch.float64)) % 2  # row i: pixel i is changed
        batch = torch.cat((image[None], flipped)).view(-1, height, width)
        logit = logits_fn(batch)[:, row, column]
        seen |= (logit[1:] - logit[0]).abs() > 1e-5
    past = torch.arange(dim) < row * width + column
    return seen.view(height, width), (past & ~seen).view(height, width)
    ### END SOLUTION


# %% tests="check-receptive_field" points=3
check(receptive_field)

# %% [markdown]
# **Look at it.** The network of C3 with one, two and four layers, as the pixel in the middle (dot) sees it. Each layer lets it see further. But a wedge to the right stays blind, however many layers you add: a kernel that may not look to the right in
# its own line reaches a pixel above and to the right only by going up at least one line for each step to the side. Unit 07 repairs this.

# %% setup="draw-receptive-fields"
with when_answered(masked_network), when_answered(receptive_field):
    figure, axes = plt.subplots(1, 3, figsize=(8.4, 3.0))
    for num_layers, panel in zip((1, 2, 4), axes, strict=True):
        generator = torch.Generator().manual_seed(0)
        shape = (num_layers, 3, 3)
        kernels = list(0.2 + 0.2 * torch.rand(shape, generator=generator, dtype=torch.float64))
        seen, blind = receptive_field(
            lambda x, kernels=kernels: masked_network(x, kernels), 11, 11, 6, 5, generator
        )
        picture = torch.full((11, 11, 3), 0.93)
        picture[torch.as_tensor(seen).bool()] = torch.tensor([0.34, 0.71, 0.91])
        picture[torch.as_tensor(blind).bool()] = torch.tensor([0.84, 0.37, 0.0])
        panel.imshow(picture)
        panel.plot(5, 6, "o", color="black")
        panel.set_title(f"{num_layers} layer{'s' * (num_layers > 1)}")
        panel.set_xticks([])
        panel.set_yticks([])
    for name, colour in (("seen", (0.34, 0.71, 0.91)), ("before, not seen", (0.84, 0.37, 0.0))):
        axes[1].plot([], [], "s", color=colour, label=name)
    axes[1].legend(loc="upper center", bbox_to_anchor=(0.5, -0.02), ncol=2)

# %% [markdown]
# ## C5. Any order will do
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# A dense layer has no neighbours, so nothing forces the order of the pixels. `order` is a permutation (D,) of 0 … D−1: the variable `order[0]` comes first, then `order[1]`, and so on. Return the mask (D, D) of a dense layer whose rows are outputs and whose columns
# are inputs: 1 in row d and column j where variable j comes before variable d, and 0 elsewhere. Any type of number will do.


# %% solution="order_mask"
def order_mask(order):
    """Who may see whom in this order: (D,) -> (D, D) of zeros and ones."""
    ### BEGIN SOLUTION
    place = order.argsort()
    return (place[:, None] > place).double()
    ### END SOLUTION


# %% tests="check-order_mask" points=2
check(order_mask)

# %% [markdown]
# **Look at it.** A first model of real data: digits of 8 × 8 pixels, black or white. Each pixel is a logistic regression on the pixels before it, $a_d = b_d + \sum_{j} W_{dj} x_j$, with your mask on $W$. Three models are trained, with
# three orders. Every order gives a proper model, and each a somewhat different one. How much is it worth to know the pixels before? Compare with the model in which all pixels are independent.

# %% setup="train-digits"
with when_answered(ar_log_prob), when_answered(bits_per_dim), when_answered(order_mask):
    images = (digits()[0].reshape(-1, 8, 8) > 0.5).double()  # black and white
    train_images, test_images = images[:1400], images[1400:]

    def fit_digits(data, order, num_steps=120):
        """A logistic autoregression of (N, 8, 8) images, by your mask and your likelihood."""
        mask = torch.as_tensor(order_mask(order), dtype=torch.float64)
        weight = torch.zeros(64, 64, dtype=torch.float64, requires_grad=True)
        bias = torch.zeros(64, dtype=torch.float64, requires_grad=True)

        def logits_fn(x):
            return (x.flatten(1) @ (weight * mask).T + bias).view(-1, 8, 8)

        optimiser = torch.optim.Adam([weight, bias], lr=0.05)
        for _ in range(num_steps):
            optimiser.zero_grad()
            loss = -ar_log_prob(logits_fn, data).mean() + 0.003 * weight.square().sum()
            loss.backward()
            optimiser.step()
        weight.requires_grad_(False)
        bias.requires_grad_(False)
        return logits_fn

    lines = torch.arange(64)
    orders = {
        "line by line": lines,
        "column by column": lines.view(8, 8).T.flatten(),
        "shuffled": torch.randperm(64, generator=torch.Generator().manual_seed(0)),
    }
    models = {name: fit_digits(train_images, order) for name, order in orders.items()}
    share = train_images.mean(dim=0).clamp(0.001, 0.999)
    models["independent pixels"] = lambda x: share.logit().expand_as(x)
    for name, logits_fn in models.items():
        nll = -ar_log_prob(logits_fn, test_images).mean()
        bits = float(bits_per_dim(nll[None], (8, 8))[0])
        print(f"{name:20s} {nll:6.2f} nats per test image, {bits:.3f} bits per dimension")

# %% [markdown]
# # Part D. Drawing
#
# ## D1. One pixel after the other
#
# *Difficulty 3, 25 minutes, 3 points.*
#
# Draw `num_samples` images (S, H, W) of 0 and 1 from a model. `shape` is (H, W), and `logits_fn` takes images (S, H, W) of numbers and gives their logits; the order is line by line. `init` is a tensor (H, W): 0.0 or 1.0 is a pixel that is given, and −1.0 one that is to
# be drawn. Given pixels keep their value in all images, and the network must be asked about images that hold them. What it is told about pixels that are not drawn yet does not matter. Divide the logits by `temperature`, a positive number.
# The network may be as sure as logits of ±800. S may be 1: the result keeps three axes.
#
# Call `logits_fn` **exactly once for each pixel that is not given**, for all S images together. Take all randomness from `generator`, which may have been used before. Return zeros and ones of any type.


# %% solution="sample_ar"
def sample_ar(logits_fn, shape, num_samples, temperature, init, generator):
    """Binary images from an autoregressive model: -> (S, H, W)."""
    ### BEGIN SOLUTION
    height, width = shape
    x = init.clamp(min=0).repeat(num_samples, 1, 1)
    for row in range(height):
        for column in range(width):
            if init[row, column] < 0:
                logits = logits_fn(x)[:, row, column] / temperature
                p = torch.sigmoid(logits)
                x[:, row, column] = torch.bernoulli(p, generator=generator)
    return x
    ### END SOLUTION


# %% tests="check-sample_ar" points=3
check(sample_ar)

# %% [markdown]
# **Look at it.** Digits from your sampler, and the lower halves that it puts under given upper ones. The likelihood of an image took one call of the network; each of these drawings took 64 or 32 calls, one after the other. That is the price of this kind of model. And the given half
# must come first in the order: given a *lower* half, this sampler would draw the upper one without looking at it.

# %% setup="draw-digits"
with (
    when_answered(ar_log_prob),
    when_answered(order_mask),
    when_answered(bits_per_dim),
    when_answered(sample_ar),
):
    generator = torch.Generator().manual_seed(1)
    logits_fn = models["line by line"]
    unknown = torch.full((8, 8), -1.0, dtype=torch.float64)
    rows = {
        f"temperature {temperature:g}": sample_ar(
            logits_fn, (8, 8), 12, temperature, unknown, generator
        )
        for temperature in (1.0, 0.5)
    }
    rows["test images"] = test_images[:12]
    completed = []
    for image in test_images[:12]:
        half = unknown.clone()
        half[:4] = image[:4]
        completed.append(sample_ar(logits_fn, (8, 8), 1, 1.0, half, generator)[0])
    rows["lower half drawn"] = torch.stack([torch.as_tensor(x).double() for x in completed])
    figure, axes = plt.subplots(len(rows), 1, figsize=(8.0, 3.4))
    for (name, row), panel in zip(rows.items(), axes, strict=True):
        padded = torch.nn.functional.pad(torch.as_tensor(row).double(), (1, 1, 1, 1), value=0.4)
        panel.imshow(torch.cat(list(padded), dim=1), cmap="gray", vmin=0, vmax=1)
        panel.set_ylabel(name, rotation=0, ha="right", va="center")
        panel.set_xticks([])
        panel.set_yticks([])

# %% [markdown]
# # Part E. Is this image normal?
#
# ## E1. Predict before you compute
#
# *1 point for any number that is possible.*
#
# In some exercises you commit to a number **before** you work it out. You get the point for the commitment, not for being right: a prediction that turns out wrong is the one you remember.
#
# Normal images have 784 pixels. Each pixel is 1 (white) with probability 0.1 and 0 (black) otherwise, independently of the others, and the model knows this exactly. By how many nats is the image in which **all pixels are black** more probable than an average normal image? Return
# $\log p(\text{black}) - \mathbb E \log p(x)$; a negative number if you believe that it is less probable.


# %% solution="predict_black_image"
def predict_black_image():
    """Your prediction: nats by which the black image is more probable than a normal one."""
    ### BEGIN SOLUTION
    return 784 * 0.1 * 2.197
    ### END SOLUTION


# %% tests="check-predict_black_image" points=1
check(predict_black_image)

# %% [markdown]
# ## E2. Where the likelihood is higher on the anomaly
#
# *Difficulty 2, 20 minutes, 2 points.*
#
# The simplest rule calls an image an anomaly if its likelihood is low. You have the log-likelihoods `normal` (N,) of normal images, and `anomalies` (A, T): A kinds of anomaly, T images of each. Find the kinds for which the rule is worse than a coin. Compare every image of
# the kind with every normal image. If the anomaly has the **higher** log-likelihood in more than half of these pairs, the rule fails; at exactly one half it does not. A pair of equal values counts half. Return truth values (A,), True where it fails. N and T may differ.


# %% solution="find_failures"
def find_failures(normal, anomalies):
    """For which kinds of anomaly the likelihood is higher: (N,), (A, T) -> (A,) of truth values."""
    ### BEGIN SOLUTION
    higher = (anomalies[:, :, None] > normal).double()
    equal = (anomalies[:, :, None] == normal).double()
    return (higher + 0.5 * equal).mean(dim=(1, 2)) > 0.5
    ### END SOLUTION


# %% tests="check-find_failures" points=2
check(find_failures)

# %% [markdown]
# ## E3. A score for both sides
#
# *Difficulty 2, 15 minutes, 2 points.*
#
# An image that is much too probable is as suspicious as one that is much too improbable. Return a score (T,) for images with the log-likelihoods `log_prob` (T,): the distance from the mean of `normal` (N,), the log-likelihoods of normal images, in units of the standard deviation of
# `normal`. Never negative; large means strange. N is large, so it does not matter whether you divide by N or N − 1. T may be 1.


# %% solution="anomaly_scores"
def anomaly_scores(log_prob, normal):
    """How far a log-likelihood is from normal ones, in standard deviations: (T,), (N,) -> (T,)."""
    ### BEGIN SOLUTION
    return (log_prob - normal.mean()).abs() / normal.std()
    ### END SOLUTION


# %% tests="check-anomaly_scores" points=2
check(anomaly_scores)

# %% [markdown]
# **Look at it.** A scanner with a fault: each pixel of a digit is flipped with probability 0.1. The model learned what such noisy digits look like. Some things that are not normal come by: inverted digits, digits with a second helping of noise, and clean
# digits without any noise, say pasted in from a file. Which of them does the likelihood find? (The axis is cut at −75 nats: inverted digits lie further left.)

# %% setup="find-anomalies"
with (
    when_answered(ar_log_prob),
    when_answered(order_mask),
    when_answered(find_failures),
    when_answered(anomaly_scores),
):
    generator = torch.Generator().manual_seed(0)

    def flip(x):
        return (x + (torch.rand(x.shape, generator=generator) < 0.1).double()) % 2

    noisy = flip(images)
    logits_fn = fit_digits(noisy[:1400], torch.arange(64))
    test = noisy[1400:]
    kinds = {"inverted": 1 - test, "more noise": flip(test), "clean": test_images}
    normal = ar_log_prob(logits_fn, test)
    anomalies = torch.stack([ar_log_prob(logits_fn, x) for x in kinds.values()])
    figure, axes = plt.subplots(figsize=(6.4, 3.0))
    bins = torch.linspace(-75, -10, 40)
    for name, values in {"normal": normal, **dict(zip(kinds, anomalies, strict=True))}.items():
        _ = axes.hist(values, bins=bins, histtype="step", linewidth=1.8, label=name)
    axes.set_xlabel("log p(x) [nats]")
    axes.set_ylabel("images")
    axes.legend()
    failed = torch.as_tensor(find_failures(normal, anomalies)).bool().tolist()
    print("kind         low likelihood fails   mean score")
    for name, values, fails in zip(
        ("normal", *kinds), (normal, *anomalies), ("", *failed), strict=True
    ):
        score = float(torch.as_tensor(anomaly_scores(values, normal)).mean())
        answer = {True: "yes", False: "no", "": ""}[fails]
        print(f"{name:12s} {answer:>20s} {score:12.1f}")

# %% [markdown]
# ## E4. Explain the failure
#
# *In words, 20 minutes, 4 points, marked by a person.*
#
# You have a model that is *exactly* right for normal images, as in E1, or nearly so, as in E3. Still an image that never occurs among normal ones can have a higher likelihood than all of them.
#
# 1. Use E1 to explain how that is possible. Say what a high likelihood of *one* image means, and what it means that an image is typical. Which of the two does drawing from the model give?
# 2. Why is this worse for images of many pixels? Use how the mean of $\log p(x)$ and its standard deviation grow with D.
# 3. Does the two-sided score of E3 solve the problem? Give an anomaly for the model of E1 that it cannot find, and say what would find it.

# %% [markdown] manual="explain-likelihood" points=4
# **Model answer.** (1) The likelihood is the probability of this one image, not of its kind. In E1 every black pixel is the better guess, so the black image is the single most probable one. But there is one of it, and there are very many images with about 78 white pixels. Each of
# these is less probable by about 172 nats; together they have nearly all of the probability. What you draw from the model is typical: its number of white pixels is about 78, so its log-likelihood is close to the mean, and it is practically never the mode. In the same way the
# clean digits of E3 lack the noise that every normal image has: each pixel takes the more probable value, and so the image is too probable.
#
# (2) $\log p(x)$ is a sum over pixels. For independent pixels its mean, and the distance from the mean to the mode, grow in proportion to D, and its standard deviation to $\sqrt D$. So the gap in standard deviations grows like $\sqrt D$: in E1 it is 172 nats against 18, between nine and ten.
# With few pixels, mode and typical images are close together; with many they are worlds apart.
#
# (3) It finds images that are too probable, so the black one. It cannot find an anomaly with a typical likelihood. In E1 that is any image with about 78 white pixels, whatever its arrangement: 78 white pixels in a block, or a clear picture of a digit. The score looks at one number, and
# the model of E1 knows no arrangement. What helps: a test of other statistics than the likelihood (number of neighbours that agree, for instance), a comparison with a second model (a likelihood ratio), or features that were learned.
#
# **Marking scheme.** 1 point: probability of one image against that of a large set of typical ones, with the black image as the example. 1 point: draws are typical, not the mode. 1 point: mean (or gap) grows with D, standard deviation with $\sqrt D$. 1 point: an anomaly with a typical
# likelihood, and one sensible remedy.
