"""People: who may sign in, what the registry says of them, what they agreed to."""

import hashlib
import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, Permission, PermissionsMixin
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from accounts import identity, phones
from accounts.masks import mask_identity, mask_name, mask_phone
from accounts.name_search import name_index
from accounts.registry.base import PhoneTie
from notifications.fields import EncryptedTextField, PatientEncryptedTextField
from notifications.hours import Hours


class Sex(models.TextChoices):
    MALE = "m", _("male")
    FEMALE = "f", _("female")


class UserManager(BaseUserManager["User"]):
    def create_parent(self, *, phone: str, password: str | None, language: str = "kk") -> "User":
        """A parent, who signs in with the phone number (E.164)."""
        return self._create(username=phone, phone=phone, password=password, language=language)

    def create_staff(self, *, username: str, password: str | None, **fields: Any) -> "User":
        """An employee, who signs in to the admin with a name; rights come from employment and groups."""
        return self._create(username=username, password=password, is_staff=True, **fields)

    def create_superuser(self, username: str, password: str | None = None, **fields: Any) -> "User":
        return self._create(username=username, password=password, is_staff=True, is_superuser=True, **fields)

    def _create(self, *, username: str, password: str | None, **fields: Any) -> "User":
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """Someone who can sign in: a parent by phone, or an employee by name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(
        _("login"), max_length=60, unique=True, help_text=_("A parent's phone number, or an employee's name.")
    )
    phone = PhoneNumberField(_("phone"), unique=True, null=True, blank=True)
    language = models.CharField(_("language of messages"), max_length=2, default="kk")
    is_staff = models.BooleanField(_("employee"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("registered at"), default=timezone.now)
    # When a code by SMS to the phone was last entered; empty where that is only known of the registration.
    phone_proven_at = models.DateTimeField(_("phone proven at"), null=True, blank=True, editable=False)
    # An employee's: it tells when they would decide about a child of their own. A parent's is in the profile.
    staff_iin_hash = models.CharField(max_length=64, unique=True, null=True, editable=False)
    # Kept so that the hash can be made anew under another key; shown to nobody.
    kept_iin = PatientEncryptedTextField(blank=True, editable=False, default="", db_default="")
    # The owner asked to close the account then (`accounts.data.leaving`): until it is forgotten, they may come back.
    leaving_since = models.DateTimeField(_("closed by its owner at"), null=True, blank=True, editable=False)
    # From then on nothing in it tells whose it was.
    forgotten_at = models.DateTimeField(_("forgotten at"), null=True, blank=True, editable=False)

    # Proven by a code. On the user, not on the profile: whoever tells a family something reads no second row.
    email = PatientEncryptedTextField(_("e-mail address"), blank=True, default="", db_default="")
    mails_notices = models.BooleanField(_("notices by e-mail too"), default=False, db_default=False)
    # The chat with our bot (`accounts.telegram`).
    telegram = PatientEncryptedTextField(_("Telegram chat"), blank=True, default="", db_default="")
    # What differs from what the portal does by itself (`notifications.ways`).
    chosen_ways = models.JSONField(_("chosen ways of notices"), default=dict, db_default={}, blank=True)
    # Of what can't be switched off. What is chosen to go there always goes there anyway.
    second_phone_if_lost = models.BooleanField(
        _("to the second phone if an SMS did not arrive"), default=False, db_default=False
    )
    # Both or neither; the night may lie between them.
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_to = models.TimeField(_("quiet until"), null=True, blank=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    # The hash columns beside encrypted ones, and how they are made (`accounts.rotation`).
    HASHED: ClassVar = {"kept_iin": [("staff_iin_hash", identity.iin_hash)]}

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        indexes = [
            models.Index(fields=["-date_joined", "-id"], name="user_newest"),
            # Employees are few among the families.
            models.Index(fields=["username"], condition=models.Q(is_staff=True), name="user_staff"),
            models.Index(
                fields=["leaving_since"],
                condition=models.Q(leaving_since__isnull=False, forgotten_at=None),
                name="user_leaving",
            ),
        ]

    def get_session_auth_hash(self) -> str:
        """What a session must hold to belong to this user: it changes with the password.

        Not keyed, unlike Django's, so that the database itself can compare it (`applications.bidding.rush`).
        Sessions are kept on the server and signed, and no password can be guessed from the hash of a salted hash.
        """
        return hashlib.sha256(self.password.encode()).hexdigest()

    @property
    def login(self) -> str:
        """What a parent types to sign in: the phone, or the number from the paper; empty if there is neither."""
        return str(self.phone) if self.phone else phones.paper_login(self.username)

    @property
    def proven_second_phone(self) -> str:
        """The second phone (E.164) that its owner proved by a code; empty if there is none."""
        profile: Profile | None = getattr(self, "profile", None)
        if profile is None or not (profile.second_phone and profile.second_phone_proven_at):
            return ""
        return str(profile.second_phone.as_e164)

    @property
    def push_devices(self) -> list[Any]:
        """Its devices that show notices: turned on since it has this password, and not gone. A query, if not read."""
        stamp = self.get_session_auth_hash()
        return [one for one in self.push_subscriptions.all() if one.gone_at is None and one.stamp == stamp]

    @property
    def has_push_device(self) -> bool:
        return bool(self.push_devices)

    @property
    def quiet_hours(self) -> Hours | None:
        """From when until when, by the clock of the family's place, only what can't wait reaches them."""
        return Hours(self.quiet_from, self.quiet_to) if self.quiet_from and self.quiet_to else None

    @cached_property
    def _perm_cache(self) -> set[str]:
        """What the account and its roles may do, by one statement.

        Django's backend keeps under this name what it reads by two, on every page of the workplace.
        """
        names = ("content_type__app_label", "codename")
        if self.is_superuser:
            granted = Permission.objects.order_by().values_list(*names)
        else:
            own = self.user_permissions.order_by().values_list(*names)
            granted = own.union(Permission.objects.filter(group__user=self).order_by().values_list(*names))
        return {f"{app}.{codename}" for app, codename in granted}

    def has_perm(self, perm: str, obj: models.Model | None = None) -> bool:
        """Django's, for rights in general by one look: a start page asks two hundred times."""
        if obj is None and self.is_active and not self.is_superuser:
            return perm in self._perm_cache
        return super().has_perm(perm, obj)

    def is_same_person(self, parent: "User") -> bool:
        """Whether this account, which may be an employee's, is the parent's or has the parent's IIN."""
        if self == parent:
            return True
        profile = getattr(parent, "profile", None)
        return profile is not None and profile.iin_hash in self.staff_iin_hashes

    @cached_property
    def own_accounts(self) -> set[uuid.UUID]:
        """The keys of every account of the same person: this one and, of an employee, those with the employee's IIN.

        Read once, as permissions are: for a request.
        """
        hashes = self.staff_iin_hashes
        others = (
            Profile.objects.filter(iin_hash__in=hashes).values_list("user_id", flat=True) if hashes else ()
        )
        return {self.pk, *others}

    @property
    def staff_iin_hashes(self) -> set[str]:
        """Every hash under which an employee's IIN may be stored elsewhere; none for others."""
        return (
            {self.staff_iin_hash, *identity.iin_hashes(self.kept_iin or "")} if self.staff_iin_hash else set()
        )

    def __str__(self) -> str:
        """A parent's masked phone; an employee's name and position, for which lists join `employee`."""
        if self.phone or not self.is_staff:
            return mask_phone(self.username) if self.phone else self.username
        return str(getattr(self, "employee", None) or self.username)


class Profile(models.Model):
    """What the person registry said about a parent at registration, and what the parent added."""

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, related_name="profile", verbose_name=_("user")
    )
    iin = EncryptedTextField(_("IIN"), blank=True)
    iin_hash = models.CharField(max_length=64, unique=True, null=True, editable=False)
    document_number = EncryptedTextField(_("document number"), blank=True)
    document_hash = models.CharField(max_length=64, unique=True, null=True, editable=False)
    last_name = models.CharField(_("last name"), max_length=100)
    first_name = models.CharField(_("first name"), max_length=100)
    middle_name = models.CharField(_("patronymic"), max_length=100, blank=True)
    birth_date = models.DateField(_("birth date"))
    sex = models.CharField(_("sex"), max_length=1, choices=Sex.choices)
    photo = models.ImageField(_("photo"), upload_to="photos/", blank=True)
    # The last answer: where much depends on it, the registry is asked again.
    phone_tie = models.CharField(
        _("phone in the base of mobile citizens"),
        max_length=7,
        choices=[
            (PhoneTie.YES, _("registered to this person")),
            (PhoneTie.NO, _("registered to somebody else")),
            (PhoneTie.UNKNOWN, _("not known")),
            (PhoneTie.UNASKED, _("not asked")),
        ],
        default=PhoneTie.UNASKED,
    )
    # An employee typed it from a document that the registry did not know; empty again once the registry knows it.
    is_typed = models.BooleanField(
        _("typed from the document"), default=False, db_default=False, editable=False
    )
    # When the registry was last asked who this person is (`accounts.registry_data`).
    registry_asked_at = models.DateTimeField(_("registry asked at"), null=True, editable=False)
    # Of any country and kind: the contact centre calls it. Once proven by a code it can give the account back.
    second_phone = PhoneNumberField(_("second phone"), blank=True)
    second_phone_proven_at = models.DateTimeField(_("second phone proven at"), null=True, blank=True)
    address = models.CharField(_("address"), max_length=300, blank=True)

    HASHED: ClassVar = {
        "iin": [("iin_hash", identity.iin_hash)],
        "document_number": [("document_hash", identity.document_hash)],
    }

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        indexes = [
            name_index("profile_folded_name"),
            models.Index(
                fields=["second_phone"], condition=~models.Q(second_phone=""), name="profile_second_phone"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(iin_hash__isnull=False) | models.Q(document_hash__isnull=False),
                name="profile_has_identity",
            )
        ]

    def __str__(self) -> str:
        return self.full_name

    @classmethod
    def locked(cls, user: User) -> "Profile":
        """The profile of `user`, locked in the caller's transaction after the account's row.

        A move of the number locks them in this order, and what the caller writes beside the profile (journal, messages)
        points to the account: the other way round two would wait for each other.
        """
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        return cls.objects.select_for_update().get(user=user)

    @property
    def full_name(self) -> str:
        """Last, first and middle name, as the registry writes them."""
        return " ".join(filter(None, (self.last_name, self.first_name, self.middle_name)))

    @property
    def masked_name(self) -> str:
        """The name as another family member may read it: `К••••• Е.`"""
        return mask_name(self.last_name, self.first_name)

    @property
    def masked_identity(self) -> str:
        """The end of the IIN, or of the document's number where there is none."""
        return mask_identity(iin=self.iin, number=self.document_number)


class PolicyConsent(models.Model):
    """A person's agreement to one version of the data policy; kept as proof, never changed."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="consents", verbose_name=_("user"))
    version = models.CharField(_("version"), max_length=20)
    given_at = models.DateTimeField(_("given at"))

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [models.UniqueConstraint(fields=["user", "version"], name="one_consent_per_version")]

    def __str__(self) -> str:
        return self.version
