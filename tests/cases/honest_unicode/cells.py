# %% total
# Größe, сумма, 合計 — 😀
def total(größen):
    """Σ größen"""
    сумма = 0.0
    for 値 in größen:
        сумма += float(値)
    return сумма

print("Σ = 合計 😀")
