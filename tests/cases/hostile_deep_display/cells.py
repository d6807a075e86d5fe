# %% + after:setup
from IPython.display import display

deep = []
for _ in range(600):
    deep = [deep]
display({"application/json": deep, "text/plain": "deep"}, raw=True)
