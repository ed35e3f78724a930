"""A build backend (PEP 517) for a package of plain Python without dependencies: nothing has to be fetched to build it."""

import base64
import hashlib
import pathlib
import re
import tarfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# One date for every file: the same source gives the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)


def _project():
    """The plain `key = "text"` lines of [project]: all that this backend needs, without a TOML reader (Python 3.9)."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    table = re.search(r"^\[project\]\n(.*?)(?=^\[|\Z)", text, re.M | re.S).group(1)
    scripts = re.search(r"^\[project\.scripts\]\n(.*?)(?=^\[|\Z)", text, re.M | re.S).group(1)
    pairs = r'^([\w-]+) = "(.*)"$'
    return dict(re.findall(pairs, table, re.M)), dict(re.findall(pairs, scripts, re.M))


def _metadata(project):
    return (
        "Metadata-Version: 2.1\n"
        f"Name: {project['name']}\nVersion: {project['version']}\nSummary: {project['description']}\n"
        f"License: {project['license']}\nRequires-Python: {project['requires-python']}\n"
        "Description-Content-Type: text/markdown\n\n" + (ROOT / "README.md").read_text(encoding="utf-8")
    )


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    project, scripts = _project()
    name, version = project["name"], project["version"]
    info = f"{name}-{version}.dist-info"
    files = {f"{name}/{path.name}": path.read_bytes() for path in sorted((ROOT / name).glob("*.py"))}
    points = "[console_scripts]\n" + "".join(f"{command} = {target}\n" for command, target in scripts.items())
    files[f"{info}/METADATA"] = _metadata(project).encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: rowdelta\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/entry_points.txt"] = points.encode()
    files[f"{info}/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    record = ""
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(content)}\n"
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    wheel = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory, wheel), "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, DATE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return wheel


def build_sdist(sdist_directory, config_settings=None):
    project, _ = _project()
    base = f"{project['name']}-{project['version']}"
    with tarfile.open(pathlib.Path(sdist_directory, f"{base}.tar.gz"), "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for part in ("LICENSE", "README.md", "pyproject.toml", "backend", project["name"], "tests"):
            archive.add(ROOT / part, f"{base}/{part}", filter=lambda one: None if "__pycache__" in one.name else one)
    return f"{base}.tar.gz"
