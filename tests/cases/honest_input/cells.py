# %% + after:setup
name = input("your name? ")
