"""JITP, and the provisioning service: claims, commands, attestation tokens."""
