# ---
# title: Columns as lists, with slices that keep two axes
# kind: correct
# base: reference
# lost: []
# ---

# %% quantize_per_channel
def quantize_per_channel(weight):
    pieces, scales, zero_points = [], [], []
    for j in range(weight.data.shape[-1]):
        piece, scale, zero_point = quantize_int8(Tensor(weight.data[:, j : j + 1]))
        pieces.append(piece.data)
        scales.append(scale)
        zero_points.append(zero_point)
    return Tensor(np.hstack(pieces)), np.array(scales), np.array(zero_points)
