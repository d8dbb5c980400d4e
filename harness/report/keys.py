"""What a test is called on every board, so that one board's results stand beside another's, and last night's."""


def key_of(test: str, board: str) -> str:
    """Return the key of a test: its id without the board ``board``."""
    head, bracket, parameters = test.partition("[")
    if not bracket:
        return test
    rest = f"-{parameters.removesuffix(']')}-".replace(f"-{board}-", "-", 1).strip("-")
    return f"{head}[{rest}]" if rest else head
