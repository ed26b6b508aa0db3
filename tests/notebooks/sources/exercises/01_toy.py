# %% [markdown]
# # Toy

# %% setup="imports"
import sys


# %% solution="double"
def double(x):
    """Twice x."""
    ### BEGIN SOLUTION
    return x + x
    ### END SOLUTION


# %% tests="check-double" points=2
print("a warning that must not cost points", file=sys.stderr)
assert double(2) == 4


# %% solution="half"
def half(x):
    """Half of x."""
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION


# %% tests="check-half" points=3
assert half(2) == 1

# %% [markdown] manual="why" points=4
# ### BEGIN SOLUTION
# Because of addition.
# ### END SOLUTION
