"""Passwords that others had: the list of leaked ones, and what is easily made from one of them.

The list is Django's (twenty thousand from breaches) and the words that people here try first. It is read once and
stays as it is, some two megabytes in a process. A password counts as one of them in another keyboard layout, with
signs for letters, and with digits and signs around it.
"""

import re
from functools import lru_cache
from typing import Final

from django.contrib.auth.password_validation import CommonPasswordValidator

from notifications.folding import TO_CYRILLIC_KEYS, TO_LATIN_KEYS

# With so many signs around a known word a password is no longer that word.
_SIGNS_AROUND: Final = 6
_SHORTEST_WORD: Final = 4

_SIGNS: Final = str.maketrans("013457@$!", "oieastasi")

# What a list from all the world lacks, in both alphabets.
_HERE: Final = """
алматы астана шымкент тараз ақтау атырау қарағанды караганда павлодар семей талдықорған түркістан туркестан көкшетау
қазақстан казахстан республика тұран балапан күншуақ айналайын жаным балам қызым ұлым анашым мамамама папапапа аташка
отбасы семья құпия құпиясөз пароль парольпароль секрет сәлем салем привет любовь махаббат сүйемін балабақша детсад
садик кезек очередь йцукен йцукенг йцукенгш йцукенгшщз фывапролдж ячсмитьбю
almaty astana shymkent taraz aktau atyrau karaganda qaragandy pavlodar semey turkistan turkestan kokshetau kazakhstan
qazaqstan kazahstan turan balapan ainalaiyn aynalayn zhanym janym balam qyzym ulym anashym otbasy semya kupiya qupiya
kupiyasoz parol parolparol sekret salem privet lyubov mahabbat baqsha detsad sadik kezek ochered nursultan tulpar
barys qairat kairat kaspi kaspikz beeline tele2 kcell altel
"""


@lru_cache
def _known() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords) | frozenset(_HERE.split())


def is_common(password: str) -> bool:
    """Whether `password` (NFC) is known, or one step from a known one."""
    plain = password.casefold()
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    is_long_enough = len(core) >= _SHORTEST_WORD and len(plain) - len(core) <= _SIGNS_AROUND
    return _is_known(plain) or (is_long_enough and _is_known(core))


def _is_known(text: str) -> bool:
    spellings = {
        text,
        text.translate(TO_LATIN_KEYS),
        text.translate(TO_CYRILLIC_KEYS),
        text.translate(_SIGNS),
    }
    return not spellings.isdisjoint(_known())
