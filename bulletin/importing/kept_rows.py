"""What a batch made and changed, row by row, and how each is taken back."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.apps import apps
from django.db.models import Field, ForeignObjectRel, Model

from accounts.models import User
from bulletin.importing.problems import Fault, Problem
from bulletin.models import ImportBatch, ImportedRow


def plain(obj: Model, name: str) -> str | None:
    """A field's value as text, as it is kept beside a batch; `restore` reads it."""
    field = obj._meta.get_field(name)
    assert isinstance(field, Field)
    value = field.value_from_object(obj)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return None if value is None else field.value_to_string(obj)


def value_of(obj: Model, name: str, text: str | None) -> Any:
    """The value of a field that `plain` wrote as `text`; of a relation the key."""
    field = obj._meta.get_field(name)
    assert isinstance(field, Field)
    return None if text is None else field.to_python(text)


class TakingBack:
    """Undoes a batch: what it made is deleted, what it changed gets back its values. For kinds to say otherwise."""

    def __init__(self, batch: ImportBatch, *, by: User | None, reason: str, now: datetime) -> None:
        self.batch, self.by, self.reason, self.now = batch, by, reason, now

    def run(self) -> list[Fault]:
        """Undo every row, the last one first; returns what stands in the way. In a transaction, the caller's."""
        rows = self.batch.rows.order_by("-id").iterator()
        return [fault for row in rows for fault in self._take_back(row)]

    def why_not_restore(self, obj: Model, before: Mapping[str, str | None]) -> str:
        """What depends on the present values of `obj`, in words; empty where nothing does."""
        return ""

    def why_not_unmake(self, obj: Model) -> str:
        """What stands on `obj`, which the batch made, in words; empty where nothing does."""
        return ", ".join(sorted({str(name) for name in _built_on(obj)}))

    def unmake(self, obj: Model) -> None:
        """Let what the batch made be no longer there."""
        obj.delete()

    def _take_back(self, row: ImportedRow) -> Iterator[Fault]:
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
            if what := self.why_not_restore(obj, row.before):
                yield _fault(row, str(obj), Problem.BUILT_ON, what=what)
            else:
                _restore(obj, row.before)
        elif what := self.why_not_unmake(obj):
            yield _fault(row, str(obj), Problem.BUILT_ON, what=what)
        else:
            self.unmake(obj)


def _restore(obj: Model, before: Mapping[str, str | None]) -> None:
    for name, text in before.items():
        field = obj._meta.get_field(name)
        assert isinstance(field, Field)
        setattr(obj, field.attname, value_of(obj, name, text))
    obj.save()


def _built_on(obj: Model) -> Iterator[Any]:
    """What else names `obj`, by the names of the models."""
    for relation in obj._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel) and not relation.many_to_many:
            model = relation.related_model
            if model._base_manager.filter(**{relation.field.name: obj}).exists():
                yield model._meta.verbose_name_plural


def _fault(row: ImportedRow, label: str, problem: Problem, **values: Any) -> Fault:
    return Fault(problem, row.line, "", label[:60], values)
