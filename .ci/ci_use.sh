#!/usr/bin/env bash
# What continuous integration reads, read by others: SNNC PYTHON SCRATCH CACHE, with a release binary.
# SARIF against the schema of OASIS, JUnit by a parser of it, the action as YAML, builds by make and ninja.
set -euo pipefail
snnc="$(realpath "$1")" python="$2" scratch="$3/ci_use" cache="$4/ci_use" root="$PWD"
pins=(ninja==1.13.2 jsonschema==4.26.0 PyYAML==6.0.3 junitparser==5.0.3)
if [ "$(cat "$cache/stamp" 2>/dev/null)" != "${pins[*]}" ]; then
    "$python" -m venv --clear "$cache"
    "$cache/bin/python" -m pip install --quiet --disable-pip-version-check "${pins[@]}"
    echo "${pins[*]}" >"$cache/stamp"
fi
export PATH="$cache/bin:$PATH"
rm -rf "$scratch"
mkdir -p "$scratch"

# The tests that need nothing are in `cargo test`; here ninja is there, too.
SNNC_NEEDS_BUILD_TOOLS=1 cargo test --locked -p snnc --test ci_use

cd "$scratch"
cp "$root/examples/small/skip.genome.json" skip.json
printf '{"kind": 1,,}\n' >'bad name.json'
"$snnc" compile skip.json --target loihi2 -o art --sarif good.sarif --junit good.xml 2>/dev/null
"$snnc" verify skip.json art --sarif verify.sarif --junit verify.xml >/dev/null
status=0
"$snnc" check 'bad name.json' --sarif bad.sarif --junit bad.xml 2>/dev/null || status=$?
test "$status" = 1
printf x >>art/program.snnb
"$snnc" verify skip.json art --sarif altered.sarif --junit altered.xml 2>/dev/null || status=$?
"$snnc" compile "$root/examples/motif/cells.genome.json" --target loihi1 -o none --sarif refused.sarif --junit refused.xml 2>/dev/null || true
"$snnc" check none.json --sarif none.sarif --junit none.xml 2>/dev/null || true

"$cache/bin/python" - "$root/examples/ci/action.yml" <<'PYTHON'
import glob, sys
import junitparser, yaml

action = yaml.safe_load(open(sys.argv[1]))
assert action["runs"]["using"] == "composite"
for step in action["runs"]["steps"]:
    # GitHub demands a shell for each step that runs something; inputs reach scripts through the environment alone.
    assert step["shell"] == "bash" and "${{" not in step["run"], step["name"]
    for value in step["env"].values():
        assert value.split(".", 1)[1].rstrip(" }") in action["inputs"], value
for name in sorted(glob.glob("*.xml")):
    found = junitparser.JUnitXml.fromfile(name)
    assert found.tests == sum(len(suite) for suite in found) > 0, name
    bad = [case.name for suite in found for case in suite if any(isinstance(r, (junitparser.Failure, junitparser.Error)) for r in case.result)]
    assert found.failures + found.errors == len(bad), name
    assert bool(bad) == (name not in ("good.xml", "verify.xml")), (name, bad)
    print(f"{name}: {found.tests} cases, {len(bad)} bad, {found.skipped} skipped")
PYTHON

# The schema comes with a package of matchers for tests; nothing of the package is run.
if ! command -v npm >/dev/null; then
    echo "skipped: the SARIF schema comes through npm"
    exit 0
fi
if [ ! -f "$cache/sarif.json" ]; then
    npm pack --silent @microsoft/jest-sarif@1.0.0-beta.0 >/dev/null
    tar -xzOf microsoft-jest-sarif-1.0.0-beta.0.tgz package/lib/schemas/sarif-2.1.0-rtm.5.json >"$cache/sarif.json"
fi
"$cache/bin/python" - "$cache/sarif.json" <<'PYTHON'
import copy, glob, json, sys
import jsonschema

schema = json.load(open(sys.argv[1]))
validator = jsonschema.validators.validator_for(schema)(schema)
results = 0
for name in sorted(glob.glob("*.sarif")):
    log = json.load(open(name))
    validator.validate(log)
    results += len(log["runs"][0]["results"])
# The check can fail.
broken = copy.deepcopy(log)
broken["runs"][0]["results"][0]["level"] = "bad"
assert list(validator.iter_errors(broken))
print(f"SARIF: {len(glob.glob('*.sarif'))} logs with {results} results are valid")
PYTHON
