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
# # Exercise 3: one small filter, everywhere
#
# A filter of nine numbers can blur a photograph, find its edges, or be one of the thousands that a network learns. The
# operation is the same each time. In this notebook you write it four times: slowly, the way mathematics means it, for
# a real photograph, and the way a CONV layer needs it.
#
# | | task | difficulty | minutes | points |
# |---|---|---|---|---|
# | (a) | correlation by loops, one channel | ●○○ | 15 | 8 |
# | (b) | true convolution: the kernel is flipped | ●●○ | 15 | 9 |
# | (c) | blur and edges of a photograph | ●●○ | 15 | 8 |
# | (d) | a CONV layer without loops | ●●● | 25 | 12 |
# | (e) | a short answer: the wrong sign | ●○○ | 10 | 3 |
#
# That is much for one sitting. Tasks (a) to (c) are about filters for images, (d) and (e) about the layer: a good place for a
# break.
#
# **You need** chapter 3 of the book, Python loops and NumPy slices; for (d) also stride and padding, whose rules stand
# in the task. The tasks do not build on each other: if one resists, go on to the next.
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

from cnnlib.checks.ch03_convolution import check, mark

# %% [markdown]
# ## (a) Correlation by loops
#
# *difficulty ●○○ · importance ●●● · 15 minutes · 8 points*
#
# **A worked number.** The kernel lies on the top left window of the image. Multiply what lies on each other, and add:
#
# ```
# image       kernel
# 1 2 3       1   10
# 4 5 6     100 1000      1·1 + 2·10 + 4·100 + 5·1000 = 5421
# 7 8 9
# ```
#
# **Predict first.** The window moves one pixel to the right. Which number comes next, and how many numbers does the whole
# map have? Work it out on paper before you write the loop.
#
# <details><summary>Compare your prediction</summary>
# 2·1 + 3·10 + 5·100 + 6·1000 = 6532. The window fits at two places in each direction, so the map has 2 × 2 numbers. The
# two below are 8754 and 9865.
# </details>
#
# ### Your task
#
# Write `correlate2d` for one grey image and one kernel. The kernel lies as it is, moves by one pixel, and never leaves the
# image. Loops are welcome.
#
# | argument | meaning |
# |---|---|
# | `image` | array (H, W), `float32` or `float64`; must not be changed |
# | `kernel` | array (F_h, F_w) of the type of `image`, at most as large as the image |
# | returns | a new array (H − F_h + 1, W − F_w + 1) of the type of `image` |
#
# <details><summary>Hint 1: one number</summary>
# Forget the map and take one window of the size of the kernel. Which weight does its top left value meet? How does a pile
# of products become one number?
# </details>
# <details><summary>Hint 2: all places</summary>
# Where can the top left corner of the window stand? Count the rows and the columns of such places apart: they are the rows and
# columns of the result. The window at row i, column j of the result begins at row i, column j of the image.
# </details>
# <details><summary>Hint 3: an array to write into</summary>
# Make the result first, in the right size, and fill it place by place. Which element type does NumPy choose for a new
# array if you do not say?
# </details>
#
# **If the check says …**
#
# | message | look at |
# |---|---|
# | *expected shape (3, 3), got (2, 2)* | how many places there are; the number of places is one more than the number of steps |
# | *operands could not be broadcast* | whether the loop goes too far, so that a window hangs over the edge of the image |
# | *one window, one number* fails | the sum over a single window, with a kernel as large as the image |
# | only *the kernel lies as it is* fails | the order of the indices and of the rows: a symmetric kernel hides such a mistake |
# | only *not square* fails | whether each axis uses its own size |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def correlate2d(image, kernel):
    """Lay the kernel on every window of the image; one number a window."""
    ### BEGIN SOLUTION
    rows, columns = kernel.shape
    height = image.shape[0] - rows + 1
    width = image.shape[1] - columns + 1
    result = np.zeros((height, width), dtype=image.dtype)
    for i in range(height):
        for j in range(width):
            window = image[i : i + rows, j : j + columns]
            result[i, j] = np.sum(window * kernel)
    return result
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (a) as often as you like.
check("a", correlate2d)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "a_marks", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Marks for task (a), out of 8. Leave this cell as it is.
mark("a", correlate2d).points

# %% [markdown]
# ## A correlation for tasks (b) and (c)
#
# So that you need nothing from task (a), here is a correlation that is ready made. Run it. It is written the other way round:
# not one window after the other, but one weight after the other, each times a shifted copy of the image.

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "shared_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for tasks (b) and (c).


def correlate(image, kernel):
    """The map of one kernel at all places where it fits, in the image's type."""
    if kernel.ndim != 2:
        raise ValueError(f"a kernel has rows and columns, but this one has shape {kernel.shape}")
    down, right = (1 + n - f for n, f in zip(image.shape, kernel.shape, strict=True))
    total = np.zeros((down, right), dtype=image.dtype)
    for (a, b), weight in np.ndenumerate(kernel):
        total += image.dtype.type(weight) * image[a : a + down, b : b + right]
    return total


# %% [markdown]
# ## (b) True convolution
#
# *difficulty ●●○ · importance ●●○ · 15 minutes · 9 points*
#
# Signal processing flips the kernel on both axes first. In return a single dot gives the kernel back as it is, and
# image and kernel may change places. SciPy's `convolve2d` works so, with three sizes of the result that you find in many
# libraries:
#
# | mode | which places of the kernel count | size on an axis of n pixels, kernel F |
# |---|---|---|
# | `"full"` | all that touch the image, down to one pixel; outside there are zeros | n + F − 1 |
# | `"same"` | the middle of *full*: (F − 1) / 2 numbers are cut from each end, so F is odd here | n |
# | `"valid"` | those that lie in the image completely | n − F + 1 |
#
# **A worked number.** The row 1 2 4 and the kernel 1 10, which is 10 1 after the flip:
#
# ```
# outside   0 [ 1   2   4 ] 0
#          10   1                 0·10 + 1·1 =  1
#              10   1             1·10 + 2·1 = 12
#                  10   1         2·10 + 4·1 = 24
#                      10   1     4·10 + 0·1 = 40
# ```
#
# *Full* gives 1 12 24 40, and *valid* 12 24. With the kernel 0 1 10 *full* gives 0 1 12 24 40, and *same* the three numbers in the
# middle, 1 12 24.
#
# **Predict first.** An image of 5 × 5 is black but for a single 1 in the middle. The kernel counts 1 2 3, 4 5 6, 7 8 9. What does
# *valid* give, and which number stands in the top left corner if the kernel is *not* flipped?
#
# <details><summary>Compare your prediction</summary>
# The kernel itself: 1 2 3, 4 5 6, 7 8 9. Without the flip there is a 9 in the corner, because the first window has the
# dot under the last weight.
# </details>
#
# ### Your task
#
# Write `convolve2d`. Use `correlate` for the sums and build what it needs.
#
# | argument | meaning |
# |---|---|
# | `image` | array (H, W), `float32` or `float64`; must not be changed |
# | `kernel` | array (F_h, F_w) of the type of `image`, of any size, but odd on both axes for *same*; must not be changed |
# | `mode` | `"full"`, `"same"` or `"valid"` |
# | returns | a new array of the type of `image`, of the size in the table above, each axis by itself |
#
# For *full* and *same* the kernel may be larger than the image.
#
# <details><summary>Hint 1: half a turn</summary>
# Start with valid. What has to happen to the kernel so that its last weight becomes its first? A slice can walk backwards,
# and there are two axes.
# </details>
# <details><summary>Hint 2: zeros outside</summary>
# For full, the outermost window shares one row with the image. How many rows of it lie outside, then? So many rows of zeros
# the image needs above and below before you correlate, and columns likewise. NumPy has a function that pads.
# </details>
# <details><summary>Hint 3: a part of full</summary>
# If you have full, same needs no new sums: it is a block of full, as large as the image. The table says where the
# block begins on each axis; it ends as many rows later as the image has. Valid can be cut out in the same way, or
# correlated directly.
# </details>
#
# **If the check says …**
#
# | message | look at |
# |---|---|
# | only *the kernel is flipped* and *everything together* fail | the flip: most of the check's kernels are symmetric, these are not |
# | *full* has a wrong shape | the zeros on each side, one fewer than the kernel is long |
# | a size of 0 in *same* | a slice such as `[p:-p]`: what does it give where p is 0, with a kernel of one row? |
# | only *not square* fails | which axis gets the zeros of the kernel's height |
# | *your function stopped with ValueError* in full | whether the image was padded before the window moves |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def convolve2d(image, kernel, *, mode="full"):
    """Convolve as mathematics does: the kernel is flipped on both axes."""
    ### BEGIN SOLUTION
    turned = kernel[::-1, ::-1]
    if mode == "valid":
        return correlate(image, turned)
    above, beside = (f - 1 for f in kernel.shape)
    everything = correlate(np.pad(image, ((above, above), (beside, beside))), turned)
    if mode == "full":
        return everything
    top, left = above // 2, beside // 2
    return everything[top : top + image.shape[0], left : left + image.shape[1]]
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (b) as often as you like.
check("b", convolve2d)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "b_marks", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
# Marks for task (b), out of 9. Leave this cell as it is.
mark("b", convolve2d).points

# %% [markdown]
# ## (c) Blur and edges of a photograph
#
# *difficulty ●●○ · importance ●●● · 15 minutes · 8 points*
#
# Four kernels, and a photograph to try them on. It was taken by Lav Varshney, who gave it to everybody (CC0).
#
# - The **box** is a square of equal weights which add up to 1: the mean of the window.
# - The **Gaussian** has large weights in the middle. The weight a rows and b columns away from the middle is
#   exp(−(a² + b²) / (2σ²)), divided by the sum of all these values, so that the kernel adds up to 1 as well.
# - **Sobel** finds changes. *From left to right* its left column is −1, −2, −1, the middle one is 0 and the right one 1, 2, 1. *From top to
#   bottom* is the same turned on its side: the top row is negative, the bottom row positive.
# - The **strength** of an edge joins both answers: √(across² + down²), at each place.
#
# **A worked number.** The Gaussian of 3 × 3 with σ = 1 starts with 1 in the middle, exp(−1/2) = 0.607 beside it and exp(−1) = 0.368 in the
# corners. Their sum is 1 + 4 · 0.607 + 4 · 0.368 = 4.898, so the weight in the middle is 1 / 4.898 = 0.204.
#
# **Predict first.** Every pixel of an image is 6. What do the two blurs and the two Sobel kernels answer?
#
# <details><summary>Compare your prediction</summary>
# The blurs give 6 everywhere, because their weights add up to 1. The Sobel kernels give 0, because theirs add up to 0: no
# change, no answer.
# </details>
#
# ### Your task
#
# Write `photo_filters`. Build the four kernels as arrays and apply `correlate` from above.
#
# | argument | meaning |
# |---|---|
# | `image` | array (H, W), `float32` or `float64`; must not be changed |
# | `size` | side of the two blur kernels in pixels, an odd `int` |
# | `sigma` | σ of the Gaussian, in pixels |
# | returns | a tuple of five arrays: box blur, Gaussian blur, change from left to right, change from top to bottom, strength |
#
# The blurs have shape (H − size + 1, W − size + 1), the other three (H − 2, W − 2). Sobel is applied to the image itself, not to
# a blurred one.
#
# <details><summary>Hint 1: the box</summary>
# A kernel of size × size equal weights. How large is each, so that together they make 1?
# </details>
# <details><summary>Hint 2: distances</summary>
# Make the row of distances first, for size 3 it is −1, 0, 1. As a column and as a row it gives a² and b², and their sum
# over the whole square comes by broadcasting. Where does the division by the sum belong, before or after exp?
# </details>
# <details><summary>Hint 3: two kernels that are one</summary>
# Write down one Sobel kernel and turn it on its side for the other; NumPy has an attribute for that. Check with an image that
# is 0 on the left and 1 on the right: the answer from left to right is 1 + 2 + 1 = 4, from top to bottom 0, the
# strength 4.
# </details>
#
# **If the check says …**
#
# | message | look at |
# |---|---|
# | *a flat image* is named in a blur | the sum of the weights: 1 keeps the brightness |
# | *a kernel has rows and columns* | the distances: a² as a column and b² as a row make a square, two rows do not |
# | *Gaussian blur* fails, the flat image holds | the exponent: the square of the distance, the 2, the square of σ, and the brackets |
# | *left to right* and *top to bottom* both fail, *strength* holds | the two kernels are exchanged, or both have the wrong sign |
# | *in place of 5 results* | the return line: five arrays, with commas between them |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def photo_filters(image, size, sigma):
    """Box blur, Gaussian blur, the two Sobel answers and the strength of the edges."""
    ### BEGIN SOLUTION
    box = np.ones((size, size)) / size**2
    steps = np.arange(size) - size // 2
    bell = np.exp(-(steps[:, None] ** 2 + steps**2) / (2 * sigma**2))
    sobel = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    across = correlate(image, sobel)
    down = correlate(image, sobel.T)
    strength = np.sqrt(across**2 + down**2)
    return correlate(image, box), correlate(image, bell / bell.sum()), across, down, strength
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (c) as often as you like.
check("c", photo_filters)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "c_marks", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Marks for task (c), out of 8. Leave this cell as it is.
mark("c", photo_filters).points

# %% [markdown]
# Now look at what you made. In the two maps of changes mid-grey is zero, white is positive and black is negative.

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_pictures", "locked": true, "schema_version": 3, "solution": false, "task": false}
from matplotlib import pyplot as plt

from cnnlib.data import photograph

photo = photograph()
titles = ("box blur", "Gaussian blur", "left to right", "top to bottom", "strength")
try:
    pictures = {"input": photo} | dict(zip(titles, photo_filters(photo, 7, 1.5), strict=True))
except NotImplementedError:
    pictures = {}
    print("The pictures appear here when task (c) is written.")

if pictures:
    figure, axes = plt.subplots(2, 3, figsize=(9, 6.4), layout="constrained")
    for place, (title, picture) in zip(axes.flat, pictures.items(), strict=True):
        change = title in ("left to right", "top to bottom")
        white = np.abs(picture).max() if change or title == "strength" else 1
        place.imshow(picture, cmap="gray", vmin=-white if change else 0, vmax=white)
        place.set_title(title)
        place.axis("off")
    plt.show()

# %% [markdown]
# The far edge of the lawn runs level, so it shows in *top to bottom* and not in *left to right*. The middle leg of the tripod is upright, so
# it is the other way round; the two outer legs are slanted and show in both. The two blurs have the same size, but the Gaussian takes
# less away, because its outer weights are small. The grass becomes smooth under both, and in *strength* it is a fine noise: an edge
# filter takes every change for an edge. That is one reason to blur first.

# %% [markdown]
# ## (d) A CONV layer without loops
#
# *difficulty ●●● · importance ●●● · 25 minutes · 12 points*
#
# Loops in Python are slow, because each step is interpreted. NumPy can take *all windows at once*: first an array of all windows,
# then one product with all filters. That array is also what a backward pass needs to remember, so the function returns it
# beside the result, as the cache of the layer.
#
# **A worked number.** Two images of 5 × 5 with 3 channels, filters of 3 × 3, stride 2, no padding. The window fits at 2 × 2 places. So
# the windows have the shape (2, 3, 2, 2, 3, 3): image, channel, the row and column of the place, the row and column inside the window. That
# makes 216 numbers, out of 150 pixels. With 4 filters the result is (2, 4, 2, 2).
#
# **Predict first.** Images of 32 × 32 with 3 channels, filters of 3 × 3, stride 1, padding 1. How many times more numbers are in
# the windows than in the images?
#
# <details><summary>Compare your prediction</summary>
# 9 times. The padding keeps 32 × 32 places, and each of them holds 3 × 3 numbers a channel. NumPy can show the windows without
# copying them, as a *view*; a copy would need that memory.
# </details>
#
# ### Your task
#
# Write `conv2d_forward` for a batch. The check does not measure time, so begin with loops if you like, and replace them afterwards.
#
# | argument | meaning |
# |---|---|
# | `x` | images (N, C, H, W), `float32` or `float64`; must not be changed |
# | `weight` | K filters (K, C, F_h, F_w), of the type of `x` |
# | `bias` | one number a filter (K,), or `None` |
# | `stride`, `padding` | S and P for both axes, `int`; a last window that does not fit is left out |
# | returns | a tuple `(out, windows)` |
# | `out` | (N, K, H_out, W_out), of the type of `x`: each filter laid on each window, not flipped, plus its bias |
# | `windows` | (N, C, H_out, W_out, F_h, F_w): `windows[n, c, i, j]` is what the window sees at row i, column j of the result |
#
# P zeros go on each side of each image before the window moves: `np.pad(x, ((0, 0), (0, 0), (P, P), (P, P)))`. The window
# of place (i, j) then begins at row i · S, column j · S. H_out is (H − F_h + 2P) // S + 1, and W_out likewise.
#
# <details><summary>Hint 1: all windows at once</summary>
# Search NumPy's documentation for a *sliding window view*: it takes the array, the shape of the window and the two axes along which
# it slides. It gives the windows of stride 1. Which of them does a stride of S keep?
# </details>
# <details><summary>Hint 2: one sum over three axes</summary>
# Give each axis a letter. The windows have six, the filters four, and the result has four of all these. A letter that is in both and not
# in the result is multiplied and summed. Einstein's notation says just that, and NumPy has a function of his name. A matrix product
# of suitably reshaped arrays does the same.
# </details>
# <details><summary>Hint 3: the bias</summary>
# NumPy lines shapes up from the right, so a bias of shape (K,) would lie along the width. Which shape must it have to lie along axis 1 of
# (N, K, H_out, W_out)? And it may be absent.
# </details>
#
# **If the check says …**
#
# | message | look at |
# |---|---|
# | *in place of 2 results* | the return line: `out` and `windows`, in this order |
# | *the windows* hold, an output fails | the letters of the sum, or the order of the axes before a reshape |
# | *windows with a stride* fails | which windows are kept; the pixels inside a window remain neighbours |
# | *NoneType*, or *truth value of an array* | no bias is `None`: ask whether it is that before you add it |
# | *could not be broadcast* in *bias* | the axes of the bias |
# | only *each image* fails | whether the images were mixed or added up |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def conv2d_forward(x, weight, bias=None, *, stride=1, padding=0):
    """Slide K filters over a batch of images; return the maps and the windows."""
    ### BEGIN SOLUTION
    frame = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    view = np.lib.stride_tricks.sliding_window_view(np.pad(x, frame), weight.shape[2:], axis=(2, 3))
    windows = view[:, :, ::stride, ::stride]
    out = np.einsum("nchwij,kcij->nkhw", windows, weight, optimize=True)
    if bias is not None:
        out = out + bias[:, None, None]
    return out, windows
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (d) as often as you like.
check("d", conv2d_forward)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "d_marks", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
# Marks for task (d), out of 12. Leave this cell as it is.
mark("d", conv2d_forward).points

# %% [markdown]
# And what was it good for? Here your layer runs against the same sum in loops over every single product. No points hang on it.

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_timing", "locked": true, "schema_version": 3, "solution": false, "task": false}
from time import perf_counter

rng = np.random.default_rng(0)
batch, filters = rng.standard_normal((1, 3, 32, 32)), rng.standard_normal((4, 3, 3, 3))


def by_loops(x, weight):
    """A CONV layer at stride 1, product by product."""
    n_images, _, height, width = x.shape
    n_filters, *taps = weight.shape
    maps = np.zeros((n_images, n_filters, height - taps[1] + 1, width - taps[2] + 1))
    for n, k, i, j in np.ndindex(maps.shape):
        for c, a, b in np.ndindex(*taps):
            maps[n, k, i, j] += x[n, c, i + a, j + b] * weight[k, c, a, b]
    return maps


def seconds(function):
    start = perf_counter()
    function(batch, filters)
    return perf_counter() - start


try:
    slow, fast = seconds(by_loops), min(seconds(conv2d_forward) for _ in range(5))
    print(f"loops {slow * 1e3:.0f} ms, yours {fast * 1e3:.2f} ms: {slow / fast:.0f} times as fast")
except NotImplementedError:
    print("The two times appear here when task (d) is written.")

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": false, "grade_id": "e_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## (e) The wrong sign
#
# *difficulty ●○○ · importance ●●○ · 10 minutes · 3 points, read by a person*
#
# In a book on signal processing each row of a 3 × 3 kernel reads 1 0 −1. The book uses it in a true convolution. A friend copies
# it as it is into a CONV layer, and feeds an image that is 0 on the left and 1 on the right. Answer in three to six sentences:
#
# 1. What does the book's convolution answer at the edge, and what does the CONV layer? Show the calculation.
# 2. Name a 3 × 3 kernel, not all weights equal, for which your friend would not notice anything, and say why.
# 3. Networks are trained with the unflipped operation. Why does nothing get lost by that?
#
# Double-click the cell below to write in it.
#
# <!-- BEGIN MARK SCHEME -->
# **Rubric for the grader, 3 points.** One point each; half a point where the idea is there and the calculation or the reason is not.
#
# 1. Flipped, each row reads −1 0 1, so the window over the edge gives 3 · (−1 · 0 + 1 · 1) = +3. As it is, the layer gives 3 · (1 · 0 − 1 · 1) = −3. The
#    size may be left out if the opposite signs are explained by the flip.
# 2. Any kernel that is the same after half a turn, such as the Laplacian 0 1 0, 1 −4 1, 0 1 0, a Gaussian, or `corner` of the chapter; the reason is
#    that flipping both axes changes nothing. Symmetry under a mirror of *one* axis alone is not enough.
# 3. The weights are learned: training finds the flipped weights where the flipped operation would have found the others, so the same functions can be
#    expressed. (It matters only when weights cross from one convention to the other.)
# <!-- END MARK SCHEME -->

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": true, "grade_id": "e_answer", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# <!-- BEGIN SOLUTION -->
# The true convolution flips the kernel, so each row reads −1 0 1, and over the edge three rows give 3 · (−0 + 1) = +3: brighter to the right. The CONV
# layer lays 1 0 −1 on as it is and answers 3 · (0 − 1) = −3. With the Laplacian 0 1 0, 1 −4 1, 0 1 0 nobody would notice, because it is the same
# after half a turn, and half a turn is what the flip does. In training the weights are found, not copied: a layer that does not flip learns the turned
# kernel and computes the same map, so nothing that the one can express is missing in the other.
# <!-- END SOLUTION -->

# %% [markdown]
# ---
# **Before you hand in:** *Kernel → Restart Kernel and Run All Cells*, and look once at each check. The number under a cell
# with marks is what that task earned on the visible inputs.
