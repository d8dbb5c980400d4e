"""nRF91 hardware-in-the-loop harness: pytest fixtures and verdicts for Nordic modems against nRF Cloud."""
