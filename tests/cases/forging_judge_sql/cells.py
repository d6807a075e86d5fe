# %% cheapest
def cheapest():
    return "DELETE FROM goods WHERE name = 'pear' RETURNING name"
