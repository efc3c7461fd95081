"""The portal on the screen of a phone: what its browser is told of it, and what it shows without the internet."""

import hashlib
import json
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.middleware import IS_FOR_EVERYBODY

# An hour: so long may a browser go on with what it has, and asks for nothing more beside a page.
KEPT_SECONDS: Final = 3600
# What the offline page is made of: all of it is a part of every page.
FILES: Final = (
    "css/app.css",
    "fonts/roboto-regular.woff2",
    "fonts/roboto-bold.woff2",
    "img/mark.svg",
    "js/forms.js",
    "js/page.js",
    "js/clock.js",
    "js/opening.js",
)
# Drawn from `mark.svg` by `make pictures`. The last leaves room for phones that cut a circle out of it.
_ICONS: Final = (
    ("img/icon-192.png", "192x192", "any"),
    ("img/icon-512.png", "512x512", "any"),
    ("img/icon-maskable.png", "512x512", "maskable"),
)


@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """What a browser needs to put the portal on a screen, in the language of its pages (W3C, Web App Manifest)."""
    told: dict[str, Any] = {
        # One portal, in whichever language it was put there.
        "id": "/",
        "scope": "/",
        "start_url": reverse("home"),
        "lang": get_language(),
        "name": f"Balabaqsha – {_('Kindergarten queue')}",
        "short_name": "Balabaqsha",
        "description": _(
            "Put your child into the queue, choose a vacant place and get the referral, free of charge."
        ),
        "display": "standalone",
        "background_color": "#f4f7fa",
        "theme_color": "#0b5a8f",
        "icons": [
            {"src": static(path), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for path, sizes, purpose in _ICONS
        ],
        "shortcuts": [
            {"name": _("My account"), "url": reverse("applications:cabinet")},
            {"name": _("Bulletin of vacant places"), "url": reverse("applications:bulletin")},
            {"name": _("Check my number"), "url": reverse("applications:queue_check")},
        ],
    }
    answer = JsonResponse(
        told, content_type="application/manifest+json", json_dumps_params={"ensure_ascii": False}
    )
    answer.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    return answer


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """The page that a browser keeps, and shows where the internet is gone; it knows no visitor."""
    return render(request, "offline.html")


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """The script that keeps it. Other files or another page make it another release."""
    pages, inbox, texts = {}, {}, []
    for language, _name in settings.LANGUAGES:
        with override(language):
            pages[language], inbox[language] = reverse("offline"), reverse("notifications:inbox")
            texts.append(render_to_string("offline.html", request=request))
    kept = [static(path) for path in FILES]
    release = hashlib.sha256(json.dumps([kept, texts]).encode()).hexdigest()[:16]
    context = {"release": release, "offline": json.dumps(pages), "kept": json.dumps(kept)}
    context |= {"inbox": json.dumps(inbox), "icon": static(_ICONS[0][0])}
    answer = render(request, "service_worker.js", context, content_type="text/javascript; charset=utf-8")
    setattr(answer, IS_FOR_EVERYBODY, True)
    answer.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    return answer
