/**
 * What asks PyPI for a package and resolves a lock, by the pip of the machine and as it is configured there. It prints one
 * JSON document. pip resolves for the interpreter that it runs on; so that the lock does on others, every dependency whose
 * marker holds on any supported Python of Linux or macOS is asked for as well, until none is missing.
 * Only wheels: nothing of a package runs. Index: https://packaging.python.org/en/latest/specifications/simple-repository-api/
 */
export const ASK_PYPI = String.raw`
import html.parser, http.client, json, os, re, subprocess, sys, tempfile, urllib.error, urllib.parse, urllib.request, zipfile
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.specifiers import SpecifierSet
from pip._vendor.packaging.utils import canonicalize_name as canonical, parse_wheel_filename

PACKAGE, WANTED = os.environ["IPM_PACKAGE"], os.environ["IPM_WANTED"]
PYTHONS = [f"3.{minor}" for minor in range(9, 20)]
SYSTEMS = [("linux", "Linux", "posix", "x86_64"), ("linux", "Linux", "posix", "aarch64"), ("darwin", "Darwin", "posix", "arm64")]
WHEEL_SYSTEMS = {("linux", "x86_64"): r"^(?:many|musl)?linux.*x86_64$", ("linux", "aarch64"): r"^(?:many|musl)?linux.*aarch64$", ("darwin", "arm64"): r"^macosx_.*(?:arm64|universal2)$"}

def pip(*args):
    done = subprocess.run([sys.executable, "-m", "pip", *args, "--only-binary", ":all:", "--quiet"], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(done.returncode)

def resolve(wanted):
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.json")
        pip("install", "--dry-run", "--ignore-installed", "--report", report, *wanted)
        with open(report) as file:
            return {canonical(one["metadata"]["name"]): one["metadata"] for one in json.load(file)["install"]}

def environment(python, system):
    platform, name, os_name, machine = system
    return {"python_version": python, "python_full_version": python + ".1", "sys_platform": platform, "platform_system": name,
            "os_name": os_name, "platform_machine": machine, "implementation_name": "cpython",
            "platform_python_implementation": "CPython", "implementation_version": python + ".1", "platform_release": "", "platform_version": "", "extra": ""}

def allows(metadata, python):
    return SpecifierSet(metadata.get("requires_python") or "").contains(python + ".99", prereleases=True)

def walk(found, python, system):
    """The releases that an installation on one Python and system needs, and what of it is not pinned."""
    needed, missing, todo = set(), [], [(canonical(PACKAGE), frozenset())]
    while todo:
        name, extras = todo.pop()
        if (name, extras) in needed or name not in found:
            continue
        needed.add((name, extras))
        for line in found[name].get("requires_dist") or []:
            requirement = Requirement(line)
            marker = requirement.marker
            if marker and not any(marker.evaluate({**environment(python, system), "extra": extra}) for extra in {"", *extras}):
                continue
            if canonical(requirement.name) not in found:
                missing.append(requirement)
            todo.append((canonical(requirement.name), frozenset(requirement.extras)))
    return {name for name, _ in needed}, missing

main = PACKAGE + (f"=={WANTED}" if WANTED else "")
wanted = [main]
found = resolve(wanted)
pythons = [python for python in PYTHONS if allows(found[canonical(PACKAGE)], python)]
for _ in range(8):
    more = {}
    for python in pythons:
        for system in SYSTEMS:
            for requirement in walk(found, python, system)[1]:
                extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
                more.setdefault(canonical(requirement.name), f"{requirement.name}{extras}{requirement.specifier}")
    # What this interpreter cannot have at all is of no use to it, and the Pythons that need it are left out below.
    more = {name: line for name, line in more.items() if line not in wanted}
    if not more:
        break
    wanted += more.values()
    found = resolve(wanted)

class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.files = []
    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        url = urllib.parse.urlsplit(attributes.get("href") or "")
        if tag == "a" and url.path:
            hashes = {}
            if "=" in url.fragment:
                algorithm, value = url.fragment.split("=", 1)
                hashes = {algorithm: value}
            self.files.append({"filename": urllib.parse.unquote(url.path.rsplit("/", 1)[-1]), "hashes": hashes, "yanked": "data-yanked" in attributes})

def index():
    done = subprocess.run([sys.executable, "-m", "pip", "config", "get", "global.index-url"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return (os.environ.get("PIP_INDEX_URL") or done.stdout.strip() or "https://pypi.org/simple").rstrip("/")

INDEX = index()

def files(name):
    request = urllib.request.Request(f"{INDEX}/{name}/", headers={"Accept": "application/vnd.pypi.simple.v1+json, text/html;q=0.5"})
    for attempt in range(4):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                kind, body = answer.headers.get_content_type(), answer.read().decode()
            break
        except (OSError, http.client.HTTPException) as error:
            if attempt == 3 or isinstance(error, urllib.error.HTTPError):
                sys.exit(f"Could not fetch URL of {name}: {error}")
    if kind.endswith("json"):
        return json.loads(body)["files"]
    links = Links()
    links.feed(body)
    return links.files

def wheels(metadata):
    """The wheels of a release that a Linux or a Mac may choose, by file name."""
    chosen = {}
    for file in files(canonical(metadata["name"])):
        if not file["filename"].endswith(".whl") or "sha256" not in file.get("hashes", {}):
            continue
        try:
            _, version, _, tags = parse_wheel_filename(file["filename"])
        except Exception:
            continue
        if str(version) != metadata["version"] and not SpecifierSet("==" + metadata["version"]).contains(version, prereleases=True):
            continue
        fits = {tag for tag in tags if (tag.interpreter.startswith("cp3") or tag.interpreter in ("py3", "py2.py3")) and not tag.abi.endswith("t") and (tag.platform == "any" or re.match(r"^(?:(?:many|musl)?linux.*(?:x86_64|aarch64)|macosx_)", tag.platform))}
        if fits:
            chosen[file["filename"]] = (file["hashes"]["sha256"], fits)
    return chosen

def fits(tags, python, system):
    minor = int(python.split(".")[1])
    for tag in tags:
        own = re.match(r"^cp3(\d+)$", tag.interpreter)
        if own and tag.abi != "abi3" and int(own[1]) != minor and tag.abi != "none":
            continue
        if own and int(own[1]) > minor:
            continue
        if tag.platform == "any" or re.match(WHEEL_SYSTEMS[system[0], system[3]], tag.platform):
            return True
    return False

available = {name: wheels(metadata) for name, metadata in found.items()}

def supported(python):
    """Whether this Python on the commonest system can have all of the lock that it needs."""
    names, missing = walk(found, python, SYSTEMS[0])
    # pip installs all that is pinned, needed here or not.
    return not missing and all(allows(found[name], python) and any(fits(tags, python, SYSTEMS[0]) for _, tags in available[name].values()) for name in found)

good = [int(python.split(".")[1]) for python in pythons if supported(python)]
own = sys.version_info.minor
main = found[canonical(PACKAGE)]
notices, problem, requires = [], None, None
if not good:
    problem = "no version of Python can have all of its dependencies as wheels"
else:
    top = max(good) if own not in good else next((minor - 1 for minor in range(own, 21) if minor not in good), max(good))
    low = min(good) if own not in good else next((minor + 1 for minor in range(own, 7, -1) if minor not in good), min(good))
    requires = f">=3.{low}" + ("" if top >= 19 else f",<3.{top + 1}")
elsewhere = [system for system in SYSTEMS[1:] if not all(any(fits(tags, f"3.{max(good or [own])}", system) for _, tags in available[name].values()) for name in found)]
for system in elsewhere:
    notices.append(f"some dependency has no wheel for {system[0]} on {system[3]}: say platforms")
with tempfile.TemporaryDirectory() as folder:
    pip("download", "--no-deps", "--dest", folder, f"{PACKAGE}=={main['version']}")
    [wheel] = os.listdir(folder)
    bins = set()
    with zipfile.ZipFile(os.path.join(folder, wheel)) as archive:
        for name in archive.namelist():
            if name.endswith(".dist-info/METADATA"):
                # pip of before 24 does not know this field.
                text = archive.read(name).decode(errors="replace").split("\n\n")[0]
                expression = re.search(r"^License-Expression: (.+)$", text, re.M)
                if expression:
                    main = {**main, "license_expression": expression[1].strip()}
            if name.endswith(".dist-info/entry_points.txt"):
                section = ""
                for line in archive.read(name).decode().splitlines():
                    section = line.strip() if line.strip().startswith("[") else section
                    if section == "[console_scripts]" and "=" in line:
                        bins.add(line.split("=")[0].strip())
            script = re.match(r"^[^/]+\.data/scripts/([^/]+)$", name)
            if script:
                bins.add(script[1])
print(json.dumps({
    "main": {**main, "project_urls": main.get("project_url") or [], "keywords": main.get("keywords") or []},
    "requires_python": requires,
    "problem": problem,
    "pins": [{"name": metadata["name"], "version": metadata["version"], "hashes": sorted({sha for sha, _ in available[name].values()})} for name, metadata in found.items()],
    "bins": sorted(bins),
    "notices": notices,
}))
`.trimStart();
