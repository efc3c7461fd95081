"""A vacancy never opens before its publication; whoever lets it open soon after says why."""

from django.db import migrations, models

# Nobody could bid before the publication: what was announced as open by then opened with it.
OPENED_WITH_PUBLICATION = """
UPDATE bulletin_vacancy SET opens_at = published_at WHERE opens_at < published_at;
"""


class Migration(migrations.Migration):
    dependencies = [("bulletin", "0003_awarded")]

    operations = [
        migrations.RunSQL(OPENED_WITH_PUBLICATION, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="vacancy",
            name="short_notice_reason",
            field=models.CharField(
                blank=True, editable=False, max_length=300, verbose_name="reason for the short notice"
            ),
        ),
        migrations.AddConstraint(
            model_name="vacancy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("published_at", None), ("opens_at__gte", models.F("published_at")), _connector="OR"
                ),
                name="vacancy_opens_after_publication",
            ),
        ),
    ]
