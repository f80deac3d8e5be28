"""The model registry: versions of models, their signature, their approval and where they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_tools.core.faces import lazy_face

if TYPE_CHECKING:
    from kernel_tools.registry.access import (
        artifact_references,
        count_models,
        count_versions,
        find_by_id,
        get,
        list_models,
        list_versions,
        register,
    )
    from kernel_tools.registry.cards import get_card, list_cards, render_card, write_card
    from kernel_tools.registry.comparison import compare
    from kernel_tools.registry.groups import (
        create_model,
        delete_model,
        delete_model_tag,
        describe_model,
        get_model,
        rename_model,
        set_model_tags,
    )
    from kernel_tools.registry.history import VersionEvent, VersionHistory, version_history
    from kernel_tools.registry.lineage_graph import Lineage, LineageEdge, LineageNode, lineage, register_lineage_source
    from kernel_tools.registry.promotion import (
        delete_alias,
        latest_versions,
        list_promotions,
        promote,
        set_alias,
        set_stage,
    )
    from kernel_tools.registry.records import (
        ModelCard,
        ModelFile,
        ModelGroup,
        Promotion,
        Stage,
        VersionRecord,
        VersionStatus,
    )
    from kernel_tools.registry.search import search_model_records, search_version_records
    from kernel_tools.registry.signature import Signature, infer_signature
    from kernel_tools.registry.sources import create_version_from_source, register_files
    from kernel_tools.registry.version import ModelVersion
    from kernel_tools.registry.versions import (
        decide_version,
        delete_version,
        delete_version_tag,
        describe_version,
        set_licence,
        set_version_tags,
    )

__all__ = [
    "Lineage",
    "LineageEdge",
    "LineageNode",
    "ModelCard",
    "ModelFile",
    "ModelGroup",
    "ModelVersion",
    "Promotion",
    "Signature",
    "Stage",
    "VersionEvent",
    "VersionHistory",
    "VersionRecord",
    "VersionStatus",
    "artifact_references",
    "compare",
    "count_models",
    "count_versions",
    "create_model",
    "create_version_from_source",
    "decide_version",
    "delete_alias",
    "delete_model",
    "delete_model_tag",
    "delete_version",
    "delete_version_tag",
    "describe_model",
    "describe_version",
    "find_by_id",
    "get",
    "get_card",
    "get_model",
    "infer_signature",
    "latest_versions",
    "lineage",
    "list_cards",
    "list_models",
    "list_promotions",
    "list_versions",
    "promote",
    "register",
    "register_files",
    "register_lineage_source",
    "rename_model",
    "render_card",
    "search_model_records",
    "search_version_records",
    "set_alias",
    "set_licence",
    "set_model_tags",
    "set_stage",
    "set_version_tags",
    "version_history",
    "write_card",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    {
        "access": "artifact_references count_models count_versions find_by_id get list_models list_versions register",
        "cards": "get_card list_cards render_card write_card",
        "comparison": "compare",
        "groups": "create_model delete_model delete_model_tag describe_model get_model rename_model set_model_tags",
        "history": "VersionEvent VersionHistory version_history",
        "lineage_graph": "Lineage LineageEdge LineageNode lineage register_lineage_source",
        "promotion": "delete_alias latest_versions list_promotions promote set_alias set_stage",
        "records": "ModelCard ModelFile ModelGroup Promotion Stage VersionRecord VersionStatus",
        "search": "search_model_records search_version_records",
        "signature": "Signature infer_signature",
        "sources": "create_version_from_source register_files",
        "version": "ModelVersion",
        "versions": "decide_version delete_version delete_version_tag describe_version set_licence set_version_tags",
    },
)
