from cryptography.hazmat.primitives.serialization import load_pem_private_key

from harness.credentials.material import Material, made_by_cloud, made_on_host
from harness.redact import SECRETS
from tests.unit.credentials.cloud_keys import CloudKeys


def _check_hidden(material: Material) -> None:
    body = material.private_key_pem.splitlines()[1:-1]
    assert len(body) >= 2
    for text in (repr(material), SECRETS.scrub(repr(material.contents())), SECRETS.scrub(" ".join(body))):
        assert not any(line in text for line in body)


def test_a_key_of_this_computer_is_in_no_repr_and_no_report(ca, root_ca):
    material = made_on_host(device_id="nrf-1", ca=ca, root_ca_pem=root_ca)
    key = load_pem_private_key(material.private_key_pem.encode(), password=None)
    assert key.curve.name == "secp256r1"
    assert list(material.contents()) == [0, 1, 2]
    _check_hidden(material)


def test_a_key_of_the_cloud_is_in_no_repr_and_no_report(ca, root_ca):
    _check_hidden(made_by_cloud(CloudKeys(ca, root_ca), device_id="nrf-1"))


def test_every_key_is_another(ca, root_ca):
    keys = {made_on_host(device_id="nrf-1", ca=ca, root_ca_pem=root_ca).private_key_pem for _ in range(5)}
    assert len(keys) == 5
