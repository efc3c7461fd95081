from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command


@pytest.fixture
def load(tmp_path):
    """Import rows by the command `import_KIND`: the exit code, and all that was said."""

    def run(kind: str, *lines: str, **options: Any) -> tuple[int, str]:
        file = tmp_path / f"{kind}.csv"
        file.write_bytes("\r\n".join(lines).encode("utf-8-sig"))
        return command(f"import_{kind}", str(file), **options)

    return run


@pytest.fixture
def undo():
    """Undo the newest batch by the command: the exit code, and all that was said."""

    def run(batch) -> tuple[int, str]:
        return command("undo_import", str(batch.pk))

    return run


def command(*arguments: str, **options: Any) -> tuple[int, str]:
    said = StringIO()
    try:
        call_command(*arguments, stdout=said, stderr=said, **options)
    except CommandError as error:
        return error.returncode, f"{said.getvalue()}{error}"
    return 0, said.getvalue()
