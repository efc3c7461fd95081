"""nginx as deploy/nginx configures it, on loopback and in a folder of one's own, with a certificate made for it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from shutil import which
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from drills.accounts import hand_over

ROOT: Final = Path(__file__).resolve().parent.parent
SHIPPED: Final = ROOT / "deploy" / "nginx" / "balabaqsha.conf"
NAME: Final = "bala.example.kz"

_AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
worker_processes 1;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    types {{ }}
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/passing;
    fastcgi_temp_path {folder}/unused; uwsgi_temp_path {folder}/unused; scgi_temp_path {folder}/unused;
    include {folder}/balabaqsha.conf;
}}
"""


def program() -> str | None:
    """Where nginx is; None where it is not installed."""
    return which("nginx") or which("nginx", path="/usr/sbin")


def configure(folder: Path, *, http: int, https: int, portals: Sequence[int]) -> Path:
    """Write the shipped configuration for these ports and web processes, with all that it names; the path of it."""
    certify(folder)
    (folder / "maintenance.html").write_text("<h1>maintenance</h1>\n")
    shipped, log = SHIPPED.read_text(), f"{folder}/access.log"
    line = next(line for line in shipped.splitlines(keepends=True) if "server 127.0.0.1:8000" in line)
    text = shipped.replace(line, "".join(line.replace("8000", str(port)) for port in portals))
    for old, new in {
        "    listen [::]:80;\n": "",
        "    listen [::]:443 ssl http2;\n": "",
        "listen 80;": f"listen 127.0.0.1:{http};",
        "listen 443 ssl": f"listen 127.0.0.1:{https} ssl",
        "/etc/ssl/": f"{folder}/",
        "/var/log/nginx/access.log": log,
        "/var/www/balabaqsha": str(folder),
        "/var/cache/balabaqsha": f"{folder}/kept",
    }.items():
        if old not in text:
            raise SystemExit(f"{SHIPPED} has no {old.strip()} any more: the drill must follow.")
        text = text.replace(old, new)
    (folder / "balabaqsha.conf").write_text(text)
    written = folder / "nginx.conf"
    written.write_text(_AROUND.format(folder=folder))
    for path in (folder, *folder.iterdir()):
        hand_over(path)
    return written


def certify(folder: Path) -> None:
    """A certificate for the name in the configuration, which signs itself, good for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(NAME), x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    (folder / f"{NAME}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = folder / f"{NAME}.key"
    private.touch(mode=0o600)
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
