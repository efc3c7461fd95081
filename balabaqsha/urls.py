"""Every address of the portal: Kazakh without a prefix, Russian under /ru/."""

from typing import Any

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import TemplateView

from applications.objections import ANSWER_WORKING_DAYS
from balabaqsha import installable, views
from balabaqsha.admin_site import staff_site
from balabaqsha.metrics.views import metrics
from balabaqsha.open_data import views as open_data
from balabaqsha.serving.contract import ALIVE_PATH, HEALTH_PATH, METRICS_PATH, READY_PATH
from balabaqsha.sitemap import sitemap
from bulletin.views import map_tile
from notifications import webhooks

handler400 = "balabaqsha.views.bad_request"
handler403 = "balabaqsha.views.forbidden"
handler404 = "balabaqsha.views.not_found"
handler500 = "balabaqsha.views.server_error"


def _static_page(name: str, **context: Any) -> URLPattern:
    view = TemplateView.as_view(template_name=f"pages/{name}.html", extra_context=context)
    return path(f"{name}/", view, name=name)


urlpatterns: list[URLPattern | URLResolver] = [
    path("clock.json", views.clock, name="clock"),
    path("robots.txt", views.robots, name="robots"),
    path("sw.js", installable.service_worker, name="service_worker"),
    path("api/v1/", open_data.index, name="api"),
    path("api/v1/<slug:name>/", open_data.rows, name="api_rows"),
    path("api/v1/<slug:name>.csv", open_data.rows_csv, name="api_csv"),
    path("sitemap.xml", sitemap, name="sitemap"),
    path("map/tiles/<int:z>/<int:x>/<int:y>", map_tile, name="map_tile"),
    re_path(r"^kk/(?P<rest>.*)$", views.in_kazakh),
    path(HEALTH_PATH.removeprefix("/"), views.health, name="health"),
    path(ALIVE_PATH.removeprefix("/"), views.alive, name="alive"),
    path(READY_PATH.removeprefix("/"), views.ready, name="ready"),
    path(METRICS_PATH.removeprefix("/"), metrics, name="metrics"),
    # Called by machines, in no language.
    path("sms/reports/mobizon/", webhooks.mobizon_report, name="mobizon_report"),
    path("sms/reports/kannel/", webhooks.kannel_report, name="kannel_report"),
    *i18n_patterns(
        path("", views.home, name="home"),
        # First, since it is requested most, and earlier entries are found faster.
        path("", include("applications.urls")),
        path("place/", views.choose_place, name="place"),
        path("statistics/", views.statistics, name="statistics"),
        path("status/", views.status, name="status"),
        path("offline/", installable.offline, name="offline"),
        path("manifest.webmanifest", installable.manifest, name="manifest"),
        path("open-data/", open_data.open_data, name="open_data"),
        path("help/", views.help_page, name="help"),
        path("help/glossary/", TemplateView.as_view(template_name="pages/glossary.html"), name="glossary"),
        path("help/<slug:slug>/", views.help_question, name="help_question"),
        _static_page("contacts"),
        _static_page("privacy", answer_days=ANSWER_WORKING_DAYS),
        _static_page("accessibility"),
        path("admin/", staff_site.urls),
        path("", include("accounts.urls")),
        path("", include("notifications.urls")),
        path("", include("children.urls")),
        path("", include("bulletin.urls")),
        prefix_default_language=False,
    ),
]

if settings.DEMO:
    # Imported here: a real portal has none of it.
    from balabaqsha.demo.styleguide import styleguide, styleguide_error

    urlpatterns += [path("demo/", include("balabaqsha.demo.urls"))]
    urlpatterns += i18n_patterns(
        path("styleguide/", styleguide, name="styleguide"),
        path("styleguide/errors/<slug:name>/", styleguide_error, name="styleguide_error"),
        prefix_default_language=False,
    )
