# %% + after:setup
print("nothing of my own")
