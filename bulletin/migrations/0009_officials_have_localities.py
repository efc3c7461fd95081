"""Officials keep what they have: everybody who is one already works in every locality that there is."""

from django.db import migrations


def give_officials_every_locality(apps, schema_editor):
    User = apps.get_model("accounts", "User")
    Locality = apps.get_model("bulletin", "Locality")
    Employment = apps.get_model("bulletin", "Employment")
    alias = schema_editor.connection.alias
    Employment.objects.using(alias).bulk_create(
        Employment(user=official, locality=place, since=official.date_joined.date())
        for official in User.objects.using(alias).filter(groups__name="official", is_staff=True)
        for place in Locality.objects.using(alias)
    )


def take_them(apps, schema_editor):
    Employment = apps.get_model("bulletin", "Employment")
    Employment.objects.using(schema_editor.connection.alias).filter(kindergarten=None).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("bulletin", "0008_employment_in_a_locality"),
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(give_officials_every_locality, take_them)]
