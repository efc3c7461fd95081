"""The pages that tests of all pages open: for everybody, of a family, and of the objects of `tests.city`."""

from django.urls import reverse

PUBLIC = (
    "/",
    "/bulletin/",
    "/bulletin/?status=me",
    "/bulletin/?search=nothing",
    "/queue/",
    "/queue/check/",
    "/queue/check/former/",
    "/queue/former/",
    "/queue/corrections/",
    "/referrals/",
    "/v/",
    "/v/7K2M-9QXA-41TD/",
    "/kindergartens/",
    "/map/",
    "/statistics/",
    "/statistics/places/",
    "/open-data/",
    "/status/",
    "/feedback/",
    "/help/",
    "/contacts/",
    "/privacy/",
    "/accessibility/",
    "/login/",
    "/password/reset/",
    "/stop/",
    "/number/lost/",
    "/first/",
    "/styleguide/",
    "/offline/",
    "/nothing/",
)
CABINET = (
    "/cabinet/",
    "/cabinet/profile/",
    "/cabinet/profile/password/",
    "/cabinet/profile/email/",
    "/cabinet/profile/second-phone/",
    "/cabinet/profile/app/",
    "/cabinet/sessions/",
    "/cabinet/profile/number/",
    "/cabinet/profile/number/confirm/",
    "/cabinet/profile/document/",
    "/cabinet/objections/",
    "/cabinet/complaints/",
    "/cabinet/complaints/new/",
    "/cabinet/notifications/",
    "/cabinet/notifications/archive/",
    "/cabinet/notifications/log/",
    "/cabinet/calendar/",
    "/cabinet/children/",
    "/cabinet/children/add/",
    "/cabinet/children/papers/",
    "/cabinet/applications/",
    "/cabinet/applications/new/",
    "/cabinet/applications/archive/",
    "/bulletin/?status=me",
    "/feedback/",
)
EMPTY = (
    "/cabinet/",
    "/cabinet/applications/",
    "/cabinet/applications/new/",
    "/cabinet/notifications/",
    "/cabinet/notifications/archive/",
    "/cabinet/calendar/",
)


def in_language(language: str, *paths: str) -> list[str]:
    return [f"/ru{path}" if language == "ru" else path for path in paths]


def public_objects(city) -> list[str]:
    queue = [city.kindergarten.locality.slug, city.child.birth_date.year]
    return [
        city.kindergarten.get_absolute_url(),
        city.vacancy.get_absolute_url(),
        reverse("applications:order", args=queue),
    ]


def family_objects(city) -> list[str]:
    """The page of an application in each of its states, and the pages that some of them lead to."""
    of_states = {
        "waiting": ("delete", "why", "claim_benefit", "languages", "move"),
        "bid_placed": ("withdraw",),
        "referred": ("referral_pdf", "extend"),
    }
    return [
        reverse("children:child", args=[city.child.pk]),
        reverse("applications:guardian_claim", args=[city.claim.pk]),
        reverse("applications:objection", args=[city.objection.pk]),
        reverse("applications:complaint", args=[city.complaint.pk]),
        reverse("applications:apply", args=[city.applications["waiting"].pk, city.vacancy.pk]),
        *(application.get_absolute_url() for application in city.applications.values()),
        *(
            reverse(f"applications:{name}", args=[city.applications[state].pk])
            for state, names in of_states.items()
            for name in names
        ),
    ]
