"""For a server in which no code is to run: a submission that is opened in formgrader would run beside the gradebook."""

from __future__ import annotations

from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError


class NoKernels(AsyncMappingKernelManager):  # type: ignore[misc]
    """Starts none."""

    async def start_kernel(self, *_: Any, **__: Any) -> str:
        raise HTTPError(403, "No code runs here. Open the notebook in your own server to run it.")

    # Jupyter Server's own classes call it by this name too.
    _async_start_kernel = start_kernel


class NoKernelSpecs(KernelSpecManager):  # type: ignore[misc]
    """Knows of none."""

    def find_kernel_specs(self) -> dict[str, str]:
        return {}
