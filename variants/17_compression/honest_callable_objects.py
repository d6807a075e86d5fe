# ---
# title: Objects that can be called in the place of functions
# kind: correct
# base: reference
# lost: []
# ---

# %% magnitude_masks
class Ranking:
    """Calls give masks."""

    def __init__(self, kind):
        self.kind = kind

    def __call__(self, weights, sparsity):
        if not 0 <= sparsity <= 1:
            raise ValueError("not a fraction")
        flat = np.hstack([np.abs(weight).ravel() for weight in weights])
        mask = np.full(flat.shape, True)
        mask[np.argsort(flat, kind=self.kind)[: round(sparsity * flat.size)]] = False
        ends = np.cumsum([weight.size for weight in weights])
        return [part.reshape(weight.shape) for part, weight in zip(np.split(mask, ends[:-1]), weights)]


magnitude_masks = Ranking("stable")

# %% soft_target_loss
class Softened:
    def __call__(self, student_logits, teacher_logits, temperature):
        with no_grad():
            ln_p = log_softmax(teacher_logits / temperature)
        ln_q = log_softmax(student_logits / temperature)
        p = Tensor(np.exp(ln_p.data))
        return (p * (Tensor(ln_p.data) - ln_q)).sum(axis=1).mean() * (temperature * temperature)


soft_target_loss = Softened()
