"""One dnsmasq in a namespace: where each organisation's server is, as both sides see it."""
from .wire import ADDRESS


def records(site_domains, families, ports, service="xmpp-server"):
    """Lines of dnsmasq configuration. site_domains: side -> domain names; ports: side -> where its server listens."""
    lines = ["no-resolv", "no-hosts", "port=53", "listen-address=127.0.0.1", "bind-interfaces", "user=root",
             "keep-in-foreground", "pid-file", "log-facility=-", "local=/example/"]
    for side, domains in site_domains.items():
        host = f"xmpp.{domains[0]}"
        lines.append(f"host-record={host},{','.join(ADDRESS[side][f] for f in families)}")
        lines += [f"srv-host=_{service}._tcp.{d},{host},{ports[side]}" for d in domains]
    return "\n".join(lines) + "\n"
