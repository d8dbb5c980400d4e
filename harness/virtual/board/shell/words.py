"""A command line to words, as the Zephyr shell splits it. Source: Zephyr documentation, Shell (quoting)."""


class OpenQuote(Exception):
    """A quote is not closed; its character is the text."""


def split_words(line: str) -> list[str]:
    """Return the words. Quotes of either kind hold a word together and protect the other kind; they are taken away.

    Outside quotes a backslash protects the next character; between quotes only the quote's own character.
    """
    words: list[str] = []
    word: str | None = None
    quote = ""
    characters = iter(line)
    for character in characters:
        if quote and character == "\\":
            following = next(characters, "")
            word = f"{word}{'' if following == quote else character}{following}"
        elif quote and character == quote:
            quote = ""
        elif quote:
            word = f"{word}{character}"
        elif character == " ":
            if word is not None:
                words.append(word)
            word = None
        elif character in "'\"":
            quote, word = character, word or ""
        else:
            word = (word or "") + (next(characters, "") if character == "\\" else character)
    if quote:
        raise OpenQuote(quote)
    return words if word is None else [*words, word]
