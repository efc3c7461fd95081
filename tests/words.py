"""How the tests tell Kazakh, Russian and English apart."""

import re

KAZAKH_ONLY = set("әғқңөұүһіӘҒҚҢӨҰҮҺІ")

# Russian words and endings that no Kazakh text has, loanwords included.
RUSSIAN_WORDS = re.compile(
    r"\b(и|в|во|на|для|от|к|из|у|о|об|или|вы|ваш\w*|нет|есть|это|эт[аио]й?|уже|ещё|место|места|заявк\w+|заявлен\w+|"
    r"направлен\w+|реб[её]н\w+|дет(ей|и|ский|ского)|войти|выбер\w+|введи\w+|\w+(ться|ется|ются|ение|ения|ённ\w+))\b",
    re.IGNORECASE,
)

# Names, formats and terms that people in Kazakhstan write in Latin letters.
LATIN_WORDS = {
    *(
        "Balabaqsha",
        "BALABAQSHA",
        "Telegram",
        "WhatsApp",
        # Apps that a parent may use.
        "Google",
        "Apple",
        "Mozilla",
        "Microsoft",
        "Authenticator",
        "Aegis",
        "SMS",
        "Android",
        "iPhone",
        "Safari",
        "Wi",
        "Fi",
        "OK",
        # What programs read, and how.
        "ETag",
        "Enter",
        "OpenAPI",
        "api",
        "limit",
        # Files that a city brings, and takes away.
        "age",
        "Excel",
        "xlsx",
        "xls",
        "UTF",
        "Windows",
        "name",
        "example",
        "kz",
        "Asia",
        "Almaty",
        "UTC",
        "Cookie",
        "cookie",
        "JavaScript",
        "WCAG",
        "AA",
        "CAPTCHA",
        "eGov",
        "QR",
    ),
    *(
        "CSV",
        "PDF",
        "JPEG",
        "HEIC",
        "WebP",
        "PNG",
        "JSON",
        "XLSX",
        "URL",
        "UUID",
        "IP",
        "IPv",
        "HTTP",
        "HTTPS",
        "SHA",
        "CSRF",
        "LDAP",
    ),
    # Said to administrators and developers only.
    *(
        "Redis",
        "Mac",
        "Control",
        "Command",
        "manage",
        "py",
        "setup_demo",
        "DEBUG",
        "True",
        "False",
        "None",
        "Python",
        "last",
    ),
    *("Accept", "GET", "POST", "Referer", "Referrer", "Policy", "no", "referrer"),
    *("allow_empty", "allow_future", "get_absolute_url", "a", "z", "A", "Z"),
}
