"""The audit tells who acted as they were then: every change of an employee's name or position keeps the one before."""

from pathlib import Path

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

_SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0039_employees_among_families")]

    operations = [
        migrations.CreateModel(
            name="EmployeeVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("last_name", models.CharField(max_length=100, verbose_name="last name")),
                ("first_name", models.CharField(max_length=100, verbose_name="first name")),
                ("middle_name", models.CharField(blank=True, max_length=100, verbose_name="patronymic")),
                ("position", models.CharField(max_length=150, verbose_name="position")),
                ("since", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
            ],
            options={
                "verbose_name": "employee as they were",
                "verbose_name_plural": "employees as they were",
                "indexes": [models.Index(fields=["user", "since"], name="employee_version_since")],
            },
        ),
        migrations.RunSQL(
            "INSERT INTO accounts_employeeversion (user_id, since, last_name, first_name, middle_name, position) "
            "SELECT user_id, clock_timestamp(), last_name, first_name, middle_name, position FROM accounts_employee",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            (_SQL / "0040_note_employee.sql").read_text()
            + "CREATE TRIGGER noted AFTER INSERT OR UPDATE ON accounts_employee "
            "FOR EACH ROW EXECUTE FUNCTION note_employee()",
            "DROP TRIGGER noted ON accounts_employee; DROP FUNCTION note_employee()",
        ),
        migrations.RunSQL(
            (_SQL / "0040_refuse_change_of_employees.sql").read_text()
            + "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON accounts_employeeversion "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change_of_employees();"
            "CREATE TRIGGER append_only_as_a_whole BEFORE TRUNCATE ON accounts_employeeversion "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_employees()",
            "DROP FUNCTION refuse_change_of_employees() CASCADE",
        ),
    ]
