"""The stand-ins: boards on ptys and an nRF Cloud on loopback, in a process of their own.

Others reach them through ptys and sockets only; no other package imports this one.
"""
