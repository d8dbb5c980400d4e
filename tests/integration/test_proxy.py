"""The CONNECT proxy: nRF Cloud's names lead to the local cloud, every other name leads nowhere."""

import shutil
import socket
import subprocess

import pytest
import requests

from tests.integration.cloud_clients import proxy_of, tool
from tests.integration.cloud_lab import DEADLINE, Identity


@pytest.fixture
def port(lab):
    with proxy_of(lab) as port:
        yield port


def say(port, request):
    """Send ``request`` to the proxy; return all it answers until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as tcp:
        tcp.sendall(request)
        answer = b""
        while data := tcp.recv(65536):
            answer += data
        return answer


def test_the_requests_of_a_tool_that_onboards(lab, port, monkeypatch):
    """As nRF Cloud Utils does it: a tunnel for each request, headers and bodies as it sends them."""
    call, headers = tool(lab, port, monkeypatch), {"Authorization": f"Bearer {lab.cloud.api_key}"}
    api = "https://api.nrfcloud.com/v1/"
    pem = Identity("d1").certificate_pem
    query = "?includeState=false&includeStateMeta=false&pageSort=desc&pageLimit=20"
    assert call("GET", f"{api}devices{query}&deviceIds=d1", headers=headers).json()["items"] == []
    assert call("GET", f"{api}devices/d1", headers=headers).status_code == 404
    upload = {**headers, "content-type": "text/csv", "Accept-Encoding": "*"}
    answer = call("POST", f"{api}devices", data=f'd1,,t1|t2,APP|MODEM,"{pem}"\n', headers=upload)
    assert answer.status_code == 202
    url = f"{api}bulk-ops-requests/{answer.json()['bulkOpsRequestId']}"
    assert call("GET", url, headers=headers).json()["endpoint"] == "ONBOARD_DEVICES"
    lab.journal.wait("onboard", device_id="d1")
    operation = call("GET", url, headers=headers).json()
    assert operation["status"] == "SUCCEEDED"
    assert operation["uploadedDataUrl"].startswith(f"{api}bulk-ops-results/")
    assert call("GET", operation["uploadedDataUrl"]).text.startswith("d1,,t1|t2")
    assert call("GET", f"{api}devices/d1", headers=headers).json()["tags"] == ["t1", "t2"]
    assert lab.journal.wait("proxy")["connected"] is True


@pytest.mark.parametrize("host", ["example.com:443", "api.nrfcloud.com:80", "127.0.0.1:443", "xapi.nrfcloud.com:443"])
def test_other_names_lead_nowhere(port, host):
    answer = say(port, f"CONNECT {host} HTTP/1.1\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"only these are connected: api.nrfcloud.com:443, api.provisioning.nrfcloud.com:443, " in answer


def test_a_tool_sees_the_refusal(lab, port, monkeypatch):
    call = tool(lab, port, monkeypatch)
    with pytest.raises(requests.exceptions.ProxyError, match="403"):
        call("GET", "https://example.com/")
    assert lab.journal.wait("proxy", host="example.com")["connected"] is False


@pytest.mark.parametrize(
    "request_",
    [
        b"GET http://api.nrfcloud.com/ HTTP/1.1\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"CONNECT api.nrfcloud.com HTTP/1.1\r\n\r\n",
    ],
)
def test_only_connect_is_answered(port, request_):
    assert say(port, request_).startswith(b"HTTP/1.1 405 ")


def test_a_head_without_end_is_dropped(port):
    assert say(port, b"CONNECT " + b"x" * 20_000) == b""


def test_names_are_not_case_sensitive_and_http_1_0_is_taken(port):
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as tcp:
        tcp.sendall(b"connect API.nrfcloud.com:443 HTTP/1.0\r\n\r\n")
        assert tcp.recv(100).startswith(b"HTTP/1.1 200 ")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_through_the_proxy(lab, port):
    line = ["curl", "-sS", "--proxy", f"http://127.0.0.1:{port}", "--cacert", str(lab.ca_file)]
    done = subprocess.run(
        [*line, "https://api.nrfcloud.com/v1/status"], capture_output=True, timeout=DEADLINE, check=False
    )
    assert done.stdout == b'{"status": "ok"}', done.stderr


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_through_the_proxy(lab, port):
    line = ["openssl", "s_client", "-proxy", f"127.0.0.1:{port}", "-connect", "api.provisioning.nrfcloud.com:443"]
    checks = ["-CAfile", str(lab.ca_file), "-verify_return_error", "-verify_hostname", "api.provisioning.nrfcloud.com"]
    done = subprocess.run([*line, *checks, "-brief"], input=b"", capture_output=True, timeout=DEADLINE, check=False)
    assert b"Verification: OK" in done.stderr, done.stderr.decode()


def test_a_stop_cuts_open_tunnels(lab):
    with proxy_of(lab) as port:
        tcp = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        tcp.sendall(b"CONNECT api.nrfcloud.com:443 HTTP/1.1\r\n\r\n")
        assert tcp.recv(100).startswith(b"HTTP/1.1 200 ")
    with tcp:
        assert tcp.recv(100) == b""
