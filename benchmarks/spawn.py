"""What starting people's servers costs, on the real hub of a laptop: CPU and memory of one, and how many a minute.

    .venv/bin/python benchmarks/spawn.py               # 12 servers at a time
    .venv/bin/python benchmarks/spawn.py 30

Servers are processes here, each with JupyterLab and nbgrader; a container costs what the process in it costs, and its
own start. Memory is what a process has for itself (PSS: shared pages are counted once in all). Beside a busy machine
the minutes mean nothing; CPU seconds hold.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "support"))

import httpx
import psutil
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect
from whole_hub import PASSWORD, Person, WholeHub

ALONE = 5
AT_ONCE = (1, 2, 4, 8)
IDLE_S = 10
NOTEBOOK = "import numpy, matplotlib.pyplot"


def cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def memory_mb(process: psutil.Process) -> float:
    return sum(part.memory_full_info().pss for part in [process, *process.children(recursive=True)]) / 2**20


class Round:
    """A hub for some people, until the end of the block."""

    def __init__(self, count: int, at_once: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tito-spawn-")
        names = [f"s{number:03}" for number in range(count)]
        settings = {
            "AUTH_DUMMY_PASSWORD": PASSWORD,
            "COURSES": json.dumps({"tiny": {"students": names}}),
            "SPAWNER_AT_ONCE": str(at_once),
            "SPAWNER_START_TIMEOUT_S": "600",
            "IDLE_AFTER_MINUTES": "0",
        }
        self.hub = WholeHub(Path(self._folder.name), settings)
        self._names = names

    def __enter__(self) -> list[Person]:
        self.hub.start()
        return [self.hub.person(name) for name in self._names]

    def __exit__(self, *_: object) -> None:
        self.hub.close()
        self._folder.cleanup()


async def run_in_kernel(base: str, token: str, code: str) -> None:
    """Start a kernel, as opening a notebook does, and run a cell in it."""
    headers = {"Authorization": f"token {token}"}
    kernel = httpx.post(f"{base}/api/kernels", headers=headers, json={}, timeout=60).json()["id"]
    address = f"{base.replace('http', 'ws', 1)}/api/kernels/{kernel}/channels"
    socket = await websocket_connect(HTTPRequest(address, headers=headers))
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "username": "",
        "session": "s",
        "version": "5.3",
    }
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    await socket.write_message(json.dumps(message))
    while True:
        answer = json.loads(await socket.read_message() or "null")
        if answer is None or answer["header"]["msg_type"] == "execute_reply":
            break
    socket.close()


def alone() -> None:
    """Servers one after the other: what each costs until it answers, with its page open, and with a kernel."""
    rows = []
    with Round(ALONE, 1) as people:
        hub = people[0].hub.process
        assert hub is not None
        hub_before = cpu_s(psutil.Process(hub.pid))
        hub_mb = memory_mb(psutil.Process(hub.pid))  # with proxy and exchange, and no server yet
        for person in people:
            started = time.perf_counter()
            person.start_server()
            wall = time.perf_counter() - started
            process = person.process
            ready, ready_mb = cpu_s(process), memory_mb(process)
            person.get("/lab").raise_for_status()
            person.get("/lab/api/settings").raise_for_status()
            opened = cpu_s(process)
            asyncio.run(run_in_kernel(f"{person.hub.url}/user/{person.name}", person.token, NOTEBOOK))
            kernel_s = sum(cpu_s(child) for child in process.children(recursive=True))
            rows.append((wall, ready, opened - ready, kernel_s, ready_mb, memory_mb(process)))
        hub_s = (cpu_s(psutil.Process(hub.pid)) - hub_before) / ALONE
    wall, ready, opened, kernel, ready_mb, kernel_mb = (median(column) for column in zip(*rows, strict=True))
    print(f"One server at a time, median of {ALONE}:")
    print(f"  until it answers                {wall:6.1f} s   {ready:5.1f} s CPU   {ready_mb:5.0f} MiB")
    print(f"  its page opened                            {opened:5.1f} s CPU")
    print(f"  a kernel with numpy, matplotlib            {kernel:5.1f} s CPU   {kernel_mb:5.0f} MiB with the server")
    print(
        f"  the hub for each                         {hub_s:5.1f} s CPU   {hub_mb:5.0f} MiB  with its proxy, exchange"
    )


def together(count: int, at_once: int) -> None:
    """All servers are asked for in the same moment."""
    with Round(count, at_once) as people:
        started = time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            ends = list(pool.map(_started_at, people))
        took = max(ends) - started
        waited = sorted(end - started for end in ends)
        cpu = sum(cpu_s(person.process) for person in people)
        print(
            f"  {at_once:2} at once   {60 * count / took:5.1f} a minute   first after {waited[0]:5.1f} s, median "
            f"{median(waited):5.1f} s, last {waited[-1]:5.1f} s   {cpu / count:4.1f} s CPU each"
        )


def held(count: int) -> None:
    """A class at work: everybody's server with a kernel."""
    with Round(count, 4) as people:
        free_before = psutil.virtual_memory().available
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(_started_at, people))
        for person in people:
            asyncio.run(run_in_kernel(f"{person.hub.url}/user/{person.name}", person.token, NOTEBOOK))
        each = sum(memory_mb(person.process) for person in people) / count
        gone = (free_before - psutil.virtual_memory().available) / 2**20 / count
        before = [cpu_s(person.process) for person in people]
        time.sleep(IDLE_S)
        idle = sum(cpu_s(person.process) for person in people) - sum(before)
        print(f"  {each:.0f} MiB each; the machine has {gone:.0f} MiB less for each")
        print(f"  {100 * idle / IDLE_S / count:.2f} % of a core each while nobody does anything")


def _started_at(person: Person) -> float:
    person.start_server(600)
    return time.perf_counter()


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    cores, memory = os.cpu_count() or 1, psutil.virtual_memory().total / 2**30
    print(f"{cores} cores, {memory:.0f} GiB; load {os.getloadavg()[0]:.1f} at the start\n")
    alone()
    print(f"\n{count} servers asked for in the same moment:")
    for at_once in AT_ONCE:
        together(count, at_once)
    print(f"\n{count} servers, each with a kernel:")
    held(count)
    print(f"\nLoad {os.getloadavg()[0]:.1f} at the end.")


if __name__ == "__main__":
    main()
