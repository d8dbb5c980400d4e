"""Experiments on a board's connection: plans are carried out, written to the timeline, and read back from it.

What was seen of a plan is read from its events (:mod:`harness.trial.wire.plan_observation`) while the experiment runs
and from a saved file alike. So a file holds everything that a verdict rests on: the rule, the memory of the night, what
was drawn, and what happened.
"""
