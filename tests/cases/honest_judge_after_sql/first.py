# %% cheapest
def cheapest():
    return "UPDATE goods SET price = 99 WHERE name = 'pear' RETURNING name"
