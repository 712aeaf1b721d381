"""Wagtail's widgets under a strict script policy: what they would write as scripts becomes data."""

from __future__ import annotations

import json
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe


def tame_choosers() -> None:
    """A chooser is rendered as data that `newsroom.js` starts, not as an inline script."""
    from wagtail.admin.widgets.chooser import BaseChooser

    def render(
        self: Any, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        if not attrs or "id" not in attrs:
            raise TypeError("BaseChooser cannot be rendered without an 'id' attribute")
        value_data = self.get_value_data(value)
        options = self.get_js_init_options(attrs["id"], name, value_data)
        constructor = self.render_js_init(attrs["id"], name, value_data).split("(", 1)[0].removeprefix("new ")
        return format_html(
            '{}<span hidden data-newsroom="{}" data-call="{}" data-target="{}" data-options="{}"></span>',
            mark_safe(self.render_html(name, value_data, attrs)),  # noqa: S308  Wagtail's own template
            "chooser",
            constructor.strip(),
            attrs["id"],
            json.dumps(options),
        )

    BaseChooser.render = render
