"""What happened in the invented region from 2020 to 2023: which institution recorded what, programme by programme.

The story decides how many, where and when; names, ages and the other answers are drawn. Nothing here is a
published figure: those are counted from the records, after they came in by the same way as anybody's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, Literal

from resguardo.plan.programme import Form, Programme
from resguardo_server.demo.filling import Answers, Filler
from resguardo_server.demo.people import Person, Population

Style = Literal["csv", "kobo", "labels"]


@dataclass(frozen=True)
class Sheet:
    """A file of answers that an institution hands in."""

    institution: str
    programme: str
    form: Form
    rows: list[Answers]
    style: Style = "csv"


class Story:
    """Tells the region's records, one programme after another, the same for the same seed."""

    def __init__(self, programmes: dict[str, Programme], seed: int, today: date) -> None:
        self.programmes, self.seed, self.today = programmes, seed, today

    def sheets(self) -> Iterator[Sheet]:
        """Every file of answers, in the order in which it comes in."""
        for tell in (
            data_protection,
            occupations,
            youth_network,
            ethical_recruitment,
            training,
            disaster_mobility,
            assistance,
            diaspora,
            counter_smuggling,
            business_resilience,
        ):
            yield from tell(self)

    def form(self, programme: str, form: str) -> Form:
        """A form of a programme."""
        return self.programmes[programme].form(form)

    def filler(self, programme: str, form: str, salt: str = "") -> Filler:
        """Whoever fills that form."""
        return Filler(self.form(programme, form), self.chance(f"{programme}.{form}.{salt}"), today=self.today)

    def chance(self, salt: str) -> Random:
        """A generator of its own for one part of the story, so that parts do not disturb each other."""
        return Random(f"{self.seed}.{salt}")  # noqa: S311  an invented region, not keys

    def population(self, salt: str) -> Population:
        """People for one part of the story."""
        return Population(f"{self.seed}.{salt}")

    def sheet(
        self, institution: str, programme: str, form: str, rows: list[Answers], style: Style = "csv"
    ) -> Sheet:
        """The rows of one form as one file."""
        return Sheet(institution, programme, self.form(programme, form), rows, style)


def _days(chance: Random, first: date, last: date) -> Callable[[], date]:
    return lambda: first + timedelta(days=chance.randint(0, (last - first).days))


def data_protection(story: Story) -> Iterator[Sheet]:
    """Nine countries are assessed, institution by institution, against thirteen principles."""
    chance = story.chance("data_protection")
    day = _days(chance, date(2022, 9, 5), date(2023, 3, 3))
    assessed, found = [], []
    assess = story.filler("data_protection", "assessment")
    find = story.filler("data_protection", "finding")
    people = story.population("assessors")
    number = 0
    for country, total in zip(
        ("MX", "GT", "BZ", "SV", "HN", "NI", "CR", "PA", "DO"), (8, 6, 3, 5, 6, 3, 5, 5, 5), strict=True
    ):
        assessor = people.person(country)
        for _ in range(total):
            number += 1
            kind = chance.choice(("shelter", "consulate", "migration_institute", "ministry", "ngo"))
            when = day()
            own = {
                "institution_code": f"{country}-{number:03d}",
                "institution_type": kind,
                "country": country,
            }
            assessed.append(
                assess.fill(
                    {**own, "assessed_on": when, "institution_name": f"{kind.replace('_', ' ').title()} {country} {number}"},
                    person=assessor, day=when,
                )
            )  # fmt: skip
            for principle in range(1, 14):
                score = min(4, max(0, round(chance.gauss(1.9, 1.1))))
                found.append(
                    find.fill(
                        {**own, "found_on": when, "principle": str(principle), "score": score,
                         "action_due": when + timedelta(days=180) if score < 3 else None,
                         "action_code": f"A-{number:03d}-{principle:02d}" if score < 3 else None},
                        day=when,
                    )
                )  # fmt: skip
    yield story.sheet("oficina-regional", "data_protection", "assessment", assessed)
    yield story.sheet("oficina-regional", "data_protection", "finding", found)


def occupations(story: Story) -> Iterator[Sheet]:
    """Guyana's builders are surveyed; the projection has five years; twenty-two people hear the results."""
    chance = story.chance("occupations")
    day = _days(chance, date(2022, 7, 4), date(2022, 10, 28))
    people = story.population("builders")
    firm, line = story.filler("occupations", "establishment"), story.filler("occupations", "occupation_line")
    firms, lines = [], []
    trades = ("7111", "7112", "7114", "7115", "7126", "7411", "8342", "9313", "2142")
    for number in range(1, 97):
        when, size = day(), chance.choice(("1-9", "1-9", "10-49", "50+"))
        employees = {
            "1-9": chance.randint(2, 9),
            "10-49": chance.randint(10, 49),
            "50+": chance.randint(50, 160),
        }[size]
        owner = people.person("GY")
        firms.append(
            firm.fill(
                {"establishment_id": f"GY-{number:03d}", "interviewed_on": when, "country": "GY", "consent_fieldwork": "yes",
                 "business_name": f"{owner.surnames} Construction {number}", "size_class": size,
                 "stratum_total": None, "stratum_respondents": None, "weight": None,
                 "employees_now": employees, "employees_foreign": chance.randint(0, employees // 4)},
                person=owner, day=when,
            )
        )  # fmt: skip
        for trade in chance.sample(trades, k=2):
            heads = chance.randint(1, max(1, employees // 3))
            vacancies = chance.randint(0, 4)
            lines.append(
                line.fill(
                    {"establishment_id": f"GY-{number:03d}", "recorded_on": when, "country": "GY", "isco": trade,
                     "headcount": heads, "women": chance.randint(0, heads // 3), "over_55": heads // 6,
                     "vacancies": vacancies, "hard_to_fill": chance.randint(0, vacancies)},
                    day=when,
                )
            )  # fmt: skip
    yield story.sheet("ministry-labour-guyana", "occupations", "establishment", firms)
    yield story.sheet("ministry-labour-guyana", "occupations", "occupation_line", lines)
    demand = story.filler("occupations", "demand")
    rows = []
    form = story.form("occupations", "demand")
    groups = [choice.name for choice in form.choices[form.field("isco_group").list_name or ""]]
    for group in groups:
        level = chance.randint(120, 1800)
        for year in range(2022, 2027):
            for scenario, weight in (("low", 0.85), ("base", 1.0), ("high", 1.2)):
                total = round(level * weight * 1.06 ** (year - 2022) * 0.12)
                supply = round(total * chance.uniform(0.5, 1.05))
                rows.append(
                    demand.fill(
                        {"author_code": "MOL-GY", "report_title": "Proyección de oficios de la construcción (ejemplo)",
                         "country": "GY", "year_begins_on": date(year, 1, 1), "isco_group": group, "isco": None,
                         "scenario": scenario, "employment": round(level * weight), "demand_total": total,
                         "supply": supply, "gap": total - supply, "demand_expansion": None, "demand_replacement": None,
                         "figure_status": "example", "published_on": date(2023, 1, 10)},
                        day=date(2023, 1, 10),
                    )
                )  # fmt: skip
    yield story.sheet("ministry-labour-guyana", "occupations", "demand", rows)
    event = story.filler("occupations", "event")
    yield story.sheet(
        "ministry-labour-guyana", "occupations", "event",
        [
            event.fill(
                {"event_code": "OCC-2023-01", "title": "Presentation of first results (example)", "kind": "presentation",
                 "topic": "occupation_report", "target_group": "ministry_and_government", "held_on": date(2023, 1, 11),
                 "ended_on": date(2023, 1, 11), "country": "GY", "place": "Georgetown", "mode": "in_person",
                 "attendees": 22, "attendees_women": 10},
                day=date(2023, 1, 11),
            )
        ],
    )  # fmt: skip


def youth_network(story: Story) -> Iterator[Sheet]:
    """Young ambassadors in three countries, and what they did with others."""
    chance = story.chance("youth_network")
    for institution, country, total in (
        ("red-joven-guatemala", "GT", 58), ("red-joven-honduras", "HN", 52), ("red-joven-salvador", "SV", 47)
    ):  # fmt: skip
        people = story.population(f"youth.{country}")
        registered = _days(chance, date(2020, 9, 1), date(2022, 9, 30))
        fill = story.filler("youth_network", "ambassador", country)
        rows = []
        for number in range(1, total + 1):
            when = registered()
            person = people.person(country, youngest=15, oldest=24, on=when)
            minor = person.age_on(when) < 18
            rows.append(
                fill.fill(
                    {"ambassador_code": f"{country}-{number:03d}", "registered_on": when, "country": country,
                     "under_18": "yes" if minor else "no", "guardian_consent": "yes" if minor else None,
                     "assent": "yes" if minor else None, "consent_network": "yes", "full_name": person.name,
                     "birth_date": person.born, "sex": person.sex, "recruited_by": f"{country}-001",
                     "joined_through": chance.choice(("ambassador", "school", "campaign", "partner")),
                     "status": chance.choices(("active", "trainee", "inactive"), (86, 8, 6))[0]},
                    person=person, day=when,
                )
            )  # fmt: skip
        for row in rows:
            if row["joined_through"] != "ambassador":
                row.pop("recruited_by", None)
        yield story.sheet(
            institution, "youth_network", "ambassador", rows, "labels" if country == "GT" else "csv"
        )
        held = _days(chance, date(2021, 11, 2), date(2022, 10, 28))
        act = story.filler("youth_network", "activity", country)
        part = story.filler("youth_network", "ambassador_activity", country)
        activities, parts = [], []
        for number in range(1, 25):
            when, reached = held(), chance.randint(60, 320)
            share = chance.choice((5, 10, 15, 20, 25))
            kind = chance.choice(
                ("training", "fair", "championship", "school_workshop", "mural", "theatre", "music")
            )
            code = f"{country}-A{number:02d}"
            activities.append(
                act.fill(
                    {"activity_id": code, "type": kind, "held_on": when, "country": country,
                     "reached_count": reached, "reached_women": round(reached * chance.uniform(0.4, 0.6)),
                     "reached_under18": round(reached * chance.uniform(0.3, 0.6)), "repeat_share": f"0.{share:02d}",
                     "reached_new": reached - round(reached * share / 100), "lead_person_ids": None},
                    day=when,
                )
            )  # fmt: skip
            for leader in chance.sample(range(1, total + 1), k=3):
                parts.append(
                    part.fill(
                        {"ambassador_code": f"{country}-{leader:03d}", "took_part_on": when, "country": country,
                         "activity_id": code, "activity_type": kind},
                        day=when,
                    )
                )  # fmt: skip
        yield story.sheet(institution, "youth_network", "activity", activities)
        yield story.sheet(institution, "youth_network", "ambassador_activity", parts)


def training(story: Story) -> Iterator[Sheet]:
    """Courses for communicators in six countries; some people take two, some do not finish."""
    chance = story.chance("training")
    topics = (
        "ethical_coverage",
        "terminology",
        "law_and_evidence",
        "trafficking_and_smuggling",
        "women_in_migration",
    )
    kinds = ("print", "tv", "radio", "digital", "public_institution")
    enrol = story.filler("training", "enrolment")
    attend = story.filler("training", "attendance")
    complete = story.filler("training", "completion")
    enrolled: list[Answers] = []
    attended: list[Answers] = []
    completed: list[Answers] = []
    editions = {
        code: date(2021, 10, 4) + timedelta(days=number * 33) for number, code in enumerate(
            ("C1-MX", "C2-GT", "C3-HN", "C4-SV", "C5-CR", "C6-PA", "C7-REG", "C8-REG", "C9-REG")
        )
    }  # fmt: skip

    def course(person: Person, code: str, country: str, kind: str, edition: str, finishes: bool) -> None:
        opened = editions[edition]
        topic = topics[list(editions).index(edition) % len(topics)]
        own = {
            "participant_code": code, "course_code": "CURSO-1", "edition_code": edition, "topic": topic,
            "mode": "online" if edition.endswith("REG") else "in_person", "country": country, "sex": person.sex,
            "institution_type": kind,
        }  # fmt: skip
        enrolled.append(
            enrol.fill(
                {**own, "enrolled_on": opened - timedelta(days=10), "full_name": person.name, "planned_minutes": 960,
                 "document_needed": "no", "identity_document": None, "consent_training": "yes"},
                person=person, day=opened,
            )
        )  # fmt: skip
        minutes = [
            chance.choice((220, 230, 240)) if finishes else chance.choice((0, 120, 200)) for _ in range(4)
        ]
        for number, attended_minutes in enumerate(minutes, start=1):
            when = opened + timedelta(days=7 * (number - 1))
            attended.append(
                attend.fill(
                    {**own, "session_code": f"{edition}-S{number}", "session_date": when, "session_minutes": 240,
                     "attended_minutes": attended_minutes},
                    day=when,
                )
            )  # fmt: skip
        share = int(100 * sum(minutes) / 960)
        before = chance.randint(35, 70)
        after = min(100, before + chance.randint(5, 35))
        closed = opened + timedelta(days=22)
        passed = share >= 80 and after >= 70
        completed.append(
            complete.fill(
                {**own, "completed_on": closed, "planned_minutes": 960, "attended_minutes": sum(minutes),
                 "attended_share": share, "max_score": 100, "pre_score": before, "post_score": after,
                 "certified": "yes" if passed else "no",
                 "certificate_number": f"CERT-{len(completed) + 1:04d}" if passed else None,
                 "issued_on": closed + timedelta(days=5) if passed else None, "verification_hash": None},
                day=closed,
            )
        )  # fmt: skip

    for country, finishing, leaving in (
        ("MX", 41, 5), ("PA", 29, 3), ("GT", 27, 4), ("HN", 24, 3), ("SV", 22, 2), ("CR", 19, 2)
    ):  # fmt: skip
        people = story.population(f"communicators.{country}")
        own_edition = next(edition for edition in editions if edition.endswith(country))
        for number in range(1, finishing + leaving + 1):
            person, kind = people.person(country, youngest=22, oldest=58), chance.choice(kinds)
            finishes = number <= finishing
            course(person, f"{country}-P{number:03d}", country, kind, own_edition, finishes)
            if finishes and chance.random() < 0.15:
                course(
                    person,
                    f"{country}-P{number:03d}",
                    country,
                    kind,
                    chance.choice(("C7-REG", "C8-REG")),
                    True,
                )
    yield story.sheet("oficina-regional", "training", "enrolment", enrolled, "kobo")
    yield story.sheet("oficina-regional", "training", "attendance", attended)
    yield story.sheet("oficina-regional", "training", "completion", completed)
    follow = story.filler("training", "follow_up")
    finished = [row for row in completed if row["attended_share"] >= 80]
    again = {row["participant_code"]: row for row in finished}
    yield story.sheet(
        "oficina-regional", "training", "follow_up",
        [
            follow.fill(
                {name: row[name] for name in
                 ("participant_code", "course_code", "edition_code", "topic", "mode", "country", "sex", "institution_type")}
                | {"followed_up_on": row["completed_on"] + timedelta(days=180),
                   "applied": "yes" if chance.random() < 0.68 else "no"},
                day=row["completed_on"] + timedelta(days=180),
            )
            for row in again.values() if chance.random() < 0.7
        ],
    )  # fmt: skip
    workshop = story.filler("training", "workshop")
    yield story.sheet(
        "oficina-regional", "training", "workshop",
        [
            workshop.fill(
                {"workshop_code": f"W-{edition}", "title": f"Curso de cobertura ética, edición {edition}",
                 "event_type": "course", "topic": topics[number % len(topics)], "target_group": "communicators",
                 "held_on": opened, "ended_on": opened + timedelta(days=21),
                 "country": edition[-2:] if edition[-2:] in ("MX", "GT", "HN", "SV", "CR", "PA") else "CR",
                 "participants": sum(row["edition_code"] == edition for row in enrolled), "participants_women": None,
                 "countries_present": tuple(sorted({row["country"] for row in enrolled if row["edition_code"] == edition}))
                 or None},
                day=opened,
            )
            for number, (edition, opened) in enumerate(editions.items())
        ],
    )  # fmt: skip


def _officials(
    story: Story, programme: str, event: str, day: date, per_country: dict[str, int], given: dict[str, Any]
) -> list[Answers]:
    """Officials at one event, and some who left before the end."""
    chance = story.chance(f"{programme}.{event}")
    fill = story.filler(programme, "official", event)
    people = story.population(f"{programme}.{event}")
    rows = []
    for country, total in per_country.items():
        for number in range(1, total + 3):
            person = people.person(country, youngest=25, oldest=62)
            stays = number <= total
            rows.append(
                fill.fill(
                    {"official_code": f"OF-{event[3:]}-{country}{number:02d}", "name": person.name,
                     "email": None, "sex": person.sex, "country": country, "event_code": event, "trained_on": day,
                     "attended_share": chance.randint(82, 100) if stays else chance.randint(10, 60), **given},
                    person=person, day=day,
                )
            )  # fmt: skip
    return rows


def disaster_mobility(story: Story) -> Iterator[Sheet]:
    """A regional workshop on disasters, and the shelters of a storm, round after round."""
    fill = story.filler("disaster_mobility", "event")
    seven = ("MX", "GT", "HN", "SV", "CR", "PA", "DO")
    yield story.sheet(
        "oficina-regional", "disaster_mobility", "event",
        [
            fill.fill(
                {"event_code": "EV-CLIMA-2022", "title": "Taller regional sobre crisis, desastres y movilidad (ejemplo)",
                 "kind": "workshop", "topic": "crises_disasters_climate", "target_group": "public_officials",
                 "held_on": date(2022, 6, 28), "ended_on": date(2022, 6, 29), "country": "PA", "place": "Ciudad de Panamá",
                 "countries": tuple(sorted(seven)), "institutions_n": 24},
                day=date(2022, 6, 28),
            )
        ],
    )  # fmt: skip
    officials = _officials(
        story, "disaster_mobility", "EV-CLIMA-2022", date(2022, 6, 29),
        {"MX": 12, "GT": 12, "HN": 12, "SV": 11, "CR": 12, "PA": 14, "DO": 11}, {"topic": "crises_disasters_climate"},
    )  # fmt: skip
    yield story.sheet("oficina-regional", "disaster_mobility", "official", officials)
    for institution, country, admin1 in (
        ("instituto-honduras", "HN", "HN05"),
        ("instituto-guatemala", "GT", "GT18"),
    ):
        chance = story.chance(f"sites.{country}")
        site, count = (
            story.filler("disaster_mobility", "site", country),
            story.filler("disaster_mobility", "site_round", country),
        )
        people = story.population(f"focal.{country}")
        sites, rounds = [], []
        for number in range(1, 31):
            opened = date(2020, 11, 8) + timedelta(days=chance.randint(0, 10))
            code, kind = (
                f"{country}-S{number:03d}",
                chance.choice(("school", "church", "stadium", "camp", "informal")),
            )
            sites.append(
                site.fill(
                    {"site_id": code, "opened_on": opened, "country": country, "admin1": admin1, "admin2": None,
                     "victim_shelter": "no", "site_type": kind, "lat": None, "lon": None, "hazard_id": "TC-ETA",
                     "focal_phone": None},
                    person=people.person(country), day=opened,
                )
            )  # fmt: skip
            stock = chance.randint(60, 700)
            for turn in range(1, 5):
                stock = round(stock * chance.uniform(0.55, 0.95))
                women, girls = round(stock * 0.3), round(stock * 0.22)
                when = opened + timedelta(days=14 * turn)
                rounds.append(
                    count.fill(
                        {"site_id": code, "round": str(turn), "assessed_on": when, "country": country, "admin1": admin1,
                         "site_type": kind, "site_status": "open", "hazard_id": "TC-ETA", "households": stock // 4,
                         "individuals": stock, "women": women, "girls": girls, "men": round(stock * 0.26),
                         "boys": stock - women - girls - round(stock * 0.26), "under5": round(stock * 0.12),
                         "over60": round(stock * 0.07), "pregnant": stock // 60, "disability": stock // 40,
                         "migrants_non_nationals": chance.randint(0, stock // 30), "method": "key_informant",
                         "taps": max(1, stock // 300), "toilets_f": stock // 50, "toilets_m": stock // 80,
                         "health_staff": stock // 400, "reported_gbv": None, "reported_family_separation": None},
                        day=when,
                    )
                )  # fmt: skip
        yield story.sheet(institution, "disaster_mobility", "site", sites)
        yield story.sheet(institution, "disaster_mobility", "site_round", rounds)


SHELTERS = (
    ("casa-tres-rios", "MX", 190), ("casa-suchiate", "MX", 120), ("casa-san-marcos", "GT", 130), ("casa-danli", "HN", 150),
    ("casa-ahuachapan", "SV", 70), ("casa-paso-canoas", "CR", 90), ("casa-meteti", "PA", 160), ("casa-dajabon", "DO", 80),
)  # fmt: skip
ORIGINS = ("HN", "GT", "SV", "VE", "HT", "CU", "NI", "EC", "CO")
ORIGIN_WEIGHTS = (24, 14, 10, 18, 14, 8, 6, 4, 2)


def assistance(story: Story) -> Iterator[Sheet]:
    """People on their way are registered by shelters, some by two of them, and officials are trained."""
    officials = _officials(
        story, "assistance", "EV-PAT-2022", date(2022, 5, 26),
        {"MX": 13, "GT": 12, "HN": 12, "SV": 12, "DO": 11, "PA": 12, "CR": 14}, {"topic": "protection_assistance"},
    )  # fmt: skip
    event = story.filler("assistance", "event")
    yield story.sheet(
        "oficina-regional", "assistance", "event",
        [
            event.fill(
                {"event_code": "EV-PAT-2022", "title": "Curso regional de protección y asistencia (ejemplo)",
                 "kind": "training", "topic": "protection_assistance", "target_group": "public_officials",
                 "held_on": date(2022, 5, 24), "ended_on": date(2022, 5, 26), "country": "CR", "place": "San José",
                 "countries": ("CR", "DO", "GT", "HN", "MX", "PA", "SV")},
                day=date(2022, 5, 24),
            )
        ],
    )  # fmt: skip
    yield story.sheet("oficina-regional", "assistance", "official", officials)
    chance = story.chance("assistance")
    people = story.population("assistance")
    on_the_way: list[Person] = []
    for position, (institution, country, total) in enumerate(SHELTERS):
        register = story.filler("assistance", "registration", institution)
        serve = story.filler("assistance", "service", institution)
        arrives = _days(chance, date(2022, 1, 3), date(2022, 12, 20))
        rows, served = [], []
        number = 0
        while number < total:
            when = arrives()
            nationality = chance.choices(ORIGINS, ORIGIN_WEIGHTS)[0]
            if on_the_way and chance.random() < 0.12:
                party = [people.heard_otherwise(chance.choice(on_the_way))]
            elif chance.random() < 0.25:
                party = people.household(nationality, chance.randint(2, 4), on=when)
            else:
                party = [people.person(nationality, youngest=14, oldest=58, on=when)]
            for person in party:
                number += 1
                code = f"{country}{position + 1}-{number:04d}"
                age = max(0, person.age_on(when))
                child = age < 18
                rows.append(
                    register.fill(
                        {"case_code": code, "registered_on": when, "country": country, "age": age, "name": person.name,
                         "birth_date": person.born, "sex": person.sex, "guardian_consent": "yes" if child else None,
                         "child_assent": "yes" if child else None,
                         "accompanied_status": ("accompanied" if len(party) > 1 else
                                                chance.choice(("unaccompanied", "separated"))) if child else None,
                         "guardian": None, "siblings_codes": None, "alias": None, "consent_manner": "heard", "consent_until": None,
                         "consent_withdrawn_on": None, "arrival_date": when - timedelta(days=chance.randint(0, 9)),
                         "screening_indicators": chance.choices(
                             (("none",), ("smuggled",), ("gbv",), ("kidnap",), ("trafficking",)), (70, 16, 7, 4, 3))[0]},
                        person=person, day=when,
                    )
                )  # fmt: skip
                on_the_way.append(person)
                for _ in range(chance.choice((1, 1, 2, 3))):
                    day = when + timedelta(days=chance.randint(0, 12))
                    served.append(
                        serve.fill(
                            {"case_code": code, "served_on": day, "country": country, "sex": person.sex, "age": age,
                             "provider_kind": "shelter", "provider": None},
                            day=day,
                        )
                    )  # fmt: skip
        style: Style = ("csv", "kobo", "labels")[position % 3]
        yield story.sheet(institution, "assistance", "registration", rows, style)
        yield story.sheet(institution, "assistance", "service", served)


def _events(story: Story, programme: str, institution: str, *events: dict[str, Any]) -> Sheet:
    fill = story.filler(programme, "event")
    rows = [fill.fill(event, day=event["held_on"]) for event in events]
    return story.sheet(institution, programme, "event", rows)


def ethical_recruitment(story: Story) -> Iterator[Sheet]:
    """Two workshops in Guyana, agencies that examine themselves, and workers who tell what they paid."""
    day = date(2022, 9, 7)
    yield _events(
        story, "ethical_recruitment", "ministry-labour-guyana",
        {"event_code": "ER-INTRO", "title": "Introduction to ethical recruitment (example)", "kind": "workshop",
         "topic": "ethical_recruitment_intro", "target_group": "government_and_private", "held_on": day, "ended_on": day,
         "country": "GY", "place": "Georgetown", "mode": "in_person", "attendees": 34, "attendees_women": 16,
         "attendees_officials": 18, "attendees_private": 16},
        {"event_code": "ER-IRIS", "title": "The IRIS standard (example)", "kind": "workshop", "topic": "iris_standard",
         "target_group": "government_and_private", "held_on": day, "ended_on": day, "country": "GY",
         "place": "Georgetown", "mode": "in_person", "attendees": 31, "attendees_women": 14, "attendees_officials": 16,
         "attendees_private": 15},
    )  # fmt: skip
    chance, people = story.chance("agencies"), story.population("agencies")
    agency = story.filler("ethical_recruitment", "agency")
    level = story.filler("ethical_recruitment", "level_reached")
    examine = story.filler("ethical_recruitment", "self_assessment")
    form = story.form("ethical_recruitment", "self_assessment")
    criteria = [choice.name for choice in form.choices[form.field("criterion").list_name or ""]]
    agencies, levels, lines = [], [], []
    for number in range(1, 37):
        code, owner = f"GY-AG-{number:02d}", people.person("GY", youngest=30)
        sector = chance.choice(
            ("construction", "hospitality", "domestic_work", "security", "oil_gas", "several")
        )
        reached = chance.choice(("0", "1", "1", "2"))
        when = day + timedelta(days=chance.randint(10, 60))
        agencies.append(
            agency.fill(
                {"agency_code": code, "registered_on": day, "country": "GY", "sector": sector, "cbp_level": "0",
                 "legal_name": f"{owner.surnames} Recruitment {number}", "owner_name": owner.name, "corridors": None,
                 "contact_person": owner.name, "workers_placed_year": chance.randint(4, 220), "certified_until": None},
                person=owner, day=day,
            )
        )  # fmt: skip
        levels.append(
            level.fill(
                {"agency_code": code, "reached_on": when, "country": "GY", "sector": sector, "cbp_level": reached,
                 "event_code": "ER-IRIS", "certified_until": None},
                day=when,
            )
        )  # fmt: skip
        for criterion in criteria:
            answer = chance.choices(("no", "partly", "yes"), (20, 40, 40))[0]
            lines.append(
                examine.fill(
                    {"agency_code": code, "assessed_on": when, "country": "GY", "assessor_type": "self",
                     "principle": criterion.split(".")[0], "criterion": criterion, "answer": answer,
                     "score": {"no": 0, "partly": 1, "yes": 2}[answer],
                     "nonconformity": "none" if answer != "no" else chance.choice(("major", "minor")),
                     "action_code": f"{number}-{criterion.replace('.', '')}" if answer == "no" else None,
                     "due": when + timedelta(days=90) if answer == "no" else None},
                    day=when,
                )
            )  # fmt: skip
    yield story.sheet("ministry-labour-guyana", "ethical_recruitment", "agency", agencies)
    yield story.sheet("ministry-labour-guyana", "ethical_recruitment", "level_reached", levels)
    yield story.sheet("ministry-labour-guyana", "ethical_recruitment", "self_assessment", lines)
    interview = story.filler("ethical_recruitment", "worker_interview")
    interviews = []
    for number in range(1, 121):
        nationality = chance.choice(("VE", "HT", "CU", "DO", "TT"))
        person = people.person(nationality, youngest=18, oldest=55)
        paid, wage = chance.random() < 0.55, chance.randint(300, 900)
        when = day + timedelta(days=chance.randint(14, 120))
        age = person.age_on(when)
        interviews.append(
            interview.fill(
                {"interview_code": f"W-{number:03d}", "interviewed_on": when, "country": "GY", "nationality": nationality,
                 "consent_interview": "yes", "name": person.name,
                 "age_band": "18-24" if age < 25 else "25-29" if age < 30 else "30-59",
                 "paid_fee": "yes" if paid else "no", "fee_paid_usd": chance.randint(80, 2600) if paid else None,
                 "first_month_wage_usd": wage},
                person=person, day=when,
            )
        )  # fmt: skip
    yield story.sheet("university-jamaica", "ethical_recruitment", "worker_interview", interviews)


def business_resilience(story: Story) -> Iterator[Sheet]:
    """Fifteen owners in Dominica, their businesses, and the plans they wrote at the first workshop."""
    day = date(2022, 5, 4)
    yield _events(
        story, "business_resilience", "chamber-dominica",
        {"event_code": "BR-2022-1", "title": "Continuity for migrants' businesses (example)", "kind": "workshop",
         "topic": "business_resilience", "target_group": "migrant_owners", "held_on": day, "ended_on": day,
         "country": "DM", "place": "Roseau", "mode": "in_person", "attendees": 15, "attendees_women": 8},
        {"event_code": "BR-2022-2", "title": "Second workshop, other parishes (example)", "kind": "workshop",
         "topic": "business_resilience", "target_group": "migrant_owners", "held_on": date(2022, 7, 13),
         "ended_on": date(2022, 7, 13), "country": "DM", "place": "Portsmouth", "mode": "in_person", "attendees": 12,
         "attendees_women": 5},
    )  # fmt: skip
    chance, people = story.chance("owners"), story.population("owners")
    fills = {
        name: story.filler("business_resilience", name)
        for name in (
            "owner",
            "attendance",
            "business",
            "hazard_rating",
            "capability_check",
            "continuity_plan",
        )
    }
    rows: dict[str, list[Answers]] = {name: [] for name in fills}
    for number in range(1, 28):
        first = number <= 15
        when = day if first else date(2022, 7, 13)
        person = people.person("HT", youngest=22, oldest=58)
        owner, business = f"DM-O{number:02d}", f"DM-B{number:02d}"
        age = person.age_on(when)

        def put(form: str, given: dict[str, Any], about: Person = person, on: date = when) -> None:
            rows[form].append(fills[form].fill(given | {"country": "DM"}, person=about, day=on))

        put("owner", {"owner_code": owner, "registered_on": when, "consent_training": "yes", "owner_name": person.name,
                      "business_id": business, "owner_nationality": "HT", "owner_sex": person.sex, "language": "ht",
                      "owner_age_band": "18-24" if age < 25 else "25-29" if age < 30 else "30-59"})  # fmt: skip
        put("attendance", {"owner_code": owner, "attended_on": when, "attended": "yes",
                           "workshop_id": "BR-2022-1" if first else "BR-2022-2"})  # fmt: skip
        put("business", {"business_id": business, "visited_on": when, "consent_business": "yes",
                         "started_year": chance.randint(2008, 2021), "employees_n": chance.randint(0, 6),
                         "employees_women": 0, "savings_months": chance.choice((0, 0, 1, 2, 3))})  # fmt: skip
        for hazard in ("hurricane", "flood", "power_cut", "theft"):
            put("hazard_rating", {"business_id": business, "rated_on": when, "hazard": hazard})
        for wave, weights in (("before", (15, 25, 50, 10)), ("after", (40, 35, 15, 10))):
            codes = chance.choices(("2", "1", "0", "na"), weights, k=64)
            given = {f"capability_{item:02d}": code for item, code in enumerate(codes, start=1)}
            put("capability_check", given | {"business_id": business, "checked_on": when, "wave": wave})
        put("continuity_plan", {"business_id": business, "bcp_written_on": when, "written_by": "owner",
                                "plan_language": "ht", "bcp_exercised_on": None, "bcp_reviewed_on": None})  # fmt: skip
    for name, form_rows in rows.items():
        yield story.sheet("chamber-dominica", "business_resilience", name, form_rows)


def counter_smuggling(story: Story) -> Iterator[Sheet]:
    """A meeting on a common law, each country's law against the protocol, and incidents at sea."""
    yield _events(
        story, "counter_smuggling", "police-trinidad",
        {"event_code": "EV-CARIBE-2022", "title": "Drafting meeting on counter-smuggling legislation (example)",
         "kind": "meeting", "topic": "counter_smuggling_law", "target_group": "government_representatives",
         "held_on": date(2022, 4, 26), "ended_on": date(2022, 4, 27), "country": "TT", "place": "Port of Spain",
         "attendees": 25, "attendees_women": 12, "attendees_officials": 25},
    )  # fmt: skip
    chance = story.chance("counter_smuggling")
    law = story.filler("counter_smuggling", "provision")
    form = story.form("counter_smuggling", "provision")
    table = {
        row["provision_id"]: row["block"]
        for row in story.programmes["counter_smuggling"].table("smuggling_protocol").rows
    }
    codes = [choice.name for choice in form.choices[form.field("provision_id").list_name or ""]]
    provisions = [
        law.fill(
            {"country": country, "provision_id": code, "block": table[code], "reviewed_on": date(2022, 4, 20),
             "status": chance.choices(("full", "partial", "none"), (45, 25, 30))[0], "enacted": None,
             "instrument": "Immigration Act (example)", "reviewer": None},
            day=date(2022, 4, 20),
        )
        for country in ("TT", "JM", "GY", "DM", "BB", "BS") for code in codes
    ]  # fmt: skip
    yield story.sheet("police-trinidad", "counter_smuggling", "provision", provisions)
    sea = story.filler("counter_smuggling", "incident")
    day = _days(chance, date(2021, 1, 4), date(2022, 4, 22))
    incidents = []
    for number in range(1, 73):
        when, people = day(), chance.randint(2, 34)
        women, children = people // 4, people // 8
        incidents.append(
            sea.fill(
                {"incident_id": f"TT-{number:03d}", "occurred_on": when, "reported_on": when + timedelta(days=2),
                 "country": "TT", "mode": "sea", "operation_open": "no", "lat": None, "lon": None, "place": None,
                 "border_point": None, "migrants_n": people, "women": women, "children": children,
                 "men": people - women - children, "unaccompanied": 0, "route_from": "VE", "route_via": None,
                 "route_to": "TT", "dead": None, "missing": None, "survivors": None, "suspects_n": chance.randint(0, 3),
                 "dedupe_key": None},
                day=when,
            )
        )  # fmt: skip
    yield story.sheet("police-trinidad", "counter_smuggling", "incident", incidents)


def diaspora(story: Story) -> Iterator[Sheet]:
    """A forum in San Salvador, organisations abroad, and people who offer what they know."""
    yield _events(
        story, "diaspora", "ministerio-exterior-salvador",
        {"event_code": "EV-FORO-2022", "title": "Foro sobre los aportes de las diásporas (ejemplo)", "kind": "forum",
         "topic": "diaspora_contributions", "target_group": "foreign_ministries_and_diaspora", "held_on": date(2022, 5, 23),
         "ended_on": date(2022, 5, 24), "country": "SV", "place": "San Salvador", "attendees": 64, "attendees_women": 33,
         "attendees_officials": 28},
    )  # fmt: skip
    chance, people = story.chance("diaspora"), story.population("diaspora")
    day = _days(chance, date(2021, 6, 1), date(2022, 5, 20))
    organise, give = story.filler("diaspora", "organisation"), story.filler("diaspora", "contribution")
    offer = story.filler("diaspora", "member")
    organisations, contributions, members = [], [], []
    form = story.form("diaspora", "contribution")
    kinds = {
        row["sub_kind"]: row["kind"] for row in story.programmes["diaspora"].table("contribution_kinds").rows
    }
    sub_kinds = [choice.name for choice in form.choices[form.field("sub_kind").list_name or ""]]
    for number in range(1, 61):
        code, person = f"OD-{number:03d}", people.person("SV", youngest=25)
        host = chance.choice(("US", "US", "CA", "ES", "IT", "MX"))
        organisations.append(
            organise.fill(
                {"org_id": code, "name": f"Asociación de {person.surnames.split()[0]} y vecinos {number}",
                 "listed_on": day(), "origin_country": "SV", "host_country": host, "founded": chance.randint(1985, 2021),
                 "url": None, "consent_directory": "yes", "contact_name": person.name, "contact_email": None, "members": chance.randint(8, 900)},
                person=person, day=date(2022, 1, 10),
            )
        )  # fmt: skip
        for turn in range(chance.choice((1, 2, 3))):
            sub_kind, when = chance.choice(sub_kinds), day()
            contributions.append(
                give.fill(
                    {"contribution_id": f"CO-{number:03d}-{turn}", "kind": kinds[sub_kind], "sub_kind": sub_kind,
                     "contributed_on": when, "country": "SV", "host_country": host, "org_id": code,
                     "value_usd": chance.randint(400, 60_000), "beneficiaries_n": chance.randint(5, 800)},
                    day=when,
                )
            )  # fmt: skip
    for number in range(1, 181):
        person, when = people.person("SV", youngest=19, oldest=64), day()
        age = person.age_on(when)
        members.append(
            offer.fill(
                {"person_id": f"PD-{number:03d}", "registered_on": when, "consent_register": "yes", "name": person.name,
                 "host_country": chance.choice(("US", "US", "US", "CA", "ES", "IT")), "origin_country": "SV",
                 "origin_admin1": None, "email": None, "isco_group": None, "generation": "2",
                 "age_band": "18-24" if age < 25 else "25-29" if age < 30 else "30-59" if age < 60 else "60+"},
                person=person, day=when,
            )
        )  # fmt: skip
    yield story.sheet("ministerio-exterior-salvador", "diaspora", "organisation", organisations)
    yield story.sheet("ministerio-exterior-salvador", "diaspora", "contribution", contributions)
    yield story.sheet("ministerio-exterior-salvador", "diaspora", "member", members)
