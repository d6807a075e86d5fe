"""`python -m tito.precheck`: the worker, as a hub starts it."""

from tito.precheck.worker import main

main()
