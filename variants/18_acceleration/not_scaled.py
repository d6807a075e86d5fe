# ---
# title: Unscales gradients of a loss that was not scaled
# kind: wrong
# base: reference
# lost: [test_mixed_precision_step]
# ---

# %% mixed_precision_step
def mixed_precision_step(model, loss_fn, optimizer, scaler, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    unscaled = scaler.unscale([parameter.grad for parameter in optimizer.params])
    if scaler.update(unscaled):
        optimizer.step()
    return float(loss.data)
