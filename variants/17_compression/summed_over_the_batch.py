# ---
# title: The sum over the batch instead of the mean
# kind: wrong
# base: reference
# lost: [test_soft_target_loss]
# ---

# %% soft_target_loss
def soft_target_loss(student_logits, teacher_logits, temperature):
    teacher = log_softmax(Tensor(teacher_logits.data / temperature))
    student = log_softmax(student_logits / temperature)
    return (Tensor(np.exp(teacher.data)) * (teacher - student)).sum() * temperature**2
