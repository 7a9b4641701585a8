"""Web servers that are ACME clients themselves: Caddy and Apache mod_md."""

import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import time

from clients import Client
from net import free_port
from portal import Url

# How long a server may take to get and serve its certificate, in seconds.
PATIENCE = 60


def served(address: tuple[str, int], name: str, root: pathlib.Path) -> str:
    """The PEM that a server shows, once its chain is valid and for the name; waits for that."""
    context = ssl.create_default_context(cafile=str(root))
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with socket.create_connection(address, timeout=5) as plain:
                with context.wrap_socket(plain, server_hostname=name) as tls:
                    return ssl.DER_cert_to_PEM_cert(tls.getpeercert(binary_form=True))
        except (OSError, ssl.SSLError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


class WebServer(Client):
    """Started, watched until it serves the certificate, stopped."""

    serves = alpn = True

    def place(self, name: str, method: str) -> tuple[str, int]:
        """Where it listens: where tls-alpn-01 looks for the name, if that is to be used."""
        net = self.site.net
        return (net.own_address(name), net.tls_port) if method == "tls-alpn-01" else ("127.0.0.1", free_port())

    def serving(self, home: pathlib.Path, words: list[object], address: tuple[str, int], name: str) -> str:
        with self.log.open("a") as log:
            child = subprocess.Popen(
                [str(word) for word in words], env=self.environment() | {"HOME": str(home)}, stdout=log, stderr=log
            )
        try:
            return self.watch(home, child, address, name)
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(30)

    def watch(self, home: pathlib.Path, child: subprocess.Popen, address: tuple[str, int], name: str) -> str:
        return served(address, name, self.site.root)

    def keep(self, server: str, pem: str) -> pathlib.Path:
        file = self.home(server) / "served.pem"
        file.write_text(pem)
        return file


class Caddy(WebServer):
    name, program = "caddy", "caddy"

    def obtain(self, server, url: Url, name, method="http-01"):
        home, (ip, port) = self.home(server), self.place(name, method)
        shutil.rmtree(home / "store", ignore_errors=True)
        file = home / "Caddyfile"
        file.write_text(
            f"{{\n\tadmin off\n\tstorage file_system {home}/store\n\thttp_port {free_port()}\n\thttps_port {port}\n"
            f"\tskip_install_trust\n\temail admin@example.com\n\tacme_ca \"{url.directory}\"\n"
            f"\tacme_ca_root {self.site.root}\n\tacme_eab {{\n\t\tkey_id {url.kid}\n\t\tmac_key {url.key}\n\t}}\n}}\n\n"
            f"{name} {{\n\tbind {ip}\n\ttls {{\n\t\tissuer acme {{\n\t\t\tdisable_http_challenge\n\t\t}}\n\t}}\n"
            f"\trespond \"ok\"\n}}\n"
        )
        words = ["caddy", "run", "--config", file, "--adapter", "caddyfile"]
        return self.keep(server, self.serving(home, words, (ip, port), name))


class Apache(WebServer):
    name, program = "apache", "apache2"

    def obtain(self, server, url: Url, name, method="http-01"):
        home, (ip, port) = self.home(server), self.place(name, method)
        modules = "/usr/lib/apache2/modules"
        loaded = "".join(
            f"LoadModule {one}_module {modules}/mod_{one}.so\n"
            for one in ["mpm_event", "authz_core", "socache_shmcb", "ssl", "md"]
        )
        file = home / "apache.conf"
        file.write_text(
            f"{loaded}ServerRoot {home}\nServerName {name}\nPidFile {home}/pid\nDefaultRuntimeDir {home}\n"
            f"ErrorLog {home}/error.log\nLogLevel warn md:debug\nUser www-data\nGroup www-data\n"
            f"Listen {ip}:{port} https\nMDStoreDir {home}/md\nMDCertificateAuthority \"{url.directory}\"\n"
            f"MDCertificateAgreement accepted\nMDContactEmail admin@example.com\n"
            f"MDExternalAccountBinding {url.kid} {url.key}\nMDCACertificateFile {self.site.root}\n"
            f"Protocols http/1.1 acme-tls/1\nMDPortMap http:- https:{port}\nMDomain {name}\n"
            f"<VirtualHost {ip}:{port}>\nServerName {name}\nSSLEngine on\n</VirtualHost>\n"
        )
        # The module works as www-data, which has to reach the folder.
        for folder in [home, *home.parents]:
            if folder == pathlib.Path("/tmp"):
                break
            folder.chmod(0o755)
        return self.keep(server, self.serving(home, ["apache2", "-f", file, "-DFOREGROUND"], (ip, port), name))

    def watch(self, home, child, address, name):
        # mod_md keeps a new certificate aside; a graceful restart puts it into use.
        staged = home / "md" / "staging" / name / "job.json"
        end = time.monotonic() + PATIENCE
        while not (staged.exists() and '"finished": true' in staged.read_text()):
            if time.monotonic() > end or child.poll() is not None:
                raise TimeoutError(f"mod_md got no certificate: {(home / 'error.log').read_text()[-1500:]}")
            time.sleep(0.2)
        child.send_signal(signal.SIGUSR1)
        return served(address, name, self.site.root)


# These enroll and duplicate by auto-detection, and answer tls-alpn-01.
ALL = [Caddy, Apache]
