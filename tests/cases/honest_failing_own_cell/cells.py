# %% + after:total
total("abc") + undefined

# %% + after:test_running
1 / 0

# %% + after:test_running
this is no Python
