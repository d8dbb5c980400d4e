"""Finds the fewest trials that notice every change to the documents, and proves that fewer do not."""
