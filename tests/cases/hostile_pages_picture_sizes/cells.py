# %% + after:setup
from IPython.display import Image, display, publish_display_data

PIXELS = b"\x89PNG\r\n\x1a\n" + bytes(8)
attack = "1 " + "one" * 0 + "on" + "error=fetch('/hub/logout')"
for name in ("width", "height", "alt", "unconfined"):
    display(Image(PIXELS, format="png"), metadata={"image/png": {name: attack}})
    display(Image(PIXELS, format="png"), metadata={name: attack})
display(Image(PIXELS, format="png"), metadata={"filenames": {"image/png": attack}, "isolated": True})
display(Image(PIXELS, format="png", width=64))
