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
# # Exercise 4: how big is the output?
#
# Every layer that you stack changes the size of the volume, and one pixel too many stops a whole network from
# being built. After this notebook you can tell the size before you run anything, and you have written the layer
# that makes it.
#
# | | task | difficulty | minutes | points |
# |---|---|---|---|---|
# | (a) | output size, with three ways of rounding | ●○○ | 15 | 8 |
# | (b) | zero padding of a batch | ●○○ | 10 | 7 |
# | (c) | convolution by loops | ●●○ | 25 | 12 |
# | (d) | a short answer: AlexNet's 224 | ●○○ | 10 | 3 |
#
# **You need** chapter 4 of the book, Python functions and NumPy slices. The tasks do not build on each other: if one
# resists, go on to the next.
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

from cnnlib.checks.ch04_output_size import check, mark

# %% [markdown]
# ## (a) Output size
#
# *difficulty ●○○ · importance ●●● · 15 minutes · 8 points*
#
# **A worked number.** An axis of 7 pixels, a kernel of 3, stride 2, no padding. Windows start at pixels 0, 2 and 4, so
# the output has 3 positions. With 8 pixels the next window would start at 6 and need pixels 6, 7 and 8, but pixel 8 is
# not there: the formula gives 3.5. Now someone has to decide: *strict* refuses, *floor* says 3, *ceil* says 4.
#
# **Predict first.** 32 pixels, kernel 5, stride 1: what comes out without padding, and with padding 2?
#
# <details><summary>Compare your prediction</summary>
# 28 without padding. With 2 zeros on each side it is 32 again: the size is kept.
# </details>
#
# ### Your task
#
# Write `output_size` for one axis.
#
# | argument | meaning |
# |---|---|
# | `size`, `kernel` | pixels of the axis (W), pixels of the kernel (F), both `int` |
# | `stride`, `padding` | step of the window (S), zeros added on *each* side (P), both `int` |
# | `rounding` | `"strict"`, `"floor"` or `"ceil"`: what to do if the windows do not fit exactly |
# | returns | the number of positions, an `int` |
# | raises | `ValueError` if `rounding` is `"strict"` and they do not fit |
#
# Ceil adds one window that sticks out over the far edge, as PyTorch's pooling does with `ceil_mode=True`, and with the
# same exception: the extra window does not count if it would start in the padding *after* the image, or beyond it.
#
# <details><summary>Hint 1: what is counted?</summary>
# Think of the window as a ruler that you push along a shelf. How far can its left edge travel before its right edge
# hits the end?
# </details>
# <details><summary>Hint 2: steps and stops</summary>
# That distance is cut into steps of S. The number of places where the ruler rests is not the number of steps. The
# remainder of the division tells you whether the windows fit; Python gives you quotient and remainder at once.
# </details>
# <details><summary>Hint 3: the extra window of ceil</summary>
# Number the windows from 0. Where does window number n start, counted from the first zero of the padding? And where,
# counted the same way, does the image end?
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *expected a ValueError, but it returned …* | `raise` stops the function with an error; `return` hands a value back |
# | *got None* | a way through the `if`s that ends without `return` |
# | *expected 54, got 54.25* | hint 2: the whole number and the remainder, in place of a fraction |
# | *ceil* is done, *no window that starts behind the image* is not | hint 3; the by-hand case fits on one line of paper |
# | *the value is right, but … is a float* | `/` gives a float, and so do `np.floor` and `np.ceil` |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def output_size(size, kernel, *, stride=1, padding=0, rounding="strict"):
    """Count the positions of a window on one axis."""
    ### BEGIN SOLUTION
    travel = size + 2 * padding - kernel
    steps, left_over = divmod(travel, stride)
    windows = steps + 1
    if left_over == 0 or rounding == "floor":
        return windows
    if rounding == "strict":
        raise ValueError(
            f"{left_over} pixels are left over: choose another size, stride or padding"
        )
    extra_starts_in_time = windows * stride < padding + size
    return windows + 1 if extra_starts_in_time else windows
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (a) as often as you like.
check("a", output_size)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "a_marks", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Marks for task (a), out of 8. Leave this cell as it is.
mark("a", output_size).points

# %% [markdown]
# ## (b) Zero padding
#
# *difficulty ●○○ · importance ●●○ · 10 minutes · 7 points*
#
# **A worked number.** One image of 2 × 2 pixels with P = 1:
#
# ```
#           0 0 0 0
# 1 2       0 1 2 0
# 3 4   →   0 3 4 0
#           0 0 0 0
# ```
#
# **Predict first.** A batch of shape (8, 3, 32, 32) is padded with P = 2. What is its new shape, and how many zeros
# were added?
#
# <details><summary>Compare your prediction</summary>
# (8, 3, 36, 36). Each map gains 36 · 36 − 32 · 32 = 272 zeros, so 8 · 3 · 272 = 6,528 in all.
# </details>
#
# ### Your task
#
# Write `zero_pad`. NumPy has `np.pad`, and you may check yourself against it; build the frame with a
# slice here, because you will meet that slice again in every convolution.
#
# | argument | meaning |
# |---|---|
# | `x` | array (N, C, H, W), `float32` or `float64`; must not be changed |
# | `padding` | zeros on each of the four sides (P), `int`, 0 is allowed |
# | returns | a new array (N, C, H + 2P, W + 2P) of the type of `x` |
#
# <details><summary>Hint 1: two steps</summary>
# Think of a picture and its mount: first the empty mount, then the picture laid into it.
# </details>
# <details><summary>Hint 2: where the image lands</summary>
# In which row of the mount does row 0 of the image land? In which row its last one? The same holds for columns.
# </details>
# <details><summary>Hint 3: the two surprises</summary>
# A new array has an element type: which one does NumPy choose if you do not say? And what does a slice mean that ends
# at minus zero?
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *expected shape …, got …* | by how much each axis has to grow: P zeros on *each* side |
# | *could not broadcast input array* | the slice has another size than the image: hint 2, and with `padding=0` hint 3 |
# | *too many values to unpack* | `x` has four axes, (N, C, H, W) |
# | *float32 went in and float64 came out* | the line that makes the new array: hint 3 |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def zero_pad(x, padding):
    """Frame every map of a batch with zeros."""
    ### BEGIN SOLUTION
    images, channels, height, width = x.shape
    out = np.zeros((images, channels, height + 2 * padding, width + 2 * padding), dtype=x.dtype)
    out[:, :, padding : padding + height, padding : padding + width] = x
    return out
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (b) as often as you like.
check("b", zero_pad)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "b_marks", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
# Marks for task (b), out of 7. Leave this cell as it is.
mark("b", zero_pad).points

# %% [markdown]
# ## (c) Convolution by loops
#
# *difficulty ●●○ · importance ●●● · 25 minutes · 12 points*
#
# **A worked number.** The 5 × 5 image of chapter 4 begins with the rows 95 242 186, 39 14 220 and 5 247 212. Lay the
# Laplacian (0 1 0, 1 −4 1, 0 1 0) on them, multiply and add:
#
# ```
# 242·1 + 39·1 + 14·(−4) + 220·1 + 247·1 = 692
# ```
#
# That is the top left number of the result. Then the window moves on by the stride.
#
# **Predict first.** What does the Laplacian answer where the image is flat, say 100 everywhere?
#
# <details><summary>Compare your prediction</summary>
# 0: four neighbours of 100 minus four times 100. It answers to edges only.
# </details>
#
# ### Your task
#
# Write `conv2d`. The kernel is laid on as it is, not flipped. Clear loops are welcome: nobody measures
# your speed here.
#
# | argument | meaning |
# |---|---|
# | `x` | images (N, C, H, W), `float32` or `float64`; must not be changed |
# | `weight` | K filters (K, C, F_h, F_w), of the type of `x` |
# | `bias` | one number a filter (K,), or `None` |
# | `stride`, `padding` | for both axes (S, P), `int`; sizes are floored |
# | returns | (N, K, H_out, W_out), of the type of `x` |
#
# So that you need neither (a) nor (b), both come ready made: `output_shape((H, W), (F_h, F_w), stride=S, padding=P,
# rounding="floor")` gives (H_out, W_out), and `np.pad(x, ((0, 0), (0, 0), (P, P), (P, P)))` gives the padded batch.
#
# <details><summary>Hint 1: ask one output number</summary>
# Take one number of the result, at (image n, filter k, row i, column j). Which block of the padded image does it
# see? Say it in words before you write a loop.
# </details>
# <details><summary>Hint 2: corners of the block</summary>
# The block starts at a row and a column that depend on i, j and S, is as large as the kernel, and goes through all
# channels. A filter has the same shape as that block.
# </details>
# <details><summary>Hint 3: from the block to the number</summary>
# Two arrays of the same shape become one number by multiplying element by element and adding everything up, over
# channels too. The bias joins afterwards, once. How many loops remain around that?
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *'NoneType' object is not subscriptable* | there may be no bias: ask whether it is `None` before you use it |
# | *The truth value of an array … is ambiguous* | `if bias:` asks a whole array; ask `bias is not None` |
# | *operands could not be broadcast* | the line that it names: is the block cut from the *padded* image? A bias array (K,) meets the *last* axis of the result |
# | *values at stride 1* is not done | do the top left window on paper: 692. `*` multiplies element by element, `@` does not |
# | *stride* alone is not done | which pixel the window at (i, j) starts at: hint 2 |
# | *channels and filters* is not done | what is added up in one output number: hint 3 |

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for task (c).
from cnnlib.shapes import output_shape


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d(x, weight, bias=None, *, stride=1, padding=0):
    """Slide K filters over a batch of images."""
    ### BEGIN SOLUTION
    images, _, height, width = x.shape
    filters, _, rows, columns = weight.shape
    out_height, out_width = output_shape(
        (height, width), (rows, columns), stride=stride, padding=padding, rounding="floor"
    )
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    out = np.zeros((images, filters, out_height, out_width), dtype=x.dtype)
    for n in range(images):
        for k in range(filters):
            for i in range(out_height):
                for j in range(out_width):
                    top, left = i * stride, j * stride
                    block = padded[n, :, top : top + rows, left : left + columns]
                    out[n, k, i, j] = np.sum(block * weight[k])
            if bias is not None:
                out[n, k] += bias[k]
    return out
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (c) as often as you like.
check("c", conv2d)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "c_marks", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
# Marks for task (c), out of 12. Leave this cell as it is.
mark("c", conv2d).points

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": false, "grade_id": "d_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## (d) AlexNet's 224
#
# *difficulty ●○○ · importance ●●○ · 10 minutes · 3 points, read by a person*
#
# The AlexNet paper gives images of 224 × 224, kernels of 11 × 11 and stride 4 for its first layer, and no padding.
# The next layer needs 55 × 55. Answer in three to six sentences:
#
# 1. Why do these numbers not fit? Show the calculation.
# 2. Name two *different* changes after which the layer gives 55.
# 3. What does PyTorch give if nothing is changed, and which pixels does nobody look at?
#
# Double-click the cell below to write in it.
#
# <!-- BEGIN MARK SCHEME -->
# **Rubric for the grader, 3 points.** One point each; half a point where the idea is there and the number is not.
#
# 1. (224 − 11)/4 + 1 = 54.25 (or 213/4 = 53.25), and a count of windows must be whole.
# 2. Two of: an image of 227 × 227 (exactly 55); padding 2, as in torchvision (55.25, floored to 55); 1 zero on one side and
#    2 on the other (exactly 55); rounding up, as the paper's own program does (55). Other correct settings count as well. Two sizes of the image are *one* change.
# 3. It floors to 54. One pixel is left over on each axis: the last row and the last column are never read.
# <!-- END MARK SCHEME -->

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": true, "grade_id": "d_answer", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# <!-- BEGIN SOLUTION -->
# The formula gives (224 − 11)/4 + 1 = 54.25, and no layer has a quarter of a position. An image of 227 × 227 gives
# (227 − 11)/4 + 1 = 55. Keeping 224 and padding with 2 zeros on each side gives 55.25, which is floored to 55.
# Without a change PyTorch floors 54.25 to 54, and as 213 = 4 · 53 + 1 the last row and the last column of the image
# are never seen by any window.
# <!-- END SOLUTION -->

# %% [markdown]
# ---
# **Before you hand in:** *Kernel → Restart Kernel and Run All Cells*, and look once at each check. The number under a cell
# with marks is what that task earned on the visible inputs.
