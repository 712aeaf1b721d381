"""Invented people with names of the region: two surnames, compound given names, families, other spellings.

Everything comes from one seeded generator, so that the same seed gives the same people. Names are drawn from
published frequency tables (`names/SOURCES.md`); nobody in them is a person.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path

NAMES = Path(__file__).parent / "names"

COMMON_SURNAMES = 600
COMMON_GIVEN_NAMES = 500

HAITIAN_SURNAMES = (
    "Jean",
    "Pierre",
    "Joseph",
    "Charles",
    "Louis",
    "François",
    "Baptiste",
    "Desir",
    "Toussaint",
    "Étienne",
    "Laguerre",
    "Dorvil",
    "Saint-Fleur",
    "Célestin",
    "Augustin",
    "Michel",
    "Paul",
    "Lafleur",
    "Bien-Aimé",
    "Noël",
)
ENGLISH_SURNAMES = (
    "Williams",
    "Joseph",
    "Charles",
    "Persaud",
    "Singh",
    "Khan",
    "James",
    "Thomas",
    "Alexander",
    "Baptiste",
    "Mohamed",
    "George",
    "Campbell",
    "Roberts",
    "Lewis",
    "Ramdeen",
    "Henry",
    "Peters",
    "Fraser",
    "Grant",
)
SPANISH = ("MX", "GT", "HN", "SV", "NI", "CR", "PA", "DO", "CU", "VE", "CO", "EC")


@dataclass(frozen=True)
class Person:
    """Somebody who does not exist."""

    given: str
    surnames: str
    sex: str
    """``female`` or ``male``."""
    born: date
    nationality: str
    language: str
    phone: str
    document: str
    family: int
    """People with the same number travel together."""

    @property
    def name(self) -> str:
        """The full name, as a clerk writes it."""
        return f"{self.given} {self.surnames}"

    def age_on(self, day: date) -> int:
        """Completed years on a day."""
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))


def _rows(name: str) -> list[dict[str, str]]:
    path = NAMES / name
    octets = path.read_bytes()
    text = (gzip.decompress(octets) if name.endswith(".gz") else octets).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


@dataclass(frozen=True)
class _Weighted:
    """Names with their cumulative frequencies."""

    names: tuple[str, ...]
    upto: tuple[int, ...]

    def draw(self, chance: random.Random) -> str:
        return chance.choices(self.names, cum_weights=self.upto)[0]


def _weighted(pairs: Sequence[tuple[str, int]]) -> _Weighted:
    return _Weighted(tuple(name for name, _ in pairs), tuple(accumulate(weight for _, weight in pairs)))


def _titled(name: str) -> str:
    small = {"DE", "DEL", "LA", "LAS", "LOS", "Y"}
    return " ".join(
        part.lower() if part in small and place else part.capitalize()
        for place, part in enumerate(name.split())
    )


@cache
def _surnames() -> _Weighted:
    rows = _rows("ine_es_apellidos_frec20_2012.csv.gz")[:COMMON_SURNAMES]
    return _weighted([(_accented(_titled(row["apellido"])), int(row["frec_primer"])) for row in rows])


@cache
def _given_names(sex: str) -> _Weighted:
    letter = "F" if sex == "female" else "M"
    rows = [row for row in _rows("ine_es_nombres_frec20_2012.csv.gz") if row["sexo"] == letter][
        :COMMON_GIVEN_NAMES
    ]
    return _weighted([(_accented(_titled(row["nombre"])), int(row["frec"])) for row in rows])


@cache
def _national_surnames(country: str) -> tuple[str, ...]:
    rows = _rows("popular_surnames_by_country_wikipedia.csv")
    return tuple(row["Localized Name"] for row in rows if row["Country"] == country)


@cache
def _national_given_names(country: str, sex: str) -> tuple[str, ...]:
    rows = _rows("popular_forenames_by_country_wikipedia.csv")
    letter = "F" if sex == "female" else "M"
    return tuple(
        row["Localized Name"] for row in rows if row["Country"] == country and row["Gender"] == letter
    )


@cache
def _variants() -> dict[str, tuple[str, ...]]:
    """Other spellings of the same name; pairs that are different names are left out."""
    spellings: dict[str, set[str]] = defaultdict(set)
    for row in _rows("spelling_variants_own.csv"):
        if row["is_different_name"] == "0":
            spellings[row["canonical"]].add(row["variant"])
    return {name: tuple(sorted(others)) for name, others in spellings.items()}


@cache
def _accents() -> dict[str, str]:
    """The accented spelling of a name that the tables write without accents."""
    found: dict[str, str] = {}
    for row in _rows("spelling_variants_own.csv"):
        found.setdefault(_bare(row["canonical"]), row["canonical"])
    for name in ("popular_surnames_by_country_wikipedia.csv", "popular_forenames_by_country_wikipedia.csv"):
        for row in _rows(name):
            if row["Country"] in SPANISH or row["Country"] == "ES":
                found.setdefault(_bare(row["Localized Name"]), row["Localized Name"])
    return found


def _bare(name: str) -> str:
    return name.casefold().translate(str.maketrans("áéíóúüñ", "aeiouun"))


def _accented(name: str) -> str:
    return " ".join(_accents().get(_bare(part), part) for part in name.split())


class Population:
    """Draws people, one after another, from one seeded generator."""

    def __init__(self, seed: int | str) -> None:
        self.chance = random.Random(seed)  # noqa: S311  invented people, not keys
        self._families = 0

    def person(
        self,
        nationality: str,
        *,
        sex: str | None = None,
        youngest: int = 18,
        oldest: int = 60,
        on: date = date(2022, 6, 30),
        surnames: str | None = None,
        family: int | None = None,
    ) -> Person:
        """Somebody of that nationality whose age on a day lies between the two."""
        chance = self.chance
        sex = sex or chance.choice(("female", "male"))
        if family is None:
            self._families += 1
            family = self._families
        born = on - timedelta(days=chance.randint(youngest * 366, oldest * 365 + 300))
        return Person(
            given=self._given(nationality, sex),
            surnames=surnames or self._two_surnames(nationality),
            sex=sex,
            born=born,
            nationality=nationality,
            language={"HT": "ht", "GY": "en", "DM": "en", "TT": "en", "JM": "en", "BS": "en"}.get(
                nationality, "es"
            ),
            phone=f"{chance.randint(2000, 8999)}-{chance.randint(0, 9999):04d}",
            document="".join(chance.choices("ABCDEFGHJKLMNPRSTUVWXYZ", k=2))
            + f"{chance.randint(0, 9_999_999):07d}",
            family=family,
        )

    def household(self, nationality: str, size: int, *, on: date = date(2022, 6, 30)) -> list[Person]:
        """An adult and the children who travel with her or him, who share surnames."""
        adult = self.person(nationality, youngest=20, oldest=45, on=on)
        first = adult.surnames.split()[0]
        children = [
            self.person(
                nationality,
                youngest=0,
                oldest=17,
                on=on,
                family=adult.family,
                surnames=f"{self._two_surnames(nationality).split()[0]} {first}",
            )
            for _ in range(size - 1)
        ]
        return [adult, *children]

    def heard_otherwise(self, person: Person) -> Person:
        """The same person as another office wrote the name down: spelled otherwise, or a surname left out."""
        chance = self.chance
        parts = person.surnames.split()
        place = chance.randrange(len(parts))
        others = _variants().get(parts[place])
        if others:
            parts[place] = chance.choice(others)
        elif len(parts) > 1 and chance.random() < 0.3:
            parts = parts[:1]
        given = person.given.split()
        if len(given) > 1 and chance.random() < 0.4:
            given = given[:1]
        return replace(person, given=" ".join(given), surnames=" ".join(parts))

    def _given(self, nationality: str, sex: str) -> str:
        national = _national_given_names(
            {"GY": "JM", "DM": "JM", "TT": "JM", "BS": "JM"}.get(nationality, nationality), sex
        )
        if national and (nationality not in SPANISH or self.chance.random() < 0.4):
            return self.chance.choice(national)
        name = _given_names(sex).draw(self.chance)
        if " " not in name and self.chance.random() < 0.45:
            second = _given_names(sex).draw(self.chance).split()[0]
            if second != name:
                name = f"{name} {second}"
        return name

    def _two_surnames(self, nationality: str) -> str:
        if nationality == "HT":
            return self.chance.choice(HAITIAN_SURNAMES)
        if nationality in ("GY", "DM", "TT", "JM", "BS", "BB", "LC"):
            return self.chance.choice(ENGLISH_SURNAMES)
        return f"{self._surname(nationality)} {self._surname(nationality)}"

    def _surname(self, nationality: str) -> str:
        national = _national_surnames(nationality)
        if national and self.chance.random() < 0.5:
            return self.chance.choice(national)
        return _surnames().draw(self.chance)
