# ---
# title: The entropy of the teacher is not taken off
# kind: wrong
# base: reference
# lost: [test_soft_target_loss]
# ---

# %% soft_target_loss
def soft_target_loss(student_logits, teacher_logits, temperature):
    teacher = log_softmax(Tensor(teacher_logits.data / temperature))
    student = log_softmax(student_logits / temperature)
    crossed = (Tensor(np.exp(teacher.data)) * student).sum() * -1.0
    return crossed * (temperature**2 / student_logits.shape[0])
