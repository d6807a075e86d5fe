# ---
# title: Raises e to the teacher's logits as they are
# kind: wrong
# base: reference
# lost: [test_soft_target_loss]
# ---

# %% soft_target_loss
def soft_target_loss(student_logits, teacher_logits, temperature):
    powers = np.exp(teacher_logits.data / temperature)
    p = powers / powers.sum(axis=1, keepdims=True)
    student = log_softmax(student_logits / temperature)
    divergence = (Tensor(p) * (Tensor(np.log(p)) - student)).sum()
    return divergence * (temperature**2 / student_logits.shape[0])
