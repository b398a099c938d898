"""Names of people in XMP beside regions: in lists of persons, keywords and paths of keywords.

IPTC's ``PersonInImage`` names who is shown, without a place. digiKam, Lightroom, Windows and Media Pro keep
paths of keywords, such as ``People/Ada`` or ``People|Ada``. Every function is linear in the packet's size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from image_search_service.core.names import name_key
from image_search_service.media.keyword_trees import tree_keywords
from image_search_service.media.region_dialects import IPTC
from image_search_service.media.xmp import Element, child, descriptions, items

DC = "http://purl.org/dc/elements/1.1/"
PATHS = (
    ("http://www.digikam.org/ns/1.0/", "TagsList", "/"),
    ("http://ns.microsoft.com/photo/1.0/", "LastKeywordXMP", "/"),
    ("http://ns.adobe.com/lightroom/1.0/", "hierarchicalSubject", "|"),
    ("http://ns.iview-multimedia.com/mediapro/1.0/", "CatalogSets", "|"),
)
"""Lists of paths of keywords, and what separates a path's parts."""
KEYWORDS = ((DC, "subject"), ("http://ns.acdsee.com/iptc/1.0/", "keywords"))
"""Lists of single keywords."""
OF_PEOPLE = frozenset(
    name_key(word)
    for word in (
        "People", "Person", "Persons", "Faces", "Personen", "Leute", "Menschen", "Gesichter", "Personnes",
        "Gens", "Visages", "Personas", "Gente", "Caras", "Persone", "Volti", "Pessoas", "Mensen", "Gezichten",
        "Personer", "Människor", "Mennesker", "Osoby", "Ludzie", "Lidé", "Люди", "Персоны", "Ihmiset",
        "Henkilöt", "Kişiler", "Emberek", "Άνθρωποι", "人物", "人", "사람", "اشخاص", "أشخاص", "אנשים",
    )
)  # fmt: skip
"""What programs call the root of their paths of people."""


OF_OTHERS = frozenset(
    name_key(word)
    for word in (
        "Places", "Place", "Location", "Locations", "Orte", "Ort", "Lieux", "Lugares", "Luoghi", "Plaatsen",
        "Events", "Event", "Ereignisse", "Événements", "Eventos", "Eventi", "Animals", "Tiere", "Pets",
    )
)  # fmt: skip
"""Roots of paths that are not of people."""
DEEPEST = 20
"""Parts of a path that are told apart."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a list. path: its parts, the last of which may be a name."""

    listed: Element
    node: Element
    path: Path
    separator: str

    @property
    def key(self) -> str:
        return name_key(self.path[-1])


def people_without_place(root: Element) -> list[str]:
    """Who a packet says is in the picture, beside its regions: each name once, in the packet's order."""
    names: dict[str, str] = {}
    for description in descriptions(root):
        for element in [*_list(description, IPTC, "PersonInImage"), *_with_details(description)]:
            name = (element.text or "").strip()
            names.setdefault(name_key(name), name)
    paths = _paths(root)
    # a path that others continue is a group of people
    groups = {entry.path[:-1] for entry in paths}
    for entry in paths:
        if len(entry.path) > 1 and name_key(entry.path[0]) in OF_PEOPLE and entry.path not in groups:
            names.setdefault(entry.key, entry.path[-1])
    for keyword in tree_keywords(root):
        if keyword.is_leaf and len(keyword.path) > 1 and name_key(keyword.path[0]) in OF_PEOPLE:
            names.setdefault(name_key(keyword.path[-1]), keyword.path[-1])
    return [name for name in names.values() if name]


def rename_people(root: Element, names: Mapping[str, str], known: Set[str]) -> int:
    """Rename people wherever their names stand; returns in how many entries.

    names: by the former name's key, the new one. known: keys of the names in the packet's regions: a path of
    keywords that ends with one of them is one of people, whatever its root is called. The path of a place of
    the same name stays, and so does its keyword.
    """
    if not names:
        return 0
    paths = _paths(root)
    roots = OF_PEOPLE | {
        name_key(entry.path[0])
        for entry in paths
        if len(entry.path) > 1 and entry.key in known - names.keys()
    }
    matching = [entry for entry in paths if entry.key in names]
    of_people = [entry for entry in matching if len(entry.path) == 1 or name_key(entry.path[0]) in roots]
    chosen = of_people or [entry for entry in matching if name_key(entry.path[0]) not in OF_OTHERS]
    new_paths = {(entry.separator, entry.path): (*entry.path[:-1], names[entry.key]) for entry in chosen}
    others = {entry.key for entry in matching if (entry.separator, entry.path) not in new_paths}
    changed = _replace(paths, new_paths) + _rename_in_trees(root, names, roots)
    for description in descriptions(root):
        for element in [*_list(description, IPTC, "PersonInImage"), *_with_details(description)]:
            new = names.get(name_key((element.text or "").strip()))
            if new is not None:
                element.text = new
                changed += 1
        for space, field in KEYWORDS:
            entries = [
                _Entry(listed, item, ((item.text or "").strip(),), "")
                for listed in [child(description, space, field)]
                if listed is not None
                for item in items(listed)
            ]
            wanted = {
                entry.path: (names[entry.key],) for entry in entries if entry.key in names.keys() - others
            }
            changed += _replace(entries, {("", former): new for former, new in wanted.items()})
    return changed


def _rename_in_trees(root: Element, names: Mapping[str, str], roots: Set[str]) -> int:
    """Rename the keywords of trees below a root of people, or without one; returns how many."""
    chosen = [
        keyword
        for keyword in tree_keywords(root)
        if name_key(keyword.path[-1]) in names
        and (len(keyword.path) == 1 or name_key(keyword.path[0]) in roots)
    ]
    for keyword in chosen:
        keyword.rename(names[name_key(keyword.path[-1])])
    return len(chosen)


def _replace(entries: Sequence[_Entry], new_paths: Mapping[tuple[str, Path], Path]) -> int:
    """Give entries their new paths, and what lies below them; one that its list has already goes."""
    present = {(id(entry.listed), entry.path) for entry in entries}
    changed = 0
    for entry in entries:
        new = next(
            (
                (*new_paths[entry.separator, entry.path[:depth]], *entry.path[depth:])
                for depth in range(len(entry.path), 0, -1)
                if (entry.separator, entry.path[:depth]) in new_paths
            ),
            None,
        )
        if new is None or new == entry.path:
            continue
        if (id(entry.listed), new) in present:
            entry.node.getparent().remove(entry.node)
        else:
            entry.node.text = entry.separator.join(new)
            present.add((id(entry.listed), new))
        changed += 1
    return changed


def _list(description: Element, space: str, name: str) -> list[Element]:
    listed = child(description, space, name)
    return [] if listed is None else items(listed)


def _with_details(description: Element) -> list[Element]:
    """The names of IPTC's persons with details."""
    persons = _list(description, IPTC, "PersonInImageWDetails")
    names = [child(person, IPTC, "PersonName") for person in persons]
    return [element for name in names if name is not None for element in (items(name) or [name])]


def _paths(root: Element) -> list[_Entry]:
    return [
        _Entry(listed, item, parts, separator)
        for description in descriptions(root)
        for space, field, separator in PATHS
        for listed in [child(description, space, field)]
        if listed is not None
        for item in items(listed)
        for parts in [tuple(part.strip() for part in (item.text or "").split(separator, DEEPEST))]
        if parts[-1]
    ]
