"""The JSON arrays that firmware updates are talked about in over MQTT."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.virtual.cloud.services.fota import ExecutionStatus, FotaJobs
from harness.virtual.cloud.services.fota_messages import (
    FotaReport,
    NotUnderstood,
    encode_job,
    parse_report,
    parse_request,
)

from .cloud_makers import make_bundle


@pytest.mark.parametrize(
    ("kind", "number"),
    [("APP", 0), ("MODEM", 1), ("BOOT", 2), ("BOOTLOADER", 3), ("SOFTDEVICE", 4), ("MDM_FULL", 5)],
)
def test_a_job_as_it_is_sent(kind, number):
    job = FotaJobs().create(make_bundle(kind), ["a"])
    text = f'["{job.job_id}",{number},1000,"firmware.nrfcloud.com","team/{kind}*1a2b3c4d*2.0.1/app.bin"]'
    assert encode_job(job) == text.encode()


def test_requests():
    assert parse_request(b'[""]') is None
    assert parse_request(b'["job-1"]') == "job-1"


@pytest.mark.parametrize("payload", [b"", b"[", b"\xff", b"{}", b"[]", b"[5]", b'["a","b"]', b'"a"', b"[" * 5000])
def test_what_is_no_request(payload):
    with pytest.raises(NotUnderstood):
        parse_request(payload)


@pytest.mark.parametrize(
    ("payload", "report"),
    [
        (b'["j",0,""]', FotaReport("j", ExecutionStatus.QUEUED, None)),
        (b'["j",1,""]', FotaReport("j", ExecutionStatus.IN_PROGRESS, None)),
        (b'["j",2,"Error during download"]', FotaReport("j", ExecutionStatus.FAILED, "Error during download")),
        (b'["j",3,""]', FotaReport("j", ExecutionStatus.SUCCEEDED, None)),
        (b'["j",4,""]', FotaReport("j", ExecutionStatus.TIMED_OUT, None)),
        (b'["j",5,""]', FotaReport("j", ExecutionStatus.CANCELLED, None)),
        (b'["j",6,"Job info is invalid"]', FotaReport("j", ExecutionStatus.REJECTED, "Job info is invalid")),
        (b'["j",7,42]', FotaReport("j", ExecutionStatus.DOWNLOADING, "42")),
    ],
)
def test_reports(payload, report):
    assert parse_report(payload) == report


@pytest.mark.parametrize(
    "payload",
    [b"", b'["j"]', b'["j",8,""]', b'["j",-1,""]', b'["j",true,""]', b'["j",1,true]', b'["j",1,null]', b'[1,1,""]'],
)
def test_what_is_no_report(payload):
    with pytest.raises(NotUnderstood):
        parse_report(payload)


_JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)


@given(st.binary() | _JSON.map(lambda content: json.dumps(content).encode()))
def test_any_payload_is_understood_or_not(payload):
    for parse in (parse_request, parse_report):
        try:
            understood = parse(payload)
        except NotUnderstood:
            continue
        assert understood is None or isinstance(understood, str | FotaReport)
