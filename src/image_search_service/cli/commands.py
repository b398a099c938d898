"""The commands of ``image-search``: the panel of the help that shows each, its line there, where its code is.

Written down here so that ``image-search --help`` imports no command; a test compares the lines with the
commands' own help.
"""

from __future__ import annotations

from typing import NamedTuple


class CommandEntry(NamedTuple):
    """``place``: a module below ``cli``, and in it a function, or a Typer app with subcommands."""

    name: str
    help: str
    place: str


PANELS: dict[str, tuple[CommandEntry, ...]] = {
    "Photos": (
        CommandEntry("index", "Find photos, find the faces in them and group the faces.", "index:index"),
        CommandEntry("roots", "List, add and remove the folders of the library.", "roots:app"),
        CommandEntry("cluster", "Group again all faces that have no name.", "index:cluster"),
        CommandEntry("photos", "List the photos that show all of these people.", "people:photos"),
        CommandEntry("away", "Mark a drive or folder as away for now.", "absent:away"),
        CommandEntry("gone", "Mark a folder as gone for good.", "absent:gone"),
        CommandEntry("forget", "Take photos deleted from the disk out of all lists.", "absent:forget"),
        CommandEntry("faces", "List faces of a person, a group or a photo, with their ids.", "faces:faces"),
    ),
    "People": (
        CommandEntry("people", "List people with a name and groups without one.", "people:people"),
        CommandEntry("name", "Name a group of faces.", "people:name"),
        CommandEntry("create", "Add a person who has no faces yet.", "person_decisions:create"),
        CommandEntry("delete-person", "Delete a person who has no faces.", "person_decisions:delete_person"),
        CommandEntry("rename", "Change a person's name.", "decisions:rename"),
        CommandEntry("merge", "Merge several people into one person.", "decisions:merge"),
        CommandEntry(
            "different", "Say that two people or groups are different.", "person_decisions:different"
        ),
        CommandEntry("born", "Set or remove a person's date of birth.", "person_decisions:born"),
        CommandEntry("note", "Set a note that tells people of one name apart.", "person_decisions:note"),
        CommandEntry("cover", "Choose the face that is shown for a person.", "person_decisions:cover"),
        CommandEntry("pin", "Make searches for a person always use this face.", "person_decisions:pin"),
        CommandEntry("hide", "Leave a person out of lists.", "person_decisions:hide"),
        CommandEntry("unhide", "Show a hidden person in lists again.", "person_decisions:unhide"),
    ),
    "Decisions": (
        CommandEntry("suggest", "Look for more faces of a person, and list them.", "suggest:suggest"),
        CommandEntry("accept", "Confirm faces suggested for a person.", "decisions:accept"),
        CommandEntry("reject", "Reject faces suggested for a person.", "decisions:reject"),
        CommandEntry("assign", "Assign faces that clearly resemble a person.", "index:assign"),
        CommandEntry("give", "Assign faces to a person.", "person_decisions:give"),
        CommandEntry("unassign", "Take faces away from their persons.", "decisions:unassign"),
        CommandEntry("group", "Move faces into a group without naming it.", "person_decisions:group"),
        CommandEntry("face", "Add, move or remove faces by hand.", "face:app"),
        CommandEntry("not-a-face", "Mark faces that are no faces.", "person_decisions:not_a_face"),
        CommandEntry("set-aside", "Leave out faces of strangers.", "person_decisions:set_aside"),
        CommandEntry("why", "Explain why a face is or is not assigned.", "why:why"),
        CommandEntry("conflicts", "List assignments that contradict each other.", "decisions:conflicts"),
        CommandEntry("lost", "Say which face has a name after its photo changed.", "decisions:lost"),
        CommandEntry("history", "List decisions, or what one of them changed.", "history:history"),
        CommandEntry("undo", "Take a decision back.", "history:undo"),
    ),
    "Exchange": (
        CommandEntry("export", "Write people, faces and decisions to a file.", "exchange:export"),
        CommandEntry("import", "Read people, faces and decisions from a file.", "exchange:load"),
        CommandEntry("metadata", "Read names from photos' metadata, or write sidecars.", "metadata:app"),
    ),
    "Care": (
        CommandEntry("info", "Show versions, engine, folders and sizes.", "info:info"),
        CommandEntry("doctor", "Find and repair damage in the library.", "doctor:doctor"),
        CommandEntry("rebuild", "Compute the tables again from the decisions.", "history:rebuild"),
        CommandEntry("backup", "Copy the library into one file.", "backup:backup"),
        CommandEntry("restore", "Restore a backup into an empty library.", "backup:restore"),
        CommandEntry("upgrade", "Bring a library of an older version to this one.", "upgrade:upgrade"),
        CommandEntry("models", "List, download and check the face models.", "models:app"),
        CommandEntry("engine", "Show or change the library's face engine.", "engine:engine"),
        CommandEntry(
            "evaluate", "Measure engine and grouping on photos of known people.", "evaluate:evaluate"
        ),
        CommandEntry("calibrate", "Measure the engine's thresholds on known people.", "calibrate:calibrate"),
        CommandEntry("bench", "Measure reading embeddings; make a large test library.", "bench:app"),
        CommandEntry("demo", "Draw a small library of made-up people.", "demo:demo"),
        CommandEntry("serve", "Serve pages and the HTTP API, and run jobs.", "serve:serve"),
        CommandEntry("jobs", "List, pause, resume and cancel jobs.", "jobs:app"),
        CommandEntry("address", "Print the address of the running service.", "address:address"),
        CommandEntry("token", "Let people into the service by tokens of their own.", "token:app"),
        CommandEntry("worker", "Run jobs of a library whose stores are servers.", "serve:worker"),
    ),
}
"""Panels in the order of the help, and commands in the order in which they are used."""
