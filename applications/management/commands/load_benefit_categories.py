"""`manage.py load_benefit_categories`: the benefit categories with which a portal begins."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from applications.benefits.categories import CATEGORIES
from applications.models import BenefitCategory


class Command(BaseCommand):
    help = "Add the benefit categories that are missing. Never changes one that is there; safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        added = 0
        with transaction.atomic():
            for order, category in enumerate(CATEGORIES, start=1):
                values = asdict(category)
                slug = values.pop("slug")
                _category, created = BenefitCategory.objects.get_or_create(
                    slug=slug, defaults=values | {"order": order}
                )
                added += created
        self.stdout.write(f"{added} added, {len(CATEGORIES) - added} already there")
