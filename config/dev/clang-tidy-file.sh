# clang-tidy-file.sh FILE: checks one file, unless nothing that it is made of changed since it was clean.
set -euo pipefail

file=$1
command=$(python3 - "$file" <<'PYTHON'
import json, os, shlex, sys
wanted = os.path.abspath(sys.argv[1])
for entry in json.load(open("build/dev/compile_commands.json")):
    if os.path.abspath(os.path.join(entry["directory"], entry["file"])) == wanted:
        words = shlex.split(entry["command"])
        words = words[1:] if words[0].endswith("ccache") else words
        drop = {"-o", "-MF", "-MT"}
        kept = [w for i, w in enumerate(words) if w not in drop | {"-MD", "-c"} and (i == 0 or words[i - 1] not in drop)]
        print(shlex.join(["cc", *kept[1:]]))
        break
PYTHON
)
[ -n "$command" ] || exit 0 # not compiled in this preset
stamp=build/dev/clang-tidy/$({
    eval "$command -M -MT x" | tr -d '\\\n' | tr ' ' '\n' | grep -v '^x:$' | sort -u | xargs -r cat
    cat .clang-tidy
    printf %s "$command"
} | sha256sum | cut -c1-40)
[ ! -f "$stamp" ] || exit 0
clang-tidy --quiet -p build/dev "$file" 2>/dev/null
touch "$stamp"
