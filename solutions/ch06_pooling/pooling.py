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
# # Exercise 6: pooling, forward and backward
#
# A pooling layer has nothing to learn. It reads a window, keeps one number, and moves on. Three questions make it
# worth writing once by hand: where the next window starts, what happens at the edge, and who gets the gradient when
# two numbers are equally large.
#
# | | task | difficulty | minutes | points |
# |---|---|---|---|---|
# | (a) | max pooling | ●●○ | 20 | 11 |
# | (b) | average pooling | ●○○ | 15 | 11 |
# | (c) | the gradient of max pooling | ●●● | 30 | 11 |
# | (d) | a short answer: a bracket that slipped | ●○○ | 10 | 3 |
#
# **You need** chapter 6 of the book, loops and NumPy slices. The tasks do not build on each other: if one resists, go
# on to the next.
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

from cnnlib.checks.ch06_pooling import check, mark

# %% [markdown]
# ## (a) Max pooling
#
# *difficulty ●●○ · importance ●●● · 20 minutes · 11 points*
#
# **A worked number.** The plane of chapter 6, with window 2 and stride 2:
#
# ```
# 3 9 | 4 1
# 7 5 | 8 2         9 8
# ----+----    →    6 9
# 6 0 | 5 5
# 1 2 | 3 9
# ```
#
# **Predict first.** A plane of 5 × 5, window 2, stride 2. How many windows fit in a row, and which pixels does nobody
# read? And with window 3, stride 2?
#
# <details><summary>Compare your prediction</summary>
# Two: they start at pixels 0 and 2, and the last row and the last column go unread. A window of 3 also starts at 0 and
# 2, and reads everything.
# </details>
#
# ### Your task
#
# Write `max_pool2d`. Work out the output's size yourself, for each axis.
#
# | argument | meaning |
# |---|---|
# | `x` | images (N, C, H, W), `float32` or `float64`, of either sign; must not be changed |
# | `window` | side F of the square window, `int`, at most H and at most W |
# | `stride` | step S of the window on both axes, `int`; smaller than F, equal or larger |
# | returns | (N, C, H_out, W_out), of the type of `x` |
#
# There is no padding. Only whole windows count: what is left over at the far edge is dropped (floor).
#
# <details><summary>Hint 1: count the places</summary>
# How far can the window's first row travel before its last row is the last of the image? Divide <em>that</em> by the step,
# round down, and count the first place too. Do the same for the columns.
# </details>
# <details><summary>Hint 2: ask one output number</summary>
# Take the output at row i, column j. In which row and which column of the image does its window start? Where does it
# end?
# </details>
# <details><summary>Hint 3: images and channels come along by themselves</summary>
# A slice with colons on the first two axes cuts the same window out of every channel of every image. The maximum is
# then taken over the last two axes only. NumPy's maximum also knows what to do if all numbers are negative.
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *zero-size array* or *index … is out of bounds* | the number of places: your loop runs off the image |
# | *expected shape* | the formula, and whether each axis has its own size |
# | *negative numbers* is not yet done | the number that your search begins with |
# | *a stride that is not the window* | where window (i, j) starts: i times what? |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def max_pool2d(x, window, stride):
    """Keep the largest number of every window."""
    ### BEGIN SOLUTION
    images, channels, height, width = x.shape
    rows = (height - window) // stride + 1
    columns = (width - window) // stride + 1
    out = np.empty((images, channels, rows, columns), dtype=x.dtype)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            block = x[:, :, top : top + window, left : left + window]
            out[:, :, i, j] = block.max(axis=(2, 3))
    return out
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (a) as often as you like.
check("a", max_pool2d)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "a_marks", "locked": true, "points": 11, "schema_version": 3, "solution": false, "task": false}
# Marks for task (a), out of 11. Leave this cell as it is.
mark("a", max_pool2d).points

# %% [markdown]
# ## (b) Average pooling
#
# *difficulty ●○○ · importance ●●○ · 15 minutes · 11 points*
#
# **A worked number.** The bottom left window of the plane holds 6, 0, 1 and 2. Its average is 9/4 = 2.25.
#
# **Predict first.** A plane is 100 everywhere. What does average pooling give with window 3 and stride 2? Does the
# answer depend on the stride?
#
# <details><summary>Compare your prediction</summary>
# 100 everywhere: nine times 100, divided by nine. The stride decides only how many such answers there are.
# </details>
#
# ### Your task
#
# Write `avg_pool2d`.
#
# | argument | meaning |
# |---|---|
# | `x` | images (N, C, H, W), `float32` or `float64`; must not be changed |
# | `window` | side F of the square window, `int`, at most H and at most W |
# | `stride` | step S of the window on both axes, `int`; smaller than F, equal or larger |
# | returns | (N, C, H_out, W_out), of the type of `x` |
#
# No padding, whole windows only, as in (a). So that you do not need (a), the size comes ready made:
# `output_shape((H, W), (F, F), stride=S, rounding="floor")` gives (H_out, W_out).
#
# <details><summary>Hint 1: the frame of the work</summary>
# Ask for the size, make an empty result of that shape and of the right type, and fill it place by place.
# </details>
# <details><summary>Hint 2: one place</summary>
# Output (i, j) belongs to a block of F rows and F columns. Its first row depends on i and the stride, its first column on
# j and the stride.
# </details>
# <details><summary>Hint 3: one number from a block</summary>
# Average over the rows and columns of the block, and over nothing else: each image and each channel keeps its own number.
# If you add up first, how many numbers did you add?
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *divided by how many numbers a window has* is not yet done | your divisor: it is made of F alone |
# | *a stride that is not the window* | where window (i, j) starts |
# | *each channel by itself*, *every image of the batch* | the axes that you average over |

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for task (b).
from cnnlib.shapes import output_shape


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def avg_pool2d(x, window, stride):
    """Replace every window by its average."""
    ### BEGIN SOLUTION
    size = output_shape(x.shape[2:], (window, window), stride=stride, rounding="floor")
    out = np.empty((*x.shape[:2], *size), dtype=x.dtype)
    for i, j in np.ndindex(size):
        top, left = i * stride, j * stride
        block = x[:, :, top : top + window, left : left + window]
        out[:, :, i, j] = block.mean(axis=(2, 3))
    return out
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (b) as often as you like.
check("b", avg_pool2d)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "b_marks", "locked": true, "points": 11, "schema_version": 3, "solution": false, "task": false}
# Marks for task (b), out of 11. Leave this cell as it is.
mark("b", avg_pool2d).points

# %% [markdown]
# ## (c) The gradient of max pooling
#
# *difficulty ●●● · importance ●●● · 30 minutes · 11 points*
#
# **A worked number.** The winner takes all. With the plane of (a) and the gradients 10, 20, 30, 40 from above:
#
# ```
#  dout              dx
# 10 20         0 10  0  0
# 30 40    →    0  0 20  0
#              30  0  0  0
#               0  0  0 40
# ```
#
# Two things can happen besides. *Overlap:* in the plane with the rows 2 7 1 and 0 3 4, window 2 and stride 1, the 7 wins
# both windows. With the gradients 3 and 5 it gets 3 + 5 = 8. *Ties:* in the window with the rows 0 4 and 4 0 both fours are
# largest. The first as one reads, row by row, gets the whole gradient: the one in the top row.
#
# **Predict first.** After a ReLU a window holds four zeros, and 3 comes from above. What do the four pixels get?
#
# <details><summary>Compare your prediction</summary>
# The top left pixel gets 3 and the others 0: four equal numbers are a tie as well. After a ReLU this happens all the
# time.
# </details>
#
# ### Your task
#
# Write `max_pool2d_backward`.
#
# | argument | meaning |
# |---|---|
# | `dout` | gradient with respect to the output of max pooling, (N, C, H_out, W_out) |
# | `x` | the *input* of max pooling, (N, C, H, W), the type of `dout` |
# | `window`, `stride` | F and S, as in (a) |
# | returns | the gradient with respect to `x`, a new array of the shape and type of `x` |
#
# Neither array may be changed. Pixels that no window reads get 0. Plain loops are welcome.
#
# <details><summary>Hint 1: start from nothing</summary>
# Begin with zeros, one for each pixel of x. Then each number of <code>dout</code> goes to exactly one pixel of its own image and
# channel.
# </details>
# <details><summary>Hint 2: which pixel</summary>
# Cut the window out of one plane and ask where its largest number stands. NumPy has a function that gives the <em>place</em> of
# the maximum, and of equal ones the first. It counts along the rows; the quotient and the remainder by F give row and
# column inside the window.
# </details>
# <details><summary>Hint 3: from the window to the plane, and twice the same pixel</summary>
# The place counts from the corner of the window, and the corner is somewhere in the plane. If the pixel has got a gradient from an
# earlier window, that one must not be lost.
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *the winner gets the gradient* is not yet done | the picture: is the number in the wrong place, or the wrong number in the right place? |
# | *ties go to the first, row by row* | whether you ask *which place* or *which places equal the maximum* |
# | *overlapping windows add up* | `=` or `+=` |
# | *every channel and image* | whether each plane looks for its own winner |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def max_pool2d_backward(dout, x, window, stride):
    """Send each gradient to the pixel that won its window."""
    ### BEGIN SOLUTION
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        top, left = i * stride, j * stride
        block = x[n, c, top : top + window, left : left + window]
        row, column = divmod(int(block.argmax()), window)
        dx[n, c, top + row, left + column] += dout[n, c, i, j]
    return dx
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (c) as often as you like.
check("c", max_pool2d_backward)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "c_marks", "locked": true, "points": 11, "schema_version": 3, "solution": false, "task": false}
# Marks for task (c), out of 11. Leave this cell as it is.
mark("c", max_pool2d_backward).points

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": false, "grade_id": "d_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## (d) A bracket that slipped
#
# *difficulty ●○○ · importance ●●○ · 10 minutes · 3 points, read by a person*
#
# A page about pooling prints the output size as ((W − F / S)) + 1. AlexNet's last pooling layer reads 13 × 13 with a
# window of 3 at stride 2. Answer in four to eight sentences:
#
# 1. What does the printed formula give here, and what comes out in truth? Show both calculations.
# 2. Somebody has tested the printed formula with F = 2 and S = 1 on several sizes and found no mistake. Why not? Name
#    numbers that would have shown it, and say how you would find the right answer without any formula.
# 3. Replace the layer by a window of 2 at stride 2, rounded down. What size comes out, and how many of the 169 pixels of a
#    channel does no window read?
#
# Double-click the cell below to write in it.
#
# <!-- BEGIN MARK SCHEME -->
# **Rubric for the grader, 3 points.** One point each; half a point where the idea is there and a number is wrong or
# missing.
#
# 1. Printed: 13 − 3/2 + 1 = 12.5. In truth (13 − 3)/2 + 1 = 6.
# 2. Dividing by 1 changes nothing, so with S = 1 both formulas are the same, W − F + 1. Any S above 1 shows it, for
#    instance W = 4, F = 2, S = 2: 4 as printed, 2 in truth. Without a formula: draw a row of pixels and count the windows.
# 3. (13 − 2)/2 + 1 = 6.5, rounded down to 6, the same size as before. The last row and the last column go unread, 13 + 13 − 1 = 25
#    pixels (169 − 12 · 12). Half a point for "the last row and column" without the number, or for 26 (the corner counted
#    twice).
# <!-- END MARK SCHEME -->

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": true, "grade_id": "d_answer", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# <!-- BEGIN SOLUTION -->
# As printed it is 13 − 3/2 + 1 = 12.5. The whole travel must be divided, (13 − 3)/2 + 1 = 6. With S = 1 the division does
# nothing, so it makes no difference where the bracket closes, and no size can show the mistake. W = 4, F = 2, S = 2 shows it: 4 as
# printed, but in a row of four pixels I can lay two windows. With window 2 and stride 2 the formula gives (13 − 2)/2 + 1 =
# 6.5, rounded down to 6. The windows read pixels 0 to 11 of each axis, so 169 − 144 = 25 pixels, the last row and the last
# column, are read by none.
# <!-- END SOLUTION -->

# %% [markdown]
# ---
# **Before you hand in:** *Kernel → Restart Kernel and Run All Cells*, and look once at each check. The number under a cell
# with marks is what that task earned on the visible inputs.
