"""The REST API: routes, authentication, and the form of answers and refusals."""
