"""Columns computed from the bilingual name whenever a row is written, also by `bulk_create`."""

from typing import Any

from django.db import models

from bulletin.sorting import UNSURE, name_sort_key, sounds


class SortKeyField(models.CharField):  # type: ignore[type-arg]
    """The sort key of the name in one language (`bulletin.sorting.name_sort_key`)."""

    def __init__(self, *args: Any, of: str = "name_kk", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.of = of

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, kwargs if self.of == "name_kk" else {**kwargs, "of": self.of}

    def pre_save(self, model_instance: Any, add: bool) -> str:
        value = name_sort_key(getattr(model_instance, self.of))[: self.max_length]
        setattr(model_instance, self.attname, value)
        return value


class SearchTextField(models.TextField):  # type: ignore[type-arg]
    """Both names as they are looked for (`bulletin.sorting.sounds`)."""

    def pre_save(self, model_instance: Any, add: bool) -> str:
        value = f"{sounds(model_instance.name_kk)} {sounds(model_instance.name_ru)}"
        setattr(model_instance, self.attname, value)
        return value


@SearchTextField.register_lookup
class ByConsonants(models.Transform):
    """`search_text__consonants__contains`: without the letters of which whoever types a name may be unsure."""

    lookup_name = "consonants"
    output_field = models.TextField()
    template = f"translate(%(expressions)s, '{UNSURE}', '')"
