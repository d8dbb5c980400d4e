"""Holds labgrid places for one run. It runs in labgrid's own environment, which has another pyserial than ours.

It reads one JSON object a line on standard input, and writes one for each answer on standard output, with the same
``id``. Several commands may be under way at once. When standard input ends it releases every place, so a run that is
killed has nothing to do. It imports nothing else of the harness: labgrid_helper.py finds this folder beside itself, so
its modules name each other relatively. Of labgrid it imports only the client, whose calls are not a documented
interface (labgrid 26.0).

Measured of labgrid: A holder is the text HOST/USER and never times out. An acquire that was interrupted leaves a place
that cannot be acquired for up to 15 s. A coordinator that restarts forgets who holds what. Nobody notices a ser2net
that has died. An exporter that restarts has other ports.
"""
