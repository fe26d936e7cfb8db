"""A PKCS#11 token in a folder of the test (SoftHSM), and what the configuration calls the keys in it."""
import shutil

from .wire import run

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "1234"


class Token:
    def __init__(self, folder):
        self.folder = folder / "token"
        self.folder.mkdir(mode=0o700)
        self.conf, self.pin = self.folder / "softhsm2.conf", self.folder / "pin"
        (self.folder / "tokens").mkdir()
        self.conf.write_text(f"directories.tokendir = {self.folder}/tokens\nobjectstore.backend = file\n")
        self.pin.write_text(PIN)
        self.pin.chmod(0o600)
        self.count = 0
        self.softhsm("--init-token", "--free", "--label", "guard", "--so-pin", "5678")

    def softhsm(self, *words):
        run("env", f"SOFTHSM2_CONF={self.conf}", "softhsm2-util", *words, "--pin", PIN)

    def give(self, uid):
        """To the user that keyd runs as: the module opens its files whenever it is asked."""
        run("chown", "-R", uid, self.folder)

    def uri(self, label):
        return f"pkcs11:token=guard;object={label}?module-path={MODULE}&pin-source=file:{self.pin}"

    def take(self, key, label):
        """Moves the key from its file into the token; its place there."""
        self.count += 1
        pem = self.folder / "key.pem"
        run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", key, "-out", pem)
        self.softhsm("--import", pem, "--token", "guard", "--label", label, "--id", f"a{self.count}")
        pem.unlink()
        shutil.move(key, self.folder / f"{label}.taken")
        return self.uri(label)
