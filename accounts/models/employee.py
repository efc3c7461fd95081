"""Employees as people: what they are called, what they do, where they are reached."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts.models.people import User


class Called(models.Model):
    """What an employee is called, and what they do."""

    last_name = models.CharField(_("last name"), max_length=100)
    first_name = models.CharField(_("first name"), max_length=100)
    middle_name = models.CharField(_("patronymic"), max_length=100, blank=True)
    position = models.CharField(_("position"), max_length=150)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.short_name}, {self.position}"

    @property
    def full_name(self) -> str:
        """Last, first and middle name."""
        return " ".join(filter(None, (self.last_name, self.first_name, self.middle_name)))

    @property
    def short_name(self) -> str:
        """`Ахметова А. Б.`"""
        initials = (f"{name[0]}." for name in (self.first_name, self.middle_name) if name)
        return " ".join([self.last_name, *initials])


class Employee(Called):
    """Who an employee's account belongs to. Where they work, and since when, is their employment."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="employee", verbose_name=_("user")
    )
    # For colleagues; nobody signs in with it.
    work_phone = PhoneNumberField(_("work phone"), blank=True)
    # Where links go with which the account is set up.
    email = models.EmailField(_("work e-mail"), blank=True)

    class Meta:
        verbose_name = _("employee")
        verbose_name_plural = _("employees")


class EmployeeVersion(Called):
    """What an employee was called from an instant on, until the next one: append-only.

    The database writes it with every change of an `Employee` (`note_employee.sql`), whoever makes it; the audit tells
    by it who acted as they were then (`accounts.as_they_were`).
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", verbose_name=_("user"))
    since = models.DateTimeField()

    class Meta:
        verbose_name = _("employee as they were")
        verbose_name_plural = _("employees as they were")
        indexes = [models.Index(fields=["user", "since"], name="employee_version_since")]
