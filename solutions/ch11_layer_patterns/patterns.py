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
# # Exercise 11: from a pattern to a network
#
# One line of text decides how large a network is, how far it sees, and whether it can be built at all. Who can read and
# write that line can plan a network before training costs an hour. After this notebook you have written the two loops
# that a pattern stands for, a program that fits a network to a budget, and repairs of five diagrams, one of which
# no program complains about.
#
# | | task | difficulty | minutes | points |
# |---|---|---|---|---|
# | (a) | write a pattern out | ●○○ | 15 | 8 |
# | (b) | a network under a budget | ●●● | 30 | 10 |
# | (c) | repair five diagrams | ●●○ | 20 | 10 |
# | (d) | a short answer: the longer network | ●●○ | 10 | 3 |
#
# **You need** chapter 11 of the book and Python's texts and lists; for (b) also the receptive field (chapter 3). The
# tasks do not build on each other: if one resists, go on to the next.
#
# **How it works.** Write your code where it says `# YOUR CODE HERE`, run that cell, then run the check below it. A
# check tells you what holds and what does not, as often as you like. The cells with the marks run the same check
# when you hand in, with other numbers.
#
# All three tasks give diagrams as texts. They are read before they are judged, so spaces and line breaks are free,
# and `=>` and `→` are the same.
#
# **When you are stuck:** open hint 1, then 2, then 3. Try the function in a cell of your own (press `b`) on an
# example that you can do by hand.

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Run this cell first.
from cnnlib.checks.ch11_layer_patterns import check, mark
from cnnlib.diagram import lint, summarize

# %% [markdown]
# ## (a) Write a pattern out
#
# *difficulty ●○○ · importance ●●● · 15 minutes · 8 points*
#
# **A worked number.** The common pattern is
#
# ```
# INPUT => [[CONV => RELU]*N => POOL?]*M => [FC => RELU]*K => FC
# ```
#
# With N = 2, M = 1, K = 1 and POOL the inner bracket gives `CONV => RELU` twice, the outer one adds a POOL and is done
# after one round, and K gives one hidden FC:
#
# ```
# INPUT => CONV => RELU => CONV => RELU => POOL => FC => RELU => FC
# ```
#
# **Predict first.** How many layers are in the text for N = 3, M = 2, K = 2 with POOL, INPUT included?
#
# <details><summary>Compare your prediction</summary>
# A block has 3 · 2 + 1 = 7 layers, two blocks 14. The hidden FC layers bring 2 · 2 = 4. With INPUT and the last FC it is
# 14 + 4 + 2 = 20.
# </details>
#
# ### Your task
#
# Write `write_out`. The course's `expand` can do this; write the loops yourself.
#
# | argument | meaning |
# |---|---|
# | `N`, `M`, `K` | the repeats of the pattern, each an `int` of at least 0 |
# | `pool` | `True`: each block ends with POOL; `False`: no POOL |
# | returns | the network as a text: names of layers with arrows between them, no numbers, no star, no question mark |
#
# <details><summary>Hint 1: brackets are loops</summary>
# Read the pattern aloud as a program: "M times: first N times this, then perhaps that." What is repeated K times, and
# what stands behind it all?
# </details>
# <details><summary>Hint 2: where the POOL stands</summary>
# Which bracket is already closed before POOL, and which is not? How many times is POOL reached in each round of the
# outer loop?
# </details>
# <details><summary>Hint 3: arrows between, not behind</summary>
# Work with a list of names first, and make the text at the very end. A list may be empty without leaving a trace. A
# Python text has a method that puts itself between the entries of a list.
# </details>
#
# **If the check says …**
#
# - *before the first FC expected …*: compare the two texts from the left; the first layer that differs tells you which
#   loop.
# - *no diagram: => cannot stand here*: two arrows in a row. What did your text do for a part that is repeated zero times?
# - *zero times* is the only part that is missing: try `write_out(0, 0, 0, True)`. It is `INPUT => FC`.


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def write_out(N, M, K, pool):
    """The network that the common pattern stands for."""
    ### BEGIN SOLUTION
    names = ["INPUT"]
    for _ in range(M):
        for _ in range(N):
            names += ["CONV", "RELU"]
        if pool:
            names.append("POOL")
    for _ in range(K):
        names += ["FC", "RELU"]
    names.append("FC")
    return " => ".join(names)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (a) as often as you like.
check("a", write_out)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "a_marks", "locked": true, "points": 8, "schema_version": 3, "solution": false, "task": false}
# Marks for task (a), out of 8. Leave this cell as it is.
mark("a", write_out).points

# %% [markdown]
# ## (b) A network under a budget
#
# *difficulty ●●● · importance ●●● · 30 minutes · 10 points*
#
# **A worked number.** Two CONV layers of 16 filters, 3 × 3, on a colour image: the first has
# 16 · (3 · 3 · 3 + 1) = 448 parameters, the second 16 · (16 · 3 · 3 + 1) = 2,320. Behind a GAP an FC for 10 classes
# has 10 · (16 + 1) = 170. Without the GAP, on 32 × 32 positions, the same FC would have
# 10 · (16 · 32 · 32 + 1) = 163,850.
#
# **Predict first.** All filters are doubled to 32. By which factor do the parameters of the second CONV grow?
#
# <details><summary>Compare your prediction</summary>
# By about 4: 32 · (32 · 3 · 3 + 1) = 9,248 in place of 2,320. It has twice as many filters, and each reads twice as
# many channels.
# </details>
#
# ### Your task
#
# Write `design`, a function that gives a network for any budget. The network is yours to choose, as long as it
# meets these demands:
#
# 1. It begins with INPUT(3, side, side) and ends with an FC of one neuron for each class. Only SOFTMAX may follow.
# 2. It has at least 4 CONV layers.
# 3. It has at most `budget` parameters, biases included, and at least a third of that.
# 4. The last CONV sees the whole image: its receptive field is at least `side` pixels on each axis.
# 5. It can be built, and the linter has no error and no warning. Notes are fine.
#
# | argument | meaning |
# |---|---|
# | `budget` | the most parameters, an `int` between 5,000 and 200,000 |
# | `side` | pixels of the square colour image, an even `int` between 20 and 100 |
# | `classes` | number of classes, an `int` between 2 and 20 |
# | returns | a diagram as a text; within a second, please |
#
# `summarize` does the counting: `summarize(text).totals.params` is the number of parameters, and the rows of
# `summarize(text).rows` have `text`, `shape` and `field`. It takes a few milliseconds, so you can ask it often, though
# not a thousand times.
#
# <details><summary>Hint 1: two decisions, one after the other</summary>
# The field does not depend on the number of filters. So decide first how CONV, RELU and POOL follow one another, and
# then how wide the CONV layers are.
# </details>
# <details><summary>Hint 2: the width</summary>
# Give all CONV layers the same number of filters. Start small and make them wider as long as the next width still
# fits. Which layer in front of the FC keeps the FC small at any size of the image?
# </details>
# <details><summary>Hint 3: the field</summary>
# Keep three numbers while you add layers: the field, the jump and the side that is left. A CONV of 3 × 3 adds
# 2 · jump to the field. A POOL of 2 × 2 adds 1 · jump, doubles the jump and halves the side, which it can only do if
# that is even. And if it is odd? CONV layers can still be added.
# </details>
#
# **If the check says …** The messages hold no numbers, as your network is your own. Look at it: `text = design(…)`
# with the arguments in the message, then `summarize(text)` and `lint(text)` in a cell of your own.
#
# | not yet | look at |
# |---|---|
# | within the budget | the total of `summarize`; a tight budget may be missed by a few biases |
# | a third of the budget is used | the width: would the next one still fit? |
# | the last CONV sees the whole image | the column *field* in the row of the last CONV |
# | sides that can be halved once or twice only | `design(50_000, 28, 10)`: 28, 14, 7, and then? |

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for task (b): how to ask what a text costs, and what the linter says about it.
example = "INPUT(3, 32, 32) => CONV(16) => RELU => CONV(16) => RELU => GAP => FC(10)"
print(summarize(example).totals.params, lint(example))


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def design(budget, side, classes):
    """A network for square colour images that stays under a budget of parameters."""
    ### BEGIN SOLUTION
    parts, convs = [f"INPUT(3, {side}, {side})"], 0
    field, jump, left = 1, 1, side
    while convs < 4 or field < side:
        parts.append("CONV({width}) => RELU")
        convs, field = convs + 1, field + 2 * jump
        if convs % 2 == 0 and left % 2 == 0:
            parts.append("POOL")
            field, jump, left = field + jump, 2 * jump, left // 2
    parts.append(f"GAP => FC({classes})")

    def network(width):
        return " => ".join(parts).replace("{width}", str(width))

    width = 1
    while summarize(network(width + 1)).totals.params <= budget:
        width += 1
    return network(width)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (b) as often as you like.
check("b", design)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "b_marks", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
# Marks for task (b), out of 10. Leave this cell as it is.
mark("b", design).points

# %% [markdown]
# ## (c) Five broken diagrams
#
# *difficulty ●●○ · importance ●●○ · 20 minutes · 10 points*
#
# **A worked example.** `INPUT(3, 32, 32) => CONV(8) => CONV(8) => RELU => GAP => FC(10)` can be built, and the linter
# says that there is no activation between CONV and CONV. Repaired:
# `INPUT(3, 32, 32) => CONV(8) => RELU => CONV(8) => RELU => GAP => FC(10)`. One RELU was put in, all else was kept. To take out
# the first CONV would silence the linter too, but that CONV was no mistake.
#
# **Predict first.** Look at the five texts in the next cell, before you let a program read them. Which of them will
# the parser refuse, which cannot be built, what will the linter find, and about which will nobody say a word?
#
# <details><summary>Compare your prediction</summary>
# The parser refuses the first. The third and the fourth parse but cannot be built. The linter has a warning for the
# second. The fifth parses, can be built, and breaks no rule; yet it is not what was meant.
# </details>
#
# ### Your task
#
# This is what the five were meant to be:
#
# | number | meant for | meant to be |
# |---|---|---|
# | 1 | 32 × 32 colour images, 10 classes | two blocks of CONV, RELU, BN, POOL; two hidden FC layers of 64 with RELU and BN |
# | 2 | 64 × 64 colour images, 10 classes | in the manner of VGG: blocks of two CONV layers, two hidden FC layers with dropout, probabilities at the end |
# | 3 | 32 × 32 colour images, 10 classes | two CONV and two POOL layers, and a layer of 64 before the class scores |
# | 4 | 28 × 28 grey images, 10 classes | three CONV layers, and no row or column of any volume dropped without need |
# | 5 | 32 × 32 colour images, 10 classes | two blocks; in each *two* CONV layers with their RELUs, and one POOL |
#
# Write `repair`. A repaired diagram can be built for its images, gives 10 numbers, and gets neither error nor
# warning from the linter (notes are fine). Whatever was no mistake stays: layers, their numbers and their order. Brackets may be
# written differently, as the texts are compared written out.
#
# | argument | meaning |
# |---|---|
# | `number` | 1 to 5 |
# | returns | the repaired diagram, a text |
#
# <details><summary>Hint 1: ask three programs</summary>
# `summarize(BROKEN[1])` says where the parser or the arithmetic stops, and `lint(…)` goes on from there. Each
# message names a place. For the fifth ask yourself; `summarize` lists its layers one by one.
# </details>
# <details><summary>Hint 2: one step each</summary>
# One repair puts in an arrow, one puts in a layer, one moves a layer, one takes a layer out, one moves a bracket.
# </details>
# <details><summary>Hint 3: which layer?</summary>
# In 2: what does SOFTMAX make probabilities of? In 3: which layers need rows and columns? In 4: which layer of the third
# block needs an even side, and which does not?
# </details>
#
# **If the check says …**
#
# - *it cannot be built*: the message ends with the words around the place.
# - *the linter says …*: the id in brackets is the rule; `lint(text)` gives the reason and a proposal.
# - *more than the mistake was changed*: the layers under *gone* were right and are no longer there.

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for task (c).
BROKEN = {
    1: "INPUT(3, 32, 32) => [CONV(16) => RELU => BN => POOL] * 2 => [FC(64) RELU => BN] * 2 => FC(10)",
    2: "INPUT(3, 64, 64) => [[CONV(16) => RELU] * 2 => POOL] * 3 => [FC(128) => RELU => DO] * 2 => SOFTMAX",
    3: "INPUT(3, 32, 32) => CONV(16) => RELU => POOL => CONV(32) => RELU => FC(64) => RELU => POOL => FC(10)",
    4: "INPUT(1, 28, 28) => [CONV(16) => RELU => POOL] * 3 => FC(10)",
    5: "INPUT(3, 32, 32) => [[CONV(16) => RELU => POOL] * 2] * 2 => FC(10)",
}


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def repair(number):
    """The diagram of that number, repaired."""
    ### BEGIN SOLUTION
    repaired = {
        1: "INPUT(3, 32, 32) => [CONV(16) => RELU => BN => POOL] * 2"
        " => [FC(64) => RELU => BN] * 2 => FC(10)",
        2: "INPUT(3, 64, 64) => [[CONV(16) => RELU] * 2 => POOL] * 3"
        " => [FC(128) => RELU => DO] * 2 => FC(10) => SOFTMAX",
        3: "INPUT(3, 32, 32) => CONV(16) => RELU => POOL => CONV(32) => RELU => POOL"
        " => FC(64) => RELU => FC(10)",
        4: "INPUT(1, 28, 28) => [CONV(16) => RELU => POOL] * 2 => CONV(16) => RELU => FC(10)",
        5: "INPUT(3, 32, 32) => [[CONV(16) => RELU] * 2 => POOL] * 2 => FC(10)",
    }
    return repaired[number]
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (c) as often as you like.
check("c", repair)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "c_marks", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
# Marks for task (c), out of 10. Leave this cell as it is.
mark("c", repair).points

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": false, "grade_id": "d_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## (d) The longer network
#
# *difficulty ●●○ · importance ●●○ · 10 minutes · 3 points, read by a person*
#
# Two networks for colour images of 64 × 64 pixels and 10 classes:
#
# ```
# A: INPUT(3, 64, 64) => CONV(16) => RELU => POOL => FC(128) => RELU => FC(10)
# B: INPUT(3, 64, 64) => [CONV(16) => RELU => POOL] * 4 => FC(128) => RELU => FC(10)
# ```
#
# Answer in three to six sentences:
#
# 1. Which of the two has more parameters? Show it with the weights of the first FC in each.
# 2. A and B without their FC layers: how many pixels of the image, on one axis, has a number in the last volume seen?
#    Why does B need no larger filters for that?
# 3. A third person proposes `* 5` for images of 48 × 48 pixels. What happens, and what would you write instead?
#
# Double-click the cell below to write in it.
#
# <!-- BEGIN MARK SCHEME -->
# **Rubric for the grader, 3 points.** One point each; half a point where the idea is there and the number is not.
#
# 1. A. Its first FC reads 16 · 32 · 32 = 16,384 numbers, 2,097,152 weights; that of B reads 16 · 4 · 4 = 256 numbers,
#    32,768 weights. (In all A has 2,099,018 parameters and B 41,594; the totals are not needed.)
# 2. A: 4 pixels. B: 4, 10, 22, 46 after its four blocks, so 46. Each POOL doubles the jump, so that the same 3 × 3 window
#    covers twice as many pixels of the image.
# 3. 48 = 16 · 3 can be halved evenly four times: 24, 12, 6, 3. The fifth POOL meets 3 and the diagram is refused
#    (rounding down, it would drop a row and a column). Instead `* 4`, perhaps with one more `CONV => RELU` without POOL;
#    or images of 32, 64 or 96 pixels. Any remedy that can be built counts.
# <!-- END MARK SCHEME -->

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": true, "grade_id": "d_answer", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# <!-- BEGIN SOLUTION -->
# A has far more. Its first FC reads 32 · 32 positions with 16 channels each and has 16,384 · 128 = 2,097,152 weights; after
# four POOL layers that of B reads 4 · 4 positions and has 256 · 128 = 32,768. A number in the last volume of A has seen
# 4 pixels on an axis, one of B has seen 46: with each POOL neighbouring positions are twice as far apart in the image, so
# the same 3 × 3 filter reaches twice as far. 48 pixels can be halved evenly four times, down to 3, and the windows of
# the fifth POOL do not fit, so the network is refused. I would write four blocks and one more CONV => RELU without a
# POOL behind it.
# <!-- END SOLUTION -->

# %% [markdown]
# ---
# **Before you hand in:** *Kernel → Restart Kernel and Run All Cells*, and look once at each check. The number under a cell
# with marks is what that task earned on the visible inputs.
