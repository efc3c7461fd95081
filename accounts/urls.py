"""Addresses of people's own pages."""

from django.urls import path

from accounts.views import (
    contacts,
    document,
    export,
    leaving,
    number,
    profile,
    registration,
    reset,
    sign_in,
    stop,
)

app_name = "accounts"
urlpatterns = [
    path("register/", registration.phone, name="register"),
    path("register/code/", registration.code, name="register_code"),
    path("register/password/", registration.password, name="register_password"),
    path("register/account/", registration.account, name="register_account"),
    path("login/", sign_in.sign_in, name="login"),
    path("login/code/", sign_in.sign_in_code, name="login_code"),
    path("logout/", sign_in.sign_out, name="logout"),
    path("password/reset/", reset.phone, name="reset"),
    path("password/reset/code/", reset.code, name="reset_code"),
    path("password/reset/new/", reset.new_password, name="reset_new"),
    path("stop/", stop.phone, name="stop"),
    path("stop/code/", stop.code, name="stop_code"),
    path("stop/choose/", stop.choose, name="stop_choose"),
    path("cabinet/policy/", profile.policy, name="policy"),
    path("cabinet/profile/", profile.profile, name="profile"),
    path("cabinet/profile/photo/", profile.photo, name="photo"),
    path("cabinet/profile/language/", profile.language, name="language"),
    path("cabinet/profile/document/", document.document, name="document"),
    path("cabinet/profile/password/", profile.password, name="password"),
    path("cabinet/profile/data/", export.export, name="export"),
    path("cabinet/profile/number/", number.number, name="number"),
    path("cabinet/profile/number/new/", number.new_code, name="number_new"),
    path("cabinet/profile/number/former/", number.former_code, name="number_former"),
    path("cabinet/profile/number/wait/", number.wait, name="number_wait"),
    path("cabinet/profile/number/stop/", number.stop, name="number_stop"),
    path("cabinet/profile/number/confirm/", number.confirm, name="number_confirm"),
    path("cabinet/profile/close/", leaving.leave, name="leave"),
    path("cabinet/closed/", leaving.come_back, name="come_back"),
    path("cabinet/profile/email/", contacts.email, name="email"),
    path("cabinet/profile/email/code/", contacts.email_code, name="email_code"),
    path("cabinet/profile/second-phone/", contacts.second_phone, name="second_phone"),
    path("cabinet/profile/second-phone/code/", contacts.second_phone_code, name="second_phone_code"),
    path("cabinet/notifications/log/", profile.journal, name="journal"),
]
