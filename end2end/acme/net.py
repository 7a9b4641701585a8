"""What validation meets: a DNS server and a web server on loopback, fed from folders."""

import functools
import http.server
import pathlib
import socket
import threading

from dnslib import QTYPE, RR, TXT, A
from dnslib.server import BaseResolver, DNSLogger, DNSServer


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Folder(BaseResolver):
    """Every name is at 127.0.0.1 or an address of its own; TXT records are the lines of files named like them."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.addresses: dict[str, str] = {}

    def resolve(self, request, handler):
        reply = request.reply()
        name = str(request.q.qname).rstrip(".").lower()
        if request.q.qtype == QTYPE.A:
            reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A(self.addresses.get(name, "127.0.0.1")), ttl=0))
        file = self.folder / name
        if request.q.qtype == QTYPE.TXT and file.is_file():
            for line in file.read_text().split():
                reply.add_answer(RR(request.q.qname, QTYPE.TXT, rdata=TXT(line), ttl=0))
        return reply


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Net:
    """Both servers; hooks and clients put challenges into `records` and `webroot`."""

    def __init__(self, folder: pathlib.Path):
        self.records, self.webroot = folder / "dns", folder / "www"
        self.challenges = self.webroot / ".well-known" / "acme-challenge"
        self.records.mkdir()
        self.challenges.mkdir(parents=True)
        self.names = Folder(self.records)
        # Clients answer tls-alpn-01 themselves, all at one port: each at an address of its own.
        self.tls_port = free_port()
        self.dns = DNSServer(self.names, address="127.0.0.1", port=0, logger=DNSLogger("-request,-reply"))
        self.dns.start_thread()
        self.dns_port = self.dns.server.server_address[1]
        serve = functools.partial(Quiet, directory=str(self.webroot))
        self.web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve)
        threading.Thread(target=self.web.serve_forever, daemon=True).start()

    def portal_settings(self) -> dict[str, str]:
        """How a portal validates here."""
        return {
            "CERTDECK_DNS_RESOLVER": f"127.0.0.1:{self.dns_port}",
            "CERTDECK_VALIDATION_ALLOW": "127.0.0.0/8",
            "CERTDECK_ACME_HTTP01_PORT": str(self.web.server_port),
            "CERTDECK_ACME_TLSALPN01_PORT": str(self.tls_port),
        }

    def own_address(self, name: str) -> str:
        """Gives the name a loopback address that no other name has."""
        return self.names.addresses.setdefault(name, f"127.0.1.{len(self.names.addresses) + 1}")

    def stop(self) -> None:
        self.web.shutdown()
        self.dns.stop()
