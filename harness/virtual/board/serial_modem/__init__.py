"""The virtual application firmware: Serial Modem around the modem core, without I/O. See its ``server``."""
