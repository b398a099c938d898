"""Options of jobs on the whole library."""

from __future__ import annotations

from pydantic import Field, StrictBool

from image_search_service.api.schemas.common import RequestBody


class DoctorRequest(RequestBody):
    """Whether differences are repaired or only counted."""

    repair: StrictBool = False


class WriteMetadataRequest(RequestBody):
    """Whether sidecars are written or only counted."""

    dry_run: StrictBool = Field(default=False, examples=[True])
    overrule: StrictBool = Field(
        default=False, description="Also write over names that other programs have changed since."
    )
