#!/usr/bin/python3
"""
Certificates good and bad, of whoever dials and of whoever is dialled, on both wires, in TLS 1.2 and 1.3, by STARTTLS and
direct TLS: each gets the verdict that RFC 6120 13.7, RFC 9525 and XEP-0178 ask for. Where it is bad, the other end is shown
no guard certificate for it, and the audit says why; a peer at the level tls-dialback may be carried all the same, but what
the other end is shown for it proves nothing.
"""
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, NamedTuple, Optional

from cryptography.hazmat.primitives import hashes

from lib import SIDES, World, check, eventually, pki
from lib.endpoints import VERSIONS, Server, dial
from lib.pki import below, dns, make, srv, xmpp

CLIENT, SERVER = "client", "server"
BOTH = (CLIENT, SERVER)
IDN = {"inside": ("m\u00fcnchen.example", "xn--mnchen-3ya.example"), "outside": ("b\u00fccher.example", "xn--bcher-kva.example")}
SUB = {"inside": "conference.a.example", "outside": "conference.b.example"}
TRANSPORTS = ("STARTTLS", "direct TLS")
LEVELS = {"inside": ("strong",), "outside": ("strong", "tls-dialback")}
AT_ONCE = 12


class Row(NamedTuple):
    what: str
    make: Callable                     # of the CA of the organisation and the domain
    reason: Optional[str] = None       # in the audit; None: good
    roles: tuple = BOTH
    domains: Optional[dict] = None     # side -> domain; None: the first of each
    sides: tuple = SIDES
    staple: Optional[str] = None       # of a server: good or revoked
    hard: bool = False                 # refused at every level


def idn(names):
    return {side: name[names] for side, name in IDN.items()}


def pinned(side="outside", domain="pinned.example"):
    return {side: domain}


def relabel(domain, source, target):
    """With the first label written the other way."""
    names = next(names for names in IDN.values() if domain.split(".")[0] == names[source].split(".")[0])
    return domain.replace(names[source].split(".")[0], names[target].split(".")[0])


def u_label(domain):
    return relabel(domain, 1, 0)


def a_label(domain):
    return relabel(domain, 0, 1)


ROWS = (
    Row("DNS-ID and SRV-ID", lambda ca, d: make([dns(d), srv(d)], ca)),
    Row("DNS-ID only", lambda ca, d: make([dns(d)], ca)),
    Row("SRV-ID only", lambda ca, d: make([srv(d)], ca)),
    Row("xmppAddr only", lambda ca, d: make([xmpp(d)], ca)),
    Row("for servers only", lambda ca, d: make([dns(d)], ca, usage=["server"])),
    Row("for no purpose in particular", lambda ca, d: make([dns(d)], ca, usage=None)),
    Row("a wildcard for what is right below it", lambda ca, d: make([dns("*." + d.split(".", 1)[1])], ca), domains=SUB),
    Row("four CAs in between", lambda ca, d: make([dns(d)], below(ca, 4))),
    Row("a CA that may certify it", lambda ca, d: make([dns(d), srv(d)], below(ca, 1, d))),
    Row("IDN, A-labels in a DNS-ID", lambda ca, d: make([dns(d)], ca), domains=idn(1)),
    Row("IDN, A-labels in an SRV-ID", lambda ca, d: make([srv(d)], ca), domains=idn(1)),
    Row("IDN, U-labels in an xmppAddr", lambda ca, d: make([xmpp(u_label(d))], ca), domains=idn(1)),
    Row("IDN, U-labels in the stream", lambda ca, d: make([dns(a_label(d))], ca), domains=idn(0)),
    Row("what is pinned", lambda ca, d: make([dns(d)], ca), sides=("outside",), domains=pinned()),
    Row("a good staple", lambda ca, d: make([dns(d)], ca, must_staple=True), roles=(SERVER,), staple="good"),
    Row("a client that would have to staple as a server", lambda ca, d: make([dns(d)], ca, must_staple=True), roles=(CLIENT,)),

    Row("expired", lambda ca, d: make([dns(d)], ca, (-9, -1)), "the certificate expired 20"),
    Row("not yet valid", lambda ca, d: make([dns(d)], ca, (1, 9)), "the certificate is not valid before 20"),
    Row("another name", lambda ca, d: make([dns("c.example"), srv("c.example"), xmpp("c.example")], ca, name="a.example"),
        "is for c.example, _xmpp-server.c.example, c.example, not for "),
    Row("the right common name only", lambda ca, d: make([], ca, name=d), "the certificate is for nobody, not for "),
    Row("another domain below the same", lambda ca, d: make([dns("x." + d)], ca), "the certificate is for x."),
    Row("self-signed", lambda ca, d: make([dns(d)]), "the certificate is self-signed"),
    Row("a CA that nobody trusts", lambda ca, d: make([dns(d)], make(ca=True, name="stranger")), "is signed by 'stranger'"),
    Row("revoked", lambda ca, d: make([dns(d)], ca), "the certificate was revoked by", hard=True),
    Row("revoked, says a staple", lambda ca, d: make([dns(d)], ca), "the certificate was revoked, says its OCSP staple",
        roles=(SERVER,), staple="revoked", hard=True),
    Row("no staple where there must be one", lambda ca, d: make([dns(d)], ca, must_staple=True),
        "the certificate demands an OCSP staple, and none came", roles=(SERVER,), hard=True),
    Row("a key of RSA 1024", lambda ca, d: make([dns(d)], ca, rsa_bits=1024), "the certificate has a weak key"),
    Row("signed with SHA-1", lambda ca, d: make([dns(d)], ca, digest=hashes.SHA1()), "the certificate has a weak signature"),
    Row("for mail", lambda ca, d: make([dns(d)], ca, usage=["mail"]), "the certificate is not for TLS of servers"),
    Row("for clients only", lambda ca, d: make([dns(d)], ca, usage=["client"]), "is not for TLS of servers", roles=(SERVER,)),
    Row("a CA that may not certify it, DNS-ID", lambda ca, d: make([dns(d)], below(ca, 1, "c.example")),
        "has a name that its CA may not certify (name constraints)"),
    Row("a CA that may not certify it, SRV-ID", lambda ca, d: make([srv(d)], below(ca, 1, "c.example")),
        "its CA may not certify"),
    Row("a CA that may not certify it, xmppAddr", lambda ca, d: make([xmpp(d)], below(ca, 1, "c.example")),
        "its CA may not certify"),
    Row("a wildcard below the domain", lambda ca, d: make([dns("*." + d)], ca), "the certificate is for *."),
    Row("a wildcard for a part of a label", lambda ca, d: make([dns("conf*." + d.split(".", 1)[1])], ca),
        "the certificate is for conf*.", domains=SUB),
    Row("a wildcard in an SRV-ID", lambda ca, d: make([srv("*." + d.split(".", 1)[1])], ca),
        "the certificate is for _xmpp-server.*.", domains=SUB),
    Row("nine CAs in between", lambda ca, d: make([dns(d)], below(ca, 9)), "certificate chain too long"),
    Row("IDN, another one", lambda ca, d: make([xmpp(u_label(d).replace("\u00fc", "u"))], ca), "the certificate is for ",
        domains=idn(1)),
    Row("not what is pinned", lambda ca, d: make([dns(d)], ca), "it matches no pin: certificate:", sides=("outside",),
        domains=pinned(), hard=True),
    Row("none at all", lambda ca, d: None, "showed no certificate", roles=(CLIENT,)),
)


class Case(NamedTuple):
    row: Row
    role: str                          # of the end whose certificate it is
    side: str                          # that it is on
    version: str
    transport: str
    level: str                         # of the peer outside

    def __str__(self):
        return f"{self.row.what}: {self.role} {self.side}, TLS {self.version}, {self.transport}, {self.level}"


def all_cases():
    return [Case(row, role, side, version, transport, level) for row in ROWS for role in row.roles for side in row.sides
            for version in VERSIONS for transport in TRANSPORTS for level in LEVELS[side]]


class Matrix:
    def __init__(self, world):
        self.world = world
        self.ca = {side: pki.Certificate.load(world.ca[side].file, world.ca[side].key) for side in SIDES}
        self.folder = world.folder / "matrix"
        self.folder.mkdir()
        self.server = {side: Server(world, side, 10 + 100 * i) for i, side in enumerate(SIDES)}
        self.made, self.files, self.addresses = {}, {}, {}
        for row in ROWS:
            for side in row.sides:
                for level in LEVELS[side]:
                    self.make(row, side, level)
        self.good = {side: make([dns(world.domains[side][0])], self.ca[side]).write(self.folder / f"{side}-good.pem")
                     for side in SIDES}
        for side in SIDES:
            for version in VERSIONS:
                self.addresses[None, side, "strong", version] = self.server[side].add(self.good[side], version)
            self.write_crl(side)

    def domain(self, row, side, level):
        """Whatever is below lax.example is a peer at the level tls-dialback."""
        domain = row.domains[side] if row.domains else self.world.domains[side][0]
        return domain if level == "strong" else domain.replace(".example", ".lax.example")

    def make(self, row, side, level):
        made = row.make(self.ca[side], self.domain(row, side, level))
        file = made and made.write(self.folder / f"{side}-{len(self.files)}.pem")
        self.made[row.what, side, level], self.files[row.what, side, level] = made, file
        staple = pki.staple(made, self.ca[side], row.staple == "revoked") if row.staple else None
        for version in VERSIONS if SERVER in row.roles else ():
            self.addresses[row.what, side, level, version] = self.server[side].add(file, version, staple)

    def write_crl(self, side):
        pki.write_crl(self.folder / f"{side}.crl", self.ca[side],
                      [made for (what, at, _), made in self.made.items() if what == "revoked" and at == side])

    def configure(self, guard):
        for side in SIDES:
            guard.set(side, "crls", self.folder / f"{side}.crl")
        for level, peer in (("strong", "pinned.example"), ("tls-dialback", "pinned.lax.example")):
            guard.set(f"peer {peer}", "profile", "default")
            guard.set(f"peer {peer}", "authentication", level)
            fingerprint = self.made["what is pinned", "outside", level].fingerprint()
            guard.set(f"peer {peer}", "pin", f"key:{'00' * 32}, certificate:{fingerprint}")
        guard.set("peer *.lax.example", "profile", "default")
        guard.set("peer *.lax.example", "authentication", "tls-dialback")

    def run(self, case):
        """The addresses of the connection, and what the end of the case and the other end saw."""
        other = SIDES[1 - SIDES.index(case.side)]
        domain, peer = self.domain(case.row, case.side, case.level), self.world.domains[other][0]
        direct = case.transport == "direct TLS"
        if case.role == CLIENT:
            address = self.addresses[None, other, "strong", case.version]
            ends, own = dial(self.world, case.side, address, domain, peer, self.files[case.row.what, case.side, case.level],
                               case.version, direct)
            return ends, own, self.server[other].record_of(ends)
        address = self.addresses[case.row.what, case.side, case.level, case.version]
        ends, good = dial(self.world, other, address, peer, domain, self.good[other], case.version, direct)
        return ends, self.server[case.side].record_of(ends), good


def fault(case, ends, own, other, audit):
    """What is wrong with how a case came out; None: nothing."""
    if not own or not other:
        return "an end does not answer"
    said = audit.get(tuple(f"{address}:{port}" for address, port in ends), [])
    if not case.row.reason:
        fine = own.opened and other.opened and own.shown and other.shown and not said
        return None if fine else f"refused: {own} {other} {said}"
    if case.level != "strong" and not case.row.hard:
        return doubtful_fault(case, own, other)
    if own.opened or other.opened:
        return f"let through: {own} {other}"
    if other.shown:
        return f"the other end was shown a guard certificate: {own} {other}"
    if not any(case.row.reason in line for line in said):
        return f"the audit does not say why: {said} {own} {other}"
    return None


def doubtful_fault(case, own, other):
    """At the level tls-dialback a peer that cannot be verified may be carried, but as nobody."""
    if case.role == CLIENT and other.shown:
        return f"the server was shown a certificate for it: {own} {other}"
    if case.role == SERVER and other.opened:
        return f"the client could verify what it was shown for it: {own} {other}"
    if case.transport == "direct TLS":
        return None                            # nobody in doubt is carried there, or as by STARTTLS
    carried = other.opened if case.role == CLIENT else "CERTIFICATE_VERIFY_FAILED" in str(other.fault)
    return None if carried else f"dialback could not begin: {own} {other}"


def reasons(guard):
    said = {}
    for line in guard.audit_lines():
        if line["event"] == "alert" and "client_address" in line:
            said.setdefault((line["client_address"], line["server_address"]), []).append(line["reason"])
    return said


def faults_of(cases, results, guard):
    audit = reasons(guard)
    return [(str(case), found) for case, result in zip(cases, results) if (found := fault(case, *result, audit))]


world = World(families=(4,), servers=False)
for side in SIDES:
    world.domains[side].append(IDN[side][1])
world.domains["outside"].append("pinned.example")
with world:
    matrix = Matrix(world)
    matrix.configure(world.guard)
    world.insert_guard()
    for server in matrix.server.values():
        server.serve()
    cases = all_cases()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(matrix.run, cases))
    eventually(lambda: not faults_of(cases, results, world.guard), 3)      # the audit may be behind the wire
    faults = faults_of(cases, results, world.guard)
    for row in ROWS:
        mine = [f for f in faults if f[0].startswith(row.what + ":")]
        count = sum(1 for case in cases if case.row is row)
        check(not mine, f"{row.what}: {'bad' if row.reason else 'good'} in each of {count} cases", mine[:3])
    alerts = [line for line in world.guard.audit_lines() if line.get("alert") == "pinned-peer-changed"]
    wrong = matrix.made["not what is pinned", "outside", "strong"]
    right = matrix.made["what is pinned", "outside", "strong"]
    alerts = [line for line in alerts if line["peer"] == "pinned.example"]
    check(alerts and all(right.fingerprint() in line["pinned"] and wrong.fingerprint() in line["reason"] and
                         wrong.key_fingerprint() in line["reason"] for line in alerts),
          "a pinned peer that changed is an alert with what is pinned and what came", alerts[:1])
    shown = world.guard.show("certificates")
    check(f"certificate:{right.fingerprint()}" in shown and f"key:{right.key_fingerprint()}" in shown,
          "show certificates says what to pin", shown[-400:])
    print(f"# {len(cases)} connections", flush=True)
