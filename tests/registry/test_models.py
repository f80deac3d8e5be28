"""Models and versions: what may be said of them, renaming, deleting, and numbers that are not given again."""

from __future__ import annotations

import pytest

from kernel_tools import experiments, registry
from kernel_tools.core.audit import acting_user
from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError
from kernel_tools.registry import Stage, VersionStatus


@pytest.fixture
def census(any_workspace, model):
    """The workspace with two versions of "census"."""
    for _ in range(2):
        registry.register("census", model, workspace=any_workspace)
    return any_workspace


def last_audited(workspace) -> tuple[str, str]:
    (entry,) = workspace.audit.records(limit=1)
    return entry.action, entry.target


def test_a_model_can_be_made_before_it_has_versions(any_workspace):
    made = registry.create_model("Übung 7 (β)", "*What* it is", {"team": "risk"}, workspace=any_workspace)
    assert (made.description, made.tags, made.version_count) == ("*What* it is", {"team": "risk"}, 0)
    assert registry.get_model("Übung 7 (β)", workspace=any_workspace) == made
    assert registry.list_models(workspace=any_workspace)[0] == [made]
    assert registry.list_versions("Übung 7 (β)", workspace=any_workspace) == ([], None)
    with pytest.raises(NotFoundError, match="it has no version"):
        registry.get("Übung 7 (β)", workspace=any_workspace)
    with pytest.raises(ConflictError, match="already is a model"):
        registry.create_model("Übung 7 (β)", workspace=any_workspace)
    assert last_audited(any_workspace) == ("model.create", "Übung 7 (β)")


def test_what_is_said_at_registration_is_kept(any_workspace, model):
    version = registry.register(
        "census", model, description="first", tags={"depth": 6}, licence="Apache-2.0", workspace=any_workspace
    )
    record = registry.get("census", 1, workspace=any_workspace).record
    assert record == version.record
    assert (record.description, record.tags, record.licence) == ("first", {"depth": "6"}, "Apache-2.0")
    assert len(record.id) == 32
    assert record.updated_at == record.created_at


def test_a_model_is_described_and_tagged(census):
    registry.describe_model("census", "new", workspace=census)
    registry.set_model_tags("census", {"a": 1, "b": "x"}, workspace=census)
    registry.set_model_tags("census", {"a": 2}, workspace=census)
    group = registry.delete_model_tag("census", "b", workspace=census)
    assert (group.description, group.tags) == ("new", {"a": "2"})
    assert group.updated_at >= group.created_at
    assert registry.delete_model_tag("census", "absent", workspace=census).tags == {"a": "2"}
    assert last_audited(census) == ("model.untag", "census")


def test_a_version_is_described_tagged_and_licensed(census):
    version = registry.get("census", 1, workspace=census)
    version.describe("better")
    version.set_licence("MIT")
    version.set_tags({"a": 1, "b": 2})
    version.delete_tag("b")
    version.delete_tag("absent")
    record = registry.get("census", 1, workspace=census).record
    assert record == version.record
    assert (record.description, record.licence, record.tags) == ("better", "MIT", {"a": "1"})
    assert registry.get("census", 2, workspace=census).record.tags == {}


@pytest.mark.parametrize(
    "change",
    [
        lambda workspace: registry.describe_model("none", "x", workspace=workspace),
        lambda workspace: registry.rename_model("none", "other", workspace=workspace),
        lambda workspace: registry.delete_model("none", workspace=workspace),
        lambda workspace: registry.set_model_tags("none", {"a": "b"}, workspace=workspace),
        lambda workspace: registry.delete_model_tag("none", "a", workspace=workspace),
        lambda workspace: registry.delete_alias("none", "champion", workspace=workspace),
        lambda workspace: registry.describe_version("census", 9, "x", workspace=workspace),
        lambda workspace: registry.set_licence("census", 9, "x", workspace=workspace),
        lambda workspace: registry.set_version_tags("census", 9, {"a": "b"}, workspace=workspace),
        lambda workspace: registry.delete_version_tag("census", 9, "a", workspace=workspace),
        lambda workspace: registry.delete_version("census", 9, workspace=workspace),
        lambda workspace: registry.set_alias("census", "champion", 9, workspace=workspace),
        lambda workspace: registry.set_stage("census", 9, "Production", workspace=workspace),
        lambda workspace: registry.promote("census", 9, reason="x", workspace=workspace),
        lambda workspace: registry.write_card("census", 9, text="x", workspace=workspace),
        lambda workspace: registry.get_card("census", 9, workspace=workspace),
    ],
)
def test_what_does_not_exist_is_not_changed_and_not_audited(census, change):
    before = census.audit.records()
    with pytest.raises(NotFoundError, match="none|version 9"):
        change(census)
    assert census.audit.records() == before


@pytest.mark.parametrize(
    "tags", [{"": "x"}, {"x" * 251: "y"}, {"a\nb": "c"}, {"a": "x" * 100_001}, {"a": "nul\0"}, {"a": "\ud800"}]
)
def test_tags_that_no_catalog_keeps_are_refused(census, tags):
    with pytest.raises(InvalidArgumentError, match="tag"):
        registry.set_model_tags("census", tags, workspace=census)
    with pytest.raises(InvalidArgumentError, match="tag"):
        registry.get("census", 1, workspace=census).set_tags(tags)


def test_a_renamed_model_keeps_everything(census):
    version = registry.get("census", 2, workspace=census)
    version.set_alias("champion")
    version.set_tag("a", "b")
    version.write_card(text="card")
    version.promote("challenger", "for the tests")
    registry.set_model_tags("census", {"c": "d"}, workspace=census)
    registry.rename_model("census", "income 2", workspace=census)
    renamed = registry.get("income 2", alias="champion", workspace=census)
    assert (renamed.version, renamed.record.tags, renamed.record.id) == (2, {"a": "b"}, version.record.id)
    assert renamed.card().text == "card"
    assert renamed.load() is not None
    assert registry.get_model("income 2", workspace=census).tags == {"c": "d"}
    assert len(registry.list_promotions("income 2", workspace=census)[0]) == 1
    assert registry.find_by_id(version.record.id, workspace=census).model == "income 2"
    with pytest.raises(NotFoundError, match="no model 'census'. Registered models: income 2"):
        registry.get("census", workspace=census)


def test_a_model_is_not_renamed_to_a_name_that_is_taken_or_impossible(census):
    registry.create_model("other", workspace=census)
    with pytest.raises(ConflictError, match="already is a model 'other'"):
        registry.rename_model("census", "other", workspace=census)
    with pytest.raises(InvalidArgumentError, match="new model name"):
        registry.rename_model("census", "a/b", workspace=census)
    assert registry.get("census", workspace=census).version == 2


def test_the_number_of_a_deleted_version_is_not_given_again(census, model):
    version = registry.get("census", 2, workspace=census)
    version.set_alias("champion")
    version.delete()
    assert registry.register("census", model, workspace=census).version == 3
    with pytest.raises(NotFoundError, match="no alias 'champion'"):
        registry.get("census", alias="champion", workspace=census)
    with pytest.raises(NotFoundError, match=r"no version 2\. Its newest versions are: 3 .*, 1 "):
        registry.get("census", 2, workspace=census)
    assert registry.find_by_id(version.record.id, workspace=census) is None


def test_a_deleted_model_is_gone_with_its_versions_and_their_files(census):
    registry.get("census", 1, workspace=census).set_tag("a", "b")
    registry.write_card("census", 1, text="card", workspace=census)
    registry.delete_model("census", workspace=census)
    assert registry.list_models(workspace=census) == ([], None)
    assert registry.count_versions(workspace=census) == 0
    assert registry.artifact_references(census) == set()
    assert last_audited(census) == ("model.delete", "census")


def test_an_alias_stands_for_one_version(census):
    registry.set_alias("census", "champion", 1, workspace=census)
    registry.set_alias("census", "Champion", 2, workspace=census)
    assert registry.get("census", alias="champion", workspace=census).version == 1
    assert registry.set_alias("census", "champion", 2, workspace=census).aliases == ["Champion", "champion"]
    assert registry.get_model("census", workspace=census).aliases == {"Champion": 2, "champion": 2}
    registry.delete_alias("census", "champion", workspace=census)
    registry.delete_alias("census", "champion", workspace=census)
    assert registry.get("census", 2, workspace=census).record.aliases == ["Champion"]


@pytest.mark.parametrize("alias", ["", "latest", "Latest", "v1", "V23", "a b", "a/b", "a.b", "x" * 256])
def test_words_that_are_no_alias_are_refused(census, alias):
    with pytest.raises(InvalidArgumentError, match="alias"):
        registry.set_alias("census", alias, 1, workspace=census)


def test_a_promotion_says_who_and_why_and_instead_of_what(census):
    with acting_user("alice"):
        first = registry.promote("census", 1, reason="the first", workspace=census)
    second = registry.get("census", 2, workspace=census).promote("champion", "AUC 0.93 against 0.91")
    assert (first.alias, first.version, first.previous_version, first.promoted_by) == ("champion", 1, None, "alice")
    assert (second.version, second.previous_version, second.reason) == (2, 1, "AUC 0.93 against 0.91")
    assert registry.list_promotions("census", workspace=census) == ([second, first], None)
    page, token = registry.list_promotions("census", limit=1, workspace=census)
    assert (page, registry.list_promotions("census", 1, token, workspace=census)) == ([second], ([first], None))
    entry = census.audit.records(limit=1)[0]
    assert (entry.action, entry.target, entry.details["reason"]) == ("model.promote", "census/2", second.reason)


def test_a_promotion_needs_a_reason_and_a_version_that_is_not_rejected(census):
    with pytest.raises(InvalidArgumentError, match="Say why"):
        registry.promote("census", 1, reason="  ", workspace=census)
    registry.get("census", 1, workspace=census).reject("biased")
    with pytest.raises(ConflictError, match="is rejected"):
        registry.promote("census", 1, reason="anyway", workspace=census)
    assert registry.get_model("census", workspace=census).aliases == {}


def test_stages_are_moved_and_emptied(census):
    registry.set_stage("census", 1, "production", workspace=census)
    record = registry.set_stage("census", 2, "Production", archive_existing=True, workspace=census)
    assert record.stage is Stage.PRODUCTION
    assert registry.get("census", 1, workspace=census).record.stage is Stage.ARCHIVED
    assert [item.version for item in registry.latest_versions("census", workspace=census)] == [2, 1]
    assert registry.latest_versions("census", ["Staging"], workspace=census) == []
    with pytest.raises(InvalidArgumentError, match="only Staging and Production"):
        registry.set_stage("census", 1, "Archived", archive_existing=True, workspace=census)
    with pytest.raises(InvalidArgumentError, match="None, Staging, Production, Archived"):
        registry.set_stage("census", 1, "Live", workspace=census)


def test_a_card_is_written_in_revisions(census):
    version = registry.get("census", 1, workspace=census)
    assert version.card() is None
    first = version.write_card(intended_use="Loans", text="# Census")
    second = version.write_card(limits="Not for 2030", intended_use="Loans in one country")
    assert (first.revision, second.revision, second.text) == (1, 2, "# Census")
    assert version.write_card(limits="Not for 2030") == second
    assert (version.card(), version.card(1), version.record.card_revision) == (second, first, 2)
    assert registry.list_cards("census", 1, workspace=census) == [second, first]
    assert registry.render_card(second) == (
        "# Census\n\n## Intended use\n\nLoans in one country\n\n## Limits\n\nNot for 2030\n"
    )
    with pytest.raises(NotFoundError, match="revisions 1 to 2"):
        version.card(3)
    with pytest.raises(InvalidArgumentError, match="no part 'title': write text, intended_use"):
        version.write_card(title="x")


def test_every_change_is_in_the_audit_log(census):
    version = registry.get("census", 1, workspace=census)
    count = len(census.audit.records(limit=1000))
    changes = [
        lambda: version.approve("ok"),
        lambda: version.describe("x"),
        lambda: version.set_licence("x"),
        lambda: version.set_tag("a", "b"),
        lambda: version.delete_tag("a"),
        lambda: version.set_alias("x"),
        lambda: version.promote("y", "why"),
        lambda: version.set_stage("Staging"),
        lambda: version.write_card(text="x"),
        lambda: registry.delete_alias("census", "x", workspace=census),
        lambda: registry.describe_model("census", "x", workspace=census),
        lambda: registry.set_model_tags("census", {"a": "b"}, workspace=census),
        lambda: registry.delete_model_tag("census", "a", workspace=census),
        lambda: version.delete(),
        lambda: registry.rename_model("census", "other", workspace=census),
        lambda: registry.delete_model("other", workspace=census),
    ]
    for number, change in enumerate(changes, 1):
        change()
        assert len(census.audit.records(limit=1000)) == count + number, number
    assert census.audit.verify().ok


def test_a_search_takes_mlflows_grammar(census, model):
    run = experiments.start_run("census", workspace=census)
    version = registry.register("loans", model, run=run, tags={"team": "Risk"}, workspace=census)
    registry.set_model_tags("loans", {"team": "risk"}, workspace=census)
    version.approve()

    def models(text: str, *order: str) -> list[str]:
        return [group.name for group in registry.search_model_records(text, order, workspace=census)[0]]

    def versions(text: str, *order: str) -> list[tuple[str, int]]:
        found, _ = registry.search_version_records(text, order, workspace=census)
        return [(record.model, record.version) for record in found]

    assert models("") == ["census", "loans"]
    assert models("", "name DESC") == ["loans", "census"]
    assert models("", "last_updated_timestamp DESC")[0] == "loans"
    assert models("name ILIKE 'LO%'") == ["loans"]
    assert models("name LIKE 'LO%'") == []
    assert models("tags.team = 'risk' and name != 'census'") == ["loans"]
    assert models("tags.`team` ILIKE 'R%' or name IN ('census')") == ["census", "loans"]
    assert models("tags.team IS NULL") == ["census"]
    assert versions("name = 'census'", "version_number ASC") == [("census", 1), ("census", 2)]
    assert versions("") == [("loans", 1), ("census", 2), ("census", 1)]
    assert versions("version_number > 1") == [("census", 2)]
    assert versions(f"run_id = '{run.id}'") == [("loans", 1)]
    assert versions(f"run_id IN ('{run.id}', 'x')") == [("loans", 1)]
    assert versions("tags.team = 'Risk'") == [("loans", 1)]
    assert versions("tags.team != 'Risk'") == []
    assert versions("status = 'Approved'") == [("loans", 1)]


@pytest.mark.parametrize(
    ("search", "text", "said"),
    [
        (registry.search_model_records, "nme = 'x'", "position 1"),
        (registry.search_model_records, "name = 7", "text in quotes"),
        (registry.search_model_records, "version_number = 1", "position 1"),
        (registry.search_version_records, "version_number = 'x'", "a number"),
        (registry.search_version_records, "metrics.auc > 1", "position 1"),
        (registry.search_version_records, "tags.a =", "position 9"),
    ],
)
def test_a_filter_that_is_not_understood_says_where(workspace, search, text, said):
    with pytest.raises(InvalidArgumentError, match=said):
        search(text, workspace=workspace)


def test_orderings_and_pages_are_checked(census):
    for order in (["tags.a"], ["name", "name DESC"], ["size"], ["name DOWN"]):
        with pytest.raises(InvalidArgumentError):
            registry.search_version_records(order_by=order, workspace=census)
    with pytest.raises(InvalidArgumentError, match="200,000"):
        registry.search_version_records(limit=0, workspace=census)
    first, token = registry.search_version_records(limit=1, workspace=census)
    second, end = registry.search_version_records(limit=1, page_token=token, workspace=census)
    assert ([record.version for record in first + second], end) == ([2, 1], None)


def test_prompts_of_mlflow_are_found_only_when_they_are_asked_for(census):
    prompt = "mlflow.prompt.is_prompt"
    registry.create_model("greeting", tags={prompt: "true"}, workspace=census)
    registry.create_version_from_source("greeting", "dummy-source", tags={prompt: "true"}, workspace=census)

    def names(text: str) -> list[str]:
        return [group.name for group in registry.search_model_records(text, workspace=census)[0]]

    assert names("") == ["census"]
    assert names(f"tags.`{prompt}` = 'true'") == ["greeting"]
    assert {record.model for record in registry.search_version_records(workspace=census)[0]} == {"census"}
    found, _ = registry.search_version_records(f"tags.`{prompt}` = 'true'", workspace=census)
    assert [record.model for record in found] == ["greeting"]


def test_an_approval_by_function_is_the_same_as_by_method(census):
    record = registry.decide_version("census", 1, "Approved", "good", workspace=census)
    assert (record.status, record.note) == (VersionStatus.APPROVED, "good")
