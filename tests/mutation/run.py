#!/usr/bin/env python3
"""Breaks the library on purpose, one line at a time, and runs the tests that should notice.

    python3 tests/mutation/run.py [--only PATTERN] [--file mutations.txt] [--output RESULTS]
    python3 tests/mutation/run.py --check

The repository's files are copied to a scratch folder and built once, and the tests of every break are seen to pass. Then each break of mutations.txt is made, the
library alone is built again, and the break's tests run against it. A break is caught where a test fails, crashes or hangs; it survives where all pass. Exits with 1
where a break survived, did not apply or did not compile.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
QUICK = ["-p:RunAnalyzers=false", "-p:GenerateDocumentationFile=false", "-p:TreatWarningsAsErrors=false", "-p:NoWarn=CS1591", "-v", "quiet", "-nologo"]
HANG_SECONDS = 300
DEFAULT_PROJECT = "NativeConv.Tests"


class Break:
    def __init__(self, name, file, tests, old, new, after):
        self.name, self.file, self.tests, self.old, self.new, self.after = name, file, tests, old, new, after
        self.project, _, names = tests.rpartition(":")
        self.project = self.project or DEFAULT_PROJECT
        self.filter = "|".join("FullyQualifiedName~" + part for part in names.split("|"))

    def apply(self, text):
        """The text with the break in it, or None where the old text is not there exactly once."""
        start = 0
        if self.after:
            start = text.find(self.after)
            if start < 0:
                return None
        elif text.count(self.old) != 1:
            return None
        at = text.find(self.old, start)
        return None if at < 0 else text[:at] + self.new + text[at + len(self.old):]


def read(path):
    """Entries are separated by empty lines: a name, then 'file', 'tests', optionally 'after' (the break is made at the first place behind this text), '-' and '+'."""
    breaks = []
    text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
    for entry in re.split(r"\n\s*\n", text.strip()):
        lines = entry.split("\n")
        fields = {}
        for line in lines[1:]:
            key, _, value = line.strip().partition(" ")
            fields[key] = value
        breaks.append(Break(lines[0].strip(), fields["file"], fields["tests"], fields["-"], fields.get("+", ""), fields.get("after")))
    names = [b.name for b in breaks]
    assert len(set(names)) == len(names), "names must differ: " + ", ".join(sorted(n for n in names if names.count(n) > 1))
    return breaks


def run(command, folder, seconds=None):
    """The exit code and output; None for the code where it took too long."""
    # A group of its own, so that what it started ends with it.
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        output, _ = process.communicate(timeout=seconds)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return None, ""


def test(scratch, project, filters, seconds):
    dll = scratch / "tests" / project / "bin/Release/net10.0" / (project + ".dll")
    return run(["dotnet", "vstest", str(dll), "--TestCaseFilter:" + filters, "--", "xUnit.StopOnFail=true"], scratch, seconds)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", default="", help="only breaks whose name or file has this regular expression in it")
    options.add_argument("--file", type=Path, default=Path(__file__).with_name("mutations.txt"))
    options.add_argument("--check", action="store_true", help="only see that every break can still be made; nothing is built")
    options.add_argument("--output", type=Path, help="also write the results here, as a Markdown table")
    arguments = options.parse_args()
    breaks = [b for b in read(arguments.file) if re.search(arguments.only, b.name) or re.search(arguments.only, b.file)]
    if arguments.check:
        lost = [b for b in breaks if not (ROOT / b.file).is_file() or b.apply((ROOT / b.file).read_text()) in (None, (ROOT / b.file).read_text())]
        for b in lost:
            print(f"does not apply: {b.name} ({b.file})")
        print(f"{len(breaks) - len(lost)} of {len(breaks)} breaks can be made.")
        return 1 if lost else 0
    os.environ.update(DOTNET_CLI_TELEMETRY_OPTOUT="1", DOTNET_NOLOGO="1")
    start = time.time()
    scratch = Path(tempfile.mkdtemp(prefix="mutation-"))
    try:
        results = run_all(breaks, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)

    counts = {verdict: sum(1 for _, v in results if v == verdict) for verdict in ("caught", "survived", "does not apply", "does not compile")}
    print(f"{len(results)} breaks: " + ", ".join(f"{n} {verdict}" for verdict, n in counts.items()) + f"; {(time.time() - start) / 60:.1f} minutes.")
    if arguments.output:
        rows = [f"| {b.name} | `{b.file.removeprefix('src/')}` | {verdict} |" for b, verdict in results]
        arguments.output.write_text("| break | file | result |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return 0 if counts["caught"] == len(results) else 1


def run_all(breaks, scratch):
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    for name in files:
        if (ROOT / name).is_file():
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, scratch / name)
    projects = sorted({b.project for b in breaks})
    for project in projects:
        code, output = run(["dotnet", "build", "-c", "Release", f"tests/{project}", *QUICK], scratch)
        if code != 0:
            sys.exit(output)
        filters = "|".join(sorted({part for b in breaks if b.project == project for part in b.filter.split("|")}))
        code, output = test(scratch, project, filters, None)
        if code != 0:
            sys.exit("The tests fail without any break:\n" + output[-5000:])

    results = []
    for b in breaks:
        before = time.time()
        verdict, detail = judge(b, scratch)
        results.append((b, verdict))
        print(f"{verdict:16} {time.time() - before:5.1f} s  {b.name} {detail}", flush=True)
    return results


def judge(b, scratch):
    path = scratch / b.file
    text = path.read_text() if path.is_file() else ""
    broken = b.apply(text)
    if broken is None:
        return "does not apply", ""
    library = b.file.split("/")[1]
    path.write_text(broken)
    try:
        code, output = run(["dotnet", "build", "-c", "Release", "--no-restore", f"src/{library}", *QUICK], scratch)
        if code != 0:
            return "does not compile", next((line for line in output.splitlines() if "error" in line), "")
        shutil.copy2(scratch / "src" / library / "bin/Release/net10.0" / (library + ".dll"), scratch / "tests" / b.project / "bin/Release/net10.0")
        code, output = test(scratch, b.project, b.filter, HANG_SECONDS)
        if code == 0 and "No test matches" in output:
            return "does not apply", "(no test matches)"
        failed = re.findall(r"Failed ([\w.]+)", output)
        by = "by a hang" if code is None else "by " + failed[0].split(".")[-1] if failed else "by a crash"
        return ("survived", "") if code == 0 else ("caught", by)
    finally:
        path.write_text(text)


if __name__ == "__main__":
    sys.exit(main())
