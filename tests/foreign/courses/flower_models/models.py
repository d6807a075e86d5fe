# %% [markdown]
# # Nearest neighbours and friends
# We train classifiers on measured flowers, with scikit-learn.

# %% locked="imports"
import numpy as np
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

RANDOM_STATE = 11
iris = load_iris()
X, y = iris.data, iris.target

# %% [markdown]
# ### 1. Hold out
# Split into training and test data; a quarter is for testing, every kind in equal shares, shuffled with `RANDOM_STATE`.

# %% solution="split"
def hold_out(X, y):
    """X_train, X_test, y_train, y_test"""
    ### BEGIN SOLUTION
    return train_test_split(X, y, test_size=0.25, stratify=y, random_state=RANDOM_STATE)
    ### END SOLUTION

# %% test="test_split" points=2
X_train, X_test, y_train, y_test = hold_out(X, y)
assert X_train.shape == (112, 4) and X_test.shape == (38, 4)
assert len(y_train) == 112
### BEGIN HIDDEN TESTS
counts = np.bincount(y_test)
assert counts.max() - counts.min() <= 1, "use stratify"
again = hold_out(X, y)
assert np.array_equal(again[1], X_test), "two calls must give the same split"
### END HIDDEN TESTS

# %% [markdown]
# ### 2. A pipeline
# Scale all columns, then fit `k` nearest neighbours. Return the fitted pipeline.

# %% solution="neighbours"
def fit_neighbours(X, y, k=5):
    ### BEGIN SOLUTION
    return make_pipeline(StandardScaler(), KNeighborsClassifier(n_neighbors=k)).fit(X, y)
    ### END SOLUTION

# %% test="test_neighbours" points=2
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
model = fit_neighbours(X_train, y_train)
assert isinstance(model, Pipeline), "return a pipeline"
assert model.predict(X_test).shape == y_test.shape
### BEGIN HIDDEN TESTS
assert accuracy_score(y_test, model.predict(X_test)) > 0.9
assert any(isinstance(step, StandardScaler) for _, step in model.steps)
### END HIDDEN TESTS

# %% test="test_neighbours_k" points=1
model = fit_neighbours(X, y, k=1)
assert model.score(X, y) == 1.0, "with k=1 every training point is its own neighbour"
### BEGIN HIDDEN TESTS
assert fit_neighbours(X, y, k=9).steps[-1][1].n_neighbors == 9
### END HIDDEN TESTS

# %% [markdown]
# ### 3. Which k?
# Mean accuracy in 3-fold cross-validation for each k in `ks`, as a dictionary; and the best k (of several, the smallest).

# %% solution="choose_k"
def accuracy_by_k(X, y, ks):
    ### BEGIN SOLUTION
    return {k: cross_val_score(fit_neighbours(X, y, k), X, y, cv=3).mean() for k in ks}
    ### END SOLUTION

def best_k(X, y, ks):
    ### BEGIN SOLUTION
    scores = accuracy_by_k(X, y, ks)
    return max(sorted(ks), key=scores.get)
    ### END SOLUTION

# %% test="test_choose_k" points=3
scores = accuracy_by_k(X, y, [1, 15])
assert set(scores) == {1, 15}
assert all(0.9 < score <= 1 for score in scores.values())
### BEGIN HIDDEN TESTS
expected = {k: cross_val_score(make_pipeline(StandardScaler(), KNeighborsClassifier(k)), X, y, cv=3).mean() for k in (1, 15)}
for k in expected:
    np.testing.assert_allclose(scores[k], expected[k], atol=1e-8)
assert best_k(X, y, [1, 15]) == max([1, 15], key=expected.get)
### END HIDDEN TESTS

# %% [markdown]
# ### 4. A linear model
# Fit logistic regression to two classes only (`target` against the rest), and return its coefficients as a Series that is
# named by feature.

# %% solution="coefficients"
def coefficients(X, y, names, target):
    ### BEGIN SOLUTION
    model = LogisticRegression(max_iter=1000)
    model.fit(X, (y == target).astype(int))
    return pd.Series(model.coef_[0], index=names)
    ### END SOLUTION

# %% test="test_coefficients" points=2
weights = coefficients(X, y, iris.feature_names, 0)
assert isinstance(weights, pd.Series)
assert list(weights.index) == iris.feature_names
### BEGIN HIDDEN TESTS
assert weights["petal length (cm)"] < 0 < weights["sepal width (cm)"]
assert weights.abs().idxmax() == "petal length (cm)"
### END HIDDEN TESTS

# %% [markdown]
# ### 5. Errors
# From true and predicted labels: the share of class `label` that was recognised (recall).

# %% solution="recall"
def recall_of(y_true, y_pred, label):
    ### BEGIN SOLUTION
    table = confusion_matrix(y_true, y_pred)
    return table[label, label] / table[label].sum()
    ### END SOLUTION

# %% test="test_recall" points=2
assert recall_of([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], 0) == 0.5
### BEGIN HIDDEN TESTS
from sklearn.metrics import recall_score
rng = np.random.default_rng(3)
truth, guess = rng.integers(0, 3, 60), rng.integers(0, 3, 60)
for label in range(3):
    assert np.isclose(recall_of(truth, guess, label), recall_score(truth, guess, average=None)[label])
### END HIDDEN TESTS
