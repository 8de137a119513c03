"""The packages of the clients say of themselves what the project says."""

import json
import tomllib
from xml.etree import ElementTree

from tests.conformance.languages import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
MAVEN = "{http://maven.apache.org/POM/4.0.0}"


def test_the_package_for_typescript_has_the_projects_version_and_licence_and_says_what_it_is():
    package = json.loads((ROOT / "stubs/typescript/package.json").read_text(encoding="utf-8"))
    lock = json.loads((ROOT / "stubs/typescript/package-lock.json").read_text(encoding="utf-8"))

    assert (package["version"], package["license"]) == (PROJECT["version"], PROJECT["license"])
    assert (lock["name"], lock["version"]) == (package["name"], package["version"])
    assert package["name"] == "osis-document-client"
    assert package["description"]


def test_the_package_for_java_has_the_projects_version_and_licence_and_says_what_it_is():
    pom = ElementTree.parse(ROOT / "stubs/java/pom.xml").getroot()

    assert pom.findtext(f"{MAVEN}version") == PROJECT["version"]
    assert [each.text for each in pom.iterfind(f"{MAVEN}licenses/{MAVEN}license/{MAVEN}name")] == [PROJECT["license"]]
    assert pom.findtext(f"{MAVEN}artifactId") == "osis-document-client"
    assert pom.findtext(f"{MAVEN}name")
    assert pom.findtext(f"{MAVEN}description")


def test_every_package_that_is_fetched_by_its_folder_has_the_projects_licence():
    licence = (ROOT / "LICENSE").read_bytes()

    assert {name: (ROOT / "stubs" / name / "LICENSE").read_bytes() == licence for name in ("go", "java", "typescript")} == {
        "go": True,
        "java": True,
        "typescript": True,
    }


def test_the_how_tos_name_the_projects_version():
    for page, named in (
        ("use-from-typescript", f"osis-document-client-{PROJECT['version']}.tgz"),
        ("use-from-java", f"<version>{PROJECT['version']}</version>"),
    ):
        assert named in (ROOT / f"docs/how-to/{page}.md").read_text(encoding="utf-8"), page
