"""The cohort at a glance: one page beside the previews that it shows."""

from html import escape

from lungprep.ledger import Receipt

PAGE = "qc/index.html"
STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; background: #181818; color: #eee }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(560px, 1fr)); gap: 1em }
a { color: inherit; text-decoration: none } img { width: 100%; display: block }
p { margin: 0 0 1em } .flagged { outline: 2px solid #ff5a5a }
"""


def page(receipts: dict[str, Receipt], failures: list[str]) -> bytes:
    """HTML with the preview of each patient, those with flags first.

    Parameters
    ----------
    receipts : dict of str to Receipt
        Published patients.
    failures : list of str
        Lines about patients that failed in the last run.

    Returns
    -------
    bytes
        UTF-8. Pictures are linked, not embedded, and fetched as they are scrolled to.
    """
    receipts = {p: receipt for p, receipt in receipts.items() if receipt.npy_bytes >= 0}
    order = sorted(receipts, key=lambda patient: (not receipts[patient].flags, patient))
    flagged = sum(bool(receipt.flags) for receipt in receipts.values())
    lines = "".join(f"<p>failed: {escape(line)}</p>\n" for line in failures)
    figures = "\n".join(_figure(patient, receipts[patient]) for patient in order)
    return (
        f"<!doctype html>\n<html lang=en><meta charset=utf-8><title>lungprep</title>"
        f"<style>{STYLE}</style>\n<h1>{len(receipts)} patients, {flagged} with flags</h1>\n"
        f"{lines}<main>\n{figures}\n</main>\n</html>\n"
    ).encode()


def _figure(patient: str, receipt: Receipt) -> str:
    kind = "flagged" if receipt.flags else "sound"
    return (
        f'<a class={kind} href="../{patient}.json"><img loading=lazy src="{patient}.png" '
        f'alt="{patient}: {escape(", ".join(receipt.flags)) or "no flags"}"></a>'
    )
