# %% + after:setup
import glob

for name in (*glob.glob("/note"), *glob.glob("/*/note"), *glob.glob("/opt/*/note")):
    print(name, open(name).read())
