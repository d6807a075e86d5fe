# %% + after:setup
import glob

for name in glob.glob("/dev/shm/*"):
    print(open(name).read())
