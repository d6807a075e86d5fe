# ---
# title: Only the student's logits are divided
# kind: wrong
# base: reference
# lost: [test_soft_target_loss]
# ---

# %% soft_target_loss
def soft_target_loss(student_logits, teacher_logits, temperature):
    teacher = log_softmax(Tensor(teacher_logits.data))
    student = log_softmax(student_logits / temperature)
    divergence = (Tensor(np.exp(teacher.data)) * (teacher - student)).sum()
    return divergence * (temperature**2 / student_logits.shape[0])
