"""Converters of other distributions, as if they were installed."""

import re
import tomllib
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/how-to/add-a-converter.md"

_GROUP = "osis_document.converters"


def install(folder: Path, *, name: str, modules: dict[str, str], entry_points: dict[str, str]) -> Path:
    """Makes a folder like `site-packages` with a distribution in it: the text of its modules, and what its entry points name."""
    folder.mkdir(exist_ok=True)
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text, encoding="utf-8")
    metadata = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    named = "".join(f"{point} = {value}\n" for point, value in entry_points.items())
    (metadata / "entry_points.txt").write_text(f"[{_GROUP}]\n{named}", encoding="utf-8")
    return folder


def install_of_the_page(folder: Path) -> Path:
    """Installs the converter for tables that the how-to page shows."""
    page = PAGE.read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n# csv_to_pdf\.py\n(.*?)```", page, re.DOTALL)
    [text] = re.findall(r"```toml\n# pyproject\.toml\n(.*?)```", page, re.DOTALL)
    project = tomllib.loads(text)
    [module] = project["tool"]["setuptools"]["py-modules"]
    return install(
        folder,
        name=project["project"]["name"],
        modules={module: code},
        entry_points=project["project"]["entry-points"][_GROUP],
    )
