"""Firmware built on Nordic's cloud libraries, which connects by itself and tells of it in its log."""
