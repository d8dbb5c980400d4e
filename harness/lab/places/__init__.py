"""Boards on other computers, by labgrid. A run holds its places through one process in labgrid's own environment."""
