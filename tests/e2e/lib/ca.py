"""Certificate authorities and server certificates, made with the openssl command."""
from .wire import run

SRV_ID = "1.3.6.1.5.5.7.8.7"


class Ca:
    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.file = folder / f"{name}.pem"
        self.key = folder / f"{name}.key"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", self.key, "-out", self.file, "-days", "30", "-subj", f"/O=Sallyport test/CN={name}",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self.key.chmod(0o600)

    def issue(self, domains, label, not_after=None, rsa_bits=None):
        """A server certificate for the domains; not_after as YYYYMMDDHHMMSSZ to have it expired. Its key is of P-256, or RSA."""
        kind = ["-newkey", f"rsa:{rsa_bits}"] if rsa_bits else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        base = self.folder / label
        names = [f"DNS:{d},otherName:{SRV_ID};IA5STRING:_xmpp-server.{d}" for d in domains]
        key, request, cert = (base.with_name(base.name + end) for end in (".key", ".csr", ".pem"))
        extensions = base.with_name(base.name + ".ext")
        extensions.write_text(f"[e]\nsubjectAltName={','.join(names)}\nextendedKeyUsage=serverAuth,clientAuth\n"
                              "keyUsage=critical,digitalSignature\nbasicConstraints=critical,CA:FALSE\n")
        run("openssl", "req", *kind, "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={domains[0]}")
        index = base.with_name(base.name + ".index")
        index.write_text("")
        conf = base.with_name(base.name + ".cnf")
        conf.write_text(f"[ca]\ndefault_ca=c\n[c]\ndatabase={index}\nnew_certs_dir={self.folder}\n"
                        "default_md=sha256\npolicy=p\nrand_serial=yes\n[p]\ncommonName=supplied\n")
        run("openssl", "ca", "-batch", "-notext", "-config", conf, "-cert", self.file, "-keyfile", self.key,
            "-in", request, "-out", cert, "-extfile", extensions, "-extensions", "e",
            "-startdate", "20200101000000Z", "-enddate", not_after or "20490101000000Z")
        return cert, key

    def revoke(self, certificates, file):
        """Writes a CRL with these certificates to the file, all at once."""
        base = file.with_name("." + file.name)
        index, conf, made = (self.folder / f"{self.name}.crl-{end}" for end in ("index", "cnf", "made"))
        serials = [run("openssl", "x509", "-noout", "-serial", "-in", c).stdout.split("=")[1].strip() for c in certificates]
        index.write_text("".join(f"R\t490101000000Z\t251101000000Z\t{serial}\tunknown\t/CN=x\n" for serial in serials))
        conf.write_text(f"[ca]\ndefault_ca=c\n[c]\ndatabase={index}\ndefault_md=sha256\n")
        run("openssl", "ca", "-gencrl", "-batch", "-config", conf, "-cert", self.file, "-keyfile", self.key, "-out", made,
            "-crldays", "30")
        base.write_bytes(made.read_bytes())
        base.rename(file)
