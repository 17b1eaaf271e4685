"""A small news site of our own on 127.0.0.1, for trying the monitor without any network."""
