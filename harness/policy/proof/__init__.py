"""Which trials notice every change to the documents, and the proof that no fewer do."""
