"""What documents decide for a request, why, and what they are expected to say of a device's actions."""
