# %% + after:setup
from IPython.display import Javascript, display, publish_display_data

display(Javascript("fetch('/hub/logout')"))
for name in (
    "application/javascript",
    "application/vnd.jupyter.widget-view+json",
    "application/vnd.jupyter.widget-state+json",
    "application/pdf",
    "application/json",
    "text/vnd.mermaid",
    "video/mp4",
    'text/html" onload="fetch(1)',
):
    publish_display_data({name: {"model_" + "id": "</script><script>fetch(1)</script>"}, "text/plain": "shown as text"})
    publish_display_data({name: "fetch(1)"})

# %% + after:total
publish_display_data({"application/vnd.jupyter.widget-view+json": {}})
