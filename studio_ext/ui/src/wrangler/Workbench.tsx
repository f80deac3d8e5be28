/** A recipe at work: its steps, the rows after one of them, the form of a step, and what is found in the data. */
import * as React from 'react';

import type * as api from '../api/types';
import {
  ask,
  Button,
  confirmLoss,
  EmptyState,
  ErrorBar,
  IMenuItem,
  LoadingState,
  openMenu,
  Tabs,
  useAction
} from '../components';
import { useStudio } from '../frame/context';
import { runTask } from './calls';
import {
  insertStep,
  IRecipe,
  ISource,
  lastPart,
  newId,
  partsBefore,
  removeStep,
  updateSource,
  updateStep,
  withFits
} from './document';
import type { Values } from './form/StepFields';
import { OperatorMenu } from './OperatorMenu';
import { AnalysesTab } from './AnalysesTab';
import { CodeTab } from './CodeTab';
import { FlowTab } from './FlowTab';
import { IReport, InsightsTab, ISuggestion } from './InsightsTab';
import { exportMenu } from './exporting';
import { partMenu } from './partMenu';
import { RecipeForm } from './RecipeForm';
import { SourceForm } from './SourceForm';
import { IDraft, StepForm } from './StepForm';
import { StepList } from './StepList';
import { askSource } from './sources';
import { SuggestionStrip } from './SuggestionStrip';
import { PLAIN_LAYOUT } from './grid/layout';
import { TableView } from './TableView';
import type { IOpenRecipe } from './useRecipe';

export function Workbench(props: {
  open: IOpenRecipe;
  operators: api.OperatorDetail[];
}): React.ReactElement {
  const studio = useStudio();
  const { trans, client } = studio;
  const { open, operators } = props;
  const recipe = open.recipe!;
  const session = open.session!;
  const [chosen, setChosen] = React.useState<string | null>(null);
  const [isChoosing, setChoosing] = React.useState(false);
  const [draft, setDraft] = React.useState<IDraft | null>(null);
  const [table, setTable] = React.useState<string | null>(null);
  const [isNaming, setNaming] = React.useState(false);
  const [preview, setPreview] = React.useState<api.CompareReply | null>(null);
  const [report, setReport] = React.useState<IReport | null>(null);
  const [layout, setLayout] = React.useState(PLAIN_LAYOUT);
  const fitting = useAction();
  const exporting = useAction();
  const selected =
    open.parts.find(part => part.id === chosen)?.id ?? lastPart(recipe) ?? null;
  const part = open.parts.find(one => one.id === selected) ?? null;

  const finish = () => {
    setDraft(null);
    setPreview(null);
    setChoosing(false);
    setTable(null);
    setNaming(false);
  };
  const cancel = () => {
    finish();
    open.refresh();
  };
  const begin = async (operator: api.OperatorDetail, params?: Values) => {
    if (!selected) {
      return;
    }
    const others: string[] = [];
    let grown = recipe;
    if (operator.least_inputs > 1) {
      // Rows of a second table are needed: another one of the recipe, or one that is added now.
      const there = [...recipe.sources, ...recipe.nodes].map(({ id }) => id);
      let other = there.filter(id => id !== selected).pop();
      if (!other) {
        const source = await askSource(trans);
        if (!source) {
          return;
        }
        other = newId(recipe, 's');
        grown = {
          ...recipe,
          sources: [...recipe.sources, { ...source, id: other }]
        };
      }
      others.push(other);
    }
    const made = insertStep(
      grown,
      { op: operator.op, params: params ?? {}, version: operator.version },
      selected,
      others
    );
    const node = made.recipe.nodes.find(one => one.id === made.id)!;
    setChoosing(false);
    setPreview(null);
    setDraft({ recipe: made.recipe, node, isNew: true });
  };
  const edit = (id: string) => {
    const node = recipe.nodes.find(one => one.id === id);
    setChosen(id);
    finish();
    if (node) {
      setDraft({ recipe, node, isNew: false });
    } else {
      setTable(id);
    }
  };
  const revise = (change: { params?: Values; inputs?: string[] }) => {
    if (draft) {
      const { id } = draft.node;
      const changed = updateStep(draft.recipe, id, change);
      const node = changed.nodes.find(one => one.id === id)!;
      setDraft({ ...draft, recipe: changed, node });
    }
  };
  const apply = () => {
    if (draft) {
      open.change(draft.recipe);
      setChosen(draft.node.id);
      finish();
    }
  };
  const addSource = async () => {
    const source = await askSource(trans);
    if (source) {
      const id = newId(recipe, 's');
      const added: ISource = { ...source, id };
      open.change({ ...recipe, sources: [...recipe.sources, added] });
      setChosen(id);
    }
  };
  const remove = async (one: api.PartReport) => {
    const after = recipe.nodes.filter(node => node.inputs.includes(one.id));
    if (one.kind === 'source') {
      if (after.length > 0) {
        await confirmLoss({
          title: trans.__('Steps take rows from this table'),
          text: trans.__(
            'Remove the %1 steps that take rows from it first.',
            after.length
          ),
          keep: trans.__('Close'),
          lose: trans.__('Close')
        });
        return;
      }
      open.change({
        ...recipe,
        sources: recipe.sources.filter(source => source.id !== one.id)
      });
    } else {
      open.change(removeStep(recipe, one.id));
    }
  };
  const menuOf = (one: api.PartReport): IMenuItem[] =>
    partMenu(one, recipe, trans, {
      change: open.change,
      select: setChosen,
      edit,
      choose,
      fit,
      comment: id => void comment(id),
      remove: part => void remove(part)
    });
  const comment = async (id: string) => {
    const node = recipe.nodes.find(one => one.id === id);
    const answers = await ask({
      title: trans.__('Comment'),
      accept: trans.__('Save'),
      questions: [
        {
          name: 'note',
          label: trans.__('Why this step is there'),
          kind: 'text',
          value: node?.note ?? ''
        }
      ]
    });
    if (answers) {
      open.change(updateStep(recipe, id, { note: answers.note.trim() }));
    }
  };
  const choose = (id: string) => {
    setChosen(id);
    finish();
    setChoosing(true);
  };
  const fit = (node: string) =>
    void fitting.run(async () => {
      const reply = await runTask<{ fits: { [id: string]: unknown } }>(
        client,
        session,
        'fit',
        { node }
      );
      open.change(withFits(recipe, reply.fits));
    });
  const applySuggestion = ({ op, params }: ISuggestion) => {
    const operator = operators.find(one => one.op === op);
    if (operator) {
      void begin(operator, params);
    }
  };
  const source = recipe.sources.find(one => one.id === table);
  const tables = draft
    ? partsBefore(draft.recipe, draft.node.id).map(id => ({
        value: id,
        label: titleOf(id, open.parts, draft.recipe)
      }))
    : [];
  const hasSide = Boolean(isChoosing || isNaming || source || draft);
  const learners = open.parts.filter(one => one.learns && one.is_enabled);
  const operator = draft && operators.find(one => one.op === draft.node.op);
  const input = draft?.node.inputs[0];
  const columns =
    (preview?.parts ?? open.parts).find(one => one.id === input)?.columns ?? [];

  return (
    <div className="atelier-Recipe">
      <header className="atelier-Recipe-bar">
        <h1 className="atelier-ellipsis">{recipe.name}</h1>
        <Button
          label={trans.__('Undo')}
          isDisabled={!open.canUndo}
          onClick={open.undo}
        />
        <Button
          label={trans.__('Redo')}
          isDisabled={!open.canRedo}
          onClick={open.redo}
        />
        <Button
          label={trans.__('Settings')}
          title={trans.__('Name, parameters and results of the recipe')}
          onClick={() => {
            finish();
            setNaming(true);
          }}
        />
        {selected && learners.length > 0 && (
          <Button
            label={trans.__('Fit')}
            title={trans.__('Let the steps learn from all rows')}
            isBusy={fitting.isBusy}
            onClick={() => fit(lastPart(recipe) ?? selected)}
          />
        )}
        {part && (
          <button
            type="button"
            className="atelier-Button"
            aria-haspopup="menu"
            disabled={exporting.isBusy}
            aria-busy={exporting.isBusy || undefined}
            onClick={event =>
              openMenu(
                event.currentTarget,
                exportMenu(
                  { studio, session, recipe, part },
                  work => void exporting.run(work)
                )
              )
            }
          >
            {trans.__('Export')}
          </button>
        )}
      </header>
      <ErrorBar error={open.error} />
      <ErrorBar error={exporting.error} dismiss={exporting.dismiss} />
      <ErrorBar error={fitting.error} dismiss={fitting.dismiss} />
      {open.untrusted.length > 0 && (
        <div className="atelier-Recipe-trust" role="alert">
          <span>
            {trans.__(
              'This recipe has steps with code (%1). They do not run until you have read them and trust the recipe.',
              open.untrusted.join(', ')
            )}
          </span>
          <Button
            label={trans.__('Trust this recipe')}
            onClick={() => void fitting.run(open.trust)}
          />
        </div>
      )}
      {recipe.sources.length === 0 ? (
        <EmptyState
          title={trans.__('No table yet')}
          text={trans.__(
            'A recipe begins with a table: a file, several files, or a database.'
          )}
          action={{
            label: trans.__('Add a table'),
            onClick: () => void addSource()
          }}
        />
      ) : (
        <div className="atelier-Recipe-body" data-side={hasSide || undefined}>
          <StepList
            parts={open.parts}
            notes={Object.fromEntries(
              recipe.nodes.map(node => [node.id, node.note ?? ''])
            )}
            selected={draft?.isNew ? null : selected}
            onSelect={id => {
              setChosen(id);
              if (draft) {
                cancel();
              } else {
                setTable(null);
              }
            }}
            onEdit={edit}
            menuOf={menuOf}
            onAdd={() => selected && choose(selected)}
            onAddSource={() => void addSource()}
          />
          <div className="atelier-Recipe-main">
            <Tabs
              label={trans.__('Views of the recipe')}
              tabs={[
                {
                  id: 'data',
                  label: trans.__('Data'),
                  render: () =>
                    part ? (
                      <>
                        {!draft && part.rows !== null && !part.error && (
                          <SuggestionStrip
                            session={session}
                            node={part.id}
                            version={open.version}
                            onApply={applySuggestion}
                          />
                        )}
                        <TableView
                          session={session}
                          part={
                            draft && preview
                              ? { ...part, id: draft.node.id }
                              : part
                          }
                          version={open.version}
                          preview={preview}
                          layout={layout}
                          onLayout={setLayout}
                          blocker={
                            open.parts.find(one => one.id === part.blocked_by)
                              ?.title
                          }
                          onMend={edit}
                          onGo={setChosen}
                        />
                      </>
                    ) : (
                      <LoadingState rows={12} />
                    )
                },
                {
                  id: 'insights',
                  label: trans.__('Insights'),
                  render: () => (
                    <InsightsTab
                      session={session}
                      node={selected ?? ''}
                      columns={part?.columns ?? []}
                      report={report}
                      onReport={setReport}
                      onApply={applySuggestion}
                    />
                  )
                },
                {
                  id: 'analyses',
                  label: trans.__('Analyses'),
                  render: () => (
                    <AnalysesTab
                      session={session}
                      node={selected ?? ''}
                      columns={part?.columns ?? []}
                      kept={recipe.analyses ?? []}
                      onKeep={analyses => open.change({ ...recipe, analyses })}
                    />
                  )
                },
                {
                  id: 'code',
                  label: trans.__('Code'),
                  render: () => (
                    <CodeTab
                      session={session}
                      version={open.version}
                      selected={selected}
                    />
                  )
                },
                {
                  id: 'flow',
                  label: trans.__('Flow'),
                  render: () => (
                    <FlowTab
                      recipe={recipe}
                      parts={open.parts}
                      selected={selected}
                      onSelect={setChosen}
                    />
                  )
                }
              ]}
            />
          </div>
          {hasSide && (
            <aside className="atelier-Recipe-side">
              {isChoosing && (
                <OperatorMenu
                  operators={operators}
                  onChoose={one => void begin(one)}
                  onCancel={() => setChoosing(false)}
                />
              )}
              {isNaming && (
                <RecipeForm
                  recipe={recipe}
                  parts={open.parts}
                  onApply={changed => {
                    open.change(changed);
                    setNaming(false);
                  }}
                  onClose={() => setNaming(false)}
                />
              )}
              {source && (
                <SourceForm
                  session={session}
                  version={open.version}
                  source={source}
                  onApply={changed =>
                    open.change(updateSource(recipe, changed))
                  }
                  onClose={() => setTable(null)}
                />
              )}
              {draft && operator && (
                <StepForm
                  session={session}
                  operator={operator}
                  draft={draft}
                  columns={columns}
                  tables={tables}
                  onChange={params => revise({ params })}
                  onInputs={inputs => revise({ inputs })}
                  onPreview={setPreview}
                  onApply={apply}
                  onCancel={cancel}
                />
              )}
            </aside>
          )}
        </div>
      )}
    </div>
  );
}

/** What a list of tables calls a part. */
function titleOf(id: string, parts: api.PartReport[], recipe: IRecipe): string {
  const part = parts.find(one => one.id === id);
  const source = recipe.sources.find(one => one.id === id);
  if (part) {
    return part.kind === 'source' ? part.title : `${id}: ${part.sentence}`;
  }
  return source?.name || source?.uri || id;
}
