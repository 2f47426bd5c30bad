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
# # Exercise 13: review a network, build one, train one
#
# This is the last notebook, and it uses the whole course. You read a network as a reviewer does, put layers together
# by hand so that they learn, prove that your training works at all, and then design a network of your own for
# clothes that nobody has put in the middle of the picture.
#
# | | task | difficulty | minutes | points |
# |---|---|---|---|---|
# | (a) | six rules of thumb, held against a diagram | ●●○ | 15 | 7 |
# | (b) | capstone I: one step of training, from layers | ●●● | 20 | 9 |
# | (c) | capstone II: a few images by heart | ●●○ | 15 | 8 |
# | (d) | capstone III: a network of your own in PyTorch | ●●● | 25 | 9 |
# | (e) | a short answer: three reports | ●●○ | 10 | 3 |
#
# **You need** chapter 13 of the book, and from the others what you have kept. Tasks (a) to (c) need NumPy, task (d) needs
# PyTorch. The tasks do not build on each other: if one resists, go on to the next.
#
# **How it works.** Write your code where it says `# YOUR CODE HERE`, run that cell, then run the check below it. A
# check tells you what holds and what does not, as often as you like. The cells with the marks run the same check
# when you hand in, with other numbers. Where a training is judged, the images are the same then.
#
# **When you are stuck:** open hint 1, then 2, then 3. Try the function in a cell of your own (press `b`) on an
# example that you can do by hand.

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Run this cell first.
from collections import namedtuple

import numpy as np

from cnnlib.checks.ch13_rules_of_thumb import check, mark
from cnnlib.diagram.plan import plan
from cnnlib.reference.loss import softmax_cross_entropy_backward, softmax_cross_entropy_forward

# %% [markdown]
# ## (a) A review
#
# *difficulty ●●○ · importance ●●● · 15 minutes · 7 points*
#
# **A worked number.** How far does `CONV(8) => RELU => POOL => CONV(8)` see? One pixel sees itself. The first 3 × 3 adds 2
# pixels: 3. The POOL's window of 2 adds one: 4, and now neighbours lie 2 pixels of the image apart. The second 3 × 3 adds
# 2 · 2: its positions see 8 pixels.
#
# **Predict first.** An image of 20 × 20 passes three POOL of 2 × 2 at stride 2. Which of them meets an odd size?
#
# <details><summary>Compare your prediction</summary>
# The third. 20 is halved to 10 and 10 to 5, so the third POOL meets 5, although the image was even.
# </details>
#
# ### Your task
#
# Write `review` without the course's linter. It takes a diagram whose layers stand in one row, with square windows, and
# returns a tuple of six whole numbers:
#
# | place | how many | rule |
# |---|---|---|
# | 0 | POOL of 2 × 2 at stride 2 whose map has an odd height or width (or both: it counts once) | M13.3 |
# | 1 | CONV with a kernel over 5. The *first* CONV may have one *if* the image has a side over 200 | M13.4 |
# | 2 | CONV at stride 1 whose output is not of the size of its input | M13.6 |
# | 3 | POOL with a window over 3, unless it covers its whole map | M13.7 |
# | 4 | FC that have an FC somewhere before them, and no DO since that one | M13.9 |
# | 5 | pixels, not a count: the receptive field of the last map, along one axis | no rule of the linter |
#
# | argument | meaning |
# |---|---|
# | `text` | a diagram, `str`, that starts with INPUT and can be built |
# | returns | a tuple of six `int` |
#
# The cell below gives you `layers(text)`: the layers behind INPUT in their order. Each has `kind` (`"CONV"`, `"POOL"`, `"FC"`, …),
# `before` and `behind` (height and width of its input and its output, or `None` where there is no map), `kernel` and
# `stride` (0 if it has no window). A GAP has no window here and leaves the receptive field as it is.
#
# <details><summary>Hint 1: one rule, one loop</summary>
# Write each rule as a small loop of its own that adds up what it finds. Print `layers(…)` of the example above first and
# read it with your finger on the diagram.
# </details>
# <details><summary>Hint 2: what a walk must remember</summary>
# Rule 4 cannot be told from one layer. Walk along the row and remember one thing: is there an FC behind you that no DO has
# covered yet? Which layers change the answer, and which leave it as it is?
# </details>
# <details><summary>Hint 3: two numbers for the receptive field</summary>
# Carry the field and the jump, both 1 at the start. In the worked number, which of the two did POOL's window change, and
# which did its stride? Mind the order: a window lies on the map *before* the layer.
# </details>
#
# **If the check says …**
#
# | … in this part | look at |
# |---|---|
# | a number at “POOL of 2 × 2” that is too small | both axes, and the map that this POOL meets |
# | one too many or one too few at “large filters” | the two halves of the exception, and that 200 is not over 200 |
# | one too many at “wide pooling windows” | a window as large as its map, on both axes |
# | `expected 2, got True` | a count is asked for, not yes or no |

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for task (a).
Layer = namedtuple("Layer", "kind before behind kernel stride")


def layers(text):
    """The layers of a diagram in a row, with the sizes before and behind each."""
    found = []
    for step in plan(text).layers():
        before, behind = (
            shape[1:] if len(shape) == 3 else None for shape in (step.in_shape, step.out_shape)
        )
        kernel, stride = (step.window.kernel[0], step.window.stride[0]) if step.window else (0, 0)
        found.append(Layer(step.kind, before, behind, kernel, stride))
    return found


layers("INPUT(3, 20, 20) => CONV(8) => RELU => POOL => CONV(8)")


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def review(text):
    """Hold a diagram against five rules of thumb, and measure how far it sees."""
    ### BEGIN SOLUTION
    odd = large = shrinking = wide = undropped = 0
    field = jump = 1
    first, uncovered = True, False
    row = layers(text)
    for layer in row:
        if layer.kind == "CONV":
            allowed = first and max(layer.before) > 200
            large += layer.kernel > 5 and not allowed
            shrinking += layer.stride == 1 and layer.behind != layer.before
            first = False
        if layer.kind == "POOL":
            halves = layer.kernel == layer.stride == 2
            odd += halves and any(side % 2 for side in layer.before)
            wide += layer.kernel > 3 and layer.before != (layer.kernel, layer.kernel)
        if layer.kind in ("CONV", "POOL"):
            field += (layer.kernel - 1) * jump
            jump *= layer.stride
        if layer.kind == "FC":
            undropped += uncovered
            uncovered = True
        if layer.kind == "DO":
            uncovered = False
    return odd, large, shrinking, wide, undropped, field
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (a) as often as you like.
check("a", review)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "a_marks", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
# Marks for task (a), out of 7. Leave this cell as it is.
mark("a", review).points

# %% [markdown]
# ## (b) Capstone I: one step of training
#
# *difficulty ●●● · importance ●●● · 20 minutes · 9 points*
#
# **A worked number.** A weight is 0.50, its gradient 0.20 and the learning rate 0.1. After the step it is
# 0.50 − 0.1 · 0.20 = 0.48. Every weight and every bias of a network makes the same small move.
#
# **Predict first.** A network knows nothing yet and gives each of 4 classes the same probability. What is its loss?
#
# <details><summary>Compare your prediction</summary>
# −log(1/4) = log 4 ≈ 1.386, whatever the labels are.
# </details>
#
# ### Your task
#
# Write `step`: one step of training for the network
#
# `CONV(K) => RELU => POOL => FC(classes)`
#
# with a CONV of 3 × 3 and padding 1, a POOL of 2 × 2 at stride 2, and softmax cross-entropy as its loss. All the layers are
# given, forward and backward. What is yours is their composition.
#
# | argument | meaning |
# |---|---|
# | `x` | images (N, C, H, W), H and W even, `float32` or `float64`; nothing that is handed over may be changed |
# | `labels` | the right classes (N,), `int64` |
# | `conv_w`, `conv_b` | (K, C, 3, 3) and (K,), of the type of `x` |
# | `fc_w`, `fc_b` | (classes, K · H/2 · W/2) and (classes,), of the type of `x` |
# | `rate` | the learning rate, `float` |
# | returns | a tuple of five: the loss *before* the step, and the new `conv_w`, `conv_b`, `fc_w`, `fc_b` |
#
# | forward | backward |
# |---|---|
# | `out, cache = conv2d_forward(x, weight, bias, padding=1)` | `dx, dweight, dbias = conv2d_backward(dout, cache)` |
# | `out = relu(x)` | `dx = relu_backward(dout, out)` |
# | `out, cache = max_pool2d_forward(x, 2)` | `dx = max_pool2d_backward(dout, cache)` |
# | `out, cache = linear_forward(x, weight, bias)`, x of shape (N, D) | `dx, dweight, dbias = linear_backward(dout, cache)` |
# | `loss, cache = softmax_cross_entropy_forward(logits, labels)` | `dlogits = softmax_cross_entropy_backward(1.0, cache)` |
#
# <details><summary>Hint 1: the way there</summary>
# Write the forward pass as a column, one layer a line, and give every result and every cache a name of its own. Between POOL and
# FC one thing is missing in the table: a volume has to become a row for each image. Where does the softmax happen?
# </details>
# <details><summary>Hint 2: the way back</summary>
# Read your column from the bottom up. Each line has its counterpart in the right half of the table, and takes the gradient that the
# line below it has given. The reshape has a counterpart too: back to which shape?
# </details>
# <details><summary>Hint 3: the step</summary>
# You hold four gradients now, and nothing has been changed so far. Compare the shapes of each weight and its gradient. The
# worked number is all that is left to do, four times, into new arrays.
# </details>
#
# **If the check says …**
#
# | … | look at |
# |---|---|
# | “the loss” differs | the order of the layers, padding 1, and what the loss takes: scores |
# | “the step of the FC weights” holds and “the step of the CONV weights” does not | the way back between them: reshape, POOL, RELU, in this order |
# | only “a batch of several images” is lost | who divides by N? Once is enough |
# | your function changed its input | `w -= …` changes the caller's array |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for task (b).
from cnnlib.reference.activation import relu, relu_backward
from cnnlib.reference.conv import conv2d_backward, conv2d_forward
from cnnlib.reference.linear import linear_backward, linear_forward
from cnnlib.reference.pool import max_pool2d_backward, max_pool2d_forward


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def step(x, labels, conv_w, conv_b, fc_w, fc_b, *, rate):
    """Run a batch forward and back, and move every weight downhill."""
    ### BEGIN SOLUTION
    maps, conv_cache = conv2d_forward(x, conv_w, conv_b, padding=1)
    active = relu(maps)
    pooled, pool_cache = max_pool2d_forward(active, 2)
    rows = pooled.reshape(len(x), -1)
    logits, fc_cache = linear_forward(rows, fc_w, fc_b)
    loss, loss_cache = softmax_cross_entropy_forward(logits, labels)

    dlogits = softmax_cross_entropy_backward(1.0, loss_cache)
    drows, dfc_w, dfc_b = linear_backward(dlogits, fc_cache)
    dpooled = drows.reshape(pooled.shape)
    dactive = max_pool2d_backward(dpooled, pool_cache)
    dmaps = relu_backward(dactive, active)
    _, dconv_w, dconv_b = conv2d_backward(dmaps, conv_cache)

    weights = (conv_w, conv_b, fc_w, fc_b)
    gradients = (dconv_w, dconv_b, dfc_w, dfc_b)
    moved = (w - rate * dw for w, dw in zip(weights, gradients, strict=True))
    return (loss, *moved)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (b) as often as you like.
check("b", step)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "b_marks", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
# Marks for task (b), out of 9. Leave this cell as it is.
mark("b", step).points

# %% [markdown]
# ## (c) Capstone II: a few images by heart
#
# *difficulty ●●○ · importance ●●● · 15 minutes · 8 points*
#
# Before you train on everything, train on nearly nothing. A network that cannot learn 32 images by heart will not learn
# 60,000 either, and with 32 you find the mistake in seconds.
#
# **A worked number.** `INPUT(1, 7, 7) => CONV(8) => RELU => FC(10)` has 8 · 9 + 8 = 80 parameters in its CONV and
# 8 · 7 · 7 · 10 + 10 = 3,930 in its FC: 4,010 in all, for 32 images.
#
# **Predict first.** Now the labels of 16 images are drawn by lot. Can a training reach 16 of 16?
#
# <details><summary>Compare your prediction</summary>
# It can. Nothing is understood, it is all memory: there are far more weights than images. This is why being right on the images that
# one has trained on proves that the *program* works, and says nothing about the network.
# </details>
#
# ### Your task
#
# Write `overfit`: plain steps with all images in every step, until they are learned or the budget is spent.
#
# | argument | meaning |
# |---|---|
# | `network` | a network of the course's own in NumPy; you train *it*, so it is changed |
# | `x` | images (N, 1, H, W), `float32` from 0 to 1; must not be changed |
# | `labels` | the right classes (N,), `int64`, from 0 to 9 |
# | `steps` | how many steps you may make at most, `int` |
# | returns | the list of losses, one for each step, each computed *before* the weights change |
#
# How long a step is, and when it is enough, is for you to choose. The check has 200 steps for 32 clothes of 7 × 7 pixels.
#
# | what you have | what it gives |
# |---|---|
# | `network(x)` | the scores (N, 10) |
# | `network.backward(dscores)` | the gradients as a dictionary: `"conv1.weight"`, `"conv1.bias"`, …, and `"input"` |
# | `network.parameters()` | the weights as a dictionary with the same names; the arrays are the network's own |
# | `softmax_cross_entropy_forward`, `…_backward` | as in task (b) |
#
# <details><summary>Hint 1: one turn of the loop</summary>
# Scores, loss, gradient of the loss, gradients of the weights, step. Note the loss at the moment at which you have it.
# </details>
# <details><summary>Hint 2: whose array is it?</summary>
# `a = a - 1` and `a -= 1` give the same numbers. Only one of them changes the array that somebody else holds as well. Which one does the
# network notice?
# </details>
# <details><summary>Hint 3: how long a step</summary>
# Print the losses. If they creep, the rate is too small: take ten times more. If they jump up and down or end in `nan`, it is too large.
# In between lies a wide range. Small pictures and a mean over the batch make small gradients, so do not be shy.
# </details>
#
# **If the check says …**
#
# | … | look at |
# |---|---|
# | the first loss is not the expected one | is it computed before the first step, from scores, over all images? |
# | “the first step goes downhill”: the weights are what they were | hint 2 |
# | 28 of 32 images are right, at a loss of 0.4 | the direction is right; the steps are too short |
# | 3 of 32 images are right, at a loss of 2.3 or `nan` | the steps are too long, and the RELU has died of it (chapter 5) |
# | it made 300 steps, at most 200 were allowed | the loop must ask `steps` |

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for task (c).
from cnnlib.data import fashion_mnist_subset
from cnnlib.diagram import build


def thumbnails(count, pixels=4):
    """The first images of the bundled clothes, `pixels` × `pixels` averaged to one, and their labels."""
    data, side = fashion_mnist_subset(), 28 // pixels
    tiles = data.train_images[:count].reshape(count, 1, side, pixels, side, pixels)
    return (tiles.mean(axis=(3, 5)) / 255).astype(np.float32), data.train_labels[:count]


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def overfit(network, x, labels, steps):
    """Train until the images are known by heart; return the loss of every step."""
    ### BEGIN SOLUTION
    losses = []
    while len(losses) < steps:
        loss, cache = softmax_cross_entropy_forward(network(x), labels)
        losses.append(float(loss))
        gradients = network.backward(softmax_cross_entropy_backward(1.0, cache))
        for name, weight in network.parameters().items():
            weight -= 0.5 * gradients[name]
        if loss < 0.05:
            break
    return losses
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (c) as often as you like.
check("c", overfit)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "c_marks", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Marks for task (c), out of 8. Leave this cell as it is.
mark("c", overfit).points

# %% [markdown]
# Try it on more, and on larger pictures. The next cell takes a few seconds.

# %%
clothes, their_labels = thumbnails(64, pixels=2)  # 64 images of 14 × 14
learner = build("INPUT(1, 14, 14) => CONV(8) => RELU => POOL => FC(10)")
curve = overfit(learner, clothes, their_labels, 200)
known = int((learner(clothes).argmax(axis=1) == their_labels).sum())
print(f"{len(curve)} steps, loss {curve[0]:.2f} → {curve[-1]:.2f}, {known} of 64 by heart")

# %% [markdown]
# ## (d) Capstone III: a network of your own
#
# *difficulty ●●● · importance ●●● · 25 minutes · 9 points*
#
# Nobody has centred these clothes. Each picture of Fashion-MNIST has been moved by up to 6 pixels in any direction and then
# shrunk to 14 × 14. You get 1,000 of them to train on. Of 500 others, 310 are to be right.
#
# **A worked number.** A linear classifier on 14 × 14 pixels has 14 · 14 · 10 + 10 = 1,970 parameters, one weight for each place and class.
# On clothes in the middle, as they come in Fashion-MNIST, such a classifier gets about 400 of these 500 right.
#
# **Predict first.** How many are left when the clothes are moved?
#
# <details><summary>Compare your prediction</summary>
#
# Right of 500 after 6 epochs, over five seeds and two learning rates each (the rates fall to 0 along the way):
#
# | network | parameters | right |
# |---|---|---|
# | the linear classifier | 1,970 | 202 to 228 |
# | one hidden layer of 128 units | 26,506 | 291 to 300 |
# | a small network that keeps the rules of chapter 13 | 5,226 | 345 to 372 |
#
# Half of what the linear classifier knew was where things are. A CONV asks the same question everywhere.
# </details>
#
# ### Your task
#
# Write `train`: make a network, train it, return it.
#
# | argument | meaning |
# |---|---|
# | `images` | (N, 1, H, W), `float32` from 0 to 1, a NumPy array; must not be changed. H and W are even; ask `images.shape`, for they are not always 14 |
# | `labels` | the right classes (N,), `int64`, a NumPy array |
# | `epochs` | how many times you may go through all images, `int` |
# | returns | the trained network, a `torch.nn.Module`, ready for use: (N, 1, H, W) in, scores (N, 10) out |
#
# What the check asks for:
#
# - at most 60,000 parameters,
# - *scores*, not probabilities,
# - the same scores for an image, alone or in a batch with others,
# - the same network when it is trained a second time on the same images,
# - with 6 epochs on the 1,000 clothes, 310 of 500 others right. One training may take 20 seconds, and needs about one.
#
# Network, optimizer, learning rate and size of the batches are your choice. Build the network with `torch.nn`, or write a diagram:
# `build(text, images.shape[1:], backend="torch")`. The loss is `nn.functional.cross_entropy`. Aim a little above 310: another machine may round differently.
#
# The cell below gives you `look_at(text)`, which prints a diagram's parameters and the linter's findings, and
# `batches(images, labels, size, epochs)`. That goes through all images in random order, `epochs` times, and
# gives `size` of them at a time as tensors: `for x, y in batches(…)`. If the way is long it shows how far it is.
#
# <details><summary>Hint 1: a network to begin with</summary>
# Take a diagram on which the linter of chapter 13 finds nothing. Two stages are enough here. What ends a network so that it takes
# images of any size and the FC stays small? `look_at` it before you train.
# </details>
# <details><summary>Hint 2: if it learns too little</summary>
# Six epochs of 1,000 images are few steps: with batches of 50, how many? So each must count. Try batches from 20 to 100, BN, and Adam
# with rates from 0.002 to 0.02. Let the rate fall to 0 along the way, so that the last steps are small: `LinearLR` in
# `torch.optim.lr_scheduler` does that. Change one thing at a time.
# </details>
# <details><summary>Hint 3: before and after the loop</summary>
# What has to happen before the first weight is drawn, so that a second training gives the same? And which two layers behave
# differently in training and in use? One call at the end tells the network which of the two it is now.
# </details>
#
# **If the check says …**
#
# | … | look at |
# |---|---|
# | an error with `mat1 and mat2` | the FC expects one size of image; the check has others too |
# | images get other scores alone than in a batch | the last call on the network (hint 3) |
# | trained twice, it gave two networks | the seed, and its place in the function |
# | 215 or 300 of 500 are right | the table above: which kind of network is that near to? |
# | it is 350 with one seed and 300 with another | the last steps are too large (hint 2) |
# | about 50 of 500 are right | ten classes, so this is a guess: does the optimizer make a step for every batch? |

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for task (d).
import torch
from torch import nn

from cnnlib.diagram import build, lint, summarize


def look_at(text):
    """How many parameters a diagram has, and what the linter finds in it."""
    print(f"{summarize(text).totals.params:,} parameters")
    for finding in lint(text):
        print(f"{finding.rule}: {finding.message} Instead: {finding.rewrite}")


def batches(images, labels, size, epochs):
    """All images in random order, `size` at a time, `epochs` times over, as tensors."""
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    total, done = epochs * -(-len(x) // size), 0
    for _ in range(epochs):
        for chosen in torch.randperm(len(x)).split(size):
            yield x[chosen], y[chosen]
            done += 1
            if total > 1000 and (done % 20 == 0 or done == total):
                print(
                    f"\r[{'#' * (40 * done // total):40}] {done / total:4.0%}", end="", flush=True
                )


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def train(images, labels, epochs):
    """Make a network, train it and return it, ready for use."""
    ### BEGIN SOLUTION
    torch.manual_seed(0)
    stages = "CONV(16) => RELU => BN => POOL => CONV(32) => RELU => BN"
    network = build(f"INPUT(1) => {stages} => GAP => FC(10)", images.shape[1:], backend="torch")
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    steps = epochs * -(-len(images) // 50)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=steps)
    for x, y in batches(images, labels, 50, epochs):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x), y).backward()
        optimizer.step()
        schedule.step()
    return network.eval()
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (d) as often as you like.
check("d", train)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "d_marks", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
# Marks for task (d), out of 9. Leave this cell as it is.
mark("d", train).points

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": false, "grade_id": "e_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## (e) Three reports
#
# *difficulty ●●○ · importance ●●● · 10 minutes · 3 points, read by a person*
#
# Three colleagues train networks for ten classes of clothes, and write to you. The linter has no finding about any of the three.
#
# 1. “The loss is 2.302585 in the first step and 2.302585 in the hundredth. Do I need a deeper network?”
# 2. “It knows all its 1,000 training images, but only 310 of 500 others. Is there a mistake in my program?”
# 3. “I ended in an average, as one should. The receptive field before it is 8 of 28 pixels. Coats and pullovers get mixed up.”
#
# For each: what do you think has happened, and what would you try or look at first? Two sentences each are enough.
#
# Double-click the cell below to write in it.
#
# <!-- BEGIN MARK SCHEME -->
# **Rubric for the grader, 3 points.** One point for each report; half a point where the cause is named and the remedy is missing, or
# the other way round.
#
# 1. log 10 ≈ 2.302585 is the loss of a network that gives every class a tenth. It does not move, so no weight that matters changes: a copy is
#    updated, the step is missing, or all units of the last RELU are dead. Look at whether weights and gradients change; learn a few images by heart. A deeper network is no remedy.
# 2. Most likely no mistake: knowing the training images by heart shows that the program works. This is overfitting. More or shifted images,
#    dropout, fewer weights, an average in place of a large FC; any sensible one counts.
# 3. Each position sees a patch of 8 pixels, and the average only says how often small patterns occur, not how parts of a garment lie to each other. More
#    layers, or a POOL or stride earlier, until the field covers about the garment.
# <!-- END MARK SCHEME -->

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": true, "grade_id": "e_answer", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# <!-- BEGIN SOLUTION -->
# 1. That is log 10, the loss of equal probabilities, and as it stays the same to the last digit the weights do not change. I would print
#    one weight before and after a step and try to learn a few images by heart; depth has nothing to do with it.
# 2. A program that learns 1,000 images by heart works. It overfits, so I would train on moved copies of the images or take dropout or fewer weights.
# 3. The average only counts patterns of 8 pixels, and those of a coat and a pullover are alike. I would add a stage with a POOL, so that the last
#    positions see the whole garment.
# <!-- END SOLUTION -->

# %% [markdown]
# ## If you like: all of Fashion-MNIST
#
# Nothing is graded here. Set `WHOLE = True` and run the cell: your `train` gets the 60,000 images of 28 × 28, in the middle of
# the picture this time, for two epochs. A small network needs some minutes for it, and gets about
# 84 % of the test images right. If the data are not on your machine, the message says where to get them; `fashion_mnist(download=True)` fetches 31 MB.

# %%
WHOLE = False

if WHOLE:
    from cnnlib.data import CLASS_NAMES, fashion_mnist

    data = fashion_mnist()
    pixels, test_pixels = (
        (images[:, None] / 255).astype(np.float32)
        for images in (data.train_images, data.test_images)
    )
    trained = train(pixels, data.train_labels, 2)
    with torch.no_grad():
        parts = [trained(part).argmax(1) for part in torch.from_numpy(test_pixels).split(500)]
    hits = torch.cat(parts).numpy() == data.test_labels
    print(f"\n{hits.mean():.1%} of {len(hits):,} test images are right")
    for number, name in enumerate(CLASS_NAMES):
        print(f"{name:12} {hits[data.test_labels == number].mean():6.1%}")

# %% [markdown]
# ---
# **Before you hand in:** *Kernel → Restart Kernel and Run All Cells*, and look once at each check. The number under a cell
# with marks is what that task earned on the visible inputs.
