"""What a real deployment must not run with (`manage.py check --deploy`); SMS gateways have their own checks."""

from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from accounts.identity_provider import get_provider
from accounts.identity_provider.signed import public_key
from accounts.kept_files import Room, try_keeping_in_time
from accounts.registry import is_simulated
from accounts.registry.http import own_papers
from notifications import peers
from notifications.named_classes import find_class

# A disk over the network takes its time; one that hangs must not hold up a set-up for good.
DISK_SECONDS: Final = 5.0


@register(deploy=True)
def no_demo(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Demo mode has a public desk with codes and passwords."""
    if not settings.DEMO:
        return []
    return [
        Error(
            "Demo mode is on.",
            hint="Unset BALABAQSHA_DEMO: its desk shows codes to everyone.",
            id="accounts.E001",
        )
    ]


@register(Tags.compatibility)
def registry_exists(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The named registry can be imported."""
    try:
        find_class(settings.PERSON_REGISTRY, having="find_person")
    except ImportError as error:
        hint = "Set PERSON_REGISTRY to the dotted path of a registry's class."
        return [
            Error(f"The person registry can't be imported: {error}", hint=hint, id="accounts.E004"),
        ]
    return []


@register(deploy=True)
def no_simulated_registry(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Made-up people may register only in the demo."""
    if settings.DEMO or registry_exists(None) or not is_simulated():
        return []
    return [
        Error(
            "The person registry is simulated.",
            hint="Set PERSON_REGISTRY to accounts.registry.http.HttpRegistry.",
            id="accounts.E002",
        )
    ]


@register(deploy=True)
def registry_has_address(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The HTTP registry needs an address that encrypts what travels, and a token."""
    if registry_exists(None) or is_simulated():
        return []
    if settings.PERSON_REGISTRY_URL.startswith("https://") and settings.PERSON_REGISTRY_TOKEN:
        return []
    return [
        Error(
            "The person registry has no https address or no token.",
            hint="Set PERSON_REGISTRY_URL and PERSON_REGISTRY_TOKEN.",
            id="accounts.E003",
        )
    ]


@register(deploy=True)
def registry_has_papers(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What is named for the gateway of the registry can be read, and the key belongs to the certificate."""
    try:
        peers.tls_context(own_papers())
    except (OSError, ValueError) as error:
        return [
            Error(
                f"The certificates for the person registry can't be used: {type(error).__name__}",
                hint="PERSON_REGISTRY_CERTIFICATE names a PEM file with a certificate and its unencrypted key, "
                "PERSON_REGISTRY_CA one with the gateway's authorities; this account must be able to read them.",
                id="accounts.E012",
            )
        ]
    return []


@register(deploy=True)
def files_can_be_kept(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Families' papers and referrals find a folder that can be written, with room in it."""
    root = Path(settings.MEDIA_ROOT)
    room, reason = try_keeping_in_time(root, seconds=DISK_SECONDS)
    if room is Room.OK:
        return []
    hint = "Set MEDIA_ROOT to a folder that the portal's account may write to, on a disk with room."
    return [Error(f"Files can't be kept in MEDIA_ROOT. {reason}", hint=hint, id="accounts.E006")]


@register(Tags.compatibility)
def identity_provider_exists(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The named provider of identity can be imported."""
    try:
        get_provider()
    except ImportError as error:
        hint = "Set IDENTITY_PROVIDER to the dotted path of a provider's class, or to nothing."
        return [Error(f"The provider of identity can't be imported: {error}", hint=hint, id="accounts.E009")]
    return []


@register(deploy=True)
def identity_provider_is_real(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Nobody is proven by a made-up provider, or by answers that travel or are signed as anybody likes."""
    if settings.DEMO or identity_provider_exists(None):
        return []
    provider = get_provider()
    if provider is None:
        return []
    if provider.simulated:
        hint = "Set IDENTITY_PROVIDER to accounts.identity_provider.http.HttpProvider, or to nothing."
        return [Error("The provider of identity is simulated.", hint=hint, id="accounts.E010")]
    try:
        public_key(settings.IDENTITY_PROVIDER_KEY)
        is_usable = bool(settings.IDENTITY_PROVIDER_TOKEN)
    except ValueError:
        is_usable = False
    if is_usable and settings.IDENTITY_PROVIDER_URL.startswith("https://"):
        return []
    return [
        Error(
            "The provider of identity has no https address, no token or no usable key.",
            hint="Set IDENTITY_PROVIDER_URL, IDENTITY_PROVIDER_TOKEN and IDENTITY_PROVIDER_KEY (docs/identity.md).",
            id="accounts.E011",
        )
    ]
