# ==== honest: in one factor, and a loop
# %% celsius
def celsius(fahrenheit):
    return (fahrenheit - 32) / 1.8
# %% week
week = []
warm = 0
for f in readings:
    c = int(round(celsius(f), 0))
    week.append(c)
    if c > 20:
        warm += 1
# %% label
def label(c):
    if c < 0: return "frost"
    elif c > 20: return "hot"
    else: return "mild"
# %% extremes
def extremes(values):
    values = sorted(values)
    return (values[0], values[-1])
# ==== honest: maps, and a table of labels
# %% week
week = list(map(round, map(celsius, readings)))
warm = len([c for c in week if c > 20])
print(week, warm)
# %% label
LABELS = [(0, "frost"), (21, "mild")]

def label(c):
    for limit, word in LABELS:
        if c < limit:
            return word
    return "hot"
# %% + after:label
[label(c) for c in week]
# ==== honest: extra cells and intermediate names
# %% celsius
def celsius(fahrenheit):
    above_freezing = fahrenheit - 32
    result = above_freezing * 5
    return result / 9
# %% + after:celsius
celsius(98.6)
# %% extremes
def extremes(values):
    low = high = values[0]
    for value in values[1:]:
        low, high = min(low, value), max(high, value)
    return low, high
# ==== mistake: brackets are missing
# %% celsius
def celsius(fahrenheit):
    return fahrenheit - 32 * 5 / 9
# ==== mistake: not rounded, and 20 is hot
# %% week
week = [celsius(f) for f in readings]
warm = sum(c >= 20 for c in week)
# %% label
def label(c):
    if c < 0:
        return "frost"
    return "mild" if c < 20 else "hot"
# ==== mistake: a list for a tuple, and capitals
# %% extremes
def extremes(values):
    return [min(values), max(values)]
# %% label
def label(c):
    return "Frost" if c < 0 else "Mild" if c <= 20 else "Hot"
