# %% log
def log(line):
    with open("other.txt", "a") as file:
        file.write(line)
