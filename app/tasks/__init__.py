"""The use cases, shared by the web pages, the JSON interface and the command line."""
