"""`python -m tito.instant`: the worker, as a hub starts it."""

from tito.instant.worker import main

main()
