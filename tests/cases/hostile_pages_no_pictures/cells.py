# %% + after:setup
import base64

from IPython.display import publish_display_data

attack = "' on" + "error='fetch(1)"
page = base64.b64encode(b"<script>fetch(1)</script>").decode()
jpeg = base64.b64encode(b"\xff\xd8\xff").decode()
for data in (attack, "AAAA" + attack, page, jpeg, page + "=", [page, attack], {"a": attack}, None, 1):
    publish_display_data({"image/png": data, "text/plain": "in its place"})
publish_display_data({"image/jpeg": page, "text/plain": "in its place"})
