"""Referrals get numbers that say nothing of their applications: the register of referrals is public."""

import secrets

from django.db import migrations, transaction


def number_anew(apps, schema_editor):
    """All of them, also those that are over. The paper of one that still runs is made anew with its new number."""
    alias = schema_editor.connection.alias
    referrals = apps.get_model("applications", "Referral").objects.using(alias)
    taken = set()
    papers = []
    for referral in referrals.order_by().only("pk", "issued_at", "state", "pdf").iterator(chunk_size=1000):
        number = _draw(referral.issued_at.year, taken)
        taken.add(number)
        changes = {"number": number}
        if referral.state == "issued" and referral.pdf:
            papers.append((referral.pdf.storage, referral.pdf.name))
            changes["pdf"] = ""
        referrals.filter(pk=referral.pk).update(**changes)
    transaction.on_commit(lambda: [storage.delete(name) for storage, name in papers], using=alias)


def _draw(year, taken):
    while True:
        draw = secrets.randbelow(10**8)
        number = f"{year % 100:02}-{draw // 10_000:04}-{draw % 10_000:04}"
        if number not in taken:
            return number


class Migration(migrations.Migration):
    dependencies = [("applications", "0005_events_are_never_emptied")]

    operations = [migrations.RunPython(number_anew, migrations.RunPython.noop)]
