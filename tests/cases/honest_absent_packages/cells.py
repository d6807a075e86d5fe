# %% + after:setup
try:
    from tqdm.notebook import tqdm
except ImportError:
    tqdm = iter
try:
    import ipywidgets
    import pandas
except ImportError as error:
    print("without", error.name)

# %% + after:setup
import pandas as pd

# %% total
def total(values):
    return float(sum(tqdm(values)))
