"""The review queue: what to ask next."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from image_search_service.api.deps import Opened
from image_search_service.api.schemas.review import ReviewQuestions, SkipQuestion
from image_search_service.services.review import queue

router = APIRouter(prefix="/review", tags=["review"])


@router.get("/next")
def next_questions(
    library: Opened,
    limit: Annotated[int, Query(ge=1, le=10, description="Questions at most.")] = 3,
    seen: Annotated[
        list[str] | None,
        Query(
            max_length=500,
            description="The `id`s of this sitting's questions; none of them is asked again. Of many, the "
            "last 200 are enough.",
        ),
    ] = None,
) -> ReviewQuestions:
    """The questions that name most faces for each second of work, the best first.

    Each is answered by the decision that its description names, or put off by `POST /review/skip`. Request
    them again after each answer, since an answer changes what is worth asking.
    """
    return ReviewQuestions.of(queue.next_questions(library.stores, limit, seen or []))


@router.post("/skip", status_code=204)
def skip_question(body: SkipQuestion, library: Opened) -> None:
    """Put a question off: behind fifty others, and the third time for a month."""
    queue.ReviewQueueService(library.stores).skip(body.question_id)
