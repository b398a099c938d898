"""List the groups without a name, or name some of them, from a script.

    python examples/name_people.py LIBRARY
    python examples/name_people.py LIBRARY 65fd30f2="Ada Lovelace" ea3dad9c="Grace Hopper"

LIBRARY is a folder that ``image-search index … --library LIBRARY`` has made. Each name is a decision, as if
it came from the command line: ``image-search history`` lists it and ``image-search undo`` takes it back.
"""

from __future__ import annotations

import sys
from pathlib import Path

from image_search_service import (
    ImageSearchError,
    Library,
    Namesake,
    PeopleService,
    ReviewService,
    Settings,
    open_library,
)


def list_groups(library: Library) -> None:
    """The largest group comes first."""
    for cluster in PeopleService(library.database).people().clusters:
        print(f"{cluster.id.hex[:8]}  {cluster.faces:>5} faces  for example in {cluster.sample}")


def name_groups(library: Library, names: dict[str, str]) -> None:
    """names: group ids, or their first characters, and the name of each."""
    review = ReviewService(library.database, "examples/name_people.py")
    known = {person.name for person in PeopleService(library.database).people().persons}
    for group, name in names.items():
        who = Namesake.SAME if name in known else Namesake.ASK
        named = review.name_cluster(group, name, who=who)
        known.add(name)
        print(f"{named.faces:,} faces are now {named.name} (decision {named.decision})")
    library.payload_sender.send()  # tells Qdrant, all of it at once


def main() -> None:
    folder, *pairs = sys.argv[1:]
    try:
        with open_library(Settings(library=Path(folder).resolve())) as library:
            if pairs:
                name_groups(library, dict(pair.split("=", 1) for pair in pairs))
            else:
                list_groups(library)
    except ImageSearchError as error:  # every error of the package has a message and a hint
        raise SystemExit(f"{error.message} {error.hint or ''}") from error


if __name__ == "__main__":
    main()
