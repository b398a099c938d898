"""An evaluation as a page that stands alone: scores, a plot, and the worst groups as pictures."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Sequence
from html import escape

from image_search_service.core.paths import LibraryPaths
from image_search_service.core.types import JsonObject
from image_search_service.services.evaluation.mistakes import (
    CurvePoint,
    Mistakes,
    MixedGroup,
    NamedFace,
    SplitPerson,
)

SHOWN = 20
"""Groups, people and rows of faces on the page; the JSON has them all."""
PICTURES = 14
"""Faces shown of each."""

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#222}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.5rem}table{border-collapse:collapse}
td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #ddd}
td:first-child,th:first-child{text-align:left}
section{border-top:1px solid #ddd;padding:.6rem 0}
figure{display:inline-block;margin:.2rem;width:92px;vertical-align:top}
figure img{width:92px;height:92px;object-fit:cover;border-radius:4px}
figcaption{font-size:11px;overflow-wrap:anywhere}
.part{display:inline-block;border:1px solid #bbb;border-radius:6px;padding:.2rem;margin:.2rem}
svg text{font-size:11px}
"""


def as_json(scores: JsonObject, mistakes: Mistakes) -> JsonObject:
    """The figures of the page: ``scores`` as ``image-search evaluate --json`` has them, and the mistakes."""
    return {
        "scores": scores,
        "curve": [{"coverage": point.coverage, "precision": point.precision} for point in mistakes.curve],
        "mixed": [
            {"wrong_pairs": group.wrong_pairs, "people": dict(group.people)} for group in mistakes.mixed
        ],
        "split": [
            {
                "missing_pairs": person.missing_pairs,
                "person": person.person,
                "parts": [[face.file for face in part] for part in person.parts],
            }
            for person in mistakes.split
        ],
        "alone": [face.file for face in mistakes.alone],
        "unrecognizable": [face.file for face in mistakes.unrecognizable],
    }


def as_page(scores: JsonObject, mistakes: Mistakes, paths: LibraryPaths) -> str:
    """The page. Pictures are read from the library's crops, and are in the page itself."""
    pictures = _Pictures(paths)
    parts = [
        f"<h1>Groups of {scores['faces']:,} faces, engine {escape(str(scores['engine']))}</h1>",
        _score_table(scores),
        "<h2>Precision over coverage</h2><p>Groups are taken in the order of how alike their faces are.</p>",
        _plot(mistakes.curve),
        f"<h2>Groups that show several people: {len(mistakes.mixed)}</h2>",
        *(_mixed(group, pictures) for group in mistakes.mixed[:SHOWN]),
        f"<h2>People in several groups: {len(mistakes.split)}</h2>",
        *(_split(person, pictures) for person in mistakes.split[:SHOWN]),
        f"<h2>Alone, though there are other photos of them: {len(mistakes.alone)}</h2>",
        pictures.figures(mistakes.alone, SHOWN * 2),
        f"<h2>Left out as not to be told apart: {len(mistakes.unrecognizable)}</h2>",
        pictures.figures(mistakes.unrecognizable, SHOWN * 2),
    ]
    body = "\n".join(parts)
    head = f'<meta charset="utf-8"><title>Evaluation</title><style>{_STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>\n'


class _Pictures:
    def __init__(self, paths: LibraryPaths) -> None:
        self._paths = paths

    def figures(self, faces: Sequence[NamedFace], most: int = PICTURES) -> str:
        """The first of some faces, each with its file's name, and how many more there are."""
        shown = "".join(
            f"<figure>{self._image(face.face_id)}<figcaption>{escape(face.file)}</figcaption></figure>"
            for face in faces[:most]
        )
        return shown + (f" and {len(faces) - most:,} more" if len(faces) > most else "")

    def _image(self, face_id: uuid.UUID) -> str:
        path = self._paths.crop(face_id)
        try:
            content = base64.b64encode(path.read_bytes()).decode()
        except OSError:
            return ""
        return f'<img alt="" src="data:image/jpeg;base64,{content}">'


def _score_table(scores: JsonObject) -> str:
    rows = [
        (name, f"{scores[key]['precision']:.4f}", f"{scores[key]['recall']:.4f}", f"{scores[key]['f']:.4f}")
        for name, key in (("pairwise", "pairwise"), ("BCubed", "bcubed"))
    ]
    facts = [
        ("people", f"{scores['identities']:,}"),
        ("groups", f"{scores['clusters']:,}"),
        ("purity", f"{scores['purity']:.4f}"),
        ("coverage", f"{scores['coverage']:.4f}"),
        ("photos without a face", f"{scores['photos_without_face']:,}"),
    ]
    return _table([("", "precision", "recall", "F"), *rows]) + _table(facts)


def _table(rows: Iterable[Sequence[str]]) -> str:
    lines = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows)
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table><br>"


def _plot(curve: Sequence[CurvePoint], width: int = 560, height: int = 260) -> str:
    """Coverage to the right, precision upwards from the lowest that there is, as SVG."""
    lowest = min((point.precision for point in curve), default=1.0)
    bottom = min(0.95, int(lowest * 20) / 20)

    def place(coverage: float, precision: float) -> tuple[float, float]:
        return 50 + coverage * (width - 60), 10 + (1 - precision) / (1 - bottom) * (height - 40)

    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(p.coverage, p.precision) for p in curve))
    marks = []
    for i in range(6):
        x, y = place(i / 5, bottom)
        marks.append(f'<text x="{x:.0f}" y="{y + 16:.0f}" text-anchor="middle">{i / 5:.0%}</text>')
        value = bottom + i / 5 * (1 - bottom)
        x, y = place(0, value)
        marks.append(f'<text x="{x - 6:.0f}" y="{y + 4:.0f}" text-anchor="end">{value:.2f}</text>')
        marks.append(f'<line x1="50" x2="{width - 10}" y1="{y:.0f}" y2="{y:.0f}" stroke="#ddd"/>')
    drawn = f'<polyline points="{line}" fill="none" stroke="#2563a8" stroke-width="2"/>'
    return f'<svg width="{width}" height="{height}" role="img">{"".join(marks)}{drawn}</svg>'


def _mixed(group: MixedGroup, pictures: _Pictures) -> str:
    people = ", ".join(f"{escape(name)} {count}" for name, count in group.people.items())
    heading = f"<b>{group.wrong_pairs:,} wrong pairs:</b> {people}<br>"
    return f"<section>{heading}{pictures.figures(group.faces)}</section>"


def _split(person: SplitPerson, pictures: _Pictures) -> str:
    heading = f"<b>{escape(person.person)}, {person.missing_pairs:,} pairs apart</b><br>"
    parts = "".join(
        f'<div class="part">{len(part)}<br>{pictures.figures(part, 3)}</div>'
        for part in person.parts[:PICTURES]
    )
    more = f" and {len(person.parts) - PICTURES} more groups" if len(person.parts) > PICTURES else ""
    return f"<section>{heading}{parts}{more}</section>"
