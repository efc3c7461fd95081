"""What each role may do in the workplace; docs/roles.md tells it in a table, which a test compares with every page.

Which rows somebody sees is decided by employment (`applications.own_rows`). A role that holds `work_everywhere` sees
those of the whole city.
"""

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from accounts.roles import Role

_SEEN_BY_BOTH = [
    "applications.view_bid",
    "applications.view_contract",
    "applications.view_groupproposal",
    "applications.view_headcount",
    "applications.view_profileproposal",
    "applications.view_referral",
    "applications.view_undorequest",
    "bulletin.view_closing",
    "bulletin.view_group",
    "bulletin.view_kindergarten",
    "bulletin.view_photo",
    "bulletin.view_vacancy",
]

# What is offered, as everybody may read it in the bulletin, with its drafts.
_OFFER = [
    "bulletin.view_closing",
    "bulletin.view_group",
    "bulletin.view_holiday",
    "bulletin.view_kindergarten",
    "bulletin.view_locality",
    "bulletin.view_pause",
    "bulletin.view_reportedincident",
    "bulletin.view_vacancy",
]

PERMISSIONS: dict[Role, list[str]] = {
    Role.KINDERGARTEN: [
        *_SEEN_BY_BOTH,
        "applications.open_papers",
        "applications.change_bid",
        "applications.change_referral",
        "applications.add_profileproposal",
        "applications.add_undorequest",
        "bulletin.add_group",
        "bulletin.add_photo",
        "bulletin.answer_review",
        "bulletin.add_vacancy",
        "bulletin.change_group",
        "bulletin.change_kindergarten",
        "bulletin.change_vacancy",
        "bulletin.delete_vacancy",
        "bulletin.view_review",
        "children.look_at_family",
        "children.read_names_of_family",
    ],
    Role.CONTACT_CENTRE: [
        "accounts.add_assistedmove",
        "accounts.add_firstsignin",
        "accounts.change_firstsignin",
        "accounts.view_firstsignin",
        "accounts.change_assistedmove",
        "accounts.view_assistedmove",
        *_OFFER,
        "bulletin.work_everywhere",
        "children.look_at_family",
        "children.read_names_of_family",
        "children.read_whole_card_of_family",
        "children.send_to_family_again",
    ],
    Role.AUDITOR: [
        *_SEEN_BY_BOTH,
        *_OFFER,
        "applications.read_reports",
        "accounts.view_assistedmove",
        "accounts.view_auditentry",
        "accounts.view_employee",
        "accounts.view_firstsignin",
        "accounts.view_numbermove",
        "accounts.view_objection",
        "accounts.view_policyconsent",
        "accounts.view_user",
        "applications.view_application",
        "applications.view_benefit",
        "applications.view_benefitcategory",
        "applications.view_cityexport",
        "applications.view_complaint",
        "applications.view_correction",
        "applications.view_event",
        "applications.view_formerprotocol",
        "applications.view_rules",
        "applications.view_rulesproposal",
        "applications.view_stoplistentry",
        "auth.view_group",
        "bulletin.view_employment",
        "bulletin.view_review",
        "bulletin.work_everywhere",
        "children.look_at_family",
        "children.read_whole_card_of_family",
        "notifications.view_mail",
        "notifications.view_message",
        "notifications.view_notice",
    ],
    Role.ADMINISTRATOR: [
        *_OFFER,
        "accounts.add_employee",
        "accounts.change_employee",
        "accounts.change_user",
        "accounts.view_auditentry",
        "accounts.view_employee",
        "accounts.view_user",
        "applications.add_benefitcategory",
        "applications.change_benefitcategory",
        "applications.view_benefitcategory",
        "applications.view_rules",
        "auth.view_group",
        "bulletin.add_employment",
        "bulletin.add_holiday",
        "bulletin.add_kindergarten",
        "bulletin.add_locality",
        "bulletin.add_reportedincident",
        "bulletin.change_employment",
        "bulletin.change_holiday",
        "bulletin.change_kindergarten",
        "bulletin.change_locality",
        "bulletin.change_reportedincident",
        "bulletin.load_files",
        "bulletin.view_employment",
        "bulletin.work_everywhere",
        "notifications.change_mail",
        "notifications.change_message",
        "notifications.view_mail",
        "notifications.view_message",
    ],
    Role.OFFICIAL: [
        *_SEEN_BY_BOTH,
        "accounts.change_numbermove",
        "accounts.change_assistedmove",
        "accounts.view_assistedmove",
        "accounts.view_auditentry",
        "accounts.change_objection",
        "accounts.view_numbermove",
        "accounts.view_objection",
        "accounts.view_user",
        "applications.open_papers",
        "applications.read_reports",
        "applications.add_benefitcategory",
        "applications.add_cityexport",
        "applications.add_correction",
        "applications.add_formerprotocol",
        "applications.add_profileproposal",
        "applications.add_rules",
        "applications.add_undorequest",
        "applications.change_benefit",
        "applications.change_benefitcategory",
        "applications.change_cityexport",
        "applications.change_complaint",
        "applications.change_correction",
        "applications.change_formerline",
        "applications.change_formerprotocol",
        "applications.change_groupproposal",
        "applications.change_headcount",
        "applications.change_profileproposal",
        "applications.change_rules",
        "applications.change_stoplistentry",
        "applications.change_undorequest",
        "applications.view_application",
        "applications.view_benefit",
        "applications.view_benefitcategory",
        "applications.view_cityexport",
        "applications.view_complaint",
        "applications.view_correction",
        "applications.view_event",
        "applications.view_formerline",
        "applications.view_formerprotocol",
        "applications.view_rules",
        "applications.view_rulesproposal",
        "applications.view_stoplistentry",
        "bulletin.add_closing",
        "bulletin.add_group",
        "bulletin.add_holiday",
        "bulletin.add_kindergarten",
        "bulletin.add_pause",
        "bulletin.add_reportedincident",
        "bulletin.change_closing",
        "bulletin.change_group",
        "bulletin.change_holiday",
        "bulletin.change_kindergarten",
        "bulletin.change_pause",
        "bulletin.change_photo",
        "bulletin.change_reportedincident",
        "bulletin.change_review",
        "bulletin.change_vacancy",
        "bulletin.load_files",
        "bulletin.stand_in",
        "bulletin.view_employment",
        "bulletin.view_holiday",
        "bulletin.view_locality",
        "bulletin.view_pause",
        "bulletin.view_reportedincident",
        "bulletin.view_review",
        "children.change_dispute",
        "children.change_guardianclaim",
        "children.look_at_family",
        "children.read_names_of_family",
        "children.view_child",
        "children.view_dispute",
        "children.view_guardianclaim",
        "children.view_guardianship",
        "notifications.view_mail",
        "notifications.view_message",
    ],
}


def set_up_roles() -> None:
    """Make the group of every role hold exactly its permissions. May be repeated; members are not touched.

    Raises `LookupError` for a permission that does not exist (before `migrate`, or misspelt here).
    """
    for role, names in PERMISSIONS.items():
        group, _created = Group.objects.get_or_create(name=role.value)
        group.permissions.set(_permissions(names))


def _permissions(names: list[str]) -> list[Permission]:
    wanted = Q()
    for name in names:
        app, codename = name.split(".")
        wanted |= Q(content_type__app_label=app, codename=codename)
    found = list(Permission.objects.filter(wanted).select_related("content_type"))
    missing = set(names) - {f"{one.content_type.app_label}.{one.codename}" for one in found}
    if missing:
        raise LookupError(f"no such permissions: {', '.join(sorted(missing))}; run migrate first")
    return found
