"""The messages that a page leaves for the next one."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage


class FlashStorage(CookieStorage):
    """Django's storage, in a cookie that no other host of the domain can write (if HTTPS allows its name)."""

    cookie_name = settings.FLASH_COOKIE_NAME
