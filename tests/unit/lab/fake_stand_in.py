"""Stands for ``python -m harness.virtual``: says what it was asked for, then waits. First argument: its manner."""

import json
import os
import signal
import sys
from pathlib import Path

manner, arguments = sys.argv[1], sys.argv[2:]
folder = Path(arguments[arguments.index("--dir") + 1]) if "--dir" in arguments else Path.cwd()
if manner == "crash":
    print("Traceback: no such policy\nlast line", file=sys.stderr)
    sys.exit(3)
if manner == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(7 if manner == "grumpy" else 0))
if manner == "chatty":
    print("Hello, I am not JSON", flush=True)
elif manner != "silent":
    folder.mkdir(exist_ok=True)
    ready = {"pid": os.getpid(), "arguments": arguments, "cloud": None, "boards": []}
    if "--no-cloud" in arguments:
        ready["boards"] = [{"name": "b", "port": str(folder / "port")}]
    else:
        (folder / "api-key").write_text("0123456789abcdef0123\n")
        (folder / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
        ready["cloud"] = {
            "rest": "https://127.0.0.1:4443/v1",
            "mqtt": ["127.0.0.1", 4883],
            "ca": str(folder / "ca.pem"),
            "api_key_file": str(folder / "api-key"),
            "network": {"mqtt.nrfcloud.com:8883": ["127.0.0.1", 4883]},
        }
    print(json.dumps(ready), flush=True)
sys.stdin.read()
