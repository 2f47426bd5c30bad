# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Exercise 9: batch normalization
#
# A network with BN that is perfect in training and useless afterwards: nearly everybody meets one. The layer
# has two modes, it remembers, and its gradient takes three roads at once. After this notebook you have written
# all of it, and you can make it disappear into the CONV before it.
#
# | | task | difficulty | minutes | points |
# |---|---|---|---|---|
# | (a) | the layer in training | ●●○ | 15 | 10 |
# | (b) | a layer that remembers | ●●○ | 25 | 12 |
# | (c) | the way back | ●●● | 25 | 12 |
# | (d) | folding | ●●○ | 15 | 8 |
# | (e) | a short answer: the bias that never learns | ●●○ | 10 | 3 |
#
# **You need** chapter 9 of the book, NumPy's `mean` and `sum` with several axes, and for (b) Python classes. The tasks do
# not build on each other: if one resists, go on to the next.
#
# **How it works.** Write your code where it says `# YOUR CODE HERE`, run that cell, then run the check below it. A
# check tells you what holds and what does not, as often as you like. The cells with the marks run the same check
# when you hand in, with other numbers.
#
# **When you are stuck:** open hint 1, then 2, then 3. Try the function in a cell of your own (press `b`) on an
# example that you can do by hand.

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Run this cell first.
import numpy as np

from cnnlib.checks.ch09_batch_norm import check, mark

# %% [markdown]
# ## (a) The layer in training
#
# *difficulty ●●○ · importance ●●● · 15 minutes · 10 points*
#
# **A worked number.** One channel holds 2, 4, 10 and 4. Its mean is 5, its variance (9 + 1 + 25 + 1)/4 = 9. With ε = 7, far
# too large for practice but kind to the arithmetic, σ = √(9 + 7) = 4. So x̂ is −3/4, −1/4, 5/4, −1/4. With γ = 2
# and β = 1 the output is −1/2, 1/2, 7/2, 1/2.
#
# **Predict first.** A batch of shape (8, 16, 10, 10). How many means are there, and how many numbers go into each?
#
# <details><summary>Compare your prediction</summary>
# 16 means, one for each channel, over 8 · 10 · 10 = 800 numbers each.
# </details>
#
# ### Your task
#
# Write `batch_norm`, the forward pass in training. It has to work for both ranks.
#
# | argument | meaning |
# |---|---|
# | `x` | rows (N, C) or volumes (N, C, H, W), `float32` or `float64`; must not be changed |
# | `gamma`, `beta` | scale and shift of each channel, (C,), of the type of `x` |
# | `eps` | ε, a `float` |
# | returns | γ · x̂ + β, of the shape and the type of `x` |
#
# The variance is the biased one: it divides by m, the count of numbers in the channel.
#
# <details><summary>Hint 1: ask for one channel</summary>
# Cut channel c out of the batch, as if there were no other. What do you do with these numbers? For rows it is a column.
# </details>
# <details><summary>Hint 2: all channels at once</summary>
# Which axes have to go, so that C numbers are left? NumPy's mean takes a tuple of axes. For rows the tuple is shorter; can
# you make it from the number of axes?
# </details>
# <details><summary>Hint 3: back to the shape of x</summary>
# C numbers must meet axis 1. For a volume that means the shape (1, C, 1, 1), and for rows (1, C). A mean can keep its axes;
# gamma and beta need a reshape.
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | "axis 2 is out of bounds" | rows have two axes only: hint 2 |
# | "operands could not be broadcast" | a (C,) array meets the *last* axis of x: hint 3 |
# | "volumes": values differ, rows are right | which axes the mean runs over: hint 2 |
# | "the variance divides by m" | `ddof`, or a count of your own that is one too small |
# | "eps under the root": values differ | what exactly stands under the root, and whether your function uses its own `eps` |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def batch_norm(x, gamma, beta, eps=1e-5):
    """Normalize each channel of a batch by its own statistics, then scale and shift."""
    ### BEGIN SOLUTION
    all_but_channels = (0, *range(2, x.ndim))
    one_per_channel = (1, -1) + (1,) * (x.ndim - 2)
    mean = x.mean(axis=all_but_channels, keepdims=True)
    variance = x.var(axis=all_but_channels, keepdims=True)
    x_hat = (x - mean) / np.sqrt(variance + eps)
    out = gamma.reshape(one_per_channel) * x_hat + beta.reshape(one_per_channel)
    return out.astype(x.dtype)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (a) as often as you like.
check("a", batch_norm)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "a_marks", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
# Marks for task (a), out of 10. Leave this cell as it is.
mark("a", batch_norm).points

# %% [markdown]
# ## (b) A layer that remembers
#
# *difficulty ●●○ · importance ●●● · 25 minutes · 12 points*
#
# **A worked number.** A new layer for one channel: running mean 0, running variance 1. In training a batch comes with 2, 4, 10, 4. Its
# mean is 5, and its *unbiased* variance 36/3 = 12. With momentum 0.1 the running mean becomes
# 0.9 · 0 + 0.1 · 5 = 0.5 and the running variance 0.9 · 1 + 0.1 · 12 = 2.1.
#
# **Predict first.** Right after this batch the image with the 10 comes again, alone, at test time. Is its x̂ above or below the 5/3
# that it had in training?
#
# <details><summary>Compare your prediction</summary>
# Far above: (10 − 0.5)/√2.1 = 6.56. After one batch the running statistics have come only a tenth of the way.
# </details>
#
# ### Your task
#
# Write the class `BatchNorm`.
#
# | | meaning |
# |---|---|
# | `BatchNorm(channels, momentum=0.1, eps=1e-5)` | a new layer with four arrays (C,): `self.gamma` all 1, `self.beta` all 0, `self.running_mean` all 0, `self.running_var` all 1 |
# | `forward(x, training)` | returns γ · x̂ + β, of the shape of `x`, which is (N, C) or (N, C, H, W) and must not be changed |
# | with `training=True` | x̂ by the batch's mean and biased variance; afterwards both running arrays have moved |
# | with `training=False` | x̂ by the running mean and variance; nothing in the layer changes |
#
# `momentum` is PyTorch's: the weight of the *new* batch. Into `running_var` goes the *unbiased* variance, with divisor
# m − 1, where m counts all numbers of the channel. The check uses the four arrays by these names, and it also sets them.
# `float32` or `float64` may come in; what type comes out is not judged here.
#
# So that you do not need (a), three helpers are given, for both ranks: `statistics`, `normalize` and `scale_and_shift`.
#
# <details><summary>Hint 1: what does the mode decide?</summary>
# Two things: which mean and which variance are used, and whether anything is written down. Write the two modes as two branches
# before you write a formula.
# </details>
# <details><summary>Hint 2: a step towards the batch</summary>
# The new running value lies between the old one and the batch's: a share of one plus the rest of the other. Check with the worked number
# which share is the 0.1. The old value is on <code>self</code>, and the new one has to go back there.
# </details>
# <details><summary>Hint 3: one variance, two divisors</summary>
# <code>statistics</code> gives the sum of squares divided by m. How do you get from there to the sum divided by m − 1? In the worked
# number, 9 has to become 12.
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | "has no attribute …" | the four names in the table, and what `forward` needs later: all belong on `self`, in `__init__` |
# | "training: …" fails, "test time uses …" holds | which statistics go into `normalize` in each branch |
# | "running variance" fails in volumes only | m: it counts positions as well |
# | "batch after batch" | whether the second call sees what the first one left on `self` |
# | "changed an array that it was given" | `x -= …` works on the caller's array; `x = x - …` does not |
#
# Below a message stand the lines that the check ran. Where they show numbers, copy them into a cell of your own.


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for task (b).
def statistics(x):
    """Mean and biased variance of each channel, and m, the count of numbers in each."""
    table = np.moveaxis(x, 1, -1).reshape(-1, x.shape[1])  # a column for each channel
    return table.mean(axis=0), table.var(axis=0), len(table)


def normalize(x, mean, var, eps):
    """Subtract each channel's mean, divide by the root of its variance plus eps."""
    turned = (np.moveaxis(x, 1, -1) - mean) / np.sqrt(var + eps)
    return np.moveaxis(turned, -1, 1)


def scale_and_shift(x_hat, gamma, beta):
    """Multiply each channel by its gamma and add its beta."""
    return np.moveaxis(np.moveaxis(x_hat, 1, -1) * gamma + beta, -1, 1)


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class BatchNorm:
    """Batch normalization with its two modes and its running statistics."""

    def __init__(self, channels, momentum=0.1, eps=1e-5):
        """A new layer, which does not know any image yet."""
        ### BEGIN SOLUTION
        self.momentum = momentum
        self.eps = eps
        self.gamma = np.ones(channels)
        self.beta = np.zeros(channels)
        self.running_mean = np.zeros(channels)
        self.running_var = np.ones(channels)
        ### END SOLUTION

    def forward(self, x, training):
        """Normalize a batch, by its own statistics in training and by the running ones afterwards."""
        ### BEGIN SOLUTION
        if training:
            mean, var, m = statistics(x)
            old, new = 1 - self.momentum, self.momentum
            self.running_mean = old * self.running_mean + new * mean
            self.running_var = old * self.running_var + new * var * m / (m - 1)
        else:
            mean, var = self.running_mean, self.running_var
        x_hat = normalize(x, mean, var, self.eps)
        return scale_and_shift(x_hat, self.gamma, self.beta)
        ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (b) as often as you like.
check("b", BatchNorm)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "b_marks", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
# Marks for task (b), out of 12. Leave this cell as it is.
mark("b", BatchNorm).points

# %% [markdown]
# ## (c) The way back
#
# *difficulty ●●● · importance ●●○ · 25 minutes · 12 points*
#
# **A worked number.** The four numbers 2, 4, 10, 4 again, with γ = 1 and an ε too small to see: σ = 3 and x̂ is −1, −1/3, 5/3, −1/3. The loss
# depends on the third output alone, and `dout` is 0, 0, 12, 0. The mean of `dout` is 3, the mean of `dout` · x̂ is 12 · (5/3)/4 = 5. So the
# first input gets (0 − 3 − 5 · (−1))/3 = 2/3.
#
# **Predict first.** `dout` is 1 for all four outputs. What are the four gradients of x?
#
# <details><summary>Compare your prediction</summary>
# All 0. <code>dout</code> asks for all outputs to move by the same amount. No x can do that, as BN takes the mean out again. In the formula: 1 minus the mean, which is 1,
# and nothing along x̂.
# </details>
#
# ### Your task
#
# Write `batch_norm_backward` for the layer in *training*.
#
# | argument | meaning |
# |---|---|
# | `dout` | gradient of the loss with respect to the output, shape and type of `x`; must not be changed |
# | `x` | what went in, (N, C) or (N, C, H, W), `float32` or `float64`; must not be changed |
# | `gamma`, `eps` | as in the forward pass; (C,) and a `float` |
# | returns | `dx, dgamma, dbeta`, of the shapes of x, γ and β and the type of `x` |
#
# So that you do not need (a), two helpers are given: one for x̂ and σ, and one that shapes (C,) values for axis 1.
#
# <details><summary>Hint 1: gamma and beta</summary>
# Think of one channel. y = γ x̂ + β at m places, with the same γ and β at all of them. What does each place ask of γ, and of
# β, and how do m wishes become one number?
# </details>
# <details><summary>Hint 2: three roads to x</summary>
# First go from y to x̂: one factor. Then from x̂ to x: directly through the difference, through the mean and through σ. The chapter's section
# "The way back" adds the three up for one channel. With <code>dout</code> made for one road only, the check tells you which one is missing.
# </details>
# <details><summary>Hint 3: averages of a channel</summary>
# Two averages are subtracted: that of the gradient, and that of gradient times x̂, which is multiplied by x̂ again. Both run over the
# same numbers as the forward mean, and there is one of each a channel.
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | of the roads only "the direct road" holds | mean and σ depend on x, too: hint 2 |
# | "operands could not be broadcast", or volumes differ where rows are right | `gamma` and σ are (C,): the helper `for_axis_1` |
# | "in place of 3 results" | `return dx, dgamma, dbeta`, in this order |
# | `dgamma` or `dbeta` has a wrong shape | over which axes you sum; (C,) has to be left |
# | "everything together" alone fails | the use of `eps`, and a factor γ that belongs in front of all three roads |
#
# You can also ask the layer itself. Move one x by a small h, up and down; the loss Σ `dout` · y changes by about 2h times its gradient.


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for task (c).
def x_hat_and_sigma(x, eps):
    """The normalized values, in the shape of x, and the root of variance plus eps, (C,)."""
    turned = np.moveaxis(x, 1, -1)
    table = turned.reshape(-1, x.shape[1])
    sigma = np.sqrt(table.var(axis=0) + eps)
    return np.moveaxis((turned - table.mean(axis=0)) / sigma, -1, 1), sigma


def for_axis_1(values, x):
    """(C,) values in the shape (1, C) or (1, C, 1, 1), whichever goes with x."""
    return np.expand_dims(values, (0, *range(2, x.ndim)))


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def batch_norm_backward(dout, x, gamma, eps=1e-5):
    """Send a gradient back through BN in training."""
    ### BEGIN SOLUTION
    x_hat, sigma = x_hat_and_sigma(x, eps)
    axes = (0, *range(2, x.ndim))
    m = x.size / x.shape[1]
    dbeta = dout.sum(axis=axes)
    dgamma = (dout * x_hat).sum(axis=axes)
    left = dout - for_axis_1(dbeta / m, x) - x_hat * for_axis_1(dgamma / m, x)
    dx = for_axis_1(gamma / sigma, x) * left
    return dx.astype(x.dtype), dgamma.astype(x.dtype), dbeta.astype(x.dtype)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (c) as often as you like.
check("c", batch_norm_backward)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "c_marks", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
# Marks for task (c), out of 12. Leave this cell as it is.
mark("c", batch_norm_backward).points

# %% [markdown]
# ## (d) Folding
#
# *difficulty ●●○ · importance ●●○ · 15 minutes · 8 points*
#
# **A worked number.** For one filter a CONV has the bias 7. BN behind it has γ = 2, β = 1, running mean 5, running variance 16, and an ε too
# small to see. So s = 2/4 = 1/2: the weights are halved, and the new bias is ½ · (7 − 5) + 1 = 2.
#
# **Predict first.** The same, but the CONV has no bias. What is the new one?
#
# <details><summary>Compare your prediction</summary>
# ½ · (0 − 5) + 1 = −3/2. A CONV without bias has one after folding.
# </details>
#
# ### Your task
#
# Write `fold_batch_norm`. It gives the CONV that does the work of CONV and BN at test time.
#
# | argument | meaning |
# |---|---|
# | `weight` | K filters (K, C, F_h, F_w), `float32` or `float64`; must not be changed |
# | `bias` | the CONV's bias (K,), or `None` |
# | `gamma`, `beta`, `mean`, `var` | BN's arrays, (K,); `mean` and `var` are the running ones |
# | `eps` | ε, a `float` |
# | returns | `weight, bias` of the new CONV: *new* arrays (K, C, F_h, F_w) and (K,), of the type of `weight` |
#
# <details><summary>Hint 1: one filter, one number</summary>
# Before BN a position of map k holds w · x + b. Write down what BN makes of this number, and sort: what multiplies x, and what stands
# alone?
# </details>
# <details><summary>Hint 2: which axis is the channel of BN?</summary>
# BN's channels are the maps that the CONV <em>gives</em>. Which axis of <code>weight</code> counts them? An array (K,) needs three more axes
# to meet it.
# </details>
# <details><summary>Hint 3: what stands alone</summary>
# Three things: the old bias, the mean and β. Two of them pass the scaling, one comes after it. And <code>None</code> stands for which number?
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | "weights: each filter its own scale" fails, the one filter holds | the axis: hint 2 |
# | "unsupported operand", "NoneType" | the case that `bias` is `None`: hint 3 |
# | "a CONV without bias gets one": got None | what comes back where no bias went in |
# | "changed its input weight" | `weight *= …` works on the caller's array |
# | all but "everything together" holds | the sum of *all* that stands alone, and the `eps` |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def fold_batch_norm(weight, bias, gamma, beta, mean, var, eps=1e-5):
    """Weights and bias of the CONV that replaces CONV and BN at test time."""
    ### BEGIN SOLUTION
    s = gamma / np.sqrt(var + eps)
    new_weight = weight * s[:, None, None, None]
    new_bias = beta - s * mean
    if bias is not None:
        new_bias = new_bias + s * bias
    return new_weight.astype(weight.dtype), new_bias.astype(weight.dtype)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (d) as often as you like.
check("d", fold_batch_norm)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "d_marks", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Marks for task (d), out of 8. Leave this cell as it is.
mark("d", fold_batch_norm).points

# %% [markdown]
# ### The proof on numbers
#
# The two layers one after the other, and then your single one. The difference should be no more than rounding.

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_proof", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Run this when task (d) is done.
from cnnlib.reference.conv import conv2d
from cnnlib.reference.norm import batch_norm as reference_batch_norm

rng = np.random.default_rng(9)
photos, filters = rng.random((2, 3, 8, 8)), rng.standard_normal((4, 3, 3, 3))
bias, gamma, beta, mean = rng.standard_normal((4, 4))
var = rng.random(4) + 0.5

for old in (bias, None):
    maps = conv2d(photos, filters, old, padding=1)
    two_layers = reference_batch_norm(maps, gamma, beta, mean, var, training=False)[0]
    one_layer = conv2d(photos, *fold_batch_norm(filters, old, gamma, beta, mean, var), padding=1)
    difference = np.abs(one_layer - two_layers).max()
    print(
        "without bias:" if old is None else "with bias:   ", f"largest difference {difference:.0e}"
    )

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": false, "grade_id": "e_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## (e) The bias that never learns
#
# *difficulty ●●○ · importance ●●○ · 10 minutes · 3 points, read by a person*
#
# Someone builds `CONV => BN => RELU` and leaves the CONV its bias. For one filter this bias is 2 at the start. Answer in three to six sentences:
#
# 1. What is the gradient of this bias in training, at every step? Give the number and the reason. (Without weight decay.)
# 2. After training BN has, for this filter, γ = 3, β = 1, running mean 5 and running variance 4 (ε too small to see). The bias of 2 is now set to 0, and
#    nothing else changes. What happens to this filter's outputs behind BN at test time? Give the number.
# 3. Which *one* other number could you change so that the bias can go and the outputs stay? To what?
#
# Double-click the cell below to write in it.
#
# <!-- BEGIN MARK SCHEME -->
# **Rubric for the grader, 3 points.** One point each; half a point where the idea is there and the number is not.
#
# 1. 0 (but for rounding). The bias adds the same to all numbers of the channel, and BN takes the mean away again, so no output depends on it; or: its gradient
#    is the sum of dx over the channel, and that sum is 0. So it stays at 2.
# 2. They all fall by 3: s = 3/√4 = 1.5, and 1.5 · 2 = 3. At test time the running mean is a fixed number and does not follow the bias.
#    (Outputs "behind BN" are meant; after RELU some may already have been 0.)
# 3. One of: the running mean from 5 to 3, or β from 1 to 4. Another correct number counts as well.
# <!-- END MARK SCHEME -->

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": true, "grade_id": "e_answer", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# <!-- BEGIN SOLUTION -->
# The gradient is 0 at every step: the bias adds the same number to the whole channel, BN subtracts the channel's mean, and nothing is left of
# it in any output. So it never learns and is still 2. At test time the running mean is fixed, so without the bias all outputs of
# the filter fall by s · 2 = 3/√4 · 2 = 3. Lowering the running mean by 2 as well, from 5 to 3, mends it. Raising β from 1 to 4 does
# the same.
# <!-- END SOLUTION -->

# %% [markdown]
# ---
# **Before you hand in:** *Kernel → Restart Kernel and Run All Cells*, and look once at each check. The number under a cell
# with marks is what that task earned on the visible inputs.
