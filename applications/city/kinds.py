"""All kinds of import, in the order in which a city brings its files."""

from typing import Final

from applications.city.enrolled import Enrolled
from applications.city.groups import GroupKind
from applications.city.queue_file import Queue
from applications.city.vacancies import Vacancies
from bulletin.importing.kindergartens import Kindergartens
from bulletin.importing.kinds import Kind
from bulletin.importing.localities import Localities
from bulletin.importing.staff import Staff

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (Localities(), Kindergartens(), GroupKind(), Staff(), Vacancies(), Enrolled(), Queue())
}
