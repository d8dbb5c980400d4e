"""Provisioning a board: one interface for the four ways of making its key.

Order of steps and of the credential types: nRF Cloud documentation, device credentials; nRF91x1 AT Commands reference,
%KEYGEN and %CMNG. Everything that can fail without the board is done before the board is touched; a step that fails
afterwards has what was there put back.
"""

import re

from harness.credentials.key_origin import KeyOrigin
from harness.credentials.material import CloudKeys, Material, OverTheAir, made_by_cloud, made_on_device, made_on_host
from harness.credentials.pem import read_certificates
from harness.credentials.provisioning import Provisioning, Renewal
from harness.credentials.records import CredentialState, SecTagRecord, updated
from harness.credentials.replacement import Exchange, Former, ProvisioningFailed
from harness.credentials.request import ProvisionRequest
from harness.credentials.slot import Slot, best_valid, choose_target, survey
from harness.errors import HarnessError, Misuse, Refusal
from harness.modem import CredentialKind, Modem

_FIRMWARE = re.compile(r"mfw_nrf9160_(\d+)\.(\d+)")
_FIRST_WITH_KEYGEN = (1, 3)


def provision(
    modem: Modem,
    request: ProvisionRequest,
    *,
    cloud_keys: CloudKeys | None = None,
    over_the_air: OverTheAir | None = None,
) -> Provisioning:
    """Bring the board of ``modem`` to the credentials of ``request``, verified by digest; return what it holds now.

    Valid ones are kept unless the request renews them. New ones go to an empty sec_tag where the board has one, and
    former ones stay beside them until :meth:`Provisioning.commit`. Otherwise the sec_tag is written anew; when a step
    fails, root CA and certificate are put back. The modem is offline for writing and returns to its mode.

    ``cloud_keys``: makes key and certificate for :attr:`KeyOrigin.CLOUD`. ``over_the_air``: has the board do its part
    for :attr:`KeyOrigin.CLAIM`. Raises Misuse before anything is sent or written; ProvisioningFailed when a step was
    refused; LabError when the board went away, with a note on what it holds.
    """
    _check(modem, request, cloud_keys, over_the_air)
    request.progress("reading what the modem holds")
    imei = modem.imei()
    slots = survey(modem, request, imei)
    valid = best_valid(slots, request)
    if valid is not None and not request.renew:
        return _kept(valid, request)
    target = choose_target(slots, request, valid)
    faults = "; ".join(f"sec_tag {slot.sec_tag}: {slot.fault(request)}" for slot in slots)
    material = _prepare(modem, request, cloud_keys, target)
    former = Former.read(modem.credentials, target)
    saved = None if target.empty else request.records.save_replaced(imei, target.sec_tag, target.items, former.contents)
    others = [slot.sec_tag for slot in slots if slot.ours and slot is not target]
    exchange = Exchange(modem.credentials, request, imei, former)
    state = CredentialState.STANDBY if others else CredentialState.ACTIVE
    if over_the_air is not None and request.key_origin is KeyOrigin.CLAIM:
        material, record = _exchange_over_the_air(modem, request, exchange, over_the_air, state)
    else:
        material, record = _exchange(modem, request, exchange, material, state)
    return Provisioning(
        request.device_id,
        target.sec_tag,
        request.key_origin,
        material.root_ca_pem,
        material.certificate_pem,
        kept=False,
        reason=faults if valid is None else "renewed as asked",
        keygen=material.keygen,
        saved=saved,
        renewal=Renewal(modem, request.records, record, others),
    )


def _check(
    modem: Modem, request: ProvisionRequest, cloud_keys: CloudKeys | None, over_the_air: OverTheAir | None
) -> None:
    request.check()
    for sec_tag in request.sec_tags:
        modem.credentials.check_content(sec_tag, CredentialKind.ROOT_CA, request.root_ca_pem)
    if request.key_origin is KeyOrigin.CLOUD:
        _required(cloud_keys, request)
    if request.key_origin is KeyOrigin.CLAIM and over_the_air is None:
        raise Misuse(
            f"{request.device_id}: nothing to claim the board with: provision: claim needs a cloud and its API key"
        )


def _required(cloud_keys: CloudKeys | None, request: ProvisionRequest) -> CloudKeys:
    if cloud_keys is None:
        raise Misuse(f"{request.device_id}: a key made by nRF Cloud needs a cloud and its API key")
    return cloud_keys


def _kept(record: SecTagRecord, request: ProvisionRequest) -> Provisioning:
    if record.state is CredentialState.STANDBY:  # nothing confirmed beside it, so there is nothing to wait for
        request.records.put(updated(record, state=CredentialState.ACTIVE))
    end = read_certificates(record.certificate_pem)[0].not_valid_after_utc
    return Provisioning(
        record.device_id,
        record.sec_tag,
        record.key_origin,
        record.root_ca_pem,
        record.certificate_pem,
        kept=True,
        reason=f"valid until {end:%Y-%m-%d}, all digests as written",
    )


def _prepare(modem: Modem, request: ProvisionRequest, cloud_keys: CloudKeys | None, target: Slot) -> Material | None:
    """Do what can fail before the board is touched. None: the material begins with a key that the device makes."""
    if request.key_origin.on_device:
        _check_keygen(modem.firmware())
        return None
    if request.key_origin is KeyOrigin.HOST:
        request.progress("making key and certificate on this computer")
        material = made_on_host(device_id=request.device_id, ca=request.ca, root_ca_pem=request.root_ca_pem)
    else:
        request.progress("asking nRF Cloud for key and certificate")
        material = made_by_cloud(_required(cloud_keys, request), device_id=request.device_id)
    for kind, content in material.contents().items():
        modem.credentials.check_content(target.sec_tag, kind, content)
    return material


def _check_keygen(firmware: str) -> None:
    found = _FIRMWARE.match(firmware)
    if found and (int(found[1]), int(found[2])) < _FIRST_WITH_KEYGEN:
        raise Misuse(
            f"modem firmware {firmware} has no AT%KEYGEN, 1.3.0 is the first that has: update it, or provision this "
            "board with key origin host"
        )


def _exchange(
    modem: Modem, request: ProvisionRequest, exchange: Exchange, material: Material | None, state: CredentialState
) -> tuple[Material, SecTagRecord]:
    with modem.offline():
        exchange.begin()
        try:
            if material is None:
                request.progress("making a key on the device")
                exchange.free_key()
                made = modem.generate_key(exchange.sec_tag)
                material = made_on_device(
                    made, device_id=request.device_id, ca=request.ca, root_ca_pem=request.root_ca_pem
                )
            request.progress("writing and verifying credentials")
            contents = material.contents()
            exchange.write(contents)
            return material, exchange.finish(contents, state)
        except Refusal as error:
            request.progress("a step failed: putting back what was there")
            raise ProvisioningFailed(f"{error}; {exchange.undo()}") from error
        except BaseException as error:
            error.add_note(exchange.undo())
            raise


def _exchange_over_the_air(
    modem: Modem, request: ProvisionRequest, exchange: Exchange, over_the_air: OverTheAir, state: CredentialState
) -> tuple[Material, SecTagRecord]:
    with modem.mode_kept():
        try:
            with modem.offline():
                exchange.begin()
                exchange.free_all()
            request.progress("waiting for the board to make its key, as the provisioning service orders")
            made = over_the_air.make_key(exchange.sec_tag)
            material = made_on_device(made, device_id=request.device_id, ca=request.ca, root_ca_pem=request.root_ca_pem)
            contents = material.contents()
            exchange.note(contents)
            request.progress("writing and verifying credentials")
            over_the_air.write(exchange.sec_tag, contents)
            return material, exchange.finish(contents, state)
        except Refusal as error:
            request.progress("a step failed: putting back what was there")
            raise ProvisioningFailed(f"{error}; {_undone_offline(modem, exchange)}") from error
        except BaseException as error:
            error.add_note(_undone_offline(modem, exchange))
            raise


def _undone_offline(modem: Modem, exchange: Exchange) -> str:
    try:
        with modem.offline():
            return exchange.undo()
    except HarnessError as error:
        return f"putting back what sec_tag {exchange.sec_tag} held failed too: {error}"
