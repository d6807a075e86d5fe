"""Prechecks: a worker that runs the visible tests of what is handed in, as it is handed in. Gives no grades.

release     a plan of grading from what students got: it has no hidden tests, because they are not there
release_graders  releases that are ready for prechecks, each once for all processes
renewal     has the precheck that is at work for longer
slots       how many are at work at a time, and that short prechecks do not wait for long ones
worker      takes prechecks on at the exchange, one after the other, and answers for them
"""
