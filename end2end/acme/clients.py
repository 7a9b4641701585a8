"""The clients, each with the same few abilities. `server` names one of several machines: every one
has its own state, as if the client were installed there alone."""

import json
import os
import pathlib
import shlex
import subprocess
import time
from dataclasses import dataclass

from net import Net
from portal import Url

HERE = pathlib.Path(__file__).parent
# The longest that one run of a client may take, in seconds.
LIMIT = 90


class ClientFailed(Exception):
    """A client ended with an error."""


@dataclass
class Site:
    """What all clients share."""

    folder: pathlib.Path
    net: Net
    root: pathlib.Path


class Client:
    """One ACME client."""

    name = ""
    program = ""
    # A web server that is its own client enrolls and duplicates, and no more can be asked of it.
    serves = False
    # Whether it can answer tls-alpn-01 itself.
    alpn = False

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

    def obtain(self, server: str, url: Url, name: str, method: str = "http-01") -> pathlib.Path:
        """Gets a certificate now, whatever is there: the PEM file, the leaf first."""
        raise NotImplementedError

    def renew(self, server: str, url: Url, name: str) -> pathlib.Path:
        """Runs what a timer would run: the client renews if it finds the certificate due."""
        return self.obtain(server, url, name)

    def revoke(self, server: str, url: Url, certificate: pathlib.Path) -> None:
        raise NotImplementedError


class Certbot(Client):
    name, program = "certbot", "certbot"

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
    name, program, alpn = "lego", "lego", True

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
            way = ["--tls", "--tls.port", f"{self.site.net.own_address(name)}:{self.site.net.tls_port}"]
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
    name, program = "dehydrated", "dehydrated"

    def config(self, server: str, url: Url, method: str) -> pathlib.Path:
        home = self.home(server)
        file = home / "config"
        file.write_text(
            f"BASEDIR={home}\nCA='{url.directory}'\nEAB_KID={url.kid}\nEAB_HMAC_KEY={url.key}\n"
            f"WELLKNOWN={self.site.net.challenges}\nCONTACT_EMAIL=admin@example.com\n"
            f"CURL_OPTS='--cacert {self.site.root}'\nKEY_ALGO=prime256v1\nACCOUNT_KEYSIZE=2048\n"
            f"CHALLENGETYPE={method}\n"
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

    def account_key(self, server: str) -> pathlib.Path:
        """The RSA key of its account."""
        return next(self.home(server).glob("accounts/*/account_key.pem"))


class Uacme(Client):
    name, program = "uacme", "uacme"

    def uacme(self, server: str, url: Url, *words: object, method: str = "http-01", force: bool = False) -> None:
        # It trusts the system's authorities only: in a mount namespace of its own, ours is all of them.
        base = ["uacme", "-y", "-a", url.directory, "-c", self.home(server), "-h", HERE / "hook"]
        line = shlex.join(str(word) for word in [*base, *(["-f"] if force else []), *words])
        bundle = "/etc/ssl/certs/ca-certificates.crt"
        script = f"mount --bind {shlex.quote(str(self.site.root))} {bundle} && exec {line}"
        self.run("unshare", "--mount", "sh", "-c", script, METHOD=method)

    def obtain(self, server, url, name, method="http-01"):
        # Its `new` fails where the account is there already.
        if not (self.home(server) / "private" / "key.pem").exists():
            self.uacme(server, url, "-e", f"{url.kid}:{url.key}", "new", "admin@example.com")
        return self.issue(server, url, name, method=method, force=True)

    def renew(self, server, url, name):
        return self.issue(server, url, name, "-d", "30")

    def issue(self, server: str, url: Url, name: str, *options: str, **how) -> pathlib.Path:
        folder = self.home(server) / name.removeprefix("*.")
        # It keeps the certificate before as cert-<second it was started in>.pem, and ends where that is taken.
        while (folder / f"cert-{int(time.time())}.pem").exists():
            time.sleep(0.05)
        self.uacme(server, url, *options, "issue", name, **how)
        return folder / "cert.pem"

    def revoke(self, server, url, certificate):
        self.uacme(server, url, "-r", "4", "revoke", certificate)

    def rekey(self, server: str, url: Url) -> None:
        self.uacme(server, url, "newkey")


class AcmeClient(Client):
    """npm's acme-client."""

    name, program = "acme-client", "node"

    def node(self, command: str, server: str, url: Url, **task: object) -> None:
        net = self.site.net
        task |= {
            "directory": url.directory, "kid": url.kid, "key": url.key, "account": str(self.home(server) / "account.pem"),
            "records": str(net.records), "challenges": str(net.challenges),
        }
        self.run("node", HERE / "acme-client.mjs", command, json.dumps(task))

    def obtain(self, server, url, name, method="http-01"):
        file = self.home(server) / f"{name.replace('*', 'any')}.pem"
        self.node("obtain", server, url, names=[name], method=method, certificate=str(file), keyFile=f"{file}.key")
        return file

    def revoke(self, server, url, certificate):
        self.node("revoke", server, url, certificate=str(certificate))

    def rekey(self, server: str, url: Url) -> None:
        self.node("rekey", server, url)


# All of these go through the same scenario.
ALL = [Certbot, Lego, Dehydrated, Uacme, AcmeClient]
