from django.db import migrations

import notifications.fields
from notifications import cipher

CHUNK = 1000


def encrypt_texts(apps, schema_editor):
    """What was written in the clear is encrypted as it stands; the field of this state reads and writes it as it is."""
    _rewrite(apps, schema_editor, cipher.encrypt)


def decrypt_texts(apps, schema_editor):
    _rewrite(apps, schema_editor, cipher.decrypt)


def _rewrite(apps, schema_editor, change):
    rows = apps.get_model("notifications", "Message").objects.using(schema_editor.connection.alias)
    some = []
    for message in rows.exclude(text="").only("pk", "text").iterator(chunk_size=CHUNK):
        message.text = change(message.text)
        some.append(message)
        if len(some) == CHUNK:
            rows.bulk_update(some, ["text"])
            some = []
    rows.bulk_update(some, ["text"])


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_initial")]

    operations = [
        migrations.RunPython(encrypt_texts, decrypt_texts),
        migrations.AlterField(
            model_name="message",
            name="text",
            field=notifications.fields.PatientEncryptedTextField(
                blank=True,
                help_text="Emptied once sent where it held a secret code.",
                verbose_name="text",
            ),
        ),
    ]
