"""Where nothing proves who pressed «Stop» either, neither side can bid.

Both functions of the database are those of before with this condition.
"""

from importlib import import_module

from django.db import migrations

_before = import_module("applications.migrations.0008_disputes")

_ALONE = """
            WHEN EXISTS (SELECT FROM children_dispute d WHERE d.guardianship_id = s.id AND d.freed_at IS NULL)
                THEN 'disputed'
"""
_BOTH = """
            WHEN EXISTS (SELECT FROM children_dispute d WHERE d.guardianship_id = s.id AND d.freed_at IS NULL
                         AND NOT d.is_mutual) THEN 'disputed'
            WHEN EXISTS (SELECT FROM children_guardianship o JOIN children_dispute d ON d.guardianship_id = o.id
                         WHERE o.child_id = s.child_id AND d.freed_at IS NULL AND d.is_mutual
                         AND (o.id = s.id OR d.raised_by_id = p_user)) THEN 'unproven'
"""
_LOOKS_ALONE = """
        CASE WHEN EXISTS (SELECT FROM children_dispute d WHERE d.guardianship_id = s.id AND d.freed_at IS NULL)
            THEN 'disputed'::varchar ELSE a.state END,
"""
_LOOKS_AT_BOTH = """
        CASE WHEN EXISTS (SELECT FROM children_guardianship o JOIN children_dispute d ON d.guardianship_id = o.id
                          WHERE o.child_id = s.child_id AND d.freed_at IS NULL
                          AND (o.id = s.id OR (d.is_mutual AND d.raised_by_id = p_user)))
            THEN 'disputed'::varchar ELSE a.state END,
"""


def _with(function: str, before: str, after: str) -> str:
    assert function.count(before) == 1
    return function.replace(before, after)


PRESS = _with(_before.PRESS, _ALONE, _BOTH)
LOOK = _with(_before.LOOK, _LOOKS_ALONE, _LOOKS_AT_BOTH)


class Migration(migrations.Migration):
    dependencies = [
        ("applications", "0009_publication_lead"),
        ("children", "0003_both_sides"),
    ]

    operations = [
        migrations.RunSQL(PRESS, _before.PRESS),
        migrations.RunSQL(LOOK, _before.LOOK),
    ]
