"""nbgrader's exchange classes on our exchange. In a student's nbgrader_config.py this is all that is needed:

    from tito.exchange.client.plugin import use_service
    use_service(get_config())

with TITO_EXCHANGE_URL in the environment of the server that the hub starts.
"""

from __future__ import annotations

from typing import Any

from tito.course.nbgrader_settings import EXCHANGE_CLASSES


def use_service(config: Any, url: str = "", local_root: str = "") -> None:
    """Have nbgrader use the exchange service at `url` (by default TITO_EXCHANGE_URL), or the store in `local_root`."""
    for name, where in EXCHANGE_CLASSES.items():
        config.ExchangeFactory[name] = where
    if url:
        config.ServiceExchange.url = url
    if local_root:
        config.ServiceExchange.local_root = local_root
