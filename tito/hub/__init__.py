"""The hub around the exchange: who logs in, who may do what, what is started for them. `docker/jupyterhub_config.py`
is all that JupyterHub is told, and calls `configure`; what it does is chosen in `settings.py`.

    course       what nbgrader calls one; its people are in three groups of the hub
                 `formgrade-<course>`, `ta-<course>`, `nbgrader-<course>`
    role         what a person is at most: instructor, ta, student; JupyterHub's own roles are sets of scopes
    formgrader   the service of a course, at /services/<course>/formgrader
    exchange     the service of all courses, at /services/exchange
    server       a person's JupyterLab
"""
