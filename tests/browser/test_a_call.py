"""A call answered by the contact centre: found by phone, opened with a reason, answered from the card alone."""

import re
from datetime import date, timedelta

from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import AuditEntry
from accounts.roles import Role
from applications.journal_actions import Action
from applications.waiting.filing import archive, file_application
from balabaqsha.roles import set_up_roles
from notifications.models import Message
from tests.browser.desk import Desk
from tests.factories import ChildFactory, GuardianshipFactory, LocalityFactory, UserFactory
from tests.staff import employee
from tests.thorough import whole_way


@whole_way
def test_a_call_is_answered_from_the_card(open_context, live_server):
    set_up_roles()
    now, locality = timezone.now(), LocalityFactory()

    def filed(guardian, *, days_ago):
        child = ChildFactory(birth_date=date(now.year - 3, 7, 20))
        GuardianshipFactory(child=child, user=guardian)
        at = now - timedelta(days=days_ago)
        return file_application(child=child, locality=locality, languages=["kk"], actor=guardian, now=at)

    caller = UserFactory(phone="+77017779876", profile__last_name="ОМАРОВА")
    ahead, waiting = filed(UserFactory(), days_ago=9), filed(caller, days_ago=8)
    archive(ahead, actor=ahead.filed_by, now=now)
    Message.objects.create(
        recipient=caller,
        phone=caller.phone,
        kind="application_filed",
        language="kk",
        text="Өтініш қабылданды",
        dedupe_key="1",
        state="failed",
        next_attempt_at=now,
        give_up_at=now,
        created_at=now,
    )
    desk = Desk(
        open_context(locale="ru-RU"),
        language="ru",
        portal=live_server.url,
        user=employee(Role.CONTACT_CENTRE),
    )
    page = desk.page
    desk.start()
    desk.looked_at()
    desk.write("#id_family_text", "8 (701) 777-98-76")
    desk.press("Enter")
    expect(page.get_by_role("heading", name="Почему вы открываете данные этой семьи")).to_be_visible()
    expect(page.get_by_text(waiting.number)).to_have_count(0)
    desk.looked_at()
    desk.choose(page.get_by_label("Звонок семьи"))
    desk.press("Open the card")
    expect(page.get_by_text(waiting.number).first).to_be_visible()
    desk.took("a family by phone")
    assert AuditEntry.objects.filter(action=Action.LOOKED_ON_CALL, subject=caller).exists()
    page.get_by_role("link", name="Почему изменился номер").first.click()
    expect(page.get_by_text("2 → 1").first).to_be_visible()
    desk.looked_at()
    page.get_by_role("row", name="не отправлено").get_by_role("button", name="Отправить повторно").click()
    # At night it says when.
    expect(page.get_by_text(re.compile("Сообщение (отправляется повторно|уйдёт днём)"))).to_be_visible()
    assert Message.objects.get(dedupe_key="1").state == "queued"
    page.get_by_label("Найти семью").fill("Нетакого")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Никто не найден.")).to_be_visible()
    desk.looked_at()
    page.get_by_label("Найти семью").fill("каменова")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="КАМЕНОВА").first).to_be_visible()
    desk.looked_at()
