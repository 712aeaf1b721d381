"""Pages: one address, one action, one template."""
