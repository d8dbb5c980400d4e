"""The clouds of a boards file as one run reaches them: addresses, API keys, documents. Local ones are started."""

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from harness.cloud import CloudEndpoints
from harness.errors import Misuse
from harness.lab.account import account_endpoints, split_address
from harness.lab.api_keys import MissingApiKey, read_api_key
from harness.lab.config import BoardConfig, LabFile, LocalCloudConfig
from harness.lab.profiles import expected_documents
from harness.lab.stand_ins import StandIns
from harness.policy import PolicyDocument
from harness.settings import NRF_CLOUD_MQTT

_OTHER_NAME: Final = "broker.invalid"  # a name in the local cloud's network that its certificate does not have
_GRACE: Final = 0.2  # seconds; only after a connection has broken


class Clouds:
    """The clouds of ``file``. Those that are local run as ``stand_ins``, from their first use on.

    ``override``: the name of the cloud for every board, in place of the boards file's.
    """

    def __init__(self, file: LabFile, stand_ins: StandIns, override: str | None) -> None:
        self._file = file
        self._stand_ins = stand_ins
        self._override = override
        self._endpoints: dict[str, CloudEndpoints] = {}
        self._api_keys: dict[str, str] = {}
        if override is not None:
            file.cloud(override)  # raises Misuse for an unknown one

    def of(self, board: BoardConfig) -> str:
        """Return the name of the board's cloud. Raises Misuse for a cloud that the board cannot reach."""
        name = self._override or board.cloud
        if self._override is None and board.name in self._file.without_cloud:
            raise Misuse(self._file.without_cloud[board.name])
        if board.virtual is None and self._is_local(name):
            raise Misuse(
                f"board {board.name!r} is a real board and cannot reach cloud {name!r}: only this computer can;"
                f" set cloud: nrfcloud for it in {self._file.path}"
            )
        return name

    def endpoints(self, name: str) -> CloudEndpoints:
        """Return how a cloud is reached; start a local one on first use. Raises CloudUnreachable if that fails."""
        if name not in self._endpoints:
            config = self._file.cloud(name)
            if isinstance(config, LocalCloudConfig):
                made = self._start(name, config)
            else:
                made = account_endpoints(name, config, folder=self._file.path.parent)
            self._endpoints[name] = made
        return self._endpoints[name]

    def api_key(self, name: str) -> str:
        """Return the key for a cloud's REST calls. Raises MissingApiKey if its variable or file holds none."""
        config = self._file.cloud(name)
        if isinstance(config, LocalCloudConfig):
            self.endpoints(name)
            return self._api_keys[name]
        if config.api_key_file is not None:
            return read_api_key(self._file.path.parent / config.api_key_file, name)
        key = os.environ.get(config.api_key_env, "").strip()
        if not key:
            raise MissingApiKey(
                f"environment variable {config.api_key_env} is empty; set it to the API key for cloud {name!r}"
            )
        return key

    def check_api_keys(self, boards: Iterable[BoardConfig]) -> None:
        """Raise MissingApiKey unless there is a key for every account that ``boards`` use. Starts no cloud."""
        for name in dict.fromkeys(board.cloud for board in boards):
            if not self._is_local(name):
                self.api_key(name)

    def documents(self, name: str) -> tuple[PolicyDocument, ...]:
        """Return the policy documents that the cloud is expected to enforce."""
        return tuple(expected_documents(self._file, name).values())

    def start(self, boards: Sequence[BoardConfig]) -> dict[str, dict[str, Any]]:
        """Start the local clouds of ``boards``; return by name what another process needs to attach to each.

        Raises CloudUnreachable if one does not start.
        """
        names = dict.fromkeys(board.cloud for board in boards if self._is_local(board.cloud))
        for name in names:
            self.endpoints(name)
        return self._stand_ins.share(names)

    def network(self, name: str) -> dict[str, tuple[str, int]]:
        """Return what the names in the radio network of a virtual board lead to, if it uses this cloud."""
        endpoints = self.endpoints(name)
        config = self._file.cloud(name)
        if not isinstance(config, LocalCloudConfig):
            host, port = endpoints.device_mqtt
            routes = {known: split_address(target) for known, target in config.network.items()}
            return {f"{host}:{port}": (host, port)} | routes
        cloud = self._stand_ins.of(name).ready["cloud"]
        broker = tuple(cloud["mqtt"])
        routes = {known: (host, port) for known, (host, port) in cloud["network"].items()}
        if config.faults.device:
            behind = self._stand_ins.wiring.broker(name, config, "device", (broker[0], broker[1]))
            routes = {known: behind if target == broker else target for known, target in routes.items()}
        return routes

    def _is_local(self, name: str) -> bool:
        return isinstance(self._file.cloud(name), LocalCloudConfig)

    def _start(self, name: str, config: LocalCloudConfig) -> CloudEndpoints:
        stand_in = self._stand_ins.start_cloud(name, config, self._file.path.parent)
        cloud = stand_in.ready["cloud"]
        self._api_keys[name] = Path(cloud["api_key_file"]).read_text().strip()
        ca = Path(cloud["ca"])
        host, port = cloud["mqtt"]
        if config.faults.observer:
            host, port = self._stand_ins.wiring.broker(name, config, "observer", (host, port))
        return CloudEndpoints(
            name=name,
            rest=cloud["rest"],
            rest_ca=ca,
            device_mqtt=split_address(NRF_CLOUD_MQTT),
            observer_mqtt=(host, port),
            root_ca_pem=ca.read_text(),
            public=False,
            dead=partial(stand_in.died, grace=_GRACE),
            jitp=(cloud["jitp"][0], cloud["jitp"][1]),
            provisioning=cloud["provisioning"],
            other_name=_OTHER_NAME,
        )
