"""The services behind the broker's topics: shadows, firmware updates, stored messages. Mostly pure functions."""
