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
# # Exercise 1: who is connected to whom?
#
# A layer is decided by its lines: which neuron reads which number, and which lines have the same weight. After this
# notebook you can tell what a wiring costs before anything is built, you have written a convolution as the matrix that
# it is, and you have moved trained weights from shuffled pictures to whole ones without training again.
#
# | | task | difficulty | minutes | points |
# |---|---|---|---|---|
# | (a) | count a fully connected network | ●○○ | 15 | 8 |
# | (b) | count three ways to wire a layer | ●●○ | 20 | 8 |
# | (c) | a layer as a matrix | ●●○ | 15 | 8 |
# | (d) | a shuffle undone | ●●○ | 15 | 6 |
# | (e) | a short answer: which wiring for which data? | ●○○ | 10 | 3 |
#
# **You need** chapter 1 of the book, Python functions and NumPy indexing. The tasks do not build on each other: if one
# resists, go on to the next.
#
# **How it works.** Write your code where it says `# YOUR CODE HERE`, run that cell, then run the check below it. A
# check tells you what holds and what does not, as often as you like. The cells with the marks run the same check
# when you hand in, with other numbers.
#
# **When you are stuck:** open hint 1, then 2, then 3. Then take an example so small that you can draw all its lines,
# and count them.

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Run this cell first.
import numpy as np

from cnnlib.checks.ch01_local_connectivity import check, mark

# %% [markdown]
# ## (a) A fully connected network
#
# *difficulty ●○○ · importance ●●● · 15 minutes · 8 points*
#
# **A worked number.** The network of chapter 1 has 3 inputs, one hidden layer of 2 neurons, and 3 class scores. The
# hidden layer has 2 · 3 = 6 weights, the scores have 3 · 2 = 6. Each neuron behind the inputs has a bias, that is
# 2 + 3 = 5. So: 3 inputs, 12 weights, 5 biases.
#
# **Predict first.** Colour images of 250 × 250 pixels, one hidden layer of 1,000 neurons, 10 classes. How many inputs,
# weights and biases? Which of the two layers has more weights?
#
# <details><summary>Compare your prediction</summary>
# 187,500 inputs. The hidden layer has 187,500,000 weights and the scores have 10,000, together 187,510,000. There are
# 1,010 biases. Nearly all of it is in the first layer.
# </details>
#
# ### Your task
#
# Write `count_network`.
#
# | argument | meaning |
# |---|---|
# | `image` | channels, height and width of the images, a tuple of three `int`, such as `(3, 32, 32)` |
# | `hidden` | the neurons of each hidden layer, a tuple of `int`; `()` if there is none |
# | `classes` | the number of class scores, an `int` |
# | returns | three numbers as a tuple: the inputs, the weights of all layers, the biases of all layers |
#
# <details><summary>Hint 1: one row of sizes</summary>
# Write the network as one row of sizes, from the image to the classes. How many numbers is the image when it is laid
# out as a vector?
# </details>
# <details><summary>Hint 2: what belongs to what</summary>
# A weight belongs to a line, and a line has two ends. A bias belongs to a neuron. Which of the sizes in your row are
# neurons?
# </details>
# <details><summary>Hint 3: neighbours in the row</summary>
# Draw 4, 5, 3, 2 as dots in four columns. Between which columns are there lines? Python can walk along a row in pairs;
# look for a function of `itertools`, or use an index.
# </details>
#
# **If the check says …**
#
# | part | look at |
# |---|---|
# | the inputs | all three numbers of `image` |
# | weights without a hidden layer | which two sizes are joined by lines, and whether you add or multiply them |
# | weights with one or several hidden layers | what each layer reads: the one just before it |
# | the biases | who has a bias and who has none |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def count_network(image, hidden, classes):
    """Count inputs, weights and biases of a fully connected network."""
    ### BEGIN SOLUTION
    channels, height, width = image
    inputs = channels * height * width
    weights = biases = 0
    before = inputs
    for neurons in (*hidden, classes):
        weights += before * neurons
        biases += neurons
        before = neurons
    return inputs, weights, biases
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (a) as often as you like.
check("a", count_network)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "a_marks", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Marks for task (a), out of 8. Leave this cell as it is.
mark("a", count_network).points

# %% [markdown]
# ## (b) Three ways to wire a layer
#
# *difficulty ●●○ · importance ●●● · 20 minutes · 8 points*
#
# **A worked number.** A grey image of 4 × 5 pixels, a window of 3 × 3, one filter. The window has 2 places down and 3
# across, so the layer has 6 neurons. Fully connected, each of them has 20 weights, together 120. Locally connected, each
# has 9 weights of its own, together 54. Convolutional, all of them use the same 9.
#
# **Predict first.** A colour image of 32 × 32 pixels, a window of 5 × 5, 6 filters. Guess how many digits each of the
# three counts has.
#
# <details><summary>Compare your prediction</summary>
# 14,450,688 fully connected, 352,800 locally connected, 450 convolutional: eight digits, six, and three.
# </details>
#
# ### Your task
#
# Write `count_wirings`. The layer has the same neurons in all three wirings. Biases are left out.
#
# | argument | meaning |
# |---|---|
# | `image` | channels, height and width of the image, a tuple of three `int` |
# | `kernel` | the side of the square window (F), an `int`, no larger than height or width |
# | `filters` | the number of filters (K), an `int` |
# | returns | four numbers as a tuple: neurons; weights fully connected; weights locally connected; weights convolutional |
#
# The window stays inside the image and moves on by one pixel, across and down. At each of its places stand K neurons,
# one for each filter. Where it is local, a neuron reads the F × F pixels of the window, through all channels.
#
# <details><summary>Hint 1: places first</summary>
# Lay a paper strip of three squares on a row of six squares. In how many positions can it lie? Find the rule for one
# axis, then think of the two axes as a grid.
# </details>
# <details><summary>Hint 2: one neuron, then all</summary>
# For each wiring ask the same two questions. How many numbers does one neuron read? How many neurons have weights that
# no other neuron uses?
# </details>
# <details><summary>Hint 3: channels and filters</summary>
# Channels belong to what is read, filters to what is made. So one of them changes the weights of a single neuron, and
# the other changes how many neurons there are.
# </details>
#
# **If the check says …**
#
# | part | look at |
# |---|---|
# | neurons | the number of places on each axis; try a row of 6 and a window of 3 |
# | weights, fully connected | what one neuron reads: the whole image |
# | weights, locally connected | what one neuron reads: the window; who shares it: nobody |
# | weights, convolutional | how often one and the same kernel is counted |
# | colour | every count of weights grows with the channels, the neurons do not |
# | several filters | all four counts grow with the filters |
# | everything together | nothing new: mend the parts above first |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def count_wirings(image, kernel, filters):
    """Count the neurons of a layer, and its weights in three wirings."""
    ### BEGIN SOLUTION
    channels, height, width = image
    places = (height - kernel + 1) * (width - kernel + 1)
    neurons = places * filters
    window = kernel * kernel * channels
    return neurons, neurons * channels * height * width, neurons * window, filters * window
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (b) as often as you like.
check("b", count_wirings)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "b_marks", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Marks for task (b), out of 8. Leave this cell as it is.
mark("b", count_wirings).points

# %% [markdown]
# ## (c) A layer as a matrix
#
# *difficulty ●●○ · importance ●●○ · 15 minutes · 8 points*
#
# **A worked number.** A row of 5 pixels and the kernel 2, 3, 5. Each row of the matrix is one neuron:
#
# ```
# 2 3 5 0 0
# 0 2 3 5 0
# 0 0 2 3 5
# ```
#
# For the pixels 1, 0, 0, 0, 1 it gives 2, 0 and 5.
#
# **Predict first.** A row of 9 pixels and a kernel of 3. How many entries has the matrix, how many of them are not
# zero, and how many different weights are there to learn?
#
# <details><summary>Compare your prediction</summary>
# 7 · 9 = 63 entries. 7 · 3 = 21 of them are lines, the others are zero. 3 weights are to be learned.
# </details>
#
# ### Your task
#
# Write `layer_matrix`, for the locally connected and for the convolutional layer on a row of pixels.
#
# | argument | meaning |
# |---|---|
# | `weight` | `float32` or `float64`, must not be changed. Shape (F,): one kernel that all neurons share. Shape (neurons, F): neuron n has row n for itself |
# | `pixels` | the length of the row, an `int`, not smaller than F |
# | returns | an array (pixels − F + 1, pixels) of the type of `weight`; `matrix @ row` is what the layer gives |
#
# Neuron n reads the F pixels from pixel n on, the first weight on the first of them.
#
# <details><summary>Hint 1: an empty matrix</summary>
# Most entries are zero, so begin with a matrix of zeros. Its two sizes are in the table. What remains is to write the
# window of each neuron into it.
# </details>
# <details><summary>Hint 2: one row</summary>
# Look at row 2 of the worked number. In which column does the kernel begin, and where does it end? Say it with n and F.
# A slice of a row can be filled at once.
# </details>
# <details><summary>Hint 3: two kinds of weights, and the type</summary>
# The number of axes of an array, `ndim`, tells you which of the two cases you have. And a new array has an element
# type: which one does NumPy choose if you do not say?
# </details>
#
# **If the check says …**
#
# | part | look at |
# |---|---|
# | the shape | rows are neurons, columns are pixels; F is the *last* axis of `weight` |
# | one kernel, shared | compare the two grids in the report: where does the band begin in each row? |
# | weights of its own | whether row n of `weight` reaches row n of the matrix |
# | a window as wide as the row | one neuron is left, and it reads everything |
# | float32 stays float32 | the type of the matrix that you began with |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def layer_matrix(weight, pixels):
    """Write a layer on a row of pixels as a matrix."""
    ### BEGIN SOLUTION
    size = weight.shape[-1]
    neurons = pixels - size + 1
    matrix = np.zeros((neurons, pixels), dtype=weight.dtype)
    for n in range(neurons):
        matrix[n, n : n + size] = weight if weight.ndim == 1 else weight[n]
    return matrix
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (c) as often as you like.
check("c", layer_matrix)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "c_marks", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Marks for task (c), out of 8. Leave this cell as it is.
mark("c", layer_matrix).points

# %% [markdown]
# ## (d) A shuffle undone
#
# *difficulty ●●○ · importance ●●○ · 15 minutes · 6 points*
#
# A camera was wired wrongly: it dealt out the pixels of every picture in another order, always the same. A network was
# trained on these pictures. Now the camera is mended. You do not want to train again.
#
# **A worked number.** A picture of 4 pixels, a, b, c, d, and `order` = 1, 2, 3, 0. Place 0 of the shuffled picture holds
# pixel 1, and so on: b, c, d, a. A neuron with weights 5, 6, 7, 8 took 5b + 6c + 7d + 8a. For the picture in its own
# order the same sum is 8a + 5b + 6c + 7d, so the weights are now 8, 5, 6, 7.
#
# **Predict first.** Suppose the weights had been moved by indexing the columns with `order`, as chapter 1 does when it
# shuffles. Would it be right here? For which orders is there no difference?
#
# <details><summary>Compare your prediction</summary>
# It would give 6, 7, 8, 5: wrong, for chapter 1 goes from the picture to the shuffled one, and you go back. There is no
# difference if shuffling twice brings every pixel home, as when pixels have changed places in pairs.
# </details>
#
# ### Your task
#
# Write `unshuffle`.
#
# | argument | meaning |
# |---|---|
# | `weight` | the trained matrix (neurons, pixels), `float32` or `float64`; must not be changed |
# | `order` | whole numbers (pixels,): place j of a shuffled picture holds pixel `order[j]`, so `shuffled = picture[order]` |
# | returns | a new matrix of the same shape and type: times `picture` it gives what `weight` times `shuffled` gave |
#
# <details><summary>Hint 1: follow one weight</summary>
# Take the weight in column j. Which pixel did it meet in training? In which column must it stand to meet that pixel
# again?
# </details>
# <details><summary>Hint 2: two directions</summary>
# Indexing can stand on the right of an equals sign, and then it fetches. It can stand on the left, and then it delivers.
# Which of the two do the words "place j holds pixel order[j]" ask for?
# </details>
# <details><summary>Hint 3: the new matrix</summary>
# You need a matrix to deliver into, of the shape and type of the old one. NumPy has functions whose names end in
# `_like`. Or find out what sorting the order tells you: `np.argsort`.
# </details>
#
# **If the check says …**
#
# | part | look at |
# |---|---|
# | two pixels have changed places | whether columns move, and not rows |
# | any order | the direction; do the worked number by hand |
# | float32 stays float32 | the type of the matrix that you deliver into |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def unshuffle(weight, order):
    """Move weights that were trained on shuffled pictures to where they fit the pictures themselves."""
    ### BEGIN SOLUTION
    moved = np.zeros_like(weight)
    for place, pixel in enumerate(order):
        moved[:, pixel] = weight[:, place]
    return moved
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (d) as often as you like.
check("d", unshuffle)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "d_marks", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Marks for task (d), out of 6. Leave this cell as it is.
mark("d", unshuffle).points

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": false, "grade_id": "e_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## (e) Which wiring for which data?
#
# *difficulty ●○○ · importance ●●● · 10 minutes · 3 points, read by a person*
#
# Local connectivity and weight sharing are two bets on what the data are like. Here are three sets of data:
#
# 1. blood tests: twenty values for each patient, in alphabetical order of their names;
# 2. holiday photographs, in which dogs are to be found;
# 3. X-ray pictures of the left hand, all taken on one plate with marks for the fingers, so that the thumb is always in
#    the same place.
#
# For each of them say in one or two sentences which wiring you would try for the *first* layer, fully connected,
# locally connected or convolutional, and which of the two bets you make.
#
# Double-click the cell below to write in it.
#
# <!-- BEGIN MARK SCHEME -->
# **Rubric for the grader, 3 points.** One point for each set of data: half for a wiring that suits it, half for a reason
# that names the bet.
#
# 1. Fully connected, neither bet: the order of the values means nothing, so neighbours in the row do not belong
#    together, and what is worth looking for in one column is not in another.
# 2. Convolutional, both bets: the pixels of an ear lie together, and a dog can be anywhere in the picture.
# 3. Locally connected is the answer asked for: neighbours belong together, but what to look for depends on the place.
#    Convolutional counts as well if the answer says that edges of bones are alike everywhere, or that examples are few and a
#    locally connected layer has many more weights to learn. The reason decides.
# <!-- END MARK SCHEME -->

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": true, "grade_id": "e_answer", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# <!-- BEGIN SOLUTION -->
# 1. Fully connected. The values might stand in any order, so a window over neighbours means nothing. I make neither bet.
# 2. Convolutional. An ear is made of pixels that lie together, which is the bet of local connectivity. And an ear is an
#    ear wherever the dog sits, which is the bet of weight sharing.
# 3. Locally connected. What belongs together lies together here too. But the tip of the thumb is always at the same
#    place, so different places may look for different things: I bet on locality and not on sharing. It costs more weights,
#    and so I would need many pictures.
# <!-- END SOLUTION -->

# %% [markdown]
# ---
# **Before you hand in:** *Kernel → Restart Kernel and Run All Cells*, and look once at each check. The number under a cell
# with marks is what that task earned on the visible inputs.
