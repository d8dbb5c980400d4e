"""Fuzz targets: bytes in, nothing but the documented errors out. ``python -m fuzz`` and ``make fuzz`` run them.

A target is a function of bytes; it returns, or raises what is a finding. It needs no fuzzer: the unit tests run each on
its corpus and on what hypothesis makes of it.
"""
