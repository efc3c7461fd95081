"""The same family, place and employee as in the tests of applications."""

from tests.applications.conftest import calendar_2019, scene

__all__ = ["calendar_2019", "scene"]
