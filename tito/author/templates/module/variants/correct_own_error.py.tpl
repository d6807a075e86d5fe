# ---
# title: A queue, and an exception of its own
# kind: correct
# base: reference
# lost: []
# ---

# %% moving_sums
from collections import deque


class WidthError(ValueError):
    pass


def moving_sums(values, width):
    if width < 1 or width > len(values):
        raise WidthError(width)
    inside, current, sums = deque(), 0, []
    for value in values:
        inside.append(value)
        current = current + value
        if len(inside) > width:
            current = current - inside.popleft()
        if len(inside) == width:
            sums.append(current)
    return sums
