/** The names by which the front-end knows the server's shapes; the shapes themselves are generated from its OpenAPI document. */
import { components } from './generated';

type Schemas = components['schemas'];

export type RunRecord = Schemas['RunRecord'];
export type RunPage = Schemas['RunPage'];
export type RunDetail = Schemas['RunDetail'];
export type MetricHistory = Schemas['MetricHistory'];
export type FigureReply = Schemas['FigureReply'];
export type RunsComparison = Schemas['RunsComparison'];
export type RunsFigureRequest = Schemas['RunsFigureRequest'];
export type RunsFigureReply = Schemas['RunsFigureReply'];
export type CodeComparison = Schemas['CodeComparison'];
export type FileDifference = Schemas['FileDifference'];
export type EnvironmentReply = Schemas['EnvironmentReply'];
export type ComparedArtifacts = Schemas['ComparedArtifacts'];
export type ComparedRow = Schemas['ComparedRow'];
export type ArtifactRecord = Schemas['ArtifactRecord'];
export type Experiment = Schemas['Experiment'];
export type ExperimentPage = Schemas['ExperimentPage'];
export type ModelGroup = Schemas['ModelGroup'];
export type ModelPage = Schemas['ModelPage'];
export type VersionRecord = Schemas['VersionRecord'];
export type VersionPage = Schemas['VersionPage'];
export type VersionDetail = Schemas['VersionDetail'];
export type ApprovalRequest = Schemas['ApprovalRequest'];
export type EndpointRecord = Schemas['EndpointRecord'];
export type EndpointPage = Schemas['EndpointPage'];
export type EndpointDetail = Schemas['EndpointDetail'];
export type DeployRequest = Schemas['DeployRequest'];
export type InvocationRequest = Schemas['InvocationRequest'];
export type InvocationReply = Schemas['InvocationReply'];
export type HomeReply = Schemas['HomeReply'];
export type VersionReply = Schemas['VersionReply'];
export type ErrorReply = Schemas['ErrorReply'];
export type Signature = Schemas['Signature'];
export type Column = Schemas['Column'];
export type Tensor = Schemas['Tensor'];
export type ChangeRunRequest = Schemas['ChangeRunRequest'];
export type MetricSummary = Schemas['MetricSummary'];
export type SummaryPage = Schemas['SummaryPage'];
export type NestedRun = Schemas['NestedRun'];
export type NestedRuns = Schemas['NestedRuns'];
export type DatasetInput = Schemas['DatasetInput'];
export type ArtifactEntry = Schemas['ArtifactEntry'];
export type FolderPage = Schemas['FolderPage'];
export type TableWindow = Schemas['TableWindow'];
export type ModelCard = Schemas['ModelCard'];
export type CardPage = Schemas['CardPage'];
export type CardRequest = Schemas['CardRequest'];
export type ChangeModelRequest = Schemas['ChangeModelRequest'];
export type ChangeVersionRequest = Schemas['ChangeVersionRequest'];
export type ComparisonReply = Schemas['ComparisonReply'];
export type VersionHistory = Schemas['VersionHistory'];
export type VersionEvent = Schemas['VersionEvent'];
export type Lineage = Schemas['Lineage'];
export type LineageNode = Schemas['LineageNode'];
export type LineageReply = Schemas['LineageReply'];
export type RunWindow = Schemas['RunWindow'];
export type WindowRequest = Schemas['WindowRequest'];
export type RunGroup = Schemas['RunGroup'];
export type RunGroups = Schemas['RunGroups'];
export type GroupsRequest = Schemas['GroupsRequest'];
export type GroupedMetric = Schemas['GroupedMetric'];
export type BestRequest = Schemas['BestRequest'];
export type BestReply = Schemas['BestReply'];
export type RunField = Schemas['RunField'];
export type RunFields = Schemas['RunFields'];
export type ChangeRequest = Schemas['ChangeRequest'];
export type ChangedRuns = Schemas['ChangedRuns'];
export type ViewSettings = Schemas['ViewSettings'];
export type ViewRequest = Schemas['ViewRequest'];
export type RunView = Schemas['RunView'];
export type ViewsReply = Schemas['ViewsReply'];
export type LiveRequest = Schemas['LiveRequest'];
export type LiveBatch = Schemas['LiveBatch'];

export type Resource = Schemas['Resource'];
export type ResourcesReply = Schemas['ResourcesReply'];
export type MemoryReply = Schemas['MemoryReply'];
export type IdlePolicy = Schemas['IdlePolicy'];
export type PolicyReply = Schemas['PolicyReply'];

export type RunStatus = RunRecord['status'];
export type VersionStatus = VersionRecord['status'];
export type EndpointState = EndpointRecord['state'];
export type HomeCounts = HomeReply['counts'];

/** A metric as JSON carries it: a number, or "NaN", "Infinity", "-Infinity". */
export type MetricValue = RunRecord['metrics'][string];

/** One row of a table that goes to or comes from a model. */
export type Row = { [column: string]: unknown };
