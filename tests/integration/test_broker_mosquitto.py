"""The broker with clients that this project did not write: mosquitto_pub and mosquitto_sub."""

import shutil
import subprocess
from contextlib import contextmanager

import pytest

from tests.integration.broker_lab import DEADLINE, identity, server_identity

pytestmark = pytest.mark.skipif(
    not (shutil.which("mosquitto_pub") and shutil.which("mosquitto_sub")),
    reason="mosquitto_pub and mosquitto_sub are not installed (Debian: apt-get install mosquitto-clients)",
)


@pytest.fixture
def arguments(aws, tmp_path):
    """Return a function: program and identity to the command line's beginning."""
    root = tmp_path / "root.pem"
    root.write_text(server_identity()[0].pem)

    def build(program, name):
        certificate, key = identity(name).files(tmp_path)
        where = ["-h", "localhost", "-p", str(aws.port), "-i", name, "-V", "mqttv311"]
        return [program, *where, "--cafile", str(root), "--cert", certificate, "--key", key]

    return build


def run(command):
    return subprocess.run(command, capture_output=True, text=True, timeout=2 * DEADLINE, check=False)


@contextmanager
def subscriber(aws, command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        aws.journal.wait("subscribe")
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("qos", ["0", "1"])
def test_publish_and_receive(aws, arguments, qos):
    receive = [*arguments("mosquitto_sub", "dev-1"), "-t", "ok/#", "-q", qos, "-C", "1", "-F", "%t %q %p"]
    with subscriber(aws, receive) as process:
        assert run([*arguments("mosquitto_pub", "dev-2"), "-t", "ok/x", "-q", qos, "-m", "hello"]).returncode == 0
        assert process.stdout.readline() == f"ok/x {qos} hello\n"
        assert process.wait(DEADLINE) == 0


def test_a_will_arrives_when_the_client_is_killed(aws, arguments):
    receive = [*arguments("mosquitto_sub", "dev-1"), "-t", "ok/gone", "-q", "1", "-C", "1"]
    with subscriber(aws, receive) as process:
        will = ["--will-topic", "ok/gone", "--will-payload", "farewell", "--will-qos", "1"]
        aws.journal.events.clear()
        with subscriber(aws, [*arguments("mosquitto_sub", "dev-2"), "-t", "ok/x", *will]) as other:
            other.kill()
            assert process.stdout.readline() == "farewell\n"


def test_a_forbidden_publish_is_never_acknowledged(aws, arguments):
    sender = subprocess.Popen([*arguments("mosquitto_pub", "dev-1"), "-t", "forbidden", "-q", "1", "-m", "x"])
    try:
        assert aws.journal.wait("close", client_id="dev-1")["reason"] == "AUTH_ERROR"
        assert aws.services.heard == []
    finally:
        sender.kill()
        sender.wait(DEADLINE)


def test_a_forbidden_subscribe_is_never_acknowledged(aws, arguments):
    receiver = subprocess.Popen([*arguments("mosquitto_sub", "dev-1"), "-t", "forbidden/#", "-q", "1"])
    try:
        assert aws.journal.wait("close", client_id="dev-1")["reason"] == "AUTH_ERROR"
        assert aws.journal.of("subscribe") == []
    finally:
        receiver.kill()
        receiver.wait(DEADLINE)


def test_an_unregistered_certificate_is_refused(aws, arguments):
    failed = run([*arguments("mosquitto_pub", "stranger"), "-t", "ok/x", "-m", "x"])
    assert failed.returncode != 0
    assert "not registered" in aws.journal.wait("connect_refused", client_id="stranger")["detail"]
