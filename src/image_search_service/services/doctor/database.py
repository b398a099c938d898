"""Lets SQLite check its own file, before anything is believed of what it holds."""

from __future__ import annotations

from image_search_service.db import integrity
from image_search_service.services.doctor.context import DoctorContext
from image_search_service.services.doctor.findings import DoctorProblem, Kind

_RESTORE = (
    "SQLite cannot mend its rows. Restore the last backup into a new folder: "
    "image-search restore FILE --library NEW_FOLDER"
)


class DatabaseCheck:
    """One pass of SQLite through its file, and one more after a repair."""

    def __init__(self, context: DoctorContext) -> None:
        self._context = context

    def run(self) -> bool:
        """Whether the file is whole, or is so again: else nothing that is compared with it would be true."""
        database, report = self._context.database, self._context.report
        found = integrity.damage(database)
        report.add(DoctorProblem(Kind.DAMAGED_DATABASE, line) for line in found)
        if not found or not self._context.repair:
            return not found
        integrity.make_indexes_again(database)
        left = integrity.damage(database)
        if left:
            report.give_up(Kind.DAMAGED_DATABASE, _RESTORE)
            return False
        report.repair(Kind.DAMAGED_DATABASE, len(found))
        return True
