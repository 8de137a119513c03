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


def registry_xcu() -> str:
    """The content of `registrymodifications.xcu`."""
    items = "\n".join(
        f'<item oor:path={quoteattr(path)}><prop oor:name={quoteattr(name)} oor:op="fuse">'
        f"<value>{escape(value)}</value></prop></item>"
        for path, name, value in SETTINGS
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<oor:items xmlns:oor="http://openoffice.org/2001/registry" '
        'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
        f"{items}\n</oor:items>\n"
    )


@contextlib.contextmanager
def fresh_profile(work: Path) -> Iterator[Path]:
    """Makes a profile in `work`; yields its absolute path and removes it afterwards."""
    profile = Path(tempfile.mkdtemp(prefix="profile-", dir=work.resolve()))
    try:
        user = profile / "user"
        user.mkdir()
        (user / "registrymodifications.xcu").write_text(registry_xcu(), encoding="utf-8")
        yield profile
    finally:
        shutil.rmtree(profile, ignore_errors=True)
