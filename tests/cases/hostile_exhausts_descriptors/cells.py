# %% + after:setup
kept = []
try:
    while True:
        kept.append(open("/dev/null"))
except OSError as error:
    print(type(error).__name__)
for one in kept:
    one.close()
