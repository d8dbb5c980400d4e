"""The local nRF Cloud: an MQTT broker that behaves like AWS IoT Core, and the services and REST API behind it."""
