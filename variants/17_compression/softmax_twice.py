# ---
# title: Probabilities are put through log_softmax once more
# kind: wrong
# base: reference
# lost: [test_soft_target_loss]
# ---

# %% soft_target_loss
def soft_target_loss(student_logits, teacher_logits, temperature):
    teacher = log_softmax(Tensor(teacher_logits.data / temperature))
    probabilities = Tensor(np.exp(teacher.data))
    student = log_softmax(student_logits / temperature)
    divergence = (probabilities * (log_softmax(probabilities) - student)).sum()
    return divergence * (temperature**2 / student_logits.shape[0])
