"""When a news item may be published: every claim in it holds, and no figure is typed by hand."""

from __future__ import annotations

from collections.abc import Mapping

from resguardo.tell.claim import Verdict, VerdictKind
from resguardo.tell.listing import ClaimMark, ListedItem, Parts, typed_figures
from resguardo.tell.wording import same_words, wording_in, wording_languages
from resguardo.values import Language, Problem


def publication_problems(
    item: ListedItem, verdicts: Mapping[str, Verdict], language: Language
) -> tuple[Problem, ...]:
    """Why the item, written in `language`, cannot be published; empty when it can.

    `verdicts` are those of its claims, by the claim's id, made just now. Sentences about a verdict come in
    `language`.
    """
    problems: list[Problem] = []
    told: set[str] = set()
    texts = ((item.headline_line, item.headline), *zip(item.paragraph_lines, item.paragraphs, strict=True))
    for line, parts in texts:
        for part in parts:
            if isinstance(part, ClaimMark):
                problems.extend(_of_mark(part, verdicts.get(part.claim), language, line, told))
        problems.extend(_of_typed(parts, language, line))
    return tuple(problems)


def _of_mark(
    mark: ClaimMark, verdict: Verdict | None, language: Language, line: int, told: set[str]
) -> list[Problem]:
    """What is wrong with one claim in the text. A verdict is told once, where its claim first stands."""
    facts = {"line": str(line), "claim": mark.claim, "text": mark.text}
    if verdict is None:
        return [Problem("tell.release.no_verdict", facts)]
    problems = []
    if mark.claim not in told:
        told.add(mark.claim)
        if not verdict.holds:
            code = "stopped" if verdict.kind is VerdictKind.TRUE else verdict.kind.value
            problems.append(
                Problem(f"tell.release.{code}", {**facts, "sentence": verdict.sentence(language)})
            )
    if language not in wording_languages(verdict.claim):
        problems.append(Problem("tell.release.no_words", {**facts, "language": language}))
    elif not same_words(mark.text, wording := wording_in(verdict.claim, language)):
        problems.append(Problem("tell.release.wording_differs", {**facts, "wording": wording}))
    return problems


def _of_typed(parts: Parts, language: Language, line: int) -> list[Problem]:
    return [
        Problem(
            "tell.release.typed_figure" if figure.before else "tell.release.typed_figure_first",
            {"line": str(line), "text": figure.text, "before": figure.before},
        )
        for figure in typed_figures(parts, language)
    ]
