/** One model: its aliases, description and tags, and its versions. */
import * as React from 'react';

import type { ModelGroup } from '../api';
import {
  Button,
  ErrorBar,
  LinkChip,
  Loaded,
  MarkdownField,
  TagEditor,
  Time,
  ask,
  useAction
} from '../components';
import {
  formatPath,
  modelsIcon,
  usePage,
  useResource,
  useStudio
} from '../frame';
import { VersionsTable } from './VersionsTable';
import { changeModel, getModel } from './calls';
import { askToDeleteModel } from './changes';

export function ModelView(props: { name: string }): React.ReactElement {
  const { client, trans } = useStudio();
  const { name } = props;
  const model = useResource(`group/${name}`, signal =>
    getModel(client, name, signal)
  );
  return (
    <div className="atelier-Model">
      <Loaded
        resource={model}
        failure={trans.__('The model could not be read')}
        rows={3}
      >
        {data => (
          <>
            <About model={data} />
            <VersionsTable model={name} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function About(props: { model: ModelGroup }): React.ReactElement {
  const studio = useStudio();
  const page = usePage();
  const { client, trans } = studio;
  const { model } = props;
  const action = useAction();
  const aliases = Object.entries(model.aliases);
  const [firstLine] = model.description.split('\n');
  const tags = Object.entries(model.tags);
  const rename = async () => {
    const answer = await ask({
      title: trans.__('Rename the model %1', model.name),
      text: trans.__(
        'Its versions come along, and endpoints go on. Code that names the model has to be changed.'
      ),
      questions: [
        {
          name: 'name',
          label: trans.__('Name'),
          value: model.name,
          pattern: '[^\\/:]{1,256}',
          isRequired: true
        }
      ],
      accept: trans.__('Rename')
    });
    if (answer && answer.name !== model.name) {
      const { name } = answer;
      const isDone = await action.run(() =>
        changeModel(client, model.name, { name })
      );
      if (isDone) {
        page.navigate(formatPath('model', name));
      }
    }
  };
  return (
    <section
      className="atelier-Model-about"
      aria-label={trans.__('About %1', model.name)}
    >
      <ErrorBar error={action.error} dismiss={action.dismiss} />
      <div className="atelier-Links">
        {aliases.map(([alias, version]) => (
          <LinkChip
            key={alias}
            icon={modelsIcon}
            label={trans.__('@%1: version %2', alias, version)}
            path={formatPath('model', model.name, String(version))}
          />
        ))}
        <span className="atelier-muted">
          {trans.__('%1 versions, last changed', model.version_count)}{' '}
          <Time value={model.updated_at || model.created_at} />
        </span>
        {tags.slice(0, 6).map(([key, value]) => (
          <span key={key} className="atelier-muted">
            {key}: {value}
          </span>
        ))}
      </div>
      <details>
        <summary>
          <span className="atelier-ellipsis">
            {firstLine || trans.__('Description and tags')}
          </span>
        </summary>
        <MarkdownField
          label={trans.__('Description')}
          value={model.description}
          empty={trans.__('No description yet.')}
          onSave={description =>
            changeModel(client, model.name, { description })
          }
        />
        <TagEditor
          tags={model.tags}
          onChange={changed =>
            changeModel(client, model.name, { tags: changed })
          }
        />
        <div className="atelier-Buttons">
          <Button label={trans.__('Rename')} onClick={() => void rename()} />
          <Button
            kind="danger"
            label={trans.__('Delete the model')}
            onClick={() =>
              void askToDeleteModel(studio, model, action).then(
                isDone => isDone && page.navigate('models')
              )
            }
          />
        </div>
      </details>
    </section>
  );
}
