# %% [markdown]
# # Printing
# First week: programs that print. Tests look at what is printed.

# %% locked="imports"
import io
import sys
from contextlib import redirect_stdout

def printed(function, *arguments):
    """What a function prints."""
    buffer = io.StringIO()
    with redirect_stdout(buffer):
        function(*arguments)
    return buffer.getvalue()

# %% solution="banner"
def banner(text):
    """Print the text in a frame of stars."""
    ### BEGIN SOLUTION
    print("*" * (len(text) + 4))
    print(f"* {text} *")
    print("*" * (len(text) + 4))
    ### END SOLUTION

# %% test="test_banner" points=2
out = printed(banner, "Hi")
assert out.split("\n")[1] == "* Hi *", f"the middle line is {out.splitlines()}"
### BEGIN HIDDEN TESTS
assert printed(banner, "Hello") == "*********\n* Hello *\n*********\n"
assert printed(banner, "") == "****\n*  *\n****\n"
### END HIDDEN TESTS

# %% [markdown]
# The times table of `n`, three numbers a line, right-aligned in four characters.

# %% solution="table"
def times_table(n):
    ### BEGIN SOLUTION
    for row in range(3):
        print("".join(f"{n * (3 * row + column + 1):4d}" for column in range(3)))
    ### END SOLUTION

# %% test="test_table" points=2
from unittest.mock import patch
with patch("sys.stdout", new_callable=io.StringIO) as screen:
    times_table(7)
lines = screen.getvalue().splitlines()
assert len(lines) == 3
assert lines[0] == "   7  14  21"
### BEGIN HIDDEN TESTS
assert lines == ["   7  14  21", "  28  35  42", "  49  56  63"]
### END HIDDEN TESTS

# %% [markdown]
# Ask for a name with `input`, and greet.

# %% solution="greet"
def greet():
    ### BEGIN SOLUTION
    name = input("Your name? ")
    print("Hello,", name.strip() or "stranger")
    ### END SOLUTION

# %% test="test_greet" points=2
from unittest import mock
with mock.patch("builtins.input", return_value="Uma"):
    text = printed(greet)
assert "Hello, Uma" in text
### BEGIN HIDDEN TESTS
with mock.patch("builtins.input", return_value="  "):
    assert printed(greet).strip().endswith("Hello, stranger")
### END HIDDEN TESTS

# %% [markdown]
# Count down from `n`, and print the numbers on one line, separated by commas; then `Go!`.

# %% solution="countdown"
def countdown(n):
    ### BEGIN SOLUTION
    print(*range(n, 0, -1), sep=", ")
    print("Go!")
    ### END SOLUTION

# %% test="test_countdown" points=2
old = sys.stdout
sys.stdout = captured = io.StringIO()
countdown(3)
sys.stdout = old
assert captured.getvalue() == "3, 2, 1\nGo!\n"
### BEGIN HIDDEN TESTS
assert printed(countdown, 1) == "1\nGo!\n"
assert printed(countdown, 12).startswith("12, 11, 10")
### END HIDDEN TESTS

# %% [markdown]
# Errors go to `sys.stderr`: `report(values)` prints the mean, or the line `no values` to stderr where there are none.

# %% solution="report"
def report(values):
    ### BEGIN SOLUTION
    if not values:
        print("no values", file=sys.stderr)
    else:
        print("mean:", sum(values) / len(values))
    ### END SOLUTION

# %% test="test_report" points=2
assert printed(report, [1, 2]) == "mean: 1.5\n"
### BEGIN HIDDEN TESTS
from contextlib import redirect_stderr
with redirect_stderr(io.StringIO()) as errors:
    assert printed(report, []) == ""
assert errors.getvalue().strip() == "no values"
### END HIDDEN TESTS
