"""What the XMPP servers of the tests have in common: a folder, a user of their own, a namespace, its name service."""
import pwd
import socket
import time

from .wire import netns

USERS = ("alice", "bob")


class Server:
    """A kind of server says its `user`, its `log_name`, configure() and command(), which is for a shell."""

    def __init__(self, folder, domain, namespace, start, users=USERS):
        self.folder, self.domain, self.namespace, self.start_process = folder, domain, namespace, start
        self.users, self.process = users, None
        folder.mkdir()

    def start(self, wait=True):
        user = pwd.getpwnam(self.user)
        self.process = self.start_process(
            self.namespace, f"{self.user}-{self.domain}", "unshare", "-m", "sh", "-c",
            f"mount --bind {self.folder.parent}/resolv.conf /etc/resolv.conf && "
            f"exec setpriv --reuid={user.pw_uid} --regid={user.pw_gid} --clear-groups {self.command()}")
        if wait:
            self.wait_for_port()

    def wait_for_port(self):
        for _ in range(250):
            try:
                with netns(self.namespace):
                    socket.create_connection(("127.0.0.1", 5222), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise RuntimeError(f"{self.user} of {self.domain} does not start: {self.log()[-2000:]}")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def log(self):
        path = self.folder / self.log_name
        return path.read_text(errors="replace") if path.exists() else ""
