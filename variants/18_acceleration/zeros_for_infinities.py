# ---
# title: 'Puts zeros in the place of infinite gradients, and steps: momentum moves on'
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
    is_good = scaler.update(unscaled)
    for parameter, gradient in zip(optimizer.params, unscaled):
        parameter.grad = gradient if is_good else np.zeros_like(gradient)
    optimizer.step()
    return float(loss.data)
