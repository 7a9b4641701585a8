"""What validation meets: a DNS server, a web server and a TLS server on loopback, fed from folders."""

import functools
import http.server
import ipaddress
import itertools
import pathlib
import socketserver
import ssl
import threading

from dnslib import QTYPE, RR, TXT, A
from dnslib.server import BaseResolver, DNSLogger, DNSServer


class Folder(BaseResolver):
    """Every name is at 127.0.0.1 or an address of its own; TXT records are the lines of files named like them."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.addresses: dict[str, str] = {}
        self.unused = itertools.count(int(ipaddress.ip_address("127.0.1.1")))

    def own_address(self, name: str) -> str:
        """Gives the name a loopback address that no other name has."""
        if name not in self.addresses:
            self.addresses[name] = str(ipaddress.ip_address(next(self.unused)))
        return self.addresses[name]

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


class Alpn(socketserver.ThreadingTCPServer):
    """Answers tls-alpn-01 with what a folder holds for the name: NAME.crt.pem and NAME.key.pem."""

    daemon_threads = True

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        super().__init__(("127.0.0.1", 0), None)

    def finish_request(self, request, client_address):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = self.choose
        context.wrap_socket(request, server_side=True).close()

    def choose(self, connection, name, _):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["acme-tls/1"])
        context.load_cert_chain(self.folder / f"{name}.crt.pem", self.folder / f"{name}.key.pem")
        connection.context = context

    def handle_error(self, request, client_address):
        # The handshake failed, and validation says so.
        pass


class Net:
    """All servers; hooks and clients put challenges into `records`, `webroot` and `alpn`."""

    def __init__(self, folder: pathlib.Path):
        self.records, self.webroot, self.alpn = folder / "dns", folder / "www", folder / "alpn"
        self.challenges = self.webroot / ".well-known" / "acme-challenge"
        for made in [self.records, self.challenges, self.alpn]:
            made.mkdir(parents=True)
        self.names = Folder(self.records)
        self.dns = DNSServer(self.names, address="127.0.0.1", port=0, logger=DNSLogger("-request,-reply"))
        self.dns.start_thread()
        self.dns_port = self.dns.server.server_address[1]
        serve = functools.partial(Quiet, directory=str(self.webroot))
        self.servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve), Alpn(self.alpn)]
        # Who answers http-01 or tls-alpn-01 without these does it at the same ports of an address of its own.
        self.http_port, self.tls_port = [server.server_address[1] for server in self.servers]
        for server in self.servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def portal_settings(self) -> dict[str, str]:
        """How a portal validates here."""
        return {
            "CERTDECK_DNS_RESOLVER": f"127.0.0.1:{self.dns_port}",
            "CERTDECK_VALIDATION_ALLOW": "127.0.0.0/8",
            "CERTDECK_ACME_HTTP01_PORT": str(self.http_port),
            "CERTDECK_ACME_TLSALPN01_PORT": str(self.tls_port),
        }

    def stop(self) -> None:
        for server in self.servers:
            server.shutdown()
        self.dns.stop()
