"""The client of nRF Cloud's provisioning service, as firmware has it."""

from harness.virtual.board.provisioning.client import HOST, ROOT_CA_TAG, ProvisioningClient

__all__ = ["HOST", "ROOT_CA_TAG", "ProvisioningClient"]
