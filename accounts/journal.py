"""What the journal can say. Each app registers its own actions at start-up (`<app>/journal_actions.py`)."""

from django.db.models import TextChoices
from django.utils.functional import Promise

_actions: dict[str, TextChoices] = {}


def register(actions: type[TextChoices]) -> None:
    """Add an app's actions. Raises ValueError if one is registered already."""
    for action in actions:
        if action.value in _actions:
            raise ValueError(f"There is an action {action.value} already.")
        _actions[action.value] = action


def titles() -> list[tuple[str, str | Promise]]:
    """Every action with its name; a function, so that a new action needs no migration."""
    return [(action.value, action.label) for action in _actions.values()]


def is_known(action: TextChoices) -> bool:
    """Whether some app has registered it."""
    return _actions.get(action.value) is action
