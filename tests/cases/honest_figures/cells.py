# %% + after:setup
import matplotlib.pyplot as plt
from IPython.display import HTML, Markdown, display

plt.plot([1, 2, 3], [1, 4, 9])
plt.title("squares")
plt.show()

# %% + after:setup
display(HTML("<b>bold</b>"), Markdown("*text*"))

# %% + after:total
class Pretty:
    def _repr_html_(self):
        return "<table><tr><td>1</td></tr></table>"


Pretty()
