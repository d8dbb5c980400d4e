"""Boards on other computers, by labgrid: places that a run holds through one process in labgrid's own environment."""
