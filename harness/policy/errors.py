"""The one error of this package. Policies depend on the standard library alone, hence no branch of harness.errors."""


class PolicyError(ValueError):
    """A policy document that cannot be used: which document, where in it (JSON path), and what is wrong. One line."""
