"""The check digit of an IMEI (3GPP TS 23.003, annex B: the Luhn formula)."""


def luhn_digit(digits: str) -> str:
    """Return the check digit that follows ``digits``."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def is_imei(text: str) -> bool:
    """Return whether ``text`` is 15 digits with a valid check digit."""
    return text.isascii() and text.isdecimal() and len(text) == 15 and luhn_digit(text[:14]) == text[14]
