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
# # Exercise 10: dropout, forward and back
#
# Dropout is three lines of code, and each of them is often wrong: which numbers go, what becomes of the others, and
# what the backward pass has to remember. None of these mistakes stops a program. The network trains, and is worse
# than it could be. After this notebook you have a layer that is right, and you can say what it does to a mean and to
# a variance.
#
# | | task | difficulty | minutes | points |
# |---|---|---|---|---|
# | (a) | inverted dropout, with given random numbers | ●○○ | 15 | 10 |
# | (b) | a layer that remembers its mask | ●●○ | 25 | 11 |
# | (c) | mean and variance, in two forms | ●●○ | 20 | 8 |
# | (d) | a short answer: the forgotten factor | ●●○ | 10 | 3 |
#
# **You need** chapter 10 of the book, NumPy, and for (b) a Python class with two methods. The tasks do not build on
# each other: if one resists, go on to the next.
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

from cnnlib.checks.ch10_dropout import check, mark

# %% [markdown]
# ## (a) Inverted dropout
#
# *difficulty ●○○ · importance ●●● · 15 minutes · 10 points*
#
# **A worked number.** Six numbers, p = 0.5, and for each a random number u between 0 and 1. Where u is below p the
# number is dropped. What is kept is divided by 1 − p, here doubled:
#
# ```
# x      4     1     3    −2     5     2
# u   0.93  0.12  0.71  0.58  0.31  0.46
# out    8     0     6    −4     0     0
# ```
#
# **Predict first.** The same x and the same u, but p = 0.2. Which numbers are dropped, and what becomes of the 4?
#
# <details><summary>Compare your prediction</summary>
# Only the 1, whose u is 0.12. The 4 becomes 4 / 0.8 = 5.
# </details>
#
# ### Your task
#
# Write `dropout`. The random numbers are given, so that there is exactly one right answer.
#
# | argument | meaning |
# |---|---|
# | `x` | array of any shape, `float32` or `float64`; must not be changed |
# | `p` | the probability of *dropping*, a `float`, at least 0 and below 1 |
# | `u` | array of the shape of `x`: a uniform random number for each entry, 0 ≤ u < 1; an entry is dropped where u < p |
# | `training` | `True`: drop and scale; `False`: test time |
# | returns | an array of the shape and the type of `x` |
#
# <details><summary>Hint 1: two situations</summary>
# What has to happen at test time? Deal with that case first, it is the shorter one.
# </details>
# <details><summary>Hint 2: a comparison of arrays</summary>
# NumPy compares a whole array with one number and gives an array of booleans. Which comparison is true where the
# number stays? Test it on the worked number. And what should it say when p is 0 and u happens to be 0?
# </details>
# <details><summary>Hint 3: the factor</summary>
# Booleans count as 0 and 1 in a product. The factor is the reciprocal of a probability. Of which one: being dropped
# or being kept? At p = 0.5 they are the same, so try p = 0.2.
# </details>
#
# **If the check says …**
#
# | not yet | look at |
# |---|---|
# | which numbers are dropped | the direction of your comparison |
# | the factor at other rates | whether p or 1 − p is in the denominator |
# | a coin for each number of the batch | whether all of `u` is used, not only its first row |
# | p = 0 drops nothing | `<` or `<=`, and a division by p |
# | float32 stays float32 | the type of your mask after each step: `mask.dtype` |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def dropout(x, p, u, *, training):
    """Drop the numbers of x whose u is below p, and scale the others."""
    ### BEGIN SOLUTION
    if not training:
        return x
    kept = u >= p
    return x * kept / (1 - p)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (a) as often as you like.
check("a", dropout)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "a_marks", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
# Marks for task (a), out of 10. Leave this cell as it is.
mark("a", dropout).points

# %% [markdown]
# ## (b) A layer that remembers
#
# *difficulty ●●○ · importance ●●● · 25 minutes · 11 points*
#
# **A worked number.** Three numbers 4, 1, 3 pass the layer at p = 0.5, and the coins say keep, drop, keep. Out come
# 8, 0, 6. In the backward pass the gradient 1, 1, 1 arrives. The first number left the layer doubled, so the loss
# changes twice as fast with it: its gradient is 2. The second had no say: 0. So 2, 0, 2 is passed on.
#
# **Predict first.** Behind a ReLU many numbers are 0. Such a 0 passes the dropout layer at p = 0.5 and is *kept*. What
# is its output, and what is its gradient if a 1 arrives?
#
# <details><summary>Compare your prediction</summary>
# The output is 0 · 2 = 0. The gradient is 2 all the same: a little more than 0 would have come out doubled.
# </details>
#
# ### Your task
#
# Complete the class `Dropout`. This time the layer draws its own random numbers, from `self.rng` or in any other way
# that you like: the check looks at what your methods do to the numbers, not at the numbers.
#
# | method | meaning |
# |---|---|
# | `forward(x, training)` | inverted dropout of `x` (any shape, `float32` or `float64`, not changed). In training a new mask for each call, with a coin for each number; else `x` itself |
# | `backward(dout)` | the gradient with respect to `x` of the *last* `forward`, whether that was in training or not. `dout` has the shape and type of `x` and is not changed |
# | both return | an array of the shape and the type of `x` |
#
# `self.rng.random(x.shape)` gives uniform random numbers, at least 0 and below 1.
#
# <details><summary>Hint 1: one product</summary>
# In training the output is x times something, number by number. The derivative of a product with respect to x is
# that something. So both methods multiply by the same array.
# </details>
# <details><summary>Hint 2: who knows the coins?</summary>
# Nobody can draw the same coins again. `forward` has to leave them where `backward` finds them, and it needs new ones
# at each call. Where does an object keep what it has to remember?
# </details>
# <details><summary>Hint 3: two traps</summary>
# Does what you remember come from the coins or from the output? Think of the 0 behind the ReLU. And what has
# `backward` to find after a `forward` at test time?
# </details>
#
# **If the check says …**
#
# - *your layer: numbers times 0 or 1*: what is kept was not scaled.
# - *the same mask twice in a row*: look where the generator is made, and where it is used.
# - *one coin for all numbers along axis 0*: the mask lacks the axis of the batch.
# - *another mask* or *no mask*: compare the array that `forward` multiplies by with the one in `backward`.
# - *some of dout is dropped* at test time: something is left from an earlier call.


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Dropout:
    """A dropout layer that keeps what its backward pass needs."""

    def __init__(self, p, seed):
        self.p = p
        self.rng = np.random.default_rng(seed)

    def forward(self, x, training):
        """Drop in training; do nothing at test time."""
        ### BEGIN SOLUTION
        if not training:
            self.scaled_mask = None
            return x
        kept = self.rng.random(x.shape) >= self.p
        self.scaled_mask = kept.astype(x.dtype) / (1 - self.p)
        return x * self.scaled_mask
        ### END SOLUTION

    def backward(self, dout):
        """The gradient with respect to x of the last forward."""
        ### BEGIN SOLUTION
        if self.scaled_mask is None:
            return dout
        return dout * self.scaled_mask
        ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (b) as often as you like.
check("b", Dropout)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "b_marks", "locked": true, "points": 11, "schema_version": 3, "solution": false, "task": false}
# Marks for task (b), out of 11. Leave this cell as it is.
mark("b", Dropout).points

# %% [markdown]
# ## (c) Mean and variance, in two forms
#
# *difficulty ●●○ · importance ●●○ · 20 minutes · 8 points*
#
# A neuron without bias stands behind a dropout layer and adds up what it gets, each number times its weight. In
# training its score is a random number, since the coins are. Which mean has it, and which variance?
#
# **A worked number.** One input x = 3 with the weight 1, at p = 0.5.
#
# ```
#                 in training          mean                     variance              test time
# inverted form   0 or 6, half each    0.5·0 + 0.5·6 = 3        (3² + 3²)/2 = 9       3
# older form      0 or 3, half each    0.5·0 + 0.5·3 = 1.5      (1.5² + 1.5²)/2 = 2.25    0.5·3 = 1.5
# ```
#
# The older form does not scale in training. At test time it multiplies the weights by the share that is kept.
#
# **Predict first.** Two inputs, 2 and 1, with the weights 1 and 3, inverted form, p = 0.5. The score without dropout is
# 2·1 + 1·3 = 5. Is the variance in training larger than, smaller than or equal to 5 · 5 = 25?
#
# <details><summary>Compare your prediction</summary>
# Smaller: it is 13. With p = 0.5 the terms 2 and 3 have the variances 4 and 9. Their coins are independent, so that the
# variances add up. Only with a single coin for both would it be 25.
# </details>
#
# ### Your task
#
# Write `moments`. Do not draw any random numbers: the result is exact.
#
# | argument | meaning |
# |---|---|
# | `x` | array (N, D), `float32` or `float64`: N rows, each the D inputs of the neuron; must not be changed |
# | `weight` | array (D,), of the type of `x` |
# | `p` | the probability of dropping, a `float`, at least 0 and below 1 |
# | `older` | `False`, which is the default: inverted dropout; `True`: the older form |
# | returns | a tuple of three arrays (N,): the mean of the score in training, its variance in training, the score at test time |
#
# <details><summary>Hint 1: one term first</summary>
# Take one input and one weight. Their product is multiplied by a random d. Which two values has d in each of the two
# forms, and with which probabilities? Work out the mean of d and the mean of its square.
# </details>
# <details><summary>Hint 2: from a term to the sum</summary>
# The mean of a sum is the sum of the means. As each term has its own coin, the variances add up as well. If a number is
# multiplied by a constant, what happens to its variance? The constant here is w · x of that term.
# </details>
# <details><summary>Hint 3: what test time is for</summary>
# Test time is made so that the next layer gets what it got in training, on average. Two of your three results must
# therefore agree, in both forms. Which?
# </details>
#
# **If the check says …** that a mean is wrong, go through the table above with your function: `x = np.array([[3.0]])`,
# `weight = np.array([1.0])`. If a variance is wrong only for rows of two and more, look at the order of squaring and
# adding. *expected shape (1,), got (1, 1)*: the terms of a row have not been added up, hint 2.


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def moments(x, weight, p, *, older=False):
    """Mean and variance of a score in training, and the score at test time."""
    ### BEGIN SOLUTION
    terms = x * weight
    factor = 1 if older else 1 / (1 - p)
    mean_of_d = (1 - p) * factor
    variance_of_d = (1 - p) * factor**2 - mean_of_d**2
    mean = mean_of_d * terms.sum(axis=1)
    variance = variance_of_d * (terms**2).sum(axis=1)
    at_test_time = (x @ weight) * (1 - p) if older else x @ weight
    return mean, variance, at_test_time
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (c) as often as you like.
check("c", moments)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "c_marks", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Marks for task (c), out of 8. Leave this cell as it is.
mark("c", moments).points

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": false, "grade_id": "d_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## (d) The forgotten factor
#
# *difficulty ●●○ · importance ●●○ · 10 minutes · 3 points, read by a person*
#
# A colleague has trained a network with three dropout layers, p = 0.5 each. In training the layers compute `x * mask`
# and no more; at test time they do nothing. Training went well, testing does not. Answer in three to six sentences:
#
# 1. Take it that averages tell the whole story, as with positive weights and no biases. How much larger are the scores at
#    test time than in training? Show the calculation.
# 2. The weights are trained and shall stay as they are in the file. What can be changed in the *test-time* code so that
#    the network gets what it was trained for?
# 3. Another colleague says: "With the factor, test time and training are the same for the next layer." What is the same,
#    and what is not?
#
# Double-click the cell below to write in it.
#
# <!-- BEGIN MARK SCHEME -->
# **Rubric for the grader, 3 points.** One point each; half a point where the idea is there and the number is not.
#
# 1. Each layer lets half of the average pass in training and all of it at test time: 1/(1 − p) = 2 a layer, and
#    2 · 2 · 2 = 8 in all. (6 is wrong: the factors multiply.)
# 2. Multiply by 1 − p = 0.5 at test time, at each of the three places: the outputs of the dropout layers, or the weights
#    behind each of them when they are loaded. That is the older form. Putting the factor 2 into the *training* code alone
#    earns nothing, as the weights are not trained again. Dividing the scores by 8 at the end is right under the
#    assumption of 1 and counts if that is said.
# 3. The mean is the same. The variance is not: in training there is p/(1 − p) · x² for each number, at test time none.
#    (A batch normalization behind it as an example counts, but is not needed.)
# <!-- END MARK SCHEME -->

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": true, "grade_id": "d_answer", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# <!-- BEGIN SOLUTION -->
# In training each dropout layer lets only 1 − p = 0.5 of its input pass on average, and at test time everything, so what
# comes behind one layer is twice as large and behind three layers 2 · 2 · 2 = 8 times as large. At test time one can
# multiply the output of each dropout layer by 0.5, or the weights that follow it, which comes to the same: this
# is the older form of dropout. The factor makes the mean of each number the same in training and at test time. It does
# not do so for the variance, as in training a number x has the variance p/(1 − p) · x² and at test time it has none; a
# batch normalization behind the layer would store a variance that is too large.
# <!-- END SOLUTION -->

# %% [markdown]
# ---
# **Before you hand in:** *Kernel → Restart Kernel and Run All Cells*, and look once at each check. The number under a cell
# with marks is what that task earned on the visible inputs.
