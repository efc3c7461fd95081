"""An official works in localities, as a worker does in a kindergarten."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bulletin", "0007_group_bounds"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="kindergarten",
            options={
                "ordering": ["sort_key", "id"],
                "permissions": [("stand_in", "Can decide for a kindergarten in which nobody may")],
                "verbose_name": "kindergarten",
                "verbose_name_plural": "kindergartens",
            },
        ),
        migrations.AlterModelOptions(
            name="locality",
            options={
                "ordering": ["order", "name_kk"],
                "permissions": [("work_everywhere", "Can work in every locality")],
                "verbose_name": "locality",
                "verbose_name_plural": "localities",
            },
        ),
        migrations.AddField(
            model_name="employment",
            name="locality",
            field=models.ForeignKey(
                blank=True,
                help_text="For an official: the whole locality, with all its kindergartens.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="employments",
                to="bulletin.locality",
                verbose_name="locality",
            ),
        ),
        migrations.AlterField(
            model_name="employment",
            name="kindergarten",
            field=models.ForeignKey(
                blank=True,
                help_text="For whoever works in one kindergarten.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="employments",
                to="bulletin.kindergarten",
                verbose_name="kindergarten",
            ),
        ),
        migrations.AddConstraint(
            model_name="employment",
            constraint=models.UniqueConstraint(
                fields=("user", "locality"), name="one_employment_in_a_locality"
            ),
        ),
        migrations.AddConstraint(
            model_name="employment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kindergarten__isnull", False), ("locality", None)),
                    models.Q(("kindergarten", None), ("locality__isnull", False)),
                    _connector="OR",
                ),
                name="employment_is_in_one_place",
                violation_error_message="Choose either a kindergarten or a locality.",
            ),
        ),
    ]
