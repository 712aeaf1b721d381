"""The newsroom: what the press office adds to Wagtail. `wagtail_hooks` makes Wagtail find it."""
