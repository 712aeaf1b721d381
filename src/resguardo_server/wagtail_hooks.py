"""Wagtail looks for a module of this name: it finds the newsroom."""

from resguardo_server.newsroom import claim_in_text, claims, desk, releases

__all__ = ["claim_in_text", "claims", "desk", "releases"]
