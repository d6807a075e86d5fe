# %% + after:setup
from IPython.display import HTML, Image, Latex, Markdown, SVG, clear_output, display, update_display

display(HTML("<b>html</b>"), Markdown("*markdown*"), Latex("$latex$"))
handle = display("first", display_id="mine")
handle.update("updated")

# %% + after:setup
for step in range(3):
    clear_output(wait=True)
    print("step", step)

# %% + after:total
class Picture:
    def _repr_png_(self):
        return b"\x89PNG\r\n\x1a\n" + bytes(8)

    def _repr_html_(self):
        raise ValueError("this repr does not work")


display(Picture())
update_display("from another cell", display_id="mine")
get_ipython().display_formatter.format(1)
