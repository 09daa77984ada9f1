"""Where a red test's fault is, why it fails and the smallest proved diff, on the developer's own machine."""

__version__ = "0.1.0"
__all__ = ["__version__"]
