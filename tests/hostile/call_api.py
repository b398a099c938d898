"""Sends made-up requests to every route of a library of its own, then lets the doctor look: ``bounded.py``.

Prints each operation before it is called, then how many requests there were, and what the doctor found.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings

from image_search_service.services.doctor.service import DoctorService
from tests.api.routes_called import documented, fill, keeps_to, requests
from tests.hostile.bounded import begin_case
from tests.support.damage import found
from tests.support.served import Served, served

EXAMPLES = 6
"""Of each route, right ones and wrong ones; where there are fewer, all."""
SECONDS = 5.0
"""Of processor time that a request may take, its making included."""


def main(folder: Path, batch: int) -> None:
    number = 0
    with served(folder, run_jobs=False, allowed_hosts="*", require_token=True) as api:
        fill(api)
        schema = documented(api)
        for path, method, mode in requests():
            cases = schema[path][method].as_strategy(generation_mode=mode)
            number += _call(api, cases, f"{method} {path} {mode.value}", batch)
        report = DoctorService(api.library.stores, alone=True).examine()
    begin_case("the doctor", 0)
    print(number)
    print(json.dumps(found(report)))


def _call(api: Served, cases: Any, name: str, batch: int) -> int:
    """How many requests were sent. Hypothesis's other phases would send the same ones each time."""
    sent = 0

    @seed(batch)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def call(case: schemathesis.Case[Any]) -> None:
        nonlocal sent
        sent += 1
        begin_case(name, SECONDS)
        keeps_to(case, api)

    call()
    return sent


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
