"""Web servers that are ACME clients themselves: Caddy and Apache mod_md."""

import pathlib
import re
import shutil
import signal
import subprocess

from clients import HERE, Client, Url, until

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.DOTALL)


def shown(address: str, name: str) -> list[str]:
    """The certificates in PEM that a server shows for a name, the leaf first."""
    words = ["openssl", "s_client", "-connect", address, "-servername", name, "-showcerts"]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    return CERTIFICATE.findall(done.stdout)


class WebServer(Client):
    """Started, watched until it serves the certificate, stopped. It has an address of its own for each name, where
    validation comes to it as to ports 80 and 443."""

    # Where it keeps certificates, below its home.
    certificates: tuple[str, ...] = ()

    def obtain(self, server, url, name, method="http-01"):
        for kept in self.certificates:
            shutil.rmtree(self.home(server) / kept, ignore_errors=True)
        return self.serve(server, url, name, method, fresh=True)

    def renew(self, server, url, name):
        return self.serve(server, url, name, "http-01", fresh=False)

    def serve(self, server: str, url: Url, name: str, method: str, fresh: bool) -> pathlib.Path:
        """Until it shows another certificate than the last time."""
        home, ip = self.home(server), self.site.net.names.own_address(name)
        file = home / "served.pem"
        before = file.read_text() if file.exists() else ""
        address = f"{ip}:{self.site.net.tls_port}"

        def serves() -> bool:
            chain = shown(address, name.replace("*", "any"))
            file.write_text("".join(chain))
            # What it makes for itself until it has got one stands alone.
            return len(chain) > 1 and chain[0] not in before

        words = self.configured(home, url, name, method, ip, fresh)
        with self.running(*words, HOME=str(home)) as child:
            self.install(home, name, child)
            until(serves, child, f"new certificate: {file}")
        return file

    def configured(self, home: pathlib.Path, url: Url, name: str, method: str, ip: str, fresh: bool) -> list[object]:
        """How it is started, once its configuration is written."""
        raise NotImplementedError

    def install(self, home: pathlib.Path, name: str, child: subprocess.Popen) -> None:
        """What it needs done to use a certificate that it has got."""


class Caddy(WebServer):
    name, programs = "caddy", ("caddy",)
    abilities = frozenset({"tls-alpn-01"})
    certificates = ("store/certificates",)

    def configured(self, home, url, name, method, ip, fresh):
        net, file = self.site.net, home / "Caddyfile"
        other = "tlsalpn" if method == "http-01" else "http"
        file.write_text(
            f"{{\n\tadmin off\n\tstorage file_system {home}/store\n\thttp_port {net.http_port}\n"
            f"\thttps_port {net.tls_port}\n\tskip_install_trust\n\temail admin@example.com\n"
            f"\tacme_ca \"{url.directory}\"\n\tacme_ca_root {self.site.root}\n"
            f"\tacme_eab {{\n\t\tkey_id {url.kid}\n\t\tmac_key {url.key}\n\t}}\n}}\n\n"
            f"{name} {{\n\tbind {ip}\n\ttls {{\n\t\tissuer acme {{\n\t\t\tdisable_{other}_challenge\n\t\t}}\n\t}}\n"
            f"\trespond \"ok\"\n}}\n"
        )
        return ["caddy", "run", "--config", file, "--adapter", "caddyfile"]


class Apache(WebServer):
    name, programs = "apache", ("apache2",)
    abilities = frozenset({"dns-01", "tls-alpn-01", "renewal information"})
    certificates = ("md/domains", "md/archive", "md/staging")

    def configured(self, home, url, name, method, ip, fresh):
        net, file, modules = self.site.net, home / "apache.conf", "/usr/lib/apache2/modules"
        loaded = "".join(
            f"LoadModule {one}_module {modules}/mod_{one}.so\n"
            for one in ["mpm_event", "authz_core", "socache_shmcb", "ssl", "md"]
        )
        # A certificate that the demonstration's clock has made old is not to be renewed before that is asked for.
        lasting = "MDRenewWindow 1d\nMDRenewViaARI off\n" if fresh else ""
        hook = shutil.copy(HERE / "hook", home)
        file.write_text(
            f"{loaded}ServerRoot {home}\nServerName {ip}\nPidFile {home}/pid\nDefaultRuntimeDir {home}\n"
            f"ErrorLog {home}/error.log\nLogLevel warn md:debug\nUser www-data\nGroup www-data\n"
            f"Listen {ip}:{net.http_port}\nListen {ip}:{net.tls_port} https\n"
            f"MDStoreDir {home}/md\nMDCertificateAuthority \"{url.directory}\"\n"
            f"MDCertificateAgreement accepted\nMDContactEmail admin@example.com\n"
            f"MDExternalAccountBinding {url.kid} {url.key}\nMDCACertificateFile {self.site.root}\n"
            f"Protocols http/1.1 acme-tls/1\nMDPortMap http:{net.http_port} https:{net.tls_port}\n"
            f"MDCAChallenges {method}\nMDChallengeDns01 {hook}\n{lasting}MDomain {name}\n"
            f"<VirtualHost {ip}:{net.tls_port}>\nServerName {name.replace('*', 'any')}\nServerAlias {name}\n"
            f"SSLEngine on\n</VirtualHost>\n"
        )
        # The module works as www-data, which has to reach the folder and to write records.
        for folder in [home, home.parent]:
            folder.chmod(0o755)
        net.records.chmod(0o777)
        return ["apache2", "-f", file, "-DFOREGROUND"]

    def install(self, home, name, child):
        # mod_md keeps a new certificate aside; a graceful restart puts it into use.
        job = home / "md" / "staging" / name / "job.json"
        until(lambda: job.exists() and '"finished": true' in job.read_text(), child, f"certificate: {home}/error.log")
        child.send_signal(signal.SIGUSR1)


ALL = [Caddy, Apache]
