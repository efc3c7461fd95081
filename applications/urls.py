from django.urls import path

from applications.views.cabinet import (
    benefits,
    bids,
    changes,
    explanation,
    filing,
    guardian_claims,
    offers,
    pages,
    referrals,
    sent_files,
)
from applications.views.public import bulletin, downloads, queue, register, vacancy

app_name = "applications"
urlpatterns = [
    # First the pages that thousands open at the same time.
    path("bulletin/", bulletin.bulletin, name="bulletin"),
    path("cabinet/applications/<uuid:pk>/apply/<uuid:vacancy_pk>/", bids.apply, name="apply"),
    path("cabinet/", pages.start, name="cabinet"),
    path("cabinet/applications/", pages.application_list, name="list"),
    path("cabinet/applications/archive/", pages.archived_list, name="archive"),
    path("cabinet/applications/new/", filing.new_application, name="new"),
    path("cabinet/applications/<uuid:pk>/", pages.application_page, name="application"),
    path("cabinet/applications/<uuid:pk>/why/", explanation.why, name="why"),
    path("cabinet/applications/<uuid:pk>/delete/", filing.delete_application, name="delete"),
    path("cabinet/applications/<uuid:pk>/restore/", filing.restore_application, name="restore"),
    path("cabinet/applications/<uuid:pk>/interest/", filing.interest, name="interest"),
    path("cabinet/applications/<uuid:pk>/languages/", changes.languages, name="languages"),
    path("cabinet/applications/<uuid:pk>/move/", changes.move, name="move"),
    path("cabinet/applications/<uuid:pk>/withdraw/", bids.withdraw, name="withdraw"),
    path("cabinet/applications/<uuid:pk>/offer/accept/", offers.accept, name="accept_offer"),
    path("cabinet/applications/<uuid:pk>/offer/decline/", offers.decline, name="decline_offer"),
    path("cabinet/applications/<uuid:pk>/referral.pdf", referrals.referral_pdf, name="referral_pdf"),
    path("cabinet/applications/<uuid:pk>/extend/", referrals.extend, name="extend"),
    path(
        "cabinet/applications/<uuid:pk>/documents/<uuid:document_pk>/",
        sent_files.extension_document,
        name="sent_document",
    ),
    path(
        "cabinet/applications/<uuid:pk>/benefits/<uuid:benefit_pk>/document/",
        sent_files.benefit_proof,
        name="sent_proof",
    ),
    path("cabinet/applications/<uuid:pk>/benefits/claim/", benefits.claim, name="claim_benefit"),
    path(
        "cabinet/applications/<uuid:pk>/benefits/<uuid:benefit_pk>/withdraw/",
        benefits.withdraw,
        name="withdraw_benefit",
    ),
    path("cabinet/children/papers/", guardian_claims.new_claim, name="new_guardian_claim"),
    path("cabinet/children/papers/<uuid:pk>/", guardian_claims.claim_page, name="guardian_claim"),
    path(
        "cabinet/children/papers/<uuid:pk>/<int:paper_pk>/",
        guardian_claims.claim_paper,
        name="guardian_claim_paper",
    ),
    path("cabinet/children/<uuid:pk>/iin/", guardian_claims.join, name="join_iin"),
    path("bulletin.csv", downloads.bulletin_csv, name="bulletin_csv"),
    path("bulletin.atom", downloads.bulletin_atom, name="bulletin_atom"),
    path("bulletin/<uuid:pk>/", vacancy.vacancy_page, name="vacancy"),
    path("bulletin/<uuid:pk>/apply/", bids.choose_child, name="choose_child"),
    path("queue/", queue.queues, name="queue"),
    path("queue/counts.csv", queue.queues_csv, name="queue_csv"),
    path("queue/check/", queue.check, name="queue_check"),
    path("queue/corrections/", queue.corrections, name="corrections"),
    path("queue/corrections.csv", queue.corrections_csv, name="corrections_csv"),
    path("queue/<slug:place>/<int:birth_year>/", queue.order, name="order"),
    path("queue/<slug:place>/<int:birth_year>/order.csv", queue.order_csv, name="order_csv"),
    path("referrals/", register.referral_register, name="referrals"),
]
