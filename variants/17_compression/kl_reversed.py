# ---
# title: KL of the student from the teacher, the wrong way round
# kind: wrong
# base: reference
# lost: [test_soft_target_loss]
# ---

# %% soft_target_loss
def soft_target_loss(student_logits, teacher_logits, temperature):
    teacher = log_softmax(Tensor(teacher_logits.data / temperature))
    student = log_softmax(student_logits / temperature)
    divergence = (Tensor(np.exp(student.data)) * (student - teacher)).sum()
    return divergence * (temperature**2 / student_logits.shape[0])
