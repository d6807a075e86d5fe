# ==== honest: other names and keywords, a Pipeline by hand
# %% split
def hold_out(X, y):
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, train_size=0.75 - 0.003, stratify=y, random_state=RANDOM_STATE, shuffle=True)
    return X_train, X_test, y_train, y_test
# %% neighbours
def fit_neighbours(X, y, k=5):
    pipe = Pipeline([("scale", StandardScaler()), ("knn", KNeighborsClassifier(k))])
    pipe.fit(X, y)
    return pipe
# %% choose_k
from sklearn.model_selection import StratifiedKFold

def accuracy_by_k(X, y, ks):
    result = {}
    for k in ks:
        accuracies = []
        for train, test in StratifiedKFold(3).split(X, y):
            model = fit_neighbours(X[train], y[train], k)
            accuracies.append(accuracy_score(y[test], model.predict(X[test])))
        result[k] = np.mean(accuracies)
    return result

def best_k(X, y, ks):
    acc = accuracy_by_k(X, y, ks)
    best = None
    for k in sorted(acc):
        if best is None or acc[k] > acc[best]:
            best = k
    return best
# %% recall
def recall_of(y_true, y_pred, label):
    hits = [t == p for t, p in zip(y_true, y_pred) if t == label]
    return sum(hits) / len(hits)
# ==== honest: own cells that try things out, and output of many kinds
# %% + after:split
X_train, X_test, y_train, y_test = hold_out(X, y)
print(X_train[:3])
pd.DataFrame(X_train, columns=iris.feature_names).head()
# %% neighbours
def fit_neighbours(X, y, k=5):
    scaler = StandardScaler()
    knn = KNeighborsClassifier(n_neighbors=k, weights="uniform")
    model = Pipeline(steps=[("scaler", scaler), ("model", knn)])
    return model.fit(X, y)
# %% + after:neighbours
fit_neighbours(X_train, y_train)
# %% + after:neighbours
m = fit_neighbours(X_train, y_train); m.score(X_test, y_test)
# %% recall
def recall_of(y_true, y_pred, label):
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    return ((y_true == label) & (y_pred == label)).sum() / (y_true == label).sum()
# ==== honest: uses what scikit-learn has, and drops convergence warnings on the screen
# %% coefficients
def coefficients(X, y, names, target):
    lr = LogisticRegression(max_iter=20)
    lr.fit(X, y == target)
    return pd.Series(dict(zip(names, lr.coef_.ravel())))
# %% choose_k
from sklearn.model_selection import GridSearchCV

def search(X, y, ks):
    grid = GridSearchCV(make_pipeline(StandardScaler(), KNeighborsClassifier()),
                        {"kneighborsclassifier__n_neighbors": sorted(ks)}, cv=3)
    return grid.fit(X, y)

def accuracy_by_k(X, y, ks):
    results = search(X, y, ks).cv_results_
    return dict(zip(results["param_kneighborsclassifier__n_neighbors"].tolist(), results["mean_test_score"]))

def best_k(X, y, ks):
    return search(X, y, ks).best_params_["kneighborsclassifier__n_neighbors"]
# %% recall
from sklearn.metrics import recall_score
def recall_of(y_true, y_pred, label):
    return recall_score(y_true, y_pred, labels=[label], average="macro")
# ==== mistake: no stratification, and no scaling
# %% split
def hold_out(X, y):
    return train_test_split(X, y, test_size=0.25, random_state=RANDOM_STATE)
# %% neighbours
def fit_neighbours(X, y, k=5):
    return Pipeline([("knn", KNeighborsClassifier(k))]).fit(X, y)
# ==== mistake: k is forgotten, and the best k is an accuracy
# %% neighbours
def fit_neighbours(X, y, k=5):
    return make_pipeline(StandardScaler(), KNeighborsClassifier()).fit(X, y)
# %% choose_k
def accuracy_by_k(X, y, ks):
    return {k: cross_val_score(fit_neighbours(X, y, k), X, y, cv=3).mean() for k in ks}

def best_k(X, y, ks):
    return max(accuracy_by_k(X, y, ks).values())
# ==== mistake: precision for recall, and coefficients as an array
# %% recall
def recall_of(y_true, y_pred, label):
    table = confusion_matrix(y_true, y_pred)
    return table[label, label] / table[:, label].sum()
# %% coefficients
def coefficients(X, y, names, target):
    return LogisticRegression(max_iter=1000).fit(X, y == target).coef_
