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
# # Exercise 7: POOL or strided CONV?
#
# Whether POOL or a stride is better is for an experiment to say. What each can do, you can settle on paper. After
# this notebook you have a program that takes the POOLs out of a network, you know the weights with which a CONV
# averages, and you have written the layer that ends most networks, in both directions.
#
# | | task | difficulty | minutes | points |
# |---|---|---|---|---|
# | (a) | a network without POOL | ●●○ | 25 | 10 |
# | (b) | a CONV that averages | ●●○ | 15 | 9 |
# | (c) | global average pooling | ●○○ | 10 | 6 |
# | (d) | its backward pass | ●●○ | 15 | 7 |
# | (e) | a short answer: can a CONV be a POOL? | ●●○ | 15 | 3 |
#
# **You need** chapters 6 and 7 of the book, NumPy arrays with several axes and, for (a), Python's f-strings. The tasks do
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

from cnnlib.checks.ch07_pool_or_conv import check, mark

# %% [markdown]
# ## (a) A network without POOL
#
# *difficulty ●●○ · importance ●●● · 25 minutes · 10 points*
#
# **A worked number.** In `INPUT(3, 9, 13) => CONV(8) => RELU => POOL(3, 2)` the window of POOL is 3 × 3 and its stride
# is 2. It makes (9 − 3)/2 + 1 = 4 rows and (13 − 3)/2 + 1 = 6 columns of the 9 × 13, and 8 channels stay 8. A CONV that
# takes its place has to turn 8 × 9 × 13 into 8 × 4 × 6 as well.
#
# **Predict first.** In the diagram language, which padding has a `POOL` that says nothing about it? And which a `CONV`?
#
# <details><summary>Compare your prediction</summary>
# POOL has 0. CONV has the padding that keeps the size at stride 1, such as 1 zero a side for a kernel of 3.
# </details>
#
# ### Your task
#
# Write `without_pool`. It gets a network as a text and returns a text in which a CONV with a stride, followed by a RELU,
# stands in the place of every POOL. This is *stride instead of POOL*: all other layers stay as they are.
#
# | argument | meaning |
# |---|---|
# | `diagram` | a network in the diagram language, its layers in one row, such as `"INPUT(3, 8, 8) => CONV(16) => RELU => POOL => FC(10)"` |
# | returns | the text of the new network, without POOL |
#
# For the new network this must hold:
#
# - behind each replaced POOL it has the size (height, width) and the depth that the given network has there;
# - each new CONV has a RELU behind it, and a kernel that is no smaller than its stride;
# - max and average pooling are treated alike, and their windows are square.
#
# The text is judged by what it does. The order of the settings, spaces and the choice of the kernel are yours,
# if the sizes come out. Given is a function `layers_of(diagram)` that reads the text for you; run its cell and look.
#
# <details><summary>Hint 1: what happens to a layer?</summary>
# Go through the layers one by one and write a new row of texts. Most layers are copied. What is written for the others?
# And how does a row of texts become one text with arrows in between?
# </details>
# <details><summary>Hint 2: what decides the size?</summary>
# Four of POOL's settings decide the size behind it, and CONV has settings of the same four names that go into the same
# formula. A fifth number, how many filters, is no setting of POOL's. The shape that `layers_of` tells with the POOL has it.
# </details>
# <details><summary>Hint 3: the two that are forgotten</summary>
# A padding that is not written is not the same in CONV as in POOL. A rounding that is not written is strict. And what
# keeps two CONV layers that follow each other from being one?
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *your diagram does not work* | the text in the message: an arrow too many, or a window that does not tile and was not told to round |
# | *expected the sizes …* | the setting that the part's name mentions; do the formula by hand for that one POOL |
# | *expected a depth of …* | the number of filters of the new CONV, and what POOL does to the depth |
# | *… is missing, or in another place* | the layers that you copy; only POOL may change |
# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for task (a).
from cnnlib.diagram import expand, summarize
from cnnlib.diagram.tree import DEFAULTS


def layers_of(diagram):
    """The layers as a list of (text, kind, settings, shape of the output)."""
    summary = summarize(diagram)
    shapes = [summary.input_shape] + [row.shape for row in summary.rows]
    found = []
    for layer, shape in zip(expand(diagram).items, shapes, strict=True):
        settings = {name: layer.get(name) for name in DEFAULTS[layer.kind]}
        found.append((str(layer), layer.kind, settings, shape))
    return found


for entry in layers_of("INPUT(3, 8, 8) => CONV(16) => RELU => POOL => FC(10)"):
    print(entry)


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def without_pool(diagram):
    """Put a strided CONV and a RELU in the place of every POOL."""
    ### BEGIN SOLUTION
    row = []
    for text, kind, settings, shape in layers_of(diagram):
        if kind == "POOL":
            kernel, stride = settings["kernel"], settings["stride"]
            border = f"padding={settings['padding']}, rounding={settings['rounding']}"
            text = f"CONV({shape[0]}, {kernel}, stride={stride}, {border}) => RELU"
        row.append(text)
    return " => ".join(row)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (a) as often as you like.
check("a", without_pool)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "a_marks", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
# Marks for task (a), out of 10. Leave this cell as it is.
mark("a", without_pool).points

# %% [markdown]
# ## (b) A CONV that averages
#
# *difficulty ●●○ · importance ●●○ · 15 minutes · 9 points*
#
# In the repaired shortcut of ResNet, average pooling comes first and then a CONV of 1 × 1. Both are weighted sums, and a
# weighted sum of weighted sums is one weighted sum. So *one* strided CONV can do the work of both.
#
# **A worked number.** Two channels, a window of 2 × 2, one filter of 1 × 1 with the weights 4 and −8. Say the window holds
# 1, 2, 3, 6 in channel 0 and 0, 0, 1, 1 in channel 1. The averages are 3 and 0.5, and the filter makes 4 · 3 − 8 · 0.5 = 8
# of them. The one CONV has the weights 1, 1, 1, 1 for channel 0 and −2, −2, −2, −2 for channel 1:
#
# ```
# 1·1 + 2·1 + 3·1 + 6·1 − 0·2 − 0·2 − 1·2 − 1·2 = 12 − 4 = 8
# ```
#
# **Predict first.** Plain average pooling, three channels, 2 × 2. How many of the weights of its CONV are zero?
#
# <details><summary>Compare your prediction</summary>
# The weights are (3, 3, 2, 2), 36 in all. Filter k reads channel k only: 3 · 4 = 12 weights of one quarter, 24 zeros.
# </details>
#
# ### Your task
#
# Write `averaging_weight`: the weights of the one CONV that does the same as average pooling with windows of
# height × width, followed by a CONV of 1 × 1 without a bias. Its stride is the window's size, so that the windows touch.
#
# | argument | meaning |
# |---|---|
# | `mix` | the weights of the 1 × 1 CONV, an array (K, C), `float32` or `float64`: how much filter k takes of the average of channel c; must not be changed. `np.eye(C)` stands for average pooling alone |
# | `height`, `width` | of the window, both `int` |
# | returns | weights (K, C, height, width), of the type of `mix` |
#
# <details><summary>Hint 1: one channel first</summary>
# With one channel and a `mix` of 1 only the average is left. Write it as a sum of pixels with a weight in front of each. Is
# any pixel of the window different from the others?
# </details>
# <details><summary>Hint 2: one filter, two channels</summary>
# Put the averages, written as such sums, into the formula of the 1 × 1 filter, and multiply out. What stands in front of a
# pixel of channel 0? And of a pixel of channel 1?
# </details>
# <details><summary>Hint 3: from (K, C) to four axes</summary>
# All weights of one slice [k, c] are equal. Make room for two more axes behind those of `mix`, and let
# NumPy repeat the number along them. Which type has an array that you have just made?
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *one channel: the weights of an average* fails | what the sum over the window is divided by |
# | only *channels stay apart* and *channels mixed* fail | what `mix[k, c]` says about filter k and channel c |
# | *the shape* fails | which axis counts filters and which counts channels |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def averaging_weight(mix, height, width):
    """Weights of the strided CONV that averages and then mixes channels."""
    ### BEGIN SOLUTION
    filters, channels = mix.shape
    weight = np.empty((filters, channels, height, width), dtype=mix.dtype)
    weight[...] = mix[:, :, None, None] / (height * width)
    return weight
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (b) as often as you like.
check("b", averaging_weight)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "b_marks", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
# Marks for task (b), out of 9. Leave this cell as it is.
mark("b", averaging_weight).points

# %% [markdown]
# ## (c) Global average pooling
#
# *difficulty ●○○ · importance ●●● · 10 minutes · 6 points*
#
# **A worked number.** One image with two channels of 2 × 2:
#
# ```
# channel 0   0 1     (0 + 1 + 2 + 3)/4 = 1.5
#             2 3
# channel 1   4 5     (4 + 5 + 6 + 7)/4 = 5.5
#             6 7
# ```
#
# The result is the row 1.5, 5.5.
#
# **Predict first.** A batch of shape (8, 512, 7, 7) goes in. What comes out, and how much shorter is a row than after
# flattening?
#
# <details><summary>Compare your prediction</summary>
# (8, 512). Flattened, a row would have 512 · 7 · 7 = 25,088 numbers, 49 times as many.
# </details>
#
# ### Your task
#
# Write `global_avg_pool`. There are several good ways, with loops or without.
#
# | argument | meaning |
# |---|---|
# | `x` | array (N, C, H, W), `float32` or `float64`; must not be changed |
# | returns | (N, C), of the type of `x`: for each image the average of each of its maps |
#
# <details><summary>Hint 1: one number a map</summary>
# How many numbers does one map hold, and how many of them are left? Which two of the four axes are gone afterwards?
# </details>
# <details><summary>Hint 2: who shares an average?</summary>
# Two pixels share an average if they belong to the same image *and* to the same channel. So two axes may not be touched.
# </details>
# <details><summary>Hint 3: counting and types</summary>
# The sum over a map is divided by its number of positions, which is a product. If you make an array for the result, tell
# NumPy the type of its numbers.
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *expected shape …* | which axes are left, and whether any of length 1 are among them |
# | only *each channel by itself* or *each image by itself* fails | the axes that your average runs over |
# | only *maps that are not square* fails | what you divide by |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def global_avg_pool(x):
    """Average every map of a batch to one number."""
    ### BEGIN SOLUTION
    return x.mean(axis=(2, 3))
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (c) as often as you like.
check("c", global_avg_pool)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "c_marks", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Marks for task (c), out of 6. Leave this cell as it is.
mark("c", global_avg_pool).points

# %% [markdown]
# ## (d) Its backward pass
#
# *difficulty ●●○ · importance ●●○ · 15 minutes · 7 points*
#
# The layer behind the average says, for each number that it got, how the loss changes with it: the gradient `dout`. You
# pass that on to the positions of the map.
#
# **A worked number.** A map of 2 × 2 with the average 3, and `dout` = 8. Raise one position by 0.04. The average rises by
# 0.04/4 = 0.01, so the loss rises by about 8 · 0.01 = 0.08. That is 2 for each unit at this position, and the other three
# positions get the same 2.
#
# **Predict first.** Do you need to know the numbers that were averaged?
#
# <details><summary>Compare your prediction</summary>
# No. How much the average moves with a position depends on the number of positions only. So the function gets `dout`
# and the size of the map, and never sees the map.
# </details>
#
# ### Your task
#
# Write `global_avg_pool_backward`.
#
# | argument | meaning |
# |---|---|
# | `dout` | gradient of the result, array (N, C), `float32` or `float64`; must not be changed |
# | `height`, `width` | of the maps that were averaged, both `int` |
# | returns | gradient of the maps, array (N, C, height, width), of the type of `dout` |
#
# <details><summary>Hint 1: raise one position</summary>
# As in the worked number: raise one position by a little. By what part of that does the average rise?
# </details>
# <details><summary>Hint 2: who gets whose gradient?</summary>
# All positions of the map [n, c] get the same number, and it comes from one entry of `dout`. Which one?
# </details>
# <details><summary>Hint 3: two axes more</summary>
# The result has two axes that `dout` does not have. An assignment to a slice of an array repeats a number along such
# axes. Whole numbers in a division do not change the type, but a new array without a type does.
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *one map: who gets how much* fails | the share of one position |
# | only *each image* or *each channel* fails | what you divide by: does the forward pass average over images or channels? |
# | only *maps that are not square* fails | the order of the last two axes, and the number of positions |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def global_avg_pool_backward(dout, height, width):
    """Pass the gradient of each average on to its map."""
    ### BEGIN SOLUTION
    images, channels = dout.shape
    dx = np.empty((images, channels, height, width), dtype=dout.dtype)
    dx[...] = dout[:, :, None, None] / (height * width)
    return dx
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (d) as often as you like.
check("d", global_avg_pool_backward)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "d_marks", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
# Marks for task (d), out of 7. Leave this cell as it is.
mark("d", global_avg_pool_backward).points

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": false, "grade_id": "e_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## (e) Can a CONV be a POOL?
#
# *difficulty ●●○ · importance ●●● · 15 minutes · 3 points, read by a person*
#
# A colleague writes: “A CONV of 2 × 2 with stride 2 can learn whatever a POOL of 2 × 2 does, and more. So the replacement can
# do no harm.” Answer her in four to eight sentences:
#
# 1. For one kind of POOL her first sentence is right. Which one, and with which weights, for a volume of 2 channels?
# 2. For max pooling it is wrong for a single CONV. Show it with windows and numbers of your own, and say why a bias does not help.
# 3. Even where the first sentence is right, the second does not follow. Give one reason.
#
# Double-click the cell below to write in it.
#
# <!-- BEGIN MARK SCHEME -->
# **Rubric for the grader, 3 points.** One point each; half a point where the idea is there and the numbers are not.
#
# 1. Average pooling. Weights (2, 2, 2, 2): one quarter in the four places of channel k for filter k, zero for the other
#    channel. “All weights ¼” without the zeros is worth half a point.
# 2. A weighted sum of a + b is the sum of the two results, and the maximum is not. Any correct example counts, such as two
#    windows with one 1 each in different places: 1 and 1, but 1 for the sum. For the bias: with it the example forces the
#    weighted sums to be 0 and the bias to be the maximum, and then a window of zeros gives that too, although its maximum
#    is 0. Half a point without the bias.
# 3. One of: it *can* represent the average, but nothing makes training find it; the new weights cost memory and time
#    and can overfit; a comparison of accuracy is needed, with a network that has as many parameters and layers. Other sound reasons count.
# <!-- END MARK SCHEME -->

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": true, "grade_id": "e_answer", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# <!-- BEGIN SOLUTION -->
# It is right for average pooling. Filter 0 has the weight ¼ four times for channel 0 and zeros for channel 1, and filter 1 the
# other way round. It is wrong for the maximum. The windows a = (2, 0, 0, 0) and b = (0, 2, 0, 0) both have the maximum 2, and
# so has a + b. Without a bias the CONV must give 2 + 2 = 4 on a + b. With a bias c the weighted sums are 2 − c on a, on b and on a + b,
# so 2 · (2 − c) = 2 − c. Hence c = 2, and then a window of zeros gives 2 in place of 0. And that a CONV can be an average does
# not mean that training finds it: its weights start at random, there are 2 · 2 · C · C of them to be learned from the data, and they may fit
# the noise. Only an experiment can tell, against a network with as many parameters and layers.
# <!-- END SOLUTION -->

# %% [markdown]
# ---
# **Before you hand in:** *Kernel → Restart Kernel and Run All Cells*, and look once at each check. The number under a cell
# with marks is what that task earned on the visible inputs.
