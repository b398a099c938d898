"""Trees of keywords in XMP: the Metadata Working Group's ``mwg-kw:Keywords``, and ``acdsee:categories``.

The latter is XML in a text: ``<Categories><Category>People<Category>Ada</Category></Category></Categories>``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from image_search_service.core.errors import MediaError
from image_search_service.media.xmp import Element, child, descriptions, items, parse_packet, places, text

MWG_KEYWORDS = "http://www.metadataworkinggroup.com/schemas/keywords/"
ACDSEE = "http://ns.acdsee.com/iptc/1.0/"
MOST_NODES = 5_000
"""Nodes of one tree that are read."""
DEEPEST = 20
"""Levels of a tree that are read."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TreeKeyword:
    """A keyword of a tree. path: from the root, itself at last. is_leaf: whether it has none below it.
    rename: gives it another name in the packet."""

    path: Path
    is_leaf: bool
    rename: Callable[[str], None]


def tree_keywords(root: Element) -> list[TreeKeyword]:
    """The keywords of all trees of a packet, in its order, each before those below it."""
    found: list[TreeKeyword] = []
    for description in descriptions(root):
        found += _bounded(_mwg(description))
        found += _bounded(_acdsee(description))
    return found


def _bounded(keywords: Iterator[TreeKeyword]) -> list[TreeKeyword]:
    return [keyword for keyword, _ in zip(keywords, range(MOST_NODES), strict=False)]


def _mwg(description: Element) -> Iterator[TreeKeyword]:
    keywords = child(description, MWG_KEYWORDS, "Keywords")
    roots = [] if keywords is None else _below(keywords, "Hierarchy")
    stack: list[tuple[Element, Path]] = [(node, ()) for node in reversed(roots)]
    while stack:
        node, above = stack.pop()
        path = (*above, (text(node, MWG_KEYWORDS, "Keyword") or "").strip())
        below = _below(node, "Children") if len(path) < DEEPEST else []
        yield TreeKeyword(path, not below, _renamer(node))
        stack += [(each, path) for each in reversed(below)]


def _below(node: Element, field: str) -> list[Element]:
    listed = child(node, MWG_KEYWORDS, field)
    return [] if listed is None else items(listed)


def _renamer(node: Element) -> Callable[[str], None]:
    name = f"{{{MWG_KEYWORDS}}}Keyword"

    def rename(new: str) -> None:
        for place in places(node):
            if place.get(name) is not None:
                place.set(name, new)
            for written in place.findall(name):
                written.text = new

    return rename


def _acdsee(description: Element) -> Iterator[TreeKeyword]:
    written = text(description, ACDSEE, "categories")
    if not written or "<" not in written:
        return
    try:
        tree = parse_packet(written.encode())
    except MediaError:
        return  # another program's text is left as it is
    stack: list[tuple[Element, Path]] = [(node, ()) for node in reversed(tree.findall("Category"))]
    while stack:
        node, above = stack.pop()
        path = (*above, (node.text or "").strip())
        below = node.findall("Category") if len(path) < DEEPEST else []
        yield TreeKeyword(path, not below, _category_renamer(description, tree, node))
        stack += [(each, path) for each in reversed(below)]


def _category_renamer(description: Element, tree: Element, node: Element) -> Callable[[str], None]:
    name = f"{{{ACDSEE}}}categories"

    def rename(new: str) -> None:
        node.text = new
        written = etree.tostring(tree, encoding="unicode")
        listed = child(description, ACDSEE, "categories")
        if listed is None:
            description.set(name, written)
        else:
            listed.text = written

    return rename
