"""Kindergartens answer reviews themselves; officials hide an answer and show it again."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("bulletin", "0011_closings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="review",
            options={
                "ordering": ["-created_at", "-id"],
                "permissions": [("answer_review", "Can answer reviews of the own kindergarten")],
                "verbose_name": "review",
                "verbose_name_plural": "reviews",
            },
        ),
        migrations.AddField(
            model_name="review",
            name="answer_hidden_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="answer hidden at"),
        ),
        migrations.AddField(
            model_name="review",
            name="answer_hidden_reason",
            field=models.CharField(
                blank=True, db_default="", max_length=300, verbose_name="why the answer is hidden"
            ),
        ),
        migrations.AddField(
            model_name="review",
            name="answer_language",
            field=models.CharField(
                blank=True,
                choices=[("kk", "Kazakh"), ("ru", "Russian")],
                db_default="",
                max_length=2,
                verbose_name="language of the answer",
            ),
        ),
        migrations.AddField(
            model_name="review",
            name="answered_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="answered at"),
        ),
        migrations.AddField(
            model_name="review",
            name="answered_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="answered by",
            ),
        ),
    ]
