"""From documents to trials: which packets are worth trying, and what must come of each."""
