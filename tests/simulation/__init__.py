"""A simulated link, cloud and 25 faults, for the rule of verdicts. No sockets and no clock: time is a number."""
