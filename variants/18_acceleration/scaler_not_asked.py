# ---
# title: Looks by itself, and never updates the scaler
# kind: wrong
# base: reference
# lost: [test_mixed_precision_step]
# ---

# %% mixed_precision_step
def mixed_precision_step(model, loss_fn, optimizer, scaler, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    (loss * scaler.scale).backward()
    unscaled = scaler.unscale([parameter.grad for parameter in optimizer.params])
    if all(np.isfinite(gradient).all() for gradient in unscaled):
        for parameter, gradient in zip(optimizer.params, unscaled):
            parameter.grad = gradient
        optimizer.step()
    return float(loss.data)
