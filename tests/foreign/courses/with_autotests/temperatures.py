# %% [markdown]
# # Temperatures
# The tests of this notebook are generated.

# %% solution="celsius"
def celsius(fahrenheit):
    ### BEGIN SOLUTION
    return (fahrenheit - 32) * 5 / 9
    ### END SOLUTION

# %% test="test_celsius" points=2
### AUTOTEST celsius(212); celsius(50)
### BEGIN HIDDEN TESTS
### AUTOTEST celsius(-40)
### END HIDDEN TESTS

# %% [markdown]
# Put the week's readings in °C, rounded to whole numbers, into `week`, and the number of days above 20 °C into `warm`.

# %% locked="readings"
readings = [59, 68, 77, 71.6, 50, 86, 64.4]

# %% solution="week"
### BEGIN SOLUTION
week = [round(celsius(f)) for f in readings]
warm = sum(c > 20 for c in week)
### END SOLUTION

# %% test="test_week" points=2
### AUTOTEST week
### HASHED AUTOTEST warm

# %% solution="label"
def label(c):
    """'frost' below 0, 'mild' up to 20, else 'hot'"""
    ### BEGIN SOLUTION
    if c < 0:
        return "frost"
    return "mild" if c <= 20 else "hot"
    ### END SOLUTION

# %% test="test_label" points=2
### HASHED AUTOTEST label(-1)
### HASHED AUTOTEST label(20); label(21)

# %% solution="extremes"
def extremes(values):
    """The smallest and the largest."""
    ### BEGIN SOLUTION
    return min(values), max(values)
    ### END SOLUTION

# %% test="test_extremes" points=2
assert extremes([3, 1, 2]) == (1, 3)
### AUTOTEST extremes(readings)
