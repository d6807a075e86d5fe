"""`python -m tito.exchange`: the service, as a hub starts it."""

from tito.exchange.service import main

main()
