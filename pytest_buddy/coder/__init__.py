"""From a context to candidate patches."""

from pytest_buddy.coder.templates import TemplateCoder

__all__ = ["TemplateCoder"]
