"""The settings of a portal that is not a demo, with which `check --deploy` is content."""

from typing import Final

from cryptography.fernet import Fernet

# A check reads the addresses, once and for all tests: they are to be those of the tests' own settings.
import balabaqsha.urls  # noqa: F401

SECRET: Final = "fRz0Yc_8w1vQd7Kq2LhT5mXn9BsJ3gPoU6eAiVtCyWkHlDrEbN"
OTHER_SECRET: Final = "Pq4Zt8Xc2Vb6Nm0Lk3Jh7Gf1Ds5Az9Sx-CwErTyUiOpQaWdFgH"
FERNET_KEYS: Final = [Fernet.generate_key().decode(), Fernet.generate_key().decode()]

# A made-up one: no body has this number.
OPERATOR: Final = {
    "OPERATOR_NAME_KK": "Күнсая қаласының білім басқармасы",
    "OPERATOR_NAME_RU": "Управление образования города Күнсая",
    "OPERATOR_ADDRESS_KK": "Күнсая қ., Орталық к-сі, 1",
    "OPERATOR_ADDRESS_RU": "г. Күнсая, ул. Центральная, 1",
    "OPERATOR_BIN": "000000000010",
}

# As the environment gives them.
ENVIRONMENT: Final = {
    "SECRET_KEY": SECRET,
    "IIN_HASH_KEY": OTHER_SECRET,
    "IIN_KEYS": ", ".join(FERNET_KEYS),
    "ALLOWED_HOSTS": "bala.example.kz, 127.0.0.1",
    "BEHIND_PROXY": "1",
    "MIGRATE_DATABASE_URL": "postgres://owner@127.0.0.1:1/nowhere",
    **OPERATOR,
    "CONTACT_PHONES": "8 (727) 123-45-67, 8 (747) 123-45-67 (WhatsApp)",
    "PERSON_REGISTRY_URL": "https://registry.example/",
    "PERSON_REGISTRY_TOKEN": "token",
    "SMSC_LOGIN": "login",
    "SMSC_PASSWORD": "password",
    "SMS_BACKEND": "notifications.sms.smsc.SmscBackend",
}

# As `balabaqsha.settings` makes them.
SETTINGS: Final = {
    "DEBUG": False,
    "DEMO": False,
    "HOSTS_ARE_NAMED": True,
    "ALLOWED_HOSTS": ["bala.example.kz", "127.0.0.1", "[::1]", ".bala.example.kz", "localhost"],
    "SECRET_KEY": SECRET,
    "IIN_HASH_KEY": OTHER_SECRET,
    "IIN_KEYS": FERNET_KEYS,
    "STAFF_SECOND_FACTOR": True,
    "STAFF_IDLE_MINUTES": 30,
    "CSRF_TRUSTED_ORIGINS": ["https://bala.example.kz", "https://*.bala.example.kz:8443"],
    **OPERATOR,
    "CONTACT_PHONES": ["8 (727) 123-45-67", "8 (747) 123-45-67 (WhatsApp)"],
    "OWNER_IS_NAMED": True,
    "OWNER_IS_THE_PORTAL": False,
    "HTTPS": True,
    "BEHIND_PROXY": True,
    "TRUSTED_PROXIES": 1,
    "TLS_ENDS_HERE": False,
    "PERSON_REGISTRY": "accounts.registry.http.HttpRegistry",
    "PERSON_REGISTRY_URL": "https://registry.example/",
    "PERSON_REGISTRY_TOKEN": "token",
    "SMS_BACKEND": "notifications.sms.smsc.SmscBackend",
    "SMSC_LOGIN": "login",
    "SMSC_PASSWORD": "password",
    "IDENTITY_PROVIDER": "",
    "SENDS_MAIL": False,
    # Django's own checks.
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": 31_536_000,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SECURE_HSTS_PRELOAD": True,
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
}
