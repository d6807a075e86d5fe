# ---
# title: One scale for the whole weight, repeated for every column
# kind: wrong
# base: reference
# lost: [test_quantize_per_channel]
# ---

# %% quantize_per_channel
def quantize_per_channel(weight):
    codes, scale, zero_point = quantize_int8(weight)
    return codes, np.full(weight.shape[1], scale), np.full(weight.shape[1], zero_point)
