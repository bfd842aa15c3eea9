#!/usr/bin/env python3
"""tests/docs/test_docs.py -- every example in README.md and docs/ runs, and what they name exists.

    python3 tests/docs/test_docs.py [PAGE...]

FERRIS_SQL is the program; by default that of build/release.  No network, no broker.  The fenced
blocks of a page run from top to bottom in one empty folder that holds the SAMPLES.  What becomes of
a block is said by the words behind its fence:

    sql            executed if an expected output follows, else planned by `check`; the page's
                   block `sql streams.sql`, if there is one, goes in front, but not of an example
                   of an error, so that its line numbers are those of the block
    sh             a script whose `ferris-sql` is the program; lines that begin with ./dev are not
                   run, but the command must be one that ./dev help lists
    test NAME      a .test file: saved, and run by `ferris-sql test`
    LANGUAGE NAME  saved as NAME; if the language is sql it is also planned
    text json csv  directly behind one of those that run: its expected output, stderr included, a
                   line of ... stands for any lines; for sql also the value of --output
    form           a form of words, not run; so is a block without a language

Any other block is a failure, so that nothing can stand there untested.

Of the page as a whole: every file of the tree that it names exists (`exec/op_*.c` is any of them),
every link has its page and heading, and every 'option.name' is one of docs/configuration.md.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.path.abspath(os.environ.get("FERRIS_SQL", f"{ROOT}/build/release/ferris-sql"))
NOT_RUN = ["docs/grammar.md"]  # tested by tests/unit/test_grammar.c
OUTPUTS = {"text": "table", "json": "json", "csv": "csv"}
TIMEOUT_SECONDS = 30
SAMPLES = {"trades.jsonl": """\
{"trade_id":1,"symbol":"ACME","price":512.2500,"quantity":100,"side":"BUY"}
{"trade_id":2,"symbol":"INIT","price":99.5000,"quantity":40,"side":"SELL"}
{"trade_id":3,"symbol":"ACME","price":730.0000,"quantity":7,"side":"SELL"}
{"trade_id":4,"symbol":"OBEL","price":501.0001,"quantity":3,"side":"BUY"}
"""}


class Failure(Exception):
    pass


class Block:
    def __init__(self, line, words, text):
        self.line = line
        self.language = words[0] if words else ""
        self.name = words[1] if len(words) > 1 else None
        self.text = text
        self.expected = None  # the block directly behind it

    def runs(self):
        return self.language in ("sql", "sh", "test")


def read_blocks(path):
    """The fenced blocks; one that is an expected output belongs to the one before it."""
    blocks, lines, at = [], open(path, encoding="utf-8").read().split("\n"), 0
    blank_since_block = False
    while at < len(lines):
        fence = re.match(r"^( *)```(.*)$", lines[at])
        if not fence:
            blank_since_block = blank_since_block and not lines[at].strip()
            at += 1
            continue
        end = at + 1
        while end < len(lines) and not re.match(r"^ *```\s*$", lines[end]):
            end += 1
        if end == len(lines):
            raise Failure(f"the block in line {at + 1} has no end")
        text = "".join(line.removeprefix(fence[1]) + "\n" for line in lines[at + 1:end])
        block = Block(at + 1, fence[2].split(), text)
        if (block.language in OUTPUTS and block.name is None and blank_since_block and
                blocks[-1].runs() and blocks[-1].expected is None):
            blocks[-1].expected = block
        else:
            blocks.append(block)
        blank_since_block = True
        at = end + 1
    return blocks


def run(arguments, folder):
    # Of the environment only what a script needs: the pages speak of unset variables.
    environment = {"PATH": os.path.dirname(PROGRAM) + ":" + os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    environment.update((k, v) for k, v in os.environ.items() if k.endswith("SAN_OPTIONS"))
    result = subprocess.run(arguments, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            timeout=TIMEOUT_SECONDS)
    return result.returncode, result.stdout.decode("utf-8")


def save(folder, name, text):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(text)


def compare(expected, got):
    def plain(text):
        return "\n".join(line.rstrip() for line in text.strip("\n").split("\n"))

    pattern = re.escape(plain(expected))
    pattern = re.sub(r"(^|\n)\\\.\\\.\\\.(?=\n|$)", r"\1(?:.*)", pattern)
    if not re.fullmatch(pattern, plain(got), re.S):
        raise Failure(f"expected:\n{expected}got:\n{got}")


def run_sql(block, folder, streams):
    expected = block.expected.text if block.expected else ""
    is_error = expected.startswith("error[")
    save(folder, block.name or "query.sql", (streams if not is_error else "") + block.text)
    if block.expected is None:
        code, out = run([PROGRAM, "check", block.name or "query.sql"], folder)
    else:
        code, out = run([PROGRAM, "execute", "--file", block.name or "query.sql", "--output",
                         OUTPUTS[block.expected.language]], folder)
        compare(expected, out)
    if (code != 0) != is_error:
        raise Failure(f"exit code {code}:\n{out}")


def check_dev(line):
    words = line.split("#")[0].split()
    _, out = run([os.path.join(ROOT, "dev"), "help"], ROOT)
    if len(words) < 2 or not re.search(rf"^  {re.escape(words[1])}\b", out, re.M):
        raise Failure(f"./dev help does not list '{line}'")


def run_shell(block, folder):
    lines = block.text.split("\n")
    for line in lines:
        if line.startswith("./dev"):
            check_dev(line)
    script = "\n".join(line for line in lines if not line.startswith("./dev"))
    if not script.strip():
        return
    code, out = run(["bash", "-o", "pipefail", "-c", script], folder)
    if block.expected is not None:
        compare(block.expected.text, out)
    elif code != 0:
        raise Failure(f"exit code {code}:\n{out}")


def run_block(block, folder, streams):
    if block.language == "test" and block.name:
        save(folder, block.name, block.text)
        code, out = run([PROGRAM, "test", block.name], folder)
        if code != 0 or not re.search(r"^[1-9]\d* passed, 0 failed$", out, re.M):
            raise Failure(out)
    elif block.language == "sql":
        run_sql(block, folder, streams if block.name is None else "")
    elif block.language == "sh":
        run_shell(block, folder)
    elif block.name:
        save(folder, block.name, block.text)
    elif block.language not in ("", "form"):
        raise Failure(f"a block of '{block.language}' that is not run")


def page_text(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        return file.read()


def option_names():
    """The names and aliases in the tables of docs/configuration.md."""
    rows = re.findall(r"^\| (`.*) \|$", page_text("docs/configuration.md"), re.M)
    return {name for row in rows for name in re.findall(r"`([a-z_.]+\.?\*?)`", row)}


def is_option(name, options):
    short = re.sub(r"^(source|sink)\.", "", name)
    if name in options or short in options:
        return True
    # 'trades.json.validate' is that of the stream trades; 'kafka.x' may be a property of librdkafka.
    return short.startswith("kafka.") or name.partition(".")[2] in options


def headings(page):
    """The anchors of a page, as the usual renderers make them."""
    titles = re.findall(r"^#+ (.*)$", page_text(page), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def missing_names(page):
    """What the page names and nobody has."""
    text = page_text(page)
    folders = "|".join(os.listdir(os.path.join(ROOT, "src")))
    for path in re.findall(rf"(?<![\w/.])((?:src/)?(?:{folders})/[\w*/]+\.[ch]\b|"
                           r"(?:tests|tools|bench|docs|src)/[\w*/.-]*\w)(?![\w<])", text):
        if not any(glob.glob(os.path.join(ROOT, prefix, path)) for prefix in ("", "src")):
            yield f"there is no {path}"
    for name, anchor in re.findall(r"\]\(([\w./-]*)#?([\w-]*)\)", text):
        target = os.path.normpath(os.path.join(os.path.dirname(page), name)) if name else page
        if not os.path.exists(os.path.join(ROOT, target)):
            yield f"there is no {target}"
        elif anchor and anchor not in headings(target):
            yield f"{target} has no heading #{anchor}"
    options = option_names()
    for name in re.findall(r"'([a-z_]+(?:\.[a-z_]+)+)'(?= *=(?!=)|`)", text):
        if not is_option(name, options) and not re.search(r"\.(jsonl?|csv|sql)$", name):
            yield f"there is no option '{name}'"


def test_page(page):
    """How many blocks passed and failed."""
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="ferris-docs-") as folder:
        for name, text in SAMPLES.items():
            save(folder, name, text)
        blocks = read_blocks(os.path.join(ROOT, page))
        streams = "".join(b.text for b in blocks if b.name == "streams.sql")
        for block in blocks:
            try:
                run_block(block, folder, streams)
                passed += block.runs()
            except (Failure, subprocess.TimeoutExpired, OSError) as reason:
                failed += 1
                print(f"not ok {passed + failed} - {page}:{block.line}: {reason}")
    return passed, failed


def all_pages():
    docs = sorted(name for name in os.listdir(os.path.join(ROOT, "docs")) if name.endswith(".md"))
    return [page for page in ["README.md"] + ["docs/" + name for name in docs] if page not in NOT_RUN]


def main(pages):
    passed = failed = 0
    for page in pages or all_pages():
        try:
            good, bad = test_page(page)
        except Failure as reason:
            good, bad = 0, 1
            print(f"not ok 1 - {page}: {reason}")
        for reason in missing_names(page):
            bad += 1
            print(f"not ok - {page}: {reason}")
        print(f"{page}: {good} examples ran, {bad} failed")
        passed += good
        failed += bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
