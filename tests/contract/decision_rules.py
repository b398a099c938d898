"""What must hold of the tables whatever happens: each rule is a sentence, and a query of what breaks it."""

# ruff: noqa: S608 - statements made of this file's own words

from __future__ import annotations

APART = """
    FROM face_instances one
    JOIN face_differences mine ON mine.face_instance_id = one.id
    JOIN face_differences theirs ON theirs.difference_id = mine.difference_id AND theirs.side != mine.side
    JOIN face_instances other ON other.id = theirs.face_instance_id
"""
REJECTED = "SELECT face_instance_id, person_id FROM face_suggestions WHERE state = 'rejected'"
MERGED = """
    WITH RECURSIVE final (id, merged) AS (
        SELECT id, id FROM persons
        UNION SELECT final.id, persons.merged_into FROM final JOIN persons ON persons.id = final.merged
        WHERE persons.merged_into IS NOT NULL
    )
"""

BROKEN = {
    "nobody who is gone has a face": (
        "SELECT id FROM face_instances WHERE person_id IN (SELECT id FROM persons WHERE deleted)"
    ),
    "who has a face is there": (
        "SELECT id FROM face_instances"
        " WHERE person_id IS NOT NULL AND person_id NOT IN (SELECT id FROM persons)"
    ),
    "a face with a person says who gave it, another does not": (
        "SELECT id FROM face_instances WHERE (person_id IS NULL) != (assigned_by IS NULL)"
    ),
    "what is no face is nobody's and in no cluster": (
        "SELECT id FROM face_instances"
        " WHERE NOT is_face AND (person_id IS NOT NULL OR cluster_id IS NOT NULL)"
    ),
    "a face is where a human put it, or it has a name": (
        "SELECT face.id FROM face_instances face JOIN image_assets ON image_assets.id = face.asset_id"
        " WHERE group_id IS NOT NULL AND NOT replaced AND (cluster_id IS NULL OR cluster_id != group_id)"
    ),
    "what is in a group is nobody's, a face, and not set aside": (
        "SELECT id FROM face_instances"
        " WHERE group_id IS NOT NULL AND (person_id IS NOT NULL OR NOT is_face OR set_aside)"
    ),
    "what is set aside is a face and nobody's": (
        "SELECT id FROM face_instances WHERE set_aside AND (person_id IS NOT NULL OR NOT is_face)"
    ),
    "of a cluster all faces are set aside, or none": (
        "SELECT clusters.id FROM clusters JOIN face_instances face ON face.cluster_id = clusters.id"
        " WHERE face.set_aside != clusters.set_aside"
    ),
    "a rejected face is not theirs": (f"SELECT id FROM face_instances WHERE (id, person_id) IN ({REJECTED})"),
    "a rejected pair does not wait": (
        "SELECT id FROM face_suggestions"
        f" WHERE state = 'pending' AND (face_instance_id, person_id) IN ({REJECTED})"
    ),
    "a pair is rejected once": f"{REJECTED} GROUP BY face_instance_id, person_id HAVING count(*) > 1",
    "a pair is suggested once": (
        "SELECT face_instance_id, person_id FROM face_suggestions WHERE state != 'expired'"
        " GROUP BY face_instance_id, person_id HAVING count(*) > 1"
    ),
    "what waits is a face, not set aside, and nobody has said whose": (
        "SELECT suggestion.id FROM face_suggestions suggestion"
        " JOIN face_instances face ON face.id = suggestion.face_instance_id"
        " WHERE suggestion.state = 'pending'"
        " AND (face.assigned_by = 'human' OR NOT face.is_face OR face.set_aside)"
    ),
    "nothing waits for somebody who is gone": (
        "SELECT suggestion.id FROM face_suggestions suggestion JOIN persons ON persons.id = person_id"
        " WHERE state = 'pending' AND deleted"
    ),
    "what was called different is in different clusters": (
        f"SELECT one.id {APART} WHERE one.cluster_id = other.cluster_id"
    ),
    "what was called different is of different people": (
        f"SELECT one.id {APART} WHERE one.person_id = other.person_id"
    ),
    "what was called different is not asked about": (
        f"SELECT one.id {APART} JOIN face_suggestions asked ON asked.face_instance_id = one.id"
        " WHERE asked.state = 'pending' AND asked.person_id = other.person_id"
    ),
    "who was called different is not merged": (
        f"{MERGED} SELECT one.id FROM person_differences"
        " JOIN final one ON one.id = person_differences.person_id"
        " JOIN final other ON other.id = person_differences.other_id WHERE one.merged = other.merged"
    ),
    "who was merged is somebody who was made": (
        f"{MERGED} SELECT final.id FROM final JOIN persons ON persons.id = final.merged"
        " WHERE persons.deleted AND persons.merged_into IS NULL AND final.id != final.merged"
    ),
    "a cluster is what nobody has named": (
        "SELECT id FROM face_instances WHERE person_id IS NOT NULL AND cluster_id IS NOT NULL"
    ),
    "a cluster knows its size": (
        "SELECT id FROM clusters"
        " WHERE size != (SELECT count(*) FROM face_instances WHERE cluster_id = clusters.id)"
    ),
    "a cluster is shown by a face of it": (
        "SELECT id FROM clusters WHERE representative_face_id NOT IN"
        " (SELECT id FROM face_instances WHERE cluster_id = clusters.id)"
    ),
}
