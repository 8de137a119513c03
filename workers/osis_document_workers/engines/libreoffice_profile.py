"""A fresh, locked-down LibreOffice user profile."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

_SCRIPTING = "/org.openoffice.Office.Common/Security/Scripting"

#: (path, property, value). Names and meanings: LibreOffice's officecfg/registry/schema/org/openoffice/**.xcs.
SETTINGS: tuple[tuple[str, str, str], ...] = (
    # Macros: the highest level runs signed ones of trusted authors only, and there are none; then none at all.
    (_SCRIPTING, "MacroSecurityLevel", "3"),
    (_SCRIPTING, "DisableMacrosExecution", "true"),
    # Linked pictures, sections and objects are not fetched, from no network and no file.
    (_SCRIPTING, "BlockUntrustedRefererLinks", "true"),
    (_SCRIPTING, "DisableActiveContent", "true"),
    ("/org.openoffice.Office.Writer/Content/Update", "Link", "2"),
    ("/org.openoffice.Office.Common/Misc", "UseLocking", "false"),
    # Nothing that waits for somebody to click, and nothing that calls home.
    ("/org.openoffice.Office.Recovery/RecoveryInfo", "Enabled", "false"),
    ("/org.openoffice.Office.Recovery/AutoSave", "Enabled", "false"),
    ("/org.openoffice.Office.Common/Misc", "FirstRun", "false"),
    ("/org.openoffice.Office.Common/Misc", "ShowTipOfTheDay", "false"),
    ("/org.openoffice.Office.Common/Misc", "CollectUsageInformation", "false"),
    ("/org.openoffice.Office.Common/Misc", "CrashReport", "false"),
    (
        "/org.openoffice.Office.Jobs/Jobs/org.openoffice.Office.Jobs:Job['UpdateCheck']/Arguments",
        "AutoCheckEnabled",
        "false",
    ),
    # Text files say nothing of paper; with this locale it is A4 whatever the host's. It is no user's language.
    ("/org.openoffice.Setup/L10N", "ooSetupSystemLocale", "en-GB"),
)


#: (type, its file's name, the filter that must read it). A document of that name is of that type without a look at its content.
_TYPES = (
    ("generic_Text", "document.txt", "Text"),
    ("writer_MS_Word_2007", "document.docx", "MS Word 2007 XML"),
    ("writer8", "document.odt", "writer8"),
)


def registry_xcu(*, filters_by_name: bool = False) -> str:
    """The content of `registrymodifications.xcu`.

    Args:
        filters_by_name: a document's name chooses the filter that reads it, and nothing else is taken for plain text. For
            LibreOfficeKit, which cannot be given a filter and would read a damaged package as text.
    """
    items = "\n".join(_item(path, name, f"<value>{escape(value)}</value>") for path, name, value in SETTINGS)
    if filters_by_name:
        items += "\n" + "\n".join(_filter_items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<oor:items xmlns:oor="http://openoffice.org/2001/registry" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
        f"{items}\n</oor:items>\n"
    )


def _item(path: str, name: str, value: str) -> str:
    return f'<item oor:path={quoteattr(path)}><prop oor:name={quoteattr(name)} oor:op="fuse">{value}</prop></item>'


def _filter_items() -> Iterator[str]:
    path = "/org.openoffice.TypeDetection.Types/Types/org.openoffice.TypeDetection.Types:Type['{}']"
    for kind, document, read_filter in _TYPES:
        yield _item(path.format(kind), "URLPattern", f"<value><it>*/{document}</it></value>")
        yield _item(path.format(kind), "PreferredFilter", f"<value>{escape(read_filter)}</value>")
    yield _item(path.format("generic_Text"), "DetectService", "<value></value>")


@contextlib.contextmanager
def fresh_profile(work: Path, *, filters_by_name: bool = False) -> Iterator[Path]:
    """Makes a profile in `work`; yields its absolute path and removes it afterwards. See `registry_xcu` for the arguments."""
    profile = Path(tempfile.mkdtemp(prefix="profile-", dir=work.resolve()))
    try:
        user = profile / "user"
        user.mkdir()
        (user / "registrymodifications.xcu").write_text(registry_xcu(filters_by_name=filters_by_name), encoding="utf-8")
        yield profile
    finally:
        shutil.rmtree(profile, ignore_errors=True)
