"""How long things may take, in seconds."""

STUCK = 20.0  # for which a place may refuse to be acquired although nobody holds it
CONNECT = 2.0  # on one network a refusal comes at once
RELEASE = 7.0  # of trying to release all places at the end; the run waits ten
MOMENT = 1.0  # from one look to the next at things that change without an event
