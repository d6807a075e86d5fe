# ---
# title: Untouched
# kind: blank
# base: stub
# lost: all
# ---
