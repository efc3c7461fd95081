"""The nationalities that a parent may choose for a child; stored as a code, shown in the language of the page."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Nationality(TextChoices):
    KAZAKH = "kazakh", _("Kazakh (nationality)")
    RUSSIAN = "russian", _("Russian (nationality)")
    UZBEK = "uzbek", _("Uzbek (nationality)")
    UKRAINIAN = "ukrainian", _("Ukrainian (nationality)")
    UYGHUR = "uyghur", _("Uyghur (nationality)")
    TATAR = "tatar", _("Tatar (nationality)")
    GERMAN = "german", _("German (nationality)")
    TURKISH = "turkish", _("Turkish (nationality)")
    AZERBAIJANI = "azerbaijani", _("Azerbaijani (nationality)")
    KOREAN = "korean", _("Korean (nationality)")
    DUNGAN = "dungan", _("Dungan (nationality)")
    BELARUSIAN = "belarusian", _("Belarusian (nationality)")
    TAJIK = "tajik", _("Tajik (nationality)")
    KURDISH = "kurdish", _("Kurdish (nationality)")
    KYRGYZ = "kyrgyz", _("Kyrgyz (nationality)")
    OTHER = "other", _("other nationality")
