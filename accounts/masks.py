"""Personal identifiers as they may be shown: enough to recognise one's own, too little to copy."""

from accounts.phones import display_phone

DOT = "•"


def mask_iin(iin: str) -> str:
    """`••••••••••07`: the last two digits; empty for an empty IIN.

    The first seven usually give away the birth date and the sex.
    """
    return DOT * max(0, len(iin) - 2) + iin[-2:] if len(iin) > 2 else DOT * len(iin)


def mask_document(number: str) -> str:
    """The last three characters of a document's number, the others hidden."""
    return DOT * max(0, len(number) - 3) + number[-3:] if len(number) > 3 else DOT * len(number)


def mask_identity(*, iin: str, number: str) -> str:
    """The IIN of a person, or the number of their document where there is none."""
    return mask_iin(iin) if iin else mask_document(number)


def mask_words(text: str) -> str:
    """`К••••••• Д••••`: the first letter of each word."""
    return " ".join(word[0] + DOT * (len(word) - 1) for word in text.split())


def mask_phone(phone: object) -> str:
    """`+7 701 ••• 98 76`; of any other text only its last two characters."""
    shown = display_phone(phone)
    if len(shown) == 16 and shown.startswith("+7 "):
        return f"{shown[:7]}{DOT * 3}{shown[10:]}"
    return DOT * max(0, len(shown) - 2) + shown[-2:]


def mask_name(last_name: str, first_name: str) -> str:
    """`К••••• Е.`: the initials. The number of dots does not depend on the length of the name."""
    last, first = last_name.strip(), first_name.strip()
    parts = [f"{last[0]}{DOT * 5}" if last else "", f"{first[0]}." if first else ""]
    return " ".join(filter(None, parts)) or DOT * 5


def mask_address(address: str | None) -> str:
    """`82.200.•.•`: enough to tell the own network from another one; empty for an unknown address."""
    if not address:
        return ""
    sign = ":" if ":" in address else "."
    first, second, *_rest = [*address.split(sign), "", ""]
    return sign.join([first, second, DOT, DOT])
