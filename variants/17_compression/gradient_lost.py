# ---
# title: The loss is computed from numbers, and has no gradient
# kind: wrong
# base: reference
# lost: [test_soft_target_loss]
# ---

# %% soft_target_loss
def soft_target_loss(student_logits, teacher_logits, temperature):
    teacher = log_softmax(Tensor(teacher_logits.data / temperature)).data
    student = log_softmax(Tensor(student_logits.data / temperature)).data
    divergence = np.sum(np.exp(teacher) * (teacher - student)) * temperature**2 / len(teacher)
    return Tensor(divergence, requires_grad=True)
