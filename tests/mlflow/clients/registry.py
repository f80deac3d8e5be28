"""Registered models and their versions through `MlflowClient`."""

import uuid

from expecting import code_of


def _name(prefix="model"):
    return f"{prefix} {uuid.uuid4().hex[:8]}"


def _model(client, versions=1):
    name = _name()
    client.create_registered_model(name)
    for number in range(versions):
        client.create_model_version(name, f"s3://bucket/{name}/{number}")
    return name


def case_models_are_made_described_renamed_and_deleted(client):
    name, new_name = _name(), _name("renamed")
    made = client.create_registered_model(name, tags={"team": "risk"}, description="First.")
    assert (made.name, made.description, made.tags, made.latest_versions) == (name, "First.", {"team": "risk"}, [])
    client.update_registered_model(name, "Second.")
    found = client.get_registered_model(name)
    assert found.description == "Second."
    assert found.creation_timestamp <= found.last_updated_timestamp
    client.create_model_version(name, "s3://bucket/a")
    client.rename_registered_model(name, new_name)
    assert client.get_model_version(new_name, "1").name == new_name
    assert code_of(client.get_registered_model, name) == "RESOURCE_DOES_NOT_EXIST"
    client.delete_registered_model(new_name)
    assert code_of(client.get_registered_model, new_name) == "RESOURCE_DOES_NOT_EXIST"


def case_models_answer_mlflows_errors(client):
    name = _model(client)
    assert code_of(client.create_registered_model, name) == "RESOURCE_ALREADY_EXISTS"
    for bad in ("a/b", "a:b", " ", ".."):
        assert code_of(client.create_registered_model, bad) == "INVALID_PARAMETER_VALUE", bad
    other = _model(client)
    assert code_of(client.rename_registered_model, name, other) == "RESOURCE_ALREADY_EXISTS"
    assert code_of(client.rename_registered_model, name, "a/b") == "INVALID_PARAMETER_VALUE"
    for call in (
        lambda: client.get_registered_model("no such model"),
        lambda: client.update_registered_model("no such model", "x"),
        lambda: client.rename_registered_model("no such model", "x y z"),
        lambda: client.delete_registered_model("no such model"),
        lambda: client.set_registered_model_tag("no such model", "a", "b"),
        lambda: client.delete_registered_model_tag("no such model", "a"),
        lambda: client.get_latest_versions("no such model"),
        lambda: client.create_model_version("no such model", "s3://bucket/a"),
        lambda: client.get_model_version(name, "99"),
        lambda: client.update_model_version(name, "99", "x"),
        lambda: client.delete_model_version(name, "99"),
        lambda: client.set_model_version_tag(name, "99", "a", "b"),
        lambda: client.delete_model_version_tag(name, "99", "a"),
        lambda: client.transition_model_version_stage(name, "99", "Staging"),
        lambda: client.set_registered_model_alias(name, "champion", "99"),
        lambda: client.delete_registered_model_alias("no such model", "champion"),
        lambda: client.get_model_version_by_alias("no such model", "champion"),
        lambda: client.get_model_version_download_uri(name, "99"),
    ):
        assert code_of(call) == "RESOURCE_DOES_NOT_EXIST"
    assert code_of(client.get_model_version, name, "one") == "INVALID_PARAMETER_VALUE"
    assert code_of(client.get_model_version_by_alias, name, "none") == "INVALID_PARAMETER_VALUE"


def case_versions_have_numbers_that_are_not_given_again(client):
    name = _model(client, versions=3)
    client.delete_model_version(name, "3")
    assert client.create_model_version(name, "s3://bucket/new").version == "4"
    assert sorted(version.version for version in client.search_model_versions(f"name = '{name}'")) == ["1", "2", "4"]
    assert code_of(client.get_model_version, name, "3") == "RESOURCE_DOES_NOT_EXIST"


def case_a_version_keeps_what_was_said(client, experiment_id):
    name, run_id = _name(), client.create_run(experiment_id).info.run_id
    client.create_registered_model(name)
    source = f"runs:/{run_id}/model"
    made = client.create_model_version(
        name, source, run_id, tags={"k": "v"}, run_link="http://a/link", description="Good."
    )
    assert (made.name, made.version, made.current_stage, made.status) == (name, "1", "None", "READY")
    found = client.get_model_version(name, "1")
    assert (found.source, found.run_id, found.run_link) == (source, run_id, "http://a/link")
    assert (found.tags, found.description) == ({"k": "v"}, "Good.")
    assert client.get_model_version_download_uri(name, "1") == source
    client.update_model_version(name, "1", "Better.")
    client.set_model_version_tag(name, "1", "k", "w")
    client.set_model_version_tag(name, "1", "second", "x" * 100_000)
    client.delete_model_version_tag(name, "1", "second")
    client.delete_model_version_tag(name, "1", "never there")
    found = client.get_model_version(name, "1")
    assert (found.tags, found.description) == ({"k": "w"}, "Better.")
    assert code_of(client.set_model_version_tag, name, "1", "k", "x" * 100_001) == "INVALID_PARAMETER_VALUE"


def case_sources_must_belong_to_the_run(client, experiment_id):
    name, run = _name(), client.create_run(experiment_id).info
    other = client.create_run(experiment_id).info
    client.create_registered_model(name)
    for source, run_id in (
        ("/etc/passwd", run.run_id),
        ("file:///etc/passwd", run.run_id),
        (f"{run.artifact_uri}/../../other", run.run_id),
        (f"{other.artifact_uri}/model", run.run_id),
        (f"{run.artifact_uri}/model", None),
        (f"runs:/{other.run_id}/model", run.run_id),
        ("models:/m-00000000000000000000000000000000", None),
        ("s3://bucket/../other", None),
    ):
        assert code_of(client._get_registry_client().store.create_model_version, name, source, run_id) == (
            "INVALID_PARAMETER_VALUE"
        ), source
    client._get_registry_client().store.create_model_version(name, f"{run.artifact_uri}/model", run.run_id)


def case_versions_move_through_stages(client):
    name = _model(client, versions=3)
    client.transition_model_version_stage(name, "1", "staging")
    client.transition_model_version_stage(name, "2", "Production")
    assert {version.current_stage: version.version for version in client.get_latest_versions(name)} == {
        "None": "3",
        "Staging": "1",
        "Production": "2",
    }
    moved = client.transition_model_version_stage(name, "3", "Production", archive_existing_versions=True)
    assert moved.current_stage == "Production"
    assert client.get_model_version(name, "2").current_stage == "Archived"
    assert [version.version for version in client.get_latest_versions(name, ["Production"])] == ["3"]
    assert code_of(client.transition_model_version_stage, name, "3", "Nowhere") == "INVALID_PARAMETER_VALUE"
    assert code_of(client.get_latest_versions, name, ["Nowhere"]) == "INVALID_PARAMETER_VALUE"
    assert len(client.get_registered_model(name).latest_versions) == 3


def case_aliases_point_to_versions(client):
    name = _model(client, versions=2)
    client.set_registered_model_alias(name, "champion", "1")
    client.set_registered_model_alias(name, "challenger", "2")
    assert client.get_model_version_by_alias(name, "champion").version == "1"
    assert client.get_registered_model(name).aliases == {"champion": "1", "challenger": "2"}
    client.set_registered_model_alias(name, "champion", "2")
    assert sorted(client.get_model_version(name, "2").aliases) == ["challenger", "champion"]
    client.delete_registered_model_alias(name, "challenger")
    client.delete_registered_model_alias(name, "never-there")
    assert client.get_registered_model(name).aliases == {"champion": "2"}
    assert client.get_model_version_by_alias(name, "latest").version == "2"
    client.delete_model_version(name, "2")
    assert client.get_registered_model(name).aliases == {}
    for bad in ("latest", "v1", "with space", "a" * 256):
        assert code_of(client.set_registered_model_alias, name, bad, "1") == "INVALID_PARAMETER_VALUE", bad


def case_model_tags_are_set_and_deleted(client):
    name = _model(client)
    client.set_registered_model_tag(name, "a", "1")
    client.set_registered_model_tag(name, "a", "2")
    client.set_registered_model_tag(name, "b", "3")
    client.delete_registered_model_tag(name, "b")
    client.delete_registered_model_tag(name, "never there")
    assert client.get_registered_model(name).tags == {"a": "2"}
    assert code_of(client.set_registered_model_tag, name, "bad!", "1") == "INVALID_PARAMETER_VALUE"


def case_models_are_searched_with_pages(client):
    word = uuid.uuid4().hex[:8]
    for number in range(5):
        client.create_registered_model(f"{word} {number}", tags={"group": word, "odd": str(number % 2)})
    found, token = [], None
    while True:
        page = client.search_registered_models(f"name LIKE '{word}%'", max_results=2, page_token=token)
        found += [model.name for model in page]
        token = page.token
        if not token:
            break
    assert found == [f"{word} {number}" for number in range(5)], found
    for filter_string, wanted in {
        f"name = '{word} 3'": [3],
        f"name ILIKE '{word.upper()}%' AND tags.odd = '1'": [1, 3],
        f"tags.group = '{word}' and tags.odd != '1'": [0, 2, 4],
        f"name != '{word} 0' and tags.group = '{word}'": [1, 2, 3, 4],
    }.items():
        models = client.search_registered_models(filter_string)
        assert [int(model.name.split()[1]) for model in models] == wanted, filter_string
    backwards = client.search_registered_models(f"name LIKE '{word}%'", order_by=["name DESC"])
    assert [int(model.name.split()[1]) for model in backwards] == [4, 3, 2, 1, 0]
    assert client.search_registered_models(f"name LIKE '{word}%'", order_by=["last_updated_timestamp DESC"])
    for bad in ("nonsense", "x = '1'"):
        assert code_of(client.search_registered_models, bad) == "INVALID_PARAMETER_VALUE", bad
    assert code_of(client.search_registered_models, order_by=["nonsense"]) == "INVALID_PARAMETER_VALUE"
    assert code_of(client.search_registered_models, max_results=1001) == "INVALID_PARAMETER_VALUE"


def case_versions_are_searched_with_pages(client, experiment_id):
    name, run_id = _name(), client.create_run(experiment_id).info.run_id
    client.create_registered_model(name)
    for number in range(3):
        client.create_model_version(name, f"runs:/{run_id}/{number}", run_id, tags={"odd": str(number % 2)})
    found = client.search_model_versions(f"name = '{name}'", order_by=["version_number ASC"], max_results=2)
    assert [version.version for version in found] == ["1", "2"]
    rest = client.search_model_versions(
        f"name = '{name}'", order_by=["version_number ASC"], max_results=2, page_token=found.token
    )
    assert [version.version for version in rest] == ["3"] and not rest.token
    assert len(client.search_model_versions(f"run_id = '{run_id}'")) == 3
    assert len(client.search_model_versions(f"run_id IN ('{run_id}')")) == 3
    assert [version.version for version in client.search_model_versions(f"source_path = 'runs:/{run_id}/1'")] == ["2"]
    assert len(client.search_model_versions(f"name = '{name}' and tags.odd = '0'")) == 2
    assert [version.version for version in client.search_model_versions(f"name = '{name}'")] == ["3", "2", "1"]
    assert code_of(client.search_model_versions, "nonsense = ") == "INVALID_PARAMETER_VALUE"
    assert code_of(client.search_model_versions, order_by=["nonsense"]) == "INVALID_PARAMETER_VALUE"


def case_a_version_is_copied_to_another_model(client):
    name, target = _model(client), _name("copy")
    copied = client.copy_model_version(f"models:/{name}/1", target)
    assert (copied.name, copied.version, copied.source) == (target, "1", f"models:/{name}/1")
    assert client.get_model_version_download_uri(target, "1") == client.get_model_version_download_uri(name, "1")
