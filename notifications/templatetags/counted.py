"""Numbers with their noun in texts that are written in Russian, not translated: pages, notices, the referral."""

from django import template

register = template.Library()


@register.filter
def counted(number: int, forms: str) -> str:
    """The number with the form of the noun that Russian wants after it.

    `forms` are those for 1, 2 and 5, separated by commas: "день,дня,дней". A number of the genitive ("в течение 5
    дней") has two of them: "дня,дней,дней".
    """
    one, few, many = forms.split(",")
    tens, units = divmod(abs(number) % 100, 10)
    if tens == 1 or units == 0 or units > 4:
        return f"{number} {many}"
    return f"{number} {one if units == 1 else few}"
