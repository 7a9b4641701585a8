"""The clients, asked in the same few ways. `server` names one of several machines: every one
has its own state, as if the client were installed there alone."""

import contextlib
import json
import os
import pathlib
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from net import Net
from portal import ROOT, Url

HERE = pathlib.Path(__file__).parent
# The longest that one run of a client may take, in seconds.
LIMIT = 90
# How long a client's own server may take to do what is waited for, in seconds.
PATIENCE = 60


class ClientFailed(Exception):
    """A client ended with an error."""


@dataclass
class Site:
    """What all clients share."""

    folder: pathlib.Path
    net: Net
    root: pathlib.Path


def until(found: Callable[[], object], child: subprocess.Popen, wanted: str) -> None:
    """Waits for what a running server brings about."""
    end = time.monotonic() + PATIENCE
    while not found():
        if time.monotonic() > end or child.poll() is not None:
            raise ClientFailed(f"{child.args[0]} came to no {wanted}")
        time.sleep(0.1)


class Client:
    """One ACME client."""

    name = ""
    programs: tuple[str, ...] = ()
    # What it can do beyond getting certificates and answering http-01; docs/ACME.md says why it can't do the others.
    abilities: frozenset[str] = frozenset()

    def __init__(self, site: Site):
        self.site = site
        self.log = site.folder / f"{self.name}.log"

    def home(self, server: str) -> pathlib.Path:
        folder = self.site.folder / self.name / server
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def environment(self) -> dict[str, str]:
        net = self.site.net
        ours = {"RECORDS": str(net.records), "CHALLENGES": str(net.challenges), "HOOK": str(HERE / "hook")}
        trust = ["REQUESTS_CA_BUNDLE", "LEGO_CA_CERTIFICATES", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE"]
        return dict(os.environ) | ours | {name: str(self.site.root) for name in trust}

    def run(self, *words: object, **more: str) -> str:
        words = [str(word) for word in words]
        with self.log.open("a") as log:
            log.write(f"$ {shlex.join(words)}\n")
            done = subprocess.run(
                words, env=self.environment() | more, cwd=self.site.folder, capture_output=True, text=True, timeout=LIMIT
            )
            log.write(done.stdout + done.stderr)
        if done.returncode != 0:
            raise ClientFailed(f"{words[0]} ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-600:]}")
        return done.stdout

    @contextlib.contextmanager
    def running(self, *words: object, **more: str) -> Iterator[subprocess.Popen]:
        """A server of the client's own, for as long as the block lasts."""
        with self.log.open("a") as log:
            child = subprocess.Popen(
                [str(word) for word in words], env=self.environment() | more, stdout=log, stderr=log
            )
        try:
            yield child
        finally:
            child.terminate()
            child.wait(PATIENCE)

    def obtain(self, server: str, url: Url, name: str, method: str = "http-01") -> pathlib.Path:
        """Gets a certificate now, whatever is there: the PEM file, the leaf first."""
        raise NotImplementedError

    def renew(self, server: str, url: Url, name: str) -> pathlib.Path:
        """Runs what a timer would run: the client renews if it finds the certificate due."""
        return self.obtain(server, url, name)

    def revoke(self, server: str, url: Url, certificate: pathlib.Path) -> None:
        """Revokes as superseded, which a client with this ability can."""
        raise NotImplementedError

    def rekey(self, server: str, url: Url) -> None:
        """Changes the account's key, which a client with this ability can."""
        raise NotImplementedError


class Certbot(Client):
    name, programs = "certbot", ("certbot",)
    abilities = frozenset({"dns-01", "revocation", "account count"})
    # By host and path, whatever the query: one for the directory and one for /directory/duplicate/N.
    accounts = 2

    def folders(self, server: str) -> list[object]:
        home = self.home(server)
        return ["--config-dir", home / "etc", "--work-dir", home / "work", "--logs-dir", home / "log", "-n"]

    def obtain(self, server, url, name, method="http-01"):
        way = ["--webroot", "-w", self.site.net.webroot]
        if method == "dns-01":
            way = ["--manual", "--preferred-challenges", "dns", "--manual-auth-hook", f"{HERE / 'hook'} certbot"]
        certificate_name = name.replace("*", "any")
        self.run(
            "certbot", "certonly", *self.folders(server), *way, "--agree-tos", "-m", "admin@example.com",
            "--server", url.directory, "--eab-kid", url.kid, "--eab-hmac-key", url.key,
            "--force-renewal", "--cert-name", certificate_name, "-d", name,
        )
        return self.home(server) / "etc" / "live" / certificate_name / "fullchain.pem"

    def renew(self, server, url, name):
        self.run("certbot", "renew", *self.folders(server), "--no-random-sleep-on-renew", "--cert-name", name)
        return self.home(server) / "etc" / "live" / name / "fullchain.pem"

    def revoke(self, server, url, certificate):
        self.run(
            "certbot", "revoke", *self.folders(server), "--server", url.directory,
            "--cert-path", certificate.resolve(), "--no-delete-after-revoke", "--reason", "superseded",
        )


class Lego(Client):
    name, programs = "lego", ("lego",)
    abilities = frozenset({"dns-01", "tls-alpn-01", "revocation", "account count"})
    # By host.
    accounts = 1

    def base(self, server: str, url: Url, name: str) -> list[object]:
        return [
            "lego", "--path", self.home(server), "--server", url.directory, "--eab", "--kid", url.kid, "--hmac", url.key,
            "--accept-tos", "--email", "admin@example.com", "--domains", name,
        ]

    def file(self, server: str, name: str) -> pathlib.Path:
        return self.home(server) / "certificates" / f"{name.replace('*', '_')}.crt"

    def obtain(self, server, url, name, method="http-01"):
        way = ["--http", "--http.webroot", self.site.net.webroot]
        if method == "dns-01":
            way = ["--dns", "exec", "--dns.disable-cp", "--dns.resolvers", f"127.0.0.1:{self.site.net.dns_port}"]
        if method == "tls-alpn-01":
            way = ["--tls", "--tls.port", f"{self.site.net.names.own_address(name)}:{self.site.net.tls_port}"]
        hook = {"EXEC_PATH": str(HERE / "hook"), "EXEC_POLLING_INTERVAL": "1"}
        self.run(*self.base(server, url, name), *way, "run", **hook)
        return self.file(server, name)

    def renew(self, server, url, name):
        way = ["--http", "--http.webroot", self.site.net.webroot]
        self.run(*self.base(server, url, name), *way, "renew", "--days", "30", "--no-random-sleep")
        return self.file(server, name)

    def revoke(self, server, url, certificate):
        name = certificate.stem.replace("_.", "*.")
        self.run(*self.base(server, url, name), "revoke", "--keep", "--reason", "4")


class Dehydrated(Client):
    name, programs = "dehydrated", ("dehydrated",)
    abilities = frozenset({"dns-01", "tls-alpn-01", "revocation", "account count"})
    # By the whole URL.
    accounts = 4

    def config(self, server: str, url: Url, method: str) -> pathlib.Path:
        home = self.home(server)
        file = home / "config"
        file.write_text(
            f"BASEDIR={home}\nCA='{url.directory}'\nEAB_KID={url.kid}\nEAB_HMAC_KEY={url.key}\n"
            f"WELLKNOWN={self.site.net.challenges}\nCONTACT_EMAIL=admin@example.com\n"
            f"CURL_OPTS='--cacert {self.site.root}'\nKEY_ALGO=prime256v1\nACCOUNT_KEYSIZE=2048\n"
            f"CHALLENGETYPE={method}\nALPNCERTDIR={self.site.net.alpn}\n"
            + (f"HOOK={HERE / 'hook'}\n" if method == "dns-01" else "")
        )
        return file

    def sign(self, server: str, url: Url, name: str, method: str, *more: str) -> pathlib.Path:
        config = self.config(server, url, method)
        alias = name.replace("*", "any")
        # With the terms accepted it registers where it has no account yet.
        self.run("dehydrated", "-c", "--accept-terms", *more, "-f", config, "-d", name, "--alias", alias)
        return self.home(server) / "certs" / alias / "fullchain.pem"

    def obtain(self, server, url, name, method="http-01"):
        return self.sign(server, url, name, method, "-x")

    def renew(self, server, url, name):
        return self.sign(server, url, name, "http-01")

    def revoke(self, server, url, certificate):
        config = self.config(server, url, "http-01")
        self.run("dehydrated", "-r", certificate.parent / "cert.pem", "-f", config)


class Uacme(Client):
    name, programs = "uacme", ("uacme", "ualpn")
    abilities = frozenset({"dns-01", "tls-alpn-01", "revocation", "key change"})

    def uacme(self, server: str, url: Url, *words: object, **more: str) -> None:
        # It trusts the system's authorities only: in a mount namespace of its own, ours is all of them.
        base = ["uacme", "-y", "-a", url.directory, "-c", self.home(server), "-h", HERE / "hook"]
        line = shlex.join(str(word) for word in [*base, *words])
        bundle = "/etc/ssl/certs/ca-certificates.crt"
        script = f"mount --bind {shlex.quote(str(self.site.root))} {bundle} && exec {line}"
        self.run("unshare", "--mount", "sh", "-c", script, **more)

    def obtain(self, server, url, name, method="http-01"):
        # Its `new` fails where the account is there already.
        if not (self.home(server) / "private" / "key.pem").exists():
            self.uacme(server, url, "-e", f"{url.kid}:{url.key}", "new", "admin@example.com")
        if method == "tls-alpn-01":
            with self.responder(server, name) as socket:
                return self.issue(server, url, name, "-f", METHOD=method, UALPN=str(socket))
        return self.issue(server, url, name, "-f", METHOD=method)

    def renew(self, server, url, name):
        return self.issue(server, url, name, "-d", "30", METHOD="http-01")

    def issue(self, server: str, url: Url, name: str, *options: str, **more: str) -> pathlib.Path:
        folder = self.home(server) / name.removeprefix("*.")
        # It keeps the certificate before as cert-<second it was started in>.pem, and ends where that is taken.
        while (folder / f"cert-{int(time.time())}.pem").exists():
            time.sleep(0.05)
        self.uacme(server, url, *options, "issue", name, **more)
        return folder / "cert.pem"

    @contextlib.contextmanager
    def responder(self, server: str, name: str) -> Iterator[pathlib.Path]:
        """Its server for tls-alpn-01, by the socket that its hook speaks to."""
        home, net = self.home(server), self.site.net
        socket, place = home / "ualpn.sock", f"{net.names.own_address(name)}@{net.tls_port}"
        # It wants somewhere to pass other connections on to; there are none.
        words = ["ualpn", "-b", place, "-c", "127.0.0.1", "-s", socket, "-p", home / "ualpn.pid", "-n", "1"]
        with self.running(*words) as child:
            until(socket.exists, child, "socket")
            yield socket

    def revoke(self, server, url, certificate):
        self.uacme(server, url, "-r", "4", "revoke", certificate)

    def rekey(self, server, url):
        self.uacme(server, url, "newkey")


class Library(Client):
    """A library, driven on the command line by a small program of ours: a command, and a task in JSON."""

    abilities = frozenset({"dns-01", "tls-alpn-01", "revocation", "key change"})
    driver: tuple[object, ...] = ()

    def drive(self, command: str, account: pathlib.Path, url: Url, **task: object) -> None:
        net = self.site.net
        task |= {
            "directory": url.directory, "kid": url.kid, "key": url.key, "root": str(self.site.root),
            "account": str(account), "records": str(net.records), "challenges": str(net.challenges),
            "alpn": str(net.alpn),
        }
        self.run(*self.driver, command, json.dumps(task))

    def account(self, server: str) -> pathlib.Path:
        return self.home(server) / "account"

    def obtain(self, server, url, name, method="http-01"):
        return self.get("obtain", server, url, name, method)

    def get(self, command: str, server: str, url: Url, name: str, method: str) -> pathlib.Path:
        file = self.home(server) / f"{name.replace('*', 'any')}.pem"
        paths = {"certificate": str(file), "keyFile": f"{file}.key"}
        self.drive(command, self.account(server), url, names=[name], method=method, **paths)
        return file

    def revoke(self, server, url, certificate):
        self.drive("revoke", self.account(server), url, certificate=str(certificate))

    def rekey(self, server, url):
        self.drive("rekey", self.account(server), url)


class AcmeClient(Library):
    """npm's acme-client."""

    name, programs = "acme-client", ("node",)
    driver = ("node", HERE / "acme-client.mjs")


class InstantAcme(Library):
    """The Rust library; its driver is an example of crates/acme."""

    name, programs = "instant-acme", (str(ROOT / "target" / "debug" / "examples" / "instant-acme"),)
    driver = programs
    abilities = Library.abilities | {"renewal information"}

    def renew(self, server, url, name):
        return self.get("renew", server, url, name, "http-01")


class AcmeTiny(Client):
    """It knows no EAB, so that another client binds its account's key first."""

    name, programs = "acme-tiny", ("acme-tiny", *AcmeClient.programs)

    def obtain(self, server, url, name, method="http-01"):
        home = self.home(server)
        account, key, csr, file = home / "account.pem", home / "key.pem", home / "csr.pem", home / "chain.pem"
        if not account.exists():
            self.run("openssl", "genrsa", "-out", account, "2048")
            AcmeClient(self.site).drive("register", account, url)
        self.run(
            "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", key, "-out", csr, "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
        )
        # Its own look at the challenge would go to port 80.
        pem = self.run(
            "acme-tiny", "--account-key", account, "--csr", csr, "--disable-check",
            "--acme-dir", self.site.net.challenges, "--directory-url", url.directory,
        )
        file.write_text(pem)
        return file


# All of these go through the same scenario.
ALL = [Certbot, Lego, Dehydrated, Uacme, AcmeClient, InstantAcme, AcmeTiny]
