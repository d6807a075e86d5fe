# ---
# title: Symmetric int8 (policy case, right numbers in another scheme)
# kind: policy
# base: reference
# lost: [test_affine_parameters]
# ---

# %% affine_parameters
def affine_parameters(low, high):
    largest = max(abs(float(low)), abs(float(high)))
    if largest == 0:
        return 1.0, 0
    return largest / 127, 0
