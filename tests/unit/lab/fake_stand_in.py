"""Stands for ``python -m harness.virtual``: says what it was asked for, then waits. First argument: its manner."""

import json
import os
import signal
import sys
from pathlib import Path

manner, (option, document) = sys.argv[1], sys.argv[2:]
settings = json.loads(Path(document).read_text())
folder = Path(settings["directory"])
if manner == "crash":
    print("Traceback: no such policy\nlast line", file=sys.stderr)
    sys.exit(3)
if manner == "picky":
    print("a warning\npython -m harness.virtual: state: x is no state; name another file", file=sys.stderr)
    sys.exit(2)
if manner == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(7 if manner == "grumpy" else 0))
if manner == "chatty":
    print("Hello, I am not JSON", flush=True)
elif manner != "silent":
    folder.mkdir(exist_ok=True)
    ready = {"pid": os.getpid(), "settings": settings, "cloud": None, "boards": []}
    for board in settings.get("boards", []):
        made = {"device_uuid": "0" * 32, "identity_key": "04" + "0" * 128}
        ready["boards"].append({"name": board["name"], "port": str(folder / "port"), **made})
    if "cloud" in settings:
        (folder / "api-key").write_text("0123456789abcdef0123\n")
        (folder / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n")
        ready["cloud"] = {
            "rest": "https://127.0.0.1:4443/v1",
            "mqtt": ["127.0.0.1", 4883],
            "ca": str(folder / "ca.pem"),
            "api_key_file": str(folder / "api-key"),
            "jitp": ["127.0.0.1", 4884],
            "provisioning": "https://127.0.0.1:4444/v1",
            "network": {"mqtt.nrfcloud.com:8883": ["127.0.0.1", 4883]},
        }
    print(json.dumps(ready), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if request["command"] == "die":
        os._exit(9)
    if request["command"] == "late":
        late = request["id"]
        continue
    if request["command"] == "after-late":
        print(json.dumps({"id": late, "ok": True}), flush=True)
    if request["command"] == "refuse":
        print(json.dumps({"id": request["id"], "ok": False, "error": "not today"}), flush=True)
        continue
    print(json.dumps({"id": request["id"], "ok": True, "heard": request}), flush=True)
