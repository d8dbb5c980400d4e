"""The MQTT broker and its HTTPS twin: connections, sessions, rules, and who may do what."""
