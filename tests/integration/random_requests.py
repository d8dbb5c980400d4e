"""Requests that nobody would send on purpose, and a client that sends them: seeded, so that a failure comes back.

``test_rest_robustness.py`` sends some; many by hand: ``python -m tests.integration.random_requests --number 15000``.
"""

import argparse
import json
import random
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

DEADLINE = 60.0
_PATIENCE = 0.2  # seconds for the answer to bytes that may not be a whole request
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_ODD_METHODS = ("BREW", "get", "G\x00T", "CONNECT", "TRACE", "PRI", "")
_PARTS = ("dev-1", "x", "%00", "%ff", "%ED%A0%80", "a" * 300, "..", "%2F", "ü", "💥", "tags", "-1", "%", "$aws", "")
_ENCODINGS = ("gzip", "deflate", "br", "zstd", "identity", "rot13", "gzip, gzip", "\x01")
_TYPES = (
    "application/json",
    "text/csv",
    "text/plain",
    "application/zip",
    "application/cbor",
    "x",
    "text/csv; charset=x",
)
_TEXTS = (
    "", "a", "\ud800", "\x00", "💥" * 40, "a" * 2000, "2023-01-31T12:00:00Z", "9999-12-31T23:59:59+23:59", "1e999",
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "APP*12345678*1", "true", "NaN", "../..",
)  # fmt: skip
_MEMBERS = (
    "certificate", "subType", "tags", "reported", "desired", "topic", "message", "bundleId", "deviceIds", "status",
    "lte", "wifi", "accessPoints", "mcc", "mnc", "eci", "tac", "macAddress", "lat", "lon", "types", "claimToken",
    "request", "commands", "name", "details", "autoApply", "nmr",
)  # fmt: skip
_QUERY = (
    "pageLimit", "pageNextToken", "pageSort", "deviceId", "deviceIds", "appId", "topic", "start", "inclusiveStart",
    "exclusiveEnd", "end", "status", "fallback", "types", "includeState", "predictionCount", "latest", "qos",
)  # fmt: skip


class Maker:
    """Makes requests. ``paths``: templates as in an OpenAPI document; ``keys``: credentials to try."""

    def __init__(self, seed, paths, keys):
        self._random = random.Random(seed)  # noqa: S311  # repeatable is what is wanted
        self._paths, self._keys = paths, keys

    def request(self):
        """Return the bytes of one request, and whether they may be less or more than one."""
        if self._random.random() < 0.45:
            return self._broken(), True
        return self._assemble(self._random.choice(_METHODS), self._target(), self._fields(), self._body()), False

    def _target(self):
        path = self._random.choice(self._paths)
        while "{" in path:
            start, end = path.index("{"), path.index("}")
            path = path[:start] + self._random.choice(_PARTS) + path[end + 1 :]
        pairs = [
            f"{self._random.choice(_QUERY)}={self._random.choice(_PARTS)}" for _ in range(self._random.randrange(4))
        ]
        return f"/v1{path}" + ("?" + "&".join(pairs) if pairs else "")

    def _fields(self):
        fields = [f"Authorization: Bearer {self._random.choice(self._keys)}"] if self._random.random() < 0.9 else []
        if self._random.random() < 0.7:
            fields.append(f"Content-Type: {self._random.choice(_TYPES)}")
        if self._random.random() < 0.15:
            fields.append(f"Content-Encoding: {self._random.choice(_ENCODINGS)}")
        if self._random.random() < 0.1:
            fields.append(self._random.choice(("If-Match: x", "If-Match: 99999999999999999999", "Range: bytes=5-1,x")))
        return fields

    def _body(self):
        kind = self._random.randrange(4)
        if kind == 0:
            return b""
        if kind == 1:
            return self._random.randbytes(self._random.randrange(200))
        return json.dumps(self._value(3)).encode()

    def _value(self, depth):
        kind = self._random.randrange(8 if depth else 5)
        if kind < 2:
            return self._random.choice(_TEXTS)
        if kind < 4:
            return self._random.choice((0, -1, 1.5, 2**63, 10**400, float("nan"), float("inf"), 242))
        if kind == 4:
            return self._random.choice((None, True, False))
        if kind == 5:
            return [self._value(depth - 1) for _ in range(self._random.randrange(4))]
        names = self._random.sample(_MEMBERS, self._random.randrange(1, 5))
        return {name: self._value(depth - 1) for name in names}

    def _assemble(self, method, target, fields, body):
        lines = [f"{method} {target} HTTP/1.1", "Host: api.nrfcloud.com", *fields]
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode(errors="surrogateescape") + body

    def _broken(self):
        method, target, fields, body = self._random.choice(_METHODS), self._target(), self._fields(), self._body()
        match self._random.randrange(9):
            case 0:
                return self._assemble(self._random.choice(_ODD_METHODS), target, fields, b"")
            case 1:
                return self._assemble(method, target, [*fields, "X-Nul: a\x00b"], b"")
            case 2:
                length = self._random.choice(("-1", "x", "1, 2", "99999999999999999999", "0x10", "5"))
                return self._assemble(method, target, [*fields, f"Content-Length: {length}"], b"") + body
            case 3:
                chunk = self._random.choice(
                    (b"zz\r\nab\r\n", b"-1\r\n\r\n", b"5\r\nab\r\n0\r\n\r\n", b"ffffffffffffffffff\r\n")
                )
                return (
                    self._assemble("POST", target, [*fields, "Transfer-Encoding: chunked"], b"").replace(
                        b"Content-Length: 0\r\n", b""
                    )
                    + chunk
                )
            case 4:
                return self._assemble(method, target, [*fields, f"X-Long: {'a' * 9000}"], b"")
            case 5:
                return self._assemble(method, target + "\udcff\udc80\x01", fields, b"")
            case 6:
                return self._assemble("POST", target, [*fields, "Content-Encoding: gzip"], self._random.randbytes(30))
            case 7:
                odd = self._random.choice(
                    ("Expect: 200-maybe", "Upgrade: websocket\r\nConnection: Upgrade", "Host: [::1")
                )
                return self._assemble(method, target, [*fields, odd], b"")
            case _:
                whole = bytearray(self._assemble(method, target, fields, body))
                for _ in range(self._random.randrange(1, 6)):
                    whole[self._random.randrange(len(whole))] = self._random.randrange(256)
                return bytes(whole)


class Sender:
    """Sends requests over TLS, on one connection for as long as it lasts. ``statuses`` counts what came back."""

    def __init__(self, address, ca_file):
        self._address = address
        self._context = ssl.create_default_context(cafile=str(ca_file))
        self._tls = None
        self.statuses = Counter()

    def send(self, data, *, doubtful):
        """Send one request, count its answer, check its form. ``doubtful``: there may be none, or more than one."""
        if doubtful and self._tls is not None:
            self.close()  # what came before must not be what ends it
        self._tls = tls = self._tls or self._connect()
        tls.settimeout(_PATIENCE if doubtful else DEADLINE)
        try:
            tls.sendall(data)
            going_on = self._read_answer(tls, data)
        except TimeoutError:
            assert doubtful, f"no answer to {data[:300]!r}"
            self.statuses["none"] += 1
            going_on = False
        except OSError:
            self.statuses["closed"] += 1
            going_on = False
        if doubtful or not going_on:
            self.close()

    def close(self):
        if self._tls is not None:
            self._tls.close()
            self._tls = None

    def _connect(self):
        tcp = socket.create_connection(self._address, timeout=DEADLINE)
        return self._context.wrap_socket(tcp, server_hostname="api.nrfcloud.com")

    def _read_answer(self, tls, data):
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = tls.recv(65536)
            if not more:
                self.statuses["closed"] += 1
                return False
            answer += more
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        self.statuses[status] += 1
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if status == 100 or data.startswith(b"HEAD "):
            return False
        going_on = head.startswith(b"HTTP/1.1") and fields.get(b"connection") != b"close"
        while len(body) < int(fields.get(b"content-length", 0)):
            body += tls.recv(65536)
        assert status < 500 or (status == 501 and b"not simulated" in body), (data[:500], body)
        if status >= 400:
            forms = (
                {"code", "message"},
                {"claimedIds", "failed"},
            )  # the second: a bulk claim of which nothing was taken
            assert json.loads(body).keys() in forms, (data[:500], body)
        return going_on


def run(ready, number, seed):
    """Send ``number`` requests to both services of stand-ins that said ``ready``; return the statuses."""
    cloud = ready["cloud"]
    key = Path(cloud["api_key_file"]).read_text()
    statuses = Counter()
    paths = ["/devices/{deviceId}", *_paths(cloud)]
    boards = [
        *("/claimed-devices", "/claimed-devices/{id}/provisioning/{id}", "/provisioning-rules"),
        *("/provisioning/tags", "/provisioning/commands", "/provisioning/response"),
    ]
    for url, templates, share in ((cloud["rest"], paths, 0.8), (cloud["provisioning"], boards, 0.2)):
        maker = Maker(seed, templates, (key, key, key, key, "x" * 40, "a.b.c", "", "\u00fc\x01"))
        sender = Sender(_address(url), cloud["ca"])
        for _ in range(int(number * share)):
            data, doubtful = maker.request()
            sender.send(data, doubtful=doubtful)
        sender.close()
        statuses += sender.statuses
    return statuses


def _address(url):
    host, port = url.split("/")[2].split(":")
    return host, int(port)


def _paths(cloud):
    context = ssl.create_default_context(cafile=cloud["ca"])
    with (
        socket.create_connection(_address(cloud["rest"]), timeout=DEADLINE) as tcp,
        context.wrap_socket(tcp, server_hostname="api.nrfcloud.com") as tls,
    ):
        tls.sendall(b"GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while more := tls.recv(65536):
            answer += more
    return list(json.loads(answer.partition(b"\r\n\r\n")[2])["paths"])


def try_out(number, seed):
    """Start stand-ins, send them requests; return the statuses and what the process wrote to standard error."""
    command = [sys.executable, "-m", "harness.virtual", "--boards", "0", "--die-with-stdin"]
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process:
            statuses = run(json.loads(process.stdout.readline()), number, seed)
        errors.seek(0)
        return statuses, errors.read()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--number", type=int, default=15000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    statuses, errors = try_out(options.number, options.seed)
    print(f"{options.number} requests in {time.monotonic() - started:.1f} s: {dict(statuses.most_common())}")
    print(f"standard error: {errors or 'nothing'}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
