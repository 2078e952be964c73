"""Versions of schemas follow one another, what would break producers is found, and data are judged as they say."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from prism_core.events.compatibility import Weight, breaking, differences
from prism_core.events.rehearsing import rehearsed
from prism_core.events.schemas import DRAFT_7, DRAFT_2020
from prism_core.events.validating import MAX_PROBLEMS, CompiledSchema
from prism_core.events.versions import SchemaVersion, Step, place_of
from prism_core.failures import BadUsage, PermanentFailure

numbers = st.integers(0, 999_999)
versions = st.builds(SchemaVersion, st.integers(1, 999_999), numbers, numbers)


def v(text: str) -> SchemaVersion:
    return SchemaVersion.parse(text)


@given(versions, versions)
def test_versions_order_as_numbers_in_their_text_and_in_their_key(
    one: SchemaVersion, other: SchemaVersion
) -> None:
    assert SchemaVersion.parse(str(one)) == one
    assert (one < other) == (one.key < other.key)


@pytest.mark.parametrize(
    "text", ["", "1", "1-0", "1.0.0", "0-0-0", "01-0-0", "1-0-00", "1-0-0 ", "1-0-٣", "-1-0-0"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(BadUsage, match="1-0-0"):
        SchemaVersion.parse(text)


@given(versions, st.sampled_from(Step))
def test_a_version_after_another_is_recognised_by_its_step(version: SchemaVersion, step: Step) -> None:
    assert version.after(step).step_from(version) is step
    assert version.step_from(version) is None


@pytest.mark.parametrize(
    ("uri", "version"),
    [
        ("https://prism.example/schemas/a.b/1-0-2", "1-0-2"),
        ("https://prism.example/1-0-2.json", "1-0-2"),
        ("1-0-2", "1-0-2"),
        ("https://prism.example/schemas/a.b", None),
        ("https://prism.example/0-0-1", None),
    ],
)
def test_the_version_is_read_off_the_end_of_a_dataschema(uri: str, version: str | None) -> None:
    assert SchemaVersion.of_uri(uri) == (version and v(version))


def test_a_version_that_exists_never_changes() -> None:
    with pytest.raises(PermanentFailure, match=r"never changes.*1-0-2"):
        place_of(v("1-0-1"), [v("1-0-0"), v("1-0-1")])


@pytest.mark.parametrize(
    ("new", "known", "before"),
    [
        ("1-0-0", (), None),
        ("2-0-0", ("1-0-0", "1-3-1"), None),
        ("1-0-1", ("1-0-0",), "1-0-0"),
        ("1-1-0", ("1-0-0", "1-0-9"), "1-0-9"),
        ("1-0-2", ("1-0-0", "1-0-1", "2-0-0"), "1-0-1"),
    ],
)
def test_a_new_version_is_compared_with_the_newest_of_its_model(
    new: str, known: tuple[str, ...], before: str | None
) -> None:
    assert place_of(v(new), [v(one) for one in known]) == (before and v(before))


@pytest.mark.parametrize(
    ("new", "known"), [("1-0-1", ()), ("3-0-0", ("1-0-0",)), ("1-0-2", ("1-0-0",)), ("1-0-0", ("1-1-0",))]
)
def test_a_version_that_leaves_a_gap_is_refused(new: str, known: tuple[str, ...]) -> None:
    with pytest.raises(PermanentFailure):
        place_of(v(new), [v(one) for one in known])


TEXT: dict[str, Any] = {"type": "string"}


def an_object(**more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": TEXT}, "required": ["a"]} | more


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(an_object(), an_object(required=[]), id="required no more"),
        pytest.param(an_object(), an_object(title="Other", description="x"), id="notes"),
        pytest.param({"type": "integer"}, {"type": "number"}, id="wider type"),
        pytest.param({"enum": [1, 2]}, {"enum": [2, 1.0, 3]}, id="more values"),
        pytest.param({"const": 1}, {"type": "integer"}, id="any value"),
        pytest.param({"const": 1, "enum": [1, 2]}, {"enum": [1]}, id="a value of both words"),
        pytest.param({"minimum": 3, "maxLength": 5}, {"minimum": 2}, id="wider bounds"),
        pytest.param({"multipleOf": 4}, {"multipleOf": 2}, id="coarser steps"),
        pytest.param({"pattern": "^a"}, {}, id="pattern dropped"),
        pytest.param({"anyOf": [TEXT]}, {"anyOf": [{"type": "null"}, TEXT]}, id="one more branch"),
        pytest.param(an_object(additionalProperties=False), an_object(), id="opened"),
        pytest.param(
            an_object(additionalProperties=False),
            an_object(additionalProperties=False, properties={"a": TEXT, "b": TEXT}),
            id="a name that was refused",
        ),
        pytest.param(
            {"$ref": "#/$defs/tree", "$defs": {"tree": {"properties": {"next": {"$ref": "#/$defs/tree"}}}}},
            {"$ref": "#/$defs/t", "$defs": {"t": {"properties": {"next": {"$ref": "#/$defs/t"}}}}},
            id="recursive and renamed",
        ),
    ],
)
def test_a_version_that_takes_all_of_the_one_before_is_compatible(old: Any, new: Any) -> None:
    assert differences(old, new) == ()


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        pytest.param(an_object(), an_object(required=["a", "b"]), "/required", id="required"),
        pytest.param(an_object(), an_object(additionalProperties=False), "/additionalProperties", id="closed"),
        pytest.param(
            an_object(), an_object(properties={"a": {"type": "integer"}}), "/properties/a/type", id="other type"
        ),
        pytest.param({"type": "number"}, {"type": "integer"}, "/type", id="narrower type"),
        pytest.param({}, {"type": ["string", "null"]}, "/type", id="a type"),
        pytest.param({"enum": ["x", "y"]}, {"enum": ["x"]}, "/enum", id="fewer values"),
        pytest.param({"type": "integer"}, {"const": 1}, "/enum", id="one value"),
        pytest.param({"maxLength": 5}, {"maxLength": 4}, "/maxLength", id="shorter"),
        pytest.param({}, {"minimum": 0}, "/minimum", id="a bound"),
        pytest.param({"multipleOf": 0.1}, {"multipleOf": 0.25}, "/multipleOf", id="other steps"),
        pytest.param({"pattern": "^a"}, {"pattern": "^b"}, "/pattern", id="other pattern"),
        pytest.param({"items": TEXT}, {"items": {"type": "null"}}, "/items/type", id="elements"),
        pytest.param({}, {"uniqueItems": True}, "/uniqueItems", id="unique"),
        pytest.param({"anyOf": [TEXT, {"type": "null"}]}, {"anyOf": [TEXT]}, "/anyOf", id="fewer branches"),
        pytest.param({"oneOf": [TEXT]}, {"oneOf": [TEXT, {"maxLength": 3}]}, "/oneOf", id="overlapping branch"),
        pytest.param({"oneOf": [TEXT]}, {"oneOf": [{}]}, "/oneOf", id="wider branch"),
        pytest.param({}, {"allOf": [TEXT]}, "/allOf/0", id="one more demand"),
        pytest.param({"contains": {}, "minContains": 0}, {"contains": {}}, "/contains", id="at least one now"),
        pytest.param({"const": 1}, {"const": 1, "enum": [2]}, "/enum", id="no value is left"),
        pytest.param(
            {"additionalProperties": {"type": "integer"}},
            {"additionalProperties": {"type": "integer"}, "properties": {"a": TEXT}},
            "/properties/a/type",
            id="a name that had a type",
        ),
        pytest.param(
            {"patternProperties": {"^x": {"type": "integer"}}},
            {"patternProperties": {"^x": {"type": "integer"}}, "properties": {"xy": TEXT}},
            "/properties/xy/type",
            id="a name of a form",
        ),
        pytest.param(
            {"patternProperties": {"^x": TEXT}},
            {"patternProperties": {"^x": {"maxLength": 2}}},
            "/patternProperties/^x/maxLength",
            id="names of a form",
        ),
        pytest.param(
            {"not": {"$ref": "#/$defs/d"}, "$defs": {"d": {"const": 1}}},
            {"not": {"$ref": "#/$defs/d"}, "$defs": {"d": TEXT}},
            "/not",
            id="definition behind a reference",
        ),
        pytest.param({"$schema": DRAFT_7}, {"$schema": DRAFT_2020}, "/$schema", id="other draft"),
    ],
)
def test_a_breaking_change_is_found_at_its_place(old: Any, new: Any, path: str) -> None:
    assert path in [one.path for one in breaking(differences(old, new))]


def test_a_name_that_was_free_is_for_the_rehearsal_to_judge() -> None:
    beside: dict[str, Any] = {
        "patternProperties": {"^x": {"type": "integer"}},
        "additionalProperties": {"title": "Free"},
    }

    found = differences(an_object(), an_object(properties={"a": TEXT, "b": TEXT}))
    other = differences(an_object(**beside), an_object(**beside, properties={"a": TEXT, "b": TEXT}))

    assert [(one.path, one.weight) for one in found] == [("/properties/b/type", Weight.REHEARSE)]
    assert other == found


def test_the_same_difference_in_a_free_name_does_not_hide_a_breaking_one() -> None:
    inner = {"type": "object", "properties": {"x": {"type": "integer"}}}
    old = {"properties": {"z": {}}}

    found = differences(old, {"properties": {"a": inner, "z": inner}})

    assert {one.path for one in breaking(found)} == {"/properties/z/type"}


leaves = st.sampled_from(
    [True, False, {}, TEXT, {"type": "integer"}, {"type": "number"}, {"type": ["string", "null"]}, {"minimum": 1},
     {"maximum": 2}, {"exclusiveMinimum": 0}, {"enum": [1, "a", None]}, {"enum": [1, "a"]}, {"const": 1},
     {"const": 1.0}, {"maxLength": 1}, {"minLength": 1}, {"pattern": "^a"}, {"multipleOf": 2}, {"minItems": 1},
     {"uniqueItems": True}, {"required": ["a"]}, {"required": ["a", "b"]}, {"$ref": "#/$defs/d"}]
)  # fmt: skip


def _grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    branches = st.lists(inner, min_size=1, max_size=2)
    words = {
        "type": st.sampled_from(["object", "array", "integer", ["object", "string"], ["array", "integer"]]),
        "properties": st.dictionaries(st.sampled_from("abx"), inner, max_size=2),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "^x"]), inner, max_size=1),
        "additionalProperties": inner,
        "propertyNames": st.just({"maxLength": 1}),
        "required": st.lists(st.sampled_from("ab"), unique=True),
        "items": inner,
        "contains": inner,
        "minContains": st.sampled_from([0, 1]),
        "anyOf": branches,
        "oneOf": branches,
        "allOf": branches,
        "not": inner,
        "if": inner,
        "then": inner,
        "minProperties": st.sampled_from([0, 1]),
        "maxItems": st.sampled_from([1, 2]),
        "enum": st.just([1, {"a": 1}, ["a"]]),
    }
    return st.fixed_dictionaries({}, optional=words)


grown = st.recursive(leaves, _grown, max_leaves=8)
atoms = st.sampled_from([None, True, 0, 1, 2, 3, 1.0, 1.5, "", "a", "ab", "b"])
data = st.recursive(
    atoms, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abx"), inner, max_size=3)
)


@st.composite
def edited(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two schemas of which one is a small edit of the other."""
    base = draw(grown)
    old = dict(base) if isinstance(base, dict) else {"items": base}
    new = dict(old)
    for _ in range(draw(st.integers(1, 2))):
        if new and draw(st.booleans()):
            del new[draw(st.sampled_from(sorted(new)))]
        else:
            more = draw(grown)
            new |= more if isinstance(more, dict) else {"additionalProperties": more}
    heads = [{"$defs": {"d": draw(leaves.filter(lambda one: one != {"$ref": "#/$defs/d"}))}} for _ in range(2)]
    if draw(st.booleans()):
        heads[1] = heads[0]
    draft = {"$schema": draw(st.sampled_from([DRAFT_7, DRAFT_2020]))}
    return old | heads[0] | draft, new | heads[1] | draft


@given(edited(), st.lists(data, min_size=6, max_size=12))
def test_no_difference_means_that_nothing_valid_is_refused(
    pair: tuple[dict[str, Any], dict[str, Any]], samples: list[Any]
) -> None:
    assume(differences(*pair) == ())
    old, new = CompiledSchema(pair[0]), CompiledSchema(pair[1])

    assert [one for one in samples if not old.problems(one) and new.problems(one)] == []


def test_a_schema_always_takes_what_it_took_itself() -> None:
    schema = an_object(
        properties={"a": {"$ref": "#/$defs/d"}}, **{"$defs": {"d": {"oneOf": [TEXT, {"type": "null"}]}}}
    )

    assert differences(schema, dict(schema)) == ()


def test_what_does_not_fit_is_told_with_path_and_rule() -> None:
    schema = CompiledSchema(an_object(properties={"a": {"items": {"type": "integer"}}}))

    (problem,) = schema.problems({"a": [1, "x"]})

    assert (problem.path, problem.rule) == ("/a/1", "type")
    assert schema.problems({"a": [1]}) == ()


def test_problems_are_bounded_in_number_and_length() -> None:
    found = CompiledSchema({"items": {"const": 1}}).problems(["x" * 5_000] * 1_000)

    assert len(found) == MAX_PROBLEMS
    assert max(len(one.reason) for one in found) <= 300


def test_nothing_that_is_told_of_a_problem_holds_a_value() -> None:
    schema = CompiledSchema({"properties": {"ip": {"maxLength": 3}, "of": {"enum": ["a"]}, "n": {"type": "null"}}})

    found = schema.problems({"ip": "203.0.113.77", "of": "203.0.113.77", "n": {"ip": "203.0.113.77"}})

    assert {one.path for one in found} == {"/ip", "/of", "/n"}
    assert not [one for one in found if "203" in one.reason]


def _deliveries(word: str = "oneOf", **more: Any) -> dict[str, Any]:
    """Branches as a service writes them: by action, in definitions, one of them with branches of its own."""

    def of(action: str, needed: str) -> dict[str, Any]:
        return {"properties": {"action": {"enum": [action]}, needed: TEXT}, "required": ["action", needed]}

    again = {word: [of("asked", "team"), of("asked", "person")]}
    named = {"made": of("made", "label"), "gone": of("gone", "label"), "asked": again}
    return {word: [{"$ref": f"#/definitions/{one}"} for one in named], "definitions": named, **more}


@pytest.mark.parametrize("word", ["oneOf", "anyOf"])
@pytest.mark.parametrize("draft", [DRAFT_7, DRAFT_2020])
def test_data_that_name_a_branch_are_told_what_that_branch_refuses(word: str, draft: str) -> None:
    schema = CompiledSchema(_deliveries(word) | {"$schema": draft})

    assert [(one.path, one.rule) for one in schema.problems({"action": "gone", "label": 1})] == [
        ("/label", "type")
    ]
    assert [(one.path, one.rule) for one in schema.problems({"action": "made"})] == [("", "required")]
    assert [(one.path, one.rule) for one in schema.problems({"action": "asked"})] == [("", word)]
    assert schema.problems({"action": "gone", "label": "x"}) == ()


@pytest.mark.parametrize(
    ("data", "path", "told"),
    [
        pytest.param({"action": "sold"}, "/action", "asked, gone, made", id="unknown"),
        pytest.param({"action": ["made"]}, "/action", "asked", id="no text"),
        pytest.param({}, "", '"action" is a required', id="absent"),
        pytest.param([], "", "more than one", id="no object"),
    ],
)
def test_data_that_name_no_branch_are_told_so(data: Any, path: str, told: str) -> None:
    (problem,) = CompiledSchema(_deliveries()).problems(data)

    assert problem.path == path
    assert told in problem.reason


@pytest.mark.parametrize(
    "schema",
    [
        pytest.param(_deliveries(maxProperties=1), id="refused beside the branches"),
        pytest.param(
            _deliveries() | {"properties": {"x": {"$ref": "#"}}, "maxProperties": 1}, id="itself within it"
        ),
        pytest.param({"oneOf": [{"const": 1}, {"$ref": "#/oneOf/0"}]}, id="no tags"),
        pytest.param(
            {
                "anyOf": [{"$ref": "#/$defs/a"}],
                "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}},
                "maxProperties": 1,
            },
            id="circle",
        ),
    ],
)
def test_what_no_branch_explains_the_whole_schema_does(schema: dict[str, Any]) -> None:
    assert CompiledSchema(schema).problems({"action": "made", "label": "x"})


def test_numbers_beyond_64_bits_are_judged() -> None:
    assert CompiledSchema({"type": "integer", "minimum": 10}).problems(10**30) == ()


@pytest.mark.parametrize("draft", [DRAFT_7, DRAFT_2020])
def test_what_a_text_contains_is_a_note_in_both_drafts(draft: str) -> None:
    notes = {"format": "email", "contentEncoding": "base64", "contentMediaType": "application/json"}
    named = CompiledSchema({"$schema": draft, "properties": {one: {"const": 1} for one in notes}, "items": notes})

    assert CompiledSchema({"$schema": draft, **notes}).problems("%") == named.problems(["%"]) == ()
    assert {one.path for one in named.problems(dict.fromkeys(notes, 2))} == {f"/{one}" for one in notes}


def test_a_word_that_a_draft_has_no_more_is_a_note_in_it() -> None:
    asked = {"dependencies": {"a": ["b"]}}

    assert CompiledSchema({"$schema": DRAFT_2020, **asked}).fits({"a": 1})
    assert not CompiledSchema({"$schema": DRAFT_7, **asked}).fits({"a": 1})


def test_numbers_and_patterns_are_read_as_the_specification_has_them() -> None:
    """The reference divides binary fractions and has the patterns of Python (ADR 0022)."""
    assert CompiledSchema({"multipleOf": 0.1}).fits(0.3)
    assert not CompiledSchema({"pattern": r"^\d$"}).fits("\u0663")
    assert not CompiledSchema({"pattern": "a$"}).fits("a\n")


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        pytest.param([], "object", id="a list"),
        pytest.param({"$schema": "http://json-schema.org/draft-04/schema#"}, "draft-04", id="old draft"),
        pytest.param({"type": "text"}, "not taken", id="no type"),
        pytest.param({"$ref": "https://example.org/s.json"}, "/\\$ref", id="reference out of it"),
        pytest.param({"items": {"$ref": "#/$defs/x"}}, "/items/\\$ref", id="reference to nothing"),
        pytest.param({"$defs": {"a": {"$id": "b"}}}, "/\\$defs/a/\\$id", id="inner id"),
        pytest.param({"pattern": "("}, "not taken", id="no pattern"),
        pytest.param({"pattern": "(?=a)b"}, "not taken", id="pattern that can take for ever"),
    ],
)
def test_a_schema_that_the_registry_does_not_take_says_where(schema: Any, told: str) -> None:
    with pytest.raises(PermanentFailure, match=told):
        CompiledSchema(schema)


def test_a_rehearsal_counts_what_would_newly_fail_by_producer_and_field() -> None:
    archived = [("tool", {"a": "x"}), ("tool", {"a": 1}), ("page", {}), ("page", {"a": "y"}), ("crm", {"a": ""})]

    found = rehearsed(CompiledSchema(an_object()), archived)

    assert (found.judged, found.failing) == (5, {"page": 1, "tool": 1})
    assert found.fields == {("page", "", "required"): 1, ("tool", "/a", "type"): 1}
