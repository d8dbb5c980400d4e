"""A simulated link, cloud and 24 faults, for the rule of verdicts. No sockets and no clock: time is a number."""
