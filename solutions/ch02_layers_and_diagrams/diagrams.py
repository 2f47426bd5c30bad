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
# # Exercise 2: read a network, write a network
#
# One line of text says what a network is made of. After this notebook you can follow such a line by yourself, shape by
# shape and number by number, you have written one that fits any image, and your scores become probabilities without
# breaking on large numbers.
#
# | | task | difficulty | minutes | points |
# |---|---|---|---|---|
# | (a) | one layer: its shape and what it learns | ●○○ | 20 | 10 |
# | (b) | a diagram for any image | ●●○ | 20 | 8 |
# | (c) | softmax, for any scores | ●●○ | 15 | 8 |
# | (d) | a short answer: what is wrong with this line? | ●○○ | 10 | 3 |
#
# **You need** chapter 2 of the book, Python functions and texts, and a little NumPy. The tasks do not build on each
# other: if one resists, go on to the next.
#
# **How it works.** Write your code where it says `# YOUR CODE HERE`, run that cell, then run the check below it. A
# check tells you what holds and what does not, as often as you like. The cells with the marks run the same check
# when you hand in, with other numbers.
#
# **When you are stuck:** open hint 1, then 2, then 3. Then take a diagram of chapter 2 and do one layer of it by hand.

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Run this cell first.
import numpy as np

from cnnlib.checks.ch02_layers_and_diagrams import check, mark
from cnnlib.diagram import parse, summarize

# %% [markdown]
# ## (a) One layer: its shape and what it learns
#
# *difficulty ●○○ · importance ●●● · 20 minutes · 10 points*
#
# **A worked number.** A volume of 3 × 32 × 32 goes into `CONV(16)`. Sixteen filters give sixteen maps of the same size, so
# 16 × 32 × 32 comes out. Each filter has 3 · 3 · 3 = 27 weights and a bias, so the layer learns 16 · 28 = 448 numbers.
#
# **Predict first.** Which of these learn nothing: CONV, BN, RELU, POOL, DO, FC, SOFTMAX? And what does BN learn behind a
# CONV of 16 filters, on maps of 32 × 32?
#
# <details><summary>Compare your prediction</summary>
# RELU, POOL, DO and SOFTMAX learn nothing. BN learns a scale and a shift for each of the 16 channels, 32 numbers, however
# large the maps are.
# </details>
#
# ### Your task
#
# Write `step`, which takes one layer of a diagram.
#
# | argument | meaning |
# |---|---|
# | `layer` | `"CONV"`, `"RELU"`, `"POOL"`, `"FC"`, `"BN"`, `"DO"` or `"SOFTMAX"` |
# | `shape` | what comes in, a tuple: (channels, height, width), or (numbers,) behind an FC |
# | `number` | filters of CONV, neurons of FC, an `int`; `None` for the others |
# | `kernel` | the side of CONV's square window, an `int`; the padding keeps height and width |
# | returns | a pair: the shape that comes out, a tuple of `int`; and how many numbers the layer learns, an `int` |
#
# POOL has a window of 2 × 2 and stride 2, and gets even sides only. FC takes a volume as well as a row. Biases are
# learned too.
#
# When the check is content, your function can walk along a whole line. The cell below gives you `walk`; try
# `walk(step, "INPUT(3, 32, 32) => CONV(16) => RELU => POOL => FC(10) => SOFTMAX")` in a cell of your own.
#
# <details><summary>Hint 1: shapes first</summary>
# Leave the learning aside and return 0 for it. Only three of the seven layers change a shape. Which of the numbers in the
# shape does each of them touch?
# </details>
# <details><summary>Hint 2: one filter, one neuron</summary>
# How many numbers does one filter look at in one place? How many does one neuron of FC look at? Give each of them a bias,
# and then count filters and neurons.
# </details>
# <details><summary>Hint 3: the layer in between</summary>
# One layer that keeps the shape learns all the same. What it learns depends on one number of the shape, the first.
# Chapter 2 counts it in the section on which layers learn.
# </details>
#
# **If the check says …**
#
# | part | look at |
# |---|---|
# | the shape behind … | the table of chapter 2, "The layers at a glance"; sizes are `int` |
# | what CONV learns | channels of the input, both sides of the window, the bias of each filter |
# | what FC learns | all numbers of the shape, whether it has three entries or one |
# | what BN learns | what is learned and what is only gathered |
# | … learn nothing | whether a layer without weights returns 0 |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for task (a).
def walk(step, text):
    """Print each layer of a diagram with what `step` says about it."""
    shape = None
    for item in parse(text).items:
        if item.kind == "INPUT":
            shape = tuple(value for _, value in item.settings)
            continue
        number = {"CONV": "filters", "FC": "units"}.get(item.kind)
        kernel = item.get("kernel") if item.kind == "CONV" else 3
        shape, learned = step(item.kind, shape, number and item.get(number), kernel)
        print(f"{'×'.join(map(str, shape)):>12} {learned:>8,}  {item}")


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def step(layer, shape, number=None, kernel=3):
    """Tell the shape behind one layer, and how many numbers it learns."""
    ### BEGIN SOLUTION
    if layer == "CONV":
        channels, height, width = shape
        return (number, height, width), (channels * kernel * kernel + 1) * number
    if layer == "FC":
        inputs = 1
        for size in shape:
            inputs *= size
        return (number,), (inputs + 1) * number
    if layer == "POOL":
        channels, height, width = shape
        return (channels, height // 2, width // 2), 0
    if layer == "BN":
        return shape, 2 * shape[0]
    return shape, 0
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (a) as often as you like.
check("a", step)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "a_marks", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
# Marks for task (a), out of 10. Leave this cell as it is.
mark("a", step).points

# %% [markdown]
# ## (b) A diagram for any image
#
# *difficulty ●●○ · importance ●●● · 20 minutes · 8 points*
#
# **A worked number.** The image is 3 × 16 × 32, three colours, 16 high and 32 wide, and there are 5 classes. Two POOLs
# bring the sides from 16 and 32 to 4 and 8. This text has all that is asked for:
#
# ```
# INPUT(3, 16, 32) => CONV(8) => RELU => POOL => CONV(8) => RELU => POOL
# => FC(5) => SOFTMAX
# ```
#
# It learns 224 + 584 + 1,285 = 2,093 numbers.
#
# **Predict first.** How many POOLs does an image of 64 × 64 need, until its sides are 4? And how many does one of
# 8 × 64 need, until its *shorter* side is 4?
#
# <details><summary>Compare your prediction</summary>
# Four: 64, 32, 16, 8, 4. For 8 × 64 one is enough: 4 × 32.
# </details>
#
# ### Your task
#
# Write `small_cnn`, which returns a diagram as a text. There are many right answers, and each of them earns everything.
#
# | argument | meaning |
# |---|---|
# | `image` | channels, height and width of the images, a tuple of three `int`; height and width are 8, 16, 32, 64 or 128 |
# | `classes` | the number of classes, an `int` from 2 to 20 |
# | returns | a text in the language of chapter 2, one row of layers without branches |
#
# What the network must have:
#
# 1. It begins with the INPUT for these images.
# 2. POOLs halve the volume until its shorter side is 4. Then comes the first FC.
# 3. Before every POOL stand a CONV and its RELU. Between two layers that learn there is always an activation.
# 4. It ends in an FC with a score for each class, and SOFTMAX.
# 5. It learns at most 20,000 numbers in all.
#
# Longer sides are at most twice the shorter. Your tools: `summarize(text)` shows what a text stands for.
#
# <details><summary>Hint 1: from one text to any text</summary>
# Write the text for 3 × 16 × 32 by hand first and look at it with `summarize`. Which places of it change with the image,
# which with the classes? An f-string has room for them.
# </details>
# <details><summary>Hint 2: how many stages</summary>
# Halve the shorter side in a loop and count, until it is 4. The language can repeat a group: put it in square brackets and
# write a star and the number behind it.
# </details>
# <details><summary>Hint 3: what stands where</summary>
# A stage is a CONV, its activation and a POOL. Behind the last stage nothing is needed but the scores. If you learn too many
# numbers, look in the table of `summarize` for the layer that has most of them.
# </details>
#
# **If the check says …**
#
# | part | look at |
# |---|---|
# | a diagram that can be read | run `summarize` on your text: the caret shows the place |
# | INPUT | the order is channels, height, width, as in `image` |
# | the shorter side that FC reads | the number of stages, counted from the *shorter* side |
# | CONV => RELU before every POOL | the two layers that the message names: something is missing between them |
# | the last two layers | FC with `classes` neurons, then SOFTMAX, and nothing between |
# | at most 20,000 | fewer filters, and one FC instead of two |

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for task (b): the worked number.
summarize(
    "INPUT(3, 16, 32) => CONV(8) => RELU => POOL => CONV(8) => RELU => POOL => FC(5) => SOFTMAX"
)


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def small_cnn(image, classes):
    """Write the diagram of a small CNN for images of this shape."""
    ### BEGIN SOLUTION
    channels, height, width = image
    stages = 0
    shorter = min(height, width)
    while shorter > 4:
        shorter //= 2
        stages += 1
    return (
        f"INPUT({channels}, {height}, {width})"
        f" => [CONV(8) => RELU => POOL] * {stages}"
        f" => FC({classes}) => SOFTMAX"
    )
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (b) as often as you like.
check("b", small_cnn)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "b_marks", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Marks for task (b), out of 8. Leave this cell as it is.
mark("b", small_cnn).points

# %% [markdown]
# ## (c) Softmax, for any scores
#
# *difficulty ●●○ · importance ●●● · 15 minutes · 8 points*
#
# **A worked number.** Scores of ln 1, ln 2 and ln 3, that is 0, 0.693 and 1.099. Their powers of e are 1, 2 and 3, with
# the sum 6. The probabilities are 1/6, 2/6 and 3/6.
#
# **Predict first.** Which probabilities belong to the scores −2000 and −2000? And what does Python make of `np.exp(-2000.0)`
# and `np.exp(1000.0)`?
#
# <details><summary>Compare your prediction</summary>
# One half each: only the difference counts, and it is 0. But the first power is rounded to 0 and the second becomes
# infinity. Zero divided by zero, and infinity divided by infinity, are `nan`, not a number.
# </details>
#
# ### Your task
#
# Write `softmax` for a batch of images.
#
# | argument | meaning |
# |---|---|
# | `scores` | array (N, C), the scores of N images for C classes, `float32` or `float64`; must not be changed |
# | returns | a new array (N, C) of the same type: each row positive or zero, with the sum 1 |
#
# It must be right for scores of any size, a thousand or minus two thousand included.
#
# <details><summary>Hint 1: two steps</summary>
# Chapter 2 does it for one image in two lines: powers, then shares. Begin with these.
# </details>
# <details><summary>Hint 2: which sum?</summary>
# The classes of one image compete with each other, and images do not. Along which axis must the sum run? Look at the shape
# of your sum, and at what `keepdims` does to it.
# </details>
# <details><summary>Hint 3: large scores</summary>
# You may add the same number to all scores of an image, and no probability changes. Choose that number for each image so
# that no power can be too large, and at least one is not zero.
# </details>
#
# **If the check says …**
#
# | part | look at |
# |---|---|
# | the shape | whether each image keeps all of its classes |
# | the scores of one image | the worked number, done with your function |
# | every image of a batch by itself | the sum of each row of your result: is it 1? |
# | scores far from zero | `softmax(np.array([[0.0, 1000]]))`, in a cell of your own |
# | float32 stays float32 | an array that you made without saying its type |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def softmax(scores):
    """Turn the scores of each image into probabilities."""
    ### BEGIN SOLUTION
    leads = scores - np.max(scores, axis=1, keepdims=True)
    powers = np.exp(leads)
    return powers / np.sum(powers, axis=1, keepdims=True)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (c) as often as you like.
check("c", softmax)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "c_marks", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Marks for task (c), out of 8. Leave this cell as it is.
mark("c", softmax).points

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": false, "grade_id": "d_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## (d) What is wrong with this line?
#
# *difficulty ●○○ · importance ●●○ · 10 minutes · 3 points, read by a person*
#
# A friend reads digits in grey images of 28 × 28 pixels and trains this network with PyTorch's cross-entropy:
#
# ```
# INPUT(1, 28, 28) => CONV(8) => RELU => POOL => FC(10) => RELU => SOFTMAX
# ```
#
# It runs without an error. Answer in three to six sentences:
#
# 1. Which of its layers learn, and how many numbers does each? Show the calculation.
# 2. What does the second RELU do to the scores, and why is that bad?
# 3. What is wrong with the SOFTMAX here, and how would you notice it while training?
#
# Double-click the cell below to write in it.
#
# <!-- BEGIN MARK SCHEME -->
# **Rubric for the grader, 3 points.** One point each; half a point where the idea is there and a reason or a number is not.
#
# 1. CONV: (3 · 3 · 1 + 1) · 8 = 80. FC: (8 · 14 · 14 + 1) · 10 = 15,690. No other layer learns.
# 2. It makes all negative scores the same zero, so these classes can no longer be told apart. Saying that no gradient
#    passes a negative score counts as well.
# 3. PyTorch's cross-entropy contains a softmax, so there are two. The loss takes probabilities for scores, and they lie
#    between 0 and 1: the loss cannot fall below about 1.46, even for a network that is right and sure. Full marks for "it stays
#    above a floor" or "it falls by less than 1 from its start at about 2.3"; the number is not needed.
# <!-- END MARK SCHEME -->

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": true, "grade_id": "d_answer", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# <!-- BEGIN SOLUTION -->
# 1. CONV learns (3 · 3 · 1 + 1) · 8 = 80 numbers. POOL leaves 8 · 14 · 14 = 1,568 numbers, so FC learns
#    (1,568 + 1) · 10 = 15,690. RELU, POOL and SOFTMAX learn nothing.
# 2. All negative scores become the same zero. The network can no longer say that one unlikely class is less likely than
#    another, and if all scores are negative all classes look alike.
# 3. The loss has a softmax of its own, so it is applied twice. The second one gets numbers between 0 and 1, and no class
#    can lead by more than 1. I would see a loss that falls to about 1.46 at best and stays there, however good the network
#    is. Without SOFTMAX in the line it would be right.
# <!-- END SOLUTION -->

# %% [markdown]
# ---
# **Before you hand in:** *Kernel → Restart Kernel and Run All Cells*, and look once at each check. The number under a cell
# with marks is what that task earned on the visible inputs.
