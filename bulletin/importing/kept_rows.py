"""What a batch made and changed, row by row, and how each is taken back."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from django.db.models import Field, Model

from bulletin.importing.problems import Fault, Problem
from bulletin.models import ImportBatch, ImportedRow


def plain(obj: Model, name: str) -> str | None:
    """A field's value as text, as it is kept beside a batch; `restore` reads it."""
    field = obj._meta.get_field(name)
    assert isinstance(field, Field)
    return None if field.value_from_object(obj) is None else field.value_to_string(obj)


def take_back(batch: ImportBatch) -> list[Fault]:
    """Undo each row of the batch, the last one first; returns what stands in the way. In a transaction."""
    return [fault for row in batch.rows.order_by("-id").iterator() for fault in _take_row_back(row)]


def _take_row_back(row: ImportedRow) -> Iterator[Fault]:
    model = apps.get_model(row.model)
    obj = model._base_manager.select_for_update(of=("self",)).filter(pk=row.key).first()
    if obj is None:
        yield _fault(row, row.key, Problem.DELETED_SINCE)
        return
    changed = [name for name, value in row.after.items() if plain(obj, name) != value]
    if changed:
        names = ", ".join(str(model._meta.get_field(name).verbose_name) for name in changed)
        yield _fault(row, str(obj), Problem.CHANGED_SINCE, what=names)
    elif row.before is not None:
        restore(obj, row.before)
    elif built := sorted({str(name) for name in _built_on(obj)}):
        yield _fault(row, str(obj), Problem.BUILT_ON, what=", ".join(built))
    else:
        obj.delete()


def restore(obj: Model, before: Mapping[str, str | None]) -> None:
    """Give `obj` back these values of its fields, as `kinds.plain` wrote them, and save it."""
    for name, text in before.items():
        field = obj._meta.get_field(name)
        assert isinstance(field, Field)
        setattr(obj, field.attname, None if text is None else field.to_python(text))
    obj.save()


def _built_on(obj: Model) -> Iterator[Any]:
    """What else names `obj`, by the names of the models."""
    for relation in obj._meta.related_objects:
        if relation.related_model._base_manager.filter(**{relation.field.name: obj}).exists():
            yield relation.related_model._meta.verbose_name_plural


def _fault(row: ImportedRow, label: str, problem: Problem, **values: Any) -> Fault:
    return Fault(problem, row.line, "", label[:60], values)
