"""`python -m tito.exchange`: the service, as a hub starts it; with `migrate`, its database and nothing else."""

import sys

from tito.exchange.server.service import main

main(sys.argv[1:])
