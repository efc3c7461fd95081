"""How many segments an SMS takes. Pure.

An SMS in the GSM alphabet holds 160 characters, one with any other character (Kazakh, Russian) 70; a longer one is
sent in joined segments of 153 or 67, each of which is paid for (GSM 03.38, 3GPP TS 23.038).
"""

from math import ceil

SINGLE_SEGMENT = 70

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Sent as an escape and a second character.
_GSM_EXTENDED = frozenset("\f^{}\\[~]|€")


def segments(text: str) -> int:
    """How many segments `text` takes; 1 for an empty text, which is still a message."""
    if is_gsm(text):
        length = len(text) + sum(character in _GSM_EXTENDED for character in text)
        single, joined = 160, 153
    else:
        # UCS-2 counts two units for characters outside the basic plane.
        length = len(text.encode("utf-16-be")) // 2
        single, joined = SINGLE_SEGMENT, 67
    return 1 if length <= single else ceil(length / joined)


def is_gsm(text: str) -> bool:
    """Whether the GSM alphabet has every character of `text`."""
    return set(text) <= _GSM | _GSM_EXTENDED


def mask_phone(phone: str) -> str:
    """`+7 701 ••• 98 76` for a phone in E.164: enough to recognise one's own number, too little to call it."""
    return (
        f"{phone[:2]} {phone[2:5]} ••• {phone[-4:-2]} {phone[-2:]}"
        if len(phone) == 12
        else f"•••{phone[-2:]}"
    )
