"""Certificates of every kind, good and bad, made in this process: hundreds of them in a second or two."""
import datetime
import itertools
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SRV_ID = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.7")
XMPP_ADDR = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.5")
USAGE = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH,
         "mail": ExtendedKeyUsageOID.EMAIL_PROTECTION}
DAY = datetime.timedelta(days=1)
numbers = itertools.count(1)


def der(tag, text):
    data = text.encode()
    assert len(data) < 128
    return bytes([tag, len(data)]) + data


def dns(name):
    return x509.DNSName(name)


def srv(name):
    return x509.OtherName(SRV_ID, der(0x16, f"_xmpp-server.{name}"))


def xmpp(name):
    return x509.OtherName(XMPP_ADDR, der(0x0c, name))


class Certificate:
    """`chain` is what an endpoint shows above its own."""

    def __init__(self, certificate, key, chain=()):
        self.certificate, self.key, self.chain = certificate, key, list(chain)

    def write(self, file):
        """One PEM file with everything."""
        pem = serialization.Encoding.PEM
        data = self.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        for certificate in [self.certificate, *(c.certificate for c in self.chain)]:
            data += certificate.public_bytes(pem)
        file.write_bytes(data)
        return file

    def fingerprint(self):
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def key_fingerprint(self):
        digest = hashes.Hash(hashes.SHA256())
        digest.update(self.certificate.public_key().public_bytes(serialization.Encoding.DER,
                                                                 serialization.PublicFormat.SubjectPublicKeyInfo))
        return digest.finalize().hex()

    @classmethod
    def load(cls, certificate, key):
        return cls(x509.load_pem_x509_certificate(certificate.read_bytes()),
                   serialization.load_pem_private_key(key.read_bytes(), None))


def make(names=(), issuer=None, days=(-1, 30), usage=("server", "client"), rsa_bits=None, digest=None, ca=False,
         permitted=None, name=None, must_staple=False):
    """Signed by `issuer`, or by itself."""
    key = rsa.generate_private_key(65537, rsa_bits) if rsa_bits else ec.generate_private_key(ec.SECP256R1())
    number = next(numbers)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name or f"certificate {number}")])
    now = datetime.datetime.utcnow()
    builder = (x509.CertificateBuilder().subject_name(subject).serial_number(number)
               .issuer_name(issuer.certificate.subject if issuer else subject).public_key(key.public_key())
               .not_valid_before(now + days[0] * DAY).not_valid_after(now + days[1] * DAY)
               .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
               .add_extension(x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False), critical=True))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if usage and not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage([USAGE[u] for u in usage]), critical=False)
    if must_staple:
        builder = builder.add_extension(x509.TLSFeature([x509.TLSFeatureType.status_request]), critical=False)
    if permitted:
        builder = builder.add_extension(x509.NameConstraints([x509.DNSName(permitted)], None), critical=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")              # of SHA-1
        certificate = builder.sign(issuer.key if issuer else key, digest or hashes.SHA256())
    chain = [issuer, *issuer.chain] if issuer and issuer.certificate.issuer != issuer.certificate.subject else []
    return Certificate(certificate, key, chain)


def below(ca, depth=1, permitted=None):
    """A CA so many steps below this one."""
    for _ in range(depth):
        ca = make(issuer=ca, ca=True, permitted=permitted)
    return ca


def staple(certificate, issuer, revoked=False):
    """An OCSP answer of the issuer itself, for an hour."""
    now = datetime.datetime.utcnow()
    status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
    builder = ocsp.OCSPResponseBuilder().add_response(
        certificate.certificate, issuer.certificate, hashes.SHA1(), status, now - DAY, now + DAY, now if revoked else None, None)
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def write_crl(file, ca, revoked):
    now = datetime.datetime.utcnow()
    builder = x509.CertificateRevocationListBuilder().issuer_name(ca.certificate.subject).last_update(now - DAY)
    builder = builder.next_update(now + DAY)
    for certificate in revoked:
        builder = builder.add_revoked_certificate(x509.RevokedCertificateBuilder()
                                                  .serial_number(certificate.certificate.serial_number)
                                                  .revocation_date(now).build())
    file.write_bytes(builder.sign(ca.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
