"""A mailbox on the loopback address that speaks the IMAP that reading it needs (RFC 3501), and misbehaves on request.

`with ImapServer() as server:`, then `server.url`, `server.deliver(raw)`, `server.flags`.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
from typing import Self
from urllib.parse import quote

USER, PASSWORD = "bounces@harbor.example", 'p@ss "w\\rd'
_COMMAND = re.compile(r"(\S+) (\S+) ?(.*)")


class ImapServer:
    """One folder. With `tls` it speaks TLS from the start; with `starttls` it offers that. One client at a time."""

    def __init__(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        has_keywords: bool = True,
        read_only: bool = False,
        folder: str = "INBOX",
    ) -> None:
        self.mails: dict[int, bytes] = {}
        self.flags: dict[int, set[str]] = {}
        self.commands: list[str] = []  # as received, without tags and without the login
        self.stops_at = ""  # the command at which it falls silent
        self.breaks_at = ""  # the command at which it closes the connection
        self._tls, self._starttls = tls, starttls
        self._has_keywords, self._read_only, self._folder = has_keywords, read_only, folder
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        scheme = "imaps" if self._tls else "imap"
        option = "" if self._tls or self._starttls else "?starttls=no"
        host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        return f"{scheme}://{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@{host}/{quote(self._folder)}{option}"

    def deliver(self, raw: bytes) -> int:
        """A new mail; returns its UID. UIDs are not message numbers."""
        uid = 100 + 7 * len(self.mails)
        self.mails[uid], self.flags[uid] = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), set()
        return uid

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._listener.close()
        self._thread.join(timeout=10)

    def _serve(self) -> None:
        while True:
            try:
                self._listener.settimeout(0.05)
                peer, _ = self._listener.accept()
            except TimeoutError:
                if self._ending.is_set():
                    return
                continue
            except OSError:
                return
            with peer:
                peer.settimeout(10)
                try:
                    self._talk(self._tls.wrap_socket(peer, server_side=True) if self._tls else peer)
                except OSError:
                    continue  # the client broke off, or would not take the certificate

    def _talk(self, peer: socket.socket) -> None:
        peer.sendall(b"* OK ready\r\n")
        lines = peer.makefile("rb")
        while line := lines.readline().decode("ascii").rstrip("\r\n"):
            match = _COMMAND.fullmatch(line)
            assert match is not None, line
            tag, command, arguments = match[1], match[2].upper(), match[3]
            if command == "UID":
                command, _, arguments = arguments.partition(" ")
            self.commands.append("LOGIN" if command == "LOGIN" else f"{command} {arguments}".strip())
            if command == self.stops_at:
                self._ending.wait(10)
                return
            if command == self.breaks_at:
                return
            untagged, answer = self._answer(command, arguments)
            peer.sendall(b"".join(b"* %b\r\n" % one for one in untagged) + f"{tag} {answer}\r\n".encode())
            if command == "STARTTLS" and self._starttls is not None:
                peer = self._starttls.wrap_socket(peer, server_side=True)
                lines = peer.makefile("rb")
            if command == "LOGOUT":
                return

    def _answer(self, command: str, arguments: str) -> tuple[list[bytes], str]:
        match command:
            case "CAPABILITY":
                return [b"CAPABILITY IMAP4rev1" + (b" STARTTLS" if self._starttls else b"")], "OK done"
            case "STARTTLS":
                return [], "OK begin"
            case "LOGIN":
                is_right = arguments == f"{_quoted(USER)} {_quoted(PASSWORD)}"
                return [], "OK done" if is_right else "NO [AUTHENTICATIONFAILED] wrong"
            case "SELECT":
                if arguments != _quoted(self._folder):
                    return [], "NO no such folder"
                state = "READ-ONLY" if self._read_only else "READ-WRITE"
                return [b"%d EXISTS" % len(self.mails), b"FLAGS (\\Seen)"], f"OK [{state}] done"
            case "SEARCH":
                assert arguments == "UNSEEN UNDELETED UNKEYWORD BonewiseLeft"
                new = [
                    uid for uid, flags in self.flags.items() if not flags & {"\\Seen", "\\Deleted", "BonewiseLeft"}
                ]
                return [b" ".join([b"SEARCH", *(b"%d" % uid for uid in new)])], "OK done"
            case "FETCH":
                return self._fetch(*arguments.split(" ", 1))
            case "STORE":
                return self._store(*arguments.split(" ", 2))
            case "LOGOUT":
                return [b"BYE"], "OK done"
            case _:
                return [], "BAD unknown"

    def _fetch(self, uid: str, what: str) -> tuple[list[bytes], str]:
        raw = self.mails.get(int(uid))
        if raw is None:
            return [], "OK nothing"
        if what == "(RFC822.SIZE)":
            return [b"1 FETCH (UID %b RFC822.SIZE %d)" % (uid.encode(), len(raw))], "OK done"
        match = re.fullmatch(r"\(BODY\.PEEK\[\](?:<0\.(\d+)>)?\)", what)
        assert match is not None, what
        name, part = ("BODY[]<0>", raw[: int(match[1])]) if match[1] else ("BODY[]", raw)
        return [b"1 FETCH (UID %b %b {%d}\r\n%b)" % (uid.encode(), name.encode(), len(part), part)], "OK done"

    def _store(self, uid: str, how: str, flag: str) -> tuple[list[bytes], str]:
        assert how == "+FLAGS.SILENT"
        name = flag.strip("()")
        if not name.startswith("\\") and not self._has_keywords:
            return [], "NO keywords are not kept here"
        self.flags[int(uid)].add(name)
        return [], "OK done"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
