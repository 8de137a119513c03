"""Prints a digest of everything that the locks in requirements/ are compiled from.

`make lock` keeps it in requirements/inputs.sha256; `make check` compares. So a dependency that was changed without `make lock` is
found without asking an index.
"""

import hashlib
import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def main() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = pyproject.get("dependency-groups", {})
    if "--groups" in sys.argv[1:]:
        print(*groups)
        return
    project = pyproject["project"]
    inputs = {
        "python": project["requires-python"],
        "build": pyproject["build-system"]["requires"],
        "dependencies": project["dependencies"],
        "extras": project.get("optional-dependencies", {}),
        "groups": groups,
        "files": {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "requirements").glob("*.in"))},
    }
    print(hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest())


if __name__ == "__main__":
    main()
