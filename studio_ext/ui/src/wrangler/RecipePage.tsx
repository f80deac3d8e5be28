/** The page of a recipe: its steps, the rows after one of them, the form of a step, and what is found in the data. */
import { Notification } from '@jupyterlab/apputils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import * as React from 'react';

import type * as api from '../api/types';
import {
  ask,
  Button,
  confirmLoss,
  EmptyState,
  ErrorBar,
  ErrorState,
  formatCount,
  IMenuItem,
  LoadingState,
  Tabs,
  useAction
} from '../components';
import { useStudio } from '../frame/context';
import { useResource } from '../frame/resource';
import { listOperators, runTask } from './calls';
import {
  duplicateStep,
  insertStep,
  ISource,
  lastPart,
  newId,
  removeStep,
  shiftStep,
  updateStep,
  withFits
} from './document';
import type { Values } from './form/StepFields';
import { OperatorMenu } from './OperatorMenu';
import { CodeTab } from './CodeTab';
import { FlowTab } from './FlowTab';
import { IReport, InsightsTab, ISuggestion } from './InsightsTab';
import { IDraft, StepForm } from './StepForm';
import { StepList } from './StepList';
import { askSource } from './sources';
import { TableView } from './TableView';
import { IOpenRecipe, useRecipe } from './useRecipe';

export interface IRecipePageProps {
  context: DocumentRegistry.IContext<DocumentRegistry.ICodeModel>;
}

export function RecipePage(props: IRecipePageProps): React.ReactElement {
  const { client, trans } = useStudio();
  const open = useRecipe(props.context);
  const operators = useResource('operators', signal =>
    listOperators(client, signal)
  );
  const { recipe } = open;
  if (!recipe) {
    return (
      <div className="atelier-PageBody">
        <div className="atelier-State" data-state="error" role="alert">
          <h2>{trans.__('This file is no recipe')}</h2>
          <p>
            {open.error?.message ??
              trans.__(
                'It is not the JSON of a recipe. Open it with the editor, or restore an earlier version.'
              )}
          </p>
        </div>
      </div>
    );
  }
  if (open.error && open.parts.length === 0) {
    return (
      <div className="atelier-PageBody">
        <ErrorState
          title={trans.__('The recipe could not be opened')}
          error={open.error}
          retry={open.refresh}
        />
      </div>
    );
  }
  if (!open.session || !operators.data) {
    return (
      <div className="atelier-PageBody">
        <LoadingState rows={12} />
      </div>
    );
  }
  return <Workbench open={open} operators={operators.data.items} />;
}

function Workbench(props: {
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
  const [preview, setPreview] = React.useState<api.CompareReply | null>(null);
  const [report, setReport] = React.useState<IReport | null>(null);
  const fitting = useAction();
  const exporting = useAction();
  const selected =
    open.parts.find(part => part.id === chosen)?.id ?? lastPart(recipe) ?? null;
  const part = open.parts.find(one => one.id === selected) ?? null;

  const finish = () => {
    setDraft(null);
    setPreview(null);
    setChoosing(false);
  };
  const cancel = () => {
    finish();
    open.refresh();
  };
  const begin = (operator: api.OperatorDetail, params?: Values) => {
    if (!selected) {
      return;
    }
    const made = insertStep(
      recipe,
      { op: operator.op, params: params ?? {}, version: operator.version },
      selected
    );
    const node = made.recipe.nodes.find(one => one.id === made.id)!;
    setChoosing(false);
    setPreview(null);
    setDraft({ recipe: made.recipe, node, isNew: true });
  };
  const edit = (id: string) => {
    const node = recipe.nodes.find(one => one.id === id);
    if (node) {
      setChosen(id);
      setPreview(null);
      setDraft({ recipe, node, isNew: false });
    }
  };
  const revise = (params: Values) => {
    if (draft) {
      const { id } = draft.node;
      const changed = updateStep(draft.recipe, id, { params });
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
  const menuOf = (one: api.PartReport): IMenuItem[] => {
    if (one.kind === 'source') {
      return [
        {
          label: trans.__('Add a step after this'),
          onSelect: () => choose(one.id)
        },
        { label: trans.__('Remove'), onSelect: () => void remove(one) }
      ];
    }
    const node = recipe.nodes.find(other => other.id === one.id);
    const up = shiftStep(recipe, one.id, -1);
    const down = shiftStep(recipe, one.id, 1);
    return [
      { label: trans.__('Edit'), onSelect: () => edit(one.id) },
      {
        label: trans.__('Add a step after this'),
        onSelect: () => choose(one.id)
      },
      {
        label: trans.__('Duplicate'),
        onSelect: () => {
          const made = duplicateStep(recipe, one.id);
          if (made) {
            open.change(made.recipe);
            setChosen(made.id);
          }
        }
      },
      {
        label: trans.__('Move up'),
        isDisabled: !up,
        beginsGroup: true,
        onSelect: () => up && open.change(up)
      },
      {
        label: trans.__('Move down'),
        isDisabled: !down,
        onSelect: () => down && open.change(down)
      },
      {
        label: one.is_enabled ? trans.__('Turn off') : trans.__('Turn on'),
        beginsGroup: true,
        onSelect: () =>
          open.change(updateStep(recipe, one.id, { enabled: !one.is_enabled }))
      },
      {
        label: node?.fit
          ? trans.__('Forget what it learned')
          : trans.__('Learn from all rows'),
        isDisabled: !one.learns,
        onSelect: () =>
          node?.fit
            ? open.change(updateStep(recipe, one.id, { fit: undefined }))
            : fit(one.id)
      },
      {
        label: trans.__('Remove'),
        beginsGroup: true,
        onSelect: () => void remove(one)
      }
    ];
  };
  const choose = (id: string) => {
    setChosen(id);
    setDraft(null);
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
      begin(operator, params);
    }
  };
  const exportRows = async () => {
    const answers = await ask({
      title: trans.__('Write all rows to a file'),
      accept: trans.__('Write'),
      questions: [
        {
          name: 'path',
          label: trans.__('Path, from the folder of the recipe'),
          isRequired: true,
          value: `${recipe.name}-out.parquet`,
          help: trans.__(
            'The end of the name tells the format: .parquet, .csv, .jsonl, .arrow, .xlsx'
          )
        },
        {
          name: 'partition',
          label: trans.__('A folder for each value of (column)'),
          kind: 'choice',
          choices: [
            { value: '', label: trans.__('one file') },
            ...(part?.columns ?? []).map(({ name }) => ({
              value: name,
              label: name
            }))
          ]
        }
      ]
    });
    if (answers?.path && selected) {
      await exporting.run(async () => {
        const reply = await runTask<{ path: string; rows: number }>(
          client,
          session,
          'exports',
          {
            node: selected,
            path: answers.path,
            partition_by: answers.partition ? [answers.partition] : []
          }
        );
        Notification.success(
          trans.__(
            '%1 rows written to %2',
            formatCount(reply.rows),
            answers.path
          )
        );
      });
    }
  };
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
        {selected && learners.length > 0 && (
          <Button
            label={trans.__('Fit')}
            title={trans.__('Let the steps learn from all rows')}
            isBusy={fitting.isBusy}
            onClick={() => fit(lastPart(recipe) ?? selected)}
          />
        )}
        {selected && (
          <Button
            label={trans.__('Export …')}
            isBusy={exporting.isBusy}
            onClick={() => void exportRows()}
          />
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
        <div
          className="atelier-Recipe-body"
          data-side={isChoosing || draft ? true : undefined}
        >
          <StepList
            parts={open.parts}
            selected={draft?.isNew ? null : selected}
            onSelect={id => {
              setChosen(id);
              if (draft) {
                cancel();
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
                      <TableView
                        session={session}
                        part={
                          draft && preview
                            ? { ...part, id: draft.node.id }
                            : part
                        }
                        version={open.version}
                        preview={preview}
                      />
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
          {(isChoosing || (draft && operator)) && (
            <aside className="atelier-Recipe-side">
              {isChoosing && (
                <OperatorMenu
                  operators={operators}
                  onChoose={begin}
                  onCancel={() => setChoosing(false)}
                />
              )}
              {draft && operator && (
                <StepForm
                  session={session}
                  operator={operator}
                  draft={draft}
                  columns={columns}
                  onChange={revise}
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
