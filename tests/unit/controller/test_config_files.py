"""What YAML and Snakemake would pass over in a configuration is refused in one line."""

import json
from pathlib import Path

import pytest

from elboflow.specification.command_line import check_options, check_words, named_profiles
from elboflow.specification.config_files import (
    ConfigError,
    check_file,
    check_files,
    check_profile,
    check_text,
)
from elboflow.specification.published import complaint_about_published

ROOT = Path(__file__).parents[3]
TWICE = pytest.mark.fault("a key stands twice in YAML or JSON", outcome="one line with both lines")
READING = pytest.mark.fault(
    "010, 1:30, no, a date or the like in YAML, where a number or a name is meant",
    outcome="one line: what YAML reads, and how to write it",
)
LIMITS = pytest.mark.fault(
    "YAML that grows exponentially, contains itself, is deep or huge", outcome="refused in one line"
)
UNREADABLE = pytest.mark.fault("a configuration that cannot be read", outcome="refused in one line")
WORDS = pytest.mark.fault(
    "several --configfiles, or a key of --config twice", outcome="refused in one line"
)


def refusal(text: str) -> str:
    with pytest.raises(ConfigError, match=r"\A[^\n]{1,400}\Z") as refused:
        check_text(text, "config: x.yaml", {"chapter"})
    return str(refused.value)


@TWICE
@pytest.mark.parametrize(
    ("text", "lines", "name"),
    [
        ("runs:\n  a: {beta: 1}\n  b: {}\n  a: {beta: 2}\n", "2 and 4", "runs.a"),
        ("runs:\n  a: {}\n  'a': {}\n", "2 and 3", "runs.a"),
        ("datasets:\n  d: {source: digits}\n  d: {source: mnist}\n", "2 and 3", "datasets.d"),
        ("runs:\n  a: {}\ndefaults: {}\nruns:\n  b: {}\n", "1 and 4", "runs"),
        ("defaults:\n  epochs: 3\n\n  epochs: 4\n", "2 and 4", "defaults.epochs"),
        ("runs:\n  a: {epochs: 1, epochs: 2}\n", "2", "runs.a.epochs"),
        ("environment:\n  build_variables:\n    CC: a\n    CC: b\n", "3 and 4", "variables.CC"),
        ("runs:\n  - {a: 1,\n     a: 2}\n", "2 and 3", "runs.a"),
        ("x: &x {b: 1}\nruns:\n  a:\n    <<: *x\n    <<: *x\n", "4 and 5", "runs.a.<<"),
        ('{"runs": {\n\t"a": {},\n\t"a": {}}}', "2 and 3", "runs.a"),
    ],
)
def test_equal_keys_are_refused_with_both_lines(text: str, lines: str, name: str) -> None:
    refused = refusal(text)
    assert f"x.yaml, line{'s' * (' ' in lines)} {lines}: " in refused
    assert f"{name} stands twice" in refused


def test_a_merge_may_be_overridden() -> None:
    check_text("runs:\n  a: &a {beta: 1}\n  b: {<<: *a, beta: 2}\n  c: {<<: [*a, *a]}\n", "")


@READING
@pytest.mark.parametrize(
    ("written", "read", "advice"),
    [
        ("010", "8", "10 for the number"),
        ("-010", "-8", "-10 for the number"),
        ("00", "0", "0 for the number"),
        ("0x10", "16", "16 for the number"),
        ("0b11", "3", "3 for the number"),
        ("1_000", "1000", "1000 for the number"),
        ("1:30", "90", "90 for the number"),
        ("1:30.5", "90.5", "90.5 for the number"),
        (".inf", "inf", "a finite number"),
        ("-.INF", "-inf", "a finite number"),
        (".nan", "nan", "a finite number"),
        ("no", "false", "false, or 'no' in quotes"),
        ("On", "true", "true, or 'On' in quotes"),
        ("~", "null", "null, or '~' in quotes"),
        ("2024-01-01", "a date", "'2024-01-01', in quotes"),
        ("2024-01-01 10:00:00", "a date", "'2024-01-01 10:00:00', in quotes"),
        ("=", "a default value", "'=', in quotes"),
        ("<<", "a merge", "'<<', in quotes"),
        ("9" * 41, "a number of 41 digits", "at most 40"),
    ],
)
@pytest.mark.parametrize("place", ["runs: {a: {epochs: WRITTEN}}", "runs:\n  a: [1, WRITTEN]"])
def test_what_yaml_reads_otherwise_is_refused(
    place: str, written: str, read: str, advice: str
) -> None:
    refused = refusal(place.replace("WRITTEN", written))
    assert f"x.yaml, line {place.count(chr(10)) + 1}: runs.a" in refused
    assert f"YAML reads {written[:20]}" in refused
    assert f" as {read}; write {advice}" in refused


@READING
@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("1", "a number"),
        ("1.", "a number"),
        ("010", "a number"),
        ("no", "true or false"),
        ("on", "true or false"),
        ("true", "true or false"),
        ("~", "null"),
        ("null", "null"),
        ("2024-01-01", "a date"),
        ("=", "a default value"),
    ],
)
@pytest.mark.parametrize("section", ["runs", "datasets"])
def test_a_name_that_yaml_reads_otherwise_is_refused(section: str, key: str, kind: str) -> None:
    refused = refusal(f"x: {{}}\n{section}:\n  {key}: {{}}\n")
    assert f"x.yaml, line 3: the key {section}.{key} is {kind} to YAML; write '{key}'" in refused


@READING
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("runs: {a: {epochs: !!int '3'}}", "tags as !!int are not supported"),
        ("runs: !!python/object/apply:os.system [ls]", "tags as !!python/object/apply:os.system"),
        ("runs: {a: !mine {}}", "tags as !mine are not"),
        ("runs:\n  ? \n  : {}", "the key runs. is null to YAML; give it a name"),
        ("? [a]\n: 1", "a key must be a name"),
        ("runs: {{run}: 1}", "a key must be a name"),
        ("runs: {a: {epochs: 0x_}}", "YAML reads 0x_ as a number, and cannot; write one, or '0x_'"),
        ("runs: {a: {<<: 3}}", "<<: takes the alias of a mapping"),
        ("__use_yte__: true\nruns: {}", "templates are not supported"),
    ],
)
def test_other_features_of_yaml_are_refused(text: str, complaint: str) -> None:
    assert complaint in refusal(text)


def test_what_everybody_reads_alike_passes() -> None:
    numbers = "[10, -1, +2, 0, 0.5, .5, 1., 1.0e-3, 1.5E+3]"
    others = """[true, False, null, '010', "no", 1e-3, a_b, '2024-01-01', norway, 1.2.3]"""
    check_text(f"runs: {{a: {{x: {numbers}, y: {others}, z: }}}}", "")


def test_yes_and_no_may_stand_where_true_or_false_is_meant() -> None:
    check_text("chapter: no", "", {"chapter"})


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.name)
def test_every_file_that_is_shipped_passes(path: Path) -> None:
    check_file(path)


BOMB = "a0: &a0 {OPEN}\n" + "".join(
    f"a{n}: &a{n} {{{', '.join(f'k{key}: *a{n - 1}' for key in range(9))}}}\n" for n in range(1, 9)
)
LISTS = "a0: &a0 [1]\n" + "".join(
    f"a{n}: &a{n} [{', '.join(9 * [f'*a{n - 1}'])}]\n" for n in range(1, 9)
)
CHAIN = "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 60))


@LIMITS
@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (BOMB.replace("OPEN", "x: 1"), "line 6: more than 50000 values, with aliases"),
        (LISTS, "line 6: more than 50000 values, with aliases"),
        ("runs: &a {b: *a}", "line 1: runs.b contains itself"),
        ("runs: &a [[*a]]", "line 1: runs contains itself"),
        ("runs:\n  a: &a\n    <<: *a", "line 2: runs.a.<< contains itself"),
        ("runs:\n  " + "[" * 1000, "line 2: more than 50 levels deep"),
        ("{" + '"a": {' * 60 + "}" * 61, "line 1: more than 50 levels deep"),
        (CHAIN, "more than 50 levels deep"),
        ('{"nodes": ' + "9" * 400 + "}", "a number of 400 digits"),
    ],
)
def test_what_is_too_much_is_refused(text: str, complaint: str) -> None:
    assert complaint in refusal(text)


@LIMITS
def test_more_values_than_a_configuration_has_are_not_even_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("elboflow.specification.config_files.MOST_NODES", 100)
    assert "more than 100 values" in refusal(f"x: [{'1,' * 300}\n{{")


@UNREADABLE
@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "nothing stands in it"),
        (b"# a comment\n", "nothing stands in it"),
        (b"- a\n- b\n", "keys are missing at the top level"),
        (b"just words", "keys are missing at the top level"),
        (b"null", "keys are missing at the top level"),
        (b"[1, 2]", "keys are missing at the top level"),
        (b"runs: {}\nx: \xe9", ", line 2: not UTF-8"),
        ("runs: {}".encode("utf-16"), ", line 1: not UTF-8"),
        (b"runs: {}\nx: \0", "no valid YAML: unacceptable character #x0000"),
        (b"runs:\n\ta: 1\n", ", line 2: no valid YAML: "),
        (b"runs: [", "no valid YAML: "),
        (b"runs: {}\n---\nruns: {}\n", ", line 2: no valid YAML: expected a single document"),
        (b"runs: *missing", "no valid YAML: found undefined alias"),
        (b'runs: "\\UFFFFFFFF"', "no valid YAML: "),
        (b"x" * (1 << 20) + b"x", "more than 1 MiB"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"\Aconfig: [^\n]*x\.yaml[^\n]*\Z") as refused:
        check_file(path)
    assert complaint in str(refused.value)


@UNREADABLE
def test_a_folder_and_a_missing_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r": is no file\Z"):
        check_file(tmp_path)
    with pytest.raises(ConfigError, match=r"no\.yaml: there is no such file\Z"):
        check_file(tmp_path / "no.yaml")
    with pytest.raises(ConfigError, match=r": File name too long\Z"):
        check_file(tmp_path / ("x" * 300))


def test_an_indentation_by_tabs_is_told(tmp_path: Path) -> None:
    assert refusal("runs:\n\ta: 1\n").endswith("indent with blanks, not with tabs")


@pytest.mark.parametrize(("head", "end"), [(b"\xef\xbb\xbf", b"\n"), (b"", b"\r\n")])
def test_a_byte_order_mark_and_ends_of_lines_do_no_harm(
    tmp_path: Path, head: bytes, end: bytes
) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(head + (ROOT / "config" / "iwae.yaml").read_bytes().replace(b"\n", end))
    check_file(path)


def test_json_has_its_own_numbers() -> None:
    check_text(json.dumps({"runs": {"a": {"learning_rate": 1e-5}, "😀": {}}}, indent="\t"), "")


@WORDS
@pytest.mark.parametrize(
    ("word", "complaint"),
    [
        ("nodes=010", "nodes=010: the number would be read as 10"),
        ("nodes=1_000", "nodes=1_000: the number would be read as 1000"),
        ("nodes=٣", "the number would be read as 3"),
        ("nodes=nan", "the number would be read as nan"),
        ("nodes= 4", "the number would be read as 4"),
        (f"nodes={'9' * 5000}", "the number would be read as inf"),
        ("runs={a: {beta: 1}, a: {beta: 2}}", "a stands twice"),
        ("runs=&a [*a]", "contains itself"),
        (f"runs={'[' * 1000}", "more than 50 levels deep"),
    ],
)
def test_a_word_of_config_that_is_read_otherwise_is_refused(word: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=r"\Aconfig: --config [^\n]{1,600}\Z") as refused:
        check_words([word])
    assert complaint in str(refused.value)


@WORDS
def test_a_key_that_is_given_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"nodes=4: nodes is given twice"):
        check_words(["nodes=2", "nodes=4"])


def test_plain_words_pass() -> None:
    check_words(
        ["nodes=4", "chapter=False", "runs={a: {beta: 2}}", "environment={gpu: none}", "x="]
    )


@WORDS
@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (["--configfile", "a", "--configfile=b"], "--configfile is given 2 times"),
        (["--configfile", "a", "--configfiles", "b"], "--configfile is given 2 times"),
        (["--config", "nodes=1", "-C", "chapter=False"], "--config is given 2 times"),
        (["-Cnodes=1", "-Cnodes=2"], "--config is given 2 times"),
        (["--resources", "a=1", "--res", "b=1"], "--resources is given 2 times"),
        (
            ["--set-resources", "train:nodes=1", "train:queue=x", "train:nodes=2", "-n"],
            "--set-resources train:nodes: is given 2 times, and the last would win",
        ),
        (["--set-threads", "train=1", "train=2"], "--set-threads train: is given 2 times"),
        (
            ["--set-resources", "train:nodes=1", "--set-resources", "train:queue=x"],
            "--set-resources is given 2 times, and Snakemake takes the last alone",
        ),
    ],
)
def test_an_option_that_would_be_dropped_is_refused(command: list[str], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        check_options(command)


def test_options_that_are_given_once_pass() -> None:
    mappings = ["--set-resources", "train:nodes=1", "evaluate:nodes=1", "--res", "nodes=1"]
    check_options([*mappings, "--set-threads=train=1", "train", "-Cnodes=1", "chapter=False", "-n"])


@WORDS
def test_files_that_would_be_mixed_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"2 files with --configfile \(a.yaml, b.yaml\) would be"):
        check_files([Path("a.yaml"), Path("b.yaml")], set())


@TWICE
def test_published_values_are_read_as_strictly(tmp_path: Path) -> None:
    path = tmp_path / "published.yaml"
    path.write_text("recipes: {}\nvalues:\n  a: {}\n  a: {}\n")
    complaint = complaint_about_published("a", "binary", "mnist", path)
    assert complaint is not None
    assert "published.yaml, lines 3 and 4: values.a stands twice" in complaint


@TWICE
def test_a_profile_is_read_as_strictly(tmp_path: Path) -> None:
    path = tmp_path / "profile.yaml"
    path.write_text("jobs: 3\nset-resources:\n  train: {runtime: 5}\n  train: {queue: x}\n")
    with pytest.raises(ConfigError, match=r"lines 3 and 4: set-resources.train stands twice"):
        check_profile(path)
    path.write_text("set-resources: {train: {runtime: 1:30}}")
    with pytest.raises(ConfigError, match=r"train.runtime: YAML reads 1:30 as 90; write 90"):
        check_profile(path)


@pytest.mark.parametrize("path", sorted((ROOT / "profiles").glob("*/*.yaml")), ids=str)
def test_every_profile_that_is_shipped_passes(path: Path) -> None:
    check_profile(path)


@pytest.mark.parametrize(
    ("command", "names"),
    [
        (["-n"], ["default"]),
        (["--profile", "abci", "-n"], ["abci"]),
        (["all", "--profile=a", "--profile", "b"], ["a", "b"]),
        (["--profile=a", "--workflow-profile", "c"], ["a", "profiles/c"]),
        (["--workflow-profile=other"], ["default", "other"]),
        (["--profile-x"], ["default"]),
    ],
)
def test_profiles_of_a_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], names: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("profiles/c", "profiles/other", "other"):
        (tmp_path / folder).mkdir(parents=True)
    assert named_profiles(command, "default", tmp_path) == names


def test_the_profile_of_a_workflow_that_nobody_names(tmp_path: Path) -> None:
    (tmp_path / "profiles/default").mkdir(parents=True)
    assert named_profiles([], None, tmp_path) == [str(tmp_path / "profiles/default")]
    assert named_profiles(["--workflow-profile", "none"], None, tmp_path) == []
