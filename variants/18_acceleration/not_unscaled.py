# ---
# title: Steps by the scaled gradients
# kind: wrong
# base: reference
# lost: [test_mixed_precision_step]
# ---

# %% mixed_precision_step
def mixed_precision_step(model, loss_fn, optimizer, scaler, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    (loss * scaler.scale).backward()
    if scaler.update([parameter.grad for parameter in optimizer.params]):
        optimizer.step()
    return float(loss.data)
