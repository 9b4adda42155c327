"""Which engines there are, where they are installed, and when one cannot run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from insigma_prove import engines
from insigma_prove.engines import ENGINES, Engine, engine, engines_for, fingerprint, home, missing, python_of, stamp
from insigma_prove.stands import STANDS
from insigma_prove.workers.serve import __name__ as serve_module

FAKE = Engine("fake", "splunk", ("spl",))


@pytest.fixture
def workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for recipes; engines go to a folder beside it."""
    monkeypatch.setattr(engines, "WORKERS", tmp_path / "workers")
    monkeypatch.setenv("INSIGMA_ENGINES", str(tmp_path / "engines"))
    (tmp_path / "workers" / "fake").mkdir(parents=True)
    return tmp_path / "workers"


def installed(spec: Engine) -> None:
    stamp(spec).parent.mkdir(parents=True)
    stamp(spec).write_text(fingerprint(spec) + "\n", encoding="ascii")
    (stamp(spec).parent / "bin").mkdir()
    (stamp(spec).parent / "bin" / "python").touch()


def test_every_language_that_is_proved_has_an_engine_that_tests_need() -> None:
    for target, languages in {"elastic": ("lucene", "eql", "esql"), "splunk": ("spl",), "sentinel": ("kql",)}.items():
        assert target in STANDS
        for language in languages:
            assert engines_for(target, language)[0].needed, language


def test_an_engine_judges_only_the_languages_it_names() -> None:
    assert [spec.name for spec in engines_for("elastic", "lucene")] == ["elastic", "opensearch"]
    assert [spec.name for spec in engines_for("elastic", "esql")] == ["elastic"]
    assert engines_for("splunk", "kql") == ()
    assert engines_for("nowhere", "spl") == ()
    assert engine("spl").target == "splunk"
    with pytest.raises(KeyError):
        engine("nonsense")


def test_every_engine_has_an_adapter_with_exact_versions() -> None:
    folder = Path(engines.__file__).parent / "workers"
    assert serve_module == "insigma_prove.workers.serve"
    for spec in ENGINES:
        assert (folder / spec.name / "__main__.py").is_file(), spec.name
        requirements = folder / spec.name / "requirements.txt"
        lines = requirements.read_text("utf-8").splitlines() if requirements.is_file() else []
        pins = [line.split(";")[0].split(" #")[0].strip() for line in lines if line.strip() and not line.startswith(("#", "--hash"))]
        assert all("==" in pin and "*" not in pin for pin in pins), spec.name


def test_engines_live_where_the_variable_says_else_in_the_checkout_else_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    monkeypatch.delenv("INSIGMA_ENGINES", raising=False)
    assert home() == root / ".engines"
    monkeypatch.setattr(engines, "bundled_root", lambda: tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert home() == tmp_path / "cache" / "insigma" / "engines"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home() == tmp_path / ".cache" / "insigma" / "engines"
    monkeypatch.setenv("INSIGMA_ENGINES", str(tmp_path / "own"))
    assert home() == tmp_path / "own"


def test_an_engine_without_packages_needs_no_installation(workers: Path) -> None:
    assert missing(FAKE) == ""
    assert python_of(FAKE) == Path(sys.executable)


@pytest.mark.parametrize("recipe", ["requirements.txt", "package.json", "pom.xml"])
def test_an_engine_with_packages_is_missing_until_they_are_there(workers: Path, recipe: str) -> None:
    (workers / "fake" / recipe).write_text("a==1\n", encoding="utf-8")
    assert missing(FAKE) == "it is not installed"
    installed(FAKE)
    assert missing(FAKE) == ""


def test_another_version_or_another_recipe_is_told(workers: Path) -> None:
    recipe = workers / "fake" / "requirements.txt"
    recipe.write_text("a==1\n", encoding="utf-8")
    installed(FAKE)
    recipe.write_text("a==2\n", encoding="utf-8")
    assert missing(FAKE) == "what is installed is not what this version of insigma needs"
    recipe.write_text("a==1\n", encoding="utf-8")
    assert missing(FAKE) == ""
    (workers / "fake" / "pom.xml").write_text("<project/>", encoding="utf-8")
    assert "not what this version" in missing(FAKE)


def test_the_fingerprint_tells_contents_from_names(workers: Path) -> None:
    folder = workers / "fake"
    (folder / "package.json").write_text("x", encoding="utf-8")
    first = fingerprint(FAKE)
    (folder / "package.json").rename(folder / "pom.xml")
    assert fingerprint(FAKE) != first


def test_a_stamp_that_is_damaged_and_a_python_that_is_gone_are_told(workers: Path) -> None:
    (workers / "fake" / "requirements.txt").write_text("a==1\n", encoding="utf-8")
    installed(FAKE)
    (home() / "fake" / "bin" / "python").unlink()
    assert missing(FAKE) == "the Python that it was installed for is gone"
    stamp(FAKE).write_bytes(b"\xff\x00")
    assert "not what this version" in missing(FAKE)
