# The settings of this course. All but `id` have defaults; the README of tito lists them.
id = "COURSE_ID"

[exchange]
root = "exchange"               # a folder of your own, made by the first release; a hub has a service instead

[sandbox]
packages = ["ipython", "matplotlib", "numpy"]  # what notebooks can import, with what these need

[gates]
mutation = "off"                # or "warn", "require": a proof that tests catch wrong solutions, by 'tito mutate'
total_points = 100
correct_variants = 3            # simulated students of each module, at least, in variants/NN_name
wrong_variants = 8
warmups_s = 10                  # of processor time, for the warm-ups of a module
notebook_s = 20                 # and for all cells of its reference

# [deadlines]
# 01_sums = 2030-01-31T23:59:00Z
