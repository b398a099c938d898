"""Clients of the HTTP API in a process of their own, so that the service's process has only its own work.

    python -m benchmarks.clients PORT CLIENTS

reads requests from standard input, a JSON list of ``[method, path, body or null]``, makes them with so many
clients at once, each request by the next client that is free, and prints for each how many milliseconds its
answer took, as a JSON list.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Request = tuple[str, str, dict[str, Any] | None]


def ask_together(port: int, requests: list[Request], clients: int) -> list[float]:
    """Milliseconds of each answer, ascending. Ends the program when one is no success."""
    command = [sys.executable, "-m", "benchmarks.clients", str(port), str(clients)]
    done = subprocess.run(command, input=json.dumps(requests), stdout=subprocess.PIPE, text=True, check=True)
    return sorted(json.loads(done.stdout))


def main() -> None:
    port, clients = map(int, sys.argv[1:])
    own = threading.local()

    def ask(request: Request) -> float:
        method, path, body = request
        if not hasattr(own, "connection"):
            own.connection = http.client.HTTPConnection("127.0.0.1", port)
        started = time.perf_counter()
        content = None if body is None else json.dumps(body)
        own.connection.request(method, path, content, {"Content-Type": "application/json"})
        answer = own.connection.getresponse()
        said = answer.read()
        if answer.status // 100 != 2:
            raise SystemExit(f"{path}: {answer.status} {said[:300]!r}")
        return (time.perf_counter() - started) * 1e3

    with ThreadPoolExecutor(clients) as pool:
        print(json.dumps(list(pool.map(ask, json.load(sys.stdin)))))


if __name__ == "__main__":
    main()
