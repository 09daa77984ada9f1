"""The pytest plugin: asleep until `--buddy`."""
