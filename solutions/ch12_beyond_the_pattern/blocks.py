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
# # Exercise 12: three blocks and a whole network
#
# A famous network is a few lines of code, once its block is written. Here you write the three blocks of the chapter in
# PyTorch, and put a ResNet together whose parameters agree with the published total to the last digit. You will also
# see what such a total cannot prove.
#
# | | task | difficulty | minutes | points |
# |---|---|---|---|---|
# | (a) | the inception block | ●●○ | 20 | 10 |
# | (b) | the residual block | ●●○ | 20 | 12 |
# | (c) | the fire block | ●○○ | 10 | 7 |
# | (d) | ResNet-18 and ResNet-34 from given blocks | ●●● | 25 | 10 |
# | (e) | a short answer: three totals | ●○○ | 10 | 3 |
#
# **You need** chapter 12 of the book, and PyTorch. The tasks do not build on each other: if one resists, go on to the
# next.
#
# **How it works.** Write your code where it says `# YOUR CODE HERE`, run that cell, then run the check below it. A
# check tells you what holds and what does not, as often as you like. The cells with the marks run the same check
# when you hand in, with other numbers.
#
# Inside your classes the names, the order and the grouping are yours, as long as each CONV and each BN that the task names
# is a layer of its own. The check builds your block with small sizes, sets all weights to known values, and looks at what
# comes out. When it says `weights='all negative, biases too'`, these are the values that it has set.
#
# **When you are stuck:** open hint 1, then 2, then 3. Build the block in a cell of your own (press `b`) and print the shape
# of what it gives.

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "setup", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Run this cell first.
import torch
from torch import nn

from cnnlib.checks.ch12_beyond_the_pattern import check, mark


def count(module):
    """How many numbers a module learns."""
    return sum(parameter.numel() for parameter in module.parameters())


# %% [markdown]
# **A module, as a reminder.** What has weights is made in `__init__` and kept as an attribute; `forward` says how a batch
# (N, C, H, W) runs through it. A module is called like a function.
#
# ```python
# class Smooth(nn.Module):
#     def __init__(self, channels):
#         super().__init__()
#         self.filter = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
#
#     def forward(self, x):
#         return torch.tanh(self.filter(x))
#
# block = Smooth(8)
# block(torch.zeros(1, 8, 5, 7)).shape    # (1, 8, 5, 7)
# count(block)                            # 8 · 8 · 9 + 8 = 584
# ```
#
# `nn.Sequential(one, two, three)` is a module that runs its modules one after the other. `nn.Conv2d(C, K, F, stride=S,
# padding=P)` has biases unless you write `bias=False`.

# %% [markdown]
# ## (a) The inception block
#
# *difficulty ●●○ · importance ●●● · 20 minutes · 10 points*
#
# **A worked number.** GoogLeNet's first block reads 192 channels. Its 5 × 5 branch has a reduction to 16 and then 32
# filters, all with biases:
#
# ```
# 192·16 + 16 + 5·5·16·32 + 32 = 3,088 + 12,832 = 15,920
# ```
#
# **Predict first.** Eight volumes of 192 × 28 × 28 go through the whole block, `Inception(192, 64, 96, 128, 16, 32, 32)`. Which
# shape comes out?
#
# <details><summary>Compare your prediction</summary>
# (8, 256, 28, 28): the depth is 64 + 128 + 32 + 32 = 256, the size is kept.
# </details>
#
# ### Your task
#
# Write the class `Inception`. It has four branches, which all read `x`:
#
# | branch | layers | depth of what it gives |
# |---|---|---|
# | 1 × 1 | CONV 1 × 1 | `f1` |
# | 3 × 3 | CONV 1 × 1 to `f3_in`, then CONV 3 × 3 | `f3` |
# | 5 × 5 | CONV 1 × 1 to `f5_in`, then CONV 5 × 5 | `f5` |
# | pooling | max pooling 3 × 3 at stride 1, then CONV 1 × 1 | `pool` |
#
# Behind **each** CONV stands a RELU. All CONVs have biases; there is no batch norm. Strides are 1, paddings keep the size.
#
# | | |
# |---|---|
# | `Inception(in_channels, f1, f3_in, f3, f5_in, f5, pool)` | seven `int`, handed over by position |
# | `x` | tensor (N, `in_channels`, H, W), `float32` or `float64`; must not be changed |
# | returns | tensor (N, `f1 + f3 + f5 + pool`, H, W): the branches stacked along the depth, in the order of the table |
#
# <details><summary>Hint 1: four roads</summary>
# Each branch is a small chain that you already know how to write. Make four chains, one attribute each, and let `forward`
# send the same x into all of them.
# </details>
# <details><summary>Hint 2: what each CONV reads</summary>
# Six CONVs have weights. Write down for each how many channels it reads: four of them read the block's input, two read
# a reduction. A small helper that gives "CONV and RELU" for (inputs, filters, size) saves most of the writing.
# </details>
# <details><summary>Hint 3: bringing them together</summary>
# PyTorch has one function that puts tensors one behind the other along an axis that exists, and another that makes a new axis.
# Which axis of (N, C, H, W) is the depth? All other axes must agree, so print the four shapes first.
# </details>
#
# **If the check says …**
#
# | it says | look at |
# |---|---|
# | *parameters*: some number too few or too many | which layer of yours has that many? Biases are counted, one a filter |
# | `StackingError` | the text names the tensor, counted from 0, whose height or width differs: its padding, or its stride |
# | `ChannelsError` | a CONV that was made for another depth than the one that arrives |
# | `UnregisteredError` | layers that are made in `forward`, or kept in a Python list |
# | *RELU behind every CONV*: not 0 | all weights and biases are negative there and x is positive, so every RELU must give 0 |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Inception(nn.Module):
    """Four branches read the same volume; what they give is stacked along the depth."""

    def __init__(self, in_channels, f1, f3_in, f3, f5_in, f5, pool):
        super().__init__()
        ### BEGIN SOLUTION

        def conv(inputs, filters, size):
            return nn.Sequential(nn.Conv2d(inputs, filters, size, padding=size // 2), nn.ReLU())

        self.branches = nn.ModuleList(
            [
                conv(in_channels, f1, 1),
                nn.Sequential(conv(in_channels, f3_in, 1), conv(f3_in, f3, 3)),
                nn.Sequential(conv(in_channels, f5_in, 1), conv(f5_in, f5, 5)),
                nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv(in_channels, pool, 1)),
            ]
        )
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return torch.cat([branch(x) for branch in self.branches], dim=1)
        ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "a_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (a) as often as you like.
check("a", Inception)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "a_marks", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
# Marks for task (a), out of 10. Leave this cell as it is.
mark("a", Inception).points

# %% [markdown]
# ## (b) The residual block
#
# *difficulty ●●○ · importance ●●● · 20 minutes · 12 points*
#
# **A worked number.** At one position x is 3, and the branch gives F(x) = −5. The block gives
#
# ```
# RELU(3 + (−5)) = RELU(−2) = 0
# ```
#
# With a RELU at the end of the branch it would give 3 + 0 = 3: such a branch could never subtract.
#
# **Predict first.** A block goes from 64 channels to 128 with stride 2, without biases. How many numbers does its
# shortcut learn, BN included?
#
# <details><summary>Compare your prediction</summary>
# 64 · 128 = 8,192 weights of the 1 × 1 CONV, and a scale and a shift for each of 128 channels: 8,448.
# </details>
#
# ### Your task
#
# Write the class `BasicBlock`, the block of ResNet-18, drawn in the chapter:
#
# - the **branch** is CONV 3 × 3, BN, RELU, CONV 3 × 3, BN. The first CONV has the stride. Padding is 1;
# - the **shortcut** is x itself where depth and size stay, and else a CONV 1 × 1 with the stride, then BN;
# - the two are added, and then comes RELU. No CONV has a bias.
#
# | | |
# |---|---|
# | `BasicBlock(in_channels, out_channels, stride=1)` | `int`; `stride` is handed over by name |
# | `x` | tensor (N, `in_channels`, H, W), `float32` or `float64`; must not be changed |
# | returns | tensor (N, `out_channels`, H', W'), where H' is H divided by the stride and rounded up, and so is W' |
#
# `nn.BatchNorm2d(channels)` is PyTorch's BN. The check sets your block to `eval()`, so that BN uses its running statistics.
#
# <details><summary>Hint 1: two roads and a plus</summary>
# `forward` needs three things: what the branch gives, what the shortcut gives, and their sum. Which of the RELUs belongs to
# the branch, and which to the sum?
# </details>
# <details><summary>Hint 2: layers with a memory</summary>
# Count what has weights: two CONVs, two BNs, and on some shortcuts one more pair. Each needs an object of its own.
# How many channels does the second CONV read?
# </details>
# <details><summary>Hint 3: when the shortcut needs layers</summary>
# There are two reasons why x does not fit the sum, and either alone is enough. A module that gives back what it gets
# (look up "identity" in torch.nn, or think about a Sequential of nothing) spares you a question in `forward`.
# </details>
#
# **If the check says …**
#
# | it says | look at |
# |---|---|
# | *parameters* | which shortcuts have layers, biases, and whether each BN is an object of its own |
# | `AddingError` | print both shapes in front of the plus: whose depth, or whose size, is wrong? |
# | *the identity shortcut* | all weights are 0 there, so the branch gives 0 and x must come out |
# | *the projection shortcut*, *the stride* | these set the branch's or the shortcut's weights to 0, to look at the other one alone |
# | *RELU in its two places* | what is negative may come out of the branch, but not out of the block |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class BasicBlock(nn.Module):
    """Two 3 × 3 layers whose result is added to the input."""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        ### BEGIN SOLUTION
        self.branch = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        if in_channels == out_channels and stride == 1:
            self.shortcut = nn.Identity()
        else:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return torch.relu(self.branch(x) + self.shortcut(x))
        ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "b_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (b) as often as you like.
check("b", BasicBlock)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "b_marks", "locked": true, "points": 12, "schema_version": 3, "solution": false, "task": false}
# Marks for task (b), out of 12. Leave this cell as it is.
mark("b", BasicBlock).points

# %% [markdown]
# ## (c) The fire block
#
# *difficulty ●○○ · importance ●●○ · 10 minutes · 7 points*
#
# **A worked number.** SqueezeNet's first block reads 96 channels, squeezes to 16 and expands to 64 + 64:
#
# ```
# 96·16 + 16  +  16·64 + 64  +  3·3·16·64 + 64  =  1,552 + 1,088 + 9,280  =  11,920
# ```
#
# **Predict first.** Double the squeeze from 16 to 32. By what factor does the block grow, about?
#
# <details><summary>Compare your prediction</summary>
# About 2. All three CONVs have the squeeze as a factor: one writes it, two read it. Exactly it is 23,712, since the 128
# biases of the two expanding CONVs do not grow.
# </details>
#
# ### Your task
#
# Write the class `Fire`. A CONV 1 × 1 squeezes to `squeeze` channels. Two CONVs read that: a 1 × 1 with `expand1` filters and
# a 3 × 3 with `expand3`. Behind **each** of the three stands a RELU. All have biases, there is no batch norm, and the size
# is kept.
#
# | | |
# |---|---|
# | `Fire(in_channels, squeeze, expand1, expand3)` | four `int`, handed over by position |
# | `x` | tensor (N, `in_channels`, H, W), `float32` or `float64`; must not be changed |
# | returns | tensor (N, `expand1 + expand3`, H, W): the 1 × 1 branch first, then the 3 × 3 |
#
# <details><summary>Hint 1: draw it</summary>
# One box, then a fork, then one box on each road. Which arrow goes into which box?
# </details>
# <details><summary>Hint 2: three CONVs</summary>
# Only the squeeze knows `in_channels`. What do the other two read? The worked number has one product for each.
# </details>
# <details><summary>Hint 3: the end of the fork</summary>
# The depth of the result is a sum, so the tensors are put one behind the other along the depth. For that both must have
# the height and the width of x: which of the two CONVs would shrink it?
# </details>
#
# **If the check says …**
#
# | it says | look at |
# |---|---|
# | *parameters* | compare with the worked number, product by product |
# | *stacked along the depth* | the axis, the padding, and whether you add |
# | *RELU behind every CONV*: not 0 | all weights and biases are negative there and x is positive. Positive numbers come from a RELU missing *inside*, negative ones from the end |


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
class Fire(nn.Module):
    """Squeeze with 1 × 1, then expand with 1 × 1 and 3 × 3 side by side."""

    def __init__(self, in_channels, squeeze, expand1, expand3):
        super().__init__()
        ### BEGIN SOLUTION
        self.squeeze = nn.Conv2d(in_channels, squeeze, 1)
        self.expand1 = nn.Conv2d(squeeze, expand1, 1)
        self.expand3 = nn.Conv2d(squeeze, expand3, 3, padding=1)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        thin = torch.relu(self.squeeze(x))
        return torch.relu(torch.cat([self.expand1(thin), self.expand3(thin)], dim=1))
        ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "c_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (c) as often as you like.
check("c", Fire)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "c_marks", "locked": true, "points": 7, "schema_version": 3, "solution": false, "task": false}
# Marks for task (c), out of 7. Leave this cell as it is.
mark("c", Fire).points

# %% [markdown]
# ## (d) A whole ResNet
#
# *difficulty ●●● · importance ●●● · 25 minutes · 10 points*
#
# **A worked number.** The stem of ResNet-18 is a CONV of 7 × 7 from 3 channels to 64, without bias, and a BN; the end is an
# FC from 512 to 1,000. Together they learn
#
# ```
# 7·7·3·64 + 2·64  +  512·1000 + 1000  =  9,536 + 513,000  =  522,536
# ```
#
# The published total is 11,689,512, so the eight blocks must have 11,166,976.
#
# **Predict first.** The same network for 10 classes: what is its total?
#
# <details><summary>Compare your prediction</summary>
# Each class costs 512 weights and a bias, 513 numbers. 990 classes fewer are 507,870 fewer, which leaves 11,181,642.
# </details>
#
# ### Your task
#
# Write the function `resnet`. It gets the class of a residual block, and gives the network as a module:
#
# | part | layers |
# |---|---|
# | stem | CONV 7 × 7 from 3 channels to `width`, stride 2, padding 3, no bias; BN; RELU; max pooling 3 × 3, stride 2, padding 1 |
# | stages | stage i, counted from 0, has `units[i]` blocks of `width · 2^i` channels. The first block of each stage has stride 2, **except** in stage 0; all other blocks have stride 1 |
# | head | global average pooling, then FC to `classes` scores, with bias; no softmax |
#
# | | |
# |---|---|
# | `block` | a class: `block(in_channels, out_channels, stride)` makes a module, as in (b) |
# | `units` | tuple of four `int`, the number of blocks of each stage: (2, 2, 2, 2) is ResNet-18, (3, 4, 6, 3) ResNet-34 |
# | `classes`, `width` | `int`, 1000 and 64 in the published networks; the check calls them by name |
# | returns | a module that turns (N, 3, H, W) into (N, `classes`), for images of any size from 32 × 32 |
#
# So that you need not have written (b), a block is given below as `GivenBlock`. Try `count(resnet(GivenBlock, (2, 2, 2, 2)))`.
#
# <details><summary>Hint 1: from both ends</summary>
# Write stem and head first, with no stage between, and look at the shape. `nn.AdaptiveAvgPool2d(1)` averages each map to
# one number but keeps both axes; `nn.Flatten()` takes them away.
# </details>
# <details><summary>Hint 2: what changes from block to block</summary>
# Write the eight blocks of ResNet-18 down as (in, out, stride), by hand. In which column does the row remember the one
# before? Now let two loops, stages and blocks within a stage, write the list for you.
# </details>
# <details><summary>Hint 3: the list becomes a module</summary>
# Collect all layers in a Python list; at the end `nn.Sequential(*layers)` makes one module of it that knows all its
# weights. What is the depth behind the last block, and who needs it?
# </details>
#
# **If the check says …**
#
# | it says | look at |
# |---|---|
# | *published totals*: some number too few or too many | a bias is as many as the filters; BN twice that; a projection from C to K is C · K + 2K |
# | *the row of blocks* | it names the first block whose (in, out, stride) is wrong; your blocks are replaced there by some that only take notes |
# | *the stem* | what arrives at the first block: print its shape for an image of 224 × 224, it must be 56 × 56 |
# | *the head* | the last map is given there: average first, then FC |
# | only *everything together* | something between the blocks that should not be there |

# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_given", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Given for task (d): a residual block, and how much it learns.
from cnnlib.checks.ch12_beyond_the_pattern import GivenBlock

count(GivenBlock(64, 128, stride=2))


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_solution", "locked": false, "schema_version": 3, "solution": true, "task": false}
def resnet(block, units, classes=1000, width=64):
    """Stem, stages of residual blocks, head."""
    ### BEGIN SOLUTION
    layers = [
        nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2, padding=1),
    ]
    depth = width
    for stage, blocks in enumerate(units):
        filters = width * 2**stage
        for unit in range(blocks):
            halved = unit == 0 and stage > 0
            layers.append(block(depth, filters, stride=2 if halved else 1))
            depth = filters
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(depth, classes)]
    return nn.Sequential(*layers)
    ### END SOLUTION


# %% nbgrader={"cell_type": "code", "grade": false, "grade_id": "d_check", "locked": true, "schema_version": 3, "solution": false, "task": false}
# Check task (d) as often as you like.
check("d", resnet)

# %% nbgrader={"cell_type": "code", "grade": true, "grade_id": "d_marks", "locked": true, "points": 10, "schema_version": 3, "solution": false, "task": false}
# Marks for task (d), out of 10. Leave this cell as it is.
mark("d", resnet).points

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": false, "grade_id": "e_question", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ## (e) Three totals
#
# *difficulty ●○○ · importance ●●○ · 10 minutes · 3 points, read by a person*
#
# Three colleagues have each written ResNet-18 for 1,000 classes, and each has made one mistake. The published total is
# 11,689,512.
#
# 1. Anna's network has 11,689,576 parameters. What is her mistake, most likely? Show the calculation.
# 2. Ben's has 11,693,736, and he did not forget any `bias=False`. Which layers has he too many? Show the calculation.
# 3. Clara's has exactly 11,689,512, but its scores are wrong, with the right weights in every layer. Name two mistakes that
#    would explain it, and what you would look at to tell which of them it is.
#
# Answer in five to eight sentences. Double-click the cell below to write in it.
#
# <!-- BEGIN MARK SCHEME -->
# **Rubric for the grader, 3 points.** One point each; half a point where the idea is there and the calculation, or the
# second mistake, is not.
#
# 1. 64 too many: one bias for each of 64 filters, so a CONV with 64 filters has kept its bias, most likely the first one.
#    Any single CONV of the first stage counts as right.
# 2. 4,224 = 64 · 64 + 2 · 64: a projection, 1 × 1 CONV and BN, in a block that goes from 64 to 64 channels; that is in the
#    first stage, where the shortcut should be the input itself (for instance since its first block has stride 2).
# 3. Two of: no pooling in the stem, or one with another window or padding; a stride left out, or in the second
#    CONV of a block; RELU at the end of the branch, missing, or in front of BN; softmax at the end; another pooling at the end; BN in training mode.
#    To tell: the sizes behind each stage for 224 × 224 (112, 56, 56, 28, 14, 7), which show strides and pooling; or the
#    volumes of a trusted network for the same image, block by block, where the first difference names the layer. Half a point for two mistakes without a way to tell.
# <!-- END MARK SCHEME -->

# %% [markdown] nbgrader={"cell_type": "markdown", "grade": true, "grade_id": "e_answer", "locked": false, "points": 3, "schema_version": 3, "solution": true, "task": false}
# <!-- BEGIN SOLUTION -->
# Anna has 64 parameters too many, which is one for each of 64 filters: her first CONV has kept its bias. Ben has 4,224 too
# many, and 64 · 64 + 2 · 64 = 4,224 is a 1 × 1 CONV from 64 to 64 channels with its BN. So one block of his first stage has a
# projection where the input itself would fit, perhaps because he gave that stage stride 2. Clara may have left out the
# max pooling of the stem, or put a RELU at the end of the branch: neither has parameters. I would print the sizes behind
# each stage for an image of 224 × 224. If they are 56, 28, 14 and 7 the pooling is there, and I would compare the volume behind
# the first block with that of a trusted network: the first difference shows the place.
# <!-- END SOLUTION -->

# %% [markdown]
# ---
# **Before you hand in:** *Kernel → Restart Kernel and Run All Cells*, and look once at each check. The number under a cell
# with marks is what that task earned on the visible inputs.
