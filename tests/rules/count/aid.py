"""A small programme folder of the tests' own: meetings with people, cases, visits, workshops, incidents."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from resguardo.count.indicator import Count, TableSpec, specify
from resguardo.plan.programme import Programme, load_programme

_FORM = """
| survey |
| | type | name | label::Español (es) | label::English (en) | required | sensitivity |
| | text | code | Código | Code | yes | plain |
| | date | met_on | Día | Day | yes | plain |
| | select_one country | country | País | Country | yes | quasi |
| | select_one sex | sex | Sexo | Sex | | quasi |
| | date | birth_date | Nacimiento | Birth | | quasi |
| | select_multiple topics | topics | Temas | Topics | | plain |
| | integer | score | Puntos | Points | | plain |
| choices |
| | list_name | name | label::Español (es) | label::English (en) |
| | country | MX | México | Mexico |
| | country | GT | Guatemala | Guatemala |
| | country | HN | Honduras | Honduras |
| | sex | female | Mujer | Woman |
| | sex | male | Hombre | Man |
| | sex | other | Otro | Other |
| | topics | documents | Documentos | Documents |
| | topics | health | Salud | Health |
| settings |
| | form_title | form_id | version | default_language |
| | Aid | aid_{name} | 2026112401 | Español (es) |
"""

_PROGRAMME = """
name = "aid"
population = "protected"
title = {es = "Ayuda", en = "Aid"}
description = {es = "Ayuda", en = "Aid"}
question = {es = "¿Cuánta?", en = "How much?"}
notice = {es = "notice.md", en = "notice.md", fr = "notice.md", ht = "notice.md"}
"""

_PURPOSE = """
[[purpose]]
name = "aid"
basis = "public_task"
retention_days = 365
opens = ["quasi", "plain"]
roles = ["caseworker"]
title = {es = "Ayuda", en = "Aid"}

[[purpose]]
name = "rights"
basis = "legal_obligation"
retention_days = 365
opens = ["identifier", "quasi", "sensitive", "plain"]
roles = ["data_protection_officer"]
title = {es = "Derechos", en = "Rights"}
"""

_FORMS = (
    ("meeting", "person", "protected"),
    ("refuge", "person", "strict"),
    ("course", "person", "open"),
    ("firm", "business", "protected"),
    ("workshop", "event", "open"),
    ("attack", "incident", "open"),
    ("law", "provision", "open"),
)

_PEOPLE = ("country", "sex", "age_band")
_INDICATORS = (
    ("people_met", "meeting", "person", "count", _PEOPLE, ""),
    ("people_by_topic", "meeting", "person", "count", ("topics", "sex", "institution"), ""),
    ("people_by_institution", "meeting", "person", "count", ("institution", "institution_country"), ""),
    ("women_share", "meeting", "person", "share", ("country",), 'part = ["sex = female"]'),
    ("meetings", "meeting", "event", "records", _PEOPLE, ""),
    ("mean_score", "meeting", "person", "mean:score", _PEOPLE, ""),
    ("all_scores", "meeting", "person", "sum:score", _PEOPLE, ""),
    ("refugees", "refuge", "person", "count", _PEOPLE, ""),
    ("refugee_women_share", "refuge", "person", "share", (), 'part = ["sex = female"]'),
    ("people_trained", "course", "person", "count", _PEOPLE, 'where = ["score >= 5"]'),
    ("careful_people_trained", "course", "person", "count", _PEOPLE, 'population = "protected"'),
    ("firms", "firm", "business", "count", ("country",), ""),
    ("workshops", "workshop", "event", "count", ("country", "topics", "day"), ""),
    ("first_workshop", "workshop", "event", "first", ("country",), ""),
    ("people_at_workshops", "workshop", "figure", "sum:score", ("country",), ""),
    ("attacks", "attack", "incident", "count", ("country",), ""),
    ("laws", "law", "provision", "count", ("country",), ""),
)


@cache
def aid() -> Programme:
    """The programme, loaded from a folder as any other."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "aid"
        (folder / "forms").mkdir(parents=True)
        (folder / "notice.md").write_text("# Aviso\n\nTexto.\n", encoding="utf-8")
        text = [_PROGRAMME]
        for name, about, population in _FORMS:
            (folder / "forms" / f"{name}.md").write_text(_FORM.format(name=name), encoding="utf-8")
            text.append(
                f'[[form]]\nname = "{name}"\nfile = "forms/{name}.md"\nabout = "{about}"\nkey = ["code"]\n'
                f'moment = "met_on"\ncountry = "country"\npopulation = "{population}"\n'
                f'title = {{es = "{name}", en = "{name}"}}\n'
            )
            text.append('[[form.fact]]\nname = "age_band"\nfrom = "birth_date"\nas = "age_band"\n')
        text.append(_PURPOSE)
        for name, form, unit, measure, dimensions, more in _INDICATORS:
            words = "".join(
                f'{each} = {{es = "x", en = "x"}}\n' for each in ("title", "counts", "when", "silent")
            )
            listed = ", ".join(f'"{each}"' for each in dimensions)
            text.append(
                f'[[indicator]]\nname = "{name}"\nform = "{form}"\nunit = "{unit}"\nmeasure = "{measure}"\n'
                f"dimensions = [{listed}]\n{more}\n{words}"
            )
        (folder / "programme.toml").write_text("\n".join(text), encoding="utf-8")
        return load_programme(folder)


def asked(
    indicator: str, *, by: tuple[str, ...] = (), where: tuple[str, ...] = (), period: str | None = None
) -> TableSpec:
    """The table that a question to the programme asks for."""
    return specify(aid(), Count(f"aid.{indicator}", by=by, where=where, period=period))
