"""What the clients are seen doing, told as steps; each step asserts through `certdeck order show`."""

import datetime
import json
import pathlib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field

from clients import Client
from portal import Portal, Url

# Days that the certificates of the scenario live; their renewal window is a third of it (rule A9).
LIFETIME = 40
# The renewal window of multi-year plans before their end (rules A8 and A9).
PLAN_WINDOW = datetime.timedelta(days=90)


def day(order: dict) -> datetime.datetime:
    return datetime.datetime.fromisoformat(order["certificates"][0]["not_after"])


def serial(file: pathlib.Path) -> str:
    out = subprocess.run(
        ["openssl", "x509", "-in", file, "-noout", "-serial"], capture_output=True, text=True, check=True
    ).stdout
    return out.strip().removeprefix("serial=").lower()


@dataclass
class Play:
    """One client on the portal, with what it has got so far."""

    portal: Portal
    client: Client
    urls: dict[str, Url] = field(default_factory=dict)
    kept: dict[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.client.name}.example.com"

    def url(self, kind: str) -> Url:
        """The client's ACME Directory URL of a kind, made when it is first asked for."""
        product, *more = {
            "web": ["ssl_plus", "--validity-days", str(LIFETIME)],
            "plan": ["ssl_plus", "--coverage-years", "2", "--validity-days", str(LIFETIME)],
            # Its window opens while the organization's and its domains' validations still hold.
            "year": ["ssl_plus", "--coverage-years", "1", "--validity-days", str(LIFETIME)],
            "dv": ["ssl_dv_geotrust"],
            "any": ["wildcard_dv_geotrust"],
            "wildcard": ["ssl_wildcard"],
        }[kind]
        if kind not in self.urls:
            self.urls[kind] = self.portal.acme_url(f"{self.client.name}-{kind}", product, *more)
        return self.urls[kind]

    def obtain(self, server: str, url: Url, name: str, method: str = "http-01") -> str:
        """The serial of a new certificate whose chain is good."""
        return self.verified(self.client.obtain(server, url, name, method), name)

    def renew(self, server: str, url: Url, name: str) -> str:
        """The serial of what the client's own renewal brought, whose chain is good."""
        return self.verified(self.client.renew(server, url, name), name)

    def verified(self, file: pathlib.Path, name: str) -> str:
        # The portal counts whole seconds and may be one ahead.
        at = str(int(self.portal.now().timestamp()) + 1)
        words = ["openssl", "verify", "-attime", at, "-verify_hostname", name.replace("*", "any")]
        words += ["-CAfile", self.portal.root, "-untrusted", file, file]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return serial(file)

    def newest(self, common_name: str) -> dict:
        orders = self.portal.orders(common_name)
        assert orders, f"there is no order for {common_name}"
        return orders[-1]

    def last(self, number: int, kind: str, serial_number: str, count: int) -> dict:
        """The order, whose newest certificate is of this kind and is the one that the client got."""
        order = self.portal.order(number)
        certificates = order["certificates"]
        told = [(one["kind"], one["serial"]) for one in certificates]
        assert len(certificates) == count, f"order {number} has {told}, not {count} certificates"
        found = [one for one in certificates if one["serial"].lstrip("0") == serial_number.lstrip("0")]
        assert found, f"{serial_number} is not in order {number}: {told}"
        assert found[0]["kind"] == kind, f"it is a {found[0]['kind']}, not a {kind}"
        return order


def needs(ability: str) -> Callable:
    """Marks a step that only clients with this ability can do."""

    def mark(step: Callable) -> Callable:
        step.ability = ability
        return step

    return mark


def lacks(client: Client, step: Callable) -> str | None:
    """The ability that the client would need for the step."""
    ability = getattr(step, "ability", None)
    return None if ability in client.abilities else ability


def enrolls(play: Play) -> None:
    """enrolls with an account bound by EAB"""
    got = play.obtain("one", play.url("web"), play.name)
    order = play.newest(play.name)
    assert order["origin"] == "acme" and order["status"] == "issued", json.dumps(order)[:300]
    play.last(order["number"], "original", got, 1)
    play.kept["order"] = order["number"]


def duplicates(play: Play) -> None:
    """the same request of another server duplicates, by auto-detection"""
    got = play.obtain("two", play.url("web"), play.name)
    order = play.last(play.kept["order"], "duplicate", got, 2)
    ends = {one["not_after"] for one in order["certificates"]}
    assert len(ends) == 1, f"a duplicate ends with its original: {ends}"
    assert len(play.portal.orders(play.name)) == 1


def renews_by_query(play: Play) -> None:
    """?action=renew&orderId=N renews under a new order ID, in the window or not"""
    got = play.obtain("one", play.url("web").asking("renew", play.kept["order"]), play.name)
    order = play.newest(play.name)
    assert order["renews"] == play.kept["order"], order
    assert play.portal.order(play.kept["order"])["renewed_by"] == order["number"]
    play.last(order["number"], "original", got, 1)
    play.kept["renewal"] = order["number"]


def sticky(play: Play) -> None:
    """the same URL again duplicates the renewal instead of renewing twice"""
    got = play.obtain("one", play.url("web").asking("renew", play.kept["order"]), play.name)
    play.last(play.kept["renewal"], "duplicate", got, 2)
    assert len(play.portal.orders(play.name)) == 2


def duplicates_by_path(play: Play) -> None:
    """/directory/duplicate/N does the same in the path"""
    got = play.obtain("one", play.url("web").alias("duplicate", play.kept["renewal"]), play.name)
    play.last(play.kept["renewal"], "duplicate", got, 3)


def enrolls_anew(play: Play) -> None:
    """?action=enroll makes a new order, whatever exists"""
    web = play.url("web")
    got = play.obtain("one", Url(f"{web.directory}?action=enroll", web.kid, web.key), play.name)
    orders = play.portal.orders(play.name)
    assert len(orders) == 3 and orders[-1]["renews"] is None, orders
    play.last(orders[-1]["number"], "original", got, 1)


@needs("account count")
def keeps_its_accounts(play: Play) -> None:
    """has as many accounts by then as docs/ACME.md says: dehydrated one for each directory URL, lego one for the server"""
    # Server one has asked by four directory URLs (plain, renew, duplicate, enroll), server two by one.
    found, wanted = play.portal.accounts(play.url("web")), play.client.accounts + 1
    assert found == wanted, f"{found} accounts, not {wanted}"


def covers(play: Play) -> None:
    """a wildcard order covers a name below it: a duplicate with just that name"""
    name = f"wild.{play.name}"
    play.obtain("wild", play.url("wildcard"), f"*.{name}")
    number = play.newest(f"*.{name}")["number"]
    got = play.obtain("wild", play.url("wildcard"), f"shop.{name}")
    order = play.last(number, "duplicate", got, 2)
    duplicate = next(one for one in order["certificates"] if one["kind"] == "duplicate")
    assert duplicate["sans"] == [f"shop.{name}"], duplicate["sans"]


def reissues(play: Play) -> None:
    """a multi-year plan is reissued: by auto-detection, then by action=reissue"""
    name = f"plan.{play.name}"
    play.obtain("plan", play.url("plan"), name)
    number = play.newest(name)["number"]
    got = play.obtain("plan", play.url("plan"), name)
    play.last(number, "reissue", got, 2)
    got = play.obtain("plan", play.url("plan").asking("reissue", number), name)
    order = play.last(number, "reissue", got, 3)
    assert order["coverage_years"] == 2


def http01(play: Play) -> None:
    """a DV product by http-01"""
    name = f"dv.{play.name}"
    got = play.obtain("dv", play.url("dv"), name)
    assert play.portal.validated_by(name) == ["http-01"], play.portal.validated_by(name)
    order = play.newest(name)
    assert order["product"] == "ssl_dv_geotrust"
    play.last(order["number"], "original", got, 1)


@needs("dns-01")
def dns01(play: Play) -> None:
    """a DV wildcard by dns-01"""
    name = f"*.any.{play.name}"
    got = play.obtain("any", play.url("any"), name, "dns-01")
    order = play.newest(name)
    play.last(order["number"], "original", got, 1)
    assert name in order["sans"]


@needs("tls-alpn-01")
def tls_alpn01(play: Play) -> None:
    """a DV product by tls-alpn-01 (RFC 8737)"""
    name = f"alpn.{play.name}"
    got = play.obtain("alpn", play.url("dv"), name, "tls-alpn-01")
    assert play.portal.validated_by(name) == ["tls-alpn-01"], play.portal.validated_by(name)
    order = play.newest(name)
    assert order["product"] == "ssl_dv_geotrust"
    play.last(order["number"], "original", got, 1)


@needs("revocation")
def revokes(play: Play) -> None:
    """revokes"""
    name = f"gone.{play.name}"
    file = play.client.obtain("gone", play.url("web"), name)
    play.client.revoke("gone", play.url("web"), file)
    certificate = play.newest(name)["certificates"][0]
    assert certificate["status"].startswith("revoked"), certificate["status"]


@needs("key change")
def rekeys(play: Play) -> None:
    """changes its account key and goes on with the new one"""
    play.client.rekey("one", play.url("web"))
    name = f"rekeyed.{play.name}"
    got = play.obtain("one", play.url("web"), name)
    play.last(play.newest(name)["number"], "original", got, 1)


def prepares(play: Play) -> None:
    """has a certificate for later"""
    name = f"later.{play.name}"
    got = play.obtain("later", play.url("web"), name)
    order = play.newest(name)
    play.last(order["number"], "original", got, 1)
    play.kept["later"] = order["number"]


def renews_in_the_window(play: Play) -> None:
    """30 days later, in the window, the client's own renewal renews, with no action in the URL"""
    name = f"later.{play.name}"
    got = play.renew("later", play.url("web"), name)
    order = play.newest(name)
    assert order["renews"] == play.kept["later"], f"{order['number']} renews {order['renews']}"
    play.last(order["number"], "original", got, 1)
    assert day(order) > day(play.portal.order(play.kept["later"]))


@needs("renewal information")
def names_what_it_replaces(play: Play) -> None:
    """and its request named the certificate that it replaces (RFC 9773), which led to the order"""
    renewal = play.newest(f"later.{play.name}")
    assert play.portal.replaced_by(renewal["number"]) == play.kept["later"]


def duplicates_the_renewal(play: Play) -> None:
    """then another server gets a duplicate of the renewal, not another renewal"""
    name = f"later.{play.name}"
    got = play.obtain("two", play.url("web"), name)
    renewal = play.newest(name)
    assert renewal["renews"] == play.kept["later"]
    play.last(renewal["number"], "duplicate", got, 2)


def plans(play: Play) -> None:
    """has a plan for later"""
    name = f"year.{play.name}"
    got = play.obtain("year", play.url("year"), name)
    order = play.newest(name)
    play.last(order["number"], "original", got, 1)
    assert order["coverage_years"] == 1
    play.kept["year"] = order["number"]
    play.kept["window"] = datetime.datetime.fromisoformat(order["coverage_ends_at"]) - PLAN_WINDOW


def reissues_before_the_window(play: Play) -> None:
    """an hour before the plan's last 90 days the client's own renewal reissues, under the same order (rule A8)"""
    assert play.portal.now() < play.kept["window"]
    got = play.renew("year", play.url("year"), f"year.{play.name}")
    assert play.portal.now() < play.kept["window"], "the step took too long to tell"
    play.last(play.kept["year"], "reissue", got, 2)
    assert len(play.portal.orders(f"year.{play.name}")) == 1


def renews_in_the_plans_window(play: Play) -> None:
    """from the first second of the plan's last 90 days on the same request renews, under a new order"""
    assert play.portal.now() >= play.kept["window"]
    name = f"year.{play.name}"
    got = play.obtain("year", play.url("year"), name)
    order = play.newest(name)
    assert order["renews"] == play.kept["year"], f"{order['number']} renews {order['renews']}"
    assert order["coverage_years"] == 1
    play.last(order["number"], "original", got, 1)


def reissues_the_renewal(play: Play) -> None:
    """then the same request reissues the renewal, and does not renew again"""
    name = f"year.{play.name}"
    renewal = play.newest(name)
    got = play.obtain("year", play.url("year"), name)
    play.last(renewal["number"], "reissue", got, 2)
    assert len(play.portal.orders(name)) == 2


# 30 days ago.
THEN = [
    enrolls, duplicates, renews_by_query, sticky, duplicates_by_path, enrolls_anew, keeps_its_accounts, covers, reissues,
    http01, dns01, tls_alpn01, revokes, rekeys, prepares, plans,
]
# Today.
NOW = [renews_in_the_window, names_what_it_replaces, duplicates_the_renewal]
# When the plans have 90 days and an hour left, and when they have 90 days left.
BEFORE_THE_WINDOW = [reissues_before_the_window]
IN_THE_WINDOW = [renews_in_the_plans_window, reissues_the_renewal]
