"""Debian's Postfix in a folder of its own on a port of its own: STARTTLS, login, mailboxes.

Nothing of the system's own mail server is read, written or stopped. Needs root, because Postfix does.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import trustme

USER, PASSWORD, DOMAIN = "monitor", "correct horse", "example.org"
_DAEMONS = Path("/usr/lib/postfix/sbin")
_PLUGINS = ("/usr/lib/*/sasl2/libplain.so", "/usr/lib/*/sasl2/libsasldb.so")
_PATIENCE_S = 60.0
_PROBE = "probe"

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
daemon_directory = {daemons}
myhostname = mail.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
default_transport = error:nothing leaves this machine
smtpd_peername_lookup = no
in_flow_delay = 0
max_use = 1
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {folder}/server.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = {domain}
cyrus_sasl_config_path = {folder}/sasl
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access texthash:{folder}/access, permit
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
"""

# name, type, private, unprivileged, chroot, wakeup, maxproc, command
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

_SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {folder}/sasldb2
mech_list: PLAIN LOGIN
"""


def missing() -> str:
    """Why no server can be started here; empty when it can."""
    if not (_DAEMONS / "master").exists():
        return "Postfix is not installed"
    if not shutil.which("saslpasswd2", path=os.defpath + ":/usr/sbin"):
        return "sasl2-bin, which makes the login, is not installed"
    if not all(list(Path("/").glob(pattern[1:])) for pattern in _PLUGINS):
        return "libsasl2-modules, which checks the login, is not installed"
    return "" if os.geteuid() == 0 else "Postfix can only be started by root"


@dataclass(frozen=True)
class Server:
    folder: Path
    port: int

    @property
    def ca_file(self) -> str:
        return str(self.folder / "ca.pem")

    def refuse(self, **replies: str) -> None:
        """From the next connection on, these recipients (their local parts) get these replies.

        A process of the server reads the file once and serves one connection (max_use).
        """
        lines = [f"{name}@{DOMAIN} {reply}\n" for name, reply in replies.items()]
        draft = self.folder / "access.new"
        draft.write_text("".join(lines), "ascii")
        draft.replace(self.folder / "access")

    def mails(self, name: str, count: int = 1) -> list[EmailMessage]:
        """What has been delivered to a mailbox, as soon as it is `count` mails."""
        box = self.folder / "mail" / name / "new"
        wait_for(lambda: box.exists() and len(list(box.iterdir())) >= count, self.log)
        return [
            message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(box.iterdir())
        ]

    def log(self) -> str:
        """What it has said so far."""
        paths = (self.folder / name for name in ("stderr", "mail.log"))
        return "".join(path.read_text("utf-8", "replace") for path in paths if path.exists())


class NotStarted(Exception):
    """Postfix is installed and cannot work here; the text is what it said."""


def wait_for(is_so: Callable[[], bool], said: Callable[[], str]) -> None:
    """Returns once it is so. Raises AssertionError, with what was said, after a generous time."""
    end = time.monotonic() + _PATIENCE_S
    while not is_so():
        assert time.monotonic() < end, said()
        time.sleep(0.05)


@contextmanager
def serve(*mailboxes: str) -> Iterator[Server]:
    """A server with these mailboxes (local parts), proved to deliver. Raises NotStarted."""
    # Not below pytest's folder: that is root's alone, and the daemons are not root.
    with tempfile.TemporaryDirectory(prefix="postfix-", dir="/tmp", ignore_cleanup_errors=True) as name:
        server = Server(Path(name), _free_port())
        _prepare(server, mailboxes)
        with (server.folder / "stderr").open("wb") as said:
            master = subprocess.Popen(
                [_DAEMONS / "master", "-c", server.folder, "-d"],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,  # its processes are one group, and none of ours is in it
            )
        try:
            _await(master, server)
            _prove(server)
            yield server
        finally:
            _stop(master)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _prepare(server: Server, mailboxes: tuple[str, ...]) -> None:
    folder, owner, reader = server.folder, pwd.getpwnam("postfix"), pwd.getpwnam("nobody")
    folder.chmod(0o755)
    (folder / "sasl").mkdir()  # where Debian's Postfix looks, whatever its configuration says
    named = {"folder": folder, "daemons": _DAEMONS, "domain": DOMAIN, "port": server.port}
    texts = {"main.cf": _MAIN, "master.cf": _MASTER, "sasl/smtpd.conf": _SASL}
    for file, text in texts.items():
        (folder / file).write_text(text.format(**named, uid=reader.pw_uid, gid=reader.pw_gid), "utf-8")
    (folder / "mailboxes").write_text(
        "".join(f"{box}@{DOMAIN} {box}/\n" for box in (*mailboxes, _PROBE)), "ascii"
    )
    server.refuse()
    _certify(folder)
    _folders(folder, owner)
    (folder / "mail").mkdir()
    os.chown(folder / "mail", reader.pw_uid, reader.pw_gid)
    command = ["/usr/sbin/saslpasswd2", "-p", "-c", "-f", str(folder / "sasldb2"), "-u", DOMAIN, USER]
    subprocess.run(command, input=PASSWORD.encode(), check=True, timeout=_PATIENCE_S)
    os.chown(folder / "sasldb2", owner.pw_uid, owner.pw_gid)


def _certify(folder: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    (folder / "server.pem").chmod(0o600)


def _folders(folder: Path, owner: pwd.struct_passwd) -> None:
    """What `postfix start` would make, for the few daemons that run here."""
    names = "active bounce corrupt defer deferred flush hold incoming private saved trace".split()
    (folder / "queue").mkdir()
    (folder / "queue" / "pid").mkdir()
    for made in [folder / "data", *(folder / "queue" / name for name in names), folder / "queue" / "public"]:
        made.mkdir(mode=0o700)
        os.chown(made, owner.pw_uid, owner.pw_gid)


def _await(master: subprocess.Popen[bytes], server: Server) -> None:
    """Returns once the server greets. Raises NotStarted."""
    end = time.monotonic() + _PATIENCE_S
    while master.poll() is None and time.monotonic() < end:
        address = ("127.0.0.1", server.port)
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=_PATIENCE_S) as probe:
            if probe.recv(3) == b"220":
                return
        time.sleep(0.05)
    _stop(master)
    raise NotStarted(server.log()[-2_000:].strip())


def _prove(server: Server) -> None:
    """A mail by the standard library arrives: what fails after it is ours. Raises NotStarted."""
    context = ssl.create_default_context(cafile=server.ca_file)
    recipient = f"{_PROBE}@{DOMAIN}"
    try:
        with smtplib.SMTP("localhost", server.port, timeout=_PATIENCE_S) as client:
            client.starttls(context=context)
            client.login(f"{USER}@{DOMAIN}", PASSWORD)
            client.sendmail(recipient, [recipient], b"Subject: probe\r\n\r\nprobe\r\n")
        server.mails(_PROBE)
    except (OSError, smtplib.SMTPException, AssertionError) as error:
        raise NotStarted(f"{error}\n{server.log()}"[-2_000:]) from error


def _stop(master: subprocess.Popen[bytes]) -> None:
    """Ends the whole group: the daemons outlive their master otherwise."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(master.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            master.wait(timeout=10)
