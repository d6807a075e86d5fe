# ==== honest: writes to sys.stdout itself, and joins lines
# %% banner
def banner(text):
    edge = "*" * (4 + len(text))
    print("\n".join([edge, "* " + text + " *", edge]))
# %% table
def times_table(n):
    rows = [[n * k for k in range(start, start + 3)] for start in (1, 4, 7)]
    for row in rows:
        sys.stdout.write("".join(str(x).rjust(4) for x in row) + "\n")
# %% countdown
def countdown(n):
    sys.stdout.write(", ".join(map(str, reversed(range(1, n + 1)))) + "\nGo!\n")
# %% report
def report(values):
    try:
        print(f"mean: {sum(values) / len(values)}")
    except ZeroDivisionError:
        sys.stderr.write("no values\n")
# ==== honest: loops with end=, and calls everything in cells of its own
# %% banner
def line(n):
    for _ in range(n):
        print("*", end="")
    print()

def banner(text):
    line(len(text) + 4)
    print("*", text, "*")
    line(len(text) + 4)
# %% + after:banner
banner("it works")
banner("really")
# %% countdown
def countdown(n):
    while n > 1:
        print(n, end=", ")
        n = n - 1
    print(n)
    print("Go!", flush=True)
# %% + after:countdown
countdown(5)
# %% table
def times_table(n):
    for k in range(1, 10):
        print("%4d" % (k * n), end="" if k % 3 else "\n")
# ==== honest: functions that print and return something too
# %% greet
def greet():
    name = str(input()).strip()
    if name == "":
        name = "stranger"
    message = "Hello, {}".format(name)
    print(message)
    return message
# %% report
def report(values):
    values = list(values)
    if len(values) == 0:
        print("no values", file=sys.stderr)
        return None
    mean = sum(values) / len(values)
    print("mean:", mean)
    return mean
# %% + after:report
report([3, 4, 8])
# ==== mistake: returns the text instead of printing it
# %% banner
def banner(text):
    return "*" * (len(text) + 4) + "\n* " + text + " *\n" + "*" * (len(text) + 4)
# %% countdown
def countdown(n):
    return ", ".join(str(k) for k in range(n, 0, -1)) + "\nGo!"
# ==== mistake: a space too many, and a number a line
# %% table
def times_table(n):
    for row in range(3):
        for column in range(3):
            print(f"{n * (3 * row + column + 1):4d}", end=" ")
        print()
# %% countdown
def countdown(n):
    for k in range(n, 0, -1):
        print(k)
    print("Go!")
# ==== mistake: the name is not stripped, and the error goes to the screen
# %% greet
def greet():
    print("Hello,", input("Your name? "))
# %% report
def report(values):
    if not values:
        print("no values")
    else:
        print("mean:", sum(values) / len(values))
