"""From a context to candidate patches."""

from pytest_buddy.coder.angels import Angel, Want, angels, wants
from pytest_buddy.coder.synthesis import synthesised
from pytest_buddy.coder.templates import TemplateCoder
from pytest_buddy.config import Config
from pytest_buddy.ports import Coder, hookimpl

__all__ = ["Angel", "TemplateCoder", "Want", "angels", "synthesised", "wants"]


@hookimpl
def buddy_coders(config: Config) -> tuple[Coder, ...]:  # noqa: ARG001  the hook's signature
    """Register the template engine."""
    return (TemplateCoder(),)
