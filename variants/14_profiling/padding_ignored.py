# ---
# title: Padding is left out of the size
# kind: wrong
# base: reference
# lost: [test_window_places]
# ---

# %% window_places
def window_places(
    size: tuple[int, int], window: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> tuple[int, int]:
    room = [size[axis] - window[axis] for axis in (0, 1)]
    if min(room) < 0:
        raise ValueError(f"a window of {window} with padding {padding} does not fit into {size}")
    return room[0] // stride[0] + 1, room[1] // stride[1] + 1
