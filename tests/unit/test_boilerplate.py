"""Which lines of code say nothing about a solution."""

from __future__ import annotations

import pytest

from tito.plan.boilerplate import Boilerplate, without_comments

IMPORTS = "import numpy as np\nimport matplotlib.pyplot as plt\nimport seaborn as sns\nimport random, warnings\n"

SAYS_NOTHING = (
    "from sklearn.linear_model import LinearRegression",
    "from numpy.linalg import (\n    norm,\n    solve,\n)",
    "%matplotlib inline",
    "plt.figure(figsize=(8, 6))",
    "fig, ax = plt.subplots(1, 2, figsize=(12, 4))",
    "plt.rcParams['figure.figsize'] = (8, 6)",
    "plt.plot(x, y, 'o-', label=f'{name} data')",
    "ax.set_xlabel('time in seconds')",
    "axes[0].plot(df['date'], df['rain'])",
    "sns.scatterplot(data=df, x='age', y='height')",
    "df.hist(bins=50, figsize=(20, 15))",
    "fig, left = plt.subplots()\nleft.set_title('distribution of ages')",
    "print('All tests passed!')",
    "np.random.seed(42)",
    "warnings.filterwarnings('ignore')",
    "def newton(f, df, x0, tol=1e-8, max_iter=50):\n    return g(x0)",
    "class Account(Base):\n    x = g()",
    "    'A docstring that stands in the text too.'",
    "for iteration in range(max_iterations):\n    g()",
    "for row, (left, right) in enumerate(zip(lefts, rights)):\n    g()",
    "self.learning_rate = learning_rate",
    "raise ValueError('n must be positive')",
)
SAYS_SOMETHING = (
    "x = np.linspace(0, 1, n + 1)",
    "df = pd.read_csv('data.csv')",
    "plt.plot(x, np.exp(-x) * np.cos(x))",
    "print(sum(values) / len(values))",
    "print(f'the mean is {mean:.3f}')",  # what is to be printed may be the answer
    "for name, day in [('Alder', '2023-03-04')]:\n    g()",
    "return np.mean((y - yhat) ** 2)",
    "heapq.heappush(queue, (distance, node))",
    "y = plt.imread('cat.png').mean(axis=0)",
    "for k in np.arange(n - 1, -1, -1):\n    g()",
    "while abs(f(x)) > tol:\n    g()",
    "if x % 2 == 0:\n    g()",
    "assert np.isclose(total, 233168)",
    "def square(x): return x ** 2",
    "self.weights = rng.normal(size=n)",
    "raise ValueError(f'{sorted(values)[-1]} is too large')",
    "result = img.mean(axis=0)",
)


@pytest.mark.parametrize("source", SAYS_NOTHING)
def test_what_stands_in_many_a_notebook_says_nothing(source: str) -> None:
    text = source.removeprefix("    ")
    rows = Boilerplate([IMPORTS, text]).lines(text)
    own = (
        range(1, text.count("\n") + 2)
        if "    g()" not in text and "return" not in text and "x = g" not in text
        else [1]
    )
    assert set(own) <= rows


@pytest.mark.parametrize("source", SAYS_SOMETHING)
def test_what_computes_says_something(source: str) -> None:
    img = "img = plt.imread('cat.png')"
    assert 1 not in Boilerplate([IMPORTS, img, source]).lines(source)


def test_lines_are_counted_as_the_cell_has_them_also_below_a_magic() -> None:
    source = "%%time\nimport numpy as np\nx = np.exp(1)\n!ls\nplt.show()"
    assert Boilerplate([IMPORTS, source]).lines(source) == {1, 2, 4, 5}


def test_of_what_is_no_python_magics_alone_are_known() -> None:
    assert Boilerplate([IMPORTS]).lines("%matplotlib inline\nimport (") == {1}


def test_comments_are_told_apart_from_code_line_by_line() -> None:
    code, comments = without_comments("x = '#1'  # one\n# two\n%magic # three\ny = 2")
    assert code.split("\n")[0].strip() == "x = '#1'"
    assert comments.split("\n")[:2] == ["one", "two"]
    assert code.count("\n") == comments.count("\n") == 3
