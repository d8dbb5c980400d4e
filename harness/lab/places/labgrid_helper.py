"""Starts the process that holds labgrid's places: ``python labgrid_helper.py``, in labgrid's own environment.

As a script, so that nothing of the harness but its own folder is in the path: see labgrid_side.
"""

from labgrid_side.server import main

if __name__ == "__main__":
    main()
