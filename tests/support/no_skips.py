"""A pytest plugin: a test that is skipped fails the run, because in CI everything is there."""

from __future__ import annotations

from collections.abc import Sequence

import pytest


class NoSkips:
    """Collects skips and turns an otherwise green run red. ``allowed``: texts of reasons that may be."""

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        self._allowed = allowed
        self._skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not hasattr(report, "wasxfail"):
            self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if report.skipped and not any(text in reason for text in self._allowed):
            self._skipped.append(f"{report.nodeid}: {reason}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._skipped:
            terminalreporter.section("skipped, and here nothing may be", red=True)
            for line in self._skipped:
                terminalreporter.line(line)
