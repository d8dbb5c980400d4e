"""Alerts, places and usage: what is noted, and how it is shown."""

from datetime import timedelta

import jwt
import pytest

from harness.virtual.cloud.registry.service_tokens import ServiceTokens
from harness.virtual.cloud.rest.jwt_auth import signed_by
from harness.virtual.cloud.services.alerts import Alerts
from harness.virtual.cloud.services.locations import Locations
from harness.virtual.cloud.services.messages import MessageStore
from harness.virtual.cloud.services.usage import Usage

from .cloud_makers import NOON


@pytest.mark.parametrize(
    ("payload", "number"),
    [
        (b'{"appId":"ALERT","type":1}', 1),
        (b'[{"appId":"ALERT"},{"appId":"TEMP"},{"appId":"ALERT"}]', 2),
        (b'{"appId":"TEMP"}', 0),
        (b"ALERT", 0),
        (b"[1]", 0),
    ],
)
def test_which_messages_are_alerts(payload, number):
    alerts = Alerts(lambda: NOON)
    MessageStore("prod/t/", "t", stored=alerts.take).add("dev-1", "prod/t/m/d/dev-1/d2c", payload, NOON)
    assert len(list(alerts.all())) == number


@pytest.mark.parametrize(
    ("ts", "created"),
    [(1893499200000, "2030-01-01T12:00:00.000Z"), (None, None), (-1, None), (10**30, None), (True, None), ("x", None)],
)
def test_an_alert_shows_the_devices_time_when_it_has_one(ts, created):
    alerts = Alerts(lambda: NOON)
    store = MessageStore("prod/t/", "t", stored=alerts.take)
    text = "" if ts is None else f',"ts":{str(ts).lower() if ts != "x" else chr(34) + "x" + chr(34)}'
    store.add("dev-1", "prod/t/m/d/dev-1/d2c", f'{{"appId":"ALERT"{text}}}'.encode(), NOON)
    (alert,) = alerts.all()
    assert alert.item().get("createdAt") == created


def test_an_alert_is_put_away_and_brought_back():
    alerts = Alerts(lambda: NOON)
    MessageStore("prod/t/", "t", stored=alerts.take).add("d", "prod/t/m/d/d/d2c", b'{"appId":"ALERT"}', NOON)
    (alert,) = alerts.all()
    assert alerts.find(alert.alert_id) is alert
    assert alert.item()["status"] == "ACTIVE"
    assert "statusChangedAt" not in alert.item()
    alerts.set_archived(alert, True)
    assert (alert.item()["status"], alert.item()["statusChangedAt"]) == ("ARCHIVED", "2030-01-01T12:00:00.000Z")
    alerts.set_archived(alert, False)
    assert alert.item()["status"] == "ACTIVE"


def test_places():
    locations = Locations(lambda: NOON)
    locations.add("dev-1", "WIFI", (63.4, 10.4), 30)
    locations.add("dev-1", "GNSS", (1, 2), 5, {"alt": 7})
    first, second = locations.all()
    assert (first.item()["lat"], first.item()["uncertainty"]) == ("63.4", "30")
    assert second.item()["meta"] == {"acc": 5, "alt": 7, "spd": 0, "hdg": 0}
    assert not locations.remove("dev-2", first.place_id)
    assert locations.remove("dev-1", first.place_id)
    assert list(locations.all()) == [second]


def test_usage_by_day_and_by_month():
    moment = [NOON]
    usage = Usage(lambda: moment[0])
    usage.count("LOCATION", "MCELL", "REST", "dev-1")
    usage.count("LOCATION", "MCELL", "REST", "dev-1")
    moment[0] = NOON + timedelta(days=31)
    usage.count("FOTA", "APP", "REST", "dev-1")
    assert usage.items(NOON, NOON + timedelta(days=1)) == [
        {"date": "2030-01-01", "service": "LOCATION", "serviceType": "MCELL", "source": "REST", "sum": 2}
    ]
    assert usage.items(NOON + timedelta(days=1), NOON + timedelta(days=31)) == [
        {"date": "2030-02-01", "service": "FOTA", "serviceType": "APP", "source": "REST", "sum": 1}
    ]
    assert usage.items(NOON - timedelta(days=9), NOON.replace(hour=0)) == []  # the end is not counted in
    newest, oldest = usage.summary()
    assert (newest["date"], newest["fotaJobExecutions"]) == ("2030-02", 1)
    assert oldest["locationServices"]["MCELL"] == {"requests": 2, "devicesUsing": 1}


def test_tokens_of_the_team():
    tokens = ServiceTokens("team", lambda: NOON)
    key, first = tokens.make_service()
    assert jwt.decode(first.token, options={"verify_signature": False}) == {
        "aud": "team",
        "exp": int((NOON + timedelta(days=365)).timestamp()),
    }
    assert signed_by(jwt.encode({"aud": "team"}, key, algorithm="ES256"), first.key)
    tokens.make_service()
    assert not signed_by(first.token, tokens.service.key)
    assert key not in repr(tokens.service)
