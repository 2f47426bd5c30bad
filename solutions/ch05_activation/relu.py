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
# # Exercise 5: ReLU, its relatives, and their gradients
#
# An activation is the smallest layer there is: one curve, applied to each number. Without it a hundred layers are
# no better than one. After this notebook you have written three of them, forward and backward, and you can tell
# whether a unit has died.
#
# | | task | difficulty | minutes | points |
# |---|---|---|---|---|
# | (a) | ReLU | ●○○ | 5 | 5 |
# | (b) | the gradient of ReLU | ●●○ | 10 | 8 |
# | (c) | leaky ReLU | ●○○ | 5 | 6 |
# | (d) | the gradient of leaky ReLU | ●○○ | 5 | 6 |
# | (e) | ELU, without an overflow | ●●○ | 15 | 7 |
# | (f) | the gradient of ELU | ●●○ | 10 | 7 |
# | (g) | which units are dead? | ●●○ | 15 | 7 |
# | (h) | a short answer: 156 dead units? | ●○○ | 10 | 3 |
#
# **You need** chapter 5 of the book, NumPy arrays, and the idea of a slope. The tasks do not build on each other: if
# one resists, go on to the next.
#
# **How it works.** Write your code where it says `# YOUR CODE HERE`, run that cell, then run the check below it. A
# check tells you what holds and what does not, as often as you like. The cells with the marks run the same check
# when you hand in, with other numbers.
#
# **When you are stuck:** open hint 1, then 2, then 3. Try the function in a cell of your own (press `b`) on an
# example that you can do by hand.
#
# **For all tasks:** the functions must not change the arrays that they are given. Whoever called you still needs
# them, on the way back for instance. They keep the element type: `float32` in, `float32` out.

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Run this cell first.
import numpy as np

from cnnlib.checks.ch05_activation import check, mark

# %% [markdown]
# ## (a) ReLU
#
# *difficulty ●○○ · importance ●●● · 5 minutes · 5 points*
#
# **A worked number.** ReLU keeps what is positive and replaces the rest by 0:
#
# ```
# −2    0.5    3    0        →        0    0.5    3    0
# ```
#
# **Predict first.** The numbers −3 and 4 go through a ReLU, and the result goes through a second one. What does the
# second change?
#
# <details><summary>Compare your prediction</summary>
# Nothing. The first makes them 0 and 4, and both are left as they are by the second.
# </details>
#
# ### Your task
#
# Write `relu`.
#
# | argument | meaning |
# |---|---|
# | `x` | array of any shape, `float32` or `float64`; must not be changed |
# | returns | a new array of the shape and type of `x`: each number if it is positive, else 0 |
#
# <details><summary>Hint 1: one number</summary>
# Two numbers are compared, and the larger one wins. One of them is x. Which is the other?
# </details>
# <details><summary>Hint 2: all numbers</summary>
# No number looks at its neighbours. NumPy has functions that compare two arguments element by element; the second
# may be a plain number.
# </details>
# <details><summary>Hint 3: two names that sound alike</summary>
# NumPy's <code>max</code> looks for the largest of <em>one</em> array. You want the larger of <em>two</em> values at each place. Look up
# what NumPy calls that.
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *changed its input x* | a line such as `x[…] = 0`: it writes into the caller's array |
# | *truth value of an array … is ambiguous* | an `if` over the whole array |
# | *float32 went in and float64 came out* | the line that makes a new array: which type has it? |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu(x):
    """Keep positive numbers, replace the others by 0."""
    ### BEGIN SOLUTION
    return np.maximum(x, 0)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (a) as often as you like.
check("a", relu)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "a_marks", "locked": true, "points": 5, "schema_version": 3, "solution": false, "task": false}
# Marks for task (a), out of 5. Leave this cell as it is.
mark("a", relu).points

# %% [markdown]
# ## (b) The gradient of ReLU
#
# *difficulty ●●○ · importance ●●● · 10 minutes · 8 points*
#
# **A worked number.** On the way back, the layer behind hands over `dout`: for each output, how much the loss changes
# if that output grows a little. Say it is 7.
#
# - x = 3. Move it to 3.01, and the output grows by 0.01 too. The loss changes by 7 · 0.01, so x gets the gradient 7.
# - x = −2. Move it to −1.99, and the output is 0 as before. The loss does not change, so x gets 0.
#
# **Predict first.** `dout` is −4 and x is 1.5. What gradient does x get? And if x is −1.5?
#
# <details><summary>Compare your prediction</summary>
# −4, and 0. The minus sign of the gradient has no say in whether it passes; only x has.
# </details>
#
# ### Your task
#
# Write `relu_backward`.
#
# | argument | meaning |
# |---|---|
# | `dout` | gradient with respect to the output, the shape and type of `x` |
# | `x` | the *input* of the ReLU, any shape, `float32` or `float64` |
# | returns | the gradient with respect to `x`, a new array of the same shape and type |
#
# Neither argument may be changed. Where x is exactly 0 there is a kink and no slope; take 0 there, as libraries do.
#
# <details><summary>Hint 1: two factors</summary>
# The chain rule: what arrives from above, times the slope of the function. Which slopes does a ReLU have?
# </details>
# <details><summary>Hint 2: who decides</summary>
# Whether the slope is 1 or 0 depends on one of the two arguments only. Ask it a yes-or-no question at each place.
# </details>
# <details><summary>Hint 3: from yes and no to numbers</summary>
# A comparison gives an array of True and False. In a product, True counts as 1 and False as 0. Check what your
# comparison says about 0 itself.
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *the gradient passes where x is positive* is not yet done | is `dout` in your result at all? |
# | *nothing passes where x is negative*, or *a negative gradient passes as well* | which of the two arrays you compare with 0 |
# | *the slope at exactly 0* | the difference between `>` and `>=` |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def relu_backward(dout, x):
    """Send the gradient of the output back to the input."""
    ### BEGIN SOLUTION
    return dout * (x > 0)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (b) as often as you like.
check("b", relu_backward)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "b_marks", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Marks for task (b), out of 8. Leave this cell as it is.
mark("b", relu_backward).points

# %% [markdown]
# ## (c) Leaky ReLU
#
# *difficulty ●○○ · importance ●●○ · 5 minutes · 6 points*
#
# **A worked number.** With slope 0.01, the number −50 becomes −50 · 0.01 = −0.5, and 3 stays 3.
#
# **Predict first.** What is a leaky ReLU with slope 0? And with slope 1?
#
# <details><summary>Compare your prediction</summary>
# With slope 0 it is the ReLU. With slope 1 both sides are the line y = x, so it changes nothing at all.
# </details>
#
# ### Your task
#
# Write `leaky_relu`.
#
# | argument | meaning |
# |---|---|
# | `x` | array of any shape, `float32` or `float64`; must not be changed |
# | `negative_slope` | the factor a for negative numbers, from 0 to 1 |
# | returns | a new array of the shape and type of `x`: x where it is positive, else a · x |
#
# <details><summary>Hint 1: two lines that meet at 0</summary>
# Draw the function. One line to the right of 0, another to the left. What is the equation of each?
# </details>
# <details><summary>Hint 2: both, then choose</summary>
# Compute both lines for all numbers. At each place one of the two is right. NumPy can choose between two arrays by a
# condition.
# </details>
# <details><summary>Hint 3: the setting</summary>
# Does your line left of 0 use the name <code>negative_slope</code>, and not the number 0.01?
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *positive numbers stay as they are* is not yet done | the order of the two choices |
# | *negative numbers are multiplied by the slope* | the sign of what comes out: −2 gives −0.02 |
# | *another slope* | whether you use the argument `negative_slope` |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def leaky_relu(x, negative_slope=0.01):
    """Keep positive numbers, shrink the others."""
    ### BEGIN SOLUTION
    return np.where(x > 0, x, negative_slope * x)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (c) as often as you like.
check("c", leaky_relu)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "c_marks", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Marks for task (c), out of 6. Leave this cell as it is.
mark("c", leaky_relu).points

# %% [markdown]
# ## (d) The gradient of leaky ReLU
#
# *difficulty ●○○ · importance ●●○ · 5 minutes · 6 points*
#
# **A worked number.** The slope is 0.01 and x is −2. Move x by +0.01, and the output moves by +0.0001. If `dout` is 4,
# the loss changes by 4 · 0.0001, so per unit of x the gradient is 4 · 0.01 = 0.04.
#
# **Predict first.** Is the gradient for x = −200 larger than that for x = −2?
#
# <details><summary>Compare your prediction</summary>
# No, it is the same, 0.04. A line has one slope, however far out you stand on it.
# </details>
#
# ### Your task
#
# Write `leaky_relu_backward`.
#
# | argument | meaning |
# |---|---|
# | `dout` | gradient with respect to the output, the shape and type of `x` |
# | `x` | the *input* of the leaky ReLU, any shape, `float32` or `float64` |
# | `negative_slope` | the same a as on the way forward |
# | returns | the gradient with respect to `x`, a new array of the same shape and type |
#
# Neither argument may be changed. No check asks for the gradient at exactly 0.
#
# <details><summary>Hint 1: the same as (b), with one change</summary>
# A ReLU has the slopes 1 and 0. Which two slopes has this function?
# </details>
# <details><summary>Hint 2: both sides are multiplied</summary>
# <code>dout</code> times the slope, on the right and on the left. On the right that hands <code>dout</code> on; what is it on the left?
# </details>
# <details><summary>Hint 3: who decides, and by which factor</summary>
# The sign of x decides, not that of <code>dout</code>. The factor comes from the argument, not from its default.
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *the gradient passes where x is positive* is not yet done | which array you compare with 0; whether `dout` is used |
# | *a small part passes where x is negative* | left of 0, is it `dout` that you multiply by the slope, and not x? |
# | *another slope* | whether you use the argument `negative_slope` |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def leaky_relu_backward(dout, x, negative_slope=0.01):
    """Send the gradient of the output back to the input, a little of it through the leak."""
    ### BEGIN SOLUTION
    return np.where(x > 0, dout, negative_slope * dout)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (d) as often as you like.
check("d", leaky_relu_backward)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "d_marks", "locked": true, "points": 6, "schema_version": 3, "solution": false, "task": false}
# Marks for task (d), out of 6. Leave this cell as it is.
mark("d", leaky_relu_backward).points

# %% [markdown]
# ## (e) ELU
#
# *difficulty ●●○ · importance ●●○ · 15 minutes · 7 points*
#
# **A worked number.** Left of 0 an ELU is α · (exp(x) − 1). Take x = −ln 2, about −0.693. Then exp(x) is 1/2, and with
# α = 1 the ELU gives 1/2 − 1 = −0.5. With α = 0.5 it gives −0.25.
#
# **Predict first.** What does the ELU with α = 1 give at −100? And what is exp(1000) on a computer?
#
# <details><summary>Compare your prediction</summary>
# −1, as exp(−100) is nearly 0. The largest float64 is about 1.8 · 10³⁰⁸, and exp(1000) is far above: NumPy warns
# of an <em>overflow</em> and gives <code>inf</code>. Keep that in mind for large inputs.
# </details>
#
# ### Your task
#
# Write `elu`.
#
# | argument | meaning |
# |---|---|
# | `x` | array of any shape, `float32` or `float64`; must not be changed |
# | `alpha` | how deep the curve goes, greater than 0 |
# | returns | a new array of the shape and type of `x`: x where it is positive, else α · (exp(x) − 1) |
#
# An input of 1000 must give 1000, with no warning of an overflow on the way.
#
# <details><summary>Hint 1: two sides</summary>
# As in (c), only that the left side is a curve. Compute each side, then choose at each place.
# </details>
# <details><summary>Hint 2: the left side, piece by piece</summary>
# Take x = −ln 2 and α = 0.5. First the exponential, then minus 1, then times α. Which bracket makes Python do it in
# that order?
# </details>
# <details><summary>Hint 3: numbers that have no business in exp</summary>
# Both sides are computed before the choice, so exp sees the large numbers too. What it gives for them is thrown away
# afterwards. So you may hand it some harmless number in their place, for instance the smaller of x and 0.
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *the bend left of 0* is not yet done | your value at −ln 2: it must be −0.5 |
# | *another alpha* | the bracket around exp(x) − 1 |
# | *large inputs*, with an overflow or `nan` | what goes into exp for x = 1000; `inf` times 0 is `nan` |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "e_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def elu(x, alpha=1.0):
    """Keep positive numbers, bend the others towards -alpha."""
    ### BEGIN SOLUTION
    bent = alpha * (np.exp(np.minimum(x, 0)) - 1)
    return np.where(x > 0, x, bent)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "e_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (e) as often as you like.
check("e", elu)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "e_marks", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
# Marks for task (e), out of 7. Leave this cell as it is.
mark("e", elu).points

# %% [markdown]
# ## (f) The gradient of ELU
#
# *difficulty ●●○ · importance ●●○ · 10 minutes · 7 points*
#
# **A worked number.** x = −ln 2 again, so exp(x) = 1/2. Left of 0 the slope of α · (exp(x) − 1) is α · exp(x): the
# exponential is its own slope, and the − 1 has none. With α = 1 the slope is 1/2, and a `dout` of 6 becomes 3.
#
# **Predict first.** With α = 1, what is the slope just left of 0, and what is it at −6?
#
# <details><summary>Compare your prediction</summary>
# Just left of 0 it is nearly 1, so the two sides join without a kink. At −6 it is exp(−6), about 0.0025: the curve is
# almost flat there.
# </details>
#
# ### Your task
#
# Write `elu_backward`.
#
# | argument | meaning |
# |---|---|
# | `dout` | gradient with respect to the output, the shape and type of `x` |
# | `x` | the *input* of the ELU, any shape, `float32` or `float64` |
# | `alpha` | the same α as on the way forward |
# | returns | the gradient with respect to `x`, a new array of the same shape and type |
#
# Neither argument may be changed. Large inputs must not overflow here either. No check asks for the gradient at
# exactly 0.
#
# <details><summary>Hint 1: the same plan</summary>
# <code>dout</code> times a slope. On the right the slope is 1. On the left it is a curve, given in the worked number.
# </details>
# <details><summary>Hint 2: the left side</summary>
# Three factors: what arrives from above, α, and the exponential of x. The book has the slope as y + α; there y is the
# <em>output</em>, which you do not have here unless you compute it.
# </details>
# <details><summary>Hint 3: large numbers again</summary>
# exp is taken of all numbers before you choose. Give it nothing above 0.
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *the gradient passes where x is positive* is not yet done | which array you compare with 0; whether `dout` is used |
# | *the slope left of 0* | your slope at −ln 2 with α = 1: it must be 1/2 |
# | *another alpha* | whether α is a factor of the slope |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "f_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def elu_backward(dout, x, alpha=1.0):
    """Send the gradient of the output back to the input."""
    ### BEGIN SOLUTION
    bent_slope = alpha * np.exp(np.minimum(x, 0))
    return np.where(x > 0, dout, bent_slope * dout)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "f_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (f) as often as you like.
check("f", elu_backward)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "f_marks", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
# Marks for task (f), out of 7. Leave this cell as it is.
mark("f", elu_backward).points

# %% [markdown]
# ## (g) Which units are dead?
#
# *difficulty ●●○ · importance ●●● · 15 minutes · 7 points*
#
# **A worked number.** Four examples (rows) went through a layer of three units (columns), and a ReLU gave
#
# ```
# 0.5   0   0
# 0     0   0
# 1.2   0   0
# 0     0   3
# ```
#
# Unit 1 is zero for every example: dead. Unit 2 is silent for three of four examples, and alive. So is unit 0.
#
# **Predict first.** 8 of these 12 numbers are zero. Can you tell from that how many units are dead?
#
# <details><summary>Compare your prediction</summary>
# No. Put the 3 into column 0, and there are 8 zeros still, but two dead units.
# </details>
#
# ### Your task
#
# Write `dead_units`.
#
# | argument | meaning |
# |---|---|
# | `activations` | outputs of a ReLU, none below 0, `float32` or `float64`; must not be changed. Either (N, U): N examples, U units of an FC layer. Or (N, C, H, W): the maps of C filters |
# | returns | an array of True and False, True for *dead*: (U,) or (C,) |
#
# A filter of a CONV layer counts as one unit, because it uses the same weights all over its map. It is dead if its map
# is zero everywhere, in every image.
#
# <details><summary>Hint 1: one question for each number, one for each column</summary>
# First ask each number: are you zero? Then ask each column: did all of yours say yes?
# </details>
# <details><summary>Hint 2: which axis disappears</summary>
# The answer has one entry a unit, so the axis of the examples must go. Which of NumPy's methods on True and False says
# "all of them", and which says "at least one"?
# </details>
# <details><summary>Hint 3: maps have three axes too many</summary>
# An array of four axes has to come down to one, axis 1. The methods that reduce an array take several axes at once, as
# a tuple. Or reshape first, so that you have filters on one side and everything else on the other.
# </details>
#
# **If the check says …**
#
# | | look at |
# |---|---|
# | *expected shape* | which axes are left. It is axis 1 that must stay |
# | *a unit that fires for one example lives* is not yet done | "all" against "at least one"; whether you look at every example |
# | *a small activation is not zero* | compare with 0 itself, with no tolerance |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "g_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dead_units(activations):
    """Say for each unit whether it is zero for all examples."""
    ### BEGIN SOLUTION
    all_but_the_units = tuple(axis for axis in range(activations.ndim) if axis != 1)
    return (activations == 0).all(axis=all_but_the_units)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "g_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (g) as often as you like.
check("g", dead_units)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "g_marks", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
# Marks for task (g), out of 7. Leave this cell as it is.
mark("g", dead_units).points

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": false, "grade_id": "h_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## (h) 156 dead units?
#
# *difficulty ●○○ · importance ●●● · 10 minutes · 3 points, read by a person*
#
# A layer has 256 units with ReLU. A classmate sends 32 images through it, finds that 61 % of the activations are
# zero, and notes: "61 % of 256, so 156 units are dead." Answer in four to eight sentences:
#
# 1. Why do the zeros not say that? What should be counted, and on which images?
# 2. Suppose one of the units really is dead. Follow the gradient back to its weights: why do the examples not
#    change them?
# 3. For some image the weighted sum of that unit is −6. What share of the gradient would a leaky ReLU with slope 0.01 let
#    through, and what share an ELU with α = 1? Which of the two is more help so far from 0?
#
# Double-click the cell below to write in it.
#
# <!-- BEGIN MARK SCHEME -->
# **Rubric for the grader, 3 points.** One point each; half a point where the idea is there and the number or the
# reason is missing.
#
# 1. Zeros may be spread over all units; about half zeros is ordinary for ReLU. A unit is dead if it is zero for *all*
#    examples: count the columns that are zero throughout. 32 images are too few to tell: take the whole training set
#    (or at least many images), since a unit silent for these 32 may fire for another.
# 2. The gradient of a weight is `dout` times the slope times the input that it multiplies, added over the examples. The
#    slope is 0 for every example, so each term is 0, and so is the update. (That the layers before may change its input is a
#    welcome extra; so is weight decay or momentum, which may move the weights without a gradient.)
# 3. Leaky ReLU: 0.01, a hundredth. ELU: exp(−6), about 0.0025. The leaky ReLU lets about four times as much through here,
#    because its slope does not fade with the distance from 0.
# <!-- END MARK SCHEME -->

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": true, "grade_id": "h_answer", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# <!-- BEGIN SOLUTION -->
# The 61 % count zeros, not units: they may be spread over all 256, each of which is silent for some images and fires for
# others. A unit is dead only if its whole column is zero, and the column has to hold the whole training set, because a unit
# that is silent for 32 images may fire for another. The gradient of a weight is the gradient from above, times the slope
# of the ReLU, times the input of that weight, added over the examples. A dead unit has slope 0 for every example, so the
# sum is 0 and the weight stays. At −6 a leaky ReLU lets 0.01 of the gradient through and an ELU exp(−6) ≈ 0.0025. So
# far from 0 the leaky ReLU helps more, by a factor of about 4.
# <!-- END SOLUTION -->

# %% [markdown]
# ---
# **Before you hand in:** *Kernel → Restart Kernel and Run All Cells*, and look once at each check. The number under a cell
# with marks is what that task earned on the visible inputs.
