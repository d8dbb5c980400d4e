"""What listens behind the broker's topics: shadows, firmware updates, stored messages. Pure functions mostly."""
