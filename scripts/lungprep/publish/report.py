"""The report: one HTML page with the previews of all patients."""

from collections import Counter
from html import escape

from lungprep.cohort.sidecar_facts import SidecarFacts
from lungprep.publish.flags import WORDS, in_words

PAGE = "qc/index.html"
# The yellow is the same as in previews of doubtful masks.
STYLE = """
:root { color-scheme: dark; background: #141414; color: #eee; font: 16px/1.4 system-ui, sans-serif }
body { margin: 1.5em }
h1 { font-size: 1.5em; margin: 0 }
h2 { font-size: 1.1em; margin: 1em 0 .3em }
a { color: #8cc8ff }
ul { margin: 0; padding-left: 1.2em }
li, figcaption { overflow-wrap: anywhere }
.failed { border-left: .4em solid #ffd600; padding-left: 1em }
fieldset { border: 0; margin: 1em 0; padding: 0; display: flex; flex-wrap: wrap; gap: .4em }
label { border: 1px solid #888; border-radius: 1em; padding: .1em .8em; cursor: pointer }
label:has(:checked) { background: #eee; color: #000 }
label:has(:focus-visible) { outline: 3px solid #8cc8ff }
input { position: absolute; opacity: 0 }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)) }
main { gap: 1em; align-items: start }
figure { margin: 0 }
img { width: 100%; aspect-ratio: auto 992 / 840; display: block; background: #242424 }
figcaption { font-size: .9em; color: #bbb }
figcaption b { color: #ffd600; font-weight: normal }
"""


def page(sidecars: dict[str, SidecarFacts], failures: list[str]) -> bytes:
    """Make the report, with a preview of each patient; the most doubtful masks come first.

    Parameters
    ----------
    sidecars : dict of str to SidecarFacts
        Sidecars of the published patients, by id.
    failures : list of str
        Lines about patients that failed or are quarantined.

    Returns
    -------
    bytes
        HTML in UTF-8, without scripts. Pictures are linked, not embedded, and load when they are
        scrolled into view. A row of buttons filters the patients by flag.
    """
    sidecars = {p: facts for p, facts in sidecars.items() if facts.npy_bytes >= 0}
    order = sorted(sidecars, key=lambda patient: (*_calm(sidecars[patient]), patient))
    counts = Counter(flag for facts in sidecars.values() for flag in set(facts.flags))
    numbers = {flag: i for i, flag in enumerate(sorted(counts, key=lambda f: (-counts[f], f)))}
    flagged = sum(bool(facts.flags) for facts in sidecars.values())
    title = f"{len(sidecars)} patients, {flagged} with flags, {len(failures)} without result"
    figures = "\n".join(_figure(patient, sidecars[patient], numbers) for patient in order)
    return (
        f"<!doctype html>\n<html lang=en><meta charset=utf-8>"
        f"<meta name=viewport content='width=device-width'><title>lungprep: {title}</title>"
        f"<style>{STYLE}{_rules(len(numbers))}</style>\n<h1>{title}</h1>\n{_failed(failures)}"
        f"{_buttons(numbers, counts, len(sidecars), flagged)}<main>\n{figures}\n</main>\n</html>\n"
    ).encode()


def _failed(failures: list[str]) -> str:
    if not failures:
        return ""
    lines = "\n".join(f"<li>{escape(line)}" for line in failures)
    return f"<section class=failed><h2>Failed or quarantined</h2><ul>\n{lines}\n</ul></section>\n"


def _buttons(numbers: dict[str, int], counts: Counter[str], patients: int, flagged: int) -> str:
    """Make the radio buttons; `_rules` hides the figures that the selected button excludes."""
    if not numbers:
        return ""
    choices = [("all", "all", patients), ("none", "no flags", patients - flagged)]
    choices[1:1] = [(f"f{i}", in_words(flag), counts[flag]) for flag, i in numbers.items()]
    labels = "".join(
        f"<label><input type=radio name=show id={name}{' checked' if name == 'all' else ''}>"
        f"{escape(words)} ({count})</label>\n"
        for name, words, count in choices
    )
    return f"<fieldset aria-label='Show patients with'>\n{labels}</fieldset>\n"


def _rules(flags: int) -> str:
    names = [*(f"f{i}" for i in range(flags)), "none"]
    return "".join(f"body:has(#{n}:checked) figure:not(.{n}){{display:none}}\n" for n in names)


def _figure(patient: str, facts: SidecarFacts, numbers: dict[str, int]) -> str:
    kinds = " ".join(f"f{numbers[flag]}" for flag in facts.flags) or "none"
    marked = [(escape(in_words(flag)), flag in WORDS) for flag in facts.flags]
    alt = "; ".join(words for words, _ in marked) or "no flags"
    shown = "; ".join(f"<b>{words}</b>" if doubt else words for words, doubt in marked)
    return (
        f'<figure class="{kinds}"><a href="{patient}.png"><img loading=lazy src="{patient}.png" '
        f'alt="Lungs of {patient}: {alt}"></a><figcaption>'
        f'<a href="../{patient}.json">{patient}</a> {_doubt(facts)}{shown}</figcaption></figure>'
    )


def _doubt(facts: SidecarFacts) -> str:
    return f"doubt {facts.doubt:.2f} " if facts.doubt >= 0 else ""


def _calm(facts: SidecarFacts) -> tuple[float, int]:
    """Order by falling doubt; at equal doubt, flagged masks first, then flagged scans."""
    flags = set(facts.flags)
    return -facts.doubt, 0 if flags & WORDS.keys() else 1 if flags else 2
